//! A salon's life with the marketplace, written down for good (`marketplace_events`).

use domain::{CompanyId, IntegrationEvent, SalonId};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Result, Tx,
    sql::{json, moment, to_json},
};

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// YClients' id at that time.
    pub salon_id: SalonId,
    /// The word of an [`IntegrationEvent`].
    pub event_type: String,
    /// What belongs to it.
    pub data: serde_json::Value,
    /// Calendar time.
    pub created_at: Timestamp,
}

from_row!(Entry, |row| Ok(Self {
    salon_id: SalonId(row.try_get("salon_id")?),
    event_type: row.try_get("event_type")?,
    data: json("marketplace_events.event_data", row.try_get("event_data")?)?,
    created_at: moment("marketplace_events.created_at", row.try_get("created_at")?)?,
}));

/// Appends an entry. `at` is calendar time; `data` holds no secrets.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn append(
    tx: &mut Tx,
    company: CompanyId,
    salon: SalonId,
    event: IntegrationEvent,
    data: &impl Serialize,
    at: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO marketplace_events (company_id, salon_id, event_type, event_data, created_at) VALUES ($1, $2, $3, $4, $5)",
        company.0,
        salon.0,
        event.as_str(),
        to_json(data)?,
        at.as_millisecond()
    )?;
    Ok(())
}

/// The company's latest entries, newest first.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn latest(tx: &mut Tx, company: CompanyId, limit: i64) -> Result<Vec<Entry>> {
    rows!(
        tx,
        Entry,
        "SELECT salon_id, event_type, event_data, created_at FROM marketplace_events WHERE company_id = $1 ORDER BY id DESC LIMIT $2",
        company.0,
        limit
    )
}
