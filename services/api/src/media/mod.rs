//! The bytes of uploads: received, examined, kept, served.
//!
//! [`folder`] keeps them by the hash of their content; [`mod@examine`] finds out what they really are.

mod examine;
mod folder;
mod name;
mod svg;

pub(crate) use examine::examine;
pub(crate) use folder::Incoming;
pub use folder::MediaFolder;
pub(crate) use name::public_name;
