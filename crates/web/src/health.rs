//! Whether the product lives and can work, and what it offers.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{Fault, Web};

/// How the product stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok` or `error`.
    status: &'static str,
    /// Calendar time.
    #[schema(value_type = String)]
    timestamp: jiff::Timestamp,
    environment: Environment,
    /// What it works with, in a word each.
    #[schema(value_type = Object)]
    dependencies: Value,
    services: Services,
    /// Settings without which no salon can be connected.
    missing: Vec<&'static str>,
}

/// What is configured; never a value.
#[derive(Serialize, ToSchema)]
struct Environment {
    partner_token: bool,
    app_id: bool,
    jwt_secret: bool,
    base_url: String,
    version: &'static str,
}

/// What runs.
#[derive(Serialize, ToSchema)]
struct Services {
    api_running: bool,
    database_connected: bool,
    whatsapp_pool_ready: bool,
}

/// The product's health; 503 when something is missing.
#[utoipa::path(get, path = "/marketplace/health", tag = "health", responses((status = 200, description = "As it stands", body = Health), (status = 503, description = "Something is missing", body = Health)))]
pub(crate) async fn marketplace_health(State(web): State<Arc<Web>>) -> (StatusCode, Json<Health>) {
    let database_connected = web.app.store.ping().await.is_ok();
    let missing = web.settings.missing.clone();
    let well = database_connected && missing.is_empty();
    let health = Health {
        status: if well { "ok" } else { "error" },
        timestamp: web.app.clock.now(),
        environment: Environment {
            partner_token: web.settings.partner_token.is_some(),
            app_id: web.app.settings.application_id > 0,
            jwt_secret: true,
            base_url: web.settings.base_url.to_string(),
            version: env!("CARGO_PKG_VERSION"),
        },
        dependencies: json!({
            "database": web.app.store.engine(),
            "yclients": if web.app.yclients.has_user_token() { "full" } else { "online_booking_only" },
            "language_model": "none",
        }),
        services: Services { api_running: true, database_connected, whatsapp_pool_ready: database_connected },
        missing,
    };
    (if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}

/// The process runs.
pub(crate) async fn livez() -> &'static str {
    "ok"
}

/// Requests can be served.
pub(crate) async fn readyz(State(web): State<Arc<Web>>) -> (StatusCode, &'static str) {
    match web.app.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    }
}

/// A sign of life with the addresses of onboarding.
#[utoipa::path(get, path = "/marketplace/test", tag = "health", responses((status = 200, description = "It answers")))]
pub(crate) async fn test() -> Json<Value> {
    Json(json!({
        "success": true,
        "status": "ok",
        "endpoints": {
            "redirect": "/auth/yclients/redirect",
            "register": "/marketplace/register",
            "onboarding": "/marketplace/onboarding",
            "qr": "/marketplace/api/qr",
            "pairing_code": "/marketplace/api/pairing-code",
            "activate": "/marketplace/activate",
            "webhook": "/webhook/yclients",
            "health": "/marketplace/health",
            "docs": "/api/docs",
        },
        "message": "AI Admin marketplace integration",
    }))
}

/// The API, described.
pub(crate) async fn openapi() -> Result<Response, Fault> {
    Ok(([(header::CONTENT_TYPE, "application/json")], crate::openapi()).into_response())
}
