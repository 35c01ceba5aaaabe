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
mod survey;

use std::path::Path;

use crate::error::{Error, Result};
use crate::plan::{Change, Note, Plan};
use crate::project::GitStanding;
use crate::secret::{Redactor, Secrecy, Secret, secrecy};
use crate::shell::Shell;

pub use error::StoreError;
pub use gp::PROCESS_LIST_NOTICE;
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
    /// As `--store` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Dotenv => "dotenv",
            Self::Keyring => "keyring",
            Self::Gp => "gp",
            Self::Codespaces => "codespaces",
        }
    }

    /// Whether what is seen of it is only what the shell has.
    pub fn is_the_shells(self) -> bool {
        matches!(self, Self::Env | Self::Codespaces)
    }
}

impl std::fmt::Display for StoreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A place that can hold secrets by the name of their variable.
pub trait SecretStore {
    /// Which kind it is.
    fn kind(&self) -> StoreKind;

    /// The place in words a person knows: a path, the keyring's own name.
    fn place(&self) -> String;

    /// The place where [`SecretStore::get`] looks, in the same words.
    fn seen_in(&self) -> String {
        self.place()
    }

    /// Whether what is put here can be seen again at once.
    fn reads_back(&self) -> bool {
        true
    }

    /// The secret, if one is here; an empty one counts as missing.
    ///
    /// # Errors
    /// [`StoreError::NotAvailable`] where this store cannot exist; other kinds where it should have answered.
    fn get(&self, name: &str) -> Result<Option<Secret>, StoreError>;

    /// Whether putting the secret here would change anything, as far as that can be seen.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    fn lacks(&self, name: &str, secret: &Secret) -> Result<bool, StoreError> {
        Ok(!self.reads_back() || self.get(name)?.as_ref() != Some(secret))
    }

    /// Puts the secret here and reads it back, where that can be done.
    ///
    /// # Errors
    /// As [`SecretStore::get`], and [`StoreError::Refused`] for a value the store would damage.
    fn set(&self, name: &str, value: &Secret) -> Result<(), StoreError>;

    /// Removes the secret; `false` if none was here.
    ///
    /// # Errors
    /// As [`SecretStore::get`].
    fn forget(&self, name: &str) -> Result<bool, StoreError>;
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
        match kind {
            StoreKind::Env => Err(self.env.refusal(name)),
            StoreKind::Dotenv => self.dotenv.ready(),
            StoreKind::Keyring => self.keyring.ready(),
            StoreKind::Gp => self.gp.available().map(|_| ()),
            StoreKind::Codespaces => self.codespaces.available().map(|_| ()),
        }
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
        match kind {
            StoreKind::Dotenv => self.dotenv.prepare(secrets),
            _ => Ok(Prepared::default()),
        }
    }

    /// What a secret that stays in `kind` needs so that it is in no commit: a `.env` nobody ignores gets its line.
    ///
    /// # Errors
    /// A `.env` that git tracks.
    pub fn hide(&self, kind: StoreKind) -> Result<Plan, StoreError> {
        match kind {
            StoreKind::Dotenv => self.dotenv.hide(),
            _ => Ok(Plan::default()),
        }
    }

    /// Stores every secret under its name in one store, or none.
    ///
    /// # Errors
    /// As [`SecretStore::set`]; names a secret that was stored and could not be taken back.
    pub fn set_all(&self, kind: StoreKind, secrets: &[(&str, &Secret)]) -> Result<()> {
        if kind == StoreKind::Dotenv {
            return Ok(self.dotenv.set_all(secrets)?);
        }
        let store = self.store(kind);
        let mut earlier: Vec<(&str, Option<Secret>)> = Vec::new();
        for (name, secret) in secrets {
            let held = store.get(name).ok().flatten();
            if let Err(error) = store.set(name, secret) {
                return Err(put_back(store, earlier, error.into()));
            }
            earlier.push((name, held));
        }
        Ok(())
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

/// Brings a store back to what it held before `error`, which tells of each secret that stays in it.
fn put_back(store: &dyn SecretStore, earlier: Vec<(&str, Option<Secret>)>, error: Error) -> Error {
    earlier.into_iter().rev().fold(error, |error, (name, held)| {
        let back = match held {
            Some(held) => store.set(name, &held),
            None => store.forget(name).map(|_| ()),
        };
        match back {
            Ok(()) => error,
            Err(_) => error.hint(format!(
                "{name} stays in `{}`: `cruddur-ops key forget --variable {name}` removes it",
                store.kind()
            )),
        }
    })
}
