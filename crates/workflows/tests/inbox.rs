//! What becomes of messages as the sessions hear them, before any turn.
#![allow(missing_docs)]

use std::sync::Arc;
use std::time::Duration;

use domain::{ChatId, Clock, CompanyId, IntegrationStatus, Phone, SalonId};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use store::messages::{self, Author, Kind, Message, Status};
use store::{Store, StoreError, Vault, companies, conversations, jobs};
use whatsapp::{Content, Endpoint, Inbound, Inbox as _, Place, Pool};
use workflows::{App, Catalogues, Settings, inbox::Inbox, outbox};
use yclients::{CallbackStyle, RateLimit, YClients};

const ANNA: &str = "79031112233";
const PAUSE: Duration = Duration::from_secs(12 * 3600);

/// Monday morning in Moscow.
struct Monday;

impl Clock for Monday {
    fn now(&self) -> Timestamp {
        "2026-11-23T07:00:00Z".parse().expect("a moment")
    }
}

struct Desk {
    app: Arc<App>,
    inbox: Inbox,
    company: CompanyId,
    _files: tempfile::TempDir,
}

impl Desk {
    /// A salon that is active, with sessions that reach nobody.
    async fn open() -> Self {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let files = tempfile::tempdir().expect("a folder");
        let store = Store::open(&format!("sqlite://{}", files.path().join("a.db").display())).await.expect("a database");
        let vault = Vault::new([7; 32]);
        let nowhere = Endpoint { url: "ws://127.0.0.1:9/".parse().expect("a URL"), version: None };
        let whatsapp = Pool::new(store.clone(), vault.clone(), nowhere, Arc::new(Inbox::closed()), "test".to_owned());
        let yclients = YClients::new(yclients::Settings {
            base_url: "http://127.0.0.1:9/".parse().expect("a URL"),
            partner_token: "partner".into(),
            user_token: None,
            application_id: 1,
            rate_limit: RateLimit::Off,
            callback: CallbackStyle::Server,
        })
        .expect("a client");
        let settings = Settings {
            base_url: "https://example.ru/".parse().expect("a URL"),
            application_id: 1,
            missing: Vec::new(),
            debounce: None,
            typing: Duration::ZERO,
            human_pause: PAUSE,
            unsettled_patience: std::time::Duration::from_secs(600),
            operator_phone: None,
            operator_webhook: None,
        };
        let registration = companies::Registration {
            salon_id: SalonId(7),
            title: "Лира".to_owned(),
            city: String::new(),
            address: String::new(),
            phone: None,
            email: None,
            timezone: TimeZone::get("Europe/Moscow").expect("a zone"),
            currency: "₽".to_owned(),
            user: companies::MarketplaceUser::default(),
            raw: None,
        };
        let mut tx = store.begin().await.expect("a transaction");
        let company = companies::upsert_registration(&mut tx, &registration, Monday.now()).await.expect("a salon");
        for status in [IntegrationStatus::Activating, IntegrationStatus::Active] {
            companies::set_status(&mut tx, company, status, Monday.now()).await.expect("a status");
        }
        tx.commit().await.expect("committed");
        let app = Arc::new(App { store, vault, yclients, whatsapp, clock: Arc::new(Monday), catalogues: Catalogues::default(), settings });
        let inbox = Inbox::closed();
        inbox.open(Arc::clone(&app));
        Self { app, inbox, company, _files: files }
    }

    /// Anna's message, a moment ago.
    fn message(&self, id: &str, content: Content) -> Inbound {
        Inbound {
            company_id: self.company,
            chat: ChatId("1@lid".to_owned()),
            phone: Phone::parse(ANNA).ok(),
            message_id: id.to_owned(),
            from_me: false,
            push_name: Some("Анна".to_owned()),
            sent_at: Monday.now(),
            content,
            quoted: None,
        }
    }

    fn text(&self, id: &str, text: &str) -> Inbound {
        self.message(id, Content::Text(text.to_owned()))
    }

    async fn hear(&self, messages: impl IntoIterator<Item = Inbound>) {
        self.inbox.receive(messages.into_iter().collect()).await.expect("stored");
    }

    async fn chat(&self) -> conversations::Conversation {
        let mut tx = self.app.store.read().await.expect("a transaction");
        conversations::by_chat(&mut tx, self.company, &ChatId("1@lid".to_owned())).await.expect("an answer").expect("a chat")
    }

    /// How long the bot is silent from now on.
    async fn pause(&self) -> Option<SignedDuration> {
        Some(self.chat().await.paused_until?.duration_since(Monday.now()))
    }

    async fn all(&self) -> Vec<Message> {
        let chat = self.chat().await.id;
        let mut tx = self.app.store.read().await.expect("a transaction");
        messages::latest(&mut tx, self.company, chat, 100).await.expect("a list")
    }

    async fn unanswered(&self) -> Vec<String> {
        self.all().await.into_iter().filter(|message| message.status == Status::New).map(|message| message.text).collect()
    }
}

#[tokio::test]
async fn a_persons_word_silences_the_bot_and_an_emoji_does_not() {
    let desk = Desk::open().await;
    desk.hear([desk.text("A1", "Здравствуйте!")]).await;
    let heart = Content::Reaction { message_id: "A1".to_owned(), emoji: Some("❤️".to_owned()) };
    desk.hear([Inbound { from_me: true, ..desk.message("B1", heart) }]).await;
    assert_eq!((desk.pause().await, desk.unanswered().await), (None, vec!["Здравствуйте!".to_owned()]));

    desk.hear([Inbound { from_me: true, ..desk.text("B2", "Анна, это Ольга") }]).await;
    assert_eq!(desk.pause().await, SignedDuration::try_from(PAUSE).ok());
    assert_eq!(desk.unanswered().await, Vec::<String>::new(), "hers to answer");
    desk.hear([desk.text("A2", "Спасибо")]).await;
    assert_eq!(desk.unanswered().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_persons_word_counts_from_when_it_was_written() {
    let desk = Desk::open().await;
    desk.hear([desk.text("A1", "Здравствуйте!")]).await;
    let long_ago = Monday.now() - SignedDuration::from_hours(20);
    desk.hear([Inbound { from_me: true, sent_at: long_ago, ..desk.text("B1", "Ждём вас завтра") }]).await;
    assert_eq!((desk.pause().await, desk.unanswered().await.len()), (None, 1), "what was synced late silences nobody");
    let in_the_night = Monday.now() - SignedDuration::from_hours(9);
    desk.hear([Inbound { from_me: true, sent_at: in_the_night, ..desk.text("B2", "Отвечу утром") }]).await;
    assert_eq!(desk.pause().await, Some(SignedDuration::from_hours(3)));

    // Nor does a person shorten a silence that holds longer.
    let mut tx = desk.app.store.begin().await.expect("a transaction");
    let longer = Monday.now() + SignedDuration::from_hours(40);
    conversations::set_pause(&mut tx, desk.company, desk.chat().await.id, Some(longer)).await.expect("set");
    tx.commit().await.expect("committed");
    desk.hear([Inbound { from_me: true, ..desk.text("B3", "Я здесь") }]).await;
    assert_eq!(desk.pause().await, Some(SignedDuration::from_hours(40)));
}

#[tokio::test]
async fn an_edit_replaces_what_nobody_answered() {
    let desk = Desk::open().await;
    desk.hear([desk.text("A1", "завтра в 15"), desk.text("A2", "к Ане")]).await;
    let edit = || desk.message("A3", Content::Edit { message_id: "A1".to_owned(), text: "завтра в 16".to_owned() });
    desk.hear([edit()]).await;
    desk.hear([edit()]).await;
    assert_eq!(desk.unanswered().await, ["к Ане", "завтра в 16"]);
    let mut tx = desk.app.store.read().await.expect("a transaction");
    assert_eq!(jobs::pending(&mut tx, desk.company, None).await.expect("a count"), 1, "one turn for all of it");
    drop(tx);

    // The salon's own corrections are no new word.
    let theirs = Content::Edit { message_id: "B1".to_owned(), text: "в 17".to_owned() };
    desk.hear([Inbound { from_me: true, ..desk.message("B2", theirs) }]).await;
    assert_eq!((desk.pause().await, desk.all().await.len()), (None, 3));
}

#[tokio::test]
async fn what_is_taken_back_is_not_answered() {
    let desk = Desk::open().await;
    desk.hear([desk.text("A1", "отмените запись"), desk.text("A2", "Здравствуйте")]).await;
    desk.hear([desk.message("A3", Content::Revoke { message_id: "A1".to_owned() })]).await;
    assert_eq!(desk.unanswered().await, ["Здравствуйте"]);
    // Of a message that nobody knows.
    desk.hear([desk.message("A4", Content::Revoke { message_id: "X".to_owned() })]).await;
    assert_eq!(desk.all().await.len(), 2);
}

#[tokio::test]
async fn what_a_message_brings_is_kept_sealed() {
    let desk = Desk::open().await;
    let place = Content::Location(Place { latitude: 55.75, longitude: 37.6, name: Some("Красная площадь".to_owned()) });
    let source = json!({"path": "/v/t62", "key": vec![1; 32], "sha256": vec![2; 32], "sealed_sha256": vec![3; 32]});
    let image = json!({"Image": {"caption": "хочу так", "file": {"mime": "image/jpeg", "size": 7, "source": source}}});
    let image: Content = serde_json::from_value(image).expect("a content");
    desk.hear([desk.message("A1", place.clone()), Inbound { quoted: Some("OUT1".to_owned()), ..desk.message("A2", image.clone()) }]).await;
    let all = desk.all().await;
    let kinds: Vec<_> = all.iter().map(|message| (message.kind, message.text.as_str(), message.quoted.as_deref())).collect();
    assert_eq!(kinds, [(Kind::Location, "", None), (Kind::Image, "хочу так", Some("OUT1"))]);
    for (message, brought) in all.iter().zip([place, image]) {
        let sealed = message.attachment.as_deref().expect("an attachment");
        assert!(!String::from_utf8_lossy(sealed).contains("source"));
        let key = messages::attachment_key(message.conversation, &message.whatsapp_id);
        let plain = desk.app.vault.open(desk.company, "messages", &key, sealed).expect("our own seal");
        assert_eq!(serde_json::from_slice::<Content>(&plain).expect("a content"), brought);
    }
}

#[tokio::test]
async fn a_customers_small_file_is_fetched_once() {
    let desk = Desk::open().await;
    let voice = |size: u64| -> Content {
        let source = json!({"path": "/v/t62", "key": vec![1; 32], "sha256": vec![2; 32], "sealed_sha256": vec![3; 32]});
        serde_json::from_value(json!({"Voice": {"mime": "audio/ogg", "size": size, "source": source}})).expect("a content")
    };
    let pending = async |kind: &str| {
        let mut tx = desk.app.store.read().await.expect("a transaction");
        let counts = jobs::counts(&mut tx).await.expect("counts");
        counts.into_iter().filter(|count| count.kind == kind).map(|count| count.count).sum::<i64>()
    };
    desk.hear([desk.message("A1", voice(whatsapp::MAX_FILE)), desk.message("A1", voice(whatsapp::MAX_FILE))]).await;
    assert_eq!(pending("fetch_file").await, 1);
    desk.hear([desk.message("A2", voice(whatsapp::MAX_FILE + 1)), desk.text("A3", "вот")]).await;
    desk.hear([Inbound { from_me: true, ..desk.message("B1", voice(7)) }]).await;
    assert_eq!((pending("fetch_file").await, pending("answer").await), (1, 1), "too large, none, the salon's own");
    assert_eq!(desk.all().await.iter().filter(|message| message.kind == Kind::Voice).count(), 3, "all of them are heard");
}

#[tokio::test]
async fn what_came_too_late_is_listed_for_the_salon_once() {
    let desk = Desk::open().await;
    let mut tx = desk.app.store.begin().await.expect("a transaction");
    let salon = Phone::parse("79160000000").expect("a phone");
    companies::set_linked(&mut tx, desk.company, &salon, "Лира", Monday.now()).await.expect("linked");
    tx.commit().await.expect("committed");
    let late = |id: &str, content: Content| {
        let hours_ago = SignedDuration::from_hours(if id == "A1" { 3 } else { 2 });
        Inbound { sent_at: Monday.now() - hours_ago, ..desk.message(id, content) }
    };
    let of = |chat: &str, name: &str, inbound: Inbound| Inbound {
        chat: ChatId(chat.to_owned()),
        phone: None,
        push_name: Some(name.to_owned()),
        ..inbound
    };
    let text = |text: &str| Content::Text(text.to_owned());
    let voice = json!({"path": "/v", "key": vec![1; 32], "sha256": vec![2; 32], "sealed_sha256": vec![3; 32]});
    let voice: Content = serde_json::from_value(json!({"Voice": {"mime": "audio/ogg", "size": 9_000_000, "source": voice}})).expect("one");
    let all = [
        late("A1", text("Здравствуйте!")),
        late("A2", text("Можно  завтра\nв 15?")),
        of("2@lid", "Вера", late("B1", voice)),
        late("A3", Content::Reaction { message_id: "A1".to_owned(), emoji: Some("👍".to_owned()) }),
        // Taken back, and answered on the salon's phone: nothing to tell of.
        of("3@lid", "Рита", late("C1", text("Отмените"))),
        of("3@lid", "Рита", late("C2", Content::Revoke { message_id: "C1".to_owned() })),
        of("4@lid", "Зоя", late("D1", text("Вы работаете?"))),
        Inbound { from_me: true, ..of("4@lid", "Лира", late("D2", text("Да!"))) },
    ];
    desk.hear(all.clone()).await;
    desk.hear(all).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(desk.app.runner().run(stop.clone()));
    let notes = async || {
        let mut tx = desk.app.store.read().await.expect("a transaction");
        let own = ChatId("79160000000@s.whatsapp.net".to_owned());
        let Some(chat) = conversations::by_chat(&mut tx, desk.company, &own).await.expect("an answer") else { return Vec::new() };
        messages::latest(&mut tx, desk.company, chat.id, 10).await.expect("a list").into_iter().map(|note| note.text).collect()
    };
    for _ in 0..200 {
        if !notes().await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        notes().await,
        ["📬 Пока этот WhatsApp был не на связи, вам писали:\n\
          • Анна, +7 903 111-22-33, 23.11 в 08:00: «Можно завтра в 15?» и ещё 1\n\
          • Вера, 23.11 в 08:00: голосовое сообщение\n\
          Прошло больше часа, поэтому я не отвечал. Ответьте, пожалуйста, сами."]
    );
    assert_eq!(desk.unanswered().await, Vec::<String>::new());
    // The next list has the next ones only.
    desk.hear([late("A4", text("Ау"))]).await;
    for _ in 0..200 {
        if notes().await.len() > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let second = notes().await.pop().expect("a list");
    assert!(second.contains("«Ау»\n") && !second.contains("Вера"), "{second}");
    stop.cancel();
    running.await.expect("ended well");
}

#[tokio::test]
async fn a_reaction_is_queued_for_a_message_of_the_chat_only() {
    let desk = Desk::open().await;
    desk.hear([desk.text("A1", "Здравствуйте!")]).await;
    let anna = Phone::parse(ANNA).expect("a phone");
    let id = outbox::react(&desk.app, desk.company, &anna, "A1", "❤️").await.expect("queued");
    let all = desk.all().await;
    let ours = all.last().expect("the reaction");
    assert_eq!((ours.author, ours.kind, ours.status), (Author::Bot, Kind::Reaction, Status::Queued));
    assert_eq!((ours.whatsapp_id.as_str(), ours.text.as_str(), ours.reaction_to.as_deref()), (id.as_str(), "❤️", Some("A1")));

    let unknown = outbox::react(&desk.app, desk.company, &anna, "A9", "❤️").await;
    assert!(matches!(unknown, Err(StoreError::NotFound("message"))), "{unknown:?}");
    let stranger = outbox::react(&desk.app, desk.company, &Phone::parse("79030000000").expect("a phone"), "A1", "❤️").await;
    assert!(matches!(stranger, Err(StoreError::NotFound("conversation"))), "{stranger:?}");
    let elsewhere = outbox::react(&desk.app, CompanyId(99), &anna, "A1", "❤️").await;
    assert!(matches!(elsewhere, Err(StoreError::NotFound("conversation"))), "{elsewhere:?}");
}
