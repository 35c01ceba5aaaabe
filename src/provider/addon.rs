//! What lies outside the application where it reports to X-Ray or Rollbar too: read from `templates/addons/`.

use std::sync::LazyLock;

use serde::Deserialize;

/// What is reported to besides, where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addon {
    /// AWS X-Ray.
    Xray,
    /// Rollbar.
    Rollbar,
}

/// Secrets, addresses and the daemon of an addon.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddonProfile {
    /// Which.
    pub name: Addon,
    /// The variables that hold its secrets.
    pub secrets: Vec<String>,
    /// The header that carries the secret, in lower case.
    #[serde(default)]
    pub header: Option<String>,
    /// The variable that says where to report.
    pub address: String,
    /// Where to report if that variable says nothing; its host may see the secrets.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Where in its web pages a key is made.
    pub keys: String,
    /// What has to run beside the services.
    #[serde(default)]
    pub daemon: Option<Daemon>,
}

/// A container that passes reports on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daemon {
    /// The compose service that is added.
    pub service: String,
    /// Where it listens.
    pub port: u16,
    /// Ends of the paths of its images.
    pub images: Vec<String>,
    /// The variables a region may be found in; the first is the one it reads.
    pub regions: Vec<String>,
}

/// What is written for an addon, from `templates/`.
#[derive(Debug)]
pub struct AddonTemplates {
    /// The variables of a service that reports.
    pub environment: &'static str,
    /// The service that is added beside it.
    pub daemon: Option<&'static str>,
    /// The lines of Python that start it, once.
    pub start: &'static str,
    /// The lines of Python for each application.
    pub hook: &'static str,
}

impl Addon {
    /// Every addon, as help lists them.
    pub const ALL: [Self; 2] = [Self::Xray, Self::Rollbar];

    /// As typed: `xray`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Xray => "xray",
            Self::Rollbar => "rollbar",
        }
    }

    /// For people: `AWS X-Ray`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Xray => "AWS X-Ray",
            Self::Rollbar => "Rollbar",
        }
    }

    /// These addons in their own order, each once.
    pub fn each_once(addons: &[Self]) -> Vec<Self> {
        let mut addons = addons.to_vec();
        addons.sort_unstable();
        addons.dedup();
        addons
    }

    /// What is written for it.
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

    /// What lies outside the application.
    pub fn profile(self) -> Option<&'static AddonProfile> {
        PROFILES.iter().find(|profile| profile.name == self)
    }

    /// `image` is one of the addon's daemon.
    pub fn runs(self, image: &str) -> bool {
        let daemon = self.profile().and_then(|profile| profile.daemon.as_ref());
        daemon.is_some_and(|daemon| daemon.runs(image))
    }
}

impl AddonProfile {
    /// `host` belongs to whoever is reported to.
    pub fn owns(&self, host: &str) -> bool {
        let own = self.endpoint.as_deref().map(super::hosts::host);
        own.is_some_and(|own| own.eq_ignore_ascii_case(host))
    }
}

impl Daemon {
    /// `image` is one of it, whoever publishes it and whatever its version.
    fn runs(&self, image: &str) -> bool {
        let name = image.rsplit('/').next().unwrap_or(image);
        let name = name.split([':', '@']).next().unwrap_or(name);
        self.images.iter().any(|known| known == name)
    }
}

const FILES: [&str; 2] = [
    include_str!("../../templates/addons/xray.yaml"),
    include_str!("../../templates/addons/rollbar.yaml"),
];

static PROFILES: LazyLock<Vec<AddonProfile>> =
    LazyLock::new(|| FILES.iter().filter_map(|text| serde_yaml::from_str(text).ok()).collect());

/// Every addon's profile.
pub(super) fn profiles() -> impl Iterator<Item = &'static AddonProfile> {
    PROFILES.iter()
}

/// Every variable that holds some addon's secret.
pub(super) fn secrets() -> impl Iterator<Item = &'static str> {
    let secrets = profiles().flat_map(|profile| &profile.secrets);
    secrets.map(String::as_str)
}

/// `us-east-1`, `us-gov-west-1`, `ap-southeast-2`.
pub fn is_aws_region(text: &str) -> bool {
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
