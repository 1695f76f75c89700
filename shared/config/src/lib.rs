//! Settings: where they come from, what they may be, and what is wrong with those that can not be used.
//!
//! Owns the names, defaults and forms of all settings, and the order in which their sources win: the defaults, then the
//! file, then the environment, then the command line. Leaves to others what a setting *does*, and opens nothing that a
//! setting names: whether a folder can be written or a database be reached is found out by who uses it. Reading files and
//! variables, and merging, is the `config` crate's; what that crate can not tell, such as all mistakes at once, is told here.
//!
//! Start reading at [`Settings`]; [`Sources`] says where values are looked for, [`ConfigError`] lists every mistake of
//! all sources at once.

mod cache;
mod files;
mod layers;
mod monitor;
mod otlp;
mod problem;
mod reader;
mod settings;
mod sources;
mod values;

pub use cache::cache_folder;
pub use monitor::{CertificateWatch, MonitorSettings};
pub use otlp::{OtlpEndpoint, OtlpHeaders, OtlpSettings, Share};
pub use problem::{ConfigError, Origin, Problem};
pub use settings::{
    AlertSettings, AuthSettings, BuildSettings, BuilderSettings, DataSettings, DatabaseSettings, LogSettings,
    QueueSettings, RateLimitSettings, ReleaseSettings, ServerSettings, Settings, SiteServerSettings,
};
pub use sources::Sources;
pub use values::{AddressRange, ByteSize, ChosenSecret, LogFormat, PerMinute};
