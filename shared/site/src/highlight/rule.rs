//! The words in which a language is described: all of them constants, none of them code.

use super::class::Class;

/// A language as data.
#[derive(Debug)]
pub(super) struct Language {
    /// What a fence may call it, the usual name first, in lower case.
    pub(super) names: &'static [&'static str],
    /// Words with a meaning of their own, by class, separated by spaces.
    pub(super) words: &'static [(Class, &'static str)],
    /// What a name may hold besides letters, digits and `_`.
    pub(super) name_bytes: &'static str,
    /// What may begin a name besides letters and `_`.
    pub(super) name_starts: &'static str,
    /// `SELECT` and `select` are one word.
    pub(super) any_case: bool,
    /// A name that begins with a capital is this.
    pub(super) capitalised: Class,
    /// A name before `(` is this.
    pub(super) called: Class,
    /// Letters that belong to the string behind them, `b"…"`.
    pub(super) string_prefixes: &'static str,
    /// The states that the lexer can be in, each made of groups of rules; the earlier rule wins. It begins in the first.
    pub(super) states: &'static [&'static [&'static [Rule]]],
}

impl Language {
    /// What most languages have in common.
    pub(super) const COMMON: Self = Self {
        names: &[],
        words: &[],
        name_bytes: "",
        name_starts: "",
        any_case: false,
        capitalised: Class::Plain,
        called: Class::Function,
        string_prefixes: "",
        states: &[],
    };
}

/// A kind of token: where it may begin, how it looks, what it is, and what follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) place: Place,
    pub(super) pattern: Pattern,
    pub(super) class: Class,
    pub(super) then: Then,
}

/// Where a token may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    /// In the first column.
    Column0,
    /// With nothing but space before it on its line.
    LineStart,
    /// Likewise, but for the dashes of a YAML list.
    EntryStart,
    /// After space or at the start of a line.
    AfterSpace,
    /// Where an expression may begin, as a regular expression must.
    Expression,
}

/// How a token looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pattern {
    /// Just this.
    Exact(&'static str),
    /// From this to the end of the line.
    Line(&'static str),
    /// From here to there, over lines; nested or not.
    Block {
        open: &'static str,
        close: &'static str,
        nested: bool,
    },
    Quoted(Quote),
    /// Strings whose end depends on their start.
    Fenced(Fence),
    /// A regular expression between slashes.
    Regex,
    /// `'x'` or `'\n'`, but not the lone quote of a lifetime or a name.
    Character,
    /// A name or word; what it is follows from the language's lists.
    Word,
    /// A name, whatever the lists say.
    Name,
    Number,
    /// A sign with a name behind it: `$name`, `@name`.
    Sigil(&'static str),
    /// A sign and a name with space between them: `# include`.
    Directive(&'static str),
    /// A name before this sign, `name:`; the sign stays outside.
    Label(u8),
    /// Everything on the line before this sign; the sign stays outside.
    Key(u8),
}

/// A string between quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// What makes the next character lose its meaning; 0 for nothing.
    pub(super) escape: u8,
    /// The closing quote twice stands for one.
    pub(super) doubled: bool,
    pub(super) multiline: bool,
    /// What begins an expression inside, `${`; its bracket ends it.
    pub(super) expression: &'static str,
    /// What begins a variable inside, `$`; 0 for nothing.
    pub(super) sigil: u8,
    /// Before a colon it is a key.
    pub(super) key: bool,
}

/// The strings whose end depends on their start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fence {
    /// `r#"…"#`
    Rust,
    /// `R"x(…)x"`
    Cpp,
    /// `[==[…]==]`
    Lua,
    /// `$x$…$x$`
    Dollar,
    /// `<<X` and the lines to `X`
    Heredoc,
}

/// What the lexer does behind a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Stay,
    /// Goes into another state, to return.
    Push(u8),
    Pop,
    /// Leaves the state, and reads another language up to this text.
    Embed {
        language: &'static str,
        until: &'static str,
    },
}

const fn rule(pattern: Pattern, class: Class) -> Rule {
    Rule { place: Place::Anywhere, pattern, class, then: Then::Stay }
}

/// A comment to the end of the line.
pub(super) const fn line(open: &'static str) -> Rule {
    rule(Pattern::Line(open), Class::Comment)
}

/// A comment from here to there.
pub(super) const fn block(open: &'static str, close: &'static str) -> Rule {
    rule(Pattern::Block { open, close, nested: false }, Class::Comment)
}

/// A comment that may hold comments.
pub(super) const fn nested(open: &'static str, close: &'static str) -> Rule {
    rule(Pattern::Block { open, close, nested: true }, Class::Comment)
}

/// A string on one line with backslash escapes.
pub(super) const fn quoted(quote: &'static str) -> Rule {
    between(quote, quote)
}

/// Likewise, with different quotes at both ends.
pub(super) const fn between(open: &'static str, close: &'static str) -> Rule {
    let quote =
        Quote { open, close, escape: b'\\', doubled: false, multiline: false, expression: "", sigil: 0, key: false };
    rule(Pattern::Quoted(quote), Class::String)
}

/// Just this text.
pub(super) const fn exact(text: &'static str, class: Class) -> Rule {
    rule(Pattern::Exact(text), class)
}

/// A sign with a name behind it.
pub(super) const fn sigil(sign: &'static str, class: Class) -> Rule {
    rule(Pattern::Sigil(sign), class)
}

/// A sign with a name behind it at the start of a line.
pub(super) const fn directive(sign: &'static str) -> Rule {
    rule(Pattern::Directive(sign), Class::Preprocessor).at(Place::LineStart)
}

/// A name before a sign.
pub(super) const fn label(sign: u8, class: Class) -> Rule {
    rule(Pattern::Label(sign), class)
}

/// The line before a sign.
pub(super) const fn key(sign: u8, class: Class) -> Rule {
    rule(Pattern::Key(sign), class)
}

/// A string whose end depends on its start.
pub(super) const fn fenced(fence: Fence) -> Rule {
    rule(Pattern::Fenced(fence), Class::String)
}

/// A name of one class.
pub(super) const fn name(class: Class) -> Rule {
    rule(Pattern::Name, class)
}

/// Words and names.
pub(super) const WORD: Rule = rule(Pattern::Word, Class::Plain);
/// Numbers.
pub(super) const NUMBER: Rule = rule(Pattern::Number, Class::Number);
/// Characters in single quotes.
pub(super) const CHARACTER: Rule = rule(Pattern::Character, Class::String);
/// Regular expressions between slashes.
pub(super) const REGEX: Rule = rule(Pattern::Regex, Class::Regex).at(Place::Expression);
/// `// …` and `/* … */`.
pub(super) const C_COMMENTS: &[Rule] = &[line("//"), block("/*", "*/")];
/// `# …`.
pub(super) const HASH_COMMENT: &[Rule] = &[line("#")];
/// `"…"` and `'…'`.
pub(super) const QUOTES: &[Rule] = &[quoted("\""), quoted("'")];
/// Numbers and words: the last group of most languages.
pub(super) const WORDS: &[Rule] = &[NUMBER, WORD];

impl Rule {
    pub(super) const fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    pub(super) const fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    pub(super) const fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    /// The string may go over lines.
    pub(super) const fn multiline(self) -> Self {
        match self.pattern {
            Pattern::Quoted(quote) => self.with(Quote { multiline: true, ..quote }),
            _ => self,
        }
    }

    /// Nothing in the string is an escape.
    pub(super) const fn raw(self) -> Self {
        match self.pattern {
            Pattern::Quoted(quote) => self.with(Quote { escape: 0, ..quote }),
            _ => self,
        }
    }

    /// This makes the next character lose its meaning.
    pub(super) const fn escaped_by(self, escape: u8) -> Self {
        match self.pattern {
            Pattern::Quoted(quote) => self.with(Quote { escape, ..quote }),
            _ => self,
        }
    }

    /// The quote twice stands for one.
    pub(super) const fn doubled(self) -> Self {
        match self.pattern {
            Pattern::Quoted(quote) => self.with(Quote { escape: 0, doubled: true, ..quote }),
            _ => self,
        }
    }

    /// This begins an expression inside.
    pub(super) const fn expression(self, expression: &'static str) -> Self {
        match self.pattern {
            Pattern::Quoted(quote) => self.with(Quote { expression, ..quote }),
            _ => self,
        }
    }

    /// This begins a variable inside.
    pub(super) const fn variable(self, sigil: u8) -> Self {
        match self.pattern {
            Pattern::Quoted(quote) => self.with(Quote { sigil, ..quote }),
            _ => self,
        }
    }

    /// Before a colon, the string is a key.
    pub(super) const fn or_key(self) -> Self {
        match self.pattern {
            Pattern::Quoted(quote) => self.with(Quote { key: true, ..quote }),
            _ => self,
        }
    }

    const fn with(mut self, quote: Quote) -> Self {
        self.pattern = Pattern::Quoted(quote);
        self
    }
}
