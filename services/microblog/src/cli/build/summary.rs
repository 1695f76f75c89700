//! What a build did, for people and for scripts.

use std::path::PathBuf;

use microblog_content::FileProblem;
use serde::{Deserialize, Serialize};

use crate::cli::report::say;

/// What a build did.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) output: PathBuf,
    pub(super) outcome: Outcome,
    pub(super) posts: usize,
    pub(super) pages: usize,
    /// Files that were taken over as they are.
    pub(super) files: usize,
    /// Smaller variants of pictures, if they were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) variants: Option<usize>,
    /// Compressed copies beside files, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) compressed: Option<usize>,
    /// What was found out about where the posts lived before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) old_addresses: Option<String>,
    pub(super) seconds: f64,
    pub(super) problems: Vec<Problem>,
    /// Files that are neither posts nor part of the site.
    pub(super) skipped: Vec<String>,
}

/// What became of the output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Problem {
    pub(super) path: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    pub(super) fn again(self) -> Self {
        Self { outcome: Outcome::Unchanged, ..self }
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
