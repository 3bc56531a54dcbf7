//! Faults ordered by a test or a person: the next matching requests or deliveries break in a given way.

use std::time::Duration;

use parking_lot::Mutex;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Deserialize;

/// Whose traffic breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Calls of the product to YClients, and YClients' webhooks.
    Yclients,
    /// The product's WhatsApp connections.
    Whatsapp,
    /// Calls to the language model.
    Llm,
}

/// The way it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Answers with a status and YClients' error envelope; nothing is done. WhatsApp: the stream ends or a login fails with it.
    Status,
    /// Holds the request for the delay, then closes the connection; nothing is done. WhatsApp: an acknowledgement is held.
    Timeout,
    /// Does the work, then holds the answer for the delay and closes the connection.
    TimeoutAfterCommit,
    /// Answers with a gateway's HTML page; nothing is done.
    Html,
    /// Answers 429.
    RateLimit,
    /// Webhooks: sent twice. WhatsApp: a message reaches the device twice.
    Duplicate,
    /// Webhooks: sent after the next one. WhatsApp: a message reaches the device after the next one.
    Reorder,
    /// Webhooks: never sent. WhatsApp: a message or acknowledgement is lost.
    Drop,
    /// WhatsApp: the connection is cut; after a message was taken, before its acknowledgement.
    Disconnect,
    /// WhatsApp: a message is refused by the server.
    Nack,
    /// WhatsApp: another login takes the device's place.
    Replaced,
}

/// An order for faults, as the control API takes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Order {
    /// Whose traffic breaks.
    pub target: Target,
    /// Method and the beginning of the path (`POST /api/v1/book_record`); of WhatsApp's stanzas the beginning as
    /// [`crate::whatsapp::Occasion`] has it; everything when absent.
    #[serde(rename = "match")]
    pub matches: Option<String>,
    /// The way it breaks.
    pub kind: Kind,
    /// For [`Kind::Status`] and [`Kind::Html`]: the status; for [`Kind::Nack`]: the error code, 463 when absent.
    pub status: Option<u16>,
    /// Milliseconds to hold a request or an answer.
    pub delay_ms: Option<u64>,
    /// How many matching requests break; 1 when absent.
    pub times: Option<u32>,
    /// The share of matching requests that break, 0 to 1; all when absent.
    pub probability: Option<f64>,
    /// Makes the choice by `probability` repeatable.
    pub seed: Option<u64>,
    /// WhatsApp: only the devices of this salon.
    pub salon: Option<i64>,
}

/// A fault that is to happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The way it breaks.
    pub kind: Kind,
    /// The status ordered, if any.
    pub status: Option<u16>,
    /// How long to hold; zero unless ordered, 30 s for the time-outs.
    pub delay: Duration,
}

/// How often something that was ordered still happens: so many times, and by chance where a share is given.
pub(crate) struct Odds {
    left: u32,
    share: Option<f64>,
    chance: StdRng,
}

impl Odds {
    /// Once unless `times` says otherwise; with the `probability` (0 to 1) at each occasion, which a `seed` makes repeatable.
    pub(crate) fn new(times: Option<u32>, probability: Option<f64>, seed: Option<u64>) -> Self {
        let chance = StdRng::seed_from_u64(seed.unwrap_or_else(rand::random));
        Self { left: times.unwrap_or(1), share: probability.map(|share| share.clamp(0.0, 1.0)), chance }
    }

    /// An occasion: whether it happens this time.
    pub(crate) fn strike(&mut self) -> bool {
        let strikes = self.left > 0 && self.share.is_none_or(|share| self.chance.random_bool(share));
        self.left -= u32::from(strikes);
        strikes
    }

    /// Whether it never happens again.
    pub(crate) fn spent(&self) -> bool {
        self.left == 0
    }
}

struct Rule {
    order: Order,
    odds: Odds,
}

/// The faults that are still to come.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
}

impl Faults {
    /// Orders a fault.
    pub fn add(&self, order: Order) {
        let odds = Odds::new(order.times, order.probability, order.seed);
        self.rules.lock().push(Rule { odds, order });
    }

    /// Forgets all orders.
    pub fn clear(&self) {
        self.rules.lock().clear();
    }

    /// The fault for a request of the product to YClients, if one is due.
    pub fn for_request(&self, method: &str, path: &str) -> Option<Hit> {
        self.take(Target::Yclients, method, path, |kind| {
            matches!(kind, Kind::Status | Kind::Timeout | Kind::TimeoutAfterCommit | Kind::Html | Kind::RateLimit)
        })
    }

    /// The fault for a webhook, if one is due.
    pub fn for_webhook(&self, path: &str) -> Option<Hit> {
        self.take(Target::Yclients, "POST", path, |kind| matches!(kind, Kind::Duplicate | Kind::Reorder | Kind::Drop))
    }

    fn take(&self, target: Target, method: &str, path: &str, of_this_sort: impl Fn(Kind) -> bool) -> Option<Hit> {
        let mut rules = self.rules.lock();
        let rule = rules.iter_mut().find_map(|rule| {
            let order = &rule.order;
            let due =
                order.target == target && of_this_sort(order.kind) && matches(order.matches.as_deref(), method, path) && rule.odds.strike();
            due.then_some(rule)
        })?;
        let held = matches!(rule.order.kind, Kind::Timeout | Kind::TimeoutAfterCommit);
        let delay = Duration::from_millis(rule.order.delay_ms.unwrap_or(if held { 30_000 } else { 0 }));
        let hit = Hit { kind: rule.order.kind, status: rule.order.status, delay };
        rules.retain(|rule| !rule.odds.spent());
        Some(hit)
    }
}

/// A space ends the method; a pattern without one is a path when it begins with a slash, else a method.
fn matches(pattern: Option<&str>, method: &str, path: &str) -> bool {
    match pattern.map(|p| p.split_once(' ').unwrap_or(if p.starts_with('/') { ("", p) } else { (p, "") })) {
        None => true,
        Some((wanted, beginning)) => (wanted.is_empty() || wanted.eq_ignore_ascii_case(method)) && path.starts_with(beginning.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(json: serde_json::Value) -> Order {
        serde_json::from_value(json).expect("an order")
    }

    #[test]
    fn breaks_the_next_matching_requests_and_no_more() {
        let faults = Faults::default();
        faults.add(order(
            serde_json::json!({"target":"yclients","match":"POST /api/v1/book_record","kind":"timeout_after_commit","times":2}),
        ));
        assert_eq!(faults.for_request("GET", "/api/v1/book_record/1"), None);
        assert_eq!(faults.for_request("POST", "/api/v1/book_check/1"), None);
        assert_eq!(faults.for_webhook("/webhook/yclients"), None);
        let hit = Hit { kind: Kind::TimeoutAfterCommit, status: None, delay: Duration::from_secs(30) };
        assert_eq!(faults.for_request("POST", "/api/v1/book_record/1"), Some(hit));
        assert_eq!(faults.for_request("POST", "/api/v1/book_record/2"), Some(hit));
        assert_eq!(faults.for_request("POST", "/api/v1/book_record/3"), None);
    }

    #[test]
    fn a_seed_makes_chance_repeatable() {
        let hits = |seed: u64| {
            let faults = Faults::default();
            faults.add(order(
                serde_json::json!({"target":"yclients","kind":"status","status":500,"times":1000,"probability":0.5,"seed":seed}),
            ));
            (0..64).map(|_| faults.for_request("GET", "/").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(hits(7), hits(7));
        assert_ne!(hits(7), hits(8));
        assert!((10..54).contains(&hits(7).iter().filter(|&&h| h).count()));
    }
}
