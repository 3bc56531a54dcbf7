//! YClients and WhatsApp break at random while the customers talk.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::place::Place;

const CALLS: [&str; 8] = [
    "POST /api/v1/book_record",
    "POST /api/v1/book_check",
    "GET /api/v1/book_times",
    "PUT /api/v1/record/",
    "DELETE /api/v1/record/",
    "GET /api/v1/record/",
    "GET /api/v1/records/",
    "POST",
];

/// Orders faults until it is told to stop, takes back those that are left, and says how many it ordered.
pub(crate) async fn keep_breaking(place: Arc<Place>, seed: u64, stop: Arc<AtomicBool>) -> anyhow::Result<u32> {
    let mut dice = StdRng::seed_from_u64(seed ^ 0xFA17);
    let mut ordered = 0;
    while !stop.load(Ordering::SeqCst) {
        sleep(Duration::from_millis(dice.random_range(20..600))).await;
        place.post("/control/faults", &fault(&mut dice)).await?;
        ordered += 1;
        // Those that nothing has met would pile up.
        if ordered % 40 == 0 {
            place.call(Method::DELETE, "/control/faults", &Value::Null).await?;
        }
    }
    place.call(Method::DELETE, "/control/faults", &Value::Null).await?;
    Ok(ordered)
}

fn fault(dice: &mut StdRng) -> Value {
    let call = CALLS.choose(dice).copied().unwrap_or_default();
    let times = dice.random_range(1..=2);
    let held = dice.random_range(50..1200);
    match dice.random_range(0..17) {
        0 => json!({ "target": "yclients", "match": call, "kind": "status", "status": 500, "times": times }),
        1 => json!({ "target": "yclients", "match": call, "kind": "status", "status": 503, "times": times, "delay_ms": held }),
        2 => json!({ "target": "yclients", "match": call, "kind": "status", "status": 200, "times": 1 }),
        3 => json!({ "target": "yclients", "match": call, "kind": "timeout", "delay_ms": held, "times": times }),
        4 | 5 => json!({ "target": "yclients", "match": call, "kind": "timeout_after_commit", "delay_ms": held, "times": 1 }),
        6 => json!({ "target": "yclients", "match": call, "kind": "html", "status": 200, "times": times }),
        7 => json!({ "target": "yclients", "match": call, "kind": "rate_limit", "times": 1 }),
        8 => json!({ "target": "yclients", "kind": "duplicate", "times": 3 }),
        9 => json!({ "target": "yclients", "kind": "reorder", "times": 2 }),
        10 => json!({ "target": "yclients", "kind": "drop", "times": 2 }),
        11 => json!({ "target": "whatsapp", "kind": "duplicate", "times": times }),
        12 => json!({ "target": "whatsapp", "kind": "reorder", "times": 1 }),
        13 => json!({ "target": "whatsapp", "kind": "drop", "times": 1 }),
        14 => json!({ "target": "whatsapp", "kind": "timeout", "delay_ms": held, "times": times }),
        15 => json!({ "target": "whatsapp", "kind": "status", "status": 503 }),
        _ => json!({ "target": "whatsapp", "kind": "disconnect", "times": 1 }),
    }
}
