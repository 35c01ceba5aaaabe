//! What the SDK of a service makes of its variables.

use std::collections::BTreeMap;

use crate::instrumentation::{Language, SdkInput, SdkSettings, SdkSetup};
use crate::secret::Secret;

/// Reads variables as the SDK of that language does, however it is set up.
pub(super) fn read_settings(
    language: Option<Language>,
    environment: &BTreeMap<String, Secret>,
) -> SdkSettings {
    let setup = &SdkSetup::Unknown;
    SdkSettings::read(&SdkInput { language, setup, packages: None, environment })
}
