//! Inbox and outbox. The order of a chat is its sequence number, which both directions share.

use std::time::Duration;

use domain::{ChatId, CompanyId, Phone};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Result, StoreError, Tx,
    conversations::{self, ConversationId},
    sql::{corrupt, millis, moment, text},
    turns::TurnId,
};

/// The number of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub i64);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The word in the database and in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            fn from_word(word: &str) -> sqlx::Result<Self> {
                Ok(match word { $($word => Self::$variant,)+ _ => return Err(corrupt(stringify!($name))) })
            }
        }
    };
}

words! {
    /// Whose words.
    Author {
        /// The customer.
        Customer = "customer",
        /// The bot.
        Bot = "bot",
        /// Somebody in the salon, from the phone.
        Person = "person",
    }
}

words! {
    /// What a message is.
    Kind {
        /// Words.
        Text = "text",
        /// A voice message.
        Voice = "voice",
        /// A picture, perhaps with words below.
        Image = "image",
        /// A video, perhaps with words below.
        Video = "video",
        /// A document, perhaps with words below.
        Document = "document",
        /// A sticker.
        Sticker = "sticker",
        /// A place.
        Location = "location",
        /// A card from an address book.
        Contact = "contact",
        /// An emoji on another message.
        Reaction = "reaction",
        /// Something else.
        Other = "other",
    }
}

words! {
    /// Where a message stands.
    Status {
        /// In: no turn has taken it.
        New = "new",
        /// In: a turn has taken it.
        Answered = "answered",
        /// In: too old at its arrival to be answered, and not yet listed for the salon.
        Old = "old",
        /// In: nothing to answer, or a person's to answer.
        Ignored = "ignored",
        /// Out: to be sent.
        Queued = "queued",
        /// Out: handed to WhatsApp's server.
        Sent = "sent",
        /// Out: WhatsApp's server has it.
        Acked = "acked",
        /// Out: on the customer's phone.
        Delivered = "delivered",
        /// Out: read.
        Read = "read",
        /// Out: WhatsApp refused it.
        Failed = "failed",
    }
}

/// A message that arrived.
#[derive(Debug, Clone)]
pub struct InboundRow {
    /// WhatsApp's name of the chat.
    pub chat: ChatId,
    /// The customer's number, where known.
    pub phone: Option<Phone>,
    /// How the customer calls themselves.
    pub push_name: Option<String>,
    /// WhatsApp's id, unique in its chat and direction.
    pub whatsapp_id: String,
    /// Written in the salon (on its phone), not by the customer.
    pub from_me: bool,
    /// What it is.
    pub kind: Kind,
    /// The words, or a reaction's emoji; may be empty.
    pub text: String,
    /// What a reaction is about: a WhatsApp id.
    pub reaction_to: Option<String>,
    /// The message it answers: a WhatsApp id.
    pub quoted: Option<String>,
    /// What it brings beside words, sealed for (`messages`, [`attachment_key`]).
    pub attachment: Option<Vec<u8>>,
    /// When it was written, as WhatsApp says.
    pub sent_at: Timestamp,
    /// When it arrived, calendar time.
    pub received_at: Timestamp,
    /// [`Status::New`], [`Status::Old`] or [`Status::Ignored`]; without meaning when `from_me`.
    pub status: Status,
}

/// What the bot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// Words.
    Text(&'a str),
    /// An emoji on a message of the chat.
    Reaction {
        /// The message's WhatsApp id.
        to: &'a str,
        /// Empty takes an earlier one back.
        emoji: &'a str,
    },
}

/// A message that was stored just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its number.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place in the conversation.
    pub seq: i64,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place in the conversation.
    pub seq: i64,
    /// Whose words.
    pub author: Author,
    /// WhatsApp's id.
    pub whatsapp_id: String,
    /// What it is.
    pub kind: Kind,
    /// The words, or a reaction's emoji.
    pub text: String,
    /// What a reaction is about.
    pub reaction_to: Option<String>,
    /// The message it answers: a WhatsApp id.
    pub quoted: Option<String>,
    /// What it brings beside words, sealed.
    pub attachment: Option<Vec<u8>>,
    /// How the sender called themselves.
    pub push_name: Option<String>,
    /// When it was written.
    pub sent_at: Timestamp,
    /// When it was stored, calendar time.
    pub received_at: Timestamp,
    /// Where it stands.
    pub status: Status,
    /// Why WhatsApp refused it.
    pub refusal: Option<String>,
    /// The turn that took it or said it.
    pub turn: Option<TurnId>,
}

from_row!(Message, |row| Ok(Self {
    id: MessageId(row.try_get("id")?),
    conversation: ConversationId(row.try_get("conversation_id")?),
    seq: row.try_get("seq")?,
    author: Author::from_word(row.try_get("author")?)?,
    whatsapp_id: row.try_get("whatsapp_id")?,
    kind: Kind::from_word(row.try_get("kind")?)?,
    text: row.try_get("text")?,
    reaction_to: row.try_get("reaction_to")?,
    quoted: row.try_get("quoted")?,
    attachment: row.try_get("attachment")?,
    push_name: row.try_get("push_name")?,
    sent_at: moment("messages.sent_at", row.try_get("sent_at")?)?,
    received_at: moment("messages.received_at", row.try_get("received_at")?)?,
    status: Status::from_word(row.try_get("status")?)?,
    refusal: row.try_get("refusal")?,
    turn: row.try_get::<Option<i64>, _>("turn_id")?.map(TurnId),
}));

/// The place of a message's attachment in the vault.
pub fn attachment_key(conversation: ConversationId, whatsapp_id: &str) -> String {
    format!("{conversation} {whatsapp_id}")
}

/// Stores a message that arrived, in its conversation (made where it is new); `None` when it is
/// there already, also when it is the echo of one that we sent.
///
/// # Errors
/// [`StoreError::Database`]: do not acknowledge it.
pub async fn store_inbound(tx: &mut Tx, company: CompanyId, message: &InboundRow) -> Result<Option<StoredMessage>> {
    // A name in a message of the salon's own is the salon's.
    let name = message.push_name.as_deref().filter(|_| !message.from_me);
    let conversation = conversations::ensure(tx, company, &message.chat, message.phone.as_ref(), name).await?.id;
    let (direction, author, status) = match message.from_me {
        true => ("out", Author::Person, Status::Sent),
        false => ("in", Author::Customer, message.status),
    };
    let known = row!(
        tx,
        (i64,),
        "SELECT id FROM messages WHERE conversation_id = $1 AND direction = $2 AND whatsapp_id = $3",
        conversation.0,
        direction,
        text(&message.whatsapp_id)
    )?;
    if known.is_some() {
        return Ok(None);
    }
    let seq = next_seq(tx, company, conversation, message.received_at).await?;
    // The row lock on the conversation has put the same message from elsewhere before or behind us.
    let id = row!(
        tx,
        (i64,),
        "INSERT INTO messages (company_id, conversation_id, seq, direction, author, whatsapp_id, kind, text, reaction_to, push_name, \
           sent_at, received_at, status, quoted, attachment) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT (conversation_id, direction, whatsapp_id) DO NOTHING RETURNING id",
        company.0,
        conversation.0,
        seq,
        direction,
        author.as_str(),
        text(&message.whatsapp_id),
        message.kind.as_str(),
        text(&message.text),
        message.reaction_to.as_deref().map(text),
        message.push_name.as_deref().map(text),
        message.sent_at.as_millisecond(),
        message.received_at.as_millisecond(),
        status.as_str(),
        message.quoted.as_deref(),
        message.attachment.as_deref()
    )?;
    Ok(id.map(|(id,)| StoredMessage { id: MessageId(id), conversation, seq }))
}

/// Whether any chat of the salon has a message of that id, from either side.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn is_stored(tx: &mut Tx, company: CompanyId, whatsapp_id: &str) -> Result<bool> {
    let known =
        row!(tx, (i64,), "SELECT id FROM messages WHERE company_id = $1 AND whatsapp_id = $2 LIMIT 1", company.0, text(whatsapp_id))?;
    Ok(known.is_some())
}

async fn next_seq(tx: &mut Tx, company: CompanyId, conversation: ConversationId, at: Timestamp) -> Result<i64> {
    let seq = row!(
        tx,
        (i64,),
        "UPDATE conversations SET last_seq = last_seq + 1, last_message_at = $3 WHERE company_id = $1 AND id = $2 RETURNING last_seq",
        company.0,
        conversation.0,
        at.as_millisecond()
    )?;
    seq.map(|(seq,)| seq).ok_or(StoreError::NotFound("conversation"))
}

/// The customer's messages that no turn has taken, in their order.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn unanswered(tx: &mut Tx, company: CompanyId, conversation: ConversationId) -> Result<Vec<Message>> {
    rows!(
        tx,
        Message,
        "SELECT * FROM messages WHERE company_id = $1 AND conversation_id = $2 AND status = 'new' ORDER BY seq",
        company.0,
        conversation.0
    )
}

/// The customer's messages of a span of sequence numbers, both ends included, in their order: what
/// an unfinished turn took, also where a person has taken over since.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn heard(tx: &mut Tx, company: CompanyId, conversation: ConversationId, from_seq: i64, to_seq: i64) -> Result<Vec<Message>> {
    rows!(
        tx,
        Message,
        "SELECT * FROM messages WHERE company_id = $1 AND conversation_id = $2 AND seq >= $3 AND seq <= $4 \
           AND direction = 'in' AND status IN ('new', 'answered', 'ignored') ORDER BY seq",
        company.0,
        conversation.0,
        from_seq,
        to_seq
    )
}

/// Marks what a turn has taken as answered; returns how many messages that were.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn mark_answered(tx: &mut Tx, company: CompanyId, conversation: ConversationId, up_to_seq: i64, turn: TurnId) -> Result<u64> {
    execute!(
        tx,
        "UPDATE messages SET status = 'answered', turn_id = $4 \
         WHERE company_id = $1 AND conversation_id = $2 AND seq <= $3 AND status = 'new'",
        company.0,
        conversation.0,
        up_to_seq,
        turn.0
    )
}

/// Leaves what no turn has taken to a person; returns how many messages that were.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn ignore_unanswered(tx: &mut Tx, company: CompanyId, conversation: ConversationId) -> Result<u64> {
    execute!(
        tx,
        "UPDATE messages SET status = 'ignored' WHERE company_id = $1 AND conversation_id = $2 AND status = 'new'",
        company.0,
        conversation.0
    )
}

/// The salon is gone: nobody answers what was not answered, and nothing more is sent.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn abandon_company(tx: &mut Tx, company: CompanyId) -> Result<()> {
    execute!(tx, "UPDATE messages SET status = 'ignored' WHERE company_id = $1 AND status IN ('new', 'old')", company.0)?;
    execute!(tx, "UPDATE messages SET status = 'failed' WHERE company_id = $1 AND status = 'queued'", company.0)?;
    Ok(())
}

/// Leaves what was too old to be answered to the salon, which is to be told of it in the same
/// transaction; in the order of writing.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn take_old(tx: &mut Tx, company: CompanyId) -> Result<Vec<Message>> {
    let sql = "UPDATE messages SET status = 'ignored' WHERE company_id = $1 AND status = 'old' RETURNING *";
    let mut old = rows!(tx, Message, sql, company.0)?;
    old.sort_by_key(|message| (message.sent_at, message.seq));
    Ok(old)
}

/// Somebody in the salon wrote in that chat then: what was too old to be answered before that needs
/// no listing. Returns how many messages that were.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn seen_by_a_person(tx: &mut Tx, company: CompanyId, conversation: ConversationId, then: Timestamp) -> Result<u64> {
    execute!(
        tx,
        "UPDATE messages SET status = 'ignored' \
         WHERE company_id = $1 AND conversation_id = $2 AND status = 'old' AND sent_at <= $3",
        company.0,
        conversation.0,
        then.as_millisecond()
    )
}

/// Takes a customer's message back that no turn has taken, as if it had not been written; returns
/// whether there was one.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn withdraw(tx: &mut Tx, company: CompanyId, conversation: ConversationId, whatsapp_id: &str) -> Result<bool> {
    let withdrawn = execute!(
        tx,
        "UPDATE messages SET status = 'ignored' \
         WHERE company_id = $1 AND conversation_id = $2 AND direction = 'in' AND whatsapp_id = $3 AND status IN ('new', 'old')",
        company.0,
        conversation.0,
        text(whatsapp_id)
    )?;
    Ok(withdrawn > 0)
}

/// The message of a conversation with that WhatsApp id, the customer's before ours.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn by_whatsapp_id(tx: &mut Tx, company: CompanyId, conversation: ConversationId, whatsapp_id: &str) -> Result<Option<Message>> {
    row!(
        tx,
        Message,
        "SELECT * FROM messages WHERE company_id = $1 AND conversation_id = $2 AND whatsapp_id = $3 ORDER BY direction LIMIT 1",
        company.0,
        conversation.0,
        text(whatsapp_id)
    )
}

/// Queues words or an emoji of the bot under a WhatsApp id fixed beforehand; returns its number and place.
/// `at` is calendar time.
///
/// # Errors
/// [`StoreError::Database`], among them a conflict when that id is queued already.
pub async fn queue_outbound(
    tx: &mut Tx,
    company: CompanyId,
    conversation: ConversationId,
    whatsapp_id: &str,
    said: Said<'_>,
    turn: Option<TurnId>,
    at: Timestamp,
) -> Result<StoredMessage> {
    let (kind, words, reaction_to) = match said {
        Said::Text(words) => (Kind::Text, words, None),
        Said::Reaction { to, emoji } => (Kind::Reaction, emoji, Some(to)),
    };
    let seq = next_seq(tx, company, conversation, at).await?;
    let id = row!(
        tx,
        (i64,),
        "INSERT INTO messages (company_id, conversation_id, seq, direction, author, whatsapp_id, kind, text, sent_at, received_at, status, turn_id, reaction_to) \
         VALUES ($1, $2, $3, 'out', 'bot', $4, $8, $5, $6, $6, 'queued', $7, $9) RETURNING id",
        company.0,
        conversation.0,
        seq,
        whatsapp_id,
        text(words),
        at.as_millisecond(),
        turn.map(|turn| turn.0),
        kind.as_str(),
        reaction_to
    )?;
    let (id,) = id.ok_or(StoreError::NotFound("message"))?;
    Ok(StoredMessage { id: MessageId(id), conversation, seq })
}

/// The message of that number.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn get(tx: &mut Tx, company: CompanyId, message: MessageId) -> Result<Option<Message>> {
    row!(tx, Message, "SELECT * FROM messages WHERE company_id = $1 AND id = $2", company.0, message.0)
}

/// The bot's messages that were not yet handed over, in their order.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn queued(tx: &mut Tx, company: CompanyId, conversation: ConversationId) -> Result<Vec<Message>> {
    rows!(
        tx,
        Message,
        "SELECT * FROM messages WHERE company_id = $1 AND conversation_id = $2 AND status = 'queued' ORDER BY seq",
        company.0,
        conversation.0
    )
}

/// The place of a message's file in the vault (table `message_files`).
pub fn file_key(message: MessageId) -> String {
    message.0.to_string()
}

/// Puts away the file that a message brought, sealed for (`message_files`, [`file_key`]); a second time changes
/// nothing.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn put_file(tx: &mut Tx, company: CompanyId, message: MessageId, sealed: &[u8]) -> Result<()> {
    let now = tx.now_ms().await?;
    execute!(
        tx,
        "INSERT INTO message_files (message_id, company_id, bytes, fetched_at) VALUES ($1, $2, $3, $4) ON CONFLICT (message_id) DO NOTHING",
        message.0,
        company.0,
        sealed,
        now
    )?;
    Ok(())
}

/// The file that a message brought, sealed; `None` where it brought none, none was fetched, or it is long ago.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn file(tx: &mut Tx, company: CompanyId, message: MessageId) -> Result<Option<Vec<u8>>> {
    let found = row!(tx, (Vec<u8>,), "SELECT bytes FROM message_files WHERE company_id = $1 AND message_id = $2", company.0, message.0)?;
    Ok(found.map(|(bytes,)| bytes))
}

/// Forgets files that were put away longer ago than that; returns how many.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn prune_files(tx: &mut Tx, age: Duration) -> Result<u64> {
    let before = tx.now_ms().await? - millis(age);
    execute!(tx, "DELETE FROM message_files WHERE fetched_at < $1", before)
}

/// The last messages of a conversation, oldest first.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn latest(tx: &mut Tx, company: CompanyId, conversation: ConversationId, limit: i64) -> Result<Vec<Message>> {
    let mut messages = rows!(
        tx,
        Message,
        "SELECT * FROM messages WHERE company_id = $1 AND conversation_id = $2 ORDER BY seq DESC LIMIT $3",
        company.0,
        conversation.0,
        limit
    )?;
    messages.reverse();
    Ok(messages)
}

/// Moves our messages of that WhatsApp id forward: queued → sent → acked → delivered → read, or
/// failed from anywhere before delivered. Tidings that come late or twice change nothing.
/// `refusal` says why it failed. Returns the messages it changed.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn set_status(
    tx: &mut Tx,
    company: CompanyId,
    whatsapp_id: &str,
    status: Status,
    refusal: Option<&str>,
) -> Result<Vec<StoredMessage>> {
    let rank = |status| match status {
        Status::Queued => 0,
        Status::Sent => 1,
        Status::Acked => 2,
        Status::Failed => 3,
        Status::Delivered => 4,
        Status::Read => 5,
        Status::New | Status::Answered | Status::Old | Status::Ignored => -1,
    };
    let changed = rows!(
        tx,
        (i64, i64, i64),
        "UPDATE messages SET status = $3, refusal = $4 WHERE company_id = $1 AND whatsapp_id = $2 AND direction = 'out' \
           AND CASE status WHEN 'queued' THEN 0 WHEN 'sent' THEN 1 WHEN 'acked' THEN 2 WHEN 'failed' THEN 3 WHEN 'delivered' THEN 4 ELSE 5 END < $5 \
         RETURNING id, conversation_id, seq",
        company.0,
        whatsapp_id,
        status.as_str(),
        refusal,
        rank(status)
    )?;
    let stored = |(id, conversation, seq)| StoredMessage { id: MessageId(id), conversation: ConversationId(conversation), seq };
    Ok(changed.into_iter().map(stored).collect())
}

/// The latest messages of all salons by direction (`in`, `out`) and status, at most 10 000 of them: a
/// house that has run for a year is not to be counted through each time.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn recent_counts(tx: &mut Tx) -> Result<Vec<(String, String, i64)>> {
    rows!(
        tx,
        (String, String, i64),
        "SELECT direction, status, count(*) FROM messages WHERE id > (SELECT coalesce(max(id), 0) FROM messages) - 10000 \
         GROUP BY direction, status ORDER BY direction, status"
    )
}
