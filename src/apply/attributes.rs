//! The metadata of a file: owner, mode, access list, extended attributes.

use std::fs::File;
use std::io::Result;
use std::path::Path;

/// The mode of a file that only its owner may read.
pub(super) const OWNER_ONLY: u32 = 0o600;

/// The permissions of the new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileAccess {
    /// The same as those of the old file.
    AsBefore,
    /// Readable only by its owner.
    OwnerOnly,
}

/// Copies the owner, the mode and the attributes of `from` to `to`, if `from` exists.
///
/// # Errors
/// The system's error for an access list or a user attribute; attributes set by the system itself are copied if
/// possible.
pub(super) fn copy(from: &Path, to: &File, access: FileAccess) -> Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let Ok(metadata) = from.metadata() else { return Ok(()) };
    if let Err(error) = fchown(to, Some(metadata.uid()), Some(metadata.gid())) {
        let may_give_away = rustix::process::geteuid().is_root();
        if may_give_away || error.kind() != std::io::ErrorKind::PermissionDenied {
            return Err(error);
        }
    }
    copy_extended(from, to)?;
    let mode = match access {
        FileAccess::AsBefore => metadata.mode() & 0o7777,
        FileAccess::OwnerOnly => OWNER_ONLY,
    };
    to.set_permissions(Permissions::from_mode(mode))
}

/// The attribute that contains a POSIX access list.
const ACCESS_LIST: &[u8] = b"system.posix_acl_access";

/// Maximum size in bytes of an attribute list or a value on Linux.
const MAX_ATTRIBUTE_BYTES: usize = 1 << 16;

fn copy_extended(from: &Path, to: &File) -> Result<()> {
    use rustix::fs::{XattrFlags, fremovexattr, fsetxattr, getxattr, listxattr};
    let (mut names, mut value) = (vec![0; MAX_ATTRIBUTE_BYTES], vec![0; MAX_ATTRIBUTE_BYTES]);
    // The file system has no attributes, or the list cannot be read: there is nothing to copy.
    let length = listxattr(from, &mut names[..]).unwrap_or(0);
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut has_access_list = false;
    for name in names {
        has_access_list |= name == ACCESS_LIST;
        let is_the_users = name == ACCESS_LIST || name.starts_with(b"user.");
        let copied = getxattr(from, name, &mut value[..])
            .and_then(|length| fsetxattr(to, name, &value[..length], XattrFlags::empty()));
        if is_the_users {
            copied?;
        }
    }
    if !has_access_list {
        // An access list that the new file inherited from the folder; most files have none.
        let _ = fremovexattr(to, ACCESS_LIST);
    }
    Ok(())
}
