//! A language made ready for the lexer: for each byte the rules that may begin with it, words in a hash table.

use super::class::Class;
use super::rule::{Fence, Language, Pattern, Rule};

/// A language, ready to be used.
#[derive(Debug)]
pub(crate) struct Grammar {
    pub(super) states: Vec<State>,
    pub(super) words: Words,
    pub(super) in_name: [bool; 256],
    pub(super) capitalised: Class,
    pub(super) called: Class,
    pub(super) string_prefixes: &'static str,
}

/// The rules of one state of the lexer.
#[derive(Debug)]
pub(super) struct State {
    pub(super) rules: Vec<Rule>,
    /// For each byte, a bit for each rule that may begin with it.
    pub(super) starts: [u32; 256],
}

impl Grammar {
    pub(super) fn new(language: &Language) -> Self {
        let in_name = name_bytes(language.name_bytes, true);
        let starts_name = name_bytes(language.name_starts, false);
        let states = language.states.iter().map(|groups| State::new(&groups.concat(), &in_name, &starts_name));
        Self {
            states: states.collect(),
            words: Words::new(language.words, language.any_case),
            in_name,
            capitalised: language.capitalised,
            called: language.called,
            string_prefixes: language.string_prefixes,
        }
    }
}

fn name_bytes(extra: &str, digits: bool) -> [bool; 256] {
    std::array::from_fn(|i| {
        let byte = u8::try_from(i).unwrap_or(u8::MAX);
        byte.is_ascii_alphabetic()
            || byte == b'_'
            || byte >= 0x80
            || (digits && byte.is_ascii_digit())
            || extra.as_bytes().contains(&byte)
    })
}

impl State {
    fn new(rules: &[Rule], in_name: &[bool; 256], starts_name: &[bool; 256]) -> Self {
        debug_assert!(rules.len() <= 32, "a state has at most 32 rules");
        let mut starts = [0_u32; 256];
        for (index, rule) in rules.iter().enumerate().take(32) {
            for (byte, mask) in (0..=u8::MAX).zip(&mut starts) {
                let names = if matches!(rule.pattern, Pattern::Name) { in_name } else { starts_name };
                if may_start(&rule.pattern, byte, names) {
                    *mask |= 1 << index;
                }
            }
        }
        Self { rules: rules.to_vec(), starts }
    }
}

fn may_start(pattern: &Pattern, byte: u8, names: &[bool; 256]) -> bool {
    match pattern {
        Pattern::Exact(text) | Pattern::Line(text) | Pattern::Sigil(text) | Pattern::Directive(text) => {
            text.as_bytes().first() == Some(&byte)
        }
        Pattern::Block { open, .. } => open.as_bytes().first() == Some(&byte),
        Pattern::Quoted(quote) => quote.open.as_bytes().first() == Some(&byte),
        Pattern::Fenced(fence) => match fence {
            Fence::Rust => matches!(byte, b'r' | b'b' | b'c'),
            Fence::Cpp => byte == b'R',
            Fence::Lua => byte == b'[',
            Fence::Dollar => byte == b'$',
            Fence::Heredoc => byte == b'<',
        },
        Pattern::Regex => byte == b'/',
        Pattern::Character => byte == b'\'',
        Pattern::Word | Pattern::Name | Pattern::Label(_) => names[usize::from(byte)],
        Pattern::Number => byte.is_ascii_digit() || byte == b'.',
        Pattern::Key(_) => byte > b' ' && !matches!(byte, b'#' | b'[' | b'{' | b'"' | b'\''),
    }
}

/// The words that mean something, hashed openly.
#[derive(Debug)]
pub(super) struct Words {
    slots: Vec<(&'static [u8], Class)>,
    any_case: bool,
    longest: usize,
}

impl Words {
    fn new(groups: &[(Class, &'static str)], any_case: bool) -> Self {
        let count: usize = groups.iter().map(|(_, words)| words.split_ascii_whitespace().count()).sum();
        let mut words =
            Self { slots: vec![(b"", Class::Plain); (count * 2 + 1).next_power_of_two()], any_case, longest: 0 };
        for (class, group) in groups {
            for word in group.split_ascii_whitespace() {
                words.insert(word.as_bytes(), *class);
            }
        }
        words
    }

    fn insert(&mut self, word: &'static [u8], class: Class) {
        self.longest = self.longest.max(word.len());
        let mut slot = self.first_slot(word);
        while !self.slots[slot].0.is_empty() {
            if self.same(self.slots[slot].0, word) {
                return;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = (word, class);
    }

    /// The class of a word, [`Class::Plain`] for one without meaning.
    pub(super) fn class_of(&self, word: &[u8]) -> Class {
        if word.len() > self.longest || word.is_empty() {
            return Class::Plain;
        }
        let mut slot = self.first_slot(word);
        loop {
            let (known, class) = self.slots[slot];
            if known.is_empty() || self.same(known, word) {
                return class;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    fn same(&self, known: &[u8], word: &[u8]) -> bool {
        known == word || (self.any_case && known.eq_ignore_ascii_case(word))
    }

    /// Length and three letters tell the words of a language apart well enough.
    fn first_slot(&self, word: &[u8]) -> usize {
        let letter = |at: usize| usize::from(word.get(at).map_or(0, u8::to_ascii_lowercase));
        let (first, middle, last) = (letter(0), letter(word.len() / 2), letter(word.len().wrapping_sub(1)));
        let key = (word.len() << 24) ^ (first << 16) ^ (middle << 8) ^ last;
        (key.wrapping_mul(0x9E37_79B9) >> 12) & (self.slots.len() - 1)
    }
}
