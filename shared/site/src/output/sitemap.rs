//! Sitemaps (sitemaps.org, protocol 0.9) and `robots.txt`.

use std::fmt::Write as _;

use microblog_domain::{BaseUrl, UrlPath};

use super::urls::absolute;
use crate::theme::environment::escape_into;

const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// An address and when it last changed, where that is known.
type Changed = (UrlPath, Option<String>);

pub(crate) fn shard(base: &BaseUrl, addresses: &[Changed]) -> String {
    list(base, addresses, "urlset", "url")
}

pub(crate) fn index(base: &BaseUrl, shards: &[Changed]) -> String {
    list(base, shards, "sitemapindex", "sitemap")
}

fn list(base: &BaseUrl, addresses: &[Changed], root: &str, item: &str) -> String {
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">\n");
    for (address, changed) in addresses {
        let _ = write!(xml, "<{item}><loc>");
        let _ = escape_into(&mut xml, &absolute(base, address));
        xml.push_str("</loc>");
        if let Some(time) = changed {
            let _ = write!(xml, "<lastmod>{time}</lastmod>");
        }
        let _ = writeln!(xml, "</{item}>");
    }
    let _ = writeln!(xml, "</{root}>");
    xml
}

pub(crate) fn robots(base: &BaseUrl) -> String {
    format!("User-agent: *\nAllow: /\n\nSitemap: {base}/sitemap.xml\n")
}
