//! The whole house in its world: a salon is connected, a customer writes, a booking stands. The
//! product is the real one, in this process or in one of its own that can be killed.

mod build;
mod connecting;
mod conversation;
mod faults;
mod files;
mod leaving;
mod nodes;
mod outages;
mod phones;
mod restart;
mod support;
