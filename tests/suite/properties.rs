//! Random files: an edit means its plan to a reader of its own, keeps every other line, and is done once; and undo after
//! an apply is as if nothing had been.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cruddur_ops::apply::{Direction, Journal};
use cruddur_ops::edit::python::source::Source;
use cruddur_ops::edit::requirements::{self, Requirements};
use cruddur_ops::edit::yaml::additions::{self, add};
use cruddur_ops::edit::yaml::ports::{self, PortEntry, Visibility};
use cruddur_ops::plan::instrument::{self, Frontend, Mistakes, PackageList, Service, Start};
use cruddur_ops::plan::{Change, Plan, Writing};
use cruddur_ops::project::Boundary;
use cruddur_ops::secret::Redactor;
use proptest::prelude::*;
use serde_yaml::Value;

fn read(text: &str) -> Value {
    let mut value: Value = serde_yaml::from_str(text).unwrap();
    value.apply_merge().unwrap();
    value
}

fn without(value: &Value, key: &str) -> Value {
    let mut value = value.clone();
    if let Value::Mapping(mapping) = &mut value {
        mapping.remove(key);
    }
    value
}

/// Lines of `before` that went and have none of `marks` in them.
fn lost(before: &str, after: &str, marks: &[&str]) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(before, after);
    let gone = diff
        .iter_all_changes()
        .filter(|change| change.tag() == similar::ChangeTag::Delete)
        .map(|change| change.value().to_owned())
        .filter(|line| line.ends_with('\n'));
    gone.filter(|line| !marks.iter().any(|mark| line.contains(mark)))
        .collect()
}

/// Some of `parts`, in their order, each with the line endings and the end of file that were drawn.
fn text(parts: Vec<&'static str>, most: usize) -> impl Strategy<Value = String> {
    let chosen = prop::collection::vec(prop::sample::select(parts), 0..most);
    (chosen, any::<bool>(), any::<bool>()).prop_map(|(chosen, windows, open)| {
        let text = chosen.concat();
        let text = if open {
            text.trim_end().to_owned()
        } else {
            text
        };
        if windows {
            text.replace('\n', "\r\n")
        } else {
            text
        }
    })
}

const PORTS: [&str; 9] = [
    "  - port: 3000 # c\n    onOpen: notify\n",
    "  - port: 5432\n    visibility: public\n    name: db\n",
    "  - name: \"r\"\n    port: 5000-9000\n",
    "  - {port: 8080, visibility: private}\n",
    "  - port: 3000\n    visibility: public\n",
    "  # a comment\n",
    "\n",
    "  - port: 4567\n    description: |\n      one\n\n      two\n",
    "  - &a {port: 1}\n",
];

fn gitpod() -> impl Strategy<Value = String> {
    let list = prop_oneof![
        Just("ports: []\n".to_owned()),
        Just("ports:\n".to_owned()),
        Just("ports: ~ # none\n".to_owned()),
        Just(String::new()),
        Just("ports: [{port: 3000}, {port: 5432, visibility: public}]\n".to_owned()),
        text(PORTS.to_vec(), 6).prop_filter_map("a list has an item", |text| {
            let text = text.replace("\r\n", "\n");
            let items = text.lines().any(|line| line.starts_with("  -"));
            items.then(|| format!("ports:\n{text}\n"))
        }),
    ];
    let before = prop::sample::select(vec![
        "",
        "tasks:\n  - init: x\n",
        "image: y # é\n",
        "# c\n\n",
    ]);
    let after = prop::sample::select(vec!["", "github: {prebuilds: {main: true}}\n", "# end\n"]);
    (before, list, after, any::<bool>()).prop_map(|(before, list, after, open)| {
        let text = format!("{before}{list}{after}");
        if open {
            text.trim_end().to_owned()
        } else {
            text
        }
    })
}

fn wanted() -> impl Strategy<Value = Vec<PortEntry>> {
    let entry = (
        prop::sample::select(vec![3000, 4567, 5432, 6000, 8080]),
        prop::option::of(prop::sample::select(vec!["web", "a: b", "#x"])),
        prop::option::of(any::<bool>()),
    );
    prop::collection::vec(entry, 1..4).prop_map(|entries| {
        let mut seen = Vec::new();
        let mut wanted = Vec::new();
        for (port, name, public) in entries {
            if seen.contains(&port) {
                continue;
            }
            seen.push(port);
            wanted.push(PortEntry {
                port,
                name: name.map(str::to_owned),
                visibility: public.map(|public| match public {
                    true => Visibility::Public,
                    false => Visibility::Private,
                }),
                on_open: None,
            });
        }
        wanted
    })
}

fn packages(text: &str) -> Vec<String> {
    Requirements::parse(text)
        .entries
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}

fn flask_service(code: &str, packages: &str) -> Service {
    let file = |name: &str, text: &str| instrument::SourceFile {
        path: Path::new("/p").join(name),
        text: text.to_owned(),
    };
    Service {
        name: "a".to_owned(),
        base: "/p".into(),
        python: vec![file("app.py", code)],
        packages: PackageList::Requirements {
            file: file("requirements.txt", packages),
            included: Vec::new(),
        },
        version: None,
        start: Start::InCode,
        frontend: Frontend::Untraced,
        addons: Vec::new(),
    }
}

proptest! {
    #[test]
    fn ports_mean_the_plan(before in gitpod(), wanted in wanted()) {
        let edit = ports::set(&before, &wanted);
        // A text that ends inside a block scalar may be refused.
        prop_assume!(edit.is_ok() || !before.ends_with("two"));
        prop_assert!(edit.is_ok(), "{before}\n{edit:#?}");
        let after = edit.unwrap().text;
        let none = Value::Mapping(Default::default());
        let old = Some(read(&before)).filter(|value| !value.is_null()).unwrap_or(none);
        let new = read(&after);
        prop_assert_eq!(without(&old, "ports"), without(&new, "ports"));
        let list = |value: &Value| value.get("ports").and_then(Value::as_sequence).cloned().unwrap_or_default();
        for (was, is) in list(&old).iter().zip(&list(&new)) {
            prop_assert_eq!(without(was, "visibility"), without(is, "visibility"));
        }
        for entry in &wanted {
            let Some(asked) = entry.visibility else { continue };
            // Of two entries the first counts, and an exact one before a range.
            let exact = list(&new).into_iter().find(|one| one["port"].as_u64() == Some(entry.port.into()));
            if let Some(exact) = exact {
                let said = exact.get("visibility").and_then(Value::as_str).unwrap_or("private").to_owned();
                prop_assert_eq!(said, asked.as_str(), "{} in\n{}", entry.port, after);
            }
        }
        let lost = lost(&before, &after, &["ports", "visibility", "{"]);
        prop_assert!(lost.is_empty(), "{lost:?} lost from\n{before}");
        prop_assert_eq!(ports::set(&after, &wanted).unwrap().text, after);
    }

    #[test]
    fn additions_mean_the_plan(
        services in prop::collection::vec(prop::sample::select(vec![
            "  a:\n    image: x\n", "  a:\n    depends_on: [b]\n", "  a:\n    depends_on:\n      b: {condition: service_healthy}\n",
            "  a:\n    depends_on:\n", "  a: # c\n    build: .\n    command: |\n      x\n\n", "  a:\n    depends_on:\n    - b\n    - c # d\n",
        ]), 1..2),
        rest in prop::sample::select(vec!["", "volumes:\n  v:\n", "# end\n", "\nx-y: {z: 1}\n"]),
        open in any::<bool>(),
    ) {
        let text = format!("services:\n{}  b: {{image: y}}\n{rest}", services.concat());
        let before = if open { text.trim_end().to_owned() } else { text };
        let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let wanted = [
            additions::Addition::Entry { path: path(&["services"]), key: "n".into(), body: "image: n\nports:\n  - \"1:1\"\n".into() },
            additions::Addition::Item {
                path: path(&["services", "a", "depends_on"]),
                item: "n".into(),
                entry: ("n".into(), "{condition: service_started}".into()),
            },
        ];
        let edit = add(&before, &wanted);
        prop_assert!(edit.is_ok(), "{before}\n{edit:#?}");
        let after = edit.unwrap().text;
        let (old, new) = (read(&before), read(&after));
        prop_assert_eq!(without(&old, "services"), without(&new, "services"));
        prop_assert_eq!(&new["services"]["n"], &read("image: n\nports: ['1:1']\n"));
        prop_assert_eq!(&old["services"]["b"], &new["services"]["b"]);
        let (was, is) = (&old["services"]["a"], &new["services"]["a"]);
        prop_assert_eq!(without(was, "depends_on"), without(is, "depends_on"));
        let names = |value: &Value| -> Vec<String> {
            match value.get("depends_on") {
                Some(Value::Sequence(items)) => items.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
                Some(Value::Mapping(entries)) => entries.keys().map(|one| one.as_str().unwrap().to_owned()).collect(),
                _ => Vec::new(),
            }
        };
        let mut planned = names(was);
        planned.push("n".to_owned());
        prop_assert_eq!(planned, names(is));
        let lost = lost(&before, &after, &["depends_on"]);
        prop_assert!(lost.is_empty(), "{lost:?} lost from\n{before}");
        prop_assert_eq!(add(&after, &wanted).unwrap().text, after);
    }

    #[test]
    fn requirements_mean_the_plan(before in text(vec![
        "flask\n", "Flask_Cors==3.0 # c\n", "# only a comment\n", "\n", "requests>=2 ; python_version > \"3\"\n", "-r more.txt\n",
        "--index-url https://example.invalid/simple\n", "psycopg[binary] \\\n    ~=3.1\n", "pip install boto3 rollbar\n", "-e .\n",
    ], 8)) {
        let wanted = [("opentelemetry-api", None), ("opentelemetry-sdk", Some("1.2"))];
        let added: Vec<_> = wanted
            .map(|(name, version)| requirements::Addition { name: name.into(), version: version.map(str::to_owned) })
            .into();
        let after = requirements::extend(&before, &added);
        prop_assert!(after.is_ok(), "{before}");
        let after = after.unwrap();
        let mut planned = packages(&before);
        let pasted = Requirements::parse(&before).pasted;
        planned.extend(pasted.iter().flat_map(|one| one.requirements.clone()));
        planned.extend(wanted.map(|(name, _)| name.to_owned()));
        let mut is = packages(&after);
        planned.sort();
        is.sort();
        prop_assert_eq!(planned, is);
        let lost = lost(&before, &after, &["pip install"]);
        prop_assert!(lost.is_empty(), "{lost:?} lost from\n{before}");
        prop_assert_eq!(requirements::extend(&after, &[]).unwrap(), after);
    }

    #[test]
    fn python_means_the_plan(
        head in prop::sample::select(vec!["", "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n", "\"\"\"doc\nmore\"\"\"\n", "from __future__ import annotations\n"]),
        import in prop::sample::select(vec!["from flask import Flask\n", "from flask import Flask, request # c\n", "import flask\n", "from flask import (\n    Flask,\n    jsonify,\n)\n", "import flask as f\n"]),
        between in text(vec!["import os\n", "x = '''\nfrom flask import Flask\n'''\n", "\n", "def f():\n    return {\n  'a': 1,\n    }\n", "if True:\n    y = 1\n", "# app = Flask(__name__)\n"], 5),
        app in prop::sample::select(vec!["app = NAME(__name__)\n", "app: object = NAME(__name__)\n", "app = NAME(\n    __name__,\n    static_folder=None,\n)\n", "app = NAME(__name__); z = 1\n"]),
        rest in text(vec!["@app.route(\"/\")\ndef home():\n    return 'x'\n", "\n\n", "if __name__ == '__main__':\n    app.run()\n"], 4),
    ) {
        let class = match import {
            "import flask\n" => "flask.Flask",
            "import flask as f\n" => "f.Flask",
            _ => "Flask",
        };
        let before = format!("{head}{import}{}\n{}{}", between.replace("\r\n", "\n"), app.replace("NAME", class), rest.replace("\r\n", "\n"));
        let first = instrument::plan(&flask_service(&before, "flask\n"), Mistakes::Say);
        prop_assert!(first.is_ok(), "{before}\n{first:#?}");
        let after = |name: &str, old: &str| {
            let changes = first.as_ref().unwrap().changes.iter();
            let change = changes.filter(|one| one.path.ends_with(name)).find_map(|one| one.after.clone());
            change.unwrap_or_else(|| old.into())
        };
        let (code, list) = (after("app.py", &before), after("requirements.txt", "flask\n"));
        prop_assert!(Source::parse(&code).is_ok());
        prop_assert!(code.contains("instrument_app(app)"), "{code}");
        let lost = lost(&before, &code, &[]);
        prop_assert!(lost.is_empty(), "{lost:?} lost from\n{before}");
        let second = instrument::plan(&flask_service(&code, &list), Mistakes::Say).unwrap();
        prop_assert!(second.changes.is_empty(), "{:#?}", second.changes);
    }

    #[test]
    fn undo_after_apply_is_as_if_nothing_had_been(files in prop::collection::vec(file(), 1..6)) {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        let mut plan = Plan::default();
        for (at, file) in files.iter().enumerate() {
            let path = project.join(format!("f{}/{at}.txt", at % 2));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(text) = &file.before {
                std::fs::write(&path, text).unwrap();
                mode(&path, file.mode);
            }
            let text = |text: &Option<String>| text.as_deref().map(Into::into);
            plan.change(Change { path, before: text(&file.before), after: text(&file.after), writing: file.writing });
        }
        let before = tree(&project);
        let journal = Journal::open(&folder.path().join("state"), &project, &Boundary::new(&project), &Redactor::default());
        journal.apply(&plan, "test").unwrap();
        for change in &plan.changes {
            let now = std::fs::read_to_string(&change.path).ok();
            prop_assert_eq!(now.as_deref(), change.after.as_deref());
        }
        if let Some(entry) = journal.last().unwrap() {
            let back = journal.settle(&entry, Direction::Back).unwrap();
            journal.settled(&entry, &back, Direction::Back).unwrap();
        }
        prop_assert_eq!(tree(&project), before);
        prop_assert!(journal.last().unwrap().is_none());
    }
}

#[derive(Debug, Clone)]
struct File {
    before: Option<String>,
    after: Option<String>,
    writing: Writing,
    mode: u32,
}

fn file() -> impl Strategy<Value = File> {
    let text = || {
        prop::option::of(
            prop::collection::vec(
                prop::sample::select(vec![
                    "a\n",
                    "b\r\n",
                    "é",
                    "\u{feff}",
                    "same\n",
                    "\n",
                    "long ".repeat(999).leak(),
                ]),
                0..9,
            )
            .prop_map(|parts| parts.concat()),
        )
    };
    let writing = prop::sample::select(vec![Writing::Replace, Writing::InPlace]);
    let mode = prop::sample::select(vec![0o644, 0o600, 0o755, 0o664]);
    // No command takes a file of the user's away.
    (text(), text(), writing, mode).prop_map(|(before, after, writing, mode)| File {
        after: after.or_else(|| before.clone()),
        before,
        writing,
        mode,
    })
}

#[cfg(unix)]
fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn mode(_: &Path, _: u32) {}

/// Every file below a folder: its bytes and its mode.
fn tree(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, String)> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(open) = folders.pop() {
        for entry in std::fs::read_dir(open).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let permissions = format!("{:?}", path.metadata().unwrap().permissions());
            files.insert(path.clone(), (std::fs::read(&path).unwrap(), permissions));
        }
    }
    files
}
