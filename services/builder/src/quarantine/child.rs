//! The process that may crash: starting it, listening to it, and telling what it came to.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use microblog_domain::ChangeSeq;

use super::command::ProbeCommand;
use super::suspect::{DONE, Suspect};

/// What the process came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All posts can be rendered.
    AllSound,
    /// This one can not.
    Culprit { suspect: Suspect, reason: String },
    /// Whoever asked wants no answer any more.
    BrokenOff,
}

/// How often it is asked whether to go on.
const LOOK: Duration = Duration::from_millis(100);
/// As much of what the process says at its end as is kept.
const MOST_LAST_WORDS: u64 = 64 * 1024;
/// As much of it as its author is told.
const MOST_TOLD: usize = 300;
/// What the Rust runtime exits with after a panic. All others mean that the process gave up in good order.
const PANICKED: i32 = 101;
/// What a program does to itself: illegal instruction, abort, bus error, floating point, segmentation, and what the system
/// does to one that takes all memory. All other signals are sent by somebody who means the process, not the post.
const SELF_INFLICTED: [i32; 6] = [4, 6, 7, 8, 9, 11];

/// The process.
pub(super) struct Child {
    process: std::process::Child,
    begun: Receiver<String>,
    last_words: Option<JoinHandle<String>>,
    /// The post that it renders at the moment, since when.
    at: Option<(Suspect, Instant)>,
}

/// Which posts it is to render.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Range {
    /// Those behind this change.
    pub(super) before: Option<ChangeSeq>,
    /// So many at most.
    pub(super) most: Option<usize>,
}

impl Child {
    /// Starts it.
    pub(super) fn begin(command: &ProbeCommand, range: Range) -> io::Result<Self> {
        let mut start = Command::new(&command.program);
        start.args(&command.arguments);
        if let Some(before) = range.before {
            start.arg("--before").arg(before.0.to_string());
        }
        if let Some(most) = range.most {
            start.arg("--most").arg(most.to_string());
        }
        // Signals that a terminal or a service manager sends to all of ours are ours to hear first.
        start.process_group(0);
        // What it says last is what its author is told.
        start.env("RUST_BACKTRACE", "0");
        let mut process = start.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (Some(out), Some(err)) = (process.stdout.take(), process.stderr.take()) else {
            return Err(io::Error::other("the process has no output"));
        };
        let (tell, begun) = channel();
        std::thread::spawn(move || {
            // Ends with the process, or when nobody listens any more.
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        let last_words = Some(std::thread::spawn(move || last_words(err)));
        Ok(Self { process, begun, last_words, at: None })
    }

    /// Listens until it ends, is at one post for longer than `limit`, or `go_on` says no.
    pub(super) fn watch(mut self, limit: Duration, go_on: &dyn Fn() -> bool) -> io::Result<Verdict> {
        loop {
            match self.begun.recv_timeout(LOOK) {
                Ok(line) => self.hear(&line)?,
                Err(RecvTimeoutError::Disconnected) => return self.judge(go_on),
                Err(RecvTimeoutError::Timeout) if !go_on() => return Ok(Verdict::BrokenOff),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some((suspect, _)) = self.at.filter(|(_, since)| since.elapsed() >= limit) {
                let reason = format!("rendering it takes longer than {limit:?}");
                return Ok(Verdict::Culprit { suspect, reason });
            }
        }
    }

    fn hear(&mut self, line: &str) -> io::Result<()> {
        self.at = match line {
            DONE => None,
            line => Some((line.parse::<Suspect>().map_err(io::Error::other)?, Instant::now())),
        };
        Ok(())
    }

    /// What the end of the process means for the post that it was at.
    fn judge(&mut self, go_on: &dyn Fn() -> bool) -> io::Result<Verdict> {
        let status = self.process.wait()?;
        let last_words = self.last_words.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let is_crash = status.signal().is_some_and(|signal| SELF_INFLICTED.contains(&signal));
        match self.at {
            _ if !go_on() => Ok(Verdict::BrokenOff),
            None if status.success() => Ok(Verdict::AllSound),
            Some((suspect, _)) if is_crash || status.code() == Some(PANICKED) => {
                Ok(Verdict::Culprit { suspect, reason: cause(status, &last_words) })
            }
            _ => Err(io::Error::other(format!("{status}: {}", last_words.trim()))),
        }
    }
}

impl Drop for Child {
    /// One that hangs would go on for ever.
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn last_words(mut stderr: std::process::ChildStderr) -> String {
    let mut text = Vec::new();
    // What was read before a failure is all there is; the rest is read so that the process never waits for a reader.
    let _ = (&mut stderr).take(MOST_LAST_WORDS).read_to_end(&mut text);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&text).into_owned()
}

/// The end of what the process said, without where in the source it happened: that is in the log.
fn cause(status: ExitStatus, last_words: &str) -> String {
    let is_told = |line: &&str| !line.trim().is_empty() && !line.starts_with("note:") && !line.contains("panicked at");
    let message = last_words.lines().rfind(is_told).unwrap_or_default();
    let message: String = message.trim().chars().take(MOST_TOLD).collect();
    match (status.signal(), message.is_empty()) {
        (Some(signal), true) => format!("rendering it ends the program (signal {signal})"),
        (_, _) => format!("rendering it crashes the program: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use microblog_domain::{PostId, Timestamp, Version};

    use super::*;

    fn suspect() -> Suspect {
        let post = PostId::generate(Timestamp::UNIX_EPOCH);
        Suspect { post, version: Version(3), change: ChangeSeq(7) }
    }

    /// What is found out by a shell that does this.
    fn verdict(script: &str) -> io::Result<Verdict> {
        let arguments = ["-c", script].map(OsString::from).to_vec();
        let command = ProbeCommand { program: "sh".into(), arguments };
        Child::begin(&command, Range::default())?.watch(Duration::from_millis(500), &|| true)
    }

    #[test]
    fn only_what_a_process_does_to_itself_tells_against_the_post_that_it_is_at() {
        let suspect = suspect();
        for (end, is_blamed) in [
            ("kill -s ABRT $$", true),
            ("kill -s SEGV $$", true),
            ("kill -s KILL $$", true),
            ("exit 101", true),
            ("sleep 60", true),
            ("kill -s TERM $$", false),
            ("kill -s INT $$", false),
            ("kill -s HUP $$", false),
            ("exit 1", false),
            ("exit 0", false),
        ] {
            let found = verdict(&format!("echo {suspect}; {end}"));
            let is_culprit = matches!(&found, Ok(Verdict::Culprit { suspect: found, .. }) if *found == suspect);
            assert_eq!(is_culprit, is_blamed, "{end}: {found:?}");
            assert!(is_blamed || found.is_err(), "{end}: nothing is known then: {found:?}");
        }
    }

    #[test]
    fn between_two_posts_nobody_is_blamed() {
        let suspect = suspect();
        let found = verdict(&format!("echo {suspect}; echo done; sleep 1; echo {suspect}; echo done"));
        assert_eq!(found.unwrap(), Verdict::AllSound);
        assert!(verdict(&format!("echo {suspect}; echo done; kill -s SEGV $$")).is_err());
    }
}
