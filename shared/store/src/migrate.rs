//! The steps of the schema: which there are, and how they are made and unmade.
//!
//! All missing steps are made in one transaction that keeps other processes from the schema, so that of two starting at
//! once one does the work and the other finds it done; a failure leaves everything as it was. (The migrator of sqlx
//! locks nothing on SQLite, and takes one folder of statements for each kind of database.)

use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::connect::Connection;
use crate::dialect::Dialect;
use crate::error::StoreError;

/// One step, with the way back.
struct Step {
    version: i64,
    name: &'static str,
    up: Sql,
    down: Sql,
}

/// Statements of a step.
enum Sql {
    /// For every database.
    Same(&'static str),
    /// Where they have too little in common.
    Own { sqlite: &'static str, postgres: &'static str },
}

impl Sql {
    const fn of(&self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::Same(sql) | Self::Own { sqlite: sql, .. }, Dialect::Sqlite) => sql,
            (Self::Same(sql) | Self::Own { postgres: sql, .. }, Dialect::Postgres) => sql,
        }
    }
}

/// In order, never changed once released: a correction is a new step.
const STEPS: [Step; 8] = [
    Step {
        version: 1,
        name: "schema",
        up: Sql::Same(include_str!("migrations/0001_schema.up.sql")),
        down: Sql::Same(include_str!("migrations/0001_schema.down.sql")),
    },
    Step {
        version: 2,
        name: "search",
        up: Sql::Own {
            sqlite: include_str!("migrations/0002_search.sqlite.up.sql"),
            postgres: include_str!("migrations/0002_search.postgres.up.sql"),
        },
        down: Sql::Own {
            sqlite: include_str!("migrations/0002_search.sqlite.down.sql"),
            postgres: include_str!("migrations/0002_search.postgres.down.sql"),
        },
    },
    Step {
        version: 3,
        name: "images",
        up: Sql::Same(include_str!("migrations/0003_images.up.sql")),
        down: Sql::Same(include_str!("migrations/0003_images.down.sql")),
    },
    Step {
        version: 4,
        name: "image editions",
        up: Sql::Same(include_str!("migrations/0004_image_editions.up.sql")),
        down: Sql::Same(include_str!("migrations/0004_image_editions.down.sql")),
    },
    Step {
        version: 5,
        name: "outbox claims",
        up: Sql::Same(include_str!("migrations/0005_outbox_claims.up.sql")),
        down: Sql::Same(include_str!("migrations/0005_outbox_claims.down.sql")),
    },
    Step {
        version: 7,
        name: "crashes",
        up: Sql::Same(include_str!("migrations/0007_crashes.up.sql")),
        down: Sql::Same(include_str!("migrations/0007_crashes.down.sql")),
    },
    Step {
        version: 8,
        name: "installation",
        up: Sql::Same(include_str!("migrations/0008_installation.up.sql")),
        down: Sql::Same(include_str!("migrations/0008_installation.down.sql")),
    },
    Step {
        version: 9,
        name: "rate limits",
        // One process alone uses a database in a file, and counts in its memory.
        up: Sql::Own { sqlite: "", postgres: include_str!("migrations/0009_rate_limits.postgres.up.sql") },
        down: Sql::Own { sqlite: "", postgres: include_str!("migrations/0009_rate_limits.postgres.down.sql") },
    },
];

const MAKE_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_steps (version BIGINT PRIMARY KEY NOT NULL, name TEXT NOT NULL)";

/// The newest schema that this program knows.
#[must_use]
pub fn newest_schema() -> i64 {
    STEPS.last().map_or(0, |step| step.version)
}

/// Makes all missing steps.
pub(crate) async fn up(connection: &mut Connection) -> Result<(), StoreError> {
    let dialect = Dialect::of(connection);
    let mut transaction = connection.begin_with(dialect.begin_write()).await?;
    sqlx::raw_sql(dialect.lock_schema()).execute(&mut *transaction).await?;
    sqlx::raw_sql(MAKE_TABLE).execute(&mut *transaction).await?;
    let found = schema(&mut transaction).await?;
    if found > newest_schema() {
        return Err(StoreError::SchemaTooNew { found, known: newest_schema() });
    }
    for step in STEPS.iter().filter(|step| step.version > found) {
        run(&mut transaction, step, &step.up).await?;
        sqlx::query("INSERT INTO schema_steps (version, name) VALUES ($1, $2)")
            .bind(step.version)
            .bind(step.name)
            .execute(&mut *transaction)
            .await?;
        tracing::debug!(version = step.version, name = step.name, "schema step made");
    }
    Ok(transaction.commit().await?)
}

/// Unmakes all steps above `target`; what they held is lost.
pub async fn down(connection: &mut Connection, target: i64) -> Result<(), StoreError> {
    for step in STEPS.iter().rev().filter(|step| step.version > target) {
        run(connection, step, &step.down).await?;
        sqlx::query("DELETE FROM schema_steps WHERE version = $1").bind(step.version).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The schema that the database has.
pub async fn schema(connection: &mut Connection) -> Result<i64, StoreError> {
    let row =
        sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_steps").fetch_one(connection).await?;
    Ok(row.try_get("version")?)
}

async fn run(connection: &mut Connection, step: &Step, sql: &Sql) -> Result<(), StoreError> {
    let dialect = Dialect::of(connection);
    // The statements are the program's own.
    let sql = AssertSqlSafe(dialect.schema(sql.of(dialect)).into_owned());
    sqlx::raw_sql(sql).execute(connection).await.map(drop).map_err(|error| StoreError::Migration {
        version: step.version,
        name: step.name,
        source: Box::new(error.into()),
    })
}
