//! Free times for what is wanted: looked up as wanted, then with other masters, then on other days;
//! what is exact is booked at once, everything else is offered.

use domain::{RecordId, Slot, StaffId};
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
};

use crate::{
    Step,
    effect::Effect,
    moment::{self, HoursWanted, Want, WhyNot},
    plan::{self, Arrangement, Chair, Plan, Seat, Visit},
    state::Question,
    turn::{Mind, Next},
};

/// Free times offered at once.
const OFFERED: usize = 3;

/// Working days that are looked through where no day was said.
const DAYS_AHEAD: usize = 3;

/// Working days that are looked through beyond them where those are full.
const DAYS_FURTHER: usize = 14;

/// Days that are looked through where the salon's schedule is not known.
const DAYS_UNKNOWN: i64 = 7;

/// A search for free times, which may take several effects.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    plan: Plan,
    /// A master was named who can be asked for others instead.
    named: Option<StaffId>,
    wants: Vec<Want>,
    /// Several masters of one name were named: which is for the customer to say.
    namesakes: bool,
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
    /// The working days after those, when they were full.
    Further,
}

impl Mind<'_> {
    /// Looks for free times for a wish that has its services.
    pub(crate) fn search(mut self, plan: Plan) -> Step {
        let wish = &self.state.wish;
        let salon = self.turn.salon;
        let moving = wish.moving.as_ref().map(|booking| booking.get().clone());
        let wish_services = wish.services.clone();
        let named = match plan.chairs.as_slice() {
            [chair] if plan.wrong_master.is_none() && chair.allowed.len() == 1 => chair.allowed.first().copied(),
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
        let refused: Vec<Option<WhyNot>> = wants.iter().map(|want| moment::forbidden(salon, want, named, &everybody, now)).collect();
        let why = if refused.iter().all(Option::is_some) { refused.iter().flatten().next().cloned() } else { None };
        if why.is_none() {
            wants = wants.into_iter().zip(&refused).filter(|(_, why)| why.is_none()).map(|(want, _)| want).collect();
        }
        // «А у Руслана?» after an offer is a question; «а у Руслана в 19?» names what is wanted.
        let asks = self.cues.question && self.heard.when.is_empty() && self.offered();
        let unknown_master = self.heard.staff_unknown.is_some() && wish.staff.is_empty();
        let namesakes = wish.people <= 1 && are_namesakes(salon, &wish.staff);
        // Two people who come for one time cannot be told unasked to wait for each other.
        let parted = wish.people > 1 && !wish.in_turn && plan.arrangement == Arrangement::InARow;
        let at_once = !parted
            && (self.was_asked_about_the_wish() || !self.plain_yes())
            && !namesakes
            && !self.asks_for_times()
            && !self.only_asks()
            && !asks
            && !unknown_master
            && self.heard.service_unknown.is_none()
            && plan.wrong_master.is_none()
            && wants.len() == 1
            && refused.len() == 1;
        if let Some(wrong) = plan.wrong_master {
            let voice = self.voice();
            self.parts.push(voice.why_not(&WhyNot::NotTheirs(wrong)));
            self.parts.push(voice.done_by(&plan.chairs[0].allowed));
            self.state.wish.staff.clear();
        }
        if unknown_master && let [chair] = plan.chairs.as_slice() {
            let words = self.voice().done_by(&chair.allowed);
            self.parts.push(words);
        }
        let range = match (wants.iter().map(|want| want.from).min(), wants.iter().map(|want| want.to).max()) {
            (Some(from), Some(to)) => (from.max(now.date()), to.min(limit).max(now.date())),
            _ => soon,
        };
        let mut search = Search {
            plan,
            named,
            wants,
            namesakes,
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
                search.wants.clear();
                search.why = None;
                search.range = soon;
                self.look(Probe::Wanted, search)
            }
            Some(WhyNot::DayOff(_, date)) if search.named.is_some() => {
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
                Probe::Wanted | Probe::Later | Probe::Further => self.offer(search),
            };
        }
        if matches!(probe, Probe::Later | Probe::Further) {
            let now = self.now().date();
            let after = match search.why {
                Some(WhyNot::Past) if probe == Probe::Later => now,
                Some(WhyNot::Closed(date) | WhyNot::DayOff(_, date) | WhyNot::AllOff(date)) if probe == Probe::Later => {
                    date.saturating_add(1.day()).max(now)
                }
                _ => search.range.1.saturating_add(1.day()).max(now),
            };
            let everybody: Vec<StaffId> = chairs.iter().flat_map(|chair| chair.allowed.iter().copied()).collect();
            let limit = moment::horizon(salon, now);
            if salon.schedule.is_empty() {
                // Who works when is not known here: the booking system alone can tell.
                search.range = (after.min(limit), after.saturating_add(DAYS_UNKNOWN.days()).min(limit));
                return self.ask_slots(search);
            }
            let days = if probe == Probe::Later { DAYS_AHEAD } else { DAYS_FURTHER };
            match moment::working_days(salon, &everybody, after, days).filter(|(from, _)| *from <= limit) {
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
        let wants = |visits: &[Visit]| visits.iter().any(|visit| search.wanted(visit.start()));
        if search.plan.arrangement == Arrangement::Together && !wants(&visits) && search.why.is_none() {
            let in_a_row = plan::visits(salon, &chairs, Arrangement::InARow, &search.slots, self.now());
            if wants(&in_a_row) {
                visits = in_a_row;
                search.plan.arrangement = Arrangement::InARow;
                search.others = search.best(visits.into_iter().filter(|visit| search.wanted(visit.start())).collect());
                search.why = Some(WhyNot::NotTogether);
                return self.offer(search);
            }
        }
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
                    let exact = search.wants.first().is_some_and(|want| want.moment().is_some());
                    search.others = match () {
                        () if self.cues.soonest => wanted.into_iter().take(1).collect(),
                        () if search.namesakes && exact => wanted,
                        () => search.best(wanted),
                    };
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
                // Who moves a visit has named a day, and its master only by coming to them before.
                let room = if search.current.is_some() && search.others.is_empty() { 2 } else { 1 };
                let more = match search.anchor() {
                    _ if !wanted.is_empty() => plan::spread(wanted, room),
                    Some(anchor) => plan::nearest(visits, anchor, room),
                    None => plan::spread(visits, room),
                };
                search.others.extend(more);
                if search.others.len() < 2 {
                    return self.look(Probe::Later, search);
                }
                self.offer(search)
            }
            Probe::Later | Probe::Further => {
                let room = OFFERED.saturating_sub(search.others.len());
                if visits.is_empty() && search.others.is_empty() && search.probe == Probe::Later {
                    return self.look(Probe::Further, search);
                }
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
        // What fits best is the first one: the master who was asked for, unless it is only the one of the visit to be moved.
        let named = search.named.filter(|_| search.current.is_none() || !self.heard.staff_ids.is_empty());
        let wanted = |visit: &Visit| search.wants.iter().any(|want| want.fits(visit.start()));
        let elsewhere = |visit: &Visit| named.is_some_and(|named| visit.staff().iter().any(|staff| *staff != named));
        visits.sort_by_key(|visit| (self.distance(&search.wants, visit), elsewhere(visit), !wanted(visit), visit.start()));
        visits.truncate(OFFERED);
        if visits.is_empty() {
            self.parts.push(lead);
            self.parts.push(voice.no_free_times());
            let words = voice.ask_person();
            return self.ask(Question::CallPerson, words);
        }
        let first = !self.offered() && self.state.wish.moving.is_none();
        let words = voice.offer(&lead, &visits, self.state.wish.moving.is_some(), first);
        self.ask(Question::WhichVisit(visits), words)
    }

    /// Days between a visit and what was wanted: nearer days are offered first.
    fn distance(&self, wants: &[Want], visit: &Visit) -> i32 {
        let day = visit.start().date();
        wants.first().map_or(0, |want| (day - want.from).get_days().abs())
    }

    /// The slot went away between the offer and the yes: what else is there?
    pub(crate) fn look_around(self, seat: Seat) -> Step {
        let Ok(plan) = plan::plan(self.turn.salon, &self.state.wish) else { return self.failed() };
        let moving = self.state.wish.moving.as_ref().map(|booking| booking.get().clone());
        let day = seat.start.date();
        let search = Search {
            named: (plan.chairs.len() == 1).then_some(seat.staff),
            plan,
            wants: vec![Want::at(seat.start)],
            namesakes: false,
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
}

/// Several masters whose names begin with the same word.
fn are_namesakes(salon: &domain::Salon, staff: &[StaffId]) -> bool {
    let first = |id: &StaffId| salon.staff(*id).and_then(|staff| staff.name.split_whitespace().next()).map(str::to_lowercase);
    staff.len() > 1 && staff.iter().all(|id| first(id) == first(&staff[0]))
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
            self.why = Some(match self.wants.as_slice() {
                [want] if want.from == want.to => match want.hours {
                    Some(HoursWanted::At(time)) => WhyNot::NotFree(self.named, Some(want.from.to_datetime(time))),
                    None => WhyNot::FullDay(self.named, want.from),
                    _ => WhyNot::NotFree(self.named, None),
                },
                _ => WhyNot::NotFree(self.named, None),
            });
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
