//! `cargo xtask lint`.

use std::process::Command;

use anyhow::{Result, ensure};

/// Runs a command in sight of the terminal and fails when it fails.
pub(crate) fn sh(program: &str, args: &[&str]) -> Result<()> {
    println!("$ {program} {}", args.join(" "));
    ensure!(Command::new(program).args(args).status()?.success(), "{program} {} failed", args.join(" "));
    Ok(())
}

pub(crate) fn run() -> Result<()> {
    sh("cargo", &["fmt", "--all", "--check"])?;
    sh("cargo", &["clippy", "--profile", "sandbox", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    if Command::new("cargo-deny").arg("--version").output().is_ok() {
        sh("cargo", &["deny", "check", "bans", "licenses", "sources"])?;
    } else {
        println!("cargo-deny is not installed: licences and duplicates were not checked (cargo install cargo-deny)");
    }
    Ok(())
}
