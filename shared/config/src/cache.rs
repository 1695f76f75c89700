//! Where a user's programs keep what they can make again.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder of this program in the user's cache folder: `$XDG_CACHE_HOME/microblog`, else `~/.cache/microblog`. Nothing
/// if the user has no home. It need not exist.
#[must_use]
pub fn cache_folder() -> Option<PathBuf> {
    folder(std::env::var_os("XDG_CACHE_HOME"), std::env::home_dir())
}

/// A relative folder would be another one in each place; the specification says to pass over it.
fn folder(named: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let named = named.map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = named.or_else(|| home.filter(|path| path.is_absolute()).map(|home| home.join(".cache")))?;
    Some(cache.join("microblog"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_folder_wins_if_it_is_whole() {
        let home = || Some(PathBuf::from("/home/ada"));
        assert_eq!(folder(Some("/tmp/c".into()), home()), Some("/tmp/c/microblog".into()));
        assert_eq!(folder(Some("c".into()), home()), Some("/home/ada/.cache/microblog".into()));
        assert_eq!(folder(None, home()), Some("/home/ada/.cache/microblog".into()));
        assert_eq!(folder(None, Some(PathBuf::new())), None);
    }
}
