//! A secret that a person types: asked for again where what was typed cannot be one.

use crate::error::{ErrorCode, Result};
use crate::provider::key_shape;
use crate::secret::Secret;
use crate::ui::Ui;

/// How often somebody is asked before the command ends.
const TRIES: usize = 3;

/// Asks for a secret until `judge` takes it; a `key-shape` is said and asked about again.
///
/// # Errors
/// What `judge` says of the last one, or of the first for another reason; an interrupted question.
pub(crate) fn ask<T>(
    question: &str,
    flag: &str,
    ui: &mut Ui,
    mut judge: impl FnMut(Secret, &mut Ui) -> Result<T>,
) -> Result<T> {
    let mut tries = 1;
    loop {
        let secret = ui.ask_secret(question, flag)?;
        match judge(secret, ui) {
            Err(error) if error.code == ErrorCode::KeyShape && tries < TRIES => {
                ui.warn(&error.message, error.hints.first().map(String::as_str));
                tries += 1;
            }
            judged => return judged,
        }
    }
}

/// The secret of `variable` without what was pasted around it, which is said. The redactor knows both forms.
pub(crate) fn bare(variable: &str, secret: Secret, ui: &mut Ui) -> Secret {
    ui.redactor().learn(variable, &secret);
    let bare = Secret::new(key_shape::bare(secret.expose(), variable));
    if bare == secret {
        return secret;
    }
    ui.redactor().learn(variable, &bare);
    ui.say(format!("what was pasted around {variable} (quotes, its name) is left out"));
    bare
}
