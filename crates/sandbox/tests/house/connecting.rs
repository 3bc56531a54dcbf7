//! An owner connects a salon through the product's public pages and sockets.

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::support::{CUSTOMER, House, SALON, options, salon};

#[tokio::test(flavor = "multi_thread")]
async fn by_qr_and_by_code() {
    let house = House::start(options()).await;
    for (id, phone, method) in [(501_001, "74950001001", "qr"), (501_002, "74950001002", "code")] {
        let mut file = salon();
        file["id"] = json!(id);
        file["phone"] = json!(phone);
        house.post("/control/salons", &file).await;
        let onboard = format!("/control/salons/{id}/onboard");
        let done = house.post(&onboard, &json!({ "method": method })).await;
        assert_eq!(done["status"], "active", "{method}: {done}");
        let again = house.post(&onboard, &json!({})).await;
        assert_eq!(again["company_id"], done["company_id"], "already active: at once");
        let view = house.call(Method::GET, &format!("/control/salons/{id}"), &Value::Null).await;
        assert_eq!((&view["installation"], &view["linked"], &view["online"]), (&json!("active"), &json!(true), &json!(true)));
    }
    assert_eq!(house.post("/control/settle", &json!({})).await, json!({ "settled": true }));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_salon_is_ready_to_chat() {
    let house = House::start(Options { no_demo_salon: false, ..options() }).await;
    let demo = house.call(Method::GET, "/control/salons", &Value::Null).await[0]["id"].as_i64().expect("a salon");
    let told = json!({ "salon": demo, "name": "Мария", "text": "Здравствуйте! Можно на маникюр с гель-лаком завтра в 15 к Ане?" });
    house.post(&format!("/control/phones/{CUSTOMER}/messages?wait=reply"), &told).await;
    let records = house.call(Method::GET, &format!("/control/salons/{demo}/records"), &Value::Null).await;
    let booked = records.as_array().expect("a list").iter().find(|record| record["by"] == "bot").expect("a booking");
    assert_eq!((&booked["start"], &booked["staff"]), (&json!("2026-11-24T15:00"), &json!("Анна")));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_salon_that_takes_the_application_out_can_come_back() {
    let house = House::open(options()).await;
    house.say(CUSTOMER, "Добрый день").await;
    house.post("/control/salons/88/marketplace/uninstall", &json!({})).await;
    house.post("/control/settle", &json!({})).await;
    let view = house.call(Method::GET, "/control/salons/88", &Value::Null).await;
    assert_eq!(view["linked"], json!(false), "{view}");
    house.onboard().await;
    let answer = house.say(CUSTOMER, "Сколько стоит стрижка?").await;
    assert!(answer.contains("2\u{a0}500"), "{answer}");
    house.post("/control/salons/88/marketplace/uninstall", &json!({})).await;
    house.post("/control/settle", &json!({})).await;
    let view = house.call(Method::GET, "/control/salons/88", &Value::Null).await;
    assert_eq!(view["linked"], json!(false), "the second time counts as well: {view}");
    house.close().await;
}

/// The marketplace's events of a company, oldest first, as the database keeps them.
async fn events(folder: &tempfile::TempDir, company: &Value) -> Vec<String> {
    let database = format!("sqlite://{}", folder.path().join("ai-admin.sqlite").display());
    let store = store::Store::open(&database).await.expect("the database");
    let mut tx = store.read().await.expect("a transaction");
    let company = domain::CompanyId(company.as_i64().expect("a number"));
    let mut all = store::events::latest(&mut tx, company, 100).await.expect("events");
    all.reverse();
    all.into_iter().map(|event| event.event_type).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_salons_life_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::start(Options { data: Some(folder.path().to_owned()), ..options() }).await;
    house.post("/control/salons", &salon()).await;
    let refuses = json!({ "target": "yclients", "match": "POST /marketplace/partner/callback", "kind": "status", "status": 403 });
    house.post("/control/faults", &refuses).await;
    let onboard = format!("{}/control/salons/{SALON}/onboard", house.control);
    let failed = house.http.post(onboard).json(&json!({})).send().await.expect("an answer");
    assert_eq!(failed.status().as_u16(), 502);
    let company = house.onboard().await["company_id"].clone();
    for event in ["payment", "freeze", "unfreeze", "uninstall"] {
        house.post(&format!("/control/salons/{SALON}/marketplace/{event}"), &json!({})).await;
        house.post("/control/settle", &json!({})).await;
    }
    let mut events = events(&folder, &company).await;
    events.dedup();
    assert_eq!(
        events,
        [
            "registration_started",
            "whatsapp_connected",
            "integration_failed",
            "registration_started",
            "integration_activated",
            "payment_received",
            "frozen",
            "unfrozen",
            "uninstalled"
        ]
    );
    house.close().await;
}
