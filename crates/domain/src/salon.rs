use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};

use crate::{CompanyId, Phone, PriceRange, SalonId, ServiceId, StaffId};

/// A salon with its catalogue: what understanding and dialogue know of it. A snapshot; free times
/// and bookings are always asked of the booking system.
#[derive(Debug, Clone)]
pub struct Salon {
    /// Our tenant.
    pub company_id: CompanyId,
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
    /// The zone of all its naive times.
    pub timezone: TimeZone,
    /// Sign behind prices: `₽`.
    pub currency: String,
    /// What can be booked.
    pub services: Vec<Service>,
    /// Who works there.
    pub staff: Vec<Staff>,
    /// Known working days, unordered; a day without a row is a day off.
    pub schedule: Vec<WorkDay>,
}

/// A service on the price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Unique within the salon.
    pub id: ServiceId,
    /// As on the price list.
    pub title: String,
    /// The category's title, may be empty.
    pub category: String,
    /// Price from–to.
    pub price: PriceRange,
    /// Minutes, where a master has no length of their own.
    pub minutes: i64,
    /// What it includes, may be empty.
    pub description: String,
    /// Who does it, and how long it takes them.
    pub staff: Vec<ServiceStaff>,
    /// The parts of a composite service, in order; empty for a plain one. YClients books the parts
    /// (reference: composite ids are refused by `book_record`).
    pub composite_of: Vec<ServiceId>,
}

/// A master who does a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceStaff {
    /// Who.
    pub staff_id: StaffId,
    /// Minutes it takes this master.
    pub minutes: i64,
}

/// A member of staff who takes bookings.
#[derive(Debug, Clone, PartialEq)]
pub struct Staff {
    /// Unique within the salon.
    pub id: StaffId,
    /// As the salon calls them.
    pub name: String,
    /// What they do, may be empty.
    pub specialization: String,
    /// Out of 5, where rated.
    pub rating: Option<f64>,
}

/// Working hours, `from` before `to`, salon time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours {
    /// Start of work.
    pub from: Time,
    /// End of work.
    pub to: Time,
}

/// One master's working day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkDay {
    /// Who works.
    pub staff_id: StaffId,
    /// When.
    pub date: Date,
    /// Working intervals in order, breaks left out; empty on a day off.
    pub hours: Vec<Hours>,
}

impl Salon {
    /// The service of that id.
    pub fn service(&self, id: ServiceId) -> Option<&Service> {
        self.services.iter().find(|s| s.id == id)
    }

    /// The member of staff of that id.
    pub fn staff(&self, id: StaffId) -> Option<&Staff> {
        self.staff.iter().find(|s| s.id == id)
    }

    /// From the first master's start to the last one's end on that day; `None` when nobody works.
    pub fn opening_hours(&self, date: Date) -> Option<Hours> {
        let hours = self.schedule.iter().filter(|day| day.date == date).flat_map(|day| &day.hours);
        hours.copied().reduce(|a, b| Hours { from: a.from.min(b.from), to: a.to.max(b.to) })
    }

    /// One master's working hours on that day, breaks left out.
    pub fn hours_of(&self, staff_id: StaffId, date: Date) -> &[Hours] {
        self.schedule.iter().find(|day| day.staff_id == staff_id && day.date == date).map_or(&[], |day| &day.hours)
    }

    /// Masters who do every one of these services.
    pub fn staff_for(&self, services: &[ServiceId]) -> Vec<StaffId> {
        let does = |staff_id: StaffId| services.iter().all(|id| self.service(*id).is_some_and(|s| s.done_by(staff_id)));
        self.staff.iter().map(|s| s.id).filter(|id| does(*id)).collect()
    }

    /// Minutes these services take one after the other with that master; with nobody named, the
    /// longest that any master who does them all needs.
    pub fn minutes(&self, services: &[ServiceId], staff_id: Option<StaffId>) -> i64 {
        let with = |staff_id: Option<StaffId>| services.iter().filter_map(|id| self.service(*id)).map(|s| s.minutes_with(staff_id)).sum();
        match staff_id {
            Some(_) => with(staff_id),
            None => self.staff_for(services).into_iter().map(|id| with(Some(id))).max().unwrap_or_else(|| with(None)),
        }
    }

    /// Price of the services together.
    pub fn price(&self, services: &[ServiceId]) -> PriceRange {
        services.iter().filter_map(|id| self.service(*id)).map(|s| s.price).fold(PriceRange::default(), PriceRange::plus)
    }

    /// The services that YClients is to be told: composites replaced by their parts.
    pub fn parts(&self, services: &[ServiceId]) -> Vec<ServiceId> {
        let parts = |id: &ServiceId| match self.service(*id) {
            Some(service) if !service.composite_of.is_empty() => service.composite_of.clone(),
            _ => vec![*id],
        };
        services.iter().flat_map(parts).collect()
    }
}

impl Service {
    /// That master does it.
    pub fn done_by(&self, staff_id: StaffId) -> bool {
        self.staff.iter().any(|s| s.staff_id == staff_id)
    }

    /// Minutes it takes that master, or its usual length.
    pub fn minutes_with(&self, staff_id: Option<StaffId>) -> i64 {
        self.staff.iter().find(|s| Some(s.staff_id) == staff_id).map_or(self.minutes, |s| s.minutes)
    }
}
