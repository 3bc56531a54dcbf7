use domain::SalonId;
use jiff::civil::DateTime;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::{
    Error, YClients, lenient,
    transport::{Call, Effect, decode},
    wire::{IdWire, Rows},
};

/// Which call finishes an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallbackStyle {
    /// `POST …/partner/callback`, answered 201: the one meant for servers.
    #[default]
    Server,
    /// `POST …/partner/callback/redirect`, whose 301 means success and is not followed.
    Redirect,
}

/// What finishes an installation.
#[derive(Debug, Clone)]
pub struct Confirmation {
    /// Our key for this salon.
    pub api_key: SecretString,
    /// Where the salon's entity webhooks go.
    pub webhook_urls: Vec<Url>,
}

/// How the marketplace took a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// The application is installed.
    Installed,
    /// «Пользователь уже установил это приложение»: success once [`YClients::install_state`] agrees.
    AlreadyInstalled,
}

/// Where an installation stands (`connection_status`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallStatus {
    /// Not installed, or taken out.
    Uninstalled,
    /// The owner agreed; the callback is awaited, for an hour.
    Pending,
    /// Installed.
    Active,
    /// Not paid; `freezed` on the wire.
    Frozen,
    /// A word we do not know.
    Other(String),
}

impl InstallStatus {
    fn of(word: &str) -> Self {
        match word {
            "uninstalled" | "" => Self::Uninstalled,
            "pending" => Self::Pending,
            "active" => Self::Active,
            "freezed" | "frozen" => Self::Frozen,
            other => Self::Other(other.chars().take(40).collect()),
        }
    }

    /// The marketplace's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Uninstalled => "uninstalled",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Frozen => "freezed",
            Self::Other(word) => word,
        }
    }
}

/// An installation as the marketplace knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// Where it stands.
    pub status: InstallStatus,
    /// How it came there.
    pub log: Vec<StatusChange>,
    /// What was paid.
    pub payments: Vec<Payment>,
}

/// A change of an installation's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// When, in the marketplace's own zone, which it does not name.
    pub at: Option<DateTime>,
    /// The status before.
    pub from: InstallStatus,
    /// The status after.
    pub to: InstallStatus,
    /// `marketplace`, `partner_api`, …
    pub source: String,
}

/// A payment the marketplace knows of; its times are in its own zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    /// The marketplace's id, by which it is refunded.
    pub id: i64,
    /// Amount, with fractions.
    pub sum: f64,
    /// `RUB`.
    pub currency: String,
    /// When it was paid.
    pub paid_at: Option<DateTime>,
    /// It was given back.
    pub refunded: bool,
    /// The first moment it pays for.
    pub from: Option<DateTime>,
    /// The last.
    pub to: Option<DateTime>,
}

/// A payment to tell the marketplace of.
#[derive(Debug, Clone, PartialEq)]
pub struct PaymentReceipt {
    /// Amount.
    pub sum: f64,
    /// `RUB`.
    pub currency: String,
    /// When it was paid.
    pub paid_at: DateTime,
    /// The first moment it pays for.
    pub from: DateTime,
    /// The last.
    pub to: DateTime,
}

/// A salon that has the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSalon {
    /// Its id.
    pub id: SalonId,
    /// Its name.
    pub title: String,
    /// It is an active customer of YClients.
    pub active: bool,
}

/// A tariff of the application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tariff {
    /// Its id.
    #[serde(deserialize_with = "lenient::int")]
    pub id: i64,
    /// «1 месяц».
    #[serde(default, deserialize_with = "lenient::text")]
    pub title: String,
    /// Its prices.
    #[serde(default, deserialize_with = "lenient::list")]
    pub options: Vec<TariffOption>,
}

/// One price of a tariff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TariffOption {
    /// Its id.
    #[serde(deserialize_with = "lenient::int")]
    pub id: i64,
    /// «Частный мастер».
    #[serde(default, deserialize_with = "lenient::text")]
    pub title: String,
    /// Price of the whole period.
    #[serde(default, deserialize_with = "lenient::maybe_float")]
    pub overall_price: Option<f64>,
    /// How long it lasts.
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    pub duration_in_months: Option<i64>,
    /// For how many masters.
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    pub staff_amount: Option<i64>,
    /// Months without payment.
    #[serde(default, deserialize_with = "lenient::maybe_int")]
    pub free_period_in_months: Option<i64>,
    /// `RUB`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub currency_iso: String,
}

/// A channel of messages that an application offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// SMS.
    Sms,
    /// WhatsApp.
    Whatsapp,
}

impl Channel {
    fn slug(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
        }
    }
}

#[derive(Deserialize)]
struct InstallationWire {
    #[serde(default, deserialize_with = "lenient::list")]
    logs: Vec<StatusChangeWire>,
    #[serde(default, deserialize_with = "lenient::list")]
    payments: Vec<PaymentWire>,
    #[serde(default, deserialize_with = "lenient::maybe_object")]
    connection_status: Option<ConnectionWire>,
}

#[derive(Deserialize)]
struct ConnectionWire {
    #[serde(default, deserialize_with = "lenient::text")]
    status: String,
}

#[derive(Deserialize)]
struct StatusChangeWire {
    #[serde(default, deserialize_with = "lenient::text")]
    changed_at: String,
    #[serde(default, deserialize_with = "lenient::text")]
    status_from: String,
    #[serde(default, deserialize_with = "lenient::text")]
    status_to: String,
    #[serde(default, deserialize_with = "lenient::text")]
    source: String,
}

#[derive(Deserialize)]
struct PaymentWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::maybe_float")]
    payment_sum: Option<f64>,
    #[serde(default, deserialize_with = "lenient::text")]
    currency_iso: String,
    #[serde(default, deserialize_with = "lenient::text")]
    payment_date: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    is_refunded: bool,
    #[serde(default, deserialize_with = "lenient::text")]
    period_from: String,
    #[serde(default, deserialize_with = "lenient::text")]
    period_to: String,
}

#[derive(Deserialize)]
struct AppSalonWire {
    #[serde(deserialize_with = "lenient::int")]
    id: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    title: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    active: bool,
}

#[derive(Deserialize)]
struct LinkWire {
    url: Url,
}

impl From<InstallationWire> for Installation {
    fn from(wire: InstallationWire) -> Self {
        let change = |wire: StatusChangeWire| StatusChange {
            at: lenient::naive(&wire.changed_at),
            from: InstallStatus::of(&wire.status_from),
            to: InstallStatus::of(&wire.status_to),
            source: wire.source,
        };
        let payment = |wire: PaymentWire| Payment {
            id: wire.id,
            sum: wire.payment_sum.unwrap_or_default(),
            currency: wire.currency_iso,
            paid_at: lenient::naive(&wire.payment_date),
            refunded: wire.is_refunded,
            from: lenient::naive(&wire.period_from),
            to: lenient::naive(&wire.period_to),
        };
        Self {
            status: InstallStatus::of(&wire.connection_status.map(|status| status.status).unwrap_or_default()),
            log: wire.logs.into_iter().map(change).collect(),
            payments: wire.payments.into_iter().map(payment).collect(),
        }
    }
}

impl YClients {
    fn application(&self) -> i64 {
        self.settings().application_id
    }

    /// Where our installation at a salon stands: `GET /marketplace/salon/{salon}/application/{app}`
    /// (partner token). A 404 is `Uninstalled`.
    ///
    /// # Errors
    /// Any [`Error`] but [`Error::NotFound`]; nothing is written.
    pub async fn install_state(&self, salon: SalonId) -> Result<Installation, Error> {
        let path = format!("salon/{salon}/application/{}", self.application());
        match self.ask::<InstallationWire>(Call::marketplace("install_state", Method::GET, path)).await {
            Ok(wire) => Ok(wire.into()),
            Err(Error::NotFound { .. }) => Ok(Installation { status: InstallStatus::Uninstalled, log: Vec::new(), payments: Vec::new() }),
            Err(error) => Err(error),
        }
    }

    /// Finishes an installation by the configured one of the two calls (partner token).
    ///
    /// # Errors
    /// Where [`Error::outcome_unknown`], [`YClients::install_state`] settles it.
    pub async fn confirm_installation(&self, salon: SalonId, confirmation: &Confirmation) -> Result<CallbackOutcome, Error> {
        match self.settings().callback {
            CallbackStyle::Server => self.callback(salon, confirmation).await,
            CallbackStyle::Redirect => self.callback_redirect(salon, confirmation).await,
        }
    }

    /// `POST /marketplace/partner/callback` (partner token) → 201.
    ///
    /// # Errors
    /// As [`YClients::confirm_installation`].
    pub async fn callback(&self, salon: SalonId, confirmation: &Confirmation) -> Result<CallbackOutcome, Error> {
        let mut body = self.callback_body(salon, confirmation);
        body["channels"] = json!([Channel::Whatsapp.slug()]);
        self.confirm(Call::marketplace("callback", Method::POST, "partner/callback").body(body), 200..=299).await
    }

    /// `POST /marketplace/partner/callback/redirect` (partner token) → 301, not followed.
    ///
    /// # Errors
    /// As [`YClients::confirm_installation`].
    pub async fn callback_redirect(&self, salon: SalonId, confirmation: &Confirmation) -> Result<CallbackOutcome, Error> {
        let body = self.callback_body(salon, confirmation);
        // 200–299 too, since an older text promised 200.
        self.confirm(Call::marketplace("callback_redirect", Method::POST, "partner/callback/redirect").body(body), 200..=301).await
    }

    fn callback_body(&self, salon: SalonId, confirmation: &Confirmation) -> Value {
        json!({
            "salon_id": salon,
            "application_id": self.application(),
            "api_key": confirmation.api_key.expose_secret(),
            "webhook_urls": confirmation.webhook_urls,
        })
    }

    async fn confirm(&self, call: Call, success: std::ops::RangeInclusive<u16>) -> Result<CallbackOutcome, Error> {
        match self.send(call).await {
            Ok(answer) if success.contains(&answer.status) => Ok(CallbackOutcome::Installed),
            Ok(answer) => {
                let reason = format!("status {} instead of a confirmation", answer.status);
                Err(Error::Unavailable { call: "callback", reason, outcome_unknown: true })
            }
            Err(Error::Forbidden { message } | Error::Refused { message, .. }) if message.to_lowercase().contains("уже установил") => {
                Ok(CallbackOutcome::AlreadyInstalled)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the application out of a salon: `POST …/uninstall` (partner token). Not installed is success.
    ///
    /// # Errors
    /// Any other [`Error`].
    pub async fn uninstall(&self, salon: SalonId) -> Result<(), Error> {
        let path = format!("salon/{salon}/application/{}/uninstall", self.application());
        match self.send(Call::marketplace("uninstall", Method::POST, path)).await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A page (from 1) of at most 1000 salons with the application: `GET …/application/{app}/salons`
    /// (partner token).
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn application_salons(&self, page: usize, count: usize) -> Result<Vec<AppSalon>, Error> {
        let call = Call::marketplace("application_salons", Method::GET, format!("application/{}/salons", self.application()))
            .with("page", page)
            .with("count", count.min(1000));
        let rows: Rows<AppSalonWire> = self.ask(call).await?;
        Ok(rows.0.into_iter().map(|wire| AppSalon { id: SalonId(wire.id), title: wire.title, active: wire.active }).collect())
    }

    /// Tells the marketplace of a payment: `POST …/partner/payment` (partner token). It is not
    /// idempotent and may unfreeze the salon.
    ///
    /// # Errors
    /// Where [`Error::outcome_unknown`], the payments of [`YClients::install_state`] settle it.
    pub async fn payment(&self, salon: SalonId, payment: &PaymentReceipt) -> Result<i64, Error> {
        let at = |time: DateTime| time.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let body = json!({
            "salon_id": salon,
            "application_id": self.application(),
            "payment_sum": payment.sum,
            "currency_iso": payment.currency,
            "payment_date": at(payment.paid_at),
            "period_from": at(payment.from),
            "period_to": at(payment.to),
        });
        self.ask::<IdWire>(Call::marketplace("payment", Method::POST, "partner/payment").body(body)).await.map(|wire| wire.id)
    }

    /// Tells the marketplace that a payment was given back: `POST …/payment/refund/{id}` (partner token).
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn refund(&self, payment_id: i64) -> Result<(), Error> {
        self.send(Call::marketplace("refund", Method::POST, format!("partner/payment/refund/{payment_id}"))).await.map(drop)
    }

    /// Where the salon can pay: `GET …/application/payment_link` (partner token); `discount` in per cent.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it has not the application.
    pub async fn payment_link(&self, salon: SalonId, discount: Option<f64>) -> Result<Url, Error> {
        let call = Call::marketplace("payment_link", Method::GET, "application/payment_link")
            .with("salon_id", salon)
            .with("application_id", self.application())
            .maybe("discount", discount);
        self.ask::<LinkWire>(call).await.map(|wire| wire.url)
    }

    /// The application's tariffs: `GET …/application/{app}/tariffs` (partner token).
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn tariffs(&self) -> Result<Vec<Tariff>, Error> {
        let answer = self.send(Call::marketplace("tariffs", Method::GET, format!("application/{}/tariffs", self.application()))).await?;
        decode::<Rows<Tariff>>("tariffs", Effect::Reads, answer.data).map(|rows| rows.0)
    }

    /// Gives salons a discount in per cent: `POST …/application/add_discount` (partner token).
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn add_discount(&self, salons: &[SalonId], discount: f64) -> Result<(), Error> {
        let body = json!({"salon_ids": salons, "application_id": self.application(), "discount": discount});
        self.send(Call::marketplace("add_discount", Method::POST, "application/add_discount").body(body)).await.map(drop)
    }

    /// Turns a channel of a salon on or off: `POST …/application/update_channel` (partner token).
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn update_channel(&self, salon: SalonId, channel: Channel, available: bool) -> Result<(), Error> {
        let body = json!({
            "salon_id": salon, "application_id": self.application(), "channel_slug": channel.slug(), "is_available": available,
        });
        self.send(Call::marketplace("update_channel", Method::POST, "application/update_channel").body(body)).await.map(drop)
    }

    /// Sets a salon's sender names for SMS: `POST …/partner/short_names` (partner token).
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn short_names(&self, salon: SalonId, names: &[String]) -> Result<(), Error> {
        let body = json!({"salon_id": salon, "application_id": self.application(), "short_names": names});
        self.send(Call::marketplace("short_names", Method::POST, "partner/short_names").body(body)).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_of_the_reference() {
        let wire: InstallationWire = serde_json::from_value(json!({
            "logs": [
                {"changed_at": "2022-06-27 12:20:02", "status_from": "uninstalled", "status_to": "pending", "source": "marketplace"},
                {"changed_at": "2022-06-27 12:21:02", "status_from": "pending", "status_to": "active", "source": "partner_api"}],
            "payments": [{"id": 1233, "payment_sum": 1523.12, "currency_iso": "RUB", "payment_date": "2022-06-27 12:20:02",
                "is_refunded": false, "period_from": "2022-06-27 00:00:00", "period_to": "2022-07-27 00:00:00"}],
            "connection_status": {"status": "freezed", "created_at": "2022-06-27 12:20:02"}}))
        .expect("the sample");
        let installation = Installation::from(wire);
        assert_eq!(installation.status, InstallStatus::Frozen);
        assert_eq!(installation.log[1].to, InstallStatus::Active);
        assert_eq!((installation.payments[0].sum, installation.payments[0].refunded), (1523.12, false));

        let empty: InstallationWire =
            serde_json::from_value(json!({"logs": [], "payments": {}, "connection_status": []})).expect("PHP's nothing");
        assert_eq!(Installation::from(empty).status, InstallStatus::Uninstalled);
    }
}
