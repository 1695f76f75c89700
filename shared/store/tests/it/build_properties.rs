//! Whatever is done to builds, in whatever order: at most one waits, at most one runs, and no wish is forgotten.

use std::time::Duration;

use microblog_domain::{BuildId, BuildMode, BuildState, PageCounts, Timestamp};
use microblog_store::builds::{self, Build, BuildRequest, ClaimedBuild, leases};
use microblog_testkit::DatabaseKind;
use proptest::prelude::*;

use crate::scenario::{Scenario, in_transaction, reading};

#[derive(Debug, Clone)]
enum Step {
    Ask {
        full: bool,
        delay: u64,
    },
    Claim,
    /// Reports with one of the leases that were ever given, held or lost.
    Report {
        lease: prop::sample::Index,
        end: End,
    },
    Cancel {
        build: prop::sample::Index,
    },
    Pass {
        seconds: u64,
    },
}

#[derive(Debug, Clone, Copy)]
enum End {
    Renew,
    Succeed,
    Fail,
    Retry,
    HandBack,
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![
        Just(End::Renew),
        Just(End::Succeed),
        Just(End::Fail),
        Just(End::Retry),
        Just(End::HandBack),
        Just(End::Stop)
    ];
    prop_oneof![
        4 => (any::<bool>(), 0..30u64).prop_map(|(full, delay)| Step::Ask { full, delay }),
        4 => Just(Step::Claim),
        4 => (any::<prop::sample::Index>(), end).prop_map(|(lease, end)| Step::Report { lease, end }),
        1 => any::<prop::sample::Index>().prop_map(|build| Step::Cancel { build }),
        2 => (0..90u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// A wish, and what had happened to the build that answers it.
struct Wish {
    build: BuildId,
    full: bool,
    at: Timestamp,
    starts_before: usize,
}

struct Model {
    scenario: Scenario,
    leases: Vec<ClaimedBuild>,
    wishes: Vec<Wish>,
    starts: Vec<BuildId>,
}

impl Model {
    fn starts_of(&self, id: BuildId) -> usize {
        self.starts.iter().filter(|started| **started == id).count()
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Ask { full, delay } => self.ask(*full, *delay).await,
            Step::Claim => {
                let claimed = self.scenario.claim("worker").await;
                self.starts.extend(claimed.iter().map(|claimed| claimed.build.id));
                self.leases.extend(claimed);
            }
            Step::Report { lease, end } if !self.leases.is_empty() => {
                let claimed = self.leases[lease.index(self.leases.len())].clone();
                self.report(&claimed, *end).await;
            }
            Step::Cancel { build } if !self.wishes.is_empty() => {
                let id = self.wishes[build.index(self.wishes.len())].build;
                let origin = self.scenario.origin();
                let _ = in_transaction!(self.scenario, |tx| builds::cancel(tx, id, &origin));
            }
            Step::Pass { seconds } => drop(self.scenario.later(*seconds)),
            Step::Report { .. } | Step::Cancel { .. } => {}
        }
    }

    async fn ask(&mut self, full: bool, delay: u64) {
        let origin = self.scenario.origin();
        let mode = if full { BuildMode::Full } else { BuildMode::Incremental };
        let request = BuildRequest { mode, run_after: origin.at + Duration::from_secs(delay) };
        let build = in_transaction!(self.scenario, |tx| builds::ask(tx, &request, &origin)).unwrap();
        assert_eq!(build.state, BuildState::Waiting);
        assert!(build.run_after <= request.run_after);
        let starts_before = self.starts_of(build.id);
        self.wishes.push(Wish { build: build.id, full, at: origin.at, starts_before });
    }

    async fn report(&mut self, claimed: &ClaimedBuild, end: End) {
        let (now, lease) = (self.scenario.now(), &claimed.lease);
        let before = self.all().await;
        let minute = Duration::from_secs(60);
        let result = match end {
            End::Renew => in_transaction!(self.scenario, |tx| leases::renew(tx, lease, minute, now)).map(drop),
            End::Succeed => {
                in_transaction!(self.scenario, |tx| leases::succeed(tx, lease, None, PageCounts::default(), now))
            }
            End::Fail => in_transaction!(self.scenario, |tx| leases::fail(tx, lease, "x", now)),
            End::Retry => {
                in_transaction!(self.scenario, |tx| leases::retry(tx, lease, "x", now + minute, now)).map(drop)
            }
            End::HandBack => in_transaction!(self.scenario, |tx| leases::hand_back(tx, lease, now, now)).map(drop),
            End::Stop => in_transaction!(self.scenario, |tx| leases::stop(tx, lease, now)),
        };
        let is_newest = self.leases.last().map(|last| &last.lease) == Some(lease);
        assert!(result.is_err() || is_newest, "only the newest lease can be any good");
        if result.is_err() {
            assert_eq!(self.all().await, before, "a lost lease changes nothing");
        }
        self.hand_wishes_on(claimed.build.id).await;
    }

    /// The wishes of a superseded build are now those of the build that waits.
    async fn hand_wishes_on(&mut self, id: BuildId) {
        let all = self.all().await;
        if !all.iter().any(|build| build.id == id && build.state == BuildState::Superseded) {
            return;
        }
        for wish in self.wishes.iter_mut().filter(|wish| wish.build == id) {
            wish.build = all.iter().find(|build| build.state == BuildState::Waiting).expect("an heir").id;
            wish.starts_before = self.starts.iter().filter(|started| **started == wish.build).count();
        }
    }

    async fn all(&self) -> Vec<Build> {
        reading!(self.scenario, |conn| builds::list(conn, None, 1_000))
    }

    async fn check(&self) {
        let all = self.all().await;
        for state in [BuildState::Waiting, BuildState::Running] {
            assert!(all.iter().filter(|build| build.state == state).count() <= 1, "{state}");
        }
        for wish in &self.wishes {
            self.check_wish(wish, &all);
        }
    }

    /// The build that answers a wish still waits, or was started after the wish, or a person called it off.
    fn check_wish(&self, wish: &Wish, all: &[Build]) {
        let build = all.iter().find(|build| build.id == wish.build).unwrap();
        match build.state {
            BuildState::Waiting => {
                assert!(build.requested_at <= wish.at);
                assert!(!wish.full || build.mode == BuildMode::Full);
            }
            BuildState::Running | BuildState::Succeeded | BuildState::Failed => {
                assert!(self.starts_of(build.id) > wish.starts_before);
            }
            BuildState::Cancelled => {}
            BuildState::Superseded => panic!("the wishes of a superseded build were handed on"),
        }
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn no_order_of_events_breaks_the_queue_or_forgets_a_wish(database: DatabaseKind, steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let scenario = Scenario::on(database).await;
        let mut model = Model { scenario, leases: Vec::new(), wishes: Vec::new(), starts: Vec::new() };
        for step in steps {
            model.take(step).await;
            model.check().await;
        }
    });
}

mod sqlite {
    use super::*;

    proptest! {
        #![proptest_config(cases(60))]

        #[test]
        fn no_order_of_events_breaks_the_queue_or_forgets_a_wish(steps in prop::collection::vec(step(), 1..40)) {
            super::no_order_of_events_breaks_the_queue_or_forgets_a_wish(DatabaseKind::Sqlite, &steps);
        }
    }
}

mod postgres {
    use super::*;

    proptest! {
        #![proptest_config(cases(15))]

        #[test]
        fn no_order_of_events_breaks_the_queue_or_forgets_a_wish(steps in prop::collection::vec(step(), 1..40)) {
            super::no_order_of_events_breaks_the_queue_or_forgets_a_wish(DatabaseKind::Postgres, &steps);
        }
    }
}
