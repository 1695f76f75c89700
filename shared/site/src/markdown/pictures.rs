//! Which pictures of this site a text names, found without parsing it.
//!
//! Reads the addresses of links, images and reference definitions. What is written in an unusual way (with escapes within
//! the address) is passed over: such a picture is shown without its variants, on every page alike.

use std::collections::BTreeSet;

use super::MarkdownOptions;
use super::links::{Links, Target};

/// The endings of files that may have variants, or a size to be told.
const ENDINGS: [&str; 5] = [".jpg", ".jpeg", ".png", ".webp", ".gif"];

/// The files of the pictures that a text, or its author beside it, names; the text stands on the page `page_path`.
pub(crate) fn named(markdown: &str, beside: Option<&str>, page_path: &str) -> BTreeSet<String> {
    let has_images = memchr::memmem::find(markdown.as_bytes(), b"![").is_some();
    let in_text = Addresses(if has_images { markdown } else { "" });
    let options = MarkdownOptions::new("", page_path);
    let file = |address: &str| {
        let mut links = Links::new(&options);
        (links.resolve(address) == Target::Site).then(|| links.file().to_owned()).filter(|file| is_picture(file))
    };
    in_text.chain(beside).filter_map(file).collect()
}

fn is_picture(file: &str) -> bool {
    let ending = |ending: &str| {
        file.len()
            .checked_sub(ending.len())
            .and_then(|at| file.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    ENDINGS.iter().any(|known| ending(known))
}

/// What stands behind each `](` and `]:`.
struct Addresses<'t>(&'t str);

impl<'t> Iterator for Addresses<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        loop {
            let close = memchr::memchr(b']', self.0.as_bytes())?;
            self.0 = &self.0[close + 1..];
            if let Some(rest) = self.0.strip_prefix(['(', ':']) {
                return Some(address(rest.trim_start()));
            }
        }
    }
}

/// The address at the beginning of a text: in angle brackets, or up to a space or a bracket that it did not open.
fn address(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix('<') {
        return inner.split(['>', '\n']).next().unwrap_or_default();
    }
    let mut open = 0_usize;
    let end = text.find(|letter: char| match letter {
        '(' => {
            open += 1;
            false
        }
        ')' if open == 0 => true,
        ')' => {
            open -= 1;
            false
        }
        letter => letter.is_ascii_whitespace(),
    });
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(markdown: &str) -> Vec<String> {
        named(markdown, None, "/2026/11/hello/").into_iter().collect()
    }

    #[test]
    fn pictures_are_found_however_they_are_written() {
        let text = "![a](/a.jpg \"t\") [![b](<b c.PNG>)](/page/) ![c][c] ![d](d(1).webp)\n![e]( ../e%20f.gif?x#y )\n\n[c]: /c.jpeg\n";
        let folder = "2026/11/hello";
        let expected = [
            "2026/11/e f.gif".into(),
            format!("{folder}/b c.PNG"),
            format!("{folder}/d(1).webp"),
            "a.jpg".into(),
            "c.jpeg".into(),
        ];
        assert_eq!(files(text), expected);
    }

    #[test]
    fn texts_without_images_and_pictures_elsewhere_name_none() {
        for text in
            ["[a](/a.jpg)", "![a](https://e.org/a.jpg)", "![a](/a.svg)", "![a](", "![](<", "![]:", "![a](#a.png)"]
        {
            assert_eq!(files(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn the_picture_beside_a_text_is_one_of_its_pictures() {
        assert_eq!(named("", Some("/lead.jpg"), "/p/").into_iter().collect::<Vec<_>>(), ["lead.jpg"]);
    }
}
