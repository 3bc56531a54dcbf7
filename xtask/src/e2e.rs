//! Foreign clients against the sandbox: Baileys, the official Socket.IO client, a browser (`e2e/`).

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::command::{build_as_tests_do, command, sh};

const CHROMIUM: &str = "/usr/bin/chromium";
const EMOJI: &str = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";

/// Runs the tests of `e2e/`, with what they need installed first.
pub(crate) fn test() -> Result<()> {
    fetch()?;
    world_and_browser()?;
    sh("npm", &["--prefix", "e2e", "test"])
}

/// Takes the pictures of every page into `docs/screens`.
pub(crate) fn screens() -> Result<()> {
    install("fonts-noto-color-emoji", "a font with emoji", || Path::new(EMOJI).is_file())?;
    fetch()?;
    world_and_browser()?;
    sh("node", &["e2e/screens.mjs"])
}

fn world_and_browser() -> Result<()> {
    install("chromium", "Chromium", || Path::new(CHROMIUM).is_file())?;
    build_as_tests_do(&["--bin", "ai-admin-sandbox"])
}

/// Fetches the clients into `e2e/node_modules`.
pub(crate) fn fetch() -> Result<()> {
    install("npm", "npm", || runs("npm") && runs("node"))?;
    sh("npm", &["--prefix", "e2e", "ci", "--ignore-scripts", "--no-fund", "--no-audit"])
        .context("the foreign clients could not be fetched: npm needs its registry or a filled cache")
}

/// Installs Debian's package where the program is missing.
fn install(package: &str, program: &str, there: impl Fn() -> bool) -> Result<()> {
    if there() {
        return Ok(());
    }
    let hint = || format!("{program} is needed by what is in e2e/: install Debian's package {package}, or the program by other means");
    sh("apt-get", &["update", "-qq"]).with_context(hint)?;
    sh("apt-get", &["install", "-y", "-qq", "--no-install-recommends", package]).with_context(hint)?;
    ensure!(there(), hint());
    Ok(())
}

fn runs(program: &str) -> bool {
    command(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
