//! The salon's client cards, as last synced.

use domain::{Client, ClientId, CompanyId, Phone};

use crate::{
    Result, Tx, machine_now,
    sql::{phone_opt, text},
};

struct Card(Client);

from_row!(Card, |row| Ok(Self(Client {
    id: ClientId(row.try_get("yclients_id")?),
    name: row.try_get("name")?,
    phone: phone_opt("clients.phone", row.try_get("phone")?)?,
    visits: row.try_get("visit_count")?,
})));

/// Writes cards down, over former readings.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn upsert(tx: &mut Tx, company: CompanyId, clients: &[Client]) -> Result<()> {
    let now = machine_now().as_millisecond();
    for client in clients {
        execute!(
            tx,
            "INSERT INTO clients (company_id, yclients_id, name, phone, visit_count, updated_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (company_id, yclients_id) DO UPDATE SET name = excluded.name, phone = excluded.phone, \
               visit_count = excluded.visit_count, updated_at = excluded.updated_at",
            company.0,
            client.id.0,
            text(&client.name),
            client.phone.as_ref().map(Phone::digits),
            client.visits,
            now
        )?;
    }
    Ok(())
}

/// The card with that number; of several the one with most visits.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn by_phone(tx: &mut Tx, company: CompanyId, phone: &Phone) -> Result<Option<Client>> {
    let card = row!(
        tx,
        Card,
        "SELECT yclients_id, name, phone, visit_count FROM clients WHERE company_id = $1 AND phone = $2 \
         ORDER BY visit_count DESC, yclients_id LIMIT 1",
        company.0,
        phone.digits()
    )?;
    Ok(card.map(|Card(client)| client))
}

/// The card of that id.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn get(tx: &mut Tx, company: CompanyId, id: ClientId) -> Result<Option<Client>> {
    let card = row!(
        tx,
        Card,
        "SELECT yclients_id, name, phone, visit_count FROM clients WHERE company_id = $1 AND yclients_id = $2",
        company.0,
        id.0
    )?;
    Ok(card.map(|Card(client)| client))
}

/// How many cards there are.
///
/// # Errors
/// [`StoreError::Database`](crate::StoreError::Database).
pub async fn count(tx: &mut Tx, company: CompanyId) -> Result<i64> {
    let count = row!(tx, (i64,), "SELECT count(*) FROM clients WHERE company_id = $1", company.0)?;
    Ok(count.map_or(0, |(count,)| count))
}
