//! What a price list says: its titles as words of the trade and words of this salon's own.

use domain::ServiceId;

use crate::{
    lexicon::{Lexicon, Sense, Trade},
    morphology, script,
};

/// A word of a title: a family of the trade, or a word of this salon's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Trade(Trade),
    /// Hash of a dictionary form.
    Own(u32),
}

impl Key {
    pub(super) fn of(lemma: &str) -> Self {
        // FNV-1a: a salon has some hundred words, a clash costs a needless question.
        Self::Own(lemma.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)))
    }
    /// What something is done to; said once, it stands for several works.
    pub(super) fn is_object(self) -> bool {
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
    pub(super) fn is_anywhere(self) -> bool {
        use Trade::{Cleaning, Epilation, Massage, Peeling, Sugaring, Wax};
        [Massage, Cleaning, Peeling, Epilation, Sugaring, Wax].map(Key::Trade).contains(&self)
    }
    pub(super) fn is_head(self) -> bool {
        match self {
            Self::Trade(trade) => trade.is_head(),
            Self::Own(_) => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) key: Key,
    /// «Без» stands before it.
    pub(super) without: bool,
    /// It stands in brackets, and only explains: «педикюр (стопа + пальчики)».
    pub(super) aside: bool,
    /// A noun that another one depends on: «перекрытие татуировки» is no tattoo.
    pub(super) leads: bool,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: ServiceId,
    pub(super) title: Box<[Word]>,
    /// The trade's words of category and description: they help where the title says nothing.
    pub(super) around: Box<[Key]>,
    pub(super) parts: Box<[ServiceId]>,
    pub(super) minutes: i64,
    /// Several works under one title: «стрижка + борода».
    pub(super) joint: bool,
    /// For what age, weight or length it is.
    pub(super) sizes: Box<[Size]>,
}

/// «До 10 кг», «5–12 лет»: what a measure may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    measure: Measure,
    from: u32,
    to: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Years,
    Kilos,
    Centimetres,
    Millilitres,
}

impl Measure {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "лет" | "год" | "года" | "годика" | "годиков" | "years" | "year" | "yo" => Self::Years,
            "кг" | "кило" | "килограмм" | "килограмма" | "килограммов" | "kg" => Self::Kilos,
            "см" | "сантиметр" | "сантиметра" | "сантиметров" | "cm" => Self::Centimetres,
            "мл" | "миллилитр" | "миллилитра" | "миллилитров" | "ml" => Self::Millilitres,
            _ => return None,
        })
    }
}

impl Size {
    /// Its bound where it has but an upper one.
    pub(super) fn up_to(self, measure: Measure) -> Option<u32> {
        (self.measure == measure && self.from == 0).then_some(self.to)
    }

    /// Whether the measure is of this kind, and within it.
    pub(super) fn holds(self, measure: Measure, value: u32) -> Option<bool> {
        (self.measure == measure).then_some((self.from..=self.to).contains(&value))
    }
}

/// The measures that a title names with their bounds.
pub(super) fn sizes(title: &str) -> Vec<Size> {
    let text = title.to_lowercase();
    let parts = pieces(&text);
    let number = |i: usize| parts.get(i).and_then(|part| tenths(part));
    let mut sizes = Vec::new();
    for i in 0..parts.len() {
        let Some(value) = number(i) else { continue };
        let more = parts.get(i + 1) == Some(&"+");
        let Some(measure) = parts.get(i + 1 + usize::from(more)).and_then(|word| Measure::of(word)) else { continue };
        let before = |n: usize| i.checked_sub(n).map(|i| parts[i]);
        let (from, to) = match before(1) {
            _ if more => (value, u32::MAX),
            Some("от" | "с" | "старше" | "свыше" | "более" | "больше" | "from") => (value, u32::MAX),
            Some("до" | "-" | "–" | "—" | "to") => (i.checked_sub(2).and_then(number).unwrap_or(0), value),
            Some("младше" | "менее" | "меньше" | "under") => (0, value),
            _ => (value, value),
        };
        // «От 5 кг до 10 кг»
        let from = if before(1) == Some("до") && before(2).is_some_and(|word| Measure::of(word) == Some(measure)) {
            sizes.pop().map_or(from, |size: Size| size.from)
        } else {
            from
        };
        sizes.push(Size { measure, from, to });
    }
    sizes
}

/// A number in tenths: «0,5» is 5, «10» is 100.
pub(super) fn tenths(number: &str) -> Option<u32> {
    let (whole, part) = number.split_once([',', '.']).unwrap_or((number, "0"));
    let part: u32 = part.get(..1)?.parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(part)
}

/// Words, numbers with their fractions and the marks of a range, each by itself: «5–12», «0,5мл».
fn pieces(text: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        '0'..='9' => 1,
        c if c.is_alphabetic() => 2,
        '+' | '-' | '–' | '—' => 3,
        _ => 0,
    };
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut end = rest.find(|c: char| kind(c) != kind(first)).unwrap_or(rest.len());
        let fraction = rest[end..].strip_prefix([',', '.']).filter(|_| kind(first) == 1);
        if let Some(digits) = fraction.map(|rest| rest.find(|c: char| kind(c) != 1).unwrap_or(rest.len())).filter(|n| *n > 0) {
            end += 1 + digits;
        }
        if kind(first) > 0 {
            pieces.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    pieces
}
/// Whom a service is for.
pub(super) const PERSONS: [Trade; 6] = [Trade::Male, Trade::Female, Trade::Child, Trade::Boy, Trade::Girl, Trade::Teen];

/// Whom else.
pub(super) const ANIMALS: [Key; 2] = [Key::Trade(Trade::Cat), Key::Trade(Trade::Dog)];

/// The animal whose breed a word names.
pub(super) fn breed(trade: Trade) -> Option<Trade> {
    match trade {
        Trade::DogBreed => Some(Trade::Dog),
        Trade::CatBreed => Some(Trade::Cat),
        _ => None,
    }
}

/// Works that men come for less than women.
pub(super) const NOT_BARBERS: [Key; 6] = [
    Key::Trade(Trade::Manicure),
    Key::Trade(Trade::Pedicure),
    Key::Trade(Trade::Sugaring),
    Key::Trade(Trade::Wax),
    Key::Trade(Trade::Laser),
    Key::Trade(Trade::Brow),
];

/// Works to the hair and face that women come for.
pub(super) const WOMENS: [Key; 12] = [
    Key::Trade(Trade::Coloring),
    Key::Trade(Trade::Toning),
    Key::Trade(Trade::Highlights),
    Key::Trade(Trade::Airtouch),
    Key::Trade(Trade::Balayage),
    Key::Trade(Trade::Keratin),
    Key::Trade(Trade::Botox),
    Key::Trade(Trade::Makeup),
    Key::Trade(Trade::Hairdo),
    Key::Trade(Trade::Lash),
    Key::Trade(Trade::Manicure),
    Key::Trade(Trade::Lamination),
];

/// Parts of the body that are no part of another one: a title that names one of them is of it.
pub(super) const NARROW: [Key; 12] = [
    Key::Trade(Trade::Armpit),
    Key::Trade(Trade::Beard),
    Key::Trade(Trade::Bikini),
    Key::Trade(Trade::Brow),
    Key::Trade(Trade::Claw),
    Key::Trade(Trade::Ear),
    Key::Trade(Trade::Fringe),
    Key::Trade(Trade::Lash),
    Key::Trade(Trade::Lip),
    Key::Trade(Trade::Navel),
    Key::Trade(Trade::Nose),
    Key::Trade(Trade::Tooth),
];

/// Qualities that name a work by themselves: «лимфодренаж», «лисий эффект».
pub(super) const TELLING: [Key; 7] = [
    Key::Trade(Trade::Bald),
    Key::Trade(Trade::Drainage),
    Key::Trade(Trade::Cellulite),
    Key::Trade(Trade::Lpg),
    Key::Trade(Trade::Fox),
    Key::Trade(Trade::Cups),
    Key::Trade(Trade::Ultrasonic),
];

/// Ways to remove hair; each of the first three is another service.
pub(super) const METHODS: [Key; 4] =
    [Key::Trade(Trade::Sugaring), Key::Trade(Trade::Wax), Key::Trade(Trade::Laser), Key::Trade(Trade::Epilation)];

pub(super) const CHILDREN: [Key; 4] = [Key::Trade(Trade::Child), Key::Trade(Trade::Boy), Key::Trade(Trade::Girl), Key::Trade(Trade::Teen)];

pub(super) const COATINGS: [Key; 3] = [Key::Trade(Trade::Coating), Key::Trade(Trade::Gel), Key::Trade(Trade::Lacquer)];

/// Words of every sentence: «всё-таки» is no «Стрижка всей семьёй».
const EVERYDAY: [&str; 11] = ["весь", "все", "сам", "самый", "свой", "ваш", "наш", "мой", "этот", "каждый", "любой"];

/// Numbers and little words mean no service.
pub(super) fn is_little(sense: Sense) -> bool {
    matches!(sense, Sense::Prep(_) | Sense::And | Sense::Or | Sense::But | Sense::Card(_) | Sense::Ord(_) | Sense::Unit(_) | Sense::Not)
}
/// Little words that the lexicon does not need.
pub(super) fn joins(word: &str) -> bool {
    matches!(word, "под" | "для" | "из" | "об" | "про" | "при" | "над")
}

/// A title without what stands in its brackets, and that by itself.
pub(super) fn unbracketed(title: &str) -> (String, String) {
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
pub(super) fn title_words(title: &str) -> Vec<(String, Word)> {
    let (plain, aside) = unbracketed(title);
    let mut said = words(&plain);
    let explained = words(&aside).into_iter().map(|(text, word)| (text, Word { aside: !said.is_empty(), ..word })).collect::<Vec<_>>();
    let new = |word: &Word| !said.iter().any(|(_, w)| w.key == word.key);
    let explained: Vec<(String, Word)> = explained.into_iter().filter(|(_, word)| new(word)).collect();
    said.extend(explained);
    // «Перекрытие старой татуировки», «снятие ресниц»
    let follows = said.iter().skip(1).find(|(text, w)| !w.aside && (w.key.is_head() || !morphology::is_adjective(text)));
    let governs = follows.is_some_and(|(text, w)| w.key.is_head() && morphology::may_be_case(text, "Gen"));
    let holds = ["сеанс", "процедур", "услуг", "курс", "программ", "пакет", "зон", "техник", "вид"];
    if let Some((text, word)) = said.first_mut().filter(|(_, w)| governs && matches!(w.key, Key::Own(_))) {
        let container = holds.iter().any(|begin| text.starts_with(begin));
        word.leads = !container && !plain.contains(['+', ',', ':']) && morphology::is_noun(text);
    }
    said
}

/// The Latin words of a title by their consonants, one by one and up to three together, with the
/// keys they stand for: «тотал блонд» is "Total Blond".
pub(super) fn heard(title: &str) -> Vec<(String, Vec<Key>)> {
    let words_of: Vec<&str> = title.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let spoken = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic());
    let mut heard = Vec::new();
    for run in words_of.split(|word| !spoken(word)) {
        for length in 1..=run.len().min(3) {
            for part in run.windows(length) {
                let consonants = script::consonants(&part.concat().to_lowercase());
                if consonants.len() > 2 {
                    let keys: Vec<Key> = part.iter().flat_map(|word| words(word)).map(|(_, word)| word.key).collect();
                    // Russian writes "h" as «х» or as «г».
                    heard.push((consonants.replace('h', "k"), keys.clone()));
                    heard.push((consonants, keys));
                }
            }
        }
    }
    heard
}

/// How many works or people a title joins: «стрижка + борода» two, «маникюр + гель-лак» one.
pub(super) fn works_joined(title: &str) -> usize {
    let counts = |part: &str| {
        let words = words(part);
        let person = |key: &Key| PERSONS.map(Key::Trade).contains(key);
        let coating = words.iter().any(|(_, word)| COATINGS.contains(&word.key));
        // «Женская стрижка, короткие волосы» is one work.
        let hair = Key::Trade(Trade::Hair);
        if words.iter().any(|(_, w)| w.key == hair) && !words.iter().any(|(_, w)| w.key.is_head() && w.key != hair) {
            return false;
        }
        let own = |key: &Key| matches!(key, Key::Own(_)) && !coating;
        words.iter().any(|(_, w)| !w.without && (w.key.is_head() || person(&w.key) || own(&w.key)) && !COATINGS.contains(&w.key))
    };
    let title = unbracketed(title).0.replace(" и ", "+").replace(", ", "+").replace('&', "+");
    title.split('+').filter(|part| counts(part)).count()
}

/// The words of a title or description that tell one service from another.
pub(super) fn words(text: &str) -> Vec<(String, Word)> {
    let lexicon = Lexicon::get();
    let mut words: Vec<(String, Word)> = Vec::new();
    let mut without = false;
    let mut under = false;
    for mut word in joined(text) {
        if word.is_ascii() && word.len() > 2 && !word.contains(|c: char| c.is_ascii_digit()) && lexicon.senses(&word).is_none() {
            word = script::transliterate(&word);
        }
        if word == "без" || word == "without" {
            without = true;
            continue;
        }
        // «Под ноль»; «патчи под глаза» are of the eyes.
        let to_nothing = std::mem::take(&mut under) && word == "ноль";
        if word == "под" {
            under = true;
            continue;
        }
        if to_nothing {
            words.push((word, Word { key: Key::Trade(Trade::Bald), without, aside: false, leads: false }));
            continue;
        }
        let senses = lexicon.senses(&word).unwrap_or_default();
        let trade = senses.iter().find_map(|s| if let Sense::Trade(trade) = s { Some(*trade) } else { None });
        // «Пудель» is a dog, and another one than «шпиц».
        if let Some(animal) = trade.and_then(breed) {
            for key in [Key::Trade(animal), Key::of(morphology::lemmas(&word).first().unwrap_or(&word))] {
                if !words.iter().any(|(_, w)| w.key == key) {
                    words.push((word.clone(), Word { key, without, aside: false, leads: false }));
                }
            }
            continue;
        }
        let ordinal = senses.iter().any(|s| matches!(s, Sense::Ord(_)));
        if let Some(letter) = size(&word).filter(|_| words.last().is_some_and(|(_, w)| w.key == Key::Trade(Trade::Complex))) {
            words.push((word, Word { key: letter, without: false, aside: false, leads: false }));
            continue;
        }
        let figure = word.chars().all(|c| c.is_ascii_digit());
        let little = word.chars().count() < 2 || figure || joins(&word) || !ordinal && senses.iter().any(|s| is_little(*s));
        let key = match trade {
            Some(trade) => Key::Trade(trade),
            None if little => {
                without = false;
                continue;
            }
            None => {
                let lemma = morphology::lemmas(&word).into_iter().next().unwrap_or_else(|| word.clone());
                if EVERYDAY.contains(&lemma.as_str()) {
                    without = false;
                    continue;
                }
                Key::of(&lemma)
            }
        };
        // «Биозавивка» is one of its own, and a «завивка» too.
        let part = if matches!(key, Key::Own(_)) { compound(&word) } else { None };
        if let Some(trade) = part.filter(|trade| !words.iter().any(|(_, w)| w.key == Key::Trade(*trade))) {
            words.push((word.clone(), Word { key: Key::Trade(trade), without, aside: false, leads: false }));
        }
        // «Без последующего покрытия»
        let quality = without && matches!(key, Key::Own(_)) && morphology::is_adjective(&word);
        if !words.iter().any(|(_, w)| w.key == key) {
            words.push((word, Word { key, without, aside: false, leads: false }));
        }
        without = quality;
    }
    words
}

/// The words in small letters; «Air Touch» is one word of the trade.
fn joined(text: &str) -> Vec<String> {
    let lexicon = Lexicon::get();
    let trade = |word: &str| lexicon.senses(word).is_some_and(|senses| senses.iter().any(|s| matches!(s, Sense::Trade(_))));
    let mut words: Vec<String> = Vec::new();
    for raw in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        let word = raw.to_lowercase().replace('ё', "е");
        match words.last_mut() {
            Some(last) if last.is_ascii() && word.is_ascii() && !trade(last) && !trade(&word) && trade(&format!("{last}{word}")) => {
                last.push_str(&word);
            }
            _ => words.push(word),
        }
    }
    words
}

/// The work that a compound names: «биозавивка» is a «завивка».
pub(super) fn compound(word: &str) -> Option<Trade> {
    const FIRST: [&str; 15] =
        ["био", "фото", "гидро", "термо", "фито", "нано", "микро", "крио", "мини", "экспресс", "арт", "спа", "эко", "смарт", "турбо"];
    let rest = FIRST.iter().find_map(|first| word.strip_prefix(first)).filter(|rest| rest.chars().count() > 4)?;
    Lexicon::get().senses(rest)?.iter().find_map(|s| if let Sense::Trade(trade) = s { Some(*trade) } else { None })
}

/// «Комплекс M»: a letter that tells packages apart, in either alphabet.
pub(super) fn size(word: &str) -> Option<Key> {
    Some(Key::of(match word {
        "s" | "с" => "size s",
        "m" | "м" => "size m",
        "l" | "л" => "size l",
        "x" | "xl" | "х" => "size xl",
        _ => return None,
    }))
}
