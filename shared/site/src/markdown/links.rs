//! Where a link leads: away, within its page, or to a path of this site.
//!
//! The same HTML stands on its own page, in lists and in feeds, so every path of this site is written from the root.

use percent_encoding::percent_decode_str;

use super::MarkdownOptions;

/// What an address in a text points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Another site, or something that is no page (`mailto:`). The address stays as it is.
    Elsewhere,
    /// A place of the page itself. The address stays as it is.
    Fragment,
    /// A path of this site, which [`Links::address`] holds from the root.
    Site,
}

/// Resolves addresses and remembers the paths of this site.
#[derive(Debug)]
pub(super) struct Links<'o> {
    base: &'o str,
    page: &'o str,
    address: String,
    seen: Vec<String>,
}

impl<'o> Links<'o> {
    pub(super) fn new(options: &MarkdownOptions<'o>) -> Self {
        Self { base: options.base_path, page: options.page_path, address: String::new(), seen: Vec::new() }
    }

    /// Finds out where an address leads.
    pub(super) fn resolve(&mut self, url: &str) -> Target {
        match url.as_bytes() {
            [b'#', ..] => Target::Fragment,
            [] => Target::Fragment,
            [b'/', b'/', ..] => Target::Elsewhere,
            [b'/', ..] => self.resolve_path("/", &url[1..]),
            _ if has_scheme(url) => Target::Elsewhere,
            [b'?', ..] => self.resolve_path(self.page, url),
            _ => self.resolve_path(&self.page[..self.page.rfind('/').map_or(0, |slash| slash + 1)], url),
        }
    }

    /// The path under which the site lives.
    pub(super) fn base(&self) -> &'o str {
        self.base
    }

    /// The address of this site that was resolved last, from the root and with the base path.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The file of this site that was resolved last.
    pub(super) fn file(&self) -> &str {
        self.seen.last().map_or("", |path| path.trim_start_matches('/'))
    }

    /// The paths that were seen.
    pub(super) fn into_seen(self) -> Vec<String> {
        self.seen
    }

    fn resolve_path(&mut self, folder: &str, relative: &str) -> Target {
        let (path, rest) = relative.split_at(relative.find(['?', '#']).unwrap_or(relative.len()));
        self.address.clear();
        self.address.push_str(self.base);
        self.address.push_str(if folder.is_empty() { "/" } else { folder });
        self.walk(path);
        self.seen.push(percent_decode_str(&self.address[self.base.len()..]).decode_utf8_lossy().into_owned());
        self.address.push_str(rest);
        Target::Site
    }

    /// Follows a relative path from the folder in `address`, up at `..` but never above the site's root.
    fn walk(&mut self, path: &str) {
        let root = self.base.len() + 1;
        for segment in path.split_inclusive('/') {
            match segment {
                "." | "./" => {}
                ".." | "../" => {
                    let folder = self.address.trim_end_matches('/');
                    let parent = folder.rfind('/').map_or(0, |slash| slash + 1);
                    self.address.truncate(parent.max(root));
                }
                _ => self.address.push_str(segment),
            }
        }
    }
}

/// Whether an address begins with a scheme, `https:` or `mailto:`.
fn has_scheme(url: &str) -> bool {
    let name =
        url.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')).count();
    url.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && url.as_bytes().get(name) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, url: &str) -> (Target, String, Vec<String>) {
        let options = MarkdownOptions::new(base, "/2026/11/hello/");
        let mut links = Links::new(&options);
        let target = links.resolve(url);
        (target, links.address().to_owned(), links.into_seen())
    }

    fn site(base: &str, url: &str) -> (String, String) {
        let (target, address, mut seen) = resolved(base, url);
        assert_eq!(target, Target::Site, "{url}");
        (address, seen.remove(0))
    }

    #[test]
    fn other_sites_and_fragments_are_left_alone() {
        for url in ["https://a.b/c", "//cdn.x/y", "mailto:a@b.c", "data:image/png;base64,x", "tel:1"] {
            assert_eq!(resolved("/blog", url).0, Target::Elsewhere, "{url}");
        }
        assert_eq!(resolved("/blog", "#top").0, Target::Fragment);
        assert_eq!(resolved("/blog", "").0, Target::Fragment);
    }

    #[test]
    fn paths_from_the_root_get_the_base() {
        assert_eq!(site("/blog", "/x/y.png?v=1#z"), ("/blog/x/y.png?v=1#z".into(), "/x/y.png".into()));
        assert_eq!(site("", "/"), ("/".into(), "/".into()));
    }

    #[test]
    fn relative_paths_start_at_the_page() {
        assert_eq!(site("", "img%20a.png").1, "/2026/11/hello/img a.png");
        assert_eq!(site("", "./a/./b").0, "/2026/11/hello/a/b");
        assert_eq!(site("/blog", "../other/").0, "/blog/2026/11/other/");
        assert_eq!(site("/blog", "../../../../../../x").0, "/blog/x");
        assert_eq!(site("", "?page=2").0, "/2026/11/hello/?page=2");
    }

    #[test]
    fn a_colon_behind_a_slash_is_no_scheme() {
        assert_eq!(site("", "a/b:c").0, "/2026/11/hello/a/b:c");
        assert_eq!(site("", "1:2").0, "/2026/11/hello/1:2");
    }
}
