//! Times of day: hours in figures and words, parts of the day.

use super::{
    super::{Clock, Clocks, Item, Mention},
    Found, Grammar,
};
use crate::{
    Asked,
    lexicon::{Cue, Part, Prep, Sense, Trade, Unit},
    morphology,
    text::{Kind, Token},
};

impl Grammar<'_> {
    pub(super) fn part(&self, i: usize) -> Option<Part> {
        let token = self.at(i)?;
        // «Вечерняя укладка» is no evening; «вечернее время» is.
        let adjective =
            ["ний", "няя", "нее", "нюю", "ней", "нного", "нное", "нный", "ное", "ной"].iter().any(|end| token.text.ends_with(end));
        let of_time =
            |t: &Token| t.text == "перерыв" || t.cue(Cue::Time) || t.cue(Cue::Booking) || t.cue(Cue::Variant) || t.unit().is_some();
        if adjective && !self.at(i + 1).is_some_and(of_time) {
            return None;
        }
        token.find(|s| if let Sense::Part(part) = s { Some(part) } else { None })
    }

    /// «утра», «дня», «вечера», «ночи», a.m., p.m. after an hour.
    pub(super) fn part_after(&self, i: usize) -> Found<Part> {
        let token = self.at(i)?;
        let genitive = match &*token.text {
            "утра" | "утречка" => Some(Part::Morning),
            "дня" => Some(Part::Day),
            "вечера" | "вечерка" => Some(Part::Evening),
            "ночи" => Some(Part::Night),
            _ => None,
        };
        if let Some(part) = genitive {
            return Some((part, i + 1));
        }
        if token.is(Sense::Am) {
            return Some((Part::Morning, i + 1));
        }
        if token.is(Sense::Pm) {
            return Some((Part::Evening, i + 1));
        }
        // "a.m."
        if matches!(&*token.text, "a" | "p") && self.mark(i + 1, ".") && self.word(i + 2, "m") {
            let end = i + 3 + usize::from(self.mark(i + 3, "."));
            return Some((if token.text == "a" { Part::Morning } else { Part::Evening }, end));
        }
        if token.text == "in" && self.word(i + 1, "the") {
            return self.part(i + 2).map(|part| (part, i + 3));
        }
        if token.text == "at" && self.word(i + 1, "night") {
            return Some((Part::Evening, i + 2));
        }
        None
    }

    /// The number before is counted things, not an hour: «в 4 руки», «на 2 человека», «5%».
    pub(super) fn counted(&self, i: usize) -> bool {
        let Some(token) = self.at(i) else { return false };
        if matches!(token.kind, Kind::Mark('%' | '₽' | '$' | '€' | '°' | '+' | '№')) {
            return true;
        }
        if !token.is_word() {
            return false;
        }
        // «На 3D»
        if token.glued && matches!(&*token.text, "d" | "д") {
            return true;
        }
        // «В 15 ребёнка постричь»: so many do not come.
        let hour = i.checked_sub(1).is_some_and(|i| self.tokens[i].digits == 2);
        if hour && token.trades().any(|t| matches!(t, Trade::Child | Trade::Boy | Trade::Girl | Trade::Male | Trade::Female)) {
            return false;
        }
        if token.is(Sense::Counted) && token.unit() != Some(Unit::Minute) && !(token.latin && token.text == "т") {
            // «В 13 мастер не важен»: what is counted stands in the genitive.
            let one = i
                .checked_sub(1)
                .and_then(|i| self.tokens.get(i))
                .is_some_and(|t| t.value % 10 == 1 && t.value != 11 || t.cardinal() == Some(1) && t.is_word());
            return one
                || token.text.chars().count() < 4
                || !morphology::may_be_case(&token.text, "Nom")
                || morphology::may_be_case(&token.text, "Gen");
        }
        // A noun in the genitive that is no word of time or trade: «в 3 захода», «на 5 точек».
        token.senses.is_empty()
            && !token.capital
            && !token.strange
            && morphology::may_be_case(&token.text, "Gen")
            && !morphology::may_be_case(&token.text, "Nom")
            && !token.latin
    }

    /// What makes a number an hour by itself: «часов», «утра», minutes.
    pub(super) fn clock_evidence(&self, i: usize) -> Option<()> {
        (self.unit(i) == Some(Unit::Hour) || self.part_after(i).is_some() || self.mark(i, ":") && self.glued(i)).then_some(())
    }

    /// A time of day at `i`; `expected` when a word before it asks for one.
    pub(super) fn clock(&self, i: usize, expected: bool) -> Found<Clock> {
        let (mut clock, mut next) = self.bare_clock(i, expected)?;
        if self.unit(next) == Some(Unit::Hour) && !self.is(next + 1, Sense::Later) && !self.is(next + 1, Sense::Earlier) {
            next += 1;
        }
        if self.is(next, Sense::OClock) {
            next += 1;
        }
        if let Some((part, end)) = self.part_after(next)
            && clock.hour <= 12
        {
            clock = halved(clock, part);
            next = end;
        }
        Some((clock, next))
    }

    pub(super) fn bare_clock(&self, i: usize, expected: bool) -> Found<Clock> {
        let token = self.at(i)?;
        let clock = |hour: u32, minute: u32, settled: bool| -> Option<Clock> {
            (hour < 24 && minute < 60).then_some(Clock {
                hour: i8::try_from(hour).ok()?,
                minute: i8::try_from(minute).ok()?,
                settled: settled || hour > 12 || hour == 0,
            })
        };
        if token.is(Sense::Noon) {
            return Some((clock(12, 0, true)?, i + 1));
        }
        if token.is(Sense::Midnight) {
            return Some((clock(0, 0, true)?, i + 1));
        }
        let hour_named = |i: usize| self.number(i).filter(|n| (1..=12).contains(&n.value));
        let before = |hour: u32, minutes: u32| clock(if hour == 1 { 12 } else { hour - 1 }, 60 - minutes, false);
        // «полвторого», «пол второго», «пол 2», «половина второго»
        if let Some(hour) = token.find(|s| if let Sense::HalfTo(n) = s { Some(n) } else { None }) {
            return Some((before(hour, 30)?, i + 1));
        }
        if token.is(Sense::Half) {
            if self.word(i + 1, "past") || self.word(i + 1, "after") {
                let n = hour_named(i + 2)?;
                return Some((clock(n.value, 30, false)?, n.next));
            }
            let j = i + 1 + usize::from(self.mark(i + 1, "-"));
            let n = hour_named(j).filter(|n| n.ordinal || token.text == "пол")?;
            return Some((before(n.value, 30)?, n.next));
        }
        // «без четверти пять», «без десяти (минут) семь», «без 15 три»
        if token.prep(Prep::Without) {
            let twenty = self.at(i + 1).and_then(Token::cardinal) == Some(20) && self.number(i + 1).is_some_and(|n| n.value > 20);
            let (minutes, j) = if self.is(i + 1, Sense::Quarter) {
                (15, i + 2)
            } else if twenty && hour_named(i + 3).is_none() && self.unit(i + 3) != Some(Unit::Minute) {
                // «без двадцати пять» is no twenty-five.
                (20, i + 2)
            } else {
                let n = self.number(i + 1).filter(|n| !n.ordinal && (1..=30).contains(&n.value))?;
                (n.value, if self.unit(n.next) == Some(Unit::Minute) { n.next + 1 } else { n.next })
            };
            if self.unit(j) == Some(Unit::Hour) && self.word(j, "час") {
                return Some((before(1, minutes)?, j + 1));
            }
            let n = hour_named(j)?;
            return Some((before(n.value, minutes)?, n.next));
        }
        // «четверть шестого», "quarter past five"
        if token.is(Sense::Quarter) {
            if self.word(i + 1, "past") || self.word(i + 1, "after") {
                let n = hour_named(i + 2)?;
                return Some((clock(n.value, 15, false)?, n.next));
            }
            if self.word(i + 1, "to") || self.word(i + 1, "before") {
                let n = hour_named(i + 2)?;
                return Some((before(n.value, 15)?, n.next));
            }
            let n = hour_named(i + 1).filter(|n| n.ordinal)?;
            return Some((before(n.value, 45)?, n.next));
        }
        if token.unit() == Some(Unit::Hour) && matches!(&*token.text, "час" | "часу" | "часа" | "часом" | "часик") {
            let part = self.part_after(i + 1).is_some();
            let minutes = self.number(i + 1).filter(|n| !n.ordinal && n.value < 60 && (n.value % 5 == 0 && n.value > 0));
            if expected || part {
                if let Some(n) = minutes.filter(|n| self.unit(n.next) == Some(Unit::Minute)) {
                    return Some((clock(1, n.value, false)?, n.next + 1));
                }
                if let Some(n) = minutes.filter(|n| n.digits != 1 && !self.mark(n.next, ":")) {
                    return Some((clock(1, n.value, false)?, n.next));
                }
                return Some((clock(1, 0, false)?, i + 1));
            }
            return None;
        }
        let n = self.number(i)?;
        // «пятнадцать минут шестого», «десять шестого»
        if !n.ordinal && n.value < 60 {
            let minutes_said = self.unit(n.next) == Some(Unit::Minute);
            let j = n.next + usize::from(minutes_said);
            if let Some(hour) = hour_named(j).filter(|h| h.ordinal && self.tokens[h.next - 1].text.ends_with("го"))
                && (minutes_said || n.value % 5 == 0 && n.value > 0 && n.digits == 0)
                && self.at(hour.next).is_none_or(|t| t.month().is_none() && !t.is(Sense::DayOfMonth))
            {
                return Some((before(hour.value, 60 - n.value)?, hour.next));
            }
            // "ten to five", "ten past five"
            if n.digits == 0
                && token.latin
                && n.value < 30
                && (self.word(n.next, "to") || self.word(n.next, "past"))
                && self.word(i.wrapping_sub(1), "at") | !expected
                && let Some(hour) = hour_named(n.next + 1)
                && n.value % 5 == 0
                && !self.word(i.wrapping_sub(1), "from")
            {
                let found = if self.word(n.next, "past") { clock(hour.value, n.value, false)? } else { before(hour.value, n.value)? };
                return Some((found, hour.next));
            }
        }
        if n.ordinal {
            // «в шестом часу» is no moment; an ordinal is an hour only in «к шестому часу».
            return None;
        }
        let leading_zero = n.digits == 2 && self.tokens[i].text.starts_with('0');
        // «15:30», «15.30», «15-30», with seconds too
        if n.digits > 0
            && n.digits <= 2
            && self.mark(n.next, ":.-–")
            && self.glued(n.next)
            && self.glued(n.next + 1)
            && let Some(m) = self.number(n.next + 1).filter(|m| m.digits == 2)
        {
            let dashed = self.mark(n.next, "-–");
            // «В 11-15» is a quarter past, where hours that far apart would be a window.
            let quarter = dashed && m.value == 15 && n.value < 12 && i > 0 && self.prep(i - 1, Prep::At);
            let range_of_hours = dashed
                && !quarter
                && (m.value <= 24 && m.value > n.value && (m.value % 5 != 0 || self.part_after(m.next).is_none() && m.value != 0));
            let part = self.part_after(m.next).is_some();
            if !range_of_hours && (!dashed || quarter || part || m.value >= 25 || m.value == 0) {
                let mut end = m.next;
                if self.mark(end, ":") && self.glued(end) && self.number(end + 1).is_some_and(|s| s.digits == 2) {
                    end += 2;
                }
                return Some((clock(n.value, m.value, leading_zero)?, end));
            }
        }
        // «1530» after «в»
        if (3..=4).contains(&n.digits) {
            let evidence = expected && (n.value % 100 % 5 == 0) && self.at(n.next).is_none_or(|t| !t.is_word() || t.unit().is_none());
            return evidence
                .then(|| clock(n.value / 100, n.value % 100, n.digits == 4 && leading_zero))
                .flatten()
                .filter(|_| !self.counted(n.next))
                .map(|c| (c, n.next));
        }
        if n.digits > 2 || n.value > 24 {
            return None;
        }
        let hours_said = self.unit(n.next) == Some(Unit::Hour);
        // «15 часов 30 минут», «16 0 0», «15ч30»
        let j = n.next + usize::from(hours_said);
        if let Some(m) = self.number(j).filter(|m| !m.ordinal && m.value < 60) {
            if self.unit(m.next) == Some(Unit::Minute) && !self.is(m.next + 1, Sense::Later) {
                return Some((clock(n.value, m.value, leading_zero)?, m.next + 1));
            }
            let words = n.digits == 0 && m.digits == 0 && ((m.value >= 10 && m.value % 5 == 0) || m.value == 0);
            let figures = n.digits > 0 && m.digits == 2 && (m.value % 5 == 0) && (expected || n.value > 12 || hours_said);
            let zeros = m.value == 0;
            if words && zeros {
                // «ноль ноль», «ноль пять»
                let second = self.number(m.next).filter(|s| !s.ordinal && s.value < 10);
                let (minute, end) = second.map_or((0, m.next), |s| (s.value, s.next));
                return Some((clock(n.value, minute, leading_zero)?, end));
            }
            if n.digits > 0 && zeros && m.digits == 1 {
                let end = if self.number(m.next).is_some_and(|s| s.value == 0) { m.next + 1 } else { m.next };
                return Some((clock(n.value, 0, true)?, end));
            }
            // «17 30 ноября» is not half past five.
            let of_date = self.at(m.next).is_some_and(|t| t.month().is_some() || t.is(Sense::DayOfMonth) || t.unit().is_some());
            if (words || figures) && !of_date {
                return Some((clock(n.value, m.value, leading_zero)?, m.next));
            }
        }
        // «В одно посещение»: nobody calls one o'clock so.
        if n.digits == 0 && !hours_said && matches!(&*token.text, "одно" | "одну" | "одна" | "одной" | "одних" | "одном")
        {
            return None;
        }
        // «2 с половиной» is a length.
        if (expected || hours_said || self.part_after(n.next).is_some() || self.is(n.next, Sense::OClock)) && !self.counted(n.next) {
            return Some((clock(n.value, 0, leading_zero)?, n.next));
        }
        None
    }

    pub(super) fn time_phrase(&self, start: usize, prep: Option<Prep>, i: usize, last: Option<&Mention>) -> Found<Item> {
        let token = self.at(i)?;
        if token.is(Sense::Now) && self.now_is_meant(i) {
            return Some((Item::Moment(self.setting.now), i + 1));
        }
        if let Some(found) = self.part_phrase(i, prep) {
            return Some(found);
        }
        // «В первой половине дня»
        if let Some(n @ (1 | 2)) = token.ordinal()
            && self.is(i + 1, Sense::Half)
            && self.word(i + 2, "дня")
        {
            let lunch = Clock { hour: 14, minute: 0, settled: true };
            return Some((Item::Time(if n == 1 { Clocks::Part(Part::Morning) } else { Clocks::After(lunch) }), i + 3));
        }
        // Words that are parts of the day by another name.
        if prep == Some(Prep::After) && matches!(&*token.text, "работы" | "work") {
            return Some((Item::Time(Clocks::After(Clock { hour: 18, minute: 0, settled: true })), i + 1));
        }
        let of_clock =
            matches!(prep, Some(Prep::At | Prep::To | Prep::About | Prep::After | Prep::Before | Prep::Until | Prep::From | Prep::On));
        if let Some(end) = self.impossible_clock(i, of_clock) {
            return Some((Item::Impossible, end));
        }
        // «минут на 15» is a length.
        let measured = start > 0 && self.tokens[start - 1].unit() == Some(Unit::Minute) && prep == Some(Prep::On);
        if prep == Some(Prep::Within) || measured || self.length_follows(i, prep) {
            return None;
        }
        let number = self.number(i);
        // A number right after a day is an hour: «завтра 15».
        let after_day = last.is_some_and(|m| {
            matches!(m.item, Item::Day(_)) && self.tokens[m.span.end..start].iter().all(|t| !t.is_word() && !t.ends_sentence())
        });
        let after_or = last.is_some_and(|m| {
            matches!(m.item, Item::Time(_))
                && self.tokens[m.span.end..start]
                    .iter()
                    .all(|t| t.is(Sense::Or) || t.is(Sense::And) || t.mark(',') || t.is(Sense::No) || t.is(Sense::Rather))
        });
        let alone = number.is_some_and(|n| !n.ordinal)
            && (after_day && number.is_some_and(|n| n.value > 7 || n.digits == 2 || n.digits == 0) || after_or);
        // «15 неудобно, давайте 16»
        let refused = |i: usize| {
            let fits = |i: usize| self.at(i).is_some_and(|t| t.cue(Cue::Fits) || t.cue(Cue::Can1));
            self.at(i).is_some_and(|t| t.cue(Cue::Busy)) || self.is(i, Sense::Not) && fits(i + 1)
        };
        let suggested = |i: usize| self.at(i).is_some_and(|t| matches!(&*t.text, "давайте" | "давай" | "лучше" | "можно" | "тогда"));
        let talked_of = !self.setting.context.offered.is_empty() || self.setting.context.day.is_some();
        let between_offers = number.is_some_and(|n| {
            n.digits == 2
                && (8..=22).contains(&n.value)
                && (refused(n.next)
                    || (last.is_some_and(|m| matches!(m.item, Item::Time(_))) || talked_of) && suggested(start.wrapping_sub(1)))
        });
        // «Не 15, а 16»
        let corrected = self.is(start.wrapping_sub(1), Sense::But) && {
            let old = start - 1 - usize::from(start > 1 && self.mark(start - 2, ","));
            old > 1 && self.is(old - 2, Sense::Not) && self.number(old - 1).is_some_and(|n| !n.ordinal)
        };
        let alone = alone || corrected && number.is_some_and(|n| (8..=22).contains(&n.value));
        let alone = alone || between_offers && !matches!(self.setting.context.asked, Some(Asked::Day | Asked::Review));
        let offered = u32::try_from(self.setting.context.offered.len()).unwrap_or(u32::MAX);
        let asked = match self.setting.context.asked {
            Some(Asked::Time) => number.is_some_and(|n| !n.ordinal),
            // A number that no option has.
            Some(Asked::Choice) => offered > 0 && number.is_some_and(|n| !n.ordinal && n.value > offered),
            _ => false,
        };
        let (clock, end) = self.clock(i, of_clock || alone || asked)?;
        // «в одно время»
        if number.is_some_and(|n| n.value == 1 && n.digits == 0) && self.at(end).is_some_and(|t| t.cue(Cue::Time)) {
            return None;
        }
        // «в один прекрасный день», «в 2 этапа»; «в 14:00 девочке» counts nothing.
        let to_the_minute = self.tokens[i..end].iter().any(|t| t.mark(':'));
        if !to_the_minute && self.counted(end) || self.unit(end).is_some_and(|unit| !matches!(unit, Unit::Hour)) {
            return None;
        }
        if !of_clock
            && !alone
            && !asked
            && end == i + 1
            && token.is_word()
            && !token.is(Sense::Noon)
            && !token.is(Sense::Midnight)
            && token.find(|s| matches!(s, Sense::HalfTo(_)).then_some(())).is_none()
        {
            return None;
        }
        // «2 часа» with nothing around it is a length.
        let only_hours = self.unit(end - 1) == Some(Unit::Hour) && number.is_some_and(|n| n.next + 1 == end);
        let before_day = || self.day_phrase(self.little_words(end).1, None).is_some();
        if only_hours && !of_clock && !after_day && !alone && !asked && !before_day() && self.tokens.len() > 3 {
            return None;
        }
        // "for 2" counts people, «на час» a length, unless a day stands beside it.
        let latin_for = self.word(i.wrapping_sub(1), "for")
            && self.clock_evidence(i + 1).is_none()
            && number.is_some_and(|n| self.at(n.next).is_none_or(|t| !t.mark(':')));
        if latin_for && !after_day {
            return None;
        }
        if token.unit() == Some(Unit::Hour) && prep == Some(Prep::On) && !after_day && self.part_after(i + 1).is_none() {
            return None;
        }
        Some((
            Item::Time(match prep {
                Some(Prep::After | Prep::From) => Clocks::After(clock),
                Some(Prep::Before | Prep::Until) => Clocks::Before(clock),
                // «в 18 и позже»
                _ if self.and_or(end) && self.is(end + 1, Sense::Later) => Clocks::After(clock),
                _ if self.and_or(end) && self.is(end + 1, Sense::Earlier) => Clocks::Before(clock),
                _ => Clocks::At(clock),
            }),
            match prep {
                None | Some(Prep::At | Prep::On | Prep::To | Prep::About)
                    if self.and_or(end) && self.at(end + 1).is_some_and(|t| t.is(Sense::Later) || t.is(Sense::Earlier)) =>
                {
                    end + 2
                }
                _ => end,
            },
        ))
    }

    /// «Сейчас» asks for now only where something is asked.
    pub(super) fn now_is_meant(&self, i: usize) -> bool {
        let words = self.tokens.iter().filter(|t| t.is_word()).count();
        self.word(i.wrapping_sub(1), "прямо")
            || self.word(i.wrapping_sub(1), "right")
            || words <= 3 && !self.tokens.iter().any(|t| t.cue(Cue::Yes) || t.cue(Cue::Tell) || t.cue(Cue::Phone))
    }

    pub(super) fn part_phrase(&self, i: usize, prep: Option<Prep>) -> Found<Item> {
        let token = self.at(i)?;
        let part = self.part(i)?;
        let found = |clocks: Clocks| Some((Item::Time(clocks), i + 1));
        // «дня» and «ночи» belong to an hour before them; «вечера» of a day too.
        if matches!(&*token.text, "дня" | "ночи") {
            return None;
        }
        match prep {
            Some(Prep::After) if part == Part::Lunch => found(Clocks::AfterPart(part)),
            Some(Prep::After) => None,
            Some(Prep::Until | Prep::Before) if part != Part::Morning => found(Clocks::BeforePart(part)),
            Some(Prep::Until | Prep::Before) => None,
            Some(Prep::From) if part == Part::Lunch => found(Clocks::AfterPart(part)),
            _ if part == Part::Lunch && prep.is_none() && token.text == "обед" => None,
            _ if part == Part::Lunch && token.text == "обеда" && prep != Some(Prep::About) => None,
            _ if part == Part::Night && prep.is_none() && token.text == "ночь" => None,
            _ => found(Clocks::Part(part)),
        }
    }

    /// «На 2 недели», «на 3 дня», «за 2 часа»: a length, no moment.
    pub(super) fn length_follows(&self, i: usize, prep: Option<Prep>) -> bool {
        let Some(n) = self.number(i) else { return false };
        let unit = self.unit(n.next);
        let at_part = !matches!(prep, None | Some(Prep::On | Prep::In | Prep::Within)) && self.part_after(n.next).is_some();
        matches!(unit, Some(Unit::Week | Unit::Month | Unit::Year))
            // «На 12 дня» is noon: a length would be «дней».
            || (unit == Some(Unit::Day) && !at_part && prep != Some(Prep::To) && !(n.value > 4 && self.word(n.next, "дня")))
            || unit == Some(Unit::Minute) && !self.number(n.next + 1).is_some_and(|n| n.ordinal)
    }

    /// «В 25:00», «в 15:75», «в 27 часов».
    pub(super) fn impossible_clock(&self, i: usize, of_clock: bool) -> Option<usize> {
        let n = self.number(i).filter(|n| !n.ordinal && (1..=2).contains(&n.digits))?;
        if self.mark(n.next, ":.") && self.glued(n.next) && self.glued(n.next + 1) {
            let m = self.number(n.next + 1).filter(|m| m.digits == 2)?;
            let bad = n.value > 23 || m.value > 59;
            let colon = self.mark(n.next, ":");
            // «5:2» scores and «25.00» prices are left alone but for «в».
            return (bad && (colon || of_clock && self.word(i.wrapping_sub(1), "в"))).then_some(m.next);
        }
        let hours = self.unit(n.next) == Some(Unit::Hour) && of_clock;
        let part = self.part_after(n.next).is_some_and(|(part, _)| part != Part::Day) && n.value > 12;
        let evening = self.part_after(n.next).is_some_and(|(part, _)| match part {
            Part::Morning => n.value > 12,
            _ => n.value > 24,
        });
        ((hours && n.value > 24) || part && evening).then_some(n.next + 1)
    }
}

/// The hour in that part of the day.
fn halved(clock: Clock, part: Part) -> Clock {
    let hour = match part {
        Part::Morning => clock.hour % 12,
        Part::Day | Part::Lunch if (8..=12).contains(&clock.hour) => clock.hour,
        Part::Evening if clock.hour == 12 => 12,
        Part::Day | Part::Lunch | Part::Evening => clock.hour % 12 + 12,
        Part::Night if clock.hour == 12 => 0,
        Part::Night if clock.hour >= 8 => clock.hour + 12,
        Part::Night => clock.hour,
    };
    Clock { hour, settled: true, ..clock }
}
