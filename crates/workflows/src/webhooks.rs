//! What YClients tells us: stored, acknowledged, and then looked up, since an event only says where
//! to look.

use std::{sync::Arc, time::Duration};

use domain::{Booking, CompanyId, IntegrationEvent, IntegrationStatus, ReadBack, RecordId, SalonId};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    bookings::{self, Beside, Stored},
    companies, events,
    jobs::{self, Handler, Job, NewJob, Outcome},
    messages, planned, tokens, turns,
    webhooks::{self, NewWebhook},
};
use yclients::webhook::{Event, Lifecycle, Resource};

use crate::{
    App,
    notifications::{Notice, NotifyBooking},
    operator,
    settle::Settle,
    sync::{self, Modules},
};

/// Before a reading is made anew that another one had overtaken: as long again as has been waited,
/// at least and at most so long.
const ONCE_MORE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));

/// Corrections within this time fall into one notice.
const NOTICE_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Stores an authentic event of that salon, with the job that works on it. `false`: it was there already.
///
/// # Errors
/// When the database refuses; then YClients must not hear 200.
pub async fn accept(app: &App, company: CompanyId, event: &Event, body: &[u8]) -> store::Result<bool> {
    let body_text = String::from_utf8_lossy(body);
    let (kind, job) = match event {
        Event::Entity(entity) => {
            let job = match (&entity.resource, entity.record_id()) {
                (Resource::Record, Some(record)) => Some(RereadRecord::job(company, record)),
                (Resource::Client, _) => Some(sync::job(company, Modules::CLIENTS)),
                (Resource::Service, _) => Some(sync::job(company, Modules::SERVICES)),
                (Resource::Staff, _) => Some(sync::job(company, Modules::STAFF)),
                (Resource::Schedule, _) => Some(sync::job(company, Modules::SCHEDULE)),
                (Resource::Salon, _) => Some(sync::job(company, Modules::COMPANY)),
                _ => None,
            };
            (entity.resource.as_str().to_owned(), job)
        }
        Event::Lifecycle(lifecycle) => (lifecycle.change.as_str().to_owned(), LifecycleChange::job(company, &lifecycle.change)),
    };
    // Our own partner token may stand in the body: it is not kept.
    let kept = match event {
        Event::Entity(_) => body_text.as_ref(),
        Event::Lifecycle(_) => "",
    };
    let mut tx = app.store.begin().await?;
    // A lifecycle event carries no time: it is the same again only while nothing else has happened since.
    let since = match event {
        Event::Entity(_) => String::new(),
        Event::Lifecycle(lifecycle) => last_other(&mut tx, company, &lifecycle.change).await?,
    };
    let dedupe = format!("{company}:{since}:{}", event.dedupe_key(body));
    let new = NewWebhook { company_id: Some(company), kind: &kind, dedupe: &dedupe, body: kept };
    let stored = webhooks::store(&mut tx, &new).await?.is_some();
    // A change of an entity is looked up all the same: two within one second are told apart by nothing.
    if !stored && matches!(event, Event::Lifecycle(_)) {
        return Ok(false);
    }
    match job {
        Some(job) => {
            jobs::put_off(&mut tx, job).await?;
        }
        None => tracing::info!(%company, kind, "an event of no concern"),
    }
    tx.commit().await?;
    Ok(stored)
}

/// The operator has taken the application out of that salon: as if YClients had told us, which it may do too.
///
/// # Errors
/// When the database refuses.
pub async fn uninstalled(app: &App, salon: SalonId) -> store::Result<()> {
    let mut tx = app.store.begin().await?;
    if let Some(company) = companies::by_salon(&mut tx, salon).await?
        && let Some(job) = LifecycleChange::job(company.id, &Lifecycle::Uninstall)
    {
        jobs::enqueue(&mut tx, job).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The salon's last event of another kind, by its moment.
async fn last_other(tx: &mut store::Tx, company: CompanyId, change: &Lifecycle) -> store::Result<String> {
    let own = match change {
        Lifecycle::Uninstall => IntegrationEvent::Uninstalled,
        Lifecycle::Freeze => IntegrationEvent::Frozen,
        Lifecycle::Unfreeze => IntegrationEvent::Unfrozen,
        Lifecycle::Payment => IntegrationEvent::PaymentReceived,
        Lifecycle::Other(_) => return Ok(String::new()),
    };
    let latest = events::latest(tx, company, 50).await?;
    let other = latest.iter().find(|entry| entry.event_type != own.as_str());
    Ok(other.map(|entry| entry.created_at.as_millisecond().to_string()).unwrap_or_default())
}

/// The job `record`: a booking changed, by whomever.
pub(crate) struct RereadRecord(pub(crate) Arc<App>);

impl RereadRecord {
    pub(crate) const KIND: &'static str = "record";

    pub(crate) fn job(company: CompanyId, record: RecordId) -> NewJob {
        let key = format!("{company}:{record}");
        NewJob::new(Self::KIND, record).lane(format!("record:{key}")).key(key).company(company)
    }

    async fn reread(&self, job: &Job) -> anyhow::Result<Outcome> {
        let app = &self.0;
        let Some(company) = job.company_id else { return Ok(Outcome::Discard { reason: "no salon".to_owned() }) };
        let record: RecordId = job.payload()?;
        let mut tx = app.store.read().await?;
        let salon_id = companies::get(&mut tx, company).await?.map(|company| company.salon_id);
        let known = bookings::get(&mut tx, company, record).await?;
        drop(tx);
        let Some(salon_id) = salon_id else { return Ok(Outcome::Discard { reason: "the salon is gone".to_owned() }) };
        let now = app.clock.now();
        if !app.yclients.has_user_token() {
            return self.reread_by_hash(job, company, known).await;
        }
        let read = match known {
            Some(known) => app.yclients.reread_details(salon_id, &known.booking).await,
            None => app.yclients.record_details(salon_id, record).await,
        };
        let read = match read {
            Ok(read) => read,
            Err(yclients::Error::NotFound { .. }) => return Ok(Outcome::Done),
            Err(error) => return Ok(Outcome::retry(error)),
        };
        let beside = Beside { client_id: read.client_id, comment: read.comment, ..Beside::default() };
        self.write_down(job, company, &read.booking, &beside, read.changed_at.unwrap_or(now).min(now)).await
    }

    /// Without a user token only what we have booked ourselves can be looked at.
    async fn reread_by_hash(&self, job: &Job, company: CompanyId, known: Option<Stored>) -> anyhow::Result<Outcome> {
        let Some((known, hash)) = known.and_then(|known| Some((known.booking, known.record_hash?))) else { return Ok(Outcome::Done) };
        match self.0.yclients.reread_booked(&known, &hash).await {
            Ok(read) => self.write_down(job, company, &read, &Beside::default(), self.0.clock.now()).await,
            Err(error) => Ok(Outcome::retry(error)),
        }
    }

    /// Stores how the booking stands, and plans a notice where the customer should hear of a change.
    async fn write_down(
        &self,
        job: &Job,
        company: CompanyId,
        after: &ReadBack<Booking>,
        beside: &Beside,
        changed_at: Timestamp,
    ) -> anyhow::Result<Outcome> {
        let record = after.get().record_id;
        let mut tx = self.0.store.begin().await?;
        let read = bookings::upsert(&mut tx, company, after, beside).await?;
        if read.change_since.is_some() {
            // A later reading was written down first, or another node's clock is ahead: looked at once more.
            return Ok(Outcome::Snooze(job.age().clamp(ONCE_MORE.0, ONCE_MORE.1)));
        }
        // What the bot books carries our mark from the start, and whoever booked it is about to tell;
        // the turn that moves or cancels takes back a notice that was planned before it could commit.
        let ours = match after.get().booking_id.filter(|_| read.before.is_none()) {
            Some(name) => turns::writes(&mut tx, company, name).await? || Settle::is_open(&mut tx, company, name).await?,
            None => false,
        };
        if read.change.is_some() && !ours {
            let notice = Notice { record, before: read.before };
            let due = changed_at + NOTICE_AFTER;
            planned::plan_once(&mut tx, company, NotifyBooking::KIND, &record.to_string(), due, &notice).await?;
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        Ok(Outcome::Completed)
    }
}

/// Called where the customer has just been told: a notice that is still waiting, or is about to be
/// sent, would say it again. Where the booking was read since and stands otherwise, the customer has yet
/// to hear of that. `at` is calendar time.
pub(crate) async fn told(tx: &mut store::Tx, company: CompanyId, booking: &ReadBack<Booking>, at: Timestamp) -> store::Result<()> {
    let record = booking.get().record_id;
    let known = bookings::upsert(tx, company, booking, &Beside::default()).await?;
    if known.change_since.is_some() {
        return Ok(());
    }
    planned::cancel(tx, company, NotifyBooking::KIND, &record.to_string()).await?;
    NotifyBooking::enter(tx, company, record, known.version, at).await?;
    Ok(())
}

/// The job `lifecycle`: something happened to the installation.
pub(crate) struct LifecycleChange(pub(crate) Arc<App>);

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Uninstall,
    Freeze,
    Unfreeze,
    Payment,
}

impl LifecycleChange {
    pub(crate) const KIND: &'static str = "lifecycle";

    fn job(company: CompanyId, change: &Lifecycle) -> Option<NewJob> {
        let change = match change {
            Lifecycle::Uninstall => Change::Uninstall,
            Lifecycle::Freeze => Change::Freeze,
            Lifecycle::Unfreeze => Change::Unfreeze,
            Lifecycle::Payment => Change::Payment,
            Lifecycle::Other(_) => return None,
        };
        // No tenant on the job itself: uninstalling cancels the salon's jobs, and this is not one of them.
        Some(NewJob::new(Self::KIND, (company, change)).lane(format!("lifecycle:{company}")))
    }

    async fn apply(&self, job: &Job) -> anyhow::Result<Outcome> {
        let app = &self.0;
        let (company, change): (CompanyId, Change) = job.payload()?;
        if let Change::Uninstall = change {
            let known = companies::get(&mut app.store.read().await?, company).await?;
            if let Some(salon) = known.filter(|salon| salon.status != IntegrationStatus::Uninstalled) {
                operator::say_goodbye(app, &salon, job).await;
            }
            app.whatsapp.logout(company).await?;
        }
        let now = app.clock.now();
        let mut tx = app.store.begin().await?;
        let Some(row) = companies::get(&mut tx, company).await? else {
            return Ok(Outcome::Discard { reason: "the salon is gone".to_owned() });
        };
        let (status, event) = match (change, row.status) {
            (Change::Uninstall, _) => (IntegrationStatus::Uninstalled, IntegrationEvent::Uninstalled),
            (Change::Freeze, IntegrationStatus::Active) => (IntegrationStatus::Frozen, IntegrationEvent::Frozen),
            (Change::Unfreeze, IntegrationStatus::Frozen) => (IntegrationStatus::Active, IntegrationEvent::Unfrozen),
            (Change::Payment, IntegrationStatus::Frozen) => (IntegrationStatus::Active, IntegrationEvent::PaymentReceived),
            (Change::Payment, same) => (same, IntegrationEvent::PaymentReceived),
            (Change::Freeze, same) => (same, IntegrationEvent::Frozen),
            (Change::Unfreeze, same) => (same, IntegrationEvent::Unfrozen),
        };
        companies::set_status(&mut tx, company, status, now).await?;
        events::append(&mut tx, company, row.salon_id, event, &json!({}), now).await?;
        match change {
            Change::Payment => companies::set_last_payment(&mut tx, company, now).await?,
            Change::Uninstall => {
                companies::set_unlinked(&mut tx, company, now).await?;
                jobs::cancel_company(&mut tx, company).await?;
                planned::cancel_company(&mut tx, company).await?;
                messages::abandon_company(&mut tx, company).await?;
                turns::close_company(&mut tx, company, now).await?;
                tokens::revoke_all(&mut tx, company).await?;
                if row.status != IntegrationStatus::Uninstalled {
                    operator::queue_uninstalled(app, &mut tx, &row, now).await?;
                }
            }
            Change::Freeze | Change::Unfreeze => {}
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        tracing::info!(%company, ?change, %status, "the marketplace changed the installation");
        Ok(Outcome::Completed)
    }
}

impl Handler for RereadRecord {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.reread(job).await.unwrap_or_else(Outcome::retry) })
    }
}

impl Handler for LifecycleChange {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.apply(job).await.unwrap_or_else(Outcome::retry) })
    }
}
