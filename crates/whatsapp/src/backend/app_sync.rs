use std::collections::HashMap;

use async_trait::async_trait;
use wacore::appstate::hash::HashState;
use wacore::appstate::processor::AppStateMutationMAC;
use wacore::store::error::Result;
use wacore::store::traits::{AppStateSyncKey, AppSyncStore};

use super::{Backend, decode, encode, hex, key, kind};

/// The one row of its kind.
const LATEST: &str = "latest";

#[async_trait]
impl AppSyncStore for Backend {
    async fn get_sync_key(&self, key_id: &[u8]) -> Result<Option<AppStateSyncKey>> {
        let row = self.get(kind::SYNC_KEY, &hex(key_id)).await?;
        row.map(|bytes| decode(&bytes)).transpose()
    }

    async fn set_sync_key(&self, key_id: &[u8], sync_key: AppStateSyncKey) -> Result<()> {
        let mut tx = self.write().await?;
        self.put_in(&mut tx, kind::SYNC_KEY, hex(key_id), &encode(&sync_key)?).await?;
        self.put_in(&mut tx, kind::SYNC_KEY_LATEST, LATEST.to_owned(), key_id).await?;
        tx.commit().await.map_err(super::database)
    }

    async fn get_version(&self, name: &str) -> Result<HashState> {
        let row = self.get(kind::SYNC_VERSION, &key(&[name])).await?;
        row.map_or_else(|| Ok(HashState::default()), |bytes| decode(&bytes))
    }

    async fn set_version(&self, name: &str, state: HashState) -> Result<()> {
        self.put(kind::SYNC_VERSION, key(&[name]), &encode(&state)?).await
    }

    async fn put_mutation_macs(&self, name: &str, _version: u64, mutations: &[AppStateMutationMAC]) -> Result<()> {
        let rows = mutations.iter().map(|m| (mac_key(name, &m.index_mac), m.value_mac.as_slice()));
        self.put_many(kind::MUTATION_MAC, rows).await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(kind::MUTATION_MAC, &mac_key(name, index_mac)).await
    }

    async fn get_mutation_macs(&self, name: &str, index_macs: &[[u8; 32]]) -> Result<HashMap<[u8; 32], Vec<u8>>> {
        let by_key: HashMap<String, [u8; 32]> = index_macs.iter().map(|mac| (mac_key(name, mac), *mac)).collect();
        let wanted: Vec<String> = by_key.keys().cloned().collect();
        let rows = self.get_many(kind::MUTATION_MAC, &wanted).await?;
        Ok(rows.into_iter().filter_map(|(key, value)| by_key.get(&key).map(|mac| (*mac, value))).collect())
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> Result<()> {
        let doomed: Vec<String> = index_macs.iter().map(|mac| mac_key(name, mac)).collect();
        self.delete(kind::MUTATION_MAC, &doomed).await.map(drop)
    }

    async fn clear_mutation_macs(&self, name: &str) -> Result<()> {
        let prefix = format!("{}/", key(&[name]));
        self.delete_where(kind::MUTATION_MAC, &prefix, |_, _| true).await.map(drop)
    }

    async fn get_latest_sync_key_id(&self) -> Result<Option<Vec<u8>>> {
        self.get(kind::SYNC_KEY_LATEST, LATEST).await
    }
}

fn mac_key(name: &str, index_mac: &[u8]) -> String {
    key(&[name, &hex(index_mac)])
}
