//! YClients as far as a receptionist needs it: the booking API, the data API, the marketplace, webhooks.
//!
//! One mutex guards all salons; every call is arithmetic in memory and holds it for microseconds.

mod api;
mod control;
mod file;
mod limiter;
mod marketplace;
mod passage;
mod refusal;
mod salon;
mod slots;
mod webhooks;
mod wire;

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, middleware};
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

pub use self::{
    control::{ControlError, DaySheet, Lifecycle, NewRecord, Overview, RecordChange, RecordView},
    file::SalonFile,
    passage::Seen,
    salon::{By, Installation},
};
use self::{
    limiter::Limiter,
    passage::RequestLog,
    refusal::Refusal,
    salon::{Install, Record, Salon},
    webhooks::{Manner, Webhooks},
};
use crate::{
    clock::SandboxClock,
    events::{Bus, Event},
    faults::Faults,
};

/// What the emulator is told at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The application's partner token.
    pub partner_token: String,
    /// Token of the application's system user.
    pub user_token: String,
    /// Number of the application in the marketplace.
    pub application_id: i64,
    /// Hold to 5 requests a second and 200 a minute per address.
    pub real_limits: bool,
    /// Send webhooks after five seconds, in up to four copies.
    pub real_delays: bool,
}

/// The emulated service.
pub struct Emulator {
    settings: Settings,
    clock: Arc<SandboxClock>,
    bus: Arc<Bus>,
    faults: Arc<Faults>,
    salons: Mutex<BTreeMap<i64, Salon>>,
    webhooks: Webhooks,
    limiter: Option<Limiter>,
    requests: RequestLog,
    /// Where the application lives: its redirect and lifecycle addresses are below this.
    application: RwLock<Option<Url>>,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    salons: Vec<Salon>,
}

impl Emulator {
    /// A service without salons.
    pub fn new(settings: Settings, clock: Arc<SandboxClock>, bus: Arc<Bus>, faults: Arc<Faults>, http: reqwest::Client) -> Arc<Self> {
        let manner = if settings.real_delays { Manner::REAL } else { Manner::PROMPT };
        Arc::new(Self {
            limiter: settings.real_limits.then(Limiter::default),
            webhooks: Webhooks::new(manner, faults.clone(), http),
            settings,
            clock,
            bus,
            faults,
            salons: Mutex::default(),
            requests: RequestLog::default(),
            application: RwLock::default(),
        })
    }

    /// `/api/v1/…` and `/marketplace/…`.
    pub fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .nest("/api/v1", api::routes(&self))
            .nest("/marketplace", marketplace::routes(&self))
            .layer(middleware::from_fn_with_state(self.clone(), passage::pass))
            .with_state(self)
    }

    /// Tells the marketplace where the application lives.
    pub fn set_application(&self, base: Url) {
        *self.application.write() = Some(base);
    }

    /// Events on their way to the application.
    pub fn webhooks_under_way(&self) -> usize {
        self.webhooks.under_way()
    }

    /// What the application has sent since the start, oldest first.
    pub fn requests(&self) -> Vec<Seen> {
        self.requests.all()
    }

    /// All salons with bookings, clients and installations.
    pub fn snapshot(&self) -> Value {
        let salons: Vec<Salon> = self.salons.lock().values().cloned().collect();
        // Serialising plain data cannot fail.
        serde_json::to_value(Snapshot { salons }).unwrap_or_default()
    }

    /// Puts back what [`Emulator::snapshot`] gave.
    pub fn restore(&self, snapshot: Value) -> Result<(), String> {
        let snapshot: Snapshot = serde_json::from_value(snapshot).map_err(|e| e.to_string())?;
        let mut salons = BTreeMap::new();
        for mut salon in snapshot.salons {
            salon.revive()?;
            salons.insert(salon.file.id, salon);
        }
        *self.salons.lock() = salons;
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn with<T>(&self, salon: i64, read: impl FnOnce(&Salon) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let salons = self.salons.lock();
        read(salons.get(&salon).ok_or_else(|| Refusal::not_found("Филиал не найден."))?)
    }

    fn with_mut<T>(&self, salon: i64, change: impl FnOnce(&mut Salon) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut salons = self.salons.lock();
        change(salons.get_mut(&salon).ok_or_else(|| Refusal::not_found("Филиал не найден."))?)
    }

    /// Tells the application of a change, where it is connected and gave addresses.
    fn announce(&self, salon: &Salon, resource: &str, id: i64, status: &str, data: Value) {
        let Install { status: installed, webhook_urls, .. } = &salon.install;
        if matches!(installed, Installation::Active | Installation::Freezed) && !webhook_urls.is_empty() {
            let body = json!({
                "company_id": salon.file.id, "resource": resource, "resource_id": id, "status": status, "data": data
            });
            self.webhooks.send(salon.file.id, webhook_urls, body);
        }
    }

    /// Tells everybody of a booking that was made, changed or deleted.
    fn announce_record(&self, salon: &Salon, record: &Record, status: &str) {
        self.announce(salon, "record", record.id, status, wire::record(salon, record));
        self.bus.publish(Event::Records { salon: salon.file.id });
    }

    /// Finds or makes the client of a booking; a new one is announced.
    fn client(&self, salon: &mut Salon, phone: &str, name: &str, email: &str) -> i64 {
        let known = salon.next_client;
        let id = salon.client_with(phone, name, email);
        if id == known
            && let Some(client) = salon.clients.get(&id)
        {
            let data = wire::client(salon, client, self.clock.local(&salon.zone));
            self.announce(salon, "client", id, "create", data);
        }
        id
    }
}
