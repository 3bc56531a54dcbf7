//! From characters to tokens: words with their senses, numbers, marks.

use std::ops::Range;

use crate::{
    lexicon::{Cue, Lexicon, Prep, Sense, Trade, Unit},
    morphology, names,
    script::{self, Script},
};

/// Longest message that is read, in characters; the rest is cut off.
pub(crate) const LONGEST: usize = 4096;
/// More tokens than any message to a salon has; the rest is not read.
const MOST_TOKENS: usize = 700;
/// Unknown words of one message that are looked up by likeness; gibberish beyond stays strange.
const MOST_GUESSES: u32 = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Number,
    Mark(char),
    LineEnd,
}

/// A piece of a message.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Small letters, «е» for «ё», slips put right, Russian letters where they were meant.
    pub(crate) text: String,
    /// A number's value.
    pub(crate) value: u32,
    /// How many digits a number has.
    pub(crate) digits: usize,
    /// No space before it.
    pub(crate) glued: bool,
    /// Where it stands in [`Text::source`].
    pub(crate) range: Range<usize>,
    /// Begins with a large letter.
    pub(crate) capital: bool,
    /// Written with Latin letters.
    pub(crate) latin: bool,
    /// The word is in no dictionary, not even after putting a slip right.
    pub(crate) strange: bool,
    /// What was written where a slip was put right; it may have been a name.
    pub(crate) slip: Option<String>,
    pub(crate) senses: &'static [Sense],
    /// The cues among its senses, a bit for each: they are asked for most.
    cues: u128,
}

impl Token {
    pub(crate) fn is(&self, sense: Sense) -> bool {
        self.senses.contains(&sense)
    }
    pub(crate) fn cue(&self, cue: Cue) -> bool {
        self.cues & cue.bit() != 0
    }
    /// Gives it these senses and no others.
    pub(crate) fn mean(&mut self, senses: &'static [Sense]) {
        self.senses = senses;
        self.cues = senses.iter().map(|sense| if let Sense::Cue(cue) = sense { cue.bit() } else { 0 }).fold(0, |all, bit| all | bit);
    }
    pub(crate) fn prep(&self, prep: Prep) -> bool {
        self.is(Sense::Prep(prep))
    }
    pub(crate) fn unit(&self) -> Option<Unit> {
        self.find(|s| if let Sense::Unit(unit) = s { Some(unit) } else { None })
    }
    pub(crate) fn weekday(&self) -> Option<i8> {
        self.find(|s| if let Sense::Weekday(n) = s { Some(n) } else { None })
    }
    pub(crate) fn month(&self) -> Option<i8> {
        self.find(|s| if let Sense::Month(n) = s { Some(n) } else { None })
    }
    pub(crate) fn ordinal(&self) -> Option<u32> {
        self.find(|s| if let Sense::Ord(n) = s { Some(n) } else { None })
    }
    pub(crate) fn cardinal(&self) -> Option<u32> {
        self.find(|s| if let Sense::Card(n) = s { Some(n) } else { None })
    }
    pub(crate) fn trades(&self) -> impl Iterator<Item = Trade> {
        self.senses.iter().filter_map(|s| if let Sense::Trade(trade) = s { Some(*trade) } else { None })
    }
    pub(crate) fn find<T>(&self, pick: impl Fn(Sense) -> Option<T>) -> Option<T> {
        self.senses.iter().copied().find_map(pick)
    }
    pub(crate) fn mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
    pub(crate) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }
    /// Wants a word after it: «в», «без», «половина», «первый», «добрый», a number.
    fn leans(&self) -> bool {
        self.kind == Kind::Number
            || self.cue(Cue::Good)
            || self.senses.iter().any(|sense| {
                use Sense::{Card, Half, Nearest, Next, Not, Or, Ord, Prep, Quarter, This};
                matches!(sense, Card(_) | Half | Nearest | Next | Not | Or | Ord(_) | Prep(_) | Quarter | This)
            })
    }
    /// Ends a sentence.
    pub(crate) fn ends_sentence(&self) -> bool {
        matches!(self.kind, Kind::Mark('.' | '!' | '?' | '…') | Kind::LineEnd)
    }
    /// Ends a clause.
    pub(crate) fn ends_clause(&self) -> bool {
        self.ends_sentence() || matches!(self.kind, Kind::Mark(',' | ';' | '(' | ')' | '—' | '–'))
    }
}

/// A message as tokens.
#[derive(Debug)]
pub(crate) struct Text {
    /// What the tokens' ranges point into: the message, on the right keyboard layout.
    pub(crate) source: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) script: Script,
}

impl Text {
    pub(crate) fn read(message: &str) -> Self {
        let mut source: String = message.chars().take(LONGEST).collect();
        let script = script::detect(&source);
        if script == Script::WrongLayout {
            source = script::relay(&source);
        }
        let mut tokens: Vec<Token> = Vec::new();
        let mut chars = source.char_indices().peekable();
        let mut glued = false;
        let mut guesses = MOST_GUESSES;
        while let Some((start, c)) = chars.next() {
            if tokens.len() == MOST_TOKENS {
                break;
            }
            if c == '\n' || c == '\r' {
                // A burst may break a phrase: what leans on the next word does not end a line.
                if tokens.last().is_some_and(|last| !last.leans()) {
                    tokens.push(token(Kind::LineEnd, String::new(), start..start + 1, glued));
                }
                glued = false;
                continue;
            }
            if c.is_whitespace() || c == '\u{a0}' {
                glued = false;
                continue;
            }
            // Joiners, variation selectors, keycaps, stress marks: nothing to read.
            if matches!(c, '\u{200b}'..='\u{200f}' | '\u{fe0f}' | '\u{20e3}' | '\u{300}'..='\u{36f}' | '\u{feff}' | '\u{ad}') {
                continue;
            }
            let mut end = start + c.len_utf8();
            let mut more = |belongs: &dyn Fn(char) -> bool| {
                while let Some(&(at, next)) = chars.peek() {
                    if !belongs(next) {
                        break;
                    }
                    end = at + next.len_utf8();
                    chars.next();
                }
                end
            };
            if c.is_ascii_digit() {
                let end = more(&|c| c.is_ascii_digit());
                let mut number = token(Kind::Number, source[start..end].to_owned(), start..end, glued);
                number.value = number.text.parse().unwrap_or(u32::MAX);
                number.digits = end - start;
                tokens.push(number);
            } else if script::is_letter(c) {
                let end = more(&|c| script::is_letter(c) || matches!(c, '\u{301}' | '\u{306}' | '\'' | '’'));
                let end = start + source[start..end].trim_end_matches(['\'', '’']).len();
                tokens.push(word(&source[start..end], start..end, glued, script, &mut guesses));
            } else {
                tokens.push(token(Kind::Mark(c), c.to_string(), start..end, glued));
            }
            glued = true;
        }
        // «В 3 чеса»: a word of the dictionary that nobody writes behind an hour.
        for i in 2..tokens.len() {
            let number = tokens[i - 1].kind == Kind::Number || tokens[i - 1].cardinal().is_some();
            let clock = number && tokens[i - 2].find(|s| matches!(s, Sense::Prep(_)).then_some(())).is_some();
            if clock && tokens[i].is_word() && tokens[i].senses.is_empty() && guess(&mut guesses) {
                let lexicon = Lexicon::get();
                let hour = lexicon.nearest(&tokens[i].text).and_then(|near| Some((near, lexicon.senses(near)?)));
                if let Some((near, senses)) = hour.filter(|(_, senses)| senses.contains(&Sense::Unit(Unit::Hour))) {
                    tokens[i].slip = Some(std::mem::replace(&mut tokens[i].text, near.to_owned()));
                    tokens[i].mean(senses);
                }
            }
        }
        join(&mut tokens, &source);
        Self { source, tokens, script }
    }
}

/// «Эйр тач», "air touch", «эйр-тач»: one word of the trade that is written in two.
fn join(tokens: &mut Vec<Token>, source: &str) {
    let odd = |t: &Token| t.is_word() && t.trades().next().is_none() && (t.strange || t.slip.is_some() || t.latin);
    let mut i = 0;
    while i + 1 < tokens.len() {
        let next = i + 1 + usize::from(tokens[i + 1].mark('-') && tokens[i + 1].glued);
        let parts = tokens.get(next).filter(|t| t.is_word() && t.trades().next().is_none()).map(|second| (&tokens[i], second));
        if let Some((first, second)) = parts.filter(|(a, b)| a.is_word() && a.trades().next().is_none() && (odd(a) || odd(b))) {
            let whole = [first, second].map(|t| &source[t.range.clone()]).concat().to_lowercase();
            let trade = |senses: &&[Sense]| senses.iter().any(|sense| matches!(sense, Sense::Trade(_)));
            if let Some(senses) = Lexicon::get().senses(&whole).filter(trade) {
                let end = second.range.end;
                let token = &mut tokens[i];
                (token.text, token.strange, token.slip) = (whole, false, None);
                token.mean(senses);
                token.range.end = end;
                tokens.drain(i + 1..=next);
            }
        }
        i += 1;
    }
}

fn token(kind: Kind, text: String, range: Range<usize>, glued: bool) -> Token {
    Token { kind, text, value: 0, digits: 0, glued, range, capital: false, latin: false, strange: false, slip: None, senses: &[], cues: 0 }
}

fn word(raw: &str, range: Range<usize>, glued: bool, script: Script, guesses: &mut u32) -> Token {
    let lexicon = Lexicon::get();
    let capital = raw.chars().next().is_some_and(char::is_uppercase);
    let latin = raw.is_ascii();
    let mut spelt_as = None;
    // A stress mark is dropped, a breve makes «й».
    let mut text = raw.to_lowercase().replace("и\u{306}", "й").replace(['\u{301}', '\u{306}'], "").replace('ё', "е").replace('’', "'");
    if latin && (script == Script::Russian && text.len() == 1 || *guesses == 0) {
        text = text.chars().map(|c| alone(c).unwrap_or_else(|| twin(c))).collect();
    } else if latin && script != Script::English && (script == Script::Transliterated || lexicon.senses(&text).is_none()) {
        let spelt = script::transliterate(&text);
        let wrong = lexicon.senses(&spelt).is_none() && !morphology::known(&spelt) && guess(guesses);
        let near = || script::spellings(&text).iter().take(24).find_map(|s| lexicon.nearest(s));
        spelt_as = wrong.then(near).flatten().map(|near| std::mem::replace(&mut text, near.to_owned()));
        text = if spelt_as.is_some() { text } else { spelt };
    } else if !latin && text.chars().any(|c| c.is_ascii_alphabetic()) {
        text = text.chars().map(twin).collect();
    }
    let (mut strange, mut slip) = (false, spelt_as);
    let mut senses = lexicon.senses(&text);
    if senses.is_none() && !(latin && script == Script::English && text.len() < 5) && !morphology::known(&text) {
        let near = |word: &str| lexicon.senses(word).is_some() || morphology::known(word);
        // «Дааа» is drawn out; «боода» and «свооден» rather have a letter wrong.
        let drawn = text.as_bytes().windows(6).any(|w| w[..2] == w[2..4] && w[2..4] == w[4..]);
        let short = squeezed(&text).into_iter().find(|short| if drawn { near(short) } else { lexicon.senses(short).is_some() });
        if let Some(short) = short {
            text = short;
        } else if let Some(plain) = lexicon.plain_work(&text) {
            slip = Some(std::mem::replace(&mut text, plain.to_owned()));
        } else if let Some(alike) = lexicon.alike(&text) {
            slip = Some(std::mem::replace(&mut text, alike.to_owned()));
        } else if let Some(nearest) = guess(guesses)
            .then(|| {
                lexicon
                    .nearest(&text)
                    .or_else(|| lexicon.nearly_alike(&text))
                    .or_else(|| squeezed(&text).iter().find_map(|short| lexicon.nearest(short)))
            })
            .flatten()
        {
            slip = Some(std::mem::replace(&mut text, nearest.to_owned()));
        } else if let Some(english) = lexicon.spoken(&text).filter(|_| !latin) {
            slip = Some(std::mem::replace(&mut text, english.to_owned()));
        } else if let Some(short) = squeezed(&text).into_iter().find(|short| near(short)) {
            text = short;
        } else {
            strange = true;
        }
        senses = lexicon.senses(&text);
    }
    // «Абед» and «карней» are words of the dictionary that nobody writes.
    if senses.is_none()
        && !latin
        && !capital
        && names::of(&text).is_empty()
        && morphology::is_only_name(&text)
        && let Some(alike) = lexicon.alike(&text)
    {
        slip = Some(std::mem::replace(&mut text, alike.to_owned()));
        senses = lexicon.senses(&text);
    }
    let mut token = token(Kind::Word, text, range, glued);
    token.capital = capital;
    token.latin = latin;
    token.strange = strange;
    token.slip = slip;
    token.mean(senses.unwrap_or(&[]));
    token
}

/// Takes one guess of those left.
fn guess(left: &mut u32) -> bool {
    let may = *left > 0;
    *left = left.saturating_sub(1);
    may
}

/// The little word that a Latin letter by itself spells: «zavtra v 18».
fn alone(c: char) -> Option<char> {
    Some(match c {
        'v' => 'в',
        's' => 'с',
        'i' => 'и',
        'u' => 'у',
        _ => return None,
    })
}

/// The Cyrillic letter that looks like a Latin one in a Russian word.
fn twin(c: char) -> char {
    match c {
        'a' => 'а',
        'c' => 'с',
        'e' => 'е',
        'o' => 'о',
        'p' => 'р',
        'x' => 'х',
        'y' => 'у',
        'k' => 'к',
        'm' => 'м',
        't' => 'т',
        'h' => 'н',
        'b' => 'в',
        c => c,
    }
}

/// A word drawn out («дааа», «приветттт») with its repeats cut to one and to two letters.
fn squeezed(word: &str) -> Vec<String> {
    let cut = |most: usize| {
        let mut short = String::new();
        let mut run = (' ', 0);
        for c in word.chars() {
            run = if c == run.0 { (c, run.1 + 1) } else { (c, 1) };
            if run.1 <= most {
                short.push(c);
            }
        }
        short
    };
    [cut(2), cut(1)].into_iter().filter(|short| short != word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let texts = |message: &str| Text::read(message).tokens.iter().map(|t| t.text.clone()).collect::<Vec<_>>().join("|");
        for (message, tokens) in [
            ("Завтра в 15:30?", "завтра|в|15|:|30|?"),
            ("5вечера", "5|вечера"),
            ("приветттт", "привет"),
            ("гель-лак", "гель|-|лак"),
            ("пятнецу, чевтерг", "пятницу|,|четверг"),
            ("2️⃣", "2"),
            ("don't", "don't"),
            ("Zavtra v 15", "завтра|в|15"),
            ("мaникюр", "маникюр"),
            ("в 3 чеса", "в|3|часа"),
            ("эйр тач", "эйртач"),
            ("Air-Touch", "airtouch"),
            ("ламинейшн", "lamination"),
        ] {
            assert_eq!(texts(message), tokens);
        }
    }
}
