//! The chats that a phone hands to a device it has just linked.

use wacore::download::MediaType;
use waproto::buffa::MessageField;
use waproto::whatsapp as wa;

use super::messages::Post;
use super::world::World;
use super::{Emulator, PhoneError, stanza};

/// Messages of each chat.
const LAST_MESSAGES: usize = 20;
/// The largest block of a stream that is not compressed.
const BLOCK: usize = 65_535;

impl Emulator {
    /// Uploads the phone's chats and tells the device where they are.
    pub(super) fn send_history(&self, world: &mut World, phone: &str, device: u16) -> Result<(), PhoneError> {
        let conversations = world.conversations(phone, LAST_MESSAGES)?;
        let known = world.accounts.values().filter(|account| !account.hidden);
        let history = wa::HistorySync {
            sync_type: wa::history_sync::HistorySyncType::INITIAL_BOOTSTRAP,
            phone_number_to_lid_mappings: known
                .filter(|account| conversations.iter().any(|chat| chat.id == account.lid_jid().to_string()))
                .map(|account| wa::PhoneNumberToLIDMapping {
                    pn_jid: Some(account.pn_jid().to_string()),
                    lid_jid: Some(account.lid_jid().to_string()),
                })
                .collect(),
            conversations,
            chunk_order: Some(1),
            progress: Some(100),
            ..Default::default()
        };
        let file = zlib_stored(&waproto::codec::history_sync_to_vec(&history));
        let stored = world.files.store(&self.options.media_host, &file, MediaType::History)?;
        let notification = wa::message::HistorySyncNotification {
            file_sha256: Some(stored.file_sha256.to_vec()),
            file_length: Some(file.len() as u64),
            media_key: Some(stored.media_key.to_vec()),
            file_enc_sha256: Some(stored.file_enc_sha256.to_vec()),
            direct_path: Some(stored.direct_path),
            sync_type: Some(wa::message::HistorySyncType::INITIAL_BOOTSTRAP),
            chunk_order: Some(1),
            progress: Some(100),
            ..Default::default()
        };
        let protocol = wa::message::ProtocolMessage {
            r#type: Some(wa::message::protocol_message::Type::HISTORY_SYNC_NOTIFICATION),
            history_sync_notification: MessageField::some(notification),
            ..Default::default()
        };
        let message = wa::Message { protocol_message: MessageField::some(protocol), ..Default::default() };
        self.post(
            world,
            &Post {
                author: phone,
                owner: phone,
                other: phone,
                only: Some(device),
                id: &stanza::random_id(),
                peer: true,
                push_name: None,
                message: &message,
                copy_for: None,
            },
        )
    }
}

/// A zlib stream (RFC 1950) of blocks that are not compressed.
fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = data.chunks(BLOCK).peekable();
    if blocks.peek().is_none() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    out.extend((b << 16 | a).to_be_bytes());
    out
}
