//! The block elements: headings, lists, tables, quotes, code.

use std::fmt::Write as _;

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, CowStr, HeadingLevel, Tag, TagEnd};

use super::writer::Writer;
use super::{Heading, escape};
use crate::highlight;

/// A heading whose text is under way.
pub(super) struct OpenHeading<'t> {
    pub(super) text: String,
    start: usize,
    level: HeadingLevel,
    id: Option<CowStr<'t>>,
    classes: Vec<CowStr<'t>>,
    attributes: Vec<(CowStr<'t>, Option<CowStr<'t>>)>,
}

/// A code block under way.
pub(super) struct Code<'t> {
    pub(super) text: String,
    info: Option<CowStr<'t>>,
}

/// Where in a table the writer is.
#[derive(Default)]
pub(super) struct Table {
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
}

impl<'t> Writer<'t, '_> {
    pub(super) fn start_block(&mut self, tag: Tag<'t>) {
        match tag {
            Tag::Paragraph => self.open("<p>"),
            Tag::Heading { level, id, classes, attrs } => {
                self.out.fresh_line();
                let start = self.out.html.len();
                let text = String::new();
                self.heading = Some(OpenHeading { text, start, level, id, classes, attributes: attrs });
            }
            Tag::BlockQuote(None) => self.open("<blockquote>\n"),
            Tag::BlockQuote(Some(kind)) => self.open_alert(kind),
            Tag::CodeBlock(kind) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => Some(info),
                    CodeBlockKind::Indented => None,
                };
                self.code = Some(Code { text: String::new(), info });
            }
            Tag::List(first) => self.open_list(first),
            Tag::Item => self.open("<li>"),
            Tag::Table(alignments) => {
                self.table = Table { alignments, column: 0, in_head: true };
                self.open(if self.decorated { TABLE_START } else { "<table>" });
                self.out.push("\n");
            }
            Tag::TableHead => self.open_row("<thead>\n<tr>\n"),
            Tag::TableRow => self.open_row("<tr>\n"),
            Tag::TableCell => self.open_cell(),
            Tag::FootnoteDefinition(label) => {
                self.out.fresh_line();
                self.footnotes.open(&self.out, &label);
            }
            // Inline elements are written already, the others belong to extensions that are not switched on.
            _ => {}
        }
    }

    pub(super) fn end_block(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.out.push("</p>\n"),
            TagEnd::Heading(_) => self.close_heading(),
            TagEnd::BlockQuote(None) => self.close("</blockquote>\n"),
            TagEnd::BlockQuote(Some(_)) => self.close("</div>\n"),
            TagEnd::CodeBlock => self.close_code(),
            TagEnd::List(true) => self.close("</ol>\n"),
            TagEnd::List(false) => self.close("</ul>\n"),
            TagEnd::Item => self.out.push("</li>\n"),
            TagEnd::Table => self.out.push(if self.decorated { TABLE_END } else { "</tbody>\n</table>\n" }),
            TagEnd::TableHead => {
                self.out.push("</tr>\n</thead>\n<tbody>\n");
                self.table.in_head = false;
            }
            TagEnd::TableRow => self.out.push("</tr>\n"),
            TagEnd::TableCell => {
                self.out.push(if self.table.in_head { "</th>\n" } else { "</td>\n" });
                self.table.column += 1;
            }
            TagEnd::FootnoteDefinition => self.footnotes.close(&mut self.out),
            _ => {}
        }
    }

    fn open(&mut self, tag: &str) {
        self.out.fresh_line();
        self.out.push(tag);
    }

    fn close(&mut self, tag: &str) {
        self.out.fresh_line();
        self.out.push(tag);
    }

    fn open_list(&mut self, first: Option<u64>) {
        match first {
            None => self.open("<ul>\n"),
            Some(1) => self.open("<ol>\n"),
            Some(first) => {
                self.out.fresh_line();
                let _ = writeln!(self.out.html, "<ol start=\"{first}\">");
            }
        }
    }

    fn open_row(&mut self, tags: &str) {
        self.table.column = 0;
        self.out.push(tags);
    }

    fn open_cell(&mut self) {
        self.out.push(if self.table.in_head { "<th" } else { "<td" });
        self.out.push(match self.table.alignments.get(self.table.column) {
            Some(Alignment::Left) => " class=\"align-left\">",
            Some(Alignment::Center) => " class=\"align-center\">",
            Some(Alignment::Right) => " class=\"align-right\">",
            Some(Alignment::None) | None => ">",
        });
    }

    fn open_alert(&mut self, kind: BlockQuoteKind) {
        let (class, title) = match kind {
            BlockQuoteKind::Note => ("note", "Note"),
            BlockQuoteKind::Tip => ("tip", "Tip"),
            BlockQuoteKind::Important => ("important", "Important"),
            BlockQuoteKind::Warning => ("warning", "Warning"),
            BlockQuoteKind::Caution => ("caution", "Caution"),
        };
        self.out.fresh_line();
        let _ = writeln!(
            self.out.html,
            "<div class=\"alert alert-{class}\" role=\"note\">\n<p class=\"alert-title\">{title}</p>"
        );
    }

    /// The marker is the first thing of its item, in a paragraph or not.
    pub(super) fn task(&mut self, done: bool) {
        if !self.decorated {
            let checked = if done { "checked=\"\" " } else { "" };
            let _ = write!(self.out.html, "<input {checked}disabled=\"\" type=\"checkbox\"> ");
            return;
        }
        for item in ["<li>", "<li>\n<p>"] {
            if self.out.html.ends_with(item) {
                let inside = self.out.html.len() - item.len() + "<li".len();
                self.out.html.insert_str(inside, " class=\"task\"");
            }
        }
        self.out.push("<input type=\"checkbox\" disabled");
        self.out.push(if done { " checked aria-label=\"Done\"> " } else { " aria-label=\"To do\"> " });
    }

    /// Writes a heading's tags: what goes into the first follows from its text, so it is put before it.
    fn close_heading(&mut self) {
        let Some(heading) = self.heading.take() else { return };
        if self.decorated {
            self.decorate_heading(&heading);
        } else {
            self.out.html.insert_str(heading.start, &format!("<{}>", heading.level));
        }
        let _ = writeln!(self.out.html, "</{}>", heading.level);
    }

    fn decorate_heading(&mut self, heading: &OpenHeading<'_>) {
        let text = heading.text.trim();
        let id = self.anchors.id_for(heading.id.as_deref(), text);
        let mut tag = String::with_capacity(id.len() + 16);
        tag.push_str(OPEN_HEADING[heading.level as usize - 1]);
        let id_start = tag.len();
        tag.push_str(" id=\"");
        escape::attribute(&mut tag, &id);
        tag.push('"');
        let id_end = tag.len();
        write_attributes(&mut tag, &heading.classes, &heading.attributes);
        tag.push('>');
        self.out.insert_tag(heading.start, &tag, id_start..id_end);
        self.anchor(&id, text);
        self.headings.push(Heading { level: heading.level as u8, id, text: text.to_owned() });
    }

    /// The heading's link to itself, beside its content: that may hold links, and links do not nest.
    fn anchor(&mut self, id: &str, text: &str) {
        self.out.push(" <a class=\"anchor\" href=\"");
        self.out.mark_fragment();
        self.out.push("#");
        escape::href(&mut self.out.html, id);
        self.out.push("\" aria-label=\"Link to section: ");
        escape::attribute(&mut self.out.html, text);
        self.out.push("\">#</a>");
    }

    fn close_code(&mut self) {
        let Some(Code { text, info }) = self.code.take() else { return };
        self.has_code = true;
        self.out.fresh_line();
        // Wide code scrolls, and what scrolls must be within reach of the keyboard.
        self.out.push(if self.decorated { "<pre tabindex=\"0\"><code" } else { "<pre><code" });
        let language = info.as_deref().map(language_of).filter(|name| !name.is_empty());
        if let Some(language) = language {
            self.out.push(" class=\"language-");
            escape::attribute(&mut self.out.html, language);
            self.out.push("\"");
        }
        self.out.push(">");
        match language.filter(|_| self.highlight).and_then(highlight::language) {
            Some(language) => highlight::write(&mut self.out.html, &text, language),
            None => escape::text(&mut self.out.html, &text),
        }
        self.out.push("</code></pre>\n");
    }
}

/// Classes and other attributes of a heading, `{.wide lang=de}`.
fn write_attributes(tag: &mut String, classes: &[CowStr<'_>], attributes: &[(CowStr<'_>, Option<CowStr<'_>>)]) {
    if !classes.is_empty() {
        tag.push_str(" class=\"");
        escape::attribute(tag, &classes.join(" "));
        tag.push('"');
    }
    for (index, (name, value)) in attributes.iter().enumerate().take(MAX_ATTRIBUTES) {
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let repeated = matches!(&**name, "id" | "class") || attributes[..index].iter().any(|(n, _)| n == name);
        if plain && !repeated {
            let _ = write!(tag, " {name}=\"");
            escape::attribute(tag, value.as_deref().unwrap_or_default());
            tag.push('"');
        }
    }
}

/// More attributes than that are no heading's.
const MAX_ATTRIBUTES: usize = 50;

const OPEN_HEADING: [&str; 6] = ["<h1", "<h2", "<h3", "<h4", "<h5", "<h6"];
const TABLE_START: &str = "<div class=\"table-scroll\" role=\"group\" aria-label=\"Table\" tabindex=\"0\">\n<table>";
const TABLE_END: &str = "</tbody>\n</table>\n</div>\n";

/// The language that a fence names: its first word, without what other programs want to be told behind it
/// (`rust,ignore`, `js{1,3}`).
fn language_of(info: &str) -> &str {
    info.split([' ', '\t', ',', '{']).next().unwrap_or_default()
}
