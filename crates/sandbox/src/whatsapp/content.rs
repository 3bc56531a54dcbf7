//! What messages hold: composed by the phone that writes one, read by the phone that shows it.

use serde::{Deserialize, Serialize};
use wacore::download::MediaType;
use waproto::buffa::MessageField;
use waproto::whatsapp as wa;
use waproto::whatsapp::message::protocol_message::Type as ProtocolType;

use super::media::{self, Stored};
use super::{Kind, PhoneError};

/// A message that a phone is to send.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// What it says.
    pub draft: Draft,
    /// The id of the message of this chat that it quotes.
    pub quoted: Option<String>,
    /// Its id; made up if absent. The same id again is the same message delivered once more.
    pub id: Option<String>,
    /// The name under which the author shows up from now on.
    pub push_name: Option<String>,
    /// Whether the author's phone number is hidden from now on, so that only the LID is known.
    pub hidden: Option<bool>,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Draft {
    /// Text.
    Text(String),
    /// An emoji on another message, by its id; an empty one takes it back.
    Reaction {
        /// The message's id.
        to: String,
        /// The emoji.
        emoji: String,
    },
    /// A file, which the phone encrypts and uploads.
    Media(File),
    /// A place, in degrees.
    Location {
        /// North.
        latitude: f64,
        /// East.
        longitude: f64,
        /// What is there.
        name: String,
    },
    /// A card of the address book.
    Contact {
        /// Whose.
        name: String,
        /// Digits without plus.
        phone: String,
    },
    /// New text for a message of one's own.
    Edit {
        /// The message's id.
        of: String,
        /// The text.
        text: String,
    },
    /// A message of one's own is deleted for everybody.
    Revoke {
        /// The message's id.
        of: String,
    },
}

impl Default for Draft {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// A file in a message.
#[derive(Clone, Debug)]
pub struct File {
    /// How it is shown: [`Kind::Image`], [`Kind::Voice`], [`Kind::Audio`], [`Kind::Video`], [`Kind::Document`] or [`Kind::Sticker`].
    pub kind: Kind,
    /// The file itself.
    pub bytes: Vec<u8>,
    /// Its media type; the usual one of its kind if absent.
    pub mimetype: Option<String>,
    /// The text below an image, a video or a document.
    pub caption: Option<String>,
    /// The name of a document.
    pub file_name: Option<String>,
}

/// A file as a chat shows it, once the phone has fetched and decrypted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its media type.
    pub mimetype: String,
    /// Bytes.
    pub size: usize,
    /// The name of a document.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file_name: Option<String>,
}

/// The encryption of a kind of file, its usual media type, and whether there is one.
pub(super) fn media_type(kind: Kind) -> Option<(MediaType, &'static str)> {
    Some(match kind {
        Kind::Image => (MediaType::Image, "image/jpeg"),
        Kind::Voice => (MediaType::Audio, "audio/ogg; codecs=opus"),
        Kind::Audio => (MediaType::Audio, "audio/mpeg"),
        Kind::Video => (MediaType::Video, "video/mp4"),
        Kind::Document => (MediaType::Document, "application/pdf"),
        Kind::Sticker => (MediaType::Sticker, "image/webp"),
        _ => return None,
    })
}

/// Another message of the chat, as messages point to it.
pub(super) struct Reference {
    pub(super) id: String,
    /// The chat from the writer's side.
    pub(super) chat: String,
    /// Who wrote it.
    pub(super) author: String,
    /// Whether that is the writer.
    pub(super) own: bool,
    pub(super) message: wa::Message,
}

impl Reference {
    fn key(&self) -> MessageField<wa::MessageKey> {
        MessageField::some(wa::MessageKey {
            remote_jid: Some(self.chat.clone()),
            from_me: Some(self.own),
            id: Some(self.id.clone()),
            participant: None,
        })
    }

    fn context(self) -> wa::ContextInfo {
        wa::ContextInfo {
            stanza_id: Some(self.id),
            participant: Some(self.author),
            quoted_message: MessageField::some(self.message),
            ..Default::default()
        }
    }
}

/// The message that a letter becomes. `file`: what the phone has uploaded; `about`: the message it reacts to, edits or revokes.
pub(super) fn compose(
    draft: &Draft,
    file: Option<Stored>,
    about: Option<Reference>,
    quoted: Option<Reference>,
    now_ms: i64,
) -> Result<wa::Message, PhoneError> {
    let quotes = quoted.is_some();
    let context_info = quoted.map(Reference::context).map(MessageField::some).unwrap_or_default();
    let empty = wa::Message::default();
    Ok(match draft {
        Draft::Text(text) if !quotes => wa::Message { conversation: Some(text.clone()), ..empty },
        Draft::Text(text) => {
            let extended = wa::message::ExtendedTextMessage { text: Some(text.clone()), context_info, ..Default::default() };
            wa::Message { extended_text_message: MessageField::some(extended), ..empty }
        }
        Draft::Reaction { emoji, .. } => {
            let reaction = wa::message::ReactionMessage {
                key: about.ok_or(PhoneError::NoMessage)?.key(),
                text: Some(emoji.clone()),
                sender_timestamp_ms: Some(now_ms),
                ..Default::default()
            };
            wa::Message { reaction_message: MessageField::some(reaction), ..empty }
        }
        Draft::Media(draft) => media_message(draft, &file.ok_or(PhoneError::NoMessage)?, context_info),
        Draft::Location { latitude, longitude, name } => {
            let location = wa::message::LocationMessage {
                degrees_latitude: Some(*latitude),
                degrees_longitude: Some(*longitude),
                name: Some(name.clone()),
                context_info,
                ..Default::default()
            };
            wa::Message { location_message: MessageField::some(location), ..empty }
        }
        Draft::Contact { name, phone } => {
            let contact = wa::message::ContactMessage {
                display_name: Some(name.clone()),
                vcard: Some(format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nTEL;type=CELL;waid={phone}:+{phone}\nEND:VCARD")),
                context_info,
                ..Default::default()
            };
            wa::Message { contact_message: MessageField::some(contact), ..empty }
        }
        Draft::Edit { text, .. } => {
            let protocol = wa::message::ProtocolMessage {
                key: about.ok_or(PhoneError::NoMessage)?.key(),
                r#type: Some(ProtocolType::MessageEdit),
                edited_message: MessageField::some(wa::Message { conversation: Some(text.clone()), ..Default::default() }),
                timestamp_ms: Some(now_ms),
                ..Default::default()
            };
            wa::Message { protocol_message: MessageField::some(protocol), ..empty }
        }
        Draft::Revoke { .. } => {
            let protocol = wa::message::ProtocolMessage {
                key: about.ok_or(PhoneError::NoMessage)?.key(),
                r#type: Some(ProtocolType::REVOKE),
                ..Default::default()
            };
            wa::Message { protocol_message: MessageField::some(protocol), ..empty }
        }
    })
}

fn media_message(draft: &File, stored: &Stored, context_info: MessageField<wa::ContextInfo>) -> wa::Message {
    let usual = media_type(draft.kind).map(|(_, usual)| usual).unwrap_or_default();
    let mimetype = Some(draft.mimetype.clone().unwrap_or_else(|| usual.to_owned()));
    let caption = draft.caption.clone();
    // The same seven fields in types that have nothing else in common.
    macro_rules! message {
        ($field:ident: $type:ident { $($more:tt)* }) => {
            wa::Message {
                $field: MessageField::some(wa::message::$type {
                    url: Some(stored.url.clone()),
                    direct_path: Some(stored.direct_path.clone()),
                    media_key: Some(stored.media_key.to_vec()),
                    file_sha256: Some(stored.file_sha256.to_vec()),
                    file_enc_sha256: Some(stored.file_enc_sha256.to_vec()),
                    file_length: Some(draft.bytes.len() as u64),
                    mimetype,
                    context_info,
                    $($more)*
                    ..Default::default()
                }),
                ..Default::default()
            }
        };
    }
    match draft.kind {
        Kind::Voice => message!(audio_message: AudioMessage { ptt: Some(true), seconds: Some(1), }),
        Kind::Audio => message!(audio_message: AudioMessage { ptt: Some(false), seconds: Some(1), }),
        Kind::Video => message!(video_message: VideoMessage { caption, }),
        Kind::Document => message!(document_message: DocumentMessage { caption, file_name: draft.file_name.clone(), }),
        Kind::Sticker => message!(sticker_message: StickerMessage {}),
        _ => message!(image_message: ImageMessage { caption, }),
    }
}

/// What a phone does with a message.
pub(super) enum Read {
    /// Shows it.
    Shows(Content),
    /// Writes new text into one it has.
    Edits { of: String, text: String },
    /// Takes one away.
    Revokes { of: String },
    /// Nothing that a chat would show.
    Settings,
}

/// A message to show.
pub(super) struct Content {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) reaction_to: Option<String>,
    pub(super) quoted: Option<String>,
    pub(super) file: Option<media::Reference>,
}

/// What a phone reads in a message.
pub(super) fn read(message: &wa::Message) -> Read {
    let message = unwrapped(message);
    if let Some(protocol) = message.protocol_message.as_option() {
        let of = protocol.key.as_option().and_then(|key| key.id.clone());
        return match (protocol.r#type, of) {
            (Some(ProtocolType::MessageEdit), Some(of)) => {
                let text = match protocol.edited_message.as_option().map(read) {
                    Some(Read::Shows(content)) => content.text,
                    _ => String::new(),
                };
                Read::Edits { of, text }
            }
            (Some(ProtocolType::REVOKE), Some(of)) => Read::Revokes { of },
            _ => Read::Settings,
        };
    }
    let context = |context: &MessageField<wa::ContextInfo>| context.as_option().and_then(|context| context.stanza_id.clone());
    let plain = |kind, text: Option<&String>| Content {
        kind,
        text: text.cloned().unwrap_or_default(),
        reaction_to: None,
        quoted: None,
        file: None,
    };
    macro_rules! media {
        ($part:ident, $kind:expr, $caption:expr, $name:expr) => {
            Content {
                quoted: context(&$part.context_info),
                file: media::Reference::read(&$part.direct_path, &$part.media_key, $part.mimetype.as_deref(), $name),
                ..plain($kind, $caption)
            }
        };
    }
    let content = if message.conversation.is_some() {
        plain(Kind::Text, message.conversation.as_ref())
    } else if let Some(part) = message.extended_text_message.as_option() {
        Content { quoted: context(&part.context_info), ..plain(Kind::Text, part.text.as_ref()) }
    } else if let Some(part) = message.reaction_message.as_option() {
        let to = part.key.as_option().and_then(|key| key.id.clone());
        Content { reaction_to: to, ..plain(Kind::Reaction, part.text.as_ref()) }
    } else if let Some(part) = message.image_message.as_option() {
        media!(part, Kind::Image, part.caption.as_ref(), None)
    } else if let Some(part) = message.video_message.as_option() {
        media!(part, Kind::Video, part.caption.as_ref(), None)
    } else if let Some(part) = message.audio_message.as_option() {
        media!(part, if part.ptt == Some(true) { Kind::Voice } else { Kind::Audio }, None, None)
    } else if let Some(part) = message.document_message.as_option() {
        media!(part, Kind::Document, part.caption.as_ref(), part.file_name.clone())
    } else if let Some(part) = message.sticker_message.as_option() {
        media!(part, Kind::Sticker, None, None)
    } else if let Some(part) = message.location_message.as_option() {
        let at = |degrees: Option<f64>| degrees.unwrap_or_default();
        let text = format!("{},{} {}", at(part.degrees_latitude), at(part.degrees_longitude), part.name.as_deref().unwrap_or_default());
        Content { quoted: context(&part.context_info), ..plain(Kind::Location, Some(&text.trim_end().to_owned())) }
    } else if let Some(part) = message.contact_message.as_option() {
        let name = part.display_name.as_deref().unwrap_or_default();
        let phone = part.vcard.as_deref().and_then(|card| card.split("waid=").nth(1)?.split(':').next()).unwrap_or_default();
        Content { quoted: context(&part.context_info), ..plain(Kind::Contact, Some(&format!("{name} {phone}"))) }
    } else {
        tracing::warn!("a message of a kind that the phones cannot show");
        plain(Kind::Other, None)
    };
    Read::Shows(content)
}

/// The message inside wrappers that say how long or how often it is shown, or that an older phone would not know it.
fn unwrapped(message: &wa::Message) -> &wa::Message {
    let wrappers = [
        &message.ephemeral_message,
        &message.view_once_message,
        &message.view_once_message_v2,
        &message.document_with_caption_message,
        &message.edited_message,
    ];
    match wrappers.into_iter().find_map(|wrapper| wrapper.as_option()?.message.as_option()) {
        Some(inner) => unwrapped(inner),
        None => message,
    }
}
