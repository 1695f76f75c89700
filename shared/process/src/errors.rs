//! Errors that people should know of, on their way into the database: gathered in memory, stored together once a second.
//!
//! A storm of errors is no storm of statements, and an error is never held up by a database that may be its cause. While
//! the database is away, what was gathered stays, up to a bound; a process that is killed loses what the last second
//! brought. All of it is in the log as well.

use std::collections::BTreeMap;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use microblog_domain::Clock;
use microblog_store::errors::{self, Occurrences};
use microblog_store::{Store, StoreError, in_time};
use microblog_telemetry::Trouble;
use microblog_telemetry::logs::current_request_id;
use microblog_telemetry::redact::hide_secrets;
use tokio::time::MissedTickBehavior;

/// How often what was gathered is stored.
const STORE_EVERY: Duration = Duration::from_secs(1);
/// Routes, kinds of errors and places in the source are few; this bounds what nobody foresaw.
const MOST_GROUPS: usize = 500;
/// A list is no place for a whole backtrace.
const MOST_BYTES: usize = 1_000;

/// Something that went wrong.
#[derive(Debug, Clone, Copy)]
pub struct ErrorReport<'r> {
    /// What kind of error, as a word out of a known list.
    pub code: &'r str,
    /// Where: a route, a place in the source, a post.
    pub place: &'r str,
    /// What happened, for people. Secrets are hidden.
    pub message: &'r str,
    /// The request that met it.
    pub request_id: Option<&'r str>,
}

/// Takes reports. Clones take them to the same place.
#[derive(Debug, Clone, Default)]
pub struct ErrorReports(Arc<Mutex<Gathered>>);

/// What was reported and is not stored yet.
#[derive(Debug, Default)]
struct Gathered {
    groups: Groups,
    /// Reports for which there was no room.
    left_out: u64,
}

/// By code and place.
type Groups = BTreeMap<(String, String), Group>;

#[derive(Debug)]
struct Group {
    message: String,
    count: u64,
    first: Instant,
    last: Instant,
    request_id: Option<String>,
}

impl ErrorReports {
    /// Takes a report, without waiting for anybody.
    pub fn report(&self, report: ErrorReport<'_>) {
        self.gathered().add(report);
    }

    /// From now on panics are reported, too.
    pub(crate) fn hear_of_panics(&self) {
        let (reports, others) = (self.clone(), std::panic::take_hook());
        std::panic::set_hook(Box::new(move |panic| {
            others(panic);
            reports.report_panic(panic);
        }));
    }

    /// Whoever panics may be at it with what was gathered.
    fn report_panic(&self, panic: &PanicHookInfo<'_>) {
        let mut gathered = match self.0.try_lock() {
            Ok(gathered) => gathered,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("without a message");
        let request_id = current_request_id();
        gathered.add(ErrorReport { code: "panic", place: &place, message, request_id: request_id.as_deref() });
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what was gathered; it is put back unless it is stored.
    fn take(&self) -> Option<Taken<'_>> {
        let Gathered { groups, left_out } = std::mem::take(&mut *self.gathered());
        if left_out > 0 {
            tracing::warn!(left_out, "more kinds of errors than there is room for: the log has them, the list has not");
        }
        (!groups.is_empty()).then(|| Taken { from: self, groups })
    }

    /// Stores what was gathered.
    async fn store(&self, store: &Store, clock: &dyn Clock) -> Result<(), StoreError> {
        let Some(taken) = self.take() else { return Ok(()) };
        let mut tx = store.begin_forgettable().await?;
        errors::record(&mut tx, taken.occurrences(clock)).await?;
        tx.commit().await?;
        taken.forget();
        Ok(())
    }
}

impl Gathered {
    fn add(&mut self, report: ErrorReport<'_>) {
        let now = Instant::now();
        let group = Group {
            message: shown(report.message),
            count: 1,
            first: now,
            last: now,
            request_id: report.request_id.map(str::to_owned),
        };
        self.join((report.code.to_owned(), shown(report.place)), group);
    }

    fn join(&mut self, key: (String, String), group: Group) {
        if let Some(known) = self.groups.get_mut(&key) {
            known.join(group);
        } else if self.groups.len() < MOST_GROUPS {
            self.groups.insert(key, group);
        } else {
            self.left_out += group.count;
        }
    }
}

impl Group {
    /// Takes in what happened before or after.
    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        if other.last >= self.last {
            self.last = other.last;
            self.message = other.message;
            self.request_id = other.request_id.or(self.request_id.take());
        }
    }
}

/// As much of a text as a list shows, without secrets, and without what databases do not take.
fn shown(text: &str) -> String {
    // Of a secret that is cut off, one can not tell any more that it is one.
    let hidden = hide_secrets(text);
    hidden[..hidden.floor_char_boundary(MOST_BYTES)].replace('\0', "\u{fffd}")
}

/// What was taken out to be stored. Dropped before it is, by an error or because the task ended, it goes back.
struct Taken<'r> {
    from: &'r ErrorReports,
    groups: Groups,
}

impl Taken<'_> {
    fn occurrences(&self, clock: &dyn Clock) -> Vec<Occurrences> {
        let (now, instant) = (clock.now(), Instant::now());
        let at = |then: Instant| now.checked_sub(instant.saturating_duration_since(then)).unwrap_or(now);
        let occurrences = |((code, place), group): (&(String, String), &Group)| Occurrences {
            code: code.clone(),
            place: place.clone(),
            message: group.message.clone(),
            count: group.count,
            first_at: at(group.first),
            last_at: at(group.last),
            request_id: group.request_id.clone(),
        };
        self.groups.iter().map(occurrences).collect()
    }

    fn forget(mut self) {
        self.groups.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut gathered = self.from.gathered();
        for (key, group) in std::mem::take(&mut self.groups) {
            gathered.join(key, group);
        }
    }
}

/// Stores what is reported.
#[derive(Debug, Clone)]
pub struct ErrorKeeper {
    reports: ErrorReports,
    store: Store,
    clock: Arc<dyn Clock>,
}

impl ErrorKeeper {
    /// Stores in this database, by the clock that all go by who use it.
    #[must_use]
    pub fn new(reports: ErrorReports, store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { reports, store, clock }
    }

    /// Stores what was reported up to now.
    ///
    /// # Errors
    /// When the database fails; nothing is lost by that, and what it kept without saying so is counted twice.
    pub async fn store_now(&self) -> Result<(), StoreError> {
        in_time(self.reports.store(&self.store, self.clock.as_ref())).await
    }

    /// Stores what is reported, for the life of the process.
    pub(crate) async fn run(self) {
        let mut trouble = Trouble::default();
        let mut ticks = tokio::time::interval(STORE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.store_now().await {
                Ok(()) if trouble.is_over() => tracing::info!("errors can be stored again"),
                Ok(()) => {}
                Err(error) if trouble.is_news(&error) => {
                    tracing::warn!(%error, "errors can not be stored; they are kept in memory until they can");
                }
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use microblog_store::errors::ErrorGroup;
    use microblog_testkit::{TestClock, TestDatabase};

    use super::*;

    fn keeper(database: &TestDatabase) -> (ErrorReports, ErrorKeeper) {
        let reports = ErrorReports::default();
        let keeper = ErrorKeeper::new(reports.clone(), database.store().clone(), Arc::new(TestClock::new()));
        (reports, keeper)
    }

    fn report<'r>(place: &'r str, message: &'r str, request_id: Option<&'r str>) -> ErrorReport<'r> {
        ErrorReport { code: "internal", place, message, request_id }
    }

    async fn stored(database: &TestDatabase) -> Vec<ErrorGroup> {
        errors::list(&mut database.store().read().await.unwrap(), None, None, 1_000).await.unwrap()
    }

    #[tokio::test]
    async fn a_storm_of_one_error_is_one_row() {
        let database = TestDatabase::new().await;
        let (reports, keeper) = keeper(&database);
        for number in 0..10_000 {
            reports.report(report("GET /a", &format!("number {number}"), Some("r-1")));
        }
        reports.report(report("GET /a", "the last one", None));
        keeper.store_now().await.unwrap();
        let groups = stored(&database).await;
        let group = &groups[0];
        assert_eq!((groups.len(), group.count, group.message.as_str()), (1, 10_001, "the last one"));
        assert_eq!(group.request_id.as_deref(), Some("r-1"));
        keeper.store_now().await.unwrap();
        assert_eq!(stored(&database).await[0].count, 10_001, "nothing is stored twice");
    }

    #[tokio::test]
    async fn what_can_not_be_stored_stays_and_what_stays_is_bounded() {
        let database = TestDatabase::new().await;
        let (reports, keeper) = keeper(&database);
        let away = TestDatabase::new().await;
        away.store().close().await;
        let without = ErrorKeeper { store: away.store().clone(), ..keeper.clone() };
        reports.report(report("GET /a", "first", None));
        without.store_now().await.unwrap_err();
        for place in 0..MOST_GROUPS + 100 {
            reports.report(report(&format!("GET /{place}"), "x", None));
        }
        reports.report(report("GET /a", "second", None));
        without.store_now().await.unwrap_err();
        keeper.store_now().await.unwrap();
        let groups = stored(&database).await;
        assert_eq!(groups.len(), MOST_GROUPS);
        let first = groups.iter().find(|group| group.place == "GET /a").unwrap();
        assert_eq!((first.count, first.message.as_str()), (2, "second"));
    }

    #[tokio::test]
    async fn secrets_are_hidden_and_long_or_broken_texts_are_stored_all_the_same() {
        let database = TestDatabase::new().await;
        let (reports, keeper) = keeper(&database);
        let message = format!("postgres://blog:hunter2@db refuses\0{}", "ä".repeat(10_000));
        reports.report(report("GET /a", &message, None));
        keeper.store_now().await.unwrap();
        let message = &stored(&database).await[0].message;
        assert!(message.starts_with("postgres://blog:[redacted]@db refuses\u{fffd}ä"), "{message}");
        assert!(message.len() <= MOST_BYTES + 2);
    }

    #[test]
    fn a_secret_that_stands_where_a_text_is_cut_off_is_hidden_too() {
        for before in 0..MOST_BYTES {
            let text = format!("{}postgres://blog:hunter2@db", " ".repeat(before));
            assert!(!shown(&text).contains(":h"), "{before}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_reported_with_its_place() {
        let database = TestDatabase::new().await;
        let (reports, keeper) = keeper(&database);
        reports.hear_of_panics();
        let crash = std::thread::spawn(|| panic!("a mistake"));
        crash.join().unwrap_err();
        keeper.store_now().await.unwrap();
        let groups = stored(&database).await;
        let panic = groups.iter().find(|group| group.message == "a mistake").unwrap();
        assert!(panic.code == "panic" && panic.place.starts_with("shared/process/src/errors.rs:"), "{panic:?}");
    }
}
