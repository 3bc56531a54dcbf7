//! Messages that came too late to be answered (a session that was away for hours): each is listed
//! once for the salon, in its own chat.

use std::{sync::Arc, time::Duration};

use dialogue::Customer;
use domain::CompanyId;
use futures::future::BoxFuture;
use store::{
    StoreError, companies,
    conversations::{self, ConversationId},
    jobs::{self, Handler, Job, NewJob, Outcome},
    messages::{self, Message},
};

use crate::{App, conversations::customer_of, outbox, texts};

/// A session that comes back brings them in a row: they make one list.
const REST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);

/// What one customer wrote, in the order of writing; never empty.
pub(crate) struct Missed {
    conversation: ConversationId,
    pub(crate) customer: Customer,
    pub(crate) messages: Vec<Message>,
}

/// The job `list_missed`.
pub(crate) struct ListMissed(pub(crate) Arc<App>);

impl ListMissed {
    pub(crate) const KIND: &'static str = "list_missed";

    pub(crate) fn job(company: CompanyId) -> NewJob {
        NewJob::new(Self::KIND, ()).key(company.to_string()).company(company).untiring().delay(REST).at_the_latest(LONGEST)
    }

    async fn list(&self, job: &Job) -> anyhow::Result<Outcome> {
        let app = &self.0;
        let company = job.company_id.ok_or_else(|| anyhow::anyhow!("a list without a salon"))?;
        let mut tx = app.store.begin().await?;
        let salon = companies::get(&mut tx, company).await?.ok_or(StoreError::NotFound("company"))?;
        let mut missed: Vec<Missed> = Vec::new();
        for message in messages::take_old(&mut tx, company).await? {
            let conversation = message.conversation;
            if let Some(known) = missed.iter_mut().find(|one| one.conversation == conversation) {
                known.messages.push(message);
            } else if let Some(chat) = conversations::load(&mut tx, company, conversation).await? {
                let customer = customer_of(&chat);
                missed.push(Missed { conversation, customer, messages: vec![message] });
            }
        }
        if missed.is_empty() {
            return Ok(Outcome::Done);
        }
        if outbox::queue_to_salon(app, &mut tx, company, &texts::missed(&missed, &salon.timezone)).await?.is_none() {
            return Ok(Outcome::Done); // no number is linked: with the next list
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        Ok(Outcome::Completed)
    }
}

impl Handler for ListMissed {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.list(job).await.unwrap_or_else(Outcome::retry) })
    }
}
