//! A model of a salon in memory: it carries out effects as the workflow and the booking system
//! would, and remembers what it was asked.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, VecDeque};

use dialogue::{Customer, Effect, Heard, HeardKind, Outcome, Refusal, Reply, State, Step, Turn, begin, resume};
use domain::{
    Attendance, Booking, CompanyId, Hours, Money, Phone, PriceRange, ReadBack, Receipt, RecordId, Salon, SalonId, Service, ServiceId,
    ServiceStaff, Slot, Staff, StaffId, WorkDay,
};
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use language::Reader;
use serde::Deserialize;

/// Days of schedule that the salon has entered.
const SCHEDULED_DAYS: i32 = 60;

/// Effects that a turn may take.
pub(crate) const MOST_EFFECTS: usize = 12;

/// A salon's world.
pub(crate) struct Model {
    pub(crate) salon: Salon,
    pub(crate) reader: Reader,
    /// Everybody's bookings.
    pub(crate) bookings: Vec<Booking>,
    pub(crate) grid_minutes: i64,
    /// Taken instead of carrying out the next effects that ask the booking system.
    pub(crate) faults: VecDeque<Outcome>,
    /// Everything that was done.
    pub(crate) receipts: Vec<Receipt>,
    /// Summaries that people of the salon were given.
    pub(crate) handed_over: Vec<String>,
    next_record: i64,
}

/// What a sentence says was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Booked,
    Moved,
    Cancelled,
}

impl Claim {
    fn proved(receipt: &Receipt) -> Self {
        match receipt {
            Receipt::Booked(_) => Self::Booked,
            Receipt::Moved { .. } => Self::Moved,
            Receipt::Cancelled(_) => Self::Cancelled,
        }
    }
}

/// Beginnings of the words that say something was done, whatever the wording is today.
const DOING: [(Claim, &[&str]); 3] = [
    (
        Claim::Booked,
        &[
            "записал",
            "записан",
            "заброниров",
            "оформил",
            "оформлен$",
            "оформлена$",
            "создал",
            "создан$",
            "создана$",
            "внесла",
            "внесен$",
            "внесена$",
            "подтвержден",
            "booked",
            "confirmed",
            "scheduled",
        ],
    ),
    (
        Claim::Moved,
        &[
            "перенесл",
            "перенес$",
            "перенесен$",
            "перенесена$",
            "сдвинул",
            "вернул",
            "изменил",
            "изменен$",
            "изменена$",
            "заменил",
            "moved",
            "rescheduled",
            "changed",
        ],
    ),
    (Claim::Cancelled, &["отменил", "отменен", "удалил", "удален$", "удалена$", "сняла", "убрала", "cancelled", "canceled", "removed"]),
];

/// Whether a word begins so; with a `$`, is so.
fn fits(word: &str, stem: &str) -> bool {
    stem.strip_suffix('$').map_or_else(|| word.starts_with(stem), |whole| word == whole)
}

/// Every claim in a message: a sentence that asks nothing and says of something that it was done.
pub(crate) fn claims(message: &str) -> Vec<(Claim, String)> {
    let mut found = Vec::new();
    for sentence in message.split_inclusive(['.', '!', '?', '…', '\n']).filter(|sentence| !sentence.ends_with('?')) {
        let plain = sentence.to_lowercase().replace('ё', "е");
        let words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        for (claim, stems) in DOING {
            let says = |index: usize| stems.iter().any(|stem| fits(words[index], stem));
            let denied = |index: usize| index > 0 && ["не", "not", "t", "be"].contains(&words[index - 1]);
            if (0..words.len()).any(|index| says(index) && !denied(index)) {
                found.push((claim, sentence.to_owned()));
            }
        }
    }
    found
}

/// The times of day that a text names, as `15:00`.
pub(crate) fn times(text: &str) -> Vec<String> {
    let digits = |word: &&str| word.len() == 5 && word.as_bytes()[2] == b':' && word.bytes().filter(u8::is_ascii_digit).count() == 4;
    text.split(|c: char| !c.is_ascii_digit() && c != ':').filter(digits).map(str::to_owned).collect()
}

/// A customer with their chat.
pub(crate) struct Chat {
    pub(crate) customer: Customer,
    pub(crate) state: State,
    /// What was said in the last turn.
    pub(crate) effects: Vec<Effect>,
    pub(crate) receipts: Vec<Receipt>,
    /// Everything the bot has said.
    pub(crate) said: Vec<String>,
}

impl Chat {
    pub(crate) fn new(phone: Option<&str>, push_name: Option<&str>) -> Self {
        let phone = phone.map(|digits| Phone::from_digits(digits).expect("a phone"));
        Self {
            customer: Customer { phone, push_name: push_name.map(str::to_owned), client: None },
            state: State::default(),
            effects: Vec::new(),
            receipts: Vec::new(),
            said: Vec::new(),
        }
    }
}

impl Model {
    /// From a salon file's JSON.
    pub(crate) fn from_file(json: &str, today: Date) -> Self {
        let file: SalonFile = serde_json::from_str(json).expect("a salon file");
        let salon = file.salon(today);
        let reader = Reader::new(Some(&salon));
        let mut model = Self {
            reader,
            bookings: Vec::new(),
            grid_minutes: file.grid_minutes.unwrap_or(30),
            faults: VecDeque::new(),
            receipts: Vec::new(),
            handed_over: Vec::new(),
            next_record: 900_001,
            salon,
        };
        for record in &file.records {
            model.add(record);
        }
        model
    }

    /// A small beauty salon: two nail masters with different days, a brow master, composites.
    pub(crate) fn example(today: Date) -> Self {
        Self::from_file(EXAMPLE, today)
    }

    fn add(&mut self, record: &FileRecord) {
        let services: Vec<ServiceId> = record.services.iter().map(|id| ServiceId(*id)).collect();
        let staff = StaffId(record.staff);
        self.bookings.push(Booking {
            record_id: RecordId(record.id),
            booking_id: None,
            staff_id: staff,
            minutes: self.salon.minutes(&services, Some(staff)),
            services,
            start: record.start,
            client_name: record.client_name.clone(),
            client_phone: Phone::from_digits(&record.client_phone).ok(),
            cost: None,
            attendance: if record.attendance == 1 { Attendance::Came } else { Attendance::Waiting },
            deleted: false,
            locked: false,
        });
    }

    /// One turn: the customer's messages, everything done, the bot's answer.
    pub(crate) fn turn(&mut self, chat: &mut Chat, now: DateTime, texts: &[&str]) -> Reply {
        let heard: Vec<Heard> = texts.iter().map(|text| Heard { text: (*text).to_owned(), kind: HeardKind::Text }).collect();
        self.hear(chat, now, &heard)
    }

    pub(crate) fn hear(&mut self, chat: &mut Chat, now: DateTime, heard: &[Heard]) -> Reply {
        let salon = self.salon.clone();
        chat.effects.clear();
        chat.receipts.clear();
        let customer = chat.customer.clone();
        let mut outcomes = Vec::new();
        let reply = {
            let reader = std::mem::replace(&mut self.reader, Reader::new(None));
            let turn = Turn { salon: &salon, reader: &reader, now, customer: &customer, heard };
            let mut step = begin(chat.state.clone(), &turn);
            let reply = loop {
                match step {
                    Step::Say(reply) => break reply,
                    Step::Do(effect, pending) => {
                        assert!(chat.effects.len() < MOST_EFFECTS, "too many effects: {:?}", chat.effects);
                        let outcome = self.carry_out(&customer, &effect, now);
                        if let Outcome::Done(receipt) = &outcome {
                            chat.receipts.push(receipt.clone());
                            self.receipts.push(receipt.clone());
                        }
                        outcomes.push(outcome.clone());
                        chat.effects.push(effect);
                        step = resume(pending, outcome, &turn);
                    }
                }
            };
            // A replay after a crash takes the same steps.
            let mut step = begin(chat.state.clone(), &turn);
            for (effect, outcome) in chat.effects.iter().zip(outcomes) {
                let Step::Do(again, pending) = step else { panic!("the replay asked for less") };
                assert_eq!(&again, effect, "the replay asked for another effect");
                step = resume(pending, outcome, &turn);
            }
            let Step::Say(again) = step else { panic!("the replay asked for more") };
            assert_eq!(again, reply, "the replay said something else");
            self.reader = reader;
            reply
        };
        // The store keeps the state as JSON.
        let json = serde_json::to_string(&reply.state).expect("a state is JSON");
        chat.state = State::load(&json);
        assert_eq!(chat.state, reply.state, "a state comes back from the store as it was");
        for message in &reply.messages {
            let proofs: Vec<(Claim, String)> = chat
                .receipts
                .iter()
                .map(|receipt| (Claim::proved(receipt), receipt.booking().start.strftime("%H:%M").to_string()))
                .collect();
            for (claim, sentence) in claims(message) {
                assert!(proofs.iter().any(|(proved, _)| *proved == claim), "a claim without a receipt: {sentence}");
                let mut told = times(&sentence).into_iter().filter(|_| !sentence.contains('('));
                assert!(told.all(|time| proofs.iter().any(|(_, proved)| *proved == time)), "a time without a receipt: {sentence}");
            }
            assert!(!message.contains("Зинаида") && !message.contains("Тайная"), "another client's name: {message}");
            assert!(!message.contains("905") && !message.contains("999"), "another client's phone: {message}");
        }
        chat.said.extend(reply.messages.iter().cloned());
        reply
    }

    #[expect(clippy::disallowed_methods, reason = "the model is the booking system")]
    fn read_back(booking: &Booking) -> ReadBack<Booking> {
        ReadBack::from_booking_system(booking.clone(), jiff::Timestamp::UNIX_EPOCH)
    }

    fn carry_out(&mut self, customer: &Customer, effect: &Effect, now: DateTime) -> Outcome {
        if let Effect::HandOver { summary, .. } = effect {
            self.handed_over.push(summary.clone());
            return Outcome::HandedOver;
        }
        // What only a write can come to waits for one.
        let writes = matches!(effect, Effect::Book { .. } | Effect::Move { .. } | Effect::Cancel { .. });
        let fits = |fault: &Outcome| writes || !matches!(fault, Outcome::Unsettled | Outcome::Refused(_));
        if let Some(fault) = self.faults.pop_front_if(|fault| fits(fault)) {
            return fault;
        }
        let mine = |booking: &Booking| booking.client_phone.is_some() && (booking.client_phone == customer.phone) && !booking.deleted;
        match effect {
            Effect::FreeTimes { services, staff, from, to, excluding } => {
                let mut slots = Vec::new();
                let staff: Vec<StaffId> = staff.map_or_else(|| self.salon.staff_for(services), |id| vec![id]);
                let mut day = *from;
                while day <= *to {
                    for id in &staff {
                        slots.extend(self.free(services, *id, day, *excluding, now).into_iter().map(|start| Slot { start, staff_id: *id }));
                    }
                    day = day.saturating_add(1.day());
                }
                Outcome::FreeTimes(slots)
            }
            Effect::MyBookings => {
                Outcome::Bookings(self.bookings.iter().filter(|b| mine(b) && b.start >= now).map(Self::read_back).collect())
            }
            Effect::LastVisit => {
                Outcome::LastVisit(self.bookings.iter().filter(|b| mine(b) && b.start < now).max_by_key(|b| b.start).cloned())
            }
            Effect::Book { services, staff, start, client_name, phone, .. } => {
                if !self.free(services, *staff, start.date(), None, now).contains(start) {
                    return Outcome::Refused(Refusal::SlotTaken);
                }
                let services = self.salon.parts(services);
                let booking = Booking {
                    record_id: RecordId(self.next_record),
                    booking_id: None,
                    staff_id: *staff,
                    minutes: self.salon.minutes(&services, Some(*staff)),
                    services,
                    start: *start,
                    client_name: client_name.clone(),
                    client_phone: Some(phone.clone()),
                    cost: None,
                    attendance: Attendance::Waiting,
                    deleted: false,
                    locked: false,
                };
                self.next_record += 1;
                self.bookings.push(booking.clone());
                Outcome::Done(Receipt::Booked(Self::read_back(&booking)))
            }
            Effect::Move { record, services, staff, start } => {
                let free = self.free(services, *staff, start.date(), Some(*record), now).contains(start);
                let Some(booking) = self.bookings.iter_mut().find(|b| b.record_id == *record && mine(b)) else {
                    return Outcome::Refused(Refusal::Gone);
                };
                if !free {
                    return Outcome::Refused(Refusal::SlotTaken);
                }
                let from = Self::read_back(booking);
                (booking.staff_id, booking.start) = (*staff, *start);
                booking.services = self.salon.parts(services);
                booking.minutes = self.salon.minutes(services, Some(*staff));
                Outcome::Done(Receipt::Moved { from, to: Self::read_back(booking) })
            }
            Effect::Cancel { record } => match self.bookings.iter_mut().find(|b| b.record_id == *record && mine(b)) {
                Some(booking) => {
                    booking.deleted = true;
                    Outcome::Done(Receipt::Cancelled(Self::read_back(booking)))
                }
                None => Outcome::Refused(Refusal::Gone),
            },
            Effect::HandOver { .. } => Outcome::HandedOver,
        }
    }

    /// Starts on the salon's grid at which that master could do it.
    fn free(&self, services: &[ServiceId], staff: StaffId, day: Date, excluding: Option<RecordId>, now: DateTime) -> Vec<DateTime> {
        if !services.iter().all(|id| self.salon.service(*id).is_some_and(|service| service.done_by(staff))) {
            return Vec::new();
        }
        let length = self.salon.minutes(services, Some(staff)).minutes();
        let mut found = Vec::new();
        for hours in self.salon.hours_of(staff, day) {
            let mut start = day.to_datetime(hours.from);
            let end = day.to_datetime(hours.to);
            while start.saturating_add(length) <= end {
                let taken = self.bookings.iter().any(|b| {
                    b.staff_id == staff
                        && !b.deleted
                        && Some(b.record_id) != excluding
                        && b.start < start.saturating_add(length)
                        && start < b.end()
                });
                if !taken && start > now {
                    found.push(start);
                }
                start = start.saturating_add(self.grid_minutes.minutes());
            }
        }
        found
    }

    /// `Анна 2026-11-24T15:00 Маникюр` for every booking on that phone.
    pub(crate) fn booked(&self, phone: &str) -> Vec<String> {
        let mine = |b: &&Booking| !b.deleted && b.client_phone.as_ref().is_some_and(|p| p.digits() == phone);
        let mut lines: Vec<String> = self
            .bookings
            .iter()
            .filter(mine)
            .map(|b| {
                let staff = self.salon.staff(b.staff_id).map_or("?", |s| s.name.as_str());
                let titles: Vec<&str> = b.services.iter().filter_map(|id| self.salon.service(*id)).map(|s| s.title.as_str()).collect();
                format!("{staff} {} {}", b.start.strftime("%m-%d %H:%M"), titles.join(" + "))
            })
            .collect();
        lines.sort();
        lines
    }

    /// Somebody else takes that time.
    pub(crate) fn take(&mut self, staff: i64, start: DateTime, minutes: i64) {
        self.bookings.push(Booking {
            record_id: RecordId(self.next_record),
            booking_id: None,
            staff_id: StaffId(staff),
            services: Vec::new(),
            start,
            minutes,
            client_name: "Зинаида Тайная".into(),
            client_phone: Phone::from_digits("79990000000").ok(),
            cost: None,
            attendance: Attendance::Waiting,
            deleted: false,
            locked: false,
        });
        self.next_record += 1;
    }
}

/// The salon file of the sandbox's contract, as far as the model needs it.
#[derive(Deserialize)]
struct SalonFile {
    id: i64,
    title: String,
    #[serde(default)]
    city: String,
    #[serde(default)]
    address: String,
    phone: Option<String>,
    timezone_name: String,
    currency: Option<String>,
    grid_minutes: Option<i64>,
    services: Vec<FileService>,
    staff: Vec<FileStaff>,
    schedule: Vec<FileSchedule>,
    #[serde(default)]
    records: Vec<FileRecord>,
}

#[derive(Deserialize)]
struct FileService {
    id: i64,
    title: String,
    #[serde(default)]
    category: String,
    price_min: i64,
    price_max: i64,
    minutes: i64,
    #[serde(default)]
    description: String,
    staff: Vec<i64>,
    #[serde(default)]
    minutes_by_staff: BTreeMap<String, i64>,
    #[serde(default)]
    composite_of: Vec<i64>,
}

#[derive(Deserialize)]
struct FileStaff {
    id: i64,
    name: String,
    #[serde(default)]
    specialization: String,
    rating: Option<f64>,
}

#[derive(Deserialize)]
struct FileSchedule {
    staff: i64,
    #[serde(default)]
    weekdays: Vec<i8>,
    date: Option<Date>,
    #[serde(default)]
    off: bool,
    from: Option<Time>,
    to: Option<Time>,
    #[serde(default)]
    breaks: Vec<(Time, Time)>,
}

#[derive(Deserialize)]
struct FileRecord {
    id: i64,
    staff: i64,
    services: Vec<i64>,
    client_phone: String,
    client_name: String,
    start: DateTime,
    #[serde(default)]
    attendance: i64,
}

impl FileSchedule {
    fn hours(&self) -> Vec<Hours> {
        let (Some(mut from), Some(to), false) = (self.from, self.to, self.off) else { return Vec::new() };
        let mut hours = Vec::new();
        for (start, end) in &self.breaks {
            hours.push(Hours { from, to: *start });
            from = *end;
        }
        hours.push(Hours { from, to });
        hours
    }
}

impl SalonFile {
    fn salon(&self, today: Date) -> Salon {
        let services = self.services.iter().map(|s| Service {
            id: ServiceId(s.id),
            title: s.title.clone(),
            category: s.category.clone(),
            price: PriceRange::new(Money(s.price_min), Money(s.price_max)),
            minutes: s.minutes,
            description: s.description.clone(),
            staff: s
                .staff
                .iter()
                .map(|id| ServiceStaff { staff_id: StaffId(*id), minutes: *s.minutes_by_staff.get(&id.to_string()).unwrap_or(&s.minutes) })
                .collect(),
            composite_of: s.composite_of.iter().map(|id| ServiceId(*id)).collect(),
        });
        let staff = self.staff.iter().map(|s| Staff {
            id: StaffId(s.id),
            name: s.name.clone(),
            specialization: s.specialization.clone(),
            rating: s.rating,
        });
        let mut schedule = Vec::new();
        for offset in 0..SCHEDULED_DAYS {
            let date = today.saturating_add(offset.days());
            for person in &self.staff {
                let own = self.schedule.iter().filter(|row| row.staff == person.id);
                let dated = own.clone().find(|row| row.date == Some(date));
                let row = dated.or_else(|| own.clone().find(|row| row.weekdays.contains(&date.weekday().to_monday_one_offset())));
                if let Some(row) = row {
                    schedule.push(WorkDay { staff_id: StaffId(person.id), date, hours: row.hours() });
                }
            }
        }
        Salon {
            company_id: CompanyId(1),
            salon_id: SalonId(self.id),
            title: self.title.clone(),
            city: self.city.clone(),
            address: self.address.clone(),
            phone: self.phone.as_deref().and_then(|phone| Phone::from_digits(phone).ok()),
            timezone: TimeZone::get(&self.timezone_name).unwrap_or(TimeZone::UTC),
            currency: self.currency.clone().unwrap_or_else(|| "₽".into()),
            services: services.collect(),
            staff: staff.collect(),
            schedule,
        }
    }
}

const EXAMPLE: &str = r#"{"id": 7, "title": "Салон Веер", "city": "Тверь", "address": "ул. Садовая, 3", "phone": "74822111222",
 "timezone_name": "Europe/Moscow", "grid_minutes": 30,
 "services": [
  {"id": 1, "title": "Маникюр классический", "category": "Ногти", "price_min": 1000, "price_max": 1000, "minutes": 60, "staff": [1, 2]},
  {"id": 2, "title": "Маникюр с покрытием", "category": "Ногти", "price_min": 1900, "price_max": 2300, "minutes": 90, "staff": [1, 2]},
  {"id": 3, "title": "Педикюр", "category": "Ногти", "price_min": 2400, "price_max": 2400, "minutes": 60, "staff": [2]},
  {"id": 4, "title": "Маникюр с покрытием и педикюр", "category": "Ногти", "price_min": 4000, "price_max": 4000, "minutes": 150, "staff": [2], "composite_of": [2, 3]},
  {"id": 5, "title": "Окрашивание бровей", "category": "Брови", "price_min": 900, "price_max": 900, "minutes": 30, "staff": [3]}],
 "staff": [{"id": 1, "name": "Марина", "specialization": "мастер маникюра", "rating": 4.9},
  {"id": 2, "name": "Ольга", "specialization": "мастер маникюра и педикюра", "rating": 4.5},
  {"id": 3, "name": "Дарья", "specialization": "бровист", "rating": 4.7}],
 "schedule": [{"staff": 1, "weekdays": [1, 2, 3, 4, 5], "from": "10:00", "to": "19:00", "breaks": [["13:00", "14:00"]]},
  {"staff": 2, "weekdays": [2, 3, 4, 5, 6], "from": "12:00", "to": "21:00"},
  {"staff": 3, "weekdays": [3, 6], "from": "11:00", "to": "17:00"}],
 "records": [{"id": 11, "staff": 1, "services": [2], "client_phone": "79050000001", "client_name": "Зинаида Тайная", "start": "2026-03-03T15:00"}]}"#;
