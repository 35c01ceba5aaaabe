//! Reads the mapping of one service in one file.

mod addresses;
mod variables;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::merge::{PartialService, ServiceField};
use super::ports;
use super::service::{EnvFileFormat, HostMount, PublishedPorts, ServiceBuild, ServiceCommand};
use super::source::{FileSpan, WarningWeight};
use super::variables::{ProjectVariables, ScopeId};
use super::view::{NodeShape, NodeView, OverrideTag};

/// The context of reading a mapping: its variables, and the folder of its relative paths.
pub(super) struct MappingReader<'a> {
    pub(super) variables: &'a ProjectVariables,
    pub(super) scope: ScopeId,
    pub(super) folder: &'a Path,
    pub(super) faults: Vec<ComposeFault>,
    /// Positions that make docker compose fetch or run something other than the project's files and the engine.
    pub(super) reaches: Vec<FileSpan>,
}

/// Something docker compose rejects, and its position.
#[derive(Debug, Clone)]
pub(super) struct ComposeFault {
    pub(super) span: FileSpan,
    pub(super) text: String,
    pub(super) weight: WarningWeight,
}

/// `extends`, with its variables replaced.
#[derive(Debug, Clone)]
pub(super) struct ExtendsReference {
    pub(super) file: Option<String>,
    pub(super) service: String,
    pub(super) span: FileSpan,
}

/// An `env_file` entry that is not looked up yet.
#[derive(Debug, Clone)]
pub(super) struct EnvFilePath {
    pub(super) written: String,
    pub(super) required: bool,
    pub(super) format: EnvFileFormat,
    pub(super) span: FileSpan,
}

/// A service as one mapping describes it.
pub(super) struct ServiceMapping {
    pub(super) partial: Arc<PartialService>,
    /// Its [`PartialService::weight`] in bytes.
    pub(super) weight: usize,
    pub(super) extends: Option<ExtendsReference>,
    pub(super) env_files: ServiceField<Vec<EnvFilePath>>,
    /// The files that `label_file` names.
    pub(super) label_files: Vec<(String, FileSpan)>,
    /// The position of the service's name, if it has no value.
    pub(super) without_value: Option<FileSpan>,
    /// Schema faults that are not yet reported.
    pub(super) refused: RefCell<Vec<ComposeFault>>,
}

impl<'t> MappingReader<'_> {
    pub(super) fn refuse(&mut self, view: NodeView<'t>, text: impl Into<String>) {
        self.faults.push(ComposeFault {
            span: view.span(),
            text: text.into(),
            weight: WarningWeight::Refused,
        });
    }

    pub(super) fn service(
        &mut self,
        name: &str,
        key: NodeView<'t>,
        view: NodeView<'t>,
    ) -> ServiceMapping {
        let mut partial = PartialService::new(name.to_owned(), key.text_span(), view.span());
        let mut env_files = ServiceField::Silent;
        let mut label_files = Vec::new();
        let mut extends = None;
        for (key, _, value) in view.entries() {
            partial.references.extend(self.references(&key, value));
            if value.shape() != NodeShape::Null {
                partial.given_keys.push(key.to_string());
            }
            match key.as_ref() {
                "image" => partial.image = self.field(value, Self::string),
                "provider" => {
                    partial.provider = self.field(value, |_, _| Some(()));
                    // Docker compose runs the named program.
                    self.reaches.push(value.span());
                }
                "container_name" => partial.container_name = self.field(value, Self::string),
                "working_dir" => partial.working_dir = self.field(value, Self::string),
                "network_mode" => partial.network_mode = self.field(value, Self::string),
                "networks" => {
                    partial.networks = self.field(value, Self::names);
                    partial.aliases = self.field(value, Self::aliases);
                }
                "links" => partial.links = self.field(value, Self::links),
                "hostname" => partial.hostname = self.field(value, Self::string),
                "expose" => partial.exposed = self.field(value, Self::exposed),
                "extra_hosts" => partial.extra_hosts = self.field(value, Self::hosts),
                "build" => partial.build = self.field(value, Self::build),
                "entrypoint" => partial.entrypoint = self.field(value, Self::command),
                "command" => {
                    partial.command = self.field(value, Self::command);
                    partial.command_span = self.field(value, |_, view| Some(view.span()));
                }
                "ports" => partial.ports = self.field(value, Self::ports),
                "profiles" => partial.profiles = self.field(value, Self::names),
                "volumes" => partial.mounts = self.field(value, Self::mounts),
                "environment" => partial.environment = self.field(value, Self::variables),
                "env_file" => env_files = self.field(value, Self::env_files),
                "label_file" => label_files = self.named_files(value),
                "extends" => extends = self.extends(value),
                _ => {}
            }
        }
        ServiceMapping {
            weight: partial.weight(),
            partial: Arc::new(partial),
            extends,
            env_files,
            label_files,
            without_value: None,
            refused: RefCell::default(),
        }
    }

    pub(super) fn field<T>(
        &mut self,
        view: NodeView<'t>,
        read: impl FnOnce(&mut Self, NodeView<'t>) -> Option<T>,
    ) -> ServiceField<T> {
        match view.mark() {
            OverrideTag::Reset => return ServiceField::Reset,
            _ if view.shape() == NodeShape::Null => return ServiceField::Silent,
            _ => {}
        }
        match (read(self, view), view.mark()) {
            (Some(value), OverrideTag::Override) => ServiceField::Instead(value),
            (Some(value), _) => ServiceField::Said(value),
            (None, _) => ServiceField::Silent,
        }
    }

    /// Returns a scalar with its variables replaced; `None` if it has no result, which is reported elsewhere.
    pub(super) fn string(&mut self, view: NodeView<'t>) -> Option<String> {
        let text = view.text()?;
        if !text.contains('$') {
            return Some(text.into_owned());
        }
        let interpolated = self.variables.interpolate(self.scope, &text).ok()?;
        Some(interpolated.text)
    }

    /// Reads a list of strings, a single string, or the keys of a mapping.
    pub(super) fn names(&mut self, view: NodeView<'t>) -> Option<Vec<String>> {
        match view.shape() {
            NodeShape::Mapping => {
                Some(view.entries().into_iter().map(|(key, _, _)| key.into_owned()).collect())
            }
            NodeShape::Sequence => {
                Some(view.items().filter_map(|item| self.string(item)).collect())
            }
            _ => Some(vec![self.string(view)?]),
        }
    }

    fn command(&mut self, view: NodeView<'t>) -> Option<ServiceCommand> {
        if view.shape() == NodeShape::Sequence {
            return Some(ServiceCommand::Words(self.names(view)?));
        }
        self.string(view).map(ServiceCommand::Line)
    }

    fn build(&mut self, view: NodeView<'t>) -> Option<ServiceBuild> {
        let mut build = ServiceBuild {
            context: self.folder.to_owned(),
            written: String::new(),
            dockerfile: None,
            dockerfile_inline: None,
            target: None,
            args: Vec::new(),
        };
        if view.shape() == NodeShape::Scalar {
            build.written = self.string(view)?;
        }
        if view.shape() == NodeShape::Mapping {
            for (key, _, value) in view.entries() {
                match key.as_ref() {
                    "context" => build.written = self.string(value).unwrap_or_default(),
                    "dockerfile" => build.dockerfile = self.string(value),
                    "dockerfile_inline" => build.dockerfile_inline = self.string(value),
                    "target" => build.target = self.string(value),
                    "args" => build.args = self.variables(value).unwrap_or_default(),
                    "additional_contexts" => self.note_contexts(value),
                    _ => {}
                }
            }
        }
        if !build.written.is_empty() {
            build.context = self.path(&build.written);
        }
        if is_address(&build.written) {
            self.reaches.push(view.span());
        }
        Some(build)
    }

    /// Records which additional build contexts are remote. An image is treated like any other.
    fn note_contexts(&mut self, view: NodeView<'t>) {
        let mapped = view.entries().into_iter().map(|(_, _, value)| value);
        for value in mapped.chain(view.items()) {
            let written = self.string(value).unwrap_or_default();
            let address = match view.shape() {
                NodeShape::Sequence => written.split_once('=').map_or("", |(_, address)| address),
                _ => &written,
            };
            if is_address(address) && !address.starts_with("docker-image://") {
                self.reaches.push(value.span());
            }
        }
    }

    /// Records a path of `include` or `extends` that docker compose would fetch.
    pub(super) fn note_path(&mut self, written: &str, span: &FileSpan) {
        if may_be_fetched(written) {
            self.reaches.push(span.clone());
        }
    }

    fn ports(&mut self, view: NodeView<'t>) -> Option<Vec<PublishedPorts>> {
        let mut out = Vec::new();
        for item in view.items() {
            let read = if item.shape() == NodeShape::Mapping {
                let mut part = |key| item.get(key).and_then(|value| self.string(value));
                let (ip, host) = (part("host_ip"), part("published").unwrap_or_default());
                let protocol = part("protocol").unwrap_or_else(|| "tcp".to_owned());
                let target = part("target").unwrap_or_default();
                ports::parse_published_port(ip.as_deref(), &host, &target, &protocol, &item.span())
            } else {
                let Some(text) = self.string(item) else {
                    continue;
                };
                ports::parse(&text, &item.span())
            };
            match read {
                Some(read) => out.push(read),
                None => self.refuse(item, "this is not a port docker compose can publish"),
            }
        }
        Some(out)
    }

    fn mounts(&mut self, view: NodeView<'t>) -> Option<Vec<HostMount>> {
        let mut out = Vec::new();
        for item in view.items() {
            if item.shape() == NodeShape::Mapping {
                let mut part = |key| item.get(key).and_then(|value| self.string(value));
                if part("type").as_deref() == Some("bind")
                    && let (Some(source), Some(target)) = (part("source"), part("target"))
                {
                    out.push(self.mount(&source, &target));
                }
                continue;
            }
            let Some(text) = self.string(item) else {
                continue;
            };
            let mut parts = text.splitn(3, ':');
            if let (Some(source), Some(target)) = (parts.next(), parts.next())
                && source.starts_with(['.', '/', '~'])
            {
                out.push(self.mount(source, target));
            }
        }
        Some(out)
    }

    fn mount(&self, source: &str, target: &str) -> HostMount {
        let trimmed = target.trim_end_matches('/');
        HostMount {
            source: self.path(source),
            target: if trimmed.is_empty() { target } else { trimmed }.to_owned(),
        }
    }

    fn extends(&mut self, view: NodeView<'t>) -> Option<ExtendsReference> {
        let span = view.span();
        if view.shape() == NodeShape::Mapping {
            let file = view.get("file").and_then(|value| self.string(value));
            if let Some(written) = &file {
                self.note_path(written, &span);
            }
            let service = view.get("service").and_then(|value| self.string(value));
            let Some(service) = service else {
                self.refuse(view, "`extends` names no service");
                return None;
            };
            return Some(ExtendsReference { file, service, span });
        }
        let service = self.string(view)?;
        Some(ExtendsReference { file: None, service, span })
    }

    fn named_files(&mut self, view: NodeView<'t>) -> Vec<(String, FileSpan)> {
        let items: Vec<NodeView<'t>> = match view.shape() {
            NodeShape::Sequence => view.items().collect(),
            _ => vec![view],
        };
        items.into_iter().filter_map(|item| Some((self.string(item)?, item.span()))).collect()
    }

    fn env_files(&mut self, view: NodeView<'t>) -> Option<Vec<EnvFilePath>> {
        let items: Vec<NodeView<'t>> = match view.shape() {
            NodeShape::Sequence => view.items().collect(),
            _ => vec![view],
        };
        let mut out = Vec::new();
        for item in items {
            let mapping = item.shape() == NodeShape::Mapping;
            let path = if mapping { item.get("path") } else { Some(item) };
            let Some(written) = path.and_then(|path| self.string(path)) else {
                continue;
            };
            let part =
                |reader: &mut Self, key| item.get(key).and_then(|value| reader.string(value));
            out.push(EnvFilePath {
                written,
                required: !mapping || part(self, "required").as_deref() != Some("false"),
                format: if mapping && part(self, "format").as_deref() == Some("raw") {
                    EnvFileFormat::Raw
                } else {
                    EnvFileFormat::Dotenv
                },
                span: item.span(),
            });
        }
        Some(out)
    }

    /// Resolves a path as docker compose does; a remote address is unchanged.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        if is_address(written) {
            return PathBuf::from(written);
        }
        let home = self.variables.get("HOME");
        if let (Some(rest), Some(home)) = (written.strip_prefix('~'), home)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return clean_path(&Path::new(home).join(rest.trim_start_matches('/')));
        }
        let below = written.strip_prefix("./").unwrap_or(written);
        // Most paths contain no special components and need no cleaning.
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        if below.split('/').all(is_plain) {
            self.folder.join(below)
        } else {
            clean_path(&self.folder.join(written))
        }
    }
}

/// Returns whether docker's builder treats this as a remote address, not a path.
fn is_address(written: &str) -> bool {
    written.contains("://") || written.starts_with("git@") || written.starts_with("github.com/")
}

/// Returns whether docker compose may treat this as a remote address: `https://…`, `oci://…`, `git@host:path`, also
/// `host:path`, and also after joining it to a folder has removed a slash.
pub(super) fn may_be_fetched(written: &str) -> bool {
    written.contains(':') || written.starts_with("github.com/")
}

/// Removes `.` and `..` from a path, without looking at the disk.
pub fn clean_path(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::source::FileId;
    use crate::compose::texts::load_texts;
    use crate::edit::yaml::tree::YamlTree;

    fn weight(service: &str) -> usize {
        let tree = YamlTree::parse(service).unwrap();
        let root = NodeView::roots(&tree, FileId(0)).next().unwrap();
        let model = load_texts(&[("compose.yaml", "services: {}\n")], &[]).unwrap();
        let mut reader = MappingReader {
            variables: model.plain(),
            scope: ScopeId::PROJECT,
            folder: Path::new("/p"),
            faults: Vec::new(),
            reaches: Vec::new(),
        };
        reader.service("a", root, root).weight
    }

    #[test]
    fn the_weight_of_a_service_grows_by_what_its_lists_and_texts_hold() {
        for (service, kept) in [
            // A network is counted both as a name and as a reference.
            ("networks: [L]", 2),
            ("networks: {n: {aliases: [L]}}", 1),
            ("profiles: [L]", 1),
            ("links: ['a:L']", 1),
            ("extra_hosts: ['L:1.2.3.4']", 1),
            ("extra_hosts: ['h:L']", 1),
            ("depends_on: [L]", 1),
            ("secrets: [L]", 1),
            ("entrypoint: L", 1),
            ("command: [x, L]", 1),
            ("build: {context: ., args: {A: L}}", 1),
            ("build: {context: ., dockerfile_inline: L}", 1),
            ("volumes: ['./L:/x']", 1),
            ("volumes: ['./x:/L']", 1),
            ("environment: {A: L}", 1),
            ("environment: {L: 1}", 1),
            ("environment: [L=1]", 1),
        ] {
            let of = |length: usize| weight(&service.replace('L', &"y".repeat(length)));
            assert_eq!(of(1001), of(1) + 1000 * kept, "{service}");
        }
    }

    #[test]
    fn each_item_of_a_service_weighs_something() {
        for (one, two) in [
            ("ports: ['1:1']", "ports: ['1:1', '2:2']"),
            ("expose: [1]", "expose: [1, 2]"),
            ("profiles: [a]", "profiles: [a, '']"),
            ("environment: [A]", "environment: [A, '']"),
            ("volumes: ['./a:/a']", "volumes: ['./a:/a', './:/']"),
        ] {
            assert!(weight(one) < weight(two), "{two}");
        }
    }
}
