//! The key tables of WhatsApp sessions (`whatsapp_keys`). Values arrive sealed.

use domain::CompanyId;

use crate::{Result, Tx, machine_now};

/// One value to be put.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which of the session's tables: `session`, `prekey`, …
    pub kind: String,
    /// Its key there.
    pub key: String,
    /// Sealed.
    pub value: Vec<u8>,
}

impl std::fmt::Debug for Entry {
    /// Keys may be phone numbers and values are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("kind", &self.kind).field("bytes", &self.value.len()).finish_non_exhaustive()
    }
}

/// The value of a key.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn get(tx: &mut Tx, company: CompanyId, kind: &str, key: &str) -> Result<Option<Vec<u8>>> {
    let found =
        row!(tx, (Vec<u8>,), "SELECT value FROM whatsapp_keys WHERE company_id = $1 AND kind = $2 AND key = $3", company.0, kind, key)?;
    Ok(found.map(|(value,)| value))
}

/// The values of those keys that exist, in the order asked.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn get_many(tx: &mut Tx, company: CompanyId, kind: &str, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        if let Some(value) = get(tx, company, kind, key).await? {
            found.push((key.clone(), value));
        }
    }
    Ok(found)
}

/// Puts values, over former ones.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn put_many(tx: &mut Tx, company: CompanyId, entries: &[Entry]) -> Result<()> {
    let now = machine_now().as_millisecond();
    for entry in entries {
        execute!(
            tx,
            "INSERT INTO whatsapp_keys (company_id, kind, key, value, updated_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (company_id, kind, key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            company.0,
            entry.kind.as_str(),
            entry.key.as_str(),
            entry.value.as_slice(),
            now
        )?;
    }
    Ok(())
}

/// Deletes keys; returns how many there were.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn delete(tx: &mut Tx, company: CompanyId, kind: &str, keys: &[String]) -> Result<u64> {
    let mut deleted = 0;
    for key in keys {
        deleted +=
            execute!(tx, "DELETE FROM whatsapp_keys WHERE company_id = $1 AND kind = $2 AND key = $3", company.0, kind, key.as_str())?;
    }
    Ok(deleted)
}

/// Takes a value out: of several who try, one gets it.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn take(tx: &mut Tx, company: CompanyId, kind: &str, key: &str) -> Result<Option<Vec<u8>>> {
    let taken = row!(
        tx,
        (Vec<u8>,),
        "DELETE FROM whatsapp_keys WHERE company_id = $1 AND kind = $2 AND key = $3 RETURNING value",
        company.0,
        kind,
        key
    )?;
    Ok(taken.map(|(value,)| value))
}

/// All values of a kind whose key starts with `prefix` (which may be empty), in the order of keys.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn list(tx: &mut Tx, company: CompanyId, kind: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
    // substr counts characters on both engines and needs no escapes, unlike LIKE.
    let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
    rows!(
        tx,
        (String, Vec<u8>),
        "SELECT key, value FROM whatsapp_keys WHERE company_id = $1 AND kind = $2 AND substr(key, 1, CAST($3 AS INTEGER)) = $4 ORDER BY key",
        company.0,
        kind,
        length,
        prefix
    )
}

/// Deletes what of a kind was not put since that moment (unix milliseconds, the machine's time).
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn delete_older(tx: &mut Tx, company: CompanyId, kind: &str, before_ms: i64) -> Result<u64> {
    execute!(tx, "DELETE FROM whatsapp_keys WHERE company_id = $1 AND kind = $2 AND updated_at < $3", company.0, kind, before_ms)
}

/// Deletes everything of a company's session; returns how many values there were.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn erase(tx: &mut Tx, company: CompanyId) -> Result<u64> {
    execute!(tx, "DELETE FROM whatsapp_keys WHERE company_id = $1", company.0)
}
