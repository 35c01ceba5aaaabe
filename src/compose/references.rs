//! Names in a service that the project must define: other services, networks, volumes, secrets, configs, models.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::merge::ServiceField;
use super::read::{ComposeFault, MappingReader};
use super::service::ServiceModel;
use super::source::{FileSpan, WarningWeight};
use super::view::{NodeShape, NodeView};

/// A name in a service that the project must define.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceReference {
    /// The kind of object it names.
    pub kind: ReferenceKind,
    /// The name, with its variables replaced.
    pub name: String,
    /// The position of the name.
    pub span: FileSpan,
}

/// The kind of object that a [`ServiceReference`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// Another service, by `depends_on`, `links`, `volumes_from`, `network_mode`, `ipc` or `pid`.
    Service,
    /// A network.
    Network,
    /// A named volume.
    Volume,
    /// A secret.
    Secret,
    /// A config.
    Config,
    /// A model.
    Model,
}

impl ReferenceKind {
    /// The kinds with their own top-level section, and its key.
    const SECTIONS: [(&'static str, Self); 5] = [
        ("networks", Self::Network),
        ("volumes", Self::Volume),
        ("secrets", Self::Secret),
        ("configs", Self::Config),
        ("models", Self::Model),
    ];

    /// Returns the kind that the top-level section `key` defines.
    pub(super) fn of_section(key: &str) -> Option<Self> {
        Self::SECTIONS.iter().find(|(section, _)| *section == key).map(|(_, kind)| *kind)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Network => "network",
            Self::Volume => "volume",
            Self::Secret => "secret",
            Self::Config => "config",
            Self::Model => "model",
        }
    }
}

/// The references of a service, by the key that contains them.
pub(super) type ServiceReferences = BTreeMap<&'static str, ServiceField<Vec<ServiceReference>>>;

/// The keys that make a service depend on another, in the order in which docker compose reads them.
const DEPENDENCIES: [&str; 6] =
    ["depends_on", "links", "network_mode", "ipc", "pid", "volumes_from"];

/// Returns the services that a service depends on, without duplicates.
pub(super) fn dependencies(references: &ServiceReferences) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in DEPENDENCIES {
        for reference in references.get(key).into_iter().flat_map(ServiceField::iter) {
            if !names.contains(&reference.name) {
                names.push(reference.name.clone());
            }
        }
    }
    names
}

/// Merges references over others: each name once, at its position in the upper file.
pub(super) fn merge(
    mut below: Vec<ServiceReference>,
    above: Vec<ServiceReference>,
) -> Vec<ServiceReference> {
    below.retain(|reference| above.iter().all(|other| other.name != reference.name));
    below.extend(above);
    below
}

impl<'t> MappingReader<'_> {
    /// Returns the references in the value of `key`; `None` if the key cannot have any.
    pub(super) fn references(
        &mut self,
        key: &str,
        view: NodeView<'t>,
    ) -> Option<(&'static str, ServiceField<Vec<ServiceReference>>)> {
        let (key, kind) = match key {
            "networks" => ("networks", ReferenceKind::Network),
            "models" => ("models", ReferenceKind::Model),
            "depends_on" => ("depends_on", ReferenceKind::Service),
            "links" => ("links", ReferenceKind::Service),
            "volumes_from" => ("volumes_from", ReferenceKind::Service),
            "network_mode" => ("network_mode", ReferenceKind::Service),
            "ipc" => ("ipc", ReferenceKind::Service),
            "pid" => ("pid", ReferenceKind::Service),
            "secrets" => ("secrets", ReferenceKind::Secret),
            "configs" => ("configs", ReferenceKind::Config),
            "volumes" => ("volumes", ReferenceKind::Volume),
            _ => return None,
        };
        let field = self.field(view, |reader, view| {
            let named = reader.named_in(key, view).into_iter();
            let references =
                named.map(|(name, view)| ServiceReference { kind, name, span: view.span() });
            Some(references.collect())
        });
        Some((key, field))
    }

    /// Returns each name with its position: the keys of a mapping, the references in a list, or a single scalar.
    fn named_in(&mut self, key: &str, view: NodeView<'t>) -> Vec<(String, NodeView<'t>)> {
        match view.shape() {
            NodeShape::Mapping => {
                let entries = view.entries().into_iter();
                entries.map(|(key, name, _)| (key.into_owned(), name)).collect()
            }
            NodeShape::Sequence => {
                view.items().filter_map(|item| self.named_by(key, item)).collect()
            }
            _ => self.named_by(key, view).into_iter().collect(),
        }
    }

    fn named_by(&mut self, key: &str, item: NodeView<'t>) -> Option<(String, NodeView<'t>)> {
        if item.shape() != NodeShape::Mapping {
            return Some((read_referred_name(key, &self.string(item)?)?.to_owned(), item));
        }
        let kind = item.get("type").and_then(|kind| self.string(kind));
        if kind.is_some_and(|kind| kind != "volume") {
            return None;
        }
        let source = item.get("source")?;
        let name = self.string(source)?;
        (!is_path(&name)).then_some((name, source))
    }
}

/// Returns the name that an entry of `key` refers to, if any.
fn read_referred_name<'a>(key: &str, text: &'a str) -> Option<&'a str> {
    match key {
        "links" => text.split(':').next(),
        "volumes_from" if text.starts_with("container:") => None,
        "volumes_from" => text.split(':').next(),
        "network_mode" | "ipc" | "pid" => text.strip_prefix("service:"),
        "volumes" => {
            text.split_once(':').map(|(source, _)| source).filter(|source| !is_path(source))
        }
        _ => Some(text),
    }
}

/// Returns whether the source of a mount is a path of the host; a single letter is a Windows drive.
fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~', '\\']) || source.len() < 2
}

/// Names that the project defines, by kind.
pub(super) type DefinedNames = HashMap<ReferenceKind, HashSet<String>>;

/// Returns the invalid references of services that always run, those without a profile.
pub(super) fn check_references(
    services: &[ServiceModel],
    defined: &DefinedNames,
) -> Vec<ComposeFault> {
    let names: HashSet<&str> = services.iter().map(|service| service.name.as_str()).collect();
    let is_defined = |reference: &ServiceReference| match reference.kind {
        ReferenceKind::Service => names.contains(reference.name.as_str()),
        ReferenceKind::Network if reference.name == "default" => true,
        kind => defined.get(&kind).is_some_and(|names| names.contains(&reference.name)),
    };
    let refuse = |span: &FileSpan, text| ComposeFault {
        span: span.clone(),
        text,
        weight: WarningWeight::Refused,
    };
    let mut faults = Vec::new();
    for service in
        services.iter().filter(|service| service.profiles.is_empty() && service.gaps.is_empty())
    {
        for reference in service.references.iter().filter(|reference| !is_defined(reference)) {
            let word = reference.kind.word();
            let text = format!(
                "the service `{}` refers to the {word} `{}`, which the project does not define",
                service.name, reference.name
            );
            faults.push(refuse(&reference.span, text));
        }
    }
    if let Some((name, span)) = find_cycle(services) {
        let text = format!("the service `{name}` depends on itself, directly or through others");
        faults.push(refuse(&span, text));
    }
    faults
}

/// Finds a service that depends on itself through others, and the position of that dependency.
fn find_cycle(services: &[ServiceModel]) -> Option<(String, FileSpan)> {
    let index: HashMap<&str, usize> =
        services.iter().enumerate().map(|(at, service)| (service.name.as_str(), at)).collect();
    let edges: Vec<Vec<usize>> = services
        .iter()
        .map(|service| {
            service.depends_on.iter().filter_map(|name| index.get(name.as_str()).copied())
        })
        .map(Iterator::collect)
        .collect();
    // Repeatedly remove services that depend on no remaining service.
    let mut waits: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut waiting_for: Vec<Vec<usize>> = vec![Vec::new(); services.len()];
    for (from, targets) in edges.iter().enumerate() {
        for target in targets {
            waiting_for[*target].push(from);
        }
    }
    let mut free: Vec<usize> = (0..services.len()).filter(|at| waits[*at] == 0).collect();
    while let Some(at) = free.pop() {
        for from in &waiting_for[at] {
            waits[*from] -= 1;
            if waits[*from] == 0 {
                free.push(*from);
            }
        }
    }
    let mut at = waits.iter().position(|left| *left > 0)?;
    // A remaining service may only lead to a cycle: after as many steps as there are services, the walk is inside one.
    for _ in services {
        at = *edges[at].iter().find(|target| waits[**target] > 0)?;
    }
    let service = &services[at];
    let mut references = service.references.iter();
    let reference = references.find(|reference| reference.kind == ReferenceKind::Service)?;
    Some((service.name.clone(), reference.span.clone()))
}
