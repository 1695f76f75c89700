//! Sites unlike the specimen: one without posts, one from right to left that lives in a folder of its host.

use std::fs;
use std::path::{Path, PathBuf};

use crate::built_site::{BuiltSite, attributes, links_within};
use crate::program::empty_folder;
use crate::server::FolderServer;
use crate::web;

const RIGHT_TO_LEFT: &str = "title: طاحونة الورق
description: ملاحظات حول الطباعة
base_url: https://mill.example/blog
language: ar
menu:
  - { title: الأرشيف, url: /archive/ }
  - { title: Elsewhere, url: 'https://www.example.org/' }
";

fn content(name: &str, config: &str, post: Option<&str>) -> PathBuf {
    let folder = empty_folder(name);
    fs::create_dir_all(folder.join("_data")).unwrap();
    fs::create_dir_all(folder.join("posts")).unwrap();
    fs::write(folder.join("_data/config.yaml"), config).unwrap();
    if let Some(post) = post {
        fs::write(folder.join("posts/post.md"), post).unwrap();
    }
    folder
}

fn assert_sound(site: &BuiltSite, served: &Path, base_path: &str) {
    let files: Vec<&Path> = site.pages().map(|address| &*site.files[address]).collect();
    let server = FolderServer::start(served);
    let urls: Vec<String> = site.pages().map(|address| server.url(&format!("{base_path}{address}"))).collect();
    let found = [web::html_checker(&files), web::axe(&urls, &[])].concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_site_without_posts_is_sound() {
    let site = BuiltSite::build(&content("empty-content", "title: Soon\n", None), "empty");
    assert!(site.text("/").contains("Nothing is published yet"));
    assert_sound(&site, &site.root, "");
}

#[test]
fn a_site_from_right_to_left_in_a_folder_of_its_host_is_sound() {
    let post =
        "---\ntitle: مرحبا\ndate: 2026-01-02\nslug: marhaba\ntags: [ورق]\n---\nمرحبا بالعالم، [حول](/archive/).\n";
    let site = BuiltSite::build(&content("rtl-content", RIGHT_TO_LEFT, Some(post)), "rtl/blog");
    let page = site.page("/2026/01/marhaba/");
    assert_eq!(attributes(&page, "html", "dir"), ["rtl"]);
    assert_eq!(attributes(&page, "link[rel=canonical]", "href"), ["https://mill.example/blog/2026/01/marhaba/"]);
    for address in site.pages() {
        for link in links_within(&site.page(address), &format!("/blog{address}"), "https://mill.example") {
            let within =
                link.path.strip_prefix("/blog").unwrap_or_else(|| panic!("{address}: {link:?} leaves the folder"));
            assert!(site.files.contains_key(within), "{address}: {link:?} leads nowhere");
        }
    }
    assert_sound(&site, site.root.parent().unwrap(), "/blog");
}
