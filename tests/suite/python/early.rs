//! Instrumentations of libraries are called before the first import that may open a connection.

use std::path::Path;

use cruddur_ops::plan::Plan;
use cruddur_ops::plan::instrument::entry::StartEntry;
use cruddur_ops::plan::instrument::{Addon, MistakePolicy, plan_instrumentation};

const DB: (&str, &str) =
    ("lib/db.py", "from psycopg_pool import ConnectionPool\npool = ConnectionPool('')\n");

type Files<'f> = [(&'f str, &'f str)];

fn planned(files: &Files, requirements: &str, entry: &str, mistakes: MistakePolicy) -> Plan {
    let python: Vec<(String, String)> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let mut service = super::service(&python, requirements, &[]);
    service.entries = match entry {
        "" => Vec::new(),
        module => vec![StartEntry::Module(module.to_owned())],
    };
    plan_instrumentation(&service, mistakes).unwrap()
}

fn after(plan: &Plan, path: &str) -> Option<String> {
    let path = Path::new("/s").join(path);
    let change = plan.changes.iter().find(|change| change.path == path)?;
    change.after.as_deref().map(str::to_owned)
}

/// Returns the lines of a text that contain one of these words, in order.
fn order<'t>(text: &'t str, words: &[&str]) -> Vec<&'t str> {
    text.lines()
        .filter(|line| words.iter().any(|word| line.contains(word)))
        .map(str::trim)
        .collect()
}

#[test]
fn they_follow_required_lines_and_precede_the_projects_modules() {
    let app = "#!/usr/bin/env python\n\"\"\"Docs.\"\"\"\nfrom __future__ import annotations\nfrom gevent import monkey\n\nmonkey.patch_all()\n\
               from flask import Flask\nif True:\n    from lib.db import pool\napp = Flask(__name__)\n";
    let plan = planned(&[("app.py", app), DB], "flask\npsycopg-pool\n", "", MistakePolicy::Say);
    let text = after(&plan, "app.py").unwrap();
    let words = [
        "Docs",
        "__future__",
        "patch_all",
        "().instrument()",
        "if True",
        "set_tracer_provider(",
        "Flask(_",
    ];
    assert_eq!(
        order(&text, &words),
        [
            "\"\"\"Docs.\"\"\"",
            "from __future__ import annotations",
            "monkey.patch_all()",
            "RequestsInstrumentor().instrument()",
            "PsycopgInstrumentor().instrument()",
            "if True:",
            "trace.set_tracer_provider(provider)",
            "app = Flask(__name__)",
        ],
        "{text}"
    );
    let second = [("app.py", text.as_str()), DB];
    let requirements = after(&plan, "requirements.txt").unwrap();
    assert!(planned(&second, &requirements, "", MistakePolicy::Say).is_empty());
}

#[test]
fn they_are_in_the_module_that_runs_first() {
    let app = (
        "api/server.py",
        "from flask import Flask\ndef make():\n    app = Flask(__name__)\n    return app\n",
    );
    let wsgi = ("api/wsgi.py", "from lib.db import pool\nfrom .server import make\napp = make()\n");
    let files = [app, wsgi, DB];
    let plan = planned(&files, "flask\npsycopg\n", "api.wsgi", MistakePolicy::Say);
    let text = after(&plan, "api/wsgi.py").unwrap();
    let words = ["PsycopgInstrumentor()", "import pool"];
    assert_eq!(
        order(&text, &words),
        ["PsycopgInstrumentor().instrument()", "from lib.db import pool"]
    );
    let made = after(&plan, "api/server.py").unwrap();
    assert!(!made.contains("Psycopg"), "{made}");
    let second = [(app.0, made.as_str()), (wsgi.0, text.as_str()), DB];
    let requirements = after(&plan, "requirements.txt").unwrap();
    assert!(planned(&second, &requirements, "api.wsgi", MistakePolicy::Say).is_empty());

    let package = [
        ("shop/__init__.py", "from lib import db\n"),
        ("shop/app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        DB,
    ];
    let plan = planned(&package, "flask\npsycopg\n", "", MistakePolicy::Say);
    let text = after(&plan, "shop/__init__.py").unwrap();
    assert_eq!(order(&text, &["psycopg", "lib"]).last(), Some(&"from lib import db"), "{text}");
}

#[test]
fn a_set_up_of_the_users_own_stays_and_lacks_nothing() {
    let app = "from flask import Flask\nfrom lib.db import pool\nfrom opentelemetry import trace\n\
               from opentelemetry.instrumentation.flask import FlaskInstrumentor\nfrom opentelemetry.instrumentation.requests import RequestsInstrumentor\n\
               from opentelemetry.sdk.trace import TracerProvider\ntrace.set_tracer_provider(TracerProvider())\n\
               app = Flask(__name__)\nFlaskInstrumentor().instrument_app(app)\nRequestsInstrumentor().instrument()\n";
    let plan = planned(&[("app.py", app), DB], "flask\npsycopg\n", "", MistakePolicy::Say);
    let text = after(&plan, "app.py").unwrap();
    let words = ["PsycopgInstrumentor()", "import pool", "RequestsInstrumentor()"];
    assert_eq!(
        order(&text, &words),
        [
            "PsycopgInstrumentor().instrument()",
            "from lib.db import pool",
            "RequestsInstrumentor().instrument()"
        ]
    );
}

#[test]
fn late_calls_are_reported_and_moved_on_request() {
    for (library, line, db) in [
        ("psycopg", "PsycopgInstrumentor().instrument(enable_commenter=True)", "import psycopg\n"),
        ("psycopg2", "Psycopg2Instrumentor().instrument()", "from psycopg2 import pool\n"),
        ("pymongo", "PymongoInstrumentor().instrument()", "from pymongo import MongoClient\n"),
    ] {
        let class = line.split('(').next().unwrap();
        let import = format!("from opentelemetry.instrumentation.{library} import {class}");
        let app = format!(
            "from flask import Flask\nimport store\n{import}\n\napp = Flask(__name__)\n{line}\n\n@app.route('/')\ndef home():\n    return 'x'\n"
        );
        let files = [("app.py", app.as_str()), ("store.py", db)];
        let requirements = format!("flask\n{library}\nopentelemetry-instrumentation-{library}\n");
        let said = planned(&files, &requirements, "", MistakePolicy::Say);
        let late = said.notes.iter().filter(|note| note.text.contains(class));
        assert_eq!(late.filter(|note| note.hint.is_some()).count(), 1, "{:?}", said.notes);
        assert_eq!(after(&said, "app.py").unwrap().matches(line).count(), 1);
        let fixed =
            after(&planned(&files, &requirements, "", MistakePolicy::Fix), "app.py").unwrap();
        assert_eq!(
            order(&fixed, &[class, "store"]),
            [import.as_str(), line, "import store"],
            "{fixed}"
        );
        let again = [("app.py", fixed.as_str()), ("store.py", db)];
        let notes = planned(&again, &requirements, "", MistakePolicy::Say).notes;
        assert!(notes.iter().all(|note| !note.text.contains(class)), "{notes:?}");
    }
}

#[test]
fn what_is_in_time_or_cannot_be_late_is_not_said() {
    let late = |app: &str, other: &str| {
        let app = format!("{app}from flask import Flask\napp = Flask(__name__)\n");
        let files = [("app.py", app.as_str()), ("store.py", other)];
        let plan = planned(&files, "flask\nredis\npsycopg\n", "", MistakePolicy::Say);
        plan.notes.iter().filter(|note| note.text.contains("runs after")).count()
    };
    let redis = "from opentelemetry.instrumentation.redis import RedisInstrumentor\nimport store\nRedisInstrumentor().instrument()\n";
    assert_eq!(late(redis, "import redis\n"), 0);
    let psycopg = "from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor\nimport store\nPsycopgInstrumentor().instrument()\n";
    assert_eq!(late(psycopg, "X = 1\n"), 0);
    assert_eq!(late(psycopg, "def connect():\n    import psycopg\n"), 0);
    assert_eq!(late(psycopg, "import psycopg\n"), 1);
}

/// Returns the instrumentations that are added to a list of packages.
fn added(requirements: &str, addons: &[Addon]) -> (String, Vec<String>) {
    let app =
        [("app.py".to_owned(), "from flask import Flask\napp = Flask(__name__)\n".to_owned())];
    let plan =
        plan_instrumentation(&super::service(&app, requirements, addons), MistakePolicy::Say)
            .unwrap();
    let notes = plan.notes.iter().map(|note| note.text.clone()).collect();
    (after(&plan, "requirements.txt").unwrap() + &after(&plan, "app.py").unwrap(), notes)
}

#[test]
fn botocore_is_left_out_beside_the_sdk_that_asks_by_it() {
    for (requirements, addons, traced) in [
        ("flask\nboto3\n", &[][..], true),
        ("flask\nboto3\naws-xray-sdk\n", &[], false),
        ("flask\nbotocore\n", &[Addon::Xray], false),
        ("flask\nboto3\nAWS_XRAY_SDK==2.12\nopentelemetry-instrumentation-botocore\n", &[], false),
    ] {
        let (text, notes) = added(requirements, addons);
        assert_eq!(text.contains("BotocoreInstrumentor"), traced, "{requirements}: {text}");
        let said = notes.iter().filter(|note| note.contains("botocore")).count();
        assert_eq!(said, usize::from(!traced), "{notes:?}");
    }
}

#[test]
fn a_release_that_its_instrumentation_refuses_is_said() {
    for (list, said) in [
        ("sqlalchemy", 1),
        ("Flask-SQLAlchemy==3.1.1", 1),
        ("SQLAlchemy==2.1.3", 1),
        ("sqlalchemy==2.0.41", 0),
        ("sqlalchemy<2.1", 0),
    ] {
        let (_, notes) = added(&format!("flask\n{list}\n"), &[]);
        assert_eq!(
            notes.iter().filter(|note| note.contains("2.1")).count(),
            said,
            "{list}: {notes:?}"
        );
    }
}
