//! The pieces that a build's threads are at. Each is guarded: when one crashes the others are not dragged along without
//! a word, and when one never ends somebody can tell which.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use microblog_domain::{FilePath, PostId};

use super::BuildError;

/// What a thread works on between two looks at whether it is to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Digesting a post.
    Post(PostId),
    /// Rendering a page.
    Page(FilePath),
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post(post) => write!(f, "post {post}"),
            Self::Page(file) => write!(f, "the page {file}"),
        }
    }
}

/// Which piece each thread is at.
#[derive(Debug)]
pub(super) struct Pieces(Box<[Place]>);

/// The piece that a thread is at, and since when.
#[derive(Debug, Default)]
struct Place(Mutex<Option<(Piece, Instant)>>);

impl Default for Pieces {
    /// With a place for each thread that renders, and one for the thread that leads them.
    fn default() -> Self {
        Self((0..=rayon::current_num_threads()).map(|_| Place::default()).collect())
    }
}

impl Pieces {
    /// Does a piece of work; a crash becomes an error that names it.
    pub(super) fn guard<T>(&self, piece: Piece, work: impl FnOnce() -> T) -> Result<T, BuildError> {
        let place = self.0.get(rayon::current_thread_index().unwrap_or(self.0.len() - 1));
        if let Some(place) = place {
            place.note(Some((piece.clone(), Instant::now())));
        }
        // What a crash leaves behind is dropped with the build, but for the site, which no piece changes.
        let done = catch_unwind(AssertUnwindSafe(work));
        if let Some(place) = place {
            place.note(None);
        }
        done.map_err(|panic| BuildError::Crashed { piece, message: told_by(&*panic) })
    }

    /// The piece that takes longest, and how long it does.
    pub(super) fn slowest(&self) -> Option<(Piece, Duration)> {
        let busy = self.0.iter().filter_map(|place| place.0.lock().unwrap_or_else(PoisonError::into_inner).clone());
        busy.map(|(piece, since)| (piece, since.elapsed())).max_by_key(|(_, time)| *time)
    }
}

impl Place {
    fn note(&self, piece: Option<(Piece, Instant)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = piece;
    }
}

fn told_by(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Piece {
        Piece::Page("a/index.html".parse().unwrap())
    }

    #[test]
    fn a_crash_names_the_piece_and_its_message() {
        let pieces = Pieces::default();
        let error = pieces.guard(page(), || panic!("no {}", "luck")).unwrap_err();
        assert_eq!(error.to_string(), "the page a/index.html crashed, which is a mistake in Microblog: no luck");
        assert_eq!(pieces.slowest(), None);
    }

    #[test]
    fn whoever_asks_learns_what_takes_so_long() {
        let pieces = Pieces::default();
        let seen = pieces.guard(page(), || pieces.slowest()).unwrap();
        assert_eq!(seen.map(|(piece, _)| piece), Some(page()));
    }
}
