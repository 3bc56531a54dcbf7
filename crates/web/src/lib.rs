//! The product's door: HTTP, Socket.IO and the few pages that salons' browsers meet.
//!
//! Handlers are thin: an extractor yields the tenant (a registration token) or the operator (a
//! key), a workflow does the work, and a fault is told by one hand, as JSON to programs and as a
//! page to people. What is served is described by [`openapi`].

mod admin;
mod allowance;
mod client_ip;
mod edge;
mod extract;
mod fault;
mod health;
mod linking;
mod logs;
mod onboarding;
mod operators;
mod pages;
mod qr;
mod sockets;
mod texts;
mod token;
mod webhooks;

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use domain::CompanyId;
use secrecy::SecretString;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use url::Url;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use workflows::App;

pub(crate) use fault::Fault;
pub use logs::{Line, LogBook};
pub use token::{Claims, UserData};

use allowance::Allowance;
use token::Tokens;

/// What the door needs to know besides the app.
pub struct Settings {
    /// Where browsers and YClients reach us.
    pub base_url: Url,
    /// Signs registration tokens; at least 32 bytes.
    pub jwt_secret: SecretString,
    /// The operator's key; without one nobody is the operator.
    pub admin_api_key: Option<SecretString>,
    /// Ours in the marketplace: signs the redirect's user data, stands in lifecycle webhooks.
    pub partner_token: Option<SecretString>,
    /// Signs webhooks that carry `X-Yclients-Signature`.
    pub webhook_secret: Option<SecretString>,
    /// Origins that may open sockets besides our own and YClients'.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Any origin may open sockets, and nothing insists on HTTPS.
    pub development: bool,
    /// Settings without which no salon can be connected.
    pub missing: Vec<&'static str>,
    /// Renders the Prometheus metrics.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The process's recent log lines; a layer of its logging.
    pub logs: LogBook,
}

/// What every handler works with.
pub(crate) struct Web {
    pub(crate) app: Arc<App>,
    pub(crate) settings: Settings,
    pub(crate) tokens: Tokens,
    /// Socket connections of an address.
    pub(crate) sockets: Allowance<IpAddr>,
    /// Transports opened by an address, each of which holds memory until it joins or times out.
    pub(crate) handshakes: Allowance<IpAddr>,
    /// Registrations begun from an address; each costs two calls of the shared rate limit.
    pub(crate) redirects: Allowance<IpAddr>,
    /// Pairing codes of a salon; WhatsApp bans who asks too often.
    pub(crate) pairings: Allowance<CompanyId>,
    /// Syncs of a salon that programs ask for.
    pub(crate) syncs: Allowance<CompanyId>,
    /// Messages that programs send in a salon's name.
    pub(crate) letters: Allowance<CompanyId>,
}

const MINUTE: Duration = Duration::from_secs(60);

#[derive(OpenApi)]
#[openapi(
    info(title = "AI Admin", description = "A receptionist for beauty salons in WhatsApp, connected to YClients."),
    components(schemas(fault::ErrorBody))
)]
struct Api;

/// Every route of the product. Serve it with
/// `into_make_service_with_connect_info::<SocketAddr>()`, since limits go by the caller's address.
/// Needs a tokio runtime: the sockets' news is carried by tasks that end with the app's sessions.
pub fn router(app: Arc<App>, settings: Settings) -> Router {
    let web = Arc::new(Web {
        tokens: Tokens::new(&settings.jwt_secret),
        sockets: Allowance::new(5, MINUTE),
        handshakes: Allowance::new(20, MINUTE),
        redirects: Allowance::new(120, MINUTE),
        pairings: Allowance::new(5, MINUTE),
        syncs: Allowance::new(30, MINUTE),
        letters: Allowance::new(60, MINUTE),
        app,
        settings,
    });
    let (router, _) = routes_and_api().split_for_parts();
    router
        .fallback(async || Fault::NotFound)
        .layer(DefaultBodyLimit::max(edge::BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, edge::ANSWER))
        .layer(sockets::layer(&web))
        .layer(from_fn_with_state(web.clone(), sockets::door))
        .layer(CatchPanicLayer::custom(edge::panicked))
        .layer(from_fn(fault::tell))
        .layer(from_fn_with_state(web.clone(), client_ip::note))
        .layer(from_fn_with_state(web.clone(), edge::headers))
        .layer(from_fn(edge::trace))
        .with_state(web)
}

/// The OpenAPI document as JSON.
pub fn openapi() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| routes_and_api().split_for_parts().1.to_pretty_json().unwrap_or_default())
}

fn routes_and_api() -> OpenApiRouter<Arc<Web>> {
    let people = OpenApiRouter::new()
        .routes(routes!(onboarding::redirect))
        .routes(routes!(onboarding::page))
        .route("/marketplace/register", get(onboarding::redirect))
        .route("/marketplace/connect", get(onboarding::page))
        .route("/", get(pages::landing))
        .route("/marketplace/", get(pages::landing))
        .route("/marketplace", get(pages::landing))
        .layer(from_fn(fault::for_people));
    OpenApiRouter::with_openapi(Api::openapi())
        .merge(people)
        .routes(routes!(onboarding::register))
        .routes(routes!(onboarding::qr))
        .routes(routes!(onboarding::qr_by_path))
        .routes(routes!(onboarding::pairing_code))
        .routes(routes!(onboarding::session_status))
        .routes(routes!(onboarding::company_status))
        .routes(routes!(onboarding::activate))
        .routes(routes!(onboarding::prepare))
        .routes(routes!(onboarding::callback))
        .merge(webhooks::routes())
        .routes(routes!(operators::companies))
        .routes(routes!(operators::company_health))
        .routes(routes!(operators::sync_all))
        .routes(routes!(operators::sync_today))
        .routes(routes!(operators::sync_module))
        .routes(routes!(operators::send_message))
        .routes(routes!(operators::send_reaction))
        .routes(routes!(operators::conversation))
        .routes(routes!(operators::pause))
        .routes(routes!(operators::resume))
        .routes(routes!(operators::file))
        .routes(routes!(operators::metrics))
        .routes(routes!(logs::recent))
        .routes(routes!(logs::live))
        .merge(admin::routes())
        .route("/metrics", get(operators::prometheus))
        .routes(routes!(health::marketplace_health))
        .routes(routes!(health::test))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/api/openapi.json", get(health::openapi))
        .route("/api/docs", get(pages::docs))
        .route("/assets/{name}", get(pages::asset))
}
