//! Single edits and new posts on warm workers, at the pace of an author; sites of all sizes take turns, so that what
//! changes on the machine meets them alike.

use std::time::Duration;

use anyhow::Context as _;

use super::author::{Address, Author, Taken};
use super::{Plan, edit_rows};
use crate::child::Usage;
use crate::installation::Filled;
use crate::interrupt;
use crate::report::Row;
use crate::sample::SampleSite;
use crate::say;
use crate::server::Server;

/// Edits that follow each other faster than every 125 ms wait for the grace of the release store, which is a matter of
/// throughput. With several sites each has the time of the others, too.
const BETWEEN_EDITS: Duration = Duration::from_millis(250);
/// How often a worker is asked for a build when nothing has changed.
const CALM_BUILDS: u16 = 5;

/// How many edits are made right after the first release, when the server has other things to do, too.
const EARLY_EDITS: usize = 20;

/// A site that is served.
struct Subject<'a> {
    site: &'a SampleSite,
    filled: &'a Filled,
    server: Server,
    posts: Vec<Address>,
    times: Times,
}

/// What was measured of a site.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Right after the first release; none if that is long past.
    pub(super) early: Vec<Taken>,
    pub(super) edits: Vec<Taken>,
    pub(super) publications: Vec<Taken>,
    /// Seconds that builds took when nothing had changed.
    pub(super) calm: Vec<f64>,
}

/// A site that was served.
pub(super) struct Edited<'a> {
    pub(super) site: &'a SampleSite,
    /// What its import took, unless that is long past.
    pub(super) import: Option<Usage>,
    pub(super) times: Times,
    pub(super) peak_bytes: f64,
}

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let opened = plan.sites.iter().enumerate().map(|(number, site)| Subject::open(plan, number, site));
    let mut subjects = opened.collect::<anyhow::Result<Vec<_>>>()?;
    say("measuring: edits");
    take_turns(plan.effort.edits, &mut subjects, Subject::edit)?;
    say("measuring: new posts");
    take_turns(plan.effort.edits, &mut subjects, Subject::publish)?;
    say("measuring: builds with nothing changed");
    take_turns(CALM_BUILDS, &mut subjects, Subject::build)?;

    let edited = subjects.into_iter().map(Subject::close).collect::<anyhow::Result<Vec<_>>>()?;
    edit_rows::rows(&edited)
}

fn take_turns<'a>(
    times: u16,
    subjects: &mut [Subject<'a>],
    act: fn(&mut Subject<'a>, usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for turn in 0..times {
        for subject in &mut *subjects {
            interrupt::pause(BETWEEN_EDITS)?;
            act(subject, turn.into()).with_context(|| subject.site.title())?;
        }
    }
    Ok(())
}

impl<'a> Subject<'a> {
    /// Starts it, lets its worker read the site, and waits until it has nothing left to do.
    fn open(plan: &'a Plan, number: usize, site: &'a SampleSite) -> anyhow::Result<Self> {
        say(&format!("getting ready to edit: {}", site.title()));
        let filled = plan.filled(number)?;
        let server = filled.installation.start()?;
        server.wait_until_ready()?;
        let author = Author { server: &server, token: &filled.token };
        author.build()?;
        let posts = author.newest_posts(plan.effort.edits)?;
        let early = if filled.import.is_some() { edit_early(&author, &posts)? } else { Vec::new() };
        server.wait_until_idle()?;
        Ok(Self { site, filled, server, posts, times: Times { early, ..Times::default() } })
    }

    fn author(&self) -> Author<'_> {
        Author { server: &self.server, token: &self.filled.token }
    }

    fn edit(&mut self, turn: usize) -> anyhow::Result<()> {
        let taken = self.author().edit_timed(&self.posts[turn % self.posts.len()])?;
        self.times.edits.push(taken);
        Ok(())
    }

    fn publish(&mut self, turn: usize) -> anyhow::Result<()> {
        let (address, taken) = self.author().publish_timed(turn)?;
        self.times.publications.push(taken);
        self.posts.push(address);
        Ok(())
    }

    fn build(&mut self, _: usize) -> anyhow::Result<()> {
        let taken = self.author().build()?;
        self.times.calm.push(taken);
        Ok(())
    }

    /// Leaves the site as large as it was, for the next time, and ends the server.
    fn close(self) -> anyhow::Result<Edited<'a>> {
        let new = self.posts.iter().rev().take(self.times.publications.len());
        new.into_iter().try_for_each(|address| self.author().trash(address))?;
        self.author().build()?;
        let Self { site, filled, server, times, .. } = self;
        let peak_bytes = server.stop()?.peak_bytes as f64;
        Ok(Edited { site, import: filled.import, times, peak_bytes })
    }
}

fn edit_early(author: &Author<'_>, posts: &[Address]) -> anyhow::Result<Vec<Taken>> {
    let edits = posts.iter().cycle().take(EARLY_EDITS).map(|post| {
        interrupt::pause(BETWEEN_EDITS)?;
        author.edit_timed(post)
    });
    edits.collect()
}
