use domain::CompanyId;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::relay::Relay;

/// Something about a salon that is wanted at once, by its open pages or by the other nodes. Losing
/// one is harmless: whoever needs the state can read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CompanyEvent {
    /// Whose.
    pub company_id: CompanyId,
    /// What happened, by the name of the page's event (`sync-progress`).
    pub kind: String,
    /// The event's body. At most seven kilobytes, so that NOTIFY can carry it between nodes.
    pub payload: serde_json::Value,
}

/// The event bus: of this process, and of all nodes that share a PostgreSQL.
#[derive(Debug, Clone)]
pub struct Bus {
    local: broadcast::Sender<CompanyEvent>,
    others: Option<Relay>,
}

impl Bus {
    /// How far a slow subscriber may lag before it loses the oldest events.
    const BACKLOG: usize = 1024;

    /// Where events of this process gather.
    pub(crate) fn channel() -> broadcast::Sender<CompanyEvent> {
        broadcast::Sender::new(Self::BACKLOG)
    }

    pub(crate) fn new(local: broadcast::Sender<CompanyEvent>, others: Option<Relay>) -> Self {
        Self { local, others }
    }

    /// Tells everybody who listens now, on every node. Events that belong to a transaction go
    /// through [`Tx::publish`](crate::Tx::publish).
    pub fn publish(&self, event: CompanyEvent) {
        self.tell_others(event.clone());
        // Nobody listening is no fault.
        let _ = self.local.send(event);
    }

    /// Tells those who listen on the other nodes, and nobody here. Nothing on SQLite, which has one node.
    pub fn tell_others(&self, event: CompanyEvent) {
        if let Some(others) = &self.others {
            others.event(event);
        }
    }

    /// Other nodes may share the work (the database is PostgreSQL).
    pub fn reaches_others(&self) -> bool {
        self.others.is_some()
    }

    /// Everything published from now on, of every company: the subscriber keeps to its own.
    pub fn subscribe(&self) -> broadcast::Receiver<CompanyEvent> {
        self.local.subscribe()
    }
}
