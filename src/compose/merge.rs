//! Merges the content of one file for a service over that of another.

use std::collections::{HashMap, HashSet, hash_map};
use std::hash::Hash;
use std::ops::RangeInclusive;

use super::read::Fault;
use super::references::{self, References};
use super::service::{
    Build, Command, Declared, Entry, EnvFile, ExtraHost, Form, Link, Mount, NetworkAlias,
    Published, Service,
};
use super::source::Span;

/// A field of a service as one file sets it.
#[derive(Debug, Clone, Default)]
pub(super) enum Field<T> {
    /// Not set.
    #[default]
    Silent,
    /// Set, to be merged with earlier files.
    Said(T),
    /// Set with `!override`: replaces earlier files.
    Instead(T),
    /// Removed with `!reset`.
    Reset,
}

/// The content of one file for one service.
#[derive(Debug, Clone)]
pub(super) struct Partial {
    pub(super) name: String,
    pub(super) name_span: Span,
    pub(super) places: Vec<Span>,
    pub(super) gaps: Vec<String>,
    /// Keys without a value, which docker compose rejects unless another file gives them one.
    pub(super) bare: Vec<(String, Fault)>,
    /// Keys with a value.
    pub(super) said: Vec<String>,
    pub(super) image: Field<String>,
    pub(super) provider: Field<()>,
    pub(super) container_name: Field<String>,
    pub(super) working_dir: Field<String>,
    pub(super) network_mode: Field<String>,
    pub(super) networks: Field<Vec<String>>,
    pub(super) aliases: Field<Vec<NetworkAlias>>,
    pub(super) links: Field<Vec<Link>>,
    pub(super) hostname: Field<String>,
    pub(super) extra_hosts: Field<Vec<ExtraHost>>,
    pub(super) exposed: Field<Vec<RangeInclusive<u16>>>,
    pub(super) build: Field<Build>,
    pub(super) entrypoint: Field<Command>,
    pub(super) command: Field<Command>,
    pub(super) command_span: Field<Span>,
    pub(super) ports: Field<Vec<Published>>,
    pub(super) references: References,
    pub(super) profiles: Field<Vec<String>>,
    pub(super) mounts: Field<Vec<Mount>>,
    pub(super) environment: Field<Vec<Entry>>,
    pub(super) env_files: Field<Vec<EnvFile>>,
}

impl<T> Field<T> {
    fn over(self, below: Self, merge: impl FnOnce(T, T) -> T) -> Self {
        match (below, self) {
            (below, Self::Silent) => below,
            (Self::Said(below), Self::Said(above)) => Self::Said(merge(below, above)),
            (Self::Instead(below), Self::Said(above)) => Self::Instead(merge(below, above)),
            (Self::Reset, Self::Said(above)) => Self::Instead(above),
            (_, above) => above,
        }
    }

    pub(super) fn get(self) -> Option<T> {
        match self {
            Self::Said(value) | Self::Instead(value) => Some(value),
            Self::Silent | Self::Reset => None,
        }
    }

    fn said(&self) -> Option<&T> {
        match self {
            Self::Said(value) | Self::Instead(value) => Some(value),
            Self::Silent | Self::Reset => None,
        }
    }
}

/// Returns the size in bytes of a list whose items have texts of these lengths.
fn listed<T>(field: &Field<Vec<T>>, text: impl Fn(&T) -> usize) -> usize {
    let items = field.said().into_iter().flatten();
    items.map(|item| size_of::<T>() + text(item)).sum()
}

fn entry_text(entry: &Entry) -> usize {
    entry.name.len() + entry.raw().map_or(0, str::len)
}

impl<T> Field<Vec<T>> {
    /// Iterates over the values set, whether merged or replacing.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        match self {
            Self::Said(values) | Self::Instead(values) => values.iter(),
            Self::Silent | Self::Reset => [].iter(),
        }
    }
}

impl Partial {
    pub(super) fn new(name: String, name_span: Span, place: Span) -> Self {
        Self {
            name,
            name_span,
            places: vec![place],
            gaps: Vec::new(),
            bare: Vec::new(),
            said: Vec::new(),
            image: Field::Silent,
            provider: Field::Silent,
            container_name: Field::Silent,
            working_dir: Field::Silent,
            network_mode: Field::Silent,
            networks: Field::Silent,
            aliases: Field::Silent,
            links: Field::Silent,
            hostname: Field::Silent,
            extra_hosts: Field::Silent,
            exposed: Field::Silent,
            build: Field::Silent,
            entrypoint: Field::Silent,
            command: Field::Silent,
            command_span: Field::Silent,
            ports: Field::Silent,
            references: References::new(),
            profiles: Field::Silent,
            mounts: Field::Silent,
            environment: Field::Silent,
            env_files: Field::Silent,
        }
    }

    /// Returns the approximate size in bytes of the fields that grow with the file.
    pub(super) fn weight(&self) -> usize {
        let names = [&self.networks, &self.profiles];
        let names: usize = names.into_iter().map(|field| listed(field, String::len)).sum();
        let addresses = listed(&self.aliases, |one| one.network.len() + one.alias.len())
            + listed(&self.links, |one| one.service.len() + one.alias.len())
            + listed(&self.extra_hosts, |one| one.name.len() + one.address.len())
            + listed(&self.exposed, |_| 0);
        let references = self.references.values();
        let references: usize =
            references.map(|field| listed(field, |reference| reference.name.len())).sum();
        let commands = [&self.entrypoint, &self.command].into_iter().filter_map(Field::said);
        let commands: usize = commands.map(Command::weight).sum();
        let build = self.build.said().map_or(0, |build| {
            let args = build.args.iter().map(|entry| size_of::<Entry>() + entry_text(entry));
            args.sum::<usize>() + build.dockerfile_inline.as_ref().map_or(0, String::len)
        });
        size_of::<Self>()
            + names
            + addresses
            + references
            + commands
            + build
            + listed(&self.ports, |_| 0)
            + listed(&self.mounts, |mount| mount.target.len() + mount.source.as_os_str().len())
            + listed(&self.environment, entry_text)
    }

    /// Merges this content over `below`.
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            name: self.name,
            // An extended service is not one of the places that define the service.
            name_span: match below.places.is_empty() {
                true => self.name_span,
                false => below.name_span,
            },
            places: join(below.places, self.places),
            gaps: join(below.gaps, self.gaps),
            bare: join(without(below.bare, &self.said), without(self.bare, &below.said)),
            said: join(below.said, self.said),
            image: self.image.over(below.image, replace),
            provider: self.provider.over(below.provider, |(), ()| ()),
            container_name: self.container_name.over(below.container_name, replace),
            working_dir: self.working_dir.over(below.working_dir, replace),
            network_mode: self.network_mode.over(below.network_mode, replace),
            networks: self
                .networks
                .over(below.networks, |below, above| unique(below, above, String::clone)),
            aliases: self.aliases.over(below.aliases, join),
            links: self.links.over(below.links, join),
            hostname: self.hostname.over(below.hostname, replace),
            extra_hosts: self.extra_hosts.over(below.extra_hosts, join),
            exposed: self.exposed.over(below.exposed, join),
            build: self.build.over(below.build, builds),
            entrypoint: self.entrypoint.over(below.entrypoint, replace),
            command: self.command.over(below.command, replace),
            command_span: self.command_span.over(below.command_span, replace),
            ports: self.ports.over(below.ports, |below, above| {
                unique(below, above, |one| {
                    let ports = (one.host.clone(), one.container.clone());
                    (ports, one.protocol.clone(), one.host_ip.clone())
                })
            }),
            references: references_over(self.references, below.references),
            profiles: self
                .profiles
                .over(below.profiles, |below, above| unique(below, above, String::clone)),
            mounts: self
                .mounts
                .over(below.mounts, |below, above| unique(below, above, |one| one.target.clone())),
            environment: self.environment.over(below.environment, variables),
            env_files: self
                .env_files
                .over(below.env_files, |below, above| unique(below, above, |one| one.path.clone())),
        }
    }

    pub(super) fn finish(self) -> Service {
        let mut environment = self.environment.get().unwrap_or_default();
        environment.retain(|entry| entry.value != Declared::Removed);
        let depends_on = references::dependencies(&self.references);
        let references = self.references.into_values().filter_map(Field::get);
        Service {
            references: references.flatten().collect(),
            name: self.name,
            name_span: self.name_span,
            build: self.build.get(),
            image: self.image.get(),
            provided: self.provider.get().is_some(),
            container_name: self.container_name.get(),
            working_dir: self.working_dir.get(),
            entrypoint: self.entrypoint.get(),
            command: self.command.get(),
            command_span: self.command_span.get(),
            network_mode: self.network_mode.get(),
            networks: self.networks.get().unwrap_or_default(),
            aliases: self.aliases.get().unwrap_or_default(),
            links: self.links.get().unwrap_or_default(),
            hostname: self.hostname.get(),
            extra_hosts: self.extra_hosts.get().unwrap_or_default(),
            exposed: self.exposed.get().unwrap_or_default(),
            ports: self.ports.get().unwrap_or_default(),
            depends_on,
            profiles: self.profiles.get().unwrap_or_default(),
            mounts: self.mounts.get().unwrap_or_default(),
            environment,
            env_files: self.env_files.get().unwrap_or_default(),
            defined_in: self.places,
            gaps: self.gaps,
        }
    }
}

fn references_over(above: References, mut below: References) -> References {
    for (key, field) in above {
        let under = below.remove(key).unwrap_or_default();
        below.insert(key, field.over(under, references::merge));
    }
    below
}

/// Merges variables over others. A `!reset` entry removes the one below as well, if it is in a mapping.
fn variables(mut below: Vec<Entry>, mut above: Vec<Entry>) -> Vec<Entry> {
    let removed: HashSet<String> = above
        .extract_if(.., |entry| entry.value == Declared::Removed)
        .map(|entry| entry.name)
        .collect();
    below.retain(|entry| entry.form == Form::List || !removed.contains(&entry.name));
    // A name without a value in a list is looked up where the merge happens: with the variables of the upper file.
    if let Some(scope) = above.first().map(|entry| entry.scope) {
        let mappings = below.iter_mut().filter(|entry| entry.form == Form::Mapping);
        for entry in mappings.filter(|entry| entry.value == Declared::Passed) {
            entry.scope = scope;
        }
    }
    let mut out = join(below, above);
    for entry in &mut out {
        entry.form = Form::List;
    }
    out
}

fn builds(below: Build, above: Build) -> Build {
    let silent = above.written.is_empty();
    Build {
        context: if silent { below.context } else { above.context },
        written: if silent { below.written } else { above.written },
        dockerfile: above.dockerfile.or(below.dockerfile),
        dockerfile_inline: above.dockerfile_inline.or(below.dockerfile_inline),
        target: above.target.or(below.target),
        args: variables(below.args, above.args),
    }
}

fn without(bare: Vec<(String, Fault)>, said: &[String]) -> Vec<(String, Fault)> {
    bare.into_iter().filter(|(key, _)| !said.contains(key)).collect()
}

/// Returns only the upper value.
fn replace<T>(_below: T, above: T) -> T {
    above
}

fn join<T>(mut below: Vec<T>, above: Vec<T>) -> Vec<T> {
    below.extend(above);
    below
}

/// Concatenates both lists; an item replaces an earlier one with the same key.
fn unique<T, K: Eq + Hash>(below: Vec<T>, above: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut places = HashMap::with_capacity(below.len() + above.len());
    for (place, item) in below.iter().enumerate() {
        places.entry(key(item)).or_insert(place);
    }
    let mut out = below;
    for item in above {
        match places.entry(key(&item)) {
            hash_map::Entry::Occupied(place) => out[*place.get()] = item,
            hash_map::Entry::Vacant(place) => {
                place.insert(out.len());
                out.push(item);
            }
        }
    }
    out
}
