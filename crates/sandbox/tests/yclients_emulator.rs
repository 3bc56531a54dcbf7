//! The YClients emulator as a client on the wire sees it, moved through the control API.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, routing::post};
use clap::Parser;
use parking_lot::Mutex;
use reqwest::{Client, Method, RequestBuilder};
use sandbox::{Options, Running};
use serde_json::{Value, json};

const PARTNER: &str = "Bearer sandbox-partner-token";
const USER: &str = "Bearer sandbox-partner-token, User sandbox-user-token";
const V2: &str = "application/vnd.yclients.v2+json";
/// Monday, ten in the morning in Moscow.
const NOW: &str = "2026-11-23T10:00:00+03:00";

fn salon() -> Value {
    json!({
        "id": 77, "title": "Проба", "city": "Москва", "phone": "74950000077", "timezone_name": "Europe/Moscow", "grid_minutes": 30,
        "services": [
            {"id": 1, "title": "Маникюр", "category": "Ногти", "price_min": 1800, "price_max": 2200, "minutes": 90, "staff": [11, 12],
             "minutes_by_staff": {"12": 120}},
            {"id": 2, "title": "Педикюр", "category": "Ногти", "price_min": 2300, "price_max": 2300, "minutes": 90, "staff": [11]},
            {"id": 3, "title": "Комплекс", "category": "Ногти", "price_min": 3900, "price_max": 3900, "minutes": 180, "staff": [11],
             "composite_of": [1, 2]},
            {"id": 4, "title": "Стрижка", "category": "Волосы", "price_min": 1000, "price_max": 1500, "minutes": 60, "staff": [12]}],
        "staff": [{"id": 11, "name": "Анна", "rating": 4.9}, {"id": 12, "name": "Вера", "rating": 4.7}],
        "schedule": [
            {"staff": 11, "weekdays": [1, 2, 3, 4, 5], "from": "10:00", "to": "18:00", "breaks": [["14:00", "15:00"]]},
            {"staff": 12, "weekdays": [2], "from": "12:00", "to": "16:00"}],
        "clients": [{"name": "Мария Иванова", "phone": "79161234567", "visits": 3}],
        "records": [{"id": 501, "staff": 11, "services": [1], "client_phone": "79160000001", "client_name": "Ольга",
                     "start": "2026-11-24T12:00"}]
    })
}

/// A world without salon and product on a free port.
fn world(more: &[&str]) -> Options {
    Options::parse_from([&["sandbox", "--world-only", "--no-demo-salon", "--port=0", "--control-port=0"], more].concat())
}

struct Sandbox {
    base: String,
    http: Client,
    running: Running,
}

impl Sandbox {
    async fn start(port: u16, real_limits: bool) -> Self {
        let running = sandbox::start(Options { port, real_limits, ..world(&["--now", NOW]) }).await.expect("the world starts");
        let base = format!("http://{}", running.control.expect("a control port"));
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let sandbox = Self { base, http, running };
        let put = sandbox.control(Method::POST, "/control/salons", salon()).await;
        assert_eq!(put, (200, json!({ "id": 77 })));
        sandbox
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("Accept", V2)
    }

    async fn control(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        answer(self.request(method, path).json(&body)).await
    }

    async fn get(&self, authorization: &str, path: &str) -> (u16, Value) {
        answer(self.request(Method::GET, path).header("Authorization", authorization)).await
    }

    async fn send(&self, method: Method, authorization: &str, path: &str, body: Value) -> (u16, Value) {
        answer(self.request(method, path).header("Authorization", authorization).json(&body)).await
    }

    /// The starts that `book_times` offers, as one line.
    async fn times(&self, staff: i64, date: &str, services: &[i64]) -> String {
        let query: Vec<String> = services.iter().map(|id| format!("service_ids[]={id}")).collect();
        let (status, body) = self.get(PARTNER, &format!("/api/v1/book_times/77/{staff}/{date}?{}", query.join("&"))).await;
        assert_eq!(status, 200, "{body}");
        let times = body["data"].as_array().expect("a list");
        times.iter().map(|t| t["time"].as_str().expect("a time")).collect::<Vec<_>>().join(" ")
    }

    async fn book(&self, api_id: &str, staff: i64, services: &[i64], datetime: &str) -> (u16, Value) {
        let body = json!({
            "phone": "79161234567", "fullname": "Мария", "email": "", "api_id": api_id,
            "appointments": [{"id": 1, "services": services, "staff_id": staff, "datetime": datetime}]
        });
        self.send(Method::POST, PARTNER, "/api/v1/book_record/77", body).await
    }

    async fn fault(&self, order: Value) {
        assert_eq!(self.control(Method::POST, "/control/faults", order).await.0, 200);
    }
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let (status, text) = (response.status().as_u16(), response.text().await.expect("a body"));
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test]
async fn both_tokens_are_asked_for() {
    let sandbox = Sandbox::start(0, false).await;
    for (authorization, path, status, message) in [
        ("", "/api/v1/company/77", 401, "Не указаны авторизационные данные"),
        ("Bearer wrong", "/api/v1/company/77", 401, "Не указан идентификатор партнера"),
        (PARTNER, "/api/v1/company/78", 404, "Филиал не найден."),
        (PARTNER, "/api/v1/records/77", 401, "Необходима авторизация"),
        ("Bearer sandbox-partner-token, User wrong", "/api/v1/company/77/staff", 401, "Необходима авторизация"),
        (USER, "/api/v1/records/78", 404, "Филиал не найден."),
        (USER, "/api/v1/goods/77", 501, "Эта часть YClients не эмулируется"),
    ] {
        let (got, body) = sandbox.get(authorization, path).await;
        assert_eq!((got, body["meta"]["message"].as_str()), (status, Some(message)), "{authorization} {path}: {body}");
        assert_eq!(body["success"], json!(false));
    }
    let old = sandbox.http.get(format!("{}/api/v1/company/77", sandbox.base));
    let (status, body) = answer(old).await;
    assert_eq!((status, &body["errors"]["message"]), (401, &json!("Не указаны авторизационные данные")), "without v2: {body}");
    let (_, company) = sandbox.get(PARTNER, "/api/v1/company/77").await;
    assert_eq!(company["data"]["timezone_name"], json!("Europe/Moscow"));
    assert_eq!(company["data"]["timezone"], json!(3));
    sandbox.running.shutdown().await;
}

#[tokio::test]
async fn offers_only_what_is_free() {
    let sandbox = Sandbox::start(0, false).await;
    // staff (0: anybody), date, services, expected
    for (staff, date, services, expected) in [
        (11, "2026-11-23", vec![2], "10:00 10:30 11:00 11:30 12:00 12:30 15:00 15:30 16:00 16:30"),
        (11, "2026-11-24", vec![1], "10:00 10:30 15:00 15:30 16:00 16:30"),
        (11, "2026-11-24", vec![1, 2], "15:00"),
        (12, "2026-11-24", vec![1], "12:00 12:30 13:00 13:30 14:00"),
        (0, "2026-11-24", vec![1], "10:00 10:30 12:00 12:30 13:00 13:30 14:00 15:00 15:30 16:00 16:30"),
        (12, "2026-11-25", vec![4], ""),
        (11, "2026-11-20", vec![1], ""),
        (11, "2026-11-28", vec![1], ""),
    ] {
        assert_eq!(sandbox.times(staff, date, &services).await, expected, "{staff} {date} {services:?}");
    }
    for (path, status, message) in [
        ("/api/v1/book_times/77/11/2026-11-24?service_ids[]=3", 404, "Сотрудник не оказывает выбранную услугу"),
        ("/api/v1/book_times/77/11/2026-11-24?service_ids[]=4", 404, "Сотрудник не оказывает выбранную услугу"),
        ("/api/v1/book_times/77/99/2026-11-24?service_ids[]=1", 404, "Сотрудник недоступен"),
        ("/api/v1/book_times/77/11/2026-11-24?service_ids[]=9", 404, "Услуга не найдена."),
        ("/api/v1/book_times/77/11/сегодня", 422, "Произошла ошибка валидации"),
    ] {
        let (got, body) = sandbox.get(PARTNER, path).await;
        assert_eq!((got, body["meta"]["message"].as_str()), (status, Some(message)), "{path}");
    }
    let (_, ignored) = sandbox.get(PARTNER, "/api/v1/book_times/77/11/2026-11-24?service_id=1").await;
    assert_eq!(ignored["data"][0]["seance_length"], json!(1800), "service_id is no filter: {ignored}");
    let (_, dates) = sandbox.get(PARTNER, "/api/v1/book_dates/77?staff_id=12&service_ids[]=4&date=2026-11-30").await;
    assert_eq!(dates["data"]["booking_dates"], json!(["2026-11-24"]));
    assert_eq!(dates["data"]["booking_days"], json!({ "11": ["24"] }));
    let (_, services) = sandbox.get(PARTNER, "/api/v1/book_services/77?staff_id=12").await;
    let lengths: Vec<_> =
        services["data"]["services"].as_array().expect("a list").iter().map(|s| (&s["id"], &s["seance_length"])).collect();
    assert_eq!(lengths, [(&json!(1), &json!(7200)), (&json!(4), &json!(3600))]);
    let (_, staff) = sandbox.get(PARTNER, "/api/v1/book_staff/77?service_ids[]=1&service_ids[]=2").await;
    assert_eq!(staff["data"].as_array().map(|s| s.iter().map(|m| m["name"].clone()).collect::<Vec<_>>()), Some(vec![json!("Анна")]));
    sandbox.running.shutdown().await;
}

#[tokio::test]
async fn books_once_and_refuses_with_the_codes() {
    let sandbox = Sandbox::start(0, false).await;
    let (status, made) = sandbox.book("ours-1", 11, &[1], "2026-11-24T15:00:00+03:00").await;
    assert_eq!(status, 201, "{made}");
    let id = made["data"][0]["record_id"].as_i64().expect("a record id");
    let hash = made["data"][0]["record_hash"].as_str().expect("a hash").to_owned();
    let (_, record) = sandbox.get(USER, &format!("/api/v1/record/77/{id}")).await;
    let record = &record["data"];
    assert_eq!(record["api_id"], json!("ours-1"));
    assert_eq!(record["datetime"], json!("2026-11-24T15:00:00+03:00"));
    assert_eq!(record["date"], json!("2026-11-24 15:00:00"));
    assert_eq!(record["client"]["phone"], json!("+79161234567"));
    assert_eq!(record["client"]["success_visits_count"], json!(3), "the client was known");
    assert!(record["last_change_date"].as_str().is_some_and(|d| d.ends_with("+0300")), "{record}");
    assert!(!sandbox.times(11, "2026-11-24", &[1]).await.contains("15:00"));

    for (what, services, staff, datetime, status, code) in [
        ("taken", vec![1], 11, "2026-11-24T15:00:00+03:00", 422, 433),
        ("taken, the salon's wall clock", vec![1], 11, "2026-11-24T15:30:00", 422, 433),
        ("beside the grid", vec![1], 11, "2026-11-25T10:10:00+03:00", 422, 433),
        ("day off", vec![1], 11, "2026-11-28T10:00:00+03:00", 422, 433),
        ("past", vec![1], 11, "2026-11-23T09:00:00+03:00", 422, 433),
        ("nobody is free", vec![1], 0, "2026-11-24T15:00:00+03:00", 422, 436),
    ] {
        let (got, body) = sandbox.book("x", staff, &services, datetime).await;
        assert_eq!((got, body["meta"]["errors"]["code"].as_i64()), (status, Some(code)), "{what}: {body}");
    }
    let (status, body) = sandbox.book("x", 11, &[3], "2026-11-25T10:00:00+03:00").await;
    assert_eq!((status, &body["meta"]["message"]), (404, &json!("Сотрудник не оказывает выбранную услугу")), "a complex");
    for (field, value, code) in [("phone", "восемь", 431), ("fullname", " ", 435)] {
        let mut body = json!({ "phone": "79161234567", "fullname": "Мария", "appointments": [] });
        body[field] = json!(value);
        let (status, body) = sandbox.send(Method::POST, PARTNER, "/api/v1/book_record/77", body).await;
        assert_eq!((status, body["meta"]["errors"]["code"].as_i64()), (422, Some(code)));
    }
    let check = |appointments: Value| sandbox.send(Method::POST, PARTNER, "/api/v1/book_check/77", json!({ "appointments": appointments }));
    let at = "2026-11-25T10:00:00+03:00";
    assert_eq!(check(json!([{"id": 1, "services": [1], "staff_id": 11, "datetime": at}])).await.0, 201);
    let (_, overlap) = check(json!([
        {"id": 1, "services": [1], "staff_id": 11, "datetime": at},
        {"id": 2, "services": [2], "staff_id": 11, "datetime": "2026-11-25T11:00:00+03:00"}]))
    .await;
    assert_eq!((overlap["meta"]["errors"]["code"].as_i64(), overlap["meta"]["errors"]["id"].as_i64()), (Some(437), Some(2)));
    let (_, gone) = check(json!([{"id": 5, "services": [9], "staff_id": 11, "datetime": at}])).await;
    assert_eq!(gone["meta"]["errors"]["code"], json!(438));

    let by_hash = format!("/api/v1/user/records/{id}/{hash}");
    let cancelled = sandbox.send(Method::DELETE, PARTNER, &by_hash, json!({})).await;
    assert_eq!(cancelled.0, 200);
    assert_eq!(sandbox.get(PARTNER, &by_hash).await.0, 404);
    assert!(sandbox.times(11, "2026-11-24", &[1]).await.contains("15:00"), "free again");
    sandbox.running.shutdown().await;
}

#[tokio::test]
async fn the_salons_data_can_be_read_and_changed() {
    let sandbox = Sandbox::start(0, false).await;
    let body = json!({
        "staff_id": 11, "services": [{"id": 1, "cost": 1800}], "client": {"phone": "+79160000009", "name": "Инна"},
        "datetime": "2026-11-24T16:00:00", "seance_length": 3600, "save_if_busy": false, "api_id": "ours-2"
    });
    let (status, made) = sandbox.send(Method::POST, USER, "/api/v1/records/77", body.clone()).await;
    assert_eq!(status, 201, "{made}");
    let (status, taken) = sandbox.send(Method::POST, USER, "/api/v1/records/77", body).await;
    assert_eq!(status, 422);
    let message = taken["meta"]["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("К сотруднику Анна(11) нельзя записаться на 24 ноября 2026 в 16:00."), "{message}");

    let id = made["data"]["id"].as_i64().expect("an id");
    let path = format!("/api/v1/record/77/{id}");
    let later = json!({ "datetime": "2026-11-24 16:30:00" });
    let (status, moved) = sandbox.send(Method::PUT, USER, &path, later).await;
    assert_eq!((status, &moved["data"]["datetime"]), (201, &json!("2026-11-24T16:30:00+03:00")), "its own time is no obstacle");
    assert_eq!(moved["data"]["seance_length"], json!(3600), "what was not sent stays");
    let (status, _) = sandbox.send(Method::PUT, USER, &path, json!({ "datetime": "2026-11-24T12:30:00" })).await;
    assert_eq!(status, 422, "somebody else's time");

    let list = |query: &'static str| sandbox.get(USER, query);
    let (_, all) = list("/api/v1/records/77?start_date=2026-11-24&end_date=2026-11-24&count=1&page=2").await;
    assert_eq!((all["meta"]["total_count"].as_i64(), all["data"][0]["id"].as_i64()), (Some(2), Some(id)));
    assert_eq!(sandbox.send(Method::DELETE, USER, &path, json!({})).await, (204, json!("")));
    assert_eq!(sandbox.get(USER, &path).await.0, 404);
    let (_, without) = list("/api/v1/records/77").await;
    let (_, with) = list("/api/v1/records/77?with_deleted=1").await;
    assert_eq!((without["meta"]["total_count"].as_i64(), with["meta"]["total_count"].as_i64()), (Some(1), Some(2)));
    sandbox.control(Method::PUT, "/control/clock", json!({ "now": "2026-11-23T12:00:00+03:00" })).await;
    sandbox.control(Method::PATCH, "/control/salons/77/records/501", json!({ "attendance": 2 })).await;
    let (_, changed) = list("/api/v1/records/77?changed_after=2026-11-23T12:00:00").await;
    let ids: Vec<_> = changed["data"].as_array().expect("a list").iter().map(|r| r["id"].as_i64()).collect();
    assert_eq!(ids, [Some(501)]);

    let search = |body: Value| sandbox.send(Method::POST, USER, "/api/v1/company/77/clients/search", body);
    let filter = json!([{"type": "quick_search", "state": {"value": "79161234567"}}]);
    let (_, bare) = search(json!({ "filters": filter })).await;
    assert_eq!(bare["data"], json!([{ "id": 1 }]), "only ids unless fields are named");
    let (_, full) = search(json!({ "filters": filter, "fields": ["id", "name", "phone", "visits_count"] })).await;
    assert_eq!(full["data"], json!([{ "id": 1, "name": "Мария Иванова", "phone": "+79161234567", "visits_count": 3 }]));
    let (_, page) = search(json!({ "page": 2, "page_size": 1, "order_by": "id", "fields": ["id"] })).await;
    assert_eq!((page["data"][0]["id"].as_i64(), page["meta"]["total_count"].as_i64()), (Some(2), Some(3)));
    assert_eq!(search(json!({ "page_size": 500 })).await.0, 422);

    let (_, services) = list("/api/v1/company/77/services").await;
    assert_eq!(services["data"][0]["staff"][1]["seance_length"], json!(7200));
    assert_eq!(services["data"][2]["composite_details"]["links"][1]["service_id"], json!(2));
    let (_, schedule) =
        list("/api/v1/company/77/staff/schedule?start_date=2026-11-24&end_date=2026-11-24&staff_ids[]=11&include[]=busy_intervals").await;
    assert_eq!(
        schedule["data"],
        json!([{ "staff_id": 11, "date": "2026-11-24", "slots": [{"from": "10:00", "to": "14:00"}, {"from": "15:00", "to": "18:00"}],
                 "busy_intervals": [{"entity_type": "record", "entity_id": 501, "from": "12:00", "to": "13:30"}] }])
    );
    sandbox.running.shutdown().await;
}

type Heard = Arc<Mutex<Vec<Value>>>;

/// An application that hears webhooks.
async fn application() -> (u16, Heard) {
    let heard = Heard::default();
    let hear = async |State(heard): State<Heard>, Json(event): Json<Value>| heard.lock().push(event);
    let routes = Router::new().route("/webhook/{*rest}", post(hear)).with_state(heard.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
    (port, heard)
}

async fn until(heard: &Heard, count: usize) -> Vec<Value> {
    for _ in 0..400 {
        if heard.lock().len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // One more that must not be there would come within this time.
    tokio::time::sleep(Duration::from_millis(120)).await;
    std::mem::take(&mut heard.lock())
}

#[tokio::test]
async fn the_marketplace_installs_and_tells() {
    let (port, heard) = application().await;
    let sandbox = Sandbox::start(port, false).await;
    let status_path = "/marketplace/salon/77/application/1";
    assert_eq!(sandbox.get(PARTNER, status_path).await, (404, json!({ "success": false, "data": null, "meta": {} })));
    let callback = json!({ "salon_id": 77, "application_id": 1, "api_key": "sk_1",
                           "webhook_urls": [format!("http://127.0.0.1:{port}/webhook/yclients/s3cret")] });
    let install = |body: Value| sandbox.send(Method::POST, PARTNER, "/marketplace/partner/callback", body);
    assert_eq!(install(callback.clone()).await.0, 403, "nobody pressed the button");

    let (_, connect) = sandbox.control(Method::POST, "/control/salons/77/connect", json!({})).await;
    let url = reqwest::Url::parse(connect["redirect_url"].as_str().expect("a URL")).expect("a URL");
    assert!(url.as_str().starts_with(&format!("http://127.0.0.1:{port}/auth/yclients/redirect?salon_id=77&user_data=")), "{url}");
    assert_eq!(sandbox.get(PARTNER, status_path).await.1["data"]["connection_status"]["status"], json!("pending"));
    assert_eq!(install(json!({ "salon_id": 77 })).await.0, 422);
    assert_eq!(install(json!({ "salon_id": 77, "application_id": 2 })).await.0, 400);
    assert_eq!(install(callback.clone()).await.0, 201);
    let (status, again) = install(callback.clone()).await;
    assert_eq!((status, &again["meta"]["message"]), (403, &json!("Пользователь уже установил это приложение.")));
    let (_, shown) = sandbox.get(PARTNER, status_path).await;
    assert_eq!(shown["data"]["connection_status"]["status"], json!("active"));
    let (_, salons) = sandbox.get(PARTNER, "/marketplace/application/1/salons?page=1&count=10").await;
    assert_eq!(salons["data"][0]["id"], json!("77"));

    sandbox.control(Method::POST, "/control/salons/77/records", json!({
        "staff_id": 11, "service_ids": [3], "start": "2026-11-25T10:00", "client_phone": "79160000001", "client_name": "Ольга", "by": "widget" }))
    .await;
    sandbox.control(Method::PATCH, "/control/salons/77/records/501", json!({ "start": "2026-11-24T10:00" })).await;
    sandbox.control(Method::DELETE, "/control/salons/77/records/501", json!({})).await;
    let events = until(&heard, 3).await;
    let told: Vec<_> = events.iter().map(|e| format!("{} {} {}", e["resource"], e["status"], e["resource_id"])).collect();
    assert_eq!(told, ["\"record\" \"create\" 1001", "\"record\" \"update\" 501", "\"record\" \"delete\" 501"]);
    assert_eq!((&events[2]["data"]["deleted"], &events[2]["company_id"]), (&json!(true), &json!(77)));
    let (_, records) = sandbox.control(Method::GET, "/control/salons/77/records", json!({})).await;
    assert_eq!(records[1]["minutes"], json!(180));
    assert_eq!(
        (&records[1]["by"], &records[1]["staff"], &records[1]["start"]),
        (&json!("widget"), &json!("Анна"), &json!("2026-11-25T10:00"))
    );
    assert_eq!((&records[0]["deleted"], &records[0]["by"]), (&json!(true), &json!("fixture")));

    for (event, status) in
        [("freeze", "freezed"), ("payment", "active"), ("freeze", "freezed"), ("unfreeze", "active"), ("uninstall", "uninstalled")]
    {
        let (_, after) = sandbox.control(Method::POST, &format!("/control/salons/77/marketplace/{event}"), json!({})).await;
        assert_eq!(after, json!({ "installation": status }), "{event}");
    }
    let events = until(&heard, 5).await;
    let told: Vec<_> = events.iter().map(|e| e["event"].as_str().unwrap_or_default()).collect();
    assert_eq!(told, ["freeze", "payment", "freeze", "unfreeze", "uninstall"]);
    assert!(events.iter().all(|e| e["partner_token"] == "sandbox-partner-token" && e["salon_id"] == 77));
    assert_eq!(sandbox.get(PARTNER, status_path).await.0, 404);

    sandbox.control(Method::POST, "/control/salons/77/connect", json!({})).await;
    sandbox.control(Method::PUT, "/control/clock", json!({ "now": "2026-11-23T12:30:00+03:00" })).await;
    assert_eq!(install(callback.clone()).await.0, 403, "consent runs out after an hour");
    sandbox.control(Method::POST, "/control/salons/77/connect", json!({})).await;
    let form = sandbox.request(Method::POST, "/marketplace/partner/callback/redirect").header("Authorization", PARTNER);
    let redirected = form.form(&[("salon_id", "77"), ("application_id", "1"), ("api_key", "sk_1")]).send().await.expect("an answer");
    assert_eq!(redirected.status(), 301);
    assert_eq!(sandbox.get(PARTNER, status_path).await.1["data"]["connection_status"]["status"], json!("active"));
    sandbox.running.shutdown().await;
}

#[tokio::test]
async fn the_marketplace_answers_the_partner() {
    let sandbox = Sandbox::start(9, false).await;
    let post = |path: &'static str, body: Value| sandbox.send(Method::POST, PARTNER, path, body);
    let link = "/marketplace/application/payment_link?salon_id=77&application_id=1&discount=10";
    let (names, discount, channel) = (
        json!({ "salon_id": 77, "application_id": 1, "short_names": ["LIRA"] }),
        json!({ "salon_ids": [77], "application_id": 1, "discount": 15.5 }),
        json!({ "salon_id": 77, "application_id": 1, "channel_slug": "whatsapp", "is_available": true }),
    );
    assert_eq!(sandbox.get(PARTNER, link).await.0, 404, "not installed");
    assert_eq!(post("/marketplace/partner/short_names", names.clone()).await.0, 404);
    sandbox.control(Method::POST, "/control/salons/77/connect", json!({})).await;
    let (status, answer) = sandbox.get(PARTNER, link).await;
    let url = answer["data"]["url"].as_str().expect("an address");
    assert_eq!(status, 200);
    assert!(url.starts_with("https://yclients.com/appstore/payment/?salon_id=77&application_id=1&discount=10&sign="), "{url}");
    let (_, tariffs) = sandbox.get(PARTNER, "/marketplace/application/1/tariffs").await;
    assert_eq!(tariffs["data"][0]["options"][0]["title"], "Частный мастер");
    assert_eq!(sandbox.get(PARTNER, "/marketplace/application/2/tariffs").await.0, 403, "somebody else's application");
    assert_eq!(post("/marketplace/partner/short_names", names).await.0, 201);
    assert_eq!(post("/marketplace/application/add_discount", discount).await, (200, json!({ "success": true, "data": null, "meta": [] })));
    assert_eq!(
        post("/marketplace/application/add_discount", json!({ "salon_ids": [77], "application_id": 1, "discount": 120 })).await.0,
        422
    );
    assert_eq!(post("/marketplace/application/update_channel", channel).await.0, 200);
    let unknown = json!({ "salon_id": 77, "application_id": 1, "channel_slug": "fax", "is_available": true });
    assert_eq!(post("/marketplace/application/update_channel", unknown).await.0, 422);
    sandbox.running.shutdown().await;
}

/// The signature is checked against a value computed elsewhere: `printf … | openssl dgst -sha256 -hmac sandbox-partner-token`.
#[tokio::test]
async fn user_data_is_signed_as_the_real_one() {
    let sandbox = Sandbox::start(0, false).await;
    let (_, connect) = sandbox.control(Method::POST, "/control/salons/77/connect", json!({})).await;
    let url = reqwest::Url::parse(connect["redirect_url"].as_str().expect("a URL")).expect("a URL");
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(
        query["user_data"],
        "eyJpZCI6NzAwMDA3NywibmFtZSI6ItCS0LvQsNC00LXQu9C10YYgwqvQn9GA0L7QsdCwwrsiLCJwaG9uZSI6Ijc0OTUwMDAwMDc3IiwiZW1haWwiOiJvd25lcjc3QHNhbG9uLmV4YW1wbGUiLCJpc19hcHByb3ZlZCI6dHJ1ZSwiYXZhdGFyIjoiIiwic2Fsb25fbmFtZSI6ItCf0YDQvtCx0LAifQ=="
    );
    assert_eq!(query["user_data_sign"], "8101dafa0888c9b29c08829e926ce3570983ed7a26dac46a073c613928bdc75c");
    sandbox.running.shutdown().await;
}

#[tokio::test]
async fn ordered_faults_happen_and_end() {
    let sandbox = Sandbox::start(0, false).await;
    let path = "/api/v1/company/77";
    let quick = Client::builder().timeout(Duration::from_millis(400)).build().expect("a client");
    let book = json!({ "phone": "79161234567", "fullname": "Мария", "api_id": "lost",
        "appointments": [{"id": 1, "services": [1], "staff_id": 11, "datetime": "2026-11-25T10:00:00+03:00"}] });

    sandbox.fault(json!({ "target": "yclients", "match": "GET /api/v1/company", "kind": "status", "status": 500, "times": 2 })).await;
    sandbox.fault(json!({ "target": "yclients", "match": "GET /api/v1/company", "kind": "html" })).await;
    sandbox.fault(json!({ "target": "yclients", "kind": "rate_limit", "match": "GET /api/v1/company" })).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(sandbox.get(PARTNER, path).await.0);
    }
    assert_eq!(statuses, [500, 500, 502, 429, 200]);

    sandbox.fault(json!({ "target": "yclients", "match": "POST /api/v1/book_record", "kind": "timeout", "delay_ms": 50 })).await;
    let post = |client: &Client| {
        client.post(format!("{}/api/v1/book_record/77", sandbox.base)).header("Authorization", PARTNER).json(&book).send()
    };
    let closed = post(&quick).await.expect_err("the connection is closed");
    assert!(!closed.is_timeout() && closed.status().is_none(), "closed without an answer: {closed:?}");
    sandbox.fault(json!({ "target": "yclients", "match": "POST /api/v1/book_record", "kind": "timeout_after_commit" })).await;
    assert!(post(&quick).await.expect_err("no answer").is_timeout());
    let (_, records) = sandbox.control(Method::GET, "/control/salons/77/records", json!({})).await;
    let lost: Vec<_> = records.as_array().expect("a list").iter().filter(|r| r["api_id"] == "lost").collect();
    assert_eq!(lost.len(), 1, "only the second was done: {records}");

    let (_, log) = sandbox.control(Method::GET, "/control/requests?target=yclients", json!({})).await;
    let told: Vec<_> = log.as_array().expect("a list").iter().map(|r| format!("{} {}", r["method"], r["status"])).collect();
    assert_eq!(told.len(), 7, "{log}");
    assert_eq!(told[0], "\"GET\" 500");
    assert_eq!(told[5], "\"POST\" 0");
    assert_eq!(sandbox.control(Method::POST, "/control/faults", json!({ "target": "llm", "kind": "status" })).await.0, 501);
    assert_eq!(sandbox.control(Method::POST, "/control/faults", json!({ "target": "yclients", "kind": "nack" })).await.0, 400);
    sandbox.running.shutdown().await;
}

#[tokio::test]
async fn webhooks_can_be_lost_doubled_and_reordered() {
    let (port, heard) = application().await;
    let sandbox = Sandbox::start(port, false).await;
    sandbox.control(Method::POST, "/control/salons/77/connect", json!({})).await;
    let callback = json!({ "salon_id": 77, "application_id": 1, "webhook_urls": [format!("http://127.0.0.1:{port}/webhook/yclients")] });
    assert_eq!(sandbox.send(Method::POST, PARTNER, "/marketplace/partner/callback", callback).await.0, 201);
    let mark = |attendance: i64| sandbox.control(Method::PATCH, "/control/salons/77/records/501", json!({ "attendance": attendance }));
    for (kind, expected) in [("drop", vec![2, 0]), ("duplicate", vec![1, 1, 2, 0]), ("reorder", vec![2, 1, 0])] {
        sandbox.fault(json!({ "target": "yclients", "kind": kind })).await;
        for attendance in [1, 2, 0] {
            mark(attendance).await;
        }
        let events = until(&heard, expected.len()).await;
        let told: Vec<_> = events.iter().filter_map(|e| e["data"]["attendance"].as_i64()).collect();
        assert_eq!(told, expected, "{kind}");
    }
    sandbox.running.shutdown().await;
}

#[tokio::test]
async fn the_real_limit_can_be_had() {
    let sandbox = Sandbox::start(0, true).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(sandbox.get(PARTNER, "/api/v1/company/77").await.0);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    sandbox.running.shutdown().await;
}

#[tokio::test]
async fn a_world_is_kept_in_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || sandbox::start(Options { data: Some(folder.path().to_owned()), ..world(&[]) });
    let running = start().await.expect("it starts");
    let http = Client::new();
    let base = format!("http://{}/control", running.control.expect("a port"));
    http.post(format!("{base}/salons")).json(&salon()).send().await.expect("an answer");
    http.put(format!("{base}/clock")).json(&json!({ "now": NOW })).send().await.expect("an answer");
    answer(http.delete(format!("{base}/salons/77/records/501"))).await;
    let saved = folder.path().join("world.json");
    for _ in 0..100 {
        if std::fs::read_to_string(&saved).is_ok_and(|text| text.contains("\"deleted\":true")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Dropped without a shutdown, as when it is killed.
    drop(running);
    let running = start().await.expect("it starts again");
    let base = format!("http://{}/control", running.control.expect("a port"));
    let (_, records) = answer(http.get(format!("{base}/salons/77/records"))).await;
    assert_eq!((&records[0]["id"], &records[0]["deleted"]), (&json!(501), &json!(true)));
    let (_, clock) = answer(http.get(format!("{base}/clock"))).await;
    assert!(clock["now"].as_str().is_some_and(|now| now.starts_with("2026-11-23T07:0")), "{clock}");
    running.shutdown().await;
}

#[tokio::test]
async fn foreign_pages_and_wrong_orders_are_refused() {
    let sandbox = Sandbox::start(0, false).await;
    let health = || sandbox.http.get(format!("{}/control/health", sandbox.base));
    assert_eq!(answer(health()).await, (200, json!({ "status": "ok" })));
    assert_eq!(answer(health().header("Origin", "https://evil.example")).await.0, 403);
    assert_eq!(answer(health().header("Host", "evil.example:4000")).await.0, 403);
    for (method, path, body, status) in [
        (Method::GET, "/control/nothing", json!({}), 501),
        (Method::GET, "/control/salons/78/records", json!({}), 404),
        (Method::POST, "/control/salons", json!({ "id": 5 }), 400),
        (
            Method::POST,
            "/control/salons/77/records",
            json!({ "staff_id": 1, "service_ids": [1], "start": "2026-11-25T10:00", "client_phone": "79160000001" }),
            422,
        ),
        (Method::PATCH, "/control/salons/77/records/1", json!({}), 404),
        (Method::POST, "/control/salons/77/marketplace/uninstall", json!({}), 422),
        (Method::POST, "/control/phones/abc/messages", json!({ "salon": 77, "text": "да" }), 400),
        (Method::PUT, "/control/clock", json!({ "now": "завтра" }), 400),
        (Method::GET, "/control/requests?target=llm", json!({}), 501),
        (Method::GET, "/control/salons/abc", json!({}), 400),
        (Method::PATCH, "/control/salons/77/records/abc", json!({}), 400),
        (Method::POST, "/control/salons/77/marketplace/party", json!({}), 400),
        (Method::GET, "/control/salons/77/day?date=tomorrow", json!({}), 400),
        (Method::DELETE, "/control/clock", json!({}), 405),
    ] {
        let (got, body) = sandbox.control(method, path, body).await;
        assert_eq!(got, status, "{path}: {body}");
        assert!(body["error"].is_string(), "{path}: {body}");
    }
    let (status, page) = answer(sandbox.http.get(&sandbox.base)).await;
    assert_eq!(status, 200);
    assert!(page.as_str().is_some_and(|p| p.starts_with("<!doctype html>")));
    sandbox.running.shutdown().await;
}
