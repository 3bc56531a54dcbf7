//! The product itself: the one file that names its crates.

use std::{net::SocketAddr, sync::Arc};

use jiff::Timestamp;

use crate::clock::SandboxClock;

impl domain::Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        SandboxClock::now(self)
    }
}

/// A product that runs.
pub(crate) struct Product(ai_admin::Running);

impl Product {
    /// Starts it with settings named as its environment variables.
    pub(crate) async fn start(settings: Vec<(String, String)>, clock: Arc<SandboxClock>) -> anyhow::Result<Self> {
        let config = ai_admin::Config::from_pairs(settings)?;
        Ok(Self(ai_admin::start(config, clock).await?))
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.addr
    }

    /// Turns in flight finish, sessions are handed over, the server stops.
    pub(crate) async fn shutdown(self) {
        self.0.shutdown().await;
    }
}

/// What the environment sets of the product's settings.
pub(crate) fn from_environment() -> Vec<(String, String)> {
    let set = |(name, _): &(&str, &str)| Some(((*name).to_owned(), std::env::var(name).ok()?));
    ai_admin::config::SETTINGS.iter().filter_map(set).collect()
}
