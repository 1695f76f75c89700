//! The files of the default theme, inside the program.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::TemplateSource;

macro_rules! embedded {
    ($include:ident, $folder:literal, [$($name:literal),+ $(,)?]) => {
        [$(($name, $include!(concat!("../../../../themes/default/", $folder, "/", $name)).as_ref())),+]
    };
}

pub(super) fn templates() -> BTreeMap<String, TemplateSource> {
    let files: [(&str, &str); _] = embedded!(
        include_str,
        "templates",
        [
            "404.html",
            "archive.html",
            "base.html",
            "card.html",
            "home.html",
            "pager.html",
            "period.html",
            "post.html",
            "redirect.html",
            "tag.html",
            "tags.html",
        ]
    );
    files
        .into_iter()
        .map(|(name, source)| {
            (name.to_owned(), TemplateSource { origin: format!("default theme: {name}"), source: source.into() })
        })
        .collect()
}

pub(super) fn assets() -> BTreeMap<String, Arc<[u8]>> {
    let files: [(&str, &[u8]); _] = embedded!(include_bytes, "assets", ["icon.svg", "style.css"]);
    files.into_iter().map(|(name, body)| (name.to_owned(), Arc::from(body))).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_file_of_the_theme_is_in_the_program() {
        let theme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../themes/default");
        let names = |folder: &str| {
            let mut names: Vec<_> = std::fs::read_dir(theme.join(folder))
                .unwrap()
                .map(|item| item.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(super::templates().into_keys().collect::<Vec<_>>(), names("templates"));
        assert_eq!(super::assets().into_keys().collect::<Vec<_>>(), names("assets"));
    }
}
