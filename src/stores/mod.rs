//! Where a secret lies: [`SecretStore`] and its five kinds, opened together for one project as [`Stores`].
//!
//! Prints nothing and asks nothing; every value that is read is taught to the redactor first.

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
use crate::plan::{Change, Note, Plan};
use crate::project::GitStanding;
use crate::secret::{Redactor, Secrecy, Secret, secrecy};
use crate::shell::Shell;

pub use error::StoreError;
pub use store::SecretStore;
pub use survey::{Survey, UnderCompose};

use codespaces::Codespaces;
use dotenv::Dotenv;
use env::Env;
use gp::Gp;
use keyring::Keyring;
use scope::Scope;

/// The kinds of store, as `--store` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreKind {
    /// A variable of the shell we were started from.
    Env,
    /// `.env` beside the compose file.
    Dotenv,
    /// The keyring of the operating system.
    Keyring,
    /// Gitpod's variables of this repository.
    Gp,
    /// The user's Codespaces secrets at GitHub.
    Codespaces,
}

impl StoreKind {
    /// Every kind, as help lists them.
    pub const ALL: [Self; 5] = [Self::Env, Self::Dotenv, Self::Keyring, Self::Gp, Self::Codespaces];

    /// What holds for every store of this kind.
    pub fn profile(self) -> &'static StoreProfile {
        match self {
            Self::Env => &env::PROFILE,
            Self::Dotenv => &dotenv::PROFILE,
            Self::Keyring => &keyring::PROFILE,
            Self::Gp => &gp::PROFILE,
            Self::Codespaces => &codespaces::PROFILE,
        }
    }

    /// As `--store` takes it.
    pub fn name(self) -> &'static str {
        self.profile().name
    }

    /// Whether what is seen of it is only what the shell has.
    pub fn is_the_shells(self) -> bool {
        self.profile().sight == Sight::Shell
    }
}

/// What holds for every store of one kind.
#[derive(Debug)]
pub struct StoreProfile {
    /// As `--store` takes it.
    pub name: &'static str,
    /// What it is, as help says it.
    pub summary: &'static str,
    /// Where its secrets are seen.
    pub sight: Sight,
    /// What a person has to know before a secret goes there.
    pub notice: Option<&'static str>,
}

/// Where the secrets of a store are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// In the store itself.
    Store,
    /// Only as variables of the shell.
    Shell,
}

impl std::fmt::Display for StoreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What one store answered when asked for a secret.
#[derive(Debug)]
pub struct Answer {
    /// The store that was asked.
    pub store: StoreKind,
    /// [`SecretStore::seen_in`].
    pub place: String,
    /// What it holds.
    pub held: Result<Option<Secret>, StoreError>,
}

/// A place that holds a secret.
#[derive(Debug, Clone)]
pub struct Found {
    /// The store.
    pub store: StoreKind,
    /// [`SecretStore::seen_in`].
    pub place: String,
    /// The secret, known to the redactor.
    pub secret: Secret,
}

/// What storing a secret would write besides the secret.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// The user's files to change first (`.gitignore`), and what to know before the yes.
    pub plan: Plan,
    /// The store's own file before and after **with every value replaced by its name**: to be shown, never to be
    /// written. [`SecretStore::set`] writes the file.
    pub shown: Option<Change>,
}

/// The stores of one project.
#[derive(Debug)]
pub struct Stores {
    env: Env,
    dotenv: Dotenv,
    keyring: Keyring,
    gp: Gp,
    codespaces: Codespaces,
    redactor: Redactor,
}

impl Stores {
    /// The stores of the project whose compose file lies in `project_root` (absolute). `remote` is its git remote as
    /// git spells it: a key selects an environment, so the keyring holds one per project.
    pub fn open(
        project_root: &Path,
        remote: Option<&str>,
        shell: &Shell,
        redactor: &Redactor,
    ) -> Self {
        Self {
            env: Env::new(shell),
            dotenv: Dotenv::new(project_root, shell),
            keyring: Keyring::new(Scope::new(project_root, remote)),
            gp: Gp::new(shell),
            codespaces: Codespaces::new(remote, shell),
            redactor: redactor.clone(),
        }
    }

    /// The store of this kind.
    pub fn store(&self, kind: StoreKind) -> &dyn SecretStore {
        match kind {
            StoreKind::Env => &self.env,
            StoreKind::Dotenv => &self.dotenv,
            StoreKind::Keyring => &self.keyring,
            StoreKind::Gp => &self.gp,
            StoreKind::Codespaces => &self.codespaces,
        }
    }

    /// Asks every store, the one that wins under `run` first: where a person put a key on purpose beats what an
    /// old shell still carries.
    pub fn survey(&self, name: &str) -> Survey {
        const ORDER: [StoreKind; 5] = [
            StoreKind::Gp,
            StoreKind::Keyring,
            StoreKind::Dotenv,
            StoreKind::Codespaces,
            StoreKind::Env,
        ];
        let answers = ORDER.into_iter().map(|kind| self.ask(kind, name)).collect();
        Survey {
            variable: name.to_owned(),
            answers,
            in_shell: self.env.standing(name),
            unset: self.env.unsetting(name),
        }
    }

    fn ask(&self, kind: StoreKind, name: &str) -> Answer {
        let store = self.store(kind);
        let held = store.get(name);
        if let Ok(Some(secret)) = &held
            && secrecy(name, secret.expose()) != Secrecy::Public
        {
            self.redactor.learn(name, secret);
        }
        Answer { store: kind, place: store.seen_in(), held }
    }

    /// Every place that holds one, in the order of [`Stores::survey`]; stores that fail are left out.
    pub fn find(&self, name: &str) -> Vec<Found> {
        self.survey(name).found()
    }

    /// Warns of service names in the shell or in Gitpod's variables, which all services would share.
    pub fn shared_names(&self) -> Vec<Note> {
        const NAMES: [&str; 2] = ["OTEL_SERVICE_NAME", "HONEYCOMB_SERVICE_NAME"];
        let note = |name: &str, place: &str, command: String| {
            Note::warning(format!(
                "{name} is set in {place}: every service that takes it from there sends under one name"
            ))
            .hint(format!("`{command}` removes it; the compose file names each service"))
        };
        let mut notes = Vec::new();
        for name in NAMES {
            if self.env.standing(name) == survey::InShell::Set {
                notes.push(note(name, "this shell", self.env.unsetting(name)));
            }
        }
        for name in self.gp.holding(&NAMES) {
            notes.push(note(name, &self.gp.place(), format!("gp env -u {name}")));
        }
        notes
    }

    /// Whether the store could take a key at all, asked before a person types one.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self, kind: StoreKind, name: &str) -> Result<(), StoreError> {
        self.store(kind).ready(name)
    }

    /// Where a new key goes when nobody said: Gitpod's variables in Gitpod; `.env` in a codespace, whose disk is its
    /// user's own and lasts, and whose token may write no secret, where somebody can say no to it; else a keyring that lasts,
    /// and where none answers `.env` again.
    ///
    /// # Errors
    /// [`StoreError::NotAvailable`] with a hint that names `--store dotenv`.
    pub fn default_for_new_key(&self, attended: bool) -> Result<StoreKind, StoreError> {
        if self.gp.available().is_ok() {
            return Ok(StoreKind::Gp);
        }
        if self.codespaces.is_here() {
            return match attended {
                true => Ok(StoreKind::Dotenv),
                false => Err(StoreError::NotAvailable {
                    store: StoreKind::Codespaces,
                    reason:
                        "a codespace's own token may write no secret, and nobody is there to agree to a file; `--store` names a place"
                            .to_owned(),
                }),
            };
        }
        match self.keyring.probe_lasting() {
            Ok(()) => Ok(StoreKind::Keyring),
            Err(StoreError::NotAvailable { .. } | StoreError::Silent { .. }) if attended => {
                Ok(StoreKind::Dotenv)
            }
            Err(error) => Err(error),
        }
    }

    /// What storing these secrets, each under its name, would write besides them.
    ///
    /// # Errors
    /// Where the store is known to refuse: a `.env` that git tracks.
    pub fn prepare(
        &self,
        kind: StoreKind,
        secrets: &[(&str, &Secret)],
    ) -> Result<Prepared, StoreError> {
        for (name, secret) in secrets {
            self.redactor.learn(name, secret);
        }
        self.store(kind).prepare(secrets)
    }

    /// What a secret that stays in `kind` needs so that it is in no commit: a `.env` nobody ignores gets its line.
    ///
    /// # Errors
    /// A `.env` that git tracks.
    pub fn hide(&self, kind: StoreKind) -> Result<Plan, StoreError> {
        self.store(kind).hide()
    }

    /// Stores every secret under its name in one store, or none.
    ///
    /// # Errors
    /// As [`SecretStore::set`]; names a secret that was stored and could not be taken back.
    pub fn set_all(&self, kind: StoreKind, secrets: &[(&str, &Secret)]) -> Result<()> {
        self.store(kind).set_all(secrets)
    }

    /// Those of `names` whose secrets git would take with the `.env` that holds them, were this change made.
    pub fn exposed_by(&self, change: &Change, names: &[&str]) -> Vec<String> {
        self.dotenv.exposed_by(change, names)
    }

    /// What git does with a `.env` that is there; `None` where there is none, or it is ignored.
    pub fn env_file_exposure(&self) -> Option<GitStanding> {
        self.dotenv.exposure()
    }

    /// Removes a `.env` in which nothing is left, unless git has it or would take it.
    ///
    /// # Errors
    /// A file that cannot be read or removed.
    pub fn remove_empty_env_file(&self) -> Result<(), StoreError> {
        self.dotenv.remove_if_empty()
    }
}
