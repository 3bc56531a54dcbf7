//! The files that customers send: a small one is fetched behind the message's back, and nobody waits for it.

use std::{sync::Arc, time::Duration};

use domain::{CompanyId, Phone};
use futures::future::BoxFuture;
use store::{
    StoreError, conversations,
    jobs::{self, Handler, Job, NewJob, Outcome},
    messages::{self, Message, MessageId},
};
use whatsapp::{Content, FetchError};

use crate::App;

/// A session that is down is waited for so long: about as long as WhatsApp keeps a file.
const PATIENCE: Duration = Duration::from_secs(14 * 24 * 3600);
/// How often it is looked for meanwhile.
const SESSION: Duration = Duration::from_secs(60);
/// A host that fails so often has no file for us.
const TRIES: i32 = 5;

/// The job `fetch_file`.
pub(crate) struct FetchFile(pub(crate) Arc<App>);

impl FetchFile {
    pub(crate) const KIND: &'static str = "fetch_file";

    /// Fetches what that message brought.
    pub(crate) fn job(company: CompanyId, message: MessageId) -> NewJob {
        NewJob::new(Self::KIND, message).key(format!("{company}:{}", message.0)).company(company).max_attempts(TRIES)
    }

    async fn fetch(&self, job: &Job) -> anyhow::Result<Outcome> {
        let company = job.company_id.ok_or_else(|| anyhow::anyhow!("a file without a salon"))?;
        let given_up = |reason: String| Ok(Outcome::Discard { reason });
        let id: MessageId = job.payload()?;
        let message = messages::get(&mut self.0.store.read().await?, company, id).await?;
        let Some(content) = message.and_then(|message| brought(&self.0, company, &message)) else {
            return given_up("the message brings nothing".to_owned());
        };
        let bytes = match self.0.whatsapp.fetch(company, &content).await {
            Ok(bytes) => bytes,
            Err(FetchError::NotConnected) if job.age() < PATIENCE => return Ok(Outcome::Snooze(SESSION)),
            Err(FetchError::Failed(error)) if job.attempt < job.max_attempts => return Ok(Outcome::retry(error)),
            // Nothing that an operator could mend: no dead letter.
            Err(error) => {
                tracing::warn!(%company, %error, "a customer's file was given up");
                return given_up(error.to_string());
            }
        };
        let sealed = self.0.vault.seal(company, "message_files", &messages::file_key(id), &bytes);
        let mut tx = self.0.store.begin().await?;
        messages::put_file(&mut tx, company, id, &sealed).await?;
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        Ok(Outcome::Completed)
    }
}

impl Handler for FetchFile {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.fetch(job).await.unwrap_or_else(Outcome::retry) })
    }
}

/// What a message brought beside words.
fn brought(app: &App, company: CompanyId, message: &Message) -> Option<Content> {
    let place = messages::attachment_key(message.conversation, &message.whatsapp_id);
    let plain = app.vault.open(company, "messages", &place, message.attachment.as_deref()?);
    let content =
        plain.map_err(|error| error.to_string()).and_then(|plain| serde_json::from_slice(&plain).map_err(|error| error.to_string()));
    content.inspect_err(|error| tracing::error!(%company, error, "what a message brought cannot be read")).ok()
}

/// A file that a customer sent.
pub struct SentFile {
    /// What it is, as its sender says.
    pub mime: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The file that came with a message (a WhatsApp id) of the chat with that number; `None` where it brought none
/// or one that is not here: too large, damaged, not fetched yet, or of long ago.
///
/// # Errors
/// When the database fails.
pub async fn sent_file(app: &App, company: CompanyId, phone: &Phone, message_id: &str) -> Result<Option<SentFile>, StoreError> {
    let mut tx = app.store.read().await?;
    let Some(conversation) = conversations::by_phone(&mut tx, company, phone).await? else { return Ok(None) };
    let Some(message) = messages::by_whatsapp_id(&mut tx, company, conversation.id, message_id).await? else { return Ok(None) };
    let Some(sealed) = messages::file(&mut tx, company, message.id).await? else { return Ok(None) };
    drop(tx);
    let opened = app.vault.open(company, "message_files", &messages::file_key(message.id), &sealed);
    let bytes = opened.inspect_err(|error| tracing::error!(%company, %error, "a customer's file cannot be opened")).ok();
    let mime = brought(app, company, &message).and_then(|content| content.mime().map(str::to_owned));
    Ok(mime.zip(bytes).map(|(mime, bytes)| SentFile { mime, bytes }))
}
