use std::fmt;
use std::time::Duration;

use domain::{CompanyId, LinkState};

/// Something happened to a salon's link.
#[derive(Debug, Clone)]
pub struct SessionEvent {
    /// Whose link.
    pub company_id: CompanyId,
    /// What happened.
    pub event: Event,
    /// The session runs on this node; else its owner told us.
    pub here: bool,
}

/// What can happen to a link.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// A QR code to show; the next one comes by itself, six in a row in all.
    Qr {
        /// The text to draw as a QR code. Whoever scans it links the device: show it to the owner only.
        code: String,
        /// How long it can be scanned.
        expires_in: Duration,
    },
    /// A pairing code to show.
    PairingCode {
        /// Eight characters, to be typed on the phone.
        code: String,
        /// How long it can be entered.
        expires_in: Duration,
    },
    /// The link is in another state.
    State(LinkState),
}

impl fmt::Debug for Event {
    /// Without the codes: they are secrets while they last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Qr { expires_in, .. } => f.debug_struct("Qr").field("expires_in", expires_in).finish_non_exhaustive(),
            Self::PairingCode { expires_in, .. } => f.debug_struct("PairingCode").field("expires_in", expires_in).finish_non_exhaustive(),
            Self::State(state) => f.debug_tuple("State").field(state).finish(),
        }
    }
}
