//! The other way round: days, times, lengths, names and services as people say them.
//!
//! Russian forms come from the dictionary; a word it does not have is left as it is.

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
};
use rumorph::{Analysis, Source};

use crate::{
    Lang,
    morphology::{dictionary, feature, part_of_speech},
};

/// Grammatical case of a Russian noun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Кто? «Анна».
    Nominative,
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

impl Case {
    fn feature(self) -> &'static str {
        match self {
            Self::Nominative => "Nom",
            Self::Genitive => "Gen",
            Self::Dative => "Dat",
            Self::Accusative => "Acc",
            Self::Instrumental => "Ins",
            Self::Prepositional => "Loc",
        }
    }
}

const MONTHS_OF: [&str; 12] =
    ["января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря"];
const ON_WEEKDAY: [&str; 7] = ["в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье"];
const WEEKDAYS: [&str; 7] = ["понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"];
const ENGLISH_MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const ENGLISH_WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const SHORT_WEEKDAYS: [&str; 7] = ["пн", "вт", "ср", "чт", "пт", "сб", "вс"];
const ENGLISH_SHORT_WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn nth<'a>(names: &[&'a str], from_one: i8) -> &'a str {
    usize::try_from(from_one - 1).ok().and_then(|i| names.get(i).copied()).unwrap_or_default()
}

/// «27 ноября»; another year than today's is told: «10 января 2027 года».
pub fn date(date: Date, today: Date, lang: Lang) -> String {
    let far = date.year() != today.year() && date > today.checked_add(6.months()).unwrap_or(today);
    match lang {
        Lang::Ru => {
            let year = if far { format!(" {} года", date.year()) } else { String::new() };
            format!("{} {}{year}", date.day(), nth(&MONTHS_OF, date.month()))
        }
        Lang::En => {
            let year = if far { format!(", {}", date.year()) } else { String::new() };
            format!("{} {}{year}", nth(&ENGLISH_MONTHS, date.month()), date.day())
        }
    }
}

/// When something is: «сегодня, 23 ноября», «завтра, 24 ноября», «в пятницу, 27 ноября»;
/// "tomorrow, November 24", "on Friday, November 27".
pub fn on_day(day: Date, today: Date, lang: Lang) -> String {
    let ahead = today.until(day).map_or(i32::MAX, |span| span.get_days());
    let weekday = day.weekday().to_monday_one_offset();
    let name = match (lang, ahead) {
        (Lang::Ru, 0) => "сегодня".to_owned(),
        (Lang::Ru, 1) => "завтра".to_owned(),
        (Lang::Ru, _) => nth(&ON_WEEKDAY, weekday).to_owned(),
        (Lang::En, 0) => "today".to_owned(),
        (Lang::En, 1) => "tomorrow".to_owned(),
        (Lang::En, _) => format!("on {}", nth(&ENGLISH_WEEKDAYS, weekday)),
    };
    format!("{name}, {}", date(day, today, lang))
}

/// A day by its name, for headings: «пятница, 27 ноября»; "Friday, November 27".
pub fn day(day: Date, today: Date, lang: Lang) -> String {
    let weekday = day.weekday().to_monday_one_offset();
    let name = match lang {
        Lang::Ru => nth(&WEEKDAYS, weekday),
        Lang::En => nth(&ENGLISH_WEEKDAYS, weekday),
    };
    format!("{name}, {}", date(day, today, lang))
}

/// «пн»; "Mon".
pub fn short_weekday(day: Date, lang: Lang) -> &'static str {
    let weekday = day.weekday().to_monday_one_offset();
    match lang {
        Lang::Ru => nth(&SHORT_WEEKDAYS, weekday),
        Lang::En => nth(&ENGLISH_SHORT_WEEKDAYS, weekday),
    }
}

/// A time of day: `15:00`.
pub fn time(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

/// «в пятницу, 27 ноября, в 15:00»; "on Friday, November 27, at 15:00".
pub fn moment(at: DateTime, today: Date, lang: Lang) -> String {
    let word = match lang {
        Lang::Ru => "в",
        Lang::En => "at",
    };
    format!("{}, {word} {}", on_day(at.date(), today, lang), time(at.time()))
}

/// A number with its noun, given in the singular: «2 стрижки», «5 услуг»; "2 services".
pub fn counted(number: i64, noun: &str, lang: Lang) -> String {
    let word = match lang {
        Lang::En if number == 1 => noun.to_owned(),
        Lang::En => format!("{noun}s"),
        Lang::Ru => {
            let analyses = dictionary().analyze(noun);
            let noun_of = analyses.iter().find(|a| part_of_speech(a) == "NOUN" && feature(a, "Case") == Some("Nom"));
            noun_of.and_then(|a| dictionary().agree(a, number.unsigned_abs())).map_or_else(|| noun.to_owned(), |form| form.word)
        }
    };
    format!("{number} {word}")
}

/// A length of time: «1 час 30 минут», «45 минут»; "1 hour 30 minutes".
pub fn length(minutes: i64, lang: Lang) -> String {
    let (hour, minute) = match lang {
        Lang::Ru => ("час", "минута"),
        Lang::En => ("hour", "minute"),
    };
    match (minutes / 60, minutes % 60) {
        (0, minutes) => counted(minutes, minute, lang),
        (hours, 0) => counted(hours, hour, lang),
        (hours, minutes) => format!("{} {}", counted(hours, hour, lang), counted(minutes, minute, lang)),
    }
}

/// A person's name in a case: «Анне», «Екатериной Ивановой», «Сергею Лисину». A given name that the
/// dictionary does not have stays as it is.
pub fn name(name: &str, case: Case) -> String {
    if case == Case::Nominative {
        return name.to_owned();
    }
    let words: Vec<&str> = name.split(' ').collect();
    let gender = words.iter().find_map(|word| person(word, Some("Giv"), None)).and_then(|a| feature(&a, "Gender").map(str::to_owned));
    let one = |word: &&str| -> String {
        person(word, None, gender.as_deref())
            .and_then(|a| dictionary().inflect(&a, &[("Case", case.feature()), ("Number", "Sing")]))
            .map(|form| like(word, &form.word))
            .or_else(|| surname(word, gender.as_deref()?, case))
            .unwrap_or_else(|| (*word).to_owned())
    };
    words.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The dictionary's word for a person's name, in the nominative.
fn person(word: &str, kind: Option<&str>, gender: Option<&str>) -> Option<Analysis> {
    let fits = |a: &Analysis| {
        let said = feature(a, "NameType");
        a.source == Source::Dictionary
            && matches!(said, Some("Giv" | "Sur" | "Pat"))
            && (kind.is_none() || said == kind)
            && (gender.is_none() || feature(a, "Gender") == gender)
            && feature(a, "Case") == Some("Nom")
            && feature(a, "Number") == Some("Sing")
    };
    dictionary().analyze(word).into_iter().find(fits)
}

/// A surname that the dictionary does not have, by its ending; `None` for those that stay as they are.
fn surname(word: &str, gender: &str, case: Case) -> Option<String> {
    // Genitive, dative, accusative, instrumental, prepositional.
    let endings: &[(&str, [&str; 5])] = match gender {
        "Masc" => &[
            ("ский", ["ского", "скому", "ского", "ским", "ском"]),
            ("цкий", ["цкого", "цкому", "цкого", "цким", "цком"]),
            ("ый", ["ого", "ому", "ого", "ым", "ом"]),
            ("ой", ["ого", "ому", "ого", "ым", "ом"]),
            ("ов", ["ова", "ову", "ова", "овым", "ове"]),
            ("ев", ["ева", "еву", "ева", "евым", "еве"]),
            ("ёв", ["ёва", "ёву", "ёва", "ёвым", "ёве"]),
            ("ин", ["ина", "ину", "ина", "иным", "ине"]),
            ("ын", ["ына", "ыну", "ына", "ыным", "ыне"]),
            ("ук", ["ука", "уку", "ука", "уком", "уке"]),
            ("юк", ["юка", "юку", "юка", "юком", "юке"]),
            ("ян", ["яна", "яну", "яна", "яном", "яне"]),
        ],
        "Fem" => &[
            ("ая", ["ой", "ой", "ую", "ой", "ой"]),
            ("ова", ["овой", "овой", "ову", "овой", "овой"]),
            ("ева", ["евой", "евой", "еву", "евой", "евой"]),
            ("ёва", ["ёвой", "ёвой", "ёву", "ёвой", "ёвой"]),
            ("ина", ["иной", "иной", "ину", "иной", "иной"]),
            ("ына", ["ыной", "ыной", "ыну", "ыной", "ыной"]),
        ],
        _ => &[],
    };
    let (end, forms) = endings.iter().find(|(end, _)| word.ends_with(end))?;
    let form = match case {
        Case::Nominative => end,
        Case::Genitive => forms[0],
        Case::Dative => forms[1],
        Case::Accusative => forms[2],
        Case::Instrumental => forms[3],
        Case::Prepositional => forms[4],
    };
    Some(format!("{}{form}", word.strip_suffix(end)?))
}

/// The given name has forms that are not known here: «Суда», «Гульназ».
fn stays_whole(who: &str) -> bool {
    let first = who.split(' ').next().unwrap_or_default();
    let russian = first.chars().all(|c| matches!(c, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё' | '-'));
    russian && person(first, None, None).is_none() && !first.ends_with(['и', 'о', 'у', 'е', 'э', 'ю', 'ы'])
}

/// «к Анне», «ко Льву», «к мастеру Суда».
pub fn to(who: &str) -> String {
    if stays_whole(who) {
        return format!("к мастеру {who}");
    }
    let name = name(who, Case::Dative);
    let lower = name.to_lowercase();
    let heavy = ["льв", "вс", "мн", "вт"].iter().any(|start| lower.starts_with(start));
    format!("{} {name}", if heavy { "ко" } else { "к" })
}

/// «у Анны», «у мастера Суда».
pub fn at(who: &str) -> String {
    if stays_whole(who) { format!("у мастера {who}") } else { format!("у {}", name(who, Case::Genitive)) }
}

/// A name in Latin letters, as English texts write it: "Yulia", "Dmitry Lisin".
pub fn latin(name: &str) -> String {
    let word = |word: &str| {
        let small = word.to_lowercase();
        let (stem, end) = match () {
            () if small.ends_with("ий") || small.ends_with("ый") => (&small[..small.len() - 4], "y"),
            () if small.ends_with("ия") => (&small[..small.len() - 4], "ia"),
            () => (&*small, ""),
        };
        let text = stem.chars().map(latin_letter).collect::<String>() + end;
        like(word, &text)
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn latin_letter(letter: char) -> String {
    const LETTERS: [&str; 32] = [
        "a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh",
        "shch", "", "y", "", "e", "yu", "ya",
    ];
    match letter {
        'ё' => "yo".to_owned(),
        'а'..='я' => {
            usize::try_from(u32::from(letter) - u32::from('а')).ok().and_then(|n| LETTERS.get(n)).copied().unwrap_or("").to_owned()
        }
        other => other.to_string(),
    }
}

/// «с Анной», «со Светланой».
pub fn with(who: &str) -> String {
    let name = name(who, Case::Instrumental);
    let mut letters = name.chars().flat_map(char::to_lowercase);
    let vowel = |c: char| "аеёиоуыэюя".contains(c);
    let heavy = matches!((letters.next(), letters.next()), (Some('с' | 'з' | 'ш' | 'ж'), Some(second)) if !vowel(second));
    format!("{} {name}", if heavy || name.to_lowercase().starts_with("льв") { "со" } else { "с" })
}

/// A service's title inside a sentence: «на мужскую стрижку», «на маникюр с покрытием гель-лак».
/// Small first letter; what cannot be declined with certainty stays in the nominative.
pub fn service(title: &str, case: Case) -> String {
    let small = lowered(title);
    if case == Case::Nominative {
        return small;
    }
    declined(&small, case).unwrap_or(small)
}

/// The title has cases that are known: «маникюр», not «LPG» nor «ботулинотерапия».
pub fn declines(title: &str) -> bool {
    declined(&lowered(title), Case::Genitive).is_some()
}

fn lowered(title: &str) -> String {
    let mut letters = title.chars();
    let Some(first) = letters.next() else { return String::new() };
    // SPA, LPG and the like keep their capitals.
    if letters.clone().next().is_some_and(char::is_uppercase) {
        return title.to_owned();
    }
    first.to_lowercase().chain(letters).collect()
}

/// The adjectives and the noun at the head, and what «и» or «+» joins to them; `None` where a word
/// of those is unknown or alive.
fn declined(title: &str, case: Case) -> Option<String> {
    let mut out: Vec<String> = Vec::new();
    let mut head = true;
    let mut found = false;
    // What follows a colon only explains: «на комплекс: стрижка + борода».
    let mut named = false;
    // The last noun: an adjective after it may belong to it, «чистка лица комбинированная».
    let mut noun_said: Option<Analysis> = None;
    for word in title.split(' ') {
        let bare = word.trim_end_matches([',', ':', ';', '.']);
        if (word == "+" || word == "и") && !named {
            head = true;
            out.push(word.to_owned());
            continue;
        }
        if !head {
            let agreeing = noun_said.as_ref().filter(|_| !named).and_then(|noun| following(word, noun, case));
            out.push(agreeing.unwrap_or_else(|| word.to_owned()));
            continue;
        }
        let analyses = dictionary().analyze(bare);
        let nominative = |a: &&Analysis| a.source == Source::Dictionary && feature(a, "Case") == Some("Nom");
        let adjective = |a: &&Analysis| part_of_speech(a) == "ADJ" || feature(a, "VerbForm") == Some("Part");
        let noun = analyses.iter().filter(nominative).find(|a| part_of_speech(a) == "NOUN");
        if let Some(noun) = noun.filter(|_| !analyses.iter().filter(nominative).any(|a| adjective(&a) && a.prob > 0.5)) {
            if feature(noun, "Animacy") == Some("Anim") {
                return None;
            }
            let number = feature(noun, "Number").unwrap_or("Sing");
            let form = dictionary().inflect(noun, &[("Case", case.feature()), ("Number", number)])?;
            out.push(format!("{}{}", like(bare, &form.word), &word[bare.len()..]));
            head = false;
            found = true;
            noun_said = Some(noun.clone());
        } else if let Some(adjective) = analyses.iter().filter(nominative).find(adjective) {
            let mut features = vec![("Case", case.feature())];
            // «На детский массаж», not «на детского»: things are lifeless.
            if case == Case::Accusative && (feature(adjective, "Gender") == Some("Masc") || feature(adjective, "Number") == Some("Plur")) {
                features.push(("Animacy", "Inan"));
            }
            let form = dictionary().inflect(adjective, &features)?;
            out.push(format!("{}{}", like(bare, &form.word), &word[bare.len()..]));
        } else if found {
            out.push(word.to_owned());
            head = false;
        } else {
            return None;
        }
        if bare.len() != word.len() {
            head = false;
            named = true;
        }
    }
    found.then(|| out.join(" "))
}

/// An adjective that follows its noun, in the noun's case.
fn following(word: &str, noun: &Analysis, case: Case) -> Option<String> {
    let agrees = |a: &&Analysis| {
        a.source == Source::Dictionary
            && (part_of_speech(a) == "ADJ" || feature(a, "VerbForm") == Some("Part"))
            && feature(a, "Case") == Some("Nom")
            && feature(a, "Gender") == feature(noun, "Gender")
            && feature(a, "Number") == feature(noun, "Number")
    };
    let analyses = dictionary().analyze(word);
    let adjective = analyses.iter().find(agrees)?;
    let mut features = vec![("Case", case.feature())];
    if case == Case::Accusative && feature(noun, "Gender") == Some("Masc") {
        features.push(("Animacy", "Inan"));
    }
    Some(like(word, &dictionary().inflect(adjective, &features)?.word))
}

/// The form with the first letter as large as the original's.
fn like(original: &str, form: &str) -> String {
    let capital = original.chars().next().is_some_and(char::is_uppercase);
    let mut letters = form.chars();
    match letters.next() {
        Some(first) if capital => first.to_uppercase().chain(letters).collect(),
        _ => form.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as on;

    use super::*;

    #[test]
    fn days() {
        let today = on(2026, 11, 23);
        for (day, russian, english) in [
            (on(2026, 11, 23), "сегодня, 23 ноября", "today, November 23"),
            (on(2026, 11, 24), "завтра, 24 ноября", "tomorrow, November 24"),
            (on(2026, 11, 27), "в пятницу, 27 ноября", "on Friday, November 27"),
            (on(2026, 12, 1), "во вторник, 1 декабря", "on Tuesday, December 1"),
            (on(2027, 1, 10), "в воскресенье, 10 января", "on Sunday, January 10"),
            (on(2027, 7, 10), "в субботу, 10 июля 2027 года", "on Saturday, July 10, 2027"),
        ] {
            assert_eq!(on_day(day, today, Lang::Ru), russian);
            assert_eq!(on_day(day, today, Lang::En), english);
        }
        assert_eq!(moment(on(2026, 11, 27).at(15, 0, 0, 0), today, Lang::Ru), "в пятницу, 27 ноября, в 15:00");
    }

    #[test]
    fn numbers_and_lengths() {
        for (n, noun, text) in
            [(1, "стрижка", "1 стрижка"), (2, "стрижка", "2 стрижки"), (5, "услуга", "5 услуг"), (21, "мастер", "21 мастер")]
        {
            assert_eq!(counted(n, noun, Lang::Ru), text);
        }
        for (minutes, russian, english) in [
            (45, "45 минут", "45 minutes"),
            (60, "1 час", "1 hour"),
            (90, "1 час 30 минут", "1 hour 30 minutes"),
            (121, "2 часа 1 минута", "2 hours 1 minute"),
        ] {
            assert_eq!(length(minutes, Lang::Ru), russian);
            assert_eq!(length(minutes, Lang::En), english);
        }
    }

    #[test]
    fn names() {
        for (who, text) in [
            ("Анна", "к Анне"),
            ("Дмитрий", "к Дмитрию"),
            ("Артём", "к Артёму"),
            ("Лев", "ко Льву"),
            ("Любовь", "к Любови"),
            ("Наталья", "к Наталье"),
            ("Zed", "к Zed"),
            ("Сергей Лисин", "к Сергею Лисину"),
            ("Анна Петрова", "к Анне Петровой"),
            ("Елена Ким", "к Елене Ким"),
            ("Ольга Заславская", "к Ольге Заславской"),
            ("Пётр Шкварчук", "к Петру Шкварчуку"),
            ("Олег Шмаренко", "к Олегу Шмаренко"),
            ("Суда", "к мастеру Суда"),
            ("Мали", "к Мали"),
        ] {
            assert_eq!(to(who), text);
        }
        assert_eq!(with("Светлана"), "со Светланой");
        assert_eq!(with("Руслан"), "с Русланом");
        assert_eq!(name("Вера", Case::Genitive), "Веры");
        assert_eq!(at("Сергей Лисин"), "у Сергея Лисина");
        assert_eq!(at("Суда"), "у мастера Суда");
        for (who, text) in
            [("Юлия", "Yulia"), ("Дмитрий", "Dmitry"), ("Наталья Щукина", "Natalya Shchukina"), ("Артём", "Artyom"), ("Zed", "Zed")]
        {
            assert_eq!(latin(who), text);
        }
    }

    #[test]
    fn services() {
        for (title, text) in [
            ("Мужская стрижка", "мужскую стрижку"),
            ("Маникюр с покрытием гель-лак", "маникюр с покрытием гель-лак"),
            ("Коррекция и окрашивание бровей", "коррекцию и окрашивание бровей"),
            ("Стрижка + укладка", "стрижку + укладку"),
            ("Комплекс: стрижка + борода", "комплекс: стрижка + борода"),
            ("Королевское бритьё", "королевское бритьё"),
            ("Отец и сын", "отец и сын"),
            ("Детский массаж", "детский массаж"),
            ("Чёрная маска", "чёрную маску"),
            ("Восстанавливающий уход для волос", "восстанавливающий уход для волос"),
            ("SPA-программа", "SPA-программа"),
            ("Стрижка женская", "стрижку женскую"),
            ("Чистка лица комбинированная", "чистку лица комбинированную"),
            ("Маникюр классический", "маникюр классический"),
            ("Массаж спины классический", "массаж спины классический"),
        ] {
            assert_eq!(service(title, Case::Accusative), text, "{title}");
        }
        assert_eq!(service("Женская стрижка", Case::Genitive), "женской стрижки");
    }
}
