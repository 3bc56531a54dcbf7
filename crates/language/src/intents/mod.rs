//! What a message is for. Cues are words in all their forms; what counts is which of them stand
//! together in one sentence, what is denied and what is asked.

mod answers;
mod bookings;
mod questions;
mod wishes;

pub(crate) use bookings::{changes_time, other_time_asked, supposes_late};

use answers::{answer, greets, review, thanks_for};
use bookings::{Cancelling, asks_anew, cancels, gives_up_time, late, moves, my_bookings};
use questions::{asks_price_and_time, free_times, idle_question, price, services, staff};
use wishes::{complaint, human, stop};

use crate::{
    Asked, Context, InfoTopic, Intent, Understood, info,
    lexicon::{Cue, Prep, Sense, Unit},
    refused,
    text::{Kind, Text, Token},
};

fn names_part(t: Option<&Token>) -> bool {
    t.is_some_and(|t| t.find(|s| matches!(s, Sense::Part(_)).then_some(())).is_some())
}

fn names_day(t: &Token) -> bool {
    t.weekday().is_some() || t.find(|s| matches!(s, Sense::Rel(_)).then_some(())).is_some()
}

/// «Всё равно», «без разницы», «любой», «не важно».
pub(crate) fn indifferent(tokens: &[Token]) -> bool {
    tokens.iter().enumerate().any(|(i, t)| {
        let before = i.checked_sub(1).map(|i| &tokens[i]);
        t.cue(Cue::Any)
            || t.cue(Cue::Equal)
            || t.cue(Cue::Difference)
                && before.is_some_and(|t| t.is(Sense::Not) || t.prep(Prep::Without) || t.cue(Cue::What) || t.text == "no")
    })
}

/// One sentence of the message.
pub(crate) struct Sentence<'a> {
    pub(crate) tokens: &'a [Token],
    pub(crate) question: bool,
}

impl Sentence<'_> {
    pub(crate) fn has(&self, cue: Cue) -> bool {
        self.tokens.iter().any(|t| t.cue(cue))
    }
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        self.tokens.iter().any(|t| words.contains(&t.text.as_str()))
    }
    /// «Не» stands before the word, over one or two little ones, or «не надо» around it.
    fn denied(&self, i: usize) -> bool {
        let before = &self.tokens[i.saturating_sub(4)..i];
        let before = before.iter().rposition(Token::ends_clause).map_or(before, |at| &before[at + 1..]);
        let direct = before.iter().rev().enumerate().any(|(n, t)| {
            t.is(Sense::Not)
                && (n == 0
                    || before[before.len() - n..].iter().all(|t| {
                        t.cue(Cue::Needless)
                            || t.cue(Cue::Want)
                            || t.cue(Cue::My)
                            || t.cue(Cue::Please)
                            || t.cue(Cue::Write)
                            || t.text == "ничего"
                            || t.text == "собираюсь"
                            || t.text == "планирую"
                            || t.text == "пока"
                            || t.text == "вы"
                            || t.text == "to"
                    }))
        });
        // «отменять не надо», «отменять не буду»
        let after = &self.tokens[i + 1..(i + 4).min(self.tokens.len())];
        let after_denied = after.windows(2).any(|w| {
            w[0].is(Sense::Not)
                && w[0].text == "не"
                && (w[1].cue(Cue::Needless) || w[1].text == "буду" || w[1].text == "собираюсь" || w[1].text == "прошу")
        });
        direct || after_denied || before.iter().any(|t| matches!(&*t.text, "don't" | "dont" | "never"))
    }
}

/// English asks by its first word, whatever the marks.
fn asks_in_english(tokens: &[Token]) -> bool {
    let auxiliary = |t: &Token| {
        matches!(&*t.text, "do" | "does" | "is" | "are" | "what" | "what's" | "where" | "how" | "who" | "which" | "when") && t.latin
    };
    let first = tokens.iter().position(|t| t.is_word() && !t.cue(Cue::Hello) && !t.is(Sense::And));
    // "Do not cancel" asks nothing.
    first.is_some_and(|at| auxiliary(&tokens[at]) && tokens.get(at + 1).is_none_or(|t| t.text != "not"))
}

/// The message by its full stops alone: a line may break inside a sentence.
fn unbroken(tokens: &[Token]) -> Vec<Sentence<'_>> {
    let ends = |t: &Token| t.ends_sentence() && t.kind != Kind::LineEnd;
    tokens
        .split_inclusive(ends)
        .map(|tokens| Sentence { tokens, question: tokens.iter().any(|t| t.mark('?')) || asks_in_english(tokens) })
        .collect()
}

fn sentences(tokens: &[Token]) -> Vec<Sentence<'_>> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut i = 0;
    while i < tokens.len() {
        if tokens[i].ends_sentence() {
            let end = (i..tokens.len()).find(|k| !tokens[*k].ends_sentence()).unwrap_or(tokens.len());
            let question = tokens[i..end].iter().any(|t| t.mark('?')) || asks_in_english(&tokens[start..i]);
            if i > start {
                sentences.push(Sentence { tokens: &tokens[start..i], question });
            }
            start = end;
            i = end;
        } else {
            i += 1;
        }
    }
    if start < tokens.len() {
        sentences.push(Sentence { tokens: &tokens[start..], question: asks_in_english(&tokens[start..]) });
    }
    sentences
}

/// Reads the intents, most certain first and never empty, and what is asked of the salon itself.
pub(crate) fn read(text: &Text, context: &Context, understood: &Understood, trade: bool) -> (Vec<Intent>, Vec<InfoTopic>) {
    let tokens = &text.tokens;
    let sentences = sentences(tokens);
    let mut found: Vec<Intent> = Vec::new();
    let any = |is: &dyn Fn(&Sentence<'_>) -> bool| sentences.iter().any(is);
    let wanted = Wanted { understood, trade };

    if any(&stop) {
        add(&mut found, Intent::Stop);
    }
    if any(&|s| human(s, tokens)) {
        add(&mut found, Intent::Human);
    }
    if complaint(&sentences, context) {
        add(&mut found, Intent::Complaint);
    }
    let cancels = cancels(&sentences, &wanted);
    // «Не смогу завтра, можно на пятницу?», «не приду завтра, перенесите на среду»
    let moved = moves(&sentences);
    let instead = cancels == Cancelling::Away && (moved || !understood.when.is_empty() && asks_anew(tokens));
    // «Сегодня не получается, давайте завтра в то же время»
    let shifted = understood.same_time && !understood.when_refused.is_empty() && !understood.when.is_empty();
    let given_up = !understood.when.is_empty() && gives_up_time(&sentences, tokens);
    // «Замените маникюр на педикюр»
    let replaced = (0..tokens.len()).any(|i| refused::swapped(tokens, i).is_some());
    // «Можно в мою запись вместо стрижки окрашивание?»
    let mine_instead =
        |s: &Sentence<'_>| s.has(Cue::Booking) && s.has(Cue::My) && (0..s.tokens.len()).any(|i| refused::instead(s.tokens, i));
    let replaced = replaced || wanted.service() && any(&mine_instead);
    // «Не смогу в пятницу, давайте на другой день»
    let another =
        |s: &Sentence<'_>| s.tokens.windows(2).any(|w| w[0].cue(Cue::Other) && (w[1].unit() == Some(Unit::Day) || w[1].cue(Cue::Time)));
    let nothing_open = context.asked.is_none() && context.offered.is_empty();
    let elsewhen = nothing_open && !understood.when_refused.is_empty() && any(&another);
    let moves = moved || instead || shifted || given_up || replaced || elsewhen;
    let cancelled = !instead && matches!(cancels, Cancelling::Wanted | Cancelling::Away);
    if cancelled {
        add(&mut found, Intent::Cancel);
    }
    if moves {
        add(&mut found, Intent::Reschedule);
    }
    if context.asked != Some(Asked::Review) && !given_up && any(&|s| late(s)) {
        add(&mut found, Intent::Late);
    }
    if review(&sentences, context, understood) {
        add(&mut found, Intent::Review);
    }
    let mine = any(&|s| my_bookings(s)) && !cancelled && !moves;
    if mine {
        add(&mut found, Intent::MyBookings);
    }
    if cancels == Cancelling::Asked {
        add(&mut found, Intent::Info);
    }
    let named = wanted.named();
    let other_business = found.iter().any(|i| {
        matches!(
            i,
            Intent::Cancel | Intent::Reschedule | Intent::Late | Intent::Review | Intent::Stop | Intent::MyBookings | Intent::Complaint
        )
    });

    // Questions.
    let price = any(&|s| price(s));
    let free = unbroken(tokens).iter().any(|s| free_times(s, understood));
    let mut topics: Vec<InfoTopic> = Vec::new();
    if cancels == Cancelling::Asked {
        topics.push(InfoTopic::Cancellation);
    }
    for topic in sentences.iter().flat_map(info::topics) {
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    let info = topics.iter().any(|topic| *topic != InfoTopic::Cancellation);
    let services = any(&|s| services(s, &wanted));
    let staff = any(&|s| staff(s, understood));
    let answer = answer(text, &sentences, context, understood);
    // «Да, записывайте» is a yes; with a wish in it, a wish too.
    let plain_yes = answer == Some(Intent::Confirm) && !named && understood.people == 1;
    let books = (any(&|s| books(s, &wanted)) && !plain_yes && !matches!(cancels, Cancelling::Asked | Cancelling::Kept))
        || understood.same_as_last && !other_business
        || price && any(&asks_price_and_time);
    let picks = understood.choice.is_some() && !price && !info && !moves;
    if picks {
        add(&mut found, Intent::Choose);
    }
    if price {
        add(&mut found, Intent::Price);
    }
    if free && !mine && !moves && !other_business {
        add(&mut found, Intent::FreeTimes);
    }
    if staff {
        add(&mut found, Intent::Staff);
    }
    // "Do you take cards?" asks for no treatment.
    if services && !price && (wanted.service() || !info) {
        add(&mut found, Intent::Services);
    }
    if info && !(moves && named) {
        add(&mut found, Intent::Info);
    }
    // «Отмените маникюр и запишите на стрижку»
    let anew = cancelled && wanted.service() && any(&|s| s.tokens.iter().enumerate().any(|(i, t)| books_by_name(t) && !s.denied(i)));
    if books && (!other_business || anew) {
        add(&mut found, Intent::Book);
    }
    match answer {
        Some(Intent::Confirm) if !other_business || context.asked == Some(Asked::Confirm) => {
            // «Да, в 15» is a yes that says more; «хорошо, а сколько стоит» a question.
            if context.asked == Some(Asked::Confirm) && understood.when.is_empty() && !price && !info && !free {
                found.insert(0, Intent::Confirm);
            } else {
                add(&mut found, Intent::Confirm);
            }
        }
        Some(Intent::Decline)
            if ![Intent::Cancel, Intent::Stop, Intent::Human, Intent::Complaint].iter().any(|intent| found.contains(intent)) =>
        {
            if understood.when.is_empty() && !wanted.service() && !moves {
                found.insert(0, Intent::Decline);
            } else {
                add(&mut found, Intent::Decline);
            }
        }
        _ => {}
    }
    // «Завтра никак»: who asks for nothing else cannot come as booked.
    let cannot = |s: &Sentence<'_>| {
        let not = s.tokens.windows(2).any(|w| w[0].is(Sense::Not) && w[1].cue(Cue::Can1));
        !s.question && (not || s.has(Cue::Busy)) && !s.tokens.iter().any(|t| t.is(Sense::Except))
    };
    let kept_away = nothing_open && !understood.when_refused.is_empty() && !named && !books && sentences.iter().all(cannot);
    if kept_away && !other_business {
        found.retain(|intent| *intent != Intent::Decline);
        add(&mut found, Intent::Reschedule);
    }
    // A bare service, master or time.
    let asks_only = price || info || services || staff || free || matches!(cancels, Cancelling::Asked | Cancelling::Kept);
    let nothing_else = !other_business && !kept_away && !asks_only && !books && !picks;
    if nothing_else
        && (named
            // «Перезвоните кто-нибудь»
            || understood.staff_any && !found.contains(&Intent::Human)
            || !understood.staff_not_ids.is_empty()
            || understood.staff_same
            || understood.same_time
            || understood.same_day
            || !understood.when_refused.is_empty() && found_is_only_small(&sentences))
        && !human_only(&sentences)
        && !any(&thanks_for)
        // «Спасибо, отлично подстригли»
        && !(understood.when.is_empty() && any(&|s| s.has(Cue::Thanks) && s.has(Cue::PastVisit)))
        && !any(&|s| s.has(Cue::Thanks) && s.says(&["передайте", "передай"]))
        // «Спасибо Анечке!»
        && (!understood.service_ids.is_empty()
            || !understood.when.is_empty()
            || understood.staff_ids.is_empty()
            || !any(&|s| s.has(Cue::Thanks)))
        && !(only_time(understood) && sentences.iter().any(idle_question))
    {
        add(&mut found, Intent::Book);
    }
    // «В любой день», «а на другой день?»
    let some_other = |s: &Sentence<'_>| {
        s.tokens.windows(2).any(|w| {
            (w[0].cue(Cue::Any) && context.asked.is_some() || w[0].cue(Cue::Other))
                && (w[1].unit() == Some(Unit::Day) || w[1].cue(Cue::Time) || w[1].cue(Cue::Variant) || w[1].text == "дату")
        })
    };
    if nothing_else
        && !named
        && (any(&some_other) || matches!(context.asked, Some(Asked::Time | Asked::Day)) && indifferent(tokens) && tokens.len() <= 3)
        && (context.asked.is_some() || !context.offered.is_empty())
        && !found.contains(&Intent::Decline)
    {
        add(&mut found, Intent::Book);
    }
    // «Как можно скорее», «в ближайшие дни»
    let soon = |s: &Sentence<'_>| {
        s.tokens.iter().enumerate().any(|(i, t)| {
            t.cue(Cue::Soon)
                || t.is(Sense::Earlier) && i > 0 && s.tokens[i - 1].cue(Cue::Can)
                || t.is(Sense::Nearest) && s.tokens[i..].iter().take(2).any(|t| t.unit() == Some(Unit::Day))
        })
    };
    if nothing_else && !named && (understood.when_impossible || understood.people > 1 || any(&soon)) {
        add(&mut found, Intent::Book);
    }
    // «Ой нет, не в пятницу, а в субботу» declines nothing where nothing was asked.
    if nothing_open && found.first() == Some(&Intent::Decline) && found.contains(&Intent::Book) && !understood.when_refused.is_empty() {
        found.rotate_left(1);
    }
    if any(&|s| s.has(Cue::Thanks)) {
        add(&mut found, Intent::Thanks);
    }
    if greets(tokens) {
        add(&mut found, Intent::Greeting);
    }
    if found.is_empty() {
        found.push(Intent::Other);
    }
    if !found.contains(&Intent::Info) {
        topics.clear();
    }
    (found, topics)
}

/// Each intent once.
fn add(found: &mut Vec<Intent>, intent: Intent) {
    if !found.contains(&intent) {
        found.push(intent);
    }
}

struct Wanted<'a> {
    understood: &'a Understood,
    trade: bool,
}

impl Wanted<'_> {
    /// Something that can be booked was said.
    fn named(&self) -> bool {
        let u = self.understood;
        self.service() || !u.staff_ids.is_empty() || !u.when.is_empty() || u.shift_minutes.is_some() || u.staff_unknown.is_some()
    }
    fn service(&self) -> bool {
        !self.understood.service_ids.is_empty() || self.trade
    }
}

fn only_time(u: &Understood) -> bool {
    u.service_ids.is_empty() && u.staff_ids.is_empty() && !u.staff_any && u.people == 1
}

fn found_is_only_small(sentences: &[Sentence<'_>]) -> bool {
    sentences.iter().all(|s| !s.has(Cue::Thanks))
}

fn human_only(sentences: &[Sentence<'_>]) -> bool {
    sentences.iter().any(|s| s.has(Cue::Human)) && sentences.iter().all(|s| !s.has(Cue::Book))
}

/// «Во сколько», «к скольки», «когда».
fn words_of_time(s: &Sentence<'_>) -> bool {
    let which_hour = |w: &[Token]| (w[0].text.starts_with("котор") || w[0].text.starts_with("как")) && w[1].unit() == Some(Unit::Hour);
    s.tokens.windows(2).any(|w| (w[0].prep(Prep::At) || w[0].prep(Prep::To)) && w[1].text.starts_with("скольк"))
        || s.tokens.windows(3).any(|w| (w[0].prep(Prep::At) || w[0].prep(Prep::To)) && which_hour(&w[1..]))
        || s.says(&["когда", "when"])
}

/// «Запишите», «записаться»: no «запись» that may be the booking that stands.
fn books_by_name(t: &Token) -> bool {
    t.cue(Cue::Book) && (t.text.starts_with("запиши") || t.text.starts_with("записать") || t.text == "book")
}

fn books(s: &Sentence<'_>, wanted: &Wanted<'_>) -> bool {
    let u = wanted.understood;
    let named = wanted.named() || u.staff_any || u.staff_same;
    let verb = s
        .tokens
        .iter()
        .enumerate()
        .any(|(i, t)| t.cue(Cue::Book) && !s.denied(i) && !(matches!(&*t.text, "записывать" | "записали" | "записал") && s.question));
    let noun = s.tokens.iter().any(|t| matches!(&*t.text, "запись" | "appointment" | "записи" | "booking"))
        && (s.has(Cue::Want) || s.has(Cue::Can) || s.tokens.len() <= 6)
        && !s.has(Cue::Cancel)
        && !s.has(Cue::Remind)
        && !s.question | s.has(Cue::Can);
    let visit = s.tokens.iter().any(|t| {
        matches!(&*t.text, "прийти" | "попасть" | "подойти" | "придти" | "приехать" | "подъехать" | "come" | "заскочить" | "зайти")
    }) && (s.has(Cue::Can) || s.has(Cue::Want));
    let about_known = s.has(Cue::Want) && named && !(s.question && (s.has(Cue::HowMuch) || s.has(Cue::Cost)));
    let wish = s.has(Cue::Can) && named && !s.has(Cue::Health) && !s.has(Cue::Pay) && !s.has(Cue::Park) && !s.has(Cue::Remind);
    let asks_when = s.tokens.iter().any(|t| matches!(&*t.text, "когда" | "when" | "которого" | "скольки")) || s.has(Cue::HowMuch);
    let meant = wanted.service() || !u.when.is_empty() || !u.staff_ids.is_empty();
    !asks_when && (verb || visit && (named || !s.question) || (about_known || wish) && meant || noun && named) || noun && !s.has(Cue::My)
}
