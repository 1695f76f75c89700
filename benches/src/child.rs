//! A program that runs: bounded in time, never left behind, and accounted for by the kernel.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use wait4::Wait4 as _;

use crate::interrupt;

/// How often a wait looks whether it was interrupted. The end of a child is seen at once.
const GLANCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
/// How much of what a failed program said is passed on.
const LAST_WORDS_BYTES: i64 = 2_000;

/// What a program took, from before it was started until its end was known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    /// In user and kernel mode, on all cores.
    pub(crate) cpu: Duration,
    /// The most memory that it held at once. Never less than what this process held when it started the program, which
    /// is why nothing large may be kept here.
    pub(crate) peak_bytes: u64,
}

impl Usage {
    /// What two programs took that ran at the same time.
    pub(crate) fn beside(self, other: Self) -> Self {
        Self {
            wall: self.wall.max(other.wall),
            cpu: self.cpu + other.cpu,
            peak_bytes: self.peak_bytes + other.peak_bytes,
        }
    }
}

/// A program that runs, and is killed when this is dropped.
pub(crate) struct Child {
    /// Nothing once it was waited for: its number may belong to another by then.
    process: Option<Process>,
    pid: Pid,
    end: OwnedFd,
    started: Instant,
    said: File,
}

impl Child {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let said = tempfile::tempfile().context("making a temporary file")?;
        command.stdout(Stdio::null()).stderr(said.try_clone()?);
        let started = Instant::now();
        let mut process = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let pid = Pid::from_child(&process);
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(end) => Ok(Self { process: Some(process), pid, end, started, said }),
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                Err(error).context("watching a program; this needs Linux 5.3")
            }
        }
    }

    /// Runs a program to its end, which must be a good one.
    pub(crate) fn run(command: &mut Command, patience: Duration) -> anyhow::Result<Usage> {
        Self::start(command)?.wait(patience).with_context(|| format!("running {command:?}"))
    }

    /// Waits for the end, which must be a good one.
    pub(crate) fn wait(mut self, patience: Duration) -> anyhow::Result<Usage> {
        let (status, usage) = self.wait_for_end(patience)?;
        ensure!(status.success(), "it failed ({status}):\n{}", self.last_words());
        Ok(usage)
    }

    fn wait_for_end(&mut self, patience: Duration) -> anyhow::Result<(ExitStatus, Usage)> {
        while !self.has_ended()? {
            interrupt::check()?;
            ensure!(self.started.elapsed() < patience, "it did not end within {patience:?}:\n{}", self.last_words());
        }
        let wall = self.started.elapsed();
        self.reap(wall)
    }

    /// Asks it to end, as a service manager would.
    pub(crate) fn stop(self, patience: Duration) -> anyhow::Result<Usage> {
        kill_process(self.pid, Signal::TERM).context("stopping a program")?;
        let patience = self.started.elapsed() + patience;
        self.wait(patience)
    }

    /// Asks it to end, when being told to is how it usually ends: as the signal, and not as a success.
    pub(crate) fn dismiss(mut self, patience: Duration) -> anyhow::Result<()> {
        kill_process(self.pid, Signal::TERM).context("stopping a program")?;
        let patience = self.started.elapsed() + patience;
        self.wait_for_end(patience).map(drop)
    }

    /// The memory that it holds now.
    pub(crate) fn resident_bytes(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.pid);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        resident_bytes(&text).with_context(|| format!("{path} has no VmRSS"))
    }

    /// Its share of the memory that is in use now: what several processes use is divided among them.
    pub(crate) fn proportional_bytes(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.pid);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        kibibytes(&text, "Pss:").with_context(|| format!("{path} has no Pss"))
    }

    /// Its number, as long as it runs.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// The processor time that it used so far, in ticks of the kernel's clock.
    pub(crate) fn cpu_ticks(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/stat", self.pid);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        cpu_ticks(&text).with_context(|| format!("{path} has no processor time"))
    }

    /// Fails if it has ended, with what it said.
    pub(crate) fn must_run(&self) -> anyhow::Result<()> {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        ensure!(!self.has_ended_within(&now)?, "it ended:\n{}", self.last_words());
        Ok(())
    }

    fn has_ended(&self) -> anyhow::Result<bool> {
        self.has_ended_within(&GLANCE)
    }

    fn has_ended_within(&self, time: &Timespec) -> anyhow::Result<bool> {
        match poll(&mut [PollFd::new(&self.end, PollFlags::IN)], Some(time)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => bail!("waiting for a program: {error}"),
        }
    }

    fn reap(&mut self, wall: Duration) -> anyhow::Result<(ExitStatus, Usage)> {
        let process = self.process.take().context("the program was waited for already")?;
        let used = process.wait4().context("asking what a program took")?;
        let cpu = used.rusage.utime + used.rusage.stime;
        Ok((used.status, Usage { wall, cpu, peak_bytes: used.rusage.maxrss }))
    }

    fn last_words(&self) -> String {
        let mut said = &self.said;
        let mut words = Vec::new();
        if said.seek(SeekFrom::End(-LAST_WORDS_BYTES)).or_else(|_| said.seek(SeekFrom::Start(0))).is_ok() {
            let _ = said.read_to_end(&mut words);
        }
        String::from_utf8_lossy(&words).trim().to_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Reads it from what the kernel says in `/proc/PID/status`.
fn resident_bytes(status: &str) -> Option<u64> {
    kibibytes(status, "VmRSS:")
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1_024)
}

/// Reads it from what the kernel says in `/proc/PID/stat`: user and kernel mode are the 14th and 15th field.
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The second field is a name in parentheses, which may hold anything.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(11);
    let (user, kernel): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_kernel_tells_what_a_program_took() {
        let usage = Child::run(&mut shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"), PATIENCE).unwrap();
        assert!(usage.cpu > Duration::ZERO);
        assert!(usage.wall > Duration::ZERO);
        assert!(usage.peak_bytes > 100_000, "{}", usage.peak_bytes);
    }

    #[test]
    fn what_a_failed_program_said_is_passed_on() {
        let error = Child::run(&mut shell("echo the disk is full >&2; exit 3"), PATIENCE).unwrap_err();
        assert!(format!("{error:#}").contains("the disk is full"), "{error:#}");
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let child = Child::start(&mut shell("exec sleep 1000")).unwrap();
        let process = format!("/proc/{}", child.pid);
        assert!(child.wait(Duration::ZERO).is_err());
        assert!(!std::path::Path::new(&process).exists());
    }

    #[test]
    fn the_memory_of_a_running_program_is_known() {
        let child = Child::start(&mut shell("exec sleep 1000")).unwrap();
        assert!(child.resident_bytes().unwrap() > 0);
        child.must_run().unwrap();
        assert_eq!(cpu_ticks("7 (a b) c) S 1 7 7 0 -1 4194304 500 0 0 0 30 12 0 0 20 0"), Some(42));
        assert_eq!(resident_bytes("VmHWM:\t 9 kB\nVmRSS:\t   5120 kB\n"), Some(5_120 * 1_024));
    }
}
