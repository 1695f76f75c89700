//! What a build did, for people and for scripts.

use std::path::PathBuf;

use microblog_content::FileProblem;
use serde::Serialize;

use crate::cli::report::say;

/// What a build did.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) output: PathBuf,
    /// Whether the output folder holds this build now.
    #[serde(rename = "replaced")]
    pub(super) is_live: bool,
    pub(super) posts: usize,
    pub(super) pages: usize,
    /// Files that were taken over as they are.
    pub(super) files: usize,
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
        match (self.is_live, self.problems.len()) {
            (true, 0) => say(format_args!("{built}: {}", self.output.display())),
            (true, problems) => {
                say(format_args!("{built}: {} ({} above)", self.output.display(), count(problems, "problem")));
            }
            (false, problems) => {
                let output = self.output.display();
                say(format_args!(
                    "{} above, and --strict was given: {output} is left as it was",
                    count(problems, "problem")
                ));
            }
        }
    }
}
