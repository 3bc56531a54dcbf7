//! The product's sessions against the emulator: linking, talking both ways, coming back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::{ChatId, CompanyId, LinkState, Phone, SalonId};
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use sandbox::whatsapp::{Draft, Emulator, Event as WorldEvent, Fault, FaultKind, File, Kind, Letter, Occasion, Options, Side};
use store::companies::{self, MarketplaceUser, Registration};
use store::testing::{self, Fresh};
use store::{Store, Vault, sessions};
use tokio::sync::broadcast;
use whatsapp::{Content, Delivery, Endpoint, Event, Inbound, Inbox, Pool, Reaction, SendError, SessionEvent, StartError};

const SALON: &str = "79161234567";
const ANNA: &str = "79031112233";
const BORIS: &str = "79034445566";
const WAIT: Duration = Duration::from_secs(20);

/// An inbox in memory.
#[derive(Default)]
struct Received {
    messages: Mutex<Vec<Inbound>>,
    deliveries: Mutex<Vec<(String, Delivery)>>,
    refuses: AtomicBool,
    /// Takes what comes and keeps nothing.
    loses: AtomicBool,
}

#[async_trait]
impl Inbox for Received {
    async fn receive(&self, batch: Vec<Inbound>) -> anyhow::Result<()> {
        anyhow::ensure!(!self.refuses.load(Ordering::SeqCst), "the database is full");
        if !self.loses.load(Ordering::SeqCst) {
            self.messages.lock().extend(batch);
        }
        Ok(())
    }

    async fn has(&self, _company: CompanyId, message_id: &str) -> anyhow::Result<bool> {
        Ok(self.messages.lock().iter().any(|message| message.message_id == message_id))
    }

    async fn delivered(&self, _company: CompanyId, message_id: &str, delivery: Delivery) {
        self.deliveries.lock().push((message_id.to_owned(), delivery));
    }
}

impl Received {
    fn texts(&self) -> Vec<String> {
        let messages = self.messages.lock();
        messages
            .iter()
            .map(|message| match &message.content {
                Content::Text(text) => text.clone(),
                other => format!("{other:?}"),
            })
            .collect()
    }
}

struct World {
    emulator: Arc<Emulator>,
    endpoint: Endpoint,
    database: Fresh,
}

impl World {
    async fn new() -> Self {
        Self::on(testing::sqlite().await).await
    }

    async fn on(database: Fresh) -> Self {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let epoch = std::time::Instant::now();
        let calendar = Arc::new(move || 1_790_000_000_000 + i64::try_from(epoch.elapsed().as_millis()).expect("a short test"));
        let emulator = Emulator::new(Options { calendar, media_host: "127.0.0.1".to_owned() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}/ws/chat", listener.local_addr().expect("an address")).parse().expect("a url");
        let routes = Arc::clone(&emulator).routes();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        emulator.ensure_account(SALON, "Студия Лак").expect("an account");
        emulator.ensure_account(ANNA, "Анна").expect("an account");
        emulator.ensure_account(BORIS, "Борис").expect("an account");
        Self { emulator, endpoint: Endpoint { url, version: Some((2, 3000, 1_000_000_000)) }, database }
    }

    /// A process: the store and the pool on it.
    async fn process(&self) -> (Pool, Arc<Received>, CompanyId) {
        self.node("node").await
    }

    /// A process under that name.
    async fn node(&self, name: &str) -> (Pool, Arc<Received>, CompanyId) {
        let store = Store::open(&self.database.url).await.expect("a database");
        let company = salon(&store).await;
        let inbox = Arc::new(Received::default());
        let pool = Pool::new(store, Vault::new([7; 32]), self.endpoint.clone(), Arc::clone(&inbox) as Arc<dyn Inbox>, name.to_owned());
        (pool, inbox, company)
    }

    /// A process whose salon has just been linked.
    async fn linked(&self) -> (Pool, Arc<Received>, CompanyId) {
        let (pool, inbox, company) = self.process().await;
        let mut events = pool.subscribe();
        pool.start(company).await.expect("a start");
        let code = qr(&mut events).await;
        self.emulator.scan_qr(SALON, &code).await.expect("a link");
        connected(&mut events).await;
        (pool, inbox, company)
    }
}

async fn salon(store: &Store) -> CompanyId {
    let registration = Registration {
        salon_id: SalonId(1),
        title: "Студия Лак".to_owned(),
        city: String::new(),
        address: String::new(),
        phone: None,
        email: None,
        timezone: TimeZone::UTC,
        currency: "₽".to_owned(),
        user: MarketplaceUser::default(),
        raw: None,
    };
    let mut tx = store.begin().await.expect("a transaction");
    let company = companies::upsert_registration(&mut tx, &registration, jiff::Timestamp::UNIX_EPOCH).await.expect("a company");
    tx.commit().await.expect("a commit");
    company
}

async fn event<T>(events: &mut broadcast::Receiver<SessionEvent>, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let found = async {
        loop {
            let event = events.recv().await.expect("an event").event;
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    };
    tokio::time::timeout(WAIT, found).await.expect("the event in time")
}

async fn qr(events: &mut broadcast::Receiver<SessionEvent>) -> String {
    event(events, |event| if let Event::Qr { code, .. } = event { Some(code.clone()) } else { None }).await
}

async fn state(events: &mut broadcast::Receiver<SessionEvent>, wanted: &LinkState) {
    event(events, |event| (*event == Event::State(wanted.clone())).then_some(())).await;
}

async fn connected(events: &mut broadcast::Receiver<SessionEvent>) {
    event(events, |event| matches!(event, Event::State(LinkState::Connected { .. })).then_some(())).await;
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let poll = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(WAIT, poll).await.unwrap_or_else(|_| panic!("{what}: not in time"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_salon_links_and_talks() {
    links_and_talks(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_salon_links_and_talks_on_postgres() {
    links_and_talks(World::on(testing::postgres_database().await).await).await;
}

async fn links_and_talks(world: World) {
    let (pool, inbox, company) = world.linked().await;
    let LinkState::Connected { phone, .. } = pool.state(company) else { panic!("{:?}", pool.state(company)) };
    assert_eq!(phone, Phone::parse(SALON).expect("a phone"));
    assert_eq!(pool.last_qr(company), None, "nothing to scan any more");

    // A customer writes, twice: the second time in a session that exists.
    let id = world.emulator.customer_writes(ANNA, Some("Анна"), SALON, "Здравствуйте!", None).await.expect("written");
    world.emulator.customer_writes(ANNA, Some("Анна"), SALON, "Можно на завтра?", None).await.expect("written");
    until("both messages", || inbox.texts().len() == 2).await;
    assert_eq!(inbox.texts(), ["Здравствуйте!", "Можно на завтра?"]);
    let first = inbox.messages.lock()[0].clone();
    assert_eq!((first.message_id.as_str(), first.from_me, first.push_name.as_deref()), (id.as_str(), false, Some("Анна")));
    assert_eq!(first.phone, Phone::parse(ANNA).ok());
    assert!(first.chat.0.ends_with("@lid") && !first.chat.0.contains(':'), "{:?}", first.chat.0);
    assert_eq!(first.sent_at.as_second(), 1_790_000_000, "the calendar of the world");
    until("WhatsApp was told", || world.emulator.pending(ANNA, SALON) == 0).await;

    // We answer; a repeat is the same message.
    let answer = pool.new_message_id();
    for _ in 0..2 {
        pool.send_text(company, &first.chat, &answer, "Здравствуйте! На завтра есть 15:00.").await.expect("sent");
    }
    let chat = world.emulator.chat(ANNA, SALON);
    let answers: Vec<_> = chat.iter().filter(|message| message.from == Side::Salon).collect();
    assert_eq!(answers.len(), 1, "{chat:?}");
    assert_eq!((answers[0].id.as_str(), answers[0].text.as_str()), (answer.as_str(), "Здравствуйте! На завтра есть 15:00."));
    until("told of the delivery", || inbox.deliveries.lock().contains(&(answer.clone(), Delivery::ServerAck))).await;

    // She reacts; the owner writes from the phone.
    world.emulator.customer_reacts(ANNA, SALON, &answer, "❤️").await.expect("reacted");
    until("the reaction", || inbox.texts().len() == 3).await;
    let reaction = inbox.messages.lock()[2].content.clone();
    assert_eq!(reaction, Content::Reaction { message_id: answer, emoji: Some("❤️".to_owned()) });
    world.emulator.salon_writes(SALON, ANNA, "Анна, это Ольга, ждём вас").await.expect("written");
    until("the owner's message", || inbox.texts().len() == 4).await;
    let owner = inbox.messages.lock()[3].clone();
    assert_eq!((owner.from_me, &owner.chat, owner.phone, owner.push_name), (true, &first.chat, first.phone, None));

    // Nobody is there.
    let nobody = ChatId("not a chat".to_owned());
    assert_eq!(pool.send_text(company, &nobody, "X", "…").await, Err(SendError::NoSuchChat));
    assert_eq!(pool.send_text(CompanyId(99), &first.chat, "X", "…").await, Err(SendError::NotConnected));
    pool.shutdown().await;
    assert_eq!(pool.send_text(company, &first.chat, "X", "…").await, Err(SendError::NotConnected));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_salon_writes_to_itself() {
    let world = World::new().await;
    let (pool, inbox, company) = world.linked().await;
    let own = pool.own_chat(company).expect("a chat of its own");
    world.emulator.salon_writes(SALON, SALON, "проверка").await.expect("written");
    until("the note", || inbox.texts() == ["проверка"]).await;
    let note = inbox.messages.lock()[0].clone();
    assert_eq!((note.from_me, &note.chat, note.phone), (true, &own, Phone::parse(SALON).ok()));
    let id = pool.new_message_id();
    pool.send_text(company, &own, &id, "Бот подключён").await.expect("sent");
    let chat = world.emulator.chat(SALON, SALON);
    assert!(chat.iter().any(|message| message.id == id && message.text == "Бот подключён"), "{chat:?}");
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_comes_back_without_linking_again() {
    let world = World::new().await;
    let (pool, inbox, company) = world.linked().await;
    world.emulator.customer_writes(ANNA, None, SALON, "до", None).await.expect("written");
    until("the first message", || inbox.texts() == ["до"]).await;
    let chat = inbox.messages.lock()[0].chat.clone();
    pool.shutdown().await;
    drop(pool);
    world.emulator.customer_writes(ANNA, None, SALON, "пока вас не было", None).await.expect("written");
    world.emulator.customer_writes(BORIS, None, SALON, "и меня", None).await.expect("written");

    let (pool, inbox, company_again) = world.process().await;
    assert_eq!(company, company_again);
    let mut events = pool.subscribe();
    assert_eq!(pool.resume_all().await.expect("resumed"), 1);
    connected(&mut events).await;
    until("what waited", || inbox.texts().len() == 2).await;
    pool.send_text(company, &chat, &pool.new_message_id(), "Мы снова здесь").await.expect("sent");
    world.emulator.customer_writes(ANNA, None, SALON, "после", None).await.expect("written");
    until("the next one", || inbox.texts().len() == 3).await;
    // In the order of each chat; two chats have none between them.
    let from = |text: &str| inbox.texts().iter().position(|known| known == text);
    assert!(from("и меня").is_some() && from("пока вас не было") < from("после"), "each once: {:?}", inbox.texts());
    until("WhatsApp was told", || world.emulator.pending(ANNA, SALON) + world.emulator.pending(BORIS, SALON) == 0).await;

    // A salon that was stopped stays stopped, and linked.
    pool.stop(company).await.expect("stopped");
    assert_eq!(pool.state(company), LinkState::Disconnected);
    pool.shutdown().await;
    let (pool, _, company) = world.process().await;
    assert_eq!(pool.resume_all().await.expect("resumed"), 0);
    let mut events = pool.subscribe();
    pool.start(company).await.expect("a start");
    connected(&mut events).await;
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_is_told_only_after_the_inbox_has_it() {
    let world = World::new().await;
    let (pool, inbox, _) = world.linked().await;
    inbox.refuses.store(true, Ordering::SeqCst);
    world.emulator.customer_writes(ANNA, None, SALON, "не потеряйте", None).await.expect("written");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.emulator.pending(ANNA, SALON), 1, "not acknowledged");
    inbox.refuses.store(false, Ordering::SeqCst);
    // Without anybody's help: the session reconnects, and WhatsApp gives the message again.
    until("the message", || inbox.texts() == ["не потеряйте"]).await;
    until("WhatsApp was told", || world.emulator.pending(ANNA, SALON) == 0).await;
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_and_stored_nowhere_is_asked_for_again() {
    let world = World::new().await;
    let (pool, inbox, _) = world.linked().await;
    let mut events = pool.subscribe();
    // As after a kill between the reader's keys and the message: read, not stored, not acknowledged.
    inbox.loses.store(true, Ordering::SeqCst);
    let cut_off = Fault { kind: FaultKind::DisconnectBefore, salon: None, times: 1 };
    world.emulator.add_fault_on(cut_off, Occasion { matches: Some("from receipt".to_owned()), ..Default::default() }).expect("a fault");
    world.emulator.customer_writes(ANNA, None, SALON, "прочтено и забыто", None).await.expect("written");
    state(&mut events, &LinkState::Connecting).await;
    inbox.loses.store(false, Ordering::SeqCst);
    until("the message", || inbox.texts() == ["прочтено и забыто"]).await;
    until("WhatsApp was told", || world.emulator.pending(ANNA, SALON) == 0).await;
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlinked_salon_links_anew() {
    let world = World::new().await;
    let (pool, _, company) = world.linked().await;
    let mut events = pool.subscribe();
    world.emulator.unlink(SALON).await.expect("unlinked");
    state(&mut events, &LinkState::LoggedOut).await;
    assert_eq!(pool.resume_all().await.expect("resumed"), 0, "there is nothing to resume");

    pool.start(company).await.expect("a start");
    let code = qr(&mut events).await;
    assert_eq!(pool.last_qr(company).map(|(code, _)| code), Some(code.clone()));
    world.emulator.scan_qr(SALON, &code).await.expect("a link");
    connected(&mut events).await;

    // From our side: the phone no longer lists the device.
    pool.logout(company).await.expect("logged out");
    assert_eq!(pool.state(company), LinkState::LoggedOut);
    assert!(!world.emulator.is_linked(SALON));
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_salon_unlinked_while_we_were_away_is_logged_out() {
    let world = World::new().await;
    let (pool, _, company) = world.linked().await;
    pool.shutdown().await;
    world.emulator.unlink(SALON).await.expect("unlinked");
    let (pool, _, _) = world.process().await;
    let mut events = pool.subscribe();
    assert_eq!(pool.resume_all().await.expect("resumed"), 1);
    state(&mut events, &LinkState::LoggedOut).await;
    pool.fresh_qr(company).await.expect("a start");
    let code = qr(&mut events).await;
    pool.fresh_qr(company).await.expect("nothing to do");
    assert_eq!(pool.last_qr(company).map(|(code, _)| code), Some(code.clone()), "a code that has just come stays");
    world.emulator.scan_qr(SALON, &code).await.expect("a link");
    connected(&mut events).await;
    assert!(matches!(pool.fresh_qr(company).await, Err(StartError::AlreadyLinked)));
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_comes_back_by_itself_when_whatsapp_does() {
    let world = World::new().await;
    let (pool, inbox, _) = world.linked().await;
    let mut events = pool.subscribe();
    world.emulator.offline(SALON).await.expect("offline");
    state(&mut events, &LinkState::Connecting).await;
    world.emulator.customer_writes(ANNA, None, SALON, "есть кто?", None).await.expect("written");
    world.emulator.online(SALON).await.expect("online");
    connected(&mut events).await;
    until("what waited", || inbox.texts() == ["есть кто?"]).await;
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_to_which_whatsapp_says_nothing_connects_anew() {
    let world = World::new().await;
    let (pool, _, company) = world.linked().await;
    let lose = |stanzas: &str| {
        let occasion = Occasion { matches: Some(stanzas.to_owned()), ..Occasion::default() };
        world.emulator.add_fault_on(Fault { kind: FaultKind::Drop, salon: None, times: 1 }, occasion).expect("such a fault");
    };
    // Left to itself the client waits for 75 seconds, each time.
    let soon = Duration::from_secs(45);
    let mut events = pool.subscribe();
    world.emulator.offline(SALON).await.expect("offline");
    state(&mut events, &LinkState::Connecting).await;
    lose("to iq");
    world.emulator.online(SALON).await.expect("online");
    let again = async {
        while !pool.state(company).is_connected() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(soon, again).await.expect("the login is begun anew");

    lose("to iq");
    let (chat, id) = (ChatId(format!("{BORIS}@s.whatsapp.net")), pool.new_message_id());
    let sent = async {
        while pool.send_text(company, &chat, &id, "Здравствуйте!").await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(soon, sent).await.expect("sent anew");
    let heard = world.emulator.chat(BORIS, SALON);
    assert_eq!(heard.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["Здравствуйте!"]);
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_session_that_ended() {
    let world = World::new().await;
    let (pool, inbox, company) = world.linked().await;
    let before = Arc::strong_count(&inbox);
    for _ in 0..3 {
        let mut events = pool.subscribe();
        pool.stop(company).await.expect("stopped");
        pool.start(company).await.expect("a start");
        connected(&mut events).await;
    }
    until("the former sessions are gone", || Arc::strong_count(&inbox) == before).await;
    pool.shutdown().await;
    drop(pool);
    until("the pool is gone", || Arc::strong_count(&inbox) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lease_ends_the_session() {
    let world = World::new().await;
    let (pool, _, company) = world.linked().await;
    let store = Store::open(&world.database.url).await.expect("a database");
    let mut tx = store.begin().await.expect("a transaction");
    let ours = sessions::acquire(&mut tx, company, "node", Duration::from_secs(15)).await.expect("an answer").expect("our own");
    sessions::release(&mut tx, &ours).await.expect("released");
    let theirs = sessions::acquire(&mut tx, company, "another node", Duration::from_secs(60)).await.expect("an answer");
    tx.commit().await.expect("a commit");
    assert!(theirs.is_some());
    until("the session has ended", || pool.state(company) == LinkState::Disconnected).await;
    assert!(matches!(pool.start(company).await, Err(StartError::OwnedElsewhere)));
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_with_its_code() {
    let world = World::new().await;
    let (pool, inbox, company) = world.linked().await;
    world.emulator.customer_writes(ANNA, None, SALON, "Здравствуйте!", None).await.expect("written");
    until("the message", || inbox.texts().len() == 1).await;
    let chat = inbox.messages.lock()[0].chat.clone();
    let mut events = pool.subscribe();
    world.emulator.add_fault(Fault { kind: FaultKind::Nack(463), salon: None, times: 1 });
    let id = pool.new_message_id();
    assert_eq!(pool.send_text(company, &chat, &id, "Здравствуйте!").await, Err(SendError::Refused { code: 463 }));
    state(&mut events, &LinkState::Restricted).await;
    let own = pool.own_chat(company).expect("a chat of its own");
    pool.send_text(company, &own, &pool.new_message_id(), "Себе").await.expect("sent");
    assert_eq!(pool.state(company), LinkState::Restricted, "another chat shows nothing");
    pool.send_text(company, &chat, &id, "Здравствуйте!").await.expect("accepted");
    connected(&mut events).await;

    // A malformed message says nothing of the number.
    world.emulator.add_fault(Fault { kind: FaultKind::Nack(400), salon: None, times: 1 });
    assert_eq!(pool.send_text(company, &chat, &pool.new_message_id(), "…").await, Err(SendError::Refused { code: 400 }));
    assert!(matches!(pool.state(company), LinkState::Connected { .. }));
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reads_types_and_reacts_as_a_person_does() {
    let world = World::new().await;
    let (pool, inbox, company) = world.linked().await;
    let id = world.emulator.customer_writes(ANNA, None, SALON, "Здравствуйте!", None).await.expect("written");
    until("the message", || inbox.texts().len() == 1).await;
    let chat = inbox.messages.lock()[0].chat.clone();
    let mut told = world.emulator.subscribe();
    pool.mark_read(company, &chat, &[&id]).await.expect("marked");
    pool.typing(company, &chat, true).await.expect("shown");
    pool.typing(company, &chat, false).await.expect("shown");
    let heart = Reaction { to: &id, to_our_own: false, emoji: "❤️" };
    pool.send_reaction(company, &chat, &pool.new_message_id(), heart).await.expect("sent");
    let mut seen = Vec::new();
    let watch = async {
        while seen.len() < 4 {
            match told.recv().await.expect("not lagging") {
                WorldEvent::Acknowledged { read: true, id: of, .. } => seen.push(format!("read {}", of == id)),
                WorldEvent::Typing { typing, .. } => seen.push(format!("typing {typing}")),
                WorldEvent::Message { message, .. } => seen.push(format!("{} {}", message.text, message.reaction_to == Some(id.clone()))),
                _ => {}
            }
        }
    };
    tokio::time::timeout(WAIT, watch).await.expect("all of it in time");
    assert_eq!(seen, ["read true", "typing true", "typing false", "❤️ true"]);
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_message_arrives_as_what_it_is() {
    let world = World::new().await;
    let (pool, inbox, _) = world.linked().await;
    let first = world.emulator.customer_writes(ANNA, None, SALON, "завтра в 15", None).await.expect("written");
    let file = |kind| File { kind, bytes: vec![7; 999], mimetype: None, caption: None, file_name: Some("прайс.pdf".to_owned()) };
    let captioned = File { caption: Some("хочу так".to_owned()), ..file(Kind::Image) };
    let drafts = [
        Draft::Media(captioned),
        Draft::Media(file(Kind::Voice)),
        Draft::Media(file(Kind::Video)),
        Draft::Media(file(Kind::Document)),
        Draft::Media(file(Kind::Sticker)),
        Draft::Location { latitude: 55.75, longitude: 37.5, name: "у метро".to_owned() },
        Draft::Contact { name: "Вера".to_owned(), phone: BORIS.to_owned() },
        Draft::Edit { of: first.clone(), text: "завтра в 16".to_owned() },
        Draft::Revoke { of: first.clone() },
    ];
    for draft in drafts {
        world.emulator.customer_sends(ANNA, SALON, Letter { draft, ..Letter::default() }).await.expect("sent");
    }
    let answer = Letter { draft: Draft::Text("да".to_owned()), quoted: Some(first.clone()), ..Letter::default() };
    world.emulator.customer_sends(ANNA, SALON, answer).await.expect("sent");
    until("all of them", || inbox.messages.lock().len() == 11).await;
    let heard: Vec<String> = inbox.messages.lock().iter().map(|message| said(&message.content)).collect();
    let edit = format!("edit of {first}: завтра в 16");
    let revoke = format!("revoke of {first}");
    let expected = [
        "завтра в 15",
        "image/jpeg 999 хочу так",
        "audio/ogg; codecs=opus 999",
        "video/mp4 999 ",
        "application/pdf 999 прайс.pdf",
        "image/webp 999",
        "55.75 37.5 у метро",
        "Вера",
        edit.as_str(),
        revoke.as_str(),
        "да",
    ];
    assert_eq!(heard, expected);
    let quotes: Vec<_> = inbox.messages.lock().iter().filter_map(|message| message.quoted.clone()).collect();
    assert_eq!(quotes, [first], "the last one only");
    pool.shutdown().await;
}

/// A message in few words.
fn said(content: &Content) -> String {
    let file = |file: &whatsapp::File| format!("{} {}", file.mime, file.size);
    let words = |words: &Option<String>| words.clone().unwrap_or_default();
    match content {
        Content::Text(text) => text.clone(),
        Content::Voice(of) | Content::Sticker(of) => file(of),
        Content::Image { caption, file: of } | Content::Video { caption, file: of } => format!("{} {}", file(of), words(caption)),
        Content::Document { name, file: of, .. } => format!("{} {}", file(of), words(name)),
        Content::Location(place) => format!("{} {} {}", place.latitude, place.longitude, words(&place.name)),
        Content::Contact { name } => words(name),
        Content::Edit { message_id, text } => format!("edit of {message_id}: {text}"),
        Content::Revoke { message_id } => format!("revoke of {message_id}"),
        Content::Reaction { .. } | Content::Other => format!("{content:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_replaced_does_not_fight_and_may_come_back() {
    let world = World::new().await;
    let (first, _, company) = world.linked().await;
    let (second, _, _) = world.process().await;
    second.resume_all().await.expect("resumed");
    until("the second process is on the line", || second.state(company).is_connected()).await;
    until("the first is off it", || !first.state(company).is_connected()).await;
    // The owner opens the page there; until then nothing happens.
    assert!(second.state(company).is_connected());
    first.start(company).await.expect("a start");
    until("the first is back", || first.state(company).is_connected()).await;
    // WhatsApp's word or the lost lease, whichever comes first.
    until("the second is off the line", || !second.state(company).is_connected()).await;
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_code_is_there_while_a_pairing_code_is_out() {
    let world = World::new().await;
    let (pool, _, company) = world.process().await;
    let mut events = pool.subscribe();
    let paired = pool.pairing_code(company, &Phone::parse(SALON).expect("a phone")).await.expect("a code");
    let shown = qr(&mut events).await;
    pool.fresh_qr(company).await.expect("nothing to do");
    assert_eq!(pool.last_qr(company).map(|(code, _)| code), Some(shown), "the one on show");
    world.emulator.enter_code(SALON, &paired.code).await.expect("the pairing code still links");
    connected(&mut events).await;
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_with_the_same_device_wins() {
    let world = World::new().await;
    let (first, _, company) = world.linked().await;
    let mut events = first.subscribe();
    let (second, inbox, _) = world.process().await;
    let mut events_of_second = second.subscribe();
    // The same node name is the same node after a restart: the lease passes at once.
    assert_eq!(second.resume_all().await.expect("resumed"), 1);
    connected(&mut events_of_second).await;
    state(&mut events, &LinkState::Replaced).await;
    world.emulator.customer_writes(ANNA, None, SALON, "кто там?", None).await.expect("written");
    until("the message", || inbox.texts() == ["кто там?"]).await;
    first.shutdown().await;
    assert!(second.state(company).is_connected(), "the loser's end does not end the winner");
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_code_links_as_well() {
    let world = World::new().await;
    let (pool, _, company) = world.process().await;
    let mut events = pool.subscribe();
    let phone = Phone::parse(SALON).expect("a phone");
    let code = pool.pairing_code(company, &phone).await.expect("a code");
    assert_eq!(pool.pairing_code(company, &phone).await.expect("the same code").code, code.code);
    let told = event(&mut events, |event| if let Event::PairingCode { code, .. } = event { Some(code.clone()) } else { None }).await;
    assert_eq!(told, code.code);
    world.emulator.enter_code(SALON, &code.code).await.expect("a link");
    connected(&mut events).await;
    pool.shutdown().await;
}

/// Takes the session away behind its owner's back, as happens to one that slept through its lease.
async fn steal(world: &World, company: CompanyId) {
    let store = Store::open(&world.database.url).await.expect("a database");
    let mut tx = store.begin().await.expect("a transaction");
    let ours = sessions::acquire(&mut tx, company, "node", Duration::from_secs(15)).await.expect("an answer").expect("our own");
    sessions::release(&mut tx, &ours).await.expect("released");
    sessions::acquire(&mut tx, company, "another node", Duration::from_secs(60)).await.expect("an answer").expect("it is free");
    tx.commit().await.expect("a commit");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_session_sends_nothing() {
    let world = World::new().await;
    let (pool, inbox, company) = world.linked().await;
    world.emulator.customer_writes(ANNA, None, SALON, "Здравствуйте!", None).await.expect("written");
    until("the message", || inbox.texts().len() == 1).await;
    let chat = inbox.messages.lock()[0].chat.clone();
    steal(&world, company).await;
    assert_eq!(pool.send_text(company, &chat, &pool.new_message_id(), "Здравствуйте!").await, Err(SendError::NotConnected));
    assert_eq!(world.emulator.chat(ANNA, SALON).len(), 1, "nothing but her own words");
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_session_takes_no_message_in() {
    let world = World::new().await;
    let (pool, inbox, company) = world.linked().await;
    steal(&world, company).await;
    world.emulator.customer_writes(ANNA, None, SALON, "не вам", None).await.expect("written");
    until("the session has ended", || pool.state(company) == LinkState::Disconnected).await;
    assert_eq!(inbox.texts(), Vec::<String>::new());
    assert_eq!(world.emulator.pending(ANNA, SALON), 1, "it is left for the owner");
    pool.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_session_does_not_connect_again() {
    let world = World::new().await;
    let (pool, _, company) = world.linked().await;
    steal(&world, company).await;
    world.emulator.offline(SALON).await.expect("offline");
    until("the line is cut", || !world.emulator.is_online(SALON)).await;
    world.emulator.online(SALON).await.expect("online");
    let ended = async {
        while pool.state(company) != LinkState::Disconnected {
            assert!(!world.emulator.is_online(SALON), "its successor would be pushed off the line");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(WAIT, ended).await.expect("the session ends");
    pool.shutdown().await;
}

/// A browser may meet any node: codes, states and wishes go between it and the session's owner.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_one_node_is_linked_through_another() {
    let world = World::on(testing::postgres_database().await).await;
    let (owner, _, company) = world.node("one").await;
    let (other, _, _) = world.node("two").await;
    let mut shown = owner.subscribe();
    let mut seen = other.subscribe();
    owner.start(company).await.expect("a start");
    let first = qr(&mut shown).await;
    until("the other node answers to the owner's name", || other.last_qr(company).is_some()).await;
    other.start(company).await.expect("it runs, elsewhere");
    other.fresh_qr(company).await.expect("it is on show");
    assert_eq!(qr(&mut seen).await, first);
    assert_eq!(other.last_qr(company).map(|(code, _)| code), Some(first));
    assert_eq!(other.state(company), LinkState::Connecting);

    let phone = Phone::parse(SALON).expect("a phone");
    let code = other.pairing_code(company, &phone).await.expect("a code");
    world.emulator.enter_code(SALON, &code.code).await.expect("a link");
    connected(&mut seen).await;
    assert!(other.state(company).is_connected() && owner.own_chat(company).is_some() && other.own_chat(company).is_none());
    assert!(matches!(other.fresh_qr(company).await, Err(StartError::AlreadyLinked)));
    let chat = owner.own_chat(company).expect("linked");
    assert_eq!(other.send_text(company, &chat, "X", "…").await, Err(SendError::NotConnected), "the owner sends");

    // A node that comes later reads how things stand.
    let (late, _, _) = world.node("three").await;
    assert_eq!(late.resume_all().await.expect("nothing to do"), 0);
    assert!(late.state(company).is_connected());
    late.shutdown().await;

    other.logout(company).await.expect("the owner logs out");
    assert!(!world.emulator.is_linked(SALON));
    until("the other node hears it", || other.state(company) == LinkState::LoggedOut).await;
    owner.shutdown().await;
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_given_up_is_taken_at_once() {
    let world = World::on(testing::postgres_database().await).await;
    let (owner, _, company) = world.node("one").await;
    let (other, inbox, _) = world.node("two").await;
    let mut events = owner.subscribe();
    owner.start(company).await.expect("a start");
    let code = qr(&mut events).await;
    world.emulator.scan_qr(SALON, &code).await.expect("a link");
    connected(&mut events).await;
    assert_eq!(other.resume_all().await.expect("nothing yet"), 0);
    let given_up = std::time::Instant::now();
    owner.shutdown().await;
    until("the other node is online", || other.own_chat(company).is_some() && other.state(company).is_connected()).await;
    assert!(given_up.elapsed() < Duration::from_secs(5), "{:?}", given_up.elapsed());
    world.emulator.customer_writes(ANNA, None, SALON, "кто там?", None).await.expect("written");
    until("the message", || inbox.texts() == ["кто там?"]).await;
    other.shutdown().await;
}
