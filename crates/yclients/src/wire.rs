//! The shapes of the wire and what they mean in the salon's terms.

use domain::{
    Attendance, Booking, BookingId, Client, ClientId, Hours, Money, Phone, PriceRange, ReadBack, RecordId, Service, ServiceId,
    ServiceStaff, Slot, Staff, StaffId, WorkDay,
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::Deserialize;

use crate::{BookingRules, ClientCard, Company, Record, StaffCard, lenient};

/// Rows of a list whose JSON may be null or a PHP object with numeric keys.
#[derive(Debug, Deserialize)]
#[serde(transparent, bound = "T: serde::de::DeserializeOwned")]
pub(crate) struct Rows<T>(#[serde(deserialize_with = "lenient::list")] pub(crate) Vec<T>);

#[derive(Debug, Deserialize)]
pub(crate) struct CompanyWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    title: String,
    #[serde(default, deserialize_with = "lenient::text")]
    public_title: String,
    #[serde(default, deserialize_with = "lenient::text")]
    city: String,
    #[serde(default, deserialize_with = "lenient::text")]
    address: String,
    #[serde(default, deserialize_with = "lenient::text")]
    phone: String,
    #[serde(default, deserialize_with = "lenient::text")]
    email: String,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    timezone: Option<i64>,
    #[serde(default, deserialize_with = "lenient::text")]
    timezone_name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    currency_short_title: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    phone_confirmation: bool,
    #[serde(default, deserialize_with = "lenient::maybe_flag")]
    allow_change_record: Option<bool>,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    allow_change_record_delay_step: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe_flag")]
    allow_delete_record: Option<bool>,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    allow_delete_record_delay_step: Option<i64>,
}

impl CompanyWire {
    /// `None` where no zone can be told: every time of such a salon would be a guess.
    pub(crate) fn into_company(self, raw: serde_json::Value) -> Option<Company> {
        let timezone = TimeZone::get(&self.timezone_name).ok().or_else(|| whole_hours(self.timezone?))?;
        Some(Company {
            salon_id: domain::SalonId(self.id),
            title: if self.public_title.is_empty() { self.title } else { self.public_title },
            city: self.city,
            address: self.address,
            phone: Phone::parse(&self.phone).ok(),
            email: self.email,
            timezone,
            currency: currency_sign(&self.currency_short_title),
            rules: BookingRules {
                phone_confirmation: self.phone_confirmation,
                may_move: self.allow_change_record.unwrap_or(true),
                move_notice_seconds: self.allow_change_record_delay_step.unwrap_or_default().max(0),
                may_cancel: self.allow_delete_record.unwrap_or(true),
                cancel_notice_seconds: self.allow_delete_record_delay_step.unwrap_or_default().max(0),
            },
            raw,
        })
    }
}

/// The zone of a whole offset, by a name that can be stored. IANA counts these westwards.
fn whole_hours(offset: i64) -> Option<TimeZone> {
    let name = match offset {
        0 => "Etc/UTC".to_owned(),
        1..=14 => format!("Etc/GMT-{offset}"),
        -12..=-1 => format!("Etc/GMT+{}", -offset),
        _ => return None,
    };
    TimeZone::get(&name).ok()
}

/// YClients writes the rouble as an abbreviation.
fn currency_sign(short_title: &str) -> String {
    match short_title.to_lowercase().trim_end_matches('.') {
        "" | "р" | "руб" | "rub" => "₽".to_owned(),
        _ => short_title.to_owned(),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct BookServicesWire {
    #[serde(default, deserialize_with = "lenient::list")]
    pub(crate) services: Vec<ServiceWire>,
    /// The API's table says `categories`, its sample `category`.
    #[serde(default, alias = "categories", deserialize_with = "lenient::list")]
    pub(crate) category: Vec<CategoryWire>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CategoryWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    title: String,
}

/// A service of `book_services` and of `company/{id}/services`: the second knows all the first does
/// and the masters besides.
#[derive(Debug, Deserialize)]
pub(crate) struct ServiceWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    title: String,
    #[serde(default, deserialize_with = "lenient::text")]
    booking_title: String,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    category_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe_money")]
    price_min: Option<Money>,
    #[serde(default, deserialize_with = "lenient::maybe_money")]
    price_max: Option<Money>,
    #[serde(default, deserialize_with = "lenient::text")]
    comment: String,
    #[serde(default, deserialize_with = "lenient::maybe_flag")]
    active: Option<bool>,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    seance_length: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    duration: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe_object")]
    composite_details: Option<CompositeWire>,
    #[serde(default, deserialize_with = "lenient::list")]
    staff: Vec<ServiceStaffWire>,
}

#[derive(Debug, Deserialize)]
struct CompositeWire {
    #[serde(default, deserialize_with = "lenient::list")]
    links: Vec<CompositeLinkWire>,
}

#[derive(Debug, Deserialize)]
struct CompositeLinkWire {
    #[serde(deserialize_with = "lenient::int")]
    service_id: i64,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    position: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct ServiceStaffWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    seance_length: Option<i64>,
}

impl ServiceWire {
    pub(crate) fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }

    /// `asked` is the master whose price list this is: only then does `book_services` tell a length.
    pub(crate) fn into_service(self, categories: &[CategoryWire], asked: Option<StaffId>) -> Service {
        let own = self.seance_length.or(self.duration).filter(|seconds| *seconds > 0);
        let length = |theirs: Option<i64>| theirs.filter(|seconds| *seconds > 0).or(own).unwrap_or_default() / 60;
        let mut staff: Vec<_> =
            self.staff.iter().map(|s| ServiceStaff { staff_id: StaffId(s.id), minutes: length(s.seance_length) }).collect();
        staff.extend(asked.map(|staff_id| ServiceStaff { staff_id, minutes: length(None) }));
        let minutes = own.map_or_else(|| staff.iter().map(|s| s.minutes).max().unwrap_or_default(), |seconds| seconds / 60);
        let mut links = self.composite_details.map(|details| details.links).unwrap_or_default();
        links.sort_by_key(|link| link.position);
        Service {
            id: ServiceId(self.id),
            title: if self.title.is_empty() { self.booking_title } else { self.title },
            category: categories.iter().find(|c| Some(c.id) == self.category_id).map(|c| c.title.clone()).unwrap_or_default(),
            price: PriceRange::new(self.price_min.unwrap_or_default(), self.price_max.unwrap_or_default()),
            minutes,
            description: self.comment,
            staff,
            composite_of: links.into_iter().map(|link| ServiceId(link.service_id)).collect(),
        }
    }
}

/// A master of `book_staff` and of `company/{id}/staff`.
#[derive(Debug, Deserialize)]
pub(crate) struct StaffWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    specialization: String,
    #[serde(default, deserialize_with = "lenient::maybe_float")]
    rating: Option<f64>,
    #[serde(default, deserialize_with = "lenient::text")]
    avatar: String,
    #[serde(default, deserialize_with = "lenient::maybe_flag")]
    bookable: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag")]
    fired: bool,
    #[serde(default, deserialize_with = "lenient::flag")]
    hidden: bool,
}

impl From<StaffWire> for StaffCard {
    fn from(wire: StaffWire) -> Self {
        Self {
            staff: Staff {
                id: StaffId(wire.id),
                name: wire.name,
                specialization: wire.specialization,
                // YClients writes 0 for "not rated yet".
                rating: wire.rating.filter(|rating| *rating > 0.0),
            },
            avatar_url: (!wire.avatar.is_empty()).then_some(wire.avatar),
            takes_bookings: !wire.fired && !wire.hidden && wire.bookable.unwrap_or(true),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct BookDatesWire {
    #[serde(default, deserialize_with = "lenient::list")]
    booking_dates: Vec<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    working_dates: Vec<String>,
}

impl From<BookDatesWire> for crate::BookDates {
    fn from(wire: BookDatesWire) -> Self {
        let days = |texts: Vec<String>| {
            let mut days: Vec<Date> = texts.iter().filter_map(|text| lenient::day(text)).collect();
            days.sort_unstable();
            days.dedup();
            days
        };
        Self { free: days(wire.booking_dates), working: days(wire.working_dates) }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct TimeWire {
    #[serde(default, deserialize_with = "lenient::text")]
    time: String,
    #[serde(default, deserialize_with = "lenient::text")]
    datetime: String,
}

impl TimeWire {
    /// The wall clock decides; the offset of `datetime` may be wrong.
    pub(crate) fn slot(&self, date: Date, staff_id: StaffId) -> Option<Slot> {
        let with_offset = lenient::naive(&self.datetime);
        let start = lenient::time(&self.time).map(|time| date.to_datetime(time)).or(with_offset)?;
        if with_offset.is_some_and(|other| other != start) {
            tracing::warn!(%start, "YClients' slot names two times");
        }
        Some(Slot { start, staff_id })
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct BookedWire {
    #[serde(deserialize_with = "lenient::int")]
    pub(crate) record_id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) record_hash: String,
}

/// The id alone, of an answer that is an object or a list of one.
#[derive(Debug, Deserialize)]
pub(crate) struct IdWire {
    #[serde(deserialize_with = "lenient::int")]
    pub(crate) id: i64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RecordWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    staff_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe_object")]
    staff: Option<IdWire>,
    #[serde(default, deserialize_with = "lenient::list")]
    services: Vec<RecordServiceWire>,
    #[serde(default, deserialize_with = "lenient::maybe_object")]
    client: Option<RecordClientWire>,
    #[serde(default, deserialize_with = "lenient::text")]
    date: String,
    #[serde(default, deserialize_with = "lenient::text")]
    datetime: String,
    #[serde(default, deserialize_with = "lenient::text")]
    last_change_date: String,
    #[serde(default, deserialize_with = "lenient::text")]
    comment: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    online: bool,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    attendance: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    visit_attendance: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    seance_length: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    length: Option<i64>,
    #[serde(default, deserialize_with = "lenient::text")]
    api_id: String,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    visit_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::flag")]
    deleted: bool,
    #[serde(default, deserialize_with = "lenient::flag")]
    is_update_blocked: bool,
}

#[derive(Debug, Deserialize)]
struct RecordServiceWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::maybe_money")]
    cost: Option<Money>,
    #[serde(default, deserialize_with = "lenient::maybe_money")]
    cost_to_pay: Option<Money>,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    amount: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct RecordClientWire {
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    display_name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    phone: String,
}

/// More of one service in one booking is a mistake of the wire.
const MOST_OF_ONE_SERVICE: i64 = 20;

impl RecordWire {
    /// The booking, and the word at which it cannot be understood.
    pub(crate) fn into_record(self, asked_at: Timestamp) -> Result<Record, &'static str> {
        let start = self.start().ok_or("date")?;
        let staff_id = self.staff_id.or(self.staff.map(|staff| staff.id)).map(StaffId).ok_or("staff_id")?;
        let seconds = self.seance_length.or(self.length).ok_or("seance_length")?;
        let mut services: Vec<_> =
            self.services.iter().flat_map(|s| (0..s.amount.unwrap_or(1).clamp(1, MOST_OF_ONE_SERVICE)).map(|_| ServiceId(s.id))).collect();
        services.sort_unstable();
        let costs: Option<Vec<Money>> = self.services.iter().map(|s| s.cost_to_pay.or(s.cost)).collect();
        let client = self.client;
        let booking = Booking {
            record_id: RecordId(self.id),
            booking_id: self.api_id.parse().ok().map(BookingId),
            staff_id,
            services,
            start,
            minutes: seconds / 60,
            client_name: client.as_ref().map(|c| if c.name.is_empty() { &c.display_name } else { &c.name }).cloned().unwrap_or_default(),
            client_phone: client.as_ref().and_then(|c| Phone::parse(&c.phone).ok()),
            cost: costs.filter(|costs| !costs.is_empty()).map(|costs| Money(costs.iter().map(|cost| cost.0).sum())),
            attendance: match self.attendance.or(self.visit_attendance).unwrap_or_default() {
                -1 => Attendance::NoShow,
                1 => Attendance::Came,
                2 => Attendance::Confirmed,
                _ => Attendance::Waiting,
            },
            deleted: self.deleted,
            locked: self.is_update_blocked,
        };
        Ok(Record {
            booking: read_back(booking, asked_at),
            client_id: client.and_then(|c| c.id).filter(|id| *id > 0).map(ClientId),
            visit_id: self.visit_id,
            comment: Some(self.comment),
            online: self.online,
            changed_at: lenient::moment(&self.last_change_date),
        })
    }

    /// The naive `date` decides; where `datetime` shows another wall clock, its offset is at fault.
    fn start(&self) -> Option<DateTime> {
        let (naive, with_offset) = (lenient::naive(&self.date), lenient::naive(&self.datetime));
        if let (Some(naive), Some(other)) = (naive, with_offset)
            && naive != other
        {
            tracing::warn!(record = self.id, "YClients' record names two times; its naive date decides");
        }
        naive.or(with_offset)
    }
}

/// The one place where an answer of the booking system becomes the ground for a claim.
#[expect(clippy::disallowed_methods, reason = "every caller holds an answer that was just received")]
pub(crate) fn read_back<T>(value: T, asked_at: Timestamp) -> ReadBack<T> {
    ReadBack::from_booking_system(value, asked_at)
}

#[derive(Debug, Deserialize)]
pub(crate) struct ClientWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    phone: String,
    #[serde(default, deserialize_with = "lenient::text")]
    email: String,
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    visits_count: Option<i64>,
    #[serde(default, deserialize_with = "lenient::text")]
    last_visit_date: String,
}

impl From<ClientWire> for ClientCard {
    fn from(wire: ClientWire) -> Self {
        Self {
            client: Client {
                id: ClientId(wire.id),
                name: wire.name,
                phone: Phone::parse(&wire.phone).ok(),
                visits: wire.visits_count.unwrap_or_default(),
            },
            email: wire.email,
            last_visit: lenient::day(&wire.last_visit_date),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct WorkDayWire {
    #[serde(deserialize_with = "lenient::int")]
    staff_id: i64,
    #[serde(deserialize_with = "lenient::text")]
    date: String,
    #[serde(default, deserialize_with = "lenient::list")]
    slots: Vec<HoursWire>,
}

#[derive(Debug, Deserialize)]
struct HoursWire {
    #[serde(default, deserialize_with = "lenient::text")]
    from: String,
    #[serde(default, deserialize_with = "lenient::text")]
    to: String,
}

impl WorkDayWire {
    /// `None` where the date is none.
    pub(crate) fn into_work_day(self) -> Option<WorkDay> {
        let hours = |wire: &HoursWire| {
            let (from, to) = (lenient::time(&wire.from)?, lenient::time(&wire.to)?);
            (from < to).then_some(Hours { from, to })
        };
        let mut hours: Vec<_> = self.slots.iter().filter_map(hours).collect();
        hours.sort_unstable();
        Some(WorkDay { staff_id: StaffId(self.staff_id), date: lenient::day(&self.date)?, hours })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The record of the API's documentation.
    fn sample() -> Value {
        json!({"id":2,"company_id":4564,"staff_id":9,
            "services":[{"id":1,"title":"…","cost":100,"cost_to_pay":90,"manual_cost":100,"cost_per_unit":100,"discount":10,"first_cost":100,"amount":1}],
            "goods_transactions":[],
            "staff":{"id":9,"api_id":null,"name":"Оксана","specialization":"…","position":{"id":1,"title":"…"},"rating":0},
            "client":{"id":1,"name":"Ольга","surname":"","display_name":"Ольга","phone":"+79161234567","custom_fields":[],"client_tags":[]},
            "comer":null,"clients_count":1,
            "date":"2019-01-16 16:00:00","datetime":"2019-01-16T16:00:00+09:00","create_date":"2019-01-16T20:35:11+0900",
            "comment":"","online":false,"visit_attendance":0,"attendance":0,"confirmed":1,"seance_length":3600,"length":3600,
            "technical_break_duration":0,"api_id":"","visit_id":8262996,"deleted":false,"last_change_date":"2019-01-16T20:35:15+0900",
            "record_labels":[],"custom_fields":[],"is_update_blocked":false})
    }

    fn read(changes: &Value) -> Result<Record, String> {
        let mut record = sample();
        for (key, value) in changes.as_object().expect("an object") {
            record[key] = value.clone();
        }
        let wire: RecordWire = serde_path_to_error::deserialize(record).map_err(|error| error.path().to_string())?;
        wire.into_record(Timestamp::UNIX_EPOCH).map_err(str::to_owned)
    }

    #[test]
    fn the_documented_record() {
        let record = read(&json!({})).expect("readable");
        let booking = record.booking.get();
        assert_eq!((booking.record_id, booking.staff_id, &booking.services[..]), (RecordId(2), StaffId(9), &[ServiceId(1)][..]));
        assert_eq!((booking.start.to_string().as_str(), booking.minutes), ("2019-01-16T16:00:00", 60));
        assert_eq!((booking.client_name.as_str(), booking.client_phone.as_ref().map(Phone::digits)), ("Ольга", Some("79161234567")));
        assert_eq!(
            (booking.cost, booking.attendance, booking.deleted, booking.locked),
            (Some(Money(90)), Attendance::Waiting, false, false)
        );
        assert_eq!((booking.booking_id, record.client_id, record.visit_id), (None, Some(ClientId(1)), Some(8_262_996)));
        assert_eq!(record.changed_at, "2019-01-16T11:35:15Z".parse().ok());
    }

    #[test]
    fn traps_of_the_wire() {
        let uuid = "0197f0a2-0000-7000-8000-000000000001";
        type Seen = fn(&Record) -> String;
        let cases: [(Value, Seen, &str); 17] = [
            (json!({"client": null}), |r| format!("{:?} {:?}", r.client_id, r.booking.get().client_phone), "None None"),
            (json!({"client": []}), |r| format!("{:?}{}", r.client_id, r.booking.get().client_name), "None"),
            (json!({"client": {}}), |r| format!("{:?}", r.client_id), "None"),
            (
                json!({"client": {"id": "5", "phone": 79161234567_i64}}),
                |r| format!("{:?}", r.booking.get().client_phone),
                "Some(Phone(79***67))",
            ),
            (
                json!({"client": {"id": 5, "phone": "+7 916 123-45-67"}}),
                |r| format!("{:?}", r.booking.get().client_phone),
                "Some(Phone(79***67))",
            ),
            (json!({"client": {"id": 5, "phone": "+7916*****67"}}), |r| format!("{:?}", r.booking.get().client_phone), "None"),
            (json!({"client": {"id": 5, "name": "", "display_name": "Аня"}}), |r| r.booking.get().client_name.clone(), "Аня"),
            (
                json!({"id": "2", "staff_id": "9", "visit_id": "8"}),
                |r| format!("{:?} {:?}", r.booking.get().staff_id, r.visit_id),
                "StaffId(9) Some(8)",
            ),
            (json!({"staff_id": null}), |r| r.booking.get().staff_id.to_string(), "9"),
            (json!({"deleted": 1}), |r| r.booking.get().deleted.to_string(), "true"),
            (json!({"datetime": "2019-01-16T16:00:00+0900"}), |r| r.booking.get().start.to_string(), "2019-01-16T16:00:00"),
            // The naive date decides, also against an offset of another zone.
            (json!({"datetime": "2019-01-16T10:00:00+03:00"}), |r| r.booking.get().start.to_string(), "2019-01-16T16:00:00"),
            (json!({"date": "2019-01-16"}), |r| r.booking.get().start.to_string(), "2019-01-16T16:00:00"),
            (json!({"attendance": 2}), |r| format!("{:?}", r.booking.get().attendance), "Confirmed"),
            (json!({"attendance": "-1"}), |r| format!("{:?}", r.booking.get().attendance), "NoShow"),
            (
                json!({"services": [{"id": "7", "amount": 2, "cost": "100.50"}, {"id": 3, "cost": 50}]}),
                |r| format!("{:?} {:?}", r.booking.get().services, r.booking.get().cost),
                "[ServiceId(3), ServiceId(7), ServiceId(7)] Some(Money(151))",
            ),
            (
                json!({"services": [], "is_update_blocked": 1}),
                |r| format!("{:?} {}", r.booking.get().cost, r.booking.get().locked),
                "None true",
            ),
        ];
        for (changes, seen, expected) in cases {
            assert_eq!(read(&changes).map(|record| seen(&record)), Ok(expected.to_owned()), "{changes}");
        }
        assert_eq!(read(&json!({"api_id": uuid})).expect("readable").booking.get().booking_id, uuid.parse().ok().map(BookingId));
        for (changes, at) in [
            (json!({"id": null}), "id"),
            (json!({"date": "", "datetime": null}), "date"),
            (json!({"staff_id": "", "staff": []}), "staff_id"),
            (json!({"seance_length": null, "length": null}), "seance_length"),
            (json!({"services": [{"title": "?"}]}), "services"),
        ] {
            assert_eq!(read(&changes).expect_err("unreadable"), at, "{changes}");
        }
    }

    #[test]
    fn salons_and_their_zones() {
        let company = |wire: Value| serde_json::from_value::<CompanyWire>(wire.clone()).expect("readable").into_company(wire);
        let zone = |wire: Value| {
            company(wire)
                .map(|c| jiff::civil::date(2026, 11, 23).at(10, 0, 0, 0).to_zoned(c.timezone).expect("a time").offset().to_string())
        };
        for (wire, offset) in [
            (json!({"id": "1", "timezone": 3, "timezone_name": "Asia/Yekaterinburg"}), Some("+05")),
            (json!({"id": 1, "timezone": "7", "timezone_name": ""}), Some("+07")),
            (json!({"id": 1, "timezone": 4, "timezone_name": "Mars/Base"}), Some("+04")),
            (json!({"id": 1, "timezone": -3}), Some("-03")),
            (json!({"id": 1, "timezone": 180}), None),
            (json!({"id": 1}), None),
        ] {
            assert_eq!(zone(wire.clone()).as_deref(), offset, "{wire}");
        }
        let wire = json!({"id": 1, "title": "ООО Лира", "public_title": "Лира", "timezone_name": "Europe/Moscow", "phone": "+7 495 123-45-67",
            "currency_short_title": "руб.", "phone_confirmation": 1, "allow_change_record": false, "allow_delete_record": true,
            "allow_delete_record_delay_step": "3600"});
        let company = company(wire).expect("a zone");
        assert_eq!((company.title.as_str(), company.currency.as_str()), ("Лира", "₽"));
        assert_eq!(company.phone.as_ref().map(Phone::digits), Some("74951234567"));
        let expected = BookingRules {
            phone_confirmation: true,
            may_move: false,
            move_notice_seconds: 0,
            may_cancel: true,
            cancel_notice_seconds: 3600,
        };
        assert_eq!(company.rules, expected);
    }

    #[test]
    fn price_lists_of_both_calls() {
        let wire: BookServicesWire = serde_json::from_value(json!({"events": [], "category": [{"id": "5", "title": "Ногти"}], "services": [
            {"id": "1", "title": "Маникюр", "category_id": 5, "price_min": "1800.00", "price_max": 0, "seance_length": "5400"},
            {"id": 4, "title": "Комплекс", "category_id": 5, "price_min": 3900, "price_max": 4000.5, "is_composite": true, "composite_details":
                {"type": "sequential", "links": [{"service_id": "3", "position": 2}, {"service_id": 1, "position": 1}]}}]}))
        .expect("readable");
        let services: Vec<_> = wire.services.into_iter().map(|s| s.into_service(&wire.category, Some(StaffId(11)))).collect();
        assert_eq!(
            (services[0].category.as_str(), services[0].price, services[0].minutes),
            ("Ногти", PriceRange::new(Money(1800), Money(1800)), 90)
        );
        assert_eq!(services[0].staff, [ServiceStaff { staff_id: StaffId(11), minutes: 90 }]);
        assert_eq!((services[1].price.max, &services[1].composite_of[..]), (Money(4001), &[ServiceId(1), ServiceId(3)][..]));

        let wire: ServiceWire =
            serde_json::from_value(json!({"id": 1, "booking_title": "Маникюр", "duration": 5400, "composite_details": [],
            "staff": [{"id": "11", "seance_length": "7200"}, {"id": 12, "seance_length": 0}]}))
            .expect("readable");
        let service = wire.into_service(&[], None);
        assert_eq!((service.title.as_str(), service.minutes), ("Маникюр", 90));
        assert_eq!(
            service.staff,
            [ServiceStaff { staff_id: StaffId(11), minutes: 120 }, ServiceStaff { staff_id: StaffId(12), minutes: 90 }]
        );
    }

    #[test]
    fn working_hours() {
        let read = |wire: Value| serde_json::from_value::<WorkDayWire>(wire).expect("readable").into_work_day();
        let slots = json!([{"from": "15:00", "to": "24:00"}, {"from": "9:00", "to": "14:00"}, {"from": "", "to": ""}]);
        let day = read(json!({"staff_id": "1", "date": "2025-12-01", "slots": slots})).expect("a day");
        let hours: Vec<String> = day.hours.iter().map(|h| format!("{}-{}", h.from, h.to)).collect();
        assert_eq!(hours, ["09:00:00-14:00:00", "15:00:00-23:59:00"]);
        assert_eq!(read(json!({"staff_id": 1, "date": "2025-12-01", "slots": {}})).map(|d| d.hours), Some(vec![]));
        assert_eq!(read(json!({"staff_id": 1, "date": "0000-00-00"})), None);
    }
}
