//! Whole URLs for texts that are read outside the site.

use microblog_domain::{BaseUrl, UrlPath};

use memchr::memmem;

/// The whole URL of an address within the site.
pub(crate) fn absolute(base: &BaseUrl, address: &UrlPath) -> String {
    format!("{base}{}", address.href())
}

/// Turns root-relative links and images of rendered HTML (`href="/x"`, `src="/x"`, `srcset="/x 1w, /y 2w"`) into whole
/// URLs. The addresses already hold the site's folder; only scheme and host are missing.
pub(crate) fn absolutize(html: &str, base: &BaseUrl) -> String {
    let origin = &base.as_str()[..base.as_str().len() - base.path_prefix().len()];
    let mut result = String::with_capacity(html.len() + html.len() / 8);
    let mut written = 0;
    for at in memmem::find_iter(html.as_bytes(), b"=\"/") {
        let value = at + 2;
        let name = &html[..at];
        if name.ends_with(" srcset") {
            result.push_str(&html[written..value]);
            written = html[value..].find('"').map_or(html.len(), |length| value + length);
            for (number, source) in html[value..written].split(", ").enumerate() {
                result.push_str(if number == 0 { "" } else { ", " });
                result.push_str(missing(source, origin));
                result.push_str(source);
            }
        } else if name.ends_with(" href") || name.ends_with(" src") {
            result.push_str(&html[written..value]);
            result.push_str(missing(&html[value..], origin));
            written = value;
        }
    }
    result.push_str(&html[written..]);
    result
}

/// What a root-relative address lacks; nothing if it is whole.
fn missing<'o>(address: &str, origin: &'o str) -> &'o str {
    if address.starts_with('/') && !address.starts_with("//") { origin } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_in_feeds_are_whole() {
        let base: BaseUrl = "https://example.org/blog".parse().unwrap();
        assert_eq!(
            absolutize(
                r#"<a href="/blog/x/">x</a> <img src="/blog/y.png"> <a href="//cdn/z"> <a href="https://a/">"#,
                &base
            ),
            r#"<a href="https://example.org/blog/x/">x</a> <img src="https://example.org/blog/y.png"> <a href="//cdn/z"> <a href="https://a/">"#
        );
        assert_eq!(
            absolutize(r#"<img src="/blog/y.png" srcset="/blog/a 1w, //cdn/b 2w, /blog/c 3w" alt="=&quot;/">"#, &base),
            r#"<img src="https://example.org/blog/y.png" srcset="https://example.org/blog/a 1w, //cdn/b 2w, https://example.org/blog/c 3w" alt="=&quot;/">"#
        );
        assert_eq!(absolute(&base, &"/caf%C3%A9/".parse().unwrap()), "https://example.org/blog/caf%C3%A9/");
    }
}
