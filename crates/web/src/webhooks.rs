//! What YClients posts: proven, stored, and only then acknowledged. Working on it is a job.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::HeaderMap,
};
use serde::{Deserialize, Serialize};
use store::{companies, companies::Company};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workflows::webhooks;
use yclients::{signature, webhook::Event};

use crate::{Fault, Web, edge, fault::ErrorBody};

/// Every address that webhooks may come to; one handler tells the kinds apart by their shape.
pub(crate) fn routes() -> OpenApiRouter<Arc<Web>> {
    use axum::routing::post;
    OpenApiRouter::new()
        .routes(routes!(receive))
        .route("/webhook/yclients/{last}", post(receive_at))
        .route("/webhook/events/{last}", post(receive_at))
        .route("/marketplace/webhook", post(receive))
        .route("/marketplace/webhook/{last}", post(receive_at))
        .layer(DefaultBodyLimit::max(edge::WEBHOOK_BODY))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Key {
    /// The salon's secret, where it does not stand in the path.
    key: Option<String>,
}

/// The event is stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct Received {
    success: bool,
    received: bool,
}

const RECEIVED: Received = Received { success: true, received: true };

/// An event of YClients: entity, lifecycle, or the design papers' form. Authentic by the salon's
/// secret as last path segment or `?key=`, by our partner token in the body, or by
/// `X-Yclients-Signature`. Also `/marketplace/webhook`, `/webhook/events/{company_id}` and others.
#[utoipa::path(post, path = "/webhook/yclients", tag = "webhooks", params(Key), request_body = Object, responses(
    (status = 200, description = "Stored, or of no concern", body = Received),
    (status = 400, description = "Authentic, but unreadable", body = ErrorBody),
    (status = 401, description = "Anybody's", body = ErrorBody),
    (status = 413, description = "Over 1 MiB", body = ErrorBody),
))]
pub(crate) async fn receive(
    State(web): State<Arc<Web>>,
    Query(query): Query<Key>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Received>, Fault> {
    accept(&web, query.key.as_deref(), &headers, &body).await
}

/// The same; a last segment of digits is a company's id and proves nothing, any other is a secret.
async fn receive_at(
    State(web): State<Arc<Web>>,
    Path(last): Path<String>,
    Query(query): Query<Key>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Received>, Fault> {
    let secret = Some(last.as_str()).filter(|last| !last.bytes().all(|byte| byte.is_ascii_digit()));
    accept(&web, secret.or(query.key.as_deref()), &headers, &body).await
}

async fn accept(web: &Web, secret: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Json<Received>, Fault> {
    let event = Event::parse(body);
    let Some(proof) = proof(web, secret, headers, body, event.as_ref().ok()).await? else { return Err(Fault::Unauthorized) };
    let event = event.map_err(|_| Fault::InvalidBody)?;
    let company = match proof {
        // A salon's secret speaks for that salon only.
        Proof::Salon(company) if company.salon_id == event.salon_id() => Some(*company),
        Proof::Salon(_) => return Err(Fault::Unauthorized),
        Proof::Yclients => companies::by_salon(&mut web.app.store.read().await?, event.salon_id()).await?,
    };
    match company {
        Some(company) => {
            let new = webhooks::accept(&web.app, company.id, &event, body).await?;
            metrics::counter!("webhooks", "new" => if new { "yes" } else { "no" }).increment(1);
        }
        None => tracing::info!(salon = %event.salon_id(), "an event of a salon that is not ours"),
    }
    Ok(Json(RECEIVED))
}

/// How an event proved itself.
enum Proof {
    /// By the secret of one salon.
    Salon(Box<Company>),
    /// By what only YClients knows.
    Yclients,
}

async fn proof(web: &Web, secret: Option<&str>, headers: &HeaderMap, body: &[u8], event: Option<&Event>) -> Result<Option<Proof>, Fault> {
    if let Some(secret) = secret.filter(|secret| !secret.is_empty())
        && let Some(company) = companies::by_webhook_secret(&mut web.app.store.read().await?, secret).await?
    {
        return Ok(Some(Proof::Salon(Box::new(company))));
    }
    let header = headers.get("x-yclients-signature").and_then(|value| value.to_str().ok());
    let signed = web.settings.webhook_secret.as_ref().zip(header).is_some_and(|(key, sign)| signature::verify_body(key, body, sign));
    let ours = |token| matches!(event, Some(Event::Lifecycle(lifecycle)) if lifecycle.is_from(token));
    Ok((signed || web.settings.partner_token.as_ref().is_some_and(ours)).then_some(Proof::Yclients))
}
