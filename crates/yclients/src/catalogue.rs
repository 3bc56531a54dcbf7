use domain::{SalonId, Service, Staff, WorkDay};
use jiff::civil::Date;
use reqwest::Method;

use crate::{
    Error, YClients,
    booking::unreadable,
    transport::Call,
    wire::{Rows, ServiceWire, StaffWire, WorkDayWire},
};

/// A member of staff and what the catalogue shows of them.
#[derive(Debug, Clone, PartialEq)]
pub struct StaffCard {
    /// Who.
    pub staff: Staff,
    /// A picture.
    pub avatar_url: Option<String>,
    /// Employed, visible and open for booking.
    pub takes_bookings: bool,
}

impl YClients {
    /// Services with masters and their own lengths: `GET company/{id}/services` (user token).
    /// Categories and parts of composites are told by [`YClients::book_services`] alone.
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn services(&self, salon: SalonId) -> Result<Vec<Service>, Error> {
        let rows: Rows<ServiceWire> = self.ask(Call::user("services", Method::GET, format!("company/{salon}/services"))).await?;
        Ok(rows.0.into_iter().filter(ServiceWire::is_active).map(|wire| wire.into_service(&[], None)).collect())
    }

    /// Everybody, the dismissed among them, marked: `GET company/{id}/staff` (user token).
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn staff(&self, salon: SalonId) -> Result<Vec<StaffCard>, Error> {
        let rows: Rows<StaffWire> = self.ask(Call::user("staff", Method::GET, format!("company/{salon}/staff"))).await?;
        Ok(rows.0.into_iter().map(StaffCard::from).collect())
    }

    /// Working hours from `from` to `to`, both included: `GET company/{id}/staff/schedule` (user
    /// token). One call for the whole salon.
    ///
    /// # Errors
    /// Any [`Error`]; nothing is written.
    pub async fn schedule(&self, salon: SalonId, from: Date, to: Date) -> Result<Vec<WorkDay>, Error> {
        let call =
            Call::user("schedule", Method::GET, format!("company/{salon}/staff/schedule")).with("start_date", from).with("end_date", to);
        let rows: Rows<WorkDayWire> = self.ask(call).await?;
        rows.0.into_iter().map(|wire| wire.into_work_day().ok_or_else(|| unreadable("schedule", "date"))).collect()
    }
}
