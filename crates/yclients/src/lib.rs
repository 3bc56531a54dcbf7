//! Client of the YClients booking API and marketplace.
//!
//! What is known of the wire, and how surely, decides the shapes here: ids come as strings or
//! numbers, empty objects as `[]`, refusals with status 200, pages of HTML instead of JSON.
//! Wire types are private; callers meet `domain` types and the small result structs of this crate.
//!
//! * Times are naive and stand in the salon's zone: the offsets YClients sends may be wrong, so
//!   its naive fields decide and a mismatch is logged.
//! * All calls of a process share one rate limit ([`RateLimit`]), since YClients counts per IP.
//! * A write is never repeated blindly: [`Error::outcome_unknown`] tells when it may have been
//!   done, and [`YClients::find_by_api_id`] and [`YClients::reread`] settle it.
//! * [`domain::ReadBack`] values are made here, from answers to reads, and nowhere else.

mod booking;
mod catalogue;
mod clients;
mod error;
mod lenient;
mod limit;
mod marketplace;
mod records;
pub mod signature;
mod transport;
pub mod webhook;
mod wire;

pub use booking::{BookDates, BookedRecord, BookingRules, Company, NewBooking};
pub use catalogue::StaffCard;
pub use clients::{ClientCard, ClientPage};
pub use error::{BookingCode, Error, SetupError};
pub use limit::{Priority, RateLimit};
pub use marketplace::{
    AppSalon, CallbackOutcome, CallbackStyle, Channel, Confirmation, InstallStatus, Installation, Payment, PaymentReceipt, StatusChange,
    Tariff, TariffOption,
};
pub use records::{NewRecord, Record, RecordChange, RecordFilter, RecordPage};
pub use transport::{Settings, YClients};
