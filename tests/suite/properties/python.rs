//! `requirements.txt` and `app.py` of a Flask service.

use cruddur_ops::edit::python::source::PythonSource;
use cruddur_ops::edit::requirements::{self, Requirements};
use cruddur_ops::plan::instrument::{self, MistakePolicy, PythonService};
use proptest::prelude::*;

use super::{lost, text};

fn packages(text: &str) -> Vec<String> {
    Requirements::parse(text).entries.into_iter().map(|entry| entry.name).collect()
}

fn flask_service(code: &str, packages: &str) -> PythonService {
    crate::python::service(&[("app.py".to_owned(), code.to_owned())], packages, &[])
}

proptest! {
    #[test]
    fn requirements_mean_the_plan(before in text(vec![
        "flask\n", "Flask_Cors==3.0 # c\n", "# only a comment\n", "\n", "requests>=2 ; python_version > \"3\"\n", "-r more.txt\n",
        "--index-url https://example.invalid/simple\n", "psycopg[binary] \\\n    ~=3.1\n", "pip install boto3 rollbar\n", "-e .\n",
    ], 8)) {
        let wanted = [("opentelemetry-api", None), ("opentelemetry-sdk", Some("1.2"))];
        let added: Vec<_> = wanted
            .map(|(name, version)| requirements::PackageAddition { name: name.into(), version: version.map(str::to_owned) })
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
        prop_assert_eq!(lost(&before, &after, &["pip install"]), None, "lost from\n{}", before);
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
        let first = instrument::plan_instrumentation(&flask_service(&before, "flask\n"), MistakePolicy::Say);
        prop_assert!(first.is_ok(), "{before}\n{first:#?}");
        let after = |name: &str, old: &str| {
            let changes = first.as_ref().unwrap().changes.iter();
            let change = changes.filter(|one| one.path.ends_with(name)).find_map(|one| one.after.clone());
            change.unwrap_or_else(|| old.into())
        };
        let (code, list) = (after("app.py", &before), after("requirements.txt", "flask\n"));
        prop_assert!(PythonSource::parse(&code).is_ok());
        prop_assert!(code.contains("instrument_app(app)"), "{code}");
        prop_assert_eq!(lost(&before, &code, &[]), None, "lost from\n{}", before);
        let second = instrument::plan_instrumentation(&flask_service(&code, &list), MistakePolicy::Say).unwrap();
        prop_assert!(second.changes.is_empty(), "{:#?}", second.changes);
    }
}
