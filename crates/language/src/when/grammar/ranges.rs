//! «С 10 до 13», «с понедельника по среду».

use jiff::civil::Date;

use super::{
    super::{Clock, Clocks, Day, Item, Mention, calendar},
    Found, Grammar, Number,
};
use crate::{
    Asked,
    lexicon::{Part, Prep, Sense, Unit},
};

impl Grammar<'_> {
    /// «С 10 до 13», «между 10 и 13», «10-13», «с 25 по 28 ноября», «с понедельника по среду».
    pub(super) fn ranged(&self, i: usize, last: Option<&Mention>) -> Option<(Item, Option<Prep>, usize)> {
        let token = self.at(i)?;
        let between = token.prep(Prep::Between);
        let from = token.prep(Prep::From);
        let start = match () {
            () if between => i + 1,
            () if from => self.little_words(i).1,
            () if self.unit(i) == Some(Unit::Hour) && token.text != "час" && (self.prep(i + 1, Prep::At) || self.prep(i + 1, Prep::To)) => {
                i + 2
            }
            // «на 10-13», «в 10-13»
            () if token.prep(Prep::On) || token.prep(Prep::At) || token.prep(Prep::About) => i + 1,
            () => i,
        };
        let joined = |j: usize| -> Option<usize> {
            let k = j + usize::from(self.mark(j, ","));
            let k = if self.is(k, Sense::And) && !between { k + 1 } else { k };
            if between {
                return self.is(k, Sense::And).then_some(k + 1);
            }
            if self.prep(k, Prep::Until) || self.prep(k, Prep::Along) && (from || self.number(k + 1).is_some()) {
                return Some(k + 1);
            }
            self.mark(k, "-–—").then_some(k + 1)
        };
        let open = from || between;
        // Days first: a month or «числа» at the end settles what the numbers are.
        if let Some((from_day, j)) = self.day_of_range(start)
            && let Some(k) = joined(j)
            && let Some((to_day, end)) = self.day(self.skip_little(k)).or_else(|| self.same_month(from_day, j, k))
            && (open || self.mark(j, "-–—") || self.prep(j, Prep::Along))
            && !(self.setting.moving && !self.prep(j, Prep::Along) && !self.mark(j, "-–—"))
        {
            let first = |day: Day| calendar::days(day, self.today).first().copied();
            let (from_date, _) = first(from_day)?;
            let (mut from_date, mut to_date) = (from_date, first(to_day)?.1);
            let end_of_named = to_date;
            // A weekday or number of a range is the one before its end, or after its start.
            if let (Day::OfMonth(n), Day::On(end)) = (from_day, to_day) {
                from_date = Date::new(end.year(), end.month(), n).unwrap_or(from_date);
            }
            if let (Day::On(a), Day::On(_)) = (from_day, to_day)
                && a > end_of_named
            {
                from_date = calendar::plus_months(a, -12);
            }
            if let (Day::On(a), Day::On(b)) = (from_day, to_day)
                && b.year() > a.year()
                && self.at(end - 1).is_some_and(|t| t.digits == 4)
            {
                from_date = calendar::plus_months(a, 12 * i32::from(b.year() - a.year()));
            }
            if to_date < from_date {
                to_date = match to_day {
                    Day::Weekday(..) => calendar::plus_days(to_date, 7),
                    _ => calendar::plus_months(to_date, 1),
                };
            }
            // «С понедельника по среду следующей недели»
            if let (Day::Weekday(a, _), Day::Weekday(b, _)) = (from_day, to_day)
                && self.is(end, Sense::Next)
                && self.unit(end + 1) == Some(Unit::Week)
                && a < b
            {
                let day = |weekday: i8| calendar::plus_days(calendar::monday(self.today), 6 + i32::from(weekday));
                return Some((Item::Day(Day::Span(day(a), day(b))), Some(Prep::Between), end + 2));
            }
            if from_date < to_date {
                return Some((Item::Day(Day::Span(from_date, to_date)), Some(Prep::Between), end));
            }
        }
        // «с 25 по 28», «25-28»: numbers no clock has, or «по» between them.
        if let (Some(a), true) = (self.number(start), open || self.number(start).is_some_and(|n| n.digits > 0))
            && let Some(k) = joined(a.next)
            && let Some(b) = self.number(k)
            && self.plain_numbers(a, b)
        {
            let along = self.prep(a.next, Prep::Along);
            let days = a.value >= 1 && a.value <= 31 && b.value <= 31 && a.value < b.value;
            let clock_word = start > i && self.prep(i, Prep::At) && !from;
            // «29.11 17-30»: the day stands already.
            let after_day = last.is_some_and(|m| matches!(m.item, Item::Day(_)) && m.span.end == i) && self.mark(a.next, "-–—");
            // «17-30» glued is half past five.
            let clock_face = self.mark(a.next, "-–")
                && self.glued(a.next)
                && self.glued(a.next + 1)
                && (7..=22).contains(&a.value)
                && b.value == 30
                && !open
                && !self.asked_day();
            if days
                && !clock_face
                && !after_day
                && !clock_word
                && (b.value > 24 || along && b.value > 12 || self.asked_day() && self.mark(a.next, "-–—"))
                && self.part_after(b.next).is_none()
            {
                let from = calendar::numbered(self.today, i8::try_from(a.value).ok()?)?;
                let to = Date::new(from.year(), from.month(), i8::try_from(b.value).ok()?).ok()?;
                return Some((Item::Day(Day::Span(from, to)), Some(Prep::Between), b.next));
            }
        }
        self.window(i, start, open, joined)
    }

    pub(super) fn asked_day(&self) -> bool {
        self.setting.context.asked == Some(Asked::Day)
    }

    pub(super) fn plain_numbers(&self, a: Number, b: Number) -> bool {
        !a.ordinal && !b.ordinal && !self.mark(b.next, ":") && !self.counted(b.next)
    }

    pub(super) fn window(
        &self,
        i: usize,
        start: usize,
        open: bool,
        joined: impl Fn(usize) -> Option<usize>,
    ) -> Option<(Item, Option<Prep>, usize)> {
        let explicit = open || start > i;
        // «с утра до 12», «с 12 до вечера»
        if let Some(part) = self.part(start).filter(|_| open)
            && let Some(k) = joined(start + 1)
            && let Some((to, end)) = self.clock(k, true)
        {
            let from = Clock { hour: if part == Part::Morning { 9 } else { 12 }, minute: 0, settled: true };
            return Some((Item::Time(Clocks::Between(from, to)), Some(Prep::Between), end));
        }
        let (mut a, j) = self.clock(start, true)?;
        let k = joined(j)?;
        let k = if self.prep(k, Prep::At) { k + 1 } else { k };
        if let Some(part) = self.part(k).filter(|_| open) {
            let to = Clock { hour: if part == Part::Evening { 17 } else { 12 }, minute: 0, settled: true };
            return Some((Item::Time(Clocks::Between(a, to)), Some(Prep::Between), k + 1));
        }
        let (b, end) = self.clock(k, true)?;
        // «2-3 раза», «5-6 лет», «1-2 дня»; and a bare «10-13» must look like hours.
        if self.counted(end) || (!explicit && !self.looks_like_hours(start, j, end)) {
            return None;
        }
        if self.unit(end).is_some_and(|unit| unit != Unit::Hour) {
            return None;
        }
        // «с 5 до 7 вечера»
        if !a.settled && b.settled && b.hour > 12 && a.hour < b.hour - 12 && self.part_after(end.saturating_sub(1)).is_some() {
            a = Clock { hour: a.hour % 12 + 12, settled: true, ..a };
        }
        if !a.settled && b.settled && b.hour > 12 && a.hour < b.hour - 12 && self.pm_before(end) {
            a = Clock { hour: a.hour % 12 + 12, settled: true, ..a };
        }
        if a.settled && b.settled && (a.hour, a.minute) >= (b.hour, b.minute) {
            return None;
        }
        Some((Item::Time(Clocks::Between(a, b)), Some(Prep::Between), end))
    }

    pub(super) fn pm_before(&self, end: usize) -> bool {
        end > 0 && self.at(end - 1).is_some_and(|t| t.is(Sense::Pm) || t.text == "вечера" || t.text == "дня")
    }

    /// «10-13» with no word around it.
    pub(super) fn looks_like_hours(&self, start: usize, middle: usize, end: usize) -> bool {
        let number = |i: usize| self.number(i).map(|n| n.value);
        let long = middle - start > 1;
        let (Some(a), Some(b)) = (number(start), number(end - 1).or_else(|| number(middle + 1))) else { return long };
        long || ((8..24).contains(&a) && a < b && b <= 24) || (end - 1 > middle + 1)
    }

    /// «С 25 ноября по 30»: the month goes on.
    fn same_month(&self, from: Day, joint: usize, i: usize) -> Found<Day> {
        let Day::On(from) = from else { return None };
        let n = self.number(i).filter(|n| (1..=31).contains(&n.value) && self.prep(joint, Prep::Along))?;
        let free = !self.counted(n.next) && self.clock_evidence(n.next).is_none();
        let to = Date::new(from.year(), from.month(), i8::try_from(n.value).ok()?).ok().filter(|to| free && *to > from)?;
        Some((Day::On(to), self.after_suffix(n.next).unwrap_or(n.next)))
    }

    pub(super) fn day_of_range(&self, i: usize) -> Found<Day> {
        if let Some(found) = self.day(i) {
            return Some(found);
        }
        // «10 - 22 августа», «с 11 по 15 числа»: a number whose month comes at the end.
        let n = self.number(i).filter(|n| (1..=31).contains(&n.value))?;
        let end = n.next + usize::from(self.suffix(n.next));
        let k = end + usize::from(self.mark(end, ","));
        let joint = self.mark(k, "-–—") || self.prep(k, Prep::Until) || self.prep(k, Prep::Along);
        let other = self.number(k + 1).filter(|m| (1..=31).contains(&m.value))?;
        let after = other.next + usize::from(self.suffix(other.next));
        let named = self.at(after).is_some_and(|t| t.month().is_some() || t.is(Sense::DayOfMonth));
        (joint && named).then_some((Day::OfMonth(i8::try_from(n.value).ok()?), end))
    }

    pub(super) fn skip_little(&self, i: usize) -> usize {
        self.little_words(i).1
    }
}
