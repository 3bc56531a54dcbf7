//! A write whose outcome nobody knew when its turn ended: looked for until it is known, then told.

use std::{sync::Arc, time::Duration};

use dialogue::{Effect, Pause, Reply, State, Turn};
use domain::{BookingId, CompanyId, Receipt};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use store::{
    StoreError, Tx, companies,
    conversations::{self, Conversation, ConversationId},
    jobs::{self, Handler, Job, NewJob, Outcome},
};

use crate::{
    App,
    booking::{self, Settled},
    conversations::customer_of,
    inbox::next_day,
    journal::Entry,
    outbox, texts, webhooks,
};

/// Before the first look; from then on as long again as has been waited, up to [`SELDOM`].
const LOOK_AGAIN: Duration = Duration::from_secs(5);
const SELDOM: Duration = Duration::from_secs(60);

/// The job `settle`.
pub(crate) struct Settle(pub(crate) Arc<App>);

/// Whether the customer has heard of the write already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Spoken {
    /// The turn has said «проверяю», and the dialogue waits for what comes of it.
    Of,
    /// The turn went another way after a crash and has not spoken of it.
    Nowhere,
}

#[derive(Serialize, Deserialize)]
struct Open {
    conversation: ConversationId,
    effect: Effect,
    name: BookingId,
    spoken: Spoken,
}

impl Settle {
    pub(crate) const KIND: &'static str = "settle";

    pub(crate) fn job(company: CompanyId, conversation: ConversationId, entry: &Entry, spoken: Spoken) -> NewJob {
        let name = entry.name;
        NewJob::new(Self::KIND, Open { conversation, effect: entry.effect.clone(), name, spoken })
            .key(format!("{company}:{name}"))
            .lane(Self::lane(company, conversation))
            .company(company)
            .untiring()
            .delay(LOOK_AGAIN)
    }

    /// Where the open writes of a conversation wait.
    pub(crate) fn lane(company: CompanyId, conversation: ConversationId) -> String {
        format!("settle:{company}:{conversation}")
    }

    /// Somebody will still tell what became of the booking of that name.
    pub(crate) async fn is_open(tx: &mut Tx, company: CompanyId, name: BookingId) -> store::Result<bool> {
        jobs::is_unfinished(tx, Self::KIND, &format!("{company}:{name}")).await
    }

    async fn settle(&self, job: &Job) -> anyhow::Result<Outcome> {
        let app = &self.0;
        let Some(company) = job.company_id else { return Ok(Outcome::Discard { reason: "no salon".to_owned() }) };
        let open: Open = job.payload()?;
        let mut tx = app.store.read().await?;
        let (Some(salon), Some(conversation)) =
            (companies::get(&mut tx, company).await?, conversations::load(&mut tx, company, open.conversation).await?)
        else {
            return Ok(Outcome::Discard { reason: "the conversation is gone".to_owned() });
        };
        drop(tx);
        let state = conversation.state.as_ref().map(|state| State::load(&state.to_string())).unwrap_or_default();
        let booked = matches!(open.effect, Effect::Book { .. });
        if open.spoken == Spoken::Of && booked && !state.awaits(&open.effect) {
            return Ok(Outcome::Done); // the customer asked in between and has been told
        }
        let catalogue = app.catalogues.get(&app.store, app.clock.as_ref(), company).await?;
        let customer = customer_of(&conversation);
        let turn = Turn {
            salon: &catalogue.salon,
            reader: &catalogue.reader,
            now: app.clock.local(&catalogue.salon.timezone),
            customer: &customer,
            heard: &[],
        };
        let receipt = match booking::settle(app, &app.yclients, &salon, &catalogue.salon, &open.effect, open.name).await {
            Settled::Done(receipt) => Some(*receipt),
            // Nobody was told that anything was tried.
            Settled::Gone | Settled::NotDone if open.spoken == Spoken::Nowhere => return Ok(Outcome::Done),
            // The dialogue waits for bookings only; of the rest it is enough to say how it stands.
            Settled::NotDone if !booked => return self.say(job, conversation, only(state, texts::UNCHANGED), None, None).await,
            Settled::Gone if !booked => return self.say(job, conversation, only(state, texts::GONE), None, None).await,
            Settled::Gone | Settled::NotDone => None,
            Settled::Unknown => {
                let waited = job.age();
                // Without a user token there is nothing that later looks would find.
                if waited < app.settings.unsettled_patience && app.yclients.has_user_token() {
                    return Ok(Outcome::Snooze(waited.clamp(LOOK_AGAIN, SELDOM)));
                }
                tracing::warn!(%company, chat = %conversation.chat, "what became of a write could not be found out; a person will look");
                let reply = dialogue::never_settled(state, &open.effect, &turn);
                let notice = texts::never_settled(&customer, &open.effect, &catalogue.salon);
                return self.say(job, conversation, reply, None, Some(notice)).await;
            }
        };
        let reply = dialogue::settled(state, &open.effect, receipt.clone(), &turn);
        self.say(job, conversation, reply, receipt.as_ref(), None).await
    }

    /// What is said, what is known from it, and the end of the job: together.
    async fn say(
        &self,
        job: &Job,
        conversation: Conversation,
        reply: Reply,
        receipt: Option<&Receipt>,
        to_salon: Option<String>,
    ) -> anyhow::Result<Outcome> {
        let (app, company) = (&self.0, conversation.company_id);
        let mut tx = app.store.begin().await?;
        conversations::save_state(&mut tx, company, conversation.id, conversation.version, &reply.state).await?;
        for text in &reply.messages {
            outbox::queue(app, &mut tx, company, conversation.id, text).await?;
        }
        if let Some(receipt) = receipt {
            webhooks::told(&mut tx, company, receipt.read_back(), app.clock.now()).await?;
        }
        if let Some(notice) = to_salon {
            outbox::queue_to_salon(app, &mut tx, company, &notice).await?;
        }
        if let Some(Pause::UntilResumedOrNextDay) = reply.pause {
            let zone = companies::get(&mut tx, company).await?.ok_or(StoreError::NotFound("company"))?.timezone;
            let until = next_day(app.clock.now(), &zone);
            conversations::set_pause(&mut tx, company, conversation.id, conversation.paused_until.max(Some(until))).await?;
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        Ok(Outcome::Completed)
    }
}

/// Those words, and nothing else changes.
fn only(state: State, words: &str) -> Reply {
    Reply { state, messages: vec![words.to_owned()], pause: None }
}

impl Handler for Settle {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.settle(job).await.unwrap_or_else(Outcome::retry) })
    }
}
