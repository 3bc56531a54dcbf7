//! What a client makes of a server that fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::whatsapp::{Fault, FaultKind, Occasion, Side};
use wacore::store::in_memory::InMemoryBackend;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::prelude::*;

use crate::support::*;

fn once(kind: FaultKind) -> Fault {
    Fault { kind, salon: Some(SALON.into()), times: 1 }
}

fn at(stanzas: &str) -> Occasion {
    Occasion { matches: Some(stanzas.to_owned()), ..Default::default() }
}

async fn linked_world() -> (World, Arc<InMemoryBackend>, Session) {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let session = linked(&world, &storage).await;
    (world, storage, session)
}

async fn acknowledged(session: &mut Session, wanted: &str) -> Option<String> {
    session.wait("acknowledged", |told| if let Told::Ack { id, error } = told { (id == wanted).then_some(error) } else { None }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_happen_as_often_as_asked() {
    let world = world().await;
    let storage = Arc::new(InMemoryBackend::new());
    let mut session = linked(&world, &storage).await;
    let chat = customer_jid(&mut session, &world).await;
    let client = session.handle.client();
    let fault = |kind| Fault { kind, salon: Some(SALON.into()), times: 1 };

    world.emulator.add_fault(fault(FaultKind::Nack(463)));
    let refused = client.send_text(chat.clone(), "нельзя").await.expect("written").message_id;
    let error =
        session.wait("refused", |told| if let Told::Ack { id, error } = told { (id == refused).then_some(error) } else { None }).await;
    assert_eq!(error.as_deref(), Some("463"));
    assert_eq!(world.emulator.chat(CUSTOMER, SALON).len(), 1);

    world.emulator.add_fault(fault(FaultKind::DisconnectAfter));
    let taken = client.send_text(chat.clone(), "дошло").await.expect("written").message_id;
    session.connected().await;
    assert_eq!(world.emulator.chat(CUSTOMER, SALON).pop().map(|message| message.id), Some(taken));

    world.emulator.add_fault(fault(FaultKind::DisconnectBefore));
    let lost = client.send_text(chat.clone(), "пропало").await.expect("written").message_id;
    session.connected().await;
    assert!(!world.emulator.chat(CUSTOMER, SALON).iter().any(|message| message.id == lost));

    client.send_text(chat, "снова").await.expect("written");
    until("delivered", || world.emulator.chat(CUSTOMER, SALON).len() == 3).await;
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_finds_its_stanzas() {
    let (world, _, mut session) = linked_world().await;
    let chat = customer_jid(&mut session, &world).await;
    let client = session.handle.client();
    world.emulator.add_fault_on(once(FaultKind::Nack(479)), at("message reaction")).expect("a fault that can be");
    let text = client.send_text(chat.clone(), "это не реакция").await.expect("written").message_id;
    assert_eq!(acknowledged(&mut session, &text).await, None);
    let key = wa::MessageKey { remote_jid: Some(chat.to_string()), from_me: Some(true), id: Some(text), participant: None };
    let reaction = client.send_reaction(chat, key, "👍").await.expect("written").message_id;
    assert_eq!(acknowledged(&mut session, &reaction).await.as_deref(), Some("479"));
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_cannot_be_is_refused() {
    let world = world().await;
    for (kind, stanzas) in [
        (FaultKind::Nack(463), "receipt"),
        (FaultKind::Timeout(Duration::from_secs(1)), "to message"),
        (FaultKind::Duplicate, "from message"),
        (FaultKind::Status(402), "message"),
    ] {
        assert!(world.emulator.add_fault_on(once(kind), at(stanzas)).is_err(), "{kind:?} at {stanzas}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_repeats_the_choice() {
    let mut chosen = Vec::new();
    for _ in 0..2 {
        let (world, _, mut session) = linked_world().await;
        let chat = customer_jid(&mut session, &world).await;
        let fault = Fault { kind: FaultKind::Nack(463), salon: None, times: 1000 };
        let occasion = Occasion { probability: Some(0.5), seed: Some(7), ..Default::default() };
        world.emulator.add_fault_on(fault, occasion).expect("a fault that can be");
        let mut refused = Vec::new();
        for number in 0..12 {
            let id = session.handle.client().send_text(chat.clone(), format!("{number}")).await.expect("written").message_id;
            refused.push(acknowledged(&mut session, &id).await.is_some());
        }
        assert!(refused.contains(&true) && refused.contains(&false), "{refused:?}");
        chosen.push(refused);
        session.handle.shutdown().await;
    }
    assert_eq!(chosen[0], chosen[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_logins_tell_why() {
    let cases = [
        (402, Told::Banned { code: 101, secs: 3600 }, true),
        (405, Told::Outdated, true),
        (409, Told::Failed(409), true),
        (401, Told::LoggedOut, false),
        (403, Told::LoggedOut, false),
    ];
    for (code, expected, still_linked) in cases {
        let (world, _, mut session) = linked_world().await;
        world.emulator.add_fault(once(FaultKind::Status(code)));
        session.wait(&format!("{code} told"), |told| (told == expected).then_some(())).await;
        assert_eq!(world.emulator.is_linked(SALON), still_linked, "after {code}");
        session.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_and_begin_again() {
    let (world, _, mut session) = linked_world().await;
    for code in [503, 515] {
        world.emulator.add_fault(once(FaultKind::Status(code)));
        session.connected().await;
    }
    world.emulator.add_fault_on(once(FaultKind::Status(500)), at("receipt")).expect("a fault that can be");
    customer_says(&world, "ау").await;
    session.connected().await;
    until("acknowledged", || world.emulator.pending(CUSTOMER, SALON) == 0).await;
    world.emulator.add_fault(once(FaultKind::Status(429)));
    until("offline", || !world.emulator.is_online(SALON)).await;
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_replaced_or_removed() {
    for (kind, expected, still_linked) in [(FaultKind::Replaced, Told::Replaced, true), (FaultKind::Status(516), Told::LoggedOut, false)] {
        let (world, _, mut session) = linked_world().await;
        world.emulator.add_fault(once(kind));
        session.wait("gone", |told| (told == expected).then_some(())).await;
        assert_eq!(world.emulator.is_linked(SALON), still_linked);
        session.handle.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stanzas_come_twice_late_and_never() {
    let (world, storage, mut session) = linked_world().await;
    let chat = customer_jid(&mut session, &world).await;
    let client = session.handle.client();

    world.emulator.add_fault(once(FaultKind::Duplicate));
    customer_says(&world, "один раз").await;
    world.emulator.add_fault_on(once(FaultKind::Duplicate), at("receipt")).expect("a fault that can be");
    let sent = client.send_text(chat.clone(), "дважды доставлено").await.expect("written").message_id;
    for round in ["once", "twice"] {
        session.wait(round, |told| if let Told::Receipt { ids, .. } = told { (ids == [sent.clone()]).then_some(()) } else { None }).await;
    }

    world.emulator.add_fault(once(FaultKind::Reorder));
    customer_says(&world, "первое").await;
    customer_says(&world, "второе").await;
    assert_eq!((session.text().await.1, session.text().await.1), ("второе".into(), "первое".into()));

    world.emulator.add_fault(once(FaultKind::Drop));
    client.send_text(chat.clone(), "пропало").await.expect("written");
    world.emulator.add_fault_on(once(FaultKind::Drop), at("ack message")).expect("a fault that can be");
    let unanswered = client.send_text(chat.clone(), "дошло без ответа").await.expect("written").message_id;
    let answered = client.send_text(chat, "дошло").await.expect("written").message_id;
    let acks = session.wait("an acknowledgement", |told| if let Told::Ack { id, .. } = told { Some(id) } else { None }).await;
    assert_eq!(acks, answered, "{unanswered} is never acknowledged");
    let shown = world.emulator.chat(CUSTOMER, SALON).into_iter().filter(|message| message.from == Side::Salon).map(|message| message.text);
    assert_eq!(shown.collect::<Vec<_>>(), ["дважды доставлено", "дошло без ответа", "дошло"]);

    world.emulator.add_fault_on(once(FaultKind::Drop), at("to message")).expect("a fault that can be");
    customer_says(&world, "не сразу").await;
    customer_says(&world, "сразу").await;
    assert_eq!(session.text().await.1, "сразу");
    until("the other one is acknowledged", || world.emulator.pending(CUSTOMER, SALON) == 1).await;
    session.handle.shutdown().await;
    let mut session = start(&world, &storage, None).await;
    assert_eq!(session.text().await.1, "не сразу");
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_is_held() {
    let (world, _, mut session) = linked_world().await;
    let chat = customer_jid(&mut session, &world).await;
    let delay = Duration::from_millis(700);
    world.emulator.add_fault(once(FaultKind::Timeout(delay)));
    let sent_at = Instant::now();
    let id = session.handle.client().send_text(chat, "не спеша").await.expect("written").message_id;
    until("delivered", || world.emulator.chat(CUSTOMER, SALON).len() == 2).await;
    assert_eq!(acknowledged(&mut session, &id).await, None);
    assert!(sent_at.elapsed() >= delay);
    session.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_code_can_be_refused() {
    let world = world().await;
    let fault = Fault { kind: FaultKind::Status(429), salon: None, times: 1 };
    world.emulator.add_fault_on(fault, at("iq set md link_code_companion_reg")).expect("a fault that can be");
    let storage = Arc::new(InMemoryBackend::new());
    let options = PairCodeOptions { phone_number: SALON.into(), ..Default::default() };
    let mut session = start(&world, &storage, Some(options)).await;
    let refused = session.wait("refused", |told| if let Told::CodeRefused(reason) = told { Some(reason) } else { None }).await;
    assert!(refused.contains("429"), "{refused}");
    session.handle.shutdown().await;
}
