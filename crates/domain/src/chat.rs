use std::fmt;

use serde::{Deserialize, Serialize};

/// The identity of a WhatsApp chat with one person, without a device: `<digits>@lid`, or
/// `<digits>@s.whatsapp.net` where no LID is known. The phone is an alias that may be absent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatId(pub String);

impl fmt::Display for ChatId {
    /// Masked, since a chat's name may be a phone number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, server) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let tail = user.len().saturating_sub(2);
        write!(f, "…{}@{server}", user.get(tail..).unwrap_or_default())
    }
}

impl fmt::Debug for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChatId({self})")
    }
}
