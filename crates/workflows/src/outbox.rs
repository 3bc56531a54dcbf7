//! Sending: a message is written down with its WhatsApp id first and sent by a job, so that a
//! repeat after a crash is the same message to WhatsApp.

use std::{sync::Arc, time::Duration};

use domain::{ChatId, CompanyId, Phone};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    StoreError, Tx, companies,
    conversations::{self, ConversationId},
    jobs::{self, Handler, Job, NewJob, Outcome},
    machine_now,
    messages::{self, Author, Kind, Message, MessageId, Said, Status},
    turns::TurnId,
};
use whatsapp::{Reaction, SendError};

use crate::{App, conversations::customer_of, texts};

/// Messages wait this long for a session that is down before they are given up.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// However short or long a text is, a person types at least and at most so long.
const TYPING: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));

/// Writes a message down and queues its sending, in the caller's transaction. Returns its WhatsApp id.
///
/// # Errors
/// When the database refuses.
pub async fn queue(app: &App, tx: &mut Tx, company: CompanyId, conversation: ConversationId, text: &str) -> Result<String, StoreError> {
    write_down(app, tx, company, conversation, Said::Text(text), None).await
}

/// The same for an answer of a turn; `since` (machine time) is when the customer's burst was over.
pub(crate) async fn queue_answer(
    app: &App,
    tx: &mut Tx,
    company: CompanyId,
    conversation: ConversationId,
    text: &str,
    turn: TurnId,
    since: Timestamp,
) -> Result<String, StoreError> {
    write_down(app, tx, company, conversation, Said::Text(text), Some((turn, since))).await
}

async fn write_down(
    app: &App,
    tx: &mut Tx,
    company: CompanyId,
    conversation: ConversationId,
    said: Said<'_>,
    answer: Option<(TurnId, Timestamp)>,
) -> Result<String, StoreError> {
    let message_id = app.whatsapp.new_message_id();
    let turn = answer.map(|(turn, _)| turn);
    let message = messages::queue_outbound(tx, company, conversation, &message_id, said, turn, app.clock.now()).await?;
    let letter = Letter { message: message.id, since: answer.map(|(_, since)| since) };
    let job = NewJob::new(Send::KIND, letter)
        .key(format!("{company}:{message_id}"))
        .lane(format!("out:{company}:{conversation}"))
        .company(company)
        .priority(-1)
        .untiring();
    jobs::enqueue(tx, job).await?;
    Ok(message_id)
}

/// The same for the salon's own chat («сообщение себе»): it waits for the session like any other.
/// Nothing happens where no number is linked.
///
/// # Errors
/// When the database refuses.
pub async fn queue_to_salon(app: &App, tx: &mut Tx, company: CompanyId, text: &str) -> Result<Option<String>, StoreError> {
    let chat = match app.whatsapp.own_chat(company) {
        Some(chat) => Some(chat),
        // The session is down, or elsewhere.
        None => companies::get(tx, company)
            .await?
            .filter(|company| company.whatsapp_connected)
            .and_then(|company| company.whatsapp_phone)
            .map(|phone| ChatId(format!("{}@s.whatsapp.net", phone.digits()))),
    };
    let Some(chat) = chat else { return Ok(None) };
    let conversation = conversations::ensure(tx, company, &chat, None, None).await?;
    queue(app, tx, company, conversation.id, text).await.map(Some)
}

/// Puts an emoji (empty: takes it back) on a message of the chat with that customer, the
/// customer's or ours, and queues its sending. Returns the reaction's own WhatsApp id.
///
/// # Errors
/// [`StoreError::NotFound`] when the salon has no chat with that number, or the chat no such message.
pub async fn react(app: &App, company: CompanyId, phone: &Phone, message_id: &str, emoji: &str) -> Result<String, StoreError> {
    let mut tx = app.store.begin().await?;
    let conversation = conversations::by_phone(&mut tx, company, phone).await?.ok_or(StoreError::NotFound("conversation"))?.id;
    let about = messages::by_whatsapp_id(&mut tx, company, conversation, message_id).await?.ok_or(StoreError::NotFound("message"))?;
    let said = Said::Reaction { to: &about.whatsapp_id, emoji };
    let id = write_down(app, &mut tx, company, conversation, said, None).await?;
    tx.commit().await?;
    Ok(id)
}

#[derive(Serialize, Deserialize)]
struct Letter {
    message: MessageId,
    since: Option<Timestamp>,
}

/// The job `send`.
pub(crate) struct Send(pub(crate) Arc<App>);

impl Send {
    pub(crate) const KIND: &'static str = "send";

    async fn send(&self, job: &Job) -> anyhow::Result<Outcome> {
        let company = job.company_id.ok_or_else(|| anyhow::anyhow!("a letter without a salon"))?;
        let letter: Letter = job.payload()?;
        let Some((message, chat)) = self.read(company, letter.message).await? else {
            return Ok(Outcome::Discard { reason: "the message is gone".to_owned() });
        };
        let (status, refusal) = match self.deliver(company, &chat, &message).await? {
            Ok(()) => (Status::Acked, None),
            Err(SendError::Refused { code }) => {
                tracing::warn!(%company, %chat, code, "WhatsApp refused a message");
                (Status::Failed, Some(code.to_string()))
            }
            Err(error) => {
                let waited = job.age();
                if waited < PATIENCE {
                    return Ok(Outcome::Snooze(pause_for(waited)));
                }
                tracing::warn!(%company, %chat, %error, "a message was given up");
                (Status::Failed, Some("not connected".to_owned()))
            }
        };
        let mut tx = self.0.store.begin().await?;
        messages::set_status(&mut tx, company, &message.whatsapp_id, status, refusal.as_deref()).await?;
        let own = self.0.whatsapp.own_chat(company).as_ref() == Some(&chat);
        if let (Status::Failed, Kind::Text, false) = (status, message.kind, own) {
            // The customer still waits for it: somebody must say it.
            let written = conversations::load(&mut tx, company, message.conversation).await?;
            let customer = written.as_ref().map(customer_of).unwrap_or_default();
            queue_to_salon(&self.0, &mut tx, company, &texts::not_delivered(&customer, &message.text)).await?;
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        if let (Status::Acked, Some(since)) = (status, letter.since) {
            metrics::histogram!("reply_seconds").record(machine_now().duration_since(since).as_secs_f64());
        }
        Ok(Outcome::Completed)
    }

    /// Sends it the way a person would: a text is typed first.
    async fn deliver(&self, company: CompanyId, chat: &ChatId, message: &Message) -> Result<Result<(), SendError>, StoreError> {
        let whatsapp = &self.0.whatsapp;
        let id = &message.whatsapp_id;
        if let (Kind::Reaction, Some(to)) = (message.kind, &message.reaction_to) {
            let mut tx = self.0.store.read().await?;
            let about = messages::by_whatsapp_id(&mut tx, company, message.conversation, to).await?;
            drop(tx);
            let to_our_own = about.is_some_and(|about| about.author != Author::Customer);
            let reaction = Reaction { to, to_our_own, emoji: &message.text };
            return Ok(whatsapp.send_reaction(company, chat, id, reaction).await);
        }
        let typed = whatsapp.own_chat(company).as_ref() != Some(chat) && whatsapp.typing(company, chat, true).await.is_ok();
        if typed {
            tokio::time::sleep(typing_time(&message.text, self.0.settings.typing)).await;
        }
        let sent = whatsapp.send_text(company, chat, id, &message.text).await;
        if typed && let Err(error) = whatsapp.typing(company, chat, false).await {
            tracing::debug!(%company, %error, "the end of typing was not shown");
        }
        Ok(sent)
    }

    async fn read(&self, company: CompanyId, message: MessageId) -> Result<Option<(Message, ChatId)>, StoreError> {
        let mut tx = self.0.store.read().await?;
        let Some(message) = messages::get(&mut tx, company, message).await? else { return Ok(None) };
        let conversation = conversations::load(&mut tx, company, message.conversation).await?;
        Ok(conversation.map(|conversation| (message, conversation.chat)))
    }
}

/// How long a person would type that, at so much for a character.
fn typing_time(text: &str, per_char: Duration) -> Duration {
    let chars = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    if per_char.is_zero() { Duration::ZERO } else { per_char.saturating_mul(chars).clamp(TYPING.0, TYPING.1) }
}

/// A session that is down is asked again soon at first, then each half minute.
fn pause_for(waited: Duration) -> Duration {
    waited.clamp(Duration::from_millis(200), Duration::from_secs(30))
}

impl Handler for Send {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.send(job).await.unwrap_or_else(Outcome::retry) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_takes_its_time_within_bounds() {
        let check = |chars: usize, per_char, expected| {
            let time = typing_time(&"я".repeat(chars), Duration::from_millis(per_char));
            assert_eq!(time, Duration::from_millis(expected), "{chars} characters at {per_char} ms");
        };
        check(60, 20, 1200);
        check(3, 20, 500);
        check(4000, 20, 3000);
        check(60, 0, 0);
    }
}
