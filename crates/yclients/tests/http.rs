//! What the client does on the wire, against a server that answers as YClients was seen to.
#![allow(missing_docs)]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use domain::{BookingId, Phone, RecordId, SalonId, ServiceId, StaffId};
use jiff::{
    civil::{Date, date},
    tz::TimeZone,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use yclients::{
    BookingCode, CallbackOutcome, CallbackStyle, Confirmation, Error, InstallStatus, NewBooking, NewRecord, Priority, RateLimit,
    RecordChange, Settings, YClients,
};

#[derive(Debug, Clone)]
struct Seen {
    /// `GET /api/v1/company/1?a=b`, percent signs decoded.
    line: String,
    authorization: String,
    accept: String,
    body: Value,
}

type Answers = Box<dyn Fn(&Seen, usize) -> (u16, String) + Send + Sync>;

struct Script {
    answer: Answers,
    seen: Mutex<Vec<Seen>>,
}

async fn handle(State(script): State<Arc<Script>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let value = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let decoded = uri.to_string().replace("%5B%5D", "[]").replace("%3A", ":");
    let seen = Seen {
        line: format!("{method} {decoded}"),
        authorization: value(header::AUTHORIZATION),
        accept: value(header::ACCEPT),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let count = {
        let mut all = script.seen.lock().expect("no panic under the lock");
        all.push(seen.clone());
        all.len()
    };
    let (status, body) = (script.answer)(&seen, count);
    let status = StatusCode::from_u16(status).expect("a status");
    if status == StatusCode::MOVED_PERMANENTLY {
        return (status, [(header::LOCATION, "/api/v1/elsewhere")]).into_response();
    }
    (status, body).into_response()
}

struct World {
    client: YClients,
    script: Arc<Script>,
}

impl World {
    fn lines(&self) -> Vec<String> {
        self.script.seen.lock().expect("no panic under the lock").iter().map(|seen| seen.line.clone()).collect()
    }

    fn last(&self) -> Seen {
        self.script.seen.lock().expect("no panic under the lock").last().cloned().expect("a request")
    }
}

fn client(address: SocketAddr, rate_limit: RateLimit, user_token: Option<&str>, callback: CallbackStyle) -> YClients {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    YClients::new(Settings {
        base_url: format!("http://{address}").parse().expect("a URL"),
        partner_token: "partner".into(),
        user_token: user_token.map(SecretString::from),
        application_id: 7,
        rate_limit,
        callback,
    })
    .expect("a client")
}

/// `answer` gets a request and how many there have been, this one included.
async fn world(answer: impl Fn(&Seen, usize) -> (u16, String) + Send + Sync + 'static) -> World {
    let script = Arc::new(Script { answer: Box::new(answer), seen: Mutex::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let app = Router::new().fallback(handle).with_state(Arc::clone(&script));
    tokio::spawn(async move { axum::serve(listener, app).await });
    World { client: client(address, RateLimit::Off, Some("user"), CallbackStyle::Server), script }
}

fn data(data: Value) -> (u16, String) {
    (200, json!({"success": true, "data": data, "meta": []}).to_string())
}

fn refusal(status: u16, message: &str) -> (u16, String) {
    (status, json!({"success": false, "data": null, "meta": {"message": message}}).to_string())
}

const SALON: SalonId = SalonId(4564);
const DAY: Date = date(2026, 11, 24);

fn moscow() -> TimeZone {
    TimeZone::get("Europe/Moscow").expect("a zone")
}

fn phone() -> Phone {
    Phone::parse("79161234567").expect("a phone")
}

fn mark() -> BookingId {
    BookingId("0197f0a2-0000-7000-8000-000000000001".parse().expect("a uuid"))
}

fn new_booking() -> NewBooking {
    NewBooking {
        services: vec![ServiceId(1), ServiceId(3)],
        staff_id: StaffId(11),
        start: DAY.at(16, 0, 0, 0),
        timezone: moscow(),
        phone: phone(),
        client_name: "Мария".to_owned(),
        comment: String::new(),
        api_id: mark(),
    }
}

fn record(id: i64, changes: &Value) -> Value {
    let mut record = json!({"id": id, "staff_id": 11, "services": [{"id": 1, "title": "Маникюр", "cost": 1620, "cost_to_pay": 1620,
        "first_cost": 1800, "discount": 10, "amount": 1}], "client": {"id": 5, "name": "Мария", "surname": "И", "phone": "+79161234567"},
        "date": "2026-11-24 16:00:00", "datetime": "2026-11-24T16:00:00+03:00", "seance_length": 5400, "attendance": 0, "api_id": "",
        "comment": "у окна", "custom_color": "f44336", "record_labels": [{"id": "8", "title": "VIP"}], "custom_fields": [],
        "sms_remain_hours": 6, "technical_break_duration": 0, "deleted": false, "is_update_blocked": false});
    for (key, value) in changes.as_object().expect("an object") {
        record[key] = value.clone();
    }
    record
}

#[tokio::test]
async fn two_levels_of_tokens() {
    let world = world(|_, _| data(json!([]))).await;
    world.client.book_staff(SALON, &[ServiceId(1)]).await.expect("an answer");
    assert_eq!(world.last().authorization, "Bearer partner");
    assert_eq!(world.last().accept, "application/vnd.yclients.v2+json");
    assert_eq!(world.last().line, "GET /api/v1/book_staff/4564?service_ids[]=1");
    world.client.staff(SALON).await.expect("an answer");
    assert_eq!(world.last().authorization, "Bearer partner, User user");

    let alone = client("127.0.0.1:9".parse().expect("an address"), RateLimit::Off, None, CallbackStyle::Server);
    assert!(!alone.has_user_token());
    assert!(matches!(alone.staff(SALON).await, Err(Error::NoUserToken { call: "staff" })));
}

#[tokio::test]
async fn booking_says_everything_once() {
    let world = world(|_, _| {
        (201, json!({"success": true, "data": [{"id": 1, "record_id": "2820023", "record_hash": "567d"}], "meta": []}).to_string())
    })
    .await;
    let booked = world.client.book_record(SALON, &new_booking()).await.expect("booked");
    assert_eq!((booked.record_id, booked.record_hash.as_str()), (RecordId(2_820_023), "567d"));
    let seen = world.last();
    assert_eq!(seen.line, "POST /api/v1/book_record/4564");
    assert_eq!(
        seen.body,
        json!({"phone": "79161234567", "fullname": "Мария", "email": "", "comment": "", "notify_by_sms": 0, "notify_by_email": 0,
            "api_id": "0197f0a2-0000-7000-8000-000000000001",
            "appointments": [{"id": 1, "services": [1, 3], "staff_id": 11, "datetime": "2026-11-24T16:00:00+03:00"}]})
    );
}

#[tokio::test]
async fn a_write_is_never_repeated_and_its_outcome_is_unknown() {
    for (status, body) in
        [(200, "<html>Bad gateway</html>"), (502, "<html></html>"), (503, "{}"), (201, r#"{"success":true,"data":[]}"#), (201, "")]
    {
        let world = world(move |_, _| (status, body.to_owned())).await;
        let error = world.client.book_record(SALON, &new_booking()).await.expect_err("no booking");
        assert!(error.outcome_unknown(), "{status} {body}: {error}");
        assert_eq!(world.lines().len(), 1, "{status} {body}");
    }
    let world = world(|_, _| refusal(422, "Выбранное время уже занято или является нерабочим.")).await;
    let error = world.client.book_record(SALON, &new_booking()).await.expect_err("no booking");
    assert_eq!((error.booking_code(), error.outcome_unknown()), (Some(BookingCode::TimeTaken), false));
}

/// A node that lost its turn while it waited for its place in the queue.
#[tokio::test]
async fn who_may_no_longer_write_sends_nothing() {
    let world = world(|_, _| refusal(422, "Выбранное время уже занято или является нерабочим.")).await;
    let late = world.client.for_turn(|| false);
    let error = late.book_record(SALON, &new_booking()).await.expect_err("no booking");
    assert!(matches!(error, Error::NotOurs { call: "book_record" }) && !error.outcome_unknown(), "{error}");
    assert!(late.delete_record(SALON, RecordId(5)).await.is_err());
    assert_eq!(world.lines().len(), 0);
    assert!(late.record(SALON, RecordId(5)).await.is_err());
    assert_eq!(world.lines().len(), 1, "it may still look");
    assert!(world.client.for_turn(|| true).book_record(SALON, &new_booking()).await.is_err());
    assert_eq!(world.lines().len(), 2);
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_leaves_the_outcome_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.shutdown().await;
        }
    });
    let client = client(address, RateLimit::Off, None, CallbackStyle::Server);
    assert!(client.book_record(SALON, &new_booking()).await.expect_err("no answer").outcome_unknown());
    assert!(!client.book_staff(SALON, &[]).await.expect_err("no answer").outcome_unknown());
}

#[tokio::test]
async fn a_server_that_is_not_there_did_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let client = client(address, RateLimit::Off, None, CallbackStyle::Server);
    let error = client.book_record(SALON, &new_booking()).await.expect_err("nobody listens");
    assert!(matches!(error, Error::Unavailable { outcome_unknown: false, .. }), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up_after_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    let client = client(address, RateLimit::Off, None, CallbackStyle::Server);
    let started = Instant::now();
    assert!(client.book_record(SALON, &new_booking()).await.expect_err("no answer").outcome_unknown());
    assert!((9..13).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn reads_are_tried_thrice() {
    let flaky = world(|_, count| if count < 3 { (502, "<html></html>".to_owned()) } else { data(json!([])) }).await;
    flaky.client.book_staff(SALON, &[]).await.expect("the third answer");
    let dead = world(|_, _| (502, "<html></html>".to_owned())).await;
    assert!(matches!(dead.client.book_staff(SALON, &[]).await, Err(Error::Unavailable { outcome_unknown: false, .. })));
    assert_eq!((flaky.lines().len(), dead.lines().len()), (3, 3));
    // A check writes nothing, so it is a read.
    let flaky = world(|_, count| if count < 2 { (500, String::new()) } else { (201, String::new()) }).await;
    flaky.client.book_check(SALON, &[ServiceId(1)], StaffId(11), DAY.at(16, 0, 0, 0), &moscow()).await.expect("free");
    assert_eq!(
        flaky.last().body,
        json!({"appointments": [{"id": 1, "services": [1], "staff_id": 11, "datetime": "2026-11-24T16:00:00+03:00"}]})
    );
}

#[tokio::test]
async fn too_many_requests_are_waited_out_by_everybody() {
    let world = world(|seen, count| match (count, seen.line.starts_with("POST")) {
        (1, true) => (429, String::new()),
        (_, true) => (201, json!({"success": true, "data": [{"record_id": 1, "record_hash": "h"}]}).to_string()),
        _ => data(json!([])),
    })
    .await;
    let started = Instant::now();
    world.client.book_record(SALON, &new_booking()).await.expect("booked at the second try");
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(world.lines().len(), 2);
}

#[tokio::test]
async fn five_calls_a_second() {
    let world = world(|_, _| data(json!([]))).await;
    let base = world.client.settings().clone();
    let limited = YClients::new(Settings { rate_limit: RateLimit::Official, ..base }).expect("a client");
    let started = Instant::now();
    let calls: Vec<_> = (0..11)
        .map(|_| {
            let client = limited.at(Priority::Live);
            tokio::spawn(async move { client.book_staff(SALON, &[]).await.map(drop) })
        })
        .collect();
    for call in calls {
        call.await.expect("no panic").expect("an answer");
    }
    assert!((2000..3500).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn free_times_by_service_and_of_everybody() {
    let world = world(|seen, _| {
        if seen.line.contains("/book_staff/") {
            data(json!([{"id": "11", "bookable": true}, {"id": 12, "bookable": 1}, {"id": 13, "bookable": false}]))
        } else if seen.line.contains("/book_times/4564/12/") {
            data(json!([{"time": "9:30", "seance_length": 3600, "datetime": "2026-11-24T09:30:00+03:00"}]))
        } else {
            data(json!([{"time": "10:00", "datetime": "2026-11-24T10:00:00+04:00"}, {"time": "9:30", "datetime": "2026-11-24T09:30:00+03:00"}]))
        }
    })
    .await;
    let slots = world.client.book_times(SALON, None, DAY, &[ServiceId(1), ServiceId(3)]).await.expect("times");
    let told: Vec<String> = slots.iter().map(|slot| format!("{} {}", slot.start.strftime("%H:%M"), slot.staff_id)).collect();
    assert_eq!(told, ["09:30 11", "09:30 12", "10:00 11"]);
    assert!(
        world.lines().contains(&"GET /api/v1/book_times/4564/11/2026-11-24?service_ids[]=1&service_ids[]=3".to_owned()),
        "{:?}",
        world.lines()
    );
    assert_eq!(world.lines().len(), 3, "nobody who takes no bookings is asked about");
}

#[tokio::test]
async fn empty_is_not_unknown() {
    let world = world(|_, _| refusal(404, "Сотрудник не оказывает выбранную услугу")).await;
    let error = world.client.book_times(SALON, Some(StaffId(11)), DAY, &[ServiceId(4)]).await.expect_err("not a master of it");
    assert_eq!(error.booking_code(), Some(BookingCode::StaffUnavailable));
}

#[tokio::test]
async fn a_record_is_put_back_whole() {
    let world = world(|seen, _| {
        if seen.line.starts_with("PUT") { (201, json!({"success": true, "data": {}}).to_string()) } else { data(record(501, &json!({}))) }
    })
    .await;
    let change =
        RecordChange { start: Some(DAY.at(18, 0, 0, 0)), staff_id: Some(StaffId(12)), minutes: Some(120), ..RecordChange::default() };
    let before = world.client.update_record(SALON, RecordId(501), &change, &moscow()).await.expect("moved");
    assert_eq!((before.get().start, before.get().staff_id), (DAY.at(16, 0, 0, 0), StaffId(11)));
    assert_eq!(world.last().line, "PUT /api/v1/record/4564/501");
    assert_eq!(
        world.last().body,
        json!({"staff_id": 12, "services": [{"id": 1, "first_cost": 1800, "discount": 10, "cost": 1620, "amount": 1}],
            "client": {"id": 5, "name": "Мария", "surname": "И", "phone": "79161234567"}, "datetime": "2026-11-24T18:00:00+03:00",
            "seance_length": 7200, "attendance": 0, "api_id": "", "comment": "у окна", "custom_color": "f44336", "record_labels": ["8"],
            "custom_fields": {}, "sms_remain_hours": 6, "technical_break_duration": 0, "save_if_busy": false, "send_sms": false})
    );
}

#[tokio::test]
async fn a_hidden_phone_is_not_sent_back() {
    let world = world(|seen, _| {
        if seen.line.starts_with("PUT") {
            (200, json!({"success": true, "data": []}).to_string())
        } else {
            data(record(501, &json!({"client": {"id": 5, "name": "Мария", "phone": "+7916*****67"}})))
        }
    })
    .await;
    let change = RecordChange { services: Some(vec![ServiceId(1), ServiceId(2)]), ..RecordChange::default() };
    world.client.update_record(SALON, RecordId(501), &change, &moscow()).await.expect("changed");
    assert_eq!(world.last().body["client"], json!({"id": 5, "name": "Мария"}));
    assert_eq!(
        world.last().body["services"],
        json!([{"id": 1, "first_cost": 1800, "discount": 10, "cost": 1620, "amount": 1}, {"id": 2, "amount": 1}])
    );
}

#[tokio::test]
async fn deleting_and_reading_what_is_gone() {
    let world = world(|seen, count| match (seen.line.split(' ').next(), count) {
        (Some("DELETE"), 1) => (204, String::new()),
        (Some("DELETE"), _) => refusal(404, "Запись не найдена"),
        (_, 3) => data(record(501, &json!({}))),
        (_, 4) => refusal(404, "Запись не найдена"),
        (_, 5) => data(json!([])),
        _ => data(record(501, &json!({"deleted": 1}))),
    })
    .await;
    world.client.delete_record(SALON, RecordId(501)).await.expect("204 has no body");
    world.client.delete_record(SALON, RecordId(501)).await.expect("already gone");
    let stood = world.client.record(SALON, RecordId(501)).await.expect("a reading");
    assert!(!stood.get().deleted);
    for how in ["404", "an empty list", "deleted: 1"] {
        let gone = world.client.reread(SALON, stood.get()).await.expect("a reading");
        assert!(gone.get().deleted && gone.get().start == stood.get().start, "{how}");
    }
}

#[tokio::test]
async fn our_mark_is_found_on_a_later_page() {
    let world = world(|seen, _| {
        let total = json!({"page": 1, "total_count": 3});
        let page = if seen.line.contains("?page=1&") {
            json!([record(1, &json!({})), record(2, &json!({"api_id": mark().to_string(), "deleted": true}))])
        } else {
            json!([record(3, &json!({"api_id": mark().to_string()}))])
        };
        (200, json!({"success": true, "data": page, "meta": total}).to_string())
    })
    .await;
    let found = world.client.find_by_api_id(SALON, mark(), DAY, DAY).await.expect("an answer").expect("ours");
    assert_eq!(found.get().record_id, RecordId(3), "one that stands before one that is deleted");
    assert_eq!(world.lines()[1], "GET /api/v1/records/4564?page=2&count=200&start_date=2026-11-24&end_date=2026-11-24&with_deleted=1");
}

#[tokio::test]
async fn pages_end_even_where_no_total_is_told_and_pages_repeat() {
    let world = world(|_, _| data(json!([record(1, &json!({}))]))).await;
    assert_eq!(world.client.find_by_api_id(SALON, mark(), DAY, DAY).await.expect("an answer"), None);
    assert_eq!(world.lines().len(), 2);
}

#[tokio::test]
async fn bookings_of_a_phone_and_of_no_other() {
    let world = world(|seen, _| {
        if seen.line.contains("/clients/search") {
            data(json!([{"id": 5, "name": "Мария", "phone": "+79161234567", "visits_count": "3"}, {"id": 6, "name": "Не она", "phone": "79161234568"},
                {"id": 7, "name": "Скрыта", "phone": ""}]))
        } else if seen.line.contains("page=1") {
            data(json!([record(2, &json!({})), record(1, &json!({"date": "2026-11-24 10:00:00", "datetime": ""})), record(3, &json!({"deleted": true})),
                record(4, &json!({"date": "2026-11-20 10:00:00", "datetime": ""}))]))
        } else {
            data(json!([]))
        }
    })
    .await;
    let bookings = world.client.bookings_of(SALON, &phone(), date(2026, 11, 23)).await.expect("bookings");
    assert_eq!(bookings.iter().map(|b| b.get().record_id).collect::<Vec<_>>(), [RecordId(1), RecordId(2)]);
    let lines = world.lines();
    assert_eq!(lines[0], "POST /api/v1/company/4564/clients/search");
    assert!(lines[1..].iter().all(|line| line.contains("client_id=5&start_date=2026-11-23")), "{lines:?}");
}

#[tokio::test]
async fn an_administrators_booking_is_answered_by_an_object_or_a_list() {
    let world = world(|_, count| {
        let record = record(77, &json!({}));
        (201, json!({"success": true, "data": if count == 1 { record } else { json!([record]) }}).to_string())
    })
    .await;
    let new = NewRecord {
        services: vec![ServiceId(1)],
        staff_id: StaffId(11),
        start: DAY.at(12, 0, 0, 0),
        timezone: moscow(),
        minutes: 90,
        phone: phone(),
        client_name: "Мария".to_owned(),
        comment: String::new(),
        api_id: mark(),
    };
    for _ in 0..2 {
        assert_eq!(world.client.create_record(SALON, &new).await.expect("created"), RecordId(77));
    }
}

#[tokio::test]
async fn the_marketplace() {
    let world = world(|seen, count| match (seen.line.as_str(), count) {
        ("POST /marketplace/partner/callback", 1) => (201, json!({"success": true, "data": []}).to_string()),
        ("POST /marketplace/partner/callback", _) => refusal(403, "Пользователь уже установил это приложение."),
        ("POST /marketplace/partner/callback/redirect", _) => (301, String::new()),
        ("GET /marketplace/salon/4564/application/7", _) => refusal(404, ""),
        _ => refusal(404, "нет такого"),
    })
    .await;
    let confirmation =
        Confirmation { api_key: "sk_1".into(), webhook_urls: vec!["https://example.ru/webhook/yclients/s".parse().expect("a URL")] };
    assert_eq!(world.client.confirm_installation(SALON, &confirmation).await.expect("installed"), CallbackOutcome::Installed);
    assert_eq!(
        world.last().body,
        json!({"salon_id": 4564, "application_id": 7, "api_key": "sk_1", "webhook_urls": ["https://example.ru/webhook/yclients/s"], "channels": ["whatsapp"]})
    );
    assert_eq!(world.last().authorization, "Bearer partner");
    assert_eq!(world.client.callback(SALON, &confirmation).await.expect("installed"), CallbackOutcome::AlreadyInstalled);
    assert_eq!(world.client.callback_redirect(SALON, &confirmation).await.expect("301 is success"), CallbackOutcome::Installed);
    assert_eq!(world.lines().len(), 3, "the redirect is not followed");
    assert_eq!(world.client.install_state(SALON).await.expect("a state").status, InstallStatus::Uninstalled);
    world.client.uninstall(SALON).await.expect("not installed is success");
}
