//! Receiving: a message is in the database before WhatsApp hears that it was received.

use std::{sync::Arc, time::Duration};

use domain::{CompanyId, IntegrationStatus};
use jiff::{SignedDuration, Timestamp};
use store::{
    StoreError, Tx, companies,
    conversations::{self, Conversation},
    jobs,
    messages::{self, InboundRow, Kind, Status},
};
use whatsapp::{Content, Delivery, Inbound, MAX_TEXT};

use crate::{App, answer::Answer, files::FetchFile, missed::ListMissed};

/// A message that is older than this when it arrives is listed for the salon, not answered.
const STALE: SignedDuration = SignedDuration::from_hours(1);

/// A burst without an end is answered so long after its first message.
const LONGEST_BURST: Duration = Duration::from_secs(10);

/// The product's end of the WhatsApp sessions.
pub struct Inbox {
    pub(crate) app: std::sync::OnceLock<Arc<App>>,
}

impl Inbox {
    /// An inbox that refuses messages (WhatsApp delivers them again) until [`Inbox::open`].
    pub fn closed() -> Self {
        Self { app: std::sync::OnceLock::new() }
    }

    /// From now on messages go to this app. A second call changes nothing.
    pub fn open(&self, app: Arc<App>) {
        self.app.get_or_init(|| app);
    }

    async fn note(&self, company: CompanyId, message_id: &str, status: Status) -> anyhow::Result<()> {
        let mut tx = self.app()?.store.begin().await?;
        messages::set_status(&mut tx, company, message_id, status, None).await?;
        Ok(tx.commit().await?)
    }

    fn app(&self) -> anyhow::Result<&Arc<App>> {
        self.app.get().ok_or_else(|| anyhow::anyhow!("starting"))
    }
}

#[async_trait::async_trait]
impl whatsapp::Inbox for Inbox {
    async fn receive(&self, batch: Vec<Inbound>) -> anyhow::Result<()> {
        let app = self.app()?;
        let mut tx = app.store.begin().await?;
        for message in &batch {
            store_one(app, &mut tx, message).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn has(&self, company: CompanyId, message_id: &str) -> anyhow::Result<bool> {
        let mut tx = self.app()?.store.read().await?;
        Ok(messages::is_stored(&mut tx, company, message_id).await?)
    }

    async fn delivered(&self, company: CompanyId, message_id: &str, delivery: Delivery) {
        let status = match delivery {
            // Whoever sends waits for these two and writes them down.
            Delivery::ServerAck | Delivery::Refused { .. } => return,
            Delivery::Delivered => Status::Delivered,
            Delivery::Read => Status::Read,
        };
        if let Err(error) = self.note(company, message_id, status).await {
            tracing::warn!(%company, %error, "what became of a message could not be written down");
        }
    }
}

async fn store_one(app: &App, tx: &mut Tx, message: &Inbound) -> anyhow::Result<()> {
    let company = message.company_id;
    if app.whatsapp.own_chat(company).as_ref() == Some(&message.chat) {
        return Ok(()); // the owner's notes to themselves, our own notices among them
    }
    let changed = match &message.content {
        Content::Edit { message_id, .. } | Content::Revoke { message_id } => Some(message_id),
        _ => None,
    };
    if message.from_me && changed.is_some() {
        return Ok(()); // what the salon corrects of its own words is said already
    }
    let name = message.push_name.as_deref().filter(|_| !message.from_me);
    let conversation = conversations::ensure(tx, company, &message.chat, message.phone.as_ref(), name).await?;
    if let Some(changed) = changed {
        messages::withdraw(tx, company, conversation.id, changed).await?;
    }
    let status = first_status(app, tx, &conversation, message).await?;
    let Some(row) = row(app, message, &conversation, status)? else { return Ok(()) };
    let Some(stored) = messages::store_inbound(tx, company, &row).await? else {
        metrics::counter!("messages_repeated").increment(1);
        return Ok(());
    };
    if message.from_me {
        return match &message.content {
            Content::Reaction { .. } => Ok(()), // an emoji is no word: the bot goes on
            _ => by_a_person(app, tx, &conversation, message.sent_at).await,
        };
    }
    metrics::counter!("messages_received").increment(1);
    if message.content.brings_small_file() {
        jobs::enqueue(tx, FetchFile::job(company, stored.id)).await?;
    }
    let job = match status {
        Status::New => Answer::job(company, conversation.id).delay(debounce(app, &message.content)).at_the_latest(LONGEST_BURST),
        Status::Old => ListMissed::job(company),
        _ => return Ok(()),
    };
    jobs::put_off(tx, job).await?;
    Ok(())
}

/// Somebody in the salon wrote to the customer: the bot is silent in that chat for a while from
/// then on, and what was not answered yet is theirs to answer. What a session hears long after it
/// was written (the salon's phone was off, or we were) counts from when it was written.
async fn by_a_person(app: &App, tx: &mut Tx, conversation: &Conversation, written: Timestamp) -> anyhow::Result<()> {
    let company = conversation.company_id;
    messages::seen_by_a_person(tx, company, conversation.id, written).await?;
    let now = app.clock.now();
    let until = written.min(now) + SignedDuration::try_from(app.settings.human_pause)?;
    if until <= now {
        return Ok(());
    }
    conversations::set_pause(tx, company, conversation.id, conversation.paused_until.max(Some(until))).await?;
    messages::ignore_unanswered(tx, company, conversation.id).await?;
    tracing::info!(%company, chat = %conversation.chat, "a person writes; the bot is silent there");
    Ok(())
}

async fn first_status(app: &App, tx: &mut Tx, conversation: &Conversation, message: &Inbound) -> anyhow::Result<Status> {
    let now = app.clock.now();
    let salon = companies::get(tx, message.company_id).await?.ok_or(StoreError::NotFound("company"))?;
    let answers = salon.status == IntegrationStatus::Active && salon.ai_enabled && salon.whatsapp_enabled;
    let paused = conversation.paused_until.is_some_and(|until| now < until);
    let stale = now.duration_since(message.sent_at) > STALE;
    let emoji = matches!(message.content, Content::Reaction { .. });
    Ok(match stale {
        _ if !answers || paused || (stale && emoji) => Status::Ignored,
        true => Status::Old,
        false => Status::New,
    })
}

/// The row of a message; `None` for one that only takes another back. An edit is a message of its
/// own: a turn that has the former text already is followed by one with the new text.
fn row(app: &App, message: &Inbound, conversation: &Conversation, status: Status) -> anyhow::Result<Option<InboundRow>> {
    let content = &message.content;
    let said = |words: &Option<String>| words.clone().unwrap_or_default();
    let (kind, text) = match content {
        Content::Text(text) | Content::Edit { text, .. } => (Kind::Text, text.clone()),
        Content::Reaction { emoji, .. } => (Kind::Reaction, said(emoji)),
        Content::Voice(_) => (Kind::Voice, String::new()),
        Content::Image { caption, .. } => (Kind::Image, said(caption)),
        Content::Video { caption, .. } => (Kind::Video, said(caption)),
        Content::Document { caption, .. } => (Kind::Document, said(caption)),
        Content::Sticker(_) => (Kind::Sticker, String::new()),
        Content::Location(_) => (Kind::Location, String::new()),
        Content::Contact { .. } => (Kind::Contact, String::new()),
        Content::Other => (Kind::Other, String::new()),
        Content::Revoke { .. } => return Ok(None),
    };
    let reaction_to = if let Content::Reaction { message_id, .. } = content { Some(message_id.clone()) } else { None };
    let attachment = match content {
        Content::Text(_) | Content::Edit { .. } | Content::Reaction { .. } | Content::Revoke { .. } | Content::Other => None,
        content => {
            let place = messages::attachment_key(conversation.id, &message.message_id);
            Some(app.vault.seal(message.company_id, "messages", &place, &serde_json::to_vec(content)?))
        }
    };
    Ok(Some(InboundRow {
        chat: message.chat.clone(),
        phone: message.phone.clone(),
        push_name: message.push_name.clone(),
        whatsapp_id: message.message_id.clone(),
        from_me: message.from_me,
        kind,
        text: text.chars().take(MAX_TEXT).collect(),
        reaction_to,
        quoted: message.quoted.clone(),
        attachment,
        sent_at: message.sent_at,
        received_at: app.clock.now(),
        status,
    }))
}

/// How long to wait for the rest of a burst: short when the sentence is whole.
fn debounce(app: &App, content: &Content) -> Duration {
    if let Some(fixed) = app.settings.debounce {
        return fixed;
    }
    let (Content::Text(text) | Content::Edit { text, .. }) = content else { return Duration::from_secs(1) };
    let text = text.trim_end();
    let words = text.split_whitespace().count();
    Duration::from_millis(match () {
        () if text.ends_with(['?', '!', '.', '…', ')']) => 1000,
        () if words >= 6 => 1500,
        () if words >= 3 => 2500,
        () => 4000,
    })
}

/// The moment a bot that was told to be silent may speak again: the customer's next day.
pub(crate) fn next_day(now: Timestamp, zone: &jiff::tz::TimeZone) -> Timestamp {
    let tomorrow = now.to_zoned(zone.clone()).date().saturating_add(jiff::Span::new().days(1));
    tomorrow.to_zoned(zone.clone()).map_or(now, |midnight| midnight.timestamp())
}
