//! Many customers want one and the same time, round after round.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::ensure;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    customer::{Claim, replies},
    place::{Place, TO_MASTERS},
};

/// So many customers want the same time at the same instant.
const RIVALS: usize = 20;

/// Half the day's hours of one master are a booking each: 10:00, 11:00, … 20:00.
const HOURS: usize = 11;

/// Lets customers race until so many attempts are made; an error tells of a time that was booked
/// twice, or of a customer who was told what is not so.
pub(crate) async fn run(place: &Arc<Place>, salon: i64, attempts: usize) -> anyhow::Result<()> {
    let began = std::time::Instant::now();
    let (mut won, mut offered, mut made) = (0, 0, 0);
    for round in 0..attempts.div_ceil(RIVALS) {
        let (hour, master, day) = (round % HOURS, round / HOURS % TO_MASTERS.len(), round / HOURS / TO_MASTERS.len());
        let date = jiff::civil::date(2026, 11, 24).saturating_add(jiff::Span::new().days(i64::try_from(day)?));
        let text = format!("Запишите меня к {} на маникюр {} в {}:00", TO_MASTERS[master], date.strftime("%d.%m"), 10 + hour);
        let rivals = (0..RIVALS).map(|rival| {
            let path = format!("/control/phones/79{:09}/messages?wait=reply&timeout_ms=60000", 300_000_000 + rival);
            let body = json!({ "salon": salon, "name": "Мария", "text": text });
            async move { place.post(&path, &body).await }
        });
        let mut winners = 0;
        for answer in join_all(rivals).await {
            let answer = answer?;
            let replies = replies(&answer);
            ensure!(answer["settled"] == true && replies.len() == 1, "round {round}: {answer}");
            let heard = replies.concat();
            match Claim::of(&heard) {
                Some(_) => winners += 1,
                None if heard.contains('?') => offered += 1,
                None => anyhow::bail!("round {round}: a loser is offered nothing: {heard}"),
            }
        }
        ensure!(winners == 1, "round {round}: {winners} customers were told that they have «{text}»");
        won += winners;
        made += RIVALS;
        if made % 1000 == 0 {
            println!("  {made} attempts in {:.0} s", began.elapsed().as_secs_f64());
        }
    }
    let records = place.get(&format!("/control/salons/{salon}/records")).await?;
    let mut taken: BTreeMap<(i64, &str), usize> = BTreeMap::new();
    for record in records.as_array().into_iter().flatten().filter(|record| record["deleted"] == false) {
        let start = record["start"].as_str().unwrap_or_default();
        *taken.entry((record["staff_id"].as_i64().unwrap_or_default(), start)).or_default() += 1;
    }
    let doubled = taken.values().filter(|bookings| **bookings > 1).count();
    let standing: usize = taken.values().sum();
    println!(
        "{made} attempts in {:.0} s: {won} won, {standing} bookings stand, {offered} losers were offered others, {doubled} double bookings",
        began.elapsed().as_secs_f64()
    );
    ensure!(doubled == 0 && standing == won, "bookings: {}", Value::from(standing));
    Ok(())
}
