//! Decides whether a variable holds a secret, from its name and value.
//!
//! Knows no provider; a test checks the result for every variable of the catalogue.

use percent_encoding::percent_decode_str;
use url::Url;

use super::shapes::SHAPES;

/// Whether a variable holds a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// A key, a token, a password, or an address with one in it.
    Secret,
    /// A name, an address, a region, a path, a boolean or a number.
    Public,
    /// Neither the name nor the value shows it; the use of the variable decides.
    Unknown,
}

/// Parts of variable names that indicate a secret, anywhere in the name.
const MARKS: [&str; 10] = [
    "COOKIE",
    "KEY",
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWORT",
    "PASSWD",
    "PASSCODE",
    "PASSPHRASE",
    "CREDENTIAL",
];

/// Whole words of variable names that indicate a secret.
const MARKING_WORDS: [&str; 12] = [
    "AUTH",
    "AUTHORIZATION",
    "CREDS",
    "DSN",
    "PASS",
    "PAT",
    "PEPPER",
    "PIN",
    "PW",
    "PWD",
    "SALT",
    "APIKEYS",
];

/// Words that end in `PASS` and name no password.
const OTHER_PASS_WORDS: [&str; 3] = ["ASKPASS", "BYPASS", "COMPASS"];

/// Last words of variable names that indicate public values, whatever precedes them.
const PUBLIC_WORDS: [&str; 26] = [
    "ADDR",
    "ADDRESS",
    "BRANCH",
    "DATASET",
    "DIR",
    "DIRECTORY",
    "ENDPOINT",
    "ENV",
    "ENVIRONMENT",
    "FILE",
    "HOST",
    "HOSTNAME",
    "LEVEL",
    "MODE",
    "NAME",
    "PATH",
    "PORT",
    "PROTOCOL",
    "REGION",
    "SERVICE",
    "TZ",
    "URI",
    "URL",
    "USER",
    "USERNAME",
    "VERSION",
];

/// Last words of variable names for long random values that are not secret.
const IDENTIFIER_WORDS: [&str; 7] = ["COMMIT", "DIGEST", "HASH", "ID", "IDS", "REF", "SHA"];

/// Classifies the variable `name` with `value`.
pub fn classify_secrecy(name: &str, value: &str) -> Secrecy {
    let value = value.trim();
    if value.is_empty() {
        return Secrecy::Public;
    }
    if SHAPES.has_key_or_token(value) || is_signed(value) || inner_secrets(value).next().is_some() {
        return Secrecy::Secret;
    }
    let name = name.to_ascii_uppercase();
    let last = split_name_words(&name).last().unwrap_or_default();
    let marked = is_marked(&name);
    // A password may begin with a slash; a path has several.
    if is_plain(value) || is_path(value) && (!marked || value.matches('/').count() > 1) {
        return Secrecy::Public;
    }
    if PUBLIC_WORDS.contains(&last) && !(marked && looks_random(value)) {
        return Secrecy::Public;
    }
    if marked {
        return Secrecy::Secret;
    }
    if IDENTIFIER_WORDS.contains(&last) {
        return Secrecy::Public;
    }
    if looks_random(value) { Secrecy::Secret } else { Secrecy::Unknown }
}

/// Returns whether the variable `name` with `value` holds a secret.
pub fn is_secret(name: &str, value: &str) -> bool {
    classify_secrecy(name, value) == Secrecy::Secret
}

/// Returns whether the name of a variable alone indicates a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let last = split_name_words(&name).last().unwrap_or_default();
    !PUBLIC_WORDS.contains(&last) && is_marked(&name)
}

/// Returns whether the last word of a variable's name says that it holds a secret. No program takes a command, a path or
/// a switch from such a variable, as it does from `GIT_ASKPASS`, `SSH_AUTH_SOCK` and `SSLKEYLOGFILE`.
pub fn ends_like_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    // The identifier of a key belongs to the key.
    let name = name.strip_suffix("_ID").unwrap_or(&name);
    let last = split_name_words(name).last().unwrap_or_default();
    let stem = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let has_mark = |word: &str| MARKS.iter().any(|mark| word.ends_with(mark));
    let is_password = stem.ends_with("PASS") && !OTHER_PASS_WORDS.contains(&stem);
    let is_marking = is_password || MARKING_WORDS.contains(&stem) && name != "PWD";
    is_marking || has_mark(stem) || stem.strip_suffix('S').is_some_and(has_mark)
}

/// Returns whether `value` looks like a key that no shape describes, given a name that does not indicate one.
pub(super) fn is_key_of_any_name(name: &str, value: &str) -> bool {
    const MIN_BYTES: usize = 20;
    if value.len() < MIN_BYTES || value.contains(['$', ' ']) {
        return false;
    }
    let is_identified = || {
        let upper = name.to_ascii_uppercase();
        let last = split_name_words(&upper).last().unwrap_or_default();
        PUBLIC_WORDS.contains(&last) || IDENTIFIER_WORDS.contains(&last)
    };
    let is_key =
        !value.contains('/') && (looks_random(value) || is_signed(value)) && is_secret(name, value)
            || (has_random_part(value) || is_padded(value)) && !is_identified();
    is_key && SHAPES.find_keys(value).is_empty()
}

/// Returns whether a part of `value` mixes capital letters, small letters and digits, as random keys do and names,
/// digests and hosts do not.
fn has_random_part(value: &str) -> bool {
    const MIN_BYTES: usize = 20;
    let is_part = |part: &str| {
        let count = |is: fn(&u8) -> bool| part.bytes().filter(is).count();
        part.len() >= MIN_BYTES
            && count(u8::is_ascii_uppercase) >= 2
            && count(u8::is_ascii_lowercase) >= 2
            && count(u8::is_ascii_digit) >= 2
    };
    !value.contains('/') && value.split(|c: char| !c.is_ascii_alphanumeric()).any(is_part)
}

/// Returns whether `value` is the base64 form of random bytes, with padding.
fn is_padded(value: &str) -> bool {
    const MIN_BYTES: usize = 24;
    let stem = value.trim_end_matches('=').trim_end_matches("%3D");
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_%".contains(&byte);
    let count = |is: fn(&u8) -> bool| stem.bytes().filter(is).count();
    stem.len() < value.len()
        && value.len() >= MIN_BYTES
        && stem.bytes().all(is_digit)
        && count(u8::is_ascii_uppercase) >= 2
        && count(u8::is_ascii_lowercase) >= 2
        && count(u8::is_ascii_digit) >= 1
}

/// Returns whether the last word of `name` is one for a password, whose value is one even if it looks like a path, a
/// number or a region; a switch, the file of a secret, and an address of the web are none.
pub(super) fn is_password(name: &str, value: &str) -> bool {
    const MIN_DIGITS: usize = 4;
    let upper = name.to_ascii_uppercase();
    let last = split_name_words(&upper).last().unwrap_or_default();
    let stem = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let has_ending = |words: &[&str]| words.iter().any(|word| stem.ends_with(word));
    let is_name = has_ending(&["PASSWORD", "PASSWORT", "PASSWD", "PASSPHRASE", "PASSCODE"])
        || has_ending(&["PASS"]) && !OTHER_PASS_WORDS.contains(&stem)
        || ["PW", "PWD"].contains(&stem) && !["PWD", "OLDPWD"].contains(&upper.as_str());
    let is_short = value.len() < MIN_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit());
    let is_elsewhere = ["/run/secrets/", "./", "../", "~/", "http://", "https://"]
        .iter()
        .any(|begin| value.starts_with(begin));
    is_name && !is_short && !is_elsewhere && !is_switch(value)
}

/// Returns whether a word may be a key: long, made of letters and digits, unlike a name. AWS keys have forty
/// characters, including slashes.
pub fn looks_like_key(word: &str) -> bool {
    let is_sign = |c: char| matches!(c, '_' | '-') || matches!(c, '/' | '+') && word.len() == 40;
    let is_key = |c: char| c.is_ascii_alphanumeric() || is_sign(c);
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    word.len() >= 20 && !word.starts_with('-') && has_digit && word.chars().all(is_key)
}

/// Works like [`looks_like_key`] for a value without the separators of names: `3000-owner-repository-0a1b2c3d` is a
/// host name.
fn looks_random(value: &str) -> bool {
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    letters && looks_like_key(value) && !value.contains('-')
}

fn is_marked(upper: &str) -> bool {
    let is_marking = |word: &str| {
        let stem = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_password = stem.ends_with("PASS") && !["BYPASS", "COMPASS"].contains(&stem);
        is_password || MARKING_WORDS.contains(&word)
    };
    MARKS.iter().any(|mark| upper.contains(mark)) || split_name_words(upper).any(is_marking)
}

fn split_name_words(name: &str) -> impl DoubleEndedIterator<Item = &str> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Iterates over the secrets inside a longer value: the password of an address, or its token if it has no password, and
/// values assigned to a secret's name (`host=db;password=…`).
pub(super) fn inner_secrets(value: &str) -> impl Iterator<Item = String> {
    const MIN_CHARS: usize = 6;
    let url = value.contains("://").then(|| Url::parse(value).ok()).flatten();
    let user_info = url.and_then(|url| {
        let secret = url.password().unwrap_or(url.username());
        Some(percent_decode_str(secret).decode_utf8().ok()?.into_owned())
    });
    let parts = value.split(|c: char| matches!(c, ';' | '&' | '?' | ',') || c.is_whitespace());
    let assigned = parts
        .filter_map(|part| part.split_once('='))
        .filter(|(name, value)| {
            let is_reference = value.starts_with('$') || value.starts_with('<');
            is_secret_name(name) && value.len() >= MIN_CHARS && !is_reference
        })
        .map(|(_, value)| value.trim_matches(['"', '\'']).to_owned());
    user_info.into_iter().filter(|text| !text.is_empty()).chain(assigned)
}

/// Returns whether a value is a PEM private key or a signed token (JWT).
fn is_signed(value: &str) -> bool {
    let is_token = value.starts_with("eyJ") && value.matches('.').count() == 2;
    value.contains("PRIVATE KEY-----") || is_token && !value.contains(char::is_whitespace)
}

fn is_path(value: &str) -> bool {
    ["/", "./", "../", "~/"].iter().any(|start| value.starts_with(start)) && !looks_random(value)
}

/// Returns whether a value is a boolean, a number that may be a port, an address or a region.
fn is_plain(value: &str) -> bool {
    let is_number = value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit());
    let is_url = value.contains("://") && Url::parse(value).is_ok_and(|url| url.has_host());
    is_switch(value) || is_number || is_url || is_region(value)
}

fn is_switch(value: &str) -> bool {
    const SWITCHES: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "none", "null"];
    SWITCHES.iter().any(|word| word.eq_ignore_ascii_case(value))
}

/// Recognises `us-east-1`, `europe-west4`, `eu1`.
fn is_region(value: &str) -> bool {
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    let stem = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = value.len() - stem.len();
    let stem = stem.trim_end_matches('-');
    number == 1
        && (2..=20).contains(&stem.len())
        && stem.split('-').all(is_word)
        && (stem.contains('-') || stem.len() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Secrecy, pairs: &[(&str, &str)]) {
        for (name, value) in pairs {
            assert_eq!(classify_secrecy(name, value), expected, "{name}={value}");
        }
    }

    #[test]
    fn a_key_is_known_by_its_name_or_by_its_value() {
        let ingest = format!("hcaik_{}", "0a".repeat(29));
        check(
            Secrecy::Secret,
            &[
                ("HONEYCOMB_API_KEY", "abcdEFGH1234ijklMNOP56"),
                ("MY_KEY", "hunter22"),
                ("GITHUB_TOKEN", "ghp_0123456789abcdefghijklmnopqrstuvwxyz"),
                ("POSTGRES_PASSWORD", "correct-horse-battery-staple"),
                ("DB_PASS", "letmein-please"),
                ("honeycomb_writekey", "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"),
                ("GRAFANA_CLOUD_OTLP_CREDENTIALS", "MTIzNDU2OmdsY19leUo="),
                ("AWS_SECRET_ACCESS_KEY", "/Jq9rXUtnFEMIzK7MDENGzbPxRfiCYqPlanted01"),
                ("FOO", &ingest),
                ("SERVICE_NAME", &ingest),
                ("FOO", "ghp_0123456789abcdefghijklmnopqrstuvwxyz"),
                ("DATABASE_URL", "postgres://app:pa55word@db:5432/cruddur"),
                ("SENTRY_DSN", "https://0f0f0f0f@o1.ingest.sentry.io/1"),
                ("API_KEY_NAME", "0f0f0f0f0f0f0f0f0f0f0f0a"),
                ("DB_PASSWORD", "/hunter2-hunter2"),
                ("TLS", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"),
                ("FOO", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2lnbmVk"),
                ("CONNECTION_STRING", "Endpoint=sb://x/;SharedAccessKey=aGVsbG8taGVsbG8="),
                ("PGDSN", "host=db user=app password=hunter22"),
                ("FEED_URL", "https://example.com/feed?api_key=hunter22"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=hunter22,x-tenant=a"),
            ],
        );
    }

    #[test]
    fn names_addresses_regions_switches_numbers_and_paths_are_no_secrets() {
        check(
            Secrecy::Public,
            &[
                ("HONEYCOMB_SERVICE_NAME", "backend-flask"),
                ("OTEL_SERVICE_NAME", "backend-flask"),
                ("HONEYCOMB_API_ENDPOINT", "https://api.eu1.honeycomb.io"),
                ("TOKEN_URL", "https://login.example.com/oauth2/token"),
                ("BACKEND_URL", "https://4567-owner-repository-0a1b2c3d4e5.ws-eu1.gitpod.io"),
                ("AWS_DEFAULT_REGION", "ca-central-1"),
                ("KEY_REGION", "europe-west4"),
                ("HONEYCOMB_KEY", "eu1"),
                ("HONEYCOMB_KEY_ENABLED", "true"),
                ("KEYSERVER_PORT", "11371"),
                ("TOKEN_TTL", "3600"),
                ("SECRET_KEY_FILE", "/run/secrets/key"),
                ("SSH_AUTH_SOCK", "/tmp/ssh-0123456789abcdefXYZ/agent.1"),
                ("GNOME_KEYRING_CONTROL", "/run/user/1000/keyring"),
                ("HONEYCOMB_DATASET", "backend-flask-production"),
                ("SECRET_NAME", "prod/db"),
                ("LOGIN_URL", "https://example.com/?token_type=jwt"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/?key=${KEY}"),
                ("GITPOD_WORKSPACE_ID", "owner-repository-0a1b2c3d4e5"),
                ("INVOCATION_ID", "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"),
                ("GIT_COMMIT", "c669955c669955c669955c669955c669955c6699"),
                ("MY_KEY", ""),
                ("POSTGRES_USER", "postgres"),
            ],
        );
    }

    #[test]
    fn an_ambiguous_value_is_classified_as_unknown() {
        check(
            Secrecy::Unknown,
            &[("TENANT", "acme-corp"), ("FOO", "hunter22"), ("X", "3000-owner-repo-0a1b2c3d")],
        );
        assert!(is_secret_name("MY_KEY") && is_secret_name("ROLLBAR_ACCESS_TOKEN"));
        assert!(!is_secret_name("HONEYCOMB_SERVICE_NAME") && !is_secret_name("TOKEN_URL"));
    }

    #[test]
    fn a_name_that_programs_obey_does_not_end_like_that_of_a_secret() {
        for name in [
            "HONEYCOMB_API_KEY",
            "GRAFANA_CLOUD_OTLP_CREDENTIALS",
            "AWS_ACCESS_KEY_ID",
            "UPTRACE_DSN",
            "DBPASS",
            "api_token2",
        ] {
            assert!(ends_like_secret_name(name), "{name}");
        }
        for name in [
            "LD_PRELOAD",
            "PATH",
            "PWD",
            "DOCKER_CONFIG",
            "DOCKER_AUTH_CONFIG",
            "GIT_ASKPASS",
            "SSH_AUTH_SOCK",
            "SSLKEYLOGFILE",
            "RESTIC_PASSWORD_COMMAND",
            "PYTHON_KEYRING_BACKEND",
            "NODE_OPTIONS",
        ] {
            assert!(!ends_like_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_word_that_could_be_a_key_is_told_from_names() {
        for key in ["5f0e7a210d9c7a558f624a3e8a392c5f", "wJalrXUtnFEMIzK7MDENGzbPxRfiCY/lanted0+1"]
        {
            assert!(looks_like_key(key), "{key}");
        }
        for name in [
            "--service-with-a-long-name-2",
            "services/home_activities2.py",
            "frontend-react-js",
            "4567",
        ] {
            assert!(!looks_like_key(name), "{name}");
        }
    }
}
