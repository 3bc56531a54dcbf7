//! Bookings as last read from the booking system. What a customer is told comes from a fresh
//! reading; this is what changes are told by, and what finds a customer's bookings at once.

use domain::{Attendance, Booking, BookingChange, BookingId, ClientId, CompanyId, Money, Phone, ReadBack, RecordId, ServiceId, StaffId};
use jiff::civil::DateTime;

use crate::{
    Result, Tx, machine_now,
    sql::{corrupt, json, phone_opt, text, to_json},
};

/// What is stored beside a booking. `None` keeps what is known.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Whose card.
    pub client_id: Option<ClientId>,
    /// The salon's note.
    pub comment: Option<String>,
    /// YClients' key to change the booking without the salon's token (`record_hash`).
    pub record_hash: Option<String>,
    /// The booking system's own answer, as JSON.
    pub raw: Option<String>,
}

/// A stored booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// As last read.
    pub booking: Booking,
    /// Grows by one with every change that a customer should hear of.
    pub version: i64,
    /// YClients' key to change it without the salon's token.
    pub record_hash: Option<String>,
    /// When that reading was asked for, in unix microseconds of the machine's time.
    asked_at: i64,
}

from_row!(Stored, |row| Ok(Self {
    booking: Booking {
        record_id: RecordId(row.try_get("yclients_id")?),
        booking_id: row
            .try_get::<Option<&str>, _>("booking_id")?
            .map(|id| id.parse().map(BookingId).map_err(|_| corrupt("bookings.booking_id")))
            .transpose()?,
        staff_id: StaffId(row.try_get("staff_id")?),
        services: json::<Vec<ServiceId>>("bookings.services", row.try_get("services")?)?,
        start: row.try_get::<&str, _>("datetime")?.parse().map_err(|_| corrupt("bookings.datetime"))?,
        minutes: row.try_get("duration")?,
        client_name: row.try_get("client_name")?,
        client_phone: phone_opt("bookings.client_phone", row.try_get("client_phone")?)?,
        cost: row.try_get::<Option<i64>, _>("cost")?.map(Money),
        attendance: attendance(row.try_get("status")?).ok_or_else(|| corrupt("bookings.status"))?,
        deleted: row.try_get("deleted")?,
        locked: row.try_get("locked")?,
    },
    version: row.try_get("version")?,
    record_hash: row.try_get("record_hash")?,
    asked_at: row.try_get("asked_at")?,
}));

fn attendance(word: &str) -> Option<Attendance> {
    Some(match word {
        "waiting" => Attendance::Waiting,
        "confirmed" => Attendance::Confirmed,
        "came" => Attendance::Came,
        "no_show" => Attendance::NoShow,
        _ => return None,
    })
}

fn status(attendance: Attendance) -> &'static str {
    match attendance {
        Attendance::Waiting => "waiting",
        Attendance::Confirmed => "confirmed",
        Attendance::Came => "came",
        Attendance::NoShow => "no_show",
    }
}

/// What a reading changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upserted {
    /// As it stood, where it was known.
    pub before: Option<Booking>,
    /// What a customer should hear of. A booking unknown so far is `Made` unless it is deleted.
    pub change: Option<BookingChange>,
    /// A later reading was there already, and this is what it had changed since.
    pub change_since: Option<BookingChange>,
    /// The booking's version now.
    pub version: i64,
}

/// Writes a reading down and says what it changed: nothing where the booking was asked for later and
/// that reading is known already.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database), among them a conflict when another record has the same `booking_id`.
pub async fn upsert(tx: &mut Tx, company: CompanyId, read: &ReadBack<Booking>, beside: &Beside) -> Result<Upserted> {
    let (booking, asked_at) = (read.get(), read.asked_at().as_microsecond());
    let known = row!(
        tx,
        Stored,
        with_lock!(tx, "SELECT * FROM bookings WHERE company_id = $1 AND yclients_id = $2", "FOR UPDATE", ""),
        company.0,
        booking.record_id.0
    )?;
    let (booking, change, change_since, version) = match &known {
        Some(known) if asked_at < known.asked_at => (&known.booking, None, booking.change_to(&known.booking), known.version),
        Some(known) => {
            let change = known.booking.change_to(booking);
            (booking, change, None, known.version + i64::from(change.is_some()))
        }
        None => (booking, (!booking.deleted).then_some(BookingChange::Made), None, 1),
    };
    execute!(
        tx,
        "INSERT INTO bookings (company_id, yclients_id, booking_id, client_id, client_name, client_phone, staff_id, services, datetime, \
           duration, cost, status, deleted, locked, comment, record_hash, version, raw_data, asked_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, coalesce($15, ''), $16, $17, $18, $19, $20, $20) \
         ON CONFLICT (company_id, yclients_id) DO UPDATE SET booking_id = coalesce(excluded.booking_id, bookings.booking_id), \
           client_id = coalesce(excluded.client_id, bookings.client_id), client_name = excluded.client_name, \
           client_phone = excluded.client_phone, staff_id = excluded.staff_id, services = excluded.services, \
           datetime = excluded.datetime, duration = excluded.duration, cost = excluded.cost, status = excluded.status, \
           deleted = excluded.deleted, locked = excluded.locked, comment = coalesce($15, bookings.comment), \
           record_hash = coalesce(excluded.record_hash, bookings.record_hash), version = excluded.version, \
           raw_data = coalesce(excluded.raw_data, bookings.raw_data), \
           asked_at = CASE WHEN excluded.asked_at > bookings.asked_at THEN excluded.asked_at ELSE bookings.asked_at END, updated_at = excluded.updated_at",
        company.0,
        booking.record_id.0,
        booking.booking_id.map(|id| id.to_string()),
        beside.client_id.map(|id| id.0),
        text(&booking.client_name),
        booking.client_phone.as_ref().map(Phone::digits),
        booking.staff_id.0,
        to_json(&booking.services)?,
        booking.start.to_string(),
        booking.minutes,
        booking.cost.map(|cost| cost.0),
        status(booking.attendance),
        booking.deleted,
        booking.locked,
        beside.comment.as_deref().map(text),
        beside.record_hash.as_deref(),
        version,
        beside.raw.as_deref(),
        asked_at,
        machine_now().as_millisecond()
    )?;
    Ok(Upserted { before: known.map(|known| known.booking), change, change_since, version })
}

/// The booking of that record.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn get(tx: &mut Tx, company: CompanyId, record: RecordId) -> Result<Option<Stored>> {
    row!(tx, Stored, "SELECT * FROM bookings WHERE company_id = $1 AND yclients_id = $2", company.0, record.0)
}

/// The booking that carries our mark.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn by_booking_id(tx: &mut Tx, company: CompanyId, id: BookingId) -> Result<Option<Stored>> {
    row!(tx, Stored, "SELECT * FROM bookings WHERE company_id = $1 AND booking_id = $2", company.0, id.to_string())
}

/// A customer's standing bookings that start at `from` (salon time) or later, earliest first.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn upcoming(tx: &mut Tx, company: CompanyId, phone: &Phone, from: DateTime) -> Result<Vec<Stored>> {
    rows!(
        tx,
        Stored,
        "SELECT * FROM bookings WHERE company_id = $1 AND client_phone = $2 AND datetime >= $3 AND NOT deleted \
         ORDER BY datetime, yclients_id",
        company.0,
        phone.digits(),
        from.to_string()
    )
}

/// A customer's last booking before that salon time, unless they did not come.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn last_visit(tx: &mut Tx, company: CompanyId, phone: &Phone, before: DateTime) -> Result<Option<Stored>> {
    row!(
        tx,
        Stored,
        "SELECT * FROM bookings WHERE company_id = $1 AND client_phone = $2 AND datetime < $3 AND NOT deleted AND status <> 'no_show' \
         ORDER BY datetime DESC, yclients_id DESC LIMIT 1",
        company.0,
        phone.digits(),
        before.to_string()
    )
}

/// The salon's standing bookings that start in `from..to` (salon time), earliest first.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn between(tx: &mut Tx, company: CompanyId, from: DateTime, to: DateTime) -> Result<Vec<Stored>> {
    rows!(
        tx,
        Stored,
        "SELECT * FROM bookings WHERE company_id = $1 AND datetime >= $2 AND datetime < $3 AND NOT deleted ORDER BY datetime, yclients_id",
        company.0,
        from.to_string(),
        to.to_string()
    )
}
