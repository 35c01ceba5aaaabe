//! Finds applications that their module alone does not show: of classes from other modules, served by the start
//! command, or returned without a name.

use super::PythonService;
use super::entry::StartEntry;
use super::graph::ImportGraph;
use super::modules::{PythonModule, is_hooked};
use crate::edit::patch::{self, TextPatch};
use crate::edit::python::flask::{AppBinding, AppClass, FlaskNames};
use crate::edit::python::insert;
use crate::edit::python::source::PythonSource;

/// The deepest inheritance between modules that is followed.
const MAX_INHERITANCE: usize = 4;

/// Parses again the modules that create applications of classes from other modules or, if there are none, the served
/// objects.
pub(super) fn resolve_applications(
    service: &PythonService,
    texts: &[&str],
    modules: &mut [PythonModule],
) {
    for _ in 0..MAX_INHERITANCE {
        let class = |module: &PythonModule| {
            let stem = module.stem.clone();
            let classes = module.flask_classes.iter();
            classes
                .map(|class| AppClass { name: format!("{stem}.{}", class.name), ..class.clone() })
                .collect::<Vec<_>>()
        };
        let classes: Vec<AppClass> = modules.iter().flat_map(class).collect();
        let mut changed = false;
        for (module, text) in modules.iter_mut().zip(texts) {
            let named = |class: &&AppClass| {
                class.name.rsplit('.').next().is_some_and(|name| text.contains(name))
            };
            let classes: Vec<AppClass> = classes.iter().filter(named).cloned().collect();
            if classes.is_empty() || classes == module.flask.classes {
                continue;
            }
            changed = true;
            read_again(module, text, FlaskNames { classes, ..FlaskNames::default() });
        }
        if !changed {
            break;
        }
    }
    if modules.iter().any(|module| !module.apps.is_empty()) {
        return;
    }
    for object in &service.served {
        let graph = ImportGraph::new(modules.iter(), &service.roots);
        let found = match &object.module {
            StartEntry::File(name) => graph.file(name),
            StartEntry::Module(name) => graph.named(name).last().copied(),
        };
        let Some(index) = found else { continue };
        let classes = modules[index].flask.classes.clone();
        let served = vec![object.name.clone()];
        read_again(&mut modules[index], texts[index], FlaskNames { classes, served });
        if !modules[index].apps.is_empty() {
            return;
        }
    }
}

fn read_again(module: &mut PythonModule, text: &str, flask: FlaskNames) {
    if let Ok(read) = PythonModule::read_with(&module.path, text, &flask) {
        *module = read;
    }
}

/// Returns the text with a name added to each application that is only returned; `None` if none needs one.
pub(super) fn name_returned(text: &str, modules: &[PythonModule], index: usize) -> Option<String> {
    let module = &modules[index];
    let source = PythonSource::parse(text).ok()?;
    let mut patches: Vec<TextPatch> = Vec::new();
    for app in module.apps.iter().filter(|app| app.target == AppBinding::Returned) {
        let name = free_name(&text[app.top.clone()]);
        let keyword = app.statement.start..app.statement.start + "return".len();
        patches.push(TextPatch { range: keyword, text: format!("{name} =") });
        let spot = insert::after(&source, &app.statement);
        patches.push(insert::insert_blocks(&source, &spot, &[&format!("return {name}")]));
    }
    let after = patch::apply(text, &patches).filter(|_| !patches.is_empty())?;
    let named = PythonModule::read_with(&module.path, &after, &module.flask).ok()?;
    let mut whole: Vec<&PythonModule> = modules.iter().collect();
    whole[index] = &named;
    let is_traced = |at: usize| is_hooked(&whole, index, &named.apps[at]);
    let returned =
        module.apps.iter().enumerate().filter(|(_, app)| app.target == AppBinding::Returned);
    let callees = |module: &PythonModule| {
        module.calls.iter().map(|call| call.callee.clone()).collect::<Vec<_>>()
    };
    let is_same = named.apps.len() == module.apps.len() && callees(&named) == callees(module);
    (is_same && returned.into_iter().any(|(at, _)| !is_traced(at))).then_some(after)
}

/// Returns a name that the enclosing statement does not use.
fn free_name(statement: &str) -> &'static str {
    let words: Vec<&str> = statement.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut names = ["app", "flask_app", "application"].into_iter();
    names.find(|name| !words.contains(name)).unwrap_or("created_app")
}
