//! Reads export errors of SDKs from an application's log.
//!
//! Returns what happened, never text of the log: an SDK prints headers that it cannot parse, including the key.

/// A problem that a log shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogSymptom {
    /// The receiver answered an export with this HTTP status.
    Refused(u16),
    /// The receiver answered an export with this gRPC status, `UNAUTHENTICATED`.
    RefusedOverGrpc(&'static str),
    /// A header could not be read and was left out.
    HeaderDropped,
    /// The endpoint's host has no address where the application runs.
    NameUnknown,
    /// The endpoint refuses connections, as the application sees it.
    NobodyThere,
    /// The endpoint has no `http://` or `https://`.
    NoScheme,
    /// The endpoint's certificate is signed by an authority that the application does not trust.
    Untrusted,
    /// A Python module is not installed.
    ModuleMissing(String),
    /// Flask found no application, or could not import it.
    NoApplication,
}

/// gRPC statuses that an exporter reports.
const GRPC: [&str; 9] = [
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "UNIMPLEMENTED",
    "UNAVAILABLE",
    "RESOURCE_EXHAUSTED",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "INTERNAL",
    "UNKNOWN",
];

/// Returns the last problem in the log, which applies now.
pub(crate) fn find_last_symptom(log: &str) -> Option<LogSymptom> {
    log.lines().rev().find_map(find_line_symptom)
}

fn find_line_symptom(line: &str) -> Option<LogSymptom> {
    let exporting = line.contains("Failed to export")
        || line.contains("encountered while exporting")
        || line.contains("OTLPExporterError");
    let has = |marks: &[&str]| marks.iter().any(|mark| line.contains(mark));
    if line.contains("Header format invalid!") {
        return Some(LogSymptom::HeaderDropped);
    }
    if let Some(module) = name_between(line, "No module named '", "'") {
        return Some(LogSymptom::ModuleMissing(module));
    }
    if has(&["Failed to find Flask application", "While importing '"]) {
        return Some(LogSymptom::NoApplication);
    }
    if !exporting && !has(&["urllib3", "requests.exceptions"]) {
        return None;
    }
    if let Some(status) = find_export_status(line) {
        return Some(LogSymptom::Refused(status));
    }
    if has(&["NameResolutionError", "Name or service not known", "ENOTFOUND", "EAI_AGAIN"]) {
        return Some(LogSymptom::NameUnknown);
    }
    if has(&["CERTIFICATE_VERIFY_FAILED", "SELF_SIGNED_CERT"]) {
        return Some(LogSymptom::Untrusted);
    }
    if has(&["No connection adapters were found", "MissingSchema"]) {
        return Some(LogSymptom::NoScheme);
    }
    if has(&["Connection refused", "ECONNREFUSED"]) {
        return Some(LogSymptom::NobodyThere);
    }
    let code = GRPC.into_iter().find(|code| line.contains(&format!("StatusCode.{code}")));
    code.map(LogSymptom::RefusedOverGrpc)
}

/// Returns the HTTP status of a failed export: `batch code: 401` in Python, `"code":"401"` in Node.
fn find_export_status(line: &str) -> Option<u16> {
    let text = line.split_once("code: ").or_else(|| line.split_once("\"code\":\""))?.1;
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|status| (300..600).contains(status))
}

/// Returns the dotted name between two texts.
fn name_between(line: &str, before: &str, after: &str) -> Option<String> {
    let name = line.split_once(before)?.1.split_once(after)?.0;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}

impl LogSymptom {
    /// Returns whether the problem keeps an application from starting.
    pub(crate) fn ends_it(&self) -> bool {
        matches!(self, Self::ModuleMissing(_) | Self::NoApplication)
    }

    /// Describes the problem in one line, as seen in the log.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Refused(status @ (401 | 403)) => {
                format!("its log says that the receiver answers {status}: the key is wrong")
            }
            Self::Refused(status) => {
                format!("its log says that the receiver answers {status} to its spans")
            }
            Self::RefusedOverGrpc(status) => {
                format!("its log says that the receiver answers {status} to its spans")
            }
            Self::HeaderDropped => {
                "its log says that a header could not be read and was left out".to_owned()
            }
            Self::NameUnknown => {
                "its log says that the endpoint's name has no address there".to_owned()
            }
            Self::NobodyThere => "its log says that nothing listens at the endpoint".to_owned(),
            Self::NoScheme => {
                "its log says that the endpoint is not an http or https address".to_owned()
            }
            Self::Untrusted => {
                "its log says that it does not trust the endpoint's certificate".to_owned()
            }
            Self::ModuleMissing(module) => {
                format!("its log says that the module {module} is not installed")
            }
            Self::NoApplication => "its log says that Flask finds no application".to_owned(),
        }
    }

    /// Returns what to do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Refused(401 | 403) | Self::RefusedOverGrpc("UNAUTHENTICATED" | "PERMISSION_DENIED") => {
                "`cruddur-ops key whoami` tries the stored key, and `cruddur-ops run -- docker compose up --detach` gives it to the container"
            }
            Self::ModuleMissing(_) => {
                "`cruddur-ops run -- docker compose up --detach --build` installs what its requirements list"
            }
            Self::NoApplication => "`cruddur-ops doctor` checks the order of its lines",
            _ => "`cruddur-ops doctor` checks its variables",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_sdks_are_recognised() {
        for (line, wanted) in [
            (
                "Failed to export span batch code: 401, reason: unknown API key",
                LogSymptom::Refused(401),
            ),
            (
                "{\"stack\":\"OTLPExporterError: Unauthorized\",\"code\":\"401\",\"name\":\"OTLPExporterError\"}",
                LogSymptom::Refused(401),
            ),
            (
                "Failed to export traces to x:4317, error code: StatusCode.UNAUTHENTICATED, error details: no",
                LogSymptom::RefusedOverGrpc("UNAUTHENTICATED"),
            ),
            (
                "Header format invalid! Header values in environment variables must be URL encoded: x-honeycomb-team: abc",
                LogSymptom::HeaderDropped,
            ),
            (
                "Transient error HTTPConnectionPool(host='collector', port=4318): Max retries exceeded (Caused by NameResolutionError(\"x\")) encountered while exporting span batch, retrying in 1.00s.",
                LogSymptom::NameUnknown,
            ),
            (
                "Transient error HTTPConnectionPool(host='localhost', port=4318): [Errno 111] Connection refused encountered while exporting span batch",
                LogSymptom::NobodyThere,
            ),
            (
                "ModuleNotFoundError: No module named 'opentelemetry.sdk'",
                LogSymptom::ModuleMissing("opentelemetry.sdk".to_owned()),
            ),
            (
                "requests.exceptions.InvalidSchema: No connection adapters were found for 'x:4318/v1/traces'",
                LogSymptom::NoScheme,
            ),
            (
                "Error: Failed to find Flask application or factory in module 'app'.",
                LogSymptom::NoApplication,
            ),
        ] {
            assert_eq!(find_last_symptom(line), Some(wanted), "{line}");
        }
        for line in ["GET /api 200", "code: 401", "Connection refused", "No module named '$(rm)'"] {
            assert_eq!(find_last_symptom(line), None, "{line}");
        }
    }

    #[test]
    fn the_last_problem_counts_and_no_text_of_the_log_is_repeated() {
        let log = "Header format invalid! x-honeycomb-team: s3cr3t-s3cr3t\nFailed to export span batch code: 401, reason: s3cr3t\nGET / 200\n";
        let found = find_last_symptom(log).unwrap();
        assert_eq!(found, LogSymptom::Refused(401));
        assert!(!format!("{}{}", found.words(), found.hint()).contains("s3cr3t"));
    }

    #[test]
    fn only_what_keeps_an_application_from_starting_ends_it() {
        for symptom in [LogSymptom::ModuleMissing("flask".to_owned()), LogSymptom::NoApplication] {
            assert!(symptom.ends_it(), "{symptom:?}");
        }
        for symptom in [
            LogSymptom::Refused(401),
            LogSymptom::RefusedOverGrpc("INTERNAL"),
            LogSymptom::HeaderDropped,
        ] {
            assert!(!symptom.ends_it(), "{symptom:?}");
        }
    }
}
