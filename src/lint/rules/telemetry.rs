//! Recognises telemetry variables and parses their values, for the rules about them.

use crate::lint::known::find_intended_variable;
use crate::lint::scope::VariableAssignment;

/// The variable that names a service.
pub(super) const NAME: &str = "OTEL_SERVICE_NAME";

/// Returns whether a variable is `OTEL_EXPORTER_OTLP_HEADERS`, or that of one signal.
pub(super) fn is_headers(name: &str) -> bool {
    name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("HEADERS")
}

/// Returns whether a variable is `OTEL_EXPORTER_OTLP_ENDPOINT`, or that of one signal.
pub(super) fn is_endpoint(name: &str) -> bool {
    name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("ENDPOINT")
}

/// Returns whether an endpoint is set.
pub(super) fn is_traced(settings: &[VariableAssignment<'_>]) -> bool {
    settings.iter().any(|assignment| {
        matches!(
            assignment.name,
            "OTEL_EXPORTER_OTLP_ENDPOINT"
                | "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
                | "OTEL_EXPORTER_OTLP_HEADERS"
                | "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
        )
    })
}

/// Returns whether an endpoint is set, possibly under a misspelt name.
pub(in crate::lint) fn is_told(settings: &[VariableAssignment<'_>]) -> bool {
    settings.iter().any(|assignment| {
        let meant = find_intended_variable(assignment.name).unwrap_or(assignment.name);
        is_endpoint(meant) || is_headers(meant)
    })
}

/// Returns whether a misspelling of `name` is set.
pub(super) fn has_misspelt_name(settings: &[VariableAssignment<'_>], name: &str) -> bool {
    settings.iter().any(|assignment| find_intended_variable(assignment.name) == Some(name))
}

/// Returns `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, and the setting that contains it.
pub(super) fn attribute_name<'s, 'a>(
    settings: &'s [VariableAssignment<'a>],
) -> Option<(&'s VariableAssignment<'a>, &'a str)> {
    let setting =
        settings.iter().rev().find(|assignment| assignment.name == "OTEL_RESOURCE_ATTRIBUTES")?;
    split_header_pairs(setting.text())
        .into_iter()
        .filter_map(|(_, pair)| pair.split_once('='))
        .find(|(name, _)| name.trim() == "service.name")
        .map(|(_, value)| (setting, value.trim()))
}

/// Splits a list at its commas, except inside `${…}`; each part comes with its byte offset.
pub(super) fn split_header_pairs(text: &str) -> Vec<(usize, &str)> {
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

/// Returns the value of a Honeycomb key in a header list.
pub(super) fn key_of(headers: &str) -> Option<&str> {
    split_header_pairs(headers)
        .into_iter()
        .filter_map(|(_, pair)| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("x-honeycomb-team"))
        .map(|(_, value)| value.trim())
}

/// A parsed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EndpointAddress<'a> {
    /// The part before `://`.
    pub(super) scheme: &'a str,
    /// The host, without user and port.
    pub(super) host: &'a str,
    /// The port, if written.
    pub(super) port: Option<u16>,
    /// The path with its leading slash; may be empty.
    pub(super) path: &'a str,
}

/// Parses `scheme://user@host:port/path`.
pub(super) fn endpoint(address: &str) -> Option<EndpointAddress<'_>> {
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
    Some(EndpointAddress { scheme, host, port, path })
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
        let parts: Vec<_> =
            split_header_pairs("a=${B:-x,y},c=d").into_iter().map(|(_, part)| part).collect();
        assert_eq!(parts, ["a=${B:-x,y}", "c=d"]);
    }
}
