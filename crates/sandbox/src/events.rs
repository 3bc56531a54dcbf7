use serde::Serialize;
use tokio::sync::{Notify, broadcast};

/// Something in the world changed; the chat page redraws what it concerns, the keeper of state saves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The calendar was set.
    Clock,
    /// A salon was created, replaced, or its installation changed.
    Salon {
        /// The salon's id.
        salon: i64,
    },
    /// A booking of the salon changed.
    Records {
        /// The salon's id.
        salon: i64,
    },
}

/// Carries [`Event`]s to whoever listens, and remembers that there is something to save.
#[derive(Debug)]
pub struct Bus {
    events: broadcast::Sender<Event>,
    changed: Notify,
}

impl Default for Bus {
    fn default() -> Self {
        Self { events: broadcast::channel(1024).0, changed: Notify::new() }
    }
}

impl Bus {
    /// Tells everybody.
    pub fn publish(&self, event: Event) {
        self.changed.notify_one();
        // Nobody listening is fine.
        let _ = self.events.send(event);
    }

    /// Remembers that there is something to save, where others tell what happened.
    pub fn touch(&self) {
        self.changed.notify_one();
    }

    /// Listens from now on; a slow listener loses the oldest events.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Resolves when something was published since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}
