use axum::{
    body::Body,
    http::{Request, header},
};
use domain::CompanyId;
use secrecy::SecretString;
use serde_json::{Value, json};
use store::{companies, jobs};

use crate::house::*;

const SECRET: &str = "wh_0123456789";

async fn a_salon(house: &House, salon: i64, secret: &str) -> CompanyId {
    house.token(salon).await;
    let company = house.company(salon).await.id;
    let mut tx = house.app.store.begin().await.expect("a write");
    companies::set_webhook_secret(&mut tx, &house.app.vault, company, &SecretString::from(secret)).await.expect("a secret");
    tx.commit().await.expect("a commit");
    company
}

fn record(salon: i64, version: &str) -> Value {
    json!({ "company_id": salon, "resource": "record", "resource_id": 501, "status": "update", "data": { "id": 501, "last_change_date": version } })
}

async fn post(house: &House, path: &str, body: impl Into<Body>) -> Answer {
    house.ask(Request::post(path).header(header::CONTENT_TYPE, "application/json").body(body.into()).expect("a request")).await
}

async fn status(house: &House, path: &str, body: &Value) -> u16 {
    post(house, path, body.to_string()).await.status.as_u16()
}

async fn jobs_of(house: &House, company: CompanyId) -> i64 {
    jobs::pending(&mut house.app.store.read().await.expect("a read"), company, None).await.expect("a count")
}

/// Hex HMAC-SHA256 of the body.
fn sign(body: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(b"hook-secret").expect("any key").chain_update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn an_unproven_event_is_anybodys() {
    let house = House::new().await;
    let company = a_salon(&house, SALON, SECRET).await;
    let (entity, uninstall) = (record(SALON, "1"), json!({ "salon_id": SALON, "application_id": 1, "event": "uninstall" }));
    for path in [
        "/webhook/yclients".to_owned(),
        format!("/webhook/yclients/{company}"),
        format!("/webhook/events/{company}"),
        "/marketplace/webhook".to_owned(),
        "/marketplace/webhook/wrong-secret".to_owned(),
        "/webhook/yclients?key=wrong".to_owned(),
    ] {
        assert_eq!(status(&house, &path, &entity).await, 401, "{path}");
        assert_eq!(status(&house, &path, &uninstall).await, 401, "{path}");
    }
    let forged = json!({ "salon_id": SALON, "application_id": 1, "event": "uninstall", "partner_token": "another" });
    assert_eq!(status(&house, "/webhook/yclients", &forged).await, 401);
    assert_eq!(post(&house, "/webhook/yclients", "no json").await.status.as_u16(), 401, "nor is nonsense told apart");
    assert_eq!(jobs_of(&house, company).await, 0, "nothing was stored");
}

#[tokio::test]
async fn the_salons_secret_proves_in_the_path_and_in_the_query() {
    let house = House::new().await;
    let company = a_salon(&house, SALON, SECRET).await;
    let answer = post(&house, &format!("/webhook/yclients/{SECRET}"), record(SALON, "1").to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "success": true, "received": true })));
    assert_eq!(jobs_of(&house, company).await, 1, "the record is to be read again");
    for path in ["/webhook/yclients", "/webhook/events/1", "/marketplace/webhook", "/marketplace/webhook/1"] {
        assert_eq!(status(&house, &format!("{path}?key={SECRET}"), &record(SALON, "1")).await, 200, "{path}");
    }
    assert_eq!(jobs_of(&house, company).await, 1, "the same event again is the same");
}

#[tokio::test]
async fn what_changes_twice_within_a_second_is_looked_up_twice() {
    let house = House::new().await;
    let company = a_salon(&house, SALON, SECRET).await;
    let path = format!("/webhook/yclients/{SECRET}");
    assert_eq!(status(&house, &path, &record(SALON, "1")).await, 200);
    // The first has been looked up.
    let mut tx = house.app.store.begin().await.expect("a transaction");
    jobs::cancel_company(&mut tx, company).await.expect("a write");
    tx.commit().await.expect("a commit");
    assert_eq!(status(&house, &path, &record(SALON, "1")).await, 200);
    assert_eq!(jobs_of(&house, company).await, 1);
}

#[tokio::test]
async fn a_secret_speaks_for_its_own_salon_only() {
    let house = House::new().await;
    a_salon(&house, SALON, SECRET).await;
    let other = a_salon(&house, OTHER, "wh_other").await;
    assert_eq!(status(&house, &format!("/webhook/yclients/{SECRET}"), &record(OTHER, "1")).await, 401);
    assert_eq!(jobs_of(&house, other).await, 0);
}

#[tokio::test]
async fn the_partner_token_and_the_signature_prove_too() {
    let house = House::new().await;
    let company = a_salon(&house, SALON, SECRET).await;
    let freeze = json!({ "salon_id": SALON, "application_id": 1, "event": "freeze", "partner_token": PARTNER });
    assert_eq!(status(&house, "/webhook/yclients", &freeze).await, 200);
    let body = json!({ "event_type": "record_updated", "salon_id": SALON, "data": { "id": 501 } }).to_string();
    let signed = |sign: String| {
        let request = Request::post("/marketplace/webhook").header("X-Yclients-Signature", sign);
        house.ask(request.body(body.clone().into()).expect("a request"))
    };
    assert_eq!(signed(sign(&body)).await.status.as_u16(), 200);
    assert_eq!(signed(sign("another body")).await.status.as_u16(), 401);
    assert_eq!(jobs_of(&house, company).await, 1, "of the record; a lifecycle job is no job of the salon's");
}

#[tokio::test]
async fn what_is_proven_but_unusable_is_told_apart() {
    let house = House::new().await;
    let company = a_salon(&house, SALON, SECRET).await;
    let path = format!("/webhook/yclients/{SECRET}");
    assert_eq!(post(&house, &path, "no json").await.error(), (400, "invalid_body".to_owned()));
    assert_eq!(status(&house, &path, &json!({ "hello": "world" })).await, 400);
    let unknown = json!({ "company_id": SALON, "resource": "finances_operation", "resource_id": 1, "status": "create", "data": {} });
    assert_eq!(status(&house, &path, &unknown).await, 200);
    let elsewhere = json!({ "salon_id": 404_404, "application_id": 1, "event": "freeze", "partner_token": PARTNER });
    assert_eq!(status(&house, "/webhook/yclients", &elsewhere).await, 200, "not our salon");
    assert_eq!(jobs_of(&house, company).await, 0);
    let large = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(post(&house, &path, large).await.error(), (413, "too_large".to_owned()));
    let fits = format!("{}{}", record(SALON, "2"), " ".repeat(900 * 1024));
    assert_eq!(post(&house, &path, fits).await.status.as_u16(), 200);
}
