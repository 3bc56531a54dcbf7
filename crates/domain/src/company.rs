use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a salon stands between the marketplace and us (`companies.integration_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationStatus {
    /// Registered from the marketplace; its WhatsApp is not linked or not yet activated.
    PendingWhatsapp,
    /// Our key is stored and the marketplace is being told.
    Activating,
    /// The bot answers.
    Active,
    /// The marketplace refused or its answer could not be settled; activation may be tried anew.
    ActivationFailed,
    /// Not paid: messages are stored, nobody is answered.
    Frozen,
    /// The salon took the application out.
    Uninstalled,
}

/// A change of status that the rules do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a company cannot go from {from} to {to}")]
pub struct WrongTransition {
    /// The status it has.
    pub from: IntegrationStatus,
    /// The status that was wanted.
    pub to: IntegrationStatus,
}

impl IntegrationStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::PendingWhatsapp, Self::Activating, Self::Active, Self::ActivationFailed, Self::Frozen, Self::Uninstalled];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingWhatsapp => "pending_whatsapp",
            Self::Activating => "activating",
            Self::Active => "active",
            Self::ActivationFailed => "activation_failed",
            Self::Frozen => "frozen",
            Self::Uninstalled => "uninstalled",
        }
    }

    /// The status of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Goes to `to`; staying where one is is always allowed.
    ///
    /// # Errors
    /// [`WrongTransition`] for every step that no walk takes.
    pub fn to(self, to: Self) -> Result<Self, WrongTransition> {
        use IntegrationStatus::*;
        let allowed = self == to
            || matches!(
                (self, to),
                (PendingWhatsapp | ActivationFailed, Activating)
                    | (Activating, Active | ActivationFailed)
                    | (ActivationFailed, PendingWhatsapp)
                    | (Active, Frozen)
                    | (Frozen, Active)
                    | (Uninstalled, PendingWhatsapp)
            )
            || to == Uninstalled;
        allowed.then_some(to).ok_or(WrongTransition { from: self, to })
    }
}

impl fmt::Display for IntegrationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is written down of a salon's life (`marketplace_events.event_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationEvent {
    /// The redirect from the marketplace arrived.
    RegistrationStarted,
    /// The salon's WhatsApp was linked.
    WhatsappConnected,
    /// The marketplace confirmed the installation.
    IntegrationActivated,
    /// The marketplace refused it.
    IntegrationFailed,
    /// A payment came in.
    PaymentReceived,
    /// The salon was frozen.
    Frozen,
    /// It was unfrozen.
    Unfrozen,
    /// The application was taken out.
    Uninstalled,
}

impl IntegrationEvent {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RegistrationStarted => "registration_started",
            Self::WhatsappConnected => "whatsapp_connected",
            Self::IntegrationActivated => "integration_activated",
            Self::IntegrationFailed => "integration_failed",
            Self::PaymentReceived => "payment_received",
            Self::Frozen => "frozen",
            Self::Unfrozen => "unfrozen",
            Self::Uninstalled => "uninstalled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IntegrationStatus::*, *};

    #[test]
    fn only_walked_ways_are_open() {
        let open: Vec<_> = IntegrationStatus::ALL
            .into_iter()
            .flat_map(|from| IntegrationStatus::ALL.into_iter().map(move |to| (from, to)))
            .filter(|(from, to)| from != to && from.to(*to).is_ok())
            .collect();
        assert_eq!(
            open,
            [
                (PendingWhatsapp, Activating),
                (PendingWhatsapp, Uninstalled),
                (Activating, Active),
                (Activating, ActivationFailed),
                (Activating, Uninstalled),
                (Active, Frozen),
                (Active, Uninstalled),
                (ActivationFailed, PendingWhatsapp),
                (ActivationFailed, Activating),
                (ActivationFailed, Uninstalled),
                (Frozen, Active),
                (Frozen, Uninstalled),
                (Uninstalled, PendingWhatsapp),
            ]
        );
    }

    #[test]
    fn words_round_trip() {
        for status in IntegrationStatus::ALL {
            assert_eq!(IntegrationStatus::from_word(status.as_str()), Some(status));
        }
    }
}
