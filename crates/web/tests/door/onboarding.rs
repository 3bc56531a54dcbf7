use axum::http::{StatusCode, header};
use domain::IntegrationStatus::{Activating, Active, Uninstalled};
use serde_json::json;
use store::events;

use crate::house::*;

// Made with Python: hmac.new(b"golden-partner-token", json, sha256).hexdigest(), base64.b64encode and urlsafe_b64encode.
const STANDARD: &str = "eyJpZCI6NDQ1NSwibmFtZSI6ItCe0LvRjNCz0LAgfn4/IiwicGhvbmUiOiI3OTE2MTIzNDU2NyIsImVtYWlsIjoib2xnYUBleGFtcGxlLnJ1Iiwic2Fsb25fbmFtZSI6ItCh0YLRg9C00LjRjyDCq9Cb0LjRgNCwwrsg0Y4+Pj5+fn4ifQ==";
const URL_SAFE: &str = "eyJpZCI6NDQ1NSwibmFtZSI6ItCe0LvRjNCz0LAgfn4_IiwicGhvbmUiOiI3OTE2MTIzNDU2NyIsImVtYWlsIjoib2xnYUBleGFtcGxlLnJ1Iiwic2Fsb25fbmFtZSI6ItCh0YLRg9C00LjRjyDCq9Cb0LjRgNCwwrsg0Y4-Pj5-fn4ifQ==";
const SIGN: &str = "839bbaa0216adb58988795fe629f6b14afdef4b12893253655032efb3e6002cd";

fn signed(salon: i64, data: &str, sign: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("salon_id", &salon.to_string())
        .append_pair("user_data", data)
        .append_pair("user_data_sign", sign)
        .finish();
    format!("/auth/yclients/redirect?{query}")
}

#[tokio::test]
async fn a_signed_redirect_leads_to_the_page() {
    let house = House::new().await;
    let bare = |text: &str| text.trim_end_matches('=').to_owned();
    for data in [STANDARD.to_owned(), URL_SAFE.to_owned(), bare(STANDARD), bare(URL_SAFE)] {
        house.later(1);
        let answer = house.get(&signed(SALON, &data, SIGN)).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{data}: {}", answer.text());
        let page = house.get(answer.header(header::LOCATION)).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("Студия &#60;Лира&#62;"), "the title is there, escaped: {}", page.text());
        assert!(page.text().contains("data-session=\"company_962302\""));
        assert!(page.header(header::CONTENT_SECURITY_POLICY).contains("frame-ancestors https://yclients.com https://*.yclients.com"));
    }
    let company = house.company(SALON).await;
    assert_eq!(company.user.name.as_deref(), Some("Ольга ~~?"));
    assert_eq!(company.user.id.as_deref(), Some("4455"));
    let events = events::latest(&mut house.app.store.read().await.expect("a read"), company.id, 10).await.expect("events");
    assert_eq!(events.iter().filter(|event| event.event_type == "registration_started").count(), 4);
}

#[tokio::test]
async fn nobody_passes_with_a_wrong_signature() {
    let house = House::new().await;
    let flipped = SIGN.replacen('8', "9", 1);
    for path in [
        signed(SALON, STANDARD, &flipped),
        signed(SALON, STANDARD, ""),
        signed(SALON, &STANDARD.replacen('I', "J", 1), SIGN),
        signed(SALON, "", SIGN),
        format!("/auth/yclients/redirect?salon_id={SALON}&user_data={URL_SAFE}"),
        format!("/auth/yclients/redirect?salon_id={SALON}&user_data_sign={SIGN}"),
    ] {
        let answer = house.get(&path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(answer.is_page() && answer.text().contains("Ссылка не из YClients"), "{}", answer.text());
    }
    assert_eq!(house.get_as("/marketplace/companies", Who::Operator).await.json()["stats"]["total"], 0, "nothing was written");
}

#[tokio::test]
async fn each_fault_of_the_redirect_has_its_page() {
    let house = House::new().await;
    for query in [
        "",
        "salon_id=",
        "salon_id=0",
        "salon_id=-1",
        "salon_id=1.5",
        "salon_id=abc",
        "salon_id=99999999999999999999",
        "salon_id=1%20or%201",
    ] {
        let answer = house.get(&format!("/auth/yclients/redirect?{query}")).await;
        assert_eq!((answer.status.as_u16(), answer.is_page()), (400, true), "{query}");
    }
    for (salon, status, title) in [
        (NOT_INSTALLED, 409, "Приложение ещё не подключено"),
        (UNKNOWN, 404, "Такого салона нет"),
        (TOO_BUSY, 503, "YClients пока не отвечает"),
        (BROKEN, 502, "YClients ответил ошибкой"),
        (REFUSING, 502, "YClients ответил ошибкой"),
    ] {
        let answer = house.get(&format!("/marketplace/register?salon_id={salon}")).await;
        assert_eq!((answer.status.as_u16(), answer.is_page()), (status, true), "{salon}");
        assert!(answer.text().contains(title), "{salon}: {}", answer.text());
    }
    assert!(house.get(&format!("/auth/yclients/redirect?salon_id={TOO_BUSY}")).await.text().contains("Попробовать ещё раз"));
    assert_eq!(
        house.get(&format!("/auth/yclients/redirect?salon_ids%5B0%5D={SALON}")).await.status,
        StatusCode::FOUND,
        "a branch of several"
    );
    assert_eq!(
        house.get(&format!("/auth/yclients/redirect?salon_id={FROZEN}")).await.status,
        StatusCode::FOUND,
        "a frozen one is installed"
    );
}

#[tokio::test]
async fn a_silent_yclients_is_busy_and_missing_settings_close_the_door() {
    let silent = House::with(Vec::new(), "http://127.0.0.1:9/".parse().expect("an address")).await;
    assert_eq!(silent.get(&format!("/auth/yclients/redirect?salon_id={SALON}")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let bare = House::with(vec!["YCLIENTS_APP_ID"], yclients_server().await).await;
    assert_eq!(bare.get(&format!("/auth/yclients/redirect?salon_id={SALON}")).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let health = bare.get("/marketplace/health").await;
    assert_eq!((health.status.as_u16(), &health.json()["missing"]), (503, &json!(["YCLIENTS_APP_ID"])));
}

#[tokio::test]
async fn a_salon_that_was_active_opens_by_signature_only() {
    let house = House::new().await;
    house.token(SALON).await;
    let company = house.company(SALON).await.id;
    house.set_status(company, &[Activating, Active]).await;
    let answer = house.get(&format!("/auth/yclients/redirect?salon_id={SALON}")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("Откройте приложение из YClients"));
    assert_eq!(house.get(&signed(SALON, URL_SAFE, SIGN)).await.status, StatusCode::FOUND);
    house.set_status(company, &[Uninstalled]).await;
    assert_eq!(house.get(&signed(SALON, URL_SAFE, SIGN)).await.status, StatusCode::FOUND);
    assert_eq!(house.company(SALON).await.status.as_str(), "pending_whatsapp", "it may begin anew");
}

/// As YClients signs user data.
fn sign(json: &str) -> (String, String) {
    use base64::{Engine, engine::general_purpose::URL_SAFE};
    use hmac::{Hmac, KeyInit, Mac};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(PARTNER.as_bytes()).expect("any key").chain_update(json);
    (URL_SAFE.encode(json), mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[tokio::test]
async fn a_signature_for_another_salon_opens_no_salon_that_was_active() {
    let house = House::new().await;
    let come = |user: i64, salon_name: &'static str| {
        let (data, sign) = sign(&json!({ "id": user, "name": "Ольга", "salon_name": salon_name }).to_string());
        let path = signed(SALON, &data, &sign);
        let house = &house;
        async move { house.get(&path).await.status.as_u16() }
    };
    assert_eq!(come(1, "Студия <Лира>").await, 302);
    assert_eq!(come(2, "Чужая студия").await, 302, "never active: the marketplace's «pending» decides");
    assert_eq!(come(1, "Студия <Лира>").await, 302);
    let company = house.company(SALON).await.id;
    house.set_status(company, &[Activating, Active]).await;
    assert_eq!(come(2, "Чужая студия").await, 302, "pending: the button was pressed in that salon a moment ago");
    let active = SALON_ACTIVE;
    let (data, right) = sign(&json!({ "id": 1, "name": "Ольга", "salon_name": "Студия <Лира>" }).to_string());
    assert_eq!(house.get(&signed(active, &data, &right)).await.status.as_u16(), 302);
    house.set_status(house.company(active).await.id, &[Activating, Active]).await;
    let come = |user: i64, salon_name: &'static str, more: &'static str| {
        let (data, sign) = sign(&json!({ "id": user, "salon_name": salon_name }).to_string());
        let path = format!("{}{more}", signed(active, &data, &sign));
        let house = &house;
        async move { house.get(&path).await }
    };
    let stranger = come(2, "Чужая студия", "").await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    assert!(stranger.text().contains("Откройте приложение из YClients"));
    assert_eq!(house.company(active).await.user.id.as_deref(), Some("1"), "and is written down nowhere");
    assert_eq!(come(1, "Студия Лира до переименования", "").await.status, StatusCode::FOUND, "the same person");
    assert_eq!(come(3, " студия  <лира>", "").await.status, StatusCode::FOUND, "another person of the same salon");
    let beside = come(2, "Чужая студия", "&salon_ids%5B0%5D=962303").await;
    let page = house.get(beside.header(header::LOCATION)).await.text();
    assert!(page.contains("company_962303") && !page.contains(&format!("company_{active}")), "the own branch alone: {page}");
}

#[tokio::test]
async fn several_branches_come_together_and_are_linked_one_after_the_other() {
    let house = House::new().await;
    for query in ["salon_ids%5B0%5D=962302&salon_ids%5B1%5D=962303", "salon_ids=962302,962303", "salon_id=962302&salon_ids%5B0%5D=962303"] {
        let answer = house.get(&format!("/auth/yclients/redirect?{query}")).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{query}");
        let page = house.get(answer.header(header::LOCATION)).await.text();
        assert!(page.contains("data-session=\"company_962302\""), "{query}: {page}");
        assert!(page.contains("aria-current=\"page\"") && page.contains("Подключить следующий филиал"), "{query}: {page}");
        let (first, other) = (house.company(SALON).await.id, house.company(OTHER).await.id);
        let token = token_in(&answer);
        let next = house.get(&format!("/marketplace/onboarding?token={token}&branch={other}")).await;
        assert_eq!(next.status, StatusCode::FOUND, "{}", next.text());
        let second = house.get(next.header(header::LOCATION)).await.text();
        assert!(second.contains("data-session=\"company_962303\"") && second.contains(&format!("&#38;branch={first}\"")), "{second}");
        let status = house.get_as(&format!("/marketplace/status/{other}"), Who::Token(&token_in(&next))).await;
        assert_eq!(status.status, StatusCode::OK, "the other branch has a token of its own");
        assert_eq!(house.get_as(&format!("/marketplace/status/{other}"), Who::Token(&token)).await.status, StatusCode::FORBIDDEN);
    }
    let stranger = house.token(FROZEN).await;
    let other = house.company(OTHER).await.id;
    let foreign = house.get(&format!("/marketplace/onboarding?token={stranger}&branch={other}")).await;
    assert_eq!((foreign.status.as_u16(), foreign.is_page()), (403, true), "only what came with the token");
    assert_eq!(house.get("/auth/yclients/redirect?salon_ids%5B0%5D=962302&salon_ids%5B1%5D=x").await.status.as_u16(), 400);
    let partly = house.get("/auth/yclients/redirect?salon_ids%5B0%5D=1&salon_ids%5B1%5D=962303").await;
    assert!(
        house.get(partly.header(header::LOCATION)).await.text().contains("company_962303"),
        "one that is not installed holds nobody up"
    );
}

#[tokio::test]
async fn a_branchs_token_lives_no_longer_than_the_first() {
    let house = House::new().await;
    let answer = house.get("/auth/yclients/redirect?salon_ids%5B0%5D=962302&salon_ids%5B1%5D=962303").await;
    house.later(3000);
    let other = house.company(OTHER).await.id;
    let next = house.get(&format!("/marketplace/onboarding?token={}&branch={other}", token_in(&answer))).await;
    assert_eq!(house.get(next.header(header::LOCATION)).await.status, StatusCode::OK);
    house.later(600);
    assert_eq!(house.get(next.header(header::LOCATION)).await.status, StatusCode::UNAUTHORIZED, "the hour is the registration's");
}

#[tokio::test]
async fn a_salon_that_lost_its_phone_links_again() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    let company = house.company(SALON).await.id;
    let page = |title: &'static str| {
        let (house, path) = (&house, format!("/marketplace/onboarding?token={token}"));
        async move { assert!(house.get(&path).await.text().contains(title), "{title}") }
    };
    page("<h1>Подключите WhatsApp салона</h1>").await;
    house.set_status(company, &[Activating, Active]).await;
    let mut tx = house.app.store.begin().await.expect("a write");
    let phone = domain::Phone::parse("79161234567").expect("a phone");
    store::companies::set_linked(&mut tx, company, &phone, "Лира", house.app.clock.now()).await.expect("linked");
    store::companies::set_unlinked(&mut tx, company, house.app.clock.now()).await.expect("unlinked");
    tx.commit().await.expect("a commit");
    page("<h1>Подключите WhatsApp заново</h1>").await;
}

#[tokio::test]
async fn the_page_wants_a_good_token() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    let forged = format!("{}x", &token[..token.len() - 1]);
    for (path, status) in [
        ("/marketplace/onboarding".to_owned(), 400),
        ("/marketplace/connect?token=".to_owned(), 400),
        (format!("/marketplace/connect?token={forged}"), 401),
        (format!("/marketplace/connect?token={token}"), 200),
    ] {
        let answer = house.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.is_page()), (status, true), "{path}");
    }
    house.later(3600);
    let answer = house.get(&format!("/marketplace/onboarding?token={token}")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text().contains("Ссылка устарела"));
}

#[tokio::test]
async fn no_salon_reaches_into_another() {
    let house = House::new().await;
    let (ours, theirs) = (house.token(SALON).await, house.token(OTHER).await);
    let other = house.company(OTHER).await.id;
    let status = |who| {
        let house = &house;
        async move { house.get_as(&format!("/marketplace/status/{other}"), who).await.status.as_u16() }
    };
    assert_eq!(status(Who::Token(&ours)).await, 403);
    assert_eq!(status(Who::Token(&theirs)).await, 200);
    assert_eq!(status(Who::Operator).await, 200);
    assert_eq!(status(Who::WrongKey).await, 401);
    assert_eq!(status(Who::Nobody).await, 401);
    let session = format!("/marketplace/api/status/company_{OTHER}");
    assert_eq!(house.get_as(&session, Who::Token(&ours)).await.error(), (403, "forbidden".to_owned()));
    let own = house.get_as(&session, Who::Token(&theirs)).await.json();
    assert_eq!((&own["status"], &own["connected"], &own["session_id"]), (&json!("disconnected"), &json!(false), &json!("company_962303")));
    let body = json!({ "company_id": other, "salon_id": OTHER });
    assert_eq!(house.post_as("/marketplace/callback/prepare", Who::Token(&ours), body.clone()).await.error().0, 403);
    assert_eq!(
        house.post_as("/marketplace/callback/prepare", Who::Token(&theirs), body).await.error(),
        (409, "whatsapp_not_connected".to_owned())
    );
}

#[tokio::test]
async fn activation_wants_a_token_an_hour_and_a_phone() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    let activate = |token: String| {
        let house = &house;
        async move { house.post_as("/marketplace/activate", Who::Nobody, json!({ "token": token })).await }
    };
    assert_eq!(activate("nonsense".into()).await.error(), (401, "invalid_token".to_owned()));
    assert_eq!(activate(token.clone()).await.error(), (409, "whatsapp_not_connected".to_owned()));
    assert_eq!(house.company(SALON).await.status.as_str(), "pending_whatsapp");
    let company = house.company(SALON).await.id;
    house.set_status(company, &[Activating, Active]).await;
    let (first, again) = (activate(token.clone()).await, activate(token.clone()).await);
    assert_eq!((first.status, first.json()), (StatusCode::OK, again.json()), "on already: the same answer again");
    assert_eq!(first.json()["salon_id"], SALON);
    house.later(3600);
    assert_eq!(activate(token).await.error(), (410, "registration_expired".to_owned()));
}

#[tokio::test]
async fn a_code_for_a_number_that_is_none() {
    let house = House::new().await;
    let token = house.token(SALON).await;
    for phone in ["", "12345", "позвоните мне"] {
        let answer = house.post_as("/marketplace/api/pairing-code", Who::Token(&token), json!({ "phoneNumber": phone })).await;
        assert_eq!(answer.error(), (400, "invalid_phone".to_owned()), "{phone}");
    }
    assert_eq!(house.post_as("/marketplace/api/qr", Who::Nobody, json!({})).await.error().0, 401);
    assert_eq!(house.get("/marketplace/qr/nonsense").await.error().0, 401);
    // WhatsApp is out of reach here.
    let qr = house.get(&format!("/marketplace/qr/{token}")).await;
    assert_eq!(qr.error(), (504, "no_code".to_owned()));
    let status = house.get_as(&format!("/marketplace/api/status/company_{SALON}"), Who::Token(&token)).await.json();
    assert_eq!(status["status"], "connecting", "it goes on trying: {status}");
}

#[tokio::test]
async fn the_operator_registers_and_the_key_activates() {
    let house = House::new().await;
    assert_eq!(house.post_as("/marketplace/register", Who::Nobody, json!({ "salon_id": SALON })).await.error().0, 401);
    let answer = house.post_as("/marketplace/register", Who::Operator, json!({ "salon_id": -5, "phone": "нет", "email": "a@b" })).await;
    assert_eq!(answer.error(), (400, "invalid_fields".to_owned()));
    let fields = answer.json()["fields"].clone();
    assert_eq!(fields.as_object().expect("fields").keys().collect::<Vec<_>>(), ["email", "phone", "salon_id"]);
    let registered =
        house.post_as("/marketplace/register", Who::Operator, json!({ "salon_id": SALON, "phone": "8 916 123-45-67" })).await.json();
    let key = registered["api_key"].as_str().expect("a key");
    assert!(key.len() == 67 && key.starts_with("sk_"), "{key}");
    let status = |company: String| {
        let request = axum::http::Request::get(format!("/marketplace/status/{company}")).header("x-api-key", key);
        house.ask(request.body(axum::body::Body::empty()).expect("a request"))
    };
    assert_eq!(status(registered["company_id"].to_string()).await.json()["integration_status"], "pending_whatsapp");
    house.token(OTHER).await;
    assert_eq!(status(house.company(OTHER).await.id.to_string()).await.error(), (401, "unauthorized".to_owned()), "another salon's key");
    let connect = registered["connect_url"].as_str().expect("an address");
    assert_eq!(house.get(connect).await.status, StatusCode::OK);
    let callback = |key: String| {
        let (house, registered) = (&house, &registered);
        async move {
            let body = json!({ "salon_id": SALON, "company_id": registered["company_id"], "status": "connected", "whatsapp_phone": "79161234567", "api_key": key });
            house.post_as("/marketplace/callback", Who::Nobody, body).await.error()
        }
    };
    assert_eq!(callback(format!("sk_{}", "0".repeat(64))).await.0, 401);
    assert_eq!(callback(key.to_owned()).await, (409, "whatsapp_not_connected".to_owned()), "what it claims is not believed");
}
