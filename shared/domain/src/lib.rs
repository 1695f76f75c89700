//! The words of Microblog as types: ids, slugs, paths, posts, tags, builds, roles, hashes and time.
//!
//! Owns what a value *is* and which values exist: every type here can only be made from valid input, so the rest of
//! the system never checks again. Leaves all input and output to others: nothing here reads a file, a clock (but for
//! [`SystemClock`]), a database or the network.
//!
//! Start reading at [`post`]: most other modules serve it.

pub mod build;
pub mod clock;
pub mod database;
pub mod hash;
pub mod ids;
pub mod media;
pub mod path;
pub mod permalink;
pub mod post;
pub mod queue;
pub mod role;
pub mod settings;
pub mod slug;
pub mod tag;
pub mod trace;

pub use build::{BuildMode, BuildState, BuildStep, PageCounts};
pub use clock::{Clock, SystemClock};
pub use database::{DatabaseUrl, DatabaseUrlError, PostgresUrl};
pub use hash::{ContentHash, Fingerprint, FingerprintBuilder};
pub use ids::{
    AlertId, BuildId, ChangeSeq, ErrorGroupId, InstallationId, MediaId, PostId, ReleaseId, RevisionNumber, TokenId,
    UserId, Version,
};
pub use jiff::Timestamp;
pub use path::{FilePath, PathError, UrlPath};
pub use permalink::{PermalinkError, PermalinkPattern};
pub use post::{Post, PostContent, PostKind, PostStatus};
pub use queue::{AmqpUrl, QueueUrl, QueueUrlError};
pub use role::{Role, Scope};
pub use settings::{BaseUrl, MenuItem, SiteSettings, SiteTimeZone};
pub use slug::{Slug, SlugError};
pub use tag::{Tag, TagError};
pub use trace::{TraceParent, TraceParentError};
