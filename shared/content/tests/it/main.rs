//! Content folders, read from real disks: those of other programs, hostile ones, and real posts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the lint knows tests, but not their helpers")]

mod corpus;
mod hostile;
mod programs;

use std::path::Path;

use jiff::tz::TimeZone;
use microblog_content::{ContentFolder, FilePost, FileProblem, Reading};

fn reading() -> Reading {
    Reading { zone: TimeZone::UTC, now: "2026-01-01T00:00:00Z".parse().unwrap() }
}

fn read(folder: &ContentFolder) -> Vec<Result<FilePost, FileProblem>> {
    folder.read_posts(&reading(), |post| post)
}

/// Opens a folder that is expected to open.
fn open(path: &Path) -> ContentFolder {
    ContentFolder::open(path).unwrap_or_else(|error| panic!("{error}"))
}
