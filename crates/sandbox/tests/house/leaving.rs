//! A salon takes the application out, or brings a number that serves another branch.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use parking_lot::Mutex;
use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};

use crate::{
    restart::{Product, free_port},
    support::{House, SALON, options, salon, until},
};

const OPERATOR: &str = "79990001122";

type Told = Arc<Mutex<Vec<Value>>>;

/// The operator's server, which is down for the first notice.
async fn operators_server() -> (u16, Told) {
    async fn hear(State(told): State<Told>, Json(notice): Json<Value>) -> StatusCode {
        let mut told = told.lock();
        told.push(notice);
        if told.len() == 1 { StatusCode::BAD_GATEWAY } else { StatusCode::NO_CONTENT }
    }
    let told = Told::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let router = Router::new().route("/left", post(hear)).with_state(told.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_hears_that_a_salon_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, (operator_port, told)) = (free_port(), operators_server().await);
    let house = House::start(Options { data: Some(folder.path().to_owned()), world_only: true, port, ..options() }).await;
    let control_port = house.control.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let webhook = format!("http://127.0.0.1:{operator_port}/left");
    let settings = [("OPERATOR_PHONE", "+7 999 000-11-22"), ("OPERATOR_WEBHOOK_URL", webhook.as_str())];
    let _product = Product::with(folder.path(), control_port, port, &settings);
    let ready = format!("http://127.0.0.1:{port}/readyz");
    until("the product is ready", || async { house.http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) }).await;
    house.post("/control/salons", &salon()).await;
    let company = house.onboard().await["company_id"].clone();

    house.post(&format!("/control/salons/{SALON}/marketplace/uninstall"), &json!({})).await;
    until("the notice is taken", || async { told.lock().len() == 2 }).await;
    let notices = told.lock().clone();
    assert_eq!(notices[0], notices[1], "the same until it is taken");
    assert_eq!((&notices[0]["event"], &notices[0]["salon_id"], &notices[0]["company_id"]), (&json!("uninstall"), &json!(SALON), &company));
    assert_eq!(notices[0]["title"], "Студия «Ландыш»");
    let heard = house.heard_by(OPERATOR).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].contains("Студия «Ландыш»") && heard[0].contains("отключил"), "{heard:?}");
    let view = house.call(Method::GET, &format!("/control/salons/{SALON}"), &Value::Null).await;
    assert_eq!(view["linked"], json!(false), "{view}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_serves_one_branch() {
    let house = House::open(options()).await;
    let mut second = salon();
    (second["id"], second["phone"]) = (json!(89), json!("74950000089"));
    house.post("/control/salons", &second).await;
    let connect = house.post("/control/salons/89/connect", &json!({})).await;
    let redirect = house.http.get(connect["redirect_url"].as_str().expect("an address")).send().await.expect("an answer");
    let location = redirect.headers()["location"].to_str().expect("ASCII").to_owned();
    let token = location.split_once("token=").expect("a token").1.to_owned();
    let ask = |path: &'static str, body: Value| {
        let request = house.http.post(format!("{}{path}", house.product())).bearer_auth(&token).json(&body);
        async move {
            let answer = request.send().await.expect("an answer");
            (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
        }
    };
    // The phone of the first branch types the second one's code.
    until("a code", || async {
        let (status, code) = ask("/marketplace/api/pairing-code", json!({ "phoneNumber": "8 (495) 000-00-88" })).await;
        status == 200 && {
            house.post(&format!("/control/salons/{SALON}/phone/link"), &json!({ "code": code["code"] })).await;
            true
        }
    })
    .await;
    until("it is refused", || async {
        let (status, answer) = ask("/marketplace/activate", json!({ "token": token })).await;
        assert_eq!(status, 409, "{answer}");
        let refused = answer["error"].clone();
        let url = format!("{}/marketplace/api/status/company_89", house.product());
        let now: Value = house.http.get(url).bearer_auth(&token).send().await.expect("an answer").json().await.expect("JSON");
        // Why, is still known when the link is gone.
        now["status"] == "logged_out" && refused == "number_taken"
    })
    .await;
    assert!(house.say(crate::support::CUSTOMER, "Сколько стоит стрижка?").await.contains("2\u{a0}500"), "the first branch works on");
    house.close().await;
}
