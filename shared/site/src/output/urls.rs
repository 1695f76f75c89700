//! Whole URLs for texts that are read outside the site.

use microblog_domain::{BaseUrl, UrlPath};

use memchr::memmem;

/// The whole URL of an address within the site.
pub(crate) fn absolute(base: &BaseUrl, address: &UrlPath) -> String {
    format!("{base}{}", address.href())
}

/// Turns root-relative links and images of rendered HTML (`href="/x"`, `src="/x"`) into whole URLs. The addresses
/// already hold the site's folder; only scheme and host are missing.
pub(crate) fn absolutize(html: &str, base: &BaseUrl) -> String {
    let origin = &base.as_str()[..base.as_str().len() - base.path_prefix().len()];
    let mut result = String::with_capacity(html.len() + html.len() / 8);
    let mut written = 0;
    for at in memmem::find_iter(html.as_bytes(), b"=\"/") {
        let is_link = html[..at].ends_with(" href") || html[..at].ends_with(" src");
        if is_link && !html[at + 3..].starts_with('/') {
            result.push_str(&html[written..at + 2]);
            result.push_str(origin);
            written = at + 2;
        }
    }
    result.push_str(&html[written..]);
    result
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
        assert_eq!(absolute(&base, &"/caf%C3%A9/".parse().unwrap()), "https://example.org/blog/caf%C3%A9/");
    }
}
