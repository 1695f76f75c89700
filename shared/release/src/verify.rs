//! What a release must be like to go live: every new file there and whole, links resolved, feeds well-formed, and not
//! suddenly half as many pages.
//!
//! The cost follows what was written: what was verified with an earlier release is not looked at again.

use std::fmt;

use microblog_domain::{BaseUrl, FilePath};
use quick_xml::Reader;
use quick_xml::events::Event;
use rayon::prelude::*;

use crate::disk::Disk;
use crate::entry::Entry;
use crate::error::Result;
use crate::links::LinkedFrom;
use crate::objects::{self, Damage};
use crate::release::Totals;

/// A site with fewer pages than this may lose any number of them at once.
const FEW_PAGES: u64 = 20;

/// What a release is checked against.
#[derive(Debug, Clone)]
pub struct Checks {
    /// Where the site is found: tells links into the site from others.
    pub base_url: BaseUrl,
    /// How many pages it may lose against the live release.
    pub page_loss: PageLoss,
}

impl Checks {
    /// The usual checks for a site at this address.
    #[must_use]
    pub fn new(base_url: BaseUrl) -> Self {
        Self { base_url, page_loss: PageLoss::AtMostPercent(50) }
    }
}

/// How many pages a release may have less than the one before. A site of fewer than 20 pages may lose any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageLoss {
    /// So many of a hundred; more is taken for a mistake.
    AtMostPercent(u8),
    /// Any number: somebody means it.
    Any,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the release goes live.
    Warning,
    /// The release does not go live.
    Error,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A file of the release is missing or has other bytes.
    Damaged {
        /// The file.
        path: FilePath,
        /// What is wrong.
        damage: Damage,
    },
    /// A path is to be a file and a folder at once.
    Clash {
        /// The file, below which other files lie.
        path: FilePath,
    },
    /// A feed, a sitemap or other data can not be parsed.
    Malformed {
        /// The file.
        path: FilePath,
        /// What the parser said.
        reason: String,
    },
    /// A link leads nowhere.
    BrokenLink {
        /// Where it should lead.
        target: String,
        /// A page that has it.
        page: FilePath,
        /// How many links lead there.
        count: u64,
        /// Who put it there.
        writer: LinkWriter,
    },
    /// Far fewer pages than before.
    PagesLost {
        /// How many there were.
        before: u64,
        /// How many there are.
        after: u64,
    },
}

/// Who put a link into a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkWriter {
    /// The author of the text: told about it, but not kept from publishing.
    Author,
    /// The theme or the engine: a defect.
    Theme,
}

impl Finding {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::BrokenLink { writer: LinkWriter::Author, .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether it keeps the release from going live.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity() == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { path, damage: Damage::Missing } => write!(f, "the file {path} was not written"),
            Self::Damaged { path, damage: Damage::Altered } => write!(f, "the file {path} is not as it was written"),
            Self::Clash { path } => {
                write!(f, "{path} is a file, but other files lie below it; give one of them another address")
            }
            Self::Malformed { path, reason } => write!(f, "{path} is malformed: {reason}"),
            Self::BrokenLink { target, page, count, writer } => {
                let writer = match writer {
                    LinkWriter::Author => "written by its author",
                    LinkWriter::Theme => "made by the theme",
                };
                let others = if *count > 1 { format!(" ({count} links in all)") } else { String::new() };
                write!(f, "a link on {page}, {writer}, leads to {target}, which does not exist{others}")
            }
            Self::PagesLost { before, after } => write!(
                f,
                "only {after} pages are left of {before}, which looks like a mistake; allow it if it is meant"
            ),
        }
    }
}

/// Files of the release that are not there or not whole; reads every byte of them.
pub(crate) fn damaged(disk: &Disk, files: &[(&FilePath, Entry)]) -> Result<Vec<Finding>> {
    let check = |(path, entry): &(&FilePath, Entry)| {
        let damage = objects::damage(disk, path.as_str(), entry)?;
        Ok(damage.map(|damage| Finding::Damaged { path: (*path).clone(), damage }))
    };
    let findings: Result<Vec<Option<Finding>>> = files.par_iter().with_min_len(64).map(check).collect();
    Ok(findings?.into_iter().flatten().collect())
}

/// The findings for a target that does not exist.
pub(crate) fn broken_link(target: &str, from: &LinkedFrom) -> impl Iterator<Item = Finding> {
    let by = |page: &Option<FilePath>, writer| {
        let page = page.clone()?;
        Some(Finding::BrokenLink { target: target.to_owned(), page, count: from.count, writer })
    };
    [by(&from.theme, LinkWriter::Theme), by(&from.author, LinkWriter::Author)].into_iter().flatten()
}

/// Whether too many pages went at once.
pub(crate) fn pages_lost(before: Totals, after: Totals, allowed: PageLoss) -> Option<Finding> {
    let PageLoss::AtMostPercent(percent) = allowed else { return None };
    let lost = before.pages.saturating_sub(after.pages);
    let is_too_much = before.pages >= FEW_PAGES && lost * 100 > before.pages * u64::from(percent);
    is_too_much.then_some(Finding::PagesLost { before: before.pages, after: after.pages })
}

/// Whether a generated file can be parsed, if its kind is one that is.
pub(crate) fn malformed(path: &FilePath, bytes: &[u8]) -> Option<Finding> {
    let parsed = match path.extension().as_str() {
        "xml" => parse_xml(bytes),
        "json" => serde_json::from_slice::<serde_json::Value>(bytes).map(drop).map_err(|error| error.to_string()),
        _ => return None,
    };
    parsed.err().map(|reason| Finding::Malformed { path: path.clone(), reason })
}

fn parse_xml(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text);
    let (mut depth, mut roots) = (0_u64, 0_u64);
    loop {
        let at = reader.buffer_position();
        match reader.read_event().map_err(|error| format!("byte {at}: {error}"))? {
            Event::Start(_) => {
                roots += u64::from(depth == 0);
                depth += 1;
            }
            Event::Empty(_) => roots += u64::from(depth == 0),
            Event::End(_) => depth -= 1,
            Event::Eof if depth > 0 => return Err(format!("{depth} elements are not closed")),
            Event::Eof if roots != 1 => return Err(format!("there are {roots} outermost elements, not one")),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(name: &str, text: &str) -> Option<String> {
        malformed(&name.parse().unwrap(), text.as_bytes()).map(|finding| finding.to_string())
    }

    #[test]
    fn feeds_must_parse() {
        assert_eq!(reason("feed.xml", "<?xml version=\"1.0\"?><feed><entry/>text &amp; more</feed>\n"), None);
        assert_eq!(reason("feed.json", "{\"items\": []}"), None);
        assert_eq!(reason("page.html", "<p>"), None);
        for (name, text) in [
            ("feed.xml", ""),
            ("feed.xml", "<feed>"),
            ("feed.xml", "<feed></rss>"),
            ("feed.xml", "<a/><b/>"),
            ("feed.json", "{\"items\": [}"),
        ] {
            assert!(reason(name, text).is_some(), "{text}");
        }
    }

    #[test]
    fn losing_more_than_half_of_the_pages_is_a_mistake_unless_meant() {
        let pages = |pages| Totals { pages, ..Totals::default() };
        let half = PageLoss::AtMostPercent(50);
        assert_eq!(pages_lost(pages(100), pages(50), half), None);
        assert!(pages_lost(pages(100), pages(49), half).is_some_and(|finding| finding.is_error()));
        assert_eq!(pages_lost(pages(100), pages(0), PageLoss::Any), None);
        assert_eq!(pages_lost(pages(19), pages(0), half), None);
    }
}
