//! Reads how a service is found and finds others: `networks`, `links`, `extra_hosts`, `expose`.

use std::ops::RangeInclusive;

use super::MappingReader;
use crate::compose::ports;
use crate::compose::service::{ExtraHost, NetworkAlias, ServiceLink};
use crate::compose::view::{NodeShape, NodeView};

impl<'t> MappingReader<'_> {
    /// Reads the aliases in a mapping of networks.
    pub(super) fn aliases(&mut self, view: NodeView<'t>) -> Option<Vec<NetworkAlias>> {
        let mut out = Vec::new();
        for (network, _, value) in view.entries() {
            let aliases = value.get("aliases").and_then(|aliases| self.names(aliases));
            let named = |alias| NetworkAlias { network: network.clone().into_owned(), alias };
            out.extend(aliases.unwrap_or_default().into_iter().map(named));
        }
        Some(out)
    }

    /// Reads items `service` or `service:alias`.
    pub(super) fn links(&mut self, view: NodeView<'t>) -> Option<Vec<ServiceLink>> {
        let links = self.names(view)?.into_iter().map(|link| {
            let (service, alias) = link.split_once(':').unwrap_or((&link, &link));
            ServiceLink { service: service.to_owned(), alias: alias.to_owned() }
        });
        Some(links.collect())
    }

    /// Reads a mapping, or a list of `name:address` and `name=address`.
    pub(super) fn hosts(&mut self, view: NodeView<'t>) -> Option<Vec<ExtraHost>> {
        let mut out = Vec::new();
        if view.shape() == NodeShape::Mapping {
            for (name, _, value) in view.entries() {
                let addresses = self.names(value).unwrap_or_default();
                let named = |address| ExtraHost { name: name.clone().into_owned(), address };
                out.extend(addresses.into_iter().map(named));
            }
            return Some(out);
        }
        let items: Vec<NodeView<'t>> = match view.shape() {
            NodeShape::Sequence => view.items().collect(),
            _ => vec![view],
        };
        for item in items {
            let Some(entry) = self.string(item) else { continue };
            match entry.split_once([':', '=']) {
                Some((name, address)) => out.push(ExtraHost {
                    name: name.to_owned(),
                    address: address.trim_matches(['[', ']']).to_owned(),
                }),
                None => self.refuse(item, "an entry of `extra_hosts` is `name:address`"),
            }
        }
        Some(out)
    }

    /// Reads ports or ranges with an optional protocol.
    pub(super) fn exposed(&mut self, view: NodeView<'t>) -> Option<Vec<RangeInclusive<u16>>> {
        let ports = self.names(view)?.into_iter();
        let range =
            |port: String| ports::parse_port_range(port.split('/').next().unwrap_or_default());
        Some(ports.filter_map(range).collect())
    }
}
