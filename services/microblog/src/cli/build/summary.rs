//! What a build did, for people and for scripts.

use std::path::PathBuf;

use jiff::Timestamp;
use microblog_content::{ContentFolder, FileProblem};
use serde::Serialize;

use super::record::Record;
use super::{BuildArgs, skipped};
use crate::cli::report::say;

/// What a build did.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) output: PathBuf,
    pub(super) outcome: Outcome,
    pub(super) posts: usize,
    pub(super) pages: usize,
    /// Files that were taken over as they are.
    pub(super) files: usize,
    /// Smaller variants of pictures, if they were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) variants: Option<usize>,
    /// Compressed copies beside files, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) compressed: Option<usize>,
    /// What was found out about where the posts lived before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old_addresses: Option<String>,
    pub(super) seconds: f64,
    pub(super) problems: Vec<Problem>,
    /// Files that are neither posts nor part of the site.
    pub(super) skipped: Vec<String>,
}

/// What became of the output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// It holds this build.
    Built,
    /// It holds the last build, which was made from the same files.
    Unchanged,
    /// It is left as it was, because of problems.
    Refused,
}

/// Something that somebody should put right, though it stopped nothing.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    pub(super) path: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    pub(super) reason: String,
}

impl From<&FileProblem> for Problem {
    fn from(problem: &FileProblem) -> Self {
        Self { path: problem.path.clone(), line: problem.line, reason: problem.reason.to_string() }
    }
}

impl Summary {
    /// Of a build that had nothing to do.
    pub(super) fn unchanged(args: &BuildArgs, folder: &ContentFolder, last: &Record) -> Self {
        Self {
            output: args.output.clone(),
            outcome: Outcome::Unchanged,
            posts: last.posts,
            pages: last.pages,
            files: last.files,
            variants: None,
            compressed: args.compress.then_some(last.compressed),
            old_addresses: None,
            seconds: 0.0,
            problems: Vec::new(),
            skipped: skipped(folder),
        }
    }

    /// What the next build is to know of this one.
    pub(super) fn record(&self, made_from: String, until: Option<Timestamp>) -> Record {
        let compressed = self.compressed.unwrap_or_default();
        Record { made_from, until, posts: self.posts, pages: self.pages, files: self.files, compressed }
    }

    /// Tells a person.
    pub(super) fn say(&self) {
        for problem in &self.problems {
            let line = problem.line.map(|line| format!("{line}:")).unwrap_or_default();
            say(format_args!("{}:{line} {}", problem.path.display(), problem.reason));
        }
        if self.posts == 0 {
            say("No posts were found. A post is a file such as 2024-01-31-hello.md");
        }
        self.old_addresses.iter().for_each(say);
        let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let built = format!(
            "{} from {} and {} in {:.2} s",
            count(self.pages, "page"),
            count(self.posts, "post"),
            count(self.files, "other file"),
            self.seconds
        );
        match (self.outcome, self.problems.len()) {
            (Outcome::Unchanged, _) => say(format_args!(
                "Nothing has changed since the last build of {}, {} from {}",
                self.output.display(),
                count(self.pages, "page"),
                count(self.posts, "post")
            )),
            (Outcome::Built, 0) => say(format_args!("{built}: {}", self.output.display())),
            (Outcome::Built, problems) => {
                say(format_args!("{built}: {} ({} above)", self.output.display(), count(problems, "problem")));
            }
            (Outcome::Refused, problems) => {
                let output = self.output.display();
                say(format_args!(
                    "{} above, and --strict was given: {output} is left as it was",
                    count(problems, "problem")
                ));
            }
        }
    }
}
