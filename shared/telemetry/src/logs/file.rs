//! The thread that writes the log file, so that nobody who logs waits for a disk.
//!
//! Lines that can not be written are dropped and counted: a log that fails must not stop the work. It is told once that it
//! fails, and once that it is well again.

use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use super::rotation::{LogFileOptions, RotatingFile};
use crate::metrics;

/// Lines that may wait: some seconds of a busy service.
const WAITING: usize = 8_192;
/// How long the end of the process waits for the disk.
const LAST_LINES: Duration = Duration::from_millis(500);
/// How often is looked whether the file is still in its place; and, after a failure, whether it can be written.
const LOOK: Duration = Duration::from_secs(1);

/// Where lines are handed over.
#[derive(Debug, Clone)]
pub(super) struct LogFile(SyncSender<Message>);

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    End,
}

/// Waits when it is dropped until what waits is written, but not for long: to be kept until the process ends.
#[derive(Debug)]
pub(super) struct LogFileGuard {
    file: LogFile,
    ended: Receiver<()>,
}

impl LogFile {
    /// Begins to write. That it can not be written is told as any other failure is.
    pub(super) fn start(options: LogFileOptions) -> io::Result<(Self, LogFileGuard)> {
        metrics::describe_log_file();
        let (lines, received) = mpsc::sync_channel(WAITING);
        let file = Self(lines);
        let writer = Writer { options, file: None, failed: None, lost: 0 };
        let (ends, ended) = mpsc::sync_channel(1);
        let write = move || {
            writer.run(&received);
            // Whoever no longer waits does not want to know.
            let _ = ends.send(());
        };
        thread::Builder::new().name("log file".to_owned()).spawn(write)?;
        Ok((file.clone(), LogFileGuard { file, ended }))
    }
}

/// One call is one line.
impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.0.try_send(Message::Line(line.to_owned())) {
            metrics::lines_dropped(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogFileGuard {
    fn drop(&mut self) {
        // Lines that wait because the disk hangs are given up: the process is to end.
        if self.file.0.try_send(Message::End).is_ok() {
            let _ = self.ended.recv_timeout(LAST_LINES);
        }
    }
}

/// What the thread has.
struct Writer {
    options: LogFileOptions,
    file: Option<RotatingFile>,
    /// When it was last tried in vain.
    failed: Option<Instant>,
    /// Dropped since it failed.
    lost: u64,
}

impl Writer {
    fn run(mut self, lines: &Receiver<Message>) {
        let mut looked = Instant::now();
        loop {
            if looked.elapsed() >= LOOK {
                self.file.take_if(|file| !file.is_in_place());
                looked = Instant::now();
            }
            match lines.recv_timeout(LOOK) {
                Ok(Message::Line(line)) => self.write(&line),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn write(&mut self, line: &[u8]) {
        if self.failed.is_some_and(|failed| failed.elapsed() < LOOK) {
            return self.lose();
        }
        match self.try_write(line) {
            Ok(()) => self.is_well(),
            Err(error) => self.fails(&error),
        }
    }

    fn try_write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => RotatingFile::open(self.options.clone())?,
        };
        file.write_line(line)?;
        self.file = Some(file);
        Ok(())
    }

    fn lose(&mut self) {
        self.lost += 1;
        metrics::lines_dropped(1);
    }

    /// These lines come back here as any others do, and find no other way than they.
    fn fails(&mut self, error: &io::Error) {
        let is_news = self.failed.replace(Instant::now()).is_none();
        self.lose();
        if is_news {
            let path = self.options.path.display();
            tracing::error!(%error, "the log file {path} can not be written; lines are missing in it until it can be");
        }
    }

    fn is_well(&mut self) {
        if self.failed.take().is_some() {
            let (path, lost) = (self.options.path.display(), std::mem::take(&mut self.lost));
            tracing::info!(lost, "the log file {path} is written again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn start(folder: &Path) -> (LogFile, LogFileGuard) {
        LogFile::start(LogFileOptions { path: folder.join("logs/api.log"), largest: 1_000, files: 2 }).unwrap()
    }

    #[test]
    fn what_waits_is_written_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, guard) = start(folder.path());
        for _ in 0..100 {
            file.write_all(b"line\n").unwrap();
        }
        drop(guard);
        let text = std::fs::read_to_string(folder.path().join("logs/api.log")).unwrap();
        assert_eq!(text, "line\n".repeat(100));
    }

    #[test]
    fn a_disk_that_hangs_keeps_no_process_from_ending() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        // Whoever opens it to write waits until somebody reads.
        let hangs = Command::new("mkfifo").arg(folder.path().join("logs/api.log")).status().unwrap();
        assert!(hangs.success());
        let (mut file, guard) = start(folder.path());
        file.write_all(b"line\n").unwrap();
        let (ends, ended) = mpsc::channel();
        thread::spawn(move || {
            drop(guard);
            ends.send(())
        });
        assert!(ended.recv_timeout(Duration::from_secs(20)).is_ok(), "the end waits for the disk");
    }

    #[test]
    fn a_folder_that_can_not_be_made_costs_lines_and_nothing_else_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("logs");
        std::fs::write(&in_the_way, "a file").unwrap();
        let (mut file, _guard) = start(folder.path());
        file.write_all(b"lost\n").unwrap();
        std::fs::remove_file(&in_the_way).unwrap();
        let path = in_the_way.join("api.log");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with("kept\n")) {
            assert!(Instant::now() < deadline, "the file is not written again");
            file.write_all(b"kept\n").unwrap();
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_folder_that_vanishes_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/api.log");
        let (mut file, _guard) = start(folder.path());
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut times = 0;
        while times < 2 {
            assert!(Instant::now() < deadline, "the file is not written again");
            file.write_all(b"line\n").unwrap();
            thread::sleep(Duration::from_millis(20));
            if path.exists() {
                times += 1;
                std::fs::remove_dir_all(folder.path().join("logs")).unwrap();
            }
        }
    }
}
