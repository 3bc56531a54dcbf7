//! Linked WhatsApp devices: one session per salon, linked by QR or pairing code, resumed after a
//! restart without linking again, receiving and sending text.
//!
//! * [`Pool`] owns the sessions: starts, resumes, stops and logs out, one owner per session by a
//!   lease in the database. A session that another node runs is known here, too: what is asked of
//!   it goes to its owner, and its codes and states come back. Only sending stays with the owner.
//! * What a session hears goes to an [`Inbox`]; WhatsApp is told that a message arrived only after
//!   [`Inbox::receive`] has returned `Ok`, so nothing is lost, and a message may come twice.
//! * What happens to a link (a QR code, a pairing code, another [`domain::LinkState`]) is told to
//!   whoever [subscribes](Pool::subscribe).
//! * Everything the device must remember lies in [`store::keys`], sealed by [`store::Vault`].
//!
//! The protocol is `whatsapp-rust`'s; none of its types leave this crate. It has its own clock
//! (real time), which is no calendar: the only calendar time here is [`Inbound::sent_at`], taken
//! from the message itself.

mod backend;
mod elsewhere;
mod event;
mod fence;
mod inbound;
mod media;
mod pool;
mod repeats;
mod session;
mod transport;

pub use event::{Event, SessionEvent};
pub use inbound::{Content, Delivery, File, Inbound, Inbox, MAX_TEXT, Place};
pub use media::{FetchError, MAX_FILE};
pub use pool::{PairingCode, PairingError, Pool, Reaction, SendError, StartError};
pub use transport::Endpoint;
