//! The destinations of telemetry: the catalogue of providers and addons, and the variables services need for them.
//!
//! The data is in `templates/`; nothing here depends on a project, a file or a key.

mod addon;
mod address;
mod catalogue;
pub mod collector;
mod destination;
mod hosts;
pub mod key_shape;
pub mod listening;
mod owner;
mod recognise;
mod render;

pub use addon::{Addon, AddonProfile, AddonTemplates, Daemon, is_aws_region};
pub use address::is_same_address;
pub use catalogue::{
    Header, Provider, Region, Setting, catalogue, find, of_host, of_pages, of_variable, owner,
    secret_variables,
};
pub use destination::{Account, Destination};
pub use owner::{HostOwner, header_owner, host_owner, is_key_header, variable_owner};
pub use recognise::{Recognised, recognise};
pub use render::{Traced, Variable, environments};
pub(crate) use render::{render, variables};
