//! Two posts that want one address.

use microblog_site::Taken;

use crate::support::{Posts, a_post, id, render_all, settings, site_of};

#[test]
fn the_older_of_two_posts_keeps_the_address_and_the_other_is_named() {
    let posts: Posts = [a_post(1, "same", 5), a_post(2, "same", 4)].into_iter().collect();
    let site = site_of(settings(), &posts);
    let problems = site.address_problems();
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].post, problems[0].taken), (id(1), Taken::By(id(2))));
    assert_eq!(problems[0].file.as_str(), "2023/11/same/index.html");
    render_all(&site, &posts);
}

#[test]
fn a_post_that_wants_an_address_of_the_site_is_set_aside() {
    for wanted in ["/feed.xml", "/tags/rust/", "/feed.json/x/", "/2023/11/x/index.html/y/", "/notes.txt"] {
        let mut post = a_post(1, "x", 1);
        post.content.permalink = Some(wanted.parse().unwrap());
        let site = site_of(settings(), &Posts::from_iter([]));
        assert!(site.digest(&post).is_err(), "{wanted}");
    }
}

#[test]
fn an_alias_takes_neither_the_sites_own_addresses_nor_folders_from_files() {
    let (mut post, mut other) = (a_post(1, "x", 1), a_post(2, "y", 2));
    post.content.permalink = Some("/a.html".parse().unwrap());
    other.content.aliases = ["/feed.xml", "/feed.xml/x/", "/a.html/b/"].map(|alias| alias.parse().unwrap()).to_vec();
    let posts: Posts = [post, other].into_iter().collect();
    let site = site_of(settings(), &posts);
    let problems: Vec<_> = site.address_problems().iter().map(|problem| (problem.post, problem.taken)).collect();
    assert_eq!(problems, [(id(2), Taken::BySite); 3]);
    let output = render_all(&site, &posts);
    assert!(output["feed.xml"].1.starts_with("<?xml"));
    assert!(output["a.html"].1.contains("The text of <em>x</em>"));
}

#[test]
fn an_alias_that_is_a_file_gives_way_to_a_folder_of_its_name() {
    let mut post = a_post(1, "x", 1);
    post.content.aliases = vec!["/a.php".parse().unwrap(), "/a.php/b/".parse().unwrap()];
    let posts: Posts = [post].into_iter().collect();
    let site = site_of(settings(), &posts);
    assert_eq!(site.address_problems()[0].taken, Taken::ByFolder);
    assert!(!render_all(&site, &posts).contains_key("a.php"));
}

#[test]
fn an_alias_leads_to_the_post_and_gives_way_to_a_post() {
    let mut post = a_post(1, "new", 1);
    post.content.aliases = vec!["/old/".parse().unwrap(), "/2023/11/other/".parse().unwrap()];
    let posts: Posts = [post, a_post(2, "other", 3)].into_iter().collect();
    let output = render_all(&site_of(settings(), &posts), &posts);
    assert!(output["old/index.html"].1.contains("url=/2023/11/new/"));
    assert!(output["2023/11/other/index.html"].1.contains("The text of <em>other</em>"));
}
