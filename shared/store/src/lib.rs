//! All SQL of Microblog: the schema, its migrations, and one module of plain functions for each group of tables; and the
//! folder of the uploads, whose bytes do not belong into a database.
//!
//! Owns what is kept, how, and which changes belong together. Leaves to others what the values mean
//! ([`microblog_domain`]), who may change them (the api), and what to do about a build that fails (the queue).
//!
//! Functions that read take a [`Connection`]; functions that write take a [`Transaction`], so that a write outside a
//! transaction does not compile, and the caller decides what happens together:
//!
//! ```ignore
//! let mut tx = store.begin().await?;
//! let saved = publishing::publish(&mut tx, post, Some(version), &origin).await?;
//! tx.commit().await?;
//! ```
//!
//! Start reading at [`publishing`], which shows how the tables work together, then [`builds`]. What databases do
//! differently is in the folder `dialect`; how writers keep out of each other's way is in `locks.rs`.

#[macro_use]
mod columns;

pub mod alerts;
pub mod audit;
pub mod builds;
mod clock;
mod connect;
mod counters;
mod decode;
mod dialect;
mod error;
pub mod errors;
pub mod idempotency;
pub mod images;
pub mod installation;
mod locks;
pub mod media;
mod media_folder;
pub mod migrate;
mod open;
mod origin;
pub mod outbox;
mod paging;
pub mod posts;
pub mod publishing;
pub mod rate_limits;
pub mod releases;
mod repeat;
pub mod revisions;
mod server;
pub mod sessions;
pub mod settings;
pub mod setup;
mod time;
pub mod tokens;
pub mod users;

pub use clock::{ServerClock, shared_clock};
pub use connect::{Connection, PoolUse, Reader, Snapshot, Store, Transaction, in_a_moment, in_time};
pub use counters::newest_change;
pub use error::{Refusal, StoreError};
pub use media_folder::{Incoming, MediaFolder};
pub use open::{ServerOptions, schema_of};
pub use origin::Origin;
pub use paging::TimeCursor;
pub use repeat::repeat;
