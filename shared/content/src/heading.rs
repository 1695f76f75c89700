//! The heading at the head of a text, which is the title of a post that has no other.

use std::ops::Range;

/// A first heading: its text, and where the rest of the post begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heading<'a> {
    pub(crate) text: &'a str,
    /// What the heading takes up of the text, with the blank lines around it.
    pub(crate) span: Range<usize>,
}

/// Finds `# Title`, or a line underlined with `=`, if the text begins with one.
pub(crate) fn find(text: &str) -> Option<Heading<'_>> {
    let blank = text.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum();
    let mut lines = text[blank..].split_inclusive('\n');
    let first = lines.next()?;
    let (title, mut end) = match atx(first) {
        Some(title) => (title, blank + first.len()),
        None => {
            let underline = lines.next()?;
            (setext(first, underline)?, blank + first.len() + underline.len())
        }
    };
    end += text[end..].split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum::<usize>();
    (!title.is_empty()).then_some(Heading { text: title, span: 0..end })
}

fn indent_is_small(line: &str) -> bool {
    line.len() - line.trim_start_matches(' ').len() <= 3
}

fn atx(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches(' ').strip_prefix('#')?;
    if !indent_is_small(line) || !rest.starts_with([' ', '\t', '\n', '\r']) {
        return None;
    }
    let title = rest.trim();
    let without_closing = title.trim_end_matches('#');
    let closes = without_closing.is_empty() || without_closing.ends_with([' ', '\t']);
    Some(if closes { without_closing.trim_end() } else { title })
}

fn setext<'a>(line: &'a str, underline: &str) -> Option<&'a str> {
    let is_underline = indent_is_small(underline)
        && underline.trim_start().starts_with('=')
        && underline.trim().bytes().all(|b| b == b'=');
    let begins_otherwise = line.trim_start().starts_with(['>', '-', '*', '+', '#', '`', '~', '<', '|']);
    (is_underline && indent_is_small(line) && !begins_otherwise).then(|| line.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_headings_are_found() {
        for (text, title, rest) in [
            ("# Hello\n\nText", "Hello", "Text"),
            ("\n\n  # Hello ##\nText", "Hello", "Text"),
            ("# C#\n", "C#", ""),
            ("#\tTab", "Tab", ""),
            ("Hello\n=====\n\n\nText", "Hello", "Text"),
            ("# Hello\r\n\r\nText", "Hello", "Text"),
        ] {
            let heading = find(text).unwrap();
            assert_eq!((heading.text, &text[heading.span.end..]), (title, rest), "{text:?}");
        }
        for text in
            ["", "Text\n# Late", "#tag", "## Second", "    # code", "> x\n===", "#\n", "Text\n\n===", "text\n---"]
        {
            assert_eq!(find(text), None, "{text:?}");
        }
    }
}
