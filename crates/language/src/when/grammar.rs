//! Finds the mentions of days and times among the tokens of a message.

use jiff::civil::Date;

use super::{Clock, Clocks, Day, Item, Mention, Setting, Which, calendar};
use crate::{
    Asked,
    lexicon::{Cue, Part, Prep, Sense, Unit},
    morphology,
    text::{Kind, Token},
};

pub(super) fn mentions(tokens: &[Token], used: &[bool], setting: &Setting<'_>) -> Vec<Mention> {
    let grammar = Grammar { tokens, used, setting, today: setting.now.date() };
    let mut mentions: Vec<Mention> = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        // "Tonight" is a day and a part of it.
        if grammar.is(i, Sense::Rel(0)) && grammar.is(i, Sense::Part(Part::Evening)) {
            let negated = grammar.negated(i);
            let mention = |item| Mention { item, span: i..i + 1, prep: None, negated };
            mentions.extend([mention(Item::Day(Day::On(grammar.today))), mention(Item::Time(Clocks::Part(Part::Evening)))]);
            i += 1;
            continue;
        }
        match grammar.mention(i, mentions.last()) {
            Some(mention) if mention.span.end > i => {
                i = mention.span.end;
                mentions.push(mention);
            }
            _ => i += 1,
        }
    }
    mentions
}

struct Grammar<'a> {
    tokens: &'a [Token],
    used: &'a [bool],
    setting: &'a Setting<'a>,
    today: Date,
}

/// A number as said, in digits or words.
#[derive(Debug, Clone, Copy)]
struct Number {
    value: u32,
    next: usize,
    ordinal: bool,
    /// Digits it was written with; 0 for words.
    digits: usize,
}

type Found<T> = Option<(T, usize)>;

impl Grammar<'_> {
    fn at(&self, i: usize) -> Option<&Token> {
        if self.used.get(i).copied().unwrap_or(true) { None } else { self.tokens.get(i) }
    }
    fn is(&self, i: usize, sense: Sense) -> bool {
        self.at(i).is_some_and(|t| t.is(sense))
    }
    fn prep(&self, i: usize, prep: Prep) -> bool {
        self.is(i, Sense::Prep(prep))
    }
    fn word(&self, i: usize, word: &str) -> bool {
        self.at(i).is_some_and(|t| t.text == word)
    }
    fn unit(&self, i: usize) -> Option<Unit> {
        self.at(i).and_then(Token::unit)
    }
    fn mark(&self, i: usize, marks: &str) -> bool {
        matches!(self.at(i).map(|t| t.kind), Some(Kind::Mark(mark)) if marks.contains(mark))
    }
    fn and_or(&self, i: usize) -> bool {
        self.is(i, Sense::And) || self.is(i, Sense::Or)
    }
    fn glued(&self, i: usize) -> bool {
        self.at(i).is_some_and(|t| t.glued)
    }

    fn number(&self, i: usize) -> Option<Number> {
        let token = self.at(i)?;
        if token.kind == Kind::Number {
            return Some(Number { value: token.value, next: i + 1, ordinal: false, digits: token.digits });
        }
        let said = |token: &Token| match (token.cardinal(), token.ordinal()) {
            (Some(n), _) => Some((n, false)),
            (None, Some(n)) => Some((n, true)),
            (None, None) => None,
        };
        let (value, ordinal) = said(token)?;
        if !ordinal
            && (20..=50).contains(&value)
            && value % 10 == 0
            && let Some((ones, ordinal)) = self.at(i + 1 + usize::from(self.mark(i + 1, "-"))).and_then(said)
            && (1..=9).contains(&ones)
        {
            return Some(Number { value: value + ones, next: i + 2 + usize::from(self.mark(i + 1, "-")), ordinal, digits: 0 });
        }
        Some(Number { value, next: i + 1, ordinal, digits: 0 })
    }

    // ------------------------------------------------------------------ one mention

    fn mention(&self, i: usize, last: Option<&Mention>) -> Option<Mention> {
        self.at(i)?;
        if self.greeting(i) {
            return None;
        }
        // «Через час или два»
        if let Some(Mention { item: Item::Moment(_), span, .. }) = last
            && span.end == i
            && (self.is(i, Sense::Or) || self.mark(i, "-–"))
            && let Some(unit @ (Unit::Hour | Unit::Minute)) = self.unit(i - 1)
        {
            let half = self.is(i + 1, Sense::OneAndHalf).then_some((90, i + 2));
            let (minutes, end) = match half {
                Some(half) => half,
                None => self.number(i + 1).filter(|n| !n.ordinal).map(|n| (i64::from(n.value), n.next))?,
            };
            let moment = match (unit, half) {
                (Unit::Hour, None) => self.later_by(minutes, Unit::Hour)?,
                _ => self.later_by(minutes, Unit::Minute)?,
            };
            let said_whole = self.unit(end).is_some() || self.mark(end, ":");
            return (!said_whole).then_some(Mention { item: moment, span: i + 1..end, prep: None, negated: false });
        }
        // «3 декабря или 4»
        if let Some(Mention { item: Item::Day(Day::On(date)), span, .. }) = last
            && span.end == i
            && self.is(i, Sense::Or)
            && self.tokens[span.clone()].iter().any(|t| t.month().is_some())
            && let Some(n) = self.number(i + 1).filter(|n| !n.ordinal && (1..=31).contains(&n.value))
            && self.date_parts(i + 1).is_none()
            && self.clock_evidence(n.next).is_none()
            && !self.counted(n.next)
            && let Ok(day) = Date::new(date.year(), date.month(), i8::try_from(n.value).unwrap_or_default())
        {
            return Some(Mention { item: Item::Day(Day::On(day)), span: i + 1..n.next, prep: None, negated: false });
        }
        let negated = self.negated(i);
        let mention = |item: Item, prep: Option<Prep>, end: usize| Some(Mention { item, span: i..end, prep, negated });
        if let Some((item, end)) = self.past(i).or_else(|| self.shift(i)).or_else(|| self.same(i)).or_else(|| self.ahead(i)) {
            return mention(item, None, end);
        }
        // «Не в эту пятницу, а в следующую»
        if let Some(Mention { item: Item::Day(Day::Weekday(weekday, _)), .. }) = last
            && self.is(i, Sense::Next)
            && self.at(i + 1).is_none_or(|t| !t.is_word() || t.prep(Prep::At) || t.prep(Prep::On) || t.cue(Cue::Can1) || t.cue(Cue::Can))
        {
            let day = calendar::plus_days(calendar::monday(self.today), 6 + i32::from(*weekday));
            return mention(Item::Day(Day::On(day)), Some(Prep::At), i + 1);
        }
        // «На этих выходных или на следующих», «на этой неделе или на следующей»
        if let Some(Mention { item: Item::Day(Day::Span(from, to)), .. }) = last
            && self.is(i, Sense::Next)
            && self.at(i + 1).is_none_or(|t| !t.is_word() || t.prep(Prep::At) || t.prep(Prep::On) || t.cue(Cue::Can1) || t.cue(Cue::Can))
        {
            let sunday = calendar::plus_days(calendar::monday(*to), 6);
            let first = if self.tokens[i].text.ends_with("их") { 6 } else { 1 };
            if *to == sunday && calendar::monday(*from) == calendar::monday(*to) {
                let next = Day::Span(calendar::plus_days(sunday, first), calendar::plus_days(sunday, 7));
                return mention(Item::Day(next), Some(Prep::On), i + 1);
            }
        }
        if let Some((item, prep, end)) = self.ranged(i, last) {
            return mention(item, prep, end);
        }
        let (prep, j) = self.little_words(i);
        if let Some((item, end)) = self.day_phrase(j, prep) {
            let (item, end) = match item {
                Item::Day(day) => self.open_day(day, prep, end),
                item => (item, end),
            };
            return mention(item, prep, end);
        }
        if let Some((item, end)) = self.time_phrase(i, prep, j, last) {
            return mention(item, prep, end);
        }
        None
    }

    /// «Добрый день», "good morning".
    fn greeting(&self, i: usize) -> bool {
        let before = i.checked_sub(1).and_then(|i| self.tokens.get(i));
        let part = |i: usize| {
            self.at(i).is_some_and(|t| t.find(|s| matches!(s, Sense::Part(_)).then_some(())).is_some() || t.unit() == Some(Unit::Day))
        };
        let wished =
            before.is_some_and(|t| t.cue(Cue::Good) || matches!(&*t.text, "хорошего" | "приятного" | "прекрасного" | "всего" | "nice"));
        wished && (part(i) || self.is(i, Sense::Weekend) || self.is(i, Sense::Rel(0)))
            || self.word(i, "времени")
            || (part(i) && self.at(i + 1).is_some_and(|t| t.cue(Cue::Good) && t.text == "добрый"))
    }

    /// «Не» stands right before, over little words.
    fn negated(&self, i: usize) -> bool {
        let Some(before) = i.checked_sub(1).and_then(|i| self.tokens.get(i)) else { return false };
        let instead = before.text == "вместо" || before.text == "of" && i > 1 && self.tokens[i - 2].text == "instead";
        if instead || before.is(Sense::Except) && before.text != "but" {
            return true;
        }
        let not = before.is(Sense::Not) || (before.cue(Cue::Any) && i > 1 && self.tokens[i - 2].is(Sense::Not));
        // «не раньше 18» is no refusal.
        not && !self.is(i, Sense::Earlier) && !self.is(i, Sense::Later) && !self.word(i, "later") && !self.word(i, "before")
    }

    /// Little words before a day or time; the one that says most is kept.
    fn little_words(&self, i: usize) -> (Option<Prep>, usize) {
        let mut prep = None;
        let mut j = i;
        // «часов в пять», «часам к пяти», «числа 25».
        if self.unit(j) == Some(Unit::Hour) && !self.word(j, "час") && !self.word(j, "ч") {
            let n = j + 1;
            let leads = self
                .at(n)
                .is_some_and(|t| t.prep(Prep::At) || t.prep(Prep::To) || t.prep(Prep::About) || t.prep(Prep::After) || t.prep(Prep::On));
            if leads && self.number_ahead(n) || (j > 0 && self.number(n).is_some() && self.prep(j - 1, Prep::At)) {
                j = n;
            }
        }
        for _ in 0..5 {
            let Some(token) = self.at(j) else { break };
            let said = if token.prep(Prep::About) && !(token.is(Sense::Unit(Unit::Hour))) {
                Some(Prep::About)
            } else if token.text == "где" && self.mark(j + 1, "-–") && self.word(j + 2, "то") {
                j += 2;
                Some(Prep::About)
            } else if token.text == "где" && self.word(j + 1, "то") {
                j += 1;
                Some(Prep::About)
            } else if token.prep(Prep::After) && !token.prep(Prep::Past) || token.text == "past" && !self.is(j.wrapping_sub(1), Sense::Half)
            {
                Some(Prep::After)
            } else if token.is(Sense::Later) && !token.is(Sense::Earlier) && self.number_ahead(j + 1) {
                Some(if i > 0 && self.tokens[i - 1].is(Sense::Not) && j == i || self.said_not(j) { Prep::Before } else { Prep::After })
            } else if token.is(Sense::Earlier) && self.number_ahead(j + 1) {
                Some(if self.said_not(j) { Prep::After } else { Prep::Before })
            } else if token.is(Sense::Not) && self.at(j + 1).is_some_and(|t| t.is(Sense::Later) || t.is(Sense::Earlier)) {
                prep
            } else if token.text == "before" {
                Some(if self.said_not(j) { Prep::After } else { Prep::Before })
            } else if token.prep(Prep::From) && !token.latin_to() {
                Some(Prep::From)
            } else if token.prep(Prep::Until) && token.text != "to" {
                Some(Prep::Until)
            } else if token.prep(Prep::To) && token.text != "for" {
                Some(prep.unwrap_or(Prep::To))
            } else if token.prep(Prep::On) || token.text == "to" && self.setting.moving && self.number(j + 1).is_some() {
                // "Move me to 5"
                Some(prep.unwrap_or(Prep::On))
            } else if token.prep(Prep::At) {
                Some(prep.unwrap_or(Prep::At))
            } else if token.prep(Prep::Along) {
                Some(prep.unwrap_or(Prep::Along))
            } else if token.text == "чем" && self.prep(j + 1, Prep::At)
                || token.text == "то" && j > i
                || (token.is(Sense::OClock)
                    || matches!(&*token.text, "прямо" | "хотя" | "самый" | "само" | "the" | "time" | "время") && j > i)
                || (self.unit(j) == Some(Unit::Hour) && !matches!(&*token.text, "час" | "ч") && j > i && self.number(j + 1).is_some())
            {
                prep
            } else {
                break;
            };
            // The strongest word stays: «часов до пяти», «где-то после 18».
            let weak = |prep: Option<Prep>| matches!(prep, None | Some(Prep::About | Prep::At | Prep::On));
            prep = match (prep, said) {
                (Some(kept), Some(new)) if !weak(Some(kept)) && weak(Some(new)) => Some(kept),
                (Some(Prep::At | Prep::On), Some(Prep::About)) => prep,
                (_, new) => new.or(prep),
            };
            j += 1;
        }
        (prep, j)
    }

    /// A number stands at `i`, or behind little words there.
    fn number_ahead(&self, i: usize) -> bool {
        let little =
            |t: &Token| t.find(|s| matches!(s, Sense::Prep(_)).then_some(())).is_some() || t.text == "чем" || t.unit() == Some(Unit::Hour);
        (i..i + 4).find(|k| !self.at(*k).is_some_and(little) || self.number(*k).is_some()).is_some_and(|k| {
            let hour_word =
                self.at(k).is_some_and(|t| t.is(Sense::Noon) || t.find(|s| matches!(s, Sense::HalfTo(_)).then_some(())).is_some());
            self.number(k).is_some() || hour_word
        })
    }

    fn said_not(&self, i: usize) -> bool {
        i > 0 && self.tokens[i - 1].is(Sense::Not)
    }

    // ------------------------------------------------------------------ behind, later, the same

    fn past(&self, i: usize) -> Found<Item> {
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
    fn shift(&self, i: usize) -> Found<Item> {
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
    fn length(&self, i: usize) -> Found<i64> {
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
    fn same(&self, i: usize) -> Found<Item> {
        let token = self.at(i)?;
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

    // ------------------------------------------------------------------ ahead: «через …»

    fn ahead(&self, i: usize) -> Found<Item> {
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

    fn ahead_by(&self, i: usize) -> Found<Item> {
        if self.is(i, Sense::HalfYear) {
            return Some((Item::Day(Day::On(calendar::plus_months(self.today, 6))), i + 1));
        }
        if self.is(i, Sense::OneAndHalf) && self.unit(i + 1) == Some(Unit::Year) {
            return Some((Item::Day(Day::On(calendar::plus_months(self.today, 18))), i + 2));
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

    fn later_by(&self, n: i64, unit: Unit) -> Option<Item> {
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

    // ------------------------------------------------------------------ ranges

    /// «С 10 до 13», «между 10 и 13», «10-13», «с 25 по 28 ноября», «с понедельника по среду».
    fn ranged(&self, i: usize, last: Option<&Mention>) -> Option<(Item, Option<Prep>, usize)> {
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
            && let Some((to_day, end)) = self.day(self.skip_little(k))
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

    fn asked_day(&self) -> bool {
        self.setting.context.asked == Some(Asked::Day)
    }

    fn plain_numbers(&self, a: Number, b: Number) -> bool {
        !a.ordinal && !b.ordinal && !self.mark(b.next, ":") && !self.counted(b.next)
    }

    fn window(&self, i: usize, start: usize, open: bool, joined: impl Fn(usize) -> Option<usize>) -> Option<(Item, Option<Prep>, usize)> {
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

    fn pm_before(&self, end: usize) -> bool {
        end > 0 && self.at(end - 1).is_some_and(|t| t.is(Sense::Pm) || t.text == "вечера" || t.text == "дня")
    }

    /// «10-13» with no word around it.
    fn looks_like_hours(&self, start: usize, middle: usize, end: usize) -> bool {
        let number = |i: usize| self.number(i).map(|n| n.value);
        let long = middle - start > 1;
        let (Some(a), Some(b)) = (number(start), number(end - 1).or_else(|| number(middle + 1))) else { return long };
        long || ((8..24).contains(&a) && a < b && b <= 24) || (end - 1 > middle + 1)
    }

    fn day_of_range(&self, i: usize) -> Found<Day> {
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

    fn skip_little(&self, i: usize) -> usize {
        self.little_words(i).1
    }

    // ------------------------------------------------------------------ days

    /// «После 25 числа», «до пятницы», «с понедельника»: what the word before a day makes of it.
    fn open_day(&self, day: Day, prep: Option<Prep>, end: usize) -> (Item, usize) {
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

    fn day_phrase(&self, i: usize, prep: Option<Prep>) -> Found<Item> {
        if let Some((day, end)) = self.day(i) {
            return Some((Item::Day(day), end));
        }
        if let Some(end) = self.impossible_date(i) {
            return Some((Item::Impossible, end));
        }
        self.numbered_day(i, prep)
    }

    fn day(&self, i: usize) -> Found<Day> {
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
    fn weekday_of_month(&self, i: usize) -> Found<Day> {
        let nth = self.at(i)?.ordinal().filter(|n| (1..=4).contains(n))?;
        let weekday = self.at(i + 1)?.weekday()?;
        let month = self.at(i + 2)?.month()?;
        let first = calendar::dated(self.today, 1, month, None)?;
        let to_first = (i32::from(weekday) - i32::from(first.weekday().to_monday_one_offset())).rem_euclid(7);
        let weeks = i32::try_from(nth).ok()? - 1;
        Some((Day::On(calendar::plus_days(first, to_first + 7 * weeks)), i + 3))
    }

    fn weekday(&self, i: usize) -> Found<Day> {
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
        Some((Day::Weekday(weekday, said), end))
    }

    fn suffix(&self, i: usize) -> bool {
        self.glued(i)
            && self.at(i).is_some_and(|t| {
                t.is_word() && matches!(&*t.text, "го" | "ого" | "е" | "ое" | "st" | "nd" | "rd" | "th" | "ье" | "й" | "его" | "му" | "ому")
            })
    }

    /// After a number: «-го», «го», "th"; how far it reaches.
    fn after_suffix(&self, i: usize) -> Option<usize> {
        if self.suffix(i) {
            return Some(i + 1);
        }
        (self.mark(i, "-–") && self.glued(i) && self.suffix(i + 1)).then_some(i + 2)
    }

    /// A year after a date: «2026», «2026 года», «26 г.».
    fn year(&self, i: usize) -> (Option<u32>, usize) {
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
    fn date_parts(&self, i: usize) -> Option<(u32, i8, Option<u32>, usize)> {
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
    fn verb_may(&self, i: usize) -> bool {
        self.word(i, "may") && self.at(i + 1).is_some_and(|t| matches!(&*t.text, "i" | "we" | "be" | "you"))
    }

    /// «12.30» is a time and «25.11» a date; between them the word before decides.
    fn dotted_is_date(&self, i: usize, day: Number, month: Number) -> bool {
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

    fn dated(&self, i: usize) -> Found<Day> {
        let (day, month, year, end) = self.date_parts(i)?;
        let date = calendar::dated(self.today, day, month, year)?;
        Some((Day::On(date), end))
    }

    fn impossible_date(&self, i: usize) -> Option<usize> {
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
    fn numbered_day(&self, i: usize, prep: Option<Prep>) -> Found<Item> {
        let start = if self.is(i, Sense::DayOfMonth) && self.number(i + 1).is_some() { i + 1 } else { i };
        let start = start + usize::from(self.word(start, "the") && self.number(start + 1).is_some());
        let n = self.number(start).filter(|n| n.digits <= 2)?;
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
        let choosing = matches!(self.setting.context.asked, Some(Asked::Choice | Asked::Review))
            || !self.setting.context.offered.is_empty() && n.value <= 5;
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
    fn span_of_days(&self, i: usize) -> Found<Day> {
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
    fn of_month(&self, i: usize) -> Found<Day> {
        let token = self.at(i)?;
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
    fn next_day(&self, i: usize) -> Found<Day> {
        if self.is(i, Sense::Next) && self.unit(i + 1) == Some(Unit::Day) {
            let base = self.setting.context.day.or_else(|| self.setting.context.offered.first().map(|at| at.date())).unwrap_or(self.today);
            return Some((Day::On(calendar::plus_days(base, 1)), i + 2));
        }
        None
    }

    // ------------------------------------------------------------------ times

    fn part(&self, i: usize) -> Option<Part> {
        let token = self.at(i)?;
        // «Вечерняя укладка» is no evening; «вечернее время» is.
        let adjective =
            ["ний", "няя", "нее", "нюю", "ней", "нного", "нное", "нный", "ное", "ной"].iter().any(|end| token.text.ends_with(end));
        let of_time = |t: &Token| t.cue(Cue::Time) || t.cue(Cue::Booking) || t.cue(Cue::Variant) || t.unit().is_some();
        if adjective && !self.at(i + 1).is_some_and(of_time) {
            return None;
        }
        token.find(|s| if let Sense::Part(part) = s { Some(part) } else { None })
    }

    /// «утра», «дня», «вечера», «ночи», a.m., p.m. after an hour.
    fn part_after(&self, i: usize) -> Found<Part> {
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
    fn counted(&self, i: usize) -> bool {
        let Some(token) = self.at(i) else { return false };
        if matches!(token.kind, Kind::Mark('%' | '₽' | '$' | '€' | '°' | '+' | '№')) {
            return true;
        }
        if !token.is_word() {
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
    fn clock_evidence(&self, i: usize) -> Option<()> {
        (self.unit(i) == Some(Unit::Hour) || self.part_after(i).is_some() || self.mark(i, ":") && self.glued(i)).then_some(())
    }

    /// A time of day at `i`; `expected` when a word before it asks for one.
    fn clock(&self, i: usize, expected: bool) -> Found<Clock> {
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

    fn bare_clock(&self, i: usize, expected: bool) -> Found<Clock> {
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
        // «полвторого», «пол второго», «пол-второго», «половина второго»
        if let Some(hour) = token.find(|s| if let Sense::HalfTo(n) = s { Some(n) } else { None }) {
            return Some((before(hour, 30)?, i + 1));
        }
        if token.is(Sense::Half) {
            if self.word(i + 1, "past") || self.word(i + 1, "after") {
                let n = hour_named(i + 2)?;
                return Some((clock(n.value, 30, false)?, n.next));
            }
            let j = i + 1 + usize::from(self.mark(i + 1, "-"));
            let n = hour_named(j).filter(|n| n.ordinal)?;
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
            let range_of_hours =
                dashed && (m.value <= 24 && m.value > n.value && (m.value % 5 != 0 || self.part_after(m.next).is_none() && m.value != 0));
            let part = self.part_after(m.next).is_some();
            if !range_of_hours && (!dashed || part || m.value >= 25 || m.value == 0) {
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
        // «2 с половиной» is a length.
        if (expected || hours_said || self.part_after(n.next).is_some() || self.is(n.next, Sense::OClock)) && !self.counted(n.next) {
            return Some((clock(n.value, 0, leading_zero)?, n.next));
        }
        None
    }

    fn time_phrase(&self, start: usize, prep: Option<Prep>, i: usize, last: Option<&Mention>) -> Found<Item> {
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
            let noon = Clock { hour: 14, minute: 0, settled: true };
            return Some((Item::Time(if n == 1 { Clocks::Before(noon) } else { Clocks::After(noon) }), i + 3));
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
        // «в один прекрасный день», «в 2 этапа»
        if self.counted(end) || self.unit(end).is_some_and(|unit| !matches!(unit, Unit::Hour)) {
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
    fn now_is_meant(&self, i: usize) -> bool {
        let words = self.tokens.iter().filter(|t| t.is_word()).count();
        self.word(i.wrapping_sub(1), "прямо")
            || self.word(i.wrapping_sub(1), "right")
            || words <= 3 && !self.tokens.iter().any(|t| t.cue(Cue::Yes) || t.cue(Cue::Tell) || t.cue(Cue::Phone))
    }

    fn part_phrase(&self, i: usize, prep: Option<Prep>) -> Found<Item> {
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
            _ if part == Part::Lunch && token.text == "обеда" => None,
            _ if part == Part::Night && prep.is_none() && token.text == "ночь" => None,
            _ => found(Clocks::Part(part)),
        }
    }

    /// «На 2 недели», «на 3 дня», «за 2 часа»: a length, no moment.
    fn length_follows(&self, i: usize, prep: Option<Prep>) -> bool {
        let Some(n) = self.number(i) else { return false };
        let unit = self.unit(n.next);
        let at_part = !matches!(prep, None | Some(Prep::On | Prep::In | Prep::Within)) && self.part_after(n.next).is_some();
        matches!(unit, Some(Unit::Week | Unit::Month | Unit::Year))
            // «На 12 дня» is noon: a length would be «дней».
            || (unit == Some(Unit::Day) && !at_part && prep != Some(Prep::To) && !(n.value > 4 && self.word(n.next, "дня")))
            || unit == Some(Unit::Minute) && !self.number(n.next + 1).is_some_and(|n| n.ordinal)
    }

    /// «В 25:00», «в 15:75», «в 27 часов».
    fn impossible_clock(&self, i: usize, of_clock: bool) -> Option<usize> {
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

impl Token {
    /// English "to", which is a range's word only after "from".
    fn latin_to(&self) -> bool {
        self.text == "to"
    }
    fn mark_plus(&self) -> bool {
        self.mark('+')
    }
}
