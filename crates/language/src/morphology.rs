//! The one Russian dictionary of the process.

use std::sync::OnceLock;

use rumorph::{Analysis, Dictionary};

/// The dictionary that is compiled in; checked once, some 4 ms.
pub(crate) fn dictionary() -> &'static Dictionary {
    static DICTIONARY: OnceLock<Dictionary> = OnceLock::new();
    DICTIONARY.get_or_init(|| Dictionary::bundled().expect("the dictionary is compiled in and checked by its own crate"))
}

/// «ё» is «е» everywhere inside this crate.
pub(crate) fn plain(word: &str) -> String {
    word.replace('ё', "е")
}

/// A feature of an analysis: `Case`, `Number`, `Tense`…
pub(crate) fn feature(analysis: &Analysis, name: &str) -> Option<&'static str> {
    dictionary().ud_tag(analysis.ud).and_then(|tag| tag.feat(name))
}

/// The part of speech of an analysis, in Universal Dependencies' names.
pub(crate) fn part_of_speech(analysis: &Analysis) -> &'static str {
    dictionary().ud_tag(analysis.ud).map_or("X", rumorph::UdTag::pos)
}

/// Every form of a word given by its dictionary form; the word itself comes first. Long participles
/// are left out: nobody writes «отменившему» to a salon.
pub(crate) fn forms(lemma: &str) -> Vec<String> {
    let mut forms = vec![plain(lemma)];
    for analysis in dictionary().analyze(lemma) {
        if analysis.source == rumorph::Source::Rule || plain(&analysis.lemma) != plain(lemma) {
            continue;
        }
        for form in dictionary().forms(&analysis) {
            let long_participle = feature(&form, "VerbForm") == Some("Part") && feature(&form, "Variant") != Some("Short");
            let word = plain(&form.word);
            if !long_participle && !forms.contains(&word) {
                forms.push(word);
            }
        }
    }
    forms
}

/// The dictionary forms a word may have, likeliest first.
pub(crate) fn lemmas(word: &str) -> Vec<String> {
    let mut lemmas = Vec::new();
    for analysis in dictionary().analyze(word) {
        let lemma = plain(&analysis.lemma);
        if !lemmas.contains(&lemma) {
            lemmas.push(lemma);
        }
    }
    lemmas
}

/// The word may stand in that case.
pub(crate) fn may_be_case(word: &str, case: &str) -> bool {
    dictionary().analyze(word).iter().any(|a| matches!(part_of_speech(a), "NOUN" | "PROPN") && feature(a, "Case") == Some(case))
}

/// The word may be a noun or an adjective in the genitive.
pub(crate) fn may_be_genitive(word: &str) -> bool {
    dictionary().analyze(word).iter().any(|a| feature(a, "Case") == Some("Gen"))
}

/// A verb without what makes it done: «отполировать» is «полировать».
pub(crate) fn undone(word: &str) -> Option<&str> {
    let verb = || dictionary().analyze(word).first().is_some_and(|a| part_of_speech(a) == "VERB");
    let stem = ["от", "по", "за", "на", "вы", "про", "под", "об", "с"].iter().find_map(|prefix| word.strip_prefix(prefix))?;
    (stem.chars().count() > 5 && verb()).then_some(stem)
}

/// The stem of a verb that a noun may be made of: «вычесать», «вычешите» have «вычес».
pub(crate) fn act(word: &str) -> Option<String> {
    let verb = dictionary().analyze(word).into_iter().next().filter(|a| part_of_speech(a) == "VERB")?;
    stem(
        &plain(&verb.lemma),
        &[
            "ываться",
            "иваться",
            "оваться",
            "аться",
            "иться",
            "яться",
            "еться",
            "ывать",
            "ивать",
            "ировать",
            "овать",
            "ать",
            "ить",
            "ять",
            "еть",
        ],
    )
}

/// The stem of a noun that names an act: «вычесывание» has «вычес».
pub(crate) fn act_noun(word: &str) -> Option<String> {
    stem(word, &["ывание", "ивание", "ирование", "ование", "ание", "ение", "ация", "овка", "ка"])
}

/// A word without the first of those endings that it has, when enough is left; soft and hard last
/// consonants are alike.
fn stem(word: &str, endings: &[&str]) -> Option<String> {
    let stem = endings.iter().find_map(|end| word.strip_suffix(end))?;
    let stem = stem.trim_end_matches("вл").trim_end_matches("пл").trim_end_matches("бл");
    let last = stem.chars().next_back()?;
    let plain = match last {
        'ж' => 'з',
        'ш' => 'с',
        'щ' | 'ч' => 'т',
        c => c,
    };
    let stem = format!("{}{plain}", &stem[..stem.len() - last.len_utf8()]);
    (stem.chars().count() > 3).then_some(stem)
}

/// The word is first of all an adjective or a participle.
pub(crate) fn is_adjective(word: &str) -> bool {
    dictionary().analyze(word).first().is_some_and(|a| part_of_speech(a) == "ADJ" || feature(a, "VerbForm") == Some("Part"))
}

/// The word is first of all a noun, and no name.
pub(crate) fn is_noun(word: &str) -> bool {
    dictionary().analyze(word).first().is_some_and(|a| part_of_speech(a) == "NOUN" && feature(a, "NameType").is_none())
}

/// The word may be a lifeless thing in the nominative or accusative.
pub(crate) fn is_thing(word: &str) -> bool {
    let stands = |a: &Analysis| matches!(feature(a, "Case"), Some("Nom" | "Acc")) && feature(a, "Animacy") != Some("Anim");
    dictionary().analyze(word).first().is_some_and(|a| part_of_speech(a) == "NOUN" && stands(a))
}

/// The word may be a surname or a patronymic.
pub(crate) fn is_surname(word: &str) -> bool {
    dictionary().analyze(word).iter().any(|a| matches!(feature(a, "NameType"), Some("Sur" | "Pat")))
}

/// The dictionary has the word as a name only.
pub(crate) fn is_only_name(word: &str) -> bool {
    dictionary().analyze(word).iter().all(|a| part_of_speech(a) == "PROPN" || feature(a, "NameType").is_some())
}

/// «Стрижёте», «возьмёте»: a verb that tells what you do or will do, no request.
pub(crate) fn is_you_do(word: &str) -> bool {
    (word.ends_with("те") || word.ends_with("тесь"))
        && dictionary().analyze(word).first().is_some_and(|a| feature(a, "Mood") == Some("Ind") && feature(a, "Person") == Some("2"))
}

/// «Стригут», «красят»: what is done there.
pub(crate) fn is_they_do(word: &str) -> bool {
    dictionary().analyze(word).first().is_some_and(|a| {
        let many = feature(a, "Number") == Some("Plur") && feature(a, "Person") == Some("3");
        many && feature(a, "Mood") == Some("Ind") && feature(a, "Aspect") == Some("Imp")
    })
}

/// «Почините», «возьмёте»: done once, so that a question asks for it.
pub(crate) fn is_done_once(word: &str) -> bool {
    dictionary().analyze(word).first().is_some_and(|a| feature(a, "Aspect") == Some("Perf"))
}

/// The word stands in the dictionary as it is written.
pub(crate) fn known(word: &str) -> bool {
    dictionary().is_known(word)
}
