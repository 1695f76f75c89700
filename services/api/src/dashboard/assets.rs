//! Style, scripts and pictures of the dashboard, part of the program. Each is found under a name that holds the hash of
//! its content, so that browsers may keep it for ever.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use microblog_domain::ContentHash;

use crate::error::ApiError;
use crate::input::PathOf;

/// Where they are served.
const FOLDER: &str = "/dashboard/assets/";
/// Digits of the hash in a name: enough that two versions never meet.
const HASH_DIGITS: usize = 12;

macro_rules! sources {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../assets/", $name)))),+]
    };
}

/// What imports another file stands after it, so that the other's hashed name is known.
const SOURCES: [(&str, &str); 12] = sources![
    "dashboard.css",
    "icon.svg",
    "htmx.min.js",
    "announcing.js",
    "session.js",
    "drafts.js",
    "uploads.js",
    "preview.js",
    "editor.js",
    "builds.js",
    "copying.js",
    "dashboard.js",
];

struct Asset {
    name: &'static str,
    hashed_name: String,
    content: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut assets = Vec::with_capacity(SOURCES.len());
    for (name, source) in SOURCES {
        assets.push(Asset::new(name, source, &assets));
    }
    assets
});

impl Asset {
    fn new(name: &'static str, source: &str, earlier: &[Self]) -> Self {
        let hashed = |content: String, other: &Self| {
            content.replace(&format!("\"./{}\"", other.name), &format!("\"./{}\"", other.hashed_name))
        };
        let content = earlier.iter().fold(source.to_owned(), hashed);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let hash = ContentHash::of(content.as_bytes());
        Self { name, hashed_name: format!("{stem}.{}.{extension}", hash.short(HASH_DIGITS)), content }
    }
}

/// The address of a file.
pub(super) fn address(name: &str) -> Option<String> {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| format!("{FOLDER}{}", asset.hashed_name))
}

/// `GET /dashboard/assets/{file}`
pub(crate) async fn show_asset(PathOf(file): PathOf<String>) -> Result<Response, ApiError> {
    let asset = ASSETS.iter().find(|asset| asset.hashed_name == file).ok_or_else(|| ApiError::not_found("file"))?;
    let mut response = asset.content.as_str().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(asset.name)));
    let cached = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, cached);
    Ok(response)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        _ => "image/svg+xml",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_with_the_content_of_the_file_and_of_what_it_imports() {
        let asset = |source: &str, earlier: &[Asset]| Asset::new("a.js", source, earlier);
        assert_ne!(asset("1", &[]).hashed_name, asset("2", &[]).hashed_name);
        let importing = |imported: &str| {
            let imported = Asset::new("b.js", imported, &[]);
            asset("import \"./b.js\";", &[imported]).hashed_name
        };
        assert_ne!(importing("1"), importing("2"));
    }

    #[test]
    fn every_import_leads_to_a_hashed_name() {
        for asset in ASSETS.iter().filter(|asset| asset.name.ends_with(".js")) {
            for line in asset.content.lines().filter(|line| line.starts_with("import ")) {
                let target = line.split("\"./").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
                assert!(ASSETS.iter().any(|other| other.hashed_name == target), "{}: {line}", asset.name);
            }
        }
    }
}
