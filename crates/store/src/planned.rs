//! Work for a moment of the calendar: reminders and the like. It becomes a job when its time has
//! come by the injected clock, however that clock came there.

use domain::CompanyId;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Result, Tx,
    sql::{json, moment, to_json},
};

/// Planned work.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Whose.
    pub company_id: CompanyId,
    /// What to do.
    pub kind: String,
    /// About what; planned at most once per company, kind and key.
    pub key: String,
    /// When, calendar time.
    pub due_at: Timestamp,
    /// For whoever does it.
    pub payload: serde_json::Value,
}

struct Numbered(i64, Planned);

from_row!(Numbered, |row| Ok(Self(
    row.try_get("id")?,
    Planned {
        company_id: CompanyId(row.try_get("company_id")?),
        kind: row.try_get("kind")?,
        key: row.try_get("key")?,
        due_at: moment("planned.due_at", row.try_get("due_at")?)?,
        payload: json("planned.payload", row.try_get("payload")?)?,
    }
)));

/// Plans work, or plans the same anew for another time.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn plan(tx: &mut Tx, company: CompanyId, kind: &str, key: &str, due_at: Timestamp, payload: &impl Serialize) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO planned (company_id, kind, key, due_at, payload) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (company_id, kind, key) DO UPDATE SET due_at = excluded.due_at, payload = excluded.payload",
        company.0,
        kind,
        key,
        due_at.as_millisecond(),
        to_json(payload)?
    )?;
    Ok(())
}

/// Plans work unless the same is planned already; false when it is, and then that stands.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn plan_once(
    tx: &mut Tx,
    company: CompanyId,
    kind: &str,
    key: &str,
    due_at: Timestamp,
    payload: &impl Serialize,
) -> Result<bool> {
    let planned = execute!(
        tx,
        "INSERT INTO planned (company_id, kind, key, due_at, payload) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (company_id, kind, key) DO NOTHING",
        company.0,
        kind,
        key,
        due_at.as_millisecond(),
        to_json(payload)?
    )?;
    Ok(planned == 1)
}

/// Takes a plan back; false when there is none (any more).
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn cancel(tx: &mut Tx, company: CompanyId, kind: &str, key: &str) -> Result<bool> {
    let cancelled = execute!(tx, "DELETE FROM planned WHERE company_id = $1 AND kind = $2 AND key = $3", company.0, kind, key)?;
    Ok(cancelled == 1)
}

/// Takes all plans of a company back; returns how many there were.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn cancel_company(tx: &mut Tx, company: CompanyId) -> Result<u64> {
    execute!(tx, "DELETE FROM planned WHERE company_id = $1", company.0)
}

/// Takes what is due by the calendar's `now` out of the plan, earliest first, up to `limit`, of
/// every company. Enqueue its jobs in the same transaction.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn take_due(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Planned>> {
    let sql = with_lock!(
        tx,
        "WITH due AS MATERIALIZED (SELECT id FROM planned WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2",
        "FOR UPDATE SKIP LOCKED",
        ") DELETE FROM planned WHERE id IN (SELECT id FROM due) RETURNING id, company_id, kind, key, due_at, payload"
    );
    let mut due = rows!(tx, Numbered, sql, now.as_millisecond(), limit)?;
    due.sort_by_key(|Numbered(id, planned)| (planned.due_at, *id));
    Ok(due.into_iter().map(|Numbered(_, planned)| planned).collect())
}

/// When the next plan is due, calendar time.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn next_due(tx: &mut Tx) -> Result<Option<Timestamp>> {
    let next = row!(tx, (i64,), "SELECT due_at FROM planned ORDER BY due_at, id LIMIT 1")?;
    Ok(next.map(|(due,)| moment("planned.due_at", due)).transpose()?)
}
