//! Socket.IO: the linking page's news. A socket belongs to one salon, by its token, and sees no other.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{CompanyId, LinkState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{SocketRef, TryData},
    handler::ConnectHandler,
    layer::SocketIoLayer,
};
use store::CompanyEvent;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use whatsapp::{Event, SessionEvent};

use crate::{
    Fault, Web,
    client_ip::ClientIp,
    edge,
    extract::bearer,
    linking, qr,
    texts::{self, Lang},
    token::Claims,
};

const MARKETPLACE: &str = "/marketplace";
/// The older name of the same.
const WHATSAPP: &str = "/whatsapp";
const PING_EVERY: Duration = Duration::from_secs(25);
const PING_TIMEOUT: Duration = Duration::from_secs(60);
const LARGEST: u64 = 16 * 1024;
/// The official client, for pages that others write; ours speaks for itself.
const CLIENT: &str = include_str!("../assets/vendor/socket.io-client/socket.io.min.js");

/// The layer that answers `/socket.io/`, with both namespaces and their news.
pub(crate) fn layer(web: &Arc<Web>) -> SocketIoLayer {
    let (layer, io) = SocketIo::builder().ping_interval(PING_EVERY).ping_timeout(PING_TIMEOUT).max_payload(LARGEST).build_layer();
    io.ns(MARKETPLACE, welcome.with(admit));
    io.ns(WHATSAPP, welcome_older.with(admit));
    tokio::spawn(relay_sessions(io.clone(), web.app.whatsapp.subscribe()));
    tokio::spawn(relay_events(io, web.app.store.bus().subscribe()));
    layer
}

fn room(company: CompanyId) -> String {
    format!("company-{company}")
}

// --- the door ------------------------------------------------------------------------------------

/// Before the handshake: the origin, and what the official server answers that ours words otherwise.
pub(crate) async fn door(State(web): State<Arc<Web>>, mut request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/socket.io") {
        return next.run(request).await;
    }
    if let "/socket.io/socket.io.js" | "/socket.io/socket.io.min.js" = request.uri().path() {
        return ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")], CLIENT)
            .into_response();
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    if !edge::origin_allowed(&web, origin.as_ref()) {
        return engine_error(StatusCode::FORBIDDEN, 4, "Forbidden");
    }
    if let Some(origin) = origin.as_ref().filter(|_| request.method() == Method::OPTIONS) {
        return preflight(origin);
    }
    // Without a session's id it opens one.
    let opens = !url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).any(|(name, _)| name == "sid");
    let ip = request.extensions().get::<ClientIp>().copied();
    if opens && request.uri().query().is_some() && ip.is_some_and(|ip| !web.handshakes.take(ip.0)) {
        return engine_error(StatusCode::TOO_MANY_REQUESTS, 3, "Too many connections");
    }
    request.extensions_mut().insert(web);
    let mut response = as_official(next.run(request).await).await;
    if let Some(origin) = origin {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// What a browser asks before it sends a token from an allowed origin in a header.
fn preflight(origin: &HeaderValue) -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST")),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type")),
        (header::VARY, HeaderValue::from_static("Origin")),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

fn engine_error(status: StatusCode, code: u8, message: &str) -> Response {
    (status, axum::Json(json!({ "code": code, "message": message }))).into_response()
}

/// The official server's `code` is a number, engineioxide's a string, and some refusals are bare.
async fn as_official(response: Response) -> Response {
    #[derive(Deserialize)]
    struct Refusal {
        code: String,
        message: String,
    }
    if response.status() != StatusCode::BAD_REQUEST {
        return response;
    }
    let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap_or_default();
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(Refusal { code, message }) => engine_error(StatusCode::BAD_REQUEST, code.parse().unwrap_or(3), &message),
        Err(_) if body.is_empty() => engine_error(StatusCode::BAD_REQUEST, 3, "Bad request"),
        Err(_) => Response::builder().status(StatusCode::BAD_REQUEST).body(Body::from(body)).unwrap_or_default(),
    }
}

#[derive(Deserialize, Default)]
struct Auth {
    token: Option<String>,
}

/// The salon of a socket and the way back to the app.
#[derive(Clone)]
struct Guest {
    web: Arc<Web>,
    claims: Claims,
}

/// Before a namespace is joined: how often, and whose.
async fn admit(socket: SocketRef, TryData(auth): TryData<Auth>) -> Result<(), String> {
    let parts = socket.req_parts();
    let web = parts.extensions.get::<Arc<Web>>().cloned().ok_or_else(|| said(&Fault::Internal))?;
    if parts.extensions.get::<ClientIp>().is_some_and(|ip| !web.sockets.take(ip.0)) {
        return Err(texts::TOO_MANY_SOCKETS.to_owned());
    }
    let token = bearer(&parts.headers).map(str::to_owned).or_else(|| auth.ok().and_then(|auth| auth.token)).or_else(|| {
        let found = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).find(|(name, _)| name == "token");
        found.map(|(_, token)| {
            tracing::warn!("a socket carries its token in the address, where logs of proxies may keep it");
            token.into_owned()
        })
    });
    let token = token.ok_or_else(|| said(&Fault::TokenInvalid))?;
    let claims = web.registration(&token).await.map_err(|fault| said(&fault))?;
    socket.extensions.insert(Guest { web: web.clone(), claims });
    Ok(())
}

fn said(fault: &Fault) -> String {
    fault.body(Lang::Ru).message()
}

// --- the namespaces ------------------------------------------------------------------------------

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskCode {
    phone_number: String,
}

async fn welcome(socket: SocketRef) {
    let Some(guest) = socket.extensions.get::<Guest>() else { return };
    socket.on("request-qr", async |socket: SocketRef| fresh_qr(&socket, "qr-update").await);
    socket.on("request-pairing-code", async |socket: SocketRef, TryData(ask): TryData<AskCode>| {
        let Some(guest) = socket.extensions.get::<Guest>() else { return };
        let Ok(ask) = ask else { return emit(&socket, "error", &json!({ "message": said(&Fault::InvalidPhone) })) };
        match linking::pairing_code(&guest.web, guest.claims.company_id, &ask.phone_number).await {
            Ok(paired) => {
                emit(&socket, "pairing-code", &json!({ "code": paired.code, "phoneNumber": paired.phone, "expiresIn": paired.expires_in }))
            }
            Err(fault) => emit(&socket, "error", &json!({ "message": said(&fault) })),
        }
    });
    arrive(&socket, &guest, "qr-update").await;
}

async fn welcome_older(socket: SocketRef) {
    let Some(guest) = socket.extensions.get::<Guest>() else { return };
    socket.on("request-qr", async |socket: SocketRef| fresh_qr(&socket, "qr").await);
    arrive(&socket, &guest, "qr").await;
}

/// A new run of codes begins where none is worth scanning; the one of now is told at once.
async fn fresh_qr(socket: &SocketRef, event: &str) {
    let Some(guest) = socket.extensions.get::<Guest>() else { return };
    match linking::renew(&guest.web, guest.claims.company_id).await {
        Ok(()) => show_qr(socket, &guest, event),
        Err(fault) => emit(socket, "error", &json!({ "message": said(&fault) })),
    }
}

fn show_qr(socket: &SocketRef, guest: &Guest, event: &str) {
    if let Some((code, remaining)) = guest.web.app.whatsapp.last_qr(guest.claims.company_id)
        && let Ok(body) = qr_body(&code, remaining)
    {
        emit(socket, event, &body);
    }
}

/// A page came: it is told how things stand, and linking goes on or begins.
async fn arrive(socket: &SocketRef, guest: &Guest, qr_event: &str) {
    let (web, company) = (&guest.web, guest.claims.company_id);
    socket.join(room(company));
    let state = web.app.whatsapp.state(company);
    for (event, body) in news(company, &state, socket.ns()) {
        emit(socket, event, &body);
    }
    if state.is_connected() {
        return;
    }
    if let Err(fault) = linking::begin(web, company).await {
        return emit(socket, "error", &json!({ "message": said(&fault) }));
    }
    show_qr(socket, guest, qr_event);
}

/// What a state is on the wire, in that namespace.
fn news(company: CompanyId, state: &LinkState, ns: &str) -> Vec<(&'static str, Value)> {
    let linked = match state {
        LinkState::Connected { phone, name } => Some((phone.digits(), name)),
        _ => None,
    };
    let waiting = matches!(state, LinkState::Disconnected | LinkState::Connecting | LinkState::LoggedOut);
    match (ns, linked) {
        (WHATSAPP, Some((phone, name))) => vec![("connected", json!({ "phone": phone, "name": name }))],
        (WHATSAPP, None) if waiting => Vec::new(),
        (WHATSAPP, None) => vec![("error", json!({ "message": state.reason() }))],
        (_, Some((phone, _))) => vec![
            ("status", json!(linking::Status::of(state))),
            ("whatsapp-connected", json!({ "success": true, "phone": phone, "companyId": company })),
        ],
        (_, None) => vec![("status", json!(linking::Status::of(state)))],
    }
}

fn qr_body(code: &str, remaining: Duration) -> Result<Value, Fault> {
    Ok(json!({ "qr": qr::data_url(code)?, "expiresIn": remaining.as_secs(), "code": code }))
}

fn emit(socket: &SocketRef, event: &str, body: &impl Serialize) {
    if let Err(error) = socket.emit(event, body) {
        tracing::debug!(%error, "a page went away");
    }
}

// --- the news ------------------------------------------------------------------------------------

/// Carries what the sessions tell to the pages of their salon, until the sessions are gone.
async fn relay_sessions(io: SocketIo, mut sessions: Receiver<SessionEvent>) {
    while let Some(SessionEvent { company_id, event, .. }) = next(&mut sessions).await {
        let to_both: Vec<(&str, &str, Value)> = match event {
            Event::Qr { code, expires_in } => match qr_body(&code, expires_in) {
                Ok(body) => vec![(MARKETPLACE, "qr-update", body.clone()), (WHATSAPP, "qr", body)],
                Err(_) => continue,
            },
            Event::State(state) => [MARKETPLACE, WHATSAPP]
                .into_iter()
                .flat_map(|ns| news(company_id, &state, ns).into_iter().map(move |(event, body)| (ns, event, body)))
                .collect(),
            // Whoever asked for a pairing code has it as the answer.
            Event::PairingCode { .. } => continue,
        };
        for (ns, event, body) in to_both {
            tell(&io, ns, company_id, event, &body).await;
        }
    }
}

/// Carries what workflows publish to the pages of their salon.
async fn relay_events(io: SocketIo, mut events: Receiver<CompanyEvent>) {
    while let Some(event) = next(&mut events).await {
        if ["sync-progress", "error"].contains(&event.kind.as_str()) {
            tell(&io, MARKETPLACE, event.company_id, &event.kind, &event.payload).await;
        }
    }
}

/// The next of a broadcast; what was lost by lagging is only news, the state is asked for on connecting.
async fn next<T: Clone>(from: &mut Receiver<T>) -> Option<T> {
    loop {
        match from.recv().await {
            Ok(value) => return Some(value),
            Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "pages missed some news"),
            Err(RecvError::Closed) => return None,
        }
    }
}

async fn tell(io: &SocketIo, ns: &'static str, company: CompanyId, event: &str, body: &Value) {
    let Some(namespace) = io.of(ns) else { return };
    if let Err(error) = namespace.to(room(company)).emit(event, body).await {
        tracing::debug!(%error, "not every page was told");
    }
}
