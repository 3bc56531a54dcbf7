use domain::{Booking, Phone, ReadBack, Receipt, RecordId, ServiceId, Slot, StaffId};
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// What the receptionist wants done before she can answer. The workflow carries it out and feeds
/// the [`Outcome`] back; it journals both, so that a turn cut off by a crash is replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Start times that the booking system calls free → [`Outcome::FreeTimes`].
    FreeTimes {
        /// Done one after the other with one master; may hold a composite.
        services: Vec<ServiceId>,
        /// With whom; nobody named: with each master who does them all.
        staff: Option<StaffId>,
        /// First day, salon time.
        from: Date,
        /// Last day, included.
        to: Date,
        /// A booking that is about to be moved and so stands in nobody's way.
        excluding: Option<RecordId>,
    },
    /// The customer's own bookings from now on → [`Outcome::Bookings`].
    MyBookings,
    /// What the customer had last → [`Outcome::LastVisit`].
    LastVisit,
    /// Book this → [`Outcome::Done`], [`Outcome::Refused`] or [`Outcome::Unsettled`].
    Book {
        /// As understood; the workflow replaces a composite by its parts.
        services: Vec<ServiceId>,
        /// With whom.
        staff: StaffId,
        /// Salon time.
        start: DateTime,
        /// Whom for.
        client_name: String,
        /// Whose booking it is.
        phone: Phone,
        /// For the salon's eyes, may be empty.
        comment: String,
    },
    /// Move a booking → as for [`Effect::Book`].
    Move {
        /// Which.
        record: RecordId,
        /// Its services from now on; mostly as they were.
        services: Vec<ServiceId>,
        /// With whom from now on.
        staff: StaffId,
        /// Its new start, salon time.
        start: DateTime,
    },
    /// Take a booking out → as for [`Effect::Book`].
    Cancel {
        /// Which.
        record: RecordId,
    },
    /// Tell the salon's people → [`Outcome::HandedOver`].
    HandOver {
        /// For the administrator, in Russian.
        summary: String,
        /// Why.
        reason: HandOverReason,
    },
}

/// Why a person of the salon is told of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOverReason {
    /// The customer asked for a person.
    Asked,
    /// The customer is not content.
    Complaint,
    /// The receptionist cannot help with it.
    BeyondUs,
    /// The booking system does not answer.
    SystemDown,
    /// The customer will be late; the chat goes on without a person.
    Late,
    /// Who comes to a visit that stands is called otherwise; the chat goes on without a person.
    Name,
}

/// What came of an [`Effect`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "value", rename_all = "snake_case")]
pub enum Outcome {
    /// In any order; empty where nothing is free.
    FreeTimes(Vec<Slot>),
    /// In any order.
    Bookings(Vec<ReadBack<Booking>>),
    /// The last visit that took place, if there was one.
    LastVisit(Option<Booking>),
    /// It is done, and was read back.
    Done(Receipt),
    /// The booking system said no; nothing has changed.
    Refused(Refusal),
    /// Nobody knows whether it was done; the workflow goes on finding out and calls [`crate::settled`].
    Unsettled,
    /// The booking system could not be reached; nothing has changed.
    Failed,
    /// The salon's people are told.
    HandedOver,
}

/// Why the booking system said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Somebody was faster (codes 433, 436, 437).
    SlotTaken,
    /// The salon does not let clients change this booking, or not any more.
    NotAllowed,
    /// The phone is malformed or on the black list (431, 434).
    PhoneRefused,
    /// There is no such booking any more.
    Gone,
    /// The service or the master cannot be booked any more (438, 404).
    NotOffered,
    /// Anything else.
    Other,
}
