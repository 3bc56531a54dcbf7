//! Registration tokens that were issued: until when they hold, and whether they were taken back.

use domain::CompanyId;
use jiff::Timestamp;

use crate::{Result, Tx, sql::moment};

/// An issued token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// When, calendar time.
    pub issued_at: Timestamp,
    /// Until when, calendar time.
    pub expires_at: Timestamp,
    /// Taken back before its time.
    pub revoked: bool,
}

from_row!(Issued, |row| Ok(Self {
    issued_at: moment("marketplace_tokens.issued_at", row.try_get("issued_at")?)?,
    expires_at: moment("marketplace_tokens.expires_at", row.try_get("expires_at")?)?,
    revoked: row.try_get("revoked")?,
}));

/// Writes a token down under its own id (`jti`), never the token itself.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database), also for an id that was used before.
pub async fn issue(tx: &mut Tx, company: CompanyId, id: &str, issued_at: Timestamp, expires_at: Timestamp) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO marketplace_tokens (id, company_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)",
        id,
        company.0,
        issued_at.as_millisecond(),
        expires_at.as_millisecond()
    )?;
    Ok(())
}

/// What is known of a company's token.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn get(tx: &mut Tx, company: CompanyId, id: &str) -> Result<Option<Issued>> {
    row!(tx, Issued, "SELECT issued_at, expires_at, revoked FROM marketplace_tokens WHERE company_id = $1 AND id = $2", company.0, id)
}

/// Takes all of a company's tokens back; returns how many.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn revoke_all(tx: &mut Tx, company: CompanyId) -> Result<u64> {
    execute!(tx, "UPDATE marketplace_tokens SET revoked = TRUE WHERE company_id = $1 AND NOT revoked", company.0)
}
