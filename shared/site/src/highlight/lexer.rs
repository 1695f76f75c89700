//! The one lexer of all languages: goes over the code once, and at each place takes the first rule that fits.

use super::class::Class;
use super::grammar::Grammar;
use super::rule::{Fence, Pattern, Place, Quote, Rule, Then};
use super::scan;
use super::spans::Spans;

/// Deeper, states are not stacked: code that nests so deep is no code.
const MAX_STATES: usize = 200;

/// How far a line may be indented for its start still to be seen as one.
const MAX_INDENT: usize = 128;

/// How many languages may stand in one another.
const MAX_EMBEDDED: usize = 2;

/// Writes the tokens of the code from `start` to the end of `code`.
pub(super) fn run(spans: &mut Spans<'_, '_>, code: &[u8], start: usize, grammar: &Grammar, depth: usize) {
    let lexer = Lexer {
        spans,
        code,
        grammar,
        depth,
        at: start,
        states: Vec::new(),
        state: 0,
        keyword_end: 0,
        lines_below: None,
        no_heredoc: false,
    };
    lexer.run();
}

struct Lexer<'s, 'o, 'c, 'g> {
    spans: &'s mut Spans<'o, 'c>,
    code: &'g [u8],
    grammar: &'g Grammar,
    depth: usize,
    at: usize,
    states: Vec<u8>,
    state: u8,
    /// Where the last keyword ended: behind it an expression may begin.
    keyword_end: usize,
    /// The lines of a here-document that was announced.
    lines_below: Option<(usize, usize)>,
    /// One was announced that never ended: they are not looked for any more.
    no_heredoc: bool,
}

impl Lexer<'_, '_, '_, '_> {
    fn run(mut self) {
        let grammar = self.grammar;
        while self.at < self.code.len() {
            if self.lines_below.is_some_and(|(start, _)| self.at >= start) {
                self.take_lines_below();
                continue;
            }
            let state = &grammar.states[usize::from(self.state)];
            let candidates = state.starts[usize::from(self.code[self.at])];
            if candidates == 0 {
                self.at += 1;
            } else if !self.take_first(&state.rules, candidates) {
                self.at = scan::run(self.code, self.at + 1, scan::is_continuation);
            }
        }
    }

    /// Takes the token of the first rule that fits here.
    fn take_first(&mut self, rules: &[Rule], mut candidates: u32) -> bool {
        while candidates != 0 {
            let rule = &rules[candidates.trailing_zeros() as usize];
            if self.is_place(rule.place) && self.take(rule) {
                self.follow(rule.then);
                return true;
            }
            candidates &= candidates - 1;
        }
        false
    }

    fn is_place(&self, place: Place) -> bool {
        let before = || self.code[self.at.saturating_sub(MAX_INDENT)..self.at].iter().rev();
        match place {
            Place::Anywhere => true,
            Place::Column0 => before().next().is_none_or(|byte| *byte == b'\n'),
            Place::AfterSpace => before().next().is_none_or(u8::is_ascii_whitespace),
            Place::LineStart => self.is_line_start(before().find(|byte| !matches!(byte, b' ' | b'\t'))),
            Place::EntryStart => self.is_line_start(before().find(|byte| !matches!(byte, b' ' | b'\t' | b'-'))),
            Place::Expression => self.may_begin_expression(),
        }
    }

    /// Whether what stands before the blanks before this place is the end of another line, or nothing.
    fn is_line_start(&self, before: Option<&u8>) -> bool {
        before.map_or(self.at <= MAX_INDENT, |byte| *byte == b'\n')
    }

    /// Whether a value can not have ended just before, so that a slash does not divide.
    fn may_begin_expression(&self) -> bool {
        let blanks = self.code[..self.at].iter().rev().take(scan::LOOK_AHEAD);
        let end = self.at - blanks.take_while(|byte| byte.is_ascii_whitespace()).count();
        match self.code[..end].last() {
            None => true,
            Some(b')' | b']' | b'}' | b'"' | b'\'' | b'`') => false,
            Some(byte) if self.grammar.in_name[usize::from(*byte)] => end == self.keyword_end && end > 0,
            Some(_) => true,
        }
    }

    fn follow(&mut self, then: Then) {
        match then {
            Then::Stay => {}
            Then::Push(state) => {
                if self.states.len() < MAX_STATES {
                    self.states.push(self.state);
                    self.state = state;
                }
            }
            Then::Pop => self.state = self.states.pop().unwrap_or(0),
            Then::Embed { language, until } => {
                self.state = self.states.pop().unwrap_or(0);
                self.embed(language, until);
            }
        }
    }

    /// Reads another language up to a text.
    fn embed(&mut self, language: &str, until: &str) {
        let length = memchr::memmem::find(&self.code[self.at..], until.as_bytes());
        let end = length.map_or(self.code.len(), |length| self.at + length);
        if let Some(grammar) = super::language(language).filter(|_| self.depth < MAX_EMBEDDED) {
            run(self.spans, &self.code[..end], self.at, grammar, self.depth + 1);
        }
        self.at = end;
    }

    /// Takes a token if it is one by this rule.
    fn take(&mut self, rule: &Rule) -> bool {
        let end = match rule.pattern {
            Pattern::Word => return self.take_word(),
            Pattern::Quoted(quote) => return self.starts_with(quote.open) && self.take_quoted(rule.class, &quote),
            Pattern::Fenced(Fence::Heredoc) => return self.take_heredoc(),
            _ => self.end_of(rule.pattern),
        };
        if let Some(end) = end {
            self.token(rule.class, end);
        }
        end.is_some()
    }

    fn token(&mut self, class: Class, end: usize) {
        self.spans.token(class, self.at, end);
        self.at = end;
    }

    fn starts_with(&self, text: &str) -> bool {
        self.code[self.at..].starts_with(text.as_bytes())
    }

    /// The end of a token of one piece.
    fn end_of(&self, pattern: Pattern) -> Option<usize> {
        let (code, at) = (self.code, self.at);
        match pattern {
            Pattern::Exact(text) => self.starts_with(text).then_some(at + text.len()),
            Pattern::Line(open) => self.starts_with(open).then(|| scan::line_end(code, at)),
            Pattern::Block { open, close, nested } if self.starts_with(open) => Some(if nested {
                scan::after_nested(code, at + open.len(), open.as_bytes(), close.as_bytes())
            } else {
                scan::after(code, at + open.len(), close.as_bytes())
            }),
            Pattern::Fenced(Fence::Rust) => scan::rust_string(code, at),
            Pattern::Fenced(Fence::Cpp) => scan::cpp_string(code, at),
            Pattern::Fenced(Fence::Lua) => scan::lua_string(code, at),
            Pattern::Fenced(Fence::Dollar) => scan::dollar_string(code, at),
            Pattern::Regex => scan::regex(code, at),
            Pattern::Character => scan::character(code, at),
            Pattern::Name => Some(self.name_end(at)),
            Pattern::Number => self.starts_number().then(|| scan::number(code, at)),
            Pattern::Sigil(sign) if self.starts_with(sign) => self.name_after(at + sign.len()),
            Pattern::Directive(sign) if self.starts_with(sign) => {
                self.name_after(scan::skip_blanks(code, at + sign.len()))
            }
            Pattern::Label(sign) => self.label_end(sign),
            Pattern::Key(sign) => self.key_end(sign),
            _ => None,
        }
    }

    /// Whether a digit is here, or a point with one behind it that is not the end of a range, `0..10`.
    fn starts_number(&self) -> bool {
        let (code, at) = (self.code, self.at);
        code[at] != b'.' || (code.get(at + 1).is_some_and(u8::is_ascii_digit) && !code[..at].ends_with(b"."))
    }

    fn name_end(&self, from: usize) -> usize {
        scan::run(self.code, from, |byte| self.grammar.in_name[usize::from(byte)])
    }

    fn name_after(&self, from: usize) -> Option<usize> {
        let end = self.name_end(from);
        (end > from).then_some(end)
    }

    /// The end of a name before a sign that stands alone, unlike in `::` and `:=`. A colon follows at once.
    fn label_end(&self, sign: u8) -> Option<usize> {
        let end = self.name_end(self.at);
        let at = if sign == b':' { end } else { scan::skip_blanks(self.code, end) };
        let alone = !matches!(self.code.get(at + 1), Some(next) if *next == sign || *next == b'=');
        (self.code.get(at) == Some(&sign) && alone).then_some(end)
    }

    /// The end of what stands before a sign on this line; a colon counts only before a space.
    fn key_end(&self, sign: u8) -> Option<usize> {
        if self.starts_with("- ") {
            return None;
        }
        let limit = self.code.len().min(self.at + scan::LOOK_AHEAD);
        for at in self.at..limit {
            let byte = self.code[at];
            if byte == sign && (sign != b':' || self.code.get(at + 1).is_none_or(u8::is_ascii_whitespace)) {
                let trimmed = self.code[self.at..at].trim_ascii_end().len();
                return (trimmed > 0).then_some(self.at + trimmed);
            }
            if matches!(byte, b'\n' | b'"' | b'\'' | b'{' | b'[' | b'#' | b',') {
                return None;
            }
        }
        None
    }

    /// Takes a word of the language, or a name that its neighbours explain.
    fn take_word(&mut self) -> bool {
        let end = self.name_end(self.at);
        if end == self.at {
            // What may begin a name need not belong to one.
            return false;
        }
        let class = self.class_of_word(end);
        if class == Class::Keyword {
            self.keyword_end = end;
        }
        self.token(class, end);
        true
    }

    fn class_of_word(&self, end: usize) -> Class {
        let word = &self.code[self.at..end];
        let grammar = self.grammar;
        let next = self.code.get(end);
        if matches!(next, Some(b'"' | b'\'')) && is_prefix(grammar.string_prefixes, word) {
            return Class::String;
        }
        let is_member = self.code[..self.at].ends_with(b".") && !self.code[..self.at].ends_with(b"..");
        let class = if is_member { Class::Plain } else { grammar.words.class_of(word) };
        if class != Class::Plain {
            return class;
        }
        if next == Some(&b'(') || (next == Some(&b'!') && matches!(self.code.get(end + 1), Some(b'(' | b'[' | b'{'))) {
            return grammar.called;
        }
        match word {
            [first, ..] if !first.is_ascii_uppercase() => Class::Plain,
            [_, _, ..] if grammar.capitalised == Class::Type && !word.iter().any(u8::is_ascii_lowercase) => {
                Class::Constant
            }
            _ => grammar.capitalised,
        }
    }

    /// Takes a string with what stands in it.
    fn take_quoted(&mut self, class: Class, quote: &Quote) -> bool {
        let (code, start) = (self.code, self.at);
        let close = quote.close.as_bytes();
        let mut at = start + quote.open.len();
        let mut done = start;
        let end = loop {
            let Some(byte) = code.get(at).copied() else { break code.len() };
            let expression = self.interpolation(quote, byte, at).map(|end| (Class::Interpolation, end));
            let inner = match byte {
                _ if expression.is_some() => expression,
                b'\n' if !quote.multiline => break at,
                byte if byte == quote.escape && byte != 0 => Some((Class::Escape, scan::escape(code, at))),
                byte if byte == close[0] && code[at..].starts_with(close) => {
                    at += close.len();
                    if !(quote.doubled && code[at..].starts_with(close)) {
                        break at;
                    }
                    at += close.len();
                    continue;
                }
                _ => None,
            };
            match inner {
                Some((inner_class, end)) => {
                    self.spans.token(class, done, at);
                    self.spans.token(inner_class, at, end);
                    (at, done) = (end, end);
                }
                None => at += 1,
            }
        };
        let is_key = quote.key && code.get(scan::skip_blanks(code, end)) == Some(&b':');
        self.spans.token(if is_key { Class::Attribute } else { class }, done, end);
        self.at = end;
        true
    }

    /// The end of an expression or variable in a string, if one begins here.
    fn interpolation(&self, quote: &Quote, byte: u8, at: usize) -> Option<usize> {
        let expression = quote.expression.as_bytes();
        if expression.first() == Some(&byte) && self.code[at..].starts_with(expression) {
            return scan::expression(self.code, at, at + expression.len());
        }
        (quote.sigil == byte && byte != 0).then(|| self.name_after(at + 1)).flatten()
    }

    fn take_heredoc(&mut self) -> bool {
        if self.no_heredoc || self.lines_below.is_some() || !self.starts_with("<<") {
            return false;
        }
        let Some((end, word)) = scan::heredoc(self.code, self.at) else { return false };
        let start = scan::next_line(self.code, end);
        match scan::heredoc_end(self.code, start, word) {
            Some(lines_end) => {
                self.lines_below = Some((start, lines_end));
                self.token(Class::String, end);
            }
            None => self.no_heredoc = true,
        }
        !self.no_heredoc
    }

    fn take_lines_below(&mut self) {
        if let Some((_, end)) = self.lines_below.take().filter(|(_, end)| *end > self.at) {
            self.token(Class::String, end);
        }
    }
}

fn is_prefix(prefixes: &str, word: &[u8]) -> bool {
    word.len() <= 3 && prefixes.split_ascii_whitespace().any(|prefix| prefix.as_bytes().eq_ignore_ascii_case(word))
}
