//! What the customer wants, gathered from their words: what is missing is asked, what stands already
//! is seen.

use domain::{Booking, ReadBack, Salon, ServiceId};
use language::{Intent, When};

use crate::{
    Step,
    cues::Cues,
    effect::Effect,
    moment::{self, HoursWanted, Want},
    plan::{self, NoPlan},
    state::{Question, ToLast, Wish},
    turn::{Mind, Next},
    wording::LONG_LIST,
};

/// What words after a booking mean for it.
enum Correction {
    /// They ask for what stands already.
    Stands(Box<Booking>),
    /// It is to be moved.
    Move,
    /// Other services, in their stead or beside them.
    Service(ReadBack<Booking>, Vec<ServiceId>),
    /// One of these other services.
    OneOf(Vec<ServiceId>, ToLast),
    /// More services, right after it.
    Beside(Box<Booking>, Vec<ServiceId>),
}

impl Mind<'_> {
    /// A wish to book, or a question of free times.
    pub(crate) fn book(mut self) -> Step {
        if let Some(step) = self.corrects_last() {
            return match step {
                Correction::Stands(booking) => {
                    let words = self.voice().stands(&booking);
                    self.say(words)
                }
                Correction::Move => self.start_moving_last(),
                Correction::Beside(booking, services) => {
                    self.state.wish.services = services;
                    self.right_after(&booking);
                    self.arrange()
                }
                Correction::OneOf(services, to_last) => {
                    self.state.wish.unclear.clone_from(&services);
                    self.state.wish.to_last = Some(to_last);
                    let words = self.voice().ask_which_service(&services);
                    self.ask(Question::WhichService(services), words)
                }
                Correction::Service(booking, services) => {
                    self.state.wish.services = services;
                    let words = self.voice().ask_change_service(booking.get(), &self.state.wish.services);
                    self.ask(Question::ChangeService(booking), words)
                }
            };
        }
        let adds = self.cues.more && self.cues.visit && !self.heard.service_ids.is_empty() && !self.asks_for_times();
        if adds && self.state.wish.is_empty() && self.state.last.is_empty() {
            return self.act(Effect::MyBookings, Next::Beside);
        }
        let shifts = self.heard.shift_minutes.is_some() && self.heard.service_ids.is_empty();
        if shifts && self.state.wish.is_empty() {
            // «А можно прийти на полчаса раньше?»
            return self.reschedule();
        }
        if self.state.wish.moving.is_some() && self.heard.has(Intent::Book) && !self.heard.service_ids.is_empty() {
            self.state.wish = Wish::default();
        }
        if self.state.wish.moving.is_some() {
            return self.aim();
        }
        self.note(false);
        if self.heard.same_as_last && self.state.wish.services.is_empty() {
            return self.act(Effect::LastVisit, Next::LastVisit);
        }
        self.arrange()
    }

    /// «Добавьте к записи снятие»: right after the one booking that is meant, if there is one.
    pub(crate) fn beside(mut self, bookings: Vec<ReadBack<Booking>>) -> Step {
        let now = self.now();
        let said: Vec<Want> = self.heard.when.iter().map(Want::read).collect();
        let meant = |booking: &Booking| {
            !booking.deleted && booking.start > now && said.iter().all(|want| want.hours.is_none() && want.fits(booking.start))
        };
        let mut meant = bookings.iter().map(ReadBack::get).filter(|booking| meant(booking));
        if let (Some(only), None) = (meant.next(), meant.next()) {
            self.heard.when.clear();
            self.note(false);
            self.right_after(only);
            // What stands was not said in this chat: shown, not booked unasked.
            self.state.wish.when.iter_mut().for_each(|want| want.carried = true);
        } else {
            self.note(false);
        }
        self.arrange()
    }

    /// Takes what the words say into the wish. `offered`: times were offered since the last words.
    pub(crate) fn note(&mut self, offered: bool) {
        self.note_services();
        self.note_somebody_else();
        let same_staff = self.same_staff();
        let same_time = self.same_time();
        let heard = &self.heard;
        let salon = self.turn.salon;
        let last_staff = self.state.last.last().map(|booking| booking.get().staff_id);
        let wish = &mut self.state.wish;
        // «Отец и сын» is a service for two in one chair.
        let of_itself = |id: &ServiceId| salon.service(*id).is_some_and(|service| Cues::read(&service.title).somebody_else);
        if wish.services.iter().any(of_itself) {
            wish.people = 1;
        } else if heard.people > 1 {
            wish.people = heard.people;
        }
        wish.in_turn |= self.cues.in_turn && wish.people > 1;
        if !heard.staff_ids.is_empty() {
            wish.staff.clone_from(&heard.staff_ids);
            wish.staff_any = false;
        } else if heard.staff_any {
            wish.staff.clear();
            wish.staff_any = true;
        } else if heard.staff_other {
            wish.staff_not.extend(std::mem::take(&mut wish.staff));
            wish.staff_not.extend(last_staff);
        } else if let Some(staff) = same_staff.filter(|_| wish.staff.is_empty()) {
            wish.staff = vec![staff];
        }
        wish.staff_not.extend(&heard.staff_not_ids);
        wish.staff_not.retain(|id| !heard.staff_ids.contains(id));
        wish.staff.retain(|id| !heard.staff_not_ids.contains(id));
        if !heard.when.is_empty() {
            wish.when = moment::merge(&wish.when, &heard.when, offered, heard.same_time);
        }
        if let Some(day) = self.state.last.last().map(|booking| booking.get().start.date()).filter(|_| wish.for_somebody) {
            // «И брата в 15»: on the day that was just booked.
            for want in wish.when.iter_mut().filter(|want| !want.day_said) {
                (want.from, want.to, want.day_said) = (day, day, true);
            }
        }
        if let Some(time) = same_time {
            for want in wish.when.iter_mut().filter(|want| want.hours.is_none()) {
                want.hours = Some(HoursWanted::At(time));
            }
        }
    }

    /// Takes the services that the words name into the wish.
    pub(crate) fn note_services(&mut self) {
        let heard = &self.heard;
        let wish = &mut self.state.wish;
        if heard.service_ids.is_empty() || wish.moving.is_some() {
            return;
        }
        let known = wish.services.iter().any(|id| heard.service_ids.contains(id));
        let more = self.cues.more && !known && !wish.services.is_empty();
        if !heard.services_ambiguous {
            let mut services = std::mem::take(&mut wish.services);
            if self.cues.less && services.iter().any(|id| !heard.service_ids.contains(id)) {
                services.retain(|id| !heard.service_ids.contains(id));
            } else {
                services.retain(|_| more);
                services.extend(&heard.service_ids);
            }
            wish.services = without_parts(self.turn.salon, services);
            wish.unclear.clear();
            wish.unclear_next.clear();
            wish.beside.clear();
            return;
        }
        if known {
            return;
        }
        if more {
            wish.beside.clone_from(&wish.services);
        }
        if heard.service_options.len() > 1 {
            // «На бороду, моделирование»: what is named clearly needs no asking where it is meant again.
            let clear: Vec<ServiceId> = heard.service_options.iter().filter(|options| options.len() == 1).flatten().copied().collect();
            let again = |options: &Vec<ServiceId>| options.len() > 1 && options.iter().any(|id| clear.contains(id));
            wish.unclear_next = heard.service_options.iter().filter(|options| !again(options)).cloned().collect();
            wish.unclear = wish.unclear_next.remove(0);
            wish.services.clear();
            return;
        }
        let narrowed: Vec<ServiceId> = wish.unclear.iter().copied().filter(|id| heard.service_ids.contains(id)).collect();
        wish.unclear = if narrowed.is_empty() { heard.service_ids.clone() } else { narrowed };
        wish.services.clear();
    }

    /// «И друга после меня» right after a booking: the same for somebody else.
    fn note_somebody_else(&mut self) {
        if !self.cues.somebody_else || self.heard.people > 1 || self.state.wish.moving.is_some() {
            return;
        }
        self.state.wish.for_somebody = true;
        let Some(last) = self.state.last.last().map(|booking| booking.get().clone()) else { return };
        let wish = &mut self.state.wish;
        if !wish.unclear.is_empty() || (wish.services.is_empty() && !self.heard.service_ids.is_empty()) {
            return;
        }
        if wish.services.is_empty() {
            wish.services.clone_from(&last.services);
            let words = self.voice().for_somebody(&last.services);
            self.parts.push(words);
        }
        let wish = &mut self.state.wish;
        if self.heard.when.is_empty() && wish.when.is_empty() {
            if self.cues.in_turn {
                self.right_after(&last);
            } else if self.cues.alongside || self.heard.same_time {
                wish.when = vec![Want::at(last.start)];
            }
        }
    }

    /// Aims at the end of a booking, with its master if possible.
    pub(crate) fn right_after(&mut self, booking: &Booking) {
        let wish = &mut self.state.wish;
        wish.when = vec![Want::at(booking.end())];
        let able = self.turn.salon.staff_for(&wish.services).contains(&booking.staff_id);
        if wish.staff.is_empty() && !wish.staff_any && able && self.heard.staff_ids.is_empty() && !self.heard.staff_other {
            wish.staff = vec![booking.staff_id];
        }
    }

    /// «Ой, лучше в 16» after a booking is about that booking; the same request once more is no second one.
    fn corrects_last(&self) -> Option<Correction> {
        let heard = &self.heard;
        let last = self.state.last.last()?.get();
        if !self.state.wish.is_empty() || heard.people > 1 || heard.same_as_last || self.cues.somebody_else {
            return None;
        }
        let parts = |ids: &[ServiceId]| {
            let mut parts = self.turn.salon.parts(ids);
            parts.sort_unstable();
            parts
        };
        let same_service = !heard.services_ambiguous && parts(&heard.service_ids) == parts(&last.services);
        let same_master = heard.staff_ids.iter().all(|id| *id == last.staff_id) && !heard.staff_other;
        let wants = self.wants_for(last, heard.when.iter().map(Want::read).collect());
        let stands =
            |want: &Want| want.moment() == Some(last.start) || (!heard.when.is_empty() && want.hours.is_none() && want.fits(last.start));
        let says_something = !wants.is_empty() || !heard.staff_ids.is_empty();
        if (heard.service_ids.is_empty() || same_service) && same_master && says_something && wants.iter().all(stands) {
            return Some(Correction::Stands(Box::new(last.clone())));
        }
        let new_service = !heard.service_ids.is_empty() && !heard.services_ambiguous && !same_service;
        if new_service && heard.when.is_empty() && heard.staff_ids.is_empty() && !heard.has(Intent::FreeTimes) {
            if self.cues.more {
                return Some(Correction::Beside(Box::new(last.clone()), heard.service_ids.clone()));
            }
            return self.state.last.last().cloned().map(|last| Correction::Service(last, heard.service_ids.clone()));
        }
        let unclear = heard.services_ambiguous && heard.service_options.len() < 2 && heard.when.is_empty() && heard.staff_ids.is_empty();
        if unclear && !heard.has(Intent::FreeTimes) {
            return self.unclear_correction(last);
        }
        let elsewhere = !heard.when.is_empty() || !same_master;
        (heard.service_ids.is_empty() && elsewhere && !self.asks_for_times()).then_some(Correction::Move)
    }

    /// «Ой, не японский, классический» after a booking: what stands is not meant, and its master's services come first.
    fn unclear_correction(&self, last: &Booking) -> Option<Correction> {
        let mut options = self.heard.service_ids.clone();
        options.retain(|id| !last.services.contains(id));
        let theirs = |id: &ServiceId| self.turn.salon.service(*id).is_some_and(|service| service.done_by(last.staff_id));
        if options.iter().any(theirs) {
            options.retain(theirs);
        }
        match options.as_slice() {
            [] => None,
            [_] if self.cues.more => Some(Correction::Beside(Box::new(last.clone()), options)),
            [_] => self.state.last.last().cloned().map(|booking| Correction::Service(booking, options)),
            _ => Some(Correction::OneOf(options, if self.cues.more { ToLast::After } else { ToLast::Instead })),
        }
    }

    /// The moments said, as they would be for a booking that stands: what is not said stays as it is.
    pub(crate) fn wants_for(&self, booking: &Booking, mut wants: Vec<Want>) -> Vec<Want> {
        let stands = Want::at(booking.start);
        for want in &mut wants {
            if !want.day_said {
                (want.from, want.to, want.day_said) = (stands.from, stands.to, true);
            }
            if want.hours.is_none() && (self.heard.same_time || want.from != stands.from || want.to != stands.to) {
                want.hours = stands.hours;
                want.carried = !self.heard.same_time;
            }
        }
        wants
    }

    /// «Another service instead?» was asked of a booking.
    pub(crate) fn answered_change(mut self, booking: ReadBack<Booking>) -> Step {
        let heard = &self.heard;
        let stands = |want: &Want| want.moment() == Some(booking.get().start);
        let wants = self.wants_for(booking.get(), heard.when.iter().map(Want::read).collect());
        // «К ней же, время то же» is a yes.
        let as_it_is = heard.service_ids.is_empty()
            && (!wants.is_empty() || !heard.staff_ids.is_empty() || heard.same_time || heard.staff_same)
            && wants.iter().all(stands)
            && heard.staff_ids.iter().all(|id| *id == booking.get().staff_id);
        if self.plain_yes() || (as_it_is && !heard.has(Intent::Decline)) {
            let wish = &mut self.state.wish;
            wish.staff = vec![booking.get().staff_id];
            wish.when = vec![Want::at(booking.get().start)];
            wish.moving = Some(booking);
            return self.arrange();
        }
        if self.plain_no() {
            let words = self.voice().ask_day();
            return self.ask(Question::Day, words);
        }
        self.wanted_with(Some(Question::ChangeService(booking)))
    }

    /// What was had last is wanted again.
    pub(crate) fn last_visit(mut self, visit: Option<Booking>) -> Step {
        let salon = self.turn.salon;
        match visit {
            Some(visit) if visit.services.iter().all(|id| salon.service(*id).is_some()) && !visit.services.is_empty() => {
                let wish = &mut self.state.wish;
                wish.services.clone_from(&visit.services);
                wish.unclear.clear();
                if wish.staff.is_empty() && !wish.staff_any && salon.staff_for(&visit.services).contains(&visit.staff_id) {
                    wish.staff = vec![visit.staff_id];
                }
            }
            _ => {
                let words = self.voice().no_last_visit();
                self.parts.push(words);
            }
        }
        self.arrange()
    }

    /// The salon has seen the customer before.
    pub(crate) fn is_known(&self) -> bool {
        self.turn.customer.client.as_ref().is_some_and(|client| client.visits > 0)
    }

    /// Asks for the service; whom the salon knows, whether it is to be the usual one.
    fn ask_service(mut self) -> Step {
        if self.heard.has(Intent::FreeTimes) && !self.heard.staff_ids.is_empty() {
            // «Диана завтра работает?»
            let words = self.working_hours();
            self.parts.extend(words);
        }
        if self.was_asked_for_service() {
            return self.ask_service_again();
        }
        if self.is_known() && !self.heard.same_as_last {
            return self.act(Effect::LastVisit, Next::Usual);
        }
        let words = self.voice().ask_service();
        self.ask(Question::Service, words)
    }

    /// Asks for the service another way: by the price list.
    pub(crate) fn ask_service_again(self) -> Step {
        let services: Vec<ServiceId> = self.turn.salon.services.iter().map(|service| service.id).collect();
        if services.len() <= LONG_LIST && !services.is_empty() {
            let words = self.voice().ask_which_service(&services);
            return self.ask(Question::WhichService(services), words);
        }
        let words = self.voice().price_list();
        self.ask(Question::Service, words)
    }

    /// What the customer had last is known, or that it is not.
    pub(crate) fn usual(self, visit: Option<Booking>) -> Step {
        let salon = self.turn.salon;
        let voice = self.voice();
        let wants_times = self.heard.has(Intent::Book) || self.heard.has(Intent::FreeTimes) || self.names_details();
        let greeted = !wants_times && self.state.wish.when.is_empty();
        match visit {
            Some(visit) if !visit.services.is_empty() && salon.staff_for(&visit.services).contains(&visit.staff_id) => {
                let words = if greeted { voice.how_can_i_help_as_usual(&visit) } else { voice.ask_usual(&visit, &self.state.wish) };
                self.ask(Question::Usual(Box::new(visit)), words)
            }
            _ if greeted => {
                let words = voice.how_can_i_help();
                self.say(words)
            }
            _ => {
                let words = voice.ask_service();
                self.ask(Question::Service, words)
            }
        }
    }

    /// «Как в прошлый раз?» was asked.
    pub(crate) fn answered_usual(mut self, visit: Booking) -> Step {
        let yes = self.heard.has(Intent::Confirm) && !self.heard.has(Intent::Decline) && self.heard.service_ids.is_empty();
        if yes || self.heard.same_as_last {
            self.note(false);
            return self.last_visit(Some(visit));
        }
        if self.heard.service_ids.is_empty() && !self.heard.has(Intent::Decline) && self.names_details() {
            // A time is no yes to the service.
            self.note(false);
            let words = self.voice().ask_usual(&visit, &self.state.wish);
            return self.ask(Question::Usual(Box::new(visit)), words);
        }
        if self.worth_hearing() {
            return self.wanted_with(Some(Question::Service));
        }
        let words = self.voice().ask_service();
        self.ask(Question::Service, words)
    }

    /// Asks for what is missing, or looks for free times.
    pub(crate) fn arrange(mut self) -> Step {
        self.state.puzzled = 0;
        let voice = self.voice();
        let salon = self.turn.salon;
        if self.heard.staff_unknown.is_some() && self.state.wish.staff.is_empty() {
            self.parts.push(voice.no_such_master());
        }
        let no_such_day = self.heard.when_impossible && self.heard.when.iter().all(When::time_only);
        if no_such_day {
            self.parts.push(voice.no_such_date());
        }
        while self.state.wish.services.is_empty() {
            let wish = &mut self.state.wish;
            let staff = wish.staff.clone();
            let by_named = |id: &ServiceId| salon.service(*id).is_some_and(|service| staff.iter().any(|staff| service.done_by(*staff)));
            if wish.unclear.iter().any(by_named) {
                wish.unclear.retain(by_named);
            }
            match wish.unclear.as_slice() {
                [] => return self.ask_service(),
                [only] => wish.settle_service(*only),
                several => {
                    let several = several.to_vec();
                    let words = voice.ask_which_service(&several);
                    return self.ask(Question::WhichService(several), words);
                }
            }
        }
        let plan = match plan::plan(salon, &self.state.wish) {
            Ok(plan) => plan,
            Err(NoPlan::NobodyDoes(service))
                if self.state.wish.staff_not.iter().any(|id| plan::masters(salon, &[service]).contains(id)) =>
            {
                return self.only_they_do(service);
            }
            Err(none) => {
                let words = match none {
                    NoPlan::NobodyDoes(service) => voice.nobody_does(service),
                    NoPlan::TooManyPeople => voice.too_many_people(),
                };
                self.parts.push(words);
                self.state.wish = Wish::default();
                let words = voice.ask_person();
                return self.ask(Question::CallPerson, words);
            }
        };
        if no_such_day && self.state.wish.day().is_none() {
            let words = voice.ask_day();
            return self.ask(Question::Day, words);
        }
        self.search(plan)
    }
}

impl Mind<'_> {
    /// Another master is wanted, and there is none for this.
    fn only_they_do(mut self, service: ServiceId) -> Step {
        let able = plan::masters(self.turn.salon, &[service]);
        let words = self.voice().only_done_by(&able);
        self.parts.push(words);
        if let Some(booking) = self.state.wish.moving.take() {
            self.state.wish = Wish::default();
            let words = self.voice().stays(booking.get());
            return self.say(words);
        }
        let wish = &mut self.state.wish;
        wish.staff_not.retain(|id| !able.contains(id));
        wish.staff.clear();
        // Shown, not booked unasked.
        wish.when.iter_mut().for_each(|want| want.carried = true);
        self.arrange()
    }
}

/// Without what a composite beside it holds already.
fn without_parts(salon: &Salon, services: Vec<ServiceId>) -> Vec<ServiceId> {
    let held: Vec<ServiceId> =
        services.iter().filter_map(|id| salon.service(*id)).flat_map(|service| service.composite_of.iter().copied()).collect();
    services.into_iter().filter(|id| !held.contains(id)).collect()
}
