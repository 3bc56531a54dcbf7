//! A salon comes from the marketplace, and its WhatsApp is linked.

use std::sync::Arc;

use domain::{CompanyId, IntegrationEvent, IntegrationStatus, LinkState, Phone, SalonId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{
    CompanyEvent, StoreError, Tx, companies,
    companies::{Company, Linked, MarketplaceUser, Registration},
    events, jobs, sessions,
};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use whatsapp::{Event, SessionEvent};
use yclients::InstallStatus;

use crate::{App, outbox::Send, texts};

/// Somebody was sent to us by the marketplace.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// For which salon.
    pub salon_id: SalonId,
    /// The marketplace's signature was there and right.
    pub signed: bool,
    /// Who; believed only where signed.
    pub user: MarketplaceUser,
    /// The salon's name under the signature, which the salon's number is not; may be empty.
    pub signed_for: String,
}

impl Arrival {
    /// The marketplace's signature covers the user and the salon's name, not its number, so an owner
    /// could point the own right signature at a stranger's salon. Another person of the same salon, and
    /// the same person after the salon was renamed, are let in.
    fn is_for_another_than(&self, company: &Company) -> bool {
        let stranger = company.user.id.is_some() && company.user.id != self.user.id;
        let name = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        stranger && !self.signed_for.is_empty() && name(&self.signed_for) != name(&company.title)
    }
}

/// A registered salon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// Our tenant.
    pub company_id: CompanyId,
    /// YClients' id.
    pub salon_id: SalonId,
}

/// Why a salon is not let in.
#[derive(Debug, thiserror::Error)]
pub enum ArrivalError {
    /// Settings of the product are missing.
    #[error("settings are missing")]
    NotConfigured,
    /// It has been active before, so only a signature proves that this is its owner.
    #[error("a company that has been active opens by a signature only")]
    Unproven,
    /// Signed for another salon, by somebody this one does not know.
    #[error("signed user data of another salon")]
    SignedForAnother,
    /// The marketplace knows no installation.
    #[error("the application is not installed in that salon")]
    NotInstalled,
    /// YClients knows no such salon.
    #[error("no such salon")]
    NoSuchSalon,
    /// YClients asks to wait, or does not answer.
    #[error("YClients is busy: {0}")]
    Busy(yclients::Error),
    /// YClients refuses us, or is broken.
    #[error("YClients failed: {0}")]
    Failed(yclients::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<yclients::Error> for ArrivalError {
    fn from(error: yclients::Error) -> Self {
        match &error {
            yclients::Error::NotFound { .. } => Self::NoSuchSalon,
            yclients::Error::RateLimited => Self::Busy(error),
            // A server that says 5xx is broken; one that says nothing may be back in a minute.
            yclients::Error::Unavailable { reason, .. } if !reason.starts_with("status ") => Self::Busy(error),
            _ => Self::Failed(error),
        }
    }
}

/// The settings without which no salon can be connected are there.
pub(crate) fn is_configured(app: &App) -> bool {
    app.settings.missing.is_empty()
}

/// Registers the salon, or brings what is known of it up to date, and writes down that it came.
///
/// # Errors
/// [`ArrivalError`]; nothing is written then.
pub async fn arrive(app: &App, arrival: Arrival) -> Result<Arrived, ArrivalError> {
    if !is_configured(app) {
        return Err(ArrivalError::NotConfigured);
    }
    let known = known(app, arrival.salon_id).await?;
    let active_once = known.filter(|company| company.activated_at.is_some());
    if !arrival.signed && active_once.is_some() {
        return Err(ArrivalError::Unproven);
    }
    match app.yclients.install_state(arrival.salon_id).await?.status {
        // A right person of that salon has just pressed the button.
        InstallStatus::Pending => {}
        InstallStatus::Active | InstallStatus::Frozen
            if active_once.as_ref().is_some_and(|company| arrival.is_for_another_than(company)) =>
        {
            return Err(ArrivalError::SignedForAnother);
        }
        // A frozen one is installed: its owner may look and link anew.
        InstallStatus::Active | InstallStatus::Frozen => {}
        InstallStatus::Uninstalled | InstallStatus::Other(_) => return Err(ArrivalError::NotInstalled),
    }
    let user = if arrival.signed { arrival.user } else { MarketplaceUser::default() };
    let mut tx_data = json!({ "signed": arrival.signed });
    if let Some(id) = &user.id {
        tx_data["user_id"] = json!(id);
    }
    let (tx, company_id) = registered(app, arrival.salon_id, user, &tx_data).await?;
    tx.commit().await?;
    Ok(Arrived { company_id, salon_id: arrival.salon_id })
}

/// Registers a salon on the operator's word, with its key for the older calls.
///
/// # Errors
/// [`ArrivalError`]; nothing is written then.
pub async fn register(
    app: &App,
    salon_id: SalonId,
    phone: Option<Phone>,
    email: Option<String>,
) -> Result<(Arrived, SecretString), ArrivalError> {
    if !is_configured(app) {
        return Err(ArrivalError::NotConfigured);
    }
    let user = MarketplaceUser { phone: phone.map(|phone| phone.digits().to_owned()), email, ..MarketplaceUser::default() };
    let (mut tx, company_id) = registered(app, salon_id, user, &json!({ "by": "operator" })).await?;
    let key = api_key(app, &mut tx, company_id).await?;
    tx.commit().await?;
    Ok((Arrived { company_id, salon_id }, key))
}

async fn known(app: &App, salon: SalonId) -> Result<Option<Company>, StoreError> {
    companies::by_salon(&mut app.store.read().await?, salon).await
}

/// What the booking system says of a salon, as the database keeps it.
pub(crate) fn registration(salon: yclients::Company, user: MarketplaceUser) -> Registration {
    Registration {
        salon_id: salon.salon_id,
        title: salon.title,
        city: salon.city,
        address: salon.address,
        phone: salon.phone,
        email: Some(salon.email).filter(|email| !email.is_empty()),
        timezone: salon.timezone,
        currency: salon.currency,
        user,
        raw: Some(salon.raw.to_string()),
    }
}

/// Reads the salon and writes it down, in a transaction that the caller commits.
async fn registered(
    app: &App,
    salon_id: SalonId,
    user: MarketplaceUser,
    event: &serde_json::Value,
) -> Result<(Tx, CompanyId), ArrivalError> {
    let registration = registration(app.yclients.company(salon_id).await?, user);
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let company_id = companies::upsert_registration(&mut tx, &registration, now).await?;
    let company = companies::get(&mut tx, company_id).await?.ok_or(StoreError::NotFound("company"))?;
    if company.status == IntegrationStatus::Uninstalled {
        companies::set_status(&mut tx, company_id, IntegrationStatus::PendingWhatsapp, now).await?;
    }
    events::append(&mut tx, company_id, salon_id, IntegrationEvent::RegistrationStarted, event, now).await?;
    Ok((tx, company_id))
}

/// The salon's key, made on first need: `sk_` and 32 random bytes in hex.
pub(crate) async fn api_key(app: &App, tx: &mut Tx, company: CompanyId) -> Result<SecretString, StoreError> {
    if let Some(key) = companies::api_key(tx, &app.vault, company).await? {
        return Ok(key);
    }
    let key = SecretString::from(format!("sk_{}", random_hex()));
    companies::set_api_key(tx, &app.vault, company, &key).await?;
    Ok(key)
}

/// The secret in the addresses of the salon's webhooks, made on first need. Never digits alone,
/// since those would read as a company's id.
pub(crate) async fn webhook_secret(app: &App, tx: &mut Tx, company: CompanyId) -> Result<SecretString, StoreError> {
    if let Some(secret) = companies::webhook_secret(tx, &app.vault, company).await? {
        return Ok(secret);
    }
    let secret = SecretString::from(format!("wh_{}", random_hex()));
    companies::set_webhook_secret(tx, &app.vault, company, &secret).await?;
    Ok(secret)
}

/// 32 random bytes in hex.
///
/// # Panics
/// When the operating system gives no randomness: nothing safe can be done then.
fn random_hex() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system's randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a key is the salon's. Compared by digest, in constant time for equal lengths of digests.
///
/// # Errors
/// The database, or a key sealed under another master key.
pub async fn is_key_of(app: &App, company: CompanyId, given: &SecretString) -> Result<bool, StoreError> {
    let key = companies::api_key(&mut app.store.read().await?, &app.vault, company).await?;
    Ok(key.is_some_and(|key| yclients::signature::same_secret(&key, given)))
}

/// What came of writing a link down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// The number is this salon's.
    Ours,
    /// It serves another salon already; the new link was taken back.
    Taken,
}

/// Writes down that the salon's WhatsApp is linked. A number serves one salon: where it is
/// another's already, the new link is taken back.
pub(crate) async fn note_link(app: &App, company: &Company, phone: &Phone, name: &str) -> Result<Noted, StoreError> {
    if company.whatsapp_connected && company.whatsapp_phone.as_ref() == Some(phone) {
        return Ok(Noted::Ours);
    }
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    if let Linked::NumberTaken(other) = companies::set_linked(&mut tx, company.id, phone, name, now).await? {
        drop(tx);
        tracing::warn!(company = %company.id, %other, %phone, "this number serves another salon; the link is taken back");
        note_taken(app, company).await?;
        // The reason first: that the link is gone follows from it.
        app.store.bus().publish(CompanyEvent {
            company_id: company.id,
            kind: "error".to_owned(),
            payload: json!({ "message": texts::NUMBER_TAKEN, "error": TAKEN }),
        });
        if let Err(error) = app.whatsapp.logout(company.id).await {
            tracing::warn!(company = %company.id, %error, "the link could not be taken back");
        }
        return Ok(Noted::Taken);
    }
    let data = json!({ "phone": phone.to_string(), "again": company.connected_at.is_some() });
    events::append(&mut tx, company.id, company.salon_id, IntegrationEvent::WhatsappConnected, &data, now).await?;
    tx.commit().await?;
    Ok(Noted::Ours)
}

/// The reason of [`Noted::Taken`] among a salon's events.
const TAKEN: &str = "number_taken";

/// Writes down why the link is about to be taken back: whoever asks later, asks a link that is gone.
async fn note_taken(app: &App, company: &Company) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    if !was_taken(&mut tx, company.id).await? {
        let (event, data) = (IntegrationEvent::IntegrationFailed, json!({ "reason": TAKEN }));
        events::append(&mut tx, company.id, company.salon_id, event, &data, app.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The last that happened to the salon is that its new link was taken back.
pub(crate) async fn was_taken(tx: &mut Tx, company: CompanyId) -> Result<bool, StoreError> {
    let last = events::latest(tx, company, 1).await?.pop();
    Ok(last.is_some_and(|last| last.event_type == IntegrationEvent::IntegrationFailed.as_str() && last.data["reason"] == TAKEN))
}

/// Keeps `companies.whatsapp_connected` in step with the sessions of this node until told to stop.
pub async fn follow_links(app: Arc<App>, stop: CancellationToken) {
    let mut news = app.whatsapp.subscribe();
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = news.recv() => event,
        };
        match event {
            // The node that runs a session writes it down.
            Ok(SessionEvent { company_id, event: Event::State(state), here: true }) => {
                if let Err(error) = follow(&app, company_id, &state).await {
                    tracing::warn!(company = %company_id, %error, "a link's state could not be written down");
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "states of links were missed"),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn follow(app: &App, company_id: CompanyId, state: &LinkState) -> Result<(), StoreError> {
    let company = companies::get(&mut app.store.read().await?, company_id).await?.ok_or(StoreError::NotFound("company"))?;
    match state {
        LinkState::Connected { phone, name } => {
            note_link(app, &company, phone, name).await?;
            // What waited for the session goes now, not at its next look.
            let mut tx = app.store.begin().await?;
            jobs::hasten(&mut tx, Send::KIND, company_id).await?;
            tx.commit().await
        }
        // A pause of ours is no end of the link.
        LinkState::Connecting | LinkState::Disconnected | LinkState::Restricted | LinkState::Outdated | LinkState::Banned { .. } => Ok(()),
        LinkState::LoggedOut | LinkState::Replaced | LinkState::PasskeyRequired if !company.whatsapp_connected => Ok(()),
        LinkState::LoggedOut | LinkState::Replaced | LinkState::PasskeyRequired => {
            let mut tx = app.store.begin().await?;
            // A node that lost the session while it was stopped says nothing of the link that another has.
            let owner = sessions::get(&mut tx, company_id).await?.and_then(|session| session.owner);
            let elsewhere =
                owner.is_some_and(|owner| owner != app.whatsapp.node()) && sessions::link(&mut tx, company_id).await?.is_connected();
            if !elsewhere {
                companies::set_unlinked(&mut tx, company_id, app.clock.now()).await?;
                tx.commit().await?;
            }
            Ok(())
        }
    }
}

/// The address to which YClients posts a salon's events.
pub(crate) fn webhook_url(app: &App, secret: &SecretString) -> url::Url {
    let mut url = app.settings.base_url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["webhook", "yclients", secret.expose_secret()]);
    }
    url
}
