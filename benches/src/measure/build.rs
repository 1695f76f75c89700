//! Full builds side by side: ours, Hugo's and the least that must be done, one after the other, again and again.
//!
//! What changes on the machine in the meantime meets all of them alike. Each writes into a folder that is not there yet,
//! but for the build of which nothing has changed. `build_rows` makes rows of what was measured here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::{Plan, build_rows};
use crate::child::{Child, Usage};
use crate::output::Inventory;
use crate::place::{Medium, Place};
use crate::report::Row;
use crate::sample::SampleSite;
use crate::say;

/// Ten times what the slowest takes for the largest site.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Who builds, and what is special about it. They run in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Build {
    /// Ours, without highlighting.
    Plain,
    /// Hugo's, without highlighting.
    HugoPlain,
    /// The least that must be done.
    Floor,
    /// Ours, with nothing left from earlier builds.
    First,
    /// Hugo's, with highlighting.
    Hugo,
    /// Ours, with what the first one keeps for later ones.
    Second,
    /// Ours, into the same folder again, when nothing has changed.
    Unchanged,
}

impl Build {
    pub(super) const ALL: [Self; 7] =
        [Self::Plain, Self::HugoPlain, Self::Floor, Self::First, Self::Hugo, Self::Second, Self::Unchanged];

    /// Whose output it writes: the last build goes over that of the one before.
    fn folder(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::HugoPlain => "hugo-plain",
            Self::Floor => "floor",
            Self::First => "first",
            Self::Hugo => "hugo",
            Self::Second | Self::Unchanged => "second",
        }
    }
}

/// One site at one place.
pub(super) type CaseKey = (usize, Medium);

/// What was measured of one site at one place.
#[derive(Debug, Default)]
pub(super) struct Case {
    usages: BTreeMap<Build, Vec<Usage>>,
    pub(super) inventories: BTreeMap<Build, Inventory>,
}

impl Case {
    /// One value of each run; none if that builder is not there.
    pub(super) fn samples(&self, build: Build, value: fn(&Usage) -> f64) -> Vec<f64> {
        self.usages.get(&build).map(|usages| usages.iter().map(value).collect()).unwrap_or_default()
    }
}

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let mut cases = BTreeMap::<CaseKey, Case>::new();
    let most_runs = plan.sites.iter().map(|site| plan.runs_of(site)).max().unwrap_or(0);
    for run in 0..most_runs {
        for (number, site) in plan.sites.iter().enumerate().filter(|(_, site)| run < plan.runs_of(site)) {
            for place in plan.places() {
                say(&format!("building: {}, {}, run {}", site.title(), place.medium.name(), run + 1));
                let case = cases.entry((number, place.medium)).or_default();
                Round::begin(plan, site, place)?.run(case).with_context(|| site.title())?;
            }
        }
    }
    build_rows::rows(&plan.sites, &cases)
}

/// Which file the front page is: every build that does something makes a new one.
fn front_page(output: &Path) -> Option<u64> {
    output.join("index.html").metadata().ok().map(|metadata| metadata.ino())
}

/// Every builder once.
struct Round<'a> {
    plan: &'a Plan,
    site: &'a SampleSite,
    place: &'a Place,
    folder: PathBuf,
}

impl<'a> Round<'a> {
    fn begin(plan: &'a Plan, site: &'a SampleSite, place: &'a Place) -> anyhow::Result<Self> {
        Ok(Self { plan, site, place, folder: place.new_folder("round-")? })
    }

    fn run(self, case: &mut Case) -> anyhow::Result<()> {
        for build in Build::ALL {
            let output = self.folder.join(build.folder());
            let Some(mut command) = self.command(build, &output)? else { continue };
            self.place.settle();
            let before = front_page(&output);
            case.usages.entry(build).or_default().push(Child::run(&mut command, PATIENCE)?);
            if build == Build::Unchanged && front_page(&output) != before {
                bail!("{} was built again although nothing had changed: its time says nothing", output.display());
            }
            if let Entry::Vacant(inventory) = case.inventories.entry(build) {
                inventory.insert(Inventory::take(&output)?);
            }
            if build != Build::Second {
                self.place.discard(&output)?;
            }
        }
        self.place.discard(&self.folder)
    }

    /// Nothing if that builder is not there.
    fn command(&self, build: Build, output: &Path) -> anyhow::Result<Option<Command>> {
        Ok(match build {
            Build::Plain => Some(self.ours(output, "cache-of-plain", &["--no-highlight"])),
            Build::First | Build::Second | Build::Unchanged => Some(self.ours(output, "cache", &[])),
            Build::HugoPlain => self.hugo(output, false),
            Build::Hugo => self.hugo(output, true),
            Build::Floor => Some(self.floor(output)?),
        })
    }

    fn ours(&self, output: &Path, cache: &str, words: &[&str]) -> Command {
        let mut command = self.plan.program.command(&["build"]);
        command.args(words).arg("--content").arg(self.site.content()).arg("--output").arg(output);
        command.env("XDG_CACHE_HOME", self.folder.join(cache));
        command
    }

    fn hugo(&self, output: &Path, highlights: bool) -> Option<Command> {
        let (hugo, site) = (self.plan.hugo.as_ref()?, self.site.hugo()?);
        Some(hugo.build(site, output, &self.folder.join("cache-of-hugo"), highlights))
    }

    fn floor(&self, output: &Path) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe().context("finding this program")?);
        command.env_clear().stdin(Stdio::null()).arg("--floor").arg(self.site.content()).arg(output);
        Ok(command)
    }
}
