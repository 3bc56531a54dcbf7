use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use wacore::store::error::{Result, StoreError};
use wacore::store::traits::SignalStore;

use super::{Backend, key, kind};

#[async_trait]
impl SignalStore for Backend {
    async fn put_identity(&self, address: &str, identity: [u8; 32]) -> Result<()> {
        self.put(kind::IDENTITY, key(&[address]), &identity).await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> Result<()> {
        self.put_many(kind::IDENTITY, identities.iter().map(|(address, identity)| (key(&[address]), identity.as_slice()))).await
    }

    async fn load_identity(&self, address: &str) -> Result<Option<[u8; 32]>> {
        let Some(bytes) = self.get(kind::IDENTITY, &key(&[address])).await? else { return Ok(None) };
        let length = bytes.len();
        let identity = bytes.try_into().map_err(|_| StoreError::Validation(format!("an identity key of {length} bytes")))?;
        Ok(Some(identity))
    }

    async fn delete_identity(&self, address: &str) -> Result<()> {
        self.delete(kind::IDENTITY, &[key(&[address])]).await.map(drop)
    }

    async fn get_session(&self, address: &str) -> Result<Option<Bytes>> {
        Ok(self.get(kind::SESSION, &key(&[address])).await?.map(Bytes::from))
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> Result<()> {
        self.put(kind::SESSION, key(&[address]), session).await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> Result<()> {
        self.put_many(kind::SESSION, sessions.iter().map(|(address, session)| (key(&[address]), session.as_ref()))).await
    }

    async fn delete_session(&self, address: &str) -> Result<()> {
        self.delete(kind::SESSION, &[key(&[address])]).await.map(drop)
    }

    /// Addresses are `user@server` for the phone itself and `user:device@server` for its companions.
    async fn has_signal_state_for_user(&self, user: &str) -> Result<bool> {
        for kind in [kind::SESSION, kind::IDENTITY] {
            let rows = self.list(kind, user).await?;
            if rows.iter().any(|(address, _)| address[user.len()..].starts_with(['@', ':'])) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a key was uploaded is not kept: nothing reads it back, the device's own counters
    /// say what the server has.
    async fn store_prekey(&self, id: u32, record: &[u8], _uploaded: bool) -> Result<()> {
        self.put(kind::PREKEY, id.to_string(), record).await
    }

    async fn store_prekeys_batch(&self, prekeys: &[(u32, Bytes)], _uploaded: bool) -> Result<()> {
        self.put_many(kind::PREKEY, prekeys.iter().map(|(id, record)| (id.to_string(), record.as_ref()))).await
    }

    async fn load_prekey(&self, id: u32) -> Result<Option<Bytes>> {
        Ok(self.get(kind::PREKEY, &id.to_string()).await?.map(Bytes::from))
    }

    async fn load_prekeys_batch(&self, ids: &[u32]) -> Result<Vec<(u32, Bytes)>> {
        let wanted: Vec<String> = ids.iter().map(u32::to_string).collect();
        let rows = self.get_many(kind::PREKEY, &wanted).await?;
        rows.into_iter().map(|(id, record)| Ok((number(&id)?, Bytes::from(record)))).collect()
    }

    async fn mark_prekeys_uploaded(&self, _ids: &[u32]) -> Result<()> {
        Ok(())
    }

    async fn remove_prekey(&self, id: u32) -> Result<()> {
        self.delete(kind::PREKEY, &[id.to_string()]).await.map(drop)
    }

    async fn get_max_prekey_id(&self) -> Result<u32> {
        let rows = self.list(kind::PREKEY, "").await?;
        rows.iter().try_fold(0, |max, (id, _)| Ok(number(id)?.max(max)))
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> Result<()> {
        self.put(kind::SIGNED_PREKEY, id.to_string(), record).await
    }

    async fn load_signed_prekey(&self, id: u32) -> Result<Option<Vec<u8>>> {
        self.get(kind::SIGNED_PREKEY, &id.to_string()).await
    }

    async fn load_all_signed_prekeys(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        let rows = self.list(kind::SIGNED_PREKEY, "").await?;
        rows.into_iter().map(|(id, record)| Ok((number(&id)?, record))).collect()
    }

    async fn remove_signed_prekey(&self, id: u32) -> Result<()> {
        self.delete(kind::SIGNED_PREKEY, &[id.to_string()]).await.map(drop)
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> Result<()> {
        self.put(kind::SENDER_KEY, key(&[address]), record).await
    }

    async fn put_sender_keys_batch(&self, sender_keys: &[(Arc<str>, Bytes)]) -> Result<()> {
        self.put_many(kind::SENDER_KEY, sender_keys.iter().map(|(address, record)| (key(&[address]), record.as_ref()))).await
    }

    async fn get_sender_key(&self, address: &str) -> Result<Option<Vec<u8>>> {
        self.get(kind::SENDER_KEY, &key(&[address])).await
    }

    async fn delete_sender_key(&self, address: &str) -> Result<()> {
        self.delete(kind::SENDER_KEY, &[key(&[address])]).await.map(drop)
    }
}

fn number(id: &str) -> Result<u32> {
    id.parse().map_err(|_| StoreError::Validation("a pre-key under a key that is no number".to_owned()))
}
