//! Asks the user for a secret, again if the answer cannot be one.

use crate::error::{ErrorCode, Result};
use crate::provider::key_shape;
use crate::secret::Secret;
use crate::ui::Ui;

/// The number of times a secret is asked for before the command fails.
const MAX_ATTEMPTS: usize = 3;

/// Asks for a secret until `judge` accepts it; a `key-shape` error is printed and the question repeated.
///
/// # Errors
/// The error of `judge` for the last answer, or the first other error; when the question is interrupted.
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
            Err(error) if error.code == ErrorCode::KeyShape && tries < MAX_ATTEMPTS => {
                ui.warn(&error.message, error.hints.first().map(String::as_str));
                tries += 1;
            }
            judged => return judged,
        }
    }
}

/// Returns the secret of `variable` without the text pasted around it, and prints a note on that. The redactor gets
/// both forms.
pub(crate) fn strip_pasted_text(variable: &str, secret: Secret, ui: &mut Ui) -> Secret {
    ui.redactor().learn(variable, &secret);
    let bare = Secret::new(key_shape::bare_secret(secret.expose(), variable));
    if bare == secret {
        return secret;
    }
    ui.redactor().learn(variable, &bare);
    ui.say(format!("what was pasted around the value of {variable} (quotes, its name) is ignored"));
    bare
}
