//! Compressed siblings in the output folder (`--compress`), for hosts that send a file compressed as it lies there.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};

use anyhow::Context as _;
use microblog_domain::FilePath;
use microblog_release::{compress, sibling_of};
use rayon::prelude::*;

use crate::cli::output::Output;
use crate::cli::progress;

/// Compresses those of the files that are worth it, and tells how many. A file that has the name of a sibling itself stays
/// as it is.
pub(super) fn compress_files(files: &HashSet<FilePath>, output: &Output) -> anyhow::Result<usize> {
    let bar = progress::bar("Compressing", files.len());
    let compress = |path: &FilePath| {
        let done = compress_file(path, files, output).with_context(|| format!("compressing {path}"));
        bar.inc(1);
        done.map(usize::from)
    };
    let done = files.par_iter().map(compress).sum();
    bar.finish_and_clear();
    done
}

fn compress_file(path: &FilePath, files: &HashSet<FilePath>, output: &Output) -> io::Result<bool> {
    let place = output.file(path);
    let metadata = match fs::metadata(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        metadata => metadata?,
    };
    let Some(sibling) = sibling_of(path, metadata.len()).filter(|sibling| !files.contains(sibling)) else {
        return Ok(false);
    };
    let Some(compressed) = compress(&fs::read(&place)?)? else { return Ok(false) };
    match File::create_new(output.file(&sibling)) {
        // A folder of the site has that name.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        file => {
            let mut file = file?;
            file.write_all(&compressed)?;
            // Servers tell readers by it whether their copy is still good.
            file.set_modified(metadata.modified()?).map(|()| true)
        }
    }
}
