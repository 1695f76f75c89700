//! The site's memory of its posts: who stands where, in which lists, next to whom.
//!
//! Owns the order of posts and the question which pages a change may touch. Knows nothing of templates or bytes.
//! A change costs a few binary searches, whatever the size of the site.

mod claims;
mod paging;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use microblog_domain::{PostId, PostKind, SiteSettings, Slug, UrlPath};

pub use claims::Taken;
pub(crate) use claims::{Claims, Tenant};
pub(crate) use paging::Paging;
pub use paging::Slice;

use crate::entry::{Entry, OrderKey};
use crate::page::{FeedKey, PageKey};

/// How many times more posts stand on a page of an archive, which shows only their titles.
const ARCHIVE_FACTOR: usize = 10;
/// Addresses in one file of the sitemap (the format allows 50,000).
pub(crate) const SITEMAP_SHARD: usize = 1_000;

/// A list of posts that has pages of its own. Sorted: front page, tags, then years with their months.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListKey {
    /// All posts.
    Home,
    /// The posts with a tag.
    Tag(Slug),
    /// The posts of a year.
    Year(i16),
    /// The posts of a month.
    Month(i16, i8),
}

/// The site's memory of its posts.
#[derive(Debug)]
pub(crate) struct Index {
    entries: HashMap<PostId, Arc<Entry>>,
    lists: BTreeMap<ListKey, PostList>,
    /// Posts outside time, by address.
    standing: BTreeMap<(UrlPath, PostId), Arc<Entry>>,
    claims: Claims,
    posts_per_page: usize,
    feed_items: usize,
}

/// The posts of one list, oldest first.
#[derive(Debug, Default)]
pub(crate) struct PostList {
    entries: Vec<Arc<Entry>>,
    /// When any of them last changed, once somebody asked. The index of the sitemap asks for each month at every edit.
    latest_update: OnceLock<Option<Timestamp>>,
}

impl PostList {
    pub(crate) fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    pub(crate) fn newest(&self, count: usize) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().rev().take(count)
    }

    pub(crate) fn latest_update(&self) -> Option<Timestamp> {
        *self.latest_update.get_or_init(|| self.entries.iter().map(|entry| entry.updated_at).max())
    }

    fn position(&self, order: OrderKey) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&order, |entry| entry.order())
    }

    /// The posts, to change them.
    fn entries_mut(&mut self) -> &mut Vec<Arc<Entry>> {
        self.latest_update.take();
        &mut self.entries
    }
}

impl Index {
    pub(crate) fn new(settings: &SiteSettings) -> Self {
        Self {
            entries: HashMap::new(),
            lists: BTreeMap::from([(ListKey::Home, PostList::default())]),
            standing: BTreeMap::new(),
            claims: Claims::default(),
            posts_per_page: usize::from(settings.posts_per_page.max(1)),
            feed_items: usize::from(settings.feed_items),
        }
    }

    /// Adds many posts at once, sorting each list once. For filling an empty index.
    pub(crate) fn fill(&mut self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries.into_iter().map(Arc::new) {
            if self.entries.contains_key(&entry.id) {
                self.put(entry, &mut BTreeSet::new());
                continue;
            }
            self.claims.add(&entry);
            for key in lists_of(&entry) {
                self.lists.entry(key).or_default().entries_mut().push(Arc::clone(&entry));
            }
            if entry.kind == PostKind::Page {
                self.standing.insert(standing_key(&entry), Arc::clone(&entry));
            }
            self.entries.insert(entry.id, entry);
        }
        for list in self.lists.values_mut() {
            list.entries_mut().sort_by_key(|entry| entry.order());
        }
    }

    /// Adds or replaces a post, and notes every page that may look different now.
    pub(crate) fn put(&mut self, entry: Arc<Entry>, touched: &mut BTreeSet<PageKey>) {
        let before = self.entries.get(&entry.id).cloned();
        let titles = self.tag_titles([before.as_deref(), Some(&*entry)]);
        let stays = before.as_ref().is_some_and(|before| same_place(before, &entry));
        match before {
            Some(before) if stays => self.replace(&before, &entry, touched),
            Some(before) => {
                self.detach(&before, touched);
                self.attach(&entry, touched);
            }
            None => self.attach(&entry, touched),
        }
        self.entries.insert(entry.id, entry);
        self.touch_retitled(&titles, touched);
    }

    /// Removes a post, and notes every page that may look different now.
    pub(crate) fn remove(&mut self, id: PostId, touched: &mut BTreeSet<PageKey>) {
        if let Some(entry) = self.entries.remove(&id) {
            let titles = self.tag_titles([Some(&*entry), None]);
            self.detach(&entry, touched);
            self.touch_retitled(&titles, touched);
        }
    }

    /// What the tags of these posts are called.
    fn tag_titles(&self, of: [Option<&Entry>; 2]) -> BTreeMap<Slug, String> {
        let tags = of.into_iter().flatten().flat_map(|entry| &entry.tags);
        tags.map(|tag| (tag.slug().clone(), self.tag_title(tag.slug()))).collect()
    }

    /// Every page of a tag shows its title.
    fn touch_retitled(&self, before: &BTreeMap<Slug, String>, touched: &mut BTreeSet<PageKey>) {
        for slug in before.iter().filter(|(slug, title)| self.tag_title(slug) != **title).map(|(slug, _)| slug) {
            let key = ListKey::Tag(slug.clone());
            touched.extend(self.paging(&key).slices().map(|slice| PageKey::List(key.clone(), slice)));
            touched.insert(PageKey::Feed(FeedKey::Tag(slug.clone())));
        }
    }

    /// Swaps in a post that keeps its place in every list and all its addresses.
    fn replace(&mut self, before: &Entry, entry: &Arc<Entry>, touched: &mut BTreeSet<PageKey>) {
        self.touch_surroundings(entry, touched);
        for key in lists_of(before) {
            let paging = self.paging(&key);
            let list = self.lists.entry(key.clone()).or_default();
            if let Ok(position) = list.position(entry.order()) {
                list.entries_mut()[position] = Arc::clone(entry);
                touched.insert(PageKey::List(key.clone(), paging.slice_of(position)));
                self.touch_feeds_and_sitemap(&key, position, touched);
            }
        }
        if entry.kind == PostKind::Page {
            self.standing.insert(standing_key(entry), Arc::clone(entry));
        }
    }

    fn attach(&mut self, entry: &Arc<Entry>, touched: &mut BTreeSet<PageKey>) {
        self.claims.add(entry);
        for key in lists_of(entry) {
            let list = self.lists.entry(key.clone()).or_default();
            let position = list.position(entry.order()).unwrap_or_else(|free| free);
            list.entries_mut().insert(position, Arc::clone(entry));
            self.touch_list_from(&key, position, touched);
        }
        if entry.kind == PostKind::Page {
            self.standing.insert(standing_key(entry), Arc::clone(entry));
        }
        self.touch_surroundings(entry, touched);
    }

    fn detach(&mut self, entry: &Entry, touched: &mut BTreeSet<PageKey>) {
        self.touch_surroundings(entry, touched);
        self.claims.remove(entry);
        self.standing.remove(&standing_key(entry));
        for key in lists_of(entry) {
            let Some(list) = self.lists.get_mut(&key) else { continue };
            let Ok(position) = list.position(entry.order()) else { continue };
            list.entries_mut().remove(position);
            self.touch_list_from(&key, position, touched);
            if key != ListKey::Home && self.lists.get(&key).is_some_and(|list| list.entries.is_empty()) {
                self.lists.remove(&key);
            }
        }
    }

    /// The post's own pages, its neighbours', and those that count or list everything.
    fn touch_surroundings(&self, entry: &Entry, touched: &mut BTreeSet<PageKey>) {
        let (older, newer) = self.neighbours(entry.order());
        let neighbours = [older, newer].into_iter().flatten().map(|post| post.address.file());
        let files = neighbours.chain(self.claims.touched_by(entry));
        touched.extend(files.filter(|file| !file.is_reserved()).map(PageKey::Address));
        touched.extend([PageKey::Tags, PageKey::Archive, PageKey::SitemapIndex, PageKey::SitemapPages]);
    }

    fn touch_list_from(&self, key: &ListKey, position: usize, touched: &mut BTreeSet<PageKey>) {
        let paging = self.paging(key);
        touched.extend(paging.affected_from(position).map(|slice| PageKey::List(key.clone(), slice)));
        if let ListKey::Month(year, month) = key {
            let last = paging.len / SITEMAP_SHARD;
            touched.extend((position / SITEMAP_SHARD..=last).map(|shard| PageKey::Sitemap(*year, *month, shard)));
        }
        self.touch_feeds_and_sitemap(key, position, touched);
    }

    fn touch_feeds_and_sitemap(&self, key: &ListKey, position: usize, touched: &mut BTreeSet<PageKey>) {
        let len = self.lists.get(key).map_or(0, |list| list.entries.len());
        let in_feed = position + self.feed_items >= len;
        match key {
            ListKey::Home if in_feed => touched.extend(FeedKey::OF_SITE.map(PageKey::Feed)),
            ListKey::Tag(tag) if in_feed => {
                touched.insert(PageKey::Feed(FeedKey::Tag(tag.clone())));
            }
            ListKey::Month(year, month) => {
                touched.insert(PageKey::Sitemap(*year, *month, position / SITEMAP_SHARD));
            }
            _ => {}
        }
    }

    /// The tag as its newest post writes it: posts may differ in case (`Rust`, `rust`).
    pub(crate) fn tag_title(&self, slug: &Slug) -> String {
        let newest = self.lists.get(&ListKey::Tag(slug.clone())).and_then(|list| list.entries.last());
        let tag = newest.and_then(|entry| entry.tags.iter().find(|tag| tag.slug() == slug));
        tag.map_or_else(|| slug.to_string(), |tag| tag.name().to_owned())
    }

    pub(crate) fn entry(&self, id: PostId) -> Option<&Arc<Entry>> {
        self.entries.get(&id)
    }

    pub(crate) fn list(&self, key: &ListKey) -> Option<&PostList> {
        self.lists.get(key)
    }

    pub(crate) fn lists(&self) -> impl Iterator<Item = (&ListKey, &PostList)> {
        self.lists.iter()
    }

    pub(crate) fn standing(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.standing.values()
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn paging(&self, key: &ListKey) -> Paging {
        let size = match key {
            ListKey::Home | ListKey::Tag(_) => self.posts_per_page,
            ListKey::Year(_) | ListKey::Month(..) => self.posts_per_page * ARCHIVE_FACTOR,
        };
        Paging { len: self.lists.get(key).map_or(0, |list| list.entries.len()), size }
    }

    /// The posts just before and after this moment, whether or not a post stands at it.
    pub(crate) fn neighbours(&self, order: OrderKey) -> (Option<&Arc<Entry>>, Option<&Arc<Entry>>) {
        let Some(home) = self.lists.get(&ListKey::Home) else { return (None, None) };
        let (before, after) = match home.position(order) {
            Ok(at) => (at.checked_sub(1), at + 1),
            Err(at) => (at.checked_sub(1), at),
        };
        (before.and_then(|at| home.entries.get(at)), home.entries.get(after))
    }
}

fn standing_key(entry: &Entry) -> (UrlPath, PostId) {
    (entry.address.clone(), entry.id)
}

/// The lists that a post stands in; none for a page.
fn lists_of(entry: &Entry) -> Vec<ListKey> {
    if entry.kind == PostKind::Page {
        return Vec::new();
    }
    let (year, month) = (entry.date.year(), entry.date.month());
    let mut keys = vec![ListKey::Home, ListKey::Year(year), ListKey::Month(year, month)];
    keys.extend(entry.tags.iter().map(|tag| ListKey::Tag(tag.slug().clone())));
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn same_place(before: &Entry, after: &Entry) -> bool {
    before.order() == after.order()
        && before.kind == after.kind
        && before.address == after.address
        && before.aliases == after.aliases
        && before.date == after.date
        && lists_of(before) == lists_of(after)
}
