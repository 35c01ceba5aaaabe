//! Ports: which entries `.gitpod.yml` should have, and why.

use std::collections::BTreeMap;

use super::Note;
use super::gitpod::{self, Configured};
use crate::compose::Role;
use crate::edit::yaml::ports::{PortEntry, Visibility};

/// A port a compose service publishes on the host, over TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The host's port.
    pub port: u16,
    /// The compose service.
    pub service: String,
    /// What the service is.
    pub role: Role,
}

/// What was asked for all ports together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Entries of the user stay; missing ones are private.
    Keep,
    /// Public, but for databases and X-Ray's.
    Public,
    /// Private.
    Private,
}

/// What was asked for one port: `3000=public:web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The port.
    pub port: u16,
    /// Its visibility, if one was named.
    pub visibility: Option<Visibility>,
    /// Its name, if one was given.
    pub name: Option<String>,
}

impl std::str::FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (left, name) = match text.split_once(':') {
            Some((left, name)) if !name.is_empty() => (left, Some(name.to_owned())),
            Some(_) => return Err(format!("`{text}` ends where a name should stand")),
            None => (text, None),
        };
        let (port, visibility) = match left.split_once('=') {
            None => (left, None),
            Some((port, "public")) => (port, Some(Visibility::Public)),
            Some((port, "private")) => (port, Some(Visibility::Private)),
            Some((_, other)) => return Err(format!("`{other}` is neither public nor private")),
        };
        let port = port.parse().ok().filter(|port| *port > 0);
        Ok(Self {
            port: port.ok_or_else(|| format!("`{left}` names no port between 1 and 65535"))?,
            visibility,
            name,
        })
    }
}

/// X-Ray's port: whoever reaches its TCP side can sign requests with the AWS keys of the daemon.
const XRAY: u16 = 2000;

/// What `.gitpod.yml` should say of ports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// The entries to write; an entry that is right already is not among them.
    pub write: Vec<PortEntry>,
    /// What every port that was asked about should be, written or not.
    pub goals: BTreeMap<u16, Visibility>,
    /// What to say about it.
    pub notes: Vec<Note>,
}

/// What to write into a `.gitpod.yml` that has `existing` entries.
pub fn entries(
    published: &[Published],
    wish: Wish,
    asked: &[Asked],
    existing: &[Configured],
) -> Entries {
    let labels = labels(published);
    // `ports 3000=public` speaks of that port alone.
    let everything = wish != Wish::Keep || asked.is_empty();
    let mut entries = Entries::default();
    for port in published {
        let asked = asked.iter().find(|asked| asked.port == port.port);
        let visibility = visibility(port, wish, asked, existing, &mut entries.notes);
        if wish != Wish::Keep || asked.is_some_and(|asked| asked.visibility.is_some()) {
            entries.goals.insert(port.port, visibility);
        }
        if everything || asked.is_some() {
            entries
                .write
                .extend(entry(port, visibility, asked, existing, &labels));
        }
    }
    for asked in asked
        .iter()
        .filter(|asked| !published.iter().any(|port| port.port == asked.port))
    {
        entries.notes.push(Note::warning(format!(
            "no compose service publishes port {}",
            asked.port
        )));
        let current = gitpod::effective(existing, asked.port).map(|entry| entry.visibility);
        let visibility = asked.visibility.or(current).unwrap_or(Visibility::Private);
        let changed = current != Some(visibility) || asked.name.is_some();
        entries.goals.insert(asked.port, visibility);
        entries.write.extend(changed.then(|| PortEntry {
            port: asked.port,
            name: asked.name.clone(),
            visibility: Some(visibility),
            on_open: None,
        }));
    }
    entries
}

/// Why a port stays private unless it is named.
pub(super) fn danger(port: &Published) -> Option<&'static str> {
    match port.role {
        _ if port.port == XRAY => {
            Some("anyone could sign requests with your AWS keys through the X-Ray daemon")
        }
        Role::TracingDaemon => Some("anyone could send telemetry through it"),
        Role::Database => Some("anyone could reach the database"),
        Role::Queue => Some("anyone could reach the queue"),
        _ => None,
    }
}

fn visibility(
    port: &Published,
    wish: Wish,
    asked: Option<&Asked>,
    existing: &[Configured],
    notes: &mut Vec<Note>,
) -> Visibility {
    let current = gitpod::effective(existing, port.port).map(|entry| entry.visibility);
    let danger = danger(port);
    if let Some(visibility) = asked.and_then(|asked| asked.visibility) {
        if let (Visibility::Public, Some(danger)) = (visibility, danger) {
            notes.push(Note::warning(format!(
                "port {} ({}) becomes public: {danger}",
                port.port, port.service
            )));
        }
        return visibility;
    }
    match (wish, danger) {
        (Wish::Private, _) => Visibility::Private,
        (Wish::Public, None) => Visibility::Public,
        (_, Some(danger)) if current == Some(Visibility::Public) => {
            let text = format!(
                "port {} ({}) is public already and stays so: {danger}",
                port.port, port.service
            );
            notes.push(Note::warning(text).hint(format!(
                "`cruddur-ops ports {}=private` closes it",
                port.port
            )));
            Visibility::Public
        }
        (Wish::Public, Some(danger)) => {
            notes.push(Note::fact(format!(
                "port {} ({}) stays private: {danger}",
                port.port, port.service
            )));
            Visibility::Private
        }
        (Wish::Keep, _) => current.unwrap_or(Visibility::Private),
    }
}

fn entry(
    port: &Published,
    visibility: Visibility,
    asked: Option<&Asked>,
    existing: &[Configured],
    labels: &BTreeMap<u16, String>,
) -> Option<PortEntry> {
    let name = asked.and_then(|asked| asked.name.clone());
    if let Some(exact) = gitpod::exact(existing, port.port) {
        let renamed = name.is_some() && name != exact.name;
        return (exact.visibility != visibility || renamed).then_some(PortEntry {
            port: port.port,
            name,
            visibility: Some(visibility),
            on_open: None,
        });
    }
    let in_range = gitpod::effective(existing, port.port);
    if name.is_none() && in_range.is_some_and(|range| range.visibility == visibility) {
        return None;
    }
    Some(PortEntry {
        port: port.port,
        name: name.or_else(|| labels.get(&port.port).cloned()),
        visibility: Some(visibility),
        on_open: (port.role == Role::Frontend).then(|| "open-browser".to_owned()),
    })
}

/// A name for each port: the part of its service's name before the first dash where that is unique among the
/// services, with the port behind it from a service's second port on.
pub fn labels(published: &[Published]) -> BTreeMap<u16, String> {
    let short = |service: &str| service.split('-').next().unwrap_or(service).to_owned();
    let mut labels = BTreeMap::new();
    let mut named: Vec<&str> = Vec::new();
    for port in published {
        let unique = published.iter().all(|other| {
            other.service == port.service || short(&other.service) != short(&port.service)
        });
        let base = if unique {
            short(&port.service)
        } else {
            port.service.clone()
        };
        let label = if named.contains(&port.service.as_str()) {
            format!("{base}-{}", port.port)
        } else {
            base
        };
        named.push(&port.service);
        labels.entry(port.port).or_insert(label);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cruddur() -> Vec<Published> {
        let port = |port, service: &str, role| Published {
            port,
            service: service.to_owned(),
            role,
        };
        vec![
            port(4567, "backend-flask", Role::Backend),
            port(3000, "frontend-react-js", Role::Frontend),
            port(5432, "db", Role::Database),
            port(2000, "xray-daemon", Role::TracingDaemon),
        ]
    }

    fn summary(entries: &[PortEntry]) -> Vec<(u16, Option<&str>, Option<Visibility>)> {
        entries
            .iter()
            .map(|entry| (entry.port, entry.name.as_deref(), entry.visibility))
            .collect()
    }

    #[test]
    fn public_leaves_databases_and_x_ray_private() {
        let Entries {
            write: entries,
            notes,
            ..
        } = entries(&cruddur(), Wish::Public, &[], &[]);
        assert_eq!(
            summary(&entries),
            [
                (4567, Some("backend"), Some(Visibility::Public)),
                (3000, Some("frontend"), Some(Visibility::Public)),
                (5432, Some("db"), Some(Visibility::Private)),
                (2000, Some("xray"), Some(Visibility::Private)),
            ]
        );
        assert_eq!(entries[1].on_open.as_deref(), Some("open-browser"));
        assert_eq!(notes.len(), 2);
    }

    #[test]
    fn a_named_port_insists_with_a_warning() {
        let asked = ["2000=public".parse().unwrap()];
        let Entries {
            write: entries,
            notes,
            ..
        } = entries(&cruddur(), Wish::Public, &asked, &[]);
        assert_eq!(entries[3].visibility, Some(Visibility::Public));
        assert!(notes.iter().any(|note| note.text.contains("AWS keys")));
    }

    #[test]
    fn one_named_port_leaves_the_others_alone() {
        let asked = ["3000=public".parse().unwrap()];
        let entries = entries(&cruddur(), Wish::Keep, &asked, &[]);
        assert_eq!(entries.write.len(), 1);
        assert_eq!(entries.goals, BTreeMap::from([(3000, Visibility::Public)]));
    }

    #[test]
    fn entries_of_the_user_stay_and_are_warned_of() {
        let existing = gitpod::configured(
            "ports:\n  - port: 5432\n    visibility: public\n  - port: 3000\n    name: web\n",
        );
        let Entries {
            write: entries,
            notes,
            ..
        } = entries(&cruddur(), Wish::Public, &[], &existing);
        let ports: Vec<u16> = entries.iter().map(|entry| entry.port).collect();
        assert_eq!(ports, [4567, 3000, 2000]);
        assert_eq!(entries[1].name, None);
        assert!(
            notes
                .iter()
                .any(|note| note.hint.as_deref()
                    == Some("`cruddur-ops ports 5432=private` closes it"))
        );
    }

    #[test]
    fn a_short_name_two_services_would_share_stays_long() {
        let port = |port, service: &str| Published {
            port,
            service: service.to_owned(),
            role: Role::Backend,
        };
        let labels = labels(&[
            port(1, "api-users"),
            port(2, "api-posts"),
            port(3, "web-x"),
            port(4, "web-x"),
        ]);
        let labels: Vec<&str> = labels.values().map(String::as_str).collect();
        assert_eq!(labels, ["api-users", "api-posts", "web", "web-4"]);
    }

    #[test]
    fn what_is_typed_for_a_port() {
        assert_eq!(
            "3000=public:web".parse(),
            Ok(Asked {
                port: 3000,
                visibility: Some(Visibility::Public),
                name: Some("web".to_owned())
            })
        );
        assert!("0=public".parse::<Asked>().is_err());
        assert!("3000=open".parse::<Asked>().is_err());
    }
}
