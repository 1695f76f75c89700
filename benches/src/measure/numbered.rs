//! Texts that carry their number: in the title, which other pages show, too, and in the first sentence. So readers can
//! tell which of two is older, and whether a page is of one piece.

use anyhow::Context as _;
use serde_json::Value;

const IN_TITLE: &str = " (text ";
const SENTENCE: &str = "This is text number ";

/// Gives a post its next text: as it was, but with the number that it will be stored as.
pub(super) fn next(post: &mut Value) -> anyhow::Result<u64> {
    let number = post["version"].as_u64().context("a post has no version")? + 1;
    let title = post["title"].as_str().unwrap_or("Untitled");
    let title = title.split(IN_TITLE).next().unwrap_or(title);
    let text = post["markdown"].as_str().context("a post has no text")?;
    let text = if text.starts_with(SENTENCE) { text.split_once("\n\n").map_or("", |(_, rest)| rest) } else { text };
    let (title, text) = (format!("{title}{IN_TITLE}{number})"), format!("{SENTENCE}{number}.\n\n{text}"));
    post["title"] = title.into();
    post["markdown"] = text.into();
    Ok(number)
}

/// The number of the text that the post's own page shows; nothing if the page is not of one piece.
pub(super) fn of_page(page: &str) -> Option<u64> {
    let in_text = number_after(page, SENTENCE)?;
    let in_title = number_after(page, IN_TITLE)?;
    (in_text == in_title && is_whole(page)).then_some(in_text)
}

/// The number of a post's text on a page that links to it.
pub(super) fn in_list(page: &str, address: &str) -> Option<u64> {
    let (_, rest) = page.split_once(&format!("href=\"{address}\">"))?;
    number_after(rest.split("</a>").next()?, IN_TITLE)
}

/// Whether a page has its end.
pub(super) fn is_whole(page: &str) -> bool {
    page.trim_end().ends_with("</html>")
}

fn number_after(text: &str, sign: &str) -> Option<u64> {
    let (_, rest) = text.split_once(sign)?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_text_has_a_number_and_does_not_grow() {
        let mut post = json!({"version": 1, "title": "Hello", "markdown": "First.\n\nSecond."});
        assert_eq!(next(&mut post).unwrap(), 2);
        post["version"] = 2.into();
        assert_eq!(next(&mut post).unwrap(), 3);
        assert_eq!(post["title"], "Hello (text 3)");
        assert_eq!(post["markdown"], "This is text number 3.\n\nFirst.\n\nSecond.");
    }

    #[test]
    fn a_page_of_two_texts_has_no_number() {
        let page =
            |title: u32, text: u32| format!("<h1>A (text {title})</h1><p>This is text number {text}.</p></html>\n");
        assert_eq!(of_page(&page(7, 7)), Some(7));
        assert_eq!(of_page(&page(7, 8)), None);
        assert_eq!(of_page(page(7, 7).trim_end().trim_end_matches('>')), None);
    }

    #[test]
    fn lists_show_the_number_beside_the_link() {
        let list = "<a href=\"/a/\">A (text 3)</a> <a href=\"/b/\">B</a> <a href=\"/c/\">C (text 5)</a>";
        assert_eq!([in_list(list, "/a/"), in_list(list, "/b/"), in_list(list, "/c/")], [Some(3), None, Some(5)]);
    }
}
