//! Files that customers send: the product has what they are, and the small ones themselves.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Response;
use sandbox::Options;
use serde_json::{Value, json};
use store::messages::{self, Kind};

use crate::support::{ADMIN_KEY, CUSTOMER, House, SALON, options, until};

/// A house whose database can be looked into.
async fn open() -> (House, i64, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let house = House::open(Options { data: Some(folder.path().to_owned()), ..options() }).await;
    let company = house.onboard().await["company_id"].as_i64().expect("a number");
    (house, company, folder)
}

impl House {
    /// A customer sends a file, and the bot has answered; the message's id.
    async fn sends_file(&self, kind: &str, mimetype: &str, bytes: &[u8]) -> String {
        let file = json!({ "salon": SALON, "kind": kind, "mimetype": mimetype, "data_base64": BASE64_STANDARD.encode(bytes) });
        let heard = self.post(&format!("/control/phones/{CUSTOMER}/messages?wait=reply&timeout_ms=30000"), &file).await;
        assert_eq!(heard["settled"], true, "{heard}");
        assert!(heard["replies"].as_array().is_some_and(|replies| !replies.is_empty()), "{kind} is answered: {heard}");
        heard["ids"][0].as_str().expect("an id").to_owned()
    }

    async fn file(&self, company: i64, phone: &str, message: &str, key: &str) -> Response {
        let url = format!("{}/api/conversations/{company}/{phone}/files/{message}", self.product());
        self.http.get(url).header("X-API-Key", key).send().await.expect("an answer")
    }

    async fn has_no_file(&self, company: i64, message: &str) {
        let settled = self.post("/control/settle", &json!({ "timeout_ms": 30_000 })).await;
        assert_eq!(settled["settled"], true, "{settled}");
        let answer = self.file(company, CUSTOMER, message, ADMIN_KEY).await;
        assert_eq!((answer.status().as_u16(), &answer.json::<Value>().await.expect("JSON")["error"]), (404, &json!("not_found")));
    }
}

/// What the product has written down of the chat's messages.
async fn kinds(folder: &tempfile::TempDir, company: i64) -> Vec<Kind> {
    let database = format!("sqlite://{}", folder.path().join("ai-admin.sqlite").display());
    let store = store::Store::open(&database).await.expect("the database");
    let mut tx = store.read().await.expect("a transaction");
    let (company, phone) = (domain::CompanyId(company), domain::Phone::parse(CUSTOMER).expect("a phone"));
    let chat = store::conversations::by_phone(&mut tx, company, &phone).await.expect("an answer").expect("a chat");
    let all = messages::latest(&mut tx, company, chat.id, 100).await.expect("a list");
    all.into_iter().filter(|message| message.author == messages::Author::Customer).map(|message| message.kind).collect()
}

/// Bytes that no compression makes smaller.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_of_every_kind_are_fetched_and_opened() {
    let (house, company, folder) = open().await;
    let most = usize::try_from(whatsapp::MAX_FILE).expect("a size");
    let mut sent = Vec::new();
    for (kind, mimetype, size) in [
        ("image", "image/jpeg", 70_000),
        ("voice", "audio/ogg; codecs=opus", 9_000),
        ("video", "video/mp4", most),
        ("document", "application/pdf", 20_001),
        ("sticker", "image/webp", 1),
    ] {
        let bytes = noise(size);
        sent.push((house.sends_file(kind, mimetype, &bytes).await, mimetype, bytes));
    }
    for (id, mimetype, bytes) in &sent {
        until("the file is there", || async { house.file(company, CUSTOMER, id, ADMIN_KEY).await.status() == 200 }).await;
        let answer = house.file(company, CUSTOMER, id, ADMIN_KEY).await;
        let header = |name: &str| answer.headers()[name].to_str().expect("ASCII").to_owned();
        assert_eq!((header("content-type").as_str(), header("content-disposition").as_str()), (*mimetype, "attachment"));
        assert_eq!(answer.bytes().await.expect("a body"), bytes, "{mimetype}");
    }
    assert_eq!(kinds(&folder, company).await, [Kind::Image, Kind::Voice, Kind::Video, Kind::Document, Kind::Sticker]);

    let id = &sent[0].0;
    for (phone, message, key, status) in
        [(CUSTOMER, id.as_str(), "wrong", 401), ("79160000001", id, ADMIN_KEY, 404), (CUSTOMER, "nonsense", ADMIN_KEY, 404)]
    {
        assert_eq!(house.file(company, phone, message, key).await.status().as_u16(), status, "{phone} {message} {key}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_file_that_is_too_large_or_damaged_or_gone_the_kind_is_known() {
    let (house, company, folder) = open().await;
    let too_large = usize::try_from(whatsapp::MAX_FILE).expect("a size") + 1;
    let id = house.sends_file("image", "image/jpeg", &noise(too_large)).await;
    house.has_no_file(company, &id).await;

    for fault in [json!({ "kind": "drop" }), json!({ "kind": "status", "status": 404 })] {
        let mut order = json!({ "target": "whatsapp", "match": "GET /v/", "times": 1000 });
        order.as_object_mut().expect("an object").extend(fault.as_object().cloned().expect("an object"));
        house.post("/control/faults", &order).await;
        let id = house.sends_file("voice", "audio/ogg", &noise(9_000)).await;
        house.has_no_file(company, &id).await;
        house.call(reqwest::Method::DELETE, "/control/faults", &Value::Null).await;
    }
    assert_eq!(kinds(&folder, company).await, [Kind::Image, Kind::Voice, Kind::Voice]);

    // A host that fails once is asked again.
    house.post("/control/faults", &json!({ "target": "whatsapp", "match": "GET /v/", "kind": "status", "status": 503, "times": 2 })).await;
    let id = house.sends_file("image", "image/jpeg", &noise(5_000)).await;
    until("the file is there", || async { house.file(company, CUSTOMER, &id, ADMIN_KEY).await.status() == 200 }).await;
    house.close().await;
}
