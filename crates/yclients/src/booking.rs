use domain::{Booking, BookingId, Phone, ReadBack, RecordId, SalonId, Service, ServiceId, Slot, StaffId};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    Error, StaffCard, YClients,
    transport::{Call, Effect, decode, moment, of},
    wire::{BookDatesWire, BookServicesWire, BookedWire, CompanyWire, RecordWire, Rows, StaffWire, TimeWire, read_back},
};

/// What a salon says of itself.
#[derive(Debug, Clone)]
pub struct Company {
    /// YClients' id.
    pub salon_id: SalonId,
    /// As customers know it.
    pub title: String,
    /// May be empty.
    pub city: String,
    /// May be empty.
    pub address: String,
    /// The published number.
    pub phone: Option<Phone>,
    /// May be empty.
    pub email: String,
    /// The zone of all its naive times.
    pub timezone: TimeZone,
    /// Sign behind prices.
    pub currency: String,
    /// What online booking allows.
    pub rules: BookingRules,
    /// The answer as it came.
    pub raw: Value,
}

/// What a salon allows its customers to do by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookingRules {
    /// `book_record` wants an SMS code.
    pub phone_confirmation: bool,
    /// Customers may move their bookings.
    pub may_move: bool,
    /// Seconds before the start until which they may.
    pub move_notice_seconds: i64,
    /// Customers may cancel.
    pub may_cancel: bool,
    /// Seconds before the start until which they may.
    pub cancel_notice_seconds: i64,
}

/// Days of `book_dates`, in order. No hours: not a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookDates {
    /// Days with a free time.
    pub free: Vec<Date>,
    /// Days on which somebody works.
    pub working: Vec<Date>,
}

/// A booking to be made through online booking.
#[derive(Debug, Clone)]
pub struct NewBooking {
    /// What; composites replaced by their parts ([`domain::Salon::parts`]).
    pub services: Vec<ServiceId>,
    /// With whom.
    pub staff_id: StaffId,
    /// When, salon time.
    pub start: DateTime,
    /// The salon's zone, for the offset YClients wants beside the time.
    pub timezone: TimeZone,
    /// Whose.
    pub phone: Phone,
    /// For whom.
    pub client_name: String,
    /// May be empty.
    pub comment: String,
    /// Our mark; it comes back in records, and by it a lost answer is settled.
    pub api_id: BookingId,
}

/// What `book_record` answers. Not a proof of the booking: that is [`YClients::record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedRecord {
    /// YClients' id.
    pub record_id: RecordId,
    /// With it the booking can be cancelled without a user token; to be stored always.
    pub record_hash: String,
}

impl YClients {
    /// The salon: `GET company/{id}` (partner token).
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown salon; [`Error::Unreadable`] where no time zone can be told.
    pub async fn company(&self, salon: SalonId) -> Result<Company, Error> {
        let raw: Value = self.ask(Call::partner("company", Method::GET, of("company", salon))).await?;
        let wire: CompanyWire = decode("company", Effect::Reads, raw.clone())?;
        wire.into_company(raw).ok_or_else(|| unreadable("company", "timezone_name"))
    }

    /// The price list of online booking: `GET book_services/{id}?staff_id` (partner token), with
    /// category titles and the parts of composites. Masters and lengths are told only for the
    /// master asked about.
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn book_services(&self, salon: SalonId, staff: Option<StaffId>) -> Result<Vec<Service>, Error> {
        let call = Call::partner("book_services", Method::GET, of("book_services", salon)).maybe("staff_id", staff);
        let wire: BookServicesWire = self.ask(call).await?;
        let categories = wire.category;
        Ok(wire.services.into_iter().filter(|s| s.is_active()).map(|s| s.into_service(&categories, staff)).collect())
    }

    /// Masters of online booking who do all these services: `GET book_staff/{id}?service_ids[]`
    /// (partner token). Those who take no bookings now are among them, marked.
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn book_staff(&self, salon: SalonId, services: &[ServiceId]) -> Result<Vec<StaffCard>, Error> {
        let call = Call::partner("book_staff", Method::GET, of("book_staff", salon)).each("service_ids[]", services);
        let rows: Rows<StaffWire> = self.ask(call).await?;
        Ok(rows.0.into_iter().map(StaffCard::from).collect())
    }

    /// Days with free times from `from` to `to`, both included: `GET book_dates/{id}` (partner token).
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn book_dates(
        &self,
        salon: SalonId,
        staff: Option<StaffId>,
        from: Date,
        to: Date,
        services: &[ServiceId],
    ) -> Result<BookDates, Error> {
        let call = Call::partner("book_dates", Method::GET, of("book_dates", salon))
            .maybe("staff_id", staff)
            .with("date_from", from)
            .with("date_to", to)
            .each("service_ids[]", services);
        let wire: BookDatesWire = self.ask(call).await?;
        let mut dates = BookDates::from(wire);
        // The older text knows `date` only and answers a whole month.
        dates.free.retain(|day| (from..=to).contains(day));
        dates.working.retain(|day| (from..=to).contains(day));
        Ok(dates)
    }

    /// Free start times of a day: `GET book_times/{id}/{staff}/{date}?service_ids[]` (partner
    /// token). Without a master, those of everybody who does the services, one call each, since
    /// the answer for "any" does not say whose a time is.
    ///
    /// # Errors
    /// [`Error::Refused`] with [`crate::BookingCode::StaffUnavailable`] where that master does not do them;
    /// an empty list means no free time and nothing else.
    pub async fn book_times(&self, salon: SalonId, staff: Option<StaffId>, date: Date, services: &[ServiceId]) -> Result<Vec<Slot>, Error> {
        if let Some(staff) = staff {
            return self.times_of(salon, staff, date, services).await;
        }
        let masters = self.book_staff(salon, services).await?.into_iter().filter(|card| card.takes_bookings).map(|card| card.staff.id);
        let days: Vec<Vec<Slot>> =
            stream::iter(masters).map(|staff| self.times_of(salon, staff, date, services)).buffered(4).try_collect().await?;
        let mut slots = days.concat();
        slots.sort_unstable();
        Ok(slots)
    }

    async fn times_of(&self, salon: SalonId, staff: StaffId, date: Date, services: &[ServiceId]) -> Result<Vec<Slot>, Error> {
        let call = Call::partner("book_times", Method::GET, format!("book_times/{salon}/{staff}/{date}")).each("service_ids[]", services);
        let rows: Rows<TimeWire> = self.ask(call).await?;
        rows.0.iter().map(|row| row.slot(date, staff).ok_or_else(|| unreadable("book_times", "time"))).collect()
    }

    /// Asks whether this could be booked: `POST book_check/{id}` (partner token). It changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] with the reason where it could not.
    pub async fn book_check(
        &self,
        salon: SalonId,
        services: &[ServiceId],
        staff: StaffId,
        start: DateTime,
        timezone: &TimeZone,
    ) -> Result<(), Error> {
        let body = json!({"appointments": [appointment(services, staff, start, timezone)]});
        self.send(Call::partner("book_check", Method::POST, of("book_check", salon)).without_effect().body(body)).await.map(drop)
    }

    /// Books: `POST book_record/{id}` (partner token). Never repeated by itself.
    ///
    /// # Errors
    /// [`Error::Refused`] with the reason; where [`Error::outcome_unknown`], look for the
    /// `api_id` ([`YClients::find_by_api_id`]) before anything else.
    pub async fn book_record(&self, salon: SalonId, booking: &NewBooking) -> Result<BookedRecord, Error> {
        let body = json!({
            "phone": booking.phone.digits(),
            "fullname": booking.client_name,
            // Called required in the later text; empty is accepted.
            "email": "",
            "comment": booking.comment,
            // The bot confirms and reminds; the salon's own SMS would say it twice.
            "notify_by_sms": 0,
            "notify_by_email": 0,
            "api_id": booking.api_id.to_string(),
            "appointments": [appointment(&booking.services, booking.staff_id, booking.start, &booking.timezone)],
        });
        let rows: Rows<BookedWire> = self.ask(Call::partner("book_record", Method::POST, of("book_record", salon)).body(body)).await?;
        let missing = Error::Unreadable { call: "book_record", at: "[0]".to_owned(), outcome_unknown: true };
        let booked = rows.0.into_iter().next().ok_or(missing)?;
        Ok(BookedRecord { record_id: RecordId(booked.record_id), record_hash: booked.record_hash })
    }

    /// Moves a booking made through online booking to another time with the same master:
    /// `PUT book_record/{id}/{record}` (partner token by the newer text, both by the older, so
    /// the user token goes along where there is one).
    ///
    /// # Errors
    /// [`Error::Forbidden`] where the salon allows no changes.
    pub async fn move_booked(
        &self,
        salon: SalonId,
        record: RecordId,
        start: DateTime,
        timezone: &TimeZone,
        comment: &str,
    ) -> Result<(), Error> {
        let path = format!("book_record/{salon}/{record}");
        let call = if self.has_user_token() {
            Call::user("move_booked", Method::PUT, path)
        } else {
            Call::partner("move_booked", Method::PUT, path)
        };
        self.send(call.body(json!({"datetime": with_offset(start, timezone), "comment": comment}))).await.map(drop)
    }

    /// The booking behind a `record_hash`: `GET user/records/{record}/{hash}` (partner token).
    /// Its client is not told.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is gone.
    pub async fn booked(&self, record: RecordId, record_hash: &str) -> Result<crate::Record, Error> {
        let answer = self.send(Call::partner("booked", Method::GET, format!("user/records/{record}/{record_hash}"))).await?;
        let wire: RecordWire = decode("booked", Effect::Reads, answer.data)?;
        wire.into_record(answer.asked_at).map_err(|at| unreadable("booked", at))
    }

    /// The same booking as it stands now, by its `record_hash` (partner token). That answer does not
    /// tell whose it is, so what is known of the client stays. Where YClients no longer knows the
    /// booking, its last reading, marked deleted.
    ///
    /// # Errors
    /// Any [`Error`] but [`Error::NotFound`].
    pub async fn reread_booked(&self, last: &Booking, record_hash: &str) -> Result<ReadBack<Booking>, Error> {
        let asked_at = moment();
        let now = match self.booked(last.record_id, record_hash).await {
            Ok(record) => record.booking.into_inner(),
            Err(Error::NotFound { .. }) => return Ok(crate::Record::gone(last, asked_at).booking),
            Err(error) => return Err(error),
        };
        let client_name = if now.client_name.is_empty() { last.client_name.clone() } else { now.client_name };
        let client_phone = now.client_phone.or_else(|| last.client_phone.clone());
        Ok(read_back(Booking { client_name, client_phone, booking_id: now.booking_id.or(last.booking_id), ..now }, asked_at))
    }

    /// Cancels by the `record_hash`: `DELETE user/records/{record}/{hash}` (partner token).
    /// Already gone is success.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where the salon lets nobody cancel.
    pub async fn cancel_booked(&self, record: RecordId, record_hash: &str) -> Result<(), Error> {
        let path = format!("user/records/{record}/{record_hash}");
        match self.send(Call::partner("cancel_booked", Method::DELETE, path)).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn appointment(services: &[ServiceId], staff: StaffId, start: DateTime, timezone: &TimeZone) -> Value {
    json!({"id": 1, "services": services, "staff_id": staff, "datetime": with_offset(start, timezone)})
}

/// `2015-09-29T13:00:00+04:00`.
pub(crate) fn with_offset(start: DateTime, timezone: &TimeZone) -> String {
    // A time that a zone skips or repeats is the salon's business; the offset before the change serves.
    let offset = timezone.to_ambiguous_zoned(start).compatible().map_or(jiff::tz::Offset::UTC, |zoned| zoned.offset());
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", start.strftime("%Y-%m-%dT%H:%M:%S"), seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

pub(crate) fn unreadable(call: &'static str, at: &str) -> Error {
    Error::Unreadable { call, at: at.to_owned(), outcome_unknown: false }
}
