//! Events of the parser in, HTML out: one pass, one string.
//!
//! Owns the inline elements and the order of things; `blocks` has the block elements.

use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};

use super::anchors::Anchors;
use super::blocks::{Code, OpenHeading, Table};
use super::footnotes::Footnotes;
use super::links::{Links, Target};
use super::output::Output;
use super::{Dialect, Heading, MarkdownOptions, Rendered, escape, prepare, raw_html};
use crate::images::{self, Image, Shown};

/// The state between two events.
pub(super) struct Writer<'t, 'o> {
    pub(super) out: Output,
    pub(super) decorated: bool,
    pub(super) highlight: bool,
    pub(super) anchors: Anchors,
    pub(super) headings: Vec<Heading>,
    pub(super) heading: Option<OpenHeading<'t>>,
    pub(super) table: Table,
    pub(super) code: Option<Code<'t>>,
    pub(super) has_code: bool,
    pub(super) footnotes: Footnotes,
    links: Links<'o>,
    /// Titles of the images under way: an image's description may hold images.
    images: Vec<CowStr<'t>>,
    /// What is known of the outermost of them.
    picture: Option<&'o Image>,
    known_pictures: &'o [Shown],
    /// Whether the next image is loaded at once.
    is_first_in_sight: bool,
    /// Where a block of raw HTML began.
    raw_block: Option<usize>,
}

impl<'t, 'o> Writer<'t, 'o> {
    pub(super) fn new(dialect: &Dialect, options: &MarkdownOptions<'o>, text: &str) -> Self {
        let mut anchors = Anchors::default();
        anchors.reserve_raw_ids(text);
        Self {
            out: Output::with_capacity(text.len() + text.len() / 2),
            decorated: dialect.decorated,
            highlight: options.highlight && dialect.decorated,
            anchors,
            headings: Vec::new(),
            heading: None,
            table: Table::default(),
            code: None,
            has_code: false,
            footnotes: Footnotes::default(),
            links: Links::new(options),
            images: Vec::new(),
            picture: None,
            known_pictures: options.images,
            is_first_in_sight: options.opens_page,
            raw_block: None,
        }
    }

    pub(super) fn finish(mut self) -> Rendered {
        self.footnotes.write(&mut self.out);
        Rendered {
            html: self.out.html,
            links: self.links.into_seen(),
            headings: self.headings,
            has_code: self.has_code,
            marks: self.out.marks,
        }
    }

    pub(super) fn event(&mut self, event: Event<'t>) {
        if !self.images.is_empty() {
            return self.inside_description(event);
        }
        match event {
            Event::Text(text) => self.text(&text),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Code(code) => {
                self.note_in_heading(&code);
                self.out.push("<code>");
                escape::text(&mut self.out.html, &code);
                self.out.push("</code>");
            }
            Event::SoftBreak => {
                self.note_in_heading(" ");
                self.out.push("\n");
            }
            Event::HardBreak => {
                self.note_in_heading(" ");
                self.out.push("<br>\n");
            }
            Event::Html(html) => self.out.push(&html),
            Event::InlineHtml(html) => self.inline_html(&html),
            Event::Rule => {
                self.out.fresh_line();
                self.out.push("<hr>\n");
            }
            Event::FootnoteReference(label) => self.footnotes.refer(&mut self.out, &label),
            Event::TaskListMarker(done) => self.task(done),
            // The extension is not switched on.
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            return code.text.push_str(text);
        }
        self.note_in_heading(text);
        match text.as_bytes() {
            // Only a character reference, `&#1;`, brings a control character this far.
            [byte] if prepare::is_forbidden(*byte) => self.out.push("\u{FFFD}"),
            _ => escape::text(&mut self.out.html, text),
        }
    }

    fn note_in_heading(&mut self, text: &str) {
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(text);
        }
    }

    fn start(&mut self, tag: Tag<'t>) {
        match tag {
            Tag::Emphasis => self.out.push("<em>"),
            Tag::Strong => self.out.push("<strong>"),
            Tag::Strikethrough => self.out.push("<del>"),
            Tag::Link { link_type, dest_url, title, .. } => self.open_link(link_type, &dest_url, &title),
            Tag::Image { dest_url, title, .. } => self.open_image(&dest_url, title),
            Tag::HtmlBlock => self.raw_block = Some(self.out.html.len()),
            block => self.start_block(block),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.out.push("</em>"),
            TagEnd::Strong => self.out.push("</strong>"),
            TagEnd::Strikethrough => self.out.push("</del>"),
            TagEnd::Link => self.out.push("</a>"),
            TagEnd::HtmlBlock => self.close_raw_block(),
            block => self.end_block(block),
        }
    }

    fn open_link(&mut self, link_type: LinkType, url: &str, title: &str) {
        self.out.push("<a href=\"");
        if link_type == LinkType::Email {
            self.out.push("mailto:");
            escape::href(&mut self.out.html, url);
        } else {
            self.address(url);
        }
        self.title(title);
        self.out.push("\">");
    }

    fn open_image(&mut self, url: &str, title: CowStr<'t>) {
        self.out.push("<img src=\"");
        let target = self.address(url);
        let is_here = target == Target::Site && !self.known_pictures.is_empty();
        self.picture = is_here.then(|| images::find(self.known_pictures, self.links.file())).flatten();
        self.out.push("\" alt=\"");
        self.images.push(title);
    }

    /// Writes an address, resolved.
    fn address(&mut self, url: &str) -> Target {
        if !self.decorated {
            escape::href(&mut self.out.html, url);
            return Target::Elsewhere;
        }
        let target = self.links.resolve(url);
        match target {
            Target::Elsewhere => escape::href(&mut self.out.html, url),
            Target::Fragment => {
                self.out.mark_fragment();
                escape::href(&mut self.out.html, url);
            }
            Target::Site => {
                self.out.mark_root();
                escape::href(&mut self.out.html, self.links.address());
            }
        }
        target
    }

    fn title(&mut self, title: &str) {
        if !title.is_empty() {
            self.out.push("\" title=\"");
            escape::attribute(&mut self.out.html, title);
        }
    }

    /// Takes what describes an image: only its text counts.
    fn inside_description(&mut self, event: Event<'t>) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.note_in_heading(&text);
                escape::attribute(&mut self.out.html, &text);
            }
            Event::SoftBreak | Event::HardBreak => self.out.push(" "),
            Event::Start(Tag::Image { title, .. }) => self.images.push(title),
            Event::End(TagEnd::Image) => self.end_image(),
            _ => {}
        }
    }

    fn end_image(&mut self) {
        let Some(title) = self.images.pop() else { return };
        if !self.images.is_empty() {
            return;
        }
        self.title(&title);
        self.out.push("\"");
        if self.decorated {
            self.image_attributes();
        }
        self.out.push(">");
    }

    /// How to load the image, and what is known of it.
    fn image_attributes(&mut self) {
        let is_in_sight = std::mem::take(&mut self.is_first_in_sight);
        self.out.push(if is_in_sight { " decoding=\"async\"" } else { " loading=\"lazy\" decoding=\"async\"" });
        if let Some(picture) = self.picture.take() {
            let base = self.links.base();
            let address = |out: &mut Output, address: &str| {
                out.mark_root();
                out.push(base);
                out.push(address);
            };
            picture.write(&mut self.out, Output::push, address);
        }
    }

    fn inline_html(&mut self, html: &str) {
        if self.decorated {
            raw_html::write(&mut self.out, &mut self.links, html);
        } else {
            self.out.push(html);
        }
    }

    /// The lines of the block are written: a tag may go over several of them.
    fn close_raw_block(&mut self) {
        if let Some(start) = self.raw_block.take().filter(|_| self.decorated) {
            let block = self.out.cut(start);
            raw_html::write(&mut self.out, &mut self.links, &block.html);
        }
    }
}
