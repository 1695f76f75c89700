//! The pages of a site with every feature: valid, without barriers, connected, and readable for machines.

use std::collections::HashSet;
use std::path::Path;

use crate::built_site::{attributes, links_within, selector, specimen, texts};
use crate::server::FolderServer;
use crate::web;

const ORIGIN: &str = "https://mill.example";
const SPECIMEN: &str = "/2026/03/every-feature/";
const NOTE: &str = "/2026/03/first-light/";
/// One page of each kind; but redirects, which leave before anyone can look at them.
const KINDS: [&str; 12] = [
    "/",
    "/page/1/",
    SPECIMEN,
    NOTE,
    "/2025/08/small-capitals-are-not-small-capitals/",
    "/about/",
    "/2026/",
    "/2026/03/",
    "/archive/",
    "/tags/",
    "/tags/typography/",
    "/404.html",
];

#[test]
fn every_page_is_valid_html() {
    let site = specimen();
    let files: Vec<&Path> = site.pages().map(|address| &*site.files[address]).collect();
    let errors = web::html_checker(&files);
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn no_kind_of_page_has_a_barrier_on_any_screen() {
    let server = FolderServer::start(&specimen().root);
    let urls: Vec<String> = KINDS.iter().map(|address| server.url(address)).collect();
    let barriers = web::axe(&urls, &[]);
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}

#[test]
fn every_link_within_the_site_leads_somewhere() {
    let site = specimen();
    let mut broken = Vec::new();
    for address in site.pages() {
        for link in links_within(&site.page(address), address, ORIGIN) {
            let leads_to_file = site.files.contains_key(&link.path);
            let leads_to_place = link.fragment.as_ref().is_none_or(|id| has_id(&link.path, id));
            if !(leads_to_file && leads_to_place) {
                broken.push(format!("{address}: {link:?}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn has_id(address: &str, id: &str) -> bool {
    specimen().page(address).select(&selector("[id]")).any(|element| element.attr("id") == Some(id))
}

#[test]
fn every_page_says_what_and_where_it_is() {
    let site = specimen();
    let mut titles = HashSet::new();
    for address in site.pages().filter(|address| !matches!(*address, "/old/specimen/" | "/specimen.html")) {
        let page = site.page(address);
        let title = texts(&page, "title").concat();
        assert!(title.contains("The Paper Mill"), "{address}: {title}");
        assert!(titles.insert(title), "{address} has the title of another page");
        assert_eq!(texts(&page, "main h1").len(), 1, "{address}");
        if address != "/404.html" {
            let canonical = attributes(&page, "link[rel=canonical]", "href");
            assert_eq!(canonical, [format!("{ORIGIN}{}", encoded(address))], "{address}");
        }
    }
}

fn encoded(address: &str) -> String {
    percent_encoding::utf8_percent_encode(address, percent_encoding::CONTROLS).to_string()
}

#[test]
fn a_post_is_an_entry_for_machines() {
    let page = specimen().page(SPECIMEN);
    let entry = |css: &str| texts(&page, &format!(".h-entry {css}"));
    assert_eq!(entry(".p-name"), ["Every feature on one page: a specimen of what a post can hold & show"]);
    assert_eq!(entry(".p-author.h-card"), ["Ottilie Marsh", "Bao Nguyễn"]);
    assert_eq!(entry(".p-category"), ["Specimen", "Typography", "Code"]);
    assert_eq!(attributes(&page, ".h-entry .u-url", "href"), [SPECIMEN]);
    assert_eq!(attributes(&page, ".h-entry .dt-published", "datetime"), ["2026-03-14T09:26:53Z"]);
    assert_eq!(attributes(&page, ".h-entry .dt-updated", "datetime"), ["2026-04-01T08:00:00Z"]);
    assert_eq!(attributes(&page, ".h-entry .u-featured", "src"), ["/images/press.svg"]);
    assert_eq!(entry(".e-content").len(), 1);
    let meta = |name: &str| attributes(&page, &format!("meta[property='{name}']"), "content").concat();
    assert_eq!(meta("og:image"), format!("{ORIGIN}/images/press.svg"));
    assert_eq!(meta("og:url"), format!("{ORIGIN}{SPECIMEN}"));
    assert!(meta("og:description").starts_with("Headings, lists"));
}

#[test]
fn a_note_is_an_entry_without_a_name() {
    let site = specimen();
    let alone = site.page(NOTE);
    assert!(texts(&alone, ".h-entry .p-name").is_empty());
    assert!(texts(&alone, ".h-entry .e-content").concat().starts_with("First light"));
    let listed = site.page("/");
    let note = format!(".h-feed .h-entry.note a.u-url[href='{NOTE}']");
    assert_eq!(texts(&listed, &note), ["12 March 2026"]);
    assert!(texts(&listed, ".h-feed .h-entry.note .e-content")[0].contains("not a ripple"));
}

#[test]
fn the_home_page_is_a_feed_of_the_newest_posts() {
    let page = specimen().page("/");
    assert_eq!(texts(&page, ".h-feed h1.p-name"), ["The Paper Mill"]);
    let newest = attributes(&page, ".h-feed > .h-entry .u-url", "href");
    assert_eq!(newest[..3], [SPECIMEN, NOTE, "/2026/02/shopping/"]);
}

#[test]
fn posts_lead_to_the_one_before_and_the_one_after() {
    let page = specimen().page(NOTE);
    assert_eq!(attributes(&page, "a[rel=prev]", "href"), ["/2026/02/shopping/"]);
    assert_eq!(attributes(&page, "a[rel=next]", "href"), [SPECIMEN]);
}

#[test]
fn drafts_are_nowhere() {
    let site = specimen();
    assert!(!site.files.keys().any(|address| address.contains("unfinished")));
    assert!(site.pages().all(|address| !site.text(address).contains("Unfinished")));
}

#[test]
fn no_page_needs_a_script_and_the_style_is_small() {
    let site = specimen();
    for address in site.pages() {
        let page = site.page(address);
        assert!(texts(&page, "script").is_empty(), "{address}");
        assert!(attributes(&page, "[style], [onclick], [onload]", "class").is_empty(), "{address}");
    }
    let style = attributes(&site.page("/"), "link[rel=stylesheet]", "href").concat();
    let bytes = site.text(&style).len();
    assert!(bytes <= 15 * 1024, "{style} has {bytes} bytes");
}
