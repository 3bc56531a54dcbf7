//! What was synced with the booking system, when, and how it went.

use domain::CompanyId;
use jiff::Timestamp;

use crate::{
    Result, Tx,
    sql::{corrupt, moment, moment_opt},
};

/// The number of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SyncId(pub i64);

/// How a sync stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// Under way.
    Running,
    /// Finished.
    Done,
    /// Given up, with the reason.
    Failed,
}

/// One sync of one module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncLog {
    /// Its number.
    pub id: SyncId,
    /// `services`, `staff`, `schedules`, `clients`, `bookings`.
    pub module: String,
    /// How it stands.
    pub state: SyncState,
    /// Rows so far.
    pub done: i64,
    /// Rows expected.
    pub total: i64,
    /// Why it was given up.
    pub error: Option<String>,
    /// Calendar time.
    pub started_at: Timestamp,
    /// Calendar time.
    pub finished_at: Option<Timestamp>,
}

from_row!(SyncLog, |row| Ok(Self {
    id: SyncId(row.try_get("id")?),
    module: row.try_get("module")?,
    state: match row.try_get("state")? {
        "running" => SyncState::Running,
        "done" => SyncState::Done,
        "failed" => SyncState::Failed,
        _ => return Err(corrupt("sync_logs.state")),
    },
    done: row.try_get("done")?,
    total: row.try_get("total")?,
    error: row.try_get("error")?,
    started_at: moment("sync_logs.started_at", row.try_get("started_at")?)?,
    finished_at: moment_opt("sync_logs.finished_at", row.try_get("finished_at")?)?,
}));

/// Opens an entry. `at` is calendar time.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn start(tx: &mut Tx, company: CompanyId, module: &str, at: Timestamp) -> Result<SyncId> {
    let id = row!(
        tx,
        (i64,),
        "INSERT INTO sync_logs (company_id, module, state, started_at) VALUES ($1, $2, 'running', $3) RETURNING id",
        company.0,
        module,
        at.as_millisecond()
    )?;
    Ok(SyncId(id.map_or(0, |(id,)| id)))
}

/// Writes progress down.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn progress(tx: &mut Tx, company: CompanyId, id: SyncId, done: i64, total: i64) -> Result<()> {
    execute!(tx, "UPDATE sync_logs SET done = $3, total = $4 WHERE company_id = $1 AND id = $2", company.0, id.0, done, total)?;
    Ok(())
}

/// Closes an entry, with the reason when it failed.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn finish(tx: &mut Tx, company: CompanyId, id: SyncId, error: Option<&str>, at: Timestamp) -> Result<()> {
    execute!(
        tx,
        "UPDATE sync_logs SET state = $3, error = $4, finished_at = $5 WHERE company_id = $1 AND id = $2",
        company.0,
        id.0,
        if error.is_some() { "failed" } else { "done" },
        error,
        at.as_millisecond()
    )?;
    Ok(())
}

/// The company's last sync of each module.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn latest(tx: &mut Tx, company: CompanyId) -> Result<Vec<SyncLog>> {
    rows!(
        tx,
        SyncLog,
        "SELECT id, module, state, done, total, error, started_at, finished_at FROM sync_logs \
         WHERE id IN (SELECT max(id) FROM sync_logs WHERE company_id = $1 GROUP BY module) ORDER BY module",
        company.0
    )
}
