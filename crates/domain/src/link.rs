use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Phone;

/// The state of a salon's WhatsApp link, in terms a person can act on (contract: `status` of
/// `GET /marketplace/api/status`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum LinkState {
    /// Nothing runs and nothing is wrong: never linked, or stopped by us.
    Disconnected,
    /// Connecting, pairing, or coming back after a drop.
    Connecting,
    /// Linked and online.
    Connected {
        /// The salon's own number.
        phone: Phone,
        /// The account's name.
        name: String,
    },
    /// The salon removed the device, or we logged out: it must be linked anew.
    LoggedOut,
    /// Another program took the session over.
    Replaced,
    /// WhatsApp demands a passkey, which a server cannot give.
    PasskeyRequired,
    /// WhatsApp has banned the number for a time.
    Banned {
        /// When the ban ends, where WhatsApp says.
        until: Option<Timestamp>,
    },
    /// WhatsApp no longer accepts this version of the client.
    Outdated,
    /// WhatsApp restricts writing to new people (ack error 463).
    Restricted,
}

impl LinkState {
    /// The word of the contract.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Connected { .. } => "connected",
            Self::LoggedOut => "logged_out",
            Self::Replaced => "replaced",
            Self::PasskeyRequired => "passkey_required",
            Self::Banned { .. } => "banned",
            Self::Outdated => "outdated",
            Self::Restricted => "restricted",
        }
    }

    /// Messages can be sent and received.
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. } | Self::Restricted)
    }

    /// What happened and what to do, for the owner of the salon, in Russian; `None` where all is well.
    pub fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::Connected { .. } | Self::Connecting => return None,
            Self::Disconnected => "WhatsApp не подключён. Отсканируйте QR-код или введите код привязки.",
            Self::LoggedOut => "Устройство отвязано в телефоне. Подключите WhatsApp заново.",
            Self::Replaced => "Этот сеанс перехватила другая программа. Закройте её и подключите WhatsApp заново.",
            Self::PasskeyRequired => "WhatsApp требует ключ доступа (passkey) для этого номера. Попробуйте другой номер или напишите нам.",
            Self::Banned { .. } => "WhatsApp временно заблокировал номер. Подождите окончания блокировки, мы подключимся сами.",
            Self::Outdated => "WhatsApp требует обновления. Мы уже занимаемся этим.",
            Self::Restricted => "WhatsApp временно не даёт писать новым клиентам. Тем, кто пишет сам, ответы доходят.",
        })
    }
}
