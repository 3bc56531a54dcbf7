//! The product as it ships, built without the sandbox.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::header::LOCATION;
use sandbox::Options;
use serde_json::{Value, json};

use crate::support::{House, SALON, options, salon, until};

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks for a QR code as the page does; `None` when none came.
async fn qr_of(house: &House, product: &str) -> Option<String> {
    let connect = house.post(&format!("/control/salons/{SALON}/connect"), &json!({})).await;
    let redirect = reqwest::Url::parse(connect["redirect_url"].as_str().expect("an address")).expect("an address");
    let entry = format!("{product}{}?{}", redirect.path(), redirect.query().unwrap_or_default());
    let answer = house.http.get(entry).send().await.expect("an answer");
    let page = answer.headers()[LOCATION].to_str().expect("an address").to_owned();
    let token = page.split("token=").nth(1).expect("a token").to_owned();
    let qr = house.http.post(format!("{product}/marketplace/api/qr")).bearer_auth(token).timeout(Duration::from_secs(30)).send();
    let qr: Value = qr.await.expect("an answer").json().await.expect("JSON");
    qr["qr"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_the_emulators_certificate() {
    let binary =
        std::env::var("AI_ADMIN_PRODUCT").expect("AI_ADMIN_PRODUCT names the product's own build: run the tests by `cargo xtask test`");
    let house = House::start(options()).await;
    house.post("/control/salons", &salon()).await;
    assert!(qr_of(&house, &house.product()).await.is_some(), "the sandbox's product gets a code");
    house.close().await;

    let folder = tempfile::tempdir().expect("a folder");
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
    let house = House::start(Options { world_only: true, port, ..options() }).await;
    house.post("/control/salons", &salon()).await;
    let address = house.control.trim_start_matches("http://").to_owned();
    let settings = [
        ("YCLIENTS_PARTNER_TOKEN", "sandbox-partner-token".to_owned()),
        ("YCLIENTS_USER_TOKEN", "sandbox-user-token".to_owned()),
        ("YCLIENTS_APP_ID", "1".to_owned()),
        ("YCLIENTS_BASE_URL", house.control.clone()),
        ("WHATSAPP_URL", format!("ws://{address}/ws/chat")),
        ("WHATSAPP_VERSION", "2.3000.1".to_owned()),
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef".to_owned()),
        ("ENCRYPTION_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".to_owned()),
        ("DATABASE_URL", format!("sqlite://{}", folder.path().join("product.sqlite").display())),
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", port.to_string()),
    ];
    let child =
        Command::new(binary).arg("serve").envs(settings).current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _product = Ended(child.expect("the product starts"));
    let product = format!("http://127.0.0.1:{port}");
    let ready = format!("{product}/livez");
    until("the product lives", || async { house.http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) }).await;
    assert_eq!(qr_of(&house, &product).await, None, "an unsigned certificate must not be talked to");
}
