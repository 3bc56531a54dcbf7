//! A whole world on one machine: the real product against emulators of YClients and WhatsApp with the phones of salons and
//! customers, moved by a control API and a chat page.
//!
//! The product cannot tell the difference, and the emulators share no type with its clients: they would share its mistakes.
//! Only `product` names the product's crates, in order to start it.

mod balancer;
mod clock;
mod control;
mod door;
mod events;
mod faults;
mod front_door;
mod keeping;
mod linking_page;
mod options;
mod owner;
mod page;
mod product;
mod running;
mod secrets;
pub mod whatsapp;
mod world;
pub mod yclients;

pub use clock::SandboxClock;
pub use events::{Bus, Event};
pub use faults::{Faults, Hit, Kind, Order, Target};
pub use options::Options;
pub use product::{asked_to_stop, log_filter, recent_logs, softly};
pub use running::{Running, start};
