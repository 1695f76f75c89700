//! The folders of Microblog, Hugo, Jekyll and Zola are read as they are.

use std::path::{Path, PathBuf};

use microblog_content::{ContentFolder, FilePost, write_post};
use microblog_domain::SiteSettings;

use crate::{open, read, reading};

fn fixture(name: &str) -> ContentFolder {
    open(&PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(name))
}

/// One line for each post.
fn posts(folder: &ContentFolder) -> Vec<String> {
    assert!(folder.problems().is_empty(), "{:?}", folder.problems());
    read(folder).into_iter().map(|post| line(&post.unwrap())).collect()
}

fn line(post: &FilePost) -> String {
    let content = &post.content;
    let path = post.path.display();
    let title = content.title.as_deref().unwrap_or("-");
    let date = content.published_at.map_or("-".to_owned(), |date| date.to_string());
    let tags: Vec<_> = content.tags.iter().map(microblog_domain::Tag::name).collect();
    let resources: Vec<_> = post.resources.iter().map(|resource| resource.name.as_str()).collect();
    format!("{path} {} {} {title:?} {} {date} {tags:?} {resources:?}", content.kind, post.status, content.slug)
}

fn files(folder: &ContentFolder) -> Vec<&str> {
    assert!(folder.static_files().iter().all(|file| file.source.is_file()));
    folder.static_files().iter().map(|file| file.path.as_str()).collect()
}

fn skipped(folder: &ContentFolder) -> Vec<String> {
    folder.skipped().iter().map(ToString::to_string).collect()
}

fn settings(folder: &ContentFolder) -> &SiteSettings {
    folder.settings().unwrap()
}

#[test]
fn a_folder_of_our_own_is_read() {
    let folder = fixture("own");
    assert_eq!(
        posts(&folder),
        [
            r#"content/about.md page published "About" about - [] []"#,
            r#"content/posts/2024/first.md article published "First post" first 2024-01-31T00:00:00Z ["rust"] []"#,
            r#"content/posts/2024/note.md note published "-" note 2024-02-01T09:30:00Z [] []"#,
        ]
    );
    assert_eq!(files(&folder), ["images/bird.svg", "verify.txt"]);
    assert_eq!(skipped(&folder), ["content/README.md: about the folder, not a post"]);
    assert_eq!((settings(&folder).title.as_str(), settings(&folder).menu[0].url.as_str()), ("Field notes", "/about/"));
}

#[test]
fn the_content_folder_alone_is_read_alike() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/own/content");
    let folder = open(&path);
    assert_eq!(folder.post_count(), 3);
    assert_eq!(files(&folder), ["images/bird.svg"]);
    assert_eq!(settings(&folder).title, "Field notes");
}

#[test]
fn a_hugo_site_is_read() {
    let folder = fixture("hugo");
    assert_eq!(
        posts(&folder),
        [
            r#"content/about.md page published "About" about - [] []"#,
            r#"content/posts/bundle/index.md article published "A bundle" bundle 2024-03-01T00:00:00Z [] ["data.csv", "photo.svg"]"#,
            r#"content/posts/in-json.md article draft "In JSON" in-json 2024-02-01T00:00:00Z [] []"#,
            r#"content/posts/in-toml.md article published "In TOML" in-toml 2024-01-31T08:00:00Z ["One", "Two"] []"#,
        ]
    );
    assert_eq!(files(&folder), ["css/site.css"]);
    assert_eq!(skipped(&folder), ["content/posts/_index.md: the front page of a section, not a post"]);
    assert_eq!(settings(&folder).base_url.as_str(), "https://hugo.example");
    assert_eq!(settings(&folder).menu[0].title, "About");
}

#[test]
fn a_jekyll_site_is_read() {
    let folder = fixture("jekyll");
    assert_eq!(
        posts(&folder),
        [
            r#"_drafts/unfinished.md article draft "Unfinished" unfinished - [] []"#,
            r#"_posts/2024-01-31-hello.md article published "Hello" hello 2024-01-31T00:00:00Z ["rust", "web", "news"] []"#,
            r#"about.md page published "About" about - [] []"#,
        ]
    );
    assert_eq!(files(&folder), ["assets/img/logo.svg"]);
    assert_eq!(
        skipped(&folder),
        [
            "Gemfile: neither Markdown nor media; put it into static/ to publish it",
            "_config.yml: neither Markdown nor media; put it into static/ to publish it",
            "index.md: the front page of a section, not a post",
        ]
    );
    assert_eq!(settings(&folder).base_url.as_str(), "https://jekyll.example/blog");
    assert_eq!(settings(&folder).permalink.to_string(), "/{yyyy}/{mm}/{dd}/{slug}/");
}

#[test]
fn a_zola_site_is_read() {
    let folder = fixture("zola");
    assert_eq!(
        posts(&folder),
        [
            r#"content/blog/bundle/index.md article published "Chart" bundle 2024-02-01T00:00:00Z [] ["chart.svg"]"#,
            r#"content/blog/hello.md article published "Hello" hello 2024-01-31T00:00:00Z ["rust"] []"#,
        ]
    );
    assert_eq!(files(&folder), ["robots-extra.txt"]);
    assert_eq!((settings(&folder).language.as_str(), settings(&folder).author.as_str()), ("de", "Jane"));
}

#[test]
fn a_plain_folder_is_read() {
    let folder = fixture("plain");
    assert_eq!(
        posts(&folder),
        [
            r#"2024-01-31-thought.md note published "-" thought 2024-01-31T00:00:00Z [] []"#,
            r#"hello.md page published "Hello" hello - [] []"#,
        ]
    );
    assert_eq!(folder.settings(), None);
}

#[test]
fn every_fixture_survives_export() {
    for name in ["own", "hugo", "jekyll", "zola", "plain"] {
        for post in read(&fixture(name)) {
            let post = post.unwrap();
            let file = write_post(&post.clone().into_post());
            let again = microblog_content::parse(&file, &post.path, &reading()).unwrap();
            assert_eq!((again.content, again.status), (post.content, post.status), "{file}");
        }
    }
}

#[test]
fn ids_and_order_are_the_same_in_every_run() {
    let ids = || read(&fixture("own")).into_iter().map(|post| post.unwrap().id.to_string()).collect::<Vec<_>>();
    let first = ids();
    assert_eq!(first, ids());
    assert_eq!(first[0], "afc8b94f-3202-8be4-b18f-aefb9baf2e0a");
}

#[test]
fn the_text_of_a_post_can_be_fetched_later() {
    let folder = fixture("own");
    for post in read(&folder) {
        let post = post.unwrap();
        assert_eq!(folder.read_text(&post.path, &post.text).unwrap(), post.content.markdown, "{}", post.path.display());
    }
}
