//! The shapes of the wire and what they mean in the salon's terms.

use domain::{
    Attendance, Booking, BookingId, Client, ClientId, Hours, Money, Phone, PriceRange, ReadBack, RecordId, Service, ServiceId,
    ServiceStaff, Slot, Staff, StaffId, WorkDay,
};
use jiff::{
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
        let by_name = TimeZone::get(&self.timezone_name).ok();
        let by_offset =
            || self.timezone.and_then(|hours| i8::try_from(hours).ok()).and_then(|hours| jiff::tz::Offset::from_hours(hours).ok());
        let timezone = by_name.or_else(|| by_offset().map(TimeZone::fixed))?;
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
    pub(crate) fn into_record(self) -> Result<Record, &'static str> {
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
            booking: read_back(booking),
            client_id: client.and_then(|c| c.id).filter(|id| *id > 0).map(ClientId),
            visit_id: self.visit_id,
            comment: self.comment,
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
pub(crate) fn read_back<T>(value: T) -> ReadBack<T> {
    ReadBack::from_booking_system(value)
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
