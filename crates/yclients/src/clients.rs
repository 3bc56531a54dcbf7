use domain::{Booking, Client, Phone, ReadBack, SalonId};
use jiff::civil::Date;
use reqwest::Method;
use serde_json::json;

use crate::{
    Error, RecordFilter, YClients,
    transport::{Call, Effect, decode},
    wire::{ClientWire, Rows},
};

/// A client's card with what the list shows besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCard {
    /// Who.
    pub client: Client,
    /// May be empty.
    pub email: String,
    /// The day of the last visit, salon time.
    pub last_visit: Option<Date>,
}

/// A page of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPage {
    /// Its rows.
    pub clients: Vec<ClientCard>,
    /// How many there are on all pages, where YClients says.
    pub total: Option<usize>,
}

impl YClients {
    /// The largest page of clients YClients gives.
    pub const CLIENTS_PAGE: usize = 200;

    /// A page (from 1) of at most [`YClients::CLIENTS_PAGE`] clients in the order of their ids:
    /// `POST company/{id}/clients/search` (user token). It changes nothing.
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn clients(&self, salon: SalonId, page: usize) -> Result<ClientPage, Error> {
        self.clients_search(salon, page, Self::CLIENTS_PAGE, &json!([])).await
    }

    /// The cards with exactly this phone: `POST company/{id}/clients/search` by `quick_search`
    /// (user token), which is fuzzy, so its finds are compared digit by digit.
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn search_clients(&self, salon: SalonId, phone: &Phone) -> Result<Vec<ClientCard>, Error> {
        let filters = json!([{"type": "quick_search", "state": {"value": phone.digits()}}]);
        let found = self.clients_search(salon, 1, 25, &filters).await?;
        Ok(found.clients.into_iter().filter(|card| card.client.phone.as_ref() == Some(phone)).collect())
    }

    /// Standing bookings from that day on of everybody with this phone, by time (user token).
    ///
    /// # Errors
    /// Any [`Error`]; an empty list means that there are none.
    pub async fn bookings_of(&self, salon: SalonId, phone: &Phone, from: Date) -> Result<Vec<ReadBack<Booking>>, Error> {
        let mut bookings = Vec::new();
        for card in self.search_clients(salon, phone).await? {
            let filter = RecordFilter { client_id: Some(card.client.id), from: Some(from), ..RecordFilter::default() };
            bookings.extend(self.all_records(salon, filter).await?.into_iter().map(|record| record.booking));
        }
        bookings.retain(|booking| !booking.get().deleted && booking.get().start.date() >= from);
        bookings.sort_by_key(|booking| (booking.get().start, booking.get().record_id));
        bookings.dedup_by_key(|booking| booking.get().record_id);
        Ok(bookings)
    }

    async fn clients_search(&self, salon: SalonId, page: usize, size: usize, filters: &serde_json::Value) -> Result<ClientPage, Error> {
        let body = json!({
            "page": page,
            "page_size": size,
            // Without them only ids come.
            "fields": ["id", "name", "phone", "email", "visits_count", "last_visit_date"],
            "order_by": "id",
            "order_by_direction": "asc",
            "operation": "AND",
            "filters": filters,
        });
        let call = Call::user("clients_search", Method::POST, format!("company/{salon}/clients/search")).without_effect().body(body);
        let answer = self.send(call).await?;
        let total = answer.total();
        let rows: Rows<ClientWire> = decode("clients_search", Effect::Reads, answer.data)?;
        Ok(ClientPage { clients: rows.0.into_iter().map(ClientCard::from).collect(), total })
    }
}
