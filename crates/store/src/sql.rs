//! The two macros that let one SQL text run on both drivers, and the row readers' helpers.
//!
//! `$N` placeholders mean the same to both engines. The arms are monomorphic, so every bind and
//! every column keeps its native type (`sqlx::Any` cannot decode booleans).

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Result, StoreError};

/// Runs one statement: `execute!(tx, "SQL", args…)` yields the number of rows it touched;
/// `rows!(tx, Type, "SQL", args…)` a `Vec`, `row!(…)` an `Option` of what it returned.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let sql = $sql;
        match $tx.connection() {
            $crate::database::Connection::Sqlite(connection) => {
                sqlx::query(sql)$(.bind($arg))*.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            $crate::database::Connection::Postgres(connection) => {
                sqlx::query(sql)$(.bind($arg))*.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
        }
        .map_err(|error| $tx.failed(error))
    }};
}

macro_rules! fetch {
    ($fetch:ident, $tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {{
        let sql = $sql;
        match $tx.connection() {
            $crate::database::Connection::Sqlite(connection) => {
                sqlx::query_as::<_, $row>(sql)$(.bind($arg))*.$fetch(&mut **connection).await
            }
            $crate::database::Connection::Postgres(connection) => {
                sqlx::query_as::<_, $row>(sql)$(.bind($arg))*.$fetch(&mut **connection).await
            }
        }
        .map_err(|error| $tx.failed(error))
    }};
}

macro_rules! rows {
    ($($call:tt)*) => { fetch!(fetch_all, $($call)*) };
}

macro_rules! row {
    ($($call:tt)*) => { fetch!(fetch_optional, $($call)*) };
}

/// Reads a type from a row of either engine: `from_row!(Type, |row| Ok(Type { a: row.try_get("a")? }))`.
macro_rules! from_row {
    ($type:ty, |$row:ident| $read:expr) => {
        from_row!(@ sqlx::sqlite::SqliteRow, $type, |$row| $read);
        from_row!(@ sqlx::postgres::PgRow, $type, |$row| $read);
    };
    (@ $from:ty, $type:ty, |$row:ident| $read:expr) => {
        impl sqlx::FromRow<'_, $from> for $type {
            fn from_row($row: &$from) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                $read
            }
        }
    };
}

/// A stored value that no version of this program has written; names the column, never the value.
pub(crate) fn corrupt(column: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{column} holds something unreadable").into())
}

/// JSON text of a column.
pub(crate) fn json<T: DeserializeOwned>(column: &'static str, text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|_| corrupt(column))
}

/// A value as JSON text.
pub(crate) fn to_json(value: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(value).map_err(StoreError::Unwritable)
}

/// A moment of a column in unix milliseconds.
pub(crate) fn moment(column: &'static str, ms: i64) -> sqlx::Result<Timestamp> {
    Timestamp::from_millisecond(ms).map_err(|_| corrupt(column))
}

/// An optional moment of a column.
pub(crate) fn moment_opt(column: &'static str, ms: Option<i64>) -> sqlx::Result<Option<Timestamp>> {
    ms.map(|ms| moment(column, ms)).transpose()
}

/// An optional phone of a column.
pub(crate) fn phone_opt(column: &'static str, digits: Option<String>) -> sqlx::Result<Option<domain::Phone>> {
    digits.map(|digits| domain::Phone::from_digits(&digits).map_err(|_| corrupt(column))).transpose()
}

/// Foreign text as both engines can hold it: PostgreSQL's text knows no NUL, and a message that can
/// never be stored would come again for ever.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

/// A wait in whole milliseconds, as the tables hold it.
pub(crate) fn millis(wait: std::time::Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 4)
}
