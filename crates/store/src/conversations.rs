//! Chats with customers: what the receptionist remembers of each, and whether a person has taken over.

use domain::{ChatId, ClientId, CompanyId, Phone};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Result, StoreError, Tx, machine_now,
    sql::{json, moment_opt, phone_opt, text, to_json},
};

/// The number of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ConversationId(pub i64);

impl std::fmt::Display for ConversationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Its number.
    pub id: ConversationId,
    /// Whose customer.
    pub company_id: CompanyId,
    /// WhatsApp's name of the chat.
    pub chat: ChatId,
    /// The customer's number, where known.
    pub phone: Option<Phone>,
    /// How the customer calls themselves.
    pub push_name: Option<String>,
    /// The customer's card, where known.
    pub client_id: Option<ClientId>,
    /// The receptionist's memory; `None` when nothing was said yet.
    pub state: Option<serde_json::Value>,
    /// Which writing of the memory this is.
    pub version: i64,
    /// Until when the bot is silent, calendar time.
    pub paused_until: Option<Timestamp>,
    /// When the last message came or went, calendar time.
    pub last_message_at: Option<Timestamp>,
}

from_row!(Conversation, |row| Ok(Self {
    id: ConversationId(row.try_get("id")?),
    company_id: CompanyId(row.try_get("company_id")?),
    chat: ChatId(row.try_get("chat")?),
    phone: phone_opt("conversations.phone", row.try_get("phone")?)?,
    push_name: row.try_get("push_name")?,
    client_id: row.try_get::<Option<i64>, _>("client_id")?.map(ClientId),
    state: row.try_get::<Option<&str>, _>("state")?.map(|text| json("conversations.state", text)).transpose()?,
    version: row.try_get("version")?,
    paused_until: moment_opt("conversations.paused_until", row.try_get("paused_until")?)?,
    last_message_at: moment_opt("conversations.last_message_at", row.try_get("last_message_at")?)?,
}));

/// The conversation of that chat, made where it is new. A phone or name that is given replaces the
/// known one; `None` keeps it.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn ensure(
    tx: &mut Tx,
    company: CompanyId,
    chat: &ChatId,
    phone: Option<&Phone>,
    push_name: Option<&str>,
) -> Result<Conversation> {
    // Whoever was first written to by number is met again under the LID: the same conversation.
    if let (Some(phone), true) = (phone, chat.0.ends_with("@lid")) {
        execute!(
            tx,
            "UPDATE conversations SET chat = $2 WHERE company_id = $1 AND chat = $3 \
               AND NOT EXISTS (SELECT 1 FROM conversations known WHERE known.company_id = $1 AND known.chat = $2)",
            company.0,
            chat.0.as_str(),
            format!("{}@s.whatsapp.net", phone.digits())
        )?;
    }
    let conversation = row!(
        tx,
        Conversation,
        "INSERT INTO conversations (company_id, chat, phone, push_name, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (company_id, chat) DO UPDATE SET phone = coalesce(excluded.phone, conversations.phone), \
           push_name = coalesce(excluded.push_name, conversations.push_name) \
         RETURNING *",
        company.0,
        text(&chat.0),
        phone.map(Phone::digits),
        push_name.map(text),
        machine_now().as_millisecond()
    )?;
    conversation.ok_or(StoreError::NotFound("conversation"))
}

/// The conversation of that number.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn load(tx: &mut Tx, company: CompanyId, conversation: ConversationId) -> Result<Option<Conversation>> {
    row!(tx, Conversation, "SELECT * FROM conversations WHERE company_id = $1 AND id = $2", company.0, conversation.0)
}

/// The conversation of that chat.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn by_chat(tx: &mut Tx, company: CompanyId, chat: &ChatId) -> Result<Option<Conversation>> {
    row!(tx, Conversation, "SELECT * FROM conversations WHERE company_id = $1 AND chat = $2", company.0, chat.0.as_str())
}

/// The conversation with that number; of several chats with it the latest.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn by_phone(tx: &mut Tx, company: CompanyId, phone: &Phone) -> Result<Option<Conversation>> {
    row!(
        tx,
        Conversation,
        "SELECT * FROM conversations WHERE company_id = $1 AND phone = $2 ORDER BY coalesce(last_message_at, 0) DESC, id DESC LIMIT 1",
        company.0,
        phone.digits()
    )
}

/// The company's latest conversations, latest first.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn latest(tx: &mut Tx, company: CompanyId, limit: i64) -> Result<Vec<Conversation>> {
    rows!(
        tx,
        Conversation,
        "SELECT * FROM conversations WHERE company_id = $1 ORDER BY coalesce(last_message_at, 0) DESC, id DESC LIMIT $2",
        company.0,
        limit
    )
}

/// Writes the memory down if it is still the one of that version; returns the new version.
///
/// # Errors
/// [`StoreError::Stale`] when somebody has written since: take the turn anew.
pub async fn save_state(
    tx: &mut Tx,
    company: CompanyId,
    conversation: ConversationId,
    version: i64,
    state: &impl Serialize,
) -> Result<i64> {
    let saved = execute!(
        tx,
        "UPDATE conversations SET state = $4, version = version + 1 WHERE company_id = $1 AND id = $2 AND version = $3",
        company.0,
        conversation.0,
        version,
        to_json(state)?
    )?;
    if saved == 0 { Err(StoreError::Stale) } else { Ok(version + 1) }
}

/// Silences the bot in a chat until that calendar time, or lets it speak again (`None`).
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn set_pause(tx: &mut Tx, company: CompanyId, conversation: ConversationId, until: Option<Timestamp>) -> Result<()> {
    let changed = execute!(
        tx,
        "UPDATE conversations SET paused_until = $3 WHERE company_id = $1 AND id = $2",
        company.0,
        conversation.0,
        until.map(Timestamp::as_millisecond)
    )?;
    if changed == 0 { Err(StoreError::NotFound("conversation")) } else { Ok(()) }
}

/// Writes down whose card the customer's is.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn set_client(tx: &mut Tx, company: CompanyId, conversation: ConversationId, client: ClientId) -> Result<()> {
    let changed =
        execute!(tx, "UPDATE conversations SET client_id = $3 WHERE company_id = $1 AND id = $2", company.0, conversation.0, client.0)?;
    if changed == 0 { Err(StoreError::NotFound("conversation")) } else { Ok(()) }
}

/// What is open in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages of the customer that no turn has taken.
    pub unanswered: i64,
    /// Our messages that WhatsApp's server has not acknowledged: `queued` or `sent`.
    pub unsent: i64,
}

/// What is open in a conversation.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn counts(tx: &mut Tx, company: CompanyId, conversation: ConversationId) -> Result<Counts> {
    let counted = row!(
        tx,
        (i64, i64),
        "SELECT count(CASE WHEN status = 'new' THEN 1 END), count(CASE WHEN author = 'bot' AND status IN ('queued', 'sent') THEN 1 END) \
         FROM messages WHERE company_id = $1 AND conversation_id = $2 AND status IN ('new', 'queued', 'sent')",
        company.0,
        conversation.0
    )?;
    Ok(counted.map_or_else(Counts::default, |(unanswered, unsent)| Counts { unanswered, unsent }))
}
