//! Markdown in, HTML out: CommonMark with the GitHub extensions, and what a site adds to them.
//!
//! Owns the meaning of a post's text: its HTML, its headings and their ids, footnotes, where its links lead, and the
//! plain-text excerpt. Leaves the parsing to pulldown-cmark, the colouring of code to [`crate::highlight`], and
//! whether a link's target exists to whoever knows the whole site (see [`Rendered::links`]).
//!
//! Raw HTML passes through, since an author owns the site; sanitising untrusted text is nobody's job here.
//!
//! Start reading at [`render`]; `writer` turns events into HTML, with a file beside it for each matter that needs more
//! than a tag: `footnotes`, `links`, `raw_html`, `anchors`, `output`. `prepare` makes hostile text harmless first.
//!
//! # What the theme may style
//!
//! | HTML | for |
//! |---|---|
//! | `a.anchor` in a heading | the link of the heading to itself |
//! | `div.table-scroll > table` | a table that may be wider than the page; cells have `.align-left`, `-center`, `-right` |
//! | `pre > code.language-x` | a code block; its spans have the classes of [`crate::highlight`] |
//! | `li.task > input` | a task of a list |
//! | `div.alert.alert-note` (`-tip`, `-important`, `-warning`, `-caution`) `> p.alert-title` | an alert |
//! | `sup.footnote-ref > a`; `div.footnotes > ol > li`, `a.footnote-back` | footnotes |

mod anchors;
mod blocks;
mod escape;
mod excerpt;
mod footnotes;
mod links;
mod output;
mod pictures;
mod prepare;
mod raw_html;
#[cfg(test)]
mod spec_tests;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use escape::text as escape_text;
use output::Mark;
use pulldown_cmark::{Options, Parser};

pub use excerpt::excerpt;
pub(crate) use pictures::named as named_pictures;

use crate::images::Shown;

/// Where a text stands and how it is dressed.
#[derive(Debug, Clone, Copy)]
pub struct MarkdownOptions<'a> {
    /// Colour fenced code of known languages.
    pub highlight: bool,
    /// The path under which the site lives, `""` or `"/blog"`: put before root-relative links and images.
    pub base_path: &'a str,
    /// The page's own path without the base, `/2026/11/hello/`: what relative links are relative to.
    pub page_path: &'a str,
    /// What is known of the pictures that the text names.
    pub(crate) images: &'a [Shown],
    /// Whether the text is what readers see first of its page: then its first image is not put off until they come near.
    pub opens_page: bool,
}

impl<'a> MarkdownOptions<'a> {
    /// For a text of this page, without pictures of the site.
    #[must_use]
    pub fn new(base_path: &'a str, page_path: &'a str) -> Self {
        Self { highlight: false, base_path, page_path, images: &[], opens_page: false }
    }
}

/// A text as HTML, with what the site needs to know about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The HTML, for the text's own page.
    pub html: String,
    /// The paths on this site that the text links to or loads, as the readers' browsers would ask for them but
    /// decoded, without the base path, query and fragment. In order of appearance, with repetitions.
    pub links: Vec<String>,
    /// The headings, in order.
    pub headings: Vec<Heading>,
    /// Whether there is a code block: pages without need no styles for it.
    pub has_code: bool,
    marks: Vec<Mark>,
}

impl Rendered {
    /// The HTML for another page than the text's own: a list, where several texts stand together and ids would clash,
    /// or a feed, which knows no root (`origin` is then `https://example.org`, otherwise empty).
    ///
    /// The ids that the text was given are left out, and links to them lead to `page`, the path of the text's own page
    /// with the base path.
    #[must_use]
    pub fn embedded(&self, origin: &str, page: &str) -> String {
        output::embed(&self.html, &self.marks, origin, page)
    }
}

/// A heading of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// From 1 to 6.
    pub level: u8,
    /// Its id, unique in the text.
    pub id: String,
    /// Its text without markup.
    pub text: String,
}

/// Renders a text of any size and shape, in time proportional to its length.
#[must_use]
pub fn render(markdown: &str, options: &MarkdownOptions<'_>) -> Rendered {
    render_as(&SITE, markdown, options)
}

/// What is understood and what is added: the site's own dialect, or a specification's to the letter.
#[derive(Debug)]
struct Dialect {
    syntax: Options,
    /// Anchors, wrappers, lazy images and the like: everything that the specifications' examples do not have.
    decorated: bool,
}

const GITHUB: Options = Options::ENABLE_TABLES.union(Options::ENABLE_TASKLISTS).union(Options::ENABLE_STRIKETHROUGH);

const SITE: Dialect = Dialect {
    syntax: GITHUB
        .union(Options::ENABLE_FOOTNOTES)
        .union(Options::ENABLE_SMART_PUNCTUATION)
        .union(Options::ENABLE_HEADING_ATTRIBUTES)
        .union(Options::ENABLE_GFM),
    decorated: true,
};

fn render_as(dialect: &Dialect, markdown: &str, options: &MarkdownOptions<'_>) -> Rendered {
    #[cfg(feature = "fault-injection")]
    crate::faults::strike(markdown);
    let text = prepare::prepare(markdown);
    let mut writer = writer::Writer::new(dialect, options, &text);
    for event in Parser::new_ext(&text, dialect.syntax) {
        writer.event(event);
    }
    writer.finish()
}
