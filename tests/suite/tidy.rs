//! The map in `src/lib.rs` is correct: modules depend only on what it lists, and each kind of I/O has one module.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names that only some modules may use, and these modules.
const RESTRICTED_NAMES: [(&str, &[&str]); 10] = [
    ("std::env", &["main"]),
    ("std::fs", &["apply", "project", "stores", "workspace", "session"]),
    ("fs_err", &["apply", "project", "stores", "workspace", "docker", "net", "commands", "prove"]),
    ("TcpStream", &["net", "workspace"]),
    ("TcpListener", &["net"]),
    ("UdpSocket", &["net"]),
    ("reqwest", &["net"]),
    ("std::process", &["main", "stores", "workspace", "docker", "commands", "ui"]),
    ("std::io::stdout", &["main"]),
    ("std::io::stderr", &["main"]),
];

/// Words that no file contains: marks of unfinished work, and names without meaning.
const FORBIDDEN: [&str; 6] = ["TODO", "FIXME", "XXX", "println!", "dbg!", "mod util"];

struct File {
    path: PathBuf,
    module: String,
    code: String,
}

#[test]
fn modules_depend_only_on_what_the_map_allows() {
    let map = map();
    let mut wrong = Vec::new();
    for file in files() {
        let Some(allowed) = map.get(&file.module) else {
            wrong.push(format!(
                "{}: the module `{}` is not in the map",
                file.path.display(),
                file.module
            ));
            continue;
        };
        for target in dependencies(&file.code) {
            if target != file.module
                && !allowed.contains(&target)
                && !allowed.contains(&"all".to_owned())
            {
                wrong.push(format!("{}: {} -> {target}", file.path.display(), file.module));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn restricted_names_are_in_their_modules() {
    let mut wrong = Vec::new();
    for file in files() {
        for (name, modules) in RESTRICTED_NAMES {
            if file.code.contains(name) && !modules.contains(&file.module.as_str()) {
                wrong.push(format!("{}: {name}", file.path.display()));
            }
        }
        for word in FORBIDDEN {
            if file.code.contains(word) {
                wrong.push(format!("{}: {word}", file.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_has_a_header_and_is_short() {
    let mut wrong = Vec::new();
    for file in files() {
        if !file.code.starts_with("//! ") {
            wrong.push(format!("{}: no module header", file.path.display()));
        }
        let lines = file.code.lines().take_while(|line| *line != "#[cfg(test)]").count();
        if lines > 400 {
            wrong.push(format!("{}: {lines} lines before its tests", file.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_variable_that_is_read_is_in_the_help_topic() {
    let topics = cruddur_ops::commands::list_topics();
    let topic = topics.iter().find(|topic| topic.name == "environment").expect("the topic");
    let text = (topic.text)();
    let mut names = Vec::new();
    for file in files() {
        let calls = file.code.split(".var(\"").skip(1);
        names.extend(calls.filter_map(|call| call.split('"').next()).map(str::to_owned));
    }
    names.retain(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn each_type_name_is_unique() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files() {
        for name in type_names(&file.code) {
            places.entry(name).or_default().push(file.path.display().to_string());
        }
    }
    places.retain(|_, places| places.len() > 1);
    assert!(places.is_empty(), "each needs a name of its own: {places:#?}");
}

/// Returns the types that a file declares, without associated types, whose names their traits set.
fn type_names(code: &str) -> Vec<String> {
    let declared = code.lines().filter_map(|line| {
        let item = line.trim_start();
        let item = match item.strip_prefix("pub") {
            Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1.trim_start(),
            Some(rest) => rest.trim_start(),
            None => item,
        };
        let (kind, rest) = item.split_once(' ')?;
        let is_type = match kind {
            "struct" | "enum" | "trait" | "union" => true,
            "type" => !line.starts_with(' '),
            _ => false,
        };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (is_type && name.starts_with(|c: char| c.is_uppercase())).then_some(name)
    });
    declared.collect()
}

#[test]
fn types_are_found_whatever_their_visibility() {
    let code = "pub struct One;\npub(in crate::x) enum Two {\nstruct Three<'a>(&'a str);\ntrait Four: Sized {\n    \
                type Error = ();\n}\npub(super) type Five = u8;\nfn f() {\n    struct Six;\n}\nenum ${name} {\n// struct Seven\n";
    assert_eq!(type_names(code), ["One", "Two", "Three", "Four", "Five", "Six"]);
}

/// Returns each module of the table in `src/lib.rs` with the modules it may use.
fn map() -> BTreeMap<String, Vec<String>> {
    let text = std::fs::read_to_string(source().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once("->"));
    let modules = rows.filter_map(|(left, right)| {
        let module = left.split_whitespace().next()?;
        let is_row = left.contains("  ") && module.chars().all(|c| c.is_ascii_lowercase());
        is_row.then(|| (module.to_owned(), right.split_whitespace().map(str::to_owned).collect()))
    });
    let map: BTreeMap<String, Vec<String>> = modules.collect();
    assert!(map.len() > 10, "the map could not be read: {map:?}");
    map
}

/// Returns every file in `src` except main.rs and lib.rs; the code without tests and comments.
fn files() -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(source()).unwrap();
            let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
            let module = first.trim_end_matches(".rs").to_owned();
            if module != "lib"
                && module != "main"
                && !relative.to_str().unwrap().ends_with("tests.rs")
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
                found.push(File { path, module, code });
            }
        }
    }
    assert!(found.len() > 20);
    found
}

/// Returns the modules that `use crate::…` and paths in the code name.
fn dependencies(code: &str) -> Vec<String> {
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let targets = code.split("crate::").skip(1);
    let mut modules: Vec<String> = targets
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .filter(|module: &String| !module.is_empty())
        .collect();
    modules.sort();
    modules.dedup();
    modules
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}
