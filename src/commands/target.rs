//! Determines which Honeycomb to ask, and whether a key may go there.

use url::Url;

use crate::cli::TargetArgs;
use crate::consent::{ClearedDestination, OutgoingRequest};
use crate::error::{Error, ErrorCode, Result};
use crate::net::honeycomb;
use crate::provider::{self, Provider, Region};
use crate::secret::{KnownSecrets, Secret};
use crate::session::trust::{AskedConsent, withheld_error};
use crate::ui::Ui;

/// The Honeycomb API to ask.
#[derive(Debug, Clone)]
pub(super) struct HoneycombTarget {
    /// The scheme and host of the API.
    pub(super) base: Url,
    /// `None` if the host is not Honeycomb's.
    pub(super) region: Option<&'static Region>,
    trusted: Vec<String>,
}

impl HoneycombTarget {
    /// Returns the target of the arguments, or Honeycomb's first region.
    ///
    /// # Errors
    /// `endpoint-invalid`, `unknown-region`.
    pub(super) fn of(args: &TargetArgs) -> Result<Self> {
        let trusted = args.trust_host.clone();
        if let Some(text) = &args.endpoint {
            let base = address_of(text)?;
            let host = base.host_str().unwrap_or_default();
            let mut regions = find_honeycomb()?.regions.iter();
            return Ok(Self {
                region: regions.find(|region| region.host().eq_ignore_ascii_case(host)),
                base,
                trusted,
            });
        }
        let region = find_honeycomb_region(args.region.as_deref())?;
        let base = Url::parse(&region.endpoint).map_err(|error| {
            Error::new(ErrorCode::Internal, "the catalogue holds no address").cause(error)
        })?;
        Ok(Self { base, region: Some(region), trusted })
    }

    pub(super) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// Returns scheme, host and port, without a trailing slash.
    pub(super) fn address(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// Checks that the key of `variable` may go to this host, before the host is looked up.
    ///
    /// # Errors
    /// `untrusted-host`; when the question is interrupted.
    pub(super) fn clear(
        &self,
        variable: &str,
        key: &Secret,
        ui: &mut Ui,
    ) -> Result<ClearedDestination> {
        let mut known = KnownSecrets::of(ui.redactor());
        known.add(variable, key);
        let outgoing = OutgoingRequest {
            headers: &[honeycomb::honeycomb_key_header(key)],
            supplied: &[variable.to_owned()],
            ..OutgoingRequest::to(&self.base)
        };
        let mut consent = AskedConsent::new(known, &self.trusted);
        consent.clear(&outgoing, variable, ui)?.map_err(|objection| withheld_error(&objection))
    }

    /// Returns the same target in the other region.
    pub(super) fn in_other_region(&self) -> Option<Self> {
        let region = self.other_region()?;
        let base = Url::parse(&region.endpoint).ok()?;
        Some(Self { base, region: Some(region), trusted: self.trusted.clone() })
    }

    /// Returns the other region.
    pub(super) fn other_region(&self) -> Option<&'static Region> {
        let asked = self.region?;
        let regions = &find_honeycomb().ok()?.regions;
        regions.iter().find(|region| region.name != asked.name)
    }
}

fn address_of(text: &str) -> Result<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Error::new(ErrorCode::EndpointInvalid, format!("{text} is not the address of a server"))
                .hint("an address begins with https://")
        })
}

fn find_honeycomb() -> Result<&'static Provider> {
    provider::find_provider("honeycomb")
        .ok_or_else(|| Error::new(ErrorCode::Internal, "Honeycomb is not in the catalogue"))
}

fn find_honeycomb_region(wanted: Option<&str>) -> Result<&'static Region> {
    let regions = &find_honeycomb()?.regions;
    let is_wanted =
        |region: &&Region| wanted.is_none_or(|name| region.name.eq_ignore_ascii_case(name));
    regions.iter().find(is_wanted).ok_or_else(|| {
        let names: Vec<&str> = regions.iter().map(|region| region.name.as_str()).collect();
        Error::new(
            ErrorCode::UnknownRegion,
            format!("Honeycomb has no region {}", wanted.unwrap_or_default()),
        )
        .hint(format!("its regions are {}", names.join(" and ")))
    })
}
