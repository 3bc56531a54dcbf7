//! Answers and courtesies: yes, no, a review, thanks, greetings.

use super::{Sentence, names_day};
use crate::{
    Asked, Context, Intent, Understood, facts,
    lexicon::{Cue, Prep, Sense},
    text::{Kind, Text, Token},
};

/// A plain yes or no, to what was asked or by itself.
pub(super) fn answer(text: &Text, sentences: &[Sentence<'_>], context: &Context, understood: &Understood) -> Option<Intent> {
    let tokens = &text.tokens;
    if tokens.iter().any(|t| matches!(t.kind, Kind::Mark('👍' | '👌' | '✅' | '✔' | '🆗' | '💯' | '🙏' | '❤')))
        && tokens.iter().all(|t| !t.is_word())
    {
        return Some(Intent::Confirm);
    }
    if tokens.iter().any(|t| matches!(t.kind, Kind::Mark('👎' | '❌' | '🙅'))) && tokens.iter().all(|t| !t.is_word()) {
        return Some(Intent::Decline);
    }
    if let [only] = &tokens[..]
        && only.mark('+')
    {
        return Some(Intent::Confirm);
    }
    // «15го» is no «го!».
    let words: Vec<&Token> = tokens.iter().filter(|t| t.is_word() && !(t.glued && t.text == "го")).collect();
    let short = words.len() <= 4;
    // «Всё так»
    if context.asked == Some(Asked::Confirm) && words.len() <= 3 && words.windows(2).any(|w| w[0].text == "все" && w[1].text == "так")
    {
        return Some(Intent::Confirm);
    }
    let first = words.iter().position(|t| {
        !(t.cue(Cue::Hello)
            || t.cue(Cue::Thanks) && words.len() > 1
            || matches!(
                &*t.text,
                "большое"
                    | "огромное"
                    | "ну"
                    | "ой"
                    | "а"
                    | "так"
                    | "тогда"
                    | "и"
                    | "это"
                    | "мне"
                    | "все"
                    | "всё"
                    | "меня"
                    | "oh"
                    | "well"
                    | "в"
                    | "the"
            ))
    })?;
    let at = words[first];
    let next = words.get(first + 1).copied();
    let question = sentences.first().is_some_and(|s| s.question);
    let asked = context.asked.is_some();
    // «Не, в другое время»
    let apart = tokens.iter().skip_while(|t| t.range != at.range).nth(1).is_some_and(|t| t.mark(','));
    if at.text == "не" && apart && asked {
        return Some(Intent::Decline);
    }
    // «ни одно»
    if at.text == "ни"
        && next.is_some_and(|t| t.cardinal() == Some(1) || t.cue(Cue::What) || t.text == "то")
        && (asked || !context.offered.is_empty())
    {
        return Some(Intent::Decline);
    }
    // «не надо», «не нужно», «не подходит», «не хочу», «не сейчас»
    if at.is(Sense::Not) || at.text == "not" {
        let refuses = next.is_some_and(|t| {
            t.cue(Cue::Needless)
                || t.cue(Cue::Fits)
                || t.cue(Cue::Can1)
                || t.cue(Cue::Yes)
                || names_day(t) && words.len() == 2 && context.asked == Some(Asked::Confirm)
                || t.is(Sense::Now)
                || t.cue(Cue::Want)
                || matches!(&*t.text, "интересно" | "подтверждаю" | "согласна" | "согласен" | "актуально" | "пока")
        });
        let never_mind = next.is_some_and(|t| t.cue(Cue::Any) || t.cue(Cue::Difference) || t.text == "против");
        if never_mind {
            return next.filter(|t| t.text == "против").map(|_| Intent::Confirm);
        }
        // «не надо отменять» keeps, «не могу завтра» refuses a time, and says so elsewhere.
        let said = understood.when.is_empty()
            && !words.iter().any(|t| t.cue(Cue::Cancel) || t.cue(Cue::Write) || t.cue(Cue::Phone))
            && (words.len() <= 7 || asked);
        return (refuses && said && !question).then_some(Intent::Decline);
    }
    // «Никакое»
    if (at.text.starts_with("никак") || at.text == "ничего" && words.len() <= 3) && (asked || !context.offered.is_empty()) && !question
    {
        return Some(Intent::Decline);
    }
    if at.cue(Cue::Nope) && at.text != "не" {
        let thanks_or_end = next.is_none_or(|_| true);
        // «нет, всё верно»
        let after_all = words[first + 1..].iter().any(|t| matches!(&*t.text, "верно" | "правильно" | "подходит" | "устраивает"))
            && !words.iter().any(|t| t.is(Sense::Not));
        let there_is_none = next.is_some_and(|t| t.cue(Cue::Free) || t.cue(Cue::Time) || t.text == "ли" || t.cue(Cue::Booking));
        if question && !asked && words.len() > 2 || there_is_none {
            return None;
        }
        return thanks_or_end.then_some(if after_all { Intent::Confirm } else { Intent::Decline });
    }
    if at.cue(Cue::Drop) && at.text.starts_with("отказ") && !words.iter().any(|t| t.cue(Cue::Booking))
        || words.iter().any(|t| matches!(&*t.text, "передумала" | "передумал")) && understood.when.is_empty() && short
    {
        return Some(Intent::Decline);
    }
    let nothing_named = understood.when.is_empty() && understood.service_ids.is_empty() && understood.staff_ids.is_empty();
    // «Хотя нет»
    let after_all = words.len() <= 4 && words.windows(2).any(|w| w[0].text == "хотя" && w[1].text == "нет");
    if !question && nothing_named && (after_all || context.asked == Some(Asked::Confirm) && words.len() == 2 && words[1].text == "нет") {
        return Some(Intent::Decline);
    }
    // «Ой, я перепутала, не надо», «не, передумала, не надо ничего»
    let needless = (0..tokens.len()).any(|i| {
        let need = tokens.get(i + 1).is_some_and(|t| matches!(&*t.text, "надо" | "нужно"));
        let end = |t: Option<&Token>| t.is_none_or(|t| !t.is_word() || t.text.starts_with("ничего"));
        tokens[i].text == "не"
            && need
            && end(tokens.get(i + 2))
            && (i == 0 || !tokens[i - 1].is_word() || tokens[i - 1].is(Sense::Rather) || short)
    });
    let other_wish = words.iter().any(|t| t.cue(Cue::Cancel) || t.cue(Cue::Move) || t.cue(Cue::Write) || t.cue(Cue::Phone));
    if !question && needless && nothing_named && !other_wish && words.len() <= 8 {
        return Some(Intent::Decline);
    }
    // «Да без разницы»
    if understood.staff_any && context.asked == Some(Asked::Staff) && words.len() > 1 {
        return None;
    }
    let yes = at.cue(Cue::Yes) && (asked || !question);
    if yes {
        // «да нет», «хорошо бы», «да, но не в среду», «ладно, не надо»
        if next.is_some_and(|t| matches!(&*t.text, "нет" | "бы" | "не" | "ну")) && !words.iter().any(|t| t.text == "против")
        {
            return if next.is_some_and(|t| t.text == "бы" || t.text == "ну") { None } else { Some(Intent::Decline) };
        }
        if words[first + 1..].windows(2).any(|w| w[0].is(Sense::Not) && w[0].text == "не" && w[1].cue(Cue::Needless)) {
            return Some(Intent::Decline);
        }
        let names = !understood.service_ids.is_empty() || !understood.staff_ids.is_empty() || !understood.when.is_empty();
        let wish =
            matches!(&*at.text, "давайте" | "давай" | "хочу" | "удобно" | "точно" | "идет" | "хорошо" | "беру" | "подойдет" | "устроит")
                && !asked
                && context.offered.is_empty()
                && (words.len() > 2 || names || at.text == "хочу" && words.len() > 1);
        let evaluated = matches!(&*at.text, "отлично" | "супер" | "класс" | "прекрасно" | "замечательно" | "perfect" | "great" | "fine")
            && words.iter().any(|t| t.cue(Cue::Thanks))
            && !asked;
        return (asked || !(wish || evaluated || understood.choice.is_some())).then_some(Intent::Confirm);
    }
    let any_yes = words.iter().any(|t| {
        matches!(
            &*t.text,
            "подтверждаю"
                | "подходит"
                | "устраивает"
                | "согласна"
                | "согласен"
                | "верно"
                | "записывайте"
                | "бронируйте"
                | "годится"
                | "пойдет"
                | "договорились"
                | "works"
                | "confirm"
        )
    });
    let no = words.windows(2).any(|w| w[0].is(Sense::Not) && (w[1].cue(Cue::Fits) || w[1].cue(Cue::Yes)));
    // «в следующий раз», «другое время», «ничего не подходит»
    if no && (asked || short) && !question {
        return Some(Intent::Decline);
    }
    if any_yes && !question && !no && (asked || short || !context.offered.is_empty()) {
        return Some(Intent::Confirm);
    }
    // «Приду в другой раз»
    let another_time = words.windows(2).any(|w| (w[0].cue(Cue::Other) || w[0].is(Sense::Next)) && w[1].cue(Cue::Once));
    if another_time && !question && understood.when.is_empty() {
        return Some(Intent::Decline);
    }
    // A visit to come is confirmed by «буду», «приду», «придём».
    if words.iter().any(|t| matches!(&*t.text, "буду" | "приду" | "придем" | "будем"))
        && words.len() <= 6
        && !question
        && (!words.iter().any(|t| t.is(Sense::Not)) || words.iter().any(|t| t.cue(Cue::Cancel)))
        && understood.when.is_empty()
        && !words.iter().any(|t| t.is(Sense::Later))
        // «Спасибо, ещё приду к вам»
        && !(words.iter().any(|t| t.cue(Cue::Thanks)) && words.iter().any(|t| t.text == "еще" || t.text == "снова"))
    {
        return Some(Intent::Confirm);
    }
    None
}

pub(super) fn review(sentences: &[Sentence<'_>], context: &Context, understood: &Understood) -> bool {
    if context.asked == Some(Asked::Review) {
        let about = sentences.iter().any(|s| s.has(Cue::Liked) || s.has(Cue::Review) || s.has(Cue::Star) || s.has(Cue::Bad));
        let praise = sentences
            .iter()
            .any(|s| s.has(Cue::Yes) || s.says(&["хорошо", "нормально", "неплохо", "вежливо", "good", "nice", "аккуратно", "красиво"]));
        return understood.rating.is_some() || about || praise && understood.when.is_empty();
    }
    let leaves = sentences.iter().any(|s| {
        s.has(Cue::Review)
            && (s.has(Cue::Want)
                || s.says(&["оставить", "написать", "оставлю", "поставлю", "ставлю", "leave", "моя", "мой"])
                || s.tokens.len() <= 4)
            && !s.says(&["почитать", "посмотреть", "прочитать", "read"])
    });
    let past = sentences.iter().any(|s| {
        s.has(Cue::Liked)
            && (s.says(&["понравилось", "понравилась", "понравился", "loved", "довольна", "доволен", "восторге"])
                || s.says(&["советую", "рекомендую"]) && s.has(Cue::Master))
            && !s.question
            && !s.tokens.windows(2).any(|w| w[0].is(Sense::Not))
    });
    leaves || understood.rating.is_some() || past && sentences.len() <= 2 && !sentences.iter().any(|s| s.has(Cue::Book))
}

/// «Спасибо за маникюр»
pub(super) fn thanks_for(s: &Sentence<'_>) -> bool {
    let given = s.tokens.iter().position(|t| t.cue(Cue::Thanks)).map(|at| &s.tokens[at + 1..]);
    given.is_some_and(|rest| rest.iter().take(2).any(|t| t.prep(Prep::Within) || t.text == "for")) && !s.has(Cue::Can) && !s.has(Cue::Want)
}

pub(super) fn greets(tokens: &[Token]) -> bool {
    // «Добрый!»
    if let [only, rest @ ..] = tokens
        && only.cue(Cue::Good)
        && rest.iter().all(|t| !t.is_word() && t.kind != Kind::Number)
    {
        return true;
    }
    tokens.iter().enumerate().any(|(i, t)| t.cue(Cue::Hello) || facts::greets_by_day(tokens, i))
}
