//! Reads where a collector's configuration listens for OTLP, and who can reach it.

use serde_yaml::Value;

use super::collector::expand_variables;

/// An OTLP receiver in a trace pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtlpListener {
    /// The protocol it takes.
    pub protocol: ListenerProtocol,
    /// Who can reach it.
    pub audience: ListenerAudience,
    /// The port; `None` if it depends on an unset variable.
    pub port: Option<u16>,
    /// Whether it expects TLS.
    pub is_encrypted: bool,
}

/// A transport of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListenerProtocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
}

/// The network a sender uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SenderNetwork {
    /// It shares the collector's, so that localhost is the same for both.
    Shared,
    /// It is another container, or the host.
    Other,
}

/// Who can reach a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListenerAudience {
    /// Other containers too.
    Everyone,
    /// Only its own container: `localhost:4318`.
    ItselfAlone,
    /// Unknown: it depends on a host name or a variable.
    Unknown,
}

/// The reason why a collector does not receive data on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CollectorUnreachableReason {
    /// It listens there for its own container only.
    ItselfAlone,
    /// The port is for the other protocol.
    OtherProtocol {
        /// The port for the protocol in use, if there is one.
        right: Option<u16>,
    },
    /// It does not listen there; the port for that protocol, if there is one.
    OtherPort(Option<u16>),
}

/// The release since which a receiver without an address listens only for its own container.
const LOOPBACK_SINCE: (u32, u32) = (0, 104);

/// Reads the listeners of a configuration's trace pipelines. `image` shows the collector's release, `variable`
/// returns values of its environment.
///
/// # Errors
/// The reason why they are unknown, in one line.
pub(crate) fn read_listeners(
    text: &str,
    image: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<OtlpListener>, String> {
    let file: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    let pipelines = file
        .get("service")
        .and_then(|service| service.get("pipelines"))
        .and_then(Value::as_mapping)
        .ok_or("it has no `service.pipelines`")?;
    let is_for_traces = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        name.split('/').next() == Some("traces")
    };
    let traces = pipelines.iter().filter(|(name, _)| is_for_traces(name));
    let names = traces.flat_map(|(_, pipeline)| {
        let list = pipeline.get("receivers").and_then(Value::as_sequence);
        list.into_iter().flatten().filter_map(Value::as_str)
    });
    let defaults = if is_older_than(image, LOOPBACK_SINCE) {
        ListenerAudience::Everyone
    } else {
        ListenerAudience::ItselfAlone
    };
    let mut listeners = Vec::new();
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        return Err("no pipeline for traces has a receiver".to_owned());
    }
    let is_otlp = |name: &&&str| name.split('/').next() == Some("otlp");
    for name in names.iter().filter(is_otlp) {
        let receiver = file.get("receivers").and_then(|receivers| receivers.get(*name));
        let protocols = receiver.and_then(|receiver| receiver.get("protocols"));
        let Some(protocols) = protocols.and_then(Value::as_mapping) else { continue };
        for (protocol, settings) in protocols {
            let (protocol, usual) = match protocol.as_str() {
                Some("grpc") => (ListenerProtocol::Grpc, 4317),
                Some("http") => (ListenerProtocol::Http, 4318),
                _ => continue,
            };
            let endpoint = settings.get("endpoint").and_then(Value::as_str);
            let (audience, port) = match endpoint {
                None => (defaults, Some(usual)),
                Some(written) => read_endpoint(written, variable),
            };
            let is_encrypted = settings.get("tls").is_some();
            listeners.push(OtlpListener { protocol, audience, port, is_encrypted });
        }
    }
    Ok(listeners)
}

/// Returns why data for `port` is not received; `None` if it is, or that is unknown.
pub(crate) fn find_unreachable_reason(
    listeners: &[OtlpListener],
    port: u16,
    protocol: ListenerProtocol,
    network: SenderNetwork,
) -> Option<CollectorUnreachableReason> {
    let right = || {
        listeners
            .iter()
            .find(|listener| listener.protocol == protocol)
            .and_then(|listener| listener.port)
    };
    // An unknown port may be this one.
    if listeners.iter().any(|listener| listener.port.is_none()) {
        return None;
    }
    let on_port: Vec<&OtlpListener> =
        listeners.iter().filter(|listener| listener.port == Some(port)).collect();
    let Some(listener) = on_port.iter().find(|listener| listener.protocol == protocol) else {
        return Some(if on_port.is_empty() {
            CollectorUnreachableReason::OtherPort(right())
        } else {
            CollectorUnreachableReason::OtherProtocol { right: right() }
        });
    };
    let is_deaf =
        listener.audience == ListenerAudience::ItselfAlone && network == SenderNetwork::Other;
    is_deaf.then_some(CollectorUnreachableReason::ItselfAlone)
}

impl CollectorUnreachableReason {
    /// Returns a clause that follows the name of the collector's file: lower case, without a full stop.
    pub(crate) fn words(&self, port: u16, protocol: ListenerProtocol) -> String {
        let protocol = match protocol {
            ListenerProtocol::Grpc => "gRPC",
            ListenerProtocol::Http => "HTTP",
        };
        match self {
            Self::ItselfAlone => {
                format!(
                    "the receiver on port {port} listens on localhost, for its own container only"
                )
            }
            Self::OtherProtocol { .. } => format!("port {port} does not take OTLP over {protocol}"),
            Self::OtherPort(Some(right)) => {
                format!(
                    "no receiver listens on port {port}; OTLP over {protocol} is received on {right}"
                )
            }
            Self::OtherPort(None) => format!("no receiver takes OTLP over {protocol}"),
        }
    }

    /// Returns what to change.
    pub(crate) fn hint(&self, port: u16, protocol: ListenerProtocol) -> String {
        let protocol = match protocol {
            ListenerProtocol::Grpc => "grpc",
            ListenerProtocol::Http => "http",
        };
        match self {
            Self::ItselfAlone => format!("`endpoint: 0.0.0.0:{port}` lets other containers in"),
            Self::OtherProtocol { right: Some(right) } | Self::OtherPort(Some(right)) => {
                format!("send to port {right}, or change the receiver's `endpoint`")
            }
            Self::OtherProtocol { right: None } | Self::OtherPort(None) => format!(
                "add `{protocol}: {{endpoint: \"0.0.0.0:{port}\"}}` to the protocols of the receiver"
            ),
        }
    }
}

/// Parses `HOST:PORT`, which may contain variables.
fn read_endpoint(
    written: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> (ListenerAudience, Option<u16>) {
    let (endpoint, lacking) = expand_variables(written, variable);
    let (host, port) = endpoint.rsplit_once(':').unwrap_or((&endpoint, ""));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let audience = match host {
        "" if lacking.is_empty() => ListenerAudience::Everyone,
        "0.0.0.0" | "::" => ListenerAudience::Everyone,
        "localhost" | "::1" => ListenerAudience::ItselfAlone,
        _ if host.starts_with("127.") => ListenerAudience::ItselfAlone,
        _ => ListenerAudience::Unknown,
    };
    (audience, port.parse().ok())
}

/// Returns whether an official collector image is of an earlier release than this one.
pub(crate) fn is_older_than(image: &str, since: (u32, u32)) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    let tag = name.split('@').next().and_then(|name| name.split_once(':'));
    let release = tag.and_then(|(_, tag)| {
        let mut numbers = tag.trim_start_matches('v').split('.').map(str::parse::<u32>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    let is_of_the_project = ["opentelemetry-collector", "otelcol"]
        .iter()
        .any(|repository| name.starts_with(repository));
    is_of_the_project && release.is_some_and(|release| release < since)
}

#[cfg(test)]
mod tests {
    use super::ListenerProtocol::{Grpc, Http};
    use super::SenderNetwork::{Other, Shared};
    use super::*;

    const NEW: &str = "otel/opentelemetry-collector-contrib:0.135.0";

    /// Checks the reasons for data sent by HTTP to 4318 and by gRPC to 4317.
    #[track_caller]
    fn check(
        protocols: &str,
        image: &str,
        http: Option<CollectorUnreachableReason>,
        grpc: Option<CollectorUnreachableReason>,
    ) {
        let text = format!(
            "receivers: {{otlp: {{protocols: {protocols}}}, zipkin: }}\nservice: {{pipelines: {{traces: {{receivers: [zipkin, otlp], exporters: [debug]}}}}}}\n"
        );
        let variable = |name: &str| (name == "HOST").then(|| "127.0.0.1".to_owned());
        let listeners = read_listeners(&text, image, &variable).unwrap();
        assert_eq!(
            find_unreachable_reason(&listeners, 4318, Http, Other),
            http,
            "{protocols}, HTTP"
        );
        assert_eq!(
            find_unreachable_reason(&listeners, 4317, Grpc, Other),
            grpc,
            "{protocols}, gRPC"
        );
        for (port, protocol) in [(4318, Http), (4317, Grpc)] {
            let inside = find_unreachable_reason(&listeners, port, protocol, Shared);
            assert_ne!(
                inside,
                Some(CollectorUnreachableReason::ItselfAlone),
                "{protocols}, inside"
            );
        }
    }

    #[test]
    fn the_endpoint_determines_who_reaches_a_receiver() {
        use CollectorUnreachableReason::{ItselfAlone, OtherPort};

        let alone = || Some(ItselfAlone);
        let all = "{http: {endpoint: '0.0.0.0:4318'}, grpc: {endpoint: ':4317'}}";
        check(all, NEW, None, None);
        check("{http: {endpoint: '[::]:4318'}, grpc: {endpoint: 'otel:4317'}}", NEW, None, None);
        check(
            "{http: {endpoint: 'localhost:4318'}, grpc: {endpoint: '127.0.0.1:4317'}}",
            NEW,
            alone(),
            alone(),
        );
        check("{http: , grpc: }", NEW, alone(), alone());
        check("{http: {}, grpc: {}}", "otel/opentelemetry-collector:0.96.0", None, None);
        check("{http: , grpc: }", "otel/opentelemetry-collector", alone(), alone());
        check("{http: {cors: {allowed_origins: ['*']}}}", NEW, alone(), Some(OtherPort(None)));
        check(
            "{http: {endpoint: '0.0.0.0:24318'}}",
            NEW,
            Some(OtherPort(Some(24318))),
            Some(OtherPort(None)),
        );
        check("{grpc: {endpoint: '0.0.0.0:4317'}}", NEW, Some(OtherPort(None)), None);
        check(
            "{http: {endpoint: '${env:HOST}:4318'}, grpc: {endpoint: '${env:IP}:4317'}}",
            NEW,
            alone(),
            None,
        );
        check("{http: {endpoint: '0.0.0.0:${env:PORT}'}}", NEW, None, None);
        check("{http: {endpoint: '${env:IP:-0.0.0.0}:4318'}}", NEW, None, Some(OtherPort(None)));
    }

    #[test]
    fn a_port_takes_one_protocol() {
        let text = "receivers: {otlp/a: {protocols: {http: {endpoint: '0.0.0.0:4317'}, grpc: {endpoint: '0.0.0.0:4319'}}}}\nservice: {pipelines: {traces/b: {receivers: [otlp/a]}}}\n";
        let listeners = read_listeners(text, NEW, &|_| None).unwrap();
        let reason = find_unreachable_reason(&listeners, 4317, Grpc, Other);
        assert_eq!(reason, Some(CollectorUnreachableReason::OtherProtocol { right: Some(4319) }));
        let reason = find_unreachable_reason(&listeners, 4319, Http, Shared);
        assert_eq!(reason, Some(CollectorUnreachableReason::OtherProtocol { right: Some(4317) }));
    }

    #[test]
    fn receivers_outside_trace_pipelines_do_not_count() {
        let text = "receivers: {otlp: {protocols: {http: {endpoint: '0.0.0.0:4318'}}}}\nservice: {pipelines: {metrics: {receivers: [otlp]}}}\n";
        assert!(read_listeners(text, NEW, &|_| None).is_err());
        let other = text.replace("metrics", "traces").replace("[otlp]", "[zipkin]");
        let listeners = read_listeners(&other, NEW, &|_| None).unwrap();
        let reason = find_unreachable_reason(&listeners, 4318, Http, Other);
        assert_eq!(reason, Some(CollectorUnreachableReason::OtherPort(None)));
        assert!(read_listeners("a: b", NEW, &|_| None).is_err());
        assert!(read_listeners("[", NEW, &|_| None).is_err());
    }
}
