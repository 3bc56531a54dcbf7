//! Linking a salon's WhatsApp, as the page, its sockets and its polling share it.

use std::time::Duration;

use domain::{CompanyId, LinkState, Phone, SalonId};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout_at};
use utoipa::ToSchema;
use whatsapp::{PairingError, StartError};

use crate::{Fault, Web, texts};

/// How long a caller waits for a QR code (contract).
const QR_PATIENCE: Duration = Duration::from_secs(10);
/// What a pairing code is told to last, in seconds (contract), though WhatsApp may take it a little longer.
const PAIRING_LASTS: u64 = 60;
/// The state is looked at so often besides the events, which another node's session does not send.
const LOOK: Duration = Duration::from_millis(250);

/// How a link stands, on the wire.
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    /// `connected`, `connecting`, `disconnected`, `logged_out`, `replaced`, `passkey_required`, `restricted`, `banned`, `outdated`.
    status: &'static str,
    /// What happened and what to do, for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Messages can be sent and received.
    connected: bool,
    /// When a ban ends, where WhatsApp says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    until: Option<Timestamp>,
}

impl Status {
    pub(crate) fn of(state: &LinkState) -> Self {
        let until = if let LinkState::Banned { until } = state { *until } else { None };
        let reason = state.reason().or((*state == LinkState::Connecting).then_some(texts::CONNECTING));
        Self { status: state.as_str(), reason, connected: state.is_connected(), until }
    }
}

/// The name of a salon's session on the wire.
pub(crate) fn session_id(salon: SalonId) -> String {
    format!("company_{salon}")
}

/// Starts the salon's session, or leaves it running.
pub(crate) async fn begin(web: &Web, company: CompanyId) -> Result<(), Fault> {
    web.app.whatsapp.start(company).await.map_err(not_started)
}

/// Asks for a fresh run of QR codes; they come as events.
pub(crate) async fn renew(web: &Web, company: CompanyId) -> Result<(), Fault> {
    let state = web.app.whatsapp.state(company);
    if state.is_connected() {
        return Err(Fault::AlreadyConnected);
    }
    web.app.whatsapp.fresh_qr(company).await.map_err(not_started)
}

/// The QR code of now and how long it lasts, waited for.
pub(crate) async fn qr(web: &Web, company: CompanyId) -> Result<(String, Duration), Fault> {
    let pool = &web.app.whatsapp;
    let until = Instant::now() + QR_PATIENCE;
    let mut news = pool.subscribe();
    if pool.state(company).is_connected() {
        return Err(Fault::AlreadyConnected);
    }
    pool.fresh_qr(company).await.map_err(not_started)?;
    loop {
        if let Some((code, remaining)) = pool.last_qr(company).filter(|(_, remaining)| !remaining.is_zero()) {
            return Ok((code, remaining));
        }
        match pool.state(company) {
            state if state.is_connected() => return Err(Fault::AlreadyConnected),
            LinkState::Connecting | LinkState::Disconnected | LinkState::LoggedOut => {}
            state => return Err(texts::no_link(&state).map_or(Fault::NoCode, Fault::LinkRefused)),
        }
        if Instant::now() >= until {
            return Err(Fault::NoCode);
        }
        let soon = until.min(Instant::now() + LOOK);
        if let Ok(Err(_)) = timeout_at(soon, news.recv()).await {
            sleep(LOOK).await; // lagged: look again
        }
    }
}

/// A pairing code for the phone that has it.
pub(crate) struct Paired {
    /// `XXXX-XXXX`.
    pub(crate) code: String,
    /// The number it is for, digits.
    pub(crate) phone: String,
    /// Seconds it lasts.
    pub(crate) expires_in: u64,
}

/// A pairing code for a number in any usual writing.
pub(crate) async fn pairing_code(web: &Web, company: CompanyId, number: &str) -> Result<Paired, Fault> {
    let phone = Phone::parse(number).map_err(|_| Fault::InvalidPhone)?;
    let pool = &web.app.whatsapp;
    if pool.state(company).is_connected() {
        return Err(Fault::AlreadyConnected);
    }
    let given = match pool.last_pairing_code(company, &phone) {
        Some(given) => given,
        // Only what WhatsApp is asked for counts.
        None if !web.pairings.take(company) => return Err(Fault::TooMany),
        None => {
            begin(web, company).await?;
            pool.pairing_code(company, &phone).await.map_err(refused)?
        }
    };
    Ok(Paired { code: grouped(&given.code), phone: phone.digits().to_owned(), expires_in: given.expires_in.as_secs().min(PAIRING_LASTS) })
}

fn not_started(error: StartError) -> Fault {
    match error {
        StartError::AlreadyLinked => Fault::AlreadyConnected,
        StartError::OwnedElsewhere | StartError::ShuttingDown => Fault::NoCode,
        StartError::Store(error) => error.into(),
        error => Fault::internal(error),
    }
}

fn refused(error: PairingError) -> Fault {
    tracing::warn!(%error, "no pairing code");
    match error {
        PairingError::Start(error) => not_started(error),
        PairingError::Throttled { .. } => Fault::TooMany,
        PairingError::NotAvailable => Fault::LinkRefused(texts::NO_PAIRING),
        _ => Fault::NoCode,
    }
}

/// `XXXX-XXXX` as the phone asks for it.
fn grouped(code: &str) -> String {
    let plain: Vec<char> = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let groups: Vec<String> = plain.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_grouped_once() {
        assert_eq!(grouped("ABCD1234"), "ABCD-1234");
        assert_eq!(grouped("ABCD-1234"), "ABCD-1234");
    }
}
