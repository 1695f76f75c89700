//! HTML that the author wrote: passed on as it is, but for the links in it, which follow the rules of all links.
//!
//! A scanner, no parser: it knows tags, attributes, comments and the elements whose content is no markup, and that is
//! enough to find `href`, `src`, `poster` and `id`.

use std::ops::Range;

use super::links::{Links, Target};
use super::output::Output;

/// Elements whose content is text, whatever it looks like.
const TEXT_ELEMENTS: [&str; 4] = ["script", "style", "textarea", "title"];

/// Writes a piece of HTML with its links resolved and its ids marked.
pub(super) fn write(out: &mut Output, links: &mut Links<'_>, html: &str) {
    let mut scanner = Scanner { html, done: 0, out, links };
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', &html.as_bytes()[at..]) {
        at = scanner.markup(at + open);
    }
    let rest = scanner.done;
    out.push(&html[rest..]);
}

struct Scanner<'h, 'w, 'o> {
    html: &'h str,
    /// How much of the HTML is written.
    done: usize,
    out: &'w mut Output,
    links: &'w mut Links<'o>,
}

impl Scanner<'_, '_, '_> {
    /// Goes past the markup that begins with the `<` at a place.
    fn markup(&mut self, open: usize) -> usize {
        let rest = &self.html[open..];
        if rest.starts_with("<!--") {
            return self.after(open + 4, "-->");
        }
        if !rest.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic) {
            return open + 1;
        }
        let name_end = self.skip(open + 1, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let name = &self.html[open + 1..name_end];
        let end = self.attributes(name_end);
        if TEXT_ELEMENTS.iter().any(|element| name.eq_ignore_ascii_case(element)) {
            return self.content_end(end, name);
        }
        end
    }

    /// Goes past the attributes of a tag and its `>`.
    fn attributes(&mut self, mut at: usize) -> usize {
        loop {
            at = self.skip(at, |byte| byte.is_ascii_whitespace() || byte == b'/');
            match self.html.as_bytes().get(at) {
                None => return at,
                Some(b'>') => return at + 1,
                Some(_) => at = self.attribute(at),
            }
        }
    }

    fn attribute(&mut self, start: usize) -> usize {
        let is_name = |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'>' | b'/');
        let name_end = self.skip(start + 1, is_name);
        let equals = self.skip(name_end, |byte| byte.is_ascii_whitespace());
        if self.html.as_bytes().get(equals) != Some(&b'=') {
            return name_end;
        }
        let open = self.skip(equals + 1, |byte| byte.is_ascii_whitespace());
        let (value, end) = match self.html.as_bytes().get(open) {
            Some(quote @ (b'"' | b'\'')) => {
                let close = self.skip(open + 1, |byte| byte != *quote);
                (open + 1..close, (close + 1).min(self.html.len()))
            }
            _ => {
                let close = self.skip(open, |byte| !byte.is_ascii_whitespace() && byte != b'>');
                (open..close, close)
            }
        };
        let name = &self.html[start..name_end];
        if ["href", "src", "poster"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
            self.link(value);
        } else if name.eq_ignore_ascii_case("id") {
            self.id(start..end);
        }
        end
    }

    fn link(&mut self, value: Range<usize>) {
        let url = &self.html[value.clone()];
        match self.links.resolve(url) {
            Target::Elsewhere => {}
            Target::Fragment => {
                self.write_to(value.start);
                self.out.mark_fragment();
            }
            Target::Site => {
                self.write_to(value.start);
                self.out.mark_root();
                self.out.push(self.links.address());
                self.done = value.end;
            }
        }
    }

    /// Marks an id with the space before it, which may go with it only where it separates nothing.
    fn id(&mut self, attribute: Range<usize>) {
        let separated = self.html.as_bytes().get(attribute.end).is_none_or(|byte| b" \t\n\r/>".contains(byte));
        let spaced = self.html.as_bytes()[attribute.start - 1].is_ascii_whitespace();
        self.write_to(attribute.start - usize::from(separated && spaced));
        let start = self.out.html.len();
        self.write_to(attribute.end);
        self.out.mark_id(start..self.out.html.len());
    }

    fn write_to(&mut self, end: usize) {
        self.out.push(&self.html[self.done..end]);
        self.done = end;
    }

    fn skip(&self, from: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let bytes = self.html.as_bytes();
        let from = from.min(bytes.len());
        bytes[from..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| from + length)
    }

    fn after(&self, from: usize, end: &str) -> usize {
        self.html[from..].find(end).map_or(self.html.len(), |length| from + length + end.len())
    }

    /// The end of the content of an element that holds only text.
    fn content_end(&self, from: usize, name: &str) -> usize {
        let bytes = self.html.as_bytes();
        memchr::memmem::find_iter(&bytes[from..], b"</")
            .map(|length| from + length)
            .find(|close| {
                bytes
                    .get(close + 2..close + 2 + name.len())
                    .is_some_and(|end| end.eq_ignore_ascii_case(name.as_bytes()))
            })
            .unwrap_or(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::MarkdownOptions;

    fn written(html: &str) -> (String, Vec<String>) {
        let options = MarkdownOptions::new("/blog", "/p/");
        let (mut out, mut links) = (Output::default(), Links::new(&options));
        write(&mut out, &mut links, html);
        (out.html, links.into_seen())
    }

    #[test]
    fn links_of_tags_are_resolved_and_noted() {
        let (html, seen) = written("<a class=x HREF='/a?b#c'>t</a><img src=i.png alt=\"<a href='/no'>\"/>");
        assert_eq!(html, "<a class=x HREF='/blog/a?b#c'>t</a><img src=/blog/p/i.png alt=\"<a href='/no'>\"/>");
        assert_eq!(seen, ["/a", "/p/i.png"]);
    }

    #[test]
    fn comments_and_scripts_are_no_markup() {
        let html = "<!-- <a href='/x'> --><script src='/y'>'<a href=\"/z\">'</SCRIPT><style><a href='/w'></style>";
        let (_, seen) = written(html);
        assert_eq!(seen, ["/y"]);
    }

    #[test]
    fn whatever_is_not_closed_ends_with_the_text() {
        for html in ["<", "<a", "<a href", "<a href=", "<a b=\"", "<a b='x", "<!--", "<script>", "</", "<a =", "<a /"] {
            assert_eq!(written(html).0, html);
        }
    }

    #[test]
    fn ids_can_be_left_out_without_gluing_attributes() {
        let options = MarkdownOptions::new("", "/");
        let (mut out, mut links) = (Output::default(), Links::new(&options));
        write(&mut out, &mut links, "<a id=\"x\">1</a><a id=\"x\"class=y>2</a><a href=\"#x\">3</a>");
        let embedded = super::super::output::embed(&out.html, &out.marks, "", "/page/");
        assert_eq!(embedded, "<a>1</a><a class=y>2</a><a href=\"/page/#x\">3</a>");
    }
}
