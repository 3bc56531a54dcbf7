//! Carrying out what the dialogue wants of the booking system, and settling what may have happened.
//!
//! A write is never repeated blindly: after an answer that did not come, the record is looked for
//! by our own mark (`api_id`) or read again, and only what is read back becomes a receipt.

use std::time::Duration;

use dialogue::{Customer, Effect, Outcome, Refusal};
use domain::{Attendance, Booking, BookingId, CompanyId, Phone, ReadBack, Receipt, RecordId, Salon, SalonId, ServiceId, Slot, StaffId};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{Span, civil::Date, civil::DateTime};
use store::{
    StoreError,
    bookings::{self, Beside},
    companies::Company,
};
use yclients::{BookedRecord, BookingCode, Error, NewBooking, RecordChange, RecordFilter, YClients};

use crate::App;

/// Free times are asked for at most so many days at once: each is a call per master.
const MOST_DAYS: usize = 7;

/// So many of those calls are under way at once.
const AT_ONCE: usize = 4;

/// Steps in which a booking may be shifted over its own time: the finest grid of online booking in common use.
const GRID_MINUTES: i64 = 30;

/// Waits before each read-back after an unknown outcome.
const READ_BACKS: [Duration; 4] = [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(4)];

/// The effect changes something outside.
pub(crate) fn writes(effect: &Effect) -> bool {
    matches!(effect, Effect::Book { .. } | Effect::Move { .. } | Effect::Cancel { .. })
}

/// Does what the dialogue wants. `name` is the booking's own id, should one be made; `again`: a try
/// under that name was cut off, and what it sent may still arrive.
#[expect(clippy::too_many_arguments, reason = "one write with all that belongs to it")]
pub(crate) async fn carry_out(
    app: &App,
    yclients: &YClients,
    company: &Company,
    salon: &Salon,
    customer: &Customer,
    effect: &Effect,
    name: BookingId,
    again: bool,
) -> Outcome {
    let at = Place { app, yclients, company: company.id, salon_id: company.salon_id, salon };
    let done = match effect {
        Effect::Book { start, .. } if again => match at.book(effect, name).await {
            // What stands in the way may be the booking itself.
            Err(error @ Error::Refused { .. }) => match at.named(name, start.date()).await {
                Ok(Some(booking)) if !booking.get().deleted => Ok(Outcome::Done(Receipt::Booked(booking))),
                Ok(_) => Err(error),
                Err(_) => Ok(Outcome::Unsettled),
            },
            done => done,
        },
        Effect::FreeTimes { services, staff, from, to, excluding } => at.free_times(services, *staff, *from, *to, *excluding).await,
        Effect::MyBookings => at.bookings_of(customer).await,
        Effect::LastVisit => at.last_visit(customer).await,
        Effect::Book { .. } => at.book(effect, name).await,
        Effect::Move { record, services, staff, start } => at.move_to(customer, *record, services, *staff, *start).await,
        Effect::Cancel { record, .. } => at.cancel(customer, *record).await,
        Effect::HandOver { .. } => Ok(Outcome::HandedOver),
    };
    done.unwrap_or_else(|error| failed(&error))
}

/// What became of a write that had begun.
pub(crate) enum Settled {
    /// It was done, and was read back.
    Done(Box<Receipt>),
    /// What it was about is gone: made and taken back since, or taken out by somebody else.
    Gone,
    /// It certainly was not.
    NotDone,
    /// The booking system does not say yet.
    Unknown,
}

/// After a crash, or after an answer that never came: looks whether a write was done.
pub(crate) async fn settle(app: &App, yclients: &YClients, company: &Company, salon: &Salon, effect: &Effect, name: BookingId) -> Settled {
    let at = Place { app, yclients, company: company.id, salon_id: company.salon_id, salon };
    let found = match effect {
        Effect::Book { start, .. } if at.yclients().has_user_token() => at.named(name, start.date()).await,
        Effect::Book { services, staff, start, .. } => match at.made_before(name).await {
            // A time that can be booked has not been booked.
            Ok(None) => match at.yclients().book_check(at.salon_id, &salon.parts(services), *staff, *start, &salon.timezone).await {
                Ok(()) => Ok(None),
                Err(error) => {
                    tracing::warn!(salon = %at.salon_id, %error, "without YCLIENTS_USER_TOKEN nobody knows whose this time is");
                    return Settled::Unknown;
                }
            },
            found => found,
        },
        Effect::Move { record, .. } | Effect::Cancel { record } => at.as_it_stands(*record).await.map(Some),
        _ => return Settled::NotDone,
    };
    match (effect, found) {
        (Effect::Book { .. } | Effect::Move { .. }, Ok(Some(booking))) if booking.get().deleted => Settled::Gone,
        (Effect::Book { .. }, Ok(Some(booking))) => Settled::Done(Box::new(Receipt::Booked(booking))),
        (Effect::Move { services, staff, start, .. }, Ok(Some(to)))
            if (Wanted { services: sorted(salon.parts(services)), staff: *staff, start: *start }).stands(to.get()) =>
        {
            Settled::Done(Box::new(Receipt::Moved { from: to.clone(), to }))
        }
        (Effect::Cancel { .. }, Ok(Some(gone))) if gone.get().deleted => Settled::Done(Box::new(Receipt::Cancelled(gone))),
        (_, Err(Error::NotFound { .. })) => Settled::Gone,
        (_, Ok(_)) => Settled::NotDone,
        (_, Err(error)) => {
            tracing::warn!(salon = %at.salon_id, %error, "a write could not be settled yet");
            Settled::Unknown
        }
    }
}

/// How a booking is to stand once it is moved.
struct Wanted {
    /// Parts of composites, sorted, as a booking has them.
    services: Vec<ServiceId>,
    staff: StaffId,
    start: DateTime,
}

impl Wanted {
    fn stands(&self, booking: &Booking) -> bool {
        !booking.deleted && booking.staff_id == self.staff && booking.start == self.start && booking.services == self.services
    }
}

fn sorted(mut services: Vec<ServiceId>) -> Vec<ServiceId> {
    services.sort_unstable();
    services
}

/// A salon in the booking system.
struct Place<'a> {
    app: &'a App,
    yclients: &'a YClients,
    company: CompanyId,
    salon_id: SalonId,
    salon: &'a Salon,
}

impl Place<'_> {
    fn yclients(&self) -> &YClients {
        self.yclients
    }

    async fn free_times(
        &self,
        services: &[ServiceId],
        staff: Option<StaffId>,
        from: Date,
        to: Date,
        excluding: Option<RecordId>,
    ) -> Result<Outcome, Error> {
        let parts = self.salon.parts(services);
        let masters = staff.map_or_else(|| self.salon.staff_for(services), |id| vec![id]);
        let works = |master: StaffId, day: Date| !self.salon.hours_of(master, day).is_empty() || !self.knows(day);
        let wanted: Vec<(StaffId, Date)> = from
            .series(Span::new().days(1))
            .take_while(|day| *day <= to)
            .map(|day| masters.iter().filter(|master| works(**master, day)).map(|master| (*master, day)).collect::<Vec<_>>())
            .filter(|day| !day.is_empty())
            .take(MOST_DAYS)
            .flatten()
            .collect();
        let calls: Vec<_> =
            wanted.iter().map(|(master, day)| self.yclients().book_times(self.salon_id, Some(*master), *day, &parts)).collect();
        let days: Vec<Vec<Slot>> = stream::iter(calls).buffered(AT_ONCE).try_collect().await?;
        let mut slots = days.concat();
        if let Some(record) = excluding {
            slots.extend(self.around(record, services, &wanted).await?);
        }
        slots.sort();
        slots.dedup();
        Ok(Outcome::FreeTimes(slots))
    }

    /// Starts that only the booking itself stands in the way of: free once it is moved there.
    async fn around(&self, record: RecordId, services: &[ServiceId], wanted: &[(StaffId, Date)]) -> Result<Vec<Slot>, Error> {
        if !self.yclients().has_user_token() {
            return Ok(Vec::new()); // who else comes then is not told
        }
        let own = self.record(record).await?.into_inner();
        let (staff_id, day) = (own.staff_id, own.start.date());
        if own.deleted || !wanted.contains(&(staff_id, day)) {
            return Ok(Vec::new());
        }
        let filter = RecordFilter { staff_id: Some(staff_id), from: Some(day), to: Some(day), ..RecordFilter::default() };
        let others = self.yclients().all_records(self.salon_id, filter).await?.into_iter().map(|record| record.booking.into_inner());
        let others: Vec<Booking> = others.filter(|other| !other.deleted && other.record_id != record).collect();
        let minutes = Span::new().minutes(self.salon.minutes(services, Some(staff_id)));
        let now = self.app.clock.local(&self.salon.timezone);
        let free = |start: DateTime| {
            let end = start.saturating_add(minutes);
            let at_work = |hours: &domain::Hours| day.to_datetime(hours.from) <= start && end <= day.to_datetime(hours.to);
            start > now
                && self.salon.hours_of(staff_id, day).iter().any(at_work)
                && others.iter().all(|other| end <= other.start || other.end() <= start)
        };
        let first = own.start.saturating_sub(minutes);
        let starts = first.series(Span::new().minutes(GRID_MINUTES)).take_while(|start| *start < own.end());
        Ok(starts.filter(|start| *start > first && free(*start)).map(|start| Slot { start, staff_id }).collect())
    }

    /// The synced schedule reaches that day.
    fn knows(&self, day: Date) -> bool {
        self.salon.schedule.iter().any(|work| work.date >= day)
    }

    async fn bookings_of(&self, customer: &Customer) -> Result<Outcome, Error> {
        let Some(phone) = &customer.phone else { return Ok(Outcome::Bookings(Vec::new())) };
        let now = self.app.clock.local(&self.salon.timezone);
        let mut found = match self.yclients().has_user_token() {
            true => self.yclients().bookings_of(self.salon_id, phone, now.date()).await?,
            false => self.made_by_us(phone, now).await?,
        };
        found.retain(|booking| !booking.get().deleted && booking.get().end() > now);
        found.sort_by_key(|booking| booking.get().start);
        Ok(Outcome::Bookings(found))
    }

    async fn last_visit(&self, customer: &Customer) -> Result<Outcome, Error> {
        let Some(phone) = &customer.phone else { return Ok(Outcome::LastVisit(None)) };
        let now = self.app.clock.local(&self.salon.timezone);
        if !self.yclients().has_user_token() {
            let mut tx = self.app.store.read().await.map_err(away)?;
            let last = bookings::last_visit(&mut tx, self.company, phone, now).await.map_err(away)?;
            return Ok(Outcome::LastVisit(last.map(|last| last.booking)));
        }
        let a_year_ago = now.date().saturating_sub(Span::new().years(1));
        let found = self.yclients().bookings_of(self.salon_id, phone, a_year_ago).await?;
        let past = found.into_iter().map(ReadBack::into_inner).filter(|booking| !booking.deleted && booking.start < now);
        Ok(Outcome::LastVisit(past.max_by_key(|booking| booking.start)))
    }

    async fn book(&self, effect: &Effect, name: BookingId) -> Result<Outcome, Error> {
        let Effect::Book { services, staff, start, client_name, phone, comment, .. } = effect else { return Ok(Outcome::Failed) };
        let new = NewBooking {
            services: self.salon.parts(services),
            staff_id: *staff,
            start: *start,
            timezone: self.salon.timezone.clone(),
            phone: phone.clone(),
            client_name: client_name.clone(),
            comment: comment.clone(),
            api_id: name,
        };
        self.yclients().book_check(self.salon_id, &new.services, *staff, *start, &self.salon.timezone).await?;
        match self.yclients().book_record(self.salon_id, &new).await {
            // Written, but not yet seen: what is read back decides, not what was answered.
            Ok(made) => match self.made(&made, &new).await {
                Ok(booking) if booking.get().deleted => Ok(Outcome::Refused(Refusal::Gone)),
                Ok(booking) => Ok(Outcome::Done(Receipt::Booked(booking))),
                Err(_) => self.look_for(name, start.date()).await,
            },
            Err(error) if error.outcome_unknown() => {
                tracing::warn!(salon = %self.salon_id, booking = %name, %error, "a booking's outcome is unknown; reading back");
                self.look_for(name, start.date()).await
            }
            Err(error) => Err(error),
        }
    }

    /// The record that was just made. Its hash is written down at once: without a user token it is
    /// the only key to the booking.
    async fn made(&self, made: &BookedRecord, new: &NewBooking) -> Result<ReadBack<Booking>, Error> {
        let booking = if self.yclients().has_user_token() {
            self.yclients().record(self.salon_id, made.record_id).await?
        } else {
            let asked = Booking {
                record_id: made.record_id,
                booking_id: Some(new.api_id),
                staff_id: new.staff_id,
                services: sorted(new.services.clone()),
                start: new.start,
                minutes: 0,
                client_name: new.client_name.clone(),
                client_phone: Some(new.phone.clone()),
                cost: None,
                attendance: Attendance::Waiting,
                deleted: false,
                locked: false,
            };
            self.yclients().reread_booked(&asked, &made.record_hash).await?
        };
        let beside = Beside { record_hash: Some(made.record_hash.clone()), ..Beside::default() };
        let mut tx = self.app.store.begin().await.map_err(away)?;
        bookings::upsert(&mut tx, self.company, &booking, &beside).await.map_err(away)?;
        tx.commit().await.map_err(away)?;
        Ok(booking)
    }

    /// The record as it stands; without a user token only those that we made ourselves.
    async fn record(&self, record: RecordId) -> Result<ReadBack<Booking>, Error> {
        if self.yclients().has_user_token() {
            return self.yclients().record(self.salon_id, record).await;
        }
        let (known, hash) = self.keyed(record).await?;
        self.yclients().reread_booked(&known, &hash).await
    }

    /// How a booking stands, by what we know of it: also where YClients no longer does.
    async fn as_it_stands(&self, record: RecordId) -> Result<ReadBack<Booking>, Error> {
        if !self.yclients().has_user_token() {
            return self.record(record).await;
        }
        let mut tx = self.app.store.read().await.map_err(away)?;
        let known = bookings::get(&mut tx, self.company, record).await.map_err(away)?;
        drop(tx);
        match known {
            Some(known) => self.yclients().reread(self.salon_id, &known.booking).await,
            None => self.yclients().record(self.salon_id, record).await,
        }
    }

    /// A booking that we made, with its key.
    async fn keyed(&self, record: RecordId) -> Result<(Booking, String), Error> {
        let mut tx = self.app.store.read().await.map_err(away)?;
        let known = bookings::get(&mut tx, self.company, record).await.map_err(away)?;
        known.and_then(|known| Some((known.booking, known.record_hash?))).ok_or(Error::NoUserToken { call: "record" })
    }

    /// Without a user token: the booking of that name, where its answer has come.
    async fn made_before(&self, name: BookingId) -> Result<Option<ReadBack<Booking>>, Error> {
        let mut tx = self.app.store.read().await.map_err(away)?;
        let known = bookings::by_booking_id(&mut tx, self.company, name).await.map_err(away)?;
        drop(tx);
        match known.map(|known| (known.booking, known.record_hash)) {
            Some((known, Some(hash))) => self.yclients().reread_booked(&known, &hash).await.map(Some),
            _ => Ok(None),
        }
    }

    /// The booking of that name, wherever it has been moved since: by its record where we know that,
    /// else among those of the day that it was made for.
    async fn named(&self, name: BookingId, day: Date) -> Result<Option<ReadBack<Booking>>, Error> {
        let mut tx = self.app.store.read().await.map_err(away)?;
        let known = bookings::by_booking_id(&mut tx, self.company, name).await.map_err(away)?;
        drop(tx);
        match known {
            Some(known) => self.yclients().reread(self.salon_id, &known.booking).await.map(Some),
            None => self.yclients().find_by_api_id(self.salon_id, name, day, day).await,
        }
    }

    /// Without a user token: the bookings of that number that we made, from then on.
    async fn made_by_us(&self, phone: &Phone, from: DateTime) -> Result<Vec<ReadBack<Booking>>, Error> {
        let mut tx = self.app.store.read().await.map_err(away)?;
        let known = bookings::upcoming(&mut tx, self.company, phone, from.date().into()).await.map_err(away)?;
        drop(tx);
        let keyed = known.into_iter().filter_map(|known| Some((known.booking, known.record_hash?)));
        stream::iter(keyed).then(|(known, hash)| async move { self.yclients().reread_booked(&known, &hash).await }).try_collect().await
    }

    async fn look_for(&self, name: BookingId, day: Date) -> Result<Outcome, Error> {
        if !self.yclients().has_user_token() {
            return Ok(Outcome::Unsettled);
        }
        for wait in READ_BACKS {
            tokio::time::sleep(wait).await;
            if let Ok(Some(booking)) = self.named(name, day).await {
                return Ok(match booking.get().deleted {
                    true => Outcome::Refused(Refusal::Gone),
                    false => Outcome::Done(Receipt::Booked(booking)),
                });
            }
        }
        Ok(Outcome::Unsettled)
    }

    async fn move_to(
        &self,
        customer: &Customer,
        record: RecordId,
        services: &[ServiceId],
        staff: StaffId,
        start: DateTime,
    ) -> Result<Outcome, Error> {
        let from = match self.own(customer, record).await? {
            Ok(booking) => booking,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let wanted = Wanted { services: sorted(self.salon.parts(services)), staff, start };
        if wanted.stands(from.get()) {
            return Ok(Outcome::Done(Receipt::Moved { from: from.clone(), to: from }));
        }
        if !self.yclients().has_user_token() {
            return self.move_by_hash(&from, &wanted).await;
        }
        let change = RecordChange {
            start: Some(start),
            staff_id: Some(staff),
            minutes: Some(self.salon.minutes(services, Some(staff))),
            services: (from.get().services != wanted.services).then(|| wanted.services.clone()),
            ..RecordChange::default()
        };
        let wrote = self.yclients().update_record(self.salon_id, record, &change, &self.salon.timezone).await.map(drop);
        self.read_back(&from, wrote, |to| wanted.stands(to.get()).then(|| Receipt::Moved { from: from.clone(), to })).await
    }

    /// Online booking lets a booking be moved to another time, and changes nothing else of it.
    async fn move_by_hash(&self, from: &ReadBack<Booking>, wanted: &Wanted) -> Result<Outcome, Error> {
        let booking = from.get();
        if booking.staff_id != wanted.staff || booking.services != wanted.services {
            return Ok(Outcome::Refused(Refusal::NotAllowed));
        }
        let wrote = self.yclients().move_booked(self.salon_id, booking.record_id, wanted.start, &self.salon.timezone, "").await;
        self.read_back(from, wrote, |to| wanted.stands(to.get()).then(|| Receipt::Moved { from: from.clone(), to })).await
    }

    async fn cancel(&self, customer: &Customer, record: RecordId) -> Result<Outcome, Error> {
        let booking = match self.own(customer, record).await? {
            Ok(booking) => booking,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let wrote = match self.yclients().has_user_token() {
            true => self.yclients().delete_record(self.salon_id, record).await,
            false => self.yclients().cancel_booked(record, &self.keyed(record).await?.1).await,
        };
        self.read_back(&booking, wrote, |gone| gone.get().deleted.then(|| Receipt::Cancelled(gone.clone()))).await
    }

    /// After a write: reads the record until it stands as wanted; a refusal that is certain is one.
    async fn read_back(
        &self,
        last: &ReadBack<Booking>,
        wrote: Result<(), Error>,
        receipt: impl Fn(ReadBack<Booking>) -> Option<Receipt>,
    ) -> Result<Outcome, Error> {
        if let Err(error) = wrote
            && !error.outcome_unknown()
        {
            return Err(error);
        }
        for wait in READ_BACKS {
            tokio::time::sleep(wait).await;
            if let Ok(booking) = self.reread(last).await
                && let Some(receipt) = receipt(booking)
            {
                return Ok(Outcome::Done(receipt));
            }
        }
        Ok(Outcome::Unsettled)
    }

    /// How a booking stands now, also where YClients no longer knows it.
    async fn reread(&self, last: &ReadBack<Booking>) -> Result<ReadBack<Booking>, Error> {
        match self.yclients().has_user_token() {
            true => self.yclients().reread(self.salon_id, last.get()).await,
            false => self.record(last.get().record_id).await,
        }
    }

    /// The record, if it stands and is this customer's.
    async fn own(&self, customer: &Customer, record: RecordId) -> Result<Result<ReadBack<Booking>, Refusal>, Error> {
        let booking = self.record(record).await?;
        let whose: Option<&Phone> = booking.get().client_phone.as_ref();
        Ok(if booking.get().deleted {
            Err(Refusal::Gone)
        } else if whose.is_none() || whose != customer.phone.as_ref() || booking.get().locked {
            Err(Refusal::NotAllowed)
        } else {
            Ok(booking)
        })
    }
}

/// Without our own database as without theirs.
fn away(error: StoreError) -> Error {
    Error::Unavailable { call: "bookings", reason: error.to_string(), outcome_unknown: false }
}

/// What an error means to the dialogue.
fn failed(error: &Error) -> Outcome {
    match error {
        Error::Refused { code: Some(BookingCode::TimeTaken | BookingCode::NobodyFree | BookingCode::Overlaps), .. } => {
            Outcome::Refused(Refusal::SlotTaken)
        }
        Error::Refused { code: Some(BookingCode::PhoneBlacklisted | BookingCode::BadPhone), .. } => Outcome::Refused(Refusal::PhoneRefused),
        Error::Refused { code: Some(BookingCode::StaffUnavailable | BookingCode::ServiceGone), .. } => {
            Outcome::Refused(Refusal::NotOffered)
        }
        Error::Refused { .. } | Error::Forbidden { .. } => {
            tracing::warn!(%error, "the booking system refused");
            Outcome::Refused(Refusal::NotAllowed)
        }
        // Somebody else's doing, which is a person's to change.
        // It was not sent, and the turn ends without a word.
        Error::NotOurs { .. } => Outcome::Failed,
        Error::NoUserToken { .. } => Outcome::Refused(Refusal::NotAllowed),
        Error::NotFound { .. } => Outcome::Refused(Refusal::Gone),
        _ => {
            tracing::warn!(%error, "the booking system failed");
            if error.outcome_unknown() { Outcome::Unsettled } else { Outcome::Failed }
        }
    }
}
