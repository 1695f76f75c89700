//! Makes the smaller variants of uploaded pictures, behind the builds: a publish never waits for it.
//!
//! Owns how a picture is worked on: claimed in the database, made on a thread of low priority, its variants kept in the
//! folder of uploads, and only then told to the database, which asks for the build that shows them. Killed at any moment,
//! it leaves at most files that the next attempt writes again. Leaves the making to [`microblog_images`], and whose turn
//! it is to [`microblog_store::images`].
//!
//! Start reading at [`ImageMaker::work_once`].

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use microblog_domain::media::ImageVariant;
use microblog_domain::{Clock, ContentHash};
use microblog_images::{EDITION, ImageError, Memory, make_variants};
use microblog_queue::Waker;
use microblog_store::images::{self, ClaimedImage, ImageWorker, MadeVariants};
use microblog_store::{MediaFolder, Origin, Store, StoreError, in_time};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::metrics::{self, ImageOutcome};

/// How long a picture is one maker's. The largest takes some seconds.
const LEASE: Duration = Duration::from_secs(600);
/// How long to rest when there was nothing to do.
const REST: Duration = Duration::from_secs(1);
/// How long to leave a picture alone that could not be read or written.
const PASSING: Duration = Duration::from_secs(300);
/// Pictures in work at once. What they take together is bounded by [`Memory`].
const MOST_AT_ONCE: usize = 2;
/// Added to the niceness of the threads: readers, authors and builds go first.
const NICENESS: i32 = 5;

/// Makes variants of pictures.
#[derive(Debug, Clone)]
pub struct ImageMaker {
    name: String,
    store: Store,
    clock: Arc<dyn Clock>,
    media: MediaFolder,
    memory: Arc<Memory>,
    /// Woken when a build was asked for.
    relay: Waker,
}

/// Why a picture has no variants now.
#[derive(Debug)]
enum Failure {
    /// It never will.
    Lasting(String),
    /// The disk; it is tried again.
    Passing(io::Error),
    /// The process ends.
    Stopped,
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Stopped => Self::Stopped,
            error => Self::Lasting(error.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Passing(error)
    }
}

impl ImageMaker {
    /// A maker of this name, which its process has for itself.
    #[must_use]
    pub fn new(name: String, store: Store, clock: Arc<dyn Clock>, media: MediaFolder, relay: Waker) -> Self {
        Self { name, store, clock, media, memory: Arc::default(), relay }
    }

    /// Works until `stop` becomes true, on half of the processor at most.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut makers = JoinSet::new();
        for _ in 0..(cores / 2).clamp(1, MOST_AT_ONCE) {
            makers.spawn(self.clone().work_on(stop.clone()));
        }
        while makers.join_next().await.is_some() {}
    }

    async fn work_on(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.work_once(&mut stop).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "no picture could be worked on; trying again"),
            }
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Makes the variants of the picture that is due, if any. Tells whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn work_once(&self, stop: &mut watch::Receiver<bool>) -> Result<bool, StoreError> {
        let Some(claimed) = in_time(self.claim()).await? else { return Ok(false) };
        let made = self.make(claimed.hash, stop).await;
        in_time(self.settle(&claimed, made)).await?;
        Ok(true)
    }

    async fn claim(&self) -> Result<Option<ClaimedImage>, StoreError> {
        let origin = self.origin();
        let mut reader = self.store.read().await?;
        if !images::is_any_due(&mut reader, origin.at).await? {
            return Ok(None);
        }
        drop(reader);
        let mut tx = self.store.begin().await?;
        let worker = ImageWorker { name: &self.name, edition: EDITION };
        let claimed = images::claim(&mut tx, worker, LEASE, &origin).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Works on a thread of its own, whose priority nobody else gets.
    async fn make(&self, hash: ContentHash, stop: &mut watch::Receiver<bool>) -> Result<MadeVariants, Failure> {
        let may_go_on = Arc::new(AtomicBool::new(true));
        let (folder, memory, go_on) = (self.media.clone(), Arc::clone(&self.memory), Arc::clone(&may_go_on));
        let (tell, mut told) = oneshot::channel();
        std::thread::Builder::new().name("images".to_owned()).spawn(move || {
            yield_to_others();
            let made = make_and_keep(&folder, &hash, &memory, &|| go_on.load(Ordering::Relaxed));
            // Nobody listens any more when the process ends.
            let _ = tell.send(made);
        })?;
        let stopped = async { stop.wait_for(|stop| *stop).await.map(drop) };
        let done = tokio::select! {
            done = &mut told => done,
            _ = stopped => {
                may_go_on.store(false, Ordering::Relaxed);
                told.await
            }
        };
        let crash = "making smaller pictures of this one crashed, which is a mistake in Microblog";
        done.unwrap_or_else(|_| Err(Failure::Lasting(crash.to_owned())))
    }

    async fn settle(&self, claimed: &ClaimedImage, made: Result<MadeVariants, Failure>) -> Result<(), StoreError> {
        let origin = self.origin();
        let mut tx = self.store.begin().await?;
        let outcome = match made {
            Ok(made) => {
                images::keep(&mut tx, claimed, &made, &origin).await?;
                tracing::info!(image = %claimed.hash, variants = made.variants.len(), "smaller pictures were made");
                Some(ImageOutcome::Made)
            }
            Err(Failure::Lasting(reason)) => {
                images::set_aside(&mut tx, claimed, &reason, &origin).await?;
                tracing::warn!(image = %claimed.hash, reason, "a picture has no smaller ones");
                Some(ImageOutcome::SetAside)
            }
            Err(Failure::Passing(error)) => {
                let again = origin.at.checked_add(PASSING).unwrap_or(origin.at);
                images::give_back(&mut tx, claimed, again).await?;
                tracing::warn!(image = %claimed.hash, %error, "a picture could not be read, or smaller ones not be kept; trying again in some minutes");
                None
            }
            Err(Failure::Stopped) => {
                images::give_back(&mut tx, claimed, origin.at).await?;
                None
            }
        };
        tx.commit().await?;
        outcome.into_iter().for_each(metrics::image_ended);
        self.relay.wake();
        Ok(())
    }

    fn origin(&self) -> Origin {
        Origin::system(self.clock.now())
    }
}

/// A thread that can not be made less important works all the same.
fn yield_to_others() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "smaller pictures are made at the usual priority");
    }
}

/// Makes all variants and gives them their places in the folder.
fn make_and_keep(
    folder: &MediaFolder,
    hash: &ContentHash,
    memory: &Memory,
    go_on: &dyn Fn() -> bool,
) -> Result<MadeVariants, Failure> {
    let original = std::fs::read(folder.file(hash))?;
    let made = make_variants(&original, memory, go_on)?;
    let mut variants = Vec::with_capacity(made.variants.len());
    for variant in made.variants {
        let mut incoming = folder.receive()?;
        incoming.write(&variant.webp)?;
        let (hash, size) = (incoming.hash(), incoming.size());
        folder.keep(incoming)?;
        variants.push(ImageVariant { width: variant.width, height: variant.height, hash, size });
    }
    Ok(MadeVariants { dimensions: (made.width, made.height), variants })
}
