//! The context of a command: its shell, and the project it found.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::apply::{Journal, state_folder};
use crate::compose::{ComposeModel, ProjectVariables, ServiceModel, ServiceRole, classify_service};
use crate::edit::jsonc::devcontainer::DevcontainerPort as Forwarded;
use crate::error::{Error, ErrorCode, Result};
use crate::limits;
use crate::lint;
use crate::plan::gitpod::{self, GitpodPortEntry};
use crate::plan::ports::{PublishedRange, PublishedTcpPort};
use crate::plan::{Note, devcontainer};
use crate::project::Project;
use crate::secret::{Redactor, Secret};
use crate::shell::Shell;
use crate::stores::Stores;
use crate::workspace::Workspace;

/// The variable with Honeycomb's key.
pub(crate) const HONEYCOMB_KEY: &str = "HONEYCOMB_API_KEY";

/// Returns how to store the secret of `variable`, or how to correct its misspelt name in the shell.
pub(crate) fn how_to_store(variable: &str) -> String {
    match (variable, lint::find_intended_variable(variable)) {
        (HONEYCOMB_KEY, _) => "`cruddur-ops key set` stores it".to_owned(),
        (_, Some(intended)) => format!("`cruddur-ops doctor --fix` spells it {intended}"),
        _ => format!("`cruddur-ops key set --variable {variable}` stores it"),
    }
}

/// Returns the shell's misspelling of `variable`, and how to correct it.
pub(crate) fn slip_in_shell(shell: &Shell, variable: &str) -> Option<String> {
    let mut names = shell.variables().keys();
    let slip = names.find(|name| lint::find_intended_variable(name) == Some(variable))?;
    Some(format!("this shell has {slip}: `export {variable}=\"${slip}\"` gives it the right name"))
}

/// Returns the error for an unknown service.
pub(crate) fn unknown_service(name: &str, model: &ComposeModel) -> Error {
    let known: Vec<&str> = model.services.iter().map(|service| service.name.as_str()).collect();
    let message = format!("the compose project has no service `{name}`");
    Error::new(ErrorCode::UnknownService, message)
        .hint(format!("its services: {}", known.join(", ")))
}

/// Returns the secret in the project's stores or, without a project, in the shell; or a sentence that none was found.
pub(crate) fn stored_key(
    shell: &Shell,
    directory: Option<&Path>,
    variable: &str,
    redactor: &Redactor,
) -> std::result::Result<Secret, String> {
    let Ok(context) = ProjectContext::find(shell, directory) else {
        let absent = || format!("{variable} is not in this shell, and no project is here");
        return shell.secret(variable).ok_or_else(absent);
    };
    let survey = context.stores(redactor).survey(variable);
    survey.under_run().map(|found| found.secret).ok_or_else(|| survey.absence())
}

/// The shell and the project of a command.
#[derive(Debug)]
pub(crate) struct ProjectContext<'a> {
    pub(crate) shell: &'a Shell,
    pub(crate) project: Project,
    /// Opened once per run, even if the project's files are read again.
    stores: Arc<OnceLock<Stores>>,
}

impl<'a> ProjectContext<'a> {
    /// Finds the project from `directory`, or from the current folder.
    ///
    /// # Errors
    /// `no-compose-file`, `unreadable-file`.
    pub(crate) fn find(shell: &'a Shell, directory: Option<&Path>) -> Result<Self> {
        let project = Project::discover(shell, directory)?;
        Ok(Self { shell, project, stores: Arc::default() })
    }

    /// Returns a project for a folder without a compose file.
    ///
    /// # Errors
    /// As [`Project::without_compose`].
    pub(crate) fn without_compose(shell: &'a Shell, directory: Option<&Path>) -> Result<Self> {
        let project = Project::without_compose(shell, directory)?;
        Ok(Self { shell, project, stores: Arc::default() })
    }

    /// Returns the folder of the compose file; paths are shown relative to it.
    pub(crate) fn root(&self) -> &Path {
        &self.project.root
    }

    /// Returns the undo journal of this project.
    pub(crate) fn journal(&self, redactor: &Redactor) -> Result<Journal> {
        Ok(Journal::open(
            &state_folder(self.shell)?,
            self.root(),
            self.project.boundary(),
            redactor,
        ))
    }

    /// Returns the secret stores of this project; slow stores are queried once.
    pub(crate) fn stores(&self, redactor: &Redactor) -> &Stores {
        self.stores.get_or_init(|| {
            Stores::open(self.root(), self.project.git_remote.as_deref(), self.shell, redactor)
        })
    }

    /// Reads the project again, after files were written.
    ///
    /// # Errors
    /// As [`ProjectContext::find`].
    pub(crate) fn again(&self) -> Result<ProjectContext<'a>> {
        let context = ProjectContext::find(self.shell, Some(self.project.here()))?;
        Ok(ProjectContext { stores: Arc::clone(&self.stores), ..context })
    }

    /// Returns the context with these texts at these absolute paths.
    pub(crate) fn with_texts(&self, texts: &BTreeMap<PathBuf, Arc<str>>) -> ProjectContext<'a> {
        let project = self.project.with_texts(texts);
        ProjectContext { shell: self.shell, project, stores: Arc::clone(&self.stores) }
    }

    /// Returns the variables as a child of `run` sees them, with these secrets stored.
    ///
    /// # Errors
    /// When the compose project cannot be read.
    pub(crate) fn variables_under_run(
        &self,
        secrets: &[(String, Secret)],
    ) -> Result<ProjectVariables> {
        Ok(self.project.model()?.under_run(secrets.iter().cloned().collect()))
    }

    /// Returns whether this is a Gitpod workspace.
    pub(crate) fn in_gitpod(&self) -> bool {
        matches!(Workspace::detect(self.shell), Workspace::Gitpod(_))
    }

    /// Returns the port entries of `.gitpod.yml`.
    pub(crate) fn configured_ports(&self) -> Vec<GitpodPortEntry> {
        self.project.gitpod.as_ref().map(|file| gitpod::configured(&file.text)).unwrap_or_default()
    }

    /// Returns the ports in devcontainer.json; `None` without one.
    pub(crate) fn forwarded_ports(&self) -> Option<Forwarded> {
        let file = self.project.devcontainer.as_ref()?;
        Some(devcontainer::configured(&file.text))
    }

    /// Returns how a dev container could get a key; `None` elsewhere.
    pub(crate) fn key_advice(&self, variable: &str) -> Option<Note> {
        let text = self.project.devcontainer.as_ref().map(|file| &*file.text);
        match Workspace::detect(self.shell) {
            Workspace::DevContainer => devcontainer::recommend_key(variable, text),
            _ => None,
        }
    }

    /// Returns the TCP ports that services publish on the host, with each service's role, except long ranges.
    pub(crate) fn published(&self, model: &ComposeModel) -> Vec<PublishedTcpPort> {
        let mut published: Vec<PublishedTcpPort> = Vec::new();
        let mut known = HashSet::new();
        let (configured, forwarded) = (self.configured_ports(), self.forwarded_ports());
        let called = |port: u16| -> Vec<String> {
            let entry =
                gitpod::entry_in_force(&configured, port).and_then(|entry| entry.name.clone());
            let label = forwarded.as_ref().and_then(|file| file.label(port));
            entry.into_iter().chain(label.map(str::to_owned)).collect()
        };
        for service in &model.services {
            let role: ServiceRole = classify_service(service, self.project.sources()).role;
            for entry in service.ports.iter().filter(|entry| entry.protocol == "tcp") {
                let hosts = entry.known_hosts().filter(|range| !is_long(range));
                for (port, container) in
                    hosts.cloned().into_iter().flatten().zip(entry.container.clone())
                {
                    if known.insert(port) {
                        published.push(PublishedTcpPort {
                            port,
                            service: service.name.clone(),
                            role,
                            container,
                            is_loopback: entry.is_loopback(),
                            is_admin: service.is_administered_on(container),
                            called: called(port),
                        });
                    }
                }
            }
        }
        published
    }

    /// Returns the long ranges of TCP ports that services publish on the host.
    pub(crate) fn published_ranges(&self, model: &ComposeModel) -> Vec<PublishedRange> {
        let mut published: Vec<PublishedRange> = Vec::new();
        let mut known = HashSet::new();
        for service in &model.services {
            for range in tcp_ranges(service).filter(is_long) {
                if known.insert(range.clone()) {
                    published.push(PublishedRange { ports: range, service: service.name.clone() });
                }
            }
        }
        published
    }
}

fn tcp_ranges(service: &ServiceModel) -> impl Iterator<Item = RangeInclusive<u16>> {
    let tcp = service.ports.iter().filter(|port| port.protocol == "tcp");
    tcp.filter_map(|port| port.known_hosts().cloned())
}

fn is_long(range: &RangeInclusive<u16>) -> bool {
    range.end() - range.start() >= limits::PORTS_APART
}
