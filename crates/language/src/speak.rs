//! Dates, lengths of time, names and services in words.

use jiff::civil::{Date, Time};

use crate::Lang;

/// Grammatical case of a Russian noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Кого? «у Анны».
    Genitive,
    /// Кому? «к Анне».
    Dative,
    /// Что? «на стрижку».
    Accusative,
    /// Кем? «с Анной».
    Instrumental,
    /// О ком? «об Анне».
    Prepositional,
}

/// A day, seen from `today`: «сегодня», «завтра», else «в пятницу, 27 ноября».
pub fn day(date: Date, today: Date, lang: Lang) -> String {
    let _ = (date, today, lang);
    String::new()
}

/// A time of day: `15:00`.
pub fn time(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}
