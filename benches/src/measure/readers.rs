//! Readers who fetch pages again and again, and notice when one is broken, of two pieces, or older than what they saw.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::author::Address;
use super::numbered;
use crate::client::Client;

/// Between two pages. Readers that never rest would take the cores from the builds that they look at.
const PAUSE: Duration = Duration::from_millis(5);
const HOME: &str = "/";

/// What readers saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) pages: u64,
    /// Not answered with 200, cut off, or of two texts.
    pub(super) torn: u64,
    /// With a text that is older than one which the same reader saw before, on whichever page.
    pub(super) stale: u64,
}

impl Seen {
    pub(super) fn add(self, other: Self) -> Self {
        Self { pages: self.pages + other.pages, torn: self.torn + other.torn, stale: self.stale + other.stale }
    }
}

/// Somebody who remembers.
#[derive(Default)]
struct Reader {
    newest: HashMap<String, u64>,
    seen: Seen,
}

/// Reads the pages of posts and the home page in turn, until it is told to stop.
pub(super) fn read_until(stop: &AtomicBool, site: &str, posts: &[Address]) -> Seen {
    let client = Client::new();
    let mut reader = Reader::default();
    let addresses = posts.iter().flat_map(|post| [post.page.as_str(), HOME]).cycle();
    for address in addresses {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match client.read(&format!("{site}{address}")) {
            Ok((200, page)) if numbered::is_whole(&page) => reader.judge(address, &page, posts),
            _ => reader.seen.torn += 1,
        }
        reader.seen.pages += 1;
        std::thread::sleep(PAUSE);
    }
    reader.seen
}

impl Reader {
    fn judge(&mut self, address: &str, page: &str, posts: &[Address]) {
        if address == HOME {
            for post in posts {
                let number = numbered::in_list(page, &post.page);
                number.into_iter().for_each(|number| self.remember(&post.page, number));
            }
        } else {
            match numbered::of_page(page) {
                Some(number) => self.remember(address, number),
                None => self.seen.torn += 1,
            }
        }
    }

    fn remember(&mut self, address: &str, number: u64) {
        let newest = self.newest.entry(address.to_owned()).or_default();
        self.seen.stale += u64::from(number < *newest);
        *newest = number.max(*newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(title: u64, text: u64) -> String {
        format!("<title>A (text {title})</title><p>This is text number {text}.</p></html>")
    }

    fn home(number: u64) -> String {
        format!("<a class=\"u-url\" href=\"/a/\">A (text {number})</a></html>")
    }

    #[test]
    fn a_reader_notices_an_older_text_on_whichever_page() {
        let posts = [Address { api: String::new(), page: "/a/".to_owned() }];
        let mut reader = Reader::default();
        reader.judge("/a/", &page(4, 4), &posts);
        reader.judge(HOME, &home(4), &posts);
        reader.judge(HOME, &home(5), &posts);
        assert_eq!(reader.seen, Seen::default());
        reader.judge("/a/", &page(4, 4), &posts);
        assert_eq!(reader.seen.stale, 1);
    }

    #[test]
    fn a_reader_notices_a_page_of_two_texts() {
        let posts = [Address { api: String::new(), page: "/a/".to_owned() }];
        let mut reader = Reader::default();
        reader.judge("/a/", &page(4, 5), &posts);
        assert_eq!(reader.seen.torn, 1);
    }
}
