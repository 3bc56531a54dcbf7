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

#[cfg(test)]
mod tests {
    use jiff::civil::{DateTime, date};

    use super::*;
    use crate::{Asked, Reader};

    /// `at 11-24 15:00`, `window 11-24 09:00-12:00`; `~` no day was said, `?` one of two readings.
    fn written(when: &When) -> String {
        let day = |date: Date| if date.year() == 2026 { date.strftime("%m-%d").to_string() } else { date.to_string() };
        let at = |moment: &DateTime| format!("{} {}", day(moment.date()), moment.strftime("%H:%M"));
        let said = match when {
            When::At { from, .. } => format!("at {}", at(from)),
            When::Day { from, .. } => format!("day {}", day(*from)),
            When::Days { from, to, .. } => format!("days {}..{}", day(*from), day(*to)),
            When::Window { from, to, .. } => format!("window {}-{}", at(from), to.strftime("%H:%M")),
            When::After { from, .. } => format!("after {}", at(from)),
            When::Before { to, .. } => format!("before {}", at(to)),
        };
        format!("{said}{}{}", if when.time_only() { " ~" } else { "" }, if when.ambiguous() { " ?" } else { "" })
    }

    /// Monday, 23 November 2026, 10:00, no salon: open 09:00–21:00.
    fn check(cases: &[(&str, &str)]) {
        check_in(date(2026, 11, 23).at(10, 0, 0, 0), &Context::default(), cases);
    }

    fn check_in(now: DateTime, context: &Context, cases: &[(&str, &str)]) {
        let reader = Reader::new(None);
        let mut wrong = Vec::new();
        for (text, expected) in cases {
            let read = reader.read(text, now, context).when.iter().map(written).collect::<Vec<_>>().join("; ");
            if read != *expected {
                wrong.push(format!("«{text}»: {read:?}, expected {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }

    #[test]
    fn hours() {
        check(&[
            ("в 3", "at 11-23 15:00 ~"),
            ("в 10", "at 11-23 10:00 ~"),
            ("в 8", "at 11-23 20:00 ~"),
            ("в 9", "at 11-23 09:00 ~"),
            ("завтра в 15", "at 11-24 15:00"),
            ("завтра в 15:30", "at 11-24 15:30"),
            ("завтра в 15.30", "at 11-24 15:30"),
            ("завтра в 15-30", "at 11-24 15:30"),
            ("завтра в 3:30", "at 11-24 15:30"),
            ("завтра в 5.15", "at 11-24 17:15"),
            ("завтра в 09:00", "at 11-24 09:00"),
            ("завтра 15", "at 11-24 15:00"),
            ("завтра в 1530", "at 11-24 15:30"),
            ("завтра в 15 30", "at 11-24 15:30"),
            ("на завтра на 12", "at 11-24 12:00"),
            ("полвторого", "at 11-23 13:30 ~"),
            ("завтра в пол третьего", "at 11-24 14:30"),
            ("завтра в пол-четвёртого", "at 11-24 15:30"),
            ("завтра в половине шестого", "at 11-24 17:30"),
            ("завтра в половину шестого", "at 11-24 17:30"),
            ("завтра без четверти пять", "at 11-24 16:45"),
            ("завтра без десяти семь", "at 11-24 18:50"),
            ("завтра без 15 три", "at 11-24 14:45"),
            ("завтра пятнадцать минут шестого", "at 11-24 17:15"),
            ("завтра в четверть шестого", "at 11-24 17:15"),
            ("завтра в двадцать минут второго", "at 11-24 13:20"),
            ("завтра в шестнадцать тридцать", "at 11-24 16:30"),
            ("завтра в девятнадцать ноль ноль", "at 11-24 19:00"),
            ("завтра в двенадцать сорок пять", "at 11-24 12:45"),
            ("завтра в двадцать", "at 11-24 20:00"),
            ("завтра в двадцать тридцать", "at 11-24 20:30"),
            ("завтра в час", "at 11-24 13:00"),
            ("завтра в час дня", "at 11-24 13:00"),
            ("завтра в час тридцать", "at 11-24 13:30"),
            ("завтра в 5 вечера", "at 11-24 17:00"),
            ("завтра в 5вечера", "at 11-24 17:00"),
            ("завтра в 7 утра", "at 11-24 07:00"),
            ("завтра в 11 утра", "at 11-24 11:00"),
            ("завтра в 3 часа дня", "at 11-24 15:00"),
            ("завтра в 2 часа", "at 11-24 14:00"),
            ("завтра на 2 часа", "at 11-24 14:00"),
            ("завтра в 15ч", "at 11-24 15:00"),
            ("завтра в 15 часов 20 минут", "at 11-24 15:20"),
            ("завтра в полдень", "at 11-24 12:00"),
            ("часов в пять завтра", "at 11-24 17:00"),
            ("завтра часиков в 6", "at 11-24 18:00"),
            ("завтра к пяти", "at 11-24 17:00"),
            ("завтра часам к шести", "at 11-24 18:00"),
            ("завтра около пяти", "at 11-24 17:00"),
            ("завтра где-то в 17", "at 11-24 17:00"),
            ("завтра примерно в 17:00", "at 11-24 17:00"),
            ("завтра где то к 11", "at 11-24 11:00"),
            ("завтра вечером в 7", "at 11-24 19:00"),
            ("завтра в 7, вечером", "at 11-24 19:00"),
            ("утром в 9 завтра", "at 11-24 09:00"),
            ("завтра в 12 дня", "at 11-24 12:00"),
            ("zavtra v 15", "at 11-24 15:00"),
            ("pfdnhf d 15:30", "at 11-24 15:30"),
            ("ЗАВТРА В 18", "at 11-24 18:00"),
            ("завтро в 5 вечира", "at 11-24 17:00"),
        ]);
    }

    #[test]
    fn parts_and_windows() {
        check(&[
            ("завтра утром", "window 11-24 09:00-12:00"),
            ("завтра с утра", "window 11-24 09:00-12:00"),
            ("завтра с утра пораньше", "window 11-24 09:00-12:00"),
            ("завтра в обед", "window 11-24 12:00-14:00"),
            ("завтра днём", "window 11-24 12:00-17:00"),
            ("завтра вечером", "window 11-24 17:00-21:00"),
            ("завтра вечерком", "window 11-24 17:00-21:00"),
            ("вечером", "window 11-23 17:00-21:00 ~"),
            ("на вечер завтра", "window 11-24 17:00-21:00"),
            ("завтра после обеда", "after 11-24 14:00"),
            ("завтра до обеда", "before 11-24 12:00"),
            ("завтра ближе к вечеру", "window 11-24 17:00-21:00"),
            ("завтра после 18", "after 11-24 18:00"),
            ("завтра после шести", "after 11-24 18:00"),
            ("завтра после 6 вечера", "after 11-24 18:00"),
            ("завтра не раньше 18", "after 11-24 18:00"),
            ("завтра с 18", "after 11-24 18:00"),
            ("завтра начиная с 18:00", "after 11-24 18:00"),
            ("завтра позже 18", "after 11-24 18:00"),
            ("завтра не раньше чем в 18", "after 11-24 18:00"),
            ("завтра до 12", "before 11-24 12:00"),
            ("завтра не позже 12", "before 11-24 12:00"),
            ("завтра не позднее двух", "before 11-24 14:00"),
            ("завтра с 10 до 13", "window 11-24 10:00-13:00"),
            ("завтра между 10 и 13", "window 11-24 10:00-13:00"),
            ("завтра 10-13", "window 11-24 10:00-13:00"),
            ("завтра с 10:00 до 13:30", "window 11-24 10:00-13:30"),
            ("завтра с 2 до 5", "window 11-24 14:00-17:00"),
            ("завтра с 5 до 7 вечера", "window 11-24 17:00-19:00"),
            ("завтра с 9 утра до 6 вечера", "window 11-24 09:00-18:00"),
            ("завтра между двумя и четырьмя", "window 11-24 14:00-16:00"),
            ("завтра в промежутке с 12 до 15", "window 11-24 12:00-15:00"),
            ("завтра от 14 до 16", "window 11-24 14:00-16:00"),
            ("завтра вечером после 18", "after 11-24 18:00"),
            ("с 10 до 13", "window 11-23 10:00-13:00 ~"),
            ("сегодня утром", "window 11-23 10:00-12:00"),
            ("завтра в 18 или позже", "after 11-24 18:00"),
        ]);
    }

    #[test]
    fn days() {
        check(&[
            ("сегодня", "day 11-23"),
            ("завтра", "day 11-24"),
            ("на послезавтра", "day 11-25"),
            ("в среду", "day 11-25"),
            ("срд", "day 11-25"),
            ("в эту пятницу", "day 11-27"),
            ("в ближайшую пятницу", "day 11-27"),
            ("в следующую пятницу", "day 11-27 ?; day 12-04 ?"),
            ("на следующий понедельник", "day 11-30"),
            ("в понедельник", "day 11-23 ?; day 11-30 ?"),
            ("в понедельник в 9 утра", "at 11-30 09:00"),
            ("в понедельник в 15", "at 11-23 15:00 ?; at 11-30 15:00 ?"),
            ("сегодня, в понедельник, в 15", "at 11-23 15:00"),
            ("на выходных", "days 11-28..11-29"),
            ("на этой неделе", "days 11-24..11-29"),
            ("на следующей неделе", "days 11-30..12-06"),
            ("на следующей неделе в среду", "day 12-02"),
            ("в среду на следующей неделе", "day 12-02"),
            ("в четверг на этой неделе", "day 11-26"),
            ("в следующие два дня", "days 11-24..11-25"),
            ("в ближайшие три дня", "days 11-24..11-26"),
            ("через неделю", "day 11-30"),
            ("через две недели", "day 12-07"),
            ("через неделю в среду", "day 12-02"),
            ("через 3 дня", "day 11-26"),
            ("дня через три", "day 11-26"),
            ("через пару дней", "day 11-25"),
            ("через месяц", "day 12-23"),
            ("через час", "at 11-23 11:00"),
            ("через полтора часа", "at 11-23 11:30"),
            ("через полчаса", "at 11-23 10:30"),
            ("минут через 20", "at 11-23 10:20"),
            ("часа через два", "at 11-23 12:00"),
            ("25 числа", "day 11-25"),
            ("25-го", "day 11-25"),
            ("на 25", "day 11-25"),
            ("двадцать пятого", "day 11-25"),
            ("на двадцать пятое", "day 11-25"),
            ("10 числа", "day 12-10"),
            ("числа 25", "day 11-25"),
            ("30-го", "day 11-30"),
            ("31-го", "day 12-31"),
            ("25.11", "day 11-25"),
            ("25/11", "day 11-25"),
            ("25.11.2026", "day 11-25"),
            ("25 ноября", "day 11-25"),
            ("двадцать пятого ноября в 15", "at 11-25 15:00"),
            ("10 января", "day 2027-01-10"),
            ("3 марта в 12", "at 2027-03-03 12:00"),
            ("25.11 в 15:00", "at 11-25 15:00"),
            ("в пятницу 27 ноября", "day 11-27"),
            ("в пятницу, 27-го, в 17", "at 11-27 17:00"),
            ("завтра, во вторник", "day 11-24"),
            ("в начале месяца", "days 12-01..12-10"),
            ("в конце месяца", "days 11-23..11-30"),
            ("в середине декабря", "days 12-11..12-20"),
            ("с 25 по 28 ноября", "days 11-25..11-28"),
            ("25-28 ноября", "days 11-25..11-28"),
            ("с понедельника по среду", "days 11-23..11-25"),
            ("со среды по пятницу", "days 11-25..11-27"),
            ("с 25 по 28", "days 11-25..11-28"),
            ("на 2 декабря на 17:30", "at 12-02 17:30"),
            ("1 декабря в два", "at 12-01 14:00"),
            ("в декабре", "days 12-01..12-31"),
            ("послезавтра после 17", "after 11-25 17:00"),
            ("v pyatnicu v 10:30", "at 11-27 10:30"),
            ("gznybwe", "day 11-27"),
            ("в пятнецу вечиром", "window 11-27 17:00-21:00"),
            ("в суботу в 11", "at 11-28 11:00"),
        ]);
    }

    #[test]
    fn weekday_of_today() {
        let friday = date(2026, 11, 27).at(12, 0, 0, 0);
        check_in(
            friday,
            &Context::default(),
            &[
                ("в эту пятницу", "day 11-27"),
                ("в следующую пятницу", "day 12-04"),
                ("в следующую субботу", "day 11-28 ?; day 12-05 ?"),
                ("на выходных", "days 11-28..11-29"),
                ("на этой неделе", "days 11-28..11-29"),
            ],
        );
        let sunday = date(2026, 11, 29).at(12, 0, 0, 0);
        check_in(
            sunday,
            &Context::default(),
            &[
                ("на выходных", "day 11-29"),
                ("на этой неделе", "day 11-29"),
                ("на следующей неделе", "days 11-30..12-06"),
                ("в следующий вторник", "day 12-01"),
            ],
        );
    }

    #[test]
    fn alternatives() {
        check(&[
            ("завтра или в среду в 15", "at 11-24 15:00; at 11-25 15:00"),
            ("завтра в 15 или в 16", "at 11-24 15:00; at 11-24 16:00"),
            ("завтра в 15 или 16", "at 11-24 15:00; at 11-24 16:00"),
            ("в среду или в четверг", "day 11-25; day 11-26"),
            ("завтра в 15 или в среду в 17", "at 11-24 15:00; at 11-25 17:00"),
            ("завтра утром или вечером", "window 11-24 09:00-12:00; window 11-24 17:00-21:00"),
            ("25 или 26 ноября", "day 11-25; day 11-26"),
            ("в среду либо в пятницу вечером", "window 11-25 17:00-21:00; window 11-27 17:00-21:00"),
            ("завтра в 5 или 6 вечера", "at 11-24 17:00; at 11-24 18:00"),
            ("завтра после 18 или в среду утром", "after 11-24 18:00; window 11-25 09:00-12:00"),
        ]);
    }

    #[test]
    fn corrections_and_refusals() {
        check(&[
            ("завтра в три, нет, в четыре", "at 11-24 16:00"),
            ("завтра в 15, ой, послезавтра", "at 11-25 15:00"),
            ("завтра, точнее в среду", "day 11-25"),
            ("в пятницу в 17, нет, лучше в субботу в 12", "at 11-28 12:00"),
            ("в среду не получится", ""),
            ("завтра не могу, давайте в четверг", "day 11-26"),
            ("в среду не могу давайте в четверг", "day 11-26"),
            ("не могу в среду", ""),
            ("не завтра, а послезавтра", "day 11-25"),
            ("только не в среду", ""),
            ("кроме среды", ""),
            ("завтра не в 15, а в 16", "at 11-24 16:00"),
            ("была у вас в мае", ""),
            ("ходила к вам в прошлую среду", ""),
            ("вчера в 15", ""),
            ("неделю назад была", ""),
            ("перенести с 15:00 на 17:00", "at 11-23 17:00 ~"),
            ("перенесите с пятницы на субботу", "day 11-28"),
            ("перенесите запись в среду на пятницу", "day 11-27"),
            ("я записана на завтра в 15, можно перенести на четверг?", "day 11-26"),
            ("перенесите меня на завтра на 17", "at 11-24 17:00"),
            ("можно завтра? хотела бы в 15", "at 11-24 15:00"),
        ]);
    }

    #[test]
    fn no_times() {
        check(&[
            ("маникюр в 4 руки", ""),
            ("окрашивание в 2 тона", ""),
            ("нас 2 человека", ""),
            ("мне 25 лет", ""),
            ("ребёнку 5 лет", ""),
            ("у вас было 1800 рублей", ""),
            ("скидка 20%", ""),
            ("дом 5", ""),
            ("улица Лесная, 5", ""),
            ("мой номер 89161234567", ""),
            ("+7 916 123-45-67", ""),
            ("31 апреля", ""),
            ("завтра в 25:00", ""),
            ("в 15:75", ""),
            ("29 февраля", ""),
            ("32 числа", ""),
            ("добрый день", ""),
            ("доброе утро!", ""),
            ("добрый вечер", ""),
            ("хорошего дня", ""),
            ("сколько по времени?", ""),
            ("на 2 недели хватит?", ""),
            ("это займёт час?", ""),
            ("раз в две недели", ""),
            ("покрытие держится 3 недели", ""),
            ("в один тон", ""),
            ("5 ногтей", ""),
            ("можно 2 стрижки?", ""),
            ("опоздаю на 15 минут", ""),
            ("2-3 раза", ""),
            ("в два этапа", ""),
            ("на двоих", ""),
            ("один вопрос", ""),
        ]);
    }

    #[test]
    fn english() {
        check(&[
            ("tomorrow at 3pm", "at 11-24 15:00"),
            ("tomorrow at 3", "at 11-24 15:00"),
            ("this Thursday at 12:30", "at 11-26 12:30"),
            ("next Friday", "day 11-27 ?; day 12-04 ?"),
            ("on Friday morning", "window 11-27 09:00-12:00"),
            ("on Friday in the evening", "window 11-27 17:00-21:00"),
            ("tomorrow after 6", "after 11-24 18:00"),
            ("tomorrow between 10 and 1", "window 11-24 10:00-13:00"),
            ("tomorrow from 3 to 5", "window 11-24 15:00-17:00"),
            ("November 25 at 4 pm", "at 11-25 16:00"),
            ("on the 25th", "day 11-25"),
            ("day after tomorrow", "day 11-25"),
            ("tomorrow at half past three", "at 11-24 15:30"),
            ("tomorrow at quarter to five", "at 11-24 16:45"),
            ("in two hours", "at 11-23 12:00"),
            ("in an hour", "at 11-23 11:00"),
            ("this weekend", "days 11-28..11-29"),
            ("next week", "days 11-30..12-06"),
            ("Wednesday or Thursday at 5", "at 11-25 17:00; at 11-26 17:00"),
            ("I can't on Wednesday", ""),
            ("tomorrow before noon", "before 11-24 12:00"),
            ("tomorrow around 11", "at 11-24 11:00"),
            ("for 2 people", ""),
        ]);
    }

    #[test]
    fn in_context() {
        let now = date(2026, 11, 23).at(10, 0, 0, 0);
        let asked = |asked: Asked| Context { asked: Some(asked), ..Context::default() };
        check_in(
            now,
            &asked(Asked::Day),
            &[
                ("25", "day 11-25"),
                ("давайте 25", "day 11-25"),
                ("5", "day 12-05"),
                ("двадцать пятого", "day 11-25"),
                ("в среду", "day 11-25"),
            ],
        );
        check_in(
            now,
            &asked(Asked::Time),
            &[
                ("5", "at 11-23 17:00 ~"),
                ("давайте 11", "at 11-23 11:00 ~"),
                ("15 30", "at 11-23 15:30 ~"),
                ("в пять", "at 11-23 17:00 ~"),
                ("12.10", "at 11-23 12:10 ~"),
            ],
        );
        check_in(now, &asked(Asked::Name), &[("Вера", ""), ("Марта", "")]);
        check_in(now, &asked(Asked::Choice), &[("2", ""), ("второе", "")]);
        let offered = Context { offered: vec![date(2026, 11, 24).at(15, 0, 0, 0)], ..Context::default() };
        check_in(
            now,
            &offered,
            &[
                ("на час позже", "at 11-24 16:00"),
                ("а на полчаса раньше?", "at 11-24 14:30"),
                ("в тот же день в 18", "at 11-24 18:00"),
                ("в 17", "at 11-24 17:00 ~"),
                ("лучше в субботу, время то же", "at 11-28 15:00"),
                ("попозже", "after 11-24 15:00 ~"),
            ],
        );
        let day = Context { day: Some(date(2026, 11, 26)), ..Context::default() };
        check_in(now, &day, &[("в 17", "at 11-26 17:00 ~"), ("вечером", "window 11-26 17:00-21:00 ~"), ("на следующий день", "day 11-27")]);
    }
}
