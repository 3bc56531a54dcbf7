//! What is asked of the salon itself: where it is, when it is open, how one pays.

use crate::{
    InfoTopic,
    intents::{Sentence, supposes_late},
    lexicon::{Cue, Prep, Sense, Unit},
    text::{Kind, Token},
};

/// Whether a sentence asks about something.
type Asks = fn(&Sentence<'_>) -> bool;

/// The topics one sentence asks about, each once.
pub(crate) fn topics(s: &Sentence<'_>) -> Vec<InfoTopic> {
    let asked: [(InfoTopic, Asks); 11] = [
        (InfoTopic::Address, address),
        (InfoTopic::Hours, hours),
        (InfoTopic::Parking, |s| s.has(Cue::Park) || leaves_car(s)),
        (InfoTopic::Payment, |s| s.tokens.iter().any(|t| t.cue(Cue::Pay) && t.text != "перевести") && asks(s)),
        (InfoTopic::Contacts, |s| s.has(Cue::Contact) && asks(s) && !calls_back(s)),
        (InfoTopic::Promotions, |s| s.has(Cue::Promo) && asks(s)),
        (InfoTopic::Health, |s| s.has(Cue::Health) && asks(s) || hurts(s)),
        (InfoTopic::Hygiene, |s| s.has(Cue::Hygiene) && asks(s)),
        (InfoTopic::Duration, duration),
        (InfoTopic::Lateness, supposes_late),
        (InfoTopic::Other, |s| s.has(Cue::About) && asks(s) || brings(s) || how_many(s) || needs(s)),
    ];
    asked.into_iter().filter(|(_, is)| is(s)).map(|(topic, _)| topic).collect()
}

/// Asks or wishes; two or three words by themselves do.
fn asks(s: &Sentence<'_>) -> bool {
    let cues = [Cue::What, Cue::How, Cue::Where, Cue::Whether, Cue::Tell, Cue::Can, Cue::Exist, Cue::Want, Cue::Wish, Cue::Remind];
    s.question || cues.iter().any(|cue| s.has(*cue)) || s.says(&["уточняю", "уточнить", "интересует", "интересуюсь"]) || s.tokens.len() <= 3
}

fn address(s: &Sentence<'_>) -> bool {
    let somewhere = s.tokens.windows(2).any(|w| w[0].text == "где" && (w[1].mark('-') || w[1].text == "то"));
    // «В районе шести» is a time.
    let about_hour =
        |i: usize| s.tokens[i].prep(Prep::About) && s.tokens.get(i + 1).is_some_and(|t| t.kind == Kind::Number || t.cardinal().is_some());
    let place = (0..s.tokens.len()).any(|i| s.tokens[i].cue(Cue::Address) && !about_hour(i));
    let named = place && asks(s) && !somewhere;
    let where_is = s.says(&["где", "куда", "where"])
        && !somewhere
        && (s.has(Cue::You) || s.has(Cue::Come) || s.tokens.len() <= 3 && !s.has(Cue::My))
        && !s.tokens.iter().any(|t| t.text.starts_with("отзыв"));
    named || where_is
}

fn hours(s: &Sentence<'_>) -> bool {
    let how_many = |t: &Token| matches!(&*t.text, "скольки" | "сколько" | "какого" | "которого" | "скольких");
    let bound = |t: &Token| t.prep(Prep::Until) || t.prep(Prep::From) || t.prep(Prep::At) || t.prep(Prep::To);
    let until = s.tokens.windows(2).any(|w| bound(&w[0]) && how_many(&w[1]))
        && (s.has(Cue::Work) || s.has(Cue::You) || s.has(Cue::Book) || s.tokens.len() <= 5)
        && (!s.has(Cue::Can) || s.has(Cue::Book));
    // «По праздникам работаете» asks without a mark.
    let you_work = s.says(&["работаете", "открыты", "открываетесь", "закрываетесь", "принимаете"]);
    let open = you_work || s.has(Cue::You) || s.says(&["открыто", "закрыто", "open", "close", "closed"]);
    let asked = s.question || s.has(Cue::How) || s.has(Cue::When) || s.has(Cue::HowMuch) || you_work && s.tokens.len() <= 5;
    let named = s.tokens.iter().any(|t| t.cue(Cue::Hours) && !t.text.starts_with("скольк")) && asks(s);
    let mine = s.says(&["меня", "мне", "нас"]);
    // «Какие у вас выходные?»
    let days_off = s.tokens.iter().any(|t| t.is(Sense::Weekend)) && s.has(Cue::What) && s.has(Cue::You) && !s.has(Cue::Free);
    let opening = s.tokens.windows(2).any(|w| w[0].text == "часы" && w[1].text == "работы");
    // «По каким дням вы работаете?»
    let which_days = you_work && s.tokens.windows(2).any(|w| w[0].cue(Cue::What) && w[1].unit() == Some(Unit::Day));
    opening || days_off || which_days || until && !mine || s.has(Cue::Work) && asked && open || named
}

/// «Позвоните мне на телефон» wants a call, not a number.
fn calls_back(s: &Sentence<'_>) -> bool {
    s.has(Cue::Phone) && s.says(&["мне", "меня"])
}

fn duration(s: &Sentence<'_>) -> bool {
    let asked = s.has(Cue::HowMuch) || s.has(Cue::How) || s.question;
    let how_long = |w: &[Token]| w[0].text == "сколько" && (w[1].cue(Cue::Time) || w[1].unit().is_some());
    let by_time = |w: &[Token]| w[0].text == "сколько" && w[1].text == "по" && w[2].cue(Cue::Time);
    let goes = |w: &[Token]| w[0].text == "сколько" && matches!(&*w[1].text, "идет" | "идут" | "длится" | "делается");
    s.tokens.windows(2).any(goes) || s.has(Cue::Duration) && asked || s.tokens.windows(2).any(how_long) || s.tokens.windows(3).any(by_time)
}

/// «А это больно?»
fn hurts(s: &Sentence<'_>) -> bool {
    let normal = s.question && s.tokens.windows(2).any(|w| w[0].text == "это" && matches!(&*w[1].text, "нормально" | "норма"));
    normal || s.says(&["больно", "болезненно", "hurt", "painful"]) && (s.question || s.has(Cue::Whether))
}

/// «Где машину поставить?»
fn leaves_car(s: &Sentence<'_>) -> bool {
    s.says(&["машину", "авто", "car"]) && s.says(&["где", "поставить", "оставить", "куда", "leave"])
}

/// «Сколько сеансов нужно?»
fn how_many(s: &Sentence<'_>) -> bool {
    s.tokens.windows(2).any(|w| w[0].text == "сколько" && ["сеанс", "процедур", "раз"].iter().any(|begin| w[1].text.starts_with(begin)))
}

/// «Надо ли брить перед эпиляцией?»
fn needs(s: &Sentence<'_>) -> bool {
    s.tokens.windows(2).any(|w| matches!(&*w[0].text, "надо" | "нужно" | "обязательно" | "стоит" | "нужна") && w[1].text == "ли")
}

/// «Можно прийти с ребёнком?»
fn brings(s: &Sentence<'_>) -> bool {
    let along = s.tokens.windows(2).any(|w| {
        matches!(&*w[0].text, "с" | "со" | "with")
            && ["ребен", "коляск", "малыш", "собак", "собач", "пес", "кот", "кошк", "питом", "животн"]
                .iter()
                .any(|begin| w[1].text.starts_with(begin))
    });
    let stays = s.says(&["подождать", "ждать", "побыть", "посидеть", "wait"]);
    along && (s.question || s.has(Cue::Can)) && (s.has(Cue::Come) || stays) && !s.has(Cue::Book)
}
