//! A world with a salon, and whatsapp-rust in it.

use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use sandbox::whatsapp::{Emulator, Options};
use tokio::sync::mpsc;
use wacore::net::{HttpClient, HttpRequest, HttpResponse};
use wacore::store::in_memory::InMemoryBackend;
use wacore::types::presence::{ChatPresence, ChatPresenceMedia, ReceiptType};
use whatsapp_rust::bot::Provided;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::prelude::*;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;

pub(crate) const SALON: &str = "74951234567";
pub(crate) const CUSTOMER: &str = "79161234567";
/// Where the calendar of these worlds stands: 2026-11-23 10:00 in Moscow.
pub(crate) const NOW_MS: i64 = 1_795_417_200_000;
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An emulator on a port of its own, with a salon's account in it.
pub(crate) struct World {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) url: String,
    /// What clients have asked the media host for: method and address.
    pub(crate) asked: Asked,
}

pub(crate) type Asked = Arc<parking_lot::Mutex<Vec<String>>>;

pub(crate) async fn world() -> World {
    // `RUST_LOG=sandbox=trace` shows every stanza.
    let _ = tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).with_test_writer().try_init();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let emulator = Emulator::new(Options { calendar: Arc::new(|| NOW_MS), media_host: address.to_string() });
    emulator.ensure_account(SALON, "Студия Лира").expect("a phone number");
    let url = format!("ws://{address}/ws/chat");
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a TCP stream"));
    tokio::spawn(axum::serve(listener, Arc::clone(&emulator).routes()).into_future());
    World { emulator, url, asked: Asked::default() }
}

/// What a client told its owner.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Qr(String),
    Code(String),
    Connected,
    LoggedOut,
    Replaced,
    Text {
        from_me: bool,
        chat: String,
        alias: Option<String>,
        name: String,
        id: String,
        text: String,
        at: i64,
        quoted: Option<String>,
    },
    /// A message that is neither text nor a reaction.
    Other {
        edit: String,
        message: Box<wa::Message>,
    },
    Reaction {
        to: String,
        emoji: String,
    },
    Receipt {
        ids: Vec<String>,
        read: bool,
    },
    Ack {
        id: String,
        error: Option<String>,
    },
    About {
        from: String,
        text: String,
    },
    Picture {
        from: String,
        id: Option<String>,
    },
    OwnName(String),
    Banned {
        code: i32,
        secs: i64,
    },
    Outdated,
    Failed(i32),
    CodeRefused(String),
    Typing {
        chat: String,
        typing: bool,
        voice: bool,
    },
    Presence {
        from: String,
        unavailable: bool,
    },
    /// The chats of the phone, each with its texts.
    History(Vec<(String, Vec<String>)>),
    PasskeyAsked(String),
    PasskeyCode(String),
}

pub(crate) type Builder = BotBuilder<Provided, Provided, Provided, Provided>;

/// A client with its events; the storage outlives it.
pub(crate) struct Session {
    pub(crate) handle: BotHandle,
    pub(crate) events: mpsc::UnboundedReceiver<Told>,
}

pub(crate) async fn start(world: &World, storage: &Arc<InMemoryBackend>, pair_code: Option<PairCodeOptions>) -> Session {
    start_with(world, storage, |builder| match pair_code {
        Some(options) => builder.with_pair_code(options),
        None => builder,
    })
    .await
}

pub(crate) async fn start_with(world: &World, storage: &Arc<InMemoryBackend>, more: impl FnOnce(Builder) -> Builder) -> Session {
    let (told, events) = mpsc::unbounded_channel();
    let builder = Bot::builder()
        .with_backend_arc(storage.clone())
        .with_transport_factory(TokioWebSocketTransportFactory::new().with_url(&world.url))
        .with_http_client(PlainHttp(whatsapp_rust::http::UreqHttpClient::new(), Arc::clone(&world.asked)))
        .with_runtime(TokioRuntime)
        .with_version((2, 3000, 1_023_223_821))
        .skip_history_sync()
        .with_wanted_pre_key_count(30)
        .with_event_delivery(EventDelivery::Ordered { capacity: 1024 })
        .on_event(move |event, _| {
            let told = told.clone();
            async move {
                for item in translate(&event) {
                    let _ = told.send(item);
                }
            }
        });
    let handle = more(builder).build().await.expect("a client").spawn();
    Session { handle, events }
}

pub(crate) fn translate(event: &Event) -> Vec<Told> {
    match event {
        Event::PairingQrCode(qr) => vec![Told::Qr(qr.code.clone())],
        Event::PairingCode(code) => vec![Told::Code(code.code.clone())],
        Event::Connected(_) => vec![Told::Connected],
        Event::LoggedOut(_) => vec![Told::LoggedOut],
        Event::StreamReplaced(_) => vec![Told::Replaced],
        Event::Receipt(receipt) => vec![Told::Receipt { ids: receipt.message_ids.clone(), read: receipt.r#type == ReceiptType::Read }],
        Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => {
            vec![Told::Ack { id: ack.id.clone(), error: ack.error.clone() }]
        }
        Event::TemporaryBan(ban) => vec![Told::Banned { code: ban.code.code(), secs: ban.expire.num_seconds() }],
        Event::UserAboutUpdate(update) => vec![Told::About { from: update.jid.to_string(), text: update.status.clone() }],
        Event::PictureUpdate(update) => vec![Told::Picture { from: update.jid.to_string(), id: update.picture_id.clone() }],
        Event::SelfPushNameUpdated(update) => vec![Told::OwnName(update.new_name.clone())],
        Event::ClientOutdated(_) => vec![Told::Outdated],
        Event::ConnectFailure(failure) => vec![Told::Failed(failure.reason.code())],
        Event::PairingCodeError(error) => vec![Told::CodeRefused(format!("{error:?}"))],
        Event::ChatPresence(update) => vec![Told::Typing {
            chat: update.source.chat.to_string(),
            typing: update.state == ChatPresence::Composing,
            voice: update.media == ChatPresenceMedia::Audio,
        }],
        Event::Presence(update) => vec![Told::Presence { from: update.from.to_string(), unavailable: update.unavailable }],
        Event::PairPasskeyRequest(asked) => vec![Told::PasskeyAsked(asked.request_options_json.clone())],
        Event::PairPasskeyConfirmation(confirmation) => vec![Told::PasskeyCode(confirmation.code.clone())],
        Event::HistorySync(history) => history.get().map(|history| Told::History(chats(history))).into_iter().collect(),
        Event::Messages(_) => event.messages().filter_map(|inbound| translate_message(&inbound.message, &inbound.info)).collect(),
        _ => Vec::new(),
    }
}

pub(crate) fn translate_message(message: &wa::Message, info: &MessageInfo) -> Option<Told> {
    if let Some(reaction) = message.reaction_message.as_option() {
        return Some(Told::Reaction { to: reaction.key.as_option()?.id.clone()?, emoji: reaction.text.clone().unwrap_or_default() });
    }
    let extended = message.extended_text_message.as_option();
    if message.conversation.is_none() && extended.is_none() {
        return Some(Told::Other { edit: info.edit.to_string_val().to_owned(), message: Box::new(message.clone()) });
    }
    Some(Told::Text {
        quoted: extended.and_then(|text| text.context_info.as_option()?.stanza_id.clone()),
        from_me: info.source.is_from_me,
        chat: info.source.chat.to_string(),
        alias: info.source.sender_alt.as_ref().map(ToString::to_string),
        name: info.push_name.clone(),
        id: info.id.clone(),
        text: message.text_content()?.to_owned(),
        at: info.timestamp.timestamp(),
    })
}

impl Session {
    /// Waits for the first event that `wanted` takes; the others are passed over.
    pub(crate) async fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(Told) -> Option<T>) -> T {
        let search = async {
            loop {
                let told = self.events.recv().await.unwrap_or_else(|| panic!("the client ended before: {what}"));
                if let Some(found) = wanted(told) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
    }

    pub(crate) async fn connected(&mut self) {
        self.wait("connected", |told| (told == Told::Connected).then_some(())).await;
    }

    pub(crate) async fn qr(&mut self) -> String {
        self.wait("a QR code", |told| if let Told::Qr(code) = told { Some(code) } else { None }).await
    }

    pub(crate) async fn text(&mut self) -> (String, String) {
        self.wait("a text", |told| if let Told::Text { id, text, .. } = told { Some((id, text)) } else { None }).await
    }

    /// Everything told within a moment.
    pub(crate) async fn rest(&mut self) -> Vec<Told> {
        let mut rest = Vec::new();
        while let Ok(Some(told)) = tokio::time::timeout(Duration::from_millis(400), self.events.recv()).await {
            rest.push(told);
        }
        rest
    }
}

/// A salon whose phone has scanned the client's QR code.
pub(crate) async fn linked(world: &World, storage: &Arc<InMemoryBackend>) -> Session {
    let mut session = start(world, storage, None).await;
    let qr = session.qr().await;
    world.emulator.scan_qr(SALON, &qr).await.expect("linked");
    session.connected().await;
    session
}

pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"));
}

pub(crate) async fn customer_says(world: &World, text: &str) -> String {
    world.emulator.customer_writes(CUSTOMER, Some("Мария"), SALON, text, None).await.expect("sent")
}

pub(crate) async fn customer_jid(session: &mut Session, world: &World) -> Jid {
    customer_says(world, "здравствуйте").await;
    let chat = session.wait("a text", |told| if let Told::Text { chat, .. } = told { Some(chat) } else { None }).await;
    chat.parse().expect("an address")
}

/// Speaks HTTP where the library asks for HTTPS: these worlds have no certificates.
struct PlainHttp(whatsapp_rust::http::UreqHttpClient, Asked);

fn plain(mut request: HttpRequest) -> HttpRequest {
    request.url = request.url.replacen("https://", "http://", 1);
    request
}

#[async_trait::async_trait]
impl HttpClient for PlainHttp {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        self.1.lock().push(format!("{} {}", request.method, request.url));
        self.0.execute(plain(request)).await
    }
}

fn chats(history: &wa::HistorySync) -> Vec<(String, Vec<String>)> {
    let texts = |chat: &wa::Conversation| {
        let messages = chat.messages.iter().filter_map(|entry| entry.message.as_option()?.message.as_option()?.conversation.clone());
        (chat.id.clone(), messages.collect())
    };
    history.conversations.iter().map(texts).collect()
}
