//! `init --with rollbar`: finds the token and decides where to store it.

use crate::cli::{InitArgs, StoreName};
use crate::commands::init::key::{self, KeyChoice};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::Note;
use crate::plan::addons::{self, AddonRequest};
use crate::provider::AddonProfile;
use crate::provider::key_shape;
use crate::session::context::ProjectContext;
use crate::session::typed;
use crate::ui::Ui;

/// Returns the token, from a store or from the user; `None` if no service refers to it or it is provided from
/// elsewhere.
///
/// # Errors
/// `key-missing` when there is none and no terminal; `key-shape` when the given text is not a token.
pub(super) fn ask(
    args: &InitArgs,
    context: &ProjectContext,
    profile: &AddonProfile,
    request: &AddonRequest,
    ui: &mut Ui,
) -> Result<(Option<KeyChoice>, Option<Note>)> {
    let Some(variable) = profile.secrets.first() else {
        return Ok((None, None));
    };
    let model = context.project.model()?;
    let mut services = request.services.iter();
    if !services
        .any(|name| addons::refers_to_secret(model, name, profile.name, variable, model.plain()))
    {
        return Ok((None, None));
    }
    if args.store == Some(StoreName::None) {
        let text = format!("{variable} is not stored; it must be set where compose runs");
        return Ok((None, Some(Note::fact(text))));
    }
    let wanted = args.store.and_then(StoreName::kind);
    let survey = context.stores(ui.redactor()).survey(variable);
    let found = survey.found();
    let label = format!("{}'s token", profile.name.title());
    if let Some((choice, note)) = key::keep_found_key((&label, variable), &found, wanted)? {
        return Ok((Some(choice), Some(note)));
    }
    if args.write.check || args.write.dry_run {
        let note = Note::warning(survey.absence())
            .hint(format!("`cruddur-ops key set --variable {variable}` stores it"));
        return Ok((None, Some(note)));
    }
    if args.write.yes || !ui.interactive() {
        return Err(Error::new(ErrorCode::KeyMissing, survey.absence())
            .hint(format!("`cruddur-ops key set --variable {variable} --stdin` stores it"))
            .hint("`--store none` if you set it yourself"));
    }
    let store = key::store_for(variable, wanted, context, ui)?;
    ui.say(format!("Create a token in {}.", profile.keys));
    let question = format!("{variable} (hidden)");
    let secret = typed::ask(&question, "--store none", ui, |typed, ui| {
        let secret = typed::strip_pasted_text(variable, typed, ui);
        key_shape::check_secret_text(secret.expose())?;
        Ok(secret)
    })?;
    let note = Note::fact(format!("{label}: {} goes to {}", secret.masked(), store.title()));
    let token =
        KeyChoice { variable: variable.clone(), secret, store: Some(store), found_in: None };
    Ok((Some(token), Some(note)))
}
