//! Why something may not leave: which secrets, in which part, and what is wrong with the host.

use std::collections::BTreeSet;

use url::Url;

use super::{Kinds, Outgoing, Part};
use crate::provider;
use crate::secret::FoundSecret;

/// What would be told to whom, without anybody having agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The host; empty where its very name holds a secret.
    pub host: String,
    /// The way there is not encrypted.
    pub is_plain: bool,
    /// The parts that hold a secret.
    pub parts: BTreeSet<Part>,
    /// What is wrong with the host.
    pub reason: Reason,
    /// The secrets, each by all its names.
    secrets: Vec<FoundSecret>,
}

/// What is wrong with a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nobody known owns it.
    Unknown,
    /// Somebody known owns it, but not the secret, or not in this part of a request.
    NotForIt(&'static str),
    /// The certificate authority is one that the project brings along.
    OwnAuthority,
    /// The project says where it is.
    Led,
    /// Another request was cleared than the one that would be sent.
    Changed,
}

impl Reason {
    pub(super) fn of(outgoing: &Outgoing<'_>) -> Self {
        let owner = provider::host_owner(outgoing.url.host_str().unwrap_or_default());
        match owner {
            Some(_) if outgoing.address.is_some() => Self::Led,
            Some(_) if outgoing.own_authority => Self::OwnAuthority,
            Some(owner) => Self::NotForIt(owner.title),
            None => Self::Unknown,
        }
    }

    /// As it follows the name of the host.
    fn words(&self) -> String {
        match self {
            Self::Unknown => "belongs to no provider known here".to_owned(),
            Self::NotForIt(title) => format!("belongs to {title}, which does not expect it there"),
            Self::OwnAuthority => {
                "would be vouched for by a certificate authority of the project's own".to_owned()
            }
            Self::Led => "is somewhere else in this project".to_owned(),
            Self::Changed => "was not asked about that".to_owned(),
        }
    }
}

impl Objection {
    pub(super) fn new(url: &Url, refused: Vec<(Part, FoundSecret)>, reason: Reason) -> Self {
        let (parts, mut secrets): (BTreeSet<Part>, Vec<FoundSecret>) = refused.into_iter().unzip();
        secrets.sort();
        secrets.dedup();
        let host = match parts.contains(&Part::Host) {
            true => String::new(),
            false => url.host_str().unwrap_or_default().to_owned(),
        };
        Self { host, is_plain: url.scheme() == "http", parts, reason, secrets }
    }

    pub(super) fn elsewhere(url: &Url) -> Self {
        Self::new(url, Vec::new(), Reason::Changed)
    }

    /// The name of the host would tell the secret: nobody can agree to that.
    pub fn is_in_host(&self) -> bool {
        self.parts.contains(&Part::Host)
    }

    /// The kinds of secrets a yes would be for.
    pub fn kinds(&self) -> Kinds {
        Kinds::Named(self.secrets.iter().flat_map(|secret| secret.0.iter().cloned()).collect())
    }

    /// The secrets, one name each: one that the catalogue knows before others.
    pub fn names(&self) -> Vec<&str> {
        let chosen = self.secrets.iter().filter_map(|secret| {
            let mut names = secret.0.iter().map(String::as_str);
            let known = names.clone().find(|name| provider::variable_owner(name).is_some());
            known.or_else(|| names.next())
        });
        let mut names: Vec<&str> = chosen.collect();
        names.dedup();
        names
    }

    /// What would happen, in one line without the secret.
    pub fn describe(&self) -> String {
        let names = match self.names().as_slice() {
            [] => "the request".to_owned(),
            names => names.join(" and "),
        };
        if self.is_in_host() {
            return format!("the name of the host holds {names}");
        }
        match self.is_plain {
            true => format!("{names} would go to {} unencrypted", self.host),
            false => format!("{names} would go to {}, which {}", self.host, self.reason.words()),
        }
    }
}
