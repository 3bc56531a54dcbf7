//! A wish on its way to a visit: what is missing is asked, what stands already is seen.

use domain::{Booking, ReadBack, Service, ServiceId};
use language::{Context, Intent, Understood, When};

use crate::{
    Step, cues,
    effect::Effect,
    moment::{self, Want, WhyNot},
    plan::{self, NoPlan, Seat, Visit},
    state::{Purpose, Question, Wish},
    turn::{Mind, Next},
    wording::LONG_LIST,
};

impl Mind<'_> {
    /// A wish to book, or a question of free times.
    pub(crate) fn book(mut self) -> Step {
        if let Some(correction) = self.corrects_last() {
            return self.correct(correction);
        }
        if self.speaks_of_standing() {
            return self.act(Effect::MyBookings, Next::Standing);
        }
        let adds = (self.cues.more && self.cues.visit || self.cues.add) && !self.heard.service_ids.is_empty() && !self.asks_for_times();
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

    /// «Завтра не смогу, давайте в четверг», «не к Инне, а к Асе, время то же»: most likely of a visit that stands.
    fn speaks_of_standing(&self) -> bool {
        let heard = &self.heard;
        let changes_master = heard.staff_other || (!heard.staff_not_ids.is_empty() && !heard.staff_ids.is_empty());
        let shifts = heard.shift_minutes.is_some();
        let compares = !heard.when_refused.is_empty() || heard.same_time || changes_master || shifts;
        // «Брови в пятницу не получается, можно на вторник?», «можно стрижку на час позже?»
        let named = heard.service_ids.is_empty() || shifts || (!heard.when_refused.is_empty() && !heard.when.is_empty());
        compares && named && heard.people <= 1 && self.state.wish.is_empty() && !self.cues.somebody_else && !self.cues.besides
    }

    /// A visit that was spoken of is to be moved, if there is one.
    pub(crate) fn about_standing(mut self, bookings: Vec<ReadBack<Booking>>) -> Step {
        let now = self.now();
        let heard = &self.heard;
        let refused: Vec<Want> = heard.when_refused.iter().map(Want::read).collect();
        let parts = self.turn.salon.parts(&heard.service_ids);
        let named = |booking: &Booking| parts.is_empty() || self.turn.salon.parts(&booking.services).iter().any(|id| parts.contains(id));
        let anywhere = heard.shift_minutes.is_none() || heard.when.iter().any(When::time_only);
        let meant = |booking: &Booking| {
            !booking.deleted
                && booking.start > now
                && named(booking)
                && (anywhere || heard.when.iter().all(|when| when.date() == booking.start.date()))
                && (refused.is_empty() || refused.iter().any(|want| want.fits(booking.start)))
                && (heard.staff_not_ids.is_empty() || heard.staff_not_ids.contains(&booking.staff_id))
        };
        if bookings.iter().any(|booking| meant(booking.get())) {
            return self.own_bookings(Purpose::Move, bookings);
        }
        self.note(false);
        self.arrange()
    }

    /// «Добавьте к записи снятие»: right after the one booking that is meant, if there is one.
    pub(crate) fn beside(mut self, bookings: Vec<ReadBack<Booking>>) -> Step {
        let now = self.now();
        let said: Vec<Want> = self.heard.when.iter().map(Want::read).collect();
        let meant = |booking: &Booking| !booking.deleted && booking.start > now && said.iter().all(|want| want.fits(booking.start));
        let mut meant = bookings.iter().map(ReadBack::get).filter(|booking| meant(booking));
        if let (Some(only), None) = (meant.next(), meant.next()) {
            self.heard.when.clear();
            // «К маникюру добавьте дизайн»: the manicure is there already.
            let there = self.turn.salon.parts(&only.services);
            self.leave_out(&there);
            self.note(false);
            self.right_after(only);
            // What stands was not said in this chat: shown, not booked unasked.
            self.state.wish.when.iter_mut().for_each(|want| want.carried = true);
        } else {
            self.note(false);
        }
        self.arrange()
    }

    /// What is named on either side of «добавьте» and of «к»: what it is added to, and what is added.
    fn around_adding(&self) -> Vec<Vec<ServiceId>> {
        let Some((before, after)) = cues::around_adding(&self.text) else { return Vec::new() };
        let pieces = after.split(" к ").chain([before]);
        pieces.flat_map(|piece| options(&self.turn.reader.read(piece, self.turn.now, &Context::default()))).collect()
    }

    /// Hears nothing of the services that are there already, unless nothing else was named.
    fn leave_out(&mut self, there: &[ServiceId]) {
        let around = self.around_adding();
        let heard = &mut self.heard;
        let mut named = if around.len() > 1 { around } else { options(heard) };
        named.retain(|titles| !titles.iter().any(|id| there.contains(id)));
        if named.is_empty() {
            return;
        }
        heard.service_ids = named.concat();
        heard.services_ambiguous = named.iter().any(|titles| titles.len() > 1);
        heard.service_options = if heard.services_ambiguous && named.len() > 1 { named } else { Vec::new() };
    }

    /// What was cancelled is wanted after all.
    pub(crate) fn bring_back(mut self) -> Step {
        if let Some(booking) = self.state.cancelled.take() {
            let Booking { services, staff_id, start, .. } = booking.get();
            self.state.wish = Wish { services: services.clone(), staff: vec![*staff_id], when: vec![Want::at(*start)], ..Wish::default() };
        }
        self.arrange()
    }

    /// «Нет, оставьте как было», when a booking was just moved.
    pub(crate) fn regrets_moving(&self) -> bool {
        let standing = self.state.last.last().map(|booking| booking.get().record_id);
        let moved = self.state.stood.as_ref().is_some_and(|stood| Some(stood.get().record_id) == standing);
        let names_time = !self.heard.when.is_empty() || self.heard.shift_minutes.is_some();
        moved && !names_time && self.state.wish.is_empty() && (self.cues.back || (self.plain_no() && !self.heard.has(Intent::Thanks)))
    }

    /// What was moved is to stand where it stood: at once where that was said, else it is asked.
    pub(crate) fn move_back(mut self) -> Step {
        let Some(stood) = self.state.stood.clone() else { return self.arrange() };
        let Booking { services, staff_id, start, .. } = stood.into_inner();
        self.state.wish = Wish {
            moving: self.state.last.last().cloned(),
            services: services.clone(),
            staff: vec![staff_id],
            when: vec![Want::at(start)],
            ..Wish::default()
        };
        if self.cues.back {
            return self.arrange();
        }
        self.put_again(Question::WhichVisit(vec![Visit { seats: vec![Seat { services, staff: staff_id, start }] }]))
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
        if self.asks_of_a_master() {
            // «Диана завтра работает?», «а послезавтра?»
            self.heard.staff_ids.clone_from(&self.state.wish.staff);
            let words = self.working_hours();
            self.parts.extend(words);
            let words = self.voice().ask_service();
            return self.ask(Question::Service, words);
        }
        if self.heard.has(Intent::FreeTimes) && !self.heard.staff_ids.is_empty() {
            let words = self.working_hours();
            self.parts.extend(words);
        }
        self.tell_forbidden_day();
        if self.was_asked_for_service() {
            return self.ask_service_again();
        }
        if self.is_known() && !self.heard.same_as_last {
            return self.act(Effect::LastVisit, Next::Usual);
        }
        let words = self.voice().ask_service();
        self.ask(Question::Service, words)
    }

    /// The one day that is wanted is closed, over, or too far: no service makes it better.
    fn tell_forbidden_day(&mut self) {
        let [want] = self.state.wish.when.as_slice() else { return };
        let Some(why) = moment::forbidden(self.turn.salon, want, None, &[], self.now()) else { return };
        let words = self.voice().why_not(&why);
        self.parts.push(words);
        self.state.wish.when.clear();
    }

    /// «А послезавтра?», when a master's day was asked of.
    fn asks_of_a_master(&self) -> bool {
        let days = self.heard.when.iter().all(|when| matches!(when, When::Day { .. } | When::Days { .. }));
        let goes_on = self.before.question == Some(Question::Service) && !self.before.wish.staff.is_empty();
        goes_on && self.cues.question && days && !self.heard.when.is_empty() && self.heard.staff_ids.is_empty()
    }

    /// Asks for the service another way: by the price list.
    pub(crate) fn ask_service_again(self) -> Step {
        let staff = &self.state.wish.staff;
        let theirs = |service: &&Service| staff.is_empty() || staff.iter().any(|id| service.done_by(*id));
        let services: Vec<ServiceId> = self.turn.salon.services.iter().filter(theirs).map(|service| service.id).collect();
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
        self.tell_not_done();
        self.tell_past();
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
                [only] if wish.to_last.is_some() => {
                    let only = *only;
                    return self.with_service(only);
                }
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

    /// Says that a day that was named is over.
    pub(crate) fn tell_past(&mut self) {
        if self.cues.past && self.heard.when.iter().all(When::time_only) {
            let words = self.voice().why_not(&WhyNot::Past);
            self.parts.push(words);
        }
    }

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

/// The services that words name, each with the titles that fit it.
fn options(heard: &Understood) -> Vec<Vec<ServiceId>> {
    match () {
        () if !heard.service_options.is_empty() => heard.service_options.clone(),
        () if heard.services_ambiguous => vec![heard.service_ids.clone()],
        () => heard.service_ids.iter().map(|id| vec![*id]).collect(),
    }
}
