//! Determines the port entries `.gitpod.yml` should have, with reasons.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;

use super::Note;
use super::gitpod::{self, GitpodPortEntry};
use crate::compose::{PortPurpose, ServiceRole, port_purpose};
use crate::edit::yaml::ports::{PortEntry, Visibility};

/// A TCP port that a compose service publishes on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublishedTcpPort {
    /// The host's port.
    pub port: u16,
    /// The compose service.
    pub service: String,
    /// The service's role.
    pub role: ServiceRole,
    /// The container's port.
    pub container: u16,
    /// Whether only this machine reaches it: `127.0.0.1:9229:9229`.
    pub is_loopback: bool,
    /// Whether the image offers administration on it.
    pub is_admin: bool,
    /// The port's names in the workspace's files.
    pub called: Vec<String>,
}

impl PublishedTcpPort {
    /// Returns a port that maps to the same container port on all interfaces.
    pub(crate) fn new(port: u16, service: &str, role: ServiceRole) -> Self {
        Self {
            port,
            service: service.to_owned(),
            role,
            container: port,
            is_loopback: false,
            is_admin: false,
            called: Vec::new(),
        }
    }
}

/// A range of TCP ports on the host that is too long to be handled port by port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublishedRange {
    /// The host's ports.
    pub ports: RangeInclusive<u16>,
    /// The compose service.
    pub service: String,
}

impl PublishedRange {
    /// Returns the note that the range gets no entry, and how to get one.
    pub(crate) fn note(&self) -> Note {
        let (first, last) = (self.ports.start(), self.ports.end());
        Note::fact(format!(
            "ports {first}-{last} ({}) are a range: those that are named get an entry, the others stay private",
            self.service
        ))
    }
}

/// The origin of the existing entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortEntryOrigin {
    /// `.gitpod.yml`.
    File,
    /// The workspace's live ports.
    Live,
}

/// The policy for all ports together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PortPolicy {
    /// Keep the user's entries; new ones are private.
    Keep,
    /// Public, except ports that are harmful when public.
    Public,
    /// Private.
    Private,
}

/// A request for one port: `3000=public:web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortRequest {
    /// The port.
    pub port: u16,
    /// The visibility, if given.
    pub visibility: Option<Visibility>,
    /// The name, if given.
    pub name: Option<String>,
}

/// Formats the request as it is typed.
impl std::fmt::Display for PortRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.port)?;
        match self.visibility {
            Some(Visibility::Public) => write!(f, "=public")?,
            Some(Visibility::Private) => write!(f, "=private")?,
            None => {}
        }
        self.name.iter().try_for_each(|name| write!(f, ":{name}"))
    }
}

impl std::str::FromStr for PortRequest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (left, name) = match text.split_once(':') {
            Some((left, name)) if !name.is_empty() => (left, Some(name.to_owned())),
            Some(_) => return Err(format!("`{text}` ends where a name is expected")),
            None => (text, None),
        };
        if let Some(word @ ("public" | "private")) = name.as_deref() {
            return Err(format!("the visibility is behind `=`, and `:{word}` would be a name"));
        }
        let (port, visibility) = match left.split_once('=') {
            None => (left, None),
            Some((port, "public")) => (port, Some(Visibility::Public)),
            Some((port, "private")) => (port, Some(Visibility::Private)),
            Some((_, other)) => return Err(format!("`{other}` is neither public nor private")),
        };
        let port = port.parse().ok().filter(|port| *port > 0);
        Ok(Self {
            port: port.ok_or_else(|| "a port is a number between 1 and 65535".to_owned())?,
            visibility,
            name,
        })
    }
}

/// X-Ray's port: anyone who reaches it over TCP can sign requests with the daemon's AWS keys.
const XRAY: u16 = 2000;
const XRAY_PORT_RISK: &str =
    "anyone could sign requests with your AWS keys through the X-Ray daemon";

/// The default port of the page of `listen --web`.
pub(crate) const PAGE_PORT: u16 = 4319;
const PAGE_PORT_RISK: &str =
    "anyone who finds its address could read every trace in the page of `cruddur-ops listen --web`";

/// The planned port entries of `.gitpod.yml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PortEntries {
    /// The entries to write, without those that are already correct.
    pub to_write: Vec<PortEntry>,
    /// The target visibility of every requested port, whether or not it is written. Ports that stay as they are are
    /// not included.
    pub goals: BTreeMap<u16, Visibility>,
    /// Notes on the entries.
    pub notes: Vec<Note>,
}

/// Returns the entries to write into a `.gitpod.yml` with `existing` entries.
pub(crate) fn entries(
    published: &[PublishedTcpPort],
    policy: PortPolicy,
    requests: &[PortRequest],
    existing: &[GitpodPortEntry],
    origin: PortEntryOrigin,
) -> PortEntries {
    let labels = label_ports(published);
    // `ports 3000=public` concerns only that port.
    let everything = policy != PortPolicy::Keep || requests.is_empty();
    let mut entries = PortEntries::default();
    let named = |port: &PublishedTcpPort| requests.iter().find(|request| request.port == port.port);
    for port in published.iter().filter(|port| everything || named(port).is_some()) {
        let request = named(port);
        let current = gitpod::entry_in_force(existing, port.port).map(|entry| entry.visibility);
        let (visibility, note) = decide_visibility(port, policy, request, (current, origin));
        entries.notes.extend(note);
        let is_named = request.is_some_and(|request| request.visibility.is_some());
        let is_open = visibility == Visibility::Public;
        let stays = is_open && !is_named && public_port_danger(port).is_some();
        if (policy != PortPolicy::Keep || is_named) && !stays {
            entries.goals.insert(port.port, visibility);
        }
        let name_note = request.and_then(|request| keeps_its_name(request, existing, origin));
        entries.notes.extend(name_note);
        let entry = build_gitpod_entry(port, visibility, request, existing, &labels);
        entries.to_write.extend(entry);
    }
    for request in
        requests.iter().filter(|request| !published.iter().any(|port| port.port == request.port))
    {
        entries.add_unpublished(request, existing, origin);
    }
    entries
}

impl PortEntries {
    /// Adds a port that was requested and that no compose service publishes.
    fn add_unpublished(
        &mut self,
        request: &PortRequest,
        existing: &[GitpodPortEntry],
        origin: PortEntryOrigin,
    ) {
        self.notes.push(Note::warning(format!(
            "no compose service publishes port {} over TCP",
            request.port
        )));
        let name_note = keeps_its_name(request, existing, origin);
        self.notes.extend(name_note);
        let harm = match request.port {
            XRAY => Some(XRAY_PORT_RISK),
            PAGE_PORT => Some(PAGE_PORT_RISK),
            _ => None,
        };
        if let (Some(harm), Some(Visibility::Public)) = (harm, request.visibility) {
            self.notes.push(Note::warning(format!("port {} becomes public: {harm}", request.port)));
        }
        let current = gitpod::entry_in_force(existing, request.port).map(|entry| entry.visibility);
        let visibility = request.visibility.or(current).unwrap_or(Visibility::Private);
        let is_new = gitpod::entry_for_port(existing, request.port).is_none();
        let changed = current != Some(visibility) || is_new && request.name.is_some();
        self.goals.insert(request.port, visibility);
        self.to_write.extend(changed.then(|| PortEntry {
            port: request.port,
            name: request.name.clone(),
            visibility: Some(visibility),
            on_open: None,
        }));
    }
}

/// Returns a note if a port keeps the name in the user's entry; live ports have no name.
fn keeps_its_name(
    request: &PortRequest,
    existing: &[GitpodPortEntry],
    origin: PortEntryOrigin,
) -> Option<Note> {
    let exact = gitpod::entry_for_port(existing, request.port)
        .filter(|_| origin == PortEntryOrigin::File)?;
    let name = request.name.as_ref().filter(|_| request.name != exact.name)?;
    let has = match &exact.name {
        Some(has) => format!("keeps its name `{has}`"),
        None => "stays without a name".to_owned(),
    };
    let PortRequest { port, .. } = request;
    Some(
        Note::warning(format!(
            "port {port} {has}: an existing entry changes only in its visibility"
        ))
        .hint(format!("`name: {name}` in its entry renames it")),
    )
}

/// Returns why a port stays private unless it is named.
pub(super) fn public_port_danger(port: &PublishedTcpPort) -> Option<&'static str> {
    let purpose = port_purpose(port.container);
    match port.role {
        _ if port.port == XRAY => Some(XRAY_PORT_RISK),
        ServiceRole::TracingDaemon if purpose == Some(PortPurpose::Telemetry) => {
            Some("anyone could send telemetry through it")
        }
        ServiceRole::TracingDaemon => Some("anyone could read the telemetry in it"),
        ServiceRole::Database => Some("anyone could reach the database"),
        ServiceRole::Queue => Some("anyone could reach the queue"),
        ServiceRole::Administration => Some("anyone could change what it administers"),
        _ if port.is_admin => Some("anyone could administer the service through it"),
        _ if purpose == Some(PortPurpose::Debugger) => {
            Some("anyone could run code through the debugger")
        }
        _ if port.is_loopback => Some("the compose file publishes it to this machine alone"),
        _ => {
            let mut names = port.called.iter().chain([&port.service]);
            let named = names.any(|name| is_administrative(name));
            named.then_some("its name suggests an admin page")
        }
    }
}

/// Returns whether a name contains a word like `admin` or `pgadmin`.
fn is_administrative(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut words = name.split(|character: char| !character.is_ascii_alphanumeric());
    words.any(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with("admin"))
}

fn decide_visibility(
    port: &PublishedTcpPort,
    policy: PortPolicy,
    request: Option<&PortRequest>,
    (current, origin): (Option<Visibility>, PortEntryOrigin),
) -> (Visibility, Option<Note>) {
    let danger = public_port_danger(port);
    if let Some(visibility) = request.and_then(|request| request.visibility) {
        let opened = danger.filter(|_| visibility == Visibility::Public);
        let note = opened.map(|danger| {
            Note::warning(format!("port {} ({}) becomes public: {danger}", port.port, port.service))
        });
        return (visibility, note);
    }
    match (policy, danger) {
        (PortPolicy::Private, _) => (Visibility::Private, None),
        (PortPolicy::Public, None) => (Visibility::Public, None),
        (_, Some(danger)) if current == Some(Visibility::Public) => {
            (Visibility::Public, Some(stays_public(port, origin, danger)))
        }
        (PortPolicy::Public, Some(danger)) => {
            (Visibility::Private, Some(stays_private(port, danger)))
        }
        (PortPolicy::Keep, _) => (current.unwrap_or(Visibility::Private), None),
    }
}

fn stays_public(port: &PublishedTcpPort, origin: PortEntryOrigin, danger: &str) -> Note {
    let PublishedTcpPort { port, service, .. } = port;
    let stays = match origin {
        PortEntryOrigin::Live => "is public now and stays so",
        PortEntryOrigin::File => "is public in .gitpod.yml, which stays so",
    };
    Note::warning(format!("port {port} ({service}) {stays}: {danger}"))
        .hint(format!("`cruddur-ops ports {port}=private` closes it"))
}

fn stays_private(port: &PublishedTcpPort, danger: &str) -> Note {
    let PublishedTcpPort { port, service, .. } = port;
    Note::fact(format!("port {port} ({service}) stays private unless you name it: {danger}"))
}

fn build_gitpod_entry(
    port: &PublishedTcpPort,
    visibility: Visibility,
    request: Option<&PortRequest>,
    existing: &[GitpodPortEntry],
    labels: &BTreeMap<u16, String>,
) -> Option<PortEntry> {
    let name = request.and_then(|request| request.name.clone());
    if let Some(exact) = gitpod::entry_for_port(existing, port.port) {
        return (exact.visibility != visibility).then_some(PortEntry {
            port: port.port,
            name: None,
            visibility: Some(visibility),
            on_open: None,
        });
    }
    let in_range = gitpod::entry_in_force(existing, port.port);
    if name.is_none() && in_range.is_some_and(|range| range.visibility == visibility) {
        return None;
    }
    Some(PortEntry {
        port: port.port,
        name: name.or_else(|| labels.get(&port.port).cloned()),
        visibility: Some(visibility),
        on_open: (port.role.has_pages()).then(|| "open-browser".to_owned()),
    })
}

/// Returns a name for each port: its service's name up to the first dash if that is unique, with the port number from
/// the service's second port on.
pub(crate) fn label_ports(published: &[PublishedTcpPort]) -> BTreeMap<u16, String> {
    fn short(service: &str) -> &str {
        service.split('-').next().unwrap_or(service)
    }
    let mut services: HashMap<&str, HashSet<&str>> = HashMap::new();
    for port in published {
        services.entry(short(&port.service)).or_default().insert(&port.service);
    }
    let mut labels = BTreeMap::new();
    let mut named: HashSet<&str> = HashSet::new();
    for port in published {
        let unique = services.get(short(&port.service)).is_some_and(|alike| alike.len() == 1);
        let base = if unique { short(&port.service) } else { &port.service };
        let label = if named.insert(&port.service) {
            base.to_owned()
        } else {
            format!("{base}-{}", port.port)
        };
        labels.entry(port.port).or_insert(label);
    }
    labels
}

#[cfg(test)]
#[path = "ports_tests.rs"]
pub(super) mod tests;
