//! Looks up the purpose of images, ports and variables in tables from `templates/`.

mod bundlers;
mod images;
mod ports;

pub use bundlers::{BundlerPrefix, bundler_prefix};
pub(super) use images::without_version;
pub use images::{ImagePurpose, image_purpose};
pub(super) use ports::is_admin_port;
pub use ports::{PortPurpose, port_purpose};
