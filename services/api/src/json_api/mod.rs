//! The JSON API, one module for each resource. Each handler reads its input, calls the store, and answers.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod builds;
pub(crate) mod errors;
pub(crate) mod media;
pub(crate) mod paging;
pub(crate) mod posts;
pub(crate) mod preview;
pub(crate) mod releases;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod tokens;
pub(crate) mod users;
