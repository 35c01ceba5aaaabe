//! Names instrumented libraries of which no span came.

use crate::otlp::{Rung, ServiceVerdict};
use crate::plan::instrument::catalogue::{InstrumentedLibrary, python_catalogue};
use crate::plan::instrument::graph::ImportGraph;
use crate::plan::instrument::late::is_late;
use crate::plan::instrument::modules::{PythonModule, is_test};
use crate::session::code;
use crate::session::context::ProjectContext;

/// Adds to the rung that saw the spans which libraries were missing.
pub(super) fn name_unseen(context: &ProjectContext, verdict: &mut ServiceVerdict) {
    let Some(seen) = verdict.libraries.clone() else {
        return;
    };
    let names = std::slice::from_ref(&verdict.service);
    let Ok(found) = code::find_flask_services(&context.project, names, &[]) else {
        return;
    };
    let Some(check) = verdict.checks.iter_mut().find(|check| check.rung == Rung::Queryable) else {
        return;
    };
    for service in &found {
        let files = service.python.iter().filter(|file| !is_test(&file.path));
        let modules: Vec<PythonModule> =
            files.filter_map(|file| PythonModule::read(&file.path, &file.text).ok()).collect();
        let graph = ImportGraph::new(&modules, &service.roots);
        for library in unseen_libraries(&modules, &seen) {
            let late = (0..modules.len()).any(|index| is_late(&graph, index, library));
            let name = &library.imports[0];
            if late {
                check.evidence += &format!(
                    "; {name} is instrumented, and no span of it came: {} runs after a module that may connect",
                    library.class
                );
                check.hint = Some("`cruddur-ops instrument --fix` moves it".to_owned());
                check.status = check.status.warned();
            } else {
                check.evidence += &format!("; no span of {name} came: this request may not use it");
            }
        }
    }
}

/// Returns the libraries that these modules import and instrument, without those whose spans were seen.
fn unseen_libraries<'m>(
    modules: &'m [PythonModule],
    seen: &'m [String],
) -> impl Iterator<Item = &'static InstrumentedLibrary> + 'm {
    python_catalogue().libraries.iter().filter(move |library| {
        let instrumented =
            modules.iter().any(|module| module.telemetry.instrumentors.contains(&library.class));
        let mut imports = modules.iter().flat_map(|module| &module.imports);
        instrumented
            && imports.any(|import| library.owns(&import.path))
            && !seen.iter().any(|scope| {
                let rest = scope.strip_prefix(library.module.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
    })
}
