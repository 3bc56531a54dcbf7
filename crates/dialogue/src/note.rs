//! What the words add to the wish: services, masters, moments, people.

use domain::{Booking, Salon, ServiceId};
use language::Context;

use crate::{
    cues::Cues,
    moment::{self, HoursWanted, Want},
    state::Wish,
    turn::Mind,
};

/// Visits of one service that are booked in one breath.
const MOST_VISITS: usize = 4;

impl Mind<'_> {
    /// Takes what the words say into the wish. `offered`: times were offered since the last words.
    pub(crate) fn note(&mut self, offered: bool) {
        self.note_services();
        self.note_one_more();
        self.note_somebody_else();
        let same_staff = self.same_staff();
        let same_time = self.same_time();
        let heard = &self.heard;
        let salon = self.turn.salon;
        let last_staff = self.state.last.last().map(|booking| booking.get().staff_id);
        let wish = &mut self.state.wish;
        // «Отец и сын», «Массаж для двоих» are for two by themselves.
        let (reader, now) = (self.turn.reader, self.turn.now);
        let for_several = |title: &str| Cues::read(title).is_of_several() || reader.read(title, now, &Context::default()).people > 1;
        let of_itself = |id: &ServiceId| salon.service(*id).is_some_and(|service| for_several(&service.title));
        if wish.services.iter().any(of_itself) {
            wish.people = 1;
        } else if heard.people > 1 {
            wish.people = heard.people;
        }
        wish.together |= self.cues.alongside && wish.people > 1;
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
        if self.cues.soonest && heard.when.is_empty() {
            wish.when.clear();
        }
        if !heard.when.is_empty() {
            wish.when = moment::merge(&wish.when, &heard.when, offered, heard.same_time);
        }
        let beside_last = wish.for_somebody || self.cues.more;
        if let Some(day) = self.state.last.last().map(|booking| booking.get().start.date()).filter(|_| beside_last) {
            // «И брата в 15», «и на педикюр в 15»: on the day that was just booked.
            for want in wish.when.iter_mut().filter(|want| !want.day_said) {
                (want.from, want.to, want.day_said) = (day, day, true);
            }
        }
        if let Some(time) = same_time {
            for want in wish.when.iter_mut().filter(|want| want.hours.is_none()) {
                want.hours = Some(HoursWanted::At(time));
            }
        }
        self.part_visits();
    }

    /// «В среду в 12 на маникюр и в пятницу в 15 на педикюр»: visits of their own, in the order said.
    fn part_visits(&mut self) {
        let heard = &self.heard;
        let wants: Vec<Want> = heard.when.iter().map(Want::read).collect();
        let services = &heard.service_ids;
        let paired = services.len() > 1 && services.len() == wants.len() && *services == self.state.wish.services;
        // «В понедельник в 12 и в четверг в 14»: one service, twice.
        let twice = services.len() == 1 && (2..=MOST_VISITS).contains(&wants.len()) && self.cues.each_time && self.heard.people <= 1;
        let moments: Vec<_> = wants.iter().filter_map(Want::moment).collect();
        let apart = moments.len() == wants.len() && moments.windows(2).all(|two| two[0] != two[1]);
        if !(paired || twice) || !apart || heard.services_ambiguous || self.cues.or || self.state.wish.moving.is_some() {
            return;
        }
        let salon = self.turn.salon;
        let each_has_one = paired && heard.staff_ids.len() == services.len();
        let visit = |(index, (id, want)): (usize, (&ServiceId, &Want))| {
            let named = if each_has_one { &heard.staff_ids[index..=index] } else { &heard.staff_ids[..] };
            let able = |staff: &&domain::StaffId| salon.service(*id).is_some_and(|service| service.done_by(**staff));
            Wish { services: vec![*id], staff: named.iter().filter(able).copied().collect(), when: vec![*want], ..Wish::default() }
        };
        let mut visits = services.iter().cycle().zip(&wants).enumerate().map(visit);
        if let Some(first) = visits.next() {
            let then = visits.collect();
            self.state.wish = Wish { then, guest_name: self.state.wish.guest_name.take(), ..first };
        }
    }

    /// Takes the services that the words name into the wish.
    pub(crate) fn note_services(&mut self) {
        let heard = &self.heard;
        let wish = &mut self.state.wish;
        if heard.service_ids.is_empty() || wish.moving.is_some() {
            return;
        }
        wish.then.clear();
        if !self.cues.more {
            wish.named.clone_from(&self.text);
        }
        let besides_it = self.cues.more && !wish.unclear.iter().any(|id| heard.service_ids.contains(id));
        if besides_it && !wish.unclear.is_empty() && !heard.services_ambiguous {
            // «И бороду тоже», while it is open which haircut.
            wish.unclear_next.extend(heard.service_ids.iter().map(|id| vec![*id]));
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

    /// «И ещё раз то же самое в среду, в дополнение к понедельнику»: the same on another day.
    fn note_one_more(&mut self) {
        if !self.cues.besides || !self.heard.service_ids.is_empty() || !self.state.wish.is_empty() {
            return;
        }
        let Some(last) = self.state.last.last().map(|booking| booking.get().clone()) else { return };
        self.heard.when.retain(|when| !Want::read(when).fits(last.start));
        self.state.wish.services.clone_from(&last.services);
        if self.heard.staff_ids.is_empty() && !self.heard.staff_any && !self.heard.staff_other {
            self.state.wish.staff = vec![last.staff_id];
        }
    }

    /// «И друга после меня» right after a booking: the same for somebody else.
    fn note_somebody_else(&mut self) {
        if !self.cues.somebody_else || self.heard.people > 1 || self.state.wish.moving.is_some() {
            return;
        }
        if self.state.last.is_empty() && !self.before.wish.is_empty() && (self.cues.in_turn || self.cues.alongside) {
            // «И друга после меня», while one's own visit is being arranged.
            self.state.wish.people = 2;
            self.state.wish.in_turn |= self.cues.in_turn;
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
}

/// Without what a composite beside it holds already.
fn without_parts(salon: &Salon, services: Vec<ServiceId>) -> Vec<ServiceId> {
    let held: Vec<ServiceId> =
        services.iter().filter_map(|id| salon.service(*id)).flat_map(|service| service.composite_of.iter().copied()).collect();
    services.into_iter().filter(|id| !held.contains(id)).collect()
}
