//! Posts as files: Markdown with front matter, and the folders that hold it.
//!
//! Owns the meaning of front matter in the dialects of Hugo, Jekyll, Zola and Microblog itself ([`parse`]), its writing
//! ([`write_post`]), finding posts, images and settings in a folder ([`ContentFolder`]), and where they lived before
//! ([`old_addresses`]). Leaves to the site engine what a page looks like and which of two posts wins an address; it writes
//! no file and asks no clock.
//!
//! Whatever is wrong with one file is a [`FileProblem`] with path, line and reason, and stops no other file.
//!
//! Start reading at [`post`], then [`folder`].

mod date;
mod fields;
mod file_name;
pub mod folder;
mod front_matter;
mod heading;
mod labels;
pub mod old_addresses;
pub mod post;
mod problem;
mod write;

pub use folder::{
    ContentFolder, FilePost, FolderState, OpenError, Resource, SkipReason, Skipped, StaticFile, TextLocation,
};
pub use front_matter::{Format, MAX_FRONT_MATTER_BYTES};
pub use post::{ParsedPost, Reading, parse};
pub use problem::{FileProblem, Reason};
pub use write::{write_post, write_settings};

/// The largest post, in bytes: a long novel has a tenth of it.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The file that marks a folder as a built site, which is no content even where it lies among it.
pub const OUTPUT_MARKER: &str = ".microblog-site";
