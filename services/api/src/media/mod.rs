//! The bytes of uploads: what they really are, and what they are called.
//!
//! Leaves their keeping to [`microblog_store::MediaFolder`]. Start reading at [`mod@examine`].

mod examine;
mod name;
mod svg;

pub(crate) use examine::examine;
pub(crate) use name::public_name;
