//! Who runs a salon's WhatsApp session: a lease by the database's time, with an epoch that grows at
//! every takeover. What is written under a lease is [checked](check) in the same transaction, so
//! that an owner who slept through its lease writes nothing.

use std::time::Duration;

use domain::{CompanyId, LinkState, Phone};
use jiff::Timestamp;

use crate::{
    Result, StoreError, Tx,
    sql::{json, millis, phone_opt, to_json},
};

/// A session that we run, until its time runs out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Whose session.
    pub company_id: CompanyId,
    /// Who runs it: a name that no other process ever has.
    pub owner: String,
    /// Which takeover this was.
    pub epoch: i64,
}

/// What is known of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub company_id: CompanyId,
    /// It should run.
    pub wanted: bool,
    /// Who has run it last.
    pub owner: Option<String>,
    /// Which takeover that was.
    pub epoch: i64,
    /// The number it is linked to.
    pub phone: Option<Phone>,
    /// Its last known state.
    pub state: Option<LinkState>,
}

from_row!(Session, |row| Ok(Self {
    company_id: CompanyId(row.try_get("company_id")?),
    wanted: row.try_get("wanted")?,
    owner: row.try_get("owner")?,
    epoch: row.try_get("epoch")?,
    phone: phone_opt("sessions.phone", row.try_get("phone")?)?,
    state: row.try_get::<Option<&str>, _>("state")?.map(|text| json("sessions.state", text)).transpose()?,
}));

/// Says whether a company's session should run at all (it survives restarts).
///
/// # Errors
/// [`StoreError::Database`].
pub async fn want(tx: &mut Tx, company: CompanyId, wanted: bool) -> Result<()> {
    let now = tx.now_ms().await?;
    execute!(
        tx,
        "INSERT INTO sessions (company_id, wanted, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (company_id) DO UPDATE SET wanted = excluded.wanted, updated_at = excluded.updated_at",
        company.0,
        wanted,
        now
    )?;
    Ok(())
}

/// Takes the session for `ttl` when it is free, its lease has run out, or it is ours already
/// (which is a takeover, too: the former lease of this owner is fenced off).
///
/// # Errors
/// [`StoreError::Database`].
pub async fn acquire(tx: &mut Tx, company: CompanyId, owner: &str, ttl: Duration) -> Result<Option<Lease>> {
    let now = tx.now_ms().await?;
    let taken = row!(
        tx,
        (i64,),
        "INSERT INTO sessions (company_id, wanted, owner, epoch, lease_until, updated_at) VALUES ($1, TRUE, $2, 1, $3, $4) \
         ON CONFLICT (company_id) DO UPDATE SET owner = excluded.owner, epoch = sessions.epoch + 1, \
           lease_until = excluded.lease_until, updated_at = excluded.updated_at \
         WHERE sessions.owner IS NULL OR sessions.owner = excluded.owner OR sessions.lease_until < excluded.updated_at \
         RETURNING epoch",
        company.0,
        owner,
        now + millis(ttl),
        now
    )?;
    Ok(taken.map(|(epoch,)| Lease { company_id: company, owner: owner.to_owned(), epoch }))
}

/// Prolongs every lease of an owner by `ttl` from now; returns those it still has. A session that
/// is not among them has been taken over: stop it.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn renew(tx: &mut Tx, owner: &str, ttl: Duration) -> Result<Vec<Lease>> {
    let until = tx.now_ms().await? + millis(ttl);
    let held = rows!(tx, (i64, i64), "UPDATE sessions SET lease_until = $2 WHERE owner = $1 RETURNING company_id, epoch", owner, until)?;
    Ok(held.into_iter().map(|(company, epoch)| Lease { company_id: CompanyId(company), owner: owner.to_owned(), epoch }).collect())
}

/// Gives a session up, so that another may take it at once. Without effect for a lease that is lost.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn release(tx: &mut Tx, lease: &Lease) -> Result<()> {
    execute!(
        tx,
        "UPDATE sessions SET owner = NULL, lease_until = 0 WHERE company_id = $1 AND owner = $2 AND epoch = $3",
        lease.company_id.0,
        lease.owner.as_str(),
        lease.epoch
    )?;
    Ok(())
}

/// The guard of every write under a lease: the lease is still the session's last one, and stays so
/// until this transaction ends.
///
/// # Errors
/// [`StoreError::Fenced`] when somebody has taken the session over: roll back and stop it.
pub async fn check(tx: &mut Tx, lease: &Lease) -> Result<()> {
    let held = row!(
        tx,
        (i64,),
        with_lock!(tx, "SELECT epoch FROM sessions WHERE company_id = $1 AND owner = $2 AND epoch = $3", "FOR SHARE", ""),
        lease.company_id.0,
        lease.owner.as_str(),
        lease.epoch
    )?;
    held.map(|_| ()).ok_or(StoreError::Fenced)
}

/// The guard of what is done outside under a lease (a message, a connection): the lease is the
/// session's last one and has time left, as of now. Takes no lock, so unlike [`check`] it fits a
/// transaction that only reads.
///
/// # Errors
/// [`StoreError::Fenced`] when the lease ran out or somebody has taken the session over: do nothing.
pub async fn holds(tx: &mut Tx, lease: &Lease) -> Result<()> {
    let now = tx.now_ms().await?;
    let held = row!(
        tx,
        (i64,),
        "SELECT epoch FROM sessions WHERE company_id = $1 AND owner = $2 AND epoch = $3 AND lease_until >= $4",
        lease.company_id.0,
        lease.owner.as_str(),
        lease.epoch,
        now
    )?;
    held.map(|_| ()).ok_or(StoreError::Fenced)
}

/// How a company's link stands, whichever node runs it; disconnected where none does.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn link(tx: &mut Tx, company: CompanyId) -> Result<LinkState> {
    let now = tx.now_ms().await?;
    let session = row!(
        tx,
        Session,
        "SELECT company_id, wanted, owner, epoch, phone, state FROM sessions WHERE company_id = $1 AND owner IS NOT NULL AND lease_until >= $2",
        company.0,
        now
    )?;
    Ok(session.and_then(|session| session.state).unwrap_or(LinkState::Disconnected))
}

/// The sessions that other owners run, as far as something of them was written since that moment
/// (of the database's time).
///
/// # Errors
/// [`StoreError::Database`].
pub async fn of_others(tx: &mut Tx, owner: &str, since: Timestamp) -> Result<Vec<Session>> {
    let now = tx.now_ms().await?;
    rows!(
        tx,
        Session,
        "SELECT company_id, wanted, owner, epoch, phone, state FROM sessions \
         WHERE owner <> $1 AND lease_until >= $2 AND updated_at >= $3 ORDER BY company_id",
        owner,
        now,
        since.as_millisecond()
    )
}

/// Writes the session's state down, under its lease. A connected state also sets its number.
///
/// # Errors
/// [`StoreError::Fenced`].
pub async fn set_state(tx: &mut Tx, lease: &Lease, state: &LinkState) -> Result<()> {
    let now = tx.now_ms().await?;
    let phone = match state {
        LinkState::Connected { phone, .. } => Some(phone.digits()),
        _ => None,
    };
    let changed = execute!(
        tx,
        "UPDATE sessions SET state = $4, phone = coalesce($5, phone), updated_at = $6 WHERE company_id = $1 AND owner = $2 AND epoch = $3",
        lease.company_id.0,
        lease.owner.as_str(),
        lease.epoch,
        to_json(state)?,
        phone,
        now
    )?;
    if changed == 0 { Err(StoreError::Fenced) } else { Ok(()) }
}

/// What is known of a company's session.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn get(tx: &mut Tx, company: CompanyId) -> Result<Option<Session>> {
    row!(tx, Session, "SELECT company_id, wanted, owner, epoch, phone, state FROM sessions WHERE company_id = $1", company.0)
}

/// Sessions that should run and that nobody runs.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn unowned(tx: &mut Tx, limit: i64) -> Result<Vec<CompanyId>> {
    let now = tx.now_ms().await?;
    let free = rows!(
        tx,
        (i64,),
        "SELECT company_id FROM sessions WHERE wanted AND (owner IS NULL OR lease_until < $1) ORDER BY company_id LIMIT $2",
        now,
        limit
    )?;
    Ok(free.into_iter().map(|(company,)| CompanyId(company)).collect())
}
