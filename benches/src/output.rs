//! What a build has written, as the file system has it: how many files, how many bytes, and how large code became.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use walkdir::WalkDir;

/// What is in a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    pub(crate) files: u64,
    pub(crate) html_files: u64,
    pub(crate) bytes: u64,
    pub(crate) code: CodeSize,
}

/// Blocks of code in pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CodeSize {
    /// With the markup that colours it.
    pub(crate) html: u64,
    /// As it was written.
    pub(crate) text: u64,
}

impl Inventory {
    /// Looks at every file.
    pub(crate) fn take(folder: &Path) -> anyhow::Result<Self> {
        let mut inventory = Self::default();
        for item in WalkDir::new(folder) {
            let item = item.with_context(|| format!("looking at what is in {}", folder.display()))?;
            if !item.file_type().is_file() {
                continue;
            }
            inventory.files += 1;
            inventory.bytes += item.metadata()?.len();
            if item.path().extension().is_some_and(|extension| extension == "html") {
                inventory.html_files += 1;
                inventory.code.add(&String::from_utf8_lossy(&fs::read(item.path())?));
            }
        }
        Ok(inventory)
    }
}

impl CodeSize {
    /// Adds the blocks of a page.
    fn add(&mut self, page: &str) {
        for block in page.split("<pre").skip(1) {
            let Some((_, rest)) = block.split_once('>') else { continue };
            let html = rest.split("</pre>").next().unwrap_or(rest);
            self.html += html.len() as u64;
            self.text += text_length(html);
        }
    }

    /// How many times as large as the code its markup is; nothing if there is no code.
    pub(crate) fn growth(self) -> Option<f64> {
        (self.text > 0).then(|| self.html as f64 / self.text as f64)
    }
}

/// The length of what a reader sees of it: without tags, and each entity as one byte.
fn text_length(html: &str) -> u64 {
    let mut length = 0;
    let mut ends_at = None;
    for byte in html.bytes() {
        match (ends_at, byte) {
            (Some(end), _) if byte != end => {}
            (Some(_), _) => ends_at = None,
            (None, b'<') => ends_at = Some(b'>'),
            (None, b'&') => {
                ends_at = Some(b';');
                length += 1;
            }
            (None, _) => length += 1,
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_by_looking_at_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/index.html"), "<p>12345</p>").unwrap();
        fs::write(folder.path().join("style.css"), "abc").unwrap();
        let inventory = Inventory::take(folder.path()).unwrap();
        assert_eq!((inventory.files, inventory.html_files, inventory.bytes), (2, 1, 15));
        assert_eq!(inventory.code.growth(), None);
    }

    #[test]
    fn code_is_what_is_left_without_its_markup() {
        let mut code = CodeSize::default();
        code.add("<p>no code</p><pre class=\"c\"><code><b>if</b> a &lt; b</code></pre><p>&amp;</p><pre>x</pre>");
        assert_eq!(code, CodeSize { html: 32, text: 9 });
    }
}
