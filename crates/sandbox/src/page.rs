//! The chat page at `/`.

use axum::{
    Router,
    extract::Path,
    http::{HeaderName, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;

/// Everything the page is made of; it loads nothing from elsewhere.
#[derive(RustEmbed)]
#[folder = "page"]
struct Files;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(|| file("index.html")))
        .route("/page/{name}", get(|Path(name): Path<String>| async move { file(&name).await }))
        .layer(middleware::from_fn(crate::control::from_this_machine))
}

async fn file(name: &str) -> Response {
    let kind = match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let Some(file) = Files::get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, file.data).into_response()
}
