//! Posts, theme and settings in; pages, feeds and sitemaps out.
//!
//! Pure: no clock, no network, no global state, and no files but a theme's folder. Owns what a page shows
//! and which bytes it becomes. Leaves the texts of posts to a [`PostSource`], and what becomes of the pages to
//! the caller (the builder, the preview, `microblog build`).
//!
//! Data flows one way:
//!
//! ```text
//! SourcePost --digest--> Entry --fill/apply--> Index --view--> View --render--> Page
//! ```
//!
//! Start reading at [`Site`], then `views.rs`: which pages there are and what each shows. That a page can be kept
//! rather than rendered is decided by [`View::fingerprint`] alone.

mod entry;
#[cfg(feature = "fault-injection")]
mod faults;
pub mod highlight;
mod images;
mod index;
pub mod markdown;
mod output;
mod page;
mod render;
mod site;
mod tag_links;
mod theme;
mod view;
mod views;

pub use entry::{Entry, SourcePost};
pub use images::Image;
pub use index::{ListKey, Slice, Taken};
pub use page::{FeedKey, Page, PageKey};
pub use render::{PostSource, PostText, RenderError, Renderer, SourceError};
pub use site::{AddressProblem, Change, Site};
pub use theme::{Theme, ThemeError};
pub use view::View;
