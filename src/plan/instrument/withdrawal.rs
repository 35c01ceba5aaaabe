//! Removes the blocks and packages that tracing added to a Python service.
//!
//! A block is removed if it has its marker and a new run would write exactly its lines; a package, if nothing imports
//! it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::catalogue::python_catalogue;
use super::modules::is_test;
use super::packages;
use super::{
    MistakePolicy, PackageList, PythonService, PythonSourceFile, TracingStart,
    display_service_path, lists,
};
use crate::edit::patch::{self, TextPatch};
use crate::edit::python::source::{PythonSource, walk_preorder};
use crate::edit::requirements::{RequirementEntry, Requirements};
use crate::error::Result;
use crate::plan::{FileChange, Note, Plan, WriteMethod};
use crate::provider::Addon;

/// The end of a block's first line.
const MARKER_END: &str = " ---------";

/// The templates whose first line marks a block.
const TEMPLATES: [&str; 7] = [
    include_str!("../../../templates/python/provider.py"),
    include_str!("../../../templates/python/libraries.py"),
    include_str!("../../../templates/python/hooks.py"),
    include_str!("../../../templates/python/xray.py"),
    include_str!("../../../templates/python/xray_hooks.py"),
    include_str!("../../../templates/python/rollbar.py"),
    include_str!("../../../templates/python/rollbar_hooks.py"),
];

/// Plans what makes a service untraced again.
///
/// # Errors
/// As [`super::plan_instrumentation`].
pub(crate) fn plan(service: &PythonService) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut bare = service.clone();
    bare.addons = list_addons(service);
    for file in bare.python.iter_mut().filter(|file| !is_test(&file.path)) {
        file.text = without(&file.text, &find_blocks(&file.text));
    }
    let again = super::plan_instrumentation(&bare, MistakePolicy::Say)?;
    let mut notes = Vec::new();
    for (file, bare) in service.python.iter().zip(&bare.python) {
        let mut text_after = file.text.clone();
        if bare.text != file.text {
            let planned = again
                .changes
                .iter()
                .find(|change| change.path == file.path)
                .and_then(|change| change.after.as_deref());
            match take_blocks(file, &bare.text, planned.unwrap_or_default()) {
                Ok(text) => text_after = text,
                Err(reason) => {
                    let name = display_service_path(service, &file.path);
                    plan.notes.push(Note::warning(format!("{name} is not changed: {reason}")));
                }
            }
        }
        plan.change(FileChange {
            path: file.path.clone(),
            before: Some(file.text.as_str().into()),
            after: Some(text_after.as_str().into()),
            writing: WriteMethod::Replace,
        });
        notes.push(text_after);
    }
    if service.start == TracingStart::InCode {
        take_packages(&bare, &notes, &mut plan)?;
    }
    Ok(plan)
}

/// Returns the addons whose blocks are in the service's files.
pub(crate) fn list_addons(service: &PythonService) -> Vec<Addon> {
    let has = |addon: &Addon| {
        let marker = format!("# {}: imports{MARKER_END}", addon.title());
        service.python.iter().any(|file| file.text.contains(&marker))
    };
    Addon::ALL.into_iter().filter(has).collect()
}

/// Returns the file's text without its blocks, keeping imports that other code uses; or why the blocks stay.
fn take_blocks(file: &PythonSourceFile, bare: &str, planned: &str) -> Result<String, &'static str> {
    let blocks = find_blocks(&file.text);
    let planned: BTreeSet<String> =
        find_blocks(planned).into_iter().flat_map(|block| trim_lines(&planned[block])).collect();
    let known = list_library_lines();
    let mut block_lines = blocks.iter().flat_map(|block| trim_lines(&file.text[block.clone()]));
    if !block_lines.all(|line| planned.contains(&line) || known.contains(&line)) {
        return Err("its tracing code is not what `cruddur-ops instrument` writes");
    }
    let source =
        PythonSource::parse(bare).map_err(|_| "without its tracing code it is not valid Python")?;
    let used: BTreeSet<&str> = walk_preorder(source.root())
        .filter(|node| node.kind() == "identifier")
        .map(|node| source.of(node))
        .collect();
    let mut imports_in_use = Vec::new();
    for block in &blocks {
        let mut lines = file.text[block.clone()].lines().map(str::trim).skip(1);
        let bound: Vec<(&str, &str)> = lines
            .by_ref()
            .filter_map(|line| Some((line, bound_name(line)?)))
            .filter(|(_, name)| used.contains(name))
            .collect();
        if bound.iter().any(|(line, _)| !line.contains("import ")) {
            return Err("other code uses names of its tracing code");
        }
        imports_in_use.push(bound.into_iter().map(|(line, _)| line.to_owned()).collect::<Vec<_>>());
    }
    if imports_in_use.iter().all(Vec::is_empty) {
        return Ok(bare.to_owned());
    }
    let patches: Vec<TextPatch> = blocks
        .iter()
        .zip(&imports_in_use)
        .map(|(block, imports)| {
            if imports.is_empty() {
                TextPatch::replace(with_blank_line(&file.text, block), "")
            } else {
                let text = &file.text[block.clone()];
                let mut lines = text.split_inclusive('\n').enumerate();
                let stays = |(at, line): &(usize, &str)| {
                    *at == 0 || imports.iter().any(|import| import == line.trim())
                };
                let lines: String = lines.by_ref().filter(stays).map(|(_, line)| line).collect();
                TextPatch::replace(block.clone(), lines)
            }
        })
        .collect();
    patch::apply(&file.text, &patches).ok_or("the parts of its tracing code overlap")
}

/// Returns the name that a line of a block binds.
fn bound_name(line: &str) -> Option<&str> {
    if let Some((_, names)) = line.split_once("import ") {
        return names.rsplit(' ').next();
    }
    let (name, _) = line.split_once(" = ")?;
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(name)
}

fn trim_lines(block: &str) -> Vec<String> {
    block.lines().map(|line| line.trim().to_owned()).collect()
}

/// Returns the lines for every known library, because the service may no longer use one that it used when the block
/// was written.
fn list_library_lines() -> BTreeSet<String> {
    let libraries = python_catalogue().libraries.iter();
    let lines = libraries.flat_map(|library| {
        let (module, class) = (&library.module, &library.class);
        [format!("from {module} import {class}"), format!("{class}().instrument()")]
    });
    lines.collect()
}

/// Returns the lines of each block, from its marker to the next blank line.
fn find_blocks(text: &str) -> Vec<Range<usize>> {
    let is_marker = |line: &str| {
        let line = line.trim();
        line.ends_with(MARKER_END)
            && (TEMPLATES.iter().any(|template| template.lines().any(|first| first == line))
                || ["OpenTelemetry", Addon::Xray.title(), Addon::Rollbar.title()]
                    .iter()
                    .any(|title| *line == format!("# {title}: imports{MARKER_END}")))
    };
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let (mut at, mut is_open) = (0, false);
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        match blocks.last_mut() {
            _ if is_marker(line) => {
                blocks.push(at..next);
                is_open = true;
            }
            Some(block) if is_open && !line.trim().is_empty() => block.end = next,
            _ => is_open = false,
        }
        at = next;
    }
    blocks
}

fn without(text: &str, blocks: &[Range<usize>]) -> String {
    let patches: Vec<TextPatch> =
        blocks.iter().map(|block| TextPatch::replace(with_blank_line(text, block), "")).collect();
    patch::apply(text, &patches).unwrap_or_else(|| text.to_owned())
}

/// Returns a block together with one of the blank lines around it.
fn with_blank_line(text: &str, block: &Range<usize>) -> Range<usize> {
    let above = text[..block.start].split_inclusive('\n').next_back();
    let below = text[block.end..].split_inclusive('\n').next();
    match (above, below) {
        (Some(above), below)
            if above.trim().is_empty()
                && below.is_none_or(|next_line| next_line.trim().is_empty()) =>
        {
            block.start - above.len()..block.end
        }
        (None, Some(below)) if below.trim().is_empty() => block.start..block.end + below.len(),
        _ => block.clone(),
    }
}

/// Removes packages that nothing in `texts` imports from the lists that this program adds to.
fn take_packages(service: &PythonService, texts: &[String], plan: &mut Plan) -> Result<()> {
    let is_used = |name: &str| {
        let module = if name.starts_with("opentelemetry-") {
            "opentelemetry".to_owned()
        } else {
            name.replace('-', "_")
        };
        let is_part = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        texts.iter().any(|text| text.split(is_part).any(|word| word == module))
    };
    for list in &service.packages {
        match list {
            PackageList::Requirements { file, included, constraints, also_installed } => {
                let read = |file: &PythonSourceFile| Requirements::parse(&file.text).entries;
                let entries = read(file);
                let others: Vec<RequirementEntry> =
                    included.iter().flat_map(read).chain(also_installed.iter().cloned()).collect();
                let constraints: Vec<RequirementEntry> =
                    constraints.iter().flat_map(read).collect();
                let remaining: Vec<RequirementEntry> = entries
                    .iter()
                    .filter(|entry| !lists::is_named(entry) || is_used(&entry.name))
                    .cloned()
                    .collect();
                let request = lists::package_request(service);
                let added = packages::wanted(
                    python_catalogue(),
                    &remaining,
                    &others,
                    &constraints,
                    request,
                )?;
                let added: Vec<String> =
                    added.missing.iter().map(|addition| addition.line()).collect();
                let is_added =
                    |line: &&str| added.iter().any(|added_line| added_line == line.trim_end());
                let lines = file.text.split_inclusive('\n').filter(|line| !is_added(line));
                let after: String = lines.collect();
                plan.change(FileChange {
                    path: file.path.clone(),
                    before: Some(file.text.as_str().into()),
                    after: Some(after.into()),
                    writing: WriteMethod::Replace,
                });
            }
            PackageList::Pyproject { file, .. } => {
                let name = display_service_path(service, &file.path);
                if file.text.contains("opentelemetry-") {
                    let text = format!("{name} keeps its OpenTelemetry packages");
                    plan.notes.push(
                        Note::fact(text).hint("remove them by hand if nothing else needs them"),
                    );
                }
            }
            PackageList::Fixed(_) | PackageList::Missing => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "from flask import Flask\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    return ''\n";

    fn service(text: &str, requirements: &str) -> PythonService {
        let file =
            |path: &str, text: &str| PythonSourceFile { path: path.into(), text: text.to_owned() };
        PythonService {
            name: "api".to_owned(),
            base: "/p".into(),
            python: vec![file("/p/app.py", text)],
            packages: vec![PackageList::Requirements {
                file: file("/p/requirements.txt", requirements),
                included: Vec::new(),
                constraints: Vec::new(),
                also_installed: Vec::new(),
            }],
            addons: Addon::ALL.to_vec(),
            ..PythonService::default()
        }
    }

    /// Returns the texts of the file and the list after a plan.
    fn applied(plan: &Plan, text: &str, requirements: &str) -> (String, String) {
        let after = |path: &str, text: &str| {
            let change =
                plan.changes.iter().find(|change| change.path == std::path::Path::new(path));
            change.and_then(|change| change.after.as_deref()).unwrap_or(text).to_owned()
        };
        (after("/p/app.py", text), after("/p/requirements.txt", requirements))
    }

    fn traced(requirements: &str) -> (String, String) {
        let service = service(APP, requirements);
        applied(
            &super::super::plan_instrumentation(&service, MistakePolicy::Start).unwrap(),
            APP,
            requirements,
        )
    }

    #[test]
    fn added_lines_are_removed_and_other_edits_stay() {
        for requirements in ["flask\nredis\n", "flask==3.0.0\nredis==5.0.0\n"] {
            let (text, list) = traced(requirements);
            assert_ne!((text.as_str(), list.as_str()), (APP, requirements));
            let edited = text.replace("return ''", "return 'mine'");
            let list = format!("{list}celery\n");
            let plan = plan(&service(&edited, &list)).unwrap();
            let expected = APP.replace("return ''", "return 'mine'");
            assert_eq!(
                applied(&plan, &edited, &list),
                (expected, format!("{requirements}celery\n"))
            );
        }
    }

    #[test]
    fn imports_that_other_lines_use_stay_with_their_packages() {
        let (text, list) = traced("flask\n");
        let edited = text.replace("return ''", "return str(trace.get_current_span())");
        let plan = plan(&service(&edited, &list)).unwrap();
        let (after, packages) = applied(&plan, &edited, &list);
        assert!(after.contains("from opentelemetry import trace\n"), "{after}");
        assert!(!after.contains("TracerProvider"), "{after}");
        let ours = ["rollbar\n", "aws-xray-sdk\n", "blinker\n"];
        let left = ours.iter().fold(list, |list, package| list.replace(package, ""));
        assert_eq!(packages, left);
    }

    #[test]
    fn a_block_that_was_changed_keeps_the_file() {
        let (text, list) = traced("flask\n");
        for edited in [
            text.replace("provider = TracerProvider()", "provider = TracerProvider(sampler=s)"),
            text.replace("return ''", "return str(provider)"),
            text.replace("# OpenTelemetry: a span", "# a span"),
        ] {
            let plan = plan(&service(&edited, &list)).unwrap();
            assert_eq!(applied(&plan, &edited, &list).0, edited);
            assert!(!plan.notes.is_empty());
        }
    }
}
