//! The door through its router, on a real database; YClients is a small server beside it.

mod admin;
mod house;
mod logs;
mod onboarding;
mod operators;
mod shapes;
mod sockets;
mod webhooks;
