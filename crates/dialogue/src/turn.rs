use domain::{Booking, ReadBack, Receipt, StaffId};
use jiff::civil::{DateTime, Time};
use language::{Asked, Context, Intent, Understood};

use crate::{
    Heard, HeardKind, Pause, Reply, Step, Turn,
    booking::Booked,
    cues::Cues,
    effect::{Effect, HandOverReason, Outcome},
    plan::{Seat, Visit},
    search::Search,
    state::{Purpose, Question, State, Wish},
    wording::Voice,
};

/// Effects of one turn; every path needs fewer.
const MAX_EFFECTS: u8 = 12;

/// Characters of a turn that are read.
const MAX_TEXT: usize = 4096;

/// A review with this score or a lower one is a matter for a person.
const POOR_RATING: u8 = 3;

/// Times that a question is put before another way is offered.
const MAX_ASKED: u8 = 2;

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
    before: State,
    pub(crate) state: State,
    pub(crate) heard: Understood,
    pub(crate) cues: Cues,
    pub(crate) text: String,
    /// What is to be said, in order.
    pub(crate) parts: Vec<String>,
    /// Stands before the first of them.
    hello: String,
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
    let text = joined(turn.heard);
    if text.is_empty() && turn.heard.iter().all(|heard| heard.kind == HeardKind::Reaction) {
        return silence(state);
    }
    let mut mind = Mind {
        turn,
        before: state.clone(),
        state,
        heard: Understood::default(),
        cues: Cues::default(),
        text: String::new(),
        parts: Vec::new(),
        hello: String::new(),
        effects: 0,
    };
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
        (Next::Slots(_) | Next::Own(_) | Next::LastVisit | Next::Beside, _) => mind.failed(),
    }
}

/// The end of an effect that was [`Outcome::Unsettled`], found out between two turns: what the
/// customer is told, and the state that knows it. `None` is "it was not done".
pub fn settled(state: State, receipt: Option<Receipt>, turn: &Turn<'_>) -> Reply {
    let mut mind = Mind::between_turns(state, turn);
    mind.state.unsettled = None;
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
pub fn never_settled(state: State, turn: &Turn<'_>) -> Reply {
    let mut mind = Mind::between_turns(state, turn);
    let words = mind.voice().never_settled();
    mind.state.unsettled = None;
    mind.state.drop_thread();
    mind.state.paused = Some(turn.now.date());
    Reply { state: mind.state, messages: vec![words], pause: Some(Pause::UntilResumedOrNextDay) }
}

/// The words of a burst as one text. People break their messages in the middle of a phrase as often
/// as at its end, so only a capital at the beginning of one starts a new line.
fn joined(heard: &[Heard]) -> String {
    let mut text = String::new();
    let words = heard.iter().filter(|heard| heard.kind != HeardKind::Reaction).map(|heard| heard.text.trim());
    for words in words.filter(|words| !words.is_empty()) {
        let mut letters = words.chars();
        let sentence = letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(|second| !second.is_uppercase());
        if !text.is_empty() {
            text.push(if sentence { '\n' } else { ' ' });
        }
        text.push_str(words);
    }
    text.chars().take(MAX_TEXT).collect()
}

fn silence(state: State) -> Step {
    Step::Say(Reply { state, messages: Vec::new(), pause: None })
}

impl<'t> Mind<'t> {
    /// Nothing was heard: something is told of itself.
    fn between_turns(state: State, turn: &'t Turn<'t>) -> Self {
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

    fn done(mut self, pause: Option<Pause>) -> Step {
        self.parts.retain(|part| !part.is_empty());
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

    /// Calls a person.
    pub(crate) fn hand_over(self, reason: HandOverReason) -> Step {
        let summary = self.summary();
        self.act(Effect::HandOver { summary, reason }, Next::HandedOver(reason))
    }

    fn handed_over(mut self, reason: HandOverReason, told: bool) -> Step {
        let voice = self.voice();
        if !told {
            self.state.question = None;
            return self.say(voice.nobody_called());
        }
        let words = match reason {
            HandOverReason::Late => return self.say(voice.late_passed_on()),
            HandOverReason::Complaint => voice.complaint_passed_on(),
            HandOverReason::Asked | HandOverReason::BeyondUs | HandOverReason::SystemDown => voice.called_person(),
        };
        self.state.drop_thread();
        self.state.paused = Some(self.turn.now.date());
        self.parts.push(words);
        self.done(Some(Pause::UntilResumedOrNextDay))
    }

    /// What an administrator has to know, in Russian.
    fn summary(&self) -> String {
        let voice = Voice { lang: language::Lang::Ru, ..self.voice() };
        let mut lines = Vec::new();
        if let Some(name) = self.client_name() {
            lines.push(format!("Клиент: {name}"));
        }
        let said: String = self.text.chars().take(300).collect();
        lines.push(format!("Пишет: «{said}»"));
        let wish = &self.state.wish;
        if !wish.services.is_empty() {
            lines.push(format!("Речь о: {}", voice.services(&wish.services)));
        }
        if let Some(at) = wish.when.first().and_then(|want| want.moment()) {
            lines.push(format!("Хочет прийти: {}", voice.moment(at)));
        }
        lines.join("\n")
    }

    /// Reads the turn's words in the light of what was asked.
    pub(crate) fn read(&mut self, text: String) {
        self.heard = self.turn.reader.read(&text, self.turn.now, &self.context());
        if text.chars().any(char::is_alphabetic) {
            self.state.lang = self.heard.lang;
        }
        self.cues = Cues::read(&text);
        self.text = text;
    }

    fn context(&self) -> Context {
        let state = &self.state;
        let (asked, mut offered) = match &state.question {
            None | Some(Question::Phone(_)) => (None, Vec::new()),
            Some(Question::Service | Question::Usual(_) | Question::WhichService(_) | Question::FirstService(_)) => {
                (Some(Asked::Service), Vec::new())
            }
            Some(Question::Day) => (Some(if state.wish.day().is_some() { Asked::Time } else { Asked::Day }), Vec::new()),
            Some(Question::WhichVisit(visits)) => {
                let asked = if visits.len() == 1 { Asked::Confirm } else { Asked::Choice };
                (Some(asked), visits.iter().map(Visit::start).collect())
            }
            Some(Question::FirstVisit(visits)) => (Some(Asked::Choice), visits.iter().map(Visit::start).collect()),
            Some(Question::Name(_)) => (Some(Asked::Name), Vec::new()),
            Some(Question::WhichBooking(_, bookings)) => {
                (Some(Asked::Choice), bookings.iter().map(|booking| booking.get().start).collect())
            }
            Some(Question::ReallyCancel(bookings)) => (Some(Asked::Confirm), bookings.iter().map(|booking| booking.get().start).collect()),
            Some(Question::ChangeService(booking)) => (Some(Asked::Confirm), vec![booking.get().start]),
            Some(Question::FindTimes | Question::CallPerson | Question::Retry { .. }) => (Some(Asked::Confirm), Vec::new()),
        };
        if offered.is_empty() {
            let moving = state.wish.moving.as_ref().map(|booking| booking.get().start);
            offered = moving.into_iter().chain(state.last.last().map(|booking| booking.get().start)).take(1).collect();
        }
        let day = state.wish.day().or_else(|| {
            let days: Vec<_> = offered.iter().map(|start| start.date()).collect();
            days.first().copied().filter(|first| days.iter().all(|day| day == first))
        });
        Context { asked, offered, day }
    }

    /// What is free is asked first of all; nothing is to be booked or moved unasked.
    pub(crate) fn asks_for_times(&self) -> bool {
        let acts = [Intent::Book, Intent::Reschedule, Intent::FreeTimes];
        self.heard.intents.iter().find(|intent| acts.contains(intent)) == Some(&Intent::FreeTimes)
    }

    /// The customer's own «да» and nothing that would change what it is said to.
    pub(crate) fn plain_yes(&self) -> bool {
        self.heard.has(Intent::Confirm) && !self.heard.has(Intent::Decline) && !self.names_details()
    }

    pub(crate) fn plain_no(&self) -> bool {
        self.heard.has(Intent::Decline) && !self.names_details()
    }

    /// The words name a service, a master, or a time.
    pub(crate) fn names_details(&self) -> bool {
        let heard = &self.heard;
        !heard.service_ids.is_empty()
            || !heard.staff_ids.is_empty()
            || !heard.staff_not_ids.is_empty()
            || heard.staff_any
            || heard.staff_other
            || !heard.when.is_empty()
            || heard.same_as_last
            || heard.shift_minutes.is_some()
            || heard.people > 1
    }

    /// Notes what a receipt proves.
    pub(crate) fn receive(&mut self, receipt: &Receipt) {
        match receipt {
            Receipt::Booked(booking) | Receipt::Moved { to: booking, .. } => self.state.remember(booking.clone()),
            Receipt::Cancelled(booking) => {
                let gone = booking.get().record_id;
                self.state.last.retain(|known| known.get().record_id != gone);
            }
        }
    }

    /// Decides what the words want.
    pub(crate) fn answer(mut self) -> Step {
        if self.heard.has(Intent::Stop) {
            return self.stop();
        }
        if self.heard.has(Intent::Complaint) {
            return self.hand_over(HandOverReason::Complaint);
        }
        if self.heard.has(Intent::Human) {
            return self.hand_over(HandOverReason::Asked);
        }
        if let Some(name) = &self.heard.name {
            let asked = matches!(self.state.question, Some(Question::Name(_)));
            let whose = if self.cues.somebody_else && !asked { &mut self.state.wish.guest_name } else { &mut self.state.name };
            *whose = Some(name.clone());
        }
        if let Some(phone) = &self.heard.phone {
            self.state.phone = Some(phone.clone());
        }
        self.greet();
        match self.state.question.take() {
            Some(question) => self.answered(question),
            None => self.wanted(),
        }
    }

    fn greet(&mut self) {
        let today = self.turn.now.date();
        let first = self.state.greeted != Some(today) && self.heard.intents != [Intent::Thanks];
        if first || (self.heard.has(Intent::Greeting) && self.heard.intents.len() == 1) {
            let name = self.first_name();
            self.hello = self.voice().hello(name.as_deref());
            self.state.greeted = Some(today);
        }
    }

    fn stop(mut self) -> Step {
        let again = std::mem::replace(&mut self.state.stopped, true);
        self.state.drop_thread();
        if again {
            return silence(self.state);
        }
        let words = self.voice().stopped();
        self.say(words)
    }

    /// The words as an answer to `question`, which the state holds no more.
    fn answered(mut self, question: Question) -> Step {
        match question {
            Question::Retry { text, question } if self.heard.has(Intent::Confirm) || !self.worth_hearing() => {
                self.state.question = question.map(|question| *question);
                self.read(text);
                match self.state.question.take() {
                    Some(question) => self.answered(question),
                    None => self.wanted(),
                }
            }
            Question::CallPerson if self.plain_yes() => self.hand_over(HandOverReason::Asked),
            Question::FindTimes if self.plain_yes() => self.arrange(),
            Question::CallPerson | Question::FindTimes | Question::Retry { .. } if self.plain_no() => {
                let words = self.voice().all_right();
                self.say(words)
            }
            Question::CallPerson | Question::FindTimes | Question::Retry { .. } => self.wanted(),
            Question::Usual(visit) => self.answered_usual(*visit),
            Question::FirstService(services) if self.plain_yes() && self.heard.choice.is_none() => self.with_service(services[0]),
            Question::WhichService(services) | Question::FirstService(services) => self.chose_service(services),
            Question::WhichVisit(visits) => self.chose_visit(visits),
            Question::FirstVisit(visits) if self.plain_yes() && self.heard.choice.is_none() => self.confirm(visits[0].clone()),
            Question::FirstVisit(visits) => self.chose_visit(visits),
            Question::WhichBooking(purpose, bookings) => self.chose_booking(purpose, bookings),
            Question::ReallyCancel(bookings) => self.answered_cancel(bookings),
            Question::ChangeService(booking) => self.answered_change(booking),
            Question::Name(visit) => self.gave_name(visit),
            Question::Phone(visit) => self.gave_phone(visit),
            Question::Service | Question::Day => {
                if self.worth_hearing() {
                    return self.wanted_with(Some(question));
                }
                if self.plain_no() {
                    self.state.wish = Wish::default();
                    let words = self.voice().all_right();
                    return self.say(words);
                }
                self.put_again(question)
            }
        }
    }

    /// The words carry something to act on, beyond yes, no, and noise.
    pub(crate) fn worth_hearing(&self) -> bool {
        use Intent::{Book, Cancel, FreeTimes, Info, Late, MyBookings, Price, Reschedule, Review, Services, Staff, Thanks};
        let acts = [Book, Cancel, FreeTimes, Info, Late, MyBookings, Price, Reschedule, Review, Services, Staff, Thanks];
        self.names_details() || self.heard.when_impossible || acts.iter().any(|intent| self.heard.has(*intent))
    }

    /// Puts an open question once more, in its own words.
    pub(crate) fn put_again(self, question: Question) -> Step {
        let voice = self.voice();
        let words = match &question {
            Question::Service => return self.ask_service_again(),
            Question::Usual(visit) => voice.ask_usual(visit, &self.state.wish),
            Question::WhichService(services) => voice.ask_which_service(services),
            Question::FirstService(services) => voice.ask_first_service(services[0], &self.state.wish),
            Question::Day => match &self.state.wish.moving {
                Some(booking) => voice.ask_new_time(booking.get()),
                None => voice.ask_day(),
            },
            Question::WhichVisit(visits) => match visits.as_slice() {
                [only] => voice.ask_this_one(only, self.state.wish.moving.is_some()),
                many => voice.ask_which_number(many.len()),
            },
            Question::FirstVisit(visits) => voice.ask_first(&visits[0], self.state.wish.moving.is_some()),
            Question::Name(_) => voice.ask_name_again(),
            Question::Phone(_) => voice.ask_phone_again(),
            Question::WhichBooking(purpose, bookings) => {
                let bookings: Vec<&Booking> = bookings.iter().map(ReadBack::get).collect();
                voice.which_booking(*purpose, &bookings, &self.state.wish, false)
            }
            Question::ReallyCancel(bookings) => {
                let bookings: Vec<&Booking> = bookings.iter().map(ReadBack::get).collect();
                voice.ask_really_cancel(&bookings)
            }
            Question::ChangeService(booking) => voice.ask_change_service(booking.get(), &self.state.wish.services),
            Question::FindTimes => voice.ask_find_times(),
            Question::CallPerson => voice.ask_person(),
            Question::Retry { .. } => voice.failed(),
        };
        self.ask(question, words)
    }

    /// The words by themselves.
    pub(crate) fn wanted(self) -> Step {
        self.wanted_with(None)
    }

    /// The words by themselves, with `open` to come back to after a side question.
    pub(crate) fn wanted_with(mut self, open: Option<Question>) -> Step {
        if self.heard.has(Intent::Review) && self.heard.rating.is_some_and(|rating| rating <= POOR_RATING) {
            return self.hand_over(HandOverReason::Complaint);
        }
        if self.heard.has(Intent::Price) && self.heard.service_ids.is_empty() && self.cues.visit && self.state.wish.is_empty() {
            // «Сколько с меня за завтрашний визит?»
            return self.act(Effect::MyBookings, Next::Own(Purpose::List));
        }
        let told = self.tell(open.is_some());
        let heard = &self.heard;
        // «По каким дням вы работаете?» is told, and no times need to be looked up for it.
        let told_hours =
            told && heard.has(Intent::Info) && heard.has(Intent::FreeTimes) && heard.service_ids.is_empty() && self.state.wish.is_empty();
        if told && !heard.has(Intent::Book) && (self.is_beyond_the_card() || told_hours) {
            return self.after_telling(open);
        }
        // A question about cancelling is no wish to cancel: the reader says so by leaving the intent out.
        for intent in heard.intents.clone() {
            match intent {
                // «Завтра не получится, можно в четверг?»
                Intent::Cancel if !self.heard.when_refused.is_empty() && !self.heard.when.is_empty() => return self.reschedule(),
                Intent::Cancel => return self.act(Effect::MyBookings, Next::Own(Purpose::Cancel)),
                Intent::Reschedule => return self.reschedule(),
                Intent::MyBookings => return self.act(Effect::MyBookings, Next::Own(Purpose::List)),
                Intent::Late => return self.hand_over(HandOverReason::Late),
                Intent::Book | Intent::FreeTimes => return self.book(),
                _ => {}
            }
        }
        if told {
            let of_a_time = !self.heard.when.is_empty() && !self.heard.has(Intent::Info) && !self.state.wish.services.is_empty();
            if of_a_time && open.is_none() {
                // «Сколько стоит укладка, и можно ли в субботу в 11?»
                return self.book();
            }
            return self.after_telling(open);
        }
        let beside_the_last = self.cues.somebody_else && (self.cues.in_turn || self.cues.alongside || self.heard.staff_same);
        if self.names_details() || self.heard.when_impossible || (beside_the_last && !self.state.last.is_empty()) {
            return self.book();
        }
        if self.cues.keep {
            return self.act(Effect::MyBookings, Next::Own(Purpose::List));
        }
        if let Some(question) = open {
            return self.put_again(question);
        }
        self.small_talk()
    }

    /// The time of day that «время то же» means.
    pub(crate) fn same_time(&self) -> Option<Time> {
        let standing = self.state.wish.moving.as_ref().or(self.state.last.last());
        self.heard.same_time.then(|| standing.map(|booking| booking.get().start.time())).flatten()
    }

    /// The master that «к ней же» means.
    pub(crate) fn same_staff(&self) -> Option<StaffId> {
        let standing = self.state.wish.moving.as_ref().or(self.state.last.last());
        self.heard.staff_same.then(|| standing.map(|booking| booking.get().staff_id)).flatten()
    }

    /// The question before this turn was about the service.
    pub(crate) fn was_asked_for_service(&self) -> bool {
        matches!(self.before.question, Some(Question::Service | Question::Usual(_) | Question::WhichService(_) | Question::FirstService(_)))
    }

    /// The question before this turn was of the visit that is wanted, so that a yes to it is one to the visit's moment.
    pub(crate) fn was_asked_about_the_wish(&self) -> bool {
        !matches!(self.before.question, None | Some(Question::FindTimes | Question::CallPerson))
    }

    /// The question before this turn was put as often as it may be.
    pub(crate) fn asked_enough(&self) -> bool {
        self.before.asked_times >= MAX_ASKED
    }

    /// Times were offered before this turn.
    pub(crate) fn offered(&self) -> bool {
        matches!(self.before.question, Some(Question::WhichVisit(_) | Question::FirstVisit(_)))
    }

    /// Now, in the salon's zone.
    pub(crate) fn now(&self) -> DateTime {
        self.turn.now
    }
}

#[cfg(test)]
mod tests {
    use domain::{Attendance, Phone, RecordId, ServiceId, Slot};
    use jiff::{ToSpan, civil::date};
    use language::{Lang, Reader, When};
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
                lang: Lang::Ru,
                ..Understood::default()
            }
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the test is the booking system")]
    fn read_back(booking: &Booking) -> ReadBack<Booking> {
        ReadBack::from_booking_system(booking.clone())
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
            (&["КОГДА У МЕНЯ", "ЗАПИСЬ?"], "КОГДА У МЕНЯ ЗАПИСЬ?"),
            (&["Добрый день", "Нужна стрижка", "в среду", "12:30"], "Добрый день\nНужна стрижка в среду 12:30"),
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
            for (heard, seeds) in turns {
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
                    text: "текст".into(),
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
