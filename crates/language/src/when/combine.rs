//! Mentions of days and times joined into the alternatives a customer asks for.

use jiff::civil::{Date, DateTime};

use super::{Clock, Clocks, Day, Item, Mention, Setting, Times, Which, calendar};
use crate::{
    Asked, When, intents,
    lexicon::{Cue, Part, Prep, Sense},
    text::Token,
};

/// One alternative as far as it was said.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Wish {
    day: Option<Day>,
    time: Option<Clocks>,
    moment: Option<DateTime>,
    impossible: bool,
    any_time: bool,
}

/// How a mention goes on from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Nothing, or words without meaning for it.
    Next,
    /// «Или», a list.
    Or,
    /// «Нет», «точнее», «лучше».
    Instead,
}

pub(super) fn combine(tokens: &[Token], mentions: &[Mention], setting: &Setting<'_>) -> Times {
    let mut times = Times::default();
    let fates = fates(tokens, mentions, setting);
    let mut asked: Vec<&Mention> = Vec::new();
    let mut refused = Vec::new();
    let mut old = Vec::new();
    for (mention, fate) in mentions.iter().zip(&fates) {
        match fate {
            Fate::Asked => asked.push(mention),
            Fate::Refused => refused.push(mention),
            Fate::Old => old.push(mention),
            Fate::Past => {}
        }
    }
    // «У меня запись завтра в 12, можно на 16?»: the day stays.
    let days = |mentions: &[&Mention]| mentions.iter().filter(|m| matches!(m.item, Item::Day(_))).count();
    if days(&asked) == 0
        && asked.iter().any(|m| matches!(m.item, Item::Time(_)))
        && let ([day], 1) = (&old.iter().copied().filter(|m| matches!(m.item, Item::Day(_))).collect::<Vec<_>>()[..], days(&old))
    {
        asked.insert(0, day);
    }
    times.when = whens(tokens, &asked, setting, &mut times.impossible);
    times.refused = whens(tokens, &refused, setting, &mut false);
    times.old = whens(tokens, &old, setting, &mut false);
    for mention in asked {
        match mention.item {
            Item::SameTime => times.same_time = true,
            Item::SameDay if setting.context.day.is_none() && setting.context.offered.is_empty() => times.same_day = true,
            Item::Shift(minutes) => times.shift_minutes = Some(minutes),
            _ => {}
        }
    }
    times
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Asked,
    /// «В среду не получится».
    Refused,
    /// Where a booking stands that is to be moved.
    Old,
    /// Told, not asked.
    Past,
}

fn fates(tokens: &[Token], mentions: &[Mention], setting: &Setting<'_>) -> Vec<Fate> {
    let mut fates: Vec<Fate> = mentions
        .iter()
        .map(|mention| {
            let clause = clause_of(tokens, mention.span.start, mention.span.end);
            if mention.item == Item::Past || is_kept(tokens, clause.clone()) {
                Fate::Past
            } else if mention.negated || is_refusal(tokens, clause.clone(), mention, mentions) {
                Fate::Refused
            } else if is_told(tokens, clause, mention) {
                Fate::Past
            } else {
                Fate::Asked
            }
        })
        .collect();
    // «Сегодня не могу, завтра тоже»
    for i in 1..mentions.len() {
        let clause = clause_of(tokens, mentions[i].span.start, mentions[i].span.end);
        let too = clause.len() <= mentions[i].span.len() + 2 && tokens[clause].iter().any(|t| t.text == "тоже");
        if too && fates[i - 1] == Fate::Refused && fates[i] == Fate::Asked {
            fates[i] = Fate::Refused;
        }
    }
    // «Вчера в 15» takes its time along.
    for i in 0..mentions.len() {
        if mentions[i].item == Item::Past {
            for j in [i.wrapping_sub(1), i + 1] {
                if let Some(other) = mentions.get(j) {
                    let between = other.span.end.min(mentions[i].span.end)..other.span.start.max(mentions[i].span.start);
                    if matches!(other.item, Item::Time(_)) && !tokens[between].iter().any(Token::ends_clause) {
                        fates[j] = Fate::Past;
                    }
                }
            }
        }
    }
    // «Завтра в пять не получается, а в шесть?» refuses the hour, not the day.
    let asked_after = |fates: &[Fate], i: usize, day: bool| {
        (i + 1..mentions.len()).any(|j| fates[j] == Fate::Asked && matches!(mentions[j].item, Item::Day(_)) == day)
    };
    for i in 0..mentions.len().saturating_sub(1) {
        let pair = matches!((mentions[i].item, mentions[i + 1].item), (Item::Day(_), Item::Time(_)));
        let refused = fates[i] == Fate::Refused && fates[i + 1] == Fate::Refused && !mentions[i].negated;
        if pair && refused && asked_after(&fates, i + 1, false) && !asked_after(&fates, i + 1, true) {
            fates[i] = Fate::Asked;
        }
    }
    // «С пятницы на субботу», «с 15 на 17»: what stands after «на» is meant.
    for i in 0..mentions.len() {
        if mentions[i].prep != Some(Prep::From) {
            continue;
        }
        let to = (i + 1..mentions.len()).take(3).find(|j| {
            let english = |i: usize| i > 0 && tokens[i - 1].text == "to";
            let open = matches!(mentions[*j].prep, Some(Prep::Until | Prep::Along)) || english(mentions[*j].span.start);
            matches!(mentions[*j].prep, Some(Prep::On)) || setting.moving && open
        });
        if let Some(to) = to {
            let between = mentions[i].span.end..mentions[to].span.start;
            let near = between.len() <= 6 && !tokens[between].iter().any(Token::ends_sentence);
            let same_kind = matches!(
                (mentions[i].item, mentions[to].item),
                (Item::Day(_), Item::Day(_)) | (Item::Time(_), Item::Time(_)) | (Item::Day(_), Item::Time(_))
            );
            if near && same_kind && (setting.moving || matches!(mentions[to].prep, Some(Prep::On))) {
                fates[i..to].fill(Fate::Old);
            }
        }
    }
    // «Запись на 25-е отменяем, запишите на 27-е»
    let of = |i: usize, cue: Cue| tokens[clause_of(tokens, mentions[i].span.start, mentions[i].span.end)].iter().any(|t| t.cue(cue));
    let again = (0..mentions.len()).any(|i| fates[i] == Fate::Asked && of(i, Cue::Book) && !of(i, Cue::Cancel));
    for (i, fate) in fates.iter_mut().enumerate() {
        if again && *fate == Fate::Asked && of(i, Cue::Cancel) {
            *fate = Fate::Old;
        }
    }
    if setting.moving {
        old_booking(tokens, mentions, &mut fates);
    }
    fates
}

/// «Перенесите запись в среду на пятницу», «записана на завтра, можно перенести на четверг?»
fn old_booking(tokens: &[Token], mentions: &[Mention], fates: &mut [Fate]) {
    let verb = tokens.iter().position(|t| t.cue(Cue::Move) || t.cue(Cue::Change)).or_else(|| intents::other_time_asked(tokens));
    let Some(verb) = verb else { return };
    let open = |fates: &[Fate]| (0..mentions.len()).filter(|i| fates[*i] == Fate::Asked).collect::<Vec<_>>();
    let asked = open(fates);
    // A clause that tells of the booking tells where it stands, if another says where it is to go.
    let told: Vec<usize> = asked
        .iter()
        .copied()
        .filter(|i| {
            let span = &mentions[*i].span;
            let clause = clause_of(tokens, span.start, span.end);
            let words = &tokens[clause.clone()];
            let mine = words.iter().any(|t| t.cue(Cue::Booking)) && words.iter().any(|t| matches!(&*t.text, "меня" | "my"));
            (mine || words.iter().any(|t| t.cue(Cue::Booked))) && !clause.contains(&verb)
        })
        .collect();
    if told.len() < asked.len() {
        told.into_iter().for_each(|i| fates[i] = Fate::Old);
    }
    // «Пятничную запись», "my Friday appointment"
    let asked = open(fates);
    let of_booking = |i: &usize| tokens.get(mentions[*i].span.end).is_some_and(|t| t.cue(Cue::Booking)) && mentions[*i].prep.is_none();
    if !asked.iter().all(of_booking) {
        asked.into_iter().filter(of_booking).for_each(|i| fates[i] = Fate::Old);
    }
    // What stands before the verb stands there; what follows it with «на» is the new time.
    let asked = open(fates);
    let target = asked.iter().copied().find(|i| mentions[*i].span.start > verb && mentions[*i].prep == Some(Prep::On));
    if let Some(target) = target {
        for i in asked {
            let said_before_target = i < target;
            let joined = said_before_target
                && mentions[i].span.end + 1 >= mentions[target].span.start
                && mentions[i].prep == Some(Prep::On)
                && std::mem::discriminant(&mentions[i].item) != std::mem::discriminant(&mentions[target].item);
            if said_before_target && !joined {
                fates[i] = Fate::Old;
            }
        }
    }
}

/// The clause around a span: from mark to mark, and never over «а», «но», «давайте».
fn clause_of(tokens: &[Token], start: usize, end: usize) -> std::ops::Range<usize> {
    let breaks = |i: usize| {
        let t = &tokens[i];
        // «Отмените завтра и запишите на пятницу» are two wishes.
        let goes_on = t.text == "и" && tokens.get(i + 1).is_some_and(|t| t.cue(Cue::Book) || t.cue(Cue::Move) || t.cue(Cue::Cancel));
        t.ends_clause() || goes_on || (t.is(Sense::But) && !t.is(Sense::Prep(Prep::Before)))
    };
    let from = (0..start).rev().find(|i| breaks(*i)).map_or(0, |i| i + 1);
    let to = (end..tokens.len()).find(|i| breaks(*i)).unwrap_or(tokens.len());
    from..to
}

/// «В среду не получится», «завтра не могу», «в 15 занята».
fn is_refusal(tokens: &[Token], clause: std::ops::Range<usize>, mention: &Mention, mentions: &[Mention]) -> bool {
    // «Завтра работаю до 6» refuses the hours, not the day.
    let busy = |i: usize| tokens[i].cue(Cue::Busy) && (!tokens[i].cue(Cue::Work) || tokens[i].text == "работаю");
    let bound = |m: &Mention| matches!(m.item, Item::Time(_)) && matches!(m.prep, Some(Prep::Until | Prep::From | Prep::Between));
    let hours_of = |i: usize| mentions.iter().any(|m| m.span.start == i + 1 && bound(m));
    if mention.span.start > 0 && busy(mention.span.start - 1) && bound(mention) {
        return true;
    }
    let question = tokens.get(clause.end).is_some_and(|t| t.mark('?'));
    let first_person = |t: &Token| matches!(&*t.text, "могу" | "смогу" | "успею" | "успеваю" | "сможем" | "можем" | "буду" | "приду");
    let words = &tokens[clause.clone()];
    words.iter().enumerate().any(|(i, t)| {
        let next = words.get(i + 1);
        let after_next = words.get(i + 2);
        let can = |t: Option<&Token>| t.is_some_and(|t| t.cue(Cue::Can1) || t.cue(Cue::Fits));
        let at = clause.start + i;
        let refused = t.is(Sense::Not)
            && (can(next)
                || next.is_some_and(|t| t.cue(Cue::Want)) && mention.span.start > at
                || next.is_some_and(|t| t.cue(Cue::My)) && can(after_next)
                || matches!(&*t.text, "can't" | "cannot" | "cant" | "doesn't" | "won't"))
            // «В 6 не, в 8 ок»
            || t.text == "не" && next.is_none() && mention.span.end == at
            || busy(at) && !(hours_of(at) && matches!(mention.item, Item::Day(_)));
        // «Если занято, то на 11»
        let supposed = words[..i].iter().any(|t| t.cue(Cue::If));
        // «В среду не могу давайте в четверг»: what stands before is refused; with nothing before,
        // what stands after.
        let something_before = mentions.iter().any(|m| m.span.start >= clause.start && m.span.end <= at);
        // «… но не успеваю, можно на 11»
        let asks_anew = |t: &Token| matches!(&*t.text, "можно" | "давайте" | "давай" | "хочу" | "лучше");
        // «В пятницу не получается можно на вторник?»
        let goes_on = mention.span.end <= at && words[i..].iter().any(asks_anew);
        let asks = supposed || question && !next.is_some_and(first_person) && !goes_on;
        let after = mention.span.start > at && !something_before && !tokens[at..mention.span.start].iter().any(asks_anew);
        refused && !asks && (mention.span.end <= at || after)
    }) || given_up(tokens, clause.end, mentions)
}

/// «Хотела на завтра, но не получается»: the next clause refuses what this one said.
fn given_up(tokens: &[Token], end: usize, mentions: &[Mention]) -> bool {
    let rest = tokens.get(end..).unwrap_or_default();
    let start = end + rest.iter().take_while(|t| t.mark(',') || t.is(Sense::But)).count();
    let words = clause_of(tokens, start, start);
    let but = tokens[end.min(start)..start].iter().any(|t| t.text == "но" || t.text == "but");
    let no_time = mentions.iter().all(|m| m.span.start < words.start || m.span.start >= words.end);
    let refuses = tokens[words.clone()].windows(2).any(|w| w[0].is(Sense::Not) && (w[1].cue(Cue::Can1) || w[1].cue(Cue::Fits)))
        || tokens[words.clone()].iter().any(|t| t.cue(Cue::Busy)) && !tokens[words.clone()].iter().any(|t| t.cue(Cue::If));
    but && no_time && refuses && words.len() <= 4 && words.start >= end
}

/// «Отмените среду, а пятницу оставьте»
fn is_kept(tokens: &[Token], clause: std::ops::Range<usize>) -> bool {
    let words = &tokens[clause];
    words.iter().any(|t| t.text.starts_with("остав"))
        && !words.iter().any(|t| t.cue(Cue::Cancel))
        && tokens.iter().any(|t| t.cue(Cue::Cancel))
}

/// «Была у вас в мае», «ходила в среду».
fn is_told(tokens: &[Token], clause: std::ops::Range<usize>, mention: &Mention) -> bool {
    let words = &tokens[clause];
    let visited = words.iter().enumerate().any(|(i, t)| {
        let next = words.get(i + 1);
        t.cue(Cue::PastVisit) && !next.is_some_and(|t| t.text == "бы" || t.cue(Cue::Booked)) && !(i > 0 && words[i - 1].text == "бы")
    });
    // «Отслоилось через два дня»
    let spoilt = words.iter().any(|t| t.cue(Cue::Bad)) && !words.iter().any(|t| t.cue(Cue::Can) || t.cue(Cue::Book));
    // «Скидка до 30 ноября?»
    let offer = words.iter().any(|t| t.cue(Cue::Promo)) && !words.iter().any(|t| t.cue(Cue::Book) || t.cue(Cue::Can));
    // «До завтра!», "see you on Friday"
    let parting = words.windows(2).any(|w| w[0].text == "see" && w[1].text == "you")
        || words.iter().any(|t| t.text == "увидимся")
        || mention.prep == Some(Prep::Until) && matches!(mention.item, Item::Day(Day::On(_))) && words.len() <= 2;
    // «Завтра мой день рождения»
    let birthday = words.iter().any(|t| t.text == "рождения")
        && words.iter().any(|t| matches!(&*t.text, "мой" | "моего" | "меня" | "дочки" | "сына" | "мужа"))
        && !words.iter().any(|t| t.cue(Cue::Can) || t.cue(Cue::Book) || t.cue(Cue::Want) || t.trades().next().is_some());
    parting
        || birthday
        || spoilt
        || offer
        || visited
            && !matches!(mention.item, Item::Shift(_) | Item::Moment(_))
            && !words.iter().any(|t| t.cue(Cue::Booked) || t.text == "чтобы" || t.text == "бы")
}

/// The words between two mentions.
fn link(tokens: &[Token], before: &Mention, after: &Mention) -> Link {
    let between = &tokens[before.span.end.min(after.span.start)..after.span.start];
    let has = |sense| between.iter().any(|t| t.is(sense));
    // «Или нет, в шесть»
    let or_not = has(Sense::Or) && between.windows(2).any(|w| w[0].is(Sense::Or) && w[1].is(Sense::No));
    // «Если в среду нет, то в четверг»
    let clause = tokens[..before.span.start].iter().rev().take_while(|t| !t.ends_clause());
    let supposed = has(Sense::No) && clause.into_iter().any(|t| t.cue(Cue::If));
    if or_not {
        Link::Instead
    } else if supposed || has(Sense::Or) || between.iter().any(|t| t.cue(Cue::If)) {
        Link::Or
    } else if has(Sense::Rather) || has(Sense::No) || between.windows(2).any(|pair| pair[0].text == "то" && pair[1].text == "есть") {
        Link::Instead
    } else if between.iter().any(|t| t.mark('/')) {
        Link::Or
    } else {
        Link::Next
    }
}

fn whens(tokens: &[Token], mentions: &[&Mention], setting: &Setting<'_>, impossible: &mut bool) -> Vec<When> {
    let wishes = wishes(tokens, mentions, setting);
    let mut whens: Vec<When> = Vec::new();
    for wish in wishes {
        if wish.impossible {
            *impossible = true;
            continue;
        }
        for when in resolve(wish, setting, impossible) {
            if !whens.contains(&when) {
                whens.push(when);
            }
        }
    }
    whens
}

fn wishes(tokens: &[Token], mentions: &[&Mention], setting: &Setting<'_>) -> Vec<Wish> {
    let mut wishes: Vec<Wish> = Vec::new();
    // What a correction may still replace.
    let mut replacing = (false, false);
    let mut before: Option<&Mention> = None;
    // The week said before the names of its days: «на следующей неделе в четверг или в пятницу».
    let mut scope: Option<Day> = None;
    for (n, mention) in mentions.iter().enumerate() {
        let link_to = |n: usize| link(tokens, mentions[n - 1], mentions[n]);
        let mut link = if n == 0 { Link::Next } else { link_to(n) };
        // «Завтра либо в 9, либо в 19»: the first «либо» joins nothing.
        let timed = |n: usize| mentions.get(n).is_some_and(|m| matches!(m.item, Item::Time(_)));
        if link == Link::Or && matches!(mentions[n - 1].item, Item::Day(_)) && timed(n) && timed(n + 1) && link_to(n + 1) == Link::Or {
            link = Link::Next;
        }
        // «В субботу или воскресенье, лучше утром» replaces nothing.
        let adds = match mention.item {
            Item::Time(_) => wishes.iter().all(|wish| wish.time.is_none() && wish.moment.is_none() && !wish.impossible),
            Item::Day(_) => wishes.iter().all(|wish| wish.day.is_none() && wish.moment.is_none() && !wish.impossible),
            _ => false,
        };
        let link = if adds && link == Link::Instead { Link::Next } else { link };
        if link == Link::Instead {
            if let Some(last) = wishes.pop() {
                wishes.clear();
                wishes.push(Wish { impossible: false, moment: None, ..last });
                replacing = (true, true);
            }
        } else if link == Link::Or {
            replacing = (false, false);
        }
        let adjacent = before.is_some_and(|before| {
            // «Завтра в 10 и в четверг в 18» are two days.
            let joins = |t: &Token| t.is(Sense::That) || t.is(Sense::And) && !matches!(before.item, Item::Time(_));
            tokens[before.span.end.min(mention.span.start)..mention.span.start].iter().all(|t| !t.is_word() || joins(t))
        });
        let between = before.map_or(&[][..], |before| &tokens[before.span.end.min(mention.span.start)..mention.span.start]);
        let sentence_between = between.iter().any(Token::ends_sentence);
        let and_between = between.iter().any(|t| t.is(Sense::And));
        match mention.item {
            Item::Past | Item::SameTime if setting.context.offered.is_empty() => {}
            Item::Past => {}
            Item::AnyTime => {
                if let Some(last) = wishes.last_mut().filter(|wish| wish.time.is_none()) {
                    last.any_time = true;
                }
            }
            Item::SameTime => {
                // Of several times none is «то же»: the dialogue knows which one was wanted.
                let alike = setting.context.offered.windows(2).all(|two| two[0].time() == two[1].time());
                if let Some(offered) = setting.context.offered.first().filter(|_| alike) {
                    let clock = Clock { hour: offered.hour(), minute: offered.minute(), settled: true };
                    put_time(&mut wishes, Clocks::At(clock), link, &mut replacing);
                }
            }
            Item::Impossible => {
                if link == Link::Or || wishes.is_empty() || wishes.last().is_some_and(|w| w.day.is_some() && w.time.is_some()) {
                    wishes.push(Wish::default());
                }
                if let Some(last) = wishes.last_mut() {
                    last.impossible = true;
                }
                replacing = (false, false);
            }
            Item::Moment(moment) => {
                // «Сегодня через два часа» says the day twice.
                if wishes.last().is_some_and(|wish| wish.day == Some(Day::On(moment.date())) && wish.time.is_none()) {
                    wishes.pop();
                }
                wishes.push(Wish { moment: Some(moment), ..Wish::default() });
            }
            Item::Shift(minutes) => {
                if let Some(base) = setting.context.offered.last() {
                    wishes.push(Wish { moment: Some(calendar::plus_minutes(*base, minutes)), ..Wish::default() });
                }
            }
            Item::Roughly(later) => {
                let base = if later { setting.context.offered.last() } else { setting.context.offered.first() };
                if let (Some(base), true) = (base, wishes.iter().all(|wish| wish.time.is_none())) {
                    let clock = Clock { hour: base.hour(), minute: base.minute(), settled: true };
                    let clocks = if later { Clocks::After(clock) } else { Clocks::Before(clock) };
                    put_time(&mut wishes, clocks, link, &mut replacing);
                }
            }
            Item::SameDay => {
                let day = setting.context.day.or_else(|| setting.context.offered.first().map(|at| at.date()));
                if let Some(day) = day {
                    put_day(&mut wishes, Day::On(day), link, adjacent, &mut replacing, setting);
                }
            }
            Item::Day(day) => {
                // «В понедельник в 12 и ещё раз через неделю»: a week after that Monday.
                if let (Day::InWeeks(weeks), true) = (day, and_between)
                    && let Some(last) = wishes.last().filter(|last| last.time.is_some())
                    && let Some((first, _)) = last.day.and_then(|day| calendar::days(day, setting.now.date()).first().copied())
                {
                    wishes.push(Wish { day: Some(Day::On(calendar::plus_days(first, 7 * weeks))), ..Wish::default() });
                    before = Some(mention);
                    continue;
                }
                let day = match (day, scope) {
                    (Day::Weekday(_, Which::Bare), Some(week)) if link == Link::Or => {
                        merged(week, day, adjacent, setting.now.date()).unwrap_or(day)
                    }
                    _ => day,
                };
                if matches!(day, Day::Span(..) | Day::InWeeks(_)) {
                    scope = Some(day);
                    // «В четверг или пятницу на следующей неделе»
                    if link == Link::Next {
                        let days = wishes.iter().map(|wish| wish.day.and_then(|said| merged(said, day, adjacent, setting.now.date())));
                        if let Some(days) = days.collect::<Option<Vec<_>>>().filter(|days| days.len() > 1) {
                            wishes.iter_mut().zip(days).for_each(|(wish, day)| wish.day = Some(day));
                            before = Some(mention);
                            continue;
                        }
                    }
                }
                let new_clause = sentence_between && wishes.last().is_some_and(|w| w.day.is_some() && w.time.is_some());
                let link = if new_clause && link == Link::Next { Link::Or } else { link };
                put_day(&mut wishes, day, link, adjacent, &mut replacing, setting);
            }
            Item::Time(clocks) => put_time(&mut wishes, clocks, link, &mut replacing),
        }
        before = Some(mention);
    }
    share(&mut wishes);
    wishes
}

fn put_day(wishes: &mut Vec<Wish>, day: Day, link: Link, adjacent: bool, replacing: &mut (bool, bool), setting: &Setting<'_>) {
    if replacing.0 {
        if let Some(last) = wishes.last_mut() {
            last.day = Some(day);
        }
        replacing.0 = false;
        return;
    }
    match wishes.last_mut() {
        Some(last) if link != Link::Or && last.moment.is_none() => match last.day {
            None => last.day = Some(day),
            Some(said) => match merged(said, day, adjacent, setting.now.date()) {
                Some(both) => last.day = Some(both),
                None => wishes.push(Wish { day: Some(day), ..Wish::default() }),
            },
        },
        _ => wishes.push(Wish { day: Some(day), ..Wish::default() }),
    }
}

fn put_time(wishes: &mut Vec<Wish>, clocks: Clocks, link: Link, replacing: &mut (bool, bool)) {
    if replacing.1 {
        if let Some(last) = wishes.last_mut() {
            last.time = Some(clocks);
        }
        replacing.1 = false;
        return;
    }
    match wishes.last_mut() {
        Some(last) if link != Link::Or && last.moment.is_none() => match last.time {
            None => last.time = Some(clocks),
            Some(said) => match refined(said, clocks) {
                Some(both) => last.time = Some(both),
                None => wishes.push(Wish { time: Some(clocks), ..Wish::default() }),
            },
        },
        _ => wishes.push(Wish { time: Some(clocks), ..Wish::default() }),
    }
}

/// Two mentions of one day: «в пятницу, 27 ноября», «на следующей неделе в среду».
fn merged(a: Day, b: Day, adjacent: bool, today: Date) -> Option<Day> {
    let in_span = |weekday: i8, from: Date, to: Date| {
        (0..=31).map(|n| calendar::plus_days(from, n)).take_while(|d| *d <= to).find(|d| d.weekday().to_monday_one_offset() == weekday)
    };
    match (a, b) {
        _ if a == b => Some(a),
        (Day::Weekday(weekday, _), Day::Span(from, to)) | (Day::Span(from, to), Day::Weekday(weekday, _)) => {
            in_span(weekday, from, to).map(Day::On)
        }
        (Day::OfMonth(n), Day::Span(from, to)) | (Day::Span(from, to), Day::OfMonth(n)) => {
            (0..=31).map(|d| calendar::plus_days(from, d)).find(|d| d.day() == n && *d <= to).map(Day::On)
        }
        (Day::Weekday(weekday, _), Day::InWeeks(weeks)) | (Day::InWeeks(weeks), Day::Weekday(weekday, _)) => {
            let coming = calendar::days(Day::Weekday(weekday, Which::This), today).first()?.0;
            Some(Day::On(calendar::plus_days(coming, 7 * weeks)))
        }
        (Day::Weekday(weekday, _), Day::On(date)) | (Day::On(date), Day::Weekday(weekday, _))
            if adjacent || date.weekday().to_monday_one_offset() == weekday =>
        {
            // A month on is said to the week, not to the day.
            Some(Day::On(if date == calendar::plus_months(today, 1) && date.weekday().to_monday_one_offset() != weekday {
                calendar::plus_days(calendar::monday(date), i32::from(weekday) - 1)
            } else {
                date
            }))
        }
        (Day::Weekday(weekday, _), Day::OfMonth(n)) | (Day::OfMonth(n), Day::Weekday(weekday, _)) if adjacent => {
            // «В среду 25-го»: of the coming days of that number, the one of that name.
            let named = |date: &Date| date.day() == n && date.weekday().to_monday_one_offset() == weekday;
            let near = (0..62).map(|ahead| calendar::plus_days(today, ahead)).find(named);
            near.or_else(|| calendar::numbered(today, n)).map(Day::On)
        }
        // «На следующей неделе с понедельника по среду»
        (Day::Span(first, last), Day::Span(from, to)) if calendar::plus_days(first, 6) == last && to < last => {
            let (from, to) = if from < first { (calendar::plus_days(from, 7), calendar::plus_days(to, 7)) } else { (from, to) };
            (first <= from && to <= last).then_some(Day::Span(from, to))
        }
        (Day::On(a), Day::On(b)) if a == b => Some(Day::On(a)),
        (Day::On(date), Day::OfMonth(n)) | (Day::OfMonth(n), Day::On(date)) if date.day() == n => Some(Day::On(date)),
        (Day::On(date), Day::Span(from, to)) if (from..=to).contains(&date) => Some(Day::On(date)),
        (Day::Span(from, to), Day::On(date)) if (from..=to).contains(&date) => Some(Day::On(date)),
        _ => None,
    }
}

/// Two mentions of one time: «утром в 10», «вечером после 18».
fn refined(a: Clocks, b: Clocks) -> Option<Clocks> {
    let in_part = |clock: Clock, part: Part| {
        if clock.settled {
            return clock;
        }
        let hour = match part {
            Part::Morning | Part::Night if clock.hour == 12 && part == Part::Night => 0,
            Part::Morning | Part::Night => clock.hour,
            Part::Lunch | Part::Day if clock.hour >= 10 => clock.hour,
            Part::Evening if clock.hour == 12 => 12,
            _ => clock.hour % 12 + 12,
        };
        Clock { hour, settled: true, ..clock }
    };
    match (a, b) {
        _ if a == b => Some(a),
        (Clocks::Part(part), Clocks::At(clock)) | (Clocks::At(clock), Clocks::Part(part)) => Some(Clocks::At(in_part(clock, part))),
        (Clocks::Part(part), Clocks::After(clock)) | (Clocks::After(clock), Clocks::Part(part)) => {
            Some(Clocks::After(in_part(clock, part)))
        }
        (Clocks::Part(part), Clocks::Before(clock)) | (Clocks::Before(clock), Clocks::Part(part)) => {
            Some(Clocks::Before(in_part(clock, part)))
        }
        // «После работы, часов с семи»: the later one narrows it.
        (Clocks::After(early), Clocks::After(late)) if early.settled && early.hour >= 17 => {
            let late = in_part(late, Part::Evening);
            ((late.hour, late.minute) > (early.hour, early.minute)).then_some(Clocks::After(late))
        }
        (Clocks::Part(part), Clocks::Between(from, to)) | (Clocks::Between(from, to), Clocks::Part(part)) => {
            Some(Clocks::Between(if part == Part::Evening || part == Part::Day { in_part(from, part) } else { from }, in_part(to, part)))
        }
        (Clocks::After(from), Clocks::Before(to)) | (Clocks::Before(to), Clocks::After(from)) => {
            let open = !(from.settled && to.settled) || (from.hour, from.minute) < (to.hour, to.minute);
            open.then_some(Clocks::Between(from, to))
        }
        (Clocks::AfterPart(Part::Lunch), Clocks::At(clock)) | (Clocks::At(clock), Clocks::AfterPart(Part::Lunch)) => {
            Some(Clocks::At(in_part(clock, Part::Evening)))
        }
        (Clocks::AfterPart(Part::Lunch), Clocks::Before(to)) | (Clocks::Before(to), Clocks::AfterPart(Part::Lunch)) => {
            Some(Clocks::Between(Clock { hour: 14, minute: 0, settled: true }, in_part(to, Part::Evening)))
        }
        (Clocks::BeforePart(Part::Lunch), Clocks::At(clock)) | (Clocks::At(clock), Clocks::BeforePart(Part::Lunch)) => {
            Some(Clocks::At(in_part(clock, Part::Morning)))
        }
        (Clocks::Part(Part::Day), Clocks::Part(b)) => Some(Clocks::Part(b)),
        _ => None,
    }
}

/// The day or time that stands once belongs to all.
fn share(wishes: &mut [Wish]) {
    // A day goes on to the times after it.
    let mut day = None;
    for wish in wishes.iter_mut().filter(|wish| wish.moment.is_none() && !wish.impossible) {
        match wish.day {
            Some(_) => day = wish.day,
            None => wish.day = day,
        }
    }
    let mut days = wishes.iter().filter_map(|wish| wish.day);
    if let (Some(first), true) = (days.next(), days.next().is_none()) {
        wishes.iter_mut().filter(|wish| wish.moment.is_none()).for_each(|wish| wish.day = Some(first));
    }
    // The first times of a list that ends with its day.
    let first_day = wishes.iter().find_map(|wish| wish.day);
    for wish in wishes.iter_mut().take_while(|wish| wish.day.is_none()).filter(|wish| wish.moment.is_none()) {
        wish.day = first_day;
    }
    let times: Vec<Clocks> = wishes.iter().filter_map(|wish| wish.time).collect();
    if let [only] = times[..] {
        wishes.iter_mut().filter(|wish| wish.moment.is_none() && !wish.any_time).for_each(|wish| wish.time = Some(only));
    }
    // «5 или 6 вечера»: the half of the day goes back along the list.
    if let Some(Clocks::At(last)) = wishes.last().and_then(|wish| wish.time)
        && last.settled
        && last.hour > 12
    {
        for wish in wishes.iter_mut() {
            if let Some(Clocks::At(clock)) = &mut wish.time
                && !clock.settled
                && clock.hour <= last.hour - 12
                && clock.hour + 12 >= 12
                && last.hour - 12 < 12
            {
                clock.hour = clock.hour % 12 + 12;
                clock.settled = true;
            }
        }
    }
}

/// Longest span of days that is told day by day when a time of day is said with it.
const DAYS_TOLD_APART: usize = 7;

fn resolve(wish: Wish, setting: &Setting<'_>, impossible: &mut bool) -> Vec<When> {
    let today = setting.now.date();
    if let Some(moment) = wish.moment {
        return vec![When::At { from: moment, time_only: false, ambiguous: false }];
    }
    let Some(day) = wish.day else {
        let Some(clocks) = wish.time else { return Vec::new() };
        let context = setting.context;
        let date = context.day.or_else(|| context.offered.first().map(|at| at.date())).unwrap_or(today);
        return calendar::on_day(date, clocks, setting.hours, setting.now, true, false).into_iter().collect();
    };
    let days = offered_days(&wish, day, setting).unwrap_or_else(|| calendar::days(day, today));
    *impossible |= days.is_empty();
    let mut whens: Vec<When> = Vec::new();
    for (from, to) in &days {
        let (from, to) = (*from, *to);
        match wish.time {
            None if from == to => whens.push(When::Day { from, ambiguous: false }),
            None => whens.push(When::Days { from, to, ambiguous: false }),
            Some(clocks) => {
                let dates: Vec<Date> = (0..32).map(|n| calendar::plus_days(from, n)).take_while(|date| *date <= to).collect();
                if dates.len() <= DAYS_TOLD_APART {
                    whens.extend(
                        dates.into_iter().filter_map(|date| calendar::on_day(date, clocks, setting.hours, setting.now, false, false)),
                    );
                } else {
                    whens.push(When::Days { from, to, ambiguous: false });
                }
            }
        }
    }
    if days.len() == 2 {
        // Two readings of one day: a time already past leaves one of them.
        if whens.len() == 2 && whens[0].date() == today && calendar::is_over(&whens[0], setting.now) {
            whens.remove(0);
        } else {
            whens.iter_mut().for_each(mark_ambiguous);
        }
    }
    whens
}

/// «Давайте в среду» after Wednesday week was offered may be that one or the coming one: the nearer to the day talked of
/// comes first. A time that was offered on it settles it.
fn offered_days(wish: &Wish, day: Day, setting: &Setting<'_>) -> Option<Vec<(Date, Date)>> {
    let Day::Weekday(weekday, Which::Bare) = day else { return None };
    let context = setting.context;
    if setting.moving || !matches!(context.asked, Some(Asked::Choice | Asked::Confirm)) {
        return None;
    }
    let there = |at: &&DateTime| at.weekday().to_monday_one_offset() == weekday;
    let date = context.offered.iter().find(there)?.date();
    if context.offered.iter().filter(there).any(|at| at.date() != date) {
        return None;
    }
    let coming = calendar::days(day, setting.now.date());
    let at = |clock: Clock| context.offered.iter().any(|at| at.date() == date && (at.hour(), at.minute()) == (clock.hour, clock.minute));
    let settled = match wish.time {
        Some(Clocks::At(clock)) => at(clock),
        _ => false,
    };
    if settled || coming.iter().any(|(from, _)| *from == date) || coming.len() != 1 {
        return Some(vec![(date, date)]);
    }
    let mut both = vec![coming[0], (date, date)];
    if let Some(talked_of) = context.day {
        both.sort_by_key(|(from, _)| (*from - talked_of).get_days().abs());
    }
    Some(both)
}

fn mark_ambiguous(when: &mut When) {
    match when {
        When::At { ambiguous, .. }
        | When::Day { ambiguous, .. }
        | When::Days { ambiguous, .. }
        | When::Window { ambiguous, .. }
        | When::After { ambiguous, .. }
        | When::Before { ambiguous, .. } => *ambiguous = true,
    }
}
