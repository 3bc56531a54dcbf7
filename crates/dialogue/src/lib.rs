//! The receptionist's mind: what a customer says and what has been said before become an effect to
//! carry out or words to send.
//!
//! Sans-IO: [`begin`] starts a turn, [`resume`] goes on with the outcome of an effect, until a
//! [`Step::Say`]. Nothing here awaits, logs, or reads a clock; the same inputs give the same steps,
//! which is what lets the workflow replay a turn after a crash.
//!
//! Three rules hold whatever is said:
//! - a claim («записала», «перенесла», «отменила») is rendered from a [`domain::Receipt`] only;
//! - a «да» answers the one question of the last message, since a conversation holds only one;
//! - every message gets an answer, unless a person has taken over.
//!
//! `tests/properties.rs` drives random conversations against a model of a salon, `fuzz/` does the same
//! with any texts: `RUSTC_BOOTSTRAP=1 cargo fuzz run conversation` in this folder.

mod answers;
mod arrange;
mod booking;
mod choose;
mod correct;
mod cues;
mod decide;
mod effect;
mod errand;
mod handover;
mod hearing;
mod moment;
mod note;
mod own;
mod part;
mod plan;
mod search;
mod settle;
mod state;
mod turn;
mod who;
mod wording;

use domain::{Client, Phone, Salon};
use jiff::civil::DateTime;

pub use effect::{Effect, HandOverReason, Outcome, Refusal};
pub use state::State;
pub use turn::{Pending, begin, never_settled, resume, settled};

/// Who writes.
#[derive(Debug, Clone, Default)]
pub struct Customer {
    /// Absent where WhatsApp hides it.
    pub phone: Option<Phone>,
    /// What the customer calls themselves in WhatsApp; any text.
    pub push_name: Option<String>,
    /// The salon's card of them.
    pub client: Option<Client>,
}

/// One incoming message of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its words, or the caption; empty where there are none.
    pub text: String,
    /// What it is.
    pub kind: HeardKind,
}

/// Kinds of incoming messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeardKind {
    /// Words.
    Text,
    /// A voice message.
    Voice,
    /// A picture, perhaps with a caption.
    Image,
    /// A reaction to a message; not answered.
    Reaction,
    /// Anything else.
    Other,
}

/// One turn of a conversation: everything that is known when it is answered.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// The salon.
    pub salon: &'a Salon,
    /// Its reader, built from the same snapshot.
    pub reader: &'a language::Reader,
    /// Salon time.
    pub now: DateTime,
    /// Who writes.
    pub customer: &'a Customer,
    /// All unanswered messages, in order.
    pub heard: &'a [Heard],
}

/// What comes next in a turn.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "lives for a moment, one at a time")]
pub enum Step {
    /// Carry this out and [`resume`] with its outcome.
    Do(Effect, Pending),
    /// The turn is over.
    Say(Reply),
}

/// The end of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The conversation's memory from now on.
    pub state: State,
    /// To be sent in order; none is silence.
    pub messages: Vec<String>,
    /// Set in the turn that hands the chat over to a person.
    pub pause: Option<Pause>,
}

/// How long the receptionist is silent in a chat. The state keeps it by itself; the workflow shows it to the salon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Until somebody resumes the chat ([`State::resume`]) or the customer writes on another day.
    UntilResumedOrNextDay,
}
