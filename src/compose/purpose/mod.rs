//! What an image, a port and a variable are for, as far as their names and numbers say: tables from `templates/`.

mod bundlers;
mod images;
mod ports;

pub use bundlers::{BundlerPrefix, bundler_prefix};
pub(super) use images::without_version;
pub use images::{ImagePurpose, image_purpose};
pub(super) use ports::is_admin_port;
pub use ports::{PortPurpose, port_purpose};
