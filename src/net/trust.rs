//! Whom to trust on the other side of TLS, and who we are: the certificate files of a service.

use std::path::Path;

use super::failure::Failure;
use crate::otlp::Code;

/// PEM texts; without roots the system's own are trusted.
#[derive(Clone, Default)]
pub struct Material {
    /// The only authorities to be trusted.
    pub roots: Option<Vec<u8>>,
    /// Our certificate chain and its private key.
    pub identity: Option<Identity>,
}

/// A certificate chain and its private key, as PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate chain.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Reads one file of a service's TLS settings.
///
/// # Errors
/// `tls`, naming the file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs_err::read(path).map_err(|error| {
        Failure::before(
            Code::Tls,
            format!(
                "the certificate file {} cannot be read here",
                path.display()
            ),
        )
        .hint(format!(
            "it is the path inside the container that counts there ({})",
            error.kind()
        ))
    })
}
