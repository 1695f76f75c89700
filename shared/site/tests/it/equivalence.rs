//! Promise 5: the same content gives the same bytes, whether built from nothing or change by change.

use microblog_domain::{PostKind, Tag, UrlPath};
use microblog_site::{Change, Entry, Site, SourcePost};
use proptest::prelude::*;

use crate::support::{Output, Posts, a_post, id, render_all, settings, site_of, stored, tagged};

#[derive(Debug, Clone)]
enum Edit {
    Put(Box<SourcePost>),
    Remove(u128),
}

/// Posts out of few words and days, so that they meet: same slugs, same days, same addresses, shared tags.
fn any_post() -> impl Strategy<Value = SourcePost> {
    let slug = prop::sample::select(vec!["a", "b", "c", "tags", "2023"]);
    let kind = prop::sample::select(vec![PostKind::Article, PostKind::Article, PostKind::Note, PostKind::Page]);
    let tags = prop::collection::vec(prop::sample::select(vec!["Rust", "rust", "C++", "C", "日本"]), 0..3);
    let permalinks = prop::sample::select(vec!["/a/", "/2023/11/a/", "/b.html", "/d/"]);
    let aliases = prop::sample::select(vec!["/a/", "/b.html", "/b.html/c/", "/feed.xml", "/e.php", "/e.php/f/"]);
    (
        0..12_u128,
        slug,
        0..70_i64,
        kind,
        tags,
        0..4_u8,
        prop::option::weighted(0.2, permalinks),
        prop::option::weighted(0.2, aliases),
    )
        .prop_map(|(number, slug, day, kind, tags, text, permalink, alias)| {
            let mut post = a_post(number, slug, day);
            post.content.kind = kind;
            if kind == PostKind::Note {
                post.content.title = None;
            }
            post.content.markdown = format!("Text {text} with [a link](/a/).");
            post.content.tags = tags.iter().map(|tag| Tag::new(tag).unwrap()).collect();
            let address = |text: &str| -> UrlPath { text.parse().unwrap() };
            post.content.permalink = permalink.map(address);
            post.content.aliases = alias.map(address).into_iter().collect();
            post
        })
        .prop_filter("the site needs that address itself", |post| Entry::digest(post, &settings()).is_ok())
}

fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => any_post().prop_map(|post| Edit::Put(Box::new(post))),
        1 => (0..12_u128).prop_map(Edit::Remove),
    ]
}

/// Does what a worker does: asks which pages a change may touch, and renders those whose fingerprint differs.
fn apply(site: &mut Site, posts: &Posts, output: &mut Output, changes: Vec<Change>) {
    let touched = site.apply(changes);
    let renderer = site.renderer(posts);
    for key in touched {
        let Some(view) = site.view(&key) else {
            output.remove(key.file().unwrap().as_str());
            continue;
        };
        let kept = output.get(view.file().as_str()).is_some_and(|(before, _)| *before == view.fingerprint());
        if !kept {
            output.extend([stored(&view, &renderer.render(&view).unwrap())]);
        }
    }
}

fn difference(incremental: &Output, full: &Output) -> Option<String> {
    let files = incremental.keys().chain(full.keys());
    files
        .filter(|file| incremental.get(*file) != full.get(*file))
        .min()
        .map(|file| format!("{file}:\nincremental: {:?}\nfrom nothing: {:?}", incremental.get(file), full.get(file)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn building_change_by_change_gives_what_building_from_nothing_gives(batches in prop::collection::vec(prop::collection::vec(any_edit(), 1..4), 1..12)) {
        let mut posts = Posts::default();
        let mut site = site_of(settings(), &posts);
        let mut output = render_all(&site, &posts);
        for batch in batches {
            let mut changes = Vec::new();
            for edit in batch {
                match edit {
                    Edit::Put(post) => {
                        changes.push(Change::Put(site.digest(&post).unwrap()));
                        posts.0.insert(post.id, *post);
                    }
                    Edit::Remove(number) => {
                        changes.push(Change::Remove(id(number)));
                        posts.0.remove(&id(number));
                    }
                }
            }
            apply(&mut site, &posts, &mut output, changes);
            let full = render_all(&site_of(settings(), &posts), &posts);
            if let Some(difference) = difference(&output, &full) {
                return Err(TestCaseError::fail(difference));
            }
        }
    }
}

/// Its card stays the same, and so do all pages that show nothing else of it.
#[test]
fn the_feed_of_a_tag_tells_of_an_edit_that_its_summary_does_not_show() {
    let mut post = tagged(a_post(0, "a", 0), &["rust"]);
    post.content.description = Some("always the same".to_owned());
    let mut posts: Posts = [post.clone()].into_iter().collect();
    let mut site = site_of(settings(), &posts);
    let mut output = render_all(&site, &posts);
    let later = post.updated_at + std::time::Duration::from_secs(60);
    post.content.markdown.push_str("\n\nOne more thing.");
    post.updated_at = later;
    posts.0.insert(post.id, post.clone());
    let changes = vec![Change::Put(site.digest(&post).unwrap())];
    apply(&mut site, &posts, &mut output, changes);
    assert!(output["tags/rust/feed.xml"].1.contains(&later.to_string()));
}

#[test]
fn a_post_that_was_made_anew_with_the_same_content_is_another_one_to_feeds() {
    let post = tagged(a_post(0, "a", 0), &["rust"]);
    let mut posts: Posts = [post.clone()].into_iter().collect();
    let mut site = site_of(settings(), &posts);
    let mut output = render_all(&site, &posts);
    let anew = SourcePost { id: id(1), ..post.clone() };
    posts = [anew.clone()].into_iter().collect();
    let changes = vec![Change::Remove(post.id), Change::Put(site.digest(&anew).unwrap())];
    apply(&mut site, &posts, &mut output, changes);
    assert_eq!(difference(&output, &render_all(&site, &posts)), None);
}

#[test]
fn an_edit_of_a_text_touches_a_handful_of_pages() {
    let mut posts: Posts = (0..300).map(|n| a_post(n, &format!("p{n}"), i64::try_from(n).unwrap())).collect();
    for post in posts.0.values_mut() {
        post.content.description = Some("always the same".to_owned());
    }
    let mut site = site_of(settings(), &posts);
    let output = render_all(&site, &posts);
    let post = posts.0.get_mut(&id(150)).unwrap();
    post.content.markdown.push_str("\n\nOne more thing.");
    let changes = vec![Change::Put(site.digest(post).unwrap())];
    let mut after = output.clone();
    apply(&mut site, &posts, &mut after, changes);
    let changed: Vec<_> = after.keys().filter(|file| after[*file] != output[*file]).collect();
    assert_eq!(changed, [&format!("{}index.html", &site.entry(id(150)).unwrap().address().as_str()[1..])]);
}
