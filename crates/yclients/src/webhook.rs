//! What YClients posts to us, read from the bytes of a body. Three shapes are told apart: entity
//! events, lifecycle events, and the dialect of the product's design papers.
//!
//! Nothing in an event is a fact: it says where to look. Entity events are not signed at all.

use std::fmt::Write as _;

use domain::{RecordId, SalonId};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::signature::same_secret;

/// One posted event.
#[derive(Debug, Clone)]
pub enum Event {
    /// Something in a salon changed.
    Entity(EntityEvent),
    /// Something happened to the installation.
    Lifecycle(LifecycleEvent),
}

/// Something in a salon changed.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityEvent {
    /// Where.
    pub salon_id: SalonId,
    /// What kind of thing.
    pub resource: Resource,
    /// Which one; for a schedule, whose. 0 where the event does not say.
    pub resource_id: i64,
    /// What happened to it.
    pub action: Action,
    /// `last_change_date` as it came: the version the event is about.
    pub last_change_date: Option<String>,
}

/// The things entity events are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A booking.
    Record,
    /// A client's card.
    Client,
    /// A service or a category of services.
    Service,
    /// A member of staff.
    Staff,
    /// A master's working hours.
    Schedule,
    /// The salon itself.
    Salon,
    /// Something of no concern to us.
    Other(String),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Create,
    /// It changed.
    Update,
    /// It is gone.
    Delete,
    /// A word we do not know.
    Other(String),
}

/// Something happened to the installation.
#[derive(Debug, Clone)]
pub struct LifecycleEvent {
    /// At which salon.
    pub salon_id: SalonId,
    /// Of which application, where the dialect says.
    pub application_id: Option<i64>,
    /// What.
    pub change: Lifecycle,
    /// Our own partner token, by which the real dialect proves itself. Never logged.
    pub partner_token: Option<SecretString>,
}

/// What happened to an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lifecycle {
    /// The salon took the application out.
    Uninstall,
    /// Not paid.
    Freeze,
    /// Paid again.
    Unfreeze,
    /// A payment.
    Payment,
    /// A word we do not know.
    Other(String),
}

/// Why a body is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not JSON.
    #[error("the body is no JSON")]
    NotJson,
    /// JSON of none of the three shapes.
    #[error("the body has none of the known shapes")]
    UnknownShape,
}

impl Event {
    /// Reads a body.
    ///
    /// # Errors
    /// [`ParseError`]. Unknown *words* in a known shape are no error.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let body: Value = serde_json::from_slice(body).map_err(|_| ParseError::NotJson)?;
        let word = |key: &str| body.get(key).and_then(Value::as_str).map(|word| word.chars().take(60).collect::<String>());
        let number = |key: &str| positive(body.get(key)?);
        let event = if let (Some(salon), Some(resource)) = (number("company_id"), word("resource")) {
            Some(Self::Entity(EntityEvent {
                salon_id: SalonId(salon),
                resource: Resource::of(&resource),
                resource_id: number("resource_id").unwrap_or_default(),
                action: Action::of(&word("status").unwrap_or_default()),
                last_change_date: last_change_date(body.get("data")),
            }))
        } else if let (Some(salon), Some(event)) = (number("salon_id"), word("event")) {
            Some(Self::Lifecycle(LifecycleEvent {
                salon_id: SalonId(salon),
                application_id: number("application_id"),
                change: Lifecycle::of(&event),
                partner_token: body.get("partner_token").and_then(Value::as_str).map(SecretString::from),
            }))
        } else if let (Some(salon), Some(event)) = (number("salon_id"), word("event_type").or_else(|| word("type"))) {
            Some(Self::of_the_papers(SalonId(salon), &event, body.get("data")))
        } else {
            None
        };
        event.ok_or(ParseError::UnknownShape)
    }

    /// `record_created` and the like are entity events, everything else is of the lifecycle.
    fn of_the_papers(salon_id: SalonId, event: &str, data: Option<&Value>) -> Self {
        let entity = event.rsplit_once('_').and_then(|(resource, verb)| {
            let action = match verb {
                "created" => Action::Create,
                "updated" => Action::Update,
                "deleted" => Action::Delete,
                _ => return None,
            };
            Some((Resource::of(resource), action))
        });
        match entity {
            Some((resource, action)) => {
                let id = ["id", "record_id", "client_id", "resource_id"].into_iter().find_map(|key| positive(data?.get(key)?));
                Self::Entity(EntityEvent {
                    salon_id,
                    resource,
                    resource_id: id.unwrap_or_default(),
                    action,
                    last_change_date: last_change_date(data),
                })
            }
            None => Self::Lifecycle(LifecycleEvent { salon_id, application_id: None, change: Lifecycle::of(event), partner_token: None }),
        }
    }

    /// The salon it is about.
    pub fn salon_id(&self) -> SalonId {
        match self {
            Self::Entity(event) => event.salon_id,
            Self::Lifecycle(event) => event.salon_id,
        }
    }

    /// Equal for deliveries of the same event: entity events by company, resource, id, status and
    /// `last_change_date`, all others by their body.
    pub fn dedupe_key(&self, body: &[u8]) -> String {
        match self {
            Self::Entity(EntityEvent { salon_id, resource, resource_id, action, last_change_date: Some(version) }) => {
                format!("{salon_id}:{}:{resource_id}:{}:{version}", resource.as_str(), action.as_str())
            }
            _ => Sha256::digest(body).iter().fold("body:".to_owned(), |mut key, byte| {
                let _ = write!(key, "{byte:02x}");
                key
            }),
        }
    }
}

impl EntityEvent {
    /// The booking to look at, where it is about one.
    pub fn record_id(&self) -> Option<RecordId> {
        (self.resource == Resource::Record && self.resource_id > 0).then_some(RecordId(self.resource_id))
    }
}

impl LifecycleEvent {
    /// It carries our own partner token, so YClients sent it. Constant time.
    pub fn is_from(&self, partner_token: &SecretString) -> bool {
        self.partner_token.as_ref().is_some_and(|theirs| same_secret(partner_token, theirs))
    }
}

impl Resource {
    fn of(word: &str) -> Self {
        match word {
            "record" => Self::Record,
            "client" => Self::Client,
            "service" | "service_category" => Self::Service,
            "staff" | "master" => Self::Staff,
            "schedule" => Self::Schedule,
            "company" | "salon" => Self::Salon,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The wire's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Record => "record",
            Self::Client => "client",
            Self::Service => "service",
            Self::Staff => "staff",
            Self::Schedule => "schedule",
            Self::Salon => "salon",
            Self::Other(word) => word,
        }
    }
}

impl Action {
    fn of(word: &str) -> Self {
        match word {
            "create" => Self::Create,
            "update" => Self::Update,
            "delete" => Self::Delete,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The wire's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Other(word) => word,
        }
    }
}

impl Lifecycle {
    fn of(word: &str) -> Self {
        match word {
            "uninstall" => Self::Uninstall,
            "freeze" => Self::Freeze,
            "unfreeze" => Self::Unfreeze,
            "payment" => Self::Payment,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The wire's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Uninstall => "uninstall",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::Payment => "payment",
            Self::Other(word) => word,
        }
    }
}

fn positive(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .filter(|number| *number > 0)
}

fn last_change_date(data: Option<&Value>) -> Option<String> {
    data?.get("last_change_date")?.as_str().map(|text| text.chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(body: &str) -> String {
        match Event::parse(body.as_bytes()) {
            Ok(Event::Entity(e)) => {
                format!(
                    "{} {} {} {} {}",
                    e.salon_id,
                    e.resource.as_str(),
                    e.resource_id,
                    e.action.as_str(),
                    e.last_change_date.unwrap_or_default()
                )
            }
            Ok(Event::Lifecycle(e)) => {
                let signed = e.is_from(&"token".into());
                format!("{} {} app {:?} signed {signed}", e.salon_id, e.change.as_str(), e.application_id)
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn three_shapes_and_none() {
        for (body, expected) in [
            (
                r#"{"company_id":199630,"resource":"record","resource_id":122641972,"status":"update","data":{"last_change_date":"2019-01-16T20:35:15+0900"}}"#,
                "199630 record 122641972 update 2019-01-16T20:35:15+0900",
            ),
            (r#"{"company_id":"1","resource":"schedule","resource_id":"11","status":"update","data":[]}"#, "1 schedule 11 update "),
            (
                r#"{"company_id":1,"resource":"finances_operation","resource_id":5,"status":"create","data":{}}"#,
                "1 finances_operation 5 create ",
            ),
            (r#"{"salon_id":123,"application_id":7,"event":"uninstall","partner_token":"token"}"#, "123 uninstall app Some(7) signed true"),
            (r#"{"salon_id":123,"application_id":7,"event":"freeze","partner_token":"other"}"#, "123 freeze app Some(7) signed false"),
            (r#"{"salon_id":123,"event":"dance"}"#, "123 dance app None signed false"),
            (r#"{"event_type":"payment","salon_id":123,"data":{}}"#, "123 payment app None signed false"),
            (r#"{"type":"unfreeze","salon_id":"123"}"#, "123 unfreeze app None signed false"),
            (r#"{"event_type":"record_created","salon_id":123,"data":{"id":5}}"#, "123 record 5 create "),
            (r#"{"event_type":"record_deleted","salon_id":123,"data":{"record_id":"5"}}"#, "123 record 5 delete "),
            (r#"{"event_type":"client_created","salon_id":123,"data":{}}"#, "123 client 0 create "),
            (r#"{"event_type":"record_created"}"#, "the body has none of the known shapes"),
            (r#"{"company_id":0,"resource":"record"}"#, "the body has none of the known shapes"),
            ("[]", "the body has none of the known shapes"),
            ("{", "the body is no JSON"),
            ("", "the body is no JSON"),
        ] {
            assert_eq!(seen(body), expected, "{body}");
        }
    }

    #[test]
    fn the_same_event_has_the_same_key() {
        let key = |body: &str| Event::parse(body.as_bytes()).expect("an event").dedupe_key(body.as_bytes());
        let record = |id: u8, status: &str, version: &str, comment: &str| {
            key(&format!(
                r#"{{"company_id":1,"resource":"record","resource_id":{id},"status":"{status}","data":{{"last_change_date":"{version}","comment":"{comment}"}}}}"#
            ))
        };
        let first = record(5, "update", "a", "");
        assert_eq!(first, record(5, "update", "a", "другой порядок полей"));
        for other in [record(6, "update", "a", ""), record(5, "delete", "a", ""), record(5, "update", "b", "")] {
            assert_ne!(first, other);
        }
        let uninstall = r#"{"salon_id":1,"event":"uninstall","partner_token":"t"}"#;
        assert_eq!(key(uninstall), key(uninstall));
        assert_ne!(key(uninstall), key(r#"{"salon_id":2,"event":"uninstall","partner_token":"t"}"#));
        assert!(!format!("{:?}", Event::parse(uninstall.as_bytes())).contains("\"t\""), "no token in a log");
    }
}
