//! Telling customers of what somebody else did to their bookings: once, a calendar minute later.

use std::{sync::Arc, time::Duration};

use domain::{Booking, BookingChange, ChatId, CompanyId, RecordId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    Tx,
    bookings::{self, Stored},
    conversations::{self, Conversation},
    jobs::{self, Handler, Job, Outcome},
    notifications as ledger, turns,
};

use crate::{App, outbox, settle::Settle, texts};

/// What a notice is about: the booking as the customer last knew it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) record: RecordId,
    pub(crate) before: Option<Booking>,
}

/// The job `notify_booking`.
pub(crate) struct NotifyBooking(pub(crate) Arc<App>);

impl NotifyBooking {
    pub(crate) const KIND: &'static str = "notify_booking";

    /// That version of the booking is known to the customer; false when it was before.
    pub(crate) async fn enter(tx: &mut Tx, company: CompanyId, record: RecordId, version: i64, at: Timestamp) -> store::Result<bool> {
        ledger::enter(tx, company, Self::KIND, &format!("{record}:{version}"), at).await
    }

    async fn notify(&self, job: &Job) -> anyhow::Result<Outcome> {
        let app = &self.0;
        let Some(company) = job.company_id else { return Ok(Outcome::Discard { reason: "no salon".to_owned() }) };
        let notice: Notice = job.payload()?;
        let catalogue = app.catalogues.get(&app.store, app.clock.as_ref(), company).await?;
        let mut tx = app.store.begin().await?;
        let Some(Stored { booking: after, version, .. }) = bookings::get(&mut tx, company, notice.record).await? else {
            return Ok(Outcome::Discard { reason: "the booking is unknown".to_owned() });
        };
        let change = match &notice.before {
            Some(before) => before.change_to(&after),
            None => (!after.deleted).then_some(BookingChange::Made),
        };
        let now = app.clock.local(&catalogue.salon.timezone);
        let upcoming = after.start > now;
        if let (Some(change), Some(phone), true) = (change, &after.client_phone, upcoming) {
            let known = conversations::by_phone(&mut tx, company, phone).await?;
            if let Some(conversation) = &known
                && self.bot_has_a_hand_in(&mut tx, conversation).await?
            {
                return Ok(Outcome::Snooze(Duration::from_secs(2)));
            }
            if !Self::enter(&mut tx, company, notice.record, version, app.clock.now()).await? {
                return Ok(Outcome::Discard { reason: "the customer knows".to_owned() });
            }
            let text = match change {
                BookingChange::Made => texts::booked_card(&catalogue.salon, &after, now.date()),
                BookingChange::Moved => texts::moved_card(&catalogue.salon, &after, now.date()),
                BookingChange::Cancelled => texts::cancelled_card(&catalogue.salon, &after, now.date()),
            };
            let conversation = match known {
                Some(known) => known,
                None => {
                    let chat = ChatId(format!("{}@s.whatsapp.net", phone.digits()));
                    conversations::ensure(&mut tx, company, &chat, Some(phone), None).await?
                }
            };
            outbox::queue(app, &mut tx, company, conversation.id, &text).await?;
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        Ok(Outcome::Completed)
    }

    /// A turn of the bot was cut off amid its writes, or it does not know yet what became of one: the
    /// change may be its own, and it will tell of it itself.
    async fn bot_has_a_hand_in(&self, tx: &mut Tx, conversation: &Conversation) -> store::Result<bool> {
        let (company, id) = (conversation.company_id, conversation.id);
        Ok(turns::unfinished(tx, company, id).await?.is_some() || jobs::pending(tx, company, Some(&Settle::lane(company, id))).await? > 0)
    }
}

impl Handler for NotifyBooking {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.notify(job).await.unwrap_or_else(Outcome::retry) })
    }
}
