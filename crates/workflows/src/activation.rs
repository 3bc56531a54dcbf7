//! The salon's switch: the key is stored, the marketplace is told, the first sync and the welcome begin.

use std::{sync::Arc, time::Duration};

use domain::{CompanyId, IntegrationEvent, IntegrationStatus, LinkState, SalonId};
use futures::future::BoxFuture;
use serde_json::json;
use store::{
    StoreError, Tx, companies,
    companies::Company,
    events,
    jobs::{self, Handler, Job, NewJob, Outcome},
    sessions,
};
use yclients::{CallbackOutcome, Confirmation, InstallStatus, Installation};

use crate::{
    App,
    onboarding::{self, Noted},
    outbox,
    sync::SyncJob,
    texts,
};

/// A salon that is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activated {
    /// Our tenant.
    pub company_id: CompanyId,
    /// YClients' id.
    pub salon_id: SalonId,
}

/// Why a salon could not be switched on.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// Settings of the product are missing.
    #[error("settings are missing")]
    NotConfigured,
    /// WhatsApp is not linked.
    #[error("WhatsApp is not linked")]
    NotConnected,
    /// The linked number serves another salon already.
    #[error("the number serves another salon")]
    NumberTaken,
    /// The salon is frozen or has taken the application out.
    #[error("a company that is {0} cannot be activated")]
    NotActivatable(IntegrationStatus),
    /// The marketplace refused, or did not answer and has it not active; in words for the owner.
    #[error("the marketplace: {0}")]
    Refused(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Switches the salon on. A salon that is on already is on: the answer is the same again. Safe to
/// repeat after any failure, since the key is stored first and the marketplace's own state settles
/// what an answer that never came has left open.
///
/// # Errors
/// [`ActivationError`]; after [`ActivationError::Refused`] the status is `activation_failed`, unless
/// the salon was on before.
pub async fn activate(app: &App, company_id: CompanyId) -> Result<Activated, ActivationError> {
    let mut tx = app.store.read().await?;
    let company = companies::get(&mut tx, company_id).await?.ok_or(StoreError::NotFound("company"))?;
    // Whichever node runs the session.
    let link = sessions::link(&mut tx, company_id).await?;
    drop(tx);
    let done = Activated { company_id, salon_id: company.salon_id };
    match company.status {
        IntegrationStatus::Active => return confirm_again(app, &company).await.map(|()| done),
        status @ (IntegrationStatus::Frozen | IntegrationStatus::Uninstalled) => return Err(ActivationError::NotActivatable(status)),
        IntegrationStatus::PendingWhatsapp | IntegrationStatus::Activating | IntegrationStatus::ActivationFailed => {}
    }
    if !onboarding::is_configured(app) {
        return Err(ActivationError::NotConfigured);
    }
    match link {
        LinkState::Connected { phone, name } => {
            if onboarding::note_link(app, &company, &phone, &name).await? == Noted::Taken {
                return Err(ActivationError::NumberTaken);
            }
        }
        LinkState::Restricted => {}
        _ if onboarding::was_taken(&mut app.store.read().await?, company_id).await? => return Err(ActivationError::NumberTaken),
        _ => return Err(ActivationError::NotConnected),
    }
    let confirmation = prepare(app, company_id).await?;
    match tell_marketplace(app, company.salon_id, &confirmation).await {
        Ok(()) => succeed(app, &company).await.map(|()| done),
        Err(reason) => {
            fail(app, &company, &reason).await?;
            Err(ActivationError::Refused(reason))
        }
    }
}

/// A salon that is on has nothing to do, unless the owner has taken the application out and put it
/// in again without our having heard of it: then the marketplace waits for its confirmation anew.
async fn confirm_again(app: &App, company: &Company) -> Result<(), ActivationError> {
    match app.yclients.install_state(company.salon_id).await {
        Ok(Installation { status: InstallStatus::Pending, .. }) => {}
        Ok(_) => return Ok(()),
        Err(error) => {
            tracing::info!(salon = %company.salon_id, %error, "the installation's state could not be read; the salon is on");
            return Ok(());
        }
    }
    let mut tx = app.store.begin().await?;
    let confirmation = confirmation(app, &mut tx, company.id).await?;
    tx.commit().await?;
    tell_marketplace(app, company.salon_id, &confirmation).await.map_err(ActivationError::Refused)
}

/// Stores the keys and the status before anybody is told of them.
async fn prepare(app: &App, company: CompanyId) -> Result<Confirmation, StoreError> {
    let mut tx = app.store.begin().await?;
    let confirmation = confirmation(app, &mut tx, company).await?;
    companies::set_status(&mut tx, company, IntegrationStatus::Activating, app.clock.now()).await?;
    tx.commit().await?;
    Ok(confirmation)
}

async fn confirmation(app: &App, tx: &mut Tx, company: CompanyId) -> Result<Confirmation, StoreError> {
    let api_key = onboarding::api_key(app, tx, company).await?;
    let secret = onboarding::webhook_secret(app, tx, company).await?;
    Ok(Confirmation { api_key, webhook_urls: vec![onboarding::webhook_url(app, &secret)] })
}

async fn tell_marketplace(app: &App, salon: SalonId, confirmation: &Confirmation) -> Result<(), String> {
    match app.yclients.confirm_installation(salon, confirmation).await {
        Ok(CallbackOutcome::Installed) => Ok(()),
        Ok(CallbackOutcome::AlreadyInstalled) => settle(app, salon, texts::NOT_CONFIRMED).await,
        Err(error) if error.outcome_unknown() => {
            tracing::warn!(%salon, %error, "the marketplace's answer never came; its state decides");
            settle(app, salon, texts::MARKETPLACE_SILENT).await
        }
        Err(error) => {
            tracing::warn!(%salon, %error, "the marketplace refused the activation");
            Err(texts::refused(&error))
        }
    }
}

/// What the marketplace itself says counts.
async fn settle(app: &App, salon: SalonId, otherwise: &str) -> Result<(), String> {
    match app.yclients.install_state(salon).await {
        Ok(installation) if installation.status == InstallStatus::Active => Ok(()),
        Ok(installation) => {
            tracing::warn!(%salon, status = ?installation.status, "the installation is not active");
            Err(otherwise.to_owned())
        }
        Err(error) => {
            tracing::warn!(%salon, %error, "the installation's state could not be read");
            Err(otherwise.to_owned())
        }
    }
}

async fn succeed(app: &App, company: &Company) -> Result<(), ActivationError> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let before = match companies::set_status(&mut tx, company.id, IntegrationStatus::Active, now).await {
        Ok(before) => before,
        // Taken out meanwhile.
        Err(StoreError::Transition(wrong)) => return Err(ActivationError::NotActivatable(wrong.from)),
        Err(error) => return Err(error.into()),
    };
    // Of two calls at once the first one did this.
    if before != IntegrationStatus::Active {
        events::append(&mut tx, company.id, company.salon_id, IntegrationEvent::IntegrationActivated, &json!({}), now).await?;
        jobs::enqueue(&mut tx, SyncJob::first(company.id)).await?;
        jobs::enqueue(&mut tx, Welcome::job(company.id)).await?;
        tracing::info!(company = %company.id, salon = %company.salon_id, "a salon is on");
    }
    Ok(tx.commit().await?)
}

async fn fail(app: &App, company: &Company, reason: &str) -> Result<(), StoreError> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    match companies::set_status(&mut tx, company.id, IntegrationStatus::ActivationFailed, now).await {
        Ok(_) => {
            let data = json!({ "reason": reason });
            events::append(&mut tx, company.id, company.salon_id, IntegrationEvent::IntegrationFailed, &data, now).await?;
            tx.commit().await
        }
        // Another call has succeeded meanwhile, or the salon was taken out.
        Err(StoreError::Transition(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The job `welcome`: a message to the salon's own chat.
pub(crate) struct Welcome(pub(crate) Arc<App>);

impl Welcome {
    pub(crate) const KIND: &'static str = "welcome";
    /// The session may be reconnecting just then.
    const LATER: Duration = Duration::from_secs(2);

    fn job(company: CompanyId) -> NewJob {
        NewJob::new(Self::KIND, json!({})).key(company.to_string()).company(company)
    }

    async fn welcome(&self, job: &Job) -> anyhow::Result<Outcome> {
        let app = &self.0;
        let company = job.company_id.ok_or_else(|| anyhow::anyhow!("a welcome without a salon"))?;
        let mut tx = app.store.begin().await?;
        let on = companies::get(&mut tx, company).await?.is_some_and(|company| company.status == IntegrationStatus::Active);
        if !on {
            return Ok(Outcome::Discard { reason: "the salon is not on any more".to_owned() });
        }
        if outbox::queue_to_salon(app, &mut tx, company, texts::WELCOME).await?.is_none() {
            return Ok(Outcome::Snooze(Self::LATER));
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        Ok(Outcome::Completed)
    }
}

impl Handler for Welcome {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.welcome(job).await.unwrap_or_else(|error| Outcome::Retry { error: format!("{error:#}"), after: None }) })
    }
}
