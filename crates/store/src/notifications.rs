//! The ledger of what a customer was told once and must not be told again.

use domain::CompanyId;
use jiff::Timestamp;

use crate::{Result, Tx};

/// Enters a notification; false when it is there already. Enter it in the transaction that queues
/// the message. `key` names what it is about and its version (`501:3`); `at` is calendar time.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn enter(tx: &mut Tx, company: CompanyId, kind: &str, key: &str, at: Timestamp) -> Result<bool> {
    let entered = execute!(
        tx,
        "INSERT INTO notifications (company_id, kind, key, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        company.0,
        kind,
        key,
        at.as_millisecond()
    )?;
    Ok(entered == 1)
}
