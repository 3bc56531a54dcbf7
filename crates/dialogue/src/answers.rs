//! What is told without asking the booking system: prices, services, masters, the salon, small talk.

use domain::ServiceId;
use jiff::{ToSpan, civil::Date};
use language::{Asked, Context, InfoTopic, Intent, When};

use crate::{
    HandOverReason, Step,
    effect::Effect,
    moment::Want,
    plan::{Visit, masters},
    state::{Purpose, Question, Wish},
    turn::{Mind, Next},
};

impl Mind<'_> {
    /// Adds what the words ask about the salon; whether there was anything. `aside`: something else is
    /// being arranged and goes on.
    pub(crate) fn tell(&mut self, aside: bool) -> bool {
        let voice = self.voice();
        let named = self.heard.service_ids.clone();
        let topic = if named.is_empty() { self.topic() } else { named.clone() };
        // «А сколько это стоит?» right after a booking is about it.
        let last = self.state.last.last().map(|booking| booking.get().services.clone()).unwrap_or_default();
        let priced = if topic.is_empty() { last } else { topic.clone() };
        let asks = [Intent::Price, Intent::Services, Intent::Staff].iter().any(|intent| self.heard.has(*intent));
        let not_done = asks && self.tell_not_done();
        let alternatives = if named.is_empty() { !self.state.wish.unclear.is_empty() } else { self.heard.services_ambiguous };
        let mut told = Vec::new();
        for intent in self.heard.intents.clone() {
            match intent {
                Intent::Price | Intent::Services if named.is_empty() && not_done => told.push(voice.price_list()),
                Intent::Price if priced.is_empty() => told.push(voice.price_list()),
                Intent::Price => {
                    told.push(voice.prices(&priced));
                    if priced.len() > 1 && !alternatives {
                        told.push(voice.sum(&named));
                    }
                }
                Intent::Services if named.is_empty() => told.push(voice.price_list()),
                Intent::Services if !self.heard.has(Intent::Price) => told.push(voice.about_services(&named)),
                Intent::Staff => {
                    let mut able = masters(self.turn.salon, &topic);
                    able.retain(|id| !self.heard.staff_not_ids.contains(id));
                    let day = self.heard.when.first().map(When::date).filter(|_| self.heard.when.len() == 1);
                    if let Some(day) = day.filter(|day| self.turn.salon.opening_hours(*day).is_some()) {
                        able.retain(|id| !self.turn.salon.hours_of(*id, day).is_empty());
                    }
                    if !able.is_empty() {
                        told.push(voice.masters(&topic, &able, day));
                    }
                }
                Intent::Info => {
                    told.extend(self.info(&topic, aside));
                    self.note_day_asked_of();
                }
                Intent::Review => told.push(voice.review(self.heard.rating)),
                _ => {}
            }
        }
        if !told.is_empty() && !named.is_empty() && !aside {
            // What is asked about is what a «давайте» would then book.
            self.note_services();
        }
        if !told.is_empty() {
            let kinds = [Intent::Price, Intent::Staff, Intent::Services];
            self.state.told = self.heard.intents.iter().copied().find(|intent| kinds.contains(intent));
            if self.state.told.is_none() && self.heard.info_topics.contains(&InfoTopic::Hours) {
                self.state.told = Some(Intent::Info);
            }
        }
        let any = !told.is_empty() || not_done;
        self.parts.append(&mut told);
        any
    }

    /// Says which works of those asked for are not done here; whether there are any.
    pub(crate) fn tell_not_done(&mut self) -> bool {
        let Some(work) = &self.heard.service_unknown else { return false };
        let words = self.voice().not_done_here(work);
        if !self.parts.contains(&words) {
            self.parts.push(words);
        }
        true
    }

    /// What the salon's card says to a question of it; what it does not say, a person can.
    fn info(&self, services: &[ServiceId], aside: bool) -> Vec<String> {
        let voice = self.voice();
        let about = |topic| self.heard.info_topics.contains(&topic);
        let days = self.days_named();
        let mut told = Vec::new();
        if about(InfoTopic::Duration) && !services.is_empty() && !self.heard.has(Intent::Price) {
            told.push(voice.lengths(services));
        }
        if about(InfoTopic::Address) {
            told.push(voice.place());
        }
        if about(InfoTopic::Hours) || (!days.is_empty() && self.heard.info_topics.is_empty()) {
            match self.heard.staff_ids.as_slice() {
                [] => told.push(voice.hours(None, &days)),
                _ => told.extend(self.working_hours()),
            }
        }
        if about(InfoTopic::Contacts) {
            told.push(voice.phone());
        }
        told.retain(|words| !words.is_empty());
        if self.is_beyond_the_card() {
            told.push(voice.a_person_knows(aside));
        } else if told.is_empty() && !about(InfoTopic::Duration) {
            told.extend([voice.place(), voice.hours(None, &days), voice.phone(), voice.a_person_knows_else()]);
        }
        told.retain(|words| !words.is_empty());
        vec![told.join(" ")]
    }

    /// «В субботу работаете?»: a wish that follows is about that Saturday.
    fn note_day_asked_of(&mut self) {
        let [day] = self.days_named()[..] else { return };
        let idle = self.state.wish.services.is_empty() && self.state.wish.unclear.is_empty() && self.state.wish.moving.is_none();
        if idle && self.heard.service_ids.is_empty() && self.turn.salon.opening_hours(day).is_some() {
            self.state.wish.when = self.heard.when.iter().take(1).map(Want::read).collect();
        }
    }

    /// When the masters that the words name work.
    pub(crate) fn working_hours(&self) -> Vec<String> {
        let (voice, days) = (self.voice(), self.days_named());
        self.heard.staff_ids.iter().take(3).map(|staff| voice.hours(Some(*staff), &days)).collect()
    }

    /// The days that the words name, a week of them at most.
    fn days_named(&self) -> Vec<Date> {
        let mut days: Vec<Date> = Vec::new();
        for when in &self.heard.when {
            let want = Want::read(when);
            days.extend(want.from.series(1.day()).take_while(|day| *day <= want.to).take(7));
        }
        days.dedup();
        days.truncate(7);
        days
    }

    /// Something is asked that people of the salon know and its card does not say.
    pub(crate) fn is_beyond_the_card(&self) -> bool {
        use InfoTopic::{Address, Contacts, Duration, Hours};
        let known = |topic: &InfoTopic| matches!(topic, Address | Contacts | Duration | Hours);
        self.heard.has(Intent::Info) && self.heard.info_topics.iter().any(|topic| !known(topic))
    }

    /// The services being talked of.
    fn topic(&self) -> Vec<ServiceId> {
        let wish = &self.state.wish;
        if wish.services.is_empty() { wish.unclear.clone() } else { wish.services.clone() }
    }

    /// After a side question: back to the open one, or an offer to go on.
    pub(crate) fn after_telling(mut self, open: Option<Question>) -> Step {
        if let Some(question) = open {
            return self.put_again(question);
        }
        self.state.puzzled = 0;
        let only_info = self.heard.intents.iter().all(|intent| matches!(intent, Intent::Info | Intent::Greeting | Intent::Thanks));
        if !self.heard.service_ids.is_empty() {
            // «Можно беременным на массаж в субботу?»: what follows is about that Saturday.
            self.note(false);
        }
        if self.is_beyond_the_card() || (self.heard.has(Intent::Info) && self.heard.info_topics.is_empty() && only_info) {
            self.state.question = Some(Question::CallPerson);
            self.state.asked_times = 1;
            return self.say(String::new());
        }
        if self.state.wish.services.len() == 1 && !self.heard.has(Intent::Review) {
            let words = self.voice().ask_find_times();
            return self.ask(Question::FindTimes, words);
        }
        self.say(String::new())
    }

    /// Another of the times that were offered before one of them was booked, by its number.
    fn other_number(&self) -> Option<Visit> {
        let passed = &self.state.passed;
        let booked = self.state.last.last()?.get();
        if passed.len() < 2 || self.names_details() || !passed.iter().any(|visit| visit.start() == booked.start) {
            return None;
        }
        let offered = passed.iter().map(Visit::start).collect();
        let context = Context { asked: Some(Asked::Choice), offered, day: None };
        let number = self.turn.reader.read(&self.text, self.turn.now, &context).choice?;
        passed.get(number.checked_sub(1)?).filter(|visit| visit.seats.len() == 1 && visit.start() != booked.start).cloned()
    }

    /// Nothing to look up: greetings, thanks, yes and no to nothing, and what nobody understands.
    pub(crate) fn small_talk(mut self) -> Step {
        if let (Some(visit), Some(booking)) = (self.other_number(), self.state.last.last().cloned()) {
            // «Ой, третье», when one of several times was just booked.
            self.state.wish = Wish { moving: Some(booking), services: visit.seats[0].services.clone(), ..Wish::default() };
            return self.confirm(visit);
        }
        let voice = self.voice();
        if self.heard.has(Intent::Thanks) {
            return self.say(voice.thanks());
        }
        if self.heard.has(Intent::Decline) || self.cues.later {
            // «Передумала, не надо» right after a booking is most likely about it.
            if let [booking] = self.state.last.as_slice() {
                let booking = booking.clone();
                let words = voice.ask_really_cancel(&[booking.get()]);
                return self.ask(Question::ReallyCancel(vec![booking]), words);
            }
            return self.say(voice.all_right());
        }
        if self.heard.name.is_some() && !self.state.last.is_empty() {
            // It stands on another name: the salon is told, for it cannot be changed from here.
            return self.hand_over(HandOverReason::Name);
        }
        if let (true, Some(booking)) = (self.heard.has(Intent::Confirm), self.state.last.last()) {
            let words = voice.stands(booking.get());
            return self.say(words);
        }
        if self.cues.visit && self.heard.has(Intent::Confirm) {
            if self.cues.wish {
                // «Хочу записаться.»
                return self.book();
            }
            // «Подтверждаю запись.»
            return self.act(Effect::MyBookings, Next::Own(Purpose::List));
        }
        if self.plain_yes() && self.state.cancelled.is_some() {
            return self.say(voice.all_right());
        }
        if self.plain_yes() && !self.heard.has(Intent::Greeting) && !self.hello.is_empty() {
            // The day begins with a yes to something that was not asked here: most likely to a reminder.
            return self.act(Effect::MyBookings, Next::Own(Purpose::List));
        }
        if self.heard.has(Intent::Greeting) && self.is_known() && self.state.last.is_empty() {
            return self.act(Effect::LastVisit, Next::Usual);
        }
        if self.heard.has(Intent::Greeting) || self.heard.has(Intent::Confirm) || self.heard.name.is_some() {
            return self.say(voice.how_can_i_help());
        }
        if self.asks_what_is_not_known() {
            let words = voice.a_person_knows(false);
            return self.ask(Question::CallPerson, words);
        }
        self.state.puzzled = self.state.puzzled.saturating_add(1);
        if self.state.puzzled % 2 == 1 {
            return self.say(voice.puzzled());
        }
        self.parts.push(voice.puzzled());
        let words = voice.ask_person();
        self.ask(Question::CallPerson, words)
    }
}
