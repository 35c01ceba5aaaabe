use super::*;

fn list_entry_names(source: &str) -> Vec<String> {
    Requirements::parse(source).entries.into_iter().map(|entry| entry.name).collect()
}

fn extend_requirements(source: &str, added: &[&str]) -> String {
    let addition = |&name: &&str| PackageAddition { name: name.to_owned(), version: None };
    let added: Vec<PackageAddition> = added.iter().map(addition).collect();
    extend(source, &added).unwrap()
}

#[test]
fn names_are_compared_as_pep_503_says() {
    assert_eq!(normalize_package_name("Flask_AWSCognito"), "flask-awscognito");
    assert_eq!(normalize_package_name("a.-_b"), "a-b");
}

#[test]
fn extras_markers_hashes_addresses_and_comments_are_read() {
    let source = "\u{feff}Flask == 2.3.2 ; python_version > '3' # web\npsycopg[binary,pool]>=3\nfoo @ https://h/f.whl\n\
                  -e git+https://h/r.git@v1#egg=Bar_Baz&subdirectory=x\n-r base.txt\n--requirement=more.txt\n\
                  # opentelemetry-api\n./local\nhttps://h/dir/some_pkg-1.0-py3-none-any.whl\n";
    let read = Requirements::parse(source);
    assert_eq!(list_entry_names(source), ["flask", "psycopg", "foo", "bar-baz", "some-pkg"]);
    assert_eq!(read.entries[0].pin.as_deref(), Some("2.3.2"));
    assert_eq!(read.entries[1].bounds, VersionBounds::Version);
    assert_eq!(read.entries[2].bounds, VersionBounds::Address);
    assert_eq!(read.includes, ["base.txt", "more.txt"]);
    assert_eq!(read.unreadable, []);
    assert_eq!(read.locking, HashLocking::Free);
}

#[test]
fn a_hash_locks_the_file() {
    let read = Requirements::parse("flask==2.3.2 \\\n    --hash=sha256:00\n");
    assert_eq!(read.locking, HashLocking::Hashes);
    assert_eq!(read.entries[0].pin.as_deref(), Some("2.3.2"));
}

#[test]
fn a_final_newline_comes_first_and_the_last_blank_lines_stay() {
    assert_eq!(extend_requirements("flask-cors", &["a"]), "flask-cors\na\n");
    assert_eq!(extend_requirements("flask \r\n\r\n", &["a"]), "flask \r\na\r\n\r\n");
    assert_eq!(extend_requirements("flask  ", &["a"]), "flask  \na\n");
    assert_eq!(extend_requirements("", &["a"]), "a\n");
    assert_eq!(extend_requirements("\n", &["a"]), "\na\n");
}

#[test]
fn a_dangling_continuation_does_not_swallow_the_next_line() {
    assert_eq!(list_entry_names(&extend_requirements("flask \\\n", &["a"])), ["flask", "a"]);
    assert_eq!(list_entry_names(&extend_requirements("flask \\", &["a"])), ["flask", "a"]);
}

#[test]
fn a_pasted_word_that_would_swallow_the_next_line_is_refused() {
    let added = PackageAddition { name: "a".to_owned(), version: None };
    for text in ["pip install flask;x\\ -q", "b==1 \\\n  c=\\ # d\n-r e"] {
        let refused = extend(text, std::slice::from_ref(&added)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::UnsafeEdit, "{text}");
    }
}

#[test]
fn a_backslash_with_a_blank_behind_it_ends_a_pasted_command() {
    let blank = extend("pip install a \\ \nb c\n", &[]).unwrap();
    assert_eq!(blank, "a\nb c\n");
}

#[test]
fn a_pasted_command_becomes_lines() {
    let source = "flask\n\npip install --upgrade opentelemetry-api \\\n    'psycopg[binary]' \\\n    requests";
    assert_eq!(Requirements::parse(source).pasted[0].line, 3);
    assert_eq!(
        extend_requirements(source, &["a"]),
        "flask\n\nopentelemetry-api\npsycopg[binary]\nrequests\na\n"
    );
}

#[test]
fn continuation_lines_without_their_command_become_lines() {
    let source = "flask\na \\\n  b==1 \\\n  c[d]\n# end\n";
    assert_eq!(extend_requirements(source, &["e"]), "flask\na\nb==1\nc[d]\n# end\ne\n");
    assert_eq!(Requirements::parse("flask \\\n  >=2 \\\n  # x\n").pasted, []);
    for cut_off in ["flask requests \\", "flask requests \\\n"] {
        assert_eq!(extend_requirements(cut_off, &["a"]), "flask\nrequests\na\n");
    }
}

#[test]
fn two_joined_names_are_detected() {
    let known = ["flask-cors", "opentelemetry-api", "opentelemetry-instrumentation"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(
        split_glued_names("flask-corsopentelemetry-api", &known),
        Some(("flask-cors".to_owned(), "opentelemetry-api".to_owned()))
    );
    assert_eq!(
        split_glued_names("opentelemetry-apiboto3", &known),
        Some(("opentelemetry-api".to_owned(), "boto3".to_owned()))
    );
    assert_eq!(split_glued_names("opentelemetry-instrumentation-wsgi", &known), None);
    assert_eq!(split_glued_names("flask-cors", &known), None);
    // Names of two letters are not considered packages; names of three are.
    for short in ["flask-corspy", "pyflask-cors"] {
        assert_eq!(split_glued_names(short, &known), None);
    }
    for (name, halves) in
        [("flask-corspip", ("flask-cors", "pip")), ("pipflask-cors", ("pip", "flask-cors"))]
    {
        assert_eq!(
            split_glued_names(name, &known),
            Some((halves.0.to_owned(), halves.1.to_owned()))
        );
    }
}

#[test]
fn a_line_pip_cannot_read_is_named() {
    let read = Requirements::parse("flask flask-cors\n$ foo\nok\n");
    let lines: Vec<usize> = read.unreadable.iter().map(|line| line.line).collect();
    assert_eq!(lines, [1, 2]);
}

#[test]
fn an_entry_is_older_if_every_allowed_version_is() {
    let is_old = |line: &str| {
        let read = Requirements::parse(line);
        read.entries[0].is_older_than(&[2, 3])
    };
    for line in [
        "flask<2.3",
        "flask ~= 2.2.0",
        "flask>=2.0,<2.3",
        "flask==2.2.*",
        "flask==2.2.5",
        "flask<=2.2.5",
        "flask[async]<2",
        "flask>1,<2.3.0 ; python_version > '3'",
    ] {
        assert!(is_old(line), "{line}");
    }
    for line in [
        "flask",
        "flask>=2.0",
        "flask~=2.2",
        "flask==2.3.0",
        "flask==2.*",
        "flask<3",
        "flask<=2.3",
        "flask!=2.2",
    ] {
        assert!(!is_old(line), "{line}");
    }
}
