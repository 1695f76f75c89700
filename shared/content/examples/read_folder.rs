//! Reads a folder and prints what is in it, what is wrong with it, and how long that took:
//! `cargo run --release -p microblog-content --example read_folder -- DIR`

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use jiff::tz::TimeZone;
use microblog_content::{ContentFolder, OpenError, Reading};
use microblog_domain::{Clock, SystemClock};

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn main() -> Result<(), OpenError> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let started = Instant::now();
    let folder = ContentFolder::open(Path::new(&path))?;
    let opened = started.elapsed();
    let reading = Reading { zone: TimeZone::UTC, now: SystemClock.now() };
    let posts = folder.read_posts(&reading, |post| {
        post.map(|mut post| {
            post.content.markdown = String::new();
            post
        })
    });
    let read = started.elapsed() - opened;

    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for post in posts.iter().flatten() {
        *counts.entry(format!("{} {}", post.status, post.content.kind)).or_default() += 1;
    }
    folder.problems().iter().for_each(|problem| println!("problem  {problem}"));
    posts.iter().filter_map(|post| post.as_ref().err()).for_each(|problem| println!("problem  {problem}"));
    folder.skipped().iter().for_each(|skipped| println!("skipped  {skipped}"));
    println!("{counts:?}, {} other files; names in {opened:?}, posts in {read:?}", folder.static_files().len());
    Ok(())
}
