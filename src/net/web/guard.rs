//! Decides who may see the page: a browser that opened its address, under a name of this machine or of this
//! workspace.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::header::{COOKIE, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq;
use url::Url;

use crate::net::receiver::http::header_value_text;
use crate::net::receiver::names::{is_local, requested_host};
use crate::otlp::trace::encode_hex;
use crate::secret::Secret;

/// The reason why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageRefusal {
    /// Its Host header is not a name of this machine.
    Host,
    /// It comes from another page.
    Origin,
    /// It has no session cookie or token, or the token was used before.
    Session,
    /// The browser prefetches a page that the user has not opened.
    Prefetch,
    /// It is not a GET.
    Method,
    /// It has a body, or its query is too long.
    TooLarge,
    /// There is no such path.
    Unknown,
    /// Too many pages are open.
    Busy,
    /// `listen` is ending.
    Closing,
}

impl PageRefusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::Session => StatusCode::UNAUTHORIZED,
            Self::Prefetch | Self::Busy | Self::Closing => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unknown => StatusCode::NOT_FOUND,
        }
    }
}

impl std::fmt::Display for PageRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Host => "this page is not served under that name",
            Self::Origin => "another page cannot use this one",
            Self::Session => "open the newest address that `cruddur-ops listen --web` printed; each lets one browser in",
            Self::Prefetch => "this address lets one browser in, once it is opened",
            Self::Method => "only GET is allowed here",
            Self::TooLarge => "the request is too large",
            Self::Unknown => "there is nothing at this path",
            Self::Busy => "too many pages are open",
            Self::Closing => "`cruddur-ops listen` has ended",
        })
    }
}

/// Names, token and session of one page.
#[derive(Debug)]
pub(super) struct PageGuard {
    pub(super) address: SocketAddr,
    /// The address of the page for a browser outside of the workspace.
    workspace: Option<Url>,
    token: Mutex<Secret>,
    session: Secret,
}

impl PageGuard {
    pub(super) fn new(address: SocketAddr, workspace_url: Option<&str>) -> Self {
        let workspace = workspace_url
            .and_then(|url| Url::parse(url).ok())
            .filter(|url| !url.host_str().is_some_and(is_local));
        Self { address, workspace, token: Mutex::new(random_secret()), session: random_secret() }
    }

    /// Returns the address, which lets one browser in.
    pub(super) fn url(&self) -> String {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let base = match &self.workspace {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.address),
        };
        format!("{base}/?token={}", token.expose())
    }

    /// Refuses what calls this machine by a name that anyone can register, and what another page sends.
    pub(super) fn admit(&self, parts: &Parts) -> Result<(), PageRefusal> {
        let called = Url::parse(&format!("http://{}", requested_host(parts)))
            .map_err(|_| PageRefusal::Host)?;
        let host = called.host_str().unwrap_or_default();
        let workspace = self.workspace.as_ref().and_then(Url::host_str);
        if !called.username().is_empty() || !(is_local(host) || workspace == Some(host)) {
            return Err(PageRefusal::Host);
        }
        if parts.headers.contains_key(ORIGIN)
            && !self.is_own(header_value_text(&parts.headers, &ORIGIN))
        {
            return Err(PageRefusal::Origin);
        }
        // Browsers say so of requests without an `Origin`, too. A person may follow a link to the page from anywhere.
        let is_opened = parts.uri.path() == "/"
            && parts.headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
            && parts.headers.get("sec-fetch-dest").is_some_and(|kind| kind == "document");
        match parts.headers.get("sec-fetch-site").map(|site| site.as_bytes()) {
            None | Some(b"same-origin" | b"none") => Ok(()),
            Some(_) if is_opened => Ok(()),
            Some(_) => Err(PageRefusal::Origin),
        }
    }

    /// Returns whether an origin is the page's own: this port of this machine, or the workspace's name for it.
    fn is_own(&self, origin: &str) -> bool {
        let Ok(url) = Url::parse(origin) else { return false };
        let is_local_page = url.host_str().is_some_and(is_local)
            && url.port_or_known_default() == Some(self.address.port());
        is_local_page
            || self.workspace.as_ref().is_some_and(|workspace| workspace.origin() == url.origin())
    }

    /// Returns the cookie for the browser that brings the address's token, which no other can bring then; none for a
    /// browser that has the cookie.
    pub(super) fn swap(&self, parts: &Parts, given: &str) -> Result<Option<String>, PageRefusal> {
        if self.admit_session(&parts.headers).is_ok() {
            return Ok(None);
        }
        if ["sec-purpose", "purpose"].iter().any(|name| parts.headers.contains_key(*name)) {
            return Err(PageRefusal::Prefetch);
        }
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_same(given, &token) {
            return Err(PageRefusal::Session);
        }
        *token = random_secret();
        let (name, session) = (self.cookie_name(), self.session.expose());
        Ok(Some(format!("{name}={session}; HttpOnly; SameSite=Strict; Path=/")))
    }

    /// Refuses a browser without the cookie.
    pub(super) fn admit_session(&self, headers: &HeaderMap) -> Result<(), PageRefusal> {
        let name = self.cookie_name();
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        if pairs.any(|(cookie, value)| cookie == name && is_same(value, &self.session)) {
            Ok(())
        } else {
            Err(PageRefusal::Session)
        }
    }

    /// Browsers send cookies to every port of a host, so the name contains the port.
    fn cookie_name(&self) -> String {
        format!("cruddur_ops_{}", self.address.port())
    }
}

/// Returns 256 random bits in hexadecimal.
fn random_secret() -> Secret {
    Secret::new(encode_hex(&rand::random::<[u8; 32]>()))
}

/// Returns whether both are equal, in a time that does not depend on where they differ.
fn is_same(given: &str, expected: &Secret) -> bool {
    given.as_bytes().ct_eq(expected.expose().as_bytes()).into()
}
