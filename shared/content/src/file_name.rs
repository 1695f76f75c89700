//! What the name of a file says about its post: a date, a slug, whether it is a post at all.

use std::path::Path;

use microblog_domain::Slug;

/// Endings of files that hold Markdown.
const MARKDOWN: [&str; 4] = ["md", "markdown", "mdx", "mdown"];

/// Names of files that are about the folder, with which repositories are full.
const ABOUT_THE_FOLDER: [&str; 9] =
    ["README", "LICENSE", "LICENCE", "CHANGELOG", "CONTRIBUTING", "CODE_OF_CONDUCT", "SECURITY", "AGENTS", "CLAUDE"];

/// Whether the file holds Markdown, by its ending.
pub(crate) fn is_markdown(path: &Path) -> bool {
    extension(path).is_some_and(|extension| MARKDOWN.contains(&extension.as_str()))
}

/// The ending in lower case.
pub(crate) fn extension(path: &Path) -> Option<String> {
    path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase)
}

/// Whether the file is the one that a bundle or a section is named for.
pub(crate) fn is_index(path: &Path) -> bool {
    is_markdown(path) && path.file_stem().is_some_and(|stem| stem == "index")
}

/// Whether the file describes a section, as `_index.md` does, and is no post.
pub(crate) fn is_section(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"_"))
}

/// Whether the file describes the folder, as `README.md` does, and is no post.
pub(crate) fn is_about_the_folder(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.eq_ignore_ascii_case("readme") || ABOUT_THE_FOLDER.contains(&stem)
}

/// The part of a path that names the post: the file's stem, or for `hello/index.md` the folder.
pub(crate) fn stem(path: &Path) -> &str {
    let named = if is_index(path) { path.parent().and_then(Path::file_name) } else { path.file_stem() };
    named.and_then(|name| name.to_str()).unwrap_or_default()
}

/// Splits `2024-01-31-hello` into the date and the rest.
pub(crate) fn split_date(stem: &str) -> (Option<&str>, &str) {
    let mut end = 0;
    for (index, digits) in [4..=4, 1..=2, 1..=2].into_iter().enumerate() {
        let rest = &stem[end..];
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        let followed = rest[count..].starts_with('-') || (index == 2 && rest[count..].starts_with(['_', ' ']));
        if !digits.contains(&count) || !(followed || (index == 2 && rest.len() == count)) {
            return (None, stem);
        }
        end += count + usize::from(followed);
    }
    (Some(stem[..end].trim_end_matches(['-', '_', ' '])), &stem[end..])
}

/// The slug that a stem suggests, without its date.
pub(crate) fn slug(stem: &str) -> Option<Slug> {
    let (_, name) = split_date(stem);
    name.parse().ok().or_else(|| Slug::from_title(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_split_from_names() {
        for (stem, date, rest) in [
            ("2024-01-31-hello", Some("2024-01-31"), "hello"),
            ("2024-1-3-hello-2", Some("2024-1-3"), "hello-2"),
            ("2024-01-31_hello", Some("2024-01-31"), "hello"),
            ("2024-01-31", Some("2024-01-31"), ""),
            ("2024-01-hello", None, "2024-01-hello"),
            ("hello-2024-01-31", None, "hello-2024-01-31"),
            ("20240131-x", None, "20240131-x"),
            ("2024-01-31x", None, "2024-01-31x"),
            ("日本", None, "日本"),
        ] {
            assert_eq!(split_date(stem), (date, rest), "{stem}");
        }
    }

    #[test]
    fn bundles_are_named_for_their_folder() {
        assert_eq!(stem(Path::new("posts/hello/index.md")), "hello");
        assert_eq!(stem(Path::new("posts/hello.world.md")), "hello.world");
        assert_eq!(slug("2024-01-31-Hello World").unwrap().as_str(), "hello-world");
        assert_eq!(slug("🎉"), None);
        assert_eq!(slug("con"), None);
    }

    #[test]
    fn files_about_the_folder_are_no_posts() {
        for name in ["README.md", "a/readme.markdown", "LICENSE.md"] {
            assert!(is_about_the_folder(Path::new(name)), "{name}");
        }
        for name in ["security.md", "index.md", "readme-first.md"] {
            assert!(!is_about_the_folder(Path::new(name)), "{name}");
        }
    }
}
