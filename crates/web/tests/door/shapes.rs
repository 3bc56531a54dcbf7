use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::json;

use crate::house::*;

#[tokio::test]
async fn every_error_is_told_in_one_shape() {
    let house = House::new().await;
    assert_eq!(house.get("/no/such/page").await.error(), (404, "not_found".to_owned()));
    let wrong = house.ask(Request::delete("/marketplace/activate").body(Body::empty()).expect("a request")).await;
    assert_eq!(wrong.error(), (405, "method_not_allowed".to_owned()));
    assert_eq!(wrong.header(header::ALLOW), "POST");
    assert_eq!(
        house.post_as("/marketplace/activate", Who::Nobody, json!({ "no": "token" })).await.error(),
        (400, "invalid_body".to_owned())
    );
    assert_eq!(house.get_as("/marketplace/status/abc", Who::Operator).await.error().0, 400);
    let large = Request::post("/marketplace/activate").header(header::CONTENT_TYPE, "application/json");
    assert_eq!(house.ask(large.body(vec![b' '; 65 * 1024].into()).expect("a request")).await.error(), (413, "too_large".to_owned()));
}

#[tokio::test]
async fn people_and_languages() {
    let house = House::new().await;
    let ask = |accept: &'static str, language: &'static str| {
        let request = Request::get("/no/such/page").header(header::ACCEPT, accept).header(header::ACCEPT_LANGUAGE, language);
        house.ask(request.body(Body::empty()).expect("a request"))
    };
    assert_eq!(ask("application/json", "en-GB,en;q=0.9").await.json()["message"], "There is nothing at this address.");
    assert_eq!(ask("application/json", "ru,en").await.json()["message"], "По этому адресу ничего нет.");
    let page = ask("text/html,*/*", "en").await;
    assert!(page.is_page() && page.text().contains("<html lang=\"en\">") && page.text().contains("No such page"), "{}", page.text());
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let house = House::new().await;
    for path in [
        "/",
        "/livez",
        "/readyz",
        "/marketplace/",
        "/marketplace/test",
        "/marketplace/health",
        "/assets/app.css",
        "/no/such/page",
        "/api/docs",
    ] {
        let answer = house.get(path).await;
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"), "{path}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 32, "{path}");
        assert_eq!(answer.status == StatusCode::OK, path != "/no/such/page", "{path}");
    }
    let stranger = Request::get("/livez").header("x-request-id", "a stranger's\tid").body(Body::empty()).expect("a request");
    assert!(!house.ask(stranger).await.header("x-request-id").contains("stranger"));
}

#[tokio::test]
async fn the_api_describes_itself() {
    let house = House::new().await;
    let api = house.get("/api/openapi.json").await.json();
    for path in ["/auth/yclients/redirect", "/marketplace/activate", "/marketplace/api/qr", "/webhook/yclients", "/api/send-message"] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    assert!(api["components"]["schemas"]["ErrorBody"].is_object());
    assert!(web::openapi().starts_with('{'));
    assert!(house.get("/api/docs").await.text().contains("/assets/docs.js"));
}
