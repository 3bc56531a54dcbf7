//! Messages between virtual phones and linked devices: sealing, queueing, delivery, receipts.

use std::{collections::BTreeSet, time::Duration};

use wacore::messages::{MessageUtils, decode_plaintext, unwrap_device_sent, wrap_device_sent};
use wacore::send::{media_type_from_message, stanza_type_from_message};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::marshal::{marshal_auto, unmarshal_ref};
use wacore_binary::util::unpack;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::{IdentityKey, PreKeyBundle};
use waproto::whatsapp as wa;

use super::content::{self, Attachment, Draft, Letter, Read};
use super::faults::send_later;
use super::handset::{OpenError, Sealed};
use super::octets::{Octets, public_key};
use super::queries::take_prekey;
use super::stanza::with;
use super::stanza::{self, attr, child_content, content};
use super::world::{Class, Phase, Role, Waiting, World, device_name};
use super::{ChatMessage, Emulator, Event, FaultKind, Kind, PhoneError, Side};

/// The padding of plaintexts that both sides use.
const PADDING: u8 = 2;
/// A message is sealed anew at most so often, whoever asks.
const MOST_RETRIES: u32 = 5;
/// How much later than others a device's own phone asks for a message again.
const OWN_PHONE_LATER: Duration = Duration::from_millis(100);

/// A message of a virtual phone to the linked devices of an account.
pub(super) struct Post<'a> {
    /// The phone that writes.
    pub(super) author: &'a str,
    /// The account whose linked devices get it.
    pub(super) owner: &'a str,
    /// The other side of the chat from the owner's view.
    pub(super) other: &'a str,
    /// To one device instead of all.
    pub(super) only: Option<u16>,
    pub(super) id: &'a str,
    /// Between the account's own devices, in no chat.
    pub(super) peer: bool,
    pub(super) push_name: Option<&'a str>,
    pub(super) message: &'a wa::Message,
    /// The address of the other side, if this is a copy of what the owner's phone has sent there.
    pub(super) copy_for: Option<&'a str>,
}

impl Emulator {
    /// A customer writes to a salon. The same `id` again is the same message delivered once more. Returns the id.
    pub async fn customer_writes(
        &self,
        customer: &str,
        push_name: Option<&str>,
        salon_phone: &str,
        text: &str,
        id: Option<String>,
    ) -> Result<String, PhoneError> {
        let letter = Letter { draft: Draft::Text(text.to_owned()), id, push_name: push_name.map(str::to_owned), ..Default::default() };
        self.customer_sends(customer, salon_phone, letter).await
    }

    /// A customer answers a message of the chat with an emoji; an empty one takes it back. Returns the reaction's id.
    pub async fn customer_reacts(&self, customer: &str, salon_phone: &str, message_id: &str, emoji: &str) -> Result<String, PhoneError> {
        let draft = Draft::Reaction { to: message_id.to_owned(), emoji: emoji.to_owned() };
        self.customer_sends(customer, salon_phone, Letter { draft, ..Default::default() }).await
    }

    /// A customer sends a salon a message of any kind. Returns its id.
    pub async fn customer_sends(&self, customer: &str, salon_phone: &str, letter: Letter) -> Result<String, PhoneError> {
        let mut world = self.world.lock();
        if !world.accounts.contains_key(salon_phone) {
            return Err(PhoneError::NoAccount);
        }
        self.phone_sends(&mut world, salon_phone, customer, salon_phone, letter)
    }

    /// Somebody in the salon writes from its phone; linked devices get a copy. Returns the id.
    pub async fn salon_writes(&self, salon_phone: &str, to: &str, text: &str) -> Result<String, PhoneError> {
        self.salon_sends(salon_phone, to, Letter { draft: Draft::Text(text.to_owned()), ..Default::default() }).await
    }

    /// Somebody in the salon sends a message of any kind from its phone; linked devices get a copy. Returns its id.
    pub async fn salon_sends(&self, salon_phone: &str, to: &str, letter: Letter) -> Result<String, PhoneError> {
        let mut world = self.world.lock();
        if !world.accounts.contains_key(salon_phone) {
            return Err(PhoneError::NoAccount);
        }
        self.phone_sends(&mut world, salon_phone, salon_phone, to, letter)
    }

    /// A phone writes to another: the chat shows it, and the linked devices of both get it.
    fn phone_sends(&self, world: &mut World, salon: &str, author: &str, other: &str, letter: Letter) -> Result<String, PhoneError> {
        world.account(other)?;
        let account = world.account(author)?;
        if let Some(name) = letter.push_name {
            account.name = name;
        }
        account.hidden = letter.hidden.unwrap_or(account.hidden);
        let push_name = Some(account.name.clone()).filter(|name| !name.is_empty());
        let id = letter.id.unwrap_or_else(stanza::random_id);
        let about = match &letter.draft {
            Draft::Reaction { to, .. } => Some(world.refer(author, other, to)?),
            Draft::Edit { of, .. } | Draft::Revoke { of } => {
                Some(world.refer(author, other, of).ok().filter(|message| message.own).ok_or(PhoneError::NoMessage)?)
            }
            _ => None,
        };
        let quoted = letter.quoted.map(|quoted| world.refer(author, other, &quoted)).transpose()?;
        let file = match &letter.draft {
            Draft::Media(file) => {
                let (kind, _) = content::media_type(file.kind).ok_or_else(|| anyhow::anyhow!("no kind of file"))?;
                Some(world.files.store(&self.options.media_host, &file.bytes, kind)?)
            }
            _ => None,
        };
        let message = content::compose(&letter.draft, file, about, quoted, (self.options.calendar)())?;
        self.show(world, salon, author, other, &id, &message);
        let post = Post {
            author,
            owner: other,
            other: author,
            only: None,
            id: &id,
            peer: false,
            push_name: push_name.as_deref(),
            message: &message,
            copy_for: None,
        };
        if author != other {
            self.post(world, &post)?;
        }
        let destination = world.account(other)?.lid_jid().to_string();
        self.post(world, &Post { owner: author, other, copy_for: Some(&destination), ..post })?;
        Ok(id)
    }

    /// A chat with a salon shows a message, or what it does to another one. Each side that has linked devices is a salon, too.
    fn show(&self, world: &mut World, salon: &str, author: &str, other: &str, id: &str, message: &wa::Message) {
        let changed = match content::read(message) {
            Read::Shows(content) => {
                let media = content.file.as_ref().and_then(|file| {
                    let (kind, _) = content::media_type(content.kind)?;
                    match world.files.open(file, kind) {
                        Ok(bytes) => {
                            let (mimetype, file_name) = (file.mimetype.clone(), file.file_name.clone());
                            Some(Attachment { mimetype, size: bytes.len(), file_name })
                        }
                        Err(error) => {
                            tracing::warn!(%error, "a phone cannot open a file");
                            None
                        }
                    }
                });
                let shown = ChatMessage {
                    id: id.to_owned(),
                    from: Side::Customer,
                    text: content.text,
                    at_ms: (self.options.calendar)(),
                    kind: content.kind,
                    reaction_to: content.reaction_to,
                    quoted: content.quoted,
                    media,
                    edited: false,
                    read: false,
                };
                world.record(author, other, shown, message)
            }
            Read::Edits { of, text } => world.amend(author, other, &of, |message| {
                message.text = text;
                message.edited = true;
            }),
            Read::Revokes { of } => world.amend(author, other, &of, |message| {
                message.text.clear();
                message.kind = Kind::Revoked;
                message.media = None;
            }),
            Read::Settings => None,
        };
        let Some(message) = changed else { return };
        for (of, with) in [(author, other), (other, author)].into_iter().take(if author == other { 1 } else { 2 }) {
            if of == salon || world.accounts.get(of).is_some_and(|account| !account.companions.is_empty()) {
                let from = if author == of { Side::Salon } else { Side::Customer };
                let message = ChatMessage { from, ..message.clone() };
                self.tell(Event::Message { salon: of.to_owned(), customer: with.to_owned(), message });
            }
        }
    }

    /// The customer opens the chat and has read this message of the salon: its devices get the blue ticks.
    pub async fn customer_reads(&self, customer: &str, salon_phone: &str, message_id: &str) -> Result<(), PhoneError> {
        let mut world = self.world.lock();
        if world.author_of(customer, salon_phone, message_id).as_deref() != Some(salon_phone) {
            return Err(PhoneError::NoMessage);
        }
        world.amend(salon_phone, customer, message_id, |message| message.read = true);
        let reader = world.account(customer)?.lid_jid();
        let receipt = NodeBuilder::new("receipt")
            .attr("from", reader)
            .attr("id", message_id)
            .attr("type", "read")
            .attr("t", self.calendar_secs())
            .build();
        let devices: Vec<u16> = world.account(salon_phone)?.companions.keys().copied().collect();
        for device in devices {
            self.queue_receipt(&mut world, customer, salon_phone, device, message_id, &receipt);
        }
        Ok(())
    }

    /// The chat as the customer's phone shows it, oldest first.
    pub fn chat(&self, customer: &str, salon_phone: &str) -> Vec<ChatMessage> {
        self.world.lock().chat(customer, salon_phone)
    }

    /// How many messages of the customer a device linked to the salon's phone has not acknowledged yet.
    pub fn pending(&self, customer: &str, salon_phone: &str) -> usize {
        let world = self.world.lock();
        let companions = world.accounts.get(salon_phone).into_iter().flat_map(|account| account.companions.values());
        companions
            .flat_map(|companion| &companion.queue)
            .filter(|waiting| waiting.class == Class::Message && !waiting.peer && waiting.author == customer)
            // One that was asked for again waits in several deliveries.
            .map(|waiting| waiting.id.as_str())
            .collect::<BTreeSet<_>>()
            .len()
    }

    /// All virtual phones forget their Signal sessions, as after a restore from an old backup: the next messages make both sides
    /// ask for retries and open sessions anew.
    pub fn forget_sessions(&self) {
        self.world.lock().accounts.values_mut().for_each(|account| account.handset.forget_all());
    }

    /// Seals a message to linked devices and sends it to those that are online; the others find it when they come.
    pub(super) fn post(&self, world: &mut World, post: &Post<'_>) -> Result<(), PhoneError> {
        let author = world.account(post.author)?;
        let (from, sender_pn) = (author.lid_jid(), author.shown_number());
        let other = world.account(post.other)?;
        let (recipient, recipient_pn) = (other.lid_jid(), other.shown_number());
        let wrapped = post.copy_for.map(|to| wrap_device_sent(post.message.clone(), to.to_owned()));
        let plaintext = MessageUtils::encode_and_pad(wrapped.as_ref().unwrap_or(post.message));
        let owner = world.accounts.get(post.owner).ok_or(PhoneError::NoAccount)?;
        let devices: Vec<u16> = owner.companions.keys().copied().filter(|device| post.only.is_none_or(|only| only == *device)).collect();
        let addons = Addons::of(post.message);
        for device in devices {
            let sealed = seal(world, post.author, post.owner, device, &plaintext)?;
            let mut header = NodeBuilder::new("message")
                .attr("from", from.clone())
                .attr("id", post.id)
                .attr("type", stanza_type_from_message(post.message))
                .attr("t", self.calendar_secs());
            if post.peer {
                header = header.attr("category", "peer");
            } else if post.author == post.owner {
                header = header.attr("recipient", recipient.clone());
                header = with(header, "peer_recipient_pn", recipient_pn.clone());
            } else {
                header = with(header, "sender_pn", sender_pn.clone());
            }
            header = with(with(header, "notify", post.push_name), "edit", addons.edit);
            let enc = enc(&sealed, 0, addons.mediatype, addons.hide_failure);
            let waiting = Waiting {
                class: Class::Message,
                id: post.id.to_owned(),
                author: post.author.to_owned(),
                peer: post.peer,
                stanza: Octets::from(marshal_auto(&header.children([enc]).build()).map_err(anyhow::Error::from)?),
                plaintext: Octets::from(plaintext.as_slice()),
                sent: false,
            };
            enqueue(self, world, post.owner, device, waiting);
        }
        Ok(())
    }

    /// Sends what has not been sent on this connection, at most `count` stanzas; returns how many.
    pub(super) fn send_waiting(&self, world: &mut World, connection: u64, phone: &str, device: u16, count: usize, offline: bool) -> usize {
        let Some(companion) = world.companion(phone, device) else { return 0 };
        let mut nodes = Vec::new();
        for waiting in companion.queue.iter_mut().filter(|waiting| !waiting.sent).take(count) {
            waiting.sent = true;
            match restore(&waiting.stanza) {
                Ok(mut node) => {
                    if offline {
                        node.attrs.insert("offline", "0");
                    }
                    nodes.push(node);
                }
                Err(error) => tracing::warn!(%error, "a waiting stanza is damaged"),
            }
        }
        let sent = nodes.len();
        for node in nodes {
            self.deliver(world, connection, phone, node);
        }
        sent
    }

    /// A linked device sends a message, with which this may go wrong.
    pub(super) fn message(&self, world: &mut World, connection: u64, phone: &str, device: u16, node: &Node, fault: Option<FaultKind>) {
        let id = attr(node, "id").into_owned();
        let Some(to) = stanza::jid(node, "to") else {
            tracing::warn!("a message to nobody");
            return;
        };
        let ack = |error: Option<u16>| {
            let ack = NodeBuilder::new("ack")
                .attr("class", "message")
                .attr("id", id.as_str())
                .attr("from", to.clone())
                .attr("t", wacore::time::now_secs());
            match error {
                Some(code) => ack.attr("error", code).build(),
                None => ack.build(),
            }
        };
        if let Some(FaultKind::Nack(code)) = fault {
            return world.send(connection, ack(Some(code)));
        }
        let Some((recipient, _)) = world.resolve(&to) else {
            tracing::warn!("a message to an address that nobody has");
            return world.send(connection, ack(Some(404)));
        };
        let restricted = world.accounts.get(phone).is_some_and(|account| account.restricted)
            || world.accounts.get(&recipient).is_some_and(|account| account.refuses_strangers);
        let shown = child_content(node, "tctoken");
        let given = world.accounts.get(&recipient).and_then(|account| account.trusted.get(phone));
        let trusted = given.is_some_and(|token| **token == *shown);
        if restricted && recipient != phone && !trusted && !world.has_written(&recipient, phone) {
            return world.send(connection, ack(Some(463)));
        }
        let copies: Vec<(Jid, &Node)> = match node.get_optional_child("participants") {
            Some(participants) => participants
                .get_children_by_tag("to")
                .filter_map(|copy| Some((stanza::jid(copy, "jid")?, copy.get_optional_child("enc")?)))
                .collect(),
            // A retry, or a message to the account's own phone.
            None => node.get_optional_child("enc").map(|enc| (to.clone(), enc)).into_iter().collect(),
        };
        if !copies.iter().any(|(jid, _)| world.resolve(jid).is_some_and(|(phone, device)| phone == recipient && device == 0)) {
            tracing::warn!("a message without a copy for the recipient's phone");
        }
        for (jid, enc) in copies {
            match world.resolve(&jid) {
                Some((owner, 0)) => self.phone_receives(world, phone, device, &owner, &recipient, node, enc),
                Some((owner, other_device)) => self.forward(world, phone, device, &owner, other_device, &recipient, node, enc),
                None => tracing::warn!("a copy for an address that nobody has"),
            }
        }
        match fault {
            Some(FaultKind::DisconnectAfter) => world.close(connection),
            Some(FaultKind::Timeout(delay)) => send_later(world, connection, delay, ack(None)),
            _ => self.deliver(world, connection, phone, ack(None)),
        }
    }

    /// A virtual phone opens its copy of a message that a linked device sent.
    #[expect(clippy::too_many_arguments, reason = "both ends of one message")]
    fn phone_receives(&self, world: &mut World, phone: &str, device: u16, owner: &str, recipient: &str, node: &Node, enc: &Node) {
        let id = attr(node, "id").into_owned();
        let Some(account) = world.accounts.get_mut(owner) else { return };
        let opened = account.handset.open(&device_name(phone, device), &attr(enc, "type"), content(enc));
        let message =
            match opened.and_then(|padded| decode_plaintext(&padded, PADDING).map_err(|error| OpenError::Unreadable(error.to_string()))) {
                Ok(message) => message,
                Err(OpenError::Duplicate) => return,
                Err(error) => {
                    tracing::info!(%error, "a phone asks for a message again");
                    if owner == phone && recipient != phone {
                        return self.ask_again_later(phone, device, recipient, id);
                    }
                    return self.ask_again(world, phone, device, owner, recipient, &id);
                }
            };
        world.asked_again.remove(&(owner.to_owned(), device_name(phone, device), id.clone()));
        let own = owner == phone;
        if own && let Some(protocol) = message.protocol_message.as_option() {
            return self.peer_asks(world, phone, device, protocol);
        }
        let message = if own { unwrap_device_sent(message) } else { message };
        if own && recipient != phone {
            // The phone's own copy; the chat is shown by the other side's phone.
            return;
        }
        self.show(world, phone, phone, owner, &id, &message);
        let Some(reader) = world.accounts.get(owner).filter(|reader| !reader.silent) else { return };
        let receipt =
            NodeBuilder::new("receipt").attr("from", reader.lid_jid()).attr("id", id.as_str()).attr("t", self.calendar_secs()).build();
        self.queue_receipt(world, owner, phone, device, &id, &receipt);
    }

    /// The device asks its own phone for something.
    fn peer_asks(&self, world: &mut World, phone: &str, device: u16, request: &wa::message::ProtocolMessage) {
        use wa::message::protocol_message::Type;
        match request.r#type {
            Some(Type::APP_STATE_SYNC_KEY_REQUEST) => {
                if let Err(error) = self.send_app_state_key(world, phone, device) {
                    tracing::warn!(%error, "the phone could not share its key");
                }
            }
            other => tracing::warn!(?other, "a request to the phone that the emulator does not know"),
        }
    }

    /// The device's own phone could not open its copy. It never asks in the same instant as the recipient's phone:
    /// whatsapp-rust 0.7.0 takes its request for the recipient's, and of two at once it serves one.
    fn ask_again_later(&self, phone: &str, device: u16, recipient: &str, id: String) {
        let (me, phone, recipient) = (self.me.clone(), phone.to_owned(), recipient.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(OWN_PHONE_LATER).await;
            if let Some(emulator) = me.upgrade() {
                emulator.ask_again(&mut emulator.world.lock(), &phone, device, &phone, &recipient, &id);
            }
        });
    }

    /// A phone could not open a message: it says so, with keys for a new session.
    fn ask_again(&self, world: &mut World, phone: &str, device: u16, owner: &str, recipient: &str, id: &str) {
        let count = world.asked_again.entry((owner.to_owned(), device_name(phone, device), id.to_owned())).or_default();
        *count += 1;
        let count = *count;
        if count > MOST_RETRIES {
            return tracing::warn!("a phone gives a message up");
        }
        let chat = world.accounts.get(recipient).map(super::world::Account::lid_jid);
        let Some(account) = world.accounts.get_mut(owner) else { return };
        let retry = NodeBuilder::new("retry").attr("count", count).attr("id", id).attr("t", self.calendar_secs()).attr("v", "1").build();
        let registration = account.handset.registration_node();
        let keys = account.handset.key_nodes().into_iter().filter(|node| node.tag != "registration").collect::<Vec<_>>();
        let mut receipt = NodeBuilder::new("receipt")
            .attr("from", account.lid_jid())
            .attr("id", id)
            .attr("type", "retry")
            .attr("t", self.calendar_secs());
        if owner == phone
            && let Some(chat) = chat
        {
            receipt = receipt.attr("recipient", chat);
        }
        let receipt = receipt.children([retry, registration, NodeBuilder::new("keys").children(keys).build()]).build();
        self.queue_receipt(world, owner, phone, device, id, &receipt);
    }

    /// A device hears something of a phone, now or when it comes.
    pub(super) fn notify(&self, world: &mut World, author: &str, phone: &str, device: u16, mut news: Node) {
        let id = stanza::random_id();
        news.attrs.insert("id", id.as_str());
        self.queue_plain(world, Class::Notification, author, phone, device, &id, &news);
    }

    fn queue_receipt(&self, world: &mut World, author: &str, phone: &str, device: u16, id: &str, receipt: &Node) {
        self.queue_plain(world, Class::Receipt, author, phone, device, id, receipt);
    }

    /// A stanza with nothing sealed in it waits for a device.
    #[expect(clippy::too_many_arguments, reason = "both ends of one stanza")]
    fn queue_plain(&self, world: &mut World, class: Class, author: &str, phone: &str, device: u16, id: &str, node: &Node) {
        let stanza = match marshal_auto(node) {
            Ok(stanza) => Octets::from(stanza),
            Err(error) => return tracing::warn!(%error, class = class.name(), "a stanza cannot be written"),
        };
        let waiting =
            Waiting { class, id: id.to_owned(), author: author.to_owned(), peer: false, stanza, plaintext: Octets::default(), sent: false };
        enqueue(self, world, phone, device, waiting);
    }

    /// A copy for another linked device goes on as it is.
    #[expect(clippy::too_many_arguments, reason = "both ends of one message")]
    fn forward(
        &self,
        world: &mut World,
        phone: &str,
        device: u16,
        owner: &str,
        other_device: u16,
        recipient: &str,
        node: &Node,
        enc: &Node,
    ) {
        let Some(sender) = world.accounts.get(phone) else { return };
        let mut header = NodeBuilder::new("message")
            .attr("from", sender.lid_jid().with_device(device))
            .attr("id", attr(node, "id").as_ref())
            .attr("type", attr(node, "type").as_ref())
            .attr("t", self.calendar_secs());
        if owner == phone {
            if let Some(recipient) = world.accounts.get(recipient) {
                header = with(header.attr("recipient", recipient.lid_jid()), "peer_recipient_pn", recipient.shown_number());
            }
        } else {
            header = with(header, "sender_pn", sender.shown_number()).attr("notify", sender.name.as_str());
        }
        let edit = attr(node, "edit");
        header = with(header, "edit", Some(edit.as_ref()).filter(|edit| !edit.is_empty()));
        let mut children = vec![enc.clone()];
        children.extend(node.get_optional_child("device-identity").cloned());
        let waiting = Waiting {
            class: Class::Message,
            id: attr(node, "id").into_owned(),
            author: phone.to_owned(),
            peer: false,
            stanza: match marshal_auto(&header.children(children).build()) {
                Ok(stanza) => Octets::from(stanza),
                Err(error) => return tracing::warn!(%error, "a message cannot be written"),
            },
            plaintext: Octets::default(),
            sent: false,
        };
        enqueue(self, world, owner, other_device, waiting);
    }

    /// A linked device confirms messages, or asks for one again.
    pub(super) fn receipt(&self, world: &mut World, connection: u64, phone: &str, device: u16, node: &Node) {
        let kind = attr(node, "type").into_owned();
        let listed = node.get_optional_child("list").map(|list| list.get_children_by_tag("item").collect::<Vec<_>>()).unwrap_or_default();
        let ids = std::iter::once(node).chain(listed).map(|item| attr(item, "id").into_owned()).collect::<Vec<_>>();
        let mut ack = NodeBuilder::new("ack").attr("class", "receipt").attr("id", attr(node, "id").as_ref());
        if let Some(to) = stanza::jid(node, "to") {
            ack = ack.attr("from", to);
        }
        if !kind.is_empty() {
            ack = ack.attr("type", kind.as_str());
        }
        world.send(connection, ack.build());
        let author = stanza::jid(node, "to").and_then(|jid| world.resolve(&jid)).map(|(phone, _)| phone);
        let Some(author) = author else { return };
        if kind == "retry" && stanza::jid(node, "to").is_some_and(|to| to.device != 0) {
            return self.pass_receipt_on(world, phone, device, &author, node);
        }
        if kind == "retry" {
            if let Err(error) = self.seal_again(world, connection, phone, device, &author, node) {
                tracing::warn!(%error, "a message could not be sealed again");
            }
            return;
        }
        let read = kind == "read" || kind == "read-self";
        for id in &ids {
            self.confirm(world, phone, device, Class::Message, &author, id);
            if author != phone {
                if read {
                    world.amend(&author, phone, id, |message| message.read = true);
                }
                self.tell(Event::Acknowledged { salon: phone.to_owned(), customer: author.clone(), id: id.clone(), read });
            }
        }
        if author != phone && kind != "sender" && kind != "inactive" {
            self.pass_receipt_on(world, phone, device, &author, node);
        }
    }

    /// The devices linked to the author's phone learn that their message has arrived or was read.
    fn pass_receipt_on(&self, world: &mut World, phone: &str, device: u16, author: &str, receipt: &Node) {
        let Some(reader) = world.accounts.get(phone) else { return };
        let mut passed = NodeBuilder::new("receipt")
            .attr("from", reader.lid_jid().with_device(device))
            .attr("id", attr(receipt, "id").as_ref())
            .attr("t", self.calendar_secs());
        let kind = attr(receipt, "type");
        passed = with(passed, "type", Some(kind.as_ref()).filter(|kind| !kind.is_empty()));
        let passed = passed.children(receipt.children().unwrap_or_default().to_vec()).build();
        let devices: Vec<u16> = world.accounts.get(author).into_iter().flat_map(|account| account.companions.keys().copied()).collect();
        // A request to send again concerns the device that sent.
        let asked = stanza::jid(receipt, "to").map_or(0, |to| to.device);
        for to in devices.into_iter().filter(|to| kind != "retry" || *to == asked) {
            self.queue_receipt(world, phone, author, to, &attr(receipt, "id"), &passed);
        }
    }

    /// `<ack>` of a linked device: it has a receipt, or will never make sense of a message.
    pub(super) fn acknowledged(&self, world: &mut World, phone: &str, device: u16, node: &Node) {
        let class = match attr(node, "class").as_ref() {
            "message" => Class::Message,
            "receipt" => Class::Receipt,
            "notification" => Class::Notification,
            _ => return,
        };
        let author = stanza::jid(node, "to").and_then(|jid| world.resolve(&jid)).map(|(phone, _)| phone);
        let (Some(author), Some(companion)) = (author, world.companion(phone, device)) else { return };
        // One delivery: a message that was asked for again comes in another, which this says nothing of.
        let id = attr(node, "id");
        let delivered = companion.queue.iter().position(|waiting| waiting.is_delivered(class, &author, &id));
        if let Some(delivered) = delivered {
            companion.queue.remove(delivered);
        }
    }

    /// The device has it, by whichever delivery.
    fn confirm(&self, world: &mut World, phone: &str, device: u16, class: Class, author: &str, id: &str) {
        let Some(companion) = world.companion(phone, device) else { return };
        companion.queue.retain(|waiting| !waiting.is_delivered(class, author, id));
    }

    /// A device could not open a message of a virtual phone: the phone opens a new session and sends it again.
    fn seal_again(&self, world: &mut World, connection: u64, phone: &str, device: u16, author: &str, receipt: &Node) -> anyhow::Result<()> {
        let id = attr(receipt, "id").into_owned();
        let retry = receipt.get_optional_child("retry").ok_or_else(|| anyhow::anyhow!("no <retry>"))?;
        let count: u32 = attr(retry, "count").parse().unwrap_or(1);
        anyhow::ensure!(count <= MOST_RETRIES, "asked too often");
        let companion = world.companion(phone, device).ok_or_else(|| anyhow::anyhow!("not linked"))?;
        let delivered = companion.queue.iter().find(|waiting| waiting.is_delivered(Class::Message, author, &id)).cloned();
        let delivered = delivered.ok_or_else(|| anyhow::anyhow!("the message is not waiting any more"))?;
        let bundle = match receipt.get_optional_child("keys") {
            Some(keys) => brought_bundle(receipt, keys, device)?,
            None => published_bundle(world, phone, device)?,
        };
        // What the device sealed for the session before stays readable.
        world.account(author)?.handset.meet(&device_name(phone, device), &bundle)?;
        let sealed = seal(world, author, phone, device, &delivered.plaintext)?;
        let mut node = restore(&delivered.stanza)?;
        let before = node.get_optional_child("enc");
        let mediatype = before.map(|enc| attr(enc, "mediatype").into_owned()).filter(|kind| !kind.is_empty());
        let hide_failure = before.is_some_and(|enc| enc.attrs.get("decrypt-fail").is_some());
        let enc = enc(&sealed, count, mediatype.as_deref(), hide_failure);
        node.content = Some(wacore_binary::node::NodeContent::Nodes(vec![enc]));
        // A delivery of its own, to be acknowledged by itself.
        let again = Waiting { stanza: Octets::from(marshal_auto(&node)?), ..delivered };
        world.companion(phone, device).ok_or_else(|| anyhow::anyhow!("not linked"))?.queue.push_back(again);
        world.send(connection, node);
        Ok(())
    }
}

fn enqueue(emulator: &Emulator, world: &mut World, phone: &str, device: u16, waiting: Waiting) {
    let Some(companion) = world.companion(phone, device) else {
        return tracing::warn!(class = waiting.class.name(), "a stanza for a device that is not linked");
    };
    companion.queue.push_back(waiting);
    let Some(connection) = companion.connection else { return };
    let live =
        world.connections.get(&connection).is_some_and(|connection| matches!(connection.role, Role::Companion { phase: Phase::Live, .. }));
    if live {
        emulator.send_waiting(world, connection, phone, device, usize::MAX, false);
    }
}

/// Seals to a linked device with the author's phone, which opens a session first where it has none.
fn seal(world: &mut World, author: &str, phone: &str, device: u16, plaintext: &[u8]) -> anyhow::Result<Sealed> {
    let name = device_name(phone, device);
    if !world.account(author)?.handset.knows(&name) {
        let bundle = published_bundle(world, phone, device)?;
        world.account(author)?.handset.meet(&name, &bundle)?;
    }
    world.account(author)?.handset.seal(&name, plaintext)
}

/// The keys that a device left with the server; one of them is given away once.
fn published_bundle(world: &mut World, phone: &str, device: u16) -> anyhow::Result<PreKeyBundle> {
    let prekey = take_prekey(world, phone, device).map(|(id, value)| anyhow::Ok((id.into(), public_key(&value)?))).transpose()?;
    let companion = world.companion(phone, device).ok_or_else(|| anyhow::anyhow!("not linked"))?;
    let signed = &companion.signed_prekey;
    Ok(PreKeyBundle::new(
        companion.registration_id,
        u32::from(device).into(),
        prekey,
        signed.id.into(),
        public_key(&signed.value)?,
        signed.signature.to_vec(),
        IdentityKey::new(public_key(&companion.identity)?),
    )?)
}

/// The keys that a device sends along when it asks for a message again.
fn brought_bundle(receipt: &Node, keys: &Node, device: u16) -> anyhow::Result<PreKeyBundle> {
    let one_time = match keys.get_optional_child("key") {
        Some(key) => Some((stanza::number(child_content(key, "id")).into(), public_key(child_content(key, "value"))?)),
        None => None,
    };
    let signed = keys.get_optional_child("skey").ok_or_else(|| anyhow::anyhow!("no signed key"))?;
    Ok(PreKeyBundle::new(
        stanza::number(child_content(receipt, "registration")),
        u32::from(device).into(),
        one_time,
        stanza::number(child_content(signed, "id")).into(),
        public_key(child_content(signed, "value"))?,
        child_content(signed, "signature").to_vec(),
        IdentityKey::new(public_key(child_content(keys, "identity"))?),
    )?)
}

fn enc(sealed: &Sealed, retry: u32, mediatype: Option<&str>, hide_failure: bool) -> Node {
    let enc = NodeBuilder::new("enc").attr("v", PADDING).attr("type", sealed.kind);
    let enc = with(with(enc, "mediatype", mediatype), "decrypt-fail", hide_failure.then_some("hide"));
    let enc = if retry > 0 { enc.attr("count", retry) } else { enc };
    enc.bytes(sealed.bytes.as_slice()).build()
}

/// What the stanza says about its sealed content.
struct Addons {
    mediatype: Option<&'static str>,
    edit: Option<&'static str>,
    /// Nobody is told that such a message could not be read.
    hide_failure: bool,
}

impl Addons {
    fn of(message: &wa::Message) -> Self {
        let edit = match content::read(message) {
            Read::Edits { .. } => Some("1"),
            Read::Revokes { .. } => Some("7"),
            Read::Shows(_) | Read::Settings => None,
        };
        let hide_failure = edit.is_some() || message.reaction_message.is_set();
        Self { mediatype: media_type_from_message(message), edit, hide_failure }
    }
}

fn restore(marshalled: &[u8]) -> anyhow::Result<Node> {
    let unpacked = unpack(marshalled)?;
    Ok(unmarshal_ref(&unpacked)?.to_owned())
}
