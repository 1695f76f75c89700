//! The threads that do what nobody waits for, such as compressing: they give way to everything else and hold no lock.
//! Nobody has to wait for them to end: when told to stop, what they still bring is not wanted any more.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::disk;
use crate::entry::ObjectName;
use crate::error::Result;
use crate::sibling;
use crate::tree::GoOn;

/// How soon it is noticed that the work is to stop.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A tenth of what others get when all want the processor: with the least that there is, a busy machine would never come
/// to it.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// A file to be compressed.
#[derive(Debug)]
pub(crate) struct Job {
    /// The path of the site.
    pub(crate) path: String,
    /// Where its bytes are.
    pub(crate) object: ObjectName,
    /// The same, on the file system.
    pub(crate) place: PathBuf,
}

/// A sibling that was made, not on disk yet.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) path: String,
    pub(crate) object: ObjectName,
    pub(crate) bytes: Vec<u8>,
    /// The second that the file carries as its time: its sibling carries the same.
    pub(crate) stamp: i64,
}

#[derive(Debug)]
struct Work {
    jobs: Vec<Job>,
    next: AtomicUsize,
    stop: AtomicBool,
}

/// Compresses files; nothing if `go_on` said no before all were done.
pub(crate) fn compress(jobs: Vec<Job>, go_on: GoOn<'_>) -> Result<Option<Vec<Made>>> {
    let threads = thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)).min(jobs.len());
    let work = Arc::new(Work { jobs, next: AtomicUsize::new(0), stop: AtomicBool::new(false) });
    let (sender, results) = mpsc::channel();
    for _ in 0..threads {
        let (work, sender) = (Arc::clone(&work), sender.clone());
        start(move || labour(&work, &sender))?;
    }
    drop(sender);
    let made = all(&results, go_on);
    work.stop.store(true, Ordering::Relaxed);
    Ok(made?.map(|made| made.into_iter().flatten().collect()))
}

/// Does some work on a thread of its own; nothing if `go_on` said no before it was done. What it brings then is dropped
/// there, some time later.
pub(crate) fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
    go_on: GoOn<'_>,
) -> Result<Option<T>> {
    if !go_on() {
        return Ok(None);
    }
    let (sender, results) = mpsc::channel();
    start(move || drop(sender.send(work())))?;
    Ok(all(&results, go_on)?.and_then(|mut results| results.pop()))
}

fn start(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let labour = || {
        give_way();
        work();
    };
    let thread = thread::Builder::new().name("releases".to_owned()).spawn(labour);
    thread.map(drop).map_err(|error| disk::outside("start a thread for", Path::new("the release store"), &error))
}

/// Everything that the threads bring until they end; nothing if `go_on` says no before.
fn all<T>(results: &Receiver<Result<T>>, go_on: GoOn<'_>) -> Result<Option<Vec<T>>> {
    let mut brought = Vec::new();
    while go_on() {
        match results.recv_timeout(LOOK_AGAIN) {
            Ok(result) => brought.push(result?),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(Some(brought)),
        }
    }
    Ok(None)
}

fn labour(work: &Work, results: &Sender<Result<Option<Made>>>) {
    while !work.stop.load(Ordering::Relaxed)
        && let Some(job) = work.jobs.get(work.next.fetch_add(1, Ordering::Relaxed))
    {
        let result = compress_file(job).map_err(|error| disk::outside("compress", &job.place, &error));
        if results.send(result).is_err() {
            return;
        }
    }
}

/// On Linux a thread has a priority of its own; elsewhere it would be that of the whole program.
fn give_way() {
    #[cfg(target_os = "linux")]
    // Whoever may not lower it compresses all the same.
    let _ = rustix::process::setpriority_process(None, NICE);
}

/// Nothing if the file is gone meanwhile, or would not become smaller.
fn compress_file(job: &Job) -> io::Result<Option<Made>> {
    let bytes = match std::fs::read(&job.place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let stamp = std::fs::metadata(&job.place)?.mtime();
    let made = |bytes| Made { path: job.path.clone(), object: job.object, bytes, stamp };
    Ok(sibling::compress(&bytes)?.map(made))
}
