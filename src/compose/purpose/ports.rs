//! Conventional uses of container ports, from `templates/ports.yaml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::images::known_name;

/// The conventional use of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortPurpose {
    /// A database or a cache.
    Database,
    /// A queue or a broker.
    Queue,
    /// A receiver of telemetry.
    Telemetry,
    /// A debugger, which runs any code it receives.
    Debugger,
    /// A protocol other than HTTP: shells, mail, gRPC.
    Other,
}

/// The content of `templates/ports.yaml`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PortTables {
    purposes: HashMap<PortPurpose, Vec<u16>>,
    /// Administration ports by image.
    admin: HashMap<String, Vec<u16>>,
}

static TABLES: LazyLock<PortTables> = LazyLock::new(|| {
    let text = include_str!("../../../templates/ports.yaml");
    serde_yaml::from_str(text).unwrap_or_default()
});

/// Returns the conventional use of a container's `port`.
pub fn port_purpose(port: u16) -> Option<PortPurpose> {
    let mut purposes = TABLES.purposes.iter();
    purposes.find(|(_, ports)| ports.contains(&port)).map(|(purpose, _)| *purpose)
}

/// Returns whether `port` of `image` is an administration port, which has no password by default.
pub(in crate::compose) fn is_admin_port(image: &str, port: u16) -> bool {
    known_name(image, |name| TABLES.admin.get(name)).is_some_and(|(_, ports)| ports.contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_known_by_convention_and_by_image() {
        for (port, purpose) in [
            (5432, PortPurpose::Database),
            (5672, PortPurpose::Queue),
            (4317, PortPurpose::Telemetry),
            (14268, PortPurpose::Telemetry),
            (9229, PortPurpose::Debugger),
            (50051, PortPurpose::Other),
        ] {
            assert_eq!(port_purpose(port), Some(purpose), "{port}");
        }
        for port in [80, 443, 3000, 4567, 5000, 8000, 8080, 16686] {
            assert_eq!(port_purpose(port), None, "{port}");
        }
        assert!(is_admin_port("traefik:v3", 8080) && is_admin_port("docker.io/library/kong", 8001));
        assert!(!is_admin_port("traefik", 80) && !is_admin_port("me/api", 8080));
    }
}
