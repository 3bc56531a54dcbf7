//! Logs: structured, one line an event, phones masked by their type. To the terminal, and where
//! `LOG_DIR` is set to files that change each day, errors apart.

use std::{io::IsTerminal, path::Path, sync::OnceLock};

use tracing::Subscriber;
use tracing_appender::{non_blocking::WorkerGuard, rolling};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, LevelFilter},
    fmt,
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};
use web::LogBook;

/// Days of log files that are kept.
const KEPT_DAYS: usize = 14;

/// Keeps the log files' writers alive; dropping it writes out what is left.
#[must_use]
pub struct Logs(#[expect(dead_code, reason = "held for its drop")] Vec<WorkerGuard>);

/// The process's recent log lines, which `/api/logs` shows.
pub(crate) fn book() -> LogBook {
    static BOOK: OnceLock<LogBook> = OnceLock::new();
    BOOK.get_or_init(LogBook::default).clone()
}

/// The layer that fills them, whatever `LOG_LEVEL` says of the terminal: our own rooms from `info` on.
///
/// # Errors
/// None with the filter that is built in.
pub fn recent<S: Subscriber + for<'a> LookupSpan<'a>>() -> anyhow::Result<impl Layer<S>> {
    Ok(book().with_filter(filter("info")?.and(filter_others())))
}

/// What runs beside the product in one process is not its own.
fn filter_others() -> tracing_subscriber::filter::Targets {
    tracing_subscriber::filter::Targets::new().with_default(LevelFilter::TRACE).with_target("sandbox", LevelFilter::OFF)
}

/// Rooms whose logs follow `LOG_LEVEL`. All other crates speak from `warn` on: whatsapp-rust names whole
/// phone numbers below that.
const OURS: [&str; 9] = ["ai_admin", "web", "workflows", "dialogue", "language", "yclients", "whatsapp", "store", "sandbox"];

/// A plain level is that of our own rooms; anything longer is a tracing filter of its own.
///
/// # Errors
/// When the filter cannot be read.
pub fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    if level.parse::<LevelFilter>().is_err() {
        return Ok(EnvFilter::try_new(level)?);
    }
    let ours: String = OURS.iter().map(|room| format!(",{room}={level}")).collect();
    // A room's name is taken as a beginning: `whatsapp` would let whatsapp-rust speak. Where a file is not
    // fetched it names the address, which holds a token.
    Ok(EnvFilter::try_new(format!("warn{ours},whatsapp_rust=warn,whatsapp_rust::download=off"))?)
}

/// Installs the process's logging. `level` is a level or a tracing filter.
///
/// # Errors
/// When the filter cannot be read, the folder cannot be written, or logging was installed before.
pub fn init(level: &str, dir: Option<&Path>) -> anyhow::Result<Logs> {
    let mut guards = Vec::new();
    let mut layers = Vec::new();
    if std::io::stderr().is_terminal() {
        layers.push(fmt::layer().with_writer(std::io::stderr).with_filter(filter(level)?).boxed());
    } else {
        layers.push(fmt::layer().json().with_writer(std::io::stderr).with_filter(filter(level)?).boxed());
    }
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir)?;
        for (name, least) in [("ai-admin", LevelFilter::TRACE), ("errors", LevelFilter::ERROR)] {
            let file = rolling::Builder::new()
                .rotation(rolling::Rotation::DAILY)
                .filename_prefix(name)
                .filename_suffix("log")
                .max_log_files(KEPT_DAYS)
                .build(dir)?;
            let (writer, guard) = tracing_appender::non_blocking(file);
            guards.push(guard);
            layers.push(fmt::layer().json().with_writer(writer).with_filter(filter(level)?.and(least)).boxed());
        }
    }
    tracing_subscriber::registry().with(layers).with(recent()?).try_init()?;
    Ok(Logs(guards))
}
