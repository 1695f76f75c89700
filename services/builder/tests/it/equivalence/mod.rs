//! Promise 5, at the level that ships: after any sequence of edits, builds, failures, rollbacks and restarts, readers get
//! every byte that a worker with nothing but the database would make.
//!
//! `edits.rs` says what people do, `newsroom.rs` does it to a real database, a real theme folder and a real release store,
//! and `mishaps.rs` lets builds come to nothing.
//! `PROPTEST_CASES` sets the number of sequences and `PROPTEST_RNG_SEED` where they start.

mod edits;
mod mishaps;
mod newsroom;
mod tree;

use microblog_testkit::DatabaseKind;
use proptest::prelude::*;

use edits::{Details, Round, rounds};
use newsroom::{Newsroom, RUNTIME};

/// Few enough for every day, on a machine that has other things to do.
const CASES: u32 = 80;
/// What differs there is the database alone; each of these has one of its own.
const CASES_ON_A_SERVER: u32 = 12;

/// What happens to a site, from its first posts on.
#[derive(Debug, Clone)]
struct History {
    first: Vec<Details>,
    rounds: Vec<Round>,
}

fn histories() -> impl Strategy<Value = History> {
    let first = prop_oneof![
        3 => prop::collection::vec(edits::details(), 0..8),
        1 => prop::collection::vec(edits::details(), 8..40),
    ];
    (first, rounds()).prop_map(|(first, rounds)| History { first, rounds })
}

impl History {
    fn live_through(&self, database: DatabaseKind) -> Result<(), TestCaseError> {
        let _context = RUNTIME.enter();
        let mut newsroom = Newsroom::open(database);
        newsroom.begin_with(&self.first)?;
        for round in &self.rounds {
            newsroom.live_through(round)?;
        }
        newsroom.close()
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_time: 600_000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(CASES))]

    #[test]
    fn whatever_was_done_readers_get_what_a_build_from_nothing_gives(history in histories()) {
        history.live_through(DatabaseKind::Sqlite)?;
    }
}

proptest! {
    #![proptest_config(config(CASES_ON_A_SERVER))]

    #[test]
    fn whatever_was_done_on_a_database_server_readers_get_what_a_build_from_nothing_gives(history in histories()) {
        history.live_through(DatabaseKind::Postgres)?;
    }
}
