//! A write whose outcome nobody knew when its turn ended: looked for until it is known, then told.

use std::{sync::Arc, time::Duration};

use dialogue::{Customer, Effect, State, Turn};
use domain::{BookingId, CompanyId};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use store::{
    companies,
    conversations::{self, ConversationId},
    jobs::{self, Handler, Job, NewJob, Outcome},
};

use crate::{
    App,
    booking::{self, Settled},
    outbox, texts, webhooks,
};

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The job `settle`.
pub(crate) struct Settle(pub(crate) Arc<App>);

#[derive(Serialize, Deserialize)]
struct Open {
    conversation: ConversationId,
    effect: Effect,
    name: BookingId,
}

impl Settle {
    pub(crate) const KIND: &'static str = "settle";

    pub(crate) fn job(company: CompanyId, conversation: ConversationId, effect: &Effect, name: BookingId) -> NewJob {
        NewJob::new(Self::KIND, Open { conversation, effect: effect.clone(), name })
            .key(format!("{company}:{name}"))
            .lane(format!("settle:{company}:{conversation}"))
            .company(company)
            .delay(LOOK_AGAIN)
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
        let booking = matches!(open.effect, Effect::Book { .. });
        if booking && !state.is_unsettled() {
            return Ok(Outcome::Done); // the customer asked in between and has been told
        }
        let catalogue = app.catalogues.get(&app.store, app.clock.as_ref(), company).await?;
        let receipt = match booking::settle(app, &salon, &catalogue.salon, &open.effect, open.name).await {
            Settled::Unknown => return Ok(Outcome::Snooze(LOOK_AGAIN)),
            Settled::Done(receipt) => Some(*receipt),
            Settled::Undone | Settled::NotDone => None,
        };
        let customer = Customer { phone: conversation.phone.clone(), push_name: conversation.push_name.clone(), client: None };
        let turn = Turn {
            salon: &catalogue.salon,
            reader: &catalogue.reader,
            now: app.clock.local(&catalogue.salon.timezone),
            customer: &customer,
            heard: &[],
        };
        let (state, words) = match (&receipt, booking) {
            // The dialogue waits for bookings only; of the rest it is enough to say how it stands.
            (None, false) => (state, vec![texts::UNCHANGED.to_owned()]),
            _ => {
                let reply = dialogue::settled(state, receipt.clone(), &turn);
                (reply.state, reply.messages)
            }
        };
        let mut tx = app.store.begin().await?;
        conversations::save_state(&mut tx, company, conversation.id, conversation.version, &state).await?;
        for text in &words {
            outbox::queue(app, &mut tx, company, conversation.id, text).await?;
        }
        if let Some(receipt) = &receipt {
            webhooks::told(&mut tx, company, receipt.read_back()).await?;
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        Ok(Outcome::Completed)
    }
}

impl Handler for Settle {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.settle(job).await.unwrap_or_else(Outcome::retry) })
    }
}
