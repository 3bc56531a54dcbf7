//! Which services of this salon a message means.

mod said;
mod titles;

use std::collections::HashMap;

use domain::{Salon, ServiceId};
pub(crate) use said::length;
use said::{Said, code};
use titles::{
    ANIMALS, CHILDREN, COATINGS, Entry, Key, METHODS, Measure, NARROW, NOT_BARBERS, PERSONS, WOMENS, Word, heard, sizes, title_words,
    words, works_joined,
};

use crate::{
    lexicon::{Cue, Prep, Sense, Trade},
    morphology,
    text::Token,
};

/// The salon's price list as words.
#[derive(Debug, Default)]
pub(crate) struct PriceList {
    entries: Box<[Entry]>,
    /// Words of this salon's categories that the trade does not have: «собаки».
    categories: Box<[Key]>,
    /// Words that only this salon has, for those who misspell them.
    own: Box<[OwnWord]>,
    /// Latin words of its titles by their consonants, for those who write them with Russian letters.
    heard: HashMap<String, Vec<Key>>,
}

/// A word that only this salon has.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct OwnWord {
    text: Box<str>,
    /// What is done, if it names an act: «вычес» of «вычёсывание».
    act: Option<String>,
    key: Key,
}

/// How the small breeds and sizes of dogs begin.
const SMALL_DOGS: [&str; 14] =
    ["шпиц", "йорк", "чихуахуа", "чиху", "болонк", "мальтез", "пекинес", "такс", "мопс", "померан", "бишон", "маленьк", "мелк", "джек"];

/// The same of the large ones.
const LARGE_DOGS: [&str; 11] =
    ["хаски", "лабрадор", "овчарк", "ретривер", "доберман", "ротвейлер", "самоед", "алабай", "маламут", "больш", "крупн"];

/// Services in a message.
#[derive(Debug, Default)]
pub(crate) struct Meant {
    /// Each service meant, as the list's services that fit its words.
    pub(crate) options: Vec<Vec<ServiceId>>,
    /// Words of the trade were said, found in the list or not.
    pub(crate) any_word: bool,
    /// The token that names work which nothing in the list covers.
    pub(crate) unknown: Option<usize>,
}
const MOST_ALTERNATIVES: usize = 5;

/// Which part of the body hair is taken off, where parts that lists name one for the other count as one.
fn part_of_body(key: Key) -> Option<usize> {
    use Trade::{Arm, Armpit, Back, Belly, Bikini, Brow, Ear, Face, Foot, Forehead, Leg, Lip, Moustache, Navel, Neck, Nose, Shin, Thigh};
    let parts: [&[Trade]; 6] = [
        &[Leg, Shin, Thigh, Foot],
        &[Arm],
        &[Armpit],
        &[Bikini],
        &[Back, Belly, Navel, Neck],
        &[Face, Lip, Moustache, Nose, Ear, Forehead, Brow],
    ];
    parts.iter().position(|part| part.iter().any(|trade| Key::Trade(*trade) == key))
}

impl PriceList {
    pub(crate) fn of(salon: &Salon) -> Self {
        let mut own: Vec<OwnWord> = Vec::new();
        let haircut = |(_, w): &(String, Word)| w.key == Key::Trade(Trade::Haircut);
        let haircuts = salon.services.iter().any(|service| title_words(&service.title).iter().any(haircut));
        let entries = salon.services.iter().map(|service| {
            let mut title = title_words(&service.title);
            // «Детская (до 12)» leaves out what its category says.
            let named = |(_, w): &(String, Word)| w.key.is_head() || matches!(w.key, Key::Own(_)) && !w.aside;
            if !title.is_empty() && !title.iter().any(named) {
                let heads = words(&service.category).into_iter().filter(|(_, w)| w.key.is_head());
                title.extend(heads);
                if !title.iter().any(named) && haircuts {
                    title
                        .push(("стрижка".to_owned(), Word { key: Key::Trade(Trade::Haircut), without: false, aside: false, leads: false }));
                }
            }
            own.extend(title.iter().filter(|(_, word)| matches!(word.key, Key::Own(_))).map(|(text, word)| OwnWord {
                text: text.clone().into_boxed_str(),
                act: morphology::act_noun(text),
                key: word.key,
            }));
            let around = words(&service.category)
                .into_iter()
                .chain(words(&service.description))
                .filter(|(_, word)| !word.without && matches!(word.key, Key::Trade(_)));
            Entry {
                id: service.id,
                around: around.map(|(_, word)| word.key).collect(),
                title: title.into_iter().map(|(_, word)| word).collect(),
                parts: service.composite_of.clone().into_boxed_slice(),
                minutes: service.minutes,
                joint: !service.composite_of.is_empty() || works_joined(&service.title) > 1,
                sizes: sizes(&service.title).into_boxed_slice(),
            }
        });
        let entries = entries.collect();
        own.sort_unstable();
        own.dedup();
        let categories = salon.services.iter().flat_map(|service| words(&service.category)).map(|(_, word)| word.key).collect();
        let heard = salon.services.iter().flat_map(|service| heard(&service.title)).collect();
        Self { entries, categories, own: own.into_boxed_slice(), heard }
    }

    /// The word is one of this list, whatever else it may mean elsewhere: «массаж для беременных».
    pub(crate) fn lists(&self, token: &Token) -> bool {
        let lemmas = morphology::lemmas(&token.text);
        let keys: Vec<Key> = lemmas.iter().map(|lemma| Key::of(lemma)).chain(token.trades().map(Key::Trade)).collect();
        let titled = self.entries.iter().any(|e| e.title.iter().any(|w| keys.contains(&w.key)));
        titled || self.categories.iter().any(|key| keys.contains(key)) || self.own.iter().any(|own| keys.contains(&own.key))
    }

    /// Tokens that together are a code of this list: «К18» is no hour.
    pub(crate) fn codes(&self, tokens: &[Token]) -> Vec<bool> {
        let mut codes = vec![false; tokens.len()];
        for (i, pair) in tokens.windows(2).enumerate() {
            let known = |key: Key| self.entries.iter().any(|e| e.title.iter().any(|w| w.key == key));
            if pair[1].glued && code(&pair[0], &pair[1]).is_some_and(known) {
                codes[i..i + 2].fill(true);
            }
        }
        codes
    }

    /// `people`: where several come, no package for one is meant. `asked`: a service was
    /// asked for, so that «мужская» alone answers.
    pub(crate) fn find(&self, tokens: &[Token], used: &[bool], people: u8, asked: bool) -> Meant {
        let (mut said, unwanted, unknown) = self.said(tokens, used);
        let person = PERSONS.map(Key::Trade);
        // «На мужскую» leaves the noun out.
        let short = |s: &Said| {
            let on = s.at > 0 && tokens[s.at - 1].prep(Prep::On);
            let time = |t: &Token| t.weekday().is_some() || t.find(|s| matches!(s, Sense::Rel(_) | Sense::Part(_)).then_some(())).is_some();
            let noun_left_out = tokens.get(s.at + 1).is_some_and(|t| t.prep(Prep::To) || t.prep(Prep::On) || t.prep(Prep::At) || time(t));
            // «К Семёну в четверг, мужская»
            let by_itself = used.contains(&true)
                && (s.at == 0 || !tokens[s.at - 1].is_word())
                && tokens.get(s.at + 1).is_none_or(|t| !t.is_word() && t.digits == 0);
            (on || noun_left_out || by_itself) && morphology::is_adjective(&tokens[s.at].text)
        };
        // «Сына на мужскую стрижку»: whose it is does not say which.
        let of_person = |s: &Said| s.keys.iter().all(|key| person.contains(key));
        let adjective = |s: &Said| morphology::is_adjective(&tokens[s.at].text);
        let says_which = |s: &Said| {
            of_person(s)
                && adjective(s)
                && tokens.get(s.at + 1).is_some_and(|t| t.trades().any(|trade| trade.is_head() && !Key::Trade(trade).is_object()))
        };
        if people < 2 {
            let which: Vec<Key> = said.iter().filter(|s| says_which(s)).flat_map(|s| s.keys.clone()).collect();
            said.retain(|s| which.is_empty() || !of_person(s) || adjective(s) || s.keys.iter().any(|key| which.contains(key)));
        }
        if !asked && said.iter().all(|s| s.keys.iter().all(|key| person.contains(key)) && !short(s)) {
            said.clear();
        }
        let any_word = tokens.iter().zip(used).any(|(t, used)| !used && t.trades().any(Trade::is_head));
        if said.is_empty() {
            return Meant { any_word, unknown, ..Meant::default() };
        }
        // «Стрижка или укладка» asks for one of the two.
        let or = (0..tokens.len()).find(|i| {
            let head = |s: &Said| s.is_head() && !s.without && !s.keys.contains(&Key::Trade(Trade::Coating));
            let near = |s: &&Said| s.at.abs_diff(*i) <= 3 && head(s);
            tokens[*i].is(Sense::Or) && said.iter().filter(near).any(|s| s.at < *i) && said.iter().filter(near).any(|s| s.at > *i)
        });
        if let Some(or) = or {
            let (left, right): (Vec<Said>, Vec<Said>) = said.into_iter().partition(|s| s.at < or);
            let mut options: Vec<ServiceId> = Vec::new();
            // «Эпиляция ног, лазер или сахар»: what it is done to is said once.
            let objects = |said: &[Said]| said.iter().filter(|s| s.keys[0].is_object()).cloned().collect::<Vec<Said>>();
            let (of_left, of_right) = (objects(&left), objects(&right));
            let with = |mut said: Vec<Said>, others: Vec<Said>| {
                let works = said.iter().all(|s| s.is_head() && !s.keys[0].is_object());
                said.extend(others.into_iter().filter(|_| works));
                said
            };
            let (left, right) = (with(left, of_right), with(right, of_left));
            let either = |said: &[Said]| self.meant(said, &unwanted, people > 1).into_iter().flatten();
            for id in either(&left).chain(either(&right)) {
                if !options.contains(&id) {
                    options.push(id);
                }
            }
            return Meant { options: if options.is_empty() { Vec::new() } else { vec![options] }, any_word, unknown };
        }
        // «Стрижка и борода по отдельности»
        let apart = people > 1 || tokens.iter().any(|t| t.text.starts_with("отдельн") || matches!(&*t.text, "раздельно" | "separately"));
        let options = self.each_person(&said, tokens, people, &unwanted).unwrap_or_else(|| self.meant(&said, &unwanted, apart));
        let options = self.of_part(self.of_beard(options, &said), tokens);
        let options = self.of_size(self.of_hair(self.as_long_as(options, tokens, used), tokens), tokens);
        let options = self.of_breed(self.of_occasion(self.of_women(options), tokens), tokens);
        Meant { options, any_word, unknown }
    }
    fn meant(&self, said: &[Said], unwanted: &[Key], people_apart: bool) -> Vec<Vec<ServiceId>> {
        let all: Vec<&Said> = said.iter().collect();
        let mut groups: Vec<Vec<&Said>> = self.grouped(said).into_iter().flat_map(|group| self.coating_apart(group)).collect();
        // «Мопс 9 кг, помыть и подстричь»: whom it is for goes with every work.
        let only_pet = |group: &Vec<&Said>| group.iter().all(|s| s.keys.iter().any(|key| ANIMALS.contains(key)));
        if groups.len() > 1
            && let Some(at) = groups.iter().position(only_pet)
            && !groups.iter().enumerate().any(|(n, group)| n != at && group.iter().any(|s| s.keys.iter().any(|key| ANIMALS.contains(key))))
        {
            let pet = groups.remove(at);
            groups.iter_mut().for_each(|group| group.extend(&pet));
        }
        let or_nothing = |ids: Vec<ServiceId>| if ids.is_empty() { Vec::new() } else { vec![ids] };
        if groups.len() < 2 {
            let ids = self.best(&all, &[], unwanted, false).0;
            // «Стрижка с укладкой» in a list that has them apart.
            let work = |s: &&&Said| s.is_head() && !s.keys[0].is_object() && s.keys[0] != Key::Trade(Trade::Coating);
            let second = all.iter().skip(1).position(|s| s.with && work(&s)).map(|n| n + 1);
            // «С дизайном маникюр»
            let second = second.or_else(|| all.first().is_some_and(|s| s.with && work(&s)).then_some(1));
            let Some(at) = second.filter(|at| all[..*at].iter().any(|s| work(&s))) else { return or_nothing(ids) };
            let works: f64 = all.iter().filter(work).map(|s| s.weight()).sum();
            let works_said: Vec<&Said> = all.iter().filter(work).copied().collect();
            if ids.first().is_none_or(|id| self.heads_covered(*id, &works_said) >= works - 0.01) {
                return or_nothing(ids);
            }
            groups = vec![all[..at].to_vec(), all[at..].to_vec()];
        }
        let mut options: Vec<Vec<ServiceId>> = Vec::new();
        let mut cover = 0.0;
        for (n, group) in groups.iter().enumerate() {
            // «…, длинные волосы» tells of the hair.
            let about = [Trade::Hair, Trade::Nail, Trade::Long, Trade::Short].map(Key::Trade);
            if options.iter().any(|ids| ids.len() == 1) && group.iter().all(|s| s.keys.iter().all(|key| about.contains(key))) {
                continue;
            }
            let before = n.checked_sub(1).map(|n| &groups[n]);
            let shared = before
                .and_then(|before| self.shared_work(before, group, unwanted))
                // «Ноги и подмышки, шугаринг»
                .or_else(|| groups[n + 1..].iter().find_map(|after| self.shared_work(after, group, unwanted)).filter(|_| n == 0))
                .or_else(|| self.shared_coating(group, groups.get(n + 1)?, unwanted));
            let (ids, covered) = shared.unwrap_or_else(|| self.best(group, if people_apart { &[] } else { &all }, unwanted, false));
            cover += covered;
            // "A haircut, long hair": what follows tells which.
            let narrows = |before: &&mut Vec<ServiceId>| before.len() > ids.len() && ids.iter().all(|id| before.contains(id));
            if let Some(before) = options.last_mut().filter(narrows).filter(|_| !ids.is_empty()) {
                *before = ids;
            } else if !ids.is_empty() && !options.contains(&ids) {
                options.push(ids);
            }
        }
        if people_apart {
            return options;
        }
        // «Мужская стрижка и борода» in a list that has both under one title.
        let single = |ids: &[ServiceId]| if let [only] = ids { Some(*only) } else { None };
        let within = |ids: &[ServiceId], options: &[Vec<ServiceId>]| {
            let id = single(ids);
            let parts_of = |whole: ServiceId| self.entries.iter().filter(move |e| e.id == whole).flat_map(|e| e.parts.iter().copied());
            options.iter().filter_map(|ids| single(ids)).flat_map(parts_of).any(|part| Some(part) == id)
        };
        if options.len() > 1 {
            let all = options.clone();
            options.retain(|ids| !within(ids, &all));
        }
        let firm: Option<Vec<ServiceId>> = options.iter().map(|ids| if let [only] = ids[..] { Some(only) } else { None }).collect();
        let is_whole = |e: &&Entry, ids: &[ServiceId]| {
            !e.parts.is_empty() && e.parts.len() == ids.len() && e.parts.iter().all(|part| ids.contains(part))
        };
        if let Some(composite) = firm.as_ref().and_then(|ids| self.entries.iter().find(|e| is_whole(e, ids))) {
            return vec![vec![composite.id]];
        }
        // One title for all that was enumerated: when it leaves out no work, and no quality that
        // the parts by themselves would have.
        let (whole, whole_cover) = self.best(&all, &[], unwanted, true);
        let heads: f64 = all.iter().filter(|s| s.is_head()).map(|s| s.weight()).sum();
        let covers_heads = whole.first().is_some_and(|id| self.heads_covered(*id, &all) >= 0.75 * heads);
        // What is certain by itself must be a part of it.
        let parts = whole.first().and_then(|id| self.entries.iter().find(|e| e.id == *id)).map_or(&[][..], |e| &e.parts);
        let keeps = parts.is_empty()
            || options.iter().all(|ids| if let [only] = ids[..] { parts.contains(&only) || whole.contains(&only) } else { true });
        // «Бикини и подмышки» are no package of these and the legs.
        let other_part = |w: &Word| part_of_body(w.key).is_some() && !w.aside && !said.iter().any(|s| s.keys.contains(&w.key));
        let keeps = keeps && !whole.iter().all(|id| self.titled(*id, other_part));
        if covers_heads && keeps && (firm.is_none() || whole_cover >= cover - 0.01) {
            return vec![whole];
        }
        options
    }

    /// «Маникюр с гель-лаком» in a list that has the coating as a service of its own and no work
    /// together with it.
    fn coating_apart<'a>(&self, group: Vec<&'a Said>) -> Vec<Vec<&'a Said>> {
        let coating = Key::Trade(Trade::Coating);
        let is_coating = |s: &&Said| s.keys.contains(&coating);
        let works: Vec<&Said> = group.iter().copied().filter(|s| !is_coating(s)).collect();
        let coatings: Vec<&Said> = group.iter().copied().filter(is_coating).collect();
        let only =
            |e: &Entry| e.title.iter().all(|w| !w.without && (!w.key.is_head() || [coating, Key::Trade(Trade::Nail)].contains(&w.key)));
        let has = |e: &Entry, s: &Said| e.title.iter().any(|w| s.keys.contains(&w.key));
        let worked = |s: &Said| s.keys.iter().any(|key| [Trade::Manicure, Trade::Pedicure].map(Key::Trade).contains(key));
        let by_itself = self.entries.iter().any(|e| only(e) && coatings.iter().any(|s| has(e, s)));
        let together = self.entries.iter().any(|e| {
            e.title.iter().any(|w| w.key == coating || w.key == Key::Trade(Trade::Gel)) && works.iter().any(|s| worked(s) && has(e, s))
        });
        let wanted = coatings.iter().any(|s| !s.without) && works.iter().any(|s| worked(s));
        if by_itself && wanted && !together { vec![works, coatings] } else { vec![group] }
    }

    /// «Маникюр и педикюр с гель-лаком»: the coating said at the end is both's, where the list has it so.
    fn shared_coating(&self, group: &[&Said], after: &[&Said], unwanted: &[Key]) -> Option<(Vec<ServiceId>, f64)> {
        let coating = |s: &&&Said| s.is_coating();
        if group.iter().any(|s| coating(&s)) || !group.iter().any(|s| s.is_head()) || !after.iter().any(|s| s.is_head() && !coating(&s)) {
            return None;
        }
        let words: Vec<&Said> = group.iter().chain(after.iter().filter(coating)).copied().collect();
        let (ids, covered) = self.best(&words, &[], unwanted, false);
        let whole: f64 = words.iter().map(|s| s.weight()).sum();
        (words.len() > group.len() && covered >= 0.8 * whole).then(|| (ids, group.iter().map(|s| s.weight()).sum()))
    }

    /// «Наращивание ногтей и ресниц»: the work said before stands for this part too, where the list
    /// has it.
    fn shared_work(&self, before: &[&Said], group: &[&Said], unwanted: &[Key]) -> Option<(Vec<ServiceId>, f64)> {
        let object = |said: &&&Said| said.keys.first().is_some_and(|key| key.is_object());
        if !group.iter().all(|s| object(&s) || !s.is_head()) || !group.iter().any(|s| object(&s)) {
            return None;
        }
        // The salon's own word goes along where the list has it so: «александрит подмышки и бикини».
        let whole_work = |s: &&&Said| !object(s) && (s.is_head() || matches!(s.keys[0], Key::Own(_)));
        let bare_work = |s: &&&Said| !object(s) && s.is_head();
        let with = |work: Vec<&Said>| -> Option<(Vec<ServiceId>, f64)> {
            let words: Vec<&Said> = work.into_iter().chain(group.iter().copied()).collect();
            let whole: f64 = words.iter().map(|s| s.weight()).sum();
            let (ids, covered) = self.best(&words, &[], unwanted, false);
            // Of «стрижка машинкой и борода» the first is said.
            let apart = ids.iter().all(|id| self.entries.iter().any(|e| e.id == *id && !e.joint));
            (words.len() > group.len() && covered >= 0.9 * whole && apart).then(|| (ids, group.iter().map(|s| s.weight()).sum()))
        };
        with(before.iter().filter(whole_work).copied().collect()).or_else(|| with(before.iter().filter(bare_work).copied().collect()))
    }

    /// «Массаж на полтора часа»: of works that differ in length, those as long as was said.
    fn as_long_as(&self, mut options: Vec<Vec<ServiceId>>, tokens: &[Token], used: &[bool]) -> Vec<Vec<ServiceId>> {
        let Some(said) = length(tokens, used) else { return options };
        let fits = |id: &ServiceId| self.entries.iter().any(|e| e.id == *id && e.minutes == said);
        for ids in options.iter_mut().filter(|ids| ids.iter().any(fits)) {
            ids.retain(fits);
        }
        options
    }

    /// «Борода» by itself is to be cut or shaped, whatever else is done to beards here.
    fn of_beard(&self, mut options: Vec<Vec<ServiceId>>, said: &[Said]) -> Vec<Vec<ServiceId>> {
        let beard = Key::Trade(Trade::Beard);
        let bare = |s: &Said| s.keys[0] == beard && !said.iter().any(|other| other.group == s.group && other.at != s.at);
        let has = |id: &ServiceId, keys: &[Key]| self.entries.iter().any(|e| e.id == *id && e.title.iter().any(|w| keys.contains(&w.key)));
        let cuts = [Trade::Shape, Trade::Correction, Trade::Haircut].map(Key::Trade);
        for ids in options.iter_mut().filter(|ids| ids.iter().all(|id| has(id, &[beard])) && ids.iter().any(|id| has(id, &cuts))) {
            if said.iter().any(bare) {
                ids.retain(|id| has(id, &cuts));
            }
        }
        options
    }

    /// «Эпиляция рук» is none of the legs, where the list has no other.
    fn of_part(&self, mut options: Vec<Vec<ServiceId>>, tokens: &[Token]) -> Vec<Vec<ServiceId>> {
        let removal = |trade: Trade| trade == Trade::Epilation || METHODS.contains(&Key::Trade(trade));
        let parts: Vec<usize> = tokens.iter().flat_map(Token::trades).filter_map(|trade| part_of_body(Key::Trade(trade))).collect();
        if parts.is_empty() || !tokens.iter().any(|t| t.trades().any(removal)) {
            return options;
        }
        let other = |id: &ServiceId| {
            let of = self.entries.iter().filter(|e| e.id == *id).flat_map(|e| &e.title).filter_map(|w| part_of_body(w.key));
            let of: Vec<usize> = of.collect();
            !of.is_empty() && !of.iter().any(|part| parts.contains(part))
        };
        options.iter_mut().for_each(|ids| ids.retain(|id| !other(id)));
        options.retain(|ids| !ids.is_empty());
        options
    }

    /// «Шпиц, 4 кг», «сыну 8 лет»: of works for different sizes or ages, those for such.
    fn of_size(&self, mut options: Vec<Vec<ServiceId>>, tokens: &[Token]) -> Vec<Vec<ServiceId>> {
        let Some((measure, value)) = measured(tokens) else { return options };
        let holds = |id: &ServiceId| {
            let entry = self.entries.iter().find(|e| e.id == *id);
            entry.and_then(|e| e.sizes.iter().find_map(|size| size.holds(measure, value)))
        };
        for ids in options.iter_mut().filter(|ids| ids.iter().any(|id| holds(id) == Some(true))) {
            ids.retain(|id| holds(id) == Some(true));
            // Of «до 5 см» and «до 10 см» the nearer bound.
            let bound = |id: &ServiceId| {
                let entry = self.entries.iter().find(|e| e.id == *id);
                entry.and_then(|e| e.sizes.iter().find_map(|size| size.up_to(measure)))
            };
            let nearest = ids.iter().map(bound).collect::<Option<Vec<u32>>>().and_then(|bounds| bounds.into_iter().min());
            ids.retain(|id| nearest.is_none() || bound(id) == nearest);
        }
        options
    }

    /// «У меня короткие волосы»: of works for long and for short hair, those for such.
    fn of_hair(&self, mut options: Vec<Vec<ServiceId>>, tokens: &[Token]) -> Vec<Vec<ServiceId>> {
        let lengths = [Trade::Long, Trade::Short].map(Key::Trade);
        let said = tokens.iter().flat_map(Token::trades).map(Key::Trade).find(|key| lengths.contains(key));
        // «Волосы до пояса»
        let below = tokens.windows(2).any(|w| {
            matches!(&*w[0].text, "до" | "по" | "ниже")
                && ["пояс", "поясниц", "лопат", "поп", "бедер"].iter().any(|to| w[1].text.starts_with(to))
                || w[0].text == "ниже" && w[1].text.starts_with("плеч")
        });
        let said = said.or_else(|| below.then_some(lengths[0]));
        let Some(said) = said else { return options };
        let has = |id: &ServiceId, key: Key| self.entries.iter().any(|e| e.id == *id && e.title.iter().any(|w| w.key == key));
        for ids in options.iter_mut().filter(|ids| ids.iter().any(|id| has(id, said))) {
            let kept: Vec<ServiceId> = ids.iter().copied().filter(|id| has(id, said) || !lengths.iter().any(|key| has(id, *key))).collect();
            *ids = kept;
        }
        options
    }

    fn titled(&self, id: ServiceId, is: impl Fn(&Word) -> bool) -> bool {
        self.entries.iter().any(|e| e.id == id && e.title.iter().any(&is))
    }

    /// Of works that differ by a word, those that have the right one, where there are such.
    fn narrowed(&self, options: &mut [Vec<ServiceId>], right: &[Key], others: &[Key]) {
        let has = |id: ServiceId, keys: &[Key]| self.titled(id, |w| keys.contains(&w.key));
        for ids in options.iter_mut().filter(|ids| ids.len() > 1 && ids.iter().any(|id| has(*id, right))) {
            ids.retain(|id| has(*id, right) || !has(*id, others));
        }
    }

    /// «Корни и подстричься»: who has a work done that here is no man's comes for no man's haircut.
    fn of_women(&self, mut options: Vec<Vec<ServiceId>>) -> Vec<Vec<ServiceId>> {
        let male = Key::Trade(Trade::Male);
        let women = |id: &ServiceId| {
            self.titled(*id, |w| WOMENS.contains(&w.key))
                && !self.entries.iter().any(|e| e.title.iter().any(|w| w.key == male) && e.title.iter().any(|w| WOMENS.contains(&w.key)))
        };
        if options.len() > 1 && options.iter().any(|ids| ids.iter().all(women)) {
            let female = Key::Trade(Trade::Female);
            self.narrowed(&mut options, &[female], &[male]);
        }
        options
    }

    /// «Макияж на вечер», «причёска на свадьбу»
    fn of_occasion(&self, mut options: Vec<Vec<ServiceId>>, tokens: &[Token]) -> Vec<Vec<ServiceId>> {
        let kinds = ["вечерний", "свадебный", "выпускной", "дневной", "повседневный"].map(Key::of);
        let stem = |words: &[Token], stems: &[&str]| words[0].prep(Prep::On) && stems.iter().any(|stem| words[1].text.starts_with(stem));
        let said = tokens.windows(2).find_map(|w| {
            let evening = stem(w, &["вечер", "корпорат", "праздник", "юбилей", "банкет"]);
            let wedding = stem(w, &["свадьб", "роспис"]);
            let prom = stem(w, &["выпускн"]);
            [evening, wedding, prom, stem(w, &["кажд"])].iter().position(|is| *is)
        });
        if let Some(said) = said {
            let right = if said < 3 { &kinds[said..=said] } else { &kinds[3..] };
            self.narrowed(&mut options, right, &kinds);
        }
        options
    }

    /// «Хаски», «большая собака»: of works for small and for large dogs, those for such.
    fn of_breed(&self, mut options: Vec<Vec<ServiceId>>, tokens: &[Token]) -> Vec<Vec<ServiceId>> {
        let small = ["мелкий", "маленький", "малый", "карликовый", "мини"].map(Key::of);
        let large = ["крупный", "большой", "гигантский"].map(Key::of);
        let middle = [Key::of("средний")];
        let kinds: Vec<Key> = small.into_iter().chain(large).chain(middle).collect();
        let pet = |t: &Token| t.trades().any(|t| matches!(t, Trade::Dog | Trade::Cat | Trade::DogBreed | Trade::CatBreed));
        if !tokens.iter().any(pet) {
            return options;
        }
        let of = |t: &Token| {
            let begins = |stems: &[&str]| stems.iter().any(|stem| t.text.starts_with(stem));
            if begins(&SMALL_DOGS) {
                Some(&small[..])
            } else if begins(&LARGE_DOGS) {
                Some(&large[..])
            } else {
                None
            }
        };
        if let Some(size) = tokens.iter().find_map(of) {
            self.narrowed(&mut options, size, &kinds);
        }
        options
    }

    /// «Стрижка сыну и дочке», «мне стрижку, сыну детскую»: one work for each of several people.
    fn each_person(&self, said: &[Said], tokens: &[Token], people: u8, unwanted: &[Key]) -> Option<Vec<Vec<ServiceId>>> {
        let person = |s: &Said| s.keys.iter().all(|key| PERSONS.map(Key::Trade).contains(key));
        let (persons, works): (Vec<&Said>, Vec<&Said>) = said.iter().partition(|s| person(s));
        let mut heads: Vec<Key> = works.iter().filter(|s| s.is_head()).map(|s| s.keys[0]).collect();
        heads.dedup();
        if heads.len() != 1 || works.iter().any(|s| s.without) {
            return None;
        }
        // «Двое детей, мальчик и девочка»
        let mut named: Vec<&Said> = Vec::new();
        for s in &persons {
            let told = |other: &&Said| other.keys[0] != s.keys[0] && other.keys.contains(&s.keys[0]) && s.keys[0] == CHILDREN[0];
            if !persons.iter().any(told) && !named.iter().any(|other| other.keys[0] == s.keys[0]) {
                named.push(*s);
            }
        }
        let near = named.windows(2).all(|w| w[1].at - w[0].at <= 4);
        let oneself = |t: &Token| {
            matches!(
                &*t.text,
                "я" | "мне"
                    | "меня"
                    | "себя"
                    | "себе"
                    | "сам"
                    | "самому"
                    | "мы"
                    | "нас"
                    | "нам"
                    | "i"
                    | "me"
                    | "us"
                    | "we"
            )
        };
        // «Мне бы двоих детей подстричь»
        let counted = |s: &Said| s.at > 0 && tokens[s.at - 1].cue(Cue::Two);
        let alone = people > 1 && named.len() == 1 && tokens.iter().any(oneself) && !counted(named[0]);
        let with_child = alone && CHILDREN.contains(&named[0].keys[0]);
        // Whose husband comes is a woman.
        let spouse = named.first().filter(|_| alone).and_then(|s| spouse(&tokens[s.at]));
        if !(named.len() > 1 && near || with_child || spouse.is_some()) {
            return None;
        }
        let oneself = spouse.map(|trade| Said { keys: vec![Key::Trade(trade)], ..named[0].clone() });
        let own = alone.then(|| {
            let words: Vec<&Said> = works.iter().copied().chain(oneself.as_ref()).collect();
            self.best(&words, &[], unwanted, false).0
        });
        let theirs = named.iter().map(|person| {
            let words: Vec<&Said> = works.iter().copied().chain([*person]).collect();
            self.best(&words, &[], unwanted, false).0
        });
        let options: Vec<Vec<ServiceId>> = own.into_iter().chain(theirs).collect();
        (options.iter().all(|ids| !ids.is_empty()) && options.windows(2).all(|w| w[0] != w[1])).then_some(options)
    }

    /// Enumerated parts, each with a head of its own; words without one go with the part before,
    /// unless no title has both.
    fn grouped<'a>(&self, said: &'a [Said]) -> Vec<Vec<&'a Said>> {
        let mut groups: Vec<(usize, Vec<&Said>)> = Vec::new();
        for word in said {
            match groups.last_mut() {
                Some((group, words)) if *group == word.group => words.push(word),
                _ => groups.push((word.group, vec![word])),
            }
        }
        let together = |a: &[&Said], b: &[&Said]| self.entries.iter().any(|e| a.iter().chain(b).all(|s| s.fit(e).0 > 0.0));
        let mut joined: Vec<Vec<&Said>> = Vec::new();
        for (_, words) in groups {
            let alone = words.iter().any(|s| s.is_head() && !s.without && !s.is_coating());
            match joined.last_mut() {
                Some(last)
                    if (!alone || !last.iter().any(|s| s.is_head() && !s.without))
                        && (together(last, &words) || !together(last, &[]) || !together(&words, &[])) =>
                {
                    last.extend(words);
                }
                _ => joined.push(words),
            }
        }
        joined
    }

    fn heads_covered(&self, id: ServiceId, said: &[&Said]) -> f64 {
        let Some(entry) = self.entries.iter().find(|e| e.id == id) else { return 0.0 };
        said.iter().filter(|s| s.is_head()).map(|s| s.fit(entry).0).sum()
    }

    /// The services that fit these words best, and how much of the words they cover. `beside` are
    /// the words of the whole message: «ламинирование и окрашивание бровей» names its brows once.
    fn best(&self, said: &[&Said], beside: &[&Said], unwanted: &[Key], joint: bool) -> (Vec<ServiceId>, f64) {
        struct Fit {
            id: ServiceId,
            covered: f64,
            /// Rank among those that cover as much.
            rank: f64,
            exact: bool,
            /// Words covered, whatever is said against it.
            said: f64,
            /// Several works, one of which nobody spoke of.
            more: bool,
            /// For a child, of whom nothing was said.
            child: bool,
            /// For men, of whom nothing was said, though it is no work of barbers.
            of_men: bool,
        }
        let mut fits: Vec<Fit> = Vec::new();
        let pet = said.iter().chain(beside).any(|s| s.keys.iter().any(|key| ANIMALS.contains(key)));
        // What comes with a refused work is not asked for.
        let refused = |e: &Entry| e.joint && e.title.iter().any(|w| !w.without && unwanted.contains(&w.key));
        // Nor is a father where only the child was said.
        let father = Key::Trade(Trade::Father);
        let fatherless = !said.iter().chain(beside).any(|s| s.keys.contains(&father));
        let refused = |e: &Entry| refused(e) || fatherless && e.joint && e.title.iter().any(|w| w.key == father);
        for entry in self.entries.iter().filter(|entry| (entry.joint || !joint) && !refused(entry)) {
            let mut covered = 0.0;
            let mut title = 0.0;
            let mut conflict = false;
            for word in said {
                let (cover, by_title, against) = word.fit(entry);
                covered += cover;
                title += by_title;
                conflict |= against;
            }
            // Whom it is for is no work: «дочке маникюр» asks for no child's haircut.
            let for_whom = |s: &Said| s.keys.iter().any(|key| PERSONS.map(Key::Trade).contains(key) || ANIMALS.contains(key));
            let work_said = said.iter().any(|s| (s.is_head() || s.keys[0] == Key::Trade(Trade::Complex)) && !for_whom(s));
            // Nor is what hair it is: «химия на короткие волосы».
            let hair = [Trade::Hair, Trade::Long, Trade::Short].map(Key::Trade);
            let of_hair = |s: &Said| s.keys.iter().all(|key| hair.contains(key));
            let only_for_whom = said.iter().all(|s| s.fit(entry).0 <= 0.0 || for_whom(s) || of_hair(s));
            if covered <= 0.0 || (title <= 0.0 && covered < 0.5) || work_said && only_for_whom {
                continue;
            }
            // «Почистить уши» is no cleaning of teeth.
            let of_entry = |key: &Key| entry.title.iter().any(|w| w.key == *key);
            let objects = |s: &&&Said| s.keys[0].is_object() && !ANIMALS.iter().any(|key| s.keys.contains(key));
            let of_others = entry.title.iter().any(|w| NARROW.contains(&w.key) && !w.aside)
                && said.iter().any(|s| objects(&s))
                && !said.iter().chain(beside).filter(objects).any(|s| s.keys.iter().any(of_entry));
            // «Когти подстричь коту» is no haircut.
            let part = |s: &&Said| s.keys.iter().any(|key| NARROW.contains(key));
            let of_whole_pet = pet && said.iter().copied().any(|s| part(&s) && !s.keys.iter().any(of_entry));
            // «Мытьё без стрижки» is not for who wants a haircut too.
            let leaves_out = entry.title.iter().any(|w| {
                w.without && w.key.is_head() && !COATINGS.contains(&w.key) && beside.iter().any(|s| !s.without && s.keys[0] == w.key)
            });
            if of_others || of_whole_pet || leaves_out {
                continue;
            }
            // Where nothing is made for children, what is made for grown people is meant.
            let of_child = |s: &&&Said| s.keys.iter().any(|key| CHILDREN.contains(key));
            let against_child = conflict && said.iter().filter(|s| s.fit(entry).2).all(|s| of_child(&s));
            let has = |word: &Word, said: &[&Said]| said.iter().any(|s| s.keys.contains(&word.key) && s.without == word.without);
            let missing: Vec<&Word> = entry.title.iter().filter(|w| !w.aside && !has(w, said)).collect();
            let lent = |w: &Word| w.key.is_object() && has(w, beside);
            let borrowed = missing.iter().filter(|w| lent(w)).count();
            // Henna is a way of colouring, no other work.
            let way = |w: &Word| {
                w.key == Key::Trade(Trade::Henna) && entry.title.iter().any(|w| w.key == Key::Trade(Trade::Coloring) && has(w, said))
            };
            // A massage is always one of some place: «массаж» is as much of the back as of the body.
            let anywhere = |w: &Word| w.key.is_object() && !entry.joint && entry.title.iter().any(|w| w.key.is_anywhere() && has(w, said));
            let missing_heads = missing
                .iter()
                .filter(|w| {
                    (w.key.is_head() || w.leads) && !w.without && !lent(w) && !way(w) && !anywhere(w) && w.key != Key::Trade(Trade::Hair)
                })
                .count();
            // «Лазерная эпиляция» is one way to remove hair.
            let removes = |w: &&&Word| METHODS.contains(&w.key);
            let missing_heads = missing_heads - missing.iter().filter(removes).count().saturating_sub(1).min(missing_heads);
            let missing_key = |key| missing.iter().any(|w| w.key == Key::Trade(key));
            // A coating that nobody spoke of is no other work.
            let coating = usize::from(
                missing_key(Trade::Coating)
                    && missing_heads > 0
                    && missing.iter().any(|w| w.key == Key::Trade(Trade::Coating) && !w.without),
            );
            let missing_heads = missing_heads - coating;
            // «С покрытием» does not ask for its removal.
            let removal = f64::from(u8::from(missing_key(Trade::Removal))) * 0.5;
            let exact = missing.is_empty();
            // Nobody spoke of a child.
            let child = missing.iter().any(|w| CHILDREN.contains(&w.key));
            let penalty = if against_child {
                0.5
            } else if conflict {
                3.0
            } else {
                0.0
            };
            fits.push(Fit {
                id: entry.id,
                covered: covered - penalty,
                said: covered,
                more: entry.joint && missing_heads > 0,
                rank: 0.3f64.mul_add(borrowed as f64, -(missing_heads as f64)) - if entry.joint { 0.05 } else { 0.0 } - removal,
                exact,
                child,
                of_men: missing_key(Trade::Male) && entry.title.iter().any(|w| NOT_BARBERS.contains(&w.key)),
            });
        }
        // More than was said is no answer where as much as was said is there.
        let plainest = fits.iter().filter(|fit| !fit.more).map(|fit| fit.said).fold(0.0, f64::max);
        fits.retain(|fit| !fit.more || fit.said > plainest + 0.01);
        // «Маникюр» is no man's; in a barber's a haircut is.
        if fits.iter().any(|fit| !fit.of_men) {
            fits.retain(|fit| !fit.of_men);
        }
        // In a salon for children a haircut is a child's.
        if fits.iter().filter(|fit| fit.child).count() * 2 <= fits.len() {
            fits.retain(|fit| !fit.child);
        }
        let most = fits.iter().map(|fit| fit.covered).fold(0.0, f64::max);
        if most < 0.5 {
            return (Vec::new(), 0.0);
        }
        fits.retain(|fit| fit.covered >= most - 0.01);
        if fits.iter().any(|fit| fit.exact) {
            fits.retain(|fit| fit.exact);
        }
        let rank = fits.iter().map(|fit| fit.rank).fold(f64::MIN, f64::max);
        fits.retain(|fit| fit.rank >= rank - 0.01);
        fits.truncate(MOST_ALTERNATIVES);
        (fits.into_iter().map(|fit| fit.id).collect(), most)
    }
}

/// «4 кг», «два годика», «0,5»: a measure said, in tenths; a fraction by itself is of millilitres.
fn measured(tokens: &[Token]) -> Option<(Measure, u32)> {
    (0..tokens.len()).find_map(|i| {
        let token = &tokens[i];
        let fraction = tokens.get(i + 1).is_some_and(|t| t.glued && (t.mark(',') || t.mark('.')));
        let part = tokens.get(i + 2).filter(|t| fraction && t.glued && t.digits == 1 && token.digits > 0);
        let whole = if token.digits > 0 { Some(token.value) } else { token.cardinal() };
        let value = whole?.checked_mul(10)? + part.map_or(0, |t| t.value);
        let unit = tokens.get(if part.is_some() { i + 3 } else { i + 1 }).and_then(|t| Measure::of(&t.text));
        let bare = part.is_some_and(|_| token.value < 3).then_some(Measure::Millilitres);
        unit.or(bare).map(|measure| (measure, value))
    })
}

/// What one is whose husband or wife was named.
fn spouse(token: &Token) -> Option<Trade> {
    let begins = |stems: &[&str]| stems.iter().any(|stem| token.text.starts_with(stem));
    if begins(&["муж", "супругом", "супругу", "husband", "boyfriend"])
        && !token.text.starts_with("мужск")
        && !token.text.starts_with("мужч")
    {
        Some(Trade::Female)
    } else if begins(&["жена", "жене", "жену", "жены", "женой", "супругой", "wife", "girlfriend"]) {
        Some(Trade::Male)
    } else {
        None
    }
}
