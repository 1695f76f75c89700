//! Whose releases a store holds: two installations on one folder would replace each other's site.
//!
//! The store notes the installation that builds it first. Who only looks at releases need not belong to it.

use microblog_domain::InstallationId;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::layout;
use crate::tree;

/// Refuses any installation but the one that the store belongs to. Tells whether it belongs to one.
pub(crate) fn check(disk: &Disk, installation: InstallationId) -> Result<bool> {
    match disk.read_link(layout::OWNER)? {
        Some(owner) if owner != installation.to_string() => {
            Err(Error::OtherInstallation { folder: disk.path().to_owned() })
        }
        owner => Ok(owner.is_some()),
    }
}

/// As [`check`]; a store that belongs to nobody belongs to this installation from now on.
pub(crate) fn claim(disk: &Disk, installation: InstallationId) -> Result<()> {
    if check(disk, installation)? { Ok(()) } else { set(disk, installation) }
}

/// Gives the store to an installation, whoever had it.
pub(crate) fn set(disk: &Disk, installation: InstallationId) -> Result<()> {
    tree::replace_link(disk, &installation.to_string(), layout::OWNER)
}
