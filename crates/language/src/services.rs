//! Which services of this salon a message means.

use domain::{Salon, ServiceId};

use crate::{
    lexicon::{self, Cue, Lexicon, Prep, Sense, Trade, Unit, sound},
    morphology, names, refused, script,
    text::{Kind, Token},
};

/// A word of a title: a family of the trade, or a word of this salon's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Trade(Trade),
    /// Hash of a dictionary form.
    Own(u32),
}

impl Key {
    fn of(lemma: &str) -> Self {
        // FNV-1a: a salon has some hundred words, a clash costs a needless question.
        Self::Own(lemma.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
    }
    /// What something is done to; said once, it stands for several works.
    fn is_object(self) -> bool {
        use Trade::{
            Arm, Armpit, Back, Beard, Belly, Bikini, Body, Brow, Cat, Claw, Dog, Ear, Face, Foot, Forehead, Fringe, Hair, Head, Lash, Leg,
            Lip, Moustache, Nail, Navel, Neck, Nose, Shin, Thigh, Tooth,
        };
        let Self::Trade(trade) = self else { return false };
        matches!(
            trade,
            Arm | Armpit
                | Back
                | Beard
                | Belly
                | Bikini
                | Body
                | Brow
                | Cat
                | Claw
                | Dog
                | Ear
                | Face
                | Foot
                | Forehead
                | Fringe
                | Hair
                | Head
                | Lash
                | Leg
                | Lip
                | Moustache
                | Nail
                | Navel
                | Neck
                | Nose
                | Shin
                | Thigh
                | Tooth
        )
    }
    /// Work that may be done to any part of the body.
    fn is_anywhere(self) -> bool {
        use Trade::{Cleaning, Epilation, Massage, Peeling, Sugaring, Wax};
        [Massage, Cleaning, Peeling, Epilation, Sugaring, Wax].map(Key::Trade).contains(&self)
    }
    fn is_head(self) -> bool {
        match self {
            Self::Trade(trade) => trade.is_head(),
            Self::Own(_) => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word {
    key: Key,
    /// «Без» stands before it.
    without: bool,
    /// It stands in brackets, and only explains: «педикюр (стопа + пальчики)».
    aside: bool,
}

#[derive(Debug)]
struct Entry {
    id: ServiceId,
    title: Box<[Word]>,
    /// The trade's words of category and description: they help where the title says nothing.
    around: Box<[Key]>,
    parts: Box<[ServiceId]>,
    minutes: i64,
    /// Several works under one title: «стрижка + борода».
    joint: bool,
}

/// The salon's price list as words.
#[derive(Debug, Default)]
pub(crate) struct PriceList {
    entries: Box<[Entry]>,
    /// Words of this salon's categories that the trade does not have: «собаки».
    categories: Box<[Key]>,
    /// Words that only this salon has, for those who misspell them.
    own: Box<[(Box<str>, Key)]>,
}

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

/// A word of the message that some service has.
#[derive(Debug, Clone)]
struct Said {
    keys: Vec<Key>,
    without: bool,
    /// Which part of an enumeration it stands in.
    group: usize,
    at: usize,
    /// A verb that governs an object: «подстричь бороду» is one thing.
    verb: bool,
    /// A title of this list begins with it and has no word of the trade: «биоревитализация».
    named: bool,
    /// «С» stands before it.
    with: bool,
    /// "Trim", or a noun with its object right behind it: «стрижка бороды».
    trim: bool,
}

/// Whom a service is for.
const PERSONS: [Trade; 6] = [Trade::Male, Trade::Female, Trade::Child, Trade::Boy, Trade::Girl, Trade::Teen];

/// Ways to remove hair; each is another service.
const METHODS: [Trade; 3] = [Trade::Sugaring, Trade::Wax, Trade::Laser];

const CHILDREN: [Key; 4] = [Key::Trade(Trade::Child), Key::Trade(Trade::Boy), Key::Trade(Trade::Girl), Key::Trade(Trade::Teen)];

const COATINGS: [Key; 3] = [Key::Trade(Trade::Coating), Key::Trade(Trade::Gel), Key::Trade(Trade::Lacquer)];

const MOST_ALTERNATIVES: usize = 5;

impl PriceList {
    pub(crate) fn of(salon: &Salon) -> Self {
        let mut own: Vec<(Box<str>, Key)> = Vec::new();
        let entries = salon.services.iter().map(|service| {
            let title = title_words(&service.title);
            own.extend(
                title
                    .iter()
                    .filter(|(_, word)| matches!(word.key, Key::Own(_)))
                    .map(|(text, word)| (text.clone().into_boxed_str(), word.key)),
            );
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
            }
        });
        let entries = entries.collect();
        own.sort_unstable();
        own.dedup();
        let categories = salon.services.iter().flat_map(|service| words(&service.category)).map(|(_, word)| word.key).collect();
        Self { entries, categories, own: own.into_boxed_slice() }
    }

    /// The word is one of this list, whatever else it may mean elsewhere: «массаж для беременных».
    pub(crate) fn lists(&self, token: &Token) -> bool {
        let lemmas = morphology::lemmas(&token.text);
        let keys: Vec<Key> = lemmas.iter().map(|lemma| Key::of(lemma)).chain(token.trades().map(Key::Trade)).collect();
        let titled = self.entries.iter().any(|e| e.title.iter().any(|w| keys.contains(&w.key)));
        titled || self.categories.iter().any(|key| keys.contains(key)) || self.own.iter().any(|(_, key)| keys.contains(key))
    }

    /// `people`: where several come, no package for one is meant. `asked`: a service was
    /// asked for, so that «мужская» alone answers.
    pub(crate) fn find(&self, tokens: &[Token], used: &[bool], people: u8, asked: bool) -> Meant {
        let (mut said, unwanted, unknown) = self.said(tokens, used);
        let person = PERSONS.map(Key::Trade);
        // «На мужскую» leaves the noun out.
        let short = |s: &Said| s.at > 0 && tokens[s.at - 1].prep(Prep::On) && morphology::is_adjective(&tokens[s.at].text);
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
            let either = |said: &[Said]| self.meant(said, &unwanted, people > 1).into_iter().flatten();
            for id in either(&left).chain(either(&right)) {
                if !options.contains(&id) {
                    options.push(id);
                }
            }
            return Meant { options: if options.is_empty() { Vec::new() } else { vec![options] }, any_word, unknown };
        }
        let options = self.each_person(&said, tokens, people, &unwanted).unwrap_or_else(|| self.meant(&said, &unwanted, people > 1));
        let options = self.as_long_as(options, tokens, used);
        Meant { options, any_word, unknown }
    }

    /// The words of the message that some title, category or description has.
    /// Beside them the keys of works that were refused, and the token of a work that no title has.
    fn said(&self, tokens: &[Token], used: &[bool]) -> (Vec<Said>, Vec<Key>, Option<usize>) {
        let mut said: Vec<Said> = Vec::new();
        let mut unwanted: Vec<Key> = Vec::new();
        let mut removes = false;
        let mut group = 0;
        let mut without = false;
        let mut strangers: Vec<(usize, usize)> = Vec::new();
        let refused = refused::works(tokens, used);
        // «Стрику», «броду» are words of the dictionary that nobody writes to a salon.
        let slips = rare_words(tokens, used);
        let booking = tokens.iter().any(|t| t.cue(Cue::Booking) && t.text.starts_with("запис"));
        for (i, token) in tokens.iter().enumerate() {
            // A line may break inside a phrase: «тонирование / бороды».
            let broken = token.kind == Kind::LineEnd
                && tokens[i + 1..]
                    .iter()
                    .find_map(|t| t.trades().next())
                    .is_none_or(|trade| trade == Trade::Coating || Key::Trade(trade).is_object() || !trade.is_head());
            if broken {
                continue;
            }
            let divides =
                token.is(Sense::And) || token.ends_clause() || token.mark('+') || token.mark('&') || matches!(&*token.text, "плюс" | "а");
            if divides {
                group += 1;
                without = false;
                removes = false;
                continue;
            }
            if token.prep(Prep::Without) || token.text == "without" {
                without = true;
                continue;
            }
            if used[i] || token.is(Sense::Not) || addresses(tokens, i) || !token.is_word() && token.digits == 0 {
                continue;
            }
            // «Снимите меня с записи» takes nothing off.
            let unbooks = booking && token.cue(Cue::Drop);
            let keys = match tokens.get(i + 1) {
                _ if unbooks => Vec::new(),
                // "Back" by itself is no part of the body.
                Some(next) if token.text == "back" && next.trades().any(|t| t == Trade::Massage) => {
                    self.known(vec![Key::Trade(Trade::Back)])
                }
                // «2D», «3д»
                Some(next) if token.digits > 0 && matches!(&*next.text, "d" | "д") => {
                    self.known(vec![Key::of(&format!("{}d", token.text))])
                }
                // «Педикюр обычный» is one without coating, where the list has such.
                _ if matches!(&*token.text.chars().take(5).collect::<String>(), "обычн" | "прост") && self.uncoated(token) => {
                    without = true;
                    vec![Key::Trade(Trade::Coating)]
                }
                // «Первая стрижка»
                Some(next) if token.is_word() && token.ordinal().is_some() && next.trades().any(Trade::is_head) => {
                    self.known(morphology::lemmas(&token.text).iter().map(|lemma| Key::of(lemma)).collect())
                }
                _ if is_little_one(tokens, i) => self.known(CHILDREN.to_vec()),
                // «Ноги до колена»
                Some(next) if token.trades().any(|t| t == Trade::Leg) && to_the_knee(next, tokens.get(i + 2)) => {
                    let keys = self.keys(token);
                    if keys.is_empty() { self.known(vec![Key::Trade(Trade::Shin)]) } else { keys }
                }
                _ => self.keys(token),
            };
            let keys = if keys.is_empty() && slips.contains(&i) { self.slipped(token) } else { keys };
            if keys.is_empty() && !unbooks && token.trades().any(|t| t == Trade::Removal) {
                removes = true;
            }
            if keys.is_empty() {
                let told_of = i > 0 && matches!(&*tokens[i - 1].text, "после" | "перед" | "до" | "от" | "after" | "before");
                let here = !self.entries.is_empty();
                if here && !refused[i] && !without && !unbooks && !told_of && unheard(tokens, i) {
                    strangers.push((group, i));
                }
                // «без» reaches over an adjective only.
                without &= token.is_word() && !token.trades().any(Trade::is_head) && !matches!(&*token.text, "с" | "со");
                continue;
            }
            let verb = token.is_word()
                && morphology::dictionary().analyze(&token.text).first().is_some_and(|a| morphology::part_of_speech(a) == "VERB");
            let next = tokens.get(i + 1).filter(|t| t.text != "борода" && morphology::may_be_case(&t.text, "Gen"));
            let trim = token.text == "trim" || next.is_some();
            let quality = keys.iter().any(|key| COATINGS.contains(key));
            // «Покрытие не надо» is «без покрытия»; any other work that is refused is not spoken of.
            // «Без гель-лака» is without either.
            let goes_on = said.last().is_some_and(|last| last.without && last.group == group && i <= last.at + 2)
                && (i > 0 && (tokens[i - 1].mark('-') || said.last().is_some_and(|last| last.at + 1 == i)));
            without |= quality && goes_on;
            let named_without = |key: &Key| self.entries.iter().any(|e| e.title.iter().any(|w| w.key == *key && w.without));
            // «Снять гель» in a list that has no removal asks for no coating.
            if removes && quality {
                continue;
            }
            // A coating that is refused along with its work is not spoken of either.
            let work = |t: &Token| t.trades().any(|trade| trade.is_head() && !COATINGS.contains(&Key::Trade(trade)));
            if refused[i] && quality && tokens[..i].iter().zip(&refused).rev().take_while(|(_, refused)| **refused).any(|(t, _)| work(t)) {
                without = false;
                continue;
            }
            if refused[i] && quality {
                without = true;
            } else if refused[i] || without && !quality && !keys.iter().any(named_without) && keys.iter().any(|key| key.is_head()) {
                unwanted.extend(keys);
                without = false;
                continue;
            }
            let with = i > 0 && matches!(&*tokens[i - 1].text, "с" | "со" | "with");
            // «Стрижка с бородой» is both.
            let another = keys.iter().any(|key| [Trade::Beard, Trade::Moustache].map(Key::Trade).contains(key));
            group += usize::from(
                with && another && said.last().is_some_and(|last| last.group == group && last.keys.contains(&Key::Trade(Trade::Haircut))),
            );
            let named = matches!(keys[0], Key::Own(_))
                && self.entries.iter().any(|e| e.title.iter().any(|w| keys.contains(&w.key)) && !e.title.iter().any(|w| w.key.is_head()));
            said.push(Said { keys, without, group, at: i, verb, named, with, trim });
            without = false;
        }
        // «С покрытием и без»
        if without && let Some(last) = said.last().filter(|last| last.group + 1 == group && !last.without).cloned() {
            let again: Vec<Said> = said.iter().filter(|s| s.group == last.group).cloned().collect();
            said.extend(again.into_iter().map(|s| Said { group, without: s.at == last.at, ..s }));
        }
        // «У меня короткие волосы, сколько стоит …» tells of the hair.
        let told = |said: &Said| {
            tokens[..said.at].iter().rev().take_while(|t| !t.ends_clause()).any(|t| t.text == "меня")
                && tokens[..said.at].iter().any(|t| t.text == "у")
        };
        if said.iter().any(|s| !told(s)) {
            said.retain(|s| {
                !(told(s) && s.keys.iter().all(|k| matches!(k, Key::Trade(Trade::Hair | Trade::Nail | Trade::Long | Trade::Short))))
            });
        }
        // «Сына подстричь и самому подстричься»
        let father = Key::Trade(Trade::Father);
        let himself = tokens.iter().position(|t| matches!(&*t.text, "самому" | "сам"));
        let child = said.iter().any(|s| s.keys.iter().any(|key| CHILDREN.contains(key)));
        if let Some(at) = himself.filter(|_| child && !self.known(vec![father]).is_empty()) {
            said.retain(|s| !s.keys.contains(&Key::Trade(Trade::Haircut)));
            let group = said.last().map_or(0, |last| last.group);
            said.push(Said { keys: vec![father], without: false, group, at, verb: false, named: false, with: false, trim: false });
        }
        trimming(&mut said);
        nails(&mut said, &self.entries);
        unwanted.retain(|key| !said.iter().any(|s| s.keys.contains(key)));
        // «Наращивание ресниц» is no other work that is done to lashes.
        let lone = |group: usize, at: usize| {
            let shaped = tokens[at].trades().any(|t| t == Trade::Correction) && !self.known(vec![Key::Trade(Trade::Shape)]).is_empty();
            !said.iter().any(|s| s.group == group) || names_a_work(&tokens[at]) && !shaped
        };
        let unknown = strangers.into_iter().find(|(group, at)| lone(*group, *at)).map(|(_, at)| at);
        (said, unwanted, unknown)
    }

    fn keys(&self, token: &Token) -> Vec<Key> {
        let mut keys: Vec<Key> = token.trades().map(Key::Trade).collect();
        // A gel is a coating, and so is lacquer.
        if keys.contains(&Key::Trade(Trade::Gel)) || keys.contains(&Key::Trade(Trade::Lacquer)) {
            keys.push(Key::Trade(Trade::Coating));
        } else if keys.contains(&Key::Trade(Trade::Coating)) {
            keys.extend([Trade::Gel, Trade::Lacquer].map(Key::Trade));
        }
        if keys.contains(&Key::Trade(Trade::Balayage)) {
            keys.extend([Key::Trade(Trade::Highlights), Key::Trade(Trade::Difficult)]);
        }
        if keys.contains(&Key::Trade(Trade::Highlights)) {
            keys.push(Key::Trade(Trade::Difficult));
        }
        if keys.contains(&Key::Trade(Trade::Shape)) {
            keys.push(Key::Trade(Trade::Correction));
        }
        if keys.contains(&Key::Trade(Trade::Fade)) || keys.contains(&Key::Trade(Trade::Crop)) {
            keys.extend([Key::Trade(Trade::Haircut), Key::Trade(Trade::Male)]);
        }
        if keys.contains(&Key::Trade(Trade::Sugaring)) || keys.contains(&Key::Trade(Trade::Wax)) {
            keys.push(Key::Trade(Trade::Epilation));
        }
        // A boy is a child, and where a list knows boys and girls apart, a child is either.
        let child = [Trade::Boy, Trade::Girl, Trade::Teen].map(Key::Trade);
        if keys.iter().any(|key| child.contains(key)) {
            keys.push(Key::Trade(Trade::Child));
        } else if keys.contains(&Key::Trade(Trade::Child)) {
            keys.extend(child);
        }
        if keys.contains(&Key::Trade(Trade::Henna)) {
            keys.push(Key::Trade(Trade::Coloring));
        }
        let own = token.trades().next().is_none() && token.is_word();
        if keys.contains(&Key::Trade(Trade::Body)) {
            keys.push(Key::of("общий"));
        }
        let long = token.text.chars().count() > 2 || token.latin && token.capital && token.text.chars().count() == 2;
        if own && long && !token.senses.iter().any(|s| is_little(*s)) {
            keys.extend(morphology::lemmas(&token.text).iter().map(|lemma| Key::of(lemma)));
            if token.latin {
                keys.push(Key::of(&script::transliterate(&token.text)));
            }
            if token.senses.is_empty() && self.known(keys.clone()).is_empty() {
                let allowed = |own: &str| 1 + usize::from(own.chars().count() > 7);
                let near = |own: &str| {
                    token.strange
                        && own.chars().count() > 4
                        && (strsim::osa_distance(own, &token.text) <= allowed(own) || sound(own) == sound(&token.text))
                };
                let done = morphology::undone(&token.text);
                let meant = self
                    .own
                    .iter()
                    .filter(|(own, _)| near(own) || related(&token.text, own) || done.is_some_and(|verb| related(verb, own)));
                keys.extend(meant.map(|(_, key)| *key));
            }
        }
        self.known(keys)
    }

    /// The work whose name a word is with a letter left out or two swapped.
    fn slipped(&self, token: &Token) -> Vec<Key> {
        let lexicon = Lexicon::get();
        let near = lexicon.nearest(&token.text).filter(|near| lexicon::slip(&token.text, near).is_some_and(|rank| rank < 2));
        let senses = near.and_then(|near| lexicon.senses(near)).unwrap_or_default();
        let works = senses.iter().filter_map(|s| if let Sense::Trade(trade) = s { Some(*trade) } else { None });
        self.known(works.filter(|trade| trade.is_head()).map(Key::Trade).collect())
    }

    /// An adjective that nothing here is called by, in a list that has works without coating.
    fn uncoated(&self, token: &Token) -> bool {
        let bare = |e: &Entry| e.title.iter().any(|w| w.without && w.key == Key::Trade(Trade::Coating));
        let adjective = ["ый", "ая", "ую", "ого", "ой", "ое", "ые"].iter().any(|end| token.text.ends_with(end));
        adjective && self.entries.iter().any(bare) && self.keys(token).is_empty()
    }

    /// Those that some service has.
    fn known(&self, mut keys: Vec<Key>) -> Vec<Key> {
        keys.retain(|key| self.entries.iter().any(|e| e.title.iter().any(|w| w.key == *key) || e.around.contains(key)));
        keys
    }

    fn meant(&self, said: &[Said], unwanted: &[Key], people_apart: bool) -> Vec<Vec<ServiceId>> {
        let all: Vec<&Said> = said.iter().collect();
        let mut groups: Vec<Vec<&Said>> = self.grouped(said).into_iter().flat_map(|group| self.coating_apart(group)).collect();
        let or_nothing = |ids: Vec<ServiceId>| if ids.is_empty() { Vec::new() } else { vec![ids] };
        if groups.len() < 2 {
            let ids = self.best(&all, &[], unwanted, false).0;
            // «Стрижка с укладкой» in a list that has them apart.
            let work = |s: &&&Said| s.is_head() && !s.keys[0].is_object() && s.keys[0] != Key::Trade(Trade::Coating);
            let second = all.iter().skip(1).position(|s| s.with && work(&s)).map(|n| n + 1);
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
            let (ids, covered) = before
                .and_then(|before| self.shared_work(before, group, unwanted))
                // «Ноги и подмышки, шугаринг»
                .or_else(|| groups[n + 1..].iter().find_map(|after| self.shared_work(after, group, unwanted)).filter(|_| n == 0))
                .or_else(|| self.shared_coating(group, groups.get(n + 1)?, unwanted))
                .unwrap_or_else(|| self.best(group, &all, unwanted, false));
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
        let coating = |s: &&&Said| s.keys.iter().any(|key| COATINGS.contains(key));
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
        let work = before.iter().filter(|s| !object(s) && s.is_head());
        let words: Vec<&Said> = work.chain(group).copied().collect();
        let whole: f64 = words.iter().map(|s| s.weight()).sum();
        let (ids, covered) = self.best(&words, &[], unwanted, false);
        // Of «стрижка машинкой и борода» the first is said.
        let apart = ids.iter().all(|id| self.entries.iter().any(|e| e.id == *id && !e.joint));
        (words.len() > group.len() && covered >= whole - 0.01 && apart).then(|| (ids, group.iter().map(|s| s.weight()).sum()))
    }

    /// «Массаж на полтора часа»: of works that differ in length, those as long as was said.
    fn as_long_as(&self, mut options: Vec<Vec<ServiceId>>, tokens: &[Token], used: &[bool]) -> Vec<Vec<ServiceId>> {
        let Some(said) = (0..tokens.len()).find_map(|i| length(tokens, used, i)) else { return options };
        let fits = |id: &ServiceId| self.entries.iter().any(|e| e.id == *id && e.minutes == said);
        for ids in options.iter_mut().filter(|ids| ids.iter().any(fits)) {
            ids.retain(fits);
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
        let oneself = |t: &Token| matches!(&*t.text, "я" | "мне" | "меня" | "себя" | "себе" | "сам" | "самому" | "мы" | "i" | "me");
        let with_child = people > 1 && named.len() == 1 && CHILDREN.contains(&named[0].keys[0]) && tokens.iter().any(oneself);
        if !(named.len() > 1 && near || with_child) {
            return None;
        }
        let own = with_child.then(|| self.best(&works, &[], unwanted, false).0);
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
            let alone = words.iter().any(|s| s.is_head() && !s.without);
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
        }
        let mut fits: Vec<Fit> = Vec::new();
        // What comes with a refused work is not asked for.
        let refused = |e: &Entry| e.joint && e.title.iter().any(|w| !w.without && unwanted.contains(&w.key));
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
            let work_said = said.iter().any(|s| s.is_head());
            let only_for_whom =
                said.iter().all(|s| s.fit(entry).0 <= 0.0 || s.keys.iter().any(|key| PERSONS.map(Key::Trade).contains(key)));
            if covered <= 0.0 || (title <= 0.0 && covered < 0.5) || work_said && only_for_whom {
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
                .filter(|w| w.key.is_head() && !w.without && !lent(w) && !way(w) && !anywhere(w) && w.key != Key::Trade(Trade::Hair))
                .count();
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
            });
        }
        // More than was said is no answer where as much as was said is there.
        let plainest = fits.iter().filter(|fit| !fit.more).map(|fit| fit.said).fold(0.0, f64::max);
        fits.retain(|fit| !fit.more || fit.said > plainest + 0.01);
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

impl Said {
    fn is_head(&self) -> bool {
        self.named || self.keys.first().is_some_and(|key| key.is_head())
    }
    fn weight(&self) -> f64 {
        match self.keys.first() {
            Some(key) if key.is_object() => 0.8,
            Some(key) if key.is_head() || self.named => 1.0,
            // The salon's own word tells more than a part of the body: «прокол хряща уха».
            Some(Key::Own(_)) => 0.85,
            _ => 0.6,
        }
    }
    /// How much of this word a service covers, how much of that by its title, and whether the
    /// service says the contrary.
    fn fit(&self, entry: &Entry) -> (f64, f64, bool) {
        let mut best: f64 = 0.0;
        let mut against = false;
        for (n, key) in self.keys.iter().enumerate() {
            let nearness = if n == 0 || matches!(key, Key::Own(_)) { 1.0 } else { 0.8 };
            for word in entry.title.iter().filter(|word| word.key == *key) {
                if word.without == self.without {
                    best = best.max(nearness * self.weight());
                } else {
                    against = true;
                }
            }
        }
        if self.without && !entry.title.iter().any(|word| self.keys.contains(&word.key)) && self.is_head() {
            return (0.0, 0.0, false);
        }
        let gender = PERSONS.map(Key::Trade);
        if self.keys.iter().any(|k| gender.contains(k)) && best == 0.0 && entry.title.iter().any(|w| gender.contains(&w.key)) {
            against = true;
        }
        // Sugar is no laser, whatever hair both remove.
        let by = |key: &Key| METHODS.map(Key::Trade).contains(key);
        let other_method = !self.without
            && self.keys.first().is_some_and(by)
            && entry.title.iter().any(|w| by(&w.key))
            && !entry.title.iter().any(|w| self.keys.first() == Some(&w.key));
        if other_method {
            return (0.0, 0.0, true);
        }
        if best > 0.0 {
            return (best, best, false);
        }
        let around = if !self.without && self.keys.iter().any(|key| entry.around.contains(key)) { 0.3 * self.weight() } else { 0.0 };
        (around, 0.0, against)
    }
}

/// «Подстричь бороду» is no haircut: cutting with an object of its own shapes it.
fn trimming(said: &mut [Said]) {
    let objects = [Trade::Beard, Trade::Moustache, Trade::Fringe].map(Key::Trade);
    let of: Vec<(usize, usize)> = said.iter().filter(|s| s.keys.iter().any(|k| objects.contains(k))).map(|s| (s.group, s.at)).collect();
    for word in said.iter_mut() {
        let haircut = word.keys.first() == Some(&Key::Trade(Trade::Haircut));
        let cut = |distance: usize| word.verb && distance <= 2 || word.trim && distance == 1;
        // «Бороду и усы подстричь»
        let both = |group: usize, at: usize| word.verb && group + 1 == word.group && at + 3 == word.at;
        if haircut && of.iter().any(|(group, at)| *group == word.group && cut(at.abs_diff(word.at)) || both(*group, *at)) {
            word.keys = [Trade::Shape, Trade::Correction, Trade::Haircut].map(Key::Trade).to_vec();
        }
        // «Оформить бороду» where the list has it as a cut.
        if word.keys.first() == Some(&Key::Trade(Trade::Shape))
            && of.iter().any(|(group, at)| *group == word.group && at.abs_diff(word.at) <= 2)
        {
            word.keys.push(Key::Trade(Trade::Haircut));
        }
    }
}

/// «Сделать ноготки» is a manicure, unless they are to be repaired, lengthened or painted.
fn nails(said: &mut Vec<Said>, entries: &[Entry]) {
    let nail = Key::Trade(Trade::Nail);
    let other_head = said.iter().any(|s| s.is_head() && !s.keys.contains(&nail) && !s.keys.contains(&Key::Trade(Trade::Coating)));
    let manicure = Key::Trade(Trade::Manicure);
    if !other_head && entries.iter().any(|e| e.title.iter().any(|w| w.key == manicure)) {
        for word in said.iter_mut().filter(|s| s.keys.contains(&nail)) {
            word.keys = vec![manicure];
        }
    }
    // With a hand or a foot named, nails add nothing.
    if said.len() > 1 && said.iter().any(|s| s.keys.contains(&manicure)) {
        said.retain(|s| !s.keys.contains(&nail));
    }
}

/// A noun for a work, or one of the verbs that mean nothing else.
fn names_a_work(token: &Token) -> bool {
    use Trade::{Care, Coating, Coloring, Complex, Consultation, Delete, Epilation, Haircut, Massage, Piercing, Repair, Shave, Tattoo};
    let noun = token.latin || morphology::is_noun(&token.text);
    let plain = [Haircut, Coloring, Shave, Epilation, Massage, Piercing, Tattoo];
    let vague = [Care, Coating, Complex, Consultation, Delete, Repair];
    let names = |work: Trade| work.is_head() && !Key::Trade(work).is_object() && !vague.contains(&work) && (noun || plain.contains(&work));
    token.trades().any(names)
}

/// «Девочки, добрый день»: those who work here, nobody to be served.
fn addresses(tokens: &[Token], i: usize) -> bool {
    if !matches!(&*tokens[i].text, "девочки" | "девушки" | "девушка" | "мальчики" | "девченки" | "ladies" | "girls")
    {
        return false;
    }
    let greets = |t: &Token| t.cue(Cue::Hello) || t.cue(Cue::Good);
    let day_of_greeting = |k: usize| k > 0 && tokens[k - 1].cue(Cue::Good);
    let opens = (0..i).all(|k| !tokens[k].is_word() || greets(&tokens[k]) || day_of_greeting(k));
    let next = tokens.get(i + 1);
    opens
        && tokens[..i].iter().all(|t| t.digits == 0)
        && (i > 0 || next.is_some_and(|t| greets(t) || t.ends_clause()))
        && !next.is_some_and(|t| t.digits > 0 || t.is(Sense::And))
}

/// «Малого постричь», «постричь, 7 лет»: a child without the word.
fn is_little_one(tokens: &[Token], i: usize) -> bool {
    let near = tokens.iter().any(|t| t.trades().any(|t| matches!(t, Trade::Haircut | Trade::Child | Trade::Boy | Trade::Girl)));
    let word = matches!(&*tokens[i].text, "малого" | "малому" | "мелкого" | "мелкому" | "младшего" | "младшему" | "мелкую" | "младшую")
        && tokens.get(i + 1).is_none_or(|t| !morphology::may_be_case(&t.text, "Gen") && !morphology::may_be_case(&t.text, "Acc"));
    let age = tokens[i].digits > 0 && (1..=13).contains(&tokens[i].value) || tokens[i].cardinal().is_some_and(|n| (1..=13).contains(&n));
    let alone = i == 0 || !tokens[i - 1].is_word() || tokens[i - 1].is(Sense::And) || matches!(&*tokens[i - 1].text, "ему" | "ей");
    let years = tokens.get(i + 1).is_some_and(|t| t.unit() == Some(Unit::Year))
        && tokens.get(i + 2).is_none_or(|t| !t.is_word() || t.find(|s| matches!(s, Sense::Prep(_)).then_some(())).is_some());
    near && (word || age && alone && years)
}

/// Nouns without a meaning for a salon; a few of them at most are looked at for slips.
fn rare_words(tokens: &[Token], used: &[bool]) -> Vec<usize> {
    let rare = |i: &usize| {
        let t = &tokens[*i];
        !used[*i] && t.is_word() && t.senses.is_empty() && !t.strange && !t.capital && t.text.chars().count() > 4
    };
    (0..tokens.len()).filter(rare).filter(|i| morphology::is_noun(&tokens[*i].text)).take(4).collect()
}

/// A word that names work, though this list has nothing for it: of the trade, or a thing that
/// stands where work does, «на прессотерапию», «маникюр и прессотерапию».
fn unheard(tokens: &[Token], i: usize) -> bool {
    let token = &tokens[i];
    let work = |trade: Trade| {
        let vague = [Trade::Removal, Trade::Delete, Trade::Repair, Trade::Care, Trade::Father].contains(&trade);
        trade.is_head() && !vague && !Key::Trade(trade).is_object()
    };
    if token.trades().any(work) {
        return true;
    }
    let thing = || token.strange || morphology::is_thing(&token.text);
    let books = || tokens[..i].iter().any(|t| t.cue(Cue::Book));
    let before = i.checked_sub(1).map(|i| &tokens[i]);
    let joined = i.checked_sub(2).is_some_and(|i| tokens[i].trades().any(work));
    let place = before.is_some_and(|t| t.prep(Prep::On) && books() || joined && (t.text == "и" || t.mark('+') || t.text == "плюс"));
    place && token.is_word() && token.senses.is_empty() && token.text.chars().count() > 3 && !names::is_given(&token.text) && thing()
}

/// «До колена», «ниже колена»
fn to_the_knee(next: &Token, after: Option<&Token>) -> bool {
    (next.prep(Prep::Until) || next.text == "ниже") && after.is_some_and(|t| t.text.starts_with("колен"))
}

/// «Лимфодренаж» is said for «лимфодренажный», «биоревит» for «биоревитализация».
fn related(said: &str, own: &str) -> bool {
    let same = said.chars().zip(own.chars()).take_while(|(a, b)| a == b).count();
    let (said, own) = (said.chars().count() - same, own.chars().count() - same);
    same >= 4 && said == 0 || same >= 6 && said <= 4 && own <= 3 || same >= 5 && (said <= 2 || said <= 3 && own <= 5)
}

/// Numbers and little words mean no service.
fn is_little(sense: Sense) -> bool {
    matches!(sense, Sense::Prep(_) | Sense::And | Sense::Or | Sense::But | Sense::Card(_) | Sense::Ord(_) | Sense::Unit(_) | Sense::Not)
}

/// A length of work in minutes that begins at `i`: «60 минут», «полтора часа», «час двадцать» no more.
fn length(tokens: &[Token], used: &[bool], i: usize) -> Option<i64> {
    let unit = |i: usize| tokens.get(i).filter(|_| !used[i]).and_then(Token::unit);
    let of = |unit: Option<Unit>| match unit {
        Some(Unit::Minute) => Some(1),
        Some(Unit::Hour) => Some(60),
        _ => None,
    };
    let token = tokens.get(i).filter(|_| !used[i])?;
    let ahead = i > 0 && [Prep::In, Prep::At, Prep::To].iter().any(|prep| tokens[i - 1].prep(*prep));
    let shifts = |i: usize| tokens.get(i).is_some_and(|t| t.is(Sense::Later) || t.is(Sense::Earlier));
    let (minutes, end) = if token.is(Sense::OneAndHalf) {
        (of(unit(i + 1))? * 3 / 2, i + 2)
    } else if token.is(Sense::HalfHour) {
        (30, i + 1)
    } else {
        let number = if token.kind == Kind::Number { token.value } else { token.cardinal()? };
        (i64::from(number) * of(unit(i + 1))?, i + 2)
    };
    (!ahead && !shifts(end)).then_some(minutes)
}

/// A title without what stands in its brackets, and that by itself.
fn unbracketed(title: &str) -> (String, String) {
    let (mut plain, mut aside) = (String::new(), String::new());
    let mut depth = 0usize;
    for c in title.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // A bracket is a space on both sides.
        let (plain_c, aside_c) = if "()".contains(c) {
            (' ', ' ')
        } else if depth == 0 {
            (c, ' ')
        } else {
            (' ', c)
        };
        plain.push(plain_c);
        aside.push(aside_c);
    }
    (plain, aside)
}

/// The words of a title; those in brackets only explain it: «педикюр (стопа + пальчики)».
fn title_words(title: &str) -> Vec<(String, Word)> {
    let (plain, aside) = unbracketed(title);
    let mut said = words(&plain);
    let explained = words(&aside).into_iter().map(|(text, word)| (text, Word { aside: !said.is_empty(), ..word })).collect::<Vec<_>>();
    let new = |word: &Word| !said.iter().any(|(_, w)| w.key == word.key);
    let explained: Vec<(String, Word)> = explained.into_iter().filter(|(_, word)| new(word)).collect();
    said.extend(explained);
    said
}

/// How many works or people a title joins: «стрижка + борода» two, «маникюр + гель-лак» one.
fn works_joined(title: &str) -> usize {
    let counts = |(_, word): &(String, Word)| {
        let person = PERSONS.map(Key::Trade).contains(&word.key);
        !word.without && (word.key.is_head() || person || matches!(word.key, Key::Own(_))) && !COATINGS.contains(&word.key)
    };
    let title = unbracketed(title).0.replace(" и ", "+").replace(", ", "+").replace('&', "+");
    title.split('+').filter(|part| words(part).iter().any(counts)).count()
}

/// The words of a title or description that tell one service from another.
fn words(text: &str) -> Vec<(String, Word)> {
    let lexicon = Lexicon::get();
    let mut words: Vec<(String, Word)> = Vec::new();
    let mut without = false;
    for raw in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let mut word = raw.to_lowercase().replace('ё', "е");
        if word.is_ascii() && word.len() > 2 && !word.contains(|c: char| c.is_ascii_digit()) && lexicon.senses(&word).is_none() {
            word = script::transliterate(&word);
        }
        if word == "без" || word == "without" {
            without = true;
            continue;
        }
        let senses = lexicon.senses(&word).unwrap_or_default();
        let trade = senses.iter().find_map(|s| if let Sense::Trade(trade) = s { Some(*trade) } else { None });
        let ordinal = senses.iter().any(|s| matches!(s, Sense::Ord(_)));
        let little = word.chars().count() < 2 || !ordinal && senses.iter().any(|s| is_little(*s));
        let key = match trade {
            Some(trade) => Key::Trade(trade),
            None if little => {
                without = false;
                continue;
            }
            None => {
                let lemma = morphology::lemmas(&word).into_iter().next().unwrap_or_else(|| word.clone());
                Key::of(&lemma)
            }
        };
        // «Без последующего покрытия»
        let quality = without && matches!(key, Key::Own(_)) && morphology::is_adjective(&word);
        if !words.iter().any(|(_, w)| w.key == key) {
            words.push((word, Word { key, without, aside: false }));
        }
        without = quality;
    }
    words
}
