//! The product is killed and started again against a world that lives on.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sandbox::Options;
use serde_json::json;

use crate::support::{CUSTOMER, House, SALON, options, salon, until};

/// A product in a process of its own, killed when dropped.
pub(crate) struct Product(Child);

impl Product {
    fn start(data: &Path, control_port: u16, port: u16) -> Self {
        Self::with(data, control_port, port, &[])
    }

    /// With settings of its environment.
    pub(crate) fn with(data: &Path, control_port: u16, port: u16, settings: &[(&str, &str)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_ai-admin-sandbox"))
            .args(["--product-only", "--debounce-ms", "20", "--data"])
            .arg(data)
            .args(["--control-port", &control_port.to_string(), "--port", &port.to_string()])
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the sandbox's binary starts");
        Self(child)
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ended");
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_product_comes_back_linked_and_answers_what_came_meanwhile_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = free_port();
    let world = Options { data: Some(folder.path().to_owned()), world_only: true, port, ..options() };
    let house = House::start(world).await;
    let control_port = house.control.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let ready = format!("http://127.0.0.1:{port}/readyz");
    let is_ready = || async { house.http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) };

    let product = Product::start(folder.path(), control_port, port);
    until("the product is ready", is_ready).await;
    house.post("/control/salons", &salon()).await;
    house.onboard().await;
    let before = house.say(CUSTOMER, "Добрый день").await;
    assert!(!before.is_empty());
    product.kill();

    let body = json!({ "salon": SALON, "text": "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане", "name": "Мария" });
    house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
    let _product = Product::start(folder.path(), control_port, port);
    until("the message is answered", || async { house.heard_by(CUSTOMER).await.len() == 2 }).await;
    // Whatever would come twice has had the time to.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(house.heard_by(CUSTOMER).await.len(), 2);
    assert_eq!(house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")]);
}
