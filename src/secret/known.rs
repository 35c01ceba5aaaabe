//! The secrets known in a run, and the search for them in outgoing data, in any encoding.

use std::collections::BTreeSet;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use memchr::memmem;
use percent_encoding::percent_decode;

use super::secrecy::inner_secrets;
use super::{Redactor, Secrecy, Secret, classify_secrecy};

/// Shorter values are found only as a whole part of a text: `/root/` does not contain the password `root`.
const MIN_BYTES_INSIDE_WORDS: usize = 8;

/// Shorter values are not searched for, because they occur in any text.
const MIN_SEARCHED_BYTES: usize = 4;

/// How often a text is percent-decoded: once for the encoding written, once for what a server may decode.
const DECODINGS: usize = 3;

/// The secrets of a run, by the names of their variables.
#[derive(Clone, Default)]
pub struct KnownSecrets {
    known: Vec<KnownSecret>,
}

/// A secret: its names, its value, and the forms it is searched for in.
#[derive(Clone)]
struct KnownSecret {
    names: BTreeSet<String>,
    value: Secret,
    /// The value itself, its base64 and its hexadecimal form, in lower case.
    forms: Vec<Secret>,
}

/// A secret found in a text, with every name it is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundSecret(pub BTreeSet<String>);

impl std::fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.known.iter().map(|secret| &secret.names);
        f.debug_list().entries(names).finish()
    }
}

impl KnownSecrets {
    /// Collects every secret that the redactor knows.
    pub fn of(redactor: &Redactor) -> Self {
        let mut known = Self::default();
        for (name, secret) in redactor.known() {
            known.add(&name, &secret);
        }
        known
    }

    /// Adds a secret under the name of its variable, and the secrets inside its value.
    pub fn add(&mut self, name: &str, value: &Secret) {
        let text = value.expose().trim();
        if text.len() < MIN_SEARCHED_BYTES {
            return;
        }
        self.insert(name, text);
        for inner in inner_secrets(text).filter(|inner| inner.len() >= MIN_SEARCHED_BYTES) {
            self.insert(name, &inner);
        }
    }

    /// Adds a variable if its name and value show that it holds a secret.
    pub fn judge(&mut self, name: &str, value: &str) {
        if classify_secrecy(name, value) == Secrecy::Secret {
            self.add(name, &Secret::new(value));
        }
    }

    fn insert(&mut self, name: &str, text: &str) {
        match self.known.iter_mut().find(|secret| secret.value.expose() == text) {
            Some(known) => drop(known.names.insert(name.to_owned())),
            None => self.known.push(KnownSecret::new(name, text)),
        }
    }

    /// Finds the secrets in `text`: verbatim, in another case, percent-encoded, in base64 or in hexadecimal.
    pub fn find(&self, text: &[u8]) -> BTreeSet<FoundSecret> {
        let mut found = BTreeSet::new();
        let mut lower = text.to_ascii_lowercase();
        for _ in 0..DECODINGS {
            found.extend(
                self.known.iter().filter(|secret| secret.is_in(&lower)).map(KnownSecret::found),
            );
            if !lower.contains(&b'%') {
                break;
            }
            lower = percent_decode(&lower).collect();
            lower.make_ascii_lowercase();
        }
        found
    }

    /// Works like [`KnownSecrets::find`] for a host name, whose dots may split a long secret anywhere.
    pub fn find_in_host(&self, host: &str) -> BTreeSet<FoundSecret> {
        let mut found = self.find(host.as_bytes());
        found.extend(self.find(host.replace('.', "").as_bytes()));
        found
    }
}

impl KnownSecret {
    fn new(name: &str, text: &str) -> Self {
        let mut forms = vec![text.to_owned()];
        if text.len() >= MIN_BYTES_INSIDE_WORDS {
            forms.extend(base64_forms(text.as_bytes()));
            forms.push(text.bytes().map(|byte| format!("{byte:02x}")).collect());
            // The JSON form, without its quotes.
            let json = serde_json::Value::from(text).to_string();
            forms.push(json[1..json.len() - 1].to_owned());
            // The form in a URL: without line breaks, with slashes in one direction.
            let one_line: String = text.chars().filter(|c| !"\t\r\n".contains(*c)).collect();
            forms.push(one_line.replace('\\', "/"));
            forms.push(one_line);
        }
        forms.iter_mut().for_each(|form| form.make_ascii_lowercase());
        forms.sort_unstable();
        forms.dedup();
        Self {
            names: BTreeSet::from([name.to_owned()]),
            value: Secret::new(text),
            forms: forms.into_iter().map(Secret::new).collect(),
        }
    }

    fn is_in(&self, lower: &[u8]) -> bool {
        let mut forms = self.forms.iter().map(|form| form.expose().as_bytes());
        if self.value.expose().len() >= MIN_BYTES_INSIDE_WORDS {
            return forms.any(|form| memmem::find(lower, form).is_some());
        }
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | 0x80..);
        forms.any(|form| {
            lower == form || lower.split(|byte| !is_word(byte)).any(|part| part == form)
        })
    }

    fn found(&self) -> FoundSecret {
        FoundSecret(self.names.clone())
    }
}

/// Returns the base64 forms of `bytes` at every offset in a longer text, without the characters that depend on
/// neighbouring bytes.
fn base64_forms(bytes: &[u8]) -> impl Iterator<Item = String> {
    let engines = [STANDARD, URL_SAFE].map(|alphabet| GeneralPurpose::new(&alphabet, NO_PAD));
    let mut forms = Vec::new();
    for engine in engines {
        for before in 0..3_usize {
            let padded: Vec<u8> =
                std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
            let text = engine.encode(&padded);
            let first = (before * 8).div_ceil(6);
            let last = padded.len() * 8 / 6;
            forms.extend(text.get(first..last).map(str::to_owned));
        }
    }
    forms.into_iter()
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    const KEY: &str = "abcdEFGH1234ijklMNOP56";

    fn known_pairs(pairs: &[(&str, &str)]) -> KnownSecrets {
        let mut known = KnownSecrets::default();
        for (name, value) in pairs {
            known.add(name, &Secret::new(*value));
        }
        known
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let known = known_pairs(&[("KEY", KEY)]);
        let hexadecimal: String = KEY.bytes().map(|byte| format!("{byte:02X}")).collect();
        let percent: String = KEY.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let twice = percent.replace('%', "%25");
        let in_base64 = |before: &str| BASE64_STANDARD.encode(format!("{before}{KEY}:tail"));
        for text in [
            KEY.to_owned(),
            KEY.to_lowercase(),
            KEY.to_uppercase(),
            format!("/tenant/{KEY}/v1"),
            format!("a{KEY}b"),
            percent,
            twice,
            hexadecimal,
            in_base64(""),
            in_base64("u"),
            in_base64("us"),
            in_base64("user").to_lowercase(),
            BASE64_URL_SAFE_NO_PAD.encode(format!("??{KEY}")),
        ] {
            assert_eq!(known.find(text.as_bytes()).len(), 1, "{text}");
        }
        for text in ["", "abcdEFGH1234ijklMNOP5", "backend-flask", "https://api.honeycomb.io"] {
            assert!(known.find(text.as_bytes()).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_found_in_a_host_across_its_dots() {
        let known = known_pairs(&[("KEY", KEY)]);
        let (one, other) = KEY.split_at(9);
        assert_eq!(known.find_in_host(&format!("{one}.{other}.evil.example")).len(), 1);
        assert!(known.find_in_host("api.honeycomb.io").is_empty());
    }

    #[test]
    fn a_short_secret_is_found_only_as_a_whole_part() {
        let known = known_pairs(&[("PASSWORD", "hunter2"), ("PIN", "123")]);
        assert_eq!(known.find(b"/x/hunter2?y").len(), 1);
        assert_eq!(known.find(b"Hunter2").len(), 1);
        assert!(known.find(b"/hunter22/123").is_empty());
    }

    #[test]
    fn the_password_of_an_address_is_a_secret_and_one_value_has_all_its_names() {
        let known = known_pairs(&[
            ("DATABASE_URL", "postgres://app:pa%2Fssw0rd@db/x"),
            ("A", KEY),
            ("B", KEY),
        ]);
        assert_eq!(known.find(b"pa/ssw0rd").len(), 1);
        let known =
            known_pairs(&[("DSN", "host=db password=hunter22"), ("PEM", "line one\nline\\two")]);
        assert_eq!(known.find(b"/hunter22/").len(), 1);
        assert_eq!(known.find(b"/line%20oneline/two").len(), 1);
        let known = known_pairs(&[("A", KEY), ("B", KEY)]);
        let names: Vec<String> =
            known.find(KEY.as_bytes()).into_iter().flat_map(|secret| secret.0).collect();
        assert_eq!(names, ["A", "B"]);
        assert!(!format!("{known:?}").contains(KEY));
    }

    #[test]
    fn only_what_is_judged_a_secret_is_added() {
        let mut known = KnownSecrets::default();
        known.judge("HONEYCOMB_SERVICE_NAME", "backend-flask");
        assert!(known.find(b"backend-flask").is_empty());
        known.judge("MY_KEY", "backend-flask");
        assert_eq!(known.find(b"backend-flask").len(), 1);
    }
}
