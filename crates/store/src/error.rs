use crate::SealError;

/// A result of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why the database did not do what was asked. No variant's text carries a stored value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The engine or the way to it failed; see [`StoreError::is_transient`].
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The database does not answer in time, or has lately taken no writes.
    #[error("the database is not available for now")]
    Unavailable,
    /// The address is neither `sqlite://PATH` nor `postgres://…`.
    #[error("the database address must be sqlite://PATH or postgres://…")]
    Address,
    /// The schema cannot be brought to what this program needs.
    #[error("migration: {0}")]
    Migration(String),
    /// The row has changed since it was read: read it anew.
    #[error("stale write: somebody else has changed this row")]
    Stale,
    /// The claim or lease under which this write was made is no longer ours: stop.
    #[error("fenced: this claim or lease has passed to somebody else")]
    Fenced,
    /// No such row in this tenant.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The company's status does not allow this step.
    #[error(transparent)]
    Transition(#[from] domain::WrongTransition),
    /// A sealed value does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A value cannot be written as JSON.
    #[error("a value cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
}

impl StoreError {
    /// Trying again later may help: busy, locked, full, unreachable, or a lost race.
    pub fn is_transient(&self) -> bool {
        match self {
            // PostgreSQL: 40 rollback, 55 locks.
            Self::Database(sqlx::Error::Database(error))
                if ["40", "55"].iter().any(|class| error.code().is_some_and(|code| code.len() == 5 && code.starts_with(class))) =>
            {
                true
            }
            Self::Stale => true,
            other => other.is_outage(),
        }
    }

    /// The database itself is busy, locked, full or gone: nothing can be stored for now.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unavailable => true,
            Self::Database(sqlx::Error::Database(error)) => {
                // SQLite: BUSY 5, LOCKED 6, IOERR 10, FULL 13, CANTOPEN 14 (extended codes carry them in the low byte).
                // PostgreSQL: classes 08 connection, 53 resources, 57 operator.
                let code = error.code().unwrap_or_default();
                match code.parse::<u32>() {
                    Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13 | 14),
                    _ => ["08", "53", "57"].iter().any(|class| code.starts_with(class)),
                }
            }
            Self::Database(error) => {
                matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_))
            }
            _ => false,
        }
    }

    /// A unique index refused the row: it is there already.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}
