//! The options by which every program learns its settings.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use microblog_config::{ConfigError, Settings, Sources};

/// Which installation, where the environment does not say it.
#[derive(Debug, Clone, Args)]
pub struct SettingsArgs {
    /// Read settings from this file: TOML, or YAML by its ending.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Set one setting, such as server.listen=127.0.0.1:9000; wins over file and environment. May be given repeatedly.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value, global = true)]
    overrides: Vec<(String, String)>,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it like server.listen=127.0.0.1:9000")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl SettingsArgs {
    /// The arguments that make this program do something else with the same settings.
    #[must_use]
    pub fn arguments(&self, subcommand: &str) -> Vec<OsString> {
        let mut arguments = vec![OsString::from(subcommand)];
        if let Some(file) = &self.config {
            arguments.extend(["--config".into(), file.into()]);
        }
        for (key, value) in &self.overrides {
            arguments.extend(["--set".into(), format!("{key}={value}").into()]);
        }
        arguments
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// Lists every mistake in them.
    pub fn load(&self) -> Result<Settings, ConfigError> {
        Settings::load(&Sources::of_this_process(self.config.clone(), self.overrides.clone()))
    }
}
