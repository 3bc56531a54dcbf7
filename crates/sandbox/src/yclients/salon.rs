//! A salon as YClients keeps it: file, clients, bookings, installation of the application.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{
    file::{SalonFile, ServiceRow, StaffRow},
    refusal::Refusal,
    slots::{self, Span},
};

/// Who made a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The application, through the API.
    Bot,
    /// The salon's file.
    Fixture,
    /// A person in YClients.
    Administrator,
    /// A customer in the online widget.
    Widget,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// Digits without plus.
    pub(crate) phone: String,
    pub(crate) email: String,
    /// Visits before the sandbox began.
    pub(crate) visits: u32,
}

/// A service within a booking, with its price there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) service: i64,
    pub(crate) first_cost: i64,
    pub(crate) discount: f64,
    pub(crate) cost: i64,
    pub(crate) amount: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: i64,
    pub(crate) staff: i64,
    pub(crate) lines: Vec<Line>,
    pub(crate) start: DateTime,
    pub(crate) seconds: i64,
    pub(crate) client: Option<i64>,
    pub(crate) comment: String,
    pub(crate) api_id: String,
    pub(crate) attendance: i64,
    pub(crate) deleted: bool,
    pub(crate) by: By,
    pub(crate) hash: String,
    pub(crate) created: Timestamp,
    pub(crate) changed: Timestamp,
    pub(crate) notify_by_sms: i64,
    pub(crate) notify_by_email: i64,
    pub(crate) custom_color: String,
}

impl Record {
    pub(crate) fn service_ids(&self) -> Vec<i64> {
        self.lines.iter().map(|line| line.service).collect()
    }

    pub(crate) fn same_visit(&self, other: &Record) -> bool {
        (self.start, self.seconds, self.staff) == (other.start, other.seconds, other.staff)
    }
}

/// State of the application in a salon; the wire's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Installation {
    /// Not connected, or disconnected.
    #[default]
    Uninstalled,
    /// The owner agreed, the application has not called back yet.
    Pending,
    /// Connected.
    Active,
    /// Not paid for.
    Freezed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) at: Timestamp,
    pub(crate) from: Installation,
    pub(crate) to: Installation,
    pub(crate) source: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) id: i64,
    pub(crate) sum: f64,
    pub(crate) currency: String,
    pub(crate) date: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) refunded: bool,
}

/// The application's installation in a salon.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Install {
    pub(crate) status: Installation,
    pub(crate) since: Option<Timestamp>,
    pub(crate) log: Vec<Change>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) webhook_urls: Vec<String>,
    /// In per cent.
    #[serde(default)]
    pub(crate) discount: Option<f64>,
    /// Channels that were switched on or off.
    #[serde(default)]
    pub(crate) channels: BTreeMap<String, bool>,
    /// Sender names for SMS.
    #[serde(default)]
    pub(crate) short_names: Vec<String>,
}

impl Install {
    /// The state at `now`: an owner's consent runs out after an hour without a callback.
    pub(crate) fn at(&self, now: Timestamp) -> Installation {
        let expired = self.since.is_some_and(|since| now.duration_since(since).as_secs() > 3600);
        if self.status == Installation::Pending && expired { Installation::Uninstalled } else { self.status }
    }

    pub(crate) fn change(&mut self, to: Installation, now: Timestamp, source: &str) {
        self.log.push(Change { at: now, from: self.at(now), to, source: source.to_owned() });
        self.status = to;
        self.since = Some(now);
    }
}

/// One appointment of a booking request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appointment {
    pub(crate) id: i64,
    pub(crate) services: Vec<i64>,
    /// 0: whoever is free.
    pub(crate) staff: i64,
    /// In the salon's zone.
    pub(crate) start: DateTime,
}

/// Which endpoint asks, since a vanished service has a code of its own in `book_check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Check,
    Record,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Salon {
    pub(crate) file: SalonFile,
    #[serde(skip, default = "utc")]
    pub(crate) zone: TimeZone,
    pub(crate) clients: BTreeMap<i64, Client>,
    pub(crate) records: BTreeMap<i64, Record>,
    pub(crate) install: Install,
    pub(crate) next_client: i64,
    pub(crate) next_record: i64,
}

fn utc() -> TimeZone {
    TimeZone::UTC
}

impl Salon {
    /// A salon as its file has it; `install` is what was there before.
    pub(crate) fn new(mut file: SalonFile, zone: TimeZone, install: Install, now: Timestamp) -> Self {
        let (clients, records) = (std::mem::take(&mut file.clients), std::mem::take(&mut file.records));
        let next_record = records.iter().map(|r| r.id).max().unwrap_or(0).max(1000) + 1;
        let mut salon = Self { file, zone, clients: BTreeMap::new(), records: BTreeMap::new(), install, next_client: 1, next_record };
        for row in clients {
            let id = salon.client_with(&row.phone, &row.name, "");
            if let Some(client) = salon.clients.get_mut(&id) {
                client.visits = row.visits;
            }
        }
        for row in records {
            let client = salon.client_with(&row.client_phone, &row.client_name, "");
            let mut record = salon.record_of(&row.services, row.staff, row.start, By::Fixture, now);
            record.id = row.id;
            record.client = Some(client);
            record.attendance = row.attendance;
            salon.records.insert(row.id, record);
        }
        salon
    }

    /// Puts back what is not saved with the rest.
    pub(crate) fn revive(&mut self) -> Result<(), String> {
        self.zone = self.file.check()?;
        Ok(())
    }

    pub(crate) fn service(&self, id: i64) -> Option<&ServiceRow> {
        self.file.services.iter().find(|s| s.id == id)
    }

    pub(crate) fn member(&self, id: i64) -> Option<&StaffRow> {
        self.file.staff.iter().find(|s| s.id == id)
    }

    /// Seconds a service takes this member of the staff.
    pub(crate) fn seconds(&self, service: i64, staff: i64) -> i64 {
        self.service(service).map_or(0, |s| s.minutes_by_staff.get(&staff).copied().unwrap_or(s.minutes) * 60)
    }

    /// Seconds of several services in a row; one step of the grid where none is named.
    pub(crate) fn length(&self, services: &[i64], staff: i64) -> i64 {
        if services.is_empty() { self.step() } else { services.iter().map(|&s| self.seconds(s, staff)).sum() }
    }

    pub(crate) fn step(&self) -> i64 {
        self.file.grid_minutes * 60
    }

    /// Does every one of the services. For complexes too, unlike [`Salon::bookable`].
    pub(crate) fn does(&self, staff: i64, services: &[i64]) -> bool {
        services.iter().all(|&id| self.service(id).is_some_and(|s| s.staff.contains(&staff)))
    }

    /// Whether these services may be asked of this member of the staff (0: of anybody) in one booking.
    /// A complex may not: its parts are booked.
    pub(crate) fn bookable(&self, services: &[i64], staff: i64) -> Result<(), Refusal> {
        if staff != 0 && self.member(staff).is_none() {
            return Err(Refusal::not_found("Сотрудник недоступен"));
        }
        for &id in services {
            let service = self.service(id).ok_or_else(|| Refusal::not_found("Услуга не найдена."))?;
            if !service.composite_of.is_empty() || (staff != 0 && !service.staff.contains(&staff)) {
                return Err(Refusal::not_found("Сотрудник не оказывает выбранную услугу"));
            }
        }
        Ok(())
    }

    /// What is not open on a day: breaks and bookings, in seconds after its midnight.
    pub(crate) fn taken(&self, staff: i64, date: Date, except: Option<i64>) -> Vec<Span> {
        let midnight = date.to_datetime(Time::midnight());
        let booked = self
            .records
            .values()
            .filter(|r| r.staff == staff && !r.deleted && Some(r.id) != except)
            .filter(|r| {
                let days = r.start.date().until(date).map_or(9, |s| s.get_days());
                (0..=1).contains(&days)
            })
            .map(|r| {
                let from = r.start.duration_since(midnight).as_secs();
                Span { from, to: from + r.seconds }
            });
        let breaks = self.file.shifts(staff, date).into_iter().flat_map(|shift| shift.breaks);
        booked.chain(breaks).collect()
    }

    /// The starts still open on a day for `length` seconds, in seconds after its midnight.
    pub(crate) fn starts(&self, staff: i64, date: Date, length: i64, now: DateTime) -> Vec<i64> {
        let not_before = now.duration_since(date.to_datetime(Time::midnight())).as_secs();
        if not_before >= 24 * 3600 {
            return Vec::new();
        }
        let taken = self.taken(staff, date, None);
        let shifts = self.file.shifts(staff, date);
        shifts.iter().flat_map(|shift| slots::starts(shift.whole, &taken, length, self.step(), not_before)).collect()
    }

    /// Works then and is free for `seconds`; the grid does not matter to people in the salon.
    pub(crate) fn free(&self, staff: i64, start: DateTime, seconds: i64, except: Option<i64>) -> bool {
        let date = start.date();
        let from = start.duration_since(date.to_datetime(Time::midnight())).as_secs();
        let taken = self.taken(staff, date, except);
        self.file
            .shifts(staff, date)
            .iter()
            .flat_map(|shift| slots::without(shift.whole, &taken))
            .any(|free| free.from <= from && from + seconds <= free.to)
    }

    /// Checks a booking request against what `book_times` offers and finds the master where anybody will do.
    pub(crate) fn settle(&self, wanted: &[Appointment], now: DateTime, asked: Asked) -> Result<Vec<Appointment>, Refusal> {
        let mut settled: Vec<Appointment> = Vec::with_capacity(wanted.len());
        for appointment in wanted {
            if asked == Asked::Check && appointment.services.iter().any(|&id| self.service(id).is_none()) {
                return Err(Refusal::booking(438, Some(appointment.id), "Услуга недоступна для записи"));
            }
            self.bookable(&appointment.services, appointment.staff)?;
            let free = |staff: i64| {
                let length = self.length(&appointment.services, staff);
                let at = appointment.start.duration_since(appointment.start.date().to_datetime(Time::midnight())).as_secs();
                self.starts(staff, appointment.start.date(), length, now).contains(&at)
            };
            let clashes = |staff: i64| settled.iter().any(|other| self.overlap(other, appointment, staff));
            let staff = if appointment.staff == 0 {
                let able = self.file.staff.iter().map(|s| s.id).filter(|&id| self.does(id, &appointment.services));
                able.clone()
                    .find(|&id| free(id) && !clashes(id))
                    .ok_or_else(|| Refusal::booking(436, Some(appointment.id), "Нет свободных сотрудников на выбранное время"))?
            } else {
                appointment.staff
            };
            if clashes(staff) {
                return Err(Refusal::booking(437, Some(appointment.id), "Выбранное время пересекается с другой записью запроса"));
            }
            if !free(staff) {
                return Err(Refusal::booking(433, Some(appointment.id), self.taken_message(staff, appointment.start)));
            }
            settled.push(Appointment { staff, ..appointment.clone() });
        }
        Ok(settled)
    }

    fn overlap(&self, settled: &Appointment, wanted: &Appointment, staff: i64) -> bool {
        let end = |a: &Appointment| a.start.saturating_add(self.length(&a.services, staff).seconds());
        settled.staff == staff && settled.start < end(wanted) && wanted.start < end(settled)
    }

    /// The documented sentence of code 433 and of a refused administrator's booking.
    pub(crate) fn taken_message(&self, staff: i64, start: DateTime) -> String {
        const MONTHS: [&str; 12] =
            ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"];
        let name = self.member(staff).map_or("", |s| s.name.as_str());
        let month = MONTHS[usize::from(start.month().unsigned_abs()) - 1];
        format!(
            "К сотруднику {name}({staff}) нельзя записаться на {} {month} {} в {:02}:{:02}. \
             Выбранное время уже занято или является нерабочим.",
            start.day(),
            start.year(),
            start.hour(),
            start.minute()
        )
    }

    /// The client with this phone, made when there is none.
    pub(crate) fn client_with(&mut self, phone: &str, name: &str, email: &str) -> i64 {
        if let Some(client) = self.clients.values().find(|c| c.phone == phone) {
            return client.id;
        }
        let id = self.next_client;
        self.next_client += 1;
        self.clients.insert(id, Client { id, name: name.to_owned(), phone: phone.to_owned(), email: email.to_owned(), visits: 0 });
        id
    }

    /// A booking that is not in the books yet; its id is the next one.
    pub(crate) fn record_of(&self, services: &[i64], staff: i64, start: DateTime, by: By, now: Timestamp) -> Record {
        Record {
            id: self.next_record,
            staff,
            lines: services.iter().map(|&id| self.line(id)).collect(),
            start,
            seconds: self.length(services, staff),
            client: None,
            comment: String::new(),
            api_id: String::new(),
            attendance: 0,
            deleted: false,
            by,
            hash: format!("{:032x}", rand::random::<u128>()),
            created: now,
            changed: now,
            notify_by_sms: 0,
            notify_by_email: 0,
            custom_color: String::new(),
        }
    }

    pub(crate) fn line(&self, service: i64) -> Line {
        let cost = self.service(service).map_or(0, |s| s.price_min);
        Line { service, first_cost: cost, discount: 0.0, cost, amount: 1 }
    }

    /// Enters a booking made by [`Salon::record_of`].
    pub(crate) fn enter(&mut self, record: Record) -> i64 {
        let id = record.id;
        self.next_record = self.next_record.max(id + 1);
        self.records.insert(id, record);
        id
    }

    /// Reads a moment of the wire: with an offset an instant, without one the salon's wall clock.
    pub(crate) fn moment(&self, text: &str) -> Option<DateTime> {
        let text = text.trim();
        let zoned = text.parse::<Timestamp>().or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text));
        zoned.map(|t| t.to_zoned(self.zone.clone()).datetime()).ok().or_else(|| text.parse().ok())
    }

    /// Visits so far: those before the sandbox began and the bookings marked as come.
    pub(crate) fn visits(&self, client: &Client) -> u32 {
        let came = self.records.values().filter(|r| r.client == Some(client.id) && r.attendance == 1 && !r.deleted).count();
        client.visits + u32::try_from(came).unwrap_or(u32::MAX)
    }
}

impl Refusal {
    pub(crate) fn taken(salon: &Salon, staff: i64, start: DateTime) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, salon.taken_message(staff, start))
    }
}
