//! Engine.IO 4 over polling, by hand.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use store::CompanyEvent;

use crate::house::*;

struct Page<'a> {
    house: &'a House,
    sid: String,
    ip: &'a str,
}

impl<'a> Page<'a> {
    async fn open(house: &'a House, ip: &'a str) -> Self {
        let request = Request::get("/socket.io/?EIO=4&transport=polling").header("x-forwarded-for", ip);
        let answer = house.ask(request.body(Body::empty()).expect("a request")).await;
        let open: Value = serde_json::from_str(answer.text().strip_prefix('0').expect("an open packet")).expect("JSON");
        assert_eq!((&open["pingInterval"], &open["pingTimeout"]), (&json!(25_000), &json!(60_000)));
        Self { house, sid: open["sid"].as_str().expect("a sid").to_owned(), ip }
    }

    async fn say(&self, packet: &str) {
        let request = Request::post(format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)).header("x-forwarded-for", self.ip);
        let answer = self.house.ask(request.body(packet.to_owned().into()).expect("a request")).await;
        assert_eq!(answer.text(), "ok");
    }

    async fn hear(&self) -> Vec<String> {
        let request = Request::get(format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)).header("x-forwarded-for", self.ip);
        let answer = self.house.ask(request.body(Body::empty()).expect("a request")).await;
        answer.text().split('\u{1e}').map(str::to_owned).collect()
    }

    /// Joins a namespace; the first thing it hears of it.
    async fn join(&self, ns: &str, auth: &Value) -> String {
        self.say(&format!("40{ns},{auth}")).await;
        self.until(|packet| packet.starts_with("40/") || packet.starts_with("44/")).await
    }

    async fn until(&self, wanted: impl Fn(&str) -> bool) -> String {
        for _ in 0..20 {
            if let Some(found) = self.hear().await.into_iter().find(|packet| wanted(packet)) {
                return found;
            }
        }
        panic!("it never came")
    }
}

#[tokio::test]
async fn only_a_good_token_joins() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    let page = Page::open(&house, "203.0.113.1").await;
    for auth in [json!({}), json!({ "token": "nonsense" })] {
        let refused = page.join("/marketplace", &auth).await;
        assert_eq!(refused, "44/marketplace,{\"message\":\"Ключ в ссылке неверный.\"}");
    }
    assert!(page.join("/marketplace", &json!({ "token": token })).await.starts_with("40/marketplace,{\"sid\""));
    assert!(page.join("/whatsapp", &json!({ "token": token })).await.starts_with("40/whatsapp,"));
    page.say("42/marketplace,[\"request-pairing-code\",{\"phone\":5}]").await;
    let error = page.until(|packet| packet.contains("\"error\"")).await;
    assert!(error.starts_with("42/marketplace,[\"error\",{\"message\":\"Проверьте номер"), "{error}");
    house.later(3600);
    let late = Page::open(&house, "203.0.113.2").await;
    assert!(late.join("/marketplace", &json!({ "token": token })).await.contains("один час"));
}

#[tokio::test]
async fn the_token_in_the_header_or_the_address() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    let by_address = Request::get(format!("/socket.io/?EIO=4&transport=polling&token={token}"));
    let by_header = Request::get("/socket.io/?EIO=4&transport=polling").header(header::AUTHORIZATION, format!("Bearer {token}"));
    for request in [by_address, by_header] {
        let answer = house.ask(request.body(Body::empty()).expect("a request")).await;
        let open: Value = serde_json::from_str(&answer.text()[1..]).expect("an open packet");
        let page = Page { house: &house, sid: open["sid"].as_str().expect("a sid").to_owned(), ip: "203.0.113.1" };
        assert!(page.join("/marketplace", &json!({})).await.starts_with("40/marketplace,{\"sid\""));
    }
}

#[tokio::test]
async fn a_page_hears_of_its_own_salon_only() {
    let house = House::new().await;
    let (ours, theirs) = (house.token(SALON).await, house.token(OTHER).await);
    let company = house.company(SALON).await.id;
    let (own, other) = (Page::open(&house, "203.0.113.1").await, Page::open(&house, "203.0.113.2").await);
    own.join("/marketplace", &json!({ "token": ours })).await;
    other.join("/marketplace", &json!({ "token": theirs })).await;
    let progress = json!({ "module": "services", "done": 3, "total": 9 });
    let publish = |company_id, payload: &Value| {
        house.app.store.bus().publish(CompanyEvent { company_id, kind: "sync-progress".to_owned(), payload: payload.clone() });
    };
    publish(company, &progress);
    let heard = own.until(|packet| packet.contains("sync-progress")).await;
    assert_eq!(heard, format!("42/marketplace,[\"sync-progress\",{progress}]"));
    // Had the other page been told, that would come before what is its own.
    publish(house.company(OTHER).await.id, &json!({ "module": "staff", "done": 1, "total": 1 }));
    let heard = other.until(|packet| packet.contains("sync-progress")).await;
    assert!(heard.contains("staff"), "{heard}");
}

#[tokio::test]
async fn five_in_a_minute_from_one_address() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    let auth = json!({ "token": token });
    for _ in 0..5 {
        assert!(Page::open(&house, "203.0.113.1").await.join("/marketplace", &auth).await.starts_with("40/"));
    }
    let sixth = Page::open(&house, "203.0.113.1").await.join("/marketplace", &auth).await;
    assert!(sixth.starts_with("44/marketplace,") && sixth.contains("подождите минуту"), "{sixth}");
    assert!(Page::open(&house, "203.0.113.2").await.join("/marketplace", &auth).await.starts_with("40/"), "another address is free");
}

#[tokio::test]
async fn transports_are_opened_so_often() {
    let house = House::new().await;
    let open = |ip: &'static str| {
        let request = Request::get("/socket.io/?EIO=4&transport=polling").header("x-forwarded-for", ip);
        house.ask(request.body(Body::empty()).expect("a request"))
    };
    for _ in 0..20 {
        assert_eq!(open("203.0.113.1").await.status, StatusCode::OK);
    }
    let refused = open("203.0.113.1").await;
    assert_eq!((refused.status, refused.json()["message"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("Too many connections")));
    assert_eq!(open("203.0.113.2").await.status, StatusCode::OK, "another address is free");
}

#[tokio::test]
async fn the_official_client_is_served() {
    let house = House::new().await;
    for path in ["/socket.io/socket.io.js", "/socket.io/socket.io.min.js"] {
        let client = house.get(path).await;
        assert_eq!((client.status, client.header(header::CONTENT_TYPE)), (StatusCode::OK, "text/javascript; charset=utf-8"), "{path}");
        assert!(client.text().starts_with("/*!\n * Socket.IO v4."), "{path}");
    }
}

#[tokio::test]
async fn origins_and_the_official_servers_words() {
    let house = House::new().await;
    let bare = house.get("/socket.io/").await;
    assert_eq!((bare.status, bare.json()), (StatusCode::BAD_REQUEST, json!({ "code": 0, "message": "Transport unknown" })));
    let unknown = house.get("/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA").await;
    assert_eq!((unknown.status, unknown.json()), (StatusCode::BAD_REQUEST, json!({ "code": 1, "message": "Session ID unknown" })));
    for (origin, allowed) in [
        ("https://ai-admin.example", true),
        ("https://yclients.com", true),
        ("https://n962302.yclients.com", true),
        ("https://friends.example", true),
        ("https://evilyclients.com", false),
        ("http://yclients.com", false),
        ("https://yclients.com.evil.example", false),
        ("null", false),
    ] {
        let request = Request::get("/socket.io/?EIO=4&transport=polling").header(header::ORIGIN, origin);
        let answer = house.ask(request.body(Body::empty()).expect("a request")).await;
        let asked = Request::options("/socket.io/?EIO=4&transport=polling").header(header::ORIGIN, origin);
        let before = house.ask(asked.body(Body::empty()).expect("a request")).await;
        assert_eq!(before.header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains("authorization"), allowed, "{origin}");
        assert_eq!(answer.status == StatusCode::OK, allowed, "{origin}");
        assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), if allowed { origin } else { "" });
    }
}
