//! Russian written with Latin letters: by sound (`zapishite`) or on the wrong keyboard layout
//! (`pfgbibnt`).

use crate::{lexicon::Lexicon, morphology, names};

/// How the Latin letters of a message are to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// There are none, or they are names and brands.
    Russian,
    English,
    Transliterated,
    WrongLayout,
}

/// A letter; those of most messages are known without a look into the tables of Unicode.
pub(crate) fn is_letter(c: char) -> bool {
    matches!(c, 'а'..='я' | 'А'..='Я' | 'a'..='z' | 'A'..='Z') || c.is_alphabetic()
}

/// Takes the reading in which most of the words are words.
pub(crate) fn detect(text: &str) -> Script {
    let words = || text.split(|c: char| !(is_letter(c) || c == '\'')).filter(|word| !word.is_empty());
    let latin: Vec<String> = words().filter(|word| word.is_ascii()).take(40).map(str::to_lowercase).collect();
    let cyrillic = words().filter(|word| !word.is_ascii()).count();
    let letters: usize = latin.iter().map(String::len).sum();
    if latin.is_empty() || cyrillic >= latin.len() || cyrillic > 0 && letters < 3 {
        return Script::Russian;
    }
    let lexicon = Lexicon::get();
    let is_russian = |word: &str| lexicon.senses(word).is_some() || (word.chars().count() > 2 && morphology::known(word));
    let english = latin.iter().filter(|word| lexicon.is_english(word)).count();
    let translit = latin.iter().filter(|word| is_russian(&transliterate(word))).count();
    let relaid = relay(text);
    let layout = relaid
        .split(|c: char| !is_letter(c))
        .filter(|word| !word.is_empty() && !word.is_ascii())
        .filter(|word| is_russian(&morphology::plain(&word.to_lowercase())))
        .count()
        .saturating_sub(cyrillic);
    if english >= translit && english >= layout && (english > 0 || layout == 0) {
        Script::English
    } else if translit >= layout {
        Script::Transliterated
    } else {
        Script::WrongLayout
    }
}

/// The same keys on the Russian layout.
pub(crate) fn relay(text: &str) -> String {
    const LATIN: &str = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>~";
    const CYRILLIC: &str = "йцукенгшщзхъфывапролджэячсмитьбюёЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁ";
    let letter = |c: char| LATIN.chars().position(|latin| latin == c).and_then(|i| CYRILLIC.chars().nth(i));
    let chars: Vec<char> = text.chars().collect();
    let beside_digit = |i: usize| {
        let digit = |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(char::is_ascii_digit);
        digit(i.checked_sub(1)) || digit(Some(i + 1))
    };
    let ends_word = |i: usize| chars.get(i + 1).is_none_or(|c| c.is_whitespace());
    (0..chars.len())
        .map(|i| match chars[i] {
            // Signs that are letters on the other layout stay signs at numbers and at the end of words.
            c if !c.is_ascii_alphabetic() && (beside_digit(i) || (ends_word(i) && ",.".contains(c))) => c,
            c => letter(c).unwrap_or(c),
        })
        .collect()
}

const SOUNDS: &[(&str, &[&str])] = &[
    ("shch", &["щ"]),
    ("sch", &["щ", "ш"]),
    ("tsya", &["ться", "тся", "ця"]),
    ("tsja", &["ться", "тся"]),
    ("iya", &["ия"]),
    ("iyu", &["ию"]),
    ("ije", &["ие"]),
    ("iye", &["ие"]),
    ("zh", &["ж"]),
    ("kh", &["х"]),
    ("ts", &["ц", "тс"]),
    ("ch", &["ч"]),
    ("sh", &["ш"]),
    ("yu", &["ю", "ью"]),
    ("ju", &["ю", "ью"]),
    ("iu", &["ю", "иу"]),
    ("ya", &["я", "ья"]),
    ("ja", &["я", "ья"]),
    ("ia", &["ия", "я", "иа"]),
    ("yo", &["е", "йо", "ье"]),
    ("jo", &["е", "йо"]),
    ("ye", &["е", "ье", "ые"]),
    ("je", &["е", "ье"]),
    ("yy", &["ый"]),
    ("iy", &["ий"]),
    ("ij", &["ий"]),
    ("ck", &["к"]),
    ("ph", &["ф"]),
    ("th", &["т"]),
    ("a", &["а"]),
    ("b", &["б"]),
    ("c", &["ц", "к", "с"]),
    ("d", &["д"]),
    ("e", &["е", "э"]),
    ("f", &["ф"]),
    ("g", &["г"]),
    ("h", &["х"]),
    ("i", &["и", "й"]),
    ("j", &["й", "ж"]),
    ("k", &["к"]),
    ("l", &["л", "ль"]),
    ("m", &["м"]),
    ("n", &["н", "нь"]),
    ("o", &["о"]),
    ("p", &["п"]),
    ("q", &["к"]),
    ("r", &["р", "рь"]),
    ("s", &["с", "сь"]),
    ("t", &["т", "ть"]),
    ("u", &["у"]),
    ("v", &["в"]),
    ("w", &["в", "ш"]),
    ("x", &["кс", "х"]),
    ("y", &["ы", "й", "и", "ий"]),
    ("z", &["з"]),
    ("'", &["ь"]),
];

/// A word's Russian spellings by sound, likeliest first; some dozens at most.
pub(crate) fn spellings(word: &str) -> Vec<String> {
    const MOST: usize = 48;
    let mut spellings = vec![String::new()];
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let (sound, letters) = SOUNDS.iter().find(|(sound, _)| rest.starts_with(sound)).copied().unwrap_or(("", &[]));
        if letters.is_empty() {
            spellings.iter_mut().for_each(|s| s.push(first));
            rest = &rest[first.len_utf8()..];
            continue;
        }
        rest = &rest[sound.len()..];
        let mut longer = Vec::with_capacity(spellings.len() * letters.len());
        for letter in letters {
            longer.extend(spellings.iter().map(|s| format!("{s}{letter}")));
        }
        longer.truncate(MOST);
        spellings = longer;
    }
    spellings
}

/// The spelling that is a word, else the likeliest one.
pub(crate) fn transliterate(word: &str) -> String {
    let lexicon = Lexicon::get();
    let mut spellings = spellings(word);
    let first_that = |is_word: &dyn Fn(&str) -> bool| spellings.iter().position(|s| is_word(s));
    let best = first_that(&|s| lexicon.senses(s).is_some())
        .or_else(|| first_that(&|s| !names::of(s).is_empty()))
        .or_else(|| first_that(&|s| morphology::known(s)))
        .unwrap_or(0);
    spellings.swap_remove(best)
}

/// The consonants of a word, alike for Latin letters and for the Russian ones that are written by
/// their English sound: «эйр тач» and "air touch".
pub(crate) fn consonants(word: &str) -> String {
    const SOUNDS: &[(&str, &str)] = &[
        ("tion", "sn"),
        ("tch", "c"),
        ("sch", "s"),
        ("ch", "c"),
        ("sh", "s"),
        ("ph", "f"),
        ("th", "t"),
        ("ck", "k"),
        ("gh", ""),
        ("ce", "s"),
        ("ci", "s"),
        ("cy", "s"),
        ("x", "ks"),
        ("b", "p"),
        ("p", "p"),
        ("v", "f"),
        ("w", "f"),
        ("f", "f"),
        ("g", "k"),
        ("q", "k"),
        ("c", "k"),
        ("k", "k"),
        ("d", "t"),
        ("t", "t"),
        ("z", "s"),
        ("s", "s"),
        ("h", "h"),
        ("l", "l"),
        ("m", "m"),
        ("n", "n"),
        ("r", "r"),
        ("дж", ""),
        ("б", "p"),
        ("п", "p"),
        ("в", "f"),
        ("ф", "f"),
        ("г", "k"),
        ("к", "k"),
        ("д", "t"),
        ("т", "t"),
        ("ж", "s"),
        ("з", "s"),
        ("с", "s"),
        ("ш", "s"),
        ("щ", "s"),
        ("ц", "s"),
        ("ч", "c"),
        ("х", "h"),
        ("л", "l"),
        ("м", "m"),
        ("н", "n"),
        ("р", "r"),
    ];
    let mut heard = String::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let (written, said) =
            SOUNDS.iter().find(|(written, _)| rest.starts_with(written)).copied().unwrap_or((&rest[..first.len_utf8()], ""));
        if !heard.ends_with(said) || said.is_empty() {
            heard.push_str(said);
        }
        rest = &rest[written.len()..];
    }
    heard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_sound() {
        for (latin, russian) in [
            ("zapishite", "запишите"),
            ("zavtra", "завтра"),
            ("pyatnicu", "пятницу"),
            ("korrekciyu", "коррекцию"),
            ("zapisatsya", "записаться"),
            ("strizhka", "стрижка"),
            ("den", "день"),
        ] {
            assert_eq!(transliterate(latin), russian);
        }
    }

    #[test]
    fn by_english_sound() {
        for (russian, latin) in [
            ("эйртач", "airtouch"),
            ("хайдрафешл", "hydrafacial"),
            ("ламинейшн", "lamination"),
            ("тотал", "total"),
            ("хонма", "honma"),
            ("ультраформер", "ultraformer"),
            ("ювидерм", "juvederm"),
        ] {
            assert_eq!(consonants(russian), consonants(latin), "{russian}");
        }
    }

    #[test]
    fn which_letters_they_are() {
        for (text, script) in [
            ("Запишите на гель лак OPI", Script::Russian),
            ("Hi! Could I get a haircut tomorrow?", Script::English),
            ("privet zapishite menya na zavtra", Script::Transliterated),
            ("pfgbibnt vtyz yf pfdnhf", Script::WrongLayout),
            ("ok", Script::English),
        ] {
            assert_eq!(detect(text), script, "{text}");
        }
        assert_eq!(relay("gznybwe d 15:30"), "пятницу в 15:30");
    }
}
