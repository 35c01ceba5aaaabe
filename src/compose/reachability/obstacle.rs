//! The reasons why an address cannot be reached.

use std::fmt;

/// The reason why an address cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressObstacle {
    /// The sending service has no network.
    NoNetwork,
    /// All networks of the sending service are internal.
    Internal,
    /// The network mode of the sending service does not resolve service names.
    NamesUnknown {
        /// `host` or `bridge`.
        mode: String,
        /// The intended service.
        service: String,
    },
    /// The intended service shares no network with the sender.
    NoSharedNetwork {
        /// The intended service.
        service: String,
    },
    /// The intended service is on the host network, where its name does not resolve.
    OnTheMachine {
        /// The intended service.
        service: String,
    },
    /// The intended service has no network.
    TargetWithoutNetwork {
        /// The intended service.
        service: String,
    },
    /// The intended service shares the network of another and is reached by that service's name.
    SharesNetwork {
        /// The intended service.
        service: String,
        /// The service that owns the network.
        owner: String,
    },
    /// The port is a host port; between containers, another port is needed.
    PublishedPort {
        /// The service that publishes it.
        service: String,
        /// The host port.
        published: u16,
        /// The container port.
        container: u16,
    },
    /// The port is published only on `127.0.0.1`, which containers cannot reach.
    PublishedToItself {
        /// The service that publishes it.
        service: String,
    },
}

impl fmt::Display for AddressObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNetwork => f.write_str("it has no network: `network_mode: none`"),
            Self::Internal => {
                f.write_str("its networks are internal: it reaches nothing outside them")
            }
            Self::NamesUnknown { mode, service } => {
                write!(f, "with `network_mode: {mode}` it cannot resolve the name of {service}")
            }
            Self::NoSharedNetwork { service } => {
                write!(f, "it shares no network with {service}")
            }
            Self::OnTheMachine { service } => write!(
                f,
                "{service} has `network_mode: host`, where containers do not find it by its name"
            ),
            Self::TargetWithoutNetwork { service } => {
                write!(f, "{service} has no network: `network_mode: none`")
            }
            Self::SharesNetwork { service, owner } => {
                write!(f, "{service} shares the network of {owner}, and has no name itself")
            }
            Self::PublishedPort { service, published, container } => write!(
                f,
                "{published} is the port of {service} on this machine; between containers it is {container}"
            ),
            Self::PublishedToItself { service } => {
                write!(
                    f,
                    "{service} publishes the port to 127.0.0.1 only: no container reaches it there"
                )
            }
        }
    }
}

impl AddressObstacle {
    /// Returns how to correct the address.
    pub fn hint(&self) -> String {
        match self {
            Self::NoNetwork | Self::TargetWithoutNetwork { .. } => {
                "remove `network_mode: none`, or leave the service untraced".to_owned()
            }
            Self::Internal => {
                "add a network without `internal: true`, or send through a collector that has one"
                    .to_owned()
            }
            Self::NamesUnknown { .. } => {
                "send to localhost and the port that the service publishes".to_owned()
            }
            Self::NoSharedNetwork { service } => {
                format!("put both services on one network, the one of {service}")
            }
            Self::OnTheMachine { .. } => {
                "send to host.docker.internal, with `extra_hosts: [\"host.docker.internal:host-gateway\"]`".to_owned()
            }
            Self::SharesNetwork { owner, .. } => format!("send to {owner}"),
            Self::PublishedPort { container, .. } => format!("send to port {container}"),
            Self::PublishedToItself { service } => {
                format!("send to {service} by its name, and to the port of its container")
            }
        }
    }
}
