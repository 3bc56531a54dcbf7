//! Messages of every kind, both ways; typing, presence and hidden numbers.

use std::sync::Arc;

use sandbox::whatsapp::{Attachment, ChatMessage, Doing, Draft, Fault, FaultKind, File, Kind, Letter, Occasion, PhoneError, Side};
use wacore::download::{Downloadable, MediaType};
use wacore::proto_helpers::build_quote_context;
use wacore::store::in_memory::InMemoryBackend;
use whatsapp_rust::prelude::*;
use whatsapp_rust::{RevokeType, UploadOptions};

use crate::support::*;

async fn linked_world() -> (World, Session, Jid) {
    let world = world().await;
    let mut session = linked(&world, &Arc::new(InMemoryBackend::new())).await;
    let chat = customer_jid(&mut session, &world).await;
    (world, session, chat)
}

async fn sends(world: &World, draft: Draft) -> String {
    world.emulator.customer_sends(CUSTOMER, SALON, Letter { draft, ..Default::default() }).await.expect("sent")
}

fn file(kind: Kind, caption: Option<&str>) -> File {
    let bytes = format!("a file of the kind {kind:?}").repeat(40).into_bytes();
    File { kind, bytes, mimetype: None, caption: caption.map(str::to_owned), file_name: Some("прайс.pdf".into()) }
}

impl Session {
    async fn other(&mut self) -> (String, wa::Message) {
        self.wait("another message", |told| if let Told::Other { edit, message } = told { Some((edit, *message)) } else { None }).await
    }
}

fn last(world: &World) -> ChatMessage {
    world.emulator.chat(CUSTOMER, SALON).pop().expect("a message")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_files_can_be_opened() {
    let (world, mut session, _) = linked_world().await;
    for (kind, caption) in [
        (Kind::Image, Some("хочу так")),
        (Kind::Voice, None),
        (Kind::Audio, None),
        (Kind::Video, Some("вот")),
        (Kind::Document, None),
        (Kind::Sticker, None),
    ] {
        let sent = file(kind, caption);
        let id = sends(&world, Draft::Media(sent.clone())).await;
        let (_, message) = session.other().await;
        let (file, text): (&dyn Downloadable, Option<&String>) = match kind {
            Kind::Image => {
                let part = message.image_message.as_option().expect("an image");
                (part, part.caption.as_ref())
            }
            Kind::Voice | Kind::Audio => {
                let part = message.audio_message.as_option().expect("a sound");
                assert_eq!(part.ptt, Some(kind == Kind::Voice));
                (part, None)
            }
            Kind::Video => {
                let part = message.video_message.as_option().expect("a film");
                (part, part.caption.as_ref())
            }
            Kind::Document => {
                let part = message.document_message.as_option().expect("a document");
                assert_eq!(part.file_name.as_deref(), Some("прайс.pdf"));
                (part, None)
            }
            _ => (message.sticker_message.as_option().expect("a sticker"), None),
        };
        assert_eq!(text.map(String::as_str), caption);
        assert_eq!(session.handle.client().download(file).await.expect("downloaded"), sent.bytes);
        let shown = last(&world);
        assert_eq!((shown.id.as_str(), shown.kind, shown.media.map(|media| media.size)), (id.as_str(), kind, Some(sent.bytes.len())));
        assert_eq!(world.emulator.file(CUSTOMER, SALON, &id).expect("a file").1, sent.bytes);
    }
    until("acknowledged", || world.emulator.pending(CUSTOMER, SALON) == 0).await;
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_and_contacts_arrive() {
    let (world, mut session, _) = linked_world().await;
    sends(&world, Draft::Location { latitude: 55.75, longitude: 37.62, name: "Кремль".into() }).await;
    let place = session.other().await.1.location_message.into_option().expect("a place");
    assert_eq!((place.degrees_latitude, place.degrees_longitude, place.name.as_deref()), (Some(55.75), Some(37.62), Some("Кремль")));
    assert_eq!((last(&world).kind, last(&world).text.as_str()), (Kind::Location, "55.75,37.62 Кремль"));
    sends(&world, Draft::Contact { name: "Мама".into(), phone: "79031112233".into() }).await;
    let card = session.other().await.1.contact_message.into_option().expect("a card");
    assert_eq!(card.display_name.as_deref(), Some("Мама"));
    assert!(card.vcard.expect("a card").contains("+79031112233"));
    assert_eq!((last(&world).kind, last(&world).text.as_str()), (Kind::Contact, "Мама 79031112233"));
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_quotes_edits_and_revokes() {
    let (world, mut session, chat) = linked_world().await;
    let question = session.handle.client().send_text(chat, "В 15 или в 16?").await.expect("sent").message_id;
    until("delivered", || last(&world).id == question).await;
    let quoting = Letter { draft: Draft::Text("в 16".into()), quoted: Some(question.clone()), ..Default::default() };
    let answer = world.emulator.customer_sends(CUSTOMER, SALON, quoting).await.expect("sent");
    let quoted =
        session.wait("the answer", |told| if let Told::Text { text, quoted, .. } = told { Some((text, quoted)) } else { None }).await;
    assert_eq!(quoted, ("в 16".into(), Some(question.clone())));
    assert_eq!(last(&world).quoted.as_ref(), Some(&question));

    sends(&world, Draft::Edit { of: answer.clone(), text: "в 15".into() }).await;
    let (edit, message) = session.other().await;
    let protocol = message.protocol_message.into_option().expect("an edit");
    assert_eq!((edit.as_str(), protocol.key.as_option().and_then(|key| key.id.as_ref())), ("1", Some(&answer)));
    assert_eq!(protocol.edited_message.as_option().and_then(|new| new.conversation.as_deref()), Some("в 15"));
    assert_eq!((last(&world).text.as_str(), last(&world).edited), ("в 15", true));

    sends(&world, Draft::Revoke { of: answer.clone() }).await;
    let (edit, message) = session.other().await;
    let protocol = message.protocol_message.into_option().expect("a deletion");
    assert_eq!((edit.as_str(), protocol.key.as_option().and_then(|key| key.id.as_ref())), ("7", Some(&answer)));
    assert_eq!((last(&world).text.as_str(), last(&world).kind), ("", Kind::Revoked));

    let foreign = Letter { draft: Draft::Revoke { of: question }, ..Default::default() };
    let refused = world.emulator.customer_sends(CUSTOMER, SALON, foreign).await;
    assert!(matches!(refused, Err(PhoneError::NoMessage)), "one's own messages only");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_what_a_device_quotes_edits_and_revokes() {
    let (world, session, chat) = linked_world().await;
    let client = session.handle.client();
    let greeting = last(&world).id;
    let quoted = wa::Message { conversation: Some("здравствуйте".into()), ..Default::default() };
    let context = build_quote_context(&greeting, chat.to_string(), &quoted);
    let extended =
        wa::message::ExtendedTextMessage {
            text: Some("И вам!".into()), context_info: MessageField::some(context), ..Default::default()
        };
    let reply = wa::Message { extended_text_message: MessageField::some(extended), ..Default::default() };
    let id = client.send_message(chat.clone(), reply).await.expect("sent").message_id;
    until("shown", || last(&world).id == id).await;
    assert_eq!((last(&world).text.as_str(), last(&world).quoted), ("И вам!", Some(greeting)));

    let text = wa::Message { conversation: Some("И вам добрый день!".into()), ..Default::default() };
    client.edit_message(chat.clone(), id.clone(), text).await.expect("sent");
    until("edited", || last(&world).edited).await;
    assert_eq!((last(&world).id.as_str(), last(&world).text.as_str()), (id.as_str(), "И вам добрый день!"));
    client.revoke_message(chat, id, RevokeType::Sender).await.expect("sent");
    until("revoked", || last(&world).kind == Kind::Revoked).await;
    assert_eq!(world.emulator.chat(CUSTOMER, SALON).len(), 2);
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_opens_the_file_of_a_device() {
    let (world, session, chat) = linked_world().await;
    let client = session.handle.client();
    let bytes = vec![7; 100_000];
    let uploaded = client.upload(bytes.clone(), MediaType::Image, UploadOptions::default()).await.expect("uploaded");
    let image = wa::message::ImageMessage {
        url: Some(uploaded.url),
        direct_path: Some(uploaded.direct_path),
        media_key: Some(uploaded.media_key.to_vec()),
        file_sha256: Some(uploaded.file_sha256.to_vec()),
        file_enc_sha256: Some(uploaded.file_enc_sha256.to_vec()),
        file_length: Some(uploaded.file_length),
        mimetype: Some("image/png".into()),
        caption: Some("Наши работы".into()),
        ..Default::default()
    };
    let message = wa::Message { image_message: MessageField::some(image), ..Default::default() };
    let id = client.send_message(chat, message).await.expect("sent").message_id;
    until("shown", || last(&world).id == id).await;
    let shown = last(&world);
    assert_eq!((shown.kind, shown.from, shown.text.as_str()), (Kind::Image, Side::Salon, "Наши работы"));
    assert_eq!(shown.media, Some(Attachment { mimetype: "image/png".into(), size: bytes.len(), file_name: None }));
    assert_eq!(world.emulator.file(CUSTOMER, SALON, &id).expect("a file"), ("image/png".into(), bytes));
    session.handle.shutdown().await;
}

fn goes_wrong(world: &World, request: &str, kind: FaultKind, times: u32) {
    let occasion = Occasion { matches: Some(request.to_owned()), ..Default::default() };
    world.emulator.add_fault_on(Fault { kind, salon: None, times }, occasion).expect("a fault that can be");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_that_breaks_off_goes_on_where_it_was() {
    let (world, session, chat) = linked_world().await;
    let client = session.handle.client();
    let bytes = vec![7; 6 * 1024 * 1024];
    goes_wrong(&world, "POST /mms", FaultKind::Drop, 1);
    let uploaded = client.upload(bytes.clone(), MediaType::Document, UploadOptions::default()).await.expect("uploaded");
    // Filled up to whole blocks, and the hash behind them.
    let sealed = bytes.len() + 16 + 10;
    let rest = format!("&file_offset={}", sealed / 2);
    let asked = world.asked.lock().clone();
    assert!(asked.last().is_some_and(|last| last.ends_with(&rest)), "{rest}: {asked:?}");
    let document = wa::message::DocumentMessage {
        direct_path: Some(uploaded.direct_path),
        media_key: Some(uploaded.media_key.to_vec()),
        file_sha256: Some(uploaded.file_sha256.to_vec()),
        file_enc_sha256: Some(uploaded.file_enc_sha256.to_vec()),
        file_length: Some(uploaded.file_length),
        mimetype: Some("application/pdf".into()),
        ..Default::default()
    };
    let message = wa::Message { document_message: MessageField::some(document), ..Default::default() };
    let id = client.send_message(chat, message).await.expect("sent").message_id;
    until("shown", || last(&world).id == id).await;
    assert!(world.emulator.file(CUSTOMER, SALON, &id).expect("a file").1 == bytes, "byte by byte");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_media_host_can_fail() {
    let (world, mut session, _) = linked_world().await;
    let client = session.handle.client();
    sends(&world, Draft::Media(file(Kind::Image, None))).await;
    let (_, message) = session.other().await;
    let image: &dyn Downloadable = message.image_message.as_option().expect("an image");
    goes_wrong(&world, "GET /v", FaultKind::Drop, 2);
    client.download(image).await.expect_err("half a file is none");
    goes_wrong(&world, "GET /v", FaultKind::Status(404), 10);
    client.download(image).await.expect_err("gone");
    world.emulator.clear_faults();
    goes_wrong(&world, "GET /v", FaultKind::Status(503), 1);
    assert!(client.download(image).await.is_ok(), "the other host has it");
    session.handle.shutdown().await;
}

/// A device of the customer's phone.
async fn customers_device(world: &World) -> Session {
    let mut device = start(world, &Arc::new(InMemoryBackend::new()), None).await;
    let qr = device.qr().await;
    world.emulator.scan_qr(CUSTOMER, &qr).await.expect("linked");
    device.connected().await;
    device
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_learns_of_a_new_device_on_coming_back() {
    let (world, storage) = (world().await, Arc::new(InMemoryBackend::new()));
    let mut salon = linked(&world, &storage).await;
    let chat = customer_jid(&mut salon, &world).await;
    let mut first = customers_device(&world).await;
    salon.handle.client().send_text(chat.clone(), "раз").await.expect("sent");
    assert_eq!(first.text().await.1, "раз", "the salon knows the customer's devices");
    salon.handle.shutdown().await;

    let mut second = customers_device(&world).await;
    let mut salon = start(&world, &storage, None).await;
    salon.connected().await;
    // What waited for the salon has come when this has.
    customer_says(&world, "вы здесь?").await;
    salon.text().await;
    salon.handle.client().send_text(chat, "два").await.expect("sent");
    second.wait("the answer", |told| matches!(&told, Told::Text { text, .. } if text == "два").then_some(())).await;
    for session in [salon, first, second] {
        session.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_and_presence_are_seen_by_those_who_are_there() {
    let (world, mut session, chat) = linked_world().await;
    let client = session.handle.client();
    client.presence().set_available().await.expect("written");
    client.presence().subscribe(chat.clone()).await.expect("written");
    let written = client.send_text(chat.clone(), "вы здесь?").await.expect("sent").message_id;
    until("delivered", || last(&world).id == written).await;
    for (doing, typing, voice) in [(Doing::Composing, true, false), (Doing::Recording, true, true), (Doing::Paused, false, false)] {
        world.emulator.customer_types(CUSTOMER, SALON, doing).await.expect("an account");
        let expected = Told::Typing { chat: chat.to_string(), typing, voice };
        session.wait("typing", |told| (told == expected).then_some(())).await;
    }
    for available in [true, false] {
        world.emulator.customer_is_there(CUSTOMER, available).await.expect("an account");
        let expected = Told::Presence { from: chat.to_string(), unavailable: !available };
        session.wait("presence", |told| (told == expected).then_some(())).await;
    }
    client.presence().set_unavailable().await.expect("written");
    client.mark_as_read(&chat, None, &[&world.emulator.chat(CUSTOMER, SALON)[0].id]).await.expect("written");
    until("read", || world.emulator.chat(CUSTOMER, SALON)[0].read).await;
    world.emulator.customer_types(CUSTOMER, SALON, Doing::Composing).await.expect("an account");
    let told = session.rest().await;
    assert!(!told.iter().any(|told| matches!(told, Told::Typing { .. })), "nobody is there: {told:?}");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_a_number_is_met_by_the_hidden_identity() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    let letter = Letter { draft: Draft::Text("здравствуйте".into()), hidden: Some(true), ..Default::default() };
    world.emulator.customer_sends(CUSTOMER, SALON, letter).await.expect("sent");
    let told = session.wait("the text", |told| matches!(told, Told::Text { .. }).then_some(told)).await;
    let Told::Text { chat, alias: None, .. } = told else { panic!("the number shows: {told:?}") };
    let chat: Jid = chat.parse().expect("an address");
    assert!(chat.is_lid(), "{chat}");
    let client = session.handle.client();
    let sent = client.send_text(chat.clone(), "Слушаю вас").await.expect("sent").message_id;
    session.wait("delivered", |told| if let Told::Receipt { ids, .. } = told { ids.contains(&sent).then_some(()) } else { None }).await;
    world.emulator.forget_sessions();
    client.send_text(chat, "Вы ещё здесь?").await.expect("sent");
    until("delivered after a retry", || world.emulator.chat(CUSTOMER, SALON).len() == 3).await;
    world.emulator.customer_writes(CUSTOMER, None, SALON, "да", None).await.expect("sent");
    assert_eq!(session.text().await.1, "да");
    until("acknowledged", || world.emulator.pending(CUSTOMER, SALON) == 0).await;
    let found = client.contacts().is_on_whatsapp(&[Jid::pn(CUSTOMER)]).await.expect("an answer");
    assert!(found.iter().all(|contact| !contact.is_registered), "{found:?}");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_of_two_accounts_talk() {
    let world = world().await;
    let mut salon = linked(&world, &Arc::new(InMemoryBackend::new())).await;
    world.emulator.ensure_account(CUSTOMER, "Мария").expect("a phone number");
    let mut customer = start(&world, &Arc::new(InMemoryBackend::new()), None).await;
    let qr = customer.qr().await;
    world.emulator.scan_qr(CUSTOMER, &qr).await.expect("linked");
    customer.connected().await;
    let to: Jid = format!("{SALON}@s.whatsapp.net").parse().expect("an address");
    let asked = customer.handle.client().send_text(to.clone(), "Можно к вам?").await.expect("sent").message_id;
    let told = salon.wait("the question", |told| matches!(told, Told::Text { .. }).then_some(told)).await;
    let Told::Text { chat, id, text, from_me: false, .. } = told else { panic!("a text of the customer: {told:?}") };
    assert_eq!((id.as_str(), text.as_str()), (asked.as_str(), "Можно к вам?"));
    let chat: Jid = chat.parse().expect("an address");
    salon.handle.client().presence().set_available().await.expect("written");
    customer.handle.client().presence().set_available().await.expect("written");
    salon.handle.client().mark_as_read(&chat, None, &[&asked]).await.expect("written");
    customer.wait("read", |told| (told == Told::Receipt { ids: vec![asked.clone()], read: true }).then_some(())).await;
    salon.handle.client().chatstate().send_composing(&chat).await.expect("written");
    customer.wait("typing", |told| matches!(told, Told::Typing { typing: true, .. }).then_some(())).await;
    salon.handle.client().send_text(chat, "Конечно").await.expect("sent");
    assert_eq!(customer.text().await.1, "Конечно");
    let shown: Vec<_> = world.emulator.chat(CUSTOMER, SALON).into_iter().map(|message| (message.from, message.text)).collect();
    assert_eq!(shown, [(Side::Customer, "Можно к вам?".to_owned()), (Side::Salon, "Конечно".to_owned())]);
    salon.handle.shutdown().await;
    customer.handle.shutdown().await;
}
