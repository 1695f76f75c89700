//! The database that the settings name.

use microblog_config::Settings;
use microblog_store::{ServerOptions, Store, StoreError};

/// Opens the database; brings it up to date, and makes it if it is a file.
///
/// # Errors
/// When it can not be reached, or is not what this program can use.
pub async fn open_store(settings: &Settings) -> Result<Store, StoreError> {
    let database = &settings.database;
    let options = ServerOptions {
        max_connections: database.max_connections,
        connect_timeout: database.connect_timeout,
        statement_timeout: database.statement_timeout,
    };
    Store::open_with(&database.url, options).await
}
