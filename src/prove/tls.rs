//! Finds a service's certificate files on this machine.

use std::path::{Path, PathBuf};

use crate::net::failure::RequestFailure;
use crate::net::route::EndpointRoute;
use crate::net::trust::{self, ClientIdentity};
use crate::otlp::Exporter;

/// A mounted folder or file: its path on this machine and in the container.
#[derive(Debug, Clone)]
pub(super) struct MountedPath {
    pub(super) source: PathBuf,
    pub(super) target: PathBuf,
}

/// Gives `route` the service's TLS material.
pub(super) fn add_tls_material(
    mut route: EndpointRoute,
    exporter: &Exporter,
    mounts: &[MountedPath],
) -> Result<EndpointRoute, RequestFailure> {
    if route.url.scheme() != "https" {
        return Ok(route);
    }
    let read = |path: &String| trust::read(&host_path(Path::new(path), mounts));
    route.material.roots = exporter.certificate.as_ref().map(read).transpose()?;
    route.material.identity = match &exporter.client {
        None => None,
        Some(files) => {
            Some(ClientIdentity { certificate: read(&files.certificate)?, key: read(&files.key)? })
        }
    };
    Ok(route)
}

/// Translates a path in the container to this machine; the deepest mount wins.
fn host_path(path: &Path, mounts: &[MountedPath]) -> PathBuf {
    let covering =
        mounts.iter().filter_map(|mount| Some((mount, path.strip_prefix(&mount.target).ok()?)));
    let deepest = covering.max_by_key(|(mount, _)| mount.target.components().count());
    match deepest {
        // Joining an empty path to a mounted file would add a slash.
        Some((mount, rest)) if rest.as_os_str().is_empty() => mount.source.clone(),
        Some((mount, rest)) => mount.source.join(rest),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_followed_through_the_deepest_mount() {
        let mount = |source: &str, target: &str| MountedPath {
            source: source.into(),
            target: target.into(),
        };
        let mounts = [mount("/repo", "/app"), mount("/repo/ca.pem", "/app/ca.pem")];
        let path_on_host = |path: &str| host_path(Path::new(path), &mounts);
        assert_eq!(path_on_host("/app/ca.pem").as_os_str(), "/repo/ca.pem");
        assert_eq!(path_on_host("/app/x/y.pem").as_os_str(), "/repo/x/y.pem");
        assert_eq!(path_on_host("/etc/y.pem").as_os_str(), "/etc/y.pem");
    }
}
