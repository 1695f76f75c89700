//! The beginning of a text without markup: for lists, descriptions and feeds.

use pulldown_cmark::{BrokenLink, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::prepare::prepare;

/// Where authors end what stands in lists, as in Hugo and Jekyll.
const MORE: &str = "<!--more-->";

/// How much Markdown is looked at for a character of the excerpt, and at least.
const LOOK_AHEAD: usize = 8;
const LOOK_AHEAD_MIN: usize = 2_048;

/// The plain text of the first paragraphs and list items, at most `max_chars` characters of it.
///
/// Ends at `<!--more-->` if there is one. A text that had to be shortened ends between words and with `…`. Only the
/// beginning of a text is read, however long it is.
#[must_use]
pub fn excerpt(markdown: &str, max_chars: usize) -> String {
    let text = prepare(beginning(markdown, max_chars));
    let mut words = Words { text: String::new(), left: max_chars, full: false };
    let mut callback = |link: BrokenLink<'_>| link_beyond(&link);
    let options = super::SITE.syntax.difference(Options::ENABLE_FOOTNOTES);
    let mut paragraph = Paragraph::default();
    for event in Parser::new_with_broken_link_callback(&text, options, Some(&mut callback)) {
        paragraph.take(event, &mut words);
        if words.full {
            break;
        }
    }
    words.finish()
}

/// The part of a text that is looked at.
fn beginning(markdown: &str, max_chars: usize) -> &str {
    let mut end = markdown.len().min(max_chars.saturating_mul(LOOK_AHEAD).max(LOOK_AHEAD_MIN));
    while !markdown.is_char_boundary(end) {
        end -= 1;
    }
    let window = &markdown[..end];
    window.find(MORE).or_else(|| window.find("<!-- more -->")).map_or(window, |more| &window[..more])
}

/// A reference whose definition may stand further down than we look is a link all the same, `[^1]` is a footnote.
fn link_beyond(link: &BrokenLink<'_>) -> Option<(CowStr<'static>, CowStr<'static>)> {
    let is_footnote = link.reference.starts_with('^');
    let title = if is_footnote { FOOTNOTE } else { "" };
    let is_link = is_footnote || matches!(link.link_type, LinkType::Reference | LinkType::Collapsed);
    is_link.then_some((CowStr::Borrowed(""), CowStr::Borrowed(title)))
}

/// The title by which [`link_beyond`] tells [`Paragraph`] to leave a link's text out.
const FOOTNOTE: &str = "\0footnote";

/// Which of the events are running text.
#[derive(Default)]
struct Paragraph {
    inside: bool,
    in_footnote: bool,
}

impl Paragraph {
    fn take(&mut self, event: Event<'_>, words: &mut Words) {
        match event {
            Event::Start(Tag::Paragraph | Tag::Item) => {
                self.inside = true;
                words.push(" ");
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item)
            | Event::Start(Tag::CodeBlock(_) | Tag::Heading { .. } | Tag::HtmlBlock | Tag::Table(_)) => {
                self.inside = false;
            }
            Event::Start(Tag::Link { title, .. }) => self.in_footnote = &*title == FOOTNOTE,
            Event::End(TagEnd::Link) => self.in_footnote = false,
            Event::Text(text) | Event::Code(text) if self.inside && !self.in_footnote => words.push(&text),
            Event::SoftBreak | Event::HardBreak if self.inside => words.push(" "),
            _ => {}
        }
    }
}

/// Words up to a number of characters, with single spaces.
struct Words {
    text: String,
    left: usize,
    full: bool,
}

impl Words {
    fn push(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() && (self.text.is_empty() || self.text.ends_with(' ')) {
                continue;
            }
            if self.left == 0 && c.is_whitespace() {
                // A space at the very end is no text that is missing.
                continue;
            }
            if self.left == 0 {
                self.full = true;
                return;
            }
            self.left -= 1;
            self.text.push(if c.is_whitespace() { ' ' } else { c });
        }
    }

    fn finish(mut self) -> String {
        if self.full {
            // One character makes room for the ellipsis, and a word that is cut goes with it; but scripts without
            // spaces are cut where they are.
            let is_cut = self.text.pop() != Some(' ');
            let space = self.text.rfind(' ').filter(|space| *space > self.text.len() / 2);
            self.text.truncate(space.filter(|_| is_cut).unwrap_or(self.text.len()));
            self.text.truncate(self.text.trim_end_matches([' ', '.', ',', ';', ':', '–', '—', '-']).len());
            self.text.push('…');
        } else {
            self.text.truncate(self.text.trim_end().len());
        }
        self.text
    }
}
