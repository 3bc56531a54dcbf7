use domain::{Hours, Salon, StaffId};
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
};
use language::When;
use serde::{Deserialize, Serialize};

/// Days ahead that a booking can be made for.
const HORIZON_DAYS: i32 = 90;

/// One of the alternatives that a customer named: days, and hours within each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Want {
    /// First day; today's date stands here while no day was said.
    pub(crate) from: Date,
    /// Last day, included.
    pub(crate) to: Date,
    pub(crate) day_said: bool,
    pub(crate) hours: Option<HoursWanted>,
    /// The words have another reading, which stands beside this one.
    pub(crate) ambiguous: bool,
    /// The hours were said of another day: they come first, but nothing is booked on them unasked.
    pub(crate) carried: bool,
}

/// Hours of a day, as a start has to fit them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum HoursWanted {
    At(Time),
    /// The end left out.
    Between(Time, Time),
    After(Time),
    /// The end left out.
    Before(Time),
}

impl HoursWanted {
    fn fits(self, time: Time) -> bool {
        match self {
            Self::At(at) => time == at,
            Self::Between(from, to) => from <= time && time < to,
            Self::After(from) => from <= time,
            Self::Before(to) => time < to,
        }
    }

    /// The time that others are measured against.
    pub(crate) fn anchor(self) -> Time {
        match self {
            Self::At(time) | Self::Between(time, _) | Self::After(time) | Self::Before(time) => time,
        }
    }

    /// Over when `time` has come.
    fn past(self, time: Time) -> bool {
        match self {
            Self::At(at) => at < time,
            Self::Between(_, to) | Self::Before(to) => to <= time,
            Self::After(_) => false,
        }
    }
}

impl Want {
    /// As the reader gives it.
    pub(crate) fn read(when: &When) -> Self {
        let of = |from: Date, to: Date, time_only: bool, hours, ambiguous| Self {
            from,
            to,
            day_said: !time_only,
            hours,
            ambiguous,
            carried: false,
        };
        match *when {
            When::At { from, time_only, ambiguous } => {
                of(from.date(), from.date(), time_only, Some(HoursWanted::At(from.time())), ambiguous)
            }
            When::Day { from, ambiguous } => of(from, from, false, None, ambiguous),
            When::Days { from, to, ambiguous } => of(from, to.max(from), false, None, ambiguous),
            When::Window { from, to, time_only, ambiguous } => {
                of(from.date(), from.date(), time_only, Some(HoursWanted::Between(from.time(), to.time())), ambiguous)
            }
            When::After { from, time_only, ambiguous } => {
                of(from.date(), from.date(), time_only, Some(HoursWanted::After(from.time())), ambiguous)
            }
            When::Before { to, time_only, ambiguous } => {
                of(to.date(), to.date(), time_only, Some(HoursWanted::Before(to.time())), ambiguous)
            }
        }
    }

    /// Exactly this moment.
    pub(crate) fn at(start: DateTime) -> Self {
        Self {
            from: start.date(),
            to: start.date(),
            day_said: true,
            hours: Some(HoursWanted::At(start.time())),
            ambiguous: false,
            carried: false,
        }
    }

    pub(crate) fn fits(&self, start: DateTime) -> bool {
        self.from <= start.date() && start.date() <= self.to && self.hours.is_none_or(|hours| hours.fits(start.time()))
    }

    /// One moment and no other reading: may be booked at once.
    pub(crate) fn moment(&self) -> Option<DateTime> {
        match self.hours {
            Some(HoursWanted::At(time)) if self.day_said && self.from == self.to && !self.ambiguous && !self.carried => {
                Some(self.from.to_datetime(time))
            }
            _ => None,
        }
    }
}

/// What was said now, completed by what was said before: «в пятницу» keeps the hours, «в 16» the
/// day. `offered`: times were offered since, so that old hours are no longer an order, unless
/// `same_time` says that they are.
pub(crate) fn merge(old: &[Want], new: &[When], offered: bool, same_time: bool) -> Vec<Want> {
    let mut wants: Vec<Want> = new.iter().map(Want::read).collect();
    if let ([time], true) = (wants.as_slice(), old.len() > 1 && old.iter().all(|before| before.day_said)) {
        // «В среду или в четверг», then «в 15»: on either of them.
        if !time.day_said {
            let time = *time;
            wants = old.iter().map(|before| Want { hours: time.hours, carried: false, ..*before }).collect();
            wants.dedup();
        }
    }
    if let [before] = old {
        for want in &mut wants {
            if !want.day_said && before.day_said {
                (want.from, want.to, want.day_said) = (before.from, before.to, true);
            }
        }
    }
    // «В среду или в четверг в 15», then «в пятницу»: the hours that all alternatives share stay.
    let shared = old.first().and_then(|first| first.hours).filter(|hours| old.iter().all(|want| want.hours == Some(*hours)));
    for want in wants.iter_mut().filter(|want| want.hours.is_none() && shared.is_some()) {
        want.hours = shared;
        want.carried = offered && !same_time;
    }
    wants
}

/// Why a wanted moment cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WhyNot {
    Past,
    /// Bookings are open until that day.
    TooFar(Date),
    /// Nobody works.
    Closed(Date),
    DayOff(StaffId, Date),
    /// The salon is open, but none of those who do it works.
    AllOff(Date),
    /// The salon is open at other hours.
    ClosedAt(Date, Time, Time),
    /// The master works at other hours.
    NotHisHours(StaffId, Date, Time, Time),
    /// Nothing is free; the master, where one was named, and the moment, where one was.
    NotFree(Option<StaffId>, Option<DateTime>),
    /// Nothing is free on the whole day; the master, where one was named.
    FullDay(Option<StaffId>, Date),
    /// Nobody can serve them all at one time; one after the other it can be done.
    NotTogether,
    /// None of these services is done by the master.
    NotTheirs(StaffId),
    /// It was free a moment ago.
    JustTaken,
}

/// The last day that can be booked.
pub(crate) fn horizon(salon: &Salon, today: Date) -> Date {
    let limit = today.saturating_add(HORIZON_DAYS.days());
    salon.schedule.iter().filter(|day| !day.hours.is_empty()).map(|day| day.date).max().map_or(limit, |known| known.min(limit))
}

/// Whether the salon's hours forbid what is wanted, whatever is booked: the calendar's own "no".
/// `able` are the masters who could do it, `named` the only one of them who may.
pub(crate) fn forbidden(salon: &Salon, want: &Want, named: Option<StaffId>, able: &[StaffId], now: DateTime) -> Option<WhyNot> {
    if !want.day_said {
        return None;
    }
    let today = now.date();
    if want.to < today || (want.to == today && want.hours.is_some_and(|hours| hours.past(now.time()))) {
        return Some(WhyNot::Past);
    }
    let until = horizon(salon, today);
    if want.from > until.max(today) {
        return Some(WhyNot::TooFar(until));
    }
    if want.from != want.to || salon.schedule.is_empty() {
        return None;
    }
    let date = want.from;
    let Some(open) = salon.opening_hours(date) else { return Some(WhyNot::Closed(date)) };
    if named.is_none() && !able.is_empty() && able.iter().all(|staff| salon.hours_of(*staff, date).is_empty()) {
        return Some(WhyNot::AllOff(date));
    }
    let at = match want.hours {
        Some(HoursWanted::At(time)) => Some(time),
        _ => None,
    };
    if let Some(staff) = named {
        let Some(works) = whole(salon.hours_of(staff, date)) else { return Some(WhyNot::DayOff(staff, date)) };
        if at.is_some_and(|at| at < works.from || works.to <= at) {
            return Some(WhyNot::NotHisHours(staff, date, works.from, works.to));
        }
    }
    at.filter(|at| *at < open.from || open.to <= *at).map(|_| WhyNot::ClosedAt(date, open.from, open.to))
}

/// From the start of the first of a day's hours to the end of the last.
pub(crate) fn whole(hours: &[Hours]) -> Option<Hours> {
    hours.iter().copied().reduce(|a, b| Hours { from: a.from.min(b.from), to: a.to.max(b.to) })
}

/// The first and last of the next `count` days from `from` on which one of them works.
pub(crate) fn working_days(salon: &Salon, staff: &[StaffId], from: Date, count: usize) -> Option<(Date, Date)> {
    let mut days: Vec<Date> = salon
        .schedule
        .iter()
        .filter(|day| day.date >= from && !day.hours.is_empty() && staff.contains(&day.staff_id))
        .map(|day| day.date)
        .collect();
    days.sort_unstable();
    days.dedup();
    days.truncate(count);
    Some((*days.first()?, *days.last()?))
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    const FRIDAY: Date = date(2026, 3, 6);
    const SATURDAY: Date = date(2026, 3, 7);

    fn at(day: Date, hour: i8) -> When {
        When::At { from: day.at(hour, 0, 0, 0), time_only: false, ambiguous: false }
    }

    fn time_only(hour: i8) -> When {
        When::At { from: date(2026, 3, 2).at(hour, 0, 0, 0), time_only: true, ambiguous: false }
    }

    fn day(from: Date) -> When {
        When::Day { from, ambiguous: false }
    }

    /// What stands after `old` and then `new` was said: the moments, and whether they may be booked unasked.
    fn check(old: &[When], new: &[When], offered: bool, same_time: bool, expected: &[(Date, i8, bool)]) {
        let merged = merge(&merge(&[], old, false, false), new, offered, same_time);
        let found: Vec<_> =
            merged.iter().map(|want| (want.from, want.hours.map_or(0, |hours| hours.anchor().hour()), want.moment().is_some())).collect();
        assert_eq!(found, expected, "{old:?} then {new:?}");
    }

    #[test]
    fn what_is_not_said_again_stays() {
        check(&[day(FRIDAY)], &[time_only(15)], false, false, &[(FRIDAY, 15, true)]);
        check(&[time_only(15)], &[day(FRIDAY)], false, false, &[(FRIDAY, 15, true)]);
        check(&[at(FRIDAY, 15)], &[time_only(16)], true, false, &[(FRIDAY, 16, true)]);
        check(&[at(FRIDAY, 15)], &[at(SATURDAY, 12)], true, false, &[(SATURDAY, 12, true)]);
    }

    #[test]
    fn old_hours_are_no_order_once_times_were_offered() {
        check(&[at(FRIDAY, 15)], &[day(SATURDAY)], true, false, &[(SATURDAY, 15, false)]);
        check(&[at(FRIDAY, 15)], &[day(SATURDAY)], true, true, &[(SATURDAY, 15, true)]);
        check(&[at(FRIDAY, 15)], &[day(SATURDAY)], false, false, &[(SATURDAY, 15, true)]);
    }

    #[test]
    fn a_time_holds_for_all_the_days_said() {
        check(&[day(FRIDAY), day(SATURDAY)], &[time_only(15)], true, false, &[(FRIDAY, 15, true), (SATURDAY, 15, true)]);
        check(&[at(FRIDAY, 12), at(SATURDAY, 12)], &[time_only(15)], true, false, &[(FRIDAY, 15, true), (SATURDAY, 15, true)]);
        check(&[at(FRIDAY, 12), at(FRIDAY, 14)], &[time_only(15)], true, false, &[(FRIDAY, 15, true)]);
    }

    #[test]
    fn alternatives_and_double_readings_are_never_a_moment() {
        check(&[at(FRIDAY, 15), at(SATURDAY, 15)], &[day(FRIDAY)], false, false, &[(FRIDAY, 15, true)]);
        check(&[at(FRIDAY, 15), at(SATURDAY, 16)], &[day(FRIDAY)], false, false, &[(FRIDAY, 0, false)]);
        let both = When::At { from: FRIDAY.at(15, 0, 0, 0), time_only: false, ambiguous: true };
        check(&[], &[both], false, false, &[(FRIDAY, 15, false)]);
        check(&[], &[time_only(15)], false, false, &[(date(2026, 3, 2), 15, false)]);
    }

    #[test]
    fn hours_as_a_start_fits_them() {
        for (hours, fits, misses) in [
            (HoursWanted::At(time(15, 0, 0, 0)), &[15][..], &[14, 16][..]),
            (HoursWanted::Between(time(12, 0, 0, 0), time(17, 0, 0, 0)), &[12, 16], &[11, 17]),
            (HoursWanted::After(time(18, 0, 0, 0)), &[18, 20], &[17]),
            (HoursWanted::Before(time(12, 0, 0, 0)), &[9, 11], &[12]),
        ] {
            let want = Want { hours: Some(hours), ..Want::read(&day(FRIDAY)) };
            assert!(fits.iter().all(|hour| want.fits(FRIDAY.at(*hour, 0, 0, 0))), "{hours:?}");
            assert!(misses.iter().all(|hour| !want.fits(FRIDAY.at(*hour, 0, 0, 0))), "{hours:?}");
        }
    }
}
