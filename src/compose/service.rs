//! What a compose file says of one service, typed.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dotenv::Statement;
use super::purpose::is_admin_port;
use super::references::Reference;
use super::source::{FileId, Span};
use super::variables::ScopeId;

/// One service, merged from every file that speaks of it.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name in the compose file.
    pub name: String,
    /// Where that name stands in the first file that defines it.
    pub name_span: Span,
    /// How it is built here, if it is.
    pub build: Option<Build>,
    /// The image it runs or is tagged as.
    pub image: Option<String>,
    /// It is run by a program of its own: `provider`.
    pub provided: bool,
    /// `container_name`, by which other containers can reach it too.
    pub container_name: Option<String>,
    /// The folder its command runs in, instead of the image's own.
    pub working_dir: Option<String>,
    /// What it runs instead of its image's own entrypoint; the image's own command is then left out too.
    pub entrypoint: Option<Command>,
    /// What it runs instead of its image's own command.
    pub command: Option<Command>,
    /// Where its command stands.
    pub command_span: Option<Span>,
    /// `network_mode`: `host` puts it on the host's own ports.
    pub network_mode: Option<String>,
    /// Networks it is on by name; none means the project's own.
    pub networks: Vec<String>,
    /// Names it answers to on one network alone.
    pub aliases: Vec<NetworkAlias>,
    /// `links`: other services, by names that only it knows them by.
    pub links: Vec<Link>,
    /// `hostname`, by which newer engines let others find it.
    pub hostname: Option<String>,
    /// Names it has addresses of its own for: `extra_hosts`.
    pub extra_hosts: Vec<ExtraHost>,
    /// Ports that it says it listens on: `expose`.
    pub exposed: Vec<RangeInclusive<u16>>,
    /// Published ports.
    pub ports: Vec<Published>,
    /// Services it waits for, by `links`, `volumes_from`, `network_mode`, `ipc` and `pid` too.
    pub depends_on: Vec<String>,
    /// Names in it that the project has to define.
    pub references: Vec<Reference>,
    /// Profiles it belongs to; none means always.
    pub profiles: Vec<String>,
    /// Folders and files of the host it sees.
    pub mounts: Vec<Mount>,
    /// `environment` as declared, in the order in which later entries win.
    pub environment: Vec<Entry>,
    /// `env_file`, in the order in which later files win.
    pub env_files: Vec<EnvFile>,
    /// The mappings that define it, the base file's first; what it extends is not among them.
    pub defined_in: Vec<Span>,
    /// Why it may have settings that are not known here: a base it extends is missing.
    pub gaps: Vec<String>,
}

/// How a service is built here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Absolute folder, or an address as written.
    pub context: PathBuf,
    /// As written in the file, before it was resolved; `.` where nothing is said.
    pub written: String,
    /// Relative to the context; `Dockerfile` where nothing is said.
    pub dockerfile: Option<String>,
    /// The Dockerfile's text where it stands in the compose file itself.
    pub dockerfile_inline: Option<String>,
    /// The stage that is built.
    pub target: Option<String>,
    /// Build arguments.
    pub args: Vec<Entry>,
}

/// What a service runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// One line that docker compose splits into words.
    Line(String),
    /// Words, each an argument of its own.
    Words(Vec<String>),
}

/// A published port, or a range of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The host's ports: as many as the container's, or one of several for a single one; none: docker picks.
    pub host: Option<RangeInclusive<u16>>,
    /// The container's ports.
    pub container: RangeInclusive<u16>,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The address it is published on; none: all.
    pub host_ip: Option<String>,
    /// Where it is declared.
    pub span: Span,
}

/// A folder or file of the host in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Absolute, on the host.
    pub source: PathBuf,
    /// In the container.
    pub target: String,
}

/// Returns what a path of the container is on the host, if a mount shows it; of several mounts the deepest counts.
pub fn mounted_path(mounts: &[Mount], path: &Path) -> Option<PathBuf> {
    let covering =
        mounts.iter().filter_map(|mount| Some((mount, path.strip_prefix(&mount.target).ok()?)));
    let (mount, below) = covering.max_by_key(|(mount, _)| mount.target.len())?;
    // A mounted file has nothing below it, and joining nothing would add a slash.
    Some(match below.as_os_str().is_empty() {
        true => mount.source.clone(),
        false => mount.source.join(below),
    })
}

/// A name on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkAlias {
    /// The network's key in the compose file.
    pub network: String,
    /// The name.
    pub alias: String,
}

/// Another service under a name that one service knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The other service.
    pub service: String,
    /// The name; the service's own where no other is said.
    pub alias: String,
}

/// A name that a container has an address for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraHost {
    /// The name.
    pub name: String,
    /// The address, or `host-gateway`.
    pub address: String,
}

/// One declared variable of `environment` or of a build's `args`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The variable's name.
    pub name: String,
    /// What is declared.
    pub value: Declared,
    /// Where the name stands, without quotes.
    pub name_span: Span,
    /// Where the value stands, quotes included; of a lone name the name, of an alias what it stands for.
    pub value_span: Span,
    /// Bytes of the value, without quotes, where the file has it letter by letter.
    pub verbatim: Option<Range<usize>>,
    /// Which `.env` files its variables are looked up in.
    pub scope: ScopeId,
    /// What it is an entry of.
    pub form: Form,
}

/// What an [`Entry`] is an entry of. Docker compose turns mappings into lists where it merges them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A mapping that nothing was merged with.
    Mapping,
    /// A list, or a mapping that was merged with another.
    List,
}

/// The value of an [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// A value whose variables are to be replaced.
    Template(String),
    /// `NAME=value` as one template, where the name holds variables too.
    Item(String),
    /// Nothing: whatever the shell or `.env` says, and absent if they say nothing.
    Passed,
    /// `!reset`: taken away again.
    Removed,
}

/// A file of variables.
#[derive(Debug, Clone)]
pub struct EnvFile {
    /// Absolute.
    pub path: PathBuf,
    /// As written in the compose file.
    pub written: String,
    /// Whether docker compose refuses to go on without it.
    pub required: bool,
    /// What was found there.
    pub state: EnvFileState,
    /// Where it is named.
    pub span: Span,
}

/// What an `env_file` turned out to be.
#[derive(Debug, Clone)]
pub enum EnvFileState {
    /// Its statements.
    Read(FileId, Arc<[Statement]>),
    /// Not there; the template it is made from, if the repository has one.
    Missing(Option<EnvTemplate>),
    /// There, but of no use, and why.
    Broken(String),
}

/// What a missing `env_file` is made from.
#[derive(Debug, Clone)]
pub struct EnvTemplate {
    /// Absolute.
    pub path: PathBuf,
    /// The file, and the statements in it as far as they can be read; what `<%= ENV['NAME'] %>` says is `${NAME}`.
    pub statements: Option<(FileId, Arc<[Statement]>)>,
}

impl EnvFileState {
    /// The statements of a file that is there.
    pub fn statements(&self) -> Option<(FileId, &[Statement])> {
        match self {
            Self::Read(id, statements) => Some((*id, statements)),
            Self::Missing(_) | Self::Broken(_) => None,
        }
    }

    /// The statements of a file that is there, or that will be once it is made from its template.
    pub fn intended_statements(&self) -> Option<(FileId, &[Statement])> {
        match self {
            Self::Missing(Some(EnvTemplate { statements: Some((id, statements)), .. })) => {
                Some((*id, statements))
            }
            _ => self.statements(),
        }
    }
}

impl Command {
    /// The words as one line.
    pub fn line(&self) -> String {
        match self {
            Self::Line(line) => line.clone(),
            Self::Words(words) => words.join(" "),
        }
    }

    /// Bytes that it takes, about.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Line(line) => line.len(),
            Self::Words(words) => words.iter().map(|word| size_of::<String>() + word.len()).sum(),
        }
    }
}

impl Entry {
    /// The value as written, before variables are replaced; nothing for a lone name.
    pub fn raw(&self) -> Option<&str> {
        match &self.value {
            Declared::Template(template) => Some(template),
            Declared::Item(item) => Some(item.split_once('=').map_or("", |(_, value)| value)),
            Declared::Passed | Declared::Removed => None,
        }
    }
}

impl Service {
    /// The declaration of a variable in `environment` that wins.
    pub fn declared(&self, name: &str) -> Option<&Entry> {
        self.environment.iter().rev().find(|entry| entry.name == name)
    }

    /// Returns whether `span` lies in one of its own mappings: what it inherits from a base is not edited there.
    pub fn defines(&self, span: &Span) -> bool {
        self.defined_in.iter().any(|own| {
            own.file == span.file
                && own.range.start <= span.range.start
                && span.range.end <= own.range.end
        })
    }

    /// Returns whether it lets itself be administered on `port` of its container by convention of its image.
    pub fn is_administered_on(&self, port: u16) -> bool {
        self.image.as_deref().is_some_and(|image| is_admin_port(image, port))
    }
}
