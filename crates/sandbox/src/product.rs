//! The product itself: the one file that names its crates.

use std::{net::SocketAddr, sync::Arc};

use jiff::Timestamp;

pub use ai_admin::lifecycle::{asked_to_stop, softly};

use crate::clock::SandboxClock;

/// A product that runs.
pub(crate) struct Product(ai_admin::Running);

/// The world's calendar, as the product sees it.
struct Calendar(Arc<SandboxClock>);

impl domain::Clock for Calendar {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl Product {
    pub(crate) async fn start(settings: Vec<(String, String)>, clock: Arc<SandboxClock>) -> anyhow::Result<Self> {
        let config = ai_admin::Config::from_pairs(settings)?;
        Ok(Self(ai_admin::start(config, Arc::new(Calendar(clock))).await?))
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    pub(crate) async fn shutdown(self) {
        self.0.shutdown().await;
    }
}

/// What the environment sets of the product's settings.
pub(crate) fn from_environment() -> Vec<(String, String)> {
    let set = |(name, _): &(&str, &str)| Some(((*name).to_owned(), std::env::var(name).ok()?));
    ai_admin::config::SETTINGS.iter().filter_map(set).collect()
}

/// The layer from which the product's `GET /api/logs` reads.
///
/// # Errors
/// None with the filter that is built in.
pub fn recent_logs<S>() -> anyhow::Result<impl tracing_subscriber::Layer<S>>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    ai_admin::telemetry::recent()
}

/// What is logged at `LOG_LEVEL`, the same as the product's own: WhatsApp's crates name whole phone numbers.
///
/// # Errors
/// When it is neither a level nor a tracing filter.
pub fn log_filter(level: &str) -> anyhow::Result<tracing_subscriber::EnvFilter> {
    ai_admin::telemetry::filter(level)
}
