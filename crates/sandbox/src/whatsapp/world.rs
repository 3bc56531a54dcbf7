//! Everything the emulator remembers: accounts, their devices, what waits for them, and the chats.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use wacore_binary::{Jid, Node, Server};

use super::app_state::AppState;
use super::handset::Handset;
use super::noise::Authority;
use super::octets::Octets;
use super::{ChatMessage, Fault, LinkError, Side};

#[derive(Serialize, Deserialize)]
pub(super) struct World {
    pub(super) authority: Authority,
    pub(super) accounts: HashMap<String, Account>,
    chats: HashMap<String, Vec<Entry>>,
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
    pub(super) faults: Vec<Fault>,
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
    /// A salon's phone; in a chat with it the other side is the customer.
    #[serde(default)]
    pub(super) salon: bool,
    pub(super) app_state: Option<AppState>,
}

impl Account {
    pub(super) fn pn_jid(&self) -> Jid {
        Jid::pn(self.phone.as_str())
    }

    pub(super) fn lid_jid(&self) -> Jid {
        Jid::lid(self.lid.as_str())
    }
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
}

impl Class {
    pub(super) fn name(self) -> &'static str {
        match self {
            Class::Message => "message",
            Class::Receipt => "receipt",
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

/// One entry of a conversation between two phones.
#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    author: String,
    message: ChatMessage,
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
}

pub(super) enum Role {
    /// A device that shows a QR code or waits for a pairing code.
    Pairing(Box<Pairing>),
    Companion {
        phone: String,
        device: u16,
        phase: Phase,
    },
    /// Told to go; what it still says is ignored.
    Leaving,
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
            lids: HashMap::new(),
            connections: HashMap::new(),
            last_connection: 0,
            qr_refs: HashMap::new(),
            codes: HashMap::new(),
            faults: Vec::new(),
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
                salon: false,
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
        self.connections.insert(self.last_connection, Connection { outbox, role });
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

    /// Which of the two ends of a chat is the salon's phone and which the customer's.
    pub(super) fn sides<'a>(&self, author: &'a str, other: &'a str) -> (&'a str, &'a str) {
        let is_salon = |phone: &str| self.accounts.get(phone).is_some_and(|account| account.salon);
        if is_salon(other) && !is_salon(author) { (other, author) } else { (author, other) }
    }

    /// The connections on which the devices linked to a phone are at work.
    pub(super) fn live_devices(&self, phone: &str) -> Vec<u64> {
        let live = |role: &Role| matches!(role, Role::Companion { phone: of, phase: Phase::Live, .. } if of == phone);
        self.connections.iter().filter(|(_, connection)| live(&connection.role)).map(|(number, _)| *number).collect()
    }

    /// Adds to the chat of two phones unless that author's message is there already.
    pub(super) fn record(&mut self, author: &str, other: &str, message: ChatMessage) -> bool {
        let chat = self.chats.entry(chat_key(author, other)).or_default();
        if chat.iter().any(|entry| entry.author == author && entry.message.id == message.id) {
            return false;
        }
        chat.push(Entry { author: author.to_owned(), message });
        true
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
        let other = |(one, two): (&str, &str)| if one == phone { Some(two.to_owned()) } else { (two == phone).then(|| one.to_owned()) };
        self.chats.keys().filter_map(|key| other(key.split_once('|')?)).filter(|other| other != phone).collect()
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

/// E.164 without the plus.
fn is_phone(text: &str) -> bool {
    (7..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
