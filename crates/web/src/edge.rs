//! What every answer carries and every request is kept to: headers, origins, size, time, a request id.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::Web;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest body where nothing else is said.
pub(crate) const BODY: usize = 64 * 1024;
/// Longest body of a webhook (contract).
pub(crate) const WEBHOOK_BODY: usize = 1024 * 1024;
/// Longest time for an answer; activation waits for YClients twice, ten seconds each.
pub(crate) const ANSWER: Duration = Duration::from_secs(35);

/// Nothing from elsewhere, nothing inline; YClients alone may frame the pages (reference §3.1).
const CONTENT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                       base-uri 'none'; form-action 'self'; frame-ancestors https://yclients.com https://*.yclients.com";

/// The fixed headers of every answer.
pub(crate) async fn headers(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, CONTENT);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Tokens stand in addresses, so an address must not travel on.
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=(), clipboard-write=(self)");
    if !web.settings.development {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A span and an id for each request. The id is always our own, since a stranger's would end up in
/// the log; the address is never told, since tokens and secrets stand in paths and queries.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = request.method().to_string();
    let id = Uuid::now_v7().simple().to_string();
    let span = tracing::info_span!("request", method, route, id, status = tracing::field::Empty);
    let begun = tokio::time::Instant::now();
    async move {
        let mut response = next.run(request).await;
        let (status, took) = (response.status(), begun.elapsed());
        Span::current().record("status", status.as_u16());
        tracing::debug!(ms = took.as_millis(), "answered");
        let labels = [("method", method), ("route", route), ("status", status.as_u16().to_string())];
        metrics::histogram!("http_seconds", &labels).record(took.as_secs_f64());
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

/// A handler panicked.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Whether a browser at that origin may open sockets: our own pages, the operator's list, YClients.
pub(crate) fn origin_allowed(web: &Web, origin: Option<&HeaderValue>) -> bool {
    let Some(origin) = origin else { return true }; // no browser
    let Ok(origin) = origin.to_str() else { return false };
    let ours = web.settings.base_url.origin().ascii_serialization();
    let yclients = origin.strip_prefix("https://").is_some_and(|host| host == "yclients.com" || host.ends_with(".yclients.com"));
    web.settings.development || origin == ours || yclients || web.settings.allowed_origins.iter().any(|allowed| allowed == origin)
}
