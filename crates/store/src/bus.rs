use domain::CompanyId;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// Something that a salon's open pages want to know at once. Losing one is harmless: the pages
/// read the state itself when they connect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompanyEvent {
    /// Whose pages.
    pub company_id: CompanyId,
    /// What happened, by the name of the page's event (`sync-progress`).
    pub kind: String,
    /// The event's body. At most a few kilobytes, so that NOTIFY can carry it between nodes.
    pub payload: serde_json::Value,
}

/// The event bus of this process.
#[derive(Debug, Clone)]
pub struct Bus(broadcast::Sender<CompanyEvent>);

impl Bus {
    /// How far a slow subscriber may lag before it loses the oldest events.
    const BACKLOG: usize = 1024;

    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(Self::BACKLOG))
    }

    /// Tells everybody who listens now. Events that belong to a transaction go through
    /// [`Tx::publish`](crate::Tx::publish).
    pub fn publish(&self, event: CompanyEvent) {
        // Nobody listening is no fault.
        let _ = self.0.send(event);
    }

    /// Everything published from now on, of every company: the subscriber keeps to its own.
    pub fn subscribe(&self) -> broadcast::Receiver<CompanyEvent> {
        self.0.subscribe()
    }
}
