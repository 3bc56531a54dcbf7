//! Finds the mentions of days and times among the tokens of a message.

mod clocks;
mod days;
mod ranges;
mod relative;

use jiff::civil::Date;

use super::{Clocks, Day, Item, Mention, Setting, calendar};
use crate::{
    lexicon::{Cue, Part, Prep, Sense, Unit},
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
            } else if token.prep(Prep::At)
                || token.text == "it" && j > 0 && self.tokens[j - 1].text == "make" && self.number(j + 1).is_some()
            {
                // "Make it 7"
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
