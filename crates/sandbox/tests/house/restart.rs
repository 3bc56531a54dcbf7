//! The product is killed and started again against a world that lives on.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::support::{ADMIN_KEY, CUSTOMER, House, SALON, options, salon, until};

/// A product in a process of its own, killed when dropped.
pub(crate) struct Product(Child);

impl Product {
    /// With settings of its environment.
    pub(crate) fn with(data: &Path, control_port: u16, port: u16, settings: &[(&str, &str)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_ai-admin-sandbox"))
            .args(["--product-only", "--debounce-ms", "20", "--data"])
            .arg(data)
            .args(["--control-port", &control_port.to_string(), "--port", &port.to_string()])
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the sandbox's binary starts");
        Self(child)
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ended");
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A world, and its product in a process of its own.
pub(crate) struct Apart {
    product: Option<Product>,
    pub(crate) house: House,
    settings: Vec<(String, String)>,
    ports: (u16, u16),
    folder: tempfile::TempDir,
}

impl Apart {
    /// With the salon connected; the product is started with these settings.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let world = Options { data: Some(folder.path().to_owned()), world_only: true, port, ..options() };
        let house = House::start(world).await;
        let control_port = house.control.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut apart = Self { product: None, house, settings, ports: (control_port, port), folder };
        apart.start_product();
        apart.until_ready().await;
        apart.house.post("/control/salons", &salon()).await;
        apart.house.onboard().await;
        apart
    }

    pub(crate) fn start_product(&mut self) {
        let settings: Vec<(&str, &str)> = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.product = Some(Product::with(self.folder.path(), self.ports.0, self.ports.1, &settings));
    }

    pub(crate) fn kill_product(&mut self) {
        self.product.take().expect("it runs").kill();
    }

    async fn until_ready(&self) {
        let ready = format!("http://127.0.0.1:{}/readyz", self.ports.1);
        let is_ready = || async { self.house.http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) };
        until("the product is ready", is_ready).await;
    }
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_product_comes_back_linked_and_answers_what_came_meanwhile_once() {
    let mut apart = Apart::start(&[]).await;
    assert!(!apart.house.say(CUSTOMER, "Добрый день").await.is_empty());
    apart.kill_product();

    let body = json!({ "salon": SALON, "text": "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане", "name": "Мария" });
    apart.house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
    apart.start_product();
    let house = &apart.house;
    until("the message is answered", || async { house.heard_by(CUSTOMER).await.len() == 2 }).await;
    // Whatever would come twice has had the time to.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(house.heard_by(CUSTOMER).await.len(), 2);
    assert_eq!(house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_hours_ago_is_not_answered_but_listed_for_the_salon() {
    const SALONS_PHONE: &str = "74950000088";
    let mut apart = Apart::start(&[]).await;
    apart.kill_product();
    let body = json!({ "salon": SALON, "text": "Можно на маникюр сегодня?", "name": "Мария" });
    apart.house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
    apart.house.call(Method::PUT, "/control/clock", &json!({ "now": "2026-11-23T15:00:00+03:00" })).await;
    apart.start_product();
    let house = &apart.house;
    let listed = async || house.heard_by(SALONS_PHONE).await.iter().any(|note| note.contains("Мария, +7 916 123-45-67, 23.11 в 10:0"));
    until("the salon is told", listed).await;
    assert_eq!(house.heard_by(CUSTOMER).await, Vec::<String>::new(), "who wrote hours ago is not answered");
    assert_ne!(house.say(CUSTOMER, "Вы ещё работаете?").await, "", "who writes now is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_killed_amid_a_booking_finds_what_it_had_made_and_tells_it_once() {
    let mut apart = Apart::start(&[]).await;
    // The booking is made, and its answer is held until after the kill.
    let fault = json!({ "target": "yclients", "match": "POST /api/v1/book_record", "kind": "timeout_after_commit", "delay_ms": 5000 });
    apart.house.post("/control/faults", &fault).await;
    let body = json!({ "salon": SALON, "text": "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане", "name": "Мария" });
    apart.house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
    let made = async |house: &House| house.bookings().await.len() == 1;
    until("the booking is made", || made(&apart.house)).await;
    apart.kill_product();
    apart.start_product();
    let house = &apart.house;
    until("it is told", || async { !house.heard_by(CUSTOMER).await.is_empty() }).await;
    let heard = house.heard_by(CUSTOMER).await;
    assert!(heard.len() == 1 && heard[0].to_lowercase().contains("записала"), "{heard:?}");
    let records = house.call(Method::GET, &format!("/control/salons/{SALON}/records"), &Value::Null).await;
    assert_eq!(records.as_array().expect("a list").iter().filter(|record| record["by"] == "bot").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_behind_a_turn_that_was_cut_off_is_answered_after_it() {
    let mut apart = Apart::start(&[]).await;
    let fault = json!({ "target": "yclients", "match": "POST /api/v1/book_record", "kind": "timeout_after_commit", "delay_ms": 5000 });
    apart.house.post("/control/faults", &fault).await;
    let write = async |house: &House, text: &str| {
        let body = json!({ "salon": SALON, "text": text, "name": "Мария" });
        house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await
    };
    write(&apart.house, "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане").await;
    until("the booking is made", || async { apart.house.bookings().await.len() == 1 }).await;
    write(&apart.house, "Сколько стоит стрижка?").await;
    // It waits behind the turn, in the database: the product has acknowledged it.
    let conversation = format!("http://127.0.0.1:{}/api/conversations/1/{CUSTOMER}", apart.ports.1);
    let stored = || async {
        let state = apart.house.http.get(&conversation).header("X-API-Key", ADMIN_KEY).send().await.expect("an answer");
        state.json::<Value>().await.expect("JSON")["unanswered"] == 2
    };
    until("both messages are stored", stored).await;
    apart.kill_product();
    apart.start_product();
    let house = &apart.house;
    until("both are answered", || async { house.heard_by(CUSTOMER).await.len() == 2 }).await;
    let heard = house.heard_by(CUSTOMER).await;
    assert!(heard[0].to_lowercase().contains("записала") && heard[1].contains("2\u{a0}500"), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_user_token_it_books_moves_and_cancels_what_it_booked_itself() {
    let apart = Apart::start(&[("YCLIENTS_USER_TOKEN", "")]).await;
    let house = &apart.house;
    let booked = house.say(CUSTOMER, "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане").await;
    assert!(booked.to_lowercase().contains("записала"), "{booked}");
    assert_eq!(house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")]);
    let moved = house.say(CUSTOMER, "Перенесите, пожалуйста, на завтра в 17:00").await;
    assert!(moved.to_lowercase().contains("перенесла"), "{moved}");
    assert_eq!(house.bookings().await, [format!("Анна 2026-11-24T17:00 {CUSTOMER}")]);
    let mut cancelled = house.say(CUSTOMER, "Отмените, пожалуйста, мою запись").await;
    if cancelled.contains('?') {
        cancelled = house.say(CUSTOMER, "да").await;
    }
    assert!(cancelled.to_lowercase().contains("отменила"), "{cancelled}");
    assert_eq!(house.bookings().await, [""; 0]);
    // Nothing waits for an answer that cannot come.
    assert_eq!(house.post("/control/settle", &json!({ "timeout_ms": 5000 })).await, json!({ "settled": true }));
}
