//! What every request of the application passes: the log, ordered faults, the limit, the dialect of errors.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use axum::{
    Json,
    extract::{ConnectInfo, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{Emulator, refusal::Refusal};
use crate::{
    door::Peer,
    faults::{Hit, Kind},
};

/// A request of the application.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// When it came, by the calendar.
    pub at: Timestamp,
    /// Method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// The query, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Status answered; 0 while under way and where the connection was closed instead.
    pub status: u16,
    /// Milliseconds until the answer.
    pub ms: f64,
}

/// More than a test makes; the oldest go.
const KEPT: usize = 200_000;

#[derive(Default)]
pub(crate) struct RequestLog {
    entries: Mutex<(u64, VecDeque<Seen>)>,
}

impl RequestLog {
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.entries.lock().1.iter().cloned().collect()
    }

    fn enter(&self, seen: Seen) -> u64 {
        let (dropped, entries) = &mut *self.entries.lock();
        if entries.len() == KEPT {
            entries.pop_front();
            *dropped += 1;
        }
        entries.push_back(seen);
        *dropped + entries.len() as u64 - 1
    }

    fn answered(&self, number: u64, status: u16, ms: f64) {
        let (dropped, entries) = &mut *self.entries.lock();
        let index = number.checked_sub(*dropped).and_then(|i| usize::try_from(i).ok());
        if let Some(seen) = index.and_then(|i| entries.get_mut(i)) {
            (seen.status, seen.ms) = (status, ms);
        }
    }
}

pub(crate) async fn pass(State(emulator): State<Arc<Emulator>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let number = emulator.requests.enter(Seen {
        at: emulator.now(),
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        status: 0,
        ms: 0.0,
    });
    let response = answer(&emulator, request, next).await;
    emulator.requests.answered(number, response.status().as_u16(), began.elapsed().as_secs_f64() * 1000.0);
    response
}

async fn answer(emulator: &Emulator, request: Request, next: Next) -> Response {
    let modern = request.headers().get(header::ACCEPT).is_some_and(|a| a.to_str().is_ok_and(|a| a.contains(".v2+json")));
    let hit = emulator.faults.for_request(request.method().as_str(), request.uri().path());
    let from = request.extensions().get::<ConnectInfo<Peer>>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.0.ip());
    if emulator.limiter.as_ref().is_some_and(|limiter| !limiter.admit(from, Instant::now())) {
        return too_many();
    }
    let response = match hit {
        None => next.run(request).await,
        Some(hit) => broken(hit, request, next).await,
    };
    match response.extensions().get::<Refusal>() {
        Some(refusal) if !modern => (refusal.status, Json(refusal.legacy_body())).into_response(),
        _ => response,
    }
}

async fn broken(hit: Hit, request: Request, next: Next) -> Response {
    let status = |otherwise| hit.status.and_then(|s| StatusCode::from_u16(s).ok()).unwrap_or(otherwise);
    match hit.kind {
        Kind::TimeoutAfterCommit => {
            next.run(request).await;
            sleep(hit.delay).await;
            hang_up()
        }
        Kind::Timeout => {
            sleep(hit.delay).await;
            hang_up()
        }
        Kind::RateLimit => too_many(),
        Kind::Html => {
            sleep(hit.delay).await;
            let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
            (status(StatusCode::BAD_GATEWAY), Html(page)).into_response()
        }
        _ => {
            sleep(hit.delay).await;
            Refusal::new(status(StatusCode::INTERNAL_SERVER_ERROR), "Внутренняя ошибка сервера").into_response()
        }
    }
}

/// Closes the connection without an answer: a server has no other way to leave a request unanswered than to end the
/// connection's task, and an unwinding that no panic hook reports does just that.
fn hang_up() -> Response {
    std::panic::resume_unwind(Box::new("the connection is closed by an ordered fault"))
}

fn too_many() -> Response {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Превышено количество запросов").into_response()
}

/// Partner token, as the online booking and the marketplace ask for it.
pub(crate) async fn partner(State(emulator): State<Arc<Emulator>>, request: Request, next: Next) -> Response {
    match tokens(&emulator, &request) {
        Ok(_) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Partner and user token, as the salon's data ask for them.
pub(crate) async fn user(State(emulator): State<Arc<Emulator>>, request: Request, next: Next) -> Response {
    match tokens(&emulator, &request) {
        Ok(Some(user)) if user == emulator.settings.user_token => next.run(request).await,
        Ok(_) => Refusal::new(StatusCode::UNAUTHORIZED, "Необходима авторизация").into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// Reads `Bearer <partner>[, User <user>]`; the user's token where there is one.
fn tokens(emulator: &Emulator, request: &Request) -> Result<Option<String>, Refusal> {
    let refuse = |message: &str| Refusal::new(StatusCode::UNAUTHORIZED, message);
    let header = request.headers().get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let mut parts = header.split(',').map(str::trim);
    let bearer = parts.next().and_then(|p| p.strip_prefix("Bearer ")).map(str::trim).filter(|p| !p.is_empty());
    let bearer = bearer.ok_or_else(|| refuse("Не указаны авторизационные данные"))?;
    if bearer != emulator.settings.partner_token {
        return Err(refuse("Не указан идентификатор партнера"));
    }
    Ok(parts.find_map(|p| p.strip_prefix("User ")).map(|user| user.trim().to_owned()))
}

/// A part of the service that is not emulated: said aloud, so that nobody builds on silence.
pub(crate) async fn not_built(method: Method, request: Request) -> Response {
    tracing::warn!(%method, path = request.uri().path(), "this part of YClients is not emulated");
    Refusal::new(StatusCode::NOT_IMPLEMENTED, "Эта часть YClients не эмулируется").into_response()
}
