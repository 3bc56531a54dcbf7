//! What phones can do, asked for by the control API alone.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CUSTOMER, House, SALON, options};

impl House {
    async fn phone(&self, call: &str, body: Value) -> Value {
        self.post(&format!("/control/phones/{CUSTOMER}/{call}"), &body).await
    }

    async fn chat(&self) -> Vec<Value> {
        let chat = self.call(Method::GET, &format!("/control/phones/{CUSTOMER}/messages?salon={SALON}"), &Value::Null).await;
        chat.as_array().expect("a list").clone()
    }

    /// The status that a wrong call gets, with its explanation.
    async fn refused(&self, path: &str, body: Value) -> (u16, String) {
        let answer = self.http.post(format!("{}{path}", self.control)).json(&body).send().await.expect("an answer");
        let (status, body) = (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"));
        (status, body["error"].as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sends_all_kinds_of_messages() {
    let house = House::open(options()).await;
    let bytes = b"not really a picture".repeat(50);
    let image = json!({
        "salon": SALON, "kind": "image", "caption": "хочу так", "data_base64": BASE64_STANDARD.encode(&bytes), "mimetype": "image/png"
    });
    let id = house.phone("messages", image).await["ids"][0].as_str().expect("an id").to_owned();
    let of_kind = [
        json!({ "kind": "voice", "data_base64": BASE64_STANDARD.encode("голос") }),
        json!({ "kind": "document", "data_base64": BASE64_STANDARD.encode("бумага"), "file_name": "прайс.pdf" }),
        json!({ "kind": "sticker", "data_base64": BASE64_STANDARD.encode("наклейка") }),
        json!({ "kind": "location", "latitude": 55.75, "longitude": 37.62, "text": "я здесь" }),
        json!({ "kind": "contact", "contact": { "name": "Мама", "phone": "79031112233" } }),
    ];
    for mut message in of_kind {
        message["salon"] = SALON.into();
        house.phone("messages", message).await;
    }
    let question = house.phone("messages", json!({ "salon": SALON, "text": "Сколько стоит?", "quoted": id })).await["ids"][0].clone();
    house.phone("messages", json!({ "salon": SALON, "edit": question, "text": "Сколько стоит стрижка?" })).await;
    house.phone("typing", json!({ "salon": SALON, "state": "composing" })).await;
    house.phone("presence", json!({ "available": true })).await;
    house.phone("messages?wait=reply&timeout_ms=30000", json!({ "salon": SALON, "text": "спасибо" })).await;

    let chat = house.chat().await;
    let kinds: Vec<_> = chat.iter().filter(|message| message["from"] == "customer").map(|message| message["kind"].clone()).collect();
    assert_eq!(kinds, ["image", "voice", "document", "sticker", "location", "contact", "text", "text"]);
    let image = &chat[0];
    assert_eq!((&image["text"], &image["media"]), (&"хочу так".into(), &json!({ "mimetype": "image/png", "size": bytes.len() })));
    let edited = chat.iter().find(|message| message["id"] == question).expect("the question");
    assert_eq!(
        (&edited["text"], &edited["edited"], &edited["quoted"]),
        (&"Сколько стоит стрижка?".into(), &true.into(), &id.as_str().into())
    );
    let url = format!("{}/control/phones/{CUSTOMER}/messages/{id}/media?salon={SALON}", house.control);
    let fetched = house.http.get(url).send().await.expect("an answer");
    assert_eq!(fetched.headers()["content-type"], "image/png");
    assert_eq!(fetched.bytes().await.expect("a body"), bytes);

    assert!(chat.iter().any(|message| message["from"] == "salon"), "{chat:?}");
    house.phone("read", json!({ "salon": SALON })).await;
    let unread = house.chat().await.into_iter().filter(|message| message["from"] == "salon" && message["read"] != true).count();
    assert_eq!(unread, 0);
    house.phone("messages", json!({ "salon": SALON, "revoke": question })).await;
    let revoked = house.chat().await.into_iter().find(|message| message["id"] == question).expect("the question");
    assert_eq!((&revoked["kind"], &revoked["text"]), (&"revoked".into(), &"".into()));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_makes_no_sense_is_refused_with_a_reason() {
    let house = House::start(options()).await;
    house.post("/control/salons", &crate::support::salon()).await;
    let messages = format!("/control/phones/{CUSTOMER}/messages");
    for body in [
        json!({ "salon": SALON }),
        json!({ "salon": SALON, "kind": "image" }),
        json!({ "salon": SALON, "kind": "image", "data_base64": "?" }),
        json!({ "salon": SALON, "kind": "location", "latitude": 1.0 }),
        json!({ "salon": SALON, "kind": "reaction", "text": "👍" }),
        json!({ "salon": SALON, "text": "раз", "texts": ["два"] }),
    ] {
        let (status, error) = house.refused(&messages, body.clone()).await;
        assert_eq!(status, 400, "{body}: {error}");
        assert!(!error.is_empty(), "{body}");
    }
    let (status, _) = house.refused(&messages, json!({ "salon": SALON, "text": "раз", "quoted": "no such" })).await;
    assert_eq!(status, 404);
    for fault in [
        json!({ "target": "whatsapp", "kind": "html" }),
        json!({ "target": "whatsapp", "kind": "nack", "match": "receipt" }),
        json!({ "target": "whatsapp", "kind": "status", "status": 402, "match": "message" }),
        json!({ "target": "yclients", "kind": "replaced" }),
    ] {
        let (status, error) = house.refused("/control/faults", fault.clone()).await;
        assert_eq!(status, 400, "{fault}: {error}");
        assert!(!error.is_empty(), "{fault}");
    }
    for (method, path, status) in [
        (Method::GET, "/control/salons/abc", 400),
        (Method::GET, "/control/salons/%ff", 400),
        (Method::GET, "/control/phones/%ff/messages?salon=88", 400),
        (Method::GET, "/control/phones/anna/messages?salon=88", 400),
        (Method::GET, "/control/phones/79161234567/messages?salon=x", 400),
        (Method::GET, "/control/requests?target=nobody", 400),
        (Method::POST, "/control/clock", 405),
        (Method::GET, "/control/nothing", 501),
        (Method::GET, "/control/", 404),
        (Method::GET, "/nothing", 404),
    ] {
        let answer = house.http.request(method, format!("{}{path}", house.control)).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let told = answer.json::<Value>().await.expect("JSON");
        assert!(told["error"].as_str().is_some_and(|error| !error.is_empty()), "{path}: {told}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_speaks_https_as_well() {
    let house = House::start(options()).await;
    let address = house.control.strip_prefix("http://").expect("an address");
    // A caller that says nothing keeps nobody waiting.
    let _silent = tokio::net::TcpStream::connect(address).await.expect("connected");
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().expect("a client");
    for scheme in ["http", "https"] {
        let health = client.get(format!("{scheme}://{address}/control/health")).send().await.expect("an answer");
        assert_eq!(health.json::<Value>().await.expect("JSON")["status"], "ok", "{scheme}");
    }
    let upload =
        client.post(format!("https://{address}/mms/image/AAAA?auth=sandbox&token=AAAA")).body("x").send().await.expect("an answer");
    assert_eq!(upload.status(), 400, "the token is not the file's");
    house.close().await;
}
