//! Small words that matter to what is being arranged rather than to a message by itself: one more
//! service, somebody else, right after me, all of them.

/// The small words of a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cues {
    /// «И ещё укладку»: beside what was said before.
    pub(crate) more: bool,
    /// «В дополнение»: a visit beside the one that stands.
    pub(crate) besides: bool,
    /// «Добавьте» says so by itself.
    pub(crate) add: bool,
    /// «Укладку уберите»: no longer a part of what was said before.
    pub(crate) less: bool,
    /// The visit is for somebody else: «друга», «маму».
    pub(crate) somebody_else: bool,
    /// «Парный», «семейный».
    pair: bool,
    /// «После меня», «друг за другом».
    pub(crate) in_turn: bool,
    /// «Вместе со мной».
    pub(crate) alongside: bool,
    /// «Обе записи».
    pub(crate) all: bool,
    /// «Оставьте», «не отменяйте».
    pub(crate) keep: bool,
    /// «Только стрижку».
    pub(crate) only: bool,
    /// «Я подумаю»: nothing is to be settled now.
    pub(crate) later: bool,
    /// The words are about a visit.
    pub(crate) visit: bool,
    /// «Хочу», «можно».
    pub(crate) wish: bool,
    /// «То, что в пятницу», «первый вариант».
    pub(crate) which: bool,
    /// «Верните», «оставьте как было»: as it was before it was cancelled or moved.
    pub(crate) back: bool,
    /// «В среду или в четверг».
    pub(crate) or: bool,
    /// «В понедельник и в четверг», and no question which of them.
    pub(crate) each_time: bool,
    /// «И педикюр тоже».
    pub(crate) too: bool,
    /// «Меня», beside somebody else.
    pub(crate) me: bool,
    /// «Ближайшее время»: the first that there is.
    pub(crate) soonest: bool,
    /// «Вы бот?»: who answers is asked, and nobody called for.
    pub(crate) machine: bool,
    /// «Свободен ли?»: what is free is asked, and nothing ordered.
    pub(crate) asks_free: bool,
    /// «На вчера».
    pub(crate) past: bool,
    pub(crate) question: bool,
    /// How many words it has.
    pub(crate) words: usize,
}

/// Stems where a word goes on in many forms, whole words (with a `$`) where a stem would catch others;
/// several words stand for a phrase.
const MORE: &[&str] = &["еще$", "также$", "добав", "плюс$", "заодно$", "вместе с$", "add$", "plus$", "also$", "as well$"];
const BESIDES: &[&str] =
    &["в дополнение", "дополнительно$", "вдобавок$", "помимо", "еще одну запись", "еще раз то же", "еще раз на то же", "in addition"];
const ADD: &[&str] = &["добав", "add$"];
const NOT_MORE: &[&str] = &["еще врем", "еще раз", "еще вариант", "еще окош", "еще свободн", "еще есть"];
const LESS: &[&str] = &["уберите$", "убери$", "уберем$", "убрать$", "убираем$", "remove$"];
const SOMEBODY: &[&str] = &[
    "друг$",
    "друга$",
    "другу$",
    "другом$",
    "друзей$",
    "подруг",
    "приятел",
    "сын$",
    "сына$",
    "сыну$",
    "сыном$",
    "сынок$",
    "сынишк",
    "дочь$",
    "дочк",
    "дочер",
    "муж$",
    "мужа$",
    "мужу$",
    "мужем$",
    "жена$",
    "жену$",
    "жене$",
    "женой$",
    "супруг",
    "мама$",
    "маму$",
    "маме$",
    "мамой$",
    "папа$",
    "папу$",
    "папе$",
    "папой$",
    "брат$",
    "брата$",
    "брату$",
    "братом$",
    "братишк",
    "сестр",
    "племянни",
    "отца$",
    "отцу$",
    "отцом$",
    "тещ",
    "свекров",
    "крестни",
    "крестну",
    "ребен",
    "внук",
    "внучк",
    "бабушк",
    "дедушк",
    "коллег",
    "friend",
    "wife$",
    "husband$",
    "son$",
    "daughter$",
    "mom$",
    "mother$",
    "brother$",
    "sister$",
    "ее зовут$",
    "его зовут$",
    "зовут ее$",
    "зовут его$",
    "her name$",
    "his name$",
];
const PAIR: &[&str] = &["парный$", "парная$", "парное$", "двоих$", "семейн", "семьей$", "семьи$", "couple", "family$"];
/// «Подруга посоветовала» brings nobody.
const ADVISED: &[&str] = &["совет", "посовет", "рекоменд", "порекоменд", "recommend", "advised$"];
const EACH_OTHER: &[&str] = &["друг за другом", "друг за дружк", "друг после друга"];
const IN_TURN: &[&str] = &[
    "друг за другом",
    "друг за дружк",
    "друг после друга",
    "после меня",
    "сразу после",
    "следом$",
    "следующее врем",
    "следующее окош",
    "следующий слот",
    "следующим$",
    "за мной$",
    "по очереди",
    "подряд$",
    "after me",
    "right after",
    "one after",
];
const ALONGSIDE: &[&str] =
    &["со мной", "вместе$", "одновременно$", "параллельно$", "в то же врем", "в это же врем", "with me", "same time", "together$"];
const ALL: &[&str] = &["обе$", "все$", "обеих$", "всех$", "отовсюду$", "отовсюда$", "both$", "all$", "оба$"];
const KEEP: &[&str] = &[
    "оставьте",
    "оставь$",
    "оставляйте",
    "оставим$",
    "оставля",
    "пусть остан",
    "не отмен",
    "не надо отменять$",
    "не нужно отменять$",
    "не снимай",
    "не убирай",
    "не трога",
    "не меняй",
    "в силе",
    "don't cancel",
    "do not cancel",
    "keep it",
    "keep my",
];
const ONLY: &[&str] = &["только$", "лишь$", "просто$", "only$", "just$"];
const LATER: &[&str] =
    &["подума", "посоветуюсь", "напишу позже", "позже напишу", "напишу потом", "потом напишу", "think about", "let you know"];
const WISH: &[&str] = &["хочу$", "хотел", "хотим$", "можно$", "нужно$", "надо$", "want", "like to"];
const WHICH: &[&str] = &["котор", "то что$", "вариант", "the one$", "option"];
const SOONEST: &[&str] = &["ближайш", "soonest$", "earliest$"];
const BACK: &[&str] = &[
    "обратно$",
    "верните",
    "верни$",
    "вернуть$",
    "восстанов",
    "как было$",
    "прежнее$",
    "на старое",
    "старое врем",
    "не переносите$",
    "не переноси$",
    "restore$",
    "put it back",
];
const FREE: &[&str] = &["свобод", "есть$", "работает$", "работаете$", "free$", "available$", "work$", "working$"];
const WHETHER: &[&str] = &["ли$"];
const MAY_I: &[&str] = &["можно ли$", "могу ли$", "можете ли$"];
const PAST: &[&str] = &["вчера$", "позавчера$", "yesterday$"];
/// A longer message tells of what was then.
const MOST_WORDS_OF_A_PAST_WISH: usize = 4;
const TO_THE_PAST: &[&str] = &["на вчера$", "на позавчера$", "for yesterday$"];
const MACHINE: &[&str] = &[
    "бот$",
    "робот$",
    "автоответчик$",
    "нейросеть$",
    "живой человек",
    "с человеком",
    "с кем я",
    "с ботом",
    "с роботом",
    "bot$",
    "robot$",
    "real person",
];
const CALLS: &[&str] = &["позов", "позвать", "дайте", "соедин", "переключ", "нужен$", "хочу$", "можно$", "где$", "want$", "call$", "can i"];
const MOST_WORDS_OF_A_SIDE_QUESTION: usize = 6;
const OR: &[&str] = &["или$", "либо$", "or$"];
const EACH_TIME: &[&str] = &["и в$", "и во$", "и еще$", "и на$", "а потом$", "и потом$", "and on$", "and then$"];
const TOO: &[&str] = &["тоже$", "также$", "too$", "as well$"];
const ME: &[&str] = &["меня$", "мне$", "себе$", "самому$", "самой$", "сам$", "сама$", "me$", "myself$"];
const VISIT: &[&str] = &["запис", "запиш", "визит", "book", "appointment"];

impl Cues {
    /// Of a turn's whole text.
    pub(crate) fn read(text: &str) -> Self {
        let text_said = text.to_lowercase().replace('ё', "е");
        let plain: String = text_said.chars().map(|c| if c.is_alphanumeric() || c == '-' || c == '\'' { c } else { ' ' }).collect();
        let words: Vec<&str> = plain.split_whitespace().collect();
        let says = |cues: &[&str]| cues.iter().any(|cue| said(&words, cue));
        let begins_with_and = words.first().is_some_and(|word| matches!(*word, "и" | "and")) && words.len() > 1;
        let besides = says(BESIDES);
        Self {
            more: (says(MORE) || begins_with_and) && !says(NOT_MORE) || besides,
            besides,
            add: says(ADD),
            less: says(LESS),
            somebody_else: says(SOMEBODY) && !says(EACH_OTHER) && !says(ADVISED),
            pair: says(PAIR),
            in_turn: says(IN_TURN),
            alongside: says(ALONGSIDE),
            all: says(ALL),
            keep: says(KEEP),
            only: says(ONLY),
            later: says(LATER),
            visit: says(VISIT),
            wish: says(WISH),
            which: says(WHICH),
            back: says(BACK),
            or: says(OR),
            each_time: says(EACH_TIME) && !says(OR) && !text.contains('?'),
            too: says(TOO),
            me: says(ME),
            soonest: says(SOONEST),
            machine: says(MACHINE) && !says(CALLS) && words.len() <= MOST_WORDS_OF_A_SIDE_QUESTION && text.contains('?'),
            asks_free: (says(FREE) || says(WHETHER) && !says(MAY_I)) && text.contains('?'),
            past: says(TO_THE_PAST) || says(PAST) && words.len() <= MOST_WORDS_OF_A_PAST_WISH,
            question: text.contains('?'),
            words: words.len(),
        }
    }
}

impl Cues {
    /// Of a title: it is for several people by itself.
    pub(crate) fn is_of_several(&self) -> bool {
        self.somebody_else || self.pair
    }
}

/// What stands before and after «добавьте».
pub(crate) fn around_adding(text: &str) -> Option<(&str, &str)> {
    let word = text.split_whitespace().find(|word| Cues::read(word).add)?;
    text.split_once(word)
}

/// Whether the words hold the cue's words, one after the other: each a stem, or whole with a `$`.
fn said(words: &[&str], cue: &str) -> bool {
    let cue: Vec<&str> = cue.split(' ').collect();
    let fits = |word: &str, cue: &str| match cue.strip_suffix('$') {
        Some(whole) => word == whole || slipped(word, whole),
        None => word.starts_with(cue) || (cue.chars().count() <= word.chars().count() && slipped_stem(word, cue)),
    };
    words.windows(cue.len()).any(|window| window.iter().zip(&cue).all(|(word, cue)| fits(word, cue)))
}

/// Letters of a word that may hold a slip of the finger.
const LONG: usize = 5;

/// Two letters swapped, or one left out, in a long word.
fn slipped(word: &str, meant: &str) -> bool {
    let (word, meant): (Vec<char>, Vec<char>) = (word.chars().collect(), meant.chars().collect());
    let same = word.iter().zip(&meant).take_while(|(a, b)| a == b).count();
    if meant.len() < LONG || same == 0 {
        return false;
    }
    let rest = |letters: &[char], from: usize| letters.get(from..).unwrap_or_default().to_vec();
    let left_out = word.len() + 1 == meant.len() && rest(&word, same) == rest(&meant, same + 1);
    let swapped = word.len() == meant.len()
        && word.get(same) == meant.get(same + 1)
        && word.get(same + 1) == meant.get(same)
        && rest(&word, same + 2) == rest(&meant, same + 2);
    left_out || swapped
}

/// The same at the beginning of a word.
fn slipped_stem(word: &str, stem: &str) -> bool {
    let length = stem.chars().count();
    (length - 1..=length).any(|letters| slipped(&word.chars().take(letters).collect::<String>(), stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, says: fn(&Cues) -> bool, expected: bool) {
        assert_eq!(says(&Cues::read(text)), expected, "{text}");
    }

    #[test]
    fn one_more_service() {
        for text in ["и ещё укладку", "Добавьте бороду", "дбавь бороду", "плюс маска", "и педикюр", "а можно вместе с бородой?"]
        {
            check(text, |cues| cues.more, true);
        }
        for text in ["а ещё время есть?", "лучше укладку", "и", "попробуйте ещё раз"] {
            check(text, |cues| cues.more, false);
        }
    }

    #[test]
    fn somebody_else() {
        for text in ["запишите друга", "и пордугу", "и подругу со мной", "хочу подстричь сына", "можно для мамы... маму записать"]
        {
            check(text, |cues| cues.somebody_else, true);
        }
        for text in
            ["мужская стрижка", "женская стрижка", "к другому мастеру", "друг за другом", "подруга посоветовала вас", "дружище, запиши"]
        {
            check(text, |cues| cues.somebody_else, false);
        }
        check("ее зовут Лида", |cues| cues.somebody_else, true);
        check("меня зовут Лида", |cues| cues.somebody_else, false);
        check("и брата слеодм", |cues| cues.in_turn, true);
        check("подругу сразу после меня", |cues| cues.in_turn, true);
    }

    #[test]
    fn questions_of_what_is_free() {
        for text in ["свободен ли Артём в 15?", "а Артём свооден в 15?", "есть ли что на вечер?", "а в 14 она работает?"]
        {
            check(text, |cues| cues.asks_free, true);
        }
        for text in ["можно ли записаться на 15?", "запишите в свободное время", "в 15 можно?"]
        {
            check(text, |cues| cues.asks_free, false);
        }
    }

    #[test]
    fn days_that_are_over() {
        for text in ["тогда вчера", "запишите меня, пожалуйста, на вчера на 15"] {
            check(text, |cues| cues.past, true);
        }
        check("я вчера у вас была и забыла зонт", |cues| cues.past, false);
    }

    #[test]
    fn what_stays() {
        for text in ["брови оставьте", "а брови отсавьте", "брови не трогайте"] {
            check(text, |cues| cues.keep, true);
        }
        check("отмените брови", |cues| cues.keep, false);
    }
}
