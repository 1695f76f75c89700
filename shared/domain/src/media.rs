//! Where an uploaded file lies, and where readers find it. Said once, since the api writes it, the builder reads it and
//! posts link to it.

use crate::hash::ContentHash;
use crate::path::{FilePath, PathError};

/// The file of an upload within the folder of uploads: `ab/ab12…`, spread over 256 folders.
#[must_use]
pub fn stored_file(hash: &ContentHash) -> String {
    format!("{}/{hash}", hash.short(2))
}

/// The file of an upload on the site: `media/{hash}/{name}`. Its content never changes, so that caches may keep it.
///
/// # Errors
/// When the name can not stand in an address.
pub fn public_file(hash: &ContentHash, name: &str) -> Result<FilePath, PathError> {
    format!("media/{}/{name}", hash.short(HASH_DIGITS)).parse()
}

/// A picture made smaller. Its bytes are kept as uploads are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageVariant {
    /// Its width in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// The hash of its bytes.
    pub hash: ContentHash,
    /// How many bytes it has.
    pub size: u64,
}

impl ImageVariant {
    /// Where readers find it, if this is the name of the picture that it was made of: `media/{hash}/photo-480.webp`.
    ///
    /// # Errors
    /// When the name can not stand in an address.
    pub fn public_file(&self, of_name: &str) -> Result<FilePath, PathError> {
        let stem = of_name.rsplit_once('.').map_or(of_name, |(stem, _)| stem);
        public_file(&self.hash, &format!("{stem}-{}.webp", self.width))
    }
}

/// Whether variants are made of files of this type. GIFs move, and drawings have no pixels to save.
#[must_use]
pub fn may_have_variants(content_type: &str) -> bool {
    matches!(content_type, "image/jpeg" | "image/png" | "image/webp")
}

/// Digits of the hash in an address: enough that two uploads of a site never meet.
const HASH_DIGITS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_named_by_their_content() {
        let hash = ContentHash::of(b"x");
        assert_eq!(stored_file(&hash).len(), 2 + 1 + 64);
        assert!(public_file(&hash, "photo.jpg").unwrap().as_str().ends_with("/photo.jpg"));
        assert!(public_file(&hash, "../x").is_err());
    }

    #[test]
    fn a_variant_is_named_after_its_picture_and_its_width() {
        let variant = ImageVariant { width: 480, height: 320, hash: ContentHash::of(b"y"), size: 1 };
        let file = variant.public_file("a.photo.jpg").unwrap();
        assert_eq!(file.as_str(), format!("media/{}/a.photo-480.webp", variant.hash.short(HASH_DIGITS)));
    }
}
