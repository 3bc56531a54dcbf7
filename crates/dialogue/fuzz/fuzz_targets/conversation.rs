//! Any messages, any faults, any state: every turn ends, and the model's own rules hold
//! (no claim without a receipt, the same steps on a replay, a state that survives the store).
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run conversation -- -max_total_time=600` in `crates/dialogue`.

#![no_main]

use arbitrary::Arbitrary;
use dialogue::{Heard, HeardKind, Outcome, Refusal, State};
use jiff::{
    ToSpan,
    civil::{DateTime, date},
};
use libfuzzer_sys::fuzz_target;
use model::{Chat, Model};

#[path = "../../tests/model/mod.rs"]
mod model;

/// Words of the salon, so that a conversation gets somewhere; texts of any letters stand beside them.
const WORDS: &[&str] = &[
    "запишите", "на маникюр с покрытием", "педикюр", "классический маникюр", "брови", "к Марине", "к Ольге", "не к Марине", "завтра",
    "в среду", "в субботу", "в 15", "в 12:30", "после обеда", "да", "нет", "2", "первое", "лучше в 16", "перенесите", "отмените", "обе",
    "на час позже", "то же время", "сколько стоит", "когда работает Дарья", "подругу тоже", "вдвоём", "как в прошлый раз", "опаздываю",
    "спасибо", "Инна", "8 916 000 11 22", "ближайшее время", "не надо", "ещё", "после меня", "yes", "tomorrow", "?",
];

#[derive(Debug, Arbitrary)]
enum Piece<'a> {
    Word(u8),
    Text(&'a str),
}

#[derive(Debug, Arbitrary)]
struct Said<'a> {
    pieces: Vec<Piece<'a>>,
    voice: bool,
    fault: u8,
    hours_later: u8,
}

#[derive(Debug, Arbitrary)]
struct Talk<'a> {
    known: bool,
    state: Option<&'a str>,
    said: Vec<Said<'a>>,
}

fn fault(number: u8) -> Option<Outcome> {
    Some(match number % 24 {
        1 => Outcome::Failed,
        2 => Outcome::Unsettled,
        3 => Outcome::Refused(Refusal::SlotTaken),
        4 => Outcome::Refused(Refusal::Gone),
        5 => Outcome::Refused(Refusal::NotAllowed),
        6 => Outcome::FreeTimes(Vec::new()),
        7 => Outcome::Bookings(Vec::new()),
        8 => Outcome::LastVisit(None),
        9 => Outcome::HandedOver,
        _ => return None,
    })
}

fuzz_target!(|talk: Talk<'_>| {
    let mut model = Model::example(date(2026, 3, 2));
    let mut now: DateTime = date(2026, 3, 2).at(10, 0, 0, 0);
    let mut chat = if talk.known { Chat::new(Some("79161234567"), Some("Вера")) } else { Chat::new(None, None) };
    chat.state = talk.state.map(State::load).unwrap_or_default();
    for said in talk.said.iter().take(12) {
        now = now.saturating_add(i64::from(said.hours_later % 30).hours());
        model.faults.clear();
        model.faults.extend(fault(said.fault));
        let texts = said.pieces.iter().take(6).map(|piece| match piece {
            Piece::Word(number) => WORDS[usize::from(*number) % WORDS.len()],
            Piece::Text(text) => text,
        });
        let heard = Heard {
            text: texts.collect::<Vec<_>>().join(" "),
            kind: if said.voice { HeardKind::Voice } else { HeardKind::Text },
        };
        model.hear(&mut chat, now, &[heard]);
    }
});
