//! The emulator judged by a client it does not know: whatsapp-rust, unmodified, with its own storage in memory.

mod content;
mod faults;
mod linking;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sandbox::whatsapp::{Emulator, Event as WorldEvent, Kind, LinkError, Options, Side};
use support::*;
use wacore::store::in_memory::InMemoryBackend;
use wacore_binary::builder::NodeBuilder;
use whatsapp_rust::InboundDurabilityHook;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::prelude::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_device_comes_online_with_the_accounts_name() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut events = world.emulator.subscribe();
    let started = std::time::Instant::now();
    let session = linked(&world, &storage).await;
    assert!(started.elapsed() < Duration::from_secs(8), "linking took {:?}", started.elapsed());
    assert!(world.emulator.is_linked(SALON));
    assert_eq!(events.recv().await, Ok(WorldEvent::Linked { phone: SALON.into() }));
    let device = session.handle.client().persistence_manager().get_device_snapshot();
    assert_eq!(device.push_name, "Студия Лира");
    assert!(device.lid_migrated);
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_nobody_shows_links_nothing() {
    let world = world().await;
    assert!(matches!(world.emulator.scan_qr(SALON, "hello").await, Err(LinkError::NotAQr(_))));
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(world.emulator.scan_qr(SALON, &format!("2@old,{key},{key},{key},1")).await, Err(LinkError::Expired));
    assert_eq!(world.emulator.enter_code(SALON, "ABCD-EFGH").await, Err(LinkError::NoCodeAwaited));

    let storage = Arc::new(InMemoryBackend::new());
    let mut session = start(&world, &storage, None).await;
    let qr = session.qr().await;
    let reference = qr.split(',').next().expect("a reference");
    let reference = reference.rsplit('#').next().expect("after the link");
    assert_eq!(world.emulator.scan_qr(SALON, &format!("{reference},{key},{key},{key},1")).await, Err(LinkError::WrongKeys));
    assert!(!world.emulator.is_linked(SALON));
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_linked_by_code() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let options = PairCodeOptions { phone_number: SALON.into(), ..Default::default() };
    let mut session = start(&world, &storage, Some(options)).await;
    let code = session.wait("a pairing code", |told| if let Told::Code(code) = told { Some(code) } else { None }).await;
    assert_eq!(world.emulator.enter_code(SALON, "1111-1111").await, Err(LinkError::WrongCode));
    world.emulator.enter_code(SALON, &code.to_lowercase()).await.expect("linked");
    session.connected().await;
    customer_says(&world, "привет").await;
    assert_eq!(session.text().await.1, "привет");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_go_both_ways() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;

    let first = customer_says(&world, "Здравствуйте!").await;
    let second = customer_says(&world, "Можно завтра в 15?").await;
    let told = session.wait("the first text", Some).await;
    let Told::Text { from_me: false, chat, alias, name, id, text, at, .. } = told else { panic!("not a text: {told:?}") };
    assert_eq!((id.as_str(), text.as_str(), name.as_str(), at), (first.as_str(), "Здравствуйте!", "Мария", NOW_MS / 1000));
    assert!(chat.ends_with("@lid"), "{chat}");
    assert_eq!(alias.as_deref(), Some("79161234567@s.whatsapp.net"));
    assert_eq!(session.text().await, (second, "Можно завтра в 15?".into()));
    until("acknowledged", || world.emulator.pending(CUSTOMER, SALON) == 0).await;

    let chat: Jid = chat.parse().expect("an address");
    let mut events = world.emulator.subscribe();
    session.handle.client().chatstate().send_composing(&chat).await.expect("sent");
    let typing = WorldEvent::Typing { salon: SALON.into(), customer: CUSTOMER.into(), typing: true };
    until("typing", || events.try_recv().is_ok_and(|event| event == typing)).await;
    for text in ["Записала вас", "на завтра"] {
        let sent = session.handle.client().send_text(chat.clone(), text).await.expect("sent").message_id;
        session
            .wait("delivered", |told| if let Told::Receipt { ids, read: false } = told { ids.contains(&sent).then_some(()) } else { None })
            .await;
    }
    let seen: Vec<_> = world.emulator.chat(CUSTOMER, SALON).into_iter().map(|message| (message.from, message.text)).collect();
    let expected = [
        (Side::Customer, "Здравствуйте!"),
        (Side::Customer, "Можно завтра в 15?"),
        (Side::Salon, "Записала вас"),
        (Side::Salon, "на завтра"),
    ];
    assert_eq!(seen, expected.map(|(from, text)| (from, text.to_owned())));
    let last = world.emulator.chat(CUSTOMER, SALON).pop().expect("four messages").id;
    world.emulator.customer_reads(CUSTOMER, SALON, &last).await.expect("read");
    session.wait("read", |told| (told == Told::Receipt { ids: vec![last.clone()], read: true }).then_some(())).await;
    // The customer answers in the session that is now confirmed on both sides.
    customer_says(&world, "спасибо").await;
    assert_eq!(session.text().await.1, "спасибо");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_known_by_number_only_can_be_written_to() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let session = linked(&world, &storage).await;
    let to: Jid = format!("{CUSTOMER}@s.whatsapp.net").parse().expect("an address");
    session.handle.client().send_text(to, "Напоминаем о записи").await.expect("sent");
    until("delivered", || !world.emulator.chat(CUSTOMER, SALON).is_empty()).await;
    assert_eq!(world.emulator.chat(CUSTOMER, SALON)[0].text, "Напоминаем о записи");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_name_their_message() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    let chat = customer_jid(&mut session, &world).await;
    let sent = session.handle.client().send_text(chat, "Ждём вас").await.expect("sent").message_id;
    until("delivered", || world.emulator.chat(CUSTOMER, SALON).len() == 2).await;
    world.emulator.customer_reacts(CUSTOMER, SALON, &sent, "👍").await.expect("sent");
    let reaction = session.wait("a reaction", |told| matches!(told, Told::Reaction { .. }).then_some(told)).await;
    assert_eq!(reaction, Told::Reaction { to: sent.clone(), emoji: "👍".into() });
    let shown = world.emulator.chat(CUSTOMER, SALON).pop().expect("three entries");
    assert_eq!((shown.kind, shown.reaction_to), (Kind::Reaction, Some(sent)));
    assert!(world.emulator.customer_reacts(CUSTOMER, SALON, "no such", "👍").await.is_err());
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_salons_own_phone_is_copied_to_the_device() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    let chat = customer_jid(&mut session, &world).await;
    world.emulator.salon_writes(SALON, CUSTOMER, "Это администратор").await.expect("sent");
    let told = session.wait("the copy", |told| matches!(told, Told::Text { from_me: true, .. }).then_some(told)).await;
    let Told::Text { chat: copied_to, text, .. } = told else { panic!("a text") };
    assert_eq!((copied_to, text.as_str()), (chat.to_string(), "Это администратор"));
    assert_eq!(world.emulator.chat(CUSTOMER, SALON).pop().map(|message| message.from), Some(Side::Salon));
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_writes_to_its_own_number() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let session = linked(&world, &storage).await;
    let own: Jid = format!("{SALON}@s.whatsapp.net").parse().expect("an address");
    session.handle.client().send_text(own, "Я подключена").await.expect("sent");
    until("delivered", || !world.emulator.chat(SALON, SALON).is_empty()).await;
    let chat = world.emulator.chat(SALON, SALON);
    assert_eq!((chat.len(), chat[0].text.as_str(), chat[0].from), (1, "Я подключена", Side::Salon));
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_while_the_device_is_away_comes_once() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    customer_jid(&mut session, &world).await;
    until("acknowledged", || world.emulator.pending(CUSTOMER, SALON) == 0).await;
    session.handle.shutdown().await;

    let count = 250;
    for number in 0..count {
        customer_says(&world, &format!("вопрос {number}")).await;
    }
    assert_eq!(world.emulator.pending(CUSTOMER, SALON), count);
    let mut session = start(&world, &storage, None).await;
    for number in 0..count {
        assert_eq!(session.text().await.1, format!("вопрос {number}"));
    }
    until("acknowledged", || world.emulator.pending(CUSTOMER, SALON) == 0).await;
    session.handle.shutdown().await;

    let mut session = start(&world, &storage, None).await;
    session.connected().await;
    let again = session.rest().await;
    assert!(!again.iter().any(|told| matches!(told, Told::Text { .. })), "told twice: {again:?}");
    session.handle.shutdown().await;
}

/// Where a client has to put messages before it acknowledges them.
struct Disk {
    full: bool,
}

#[async_trait::async_trait]
impl InboundDurabilityHook for Disk {
    async fn on_messages(&self, _: Arc<Client>, _: &[InboundMessage]) -> anyhow::Result<()> {
        anyhow::ensure!(!self.full, "the disk is full");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_device_could_not_store_comes_again() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    linked(&world, &storage).await.handle.shutdown().await;
    let mut session = start_with(&world, &storage, |builder| builder.with_inbound_durability_hook(Disk { full: true })).await;
    session.connected().await;
    customer_says(&world, "запишите меня").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.emulator.pending(CUSTOMER, SALON), 1);
    session.handle.abort();

    let mut session = start_with(&world, &storage, |builder| builder.with_inbound_durability_hook(Disk { full: false })).await;
    assert_eq!(session.text().await.1, "запишите меня");
    until("acknowledged", || world.emulator.pending(CUSTOMER, SALON) == 0).await;
    session.handle.shutdown().await;
}

/// Counts how often it is given the message that nobody wants.
#[derive(Clone, Default)]
struct Unwanted(Arc<AtomicU32>);

#[async_trait::async_trait]
impl InboundDurabilityHook for Unwanted {
    async fn on_messages(&self, _: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        let unwanted = batch.iter().filter(|inbound| inbound.message.text_content() == Some("ещё раз")).count();
        self.0.fetch_add(u32::try_from(unwanted)?, Ordering::SeqCst);
        anyhow::ensure!(unwanted == 0, "not this one");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_seals_a_message_anew_five_times() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    linked(&world, &storage).await.handle.shutdown().await;
    let seen = Unwanted::default();
    let mut session = start_with(&world, &storage, |builder| builder.with_inbound_durability_hook(seen.clone())).await;
    session.connected().await;
    let chat = customer_jid(&mut session, &world).await;
    let id = customer_says(&world, "ещё раз").await;
    let came = async |times| until("it came", || seen.0.load(Ordering::SeqCst) == times).await;
    came(1).await;
    for count in 1..=6 {
        let retry = NodeBuilder::new("retry").attr("count", count).attr("id", id.as_str()).attr("v", "1").build();
        let receipt = NodeBuilder::new("receipt").attr("to", &chat).attr("id", id.as_str()).attr("type", "retry").children([retry]).build();
        session.handle.client().send_node(receipt).await.expect("written");
        came((count + 1).min(6)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    came(6).await;
    assert_eq!(world.emulator.pending(CUSTOMER, SALON), 1, "it waits on");
    session.handle.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_without_network_keeps_its_device_out() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    world.emulator.offline(SALON).await.expect("an account");
    until("offline", || !world.emulator.is_online(SALON)).await;
    customer_says(&world, "вы где?").await;
    assert_eq!(world.emulator.pending(CUSTOMER, SALON), 1);
    world.emulator.online(SALON).await.expect("an account");
    assert_eq!(session.text().await.1, "вы где?");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unlinking_in_the_phone_logs_the_device_out() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    world.emulator.unlink(SALON).await.expect("an account");
    session.wait("logged out", |told| (told == Told::LoggedOut).then_some(())).await;
    assert!(!world.emulator.is_linked(SALON));
    session.handle.shutdown().await;

    // Later it is turned away at the door.
    let mut session = start(&world, &storage, None).await;
    session.wait("logged out", |told| (told == Told::LoggedOut).then_some(())).await;
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_logs_itself_out() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    session.handle.client().logout().await;
    session.wait("logged out", |told| (told == Told::LoggedOut).then_some(())).await;
    until("unlinked", || !world.emulator.is_linked(SALON)).await;
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_login_replaces_the_first() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut first = linked(&world, &storage).await;
    let mut second = start(&world, &storage, None).await;
    second.connected().await;
    first.wait("replaced", |told| (told == Told::Replaced).then_some(())).await;
    assert!(world.emulator.is_online(SALON));
    second.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_sent_again_under_its_id_is_shown_once() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    let chat = customer_jid(&mut session, &world).await;
    let client = session.handle.client();
    let options = || SendOptions::default().with_message_id("3EB0FIXEDFIXEDFIXED0");
    for _ in 0..2 {
        let message = wa::Message { conversation: Some("один раз".into()), ..Default::default() };
        client.send_message_with_options(chat.clone(), message, options()).await.expect("sent");
        session
            .wait("taken", |told| if let Told::Ack { id, error } = told { (id == "3EB0FIXEDFIXEDFIXED0").then_some(error) } else { None })
            .await;
    }
    let shown = world.emulator.chat(CUSTOMER, SALON);
    assert_eq!(shown.iter().filter(|message| message.text == "один раз").count(), 1);

    // And the other way: the customer's message comes twice, the chat shows it once.
    for _ in 0..2 {
        world.emulator.customer_writes(CUSTOMER, None, SALON, "ау", Some("3A00000000000000AAAA".into())).await.expect("sent");
    }
    assert_eq!(world.emulator.chat(CUSTOMER, SALON).iter().filter(|message| message.text == "ау").count(), 1);
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_world_lives_on_in_a_snapshot() {
    let before = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&before, &storage).await;
    let chat = customer_jid(&mut session, &before).await;
    session.handle.client().send_text(chat.clone(), "до перезапуска").await.expect("sent");
    until("delivered", || before.emulator.chat(CUSTOMER, SALON).len() == 2).await;
    session.handle.shutdown().await;
    customer_says(&before, "пока вас не было").await;

    let after = world().await;
    after.emulator.restore(before.emulator.snapshot().expect("written")).expect("read");
    assert_eq!(after.emulator.chat(CUSTOMER, SALON), before.emulator.chat(CUSTOMER, SALON));
    let mut session = start(&after, &storage, None).await;
    assert_eq!(session.text().await.1, "пока вас не было");
    session.handle.client().send_text(chat, "после перезапуска").await.expect("sent");
    until("delivered", || after.emulator.chat(CUSTOMER, SALON).len() == 4).await;

    // The same in place, under a client that is online.
    after.emulator.restore(after.emulator.snapshot().expect("written")).expect("read");
    session.connected().await;
    customer_says(&after, "вы ещё здесь?").await;
    assert_eq!(session.text().await.1, "вы ещё здесь?");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_new_keys_is_met_by_the_full_handshake() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let session = linked(&world, &storage).await;
    session.handle.shutdown().await;
    // The second login knows the server's key and would resume with it.
    let other = Emulator::new(Options { calendar: Arc::new(|| NOW_MS), media_host: "media.invalid".into() });
    let mut snapshot = world.emulator.snapshot().expect("written");
    snapshot["authority"] = other.snapshot().expect("written")["authority"].clone();
    world.emulator.restore(snapshot).expect("read");
    for _ in 0..2 {
        let mut session = start(&world, &storage, None).await;
        session.connected().await;
        session.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_lost_their_sessions_find_new_ones() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    let chat = customer_jid(&mut session, &world).await;
    let client = session.handle.client();
    client.send_text(chat.clone(), "раз").await.expect("sent");
    until("delivered", || world.emulator.chat(CUSTOMER, SALON).len() == 2).await;
    customer_says(&world, "два").await;
    session.text().await;

    world.emulator.forget_sessions();
    client.send_text(chat, "три").await.expect("sent");
    until("delivered after a retry", || world.emulator.chat(CUSTOMER, SALON).len() == 4).await;
    world.emulator.forget_sessions();
    customer_says(&world, "четыре").await;
    assert_eq!(session.text().await.1, "четыре");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_customers_use_up_the_keys_and_are_all_heard() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    let count = 200;
    for number in 0..count {
        let customer = format!("7926{number:07}");
        world.emulator.customer_writes(&customer, None, SALON, &format!("привет {number}"), None).await.expect("sent");
    }
    let mut heard = Vec::new();
    for _ in 0..count {
        heard.push(session.text().await.1);
    }
    heard.sort();
    heard.dedup();
    assert_eq!(heard.len(), count);
    for number in 0..count {
        let customer = format!("7926{number:07}");
        until("acknowledged", || world.emulator.pending(&customer, SALON) == 0).await;
    }
    session.handle.shutdown().await;
}
