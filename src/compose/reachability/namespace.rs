//! The network namespace of a service's container: `network_mode` and `networks`.

use crate::compose::model::ComposeModel;
use crate::compose::read::MappingReader;
use crate::compose::service::ServiceModel;
use crate::compose::view::{NodeShape, NodeView};

use super::ComposeNetwork;

/// The network namespace of a container.
#[derive(Clone, Copy)]
pub(super) enum NetworkNamespace<'m> {
    /// That of this service: its own, or one shared by another service.
    Own(&'m ServiceModel),
    /// The host's.
    Host,
    /// None at all.
    None,
    /// On the default bridge, where names do not resolve.
    Bridge,
    /// That of a container outside of the project.
    Foreign,
}

impl<'m> NetworkNamespace<'m> {
    /// Resolves `network_mode: service:…` to its final service.
    pub(super) fn of(model: &'m ComposeModel, service: &'m ServiceModel) -> Self {
        let mut at = service;
        for _ in 0..=model.services.len() {
            let mode = at.network_mode.as_deref().unwrap_or_default();
            let shared = match mode.split_once(':') {
                Some(("service", name)) => model.service(name),
                Some(("container", name)) => {
                    let mut services = model.services.iter();
                    services.find(|service| service.container_name.as_deref() == Some(name))
                }
                _ => None,
            };
            match (mode, shared) {
                (_, Some(shared)) => at = shared,
                ("host", None) => return Self::Host,
                ("none", None) => return Self::None,
                ("bridge" | "default", None) => return Self::Bridge,
                ("", None) => return Self::Own(at),
                _ => return Self::Foreign,
            }
        }
        Self::Foreign
    }

    /// Returns the service that owns the namespace.
    pub(super) fn owner(&self) -> Option<&'m ServiceModel> {
        match self {
            Self::Own(owner) => Some(owner),
            Self::Host | Self::None | Self::Bridge | Self::Foreign => None,
        }
    }

    /// Returns whether nothing outside of its networks can be reached.
    pub(super) fn is_internal(&self, model: &ComposeModel) -> bool {
        let Some(owner) = self.owner() else { return false };
        list_networks(owner).all(|key| {
            let network = model.networks.get(key);
            network.is_some_and(|network| network.internal == Some(true) && !network.external)
        })
    }
}

/// Returns the networks of a service with its own namespace.
pub(super) fn list_networks(service: &ServiceModel) -> impl Iterator<Item = &str> {
    let listed = service.networks.iter().map(String::as_str);
    listed.chain(service.networks.is_empty().then_some("default"))
}

impl<'t> MappingReader<'_> {
    /// Reads an entry of the top-level `networks`.
    pub(in crate::compose) fn network(&mut self, view: NodeView<'t>) -> ComposeNetwork {
        if view.shape() != NodeShape::Mapping {
            return ComposeNetwork::default();
        }
        let mut word = |key: &str| view.get(key).and_then(|value| self.string(value));
        let external = view.get("external");
        let is_external = external.is_some_and(|value| value.shape() == NodeShape::Mapping);
        ComposeNetwork {
            internal: word("internal").map(|text| text == "true"),
            external: is_external || word("external").is_some_and(|text| text == "true"),
            name: word("name"),
        }
    }
}
