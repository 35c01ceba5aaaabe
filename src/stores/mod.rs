//! The stores for secrets: [`SecretStore`] and its five kinds, opened together for one project as [`Stores`].
//!
//! Prints and asks nothing; every value read is added to the redactor first.

mod codespaces;
pub mod dotenv;
mod env;
mod error;
pub mod gp;
mod keyring;
mod scope;
mod store;
mod survey;

use std::path::Path;

use crate::error::Result;
use crate::plan::{FileChange, Note, Plan};
use crate::project::GitFileStatus;
use crate::secret::{Redactor, Secrecy, Secret, classify_secrecy};
use crate::shell::Shell;

pub(crate) use error::StoreError;
pub(crate) use store::SecretStore;
pub(crate) use survey::{SecretSurvey, UnderCompose};

use codespaces::CodespacesStore;
use dotenv::DotenvStore;
use env::ShellStore;
use gp::GitpodStore;
use keyring::KeyringStore;
use scope::ProjectScope;

/// The kinds of store, as named in `--store`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreKind {
    /// A variable of the shell that started this program.
    Env,
    /// `.env` next to the compose file.
    Dotenv,
    /// The keyring of the operating system.
    Keyring,
    /// Gitpod's variables of this repository.
    Gp,
    /// The user's Codespaces secrets at GitHub.
    Codespaces,
}

impl StoreKind {
    /// Every kind, in the order of the help.
    pub const ALL: [Self; 5] = [Self::Env, Self::Dotenv, Self::Keyring, Self::Gp, Self::Codespaces];

    /// Returns the properties of stores of this kind.
    pub fn profile(self) -> &'static StoreProfile {
        match self {
            Self::Env => &env::PROFILE,
            Self::Dotenv => &dotenv::PROFILE,
            Self::Keyring => &keyring::PROFILE,
            Self::Gp => &gp::PROFILE,
            Self::Codespaces => &codespaces::PROFILE,
        }
    }

    /// Returns the name for `--store`.
    pub fn name(self) -> &'static str {
        self.profile().name
    }

    /// Returns the store in a sentence, as its user knows it: `.env`, not `dotenv`.
    pub fn title(self) -> &'static str {
        self.profile().title
    }

    /// Returns whether its contents are only visible as variables of the shell.
    pub fn is_shell_only(self) -> bool {
        self.profile().sight == SecretVisibility::Shell
    }
}

/// The properties of all stores of one kind.
#[derive(Debug)]
pub struct StoreProfile {
    /// The name for `--store`.
    pub name: &'static str,
    /// The store in a sentence, as its user knows it.
    pub title: &'static str,
    /// The description in the help.
    pub summary: &'static str,
    /// The place where its secrets are visible.
    pub sight: SecretVisibility,
    /// A warning before a secret is stored.
    pub notice: Option<&'static str>,
}

/// The presence of a user who can object to a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserPresence {
    /// A user at a terminal answers questions.
    AtTerminal,
    /// Nothing can be asked.
    Absent,
}

/// The place where a store's secrets are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretVisibility {
    /// In the store itself.
    Store,
    /// Only in variables of the shell.
    Shell,
}

/// A store's answer to a request for a secret.
#[derive(Debug)]
pub struct StoreAnswer {
    /// The store.
    pub store: StoreKind,
    /// [`SecretStore::seen_in`].
    pub place: String,
    /// The secret, if it has one.
    pub held: Result<Option<Secret>, StoreError>,
}

/// A stored secret and its place.
#[derive(Debug, Clone)]
pub struct StoredSecret {
    /// The store.
    pub store: StoreKind,
    /// [`SecretStore::seen_in`].
    pub place: String,
    /// The secret, which the redactor knows.
    pub secret: Secret,
}

/// The changes that storing a secret makes in addition to the secret.
#[derive(Debug, Clone, Default)]
pub struct PreparedStore {
    /// The user's files to change first (`.gitignore`), and notes before the confirmation.
    pub plan: Plan,
    /// The store's own file before and after **with every value replaced by its name**, only for display.
    /// [`SecretStore::set`] writes the file.
    pub shown: Option<FileChange>,
}

/// The stores of one project.
#[derive(Debug)]
pub struct Stores {
    env: ShellStore,
    dotenv: DotenvStore,
    keyring: KeyringStore,
    gp: GitpodStore,
    codespaces: CodespacesStore,
    redactor: Redactor,
}

impl Stores {
    /// Opens the stores of the project whose compose file is in `project_root` (absolute). `remote` is its git remote
    /// as git prints it: a key belongs to an environment, so the keyring has one per project.
    pub fn open(
        project_root: &Path,
        remote: Option<&str>,
        shell: &Shell,
        redactor: &Redactor,
    ) -> Self {
        Self {
            env: ShellStore::new(shell),
            dotenv: DotenvStore::new(project_root, shell),
            keyring: KeyringStore::new(ProjectScope::new(project_root, remote)),
            gp: GitpodStore::new(shell),
            codespaces: CodespacesStore::new(remote, shell),
            redactor: redactor.clone(),
        }
    }

    /// Returns the store of this kind.
    pub fn store(&self, kind: StoreKind) -> &dyn SecretStore {
        match kind {
            StoreKind::Env => &self.env,
            StoreKind::Dotenv => &self.dotenv,
            StoreKind::Keyring => &self.keyring,
            StoreKind::Gp => &self.gp,
            StoreKind::Codespaces => &self.codespaces,
        }
    }

    /// Queries every store, in the order of precedence under `run`: a place where the user stored a key on purpose
    /// comes before an old shell's variable.
    pub fn survey(&self, name: &str) -> SecretSurvey {
        const ORDER: [StoreKind; 5] = [
            StoreKind::Gp,
            StoreKind::Keyring,
            StoreKind::Dotenv,
            StoreKind::Codespaces,
            StoreKind::Env,
        ];
        let answers = ORDER.into_iter().map(|kind| self.ask(kind, name)).collect();
        SecretSurvey {
            variable: name.to_owned(),
            answers,
            in_shell: self.env.shell_state(name),
            unset: self.env.unsetting(name),
        }
    }

    fn ask(&self, kind: StoreKind, name: &str) -> StoreAnswer {
        let store = self.store(kind);
        let held = store.get(name);
        if let Ok(Some(secret)) = &held
            && classify_secrecy(name, secret.expose()) != Secrecy::Public
        {
            self.redactor.learn(name, secret);
        }
        StoreAnswer { store: kind, place: store.seen_in(), held }
    }

    /// Adds the keys in `.env` to the redactor.
    pub fn teach_env_file(&self) {
        for (name, secret) in self.dotenv.keys() {
            self.redactor.learn(&name, &secret);
        }
    }

    /// Returns every place that has the secret, in the order of [`Stores::survey`]; failing stores are left out.
    pub fn find(&self, name: &str) -> Vec<StoredSecret> {
        self.survey(name).found()
    }

    /// Returns warnings about service names in the shell or in Gitpod's variables, which would apply to all services.
    pub fn shared_names(&self) -> Vec<Note> {
        const NAMES: [&str; 2] = ["OTEL_SERVICE_NAME", "HONEYCOMB_SERVICE_NAME"];
        let note = |name: &str, place: &str, command: String| {
            Note::warning(format!(
                "{name} is set in {place}: every service that reads it there sends under one name"
            ))
            .hint(format!("`{command}` removes it; the compose file names each service"))
        };
        let mut notes = Vec::new();
        for name in NAMES {
            if self.env.shell_state(name) == survey::ShellValueState::Set {
                notes.push(note(name, "this shell", self.env.unsetting(name)));
            }
        }
        for name in self.gp.holding(&NAMES) {
            notes.push(note(name, &self.gp.place(), format!("gp env -u {name}")));
        }
        notes
    }

    /// Checks that the store can accept a key, before the user types one.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check_ready(&self, kind: StoreKind, name: &str) -> Result<(), StoreError> {
        self.store(kind).check_ready(name)
    }

    /// Returns the default store for a new key: Gitpod's variables in Gitpod; `.env` in a codespace, whose disk is
    /// private and permanent and whose token may not write secrets, if the user can object; else a permanent keyring,
    /// or `.env` if none answers.
    ///
    /// # Errors
    /// [`StoreError::NotAvailable`] with a hint that names `--store dotenv`.
    pub fn default_for_new_key(&self, user: UserPresence) -> Result<StoreKind, StoreError> {
        if self.gp.available().is_ok() {
            return Ok(StoreKind::Gp);
        }
        if self.codespaces.is_here() {
            return if user == UserPresence::AtTerminal {
                Ok(StoreKind::Dotenv)
            } else {
                Err(StoreError::NotAvailable {
                    store: StoreKind::Codespaces,
                    reason:
                        "the codespace's token may not write secrets, and there is no terminal to confirm a file; choose a place with `--store`"
                            .to_owned(),
                })
            };
        }
        match self.keyring.probe_lasting() {
            Ok(()) => Ok(StoreKind::Keyring),
            Err(StoreError::NotAvailable { .. } | StoreError::Silent { .. })
                if user == UserPresence::AtTerminal =>
            {
                Ok(StoreKind::Dotenv)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the changes that storing these secrets makes in addition to them.
    ///
    /// # Errors
    /// When the store is known to refuse: a `.env` that git tracks.
    pub fn prepare(
        &self,
        kind: StoreKind,
        secrets: &[(&str, &Secret)],
    ) -> Result<PreparedStore, StoreError> {
        for (name, secret) in secrets {
            self.redactor.learn(name, secret);
        }
        self.store(kind).prepare(secrets)
    }

    /// Returns the changes that keep a secret in `kind` out of commits: a `.env` that git does not ignore gets a line
    /// in `.gitignore`.
    ///
    /// # Errors
    /// A `.env` that git tracks.
    pub fn hide(&self, kind: StoreKind) -> Result<Plan, StoreError> {
        self.store(kind).hide()
    }

    /// Stores every secret under its name in one store, or none.
    ///
    /// # Errors
    /// As [`SecretStore::set`]; names a secret that was stored and could not be removed again.
    pub fn set_all(&self, kind: StoreKind, secrets: &[(&str, &Secret)]) -> Result<()> {
        self.store(kind).set_all(secrets)
    }

    /// Returns which of `names` git could commit with their `.env` after this change.
    pub fn exposed_by(&self, change: &FileChange, names: &[&str]) -> Vec<String> {
        self.dotenv.exposed_by(change, names)
    }

    /// Returns git's treatment of an existing `.env`; `None` if it does not exist or is ignored.
    pub fn env_file_exposure(&self) -> Option<GitFileStatus> {
        self.dotenv.exposure()
    }

    /// Removes an empty `.env`, unless git tracks it or could commit it.
    ///
    /// # Errors
    /// When a file cannot be read or removed.
    pub fn remove_empty_env_file(&self) -> Result<(), StoreError> {
        self.dotenv.remove_if_empty()
    }
}
