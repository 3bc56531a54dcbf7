//! What keeps a node that lost a session from acting for it: before a connection, a message or an
//! acknowledgement the database is asked whether the lease still holds. (Writes of keys are fenced
//! in their own transactions by the backend.)

use std::sync::Arc;

use async_trait::async_trait;
use store::sessions::{self, Lease};
use store::{Store, StoreError};
use wacore::net::{Transport, TransportEvent, TransportFactory};
use whatsapp_rust::async_channel::Receiver;

/// A lease and the database that knows whether it holds.
#[derive(Clone)]
pub(crate) struct Fence {
    store: Store,
    lease: Lease,
}

impl Fence {
    pub(crate) fn new(store: Store, lease: Lease) -> Self {
        Self { store, lease }
    }

    /// # Errors
    /// [`StoreError::Fenced`] when the session is no longer ours; any other when nobody can say.
    pub(crate) async fn holds(&self) -> Result<(), StoreError> {
        sessions::holds(&mut self.store.read().await?, &self.lease).await
    }
}

/// Dials for one session, as long as it is ours: a node that was stopped and continued would push
/// its successor off the line.
pub(crate) struct FencedDialer<D> {
    pub(crate) dialer: D,
    pub(crate) fence: Fence,
}

#[async_trait]
impl<D: TransportFactory> TransportFactory for FencedDialer<D> {
    async fn create_transport(&self) -> anyhow::Result<(Arc<dyn Transport>, Receiver<TransportEvent>)> {
        self.fence.holds().await?;
        self.dialer.create_transport().await
    }
}
