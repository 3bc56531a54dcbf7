use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{ChatId, CompanyId, Phone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use wacore::proto_helpers::MessageExt;
use wacore::types::message::{MessageCategory, MessageInfo};
use wacore_binary::Jid;
use waproto::buffa::MessageField;
use waproto::whatsapp as wa;
use waproto::whatsapp::message::protocol_message::Type as ProtocolType;
use whatsapp_rust::{Client, InboundDurabilityHook};

use crate::fence::Fence;

/// The longest text that is passed on, in characters: the rest of a longer one is cut.
pub const MAX_TEXT: usize = 4_096;
const MAX_NAME: usize = 100;
/// The longest path of a file on WhatsApp's servers, and the length of its key and hashes.
const MAX_PATH: usize = 2_048;
const KEY: usize = 32;
/// A flag of a region takes seven, a family of four as many.
const MAX_EMOJI: usize = 16;

/// One message of a chat with one person, as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// Whose session heard it.
    pub company_id: CompanyId,
    /// The chat: its LID where one is known.
    pub chat: ChatId,
    /// The other person's phone, where WhatsApp tells it.
    pub phone: Option<Phone>,
    /// Unique within the chat and direction only; chosen by the sender's device.
    pub message_id: String,
    /// Somebody in the salon wrote it, from its phone or another linked device.
    pub from_me: bool,
    /// The name the sender gave themselves.
    pub push_name: Option<String>,
    /// When it was sent, by WhatsApp's clock (to the second).
    pub sent_at: Timestamp,
    /// What it says.
    pub content: Content,
    /// The message of the chat that it answers («ответить»), where it does.
    pub quoted: Option<String>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// Words, at most [`MAX_TEXT`] characters.
    Text(String),
    /// A reaction to an earlier message of the chat.
    Reaction {
        /// The message reacted to.
        message_id: String,
        /// The emoji; `None` takes the reaction back.
        emoji: Option<String>,
    },
    /// The sender has put another text into an earlier message.
    Edit {
        /// The earlier message.
        message_id: String,
        /// What it says now.
        text: String,
    },
    /// The sender has taken an earlier message back, for everybody.
    Revoke {
        /// The earlier message.
        message_id: String,
    },
    /// A voice message or other sound.
    Voice(File),
    /// A picture.
    Image {
        /// Its caption.
        caption: Option<String>,
        /// The picture.
        file: File,
    },
    /// A video.
    Video {
        /// Its caption.
        caption: Option<String>,
        /// The video.
        file: File,
    },
    /// A document.
    Document {
        /// Its caption.
        caption: Option<String>,
        /// Its name, as its sender gave it.
        name: Option<String>,
        /// The document.
        file: File,
    },
    /// A sticker.
    Sticker(File),
    /// A place.
    Location(Place),
    /// A card, or several, from an address book.
    Contact {
        /// The name on it.
        name: Option<String>,
    },
    /// A poll, an order or anything else.
    Other,
}

/// A place on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Its name or address, where told.
    pub name: Option<String>,
}

/// A file that lies, sealed by its sender, on WhatsApp's servers for some weeks, and how it is
/// fetched and opened from there. Its written form holds the file's key: a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its MIME type, as its sender says.
    pub mime: String,
    /// Its size in bytes, as its sender says.
    pub size: u64,
    /// `None` where the sender left out what is needed.
    pub(crate) source: Option<Source>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) key: Vec<u8>,
    pub(crate) sha256: Vec<u8>,
    pub(crate) sealed_sha256: Vec<u8>,
}

impl std::fmt::Debug for File {
    /// Without its key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("mime", &self.mime).field("size", &self.size).finish_non_exhaustive()
    }
}

/// What became of a message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// WhatsApp has it.
    ServerAck,
    /// WhatsApp refused it (400, 463, 479 …); 0 where the code was no number.
    Refused {
        /// The code of the refusal.
        code: u16,
    },
    /// It is on the person's phone.
    Delivered,
    /// It was read.
    Read,
}

/// Where the sessions put what they hear.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores messages of one salon durably, all or none, in their order.
    ///
    /// WhatsApp is told that they arrived only after `Ok`. The same message may come again: tell
    /// it by company, chat, direction and message id. Must not send or wait for a session's
    /// answer: the session reads nothing more until this returns.
    ///
    /// # Errors
    /// Any: the messages stay with WhatsApp and come again.
    async fn receive(&self, batch: Vec<Inbound>) -> anyhow::Result<()>;

    /// Whether a message of that id is stored, from either side. Asked for the few that WhatsApp gives
    /// once more; one that is stored nowhere is asked for again of its sender.
    ///
    /// # Errors
    /// When nobody can say: the message stays with WhatsApp and comes again.
    async fn has(&self, company: CompanyId, message_id: &str) -> anyhow::Result<bool>;

    /// Hears what became of a message sent earlier. Best effort: after a crash or a flood an
    /// event may be missing, and messages sent from other devices are told of too.
    async fn delivered(&self, company: CompanyId, message_id: &str, delivery: Delivery);
}

/// The inbox is asked again after these times before the messages are left with WhatsApp.
const RETRIES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// The seam at which the client waits for our commit before it acknowledges.
pub(crate) struct Hook {
    pub(crate) company: CompanyId,
    pub(crate) inbox: Arc<dyn Inbox>,
    pub(crate) fence: Fence,
}

#[async_trait]
impl InboundDurabilityHook for Hook {
    async fn on_messages(
        &self,
        client: Arc<Client>,
        batch: &[whatsapp_rust::types::durability_hook::InboundMessage],
    ) -> anyhow::Result<()> {
        let mut heard = Vec::with_capacity(batch.len());
        for message in batch {
            heard.extend(read(self.company, &client, &message.message, &message.info).await);
        }
        if heard.is_empty() {
            return Ok(());
        }
        // Whoever has the session now hears it as well, and acknowledges it.
        self.fence.holds().await?;
        for pause in RETRIES {
            match self.inbox.receive(heard.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::warn!(company = %self.company, %error, "incoming messages were not stored; again");
                    tokio::time::sleep(pause).await;
                }
            }
        }
        let stored = self.inbox.receive(heard).await;
        if stored.is_err() {
            // WhatsApp gives what was not acknowledged once more at the next connection only, so
            // that must not be hours away. Not awaited here: it waits for us.
            tokio::spawn(async move { client.reconnect().await });
        }
        stored
    }
}

/// A message for people, or `None`: groups, channels, broadcasts, and the devices' own talk.
async fn read(company: CompanyId, client: &Client, message: &wa::Message, info: &MessageInfo) -> Option<Inbound> {
    if info.category == MessageCategory::Peer {
        return None;
    }
    if !is_plain_id(&info.id) {
        tracing::warn!(%company, "a message whose id no client of WhatsApp makes was dropped");
        return None;
    }
    let (chat, phone) = chat(client, info).await?;
    let push_name = Some(info.push_name.trim()).filter(|name| !name.is_empty() && *name != "-" && !info.source.is_from_me);
    Some(Inbound {
        company_id: company,
        chat,
        phone,
        message_id: info.id.clone(),
        from_me: info.source.is_from_me,
        push_name: push_name.map(|name| cut(name, MAX_NAME)),
        sent_at: Timestamp::from_second(info.timestamp.timestamp()).ok()?,
        content: content(message)?,
        quoted: quoted(message),
    })
}

/// Whom the chat is with: under the LID where one is known, with the phone beside it.
async fn chat(client: &Client, info: &MessageInfo) -> Option<(ChatId, Option<Phone>)> {
    let source = &info.source;
    if source.is_group || !(source.chat.server.is_lid_family() || source.chat.server.is_pn_family()) {
        return None;
    }
    let named = source.chat.to_non_ad();
    let (own_lid, own_phone) = (client.lid(), client.pn());
    let own = is_own(client, &named);
    // The stanza names the other address of its sender, or of its recipient where we are the sender.
    let alias = if own {
        if named.server.is_lid_family() { own_phone } else { own_lid }
    } else if source.is_from_me {
        info.peer_recipient_pn.clone().or_else(|| source.recipient_alt.clone())
    } else {
        source.sender_alt.clone()
    };
    let alias = alias.map(|alias| alias.to_non_ad()).filter(|alias| alias.server.is_lid_family() != named.server.is_lid_family());
    let (lid, phone) = if named.server.is_lid_family() { (Some(named), alias) } else { (alias, Some(named)) };
    let (lid, phone) = match (lid, phone) {
        (Some(lid), None) => {
            let phone = client.get_lid_pn_entry(&lid).await.ok().flatten().map(|known| Jid::pn(&*known.phone_number));
            (Some(lid), phone)
        }
        (None, Some(phone)) => {
            let lid = client.get_lid_pn_entry(&phone).await.ok().flatten().map(|known| Jid::lid(&*known.lid));
            (lid, Some(phone))
        }
        both => both,
    };
    let chat = lid.as_ref().or(phone.as_ref())?;
    let id = ChatId(chat.to_non_ad_string());
    Some((id, phone.and_then(|phone| Phone::from_digits(&phone.user).ok())))
}

/// The account itself, by its LID or its number.
pub(crate) fn is_own(client: &Client, jid: &Jid) -> bool {
    [client.lid(), client.pn()].into_iter().flatten().any(|own| own.is_same_chat_as(&jid.to_non_ad()))
}

/// What the five messages that bring a file say of it, in fields of the same names.
macro_rules! file {
    ($message:ident) => {
        File {
            mime: cut($message.mimetype.as_deref().unwrap_or("application/octet-stream"), MAX_NAME),
            size: $message.file_length.unwrap_or(0),
            source: (|| {
                Some(Source {
                    path: $message.direct_path.clone().filter(|path| path.len() <= MAX_PATH)?,
                    key: $message.media_key.clone().filter(|key| key.len() == KEY)?,
                    sha256: $message.file_sha256.clone().filter(|hash| hash.len() == KEY)?,
                    sealed_sha256: $message.file_enc_sha256.clone().filter(|hash| hash.len() == KEY)?,
                })
            })(),
        }
    };
}
/// What a message says to a person; `None` for keys, settings and the like.
fn content(message: &wa::Message) -> Option<Content> {
    let base = message.get_base_message();
    if let Some(reaction) = base.reaction_message.as_option() {
        let message_id = named(&reaction.key)?;
        let emoji = reaction.text.as_deref().filter(|emoji| !emoji.is_empty()).map(|emoji| cut(emoji, MAX_EMOJI));
        return Some(Content::Reaction { message_id, emoji });
    }
    if let Some(change) = base.protocol_message.as_option() {
        let message_id = named(&change.key)?;
        return match change.r#type {
            Some(ProtocolType::Revoke) => Some(Content::Revoke { message_id }),
            Some(ProtocolType::MessageEdit) => {
                let edited = change.edited_message.as_option()?;
                let text = edited.text_content().or_else(|| edited.get_caption())?;
                Some(Content::Edit { message_id, text: cut(text, MAX_TEXT) })
            }
            _ => None,
        };
    }
    if let Some(text) = base.text_content() {
        return Some(Content::Text(cut(text, MAX_TEXT)));
    }
    let caption = || base.get_caption().map(str::trim).filter(|caption| !caption.is_empty()).map(|caption| cut(caption, MAX_TEXT));
    if let Some(audio) = base.audio_message.as_option() {
        return Some(Content::Voice(file!(audio)));
    }
    if let Some(image) = base.image_message.as_option() {
        return Some(Content::Image { caption: caption(), file: file!(image) });
    }
    if let Some(video) = base.video_message.as_option().or(base.ptv_message.as_option()) {
        return Some(Content::Video { caption: caption(), file: file!(video) });
    }
    if let Some(document) = base.document_message.as_option() {
        return Some(Content::Document { caption: caption(), name: name(&document.file_name), file: file!(document) });
    }
    if let Some(sticker) = base.sticker_message.as_option() {
        return Some(Content::Sticker(file!(sticker)));
    }
    if let Some(place) = base.location_message.as_option() {
        let name = name(&place.name).or_else(|| name(&place.address));
        return Some(place_at(place.degrees_latitude, place.degrees_longitude, name));
    }
    if let Some(place) = base.live_location_message.as_option() {
        return Some(place_at(place.degrees_latitude, place.degrees_longitude, name(&place.caption)));
    }
    if let Some(contact) = base.contact_message.as_option() {
        return Some(Content::Contact { name: name(&contact.display_name) });
    }
    if let Some(contacts) = base.contacts_array_message.as_option() {
        return Some(Content::Contact { name: name(&contacts.display_name) });
    }
    let shown = base.poll_creation_message.is_set()
        || base.poll_creation_message_v3.is_set()
        || base.event_message.is_set()
        || base.order_message.is_set()
        || base.product_message.is_set();
    shown.then_some(Content::Other)
}

fn place_at(latitude: Option<f64>, longitude: Option<f64>, name: Option<String>) -> Content {
    Content::Location(Place { latitude: latitude.unwrap_or(0.0), longitude: longitude.unwrap_or(0.0), name })
}

fn name(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(|name| cut(name, MAX_NAME))
}

/// The message that a key names.
fn named(key: &MessageField<wa::MessageKey>) -> Option<String> {
    key.as_option()?.id.clone().filter(|id| is_plain_id(id))
}

/// The message of the chat that this one answers.
fn quoted(message: &wa::Message) -> Option<String> {
    let base = message.get_base_message();
    macro_rules! first {
        ($($kind:ident),+) => {
            None$(.or_else(|| base.$kind.as_option()?.context_info.as_option()))+
        };
    }
    let context: Option<&wa::ContextInfo> = first!(
        extended_text_message,
        image_message,
        audio_message,
        video_message,
        ptv_message,
        document_message,
        sticker_message,
        location_message,
        contact_message
    );
    context?.stanza_id.clone().filter(|id| is_plain_id(id))
}

/// Ids are chosen by the sender's client: a short word of ASCII in all that are known. Another one
/// would upset whoever stores it, and then come again and again.
fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic())
}

/// At most so many characters, without NUL, which PostgreSQL cannot store.
fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_says() {
        let check = |message: wa::Message, expected: Option<Content>| assert_eq!(content(&message), expected);
        let text = |text: &str| wa::Message { conversation: Some(text.to_owned()), ..Default::default() };

        check(text("Здравствуйте!"), Some(Content::Text("Здравствуйте!".to_owned())));
        check(text(&"я".repeat(MAX_TEXT + 1)), Some(Content::Text("я".repeat(MAX_TEXT))));
        check(text("a\0b"), Some(Content::Text("ab".to_owned())));
        check(wa::Message::default(), None);
        check(wa::Message { protocol_message: MessageField::some(Default::default()), ..Default::default() }, None);
        let bare = || File { mime: "application/octet-stream".to_owned(), size: 0, source: None };
        check(wa::Message { audio_message: MessageField::some(Default::default()), ..Default::default() }, Some(Content::Voice(bare())));
        check(
            wa::Message { sticker_message: MessageField::some(Default::default()), ..Default::default() },
            Some(Content::Sticker(bare())),
        );
        let image = wa::message::ImageMessage {
            caption: Some(" Хочу так ".to_owned()),
            mimetype: Some("image/jpeg".to_owned()),
            file_length: Some(7),
            direct_path: Some("/v/t62".to_owned()),
            media_key: Some(vec![1; 32]),
            file_sha256: Some(vec![2; 32]),
            file_enc_sha256: Some(vec![3; 32]),
            ..Default::default()
        };
        let source = Source { path: "/v/t62".to_owned(), key: vec![1; 32], sha256: vec![2; 32], sealed_sha256: vec![3; 32] };
        let file = File { mime: "image/jpeg".to_owned(), size: 7, source: Some(source) };
        assert!(!format!("{file:?}").contains("t62"), "neither place nor key in a log");
        let hasty = wa::message::ImageMessage { media_key: Some(vec![1; 31]), ..image.clone() };
        check(
            wa::Message { image_message: MessageField::some(image), ..Default::default() },
            Some(Content::Image { caption: Some("Хочу так".to_owned()), file: file.clone() }),
        );
        check(
            wa::Message { image_message: MessageField::some(hasty), ..Default::default() },
            Some(Content::Image { caption: Some("Хочу так".to_owned()), file: File { source: None, ..file } }),
        );
        let place = wa::message::LocationMessage { degrees_latitude: Some(55.75), degrees_longitude: Some(37.6), ..Default::default() };
        check(
            wa::Message { location_message: MessageField::some(place), ..Default::default() },
            Some(Content::Location(Place { latitude: 55.75, longitude: 37.6, name: None })),
        );
        let change = |kind, edited: Option<wa::Message>| wa::Message {
            protocol_message: MessageField::some(wa::message::ProtocolMessage {
                key: MessageField::some(wa::MessageKey { id: Some("3EB0".to_owned()), ..Default::default() }),
                r#type: Some(kind),
                edited_message: edited.map(MessageField::some).unwrap_or_default(),
                ..Default::default()
            }),
            ..Default::default()
        };
        check(change(ProtocolType::Revoke, None), Some(Content::Revoke { message_id: "3EB0".to_owned() }));
        let edit = change(ProtocolType::MessageEdit, Some(text("в 16")));
        let edited = Some(Content::Edit { message_id: "3EB0".to_owned(), text: "в 16".to_owned() });
        check(edit.clone(), edited.clone());
        let wrapped = wa::message::FutureProofMessage { message: MessageField::some(edit) };
        check(wa::Message { edited_message: MessageField::some(wrapped), ..Default::default() }, edited);
        check(change(ProtocolType::EphemeralSetting, None), None);
        let reaction = wa::message::ReactionMessage {
            key: MessageField::some(wa::MessageKey { id: Some("3EB0".to_owned()), ..Default::default() }),
            text: Some("❤️".to_owned()),
            ..Default::default()
        };
        check(
            wa::Message { reaction_message: MessageField::some(reaction), ..Default::default() },
            Some(Content::Reaction { message_id: "3EB0".to_owned(), emoji: Some("❤️".to_owned()) }),
        );
        let nowhere = wa::message::ReactionMessage {
            key: MessageField::some(wa::MessageKey { id: Some("\0".to_owned()), ..Default::default() }),
            ..Default::default()
        };
        check(wa::Message { reaction_message: MessageField::some(nowhere), ..Default::default() }, None);
        let answer = wa::message::ExtendedTextMessage {
            text: Some("да".to_owned()),
            context_info: MessageField::some(wa::ContextInfo { stanza_id: Some("3EB0".to_owned()), ..Default::default() }),
            ..Default::default()
        };
        assert_eq!(
            quoted(&wa::Message { extended_text_message: MessageField::some(answer), ..Default::default() }).as_deref(),
            Some("3EB0")
        );
        assert_eq!(quoted(&text("да")), None);
        // What the salon's own phone sent comes wrapped, naming whom it was sent to.
        let sent = wa::message::DeviceSentMessage { message: MessageField::some(text("Ждём вас")), ..Default::default() };
        check(
            wa::Message { device_sent_message: MessageField::some(sent), ..Default::default() },
            Some(Content::Text("Ждём вас".to_owned())),
        );
    }
}
