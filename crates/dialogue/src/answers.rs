//! What is told without asking the booking system: prices, services, masters, the salon, small talk.

use jiff::civil::Date;
use language::{Intent, When};

use crate::{Step, plan::masters, state::Question, turn::Mind};

impl Mind<'_> {
    /// Adds what the words ask about the salon; whether there was anything. `aside`: something else is
    /// being arranged and goes on.
    pub(crate) fn tell(&mut self, aside: bool) -> bool {
        let voice = self.voice();
        let named = self.heard.service_ids.clone();
        let topic = if named.is_empty() { self.topic() } else { named.clone() };
        let mut told = Vec::new();
        for intent in self.heard.intents.clone() {
            match intent {
                Intent::Price if topic.is_empty() => told.push(voice.price_list()),
                Intent::Price => told.push(voice.prices(&topic)),
                Intent::Services if named.is_empty() => told.push(voice.price_list()),
                Intent::Services if !self.heard.has(Intent::Price) => told.push(voice.about_services(&named)),
                Intent::Staff => {
                    let able = if topic.is_empty() { masters(self.turn.salon, &[]) } else { masters(self.turn.salon, &topic) };
                    if !able.is_empty() {
                        told.push(voice.masters(&topic, &able));
                    }
                }
                Intent::Info => {
                    let mut days: Vec<Date> = self.heard.when.iter().map(When::date).collect();
                    days.dedup();
                    days.truncate(3);
                    told.push(voice.about_salon(&days));
                }
                Intent::Review => told.push(voice.review()),
                _ => {}
            }
        }
        if !told.is_empty() && !named.is_empty() && !aside {
            // What is asked about is what a «давайте» would then book.
            self.note_services();
        }
        let any = !told.is_empty();
        self.parts.append(&mut told);
        any
    }

    /// The services being talked of.
    fn topic(&self) -> Vec<domain::ServiceId> {
        let wish = &self.state.wish;
        if wish.services.is_empty() { wish.unclear.clone() } else { wish.services.clone() }
    }

    /// After a side question: back to the open one, or an offer to go on.
    pub(crate) fn after_telling(mut self, open: Option<Question>) -> Step {
        if let Some(question) = open {
            return self.put_again(question);
        }
        self.state.puzzled = 0;
        if self.heard.has(Intent::Info) && self.heard.intents.iter().all(|intent| matches!(intent, Intent::Info | Intent::Greeting)) {
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

    /// Nothing to look up: greetings, thanks, yes and no to nothing, and what nobody understands.
    pub(crate) fn small_talk(mut self) -> Step {
        let voice = self.voice();
        if self.heard.has(Intent::Thanks) {
            return self.say(voice.thanks());
        }
        if self.heard.has(Intent::Decline) {
            // «Передумала, не надо» right after a booking is most likely about it.
            if let [booking] = self.state.last.as_slice() {
                let booking = booking.clone();
                let words = voice.ask_really_cancel(booking.get());
                return self.ask(Question::ReallyCancel(booking), words);
            }
            return self.say(voice.all_right());
        }
        if let (true, Some(booking)) = (self.heard.has(Intent::Confirm), self.state.last.last()) {
            let words = voice.stands(booking.get());
            return self.say(words);
        }
        if self.heard.has(Intent::Greeting) || self.heard.has(Intent::Confirm) || self.heard.name.is_some() {
            return self.say(voice.how_can_i_help());
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
