//! The typed content of a compose service.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dotenv::DotenvStatement;
use super::purpose::is_admin_port;
use super::references::ServiceReference;
use super::source::{FileId, FileSpan};
use super::variables::ScopeId;

/// A service, merged from every file that defines it.
#[derive(Debug, Clone)]
pub struct ServiceModel {
    /// Its name in the compose file.
    pub name: String,
    /// Position of the name in the first file that defines it.
    pub name_span: FileSpan,
    /// How it is built, if it is.
    pub build: Option<ServiceBuild>,
    /// The image it runs, or the tag of the built image.
    pub image: Option<String>,
    /// Whether an external program runs it: `provider`.
    pub provided: bool,
    /// `container_name`, which also resolves for other containers.
    pub container_name: Option<String>,
    /// The working folder of the command, overriding that of the image.
    pub working_dir: Option<String>,
    /// The entrypoint that overrides the image's; the image's command is then ignored as well.
    pub entrypoint: Option<ServiceCommand>,
    /// The command that overrides the image's.
    pub command: Option<ServiceCommand>,
    /// Position of the command.
    pub command_span: Option<FileSpan>,
    /// `network_mode`; with `host` it uses the host's ports directly.
    pub network_mode: Option<String>,
    /// Names of its networks; if empty, the project's default network.
    pub networks: Vec<String>,
    /// Names that resolve on one network only.
    pub aliases: Vec<NetworkAlias>,
    /// `links`: other services, under names that only this service resolves.
    pub links: Vec<ServiceLink>,
    /// `hostname`, which newer engines resolve for other containers.
    pub hostname: Option<String>,
    /// `extra_hosts`: names with fixed addresses.
    pub extra_hosts: Vec<ExtraHost>,
    /// `expose`: ports that it declares to listen on.
    pub exposed: Vec<RangeInclusive<u16>>,
    /// Published ports.
    pub ports: Vec<PublishedPorts>,
    /// Services it depends on, including those of `links`, `volumes_from`, `network_mode`, `ipc` and `pid`.
    pub depends_on: Vec<String>,
    /// Names in it that the project must define.
    pub references: Vec<ServiceReference>,
    /// Its profiles; if empty, it always runs.
    pub profiles: Vec<String>,
    /// Folders and files of the host that are mounted.
    pub mounts: Vec<HostMount>,
    /// `environment` as declared; later entries override earlier ones.
    pub environment: Vec<DeclaredVariable>,
    /// `env_file`; later files override earlier ones.
    pub env_files: Vec<EnvFile>,
    /// The mappings that define it, starting with the base file's; extended services are not included.
    pub defined_in: Vec<FileSpan>,
    /// Reasons why it may have unknown settings: an extended service is missing.
    pub gaps: Vec<String>,
}

/// How the image of a service is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceBuild {
    /// Absolute path of the context folder, or a remote address as written.
    pub context: PathBuf,
    /// The context as written in the file; `.` by default.
    pub written: String,
    /// Path relative to the context; `Dockerfile` by default.
    pub dockerfile: Option<String>,
    /// The text of an inline Dockerfile.
    pub dockerfile_inline: Option<String>,
    /// The stage to build.
    pub target: Option<String>,
    /// Build arguments.
    pub args: Vec<DeclaredVariable>,
}

/// A command or entrypoint of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceCommand {
    /// A line that docker compose splits into words.
    Line(String),
    /// Separate arguments.
    Words(Vec<String>),
}

/// A published port, or a range of ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPorts {
    /// The host ports: as many as the container's, or a range to choose one from for a single port; `None` if docker
    /// chooses.
    pub host: Option<RangeInclusive<u16>>,
    /// The container ports.
    pub container: RangeInclusive<u16>,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The address it is bound to; `None` for all addresses.
    pub host_ip: Option<String>,
    /// Position of the declaration.
    pub span: FileSpan,
}

/// A folder or file of the host, mounted in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostMount {
    /// Absolute path on the host.
    pub source: PathBuf,
    /// Path in the container.
    pub target: String,
}

/// Returns the host path of a container path, if a mount covers it; of several mounts the deepest counts.
pub fn mounted_path(mounts: &[HostMount], path: &Path) -> Option<PathBuf> {
    let covering =
        mounts.iter().filter_map(|mount| Some((mount, path.strip_prefix(&mount.target).ok()?)));
    let (mount, below) = covering.max_by_key(|(mount, _)| mount.target.len())?;
    // Nothing is below a mounted file, and joining an empty path would add a slash.
    Some(if below.as_os_str().is_empty() { mount.source.clone() } else { mount.source.join(below) })
}

/// A name on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkAlias {
    /// The network's key in the compose file.
    pub network: String,
    /// The name.
    pub alias: String,
}

/// Another service under a name that one service uses for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLink {
    /// The other service.
    pub service: String,
    /// The name; the service's own by default.
    pub alias: String,
}

/// A name with a fixed address in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraHost {
    /// The name.
    pub name: String,
    /// The address, or `host-gateway`.
    pub address: String,
}

/// A variable declared in `environment` or in a build's `args`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredVariable {
    /// The variable's name.
    pub name: String,
    /// The declared value.
    pub value: DeclaredValue,
    /// Position of the name, without quotes.
    pub name_span: FileSpan,
    /// Position of the value, quotes included; for a name without a value that of the name, for an alias that of its
    /// target.
    pub value_span: FileSpan,
    /// Byte range of the value without quotes, if the file contains it verbatim.
    pub verbatim: Option<Range<usize>>,
    /// The scope that its variables are looked up in.
    pub scope: ScopeId,
    /// The form of the collection that declares it.
    pub form: VariableForm,
}

/// The form of the collection that an [`DeclaredVariable`] belongs to. Docker compose converts merged mappings to
/// lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableForm {
    /// A mapping that was not merged.
    Mapping,
    /// A list, or a merged mapping.
    List,
}

/// The value of an [`DeclaredVariable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredValue {
    /// A value whose variables must be replaced.
    Template(String),
    /// `NAME=value` as one template, because the name contains variables as well.
    Item(String),
    /// No value: taken from the shell or `.env`, and absent if neither sets it.
    Passed,
    /// `!reset`: removed.
    Removed,
}

/// The syntax of an `env_file`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum EnvFileFormat {
    /// That of a `.env` file, with quotes and references.
    Dotenv,
    /// `format: raw`: values are taken as written.
    Raw,
}

/// A file of variables.
#[derive(Debug, Clone)]
pub struct EnvFile {
    /// Absolute path.
    pub path: PathBuf,
    /// As written in the compose file.
    pub written: String,
    /// Whether docker compose fails without it.
    pub required: bool,
    /// The state of the file.
    pub state: EnvFileState,
    /// Position of the entry.
    pub span: FileSpan,
}

/// The state of an `env_file`.
#[derive(Debug, Clone)]
pub enum EnvFileState {
    /// It exists; its statements.
    Read(FileId, Arc<[DotenvStatement]>),
    /// It is missing; its template, if the repository has one.
    Missing(Option<EnvTemplate>),
    /// It exists but cannot be used; the reason.
    Broken(String),
}

/// The template that a missing `env_file` is created from.
#[derive(Debug, Clone)]
pub struct EnvTemplate {
    /// Absolute path.
    pub path: PathBuf,
    /// The file and its readable statements, with `<%= ENV['NAME'] %>` converted to `${NAME}`.
    pub statements: Option<(FileId, Arc<[DotenvStatement]>)>,
}

impl EnvFileState {
    /// Returns the statements of an existing file.
    pub fn statements(&self) -> Option<(FileId, &[DotenvStatement])> {
        match self {
            Self::Read(id, statements) => Some((*id, statements)),
            Self::Missing(_) | Self::Broken(_) => None,
        }
    }

    /// Returns the statements of a file that exists or can be created from its template.
    pub fn intended_statements(&self) -> Option<(FileId, &[DotenvStatement])> {
        match self {
            Self::Missing(Some(EnvTemplate { statements: Some((id, statements)), .. })) => {
                Some((*id, statements))
            }
            _ => self.statements(),
        }
    }
}

impl ServiceCommand {
    /// Returns the words joined into one line.
    pub fn line(&self) -> String {
        match self {
            Self::Line(line) => line.clone(),
            Self::Words(words) => words.join(" "),
        }
    }

    /// Returns its approximate size in bytes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Line(line) => line.len(),
            Self::Words(words) => words.iter().map(|word| size_of::<String>() + word.len()).sum(),
        }
    }
}

impl DeclaredVariable {
    /// Returns the value as written, before variables are replaced; `None` for a name without a value.
    pub fn raw(&self) -> Option<&str> {
        match &self.value {
            DeclaredValue::Template(template) => Some(template),
            DeclaredValue::Item(item) => Some(item.split_once('=').map_or("", |(_, value)| value)),
            DeclaredValue::Passed | DeclaredValue::Removed => None,
        }
    }
}

impl ServiceModel {
    /// Returns the effective declaration of a variable in `environment`.
    pub fn declared(&self, name: &str) -> Option<&DeclaredVariable> {
        self.environment.iter().rev().find(|entry| entry.name == name)
    }

    /// Returns whether `span` is in a mapping of the service itself; inherited settings are not edited there.
    pub fn defines(&self, span: &FileSpan) -> bool {
        self.defined_in.iter().any(|defined| {
            defined.file == span.file
                && defined.range.start <= span.range.start
                && span.range.end <= defined.range.end
        })
    }

    /// Returns whether `port` of its container is an administration port, judging by its image.
    pub fn is_administered_on(&self, port: u16) -> bool {
        self.image.as_deref().is_some_and(|image| is_admin_port(image, port))
    }
}
