//! What a sync writes down, from a server that answers as YClients does.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use domain::{Attendance, Clock, CompanyId, RecordId, SalonId, ServiceId, StaffId};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use store::{Store, Vault, bookings, catalogue, clients, companies, jobs, sync_logs};
use whatsapp::{Endpoint, Pool};
use workflows::{
    App, Catalogues, Settings,
    inbox::Inbox,
    sync::{Modules, Occasion, SyncReport, sync},
};
use yclients::{CallbackStyle, RateLimit, YClients};

/// Monday morning in Moscow.
struct Monday;

impl Clock for Monday {
    fn now(&self) -> Timestamp {
        "2026-11-23T07:00:00Z".parse().expect("a moment")
    }
}

/// The salon as the server tells it; a test changes it on the way.
struct Server {
    records: Vec<Value>,
    /// Beginnings of paths that are answered with this status.
    closed: Vec<(&'static str, u16)>,
}

fn record(id: i64, date: &str, changes: &Value) -> Value {
    let mut record = json!({"id": id, "staff_id": 11, "services": [{"id": 1}], "client": {"id": 5, "name": "Мария", "phone": "+79161234567"},
        "date": date, "seance_length": 5400, "attendance": 0, "deleted": false});
    for (key, value) in changes.as_object().expect("an object") {
        record[key] = value.clone();
    }
    record
}

async fn answer(State(server): State<Arc<Mutex<Server>>>, method: Method, uri: Uri) -> Response {
    let server = server.lock().expect("no panic under the lock");
    let path = uri.path().trim_start_matches("/api/v1/");
    if let Some((_, status)) = server.closed.iter().find(|(closed, _)| path.starts_with(closed)) {
        let refusal = json!({"success": false, "data": null, "meta": {"message": "Недостаточно прав"}});
        return (StatusCode::from_u16(*status).expect("a status"), refusal.to_string()).into_response();
    }
    let query = uri.query().unwrap_or_default();
    let data = match (method.as_str(), path) {
        ("GET", "company/7") => json!({"id": 7, "title": "Лира", "city": "Казань", "timezone_name": "Europe/Moscow"}),
        ("GET", "book_services/7") => {
            let length = if query.contains("staff_id=12") { 7200 } else { 5400 };
            let mut services = vec![json!({"id": 1, "title": "Маникюр", "category_id": 3, "price_min": 1800, "price_max": 2200})];
            if query.is_empty() || query.contains("staff_id=11") {
                services.push(json!({"id": 4, "title": "Комплекс", "category_id": 3, "price_min": 3900, "price_max": 0,
                    "composite_details": {"links": [{"service_id": 1, "position": 1}, {"service_id": 2, "position": 2}]}}));
            }
            if !query.is_empty() {
                for service in &mut services {
                    service["seance_length"] = json!(length);
                }
            }
            json!({"services": services, "category": [{"id": 3, "title": "Ногти"}]})
        }
        ("GET", "company/7/services") => json!([
            {"id": 1, "title": "Маникюр", "duration": 5400, "staff": [{"id": 11, "seance_length": "5400"}, {"id": 12, "seance_length": "7200"}]},
            {"id": 2, "title": "Не для записи онлайн", "duration": 3600, "staff": [{"id": 11}]},
            {"id": 4, "title": "Комплекс", "duration": 9000, "staff": [{"id": 11}]}]),
        ("GET", "book_staff/7") => json!([{"id": 11, "name": "Анна", "bookable": true}, {"id": 12, "name": "Ольга", "bookable": false}]),
        ("GET", "company/7/staff") => json!([{"id": 11, "name": "Анна", "fired": 0}, {"id": 12, "name": "Ольга", "hidden": "0"},
            {"id": 13, "name": "Уволенная", "fired": 1}]),
        ("GET", "company/7/staff/schedule") => json!([
            {"staff_id": 11, "date": "2026-11-24", "slots": [{"from": "10:00", "to": "14:00"}, {"from": "15:00", "to": "20:00"}]},
            {"staff_id": 12, "date": "2026-11-24", "slots": []}]),
        ("POST", "company/7/clients/search") => json!([{"id": 5, "name": "Мария", "phone": "79161234567", "visits_count": 3}]),
        ("GET", "records/7") => json!(server.records),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    json!({"success": true, "data": data, "meta": []}).to_string().into_response()
}

struct World {
    app: Arc<App>,
    company: CompanyId,
    server: Arc<Mutex<Server>>,
    _files: tempfile::TempDir,
}

async fn world(user_token: Option<&str>) -> World {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let records = vec![record(501, "2026-11-24 12:00:00", &json!({})), record(502, "2026-11-25 12:00:00", &json!({}))];
    let server = Arc::new(Mutex::new(Server { records, closed: Vec::new() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address")).parse().expect("a URL");
    let router = Router::new().fallback(answer).with_state(Arc::clone(&server));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let files = tempfile::tempdir().expect("a folder");
    let store = Store::open(&format!("sqlite://{}", files.path().join("a.db").display())).await.expect("a database");
    let vault = Vault::new([7; 32]);
    let nowhere = Endpoint { url: "ws://127.0.0.1:9/".parse().expect("a URL"), version: None };
    let whatsapp = Pool::new(store.clone(), vault.clone(), nowhere, Arc::new(Inbox::closed()), "test".to_owned());
    let yclients = YClients::new(yclients::Settings {
        base_url,
        partner_token: "partner".into(),
        user_token: user_token.map(Into::into),
        application_id: 1,
        rate_limit: RateLimit::Off,
        callback: CallbackStyle::Server,
    })
    .expect("a client");
    let settings = Settings {
        base_url: "https://example.ru/".parse().expect("a URL"),
        application_id: 1,
        missing: Vec::new(),
        debounce: None,
        typing: std::time::Duration::ZERO,
        human_pause: std::time::Duration::from_secs(3600),
        unsettled_patience: std::time::Duration::from_secs(600),
        operator_phone: None,
        operator_webhook: None,
    };
    let mut tx = store.begin().await.expect("a transaction");
    let registration = companies::Registration {
        salon_id: SalonId(7),
        title: "?".to_owned(),
        city: String::new(),
        address: String::new(),
        phone: None,
        email: None,
        timezone: TimeZone::get("Asia/Tokyo").expect("a zone"),
        currency: "₽".to_owned(),
        user: companies::MarketplaceUser::default(),
        raw: None,
    };
    let company = companies::upsert_registration(&mut tx, &registration, Monday.now()).await.expect("a salon");
    tx.commit().await.expect("committed");
    let app = App { store, vault, yclients, whatsapp, clock: Arc::new(Monday), catalogues: Catalogues::default(), settings };
    World { app: Arc::new(app), company, server, _files: files }
}

impl World {
    async fn sync(&self, modules: Modules, occasion: Occasion) -> SyncReport {
        sync(&self.app, self.company, modules, occasion).await.expect("a report")
    }

    async fn salon(&self) -> domain::Salon {
        let mut tx = self.app.store.read().await.expect("a transaction");
        catalogue::load(&mut tx, self.company, "2026-11-01".parse().expect("a date")).await.expect("a salon")
    }

    async fn booking(&self, id: i64) -> Option<bookings::Stored> {
        let mut tx = self.app.store.read().await.expect("a transaction");
        bookings::get(&mut tx, self.company, RecordId(id)).await.expect("an answer")
    }

    async fn jobs(&self) -> Vec<(String, i64)> {
        let mut tx = self.app.store.read().await.expect("a transaction");
        jobs::counts(&mut tx).await.expect("counts").into_iter().map(|row| (row.kind, row.count)).collect()
    }

    fn change(&self, change: impl FnOnce(&mut Server)) {
        change(&mut self.server.lock().expect("no panic under the lock"));
    }
}

#[tokio::test]
async fn a_salon_that_has_just_come() {
    let world = world(Some("user")).await;
    let mut events = world.app.store.bus().subscribe();
    let report = world.sync(Modules::ALL, Occasion::First).await;
    assert_eq!(report.done, [("company", 1), ("services", 2), ("staff", 2), ("schedules", 2), ("clients", 1), ("bookings", 2)]);
    assert!(report.skipped.is_empty() && report.failed.is_empty(), "{report:?}");

    let salon = world.salon().await;
    assert_eq!((salon.title.as_str(), salon.timezone.iana_name()), ("Лира", Some("Europe/Moscow")));
    assert_eq!(salon.services.iter().map(|s| s.id).collect::<Vec<_>>(), [ServiceId(1), ServiceId(4)], "what online booking offers");
    assert_eq!((salon.services[0].category.as_str(), salon.minutes(&[ServiceId(1)], Some(StaffId(12)))), ("Ногти", 120));
    assert_eq!((salon.services[1].minutes, &salon.services[1].composite_of[..]), (150, &[ServiceId(1), ServiceId(2)][..]));
    assert_eq!(salon.staff.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Анна", "Ольга"]);
    assert_eq!(salon.hours_of(StaffId(11), "2026-11-24".parse().expect("a date")).len(), 2);

    let phone = domain::Phone::parse("79161234567").expect("a phone");
    let mut tx = world.app.store.read().await.expect("a transaction");
    assert_eq!(clients::by_phone(&mut tx, world.company, &phone).await.expect("an answer").map(|client| client.visits), Some(3));
    assert!(sync_logs::latest(&mut tx, world.company).await.expect("logs").iter().all(|log| log.state == sync_logs::SyncState::Done));
    drop(tx);
    assert!(world.booking(501).await.is_some() && world.booking(502).await.is_some());
    assert_eq!(world.jobs().await, [], "what the salon had before is no news to its customers");

    let mut ended = Vec::new();
    while let Ok(event) = events.try_recv() {
        assert_eq!((event.company_id, event.kind.as_str()), (world.company, "sync-progress"));
        if event.payload["done"] == event.payload["total"] && ended.last() != Some(&event.payload["module"]) {
            ended.push(event.payload["module"].clone());
        }
    }
    assert_eq!(ended, ["company", "services", "staff", "schedules", "clients", "bookings"]);
}

#[tokio::test]
async fn what_webhooks_lost_goes_their_way() {
    let world = world(Some("user")).await;
    world.sync(Modules::BOOKINGS, Occasion::First).await;
    world.change(|server| {
        server.records = vec![
            record(501, "2026-11-24 18:00:00", &json!({})),
            record(502, "2026-11-25 12:00:00", &json!({"attendance": 2})),
            record(503, "2026-11-26 12:00:00", &json!({})),
            record(504, "2026-11-26 15:00:00", &json!({"deleted": true})),
        ];
    });
    world.sync(Modules::BOOKINGS, Occasion::Again).await;
    assert_eq!(world.jobs().await, [("record".to_owned(), 2)], "the moved one and the new one");
    let moved = world.booking(501).await.expect("known");
    assert_eq!(moved.booking.start.to_string(), "2026-11-24T12:00:00", "left as it was, so that its job sees the change");
    assert_eq!(world.booking(502).await.map(|known| known.booking.attendance), Some(Attendance::Confirmed));
    assert!(world.booking(503).await.is_none() && world.booking(504).await.is_none());
}

#[tokio::test]
async fn online_booking_alone_tells_services_and_masters() {
    let world = world(None).await;
    let report = world.sync(Modules::ALL, Occasion::First).await;
    assert_eq!(report.done, [("company", 1), ("services", 2), ("staff", 2)]);
    assert_eq!(report.skipped, ["schedules", "clients", "bookings"]);
    let salon = world.salon().await;
    assert_eq!(salon.minutes(&[ServiceId(1)], Some(StaffId(11))), 90);
    assert_eq!(salon.minutes(&[ServiceId(1)], Some(StaffId(12))), 120);
    assert_eq!(salon.staff_for(&[ServiceId(4)]), [StaffId(11)]);
}

#[tokio::test]
async fn one_closed_door_does_not_close_the_others() {
    let world = world(Some("user")).await;
    world.change(|server| server.closed = vec![("company/7/services", 403), ("company/7/clients", 403)]);
    let report = world.sync(Modules::ALL, Occasion::First).await;
    assert_eq!(
        report.done.iter().map(|(module, _)| *module).collect::<Vec<_>>(),
        ["company", "services", "staff", "schedules", "bookings"]
    );
    assert_eq!(report.failed.iter().map(|(module, _)| *module).collect::<Vec<_>>(), ["clients"]);
    assert_eq!(world.salon().await.minutes(&[ServiceId(1)], Some(StaffId(12))), 120, "asked of the masters");

    world.change(|server| server.closed = vec![("records/7", 500)]);
    sync(&world.app, world.company, Modules::BOOKINGS, Occasion::Again).await.expect_err("nothing answers");
    let mut tx = world.app.store.read().await.expect("a transaction");
    let failed: Vec<_> = sync_logs::latest(&mut tx, world.company)
        .await
        .expect("logs")
        .into_iter()
        .filter(|log| log.state == sync_logs::SyncState::Failed)
        .map(|log| log.module)
        .collect();
    assert_eq!(failed, ["bookings", "clients"]);
}

#[tokio::test]
async fn what_another_node_synced_is_read_anew() {
    let world = world(Some("user")).await;
    let catalogue = async |of: &Catalogues| of.get(&world.app.store, &Monday, world.company).await.expect("a salon");
    // It has looked before the first sync.
    let other_node = Catalogues::default();
    assert_eq!(catalogue(&other_node).await.salon.services.len(), 0);
    world.sync(Modules::ALL, Occasion::First).await;
    let synced = catalogue(&other_node).await;
    assert_eq!((synced.salon.services.len(), synced.salon.staff.len()), (2, 2));
    assert!(Arc::ptr_eq(&synced, &catalogue(&other_node).await), "nothing has changed since");
}
