//! The HTML under way, and the places in it that depend on the page on which it will stand.
//!
//! Owns [`Output`]; a piece can be cut out (a footnote, to be put at the end) or dressed afterwards (a heading, whose
//! id follows from its text) without losing those places.

use std::ops::Range;

/// A place in the HTML that reads differently on another page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    at: usize,
    kind: MarkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MarkKind {
    /// An id attribute, of this length with the space before it.
    Id(usize),
    /// A link within the page begins here.
    Fragment,
    /// A path from the site's root begins here.
    Root,
}

/// HTML with its marks, in order.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) html: String,
    pub(super) marks: Vec<Mark>,
}

impl Output {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { html: String::with_capacity(bytes), marks: Vec::new() }
    }

    pub(super) fn push(&mut self, html: &str) {
        self.html.push_str(html);
    }

    /// Makes the next thing start on a line of its own.
    pub(super) fn fresh_line(&mut self) {
        if !self.html.is_empty() && !self.html.ends_with('\n') {
            self.html.push('\n');
        }
    }

    /// Puts a tag with an id before what was written since `start`. The tag's own text may hold no other mark.
    pub(super) fn insert_tag(&mut self, start: usize, tag: &str, id: Range<usize>) {
        self.html.insert_str(start, tag);
        let first = self.marks_before(start);
        for mark in &mut self.marks[first..] {
            mark.at += tag.len();
        }
        self.marks.insert(first, Mark { at: start + id.start, kind: MarkKind::Id(id.len()) });
    }

    /// How many marks stand before a place near the end.
    fn marks_before(&self, place: usize) -> usize {
        self.marks.iter().rposition(|mark| mark.at < place).map_or(0, |last| last + 1)
    }

    /// Writes ` id="…"` by the given function and marks it.
    pub(super) fn push_id(&mut self, write: impl FnOnce(&mut String)) {
        let at = self.html.len();
        self.html.push_str(" id=\"");
        write(&mut self.html);
        self.html.push('"');
        self.mark_id(at..self.html.len());
    }

    /// Marks an id attribute that is written already.
    pub(super) fn mark_id(&mut self, range: Range<usize>) {
        self.marks.push(Mark { at: range.start, kind: MarkKind::Id(range.len()) });
    }

    /// Marks that a link within the page follows.
    pub(super) fn mark_fragment(&mut self) {
        self.marks.push(Mark { at: self.html.len(), kind: MarkKind::Fragment });
    }

    /// Marks that a path from the root follows.
    pub(super) fn mark_root(&mut self) {
        self.marks.push(Mark { at: self.html.len(), kind: MarkKind::Root });
    }

    /// Takes away and returns what was written since `start`.
    pub(super) fn cut(&mut self, start: usize) -> Self {
        let html = self.html.split_off(start);
        let mut marks = self.marks.split_off(self.marks_before(start));
        for mark in &mut marks {
            mark.at -= start;
        }
        Self { html, marks }
    }

    /// Adds what was cut elsewhere.
    pub(super) fn append(&mut self, piece: &Self) {
        let start = self.html.len();
        self.html.push_str(&piece.html);
        self.marks.extend(piece.marks.iter().map(|mark| Mark { at: mark.at + start, kind: mark.kind }));
    }
}

/// The same HTML on another page: without ids, links to them leading to `page`, paths from the root under `origin`.
pub(super) fn embed(html: &str, marks: &[Mark], origin: &str, page: &str) -> String {
    let mut out = String::with_capacity(html.len() + marks.len() * (origin.len() + page.len()));
    let mut done = 0;
    for mark in marks {
        out.push_str(&html[done..mark.at]);
        done = mark.at;
        match mark.kind {
            MarkKind::Id(length) => done += length,
            MarkKind::Root => out.push_str(origin),
            MarkKind::Fragment => {
                super::escape::href(&mut out, origin);
                super::escape::href(&mut out, page);
            }
        }
    }
    out.push_str(&html[done..]);
    out
}
