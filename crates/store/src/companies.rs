//! Our tenants: salons that were registered from the marketplace.

use domain::{CompanyId, IntegrationStatus, Phone, SalonId};
use jiff::{Timestamp, tz::TimeZone};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{
    Result, SealError, StoreError, Tx, Vault,
    sql::{corrupt, moment, moment_opt, phone_opt, text},
};

/// What the marketplace and the booking system say of a salon.
#[derive(Debug, Clone)]
pub struct Registration {
    /// YClients' id.
    pub salon_id: SalonId,
    /// As customers know it.
    pub title: String,
    /// City, may be empty.
    pub city: String,
    /// Street and house, may be empty.
    pub address: String,
    /// The salon's published number.
    pub phone: Option<Phone>,
    /// The salon's address for mail.
    pub email: Option<String>,
    /// The zone of all its times.
    pub timezone: TimeZone,
    /// Sign behind prices: `₽`.
    pub currency: String,
    /// Who pressed the button, where known; known ones are kept.
    pub user: MarketplaceUser,
    /// The booking system's own answer, as JSON.
    pub raw: Option<String>,
}

/// The marketplace's user data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MarketplaceUser {
    /// Their id there.
    pub id: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their number, as the marketplace writes it.
    pub phone: Option<String>,
    /// Their mail.
    pub email: Option<String>,
}

impl std::fmt::Debug for MarketplaceUser {
    /// Personal data stays out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MarketplaceUser").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A tenant.
#[derive(Debug, Clone)]
pub struct Company {
    /// Ours.
    pub id: CompanyId,
    /// YClients'.
    pub salon_id: SalonId,
    /// As customers know it.
    pub title: String,
    /// City, may be empty.
    pub city: String,
    /// Street and house, may be empty.
    pub address: String,
    /// The salon's published number.
    pub phone: Option<Phone>,
    /// The salon's address for mail.
    pub email: Option<String>,
    /// The zone of all its times.
    pub timezone: TimeZone,
    /// Sign behind prices.
    pub currency: String,
    /// Where it stands with the marketplace.
    pub status: IntegrationStatus,
    /// Who pressed the button.
    pub user: MarketplaceUser,
    /// Its WhatsApp is linked.
    pub whatsapp_connected: bool,
    /// The linked number; kept after the link is gone.
    pub whatsapp_phone: Option<Phone>,
    /// The linked account's name.
    pub whatsapp_name: Option<String>,
    /// When it was linked last.
    pub whatsapp_connected_at: Option<Timestamp>,
    /// Last payment the marketplace told of.
    pub last_payment_date: Option<Timestamp>,
    /// The bot answers.
    pub ai_enabled: bool,
    /// The catalogue is kept in step.
    pub sync_enabled: bool,
    /// The WhatsApp session is kept.
    pub whatsapp_enabled: bool,
    /// When its WhatsApp was linked for the first time.
    pub connected_at: Option<Timestamp>,
    /// When it became active for the first time: such a company is let in by a signature only.
    pub activated_at: Option<Timestamp>,
    /// When it took the application out.
    pub uninstalled_at: Option<Timestamp>,
    /// When it was registered first.
    pub created_at: Timestamp,
}

from_row!(Company, |row| Ok(Self {
    id: CompanyId(row.try_get("id")?),
    salon_id: SalonId(row.try_get("yclients_id")?),
    title: row.try_get("title")?,
    city: row.try_get("city")?,
    address: row.try_get("address")?,
    phone: phone_opt("companies.phone", row.try_get("phone")?)?,
    email: row.try_get("email")?,
    timezone: zone(row.try_get("timezone")?)?,
    currency: row.try_get("currency")?,
    status: IntegrationStatus::from_word(row.try_get("integration_status")?).ok_or_else(|| corrupt("companies.integration_status"))?,
    user: MarketplaceUser {
        id: row.try_get("marketplace_user_id")?,
        name: row.try_get("marketplace_user_name")?,
        phone: row.try_get("marketplace_user_phone")?,
        email: row.try_get("marketplace_user_email")?,
    },
    whatsapp_connected: row.try_get("whatsapp_connected")?,
    whatsapp_phone: phone_opt("companies.whatsapp_phone", row.try_get("whatsapp_phone")?)?,
    whatsapp_name: row.try_get("whatsapp_name")?,
    whatsapp_connected_at: moment_opt("companies.whatsapp_connected_at", row.try_get("whatsapp_connected_at")?)?,
    last_payment_date: moment_opt("companies.last_payment_date", row.try_get("last_payment_date")?)?,
    ai_enabled: row.try_get("ai_enabled")?,
    sync_enabled: row.try_get("sync_enabled")?,
    whatsapp_enabled: row.try_get("whatsapp_enabled")?,
    connected_at: moment_opt("companies.connected_at", row.try_get("connected_at")?)?,
    activated_at: moment_opt("companies.activated_at", row.try_get("activated_at")?)?,
    uninstalled_at: moment_opt("companies.uninstalled_at", row.try_get("uninstalled_at")?)?,
    created_at: moment("companies.created_at", row.try_get("created_at")?)?,
}));

pub(crate) fn zone(name: &str) -> sqlx::Result<TimeZone> {
    TimeZone::get(name).map_err(|_| corrupt("companies.timezone"))
}

/// Registers a salon or brings what is known of it up to date. The status of a known one stays; a
/// new one is `pending_whatsapp`. `at` is calendar time.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn upsert_registration(tx: &mut Tx, registration: &Registration, at: Timestamp) -> Result<CompanyId> {
    let r = registration;
    let id = row!(
        tx,
        (i64,),
        "INSERT INTO companies (yclients_id, title, city, address, phone, email, timezone, currency, integration_status, \
           marketplace_user_id, marketplace_user_name, marketplace_user_phone, marketplace_user_email, raw_data, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending_whatsapp', $9, $10, $11, $12, $13, $14, $14) \
         ON CONFLICT (yclients_id) DO UPDATE SET title = excluded.title, city = excluded.city, address = excluded.address, \
           phone = excluded.phone, email = excluded.email, timezone = excluded.timezone, currency = excluded.currency, \
           marketplace_user_id = coalesce(excluded.marketplace_user_id, companies.marketplace_user_id), \
           marketplace_user_name = coalesce(excluded.marketplace_user_name, companies.marketplace_user_name), \
           marketplace_user_phone = coalesce(excluded.marketplace_user_phone, companies.marketplace_user_phone), \
           marketplace_user_email = coalesce(excluded.marketplace_user_email, companies.marketplace_user_email), \
           raw_data = coalesce(excluded.raw_data, companies.raw_data), updated_at = excluded.updated_at, \
           catalogue_version = companies.catalogue_version + 1 \
         RETURNING id",
        r.salon_id.0,
        text(&r.title),
        text(&r.city),
        text(&r.address),
        r.phone.as_ref().map(Phone::digits),
        r.email.as_deref().map(text),
        r.timezone.iana_name().unwrap_or("UTC"),
        text(&r.currency),
        r.user.id.as_deref().map(text),
        r.user.name.as_deref().map(text),
        r.user.phone.as_deref().map(text),
        r.user.email.as_deref().map(text),
        r.raw.as_deref(),
        at.as_millisecond()
    )?;
    id.map(|(id,)| CompanyId(id)).ok_or(StoreError::NotFound("company"))
}

/// The company of that id.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn get(tx: &mut Tx, company: CompanyId) -> Result<Option<Company>> {
    row!(tx, Company, "SELECT * FROM companies WHERE id = $1", company.0)
}

/// The company of a salon.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn by_salon(tx: &mut Tx, salon: SalonId) -> Result<Option<Company>> {
    row!(tx, Company, "SELECT * FROM companies WHERE yclients_id = $1", salon.0)
}

/// The company to which a webhook's secret belongs.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn by_webhook_secret(tx: &mut Tx, secret: &str) -> Result<Option<Company>> {
    row!(tx, Company, "SELECT * FROM companies WHERE webhook_secret_hash = $1", hash(secret))
}

/// Which companies a page lists; an empty filter lists all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Where they stand with the marketplace.
    pub status: Option<IntegrationStatus>,
    /// Whether their WhatsApp is linked.
    pub connected: Option<bool>,
}

impl Filter {
    /// Whether the company passes.
    pub fn has(&self, company: &Company) -> bool {
        self.status.is_none_or(|status| status == company.status)
            && self.connected.is_none_or(|linked| linked == company.whatsapp_connected)
    }
}

/// A page of companies in order of id, after the given one.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn list(tx: &mut Tx, filter: Filter, after: Option<CompanyId>, limit: i64) -> Result<Vec<Company>> {
    rows!(
        tx,
        Company,
        "SELECT * FROM companies WHERE id > $1 AND ($2 = '' OR integration_status = $2) \
           AND ($3 = -1 OR (CASE WHEN whatsapp_connected THEN 1 ELSE 0 END) = $3) ORDER BY id LIMIT $4",
        after.map_or(0, |id| id.0),
        filter.status.map_or("", IntegrationStatus::as_str),
        filter.connected.map_or(-1, i64::from),
        limit
    )
}

/// How many companies stand where with the marketplace, by the words of [`IntegrationStatus`].
///
/// # Errors
/// [`StoreError::Database`].
pub async fn count_by_status(tx: &mut Tx) -> Result<Vec<(String, i64)>> {
    rows!(tx, (String, i64), "SELECT integration_status, count(*) FROM companies GROUP BY integration_status")
}

/// How many companies there are, and how many of them have WhatsApp linked.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn stats(tx: &mut Tx) -> Result<(i64, i64)> {
    let counted = row!(tx, (i64, i64), "SELECT count(*), count(CASE WHEN whatsapp_connected THEN 1 END) FROM companies")?;
    Ok(counted.unwrap_or_default())
}

/// Takes the company to a status, where the rules of [`IntegrationStatus::to`] allow it, and
/// returns the one it had. The first activation and the latest removal are dated with `at`
/// (calendar time).
///
/// # Errors
/// [`StoreError::Transition`] for a step no walk takes, [`StoreError::Stale`] when somebody was
/// quicker, [`StoreError::NotFound`].
pub async fn set_status(tx: &mut Tx, company: CompanyId, to: IntegrationStatus, at: Timestamp) -> Result<IntegrationStatus> {
    let known = row!(tx, (String,), "SELECT integration_status FROM companies WHERE id = $1", company.0)?;
    let (word,) = known.ok_or(StoreError::NotFound("company"))?;
    let from = IntegrationStatus::from_word(&word).ok_or_else(|| corrupt("companies.integration_status"))?;
    from.to(to)?;
    let changed = execute!(
        tx,
        "UPDATE companies SET integration_status = $3, updated_at = $4, \
           activated_at = CASE WHEN $3 = 'active' THEN coalesce(activated_at, $4) ELSE activated_at END, \
           uninstalled_at = CASE WHEN $3 = 'uninstalled' THEN $4 ELSE uninstalled_at END \
         WHERE id = $1 AND integration_status = $2",
        company.0,
        word.as_str(),
        to.as_str(),
        at.as_millisecond()
    )?;
    if changed == 0 { Err(StoreError::Stale) } else { Ok(from) }
}

/// What came of [`set_linked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// Written down.
    Set,
    /// That number already serves this other company: a number serves one salon.
    NumberTaken(CompanyId),
}

/// Writes down that the company's WhatsApp is linked to a number. `at` is calendar time.
///
/// # Errors
/// [`StoreError::NotFound`]; on PostgreSQL a conflict in [`StoreError::Database`] when two
/// companies link the same number in the same instant.
pub async fn set_linked(tx: &mut Tx, company: CompanyId, phone: &Phone, name: &str, at: Timestamp) -> Result<Linked> {
    let other = row!(
        tx,
        (i64,),
        "SELECT id FROM companies WHERE whatsapp_phone = $1 AND whatsapp_connected AND id <> $2",
        phone.digits(),
        company.0
    )?;
    if let Some((other,)) = other {
        return Ok(Linked::NumberTaken(CompanyId(other)));
    }
    let changed = execute!(
        tx,
        "UPDATE companies SET whatsapp_connected = TRUE, whatsapp_phone = $2, whatsapp_name = $3, whatsapp_connected_at = $4, \
           connected_at = coalesce(connected_at, $4), updated_at = $4 WHERE id = $1",
        company.0,
        phone.digits(),
        text(name),
        at.as_millisecond()
    )?;
    if changed == 0 { Err(StoreError::NotFound("company")) } else { Ok(Linked::Set) }
}

/// Writes down that the company's WhatsApp is not linked any more. The number is kept.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn set_unlinked(tx: &mut Tx, company: CompanyId, at: Timestamp) -> Result<()> {
    let changed =
        execute!(tx, "UPDATE companies SET whatsapp_connected = FALSE, updated_at = $2 WHERE id = $1", company.0, at.as_millisecond())?;
    if changed == 0 { Err(StoreError::NotFound("company")) } else { Ok(()) }
}

/// Writes down a payment of that moment.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn set_last_payment(tx: &mut Tx, company: CompanyId, at: Timestamp) -> Result<()> {
    let changed =
        execute!(tx, "UPDATE companies SET last_payment_date = $2, updated_at = $2 WHERE id = $1", company.0, at.as_millisecond())?;
    if changed == 0 { Err(StoreError::NotFound("company")) } else { Ok(()) }
}

/// A salon's switches, as operator and owner set them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// The bot answers.
    pub ai: bool,
    /// The catalogue is kept in step.
    pub sync: bool,
    /// The WhatsApp session is kept.
    pub whatsapp: bool,
}

/// Sets the switches.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn set_switches(tx: &mut Tx, company: CompanyId, switches: Switches) -> Result<()> {
    let changed = execute!(
        tx,
        "UPDATE companies SET ai_enabled = $2, sync_enabled = $3, whatsapp_enabled = $4 WHERE id = $1",
        company.0,
        switches.ai,
        switches.sync,
        switches.whatsapp
    )?;
    if changed == 0 { Err(StoreError::NotFound("company")) } else { Ok(()) }
}

/// Stores the company's API key, sealed, over any former one.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn set_api_key(tx: &mut Tx, vault: &Vault, company: CompanyId, key: &SecretString) -> Result<()> {
    let sealed = vault.seal(company, "companies", "api_key", key.expose_secret().as_bytes());
    let changed = execute!(tx, "UPDATE companies SET api_key = $2 WHERE id = $1", company.0, sealed)?;
    if changed == 0 { Err(StoreError::NotFound("company")) } else { Ok(()) }
}

/// The company's API key, where it has one.
///
/// # Errors
/// [`StoreError::Seal`] when it was sealed under another master key.
pub async fn api_key(tx: &mut Tx, vault: &Vault, company: CompanyId) -> Result<Option<SecretString>> {
    let stored = row!(tx, (Option<Vec<u8>>,), "SELECT api_key FROM companies WHERE id = $1", company.0)?;
    open(vault, company, "api_key", stored)
}

/// Stores the secret in the URL of the company's webhooks, sealed, with a hash to find it by.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn set_webhook_secret(tx: &mut Tx, vault: &Vault, company: CompanyId, secret: &SecretString) -> Result<()> {
    let sealed = vault.seal(company, "companies", "webhook_secret", secret.expose_secret().as_bytes());
    let changed = execute!(
        tx,
        "UPDATE companies SET webhook_secret = $2, webhook_secret_hash = $3 WHERE id = $1",
        company.0,
        sealed,
        hash(secret.expose_secret())
    )?;
    if changed == 0 { Err(StoreError::NotFound("company")) } else { Ok(()) }
}

/// The secret in the URL of the company's webhooks, where it has one.
///
/// # Errors
/// [`StoreError::Seal`] when it was sealed under another master key.
pub async fn webhook_secret(tx: &mut Tx, vault: &Vault, company: CompanyId) -> Result<Option<SecretString>> {
    let stored = row!(tx, (Option<Vec<u8>>,), "SELECT webhook_secret FROM companies WHERE id = $1", company.0)?;
    open(vault, company, "webhook_secret", stored)
}

fn open(vault: &Vault, company: CompanyId, key: &str, stored: Option<(Option<Vec<u8>>,)>) -> Result<Option<SecretString>> {
    let Some((Some(sealed),)) = stored else { return Ok(None) };
    let plain = vault.open(company, "companies", key, &sealed)?;
    Ok(Some(String::from_utf8(plain).map_err(|_| SealError)?.into()))
}

/// The secrets are random, so a plain hash is enough to find one without keeping it.
fn hash(secret: &str) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}
