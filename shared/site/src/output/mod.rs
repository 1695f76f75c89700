//! Formats that machines read: feeds and sitemaps. Written here rather than by templates, so that a theme can not
//! break them.

pub(crate) mod feed;
pub(crate) mod sitemap;
pub(crate) mod urls;
