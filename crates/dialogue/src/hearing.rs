//! What the words of a turn mean in the light of what was asked before them.

use domain::{Salon, ServiceId, StaffId};
use jiff::civil::Time;
use language::{Asked, Context, Intent, Reader, Understood, When};

use crate::{
    cues::Cues,
    plan::Visit,
    state::Question,
    turn::{MAX_ASKED, Mind},
};

/// Words that say of which kind a service is to be.
const MOST_WORDS_OF_A_KIND: usize = 4;

/// Letters from which on a message shows what language its writer speaks.
const LETTERS_OF_A_LANGUAGE: usize = 4;

impl Mind<'_> {
    /// Reads the turn's words in the light of what was asked.
    pub(crate) fn read(&mut self, text: String) {
        self.heard = self.turn.reader.read(&text, self.turn.now, &self.context());
        // «Ok» is said in any language.
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if letters >= LETTERS_OF_A_LANGUAGE || (letters > 0 && self.before.greeted.is_none()) {
            self.state.lang = self.heard.lang;
        }
        if let Some(apart) = self.refused_without_a_comma(&text) {
            self.heard = apart;
        }
        if let Some(named) = self.named_more_closely(&text) {
            self.heard = named;
        }
        self.cues = Cues::read(&text);
        // «Меня на маникюр, мужа на стрижку»: one service each.
        if self.cues.somebody_else && self.cues.me && !self.heard.services_ambiguous && self.heard.service_ids.len() == 2 {
            self.heard.people = 2;
        }
        self.text = text;
    }

    /// A reader that knows these services of the salon and no others.
    pub(crate) fn reader_of(&self, services: &[ServiceId]) -> Reader {
        let salon = self.turn.salon;
        let those = salon.services.iter().filter(|service| services.contains(&service.id)).cloned().collect();
        Reader::new(Some(&Salon { services: those, ..salon.clone() }))
    }

    /// «Завтра не получится можно в пятницу»: what is refused and what is wanted, where no comma stands between them.
    fn refused_without_a_comma(&self, text: &str) -> Option<Understood> {
        if !self.heard.when_refused.is_empty() || self.heard.when.len() < 2 {
            return None;
        }
        let context = self.context();
        let read = |text: &str| self.turn.reader.read(text, self.turn.now, &context);
        let apart = |(first, second): &(&str, &str)| {
            let first = read(first);
            !first.when_refused.is_empty() && first.when.is_empty() && !read(second).when.is_empty()
        };
        let (first, second) = text.match_indices(' ').map(|(at, _)| text.split_at(at)).find(apart)?;
        Some(read(&format!("{first},{second}")))
    }

    /// «Мужской», after a manicure was asked for: what says nothing by itself may say more of the service.
    fn named_more_closely(&self, text: &str) -> Option<Understood> {
        let wish = &self.state.wish;
        let nothing = self.heard.intents == [Intent::Other] && !self.names_details() && self.heard.name.is_none();
        if !nothing || wish.named.is_empty() || wish.moving.is_some() || text.split_whitespace().count() > MOST_WORDS_OF_A_KIND {
            return None;
        }
        let read = |text: &str| self.turn.reader.read(text, self.turn.now, &Context::default());
        let (before, now) = (read(&wish.named), read(&format!("{} {text}", wish.named)));
        let one_of_many = !now.services_ambiguous && now.service_ids.len() == 1 && now.service_ids != before.service_ids;
        one_of_many.then(|| Understood {
            intents: vec![Intent::Book],
            service_ids: now.service_ids,
            lang: self.heard.lang,
            ..Understood::default()
        })
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
        self.asks_what_is_free() || (self.cues.asks_free && !self.heard.has(Intent::Reschedule))
    }

    /// The same in so many words, which needs no visit that stands.
    pub(crate) fn asks_what_is_free(&self) -> bool {
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

    /// «Спасибо за стрижку, всё супер!» wants none.
    pub(crate) fn praises(&self) -> bool {
        let heard = &self.heard;
        heard.intents == [Intent::Thanks]
            && !heard.service_ids.is_empty()
            && heard.when.is_empty()
            && !self.cues.question
            && !self.cues.wish
    }

    /// A question that nothing could be made of.
    pub(crate) fn asks_what_is_not_known(&self) -> bool {
        let nothing = self.heard.intents == [Intent::Other] && !self.names_details() && !self.heard.when_impossible;
        // «Так можно?» asks of what was offered.
        let of_the_offer = self.cues.words <= 2 && self.cues.wish;
        nothing && !of_the_offer && self.cues.question && self.cues.words > 1 && self.heard.name.is_none() && self.heard.phone.is_none()
    }

    /// A service with a question mark and nothing else.
    pub(crate) fn asks_of_another(&self) -> bool {
        let heard = &self.heard;
        let bare = heard.when.is_empty() && heard.staff_ids.is_empty() && heard.intents == [Intent::Book];
        self.cues.question && bare && !self.cues.visit && !self.cues.wish && !heard.service_ids.is_empty()
    }

    /// «А 13-го?», «а Фарида?» after opening hours were told.
    pub(crate) fn asks_of_other_hours(&self) -> bool {
        let heard = &self.heard;
        let days = heard.when.iter().all(|when| matches!(when, When::Day { .. } | When::Days { .. }));
        let idle = self.state.wish.services.is_empty() && self.state.wish.moving.is_none();
        let bare = heard.intents == [Intent::Book] && heard.service_ids.is_empty() && idle;
        self.before.told == Some(Intent::Info) && self.cues.question && bare && days && self.names_details()
    }

    /// The words carry something to act on, beyond yes, no, and noise.
    pub(crate) fn worth_hearing(&self) -> bool {
        use Intent::{Book, Cancel, FreeTimes, Info, Late, MyBookings, Price, Reschedule, Review, Services, Staff, Thanks};
        let acts = [Book, Cancel, FreeTimes, Info, Late, MyBookings, Price, Reschedule, Review, Services, Staff, Thanks];
        self.names_details() || self.heard.when_impossible || acts.iter().any(|intent| self.heard.has(*intent))
    }

    /// The time of day that «время то же» means.
    pub(crate) fn same_time(&self) -> Option<Time> {
        let standing = self.state.wish.moving.as_ref().or(self.state.last.last()).or(self.state.cancelled.as_ref());
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
}
