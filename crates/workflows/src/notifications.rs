//! Telling customers of what somebody else did to their bookings: once, a calendar minute later.

use std::sync::Arc;

use domain::{Booking, BookingChange, ChatId, RecordId};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use store::{
    bookings::{self, Stored},
    conversations,
    jobs::{self, Handler, Job, Outcome},
};

use crate::{App, outbox, texts};

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

    async fn notify(&self, job: &Job) -> anyhow::Result<Outcome> {
        let app = &self.0;
        let Some(company) = job.company_id else { return Ok(Outcome::Discard { reason: "no salon".to_owned() }) };
        let notice: Notice = job.payload()?;
        let catalogue = app.catalogues.get(&app.store, app.clock.as_ref(), company).await?;
        let mut tx = app.store.begin().await?;
        let Some(Stored { booking: after, .. }) = bookings::get(&mut tx, company, notice.record).await? else {
            return Ok(Outcome::Discard { reason: "the booking is unknown".to_owned() });
        };
        let change = match &notice.before {
            Some(before) => before.change_to(&after),
            None => (!after.deleted).then_some(BookingChange::Made),
        };
        let now = app.clock.local(&catalogue.salon.timezone);
        let upcoming = after.start > now;
        if let (Some(change), Some(phone), true) = (change, &after.client_phone, upcoming) {
            let text = match change {
                BookingChange::Made => texts::booked_card(&catalogue.salon, &after, now.date()),
                BookingChange::Moved => texts::moved_card(&catalogue.salon, &after, now.date()),
                BookingChange::Cancelled => texts::cancelled_card(&catalogue.salon, &after, now.date()),
            };
            let conversation = match conversations::by_phone(&mut tx, company, phone).await? {
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
}

impl Handler for NotifyBooking {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.notify(job).await.unwrap_or_else(Outcome::retry) })
    }
}
