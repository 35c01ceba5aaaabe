//! X-Ray's test segment, the daemon's addresses, and the meaning of responses by the daemon and AWS.

use std::time::Duration;

use serde_json::{Value, json};

use super::{AddonOutcome, describe_answer, refusal_code};
use crate::otlp::FailureCode;
use crate::otlp::response::HttpAnswer;
use crate::otlp::trace::encode_hex;

/// The header before each segment.
const HEADER: &str = r#"{"format":"json","version":1}"#;

/// The daemon's default port.
const PORT: u16 = 2000;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostAndPort {
    /// A host name or IP address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The daemon's addresses for segments and for requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XrayAddresses {
    /// The address for segments, by UDP.
    pub udp: HostAndPort,
    /// The address of the API, which the daemon signs requests for, by TCP.
    pub tcp: HostAndPort,
}

impl XrayAddresses {
    /// Parses `AWS_XRAY_DAEMON_ADDRESS`: `host:port`, or `tcp:host:port udp:host:port` in either order.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.trim().split(' ').collect();
        let of =
            |kind: &str| parts.iter().find_map(|part| parse_host_port(part.strip_prefix(kind)?));
        match parts.as_slice() {
            [both] => {
                let both = parse_host_port(both)?;
                Some(Self { udp: both.clone(), tcp: both })
            }
            [_, _] => Some(Self { udp: of("udp:")?, tcp: of("tcp:")? }),
            _ => None,
        }
    }
}

fn parse_host_port(text: &str) -> Option<HostAndPort> {
    let (host, port) = text.rsplit_once(':')?;
    let valid = !host.is_empty() && !host.contains(['/', ':', '@']);
    valid.then_some(HostAndPort {
        host: host.to_owned(),
        port: match port {
            "" => PORT,
            port => port.parse().ok()?,
        },
    })
}

/// A finished segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XraySegment {
    name: String,
    trace_id: String,
    id: String,
    sent: Duration,
}

impl XraySegment {
    /// Returns a segment of `service` at `now` (since 1970), with ids from `random`.
    pub(crate) fn new(service: &str, now: Duration, random: [u64; 3]) -> Self {
        let [high, low, id] = random.map(|bits| encode_hex(&bits.to_be_bytes()));
        // X-Ray only accepts trace ids that start with a recent time, followed by twelve random bytes.
        let trace_id = format!("1-{:08x}-{}{low}", now.as_secs() & 0xffff_ffff, &high[..8]);
        Self { name: service.to_owned(), trace_id, id, sent: now }
    }

    /// Returns the trace id: `1-5759e988-bd862e3fe1be46a994272793`.
    pub(crate) fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// Returns the datagram for UDP.
    pub(crate) fn datagram(&self) -> Vec<u8> {
        let end = self.sent.as_secs_f64();
        let segment = json!({
            "name": self.name,
            "id": self.id,
            "trace_id": self.trace_id,
            "start_time": end - 0.001,
            "end_time": end,
            "annotations": {"cruddur_ops_test": true},
        });
        format!("{HEADER}\n{segment}").into_bytes()
    }
}

/// Returns what the daemon's response to `GetSamplingRules` shows about its AWS keys and region.
pub(crate) fn read_sampling_rules(answer: &HttpAnswer) -> AddonOutcome {
    if answer.status == 200 {
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        return match json["SamplingRuleRecords"].as_array() {
            Some(rules) => AddonOutcome::Taken(format!(
                "AWS took the daemon's keys and region: {} sampling rules",
                rules.len()
            )),
            None => AddonOutcome::Refused(
                FailureCode::UnknownAnswer,
                "200 without sampling rules: this is not an X-Ray daemon".to_owned(),
            ),
        };
    }
    // AWS also answers 400 for an unknown key.
    let code = match answer.status {
        400 => FailureCode::KeyRejected,
        status => refusal_code(status),
    };
    AddonOutcome::Refused(code, format!("AWS refuses the daemon: {}", describe_answer(answer)))
}

/// Returns whether the output of `aws xray batch-get-traces` contains this trace; `None` for other output.
pub(crate) fn contains_trace(printed: &str, trace_id: &str) -> Option<bool> {
    let json: Value = serde_json::from_str(printed).ok()?;
    let traces = json["Traces"].as_array()?;
    Some(traces.iter().any(|trace| trace["Id"] == trace_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_the_sdk_does() {
        let read = |text: &str| XrayAddresses::read(text).map(|at| (at.udp, at.tcp));
        let at = |host: &str, port| HostAndPort { host: host.to_owned(), port };
        assert_eq!(read("d:2000"), Some((at("d", 2000), at("d", 2000))));
        for text in ["tcp:t:1 udp:u:2", "udp:u:2 tcp:t:1"] {
            assert_eq!(read(text), Some((at("u", 2), at("t", 1))), "{text}");
        }
        for text in ["", "d", "http://d:2000", "tcp:t:1  udp:u:2", "tcp:t:1 tcp:t:2", "d:x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_segment_has_the_form_the_daemon_takes() {
        let segment = XraySegment::new("api", Duration::from_millis(1_600_000_000_500), [1, 2, 3]);
        assert_eq!(segment.trace_id(), "1-5f5e1000-000000000000000000000002");
        let text = String::from_utf8(segment.datagram()).unwrap();
        let (head, body) = text.split_once('\n').unwrap();
        assert_eq!(head, HEADER);
        let json: Value = serde_json::from_str(body).unwrap();
        assert_eq!(json["id"], "0000000000000003");
        assert!(json["start_time"].as_f64() < json["end_time"].as_f64());
    }

    #[test]
    fn only_sampling_rules_prove_keys_and_region() {
        let answer = |status, body: &str| HttpAnswer {
            status,
            content_type: None,
            location: None,
            body: body.as_bytes().to_vec(),
            oversized: false,
        };
        let proven = read_sampling_rules(&answer(200, r#"{"SamplingRuleRecords":[{}]}"#));
        assert!(matches!(proven, AddonOutcome::Taken(text) if text.contains("1 sampling")));
        for (status, body, code) in [
            (200, "{}", FailureCode::UnknownAnswer),
            (403, r#"{"message":"The security token is invalid."}"#, FailureCode::KeyRejected),
            (400, r#"{"__type":"UnrecognizedClientException"}"#, FailureCode::KeyRejected),
            (502, "", FailureCode::ServerError),
        ] {
            let got = read_sampling_rules(&answer(status, body));
            assert!(matches!(&got, AddonOutcome::Refused(found, _) if *found == code), "{got:?}");
        }
    }

    #[test]
    fn a_trace_is_found_by_its_id_alone() {
        let printed = r#"{"Traces":[{"Id":"1-a-b"}],"UnprocessedTraceIds":[]}"#;
        assert_eq!(contains_trace(printed, "1-a-b"), Some(true));
        assert_eq!(contains_trace(printed, "1-a-c"), Some(false));
        assert_eq!(contains_trace("An error occurred", "1-a-b"), None);
    }
}
