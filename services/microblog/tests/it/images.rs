//! Pictures of a folder: shown with smaller variants, which are made once.

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};

use crate::{folder, microblog, stderr};

/// A picture that is hard to compress.
fn write_photo(path: &Path, width: u32) {
    let mut noise = width;
    let pixels = RgbImage::from_fn(width, 300, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([noise.to_be_bytes()[0] / 4, 80, 90])
    });
    pixels.save(path).unwrap();
}

/// A post with a picture beside it and one from elsewhere, and a picture that no post shows.
fn travels() -> tempfile::TempDir {
    let text = "---\ntitle: Trip\ndate: 2024-02-01\nimage: /images/lead.png\n---\n\n![Beside](photo.png) ![Broken](/images/broken.png)\n";
    let root = folder(&[("content/trip/index.md", text), ("content/images/none.txt", "")]);
    write_photo(&root.path().join("content/trip/photo.png"), 700);
    write_photo(&root.path().join("content/images/lead.png"), 600);
    write_photo(&root.path().join("content/images/unseen.png"), 500);
    let broken = root.path().join("content/images/broken.png");
    write_photo(&broken, 800);
    let bytes = fs::read(&broken).unwrap();
    fs::write(&broken, &bytes[..2_000]).unwrap();
    root
}

fn build(root: &Path, more: &[&str]) -> (String, String) {
    let words = ["build", "--content", "content", "--output", "public"];
    let output = microblog(root, &[&words, more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let page = fs::read_to_string(root.join("public/2024/02/trip/index.html")).unwrap();
    (page, stderr(&output))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn posts_show_variants_of_pictures_beside_them_and_elsewhere_in_the_folder() {
    let root = travels();
    let (page, told) = build(root.path(), &["--cache", "cache"]);
    let lead = page.split("class=\"cover").nth(1).unwrap();
    assert!(lead.split('>').next().unwrap().contains(" width=\"600\" height=\"300\" srcset=\"/media/"), "{page}");
    assert!(
        page.contains(
            "src=\"/2024/02/trip/photo.png\" alt=\"Beside\" loading=\"lazy\" decoding=\"async\" width=\"700\""
        )
    );
    for (name, width) in [("photo-480", 480), ("photo-700", 700), ("lead-480", 480)] {
        let source = page
            .split(['"', ' '])
            .find(|part| part.ends_with(&format!("/{name}.webp")))
            .unwrap_or_else(|| panic!("{name} in {page}"));
        let decoded = image::open(root.path().join("public").join(&source[1..])).unwrap();
        assert_eq!(decoded.width(), width);
    }
    assert!(!files_in(&root.path().join("public")).iter().any(|file| file.ends_with("unseen-480.webp")));
    assert!(told.contains("broken.png: is shown without smaller variants: the picture is broken"), "{told}");
}

#[test]
fn variants_are_made_once_and_what_is_cut_off_in_the_cache_is_made_again() {
    let root = travels();
    let (first, _) = build(root.path(), &["--cache", "cache"]);
    let cached = files_in(&root.path().join("cache/images-2/files"));
    for file in &cached {
        let marked = vec![b'x'; fs::read(file).unwrap().len()];
        fs::write(file, marked).unwrap();
    }
    fs::remove_dir_all(root.path().join("public")).unwrap();
    let (second, told) = build(root.path(), &["--cache", "cache"]);
    assert_eq!(second, first);
    assert!(told.contains("the picture is broken"), "what is wrong is told by each build: {told}");
    let built = files_in(&root.path().join("public/media"));
    assert_eq!(built.len(), cached.len());
    assert!(
        built.iter().all(|file| fs::read(file).unwrap().iter().all(|byte| *byte == b'x')),
        "nothing was made again"
    );

    for file in &cached {
        fs::write(file, "").unwrap();
    }
    fs::remove_dir_all(root.path().join("public")).unwrap();
    build(root.path(), &["--cache", "cache"]);
    assert!(files_in(&root.path().join("public/media")).iter().all(|file| image::open(file).is_ok()));

    write_photo(&root.path().join("content/trip/photo.png"), 900);
    let (changed, _) = build(root.path(), &["--cache", "cache"]);
    assert!(changed.contains("width=\"900\"") && !changed.contains("width=\"700\""), "{changed}");
}

#[test]
fn pictures_can_be_left_as_they_are() {
    let root = travels();
    let (page, told) = build(root.path(), &["--no-images"]);
    assert!(!page.contains("srcset") && !told.contains("broken.png: is shown"), "{page} {told}");
}

#[test]
fn a_cache_that_can_not_be_made_is_named_with_what_to_do() {
    let root = travels();
    let cache = root.path().join("content/images/none.txt");
    let words = ["build", "--content", "content", "--output", "public", "--cache", cache.to_str().unwrap()];
    let output = microblog(root.path(), &words);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("choose another --cache, or give --no-images"), "{}", stderr(&output));
}
