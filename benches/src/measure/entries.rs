//! How many file-system entries one edit makes, renames or removes, as strace sees it from outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use walkdir::WalkDir;

use super::author::Author;
use super::{Plan, targets};
use crate::child::Child;
use crate::interrupt;
use crate::report::{Row, Statistic, Unit};
use crate::sample::SampleSite;
use crate::say;
use crate::server::Server;

const CALLS: &str = "trace=link,linkat,symlink,symlinkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,\
                     mknod,mknodat,creat,open,openat";
const QUANTITY: &str = "entries made, renamed, removed";
/// How long strace may take to attach, and to let go.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(5);

pub(super) fn measure(plan: &Plan) -> anyhow::Result<Vec<Row>> {
    let is_there = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !is_there {
        say("NOT MEASURED: file-system entries of an edit: there is no strace (Debian's package is called strace)");
    }
    let mut rows = Vec::new();
    for (number, site) in plan.sites.iter().enumerate() {
        let case = format!("edit, {}", site.title());
        let target = (site.posts() == 100_000).then_some(targets::ENTRIES);
        let row = if is_there {
            let counts = count_entries(plan, number, site).with_context(|| case.clone())?;
            Row::new(&case, QUANTITY, Unit::Count, Statistic::Median, &counts)?
        } else {
            Row::not_measured(&case, QUANTITY, Unit::Count)
        };
        rows.push(row.under(target));
    }
    Ok(rows)
}

fn count_entries(plan: &Plan, number: usize, site: &SampleSite) -> anyhow::Result<Vec<f64>> {
    say(&format!("counting file-system entries: {}", site.title()));
    let filled = plan.filled(number)?;
    let server = filled.installation.start()?;
    server.wait_until_ready()?;
    let author = Author { server: &server, token: &filled.token };
    author.build()?;
    let post = author.newest_posts(1)?.into_iter().next().context("there is no post")?;
    let counts = (0..plan.effort.runs).map(|_| {
        server.wait_until_idle()?;
        let folder = plan.disk.new_folder("strace-")?;
        let strace = attach(&server, &folder)?;
        author.edit(&post)?;
        // What follows once the edit is live counts, too.
        server.wait_until_idle()?;
        strace.dismiss(PATIENCE).context("strace")?;
        Ok(entries_in(&folder)? as f64)
    });
    let counts = counts.collect::<anyhow::Result<_>>()?;
    server.stop()?;
    Ok(counts)
}

/// Watches every thread of the server from now on; each is written about in a file of its own.
fn attach(server: &Server, folder: &Path) -> anyhow::Result<Child> {
    let pid = server.pid().context("the server has no process")?;
    let mut command = Command::new("strace");
    command.args(["-ff", "-qq", "-e", CALLS, "-p", &pid.to_string(), "-o"]).arg(folder.join("thread"));
    let strace = Child::start(command.stdin(Stdio::null()))?;
    let since = Instant::now();
    while !is_watched(&format!("/proc/{pid}/task"))? {
        strace.must_run().context("strace")?;
        ensure!(since.elapsed() < PATIENCE, "strace did not attach within {PATIENCE:?}");
        interrupt::pause(LOOK)?;
    }
    Ok(strace)
}

fn is_watched(tasks: &str) -> anyhow::Result<bool> {
    for task in fs::read_dir(tasks).with_context(|| format!("reading {tasks}"))? {
        let status = fs::read_to_string(task?.path().join("status")).unwrap_or_default();
        if status.lines().any(|line| line == "TracerPid:\t0") {
            return Ok(false);
        }
    }
    Ok(true)
}

fn entries_in(folder: &Path) -> anyhow::Result<usize> {
    let mut entries = 0;
    for file in WalkDir::new(folder).min_depth(1) {
        let text = fs::read(file?.path())?;
        entries += String::from_utf8_lossy(&text).lines().filter(|line| is_entry(line)).count();
    }
    Ok(entries)
}

/// Whether a call did something to an entry. Opening counts if it may have made a file.
fn is_entry(call: &str) -> bool {
    let has_failed = call.contains(" = -1 ");
    let only_opens = call.starts_with("open") && !call.contains("O_CREAT");
    let is_call = call.contains('(') && call.contains(") = ");
    is_call && !has_failed && !only_opens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_change_entries_are_counted() {
        let counts = [
            r#"linkat(7, "objects/ab", 8, "trees/1/index.html", 0) = 0"#,
            r#"openat(7, "tmp/1", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0444) = 9"#,
            r#"renameat(7, "next", 7, "current") = 0"#,
        ];
        let others = [
            r#"openat(7, "tmp/1", O_RDONLY|O_CLOEXEC) = 9"#,
            r#"mkdirat(7, "tmp", 0777) = -1 EEXIST (File exists)"#,
            "--- SIGCHLD {si_signo=SIGCHLD} ---",
            "+++ exited with 0 +++",
        ];
        assert!(counts.iter().all(|call| is_entry(call)));
        assert!(!others.iter().any(|call| is_entry(call)));
    }
}
