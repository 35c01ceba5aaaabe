//! Determines which spans an SDK records.

use super::problem::SdkProblemKind;
use super::reading::{SAMPLER, SAMPLER_RATIO, SdkReading};

/// The sampler of an SDK.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceSampler {
    /// Whether the caller's decision is followed, so that the ratio applies only to traces that start here.
    pub parent_based: bool,
    /// The fraction of traces that are recorded, from 0 to 1.
    pub ratio: f64,
}

impl TraceSampler {
    /// `parentbased_always_on`, the default.
    pub(super) const DEFAULT: Self = Self { parent_based: true, ratio: 1.0 };

    /// Returns true if it records some traces and leaves out others.
    pub fn is_partial(&self) -> bool {
        self.ratio > 0.0 && self.ratio < 1.0
    }

    /// Returns the ratio in percent, to four decimals: `12.5 %`.
    pub fn percent(&self) -> String {
        format!("{} %", (self.ratio * 1e6).round() / 1e4)
    }

    /// Returns the sampler with this name; calls `ratio` only if the sampler has one.
    pub(super) fn named(name: &str, ratio: impl FnOnce() -> f64) -> Option<Self> {
        let sampler = |parent_based, ratio| Some(Self { parent_based, ratio });
        match name {
            "always_on" => sampler(false, 1.0),
            "always_off" => sampler(false, 0.0),
            "traceidratio" => sampler(false, ratio()),
            "parentbased_always_on" => sampler(true, 1.0),
            "parentbased_always_off" => sampler(true, 0.0),
            "parentbased_traceidratio" => sampler(true, ratio()),
            _ => None,
        }
    }
}

impl SdkReading<'_> {
    /// Returns a valid ratio between 0 and 1; reports an invalid one and returns 1.
    pub(super) fn checked_ratio(&mut self, ratio: Option<f64>) -> f64 {
        if let Some(ratio) = ratio.filter(|ratio| (0.0..=1.0).contains(ratio)) {
            return ratio;
        }
        let text = match self.get(SAMPLER_RATIO) {
            None => format!("{SAMPLER_RATIO} is not set: every trace is recorded"),
            Some(value) => format!(
                "{SAMPLER_RATIO} is `{value}`, not a number between 0 and 1: every trace is recorded"
            ),
        };
        self.different(SdkProblemKind::SamplerRatio, SAMPLER_RATIO, text);
        1.0
    }

    /// Reports an unknown sampler, and returns the SDK's default.
    pub(super) fn unknown_sampler(&mut self, value: &str) -> TraceSampler {
        let text = format!("{SAMPLER} is `{value}`, which does not exist: every trace is recorded");
        self.different(SdkProblemKind::SamplerUnknown, SAMPLER, text);
        TraceSampler::DEFAULT
    }
}
