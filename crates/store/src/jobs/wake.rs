//! How a runner hears of work at once: through this process's memory, and between nodes through
//! NOTIFY. Losing a wake-up costs at most one polling interval.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

/// Work of a kind that may start from a moment on.
#[derive(Debug, Clone)]
pub(crate) struct Wake {
    pub(crate) kind: Arc<str>,
    /// Unix milliseconds by the database's time.
    pub(crate) due: i64,
}

const CHANNEL: &str = "ai_admin_jobs";
/// NOTIFY takes a lock that all commits share, so the wake-ups of a burst go out as one.
const GATHER: Duration = Duration::from_millis(5);
const BACKLOG: usize = 1024;

#[derive(Serialize, Deserialize)]
struct Notice {
    from: Uuid,
    due: HashMap<Arc<str>, i64>,
}

pub(crate) struct Wakes {
    id: Uuid,
    local: broadcast::Sender<Wake>,
    remote: Option<mpsc::Sender<Wake>>,
}

impl Wakes {
    pub(crate) fn new(pool: Option<PgPool>) -> Self {
        let id = Uuid::new_v4();
        let remote = pool.map(|pool| {
            let (sender, receiver) = mpsc::channel(BACKLOG);
            tokio::spawn(tell(id, pool, receiver));
            sender
        });
        Self { id, local: broadcast::Sender::new(BACKLOG), remote }
    }

    /// Wakes the runners of this process and of the other nodes.
    pub(crate) fn wake(&self, wakes: Vec<Wake>) {
        for wake in wakes {
            if let Some(remote) = &self.remote {
                // A full channel is a burst in which the others wake anyway.
                let _ = remote.try_send(wake.clone());
            }
            // No runner in this process is no fault.
            let _ = self.local.send(wake);
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.local.subscribe()
    }

    /// Hears the other nodes, for as long as it is polled. Reconnects by itself.
    pub(crate) async fn listen(&self, pool: &PgPool) {
        loop {
            if let Err(error) = self.listen_once(pool).await {
                tracing::warn!(%error, "no wake-ups from other nodes for now; polling goes on");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn listen_once(&self, pool: &PgPool) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            let notification = listener.recv().await?;
            let Ok(notice) = serde_json::from_str::<Notice>(notification.payload()) else { continue };
            if notice.from != self.id {
                for (kind, due) in notice.due {
                    let _ = self.local.send(Wake { kind, due });
                }
            }
        }
    }
}

/// Ends when the store is gone.
async fn tell(from: Uuid, pool: PgPool, mut wakes: mpsc::Receiver<Wake>) {
    while let Some(first) = wakes.recv().await {
        tokio::time::sleep(GATHER).await;
        let mut due = HashMap::from([(first.kind, first.due)]);
        while let Ok(wake) = wakes.try_recv() {
            let earliest = due.entry(wake.kind).or_insert(wake.due);
            *earliest = wake.due.min(*earliest);
        }
        let Ok(notice) = serde_json::to_string(&Notice { from, due }) else { continue };
        if let Err(error) = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(notice).execute(&pool).await {
            tracing::debug!(%error, "other nodes were not woken; they poll");
        }
    }
}
