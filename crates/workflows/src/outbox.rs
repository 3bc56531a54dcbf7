//! Sending: a message is written down with its WhatsApp id first and sent by a job, so that a
//! repeat after a crash is the same message to WhatsApp.

use std::{sync::Arc, time::Duration};

use domain::{ChatId, CompanyId};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use store::{
    ConversationId, StoreError, Tx, conversations,
    jobs::{self, Handler, Job, NewJob, Outcome},
    machine_now,
    messages::{self, OutStatus},
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

/// The same for an answer; `since` (machine time, ms) is when the customer's burst was over.
pub(crate) async fn queue_answer(
    app: &App,
    tx: &mut Tx,
    company: CompanyId,
    conversation: ConversationId,
    text: &str,
    since: i64,
) -> Result<String, StoreError> {
    write_down(app, tx, company, conversation, text, Some(since)).await
}

async fn write_down(
    app: &App,
    tx: &mut Tx,
    company: CompanyId,
    conversation: ConversationId,
    text: &str,
    since: Option<i64>,
) -> Result<String, StoreError> {
    let message_id = app.whatsapp.new_message_id();
    messages::queue_outbound(tx, company, conversation, &message_id, text).await?;
    let job = NewJob::new(Send::KIND, Letter { conversation, message_id: message_id.clone(), since })
        .key(&format!("{company}:{message_id}"))
        .lane(&format!("out:{company}:{conversation}"))
        .company(company)
        .priority(1);
    jobs::enqueue(tx, job).await?;
    Ok(message_id)
}

/// The same for the salon's own chat («сообщение себе»); nothing happens while no number is linked.
///
/// # Errors
/// When the database refuses.
pub async fn queue_to_salon(app: &App, tx: &mut Tx, company: CompanyId, text: &str) -> Result<Option<String>, StoreError> {
    let Some(chat) = app.whatsapp.own_chat(company) else { return Ok(None) };
    let conversation = conversations::open(tx, company, &chat, None, None).await?;
    queue(app, tx, company, conversation.id, text).await.map(Some)
}

#[derive(Serialize, Deserialize)]
struct Letter {
    conversation: ConversationId,
    message_id: String,
    since: Option<i64>,
}

/// The job `send`.
pub(crate) struct Send(pub(crate) Arc<App>);

impl Send {
    pub(crate) const KIND: &'static str = "send";

    async fn send(&self, job: &Job) -> anyhow::Result<Outcome> {
        let company = job.company_id.ok_or_else(|| anyhow::anyhow!("a letter without a salon"))?;
        let letter: Letter = serde_json::from_value(job.payload.clone())?;
        let mut tx = self.0.store.read().await?;
        let Some(message) = messages::outbound(&mut tx, company, letter.conversation, &letter.message_id).await? else {
            return Ok(Outcome::Discard { reason: "the message is gone".to_owned() });
        };
        let conversation = conversations::get(&mut tx, company, letter.conversation).await?;
        drop(tx);
        let chat: ChatId = conversation.chat;
        let (status, outcome) = match self.0.whatsapp.send_text(company, &chat, &letter.message_id, &message.text).await {
            Ok(()) => (OutStatus::Acked, Outcome::Completed),
            Err(SendError::Refused { code }) => {
                tracing::warn!(%company, %chat, code, "WhatsApp refused a message");
                (OutStatus::Failed, Outcome::Completed)
            }
            Err(error) => {
                let waited = Duration::from_millis(u64::try_from(machine_now() - message.received_at).unwrap_or(0));
                if waited < PATIENCE {
                    return Ok(Outcome::Snooze(pause_for(waited)));
                }
                tracing::warn!(%company, %chat, %error, "a message was given up");
                (OutStatus::Failed, Outcome::Completed)
            }
        };
        let mut tx = self.0.store.begin().await?;
        messages::set_status(&mut tx, company, letter.conversation, &letter.message_id, status).await?;
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        if let (OutStatus::Acked, Some(since)) = (status, letter.since) {
            let seconds = Duration::from_millis(u64::try_from(machine_now() - since).unwrap_or(0)).as_secs_f64();
            metrics::histogram!("reply_seconds").record(seconds);
        }
        Ok(outcome)
    }
}

/// A session that is down is asked again soon at first, then each half minute.
fn pause_for(waited: Duration) -> Duration {
    waited.clamp(Duration::from_millis(200), Duration::from_secs(30))
}

impl Handler for Send {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.send(job).await.unwrap_or_else(|error| Outcome::Retry { error: format!("{error:#}"), after: None }) })
    }
}
