//! The texts that clients write: each says whose it is and which, so often that a page of two releases, or half a page, is
//! noticed.

use std::collections::BTreeSet;

/// Between the first and the last sentence stands as much as a short post has.
const FILLING: &str = "Nothing to see here but words that fill the page, so that it does not fit into one packet. ";

/// The title of a client's post.
pub(crate) fn title(client: usize, number: u64) -> String {
    format!("Client {client} edit {number}")
}

/// The text of a client's post.
pub(crate) fn markdown(client: usize, number: u64) -> String {
    format!("Begin {client} text {number}.\n\n{}\n\nEnd {client} text {number}.", FILLING.repeat(40))
}

/// What a page says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Clients, and the numbers of theirs, one for each client.
    pub(crate) numbers: Vec<(usize, u64)>,
    /// The client whose text stands on the page, from its begin to its end.
    pub(crate) whole: Vec<usize>,
}

/// Reads a page.
///
/// # Errors
/// Says what is wrong with it: cut off, or of two releases.
pub(crate) fn read(html: &str) -> Result<Page, String> {
    if !html.trim_end().ends_with("</html>") {
        return Err("the page is cut off".to_owned());
    }
    let mut page = Page::default();
    for (lead, middle) in [("Client ", " edit "), ("Begin ", " text "), ("End ", " text ")] {
        for (client, number) in mentions(html, lead, middle) {
            match page.numbers.iter().find(|(known, _)| *known == client) {
                None => page.numbers.push((client, number)),
                Some((_, known)) if *known == number => {}
                Some((_, known)) => return Err(format!("the page has both {known} and {number} of client {client}")),
            }
        }
    }
    let of = |lead| mentions(html, lead, " text ").map(|(client, _)| client).collect::<BTreeSet<_>>();
    page.whole = of("Begin ").intersection(&of("End ")).copied().collect();
    Ok(page)
}

fn mentions<'a>(html: &'a str, lead: &'a str, middle: &'a str) -> impl Iterator<Item = (usize, u64)> + 'a {
    html.split(lead).skip(1).filter_map(move |rest| {
        let (client, rest) = rest.split_once(middle)?;
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        Some((client.parse().ok()?, rest[..digits].parse().ok()?))
    })
}

#[test]
fn a_page_of_two_releases_and_half_a_page_are_noticed() {
    let page = |title, begin, end| {
        format!("<h1>Client 1 edit {title}</h1><p>Begin 1 text {begin}.</p><p>End 1 text {end}.</p></html>")
    };
    assert_eq!(read(&page(7, 7, 7)).unwrap(), Page { numbers: vec![(1, 7)], whole: vec![1] });
    for mixed in [page(7, 7, 8), page(8, 7, 7), page(7, 77, 7)] {
        assert!(read(&mixed).unwrap_err().contains("of client 1"));
    }
    assert!(read(&page(7, 7, 7)[..40]).is_err());
    assert_eq!(read("<p>Begin 1 text 7.</p></html>").unwrap().whole, Vec::<usize>::new());
}
