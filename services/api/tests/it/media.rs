//! Uploads.

use std::io::Cursor;

use axum::http::{Method, StatusCode};
use microblog_domain::Role;

use crate::harness::{Answer, Client, TestApp};

const MEDIA: &str = "/api/v1/media";

fn png(width: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::GrayImage::new(width, 2).write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

fn form(part: &str, name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("--line\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"{name}\"\r\n\r\n");
    [head.as_bytes(), bytes, b"\r\n--line--\r\n"].concat()
}

async fn send(client: &Client<'_>, body: Vec<u8>) -> Answer {
    let client = client.with("content-type", "multipart/form-data; boundary=line");
    client.ask(Method::POST, MEDIA, body.into()).await
}

async fn upload(client: &Client<'_>, name: &str, bytes: &[u8]) -> Answer {
    send(client, form("file", name, bytes)).await
}

/// Files in the data folder, but for folders.
fn kept(app: &TestApp) -> usize {
    let media = app.state.media.path();
    let Ok(entries) = std::fs::read_dir(media) else { return 0 };
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { path.read_dir().unwrap().count() } else { 1 })
        .sum()
}

#[tokio::test]
async fn an_upload_is_measured_named_and_served() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let answer = upload(&author, "../My Photo.PNG", &png(3)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let media = answer.ok();
    assert_eq!((&media["name"], &media["content_type"]), (&"my-photo.png".into(), &"image/png".into()));
    assert_eq!((&media["width"], &media["height"]), (&3.into(), &2.into()));
    let url = media["url"].as_str().unwrap();
    let served = app.anonymous().get(url).await;
    assert_eq!(
        (served.status, &served.body[..], served.header("content-type").as_str()),
        (StatusCode::OK, &png(3)[..], "image/png")
    );
    assert!(served.header("cache-control").contains("immutable"));
    assert!(served.header("content-security-policy").contains("sandbox"));
    assert_eq!(served.header("cross-origin-resource-policy"), "cross-origin");
    let part = app.anonymous().with("range", "bytes=0-3").get(url).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &png(3)[..4]));
    let (folder, _) = url.rsplit_once('/').unwrap();
    for wrong in
        [format!("{folder}/other.png"), format!("{}/my-photo.png", &folder[..20]), "/media/x/..%2f..%2fx".into()]
    {
        app.anonymous().get(&wrong).await.problem("not_found");
    }
}

#[tokio::test]
async fn the_same_file_is_kept_once() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let (one, other) = (upload(&author, "a.png", &png(3)).await.ok(), upload(&author, "a.png", &png(3)).await.ok());
    assert_eq!(one["id"], other["id"]);
    app.wait(1);
    upload(&author, "b.png", &png(3)).await.ok();
    assert_eq!(kept(&app), 1);
    let list = author.get(&format!("{MEDIA}?limit=1")).await.ok();
    assert_eq!((&list["items"][0]["name"], list.get("next_cursor").is_some()), (&"b.png".into(), true));
}

#[tokio::test]
async fn files_that_are_not_what_they_should_be_are_refused_and_not_kept() {
    let app = TestApp::new().await;
    let author = app.author().await;
    let script = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    for (name, bytes, reason) in [
        ("a.png", &b"not a picture"[..], "no type of file"),
        ("a.jpg", &png(1), "image/png"),
        ("a.svg", script, "onload"),
        ("a.html", b"<html></html>", "no type of file"),
        ("a.png", b"", "empty"),
    ] {
        let problem = upload(&author, name, bytes).await.problem("unacceptable_file");
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{name}: {problem}");
    }
    assert_eq!(kept(&app), 0);
}

#[tokio::test]
async fn forms_without_a_file_and_broken_ones_are_refused() {
    let app = TestApp::with(&[("server.max_upload", "2 KiB")]).await;
    let author = app.author().await;
    assert_eq!(send(&author, form("picture", "a.png", &png(1))).await.wrong_fields(), ["file"]);
    send(&author, b"nonsense".to_vec()).await.problem("invalid_body");
    let whole = form("file", "a.png", &png(1));
    send(&author, whole[..whole.len() - 20].to_vec()).await.problem("invalid_body");
    upload(&author, "a.png", &vec![0; 4_000]).await.problem("too_large");
    author.ask(Method::POST, MEDIA, "{}".into()).await.problem("invalid_body");
    assert_eq!(kept(&app), 0);
}

#[tokio::test]
async fn authors_delete_only_what_they_uploaded() {
    let app = TestApp::new().await;
    let (anna, otto) = (app.author().await, app.user("otto", Role::Author).await);
    let media = upload(&anna, "a.png", &png(1)).await.ok();
    let path = format!("{MEDIA}/{}", media["id"].as_str().unwrap());
    otto.delete(&path).await.problem("forbidden");
    anna.delete(&path).await.ok();
    anna.delete(&path).await.problem("not_found");
    app.anonymous().get(media["url"].as_str().unwrap()).await.problem("not_found");
}
