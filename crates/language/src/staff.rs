//! Which masters of this salon a message names.

use std::ops::Range;

use domain::{Salon, StaffId};

use crate::{
    lexicon::{self, Cue, Prep, Sense},
    morphology,
    names::{self, NameId},
    script,
    text::Token,
};

/// What the salon's masters are called.
#[derive(Debug, Default)]
pub(crate) struct Team {
    members: Box<[Member]>,
}

#[derive(Debug)]
struct Member {
    id: StaffId,
    /// Full names of the list.
    names: Box<[NameId]>,
    /// Forms of every word of the name as it is written, surname too.
    forms: Box<[Box<str>]>,
    /// First letter of the second word: «Юля К.»
    initial: Option<char>,
    /// Dictionary forms of what they are: «лешмейкер», «косметолог».
    trades: Box<[Box<str>]>,
}

/// Unknown words that are looked at as names.
const MOST_STRANGERS: usize = 24;

/// Masters in a message.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) ids: Vec<StaffId>,
    pub(crate) not_ids: Vec<StaffId>,
    pub(crate) any: bool,
    pub(crate) same: bool,
    pub(crate) different: bool,
    pub(crate) other: bool,
    /// The token of a person's name that no master has.
    pub(crate) unknown: Option<usize>,
}

impl Team {
    pub(crate) fn of(salon: &Salon) -> Self {
        let members = salon.staff.iter().map(|staff| {
            let mut ids = Vec::new();
            let mut forms = Vec::new();
            for (i, word) in staff.name.split(|c: char| !(c.is_alphabetic() || c == '-')).filter(|w| w.chars().count() > 1).enumerate() {
                let word = word.to_lowercase().replace('ё', "е");
                let word = if word.is_ascii() { script::transliterate(&word) } else { word };
                forms.extend(names::declined(&word).into_iter().map(String::into_boxed_str));
                // «К Гаяне»
                if let Some(stem) = word.strip_suffix('э') {
                    forms.push(format!("{stem}е").into_boxed_str());
                }
                // A full name stands for itself; a short one for all it may be short for.
                if i == 0 || ids.is_empty() {
                    ids.extend(names::of(&word));
                }
            }
            let trades = staff.specialization.split(|c: char| !c.is_alphabetic()).filter(|w| w.chars().count() > 4);
            let trades = trades.flat_map(|word| morphology::lemmas(&morphology::plain(&word.to_lowercase())).into_iter().take(1));
            Member {
                id: staff.id,
                names: ids.into_boxed_slice(),
                forms: forms.into_boxed_slice(),
                initial: staff.name.split_whitespace().nth(1).and_then(|word| word.chars().next()).and_then(|c| c.to_lowercase().next()),
                trades: trades.map(String::into_boxed_str).collect(),
            }
        });
        Self { members: members.collect() }
    }

    /// Finds the masters and marks the tokens that name them.
    pub(crate) fn find(&self, tokens: &[Token], used: &mut [bool]) -> Named {
        let mut named = Named::default();
        let mut strangers = MOST_STRANGERS;
        let mut last: Option<(usize, Vec<StaffId>)> = None;
        for i in 0..tokens.len() {
            if used[i] || !tokens[i].is_word() {
                continue;
            }
            strangers = strangers.saturating_sub(usize::from(tokens[i].strange));
            let found = if tokens[i].strange && strangers == 0 { Vec::new() } else { self.called(tokens, i) };
            if found.is_empty() {
                let after_to = i > 0
                    && (tokens[i - 1].text == "к"
                        || tokens[i - 1].text == "ко"
                        || tokens[i - 1].text == "у"
                        || tokens[i - 1].text == "with"
                        || tokens[i - 1].cue(Cue::Master));
                if after_to
                    && !self.members.is_empty()
                    && names::is_given(&tokens[i].text)
                    && (tokens[i].senses.is_empty())
                    && !refused(tokens, i)
                {
                    named.unknown = Some(i);
                }
                continue;
            }
            used[i] = true;
            // «К Юлии Сергеевне», «у Юли лешмейкера»: the words together tell one of two apart.
            let found = match &last {
                Some((at, before)) if *at + 1 == i && found.iter().any(|id| before.contains(id)) => {
                    named.ids.retain(|id| !before.contains(id) || found.contains(id));
                    found.into_iter().filter(|id| before.contains(id)).collect()
                }
                _ => self.by_trade(found, tokens.get(i + 1)),
            };
            let lettered = self.by_initial(&found, tokens.get(i + 1));
            used.iter_mut().skip(i + 1).take(usize::from(lettered.is_some())).for_each(|used| *used = true);
            let found = lettered.unwrap_or(found);
            let from = last.take().filter(|(at, _)| handed_on(tokens, *at, i)).map(|(_, from)| from);
            if let Some(from) = from {
                named.ids.retain(|id| !from.contains(id));
                named.not_ids.extend(from);
            }
            last = Some((i, found.clone()));
            if kept(tokens, i) || was_before(tokens, i) {
                continue;
            }
            let ids = if refused(tokens, i) { &mut named.not_ids } else { &mut named.ids };
            // «К Ане, нет, к Вере»: the last one is meant.
            if i > 1 && !ids.is_empty() && replaced(tokens, i) {
                ids.clear();
            }
            for id in found {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        named.ids.retain(|id| !named.not_ids.contains(id));
        without_names(tokens, &mut named);
        named
    }

    /// Of several of one name, those whose trade the next word is.
    fn by_trade(&self, found: Vec<StaffId>, next: Option<&Token>) -> Vec<StaffId> {
        let Some(next) = next.filter(|t| found.len() > 1 && t.is_word()) else { return found };
        let lemmas = morphology::lemmas(&next.text);
        let is = |id: &StaffId| {
            self.members.iter().any(|m| m.id == *id && m.trades.iter().any(|trade| lemmas.iter().any(|lemma| **lemma == **trade)))
        };
        if found.iter().any(is) { found.into_iter().filter(is).collect() } else { found }
    }

    /// «У Юли К.»: of several of one name, the one with that letter.
    fn by_initial(&self, found: &[StaffId], next: Option<&Token>) -> Option<Vec<StaffId>> {
        let mut letters = next.filter(|t| found.len() > 1 && t.is_word())?.text.chars();
        let (letter, None) = (letters.next()?, letters.next()) else { return None };
        let lettered = |id: &&StaffId| self.members.iter().any(|m| m.id == **id && m.initial == Some(letter));
        let ids: Vec<StaffId> = found.iter().filter(lettered).copied().collect();
        (!ids.is_empty()).then_some(ids)
    }

    fn called(&self, tokens: &[Token], i: usize) -> Vec<StaffId> {
        let token = &tokens[i];
        let word = &token.text;
        let mut spellings = Vec::new();
        if token.latin {
            spellings = script::spellings(&word.to_lowercase());
        }
        let all = || std::iter::once(word.as_str()).chain(token.slip.as_deref()).chain(spellings.iter().map(String::as_str));
        let after_to =
            i > 0 && (tokens[i - 1].prep(Prep::To) || matches!(&*tokens[i - 1].text, "у" | "with") || tokens[i - 1].cue(Cue::Master));
        // Words that are also names: «вера», «света», «мила», «роман».
        // An English one begins a question with a capital: "Can I book …".
        let capital = token.capital && !(token.latin && i == 0);
        let word_too = !token.senses.is_empty() && !after_to && !capital && token.slip.is_none();
        if word_too || (word.chars().count() < 2) {
            return Vec::new();
        }
        let by = |is: &dyn Fn(&Member) -> bool| self.members.iter().filter(|m| is(m)).map(|m| m.id).collect::<Vec<_>>();
        // «Саша» is the one who is called so before any Alexander.
        let written = by(&|m| all().any(|w| m.forms.iter().any(|form| **form == *w)));
        if !written.is_empty() {
            return written;
        }
        let exact = by(&|m| all().any(|w| names::of(w).iter().any(|id| m.names.contains(id))));
        if !exact.is_empty() {
            return exact;
        }
        // «Ляйлечка», «Лейсаночке», «к Машке», «Юльчик»
        let called = token.senses.is_empty() && (token.strange || token.slip.is_some() || token.capital || after_to);
        if let Some(stem) = fondled(word).filter(|_| called) {
            let length = stem.chars().count() + 2;
            let near = |form: &str| form.starts_with(stem) && form.chars().count() <= length;
            let fond =
                by(&|m| m.forms.iter().any(|form| near(form)) || m.names.iter().flat_map(|id| names::forms_of(*id)).any(|form| near(form)));
            if !fond.is_empty() {
                return fond;
            }
        }
        // A slip of the pen in a name of this salon. Where it may be another word's slip, the word
        // before must ask for a name.
        let slipped = token.slip.as_ref();
        let doubted = token.strange || slipped.is_some() && after_to;
        // A rare word that stands where a name is expected: «к Атрёму».
        let rare = after_to && token.senses.is_empty() && word.chars().count() > 4;
        if !(doubted || rare) || word.chars().count() < 4 {
            return Vec::new();
        }
        let written =
            || slipped.into_iter().chain(std::iter::once(word)).take(1).map(String::as_str).chain(spellings.iter().map(String::as_str));
        let nearness = |member: &Member| {
            let known =
                member.names.iter().flat_map(|id| names::forms_of(*id)).map(String::as_str).chain(member.forms.iter().map(|f| &**f));
            known.flat_map(|form| written().filter_map(move |word| lexicon::slip(word, form))).min()
        };
        let nearest = self.members.iter().filter_map(nearness).min();
        by(&|m| nearest.is_some_and(|n| doubted || n < 2) && nearness(m) == nearest)
    }
}

/// What stands before the ending of a pet name, in any case: «ляйл» of «ляйлечке».
fn fondled(word: &str) -> Option<&str> {
    let tender = ["ечк", "очк", "еньк", "оньк", "ушк", "юшк", "ульк", "юш", "уш", "чик"].iter().find_map(|end| word.rfind(end));
    let plain = || ["ка", "ке", "ку", "ки", "кой"].iter().find(|end| word.ends_with(**end)).map(|end| word.len() - end.len());
    let (stem, rest) = word.split_at(tender.or_else(plain)?);
    let long = stem.chars().count() > 2 && (2..=6).contains(&rest.chars().count());
    // «Юльчик» is of «Юля».
    long.then(|| stem.trim_end_matches('ь'))
}

fn refused(tokens: &[Token], i: usize) -> bool {
    let near = i.saturating_sub(3)..i;
    let mut back = tokens[near].iter().rev();
    let direct = back
        .by_ref()
        .take_while(|t| !t.ends_clause())
        .any(|t| (t.is(Sense::Not) && t.text != "ни") || t.is(Sense::Except) && t.text != "but");
    let clause = tokens[i + 1..].iter().take_while(|t| !t.ends_clause());
    let words: Vec<&Token> = clause.collect();
    let disliked = words.windows(2).any(|w| {
        w[0].is(Sense::Not)
            && (w[1].cue(Cue::Liked)
                || w[1].cue(Cue::Want) && w[1].text != "надо"
                || w[1].cue(Cue::Fits)
                || w[1].text.starts_with("предлаг"))
    }) && !tokens[..i].iter().rev().take_while(|t| !t.ends_clause()).any(|t| t.cue(Cue::Book));
    // «К Арсену не надо»
    let needless = matches!(tokens.get(i + 1..i + 3), Some([not, need]) if not.is(Sense::Not) && need.text == "надо");
    // «Не записывайте меня больше к Марии»
    let before = &tokens[..i];
    let clause = &before[before.iter().rposition(Token::ends_clause).map_or(0, |at| at + 1)..];
    let not_booked = clause.windows(2).any(|w| w[0].text == "не" && w[1].text.starts_with("записыв"));
    direct || disliked || needless || not_booked
}

/// «С Ирины на Веронику», «от Ирины к Веронике»: the first of the two gives the visit away.
fn handed_on(tokens: &[Token], from: usize, to: usize) -> bool {
    let away = from > 0 && matches!(&*tokens[from - 1].text, "с" | "со" | "от");
    let nearby = tokens[from + 1..to].iter().all(|t| t.prep(Prep::On) || t.prep(Prep::To));
    away && nearby && to == from + 2
}

/// The clause that holds the `i`-th token.
fn clause_around(tokens: &[Token], i: usize) -> Range<usize> {
    let start = tokens[..i].iter().rposition(Token::ends_clause).map_or(0, |at| at + 1);
    let end = tokens[i..].iter().position(Token::ends_clause).map_or(tokens.len(), |at| i + at);
    start..end
}

/// «К Азизу не приду, отмените, а к Сергею приду»: where something is cancelled, what is said to stand is not spoken of.
fn kept(tokens: &[Token], i: usize) -> bool {
    let Range { start, end } = clause_around(tokens, i);
    let comes = |t: &Token| matches!(&*t.text, "приду" | "придем" | "приеду" | "буду" | "силе" | "остается") || t.text.starts_with("остав");
    let stands = (start..end).any(|k| comes(&tokens[k]) && !(k > 0 && tokens[k - 1].is(Sense::Not)));
    let elsewhere = || tokens[..start].iter().chain(&tokens[end..]);
    stands && elsewhere().any(|t| t.cue(Cue::Cancel)) && !tokens[start..end].iter().any(|t| t.cue(Cue::Cancel))
}

/// «У Эльвиры была в прошлый раз, теперь хочу к Лиане»
fn was_before(tokens: &[Token], i: usize) -> bool {
    let Range { start, end } = clause_around(tokens, i);
    let clause = &tokens[start..end];
    let now = |rest: &[Token]| rest.windows(2).any(|w| (w[0].cue(Cue::Want) || w[0].cue(Cue::Book)) && w[1].prep(Prep::To));
    clause.iter().any(|t| t.cue(Cue::PastVisit)) && clause.iter().any(|t| t.is(Sense::Prev)) && now(&tokens[end..])
}

fn replaced(tokens: &[Token], i: usize) -> bool {
    let between = &tokens[i.saturating_sub(5)..i];
    between.iter().any(|t| (t.is(Sense::Rather) || t.is(Sense::No)) && t.text != "хотя")
        && !between.iter().any(|t| t.cue(Cue::If) || t.is(Sense::Or))
}

/// «К любому», «к нему же», «к разным мастерам», «к другому мастеру».
fn without_names(tokens: &[Token], named: &mut Named) {
    let near_master =
        |i: usize| tokens[i.saturating_sub(2)..(i + 4).min(tokens.len())].iter().any(|t| t.cue(Cue::Master) || t.text == "девушка");
    for (i, token) in tokens.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).and_then(|i| tokens.get(i));
        let after = |n: usize| tokens.get(i + n);
        let to = before(1).is_some_and(|t| t.prep(Prep::To) || matches!(&*t.text, "у" | "with"));
        let negated = before(1).is_some_and(|t| t.is(Sense::Not));
        if token.cue(Cue::Any)
            && (to || near_master(i) || matches!(&*token.text, "anyone" | "anybody" | "whoever" | "кто-нибудь" | "любому"))
            && !negated
        {
            named.any = true;
        }
        // «кто свободен», «кто-нибудь», «кому угодно», «какая разница к кому», «без разницы кто»
        if token.cue(Cue::Who) {
            let who_is_free = (i + 1..i + 4).any(|k| {
                tokens.get(k).is_some_and(|t| {
                    t.cue(Cue::Sure)
                        || matches!(&*t.text, "свободны" | "свободна" | "посвободнее" | "free" | "available" | "нибудь" | "угодно")
                })
            });
            let all_the_same =
                tokens[i.saturating_sub(5)..i].iter().any(|t| t.cue(Cue::Equal) || t.cue(Cue::Difference) || t.cue(Cue::Any))
                    || tokens[i..(i + 5).min(tokens.len())]
                        .iter()
                        .any(|t| t.cue(Cue::Equal) || t.cue(Cue::Difference) && !t.text.starts_with("важно") || t.cue(Cue::Any));
            // «Запишите, у кого есть место»
            let whoever_has =
                to && after(1).is_some_and(|t| t.text == "есть") && after(2).is_some_and(|t| t.cue(Cue::Free) || t.cue(Cue::Time));
            let called = tokens.iter().any(|t| t.text.starts_with("ответ") || t.text.starts_with("позов") || t.text.starts_with("помо"));
            // «А к кому можно на это время?»
            let whoever_then = to
                && tokens[i..]
                    .windows(3)
                    .any(|w| (w[0].prep(Prep::On) || w[0].prep(Prep::At)) && w[1].text.ends_with("то") && w[2].cue(Cue::Time));
            named.any |= !called && who_is_free || all_the_same || whoever_has || whoever_then;
        }
        // «мастер не важен», «без разницы к какому мастеру»
        let no_matter = before(1).is_some_and(|t| t.is(Sense::Not) || t.prep(Prep::Without) || t.cue(Cue::What) || t.text == "no");
        if token.cue(Cue::Difference) && no_matter && near_master(i) {
            named.any = true;
        }
        // «к свободному мастеру»
        if to && token.cue(Cue::Free) && after(1).is_some_and(|t| t.cue(Cue::Master)) {
            named.any = true;
        }
        if token.cue(Cue::Equal) && near_master(i) {
            named.any = true;
        }
        let pronoun = matches!(&*token.text, "нему" | "ней" | "него" | "нее" | "нею" | "ним" | "him" | "her");
        let same_word = after(1).is_some_and(|t| t.is(Sense::Same));
        if pronoun && (to && same_word || before(1).is_some_and(|t| t.prep(Prep::To) || t.text == "у" || t.text == "with")) {
            named.same = true;
        }
        // «к тому же мастеру», «у той же девушки», «тот же мастер», "the same master"
        if token.is(Sense::Same) && tokens[i..(i + 3).min(tokens.len())].iter().any(|t| t.cue(Cue::Master)) {
            named.same = true;
        }
        if token.cue(Cue::Various) && near_master(i) {
            named.different = true;
        }
        if token.cue(Cue::Other) && (near_master(i) || to) {
            named.other = true;
        }
    }
    if !named.ids.is_empty() {
        named.any = false;
    }
}
