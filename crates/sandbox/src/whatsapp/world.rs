//! Everything the emulator remembers: accounts, their devices, what waits for them, and the chats.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use wacore_binary::{Jid, Node, Server};
use waproto::buffa::MessageField;
use waproto::whatsapp as wa;

use super::app_state::AppState;
use super::content::{self, Reference};
use super::faults::Rule;
use super::handset::Handset;
use super::linking::QrTimes;
use super::media::Files;
use super::noise::Authority;
use super::octets::Octets;
use super::passkey::PasskeyLink;
use super::profile::Profile;
use super::{ChatMessage, LinkError, PhoneError, Side};

#[derive(Serialize, Deserialize)]
pub(super) struct World {
    pub(super) authority: Authority,
    pub(super) accounts: HashMap<String, Account>,
    chats: HashMap<String, Vec<Entry>>,
    #[serde(default)]
    pub(super) files: Files,
    #[serde(skip)]
    lids: HashMap<String, String>,
    #[serde(skip)]
    pub(super) connections: HashMap<u64, Connection>,
    #[serde(skip)]
    last_connection: u64,
    /// Pairing references on show, each with the connection that shows it.
    #[serde(skip)]
    pub(super) qr_refs: HashMap<String, QrRef>,
    /// Linking by code under way, by the phone that should confirm it.
    #[serde(skip)]
    pub(super) codes: HashMap<String, CodeRequest>,
    #[serde(skip)]
    pub(super) faults: Vec<Rule>,
    /// How often a phone has asked a device for a message that it could not open, by phone, device and id.
    #[serde(skip)]
    pub(super) asked_again: HashMap<(String, String, String), u32>,
    #[serde(skip)]
    pub(super) qr_times: QrTimes,
    /// The phones of those who were linked by nothing but the name they gave.
    #[serde(default)]
    pub(super) named: BTreeMap<String, String>,
}

/// An account: a phone number, its hidden identity, the primary phone and the devices linked to it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) phone: String,
    pub(super) lid: String,
    pub(super) name: String,
    pub(super) handset: Handset,
    pub(super) companions: BTreeMap<u16, Companion>,
    /// Numbers of linked devices and of their keys only grow, as on the real service.
    pub(super) last_device: u16,
    pub(super) last_key_index: u32,
    /// Names this account's generation of linked devices in signed lists.
    pub(super) raw_id: u32,
    /// The phone is "offline": connections of its linked devices are refused.
    pub(super) refusing: bool,
    /// Whether somebody looks at the phone, and when that was last so (unix seconds), once it is known.
    #[serde(skip)]
    pub(super) presence: Option<Presence>,
    /// Others know the account by its hidden identity only.
    #[serde(default)]
    pub(super) hidden: bool,
    /// A device that is to be linked has to show a passkey.
    #[serde(default)]
    pub(super) passkey: bool,
    /// Its devices may answer, and write to nobody else.
    #[serde(default)]
    pub(super) restricted: bool,
    /// Strangers may not write to it (463), unless they show a token that it gave them.
    #[serde(default)]
    pub(super) refuses_strangers: bool,
    /// Its phone lies somewhere without a screen: it tells nobody what came to it.
    #[serde(default)]
    pub(super) silent: bool,
    #[serde(default)]
    pub(super) profile: Profile,
    /// Who may write to it unasked, by the token that each of them was given.
    #[serde(default)]
    pub(super) trusted: BTreeMap<String, Octets>,
    pub(super) app_state: Option<AppState>,
}

impl Account {
    pub(super) fn pn_jid(&self) -> Jid {
        Jid::pn(self.phone.as_str())
    }

    /// The number as others see it.
    pub(super) fn shown_number(&self) -> Option<Jid> {
        (!self.hidden).then(|| self.pn_jid())
    }

    pub(super) fn lid_jid(&self) -> Jid {
        Jid::lid(self.lid.as_str())
    }
}

/// Whether somebody looks at a phone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presence {
    pub(super) available: bool,
    /// Unix seconds of the world's calendar.
    pub(super) since: i64,
}

/// A linked device as the server knows it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Companion {
    pub(super) key_index: u32,
    pub(super) noise_key: Octets,
    pub(super) identity: Octets,
    pub(super) registration_id: u32,
    pub(super) signed_prekey: PublishedKey,
    pub(super) prekeys: BTreeMap<u32, Octets>,
    /// `ADVSignedDeviceIdentity` with the signatures of account and device.
    pub(super) device_identity: Octets,
    pub(super) app_state_key_shared: bool,
    /// Told that its one-time keys run out, and has not brought new ones since.
    pub(super) asked_for_prekeys: bool,
    pub(super) queue: VecDeque<Waiting>,
    /// Who typed while nobody was there, and since when.
    #[serde(skip)]
    pub(super) typed: Vec<(Instant, Node)>,
    #[serde(skip)]
    pub(super) connection: Option<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PublishedKey {
    pub(super) id: u32,
    pub(super) value: Octets,
    pub(super) signature: Octets,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Class {
    Message,
    Receipt,
    Notification,
}

impl Class {
    pub(super) fn name(self) -> &'static str {
        match self {
            Class::Message => "message",
            Class::Receipt => "receipt",
            Class::Notification => "notification",
        }
    }
}

/// A stanza that a linked device has not acknowledged yet.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) class: Class,
    pub(super) id: String,
    /// The phone it came from.
    pub(super) author: String,
    /// Between the account's own devices: no chat shows it.
    pub(super) peer: bool,
    pub(super) stanza: Octets,
    /// The padded plaintext, which the author's phone keeps in case the device asks again.
    pub(super) plaintext: Octets,
    #[serde(skip)]
    pub(super) sent: bool,
}

impl Waiting {
    /// This very stanza, and the device has been given it since it came.
    pub(super) fn is_delivered(&self, class: Class, author: &str, id: &str) -> bool {
        self.sent && self.class == class && self.author == author && self.id == id
    }
}

/// One entry of a conversation between two phones.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    author: String,
    message: ChatMessage,
    /// The message itself, as others quote it.
    #[serde(default)]
    body: Octets,
}

pub(super) enum Outgoing {
    Stanza(Node),
    /// The connection breaks.
    Close,
    /// The client has been told to go; the connection ends when it does, or soon.
    Leave,
}

pub(super) struct Connection {
    pub(super) outbox: mpsc::UnboundedSender<Outgoing>,
    pub(super) role: Role,
    /// Stanzas that a fault lets come after the next one.
    pub(super) held: Vec<Node>,
}

pub(super) enum Role {
    /// A device that shows a QR code or waits for a pairing code.
    Pairing(Box<Pairing>),
    Companion {
        phone: String,
        device: u16,
        phase: Phase,
        /// Says that somebody is there: only then it is told who types.
        available: bool,
        /// Phones whose presence it wants to know.
        watched: HashSet<String>,
    },
    /// Told to go; what it still says is ignored.
    Leaving,
}

impl Role {
    /// A linked device that has just logged in.
    pub(super) fn companion(phone: &str, device: u16) -> Self {
        Self::Companion { phone: phone.to_owned(), device, phase: Phase::Passive, available: false, watched: HashSet::new() }
    }
}

/// How far a linked device has come since its login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// Logged in, has not asked for messages yet.
    Passive,
    /// Collects what waited for it, in batches of its own asking; so many announced stanzas are left.
    Catching(usize),
    Live,
}

/// What a device that wants to be linked said about itself.
pub(super) struct Pairing {
    pub(super) noise_key: [u8; 32],
    pub(super) identity: [u8; 32],
    pub(super) registration_id: u32,
    pub(super) signed_prekey: PublishedKey,
    pub(super) attempt: Option<LinkAttempt>,
    /// The account asks for a passkey.
    pub(super) passkey: Option<PasskeyLink>,
    /// The name under which the device's owner shows up, if it says so.
    pub(super) push_name: String,
}

/// A phone has agreed; the device's own signature is awaited.
pub(super) struct LinkAttempt {
    pub(super) request_id: String,
    pub(super) phone: String,
    pub(super) device: u16,
    pub(super) key_index: u32,
    pub(super) done: oneshot::Sender<Result<(), LinkError>>,
}

pub(super) struct QrRef {
    pub(super) connection: u64,
    pub(super) valid_until: Instant,
}

pub(super) struct CodeRequest {
    pub(super) connection: u64,
    pub(super) reference: Vec<u8>,
    pub(super) wrapped_ephemeral: Vec<u8>,
    pub(super) valid_until: Instant,
    /// The private half of the phone's ephemeral key and whom to tell, once somebody typed a code.
    pub(super) confirming: Option<Confirming>,
}

pub(super) struct Confirming {
    pub(super) ephemeral: wacore_libsignal::protocol::KeyPair,
    pub(super) companion_ephemeral: [u8; 32],
    pub(super) done: oneshot::Sender<Result<(), LinkError>>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            authority: Authority::generate(),
            accounts: HashMap::new(),
            chats: HashMap::new(),
            files: Files::default(),
            lids: HashMap::new(),
            connections: HashMap::new(),
            last_connection: 0,
            qr_refs: HashMap::new(),
            codes: HashMap::new(),
            faults: Vec::new(),
            asked_again: HashMap::new(),
            qr_times: QrTimes::default(),
            named: BTreeMap::new(),
        }
    }

    /// Takes the place of another world: its clients have to come back, and no new connection may be taken for one of theirs.
    pub(super) fn succeed(&mut self, previous: &World) {
        for connection in previous.connections.keys() {
            previous.close(*connection);
        }
        self.last_connection = previous.last_connection;
        self.lids = self.accounts.values().map(|account| (account.lid.clone(), account.phone.clone())).collect();
    }

    /// The account of a phone number, made on first use: in this world everybody has WhatsApp.
    pub(super) fn account(&mut self, phone: &str) -> anyhow::Result<&mut Account> {
        anyhow::ensure!(is_phone(phone), "not a phone number: digits without plus are expected");
        if !self.accounts.contains_key(phone) {
            let lid = std::iter::repeat_with(|| format!("{}", 100_000_000_000_000 + rand::random::<u64>() % 99_999_999_999_999))
                .find(|lid| !self.lids.contains_key(lid))
                .ok_or_else(|| anyhow::anyhow!("no identity is left"))?;
            self.lids.insert(lid.clone(), phone.to_owned());
            let account = Account {
                phone: phone.to_owned(),
                lid,
                name: String::new(),
                handset: Handset::generate()?,
                companions: BTreeMap::new(),
                last_device: 0,
                last_key_index: 0,
                raw_id: rand::random(),
                refusing: false,
                presence: None,
                hidden: false,
                passkey: false,
                restricted: false,
                refuses_strangers: false,
                silent: false,
                profile: Profile::default(),
                trusted: BTreeMap::new(),
                app_state: None,
            };
            self.accounts.insert(phone.to_owned(), account);
        }
        self.accounts.get_mut(phone).ok_or_else(|| anyhow::anyhow!("the account vanished"))
    }

    /// The phone number and device that an address means, whichever of its two names it uses.
    pub(super) fn resolve(&mut self, jid: &Jid) -> Option<(String, u16)> {
        match jid.server {
            Server::Pn => {
                let phone = jid.user_base().to_owned();
                self.account(&phone).ok()?;
                Some((phone, jid.device))
            }
            Server::Lid => self.lids.get(jid.user_base()).map(|phone| (phone.clone(), jid.device)),
            _ => None,
        }
    }

    pub(super) fn companion(&mut self, phone: &str, device: u16) -> Option<&mut Companion> {
        self.accounts.get_mut(phone)?.companions.get_mut(&device)
    }

    pub(super) fn connect(&mut self, outbox: mpsc::UnboundedSender<Outgoing>, role: Role) -> u64 {
        self.last_connection += 1;
        self.connections.insert(self.last_connection, Connection { outbox, role, held: Vec::new() });
        self.last_connection
    }

    pub(super) fn send(&self, connection: u64, node: Node) {
        if let Some(connection) = self.connections.get(&connection) {
            // The other end may be gone already; its reader will say so.
            let _ = connection.outbox.send(Outgoing::Stanza(node));
        }
    }

    pub(super) fn close(&self, connection: u64) {
        if let Some(connection) = self.connections.get(&connection) {
            let _ = connection.outbox.send(Outgoing::Close);
        }
    }

    /// Says why the client has to go, and hears it no more.
    pub(super) fn dismiss(&mut self, connection: u64, reason: Node) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.role = Role::Leaving;
            let _ = connection.outbox.send(Outgoing::Stanza(reason));
            let _ = connection.outbox.send(Outgoing::Leave);
        }
    }

    /// Forgets a connection; returns the phone and device that were logged in on it.
    pub(super) fn disconnected(&mut self, connection: u64) -> Option<(String, u16)> {
        let gone = self.connections.remove(&connection)?;
        self.qr_refs.retain(|_, shown| shown.connection != connection);
        self.codes.retain(|_, request| request.connection != connection);
        let Role::Companion { phone, device, .. } = gone.role else { return None };
        let companion = self.companion(&phone, device)?;
        if companion.connection != Some(connection) {
            return None;
        }
        companion.connection = None;
        Some((phone, device))
    }

    /// Adds to the chat of two phones unless that author's message is there already; returns what it shows then.
    pub(super) fn record(&mut self, author: &str, other: &str, message: ChatMessage, body: &wa::Message) -> Option<ChatMessage> {
        let chat = self.chats.entry(chat_key(author, other)).or_default();
        if chat.iter().any(|entry| entry.author == author && entry.message.id == message.id) {
            return None;
        }
        let body = Octets::from(waproto::codec::message_to_vec(body));
        chat.push(Entry { author: author.to_owned(), message: message.clone(), body });
        Some(message)
    }

    /// Changes a message of that author in the chat of two phones; returns what it shows then.
    pub(super) fn amend(&mut self, author: &str, other: &str, id: &str, change: impl FnOnce(&mut ChatMessage)) -> Option<ChatMessage> {
        let chat = self.chats.get_mut(&chat_key(author, other))?;
        let entry = chat.iter_mut().find(|entry| entry.author == author && entry.message.id == id)?;
        change(&mut entry.message);
        Some(entry.message.clone())
    }

    /// A message of the chat of two phones, as one of them points to it.
    pub(super) fn refer(&self, writer: &str, other: &str, id: &str) -> Result<Reference, PhoneError> {
        let chat = self.chats.get(&chat_key(writer, other)).ok_or(PhoneError::NoMessage)?;
        let entry = chat.iter().find(|entry| entry.message.id == id).ok_or(PhoneError::NoMessage)?;
        let lid = |phone: &str| self.accounts.get(phone).map(|account| account.lid_jid().to_string()).ok_or(PhoneError::NoAccount);
        Ok(Reference {
            id: id.to_owned(),
            chat: lid(other)?,
            author: lid(&entry.author)?,
            own: entry.author == writer,
            message: waproto::codec::message_decode(&entry.body).map_err(anyhow::Error::from)?,
        })
    }

    /// A file in the chat of two phones, decrypted, with its media type.
    pub(super) fn file(&self, one: &str, other: &str, id: &str) -> Result<(String, Vec<u8>), PhoneError> {
        let chat = self.chats.get(&chat_key(one, other)).ok_or(PhoneError::NoMessage)?;
        let entry = chat.iter().find(|entry| entry.message.id == id).ok_or(PhoneError::NoMessage)?;
        let body = waproto::codec::message_decode(&entry.body).map_err(anyhow::Error::from)?;
        let content::Read::Shows(content) = content::read(&body) else { return Err(PhoneError::NoMessage) };
        let file = content.file.ok_or(PhoneError::NoMessage)?;
        let (kind, _) = content::media_type(content.kind).ok_or(PhoneError::NoMessage)?;
        Ok((file.mimetype.clone(), self.files.open(&file, kind)?))
    }

    pub(super) fn chat(&self, customer: &str, salon: &str) -> Vec<ChatMessage> {
        let entries = self.chats.get(&chat_key(customer, salon)).map(Vec::as_slice).unwrap_or_default();
        entries
            .iter()
            .map(|entry| ChatMessage { from: if entry.author == salon { Side::Salon } else { Side::Customer }, ..entry.message.clone() })
            .collect()
    }

    /// The phones that have a chat with this one.
    pub(super) fn acquaintances(&self, phone: &str) -> Vec<String> {
        self.chats.keys().filter_map(|key| other_of(key, phone)).filter(|other| *other != phone).map(str::to_owned).collect()
    }

    /// Whether somebody has ever written to a phone.
    pub(super) fn has_written(&self, author: &str, to: &str) -> bool {
        self.chats.get(&chat_key(author, to)).is_some_and(|chat| chat.iter().any(|entry| entry.author == author))
    }

    /// The chats of a phone with their last messages, as it hands them to a new device.
    pub(super) fn conversations(&self, phone: &str, last: usize) -> anyhow::Result<Vec<wa::Conversation>> {
        let mut conversations = Vec::new();
        for (key, chat) in &self.chats {
            let Some(other) = other_of(key, phone) else { continue };
            let Some(account) = self.accounts.get(other) else { continue };
            let id = account.lid_jid().to_string();
            let messages = chat.iter().skip(chat.len().saturating_sub(last)).map(|entry| {
                let info = wa::WebMessageInfo {
                    key: MessageField::some(wa::MessageKey {
                        remote_jid: Some(id.clone()),
                        from_me: Some(entry.author == phone),
                        id: Some(entry.message.id.clone()),
                        participant: None,
                    }),
                    message: MessageField::some(waproto::codec::message_decode(&entry.body)?),
                    message_timestamp: Some(entry.message.at_ms.div_euclid(1000).unsigned_abs()),
                    ..Default::default()
                };
                Ok(wa::HistorySyncMsg { message: MessageField::some(info), ..Default::default() })
            });
            let messages = messages.collect::<anyhow::Result<_>>()?;
            let name = Some(account.name.clone()).filter(|name| !name.is_empty());
            conversations.push(wa::Conversation { id: id.clone(), messages, name, ..Default::default() });
        }
        Ok(conversations)
    }

    pub(super) fn author_of(&self, customer: &str, salon: &str, id: &str) -> Option<String> {
        let chat = self.chats.get(&chat_key(customer, salon))?;
        chat.iter().find(|entry| entry.message.id == id).map(|entry| entry.author.clone())
    }
}

/// The name of a device in the Signal stores of the phones.
pub(super) fn device_name(phone: &str, device: u16) -> String {
    format!("{phone}:{device}")
}

fn chat_key(one: &str, other: &str) -> String {
    if one <= other { format!("{one}|{other}") } else { format!("{other}|{one}") }
}

/// The other phone of a chat that this one takes part in.
fn other_of<'a>(chat_key: &'a str, phone: &str) -> Option<&'a str> {
    let (one, two) = chat_key.split_once('|')?;
    if one == phone { Some(two) } else { (two == phone).then_some(one) }
}

/// E.164 without the plus.
fn is_phone(text: &str) -> bool {
    (7..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
