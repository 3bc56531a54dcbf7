//! What concerns a booking that stands: moving, cancelling, being late, asking of it.

use super::{Sentence, Wanted, names_day, names_part, words_of_time};
use crate::{
    lexicon::{Cue, Prep, Sense, Unit},
    morphology,
    text::{Kind, Token},
};

/// «Я записана на завтра на 10, можно на 11?»: where the other time is asked for.
pub(crate) fn other_time_asked(tokens: &[Token]) -> Option<usize> {
    let moment = |t: &Token| t.kind == Kind::Number || t.cardinal().is_some() || names_day(t);
    let mine = |i: usize| tokens[i.saturating_sub(3)..i].iter().any(|t| matches!(&*t.text, "меня" | "я" | "мы" | "нас" | "my"));
    let stands = (0..tokens.len()).find(|i| {
        let booked = tokens[*i].cue(Cue::Booked) && tokens[*i].text != "booked";
        (booked || matches!(&*tokens[*i].text, "запись" | "appointment" | "booking")) && mine(*i)
    })?;
    let told = tokens[stands..]
        .iter()
        .position(|t| t.ends_clause() || t.is(Sense::But) || matches!(&*t.text, "можно" | "can" | "could"))
        .map(|at| stands + at)?;
    let known = tokens[stands.saturating_sub(3)..told].iter().any(moment);
    (told..tokens.len()).find(|i| {
        let asks =
            matches!(&*tokens[*i].text, "можно" | "могу" | "хочу" | "хотела" | "хотел" | "давайте" | "надо" | "нужно" | "can" | "could");
        let at = (i + 1..i + 4).find(|k| tokens.get(*k).is_some_and(|t| t.prep(Prep::On) || t.prep(Prep::At)));
        known && asks && at.is_some_and(|at| tokens.get(at + 1).is_some_and(moment))
    })
}

/// «Поменять время», «поменять на пятницу»: a booking is to be moved without the word.
pub(crate) fn changes_time(tokens: &[Token]) -> bool {
    other_time_asked(tokens).is_some() || swaps_time(tokens) || throws_over(tokens)
}

/// «Скинь запись на субботу»
fn throws_over(tokens: &[Token]) -> bool {
    let moment = |t: &Token| t.kind == Kind::Number || t.cardinal().is_some() || names_day(t);
    tokens.iter().enumerate().any(|(i, t)| {
        let near = &tokens[i + 1..(i + 8).min(tokens.len())];
        ["скин", "кинь", "кинуть", "закин", "докин"].iter().any(|begin| t.text.starts_with(begin))
            && near.iter().any(|t| t.cue(Cue::Booking) || t.text == "меня")
            && near.windows(2).any(|w| w[0].prep(Prep::On) && moment(&w[1]))
    })
}

/// «Не успеваю к 15, можно на 16:30?»: the time that stands is given up for another.
pub(super) fn gives_up_time(sentences: &[Sentence<'_>], tokens: &[Token]) -> bool {
    sentences.iter().any(runs_late) && asks_anew(tokens)
}

pub(super) fn swaps_time(tokens: &[Token]) -> bool {
    tokens.iter().enumerate().any(|(i, t)| {
        let near = &tokens[i + 1..(i + 5).min(tokens.len())];
        let to_moment = near.first().is_some_and(|t| t.prep(Prep::On))
            && near.get(1).is_some_and(|t| t.kind == Kind::Number || t.cardinal().is_some() || names_day(t));
        t.cue(Cue::Change) && to_moment
            || t.cue(Cue::Change)
                && near
                    .iter()
                    .any(|t| t.cue(Cue::Time) || t.cue(Cue::Booking) || t.unit() == Some(Unit::Day) || t.text == "дату" || t.text == "date")
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancelling {
    No,
    /// A question about cancelling.
    Asked,
    Wanted,
    /// Without the word: «не смогу прийти».
    Away,
    /// «Не отменяйте»: it is to stay.
    Kept,
}

pub(super) fn cancels(sentences: &[Sentence<'_>], wanted: &Wanted<'_>) -> Cancelling {
    let mut asked = false;
    let mut want = false;
    let mut denied = false;
    let mut stays_away = false;
    for s in sentences {
        // «Запись не нужна», «запись неактуальна»
        want |= !s.question
            && s.tokens.windows(3).any(|w| {
                let needless = w[1].text == "не" && matches!(&*w[2].text, "нужна" | "надо" | "нужно" | "актуальна" | "актуально");
                w[0].cue(Cue::Booking) && (needless || w[1].text.starts_with("неактуальн"))
            });
        // «Оставьте запись как есть»
        denied |= s.has(Cue::Booking)
            && s.tokens.iter().any(|t| t.text.starts_with("оставь") || t.text.starts_with("оставля"))
            && !wanted.named()
            && !s.has(Cue::Number);
        for (i, t) in s.tokens.iter().enumerate() {
            let dropping = t.cue(Cue::Drop)
                && s.tokens.iter().any(|t| t.cue(Cue::Booking) && t.text != "прием" || t.cue(Cue::Booked))
                && !t.trades().any(|_| wanted.service() && !s.has(Cue::Booking))
                || t.cue(Cue::Drop)
                    && (matches!(&*t.text, "снимите" | "выпишите" | "вычеркните" | "уберите" | "убери" | "сними"))
                    && s.says(&["меня", "нас"])
                    && !s.has(Cue::Mailing)
                    && !s.has(Cue::Number)
                    && wanted.understood.service_ids.is_empty();
            // «Не приду», «не смогу прийти», «не получится прийти»
            let next = s.tokens.get(i + 1);
            let away = t.is(Sense::Not)
                && next.is_some_and(|n| {
                    matches!(&*n.text, "приду" | "придем" | "придет" | "приеду")
                        || n.cue(Cue::Can1)
                            && s.tokens[i + 2..].iter().take(4).any(|t| {
                                // «Не успеваю к 12, буду в 12:15» comes all the same.
                                let infinitive = t.latin || ["ть", "ти", "чь", "ся"].iter().any(|end| t.text.ends_with(end));
                                t.cue(Cue::Come) && t.text != "есть" && !t.is(Sense::Not) && infinitive
                            })
                        // «Прийти не смогу»
                        || matches!(&*n.text, "смогу" | "сможем" | "могу" | "получится")
                            && i > 0
                            && s.tokens[i - 1].cue(Cue::Come)
                            && ["ть", "ти"].iter().any(|end| s.tokens[i - 1].text.ends_with(end))
                })
                && !s.says(&["раньше", "вовремя", "или", "успею", "in"])
                // «Больше не приду» leaves for good; it is no booking that is meant.
                && !s.tokens[i.saturating_sub(5)..i].iter().any(|t| matches!(&*t.text, "больше" | "никогда"));
            let away = away
                || t.is(Sense::Not)
                    && matches!(&*t.text, "can't" | "cannot" | "cant" | "won't")
                    && s.tokens[i + 1..].iter().take(3).any(|t| matches!(&*t.text, "come" | "make"));
            if !(t.cue(Cue::Cancel) || dropping || away) {
                continue;
            }
            // «Хотела отменить, но передумала»
            let meant_to = s.tokens[..i].iter().any(|t| matches!(&*t.text, "хотела" | "хотел" | "думала" | "думал" | "собиралась"));
            // «Передумала отменять»
            let thought_better = ["ть", "ться"].iter().any(|end| t.text.ends_with(end))
                && s.tokens[i.saturating_sub(2)..i]
                    .iter()
                    .rev()
                    .take_while(|t| !t.ends_clause())
                    .any(|t| t.text.starts_with("передума") || t.text.starts_with("раздума"));
            let after_all = s.tokens[i..].iter().any(|t| matches!(&*t.text, "передумала" | "передумал" | "приду" | "буду"))
                && !s.tokens[i..].windows(2).any(|w| w[0].is(Sense::Not) && w[1].cue(Cue::Come));
            if !away && (s.denied(i) || meant_to && after_all || thought_better) {
                denied = true;
                continue;
            }
            // «А отменить можно будет?»
            let some_day = s.question && s.tokens.windows(2).any(|w| w[0].cue(Cue::Can) && w[1].text == "будет");
            let doubt = s.has(Cue::If) || s.has(Cue::Whether) || some_day;
            let about = s.tokens[..i].iter().any(|t| {
                t.cue(Cue::How)
                    || t.cue(Cue::HowMuch)
                    || t.cue(Cue::When)
                    || t.cue(Cue::What) && t.text != "что"
                    || matches!(&*t.text, "скольки" | "почему" | "зачем" | "why" | "за" | "кто")
            }) || s.has(Cue::Free2) && !away;
            let did = matches!(
                &*t.text,
                "отменили"
                    | "отменила"
                    | "отменил"
                    | "отменена"
                    | "отменилась"
                    | "отменен"
                    | "отменено"
                    | "cancelled"
                    | "canceled"
                    | "отменяется"
                    | "отменились"
                    | "отменяли"
                    | "отменяете"
                    | "отменялась"
                    | "отменит"
            ) && (s.question || t.text != "отменяется");
            let noun = t.text.starts_with("отмен")
                && matches!(&*t.text, "отмена" | "отмены" | "отмене" | "отмену" | "отменой" | "cancellation")
                && (s.question || s.has(Cue::Free2) || s.says(&["правила", "условия", "политика"]));
            // A question that does not ask for it: «а отменить можно?» alone asks whether.
            if doubt || did || noun || about && !away {
                asked = true;
            } else if away {
                stays_away = true;
            } else {
                want = true;
            }
        }
    }
    // «Заболела», «ребёнок с температурой»
    stays_away |= !wanted.service() && sentences.iter().any(|s| s.has(Cue::Illness) && (!s.question || asks_anew(s.tokens)));
    // «Отменять не надо» said anywhere outweighs a question about it.
    if want && !(denied && asked) {
        Cancelling::Wanted
    } else if stays_away && !(denied && asked) {
        Cancelling::Away
    } else if asked || denied && sentences.iter().any(|s| s.question) {
        Cancelling::Asked
    } else if denied {
        Cancelling::Kept
    } else {
        Cancelling::No
    }
}

/// «Можно на пятницу», «давайте в субботу»: another time is asked for.
pub(super) fn asks_anew(tokens: &[Token]) -> bool {
    let moment = |t: &Token| t.kind == Kind::Number || t.cardinal().is_some() || names_day(t) || t.is(Sense::Next) || names_part(Some(t));
    // «Можно к часу?»
    let one = |t: &Token| matches!(&*t.text, "час" | "часу");
    let moment = |t: &Token| moment(t) || one(t);
    (0..tokens.len()).any(|i| {
        let asks = matches!(&*tokens[i].text, "можно" | "давайте" | "давай" | "тогда" | "лучше" | "хочу" | "хотела" | "хотел" | "а");
        asks && tokens[i + 1..].iter().take(4).any(moment) && !tokens[i + 1..].iter().take(4).any(|t| t.is(Sense::Not))
    })
}

pub(super) fn moves(sentences: &[Sentence<'_>]) -> bool {
    sentences.iter().any(|s| {
        let moved = s.tokens.iter().enumerate().any(|(i, t)| {
            let told = s.question && matches!(&*t.text, "перенесли" | "перенесла" | "перенесена" | "перенес");
            let rules = t.text.starts_with("перенос") && s.has(Cue::Free2);
            let supposed = s.has(Cue::If) && s.question && !s.has(Cue::Can);
            let idle = told || rules || supposed || s.denied(i);
            t.cue(Cue::Move) && !idle
        });
        moved || changes_time(s.tokens) && !s.tokens.iter().enumerate().any(|(i, t)| t.cue(Cue::Change) && s.denied(i))
    })
}

pub(super) fn late(s: &Sentence<'_>) -> bool {
    let master = |i: usize| i > 0 && s.tokens[..i].iter().any(|t| t.cue(Cue::Master));
    let late = s.tokens.iter().enumerate().any(|(i, t)| {
        // «Опоздал, тогда на 16»: the time that is over is given up.
        let given_up = t.text.starts_with("опоздал") && asks_anew(&s.tokens[i..]);
        t.cue(Cue::Late)
            && !given_up
            && !master(i)
            && !s.denied(i)
            && !(t.text == "late" && (names_part(s.tokens.get(i + 1)) || s.says(&["how"]) || s.says(&["open"])))
    });
    let traffic = s.has(Cue::Traffic) && !s.says(&["парковка"]);
    // «Буду на 10 минут позже»
    let coming = |t: &Token| matches!(&*t.text, "буду" | "приду" | "подойду" | "приеду" | "подъеду" | "будем" | "придем");
    let later = s.tokens.windows(2).any(|w| w[0].cue(Cue::Come) && w[1].is(Sense::Later))
        || s.tokens.iter().position(coming).is_some_and(|at| s.tokens[at..].iter().any(|t| t.is(Sense::Later)));
    let later = later && s.tokens.iter().any(|t| t.unit() == Some(Unit::Minute));
    let runs = runs_late(s) && !s.question;
    // «Проспала, буду через 20 минут», «буду минут через 20»
    let on_the_way = !s.question
        && s.tokens.iter().position(coming).is_some_and(|at| s.tokens[at + 1..].iter().take(3).any(|t| t.prep(Prep::In)))
        && s.tokens.iter().any(|t| t.unit() == Some(Unit::Minute) || t.is(Sense::HalfHour));
    // «Уже бегу», «еду, буду в 15:10», «не успеваю, буду в 15:10»
    let rushes = !s.question
        && s.tokens.iter().enumerate().any(|(i, t)| {
            t.cue(Cue::Rushing) && (i > 0 && s.tokens[i - 1].text == "уже" || s.tokens[i + 1..].iter().any(coming))
                || no_time_left(&s.tokens[i..]) && s.tokens.iter().any(coming)
        });
    (late || traffic || later || runs || on_the_way || rushes) && (!supposes_late(s) || s.says(&["опаздываю"]))
}

/// It begins with «не успеваю».
fn no_time_left(tokens: &[Token]) -> bool {
    matches!(tokens, [not, can, ..] if not.is(Sense::Not) && matches!(&*can.text, "успеваю" | "успею" | "успеваем" | "успеем"))
}

/// «Не успеваю к 18», «не успею вовремя»
fn runs_late(s: &Sentence<'_>) -> bool {
    (0..s.tokens.len()).any(|i| no_time_left(&s.tokens[i..])) && s.tokens.iter().any(|t| t.prep(Prep::To) || t.text == "вовремя")
}

/// «А если опоздаю?»
pub(crate) fn supposes_late(s: &Sentence<'_>) -> bool {
    s.has(Cue::Late)
        && s.question
        && (s.has(Cue::If) || s.has(Cue::HowMuch) || s.has(Cue::Whether))
        && !s.has(Cue::Traffic)
        && !s.says(&["опаздываю"])
}

pub(super) fn my_bookings(s: &Sentence<'_>) -> bool {
    let booked = s.has(Cue::Booked);
    let asks = s.question
        || s.has(Cue::When)
        || s.has(Cue::Remind)
        || s.has(Cue::HowMuch)
        || s.has(Cue::Whether)
        || s.has(Cue::Who)
        || s.has(Cue::Tell)
        || s.has(Cue::What)
        || s.tokens.iter().any(|t| matches!(&*t.text, "скольки" | "какое" | "какой" | "какие" | "какая" | "который"));
    let mine = s.says(&["моя", "мою", "мои", "моей", "моих", "мне", "меня", "я", "мы", "нас", "my", "i", "mine", "наша", "нашу"]);
    let booking = s.tokens.iter().any(|t| t.cue(Cue::Booking) && t.text != "прием");
    let own = s.says(&["моя", "мою", "мои", "моей", "моих", "my", "наша", "нашу"])
        || s.says(&["меня", "нас"]) && s.says(&["у"])
        || s.question && s.says(&["have"]) && s.says(&["i"])
        || s.says(&["я"]) && s.says(&["есть", "запись"]) && s.says(&["какая", "какие", "есть"]);
    let requests = s.has(Cue::Book) && s.tokens.iter().any(|t| matches!(&*t.text, "запишите" | "записаться" | "запиши" | "book"))
        || s.has(Cue::Can) && !booked && !own;
    let about_past = s.tokens.iter().any(|t| t.is(Sense::Prev));
    let in_force = s.says(&["силе", "актуальна", "подтверждена", "осталась", "сохранилась", "стоит", "действует"]);
    let time_to_come = words_of_time(s)
        && s.tokens.iter().any(|t| {
            matches!(&*t.text, "приходить" | "прийти" | "подойти" | "подходить" | "быть" | "подъехать" | "подъезжать" | "приезжать")
        })
        && (mine || s.question && s.tokens.iter().any(names_day))
        && !s.has(Cue::Can)
        && !s.has(Cue::Book);
    // «Забыла, когда у меня стрижка»
    let when_mine = words_of_time(s)
        && s.tokens.windows(2).any(|w| w[0].text == "у" && matches!(&*w[1].text, "меня" | "нас"))
        && ![Cue::Cost, Cue::Can, Cue::Free, Cue::Book].iter().any(|cue| s.has(*cue));
    // «Какое у меня время в субботу?», «забыла, во сколько мне завтра»
    let elsewise = [Cue::Cost, Cue::Can, Cue::Free, Cue::Book, Cue::Want, Cue::Move]
        .iter()
        .any(|cue| s.tokens.iter().any(|t| t.cue(*cue) && !matches!(&*t.text, "мне" | "есть" | "время" | "места")));
    let my_time = !elsewise
        && (s.tokens.windows(2).any(|w| w[0].text == "у" && w[1].text == "меня") && s.has(Cue::What) && s.has(Cue::Time)
            || words_of_time(s)
                && s.says(&["мне", "нам", "я", "мы"])
                && (s.says(&["забыла", "забыл", "напомни", "напомните"]) || s.question && s.tokens.iter().any(names_day))
                && !s.has(Cue::Come));
    let wishes = [Cue::Cost, Cue::Can, Cue::Free, Cue::Book, Cue::Move].iter().any(|cue| s.has(*cue));
    // «Когда мне к вам?», «когда мне к Игорю?»
    let more = [Cue::Can, Cue::Free, Cue::Book, Cue::Move].iter().any(|cue| s.has(*cue));
    let due = words_of_time(s)
        && !more
        && (!s.has(Cue::Cost) || s.has(Cue::Remind))
        && s.tokens.windows(2).any(|w| matches!(&*w[0].text, "мне" | "нам") && (w[1].prep(Prep::To) || w[1].prep(Prep::On)))
        && (s.tokens.len() <= 8 || s.has(Cue::Remind));
    // «Какой у меня мастер завтра?», «кто у меня мастер?»
    let at_me = s.tokens.windows(2).any(|w| w[0].text == "у" && w[1].text == "меня");
    // «Кто меня завтра стрижёт?»
    let does = |t: &Token| t.trades().next().is_some() && t.text.ends_with('т') && !morphology::is_done_once(&t.text);
    let serves_me = s.question && s.says(&["кто"]) && s.says(&["меня", "мне"]) && s.tokens.iter().any(does);
    let my_master = (s.has(Cue::Master) && (s.has(Cue::What) || s.has(Cue::Who)) && at_me || serves_me) && !wishes;
    // «Сколько с меня за завтрашний визит?», «сколько я завтра должна?»
    let owes = s.tokens.windows(2).any(|w| w[0].text == "с" && matches!(&*w[1].text, "меня" | "нас"))
        || s.says(&["я", "мы"]) && s.says(&["должна", "должен", "должны"]);
    let my_bill = owes && s.has(Cue::HowMuch) && (booking || s.tokens.iter().any(names_day));
    // «Проверьте, есть ли запись на моё имя»
    let on_my_name = booking && s.says(&["имя"]) && s.says(&["мое"]) && asks;
    // «К кому я иду завтра»
    let to_whom = s.has(Cue::Who) && s.says(&["я", "мы"]) && s.says(&["иду", "идем", "хожу", "попадаю", "попала", "записана", "записан"]);
    // «Всё в силе на завтра?»
    let stands = s.question
        && (s.tokens.windows(2).any(|w| w[0].text == "в" && w[1].text == "силе") && !s.has(Cue::Promo)
            || booking && s.says(&["актуальна", "актуально", "подтверждена", "сохранилась"])
            // «Вы меня завтра ждёте?»
            || s.says(&["меня", "нас"]) && s.says(&["ждете"]));
    // «Подтвердите мою запись»
    let to_confirm = booking && s.says(&["подтвердите", "подтверди", "подтвердить"]) && !s.has(Cue::Late);
    // «Что у меня на субботу?»
    let what_mine = s.says(&["что", "чего"]) && at_me && !wishes && !s.has(Cue::Bad) && s.tokens.iter().any(|t| t.prep(Prep::On));
    // «Я на четверг записана»
    let tells = s.tokens.iter().any(|t| matches!(&*t.text, "записана" | "записан"))
        && s.says(&["я", "мы"])
        && s.tokens.iter().any(names_day)
        && ![Cue::Cost, Cue::Can, Cue::Free, Cue::Move, Cue::Want].iter().any(|cue| s.has(*cue))
        && !s.tokens.iter().any(|t| t.text == "еще" || t.text.starts_with("добав"))
        && !s.tokens.iter().any(|t| t.cue(Cue::Book) && !t.cue(Cue::Booked))
        && !s.has(Cue::Late)
        && !s.has(Cue::Cancel)
        && !s.tokens.iter().any(|t| t.is(Sense::Not));
    time_to_come
        || tells
        || to_confirm
        || what_mine
        || due
        || my_master
        || my_bill
        || stands
        || to_whom
        || my_time
        || on_my_name
        || when_mine && !requests
        || !requests
            && !about_past
            && ((booked && asks && mine)
                || (booking && own && (asks || in_force || s.tokens.len() <= 3))
                || booked && s.says(&["записана", "записан"]) && s.question && !s.says(&["когда"]) && mine
                || booked && (s.has(Cue::When) || s.has(Cue::Remind)))
            && !s.has(Cue::Cancel)
            && !s.has(Cue::Late)
}
