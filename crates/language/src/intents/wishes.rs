//! What must never be missed for politeness: no more messages, a person, a complaint.

use super::Sentence;
use crate::{
    Asked, Context,
    lexicon::{Cue, Prep, Sense, Trade, Unit},
    text::{Kind, Token},
};

/// No more messages.
pub(super) fn stop(s: &Sentence<'_>) -> bool {
    let off = s.tokens.iter().enumerate().any(|(i, t)| {
        t.cue(Cue::Off)
            && (!matches!(&*t.text, "стоп" | "stop")
                || s.tokens.len() <= 2
                || s.has(Cue::Write)
                || s.has(Cue::Mailing)
                || i == 0 && s.tokens.len() <= 3)
    });
    let unwanted = |t: &Token| t.cue(Cue::Write) || t.cue(Cue::Mailing);
    let written = s.tokens.iter().enumerate().any(|(i, t)| {
        let before = &s.tokens[i.saturating_sub(5)..i];
        let not = before.iter().rev().take(2).any(|t| t.is(Sense::Not)) || before.iter().any(|t| matches!(&*t.text, "don't" | "dont"));
        let imperative = t.text.ends_with("те")
            || t.text.ends_with("ть")
            || matches!(&*t.text, "пиши" | "шли" | "присылай" | "text" | "message" | "messaging" | "texting");
        t.cue(Cue::Write)
            && !matches!(&*t.text, "написать" | "напоминать" | "message")
            && imperative
            && (not || s.denied(i))
            && !s.says(&["имя", "фамилию"])
            || t.cue(Cue::Write) && (not || s.denied(i)) && matches!(&*t.text, "message" | "text")
    });
    let ceased = s.tokens.iter().any(|t| t.cue(Cue::Cease) && t.text != "больше") && s.tokens.iter().any(unwanted);
    let more = s.says(&["больше"])
        && s.tokens.iter().any(|t| t.is(Sense::Not))
        && s.tokens.iter().any(|t| unwanted(t) && !t.text.starts_with("напис"));
    let mailing = s.has(Cue::Mailing)
        && (s.tokens.iter().any(|t| t.is(Sense::Not))
            && (s.has(Cue::Want) || s.says(&["согласие", "согласия", "согласна", "просила", "просил", "подписывалась", "подписывался"]))
            || s.has(Cue::Drop)
            || s.says(&["отключите", "отключить", "выключите", "отмените", "исключите", "исключить", "отпишите"]));
    let mailing = mailing || s.has(Cue::Mailing) && s.says(&["из"]) && !s.question;
    let number = s.has(Cue::Number)
        && s.has(Cue::Drop)
        && !s.has(Cue::Booking)
        && s.says(&["удалите", "удалить", "уберите", "убрать", "сотрите", "delete", "remove"]);
    let alone = s.says(&["отстаньте", "отвяжитесь", "отвалите"]) || s.says(&["leave"]) && s.says(&["alone"]);
    off || written || ceased || more || mailing || number || alone
}

/// Wants a person.
pub(super) fn human(s: &Sentence<'_>, all: &[Token]) -> bool {
    let words = s.tokens.iter().filter(|t| t.is_word()).count();
    let call = s.has(Cue::Call) || s.has(Cue::Phone) || s.has(Cue::Can) || s.has(Cue::Want);
    let counted = |i: usize| {
        let number = |t: &Token| t.kind == Kind::Number || t.cardinal().is_some();
        i > 0 && (number(&s.tokens[i - 1]) || s.tokens[i - 1].prep(Prep::On)) || s.tokens.get(i + 1).is_some_and(number)
    };
    for (i, t) in s.tokens.iter().enumerate() {
        let denied = s.denied(i);
        if t.cue(Cue::Human) && !denied {
            // «Администратор сказала …» tells; «а вы администратор?» asks who it is.
            let told = s
                .tokens
                .get(i + 1)
                .is_some_and(|t| matches!(&*t.text, "сказала" | "сказал" | "обещала" | "ответила" | "записала" | "говорила"));
            let english_noise = matches!(&*t.text, "person" | "human") && counted(i);
            // «Мне нагрубили на ресепшене» tells where.
            let place = t.text.starts_with("ресепш") && i > 0 && s.tokens[i - 1].prep(Prep::On) && !s.has(Cue::Call);
            if !place && (call || words <= 4 || s.question || s.tokens.iter().any(|t| t.prep(Prep::From))) && !told && !english_noise {
                return true;
            }
        }
        if t.text == "someone" && (s.has(Cue::Call) || s.says(&["talk", "speak"])) && !denied {
            return true;
        }
        if t.cue(Cue::Person) && !counted(i) && !denied {
            let alive = t.text.starts_with("жив")
                || t.text == "real"
                || s.tokens.iter().any(|t| t.text.starts_with("жив") || t.text.starts_with("нормальн") || t.text.starts_with("реальн"));
            if s.has(Cue::Call)
                || alive
                || s.has(Cue::Robot)
                || call && words <= 8 && s.tokens.iter().any(|t| t.prep(Prep::From))
                || s.question && words <= 4
            {
                return true;
            }
        }
        // «Позовите кого-нибудь», «хочу, чтобы мне ответил человек»
        let called = s.tokens.iter().any(|t| matches!(&*t.text, "позовите" | "позови" | "пригласите"));
        let answer = t.text == "кто" && s.says(&["ответьте", "ответит", "помогите", "поможет"]);
        if answer && !denied {
            return true;
        }
        if t.text.starts_with("кого") && called || t.cue(Cue::Person) && !denied && s.tokens.iter().any(|t| t.text.starts_with("ответ"))
        {
            return true;
        }
        // «С кем-нибудь поговорить»
        if t.text.starts_with("кем") && i > 0 && s.tokens[i - 1].text == "с" && s.has(Cue::Call) && !denied {
            return true;
        }
        if t.cue(Cue::Robot) {
            let against = s.tokens.iter().any(|t| t.is(Sense::Not))
                || s.question
                || all.iter().any(|t| t.cue(Cue::Cease) || t.cue(Cue::Bad))
                || s.has(Cue::Call)
                || s.says(&["это", "вы", "ты", "тупой", "надоел", "глупый", "опять"]);
            if against {
                return true;
            }
        }
        // «Перезвоню» calls by themselves.
        if t.cue(Cue::Phone) && !denied && !t.text.ends_with("ню") {
            let me = s.says(&["мне", "меня", "me", "перезвоните", "перезвони", "наберите"])
                || t.text.starts_with("перезвон")
                || t.text.starts_with("созвон");
            let number = s.has(Cue::What) || s.has(Cue::Where);
            if me && !number && (t.text.starts_with("перезвон") || !s.says(&["звонила", "звонил", "дозвониться"]))
            {
                return true;
            }
        }
    }
    false
}

pub(super) fn complaint(sentences: &[Sentence<'_>], context: &Context) -> bool {
    let bad = sentences.iter().any(|s| {
        s.tokens.iter().enumerate().any(|(i, t)| {
            let wanted = matches!(t.text.as_str(), "скол" | "сколы") && (s.has(Cue::Book) || s.has(Cue::Can));
            let unwell = t.text == "плохо" && i > 0 && s.tokens[i - 1].text == "мне" && s.tokens.get(i + 1).is_none_or(Token::ends_clause);
            let senses = t.text.starts_with("плох") && s.says(&["видно", "слышно", "вижу", "чувствую", "стало", "самочувствие", "себя"]);
            // «Ужас как хочу»
            let very = s.tokens.get(i + 1).is_some_and(|t| t.text == "как");
            // «Кот линяет ужасно, вычесать бы»: how much, beside a wish.
            let very = very
                || matches!(&*t.text, "ужасно" | "ужас" | "жесть" | "кошмар")
                    && (s.has(Cue::Want) || s.has(Cue::Book) || s.has(Cue::Can))
                    && !s.has(Cue::PastVisit)
                    && !s.tokens.iter().any(|t| t.cue(Cue::You) && t.text.starts_with('в'))
                    && !s.has(Cue::Redo);
            let weather =
                s.tokens.iter().any(|t| ["погод", "дожд", "снег", "мороз", "жара", "холод"].iter().any(|begin| t.text.starts_with(begin)));
            // «В другом месте криво вкололи»
            let elsewhere = s
                .tokens
                .windows(2)
                .any(|w| w[0].cue(Cue::Other) && ["мест", "салон", "мастер"].iter().any(|begin| w[1].text.starts_with(begin)));
            let excused = weather || elsewhere || s.has(Cue::Traffic) || unwell || wanted || senses || very || s.denied(i);
            t.cue(Cue::Bad) && !excused
        })
    });
    // «Меня не устроила работа»
    let unfit = sentences
        .iter()
        .any(|s| s.tokens.windows(2).any(|w| w[0].text == "не" && matches!(&*w[1].text, "устроила" | "устроил" | "устроило" | "устроили")));
    let redo = sentences.iter().any(|s| {
        s.has(Cue::Redo)
            && (s.says(&["деньги", "денег", "money"]) || s.tokens.iter().any(|t| t.text.starts_with("передел")))
            && !s.tokens.iter().any(|t| t.cue(Cue::Whether))
            && !(s.question && s.says(&["предоплату", "если"]))
    });
    let disliked = sentences.iter().any(|s| {
        s.tokens.windows(2).any(|w| {
            w[0].is(Sense::Not)
                && (w[1].cue(Cue::Liked)
                    || matches!(
                        &*w[1].text,
                        "понравилось"
                            | "понравилась"
                            | "понравился"
                            | "довольна"
                            | "доволен"
                            | "happy"
                            | "like"
                    ))
        }) && s.tokens.iter().all(|t| t.text != "would")
    });
    // «После чистки лицо горит»
    let hurts = sentences.iter().any(|s| {
        let after = s.tokens.iter().position(|t| t.prep(Prep::After)).map(|at| &s.tokens[at + 1..]);
        let after_work = after.is_some_and(|rest| rest.iter().take(3).any(|t| t.trades().any(Trade::is_head) || t.text == "вас"));
        let yours = after.is_some_and(|rest| rest.iter().take(2).any(|t| t.text.starts_with("ваш")));
        let allergy = !s.question && s.tokens.iter().any(|t| t.text.starts_with("аллерги"));
        (s.has(Cue::Symptom) || allergy) && (s.has(Cue::PastVisit) || after_work || yours)
    });
    // «Мастер опоздал на полчаса», «ждала 40 минут»
    let kept_waiting = sentences.iter().any(|s| {
        let late =
            s.tokens.windows(2).any(|w| w[0].cue(Cue::Master) && matches!(&*w[1].text, "опоздал" | "опоздала" | "задержал" | "задержала"));
        let again = s.tokens.windows(2).any(|w| w[0].ordinal().is_some() && w[1].text == "раз");
        let now = s.says(&["жду", "ждем", "стою", "стоим", "сижу", "waiting"]) && (!s.question || again);
        let waited = (s.says(&["ждала", "ждал", "прождала", "прождал", "ждали"]) || now && (again || s.says(&["уже", "целый", "been"])))
            && s.tokens.iter().any(|t| matches!(t.unit(), Some(Unit::Minute | Unit::Hour)) || t.is(Sense::HalfHour))
            || s.says(&["ждать"]) && s.tokens.iter().any(|t| t.text.starts_with("застав"));
        late || waited
    });
    // «Сломался на следующий день», «записали не туда», «сняли лишние деньги»
    let spoilt = sentences.iter().any(|s| {
        let soon = s.tokens.windows(2).any(|w| w[0].is(Sense::Next) && w[1].unit() == Some(Unit::Day))
            || s.tokens.windows(2).any(|w| w[0].prep(Prep::In) && w[1].unit() == Some(Unit::Day));
        soon && s.tokens.iter().any(|t| {
            t.text.starts_with("сломал") || t.text.starts_with("отвал") || t.text.starts_with("отклеил") || t.text.starts_with("слез")
        }) || s.has(Cue::Booked) && s.tokens.windows(2).any(|w| w[0].text == "не" && matches!(&*w[1].text, "туда" | "тому" | "той"))
            || s.tokens.iter().any(|t| t.text.starts_with("лишни"))
                && s.tokens.iter().any(|t| t.text.starts_with("ден") || t.text.starts_with("списал"))
    });
    // «Никто не ответил», «что за отношение»
    let ignored = sentences.iter().any(|s| {
        let nobody = s.tokens.windows(3).any(|w| {
            w[0].text == "никто"
                && w[1].text == "не"
                && ["ответ", "отвеч", "перезв", "приш", "встре", "позвон", "выш", "выход", "открыв", "открыл", "подош", "подход"]
                    .iter()
                    .any(|begin| w[2].text.starts_with(begin))
        });
        let what_a = s
            .tokens
            .windows(3)
            .any(|w| w[0].text == "что" && w[1].text == "за" && matches!(&*w[2].text, "сервис" | "отношение" | "бред" | "цирк"));
        nobody || what_a
    });
    // «Сделали больно»
    let pain = sentences
        .iter()
        .any(|s| !s.question && s.has(Cue::PastVisit) && s.says(&["больно", "кровь", "крови", "грязно", "синяк", "синяки"]));
    unfit || ignored || hurts || spoilt || kept_waiting || pain || bad || disliked || redo && context.asked != Some(Asked::Review)
}
