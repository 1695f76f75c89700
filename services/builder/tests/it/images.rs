//! Uploaded pictures: live at once as they are, with smaller variants when those are made.

use std::io::Cursor;
use std::sync::Arc;

use image::{ImageFormat, Rgb, RgbImage};
use microblog_builder::ImageMaker;
use microblog_domain::media::{public_file, stored_file};
use microblog_domain::{BuildMode, ContentHash};
use microblog_queue::Waker;
use microblog_store::media::{self, Media, MediaFile};
use microblog_store::{MediaFolder, audit, builds};
use microblog_testkit::a_post;
use tokio::sync::watch;

use crate::workshop::Workshop;

/// A picture that is hard to compress.
fn a_photo(seed: u32, width: u32, height: u32) -> Vec<u8> {
    let mut noise = seed;
    let pixels = RgbImage::from_fn(width, height, |x, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = noise.to_be_bytes()[0] / 4;
        Rgb([grain, x.to_le_bytes()[0] / 2, 90])
    });
    let mut file = Cursor::new(Vec::new());
    pixels.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

impl Workshop {
    async fn upload(&self, name: &str, bytes: &[u8]) -> Media {
        let folder = self.media_folder();
        let mut incoming = folder.receive().unwrap();
        incoming.write(bytes).unwrap();
        let file = MediaFile {
            hash: incoming.hash(),
            name: name.to_owned(),
            content_type: "image/png".to_owned(),
            size: incoming.size(),
            dimensions: Some((700, 300)),
        };
        folder.keep(incoming).unwrap();
        let mut tx = self.database.store().begin().await.unwrap();
        let media = media::add(&mut tx, &file, &self.origin()).await.unwrap();
        tx.commit().await.unwrap();
        media
    }

    fn media_folder(&self) -> MediaFolder {
        MediaFolder::new(self.folder.path().join("media"))
    }

    fn maker(&self, name: &str) -> ImageMaker {
        let store = self.database.store().clone();
        ImageMaker::new(name.to_owned(), store, Arc::new(self.clock.clone()), self.media_folder(), Waker::default())
    }

    /// Makes the variants of everything that waits for them; tells of how many pictures.
    async fn make_images(&self) -> usize {
        let (_keep, mut never) = watch::channel(false);
        let mut worked = 0;
        while self.maker("maker").work_once(&mut never).await.unwrap() {
            worked += 1;
        }
        worked
    }

    async fn show(&self, media: &Media) -> String {
        let address = public_file(&media.file.hash, &media.file.name).unwrap();
        let text = format!("Look: ![a photo](/{address})");
        self.create(a_post().titled(&format!("About {}", media.id)).saying(&text).published().build()).await;
        self.work().await;
        format!("2026/03/about-{}/index.html", media.id)
    }
}

/// The addresses in the `srcset` of a page.
fn sources(page: &str) -> Vec<String> {
    let listed = page.split("srcset=\"/").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let addresses = listed.split(", ").filter_map(|source| source.split(' ').next());
    addresses.map(|source| source.trim_start_matches('/').to_owned()).filter(|source| !source.is_empty()).collect()
}

#[tokio::test]
async fn a_picture_is_live_at_once_and_its_variants_when_they_are_made() {
    let shop = Workshop::new().await;
    let photo = shop.upload("photo.png", &a_photo(1, 700, 300)).await;
    let page = shop.show(&photo).await;
    let before = shop.read(&page).unwrap();
    assert!(before.contains("width=\"700\" height=\"300\"") && !before.contains("srcset"), "{before}");

    assert_eq!(shop.make_images().await, 1);
    assert_eq!(shop.read(&page).unwrap(), before, "readers see variants with the build that follows");
    shop.work().await;
    let after = shop.read(&page).unwrap();
    let sources = sources(&after);
    assert_eq!(sources.len(), 2, "{after}");
    for (source, width) in sources.iter().zip([480, 700]) {
        assert!(source.ends_with(&format!("/photo-{width}.webp")), "{source}");
        let bytes = std::fs::read(shop.folder.path().join("build/current").join(source)).unwrap();
        let decoded = image::load_from_memory_with_format(&bytes, ImageFormat::WebP).unwrap();
        assert_eq!(decoded.width(), width);
    }
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
    assert_eq!(shop.make_images().await, 0, "it is done once");
}

#[tokio::test]
async fn only_pages_that_show_the_picture_are_rendered_again() {
    let shop = Workshop::new().await;
    let photo = shop.upload("photo.png", &a_photo(1, 700, 300)).await;
    for day in 1..20 {
        let dated = format!("2026-01-{day:02}T08:00:00Z");
        shop.create(a_post().titled(&format!("Day {day}")).dated(&dated).published().build()).await;
    }
    shop.show(&photo).await;
    shop.make_images().await;
    let next = shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    let pages = shop.build(next.id).await.pages;
    assert!(pages.rendered <= 4, "the post and the three feeds with its text, not {pages:?}");
}

#[tokio::test]
async fn posts_that_share_a_picture_get_its_variants_together_and_lose_them_with_the_upload() {
    let mut shop = Workshop::new().await;
    let photo = shop.upload("photo.png", &a_photo(1, 700, 300)).await;
    let pages = [shop.show(&photo).await, shop.show(&shop.upload("twin.png", &a_photo(1, 700, 300)).await).await];
    assert_eq!(shop.make_images().await, 1, "the bytes are the same");
    shop.work().await;
    let shown = pages.each_ref().map(|page| sources(&shop.read(page).unwrap()));
    assert!(shown.iter().all(|sources| sources.len() == 2) && shown[0] != shown[1], "{shown:?}");

    shop.restart();
    let mut tx = shop.database.store().begin().await.unwrap();
    media::delete(&mut tx, photo.id, &shop.origin()).await.unwrap();
    tx.commit().await.unwrap();
    shop.work().await;
    assert!(!shop.read(&pages[0]).unwrap().contains("srcset"));
    assert_eq!(sources(&shop.read(&pages[1]).unwrap()), shown[1]);
    assert!(shop.read(&shown[0][0]).is_none() && shop.folder.path().join("build/current").join(&shown[1][0]).exists());
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test]
async fn an_upload_that_comes_after_its_post_is_found_by_it() {
    let shop = Workshop::new().await;
    let bytes = a_photo(1, 700, 300);
    let address = public_file(&ContentHash::of(&bytes), "late.png").unwrap();
    shop.create(a_post().titled("Early").saying(&format!("![soon](/{address})")).published().build()).await;
    shop.work().await;
    shop.upload("late.png", &bytes).await;
    shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    assert!(shop.read("2026/03/early/index.html").unwrap().contains("width=\"700\" height=\"300\""));
    assert_eq!(shop.tree(), shop.tree_from_nothing().await);
}

#[tokio::test]
async fn a_broken_picture_is_set_aside_and_the_others_go_on() {
    let shop = Workshop::new().await;
    let mut broken = a_photo(1, 700, 300);
    broken.truncate(2_000);
    let lost = shop.upload("broken.png", &broken).await;
    let sound = shop.upload("photo.png", &a_photo(2, 700, 300)).await;
    let pages = [shop.show(&lost).await, shop.show(&sound).await];
    assert_eq!(shop.make_images().await, 2);
    shop.work().await;
    assert!(!shop.read(&pages[0]).unwrap().contains("srcset") && shop.read(&pages[1]).unwrap().contains("srcset"));
    let told = audit::list(&mut shop.database.store().read().await.unwrap(), None, 50).await.unwrap();
    let reason = told.iter().find(|entry| entry.action == "media.no_variants").unwrap();
    assert_eq!(reason.subject, lost.file.hash.to_string());
    assert!(reason.detail["reason"].as_str().unwrap().contains("broken"), "{}", reason.detail);
}

#[tokio::test]
async fn a_picture_whose_bytes_are_away_is_tried_again_when_they_may_be_back() {
    let shop = Workshop::new().await;
    let bytes = a_photo(1, 700, 300);
    let photo = shop.upload("photo.png", &bytes).await;
    let stored = shop.folder.path().join("media").join(stored_file(&photo.file.hash));
    std::fs::remove_file(&stored).unwrap();
    assert_eq!((shop.make_images().await, shop.make_images().await), (1, 0));
    std::fs::write(&stored, &bytes).unwrap();
    shop.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(shop.make_images().await, 1);
    let page = shop.show(&photo).await;
    assert!(shop.read(&page).unwrap().contains("srcset"));
}

#[tokio::test]
async fn pages_do_without_a_lost_variant_until_it_is_made_again() {
    let mut shop = Workshop::new().await;
    let photo = shop.upload("photo.png", &a_photo(1, 700, 300)).await;
    let page = shop.show(&photo).await;
    shop.make_images().await;
    shop.work().await;
    let whole = shop.read(&page).unwrap();
    let lost = sources(&whole).remove(0);
    let bytes = std::fs::read(shop.folder.path().join("build/current").join(&lost)).unwrap();
    let stored = shop.folder.path().join("media").join(stored_file(&ContentHash::of(&bytes)));
    std::fs::remove_file(&stored).unwrap();

    shop.restart();
    let build = shop.ask(BuildMode::Incremental).await;
    shop.work().await;
    let without = sources(&shop.read(&page).unwrap());
    assert!(!without.contains(&lost) && without.len() == 1, "{without:?}");
    let store = shop.database.store();
    let told = builds::events::of_build(&mut store.read().await.unwrap(), build.id, 0, 50).await.unwrap();
    assert!(format!("{told:?}").contains("are made again"), "{told:?}");

    assert_eq!(shop.make_images().await, 1);
    shop.work().await;
    assert_eq!(shop.read(&page).unwrap(), whole);
    assert_eq!(std::fs::read(stored).unwrap(), bytes);
}

#[tokio::test]
async fn a_maker_that_is_told_to_stop_gives_its_picture_back() {
    let shop = Workshop::new().await;
    shop.upload("photo.png", &a_photo(1, 700, 300)).await;
    let (_keep, mut stop) = watch::channel(true);
    assert!(shop.maker("first").work_once(&mut stop).await.unwrap());
    shop.maker("first").run(stop).await;
    assert_eq!(shop.make_images().await, 1);
}
