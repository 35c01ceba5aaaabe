//! The destinations of telemetry: the catalogue of providers and addons, and the variables services need for them.
//!
//! The data is in `templates/`; nothing here depends on a project, a file or a key.

mod addon;
mod address;
mod catalogue;
pub mod collector;
mod destination;
mod hosts;
pub(crate) mod key_shape;
pub(crate) mod listening;
mod owner;
mod recognise;
mod render;

pub use addon::Addon;
pub(crate) use addon::{AddonDaemon, AddonProfile, is_aws_region};
pub(crate) use address::is_same_address;
pub use catalogue::{
    Provider, ProviderHeader, ProviderSetting, Region, find_host_owner, find_provider,
    known_providers, of_host, of_pages, of_variable, secret_variables,
};
pub use destination::{AccountSettings, Destination};
pub(crate) use owner::{HostOwner, header_owner, host_owner, is_key_header, variable_owner};
pub(crate) use recognise::{RecognisedProvider, recognise_provider};
pub use render::{NamedService, Variable, render_service_environments};
pub(crate) use render::{parse_variables, render_template};
