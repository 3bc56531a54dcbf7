//! 200 customers, new to the salon, each book by one message: how long the product takes from the
//! end of the burst (no debounce here: the arrival) until WhatsApp has accepted the answer. The
//! product's own histogram is printed; the world runs in the same process and shares the cores.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to its terminal")]

use anyhow::{Context, ensure};
use clap::Parser;
use reqwest::Client;
use sandbox::Options;
use serde_json::{Value, json};

const CUSTOMERS: i64 = 200;
const MASTERS: i64 = 20;
const NOW: &str = "2026-11-23T08:00:00+03:00";

/// Twenty masters whose names do not resemble one another, each with ten free hours tomorrow.
fn salon() -> Value {
    let names = [
        "Анна",
        "Вера",
        "Светлана",
        "Жанна",
        "Ольга",
        "Тамара",
        "Лидия",
        "Зоя",
        "Галина",
        "Ирина",
        "Марина",
        "Полина",
        "Ульяна",
        "Фаина",
        "Элина",
        "Юлия",
        "Яна",
        "Регина",
        "Карина",
        "Диана",
    ];
    let ids: Vec<i64> = (1..=MASTERS).collect();
    json!({
        "id": 4200, "title": "Салон «Мера»", "city": "Москва", "address": "Ровная, 1", "phone": "74950004200",
        "timezone_name": "Europe/Moscow", "grid_minutes": 60,
        "services": [{"id": 1, "title": "Маникюр", "category": "Ногти", "price_min": 1500, "price_max": 1500, "minutes": 60, "staff": ids}],
        "staff": ids.iter().zip(names).map(|(id, name)| json!({"id": id, "name": name})).collect::<Vec<_>>(),
        "schedule": ids.iter().map(|id| json!({"staff": id, "weekdays": [1,2,3,4,5,6,7], "from": "10:00", "to": "20:00"})).collect::<Vec<_>>(),
        "clients": [], "records": []
    })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let at_once = std::env::args().nth(1).is_some_and(|how| how == "at-once");
    let mut options = Options::parse_from(["sandbox", "--no-demo-salon", "--port=0", "--control-port=0", "--debounce-ms=0", "--now", NOW]);
    options.database_url = std::env::var("DATABASE_URL").ok();
    let running = sandbox::start(options).await?;
    let control = format!("http://{}/control", running.control.context("a control port")?);
    let product = format!("http://{}", running.product.context("a product")?);
    let http = Client::new();
    let salon = salon();
    let masters: Vec<&str> = salon["staff"].as_array().into_iter().flatten().filter_map(|master| master["name"].as_str()).collect();
    http.post(format!("{control}/salons")).json(&salon).send().await?.error_for_status()?;
    let onboarded: Value =
        http.post(format!("{control}/salons/4200/onboard")).json(&json!({})).send().await?.error_for_status()?.json().await?;
    println!("salon connected in {} ms", onboarded["ms"]);

    let write = |n: i64| {
        let master = masters[usize::try_from(n % MASTERS).unwrap_or_default()];
        let text = format!("Здравствуйте! Запишите меня к мастеру {master} на маникюр завтра в {}:00", 10 + n / MASTERS);
        let url = format!("{control}/phones/79{:09}/messages?wait=reply&timeout_ms=60000", 160_000_000 + n);
        http.post(url).json(&json!({ "salon": 4200, "text": text, "name": "Мария" })).send()
    };
    if at_once {
        futures::future::try_join_all((0..CUSTOMERS).map(write)).await?;
    } else {
        for n in 0..CUSTOMERS {
            write(n).await?.error_for_status()?;
        }
    }
    let records: Vec<Value> = http.get(format!("{control}/salons/4200/records")).send().await?.json().await?;
    let booked = records.iter().filter(|record| record["by"] == "bot" && record["deleted"] == false).count();
    println!("{booked} of {CUSTOMERS} booked, {}", if at_once { "all writing at once" } else { "one after the other" });
    let metrics =
        http.get(format!("{product}/metrics")).header("X-API-Key", "sandbox-admin-key").send().await?.error_for_status()?.text().await?;
    for line in metrics.lines().filter(|line| line.starts_with("reply_seconds")) {
        println!("{line}");
    }
    running.shutdown().await;
    ensure!(booked == usize::try_from(CUSTOMERS)?, "not everybody was booked");
    Ok(())
}
