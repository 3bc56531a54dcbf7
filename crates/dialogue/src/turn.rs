use std::borrow::Cow;

use domain::{Booking, ReadBack, Receipt};
use jiff::civil::DateTime;
use language::Understood;

use crate::{
    Heard, HeardKind, Pause, Reply, Step, Turn,
    booking::Booked,
    cues::Cues,
    effect::{Effect, HandOverReason, Outcome},
    plan::Seat,
    search::Search,
    state::{Purpose, Question, State},
    wording::Voice,
};

/// Effects of one turn; every path needs fewer.
const MAX_EFFECTS: u8 = 12;

/// Characters of a turn that are read.
const MAX_TEXT: usize = 4096;

/// Times that a question is put before another way is offered.
pub(crate) const MAX_ASKED: u8 = 2;

/// A turn that waits for an outcome.
#[derive(Debug, Clone)]
pub struct Pending {
    before: State,
    state: State,
    heard: Understood,
    text: String,
    parts: Vec<String>,
    hello: String,
    effects: u8,
    next: Next,
}

/// What an outcome is for.
#[derive(Debug, Clone)]
pub(crate) enum Next {
    /// Free times for a chair of a search.
    Slots(Box<Search>),
    /// The outcome of booking a seat.
    Seat(Box<Booked>),
    /// The outcome of moving a booking to a seat.
    Moved(Box<Seat>),
    /// The outcome of taking one booking out, and what is still to be taken out or has been.
    Cancelled {
        left: Vec<ReadBack<Booking>>,
        done: Vec<Receipt>,
    },
    /// The customer's bookings.
    Own(Purpose),
    LastVisit,
    /// The customer's bookings, to find the one that the words were about without saying so.
    Standing,
    /// The customer's bookings, to find the one that something is to be added to.
    Beside,
    /// The last visit, to offer the same again.
    Usual,
    /// The customer's bookings, to find the one whose outcome was unknown.
    Unsettled(Box<Seat>),
    HandedOver(HandOverReason),
}

/// One turn being thought through.
pub(crate) struct Mind<'t> {
    pub(crate) turn: &'t Turn<'t>,
    /// As the turn began.
    pub(crate) before: State,
    pub(crate) state: State,
    pub(crate) heard: Understood,
    pub(crate) cues: Cues,
    pub(crate) text: String,
    /// What is to be said, in order.
    pub(crate) parts: Vec<String>,
    /// Stands before the first of them.
    pub(crate) hello: String,
    effects: u8,
}

/// Starts a turn: all unanswered messages of a chat. A replay needs the same turn, its `now` and
/// catalogue included, as the one whose outcomes were journaled.
pub fn begin(state: State, turn: &Turn<'_>) -> Step {
    let today = turn.now.date();
    let mut state = state;
    if let Some(since) = state.paused {
        if today <= since {
            return silence(state);
        }
        state.resume();
    }
    if state.touched.is_some_and(|touched| touched.date() != today) {
        state.drop_thread();
    }
    state.touched = Some(turn.now);
    state.turns = state.turns.wrapping_add(1);
    state.wish.keep_known(turn.salon);
    if state.question.is_none() {
        state.errand = None;
    }
    let before = state.clone();
    state.told = None;
    let text = joined(turn.heard);
    if text.is_empty() && turn.heard.iter().all(|heard| heard.kind == HeardKind::Reaction) {
        return silence(state);
    }
    let mut mind = Mind { before, ..Mind::begin(state, turn) };
    if text.is_empty() {
        let sorry = mind.voice().cannot_hear();
        return mind.say(sorry);
    }
    mind.read(text);
    match mind.state.unsettled.take().filter(|seat| seat.start > turn.now) {
        Some(seat) => mind.act(Effect::MyBookings, Next::Unsettled(Box::new(seat))),
        None => mind.answer(),
    }
}

/// Goes on with the outcome of the effect that was asked for. An outcome of another kind than the
/// effect's own counts as [`Outcome::Failed`].
pub fn resume(pending: Pending, outcome: Outcome, turn: &Turn<'_>) -> Step {
    let Pending { before, state, heard, text, parts, hello, effects, next } = pending;
    let cues = Cues::read(&text);
    let mind = Mind { turn, before, state, heard, cues, text, parts, hello, effects };
    match (next, outcome) {
        (Next::Slots(search), Outcome::FreeTimes(slots)) => mind.slots(*search, slots),
        (Next::Seat(booked), outcome) => mind.seated(*booked, outcome),
        (Next::Moved(seat), outcome) => mind.moved(*seat, outcome),
        (Next::Cancelled { left, done }, outcome) => mind.cancelled(left, done, outcome),
        (Next::Own(purpose), Outcome::Bookings(bookings)) => mind.own_bookings(purpose, bookings),
        (Next::Standing, Outcome::Bookings(bookings)) => mind.about_standing(bookings),
        (Next::Beside, Outcome::Bookings(bookings)) => mind.beside(bookings),
        (Next::LastVisit, Outcome::LastVisit(visit)) => mind.last_visit(visit),
        (Next::Usual, Outcome::LastVisit(visit)) => mind.usual(visit),
        (Next::Usual, _) => mind.usual(None),
        (Next::Unsettled(seat), Outcome::Bookings(bookings)) => mind.settle(*seat, bookings),
        (Next::Unsettled(seat), _) => {
            let mut mind = mind;
            mind.state.unsettled = Some(*seat);
            let sorry = mind.voice().still_unsettled();
            mind.say(sorry)
        }
        (Next::HandedOver(reason), outcome) => mind.handed_over(reason, outcome == Outcome::HandedOver),
        (Next::Slots(_) | Next::Own(_) | Next::LastVisit | Next::Standing | Next::Beside, _) => mind.failed(),
    }
}

/// The end of an effect that was [`Outcome::Unsettled`], found out between two turns: what the
/// customer is told, and the state that knows it. `None` is "it was not done".
pub fn settled(state: State, effect: &Effect, receipt: Option<Receipt>, turn: &Turn<'_>) -> Reply {
    let mut mind = Mind::begin(state, turn);
    mind.state.wait_no_more(effect);
    let words = match receipt {
        Some(receipt) => {
            let words = mind.voice().receipts(std::slice::from_ref(&receipt));
            mind.receive(&receipt);
            words
        }
        None => {
            mind.state.question = Some(Question::Day);
            mind.voice().not_booked_after_all()
        }
    };
    Reply { state: mind.state, messages: vec![words], pause: None }
}

/// The end of an effect whose outcome could not be found out: a person will look.
pub fn never_settled(state: State, effect: &Effect, turn: &Turn<'_>) -> Reply {
    let mut mind = Mind::begin(state, turn);
    let words = mind.voice().never_settled();
    mind.state.wait_no_more(effect);
    mind.state.drop_thread();
    mind.state.paused = Some(turn.now.date());
    Reply { state: mind.state, messages: vec![words], pause: Some(Pause::UntilResumedOrNextDay) }
}

/// The words of a burst as one text. People break their messages in the middle of a phrase as often
/// as at its end, so only a capital at the beginning of one starts a new line.
fn joined(heard: &[Heard]) -> String {
    let mut text = String::new();
    let words = heard.iter().filter(|heard| heard.kind != HeardKind::Reaction).map(|heard| heard.text.trim());
    for words in words.filter(|words| !words.is_empty()).map(calm) {
        let mut letters = words.chars();
        let sentence = letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(|second| !second.is_uppercase());
        if !text.is_empty() {
            text.push(if sentence && !goes_on(&text) { '\n' } else { ' ' });
        }
        text.push_str(&words);
    }
    text.chars().take(MAX_TEXT).collect()
}

/// What is written in capitals throughout is said in no other words.
fn calm(words: &str) -> Cow<'_, str> {
    let shouted = words.chars().filter(|c| c.is_alphabetic()).count() > 1 && !words.chars().any(char::is_lowercase);
    if shouted { words.to_lowercase().into() } else { words.into() }
}

/// Words behind which a phrase goes on.
const UNFINISHED: &[&str] = &["к", "ко", "у", "на", "в", "во", "с", "со", "и", "или", "для", "зовут", "to", "with", "at", "for", "is"];

/// The last word leaves its phrase open: «её зовут».
fn goes_on(text: &str) -> bool {
    text.split_whitespace().next_back().is_some_and(|word| UNFINISHED.contains(&word.to_lowercase().as_str()))
}

pub(crate) fn silence(state: State) -> Step {
    Step::Say(Reply { state, messages: Vec::new(), pause: None })
}

impl<'t> Mind<'t> {
    /// Nothing is heard yet, and nothing was before.
    fn begin(state: State, turn: &'t Turn<'t>) -> Self {
        Self {
            turn,
            before: State::default(),
            state,
            heard: Understood::default(),
            cues: Cues::default(),
            text: String::new(),
            parts: Vec::new(),
            hello: String::new(),
            effects: 0,
        }
    }

    /// The voice to answer in.
    pub(crate) fn voice(&self) -> Voice<'t> {
        Voice {
            salon: self.turn.salon,
            lang: self.state.lang,
            today: self.turn.now.date(),
            variant: self.state.turns.saturating_sub(1),
            guest: self.state.wish.for_somebody,
        }
    }

    /// Has an effect carried out.
    pub(crate) fn act(self, effect: Effect, next: Next) -> Step {
        if self.effects >= MAX_EFFECTS {
            return self.failed();
        }
        let Self { before, state, heard, text, parts, hello, effects, .. } = self;
        Step::Do(effect, Pending { before, state, heard, text, parts, hello, effects: effects + 1, next })
    }

    /// Ends the turn with these words after what was to be said anyway.
    pub(crate) fn say(mut self, words: String) -> Step {
        self.parts.push(words);
        self.done(None)
    }

    pub(crate) fn done(mut self, pause: Option<Pause>) -> Step {
        self.parts.retain(|part| !part.is_empty());
        // Asked for again, what stands is told once.
        self.parts.dedup();
        let words = [self.hello, self.parts.join("\n")];
        let words = words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ");
        let messages = if words.is_empty() { Vec::new() } else { vec![words] };
        Step::Say(Reply { state: self.state, messages, pause })
    }

    /// Ends the turn with a question; after it was asked often enough, with another way.
    pub(crate) fn ask(mut self, question: Question, words: String) -> Step {
        let again = self.before.question.as_ref() == Some(&question);
        let times = if again { self.before.asked_times + 1 } else { 1 };
        if let (Question::WhichService(services), false) = (&question, self.state.wish.unclear.is_empty() || times <= MAX_ASKED) {
            let words = self.voice().ask_first_service(services[0], &self.state.wish);
            return self.ask(Question::FirstService(services.clone()), words);
        }
        if times > MAX_ASKED && question != Question::CallPerson {
            let words = self.voice().ask_person();
            return self.ask(Question::CallPerson, words);
        }
        if question == Question::CallPerson && times > MAX_ASKED {
            return self.hand_over(HandOverReason::BeyondUs);
        }
        if matches!(question, Question::WhichVisit(_)) {
            self.state.passed.clear();
        }
        self.state.question = Some(question);
        self.state.asked_times = times;
        self.say(words)
    }

    /// The booking system cannot be reached: nothing is known, so nothing is claimed.
    pub(crate) fn failed(self) -> Step {
        if matches!(self.before.question, Some(Question::Retry { .. })) {
            return self.hand_over(HandOverReason::SystemDown);
        }
        let question = self.before.question.clone().map(Box::new);
        let text = self.text.clone();
        let mut mind = self;
        let now = std::mem::replace(&mut mind.state, mind.before.clone());
        (mind.state.lang, mind.state.greeted, mind.state.unsettled) = (now.lang, now.greeted, now.unsettled);
        let words = mind.voice().failed();
        mind.ask(Question::Retry { text, question }, words)
    }

    /// Notes what a receipt proves.
    pub(crate) fn receive(&mut self, receipt: &Receipt) {
        match receipt {
            Receipt::Booked(booking) => {
                self.state.booked_on.clone_from(&self.text);
                self.state.guest_booked = self.state.wish.for_somebody;
                self.state.guest_named = None;
                self.state.remember(booking.clone());
                self.state.stood = None;
            }
            Receipt::Moved { from, to } => {
                self.state.remember(to.clone());
                self.state.stood = Some(from.clone());
            }
            Receipt::Cancelled(booking) => {
                self.state.stood = None;
                let gone = booking.get().record_id;
                self.state.last.retain(|known| known.get().record_id != gone);
                self.state.cancelled = Some(booking.clone());
            }
        }
    }

    /// Now, in the salon's zone.
    pub(crate) fn now(&self) -> DateTime {
        self.turn.now
    }
}

#[cfg(test)]
mod tests {
    use domain::{Attendance, Phone, RecordId, ServiceId, Slot, StaffId};
    use jiff::{ToSpan, civil::date};
    use language::{Intent, Lang, Reader, When};
    use proptest::{
        collection::vec,
        option,
        prelude::*,
        sample::{Index, select},
    };

    use super::*;
    use crate::{Customer, Refusal, plan::tests::salon};

    fn now() -> DateTime {
        date(2026, 3, 4).at(10, 0, 0, 0)
    }

    fn when() -> impl Strategy<Value = When> {
        (0..100_i64, 0..24_i64, any::<bool>(), any::<bool>(), 0..6_u8).prop_map(|(days, hours, time_only, ambiguous, kind)| {
            let from = now().saturating_add((days - 5).days()).saturating_add(hours.hours());
            let to = from.saturating_add(3.hours());
            match kind {
                0 => When::At { from, time_only, ambiguous },
                1 => When::Day { from: from.date(), ambiguous },
                2 => When::Days { from: from.date(), to: to.date(), ambiguous },
                3 => When::Window { from, to, time_only, ambiguous },
                4 => When::After { from, time_only, ambiguous },
                _ => When::Before { to, time_only, ambiguous },
            }
        })
    }

    /// Anything that a reader could ever make of words, sensible or not.
    fn understood() -> impl Strategy<Value = Understood> {
        use Intent::{
            Book, Cancel, Choose, Complaint, Confirm, Decline, FreeTimes, Greeting, Human, Info, Late, MyBookings, Other, Price,
            Reschedule, Review, Services, Staff, Stop, Thanks,
        };
        let often = vec![Book, Confirm, Reschedule, Cancel, FreeTimes, Decline, Choose, MyBookings, Other];
        let seldom = vec![Greeting, Price, Services, Staff, Info, Late, Thanks, Human, Complaint, Stop, Review];
        let intents = vec(prop_oneof![6 => select(often), 1 => select(seldom)], 1..3);
        let ids = || vec(1..4_i64, 0..3);
        let what = (ids(), any::<bool>(), ids(), ids(), vec(when(), 0..3));
        let flags = (vec(any::<bool>(), 8), 0..4_u8, option::of(0..5_usize), option::of(-600..600_i64));
        (intents, what, flags).prop_map(|(intents, (services, services_ambiguous, staff, not, when), (flags, people, choice, shift))| {
            Understood {
                intents,
                service_ids: services.into_iter().map(ServiceId).collect(),
                services_ambiguous,
                staff_ids: staff.into_iter().map(StaffId).collect(),
                staff_any: flags[0] && flags[1],
                staff_not_ids: if flags[1] { Vec::new() } else { not.into_iter().map(StaffId).collect() },
                when,
                name: flags[2].then(|| "Инна".to_owned()),
                people,
                choice,
                same_as_last: flags[3] && flags[4],
                staff_same: flags[4] && flags[5],
                staff_other: flags[5] && flags[6],
                same_time: flags[6],
                shift_minutes: shift.filter(|_| flags[7] && flags[0]),
                when_impossible: flags[7] && flags[3],
                service_unknown: (flags[1] && flags[2]).then(|| "тату".to_owned()),
                when_refused: if flags[2] && flags[6] { vec![When::Day { from: now().date(), ambiguous: false }] } else { Vec::new() },
                lang: Lang::Ru,
                ..Understood::default()
            }
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the test is the booking system")]
    fn read_back(booking: &Booking) -> ReadBack<Booking> {
        ReadBack::from_booking_system(booking.clone(), jiff::Timestamp::UNIX_EPOCH)
    }

    fn booking(seed: i64) -> Booking {
        Booking {
            record_id: RecordId(seed % 3),
            booking_id: None,
            staff_id: StaffId(seed % 4),
            services: vec![ServiceId(seed % 5)],
            start: now().saturating_add((seed % 50 - 2).hours()),
            minutes: 60,
            client_name: "Инна".into(),
            client_phone: None,
            cost: None,
            attendance: Attendance::Waiting,
            deleted: seed % 11 == 0,
            locked: seed % 7 == 0,
        }
    }

    /// What could come of an effect: mostly something of its own kind.
    fn outcome(effect: &Effect, seed: i64) -> Outcome {
        let refusals = [Refusal::SlotTaken, Refusal::Gone, Refusal::NotAllowed, Refusal::PhoneRefused, Refusal::NotOffered];
        match (seed % 9, effect) {
            (0, _) => Outcome::Failed,
            (1, Effect::Book { .. } | Effect::Move { .. } | Effect::Cancel { .. }) => Outcome::Unsettled,
            (2, Effect::Book { .. } | Effect::Move { .. } | Effect::Cancel { .. }) => {
                Outcome::Refused(refusals[usize::try_from(seed / 9 % 5).unwrap_or(0)])
            }
            (3, _) => Outcome::LastVisit(None),
            (_, Effect::FreeTimes { from, staff, .. }) => {
                let slot = |i: i64| Slot {
                    start: from.at(9, 0, 0, 0).saturating_add((i * 30).minutes()),
                    staff_id: staff.unwrap_or(StaffId(i % 4)),
                };
                Outcome::FreeTimes((0..seed % 60).map(slot).collect())
            }
            (_, Effect::MyBookings) => Outcome::Bookings((0..seed % 4).map(|i| read_back(&booking(seed + i))).collect()),
            (_, Effect::LastVisit) => Outcome::LastVisit((seed % 2 == 0).then(|| booking(seed))),
            (_, Effect::Book { .. }) => Outcome::Done(Receipt::Booked(read_back(&booking(seed)))),
            (_, Effect::Move { .. }) => {
                Outcome::Done(Receipt::Moved { from: read_back(&booking(seed)), to: read_back(&booking(seed + 1)) })
            }
            (_, Effect::Cancel { .. }) => Outcome::Done(Receipt::Cancelled(read_back(&booking(seed)))),
            (_, Effect::HandOver { .. }) => Outcome::HandedOver,
        }
    }

    #[test]
    fn a_burst_is_one_text() {
        for (burst, text) in [
            (&["когда у меня", "запись?"][..], "когда у меня запись?"),
            (&["КОГДА У МЕНЯ", "ЗАПИСЬ?"], "когда у меня запись?"),
            (&["Добрый день", "Нужна стрижка", "в среду", "12:30"], "Добрый день\nНужна стрижка в среду 12:30"),
            (&["её зовут", "Лидия"], "её зовут Лидия"),
            (&[" ", "да"], "да"),
        ] {
            let heard: Vec<Heard> = burst.iter().map(|text| Heard { text: (*text).into(), kind: HeardKind::Text }).collect();
            assert_eq!(joined(&heard), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        // Any understood message in any state, and any outcome of any effect, gives a defined step.
        #[test]
        fn total(turns in vec((understood(), vec(0..100_000_i64, 13)), 1..12), known in any::<Index>()) {
            let salon = salon();
            let reader = Reader::new(Some(&salon));
            let phone = [None, Phone::from_digits("79161234567").ok()][known.index(2)].clone();
            let customer = Customer { phone, push_name: None, client: None };
            let heard: [Heard; 0] = [];
            let turn = Turn { salon: &salon, reader: &reader, now: now(), customer: &customer, heard: &heard };
            let mut state = State::default();
            for (number, (heard, seeds)) in turns.into_iter().enumerate() {
                let stopped = state.stopped;
                state.paused = None;
                state.wish.keep_known(&salon);
                let mut proofs = 0;
                let mind = Mind {
                    turn: &turn,
                    before: state.clone(),
                    state,
                    heard,
                    cues: Cues::default(),
                    text: format!("текст {}", number % 3),
                    parts: Vec::new(),
                    hello: String::new(),
                    effects: 0,
                };
                let mut step = mind.answer();
                let mut seeds = seeds.into_iter();
                let reply = loop {
                    match step {
                        Step::Say(reply) => break reply,
                        Step::Do(effect, pending) => {
                            let outcome = outcome(&effect, seeds.next().expect("at most twelve effects"));
                            proofs += usize::from(matches!(outcome, Outcome::Done(_)));
                            step = resume(pending, outcome, &turn);
                        }
                    }
                };
                let said = reply.messages.join("\n").to_lowercase();
                prop_assert!(stopped || !said.trim().is_empty());
                let claims = ["записала", "перенесла", "изменила", "отменила"].iter().any(|word| said.contains(word));
                prop_assert_eq!(claims, proofs > 0, "{}", said);
                state = reply.state;
            }
        }
    }
}
