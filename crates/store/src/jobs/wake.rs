//! How a runner hears of work at once: through this process's memory, and between nodes through
//! the relay. Losing a wake-up costs at most one polling interval.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::relay::Relay;

/// Work of a kind that may start from a moment on.
#[derive(Debug, Clone)]
pub(crate) struct Wake {
    pub(crate) kind: Arc<str>,
    /// Unix milliseconds by the database's time.
    pub(crate) due: i64,
}

const BACKLOG: usize = 1024;

pub(crate) struct Wakes {
    local: broadcast::Sender<Wake>,
    others: Option<Relay>,
}

impl Wakes {
    /// Where wake-ups of this process gather.
    pub(crate) fn channel() -> broadcast::Sender<Wake> {
        broadcast::Sender::new(BACKLOG)
    }

    pub(crate) fn new(local: broadcast::Sender<Wake>, others: Option<Relay>) -> Self {
        Self { local, others }
    }

    /// Wakes the runners of this process and of the other nodes.
    pub(crate) fn wake(&self, wakes: Vec<Wake>) {
        for wake in wakes {
            if let Some(others) = &self.others {
                others.wake(wake.clone());
            }
            // No runner in this process is no fault.
            let _ = self.local.send(wake);
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.local.subscribe()
    }
}
