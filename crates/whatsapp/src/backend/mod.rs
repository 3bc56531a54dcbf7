//! The memory of one linked device: whatsapp-rust's `Backend` on the salon's own rows of
//! [`store::keys`], every value sealed.
//!
//! One `Backend` is one device, so it carries its tenant and its lease: a read or write of another
//! salon cannot be said, and a writer that lost its lease is refused inside the very transaction
//! of its write. Values are opaque to the database; the keys they lie under (addresses, chat ids,
//! message ids) are not, since they must be looked up.
//!
//! The client keeps a write-behind cache above us and tells us when something must be durable, so
//! a method here returns only after its commit.

mod app_sync;
mod device;
mod protocol;
mod secrets;
mod signal;

pub(crate) use secrets::RETENTION as SECRET_RETENTION;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use domain::CompanyId;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use store::sessions::{self, Lease};
use store::{Store, Tx, Vault, keys};
use tokio_util::sync::CancellationToken;
use wacore::store::error::{Result, StoreError};

use crate::repeats::Repeats;

/// What a row of `whatsapp_keys` holds (its column `kind`).
mod kind {
    pub(super) const BASE_KEY: &str = "base_key";
    pub(super) const DEVICE: &str = "device";
    pub(super) const DEVICE_LIST: &str = "device_list";
    pub(super) const GROUP: &str = "group";
    pub(super) const IDENTITY: &str = "identity";
    pub(super) const LID: &str = "lid";
    pub(super) const MESSAGE_SECRET: &str = "message_secret";
    pub(super) const MUTATION_MAC: &str = "mutation_mac";
    pub(super) const PENDING_INBOUND: &str = "pending_inbound";
    pub(super) const PHONE: &str = "phone";
    pub(super) const PREKEY: &str = "prekey";
    pub(super) const SENDER_KEY: &str = "sender_key";
    pub(super) const SENDER_KEY_DEVICE: &str = "sender_key_device";
    pub(super) const SENT: &str = "sent";
    pub(super) const SESSION: &str = "session";
    pub(super) const SIGNED_PREKEY: &str = "signed_prekey";
    pub(super) const SYNC_KEY: &str = "sync_key";
    pub(super) const SYNC_KEY_LATEST: &str = "sync_key_latest";
    pub(super) const SYNC_VERSION: &str = "sync_version";
    pub(super) const TC_TOKEN: &str = "tc_token";
}

/// The sealed store of one salon's device.
pub(crate) struct Backend {
    store: Store,
    vault: Vault,
    company: CompanyId,
    lease: Lease,
    broken: CancellationToken,
    /// The client may write a thing while it still writes its former state. In the order of the calls,
    /// or the former state would stay: a device that does not know that it is linked.
    in_order: tokio::sync::Mutex<()>,
    repeats: Arc<Repeats>,
}

impl Backend {
    /// The device of the salon whose session is leased. `broken` is cancelled when a write fails:
    /// the client's own cache is ahead of what is stored then (it has read a message whose keys it
    /// could not put away), and writing on would make WhatsApp's repeat unreadable. So nothing more
    /// is written, and the session must begin anew from what is stored.
    pub(crate) fn new(store: Store, vault: Vault, lease: Lease, broken: CancellationToken, repeats: Arc<Repeats>) -> Self {
        Self { store, vault, company: lease.company_id, lease, broken, in_order: tokio::sync::Mutex::default(), repeats }
    }

    /// A transaction that may write: refused once the lease went to somebody else.
    async fn write(&self) -> Result<Writing<'_>> {
        let turn = self.in_order.lock().await;
        if self.broken.is_cancelled() {
            return Err(StoreError::Connection("an earlier write failed: the session begins anew".into()));
        }
        let mut writing = Writing { tx: None, broken: Some(&self.broken), _turn: turn };
        let tx = writing.tx.insert(self.store.begin().await.map_err(database)?);
        match sessions::check(tx, &self.lease).await {
            Ok(()) => Ok(writing),
            // Nothing is broken here: the device is another's now, who reads it from what is stored.
            Err(error @ store::StoreError::Fenced) => {
                writing.give_up();
                Err(database(error))
            }
            Err(error) => Err(database(error)),
        }
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let mut tx = self.store.read().await.map_err(database)?;
        self.get_in(&mut tx, kind, key).await
    }

    async fn get_in(&self, tx: &mut Tx, kind: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let sealed = keys::get(tx, self.company, kind, key).await.map_err(database)?;
        sealed.map(|sealed| self.open(kind, key, &sealed)).transpose()
    }

    async fn get_many(&self, kind: &str, wanted: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.store.read().await.map_err(database)?;
        let rows = keys::get_many(&mut tx, self.company, kind, wanted).await.map_err(database)?;
        self.open_all(kind, rows)
    }

    async fn list(&self, kind: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let mut tx = self.store.read().await.map_err(database)?;
        self.list_in(&mut tx, kind, prefix).await
    }

    async fn list_in(&self, tx: &mut Tx, kind: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let rows = keys::list(tx, self.company, kind, prefix).await.map_err(database)?;
        self.open_all(kind, rows)
    }

    async fn put(&self, kind: &str, key: String, value: &[u8]) -> Result<()> {
        self.put_many(kind, [(key, value)]).await
    }

    /// Writes all rows or none, in one transaction.
    async fn put_many<'a>(&self, kind: &str, rows: impl IntoIterator<Item = (String, &'a [u8])>) -> Result<()> {
        let entries = self.entries(kind, rows);
        if entries.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        keys::put_many(&mut tx, self.company, &entries).await.map_err(database)?;
        tx.commit().await.map_err(database)
    }

    async fn put_in(&self, tx: &mut Tx, kind: &str, key: String, value: &[u8]) -> Result<()> {
        let entries = self.entries(kind, [(key, value)]);
        keys::put_many(tx, self.company, &entries).await.map_err(database)
    }

    fn entries<'a>(&self, kind: &str, rows: impl IntoIterator<Item = (String, &'a [u8])>) -> Vec<keys::Entry> {
        rows.into_iter()
            .map(|(key, value)| {
                let value = self.vault.seal(self.company, &table(kind), &key, value);
                keys::Entry { kind: kind.to_owned(), key, value }
            })
            .collect()
    }

    async fn delete(&self, kind: &str, doomed: &[String]) -> Result<u64> {
        if doomed.is_empty() {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let deleted = keys::delete(&mut tx, self.company, kind, doomed).await.map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(deleted)
    }

    /// Deletes the rows of a kind whose key starts with `prefix` and whose value `doomed` points out.
    async fn delete_where(&self, kind: &str, prefix: &str, doomed: impl Fn(&str, &[u8]) -> bool + Send + Sync) -> Result<u64> {
        let mut tx = self.write().await?;
        let rows = self.list_in(&mut tx, kind, prefix).await?;
        let doomed: Vec<String> = rows.into_iter().filter(|(key, value)| doomed(key, value)).map(|(key, _)| key).collect();
        if doomed.is_empty() {
            tx.give_up();
            return Ok(0);
        }
        let deleted = keys::delete(&mut tx, self.company, kind, &doomed).await.map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(deleted)
    }

    /// Deletes the rows of a kind that were last written before `cutoff` (unix seconds).
    async fn delete_older(&self, kind: &str, cutoff: i64) -> Result<u32> {
        let mut tx = self.write().await?;
        let deleted = keys::delete_older(&mut tx, self.company, kind, cutoff.saturating_mul(1000)).await.map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(u32::try_from(deleted).unwrap_or(u32::MAX))
    }

    fn open(&self, kind: &str, key: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.vault.open(self.company, &table(kind), key, sealed).map_err(|e| StoreError::Serialization(Box::new(e)))
    }

    fn open_all(&self, kind: &str, rows: Vec<(String, Vec<u8>)>) -> Result<Vec<(String, Vec<u8>)>> {
        rows.into_iter()
            .map(|(key, sealed)| {
                let value = self.open(kind, &key, &sealed)?;
                Ok((key, value))
            })
            .collect()
    }
}

/// A transaction of a device's memory, after which the memory is [broken](Backend::new) unless it
/// was committed, or given up because there is nothing to write.
struct Writing<'a> {
    tx: Option<Tx>,
    /// Until its end.
    broken: Option<&'a CancellationToken>,
    _turn: tokio::sync::MutexGuard<'a, ()>,
}

impl Writing<'_> {
    async fn commit(mut self) -> std::result::Result<(), store::StoreError> {
        if let Some(tx) = self.tx.take() {
            tx.commit().await?;
        }
        self.broken = None;
        Ok(())
    }

    fn give_up(mut self) {
        self.broken = None;
    }
}

impl Deref for Writing<'_> {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        self.tx.as_ref().expect("there until it is committed")
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut Tx {
        self.tx.as_mut().expect("there until it is committed")
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(broken) = self.broken {
            broken.cancel();
        }
    }
}

/// The table's name in a seal: a value moved to another kind of row does not open there.
fn table(kind: &str) -> String {
    format!("whatsapp_keys/{kind}")
}

/// The key of a row from its parts. Some of them (message ids above all) were chosen by strangers:
/// what is not short and plain is replaced by its digest, so that no part can pose as two, upset
/// an index, or hold a byte that a database refuses.
fn key(parts: &[&str]) -> String {
    let mut key = String::with_capacity(parts.iter().map(|p| p.len() + 1).sum());
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            key.push('/');
        }
        let plain = !part.is_empty() && part.len() <= 128 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"@.:_-+=".contains(&b));
        if plain {
            key.push_str(part);
        } else {
            key.push('#');
            key.push_str(&hex(&Sha256::digest(part.as_bytes())));
        }
    }
    key
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| StoreError::Serialization(Box::new(e)))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| StoreError::Serialization(Box::new(e)))
}

fn database(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Database(Box::new(error))
}
