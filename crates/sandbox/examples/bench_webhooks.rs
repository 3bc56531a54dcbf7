//! Webhooks at a steady pace: how long until YClients hears 200, which it does once the event is on
//! the disk. Events of a thousand records in turn, each new; the work on them goes on meanwhile, and
//! the world runs in the same process: `cargo xtask bench webhooks [A_SECOND [SECONDS]]`, with
//! `DATABASE_URL` on PostgreSQL.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to its terminal")]

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Client;
use sandbox::Options;
use serde_json::json;
use sha2::Sha256;

const SALON: i64 = 4300;
const RECORDS: u32 = 1000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let pace: u32 = words.next().map_or(Ok(500), |word| word.parse())?;
    let seconds: u32 = words.next().map_or(Ok(10), |word| word.parse())?;
    let mut options = Options::parse_from(["sandbox", "--no-demo-salon", "--port=0", "--control-port=0", "--debounce-ms=0"]);
    options.database_url = std::env::var("DATABASE_URL").ok();
    let running = sandbox::start(options).await?;
    let control = format!("http://{}/control", running.control.context("a control port")?);
    let url = format!("http://{}/webhook/yclients", running.product.context("a product")?);
    let http = Client::new();
    let salon = json!({
        "id": SALON, "title": "Салон «Темп»", "city": "Москва", "address": "Ровная, 2", "phone": "74950004300",
        "timezone_name": "Europe/Moscow", "grid_minutes": 60,
        "services": [{"id": 1, "title": "Маникюр", "category": "Ногти", "price_min": 1500, "price_max": 1500, "minutes": 60, "staff": [1]}],
        "staff": [{"id": 1, "name": "Анна"}],
        "schedule": [{"staff": 1, "weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "10:00", "to": "20:00"}],
        "clients": [], "records": []
    });
    http.post(format!("{control}/salons")).json(&salon).send().await?.error_for_status()?;
    http.post(format!("{control}/salons/{SALON}/onboard")).json(&json!({})).send().await?.error_for_status()?;

    let mut ticks = tokio::time::interval(Duration::from_secs(1) / pace);
    let began = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..pace * seconds {
        ticks.tick().await;
        let data = json!({ "id": 1 + n % RECORDS, "last_change_date": format!("change {n}") });
        let event = json!({ "company_id": SALON, "resource": "record", "resource_id": 1 + n % RECORDS, "status": "update", "data": data });
        let body = event.to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"sandbox-webhook-secret")?;
        mac.update(body.as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let call = http.post(&url).header("X-Yclients-Signature", signature).header("Content-Type", "application/json").body(body);
        calls.spawn(async move {
            let sent = Instant::now();
            let status = call.send().await.map(|answer| answer.status());
            (sent.elapsed(), status.is_ok_and(|status| status.is_success()))
        });
    }
    let answers = calls.join_all().await;
    let rate = f64::from(pace * seconds) / began.elapsed().as_secs_f64();
    let refused = answers.iter().filter(|(_, accepted)| !accepted).count();
    let mut waits: Vec<Duration> = answers.into_iter().map(|(wait, _)| wait).collect();
    waits.sort();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    println!(
        "webhooks at {pace}/s (really {rate:.0}/s) for {seconds} s: p50 {:.1?}, p95 {:.1?}, p99 {:.1?}, longest {:.1?}; {refused} not accepted",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
    running.shutdown().await;
    ensure!(refused == 0, "webhooks were not accepted");
    Ok(())
}
