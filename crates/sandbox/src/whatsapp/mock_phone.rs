//! The interface of the test server that whatsapp-rust's and Baileys' own suites are run against: whoever shows a QR code is linked
//! to the account of the name it gives, the same name being the same phone.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::world::{Role, World};
use super::{Emulator, LinkError};

/// Numbers of such phones begin here, where nobody lives.
const FIRST_NUMBER: u64 = 559_980_000_001;
/// Names that begin so, or with flags of which it is one (`scenario:restricted,…:name`), are of those
/// to whom strangers may not write.
const RESTRICTED: &str = "restricted";

/// `POST /admin/mock-phone/scan-qr` with the QR code's text as the body.
pub(super) async fn scan_qr(State(emulator): State<Arc<Emulator>>, qr: String) -> Response {
    let phone = emulator.world.lock().phone_for(&qr);
    let linked = match phone {
        Ok(phone) => emulator.scan_qr(&phone, &qr).await,
        Err(error) => Err(error),
    };
    match linked {
        Ok(()) => "linked".into_response(),
        Err(error) => (StatusCode::CONFLICT, error.to_string()).into_response(),
    }
}

impl World {
    /// The phone of whoever shows this code: that of its name, a new one if the name is.
    fn phone_for(&mut self, qr: &str) -> Result<String, LinkError> {
        let reference = super::linking::fields(qr).next().unwrap_or_default();
        let connection = self.qr_refs.get(reference).ok_or(LinkError::Expired)?.connection;
        let Some(Role::Pairing(pairing)) = self.connections.get(&connection).map(|connection| &connection.role) else {
            return Err(LinkError::Expired);
        };
        let name = pairing.push_name.clone();
        if let Some(phone) = self.named.get(&name) {
            return Ok(phone.clone());
        }
        let free = |phone: &String| !self.accounts.contains_key(phone);
        let phone = (FIRST_NUMBER..).map(|number| number.to_string()).find(free).unwrap_or_default();
        let account = self.account(&phone).map_err(|error| LinkError::Phone(error.to_string()))?;
        account.refuses_strangers = flags(&name).any(|flag| flag == RESTRICTED);
        account.silent = true;
        account.name = if name.is_empty() { format!("Phone {phone}") } else { name.clone() };
        if !name.is_empty() {
            self.named.insert(name, phone.clone());
        }
        Ok(phone)
    }
}

/// What stands before a name: `restricted:anna`, `scenario:restricted,cs_enabled=0:anna`.
fn flags(name: &str) -> impl Iterator<Item = &str> {
    let mut parts = name.split(':');
    let first = parts.next().filter(|_| name.contains(':'));
    let list = if first == Some("scenario") { parts.next() } else { first };
    list.into_iter().flat_map(|list| list.split(','))
}
