//! Hostile text made harmless before it is parsed.
//!
//! Two things are changed, both of which no reader would miss. Control characters, which neither HTML nor a feed may
//! hold, become U+FFFD. And quotes and lists nested deeper than [`MAX_NESTING`] become text from there on: the parser
//! looks at every open container at every line, so that a line of 50,000 `>` before 50,000 lines would cost billions
//! of steps.

use std::borrow::Cow;

/// How many markers of quotes and lists one line may open.
pub(super) const MAX_NESTING: usize = 100;

/// How far a line may be indented: deeper, only staircases of lists go, which nest without many markers on a line.
pub(super) const MAX_INDENT: usize = 500;

/// The text, changed only if it has to be.
pub(super) fn prepare(markdown: &str) -> Cow<'_, str> {
    let clean = without_controls(markdown);
    match limit_nesting(&clean) {
        Some(limited) => Cow::Owned(limited),
        None => clean,
    }
}

fn without_controls(markdown: &str) -> Cow<'_, str> {
    // In pieces without an early way out, so that each is looked at in a few vector instructions.
    let has_control = |piece: &[u8]| piece.iter().fold(0_u8, |found, byte| found | u8::from(is_forbidden(*byte))) != 0;
    if !markdown.as_bytes().chunks(256).any(has_control) {
        return Cow::Borrowed(markdown);
    }
    Cow::Owned(markdown.replace(|c: char| u8::try_from(c).is_ok_and(is_forbidden), "\u{FFFD}"))
}

/// Whether HTML or XML forbids the character of this byte.
pub(super) fn is_forbidden(byte: u8) -> bool {
    byte < b' ' && byte != b'\n' && byte != b'\t' && byte != b'\r'
}

fn limit_nesting(text: &str) -> Option<String> {
    let mut limited: Option<String> = None;
    let mut done = 0;
    let mut line_start = 0;
    while line_start < text.len() {
        let line_end = memchr::memchr2(b'\n', b'\r', &text.as_bytes()[line_start..])
            .map_or(text.len(), |length| line_start + length);
        // Shorter lines can hold no excess.
        let line = &text.as_bytes()[line_start..line_end];
        if let Some(excess) = Some(line).filter(|line| line.len() > MAX_NESTING).and_then(Excess::find) {
            let out = limited.get_or_insert_with(|| String::with_capacity(text.len() + 1));
            out.push_str(&text[done..line_start + excess.at]);
            out.push_str(excess.insert);
            done = line_start + excess.at + excess.skip;
        }
        line_start = line_end + 1;
    }
    limited.as_mut()?.push_str(&text[done..]);
    limited
}

/// The place in a line from which it nests too deep, and what to put there instead of `skip` bytes.
struct Excess {
    at: usize,
    skip: usize,
    insert: &'static str,
}

impl Excess {
    fn find(line: &[u8]) -> Option<Self> {
        let (mut at, mut markers, mut spaces) = (0, 0, 0);
        while at < line.len() {
            if matches!(line[at], b' ' | b'\t') {
                spaces += 1;
                if spaces == MAX_INDENT {
                    let skip = line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    return Some(Self { at, skip, insert: " \\" });
                }
                at += 1;
                continue;
            }
            let length = marker_length(&line[at..])?;
            markers += 1;
            if markers > MAX_NESTING {
                return (!is_rule(line)).then_some(Self { at: at + length - 1, skip: 0, insert: "\\" });
            }
            at += length;
        }
        None
    }
}

/// The length of the marker of a quote, list item or footnote at the start of a text, if there is one.
fn marker_length(text: &[u8]) -> Option<usize> {
    let length = match text.first()? {
        b'>' => return Some(1),
        b'-' | b'+' | b'*' => 1,
        b'0'..=b'9' => {
            let digits = text.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
            matches!(text.get(digits), Some(b'.' | b')')).then_some(digits + 1)?
        }
        b'[' if text.starts_with(b"[^") => {
            let label = memchr::memchr(b']', text.get(..1_000).unwrap_or(text))?;
            return (text.get(label + 1) == Some(&b':')).then_some(label + 2);
        }
        _ => return None,
    };
    matches!(text.get(length), None | Some(b' ' | b'\t')).then_some(length)
}

/// Whether a line is a thematic break, which looks like a row of list items.
fn is_rule(line: &[u8]) -> bool {
    let mut signs = line.iter().filter(|byte| !matches!(byte, b' ' | b'\t' | b'>'));
    let first = signs.next();
    matches!(first, Some(b'-' | b'*')) && signs.all(|sign| Some(sign) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_not_copied() {
        let long_line = format!("> - 1. [a](b)\n\n    code{}\n", " word".repeat(500));
        assert!(matches!(prepare(&long_line), Cow::Borrowed(_)));
    }

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(prepare("a\0b\x08c\td\r\n"), "a\u{FFFD}b\u{FFFD}c\td\r\n");
    }

    #[test]
    fn the_first_marker_too_deep_becomes_text() {
        let text = prepare(&">".repeat(300)).into_owned();
        assert_eq!(text, format!("{}\\{}", ">".repeat(MAX_NESTING), ">".repeat(300 - MAX_NESTING)));
    }

    #[test]
    fn numbered_items_are_escaped_before_their_delimiter() {
        let text = prepare(&"10. ".repeat(101)).into_owned();
        assert!(text.ends_with("10. 10\\. "), "{text}");
    }

    #[test]
    fn a_wide_thematic_break_stays_one() {
        assert!(matches!(prepare(&"- ".repeat(500)), Cow::Borrowed(_)));
    }

    #[test]
    fn an_endless_indentation_is_shortened() {
        let text = format!("{}- a\n", " ".repeat(5_000));
        assert_eq!(prepare(&text).trim_start(), "\\- a\n");
        assert_eq!(prepare(&text).len(), MAX_INDENT + "\\- a\n".len());
    }
}
