//! Sites to measure with: somebody's folder, or a generated one.
//!
//! A generated site is the same on every machine and at every time: post number i depends on i alone ([`dice`]), so that
//! a small site is the beginning of every larger one. [`post`] has its shape, [`text`] its sentences, [`vocabulary`] its
//! words.

mod dice;
mod post;
mod text;
mod vocabulary;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use image::{Rgb, RgbImage};
use walkdir::WalkDir;

use crate::interrupt;
use crate::place::Place;
use crate::say;
use dice::Dice;

/// How many photographs the posts share.
const PHOTOS: u32 = 24;
const PHOTO_SIDE: u32 = 160;

const SETTINGS: &str = "title: A generated site\nbase_url: https://blog.example.org\nauthor: Nobody\nlanguage: en\n";

/// A folder that `microblog` can build or import.
pub(crate) struct SampleSite {
    folder: PathBuf,
    posts: usize,
    is_generated: bool,
}

impl SampleSite {
    /// Somebody's folder.
    pub(crate) fn existing(folder: &Path) -> anyhow::Result<Self> {
        let unusable = || format!("the folder of the content, {}, can not be used", folder.display());
        let folder = folder.canonicalize().with_context(unusable)?;
        let is_post = |path: &Path| path.extension().is_some_and(|extension| extension == "md");
        let files = WalkDir::new(&folder).into_iter().filter_map(Result::ok);
        let posts = files.filter(|file| is_post(file.path())).count();
        ensure!(posts > 0, "{} has no Markdown files", folder.display());
        Ok(Self { folder, posts, is_generated: false })
    }

    /// Makes a site in a new folder.
    pub(crate) fn generate(place: &Place, posts: u32) -> anyhow::Result<Self> {
        say(&format!("generating a site of {posts} posts"));
        let folder = place.new_folder("site-")?;
        write_site(&folder.join("content"), posts).context("generating a site")?;
        Ok(Self { folder, posts: posts.try_into()?, is_generated: true })
    }

    /// What `microblog build --content` takes.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it is called in the table.
    pub(crate) fn title(&self) -> String {
        if self.is_generated {
            format!("{} posts", self.posts)
        } else {
            format!("{} of {} files", self.folder.display(), self.posts)
        }
    }

    /// How many posts were generated, since what is promised is promised for those.
    pub(crate) fn generated_posts(&self) -> Option<usize> {
        self.is_generated.then_some(self.posts)
    }
}

fn write_site(content: &Path, posts: u32) -> anyhow::Result<()> {
    let (texts, photos, data) = (content.join("posts"), content.join("images"), content.join("_data"));
    for folder in [&texts, &photos, &data] {
        fs::create_dir_all(folder)?;
    }
    fs::write(data.join("config.yaml"), SETTINGS)?;
    for number in 0..PHOTOS {
        photo(number).save(photos.join(post::photo_name(number)))?;
    }
    for number in 0..posts {
        interrupt::check()?;
        let post = post::generate(number)?;
        fs::write(texts.join(post.file_name), post.text)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A site, and the place that it is in.
    fn generate(posts: u32) -> (Place, SampleSite) {
        let place = Place::on_disk(&std::env::temp_dir()).unwrap();
        let site = SampleSite::generate(&place, posts).unwrap();
        (place, site)
    }

    fn names(site: &SampleSite) -> Vec<String> {
        let files = WalkDir::new(site.folder()).sort_by_file_name().into_iter().map(Result::unwrap);
        let files = files.filter(|file| file.file_type().is_file());
        files.map(|file| file.path().strip_prefix(site.folder()).unwrap().display().to_string()).collect()
    }

    #[test]
    fn a_small_site_is_the_beginning_of_a_larger_one() {
        let ((_small, small), (_large, large)) = (generate(3), generate(5));
        assert_eq!(names(&small).len() + 2, names(&large).len());
        for name in names(&small) {
            let read = |site: &SampleSite| fs::read(site.folder().join(&name)).unwrap();
            assert!(read(&small) == read(&large), "{name} differs");
        }
    }

    #[test]
    fn a_folder_without_posts_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(SampleSite::existing(folder.path()).is_err());
        fs::write(folder.path().join("hello.md"), "Hello").unwrap();
        assert_eq!(SampleSite::existing(folder.path()).unwrap().posts, 1);
    }
}
