//! Merges the content of one file for a service over that of another.

use std::collections::{HashMap, HashSet, hash_map};
use std::hash::Hash;
use std::ops::RangeInclusive;

use super::read::ComposeFault;
use super::references::{self, ServiceReferences};
use super::service::{
    DeclaredValue, DeclaredVariable, EnvFile, ExtraHost, HostMount, NetworkAlias, PublishedPorts,
    ServiceBuild, ServiceCommand, ServiceLink, ServiceModel, VariableForm,
};
use super::source::FileSpan;

/// A field of a service as one file sets it.
#[derive(Debug, Clone, Default)]
pub(super) enum ServiceField<T> {
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
pub(super) struct PartialService {
    pub(super) name: String,
    pub(super) name_span: FileSpan,
    pub(super) places: Vec<FileSpan>,
    pub(super) gaps: Vec<String>,
    /// Keys without a value, which docker compose rejects unless another file gives them one.
    pub(super) bare: Vec<(String, ComposeFault)>,
    /// Keys with a value.
    pub(super) given_keys: Vec<String>,
    pub(super) image: ServiceField<String>,
    pub(super) provider: ServiceField<()>,
    pub(super) container_name: ServiceField<String>,
    pub(super) working_dir: ServiceField<String>,
    pub(super) network_mode: ServiceField<String>,
    pub(super) networks: ServiceField<Vec<String>>,
    pub(super) aliases: ServiceField<Vec<NetworkAlias>>,
    pub(super) links: ServiceField<Vec<ServiceLink>>,
    pub(super) hostname: ServiceField<String>,
    pub(super) extra_hosts: ServiceField<Vec<ExtraHost>>,
    pub(super) exposed: ServiceField<Vec<RangeInclusive<u16>>>,
    pub(super) build: ServiceField<ServiceBuild>,
    pub(super) entrypoint: ServiceField<ServiceCommand>,
    pub(super) command: ServiceField<ServiceCommand>,
    pub(super) command_span: ServiceField<FileSpan>,
    pub(super) ports: ServiceField<Vec<PublishedPorts>>,
    pub(super) references: ServiceReferences,
    pub(super) profiles: ServiceField<Vec<String>>,
    pub(super) mounts: ServiceField<Vec<HostMount>>,
    pub(super) environment: ServiceField<Vec<DeclaredVariable>>,
    pub(super) env_files: ServiceField<Vec<EnvFile>>,
}

impl<T> ServiceField<T> {
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

    fn given(&self) -> Option<&T> {
        match self {
            Self::Said(value) | Self::Instead(value) => Some(value),
            Self::Silent | Self::Reset => None,
        }
    }
}

/// Returns the size in bytes of a list whose items have texts of these lengths.
fn sum_lengths<T>(field: &ServiceField<Vec<T>>, text: impl Fn(&T) -> usize) -> usize {
    let items = field.given().into_iter().flatten();
    items.map(|item| size_of::<T>() + text(item)).sum()
}

fn entry_text(entry: &DeclaredVariable) -> usize {
    entry.name.len() + entry.raw().map_or(0, str::len)
}

impl<T> ServiceField<Vec<T>> {
    /// Iterates over the values set, whether merged or replacing.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        match self {
            Self::Said(values) | Self::Instead(values) => values.iter(),
            Self::Silent | Self::Reset => [].iter(),
        }
    }
}

impl PartialService {
    pub(super) fn new(name: String, name_span: FileSpan, place: FileSpan) -> Self {
        Self {
            name,
            name_span,
            places: vec![place],
            gaps: Vec::new(),
            bare: Vec::new(),
            given_keys: Vec::new(),
            image: ServiceField::Silent,
            provider: ServiceField::Silent,
            container_name: ServiceField::Silent,
            working_dir: ServiceField::Silent,
            network_mode: ServiceField::Silent,
            networks: ServiceField::Silent,
            aliases: ServiceField::Silent,
            links: ServiceField::Silent,
            hostname: ServiceField::Silent,
            extra_hosts: ServiceField::Silent,
            exposed: ServiceField::Silent,
            build: ServiceField::Silent,
            entrypoint: ServiceField::Silent,
            command: ServiceField::Silent,
            command_span: ServiceField::Silent,
            ports: ServiceField::Silent,
            references: ServiceReferences::new(),
            profiles: ServiceField::Silent,
            mounts: ServiceField::Silent,
            environment: ServiceField::Silent,
            env_files: ServiceField::Silent,
        }
    }

    /// Returns the approximate size in bytes of the fields that grow with the file.
    pub(super) fn weight(&self) -> usize {
        let names: usize = [&self.networks, &self.profiles]
            .into_iter()
            .map(|field| sum_lengths(field, String::len))
            .sum();
        let addresses = sum_lengths(&self.aliases, |alias| alias.network.len() + alias.alias.len())
            + sum_lengths(&self.links, |link| link.service.len() + link.alias.len())
            + sum_lengths(&self.extra_hosts, |host| host.name.len() + host.address.len())
            + sum_lengths(&self.exposed, |_| 0);
        let references: usize = self
            .references
            .values()
            .map(|field| sum_lengths(field, |reference| reference.name.len()))
            .sum();
        let commands: usize = [&self.entrypoint, &self.command]
            .into_iter()
            .filter_map(ServiceField::given)
            .map(ServiceCommand::weight)
            .sum();
        let build = self.build.given().map_or(0, |build| {
            let args =
                build.args.iter().map(|entry| size_of::<DeclaredVariable>() + entry_text(entry));
            args.sum::<usize>() + build.dockerfile_inline.as_ref().map_or(0, String::len)
        });
        size_of::<Self>()
            + names
            + addresses
            + references
            + commands
            + build
            + sum_lengths(&self.ports, |_| 0)
            + sum_lengths(&self.mounts, |mount| mount.target.len() + mount.source.as_os_str().len())
            + sum_lengths(&self.environment, entry_text)
    }

    /// Merges this content over `below`.
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            name: self.name,
            // An extended service is not one of the places that define the service.
            name_span: if below.places.is_empty() { self.name_span } else { below.name_span },
            places: concat_lists(below.places, self.places),
            gaps: concat_lists(below.gaps, self.gaps),
            bare: concat_lists(
                drop_given_keys(below.bare, &self.given_keys),
                drop_given_keys(self.bare, &below.given_keys),
            ),
            given_keys: concat_lists(below.given_keys, self.given_keys),
            image: self.image.over(below.image, keep_override),
            provider: self.provider.over(below.provider, |(), ()| ()),
            container_name: self.container_name.over(below.container_name, keep_override),
            working_dir: self.working_dir.over(below.working_dir, keep_override),
            network_mode: self.network_mode.over(below.network_mode, keep_override),
            networks: self
                .networks
                .over(below.networks, |below, above| merge_by_key(below, above, String::clone)),
            aliases: self.aliases.over(below.aliases, concat_lists),
            links: self.links.over(below.links, concat_lists),
            hostname: self.hostname.over(below.hostname, keep_override),
            extra_hosts: self.extra_hosts.over(below.extra_hosts, concat_lists),
            exposed: self.exposed.over(below.exposed, concat_lists),
            build: self.build.over(below.build, merge_builds),
            entrypoint: self.entrypoint.over(below.entrypoint, keep_override),
            command: self.command.over(below.command, keep_override),
            command_span: self.command_span.over(below.command_span, keep_override),
            ports: self.ports.over(below.ports, |below, above| {
                merge_by_key(below, above, |published| {
                    let ports = (published.host.clone(), published.container.clone());
                    (ports, published.protocol.clone(), published.host_ip.clone())
                })
            }),
            references: references_over(self.references, below.references),
            profiles: self
                .profiles
                .over(below.profiles, |below, above| merge_by_key(below, above, String::clone)),
            mounts: self.mounts.over(below.mounts, |below, above| {
                merge_by_key(below, above, |mount| mount.target.clone())
            }),
            environment: self.environment.over(below.environment, merge_variables),
            env_files: self.env_files.over(below.env_files, |below, above| {
                merge_by_key(below, above, |env_file| env_file.path.clone())
            }),
        }
    }

    pub(super) fn finish(self) -> ServiceModel {
        let mut environment = self.environment.get().unwrap_or_default();
        environment.retain(|entry| entry.value != DeclaredValue::Removed);
        let depends_on = references::dependencies(&self.references);
        let references = self.references.into_values().filter_map(ServiceField::get);
        ServiceModel {
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

fn references_over(above: ServiceReferences, mut below: ServiceReferences) -> ServiceReferences {
    for (key, field) in above {
        let under = below.remove(key).unwrap_or_default();
        below.insert(key, field.over(under, references::merge));
    }
    below
}

/// Merges variables over others. A `!reset` entry removes the one below as well, if it is in a mapping.
fn merge_variables(
    mut below: Vec<DeclaredVariable>,
    mut above: Vec<DeclaredVariable>,
) -> Vec<DeclaredVariable> {
    let removed: HashSet<String> = above
        .extract_if(.., |entry| entry.value == DeclaredValue::Removed)
        .map(|entry| entry.name)
        .collect();
    below.retain(|entry| entry.form == VariableForm::List || !removed.contains(&entry.name));
    // A name without a value in a list is looked up where the merge happens: with the variables of the upper file.
    if let Some(scope) = above.first().map(|entry| entry.scope) {
        let mappings = below.iter_mut().filter(|entry| entry.form == VariableForm::Mapping);
        for entry in mappings.filter(|entry| entry.value == DeclaredValue::Passed) {
            entry.scope = scope;
        }
    }
    let mut out = concat_lists(below, above);
    for entry in &mut out {
        entry.form = VariableForm::List;
    }
    out
}

fn merge_builds(below: ServiceBuild, above: ServiceBuild) -> ServiceBuild {
    let silent = above.written.is_empty();
    ServiceBuild {
        context: if silent { below.context } else { above.context },
        written: if silent { below.written } else { above.written },
        dockerfile: above.dockerfile.or(below.dockerfile),
        dockerfile_inline: above.dockerfile_inline.or(below.dockerfile_inline),
        target: above.target.or(below.target),
        args: merge_variables(below.args, above.args),
    }
}

fn drop_given_keys(
    bare: Vec<(String, ComposeFault)>,
    given_keys: &[String],
) -> Vec<(String, ComposeFault)> {
    bare.into_iter().filter(|(key, _)| !given_keys.contains(key)).collect()
}

/// Returns only the upper value.
fn keep_override<T>(_below: T, above: T) -> T {
    above
}

fn concat_lists<T>(mut below: Vec<T>, above: Vec<T>) -> Vec<T> {
    below.extend(above);
    below
}

/// Concatenates both lists; an item replaces an earlier one with the same key.
fn merge_by_key<T, K: Eq + Hash>(below: Vec<T>, above: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
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
