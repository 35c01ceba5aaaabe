//! Parsing of realistic Dockerfiles.

use super::*;

fn parse_valid_dockerfile(text: &str) -> Dockerfile {
    Dockerfile::parse(text, &[]).unwrap()
}

/// Returns the base image of the last stage, followed through all stages.
fn find_base_image(text: &str, target: Option<&str>) -> String {
    let file = parse_valid_dockerfile(text);
    file.image(target).unwrap()[0].from.clone()
}

/// Returns the `RUN` commands of the last stage, each as one line, with its folder.
fn list_run_commands(text: &str, arguments: &[(&str, &str)]) -> Vec<String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let arguments: Vec<_> = arguments.iter().map(owned).collect();
    let file = Dockerfile::parse(text, &arguments).unwrap();
    let steps = &file.stages.last().unwrap().steps;
    let mut lines = Vec::new();
    for step in steps {
        if let BuildAction::Run { commands, .. } = &step.action {
            let words = commands.iter().map(|command| command.words.join(" "));
            lines.extend(words.map(|line| format!("{} {line}", step.folder)));
        }
    }
    lines
}

#[test]
fn stages_are_followed_to_the_image_below() {
    let text = "# c\nFROM --platform=x node:18 AS build\nRUN x\nfrom nginx:alpine as web\nCOPY --from=build /a /b\n\
                FROM web\nEXPOSE 80\n";
    assert_eq!(find_base_image(text, None), "nginx:alpine");
    assert_eq!(find_base_image(text, Some("WEB")), "nginx:alpine");
    assert_eq!(find_base_image(text, Some("build")), "node:18");
    assert_eq!(find_base_image(text, Some("0")), "node:18");
    assert_eq!(parse_valid_dockerfile(text).image(Some("gone")), None);
    // A stage is visible only to later ones.
    assert_eq!(find_base_image("FROM a AS a\n", None), "a");
    assert_eq!(find_base_image("FROM b\nFROM c AS b\n", Some("0")), "b");
}

#[test]
fn lines_continue_after_the_escape_character() {
    assert_eq!(
        find_base_image("FROM --platform=linux/amd64 \\\n  postgres:16\n", None),
        "postgres:16"
    );
    assert_eq!(
        find_base_image("FROM \\\r\n# why\r\n  redis:7 \\\r\n  AS cache\r\n", None),
        "redis:7"
    );
    assert_eq!(find_base_image("# escape=`\nFROM `\n  mysql\n", None), "mysql");
    assert_eq!(find_base_image("\u{feff}FROM mongo\n", None), "mongo");
    let text = "FROM a\nRUN pip install \\\n    # the list\n\n    -r x.txt \\\n && true";
    assert_eq!(list_run_commands(text, &[]), ["/ pip install -r x.txt", "/ true"]);
}

#[test]
fn arguments_and_environment_are_replaced() {
    let text = "ARG V=3.12\nFROM python:${V}-slim\nARG LIST=dev\nARG V\nENV DIR=/srv OLD=1\nENV LEGACY a b\n\
                WORKDIR $DIR/app\nRUN pip install -r ${LIST}.txt $V $LEGACY $UNKNOWN\n";
    let image = |arguments: &[(String, String)]| {
        Dockerfile::parse(text, arguments).unwrap().stages[0].from.clone()
    };
    assert_eq!(image(&[]), "python:3.12-slim");
    assert_eq!(image(&[("V".to_owned(), "3.9".to_owned())]), "python:3.9-slim");
    assert_eq!(list_run_commands(text, &[]), ["/srv/app pip install -r dev.txt 3.12 a b $UNKNOWN"]);
    assert_eq!(
        list_run_commands(text, &[("LIST", "prod")]),
        ["/srv/app pip install -r prod.txt 3.12 a b $UNKNOWN"]
    );
    assert_eq!(find_base_image("FROM ${BASE}\n", None), "${BASE}");
    assert_eq!(find_base_image("ARG BASE\nFROM ${BASE:-redis}\n", None), "redis");
}

#[test]
fn a_stage_inherits_folder_and_environment_but_no_argument() {
    let text = "FROM a AS one\nARG X=1\nENV Y=2\nWORKDIR /w\nFROM one\nWORKDIR sub\nRUN $X $Y\n";
    assert_eq!(list_run_commands(text, &[]), ["/w/sub $X 2"]);
}

#[test]
fn here_documents_are_commands_or_files() {
    let text = "FROM a\nRUN <<EOF\nset -e\npip install flask\nEOF\nCOPY <<x /app/x.txt\nflask\nx\n\
                RUN python <<EOF\nimport pip\nEOF\n\
                RUN bash -e <<'EOF'\npip install -r x\nEOF\n";
    assert_eq!(
        list_run_commands(text, &[]),
        ["/ set -e", "/ pip install flask", "/ python --EOF", "/ pip install -r x"]
    );
    let file = parse_valid_dockerfile(text);
    let BuildAction::Copy(paths) = &file.stages[0].steps[1].action else { panic!() };
    assert_eq!(paths[0].origin, CopyOrigin::Text("flask\n".to_owned()));
    assert_eq!(paths[0].target, "/app/x.txt");
    assert_eq!(file.stages[0].steps[0].lines, 2..=5);
    assert_eq!(file.stages[0].steps[2].lines.start(), &9);
    assert_eq!(file.stages[0].steps[3].lines, 12..=14);
}

#[test]
fn copied_and_mounted_paths_know_where_they_come_from() {
    let text = "FROM a AS b\nFROM c\nWORKDIR /app\nCOPY --chown=x ./a/ b.txt ./\nCOPY --from=b /venv /venv\n\
                COPY --from=d [\"/x y\", \"/z\"]\nADD https://e/f /f\n\
                RUN --mount=type=cache,target=/root/.cache --mount=type=bind,source=uv.lock,target=uv.lock uv sync\n";
    let file = parse_valid_dockerfile(text);
    let mut found = Vec::new();
    for step in &file.stages[1].steps {
        let (BuildAction::Copy(paths) | BuildAction::Run { mounts: paths, .. }) = &step.action
        else {
            continue;
        };
        found.extend(paths.iter().map(|path| {
            let origin = match &path.origin {
                CopyOrigin::Context => "context".to_owned(),
                CopyOrigin::Stage(at) => format!("stage {at}"),
                CopyOrigin::Elsewhere => "elsewhere".to_owned(),
                CopyOrigin::Text(_) => "text".to_owned(),
            };
            format!("{origin}: {} -> {}", path.source, path.target)
        }));
    }
    assert_eq!(
        found,
        [
            "context: a -> /app/",
            "context: b.txt -> /app/",
            "stage 0: venv -> /venv",
            "elsewhere: x y -> /z",
            "elsewhere: https://e/f -> /f",
            "context: uv.lock -> /app/uv.lock",
        ]
    );
}

#[test]
fn what_docker_refuses_is_not_read() {
    for text in ["", "RUN x\n", "FROM\n", "FROM a\nFETCH b\n", "FROM a AS x\nFROM b AS x\n"] {
        assert_eq!(Dockerfile::parse(text, &[]), None, "{text:?}");
    }
}

#[test]
fn no_text_makes_the_reader_grow_without_bound() {
    let doubling: String = (0..60).map(|_| "ENV A=$A$A$A$A\n").collect();
    let nested = format!("FROM a\nENV A=xxxxxxxx\n{doubling}RUN {}\n", "$A".repeat(20_000));
    let file = parse_valid_dockerfile(&nested);
    let size: usize = list_run_commands(&nested, &[]).iter().map(String::len).sum();
    assert!(size < 200_000, "{size}");
    assert_eq!(file.stages.len(), 1);
    let deep = format!("FROM a\nRUN {}{}\n", "${A:-".repeat(20_000), "}".repeat(20_000));
    assert_eq!(list_run_commands(&deep, &[]).len(), 1);
    let many = "FROM a\n".repeat(10_000);
    assert_eq!(Dockerfile::parse(&many, &[]), None);
}

#[test]
fn a_dockerfile_is_read_up_to_its_ceilings_and_not_beyond() {
    let is_read = |text: String| Dockerfile::parse(&text, &[]).is_some();
    let of_size = |bytes: usize| format!("FROM a\n# {}\n", "x".repeat(bytes - 10));
    assert_eq!(of_size(1000).len(), 1000);
    assert!(is_read(of_size(128 << 10)));
    assert!(!is_read(of_size((128 << 10) + 1)));
    assert!(is_read("FROM a\n".repeat(200)));
    assert!(!is_read("FROM a\n".repeat(201)));
}
