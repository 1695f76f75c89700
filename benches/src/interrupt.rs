//! Ctrl+C: it ends the measuring, not the cleaning up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use anyhow::{Context as _, bail};
use signal_hook::consts::{SIGINT, SIGTERM};

static ASKED_TO_STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Takes note of signals from now on, in place of dying from them with children and folders left behind.
pub(crate) fn listen() -> anyhow::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&ASKED_TO_STOP)).context("listening for signals")?;
    }
    Ok(())
}

/// Fails once somebody wants it all to stop. Whatever waits asks this now and then.
pub(crate) fn check() -> anyhow::Result<()> {
    if ASKED_TO_STOP.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Does nothing for a while.
pub(crate) fn pause(time: Duration) -> anyhow::Result<()> {
    std::thread::sleep(time);
    check()
}
