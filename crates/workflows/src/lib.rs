//! What the product does, a file each.
//!
//! Every effect outside (a message, a booking, a callback) is a durable job or a journaled step of
//! a turn, with a name fixed beforehand, so that a repeat after a crash is the same effect.

pub mod activation;
mod answer;
mod app;
mod booking;
pub mod calendar;
mod catalogue;
pub mod conversations;
pub mod files;
pub mod inbox;
mod journal;
mod missed;
mod notifications;
pub mod onboarding;
mod operator;
pub mod outbox;
mod settle;
pub mod sync;
mod texts;
pub mod webhooks;

pub use app::{App, Settings};
pub use catalogue::Catalogues;
