//! Pictures: their size and variants in pages, and which pages change when they do.

use microblog_domain::{FilePath, PostKind};
use microblog_site::{Change, Image, Site};

use crate::support::{Output, Posts, a_post, id, render_all, settings, site_of, stored};

const PHOTO: &str = "media/0123/photo.jpg";

fn photo_with(widths: &[u32]) -> Image {
    let variant = |width: &u32| (format!("media/{width}/photo-{width}.webp").parse().unwrap(), *width);
    Image::new(&PHOTO.parse().unwrap(), 4000, 3000, widths.iter().map(variant))
}

/// An article and a note that show the photo, one that has it as its picture, and others that do not show it.
fn posts() -> Posts {
    let mut article = a_post(1, "article", 1);
    article.content.markdown = format!("Look:\n\n![a & photo](/{PHOTO} \"t\")\n\nand ![again](../../../{PHOTO}?x)");
    let mut note = a_post(2, "note", 2);
    note.content.kind = PostKind::Note;
    note.content.title = None;
    note.content.markdown = format!("![p][p]\n\n[p]: /{PHOTO}");
    let mut lead = a_post(3, "lead", 3);
    lead.content.image = Some(format!("/{PHOTO}"));
    let others = (4..8).map(|number| a_post(number, &format!("other-{number}"), i64::try_from(number).unwrap() - 9));
    [article, note, lead].into_iter().chain(others).collect()
}

fn site_with(image: Option<Image>, posts: &Posts) -> Site {
    let mut site = site_of(settings(), &Posts::default());
    assert!(site.set_images([(PHOTO.parse().unwrap(), image)]).is_empty());
    let entries: Vec<_> = posts.0.values().map(|post| site.digest(post).unwrap()).collect();
    site.fill(entries);
    site
}

/// What a worker does when a picture changes; tells the files that were rendered again.
fn show(site: &mut Site, posts: &Posts, output: &mut Output, image: Option<Image>) -> Vec<String> {
    let concerned = site.set_images([(PHOTO.parse::<FilePath>().unwrap(), image)]);
    let changes: Vec<_> = concerned.iter().map(|id| Change::Put(site.digest(&posts.0[id]).unwrap())).collect();
    let touched = site.apply(changes);
    let renderer = site.renderer(posts);
    let mut rendered = Vec::new();
    for view in touched.iter().filter_map(|key| site.view(key)) {
        if output.get(view.file().as_str()).is_none_or(|(before, _)| *before != view.fingerprint()) {
            rendered.push(view.file().to_string());
            output.extend([stored(&view, &renderer.render(&view).unwrap())]);
        }
    }
    rendered
}

#[test]
fn a_page_tells_the_size_and_the_variants_of_its_pictures() {
    let posts = posts();
    let output = render_all(&site_with(Some(photo_with(&[480, 1600])), &posts), &posts);
    let attributes = "width=\"4000\" height=\"3000\" srcset=\"/media/480/photo-480.webp 480w, \
                      /media/1600/photo-1600.webp 1600w\" sizes=\"(max-width: 640px) 100vw, 640px\"";
    let article = &output["2023/11/article/index.html"].1;
    let first = format!("<img src=\"/{PHOTO}\" alt=\"a &amp; photo\" title=\"t\" decoding=\"async\" {attributes}>");
    let second = format!("<img src=\"/{PHOTO}?x\" alt=\"again\" loading=\"lazy\" decoding=\"async\" {attributes}>");
    assert!(article.contains(&first) && article.contains(&second), "{article}");
    let lead = &output["2023/11/lead/index.html"].1;
    assert!(lead.contains(&format!("src=\"/{PHOTO}\" alt=\"\" decoding=\"async\" {attributes}>")), "{lead}");
    assert!(output.values().any(|(_, text)| text.contains("http://localhost:8080/media/480/photo-480.webp 480w")));
}

#[test]
fn what_changes_with_a_picture_is_what_shows_it_and_nothing_else() {
    let posts = posts();
    let mut site = site_with(None, &posts);
    let mut output = render_all(&site, &posts);
    for image in [Some(photo_with(&[])), Some(photo_with(&[480])), Some(photo_with(&[480, 1600])), None] {
        let rendered = show(&mut site, &posts, &mut output, image.clone());
        for page in ["2023/11/article/index.html", "2023/11/note/index.html", "2023/11/lead/index.html"] {
            assert!(rendered.contains(&page.to_owned()), "{page} is not in {rendered:?}");
        }
        assert!(!rendered.iter().any(|file| file.contains("other")), "{rendered:?}");
        assert_eq!(output, render_all(&site_with(image.clone(), &posts), &posts));
        assert_eq!(show(&mut site, &posts, &mut output, image), [""; 0], "the same picture again is no change");
    }
}

#[test]
fn a_post_that_is_gone_or_changed_is_not_asked_about_its_pictures() {
    let mut posts = posts();
    let mut site = site_with(None, &posts);
    let article = posts.0.get_mut(&id(1)).unwrap();
    article.content.markdown = "No picture any more.".to_owned();
    let edited = Change::Put(site.digest(article).unwrap());
    site.apply([edited, Change::Remove(id(2))]);
    let concerned = site.set_images([(PHOTO.parse().unwrap(), Some(photo_with(&[])))]);
    assert_eq!(concerned.into_iter().collect::<Vec<_>>(), [id(3)]);
}

#[test]
fn variants_that_got_lost_are_the_authors_broken_links_not_the_themes() {
    let posts = posts();
    let site = site_with(Some(photo_with(&[480])), &posts);
    let renderer = site.renderer(&posts);
    for key in site.pages() {
        let page = renderer.render(&site.view(&key).unwrap()).unwrap();
        let is_shown =
            String::from_utf8_lossy(&page.body).contains("photo-480.webp 480w") && page.file.extension() == "html";
        let is_by_author = page.authored_links.contains(&"/media/480/photo-480.webp".to_owned());
        assert!(!is_shown || is_by_author, "{}", page.file);
    }
}
