//! Answers to what was asked of a booking to be: which time, which service, what name, what number.

use domain::ServiceId;
use jiff::civil::Date;
use language::{Asked, Context, Intent, When};

use crate::{
    Step,
    moment::Want,
    plan::Visit,
    state::{Question, ToLast, Wish},
    turn::Mind,
};

impl Mind<'_> {
    /// One of the offered times was meant, or something else.
    pub(crate) fn chose_visit(mut self, visits: Vec<Visit>) -> Step {
        let elsewhere = [Intent::Cancel, Intent::Reschedule, Intent::MyBookings, Intent::Late];
        // «Да, переносите»
        let agrees = self.heard.has(Intent::Confirm) && !self.heard.has(Intent::Cancel) && !self.names_details();
        if let ([only], true, true) = (visits.as_slice(), agrees, self.state.wish.moving.is_some()) {
            return self.confirm(only.clone());
        }
        if elsewhere.iter().any(|intent| self.heard.has(*intent)) {
            return self.wanted();
        }
        let another = self.cues.more && !self.heard.service_ids.is_empty() && !self.heard.services_ambiguous && !self.heard.when.is_empty();
        if let ([only], true) = (visits.as_slice(), another && self.heard.has(Intent::Confirm)) {
            // «Да, и ещё брови в четверг в 10»: a visit of its own.
            let services = self.heard.service_ids.clone();
            let when = self.heard.when.iter().map(Want::read).collect();
            self.state.wish.then = vec![Wish { services, when, staff: self.heard.staff_ids.clone(), ..Wish::default() }];
            return self.confirm(only.clone());
        }
        if let Some(visit) = self.choice(&visits) {
            self.tell(true);
            self.state.passed = visits;
            return self.confirm(visit);
        }
        let many = visits.len() > 1;
        if (self.plain_no() && self.heard.has(Intent::Thanks)) || (self.cues.later && !self.names_details()) {
            self.state.wish = Wish::default();
            let words = self.voice().all_right();
            return self.say(words);
        }
        if self.plain_no() {
            self.state.wish.when.clear();
            let words = self.voice().another_time();
            return self.ask(Question::Day, words);
        }
        if many && self.plain_yes() {
            let words = self.voice().ask_first(&visits[0], self.state.wish.moving.is_some());
            return self.ask(Question::FirstVisit(visits), words);
        }
        if self.names_details() || self.heard.when_impossible {
            if self.only_asks() {
                return self.wanted_with(Some(Question::WhichVisit(visits)));
            }
            self.tell(true);
            self.note(true);
            return self.arrange();
        }
        self.wanted_with(Some(Question::WhichVisit(visits)))
    }

    /// A question beside the offer.
    pub(crate) fn only_asks(&self) -> bool {
        let asks = [Intent::Price, Intent::Services, Intent::Staff, Intent::Info];
        let wants = self.heard.has(Intent::Book) || self.heard.has(Intent::FreeTimes) || self.orders_of_whoever();
        !wants && asks.iter().any(|intent| self.heard.has(*intent))
    }

    /// «К тому, кто бреет, в воскресенье в 13»: no question, whatever it says of masters.
    fn orders_of_whoever(&self) -> bool {
        let heard = &self.heard;
        let exact = heard.when.iter().any(|when| matches!(when, When::At { .. }));
        let asks = [Intent::Price, Intent::Services, Intent::Info];
        exact && !self.cues.question && !asks.iter().any(|intent| heard.has(*intent))
    }

    /// The offered time that the words mean.
    fn choice(&self, visits: &[Visit]) -> Option<Visit> {
        let heard = &self.heard;
        if heard.has(Intent::Decline) && heard.choice.is_none() && heard.when.is_empty() {
            return None;
        }
        if self.cues.more && !heard.service_ids.is_empty() {
            return None;
        }
        let yes = heard.has(Intent::Confirm) || (heard.has(Intent::Choose) && heard.when.is_empty());
        let asks = self.asks_for_times();
        let new_service = !heard.service_ids.is_empty()
            && visits[0].seats.iter().all(|seat| seat.services.iter().all(|id| !heard.service_ids.contains(id)));
        if new_service || heard.staff_other || heard.people > 1 && visits[0].seats.len() == 1 {
            return None;
        }
        // «Завтра» narrows what is looked for; «то, что завтра», «давайте завтра» choose what was shown there.
        let narrows = !heard.when.is_empty() && heard.when.iter().all(|when| matches!(when, When::Day { .. })) && !self.cues.which;
        let days: Vec<Date> = visits.iter().map(|visit| visit.start().date()).collect();
        let fits = |visit: &&Visit| {
            let time = heard.when.is_empty()
                || heard.when.iter().map(Want::read).any(|mut want| {
                    if !want.day_said {
                        (want.from, want.to) = (*days.iter().min().unwrap_or(&want.from), *days.iter().max().unwrap_or(&want.to));
                    }
                    want.fits(visit.start())
                });
            let staff = heard.staff_ids.is_empty() || visit.staff().iter().any(|id| heard.staff_ids.contains(id));
            let refused = visit.staff().iter().any(|id| heard.staff_not_ids.contains(id));
            time && staff && !refused
        };
        if let Some(number) = heard.choice.filter(|_| heard.has(Intent::Confirm) || !(asks || narrows)) {
            // «Тогда во вторник, к Саше» is no number of a visit with somebody else.
            return visits.get(number.checked_sub(1)?).filter(fits).cloned();
        }
        let timed = heard.when.iter().any(|when| matches!(when, When::At { .. }));
        let asked_for =
            |visit: &Visit| self.state.wish.when.iter().any(|want| want.hours.is_some() && want.moment() == Some(visit.start()));
        // A day or a master alone narrows what is looked for; it is no yes to the one time shown there.
        let picks = timed || (yes && (visits.len() == 1 || (heard.when.is_empty() && !heard.staff_ids.is_empty())));
        let mut fitting = visits.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) if picks && (yes || !asks) => Some(only.clone()),
            // One of the alternatives that the customer had named to the minute.
            (Some(only), None) if !heard.when.is_empty() && self.state.wish.when.len() > 1 && asked_for(only) => Some(only.clone()),
            _ => None,
        }
    }

    /// One of the services that fit equally well was meant.
    pub(crate) fn chose_service(mut self, services: Vec<ServiceId>) -> Step {
        let by_number = self.heard.choice.and_then(|number| services.get(number.checked_sub(1)?));
        let by_name: Vec<ServiceId> = services.iter().copied().filter(|id| self.heard.service_ids.contains(id)).collect();
        // «На полтора часа»: of works that differ in length.
        let as_long = |id: &ServiceId| self.turn.salon.service(*id).is_some_and(|service| Some(service.minutes) == self.heard.length);
        let by_length: Vec<ServiceId> = services.iter().copied().filter(as_long).collect();
        let chosen = match (by_number, by_name.as_slice(), by_length.as_slice()) {
            (Some(id), ..) | (None, [id], _) => Some(id),
            (None, [], [id]) => {
                self.heard.when.retain(|when| !when.time_only());
                Some(id)
            }
            _ => None,
        };
        if let Some(id) = chosen.copied().or_else(|| self.told_apart(&services)) {
            self.tell(true);
            return self.with_service(id);
        }
        if self.plain_no() {
            self.state.wish = Wish::default();
            let words = self.voice().all_right();
            return self.say(words);
        }
        if self.plain_yes() && !self.state.wish.unclear.is_empty() {
            // A list has no yes: the plainest of it is asked by its name and price.
            let words = self.voice().ask_first_service(services[0], &self.state.wish);
            return self.ask(Question::FirstService(services), words);
        }
        if self.worth_hearing() {
            return self.wanted_with(Some(Question::WhichService(services)));
        }
        self.note(false);
        self.put_again(Question::WhichService(services))
    }

    /// «Женская, волосы длинные»: the words name one of these, if there are no others.
    fn told_apart(&self, services: &[ServiceId]) -> Option<ServiceId> {
        let heard = &self.heard;
        let of_these = heard.service_ids.iter().all(|id| services.contains(id)) && heard.choice.is_none();
        if !of_these || self.plain_yes() || self.plain_no() || self.cues.words < 2 {
            return None;
        }
        let reader = self.reader_of(services);
        let context = Context { asked: Some(Asked::Service), ..Context::default() };
        let read = |text: &str| reader.read(text, self.turn.now, &context);
        let named = [self.text.clone(), format!("{} {}", self.state.wish.named, self.text)];
        named.iter().map(|text| read(text)).find(|read| read.service_ids.len() == 1).map(|read| read.service_ids[0])
    }

    /// It is clear now which service is meant.
    pub(crate) fn with_service(mut self, id: ServiceId) -> Step {
        let wish = &mut self.state.wish;
        wish.settle_service(id);
        let to_last = wish.to_last.take();
        self.heard.service_ids.clear();
        self.note(false);
        match (self.state.last.last().cloned(), to_last) {
            (Some(booking), Some(ToLast::After)) if self.state.wish.when.is_empty() => {
                self.right_after(booking.get());
                self.arrange()
            }
            (Some(booking), Some(ToLast::Instead))
                if self.state.wish.when.iter().all(|want| want.hours == Want::at(booking.get().start).hours) =>
            {
                let words = self.voice().ask_change_service(booking.get(), &self.state.wish.services);
                self.ask(Question::ChangeService(booking), words)
            }
            _ => self.arrange(),
        }
    }

    /// The name was asked for.
    pub(crate) fn gave_name(self, visit: Visit) -> Step {
        if self.state.name.is_some() {
            return self.confirm(visit);
        }
        if self.plain_yes() || (self.asked_enough() && !self.plain_no() && !self.worth_hearing()) {
            // The visit matters more than the name.
            let mut mind = self;
            mind.state.name = Some(mind.voice().guest());
            return mind.confirm(visit);
        }
        self.instead_of_detail(Question::Name(visit))
    }

    /// The phone number was asked for.
    pub(crate) fn gave_phone(self, visit: Visit) -> Step {
        if self.state.phone.is_some() {
            return self.confirm(visit);
        }
        self.instead_of_detail(Question::Phone(visit))
    }

    fn instead_of_detail(mut self, question: Question) -> Step {
        if self.plain_no() {
            self.state.wish = Wish::default();
            let words = self.voice().all_right();
            return self.say(words);
        }
        if self.worth_hearing() {
            return self.wanted_with(Some(question));
        }
        self.put_again(question)
    }
}
