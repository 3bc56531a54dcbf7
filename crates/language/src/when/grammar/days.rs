//! Days: weekdays, dates, numbers of a month, weeks, parts of a month.

use jiff::civil::Date;

use super::{
    super::{Day, Item, Which, calendar},
    Found, Grammar, Number,
};
use crate::{
    Asked,
    lexicon::{Cue, Part, Prep, Sense, Unit},
    text::{Kind, Token},
};

impl Grammar<'_> {
    /// «После 25 числа», «до пятницы», «с понедельника»: what the word before a day makes of it.
    pub(super) fn open_day(&self, day: Day, prep: Option<Prep>, end: usize) -> (Item, usize) {
        let first = calendar::days(day, self.today).first().copied();
        // «До конца недели» takes the end in.
        let to_end = end > 1 && self.tokens[end - 2].is(Sense::End);
        let first = first.map(|(from, to)| if to_end && prep == Some(Prep::Until) { (to, to) } else { (from, to) });
        match (prep, first) {
            (Some(Prep::Until | Prep::Before), Some((date, _))) if date > calendar::plus_days(self.today, 1) => {
                (Item::Day(Day::Span(self.today, date)), end)
            }
            (Some(Prep::After), Some((_, last))) => {
                let next = calendar::plus_days(last, 1);
                (Item::Day(Day::Span(next, calendar::plus_days(next, 6))), end)
            }
            _ => (Item::Day(day), end),
        }
    }

    pub(super) fn day_phrase(&self, i: usize, prep: Option<Prep>) -> Found<Item> {
        if let Some((day, end)) = self.day(i) {
            return Some((Item::Day(day), end));
        }
        if let Some(end) = self.impossible_date(i) {
            return Some((Item::Impossible, end));
        }
        self.numbered_day(i, prep)
    }

    pub(super) fn day(&self, i: usize) -> Found<Day> {
        let token = self.at(i)?;
        // "day after tomorrow"
        let k = i + usize::from(token.text == "the");
        if self.unit(k) == Some(Unit::Day) && self.word(k + 1, "after") && self.is(k + 2, Sense::Rel(1)) {
            return Some((Day::On(calendar::plus_days(self.today, 2)), k + 3));
        }
        if let Some(days) = token.find(|s| if let Sense::Rel(n) = s { Some(n) } else { None })
            && days >= 0
            && !token.is(Sense::Part(Part::Evening))
        {
            // «завтрашний день», not «завтра днём»
            let end = if self.unit(i + 1) == Some(Unit::Day) && token.text.contains("шн") { i + 2 } else { i + 1 };
            return Some((Day::On(calendar::plus_days(self.today, days)), end));
        }
        // "this evening", «этим вечером»
        if token.is(Sense::This) && self.part(i + 1).is_some() {
            return Some((Day::On(self.today), i + 1));
        }
        self.weekday_of_month(i)
            .or_else(|| self.weekday(i))
            .or_else(|| self.dated(i))
            .or_else(|| self.span_of_days(i))
            .or_else(|| self.of_month(i))
            .or_else(|| self.next_day(i))
    }

    /// «Первая суббота декабря».
    pub(super) fn weekday_of_month(&self, i: usize) -> Found<Day> {
        let nth = self.at(i)?.ordinal().filter(|n| (1..=4).contains(n))?;
        let weekday = self.at(i + 1)?.weekday()?;
        let month = self.at(i + 2)?.month()?;
        let first = calendar::dated(self.today, 1, month, None)?;
        let to_first = (i32::from(weekday) - i32::from(first.weekday().to_monday_one_offset())).rem_euclid(7);
        let weeks = i32::try_from(nth).ok()? - 1;
        Some((Day::On(calendar::plus_days(first, to_first + 7 * weeks)), i + 3))
    }

    pub(super) fn weekday(&self, i: usize) -> Found<Day> {
        let which = |token: &Token| {
            if token.is(Sense::Next) {
                Some(Which::Next)
            } else if token.is(Sense::This) || token.is(Sense::Nearest) {
                Some(Which::This)
            } else if token.is(Sense::Every) || token.is(Sense::That) || token.is(Sense::Same) {
                Some(Which::Bare)
            } else {
                None
            }
        };
        let mut j = i;
        let mut said = Which::Bare;
        while let Some(found) = self.at(j).filter(|t| t.weekday().is_none()).and_then(which)
            && j < i + 3
        {
            said = if found == Which::Bare { said } else { found };
            j += 1;
        }
        let token = self.at(j)?;
        let weekday = token.weekday()?;
        // "sat" and "sun" are words; «среда» alone is not read as the day when it is the environment.
        if matches!(&*token.text, "sat" | "sun" | "wed" | "mon") && self.tokens.get(j + 1).is_some_and(|t| t.text == "down") {
            return None;
        }
        let mut end = j + 1;
        // «в пятницу на этой неделе», «в среду через неделю» are left to be joined.
        let k = if self.prep(end, Prep::On) || self.prep(end, Prep::At) { end + 1 } else { end };
        if said == Which::Bare && self.is(k, Sense::This) && self.unit(k + 1) == Some(Unit::Week) {
            let day = calendar::plus_days(calendar::monday(self.today), i32::from(weekday) - 1);
            if day >= self.today {
                return Some((Day::On(day), k + 2));
            }
        }
        if self.mark(end, ".") && self.glued(end) && self.at(end + 1).is_some() && token.text.chars().count() <= 3 {
            end += 1;
        }
        if said == Which::Bare && self.is(end, Sense::Next) && self.at(end + 1).is_none_or(|t| t.unit().is_none()) {
            return Some((Day::Weekday(weekday, Which::Next), end + 1));
        }
        if said == Which::Bare
            && let Some(date) = self.numbered_weekday(weekday, end)
        {
            return Some((Day::On(date), end + 1));
        }
        Some((Day::Weekday(weekday, said), end))
    }

    /// «Пн 30 в 16», «пт 27»: the coming day of that name and number, when the number is no hour.
    fn numbered_weekday(&self, weekday: i8, i: usize) -> Option<Date> {
        let number = self.at(i).filter(|t| t.kind == Kind::Number && t.digits <= 2 && !t.glued)?;
        let next = self.at(i + 1);
        let goes_on = next.is_some_and(|t| t.unit().is_some() || t.glued && !t.mark(',') || t.month().is_some());
        let clock =
            self.prep(i + 1, Prep::At) || next.is_some_and(|t| t.kind == Kind::Number) && (self.mark(i + 2, ":") || self.mark(i + 2, "."));
        if goes_on || number.value < 24 && !clock {
            return None;
        }
        let day = i8::try_from(number.value).ok()?;
        let named = |date: &Date| date.day() == day && date.weekday().to_monday_one_offset() == weekday;
        (0..40).map(|ahead| calendar::plus_days(self.today, ahead)).find(named)
    }

    pub(super) fn suffix(&self, i: usize) -> bool {
        self.glued(i)
            && self.at(i).is_some_and(|t| {
                t.is_word() && matches!(&*t.text, "го" | "ого" | "е" | "ое" | "st" | "nd" | "rd" | "th" | "ье" | "й" | "его" | "му" | "ому")
            })
    }

    /// After a number: «-го», «го», "th"; how far it reaches.
    pub(super) fn after_suffix(&self, i: usize) -> Option<usize> {
        if self.suffix(i) {
            return Some(i + 1);
        }
        (self.mark(i, "-–") && self.glued(i) && self.suffix(i + 1)).then_some(i + 2)
    }

    /// A year after a date: «2026», «2026 года», «26 г.».
    pub(super) fn year(&self, i: usize) -> (Option<u32>, usize) {
        let j = if self.mark(i, "-/,") && self.number(i + 1).is_some_and(|n| n.digits == 4) { i + 1 } else { i };
        if let Some(n) = self.number(j).filter(|n| n.digits == 4 && (2000..2100).contains(&n.value)) {
            let mut end = n.next;
            if self.unit(end) == Some(Unit::Year) || self.word(end, "г") {
                end += 1;
                end += usize::from(self.mark(end, "."));
            }
            return (Some(n.value), end);
        }
        if self.is(i, Sense::Next) && self.unit(i + 1) == Some(Unit::Year) {
            return (Some(u32::try_from(self.today.year() + 1).unwrap_or_default()), i + 2);
        }
        if self.is(i, Sense::This) && self.unit(i + 1) == Some(Unit::Year) {
            return (Some(u32::try_from(self.today.year()).unwrap_or_default()), i + 2);
        }
        (None, i)
    }

    /// A number and a month in any order and writing; the date may turn out impossible.
    pub(super) fn date_parts(&self, i: usize) -> Option<(u32, i8, Option<u32>, usize)> {
        // «В первых числах декабря» is no date.
        if self.word(i + 1, "числах") {
            return None;
        }
        // «2026-11-27»
        if let Some(year) = self.number(i).filter(|n| n.digits == 4 && (2000..2100).contains(&n.value))
            && self.mark(year.next, "-.")
            && self.glued(year.next)
            && let Some(month) = self.number(year.next + 1).filter(|m| m.digits == 2)
            && self.mark(month.next, "-.")
            && self.glued(month.next)
            && let Some(day) = self.number(month.next + 1).filter(|d| d.digits == 2)
        {
            return Some((day.value, i8::try_from(month.value).ok()?, Some(year.value), day.next));
        }
        // «25 ноября», «25-го ноября», «двадцать пятое ноября», "25th of November", «26!%;марта»
        if let Some(n) = self.number(i).filter(|n| n.digits <= 2 && n.value <= 99) {
            let mut j = self.after_suffix(n.next).unwrap_or(n.next);
            if self.word(j, "of") || self.is(j, Sense::DayOfMonth) {
                j += 1;
            }
            let marks =
                (j..j + 4).take_while(|k| self.at(*k).is_some_and(|t| matches!(t.kind, Kind::Mark(c) if !".:,".contains(c)))).count();
            if let Some(month) = self.at(j + marks).and_then(Token::month)
                && !self.verb_may(j + marks)
            {
                let (year, end) = self.year(j + marks + 1);
                let end = if end == j + marks + 1
                    && self.mark(end, ".")
                    && self.glued(end)
                    && self.at(j + marks).is_some_and(|t| t.text.chars().count() <= 4)
                    && self.at(end + 1).is_some()
                {
                    end + 1
                } else {
                    end
                };
                return Some((n.value, month, year, end));
            }
            // «25.11», «25/11», «25.11.2026»
            if n.digits > 0 && self.mark(n.next, "./") && self.glued(n.next) && self.glued(n.next + 1) {
                let month = self.number(n.next + 1).filter(|m| (1..=2).contains(&m.digits))?;
                let same = |i: usize| self.mark(i, "./-") && self.glued(i);
                if let Some(year) =
                    self.number(month.next + 1).filter(|y| same(month.next) && self.glued(month.next + 1) && matches!(y.digits, 2 | 4))
                {
                    return Some((n.value, i8::try_from(month.value.min(99)).ok()?, Some(year.value), year.next));
                }
                if self.mark(n.next, "/") || self.dotted_is_date(i, n, month) {
                    return Some((n.value, i8::try_from(month.value.min(99)).ok()?, None, month.next));
                }
                return None;
            }
        }
        // "November 25", "Nov 25th"
        let month = self.at(i).filter(|t| t.latin || self.number(i + 1).is_some_and(|n| !self.mark(n.next, ":"))).and_then(Token::month)?;
        let j = i + 1 + usize::from(self.word(i + 1, "the"));
        let n = self.number(j).filter(|n| n.digits <= 2 && (1..=31).contains(&n.value))?;
        if self.verb_may(i) || self.mark(n.next, ":") || self.unit(n.next) == Some(Unit::Hour) {
            return None;
        }
        let end = self.after_suffix(n.next).unwrap_or(n.next);
        let (year, end) = self.year(end);
        Some((n.value, month, year, end))
    }

    /// "may" and "march" are verbs too.
    pub(super) fn verb_may(&self, i: usize) -> bool {
        self.word(i, "may") && self.at(i + 1).is_some_and(|t| matches!(&*t.text, "i" | "we" | "be" | "you"))
    }

    /// «12.30» is a time and «25.11» a date; between them the word before decides.
    pub(super) fn dotted_is_date(&self, i: usize, day: Number, month: Number) -> bool {
        if !(1..=31).contains(&day.value) {
            return false;
        }
        if month.value > 12 || month.value == 0 {
            // «31.02» is a date that cannot be only if it looks like one at all.
            return false;
        }
        if day.value > 23 {
            return true;
        }
        let before = i.checked_sub(1).and_then(|i| self.tokens.get(i));
        let of_clock = before.is_some_and(|t| {
            t.prep(Prep::At) || t.prep(Prep::To) || t.prep(Prep::After) || t.prep(Prep::Until) || t.prep(Prep::From) || t.prep(Prep::About)
        });
        let five = month.value.is_multiple_of(5);
        if self.setting.context.asked == Some(Asked::Time) {
            return false;
        }
        // Two digits after the point that no month has were ruled out above; «5.15» too.
        !of_clock || (!five && month.digits == 2 && before.is_some_and(|t| !t.prep(Prep::At)))
    }

    pub(super) fn dated(&self, i: usize) -> Found<Day> {
        let (day, month, year, end) = self.date_parts(i)?;
        let date = calendar::dated(self.today, day, month, year)?;
        Some((Day::On(date), end))
    }

    pub(super) fn impossible_date(&self, i: usize) -> Option<usize> {
        if let Some((day, month, year, end)) = self.date_parts(i)
            && calendar::dated(self.today, day, month, year).is_none()
        {
            return Some(end);
        }
        let n = self.number(i)?;
        let end = self.after_suffix(n.next).unwrap_or(n.next);
        (self.is(end, Sense::DayOfMonth) && !(1..=31).contains(&n.value) && n.value < 100).then_some(end + 1)
    }

    /// «25 числа», «25-го», «числа 25», «двадцать пятого», "the 25th".
    pub(super) fn numbered_day(&self, i: usize, prep: Option<Prep>) -> Found<Item> {
        let start = if self.is(i, Sense::DayOfMonth) && self.number(i + 1).is_some() { i + 1 } else { i };
        let start = start + usize::from(self.word(start, "the") && self.number(start + 1).is_some());
        let n = self.number(start).filter(|n| n.digits <= 2 && !self.word(n.next, "числах"))?;
        let day = |end: usize| -> Found<Item> {
            let day = i8::try_from(n.value).ok().filter(|d| (1..=31).contains(d));
            Some((day.map_or(Item::Impossible, |d| Item::Day(Day::OfMonth(d))), end))
        };
        // «2-й подъезд» is no day.
        let suffixed = self.after_suffix(n.next).filter(|end| !self.word(end - 1, "й") || self.at(*end).is_none_or(|t| !t.is_word()));
        let end = suffixed.unwrap_or(n.next);
        // «25 или 26 ноября», «25, 26 и 27 ноября»: the month comes at the end.
        let mut list = end;
        while self.and_or(list) || self.mark(list, ",") {
            let k = list + 1 + usize::from(self.and_or(list + 1));
            let Some(other) = self.number(k).filter(|m| m.digits <= 2 && (1..=31).contains(&m.value)) else { break };
            if let Some((_, month, year, _)) = self.date_parts(k) {
                return Some((
                    calendar::dated(self.today, n.value, month, year).map_or(Item::Impossible, |date| Item::Day(Day::On(date))),
                    end,
                ));
            }
            if self.is(other.next, Sense::DayOfMonth) {
                return day(end);
            }
            list = other.next;
        }
        if self.is(end, Sense::DayOfMonth) {
            return day(end + 1);
        }
        if self.is(n.next, Sense::DayOfMonth) {
            return day(n.next + 1);
        }
        if start > i && self.is(i, Sense::DayOfMonth) && !self.counted(end) {
            return day(end);
        }
        let offered = self.setting.context.offered.len();
        // «22-го» is the number of no option.
        let option = usize::try_from(n.value).is_ok_and(|value| value <= offered.max(5));
        let choosing = match self.setting.context.asked {
            Some(Asked::Review) => true,
            Some(Asked::Choice) => option,
            _ => offered > 0 && n.value <= 5,
        };
        if suffixed.is_some()
            && (1..=31).contains(&n.value)
            && !choosing
            && !self.counted(end)
            && self.at(end).is_none_or(|t| t.unit().is_none())
        {
            return day(end);
        }
        if n.ordinal {
            let last = &self.tokens[n.next - 1].text;
            let genitive = last.ends_with("го") || (last.ends_with("му") && prep == Some(Prep::To));
            let neuter = last.ends_with("ое") || last.ends_with("ье");
            let latin = self.tokens[n.next - 1].latin || last.is_ascii();
            let of_date = matches!(prep, Some(Prep::On | Prep::To | Prep::From | Prep::Until | Prep::After | Prep::Along));
            let free =
                self.at(n.next).is_none_or(|t| !(t.is(Sense::Counted) || t.cue(Cue::Variant) || t.unit().is_some() || t.cue(Cue::Time)));
            if (1..=31).contains(&n.value)
                && free
                && !choosing
                && ((genitive && (of_date || n.value > 12 || self.asked_day() || prep.is_none() && self.setting.context.asked.is_none()))
                    || (neuter && (of_date || n.value > 12 || self.asked_day()))
                    || (latin && self.word(start.wrapping_sub(1), "the") && (of_date || n.value > 3)))
            {
                return day(n.next);
            }
        }
        // «на 25»: no clock has it.
        if !n.ordinal
            && n.digits == 2
            && (25..=31).contains(&n.value)
            && prep == Some(Prep::On)
            && !self.counted(n.next)
            && self.at(n.next).is_none_or(|t| t.unit().is_none() && !t.mark(':') && !t.mark('%'))
        {
            return day(n.next);
        }
        if self.asked_day()
            && !n.ordinal
            && (1..=31).contains(&n.value)
            && prep != Some(Prep::At)
            && !self.counted(n.next)
            && self.clock_evidence(n.next).is_none()
        {
            return day(n.next);
        }
        None
    }

    /// «На выходных», «на этой неделе», «в ближайшие три дня», «в начале месяца», «в декабре».
    pub(super) fn span_of_days(&self, i: usize) -> Found<Day> {
        let token = self.at(i)?;
        let sunday = calendar::plus_days(calendar::monday(self.today), 6);
        let span = |from: Date, to: Date| if from < to { Day::Span(from, to) } else { Day::On(to) };
        let j = (i..i + 2)
            .take_while(|k| {
                self.at(*k)
                    .is_some_and(|t| t.is(Sense::This) || t.is(Sense::Next) || t.is(Sense::Nearest) || t.text == "the" || t.text == "самые")
            })
            .count()
            + i;
        let next = (i..j).any(|k| self.is(k, Sense::Next));
        let modified = j > i;
        if self.is(j, Sense::Weekend) {
            // «выходной» alone is a day off.
            if self.word(j, "выходной") && !modified && !self.prep(i.wrapping_sub(1), Prep::At) {
                return None;
            }
            let saturday = calendar::plus_days(sunday, if next { 6 } else { -1 });
            return Some((span(saturday.max(self.today), calendar::plus_days(saturday, 1)), j + 1));
        }
        if self.is(j, Sense::Workdays) {
            let end = j + 1 + usize::from(self.unit(j + 1) == Some(Unit::Day));
            let monday = calendar::monday(self.today);
            let friday = calendar::plus_days(monday, 4);
            let tomorrow = calendar::plus_days(self.today, 1);
            return Some(if next || tomorrow > friday {
                (span(calendar::plus_days(monday, 7), calendar::plus_days(monday, 11)), end)
            } else {
                (span(tomorrow, friday), end)
            });
        }
        // «следующие два дня», «ближайшую неделю»
        if modified || token.prep(Prep::During) {
            let counted = self.number(j).filter(|n| !n.ordinal && n.value >= 1);
            let couple = self.is(j, Sense::Couple);
            let (n, k) = counted
                .map_or((if couple { 2 } else { 1 }, j + usize::from(couple)), |n| (i32::try_from(n.value).unwrap_or(60).min(60), n.next));
            if counted.is_some() || couple {
                let days = match self.unit(k)? {
                    Unit::Day => n,
                    Unit::Week => 7 * n,
                    _ => return None,
                };
                return Some((span(calendar::plus_days(self.today, 1), calendar::plus_days(self.today, days)), k + 1));
            }
        }
        if self.unit(j) == Some(Unit::Week) && (modified || self.word(j, "неделе") && self.prep(i.wrapping_sub(1), Prep::On)) {
            return Some(if next {
                (Day::Span(calendar::plus_days(sunday, 1), calendar::plus_days(sunday, 7)), j + 1)
            } else {
                (span(calendar::plus_days(self.today, 1).min(sunday), sunday), j + 1)
            });
        }
        if self.unit(j) == Some(Unit::Month) && modified {
            let first = if next { calendar::plus_months(self.today.first_of_month(), 1) } else { calendar::plus_days(self.today, 1) };
            let last = if next { first.last_of_month() } else { self.today.last_of_month() };
            return Some((span(first.min(last), last), j + 1));
        }
        None
    }

    /// «В начале месяца», «в конце ноября», «в середине следующей недели», «в декабре».
    pub(super) fn of_month(&self, i: usize) -> Found<Day> {
        let token = self.at(i)?;
        // «В первых числах декабря», «в последних числах»
        let numbers = self.is(i + 1, Sense::DayOfMonth) && token.text.ends_with("их") | token.text.ends_with("ых");
        if numbers && (token.ordinal() == Some(1) || token.cue(Cue::Last)) {
            let month = self.at(i + 2).and_then(Token::month)?;
            let first = calendar::dated(self.today, 1, month, None)?;
            let first = if month == self.today.month() { self.today.first_of_month() } else { first };
            let (from, to) = calendar::third_of_month(self.today, first, if token.cue(Cue::Last) { 2 } else { 0 }, false);
            return Some((Day::Span(from, to), i + 3));
        }
        let third = if token.is(Sense::Beginning) {
            Some(0)
        } else if token.is(Sense::Middle) {
            Some(1)
        } else if token.is(Sense::End) {
            Some(2)
        } else {
            None
        };
        if let Some(third) = third {
            let mut j = i + 1;
            while self.word(j, "of") || self.word(j, "the") {
                j += 1;
            }
            let next = self.is(j, Sense::Next);
            if next || self.is(j, Sense::This) {
                j += 1;
            }
            if let Some(month) = self.at(j).and_then(Token::month) {
                let first = calendar::dated(self.today, 1, month, None)?;
                let first = if month == self.today.month() { self.today.first_of_month() } else { first };
                let (from, to) = calendar::third_of_month(self.today, first, third, false);
                return Some((Day::Span(from, to), j + 1));
            }
            return match self.unit(j)? {
                Unit::Month => {
                    let month = if next { calendar::plus_months(self.today.first_of_month(), 1) } else { self.today };
                    let (from, to) = calendar::third_of_month(self.today, month, third, true);
                    Some((if from < to { Day::Span(from, to) } else { Day::On(from) }, j + 1))
                }
                Unit::Week => {
                    let monday = calendar::plus_days(calendar::monday(self.today), if next { 7 } else { 0 });
                    let (from, to) = [(0, 1), (2, 3), (4, 6)][usize::from(third)];
                    let (mut from, mut to) = (calendar::plus_days(monday, from), calendar::plus_days(monday, to));
                    if to < self.today {
                        (from, to) = (calendar::plus_days(from, 7), calendar::plus_days(to, 7));
                    }
                    let from = from.max(self.today);
                    Some((if from < to { Day::Span(from, to) } else { Day::On(to) }, j + 1))
                }
                _ => None,
            };
        }
        // A month by itself: «в декабре», «на январь».
        let month = token.month()?;
        if token.text == "мая" || token.text == "may" || token.text == "march" || token.text == "марта" || self.number(i + 1).is_some()
        {
            return None;
        }
        let before = i.checked_sub(1).and_then(|i| self.tokens.get(i));
        if !before.is_some_and(|t| t.prep(Prep::At) || t.prep(Prep::On)) {
            return None;
        }
        let first =
            if month == self.today.month() { calendar::plus_days(self.today, 1) } else { calendar::dated(self.today, 1, month, None)? };
        let last = first.last_of_month();
        Some((if first < last { Day::Span(first, last) } else { Day::On(last) }, i + 1))
    }

    /// «На следующий день».
    pub(super) fn next_day(&self, i: usize) -> Found<Day> {
        if self.is(i, Sense::Next) && self.unit(i + 1) == Some(Unit::Day) {
            let base = self.setting.context.day.or_else(|| self.setting.context.offered.first().map(|at| at.date())).unwrap_or(self.today);
            return Some((Day::On(calendar::plus_days(base, 1)), i + 2));
        }
        None
    }
}
