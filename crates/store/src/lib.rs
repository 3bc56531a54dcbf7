//! What lasts: SQLite or PostgreSQL behind one [`Store`], one SQL text for both, and on it the
//! salons, conversations, durable [`jobs`], leases and the event [`Bus`].
//!
//! SQL lives here and nowhere else. Every function takes a [`Tx`], so that a caller decides what
//! commits together; every lookup from outside carries its tenant ([`domain::CompanyId`]).
//!
//! The SQL keeps to what both engines share: text, bigint, double precision, boolean, bytes; moments
//! as unix milliseconds (UTC), salon times as ISO text, JSON as text that is never queried inside.
//! Where an engine needs its own words they stand in `dialect`.

#[macro_use]
mod sql;

#[macro_use]
mod dialect;

mod bus;
mod database;
mod error;
mod migrate;
mod relay;
mod time;
mod vault;
mod writer;

pub mod bookings;
pub mod catalogue;
pub mod clients;
pub mod companies;
pub mod conversations;
pub mod events;
pub mod jobs;
pub mod keys;
pub mod messages;
pub mod notifications;
pub mod planned;
pub mod sessions;
pub mod sync_logs;
pub mod tokens;
pub mod turns;
pub mod webhooks;

#[cfg(feature = "test-support")]
pub mod testing;

pub use bus::{Bus, CompanyEvent};
pub use database::{Store, Tx};
pub use error::{Result, StoreError};
pub use time::machine_now;
pub use vault::{SealError, Vault};
