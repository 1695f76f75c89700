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
}
