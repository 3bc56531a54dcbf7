//! `cargo xtask chaos`.

use anyhow::Result;

use crate::{
    command::{build_as_tests_do, sh},
    postgres,
};

pub(crate) fn run(args: &[String]) -> Result<()> {
    if args.iter().any(|arg| arg == "--postgres") {
        postgres::ensure_installed()?;
    }
    build_as_tests_do(&["--bin", "ai-admin-sandbox", "--example", "chaos"])?;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    sh("target/sandbox/examples/chaos", &args)
}
