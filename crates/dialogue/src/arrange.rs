//! From a wish to a booking: what is missing is asked, what is free is looked up, what is exact is
//! booked at once, everything else is offered.

use domain::{Booking, Phone, ReadBack, Receipt, RecordId, ServiceId, Slot, StaffId};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};
use language::{Intent, When};

use crate::{
    Step,
    effect::{Effect, Outcome, Refusal},
    moment::{self, HoursWanted, Want, WhyNot},
    plan::{self, Chair, NoPlan, Plan, Seat, Visit},
    state::{Question, Wish},
    turn::{Mind, Next},
};

/// Free times offered at once.
const OFFERED: usize = 3;

/// Working days that are looked through where no day was said.
const DAYS_AHEAD: usize = 3;

/// A search for free times, which may take several effects.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    plan: Plan,
    /// A master was named who can be asked for others instead.
    named: Option<StaffId>,
    wants: Vec<Want>,
    /// Exactly what is wanted may be booked unasked.
    at_once: bool,
    why: Option<WhyNot>,
    excluding: Option<RecordId>,
    /// Where the booking to be moved stands, which is nothing to offer.
    current: Option<Seat>,
    probe: Probe,
    range: (Date, Date),
    slots: Vec<Vec<Slot>>,
    /// Found beside what was wanted.
    others: Vec<Visit>,
}

/// What is being looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// The wanted days, with the wanted masters.
    Wanted,
    /// The wanted days, with other masters.
    OtherMasters,
    /// The next working days.
    Later,
}

/// A visit while its seats are booked one by one.
#[derive(Debug, Clone)]
pub(crate) struct Booked {
    visit: Visit,
    receipts: Vec<Receipt>,
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
                Correction::Service(booking) => {
                    self.note(false);
                    let words = self.voice().ask_change_service(booking.get(), &self.state.wish.services);
                    self.ask(Question::ChangeService(booking), words)
                }
            };
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

    /// Takes what the words say into the wish. `offered`: times were offered since the last words.
    pub(crate) fn note(&mut self, offered: bool) {
        self.note_services();
        let same_staff = self.same_staff();
        let same_time = self.same_time();
        let heard = &self.heard;
        let last_staff = self.state.last.last().map(|booking| booking.get().staff_id);
        let wish = &mut self.state.wish;
        if heard.people > 1 {
            wish.people = heard.people;
        }
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
        if !heard.services_ambiguous {
            wish.services.clone_from(&heard.service_ids);
            wish.unclear.clear();
            return;
        }
        let known = wish.services.iter().any(|id| heard.service_ids.contains(id));
        if known {
            return;
        }
        let narrowed: Vec<ServiceId> = wish.unclear.iter().copied().filter(|id| heard.service_ids.contains(id)).collect();
        wish.unclear = if narrowed.is_empty() { heard.service_ids.clone() } else { narrowed };
        wish.services.clear();
    }

    /// «Ой, лучше в 16» after a booking is about that booking; the same request once more is no second one.
    fn corrects_last(&self) -> Option<Correction> {
        let heard = &self.heard;
        let last = self.state.last.last()?.get();
        if !self.state.wish.is_empty() || heard.people > 1 || heard.same_as_last {
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
        if (heard.service_ids.is_empty() || same_service) && same_master && !wants.is_empty() && wants.iter().all(stands) {
            return Some(Correction::Stands(Box::new(last.clone())));
        }
        let new_service = !heard.service_ids.is_empty() && !heard.services_ambiguous && !same_service;
        if new_service && heard.when.is_empty() && heard.staff_ids.is_empty() && !heard.has(Intent::FreeTimes) {
            return self.state.last.last().cloned().map(Correction::Service);
        }
        let elsewhere = !heard.when.is_empty() || !same_master;
        (heard.service_ids.is_empty() && elsewhere && !self.asks_for_times()).then_some(Correction::Move)
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
        if self.plain_yes() {
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

    /// Asks for the service; whom the salon knows, whether it is to be the usual one.
    fn ask_service(self) -> Step {
        let known = self.turn.customer.client.as_ref().is_some_and(|client| client.visits > 0);
        if known && !self.heard.same_as_last && !self.was_asked_for_service() {
            return self.act(Effect::LastVisit, Next::Usual);
        }
        let words = self.voice().ask_service();
        self.ask(Question::Service, words)
    }

    /// What the customer had last is known, or that it is not.
    pub(crate) fn usual(self, visit: Option<Booking>) -> Step {
        let salon = self.turn.salon;
        let voice = self.voice();
        match visit {
            Some(visit) if !visit.services.is_empty() && salon.staff_for(&visit.services).contains(&visit.staff_id) => {
                let words = voice.ask_usual(&visit);
                self.ask(Question::Usual(Box::new(visit)), words)
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
        let no_such_day = self.heard.when_impossible && self.heard.when.iter().all(language::When::time_only);
        if no_such_day {
            self.parts.push(voice.no_such_date());
        }
        if self.state.wish.services.is_empty() {
            let wish = &mut self.state.wish;
            let staff = wish.staff.clone();
            let by_named = |id: &ServiceId| salon.service(*id).is_some_and(|service| staff.iter().any(|staff| service.done_by(*staff)));
            if wish.unclear.iter().any(by_named) {
                wish.unclear.retain(by_named);
            }
            match wish.unclear.as_slice() {
                [] => return self.ask_service(),
                [only] => wish.services = vec![*only],
                several => {
                    let several = several.to_vec();
                    let words = voice.ask_which_service(&several);
                    return self.ask(Question::WhichService(several), words);
                }
            }
            self.state.wish.unclear.clear();
        }
        let plan = match plan::plan(salon, &self.state.wish) {
            Ok(plan) => plan,
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

    /// Looks for free times for a wish that has its services.
    fn search(mut self, plan: Plan) -> Step {
        let wish = &self.state.wish;
        let salon = self.turn.salon;
        let moving = wish.moving.as_ref().map(|booking| booking.get().clone());
        let wish_services = wish.services.clone();
        let named = match plan.chairs.as_slice() {
            [chair] if !wish.staff.is_empty() && plan.wrong_master.is_none() && chair.allowed.len() == 1 => chair.allowed.first().copied(),
            _ => None,
        };
        let now = self.now();
        let limit = moment::horizon(salon, now.date()).max(now.date());
        let everybody: Vec<StaffId> = plan.chairs.iter().flat_map(|chair| chair.allowed.iter().copied()).collect();
        let soon = moment::working_days(salon, &everybody, now.date(), DAYS_AHEAD)
            .unwrap_or((now.date(), now.date().saturating_add(i64::try_from(DAYS_AHEAD).unwrap_or(3).days())));
        let mut wants = wish.when.clone();
        for want in wants.iter_mut().filter(|want| !want.day_said) {
            (want.from, want.to) = soon;
        }
        // What the calendar forbids is left out; where that is everything, it tells why, and where to look beside it.
        let refused: Vec<Option<WhyNot>> = wants.iter().map(|want| moment::forbidden(salon, want, named, now)).collect();
        let why = if refused.iter().all(Option::is_some) { refused.iter().flatten().next().cloned() } else { None };
        if why.is_none() {
            wants = wants.into_iter().zip(&refused).filter(|(_, why)| why.is_none()).map(|(want, _)| want).collect();
        }
        let at_once = !self.asks_for_times() && plan.wrong_master.is_none() && wants.len() == 1 && refused.len() == 1;
        if let Some(wrong) = plan.wrong_master {
            let voice = self.voice();
            self.parts.push(voice.why_not(&WhyNot::NotTheirs(wrong)));
            self.parts.push(voice.done_by(&plan.chairs[0].allowed));
            self.state.wish.staff.clear();
        }
        let range = match (wants.iter().map(|want| want.from).min(), wants.iter().map(|want| want.to).max()) {
            (Some(from), Some(to)) => (from.max(now.date()), to.min(limit).max(now.date())),
            _ => soon,
        };
        let mut search = Search {
            plan,
            named,
            wants,
            at_once,
            why,
            excluding: moving.as_ref().map(|booking| booking.record_id),
            current: moving.filter(|booking| booking.services == wish_services).map(|booking| Seat {
                services: booking.services,
                staff: booking.staff_id,
                start: booking.start,
            }),
            probe: Probe::Wanted,
            range,
            slots: Vec::new(),
            others: Vec::new(),
        };
        match &search.why {
            Some(WhyNot::TooFar(_)) => {
                let voice = self.voice();
                self.parts.push(search.why.as_ref().map(|why| voice.why_not(why)).unwrap_or_default());
                self.state.wish.when.clear();
                let words = if self.state.wish.moving.is_some() { voice.ask_another_day() } else { voice.ask_day() };
                self.ask(Question::Day, words)
            }
            Some(WhyNot::DayOff(_, date)) => {
                search.range = (*date, *date);
                self.look(Probe::OtherMasters, search)
            }
            Some(WhyNot::NotHisHours(_, date, ..) | WhyNot::ClosedAt(date, ..)) => {
                search.range = (*date, *date);
                self.look(Probe::Wanted, search)
            }
            Some(_) => self.look(Probe::Later, search),
            None => self.look(Probe::Wanted, search),
        }
    }

    /// Begins to look through the days of a probe.
    fn look(self, probe: Probe, mut search: Search) -> Step {
        let salon = self.turn.salon;
        search.probe = probe;
        search.slots.clear();
        let chairs = search.chairs_of(salon, probe, &self.state.wish.staff_not);
        if chairs.iter().any(|chair| chair.allowed.is_empty()) {
            return match probe {
                Probe::OtherMasters => self.look(Probe::Later, search),
                Probe::Wanted | Probe::Later => self.offer(search),
            };
        }
        if probe == Probe::Later {
            let now = self.now().date();
            let after = match search.why {
                Some(WhyNot::Past) | None => now,
                Some(WhyNot::Closed(date) | WhyNot::DayOff(_, date)) => date.saturating_add(1.day()).max(now),
                _ => search.range.1.saturating_add(1.day()).max(now),
            };
            let everybody: Vec<StaffId> = chairs.iter().flat_map(|chair| chair.allowed.iter().copied()).collect();
            let limit = moment::horizon(salon, now);
            match moment::working_days(salon, &everybody, after, DAYS_AHEAD).filter(|(from, _)| *from <= limit) {
                Some((from, to)) => search.range = (from, to.min(limit)),
                None => return self.offer(search),
            }
        }
        self.ask_slots(search)
    }

    /// The next effect of a probe.
    fn ask_slots(self, search: Search) -> Step {
        let chairs = search.chairs_of(self.turn.salon, search.probe, &self.state.wish.staff_not);
        let Some(chair) = chairs.get(search.slots.len()) else { return self.looked(search) };
        let effect = Effect::FreeTimes {
            services: chair.services.clone(),
            staff: match chair.allowed.as_slice() {
                [only] => Some(*only),
                _ => None,
            },
            from: search.range.0,
            to: search.range.1,
            excluding: search.excluding,
        };
        self.act(effect, Next::Slots(Box::new(search)))
    }

    /// Free times have come for one chair.
    pub(crate) fn slots(self, mut search: Search, slots: Vec<Slot>) -> Step {
        // The same people doing the same need not be asked twice.
        let chairs = search.chairs_of(self.turn.salon, search.probe, &self.state.wish.staff_not);
        search.slots.push(slots.clone());
        while search.slots.len() < chairs.len() && chairs[search.slots.len()] == chairs[search.slots.len() - 1] {
            search.slots.push(slots.clone());
        }
        self.ask_slots(search)
    }

    /// A probe is complete.
    fn looked(self, mut search: Search) -> Step {
        let salon = self.turn.salon;
        let chairs = search.chairs_of(salon, search.probe, &self.state.wish.staff_not);
        let mut visits = plan::visits(salon, &chairs, search.plan.arrangement, &search.slots, self.now());
        let standing = search.current.as_ref().map(|seat| (seat.start, seat.staff));
        visits.retain(|visit| !visit.seats.iter().any(|seat| Some((seat.start, seat.staff)) == standing));
        let wanted: Vec<Visit> = visits.iter().filter(|visit| search.wanted(visit.start())).cloned().collect();
        match search.probe {
            Probe::Wanted => {
                if search.why.is_none() && !wanted.is_empty() {
                    if search.at_once
                        && let [want] = search.wants.as_slice()
                        && want.moment().is_some()
                        && let Some(visit) = wanted.first()
                    {
                        return self.confirm(visit.clone());
                    }
                    search.others = search.best(wanted);
                    return self.offer(search);
                }
                search.note_miss();
                let anchor = search.anchor();
                search.others = match anchor {
                    Some(anchor) => plan::nearest(visits, anchor, 2),
                    None => plan::spread(visits, 2),
                };
                if search.named.is_some() {
                    return self.look(Probe::OtherMasters, search);
                }
                if search.others.len() < 2 {
                    return self.look(Probe::Later, search);
                }
                self.offer(search)
            }
            Probe::OtherMasters => {
                let room = OFFERED.saturating_sub(search.others.len());
                let more = match search.anchor() {
                    _ if !wanted.is_empty() => plan::spread(wanted, room.min(1)),
                    Some(anchor) => plan::nearest(visits, anchor, room.min(1)),
                    None => plan::spread(visits, room.min(1)),
                };
                search.others.extend(more);
                if search.others.len() < 2 {
                    return self.look(Probe::Later, search);
                }
                self.offer(search)
            }
            Probe::Later => {
                let room = OFFERED.saturating_sub(search.others.len());
                search.others.extend(match search.anchor() {
                    _ if !wanted.is_empty() => plan::spread(wanted, room),
                    Some(anchor) => plan::near_time(visits, anchor.time(), room),
                    None => plan::spread(visits, room),
                });
                self.offer(search)
            }
        }
    }

    /// Tells what was found, or that nothing was.
    fn offer(mut self, search: Search) -> Step {
        let voice = self.voice();
        let lead = search.why.as_ref().map(|why| voice.why_not(why)).unwrap_or_default();
        let mut visits: Vec<Visit> = Vec::new();
        for visit in search.others {
            if !visits.contains(&visit) {
                visits.push(visit);
            }
        }
        visits.sort_by_key(|visit| (self.distance(&search.wants, visit), visit.start()));
        visits.truncate(OFFERED);
        if visits.is_empty() {
            self.parts.push(lead);
            self.parts.push(voice.no_free_times());
            let words = voice.ask_person();
            return self.ask(Question::CallPerson, words);
        }
        let words = voice.offer(&lead, &visits, self.state.wish.moving.is_some());
        self.ask(Question::WhichVisit(visits), words)
    }

    /// Days between a visit and what was wanted: nearer days are offered first.
    fn distance(&self, wants: &[Want], visit: &Visit) -> i32 {
        let day = visit.start().date();
        wants.first().map_or(0, |want| (day - want.from).get_days().abs())
    }

    /// One of the offered times was meant, or something else.
    pub(crate) fn chose_visit(mut self, visits: Vec<Visit>) -> Step {
        let elsewhere = [Intent::Cancel, Intent::Reschedule, Intent::MyBookings, Intent::Late];
        if elsewhere.iter().any(|intent| self.heard.has(*intent)) {
            return self.wanted();
        }
        if let Some(visit) = self.choice(&visits) {
            self.tell(true);
            return self.confirm(visit);
        }
        let many = visits.len() > 1;
        if self.plain_no() {
            self.state.wish.when.clear();
            let words = self.voice().another_time();
            return self.ask(Question::Day, words);
        }
        if many && self.plain_yes() {
            let words = self.voice().ask_first(&visits[0]);
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
    fn only_asks(&self) -> bool {
        let asks = [Intent::Price, Intent::Services, Intent::Staff, Intent::Info];
        !self.heard.has(Intent::Book) && !self.heard.has(Intent::FreeTimes) && asks.iter().any(|intent| self.heard.has(*intent))
    }

    /// The offered time that the words mean.
    fn choice(&self, visits: &[Visit]) -> Option<Visit> {
        let heard = &self.heard;
        if heard.has(Intent::Decline) && heard.choice.is_none() && heard.when.is_empty() {
            return None;
        }
        let new_service = !heard.service_ids.is_empty()
            && visits[0].seats.iter().all(|seat| seat.services.iter().all(|id| !heard.service_ids.contains(id)));
        if new_service || heard.staff_other || heard.people > 1 && visits[0].seats.len() == 1 {
            return None;
        }
        if let Some(number) = heard.choice {
            return visits.get(number.checked_sub(1)?).cloned();
        }
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
        let timed = heard.when.iter().any(|when| matches!(when, When::At { .. }));
        let yes = heard.has(Intent::Confirm) || heard.has(Intent::Choose);
        // A day or a master alone narrows what is looked for; it is no yes to the one time shown there.
        let picks = timed || (yes && (visits.len() == 1 || (heard.when.is_empty() && !heard.staff_ids.is_empty())));
        let mut fitting = visits.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) if picks && (yes || !self.asks_for_times()) => Some(only.clone()),
            _ => None,
        }
    }

    /// One of the services that fit equally well was meant.
    pub(crate) fn chose_service(mut self, services: Vec<ServiceId>) -> Step {
        let by_number = self.heard.choice.and_then(|number| services.get(number.checked_sub(1)?)).copied();
        let by_name: Vec<ServiceId> = services.iter().copied().filter(|id| self.heard.service_ids.contains(id)).collect();
        let chosen = match (by_number, by_name.as_slice()) {
            (Some(id), _) => Some(id),
            (None, [only]) => Some(*only),
            _ => None,
        };
        if let Some(id) = chosen {
            self.tell(true);
            let wish = &mut self.state.wish;
            wish.services = vec![id];
            wish.unclear.clear();
            self.heard.service_ids.clear();
            self.note(false);
            return self.arrange();
        }
        if self.plain_no() {
            self.state.wish = Wish::default();
            let words = self.voice().all_right();
            return self.say(words);
        }
        if self.worth_hearing() {
            return self.wanted_with(Some(Question::WhichService(services)));
        }
        self.put_again(Question::WhichService(services))
    }

    /// The name was asked for.
    pub(crate) fn gave_name(self, visit: Visit) -> Step {
        if self.state.name.is_some() {
            return self.confirm(visit);
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

    /// The visit is settled: books it, or asks for what a booking needs.
    pub(crate) fn confirm(mut self, visit: Visit) -> Step {
        if visit.start() <= self.now() {
            // The offer has lain too long.
            let words = self.voice().why_not(&WhyNot::Past);
            self.parts.push(words);
            self.state.wish.when.clear();
            self.heard.when.clear();
            return self.arrange();
        }
        if let Some(booking) = &self.state.wish.moving {
            let record = booking.get().record_id;
            let seat = visit.seats[0].clone();
            let effect = Effect::Move { record, services: seat.services.clone(), staff: seat.staff, start: seat.start };
            return self.act(effect, Next::Moved(Box::new(seat)));
        }
        let Some(name) = self.client_name() else {
            let words = self.voice().ask_name();
            return self.ask(Question::Name(visit), words);
        };
        let Some(phone) = self.phone() else {
            let words = self.voice().ask_phone();
            return self.ask(Question::Phone(visit), words);
        };
        self.state.question = None;
        self.seat_next(Booked { visit, receipts: Vec::new() }, name, phone)
    }

    /// The number to book on.
    fn phone(&self) -> Option<Phone> {
        let customer = self.turn.customer;
        let card = customer.client.as_ref().and_then(|client| client.phone.clone());
        self.state.phone.clone().or_else(|| customer.phone.clone()).or(card)
    }

    fn seat_next(self, booked: Booked, client_name: String, phone: Phone) -> Step {
        let index = booked.receipts.len();
        let together = booked.visit.seats.len() > 1 && self.state.wish.people > 1;
        let comment =
            if together && index > 0 { format!("Гость {} из {}", index + 1, booked.visit.seats.len()) } else { String::new() };
        let seat = &booked.visit.seats[index];
        let effect = Effect::Book { services: seat.services.clone(), staff: seat.staff, start: seat.start, client_name, phone, comment };
        self.act(effect, Next::Seat(Box::new(booked)))
    }

    /// The booking of a seat has an outcome.
    pub(crate) fn seated(mut self, mut booked: Booked, outcome: Outcome) -> Step {
        let seat = booked.visit.seats[booked.receipts.len()].clone();
        match outcome {
            Outcome::Done(receipt) => {
                self.receive(&receipt);
                booked.receipts.push(receipt);
                if booked.receipts.len() < booked.visit.seats.len() {
                    let (Some(name), Some(phone)) = (self.client_name(), self.phone()) else { return self.failed() };
                    return self.seat_next(booked, name, phone);
                }
                self.state.wish = Wish::default();
                let words = self.voice().receipts(&booked.receipts);
                self.say(words)
            }
            Outcome::Refused(refusal) => {
                self.say_receipts(&booked);
                self.refused_seat(seat, refusal)
            }
            Outcome::Unsettled => {
                self.say_receipts(&booked);
                self.state.wish = Wish::default();
                self.state.unsettled = Some(seat);
                let words = self.voice().unsettled();
                self.say(words)
            }
            _ if booked.receipts.is_empty() => self.failed(),
            _ => {
                // Part of the visit stands: the rest is for a person.
                self.say_receipts(&booked);
                self.hand_over(crate::HandOverReason::SystemDown)
            }
        }
    }

    fn say_receipts(&mut self, booked: &Booked) {
        let words = self.voice().receipts(&booked.receipts);
        self.parts.push(words);
    }

    fn refused_seat(mut self, seat: Seat, refusal: Refusal) -> Step {
        let voice = self.voice();
        match refusal {
            Refusal::SlotTaken => {
                let wish = &mut self.state.wish;
                wish.services.clone_from(&seat.services);
                wish.people = 1;
                if wish.moving.is_none() && wish.staff.len() > 1 {
                    wish.staff.clear();
                }
                wish.when = vec![Want::at(seat.start)];
                self.look_around(seat)
            }
            Refusal::PhoneRefused => {
                self.state.phone = None;
                self.parts.push(voice.refused(refusal));
                let words = voice.ask_person();
                self.ask(Question::CallPerson, words)
            }
            Refusal::NotAllowed | Refusal::Gone | Refusal::NotOffered | Refusal::Other => {
                self.state.wish = Wish::default();
                self.parts.push(voice.refused(refusal));
                let words = voice.ask_person();
                self.ask(Question::CallPerson, words)
            }
        }
    }

    /// The slot went away between the offer and the yes: what else is there?
    fn look_around(self, seat: Seat) -> Step {
        let Ok(plan) = plan::plan(self.turn.salon, &self.state.wish) else { return self.failed() };
        let moving = self.state.wish.moving.as_ref().map(|booking| booking.get().clone());
        let day = seat.start.date();
        let search = Search {
            named: (plan.chairs.len() == 1).then_some(seat.staff),
            plan,
            wants: vec![Want::at(seat.start)],
            at_once: false,
            why: Some(WhyNot::JustTaken),
            excluding: moving.as_ref().map(|booking| booking.record_id),
            current: Some(seat),
            probe: Probe::Wanted,
            range: (day, day),
            slots: Vec::new(),
            others: Vec::new(),
        };
        self.look(Probe::Wanted, search)
    }

    /// The moving of a booking has an outcome.
    pub(crate) fn moved(mut self, seat: Seat, outcome: Outcome) -> Step {
        match outcome {
            Outcome::Done(receipt) => {
                self.receive(&receipt);
                self.state.wish = Wish::default();
                let words = self.voice().receipts(&[receipt]);
                self.say(words)
            }
            Outcome::Refused(refusal) => {
                if refusal == Refusal::Gone {
                    self.state.last.clear();
                }
                self.refused_seat(seat, refusal)
            }
            Outcome::Unsettled => {
                self.state.wish = Wish::default();
                let words = self.voice().unsettled();
                self.say(words)
            }
            _ => self.failed(),
        }
    }
}

/// What words after a booking mean for it.
enum Correction {
    /// They ask for what stands already.
    Stands(Box<Booking>),
    /// It is to be moved.
    Move,
    /// Another service, in its stead or beside it.
    Service(ReadBack<Booking>),
}

impl Search {
    /// Who is asked for in a probe.
    fn chairs_of(&self, salon: &domain::Salon, probe: Probe, not: &[StaffId]) -> Vec<Chair> {
        if probe != Probe::OtherMasters {
            return self.plan.chairs.clone();
        }
        let others = |chair: &Chair| {
            let mut allowed = plan::masters(salon, &chair.services);
            allowed.retain(|id| Some(*id) != self.named && !not.contains(id));
            Chair { services: chair.services.clone(), allowed }
        };
        self.plan.chairs.iter().map(others).collect()
    }

    fn wanted(&self, start: DateTime) -> bool {
        self.wants.is_empty() || self.wants.iter().any(|want| want.fits(start))
    }

    /// The moment that other times are measured against.
    fn anchor(&self) -> Option<DateTime> {
        let want = self.wants.first()?;
        let hours = want.hours?;
        Some(want.from.to_datetime(hours.anchor()))
    }

    /// Why nothing of what was wanted was found.
    fn note_miss(&mut self) {
        let carried = self.wants.iter().any(|want| want.carried);
        if self.why.is_none() && !carried && !self.wants.is_empty() {
            let at = match self.wants.as_slice() {
                [want] if want.from == want.to => match want.hours {
                    Some(HoursWanted::At(time)) => Some(want.from.to_datetime(time)),
                    _ => None,
                },
                _ => None,
            };
            self.why = Some(WhyNot::NotFree(self.named, at));
        }
    }

    /// The best of what fits: alternatives one each, windows spread.
    fn best(&self, wanted: Vec<Visit>) -> Vec<Visit> {
        if self.wants.len() > 1 {
            let mut chosen: Vec<Visit> = Vec::new();
            for want in &self.wants {
                let fitting: Vec<Visit> = wanted.iter().filter(|visit| want.fits(visit.start())).cloned().collect();
                for visit in plan::spread(fitting, if self.wants.len() > 2 { 1 } else { 2 }) {
                    if chosen.len() < OFFERED && !chosen.contains(&visit) {
                        chosen.push(visit);
                    }
                }
            }
            return chosen;
        }
        plan::spread(wanted, OFFERED)
    }
}
