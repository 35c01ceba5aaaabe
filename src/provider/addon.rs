//! The addons X-Ray and Rollbar apart from application code, read from `templates/addons/`.

use std::sync::LazyLock;

use serde::Deserialize;

/// An addon that services report to on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addon {
    /// AWS X-Ray.
    Xray,
    /// Rollbar.
    Rollbar,
}

/// The secrets, addresses and daemon of an addon.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddonProfile {
    /// The addon.
    pub name: Addon,
    /// The variables with its secrets.
    pub secrets: Vec<String>,
    /// The header with the secret, in lower case.
    #[serde(default)]
    pub header: Option<String>,
    /// The variable with the address for reports.
    pub address: String,
    /// The default address for reports; its host may receive the secrets.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// The place in its web interface where a key is created.
    pub keys: String,
    /// The daemon that has to run next to the services.
    #[serde(default)]
    pub daemon: Option<AddonDaemon>,
}

/// A container that forwards reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddonDaemon {
    /// The name of the added compose service.
    pub service: String,
    /// The port it listens on.
    pub port: u16,
    /// The ends of its images' names.
    pub images: Vec<String>,
    /// The variables that may name a region; the daemon reads the first.
    pub regions: Vec<String>,
}

/// The templates of an addon.
#[derive(Debug)]
pub struct AddonTemplates {
    /// The variables of a service that reports.
    pub environment: &'static str,
    /// The added daemon service.
    pub daemon: Option<&'static str>,
    /// The lines of Python that start it, once per service.
    pub start: &'static str,
    /// The lines of Python for each application.
    pub hook: &'static str,
}

impl Addon {
    /// Every addon, in the order of the help.
    pub const ALL: [Self; 2] = [Self::Xray, Self::Rollbar];

    /// Returns the name on the command line: `xray`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Xray => "xray",
            Self::Rollbar => "rollbar",
        }
    }

    /// Returns the name for people: `AWS X-Ray`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Xray => "AWS X-Ray",
            Self::Rollbar => "Rollbar",
        }
    }

    /// Returns these addons in standard order, each once.
    pub fn each_once(addons: &[Self]) -> Vec<Self> {
        let mut addons = addons.to_vec();
        addons.sort_unstable();
        addons.dedup();
        addons
    }

    /// Returns its templates.
    pub fn templates(self) -> &'static AddonTemplates {
        match self {
            Self::Xray => &AddonTemplates {
                environment: include_str!("../../templates/xray/environment.yml"),
                daemon: Some(include_str!("../../templates/xray/daemon.yml")),
                start: include_str!("../../templates/python/xray.py"),
                hook: include_str!("../../templates/python/xray_hooks.py"),
            },
            Self::Rollbar => &AddonTemplates {
                environment: include_str!("../../templates/rollbar/environment.yml"),
                daemon: None,
                start: include_str!("../../templates/python/rollbar.py"),
                hook: include_str!("../../templates/python/rollbar_hooks.py"),
            },
        }
    }

    /// Returns its profile.
    pub fn profile(self) -> Option<&'static AddonProfile> {
        PROFILES.iter().find(|profile| profile.name == self)
    }

    /// Returns whether `image` is one of the addon's daemon.
    pub fn runs(self, image: &str) -> bool {
        let daemon = self.profile().and_then(|profile| profile.daemon.as_ref());
        daemon.is_some_and(|daemon| daemon.runs(image))
    }
}

impl AddonProfile {
    /// Returns whether `host` belongs to the addon's service.
    pub fn owns(&self, host: &str) -> bool {
        let own_host = self.endpoint.as_deref().map(super::hosts::url_host);
        own_host.is_some_and(|own_host| own_host.eq_ignore_ascii_case(host))
    }
}

impl AddonDaemon {
    /// Returns whether `image` is the daemon's, from any publisher and in any version.
    fn runs(&self, image: &str) -> bool {
        let tagged = image.rsplit('/').next().unwrap_or(image);
        let name = tagged.split([':', '@']).next().unwrap_or(tagged);
        self.images.iter().any(|known| known == name)
    }
}

const FILES: [&str; 2] = [
    include_str!("../../templates/addons/xray.yaml"),
    include_str!("../../templates/addons/rollbar.yaml"),
];

static PROFILES: LazyLock<Vec<AddonProfile>> =
    LazyLock::new(|| FILES.iter().filter_map(|text| serde_yaml::from_str(text).ok()).collect());

/// Returns every addon's profile.
pub(super) fn addon_profiles() -> impl Iterator<Item = &'static AddonProfile> {
    PROFILES.iter()
}

/// Returns every variable with an addon's secret.
pub(super) fn secrets() -> impl Iterator<Item = &'static str> {
    let secrets = addon_profiles().flat_map(|profile| &profile.secrets);
    secrets.map(String::as_str)
}

/// Returns whether a text is a region, like `us-east-1`, `us-gov-west-1`, `ap-southeast-2`.
pub(crate) fn is_aws_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [area, .., number] if (3..=4).contains(&parts.len()) => {
            area.len() == 2
                && area.chars().all(|c| c.is_ascii_lowercase())
                && number.len() == 1
                && number.chars().all(|c| c.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_only_rollbar_sees_its_token() {
        assert_eq!(PROFILES.len(), FILES.len());
        let rollbar = Addon::Rollbar.profile().unwrap();
        assert!(rollbar.owns("API.rollbar.com") && !rollbar.owns("api.honeycomb.io"));
        assert!(!rollbar.owns("api.rollbar.com.example"));
    }

    #[test]
    fn the_daemon_is_known_by_its_image() {
        for image in [
            "amazon/aws-xray-daemon",
            "public.ecr.aws/xray/aws-xray-daemon:3.x",
            "aws-xray-daemon@sha256:0",
        ] {
            assert!(Addon::Xray.runs(image), "{image}");
        }
        assert!(!Addon::Xray.runs("amazon/aws-otel-collector"));
    }
}
