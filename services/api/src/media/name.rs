//! The name in an upload's address.

use microblog_domain::Slug;

/// Makes a name that can stand in an address from the one that the client gave: its last part, without what is unusual,
/// with the extension that belongs to the content.
#[must_use]
pub(crate) fn public_name(given: &str, extension: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let slug = Slug::from_title(stem).map_or_else(|| "file".to_owned(), |slug| slug.to_string());
    let end = (0..=MAX_STEM_BYTES.min(slug.len())).rev().find(|&at| slug.is_char_boundary(at)).unwrap_or(0);
    format!("{}.{extension}", slug[..end].trim_end_matches(['-', '.']))
}

/// Leaves room for the extension and for the names of resized variants.
const MAX_STEM_BYTES: usize = 150;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_harmless_and_keep_their_sense() {
        for (given, name) in [
            ("Holiday Photo.JPG", "holiday-photo.jpg"),
            ("../../etc/passwd", "passwd.jpg"),
            ("C:\\Users\\me\\Bild 1.jpeg", "bild-1.jpg"),
            ("日本.png", "日本.jpg"),
            ("", "file.jpg"),
            ("...", "file.jpg"),
            ("con.jpg", "file.jpg"),
            ("a\0b\n.jpg", "a-b.jpg"),
        ] {
            assert_eq!(public_name(given, "jpg"), name, "{given:?}");
        }
        assert_eq!(public_name(&"x".repeat(5_000), "jpg").len(), 154);
    }
}
