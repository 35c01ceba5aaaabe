//! Combines all stores' answers about one variable: which value is used where, and what is wrong with that.

use super::{StoreAnswer, StoreError, StoreKind, StoredSecret};
use crate::plan::Note;
use crate::secret::{Secret, ends_like_secret_name};

/// Every store's answer about one variable, in the order of precedence under `run`.
#[derive(Debug)]
pub struct SecretSurvey {
    /// The variable.
    pub variable: String,
    /// The answers, one per kind of store.
    pub answers: Vec<StoreAnswer>,
    pub(super) in_shell: ShellValueState,
    /// The command that removes the variable from the shell.
    pub(super) unset: String,
}

/// The state of a variable in the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShellValueState {
    Unset,
    Empty,
    Set,
}

/// The value `docker compose` uses for `${VARIABLE}` without `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnderCompose {
    /// The value in this store.
    Store(StoreKind),
    /// The shell's empty value, which takes precedence over `.env`.
    Empty,
    /// No value.
    Nothing,
}

impl SecretSurvey {
    /// Returns every place that has the secret, best first.
    pub fn found(&self) -> Vec<StoredSecret> {
        self.answers
            .iter()
            .filter_map(|answer| {
                Some(StoredSecret {
                    store: answer.store,
                    place: answer.place.clone(),
                    secret: answer.held.as_ref().ok()?.clone()?,
                })
            })
            .collect()
    }

    /// Returns the value that is used where docker compose runs under `run`.
    pub fn under_run(&self) -> Option<StoredSecret> {
        self.found().into_iter().next()
    }

    /// Returns the value that a program of the user gets as a variable of its environment. A `.env` may come with the
    /// project, so its values count only under names that no program obeys; docker compose reads it by itself.
    pub fn handed_over(&self) -> Option<StoredSecret> {
        let is_obeyed = !ends_like_secret_name(&self.variable);
        self.found().into_iter().find(|found| found.store != StoreKind::Dotenv || !is_obeyed)
    }

    /// Returns the value that `docker compose` uses without `run`.
    pub fn under_compose(&self) -> UnderCompose {
        match self.in_shell {
            ShellValueState::Set => UnderCompose::Store(StoreKind::Env),
            ShellValueState::Empty => UnderCompose::Empty,
            ShellValueState::Unset if self.held(StoreKind::Dotenv).is_some() => {
                UnderCompose::Store(StoreKind::Dotenv)
            }
            ShellValueState::Unset => UnderCompose::Nothing,
        }
    }

    /// Returns the errors of stores that exist and should have answered.
    pub fn failures(&self) -> impl Iterator<Item = &StoreError> {
        self.answers
            .iter()
            .filter_map(|answer| answer.held.as_ref().err())
            .filter(|error| !matches!(error, StoreError::NotAvailable { .. }))
    }

    /// Describes that nothing was found, and which stores did not answer.
    pub fn absence(&self) -> String {
        let name = &self.variable;
        let failures: Vec<String> = self
            .failures()
            .map(|error| format!("{} could not be read: {}", error.store().title(), error.reason()))
            .collect();
        if failures.is_empty() {
            format!("{name} is in no store and not in this shell")
        } else {
            format!("{name} was not found, and {}", failures.join("; "))
        }
    }

    /// Returns a note on the shell's variable, which only the shell can remove.
    pub fn left_in_shell(&self) -> Option<Note> {
        let text = format!("this shell still has {}", self.variable);
        let note = Note::fact(text).hint(format!("`{}` removes it there", self.unset));
        (self.in_shell == ShellValueState::Set).then_some(note)
    }

    /// Returns warnings.
    pub fn warnings(&self) -> Vec<Note> {
        let mut notes = self.disagreements();
        notes.extend(self.failures().map(|error| Note::warning(error.reason())));
        notes
    }

    /// Returns warnings about values that differ between stores.
    pub fn disagreements(&self) -> Vec<Note> {
        self.shell_override_note().into_iter().chain(self.stores_disagree()).collect()
    }

    fn held(&self, kind: StoreKind) -> Option<&Secret> {
        self.answers
            .iter()
            .find(|answer| answer.store == kind)
            .and_then(|answer| answer.held.as_ref().ok()?.as_ref())
    }

    fn stored(&self) -> Option<StoredSecret> {
        self.found().into_iter().find(|found| !found.store.is_shell_only())
    }

    fn shell_override_note(&self) -> Option<Note> {
        let name = &self.variable;
        let hint = if self.stored().is_some_and(|stored| stored.store == StoreKind::Gp) {
            "`eval \"$(gp env -e)\"` loads what is stored into this shell".to_owned()
        } else {
            format!(
                "`{}` removes it; `cruddur-ops run -- docker compose up` does not look at it",
                self.unset
            )
        };
        if self.in_shell == ShellValueState::Empty {
            let text = format!(
                "{name} is set in this shell and empty: docker compose uses the empty value"
            );
            return Some(Note::warning(text).hint(hint));
        }
        let in_shell = self.held(StoreKind::Env)?;
        let stored = self.stored().filter(|stored| stored.secret != *in_shell)?;
        let text = format!(
            "{name} in this shell ({}) differs from the one in {} ({}), and docker compose uses the shell's",
            in_shell.masked(),
            stored.place,
            stored.secret.masked()
        );
        Some(Note::warning(text).hint(hint))
    }

    fn stores_disagree(&self) -> Option<Note> {
        let first = self.stored()?;
        let other_copy = self.found().into_iter().find(|found| {
            !found.store.is_shell_only()
                && found.store != first.store
                && found.secret != first.secret
        })?;
        let text = format!(
            "{} in {} ({}) differs from the one in {} ({}), which `run` uses",
            self.variable,
            other_copy.place,
            other_copy.secret.masked(),
            first.place,
            first.secret.masked()
        );
        Some(Note::warning(text).hint(format!(
            "`cruddur-ops key forget --store {}` removes it",
            other_copy.store.name()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old-0123456789-aaaa";
    const NEW: &str = "new-0123456789-bbbb";

    fn survey(in_shell: ShellValueState, held: &[(StoreKind, &str)]) -> SecretSurvey {
        let answers = held
            .iter()
            .map(|(store, value)| StoreAnswer {
                store: *store,
                place: store.name().to_owned(),
                held: Ok(Some(Secret::new(*value))),
            })
            .collect();
        SecretSurvey {
            variable: "KEY".to_owned(),
            answers,
            in_shell,
            unset: "unset KEY".to_owned(),
        }
    }

    #[test]
    fn the_store_wins_under_run_and_the_shell_under_compose() {
        let survey =
            survey(ShellValueState::Set, &[(StoreKind::Keyring, NEW), (StoreKind::Env, OLD)]);
        assert_eq!(survey.under_run().unwrap().store, StoreKind::Keyring);
        assert_eq!(survey.under_compose(), UnderCompose::Store(StoreKind::Env));
        let warnings = survey.warnings();
        assert!(warnings[0].text.contains("****aaaa"), "{warnings:?}");
        assert!(warnings[0].hint.as_ref().unwrap().contains("`unset KEY`"));
    }

    #[test]
    fn an_empty_variable_beats_the_file() {
        let survey = survey(ShellValueState::Empty, &[(StoreKind::Dotenv, NEW)]);
        assert_eq!(survey.under_compose(), UnderCompose::Empty);
        assert_eq!(survey.warnings().len(), 1);
    }

    #[test]
    fn a_keyring_is_not_visible_to_compose() {
        let survey = survey(ShellValueState::Unset, &[(StoreKind::Keyring, NEW)]);
        assert_eq!(survey.under_compose(), UnderCompose::Nothing);
        assert_eq!(survey.warnings(), []);
    }

    #[test]
    fn two_stores_with_two_values_are_named() {
        let survey =
            survey(ShellValueState::Unset, &[(StoreKind::Keyring, NEW), (StoreKind::Dotenv, OLD)]);
        let warnings = survey.warnings();
        assert_eq!(
            warnings[0].hint.as_deref(),
            Some("`cruddur-ops key forget --store dotenv` removes it")
        );
    }
}
