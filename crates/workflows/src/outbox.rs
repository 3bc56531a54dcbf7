//! Sending: a message is written down with its WhatsApp id first and sent by a job, so that a
//! repeat after a crash is the same message to WhatsApp.

use std::{sync::Arc, time::Duration};

use domain::{ChatId, CompanyId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    StoreError, Tx,
    conversations::{self, ConversationId},
    jobs::{self, Handler, Job, NewJob, Outcome},
    machine_now,
    messages::{self, Message, MessageId, Status},
    turns::TurnId,
};
use whatsapp::SendError;

use crate::App;

/// Messages wait this long for a session that is down before they are given up.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Writes a message down and queues its sending, in the caller's transaction. Returns its WhatsApp id.
///
/// # Errors
/// When the database refuses.
pub async fn queue(app: &App, tx: &mut Tx, company: CompanyId, conversation: ConversationId, text: &str) -> Result<String, StoreError> {
    write_down(app, tx, company, conversation, text, None).await
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
    write_down(app, tx, company, conversation, text, Some((turn, since))).await
}

async fn write_down(
    app: &App,
    tx: &mut Tx,
    company: CompanyId,
    conversation: ConversationId,
    text: &str,
    answer: Option<(TurnId, Timestamp)>,
) -> Result<String, StoreError> {
    let message_id = app.whatsapp.new_message_id();
    let turn = answer.map(|(turn, _)| turn);
    let message = messages::queue_outbound(tx, company, conversation, &message_id, text, turn, app.clock.now()).await?;
    let letter = Letter { message: message.id, since: answer.map(|(_, since)| since) };
    let job = NewJob::new(Send::KIND, letter)
        .key(format!("{company}:{message_id}"))
        .lane(format!("out:{company}:{conversation}"))
        .company(company)
        .priority(-1);
    jobs::enqueue(tx, job).await?;
    Ok(message_id)
}

/// The same for the salon's own chat («сообщение себе»); nothing happens while no number is linked.
///
/// # Errors
/// When the database refuses.
pub async fn queue_to_salon(app: &App, tx: &mut Tx, company: CompanyId, text: &str) -> Result<Option<String>, StoreError> {
    let Some(chat) = app.whatsapp.own_chat(company) else { return Ok(None) };
    let conversation = conversations::ensure(tx, company, &chat, None, None).await?;
    queue(app, tx, company, conversation.id, text).await.map(Some)
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
        let (status, refusal) = match self.0.whatsapp.send_text(company, &chat, &message.whatsapp_id, &message.text).await {
            Ok(()) => (Status::Acked, None),
            Err(SendError::Refused { code }) => {
                tracing::warn!(%company, %chat, code, "WhatsApp refused a message");
                (Status::Failed, Some(code.to_string()))
            }
            Err(error) => {
                let waited = Duration::try_from(machine_now().duration_since(job.created_at)).unwrap_or_default();
                if waited < PATIENCE {
                    return Ok(Outcome::Snooze(pause_for(waited)));
                }
                tracing::warn!(%company, %chat, %error, "a message was given up");
                (Status::Failed, Some("not connected".to_owned()))
            }
        };
        let mut tx = self.0.store.begin().await?;
        messages::set_status(&mut tx, company, &message.whatsapp_id, status, refusal.as_deref()).await?;
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        if let (Status::Acked, Some(since)) = (status, letter.since) {
            metrics::histogram!("reply_seconds").record(machine_now().duration_since(since).as_secs_f64());
        }
        Ok(Outcome::Completed)
    }

    async fn read(&self, company: CompanyId, message: MessageId) -> Result<Option<(Message, ChatId)>, StoreError> {
        let mut tx = self.0.store.read().await?;
        let Some(message) = messages::get(&mut tx, company, message).await? else { return Ok(None) };
        let conversation = conversations::load(&mut tx, company, message.conversation).await?;
        Ok(conversation.map(|conversation| (message, conversation.chat)))
    }
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
