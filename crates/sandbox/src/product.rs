//! The product itself: the one file that names its crates.

use std::{net::SocketAddr, sync::Arc};

use anyhow::bail;

use crate::clock::SandboxClock;

/// A product that runs.
pub(crate) struct Product {
    addr: SocketAddr,
}

impl Product {
    pub(crate) async fn start(_settings: Vec<(String, String)>, _clock: Arc<SandboxClock>) -> anyhow::Result<Self> {
        bail!("the product is not wired in yet; --world-only works")
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) async fn shutdown(self) {}
}

/// What the environment sets of the product's settings.
pub(crate) fn from_environment() -> Vec<(String, String)> {
    Vec::new()
}
