use async_trait::async_trait;
use wacore::store::error::Result;
use wacore::store::traits::{DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry};

use super::{Backend, database, decode, encode, key, kind};

#[async_trait]
impl ProtocolStore for Backend {
    async fn get_sender_key_devices(&self, group_jid: &str) -> Result<Vec<(String, bool)>> {
        let rows = self.list(kind::SENDER_KEY_DEVICE, &format!("{}/", key(&[group_jid]))).await?;
        rows.iter().map(|(_, value)| decode(value)).collect()
    }

    async fn set_sender_key_status(&self, group_jid: &str, entries: &[(&str, bool)]) -> Result<()> {
        let values = entries.iter().map(encode).collect::<Result<Vec<_>>>()?;
        let rows = entries.iter().zip(&values).map(|((device, _), value)| (key(&[group_jid, device]), value.as_slice()));
        self.put_many(kind::SENDER_KEY_DEVICE, rows).await
    }

    async fn clear_sender_key_devices(&self, group_jid: &str) -> Result<()> {
        let prefix = format!("{}/", key(&[group_jid]));
        self.delete_where(kind::SENDER_KEY_DEVICE, &prefix, |_, _| true).await.map(drop)
    }

    async fn delete_sender_key_device_rows(&self, device_jids: &[&str]) -> Result<()> {
        if device_jids.is_empty() {
            return Ok(());
        }
        let doomed: Vec<String> = device_jids.iter().map(|device| format!("/{}", key(&[device]))).collect();
        self.delete_where(kind::SENDER_KEY_DEVICE, "", |key, _| doomed.iter().any(|device| key.ends_with(device))).await.map(drop)
    }

    async fn clear_all_sender_key_devices(&self) -> Result<()> {
        self.delete_where(kind::SENDER_KEY_DEVICE, "", |_, _| true).await.map(drop)
    }

    async fn get_lid_mapping(&self, lid: &str) -> Result<Option<LidPnMappingEntry>> {
        let row = self.get(kind::LID, &key(&[lid])).await?;
        row.map(|bytes| decode(&bytes)).transpose()
    }

    async fn get_pn_mapping(&self, phone: &str) -> Result<Option<LidPnMappingEntry>> {
        let Some(lid) = self.get(kind::PHONE, &key(&[phone])).await? else { return Ok(None) };
        self.get_lid_mapping(&String::from_utf8_lossy(&lid)).await
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> Result<()> {
        self.put_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for entry in entries {
            let lid = key(&[&entry.lid]);
            if let Some(bytes) = self.get_in(&mut tx, kind::LID, &lid).await? {
                let known: LidPnMappingEntry = decode(&bytes)?;
                if known.phone_number != entry.phone_number {
                    let stale = [key(&[&known.phone_number])];
                    store::keys::delete(&mut tx, self.company, kind::PHONE, &stale).await.map_err(database)?;
                }
            }
            self.put_in(&mut tx, kind::LID, lid, &encode(entry)?).await?;
            self.put_in(&mut tx, kind::PHONE, key(&[&entry.phone_number]), entry.lid.as_bytes()).await?;
        }
        tx.commit().await.map_err(database)
    }

    async fn get_all_lid_mappings(&self) -> Result<Vec<LidPnMappingEntry>> {
        let rows = self.list(kind::LID, "").await?;
        rows.iter().map(|(_, bytes)| decode(bytes)).collect()
    }

    async fn save_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> Result<()> {
        self.put(kind::BASE_KEY, key(&[address, message_id]), base_key).await
    }

    async fn has_same_base_key(&self, address: &str, message_id: &str, current_base_key: &[u8]) -> Result<bool> {
        Ok(self.get(kind::BASE_KEY, &key(&[address, message_id])).await?.is_some_and(|known| known == current_base_key))
    }

    async fn delete_base_key(&self, address: &str, message_id: &str) -> Result<()> {
        self.delete(kind::BASE_KEY, &[key(&[address, message_id])]).await.map(drop)
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> Result<()> {
        self.update_device_lists(vec![record]).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> Result<()> {
        let values = records.iter().map(encode).collect::<Result<Vec<_>>>()?;
        let rows = records.iter().zip(&values).map(|(record, value)| (key(&[&record.user]), value.as_slice()));
        self.put_many(kind::DEVICE_LIST, rows).await
    }

    async fn get_devices(&self, user: &str) -> Result<Option<DeviceListRecord>> {
        let row = self.get(kind::DEVICE_LIST, &key(&[user])).await?;
        row.map(|bytes| decode(&bytes)).transpose()
    }

    async fn delete_devices(&self, user: &str) -> Result<()> {
        self.delete(kind::DEVICE_LIST, &[key(&[user])]).await.map(drop)
    }

    async fn get_group_metadata(&self, group_jid: &str) -> Result<Option<Vec<u8>>> {
        self.get(kind::GROUP, &key(&[group_jid])).await
    }

    async fn put_group_metadata(&self, group_jid: &str, blob: &[u8]) -> Result<()> {
        self.put(kind::GROUP, key(&[group_jid]), blob).await
    }

    async fn delete_group_metadata(&self, group_jid: &str) -> Result<()> {
        self.delete(kind::GROUP, &[key(&[group_jid])]).await.map(drop)
    }

    async fn get_tc_token(&self, jid: &str) -> Result<Option<TcTokenEntry>> {
        let row = self.get(kind::TC_TOKEN, &key(&[jid])).await?;
        row.map(|bytes| Ok(decode::<TcToken>(&bytes)?.entry)).transpose()
    }

    async fn put_tc_token(&self, jid: &str, entry: &TcTokenEntry) -> Result<()> {
        let token = TcToken { jid: jid.to_owned(), entry: entry.clone() };
        self.put(kind::TC_TOKEN, key(&[jid]), &encode(&token)?).await
    }

    async fn delete_tc_token(&self, jid: &str) -> Result<()> {
        self.delete(kind::TC_TOKEN, &[key(&[jid])]).await.map(drop)
    }

    async fn get_all_tc_token_jids(&self) -> Result<Vec<String>> {
        let rows = self.list(kind::TC_TOKEN, "").await?;
        rows.iter().map(|(_, bytes)| Ok(decode::<TcToken>(bytes)?.jid)).collect()
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Result<u32> {
        let stale = |_: &str, bytes: &[u8]| {
            decode::<TcToken>(bytes).is_ok_and(|TcToken { entry, .. }| {
                let token_lives = !entry.token.is_empty() && entry.token_timestamp >= token_cutoff;
                let sender_lives = entry.sender_timestamp.is_some_and(|at| at >= sender_cutoff);
                !token_lives && !sender_lives
            })
        };
        let deleted = self.delete_where(kind::TC_TOKEN, "", stale).await?;
        Ok(u32::try_from(deleted).unwrap_or(u32::MAX))
    }

    async fn touch_tc_token_sender_timestamp(&self, jid: &str, sender_timestamp: i64) -> Result<()> {
        self.change_tc_token(jid, |known| match known {
            Some(known) => TcTokenEntry {
                sender_timestamp: Some(known.sender_timestamp.map_or(sender_timestamp, |at| at.max(sender_timestamp))),
                ..known
            },
            None => TcTokenEntry { token: Vec::new(), token_timestamp: sender_timestamp, sender_timestamp: Some(sender_timestamp) },
        })
        .await
    }

    /// A newer token wins; a row without token bytes only ever held our own sending time.
    async fn store_received_tc_token(&self, jid: &str, token: &[u8], token_timestamp: i64) -> Result<()> {
        self.change_tc_token(jid, |known| match known {
            Some(known) if !known.token.is_empty() && token_timestamp < known.token_timestamp => known,
            known => {
                TcTokenEntry { token: token.to_vec(), token_timestamp, sender_timestamp: known.and_then(|known| known.sender_timestamp) }
            }
        })
        .await
    }

    async fn store_sent_message(&self, chat_jid: &str, message_id: &str, payload: &[u8]) -> Result<()> {
        self.put(kind::SENT, key(&[chat_jid, message_id]), payload).await
    }

    async fn take_sent_message(&self, chat_jid: &str, message_id: &str) -> Result<Option<Vec<u8>>> {
        let key = key(&[chat_jid, message_id]);
        let mut tx = self.write().await?;
        let taken = store::keys::take(&mut tx, self.company, kind::SENT, &key).await.map_err(database)?;
        let Some(sealed) = taken else {
            tx.give_up();
            return Ok(None);
        };
        let payload = self.open(kind::SENT, &key, &sealed)?;
        tx.commit().await.map_err(database)?;
        Ok(Some(payload))
    }

    async fn delete_expired_sent_messages(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.delete_older(kind::SENT, cutoff_timestamp).await
    }

    async fn store_pending_inbound(&self, chat: &str, sender: &str, id: &str, message: &[u8]) -> Result<()> {
        self.put(kind::PENDING_INBOUND, key(&[chat, sender, id]), message).await
    }

    async fn get_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<Option<Vec<u8>>> {
        let put_down = self.get(kind::PENDING_INBOUND, &key(&[chat, sender, id])).await?;
        if put_down.is_none() {
            // The client asks only for what it has read before, and acknowledges what is not here.
            self.repeats.check(chat, sender, id).await?;
        }
        Ok(put_down)
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        self.delete(kind::PENDING_INBOUND, &[key(&[chat, sender, id])]).await.map(drop)
    }

    async fn delete_expired_pending_inbound(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.delete_older(kind::PENDING_INBOUND, cutoff_timestamp).await
    }

    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> Result<()> {
        self.put_many(kind::PENDING_INBOUND, rows.iter().map(|row| (key(&[row.chat, row.sender, row.id]), row.message))).await
    }

    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> Result<()> {
        let doomed: Vec<String> = keys.iter().map(|row| key(&[row.chat, row.sender, row.id])).collect();
        self.delete(kind::PENDING_INBOUND, &doomed).await.map(drop)
    }
}

/// A token under the name it was asked for: the row's key may be a digest of it.
#[derive(serde::Serialize, serde::Deserialize)]
struct TcToken {
    jid: String,
    entry: TcTokenEntry,
}

impl Backend {
    /// Reads and writes a token in one transaction: the sending side and the receiving side each
    /// own a field of the same row.
    async fn change_tc_token(&self, jid: &str, change: impl FnOnce(Option<TcTokenEntry>) -> TcTokenEntry + Send) -> Result<()> {
        let key = key(&[jid]);
        let mut tx = self.write().await?;
        let known = self.get_in(&mut tx, kind::TC_TOKEN, &key).await?;
        let known = known.map(|bytes| Ok::<_, wacore::store::error::StoreError>(decode::<TcToken>(&bytes)?.entry)).transpose()?;
        let token = TcToken { jid: jid.to_owned(), entry: change(known) };
        self.put_in(&mut tx, kind::TC_TOKEN, key, &encode(&token)?).await?;
        tx.commit().await.map_err(database)
    }
}
