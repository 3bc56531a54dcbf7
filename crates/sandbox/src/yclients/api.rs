//! `/api/v1`: the online booking (partner token) and the salon's data (partner and user token).

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    Emulator,
    file::StaffRow,
    passage,
    refusal::Refusal,
    salon::{Appointment, Asked, By, Line, Record, Salon},
    wire,
};

type Service = State<Arc<Emulator>>;
type Answer = Result<Response, Refusal>;

pub(crate) fn routes(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    let partner = Router::new()
        .route("/company/{salon}", get(company))
        .route("/book_services/{salon}", get(book_services))
        .route("/book_staff/{salon}", get(book_staff))
        .route("/book_dates/{salon}", get(book_dates))
        .route("/book_times/{salon}/{staff}/{date}", get(book_times))
        .route("/book_check/{salon}", post(book_check))
        .route("/book_record/{salon}", post(book_record))
        .route("/book_record/{salon}/{record}", put(move_booked))
        .route("/user/records/{record}/{hash}", get(read_by_hash).delete(delete_by_hash))
        .route_layer(middleware::from_fn_with_state(emulator.clone(), passage::partner));
    let user = Router::new()
        .route("/records/{salon}", get(records).post(create_record))
        .route("/record/{salon}/{record}", get(read_record).put(change_record).delete(delete_record))
        .route("/visits/{visit}/{record}", put(mark_visit))
        .route("/company/{salon}/clients/search", post(search_clients))
        .route("/clients/{salon}", post(create_client))
        .route("/client/{salon}/{client}", get(read_client))
        .route("/company/{salon}/services", get(services))
        .route("/company/{salon}/services/{service}", get(service))
        .route("/company/{salon}/staff", get(staff))
        .route("/company/{salon}/staff/schedule", get(schedule))
        .route("/company/{salon}/staff/{member}", get(member))
        .route_layer(middleware::from_fn_with_state(emulator.clone(), passage::user));
    partner.merge(user).fallback(passage::not_built)
}

pub(crate) fn done(status: StatusCode, data: Value, meta: Value) -> Response {
    (status, Json(json!({ "success": true, "data": data, "meta": meta }))).into_response()
}

fn found(data: Value) -> Answer {
    Ok(done(StatusCode::OK, data, json!([])))
}

/// The parameters of a query, PHP's `name[]`, `name[0]` and `name` being one.
struct Query(Vec<(String, String)>);

impl Query {
    fn read(raw: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes());
        Self(pairs.map(|(name, value)| (name.split('[').next().unwrap_or_default().to_owned(), value.into_owned())).collect())
    }

    fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.one(name).map(|v| number(name, v)).transpose()
    }

    fn numbers(&self, name: &str) -> Result<Vec<i64>, Refusal> {
        self.all(name).map(|v| number(name, v)).collect()
    }

    fn flag(&self, name: &str) -> bool {
        self.one(name).is_some_and(|v| matches!(v, "1" | "true"))
    }

    fn date(&self, name: &str) -> Result<Option<Date>, Refusal> {
        self.one(name).map(|v| date(name, v)).transpose()
    }
}

fn number(name: &str, text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| Refusal::field(name, "Значение должно быть целым числом"))
}

fn date(name: &str, text: &str) -> Result<Date, Refusal> {
    let compact = |t: &str| Date::strptime("%Y%m%d", t).ok();
    text.parse().ok().or_else(|| compact(text)).ok_or_else(|| Refusal::field(name, "Недопустимая дата"))
}

fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        tracing::warn!(%error, "a body that YClients would not read");
        Refusal::new(StatusCode::BAD_REQUEST, "Недопустимый формат запроса")
    })
}

async fn company(State(emulator): Service, Path(salon): Path<i64>) -> Answer {
    emulator.with(salon, |s| found(wire::company(s, emulator.now())))
}

async fn book_services(State(emulator): Service, Path(salon): Path<i64>, RawQuery(raw): RawQuery) -> Answer {
    let query = Query::read(raw.as_deref());
    let (staff, chosen) = (query.number("staff_id")?.filter(|&id| id != 0), query.numbers("service_ids")?);
    emulator.with(salon, |s| {
        // Beside services already chosen only those are offered that somebody does together with them.
        let able = |service: i64| match staff {
            Some(id) => s.does(id, &[service]),
            None => s.file.staff.iter().any(|m| s.does(m.id, &[service]) && s.does(m.id, &chosen)),
        };
        let offered: Vec<_> = s.file.services.iter().filter(|service| able(service.id)).collect();
        let services: Vec<Value> = offered.iter().map(|service| wire::bookable_service(s, service, staff)).collect();
        let category: Vec<Value> = wire::categories(s)
            .into_iter()
            .filter(|(_, title)| offered.iter().any(|service| service.category == *title))
            .map(|(id, title)| wire::category(id, title))
            .collect();
        found(json!({ "events": [], "services": services, "category": category }))
    })
}

async fn book_staff(State(emulator): Service, Path(salon): Path<i64>, RawQuery(raw): RawQuery) -> Answer {
    let query = Query::read(raw.as_deref());
    let services = query.numbers("service_ids")?;
    emulator.with(salon, |s| {
        let at = query.one("datetime").and_then(|text| s.moment(text));
        let now = emulator.clock.local(&s.zone);
        let able = s.file.staff.iter().filter(|m| s.does(m.id, &services));
        let free = able.filter(|m| at.is_none_or(|at| s.free(m.id, at, s.length(&services, m.id), None)));
        found(free.map(|m| wire::bookable_member(m, nearest(s, m, &services, now))).collect())
    })
}

/// The nearest day within two weeks on which a member of the staff is free, with its starts.
fn nearest(salon: &Salon, member: &StaffRow, services: &[i64], now: DateTime) -> Option<(Date, Vec<Value>)> {
    let length = salon.length(services, member.id);
    now.date().series(1.day()).take(14).find_map(|date| {
        let starts = salon.starts(member.id, date, length, now);
        let seances = starts.iter().map(|&start| wire::seance(salon, date, start, length)).collect();
        (!starts.is_empty()).then_some((date, seances))
    })
}

async fn book_dates(State(emulator): Service, Path(salon): Path<i64>, RawQuery(raw): RawQuery) -> Answer {
    let query = Query::read(raw.as_deref());
    let (services, staff) = (query.numbers("service_ids")?, query.number("staff_id")?.unwrap_or(0));
    emulator.with(salon, |s| {
        s.bookable(&services, staff)?;
        let now = emulator.clock.local(&s.zone);
        let (from, to) = match (query.date("date_from")?, query.date("date_to")?, query.date("date")?) {
            (Some(from), Some(to), _) => (from, to),
            (_, _, Some(date)) => (date.first_of_month(), date.last_of_month()),
            _ => (now.date(), now.date().saturating_add(1.month())),
        };
        let masters: Vec<i64> = masters(s, staff, &services);
        let (mut working, mut booking) = (Vec::new(), Vec::new());
        for date in from.series(1.day()).take_while(|&d| d <= to).take(366).filter(|&d| d >= now.date()) {
            if masters.iter().any(|&id| !s.file.shifts(id, date).is_empty()) {
                working.push(date);
            }
            if masters.iter().any(|&id| !s.starts(id, date, s.length(&services, id), now).is_empty()) {
                booking.push(date);
            }
        }
        let by_month = |dates: &[Date]| {
            let mut months = Map::new();
            for date in dates {
                let days = months.entry(date.month().to_string()).or_insert_with(|| json!([]));
                if let Some(days) = days.as_array_mut() {
                    days.push(json!(date.day().to_string()));
                }
            }
            // PHP writes an empty map as a list.
            if months.is_empty() { json!([]) } else { Value::Object(months) }
        };
        let listed = |dates: &[Date]| dates.iter().map(Date::to_string).collect::<Vec<_>>();
        found(json!({
            "booking_days": by_month(&booking), "booking_dates": listed(&booking),
            "working_days": by_month(&working), "working_dates": listed(&working)
        }))
    })
}

/// Who is asked: the one named, or everybody who does the services.
fn masters(salon: &Salon, staff: i64, services: &[i64]) -> Vec<i64> {
    let everybody = salon.file.staff.iter().map(|s| s.id);
    if staff == 0 { everybody.filter(|&id| salon.does(id, services)).collect() } else { vec![staff] }
}

async fn book_times(State(emulator): Service, Path((salon, staff, day)): Path<(i64, i64, String)>, RawQuery(raw): RawQuery) -> Answer {
    let services = Query::read(raw.as_deref()).numbers("service_ids")?;
    let day = date("date", &day)?;
    emulator.with(salon, |s| {
        s.bookable(&services, staff)?;
        let now = emulator.clock.local(&s.zone);
        let mut starts: Vec<(i64, i64)> = Vec::new();
        for id in masters(s, staff, &services) {
            let length = s.length(&services, id);
            starts.extend(s.starts(id, day, length, now).into_iter().map(|start| (start, length)));
        }
        starts.sort_unstable();
        starts.dedup_by_key(|(start, _)| *start);
        found(starts.into_iter().map(|(start, length)| wire::seance(s, day, start, length)).collect())
    })
}

#[derive(Deserialize)]
struct AppointmentBody {
    #[serde(default)]
    id: i64,
    #[serde(default)]
    services: Vec<i64>,
    #[serde(default)]
    staff_id: i64,
    datetime: String,
}

impl AppointmentBody {
    fn read(self, salon: &Salon) -> Result<Appointment, Refusal> {
        let start = salon.moment(&self.datetime).ok_or_else(|| Refusal::field("datetime", "Недопустимая дата"))?;
        Ok(Appointment { id: self.id, services: self.services, staff: self.staff_id, start })
    }
}

fn appointments(salon: &Salon, bodies: Vec<AppointmentBody>) -> Result<Vec<Appointment>, Refusal> {
    if bodies.is_empty() {
        return Err(Refusal::field("appointments", "Не указаны записи"));
    }
    bodies.into_iter().map(|body| body.read(salon)).collect()
}

#[derive(Deserialize)]
struct CheckBody {
    #[serde(default)]
    appointments: Vec<AppointmentBody>,
}

async fn book_check(State(emulator): Service, Path(salon): Path<i64>, bytes: Bytes) -> Answer {
    let check: CheckBody = body(&bytes)?;
    emulator.with(salon, |s| {
        s.settle(&appointments(s, check.appointments)?, emulator.clock.local(&s.zone), Asked::Check)?;
        Ok((StatusCode::CREATED, Json(json!({ "success": true, "meta": { "message": "Created" } }))).into_response())
    })
}

#[derive(Deserialize)]
struct BookingBody {
    #[serde(default)]
    phone: String,
    #[serde(default)]
    fullname: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    api_id: Value,
    #[serde(default)]
    notify_by_sms: i64,
    #[serde(default)]
    notify_by_email: i64,
    #[serde(default)]
    appointments: Vec<AppointmentBody>,
}

/// `api_id` comes back as a string whatever was sent.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Digits of a phone, a leading plus allowed; nothing where it is none.
fn digits(phone: &str) -> Option<String> {
    let bare = phone.strip_prefix('+').unwrap_or(phone);
    super::file::phone(bare).ok().map(|()| bare.to_owned())
}

async fn book_record(State(emulator): Service, Path(salon): Path<i64>, bytes: Bytes) -> Answer {
    let booking: BookingBody = body(&bytes)?;
    emulator.with_mut(salon, |s| {
        let phone = digits(&booking.phone).ok_or_else(|| Refusal::booking(431, None, "Неверный формат номера телефона"))?;
        if booking.fullname.trim().is_empty() {
            return Err(Refusal::booking(435, None, "Не указано имя клиента"));
        }
        let wanted = appointments(s, booking.appointments)?;
        let settled = s.settle(&wanted, emulator.clock.local(&s.zone), Asked::Record)?;
        if settled.iter().any(|a| a.services.is_empty()) {
            return Err(Refusal::field("services", "Не указаны услуги"));
        }
        let client = emulator.client(s, &phone, booking.fullname.trim(), &booking.email);
        let mut made = Vec::with_capacity(settled.len());
        for appointment in settled {
            let record = Record {
                client: Some(client),
                comment: booking.comment.clone(),
                api_id: text(&booking.api_id),
                notify_by_sms: booking.notify_by_sms,
                notify_by_email: booking.notify_by_email,
                ..s.record_of(&appointment.services, appointment.staff, appointment.start, By::Bot, emulator.now())
            };
            made.push(json!({ "id": appointment.id, "record_id": record.id, "record_hash": record.hash }));
            emulator.announce_record(s, &record, "create");
            s.enter(record);
        }
        Ok(done(StatusCode::CREATED, json!(made), json!([])))
    })
}

#[derive(Deserialize)]
struct MoveBody {
    datetime: String,
    comment: Option<String>,
}

async fn move_booked(State(emulator): Service, Path((salon, id)): Path<(i64, i64)>, bytes: Bytes) -> Answer {
    let moved: MoveBody = body(&bytes)?;
    emulator.with_mut(salon, |s| {
        let start = s.moment(&moved.datetime).ok_or_else(|| Refusal::field("datetime", "Недопустимая дата"))?;
        let mut record = live(s, id)?.clone();
        record.start = start;
        record.comment = moved.comment.unwrap_or(record.comment);
        replace(&emulator, s, record, false)
    })
}

/// A booking that is there and not deleted.
fn live(salon: &Salon, id: i64) -> Result<&Record, Refusal> {
    salon.records.get(&id).filter(|r| !r.deleted).ok_or_else(|| Refusal::not_found("Запись не найдена"))
}

/// Enters the changed booking where its time is still its own or free, and answers with it.
fn replace(emulator: &Emulator, salon: &mut Salon, mut record: Record, save_if_busy: bool) -> Answer {
    let unmoved = salon.records.get(&record.id).is_some_and(|old| old.same_visit(&record));
    if !save_if_busy && !unmoved && !salon.free(record.staff, record.start, record.seconds, Some(record.id)) {
        return Err(Refusal::taken(salon, record.staff, record.start));
    }
    record.changed = emulator.now();
    emulator.announce_record(salon, &record, "update");
    let answer = done(StatusCode::CREATED, wire::record(salon, &record), json!([]));
    salon.enter(record);
    Ok(answer)
}

/// The salon in which a booking has this hash.
fn by_hash(emulator: &Emulator, id: i64, hash: &str) -> Result<i64, Refusal> {
    let salons = emulator.salons.lock();
    let has = |s: &&Salon| s.records.get(&id).is_some_and(|r| r.hash == hash && !r.deleted);
    salons.values().find(has).map(|s| s.file.id).ok_or_else(|| Refusal::not_found("Запись не найдена"))
}

async fn read_by_hash(State(emulator): Service, Path((id, hash)): Path<(i64, String)>) -> Answer {
    let salon = by_hash(&emulator, id, &hash)?;
    emulator.with(salon, |s| found(wire::record(s, live(s, id)?)))
}

async fn delete_by_hash(State(emulator): Service, Path((id, hash)): Path<(i64, String)>) -> Answer {
    let salon = by_hash(&emulator, id, &hash)?;
    emulator.with_mut(salon, |s| delete(&emulator, s, id))?;
    found(Value::Null)
}

fn delete(emulator: &Emulator, salon: &mut Salon, id: i64) -> Result<(), Refusal> {
    let record = Record { deleted: true, changed: emulator.now(), ..live(salon, id)?.clone() };
    emulator.announce_record(salon, &record, "delete");
    salon.enter(record);
    Ok(())
}

async fn records(State(emulator): Service, Path(salon): Path<i64>, RawQuery(raw): RawQuery) -> Answer {
    let query = Query::read(raw.as_deref());
    let page = query.number("page")?.unwrap_or(1).max(1);
    let count = query.number("count")?.unwrap_or(50).clamp(1, 300);
    let (staff, client, author) = (query.number("staff_id")?, query.number("client_id")?, query.number("created_user_id")?);
    let (start, end) = (query.date("start_date")?, query.date("end_date")?);
    let (c_start, c_end) = (query.date("c_start_date")?, query.date("c_end_date")?);
    let with_deleted = query.flag("with_deleted");
    emulator.with(salon, |s| {
        let moment = |name: &str| match query.one(name) {
            Some(text) => s.moment(text).map(Some).ok_or_else(|| Refusal::field(name, "Недопустимая дата")),
            None => Ok(None),
        };
        let (after, before) = (moment("changed_after")?, moment("changed_before")?);
        let local = |at: jiff::Timestamp| at.to_zoned(s.zone.clone()).datetime();
        // The wire carries whole seconds.
        let changed = |r: &Record| local(r.changed).with().subsec_nanosecond(0).build().unwrap_or(local(r.changed));
        let author_of = |r: &Record| if r.by == By::Bot { 1 } else { 2 };
        let mut chosen: Vec<&Record> = s
            .records
            .values()
            .filter(|r| with_deleted || !r.deleted)
            .filter(|r| staff.is_none_or(|id| r.staff == id) && client.is_none_or(|id| r.client == Some(id)))
            .filter(|r| author.is_none_or(|id| author_of(r) == id))
            .filter(|r| start.is_none_or(|d| r.start.date() >= d) && end.is_none_or(|d| r.start.date() <= d))
            .filter(|r| c_start.is_none_or(|d| local(r.created).date() >= d) && c_end.is_none_or(|d| local(r.created).date() <= d))
            .filter(|r| after.is_none_or(|t| changed(r) >= t) && before.is_none_or(|t| changed(r) <= t))
            .collect();
        chosen.sort_by_key(|r| (r.start, r.id));
        let (skip, take) = (usize::try_from((page - 1) * count).unwrap_or(usize::MAX), usize::try_from(count).unwrap_or(50));
        let shown: Vec<Value> = chosen.iter().skip(skip).take(take).map(|r| wire::record(s, r)).collect();
        Ok(done(StatusCode::OK, json!(shown), json!({ "page": page, "total_count": chosen.len() })))
    })
}

#[derive(Deserialize)]
struct LineBody {
    id: i64,
    first_cost: Option<f64>,
    discount: Option<f64>,
    cost: Option<f64>,
    amount: Option<i64>,
}

/// Body of creating and of changing a booking; what is absent stays.
#[derive(Deserialize)]
struct RecordBody {
    staff_id: Option<i64>,
    services: Option<Vec<LineBody>>,
    #[serde(default)]
    client: Value,
    datetime: Option<String>,
    seance_length: Option<i64>,
    #[serde(default)]
    save_if_busy: bool,
    comment: Option<String>,
    attendance: Option<i64>,
    #[serde(default)]
    api_id: Value,
    custom_color: Option<String>,
    sms_remain_hours: Option<i64>,
    email_remain_hours: Option<i64>,
}

impl RecordBody {
    fn apply(self, emulator: &Emulator, salon: &mut Salon, record: &mut Record) -> Result<bool, Refusal> {
        record.staff = self.staff_id.unwrap_or(record.staff);
        if salon.member(record.staff).is_none() {
            return Err(Refusal::not_found("Сотрудник недоступен"));
        }
        if let Some(lines) = self.services {
            record.lines = lines.into_iter().map(|line| line.read(salon)).collect::<Result<_, _>>()?;
            record.seconds = salon.length(&record.service_ids(), record.staff);
        }
        if let Some(moment) = self.datetime {
            record.start = salon.moment(&moment).ok_or_else(|| Refusal::field("datetime", "Недопустимая дата"))?;
        }
        record.seconds = self.seance_length.unwrap_or(record.seconds).clamp(60, 86_400);
        if let Some(phone) = self.client.get("phone").map(text).filter(|p| !p.is_empty()) {
            let phone = digits(&phone).ok_or_else(|| Refusal::field("client.phone", "Неверный формат номера телефона"))?;
            let field = |name: &str| self.client.get(name).map(text).unwrap_or_default();
            record.client = Some(emulator.client(salon, &phone, &field("name"), &field("email")));
        }
        record.comment = self.comment.unwrap_or(std::mem::take(&mut record.comment));
        record.attendance = self.attendance.unwrap_or(record.attendance).clamp(-1, 2);
        if !self.api_id.is_null() {
            record.api_id = text(&self.api_id);
        }
        record.custom_color = self.custom_color.unwrap_or(std::mem::take(&mut record.custom_color));
        record.notify_by_sms = self.sms_remain_hours.unwrap_or(record.notify_by_sms);
        record.notify_by_email = self.email_remain_hours.unwrap_or(record.notify_by_email);
        Ok(self.save_if_busy)
    }
}

impl LineBody {
    fn read(self, salon: &Salon) -> Result<Line, Refusal> {
        let listed = salon.service(self.id).map(|_| salon.line(self.id)).ok_or_else(|| Refusal::not_found("Услуга не найдена."))?;
        let roubles = |sum: Option<f64>, otherwise: i64| sum.map_or(otherwise, |s| s.round() as i64);
        Ok(Line {
            first_cost: roubles(self.first_cost, listed.first_cost),
            discount: self.discount.unwrap_or(0.0),
            cost: roubles(self.cost, listed.cost),
            amount: self.amount.unwrap_or(1),
            ..listed
        })
    }
}

async fn create_record(State(emulator): Service, Path(salon): Path<i64>, bytes: Bytes) -> Answer {
    let wanted: RecordBody = body(&bytes)?;
    emulator.with_mut(salon, |s| {
        for (field, given) in [("staff_id", wanted.staff_id.is_some()), ("datetime", wanted.datetime.is_some())] {
            if !given {
                return Err(Refusal::field(field, "Поле обязательно для заполнения"));
            }
        }
        let mut record = s.record_of(&[], 0, emulator.clock.local(&s.zone), By::Bot, emulator.now());
        let save_if_busy = wanted.apply(&emulator, s, &mut record)?;
        if !save_if_busy && !s.free(record.staff, record.start, record.seconds, None) {
            return Err(Refusal::taken(s, record.staff, record.start));
        }
        emulator.announce_record(s, &record, "create");
        let answer = done(StatusCode::CREATED, wire::record(s, &record), json!([]));
        s.enter(record);
        Ok(answer)
    })
}

async fn read_record(State(emulator): Service, Path((salon, id)): Path<(i64, i64)>) -> Answer {
    emulator.with(salon, |s| found(wire::record(s, live(s, id)?)))
}

async fn change_record(State(emulator): Service, Path((salon, id)): Path<(i64, i64)>, bytes: Bytes) -> Answer {
    let wanted: RecordBody = body(&bytes)?;
    emulator.with_mut(salon, |s| {
        let mut record = live(s, id)?.clone();
        let save_if_busy = wanted.apply(&emulator, s, &mut record)?;
        replace(&emulator, s, record, save_if_busy)
    })
}

async fn delete_record(State(emulator): Service, Path((salon, id)): Path<(i64, i64)>) -> Answer {
    emulator.with_mut(salon, |s| delete(&emulator, s, id))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
struct VisitBody {
    attendance: i64,
    comment: String,
}

/// Marks an arrival. A visit's number is its booking's, shifted; one visit holds one booking here.
async fn mark_visit(State(emulator): Service, Path((_, id)): Path<(i64, i64)>, bytes: Bytes) -> Answer {
    let mark: VisitBody = body(&bytes)?;
    let has = |s: &&Salon| s.records.get(&id).is_some_and(|r| !r.deleted);
    let salon = emulator.salons.lock().values().find(has).map(|s| s.file.id);
    emulator.with_mut(salon.unwrap_or(0), |s| {
        let record = Record { attendance: mark.attendance.clamp(-1, 2), comment: mark.comment, ..live(s, id)?.clone() };
        replace(&emulator, s, record, true)
    })
}

#[derive(Deserialize)]
struct SearchBody {
    page: Option<usize>,
    page_size: Option<usize>,
    #[serde(default)]
    fields: Vec<String>,
    order_by: Option<String>,
    order_by_direction: Option<String>,
    #[serde(default)]
    filters: Vec<FilterBody>,
}

#[derive(Deserialize)]
struct FilterBody {
    #[serde(rename = "type")]
    kind: String,
    state: Value,
}

async fn search_clients(State(emulator): Service, Path(salon): Path<i64>, bytes: Bytes) -> Answer {
    let search: SearchBody = body(if bytes.is_empty() { b"{}" } else { &bytes })?;
    let size = search.page_size.unwrap_or(25);
    if !(1..=200).contains(&size) {
        return Err(Refusal::field("page_size", "Значение должно быть от 1 до 200"));
    }
    emulator.with(salon, |s| {
        let now = emulator.clock.local(&s.zone);
        let mut found: Vec<Value> = s.clients.values().map(|c| wire::client(s, c, now)).collect();
        for filter in &search.filters {
            match filter.kind.as_str() {
                "quick_search" => {
                    let wanted = text(&filter.state["value"]).to_lowercase();
                    let wanted = wanted.trim_start_matches('+');
                    found.retain(|c| ["name", "phone", "email"].iter().any(|f| text(&c[*f]).to_lowercase().contains(wanted)));
                }
                "id" => {
                    let wanted = filter.state["value"].as_array().cloned().unwrap_or_default();
                    found.retain(|c| wanted.contains(&c["id"]));
                }
                _ => {
                    let errors = json!({ "filters": ["Недопустимое значение состояния фильтра"] });
                    let refusal = Refusal::new(StatusCode::BAD_REQUEST, "Недопустимое значение фильтра");
                    return Err(Refusal { errors: Some(errors), ..refusal });
                }
            }
        }
        let by = search.order_by.as_deref().unwrap_or("id");
        found.sort_by(|a, b| match (a[by].as_f64(), b[by].as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => text(&a[by]).cmp(&text(&b[by])),
        });
        if search.order_by_direction.as_deref().is_some_and(|d| d.eq_ignore_ascii_case("desc")) {
            found.reverse();
        }
        let total = found.len();
        let asked = |field: &String| search.fields.contains(field) || (search.fields.is_empty() && field == "id");
        let page: Vec<Value> = found
            .into_iter()
            .skip(search.page.unwrap_or(1).max(1).saturating_sub(1).saturating_mul(size))
            .take(size)
            .map(|client| match client {
                Value::Object(fields) => fields.into_iter().filter(|(name, _)| asked(name)).collect(),
                other => other,
            })
            .collect();
        Ok(done(StatusCode::OK, json!(page), json!({ "total_count": total })))
    })
}

#[derive(Deserialize)]
struct ClientBody {
    name: String,
    phone: Value,
    #[serde(default)]
    email: String,
}

async fn create_client(State(emulator): Service, Path(salon): Path<i64>, bytes: Bytes) -> Answer {
    let wanted: ClientBody = body(&bytes)?;
    emulator.with_mut(salon, |s| {
        let phone = digits(&text(&wanted.phone)).ok_or_else(|| Refusal::field("phone", "Неверный формат номера телефона"))?;
        if s.clients.values().any(|c| c.phone == phone) {
            let message = "Клиент с указанным телефоном уже существует в базе";
            return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message));
        }
        let id = emulator.client(s, &phone, &wanted.name, &wanted.email);
        let client = s.clients.get(&id).ok_or_else(|| Refusal::not_found("Клиент не найден"))?;
        Ok(done(StatusCode::CREATED, wire::client(s, client, emulator.clock.local(&s.zone)), json!([])))
    })
}

async fn read_client(State(emulator): Service, Path((salon, id)): Path<(i64, i64)>) -> Answer {
    emulator.with(salon, |s| {
        let client = s.clients.get(&id).ok_or_else(|| Refusal::not_found("Клиент не найден"))?;
        found(wire::client(s, client, emulator.clock.local(&s.zone)))
    })
}

async fn services(State(emulator): Service, Path(salon): Path<i64>, RawQuery(raw): RawQuery) -> Answer {
    let query = Query::read(raw.as_deref());
    let (staff, category) = (query.number("staff_id")?, query.number("category_id")?);
    emulator.with(salon, |s| {
        let title = category.map(|id| wire::categories(s).into_iter().find(|(n, _)| *n == id).map_or("", |(_, title)| title));
        let chosen =
            s.file.services.iter().filter(|service| {
                staff.is_none_or(|id| service.staff.contains(&id)) && title.is_none_or(|title| service.category == title)
            });
        let listed: Vec<Value> = chosen.map(|service| wire::service(s, service)).collect();
        let total = listed.len();
        Ok(done(StatusCode::OK, json!(listed), json!({ "total_count": total })))
    })
}

async fn service(State(emulator): Service, Path((salon, id)): Path<(i64, i64)>) -> Answer {
    emulator.with(salon, |s| {
        let service = s.service(id).ok_or_else(|| Refusal::not_found("Услуга не найдена."))?;
        found(wire::service(s, service))
    })
}

async fn staff(State(emulator): Service, Path(salon): Path<i64>) -> Answer {
    emulator.with(salon, |s| found(s.file.staff.iter().map(wire::member).collect()))
}

async fn member(State(emulator): Service, Path((salon, id)): Path<(i64, i64)>) -> Answer {
    emulator.with(salon, |s| {
        let member = s.member(id).ok_or_else(|| Refusal::not_found("Сотрудник не найден."))?;
        found(wire::member(member))
    })
}

async fn schedule(State(emulator): Service, Path(salon): Path<i64>, RawQuery(raw): RawQuery) -> Answer {
    let query = Query::read(raw.as_deref());
    let required = |name: &str| query.date(name)?.ok_or_else(|| Refusal::field(name, "Поле обязательно для заполнения"));
    let (from, to, asked) = (required("start_date")?, required("end_date")?, query.numbers("staff_ids")?);
    let includes = |what: &str| query.all("include").any(|i| i == what);
    let (with_busy, with_off) = (includes("busy_intervals"), includes("off_day_type"));
    emulator.with(salon, |s| {
        let mut rows = Vec::new();
        for member in s.file.staff.iter().filter(|m| asked.is_empty() || asked.contains(&m.id)) {
            for date in from.series(1.day()).take_while(|&d| d <= to).take(366) {
                let slots: Vec<Value> = open(s, member.id, date);
                let mut row = json!({ "staff_id": member.id, "date": date.to_string(), "slots": slots });
                if with_busy {
                    row["busy_intervals"] = json!(busy(s, member.id, date));
                }
                if with_off {
                    row["off_day_type"] = Value::Null;
                }
                rows.push(row);
            }
        }
        let count = rows.len();
        Ok(done(StatusCode::OK, json!(rows), json!({ "count": count })))
    })
}

/// The working parts of a day: the shifts without their breaks.
fn open(salon: &Salon, staff: i64, date: Date) -> Vec<Value> {
    let shifts = salon.file.shifts(staff, date);
    let parts = shifts.iter().flat_map(|shift| super::slots::without(shift.whole, &shift.breaks));
    parts.map(|p| json!({ "from": wire::hours_minutes(p.from), "to": wire::hours_minutes(p.to) })).collect()
}

fn busy(salon: &Salon, staff: i64, date: Date) -> Vec<Value> {
    let mut of_day: Vec<&Record> = salon.records.values().filter(|r| r.staff == staff && !r.deleted && r.start.date() == date).collect();
    of_day.sort_by_key(|r| r.start);
    of_day
        .into_iter()
        .map(|r| {
            let from = i64::from(r.start.hour()) * 3600 + i64::from(r.start.minute()) * 60;
            json!({ "entity_type": "record", "entity_id": r.id, "from": wire::hours_minutes(from),
                    "to": wire::hours_minutes((from + r.seconds).min(86_400)) })
        })
        .collect()
}
