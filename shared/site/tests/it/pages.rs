//! Which pages there are, and what stands on them.

use microblog_domain::{PostKind, SiteSettings};

use crate::support::{Posts, a_post, render_all, settings, site_of, tagged};

fn files(output: &crate::support::Output) -> Vec<&str> {
    output.keys().map(String::as_str).filter(|file| !file.starts_with("assets/")).collect()
}

#[test]
fn an_empty_site_has_its_fixed_pages() {
    let posts = Posts::default();
    let output = render_all(&site_of(settings(), &posts), &posts);
    assert_eq!(
        files(&output),
        [
            "404.html",
            "archive/index.html",
            "feed.json",
            "feed.xml",
            "index.html",
            "robots.txt",
            "rss.xml",
            "sitemap.xml",
            "sitemaps/pages.xml",
            "tags/index.html"
        ]
    );
}

#[test]
fn a_post_brings_its_page_its_lists_and_its_feeds() {
    let posts: Posts = [tagged(a_post(1, "hello", 0), &["C++"])].into_iter().collect();
    let output = render_all(&site_of(settings(), &posts), &posts);
    for file in [
        "2023/11/hello/index.html",
        "2023/11/index.html",
        "2023/index.html",
        "sitemaps/2023-11.xml",
        "tags/cplusplus/feed.xml",
        "tags/cplusplus/index.html",
    ] {
        assert!(output.contains_key(file), "{file}");
    }
    assert!(output["tags/index.html"].1.contains(r#"href="/tags/cplusplus/""#));
    assert!(output["2023/11/index.html"].1.contains(r#"<a href="/2023/">2023</a>"#));
}

#[test]
fn a_page_outside_time_leads_to_no_tag_that_has_no_posts() {
    let mut page = tagged(a_post(1, "about", 0), &["Rust"]);
    page.content.kind = PostKind::Page;
    let posts: Posts = [page].into_iter().collect();
    let output = render_all(&site_of(settings(), &posts), &posts);
    assert!(!output["about/index.html"].1.contains("/tags/rust/"));
}

#[test]
fn a_post_leads_to_its_neighbours_in_time() {
    let posts: Posts = [a_post(1, "first", 0), a_post(2, "second", 1), a_post(3, "third", 2)].into_iter().collect();
    let output = render_all(&site_of(settings(), &posts), &posts);
    let page = &output["2023/11/second/index.html"].1;
    assert!(page.contains(r#"rel="prev" href="/2023/11/first/""#), "{page}");
    assert!(page.contains(r#"rel="next" href="/2023/11/third/""#), "{page}");
}

#[test]
fn footnotes_of_notes_are_followed_to_the_page_of_the_note() {
    let mut note = a_post(1, "x", 0);
    note.content.kind = PostKind::Note;
    note.content.title = None;
    note.content.markdown = "Text.[^1]\n\n[^1]: Foot.".to_owned();
    let posts: Posts = [note].into_iter().collect();
    let output = render_all(&site_of(settings(), &posts), &posts);
    assert!(output["2023/11/x/index.html"].1.contains(r##"href="#fn:1""##));
    for list in ["index.html", "feed.xml"] {
        assert!(output[list].1.contains("/2023/11/x/#fn:1"), "{list}");
        assert!(!output[list].1.contains("id=\"fn"), "{list}");
    }
}

#[test]
fn a_right_to_left_language_is_announced() {
    let settings = SiteSettings { language: "ar-EG".to_owned(), ..settings() };
    let posts: Posts = [a_post(1, "x", 0)].into_iter().collect();
    let output = render_all(&site_of(settings, &posts), &posts);
    assert!(output["index.html"].1.contains(r#"<html lang="ar-EG" dir="rtl">"#));
}

#[test]
fn a_site_in_a_folder_of_its_host_links_within_that_folder() {
    let settings = SiteSettings { base_url: "https://example.org/blog".parse().unwrap(), ..settings() };
    let mut post = tagged(a_post(1, "hello", 0), &["Rust"]);
    post.content.markdown = "[about](/about/) ![x](/media/x.png)".to_owned();
    let posts: Posts = [post, a_post(2, "second", 1)].into_iter().collect();
    for (file, (_, body)) in render_all(&site_of(settings, &posts), &posts) {
        for start in ["href=\"/", "src=\"/"] {
            for (at, _) in body.match_indices(start) {
                let target = &body[at + start.len()..];
                assert!(target.starts_with("blog/"), "{file}: {}", &target[..target.len().min(40)]);
            }
        }
    }
}

#[test]
fn hostile_titles_and_names_are_escaped_everywhere() {
    let mut post = tagged(a_post(1, "x", 0), &["<b>&\"'", "con\u{b}trol"]);
    let attack = "</title><script>alert(1)</script>&\"'\u{0}\u{b}]]>";
    post.content.title = Some(attack.to_owned());
    post.content.description = Some(attack.to_owned());
    post.content.authors = vec![attack.to_owned()];
    let posts: Posts = [post, a_post(2, "y", 1)].into_iter().collect();
    let settings = SiteSettings {
        title: attack.to_owned(),
        description: attack.to_owned(),
        author: attack.to_owned(),
        ..settings()
    };
    for (file, (_, body)) in render_all(&site_of(settings, &posts), &posts) {
        if file != "feed.json" {
            assert!(!body.contains("<script"), "{file}");
        }
        if file.ends_with(".xml") {
            assert!(!body.chars().any(|c| c.is_control() && c != '\n'), "{file} is not XML");
        }
    }
}

#[test]
fn pages_outside_time_are_in_the_menu_and_in_no_list() {
    let mut about = a_post(1, "about", 0);
    about.content.kind = PostKind::Page;
    let posts: Posts = [about, a_post(2, "x", 1)].into_iter().collect();
    let output = render_all(&site_of(settings(), &posts), &posts);
    assert!(output["about/index.html"].1.contains("The text of <em>about</em>"));
    assert!(output["index.html"].1.contains(r#"href="/about/""#));
    assert!(!output["feed.xml"].1.contains("/about/"));
    assert!(output["sitemaps/pages.xml"].1.contains("/about/"));
    let own_menu =
        SiteSettings { menu: vec![microblog_domain::MenuItem { title: "X".into(), url: "/x/".into() }], ..settings() };
    assert!(!render_all(&site_of(own_menu, &posts), &posts)["index.html"].1.contains(r#"href="/about/""#));
}

#[test]
fn a_note_shows_its_whole_text_in_lists_and_is_named_after_it_in_links() {
    let mut note = a_post(1, "n1", 0);
    note.content.kind = PostKind::Note;
    note.content.title = None;
    note.content.markdown =
        "Just **one** thought, and it is a rather long one that goes on and on for a while.".to_owned();
    let posts: Posts = [note, a_post(2, "x", 40)].into_iter().collect();
    let output = render_all(&site_of(settings(), &posts), &posts);
    assert!(output["page/1/index.html"].1.contains("Just <strong>one</strong> thought"));
    assert!(output["2023/11/index.html"].1.contains("Just one thought, and it is a rather long one that goes on…"));
}
