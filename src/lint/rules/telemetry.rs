//! What the rules about telemetry variables share: which variables they are, and how their values are taken apart.

use crate::lint::known::nearly;
use crate::lint::scope::Assignment;

/// The variable that names a service.
pub(super) const NAME: &str = "OTEL_SERVICE_NAME";

/// `OTEL_EXPORTER_OTLP_HEADERS`, or one signal's.
pub(super) fn is_headers(name: &str) -> bool {
    name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("HEADERS")
}

/// `OTEL_EXPORTER_OTLP_ENDPOINT`, or one signal's.
pub(super) fn is_endpoint(name: &str) -> bool {
    name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("ENDPOINT")
}

/// Somebody told these settings where spans go.
pub(super) fn is_traced(settings: &[Assignment<'_>]) -> bool {
    settings.iter().any(|one| {
        matches!(
            one.name,
            "OTEL_EXPORTER_OTLP_ENDPOINT"
                | "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
                | "OTEL_EXPORTER_OTLP_HEADERS"
                | "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
        )
    })
}

/// Somebody meant to tell these settings where spans go, spelt right or not.
pub(in crate::lint) fn is_told(settings: &[Assignment<'_>]) -> bool {
    settings.iter().any(|one| {
        let meant = nearly(one.name).unwrap_or(one.name);
        is_endpoint(meant) || is_headers(meant)
    })
}

/// A typing error of `name` is set.
pub(super) fn misspelt(settings: &[Assignment<'_>], name: &str) -> bool {
    settings.iter().any(|one| nearly(one.name) == Some(name))
}

/// `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, and the setting it stands in.
pub(super) fn attribute_name<'s, 'a>(
    settings: &'s [Assignment<'a>],
) -> Option<(&'s Assignment<'a>, &'a str)> {
    let setting = settings.iter().rev().find(|one| one.name == "OTEL_RESOURCE_ATTRIBUTES")?;
    pairs(setting.text())
        .into_iter()
        .filter_map(|(_, pair)| pair.split_once('='))
        .find(|(name, _)| name.trim() == "service.name")
        .map(|(_, value)| (setting, value.trim()))
}

/// The parts between commas, each with the byte it begins at; commas inside `${…}` do not count.
pub(super) fn pairs(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push((start, &text[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push((start, &text[start..]));
    found
}

/// The value of a Honeycomb key in a header list.
pub(super) fn key_of(headers: &str) -> Option<&str> {
    pairs(headers)
        .into_iter()
        .filter_map(|(_, pair)| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("x-honeycomb-team"))
        .map(|(_, value)| value.trim())
}

/// An address, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endpoint<'a> {
    /// Before `://`.
    pub(super) scheme: &'a str,
    /// Without user and port.
    pub(super) host: &'a str,
    /// As written.
    pub(super) port: Option<u16>,
    /// With its leading slash; empty where there is none.
    pub(super) path: &'a str,
}

/// Takes `scheme://user@host:port/path` apart.
pub(super) fn endpoint(address: &str) -> Option<Endpoint<'_>> {
    let (scheme, rest) = address.trim().split_once("://")?;
    let scheme = scheme.split('+').next().unwrap_or(scheme);
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (authority, None),
    };
    Some(Endpoint { scheme, host, port, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let read = endpoint("postgresql+psycopg://u:p@h:5432/x").unwrap();
        assert_eq!(
            (read.scheme, read.host, read.port, read.path),
            ("postgresql", "h", Some(5432), "/x")
        );
        assert_eq!(endpoint("collector:4317"), None);
    }

    #[test]
    fn pairs_end_at_commas_outside_references() {
        let parts: Vec<_> = pairs("a=${B:-x,y},c=d").into_iter().map(|(_, part)| part).collect();
        assert_eq!(parts, ["a=${B:-x,y}", "c=d"]);
    }
}
