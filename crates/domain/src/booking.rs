use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use crate::{BookingId, ClientId, Money, Phone, RecordId, ServiceId, StaffId};

/// Whether the client came (YClients `attendance`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub enum Attendance {
    /// −1: did not come.
    NoShow,
    /// 0: expected.
    #[default]
    Waiting,
    /// 1: came.
    Came,
    /// 2: said that they will come.
    Confirmed,
}

/// A client's card in the booking system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Unique within the salon.
    pub id: ClientId,
    /// As the salon wrote it.
    pub name: String,
    /// May be hidden or absent.
    pub phone: Option<Phone>,
    /// Visits so far.
    pub visits: i64,
}

/// A booking as the booking system holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// YClients' id, unique within the salon.
    pub record_id: RecordId,
    /// Our mark, where we made it.
    pub booking_id: Option<BookingId>,
    /// With whom.
    pub staff_id: StaffId,
    /// What, sorted: the order is not stable between reads.
    pub services: Vec<ServiceId>,
    /// Salon time.
    pub start: DateTime,
    /// How long, breaks after it left out.
    pub minutes: i64,
    /// Whom for.
    pub client_name: String,
    /// Whose it is; absent where the salon wrote none down.
    pub client_phone: Option<Phone>,
    /// What the client will pay, where the system says.
    pub cost: Option<Money>,
    /// Came or not.
    pub attendance: Attendance,
    /// Taken out.
    pub deleted: bool,
    /// The salon forbids changes.
    pub locked: bool,
}

impl Booking {
    /// When it ends, salon time.
    pub fn end(&self) -> DateTime {
        self.start.saturating_add(jiff::Span::new().minutes(self.minutes))
    }

    /// What changed between two reads that a customer should hear of; an attendance mark is nothing.
    pub fn change_to(&self, after: &Self) -> Option<BookingChange> {
        match (self.deleted, after.deleted) {
            (false, true) => Some(BookingChange::Cancelled),
            (true, false) => Some(BookingChange::Made),
            (true, true) => None,
            (false, false) => {
                let moved = self.start != after.start || self.staff_id != after.staff_id || self.services != after.services;
                moved.then_some(BookingChange::Moved)
            }
        }
    }
}

/// What happened to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookingChange {
    /// It is new.
    Made,
    /// Another time, master or service.
    Moved,
    /// It is gone.
    Cancelled,
}

/// A value that was just read from the booking system: the only ground for a claim.
///
/// Only the `yclients` crate makes one, from an answer it has received (`clippy.toml` forbids
/// [`ReadBack::from_booking_system`] everywhere else).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadBack<T> {
    value: T,
    asked_at: Timestamp,
}

impl<T> ReadBack<T> {
    /// Wraps what the booking system has answered to a question of that moment.
    pub fn from_booking_system(value: T, asked_at: Timestamp) -> Self {
        Self { value, asked_at }
    }

    /// When it was asked for, by the machine's time: of two readings the one asked for later is the
    /// news, whichever of them comes to hand first.
    pub fn asked_at(&self) -> Timestamp {
        self.asked_at
    }

    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The value, owned.
    pub fn into_inner(self) -> T {
        self.value
    }
}

/// Proof that something was done: a sentence like «записала» can be rendered from nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// The booking stands.
    Booked(ReadBack<Booking>),
    /// The booking stands at its new time.
    Moved {
        /// As it stood.
        from: ReadBack<Booking>,
        /// As it stands.
        to: ReadBack<Booking>,
    },
    /// The booking is gone; it was read as deleted.
    Cancelled(ReadBack<Booking>),
}

impl Receipt {
    /// The booking it is about, as last read.
    pub fn booking(&self) -> &Booking {
        self.read_back().get()
    }

    /// The last reading itself.
    pub fn read_back(&self) -> &ReadBack<Booking> {
        match self {
            Self::Booked(booking) | Self::Moved { to: booking, .. } | Self::Cancelled(booking) => booking,
        }
    }
}

/// A start time that the booking system calls free, salon time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// When it would start.
    pub start: DateTime,
    /// With whom.
    pub staff_id: StaffId,
}
