//! `init --with rollbar`: the token, where it is found and where it goes.

use crate::cli::{InitArgs, StoreName};
use crate::commands::init::key::{self, KeyChoice};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::Note;
use crate::plan::addons::{self, Wish};
use crate::provider::AddonProfile;
use crate::provider::key_shape;
use crate::session::context::ProjectContext;
use crate::session::typed;
use crate::ui::Ui;

/// The token, found in a store or given by a person; `None` where no service refers to it or somebody else provides it.
///
/// # Errors
/// `key-missing` when there is none and nobody can be asked; `key-shape` when what was given is no token.
pub(super) fn ask(
    args: &InitArgs,
    place: &ProjectContext,
    profile: &AddonProfile,
    wish: &Wish,
    notes: &mut Vec<Note>,
    ui: &mut Ui,
) -> Result<Option<KeyChoice>> {
    let Some(variable) = profile.secrets.first() else {
        return Ok(None);
    };
    let model = place.project.model()?;
    let mut services = wish.services.iter();
    if !services.any(|name| addons::refers(model, name, profile.name, variable, model.plain())) {
        return Ok(None);
    }
    if args.store == Some(StoreName::None) {
        notes.push(Note::fact(format!(
            "{variable} is not stored; it must be set where compose runs"
        )));
        return Ok(None);
    }
    let wanted = args.store.and_then(StoreName::kind);
    let survey = place.stores(ui.redactor()).survey(variable);
    let found = survey.found();
    let what = format!("{}'s token", profile.name.title());
    if let Some(kept) = key::keep((&what, variable), &found, wanted, notes)? {
        return Ok(Some(kept));
    }
    if args.write.check || args.write.dry_run {
        notes.push(
            Note::warning(survey.absence())
                .hint(format!("`cruddur-ops key set --variable {variable}` stores it")),
        );
        return Ok(None);
    }
    if args.write.yes || !ui.interactive() {
        return Err(Error::new(ErrorCode::KeyMissing, survey.absence())
            .hint(format!("`cruddur-ops key set --variable {variable} --stdin` stores it"))
            .hint("`--store none` leaves it to somebody else"));
    }
    let store = key::store_for(variable, wanted, place, ui)?;
    ui.say(format!("A token is made in {}.", profile.keys));
    let question = format!("{variable} (hidden)");
    let secret = typed::ask(&question, "--store none", ui, |secret, ui| {
        let secret = typed::bare(variable, secret, ui);
        key_shape::blemish(secret.expose())?;
        Ok(secret)
    })?;
    notes.push(Note::fact(format!("{what}: {} goes to `{store}`", secret.masked())));
    Ok(Some(KeyChoice { variable: variable.clone(), secret, store: Some(store), lies_in: None }))
}
