//! What is told by its distance: «вчера», «на час позже», «в тот же день», «через два дня».

use super::{
    super::{Day, Item, Which, calendar},
    Found, Grammar,
};
use crate::lexicon::{Cue, Prep, Sense, Unit};

impl Grammar<'_> {
    pub(super) fn past(&self, i: usize) -> Found<Item> {
        let token = self.at(i)?;
        if token.find(|s| if let Sense::Rel(n) = s { (n < 0).then_some(()) } else { None }).is_some() {
            return Some((Item::Past, i + 1));
        }
        let (_, j) = self.little_words(i);
        if self.is(j, Sense::Prev) && !self.word(j, "last") || self.word(j, "last") {
            let k = j + 1;
            let thing = self.at(k)?;
            if thing.weekday().is_some()
                || thing.month().is_some()
                || matches!(thing.unit(), Some(Unit::Day | Unit::Week | Unit::Month | Unit::Year))
            {
                return Some((Item::Past, k + 1));
            }
        }
        // «два дня назад», «неделю назад»
        let (n, k) = self.number(i).map_or((1, i), |n| (n.value, n.next));
        if n > 0 && self.unit(k).is_some() && self.is(k + 1, Sense::Ago) && !self.word(k + 1, "тому") {
            return Some((Item::Past, k + 2));
        }
        if self.unit(k).is_some() && self.word(k + 1, "тому") && self.is(k + 2, Sense::Ago) {
            return Some((Item::Past, k + 3));
        }
        None
    }

    /// «На час позже», «на полчаса раньше», «попозже».
    pub(super) fn shift(&self, i: usize) -> Found<Item> {
        // "A week from Friday"
        if self.unit(i) == Some(Unit::Week)
            && self.word(i + 1, "from")
            && let Some(token) = self.at(i + 2)
            && let Some(day) = token.find(|sense| match sense {
                Sense::Weekday(n) => Some(Day::Weekday(n, Which::This)),
                Sense::Rel(n) => Some(Day::On(calendar::plus_days(self.today, n))),
                _ => None,
            })
        {
            let coming = calendar::days(day, self.today).first()?.0;
            return Some((Item::Day(Day::On(calendar::plus_days(coming, 7))), i + 3));
        }
        let j = if self.prep(i, Prep::On) || self.word(i, "an") || self.word(i, "a") || self.word(i, "by") { i + 1 } else { i };
        if let Some((minutes, next)) = self.length(j)
            && let Some(token) = self.at(next)
        {
            let ahead = self.at(next + 1).and_then(|t| self.number(next + 1).map(|_| t));
            if token.is(Sense::Later) && ahead.is_none() {
                return Some((Item::Shift(minutes), next + 1));
            }
            if token.is(Sense::Earlier) && ahead.is_none() {
                return Some((Item::Shift(-minutes), next + 1));
            }
        }
        // «позже на час»
        let token = self.at(i)?;
        let sign = if token.is(Sense::Later) { 1 } else { -1 };
        if (token.is(Sense::Later) || token.is(Sense::Earlier))
            && self.prep(i + 1, Prep::On)
            && let Some((minutes, next)) = self.length(i + 2)
        {
            return Some((Item::Shift(sign * minutes), next));
        }
        let asks = matches!(&*token.text, "попозже" | "пораньше" | "попозднее")
            || (matches!(&*token.text, "позже" | "раньше" | "позднее" | "later" | "earlier")
                && !self.said_not(i)
                && !self.setting.context.offered.is_empty());
        if asks && !self.number_ahead(i + 1) {
            return Some((Item::Roughly(sign == 1), i + 1));
        }
        None
    }

    /// A length of time in minutes: «час», «полтора часа», «30 минут», «час 20 минут», «день».
    pub(super) fn length(&self, i: usize) -> Found<i64> {
        let token = self.at(i)?;
        if token.is(Sense::HalfHour) {
            return Some((30, i + 1));
        }
        if token.is(Sense::Half) && self.unit(i + 1) == Some(Unit::Hour) {
            return Some((30, i + 2));
        }
        if token.text == "half" && matches!(self.at(i + 1).map(|t| &*t.text), Some("an" | "a")) && self.unit(i + 2) == Some(Unit::Hour) {
            return Some((30, i + 3));
        }
        let minutes = |unit: Unit| match unit {
            Unit::Minute => Some(1),
            Unit::Hour => Some(60),
            Unit::Day => Some(24 * 60),
            Unit::Week => Some(7 * 24 * 60),
            Unit::Month | Unit::Year => None,
        };
        if token.is(Sense::Quarter) && self.unit(i + 1) == Some(Unit::Hour) {
            return Some((15, i + 2));
        }
        if token.is(Sense::OneAndHalf) {
            return Some((minutes(self.unit(i + 1)?)? * 3 / 2, i + 2));
        }
        let (n, j) = if token.is(Sense::Couple) {
            (2, if self.word(i + 1, "of") { i + 2 } else { i + 1 })
        } else if let Some(n) = self.number(i).filter(|n| !n.ordinal && n.value <= 600) {
            (i64::from(n.value), n.next)
        } else {
            (1, i)
        };
        let unit = self.unit(j)?;
        let total = n * minutes(unit)?;
        let j = j + 1;
        // «2 с половиной часа» stands before its unit and is rare; «2 часа 30 минут» is not.
        if unit == Unit::Hour {
            let k = if self.is(j, Sense::And) { j + 1 } else { j };
            if let Some(n) = self.number(k).filter(|n| !n.ordinal && n.value < 60)
                && self.unit(n.next) == Some(Unit::Minute)
            {
                return Some((total + i64::from(n.value), n.next + 1));
            }
            // «Через час двадцать»
            if let Some(n) = self.number(j).filter(|n| !n.ordinal && n.value % 5 == 0 && (5..60).contains(&n.value))
                && self.at(n.next).is_none_or(|t| t.unit().is_none() && t.month().is_none() && !t.mark(':') && !t.is(Sense::DayOfMonth))
                && self.prep(i.wrapping_sub(1), Prep::In)
            {
                return Some((total + i64::from(n.value), n.next));
            }
        }
        Some((total, j))
    }

    /// «В тот же день», «время то же».
    pub(super) fn same(&self, i: usize) -> Found<Item> {
        let token = self.at(i)?;
        // «В любое время»
        if token.prep(Prep::At) && self.is(i + 1, Sense::Cue(Cue::Any)) && self.word(i + 2, "время") {
            return Some((Item::AnyTime, i + 3));
        }
        let j = if token.prep(Prep::At) || token.prep(Prep::On) { i + 1 } else { i };
        if !self.is(j, Sense::That) && !self.is(j, Sense::Same) {
            // «время то же», «время такое же»
            if token.text == "время" && self.is(i + 1, Sense::That) && self.at(i + 2).is_some_and(|t| t.is(Sense::Same)) {
                return Some((Item::SameTime, i + 3));
            }
            return None;
        }
        let same = (j + 1..j + 3).any(|k| self.is(k, Sense::Same));
        let k = (j + 1..j + 4)
            .find(|k| self.unit(*k) == Some(Unit::Day) || self.at(*k).is_some_and(|t| t.cue(Cue::Time) || t.is(Sense::DayOfMonth)))?;
        if !(j + 1..k).all(|k| self.is(k, Sense::Same) || self.is(k, Sense::That)) || self.word(j, "то") && !same {
            return None;
        }
        if self.unit(k) == Some(Unit::Day) || self.is(k, Sense::DayOfMonth) {
            let known = self.setting.context.day.is_some() || !self.setting.context.offered.is_empty();
            return (same || known).then_some((Item::SameDay, k + 1));
        }
        (same || self.word(j, "that")).then_some((Item::SameTime, k + 1))
    }

    pub(super) fn ahead(&self, i: usize) -> Found<Item> {
        let token = self.at(i)?;
        if token.mark_plus()
            && let Some((item, next)) = self.ahead_by(i + 1)
        {
            return Some((item, next));
        }
        if token.prep(Prep::In) && token.text != "in" {
            return self.ahead_by(i + 1);
        }
        if token.text == "in" {
            let j = if matches!(self.at(i + 1).map(|t| &*t.text), Some("a" | "an")) { i + 2 } else { i + 1 };
            return self.ahead_by(j);
        }
        if token.prep(Prep::At) && self.prep(i + 1, Prep::During) {
            let (item, next) =
                self.ahead_by(i + 2).filter(|(_, next)| self.unit(next - 1) != Some(Unit::Day) || self.word(next - 1, "суток"))?;
            let days = match item {
                Item::Day(Day::InWeeks(n)) => {
                    Item::Day(Day::Span(calendar::plus_days(self.today, 1), calendar::plus_days(self.today, 7 * n)))
                }
                item => item,
            };
            return Some((days, next));
        }
        // «минут через 20», «часа через два», «недели через две»
        if let Some(unit) = token.unit()
            && self.prep(i + 1, Prep::In)
            && !self.word(i + 1, "in")
            && let Some(n) = self.number(i + 2).filter(|n| !n.ordinal)
        {
            return Some((self.later_by(i64::from(n.value), unit)?, n.next));
        }
        // "two weeks from now", "an hour from now"
        let (n, j) =
            self.number(i).map_or((1, if matches!(&*token.text, "a" | "an") { i + 1 } else { i }), |n| (i64::from(n.value), n.next));
        if let Some(unit) = self.unit(j)
            && self.word(j + 1, "from")
            && (self.word(j + 2, "now") || self.word(j + 2, "today"))
        {
            return Some((self.later_by(n, unit)?, j + 3));
        }
        None
    }

    pub(super) fn ahead_by(&self, i: usize) -> Found<Item> {
        if self.is(i, Sense::HalfYear) {
            return Some((Item::Day(Day::On(calendar::plus_months(self.today, 6))), i + 1));
        }
        if self.is(i, Sense::OneAndHalf) && self.unit(i + 1) == Some(Unit::Year) {
            return Some((Item::Day(Day::On(calendar::plus_months(self.today, 18))), i + 2));
        }
        // «Через полторы недели» is ten days or eleven.
        if self.is(i, Sense::OneAndHalf) && self.unit(i + 1) == Some(Unit::Week) {
            let day = |n| calendar::plus_days(self.today, n);
            return Some((Item::Day(Day::Span(day(10), day(11))), i + 2));
        }
        if self.is(i, Sense::OneAndHalf) && self.unit(i + 1) == Some(Unit::Month) {
            return Some((Item::Day(Day::On(calendar::plus_days(calendar::plus_months(self.today, 1), 15))), i + 2));
        }
        // Lengths under a day are moments.
        if let Some((minutes, next)) = self.length(i)
            && (matches!(self.unit(next - 1), Some(Unit::Hour | Unit::Minute))
                || self.is(next - 1, Sense::HalfHour)
                || self.number(next - 1).is_some())
        {
            // «через час после …» says no moment.
            if self.prep(next, Prep::After) {
                return None;
            }
            return Some((Item::Moment(calendar::plus_minutes(self.setting.now, minutes)), next));
        }
        let mut date = self.today;
        let mut weeks = Some(0);
        let mut i = i;
        let mut minutes = 0;
        let mut found = false;
        for _ in 0..4 {
            let (n, j) = if self.is(i, Sense::Couple) {
                (2, i + 1 + usize::from(self.word(i + 1, "of")))
            } else if let Some(n) = self.number(i).filter(|n| !n.ordinal) {
                (i32::try_from(n.value).unwrap_or(i32::MAX).min(1000), n.next)
            } else {
                (1, i)
            };
            let Some(unit) = self.unit(j) else { break };
            match unit {
                Unit::Day => date = calendar::plus_days(date, n),
                Unit::Week => {
                    date = calendar::plus_days(date, 7 * n);
                    weeks = weeks.map(|weeks| weeks + n);
                }
                Unit::Month => date = calendar::plus_months(date, n),
                Unit::Year => date = calendar::plus_months(date, 12 * n),
                Unit::Hour => minutes += 60 * i64::from(n),
                Unit::Minute => minutes += i64::from(n),
            }
            if unit != Unit::Week {
                weeks = None;
            }
            found = true;
            i = j + 1;
            let k = i + usize::from(self.mark(i, ",")) + usize::from(self.is(i + usize::from(self.mark(i, ",")), Sense::And));
            let more = self.number(k).is_some_and(|n| self.unit(n.next).is_some()) || (k > i && self.unit(k).is_some());
            if !more {
                break;
            }
            i = k;
        }
        if !found {
            return None;
        }
        if minutes > 0 {
            return Some((Item::Moment(calendar::plus_minutes(date.to_datetime(self.setting.now.time()), minutes)), i));
        }
        Some((Item::Day(weeks.filter(|weeks| *weeks > 0).map_or(Day::On(date), Day::InWeeks)), i))
    }

    pub(super) fn later_by(&self, n: i64, unit: Unit) -> Option<Item> {
        let n32 = i32::try_from(n.min(1000)).ok()?;
        Some(match unit {
            Unit::Minute => Item::Moment(calendar::plus_minutes(self.setting.now, n)),
            Unit::Hour => Item::Moment(calendar::plus_minutes(self.setting.now, 60 * n)),
            Unit::Day => Item::Day(Day::On(calendar::plus_days(self.today, n32))),
            Unit::Week => Item::Day(Day::InWeeks(n32)),
            Unit::Month => Item::Day(Day::On(calendar::plus_months(self.today, n32))),
            Unit::Year => Item::Day(Day::On(calendar::plus_months(self.today, 12 * n32))),
        })
    }
}
