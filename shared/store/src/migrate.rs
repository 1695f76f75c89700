//! The steps of the schema: which there are, and how they are made and unmade.
//!
//! All missing steps are made in one transaction that keeps other processes from the schema, so that of two starting at
//! once one does the work and the other finds it done; a failure leaves everything as it was. Whoever waits for longer
//! than a few seconds is told why, and tries again; a process that was frozen meanwhile is cut off by the server. (The
//! migrator of sqlx locks nothing on SQLite, and takes one folder of statements for each kind of database.)

use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::connect::{Connection, in_time};
use crate::dialect::{Dialect, is_lock_timeout};
use crate::error::StoreError;

/// One step, with the way back.
struct Step {
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

/// In order, never changed once released: a correction is a new step. The first one is number 1. While a site is brought
/// up to date, older programs go on with the newer schema: a step may only add what they do without.
const STEPS: [Step; 10] = [
    Step {
        name: "schema",
        up: Sql::Same(include_str!("migrations/0001_schema.up.sql")),
        down: Sql::Same(include_str!("migrations/0001_schema.down.sql")),
    },
    Step {
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
        name: "images",
        up: Sql::Same(include_str!("migrations/0003_images.up.sql")),
        down: Sql::Same(include_str!("migrations/0003_images.down.sql")),
    },
    Step {
        name: "image editions",
        up: Sql::Same(include_str!("migrations/0004_image_editions.up.sql")),
        down: Sql::Same(include_str!("migrations/0004_image_editions.down.sql")),
    },
    Step {
        name: "outbox claims",
        up: Sql::Same(include_str!("migrations/0005_outbox_claims.up.sql")),
        down: Sql::Same(include_str!("migrations/0005_outbox_claims.down.sql")),
    },
    Step {
        name: "crashes",
        up: Sql::Same(include_str!("migrations/0006_crashes.up.sql")),
        down: Sql::Same(include_str!("migrations/0006_crashes.down.sql")),
    },
    Step {
        name: "installation",
        up: Sql::Same(include_str!("migrations/0007_installation.up.sql")),
        down: Sql::Same(include_str!("migrations/0007_installation.down.sql")),
    },
    Step {
        name: "rate limits",
        // One process alone uses a database in a file, and counts in its memory.
        up: Sql::Own { sqlite: "", postgres: include_str!("migrations/0008_rate_limits.postgres.up.sql") },
        down: Sql::Own { sqlite: "", postgres: include_str!("migrations/0008_rate_limits.postgres.down.sql") },
    },
    Step {
        name: "error groups",
        up: Sql::Same(include_str!("migrations/0009_error_groups.up.sql")),
        down: Sql::Same(include_str!("migrations/0009_error_groups.down.sql")),
    },
    Step {
        name: "alerts",
        up: Sql::Same(include_str!("migrations/0010_alerts.up.sql")),
        down: Sql::Same(include_str!("migrations/0010_alerts.down.sql")),
    },
];

const MAKE_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_steps (version BIGINT PRIMARY KEY NOT NULL, name TEXT NOT NULL)";

/// The newest schema that this program knows.
#[must_use]
pub fn newest_schema() -> i64 {
    number(STEPS.len())
}

/// Numbers of steps as the database has them.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The steps with their numbers, which have no gaps: what is missing is what comes after the newest one that was made.
fn steps() -> impl DoubleEndedIterator<Item = (i64, &'static Step)> {
    STEPS.iter().enumerate().map(|(before, step)| (number(before + 1), step))
}

/// Makes all missing steps.
pub(crate) async fn up(connection: &mut Connection) -> Result<(), StoreError> {
    let dialect = Dialect::of(connection);
    let mut transaction = connection.begin_with(dialect.begin_write()).await?;
    let found = in_time(prepare(&mut transaction)).await?;
    // What a step does may take as long as the database is large.
    for (version, step) in steps().filter(|(version, _)| *version > found) {
        run(&mut transaction, version, step.name, &step.up).await?;
        sqlx::query("INSERT INTO schema_steps (version, name) VALUES ($1, $2)")
            .bind(version)
            .bind(step.name)
            .execute(&mut *transaction)
            .await?;
        tracing::debug!(version, name = step.name, "schema step made");
    }
    Ok(transaction.commit().await?)
}

/// The schema that the database has, 0 if it has none, if it is made of steps of this program. Changes nothing.
pub(crate) async fn look(connection: &mut Connection) -> Result<i64, StoreError> {
    let dialect = Dialect::of(connection);
    let mut transaction = connection.begin_with(dialect.begin_write()).await?;
    let found = in_time(prepare(&mut transaction)).await?;
    transaction.rollback().await?;
    Ok(found)
}

/// Keeps others from the schema, and tells which one there is.
async fn prepare(connection: &mut Connection) -> Result<i64, StoreError> {
    lock(connection).await?;
    sqlx::raw_sql(MAKE_TABLE).execute(&mut *connection).await?;
    known(connection).await
}

async fn lock(connection: &mut Connection) -> Result<(), StoreError> {
    let sql = Dialect::of(connection).lock_schema();
    match sqlx::raw_sql(sql).execute(connection).await {
        Ok(_) => Ok(()),
        Err(error) if is_lock_timeout(&error) => Err(StoreError::SchemaBusy),
        Err(error) => Err(error.into()),
    }
}

/// The schema that the database has, if it is made of steps of this program.
async fn known(connection: &mut Connection) -> Result<i64, StoreError> {
    let made =
        sqlx::query("SELECT version, name FROM schema_steps ORDER BY version").fetch_all(&mut *connection).await?;
    let mut steps = steps();
    let mut newest = 0;
    for row in &made {
        let (version, name): (i64, String) = (row.try_get("version")?, row.try_get("name")?);
        match steps.next() {
            Some((number, step)) if number == version && step.name == name => newest = version,
            Some(_) => return Err(StoreError::SchemaUnknown { version, name }),
            None => return Err(StoreError::SchemaTooNew { found: schema(connection).await?, known: newest_schema() }),
        }
    }
    Ok(newest)
}

/// Unmakes all steps above `target`; what they held is lost.
pub async fn down(connection: &mut Connection, target: i64) -> Result<(), StoreError> {
    for (version, step) in steps().rev().filter(|(version, _)| *version > target) {
        run(connection, version, step.name, &step.down).await?;
        sqlx::query("DELETE FROM schema_steps WHERE version = $1").bind(version).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The schema that the database has.
pub async fn schema(connection: &mut Connection) -> Result<i64, StoreError> {
    let row =
        sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_steps").fetch_one(connection).await?;
    Ok(row.try_get("version")?)
}

async fn run(connection: &mut Connection, version: i64, name: &'static str, sql: &Sql) -> Result<(), StoreError> {
    let dialect = Dialect::of(connection);
    // The statements are the program's own.
    let sql = AssertSqlSafe(dialect.schema(sql.of(dialect)).into_owned());
    let made = sqlx::raw_sql(sql).execute(connection).await;
    made.map(drop).map_err(|error| StoreError::Migration { version, name, source: Box::new(error.into()) })
}
