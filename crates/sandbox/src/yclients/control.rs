//! What people and tests do in YClients outside its API: salons, administrators' bookings, the marketplace's button.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use url::Url;

use super::{
    Emulator,
    file::{self, SalonFile},
    salon::{By, Installation, Record, Salon},
    wire,
};
use crate::events::Event;

/// Why something could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no such salon or booking.
    #[error("{0}")]
    Unknown(String),
    /// The request is wrong.
    #[error("{0}")]
    Wrong(String),
}

/// A salon in a list.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// YClients' number.
    pub id: i64,
    /// Name.
    pub title: String,
    /// Phone, digits.
    pub phone: String,
    /// IANA time zone.
    pub timezone_name: String,
    /// State of the application in it.
    pub installation: Installation,
}

/// A booking as the control API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct RecordView {
    /// Number within the salon.
    pub id: i64,
    /// With whom.
    pub staff_id: i64,
    /// Their name.
    pub staff: String,
    /// What.
    pub service_ids: Vec<i64>,
    /// Its titles.
    pub services: Vec<String>,
    /// Begin in the salon's zone, `YYYY-MM-DDTHH:MM`.
    pub start: String,
    /// Length in minutes.
    pub minutes: i64,
    /// Digits.
    pub client_phone: Option<String>,
    /// Name of the client.
    pub client_name: Option<String>,
    /// Cancelled.
    pub deleted: bool,
    /// 2 confirmed, 1 came, 0 waiting, −1 did not come.
    pub attendance: i64,
    /// Who made it.
    pub by: By,
    /// What its maker wrote.
    pub comment: String,
    /// The mark the application gave it.
    pub api_id: String,
}

/// A booking that an administrator or a customer in the widget makes.
#[derive(Debug, Clone, Deserialize)]
pub struct NewRecord {
    /// With whom.
    pub staff_id: i64,
    /// What.
    pub service_ids: Vec<i64>,
    /// Begin in the salon's zone.
    pub start: DateTime,
    /// Digits.
    pub client_phone: String,
    /// Name of the client.
    #[serde(default)]
    pub client_name: String,
    /// `widget`, or absent for an administrator.
    pub by: Option<By>,
}

/// An administrator's change of a booking; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RecordChange {
    /// Begin in the salon's zone.
    pub start: Option<DateTime>,
    /// With whom.
    pub staff_id: Option<i64>,
    /// What.
    pub service_ids: Option<Vec<i64>>,
    /// 2 confirmed, 1 came, 0 waiting, −1 did not come.
    pub attendance: Option<i64>,
}

/// What the marketplace tells an application of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    /// The salon disconnected it.
    Uninstall,
    /// The paid time is over.
    Freeze,
    /// It works again.
    Unfreeze,
    /// The salon paid.
    Payment,
}

/// One day of a salon: who works when, and the bookings.
#[derive(Debug, Clone, Serialize)]
pub struct DaySheet {
    /// The day.
    pub date: Date,
    /// The salon's wall clock, `YYYY-MM-DDTHH:MM`.
    pub now: String,
    /// A column for each who works or is booked that day.
    pub columns: Vec<Column>,
}

/// One member of the staff on a day.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// Number within the salon.
    pub staff_id: i64,
    /// Name.
    pub name: String,
    /// What they are.
    pub specialization: String,
    /// Working parts of the day, `HH:MM` each.
    pub open: Vec<(String, String)>,
    /// Bookings of the day.
    pub records: Vec<RecordView>,
}

/// Who pressed the button, in the order of the live service's JSON.
#[derive(Serialize)]
struct UserData<'a> {
    id: i64,
    name: String,
    phone: &'a str,
    email: String,
    is_approved: bool,
    avatar: &'a str,
    salon_name: &'a str,
}

fn local(at: DateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M").to_string()
}

fn view(salon: &Salon, record: &Record) -> RecordView {
    let client = record.client.and_then(|id| salon.clients.get(&id));
    RecordView {
        id: record.id,
        staff_id: record.staff,
        staff: salon.member(record.staff).map(|s| s.name.clone()).unwrap_or_default(),
        service_ids: record.service_ids(),
        services: record.lines.iter().filter_map(|line| Some(salon.service(line.service)?.title.clone())).collect(),
        start: local(record.start),
        minutes: record.seconds / 60,
        client_phone: client.map(|c| c.phone.clone()),
        client_name: client.map(|c| c.name.clone()),
        deleted: record.deleted,
        attendance: record.attendance,
        by: record.by,
        comment: record.comment.clone(),
        api_id: record.api_id.clone(),
    }
}

fn no_salon(id: i64) -> ControlError {
    ControlError::Unknown(format!("there is no salon {id}"))
}

impl Emulator {
    fn salon<T>(&self, id: i64, act: impl FnOnce(&mut Salon) -> Result<T, ControlError>) -> Result<T, ControlError> {
        let mut salons = self.salons.lock();
        act(salons.get_mut(&id).ok_or_else(|| no_salon(id))?)
    }

    /// Creates a salon, or replaces one with the same number; its installation stays.
    pub fn put_salon(&self, file: SalonFile) -> Result<i64, ControlError> {
        let zone = file.check().map_err(ControlError::Wrong)?;
        let id = file.id;
        let mut salons = self.salons.lock();
        let install = salons.remove(&id).map(|old| old.install).unwrap_or_default();
        salons.insert(id, Salon::new(file, zone, install, self.now()));
        drop(salons);
        self.bus.publish(Event::Salon { salon: id });
        Ok(id)
    }

    /// All salons by number.
    pub fn salons(&self) -> Vec<Overview> {
        self.salons.lock().values().map(|s| self.overview_of(s)).collect()
    }

    /// One salon.
    pub fn overview(&self, id: i64) -> Result<Overview, ControlError> {
        self.salon(id, |s| Ok(self.overview_of(s)))
    }

    fn overview_of(&self, salon: &Salon) -> Overview {
        Overview {
            id: salon.file.id,
            title: salon.file.title.clone(),
            phone: salon.file.phone.clone(),
            timezone_name: salon.file.timezone_name.clone(),
            installation: salon.install.at(self.now()),
        }
    }

    /// Presses «Подключить»: the owner's consent, and the signed address that YClients then opens.
    pub fn connect(&self, id: i64) -> Result<Url, ControlError> {
        let application = self.application.read().clone();
        let application = application.ok_or_else(|| ControlError::Wrong("the application has no address yet".to_owned()))?;
        let url = self.salon(id, |s| {
            if matches!(s.install.at(self.now()), Installation::Uninstalled | Installation::Pending) {
                s.install.change(Installation::Pending, self.now(), "marketplace");
            }
            let user = UserData {
                id: 7_000_000 + id,
                name: format!("Владелец «{}»", s.file.title),
                phone: &s.file.phone,
                email: format!("owner{id}@salon.example"),
                is_approved: true,
                avatar: "",
                salon_name: &s.file.title,
            };
            let user = serde_json::to_string(&user).map_err(|e| ControlError::Wrong(e.to_string()))?;
            let mut url = application.join("/auth/yclients/redirect").map_err(|e| ControlError::Wrong(e.to_string()))?;
            url.query_pairs_mut()
                .append_pair("salon_id", &id.to_string())
                .append_pair("user_data", &URL_SAFE.encode(&user))
                .append_pair("user_data_sign", &self.sign(user.as_bytes()));
            Ok(url)
        })?;
        self.bus.publish(Event::Salon { salon: id });
        Ok(url)
    }

    /// Lower hex HMAC-SHA256 with the partner token.
    pub(super) fn sign(&self, message: &[u8]) -> String {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.settings.partner_token.as_bytes()) else { return String::new() };
        mac.update(message);
        mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The bookings of a salon by number, deleted ones too.
    pub fn records_of(&self, id: i64) -> Result<Vec<RecordView>, ControlError> {
        self.salon(id, |s| Ok(s.records.values().map(|r| view(s, r)).collect()))
    }

    /// Enters a booking; people in the salon may overbook.
    pub fn create_record(&self, id: i64, new: NewRecord) -> Result<RecordView, ControlError> {
        file::phone(&new.client_phone).map_err(ControlError::Wrong)?;
        let by = new.by.unwrap_or(By::Administrator);
        if !matches!(by, By::Administrator | By::Widget) {
            return Err(ControlError::Wrong("by: widget, or absent for an administrator".to_owned()));
        }
        self.salon(id, |s| {
            refer(s, new.staff_id, &new.service_ids)?;
            let client = self.client(s, &new.client_phone, &new.client_name, "");
            let mut record = s.record_of(&new.service_ids, new.staff_id, new.start, by, self.now());
            record.client = Some(client);
            self.announce_record(s, &record, "create");
            let shown = view(s, &record);
            s.enter(record);
            Ok(shown)
        })
    }

    /// Changes a booking.
    pub fn change_record(&self, id: i64, record: i64, change: RecordChange) -> Result<RecordView, ControlError> {
        self.salon(id, |s| {
            let mut changed = live(s, record)?.clone();
            changed.start = change.start.unwrap_or(changed.start);
            changed.staff = change.staff_id.unwrap_or(changed.staff);
            changed.attendance = change.attendance.unwrap_or(changed.attendance);
            let services = change.service_ids.unwrap_or_else(|| changed.service_ids());
            refer(s, changed.staff, &services)?;
            if services != changed.service_ids() {
                changed.lines = services.iter().map(|&service| s.line(service)).collect();
            }
            if !(-1..=2).contains(&changed.attendance) {
                return Err(ControlError::Wrong("attendance is 2, 1, 0 or -1".to_owned()));
            }
            let old = live(s, record)?;
            if services != old.service_ids() || changed.staff != old.staff {
                changed.seconds = s.length(&services, changed.staff);
            }
            changed.changed = self.now();
            self.announce_record(s, &changed, "update");
            let shown = view(s, &changed);
            s.enter(changed);
            Ok(shown)
        })
    }

    /// Deletes a booking.
    pub fn delete_record(&self, id: i64, record: i64) -> Result<RecordView, ControlError> {
        self.salon(id, |s| {
            let gone = Record { deleted: true, changed: self.now(), ..live(s, record)?.clone() };
            self.announce_record(s, &gone, "delete");
            let shown = view(s, &gone);
            s.enter(gone);
            Ok(shown)
        })
    }

    /// Something happens to the installation, and the marketplace tells the application.
    pub fn lifecycle(&self, id: i64, event: Lifecycle) -> Result<Installation, ControlError> {
        let application = self.application.read().clone();
        let url = application.and_then(|base| base.join("/webhook/yclients").ok()).map(String::from);
        let installation = self.salon(id, |s| {
            let before = s.install.at(self.now());
            if before == Installation::Uninstalled {
                return Err(ControlError::Wrong(format!("salon {id} has not installed the application")));
            }
            let (after, name) = match event {
                Lifecycle::Uninstall => (Installation::Uninstalled, "uninstall"),
                Lifecycle::Freeze => (Installation::Freezed, "freeze"),
                Lifecycle::Unfreeze => (Installation::Active, "unfreeze"),
                Lifecycle::Payment if before == Installation::Freezed => (Installation::Active, "payment"),
                Lifecycle::Payment => (before, "payment"),
            };
            if after != before {
                s.install.change(after, self.now(), "marketplace");
            }
            if after == Installation::Uninstalled {
                s.install.webhook_urls.clear();
            }
            let mut body = json!({
                "salon_id": id, "application_id": self.settings.application_id, "event": name,
                "partner_token": self.settings.partner_token
            });
            if event == Lifecycle::Payment {
                let today = self.clock.local(&s.zone);
                let day = |at: DateTime| at.strftime("%Y-%m-%d %H:%M:%S").to_string();
                let details = json!({
                    "payment_id": s.install.payments.len() + 1, "amount": 990, "currency_iso": "RUB", "payment_date": day(today),
                    "period_from": day(today), "period_to": day(today.saturating_add(1.month())),
                    "sign": self.sign(format!("salon_id={id}&amount=990").as_bytes())
                });
                if let (Some(body), Some(details)) = (body.as_object_mut(), details.as_object()) {
                    body.extend(details.clone());
                }
            }
            self.webhooks.send(id, url.as_slice(), body);
            Ok(after)
        })?;
        self.bus.publish(Event::Salon { salon: id });
        Ok(installation)
    }

    /// A day as the calendar of the chat page draws it; today when no date is given.
    pub fn day_sheet(&self, id: i64, date: Option<Date>) -> Result<DaySheet, ControlError> {
        self.salon(id, |s| {
            let now = self.clock.local(&s.zone);
            let date = date.unwrap_or(now.date());
            let columns = s
                .file
                .staff
                .iter()
                .map(|member| {
                    let shifts = s.file.shifts(member.id, date);
                    let parts = shifts.iter().flat_map(|shift| super::slots::without(shift.whole, &shift.breaks));
                    let of_day = s.records.values().filter(|r| r.staff == member.id && !r.deleted && r.start.date() == date);
                    Column {
                        staff_id: member.id,
                        name: member.name.clone(),
                        specialization: member.specialization.clone(),
                        open: parts.map(|p| (wire::hours_minutes(p.from), wire::hours_minutes(p.to))).collect(),
                        records: of_day.map(|r| view(s, r)).collect(),
                    }
                })
                .filter(|column| !column.open.is_empty() || !column.records.is_empty())
                .collect();
            Ok(DaySheet { date, now: local(now), columns })
        })
    }
}

fn live(salon: &Salon, record: i64) -> Result<&Record, ControlError> {
    let found = salon.records.get(&record).filter(|r| !r.deleted);
    found.ok_or_else(|| ControlError::Unknown(format!("there is no booking {record}")))
}

fn refer(salon: &Salon, staff: i64, services: &[i64]) -> Result<(), ControlError> {
    if salon.member(staff).is_none() {
        return Err(ControlError::Wrong(format!("there is no staff member {staff}")));
    }
    if services.is_empty() {
        return Err(ControlError::Wrong("service_ids is empty".to_owned()));
    }
    match services.iter().find(|&&id| salon.service(id).is_none()) {
        Some(id) => Err(ControlError::Wrong(format!("there is no service {id}"))),
        None => Ok(()),
    }
}
