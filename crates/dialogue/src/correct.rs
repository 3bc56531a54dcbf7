//! Words right after a booking that are about it: a repetition, a correction, something beside it.

use domain::{Booking, ReadBack, ServiceId};
use language::{Intent, When};

use crate::{
    Step,
    moment::Want,
    state::{Question, ToLast},
    turn::Mind,
};

/// What words after a booking mean for it.
pub(crate) enum Correction {
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
    /// «Ой, лучше в 16» after a booking is about that booking; the same request once more is no second one.
    pub(crate) fn corrects_last(&self) -> Option<Correction> {
        let heard = &self.heard;
        let last = self.state.last.last()?.get();
        if !self.state.wish.is_empty() || heard.people > 1 || heard.same_as_last || self.cues.somebody_else {
            return None;
        }
        if self.text == self.state.booked_on && !self.cues.more {
            // The same words once more are the same message once more.
            return Some(Correction::Stands(Box::new(last.clone())));
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
        let says_something = !wants.is_empty() || !heard.staff_ids.is_empty() || heard.staff_any;
        if (heard.service_ids.is_empty() || same_service) && same_master && says_something && wants.iter().all(stands) {
            return Some(Correction::Stands(Box::new(last.clone())));
        }
        let new_service = !heard.service_ids.is_empty() && !heard.services_ambiguous && !same_service;
        let same_time = heard.when.is_empty() || (heard.same_time && wants.iter().all(stands));
        if new_service && same_time && heard.staff_ids.is_empty() && !heard.has(Intent::FreeTimes) {
            if self.cues.more || self.cues.in_turn {
                return Some(Correction::Beside(Box::new(last.clone()), heard.service_ids.clone()));
            }
            return self.state.last.last().cloned().map(|last| Correction::Service(last, heard.service_ids.clone()));
        }
        let unclear = heard.services_ambiguous && heard.service_options.len() < 2 && same_time && heard.staff_ids.is_empty();
        if unclear && !heard.has(Intent::FreeTimes) {
            return self.unclear_correction(last);
        }
        let elsewhere = (!heard.when.is_empty() || !same_master) && !self.cues.besides;
        // «А у Романа есть на 18?», when it was booked with another for that time.
        let compares = !same_master && wants.iter().all(stands);
        (heard.service_ids.is_empty() && elsewhere && (!self.asks_what_is_free() || compares)).then_some(Correction::Move)
    }

    /// «Ой, не японский, классический» after a booking: what stands is not meant, and its master's services come first.
    fn unclear_correction(&self, last: &Booking) -> Option<Correction> {
        let mut options = self.heard.service_ids.clone();
        options.retain(|id| !last.services.contains(id));
        let theirs = |id: &ServiceId| self.turn.salon.service(*id).is_some_and(|service| service.done_by(last.staff_id));
        if options.iter().any(theirs) {
            options.retain(theirs);
        }
        // «А давайте с гель-лаком» after a manicure means no pedicure.
        let name = |id: &ServiceId| self.turn.salon.service(*id).and_then(|service| service.title.split(' ').next()).map(str::to_lowercase);
        let akin = |id: &ServiceId| last.services.iter().any(|last| name(last) == name(id));
        if options.iter().any(akin) {
            options.retain(akin);
        }
        match options.as_slice() {
            [] => None,
            [_] if self.cues.more => Some(Correction::Beside(Box::new(last.clone()), options)),
            [_] => self.state.last.last().cloned().map(|booking| Correction::Service(booking, options)),
            _ => Some(Correction::OneOf(options, if self.cues.more { ToLast::After } else { ToLast::Instead })),
        }
    }

    /// Does what the words mean for what was just booked.
    pub(crate) fn correct(mut self, correction: Correction) -> Step {
        match correction {
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
        // «И давайте в 13»: the other service, at another time of that day.
        let later = matches!(heard.when.as_slice(), [When::At { time_only: true, .. }])
            && heard.service_ids.is_empty()
            && heard.staff_ids.is_empty();
        if self.plain_yes() || ((as_it_is || later) && !heard.has(Intent::Decline)) {
            let wish = &mut self.state.wish;
            wish.staff = vec![booking.get().staff_id];
            wish.when = if later { wants } else { vec![Want::at(booking.get().start)] };
            wish.moving = Some(booking);
            return self.arrange();
        }
        if self.plain_no() {
            let words = self.voice().ask_day();
            return self.ask(Question::Day, words);
        }
        self.wanted_with(Some(Question::ChangeService(booking)))
    }
}
