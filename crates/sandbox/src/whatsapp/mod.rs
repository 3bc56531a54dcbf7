//! An emulator of WhatsApp: the servers that a linked device talks to, and the phones of salons and customers behind them.
//!
//! It speaks the real protocols – Noise over a WebSocket, binary stanzas, Signal sessions, signed device identities – so that a
//! client cannot tell the difference but by the server's root key. Each virtual phone holds its own Signal store; what a chat
//! shows has been decrypted there. Messages between two virtual phones never meet a client and are not encrypted.
//!
//! What it lacks answers `501 feature-not-implemented` and logs the stanza as a warning.

mod app_state;
mod connection;
mod content;
mod faults;
mod handset;
mod history;
mod linking;
mod media;
mod messages;
mod mock_phone;
mod noise;
mod octets;
mod passkey;
mod presence;
mod profile;
mod queries;
mod stanza;
mod world;

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::{get, post};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc};
use wacore_binary::Node;
use waproto::whatsapp as wa;

pub use self::content::{Attachment, Draft, File, Letter};
use self::faults::Way;
pub use self::faults::{Fault, FaultKind, NoSuchFault, Occasion};
use self::linking::QrTimes;
pub use self::presence::Doing;
use self::world::{Outgoing, Phase, Role, World};

/// Events that a slow listener may lag behind before it loses some.
const EVENT_BUFFER: usize = 4096;
/// WebSocket buffers are kept small: a thousand devices may be linked.
const SOCKET_BUFFER: usize = 4 * 1024;
/// The largest message a client may send; a device brings 812 one-time keys in about 40 KiB.
const LARGEST_MESSAGE: usize = 4 * 1024 * 1024;

/// Reads the calendar of the world: unix time in milliseconds.
pub type Calendar = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How an emulator is set up.
#[derive(Clone)]
pub struct Options {
    /// Times of messages come from here; the machinery of the protocol runs on real time.
    pub calendar: Calendar,
    /// `host:port` that clients are told to exchange files with: where [`Emulator::routes`] is served, by HTTPS as they speak it.
    pub media_host: String,
}

/// The servers and phones of a world; see the module.
pub struct Emulator {
    options: Options,
    world: Mutex<World>,
    events: broadcast::Sender<Event>,
    /// For what happens later, as long as there is a world.
    me: Weak<Self>,
}

/// A message as the customer's phone shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// The id its author gave it.
    pub id: String,
    /// Who wrote it.
    pub from: Side,
    /// The text; of a reaction its emoji (empty: taken back); of a file its caption; of a location `latitude,longitude name`;
    /// of a contact `name phone`.
    pub text: String,
    /// When it was written, by the world's calendar, unix milliseconds.
    pub at_ms: i64,
    /// What it is.
    pub kind: Kind,
    /// Of a reaction: the message it answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reaction_to: Option<String>,
    /// The message that it quotes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub quoted: Option<String>,
    /// The file in it, if the phone could open that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub media: Option<Attachment>,
    /// Its author has changed the text.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub edited: bool,
    /// The other side has read it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub read: bool,
}

/// The two sides of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The person who writes to the salon.
    Customer,
    /// The salon: its phone or a device linked to it.
    Salon,
}

/// Kinds of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Plain text.
    Text,
    /// An emoji on another message.
    Reaction,
    /// A voice message.
    Voice,
    /// A piece of music or other sound.
    Audio,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Any other file.
    Document,
    /// A sticker.
    Sticker,
    /// A place.
    Location,
    /// A card of an address book.
    Contact,
    /// It was deleted by its author.
    Revoked,
    /// Anything else; its text is empty.
    Other,
}

/// What happens in the world, for those who watch. Phones are digits without plus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A message appeared in the chat of a customer with a salon.
    Message {
        /// The salon's phone.
        salon: String,
        /// The customer's phone.
        customer: String,
        /// The message.
        message: ChatMessage,
    },
    /// The salon's device has acknowledged a customer's message.
    Acknowledged {
        /// The salon's phone.
        salon: String,
        /// The customer's phone.
        customer: String,
        /// The message's id.
        id: String,
        /// Blue ticks: the device says that it was read.
        read: bool,
    },
    /// The salon's device types, or has stopped.
    Typing {
        /// The salon's phone.
        salon: String,
        /// The customer's phone.
        customer: String,
        /// Whether it types.
        typing: bool,
    },
    /// A device was linked to this phone.
    Linked {
        /// The phone.
        phone: String,
    },
    /// A device was unlinked from this phone, by either end.
    Unlinked {
        /// The phone.
        phone: String,
    },
    /// A linked device came online.
    Connected {
        /// The phone.
        phone: String,
    },
    /// A linked device lost its connection.
    Disconnected {
        /// The phone.
        phone: String,
    },
}

/// Why a device could not be linked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LinkError {
    /// The text is no QR code of WhatsApp.
    #[error("this is not a WhatsApp QR code: {0}")]
    NotAQr(String),
    /// No device shows this code, or it shows another one by now.
    #[error("the QR code has expired")]
    Expired,
    /// The keys in the code are not those of the device that shows it.
    #[error("the QR code does not belong to the device that shows it")]
    WrongKeys,
    /// No device waits for a pairing code of this phone.
    #[error("no device waits for a code of this phone")]
    NoCodeAwaited,
    /// The code is not the one the device shows.
    #[error("the code is wrong")]
    WrongCode,
    /// The device refused what the phone signed.
    #[error("the device refused: {0}")]
    Refused(String),
    /// The device went away or did not answer within ten seconds.
    #[error("the device did not answer")]
    NoAnswer,
    /// The account asks for a passkey first; a device that has one goes on by itself.
    #[error("the account asks for a passkey")]
    PasskeyAsked,
    /// The phone itself failed.
    #[error("the phone failed: {0}")]
    Phone(String),
}

/// Why a phone could not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// There is no account of that number.
    #[error("no such WhatsApp account")]
    NoAccount,
    /// No such message in the chat.
    #[error("no such message in the chat")]
    NoMessage,
    /// Keys or ciphers failed.
    #[error("the phone failed: {0}")]
    Failed(#[from] anyhow::Error),
}

impl Emulator {
    /// An empty world.
    pub fn new(options: Options) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            options,
            world: Mutex::new(World::new()),
            events: broadcast::Sender::new(EVENT_BUFFER),
            me: me.clone(),
        })
    }

    /// `GET /ws/chat`: the WebSocket of WhatsApp; `/mms/…` and `/v/…`: its media host; `POST /admin/mock-phone/scan-qr`: a phone
    /// for whoever shows the QR code in the body, as the test server of the client libraries offers it. The listener should set `TCP_NODELAY`: stanzas are small and come in pairs, and
    /// every second one would wait 40 ms for the client's delayed acknowledgement.
    pub fn routes(self: Arc<Self>) -> Router {
        let upload = post(media::upload).layer(DefaultBodyLimit::max(media::LARGEST_FILE));
        Router::new()
            .route("/ws/chat", get(enter))
            .route("/mms/{kind}/{token}", upload)
            .route("/v/{token}", get(media::download))
            .route("/admin/mock-phone/scan-qr", post(mock_phone::scan_qr))
            .with_state(self)
    }

    /// The key that signs the server's certificates, for clients that verify them with a key they are given.
    pub fn root_key(&self) -> anyhow::Result<[u8; 32]> {
        self.world.lock().authority.root_public()
    }

    /// Makes the account of a phone (digits without plus) or renames it.
    pub fn ensure_account(&self, phone: &str, name: &str) -> Result<(), PhoneError> {
        name.clone_into(&mut self.world.lock().account(phone)?.name);
        Ok(())
    }

    /// Whether a device is linked to this phone.
    pub fn is_linked(&self, phone: &str) -> bool {
        self.world.lock().accounts.get(phone).is_some_and(|account| !account.companions.is_empty())
    }

    /// Whether a device linked to this phone is online and has taken everything that waited for it.
    pub fn is_online(&self, phone: &str) -> bool {
        let world = self.world.lock();
        world
            .connections
            .values()
            .any(|connection| matches!(&connection.role, Role::Companion { phone: of, phase: Phase::Live, .. } if of == phone))
    }

    /// Drops the connections of the phone's linked devices and refuses new ones until [`Emulator::online`].
    pub async fn offline(&self, phone: &str) -> Result<(), PhoneError> {
        let mut world = self.world.lock();
        world.account(phone)?.refusing = true;
        let connections: Vec<u64> = world.account(phone)?.companions.values().filter_map(|companion| companion.connection).collect();
        for connection in connections {
            world.close(connection);
        }
        Ok(())
    }

    /// Accepts connections of the phone's linked devices again.
    pub async fn online(&self, phone: &str) -> Result<(), PhoneError> {
        self.world.lock().account(phone)?.refusing = false;
        Ok(())
    }

    /// How long a device may show its first QR code and each of the next five, from now on.
    pub fn set_qr_times(&self, first: Duration, next: Duration) {
        self.world.lock().qr_times = QrTimes { first, next };
    }

    /// Whether the account of this phone is restricted: its devices may not write to those who have not written to it (463).
    pub fn restrict(&self, phone: &str, restricted: bool) -> Result<(), PhoneError> {
        self.world.lock().account(phone)?.restricted = restricted;
        Ok(())
    }

    /// Everything that happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// A file in the chat of two phones as it was before its encryption, with its media type.
    pub fn file(&self, customer: &str, salon_phone: &str, message_id: &str) -> Result<(String, Vec<u8>), PhoneError> {
        self.world.lock().file(customer, salon_phone, message_id)
    }

    /// The whole state with all keys, for [`Emulator::restore`]. Connections are not part of it.
    pub fn snapshot(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::to_value(&*self.world.lock())
    }

    /// Replaces the state by a snapshot; clients are disconnected and find their sessions when they return.
    pub fn restore(&self, snapshot: serde_json::Value) -> serde_json::Result<()> {
        let mut restored: World = serde_json::from_value(snapshot)?;
        let mut world = self.world.lock();
        restored.succeed(&world);
        *world = restored;
        Ok(())
    }

    /// Decides what a client is that has finished its handshake.
    fn admit(&self, outbox: mpsc::UnboundedSender<Outgoing>, payload: &wa::ClientPayload, client_key: [u8; 32]) -> u64 {
        let mut world = self.world.lock();
        match (payload.username, payload.device_pairing_data.as_option()) {
            (Some(username), _) => {
                let device = payload.device.and_then(|device| u16::try_from(device).ok()).unwrap_or(0);
                self.log_in(&mut world, outbox, &username.to_string(), device, client_key)
            }
            (None, Some(registration)) => {
                let name = payload.push_name.clone().unwrap_or_default();
                self.show_refs(&mut world, outbox, registration, client_key, name)
            }
            (None, None) => {
                tracing::warn!("a client neither logs in nor wants to be linked");
                refuse(&mut world, outbox, Some(400))
            }
        }
    }

    fn log_in(&self, world: &mut World, outbox: mpsc::UnboundedSender<Outgoing>, phone: &str, device: u16, client_key: [u8; 32]) -> u64 {
        let known = world.accounts.get(phone).and_then(|account| Some((account, account.companions.get(&device)?)));
        let Some((account, companion)) = known else {
            tracing::info!("a client that is not linked any more was turned away");
            return refuse(world, outbox, Some(401));
        };
        if *companion.noise_key != client_key {
            tracing::warn!("a client logs in with another device's name");
            return refuse(world, outbox, Some(401));
        }
        if account.refusing {
            return refuse(world, outbox, None);
        }
        let success = stanza::success(account, device);
        let previous = companion.connection;
        let fault = world.fault_of_login(phone);
        if let Some(FaultKind::Status(code)) = fault
            && !faults::ends_stream(code)
        {
            let failure = self.refused_login(world, phone, device, code);
            let connection = world.connect(outbox, Role::Leaving);
            world.dismiss(connection, failure);
            return connection;
        }
        if let Some(previous) = previous {
            world.dismiss(previous, stanza::stream_error(None, Some("replaced")));
        }
        let connection = world.connect(outbox, Role::companion(phone, device));
        if let Some(companion) = world.companion(phone, device) {
            companion.connection = Some(connection);
            companion.queue.iter_mut().for_each(|waiting| waiting.sent = false);
        }
        if let Some(fault) = fault {
            self.end_stream(world, connection, fault);
            return connection;
        }
        world.send(connection, success);
        self.tell(Event::Connected { phone: phone.to_owned() });
        connection
    }

    /// Handles one stanza of a client.
    fn receive(&self, connection: u64, node: &Node) {
        tracing::trace!(connection, stanza = %wacore::xml::DisplayableNode(node), "from the client");
        let mut world = self.world.lock();
        let Some(role) = world.connections.get(&connection).map(|connection| &connection.role) else { return };
        let device = match role {
            Role::Companion { phone, device, .. } => Some((phone.clone(), *device)),
            Role::Pairing(_) => None,
            Role::Leaving => return,
        };
        let phone = device.as_ref().map(|(phone, _)| phone.as_str());
        let fault = world.fault_of(phone, Way::FromDevice, node);
        match fault {
            Some(FaultKind::Drop) => return,
            Some(FaultKind::Status(code)) if node.tag == "iq" => {
                return world.send(connection, stanza::error(&stanza::attr(node, "id"), code, "fault"));
            }
            Some(fault @ (FaultKind::DisconnectBefore | FaultKind::Status(_) | FaultKind::Replaced)) => {
                return self.end_stream(&mut world, connection, fault);
            }
            _ => {}
        }
        match (node.tag.as_ref(), device) {
            ("iq", device) => self.query(&mut world, connection, device, node),
            ("message", Some((phone, device))) => self.message(&mut world, connection, &phone, device, node, fault),
            ("receipt", Some((phone, device))) => self.receipt(&mut world, connection, &phone, device, node),
            ("ack", Some((phone, device))) => self.acknowledged(&mut world, &phone, device, node),
            ("ack", None) => {}
            ("chatstate", Some((phone, _))) => self.chat_state(&mut world, &phone, node),
            ("presence", Some((phone, _))) => self.presence(&mut world, connection, &phone, node),
            ("presence", None) => {}
            ("ib", device) => self.information(&mut world, connection, device, node),
            _ => tracing::warn!(stanza = %wacore::xml::DisplayableNode(node), "a stanza that the emulator does not know"),
        }
    }

    /// `<ib>`: batches of waiting messages are asked for here; the rest is for the server's statistics.
    fn information(&self, world: &mut World, connection: u64, device: Option<(String, u16)>, node: &Node) {
        for child in node.children().unwrap_or_default() {
            match (child.tag.as_ref(), &device) {
                ("offline_batch", Some((phone, device))) => {
                    let count = stanza::attr(child, "count").parse().unwrap_or(1);
                    self.next_batch(world, connection, phone, *device, count);
                }
                ("unified_session", _) => {}
                (other, _) => tracing::warn!(child = other, "information that the emulator does not know"),
            }
        }
    }

    fn gone(&self, connection: u64) {
        let ended = self.world.lock().disconnected(connection);
        if let Some((phone, _)) = ended {
            self.tell(Event::Disconnected { phone });
        }
    }

    fn tell(&self, event: Event) {
        // Nobody listens: nobody misses it.
        let _ = self.events.send(event);
    }

    /// Seconds of the world's calendar, as stanzas carry them.
    fn calendar_secs(&self) -> i64 {
        (self.options.calendar)().div_euclid(1000)
    }
}

/// Turns a client away: with a reason, or by silence as when there is no network.
fn refuse(world: &mut World, outbox: mpsc::UnboundedSender<Outgoing>, reason: Option<u16>) -> u64 {
    let connection = world.connect(outbox, Role::Leaving);
    match reason {
        Some(reason) => world.dismiss(connection, stanza::failure(reason).build()),
        None => world.close(connection),
    }
    connection
}

async fn enter(State(emulator): State<Arc<Emulator>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .read_buffer_size(SOCKET_BUFFER)
        .write_buffer_size(0)
        .max_message_size(LARGEST_MESSAGE)
        .on_upgrade(|socket| connection::serve(emulator, socket))
}
