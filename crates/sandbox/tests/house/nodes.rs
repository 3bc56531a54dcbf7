//! Two nodes of the product, each a process of its own, share a PostgreSQL; a balancer stands before them.

use std::{
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use domain::CompanyId;
use futures::{SinkExt, StreamExt};
use sandbox::Options;
use serde_json::{Value, json};
use store::{
    Store, sessions,
    testing::{TableLock, who_runs},
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{CUSTOMER, House, SALON, options, salon, until};

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// A node of the product, killed when dropped.
pub(crate) struct Node {
    process: Child,
    name: &'static str,
    pub(crate) address: String,
}

impl Node {
    pub(crate) fn start(name: &'static str, database: &str, control_port: u16, public_port: u16, port: u16) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_ai-admin-sandbox"))
            .args(["--product-only", "--debounce-ms=20", "--node", name, "--database-url", database])
            .arg(format!("--control-port={control_port}"))
            .arg(format!("--public-port={public_port}"))
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(if std::env::var_os("LOG_LEVEL").is_some() { Stdio::inherit() } else { Stdio::null() })
            .spawn()
            .expect("the sandbox's binary starts");
        Self { process, name, address: format!("http://127.0.0.1:{port}") }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().expect("kill starts");
        assert!(sent.success(), "{signal}");
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        for _ in 0..1200 {
            if let Some(status) = self.process.try_wait().expect("a child of ours") {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{} does not end", self.name);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The house with two nodes and its salon connected.
struct Pair {
    house: House,
    nodes: [Node; 2],
    store: Store,
    database: String,
    company: CompanyId,
}

impl Pair {
    /// Both nodes run and the salon is not yet connected.
    async fn empty() -> (House, [Node; 2], String, [u16; 2]) {
        let database = tokio::task::spawn_blocking(store::testing::postgres).await.expect("a server").database().await;
        let ports = [free_port(), free_port()];
        let public = free_port();
        let house = House::start(Options { world_only: true, port: public, node_ports: ports.to_vec(), ..options() }).await;
        let control = house.control.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let [one, two] = ports;
        let nodes = [Node::start("one", &database, control, public, one), Node::start("two", &database, control, public, two)];
        for node in &nodes {
            let ready = format!("{}/readyz", node.address);
            until("the node is ready", || async { house.http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) })
                .await;
        }
        house.post("/control/salons", &salon()).await;
        (house, nodes, database, ports)
    }

    async fn open() -> Self {
        let (house, nodes, database, _) = Self::empty().await;
        let store = Store::open(&database).await.expect("the nodes' database");
        let company = house.onboard().await["company_id"].as_i64().map(CompanyId).expect("an id");
        assert!(!house.say(CUSTOMER, "Добрый день").await.is_empty());
        Self { house, nodes, store, database, company }
    }

    async fn session(&self) -> sessions::Session {
        let mut tx = self.store.read().await.expect("the database answers");
        sessions::get(&mut tx, self.company).await.expect("a look").expect("a session")
    }

    /// The session's owner and the other node.
    async fn owner_and_other(&mut self) -> (&mut Node, &Node) {
        let owner = self.session().await.owner;
        let [one, two] = &mut self.nodes;
        if owner.as_deref() == Some("one") { (one, two) } else { (two, one) }
    }

    /// The node that is answering, which need not be the session's.
    async fn at_the_turn(&self) -> &Node {
        let name = who_runs(&self.store, "answer").await.expect("a node runs it");
        self.nodes.iter().find(|node| node.name == name).expect("one of the two")
    }

    /// A customer writes; the message is answered within `patience`, once.
    async fn is_answered(&self, text: &str, patience: Duration) -> Duration {
        let before = self.house.heard_by(CUSTOMER).await.len();
        let body = json!({ "salon": SALON, "text": text, "name": "Мария" });
        let written = Instant::now();
        self.house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
        until("the message is answered", || async { self.house.heard_by(CUSTOMER).await.len() > before }).await;
        let took = written.elapsed();
        assert!(took <= patience, "answered after {took:?}");
        took
    }

    async fn heard(&self) -> Vec<String> {
        self.house.heard_by(CUSTOMER).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_s_sessions_and_jobs_are_taken_over_within_20_seconds() {
    let mut pair = Pair::open().await;
    let (owner, _) = pair.owner_and_other().await;
    owner.signal("-KILL");
    let took = pair.is_answered("Запишите меня на маникюр с гель-лаком завтра в 15 к Ане", Duration::from_secs(20)).await;
    assert!(took > Duration::from_secs(5), "a lease protects its owner: {took:?}");
    pair.is_answered("Спасибо! Сколько это стоит?", Duration::from_secs(5)).await;
    assert_eq!(pair.house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")]);
    assert_eq!(pair.heard().await.len(), 3, "{:#?}", pair.heard().await);
    pair.house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_and_continued_does_nothing_for_a_session_it_lost() {
    let mut pair = Pair::open().await;
    let before = pair.session().await;
    let (owner, _) = pair.owner_and_other().await;
    owner.signal("-STOP");
    pair.is_answered("Сколько стоит стрижка?", Duration::from_secs(22)).await;
    let taken = pair.session().await;
    assert!(taken.owner != before.owner && taken.epoch > before.epoch, "{before:?} {taken:?}");

    let [one, two] = &pair.nodes;
    if before.owner.as_deref() == Some("one") {
        one.signal("-CONT")
    } else {
        two.signal("-CONT")
    }
    // Wide awake again, with its old socket, its old leases and jobs half done.
    for text in ["А маникюр?", "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане", "Спасибо"]
    {
        pair.is_answered(text, Duration::from_secs(10)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let heard = pair.heard().await;
    assert_eq!(heard.len(), 5, "each message is answered once: {heard:#?}");
    let now = pair.session().await;
    assert_eq!((now.owner, now.epoch), (taken.owner, taken.epoch), "the line stays with the one who took it");
    assert_eq!(pair.house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")]);
    pair.house.close().await;
}

/// The node that has the turn waits for its place in YClients' queue when it is stopped. When it goes on, it may
/// neither book what the other node has booked meanwhile nor leave a turn of its own behind.
async fn is_stopped_before(call: &str) {
    let pair = Pair::open().await;
    let fault = json!({ "target": "yclients", "match": call, "kind": "rate_limit" });
    pair.house.post("/control/faults", &fault).await;
    let body = json!({ "salon": SALON, "text": "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане", "name": "Мария" });
    pair.house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
    // A second it waits after «too many requests».
    until("YClients has refused a call", || pair.house.was_too_much()).await;
    let at_it = pair.at_the_turn().await;
    at_it.signal("-STOP");
    until("the other node has answered", || async { pair.heard().await.len() == 2 }).await;
    // The time is free again.
    pair.is_answered("Перенесите на 17:00", Duration::from_secs(10)).await;
    let moved = pair.house.bookings().await;
    assert_eq!(moved, [format!("Анна 2026-11-24T17:00 {CUSTOMER}")]);
    at_it.signal("-CONT");
    tokio::time::sleep(Duration::from_secs(3)).await;
    pair.is_answered("Спасибо", Duration::from_secs(10)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(pair.house.bookings().await, moved);
    let heard = pair.heard().await;
    assert_eq!(heard.len(), 4, "each message is answered once: {heard:#?}");
    pair.house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_before_it_wrote_the_journal_leaves_the_turn_to_the_other() {
    is_stopped_before("GET /api/v1/book_times").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_before_a_booking_leaves_it_to_the_other() {
    is_stopped_before("POST /api/v1/book_check").await;
}

/// It holds rows that the other node needs, and PostgreSQL cannot know that it does nothing any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_amid_a_transaction_holds_nobody_up() {
    let pair = Pair::open().await;
    let mut lock = TableLock::take(&pair.database, "turns").await;
    let body = json!({ "salon": SALON, "text": "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане", "name": "Мария" });
    pair.house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
    while !lock.is_waited_for().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let at_it = pair.at_the_turn().await;
    at_it.signal("-STOP");
    lock.release().await;
    until("the other node has answered", || async { pair.heard().await.len() == 2 }).await;
    at_it.signal("-CONT");
    pair.is_answered("Спасибо", Duration::from_secs(10)).await;
    assert_eq!(pair.house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")]);
    let heard = pair.heard().await;
    assert_eq!(heard.len(), 3, "each message is answered once: {heard:#?}");
    pair.house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_told_to_stop_hands_its_sessions_over_at_once_and_ends_well() {
    let mut pair = Pair::open().await;
    let fault = json!({ "target": "yclients", "match": "GET /api/v1/book_times", "kind": "timeout", "delay_ms": 2000, "times": 1 });
    pair.house.post("/control/faults", &fault).await;
    let body = json!({ "salon": SALON, "text": "Запишите меня на маникюр с гель-лаком завтра в 15 к Ане", "name": "Мария" });
    pair.house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (owner, _) = pair.owner_and_other().await;
    let told = Instant::now();
    owner.signal("-TERM");
    assert_eq!(owner.ended().await.code(), Some(0));
    assert!(told.elapsed() < Duration::from_secs(14), "{:?}", told.elapsed());
    let ended = Instant::now();
    until("the turn is answered", || async { pair.heard().await.len() == 2 }).await;
    assert!(ended.elapsed() < Duration::from_secs(6), "the session was handed over, no lease had to run out: {:?}", ended.elapsed());
    pair.is_answered("Спасибо", Duration::from_secs(5)).await;
    assert_eq!(pair.house.bookings().await, [format!("Анна 2026-11-24T15:00 {CUSTOMER}")]);
    assert_eq!(pair.heard().await.len(), 3, "{:#?}", pair.heard().await);
    pair.house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_twice_a_node_ends_at_once() {
    let mut pair = Pair::open().await;
    let fault = json!({ "target": "yclients", "match": "GET", "kind": "timeout", "delay_ms": 30_000, "times": 50 });
    pair.house.post("/control/faults", &fault).await;
    let body = json!({ "salon": SALON, "text": "Что свободно завтра на маникюр с гель-лаком?", "name": "Мария" });
    pair.house.post(&format!("/control/phones/{CUSTOMER}/messages"), &body).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let [one, two] = &mut pair.nodes;
    // Whichever node has the turn waits for it; the other one ends softly.
    let told = Instant::now();
    one.signal("-TERM");
    two.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for node in [&mut *one, &mut *two] {
        if node.process.try_wait().expect("a child of ours").is_none() {
            node.signal("-TERM");
        }
    }
    let mut codes = [one.ended().await.code(), two.ended().await.code()];
    codes.sort();
    assert_eq!(codes, [Some(0), Some(1)]);
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    pair.house.close().await;
}

/// The linking page's socket, as a browser opens it: Engine.IO 4 by websocket alone.
struct Page(tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>);

impl Page {
    async fn open(node: &Node, token: &str) -> Self {
        let host = node.address.trim_start_matches("http://");
        let stream = tokio::net::TcpStream::connect(host).await.expect("the node listens");
        let url = format!("ws://{host}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("a websocket");
        let mut page = Self(socket);
        assert!(page.text().await.starts_with('0'), "Engine.IO greets first");
        let hello = format!("40/marketplace,{}", json!({ "token": token }));
        page.0.send(Message::Text(hello.into())).await.expect("sent");
        assert!(page.text().await.starts_with("40/marketplace,"), "let in");
        page
    }

    async fn text(&mut self) -> String {
        loop {
            let message =
                tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("in time").expect("open").expect("a message");
            match message {
                Message::Text(text) if text.as_str() == "2" => self.0.send(Message::Text("3".into())).await.expect("sent"),
                Message::Text(text) => return text.to_string(),
                _ => {}
            }
        }
    }

    /// The next event of that name.
    async fn event(&mut self, name: &str) -> Value {
        loop {
            let text = self.text().await;
            let Some(body) = text.strip_prefix("42/marketplace,") else { continue };
            let event: Value = serde_json::from_str(body).expect("JSON");
            if event[0] == name {
                return event[1].clone();
            }
        }
    }

    async fn ask(&mut self, name: &str, body: &Value) {
        let event = format!("42/marketplace,{}", json!([name, body]));
        self.0.send(Message::Text(event.into())).await.expect("sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_links_and_activates_through_the_node_that_does_not_own_the_session() {
    let (house, [one, two], database, _) = Pair::empty().await;
    let store = Store::open(&database).await.expect("the nodes' database");
    let connect = house.post(&format!("/control/salons/{SALON}/connect"), &json!({})).await;
    let redirected = house.http.get(connect["redirect_url"].as_str().expect("a URL")).send().await.expect("an answer");
    let page = redirected.headers()["location"].to_str().expect("text").to_owned();
    let token = page.split("token=").nth(1).expect("a token");

    let mut here = Page::open(&one, token).await;
    let shown = here.event("qr-update").await;
    // The second browser of the same owner met the other node.
    let mut there = Page::open(&two, token).await;
    assert_eq!(there.event("qr-update").await["code"], shown["code"], "one session, one code");
    there.ask("request-qr", &json!({})).await;
    assert_eq!(there.event("qr-update").await["code"], shown["code"]);
    let phone = "74950000088";
    there.ask("request-pairing-code", &json!({ "phoneNumber": phone })).await;
    let code = there.event("pairing-code").await["code"].as_str().expect("a code").to_owned();
    house.post(&format!("/control/salons/{SALON}/phone/link"), &json!({ "code": code.replace('-', "") })).await;
    assert_eq!(there.event("whatsapp-connected").await["success"], true);
    let company = CompanyId(here.event("whatsapp-connected").await["companyId"].as_i64().expect("an id"));
    let owner =
        sessions::get(&mut store.read().await.expect("an answer"), company).await.expect("a look").and_then(|session| session.owner);
    assert_eq!(owner.as_deref(), Some("one"));

    let activated =
        house.http.post(format!("{}/marketplace/activate", two.address)).json(&json!({ "token": token })).send().await.expect("an answer");
    assert_eq!(activated.status(), 200, "{:?}", activated.text().await);
    assert_eq!(there.event("sync-progress").await["module"].as_str().map(str::is_empty), Some(false));
    let chat = format!("/control/phones/{phone}/messages?salon={SALON}");
    until("the welcome is there", || async {
        house.call(reqwest::Method::GET, &chat, &Value::Null).await.as_array().is_some_and(|chat| chat.len() == 1)
    })
    .await;

    // Taking the application out at either node unlinks the phone.
    house.post(&format!("/control/salons/{SALON}/marketplace/uninstall"), &json!({})).await;
    until("the phone no longer lists the device", || async {
        house.call(reqwest::Method::GET, "/control/salons", &Value::Null).await[0]["linked"] == false
    })
    .await;
    house.close().await;
}
