//! What the words of a turn want: an answer to the open question, or something by itself.

use domain::{Booking, ReadBack};
use language::{InfoTopic, Intent, When};

use crate::{
    HandOverReason, Step,
    effect::Effect,
    moment::Want,
    state::{Purpose, Question, Wish},
    turn::{Mind, Next, silence},
};

/// A review with this score or a lower one is a matter for a person.
const POOR_RATING: u8 = 3;

impl Mind<'_> {
    /// Decides what the words want.
    pub(crate) fn answer(mut self) -> Step {
        if self.heard.has(Intent::Stop) {
            return self.stop();
        }
        if self.heard.has(Intent::Complaint) {
            return self.hand_over(HandOverReason::Complaint);
        }
        if self.heard.has(Intent::Human) && self.cues.machine {
            // «Вы бот?» asks for an honest answer; a person is called if one is wanted.
            let words = self.voice().what_i_am();
            return self.ask(Question::CallPerson, words);
        }
        if self.heard.has(Intent::Human) {
            return self.hand_over(HandOverReason::Asked);
        }
        if let Some(name) = &self.heard.name {
            let asked = matches!(self.state.question, Some(Question::Name(_)));
            let booked = self.state.wish.is_empty() && !self.state.last.is_empty();
            let guest = self.cues.somebody_else || (!self.cues.me && (self.state.wish.for_somebody || booked && self.state.guest_booked));
            let whose = match guest && !asked {
                true if booked => &mut self.state.guest_named,
                true => &mut self.state.wish.guest_name,
                false => &mut self.state.name,
            };
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
            Question::FindTimes if self.before.told.is_some() && self.asks_of_another() => {
                // «А тонирование?» asks what was asked of something else.
                self.heard.intents = self.before.told.into_iter().collect();
                self.wanted()
            }
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
            Question::WhichBooking(Purpose::List, bookings) => self.of_those_told(bookings),
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

    /// The words by themselves.
    pub(crate) fn wanted(self) -> Step {
        self.wanted_with(None)
    }

    /// The words by themselves, with `open` to come back to after a side question.
    pub(crate) fn wanted_with(mut self, open: Option<Question>) -> Step {
        self.part_errands();
        if self.praises() {
            let words = self.voice().thanks();
            return match open {
                Some(question) => {
                    self.parts.push(words);
                    self.put_again(question)
                }
                None => self.say(words),
            };
        }
        if open.is_none() && self.asks_of_other_hours() {
            self.heard.intents = vec![Intent::Info];
            self.heard.info_topics = vec![InfoTopic::Hours];
        }
        if self.heard.has(Intent::Review) && self.heard.rating.is_some_and(|rating| rating <= POOR_RATING) {
            return self.hand_over(HandOverReason::Complaint);
        }
        let names_work = !self.heard.service_ids.is_empty() || self.heard.service_unknown.is_some();
        if self.heard.has(Intent::Price) && !names_work && self.cues.visit && self.state.wish.is_empty() {
            // «Сколько с меня за завтрашний визит?»
            return self.act(Effect::MyBookings, Next::Own(Purpose::List));
        }
        if self.cues.back && !self.names_details() && self.state.wish.is_empty() && self.state.cancelled.is_some() {
            return self.bring_back();
        }
        if open.is_none() && self.regrets_moving() {
            return self.move_back();
        }
        let nothing_open = open.is_none() && self.state.wish.is_empty();
        let changes = [Intent::Cancel, Intent::Reschedule].iter().any(|intent| self.heard.has(*intent));
        if nothing_open && self.cues.keep && !changes && !self.heard.service_ids.is_empty() && self.heard.when.is_empty() {
            // «Бороду не надо, только стрижку оставьте.»
            return self.act(Effect::MyBookings, Next::Own(Purpose::List));
        }
        if nothing_open && self.heard.has(Intent::Confirm) && self.cues.visit && !self.cues.wish && self.heard.service_ids.is_empty() {
            // «Подтверждаю запись на среду.»
            return self.act(Effect::MyBookings, Next::Own(Purpose::List));
        }
        if nothing_open && self.state.cancelled.is_some() && self.cues.too && self.names_details() && self.heard.people <= 1 {
            // «И укладку тоже», when something was just cancelled.
            return self.act(Effect::MyBookings, Next::Own(Purpose::Cancel));
        }
        // «Маникюр в четверг в 10, и картой можно?»: the question stands beside a wish.
        let exact = self.heard.when.iter().any(|when| matches!(when, When::At { .. }));
        let beside = exact && !self.heard.service_ids.is_empty() && self.heard.has(Intent::Info) && open.is_none();
        let told = self.tell(open.is_some() || beside);
        let heard = &self.heard;
        // «По каким дням вы работаете?» is told, and no times need to be looked up for it.
        let told_hours =
            told && heard.has(Intent::Info) && heard.has(Intent::FreeTimes) && heard.service_ids.is_empty() && self.state.wish.is_empty();
        let wants = heard.has(Intent::Book) && (self.names_details() || self.cues.visit);
        if told && !beside && !wants && (self.is_beyond_the_card() || told_hours) {
            return self.after_telling(open);
        }
        // A question about cancelling is no wish to cancel: the reader says so by leaving the intent out.
        for intent in heard.intents.clone() {
            match intent {
                Intent::Cancel | Intent::Reschedule if self.rethinks_the_wish() => return self.book(),
                // «Завтра не получится, можно в четверг?»
                Intent::Cancel if !self.heard.when_refused.is_empty() && !self.heard.when.is_empty() => return self.reschedule(),
                Intent::Cancel => return self.act(Effect::MyBookings, Next::Own(Purpose::Cancel)),
                Intent::Reschedule => return self.reschedule(),
                Intent::MyBookings => return self.act(Effect::MyBookings, Next::Own(Purpose::List)),
                // «К 18 не успеваю, давайте на 18:30.»
                Intent::Late if !self.heard.when_refused.is_empty() && !self.heard.when.is_empty() => return self.reschedule(),
                Intent::Late => return self.hand_over(HandOverReason::Late),
                Intent::Book | Intent::FreeTimes => return self.book(),
                _ => {}
            }
        }
        if told {
            let of_a_time = beside || !self.heard.when.is_empty() && !self.heard.has(Intent::Info) && !self.state.wish.services.is_empty();
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
            self.tell_past();
            if self.asks_what_is_not_known() {
                let words = self.voice().a_person_knows(true);
                self.parts.push(words);
            }
            return self.put_again(question);
        }
        self.small_talk()
    }

    /// «В субботу не смогу, давайте в понедельник», where Saturday was asked for and nothing is booked yet.
    fn rethinks_the_wish(&self) -> bool {
        let (heard, wish) = (&self.heard, &self.state.wish);
        let refused = |want: &Want| {
            heard.when_refused.iter().map(Want::read).any(|not| match not.day_said {
                true => not.from <= want.from && want.to <= not.to,
                false => not.hours.is_some() && not.hours == want.hours,
            })
        };
        wish.moving.is_none() && !heard.when.is_empty() && wish.when.iter().any(refused)
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
}
