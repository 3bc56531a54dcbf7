//! Dates and hours by the salon's conventions.

use domain::Salon;
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time, date, time},
};

use super::{Clock, Clocks, Day, Which};
use crate::{When, lexicon::Part};

/// When the salon is open, from the first master's start to the last one's end.
#[derive(Debug, Clone)]
pub(crate) struct OpeningHours {
    /// In order of date.
    days: Box<[(Date, Time, Time)]>,
    /// The widest that is known.
    usual: (Time, Time),
}

impl OpeningHours {
    /// Nothing known: 09:00–21:00 every day.
    pub(crate) fn unknown() -> Self {
        Self { days: Box::default(), usual: (time(9, 0, 0, 0), time(21, 0, 0, 0)) }
    }

    pub(crate) fn of(salon: &Salon) -> Self {
        let mut dates: Vec<Date> = salon.schedule.iter().map(|day| day.date).collect();
        dates.sort_unstable();
        dates.dedup();
        let days: Box<[_]> =
            dates.into_iter().filter_map(|date| salon.opening_hours(date).map(|hours| (date, hours.from, hours.to))).collect();
        let widest = days.iter().map(|(_, from, to)| (*from, *to)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        Self { days, usual: widest.unwrap_or(Self::unknown().usual) }
    }

    /// The hours of a day; the usual ones where the day's are unknown.
    pub(super) fn on(&self, date: Date) -> (Time, Time) {
        self.days.binary_search_by_key(&date, |day| day.0).map_or(self.usual, |i| (self.days[i].1, self.days[i].2))
    }
}

/// Days later, or the last day there is.
pub(super) fn plus_days(date: Date, days: i32) -> Date {
    date.checked_add(days.days()).unwrap_or(date)
}

/// Months later; the end of a shorter month.
pub(super) fn plus_months(date: Date, months: i32) -> Date {
    date.checked_add(months.months()).unwrap_or(date)
}

pub(super) fn plus_minutes(moment: DateTime, minutes: i64) -> DateTime {
    moment.checked_add(minutes.minutes()).unwrap_or(moment)
}

/// The Monday of a date's week.
pub(super) fn monday(of: Date) -> Date {
    plus_days(of, 1 - i32::from(of.weekday().to_monday_one_offset()))
}

/// The coming day of that name: today never.
fn coming(today: Date, weekday: i8) -> Date {
    let ahead = i32::from((weekday - today.weekday().to_monday_one_offset()).rem_euclid(7));
    plus_days(today, if ahead == 0 { 7 } else { ahead })
}

/// The date of this year, or of the next where it lies behind; with a year said, of that one.
/// `None` when there is no such date.
pub(super) fn dated(today: Date, day: u32, month: i8, year: Option<u32>) -> Option<Date> {
    let day = i8::try_from(day).ok()?;
    if let Some(year) = year {
        let year = if year < 100 { 2000 + year } else { year };
        return Date::new(i16::try_from(year).ok()?, month, day).ok();
    }
    let year = today.year() + i16::from((month, day) < (today.month(), today.day()));
    Date::new(year, month, day).ok()
}

/// The next day of that number.
pub(super) fn numbered(today: Date, day: i8) -> Option<Date> {
    (0..4).map(|n| plus_months(today.first_of_month(), n)).find_map(|month| {
        let date = Date::new(month.year(), month.month(), day).ok()?;
        (date >= today).then_some(date)
    })
}

/// The first or last days of a month, that one or the next where it lies behind.
pub(super) fn third_of_month(today: Date, month: Date, third: u8, may_roll: bool) -> (Date, Date) {
    let span = |month: Date| {
        let day = |n| date(month.year(), month.month(), n);
        match third {
            0 => (day(1), day(10)),
            1 => (day(11), day(20)),
            _ => (day(21), month.last_of_month()),
        }
    };
    let (from, to) = span(month);
    if to < today && may_roll { span(plus_months(month.first_of_month(), 1)) } else { (from.max(today), to.max(today)) }
}

/// The days that were meant: two where the words leave both open.
pub(super) fn days(day: Day, today: Date) -> Vec<(Date, Date)> {
    let one = |date: Date| vec![(date, date)];
    match day {
        Day::On(date) => one(date),
        Day::Span(from, to) => vec![(from, to)],
        Day::InWeeks(n) => one(plus_days(today, 7 * n)),
        Day::OfMonth(n) => numbered(today, n).map(one).unwrap_or_default(),
        Day::Weekday(weekday, which) => {
            let is_today = today.weekday().to_monday_one_offset() == weekday;
            let coming = coming(today, weekday);
            let next_week = plus_days(monday(today), 6 + i32::from(weekday));
            match which {
                Which::This => one(if is_today { today } else { coming }),
                Which::Bare if is_today => vec![(today, today), (coming, coming)],
                Which::Bare => one(coming),
                Which::Next if coming < next_week => vec![(coming, coming), (next_week, next_week)],
                Which::Next => one(next_week),
            }
        }
    }
}

/// Both halves of the day a bare hour may lie in.
fn readings(clock: Clock) -> Vec<Time> {
    let at = |hour: i8| time(hour, clock.minute, 0, 0);
    if clock.settled || clock.hour > 12 || clock.hour == 0 {
        vec![at(clock.hour)]
    } else if clock.hour == 12 {
        vec![at(12), at(0)]
    } else {
        vec![at(clock.hour), at(clock.hour + 12)]
    }
}

/// The reading inside opening hours; where both or neither lies inside, the one between 8:00 and 20:00.
fn hour(clock: Clock, open: (Time, Time)) -> Time {
    let readings = readings(clock);
    let inside: Vec<Time> = readings.iter().copied().filter(|t| (open.0..=open.1).contains(t)).collect();
    match inside[..] {
        [only] => only,
        _ => readings.iter().copied().find(|t| (time(8, 0, 0, 0)..=time(20, 0, 0, 0)).contains(t)).unwrap_or(readings[0]),
    }
}

/// A window's two hours: the end after the start, both inside opening hours where that can be.
fn hours(from: Clock, to: Clock, open: (Time, Time)) -> Option<(Time, Time)> {
    let inside = |t: Time| i32::from((open.0..=open.1).contains(&t));
    let daylight = |t: Time| i32::from((time(8, 0, 0, 0)..=time(20, 0, 0, 0)).contains(&t));
    let mut pairs: Vec<(Time, Time)> = Vec::new();
    for from in readings(from) {
        pairs.extend(readings(to).into_iter().filter(|to| from < *to).map(|to| (from, to)));
    }
    pairs.into_iter().rev().max_by_key(|(from, to)| (inside(*from) + inside(*to), daylight(*from) + daylight(*to)))
}

fn part(part: Part) -> (Time, Time) {
    let (from, to) = match part {
        Part::Morning => (9, 12),
        Part::Lunch => (12, 14),
        Part::Day => (12, 17),
        Part::Evening => (17, 21),
        Part::Night => (21, 23),
    };
    (time(from, 0, 0, 0), time(to, 0, 0, 0))
}

/// A window cut to opening hours, and today to what is left; whole where nothing would be left.
fn cut(window: (Time, Time), open: (Time, Time), date: Date, now: DateTime) -> (Time, Time) {
    let (mut from, mut to) = window;
    if from.max(open.0) < to.min(open.1) {
        (from, to) = (from.max(open.0), to.min(open.1));
    }
    let minute = time(now.hour(), now.minute(), 0, 0);
    if date == now.date() && from < minute && minute < to {
        from = minute;
    }
    (from, to)
}

/// One day with what was said of its time; `None` when that cannot be.
pub(super) fn on_day(date: Date, clocks: Clocks, hours_of: &OpeningHours, now: DateTime, time_only: bool, ambiguous: bool) -> Option<When> {
    let open = hours_of.on(date);
    let at = |time: Time| date.to_datetime(time);
    Some(match clocks {
        Clocks::At(clock) => When::At { from: at(hour(clock, open)), time_only, ambiguous },
        Clocks::After(clock) => When::After { from: at(hour(clock, open)), time_only, ambiguous },
        Clocks::Before(clock) => When::Before { to: at(hour(clock, open)), time_only, ambiguous },
        Clocks::Between(from, to) => {
            let (from, to) = hours(from, to, open)?;
            When::Window { from: at(from), to: at(to), time_only, ambiguous }
        }
        Clocks::Part(of_day) => {
            let (from, to) = cut(part(of_day), open, date, now);
            When::Window { from: at(from), to: at(to), time_only, ambiguous }
        }
        Clocks::BeforePart(of_day) => {
            When::Before { to: at(if of_day == Part::Morning { part(of_day).1 } else { part(of_day).0 }), time_only, ambiguous }
        }
        Clocks::AfterPart(of_day) => {
            let from = cut((part(of_day).1, time(23, 59, 0, 0)), (time(0, 0, 0, 0), time(23, 59, 0, 0)), date, now).0;
            When::After { from: at(from), time_only, ambiguous }
        }
    })
}

/// The end of what is asked for on a day lies behind.
pub(super) fn is_over(when: &When, now: DateTime) -> bool {
    match when {
        When::At { from, .. } => *from < now,
        When::Window { to, .. } | When::Before { to, .. } => *to <= now,
        When::Day { .. } | When::Days { .. } | When::After { .. } => false,
    }
}
