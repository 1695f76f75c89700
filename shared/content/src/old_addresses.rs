//! Where posts lived before they came here, found out from the links among them.
//!
//! Posts that moved with their folder still link to each other as they did: `release/4.0.md` is spoken of as
//! `/blog/release/4.0/`. Where enough such links agree, every post has an older address of this kind, known to readers
//! and search engines too. Owns that inference; which pages answer there is the site engine's to decide, and what else
//! needs an address is the caller's to know.
//!
//! [`links`] is asked once for each text, which can then be dropped; [`find`] looks at all posts together. A link means
//! a post when it ends like the post's path, with a folder at least (or, for a post in no folder, with its name). What
//! stands before in link and path is a move; one that is well attested holds for every post it can.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use memchr::memchr_iter;
use microblog_domain::{FilePath, Slug, UrlPath};

use crate::file_name;

/// Posts that must be spoken of before the others are taken to have moved along with them.
const ENOUGH_POSTS: usize = 3;
/// Moves that are followed; a folder with more has no order that could be found out.
const MAX_MOVES: usize = 8;
/// What may stand before an address of this site in a text.
const BEFORE_LINK: [&[u8]; 5] = [b"](", b"href=\"", b"href='", b"]: ", b"]:"];

/// What is known of a post.
#[derive(Debug, Clone, Copy)]
pub struct KnownPost<'a> {
    /// Its file, relative to the folder of the content.
    pub file: &'a Path,
    /// Its name in addresses.
    pub slug: &'a Slug,
    /// Where it answers now.
    pub address: &'a UrlPath,
    /// The older addresses that its author named.
    pub aliases: &'a [UrlPath],
    /// Where its text leads to, by [`links`].
    pub links: &'a [UrlPath],
}

/// What was found out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OldAddresses {
    /// For each post, in the order in which they were given, the addresses that it had.
    pub aliases: Vec<Vec<UrlPath>>,
    /// The folders in which all posts had one.
    pub folders: Vec<UrlPath>,
}

impl OldAddresses {
    /// Tells a person; nothing if nothing was found.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let folders: Vec<&str> = self.folders.iter().map(UrlPath::as_str).collect();
        match self.aliases.iter().map(Vec::len).sum() {
            0 => None,
            1 => Some("One old address leads to its post.".to_owned()),
            count if folders.is_empty() => Some(format!("{count} old addresses lead to their posts.")),
            _ => Some(format!("Old addresses under {} lead to the posts.", folders.join(", "))),
        }
    }
}

/// The addresses within the site that a text leads to, as far as they could be those of posts; each once.
#[must_use]
pub fn links(markdown: &str) -> Vec<UrlPath> {
    let bytes = markdown.as_bytes();
    let starts = memchr_iter(b'/', bytes).filter(|&at| begins_link(&bytes[..at]));
    let found: BTreeSet<UrlPath> = starts.filter_map(|at| address(&markdown[at..])).collect();
    found.into_iter().collect()
}

fn begins_link(before: &[u8]) -> bool {
    // Most slashes stand within words and addresses: one byte tells.
    if !matches!(before.last(), Some(b'(' | b'"' | b'\'' | b' ' | b':' | b'<')) {
        return false;
    }
    let before = before.strip_suffix(b"<").unwrap_or(before);
    BEFORE_LINK.iter().any(|sign| before.ends_with(sign))
}

/// The address that a text begins with, always as that of a folder: `/v1.2` may be written for `/v1.2/`.
fn address(text: &str) -> Option<UrlPath> {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ')' | '>' | '<' | '"' | '\'' | '#' | '?'))?;
    let path = text[..end].trim_end_matches('/');
    format!("{path}/").parse().ok().filter(|address| *address != UrlPath::root())
}

/// Finds out where the posts lived. An address for which `is_free` says no, or that a post has or names itself, stays
/// with whoever has it.
#[must_use]
pub fn find(posts: &[KnownPost<'_>], is_free: impl Fn(&UrlPath) -> bool) -> OldAddresses {
    let places: Vec<Place> = posts.iter().map(Place::of).collect();
    let directory = Directory::of(&places);
    let mut desk = Desk::new(posts, is_free);
    let dead: BTreeSet<&UrlPath> = posts.iter().flat_map(|post| post.links).filter(|link| desk.is_free(link)).collect();
    let hits: Vec<Hit<'_>> = dead.into_iter().filter_map(|link| directory.look_up(link)).collect();

    for hit in hits.iter().filter(|hit| hit.has_folder) {
        desk.grant(hit.post, hit.link.clone());
    }
    for (place_before, spelling) in well_attested(&hits) {
        desk.follow(&place_before, spelling, &places);
    }
    desk.found
}

/// A post's path without ending and date: by the name of its file, and by its slug.
struct Place {
    by_file: String,
    by_slug: String,
}

impl Place {
    fn of(post: &KnownPost<'_>) -> Self {
        let (_, name) = file_name::split_date(file_name::stem(post.file));
        let parent = post.file.parent();
        let parent = if file_name::is_index(post.file) { parent.and_then(Path::parent) } else { parent };
        let parts = parent.into_iter().flat_map(Path::components).filter_map(|part| part.as_os_str().to_str());
        // Jekyll's `_posts` and `_drafts` are in no address.
        let folders: String = parts.filter(|part| !part.starts_with('_')).flat_map(|part| [part, "/"]).collect();
        let name = if name.is_empty() { post.slug.as_str() } else { name };
        Self { by_file: format!("{folders}{name}"), by_slug: format!("{folders}{}", post.slug) }
    }

    fn spelt(&self, spelling: Spelling) -> &str {
        match spelling {
            Spelling::File => &self.by_file,
            Spelling::Slug => &self.by_slug,
        }
    }
}

/// Which of its names a post went by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    File,
    Slug,
}

/// How paths became addresses: one beginning was taken away and another put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Move<'a> {
    /// Folders, with a slash behind; empty for none.
    from: &'a str,
    /// Likewise, with a slash before.
    to: &'a str,
}

/// A link that means a post.
struct Hit<'a> {
    link: &'a UrlPath,
    post: usize,
    moved: Move<'a>,
    /// Whether more than the name agrees.
    has_folder: bool,
    /// The name it went by, where it has two.
    spelling: Option<Spelling>,
}

/// Posts by the ends of their paths.
struct Directory<'a> {
    places: &'a [Place],
    whole: HashMap<&'a str, usize>,
    /// Ends with a folder at least; none where several posts have it.
    ends: HashMap<&'a str, Option<usize>>,
}

impl<'a> Directory<'a> {
    fn of(places: &'a [Place]) -> Self {
        let mut directory = Self { places, whole: HashMap::with_capacity(places.len()), ends: HashMap::new() };
        for (post, place) in places.iter().enumerate() {
            for path in [&place.by_slug, &place.by_file] {
                directory.whole.entry(path).or_insert(post);
                for end in ends(path).skip(1).filter(|end| end.contains('/')) {
                    let holder = directory.ends.entry(end).or_insert(Some(post));
                    *holder = holder.filter(|holder| *holder == post);
                }
            }
        }
        directory
    }

    /// The post that a link means: the one whose path agrees with it the furthest.
    fn look_up(&self, link: &'a UrlPath) -> Option<Hit<'a>> {
        let path = link.as_str().trim_matches('/');
        let (end, post) = ends(path).find_map(|end| {
            let partial = || self.ends.get(end).copied().flatten();
            Some((end, self.whole.get(end).copied().or_else(partial)?))
        })?;
        let place = self.places.get(post)?;
        let spelling = match (place.by_file.ends_with(end), place.by_slug.ends_with(end)) {
            (true, true) => None,
            (true, false) => Some(Spelling::File),
            (false, _) => Some(Spelling::Slug),
        };
        let spelt = place.spelt(spelling.unwrap_or(Spelling::Slug));
        let moved = Move { from: &spelt[..spelt.len() - end.len()], to: &link.as_str()[..=path.len() - end.len()] };
        Some(Hit { link, post, moved, has_folder: end.contains('/'), spelling })
    }
}

/// A path and what is left of it without its first folder, its first two, and so on.
fn ends(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |rest| rest.split_once('/').map(|(_, rest)| rest))
}

/// What speaks for a move.
#[derive(Default)]
struct Evidence {
    posts: BTreeSet<usize>,
    links: usize,
    has_folder: bool,
    by_file: usize,
    by_slug: usize,
}

impl Evidence {
    fn add(&mut self, hit: &Hit<'_>) {
        self.posts.insert(hit.post);
        self.links += 1;
        self.has_folder |= hit.has_folder;
        self.by_file += usize::from(hit.spelling == Some(Spelling::File));
        self.by_slug += usize::from(hit.spelling == Some(Spelling::Slug));
    }

    /// A name alone may agree by chance, so that most links that do must tell of the same move.
    fn is_enough(&self, all_links: usize) -> bool {
        match (self.has_folder, self.posts.len() >= ENOUGH_POSTS) {
            (true, is_enough) => is_enough || self.links == all_links,
            (false, is_enough) => is_enough && self.links * 2 > all_links,
        }
    }

    fn spelling(&self) -> Spelling {
        if self.by_file > self.by_slug { Spelling::File } else { Spelling::Slug }
    }
}

/// The moves that enough links tell of, the best attested first, with the names that posts went by.
fn well_attested<'a>(hits: &[Hit<'a>]) -> Vec<(Move<'a>, Spelling)> {
    let mut moves: BTreeMap<Move<'a>, Evidence> = BTreeMap::new();
    hits.iter().for_each(|hit| moves.entry(hit.moved).or_default().add(hit));
    let mut enough: Vec<_> = moves.into_iter().filter(|(_, evidence)| evidence.is_enough(hits.len())).collect();
    enough.sort_by_key(|(moved, evidence)| (Reverse(evidence.posts.len()), *moved));
    enough.iter().take(MAX_MOVES).map(|(moved, evidence)| (*moved, evidence.spelling())).collect()
}

/// Where addresses are given out, none twice.
struct Desk<F> {
    is_free_elsewhere: F,
    taken: HashSet<FilePath>,
    found: OldAddresses,
}

impl<F: Fn(&UrlPath) -> bool> Desk<F> {
    fn new(posts: &[KnownPost<'_>], is_free_elsewhere: F) -> Self {
        let taken = posts.iter().flat_map(|post| post.aliases.iter().chain([post.address])).map(UrlPath::file);
        let found = OldAddresses { aliases: vec![Vec::new(); posts.len()], folders: Vec::new() };
        Self { is_free_elsewhere, taken: taken.collect(), found }
    }

    /// Whether nobody has the address, nor a file whose name would have to become a folder.
    fn is_free(&self, address: &UrlPath) -> bool {
        let file = address.file();
        let is_in_the_way = |(at, _)| self.taken.contains(&file.as_str()[..at]);
        !self.taken.contains(&file)
            && !file.as_str().match_indices('/').any(is_in_the_way)
            && (self.is_free_elsewhere)(address)
    }

    fn grant(&mut self, post: usize, address: UrlPath) {
        if self.is_free(&address) {
            self.taken.insert(address.file());
            self.found.aliases[post].push(address);
        }
    }

    /// Gives every post the address that it had by a move.
    fn follow(&mut self, moved: &Move<'_>, spelling: Spelling, places: &[Place]) {
        let mut shared: Option<String> = None;
        for (post, place) in places.iter().enumerate() {
            let Some(rest) = place.spelt(spelling).strip_prefix(moved.from) else { continue };
            let Ok(address) = format!("{}{rest}/", moved.to).parse::<UrlPath>() else { continue };
            self.grant(post, address.clone());
            if self.found.aliases[post].contains(&address) {
                shared = Some(shared.map_or_else(|| folder_of(&address), |folder| common(&folder, &address)));
            }
        }
        let folder = shared.and_then(|folder| folder.parse().ok());
        self.found.folders.extend(folder.filter(|folder| !self.found.folders.contains(folder)));
    }
}

/// The folder that an address lies in.
fn folder_of(address: &UrlPath) -> String {
    let inner = address.as_str().trim_end_matches('/');
    inner[..inner.rfind('/').map_or(0, |slash| slash + 1)].to_owned()
}

/// The innermost folder that holds both.
fn common(folder: &str, address: &UrlPath) -> String {
    let agree = folder.bytes().zip(address.as_str().bytes()).take_while(|(a, b)| a == b).count();
    let end = folder.as_bytes()[..agree].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    folder[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A post by its file, its address now, and the text of its links.
    type Given<'a> = (&'a str, &'a str, &'a str);

    struct Owned {
        file: String,
        slug: Slug,
        address: UrlPath,
        links: Vec<UrlPath>,
    }

    fn owned((file, address, text): Given<'_>) -> Owned {
        let slug = address.trim_matches('/').rsplit('/').next().unwrap().parse().unwrap();
        Owned { file: file.to_owned(), slug, address: address.parse().unwrap(), links: links(text) }
    }

    fn known(post: &Owned) -> KnownPost<'_> {
        let Owned { file, slug, address, links } = post;
        KnownPost { file: Path::new(file), slug, address, aliases: &[], links }
    }

    fn find_among(given: &[Given<'_>]) -> OldAddresses {
        find_around(given, |_| true)
    }

    fn find_around(given: &[Given<'_>], is_free: impl Fn(&UrlPath) -> bool) -> OldAddresses {
        let posts: Vec<Owned> = given.iter().copied().map(owned).collect();
        find(&posts.iter().map(known).collect::<Vec<_>>(), is_free)
    }

    fn aliases(found: &OldAddresses) -> Vec<Vec<&str>> {
        found.aliases.iter().map(|aliases| aliases.iter().map(UrlPath::as_str).collect()).collect()
    }

    #[test]
    fn links_within_the_site_are_found_however_they_are_written() {
        let text = "[a](/b/one) [b](</b/two/> \"t\") <a href=\"/b/three?x#y\"> <a href='/b/v1.2'>\n\n[r]: /b/five\n\
                    [a](/b/one/#again) ![i](//cdn/x) [w](https://x/y) a/b (/b/no) [h](/) [u](/../x) [e](/caf%C3%A9)\n";
        let found = links(text);
        let found: Vec<_> = found.iter().map(UrlPath::as_str).collect();
        assert_eq!(found, ["/b/five/", "/b/one/", "/b/three/", "/b/two/", "/b/v1.2/", "/café/"]);
    }

    #[test]
    fn a_folder_that_moved_takes_all_its_posts_along() {
        let found = find_among(&[
            ("release/v4.0.0.md", "/2015/09/v4.0.0/", "[](/blog/release/v4.1.0) "),
            ("release/v4.1.0.md", "/2015/10/v4.1.0/", "[](/blog/release/v4.0.0/) [](/blog/news/hello) "),
            ("news/2015-01-31-hello.md", "/2015/01/hello/", ""),
            ("news/hello-again/index.md", "/2015/02/hello-again/", "[](/about/) "),
        ]);
        let expected =
            ["/blog/release/v4.0.0/", "/blog/release/v4.1.0/", "/blog/news/hello/", "/blog/news/hello-again/"];
        assert_eq!(aliases(&found).concat(), expected);
        assert_eq!(found.notice().unwrap(), "Old addresses under /blog/ lead to the posts.");
    }

    #[test]
    fn folders_around_the_site_are_no_part_of_its_addresses() {
        let found = find_among(&[
            ("pages/en/blog/npm/one.md", "/2011/05/one/", "[](/blog/npm/two/) "),
            ("pages/en/blog/npm/two.md", "/2011/05/two/", ""),
            ("pages/de/about.md", "/about/", ""),
        ]);
        assert_eq!(aliases(&found), [vec!["/blog/npm/one/"], vec!["/blog/npm/two/"], vec![]]);
        assert_eq!(found.folders, ["/blog/npm/".parse().unwrap()]);
    }

    #[test]
    fn a_single_link_among_others_speaks_for_its_post_alone() {
        let text = "[](/a/x/one/) [](/a/x/two/) [](/a/x/three/) [](/b/x/four/) ";
        let posts: Vec<_> = ["one", "two", "three", "four", "five"]
            .map(|name| (format!("x/{name}.md"), format!("/2024/01/{name}/")))
            .into_iter()
            .collect();
        let given: Vec<Given<'_>> = posts.iter().map(|(file, address)| (&**file, &**address, text)).collect();
        let found = find_among(&given);
        let expected = ["/a/x/one/", "/a/x/two/", "/a/x/three/", "/b/x/four/", "/a/x/four/", "/a/x/five/"];
        assert_eq!(aliases(&found).concat(), expected);
    }

    #[test]
    fn names_alone_must_agree_often() {
        let posts = |text| {
            [("_posts/2024-01-01-a.md", "/2024/01/a/", text), ("b.md", "/2024/01/b/", ""), ("c.md", "/2024/01/c/", "")]
        };
        let found = find_among(&posts("[](/blog/a/) [](/blog/b/) [](/blog/c/) "));
        assert_eq!(aliases(&found), [["/blog/a/"], ["/blog/b/"], ["/blog/c/"]]);
        assert_eq!(aliases(&find_among(&posts("[](/blog/a/) [](/blog/b/) "))).concat(), [""; 0]);
        let scattered = "[](/x/a/) [](/x/b/) [](/x/c/) [](/y/a/) [](/z/b/) [](/z/c/) ";
        assert_eq!(aliases(&find_among(&posts(scattered))).concat(), [""; 0]);
        let unclear = [("x/one.md", "/2024/01/one/", "[](/blog/one/) "), ("y/two.md", "/2024/01/two/", "")];
        assert_eq!(find_among(&unclear).notice(), None);
    }

    #[test]
    fn of_two_names_the_one_that_links_use_is_kept() {
        let posts = |text| [("x/first-name.md", "/2024/01/slug/", text), ("x/second-name.md", "/2024/01/other/", "")];
        let by_slug = find_among(&posts("[](/old/x/slug/) "));
        assert_eq!(aliases(&by_slug).concat(), ["/old/x/slug/", "/old/x/other/"]);
        let by_file = find_among(&posts("[](/old/x/first-name/) "));
        assert_eq!(aliases(&by_file).concat(), ["/old/x/first-name/", "/old/x/second-name/"]);
    }

    #[test]
    fn no_address_is_taken_from_anybody() {
        let text = "[](/blog/x/one/) [](/blog/x/two/) ";
        let posts = [
            ("x/one.md", "/blog/x/one/", text),
            ("x/two.md", "/2024/01/two/", ""),
            ("x/three.md", "/2024/01/three/", ""),
            ("y/four.md", "/blog/x/three/", ""),
        ];
        assert_eq!(aliases(&find_among(&posts)), [vec![], vec!["/blog/x/two/"], vec![], vec!["/blog/y/three/"]]);
        let reserved = find_around(&posts, |address| !address.as_str().starts_with("/blog/"));
        assert_eq!((reserved.notice(), reserved.folders), (None, vec![]));
        let file_in_the_way =
            [("x/one.md", "/blog/x.html", "[](/blog/x.html/a/two/) "), ("a/two.md", "/2024/01/two/", "")];
        assert_eq!(find_among(&file_in_the_way).notice(), None);
    }

    #[test]
    fn links_that_work_tell_nothing() {
        let posts = [("posts/one.md", "/posts/one/", "[](/posts/one/) "), ("posts/two.md", "/2024/01/two/", "")];
        assert_eq!(find_among(&posts).notice(), None);
    }
}
