//! An owner connects a salon through the product's public pages and sockets.

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::support::{CUSTOMER, House, options, salon};

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
