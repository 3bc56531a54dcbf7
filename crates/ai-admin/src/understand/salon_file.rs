//! A salon as a file, the format of the sandbox (`cargo sandbox --salon FILE`).

use domain::{CompanyId, Hours, Money, Phone, PriceRange, Salon, SalonId, Service, ServiceId, ServiceStaff, Staff, StaffId, WorkDay};
use jiff::{
    Span,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
struct File {
    id: i64,
    title: String,
    #[serde(default)]
    city: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    phone: String,
    timezone_name: String,
    #[serde(default = "rouble")]
    currency: String,
    services: Vec<ServiceRow>,
    staff: Vec<StaffRow>,
    #[serde(default)]
    schedule: Vec<ScheduleRow>,
}

#[derive(Deserialize)]
struct ServiceRow {
    id: i64,
    title: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    price_min: f64,
    #[serde(default)]
    price_max: f64,
    minutes: i64,
    #[serde(default)]
    description: String,
    #[serde(default)]
    staff: Vec<i64>,
    #[serde(default)]
    minutes_by_staff: HashMap<String, i64>,
    #[serde(default)]
    composite_of: Vec<i64>,
}

#[derive(Deserialize)]
struct StaffRow {
    id: i64,
    name: String,
    #[serde(default)]
    specialization: String,
    rating: Option<f64>,
}

/// Either weekdays or a date, which overrides them.
#[derive(Deserialize)]
struct ScheduleRow {
    staff: i64,
    #[serde(default)]
    weekdays: Vec<i8>,
    date: Option<Date>,
    from: Option<Time>,
    to: Option<Time>,
    #[serde(default)]
    off: bool,
    #[serde(default)]
    breaks: Vec<(Time, Time)>,
}

fn rouble() -> String {
    "₽".to_owned()
}

/// Weekly rows are laid out over these years; a message about another one is read without opening hours.
const LAID_OUT: std::ops::Range<i16> = 2025..2029;

/// Reads a salon file.
///
/// # Errors
/// When it is no JSON, misses a field, or names an unknown zone.
pub(super) fn parse(text: &str) -> anyhow::Result<Salon> {
    let file: File = serde_json::from_str(text)?;
    let service = |row: &ServiceRow| Service {
        id: ServiceId(row.id),
        title: row.title.clone(),
        category: row.category.clone(),
        price: PriceRange::new(Money(row.price_min.round() as i64), Money(row.price_max.round() as i64)),
        minutes: row.minutes,
        description: row.description.clone(),
        staff: row
            .staff
            .iter()
            .map(|id| ServiceStaff {
                staff_id: StaffId(*id),
                minutes: row.minutes_by_staff.get(&id.to_string()).copied().unwrap_or(row.minutes),
            })
            .collect(),
        composite_of: row.composite_of.iter().copied().map(ServiceId).collect(),
    };
    let staff = |row: &StaffRow| Staff {
        id: StaffId(row.id),
        name: row.name.clone(),
        specialization: row.specialization.clone(),
        rating: row.rating,
    };
    Ok(Salon {
        company_id: CompanyId(0),
        salon_id: SalonId(file.id),
        title: file.title,
        city: file.city,
        address: file.address,
        phone: Phone::parse(&file.phone).ok(),
        timezone: TimeZone::get(&file.timezone_name)?,
        currency: file.currency,
        services: file.services.iter().map(service).collect(),
        staff: file.staff.iter().map(staff).collect(),
        schedule: work_days(&file.schedule),
    })
}

fn work_days(rows: &[ScheduleRow]) -> Vec<WorkDay> {
    let mut staff: Vec<i64> = rows.iter().map(|row| row.staff).collect();
    staff.sort_unstable();
    staff.dedup();
    let first = Date::new(LAID_OUT.start, 1, 1).unwrap_or(Date::MIN);
    let days: Vec<Date> = first.series(Span::new().days(1)).take_while(|day| LAID_OUT.contains(&day.year())).collect();
    let of_day = |staff_id: i64, day: Date| {
        let mine = || rows.iter().filter(move |row| row.staff == staff_id);
        let weekday = day.weekday().to_monday_one_offset();
        mine().find(|row| row.date == Some(day)).or_else(|| mine().find(|row| row.date.is_none() && row.weekdays.contains(&weekday)))
    };
    let day_of = |staff_id: i64, date: Date| {
        let row = of_day(staff_id, date)?;
        Some(WorkDay { staff_id: StaffId(staff_id), date, hours: hours(row) })
    };
    staff.iter().flat_map(|id| days.iter().filter_map(move |day| day_of(*id, *day))).collect()
}

/// Working intervals, breaks taken out.
fn hours(row: &ScheduleRow) -> Vec<Hours> {
    let (Some(mut from), Some(to), false) = (row.from, row.to, row.off) else { return Vec::new() };
    let mut hours = Vec::new();
    let mut breaks = row.breaks.clone();
    breaks.sort();
    for (start, end) in breaks {
        hours.push(Hours { from, to: start });
        from = end;
    }
    hours.push(Hours { from, to });
    hours.retain(|hours| hours.from < hours.to);
    hours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_overrides_its_weekday_and_breaks_are_taken_out() {
        let text = r#"{"id": 1, "title": "Салон", "timezone_name": "Europe/Moscow",
            "services": [{"id": 5, "title": "Стрижка", "minutes": 60, "staff": [1, 2], "minutes_by_staff": {"2": 90}}],
            "staff": [{"id": 1, "name": "Анна"}, {"id": 2, "name": "Вера"}],
            "schedule": [{"staff": 1, "weekdays": [1], "from": "10:00", "to": "20:00", "breaks": [["14:00", "15:00"]]},
                         {"staff": 1, "date": "2026-11-23", "off": true}]}"#;
        let salon = parse(text).expect("a salon");
        assert_eq!(salon.service(ServiceId(5)).expect("there").minutes_with(Some(StaffId(2))), 90);
        let of = |day: &str| {
            salon.hours_of(StaffId(1), day.parse().expect("a day")).iter().map(|h| format!("{}-{}", h.from, h.to)).collect::<Vec<_>>()
        };
        assert_eq!(of("2026-11-16"), ["10:00:00-14:00:00", "15:00:00-20:00:00"]);
        assert!(of("2026-11-23").is_empty());
        assert!(of("2026-11-17").is_empty());
    }
}
