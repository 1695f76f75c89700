//! Footnotes: numbered in the order in which they are first referred to, and gathered at the end of the text.
//!
//! A definition that nothing refers to is kept, behind the others: an author's words are not dropped.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::output::Output;

/// The footnotes of a text under way.
#[derive(Debug, Default)]
pub(super) struct Footnotes {
    /// By label, as the parser compares labels: without regard to case.
    notes: HashMap<String, Note>,
    /// Definitions under way: label, and where in the output they began.
    open: Vec<(String, usize)>,
    definitions: Vec<(String, Output)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Note {
    number: usize,
    references: usize,
}

impl Footnotes {
    /// Writes a reference. The parser lets none stand inside a link.
    pub(super) fn refer(&mut self, out: &mut Output, label: &str) {
        let next = self.notes.len() + 1;
        let note = self.notes.entry(label.to_lowercase()).or_insert(Note { number: next, references: 0 });
        note.references += 1;
        let note = *note;
        out.push("<sup class=\"footnote-ref\"");
        out.push_id(|html| reference_id(html, note.number, note.references));
        out.push("><a href=\"");
        out.mark_fragment();
        let number = note.number;
        let _ =
            write!(out.html, "#fn:{number}\" role=\"doc-noteref\" aria-label=\"Footnote {number}\">{number}</a></sup>");
    }

    /// Begins a definition.
    pub(super) fn open(&mut self, out: &Output, label: &str) {
        self.open.push((label.to_lowercase(), out.html.len()));
    }

    /// Takes the definition that ends here out of the text.
    pub(super) fn close(&mut self, out: &mut Output) {
        if let Some((label, start)) = self.open.pop() {
            self.definitions.push((label, out.cut(start)));
        }
    }

    /// Writes the definitions.
    pub(super) fn write(self, out: &mut Output) {
        if self.definitions.is_empty() {
            return;
        }
        out.fresh_line();
        out.push("<div class=\"footnotes\" role=\"doc-endnotes\">\n<ol>\n");
        for (note, body) in self.in_order() {
            out.push("<li");
            out.push_id(|html| {
                let _ = write!(html, "fn:{}", note.number);
            });
            out.push(">\n");
            write_body(out, &body, note);
            out.push("</li>\n");
        }
        out.push("</ol>\n</div>\n");
    }

    /// The definitions by number. Those without reference, and second ones of a label, come last.
    fn in_order(mut self) -> Vec<(Note, Output)> {
        let mut next = self.notes.len();
        let mut ordered = Vec::with_capacity(self.definitions.len());
        for (label, body) in self.definitions {
            let note = self.notes.remove(&label).unwrap_or_else(|| {
                next += 1;
                Note { number: next, references: 0 }
            });
            ordered.push((note, body));
        }
        ordered.sort_by_key(|(note, _)| note.number);
        ordered
    }
}

/// Writes a definition with the ways back at the end of its last paragraph.
fn write_body(out: &mut Output, body: &Output, note: Note) {
    out.append(body);
    let inside = out.html.ends_with("</p>\n");
    if inside {
        out.html.truncate(out.html.len() - "</p>\n".len());
    }
    for reference in 1..=note.references {
        out.push(" <a class=\"footnote-back\" href=\"");
        out.mark_fragment();
        out.push("#");
        reference_id(&mut out.html, note.number, reference);
        let _ = write!(out.html, "\" role=\"doc-backlink\" aria-label=\"Back to reference {}", note.number);
        if reference > 1 {
            let _ = write!(out.html, "-{reference}");
        }
        out.push("\">↩\u{FE0E}</a>");
    }
    out.push(if inside { "</p>\n" } else { "\n" });
}

/// Headings never get an id with a colon from their words, so these can not clash.
fn reference_id(html: &mut String, number: usize, reference: usize) {
    let _ = write!(html, "fnref:{number}");
    if reference > 1 {
        let _ = write!(html, ":{reference}");
    }
}
