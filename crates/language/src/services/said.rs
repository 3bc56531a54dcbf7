//! What a message says of services: its words as the price list knows them.

use super::{
    OwnWord, PriceList,
    titles::{ANIMALS, CHILDREN, COATINGS, Entry, Key, METHODS, PERSONS, TELLING, breed, compound, is_little, joins, size},
};
use crate::{
    lexicon::{self, Cue, Lexicon, Prep, Sense, Trade, Unit, sound},
    morphology, names, refused, script,
    text::{Kind, Token},
};

/// A word of the message that some service has.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) keys: Vec<Key>,
    pub(super) without: bool,
    /// Which part of an enumeration it stands in.
    pub(super) group: usize,
    pub(super) at: usize,
    /// A verb that governs an object: «подстричь бороду» is one thing.
    pub(super) verb: bool,
    /// A title of this list begins with it and has no word of the trade: «биоревитализация».
    pub(super) named: bool,
    /// «С» stands before it.
    pub(super) with: bool,
    /// "Trim", or a noun with its object right behind it: «стрижка бороды».
    pub(super) trim: bool,
}
impl PriceList {
    /// The words of the message that some title, category or description has.
    /// Beside them the keys of works that were refused, and the token of a work that no title has.
    pub(super) fn said(&self, tokens: &[Token], used: &[bool]) -> (Vec<Said>, Vec<Key>, Option<usize>) {
        let mut said: Vec<Said> = Vec::new();
        let mut unwanted: Vec<Key> = Vec::new();
        let mut removes = false;
        let mut group = 0;
        let mut without = false;
        let mut strangers: Vec<(usize, usize)> = Vec::new();
        // «Не японский»: the list's own word is refused like any other.
        let mut own = self.codes(tokens);
        for i in 1..tokens.len() {
            own[i] |= tokens[i - 1].is(Sense::Not) && tokens[i].senses.is_empty() && !used[i] && !self.keys(&tokens[i]).is_empty();
        }
        let refused = refused::works(tokens, used, &own);
        // «Стрику», «броду» are words of the dictionary that nobody writes to a salon.
        let slips = rare_words(tokens, used);
        let booking = tokens.iter().any(|t| t.cue(Cue::Booking) && t.text.starts_with("запис"));
        // «Чем классика отличается от объёма»
        let compared = tokens.iter().any(|t| t.text.starts_with("отлича"));
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
            let divides = compared && token.text == "от"
                || token.is(Sense::And)
                || token.ends_clause()
                || token.mark('+')
                || token.mark('&')
                || matches!(&*token.text, "плюс" | "а");
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
            // «Массажист мужчина» tells of the master.
            let of_master = i > 0 && tokens[i - 1].cue(Cue::Master) && token.trades().any(|t| matches!(t, Trade::Male | Trade::Female));
            if used[i]
                || of_master
                || stands_already(tokens, i)
                || token.is(Sense::Not)
                || addresses(tokens, i)
                || !token.is_word() && token.digits == 0
            {
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
                _ if i > 0 && tokens[i - 1].trades().any(|t| t == Trade::Complex) && size(&token.text).is_some() => {
                    self.known(size(&token.text).into_iter().collect())
                }
                // «2D», «3д», «K18»
                Some(next) if next.glued && code(token, next).is_some() => self.known(code(token, next).into_iter().collect()),
                // «Педикюр обычный» is one without coating, where the list has such.
                _ if matches!(&*token.text.chars().take(5).collect::<String>(), "обычн" | "прост") && self.uncoated(token) => {
                    without = true;
                    vec![Key::Trade(Trade::Coating)]
                }
                // «Первая стрижка»
                Some(next) if token.is_word() && token.ordinal().is_some() && next.trades().any(Trade::is_head) => {
                    self.known(morphology::lemmas(&token.text).iter().map(|lemma| Key::of(lemma)).collect())
                }
                _ if takes_off(tokens, i) => self.known([Trade::Removal, Trade::Delete].map(Key::Trade).to_vec()),
                _ if is_little_one(tokens, i) => self.known(CHILDREN.to_vec()),
                // «Гель-лак на руки», «покрытие на ножки»
                _ if coated_limb(tokens, i).is_some() => self.known(coated_limb(tokens, i).map(Key::Trade).into_iter().collect()),
                // «Ноги до колена»
                Some(next) if token.trades().any(|t| t == Trade::Leg) && to_the_knee(next, tokens.get(i + 2)) => {
                    let keys = self.keys(token);
                    if keys.is_empty() { self.known(vec![Key::Trade(Trade::Shin)]) } else { keys }
                }
                _ => {
                    // «BB Glow» is on the list, whatever its words look like.
                    let spoken = if token.latin { self.spoken(tokens, i) } else { Vec::new() };
                    if spoken.is_empty() { self.keys(token) } else { spoken }
                }
            };
            let keys = if keys.is_empty() && slips.contains(&i) { self.slipped(token) } else { keys };
            let keys = if keys.is_empty() && !token.latin { self.spoken(tokens, i) } else { keys };
            let keys = if keys.is_empty() { self.shortened(tokens, i) } else { keys };
            // «Под ноль» in a list that calls it «наголо».
            let to_nothing = i > 0 && tokens[i - 1].text == "под" && (token.text == "ноль" || token.text == "0");
            let keys = if keys.is_empty() && to_nothing { self.known(vec![Key::Trade(Trade::Bald)]) } else { keys };
            let keys = if keys.is_empty() && (shapes_hair(tokens, i) || shaves_pet(tokens, i)) {
                self.known(vec![Key::Trade(Trade::Haircut)])
            } else {
                keys
            };
            let keys = if keys.is_empty() && colours_beard(tokens, i) { self.known(vec![Key::Trade(Trade::Toning)]) } else { keys };
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
            let named = (matches!(keys[0], Key::Own(_)) || TELLING.contains(&keys[0]))
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
        // «Спина болит, спортивный массаж»
        let aches = |s: &Said| {
            let near = |t: Option<&Token>| {
                t.is_some_and(|t| {
                    ["боли", "болят", "ноет", "ноют", "отека", "затек", "ломит", "тянет", "устал", "лезет", "лезут", "полез", "пробив"]
                        .iter()
                        .any(|begin| t.text.starts_with(begin))
                })
            };
            let troubles = s.keys[0].is_object() || s.keys[0] == Key::Trade(Trade::Grey);
            troubles && (near(tokens.get(s.at + 1)) || s.at > 0 && near(tokens.get(s.at - 1)))
        };
        if said.iter().any(|s| s.is_head() && !s.keys[0].is_object()) {
            said.retain(|s| !aches(s));
        }
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
        trimming(&mut said, tokens);
        nails(&mut said, &self.entries);
        unwanted.retain(|key| !said.iter().any(|s| s.keys.contains(key)));
        // «Наращивание ресниц» is no other work that is done to lashes.
        let lone = |group: usize, at: usize| {
            let shaped = tokens[at].trades().any(|t| t == Trade::Correction) && !self.known(vec![Key::Trade(Trade::Shape)]).is_empty();
            !said.iter().any(|s| s.group == group) || names_a_work(&tokens[at]) && !shaped
        };
        let unknown = strangers.into_iter().find(|(group, at)| lone(*group, *at));
        // «Наращивание волос» asks for nothing else that is done to hair.
        if let Some((group, _)) = unknown.filter(|(_, at)| names_a_work(&tokens[*at]) && morphology::is_noun(&tokens[*at].text)) {
            let objects = |s: &&Said| s.group == group && s.keys[0].is_object();
            if said.iter().filter(|s| s.group == group).all(|s| s.keys[0].is_object()) {
                let only = said.iter().filter(objects).count() == said.len();
                said.retain(|s| !only || s.group != group);
            }
        }
        let unknown = unknown.map(|(_, at)| at);
        (said, unwanted, unknown)
    }

    pub(super) fn keys(&self, token: &Token) -> Vec<Key> {
        let mut keys: Vec<Key> = token.trades().map(Key::Trade).collect();
        if let Some(animal) = token.trades().find_map(breed) {
            let lemma = morphology::lemmas(&token.text).into_iter().next().unwrap_or_else(|| token.text.clone());
            keys = self.own.iter().filter(|own| *own.text == *token.text || related(&lemma, &own.text)).map(|own| own.key).collect();
            keys.extend([Key::of(&lemma), Key::Trade(animal)]);
        }
        if keys.contains(&Key::Trade(Trade::Haircut)) {
            keys.push(Key::Trade(Trade::Grooming));
        } else if keys.contains(&Key::Trade(Trade::Grooming)) {
            keys.push(Key::Trade(Trade::Haircut));
        }
        // A gel is a coating, and so is lacquer.
        if keys.contains(&Key::Trade(Trade::Gel)) || keys.contains(&Key::Trade(Trade::Lacquer)) {
            keys.push(Key::Trade(Trade::Coating));
        } else if keys.contains(&Key::Trade(Trade::Coating)) {
            keys.extend([Trade::Gel, Trade::Lacquer].map(Key::Trade));
        }
        let airtouch = keys.contains(&Key::Trade(Trade::Airtouch));
        if airtouch || keys.contains(&Key::Trade(Trade::Balayage)) {
            let near = if airtouch { Trade::Balayage } else { Trade::Airtouch };
            keys.extend([near, Trade::Highlights, Trade::Difficult].map(Key::Trade));
        }
        if keys.contains(&Key::Trade(Trade::Highlights)) {
            keys.push(Key::Trade(Trade::Difficult));
        }
        if keys.contains(&Key::Trade(Trade::Bald)) {
            keys.extend([Trade::Head, Trade::Shave].map(Key::Trade));
        }
        // «Спа для ножек» where the list says «стоп», and the other way round.
        for (said, near) in [(Trade::Leg, Trade::Foot), (Trade::Foot, Trade::Leg)] {
            if keys.first() == Some(&Key::Trade(said)) {
                keys.push(Key::Trade(near));
            }
        }
        for (said, near) in [(Trade::Solarium, Trade::Tan), (Trade::Tan, Trade::Solarium)] {
            if keys.first() == Some(&Key::Trade(said)) {
                keys.push(Key::Trade(near));
            }
        }
        if keys.contains(&Key::Trade(Trade::Grey)) {
            keys.push(Key::Trade(Trade::Camouflage));
        }
        if keys.contains(&Key::Trade(Trade::Shape)) {
            keys.push(Key::Trade(Trade::Correction));
        }
        if keys.contains(&Key::Trade(Trade::Fade)) || keys.contains(&Key::Trade(Trade::Crop)) {
            keys.extend([Key::Trade(Trade::Haircut), Key::Trade(Trade::Male)]);
        }
        // «Эпиляция» in a list that names the ways only.
        if keys.first() == Some(&Key::Trade(Trade::Epilation)) {
            keys.extend(&METHODS[..3]);
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
        // «Нарощенных» is no slip where the list writes it so.
        if let Some(written) = &token.slip {
            let lemmas = morphology::lemmas(written);
            let as_written = |own: &&OwnWord| lemmas.iter().any(|lemma| Key::of(lemma) == own.key);
            keys.splice(0..0, self.own.iter().filter(as_written).map(|own| own.key).take(1));
        }
        let own = token.trades().next().is_none() && token.is_word();
        if keys.contains(&Key::Trade(Trade::Body)) {
            keys.push(Key::of("общий"));
        }
        let long = token.text.chars().count() > 2 || token.latin && token.capital && token.text.chars().count() == 2;
        if own && long && !joins(&token.text) && !token.senses.iter().any(|s| is_little(*s)) {
            let lemmas = morphology::lemmas(&token.text);
            keys.extend(lemmas.iter().map(|lemma| Key::of(lemma)));
            if token.latin {
                let spelt = script::transliterate(&token.text);
                keys.push(Key::of(&spelt));
                keys.extend(morphology::lemmas(&spelt).iter().map(|lemma| Key::of(lemma)));
            }
            if token.senses.is_empty() && self.known(keys.clone()).is_empty() {
                let allowed = |own: &str| 1 + usize::from(own.chars().count() > 7);
                let near = |own: &str| {
                    token.strange
                        && own.chars().count() > 4
                        && (strsim::osa_distance(own, &token.text) <= allowed(own) || sound(own) == sound(&token.text))
                };
                let done = morphology::undone(&token.text);
                let act = if self.own.iter().any(|own| own.act.is_some()) { morphology::act(&token.text) } else { None };
                let lemma = lemmas.first().map(String::as_str);
                let meant = self.own.iter().filter(|own| {
                    near(&own.text)
                        || related(&token.text, &own.text)
                        || done.is_some_and(|verb| related(verb, &own.text))
                        || act.is_some() && act == own.act
                        || lemma.is_some_and(|lemma| part_of(lemma, own))
                });
                keys.extend(meant.map(|own| own.key));
            }
        }
        let found = self.known(keys);
        if found.is_empty() && own { self.known(compound(&token.text).map(Key::Trade).into_iter().collect()) } else { found }
    }

    /// «Педикюр мед»: the list's own word cut short beside a work.
    fn shortened(&self, tokens: &[Token], i: usize) -> Vec<Key> {
        let token = &tokens[i];
        let work = |t: &Token| t.trades().any(|trade| trade.is_head() && !Key::Trade(trade).is_object());
        let dot = tokens.get(i + 1).is_some_and(|t| t.mark('.'));
        let beside = i > 0 && work(&tokens[i - 1]) || tokens.get(i + 1 + usize::from(dot)).is_some_and(work);
        if !beside || !token.is_word() || !token.senses.is_empty() || token.text.chars().count() < 3 {
            return Vec::new();
        }
        let mut own = self.own.iter().filter(|own| own.text.starts_with(&*token.text)).map(|own| own.key).collect::<Vec<_>>();
        own.dedup();
        if own.len() == 1 { own } else { Vec::new() }
    }

    /// What Latin words of a title a strange word spells by itself or with its neighbour.
    fn spoken(&self, tokens: &[Token], i: usize) -> Vec<Key> {
        let word = |i: usize| {
            tokens
                .get(i)
                .filter(|t| t.is_word() && (t.trades().next().is_none() || t.latin && t.slip.is_some()))
                .map(|t| t.slip.as_deref().unwrap_or(&t.text))
        };
        let odd = |t: &Token| t.strange || t.slip.is_some() || t.latin;
        if self.heard.is_empty() || !tokens[i.saturating_sub(1)..(i + 2).min(tokens.len())].iter().any(odd) {
            return Vec::new();
        }
        let of = |words: &[Option<&str>]| {
            let words: Option<Vec<&str>> = words.iter().copied().collect();
            words.and_then(|words| self.heard.get(&script::consonants(&words.concat())))
        };
        let before = i.checked_sub(1).and_then(word);
        let alone = || of(&[word(i)]).filter(|_| odd(&tokens[i]));
        let found = of(&[word(i), word(i + 1)]).or_else(|| of(&[before, word(i)]).filter(|_| before.is_some())).or_else(alone);
        found.cloned().unwrap_or_default()
    }

    /// The work whose name a word is with a letter left out or two swapped.
    pub(super) fn slipped(&self, token: &Token) -> Vec<Key> {
        let lexicon = Lexicon::get();
        let near = lexicon.nearest(&token.text).filter(|near| lexicon::slip(&token.text, near).is_some_and(|rank| rank < 2));
        let senses = near.and_then(|near| lexicon.senses(near)).unwrap_or_default();
        let works = senses.iter().filter_map(|s| if let Sense::Trade(trade) = s { Some(*trade) } else { None });
        self.known(works.filter(|trade| trade.is_head()).map(Key::Trade).collect())
    }

    /// An adjective that nothing here is called by, in a list that has works without coating.
    pub(super) fn uncoated(&self, token: &Token) -> bool {
        let bare = |e: &Entry| e.title.iter().any(|w| w.without && w.key == Key::Trade(Trade::Coating));
        let adjective = ["ый", "ая", "ую", "ого", "ой", "ое", "ые"].iter().any(|end| token.text.ends_with(end));
        adjective && self.entries.iter().any(bare) && self.keys(token).is_empty()
    }

    /// Those that some service has.
    pub(super) fn known(&self, mut keys: Vec<Key>) -> Vec<Key> {
        keys.retain(|key| self.entries.iter().any(|e| e.title.iter().any(|w| w.key == *key) || e.around.contains(key)));
        keys
    }
}

impl Said {
    pub(super) fn is_coating(&self) -> bool {
        self.keys.iter().any(|key| COATINGS.contains(key))
    }
    pub(super) fn is_head(&self) -> bool {
        self.named || self.keys.first().is_some_and(|key| key.is_head())
    }
    pub(super) fn weight(&self) -> f64 {
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
    pub(super) fn fit(&self, entry: &Entry) -> (f64, f64, bool) {
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
        // A dog is no cat, whether title or category says so.
        let animal = |key: &Key| entry.title.iter().any(|w| w.key == *key) || entry.around.contains(key);
        if self.keys.iter().any(|key| ANIMALS.contains(key)) && best == 0.0 {
            let other = ANIMALS.iter().any(|key| !self.keys.contains(key) && animal(key));
            let own = ANIMALS.iter().any(|key| self.keys.contains(key) && animal(key));
            return (0.0, 0.0, other && !own);
        }
        // Sugar is no laser, whatever hair both remove.
        let by = |key: &Key| METHODS[..3].contains(key);
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
pub(super) fn trimming(said: &mut [Said], tokens: &[Token]) {
    let objects = [Trade::Beard, Trade::Moustache, Trade::Fringe].map(Key::Trade);
    let of: Vec<(usize, usize)> = said.iter().filter(|s| s.keys.iter().any(|k| objects.contains(k))).map(|s| (s.group, s.at)).collect();
    for word in said.iter_mut() {
        let haircut = word.keys.first() == Some(&Key::Trade(Trade::Haircut));
        let cut = |distance: usize| word.verb && distance <= 2 || word.trim && distance == 1;
        // «Бороду и усы подстричь»
        let both = |group: usize, at: usize| {
            word.verb
                && group + 1 == word.group
                && at + 3 == word.at
                && tokens[word.at - 1].trades().any(|trade| objects.contains(&Key::Trade(trade)))
        };
        if haircut && of.iter().any(|(group, at)| *group == word.group && cut(at.abs_diff(word.at)) || both(*group, *at)) {
            word.keys = [Trade::Shape, Trade::Correction, Trade::Haircut].map(Key::Trade).to_vec();
        }
        // «Подровнять кончики»
        let shapes = [Trade::Shape, Trade::Correction].map(Key::Trade);
        let ends = |i: usize| tokens.get(i).is_some_and(|t| t.text.starts_with("кончик"));
        if word.keys.first().is_some_and(|key| shapes.contains(key)) && (ends(word.at + 1) || word.at > 0 && ends(word.at - 1)) {
            word.keys = vec![Key::Trade(Trade::Haircut)];
        }
        // «Оформить бороду» where the list has it as a cut.
        if word.keys.first().is_some_and(|key| shapes.contains(key))
            && of.iter().any(|(group, at)| *group == word.group && at.abs_diff(word.at) <= 2)
        {
            word.keys.push(Key::Trade(Trade::Haircut));
        }
    }
}

/// «Покрасить бороду» in a list that tones beards.
fn colours_beard(tokens: &[Token], i: usize) -> bool {
    let beard = |t: &Token| t.trades().any(|t| t == Trade::Beard);
    tokens[i].trades().any(|t| t == Trade::Coloring) && tokens[i.saturating_sub(2)..(i + 3).min(tokens.len())].iter().any(beard)
}

/// «Подровнять бороду», «подровнять кончики» in a list that cuts and shapes nothing.
fn shapes_hair(tokens: &[Token], i: usize) -> bool {
    let hair = |t| matches!(t, Trade::Beard | Trade::Moustache | Trade::Fringe);
    let object = |t: &Token| t.trades().any(hair) || t.text.starts_with("кончик");
    tokens[i].trades().any(|t| matches!(t, Trade::Shape | Trade::Correction))
        && tokens[i.saturating_sub(2)..(i + 3).min(tokens.len())].iter().any(object)
}

/// «Кота побрить»
fn shaves_pet(tokens: &[Token], i: usize) -> bool {
    let pet = |t: &Token| t.trades().any(|t| matches!(t, Trade::Cat | Trade::Dog | Trade::CatBreed | Trade::DogBreed));
    tokens[i].trades().any(|t| t == Trade::Shave) && tokens.iter().any(pet)
}

/// «К маникюру добавить дизайн»: the work that is booked already.
fn stands_already(tokens: &[Token], i: usize) -> bool {
    i > 0 && tokens[i - 1].text == "к" && tokens.iter().any(|t| t.text.starts_with("добав"))
}

/// Hands and feet that are coated are worked on: a manicure, a pedicure.
fn coated_limb(tokens: &[Token], i: usize) -> Option<Trade> {
    let near = &tokens[i.saturating_sub(4)..(i + 4).min(tokens.len())];
    let coat = |t: &Token| t.trades().any(|t| matches!(t, Trade::Gel | Trade::Lacquer | Trade::Coating | Trade::Nail));
    let on = i > 0 && tokens[i - 1].prep(Prep::On);
    tokens[i]
        .trades()
        .find_map(|limb| match limb {
            Trade::Arm => Some(Trade::Manicure),
            Trade::Leg | Trade::Foot => Some(Trade::Pedicure),
            _ => None,
        })
        .filter(|_| on && near.iter().any(coat))
}

/// «Убрать старый гель» in a list that calls it «снятие».
fn takes_off(tokens: &[Token], i: usize) -> bool {
    let worn = |t: &Token| {
        t.trades().any(|t| matches!(t, Trade::Gel | Trade::Lacquer | Trade::Coating | Trade::Extension | Trade::Lash | Trade::Nail))
    };
    tokens[i].trades().any(|t| t == Trade::Delete) && tokens[i + 1..].iter().take(3).any(worn)
}

/// «Сделать ноготки» is a manicure, unless they are to be repaired, lengthened or painted.
pub(super) fn nails(said: &mut Vec<Said>, entries: &[Entry]) {
    let nail = Key::Trade(Trade::Nail);
    let other_head = said.iter().any(|s| {
        let tells = s.is_head() || matches!(s.keys[0], Key::Own(_));
        tells && !s.keys.contains(&nail) && !s.is_coating()
    });
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

/// «Девочки, добрый день»: those who work here, nobody to be served.
pub(super) fn addresses(tokens: &[Token], i: usize) -> bool {
    if !matches!(&*tokens[i].text, "девочки" | "девушки" | "девушка" | "мальчики" | "девченки" | "ladies" | "girls")
    {
        return false;
    }
    let greets = |t: &Token| t.cue(Cue::Hello) || t.cue(Cue::Good);
    let day_of_greeting = |k: usize| k > 0 && tokens[k - 1].cue(Cue::Good);
    let sighs =
        |t: &Token| t.is(Sense::Rather) || matches!(&*t.text, "ну" | "эй" | "так" | "а" | "дорогие" | "милые" | "уважаемые" | "любимые");
    let opens = (0..i).all(|k| !tokens[k].is_word() || greets(&tokens[k]) || sighs(&tokens[k]) || day_of_greeting(k));
    let next = tokens.get(i + 1);
    // «Девочки, а можно …»
    let begins = |t: &Token| {
        sighs(t)
            || t.cue(Cue::Can)
            || t.cue(Cue::Tell)
            || matches!(&*t.text, "есть" | "запишите" | "хочу" | "хотела" | "мне" | "у" | "когда" | "сколько" | "что" | "как")
    };
    opens
        && tokens[..i].iter().all(|t| t.digits == 0)
        && (i > 0 || next.is_some_and(|t| greets(t) || t.ends_clause() || begins(t)))
        && !next.is_some_and(|t| t.digits > 0 || t.is(Sense::And))
}

/// «Малого постричь», «постричь, 7 лет»: a child without the word.
pub(super) fn is_little_one(tokens: &[Token], i: usize) -> bool {
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
pub(super) fn rare_words(tokens: &[Token], used: &[bool]) -> Vec<usize> {
    let rare = |i: &usize| {
        let t = &tokens[*i];
        !used[*i] && t.is_word() && t.senses.is_empty() && !t.strange && !t.capital && t.text.chars().count() > 4
    };
    (0..tokens.len()).filter(rare).filter(|i| morphology::is_noun(&tokens[*i].text)).take(4).collect()
}

/// A word that names work, though this list has nothing for it: of the trade, or a thing that
/// stands where work does, «на прессотерапию», «маникюр и прессотерапию».
pub(super) fn unheard(tokens: &[Token], i: usize) -> bool {
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

/// A noun for a work, or one of the verbs that mean nothing else.
fn names_a_work(token: &Token) -> bool {
    use Trade::{Care, Coating, Coloring, Complex, Consultation, Delete, Epilation, Haircut, Massage, Piercing, Repair, Shave, Tattoo};
    let noun = token.latin || morphology::is_noun(&token.text);
    let plain = [Haircut, Coloring, Shave, Epilation, Massage, Piercing, Tattoo];
    let vague = [Care, Coating, Complex, Consultation, Delete, Repair];
    let names = |work: Trade| work.is_head() && !Key::Trade(work).is_object() && !vague.contains(&work) && (noun || plain.contains(&work));
    token.trades().any(names)
}

/// «До колена», «ниже колена»
pub(super) fn to_the_knee(next: &Token, after: Option<&Token>) -> bool {
    (next.prep(Prep::Until) || next.text == "ниже") && after.is_some_and(|t| t.text.starts_with("колен"))
}

/// «Лимфодренаж» is said for «лимфодренажный», «биоревит» for «биоревитализация».
pub(super) fn related(said: &str, own: &str) -> bool {
    // «С парафином» is «парафинотерапия».
    let matter = own.strip_suffix("терапия").map(|matter| matter.trim_end_matches(['о', 'е', 'и']));
    if matter.is_some_and(|matter| matter.chars().count() > 3 && said.starts_with(matter) && said.len() <= matter.len() + 6) {
        return true;
    }
    // «Мегаобьем» is «мегаобъем».
    let like = |a: char, b: char| a == b || matches!((a, b), ('ь', 'ъ') | ('ъ', 'ь'));
    let same = said.chars().zip(own.chars()).take_while(|(a, b)| like(*a, *b)).count();
    let (said, own) = (said.chars().count() - same, own.chars().count() - same);
    same >= 4 && said == 0
        || same >= 8 && said <= 6 && own <= 2
        || same >= 6 && said <= 4 && own <= 3
        || same >= 5 && (said <= 2 || said <= 3 && own <= 5)
}

/// The first length of work that is said, in minutes.
pub(crate) fn length(tokens: &[Token], used: &[bool]) -> Option<i64> {
    (0..tokens.len()).find_map(|i| length_at(tokens, used, i))
}

/// «Нити» make «нитевой», «тейпы» are what «кинезиотейпирование» puts on.
fn part_of(lemma: &str, own: &OwnWord) -> bool {
    let stem = lemma.trim_end_matches(['ь', 'а', 'я', 'о', 'е']);
    let length = stem.chars().count();
    let adjective = |end: &&str| own.text.strip_prefix(stem) == Some(*end);
    length > 2 && ["евой", "овой", "овый", "евый", "ный", "ной"].iter().any(adjective)
        || length > 3 && own.act.as_ref().is_some_and(|act| act.ends_with(stem))
}

/// A length of work in minutes that begins at `i`: «60 минут», «полтора часа», «час двадцать» no more.
fn length_at(tokens: &[Token], used: &[bool], i: usize) -> Option<i64> {
    let unit = |i: usize| tokens.get(i).filter(|_| !used[i]).and_then(Token::unit);
    let of = |unit: Option<Unit>| match unit {
        Some(Unit::Minute) => Some(1),
        Some(Unit::Hour) => Some(60),
        _ => None,
    };
    let token = tokens.get(i).filter(|_| !used[i])?;
    let ahead = i > 0 && [Prep::In, Prep::At, Prep::To].iter().any(|prep| tokens[i - 1].prep(*prep));
    let shifts = |i: usize| tokens.get(i).is_some_and(|t| t.is(Sense::Later) || t.is(Sense::Earlier));
    let (minutes, end) = if let Some(minutes) = lasting(tokens, i) {
        (minutes, i + 1)
    } else if token.is(Sense::OneAndHalf) {
        (of(unit(i + 1))? * 3 / 2, i + 2)
    } else if token.is(Sense::HalfHour) {
        (30, i + 1)
    } else if token.text == "час" {
        // «На час», where the work is known from the question.
        (60, i + 1)
    } else {
        let number = if token.kind == Kind::Number { token.value } else { token.cardinal()? };
        (i64::from(number) * of(unit(i + 1))?, i + 2)
    };
    (!ahead && !shifts(end)).then_some(minutes)
}

/// «Часовой», «полуторачасовой», «90-минутный», and «на час» behind a work.
fn lasting(tokens: &[Token], i: usize) -> Option<i64> {
    let token = &tokens[i];
    if token.unit() == Some(Unit::Hour) {
        let on = i > 1 && tokens[i - 1].prep(Prep::On) && tokens[i - 2].trades().any(Trade::is_head);
        return (on && token.text == "час").then_some(60);
    }
    let (count, adjective) = token.text.split_once("часов")?;
    let hours = match count {
        "" => 60,
        "полутора" => 90,
        "двух" => 120,
        "полу" => 30,
        "трех" => 180,
        _ => return None,
    };
    ["ой", "ая", "ую", "ый", "ого", "ом", "ое"].contains(&adjective).then_some(hours)
}

/// «2D», «3д», «K18»: a word of letters and figures, in either alphabet.
pub(super) fn code(a: &Token, b: &Token) -> Option<Key> {
    let letters = |t: &Token| t.is_word().then(|| t.text.chars().map(latin).collect::<Option<String>>()).flatten();
    let figures = |t: &Token| (t.digits > 0 && t.digits < 4).then(|| t.text.clone());
    let joined = match (figures(a), letters(b)) {
        (Some(figures), Some(letters)) if letters.len() < 3 => figures + &letters,
        _ => letters(a).filter(|letters| letters.len() < 4)? + &figures(b)?,
    };
    Some(Key::of(&joined))
}

/// The Latin letter that a Cyrillic one is written for.
fn latin(c: char) -> Option<char> {
    const PAIRS: [(char, char); 12] = [
        ('а', 'a'),
        ('в', 'b'),
        ('д', 'd'),
        ('е', 'e'),
        ('к', 'k'),
        ('м', 'm'),
        ('н', 'h'),
        ('р', 'p'),
        ('с', 'c'),
        ('т', 't'),
        ('х', 'x'),
        ('о', 'o'),
    ];
    if c.is_ascii_alphabetic() { Some(c) } else { PAIRS.iter().find(|(cyrillic, _)| *cyrillic == c).map(|(_, latin)| *latin) }
}
