use domain::{Booking, Phone, ReadBack, Salon, ServiceId, StaffId};
use jiff::civil::{Date, DateTime};
use language::{Intent, Lang};
use serde::{Deserialize, Serialize};

use crate::{
    effect::Effect,
    moment::Want,
    plan::{Seat, Visit},
};

/// The layout of [`State`] in the store.
const VERSION: u32 = 1;

/// Bookings made in one turn that «лучше в 16» may still mean.
const RECENT: usize = 4;

/// A conversation's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    version: u32,
    /// When the customer was last answered, salon time.
    pub(crate) touched: Option<DateTime>,
    pub(crate) lang: Lang,
    /// The day of the last «здравствуйте».
    pub(crate) greeted: Option<Date>,
    /// As the customer has given it.
    pub(crate) name: Option<String>,
    /// As the customer has given it; not verified, so it only ever goes into a new booking.
    pub(crate) phone: Option<Phone>,
    /// What is being arranged.
    pub(crate) wish: Wish,
    /// What the last message asked: the one thing that a «да» can mean.
    pub(crate) question: Option<Question>,
    /// What the last message told of a service: its price, its masters; with [`Intent::Info`] the opening hours.
    pub(crate) told: Option<Intent>,
    /// How often in a row it was asked.
    pub(crate) asked_times: u8,
    /// Turns answered; the wording varies with it.
    pub(crate) turns: u32,
    /// Messages in a row that nothing could be made of.
    pub(crate) puzzled: u8,
    /// What was last booked or moved in this conversation, as read back.
    pub(crate) last: Vec<ReadBack<Booking>>,
    /// The last of them is for somebody else.
    pub(crate) guest_booked: bool,
    /// What they are called, as was said after it.
    pub(crate) guest_named: Option<String>,
    /// The words that the last of them was booked on.
    pub(crate) booked_on: String,
    /// What was cancelled last in this conversation, should it be wanted back.
    pub(crate) cancelled: Option<ReadBack<Booking>>,
    /// Where the booking stood that was moved last in this conversation, should that be wanted back.
    pub(crate) stood: Option<ReadBack<Booking>>,
    /// The times that were offered when one of them was booked.
    pub(crate) passed: Vec<Visit>,
    /// The booking of theirs that was spoken of last.
    pub(crate) spoken_of: Option<ReadBack<Booking>>,
    /// Words of the same breath about another booking, to be heard once the open question is settled.
    pub(crate) errand: Option<String>,
    /// A booking whose outcome nobody knows yet.
    pub(crate) unsettled: Option<Seat>,
    /// The customer wants no messages that they have not asked for.
    pub(crate) stopped: bool,
    /// A person answers since that day.
    pub(crate) paused: Option<Date>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            touched: None,
            lang: Lang::default(),
            greeted: None,
            name: None,
            phone: None,
            wish: Wish::default(),
            question: None,
            told: None,
            asked_times: 0,
            turns: 0,
            puzzled: 0,
            last: Vec::new(),
            guest_booked: false,
            guest_named: None,
            booked_on: String::new(),
            cancelled: None,
            stood: None,
            passed: Vec::new(),
            spoken_of: None,
            errand: None,
            unsettled: None,
            stopped: false,
            paused: None,
        }
    }
}

impl State {
    /// From the store's JSON. A layout that is no longer known starts the conversation anew: what
    /// is lost is only the thread of a chat, for bookings are always asked of the booking system.
    pub fn load(json: &str) -> Self {
        serde_json::from_str(json).ok().filter(|state: &Self| state.version == VERSION).unwrap_or_default()
    }

    /// The customer waits to hear whether this booking was made.
    pub fn awaits(&self, effect: &Effect) -> bool {
        let Effect::Book { services, staff, start, .. } = effect else { return false };
        self.unsettled.as_ref().is_some_and(|seat| seat.services == *services && seat.staff == *staff && seat.start == *start)
    }

    /// What became of this booking is known, or will not be.
    pub(crate) fn wait_no_more(&mut self, effect: &Effect) {
        if self.awaits(effect) {
            self.unsettled = None;
        }
    }

    /// A person of the salon has given the chat back.
    pub fn resume(&mut self) {
        self.paused = None;
        self.drop_thread();
    }

    /// A person answers in this chat since that day (salon time).
    pub fn paused_since(&self) -> Option<Date> {
        self.paused
    }

    /// The customer wants no reminders and no other messages that they have not asked for.
    pub fn wants_no_messages(&self) -> bool {
        self.stopped
    }

    /// The language to write to the customer in.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Forgets what was being talked of, not who the customer is.
    pub(crate) fn drop_thread(&mut self) {
        self.wish = Wish::default();
        self.question = None;
        self.asked_times = 0;
        self.puzzled = 0;
        self.last.clear();
        self.cancelled = None;
        self.stood = None;
        self.passed.clear();
        self.spoken_of = None;
        self.errand = None;
    }

    /// Notes what stands in the booking system now.
    pub(crate) fn remember(&mut self, booking: ReadBack<Booking>) {
        self.last.retain(|known| known.get().record_id != booking.get().record_id);
        self.last.push(booking);
        let surplus = self.last.len().saturating_sub(RECENT);
        self.last.drain(..surplus);
    }
}

/// What the customer wants, as far as it was said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    /// A booking to be moved; absent: a new one.
    pub(crate) moving: Option<ReadBack<Booking>>,
    pub(crate) services: Vec<ServiceId>,
    /// The words that named them.
    pub(crate) named: String,
    /// Wanted beside the one that is still unclear.
    pub(crate) beside: Vec<ServiceId>,
    /// Services that fit the words equally well.
    pub(crate) unclear: Vec<ServiceId>,
    /// The same for the services that were named after that one.
    pub(crate) unclear_next: Vec<Vec<ServiceId>>,
    /// Any of them, or each where several people come; empty: whoever is free.
    pub(crate) staff: Vec<StaffId>,
    pub(crate) staff_any: bool,
    pub(crate) staff_not: Vec<StaffId>,
    /// Alternatives.
    pub(crate) when: Vec<Want>,
    /// 0 and 1 are the customer alone.
    pub(crate) people: u8,
    /// Several people come one after the other, not at one time.
    pub(crate) in_turn: bool,
    /// They come at one time.
    pub(crate) together: bool,
    /// Somebody else comes, not who writes.
    pub(crate) for_somebody: bool,
    /// Their name.
    pub(crate) guest_name: Option<String>,
    /// What the service, once it is clear, is to the visit that was just booked.
    pub(crate) to_last: Option<ToLast>,
    /// To be arranged once another visit is cancelled.
    pub(crate) after_cancelling: bool,
    /// Visits of their own that were asked for in the same breath, to be arranged after this one.
    pub(crate) then: Vec<Wish>,
}

impl Wish {
    /// Drops what is no longer in the salon's catalogue.
    pub(crate) fn keep_known(&mut self, salon: &Salon) {
        self.services.retain(|id| salon.service(*id).is_some());
        self.unclear.retain(|id| salon.service(*id).is_some());
        self.beside.retain(|id| salon.service(*id).is_some());
        self.unclear_next.iter_mut().for_each(|options| options.retain(|id| salon.service(*id).is_some()));
        self.unclear_next.retain(|options| !options.is_empty());
        self.staff.retain(|id| salon.staff(*id).is_some());
        self.then.iter_mut().for_each(|wish| wish.keep_known(salon));
        self.then.retain(|wish| !wish.services.is_empty());
    }

    /// The service that was unclear is this one; the next one is unclear now, or all are known.
    pub(crate) fn settle_service(&mut self, id: ServiceId) {
        if !self.beside.contains(&id) {
            self.beside.push(id);
        }
        self.unclear.clear();
        if self.unclear_next.is_empty() {
            self.services = std::mem::take(&mut self.beside);
        } else {
            self.unclear = self.unclear_next.remove(0);
        }
    }

    /// Nothing that a time could be looked up for.
    pub(crate) fn is_empty(&self) -> bool {
        self.moving.is_none() && self.services.is_empty() && self.unclear.is_empty() && self.when.is_empty()
    }

    /// The one day that was said.
    pub(crate) fn day(&self) -> Option<Date> {
        match self.when.as_slice() {
            [want] if want.day_said && want.from == want.to => Some(want.from),
            _ => None,
        }
    }
}

/// How another service stands to a visit that was just booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToLast {
    Instead,
    After,
}

/// What to do with a booking of the customer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    List,
    Cancel,
    Move,
}

/// The one thing that the last message asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Question {
    Service,
    /// The service, or the same as at this last visit.
    Usual(Box<Booking>),
    /// Which of these services, numbered.
    WhichService(Vec<ServiceId>),
    /// The first of these services? One of the others is still welcome.
    FirstService(Vec<ServiceId>),
    /// Shall the wished services take the place of this booking's?
    ChangeService(ReadBack<Booking>),
    /// The day, and the time with it.
    Day,
    /// Which of these times, numbered; a single one is a yes-or-no question.
    WhichVisit(Vec<Visit>),
    /// The first of these times? One of the others is still welcome.
    FirstVisit(Vec<Visit>),
    /// The name that the visit is to be booked on.
    Name(Visit),
    /// The phone number that the visit is to be booked on.
    Phone(Visit),
    /// Which booking, numbered.
    WhichBooking(Purpose, Vec<ReadBack<Booking>>),
    /// Take them out? Never empty.
    ReallyCancel(Vec<ReadBack<Booking>>),
    /// Shall a time be found for what was just talked of?
    FindTimes,
    /// Shall a person be called?
    CallPerson,
    /// Shall the message that the booking system failed on be tried again?
    Retry {
        text: String,
        question: Option<Box<Question>>,
    },
}
