//! The journal of one turn: what the receptionist had done when it was interrupted, so that the
//! turn goes on from there instead of doing it again.

use domain::{BookingId, CompanyId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Result, StoreError, Tx,
    conversations::ConversationId,
    sql::{json, moment, to_json},
};

/// The number of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TurnId(pub i64);

/// A turn that is not closed.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Its number.
    pub id: TurnId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The first message it took.
    pub from_seq: i64,
    /// The last message it took.
    pub to_seq: i64,
    /// What was done so far; `None` before the first effect.
    pub journal: Option<serde_json::Value>,
    /// When it was opened, calendar time: the turn's *now*, also when it is taken up again.
    pub opened_at: Timestamp,
}

from_row!(Turn, |row| Ok(Self {
    id: TurnId(row.try_get("id")?),
    conversation: ConversationId(row.try_get("conversation_id")?),
    from_seq: row.try_get("from_seq")?,
    to_seq: row.try_get("to_seq")?,
    journal: row.try_get::<Option<&str>, _>("journal")?.map(|text| json("turns.journal", text)).transpose()?,
    opened_at: moment("turns.opened_at", row.try_get("opened_at")?)?,
}));

/// Opens a turn over those messages.
///
/// # Errors
/// [`StoreError::Stale`] when the conversation has an open one: go on with that.
pub async fn open(
    tx: &mut Tx,
    company: CompanyId,
    conversation: ConversationId,
    from_seq: i64,
    to_seq: i64,
    now: Timestamp,
) -> Result<Turn> {
    let turn = row!(
        tx,
        Turn,
        "INSERT INTO turns (company_id, conversation_id, from_seq, to_seq, opened_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (conversation_id) WHERE closed_at IS NULL DO NOTHING RETURNING *",
        company.0,
        conversation.0,
        from_seq,
        to_seq,
        now.as_millisecond()
    )?;
    turn.ok_or(StoreError::Stale)
}

/// The conversation's open turn.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn unfinished(tx: &mut Tx, company: CompanyId, conversation: ConversationId) -> Result<Option<Turn>> {
    row!(tx, Turn, "SELECT * FROM turns WHERE company_id = $1 AND conversation_id = $2 AND closed_at IS NULL", company.0, conversation.0)
}

/// Whether an open turn of the salon has that booking in its journal.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn writes(tx: &mut Tx, company: CompanyId, name: BookingId) -> Result<bool> {
    let open = row!(
        tx,
        (i64,),
        "SELECT id FROM turns WHERE company_id = $1 AND closed_at IS NULL AND journal LIKE $2 LIMIT 1",
        company.0,
        format!("%{name}%")
    )?;
    Ok(open.is_some())
}

/// Writes the whole journal down.
///
/// # Errors
/// [`StoreError::Stale`] when the turn is closed (somebody else finished it).
pub async fn record(tx: &mut Tx, company: CompanyId, turn: TurnId, journal: &impl Serialize) -> Result<()> {
    let changed = execute!(
        tx,
        "UPDATE turns SET journal = $3 WHERE company_id = $1 AND id = $2 AND closed_at IS NULL",
        company.0,
        turn.0,
        to_json(journal)?
    )?;
    if changed == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Closes every turn of a salon that is gone: none of them is taken up again.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn close_company(tx: &mut Tx, company: CompanyId, now: Timestamp) -> Result<()> {
    execute!(tx, "UPDATE turns SET closed_at = $2 WHERE company_id = $1 AND closed_at IS NULL", company.0, now.as_millisecond())?;
    Ok(())
}

/// Closes the turn, in the transaction that commits what it says.
///
/// # Errors
/// [`StoreError::Stale`] when it is closed already: roll back.
pub async fn close(tx: &mut Tx, company: CompanyId, turn: TurnId, now: Timestamp) -> Result<()> {
    let changed = execute!(
        tx,
        "UPDATE turns SET closed_at = $3 WHERE company_id = $1 AND id = $2 AND closed_at IS NULL",
        company.0,
        turn.0,
        now.as_millisecond()
    )?;
    if changed == 0 { Err(StoreError::Stale) } else { Ok(()) }
}
