//! Sites to measure with: somebody's folders, or generated ones.
//!
//! A generated site is the same on every machine and at every time: post number i depends on i alone ([`dice`]), so that
//! a small site is the beginning of every larger one. [`post`] has its shape, [`text`] its sentences, [`vocabulary`] its
//! words; [`mod@write`] puts the same posts into a folder for Microblog and one for Hugo.

mod dice;
mod post;
mod text;
mod vocabulary;
mod write;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use walkdir::WalkDir;

use crate::place::Place;
use crate::say;

/// How many photographs the posts share.
const PHOTOS: u32 = 24;

/// The posts of one site, for Microblog and perhaps for Hugo.
pub(crate) struct SampleSite {
    content: PathBuf,
    hugo: Option<PathBuf>,
    posts: usize,
    origin: Origin,
}

/// Where a generated site has its posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Addresses {
    /// `/2024/01/hello/`: a folder for each month.
    Dated,
    /// `/hello/`: all in one folder.
    Flat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Generated(Addresses),
    Somebodys,
}

impl SampleSite {
    /// Somebody's folder, and what Hugo needs to build the same posts.
    pub(crate) fn existing(content: &Path, hugo: Option<&Path>) -> anyhow::Result<Self> {
        let content = usable(content)?;
        let posts = count_posts(&content);
        ensure!(posts > 0, "{} has no Markdown files", content.display());
        Ok(Self { content, hugo: hugo.map(usable).transpose()?, posts, origin: Origin::Somebodys })
    }

    /// Makes a site, or takes the one that was kept.
    pub(crate) fn generate(
        place: &Place,
        kept: Option<&Path>,
        posts: u32,
        addresses: Addresses,
    ) -> anyhow::Result<Self> {
        let folder = match kept {
            Some(kept) => kept.join(format!("site-{posts}{}", addresses.ending())),
            None => place.new_folder("site-")?,
        };
        if !write::is_complete(&folder) {
            say(&format!("generating a site of {posts} posts"));
            write::write_site(&folder, posts, addresses).context("generating a site")?;
        }
        // Commands run in other folders, too.
        let folder = usable(&folder)?;
        let (content, hugo) = (write::content(&folder), Some(write::hugo(&folder)));
        Ok(Self { content, hugo, posts: posts.try_into()?, origin: Origin::Generated(addresses) })
    }

    /// What `microblog build --content` takes.
    pub(crate) fn content(&self) -> &Path {
        &self.content
    }

    /// What `hugo build --source` takes, if there is anything.
    pub(crate) fn hugo(&self) -> Option<&Path> {
        self.hugo.as_deref()
    }

    /// How many files with posts it has, drafts among them: what targets go by.
    pub(crate) fn posts(&self) -> usize {
        self.posts
    }

    /// Whether it differs from another only in that it has so many times as many posts.
    pub(crate) fn is_times(&self, times: usize, other: &Self) -> bool {
        self.posts == other.posts * times && self.origin == other.origin
    }

    /// What it is called in the table.
    pub(crate) fn title(&self) -> String {
        match self.origin {
            Origin::Generated(Addresses::Dated) => format!("{} posts", grouped(self.posts)),
            Origin::Generated(Addresses::Flat) => format!("{} posts in one folder", grouped(self.posts)),
            Origin::Somebodys => format!("{} posts of {}", grouped(self.posts), self.content.display()),
        }
    }

    /// A name for folders that are kept for it.
    pub(crate) fn key(&self) -> String {
        match self.origin {
            Origin::Generated(addresses) => format!("generated-{}{}", self.posts, addresses.ending()),
            Origin::Somebodys => {
                let path = self.content.to_string_lossy();
                path.trim_matches('/').replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
            }
        }
    }
}

impl Addresses {
    /// What is added to the names of folders.
    fn ending(self) -> &'static str {
        match self {
            Self::Dated => "",
            Self::Flat => "-flat",
        }
    }
}

fn usable(folder: &Path) -> anyhow::Result<PathBuf> {
    folder.canonicalize().with_context(|| format!("the folder {} can not be used", folder.display()))
}

fn count_posts(folder: &Path) -> usize {
    let is_post = |path: &Path| path.extension().is_some_and(|extension| extension == "md");
    WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|file| is_post(file.path())).count()
}

/// With commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let places = digits.len();
    digits.char_indices().fold(String::new(), |mut text, (at, digit)| {
        if at > 0 && (places - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A site, and the place that it is in.
    fn generate(posts: u32) -> (Place, SampleSite) {
        let place = Place::on_disk(&std::env::temp_dir()).unwrap();
        let site = SampleSite::generate(&place, None, posts, Addresses::Dated).unwrap();
        (place, site)
    }

    fn names(folder: &Path) -> Vec<String> {
        let files = WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
        let files = files.filter(|file| file.file_type().is_file());
        files.map(|file| file.path().strip_prefix(folder).unwrap().display().to_string()).collect()
    }

    #[test]
    fn a_small_site_is_the_beginning_of_a_larger_one() {
        let ((_small, small), (_large, large)) = (generate(3), generate(5));
        assert_eq!(names(small.content()).len() + 2, names(large.content()).len());
        for name in names(small.content()) {
            let read = |site: &SampleSite| fs::read(site.content().join(&name)).unwrap();
            assert!(read(&small) == read(&large), "{name} differs");
        }
    }

    #[test]
    fn hugo_gets_the_same_posts_with_templates_of_its_own() {
        let (_place, site) = generate(3);
        let theirs = names(site.hugo().unwrap());
        for name in names(site.content()).iter().filter(|name| name.ends_with(".md")) {
            assert!(theirs.contains(name), "{name} is missing in {theirs:?}");
        }
        for name in ["hugo.toml", "layouts/page.html", "static/images/photo-00.png"] {
            assert!(theirs.iter().any(|there| there == name), "{name} is missing in {theirs:?}");
        }
    }

    #[test]
    fn both_are_told_where_posts_belong() {
        let place = Place::on_disk(&std::env::temp_dir()).unwrap();
        let flat = SampleSite::generate(&place, None, 1, Addresses::Flat).unwrap();
        let read = |file: PathBuf| fs::read_to_string(file).unwrap();
        assert!(read(flat.content().join("content/_data/config.yaml")).contains("permalink: \"/{slug}/\""));
        assert!(read(flat.hugo().unwrap().join("hugo.toml")).contains("posts = \"/:slug/\""));
    }

    #[test]
    fn a_site_that_was_kept_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::on_disk(folder.path()).unwrap();
        let first = SampleSite::generate(&place, Some(folder.path()), 2, Addresses::Dated).unwrap();
        let config = first.content().join("content/_data/config.yaml");
        fs::write(&config, "title: Changed").unwrap();
        SampleSite::generate(&place, Some(folder.path()), 2, Addresses::Dated).unwrap();
        assert_eq!(fs::read_to_string(config).unwrap(), "title: Changed");
    }

    #[test]
    fn a_folder_without_posts_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(SampleSite::existing(folder.path(), None).is_err());
        fs::write(folder.path().join("hello.md"), "Hello").unwrap();
        assert_eq!(SampleSite::existing(folder.path(), None).unwrap().posts(), 1);
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([7, 100, 1_000, 100_000].map(grouped), ["7", "100", "1,000", "100,000"]);
    }
}
