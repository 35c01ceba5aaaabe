//! Parses docker's descriptions of containers.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;

/// A container of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The id.
    pub id: String,
    /// The service.
    pub service: String,
    /// Whether `docker compose run` created it for one command.
    pub one_off: bool,
    /// Whether it is running.
    pub running: bool,
    /// The exit status, if it is not running.
    pub status: i64,
    /// The digest of the configuration it was created with.
    pub digest: Option<String>,
    /// When it was last started.
    pub started: Option<SystemTime>,
    /// The id of its image.
    pub image: String,
    /// Its networks.
    pub networks: Vec<ContainerNetwork>,
    /// Its published TCP ports: the container's port, and the address on this machine.
    pub published: Vec<(u16, SocketAddr)>,
}

/// A container's connection to a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerNetwork {
    /// The container's address.
    pub address: IpAddr,
    /// The address of the engine's machine.
    pub gateway: IpAddr,
}

/// The format of `docker inspect` that [`parse_containers`] parses.
pub(super) const FORMAT: &str = "{\"id\":{{json .Id}},\"state\":{{json .State}},\"labels\":{{json .Config.Labels}},\
    \"image\":{{json .Image}},\"network\":{{json .NetworkSettings}}}";

#[derive(Deserialize)]
struct InspectedContainer {
    id: String,
    state: ContainerState,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    image: String,
    #[serde(default)]
    network: InspectedNetwork,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InspectedNetwork {
    ports: Option<BTreeMap<String, Option<Vec<InspectedBinding>>>>,
    networks: Option<BTreeMap<String, InspectedEndpoint>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedBinding {
    host_ip: String,
    host_port: String,
}

#[derive(Deserialize)]
struct InspectedEndpoint {
    #[serde(rename = "IPAddress")]
    address: String,
    #[serde(rename = "Gateway")]
    gateway: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerState {
    status: String,
    exit_code: i64,
    started_at: String,
}

/// Returns the ids of the listed containers whose project is in `root`.
pub(super) fn read_ids<'a>(listed: &'a str, root: &Path) -> Vec<&'a str> {
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    let own_containers = pairs.filter(|(_, folder)| is_same_folder(Path::new(folder), root));
    own_containers.map(|(id, _)| id).collect()
}

/// Parses the output of `docker inspect`, one document per line. Containers without a service are left out.
pub(super) fn parse_containers(inspected: &str) -> Vec<Container> {
    let rows = inspected.lines().filter_map(|line| serde_json::from_str(line).ok());
    rows.filter_map(Container::read).collect()
}

/// Parses the containers, except those that `docker compose run` created for one command.
pub(super) fn read_service_containers(inspected: &str) -> Vec<Container> {
    let mut containers = parse_containers(inspected);
    containers.retain(|container| !container.one_off);
    containers
}

/// Returns whether two paths are the same folder, even through a link.
fn is_same_folder(left: &Path, right: &Path) -> bool {
    let real = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    left == right || real(left) == real(right)
}

impl Container {
    fn read(inspected: InspectedContainer) -> Option<Self> {
        let InspectedContainer { id, state, mut labels, image, network } = inspected;
        let mut label = |name: &str| labels.remove(&format!("com.docker.compose.{name}"));
        let started = humantime::parse_rfc3339_weak(state.started_at.trim()).ok();
        Some(Self {
            service: label("service")?,
            digest: label("config-hash").filter(|digest| !digest.is_empty()),
            one_off: label("oneoff").is_some_and(|value| value == "True"),
            running: state.status == "running",
            status: state.exit_code,
            started,
            id,
            image,
            networks: network.places(),
            published: network.published(),
        })
    }
}

impl InspectedNetwork {
    /// Returns the networks with a gateway; without one, the engine's machine cannot be reached.
    fn places(&self) -> Vec<ContainerNetwork> {
        let endpoints = self.networks.iter().flat_map(BTreeMap::values);
        let places = endpoints.filter_map(|endpoint| {
            let (address, gateway) =
                (endpoint.address.parse().ok()?, endpoint.gateway.parse().ok()?);
            Some(ContainerNetwork { address, gateway })
        });
        places.collect()
    }

    fn published(&self) -> Vec<(u16, SocketAddr)> {
        let ports = self.ports.iter().flatten().filter_map(|(port, bindings)| {
            let container = port.strip_suffix("/tcp")?.parse().ok()?;
            Some((container, bindings.as_ref()?))
        });
        let published = ports.flat_map(|(container, bindings)| {
            bindings.iter().filter_map(move |binding| {
                let (ip, port) =
                    (binding.host_ip.parse::<IpAddr>().ok()?, binding.host_port.parse().ok()?);
                Some((container, SocketAddr::new(ip, port)))
            })
        });
        published.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"id":"b9e6c5ee06c3","state":{"Status":"exited","Running":false,"ExitCode":3,"StartedAt":"2026-11-26T01:52:07.981791308Z"},"labels":{"a":"x,com.docker.compose.service=b","com.docker.compose.config-hash":"f49ab","com.docker.compose.service":"api"}}"#;

    #[test]
    fn inspected_containers_are_read() {
        let containers = parse_containers(&format!("{ROW}\nno JSON\n{{}}\n"));
        let [container] = containers.as_slice() else { panic!("{containers:?}") };
        assert_eq!(container.id, "b9e6c5ee06c3");
        assert_eq!(container.service, "api");
        assert_eq!(container.digest.as_deref(), Some("f49ab"));
        assert!(!container.running && container.status == 3 && container.started.is_some());
        let never = ROW.replace("2026-11-26T01:52:07.981791308Z", "0001-01-01T00:00:00Z");
        assert_eq!(parse_containers(&never)[0].started, None);
        assert_eq!(parse_containers(&ROW.replace("compose.service\":", "compose.other\":")), []);
    }

    #[test]
    fn reachable_networks_and_ports_are_read() {
        let network = r#"{"Ports":{"8080/tcp":[{"HostIp":"127.0.0.1","HostPort":"32768"},{"HostIp":"::","HostPort":"8"}],"53/udp":[{"HostIp":"0.0.0.0","HostPort":"53"}],"9/tcp":null},"Networks":{"p_default":{"Gateway":"172.18.0.1","IPAddress":"172.18.0.3"},"inner":{"Gateway":"","IPAddress":"172.19.0.3"}}}"#;
        let row = ROW.replacen('{', &format!(r#"{{"image":"sha256:a","network":{network},"#), 1);
        let [container] = &parse_containers(&row)[..] else { panic!("{row}") };
        let expected = ContainerNetwork {
            address: "172.18.0.3".parse().unwrap(),
            gateway: "172.18.0.1".parse().unwrap(),
        };
        assert_eq!((container.image.as_str(), &*container.networks), ("sha256:a", &[expected][..]));
        let published: Vec<String> =
            container.published.iter().map(|(port, at)| format!("{port} {at}")).collect();
        assert_eq!(published, ["8080 127.0.0.1:32768", "8080 [::]:8"]);
        for empty in ["{}", r#"{"Ports":null,"Networks":null}"#] {
            let [container] = &parse_containers(&row.replace(network, empty))[..] else {
                panic!("{empty}")
            };
            assert!(container.networks.is_empty() && container.published.is_empty());
        }
    }

    #[test]
    fn a_container_for_one_command_is_not_its_services() {
        let label = r#""com.docker.compose.oneoff":"True","com.docker.compose.service""#;
        let once = ROW.replace(r#""com.docker.compose.service""#, label);
        let kept_one = once.replace("True", "False");
        assert_eq!(parse_containers(&format!("{once}\n{kept_one}\n{ROW}")).len(), 3);
        assert_eq!(read_service_containers(&format!("{once}\n{kept_one}\n{ROW}")).len(), 2);
    }

    #[test]
    fn containers_of_other_folders_are_left_out() {
        let listed = "a1 /p\nb2 /p/b\nc3 /\nd4 /p\ne5 /p q\n";
        assert_eq!(read_ids(listed, Path::new("/p")), ["a1", "d4"]);
        assert_eq!(read_ids(listed, Path::new("/p q")), ["e5"]);
    }
}
