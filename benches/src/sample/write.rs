//! Putting a generated site into a folder: `ours` for Microblog and `hugo` for Hugo, with the same posts and images.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use image::{Rgb, RgbImage};
use walkdir::WalkDir;

use super::dice::Dice;
use super::post::{self, Dialect};
use super::{Addresses, PHOTOS};
use crate::interrupt;

const PHOTO_SIDE: u32 = 160;
const SETTINGS: &str = "title: A generated site\nbase_url: https://blog.example.org\nauthor: Nobody\nlanguage: en\n";
/// Templates and settings that make Hugo write the pages that we write.
const HUGO_THEME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/hugo");
/// Written last, so that a site of which a part is missing is not taken for one.
const COMPLETE: &str = "complete";

pub(super) fn content(folder: &Path) -> PathBuf {
    folder.join("ours")
}

pub(super) fn hugo(folder: &Path) -> PathBuf {
    folder.join("hugo")
}

pub(super) fn is_complete(folder: &Path) -> bool {
    folder.join(COMPLETE).is_file()
}

/// Writes all of it, in place of what was there.
pub(super) fn write_site(folder: &Path, posts: u32, addresses: Addresses) -> anyhow::Result<()> {
    let (ours, theirs) = (content(folder), hugo(folder));
    for side in [&ours, &theirs] {
        if side.exists() {
            fs::remove_dir_all(side).with_context(|| format!("removing {}", side.display()))?;
        }
    }
    copy_theme(&theirs)?;
    let data = ours.join("content/_data");
    fs::create_dir_all(&data)?;
    fs::write(data.join("config.yaml"), SETTINGS)?;
    if addresses == Addresses::Flat {
        flatten(&data.join("config.yaml"), &theirs.join("hugo.toml"))?;
    }
    write_photos(&[ours.join("content/images"), theirs.join("static/images")])?;
    write_posts(&ours.join("content/posts"), &theirs.join("content/posts"), posts)?;
    Ok(fs::write(folder.join(COMPLETE), "")?)
}

/// Puts all posts into one folder, of both.
fn flatten(ours: &Path, theirs: &Path) -> anyhow::Result<()> {
    fs::write(ours, format!("{SETTINGS}permalink: \"/{{slug}}/\"\n"))?;
    let settings = fs::read_to_string(theirs)?;
    Ok(fs::write(theirs, settings.replace("/:year/:month/:slug/", "/:slug/"))?)
}

fn write_posts(ours: &Path, theirs: &Path, posts: u32) -> anyhow::Result<()> {
    fs::create_dir_all(ours)?;
    fs::create_dir_all(theirs)?;
    for number in 0..posts {
        interrupt::check()?;
        let post = post::generate(number)?;
        let name = post.file_name();
        fs::write(ours.join(&name), post.text(Dialect::Microblog))?;
        fs::write(theirs.join(&name), post.text(Dialect::Hugo))?;
    }
    Ok(())
}

fn write_photos(folders: &[PathBuf]) -> anyhow::Result<()> {
    for folder in folders {
        fs::create_dir_all(folder)?;
        for number in 0..PHOTOS {
            photo(number).save(folder.join(post::photo_name(number)))?;
        }
    }
    Ok(())
}

/// A gradient with noise, so that it does not compress to nothing.
fn photo(number: u32) -> RgbImage {
    let mut dice = Dice::of_photo(number);
    RgbImage::from_fn(PHOTO_SIDE, PHOTO_SIDE, |x, y| {
        let shade = u8::try_from(x.midpoint(y)).unwrap_or(u8::MAX);
        Rgb([0, 1, 2].map(|_| shade.saturating_add(dice.noise())))
    })
}

fn copy_theme(target: &Path) -> anyhow::Result<()> {
    for item in WalkDir::new(HUGO_THEME) {
        let item = item.with_context(|| format!("reading the theme for Hugo in {HUGO_THEME}"))?;
        let place = target.join(item.path().strip_prefix(HUGO_THEME)?);
        if item.file_type().is_dir() {
            fs::create_dir_all(place)?;
        } else {
            fs::copy(item.path(), place)?;
        }
    }
    Ok(())
}
