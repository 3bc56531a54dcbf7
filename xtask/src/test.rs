//! `cargo xtask test`.

use std::{fs, path::Path};

use anyhow::{Result, ensure};

use crate::{
    chaos,
    command::{command, sh},
    e2e, postgres,
};

/// The product as it ships: built without the sandbox, so without its relaxed certificate check.
const PRODUCT: &str = "target/product/ai-admin";

pub(crate) fn run(args: &[String]) -> Result<()> {
    postgres::ensure_installed()?;
    sh("cargo", &["build", "--profile", "sandbox", "--package", "ai-admin"])?;
    fs::create_dir_all("target/product")?;
    fs::copy("target/sandbox/ai-admin", PRODUCT)?;

    println!("$ cargo test --profile sandbox --workspace {}", args.join(" "));
    let mut tests = command("cargo");
    tests.args(["test", "--profile", "sandbox", "--workspace"]).args(args);
    // The tests of the product's own build find it here.
    tests.env("AI_ADMIN_PRODUCT", Path::new(PRODUCT).canonicalize()?);
    ensure!(tests.status()?.success(), "tests failed");
    // A filter is for the Rust tests.
    if !args.is_empty() {
        return Ok(());
    }
    for database in [&[][..], &["--postgres"]] {
        let args = [&["--kills", "20", "--seed", "4"], database].concat();
        chaos::run(&args.into_iter().map(str::to_owned).collect::<Vec<_>>())?;
    }
    e2e::test()
}
