//! `cargo xtask lint`.

use anyhow::Result;

use crate::command::{command, sh};

pub(crate) fn run() -> Result<()> {
    sh("cargo", &["fmt", "--all", "--check"])?;
    sh("cargo", &["clippy", "--profile", "sandbox", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    if command("cargo-deny").arg("--version").output().is_ok() {
        sh("cargo", &["deny", "check", "bans", "licenses", "sources"])?;
    } else {
        println!("cargo-deny is not installed: licences and duplicates were not checked (cargo install cargo-deny)");
    }
    Ok(())
}
