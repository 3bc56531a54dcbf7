//! Webhooks that were stored before they were acknowledged.

use std::time::Duration;

use domain::CompanyId;
use jiff::Timestamp;

use crate::{
    Result, Tx,
    sql::{millis, moment},
};

/// The number of a stored webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct WebhookId(pub i64);

/// How long the same webhook is the same event (contract: ten minutes, real time).
pub const SAME: Duration = Duration::from_secs(600);

/// A webhook to be stored.
#[derive(Debug, Clone)]
pub struct NewWebhook<'a> {
    /// Whose; `None` while the sender alone is known.
    pub company_id: Option<CompanyId>,
    /// Resource or event.
    pub kind: &'a str,
    /// What makes it the same again. Include the company: it is compared across all.
    pub dedupe: &'a str,
    /// As it came.
    pub body: &'a str,
}

/// A stored webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its number.
    pub id: WebhookId,
    /// Whose.
    pub company_id: Option<CompanyId>,
    /// Resource or event.
    pub kind: String,
    /// As it came.
    pub body: String,
    /// When, the machine's time.
    pub received_at: Timestamp,
}

from_row!(Webhook, |row| Ok(Self {
    id: WebhookId(row.try_get("id")?),
    company_id: row.try_get::<Option<i64>, _>("company_id")?.map(CompanyId),
    kind: row.try_get("kind")?,
    body: row.try_get("body")?,
    received_at: moment("webhook_events.received_at", row.try_get("received_at")?)?,
}));

/// Stores a webhook; `None` when the same one was stored within [`SAME`]. One that comes again
/// later takes the place of the old one, under the same number.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn store(tx: &mut Tx, webhook: &NewWebhook<'_>) -> Result<Option<WebhookId>> {
    let now = tx.now_ms().await?;
    let stored = row!(
        tx,
        (i64,),
        "INSERT INTO webhook_events (company_id, kind, dedupe, body, received_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (dedupe) DO UPDATE SET company_id = excluded.company_id, kind = excluded.kind, body = excluded.body, \
           received_at = excluded.received_at \
         WHERE webhook_events.received_at <= $6 RETURNING id",
        webhook.company_id.map(|company| company.0),
        webhook.kind,
        webhook.dedupe,
        webhook.body,
        now,
        now - millis(SAME)
    )?;
    Ok(stored.map(|(id,)| WebhookId(id)))
}

/// A stored webhook of that company (or of none yet).
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn get(tx: &mut Tx, company: Option<CompanyId>, id: WebhookId) -> Result<Option<Webhook>> {
    row!(
        tx,
        Webhook,
        "SELECT id, company_id, kind, body, received_at FROM webhook_events \
         WHERE id = $1 AND coalesce(company_id, 0) = coalesce($2, 0)",
        id.0,
        company.map(|company| company.0)
    )
}

/// Forgets webhooks that are older than `age`, but none that [`SAME`] still needs. What they asked
/// for is a job since they were stored.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn prune(tx: &mut Tx, age: Duration) -> Result<u64> {
    let before = tx.now_ms().await? - millis(age.max(SAME));
    execute!(tx, "DELETE FROM webhook_events WHERE received_at < $1", before)
}
