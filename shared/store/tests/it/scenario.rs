//! What most tests begin with.

use std::time::Duration;

use microblog_domain::{Clock as _, PostContent, PostId, Timestamp};
use microblog_store::builds::{self, Claim, ClaimedBuild, Due, leases};
use microblog_store::posts::{self, StoredPost};
use microblog_store::publishing::{self, Intent, Saved};
use microblog_store::{Origin, StoreError};
pub(crate) use microblog_testkit::on_every_database;
use microblog_testkit::{DatabaseKind, PostBuilder, TestClock, TestDatabase};

/// A database, and a clock to tell it the time.
pub(crate) struct Scenario {
    pub(crate) db: TestDatabase,
    pub(crate) clock: TestClock,
}

/// Does something in a transaction of its own, and keeps it if it went well.
macro_rules! in_transaction {
    ($scenario:expr, |$tx:ident| $body:expr) => {{
        let mut transaction = $scenario.db.store().begin().await.unwrap();
        let $tx = &mut transaction;
        let result = $body.await;
        match &result {
            Ok(_) => transaction.commit().await.unwrap(),
            Err(_) => transaction.roll_back().await.unwrap(),
        }
        result
    }};
}
pub(crate) use in_transaction;

/// Reads something.
macro_rules! reading {
    ($scenario:expr, |$conn:ident| $body:expr) => {{
        let mut reader = $scenario.db.store().read().await.unwrap();
        let $conn = &mut *reader;
        $body.await.unwrap()
    }};
}
pub(crate) use reading;

impl Scenario {
    pub(crate) async fn on(database: DatabaseKind) -> Self {
        Self { db: TestDatabase::of(database).await, clock: TestClock::new() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::system(self.now())
    }

    /// Lets some seconds pass.
    pub(crate) fn later(&self, seconds: u64) -> Timestamp {
        self.clock.advance(Duration::from_secs(seconds))
    }

    pub(crate) async fn create(&self, post: PostBuilder) -> Saved {
        in_transaction!(self, |tx| publishing::create(tx, post.build(), &self.origin())).unwrap()
    }

    pub(crate) async fn read(&self, id: PostId) -> StoredPost {
        reading!(self, |conn| posts::get(conn, id))
    }

    /// Changes the content of the newest version.
    pub(crate) async fn edit(
        &self,
        id: PostId,
        intent: Intent,
        change: impl FnOnce(&mut PostContent),
    ) -> Result<Saved, StoreError> {
        let post = self.read(id).await.post;
        let mut content = post.content;
        change(&mut content);
        in_transaction!(self, |tx| publishing::edit(tx, id, post.version, content, intent, &self.origin()))
    }

    /// Takes the build that is due, for a minute.
    pub(crate) async fn claim(&self, worker: &str) -> Option<ClaimedBuild> {
        let claim = Claim { worker: worker.to_owned(), lease_for: Duration::from_secs(60) };
        in_transaction!(self, |tx| async {
            match builds::next_due(tx).await? {
                Due::Unless(silent) if silent.until() <= self.now() => {
                    leases::take_over(tx, &claim, &silent, self.now()).await
                }
                _ => builds::claim(tx, &claim, self.now()).await,
            }
        })
        .unwrap()
    }
}
