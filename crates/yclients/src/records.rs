use std::collections::HashSet;

use domain::{Attendance, Booking, BookingId, ClientId, Phone, ReadBack, RecordId, SalonId, ServiceId, StaffId};
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{
    Error, YClients,
    booking::{unreadable, with_offset},
    transport::{Call, Effect, decode, moment},
    wire::{IdWire, RecordWire, Rows, read_back},
};

/// A record as just read, with what a booking does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The booking.
    pub booking: ReadBack<Booking>,
    /// Whose card; absent where the salon wrote none down.
    pub client_id: Option<ClientId>,
    /// The visit it belongs to.
    pub visit_id: Option<i64>,
    /// The salon's or the client's comment, may be empty; absent where the record itself is.
    pub comment: Option<String>,
    /// Made through online booking.
    pub online: bool,
    /// When it was last changed: its version.
    pub changed_at: Option<Timestamp>,
}

impl Record {
    /// What an answer says that knows the booking no more.
    pub(crate) fn gone(last: &Booking, asked_at: Timestamp) -> Self {
        let booking = read_back(Booking { deleted: true, ..last.clone() }, asked_at);
        Self { booking, client_id: None, visit_id: None, comment: None, online: false, changed_at: None }
    }
}

/// Which records; days and times are the salon's.
#[derive(Debug, Clone, Default)]
pub struct RecordFilter {
    /// Of this master.
    pub staff_id: Option<StaffId>,
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// Visits from this day on.
    pub from: Option<Date>,
    /// Visits up to this day.
    pub to: Option<Date>,
    /// Changed after that moment.
    pub changed_after: Option<DateTime>,
    /// The deleted ones too.
    pub with_deleted: bool,
}

/// A page of records.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// Its rows.
    pub records: Vec<Record>,
    /// How many there are on all pages, where YClients says.
    pub total: Option<usize>,
}

/// A booking made as an administrator makes one.
#[derive(Debug, Clone)]
pub struct NewRecord {
    /// What, composites replaced by their parts.
    pub services: Vec<ServiceId>,
    /// With whom.
    pub staff_id: StaffId,
    /// When, salon time.
    pub start: DateTime,
    /// The salon's zone.
    pub timezone: TimeZone,
    /// How long.
    pub minutes: i64,
    /// Whose.
    pub phone: Phone,
    /// For whom.
    pub client_name: String,
    /// May be empty.
    pub comment: String,
    /// Our mark.
    pub api_id: BookingId,
}

/// What to change in a record; the rest stays as it stands.
#[derive(Debug, Clone, Default)]
pub struct RecordChange {
    /// Another time, salon time.
    pub start: Option<DateTime>,
    /// Another master.
    pub staff_id: Option<StaffId>,
    /// Other services; those it had keep their price and discount.
    pub services: Option<Vec<ServiceId>>,
    /// Another length.
    pub minutes: Option<i64>,
    /// Another comment.
    pub comment: Option<String>,
    /// Another mark of attendance.
    pub attendance: Option<Attendance>,
}

/// Upper bounds of what [`YClients::all_records`] fetches; the API's own bound of a page is not known.
const PAGE: usize = 200;
const MOST_PAGES: usize = 200;

impl YClients {
    /// The booking as it stands: `GET record/{salon}/{id}` (user token). It may be marked deleted.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown one, which a deleted one may be too.
    pub async fn record(&self, salon: SalonId, record: RecordId) -> Result<ReadBack<Booking>, Error> {
        self.record_details(salon, record).await.map(|record| record.booking)
    }

    /// As [`YClients::record`], with what a booking does not tell.
    ///
    /// # Errors
    /// As [`YClients::record`].
    pub async fn record_details(&self, salon: SalonId, record: RecordId) -> Result<Record, Error> {
        let (raw, asked_at) = self.raw_record(salon, record).await?;
        understand("record", raw, asked_at)
    }

    /// The same booking as it stands now. Where YClients no longer knows it, as it was last known,
    /// marked deleted: that is what the answer says.
    ///
    /// # Errors
    /// Any [`Error`] but [`Error::NotFound`].
    pub async fn reread(&self, salon: SalonId, last: &Booking) -> Result<ReadBack<Booking>, Error> {
        self.reread_details(salon, last).await.map(|record| record.booking)
    }

    /// As [`YClients::reread`], with what a booking does not tell.
    ///
    /// # Errors
    /// As [`YClients::reread`].
    pub async fn reread_details(&self, salon: SalonId, last: &Booking) -> Result<Record, Error> {
        let asked_at = moment();
        match self.record_details(salon, last.record_id).await {
            Err(Error::NotFound { .. }) => Ok(Record::gone(last, asked_at)),
            other => other,
        }
    }

    /// The booking with our mark among the visits of those days, both included, deleted ones too
    /// (user token): settles a write whose answer never came. YClients has no such filter, so the
    /// days are listed.
    ///
    /// # Errors
    /// Any [`Error`]; `None` means that there is none.
    pub async fn find_by_api_id(
        &self,
        salon: SalonId,
        api_id: BookingId,
        from: Date,
        to: Date,
    ) -> Result<Option<ReadBack<Booking>>, Error> {
        let filter = RecordFilter { from: Some(from), to: Some(to), with_deleted: true, ..RecordFilter::default() };
        let found = self.all_records(salon, filter).await?.into_iter().map(|record| record.booking);
        // One that stands is the answer; a deleted one only where none stands.
        Ok(found.filter(|booking| booking.get().booking_id == Some(api_id)).min_by_key(|booking| booking.get().deleted))
    }

    /// A page (from 1) of at most `count` records: `GET records/{salon}` (user token).
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn records(&self, salon: SalonId, filter: &RecordFilter, page: usize, count: usize) -> Result<RecordPage, Error> {
        let call = Call::user("records", Method::GET, format!("records/{salon}"))
            .with("page", page)
            .with("count", count)
            .maybe("staff_id", filter.staff_id)
            .maybe("client_id", filter.client_id)
            .maybe("start_date", filter.from)
            .maybe("end_date", filter.to)
            .maybe("changed_after", filter.changed_after.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string()))
            .maybe("with_deleted", filter.with_deleted.then_some(1));
        let answer = self.send(call).await?;
        let total = answer.total();
        let rows: Rows<RecordWire> = decode("records", Effect::Reads, answer.data)?;
        let records = rows
            .0
            .into_iter()
            .map(|wire| wire.into_record(answer.asked_at).map_err(|at| unreadable("records", at)))
            .collect::<Result<_, _>>()?;
        Ok(RecordPage { records, total })
    }

    /// All records of a filter, page after page.
    ///
    /// # Errors
    /// Any [`Error`]; a part is never given for the whole.
    pub async fn all_records(&self, salon: SalonId, filter: RecordFilter) -> Result<Vec<Record>, Error> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for page in 1..=MOST_PAGES {
            let RecordPage { records, total } = self.records(salon, &filter, page, PAGE).await?;
            let before = all.len();
            all.extend(records.into_iter().filter(|record| seen.insert(record.booking.get().record_id)));
            // A page may be shorter than asked for, so only the total or a page without news ends it.
            if all.len() == before || total.is_some_and(|total| all.len() >= total) {
                return Ok(all);
            }
        }
        Err(unreadable("records", "more pages than any salon has"))
    }

    /// Books as an administrator: `POST records/{salon}` (user token), refusing busy times.
    ///
    /// # Errors
    /// As [`YClients::book_record`].
    pub async fn create_record(&self, salon: SalonId, new: &NewRecord) -> Result<RecordId, Error> {
        let body = json!({
            "staff_id": new.staff_id,
            "services": new.services.iter().map(|id| json!({"id": id, "amount": 1})).collect::<Vec<_>>(),
            "client": {"phone": new.phone.digits(), "name": new.client_name},
            "save_if_busy": false,
            "datetime": with_offset(new.start, &new.timezone),
            "seance_length": new.minutes * 60,
            "send_sms": false,
            "comment": new.comment,
            "attendance": 0,
            "api_id": new.api_id.to_string(),
        });
        let data: Value = self.ask(Call::user("create_record", Method::POST, format!("records/{salon}")).body(body)).await?;
        // An object or a list of one.
        let data = match data {
            Value::Array(mut rows) if !rows.is_empty() => rows.swap_remove(0),
            other => other,
        };
        decode::<IdWire>("create_record", Effect::Writes, data).map(|wire| RecordId(wire.id))
    }

    /// Changes a record: reads it and puts it back whole, `PUT record/{salon}/{id}` (user token),
    /// refusing busy times. Answers how it stood before; how it stands now is
    /// [`YClients::reread`]'s to say.
    ///
    /// # Errors
    /// [`Error::Refused`] where the time is taken, [`Error::Forbidden`] where the record is locked,
    /// [`Error::NotFound`] where it is gone.
    pub async fn update_record(
        &self,
        salon: SalonId,
        record: RecordId,
        change: &RecordChange,
        timezone: &TimeZone,
    ) -> Result<ReadBack<Booking>, Error> {
        let (raw, asked_at) = self.raw_record(salon, record).await?;
        let before = understand("record", raw.clone(), asked_at)?.booking;
        if before.get().deleted {
            return Err(Error::NotFound { message: "the record is deleted".to_owned() });
        }
        let body = whole_record(&raw, before.get(), change, timezone);
        self.send(Call::user("update_record", Method::PUT, format!("record/{salon}/{record}")).body(body)).await?;
        Ok(before)
    }

    /// Deletes a record: `DELETE record/{salon}/{id}` (user token). Already gone is success.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the right; then [`YClients::cancel_booked`] may still do it.
    pub async fn delete_record(&self, salon: SalonId, record: RecordId) -> Result<(), Error> {
        match self.send(Call::user("delete_record", Method::DELETE, format!("record/{salon}/{record}"))).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn raw_record(&self, salon: SalonId, record: RecordId) -> Result<(Value, Timestamp), Error> {
        let answer = self.send(Call::user("record", Method::GET, format!("record/{salon}/{record}"))).await?;
        match answer.data {
            // `[]` is PHP's empty object: there is no such record.
            Value::Null => Err(Error::NotFound { message: "an empty answer".to_owned() }),
            Value::Array(rows) if rows.is_empty() => Err(Error::NotFound { message: "an empty answer".to_owned() }),
            data => Ok((data, answer.asked_at)),
        }
    }
}

fn understand(call: &'static str, raw: Value, asked_at: Timestamp) -> Result<Record, Error> {
    decode::<RecordWire>(call, Effect::Reads, raw)?.into_record(asked_at).map_err(|at| unreadable(call, at))
}

/// The body that puts a record back with a change in it. Partial bodies are documented in one text
/// and forbidden in the other, so everything the record had goes along.
fn whole_record(raw: &Value, booking: &Booking, change: &RecordChange, timezone: &TimeZone) -> Value {
    let kept = |from: &Value, keys: &[&str]| -> Map<String, Value> {
        keys.iter().filter_map(|key| Some(((*key).to_owned(), from.get(*key).filter(|value| !value.is_null())?.clone()))).collect()
    };
    let mut body = kept(
        raw,
        &["comment", "sms_remain_hours", "email_remain_hours", "attendance", "api_id", "custom_color", "technical_break_duration"],
    );

    let rows = raw.get("services").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let service = |row: &Value| Value::Object(kept(row, &["id", "first_cost", "discount", "cost", "amount"]));
    let services: Vec<Value> = match &change.services {
        None => rows.iter().map(service).collect(),
        Some(wanted) => {
            let had = |id: &ServiceId| {
                rows.iter().find(|row| row.get("id").is_some_and(|had| *had == json!(id) || *had == json!(id.to_string())))
            };
            wanted.iter().map(|id| had(id).map_or_else(|| json!({"id": id, "amount": 1}), service)).collect()
        }
    };
    let mut client = raw.get("client").map(|client| kept(client, &["id", "name", "surname", "patronymic", "email"])).unwrap_or_default();
    // A phone that we may not see comes masked; sent back it would spoil the client's card.
    if let Some(phone) = &booking.client_phone {
        client.insert("phone".to_owned(), json!(phone.digits()));
    }
    let labels = raw.get("record_labels").and_then(Value::as_array).into_iter().flatten().filter_map(|label| label.get("id").cloned());
    let custom_fields = raw.get("custom_fields").filter(|fields| fields.is_object()).cloned().unwrap_or_else(|| json!({}));

    body.insert("staff_id".to_owned(), json!(change.staff_id.unwrap_or(booking.staff_id)));
    body.insert("services".to_owned(), Value::Array(services));
    body.insert("client".to_owned(), Value::Object(client));
    body.insert("datetime".to_owned(), json!(with_offset(change.start.unwrap_or(booking.start), timezone)));
    body.insert("seance_length".to_owned(), json!(change.minutes.unwrap_or(booking.minutes) * 60));
    body.insert("record_labels".to_owned(), labels.collect());
    body.insert("custom_fields".to_owned(), custom_fields);
    body.insert("save_if_busy".to_owned(), json!(false));
    body.insert("send_sms".to_owned(), json!(false));
    if let Some(comment) = &change.comment {
        body.insert("comment".to_owned(), json!(comment));
    }
    if let Some(attendance) = change.attendance {
        let mark = match attendance {
            Attendance::NoShow => -1,
            Attendance::Waiting => 0,
            Attendance::Came => 1,
            Attendance::Confirmed => 2,
        };
        body.insert("attendance".to_owned(), json!(mark));
    }
    Value::Object(body)
}
