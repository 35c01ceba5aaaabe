//! `init --with xray`: the X-Ray daemon, its region and its AWS keys.

use crate::cli::InitArgs;
use crate::commands::flow;
use crate::compose::{ComposeModel, ServiceCommand, ServiceModel};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::Note;
use crate::plan::addons;
use crate::provider::{AddonProfile, is_aws_region};
use crate::session::context::ProjectContext;
use crate::ui::Ui;

/// Checks the existing daemon, or chooses the region for one to be added.
///
/// # Errors
/// `region-invalid`; `answer-missing` when no region is known and there is no terminal.
pub(super) fn ask(
    args: &InitArgs,
    context: &ProjectContext,
    profile: &AddonProfile,
    ui: &mut Ui,
) -> Result<(Option<String>, Vec<Note>)> {
    let model = context.project.model()?;
    let (region, mut notes) = match addons::find_daemon(model, profile.name) {
        Some(daemon) => (None, kept_daemon_notes(args, model, daemon, profile)),
        None => {
            let (region, note) = choose_aws_region(args, context, profile, ui)?;
            (Some(region), note.into_iter().collect())
        }
    };
    notes.extend(missing_aws_keys_note(context, model, profile, ui));
    Ok((region, notes))
}

/// Returns a note if the daemon would get no AWS keys.
fn missing_aws_keys_note(
    context: &ProjectContext,
    model: &ComposeModel,
    profile: &AddonProfile,
    ui: &Ui,
) -> Option<Note> {
    let daemon = addons::find_daemon(model, profile.name);
    let named = |name: &str| {
        daemon.is_none_or(|daemon| {
            let settings = daemon.effective(model.plain());
            let mut uses = settings.iter().flat_map(|setting| &setting.uses);
            uses.any(|variable_use| variable_use.name == name)
        })
    };
    let stores = context.stores(ui.redactor());
    let lacks = |name: &&String| named(name) && stores.find(name).is_empty();
    let missing: Vec<&str> = profile.secrets.iter().filter(lacks).map(String::as_str).collect();
    let (are, store) = match missing.len() {
        0 => return None,
        1 => ("is", "stores it"),
        _ => ("are", "store them"),
    };
    let text = format!(
        "{} {are} in no store: X-Ray's daemon starts without them, and AWS accepts nothing from it (create keys in {})",
        missing.join(" and "),
        profile.keys
    );
    let commands: Vec<String> =
        missing.iter().map(|name| format!("`cruddur-ops key set --variable {name}`")).collect();
    Some(Note::warning(text).hint(format!("{} {store}", commands.join(" and "))))
}

/// Returns the notes on an existing daemon, which stays unchanged.
fn kept_daemon_notes(
    args: &InitArgs,
    model: &ComposeModel,
    there: &ServiceModel,
    profile: &AddonProfile,
) -> Vec<Note> {
    let name = &there.name;
    let mut notes = vec![Note::fact(format!(
        "{name} is already {}'s daemon and is not changed",
        profile.name.title()
    ))];
    let settings = there.effective(model.plain());
    let region = profile.daemon.as_ref().and_then(|daemon| daemon.regions.first());
    let has_region = region.and_then(|region| settings.get(region)).is_some();
    if args.aws_region.is_some() {
        notes.push(Note::warning(format!(
            "{name} keeps its region: `--aws-region` is for a daemon that is added"
        )));
    } else if !has_region {
        notes.push(
            Note::warning(format!("{name} has no AWS_REGION, and exits without one"))
                .hint("`cruddur-ops doctor --explain xray-region` explains it"),
        );
    }
    let ignored = there.command.as_ref().is_some_and(|command| {
        let words = match command {
            ServiceCommand::Line(line) => line.as_str(),
            ServiceCommand::Words(words) => words.first().map_or("", String::as_str),
        };
        !words.is_empty() && (!words.starts_with('-') || words.contains(' '))
    });
    if ignored {
        notes.push(
            Note::warning(format!("{name} ignores the options in its `command`"))
                .hint("`cruddur-ops doctor --fix` corrects the command"),
        );
    }
    notes
}

/// Returns the region of the flag, else of the project or the shell, else the user's answer.
fn choose_aws_region(
    args: &InitArgs,
    context: &ProjectContext,
    profile: &AddonProfile,
    ui: &mut Ui,
) -> Result<(String, Option<Note>)> {
    if let Some(region) = &args.aws_region {
        return Ok((check_aws_region(region)?, None));
    }
    let model = context.project.model()?;
    let variables = profile.daemon.iter().flat_map(|daemon| &daemon.regions);
    for variable in variables {
        let mut settings = model.services.iter().filter_map(|service| {
            Some((service, service.effective(model.plain()).get(variable)?.clone()))
        });
        let configured = settings.find_map(|(service, setting)| {
            let value = setting.value.known()?.trim().to_owned();
            is_aws_region(&value).then(|| (value, format!("{variable} of {}", service.name)))
        });
        let outside = model
            .plain()
            .get(variable)
            .filter(|value| is_aws_region(value))
            .map(|value| (value.to_owned(), format!("{variable} in this shell or .env")));
        if let Some((region, source)) = configured.or(outside) {
            let note = Note::fact(format!("X-Ray's region: {region}, from {source}"));
            return Ok((region, Some(note)));
        }
    }
    if flow::may_ask(&args.write, ui) {
        let answer = ui.ask("AWS region of X-Ray (us-east-1, …)", "--aws-region REGION")?;
        return Ok((check_aws_region(&answer)?, None));
    }
    Err(Error::new(
        ErrorCode::AnswerMissing,
        "neither the project nor this shell names an AWS region for X-Ray",
    )
    .hint("`--aws-region us-east-1` sets it"))
}

fn check_aws_region(region: &str) -> Result<String> {
    if is_aws_region(region) {
        return Ok(region.to_owned());
    }
    Err(Error::new(ErrorCode::RegionInvalid, format!("AWS has no region `{region}`"))
        .hint("`--aws-region us-east-1`"))
}
