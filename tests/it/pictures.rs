//! Uploaded pictures in the running program: live at once, with smaller variants soon after, whatever is killed when.

use std::fs;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::installation::{Installation, Running, path_of};
use crate::program::empty_folder;
use crate::web;

/// How often the program is killed while it makes variants.
const KILLS: usize = 3;

/// A picture that is hard to compress.
fn a_photo(seed: u32) -> Vec<u8> {
    let mut noise = seed;
    let pixels = RgbImage::from_fn(700, 300, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([noise.to_be_bytes()[0] / 4, 80, 90])
    });
    let mut file = Cursor::new(Vec::new());
    pixels.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Uploads a picture; tells its address.
fn upload(running: &Running, name: &str, bytes: &[u8]) -> String {
    let head = format!("--line\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    let body = [head.as_bytes(), bytes, b"\r\n--line--\r\n"].concat();
    let mut answer = ureq::post(format!("{}/api/v1/media", running.client.api))
        .header("authorization", format!("Bearer {}", running.client.token))
        .header("content-type", "multipart/form-data; boundary=line")
        .send(&body[..])
        .unwrap();
    let media: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    media["url"].as_str().unwrap().to_owned()
}

fn publish_with(running: &Running, title: &str, picture: &str) -> String {
    // HTML knows no millionths of a second.
    let now = jiff::Timestamp::now();
    let text = format!("![A photo]({picture})");
    let post = json!({"title": title, "markdown": text, "status": "published", "published_at": now.to_string()});
    path_of(&running.client.ok("POST", "/api/v1/posts", Some(&post)))
}

/// The addresses in the first `srcset` of a page.
fn sources(page: &str) -> Vec<String> {
    let listed = page.split("srcset=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    listed.split(", ").filter_map(|source| source.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn a_post_is_live_with_its_picture_and_gets_the_variants_by_itself() {
    let installation = Installation::new();
    let running = installation.start();
    let picture = upload(&running, "crab.png", &a_photo(1));
    let page = publish_with(&running, "Crab", &picture);
    running.wait_for(&page, |status, text| status == 200 && text.contains(&format!("<img src=\"{picture}\"")));
    assert_eq!(ureq::get(format!("{}{picture}", running.site)).call().unwrap().status(), 200);
    running.wait_for(&page, |_, text| text.contains("srcset"));
    let html = running.read(&page).1;
    for source in sources(&html) {
        let mut answer = ureq::get(format!("{}{source}", running.site)).call().unwrap();
        assert_eq!(answer.headers()["content-type"], "image/webp");
        image::load_from_memory(&answer.body_mut().read_to_vec().unwrap()).unwrap();
    }
    let file = empty_folder("pictures").join("page.html");
    fs::write(&file, html).unwrap();
    let errors = web::html_checker(&[&file]);
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn a_kill_while_variants_are_made_costs_nothing_but_time() {
    let installation = Installation::new();
    let mut running = installation.start();
    let mut pages = Vec::new();
    for round in 0..KILLS {
        let picture = upload(&running, "photo.png", &a_photo(u32::try_from(round).unwrap()));
        pages.push(publish_with(&running, &format!("Photo {round}"), &picture));
        running.kill();
        running = installation.start();
    }
    for page in &pages {
        running.wait_for(page, |_, text| text.contains("srcset"));
    }
    assert!(running.stop());
}
