//! The world around the product, on one machine: emulators of the services that it talks to.

pub mod whatsapp;
