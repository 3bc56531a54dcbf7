//! A world with the product, moved through the control API alone.

use std::time::Duration;

use clap::Parser;
use reqwest::{Client, Method};
use sandbox::{Options, Running};
use serde_json::{Value, json};

/// Monday, ten in the morning in Moscow.
pub(crate) const NOW: &str = "2026-11-23T10:00:00+03:00";
pub(crate) const SALON: i64 = 88;
pub(crate) const CUSTOMER: &str = "79161234567";
pub(crate) const ADMIN_KEY: &str = "sandbox-admin-key";

pub(crate) struct House {
    pub(crate) http: Client,
    pub(crate) control: String,
    running: Running,
}

/// Options of a world on free ports without a salon.
pub(crate) fn options() -> Options {
    Options::parse_from(["sandbox", "--no-demo-salon", "--port=0", "--control-port=0", "--debounce-ms=20", "--now", NOW])
}

pub(crate) fn salon() -> Value {
    json!({
        "id": SALON, "title": "Студия «Ландыш»", "city": "Москва", "address": "Садовая, 3", "phone": "74950000088",
        "timezone_name": "Europe/Moscow", "grid_minutes": 30,
        "services": [
            {"id": 1, "title": "Маникюр с покрытием гель-лак", "category": "Ногти", "price_min": 1800, "price_max": 2200, "minutes": 90,
             "staff": [11, 12]},
            {"id": 2, "title": "Женская стрижка", "category": "Волосы", "price_min": 2500, "price_max": 2500, "minutes": 60, "staff": [13]}],
        "staff": [{"id": 11, "name": "Анна"}, {"id": 12, "name": "Вера"}, {"id": 13, "name": "Светлана"}],
        "schedule": [
            {"staff": 11, "weekdays": [1, 2, 3, 4, 5], "from": "10:00", "to": "20:00"},
            {"staff": 12, "weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "12:00", "to": "20:00"},
            {"staff": 13, "weekdays": [2, 4, 6], "from": "10:00", "to": "20:00"}],
        "clients": [{"name": "Мария Иванова", "phone": CUSTOMER, "visits": 3}],
        "records": [{"id": 501, "staff": 11, "services": [1], "client_phone": "79160000001", "client_name": "Ольга",
                     "start": "2026-11-24T12:00"}]
    })
}

impl House {
    pub(crate) async fn start(options: Options) -> Self {
        let running = sandbox::start(options).await.expect("the world starts");
        let control = format!("http://{}", running.control.expect("a control port"));
        Self { http: Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client"), control, running }
    }

    /// With the salon connected.
    pub(crate) async fn open(options: Options) -> Self {
        let house = Self::start(options).await;
        house.post("/control/salons", &salon()).await;
        house.onboard().await;
        house
    }

    pub(crate) fn product(&self) -> String {
        format!("http://{}", self.running.product.expect("a product"))
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.http.request(method, format!("{}{path}", self.control)).json(body).send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.call(Method::POST, path, body).await
    }

    /// YClients has had no time for a call.
    pub(crate) async fn was_too_much(&self) -> bool {
        let seen = self.call(Method::GET, "/control/requests?target=yclients", &Value::Null).await;
        seen.as_array().expect("a list").iter().any(|request| request["status"] == 429)
    }

    pub(crate) async fn onboard(&self) -> Value {
        let done = self.post(&format!("/control/salons/{SALON}/onboard"), &json!({})).await;
        assert_eq!(done["status"], "active", "{done}");
        done
    }

    /// What the bot answers to a message of that customer, once the chat has settled.
    pub(crate) async fn say(&self, phone: &str, text: &str) -> String {
        let body = json!({ "salon": SALON, "text": text, "name": "Мария" });
        let heard = self.post(&format!("/control/phones/{phone}/messages?wait=reply&timeout_ms=30000"), &body).await;
        assert_eq!(heard["settled"], true, "{heard}");
        let replies = heard["replies"].as_array().expect("a list");
        replies.iter().map(|reply| reply["text"].as_str().expect("a text")).collect::<Vec<_>>().join("\n")
    }

    /// The bookings that stand, each as `staff start phone`, without the fixture.
    pub(crate) async fn bookings(&self) -> Vec<String> {
        let all = self.call(Method::GET, &format!("/control/salons/{SALON}/records"), &Value::Null).await;
        let new = all.as_array().expect("a list").iter().filter(|record| record["deleted"] == false && record["by"] != "fixture");
        new.map(|record| {
            let text = |key: &str| record[key].as_str().unwrap_or_default();
            format!("{} {} {}", text("staff"), text("start"), text("client_phone"))
        })
        .collect()
    }

    /// The texts on the customer's phone that came from the salon.
    pub(crate) async fn heard_by(&self, phone: &str) -> Vec<String> {
        let chat = self.call(Method::GET, &format!("/control/phones/{phone}/messages?salon={SALON}"), &Value::Null).await;
        let from_salon = chat.as_array().expect("a list").iter().filter(|message| message["from"] == "salon");
        from_salon.map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) async fn set_clock(&self, now: &str) {
        self.call(Method::PUT, "/control/clock", &json!({ "now": now })).await;
        let settled = self.post("/control/settle", &json!({ "timeout_ms": 10_000 })).await;
        assert_eq!(settled["settled"], true, "{settled}");
    }

    pub(crate) async fn close(self) {
        self.running.shutdown().await;
    }
}

/// Waits until something holds; whoever asks for it says what.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within half a minute: {what}");
}
