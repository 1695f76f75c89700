//! Tokens written as HTML: escaped, in spans, with neighbours of one class in one span.

use super::class::Class;
use crate::markdown::escape_text;

/// The most space that a span goes over to take in another token of its class.
const MAX_GAP: usize = 64;

/// Writes the tokens of a code in order, and what lies between them.
pub(super) struct Spans<'o, 'c> {
    out: &'o mut String,
    code: &'c str,
    /// How much of the code is written.
    done: usize,
    /// The class of the span that is open.
    open: Class,
}

impl<'o, 'c> Spans<'o, 'c> {
    pub(super) fn new(out: &'o mut String, code: &'c str) -> Self {
        Self { out, code, done: 0, open: Class::Plain }
    }

    /// The token at a place of the code; tokens come in order and do not overlap.
    pub(super) fn token(&mut self, class: Class, start: usize, end: usize) {
        if start >= end || class == Class::Plain {
            return;
        }
        if self.open != class || !self.is_gap(start) {
            self.close();
            self.write_to(start);
            self.out.push_str(class.open_tag());
            self.open = class;
        }
        self.write_to(end);
    }

    /// Writes the rest.
    pub(super) fn finish(mut self) {
        self.close();
        self.write_to(self.code.len());
    }

    fn is_gap(&self, end: usize) -> bool {
        end - self.done <= MAX_GAP && self.code.as_bytes()[self.done..end].iter().all(u8::is_ascii_whitespace)
    }

    fn close(&mut self) {
        if self.open != Class::Plain {
            self.out.push_str("</span>");
            self.open = Class::Plain;
        }
    }

    fn write_to(&mut self, end: usize) {
        escape_text(self.out, &self.code[self.done..end]);
        self.done = end;
    }
}
