//! `instrument span`: turns the arguments into a request.

use std::path::PathBuf;

use crate::cli::SpanArgs;
use crate::error::{Error, ErrorCode, Result};
use crate::plan::instrument::span::{self, SpanAttributeRequest, SpanRequest};
use crate::plan::instrument::{self, MistakePolicy, PythonSourceFile};
use crate::plan::{Note, Plan};
use crate::session::code;
use crate::session::context::ProjectContext;

/// Plans the requested span.
///
/// # Errors
/// `usage` for an unreadable argument, `no-such-file`, and whatever keeps the span from being inserted.
pub(super) fn plan(args: &SpanArgs, context: &ProjectContext) -> Result<Plan> {
    let (file, function) = args
        .target
        .rsplit_once(':')
        .filter(|(file, function)| !file.is_empty() && !function.is_empty())
        .ok_or_else(|| {
            Error::new(ErrorCode::Usage, format!("`{}` is not FILE:FUNCTION", args.target))
                .hint("`backend-flask/services/home_activities.py:HomeActivities.run`")
        })?;
    let source = find_source_file(context, file)?;
    let attributes = args.attributes.iter().map(|text| parse_attribute(text));
    let request = SpanRequest {
        function: function.to_owned(),
        name: args.name.clone(),
        attributes: attributes.collect::<Result<_>>()?,
    };
    let mut plan = span::plan(&source, file, &request)?;
    if !plan.is_empty() {
        plan.notes.extend(untraced_service_note(context, &source));
    }
    Ok(plan)
}

/// Returns a warning if nothing starts tracing in the service that owns the file.
fn untraced_service_note(context: &ProjectContext, source: &PythonSourceFile) -> Option<Note> {
    let services = code::find_flask_services(&context.project, &[], &[]).ok()?;
    let owner = services
        .into_iter()
        .find(|service| service.python.iter().any(|file| file.path == source.path))?;
    let lacking = instrument::plan_instrumentation(&owner, MistakePolicy::Say)
        .is_ok_and(|plan| !plan.is_empty() || !plan.steps.is_empty());
    lacking.then(|| {
        Note::warning(format!("{} is not traced yet, so this span goes nowhere", owner.name))
            .hint("`cruddur-ops instrument`")
    })
}

/// Reads the file, relative to the current folder, else to the project's folder.
fn find_source_file(context: &ProjectContext, file: &str) -> Result<PythonSourceFile> {
    let here: PathBuf = context.shell.folder().join(file);
    let path = if here.is_file() { here } else { context.root().join(file) };
    let found = context.project.source(&path)?.ok_or_else(|| {
        Error::new(
            ErrorCode::NoSuchFile,
            format!("there is no file {file} in {}", context.root().display()),
        )
    })?;
    Ok(PythonSourceFile { path: found.path, text: found.text.to_string() })
}

fn parse_attribute(text: &str) -> Result<SpanAttributeRequest> {
    match text.split_once('=') {
        Some((key, expression)) if !key.trim().is_empty() && !expression.trim().is_empty() => {
            Ok(SpanAttributeRequest {
                key: key.trim().to_owned(),
                expression: expression.trim().to_owned(),
            })
        }
        _ => Err(Error::new(ErrorCode::Usage, format!("`{text}` is not KEY=EXPRESSION"))
            .hint("`--attr app.now=\"now.isoformat()\"`")),
    }
}
