//! The product in its world: connected by an owner, answering customers, through the real protocols.

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use sandbox::{Options, Running};
use serde_json::{Value, json};

const DEMO: i64 = 100_001;

async fn start(no_demo_salon: bool) -> (Running, String, Client) {
    let running = sandbox::start(Options {
        salons: Vec::new(),
        now: Some("2026-11-23T10:00:00+03:00".parse().expect("a timestamp")),
        debounce_ms: Some(0),
        data: None,
        database_url: None,
        port: 0,
        control_port: 0,
        no_demo_salon,
        real_limits: false,
        real_delays: false,
        world_only: false,
        product_only: false,
    })
    .await
    .expect("product and world start");
    let base = format!("http://{}/control", running.control.expect("a control port"));
    (running, base, Client::builder().timeout(Duration::from_secs(60)).build().expect("a client"))
}

async fn call(http: &Client, method: Method, url: String, body: Value) -> Value {
    let answer = http.request(method, &url).json(&body).send().await.expect("an answer");
    let status = answer.status();
    let json: Value = answer.json().await.expect("JSON");
    assert!(status.is_success(), "{url}: {status} {json}");
    json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_a_booking() {
    let (running, base, http) = start(false).await;
    let told = json!({ "salon": DEMO, "name": "Мария", "text": "Здравствуйте! Можно на маникюр с гель-лаком завтра в 15 к Ане?" });
    let url = format!("{base}/phones/79161234567/messages?wait=reply&timeout_ms=20000");
    let mut answer = call(&http, Method::POST, url.clone(), told).await;
    assert_eq!(answer["settled"], json!(true), "{answer}");
    let records = || call(&http, Method::GET, format!("{base}/salons/{DEMO}/records"), json!({}));
    if records().await.as_array().is_some_and(Vec::is_empty) {
        answer = call(&http, Method::POST, url, json!({ "salon": DEMO, "text": "да" })).await;
    }
    let records = records().await;
    let booked = &records[0];
    assert_eq!(
        (&booked["start"], &booked["staff"], &booked["by"]),
        (&json!("2026-11-24T15:00"), &json!("Анна"), &json!("bot")),
        "{answer}"
    );
    assert_eq!(booked["client_phone"], json!("79161234567"));
    let said = answer["replies"].to_string();
    assert!(said.contains("15:00") && said.contains("Анн"), "{said}");
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_connects_a_salon_by_qr_and_by_code() {
    let (running, base, http) = start(true).await;
    for (id, method) in [(501_001, "qr"), (501_002, "code")] {
        let file = json!({
            "id": id, "title": "Проба", "phone": format!("7495000{}", id % 10_000), "timezone_name": "Europe/Moscow",
            "services": [{"id": 1, "title": "Стрижка", "price_min": 1000, "price_max": 1000, "minutes": 60, "staff": [1]}],
            "staff": [{"id": 1, "name": "Инна"}],
            "schedule": [{"staff": 1, "weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "10:00", "to": "20:00"}]
        });
        call(&http, Method::POST, format!("{base}/salons"), file).await;
        let began = Instant::now();
        let done = call(&http, Method::POST, format!("{base}/salons/{id}/onboard"), json!({ "method": method })).await;
        assert_eq!(done["status"], json!("active"), "{method}: {done}");
        let again = call(&http, Method::POST, format!("{base}/salons/{id}/onboard"), json!({})).await;
        assert_eq!(again["company_id"], done["company_id"]);
        assert!(began.elapsed() < Duration::from_secs(30), "{method} took {:?}", began.elapsed());
        let salon = call(&http, Method::GET, format!("{base}/salons/{id}"), json!({})).await;
        assert_eq!((&salon["installation"], &salon["linked"], &salon["online"]), (&json!("active"), &json!(true), &json!(true)));
    }
    let settled = call(&http, Method::POST, format!("{base}/settle"), json!({})).await;
    assert_eq!(settled, json!({ "settled": true }));
    running.shutdown().await;
}
