//! What WhatsApp gives once more and the client has read before.
//!
//! The client puts a message down before it hands it to the inbox, and its reader's keys after
//! that. But whatever is sent at the same moment puts all keys away that have changed: killed
//! right then, the device comes back with keys that have read a message and no message. To the
//! client the repeat is a duplicate, which it would acknowledge unseen. So the inbox is asked
//! whether it has it, and if not, its sender to seal it anew (a retry receipt).

use std::sync::{Arc, OnceLock, Weak};

use domain::CompanyId;
use wacore::store::error::{Result, StoreError};
use wacore_binary::Jid;
use wacore_binary::builder::NodeBuilder;
use whatsapp_rust::Client;

use crate::inbound::{Inbox, is_own};

pub(crate) struct Repeats {
    company: CompanyId,
    inbox: Arc<dyn Inbox>,
    client: OnceLock<Weak<Client>>,
}

impl Repeats {
    pub(crate) fn new(company: CompanyId, inbox: Arc<dyn Inbox>) -> Arc<Self> {
        Arc::new(Self { company, inbox, client: OnceLock::new() })
    }

    /// The client that reads: known only after the device's memory, which is part of it.
    pub(crate) fn of(&self, client: &Arc<Client>) {
        self.client.get_or_init(|| Arc::downgrade(client));
    }

    /// A message that was read before and is put down nowhere; `Ok` where it may be acknowledged.
    ///
    /// # Errors
    /// When it may not, since nobody has it or nobody can say.
    pub(crate) async fn check(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        let (Ok(chat), Ok(sender)) = (chat.parse::<Jid>(), sender.parse::<Jid>()) else { return Ok(()) };
        let Some(client) = self.client.get().and_then(Weak::upgrade) else { return Ok(()) };
        let of_people = chat.server.is_lid_family() || chat.server.is_pn_family();
        if !of_people || is_own(&client, &chat) {
            return Ok(());
        }
        if self.inbox.has(self.company, id).await.map_err(|error| StoreError::Connection(error.into()))? {
            return Ok(());
        }
        tracing::warn!(company = %self.company, "a message was read but never stored; its sender is asked for it again");
        let now = store::machine_now().as_second();
        let retry = NodeBuilder::new("retry").attr("v", "1").attr("id", id).attr("t", now).attr("count", "1").build();
        let registration = client.persistence_manager().get_device_snapshot().registration_id.to_be_bytes().to_vec();
        let registration = NodeBuilder::new("registration").bytes(registration).build();
        let mut receipt = NodeBuilder::new("receipt").attr("to", &sender).attr("id", id).attr("type", "retry");
        if is_own(&client, &sender) {
            // The salon's own phone looks for it in its chat with that customer.
            receipt = receipt.attr("recipient", &chat);
        }
        let receipt = receipt.children([retry, registration]).build();
        // Not here: the client reads on only after this.
        tokio::spawn(async move {
            if let Err(error) = client.send_node(receipt).await {
                tracing::warn!(%error, "a message could not be asked for again: it is at the next connection");
            }
        });
        Err(StoreError::Connection("read before, but stored nowhere".into()))
    }
}
