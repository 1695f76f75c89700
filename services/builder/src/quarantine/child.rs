//! The process that may crash: starting it, listening to it, and telling what it came to.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use microblog_domain::ChangeSeq;

use super::command::ProbeCommand;
use super::suspect::Suspect;

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

/// The process.
pub(super) struct Child {
    process: std::process::Child,
    begun: Receiver<String>,
    last_words: JoinHandle<String>,
}

impl Child {
    /// Starts it.
    pub(super) fn begin(command: &ProbeCommand, before: Option<ChangeSeq>) -> io::Result<Self> {
        let mut start = Command::new(&command.program);
        start.args(&command.arguments);
        if let Some(before) = before {
            start.arg("--before").arg(before.0.to_string());
        }
        // What it says last is what its author is told.
        start.env("RUST_BACKTRACE", "0");
        let mut process = start.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (Some(out), Some(err)) = (process.stdout.take(), process.stderr.take()) else {
            return Err(io::Error::other("the process has no output"));
        };
        let (tell, begun) = channel();
        std::thread::spawn(move || {
            // Ends with the process, or when nobody listens any more.
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        let last_words = std::thread::spawn(move || last_words(err));
        Ok(Self { process, begun, last_words })
    }

    /// Listens until it ends, is silent for longer than `limit`, or `go_on` says no.
    pub(super) fn watch(mut self, limit: Duration, go_on: &dyn Fn() -> bool) -> io::Result<Verdict> {
        let mut last = None;
        let mut heard = Instant::now();
        loop {
            match self.begun.recv_timeout(LOOK) {
                Ok(line) => {
                    last = Some(line.parse::<Suspect>().map_err(io::Error::other)?);
                    heard = Instant::now();
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if !go_on() => {
                    self.end()?;
                    return Ok(Verdict::BrokenOff);
                }
                Err(RecvTimeoutError::Timeout) if last.is_some() && heard.elapsed() >= limit => {
                    self.end()?;
                    return Ok(verdict(last, || format!("rendering it takes longer than {limit:?}")));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let status = self.process.wait()?;
        let last_words = self.last_words.join().unwrap_or_default();
        if status.signal().is_some() || status.code() == Some(PANICKED) {
            return Ok(verdict(last, || cause(status, &last_words)));
        }
        match status.success() {
            true => Ok(Verdict::AllSound),
            false => Err(io::Error::other(format!("{status}: {}", last_words.trim()))),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait().map(drop)
    }
}

fn verdict(last: Option<Suspect>, reason: impl FnOnce() -> String) -> Verdict {
    last.map_or(Verdict::AllSound, |suspect| Verdict::Culprit { suspect, reason: reason() })
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
