//! Determines where an address used by a service leads, as docker compose and the engine's DNS resolve it.
//!
//! Reports only what the files prove or disprove; whether anything listens on an undeclared port is unknown here.

mod namespace;
mod obstacle;

use std::net::IpAddr;

use foldhash::HashMap;
use url::Url;

use super::model::ComposeModel;
use super::service::ServiceModel;

use namespace::NetworkNamespace;
pub use obstacle::AddressObstacle;

/// Host names for the machine itself inside containers, if `extra_hosts` or Docker Desktop provides them.
const MACHINE_NAMES: [&str; 2] = ["host.docker.internal", "gateway.docker.internal"];

/// A network of the project, as its files describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ComposeNetwork {
    /// Whether containers on it cannot reach anything outside of it.
    pub(super) internal: Option<bool>,
    /// Whether containers of other projects may be on it.
    pub(super) external: bool,
    /// Its name in the engine, if set explicitly.
    pub(super) name: Option<String>,
}

impl ComposeNetwork {
    /// Merges a later definition over this one.
    pub(super) fn lay_over(&mut self, above: &Self) {
        self.internal = above.internal.or(self.internal);
        self.external |= above.external;
        self.name = above.name.clone().or(self.name.take());
    }
}

/// The target of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressTarget {
    /// Only the service's own container.
    Own,
    /// A port of a service's container.
    Container {
        /// The service.
        service: String,
        /// The container's port; differs from the address if that names a host port.
        port: u16,
    },
    /// A port of this machine that no service publishes.
    Machine,
    /// A target outside of the project, or one that its files do not describe.
    Outside,
    /// None: the files show that it cannot be reached.
    Unreachable(AddressObstacle),
}

/// Determines where `host` and `port` lead for the service `from`, over `protocol` (`tcp` or `udp`).
pub fn find_target(
    model: &ComposeModel,
    from: &ServiceModel,
    (host, port): (&str, u16),
    protocol: &str,
) -> AddressTarget {
    let address = ServiceAddress { model, from, port, protocol };
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
    let space = NetworkNamespace::of(model, from);
    if is_own_host(&host) {
        return address.within(&space);
    }
    if let NetworkNamespace::None = space {
        return AddressTarget::Unreachable(AddressObstacle::NoNetwork);
    }
    // Containers that share a network namespace also share the hosts file.
    let owner = space.owner().unwrap_or(from);
    let known = [from, owner].into_iter().flat_map(|service| &service.extra_hosts);
    if let Some(known) = known.into_iter().find(|known| known.name.eq_ignore_ascii_case(&host)) {
        return match known.address.as_str() {
            "host-gateway" => address.on_machine(MachineClient::Container),
            text if is_own_host(text) => address.within(&space),
            _ => AddressTarget::Outside,
        };
    }
    if MACHINE_NAMES.contains(&&*host) {
        return address.on_machine(MachineClient::Container);
    }
    if host.parse::<IpAddr>().is_ok() {
        return match is_private(&host) {
            false if space.is_internal(model) => {
                AddressTarget::Unreachable(AddressObstacle::Internal)
            }
            _ => AddressTarget::Outside,
        };
    }
    address.named(&space, &host)
}

/// Determines where an endpoint leads, with or without a scheme; `None` if it is not an address.
pub fn find_endpoint_target(
    model: &ComposeModel,
    from: &ServiceModel,
    endpoint: &str,
) -> Option<AddressTarget> {
    let text = endpoint.trim();
    let parsed =
        if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    let url = parsed.ok()?;
    let port = url.port_or_known_default()?;
    Some(find_target(model, from, (url.host_str()?, port), "tcp"))
}

/// Returns whether `service` needs an `extra_hosts` entry before it can send to `host`; only Docker Desktop provides
/// the name by itself.
pub fn lacks_machine_name(model: &ComposeModel, service: &ServiceModel, host: &str) -> bool {
    let space = NetworkNamespace::of(model, service);
    let Some(owner) = space.owner() else { return false };
    let mut known = [service, owner].into_iter().flat_map(|service| &service.extra_hosts);
    MACHINE_NAMES.iter().any(|name| name.eq_ignore_ascii_case(host))
        && !known.any(|known| known.name.eq_ignore_ascii_case(host))
}

/// Returns whether no service of the project has the name `host`, and no external network may supply it.
pub fn is_unknown_name(model: &ComposeModel, from: &ServiceModel, host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_plain = !host.contains(['.', ':', '$']) && !is_own_host(&host);
    let Some(owner) = NetworkNamespace::of(model, from).owner().filter(|_| is_plain) else {
        return false;
    };
    let is_shared = |key: &str| model.networks.get(key).is_some_and(|network| network.external);
    let mut services = [from, owner].into_iter();
    let is_known = services.any(|service| {
        let mut hosts = service.extra_hosts.iter();
        let mut links = service.links.iter();
        hosts.any(|known| known.name.eq_ignore_ascii_case(&host))
            || links.any(|link| link.alias.eq_ignore_ascii_case(&host))
    });
    let address = ServiceAddress { model, from, port: 0, protocol: "tcp" };
    !is_known && !namespace::list_networks(owner).any(is_shared) && address.bearer(&host).is_none()
}

/// Returns whether `host` always refers to the sender itself.
pub fn is_own_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address.is_unspecified(),
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

/// Returns whether a host is an IP address that a container of the project may have.
fn is_private(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_unique_local() || address.is_unicast_link_local(),
        Err(_) => false,
    }
}

/// Indexes services by all of their names, in lower case.
fn index_host_names(services: &[ServiceModel]) -> HashMap<String, Vec<usize>> {
    let mut names: HashMap<String, Vec<usize>> = HashMap::default();
    for (at, service) in services.iter().enumerate() {
        let own_names =
            [Some(&service.name), service.container_name.as_ref(), service.hostname.as_ref()];
        let aliases = service.aliases.iter().map(|alias| &alias.alias);
        for name in own_names.into_iter().flatten().chain(aliases) {
            names.entry(name.to_ascii_lowercase()).or_default().push(at);
        }
    }
    names
}

/// An address without its host, as one service sees it.
struct ServiceAddress<'m> {
    model: &'m ComposeModel,
    from: &'m ServiceModel,
    port: u16,
    protocol: &'m str,
}

/// The program that connects to a port of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MachineClient {
    /// One in the host's own network.
    Machine,
    /// One in a container, which goes through the engine's gateway.
    Container,
}

impl ServiceAddress<'_> {
    fn container(&self, service: &ServiceModel, port: u16) -> AddressTarget {
        AddressTarget::Container { service: service.name.clone(), port }
    }

    /// Resolves the port inside the service's own namespace.
    fn within(&self, space: &NetworkNamespace<'_>) -> AddressTarget {
        let owner = match space {
            NetworkNamespace::Host => return self.on_machine(MachineClient::Machine),
            NetworkNamespace::Own(owner) => *owner,
            NetworkNamespace::None | NetworkNamespace::Bridge => return AddressTarget::Own,
            NetworkNamespace::Foreign => return AddressTarget::Outside,
        };
        if self.is_declared_by(self.from) {
            return AddressTarget::Own;
        }
        let all = self.model.services.iter();
        // Only a service with a `network_mode` can be in the namespace of another.
        let others: Vec<&ServiceModel> = all
            .filter(|other| other.network_mode.is_some() || std::ptr::eq(*other, owner))
            .filter(|other| other.name != self.from.name)
            .filter(|other| {
                let other_owner = NetworkNamespace::of(self.model, other).owner();
                other_owner.is_some_and(|service| service.name == owner.name)
            })
            .collect();
        let declaring = others.iter().find(|other| self.is_declared_by(other));
        // A service that joins another's network refers to that service.
        let joined = others.iter().find(|other| other.name == owner.name);
        let other = declaring.or(joined);
        other.map_or(AddressTarget::Own, |other| self.container(other, self.port))
    }

    fn is_declared_by(&self, service: &ServiceModel) -> bool {
        let mut ports =
            service.ports.iter().filter(|published| published.protocol == self.protocol);
        ports.any(|published| published.container.contains(&self.port))
            || service.exposed.iter().any(|range| range.contains(&self.port))
    }

    /// Resolves the port on the host.
    fn on_machine(&self, client: MachineClient) -> AddressTarget {
        for service in &self.model.services {
            let ports =
                service.ports.iter().filter(|published| published.protocol == self.protocol);
            for entry in ports {
                let Some(hosts) = entry.known_hosts().filter(|hosts| hosts.contains(&self.port))
                else {
                    continue;
                };
                if entry.is_loopback() && client == MachineClient::Container {
                    let service = service.name.clone();
                    return AddressTarget::Unreachable(AddressObstacle::PublishedToItself {
                        service,
                    });
                }
                let port = entry.container.start() + (self.port - hosts.start());
                return self.container(service, port);
            }
        }
        AddressTarget::Machine
    }

    /// Resolves a host name.
    fn named(&self, space: &NetworkNamespace<'_>, host: &str) -> AddressTarget {
        let owner = match space {
            NetworkNamespace::Own(owner) => *owner,
            NetworkNamespace::Host | NetworkNamespace::Bridge => {
                return self.without_names(space, host);
            }
            NetworkNamespace::None | NetworkNamespace::Foreign => return AddressTarget::Outside,
        };
        let mut links = self.from.links.iter().chain(&owner.links);
        let linked = links
            .find(|link| link.alias.eq_ignore_ascii_case(host))
            .and_then(|link| self.model.service(&link.service));
        if let Some(target) = linked.or_else(|| self.neighbour(owner, host)) {
            return self.port_of(target);
        }
        match self.bearer(host) {
            Some(bearer) => AddressTarget::Unreachable(self.apart(bearer)),
            None if host.contains('.') && space.is_internal(self.model) => {
                AddressTarget::Unreachable(AddressObstacle::Internal)
            }
            None => AddressTarget::Outside,
        }
    }

    /// Resolves a host name on the host network or the default bridge, where service names do not resolve.
    fn without_names(&self, space: &NetworkNamespace<'_>, host: &str) -> AddressTarget {
        let mut links = self.from.links.iter();
        let linked = links
            .find(|link| link.alias.eq_ignore_ascii_case(host))
            .and_then(|link| self.model.service(&link.service));
        match (linked, self.bearer(host), space) {
            (Some(target), _, NetworkNamespace::Bridge) => self.port_of(target),
            (_, Some(bearer), _) => AddressTarget::Unreachable(AddressObstacle::NamesUnknown {
                mode: self.from.network_mode.clone().unwrap_or_default(),
                service: bearer.name.clone(),
            }),
            (_, None, _) => AddressTarget::Outside,
        }
    }

    /// Returns the service with the name `host` on a network that it shares with `owner`.
    fn neighbour(&self, owner: &ServiceModel, host: &str) -> Option<&ServiceModel> {
        self.find_named(host).into_iter().find(|other| {
            let is_reached = matches!(NetworkNamespace::of(self.model, other), NetworkNamespace::Own(one) if one.name == other.name);
            is_reached
                && namespace::list_networks(other).any(|network| {
                    let shares =
                        namespace::list_networks(owner).any(|owner_network| self.is_same_network(owner_network, network));
                    shares && self.answers(other, network, host)
                })
        })
    }

    fn is_same_network(&self, one: &str, other: &str) -> bool {
        let name =
            |key: &str| self.model.networks.get(key).and_then(|network| network.name.as_deref());
        one == other || name(one).is_some() && name(one) == name(other)
    }

    fn answers(&self, service: &ServiceModel, network: &str, host: &str) -> bool {
        let mut aliases = service.aliases.iter().filter(|alias| alias.network == network);
        self.is_called(service, host) || aliases.any(|alias| alias.alias.eq_ignore_ascii_case(host))
    }

    /// Returns whether a service has this name on each of its networks.
    fn is_called(&self, service: &ServiceModel, host: &str) -> bool {
        let names =
            [Some(&service.name), service.container_name.as_ref(), service.hostname.as_ref()];
        names.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(host))
            || self.numbered(host).is_some_and(|name| name.eq_ignore_ascii_case(&service.name))
    }

    /// Returns the service name if `host` is a container name as docker compose numbers them.
    fn numbered<'h>(&self, host: &'h str) -> Option<&'h str> {
        let project = self.model.plain().get("COMPOSE_PROJECT_NAME").unwrap_or_default();
        let rest = host.strip_prefix(project)?.strip_prefix(['-', '_'])?;
        let (service, number) = rest.rsplit_once(['-', '_'])?;
        number.parse::<u16>().is_ok().then_some(service)
    }

    /// Returns the service with this name anywhere, reachable or not.
    fn bearer(&self, host: &str) -> Option<&ServiceModel> {
        self.find_named(host).into_iter().next()
    }

    /// Returns the services with this name in order: as service, host or container name, as alias, or as a numbered
    /// container.
    fn find_named(&self, host: &str) -> Vec<&ServiceModel> {
        let names = self.model.host_names.get_or_init(|| index_host_names(&self.model.services));
        let numbered = self.numbered(host);
        let mut found: Vec<usize> = names.get(host).cloned().unwrap_or_default();
        let is_numbered = |at: &usize| {
            numbered.is_some_and(|name| self.model.services[*at].name.eq_ignore_ascii_case(name))
        };
        let of_its_name = numbered.and_then(|name| names.get(name));
        found.extend(of_its_name.into_iter().flatten().copied().filter(is_numbered));
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|at| &self.model.services[at]).collect()
    }

    /// Returns why `bearer` cannot be reached by its name.
    fn apart(&self, bearer: &ServiceModel) -> AddressObstacle {
        let service = bearer.name.clone();
        match NetworkNamespace::of(self.model, bearer) {
            NetworkNamespace::Own(owner) if owner.name != bearer.name => {
                AddressObstacle::SharesNetwork { service, owner: owner.name.clone() }
            }
            NetworkNamespace::Own(_) => AddressObstacle::NoSharedNetwork { service },
            NetworkNamespace::Host => AddressObstacle::OnTheMachine { service },
            NetworkNamespace::None => AddressObstacle::TargetWithoutNetwork { service },
            NetworkNamespace::Bridge | NetworkNamespace::Foreign => {
                AddressObstacle::NoSharedNetwork { service }
            }
        }
    }

    /// Resolves the port of a service that is reached by its name.
    fn port_of(&self, target: &ServiceModel) -> AddressTarget {
        if self.is_declared_by(target) {
            return self.container(target, self.port);
        }
        let ports = target.ports.iter().filter(|published| published.protocol == self.protocol);
        for entry in ports {
            let Some(hosts) = entry.known_hosts().filter(|hosts| hosts.contains(&self.port)) else {
                continue;
            };
            return AddressTarget::Unreachable(AddressObstacle::PublishedPort {
                service: target.name.clone(),
                published: self.port,
                container: entry.container.start() + (self.port - hosts.start()),
            });
        }
        self.container(target, self.port)
    }
}

#[cfg(test)]
mod tests;
