//! The salon as the booking system holds it, written down: the catalogue that conversations need,
//! then clients and bookings.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{ClientId, CompanyId, Service, ServiceId, ServiceStaff};
use futures::{FutureExt, future::BoxFuture};
use jiff::{Span, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    CompanyEvent, StoreError, Tx,
    bookings::{self, Beside},
    catalogue, clients, companies,
    companies::{Company, MarketplaceUser},
    jobs::{self, Handler, Job, JobId, NewJob, Outcome},
    sync_logs::{self, SyncId},
};
use yclients::{Priority, Record, RecordFilter, YClients};

use crate::{App, onboarding, webhooks::RereadRecord};

/// How far ahead working days are read; where YClients gives no such range, the half.
const SCHEDULE_DAYS: i64 = 60;
/// What «today» covers of them: today and tomorrow.
const NEAR_DAYS: i64 = 1;
/// Rows written in one transaction: the one writer of SQLite is not to be held for long.
const BATCH: usize = 100;
/// The most pages of clients that are read: 200 000 cards.
const MOST_CLIENT_PAGES: usize = 1000;
/// A change in YClients comes as up to four webhooks at once.
const DEBOUNCE: Duration = Duration::from_secs(2);

/// A part of a salon that can be synced by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Module {
    Company,
    Services,
    Staff,
    Schedules,
    Clients,
    Bookings,
    /// Working days of today and tomorrow: a part of [`Self::Schedules`] that is quick to read.
    SchedulesToday,
}

impl Module {
    /// In the order in which they are synced: what conversations need first.
    const ALL: [Self; 6] = [Self::Company, Self::Services, Self::Staff, Self::Schedules, Self::Clients, Self::Bookings];

    /// The word of `sync_logs`, of the pages' events and of `POST /api/sync/{module}`.
    fn word(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Services => "services",
            Self::Staff => "staff",
            Self::Schedules => "schedules",
            Self::Clients => "clients",
            Self::Bookings => "bookings",
            Self::SchedulesToday => "schedules_today",
        }
    }

    /// Online booking tells nothing of it, so without the user token there is nothing to read.
    fn needs_user_token(self) -> bool {
        !matches!(self, Self::Company | Self::Services | Self::Staff)
    }
}

/// What to sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Modules(u8);

impl Modules {
    /// Title, address, zone, currency.
    pub const COMPANY: Self = Self::only(Module::Company);
    /// The price list, who does what and how long.
    pub const SERVICES: Self = Self::only(Module::Services);
    /// Masters.
    pub const STAFF: Self = Self::only(Module::Staff);
    /// Working days.
    pub const SCHEDULE: Self = Self::only(Module::Schedules);
    /// Clients' cards.
    pub const CLIENTS: Self = Self::only(Module::Clients);
    /// Bookings from today on.
    pub const BOOKINGS: Self = Self::only(Module::Bookings);
    /// Working days of today and tomorrow.
    pub const SCHEDULE_TODAY: Self = Self::only(Module::SchedulesToday);
    /// Everything.
    pub const ALL: Self = Self((1 << Module::ALL.len()) - 1);

    const fn only(module: Module) -> Self {
        Self(1 << module as u8)
    }

    fn has(self, module: Module) -> bool {
        self.0 & Self::only(module).0 != 0
    }

    /// The words of all modules that can be read: without the user token fewer.
    pub fn words(app: &App) -> impl Iterator<Item = &'static str> {
        let full = app.yclients.has_user_token();
        Module::ALL.into_iter().filter(move |module| full || !module.needs_user_token()).map(Module::word)
    }

    /// The module of that word: `company`, `services`, `staff`, `schedules`, `clients`, `bookings`.
    pub fn from_word(word: &str) -> Option<Self> {
        Module::ALL.into_iter().find(|module| module.word() == word).map(Self::only)
    }
}

/// Whether bookings that are new to us are news to their customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The salon has just come to us: it had those bookings before.
    First,
    /// We have missed a webhook: they are handled as if it had come.
    Again,
}

/// How a sync went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Modules with the number of rows read.
    pub done: Vec<(&'static str, usize)>,
    /// Modules that online booking alone does not tell.
    pub skipped: Vec<&'static str>,
    /// Modules that YClients refuses us, with its reason.
    pub failed: Vec<(&'static str, String)>,
}

/// Syncs a salon. Every module commits by itself and is harmless to repeat.
///
/// # Errors
/// When YClients does not answer or the database refuses; what came before that is kept. What
/// YClients answers but refuses is in the report.
pub async fn sync(app: &App, company: CompanyId, modules: Modules, occasion: Occasion) -> anyhow::Result<SyncReport> {
    let mut report = SyncReport::default();
    for module in [Module::SchedulesToday].into_iter().chain(Module::ALL).filter(|module| modules.has(*module)) {
        if module.needs_user_token() && !app.yclients.has_user_token() {
            report.skipped.push(module.word());
            continue;
        }
        // Read anew each time: the first module may have changed the zone.
        let salon = companies::get(&mut app.store.read().await?, company).await?.ok_or(StoreError::NotFound("company"))?;
        let run = Run::start(app, salon, module).await?;
        let outcome = run.module(occasion).await;
        run.finish(&outcome).await?;
        match outcome {
            Ok(rows) => report.done.push((module.word(), rows)),
            Err(Failure::Refused(error)) => {
                tracing::warn!(%company, module = module.word(), %error, "a part of the salon could not be synced");
                report.failed.push((module.word(), error.to_string()));
            }
            Err(Failure::Broken(error)) => return Err(error.context(module.word())),
        }
    }
    Ok(report)
}

/// Why a module ended early.
enum Failure {
    /// YClients has answered: another try in this run changes nothing, other modules may work.
    Refused(yclients::Error),
    /// No answer, or the database: nothing else would work either.
    Broken(anyhow::Error),
}

impl From<yclients::Error> for Failure {
    fn from(error: yclients::Error) -> Self {
        if error.is_transient() { Self::Broken(error.into()) } else { Self::Refused(error) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.into())
    }
}

/// One module of one salon being synced.
struct Run<'a> {
    app: &'a App,
    yclients: YClients,
    salon: Company,
    module: Module,
    log: SyncId,
}

impl<'a> Run<'a> {
    async fn start(app: &'a App, salon: Company, module: Module) -> Result<Self, StoreError> {
        let mut tx = app.store.begin().await?;
        let log = sync_logs::start(&mut tx, salon.id, module.word(), app.clock.now()).await?;
        tx.commit().await?;
        Ok(Self { app, yclients: app.yclients.at(Priority::Sync), salon, module, log })
    }

    async fn finish(&self, outcome: &Result<usize, Failure>) -> Result<(), StoreError> {
        let mut tx = self.app.store.begin().await?;
        let error = match outcome {
            Ok(rows) => {
                self.progress(&mut tx, *rows, *rows).await?;
                None
            }
            Err(Failure::Refused(error)) => Some(error.to_string()),
            Err(Failure::Broken(error)) => Some(format!("{error:#}")),
        };
        sync_logs::finish(&mut tx, self.salon.id, self.log, error.as_deref(), self.app.clock.now()).await?;
        tx.commit().await
    }

    /// Writes progress down and tells the salon's pages, both with the caller's commit.
    async fn progress(&self, tx: &mut Tx, done: usize, total: usize) -> Result<(), StoreError> {
        let rows = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        sync_logs::progress(tx, self.salon.id, self.log, rows(done), rows(total)).await?;
        let payload = json!({"module": self.module.word(), "done": done, "total": total});
        tx.publish(CompanyEvent { company_id: self.salon.id, kind: "sync-progress".to_owned(), payload });
        Ok(())
    }

    fn today(&self) -> Date {
        self.app.clock.local(&self.salon.timezone).date()
    }

    async fn module(&self, occasion: Occasion) -> Result<usize, Failure> {
        match self.module {
            Module::Company => self.company().await,
            Module::Services => self.services().await,
            Module::Staff => self.staff().await,
            Module::Schedules => self.schedules(SCHEDULE_DAYS).await,
            Module::SchedulesToday => self.schedules(NEAR_DAYS).await,
            Module::Clients => self.clients().await,
            Module::Bookings => self.bookings(occasion).await,
        }
    }

    async fn company(&self) -> Result<usize, Failure> {
        let company = self.yclients.company(self.salon.salon_id).await?;
        let registration = onboarding::registration(company, MarketplaceUser::default());
        let mut tx = self.app.store.begin().await?;
        companies::upsert_registration(&mut tx, &registration, self.app.clock.now()).await?;
        tx.commit().await?;
        Ok(1)
    }

    async fn services(&self) -> Result<usize, Failure> {
        let services = self.price_list().await?;
        let mut tx = self.app.store.begin().await?;
        catalogue::replace_services(&mut tx, self.salon.id, &services).await?;
        tx.commit().await?;
        Ok(services.len())
    }

    /// What online booking offers, since nothing else can be booked, with the masters and lengths
    /// of the salon's own list. Where that is closed to us, each master is asked for theirs.
    async fn price_list(&self) -> Result<Vec<Service>, yclients::Error> {
        let salon = self.salon.salon_id;
        let mut offered = self.yclients.book_services(salon, None).await?;
        let who_does = match self.yclients.services(salon).await {
            // A salon that has online booking switched off still has a price list.
            Ok(own) if offered.is_empty() => return Ok(own),
            Ok(own) => own.into_iter().map(|service| (service.id, (service.minutes, service.staff))).collect(),
            Err(yclients::Error::NoUserToken { .. } | yclients::Error::Forbidden { .. } | yclients::Error::Unauthorized { .. }) => {
                self.asked_of_masters().await?
            }
            Err(error) => return Err(error),
        };
        for service in &mut offered {
            if let Some((minutes, staff)) = who_does.get(&service.id) {
                service.minutes = *minutes;
                service.staff.clone_from(staff);
            }
        }
        Ok(offered)
    }

    async fn asked_of_masters(&self) -> Result<HashMap<ServiceId, (i64, Vec<ServiceStaff>)>, yclients::Error> {
        let mut who_does: HashMap<ServiceId, (i64, Vec<ServiceStaff>)> = HashMap::new();
        for card in self.yclients.book_staff(self.salon.salon_id, &[]).await? {
            for service in self.yclients.book_services(self.salon.salon_id, Some(card.staff.id)).await? {
                let known = who_does.entry(service.id).or_default();
                known.0 = known.0.max(service.minutes);
                known.1.extend(service.staff);
            }
        }
        Ok(who_does)
    }

    async fn staff(&self) -> Result<usize, Failure> {
        let salon = self.salon.salon_id;
        let cards = match self.yclients.staff(salon).await {
            Ok(cards) => cards.into_iter().filter(|card| card.takes_bookings).collect(),
            // In online booking «bookable» may only mean that no time is free, so nobody is left out.
            Err(yclients::Error::NoUserToken { .. } | yclients::Error::Forbidden { .. } | yclients::Error::Unauthorized { .. }) => {
                self.yclients.book_staff(salon, &[]).await?
            }
            Err(error) => return Err(error.into()),
        };
        let staff: Vec<_> = cards.into_iter().map(|card| card.staff).collect();
        let mut tx = self.app.store.begin().await?;
        catalogue::replace_staff(&mut tx, self.salon.id, &staff).await?;
        tx.commit().await?;
        Ok(staff.len())
    }

    async fn schedules(&self, ahead: i64) -> Result<usize, Failure> {
        let from = self.today();
        let until = |days: i64| from.saturating_add(Span::new().days(days));
        let mut to = until(ahead);
        let days = match self.yclients.schedule(self.salon.salon_id, from, to).await {
            Err(yclients::Error::Refused { .. }) => {
                to = until(ahead / 2);
                self.yclients.schedule(self.salon.salon_id, from, to).await?
            }
            answer => answer?,
        };
        let mut tx = self.app.store.begin().await?;
        catalogue::replace_schedule(&mut tx, self.salon.id, from, to, &days).await?;
        // Yesterday stays: a conversation around midnight may still speak of it.
        catalogue::prune_schedule(&mut tx, self.salon.id, from.saturating_sub(Span::new().days(1))).await?;
        tx.commit().await?;
        Ok(days.len())
    }

    async fn clients(&self) -> Result<usize, Failure> {
        let mut done = 0;
        let mut last: Option<ClientId> = None;
        for page in 1..=MOST_CLIENT_PAGES {
            let answer = self.yclients.clients(self.salon.salon_id, page).await?;
            let cards: Vec<_> = answer.clients.into_iter().map(|card| card.client).collect();
            // The end, or a page that comes again for ever.
            if cards.is_empty() || cards.last().map(|card| card.id) == last {
                break;
            }
            last = cards.last().map(|card| card.id);
            for batch in cards.chunks(BATCH) {
                let mut tx = self.app.store.begin().await?;
                clients::upsert(&mut tx, self.salon.id, batch).await?;
                done += batch.len();
                self.progress(&mut tx, done, answer.total.unwrap_or(done).max(done)).await?;
                tx.commit().await?;
            }
            if answer.total.is_some_and(|total| done >= total) {
                break;
            }
        }
        Ok(done)
    }

    async fn bookings(&self, occasion: Occasion) -> Result<usize, Failure> {
        let filter = RecordFilter { from: Some(self.today()), with_deleted: true, ..RecordFilter::default() };
        let records = self.yclients.all_records(self.salon.salon_id, filter).await?;
        let mut done = 0;
        for batch in records.chunks(BATCH) {
            let mut tx = self.app.store.begin().await?;
            for record in batch {
                self.write_booking(&mut tx, record, occasion).await?;
            }
            done += batch.len();
            self.progress(&mut tx, done, records.len()).await?;
            tx.commit().await?;
        }
        Ok(done)
    }

    /// A change that a customer should hear of goes the way of a webhook. Written down here, it
    /// would be no change any more when that way looks at it.
    async fn write_booking(&self, tx: &mut Tx, record: &Record, occasion: Occasion) -> Result<(), StoreError> {
        let company = self.salon.id;
        let now = record.booking.get();
        let news = match bookings::get(tx, company, now.record_id).await? {
            Some(known) => known.booking.change_to(now).is_some(),
            None if now.deleted => return Ok(()),
            None => occasion == Occasion::Again,
        };
        if news {
            jobs::enqueue(tx, RereadRecord::job(company, now.record_id)).await?;
        } else {
            let beside = Beside { client_id: record.client_id, comment: record.comment.clone(), ..Beside::default() };
            bookings::upsert(tx, company, &record.booking, &beside).await?;
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Wanted {
    modules: Modules,
    occasion: Occasion,
}

/// The job that syncs these modules, a moment later, so that a burst of webhooks makes one. One
/// job of a salon runs at a time.
pub fn job(company: CompanyId, modules: Modules) -> NewJob {
    SyncJob::wanted(company, modules, Occasion::Again).delay(DEBOUNCE)
}

/// A salon's syncs, one after the other.
fn lane(company: CompanyId) -> String {
    format!("sync:{company}")
}

/// Queues a sync that somebody asks for, in the caller's transaction; `None` where one of that
/// salon waits or runs already.
///
/// # Errors
/// When the database refuses.
pub async fn start(tx: &mut Tx, company: CompanyId, modules: Modules) -> store::Result<Option<JobId>> {
    if jobs::pending(tx, company, Some(&lane(company))).await? > 0 {
        return Ok(None);
    }
    jobs::enqueue(tx, SyncJob::wanted(company, modules, Occasion::First)).await.map(Some)
}

/// The job `sync`.
pub(crate) struct SyncJob(pub(crate) Arc<App>);

impl SyncJob {
    pub(crate) const KIND: &'static str = "sync";

    /// Everything, for a salon that has just come to us.
    pub(crate) fn first(company: CompanyId) -> NewJob {
        Self::wanted(company, Modules::ALL, Occasion::First)
    }

    fn wanted(company: CompanyId, modules: Modules, occasion: Occasion) -> NewJob {
        // What is no news on the first occasion is news on another: they are two syncs.
        let key = format!("{company}:{}:{occasion:?}", modules.0);
        NewJob::new(Self::KIND, Wanted { modules, occasion }).key(key).lane(lane(company)).company(company)
    }

    async fn sync(&self, job: &Job) -> anyhow::Result<Outcome> {
        let Some(company) = job.company_id else { return Ok(Outcome::Discard { reason: "no salon".to_owned() }) };
        let Wanted { modules, occasion } = job.payload()?;
        let report = sync(&self.0, company, modules, occasion).await?;
        tracing::info!(%company, done = ?report.done, skipped = ?report.skipped, failed = ?report.failed, "synced");
        // YClients gives the application its rights some time after the installation.
        Ok(match report.failed.first() {
            Some((module, error)) => Outcome::retry(format!("{module}: {error}")),
            None => Outcome::Done,
        })
    }
}

impl Handler for SyncJob {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        async move { self.sync(job).await.unwrap_or_else(|error| Outcome::retry(format!("{error:#}"))) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_has_its_word_and_its_bit() {
        for module in Module::ALL {
            let modules = Modules::from_word(module.word()).expect("a module");
            assert_eq!(Module::ALL.into_iter().filter(|other| modules.has(*other)).collect::<Vec<_>>(), [module]);
            assert!(Modules::ALL.has(module));
        }
        assert_eq!(Modules::from_word("today"), None);
    }
}
