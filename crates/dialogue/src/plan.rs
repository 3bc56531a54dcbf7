use domain::{Salon, ServiceId, Slot, StaffId};
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
};
use serde::{Deserialize, Serialize};

use crate::{moment::HoursWanted, state::Wish};

/// Minutes that may lie between two services of one visit with different masters.
const GAP_MINUTES: i64 = 30;

/// More people at once are a matter for a person.
const MAX_PEOPLE: u8 = 4;

/// One service, or several with one master, at one time: what one booking holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seat {
    pub(crate) services: Vec<ServiceId>,
    pub(crate) staff: StaffId,
    pub(crate) start: DateTime,
}

/// Everything that is booked with one yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Visit {
    /// Never empty.
    pub(crate) seats: Vec<Seat>,
}

impl Visit {
    /// When the customer has to be there.
    pub(crate) fn start(&self) -> DateTime {
        self.seats.iter().map(|seat| seat.start).min().unwrap_or(DateTime::MIN)
    }

    pub(crate) fn staff(&self) -> Vec<StaffId> {
        self.seats.iter().map(|seat| seat.staff).collect()
    }
}

/// A seat to be found: what, and by whom it may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chair {
    pub(crate) services: Vec<ServiceId>,
    /// In the order of preference.
    pub(crate) allowed: Vec<StaffId>,
}

/// How several seats stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrangement {
    /// At one time with different masters.
    Together,
    /// One after the other, in either order.
    InARow,
}

/// The seats that a wish asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) chairs: Vec<Chair>,
    pub(crate) arrangement: Arrangement,
    /// A named master who does none of it; the chairs are then open to others.
    pub(crate) wrong_master: Option<StaffId>,
}

/// A wish that no plan fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlan {
    /// Nobody, or nobody but the refused ones, does this.
    NobodyDoes(ServiceId),
    TooManyPeople,
}

/// Masters who do all of it, the best rated first.
pub(crate) fn masters(salon: &Salon, services: &[ServiceId]) -> Vec<StaffId> {
    let rating = |id: &StaffId| salon.staff(*id).and_then(|staff| staff.rating).unwrap_or(0.0);
    let mut able = salon.staff_for(services);
    able.sort_by(|a, b| rating(b).total_cmp(&rating(a)));
    able
}

/// What seats a wish with services needs.
pub(crate) fn plan(salon: &Salon, wish: &Wish) -> Result<Plan, NoPlan> {
    if wish.people > MAX_PEOPLE {
        return Err(NoPlan::TooManyPeople);
    }
    let people = usize::from(wish.people.max(1));
    let mut wrong_master = None;
    let mut chair = |services: &[ServiceId]| -> Result<Chair, NoPlan> {
        let mut able = masters(salon, services);
        able.retain(|id| !wish.staff_not.contains(id));
        if able.is_empty() {
            return Err(NoPlan::NobodyDoes(services[0]));
        }
        let named: Vec<StaffId> = able.iter().copied().filter(|id| wish.staff.contains(id)).collect();
        if named.is_empty() && !wish.staff.is_empty() {
            wrong_master = wish.staff.first().copied();
        }
        Ok(Chair { services: services.to_vec(), allowed: if named.is_empty() { able } else { named } })
    };
    let (chairs, arrangement) = if people > 1 {
        // «Мне стрижку, другу бороду»: as many services as people are one for each.
        let each: Vec<Vec<ServiceId>> = if wish.services.len() == people {
            wish.services.iter().map(|id| vec![*id]).collect()
        } else {
            vec![wish.services.clone(); people]
        };
        let mut chairs = each.iter().map(|services| chair(services)).collect::<Result<Vec<_>, _>>()?;
        // «С сыном к Ержану после 17»: where no moment is named, both can wait for him.
        let exact = wish.when.iter().any(|want| matches!(want.hours, Some(HoursWanted::At(_))));
        if wish.staff.len() == 1 && wrong_master.is_none() && !wish.in_turn && (exact || wish.together) {
            // One master cannot serve two at a time: the others go to whoever is free.
            for other in chairs.iter_mut().skip(1) {
                other.allowed = masters(salon, &other.services);
                other.allowed.retain(|id| !wish.staff_not.contains(id));
            }
        }
        // Where fewer masters than people do it, nobody can be served at the same time.
        let mut everybody: Vec<StaffId> = chairs.iter().flat_map(|chair| chair.allowed.iter().copied()).collect();
        everybody.sort_unstable();
        everybody.dedup();
        let in_turn = wish.in_turn || everybody.len() < people;
        (chairs, if in_turn { Arrangement::InARow } else { Arrangement::Together })
    } else {
        let whole = chair(&wish.services);
        let missed = wrong_master.take();
        match whole {
            Ok(whole) if missed.is_none() || wish.services.len() == 1 => {
                wrong_master = missed;
                (vec![whole], Arrangement::InARow)
            }
            Err(none) if wish.services.len() == 1 => return Err(none),
            _ => split(salon, wish, &mut wrong_master)?,
        }
    };
    Ok(Plan { chairs, arrangement, wrong_master })
}

/// Services that no single one of the named masters does together: a seat for each master.
fn split(salon: &Salon, wish: &Wish, wrong_master: &mut Option<StaffId>) -> Result<(Vec<Chair>, Arrangement), NoPlan> {
    let mut chairs: Vec<Chair> = Vec::new();
    let mut named_somewhere = wish.staff.is_empty();
    for service in &wish.services {
        let mut able = masters(salon, &[*service]);
        able.retain(|id| !wish.staff_not.contains(id));
        let named: Vec<StaffId> = able.iter().copied().filter(|id| wish.staff.contains(id)).collect();
        named_somewhere |= !named.is_empty();
        let allowed = if named.is_empty() { able } else { named };
        if allowed.is_empty() {
            return Err(NoPlan::NobodyDoes(*service));
        }
        let shared = |chair: &Chair| allowed.iter().copied().filter(|id| chair.allowed.contains(id)).collect::<Vec<_>>();
        match chairs.iter_mut().map(|chair| (shared(chair), chair)).find(|(both, _)| !both.is_empty()) {
            Some((both, chair)) => {
                chair.services.push(*service);
                chair.allowed = both;
            }
            None => chairs.push(Chair { services: vec![*service], allowed }),
        }
    }
    if !named_somewhere {
        *wrong_master = wish.staff.first().copied();
    }
    Ok((chairs, Arrangement::InARow))
}

/// All ways to seat everybody, earliest first; `slots` holds what is free for each chair.
pub(crate) fn visits(salon: &Salon, chairs: &[Chair], arrangement: Arrangement, slots: &[Vec<Slot>], after: DateTime) -> Vec<Visit> {
    let free: Vec<Vec<Slot>> = chairs
        .iter()
        .zip(slots)
        .map(|(chair, slots)| {
            let rank = |slot: &Slot| chair.allowed.iter().position(|id| *id == slot.staff_id);
            let mut fit: Vec<Slot> = slots.iter().copied().filter(|slot| slot.start > after && rank(slot).is_some()).collect();
            fit.sort_by_key(|slot| (slot.start, rank(slot)));
            fit.dedup();
            fit
        })
        .collect();
    let mut found = match (chairs, arrangement) {
        ([chair], _) => free[0].iter().map(|slot| Visit { seats: vec![seat(chair, slot)] }).collect(),
        (_, Arrangement::Together) => together(chairs, &free),
        (_, Arrangement::InARow) => {
            let mut orders = vec![(0..chairs.len()).collect::<Vec<_>>()];
            orders.push(orders[0].iter().rev().copied().collect());
            orders.iter().flat_map(|order| in_a_row(salon, chairs, &free, order)).collect()
        }
    };
    found.sort_by_key(Visit::start);
    found
}

fn seat(chair: &Chair, slot: &Slot) -> Seat {
    Seat { services: chair.services.clone(), staff: slot.staff_id, start: slot.start }
}

fn together(chairs: &[Chair], free: &[Vec<Slot>]) -> Vec<Visit> {
    let mut starts: Vec<DateTime> = free[0].iter().map(|slot| slot.start).collect();
    starts.dedup();
    let mut found = Vec::new();
    for start in starts {
        let mut seats = Vec::new();
        if fill(chairs, free, start, &mut seats) {
            found.push(Visit { seats });
        }
    }
    found
}

/// Seats the remaining chairs at `start` with masters who are still free then.
fn fill(chairs: &[Chair], free: &[Vec<Slot>], start: DateTime, seats: &mut Vec<Seat>) -> bool {
    let Some(chair) = chairs.get(seats.len()) else { return true };
    for slot in free[seats.len()].iter().filter(|slot| slot.start == start) {
        if seats.iter().all(|seat| seat.staff != slot.staff_id) {
            seats.push(seat(chair, slot));
            if fill(chairs, free, start, seats) {
                return true;
            }
            seats.pop();
        }
    }
    false
}

/// For each start of the first chair in `order`, the first way to follow with the others.
fn in_a_row(salon: &Salon, chairs: &[Chair], free: &[Vec<Slot>], order: &[usize]) -> Vec<Visit> {
    let mut found: Vec<Visit> = Vec::new();
    'starts: for first in &free[order[0]] {
        let mut seats = vec![seat(&chairs[order[0]], first)];
        for index in &order[1..] {
            let before = &seats[seats.len() - 1];
            let end = before.start.saturating_add(salon.minutes(&before.services, Some(before.staff)).minutes());
            let latest = end.saturating_add(GAP_MINUTES.minutes());
            match free[*index].iter().find(|slot| end <= slot.start && slot.start <= latest) {
                Some(slot) => seats.push(seat(&chairs[*index], slot)),
                None => continue 'starts,
            }
        }
        found.push(Visit { seats });
    }
    found
}

/// At most `count` of these (sorted by start, one for each start): the earliest of different days,
/// or where all lie in one day, spread over it.
pub(crate) fn spread(visits: Vec<Visit>, count: usize) -> Vec<Visit> {
    let mut visits = visits;
    visits.dedup_by_key(|visit| visit.start());
    if visits.len() <= count {
        return visits;
    }
    let mut by_day = visits.clone();
    by_day.dedup_by_key(|visit| visit.start().date());
    if by_day.len() > 1 {
        let mut chosen: Vec<Visit> = by_day.into_iter().take(count).collect();
        while chosen.len() < count {
            // The one furthest from those that are shown already.
            let apart = |visit: &Visit| chosen.iter().map(|shown| shown.start().duration_until(visit.start()).abs()).min();
            let Some(next) = visits.iter().filter(|visit| !chosen.contains(visit)).max_by_key(|visit| apart(visit)).cloned() else { break };
            chosen.push(next);
        }
        chosen.sort_by_key(Visit::start);
        return chosen;
    }
    let last = visits.len() - 1;
    (0..count).map(|i| visits[i * last / (count - 1).max(1)].clone()).collect()
}

/// At most `count` of these, the nearest to `anchor` first chosen, then in the order of time.
pub(crate) fn nearest(visits: Vec<Visit>, anchor: DateTime, count: usize) -> Vec<Visit> {
    let mut visits = visits;
    visits.dedup_by_key(|visit| visit.start());
    visits.sort_by_key(|visit| (anchor.duration_until(visit.start()).abs(), visit.start()));
    visits.truncate(count);
    visits.sort_by_key(Visit::start);
    visits
}

/// At most `count` of these, on each of the first days the one nearest to that time of day.
pub(crate) fn near_time(visits: Vec<Visit>, time: Time, count: usize) -> Vec<Visit> {
    let mut days: Vec<Date> = visits.iter().map(|visit| visit.start().date()).collect();
    days.dedup();
    let on = |day: Date| {
        let same_day = visits.iter().filter(move |visit| visit.start().date() == day);
        same_day.min_by_key(|visit| time.duration_until(visit.start().time()).abs()).cloned()
    };
    days.iter().take(count).filter_map(|day| on(*day)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::{CompanyId, Hours, Money, PriceRange, SalonId, Service, ServiceStaff, Staff, WorkDay};
    use jiff::{civil::date, tz::TimeZone};

    use super::*;
    use crate::moment::Want;

    const DAY: Date = date(2026, 3, 4);

    /// Services 1 (60 min, by 1 and 2), 2 (30 min, by 2), 3 (30 min, by 3); 1 and 2 work nine days from that day.
    pub(crate) fn salon() -> Salon {
        let hours = Hours { from: Time::constant(9, 0, 0, 0), to: Time::constant(18, 0, 0, 0) };
        let day = |staff, offset: i64| WorkDay { staff_id: StaffId(staff), date: DAY.saturating_add(offset.days()), hours: vec![hours] };
        let service = |id, minutes, staff: &[i64]| Service {
            id: ServiceId(id),
            title: format!("Услуга {id}"),
            category: String::new(),
            price: PriceRange::new(Money(100), Money(100)),
            minutes,
            description: String::new(),
            staff: staff.iter().map(|id| ServiceStaff { staff_id: StaffId(*id), minutes }).collect(),
            composite_of: Vec::new(),
        };
        let staff = |id, rating| Staff { id: StaffId(id), name: format!("Мастер {id}"), specialization: String::new(), rating };
        Salon {
            company_id: CompanyId(1),
            salon_id: SalonId(1),
            title: String::new(),
            city: String::new(),
            address: String::new(),
            phone: None,
            timezone: TimeZone::UTC,
            currency: "₽".into(),
            services: vec![service(1, 60, &[1, 2]), service(2, 30, &[2]), service(3, 30, &[3])],
            staff: vec![staff(1, Some(4.0)), staff(2, Some(5.0)), staff(3, None)],
            schedule: (0..9).flat_map(|offset| [day(1, offset), day(2, offset)]).collect(),
        }
    }

    fn wish(services: &[i64], staff: &[i64], people: u8) -> Wish {
        let services = services.iter().map(|id| ServiceId(*id)).collect();
        Wish { services, staff: staff.iter().map(|id| StaffId(*id)).collect(), people, ..Wish::default() }
    }

    /// The chairs as `services:masters`, and the master who does none of it.
    fn check_plan(wish: &Wish, expected: &[(&[i64], &[i64])], wrong: Option<i64>) {
        let plan = plan(&salon(), wish).expect("a plan");
        let found: Vec<(Vec<i64>, Vec<i64>)> = plan
            .chairs
            .iter()
            .map(|chair| (chair.services.iter().map(|id| id.0).collect(), chair.allowed.iter().map(|id| id.0).collect()))
            .collect();
        let expected: Vec<(Vec<i64>, Vec<i64>)> = expected.iter().map(|(s, a)| (s.to_vec(), a.to_vec())).collect();
        assert_eq!((found, plan.wrong_master.map(|id| id.0)), (expected, wrong), "{wish:?}");
    }

    #[test]
    fn who_does_what() {
        check_plan(&wish(&[1], &[], 1), &[(&[1], &[2, 1])], None);
        check_plan(&wish(&[1], &[1], 1), &[(&[1], &[1])], None);
        check_plan(&wish(&[1, 2], &[], 1), &[(&[1, 2], &[2])], None);
        check_plan(&wish(&[1, 2], &[1], 1), &[(&[1], &[1]), (&[2], &[2])], None);
        check_plan(&wish(&[2, 3], &[], 1), &[(&[2], &[2]), (&[3], &[3])], None);
        check_plan(&wish(&[3], &[1], 1), &[(&[3], &[3])], Some(1));
        check_plan(&wish(&[1], &[], 2), &[(&[1], &[2, 1]), (&[1], &[2, 1])], None);
        check_plan(&wish(&[1], &[1], 2), &[(&[1], &[1]), (&[1], &[1])], None);
        let at_three = Wish { when: vec![Want::at(date(2026, 3, 4).at(15, 0, 0, 0))], ..wish(&[1], &[1], 2) };
        check_plan(&at_three, &[(&[1], &[1]), (&[1], &[2, 1])], None);
        check_plan(&Wish { together: true, ..wish(&[1], &[1], 2) }, &[(&[1], &[1]), (&[1], &[2, 1])], None);
        check_plan(&wish(&[1, 3], &[], 2), &[(&[1], &[2, 1]), (&[3], &[3])], None);
        assert_eq!(plan(&salon(), &wish(&[1], &[], 9)), Err(NoPlan::TooManyPeople));
        let refused = Wish { staff_not: vec![StaffId(3)], ..wish(&[3], &[], 1) };
        assert_eq!(plan(&salon(), &refused), Err(NoPlan::NobodyDoes(ServiceId(3))));
    }

    fn slots(free: &[(i64, &[i8])]) -> Vec<Slot> {
        let one = |(staff, hours): &(i64, &[i8])| {
            let staff_id = StaffId(*staff);
            hours.iter().map(|hour| Slot { start: DAY.at(*hour, 0, 0, 0), staff_id }).collect::<Vec<_>>()
        };
        free.iter().flat_map(one).collect()
    }

    /// `start hour of each seat @ master` for every visit found.
    fn check_visits(wish: &Wish, free: &[&[(i64, &[i8])]], expected: &[&[(i8, i64)]]) {
        let salon = salon();
        let plan = plan(&salon, wish).expect("a plan");
        let slots: Vec<Vec<Slot>> = free.iter().map(|free| slots(free)).collect();
        let found: Vec<Vec<(i8, i64)>> = visits(&salon, &plan.chairs, plan.arrangement, &slots, DAY.at(8, 0, 0, 0))
            .iter()
            .map(|visit| visit.seats.iter().map(|seat| (seat.start.hour(), seat.staff.0)).collect())
            .collect();
        assert_eq!(found, expected.iter().map(|visit| visit.to_vec()).collect::<Vec<_>>(), "{wish:?}");
    }

    #[test]
    fn seats_are_found() {
        check_visits(&wish(&[1], &[], 1), &[&[(1, &[9, 10]), (2, &[10])]], &[&[(9, 1)], &[(10, 2)], &[(10, 1)]]);
        let both: &[(i64, &[i8])] = &[(1, &[9, 10]), (2, &[10, 11])];
        check_visits(&wish(&[1], &[], 2), &[both, both], &[&[(10, 2), (10, 1)]]);
        // An hour with the first master, then the brows; or the brows (half an hour, then a gap) first.
        check_visits(&wish(&[1, 3], &[1], 1), &[&[(1, &[9, 12])], &[(3, &[10, 11])]], &[&[(9, 1), (10, 3)], &[(11, 3), (12, 1)]]);
        check_visits(&wish(&[1, 3], &[1], 1), &[&[(1, &[9])], &[(3, &[15])]], &[]);
    }

    #[test]
    fn a_few_of_many() {
        let at = |days: i8, hour: i8| date(2026, 3, 4 + days).at(hour, 0, 0, 0);
        let visit = |start| Visit { seats: vec![Seat { services: vec![ServiceId(1)], staff: StaffId(1), start }] };
        let day: Vec<Visit> = (9..=17).map(|hour| visit(at(0, hour))).collect();
        let week: Vec<Visit> = (0..3).flat_map(|d| (9..=17).map(move |hour| (d, hour))).map(|(d, hour)| visit(at(d, hour))).collect();
        let starts = |visits: Vec<Visit>| visits.iter().map(Visit::start).collect::<Vec<_>>();
        assert_eq!(starts(spread(day.clone(), 3)), [at(0, 9), at(0, 13), at(0, 17)]);
        assert_eq!(starts(spread(day[..2].to_vec(), 3)), [at(0, 9), at(0, 10)]);
        assert_eq!(starts(spread(week.clone(), 2)), [at(0, 9), at(1, 9)]);
        assert_eq!(starts(nearest(day, at(0, 15), 2)), [at(0, 14), at(0, 15)]);
        assert_eq!(starts(near_time(week, jiff::civil::time(15, 0, 0, 0), 2)), [at(0, 15), at(1, 15)]);
    }
}
