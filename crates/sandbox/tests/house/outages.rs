//! The database is locked or gone for a while: nothing is acknowledged that is not stored, whoever
//! asks hears so, and what waited is done once afterwards.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use sandbox::Options;
use serde_json::{Value, json};
use store::testing::{Cluster, WriteLock};

use crate::support::{CUSTOMER, House, SALON, options, until};

const ORDER: &str = "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане";

async fn ready(house: &House) -> bool {
    house.http.get(format!("{}/readyz", house.product())).send().await.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

/// What the house says while its database is away.
async fn says_so(house: &House) {
    until("it says so", || async { !ready(house).await }).await;
    let health = house.http.get(format!("{}/marketplace/health", house.product())).send().await.expect("an answer");
    assert_eq!(health.status(), StatusCode::SERVICE_UNAVAILABLE);
    let health: Value = health.json().await.expect("JSON");
    assert_eq!((&health["status"], &health["services"]["database_connected"]), (&json!("error"), &json!(false)));
    // An event that cannot be stored is not acknowledged.
    let event = json!({ "salon_id": SALON, "application_id": 1, "event": "payment", "partner_token": "sandbox-partner-token" });
    let answer = house.http.post(format!("{}/webhook/yclients", house.product())).json(&event).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body: Value = answer.json().await.expect("JSON");
    assert_eq!((&body["success"], &body["error"]), (&json!(false), &json!("unavailable")));
}

/// The customer who wrote meanwhile is answered once, and what came of it stands once.
async fn all_is_done_once(house: &House) {
    until("the message is answered", || async { house.heard_by(CUSTOMER).await.len() >= 2 }).await;
    let heard = house.say(CUSTOMER, "Спасибо!").await;
    assert!(!heard.is_empty());
    assert_eq!(house.heard_by(CUSTOMER).await.len(), 3, "{:#?}", house.heard_by(CUSTOMER).await);
    assert_eq!(house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")]);
    until("it is well again", || ready(house)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_sqlite_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("product.sqlite").display());
    let house = House::open(Options { database_url: Some(url.clone()), ..options() }).await;
    assert!(!house.say(CUSTOMER, "Добрый день").await.is_empty());
    let lock = WriteLock::take(&url).await;
    let taken = Instant::now();
    house.post(&format!("/control/phones/{CUSTOMER}/messages"), &json!({ "salon": SALON, "text": ORDER })).await;
    says_so(&house).await;
    tokio::time::sleep(Duration::from_secs(16).saturating_sub(taken.elapsed())).await;
    assert_eq!(house.heard_by(CUSTOMER).await.len(), 1, "nothing is answered that is not stored");
    lock.release().await;
    all_is_done_once(&house).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_went_away_loses_nothing() {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(true)).await.expect("a server");
    let url = cluster.database().await;
    let house = House::open(Options { database_url: Some(url), ..options() }).await;
    assert!(!house.say(CUSTOMER, "Добрый день").await.is_empty());
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.stop_at_once();
        cluster
    });
    let cluster = cluster.await.expect("it stopped");
    let stopped = Instant::now();
    house.post(&format!("/control/phones/{CUSTOMER}/messages"), &json!({ "salon": SALON, "text": ORDER })).await;
    says_so(&house).await;
    // Longer than sessions are kept without a lease.
    tokio::time::sleep(Duration::from_secs(16).saturating_sub(stopped.elapsed())).await;
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.start_again();
        cluster
    });
    let _cluster = cluster.await.expect("it runs again");
    all_is_done_once(&house).await;
    house.close().await;
}
