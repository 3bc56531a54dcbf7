//! The salon's world as data and rules: salons, services, staff, bookings, clients, phones, money,
//! statuses, and the clock that everything calendar reads.
//!
//! Nothing here does IO, awaits, logs, or reads the time. Times that people say are naive
//! ([`jiff::civil`]) and stand in the salon's zone; moments that machines compare are
//! [`jiff::Timestamp`]s.

mod booking;
mod chat;
mod clock;
mod company;
mod ids;
mod link;
mod money;
mod phone;
mod salon;

pub use booking::{Attendance, Booking, BookingChange, Client, ReadBack, Receipt, Slot};
pub use chat::ChatId;
pub use clock::Clock;
pub use company::{IntegrationEvent, IntegrationStatus, WrongTransition};
pub use ids::{BookingId, ClientId, CompanyId, RecordId, SalonId, ServiceId, StaffId};
pub use link::LinkState;
pub use money::{Money, PriceRange};
pub use phone::{Phone, PhoneError};
pub use salon::{Hours, Salon, Service, ServiceStaff, Staff, WorkDay};
