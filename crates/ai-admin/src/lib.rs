//! The product's wiring: settings, telemetry, lifecycle. What it does lives in `workflows`, what it
//! says to browsers in `web`.

pub mod config;
pub mod doctor;
pub mod lifecycle;
mod serve;
pub mod telemetry;
pub mod understand;

pub use config::{Config, Faults};
pub use serve::{Running, start};
