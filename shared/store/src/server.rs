//! A database server as it is reached: its address, a connection of one's own, and whether it is what is needed.
//!
//! A pool tries over and over and keeps the reason to itself; who wants to know it asks by a connection of their own.

use std::time::Duration;

use microblog_domain::PostgresUrl;
use sqlx::ConnectOptions as _;
use sqlx::any::AnyConnectOptions;
use tokio::sync::Mutex;

use crate::connect::Connection;
use crate::decode::Columns as _;
use crate::dialect::postgres;
use crate::error::StoreError;

/// Where a server is.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: PostgresUrl,
    /// Held by whoever asks what is wrong with it, on a connection beside those that are counted.
    pub(crate) asking: Mutex<()>,
}

impl Server {
    /// The address as the driver reads it. The server's administrator sees whose connections these are.
    pub(crate) fn address(&self) -> Result<AnyConnectOptions, StoreError> {
        let mut address = self.url.reveal().clone();
        if !address.query_pairs().any(|(name, _)| name == "application_name") {
            address.query_pairs_mut().append_pair("application_name", "microblog");
        }
        Ok(AnyConnectOptions::from_url(&address)?.disable_statement_logging())
    }

    /// A connection of its own, if the server is one that this program can use.
    pub(crate) async fn connect(&self, limit: Duration) -> Result<Connection, StoreError> {
        let address = self.address()?;
        let connected = tokio::time::timeout(limit, async {
            let mut connection = address.connect().await.map_err(|error| self.refusal(error))?;
            require_supported(&mut connection).await?;
            Ok(connection)
        });
        connected.await.unwrap_or_else(|_| Err(self.unreachable(format!("no answer for {limit:?}"))))
    }

    fn refusal(&self, error: sqlx::Error) -> StoreError {
        match error {
            sqlx::Error::Io(error) => self.unreachable(error.to_string()),
            sqlx::Error::Tls(error) => StoreError::NoTls { server: self.url.to_string(), reason: error.to_string() },
            error => error.into(),
        }
    }

    fn unreachable(&self, reason: String) -> StoreError {
        StoreError::Unreachable { server: self.url.to_string(), reason }
    }
}

async fn require_supported(connection: &mut Connection) -> Result<(), StoreError> {
    let row = sqlx::query(postgres::WHO_ARE_YOU).fetch_one(connection).await?;
    if row.number::<i64>("major")? < postgres::OLDEST_VERSION {
        return Err(StoreError::ServerTooOld { found: row.text("version")?, needed: postgres::OLDEST_VERSION });
    }
    match row.text("encoding")?.as_str() {
        "UTF8" => Ok(()),
        other => Err(StoreError::WrongEncoding { found: other.to_owned() }),
    }
}
