//! What is asked: prices, free times, services, masters.

use super::{Sentence, Wanted, asks_anew};
use crate::{
    Understood,
    lexicon::{Cue, Prep, Sense, Trade, Unit},
    morphology,
    text::Token,
};

/// «Сколько стоит и можно ли сегодня в 7»
pub(super) fn asks_price_and_time(s: &Sentence<'_>) -> bool {
    let and_may_i = |i: usize| s.tokens[i - 1].is(Sense::And) && s.tokens[i].text == "можно";
    (1..s.tokens.len()).any(|i| and_may_i(i) && asks_anew(&s.tokens[i..]))
}

pub(super) fn price(s: &Sentence<'_>) -> bool {
    let worth = s.tokens.iter().enumerate().any(|(i, t)| {
        t.cue(Cue::Cost)
            && !(matches!(&*t.text, "стоит")
                // «Шея колом стоит»
                && (i > 0 && (s.tokens[i - 1].is(Sense::Not) || s.tokens[i - 1].text == "колом") || s.tokens.get(i + 1).is_some_and(|t| t.cue(Cue::Cancel) || t.cue(Cue::Book))))
            && !matches!(&*t.text, "выйдет" | "дорого" | "дешево" | "бюджет")
            || matches!(&*t.text, "дорого" | "дешево") && (s.question || s.has(Cue::Whether))
    });
    // «По чем маникюр»
    let at_what = s.tokens.windows(3).any(|w| w[0].text == "по" && w[1].text == "чем" && w[2].trades().next().is_some())
        || s.tokens.windows(2).any(|w| w[0].text == "по" && matches!(&*w[1].text, "деньгам" | "цене" | "ценам" | "стоимости"));
    let how_much = s.tokens.iter().enumerate().any(|(i, t)| {
        let next = s.tokens.get(i + 1);
        // «Сколько у вас мастеров»
        let masters = s.tokens[i + 1..].iter().take(3).any(|t| t.cue(Cue::Master));
        !masters
            && matches!(&*t.text, "сколько" | "скока" | "скоко" | "скок" | "почем")
            && !next.is_some_and(|t| {
                t.cue(Cue::Time)
                    || t.unit().is_some() && !apiece(t)
                    || t.text == "по"
                    || t.cue(Cue::Work)
                    || t.cue(Cue::Human)
                    || t.cue(Cue::Person)
                    || t.cue(Cue::Master)
            })
            && !(i > 0
                && (s.tokens[i - 1].prep(Prep::At)
                    || s.tokens[i - 1].prep(Prep::Until)
                    || s.tokens[i - 1].prep(Prep::On)
                    || s.tokens[i - 1].prep(Prep::From)
                    || s.tokens[i - 1].prep(Prep::Within) && next.is_some()
                    || s.tokens[i - 1].prep(Prep::To)))
            && (next.is_none()
                || next.is_some_and(|t| {
                    t.trades().next().is_some()
                        || apiece(t)
                        || matches!(
                            &*t.text,
                            "будет"
                                | "будут"
                                | "получается"
                                | "у"
                                | "за"
                                | "с"
                                | "это"
                                | "мне"
                                | "выйдет"
                                | "обойдется"
                                | "сейчас"
                                | "примерно"
                        )
                        || t.ends_clause()
                        || t.text == "и"
                        || morphology::is_you_do(&t.text)
                }))
            && !s.has(Cue::Duration)
    });
    // «Сколько времени и денег займёт»
    let money = s.has(Cue::HowMuch) && s.says(&["денег", "деньгам", "money"]);
    let english = money || s.tokens.windows(2).any(|w| w[0].text == "how" && w[1].text == "much");
    let lasts = s.has(Cue::Duration) && !s.says(&["стоит", "цена", "стоимость"]);
    worth && !lasts || how_much || at_what || english
}

/// «Сколько минута», «сколько единица»: one of it in the nominative has a price.
fn apiece(t: &Token) -> bool {
    (t.unit().is_some() || t.senses.is_empty()) && morphology::may_be_case(&t.text, "Nom") && !morphology::may_be_case(&t.text, "Gen")
}

pub(super) fn free_times(s: &Sentence<'_>, understood: &Understood) -> bool {
    let words = s.tokens;
    let asks = s.question || s.has(Cue::When) || s.has(Cue::What) || s.has(Cue::Whether) || s.has(Cue::Tell) || s.has(Cue::Remind);
    let slot = words.iter().enumerate().any(|(i, t)| {
        let of_hours = words.get(i + 1).is_some_and(|t| matches!(&*t.text, "hours" | "times"));
        t.text.starts_with("окош")
            || matches!(
                &*t.text,
                "окно"
                    | "окна"
                    | "окон"
                    | "местечко"
                    | "местечки"
                    | "места"
                    | "место"
                    | "слот"
                    | "слоты"
                    | "slots"
                    | "slot"
                    | "availability"
                    | "openings"
                    | "opening"
                    | "available"
            ) && !of_hours
    });
    let is_free =
        words.iter().any(|t| t.cue(Cue::Free) && (t.text.starts_with("свобод") || matches!(&*t.text, "free" | "available" | "доступно")))
            && !s.has(Cue::Pay);
    let there_is = words.iter().any(|t| t.cue(Cue::Exist) || matches!(&*t.text, "найдется" | "осталось" | "остались" | "нет" | "any"));
    let time_word = words.iter().enumerate().any(|(i, t)| {
        t.cue(Cue::Time)
            && !matches!(&*t.text, "часы" | "время" if i > 0 && matches!(&*words[i - 1].text, "по"))
            && t.text != "часы"
            && t.text != "часов"
    });
    let booking_word = words.iter().any(|t| matches!(&*t.text, "запись" | "записи" | "прием"));
    let which_time = words.windows(2).any(|w| w[0].cue(Cue::What) && w[1].cue(Cue::Time) && w[1].text.starts_with("врем"))
        || words.windows(2).any(|w| w[0].cue(Cue::What) && (w[1].unit() == Some(Unit::Day) || w[1].text.starts_with("дат")))
        || words.windows(2).any(|w| w[0].prep(Prep::At) && w[1].text == "сколько") && s.says(&["можно", "можете", "сможете"]);
    let when_can = words.iter().any(|t| matches!(&*t.text, "когда" | "when"))
        && (s.has(Cue::Can)
            || s.has(Cue::Book)
            || s.has(Cue::Free)
            || words.iter().any(|t| t.is(Sense::Nearest) || t.cue(Cue::Master) || t.cue(Cue::Exist)))
        && !s.has(Cue::Booked);
    // «По каким дням вы работаете?» asks for the hours.
    let which_time =
        which_time && !(s.says(&["работаете", "принимаете", "открыты"]) && understood.staff_ids.is_empty() && !s.has(Cue::Free));
    let until_when =
        words.windows(2).any(|w| w[0].prep(Prep::On) && matches!(&*w[1].text, "когда" | "какое" | "какой" | "какие" | "сколько"))
            && (s.has(Cue::Can) || s.has(Cue::Book) || s.has(Cue::Free) || s.has(Cue::Exist))
            && !s.has(Cue::Booked);
    let nearest = words.windows(2).any(|w| {
        w[0].is(Sense::Nearest) && (w[1].cue(Cue::Time) || w[1].cue(Cue::Booking) || w[1].cue(Cue::Free) || w[1].cue(Cue::Variant))
    }) && (asks || words.len() < 8);
    let who_free = words.iter().any(|t| t.cue(Cue::Who)) && is_free;
    // «Давно работает?» asks about the master.
    let staff_works = !understood.staff_ids.is_empty()
        && (s.question || s.says(&["когда"]))
        && !s.says(&["давно", "сколько"])
        && words.iter().any(|t| {
            t.text == "есть" && !understood.when.is_empty() && understood.service_ids.is_empty()
                || matches!(
                    &*t.text,
                    "работает"
                        | "работаете"
                        | "принимает"
                        | "working"
                        | "будет"
                        | "занята"
                        | "занят"
                        | "месте"
                        | "работают"
                        | "принимают"
                )
        });
    let staff_free = !understood.staff_ids.is_empty() && is_free && (asks || s.question);
    let busy = s.question && words.iter().any(|t| t.cue(Cue::Busy) && t.text.starts_with("занят"));
    let there = words.windows(2).any(|w| w[0].text == "есть" && w[1].cue(Cue::Whether)) && (slot || time_word);
    let schedule = s.question && there_is && (slot || time_word || booking_word) && !s.says(&["у"]) | !s.says(&["меня"]);
    let open = (slot || is_free) && (asks || there_is || s.has(Cue::Can));
    let anything = s.question
        && words.iter().position(|t| t.text == "есть").is_some_and(|at| {
            let near = &words[at.saturating_sub(4)..(at + 5).min(words.len())];
            near.iter().any(|t| t.cue(Cue::What) && matches!(&*t.text, "что" | "что-нибудь" | "чего") || t.text == "нибудь")
        })
        || s.question && s.says(&["anything", "something"]) && s.says(&["have", "there"]);
    // «На завтра нет ничего?»
    let nothing = s.question && s.says(&["нет", "нету"]) && s.says(&["ничего"]);
    let anything = anything || nothing;
    // «Хочу в субботу, у кого есть место» wishes.
    if !s.question
        && (s.has(Cue::Book) || s.says(&["хочу", "хотела", "хотел"]))
        && words.windows(2).any(|w| w[0].text == "у" && w[1].text == "кого")
    {
        return false;
    }
    // «Что есть из педикюра?» asks for the list.
    let anything = anything && !words.windows(2).any(|w| w[0].text == "из" && w[1].trades().next().is_some());
    (open
        || schedule
        || which_time && !s.has(Cue::Booked)
        || when_can
        || until_when
        || nearest
        || who_free
        || staff_free
        || staff_works
        || busy
        || there
        || anything)
        && !s.has(Cue::Park)
        && !s.says(&["парковочные"])
}

pub(super) fn frees(s: &Sentence<'_>) -> bool {
    s.tokens.iter().any(|t| t.cue(Cue::Time) || t.cue(Cue::Booking) || t.cue(Cue::Free) && t.text != "есть")
}

pub(super) fn services(s: &Sentence<'_>, wanted: &Wanted<'_>) -> bool {
    let list = s.tokens.iter().any(|t| t.cue(Cue::ServiceNoun))
        && (s.has(Cue::What)
            || s.has(Cue::Tell)
            || s.has(Cue::Exist)
            || s.has(Cue::Do)
            || s.says(&["список", "перечень", "все", "list"])
            || s.tokens.len() <= 4);
    let what_done =
        s.tokens.windows(2).any(|w| w[0].cue(Cue::What) && (w[1].cue(Cue::You) || w[1].cue(Cue::Do))) && s.has(Cue::Do) && !s.has(Cue::If);
    let do_you = (s.question || s.has(Cue::Tell))
        && !s.says(&["speak"])
        && s.tokens.iter().any(|t| {
            matches!(
                &*t.text,
                "делаете"
                    | "оказываете"
                    | "предоставляете"
                    | "занимаетесь"
                    | "выполняете"
                    | "делают"
                    | "do"
                    | "offer"
                    | "provide"
            )
        })
        && (s.tokens.iter().any(|t| t.text == "do" || t.text == "offer") && s.says(&["you"]) || !s.says(&["do"]))
        && !s.has(Cue::When)
        && !s.has(Cue::Who)
        && wanted.understood.when.is_empty();
    // «А женщин стрижёте?»
    let you_do = (s.question || s.has(Cue::Whether))
        && s.tokens.iter().any(|t| t.trades().any(Trade::is_head) && morphology::is_you_do(&t.text) && !morphology::is_done_once(&t.text))
        && !s.has(Cue::When)
        && !s.has(Cue::Who)
        && wanted.understood.when.is_empty();
    // «У вас кошек стригут?»
    let they_do = s.question
        && s.says(&["вас"])
        && s.tokens.iter().any(|t| t.trades().any(Trade::is_head) && morphology::is_they_do(&t.text))
        && !s.has(Cue::When)
        && !s.has(Cue::Who)
        && wanted.understood.when.is_empty();
    let have_you = s.question
        && wanted.service()
        && wanted.understood.when.is_empty()
        && s.has(Cue::Exist)
        && s.says(&["у", "вас", "have"])
        && !s.tokens.iter().any(|t| {
            t.cue(Cue::Time)
                || t.cue(Cue::Booking)
                || t.cue(Cue::Master)
                || matches!(&*t.text, "места" | "место" | "окошко" | "окошки" | "окна" | "окно")
        })
        && !s.tokens.iter().any(|t| t.text.starts_with("свобод"));
    let includes = s.tokens.iter().any(|t| {
        matches!(
            &*t.text,
            "входит"
                | "включает"
                | "включено"
                | "отличается"
                | "отличаются"
                | "отличие"
                | "такое"
                | "include"
                | "includes"
                | "included"
        )
    }) && (wanted.service() || s.has(Cue::What))
        && wanted.understood.when.is_empty()
        && (s.question || s.has(Cue::What) || s.has(Cue::How));
    // «Расскажите про биоревитализацию»
    let about = wanted.service() && s.has(Cue::Tell) && s.says(&["про", "о", "об", "about"]) && !s.has(Cue::Master) && !s.has(Cue::Cost);
    // «Болит спина, что посоветуете?»
    let what_helps = s.question && s.has(Cue::Advise) && s.has(Cue::What) && !s.has(Cue::Master) && wanted.understood.when.is_empty();
    // «Что у вас есть из педикюра»
    let of_what_is =
        s.says(&["что", "чего"]) && s.has(Cue::Exist) && s.tokens.windows(2).any(|w| w[0].text == "из" && w[1].trades().next().is_some());
    // «Солярий есть?»
    let is_there = s.question
        && wanted.trade
        && wanted.understood.when.is_empty()
        && wanted.understood.staff_ids.is_empty()
        && ![Cue::Promo, Cue::Time, Cue::Booking, Cue::Master].iter().any(|cue| s.has(*cue))
        && there_is_work(s.tokens);
    // «А солярий у вас какой?»
    let of_what_kind = s.question
        && wanted.service()
        && wanted.understood.when.is_empty()
        && s.has(Cue::You)
        && !s.has(Cue::Time)
        && !s.has(Cue::Master)
        && !s.has(Cue::Cost)
        && s.says(&["какой", "какая", "какое", "какие"]);
    list || of_what_is
        || of_what_kind
        || about
        || what_done
        || do_you
        || you_do
        || they_do
        || have_you
        || includes
        || what_helps
        || is_there
}

/// «Голова чешется, пилинг головы есть?»: the last clause asks after a work.
fn there_is_work(tokens: &[Token]) -> bool {
    let start = tokens.iter().rposition(Token::ends_clause).map_or(0, |at| at + 1);
    let clause = &tokens[start..];
    let there = clause.last().is_some_and(|t| matches!(&*t.text, "есть" | "имеется" | "бывает"));
    there
        && clause.len() <= 5
        && clause.iter().any(|t| t.trades().any(Trade::is_head))
        && !clause.iter().any(|t| t.cue(Cue::Free) && !matches!(&*t.text, "есть" | "имеется"))
}

pub(super) fn staff(s: &Sentence<'_>, understood: &Understood) -> bool {
    if understood.staff_any {
        return false;
    }
    let does = s.question && !understood.staff_ids.is_empty() && s.says(&["делает", "делают", "умеет", "стрижет", "красит", "занимается"]);
    let master = s.has(Cue::Master);
    let which = !understood.staff_any
        && s.tokens.windows(2).any(|w| {
            (w[0].cue(Cue::What) || w[0].cue(Cue::HowMuch) || w[0].cue(Cue::Who)) && (w[1].cue(Cue::Master) || w[1].cue(Cue::You))
        });
    let who_does = s.tokens.iter().enumerate().any(|(i, t)| {
        t.cue(Cue::Who)
            && matches!(&*t.text, "кто" | "who" | "кого" | "whom")
            && s.tokens[i + 1..].iter().take(4).any(|t| {
                t.cue(Cue::Do)
                    || t.cue(Cue::Work)
                    || t.cue(Cue::Master)
                    || t.cue(Cue::Advise)
                    || t.trades().next().is_some()
                    || matches!(&*t.text, "лучше" | "стрижет" | "красит" | "принимает" | "есть")
            })
    }) && !s.tokens.iter().any(|t| t.text.starts_with("свобод"));
    // «К кому лучше на окрашивание?»
    let whom_best = s.question && s.says(&["кому"]) && s.has(Cue::Advise);
    let recommends = s.says(&["советую", "рекомендую"]);
    let advise = s.has(Cue::Advise) && master && !s.has(Cue::Any) && !recommends;
    // «Массажисты у вас мужчины или женщины?»
    let of_yours = s.question
        && master
        && understood.when.is_empty()
        && s.tokens.windows(2).any(|w| w[0].text == "у" && w[1].text == "вас")
        && s.tokens.iter().any(|t| t.is(Sense::Or));
    // «Мужчина или женщина делает массаж?»
    let man_or_woman = s.question
        && understood.when.is_empty()
        && s.tokens.windows(3).any(|w| {
            let of = |t: &Token, trade| t.trades().any(|t| t == trade);
            let (a, b) = (&w[0], &w[2]);
            w[1].is(Sense::Or) && (of(a, Trade::Male) && of(b, Trade::Female) || of(a, Trade::Female) && of(b, Trade::Male))
        })
        && !s.has(Cue::Book);
    let tell = master
        && (s.has(Cue::Tell) || s.question)
        && (s.has(Cue::What) || s.has(Cue::Who) || s.says(&["про", "о", "about"]))
        && !s.has(Cue::When);
    let there_is = s.question && master && s.has(Cue::Exist) && !s.has(Cue::Free2) && understood.when.is_empty() && !frees(s);
    if s.tokens.iter().any(|t| t.text.starts_with("ваканси")) {
        return false;
    }
    of_yours || man_or_woman || does || which && (master || s.has(Cue::Work)) || who_does || whom_best || advise || tell || there_is
}

/// «Какая сегодня погода»: asks, but for nothing a salon has.
pub(super) fn idle_question(s: &Sentence<'_>) -> bool {
    s.tokens.iter().any(|t| matches!(&*t.text, "какая" | "какой" | "какое" | "какие" | "почему" | "зачем" | "кто" | "what" | "why" | "who"))
        && !s.has(Cue::Can)
        && !s.has(Cue::Want)
        && !s.has(Cue::Book)
        && !s.has(Cue::Free)
}
