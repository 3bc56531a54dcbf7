use std::{
    fmt::{self, Display},
    sync::Arc,
    time::Duration,
};

use domain::SalonId;
use jiff::Timestamp;
use reqwest::{Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::{CallbackStyle, Error, Priority, RateLimit, SetupError, limit::Limiter};

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(10);
/// A read is not begun anew later than this after its first attempt: somebody is waiting.
const RETRY_WITHIN: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 3;
const BACKOFF: Duration = Duration::from_millis(250);
/// YClients documents no `Retry-After`; its shortest window is a second.
const PAUSE_AFTER_429: Duration = Duration::from_secs(1);
const LONGEST_PAUSE_AFTER_429: Duration = Duration::from_secs(10);
/// A page of 200 records with everything in it stays under 2 MiB.
const LARGEST_ANSWER: usize = 16 << 20;

/// How to reach YClients.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The host that serves `/api/v1` and `/marketplace`: `https://api.yclients.com`.
    pub base_url: Url,
    /// The developer's token: online booking, company, marketplace.
    pub partner_token: SecretString,
    /// The application's system user: records, clients, staff, schedules. Absent: only what
    /// online booking offers.
    pub user_token: Option<SecretString>,
    /// The application's id in the marketplace.
    pub application_id: i64,
    /// Whether to keep to YClients' limits.
    pub rate_limit: RateLimit,
    /// Which of the two callback calls finishes an installation.
    pub callback: CallbackStyle,
}

/// The client. Cheap to clone; all clones share connections and the rate limit.
#[derive(Clone)]
pub struct YClients {
    shared: Arc<Shared>,
    priority: Priority,
    /// Shared by all calls of a turn.
    place: Option<u64>,
    /// Whether this client may still write.
    may_write: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

struct Shared {
    settings: Settings,
    http: reqwest::Client,
    limiter: Limiter,
}

impl fmt::Debug for YClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YClients").field("priority", &self.priority).finish_non_exhaustive()
    }
}

impl YClients {
    /// A client for live conversations; see [`YClients::at`]. The process must have a rustls
    /// crypto provider installed.
    ///
    /// # Errors
    /// [`SetupError`] where TLS cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            // Shorter than a gateway's, so that a write does not meet a connection just closed.
            .pool_idle_timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("ai-admin/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| SetupError(error.to_string()))?;
        let limiter = Limiter::new(settings.rate_limit);
        Ok(Self { shared: Arc::new(Shared { settings, http, limiter }), priority: Priority::Live, place: None, may_write: None })
    }

    /// The same client, whose calls wait in that place of the queue.
    #[must_use]
    pub fn at(&self, priority: Priority) -> Self {
        Self { priority, ..self.clone() }
    }

    /// The same client for one turn of a conversation: whoever began to wait first is served to the
    /// end first, instead of all waiting for the last call of all. `may_write` is asked when a write
    /// is about to leave; after a no it is not sent, since the turn is somebody else's by then.
    #[must_use]
    pub fn for_turn(&self, may_write: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { place: Some(self.shared.limiter.place()), may_write: Some(Arc::new(may_write)), ..self.clone() }
    }

    /// Records, clients, staff and schedules can be read and written.
    pub fn has_user_token(&self) -> bool {
        self.shared.settings.user_token.is_some()
    }

    /// How it was set up.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Makes a call and reads its `data`.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let (name, effect) = (call.name, call.effect);
        decode(name, effect, self.send(call).await?.data)
    }

    /// Makes a call: in its turn, and again where that is harmless.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, Error> {
        let started = Instant::now();
        for attempt in 1.. {
            self.shared.limiter.turn(self.priority, self.place).await;
            let sent = Instant::now();
            let result = self.attempt(&call).await;
            let outcome = match &result {
                Ok(answer) => answer.status,
                Err(error) => error.status,
            };
            metrics::histogram!("yclients_call_seconds", "call" => call.name).record(sent.elapsed().as_secs_f64());
            metrics::counter!("yclients_calls_total", "call" => call.name, "status" => outcome.to_string()).increment(1);
            tracing::debug!(call = call.name, status = outcome, ms = sent.elapsed().as_millis(), attempt, "YClients called");
            let failed = match result {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if matches!(failed.error, Error::RateLimited) {
                self.shared.limiter.hold(failed.pause.unwrap_or(PAUSE_AFTER_429 * attempt).min(LONGEST_PAUSE_AFTER_429));
            }
            // A 429 did nothing, so even a write may follow it. Any other write is never repeated.
            let harmless = match failed.error {
                Error::RateLimited => true,
                Error::Unavailable { .. } => call.effect == Effect::Reads,
                _ => false,
            };
            if !harmless || attempt == ATTEMPTS || started.elapsed() > RETRY_WITHIN {
                tracing::warn!(call = call.name, error = %failed.error, attempt, "YClients call failed");
                return Err(failed.error);
            }
            if !matches!(failed.error, Error::RateLimited) {
                tokio::time::sleep(BACKOFF * 2u32.pow(attempt - 1)).await;
            }
        }
        unreachable!("the loop ends by its last attempt")
    }

    async fn attempt(&self, call: &Call) -> Result<Answer, Failed> {
        let writes = call.effect == Effect::Writes;
        let settings = &self.shared.settings;
        let mut url = settings.base_url.clone();
        url.set_path(&format!("{}{}", settings.base_url.path().trim_end_matches('/'), call.path));
        let partner = settings.partner_token.expose_secret();
        let authorization = match (call.token, &settings.user_token) {
            (Token::Partner, _) => format!("Bearer {partner}"),
            (Token::User, Some(user)) => format!("Bearer {partner}, User {}", user.expose_secret()),
            (Token::User, None) => return Err(Failed::before_sending(Error::NoUserToken { call: call.name })),
        };
        let mut authorization = header::HeaderValue::try_from(authorization).map_err(|_| {
            Failed::before_sending(Error::Unauthorized { message: "the configured token holds impossible characters".to_owned() })
        })?;
        authorization.set_sensitive(true);
        let mut request = self
            .shared
            .http
            .request(call.method.clone(), url)
            .header(header::AUTHORIZATION, authorization)
            .header(header::ACCEPT, "application/vnd.yclients.v2+json")
            .query(&call.query);
        request = match &call.body {
            Some(body) => request.json(body),
            None => request.header(header::CONTENT_TYPE, "application/json"),
        };
        let unavailable = |status: u16, reason: String, outcome_unknown: bool| Failed {
            error: Error::Unavailable { call: call.name, reason, outcome_unknown },
            status,
            pause: None,
        };
        if writes && self.may_write.as_ref().is_some_and(|may_write| !may_write()) {
            return Err(Failed::before_sending(Error::NotOurs { call: call.name }));
        }
        let asked_at = moment();
        let mut response = request.send().await.map_err(|error| {
            // Only where no connection came about is it sure that the request never arrived.
            let arrived = !error.is_connect() && !error.is_builder();
            unavailable(0, reason(&error), writes && arrived)
        })?;
        let status = response.status();
        let pause =
            response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unavailable(status.as_u16(), reason(&error), writes))? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(unavailable(status.as_u16(), "an endless answer".to_owned(), writes));
            }
        }
        match call.read(status, &body) {
            Ok((data, meta)) => Ok(Answer { status: status.as_u16(), data, meta, asked_at }),
            Err(error) => Err(Failed { error, status: status.as_u16(), pause }),
        }
    }
}

/// The machine's time.
#[expect(clippy::disallowed_methods, reason = "readings are ordered by it; it is nobody's calendar")]
pub(crate) fn moment() -> Timestamp {
    Timestamp::now()
}

/// The innermost cause: reqwest's own text would carry the URL.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timeout".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Reads the `data` of an answer. The path of a fault is told, the value there is not: it may
/// be a phone or a name.
pub(crate) fn decode<T: DeserializeOwned>(call: &'static str, effect: Effect, data: Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(data).map_err(|error| Error::Unreadable {
        call,
        at: error.path().to_string(),
        outcome_unknown: effect == Effect::Writes,
    })
}

struct Failed {
    error: Error,
    status: u16,
    pause: Option<Duration>,
}

impl Failed {
    fn before_sending(error: Error) -> Self {
        Self { error, status: 0, pause: None }
    }
}

/// A success: its payload and what stands beside it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) data: Value,
    pub(crate) meta: Value,
    /// Before the question went out.
    pub(crate) asked_at: Timestamp,
}

impl Answer {
    /// How many there are beyond this page, where the envelope says.
    pub(crate) fn total(&self) -> Option<usize> {
        ["/total_count", "/count"].into_iter().find_map(|place| self.meta.pointer(place)?.as_u64()).and_then(|n| usize::try_from(n).ok())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Partner,
    User,
}

/// Whether a call can be made again without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    Writes,
}

/// One call of the API.
#[derive(Debug)]
pub(crate) struct Call {
    name: &'static str,
    method: Method,
    path: String,
    token: Token,
    effect: Effect,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Call {
    fn new(name: &'static str, method: Method, path: String, token: Token, effect: Effect) -> Self {
        Self { name, method, path, token, effect, query: Vec::new(), body: None }
    }

    /// A call of online booking: the partner token is enough.
    pub(crate) fn partner(name: &'static str, method: Method, path: impl Display) -> Self {
        let effect = if method == Method::GET { Effect::Reads } else { Effect::Writes };
        Self::new(name, method, format!("/api/v1/{path}"), Token::Partner, effect)
    }

    /// A call on the salon's data: needs the user token.
    pub(crate) fn user(name: &'static str, method: Method, path: impl Display) -> Self {
        Self { token: Token::User, ..Self::partner(name, method, path) }
    }

    /// A call of the marketplace, which is not under `/api/v1`.
    pub(crate) fn marketplace(name: &'static str, method: Method, path: impl Display) -> Self {
        let call = Self::partner(name, method, "");
        Self { path: format!("/marketplace/{path}"), ..call }
    }

    /// A POST that changes nothing.
    pub(crate) fn without_effect(mut self) -> Self {
        self.effect = Effect::Reads;
        self
    }

    pub(crate) fn with(mut self, key: &'static str, value: impl Display) -> Self {
        self.query.push((key, value.to_string()));
        self
    }

    pub(crate) fn maybe(self, key: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    pub(crate) fn each(mut self, key: &'static str, values: impl IntoIterator<Item = impl Display>) -> Self {
        self.query.extend(values.into_iter().map(|value| (key, value.to_string())));
        self
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The payload and what stands beside it, by what a status and a body mean, in the order: JSON at all, status, `success`.
    fn read(&self, status: StatusCode, body: &[u8]) -> Result<(Value, Value), Error> {
        let writes = self.effect == Effect::Writes;
        let status_code = status.as_u16();
        let body = body.trim_ascii();
        let json: Value = if body.is_empty() {
            Value::Null
        } else if let Ok(json) = serde_json::from_slice(body) {
            json
        } else if status == StatusCode::TOO_MANY_REQUESTS {
            Value::Null
        } else {
            // A gateway's page says nothing of what happened behind it, whatever its status.
            let reason = format!("status {status_code} with a page instead of JSON");
            return Err(Error::Unavailable { call: self.name, reason, outcome_unknown: writes });
        };
        let refused = json.get("success").is_some_and(|success| *success == Value::Bool(false))
            || (json.get("success").is_none() && json.get("errors").is_some());
        if !(status.is_success() || status.is_redirection()) || refused {
            return Err(Error::from_answer(self.name, writes, status_code, &json));
        }
        let Value::Object(mut envelope) = json else {
            return Ok((json, Value::Null));
        };
        if envelope.contains_key("success") || envelope.contains_key("data") {
            let mut take = |key: &str| envelope.remove(key).unwrap_or_default();
            Ok((take("data"), take("meta")))
        } else {
            Ok((Value::Object(envelope), Value::Null))
        }
    }
}

/// The path of a salon's resource: `book_times/4564`.
pub(crate) fn of(resource: &str, salon: SalonId) -> String {
    format!("{resource}/{salon}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<(Value, Value), String> {
        let call = Call::partner("call", Method::POST, "x");
        let status = StatusCode::from_u16(status).expect("a status");
        call.read(status, body.as_bytes()).map_err(|error| match error {
            Error::Unavailable { outcome_unknown, .. } => format!("unavailable, unknown: {outcome_unknown}"),
            other => other.to_string(),
        })
    }

    #[test]
    fn envelopes() {
        let null = Value::Null;
        for (status, body, expected) in [
            (
                200,
                r#"{"success":true,"data":[1],"meta":{"total_count":1}}"#,
                Ok((serde_json::json!([1]), serde_json::json!({"total_count": 1}))),
            ),
            (201, r#"{"success":true,"meta":{"message":"Created"}}"#, Ok((null.clone(), serde_json::json!({"message": "Created"})))),
            (201, "", Ok((null.clone(), null.clone()))),
            (204, "", Ok((null.clone(), null.clone()))),
            (200, r#"[{"id":1}]"#, Ok((serde_json::json!([{"id": 1}]), null.clone()))),
            (200, r#"{"booking_dates":[]}"#, Ok((serde_json::json!({"booking_dates": []}), null.clone()))),
            (200, "<html>502</html>", Err("unavailable, unknown: true".to_owned())),
            (403, "<html>denied</html>", Err("unavailable, unknown: true".to_owned())),
            (429, "<html>slow down</html>", Err("YClients: too many requests".to_owned())),
            (200, r#"{"success":false,"data":null,"meta":{"message":"нельзя"}}"#, Err("YClients refuses: нельзя".to_owned())),
            (500, r#"{"success":false}"#, Err("unavailable, unknown: true".to_owned())),
        ] {
            assert_eq!(read(status, body), expected, "{status} {body}");
        }
    }
}
