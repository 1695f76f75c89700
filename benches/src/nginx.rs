//! nginx before the releases of an installation, as readers have it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// The command that serves `build/current` of a folder at an address; what it needs is written there, too.
pub(crate) fn command(folder: &Path, address: &str) -> anyhow::Result<Command> {
    let own = folder.join("nginx");
    fs::create_dir_all(&own).with_context(|| format!("making {}", own.display()))?;
    let file = own.join("nginx.conf");
    fs::write(&file, config(folder, &own, address)).with_context(|| format!("writing {}", file.display()))?;
    // Debian has it where only root looks.
    let mut command = Command::new("nginx");
    command.env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/sbin:/bin");
    command.arg("-e").arg(own.join("error.log")).arg("-p").arg(&own).arg("-c").arg(&file).stdin(Stdio::null());
    Ok(command)
}

/// One process, so that nothing of it outlives the one that is killed.
fn config(folder: &Path, own: &Path, address: &str) -> String {
    let (folder, own) = (folder.display(), own.display());
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("    {name}_temp_path \"{own}/{name}\";\n"))
        .collect();
    format!(
        "daemon off;\nmaster_process off;\npid \"{own}/nginx.pid\";\nevents {{}}\n\
         http {{\n    access_log off;\n    default_type text/html;\n    keepalive_requests 1000000;\n{temporary}    \
         server {{\n        listen {address};\n        root \"{folder}/build/current\";\n    }}\n}}\n"
    )
}
