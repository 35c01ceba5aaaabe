//! An instrumented Flask service: it is still Python, has every line it had, and a second run changes nothing.

#![no_main]

use std::path::PathBuf;

use cruddur_ops::edit::python::source::PythonSource;
use cruddur_ops::plan::instrument::{
    MistakePolicy, PackageList, PythonService, PythonSourceFile, plan_instrumentation,
};
use cruddur_ops_fuzz::lost;
use libfuzzer_sys::fuzz_target;

fn service(code: &str, packages: &str) -> PythonService {
    let file = |name: &str, text: &str| PythonSourceFile {
        path: PathBuf::from("/p").join(name),
        text: text.to_owned(),
    };
    PythonService {
        name: "a".to_owned(),
        base: "/p".into(),
        python: vec![file("app.py", code)],
        packages: vec![PackageList::Requirements {
            file: file("requirements.txt", packages),
            included: Vec::new(),
            constraints: Vec::new(),
            also_installed: Vec::new(),
        }],
        ..PythonService::default()
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(before) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(first) = plan_instrumentation(&service(before, "flask\n"), MistakePolicy::Say) else {
        return;
    };
    let (mut code, mut packages) = (before.to_owned(), "flask\n".to_owned());
    for change in first.changes {
        let after = change.after.expect("nothing is removed");
        match change.path.ends_with("app.py") {
            true => code = after.to_string(),
            false => packages = after.to_string(),
        }
    }
    if code != before {
        assert!(PythonSource::parse(&code).is_ok());
        assert_eq!(lost(before, &code, |_| true), None, "is lost: {code:?}");
    }
    let second = plan_instrumentation(&service(&code, &packages), MistakePolicy::Say)
        .expect("a second run refuses");
    assert!(second.changes.is_empty(), "{:#?}", second.changes);
});
