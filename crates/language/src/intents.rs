//! What a message is for. Cues are words in all their forms; what counts is which of them stand
//! together in one sentence, what is denied and what is asked.

use crate::{
    Asked, Context, InfoTopic, Intent, Understood, facts, info,
    lexicon::{Cue, Prep, Sense, Trade, Unit},
    morphology,
    text::{Kind, Text, Token},
};

/// «Я записана на завтра на 10, можно на 11?»: where the other time is asked for.
pub(crate) fn other_time_asked(tokens: &[Token]) -> Option<usize> {
    let moment = |t: &Token| t.kind == Kind::Number || t.cardinal().is_some() || names_day(t);
    let mine = |i: usize| tokens[i.saturating_sub(3)..i].iter().any(|t| matches!(&*t.text, "меня" | "я" | "мы" | "нас"));
    let stands = (0..tokens.len()).find(|i| {
        let booked = tokens[*i].cue(Cue::Booked) && tokens[*i].text != "booked";
        (booked || tokens[*i].text == "запись") && mine(*i)
    })?;
    let told = tokens[stands..].iter().position(|t| t.ends_clause() || t.is(Sense::But) || t.text == "можно").map(|at| stands + at)?;
    let known = tokens[stands.saturating_sub(3)..told].iter().any(moment);
    (told..tokens.len()).find(|i| {
        let asks = matches!(&*tokens[*i].text, "можно" | "могу" | "хочу" | "хотела" | "хотел" | "давайте" | "надо" | "нужно");
        let at = (i + 1..i + 4).find(|k| tokens.get(*k).is_some_and(|t| t.prep(Prep::On) || t.prep(Prep::At)));
        known && asks && at.is_some_and(|at| tokens.get(at + 1).is_some_and(moment))
    })
}

fn names_part(t: Option<&Token>) -> bool {
    t.is_some_and(|t| t.find(|s| matches!(s, Sense::Part(_)).then_some(())).is_some())
}

fn names_day(t: &Token) -> bool {
    t.weekday().is_some() || t.find(|s| matches!(s, Sense::Rel(_)).then_some(())).is_some()
}

/// «Поменять время», «поменять на пятницу»: a booking is to be moved without the word.
pub(crate) fn changes_time(tokens: &[Token]) -> bool {
    other_time_asked(tokens).is_some() || swaps_time(tokens)
}

fn swaps_time(tokens: &[Token]) -> bool {
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
    tokens.iter().find(|t| t.is_word() && !t.cue(Cue::Hello) && !t.is(Sense::And)).is_some_and(auxiliary)
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
    // «Не смогу завтра, можно на пятницу?»
    let instead = cancels == Cancelling::Away && !understood.when.is_empty() && asks_anew(tokens);
    let moves = moves(&sentences) || instead;
    let cancelled = !instead && matches!(cancels, Cancelling::Wanted | Cancelling::Away);
    if cancelled {
        add(&mut found, Intent::Cancel);
    }
    if moves {
        add(&mut found, Intent::Reschedule);
    }
    if context.asked != Some(Asked::Review) && any(&|s| late(s)) {
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
    let books = (any(&|s| books(s, &wanted)) && !plain_yes && cancels != Cancelling::Asked) || understood.same_as_last && !other_business;
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
    if books && !other_business {
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
        Some(Intent::Decline) if ![Intent::Cancel, Intent::Stop, Intent::Human].iter().any(|intent| found.contains(intent)) => {
            if understood.when.is_empty() && !wanted.service() && !moves {
                found.insert(0, Intent::Decline);
            } else {
                add(&mut found, Intent::Decline);
            }
        }
        _ => {}
    }
    // A bare service, master or time.
    let asks_only = price || info || services || staff || free || cancels == Cancelling::Asked;
    let nothing_else = !other_business && !asks_only && !books && !picks;
    if nothing_else
        && (named
            || understood.staff_any
            || !understood.staff_not_ids.is_empty()
            || understood.staff_same
            || understood.same_time
            || understood.same_day
            || !understood.when_refused.is_empty() && found_is_only_small(&sentences))
        && !human_only(&sentences)
        && !any(&thanks_for)
        // «Спасибо Анечке!»
        && (wanted.service() || !understood.when.is_empty() || understood.staff_ids.is_empty() || !any(&|s| s.has(Cue::Thanks)))
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

/// «Какая сегодня погода»: asks, but for nothing a salon has.
fn idle_question(s: &Sentence<'_>) -> bool {
    s.tokens.iter().any(|t| matches!(&*t.text, "какая" | "какой" | "какое" | "какие" | "почему" | "зачем" | "кто" | "what" | "why" | "who"))
        && !s.has(Cue::Can)
        && !s.has(Cue::Want)
        && !s.has(Cue::Book)
        && !s.has(Cue::Free)
}

fn found_is_only_small(sentences: &[Sentence<'_>]) -> bool {
    sentences.iter().all(|s| !s.has(Cue::Thanks))
}

fn human_only(sentences: &[Sentence<'_>]) -> bool {
    sentences.iter().any(|s| s.has(Cue::Human)) && sentences.iter().all(|s| !s.has(Cue::Book))
}

fn greets(tokens: &[Token]) -> bool {
    tokens.iter().enumerate().any(|(i, t)| t.cue(Cue::Hello) || facts::greets_by_day(tokens, i))
}

/// «Спасибо за маникюр»
fn thanks_for(s: &Sentence<'_>) -> bool {
    let given = s.tokens.iter().position(|t| t.cue(Cue::Thanks)).map(|at| &s.tokens[at + 1..]);
    given.is_some_and(|rest| rest.iter().take(2).any(|t| t.prep(Prep::Within) || t.text == "for")) && !s.has(Cue::Can) && !s.has(Cue::Want)
}

/// No more messages.
fn stop(s: &Sentence<'_>) -> bool {
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
fn human(s: &Sentence<'_>, all: &[Token]) -> bool {
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
            if (call || words <= 4 || s.question || s.tokens.iter().any(|t| t.prep(Prep::From))) && !told && !english_noise {
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

fn complaint(sentences: &[Sentence<'_>], context: &Context) -> bool {
    let bad = sentences.iter().any(|s| {
        s.tokens.iter().enumerate().any(|(i, t)| {
            let wanted = matches!(t.text.as_str(), "скол" | "сколы") && (s.has(Cue::Book) || s.has(Cue::Can));
            let unwell = t.text == "плохо" && i > 0 && s.tokens[i - 1].text == "мне" && s.tokens.get(i + 1).is_none_or(Token::ends_clause);
            let senses = t.text.starts_with("плох") && s.says(&["видно", "слышно", "вижу", "чувствую", "стало", "самочувствие", "себя"]);
            // «Ужас как хочу»
            let very = s.tokens.get(i + 1).is_some_and(|t| t.text == "как");
            let excused = unwell || wanted || senses || very || s.denied(i);
            t.cue(Cue::Bad) && !excused
        })
    });
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
        let waited = s.says(&["ждала", "ждал", "прождала", "прождал"])
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
    // «Сделали больно»
    let pain = sentences
        .iter()
        .any(|s| !s.question && s.has(Cue::PastVisit) && s.says(&["больно", "кровь", "крови", "грязно", "синяк", "синяки"]));
    hurts || spoilt || kept_waiting || pain || bad || disliked || redo && context.asked != Some(Asked::Review)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelling {
    No,
    /// A question about cancelling.
    Asked,
    Wanted,
    /// Without the word: «не смогу прийти».
    Away,
}

fn cancels(sentences: &[Sentence<'_>], wanted: &Wanted<'_>) -> Cancelling {
    let mut asked = false;
    let mut want = false;
    let mut denied = false;
    let mut stays_away = false;
    for s in sentences {
        for (i, t) in s.tokens.iter().enumerate() {
            let dropping = t.cue(Cue::Drop)
                && s.tokens.iter().any(|t| t.cue(Cue::Booking) && t.text != "прием" || t.cue(Cue::Booked))
                && !t.trades().any(|_| wanted.service() && !s.has(Cue::Booking))
                || t.cue(Cue::Drop) && matches!(&*t.text, "снимите" | "выпишите" | "вычеркните") && s.says(&["меня"]) && !wanted.service();
            // «Не приду», «не смогу прийти», «не получится прийти»
            let next = s.tokens.get(i + 1);
            let away = t.is(Sense::Not)
                && next.is_some_and(|n| {
                    matches!(&*n.text, "приду" | "придем" | "придет" | "приеду")
                        || n.cue(Cue::Can1)
                            && s.tokens[i + 2..].iter().take(4).any(|t| {
                                // «Не успеваю к 12, буду в 12:15» comes all the same.
                                let infinitive = t.latin || ["ть", "ти", "чь", "ся"].iter().any(|end| t.text.ends_with(end));
                                t.cue(Cue::Come) && !t.is(Sense::Not) && infinitive
                            })
                        // «Прийти не смогу»
                        || matches!(&*n.text, "смогу" | "сможем" | "могу" | "получится")
                            && i > 0
                            && s.tokens[i - 1].cue(Cue::Come)
                            && ["ть", "ти"].iter().any(|end| s.tokens[i - 1].text.ends_with(end))
                })
                && !s.says(&["раньше", "вовремя", "или", "успею", "in"])
                // «Больше не приду» leaves for good; it is no booking that is meant.
                && !(i > 0 && s.tokens[i - 1].text == "больше");
            let away = away
                || t.is(Sense::Not)
                    && matches!(&*t.text, "can't" | "cannot" | "cant" | "won't")
                    && s.tokens[i + 1..].iter().take(3).any(|t| matches!(&*t.text, "come" | "make"));
            if !(t.cue(Cue::Cancel) || dropping || away) {
                continue;
            }
            // «Хотела отменить, но передумала»
            let meant_to = s.tokens[..i].iter().any(|t| matches!(&*t.text, "хотела" | "хотел" | "думала" | "думал" | "собиралась"));
            let after_all = s.tokens[i..].iter().any(|t| matches!(&*t.text, "передумала" | "передумал" | "приду" | "буду"))
                && !s.tokens[i..].windows(2).any(|w| w[0].is(Sense::Not) && w[1].cue(Cue::Come));
            if !away && (s.denied(i) || meant_to && after_all) {
                denied = true;
                continue;
            }
            let doubt = s.has(Cue::If) || s.has(Cue::Whether);
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
    // «Отменять не надо» said anywhere outweighs a question about it.
    if want && !(denied && asked) {
        Cancelling::Wanted
    } else if stays_away && !(denied && asked) {
        Cancelling::Away
    } else if asked || denied && sentences.iter().any(|s| s.question) {
        Cancelling::Asked
    } else {
        Cancelling::No
    }
}

/// «Можно на пятницу», «давайте в субботу»: another time is asked for.
fn asks_anew(tokens: &[Token]) -> bool {
    let moment = |t: &Token| t.kind == Kind::Number || t.cardinal().is_some() || names_day(t) || t.is(Sense::Next) || names_part(Some(t));
    (0..tokens.len()).any(|i| {
        let asks = matches!(&*tokens[i].text, "можно" | "давайте" | "давай" | "лучше" | "хочу" | "хотела" | "хотел" | "а");
        asks && tokens[i + 1..].iter().take(4).any(moment) && !tokens[i + 1..].iter().take(4).any(|t| t.is(Sense::Not))
    })
}

fn moves(sentences: &[Sentence<'_>]) -> bool {
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

fn late(s: &Sentence<'_>) -> bool {
    let master = |i: usize| i > 0 && s.tokens[..i].iter().any(|t| t.cue(Cue::Master));
    let late = s.tokens.iter().enumerate().any(|(i, t)| {
        t.cue(Cue::Late)
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
    let runs = s.tokens.windows(2).any(|w| w[0].is(Sense::Not) && matches!(&*w[1].text, "успеваю" | "успею"))
        && !s.question
        && s.tokens.iter().any(|t| t.prep(Prep::To) || t.text == "вовремя");
    (late || traffic || later || runs) && (!supposes_late(s) || s.says(&["опаздываю"]))
}

/// «А если опоздаю?»
pub(crate) fn supposes_late(s: &Sentence<'_>) -> bool {
    s.has(Cue::Late)
        && s.question
        && (s.has(Cue::If) || s.has(Cue::HowMuch) || s.has(Cue::Whether))
        && !s.has(Cue::Traffic)
        && !s.says(&["опаздываю"])
}

fn review(sentences: &[Sentence<'_>], context: &Context, understood: &Understood) -> bool {
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

fn my_bookings(s: &Sentence<'_>) -> bool {
    let booked = s.has(Cue::Booked);
    let asks = s.question
        || s.has(Cue::When)
        || s.has(Cue::Remind)
        || s.has(Cue::HowMuch)
        || s.has(Cue::Whether)
        || s.has(Cue::Who)
        || s.has(Cue::Tell)
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
        && mine
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
    // «Проверьте, есть ли запись на моё имя»
    let on_my_name = booking && s.says(&["имя"]) && s.says(&["мое"]) && asks;
    // «К кому я иду завтра»
    let to_whom = s.has(Cue::Who) && s.says(&["я", "мы"]) && s.says(&["иду", "идем", "хожу", "попадаю", "попала", "записана", "записан"]);
    time_to_come
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

/// «Во сколько», «к скольки», «когда».
fn words_of_time(s: &Sentence<'_>) -> bool {
    s.tokens.windows(2).any(|w| (w[0].prep(Prep::At) || w[0].prep(Prep::To)) && w[1].text.starts_with("скольк"))
        || s.says(&["когда", "when"])
}

fn price(s: &Sentence<'_>) -> bool {
    let worth = s.tokens.iter().enumerate().any(|(i, t)| {
        t.cue(Cue::Cost)
            && !(matches!(&*t.text, "стоит")
                && (i > 0 && s.tokens[i - 1].is(Sense::Not) || s.tokens.get(i + 1).is_some_and(|t| t.cue(Cue::Cancel) || t.cue(Cue::Book))))
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
            && matches!(&*t.text, "сколько" | "скока" | "скоко" | "почем")
            && !next.is_some_and(|t| {
                t.cue(Cue::Time)
                    || t.unit().is_some()
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
                    || s.tokens[i - 1].prep(Prep::Within)
                    || s.tokens[i - 1].prep(Prep::To)))
            && (next.is_none()
                || next.is_some_and(|t| {
                    t.trades().next().is_some()
                        || matches!(&*t.text, "будет" | "у" | "за" | "с" | "это" | "мне" | "выйдет" | "обойдется" | "сейчас" | "примерно")
                        || t.ends_clause()
                        || t.text == "и"
                        || morphology::is_you_do(&t.text)
                }))
            && !s.has(Cue::Duration)
    });
    let english = s.tokens.windows(2).any(|w| w[0].text == "how" && w[1].text == "much");
    let lasts = s.has(Cue::Duration) && !s.says(&["стоит", "цена", "стоимость"]);
    worth && !lasts || how_much || at_what || english
}

fn free_times(s: &Sentence<'_>, understood: &Understood) -> bool {
    let words = s.tokens;
    let asks = s.question || s.has(Cue::When) || s.has(Cue::What) || s.has(Cue::Whether) || s.has(Cue::Tell) || s.has(Cue::Remind);
    let slot = words.iter().any(|t| {
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
            )
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
        || words.windows(2).any(|w| w[0].cue(Cue::What) && matches!(w[1].unit(), Some(Unit::Day)));
    let when_can = words.iter().any(|t| matches!(&*t.text, "когда" | "when"))
        && (s.has(Cue::Can)
            || s.has(Cue::Book)
            || s.has(Cue::Free)
            || words.iter().any(|t| t.is(Sense::Nearest) || t.cue(Cue::Master) || t.cue(Cue::Exist)))
        && !s.has(Cue::Booked);
    let until_when =
        words.windows(2).any(|w| w[0].prep(Prep::On) && matches!(&*w[1].text, "когда" | "какое" | "какой" | "какие" | "сколько"))
            && (s.has(Cue::Can) || s.has(Cue::Book) || s.has(Cue::Free) || s.has(Cue::Exist))
            && !s.has(Cue::Booked);
    let nearest = words.windows(2).any(|w| {
        w[0].is(Sense::Nearest) && (w[1].cue(Cue::Time) || w[1].cue(Cue::Booking) || w[1].cue(Cue::Free) || w[1].cue(Cue::Variant))
    }) && (asks || words.len() < 8);
    let who_free = words.iter().any(|t| t.cue(Cue::Who)) && is_free;
    let staff_works = !understood.staff_ids.is_empty()
        && s.question
        && words.iter().any(|t| {
            matches!(
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
        && words.iter().any(|t| matches!(&*t.text, "есть"))
        && words.iter().any(|t| t.cue(Cue::What) && matches!(&*t.text, "что" | "что-нибудь" | "чего") || matches!(&*t.text, "нибудь"))
        || s.question && s.says(&["anything", "something"]) && s.says(&["have", "there"]);
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

fn frees(s: &Sentence<'_>) -> bool {
    s.tokens.iter().any(|t| t.cue(Cue::Time) || t.cue(Cue::Booking) || t.cue(Cue::Free) && t.text != "есть")
}

fn services(s: &Sentence<'_>, wanted: &Wanted<'_>) -> bool {
    let list = s.tokens.iter().any(|t| t.cue(Cue::ServiceNoun))
        && (s.has(Cue::What)
            || s.has(Cue::Tell)
            || s.has(Cue::Exist)
            || s.has(Cue::Do)
            || s.says(&["список", "перечень", "все", "list"])
            || s.tokens.len() <= 4);
    let what_done =
        s.tokens.windows(2).any(|w| w[0].cue(Cue::What) && (w[1].cue(Cue::You) || w[1].cue(Cue::Do))) && s.has(Cue::Do) && !s.has(Cue::If);
    let do_you = s.question
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
        && s.tokens.iter().any(|t| t.trades().any(Trade::is_head) && morphology::is_you_do(&t.text))
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
        && (s.question || s.has(Cue::What) || s.has(Cue::How));
    list || what_done || do_you || you_do || have_you || includes
}

fn staff(s: &Sentence<'_>, understood: &Understood) -> bool {
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
    let recommends = s.says(&["советую", "рекомендую"]);
    let advise = s.has(Cue::Advise) && master && !s.has(Cue::Any) && !recommends;
    // «Массажисты у вас мужчины или женщины?»
    let of_yours = s.question
        && master
        && understood.when.is_empty()
        && s.tokens.windows(2).any(|w| w[0].text == "у" && w[1].text == "вас")
        && s.tokens.iter().any(|t| t.is(Sense::Or));
    let tell = master
        && (s.has(Cue::Tell) || s.question)
        && (s.has(Cue::What) || s.has(Cue::Who) || s.says(&["про", "о", "about"]))
        && !s.has(Cue::When);
    let there_is = s.question && master && s.has(Cue::Exist) && !s.has(Cue::Free2) && understood.when.is_empty() && !frees(s);
    of_yours || does || which && (master || s.has(Cue::Work)) || who_does || advise || tell || there_is
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
        && !s.question | s.has(Cue::Can);
    let visit = s.tokens.iter().any(|t| {
        matches!(&*t.text, "прийти" | "попасть" | "подойти" | "придти" | "приехать" | "подъехать" | "come" | "заскочить" | "зайти")
    }) && (s.has(Cue::Can) || s.has(Cue::Want));
    let about_known = s.has(Cue::Want) && named && !(s.question && (s.has(Cue::HowMuch) || s.has(Cue::Cost)));
    let wish = s.has(Cue::Can) && named && !s.has(Cue::Health) && !s.has(Cue::Pay) && !s.has(Cue::Park) && !s.has(Cue::Remind);
    let asks_when = s.tokens.iter().any(|t| matches!(&*t.text, "когда" | "when")) || s.has(Cue::HowMuch);
    let meant = wanted.service() || !u.when.is_empty() || !u.staff_ids.is_empty();
    !asks_when && (verb || visit && (named || !s.question) || (about_known || wish) && meant || noun && named) || noun && !s.has(Cue::My)
}

/// A plain yes or no, to what was asked or by itself.
fn answer(text: &Text, sentences: &[Sentence<'_>], context: &Context, understood: &Understood) -> Option<Intent> {
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
    if at.text == "ни" && next.is_some_and(|t| t.cardinal() == Some(1) || t.cue(Cue::What)) && (asked || !context.offered.is_empty()) {
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
    if at.text.starts_with("никак") && (asked || !context.offered.is_empty()) && !question {
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
    // «Хотя нет»
    if context.asked == Some(Asked::Confirm) && !question && words.len() == 2 && words[1].text == "нет" {
        return Some(Intent::Decline);
    }
    // «Стоп, не надо»
    if short && !question && matches!(words[first + 1..], [.., not, need] if not.text == "не" && matches!(&*need.text, "надо" | "нужно"))
    {
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
        let wish = matches!(&*at.text, "давайте" | "давай" | "хочу" | "удобно" | "точно" | "идет" | "хорошо" | "беру")
            && !asked
            && context.offered.is_empty()
            && (words.len() > 2 || names);
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
    {
        return Some(Intent::Confirm);
    }
    None
}
