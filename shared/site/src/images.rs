//! The pictures of the site: how large they are, which smaller ones there are, and which posts show them.
//!
//! A post looks its pictures up when it is digested, by the addresses that its text names, and keeps what it found: that
//! is one of its inputs like its text, so that a page changes exactly when its pictures do. The [`Gallery`] remembers
//! who named what, also what is not there (yet), and so tells whom a changed picture concerns.
//!
//! Leaves making variants to others, and finding addresses in texts to [`crate::markdown`].

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use microblog_domain::{FilePath, Fingerprint, FingerprintBuilder, PostId};

use crate::entry::Entry;

/// How wide the theme's column of text is at most, in CSS pixels.
const COLUMN: u32 = 640;

/// A picture that posts may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    /// From the site's root, as they stand in HTML; with their widths, narrowest first.
    sources: Vec<(String, u32)>,
}

impl Image {
    /// The picture in this file, which is shown `width` x `height` pixels large, with its variants and their widths.
    ///
    /// Browsers choose among what is listed only, so the file itself is listed, too, unless a variant fills the column
    /// of text on screens of doubled density.
    #[must_use]
    pub fn new(file: &FilePath, width: u32, height: u32, variants: impl IntoIterator<Item = (FilePath, u32)>) -> Self {
        let mut sources: Vec<_> = variants.into_iter().map(|(file, width)| (file.href(), width)).collect();
        sources.sort_by_key(|(_, width)| *width);
        let is_wide_enough = |widest: u32| widest >= width.min(COLUMN * 2);
        if sources.last().is_some_and(|(_, widest)| !is_wide_enough(*widest)) {
            sources.push((file.href(), width));
        }
        Self { width, height, sources }
    }

    /// Writes the attributes of an `img` element that tell its size and its variants, each with a space before it. The
    /// addresses are written by `address`.
    pub(crate) fn write<W>(&self, out: &mut W, text: impl Fn(&mut W, &str), address: impl Fn(&mut W, &str)) {
        text(out, &format!(" width=\"{}\" height=\"{}\"", self.width, self.height));
        for (number, (source, width)) in self.sources.iter().enumerate() {
            text(out, if number == 0 { " srcset=\"" } else { ", " });
            address(out, source);
            text(out, &format!(" {width}w"));
        }
        if !self.sources.is_empty() {
            let column = self.width.min(COLUMN);
            text(out, &format!("\" sizes=\"(max-width: {column}px) 100vw, {column}px\""));
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        let mut inputs = FingerprintBuilder::new().number(u64::from(self.width)).number(u64::from(self.height));
        for (source, width) in &self.sources {
            inputs = inputs.text(source).number(u64::from(*width));
        }
        inputs.finish()
    }
}

/// A picture that a post names.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// Its file within the site.
    pub(crate) file: String,
    /// What is known of it; nothing if there is no such picture.
    image: Option<Arc<Image>>,
}

impl Shown {
    /// What pages load to show it, besides the file itself.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &str> {
        self.image.iter().flat_map(|image| &image.sources).map(|(source, _)| source.as_str())
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.image.as_ref().map(|image| image.fingerprint()).unwrap_or_default()
    }
}

/// Looks pictures up for a post that names them; in the order of their files.
pub(crate) fn look_up(files: BTreeSet<String>, find: &dyn Fn(&str) -> Option<Arc<Image>>) -> Box<[Shown]> {
    files.into_iter().map(|file| Shown { image: find(&file), file }).collect()
}

/// What is known of the picture in a file, as far as a post names it.
pub(crate) fn find<'s>(shown: &'s [Shown], file: &str) -> Option<&'s Image> {
    let place = shown.binary_search_by(|shown| shown.file.as_str().cmp(file)).ok()?;
    shown.get(place)?.image.as_deref()
}

/// The pictures of the site, and who shows them.
#[derive(Debug, Default)]
pub(crate) struct Gallery {
    images: HashMap<FilePath, Arc<Image>>,
    shown_by: HashMap<String, BTreeSet<PostId>>,
}

impl Gallery {
    /// What is known of a picture.
    pub(crate) fn find(&self, file: &str) -> Option<Arc<Image>> {
        self.images.get(file).cloned()
    }

    /// Remembers what a post shows.
    pub(crate) fn put(&mut self, entry: &Entry) {
        for shown in &entry.images {
            self.shown_by.entry(shown.file.clone()).or_default().insert(entry.id);
        }
    }

    /// Forgets it.
    pub(crate) fn remove(&mut self, entry: &Entry) {
        for shown in &entry.images {
            if let Some(posts) = self.shown_by.get_mut(&shown.file) {
                posts.remove(&entry.id);
                if posts.is_empty() {
                    self.shown_by.remove(&shown.file);
                }
            }
        }
    }

    /// Takes over a picture, or that there is none (any more). Tells which posts name it, if that is news.
    pub(crate) fn set(&mut self, file: FilePath, image: Option<Image>) -> BTreeSet<PostId> {
        let concerned = self.shown_by.get(file.as_str()).cloned().unwrap_or_default();
        let is_news = self.images.get(file.as_str()).map(Arc::as_ref) != image.as_ref();
        match image {
            Some(image) => drop(self.images.insert(file, Arc::new(image))),
            None => drop(self.images.remove(file.as_str())),
        }
        if is_news { concerned } else { BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> FilePath {
        path.parse().unwrap()
    }

    fn written(image: &Image) -> String {
        let mut out = String::new();
        image.write(&mut out, |out, text| out.push_str(text), |out, address| out.push_str(address));
        out
    }

    #[test]
    fn browsers_can_choose_among_all_widths_up_to_what_a_page_needs() {
        let photo = Image::new(&file("a b.jpg"), 4000, 3000, [(file("w.webp"), 1600), (file("n.webp"), 480)]);
        assert_eq!(
            written(&photo),
            " width=\"4000\" height=\"3000\" srcset=\"/n.webp 480w, /w.webp 1600w\" \
             sizes=\"(max-width: 640px) 100vw, 640px\""
        );
        let small = Image::new(&file("a b.jpg"), 600, 300, [(file("n.webp"), 480)]);
        assert_eq!(
            written(&small),
            " width=\"600\" height=\"300\" srcset=\"/n.webp 480w, /a%20b.jpg 600w\" \
             sizes=\"(max-width: 600px) 100vw, 600px\""
        );
        assert_eq!(written(&Image::new(&file("a.gif"), 10, 20, [])), " width=\"10\" height=\"20\"");
    }

    #[test]
    fn a_post_finds_each_of_its_pictures_and_no_other() {
        let names = ["b.png", "a/z.png", "a.png", "日本.png"];
        let known = |name: &str| Some(Arc::new(Image::new(&file(name), u32::try_from(name.len()).unwrap(), 1, [])));
        let shown = look_up(names.map(str::to_owned).into(), &|name| known(name).filter(|_| name != "a.png"));
        for name in ["b.png", "a/z.png", "日本.png"] {
            assert_eq!(find(&shown, name), known(name).as_deref());
        }
        assert!(find(&shown, "a.png").is_none() && find(&shown, "c.png").is_none());
    }
}
