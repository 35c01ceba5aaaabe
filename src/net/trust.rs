//! TLS material from a service's certificate files: trusted authorities and client certificate.

use std::io::Read;
use std::path::Path;

use super::failure::RequestFailure;
use crate::otlp::FailureCode;

/// The largest accepted file, in bytes; a file with every public authority is a quarter of this.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// PEM texts; without roots, the system's authorities are trusted.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsMaterial {
    /// The only trusted authorities.
    pub roots: Option<Vec<u8>>,
    /// The client certificate chain and its private key.
    pub identity: Option<ClientIdentity>,
}

/// A certificate chain and its private key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate chain.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Reads one file of a service's TLS settings.
///
/// # Errors
/// `tls`, naming the file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, RequestFailure> {
    let refuse = |why: String| {
        RequestFailure::before(
            FailureCode::Tls,
            format!("the certificate file {} cannot be read here", path.display()),
        )
        .hint(format!("the service reads that path inside its container ({why})"))
    };
    let failed = |error: std::io::Error| refuse(error.kind().to_string());
    // Reading a pipe or a device might never end.
    let metadata = fs_err::metadata(path).map_err(failed)?;
    if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
        return Err(refuse("it is not a certificate file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = fs_err::File::open(path).map_err(failed)?;
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
