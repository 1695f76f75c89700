//! Uploads and their variants as files of the site.
//!
//! Two uploads may give the same file (variants of pictures that differ in their metadata only), so a file stays while
//! any upload needs it.

use std::collections::{BTreeMap, HashMap};

use microblog_domain::media::{ImageVariant, public_file};
use microblog_domain::{ContentHash, FilePath};
use microblog_site::Image;
use microblog_store::media::Media;

/// An upload as readers find it.
#[derive(Debug)]
pub(super) struct PublicUpload {
    /// The file of its address.
    pub(super) file: FilePath,
    /// What pages tell of it, if it is a picture.
    pub(super) image: Option<Image>,
    /// All files that it needs, its own first.
    files: Vec<(FilePath, ContentHash)>,
}

impl PublicUpload {
    /// An upload with its variants. Nothing if its name can not stand in an address.
    pub(super) fn of(upload: &Media, variants: &[ImageVariant]) -> Option<Self> {
        let own = &upload.file;
        let file = public_file(&own.hash, &own.name).ok()?;
        let public: Vec<_> =
            variants.iter().filter_map(|variant| Some((variant.public_file(&own.name).ok()?, variant))).collect();
        let widths = public.iter().map(|(file, variant)| (file.clone(), variant.width));
        let image = own.dimensions.map(|(width, height)| Image::new(&file, width, height, widths));
        let variants = public.iter().map(|(file, variant)| (file.clone(), variant.hash));
        let files = std::iter::once((file.clone(), own.hash)).chain(variants).collect();
        Some(Self { file, image, files })
    }
}

/// The files of all uploads.
#[derive(Debug, Default)]
pub(super) struct MediaFiles {
    /// With the number of uploads that need them.
    files: BTreeMap<FilePath, (ContentHash, usize)>,
    needed_by: HashMap<FilePath, Vec<(FilePath, ContentHash)>>,
}

impl MediaFiles {
    /// The bytes of a file.
    pub(super) fn get(&self, file: &FilePath) -> Option<ContentHash> {
        self.files.get(file).map(|(hash, _)| *hash)
    }

    /// All files, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&FilePath, ContentHash)> {
        self.files.iter().map(|(file, (hash, _))| (file, *hash))
    }

    /// Takes over an upload as it is now. Tells which files may be new or gone.
    pub(super) fn put(&mut self, upload: PublicUpload) -> Vec<FilePath> {
        let mut touched = self.remove(&upload.file);
        for (file, hash) in &upload.files {
            self.files.entry(file.clone()).or_insert((*hash, 0)).1 += 1;
            touched.push(file.clone());
        }
        self.needed_by.insert(upload.file, upload.files);
        touched
    }

    /// Forgets an upload. Tells which files may be gone.
    pub(super) fn remove(&mut self, upload: &FilePath) -> Vec<FilePath> {
        let needed = self.needed_by.remove(upload).unwrap_or_default();
        for (file, _) in &needed {
            if let Some((_, uploads)) = self.files.get_mut(file) {
                *uploads -= 1;
                if *uploads == 0 {
                    self.files.remove(file);
                }
            }
        }
        needed.into_iter().map(|(file, _)| file).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(name: &str, files: &[&str]) -> PublicUpload {
        let with_hash = |file: &&str| (file.parse().unwrap(), ContentHash::of(file.as_bytes()));
        PublicUpload { file: name.parse().unwrap(), image: None, files: files.iter().map(with_hash).collect() }
    }

    #[test]
    fn a_file_that_two_uploads_need_stays_until_neither_does() {
        let (one, other, shared): (FilePath, FilePath, FilePath) =
            ("1.jpg".parse().unwrap(), "2.jpg".parse().unwrap(), "small.webp".parse().unwrap());
        let mut media = MediaFiles::default();
        media.put(upload("1.jpg", &["1.jpg", "small.webp"]));
        media.put(upload("2.jpg", &["2.jpg", "small.webp"]));
        media.put(upload("2.jpg", &["2.jpg", "small.webp"]));
        assert_eq!(media.remove(&one), [one.clone(), shared.clone()]);
        assert!(media.get(&one).is_none() && media.get(&shared).is_some());
        media.remove(&other);
        assert_eq!(media.iter().count(), 0);
        assert!(media.remove(&other).is_empty(), "it was removed before");
    }
}
