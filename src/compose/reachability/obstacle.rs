//! Why an address leads nowhere.

use std::fmt;

/// What the files say against an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The service has no network.
    NoNetwork,
    /// All networks of the service are internal.
    Internal,
    /// In the mode of the service's network no names of services are known.
    NamesUnknown {
        /// `host` or `bridge`.
        mode: String,
        /// The service that was meant.
        service: String,
    },
    /// The service that was meant is on none of the same networks.
    NoSharedNetwork {
        /// The service that was meant.
        service: String,
    },
    /// The service that was meant is on the machine's own network, where its name is not known.
    OnTheMachine {
        /// The service that was meant.
        service: String,
    },
    /// The service that was meant has no network.
    TargetWithoutNetwork {
        /// The service that was meant.
        service: String,
    },
    /// The service that was meant shares another one's network and is reached by that one's name.
    SharesNetwork {
        /// The service that was meant.
        service: String,
        /// The service whose network it is.
        owner: String,
    },
    /// The port is one of this machine; between containers it is another.
    PublishedPort {
        /// The service that publishes it.
        service: String,
        /// The port of this machine.
        published: u16,
        /// The port of the container.
        container: u16,
    },
    /// The port is published to `127.0.0.1` alone, where containers do not arrive from.
    PublishedToItself {
        /// The service that publishes it.
        service: String,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNetwork => f.write_str("it has no network: `network_mode: none`"),
            Self::Internal => {
                f.write_str("its networks are internal: nothing beyond them is reached")
            }
            Self::NamesUnknown { mode, service } => {
                write!(f, "with `network_mode: {mode}` the name of {service} is not known to it")
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
                write!(f, "{service} shares the network of {owner}, and has no name of its own")
            }
            Self::PublishedPort { service, published, container } => write!(
                f,
                "{published} is the port of {service} on this machine; between containers it is {container}"
            ),
            Self::PublishedToItself { service } => {
                write!(
                    f,
                    "{service} publishes the port to 127.0.0.1 alone: no container reaches it there"
                )
            }
        }
    }
}

impl Obstacle {
    /// Returns what would make the address right.
    pub fn hint(&self) -> String {
        match self {
            Self::NoNetwork | Self::TargetWithoutNetwork { .. } => {
                "take `network_mode: none` out, or leave the service untraced".to_owned()
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
