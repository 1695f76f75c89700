//! The least that any builder of these sites must do: read, parse, render, write, on all cores. How near a real builder
//! comes to it says more than any time.
//!
//! It makes the same pages from the same templates as ours: posts with their neighbours, lists of the same lengths,
//! archives, feeds, sitemap; as many files, and as many bytes but for a few in a hundred. What it leaves out is all else:
//! highlighting, fingerprints, anchors, footnotes, checks of addresses and of HTML, pictures in other sizes, what a later
//! build could use, limits of memory, and any care for mistakes. It knows the front matter of generated posts, no other.
//! It runs as a program of its own (`bench --floor`), so that it is measured as the builders are.
//!
//! Start reading at [`build`]. [`post`] reads, [`theme`] renders, [`lists`] and [`machines`] say what is on the pages.

mod lists;
mod machines;
mod post;
mod theme;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rayon::prelude::*;
use walkdir::WalkDir;

use post::Post;
use theme::{Fields, Theme};

/// Where the generated sites live, without the slash at the end.
const SITE: &str = "https://blog.example.org";
const TITLE: &str = "A generated site";
const AUTHOR: &str = "Nobody";

/// Builds the site of a folder.
pub(crate) fn build(content: &Path, output: &Path) -> anyhow::Result<()> {
    let files = WalkDir::new(content).into_iter().filter_map(Result::ok).filter(|file| file.file_type().is_file());
    let (posts, others): (Vec<_>, Vec<_>) = files.map(walkdir::DirEntry::into_path).partition(|file| is_post(file));
    let posts = read(&posts)?;
    let site = Site { theme: Theme::load()?, posts: &posts, output };
    let lists = lists::lists(&posts);
    site.write_posts()?;
    site.write_lists(&lists)?;
    site.write_feeds(&lists)?;
    site.write_sitemap(&lists)?;
    site.copy(content, &others)
}

fn is_post(file: &Path) -> bool {
    file.extension().is_some_and(|kind| kind == "md")
}

/// All posts that are no drafts, oldest first.
fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Post>> {
    let read = files.par_iter().map(|file| Post::read(file).with_context(|| format!("reading {}", file.display())));
    let mut posts: Vec<Post> = read.filter_map(Result::transpose).collect::<anyhow::Result<_>>()?;
    posts.sort_unstable_by_key(|post| post.date);
    Ok(posts)
}

/// All that pages are made from, and where they go.
struct Site<'a> {
    theme: Theme,
    posts: &'a [Post],
    output: &'a Path,
}

impl Site<'_> {
    fn write_posts(&self) -> anyhow::Result<()> {
        self.posts.par_iter().enumerate().try_for_each(|(at, post)| {
            let neighbour = |at: Option<usize>| at.and_then(|at| self.posts.get(at)).map(Post::card);
            let fields = Fields::default()
                .with("post", post.whole())
                .with("older", neighbour(at.checked_sub(1)))
                .with("newer", neighbour(Some(at + 1)));
            self.write_page(&post.address, "post.html", fields)
        })
    }

    /// Pictures, style and the pages that servers ask for by name.
    fn copy(&self, content: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
        let folders = ["content", "static"].map(|name| content.join(name));
        for file in files.iter().filter(|file| !file.ends_with("_data/config.yaml")) {
            if let Some(place) = folders.iter().find_map(|folder| file.strip_prefix(folder).ok()) {
                self.write(place, &fs::read(file)?)?;
            }
        }
        for (name, asset) in theme::ASSETS {
            self.write(&Path::new("assets").join(name), asset.as_bytes())?;
        }
        self.write(Path::new("robots.txt"), format!("User-agent: *\nSitemap: {SITE}/sitemap.xml\n").as_bytes())?;
        let not_found = self.theme.render("404.html", "/404.html", Fields::default())?;
        self.write(Path::new("404.html"), not_found.as_bytes())
    }

    /// A page of its own folder: `/2024/01/hello/`.
    fn write_page(&self, address: &str, template: &str, fields: Fields) -> anyhow::Result<()> {
        let page = self.theme.render(template, address, fields)?;
        self.write(Path::new(&format!("{}index.html", &address[1..])), page.as_bytes())
    }

    fn write(&self, file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let target = self.output.join(file);
        target.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&target, bytes).with_context(|| format!("writing {}", target.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Inventory;
    use crate::place::Place;
    use crate::sample::{Addresses, SampleSite};

    /// The floor's output of a small site, and where it is.
    fn built(posts: u32) -> (Place, PathBuf) {
        let place = Place::on_disk(&std::env::temp_dir()).unwrap();
        let site = SampleSite::generate(&place, None, posts, Addresses::Dated).unwrap();
        let output = place.new_folder("output-").unwrap();
        build(site.content(), &output).unwrap();
        (place, output)
    }

    #[test]
    fn posts_lists_feeds_and_sitemap_are_written() {
        let (_place, output) = built(60);
        let inventory = Inventory::take(&output).unwrap();
        assert!(inventory.html_files > 60 + 10, "{inventory:?}");
        assert!(inventory.code.text > 0, "{inventory:?}");
        for file in ["feed.xml", "rss.xml", "feed.json", "sitemap.xml", "sitemaps/pages.xml", "404.html", "robots.txt"]
        {
            assert!(output.join(file).is_file(), "{file} is missing");
        }
    }

    #[test]
    fn pages_of_a_list_are_numbered_from_the_oldest_and_lead_to_each_other() {
        let (_place, output) = built(60);
        let read = |page: &str| fs::read_to_string(output.join(page).join("index.html")).unwrap();
        let cards = |page: &str| read(page).matches("<h2 class=\"p-name\">").count();
        assert!((10..20).contains(&cards("")), "{}", cards(""));
        assert_eq!([cards("page/1"), cards("page/4")], [10, 10]);
        assert!(!output.join("page/5").exists());
        assert!(read("").contains("<a rel=\"next\" href=\"/page/4/\">"));
        assert!(read("page/4").contains("<a rel=\"prev\" href=\"/\">"));
        assert!(read("page/4").contains("<a rel=\"next\" href=\"/page/3/\">"));
        assert!(!read("page/1").contains("rel=\"next\""));
    }
}
