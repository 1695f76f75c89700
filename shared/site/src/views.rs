//! Which pages the site has, and what each of them shows: one small function per kind of page.

use std::sync::Arc;

use microblog_domain::{FilePath, PostKind, UrlPath};

use crate::Site;
use crate::entry::Entry;
use crate::index::{ListKey, SITEMAP_SHARD, Slice, Tenant};
use crate::page::{FeedKey, PageKey};
use crate::view::{Count, Input, Recipe, View};

impl Site {
    /// Every page of the site.
    #[must_use]
    pub fn pages(&self) -> Vec<PageKey> {
        let mut pages = vec![
            PageKey::Tags,
            PageKey::Archive,
            PageKey::SitemapIndex,
            PageKey::SitemapPages,
            PageKey::NotFound,
            PageKey::Robots,
        ];
        pages.extend(FeedKey::OF_SITE.map(PageKey::Feed));
        pages.extend(self.theme.assets().map(|asset| PageKey::Asset(asset.file.clone())));
        for (key, list) in self.index.lists() {
            pages.extend(self.index.paging(key).slices().map(|slice| PageKey::List(key.clone(), slice)));
            match key {
                ListKey::Tag(tag) => pages.push(PageKey::Feed(FeedKey::Tag(tag.clone()))),
                ListKey::Month(year, month) => {
                    let shards = list.entries().len().div_ceil(SITEMAP_SHARD);
                    pages.extend((0..shards).map(|shard| PageKey::Sitemap(*year, *month, shard)));
                }
                ListKey::Home | ListKey::Year(_) => {}
            }
        }
        let addresses = self.index.claims().files();
        pages
            .extend(addresses.filter(|file| self.index.claims().tenant(file).is_some()).cloned().map(PageKey::Address));
        pages
    }

    /// What the page shows; `None` when the site has no such page (any more).
    #[must_use]
    pub fn view(&self, key: &PageKey) -> Option<View> {
        match key {
            PageKey::Address(file) => self.address_view(file),
            PageKey::List(list, slice) => self.list_view(key, list, *slice),
            PageKey::Tags => Some(self.template(key, "tags.html")?.with("tags", Input::Counts(self.tag_counts()))),
            PageKey::Archive => {
                Some(self.template(key, "archive.html")?.with("years", Input::Counts(self.year_counts())))
            }
            PageKey::Feed(feed) => self.feed_view(key, feed),
            PageKey::SitemapIndex => self.sitemap_index_view(key),
            PageKey::SitemapPages => self.sitemap_pages_view(key),
            PageKey::Sitemap(year, month, shard) => self.sitemap_view(key, *year, *month, *shard),
            PageKey::NotFound => self.template(key, "404.html"),
            PageKey::Robots => self.start(key, Recipe::Robots),
            PageKey::Asset(file) => self.theme.asset(file).and_then(|_| self.start(key, Recipe::Asset)),
        }
    }

    fn start(&self, key: &PageKey, recipe: Recipe) -> Option<View> {
        let base = self.base_fingerprint(&recipe);
        Some(View::new(key.file()?, recipe, base))
    }

    /// A page made by a template: it knows its own address, and the menu.
    fn template(&self, key: &PageKey, template: &'static str) -> Option<View> {
        let view = self.start(key, Recipe::Template(template))?.with("address", Input::Address(key.url()?));
        let pages = self.index.standing().filter(|_| self.settings.menu.is_empty()).cloned().collect();
        Some(view.with("pages", Input::Links(pages)))
    }

    fn address_view(&self, file: &FilePath) -> Option<View> {
        let key = PageKey::Address(file.clone());
        match self.index.claims().tenant(file)? {
            Tenant::Post(id) => self.post_view(&key, self.index.entry(id)?),
            Tenant::Redirect(id) => {
                let target = Input::Address(self.index.entry(id)?.address.clone());
                Some(self.start(&key, Recipe::Template("redirect.html"))?.with("target", target))
            }
        }
    }

    fn post_view(&self, key: &PageKey, entry: &Arc<Entry>) -> Option<View> {
        let view = self.template(key, "post.html")?.with("post", Input::Post(Arc::clone(entry)));
        if entry.kind == PostKind::Page {
            return Some(view);
        }
        let (older, newer) = self.index.neighbours(entry.order());
        Some(
            view.with_some("older", older.cloned().map(Input::Link))
                .with_some("newer", newer.cloned().map(Input::Link)),
        )
    }

    fn list_view(&self, key: &PageKey, list: &ListKey, slice: Slice) -> Option<View> {
        let paging = self.index.paging(list);
        let entries = self.index.list(list)?.entries();
        let shown: Vec<_> = entries.get(paging.range(slice)?)?.iter().rev().cloned().collect();
        let neighbour =
            |slice: Option<Slice>| slice.and_then(|slice| PageKey::List(list.clone(), slice).url()).map(Input::Address);
        let template = match list {
            ListKey::Home => "home.html",
            ListKey::Tag(_) => "tag.html",
            ListKey::Year(_) | ListKey::Month(..) => "period.html",
        };
        let posts = match list {
            ListKey::Home | ListKey::Tag(_) => Input::Cards(shown),
            ListKey::Year(_) | ListKey::Month(..) => Input::Links(shown),
        };
        let mut view = self.template(key, template)?.with("posts", posts);
        if let Slice::Page(number) = slice {
            view = view.with("page_number", Input::Text(number.to_string()));
        }
        view =
            view.with_some("newer", neighbour(paging.newer(slice))).with_some("older", neighbour(paging.older(slice)));
        Some(match list {
            ListKey::Home => view,
            ListKey::Tag(tag) => {
                let feed = PageKey::Feed(FeedKey::Tag(tag.clone())).url().map(Input::Address);
                view.with("heading", Input::Text(self.title(list))).with_some("feed", feed)
            }
            ListKey::Year(year) if slice == Slice::Newest => view
                .with("heading", Input::Text(self.title(list)))
                .with("months", Input::Counts(self.month_counts(*year))),
            ListKey::Year(_) => view.with("heading", Input::Text(self.title(list))),
            ListKey::Month(year, _) => {
                let parent = PageKey::List(ListKey::Year(*year), Slice::Newest).url().map(Input::Address);
                view.with("heading", Input::Text(self.title(list)))
                    .with("year", Input::Text(self.title(&ListKey::Year(*year))))
                    .with_some("parent", parent)
            }
        })
    }

    fn feed_view(&self, key: &PageKey, feed: &FeedKey) -> Option<View> {
        let (list, recipe) = match feed {
            FeedKey::Atom => (ListKey::Home, Recipe::AtomFeed),
            FeedKey::Rss => (ListKey::Home, Recipe::RssFeed),
            FeedKey::Json => (ListKey::Home, Recipe::JsonFeed),
            FeedKey::Tag(tag) => (ListKey::Tag(tag.clone()), Recipe::AtomFeed),
        };
        let newest = self.index.list(&list)?.newest(usize::from(self.settings.feed_items)).cloned().collect();
        let view = self.start(key, recipe)?;
        Some(match feed {
            FeedKey::Tag(_) => {
                let page = PageKey::List(list.clone(), Slice::Newest).url()?;
                view.with("heading", Input::Text(self.title(&list)))
                    .with("page", Input::Address(page))
                    .with("posts", Input::Summaries(newest))
            }
            _ => view.with("page", Input::Address(UrlPath::root())).with("posts", Input::Posts(newest)),
        })
    }

    fn sitemap_view(&self, key: &PageKey, year: i16, month: i8, shard: usize) -> Option<View> {
        let entries = self.index.list(&ListKey::Month(year, month))?.entries();
        let shown = entries.chunks(SITEMAP_SHARD).nth(shard)?;
        let addresses = shown.iter().map(changed_address).collect();
        Some(self.start(key, Recipe::Sitemap)?.with("addresses", Input::Addresses(addresses)))
    }

    fn sitemap_pages_view(&self, key: &PageKey) -> Option<View> {
        let newest = |list: &ListKey| PageKey::List(list.clone(), Slice::Newest).url();
        let mut addresses: Vec<_> =
            self.index.lists().filter_map(|(list, _)| newest(list)).map(|url| (url, None)).collect();
        addresses.extend([PageKey::Tags, PageKey::Archive].iter().filter_map(PageKey::url).map(|url| (url, None)));
        addresses.extend(self.index.standing().map(changed_address));
        Some(self.start(key, Recipe::Sitemap)?.with("addresses", Input::Addresses(addresses)))
    }

    fn sitemap_index_view(&self, key: &PageKey) -> Option<View> {
        let mut shards = vec![(PageKey::SitemapPages.url()?, None)];
        for (list, posts) in self.index.lists() {
            let ListKey::Month(year, month) = list else { continue };
            let changed = posts.latest_update().map(|time| time.to_string());
            for shard in 0..posts.entries().len().div_ceil(SITEMAP_SHARD) {
                shards.push((PageKey::Sitemap(*year, *month, shard).url()?, changed.clone()));
            }
        }
        Some(self.start(key, Recipe::SitemapIndex)?.with("addresses", Input::Addresses(shards)))
    }

    /// All tags, by name.
    fn tag_counts(&self) -> Vec<Count> {
        let mut tags = self.counts(|list| matches!(list, ListKey::Tag(_)));
        tags.sort_by_cached_key(|tag| (tag.title.to_lowercase(), tag.address.clone()));
        tags
    }

    /// All years with their months, newest first.
    fn year_counts(&self) -> Vec<Count> {
        let mut years = self.counts(|list| matches!(list, ListKey::Year(_)));
        years.reverse();
        for year in &mut years {
            year.parts = year.title.parse().map(|number| self.month_counts(number)).unwrap_or_default();
        }
        years
    }

    fn month_counts(&self, of_year: i16) -> Vec<Count> {
        let mut months = self.counts(|list| matches!(list, ListKey::Month(year, _) if *year == of_year));
        months.reverse();
        months
    }

    fn counts(&self, is_wanted: impl Fn(&ListKey) -> bool) -> Vec<Count> {
        let wanted = self.index.lists().filter(|(list, _)| is_wanted(list));
        wanted
            .filter_map(|(list, posts)| {
                let address = PageKey::List(list.clone(), Slice::Newest).url()?;
                Some(Count { title: self.title(list), address, posts: posts.entries().len(), parts: Vec::new() })
            })
            .collect()
    }

    /// What a list is called: `Rust`, `2026`, and `November 2026` in English or `2026-11` elsewhere.
    fn title(&self, list: &ListKey) -> String {
        match list {
            ListKey::Home => self.settings.title.clone(),
            ListKey::Tag(slug) => self.index.tag_title(slug),
            ListKey::Year(year) => format!("{year:04}"),
            ListKey::Month(year, month) => {
                let is_english = self.settings.language.split('-').next() == Some("en");
                match jiff::civil::Date::new(*year, *month, 1) {
                    Ok(day) if is_english => day.strftime("%B %Y").to_string(),
                    _ => format!("{year:04}-{month:02}"),
                }
            }
        }
    }
}

fn changed_address(entry: &Arc<Entry>) -> (UrlPath, Option<String>) {
    (entry.address.clone(), entry.last_change().map(|time| time.to_string()))
}
