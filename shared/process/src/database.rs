//! The database that the settings name, and the time by which all who use it go.

use std::sync::Arc;

use microblog_config::Settings;
use microblog_domain::{Clock, SystemClock};
use microblog_store::{ServerOptions, Store, StoreError, in_time, shared_clock};

use crate::lifecycle::Lifecycle;
use crate::opening::{Obstacle, Patience, patiently};

/// Opens the database; brings it up to date, and makes it if it is a file.
///
/// # Errors
/// When it can not be reached, or is not what this program can use.
pub async fn open_store(settings: &Settings) -> Result<Store, StoreError> {
    Store::open_with(&settings.database.url, server_options(settings)).await
}

/// Looks which schema the database has, 0 if none, and changes nothing.
///
/// # Errors
/// When it can not be reached, or is not what this program can use.
pub async fn schema_of(settings: &Settings) -> Result<i64, StoreError> {
    microblog_store::schema_of(&settings.database.url, server_options(settings)).await
}

fn server_options(settings: &Settings) -> ServerOptions {
    let database = &settings.database;
    ServerOptions {
        max_connections: database.max_connections,
        connect_timeout: database.connect_timeout,
        statement_timeout: database.statement_timeout,
    }
}

/// The clock that all services of the site go by.
///
/// # Errors
/// None: the database was there already, and is waited for.
pub async fn open_clock(store: &Store, lifecycle: &Lifecycle) -> anyhow::Result<Arc<dyn Clock>> {
    let ask = async || in_time(shared_clock(store, Arc::new(SystemClock))).await.map_err(Obstacle::from);
    patiently("database", lifecycle, Patience::Endless, ask).await
}
