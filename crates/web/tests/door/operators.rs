use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use domain::IntegrationStatus::{Activating, Active};
use serde_json::json;

use crate::house::*;

#[tokio::test]
async fn the_operators_calls_want_the_operators_key() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    for path in ["/marketplace/companies", "/api/companies/1/health", "/api/conversations/1/79161234567", "/api/metrics", "/metrics"] {
        for who in [Who::Nobody, Who::WrongKey, Who::Token(&token)] {
            assert_eq!(house.get_as(path, who).await.error(), (401, "unauthorized".to_owned()), "{path}");
        }
        assert_eq!(house.get_as(path, Who::Operator).await.status, StatusCode::OK, "{path}");
    }
    let letter = json!({ "company_id": 1, "phone": "79161234567", "message": "Здравствуйте!" });
    assert_eq!(house.post_as("/api/send-message", Who::Nobody, letter).await.error().0, 401);
}

#[tokio::test]
async fn a_message_is_queued_and_seen() {
    let house = House::new().await;
    house.token(SALON).await;
    let company = house.company(SALON).await.id;
    let send = |company: i64, phone: &'static str, message: &'static str| {
        let house = &house;
        async move {
            house.post_as("/api/send-message", Who::Operator, json!({ "company_id": company, "phone": phone, "message": message })).await
        }
    };
    let conversation = format!("/api/conversations/{company}/79161234567");
    let before = house.get_as(&conversation, Who::Operator).await.json();
    assert_eq!(before, json!({ "state": "idle", "paused_until": null, "unanswered": 0, "pending_jobs": 0, "last_message_at": null }));
    let queued = send(company.0, "8 (916) 123-45-67", "Здравствуйте!").await;
    assert_eq!(queued.status, StatusCode::ACCEPTED, "{}", queued.text());
    assert!(queued.json()["id"].as_str().is_some_and(|id| !id.is_empty()));
    let after = house.get_as(&conversation, Who::Operator).await.json();
    assert_eq!((&after["state"], &after["pending_jobs"]), (&json!("answering"), &json!(1)));
    let metrics = house.get_as("/api/metrics", Who::Operator).await.json();
    assert_eq!((&metrics["jobs_due"], &metrics["calendar_due"]), (&json!(1), &json!(0)));
    assert_eq!(metrics["messages"], json!({ "in": {}, "out": { "queued": 1 } }));
    assert_eq!(metrics["calendar_now"], "2026-11-18T11:06:40Z");
    assert_eq!(metrics["jobs"], json!([{ "kind": "send", "state": "available", "count": 1 }]));

    assert_eq!(send(company.0, "нет", "").await.json()["fields"].as_object().expect("fields").len(), 2);
    assert_eq!(send(404, "79161234567", "Кому?").await.error().0, 404);
    for _ in 0..59 {
        assert_eq!(send(company.0, "79161234567", "И ещё").await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(send(company.0, "79161234567", "Слишком").await.error(), (429, "too_many_requests".to_owned()));
}

#[tokio::test]
async fn a_reaction_is_queued_for_a_message_that_is_there() {
    let house = House::new().await;
    house.token(SALON).await;
    let company = house.company(SALON).await.id;
    let letter = json!({ "company_id": company, "phone": "79161234567", "message": "Здравствуйте!" });
    let sent = house.post_as("/api/send-message", Who::Operator, letter).await.json()["id"].clone();
    let react = |phone: &'static str, message: serde_json::Value, emoji: &'static str| {
        let body = json!({ "company_id": company, "phone": phone, "message_id": message, "emoji": emoji });
        let house = &house;
        async move { house.post_as("/api/send-reaction", Who::Operator, body).await }
    };
    let queued = react("8 916 123-45-67", sent.clone(), "❤️").await;
    assert_eq!(queued.status, StatusCode::ACCEPTED, "{}", queued.text());
    assert!(queued.json()["id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(react("79161234567", json!("3EB0NONE"), "❤️").await.error().0, 404, "no such message");
    assert_eq!(react("79160000000", sent.clone(), "❤️").await.error().0, 404, "no such chat");
    assert_eq!(react("12", sent.clone(), "❤️").await.error(), (400, "invalid_phone".to_owned()));
    assert_eq!(react("79161234567", sent, "это не эмодзи, а целое письмо").await.error(), (400, "invalid_fields".to_owned()));
    assert_eq!(house.post_as("/api/send-reaction", Who::Nobody, json!({})).await.error().0, 401);
}

#[tokio::test]
async fn a_conversation_is_taken_over_and_given_back() {
    let house = House::new().await;
    house.token(SALON).await;
    let company = house.company(SALON).await.id;
    let call = |phone: &'static str, what: &'static str| {
        let house = &house;
        async move { house.post_as(&format!("/api/conversations/{company}/{phone}/{what}"), Who::Operator, json!({})).await }
    };
    assert_eq!(call("79161234567", "pause").await.error().0, 404, "no such conversation");
    let letter = json!({ "company_id": company, "phone": "79161234567", "message": "Здравствуйте!" });
    house.post_as("/api/send-message", Who::Operator, letter).await;
    assert_eq!(call("79161234567", "pause").await.json()["paused_until"], "2026-11-18T23:06:40Z");
    assert_eq!(call("79161234567", "resume").await.json()["paused_until"], json!(null));
    assert_eq!(call("12", "pause").await.error(), (400, "invalid_phone".to_owned()));
}

#[tokio::test]
async fn a_companys_health_names_what_is_wrong() {
    let house = House::new().await;
    house.token(SALON).await;
    let company = house.company(SALON).await.id;
    let health = house.get_as(&format!("/api/companies/{company}/health"), Who::Operator).await.json();
    assert_eq!((&health["whatsapp"], &health["yclients"], &health["lastSync"]), (&json!(false), &json!(false), &json!(null)));
    assert!(health["errors"][0].as_str().is_some_and(|error| error.starts_with("WhatsApp не подключён")), "{health}");
    assert_eq!(house.get_as("/api/companies/404/health", Who::Operator).await.error().0, 404);
    assert_eq!(house.get_as("/marketplace/companies?salon_id=962302", Who::Operator).await.json()["companies"][0]["company_id"], company.0);
    assert_eq!(house.get_as("/marketplace/companies?salon_id=5", Who::Operator).await.json()["companies"], json!([]));
    let list = house.get_as("/marketplace/companies?limit=10", Who::Operator).await.json();
    assert_eq!(
        (&list["stats"]["total"], &list["stats"]["connected"], &list["stats"]["pending_whatsapp"]),
        (&json!(1), &json!(0), &json!(1))
    );
    assert_eq!(list["companies"][0]["integration_status"], "pending_whatsapp");
}

#[tokio::test]
async fn companies_are_filtered_and_paged() {
    let house = House::new().await;
    for salon in [SALON, OTHER, FROZEN] {
        house.token(salon).await;
    }
    let other = house.company(OTHER).await.id;
    house.set_status(other, &[Activating, Active]).await;
    let list = |query: &'static str| {
        let house = &house;
        async move {
            let answer = house.get_as(&format!("/marketplace/companies{query}"), Who::Operator).await.json();
            let salons =
                answer["companies"].as_array().map(|rows| rows.iter().map(|row| row["salon_id"].as_i64().unwrap_or(0)).collect::<Vec<_>>());
            (salons, answer["next"].as_i64())
        }
    };
    assert_eq!(list("").await, (None, None), "figures alone");
    assert_eq!(list("?status=active").await.0, Some(vec![OTHER]));
    assert_eq!(list("?status=pending_whatsapp&connected=false").await.0, Some(vec![SALON, FROZEN]));
    assert_eq!(list("?connected=true").await.0, Some(vec![]));
    assert_eq!(list("?salon_id=962303&status=frozen").await.0, Some(vec![]));
    assert_eq!(list("?limit=2").await, (Some(vec![SALON, OTHER]), Some(other.0)));
    let rest = house.get_as(&format!("/marketplace/companies?limit=2&after={other}"), Who::Operator).await.json();
    assert_eq!((&rest["companies"][0]["salon_id"], rest.get("next")), (&json!(FROZEN), None), "the last page");
    assert_eq!(house.get_as("/marketplace/companies?status=happy", Who::Operator).await.error().0, 400);
}

#[tokio::test]
async fn a_sync_is_started_once() {
    let house = House::new().await;
    house.token(SALON).await;
    house.token(OTHER).await;
    let (company, other) = (house.company(SALON).await.id, house.company(OTHER).await.id);
    let sync = |path: &'static str, body: serde_json::Value| {
        let house = &house;
        async move { house.post_as(path, Who::Operator, body).await }
    };
    let first = sync("/api/sync/services", json!({ "company_id": company })).await;
    assert_eq!((first.status, first.json()["jobs"].as_array().map(Vec::len)), (StatusCode::ACCEPTED, Some(1)));
    let again = sync("/api/sync", json!({ "company_id": company })).await;
    assert_eq!(again.error(), (409, "sync_in_progress".to_owned()));
    assert_eq!(again.json()["message"], "Sync already in progress");
    assert_eq!(sync("/api/sync/goods", json!({})).await.error().0, 404);
    assert_eq!(sync("/api/sync", json!({ "company_id": 404 })).await.error().0, 404);
    assert_eq!(sync("/api/sync", json!({})).await.error().0, 409, "no salon is active");
    house.set_status(other, &[Activating, Active]).await;
    assert_eq!(sync("/api/sync", json!({})).await.status, StatusCode::ACCEPTED, "every active one");
    assert_eq!(house.post_as("/api/sync", Who::Nobody, json!({})).await.error().0, 401);
    assert_eq!(sync("/api/sync/schedules/today", json!({ "company_id": other })).await.error().0, 409, "its sync waits still");
}

#[tokio::test]
async fn a_sync_needs_no_body() {
    let house = House::new().await;
    house.token(SALON).await;
    house.set_status(house.company(SALON).await.id, &[Activating, Active]).await;
    let bare = |path: &'static str, body: &'static str| {
        let request = Request::post(path).header("x-api-key", OPERATOR);
        house.ask(request.body(Body::from(body)).expect("a request"))
    };
    let today = bare("/api/sync/schedules/today", "").await;
    assert_eq!((today.status, today.json()["jobs"].as_array().map(Vec::len)), (StatusCode::ACCEPTED, Some(1)));
    assert_eq!(bare("/api/sync", "").await.error(), (409, "sync_in_progress".to_owned()), "the salon was found without a body");
    assert_eq!(bare("/api/sync", "nonsense").await.error(), (400, "invalid_body".to_owned()));
}
