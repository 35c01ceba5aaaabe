//! A compose file as it is written: services, their settings, ports and commands, each with its place.
//!
//! Reads what stands there, not what docker compose makes of it: a rule points at a line somebody wrote.

use std::ops::Range;

use super::setting::{Setting, settings};
use super::text::Text;
use crate::compose::{ImagePurpose, bundler_prefix, image_purpose};
use crate::edit::yaml::tree::{NodeId, Tree};
use crate::limits;
use crate::provider::Addon;

/// A compose file.
#[derive(Debug, Clone)]
pub struct ComposeFile {
    /// The file.
    pub file: Text,
    /// Whether the project runs this file, or it only lies beside the one it runs.
    pub standing: Standing,
    /// In the order they stand.
    pub services: Vec<Service>,
    /// Keys that stand further up in their mapping already, and where each stands again.
    pub repeated: Vec<(usize, String)>,
}

/// What a compose file is to the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The one docker compose finds by itself, or an override it adds.
    Main,
    /// Another one in the same folder: what it supplies is supplied, and nothing in it is judged.
    Beside,
}

/// A service as written.
#[derive(Debug, Clone, Default)]
pub struct Service {
    /// Its key below `services`.
    pub name: String,
    /// Where that key stands.
    pub at: usize,
    /// `image`.
    pub image: String,
    /// The folder it is built from, without a leading `./`.
    pub build: Option<String>,
    /// `build.args`.
    pub build_args: Vec<Setting>,
    /// `environment`.
    pub environment: Vec<Setting>,
    /// The paths of `env_file`.
    pub env_files: Vec<String>,
    /// `extends`: it has settings that stand elsewhere.
    pub extends: bool,
    /// `network_mode`, or nothing.
    pub network_mode: String,
    /// `command`.
    pub command: Option<CommandLine>,
    /// `ports`.
    pub ports: Vec<Published>,
}

/// A `command` as written.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// Bytes of the whole value.
    pub range: Range<usize>,
    /// Its words as docker compose hands them over: a list's items, a string split at blanks.
    pub words: Vec<String>,
    /// Where its first word stands.
    pub at: usize,
}

/// A port published to the host.
#[derive(Debug, Clone)]
pub struct Published {
    /// Where it stands.
    pub at: usize,
    /// On the host; `None` where docker chooses it, or a variable does.
    pub host: Option<u16>,
    /// In the container.
    pub target: Option<u16>,
    /// Transport.
    pub transport: Transport,
    /// Only for this machine.
    pub reach: Reach,
}

/// A port's transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Who reaches a published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everybody who reaches the host.
    Everybody,
    /// The host itself.
    Loopback,
}

impl Service {
    /// The last setting of this name.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.environment.iter().rev().find(|one| one.name == name)
    }

    /// Settings may come from a file or from another service that is not read here.
    pub fn has_unseen_settings(&self) -> bool {
        self.extends || !self.env_files.is_empty()
    }

    /// AWS's X-Ray daemon.
    pub fn is_xray_daemon(&self) -> bool {
        Addon::Xray.runs(&self.image)
            || (self.image.is_empty() && self.build.is_none() && self.name.contains("xray"))
    }

    /// Returns whether its image keeps or passes on what others send: databases, caches, queues.
    pub fn is_database(&self) -> bool {
        let purpose = image_purpose(&self.image).map(|(_, purpose)| purpose);
        matches!(purpose, Some(ImagePurpose::Database | ImagePurpose::Queue))
    }

    /// Its variables end up in a browser.
    pub fn is_frontend(&self) -> bool {
        self.name.contains("front")
            || self.environment.iter().any(|one| bundler_prefix(&one.name).is_some())
    }
}

impl Service {
    /// Bytes that what grows with the file takes, about.
    fn weight(&self) -> usize {
        let settings = self.environment.iter().chain(&self.build_args);
        let settings: usize =
            settings.map(|one| size_of::<Setting>() + one.name.len() + one.text().len()).sum();
        let files: usize = self.env_files.iter().map(|path| size_of::<String>() + path.len()).sum();
        size_of::<Self>() + settings + files + self.ports.len() * size_of::<Published>()
    }
}

impl ComposeFile {
    /// What `tree` says, which is the file's.
    pub fn read(file: Text, tree: &Tree, standing: Standing) -> Self {
        let entries = tree.root().and_then(|root| tree.get(root, "services"));
        let entries = entries.map(|services| tree.entries(services)).unwrap_or_default();
        let services = entries.iter().filter_map(|(key, value)| service(tree, *key, *value));
        // The project is not read when it says more; a file beside it is judged up to there.
        let mut room = limits::MODEL_BYTES;
        let services = services.map_while(|service| {
            room = room.checked_sub(service.weight())?;
            Some(service)
        });
        let services = services.collect();
        Self { services, repeated: repeated(tree), file, standing }
    }
}

/// The keys of a file that stand further up in their mapping already, and where each stands again.
pub(super) fn repeated(tree: &Tree) -> Vec<(usize, String)> {
    let place = |key| {
        let name = tree.scalar(key).unwrap_or_default();
        (tree.node(key).range.start, name.to_owned())
    };
    tree.repeated_keys().map(place).collect()
}

fn service(tree: &Tree, key: NodeId, value: NodeId) -> Option<Service> {
    let name = tree.scalar(key).filter(|name| *name != "<<")?.to_owned();
    let text = |key: &str| {
        field(tree, value, key).and_then(|node| tree.scalar(node)).unwrap_or_default().to_owned()
    };
    let build = field(tree, value, "build");
    Some(Service {
        name,
        at: tree.node(key).range.start,
        image: text("image"),
        build: build.map(|build| context(tree, build)),
        build_args: build
            .and_then(|build| tree.get(build, "args"))
            .map(|args| settings(tree, args))
            .unwrap_or_default(),
        environment: field(tree, value, "environment")
            .map(|environment| settings(tree, environment))
            .unwrap_or_default(),
        env_files: field(tree, value, "env_file")
            .map(|files| paths(tree, files))
            .unwrap_or_default(),
        extends: field(tree, value, "extends").is_some(),
        network_mode: text("network_mode"),
        command: field(tree, value, "command").and_then(|command| command_line(tree, command)),
        ports: field(tree, value, "ports")
            .map(|ports| {
                tree.items(ports).iter().filter_map(|port| published(tree, *port)).collect()
            })
            .unwrap_or_default(),
    })
}

/// A service's own key, or one that a merge key brings.
fn field(tree: &Tree, service: NodeId, key: &str) -> Option<NodeId> {
    tree.get(service, key).or_else(|| {
        let merged = tree.get(service, "<<")?;
        tree.get(merged, key)
            .or_else(|| tree.items(merged).iter().find_map(|one| tree.get(*one, key)))
    })
}

fn context(tree: &Tree, build: NodeId) -> String {
    let folder = tree
        .scalar(build)
        .or_else(|| tree.get(build, "context").and_then(|context| tree.scalar(context)))
        .unwrap_or(".");
    folder.trim_start_matches("./").trim_end_matches('/').to_owned()
}

fn paths(tree: &Tree, files: NodeId) -> Vec<String> {
    let path = |id: NodeId| {
        tree.scalar(id)
            .or_else(|| tree.get(id, "path").and_then(|path| tree.scalar(path)))
            .map(|path| path.trim_start_matches("./").to_owned())
    };
    path(files).into_iter().chain(tree.items(files).iter().filter_map(|id| path(*id))).collect()
}

fn command_line(tree: &Tree, command: NodeId) -> Option<CommandLine> {
    let items = tree.items(command);
    let first = items.first().copied().unwrap_or(command);
    let words = if items.is_empty() {
        tree.scalar(command)?.split_whitespace().map(str::to_owned).collect()
    } else {
        items.iter().filter_map(|item| tree.scalar(*item)).map(str::to_owned).collect()
    };
    Some(CommandLine {
        range: tree.node(command).range.clone(),
        words,
        at: tree.node(first).range.start,
    })
}

fn published(tree: &Tree, port: NodeId) -> Option<Published> {
    let at = tree.node(port).range.start;
    if let Some(text) = tree.scalar(port) {
        return short(text, at);
    }
    let number = |key: &str| tree.get(port, key).and_then(|node| tree.scalar(node)?.parse().ok());
    let text =
        |key: &str| tree.get(port, key).and_then(|node| tree.scalar(node)).unwrap_or_default();
    Some(Published {
        at,
        host: number("published"),
        target: number("target"),
        transport: transport(text("protocol")),
        reach: reach(text("host_ip")),
    })
}

/// `[IP:][HOST:]CONTAINER[/PROTOCOL]`
fn short(text: &str, at: usize) -> Option<Published> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, ""));
    let (rest, target) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (address, host) = rest.rsplit_once(':').unwrap_or(("", rest));
    Some(Published {
        at,
        host: host.parse().ok(),
        target: target.parse().ok(),
        transport: transport(protocol),
        reach: reach(address),
    })
}

fn transport(protocol: &str) -> Transport {
    if protocol.eq_ignore_ascii_case("udp") { Transport::Udp } else { Transport::Tcp }
}

fn reach(address: &str) -> Reach {
    if address.starts_with("127.") || address.contains("::1") {
        Reach::Loopback
    } else {
        Reach::Everybody
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(text: &str) -> Vec<Service> {
        let file = Text { path: "compose.yaml".into(), text: text.to_owned() };
        let tree = Tree::parse(text).unwrap();
        ComposeFile::read(file, &tree, Standing::Main).services
    }

    #[test]
    fn ports_are_read_in_both_forms() {
        let read = services(
            "services:\n  a:\n    ports: ['127.0.0.1:80:8080', 2000:2000/udp, '90', {target: 1, published: 2}]\n",
        );
        let ports: Vec<_> = read[0]
            .ports
            .iter()
            .map(|port| (port.host, port.target, port.transport, port.reach))
            .collect();
        assert_eq!(
            ports,
            [
                (Some(80), Some(8080), Transport::Tcp, Reach::Loopback),
                (Some(2000), Some(2000), Transport::Udp, Reach::Everybody),
                (None, Some(90), Transport::Tcp, Reach::Everybody),
                (Some(2), Some(1), Transport::Tcp, Reach::Everybody),
            ]
        );
    }

    #[test]
    fn what_a_merge_key_brings_is_read() {
        let read = services(
            "x-a: &a\n  env_file: [./a.env]\n  build: {context: ./b/}\nservices:\n  s:\n    <<: *a\n    image: x\n",
        );
        assert_eq!(read[0].build.as_deref(), Some("b"));
        assert_eq!(read[0].env_files, ["a.env"]);
    }
}
