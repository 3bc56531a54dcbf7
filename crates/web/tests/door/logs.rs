use std::time::Duration;

use axum::http::{StatusCode, header};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt;

use crate::house::*;

async fn lines(house: &House, query: &str) -> Vec<Value> {
    let answer = house.get_as(&format!("/api/logs?{query}"), Who::Operator).await;
    answer.json()["lines"].as_array().expect("lines").clone()
}

/// What the product says while `speak` runs.
fn spoken(house: &House, speak: impl FnOnce()) {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(house.logs.clone()), speak);
}

#[tokio::test]
async fn the_operator_reads_the_recent_log() {
    let house = House::new().await;
    assert_eq!(house.get("/api/logs").await.error(), (401, "unauthorized".to_owned()));
    spoken(&house, || {
        tracing::info!(target: "workflows::sync", salon = 962_302, "a salon was synced");
        tracing::error!(target: "yclients::transport", "клиент 79161234567 не найден");
    });
    let all = lines(&house, "").await;
    assert_eq!((&all[0]["level"], &all[0]["service"]), (&"INFO".into(), &"workflows".into()), "oldest first");
    assert_eq!(all[0]["message"], "a salon was synced salon=962302");
    assert_eq!(all[1]["message"], "клиент 79***67 не найден", "phones are masked");
    spoken(
        &house,
        || tracing::debug!(target: "log", { "log.target" = "whatsapp_rust::usync", "log.line" = 7 }, "said through another facade"),
    );
    assert_eq!(lines(&house, "service=whatsapp_rust").await[0]["message"], "said through another facade");
    for (query, found) in [
        ("level=error", 1),
        ("level=info", 2),
        ("service=workflows", 1),
        ("service=web", 0),
        ("contains=SYNCED", 1),
        ("contains=%D0%BA%D0%BB%D0%B8%D0%B5%D0%BD%D1%82", 1),
        ("minutes=5", 3),
        ("lines=1", 1),
    ] {
        assert_eq!(lines(&house, query).await.len(), found, "{query}");
    }
    for wrong in ["level=loud", "lines=-1", "minutes=x"] {
        assert_eq!(house.get_as(&format!("/api/logs?{wrong}"), Who::Operator).await.error(), (400, "invalid_body".to_owned()), "{wrong}");
    }
}

#[tokio::test]
async fn the_live_log_tells_and_ends() {
    let house = House::new().await;
    assert_eq!(house.get("/api/logs/live").await.error().0, 401);
    let hear = house.get_as("/api/logs/live?seconds=1&level=warn", Who::Operator);
    let speak = async {
        // The listener is there once the request was polled.
        tokio::time::sleep(Duration::from_millis(200)).await;
        spoken(&house, || {
            tracing::info!(target: "web", "of no concern");
            tracing::warn!(target: "whatsapp::pool", "a session is slow");
        });
    };
    let (answer, ()) = tokio::join!(hear, speak);
    assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, "text/event-stream"));
    let told: Vec<Value> = answer
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(told.len(), 1, "{}", answer.text());
    assert_eq!(told[0]["message"], "a session is slow");
}
