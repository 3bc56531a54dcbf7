//! The tests' database server: each test process starts a private cluster of its own
//! (`store::testing`); here it is made sure that there is something to start.

use std::{fs, path::PathBuf};

use anyhow::{Result, ensure};

use crate::command::sh;

/// Installs PostgreSQL where there is none (Debian's package).
pub(crate) fn ensure_installed() -> Result<()> {
    if installed() {
        return Ok(());
    }
    sh("apt-get", &["update", "-qq"])?;
    sh("apt-get", &["install", "-y", "-qq", "--no-install-recommends", "postgresql"])?;
    ensure!(installed(), "PostgreSQL was installed, but its server programs (initdb, pg_ctl) were not found");
    Ok(())
}

/// Debian keeps the server's programs off the path.
fn installed() -> bool {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.chain(std::env::split_paths(&path)).any(|bin: PathBuf| bin.join("initdb").is_file() && bin.join("pg_ctl").is_file())
}
