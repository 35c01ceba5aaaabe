//! Reads SDK variables when the SDK is unknown.

use std::collections::BTreeMap;

use crate::instrumentation::{SdkInput, SdkSettings, SdkSetup};
use crate::secret::Secret;

/// Reads variables as the specification defines.
pub(super) fn read_settings(environment: &BTreeMap<String, Secret>) -> SdkSettings {
    let setup = &SdkSetup::Unknown;
    SdkSettings::read(&SdkInput { language: None, setup, packages: None, environment })
}
