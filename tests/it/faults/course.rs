//! What writers, readers and faults know of each other while a run lasts.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take before it counts as never; generous, since test machines are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The state of a run.
pub(crate) struct Course {
    no_more_edits: AtomicBool,
    over: AtomicBool,
    /// Writers are to ask for nothing for a while.
    silence: AtomicBool,
    /// How many of them do so.
    silent: AtomicUsize,
    /// Odd while something is disturbed.
    disturbances: AtomicU64,
    /// For each client the number of its newest text that was acknowledged.
    acknowledged: Vec<AtomicU64>,
    /// For each client the highest number that a reader saw.
    seen: Vec<AtomicU64>,
}

impl Course {
    /// The beginning of a run with so many clients.
    pub(crate) fn new(clients: usize) -> Self {
        let zeros = || (0..clients).map(|_| AtomicU64::new(0)).collect();
        let no = || AtomicBool::new(false);
        let (no_more_edits, over, silence, silent) = (no(), no(), no(), AtomicUsize::new(0));
        let (disturbances, acknowledged, seen) = (AtomicU64::new(0), zeros(), zeros());
        Self { no_more_edits, over, silence, silent, disturbances, acknowledged, seen }
    }

    /// Whether everybody is to stop.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Whether there are to be no more edits.
    pub(crate) fn is_written(&self) -> bool {
        self.no_more_edits.load(Ordering::SeqCst)
    }

    /// Tells writers to stop.
    pub(crate) fn stop_writing(&self) {
        self.no_more_edits.store(true, Ordering::SeqCst);
    }

    /// Tells everybody to stop.
    pub(crate) fn end(&self) {
        self.stop_writing();
        self.over.store(true, Ordering::SeqCst);
    }

    /// Has all writers ask for nothing, not even again, until what is given back is dropped.
    pub(crate) fn silence(&self) -> Silence<'_> {
        self.silence.store(true, Ordering::SeqCst);
        let (silence, since) = (Silence(self), Instant::now());
        while self.silent.load(Ordering::SeqCst) < self.acknowledged.len() && !self.is_over() {
            assert!(since.elapsed() < PATIENCE, "writers do not become silent");
            std::thread::sleep(Duration::from_millis(5));
        }
        silence
    }

    /// For a writer that is about to ask for something: waits until it may.
    pub(crate) fn wait_for_the_end_of_silence(&self) {
        let is_silence = || self.silence.load(Ordering::SeqCst) && !self.is_over();
        if is_silence() {
            self.silent.fetch_add(1, Ordering::SeqCst);
            while is_silence() {
                std::thread::sleep(Duration::from_millis(5));
            }
            self.silent.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Ends the run if the thread that holds this panics: the others would go on for ever.
    pub(crate) fn end_on_panic(&self) -> EndOnPanic<'_> {
        EndOnPanic(self)
    }

    /// Runs something that disturbs, up to the moment at which nothing is disturbed any more.
    pub(crate) fn disturbed<T>(&self, during: impl FnOnce() -> T) -> T {
        self.disturbances.fetch_add(1, Ordering::SeqCst);
        let result = during();
        self.disturbances.fetch_add(1, Ordering::SeqCst);
        result
    }

    /// A mark that [`Self::was_calm_since`] takes.
    pub(crate) fn mark(&self) -> u64 {
        self.disturbances.load(Ordering::SeqCst)
    }

    /// Whether nothing was disturbed since the mark was made.
    pub(crate) fn was_calm_since(&self, mark: u64) -> bool {
        mark.is_multiple_of(2) && self.mark() == mark
    }

    /// The service said that it keeps this text.
    pub(crate) fn acknowledge(&self, client: usize, number: u64) {
        self.acknowledged[client].store(number, Ordering::SeqCst);
    }

    /// A reader saw this text.
    pub(crate) fn see(&self, client: usize, number: u64) {
        self.seen[client].fetch_max(number, Ordering::SeqCst);
    }

    /// The number of the newest text of each client that was acknowledged.
    pub(crate) fn acknowledged(&self) -> Vec<u64> {
        self.acknowledged.iter().map(|number| number.load(Ordering::SeqCst)).collect()
    }

    /// Waits until readers saw these numbers, or later ones, or the run is over. Tells how long that took.
    ///
    /// # Panics
    /// When they never do; `state` says how things are then.
    pub(crate) fn wait_until_seen(&self, wanted: &[u64], state: impl Fn() -> String) -> Duration {
        let since = Instant::now();
        loop {
            let seen: Vec<u64> = self.seen.iter().map(|number| number.load(Ordering::SeqCst)).collect();
            if self.is_over() || seen.iter().zip(wanted).all(|(seen, wanted)| seen >= wanted) {
                return since.elapsed();
            }
            let waited = since.elapsed();
            assert!(waited < PATIENCE, "{wanted:?} were acknowledged, readers have {seen:?}\n{}", state());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// While it lives, no writer asks for anything.
pub(crate) struct Silence<'a>(&'a Course);

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        self.0.silence.store(false, Ordering::SeqCst);
    }
}

/// Ends the run when it is dropped by a panic.
pub(crate) struct EndOnPanic<'a>(&'a Course);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}
