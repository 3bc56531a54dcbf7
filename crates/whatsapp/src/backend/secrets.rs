use std::time::Duration;

use async_trait::async_trait;
use wacore::store::error::{Result, StoreError};
use wacore::store::traits::{MessageSecret, MsgSecretEntry, MsgSecretStore, merge_msg_secret_expiry, merge_msg_secret_message_ts};

use super::{Backend, database, key, kind};

/// How long the secret of a message is kept, for its later edits, reactions and votes. The client
/// is configured with the same figure for every kind of message, so that the age of a row tells
/// whether it has expired and no row need be opened to find out.
pub(crate) const RETENTION: Duration = Duration::from_secs(3 * 86_400);

#[async_trait]
impl MsgSecretStore for Backend {
    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> Result<usize> {
        let mut tx = self.write().await?;
        for entry in &entries {
            let key = key(&[&entry.chat, &entry.sender, &entry.msg_id]);
            let mut row = Row { secret: entry.secret, expires_at: entry.expires_at, message_ts: entry.message_ts };
            if let Some(bytes) = self.get_in(&mut tx, kind::MESSAGE_SECRET, &key).await? {
                let known = Row::read(&bytes)?;
                row.expires_at = merge_msg_secret_expiry(known.expires_at, row.expires_at);
                row.message_ts = merge_msg_secret_message_ts(known.message_ts, row.message_ts);
            }
            self.put_in(&mut tx, kind::MESSAGE_SECRET, key, &row.bytes()).await?;
        }
        tx.commit().await.map_err(database)?;
        Ok(entries.len())
    }

    async fn get_msg_secret(&self, chat: &str, sender: &str, msg_id: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get_msg_secret_with_ts(chat, sender, msg_id).await?.map(|(secret, _)| secret))
    }

    async fn get_msg_secret_with_ts(&self, chat: &str, sender: &str, msg_id: &str) -> Result<Option<(Vec<u8>, i64)>> {
        let Some(bytes) = self.get(kind::MESSAGE_SECRET, &key(&[chat, sender, msg_id])).await? else { return Ok(None) };
        let row = Row::read(&bytes)?;
        Ok(Some((row.secret.to_vec(), row.message_ts)))
    }

    async fn delete_expired_msg_secrets(&self, cutoff_timestamp: i64) -> Result<u32> {
        let retention = i64::try_from(RETENTION.as_secs()).unwrap_or(i64::MAX);
        self.delete_older(kind::MESSAGE_SECRET, cutoff_timestamp.saturating_sub(retention)).await
    }
}

/// The secret, then two big-endian numbers (unix seconds; 0 = never, unknown).
struct Row {
    secret: MessageSecret,
    expires_at: i64,
    message_ts: i64,
}

impl Row {
    fn bytes(&self) -> Vec<u8> {
        [self.secret.as_slice(), &self.expires_at.to_be_bytes(), &self.message_ts.to_be_bytes()].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let wrong = || StoreError::Validation(format!("a message secret of {} bytes", bytes.len()));
        let (secret, rest) = bytes.split_first_chunk().ok_or_else(wrong)?;
        let (expires_at, rest) = rest.split_first_chunk().ok_or_else(wrong)?;
        let message_ts: &[u8; 8] = rest.try_into().map_err(|_| wrong())?;
        Ok(Self { secret: *secret, expires_at: i64::from_be_bytes(*expires_at), message_ts: i64::from_be_bytes(*message_ts) })
    }
}
