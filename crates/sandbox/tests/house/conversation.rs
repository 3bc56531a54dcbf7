//! Conversations whose end state stands in YClients.

use reqwest::Method;
use serde_json::json;

use crate::support::{ADMIN_KEY, CUSTOMER, House, SALON, options};

const ORDER: &str = "Здравствуйте! Можно на маникюр с гель-лаком завтра в 15 к Ане?";

async fn one_message_becomes_a_booking(house: House) {
    let answer = house.say(CUSTOMER, ORDER).await;
    assert_eq!(house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")], "{answer}");
    for told in ["15:00", "24 ноября", "1\u{a0}800"] {
        assert!(answer.contains(told), "{told} is not in: {answer}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_becomes_a_booking_on_sqlite() {
    one_message_becomes_a_booking(House::open(options()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_becomes_a_booking_on_postgresql() {
    let database_url = Some(store::testing::postgres().database().await);
    one_message_becomes_a_booking(House::open(sandbox::Options { database_url, ..options() }).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_time_is_never_booked_twice() {
    let house = House::open(options()).await;
    house.say(CUSTOMER, ORDER).await;
    let answer = house.say("79160000055", ORDER).await;
    assert_eq!(house.bookings().await.len(), 1, "{answer}");
    assert!(!answer.to_lowercase().contains("записала"), "{answer}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_whose_answer_never_came_is_made_once() {
    let house = House::open(options()).await;
    let fault = json!({ "target": "yclients", "match": "POST /api/v1/book_record", "kind": "timeout_after_commit", "times": 1 });
    house.post("/control/faults", &fault).await;
    let answer = house.say(CUSTOMER, ORDER).await;
    assert_eq!(house.bookings().await.len(), 1, "{answer}");
    assert!(answer.contains("15:00"), "{answer}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_twice_is_answered_once() {
    let house = House::open(options()).await;
    let body = json!({ "salon": SALON, "text": ORDER, "name": "Мария", "id": "3AFACE0000000000TEST" });
    for _ in 0..2 {
        house.post(&format!("/control/phones/{CUSTOMER}/messages?wait=reply"), &body).await;
    }
    assert_eq!(house.bookings().await.len(), 1);
    assert_eq!(house.heard_by(CUSTOMER).await.len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrators_move_is_told_once_and_a_mark_of_attendance_never() {
    let house = House::open(options()).await;
    let made = json!({ "staff_id": 12, "service_ids": [1], "start": "2026-11-25T15:00", "client_phone": CUSTOMER, "client_name": "Мария" });
    let record = house.post(&format!("/control/salons/{SALON}/records"), &made).await["id"].as_i64().expect("an id");
    house.set_clock("2026-11-23T10:05:00+03:00").await;
    assert_eq!(house.heard_by(CUSTOMER).await.len(), 1, "the new booking is told");

    let path = format!("/control/salons/{SALON}/records/{record}");
    house.call(Method::PATCH, &path, &json!({ "start": "2026-11-25T16:00" })).await;
    house.call(Method::PATCH, &path, &json!({ "start": "2026-11-25T17:00" })).await;
    house.set_clock("2026-11-23T10:10:00+03:00").await;
    house.call(Method::PATCH, &path, &json!({ "attendance": 2 })).await;
    house.set_clock("2026-11-23T10:15:00+03:00").await;
    let heard = house.heard_by(CUSTOMER).await;
    assert_eq!(heard.len(), 2, "{heard:#?}");
    assert!(heard[1].contains("17:00"), "{heard:#?}");

    house.call(Method::DELETE, &path, &json!({})).await;
    house.set_clock("2026-11-23T10:20:00+03:00").await;
    let heard = house.heard_by(CUSTOMER).await;
    assert!(heard.len() == 3 && heard[2].contains("отменена"), "{heard:#?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_did_itself_is_not_told_again() {
    let house = House::open(options()).await;
    house.say(CUSTOMER, ORDER).await;
    house.say(CUSTOMER, "ой, лучше в 17").await;
    assert_eq!(house.bookings().await, [format!("Анна 2026-11-24T17:00 {CUSTOMER}")]);
    let told = house.heard_by(CUSTOMER).await.len();
    house.set_clock("2026-11-23T10:05:00+03:00").await;
    assert_eq!(house.heard_by(CUSTOMER).await.len(), told);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_the_salon_silences_the_bot_until_it_is_resumed() {
    let house = House::open(options()).await;
    house.say(CUSTOMER, "Добрый день").await;
    let human = json!({ "to": CUSTOMER, "text": "Здравствуйте! Это Михаил, администратор." });
    house.post(&format!("/control/salons/{SALON}/phone/messages"), &human).await;
    let silent = house.say(CUSTOMER, "Сколько стоит стрижка?").await;
    assert_eq!(silent, "");

    let conversation = format!("{}/api/conversations/1/{CUSTOMER}", house.product());
    let state = house.http.get(&conversation).header("X-API-Key", ADMIN_KEY).send().await.expect("an answer");
    assert_eq!(state.json::<serde_json::Value>().await.expect("JSON")["state"], "paused");
    let resumed = house.http.post(format!("{conversation}/resume")).header("X-API-Key", ADMIN_KEY).send().await.expect("an answer");
    assert!(resumed.status().is_success());
    let answer = house.say(CUSTOMER, "Сколько стоит стрижка?").await;
    assert!(answer.contains("2\u{a0}500"), "{answer}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_takes_over_while_the_bot_thinks_has_the_word() {
    let house = House::open(options()).await;
    house.say(CUSTOMER, "Добрый день").await;
    let before = house.heard_by(CUSTOMER).await.len();
    let fault = json!({ "target": "yclients", "match": "GET /api/v1/book_times", "kind": "timeout", "delay_ms": 1500, "times": 9 });
    house.post("/control/faults", &fault).await;
    let asked = json!({ "salon": SALON, "text": "Что свободно завтра на маникюр с гель-лаком?" });
    house.post(&format!("/control/phones/{CUSTOMER}/messages"), &asked).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let human = json!({ "to": CUSTOMER, "text": "Отвечу сама, это Ирина" });
    house.post(&format!("/control/salons/{SALON}/phone/messages"), &human).await;
    house.post("/control/settle", &json!({ "timeout_ms": 30_000 })).await;
    assert_eq!(house.heard_by(CUSTOMER).await.len(), before + 1, "only the person's words came");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_by_number_first_stays_one_conversation() {
    let house = House::open(options()).await;
    let stranger = "79160000077";
    let made = json!({ "staff_id": 12, "service_ids": [1], "start": "2026-11-25T15:00", "client_phone": stranger, "client_name": "Инна" });
    house.post(&format!("/control/salons/{SALON}/records"), &made).await;
    house.set_clock("2026-11-23T10:05:00+03:00").await;
    assert_eq!(house.heard_by(stranger).await.len(), 1);
    let pause = format!("{}/api/conversations/1/{stranger}/pause", house.product());
    let paused = house.http.post(pause).header("X-API-Key", ADMIN_KEY).send().await.expect("an answer");
    assert!(paused.status().is_success());
    assert_eq!(house.say(stranger, "Сколько стоит стрижка?").await, "", "a paused chat stays paused");
    house.close().await;
}
