//! Measures the release store: `measure_release FOLDER POSTS dated|flat [EDITS]` in a folder that it may fill and does not empty.
//!
//! Prints the first population, the settling of the other trees, one-post publishes of twenty files each, and going back.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use microblog_domain::{FilePath, Fingerprint, ReleaseId};
use microblog_release::{Activated, Checks, Committed, Options, Page, ReleaseStore};
use rayon::prelude::*;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, posts, layout, rest @ ..] = arguments.as_slice() else {
        return Err("usage: measure_release FOLDER POSTS dated|flat [EDITS]".into());
    };
    let site = Site { posts: posts.parse()?, is_flat: layout == "flat" };
    let edits = rest.first().map_or(Ok(50), |edits| edits.parse())?;
    measure(&PathBuf::from(folder), &site, edits)
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn measure(folder: &std::path::Path, site: &Site, edits: u64) -> Result<(), Failure> {
    let open = Instant::now();
    let mut store = ReleaseStore::open(folder, Options { keep: 20, ..Options::default() })?;
    println!("open                {:>10.1?}", open.elapsed());
    if store.live().is_none() {
        let (write, verify, activated) = publish(&mut store, (0..site.files()).into_par_iter().collect(), site, 0)?;
        println!("first: write        {write:>10.1?}  ({} files)", site.files());
        println!("first: verify       {verify:>10.1?}");
        println!("first: activate     {:?}", activated.timings);
        println!("edits meanwhile:");
        print_steps(&edits_while_tidying(&mut store, site)?);
        let settle = Instant::now();
        store.tidy(&|| true)?;
        println!("first: other trees  {:>10.1?}", settle.elapsed());
    }
    let mut steps = Vec::new();
    // Edits of an earlier run must not be made again.
    let first = store.live().map_or(1, |live| live.id.0);
    for edit in first..first + edits {
        store.tidy(&|| true)?;
        // Authors seldom save twice within the grace; who does waits for the rest of it.
        std::thread::sleep(Duration::from_millis(300));
        steps.push(edit_once(&mut store, site, edit)?);
    }
    print_steps(&steps);
    for back in [1, 10] {
        let live = store.live().map_or(0, |live| live.id.0);
        let start = Instant::now();
        let Committed::Activated(activated) = store.roll_back(ReleaseId(live - back))? else { continue };
        println!(
            "back {back:>2}: {:>9.2?} less the wait of {:.2?}",
            start.elapsed() - activated.timings.wait,
            activated.timings.wait
        );
    }
    let open = Instant::now();
    drop(ReleaseStore::open(folder, Options::default())?);
    println!("open again          {:>10.2?}", open.elapsed());
    Ok(())
}

/// How long each step of an edit took; the first is the release step, from the first object to flipped and durable.
type Steps = [Duration; 9];

fn edit_once(store: &mut ReleaseStore, site: &Site, edit: u64) -> Result<Steps, Failure> {
    let (write, verify, activated) = publish(store, site.touched_by(edit), site, edit)?;
    let t = activated.timings;
    let step = write + verify + t.apply + t.sync + t.flip;
    Ok([step, write, verify, t.wait, t.apply, t.sync, t.flip, t.tidy, step + t.wait])
}

/// Edits while the other trees are still brought up after the first release. The last column is what an author waits for:
/// from the hint that breaks the tidying off to live.
fn edits_while_tidying(store: &mut ReleaseStore, site: &Site) -> Result<Vec<Steps>, Failure> {
    let mut steps = Vec::new();
    for edit in 0..20 {
        let may_go_on = AtomicBool::new(true);
        let hint = std::thread::scope(|threads| {
            let tidying = threads.spawn(|| store.tidy(&|| may_go_on.load(Ordering::Relaxed)));
            std::thread::sleep(Duration::from_millis(300 + edit * 7));
            may_go_on.store(false, Ordering::Relaxed);
            let hint = Instant::now();
            tidying.join().map_err(|_| "the tidying crashed")??;
            Ok::<_, Failure>(hint)
        })?;
        let mut taken = edit_once(store, site, 1_000_000 + edit)?;
        taken[8] = hint.elapsed();
        steps.push(taken);
    }
    Ok(steps)
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn print_steps(steps: &[Steps]) {
    let names = ["step", "write", "verify", "(wait)", "apply", "sync", "flip", "(tidy)", "all"];
    for (index, name) in names.iter().enumerate() {
        let mut times: Vec<Duration> = steps.iter().map(|step| step[index]).collect();
        times.sort_unstable();
        let (median, p99, most) = (times[times.len() / 2], times[times.len() * 99 / 100], times[times.len() - 1]);
        println!("edit: {name:<8} median {median:>9.2?}  p99 {p99:>9.2?}  slowest {most:>9.2?}");
    }
}

/// Publishes some files of the site, as they are in this edit.
fn publish(
    store: &mut ReleaseStore,
    files: Vec<u64>,
    site: &Site,
    edit: u64,
) -> Result<(Duration, Duration, Activated), Failure> {
    let draft = store.draft(Checks::new("https://example.org".parse()?))?;
    let start = Instant::now();
    files.into_par_iter().try_for_each(|file| {
        let text = site.text(file, edit);
        let page =
            Page { bytes: text.as_bytes(), fingerprint: Fingerprint::of(&edit.to_le_bytes()), author_links: &[] };
        draft.put(&site.path(file), page).map(drop)
    })?;
    let write = start.elapsed();
    let start = Instant::now();
    let verified = draft.verify()?;
    let verify = start.elapsed();
    match verified.commit()? {
        Committed::Activated(activated) => Ok((write, verify, activated)),
        Committed::Unchanged(_) => Err("nothing changed".into()),
    }
}

/// A site of so many posts, and about a third as many lists.
struct Site {
    posts: u64,
    is_flat: bool,
}

impl Site {
    fn files(&self) -> u64 {
        self.posts + self.posts * 32 / 100
    }

    fn path(&self, file: u64) -> FilePath {
        let path = if file >= self.posts {
            format!("tags/tag-{}/page/{}/index.html", file % 400, file / 400)
        } else if self.is_flat {
            format!("a-post-with-a-title-{file}/index.html")
        } else {
            format!("{}/{:02}/a-post-with-a-title-{file}/index.html", 2000 + file % 25, 1 + file / 25 % 12)
        };
        #[expect(clippy::unwrap_used, reason = "the paths above are valid")]
        path.parse().unwrap()
    }

    /// A post, its neighbours, and the lists that it is in.
    fn touched_by(&self, edit: u64) -> Vec<u64> {
        let post = edit * 7_919 % (self.posts - 3);
        (post..post + 3).chain((0..17).map(|n| self.posts + (edit + n * 131) % (self.files() - self.posts))).collect()
    }

    fn text(&self, file: u64, edit: u64) -> String {
        let link = |n: u64| format!("<a href=\"/{}\">next</a>", self.path((file + n) % self.files()));
        let links: String = (0..20).map(link).collect();
        format!("<!doctype html><p>{file} in edit {edit}</p>{links}{}</html>", "<p>words</p> ".repeat(200))
    }
}
