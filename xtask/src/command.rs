//! Other programs, cargo above all.

use std::{env, process::Command};

use anyhow::{Result, ensure};

/// A command as from a bare shell. Cargo tells whom it runs about their package, and build scripts
/// that watch those variables (ring's) would have half of the tree compiled anew whenever somebody
/// else calls cargo.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    let of_this_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars().filter(|(name, _)| of_this_package(name)) {
        command.env_remove(name);
    }
    command
}

/// Runs a command in sight of the terminal and fails when it fails.
pub(crate) fn sh(program: &str, args: &[&str]) -> Result<()> {
    println!("$ {program} {}", args.join(" "));
    ensure!(command(program).args(args).status()?.success(), "{program} {} failed", args.join(" "));
    Ok(())
}

/// Builds what stands on the whole house (`what`: a binary, an example): with the features that
/// the tests have, so that nothing is compiled that they have compiled already.
pub(crate) fn build_as_tests_do(what: &[&str]) -> Result<()> {
    let features = ["build", "--profile", "sandbox", "--workspace", "--features", "store/test-support"];
    sh("cargo", &[&features[..], what].concat())
}
