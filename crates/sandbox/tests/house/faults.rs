//! YClients breaks amid a booking, a move, a cancellation: it happens once or not at all, and the
//! customer hears which.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    restart::Apart,
    support::{CUSTOMER, House, SALON, options, until},
};

const ORDER: &str = "Здравствуйте! Можно на маникюр с гель-лаком завтра в 15 к Ане?";

#[derive(Clone, Copy)]
enum Wish {
    Book,
    Move,
    Cancel,
}

impl Wish {
    /// The call that does it.
    fn call(self) -> &'static str {
        match self {
            Self::Book => "POST /api/v1/book_record",
            Self::Move => "PUT /api/v1/record/",
            Self::Cancel => "DELETE /api/v1/record/",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Book => ORDER,
            Self::Move => "Перенесите, пожалуйста, на завтра в 17:00",
            Self::Cancel => "Отмените, пожалуйста, мою запись",
        }
    }

    fn claim(self) -> &'static str {
        match self {
            Self::Book => "записала вас",
            Self::Move => "вашу запись: ",
            Self::Cancel => "отменила вашу",
        }
    }

    /// What stands when it is done, and when it is not.
    fn bookings(self, done: bool) -> Vec<String> {
        let at = |time| vec![format!("Анна 2026-11-24T{time} {CUSTOMER}")];
        match (self, done) {
            (Self::Book, true) | (Self::Move | Self::Cancel, false) => at("15:00"),
            (Self::Move, true) => at("17:00"),
            (Self::Book, false) | (Self::Cancel, true) => Vec::new(),
        }
    }
}

/// The house where the wish can be uttered.
async fn house_for(wish: Wish) -> House {
    let house = House::open(options()).await;
    if !matches!(wish, Wish::Book) {
        let answer = house.say(CUSTOMER, ORDER).await;
        assert_eq!(house.bookings().await.len(), 1, "{answer}");
    }
    house
}

/// All that the bot answers to the wish, asked twice where it asks back.
async fn utter(house: &House, wish: Wish) -> String {
    let mut answer = house.say(CUSTOMER, wish.words()).await;
    if matches!(wish, Wish::Cancel) && answer.contains('?') {
        answer = format!("{answer}\n{}", house.say(CUSTOMER, "да").await);
    }
    answer
}

async fn the_truth_is_told(wish: Wish, mut fault: Value, done: bool) {
    let house = house_for(wish).await;
    fault["target"] = json!("yclients");
    fault["match"] = json!(wish.call());
    house.post("/control/faults", &fault).await;
    let answer = utter(&house, wish).await;
    assert_eq!(house.bookings().await, wish.bookings(done), "{answer}");
    assert_eq!(answer.to_lowercase().contains(wish.claim()), done, "{answer}");
    assert!(!answer.trim().is_empty());
    let made = house.call(Method::GET, &format!("/control/salons/{SALON}/records"), &Value::Null).await;
    let made = made.as_array().expect("a list").iter().filter(|record| record["by"] == "bot").count();
    assert!(made <= 1, "{made} bookings were made");
    house.close().await;
}

macro_rules! faults {
    ($($name:ident: $wish:ident, $fault:tt, done $done:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            the_truth_is_told(Wish::$wish, json!($fault), $done).await;
        }
    )*};
}

faults! {
    booking_and_a_500: Book, { "kind": "status", "status": 500 }, done false;
    booking_and_a_timeout_before: Book, { "kind": "timeout", "delay_ms": 200 }, done false;
    booking_and_a_timeout_after_the_commit: Book, { "kind": "timeout_after_commit", "delay_ms": 200 }, done true;
    booking_and_a_page_of_html: Book, { "kind": "html", "status": 200 }, done false;
    booking_and_a_429: Book, { "kind": "rate_limit" }, done true;
    booking_and_a_200_that_is_none: Book, { "kind": "status", "status": 200 }, done false;
    moving_and_a_500: Move, { "kind": "status", "status": 500 }, done false;
    moving_and_a_timeout_before: Move, { "kind": "timeout", "delay_ms": 200 }, done false;
    moving_and_a_timeout_after_the_commit: Move, { "kind": "timeout_after_commit", "delay_ms": 200 }, done true;
    moving_and_a_page_of_html: Move, { "kind": "html", "status": 200 }, done false;
    moving_and_a_429: Move, { "kind": "rate_limit" }, done true;
    moving_and_a_200_that_is_none: Move, { "kind": "status", "status": 200 }, done false;
    cancelling_and_a_500: Cancel, { "kind": "status", "status": 500 }, done false;
    cancelling_and_a_timeout_before: Cancel, { "kind": "timeout", "delay_ms": 200 }, done false;
    cancelling_and_a_timeout_after_the_commit: Cancel, { "kind": "timeout_after_commit", "delay_ms": 200 }, done true;
    cancelling_and_a_page_of_html: Cancel, { "kind": "html", "status": 200 }, done false;
    cancelling_and_a_429: Cancel, { "kind": "rate_limit" }, done true;
    cancelling_and_a_200_that_is_none: Cancel, { "kind": "status", "status": 200 }, done false;
}

/// Somebody acts while the product waits to repeat a call that YClients had no time for.
async fn meanwhile(house: &House, wish: Wish, call: &str, act: impl AsyncFnOnce(&House)) -> String {
    let fault = json!({ "target": "yclients", "match": call, "kind": "rate_limit" });
    house.post("/control/faults", &fault).await;
    let acting = async {
        until("YClients has refused a call", || house.was_too_much()).await;
        act(house).await;
    };
    tokio::join!(utter(house, wish), acting).0
}

fn by_an_administrator(time: &str) -> Value {
    json!({ "staff_id": 11, "service_ids": [1], "start": format!("2026-11-24T{time}"), "client_phone": "79160000009", "client_name": "Яна" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_taken_between_the_check_and_the_booking_is_offered_no_more() {
    let house = house_for(Wish::Book).await;
    let answer = meanwhile(&house, Wish::Book, Wish::Book.call(), async |house: &House| {
        house.post(&format!("/control/salons/{SALON}/records"), &by_an_administrator("15:00")).await;
    })
    .await;
    assert_eq!(house.bookings().await, ["Анна 2026-11-24T15:00 79160000009"], "{answer}");
    assert!(!answer.to_lowercase().contains("записала") && answer.contains('?'), "the loser hears it and is offered others: {answer}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_taken_before_the_move_leaves_the_booking_where_it_was() {
    let house = house_for(Wish::Move).await;
    let answer = meanwhile(&house, Wish::Move, Wish::Move.call(), async |house: &House| {
        house.post(&format!("/control/salons/{SALON}/records"), &by_an_administrator("17:00")).await;
    })
    .await;
    let mut bookings = house.bookings().await;
    bookings.sort();
    assert_eq!(bookings, [format!("Анна 2026-11-24T15:00 {CUSTOMER}"), "Анна 2026-11-24T17:00 79160000009".to_owned()], "{answer}");
    assert!(!answer.to_lowercase().contains("перенесла") && answer.contains('?'), "{answer}");
    house.close().await;
}

async fn delete_the_customers(house: &House) {
    let all = house.call(Method::GET, &format!("/control/salons/{SALON}/records"), &Value::Null).await;
    let own = all.as_array().expect("a list").iter().find(|record| record["by"] == "bot").expect("a booking");
    house.call(Method::DELETE, &format!("/control/salons/{SALON}/records/{}", own["id"]), &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_deleted_before_it_is_read_back_is_not_claimed() {
    let house = house_for(Wish::Book).await;
    let answer = meanwhile(&house, Wish::Book, "GET /api/v1/record/", async |house: &House| delete_the_customers(house).await).await;
    assert_eq!(house.bookings().await, [""; 0], "{answer}");
    assert!(!answer.to_lowercase().contains("записала"), "{answer}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_deleted_before_the_move_is_gone() {
    let house = house_for(Wish::Move).await;
    let answer = meanwhile(&house, Wish::Move, Wish::Move.call(), async |house: &House| delete_the_customers(house).await).await;
    assert_eq!(house.bookings().await, [""; 0], "{answer}");
    assert!(!answer.to_lowercase().contains("перенесла"), "{answer}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_deleted_before_the_cancellation_is_gone_as_wished() {
    let house = house_for(Wish::Cancel).await;
    let answer = meanwhile(&house, Wish::Cancel, Wish::Cancel.call(), async |house: &House| delete_the_customers(house).await).await;
    assert_eq!(house.bookings().await, [""; 0], "{answer}");
    assert!(answer.to_lowercase().contains("отменила"), "{answer}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_found_out_is_handed_to_a_person() {
    let apart = Apart::start(&[("UNSETTLED_SECONDS", "1")]).await;
    let house = &apart.house;
    for (call, times) in [(Wish::Book.call(), 1), ("GET /api/v1/records/", 100)] {
        let fault = json!({ "target": "yclients", "match": call, "kind": "status", "status": 500, "times": times });
        house.post("/control/faults", &fault).await;
    }
    let answer = house.say(CUSTOMER, ORDER).await;
    assert!(answer.contains("Проверяю") && answer.contains("администратор"), "{answer}");
    assert_eq!(house.say(CUSTOMER, "Ну что там?").await, "", "a person has the word");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_customers_who_want_one_time_one_gets_it() {
    let house = House::open(options()).await;
    let phones: Vec<String> = (0..20).map(|n| format!("7916000{n:04}")).collect();
    let answers = futures::future::join_all(phones.iter().map(|phone| house.say(phone, ORDER))).await;
    let won = answers.iter().filter(|answer| answer.to_lowercase().contains("записала")).count();
    assert_eq!((won, house.bookings().await.len()), (1, 1), "{answers:#?}");
    assert!(
        answers.iter().all(|answer| answer.to_lowercase().contains("записала") || answer.contains('?')),
        "losers are offered others: {answers:#?}"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_without_an_end_is_answered_all_the_same() {
    let house = House::open(sandbox::Options { debounce_ms: Some(4000), ..options() }).await;
    let path = format!("/control/phones/{CUSTOMER}/messages");
    let talking = async {
        loop {
            house.post(&path, &json!({ "salon": SALON, "text": "и ещё" })).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let answered = until("the burst is answered", || async { !house.heard_by(CUSTOMER).await.is_empty() });
    tokio::select! {
        () = answered => {}
        () = talking => {}
    }
    house.close().await;
}

/// The salon's own number; what it writes to itself is its own chat.
const OWN: &str = "74950000088";

#[tokio::test(flavor = "multi_thread")]
async fn what_whatsapp_refuses_is_told_the_salon() {
    let house = House::open(options()).await;
    until("the welcome is there", || async { !house.heard_by(OWN).await.is_empty() }).await;
    house.post("/control/faults", &json!({ "target": "whatsapp", "kind": "nack", "status": 400 })).await;
    let asked = json!({ "salon": SALON, "text": "Сколько стоит женская стрижка?" });
    house.post(&format!("/control/phones/{CUSTOMER}/messages"), &asked).await;
    let told = |text: &String| text.contains("не доставил") && text.contains("2 500");
    until("the salon hears of it", || async { house.heard_by(OWN).await.iter().any(told) }).await;
    assert_eq!(house.heard_by(CUSTOMER).await, Vec::<String>::new());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_takes_over_while_a_booking_is_looked_for_leaves_it_to_be_told() {
    let house = House::open(options()).await;
    let lost = json!({ "target": "yclients", "match": Wish::Book.call(), "kind": "timeout_after_commit", "delay_ms": 200 });
    let silent = json!({ "target": "yclients", "match": "GET /api/v1/record", "kind": "status", "status": 500, "times": 100 });
    house.post("/control/faults", &lost).await;
    house.post("/control/faults", &silent).await;
    house.post(&format!("/control/phones/{CUSTOMER}/messages"), &json!({ "salon": SALON, "text": ORDER })).await;
    until("it is booked", || async { house.bookings().await.len() == 1 }).await;
    let human = json!({ "to": CUSTOMER, "text": "Минутку, это Ирина" });
    house.post(&format!("/control/salons/{SALON}/phone/messages"), &human).await;
    // The turn looks for it for some seconds and ends without knowing.
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(house.heard_by(CUSTOMER).await, ["Минутку, это Ирина"]);
    house.call(Method::DELETE, "/control/faults", &Value::Null).await;
    let told = |text: &String| text.to_lowercase().contains(Wish::Book.claim());
    until("the customer hears what stands", || async { house.heard_by(CUSTOMER).await.iter().any(told) }).await;
    house.close().await;
}
