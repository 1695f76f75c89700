//! Which program's folder this is, as far as it decides where things lie.

use std::path::{Path, PathBuf};

/// Where things lie in a folder; all paths are relative to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Where the posts are; empty for the folder itself.
    pub(super) content: PathBuf,
    /// Whose contents the site holds as they are.
    pub(super) static_folder: Option<PathBuf>,
    /// The settings of the site.
    pub(super) settings: Option<SettingsFile>,
}

/// A file with settings, and whose words it uses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SettingsFile {
    /// Microblog's own: an unknown word is a mistake.
    Own(PathBuf),
    /// Hugo's or Zola's: what is not known here is not for us.
    HugoOrZola(PathBuf),
    /// Jekyll's, likewise.
    Jekyll(PathBuf),
}

const OWN_SETTINGS: [&str; 2] = ["_data/config.yaml", "_data/config.yml"];

const HUGO_OR_ZOLA_SETTINGS: [&str; 12] = [
    "hugo.toml",
    "hugo.yaml",
    "hugo.yml",
    "hugo.json",
    "config.toml",
    "config.yaml",
    "config.yml",
    "config.json",
    "config/_default/hugo.toml",
    "config/_default/hugo.yaml",
    "config/_default/config.toml",
    "config/_default/config.yaml",
];

const JEKYLL_SETTINGS: [&str; 2] = ["_config.yml", "_config.yaml"];

/// Looks for the landmarks of each program.
pub(super) fn detect(root: &Path) -> Layout {
    let folder = |name: &str| root.join(name).is_dir().then(|| PathBuf::from(name));
    let content = folder("content").unwrap_or_default();
    let own = first_file(root, &content, &OWN_SETTINGS).or_else(|| first_file(root, Path::new(""), &OWN_SETTINGS));
    let settings = own.map(SettingsFile::Own).or_else(|| {
        let jekyll = || first_file(root, Path::new(""), &JEKYLL_SETTINGS).map(SettingsFile::Jekyll);
        let other = || first_file(root, Path::new(""), &HUGO_OR_ZOLA_SETTINGS).map(SettingsFile::HugoOrZola);
        if content.as_os_str().is_empty() { jekyll().or_else(other) } else { other().or_else(jekyll) }
    });
    Layout { content, static_folder: folder("static"), settings }
}

fn first_file(root: &Path, folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| folder.join(name)).find(|path| root.join(path).is_file())
}
