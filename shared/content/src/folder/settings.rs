//! The settings that a folder brings: Microblog's own strictly, those of other programs as far as they say the same.

use std::path::Path;

use microblog_domain::SiteSettings;

use super::layout::SettingsFile;
use super::{OpenError, foreign};
use crate::front_matter::{read_document, read_yaml_as};

/// Reads the settings of a folder.
pub(super) fn read(root: &Path, file: &SettingsFile) -> Result<SiteSettings, OpenError> {
    let (SettingsFile::Own(name) | SettingsFile::HugoOrZola(name) | SettingsFile::Jekyll(name)) = file;
    let wrong = |line, message| OpenError::Settings { path: name.clone(), line, message };
    let text = std::fs::read_to_string(root.join(name)).map_err(|error| wrong(None, error.to_string()))?;
    let fields = || read_document(name, &text).map_err(|error| wrong(error.line, error.message));
    match file {
        SettingsFile::Own(_) => own(&text).map_err(|(line, message)| wrong(line, message)),
        SettingsFile::HugoOrZola(_) => Ok(foreign::hugo_or_zola(&fields()?)),
        SettingsFile::Jekyll(_) => Ok(foreign::jekyll(&fields()?)),
    }
}

fn own(text: &str) -> Result<SiteSettings, (Option<usize>, String)> {
    let settings: SiteSettings = read_yaml_as(text).map_err(|error| (error.line, error.message))?;
    let problems: Vec<String> = settings.problems().iter().map(ToString::to_string).collect();
    if problems.is_empty() { Ok(settings) } else { Err((None, problems.join("; "))) }
}
