//! Works that a message names in order to refuse them: «стрижку не надо», «без маникюра», «вместо педикюра».

use std::ops::Range;

use crate::{
    lexicon::{Cue, Prep, Sense, Trade},
    morphology,
    text::Token,
};

/// Which tokens name work that is not wanted. `used` are those that name a time or a master.
/// `codes` those of this list's own works that the trade has no word for: «2D».
pub(crate) fn works(tokens: &[Token], used: &[bool], codes: &[bool]) -> Vec<bool> {
    let mut refused = vec![false; tokens.len()];
    // Who cancels or moves names the booking, not a wish.
    let changes = tokens.iter().any(|t| t.cue(Cue::Cancel) || t.cue(Cue::Move));
    let mut start = 0;
    while start < tokens.len() {
        let end = (start..tokens.len()).find(|i| divides(&tokens[*i])).unwrap_or(tokens.len());
        if changes {
            // «Отмените маникюр, педикюр оставьте»
            let elsewhere = tokens[..start].iter().chain(&tokens[end..]).any(names_work);
            if elsewhere && stays(&tokens[start..end]) {
                refused[start..end].fill(true);
            }
            start = end + 1;
            continue;
        }
        for i in start..end {
            let after = |n: usize| (i + n < end).then(|| &tokens[i + n]);
            if instead(tokens, i) {
                let work = (i + 1..end).find(|k| names_work(&tokens[*k]) && tokens[*k].trades().any(Trade::is_head));
                let last = if tokens[i].latin { work } else { of_genitive(tokens, i + 1, end) };
                last.into_iter().for_each(|last| refused[i + 1..=last].fill(true));
                continue;
            }
            // «Замените маникюр на педикюр», «аллергия на хну»
            if let Some(dropped) = swapped(tokens, i).filter(|dropped| dropped.end < end) {
                refused[dropped].fill(true);
                continue;
            }
            if tokens[i].text.starts_with("аллерги") && after(1).is_some_and(|t| t.prep(Prep::On)) {
                (i + 2..end).find(|k| names_work(&tokens[*k])).into_iter().for_each(|work| refused[work] = true);
                continue;
            }
            // "No beard"
            if tokens[i].text == "no" && after(1).is_some_and(names_work) {
                refused[i..end].fill(true);
                continue;
            }
            if !tokens[i].is(Sense::Not) || tokens[start..end].iter().any(all_the_rest) {
                continue;
            }
            // «Не маникюр», «не на маникюр», «не с гелем»
            let little = after(1).is_some_and(|t| t.prep(Prep::On) || matches!(&*t.text, "с" | "со"));
            let next = 1 + usize::from(little);
            if after(next).is_some_and(names_work) || after(next).is_some() && codes[i + next] {
                // «Мне не лазер мне шугаринг»
                let wish = (i + next + 1..end).find(|k| tokens[*k].text == "мне" || tokens[*k].cue(Cue::Book) || asks(&tokens[*k]));
                refused[i..wish.unwrap_or(end)].fill(true);
            } else if tokens[i].latin || after(1).is_some_and(unwanted) {
                let first = i + 1 + usize::from(!tokens[i].latin);
                // «Не хочу в субботу» refuses the day.
                let of_time = (first..end).next().is_some_and(|k| used[k] || tokens[k].find(is_prep).is_some());
                let wish = (start..i).rev().find(|k| tokens[*k].cue(Cue::Book) || asks(&tokens[*k]));
                let before = wish.map_or(start, |wish| wish + 1)..i;
                let named = |k: usize| names_work(&tokens[k]) || codes[k];
                let work_after = (first..end).any(named);
                let said_before = before.clone().any(named);
                // «Стрижку не надо», and with the wish before it «хочу укладку не надо стрижку»
                if said_before && !(wish.is_some() && work_after) {
                    refused[before].fill(!of_time);
                } else if work_after {
                    let wish = (first..end).find(|k| tokens[*k].cue(Cue::Book) && !tokens[i + 1].cue(Cue::Book));
                    refused[first..wish.unwrap_or(end)].fill(true);
                }
            }
        }
        start = end + 1;
    }
    refused
}

/// What a clause names is to stay as it is booked.
fn stays(clause: &[Token]) -> bool {
    let kept = |t: &Token| t.cue(Cue::Needless) || t.cue(Cue::Cancel) || t.cue(Cue::Move);
    clause.iter().any(|t| t.text.starts_with("остав")) || clause.windows(2).any(|w| w[0].is(Sense::Not) && kept(&w[1]))
}

/// Another wish begins behind it.
fn divides(token: &Token) -> bool {
    token.ends_clause() || matches!(&*token.text, "а" | "но" | "зато" | "только" | "лишь" | "просто" | "but" | "just" | "only")
}

fn names_work(token: &Token) -> bool {
    token.trades().next().is_some()
}

fn is_prep(sense: Sense) -> Option<()> {
    matches!(sense, Sense::Prep(_)).then_some(())
}

/// «Хочу», «надо», not «бы» nor «мне».
fn asks(token: &Token) -> bool {
    token.cue(Cue::Want) && !matches!(&*token.text, "мне" | "бы")
}

/// What stands behind «не» when a work is refused.
fn unwanted(token: &Token) -> bool {
    token.cue(Cue::Needless)
        || asks(token)
        || token.cue(Cue::Book)
        || matches!(
            &*token.text,
            "будем"
                | "делаем"
                | "делайте"
                | "делать"
                | "планирую"
                | "собираюсь"
                | "нужен"
                | "нужна"
                | "нужны"
                | "трогать"
                | "трогайте"
                | "трогаем"
        )
}

/// «Больше ничего не надо» refuses nothing that was named.
fn all_the_rest(token: &Token) -> bool {
    token.text.starts_with("ничего") || token.text.starts_with("никаких") || token.text.starts_with("остальн") || token.text == "else"
}

/// «Вместо маникюра», "instead of a manicure".
pub(crate) fn instead(tokens: &[Token], i: usize) -> bool {
    tokens[i].text == "вместо" || tokens[i].text == "of" && i > 0 && tokens[i - 1].text == "instead"
}

/// The last word of what stands in the genitive from `start` on: «маникюра с гель-лаком | классический».
fn of_genitive(tokens: &[Token], start: usize, end: usize) -> Option<usize> {
    let mut last = None;
    let mut with = false;
    for (i, token) in tokens.iter().enumerate().take(end).skip(start) {
        let goes_on = token.mark('-') || with || morphology::may_be_genitive(&token.text);
        with = matches!(&*token.text, "с" | "со") || with && (token.mark('-') || tokens.get(i + 1).is_some_and(|t| t.mark('-')));
        if !(goes_on || with) {
            break;
        }
        last = Some(i);
    }
    last
}

/// «Замените маникюр на педикюр»: the tokens of the work that another one replaces.
pub(crate) fn swapped(tokens: &[Token], change: usize) -> Option<Range<usize>> {
    tokens[change].cue(Cue::Change).then_some(())?;
    let end = (change..tokens.len()).find(|i| divides(&tokens[*i])).unwrap_or(tokens.len());
    let work = |t: &Token| names_work(t) && !t.cue(Cue::Change);
    let to = (change + 2..end).find(|k| tokens[*k].prep(Prep::On) && tokens[*k + 1..end].iter().take(3).any(work))?;
    tokens[change + 1..to].iter().any(work).then_some(change + 1..to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    #[test]
    fn refused_works() {
        let cases = [
            ("стрижку не надо, только бороду", "стрижку"),
            ("стрижку не надо только бороду", "стрижку"),
            ("только бороду, стрижку не нужно", "стрижку"),
            ("стрижка не нужна, только борода", "стрижка"),
            ("не стрижку, а бороду", "стрижку"),
            ("не на маникюр, а на педикюр", "маникюр"),
            ("мне не лазер мне шугаринг", "лазер"),
            ("не хочу маникюр, хочу педикюр", "маникюр"),
            ("хочу укладку, а стрижку не хочу", "стрижку"),
            ("хочу педикюр не надо маникюр", "маникюр"),
            ("маникюр не буду, педикюр да", "маникюр"),
            ("маникюр и педикюр не делаем, только брови", "маникюр педикюр"),
            ("педикюр вместо маникюра", "маникюра"),
            ("вместо гель-лака классический", "гель лака"),
            ("вместо маникюра с гель-лаком классический", "маникюра гель лаком"),
            ("вместо спортивного массажа классический", "спортивного массажа"),
            ("замените маникюр с гель-лаком на классический", "маникюр гель лаком"),
            ("у меня аллергия на хну, коррекция только", "хну"),
            ("i don't need a haircut, just styling", "haircut"),
            ("бороду не трогайте, подстригите", "бороду"),
            ("haircut, no beard", "beard"),
            ("маникюр, больше ничего не надо", ""),
            ("стрижку больше ничего не надо", ""),
            ("маникюр не хочу в субботу, лучше в среду", ""),
            ("не надо отменять маникюр", ""),
            ("отмените маникюр, педикюр оставьте", "педикюр"),
            ("не отменяйте педикюр, только маникюр отмените", "педикюр"),
            ("отмените запись, стрижку не надо", ""),
            ("отмените маникюр женский, педикюр без покрытия оставьте", "педикюр покрытия"),
            ("не забудьте снять покрытие", ""),
            ("маникюр и педикюр", ""),
        ];
        for (message, expected) in cases {
            let text = Text::read(message);
            let refused = works(&text.tokens, &vec![false; text.tokens.len()], &vec![false; text.tokens.len()]);
            let named = text.tokens.iter().zip(refused).filter(|(t, refused)| *refused && names_work(t));
            let named: Vec<&str> = named.map(|(t, _)| t.text.as_str()).collect();
            assert_eq!(named.join(" "), expected, "«{message}»");
        }
    }
}
