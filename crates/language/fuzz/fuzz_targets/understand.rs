//! Any text in any context is read without panic and in bounded time:
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run understand -- -timeout=1` in `crates/language`.

#![no_main]

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use language::{Asked, Context, Reader, When};
use libfuzzer_sys::fuzz_target;

static READER: LazyLock<Reader> = LazyLock::new(|| Reader::new(None));

const ASKED: [Option<Asked>; 9] = [
    None,
    Some(Asked::Service),
    Some(Asked::Staff),
    Some(Asked::Day),
    Some(Asked::Time),
    Some(Asked::Name),
    Some(Asked::Confirm),
    Some(Asked::Choice),
    Some(Asked::Review),
];

fuzz_target!(|data: &[u8]| {
    // Two bytes set the scene, the rest is the message.
    let [scene, shift, text @ ..] = data else { return };
    let Ok(first) = Date::new(2026, 11, 23) else { return };
    let day = first.saturating_add(jiff::Span::new().days(i64::from(*shift) * 17));
    let now: DateTime = day.at(i8::try_from(scene % 24).unwrap_or_default(), 7, 0, 0);
    let offered = if scene & 64 == 0 { Vec::new() } else { vec![day.at(15, 0, 0, 0), day.at(23, 30, 0, 0)] };
    let context = Context { asked: ASKED[usize::from(*scene) % ASKED.len()], offered, day: (scene & 128 != 0).then_some(day) };
    let read = READER.read(&String::from_utf8_lossy(text), now, &context);
    assert!(!read.intents.is_empty());
    for when in &read.when {
        match when {
            When::Window { from, to, .. } => assert!(from < to),
            When::Days { from, to, .. } => assert!(from < to),
            _ => {}
        }
    }
});
