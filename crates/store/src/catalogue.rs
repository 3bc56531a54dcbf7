//! A salon's services, staff and working days, as last synced.

use std::collections::HashMap;

use domain::{CompanyId, Hours, Money, PriceRange, Salon, Service, ServiceId, ServiceStaff, Staff, StaffId, WorkDay};
use jiff::civil::{Date, Time};

use crate::{
    Result, StoreError, Tx, companies, machine_now,
    sql::{corrupt, json, text, to_json},
};

/// The catalogue's version, see [`load`]. It grows with every change of it, on whichever node.
///
/// # Errors
/// [`StoreError::NotFound`] for an unknown company.
pub async fn version(tx: &mut Tx, company: CompanyId) -> Result<i64> {
    let version = row!(tx, (i64,), "SELECT catalogue_version FROM companies WHERE id = $1", company.0)?;
    version.map(|(version,)| version).ok_or(StoreError::NotFound("company"))
}

async fn changed(tx: &mut Tx, company: CompanyId) -> Result<()> {
    execute!(tx, "UPDATE companies SET catalogue_version = catalogue_version + 1 WHERE id = $1", company.0)?;
    Ok(())
}

/// Replaces the price list. Services that are gone are kept as inactive, since bookings name them.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn replace_services(tx: &mut Tx, company: CompanyId, services: &[Service]) -> Result<()> {
    let now = machine_now().as_millisecond();
    execute!(tx, "UPDATE services SET active = FALSE WHERE company_id = $1", company.0)?;
    execute!(tx, "DELETE FROM service_staff WHERE company_id = $1", company.0)?;
    for (position, service) in (0_i64..).zip(services) {
        execute!(
            tx,
            "INSERT INTO services (company_id, yclients_id, position, title, category, price_min, price_max, duration, description, \
               composite_of, active, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, TRUE, $11) \
             ON CONFLICT (company_id, yclients_id) DO UPDATE SET position = excluded.position, title = excluded.title, \
               category = excluded.category, price_min = excluded.price_min, price_max = excluded.price_max, \
               duration = excluded.duration, description = excluded.description, composite_of = excluded.composite_of, \
               active = TRUE, updated_at = excluded.updated_at",
            company.0,
            service.id.0,
            position,
            text(&service.title),
            text(&service.category),
            service.price.min.0,
            service.price.max.0,
            service.minutes,
            text(&service.description),
            to_json(&service.composite_of)?,
            now
        )?;
        for who in &service.staff {
            execute!(
                tx,
                "INSERT INTO service_staff (company_id, service_id, staff_id, duration) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (company_id, service_id, staff_id) DO UPDATE SET duration = excluded.duration",
                company.0,
                service.id.0,
                who.staff_id.0,
                who.minutes
            )?;
        }
    }
    changed(tx, company).await
}

/// Replaces the staff. Those who are gone are kept as inactive, since bookings name them.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn replace_staff(tx: &mut Tx, company: CompanyId, staff: &[Staff]) -> Result<()> {
    let now = machine_now().as_millisecond();
    execute!(tx, "UPDATE staff SET active = FALSE WHERE company_id = $1", company.0)?;
    for (position, who) in (0_i64..).zip(staff) {
        execute!(
            tx,
            "INSERT INTO staff (company_id, yclients_id, position, name, specialization, rating, active, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, TRUE, $7) \
             ON CONFLICT (company_id, yclients_id) DO UPDATE SET position = excluded.position, name = excluded.name, \
               specialization = excluded.specialization, rating = excluded.rating, active = TRUE, updated_at = excluded.updated_at",
            company.0,
            who.id.0,
            position,
            text(&who.name),
            text(&who.specialization),
            who.rating,
            now
        )?;
    }
    changed(tx, company).await
}

/// Replaces the working days of `from..=to` (salon dates); days outside of it in `days` are not written.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn replace_schedule(tx: &mut Tx, company: CompanyId, from: Date, to: Date, days: &[WorkDay]) -> Result<()> {
    execute!(tx, "DELETE FROM schedules WHERE company_id = $1 AND date >= $2 AND date <= $3", company.0, from.to_string(), to.to_string())?;
    let off = [Hours { from: Time::midnight(), to: Time::midnight() }];
    for day in days.iter().filter(|day| (from..=to).contains(&day.date)) {
        let hours = if day.hours.is_empty() { &off[..] } else { &day.hours };
        for hours in hours {
            execute!(
                tx,
                "INSERT INTO schedules (company_id, staff_id, date, time_start, time_end, available) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (company_id, date, staff_id, time_start) \
                 DO UPDATE SET time_end = excluded.time_end, available = excluded.available",
                company.0,
                day.staff_id.0,
                day.date.to_string(),
                hours.from.to_string(),
                hours.to.to_string(),
                !day.hours.is_empty()
            )?;
        }
    }
    changed(tx, company).await
}

/// Forgets working days before that salon date.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn prune_schedule(tx: &mut Tx, company: CompanyId, before: Date) -> Result<u64> {
    execute!(tx, "DELETE FROM schedules WHERE company_id = $1 AND date < $2", company.0, before.to_string())
}

struct ServiceRow(Service);

from_row!(ServiceRow, |row| Ok(Self(Service {
    id: ServiceId(row.try_get("yclients_id")?),
    title: row.try_get("title")?,
    category: row.try_get("category")?,
    price: PriceRange { min: Money(row.try_get("price_min")?), max: Money(row.try_get("price_max")?) },
    minutes: row.try_get("duration")?,
    description: row.try_get("description")?,
    staff: Vec::new(),
    composite_of: json("services.composite_of", row.try_get("composite_of")?)?,
})));

struct StaffRow(Staff);

from_row!(StaffRow, |row| Ok(Self(Staff {
    id: StaffId(row.try_get("yclients_id")?),
    name: row.try_get("name")?,
    specialization: row.try_get("specialization")?,
    rating: row.try_get("rating")?,
})));

struct Interval {
    staff_id: StaffId,
    date: Date,
    hours: Option<Hours>,
}

from_row!(Interval, |row| {
    let time = |time: &str| time.parse::<Time>().map_err(|_| corrupt("schedules.time"));
    let hours = Hours { from: time(row.try_get("time_start")?)?, to: time(row.try_get("time_end")?)? };
    Ok(Self {
        staff_id: StaffId(row.try_get("staff_id")?),
        date: row.try_get::<&str, _>("date")?.parse().map_err(|_| corrupt("schedules.date"))?,
        hours: row.try_get::<bool, _>("available")?.then_some(hours),
    })
});

/// The salon with what is active of its catalogue and its working days from `from` on (a salon
/// date), in the order the booking system lists them.
///
/// # Errors
/// [`StoreError::NotFound`] for an unknown company.
pub async fn load(tx: &mut Tx, company: CompanyId, from: Date) -> Result<Salon> {
    let known = companies::get(tx, company).await?.ok_or(StoreError::NotFound("company"))?;
    let services = rows!(
        tx,
        ServiceRow,
        "SELECT yclients_id, title, category, price_min, price_max, duration, description, composite_of \
         FROM services WHERE company_id = $1 AND active ORDER BY position",
        company.0
    )?;
    let who_does = rows!(
        tx,
        (i64, i64, i64),
        "SELECT service_id, staff_id, duration FROM service_staff WHERE company_id = $1 ORDER BY service_id, staff_id",
        company.0
    )?;
    let staff = rows!(
        tx,
        StaffRow,
        "SELECT yclients_id, name, specialization, rating FROM staff WHERE company_id = $1 AND active ORDER BY position",
        company.0
    )?;
    let intervals = rows!(
        tx,
        Interval,
        "SELECT staff_id, date, time_start, time_end, available FROM schedules WHERE company_id = $1 AND date >= $2 \
         ORDER BY date, staff_id, time_start",
        company.0,
        from.to_string()
    )?;
    let mut by_service: HashMap<i64, Vec<ServiceStaff>> = HashMap::new();
    for (service, staff_id, minutes) in who_does {
        by_service.entry(service).or_default().push(ServiceStaff { staff_id: StaffId(staff_id), minutes });
    }
    let services = services.into_iter().map(|ServiceRow(mut service)| {
        service.staff = by_service.remove(&service.id.0).unwrap_or_default();
        service
    });
    let mut schedule: Vec<WorkDay> = Vec::new();
    for interval in intervals {
        match schedule.last_mut() {
            Some(day) if day.staff_id == interval.staff_id && day.date == interval.date => day.hours.extend(interval.hours),
            _ => schedule.push(WorkDay { staff_id: interval.staff_id, date: interval.date, hours: interval.hours.into_iter().collect() }),
        }
    }
    Ok(Salon {
        company_id: company,
        salon_id: known.salon_id,
        title: known.title,
        city: known.city,
        address: known.address,
        phone: known.phone,
        timezone: known.timezone,
        currency: known.currency,
        services: services.collect(),
        staff: staff.into_iter().map(|StaffRow(staff)| staff).collect(),
        schedule,
    })
}
