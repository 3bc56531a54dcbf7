//! `cargo xtask chaos`.

use anyhow::Result;

use crate::{lint::sh, postgres};

pub(crate) fn run(args: &[String]) -> Result<()> {
    if args.iter().any(|arg| arg == "--postgres") {
        postgres::ensure_installed()?;
    }
    // The whole workspace, so that nothing is compiled that the tests have not compiled already.
    let features = ["--profile", "sandbox", "--workspace", "--features", "store/test-support"];
    sh("cargo", &[&["build"], &features[..], &["--bin", "ai-admin-sandbox", "--example", "chaos"]].concat())?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    sh("target/sandbox/examples/chaos", &args)
}
