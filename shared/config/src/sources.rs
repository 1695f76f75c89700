//! Where settings are looked for. The one place in the program that reads the environment.

use std::path::PathBuf;

/// Everything that settings are read from, as plain values, so that tests need no process of their own.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The settings file: TOML, or YAML when its name ends in `.yaml` or `.yml`.
    pub file: Option<PathBuf>,
    /// The variables of the environment; those without the prefix `MICROBLOG__` are passed over.
    pub environment: Vec<(String, String)>,
    /// Key and value of each setting given on the command line, e.g. `("server.listen", "127.0.0.1:9000")`.
    pub command_line: Vec<(String, String)>,
}

impl Sources {
    /// The given file and command line, and the environment of this process.
    #[must_use]
    pub fn of_this_process(file: Option<PathBuf>, command_line: Vec<(String, String)>) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { file, environment, command_line }
    }
}
