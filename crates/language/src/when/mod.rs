//! Moments: what day and what time of day a message asks for.
//!
//! [`grammar`] finds the mentions, [`combine`] joins them into alternatives, [`calendar`] turns
//! those into dates by the salon's conventions.

mod calendar;
mod combine;
mod grammar;

use jiff::civil::{Date, DateTime};

pub(crate) use calendar::OpeningHours;

use crate::{
    Context, When,
    lexicon::{Part, Prep},
    text::Token,
};

/// What a message says of time.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) when: Vec<When>,
    pub(crate) refused: Vec<When>,
    pub(crate) old: Vec<When>,
    pub(crate) impossible: bool,
    pub(crate) shift_minutes: Option<i64>,
    pub(crate) same_time: bool,
    pub(crate) same_day: bool,
}

/// What the reading of times needs besides the words.
pub(crate) struct Setting<'a> {
    pub(crate) now: DateTime,
    pub(crate) context: &'a Context,
    pub(crate) hours: &'a OpeningHours,
    /// The message speaks of moving a booking.
    pub(crate) moving: bool,
}

/// Reads the times and marks the tokens they are said with.
pub(crate) fn read(tokens: &[Token], used: &mut [bool], setting: &Setting<'_>) -> Times {
    let mentions = grammar::mentions(tokens, used, setting);
    for mention in &mentions {
        used[mention.span.clone()].iter_mut().for_each(|used| *used = true);
    }
    combine::combine(tokens, &mentions, setting)
}

/// A day or a time of day, where it was said.
#[derive(Debug, Clone)]
struct Mention {
    item: Item,
    span: std::ops::Range<usize>,
    /// The little word before it.
    prep: Option<Prep>,
    /// «Не» before it.
    negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Item {
    Day(Day),
    Time(Clocks),
    /// A moment of its own: «через час».
    Moment(DateTime),
    /// «На час позже»: minutes.
    Shift(i64),
    /// «Попозже» (true) or «пораньше» than what is offered.
    Roughly(bool),
    /// «Время то же».
    SameTime,
    /// «В тот же день».
    SameDay,
    /// What cannot be: «31 апреля», «в 25:00».
    Impossible,
    /// What lies behind: «вчера», «в прошлую среду», «два дня назад».
    Past,
}

/// What was said of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// A date.
    On(Date),
    /// A day of the week, 1 Monday.
    Weekday(i8, Which),
    /// From–to, `to` included.
    Span(Date, Date),
    /// «Через две недели».
    InWeeks(i32),
    /// «25 числа»: kept apart so that a month said elsewhere can claim it.
    OfMonth(i8),
}

/// Which day of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Bare,
    This,
    Next,
}

/// What was said of the time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clocks {
    At(Clock),
    After(Clock),
    Before(Clock),
    Between(Clock, Clock),
    Part(Part),
    /// «До обеда», «до вечера».
    BeforePart(Part),
    /// «После обеда».
    AfterPart(Part),
}

/// A time of day as said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock {
    hour: i8,
    minute: i8,
    /// The half of the day is settled: «15», «5 вечера», «09:00».
    settled: bool,
}
