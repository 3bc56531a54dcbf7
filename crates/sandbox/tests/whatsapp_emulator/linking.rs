//! Linking as it goes when something is special: passkeys, codes that run out, chats handed over, phones of the test server.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sandbox::whatsapp::{Doing, LinkError};
use serde_json::{Value, json};
use wacore::store::in_memory::InMemoryBackend;
use whatsapp_rust::passkey::{Assertion, build_webauthn_assertion_json};

use crate::support::*;

/// What a browser on the page of that origin would answer.
fn assertion(options: &str, origin: &str) -> Assertion {
    let options: Value = serde_json::from_str(options).expect("JSON");
    let credential_id = options["allowCredentials"][0]["id"].as_str().expect("a credential");
    let credential_id = BASE64_URL_SAFE_NO_PAD.decode(credential_id).expect("base64");
    let client_data = json!({ "type": "webauthn.get", "challenge": options["challenge"], "origin": origin, "crossOrigin": false });
    let assertion_json = build_webauthn_assertion_json(&credential_id, client_data.to_string().as_bytes(), &[1; 37], &[2; 70], None);
    Assertion { assertion_json, credential_id }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_asks_for_a_passkey() {
    let world = world().await;
    world.emulator.require_passkey(SALON, true).expect("an account");
    let mut session = start(&world, &Arc::new(InMemoryBackend::new()), None).await;
    let qr = session.qr().await;
    assert_eq!(world.emulator.scan_qr(SALON, &qr).await, Err(LinkError::PasskeyAsked));
    let options = session.wait("the question", |told| if let Told::PasskeyAsked(options) = told { Some(options) } else { None }).await;
    let client = session.handle.client();
    client.send_passkey_response(assertion(&options, "https://example.com")).await.expect_err("made on another page");
    client.send_passkey_response(assertion(&options, "https://web.whatsapp.com")).await.expect("accepted");
    let code = session.wait("a code to compare", |told| if let Told::PasskeyCode(code) = told { Some(code) } else { None }).await;
    assert_eq!(world.emulator.passkey_code(SALON), Some(code));
    assert!(!world.emulator.is_linked(SALON));
    client.send_passkey_confirmation().await.expect("accepted");
    session.connected().await;
    customer_says(&world, "привет").await;
    assert_eq!(session.text().await.1, "привет");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_run_out_and_new_ones_come() {
    let world = world().await;
    world.emulator.set_qr_times(Duration::from_millis(200), Duration::from_millis(20));
    let mut session = start(&world, &Arc::new(InMemoryBackend::new()), None).await;
    let old = session.qr().await;
    world.emulator.set_qr_times(Duration::from_secs(60), Duration::from_secs(20));
    let new = session.wait("another code", |told| if let Told::Qr(code) = told { (code != old).then_some(code) } else { None }).await;
    assert_eq!(world.emulator.scan_qr(SALON, &old).await, Err(LinkError::Expired));
    world.emulator.scan_qr(SALON, &new).await.expect("linked");
    session.connected().await;
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_is_given_the_chats() {
    let world = world().await;
    customer_says(&world, "раз").await;
    world.emulator.salon_writes(SALON, CUSTOMER, "два").await.expect("sent");
    let mut session = start(&world, &Arc::new(InMemoryBackend::new()), None).await;
    session.handle.client().set_skip_history_sync(false);
    let qr = session.qr().await;
    world.emulator.scan_qr(SALON, &qr).await.expect("linked");
    let chats = session.wait("the chats", |told| if let Told::History(chats) = told { Some(chats) } else { None }).await;
    let [(chat, texts)] = chats.as_slice() else { panic!("one chat: {chats:?}") };
    assert!(chat.ends_with("@lid"), "{chat}");
    assert_eq!(texts, &["раз", "два"]);
    session.handle.shutdown().await;
}

async fn scan(world: &World, qr: &str) {
    let url = world.url.replacen("ws://", "http://", 1).replace("/ws/chat", "/admin/mock-phone/scan-qr");
    let answer = reqwest::Client::new().post(url).body(qr.to_owned()).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
}

async fn named(world: &World, name: &str) -> Session {
    let mut session = start_with(world, &Arc::new(InMemoryBackend::new()), |builder| builder.with_push_name(name)).await;
    let qr = session.qr().await;
    scan(world, &qr).await;
    session.connected().await;
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_a_phone_on_the_test_server() {
    let world = world().await;
    let mut anna = named(&world, "anna").await;
    let second = named(&world, "anna").await;
    let mut boris = named(&world, "boris").await;
    let address = |session: &Session| session.handle.client().persistence_manager().get_device_snapshot().pn.clone().expect("linked");
    assert_eq!((address(&anna).user, address(&anna).device), (address(&second).user, 1));
    assert_eq!(address(&second).device, 2);
    assert_ne!(address(&boris).user, address(&anna).user);
    let sent = anna.handle.client().send_text(address(&boris).to_non_ad(), "привет").await.expect("sent").message_id;
    assert_eq!(boris.text().await, (sent, "привет".into()));

    // Who is careful is written to by nobody whom they do not know.
    let mut careful = named(&world, "restricted:clara").await;
    let refusal = |id: String| move |told| if let Told::Ack { id: of, error } = told { (of == id).then_some(error) } else { None };
    let stranger = anna.handle.client().send_text(address(&careful).to_non_ad(), "купите").await.expect("written").message_id;
    assert_eq!(anna.wait("refused", refusal(stranger)).await.as_deref(), Some("463"));
    careful.handle.client().tc_token().issue_tokens(&[address(&anna).to_non_ad()]).await.expect("given");
    let of_careful = careful.handle.client().persistence_manager().get_device_snapshot().lid.clone().expect("linked").user;
    let backend = anna.handle.client().persistence_manager().backend();
    for _ in 0..PATIENCE.as_millis() / 5 {
        if backend.get_tc_token(&of_careful).await.expect("an answer").is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let welcome = anna.handle.client().send_text(address(&careful).to_non_ad(), "спасибо").await.expect("written").message_id;
    assert_eq!(anna.wait("taken", refusal(welcome)).await, None);
    assert_eq!(careful.text().await.1, "спасибо");
    careful.handle.client().send_text(address(&boris).to_non_ad(), "вопрос").await.expect("sent");
    assert_eq!(boris.text().await.1, "вопрос");
    boris.handle.client().send_text(address(&careful).to_non_ad(), "ответ").await.expect("sent");
    assert_eq!(careful.text().await.1, "ответ");
    for session in [anna, second, boris, careful] {
        session.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_typed_a_moment_ago_is_told_to_who_comes() {
    let world = world().await;
    let mut session = linked(&world, &Arc::new(InMemoryBackend::new())).await;
    let chat = customer_jid(&mut session, &world).await;
    let client = session.handle.client();
    client.presence().set_unavailable().await.expect("written");
    // The server has heard it when it has taken what was said after it.
    let marker = client.send_text(chat.clone(), "я отошла").await.expect("sent").message_id;
    until("heard", || world.emulator.chat(CUSTOMER, SALON).iter().any(|message| message.id == marker)).await;
    world.emulator.customer_types(CUSTOMER, SALON, Doing::Composing).await.expect("an account");
    client.presence().set_available().await.expect("written");
    session.wait("typing", |told| matches!(told, Told::Typing { typing: true, .. }).then_some(())).await;
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_shows_of_itself_is_seen_by_others() {
    let world = world().await;
    let anna = named(&world, "anna").await;
    let mut boris = named(&world, "boris").await;
    let anna_is = anna.handle.client().persistence_manager().get_device_snapshot().pn.clone().expect("linked").to_non_ad();
    assert!(boris.handle.client().contacts().get_profile_picture(&anna_is, false).await.expect("an answer").is_none());

    anna.handle.client().profile().set_status_text("На смене").await.expect("written");
    let about = boris.wait("the line", |told| if let Told::About { from, text } = told { Some((from, text)) } else { None }).await;
    assert_eq!(about, (anna_is.to_string(), "На смене".to_owned()));

    let set = anna.handle.client().profile().set_profile_picture(vec![0xff, 0xd8, 0xff, 0xe0]).await.expect("taken").id;
    let news = |told| if let Told::Picture { id, .. } = told { Some(id) } else { None };
    assert_eq!(boris.wait("the picture", news).await, Some(set.clone()));
    let shown = boris.handle.client().contacts().get_profile_picture(&anna_is, false).await.expect("an answer").expect("a picture");
    assert!(shown.id == set && shown.url.starts_with("https://"), "{shown:?}");

    anna.handle.client().profile().remove_profile_picture().await.expect("taken away");
    assert_eq!(boris.wait("it is gone", news).await, None);
    assert!(boris.handle.client().contacts().get_profile_picture(&anna_is, false).await.expect("an answer").is_none());
    for session in [anna, boris] {
        session.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_one_device_changes_reaches_the_other() {
    let world = world().await;
    let first = named(&world, "anna").await;
    let mut second = named(&world, "anna").await;
    let name = |wanted: &'static str| move |told| if let Told::OwnName(name) = told { (name == wanted).then_some(()) } else { None };
    // The keys of the settings come a moment after the link.
    for _ in 0..20 {
        first.handle.client().profile().set_push_name("Анна Л.").await.expect("written");
        let told = tokio::time::timeout(Duration::from_millis(500), second.wait("the name", name("Анна Л."))).await;
        if told.is_ok() {
            break;
        }
    }
    let snapshot = second.handle.client().persistence_manager().get_device_snapshot();
    assert_eq!(snapshot.push_name, "Анна Л.");
    for session in [first, second] {
        session.handle.shutdown().await;
    }
}
