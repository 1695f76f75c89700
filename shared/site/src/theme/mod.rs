//! The theme: templates and asset files, the default's with the user's own over them.
//!
//! Owns loading and checking. A syntax error is found here, with file and line, before anything is rendered.
//! How templates see the site is [`environment`]'s part; what each template gets is written in
//! `themes/default/README.md`.

mod builtin;
pub(crate) mod environment;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use microblog_domain::{ContentHash, FilePath, Fingerprint, FingerprintBuilder};

/// The largest file of a theme, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Digits of the content hash in an asset's address.
const HASH_DIGITS: usize = 10;

/// Why a theme can not be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// The folder or a file of it can not be read.
    #[error("theme: can not read {path}: {reason}")]
    Unreadable {
        /// What could not be read.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A template is not valid.
    #[error("theme: {file}:{line}: {reason}")]
    Template {
        /// The file at fault.
        file: String,
        /// The line in it, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The name of an asset can not be an address.
    #[error("theme: {path}: {reason}")]
    AssetName {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// A file that goes to readers as it is, at an address that changes with its content.
#[derive(Debug, Clone)]
pub(crate) struct Asset {
    /// How templates call it: `style.css`.
    pub(crate) name: String,
    /// Where readers find it: `assets/style.0123456789.css`.
    pub(crate) file: FilePath,
    pub(crate) body: Arc<[u8]>,
}

#[derive(Debug, Clone)]
struct TemplateSource {
    /// For messages: the file, or `default theme: name`.
    origin: String,
    source: Arc<str>,
}

/// A checked theme.
#[derive(Debug, Clone)]
pub struct Theme {
    templates: BTreeMap<String, TemplateSource>,
    assets: BTreeMap<FilePath, Asset>,
    asset_names: BTreeMap<String, FilePath>,
    /// Of each template with all that it may use.
    fingerprints: BTreeMap<String, Fingerprint>,
}

impl Theme {
    /// The theme that comes with the program.
    ///
    /// # Errors
    /// Never, once the program's tests have passed.
    pub fn builtin() -> Result<Self, ThemeError> {
        Self::assemble(builtin::templates(), builtin::assets())
    }

    /// The default theme with single templates (`templates/`) and assets (`assets/`) replaced, or added, by those of a
    /// folder.
    ///
    /// # Errors
    /// When the folder can not be read, or a template has an error.
    pub fn with_overrides(folder: &Path) -> Result<Self, ThemeError> {
        let mut templates = builtin::templates();
        for (name, path) in files_below(&folder.join("templates"))? {
            let source = String::from_utf8(read(&path)?).map_err(|_| ThemeError::Unreadable {
                path: path.clone(),
                reason: "it is not UTF-8 text".to_owned(),
            })?;
            templates.insert(name, TemplateSource { origin: path.display().to_string(), source: source.into() });
        }
        let mut assets = builtin::assets();
        for (name, path) in files_below(&folder.join("assets"))? {
            assets.insert(name, read(&path)?.into());
        }
        Self::assemble(templates, assets)
    }

    fn assemble(
        templates: BTreeMap<String, TemplateSource>,
        assets: BTreeMap<String, Arc<[u8]>>,
    ) -> Result<Self, ThemeError> {
        let assets = assets.into_iter().map(|(name, body)| asset(name, body)).collect::<Result<Vec<_>, _>>()?;
        let asset_names = assets.iter().map(|asset| (asset.name.clone(), asset.file.clone())).collect();
        let assets = assets.into_iter().map(|asset| (asset.file.clone(), asset)).collect();
        let mut theme = Self { templates, assets, asset_names, fingerprints: BTreeMap::new() };
        environment::parse(&theme)?;
        theme.fingerprints =
            theme.templates.keys().map(|name| (name.clone(), theme.fingerprint_with_uses(name))).collect();
        Ok(theme)
    }

    pub(crate) fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values()
    }

    pub(crate) fn asset(&self, file: &FilePath) -> Option<&Asset> {
        self.assets.get(file)
    }

    /// Of all of it.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let mut inputs = FingerprintBuilder::new();
        for (name, template) in &self.templates {
            inputs.add(name.as_bytes());
            inputs.add(template.source.as_bytes());
        }
        // The address of an asset holds the hash of its bytes.
        self.assets.keys().for_each(|file| inputs.add(file.as_str().as_bytes()));
        inputs.finish()
    }

    /// Of the template, the templates it extends, includes or imports, and the assets it names.
    pub(crate) fn template_fingerprint(&self, name: &str) -> Fingerprint {
        self.fingerprints.get(name).copied().unwrap_or_default()
    }

    fn fingerprint_with_uses(&self, name: &str) -> Fingerprint {
        let mut used = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            if let Some((name, template)) = self.templates.get_key_value(name)
                && used.insert(name.as_str())
            {
                open.extend(
                    self.templates.keys().filter(|other| mentions(&template.source, other)).map(String::as_str),
                );
            }
        }
        let mut inputs = FingerprintBuilder::new();
        let sources = used.iter().filter_map(|name| self.templates.get(*name)).map(|template| &template.source);
        for source in sources {
            inputs.add(source.as_bytes());
            for (_, file) in self.asset_names.iter().filter(|(name, _)| mentions(source, name)) {
                inputs.add(file.as_str().as_bytes());
            }
        }
        inputs.finish()
    }
}

/// Whether a template names another file. Names stand in quotes; a name in a comment only costs a rendering too many.
fn mentions(source: &str, name: &str) -> bool {
    source.contains(&format!("\"{name}\"")) || source.contains(&format!("'{name}'"))
}

fn asset(name: String, body: Arc<[u8]>) -> Result<Asset, ThemeError> {
    let hash = ContentHash::of(&body).short(HASH_DIGITS);
    let hashed = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("assets/{stem}.{hash}.{extension}"),
        _ => format!("assets/{name}.{hash}"),
    };
    match hashed.parse() {
        Ok(file) => Ok(Asset { name, file, body }),
        Err(error) => Err(ThemeError::AssetName { path: PathBuf::from(name), reason: format!("{error}") }),
    }
}

/// All files below a folder by their name in it, with `/` between folders; none if there is no such folder. Hidden
/// files are left out.
fn files_below(folder: &Path) -> Result<BTreeMap<String, PathBuf>, ThemeError> {
    let mut files = BTreeMap::new();
    let mut open = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = open.pop() {
        let unreadable =
            |error: std::io::Error| ThemeError::Unreadable { path: folder.clone(), reason: error.to_string() };
        let listing = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && prefix.is_empty() => break,
            listing => listing.map_err(unreadable)?,
        };
        for item in listing {
            let item = item.map_err(unreadable)?;
            let Some(name) = item.file_name().to_str().map(|name| format!("{prefix}{name}")) else { continue };
            if item.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            match item.file_type().map_err(unreadable)? {
                kind if kind.is_dir() => open.push((format!("{name}/"), item.path())),
                _ => drop(files.insert(name, item.path())),
            }
        }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>, ThemeError> {
    let unreadable = |reason: String| ThemeError::Unreadable { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > MAX_FILE_BYTES {
        return Err(unreadable(format!("it has {size} bytes; at most {MAX_FILE_BYTES} are allowed")));
    }
    std::fs::read(path).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Theme, ThemeError>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let theme = Theme::with_overrides(folder.path());
        (folder, theme)
    }

    #[test]
    fn a_syntax_error_names_file_and_line() {
        let (_folder, theme) = overrides(&[("templates/post.html", "<h1>\n{% if %}\n")]);
        let message = theme.unwrap_err().to_string();
        assert!(message.contains("templates/post.html:2: "), "{message}");
    }

    #[test]
    fn one_template_can_be_replaced_and_only_its_users_are_affected() {
        let builtin = Theme::builtin().unwrap();
        let (_folder, theme) = overrides(&[("templates/404.html", "gone"), ("assets/extra/a.txt", "x")]);
        let theme = theme.unwrap();
        assert_ne!(theme.template_fingerprint("404.html"), builtin.template_fingerprint("404.html"));
        assert_eq!(theme.template_fingerprint("post.html"), builtin.template_fingerprint("post.html"));
        assert!(theme.asset_names.contains_key("extra/a.txt"));
    }

    #[test]
    fn a_change_of_the_base_template_or_the_style_reaches_every_page() {
        let builtin = Theme::builtin().unwrap();
        let (_folder, theme) = overrides(&[("assets/style.css", "body{}")]);
        assert_ne!(theme.unwrap().template_fingerprint("post.html"), builtin.template_fingerprint("post.html"));
    }

    #[test]
    fn a_missing_folder_is_the_default_theme_and_a_file_that_is_not_text_is_refused() {
        assert!(Theme::with_overrides(Path::new("/nonexistent")).is_ok());
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("templates")).unwrap();
        std::fs::write(folder.path().join("templates/post.html"), b"\xff\xfe").unwrap();
        assert!(Theme::with_overrides(folder.path()).unwrap_err().to_string().contains("not UTF-8"));
    }
}
