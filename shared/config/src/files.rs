//! Files as settings come in: small, UTF-8, TOML or YAML by name.
//!
//! The `config` crate could open files itself, but takes `microblog.toml` where `microblog` is missing, replaces bytes
//! that are no text, and reads to the end whatever it is pointed at.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use config::FileFormat;

/// Settings and secrets are small; a file beyond this is not one.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// What some editors put before a text in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// YAML when the name says so, else TOML.
pub(crate) fn format_of(path: &Path) -> FileFormat {
    match path.extension().map(|extension| extension.to_ascii_lowercase()) {
        Some(extension) if extension == "yaml" || extension == "yml" => FileFormat::Yaml,
        _ => FileFormat::Toml,
    }
}

/// The text of a file, or why it can not be had.
pub(crate) fn read_text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    // A pipe or device does not tell its size, so what counts is what comes out.
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    let size = read.map_err(|error| error.to_string())?;
    if size as u64 > MAX_FILE_BYTES {
        return Err(format!("it is larger than {MAX_FILE_BYTES} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|error| format!("it is not UTF-8: {error}"))?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_small_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (bytes, reason) in [(vec![b'#'; 2 << 20], "larger than 1048576 bytes"), (vec![0xFF], "not UTF-8")] {
            let path = folder.path().join("x.toml");
            std::fs::write(&path, bytes).unwrap();
            assert!(read_text(&path).unwrap_err().contains(reason), "{reason}");
        }
        assert!(read_text(Path::new("/dev/zero")).unwrap_err().contains("larger"));
        assert!(read_text(folder.path()).is_err());
    }

    #[test]
    fn the_mark_that_some_editors_begin_files_with_is_no_part_of_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.yaml");
        std::fs::write(&path, "\u{feff}site: 1").unwrap();
        assert_eq!(read_text(&path).unwrap(), "site: 1");
    }
}
