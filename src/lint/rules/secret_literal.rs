//! `secret-literal`: a key as literal text in a file of the repository.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::telemetry;
use crate::compose::{ProjectTextFile, bundler_prefix};
use crate::lint::scope::{ProgramVariables, VariableAssignment};
use crate::lint::{Inspection, KeyFileStatus, LintRule, RuleHit, Severity};
use crate::provider;
use crate::provider::key_shape::{self, KeyMistake};
use crate::secret::{find_keys, is_written_out, key_owner};

pub(super) static RULE: LintRule = LintRule {
    code: "secret-literal",
    severity: Severity::Error,
    why: "everyone who can read the repository can use the key, and its history keeps it forever",
    explanation: "Keys of Honeycomb and the other providers, of Rollbar and AWS belong in a store, not in a file: \
        the compose file refers to them by `${HONEYCOMB_API_KEY}`. A key that was ever committed must be replaced, \
        not only removed. Placeholders (`changeme`, `your-key-here`, `test`) are not reported. Neither are env \
        files, which have a rule of their own, nor files that git ignores, except Python files: images are built \
        from them, so a key there is a warning. Scripts, Dockerfiles, JavaScript and templates are read too.",
    failing: &[
        (
            "bin/run.sh",
            "export HONEYCOMB_API_KEY=abcdEFGH1234ijklMNOP56 # <-\ngp env ROLLBAR_ACCESS_TOKEN=\"0123456789abcdef0123456789abcdef\" # <-\n",
        ),
        (
            "web/src/tracing.js",
            "const headers = {'x-honeycomb-team': 'abcdEFGH1234ijklMNOP56'} // # <-\n",
        ),
        (
            "api/app.py",
            "import rollbar\nrollbar.init('0123456789abcdef0123456789abcdef', 'production') # <-\n",
        ),
        ("erb/api.env.erb", "DD_API_KEY=0123456789abcdef0123456789abcdef # <-\n"),
        ("api/requirements.txt", "flask\nrollbar\n"),
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=abcdEFGH1234ijklMNOP56 # <-\n      ROLLBAR_ACCESS_TOKEN: 0123456789abcdef0123456789abcdef # <-\n      AWS_ACCESS_KEY_ID: AKIAQWERTYUIOPASDFGH # <-\n  other:\n    environment:\n      OTEL_SERVICE_NAME: other\n      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: https://otlp.datadoghq.com/v1/traces\n      OTEL_EXPORTER_OTLP_TRACES_HEADERS: dd-api-key=0123456789abcdef0123456789abcdef # <-\n  api2:\n    build: ./api\n  third:\n    environment:\n      OTEL_SERVICE_NAME: third\n      OTEL_EXPORTER_OTLP_ENDPOINT: https://otlp.nr-data.net\n      OTEL_EXPORTER_OTLP_HEADERS: api-key=0123456789abcdef0123456789abcdef0123abcd # <-\n",
        ),
    ],
    passing: &[
        (
            "bin/run.sh",
            "export HONEYCOMB_API_KEY=$(gp env)\ngp env ROLLBAR_ACCESS_TOKEN=\"your-rollbar-token-0123456789abcdef\"\nCOMMIT=0123456789abcdef0123456789abcdef\n",
        ),
        (
            "web/src/tracing.js",
            "const headers = {'x-honeycomb-team': process.env.HONEYCOMB_API_KEY}\nconst id = '0123456789abcdef0123456789abcdef'\n",
        ),
        ("erb/api.env.erb", "HONEYCOMB_API_KEY=<%= ENV['HONEYCOMB_API_KEY'] %>\n"),
        (
            "deploy/stack.yaml",
            "config:\n  managementId: hcbmk_0123456789abcdefghjkmnpqrs\nheaders:\n  uptrace-dsn: 'http://project1_secret_token@uptrace:14317/1'\n",
        ),
        (
            "compose.yaml",
            "services:\n  api:\n    environment:\n      OTEL_SERVICE_NAME: api\n      OTEL_EXPORTER_OTLP_HEADERS: x-honeycomb-team=your-api-key-123\n      ROLLBAR_ACCESS_TOKEN: ${ROLLBAR_ACCESS_TOKEN}\n      AWS_ACCESS_KEY_ID: dummy\n      AWS_SECRET_ACCESS_KEY: local\n",
        ),
    ],
    check,
};

/// A key found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lint) struct LiteralKey {
    /// Byte offset.
    at: usize,
    /// The key itself; never shown.
    pub(in crate::lint) value: String,
    /// The provider or service of the key.
    owner: &'static str,
}

fn check(inspection: &Inspection) -> Vec<RuleHit> {
    // `dotenv-not-ignored` covers files of variables, but not their templates.
    let of_variables: HashSet<&Path> =
        inspection.variable_files().into_iter().map(|(file, _)| file.path.as_path()).collect();
    let is_python = |file: &ProjectTextFile| file.path.extension().is_some_and(|end| end == "py");
    let written = inspection.files().into_iter().filter(|file| {
        !of_variables.contains(file.path.as_path())
            && (is_python(file) || !is_ignored(inspection, file))
    });
    let found = keys_in(inspection, written.collect()).into_iter();
    found
        .map(|(file, found)| if is_ignored(inspection, file) { RuleHit::new(
                file,
                found.at,
                format!("a key of {} is written here: git ignores the file, but an image that copies the folder contains it", found.owner),
                "read it from a variable, and store it with `cruddur-ops key set`",
            )
            .as_severe_as(Severity::Warning) } else { RuleHit::new(
                file,
                found.at,
                format!("a key of {} is written here", found.owner),
                "replace the key, store the new one with `cruddur-ops key set`, and refer to it by its variable",
            ) })
        .collect()
}

fn is_ignored(inspection: &Inspection, file: &ProjectTextFile) -> bool {
    inspection.git.get(inspection.shown(&file.path)) == Some(&KeyFileStatus::Ignored)
}

/// Returns every key that appears in the files as literal text, so that it can be redacted from quoted lines.
pub(in crate::lint) fn literals(inspection: &Inspection) -> Vec<LiteralKey> {
    let found = keys_in(inspection, inspection.files());
    found.into_iter().map(|(_, found)| found).collect()
}

fn keys_in<'a>(
    inspection: &'a Inspection,
    files: Vec<&'a ProjectTextFile>,
) -> Vec<(&'a ProjectTextFile, LiteralKey)> {
    let mut named: HashMap<&Path, Vec<LiteralKey>> = HashMap::new();
    for scope in inspection.scopes() {
        for (file, found) in keys_of(&scope) {
            named.entry(&file.path).or_default().push(found);
        }
    }
    let mut keys = Vec::new();
    for file in files {
        let mut found = keys_by_shape(file);
        found.extend(named.remove(file.path.as_path()).unwrap_or_default());
        found.sort_by_key(|key| key.at);
        found.dedup_by(|later, earlier| later.at < earlier.at + earlier.value.len());
        keys.extend(found.into_iter().map(|key| (file, key)));
    }
    keys
}

/// Returns the keys identified by the name of their variable or header.
fn keys_of<'a>(scope: &ProgramVariables<'a>) -> Vec<(&'a ProjectTextFile, LiteralKey)> {
    let receiver = find_receiving_provider(scope);
    let settings = scope.assignments.iter().chain(&scope.build_args);
    let keys = settings.filter_map(|setting| {
        let key = if telemetry::is_headers(setting.name) {
            find_header_key(setting, receiver)
        } else {
            find_variable_key(setting)
        };
        Some((setting.file, key?))
    });
    keys.collect()
}

/// Returns the keys in a file identified by their shape or by what they are assigned to, in a Dockerfile also by `ENV
/// NAME value`.
pub(in crate::lint) fn keys_by_shape(file: &ProjectTextFile) -> Vec<LiteralKey> {
    let mut found = find_shaped_keys(&file.text);
    if file.is_dockerfile() {
        found.extend(file.lines().filter_map(|(at, line)| assigned_by_blank(at, line)));
    }
    if [".json", ".yml", ".yaml", ".tf"].iter().any(|end| file.name().ends_with(end)) {
        found.extend(in_pairs(&file.text));
    }
    found
}

/// Returns the keys in pairs of a name and a value, as task definitions and manifests write variables: `name: A,
/// value: b`.
fn in_pairs(text: &str) -> Vec<LiteralKey> {
    const MAX_KEY_CHARS: usize = 200;
    const SEPARATORS: [char; 6] = ['"', '\'', ':', '=', ' ', '\t'];
    let word = |at: usize| {
        let rest = text[at..].trim_start_matches(SEPARATORS);
        let end = rest.find(['"', '\'', ',', '}', ' ', '\r', '\n']).unwrap_or(rest.len());
        (text.len() - rest.len(), &rest[..end])
    };
    let values = text.match_indices("value").filter_map(|(at, value)| {
        let mut from = at.saturating_sub(MAX_KEY_CHARS);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let (_, name) = word(from + text[from..at].rfind("name")? + "name".len());
        let owner = find_key_owner(name)?;
        let (at, value) = word(at + value.len());
        let is_key = !is_harmless(value) && is_written_out(value, owner);
        is_key.then(|| LiteralKey { at, value: value.to_owned(), owner })
    });
    values.collect()
}

fn assigned_by_blank(at: usize, line: &str) -> Option<LiteralKey> {
    let (instruction, rest) = line.trim_start().split_once(' ')?;
    let (name, value) = rest.trim_start().split_once(' ')?;
    let value = value.trim().trim_matches(['"', '\'']);
    let owner = find_key_owner(name).filter(|_| instruction.eq_ignore_ascii_case("ENV"))?;
    let is_key = !is_harmless(value) && is_written_out(value, owner);
    is_key.then(|| LiteralKey {
        at: at + line.rfind(value).unwrap_or_default(),
        value: value.to_owned(),
        owner,
    })
}

/// Returns the keys identified by their shape or by what they are assigned to, anywhere in a text.
pub(in crate::lint) fn find_shaped_keys(text: &str) -> Vec<LiteralKey> {
    /// Shorter ones are truncated, as in documentation.
    const MIN_KEY_CHARS: usize = 20;
    let found = find_keys(text).into_iter().filter_map(|key| {
        let (value, owner) = (&text[key.range.clone()], key.owner?);
        let is_real = if key.has_own_shape {
            value.len() >= MIN_KEY_CHARS && !value.contains("EXAMPLE")
        } else {
            is_written_out(value, owner)
        };
        (is_real && !is_harmless(value)).then(|| LiteralKey {
            at: key.range.start,
            value: value.to_owned(),
            owner,
        })
    });
    found.collect()
}

/// Returns the provider that the program sends to.
fn find_receiving_provider(scope: &ProgramVariables<'_>) -> Option<&'static str> {
    let endpoint = scope
        .assignments
        .iter()
        .rev()
        .find(|assignment| telemetry::is_endpoint(assignment.name))?;
    let owner = provider::find_host_owner(telemetry::endpoint(endpoint.text())?.host)?;
    Some(&owner.title)
}

/// Returns the key in a list of headers.
fn find_header_key(
    setting: &VariableAssignment<'_>,
    receiver: Option<&'static str>,
) -> Option<LiteralKey> {
    const SCHEMES: [&str; 4] = ["bearer", "basic", "api-token", "apikey"];
    let pairs = telemetry::split_header_pairs(setting.text()).into_iter();
    pairs.filter_map(|(_, pair)| pair.split_once('=')).find_map(|(name, value)| {
        let name = name.trim();
        if !provider::is_key_header(name) {
            return None;
        }
        let value = value.trim();
        let credentials = value.split_once("%20").or_else(|| value.split_once(' '));
        let key = match credentials {
            Some((scheme, key)) if SCHEMES.contains(&&*scheme.to_ascii_lowercase()) => key,
            _ => value,
        };
        let owner = provider::header_owner(name).or(receiver).unwrap_or("the provider");
        written_out(setting, key, owner)
    })
}

/// Returns the key identified by the name of its variable.
fn find_variable_key(setting: &VariableAssignment<'_>) -> Option<LiteralKey> {
    written_out(setting, setting.text(), find_key_owner(setting.name)?)
}

fn written_out(
    setting: &VariableAssignment<'_>,
    key: &str,
    owner: &'static str,
) -> Option<LiteralKey> {
    let offset = setting.text().rfind(key).unwrap_or_default();
    (!is_harmless(key) && is_written_out(key, owner)).then(|| LiteralKey {
        at: setting.value_range.as_ref().map_or(setting.value_at, |bytes| bytes.start + offset),
        value: key.to_owned(),
        owner,
    })
}

/// Returns whether a value gives no access to a provider: the ID of a key, or an address with the key of a container of
/// this project, `http://key@uptrace:14317/2`.
fn is_harmless(value: &str) -> bool {
    let host = value.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    let host = host.and_then(|(_, rest)| rest.split([':', '/', '?']).next());
    host.is_some_and(|host| !host.is_empty() && !host.contains('.'))
        || key_shape::never_sends(value) == Some(KeyMistake::KeyId)
}

fn find_key_owner(name: &str) -> Option<&'static str> {
    let published = bundler_prefix(name).and_then(|bundler| name.strip_prefix(&bundler.prefix));
    key_owner(published.unwrap_or(name))
}

/// Returns whether the variable `name` with `value` contains a literal key.
pub(super) fn is_key(name: &str, value: &str) -> bool {
    let by_name = find_key_owner(name).is_some_and(|owner| is_written_out(value, owner));
    (by_name && !is_harmless(value)) || !find_shaped_keys(value).is_empty()
}

/// Returns whether a variable holds a key.
pub(super) fn names_a_key(name: &str) -> bool {
    find_key_owner(name).is_some() || telemetry::is_headers(name) || name == "AWS_ACCESS_KEY_ID"
}
