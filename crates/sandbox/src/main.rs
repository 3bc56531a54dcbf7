//! `ai-admin-sandbox`: see `--help`.

use std::io::Write;

use clap::Parser;
use sandbox::Options;
use tracing_subscriber::{Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "warn,sandbox=info".to_owned());
    let shown = fmt::layer().with_writer(std::io::stderr).with_filter(sandbox::log_filter(&level)?);
    tracing_subscriber::registry().with(shown).with(sandbox::recent_logs()?).init();
    let running = sandbox::start(options).await?;
    let mut out = std::io::stdout();
    if let Some(control) = running.control {
        writeln!(out, "Chat page and control API: http://{control}/")?;
    }
    if let Some(product) = running.product {
        writeln!(out, "Product:                   http://{product}/")?;
    }
    out.flush()?;
    sandbox::asked_to_stop().await?;
    if !sandbox::softly(running.shutdown()).await? {
        std::process::exit(1);
    }
    Ok(())
}
