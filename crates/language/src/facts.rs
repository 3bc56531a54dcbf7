//! Small facts of a message: a phone, the customer's name, how many people, a score, a choice.

use domain::Phone;
use jiff::civil::DateTime;

use crate::{
    Asked, Context,
    lexicon::{Cue, Part, Prep, Sense, Trade, Unit},
    morphology, names,
    script::Script,
    text::{Kind, Text, Token},
};

/// A phone number: digits with the usual marks between them.
pub(crate) fn phone(text: &Text, used: &mut [bool]) -> Option<Phone> {
    let tokens = &text.tokens;
    let mut found = None;
    let mut i = 0;
    while i < tokens.len() {
        if tokens[i].kind != Kind::Number {
            i += 1;
            continue;
        }
        // «2026-11-27 16:00», «27.11.2026 12:30» are dates.
        let year = |n: usize| tokens.get(i + n).is_some_and(|t| t.digits == 4 && (2000..2100).contains(&t.value));
        let marks = |mark: char| [1, 3].iter().all(|n| tokens.get(i + n).is_some_and(|t| t.mark(mark) && t.glued));
        if year(0) && marks('-') || year(4) && tokens[i].digits <= 2 && (marks('.') || marks('/') || marks('-')) {
            i += 5;
            continue;
        }
        let mut start = i;
        while start > 0 && matches!(tokens[start - 1].kind, Kind::Mark('+' | '(')) && (start == i || tokens[start].glued) {
            start -= 1;
        }
        let mut end = i;
        let mut digits = 0;
        while let Some(token) = tokens.get(end) {
            match token.kind {
                Kind::Number => digits += token.digits,
                Kind::Mark('-' | '(' | ')' | ' ' | '–' | '\u{2011}') => {}
                Kind::Mark('.') if token.glued && tokens.get(end + 1).is_some_and(|t| t.kind == Kind::Number && t.glued) => {}
                _ => break,
            }
            end += 1;
        }
        while end > i && tokens[end - 1].kind != Kind::Number {
            end -= 1;
        }
        if (10..=13).contains(&digits) {
            let raw = &text.source[tokens[start].range.start..tokens[end - 1].range.end];
            if let Ok(phone) = Phone::parse(raw.trim_start_matches(['(']).trim()) {
                used[start..end].iter_mut().for_each(|used| *used = true);
                found.get_or_insert(phone);
                i = end;
                continue;
            }
        }
        // A longer run of digits is a card or a mistake: no times in it.
        if digits >= 9 {
            used[start..end].iter_mut().for_each(|used| *used = true);
            i = end;
            continue;
        }
        i += 1;
    }
    found
}

/// The name the customer gives as their own, and the tokens it takes.
pub(crate) fn name(text: &Text, used: &mut [bool], asked: Option<Asked>) -> Option<String> {
    let tokens = &text.tokens;
    let is_name = |i: usize, told: bool| {
        tokens.get(i).is_some_and(|t: &Token| {
            t.is_word()
                && !used[i]
                && t.text.chars().count() > 1
                && t.trades().next().is_none()
                && (t.weekday().is_none())
                && (names::is_given(&t.text)
                    || (told && (t.capital || t.strange) && t.senses.is_empty())
                    || (told && t.latin && t.capital && !t.cue(Cue::Yes)))
        })
    };
    let common = |i: usize| {
        let word = &tokens[i];
        // «Вера», «Слава», «Роман» are words too: small letters do not make them names.
        !word.capital
            && !names::of(&word.text).is_empty()
            && morphology::dictionary().analyze(&word.text).first().is_some_and(|a| morphology::feature(a, "NameType").is_none())
    };
    let take = |used: &mut [bool], start: usize, told: bool| -> Option<String> {
        let mut end = start + 1;
        // A surname, a patronymic.
        while end < tokens.len()
            && end < start + 3
            && tokens[end].is_word()
            && tokens[end].capital
            && tokens[start].capital
            && tokens[end].senses.is_empty()
            && !names::is_given(&tokens[end].text)
        {
            if !morphology::is_surname(&tokens[end].text) && !told {
                break;
            }
            end += 1;
        }
        used[start..end].iter_mut().for_each(|used| *used = true);
        let written = &text.source[tokens[start].range.start..tokens[end - 1].range.end];
        // A name by itself stays in its letters; one in a transliterated sentence goes with it.
        let written = if text.script == Script::Transliterated && tokens.len() > 2 { tokens[start].text.as_str() } else { written };
        Some(written.split_whitespace().map(titled).collect::<Vec<_>>().join(" "))
    };
    for i in 0..tokens.len() {
        let word = |n: usize, text: &str| tokens.get(i + n).is_some_and(|t| t.text == text);
        // «меня зовут Оля», «зовут меня Оля», «Оля меня зовут», «моё имя Оля», «имя: Оля», "my name is"
        if tokens[i].cue(Cue::Name) {
            let interrogative =
                tokens[..i].iter().rev().take(3).any(|t| t.cue(Cue::How) || t.cue(Cue::What)) && text.script != Script::English;
            if interrogative || tokens.get(i + 1).is_some_and(|t| t.cue(Cue::Master)) {
                continue;
            }
            let mut j = i + 1;
            while tokens
                .get(j)
                .is_some_and(|t| t.mark(':') || t.mark('-') || t.mark('—') || matches!(&*t.text, "меня" | "is" | "мое" | "на"))
            {
                j += 1;
            }
            if is_name(j, true) && (tokens[i].text != "фамилия") {
                return take(used, j, true);
            }
            if i >= 2 && word(0, "зовут") && is_name(i - 2, false) && tokens[i - 1].text == "меня" {
                return take(used, i - 2, true);
            }
            // «Меня Настя зовут», «её Настя зовут»
            let whom = |t: &Token| matches!(&*t.text, "меня" | "его" | "её" | "ее");
            if i >= 2 && word(0, "зовут") && is_name(i - 1, true) && whom(&tokens[i - 2]) {
                return take(used, i - 1, true);
            }
            continue;
        }
        // «я Мария», «это Катя», "I'm Tom", "this is Tom"
        let says = matches!(&*tokens[i].text, "я" | "i'm" | "im")
            || tokens[i].text == "это"
                && (i == 0 || tokens[i - 1].ends_clause() || tokens[i - 1].cue(Cue::Hello) || tokens[i - 1].kind == Kind::Mark(','))
            || word(0, "is") && i > 0 && tokens[i - 1].text == "this"
            || word(0, "am") && i > 0 && tokens[i - 1].text == "i";
        if says
            && is_name(i + 1, false)
            && !(tokens[i].text == "это" && common(i + 1))
            && (tokens[i + 1].capital || tokens.len() < 6 || !common(i + 1) && morphology::may_be_case(&tokens[i + 1].text, "Nom"))
        {
            let more = tokens.get(i + 2).is_none_or(|t| !t.is_word() || !t.is(Sense::And));
            let question = tokens[i..].iter().take(4).any(|t| t.mark('?'));
            if more && !(question && tokens[i].text == "это") {
                return take(used, i + 1, false);
            }
        }
        // «с уважением, Мария»
        if word(0, "уважением") && is_name(i + 1 + usize::from(tokens.get(i + 1).is_some_and(|t| t.mark(','))), false) {
            return take(used, i + 1 + usize::from(tokens[i + 1].mark(',')), false);
        }
    }
    // «…, Ольга, 8917…», «…, 8917… Ольга»
    if let (Some(first), Some(last), None) = (used.iter().position(|used| *used), used.iter().rposition(|used| *used), asked) {
        let mark = |i: usize| tokens.get(i).is_none_or(|t| !t.is_word());
        let before = first.checked_sub(1 + usize::from(first > 0 && mark(first - 1)));
        // «Запишите на Веронику, 8903…»
        let for_whom = before.filter(|i| *i > 1 && is_name(*i, false) && tokens[i - 1].prep(Prep::On)).filter(|i| {
            tokens[..*i].iter().any(|t| t.cue(Cue::Book) || t.cue(Cue::Booking)) && morphology::may_be_case(&tokens[*i].text, "Acc")
        });
        if let Some(at) = for_whom {
            used[at] = true;
            return morphology::lemmas(&tokens[at].text).first().map(|name| titled(name));
        }
        // «… завтра в 15 Марина 8917…»
        let told_of = |i: usize| tokens[i].find(|s| matches!(s, Sense::Prep(_)).then_some(())).is_some() || tokens[i].cue(Cue::Master);
        let before = before.filter(|i| *i == 0 || mark(i - 1) || !told_of(i - 1));
        let after = Some(last + 1 + usize::from(mark(last + 1))).filter(|i| mark(i + 1));
        let stands =
            |i: &usize| is_name(*i, false) && (tokens[*i].capital || !common(*i)) && morphology::may_be_case(&tokens[*i].text, "Nom");
        if let Some(at) = before.filter(stands).or_else(|| after.filter(stands)) {
            return take(used, at, false);
        }
    }
    // «+7 903 555-12-34, Марина»
    if used.iter().any(|used| *used) && asked.is_none() {
        let mut words = (0..tokens.len()).filter(|i| !used[*i] && tokens[*i].is_word());
        if let (Some(only), None) = (words.next(), words.next())
            && is_name(only, false)
            && (tokens[only].capital || !common(only))
        {
            return take(used, only, false);
        }
    }
    if asked == Some(Asked::Name) {
        let words: Vec<usize> = (0..tokens.len()).filter(|i| tokens[*i].is_word() && !used[*i]).collect();
        if words.len() > 6 {
            return None;
        }
        let first = words.iter().copied().find(|i| is_name(*i, false) && !tokens[*i].cue(Cue::Yes));
        let first = first.or_else(|| words.iter().copied().find(|i| words.len() <= 3 && is_name(*i, true) && !question(tokens)));
        // «Петрова Анна»
        let surname = |i: usize| {
            let told = |t: &&Token| t.is_word() && t.capital && t.senses.is_empty() && !names::is_given(&t.text);
            i.checked_sub(1).filter(|i| tokens.get(*i).filter(told).is_some_and(|t| morphology::is_surname(&t.text)))
        };
        return first.and_then(|start| {
            let Some(surname) = surname(start).filter(|_| tokens[start].capital) else { return take(used, start, true) };
            let patronymic = |t: &&Token| t.is_word() && t.capital && morphology::is_surname(&t.text);
            let end = start + usize::from(tokens.get(start + 1).filter(patronymic).is_some());
            used[surname..=end].fill(true);
            let written = &text.source[tokens[surname].range.start..tokens[end].range.end];
            Some(written.split_whitespace().map(titled).collect::<Vec<_>>().join(" "))
        });
    }
    None
}

fn question(tokens: &[Token]) -> bool {
    tokens.iter().any(|t| t.mark('?'))
}

/// First letter large, the others small.
pub(crate) fn titled(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect())
}

/// How many people want the service: «мы с подругой вдвоём», «на двоих», «для меня и дочки».
pub(crate) fn people(tokens: &[Token]) -> u8 {
    let mut people = 1u8;
    for (i, token) in tokens.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).and_then(|i| tokens.get(i));
        let after = |n: usize| tokens.get(i + n);
        let said = if token.cue(Cue::Two) {
            // «обе руки», «оба ногтя», «оба раза», "both hands" are no people.
            let things = after(1).is_some_and(|t| {
                t.trades().any(Trade::is_head)
                    || t.cue(Cue::Variant)
                    || t.unit().is_some()
                    || t.cue(Cue::Booking)
                    || matches!(&*t.text, "раза" | "times")
            });
            // «Педикюр и маникюр, оба»
            let works = matches!(&*token.text, "оба" | "обе" | "both")
                && tokens[..i].iter().any(|t| t.trades().any(Trade::is_head))
                && !tokens[..i].iter().any(|t| t.cue(Cue::We) || t.cue(Cue::Companion));
            // «Я и двое детей»
            if things || works {
                1
            } else {
                2 + u8::from(besides(tokens, i) && after(1).is_some_and(|t| t.cue(Cue::Companion) || t.trades().next().is_some()))
            }
        } else if token.cue(Cue::Three) {
            3
        } else if token.cue(Cue::Four) {
            4
        } else if matches!(
            &*token.text,
            "человек"
                | "человека"
                | "чел"
                | "людей"
                | "людям"
                | "персонам"
                | "people"
                | "persons"
                | "женщины"
                | "девушки"
                | "девочки"
                | "персоны"
                | "гостя"
                | "подружки"
        ) {
            let number = before(1).and_then(|t| if t.kind == Kind::Number { Some(t.value) } else { t.cardinal() });
            number.filter(|n| (2..=9).contains(n)).and_then(|n| u8::try_from(n).ok()).unwrap_or(1)
        } else if let Some(n) = booked_twice(tokens, i) {
            n
        } else if token.text == "for"
            && after(1).is_some_and(|t| t.text == "two")
            && after(2).is_none_or(|t| {
                !t.is_word() || t.prep(Prep::On) || t.prep(Prep::At) || t.latin && t.senses.iter().any(|s| matches!(s, Sense::Rel(_)))
            })
        {
            2
        } else if let Some(n) = counted_persons(tokens, i) {
            n + u8::from(besides(tokens, i - 1))
        } else if two_persons(tokens, i) {
            2
        } else if matches!(&*token.text, "пятеро" | "впятером" | "пятерых") {
            5
        } else if two_companions(tokens, i) {
            enumerated(tokens, i).max(2)
        } else if token.cue(Cue::Companion) {
            let with = before(1).is_some_and(|t| matches!(&*t.text, "с" | "со" | "with"))
                || before(2).is_some_and(|t| matches!(&*t.text, "с" | "со" | "with"));
            let together =
                with && tokens.iter().any(|t| t.cue(Cue::We) || matches!(&*t.text, "вместе" | "together" | "обе" | "оба" | "парой"));
            let with_whom = with
                && tokens[..i]
                    .iter()
                    .rev()
                    .take(4)
                    .any(|t| matches!(&*t.text, "я" | "мы" | "i" | "we" | "себя" | "хочу" | "хотела" | "хотел" | "записаться"))
                || with && token.latin && tokens[..i].iter().any(|t| matches!(&*t.text, "i" | "we" | "me"))
                // «С сыном на стрижку»
                || with
                    && before(2).is_none_or(|t| t.cue(Cue::Hello))
                    && after(1).is_some_and(|t| t.prep(Prep::On))
                    && after(2).is_some_and(|t| t.trades().next().is_some());
            // «меня и подругу», «мне и дочке», «себя и маму», "for me and my friend"
            let joined = (1..=3).any(|n| before(n).is_some_and(|t| t.text == "и" || t.text == "а" || t.text == "and" || t.text == "плюс"))
                && (2..=8).any(|n| {
                    before(n).is_some_and(|t| {
                        matches!(&*t.text, "меня" | "мне" | "я" | "себя" | "себе" | "me" | "myself" | "i" | "мной" | "сама")
                    })
                });
            // «Подругу и меня», «сына 7 лет постричь и меня»
            let joined = joined
                || (1..=5).any(|n| {
                    after(n).is_some_and(|t| t.text == "и" || t.text == "and")
                        && after(n + 1).is_some_and(|t| matches!(&*t.text, "меня" | "мне" | "себя" | "me" | "я"))
                });
            // «Приду с ребёнком» brings a child along.
            let along = token.text.starts_with("ребен") && !together && !joined;
            // «Мужу педикюр и мне маникюр»
            let each = tokens[i..].iter().any(|t| t.text == "и" || t.text == "а" || t.mark(','))
                && after(1).is_some_and(|t| t.trades().next().is_some())
                && tokens[i..].windows(2).any(|w| matches!(&*w[0].text, "мне" | "меня" | "себе") && w[1].trades().next().is_some());
            // «Мне лимфодренажный, подруге тайский»
            let each = each
                // «Сыну 10, мне стрижку»
                || morphology::may_be_case(&token.text, "Dat")
                    && tokens[i..].iter().any(|t| t.mark(','))
                    && tokens[i..].windows(2).any(|w| w[0].text == "мне" && w[1].trades().any(Trade::is_head))
                || after(1).is_some_and(|t| t.trades().next().is_some())
                    && tokens[..i].windows(2).any(|w| matches!(&*w[0].text, "мне" | "меня" | "себе") && w[1].trades().next().is_some());
            if (together || with_whom || joined || each) && !along { 2 } else { 1 }
        } else {
            1
        };
        people = people.max(said);
    }
    people
}

/// «Сыну и дочке», «мальчик и девочка»: the first of two.
fn two_persons(tokens: &[Token], i: usize) -> bool {
    let person = |t: Option<&Token>| {
        let noun = t.filter(|t| !morphology::is_adjective(&t.text))?;
        noun.trades().find(|t| matches!(t, Trade::Boy | Trade::Girl | Trade::Male | Trade::Female))
    };
    let joined = tokens.get(i + 1).is_some_and(|t| t.is(Sense::And));
    let (first, second) = (person(tokens.get(i)), person(tokens.get(i + 2)));
    joined && first.is_some() && second.is_some() && first != second
}

/// «Мне, маме и сестре»: how many are named one after the other, the last of them at `i`.
fn enumerated(tokens: &[Token], i: usize) -> u8 {
    let one = |t: &Token| t.cue(Cue::Companion) || matches!(&*t.text, "мне" | "меня" | "я" | "себя" | "me");
    let named = tokens[..=i].iter().rev().take_while(|t| one(t) || t.mark(',') || t.is(Sense::And)).filter(|t| one(t)).count();
    u8::try_from(named).unwrap_or(1)
}

/// «Маму и дочку», «папа придёт с сыном»: the second of two.
fn two_companions(tokens: &[Token], i: usize) -> bool {
    // «Подруга», «знакомая» may be spoken of; kin that are named together come together.
    let kin = |t: &Token| t.cue(Cue::Companion) && !t.trades().any(Trade::is_head) | t.trades().any(|t| t == Trade::Father);
    let join = i.checked_sub(1).map(|k| &tokens[k]);
    let first = |reach: usize| {
        let before = &tokens[i.saturating_sub(reach)..i];
        before.iter().rev().take_while(|t| !t.ends_clause()).any(kin)
    };
    kin(&tokens[i])
        && (join.is_some_and(|t| t.text == "и" || t.text == "and") && first(2)
            || join.is_some_and(|t| matches!(&*t.text, "с" | "со" | "with")) && first(6))
}

/// «Двух мальчиков», «3 женщины».
fn counted_persons(tokens: &[Token], i: usize) -> Option<u8> {
    use Trade::{Boy, Child, Female, Girl, Male};
    let person = |t: &Token| t.trades().any(|trade| matches!(trade, Boy | Child | Female | Girl | Male));
    let counted = |t: &&Token| person(t) && ["Gen", "Ins", "Dat"].iter().any(|case| morphology::may_be_case(&t.text, case));
    tokens.get(i).filter(counted)?;
    let number = tokens.get(i.checked_sub(1)?)?;
    let at = i.checked_sub(2).and_then(|i| tokens.get(i)).is_some_and(|t| t.prep(Prep::At) || t.prep(Prep::To));
    let value = if number.kind == Kind::Number { Some(number.value) } else { number.cardinal() };
    value.filter(|n| (2..=9).contains(n) && !at).and_then(|n| u8::try_from(n).ok())
}

/// «Отец и два сына», «я с двумя детьми»: another one before those who are counted.
fn besides(tokens: &[Token], number: usize) -> bool {
    let joins = |t: &Token| t.is(Sense::And) || matches!(&*t.text, "с" | "со" | "with");
    let one = |t: &Token| t.cue(Cue::Companion) || t.cue(Cue::We) || matches!(&*t.text, "я" | "меня" | "мне" | "me" | "i");
    number > 1 && joins(&tokens[number - 1]) && one(&tokens[number - 2])
}

/// «2 мужские стрижки»: as many works as people.
fn booked_twice(tokens: &[Token], i: usize) -> Option<u8> {
    let work =
        |t: &Token| t.trades().any(|t| matches!(t, Trade::Haircut | Trade::Manicure | Trade::Pedicure | Trade::Styling | Trade::Massage));
    let noun = |t: &&Token| t.is_word() && work(t) && (t.latin && t.text.ends_with('s') || morphology::may_be_case(&t.text, "Gen"));
    tokens.get(i).filter(noun)?;
    let number = |t: &Token| if t.kind == Kind::Number { Some(t.value) } else { t.cardinal() };
    let counted = (1..=2).find_map(|n| i.checked_sub(n).and_then(|k| number(&tokens[k]).map(|value| (k, value))))?;
    let between = tokens[counted.0 + 1..i].iter().all(|t| t.is_word() && t.unit().is_none());
    let of_clock = counted.0 > 0 && tokens[counted.0 - 1].find(|s| matches!(s, Sense::Prep(_)).then_some(())).is_some();
    let mark = counted.0 > 0 && !tokens[counted.0 - 1].is_word() && tokens[counted.0].glued;
    u8::try_from(counted.1).ok().filter(|n| (2..=5).contains(n) && between && !of_clock && !mark)
}

/// A review's score: «5», «пять звёзд», «на четвёрку», «⭐⭐⭐⭐⭐».
pub(crate) fn rating(tokens: &[Token], asked: Option<Asked>) -> Option<u8> {
    let stars = tokens.iter().filter(|t| t.mark('⭐') || t.mark('★') || t.mark('🌟')).count();
    if (1..=5).contains(&stars) {
        return u8::try_from(stars).ok();
    }
    let asked = asked == Some(Asked::Review);
    let about = asked || tokens.iter().any(|t| t.cue(Cue::Review));
    for (i, token) in tokens.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).and_then(|i| tokens.get(i));
        let after = |n: usize| tokens.get(i + n);
        let grade = match &*token.text {
            "пятерка" | "пятерку" | "пятерочка" | "пятерочку" | "пятак" | "пятерки" => Some(5),
            "четверка" | "четверку" | "четверочка" | "четверочку" | "четверки" => Some(4),
            "тройка" | "тройку" | "троечка" | "троечку" | "троечки" | "тройки" => Some(3),
            "двойка" | "двойку" | "двоечка" | "двоечку" | "двойки" => Some(2),
            "кол" | "единица" | "единицу" | "единичка" | "единицы" => Some(1),
            _ => None,
        };
        let elsewise = tokens.iter().any(|t| t.mark('?') || t.cue(Cue::HowMuch) || t.trades().next().is_some());
        if let Some(grade) = grade
            && (about || tokens.len() < 8 && !elsewise)
        {
            return Some(grade);
        }
        let value = if token.kind == Kind::Number { Some(token.value) } else { token.cardinal() };
        // «10 из 10» is the best score on another scale; in between nothing is worked out.
        let of_ten =
            value == Some(10) && after(1).is_some_and(|t| t.text == "из" || t.mark('/')) && after(2).is_some_and(|t| t.value == 10);
        if about && of_ten {
            return Some(5);
        }
        let Some(value) = value.filter(|n| (1..=5).contains(n)) else { continue };
        let value = u8::try_from(value).ok()?;
        let of_five = after(1).is_some_and(|t| matches!(&*t.text, "из" | "of") || t.mark('/') || t.text == "out")
            && (2..=3).any(|n| after(n).is_some_and(|t| t.value == 5 || t.cardinal() == Some(5)));
        let starred = after(1).is_some_and(|t| t.cue(Cue::Star));
        let rated = before(1).is_some_and(|t| {
            matches!(&*t.text, "ставлю" | "оценка" | "оценку" | "оцениваю" | "rate")
                || (t.mark(':') || t.prep(Prep::On) || t.mark('-'))
                    && before(2).is_some_and(|t| t.cue(Cue::Review) || matches!(&*t.text, "ставлю" | "оцениваю"))
        });
        // A number of other things is no score.
        let plain = asked
            && after(1).is_none_or(|t| {
                !t.is_word() || t.is(Sense::And) || t.prep(Prep::From) || t.unit().is_none() && !t.is(Sense::Counted) && !t.cue(Cue::Once)
            })
            && after(1).is_none_or(|t| !(t.mark(':') && t.glued || t.mark('/') && after(2).is_some_and(|t| t.value > 5)))
            && !after(1).is_some_and(|t| t.text == "из" && after(2).is_some_and(|t| t.value > 5))
            && before(1).is_none_or(|t| !(t.is(Sense::Not) || t.mark('/') || t.text == "из" || t.prep(Prep::In)));
        let told = !tokens.iter().any(|t| t.mark('?') || t.cue(Cue::Book) || t.cue(Cue::Can));
        if of_five || starred && (about || tokens.len() < 8 || told) || rated || plain {
            return Some(value);
        }
    }
    None
}

/// Number of the offered option: «первый вариант», «2», «давайте последнее», «пораньше».
pub(crate) fn choice(tokens: &[Token], used: &[bool], context: &Context) -> Option<usize> {
    let offered = context.offered.len();
    let asked = context.asked == Some(Asked::Choice);
    let open =
        asked || offered > 1 || (offered > 0 && context.asked.is_none()) || matches!(context.asked, Some(Asked::Service | Asked::Staff));
    let in_range = |n: u32| {
        let n = usize::try_from(n).ok()?;
        (n >= 1 && n <= if offered > 0 { offered } else { 9 }).then_some(n)
    };
    let words = tokens.iter().filter(|t| t.is_word() || t.kind == Kind::Number).count();
    for (i, token) in tokens.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).and_then(|i| tokens.get(i));
        let after = |n: usize| tokens.get(i + n);
        let negated = before(1).is_some_and(|t| t.is(Sense::Not));
        let variant = after(1).is_some_and(|t| t.cue(Cue::Variant)) || before(1).is_some_and(|t| t.cue(Cue::Variant) || t.mark('№'));
        if negated {
            continue;
        }
        if let Some(n) = token.ordinal().filter(|_| token.is_word()) {
            let thing = after(1).is_none_or(|t| {
                !t.is_word()
                    || t.cue(Cue::Variant)
                    || t.cue(Cue::Please)
                    || t.cue(Cue::Yes)
                    || t.cue(Cue::Time)
                    || t.cue(Cue::Thanks)
                    || t.text == "будет"
                    || t.senses.is_empty() && !t.capital
                    // «Вторую отмените»
                    || t.cue(Cue::Move) || t.cue(Cue::Cancel)
                    // «Вторую на час раньше»: a visit, and where to.
                    || token.text.ends_with('ю') && t.find(|s| matches!(s, Sense::Prep(_)).then_some(())).is_some()
            });
            if (open || variant)
                && thing
                && !used[i]
                && let Some(n) = in_range(n)
            {
                return Some(n);
            }
        }
        let number = if token.kind == Kind::Number && token.digits <= 2 { Some(token.value) } else { token.cardinal() };
        // «Два окошка» are a count.
        let several = token.kind != Kind::Number
            && after(1).is_some_and(|t| morphology::may_be_case(&t.text, "Gen") && !morphology::may_be_case(&t.text, "Nom"));
        if let Some(n) = number
            && !(variant && several)
            && ((variant && !used[i])
                || ((asked
                    || open && (offered > 0 || words <= 2) && context.asked != Some(Asked::Time) && context.asked != Some(Asked::Day))
                    && words <= 4))
            && !after(1).is_some_and(|t| {
                t.glued && (t.mark(':') || matches!(&*t.text, "d" | "д"))
                    || t.unit().is_some()
                    || t.is(Sense::Counted) && !t.cue(Cue::Variant)
                    || t.find(|s| matches!(s, Sense::Part(_)).then_some(())).is_some()
            })
            && !before(1).is_some_and(|t| t.prep(Prep::At) || t.prep(Prep::To) || t.mark(':') || t.prep(Prep::After))
            && !(before(1).is_some_and(|t| t.prep(Prep::On)) && !variant && in_range(n).is_none())
            && let Some(n) = in_range(n)
        {
            return Some(n);
        }
        if open && offered > 0 {
            let visit = after(1).is_some_and(|t| t.cue(Cue::Once) || t.cue(Cue::Booking));
            if token.cue(Cue::Last) && !visit && (variant || words <= 4) && !matches!(&*token.text, "usual" | "usually" | "past") {
                return Some(offered);
            }
            let earliest = |latest: bool| {
                let by = |(_, at): &(usize, &DateTime)| **at;
                let all = context.offered.iter().enumerate();
                if latest { all.max_by_key(by).map(|(i, _)| i + 1) } else { all.min_by_key(by).map(|(i, _)| i + 1) }
            };
            let most = before(1).is_some_and(|t| t.text == "самое" || t.text == "самый" || t.text == "the");
            // «А когда ближайшее?» asks on.
            let asks = tokens.iter().any(|t| t.text == "когда" || t.text == "when");
            if token.cue(Cue::Earliest) && !asks && (most || matches!(&*token.text, "ближайшее" | "ближайший" | "раннее" | "earliest"))
            {
                return earliest(false);
            }
            if token.cue(Cue::Latest)
                && (most || matches!(&*token.text, "позднее" | "latest") && before(1).is_some_and(|t| t.text == "самое"))
            {
                return earliest(true);
            }
            if token.cue(Cue::Any) && words <= 4 && asked {
                return Some(1);
            }
        }
    }
    None
}

/// «Как в прошлый раз», «то же, что обычно», "the usual".
pub(crate) fn same_as_last(tokens: &[Token]) -> bool {
    tokens.iter().enumerate().any(|(i, token)| {
        let near = &tokens[i.saturating_sub(4)..i];
        let as_before = near.iter().any(|t| matches!(&*t.text, "как" | "же" | "что" | "as" | "самое" | "same" | "such"));
        // «Как в пошлый раз» is a slip that is a word.
        let slip = |t: &Token| matches!(&*t.text, "пошлый" | "прошлй" | "послдений" | "последний");
        let time = token.cue(Cue::Once) && i > 0 && (tokens[i - 1].is(Sense::Prev) || tokens[i - 1].cue(Cue::Last) || slip(&tokens[i - 1]));
        let english = token.text == "time" && i > 0 && tokens[i - 1].text == "last";
        let usual = matches!(&*token.text, "обычно" | "всегда" | "прежнему" | "usual") && (as_before || token.text == "usual")
            || matches!(&*token.text, "обычное" | "обычную");
        let repeat =
            matches!(&*token.text, "повторить" | "повторите" | "повтор") && tokens.iter().any(|t| t.cue(Cue::Booking) || t.is(Sense::Prev));
        (time || english) && as_before || usual || repeat
    })
}

/// The halves of a day in a greeting are no times; used where a reading wants to know.
pub(crate) fn greets_by_day(tokens: &[Token], i: usize) -> bool {
    let part = tokens.get(i + 1).is_some_and(|t| {
        t.unit() == Some(Unit::Day)
            || t.find(|s| matches!(s, Sense::Part(Part::Morning | Part::Evening | Part::Day | Part::Night)).then_some(())).is_some()
            || t.text == "времени"
            // «Доброго денёчка»
            || ["денеч", "вечероч", "утреч"].iter().any(|begin| t.text.starts_with(begin))
    });
    tokens[i].cue(Cue::Good) && part
}
