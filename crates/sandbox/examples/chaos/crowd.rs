//! A hundred customers write at once while YClients allows five calls a second and 200 a minute.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::ensure;
use futures::future::join_all;
use serde_json::json;

use crate::{
    customer::Claim,
    place::{Place, TO_MASTERS},
};

/// Hours of a master's day.
const HOURS: usize = 11;

/// Everybody wants a time of their own; prints how long each waited, and fails where somebody was
/// not served, was told a falsehood, or had to wait for the sync that began before.
pub(crate) async fn run(place: &Arc<Place>, salon: i64, customers: usize) -> anyhow::Result<()> {
    place.sync(salon).await?;
    let began = Instant::now();
    let waits = (0..customers).map(|n| {
        let (hour, master, day) = (n % HOURS, n / HOURS % TO_MASTERS.len(), n / HOURS / TO_MASTERS.len());
        let text = format!("Запишите меня к {} на маникюр {} ноября в {}:00", TO_MASTERS[master], 24 + day, 10 + hour);
        let path = format!("/control/phones/79{:09}/messages?wait=reply&timeout_ms=900000", 400_000_000 + n);
        let body = json!({ "salon": salon, "name": "Мария", "text": text });
        async move {
            // In the order in which they are to be served.
            tokio::time::sleep(Duration::from_millis(u64::try_from(n)? * 20)).await;
            let wrote = Instant::now();
            let answer = place.post(&path, &body).await?;
            let heard = answer["replies"][0]["text"].as_str().unwrap_or_default().to_owned();
            anyhow::Ok((n, wrote.elapsed(), began.elapsed(), heard))
        }
    });
    let mut served = join_all(waits).await.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let booked = served.iter().filter(|(.., heard)| Claim::of(heard) == Some(Claim::Booked)).count();
    let records = place.get(&format!("/control/salons/{salon}/records")).await?;
    let made = records.as_array().into_iter().flatten().filter(|record| record["by"] == "bot").count();
    for (n, .., heard) in served.iter().filter(|(.., heard)| Claim::of(heard).is_none()) {
        println!("  customer {n} heard: {heard}");
    }
    served.sort_by_key(|(_, _, at, _)| *at);
    let overtaken = served.iter().enumerate().map(|(place, (n, ..))| place.abs_diff(*n)).max().unwrap_or_default();
    let mut waited: Vec<f64> = served.iter().map(|(_, waited, ..)| waited.as_secs_f64()).collect();
    waited.sort_by(f64::total_cmp);
    let at = |share: usize| waited.get((waited.len() * share / 100).min(waited.len().saturating_sub(1))).copied().unwrap_or_default();
    println!(
        "{customers} customers: {booked} told that they are booked, {made} bookings; waited p50 {:.1} s, p90 {:.1} s, longest {:.1} s; \
         at most {overtaken} places out of order; {} calls so far",
        at(50),
        at(90),
        at(100),
        place.get("/control/requests?target=yclients").await?.as_array().map_or(0, Vec::len)
    );
    ensure!(booked == made && booked == customers, "not everybody was served truly");
    Ok(())
}
