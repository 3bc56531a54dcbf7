//! A product with its database in a folder of its own, and the world it asks.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Path},
    http::{HeaderMap, Request, StatusCode, header},
    routing::{get, post},
};
use domain::{Clock, CompanyId, IntegrationStatus, SalonId};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{Store, Vault, companies};
use tempfile::TempDir;
use tower::ServiceExt;
use url::Url;
use workflows::App;

pub(crate) const PARTNER: &str = "golden-partner-token";
pub(crate) const OPERATOR: &str = "operator-key";
pub(crate) const SALON: i64 = 962_302;
pub(crate) const OTHER: i64 = 962_303;
pub(crate) const NOT_INSTALLED: i64 = 1;
pub(crate) const UNKNOWN: i64 = 2;
pub(crate) const TOO_BUSY: i64 = 3;
pub(crate) const BROKEN: i64 = 4;
pub(crate) const REFUSING: i64 = 5;
pub(crate) const FROZEN: i64 = 6;
pub(crate) const SALON_ACTIVE: i64 = 7;

/// A calendar that a test sets.
pub(crate) struct Calendar(AtomicI64);

impl Clock for Calendar {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).expect("a moment")
    }
}

pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<Calendar>,
    pub(crate) logs: web::LogBook,
    router: Router,
    _folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?} {}", self.status, self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn is_page(&self) -> bool {
        self.header(header::CONTENT_TYPE).starts_with("text/html")
    }

    /// Status and the word for programs.
    pub(crate) fn error(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["success"], false, "{body}");
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
        (self.status.as_u16(), body["error"].as_str().expect("a code").to_owned())
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Vec::new(), yclients_server().await).await
    }

    pub(crate) async fn with(missing: Vec<&'static str>, yclients_url: Url) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = TempDir::new().expect("a folder");
        let store = Store::open(&format!("sqlite://{}/door.db", folder.path().display())).await.expect("a database");
        let vault = Vault::new([7; 32]);
        let clock = Arc::new(Calendar(AtomicI64::new(1_795_000_000)));
        let inbox = Arc::new(workflows::inbox::Inbox::closed());
        // Nothing listens there: sessions stay connecting.
        let endpoint = whatsapp::Endpoint { url: "ws://127.0.0.1:9/ws/chat".parse().expect("an address"), version: Some((2, 3000, 1)) };
        let base_url: Url = "https://ai-admin.example/".parse().expect("an address");
        let app = Arc::new(App {
            whatsapp: whatsapp::Pool::new(store.clone(), vault.clone(), endpoint, inbox, "test".to_owned()),
            yclients: yclients::YClients::new(yclients::Settings {
                base_url: yclients_url,
                partner_token: PARTNER.into(),
                user_token: None,
                application_id: 1,
                rate_limit: yclients::RateLimit::Off,
                callback: yclients::CallbackStyle::Server,
            })
            .expect("a client"),
            store,
            vault,
            clock: clock.clone(),
            catalogues: workflows::Catalogues::default(),
            settings: workflows::Settings {
                base_url: base_url.clone(),
                application_id: 1,
                missing: missing.clone(),
                debounce: Some(Duration::ZERO),
                typing: Duration::ZERO,
                human_pause: Duration::from_secs(12 * 3600),
                unsettled_patience: Duration::from_secs(600),
                operator_phone: None,
                operator_webhook: None,
            },
        });
        let logs = web::LogBook::default();
        let router = web::router(
            app.clone(),
            web::Settings {
                base_url,
                jwt_secret: "0123456789abcdef0123456789abcdef".into(),
                admin_api_key: Some(OPERATOR.into()),
                partner_token: Some(PARTNER.into()),
                webhook_secret: Some("hook-secret".into()),
                allowed_origins: vec!["https://friends.example".to_owned()],
                trusted_proxies: vec!["127.0.0.1".parse().expect("an ip")],
                development: false,
                missing,
                metrics: Arc::new(|| "# figures".to_owned()),
                logs: logs.clone(),
            },
        );
        Self { app, clock, logs, router, _folder: folder }
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let mut request = request;
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn get_as(&self, path: &str, who: Who<'_>) -> Answer {
        self.ask(who.sign(Request::get(path)).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post_as(&self, path: &str, who: Who<'_>, body: Value) -> Answer {
        let request = who.sign(Request::post(path)).header(header::CONTENT_TYPE, "application/json");
        self.ask(request.body(body.to_string().into()).expect("a request")).await
    }

    /// Comes from the marketplace, unsigned; the token of the linking page.
    pub(crate) async fn token(&self, salon: i64) -> String {
        let answer = self.get(&format!("/auth/yclients/redirect?salon_id={salon}")).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
        token_in(&answer)
    }

    pub(crate) async fn company(&self, salon: i64) -> companies::Company {
        let mut tx = self.app.store.read().await.expect("a read");
        companies::by_salon(&mut tx, SalonId(salon)).await.expect("a read").expect("a company")
    }

    pub(crate) async fn set_status(&self, company: CompanyId, ways: &[IntegrationStatus]) {
        let mut tx = self.app.store.begin().await.expect("a write");
        for status in ways {
            companies::set_status(&mut tx, company, *status, self.app.clock.now()).await.expect("a step");
        }
        tx.commit().await.expect("a commit");
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

pub(crate) fn token_in(answer: &Answer) -> String {
    let location = answer.header(header::LOCATION);
    location.strip_prefix("/marketplace/onboarding?token=").unwrap_or_else(|| panic!("elsewhere: {location}")).to_owned()
}

/// Whose word a request comes with.
#[derive(Clone, Copy)]
pub(crate) enum Who<'a> {
    Nobody,
    Operator,
    WrongKey,
    Token(&'a str),
}

impl Who<'_> {
    fn sign(self, request: axum::http::request::Builder) -> axum::http::request::Builder {
        match self {
            Self::Nobody => request,
            Self::Operator => request.header("x-api-key", OPERATOR),
            Self::WrongKey => request.header("x-api-key", "operator-kex"),
            Self::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        }
    }
}

/// What the tests need of YClients, as it answers on the wire.
pub(crate) async fn yclients_server() -> Url {
    async fn installation(Path((salon, _app)): Path<(i64, i64)>) -> (StatusCode, Json<Value>) {
        let status = match salon {
            NOT_INSTALLED => return (StatusCode::NOT_FOUND, Json(json!({ "success": false, "data": null, "meta": {} }))),
            TOO_BUSY => return (StatusCode::TOO_MANY_REQUESTS, Json(json!({}))),
            BROKEN => return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({}))),
            REFUSING => {
                return (
                    StatusCode::UNAUTHORIZED,
                    Json(json!({ "success": false, "data": null, "meta": { "message": "Необходима авторизация" } })),
                );
            }
            FROZEN => "freezed",
            SALON_ACTIVE => "active",
            _ => "pending",
        };
        (
            StatusCode::OK,
            Json(json!({ "success": true, "data": { "logs": [], "payments": [], "connection_status": { "status": status } } })),
        )
    }
    async fn company(Path(salon): Path<i64>) -> (StatusCode, Json<Value>) {
        if salon == UNKNOWN {
            return (StatusCode::NOT_FOUND, Json(json!({ "success": false, "data": null, "meta": { "message": "Филиал не найден." } })));
        }
        let company = json!({ "id": salon, "title": "Студия <Лира>", "city": "Москва", "address": "ул. Лесная, 5", "timezone_name": "Europe/Moscow" });
        (StatusCode::OK, Json(json!({ "success": true, "data": company, "meta": [] })))
    }
    let router = Router::new()
        .route("/marketplace/salon/{salon}/application/{app}", get(installation))
        .merge(marketplace())
        .route("/marketplace/partner/callback", post(async || (StatusCode::CREATED, Json(json!({ "success": true })))))
        .route("/api/v1/company/{salon}", get(company))
        .route("/api/v1/company/{salon}/", get(company));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}").parse().expect("an address")
}

/// The marketplace's other calls, as its reference has them.
fn marketplace() -> Router {
    async fn salons() -> Json<Value> {
        Json(json!({ "success": true, "data": [{ "id": "962302", "title": "Студия <Лира>", "active": "1" }], "meta": {} }))
    }
    async fn link() -> Json<Value> {
        Json(json!({ "success": true, "data": { "url": "https://yclients.com/appstore/payment/?sign=1" }, "meta": [] }))
    }
    async fn tariffs() -> Json<Value> {
        let option = json!({ "id": 123, "title": "Частный мастер", "overall_price": 500, "duration_in_months": 1, "staff_amount": 1,
                             "free_period_in_months": 0, "currency_iso": "RUB" });
        Json(json!({ "success": true, "data": [{ "id": 89, "title": "1 месяц", "options": [option] }], "meta": [] }))
    }
    async fn paid(Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
        if body["salon_id"] == BROKEN {
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({})));
        }
        let right = body["payment_date"] == "2026-11-23 10:10:00" && body["application_id"] == 1;
        (if right { StatusCode::OK } else { StatusCode::BAD_REQUEST }, Json(json!({ "success": right, "data": { "id": 321 } })))
    }
    async fn refund(Path(id): Path<i64>) -> (StatusCode, Json<Value>) {
        let known = id == 321;
        (if known { StatusCode::OK } else { StatusCode::NOT_FOUND }, Json(json!({ "success": known, "data": null, "meta": {} })))
    }
    async fn nothing(Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
        if body["salon_id"] == REFUSING {
            let meta = json!({ "message": "Канал недоступен этой категории" });
            return (StatusCode::FORBIDDEN, Json(json!({ "success": false, "data": null, "meta": meta })));
        }
        (StatusCode::OK, Json(json!({ "success": true, "data": null, "meta": [] })))
    }
    Router::new()
        .route("/marketplace/application/{app}/salons", get(salons))
        .route("/marketplace/application/{app}/tariffs", get(tariffs))
        .route("/marketplace/application/payment_link", get(link))
        .route("/marketplace/application/add_discount", post(nothing))
        .route("/marketplace/application/update_channel", post(nothing))
        .route("/marketplace/partner/short_names", post(nothing))
        .route("/marketplace/partner/payment", post(paid))
        .route("/marketplace/partner/payment/refund/{id}", post(refund))
        .route("/marketplace/salon/{salon}/application/{app}/uninstall", post(async || Json(json!({ "success": true, "data": null }))))
}
