//! Text made safe for its place in HTML: between tags, in an attribute, in an address.

/// Writes text that stands between tags.
pub(crate) fn text(out: &mut String, mut text: &str) {
    while let Some(at) = memchr::memchr3(b'&', b'<', b'>', text.as_bytes()) {
        out.push_str(&text[..at]);
        out.push_str(entity(text.as_bytes()[at]));
        text = &text[at + 1..];
    }
    out.push_str(text);
}

/// Writes text that stands in a quoted attribute.
pub(super) fn attribute(out: &mut String, text: &str) {
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        if matches!(byte, b'&' | b'<' | b'>' | b'"') {
            out.push_str(&text[done..at]);
            out.push_str(entity(byte));
            done = at + 1;
        }
    }
    out.push_str(&text[done..]);
}

/// Writes an address that stands in a quoted attribute: what an address can not hold is percent-encoded, what is
/// encoded already stays so.
pub(super) fn href(out: &mut String, url: &str) {
    let mut done = 0;
    for (at, byte) in url.bytes().enumerate() {
        if URL_BYTE[byte as usize] {
            continue;
        }
        out.push_str(url.get(done..at).unwrap_or_default());
        done = at + 1;
        match byte {
            b'&' => out.push_str("&amp;"),
            b'\'' => out.push_str("&#x27;"),
            _ => percent(out, byte),
        }
    }
    out.push_str(url.get(done..).unwrap_or_default());
}

fn entity(byte: u8) -> &'static str {
    match byte {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        _ => "&quot;",
    }
}

fn percent(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

/// The bytes that stand in an address as they are.
const URL_BYTE: [bool; 256] = {
    let mut table = [false; 256];
    let safe = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%()*+,-./:;=?@_~";
    let mut i = 0;
    while i < safe.len() {
        table[safe[i] as usize] = true;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: fn(&mut String, &str), text: &str) -> String {
        let mut out = String::new();
        write(&mut out, text);
        out
    }

    #[test]
    fn text_keeps_quotes_and_escapes_markup() {
        assert_eq!(written(text, "a < b && \"c\" > d"), "a &lt; b &amp;&amp; \"c\" &gt; d");
    }

    #[test]
    fn an_attribute_can_not_be_left() {
        assert_eq!(written(attribute, "\"><script>"), "&quot;&gt;&lt;script&gt;");
    }

    #[test]
    fn an_address_is_encoded_once() {
        assert_eq!(written(href, "/a b%20ä?x=1&y='2'\"#[z]"), "/a%20b%20%C3%A4?x=1&amp;y=&#x27;2&#x27;%22#%5Bz%5D");
    }
}
