use axum::http::StatusCode;
use domain::IntegrationStatus::{Activating, Active};
use serde_json::{Value, json};

use crate::house::*;

fn paid(salon: i64) -> Value {
    json!({ "salon_id": salon, "payment_sum": 990.99, "currency_iso": "RUB", "payment_date": "2026-11-23T10:10:00",
            "period_from": "2026-11-23T00:00:00", "period_to": "2026-12-23T00:00:00" })
}

#[tokio::test]
async fn the_marketplaces_calls_want_the_operators_key() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    for path in ["salons", "salons/962302", "salons/962302/payment-link", "tariffs"] {
        for who in [Who::Nobody, Who::WrongKey, Who::Token(&token)] {
            assert_eq!(house.get_as(&format!("/marketplace/admin/{path}"), who).await.error().0, 401, "{path}");
        }
        assert_eq!(house.get_as(&format!("/marketplace/admin/{path}"), Who::Operator).await.status, StatusCode::OK, "{path}");
    }
    for path in ["salons/962302/disconnect", "discounts", "payments", "payments/1/refund", "channels", "short-names"] {
        assert_eq!(house.post_as(&format!("/marketplace/admin/{path}"), Who::Nobody, json!({})).await.error().0, 401, "{path}");
    }
    let bare = House::with(vec!["YCLIENTS_PARTNER_TOKEN"], yclients_server().await).await;
    assert_eq!(bare.get_as("/marketplace/admin/salons", Who::Operator).await.error(), (503, "not_configured".to_owned()));
}

#[tokio::test]
async fn the_marketplace_is_read_for_the_operator() {
    let house = House::new().await;
    let get = |path: &'static str| {
        let house = &house;
        async move { house.get_as(&format!("/marketplace/admin/{path}"), Who::Operator).await.json() }
    };
    let salon = json!({ "salon_id": SALON, "title": "Студия <Лира>", "active": true });
    assert_eq!(get("salons?page=2").await, json!({ "success": true, "page": 2, "salons": [salon] }));
    let state = get("salons/962302").await;
    assert_eq!((&state["status"], &state["logs"], &state["payments"]), (&json!("pending"), &json!([]), &json!([])));
    assert_eq!(get("salons/1").await["status"], "uninstalled");
    assert_eq!(get("salons/962302/payment-link?discount=10").await["url"], "https://yclients.com/appstore/payment/?sign=1");
    assert_eq!(get("tariffs").await["tariffs"][0]["options"][0]["overall_price"], json!(500.0));
    let wrong = house.get_as("/marketplace/admin/salons/962302/payment-link?discount=400", Who::Operator).await;
    assert_eq!(wrong.error(), (400, "invalid_fields".to_owned()));
}

#[tokio::test]
async fn the_marketplace_is_told_for_the_operator() {
    let house = House::new().await;
    let post = |path: &'static str, body: Value| {
        let house = &house;
        async move { house.post_as(&format!("/marketplace/admin/{path}"), Who::Operator, body).await }
    };
    assert_eq!(post("payments", paid(SALON)).await.json(), json!({ "success": true, "payment_id": 321 }));
    assert_eq!(post("payments/321/refund", json!({})).await.json(), json!({ "success": true }));
    assert_eq!(post("payments/7/refund", json!({})).await.error().0, 404);
    assert_eq!(post("discounts", json!({ "salon_ids": [SALON], "discount": 15.54 })).await.status, StatusCode::OK);
    let channel = |salon: i64, name: &str| json!({ "salon_id": salon, "channel": name, "is_available": true });
    assert_eq!(post("channels", channel(SALON, "whatsapp")).await.status, StatusCode::OK);
    assert_eq!(post("short-names", json!({ "salon_id": SALON, "short_names": ["LIRA"] })).await.status, StatusCode::OK);
    let refused = post("channels", channel(REFUSING, "sms")).await;
    assert_eq!(refused.error(), (422, "marketplace_refused".to_owned()));
    assert!(refused.json()["message"].as_str().is_some_and(|message| message.contains("Канал недоступен")), "{}", refused.text());
    assert_eq!(post("payments", paid(BROKEN)).await.error(), (504, "outcome_unknown".to_owned()), "not to be repeated blindly");
    for (path, body, field) in [
        ("channels", channel(SALON, "fax"), "channel"),
        ("discounts", json!({ "salon_ids": [], "discount": 1 }), "salon_ids"),
        ("discounts", json!({ "salon_ids": [SALON], "discount": 101 }), "discount"),
        ("short-names", json!({ "salon_id": SALON, "short_names": ["far too long a name"] }), "short_names"),
        (
            "payments",
            json!({ "salon_id": SALON, "payment_sum": -1, "currency_iso": "RUB", "payment_date": "2026-11-23T10:10:00",
                             "period_from": "2026-11-23T00:00:00", "period_to": "2026-12-23T00:00:00" }),
            "payment_sum",
        ),
    ] {
        let answer = post(path, body).await;
        assert_eq!(answer.error(), (400, "invalid_fields".to_owned()), "{path}");
        assert!(answer.json()["fields"][field].is_string(), "{path} {}", answer.text());
    }
}

#[tokio::test]
async fn disconnecting_ends_the_salon_here_too() {
    let house = House::new().await;
    house.token(SALON).await;
    let company = house.company(SALON).await.id;
    house.set_status(company, &[Activating, Active]).await;
    let answer = house.post_as(&format!("/marketplace/admin/salons/{SALON}/disconnect"), Who::Operator, json!({})).await;
    assert_eq!(answer.json(), json!({ "success": true }));
    let metrics = house.get_as("/api/metrics", Who::Operator).await.json();
    assert!(metrics["jobs"].as_array().is_some_and(|jobs| jobs.iter().any(|job| job["kind"] == "lifecycle")), "{metrics}");
    assert_eq!(house.post_as("/marketplace/admin/salons/404404/disconnect", Who::Operator, json!({})).await.status, StatusCode::OK);
}
