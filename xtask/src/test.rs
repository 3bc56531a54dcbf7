//! `cargo xtask test`.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, ensure};

use crate::{lint::sh, postgres::Cluster};

/// The product as it ships: built without the sandbox, so without its relaxed certificate check.
const PRODUCT: &str = "target/product/ai-admin";

pub(crate) fn run(args: &[String]) -> Result<()> {
    sh("cargo", &["build", "--profile", "sandbox", "--package", "ai-admin"])?;
    fs::create_dir_all("target/product")?;
    fs::copy("target/sandbox/ai-admin", PRODUCT)?;

    let cluster = Cluster::start()?;
    let status = Command::new("cargo")
        .args(["test", "--profile", "sandbox", "--workspace"])
        .args(args)
        .env("AI_ADMIN_TEST_POSTGRES", cluster.url())
        .env("AI_ADMIN_PRODUCT", Path::new(PRODUCT).canonicalize()?)
        .status()?;
    drop(cluster);
    ensure!(status.success(), "tests failed");
    Ok(())
}
