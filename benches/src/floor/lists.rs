//! Lists of posts, each in pages of ten, or of a hundred where only titles are shown, and the pages that lead to them.
//!
//! Pages are numbered from the oldest, and the first one has what is left over: ten to nineteen posts.

use std::collections::BTreeMap;

use minijinja::Value;
use rayon::prelude::*;

use super::post::Post;
use super::theme::Fields;
use super::{Site, TITLE};

const CARDS_PER_PAGE: usize = 10;
const TITLES_PER_PAGE: usize = 100;

/// Which posts a list has.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    Home,
    Tag(&'a str),
    /// `2024`
    Year(&'a str),
    /// `2024/01`
    Month(&'a str),
}

/// All lists, their posts oldest first.
pub(super) type Lists<'a> = BTreeMap<Key<'a>, Vec<&'a Post>>;

pub(super) fn lists(posts: &[Post]) -> Lists<'_> {
    let mut lists = Lists::new();
    for post in posts {
        let keys = [Key::Home, Key::Year(post.year()), Key::Month(post.month())].into_iter();
        for key in keys.chain(post.tags.iter().map(|tag| Key::Tag(tag))) {
            lists.entry(key).or_default().push(post);
        }
    }
    lists
}

impl Key<'_> {
    pub(super) fn address(&self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            Self::Tag(tag) => format!("/tags/{tag}/"),
            Self::Year(path) | Self::Month(path) => format!("/{path}/"),
        }
    }

    pub(super) fn heading(&self, posts: &[&Post]) -> String {
        match self {
            Self::Home => TITLE.to_owned(),
            Self::Tag(name) | Self::Year(name) => (*name).to_owned(),
            Self::Month(path) => {
                posts.first().map_or_else(|| (*path).to_owned(), |post| post.date.strftime("%B %Y").to_string())
            }
        }
    }

    /// The template of its pages, and how many posts each of them shows.
    fn layout(&self) -> (&'static str, usize) {
        match self {
            Self::Home => ("home.html", CARDS_PER_PAGE),
            Self::Tag(_) => ("tag.html", CARDS_PER_PAGE),
            Self::Year(_) | Self::Month(_) => ("period.html", TITLES_PER_PAGE),
        }
    }
}

/// One page of a list; number 0 has the newest posts.
struct ListPage<'a> {
    key: &'a Key<'a>,
    posts: &'a [&'a Post],
    number: usize,
    /// How many pages have a number.
    numbered: usize,
}

fn pages<'a>((key, posts): (&'a Key<'a>, &'a Vec<&'a Post>)) -> impl Iterator<Item = ListPage<'a>> {
    let (_, size) = key.layout();
    let numbered = (posts.len() / size).saturating_sub(1);
    let newest = ListPage { key, posts: &posts[numbered * size..], number: 0, numbered };
    let others = posts.chunks(size).take(numbered).zip(1..);
    std::iter::once(newest).chain(others.map(move |(posts, number)| ListPage { key, posts, number, numbered }))
}

impl ListPage<'_> {
    fn address(&self, number: usize) -> Value {
        Value::from_safe_string(match number {
            0 => self.key.address(),
            _ => format!("{}page/{number}/", self.key.address()),
        })
    }

    fn newer(&self) -> Option<Value> {
        (self.number > 0).then(|| self.address((self.number + 1) % (self.numbered + 1)))
    }

    fn older(&self) -> Option<Value> {
        let number = self.number.checked_sub(1).unwrap_or(self.numbered);
        (number > 0).then(|| self.address(number))
    }
}

impl Site<'_> {
    pub(super) fn write_lists(&self, lists: &Lists<'_>) -> anyhow::Result<()> {
        let pages: Vec<_> = lists.iter().flat_map(pages).collect();
        pages.par_iter().try_for_each(|page| self.write_list_page(lists, page))?;
        let tags = lists.iter().filter(|(key, _)| matches!(key, Key::Tag(_)));
        let tags: Value = tags.map(|(key, posts)| Value::from_object(count(key, posts))).collect();
        self.write_page("/tags/", "tags.html", Fields::default().with("tags", tags))?;
        let years = lists.iter().rev().filter_map(|(key, posts)| match key {
            Key::Year(year) => Some(Value::from_object(count(key, posts).with("parts", months(lists, year)))),
            _ => None,
        });
        self.write_page("/archive/", "archive.html", Fields::default().with("years", years.collect::<Value>()))
    }

    fn write_list_page(&self, lists: &Lists<'_>, page: &ListPage<'_>) -> anyhow::Result<()> {
        let posts: Value = page.posts.iter().rev().map(|post| post.card()).collect();
        let mut fields = Fields::default()
            .with("heading", page.key.heading(page.posts))
            .with("posts", posts)
            .with("newer", page.newer())
            .with("older", page.older());
        fields = match page.key {
            Key::Home => fields,
            Key::Tag(tag) => fields.with("feed", Value::from_safe_string(format!("/tags/{tag}/feed.xml"))),
            Key::Year(_) if page.number > 0 => fields,
            Key::Year(year) => fields.with("months", months(lists, year)),
            Key::Month(path) => {
                fields.with("year", &path[..4]).with("parent", Value::from_safe_string(format!("/{}/", &path[..4])))
            }
        };
        if page.number > 0 {
            fields = fields.with("page_number", page.number);
        }
        let address = page.address(page.number);
        self.write_page(address.as_str().unwrap_or("/"), page.key.layout().0, fields)
    }
}

/// The months of a year, newest first.
fn months(lists: &Lists<'_>, year: &str) -> Value {
    let months = lists.iter().rev().filter(|(key, _)| matches!(key, Key::Month(month) if month.starts_with(year)));
    months.map(|(key, posts)| Value::from_object(count(key, posts))).collect()
}

fn count(key: &Key<'_>, posts: &[&Post]) -> Fields {
    Fields::default()
        .with("title", key.heading(posts))
        .with("url", Value::from_safe_string(key.address()))
        .with("posts", posts.len())
}
