//! Reads messages as JSON lines from standard input and writes what is understood, one line each:
//! `understand [--salon FILE] < messages.jsonl`.

use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
    time::Instant,
};

use domain::{CompanyId, Hours, Money, PriceRange, Salon, SalonId, Service, ServiceId, ServiceStaff, Staff, StaffId, WorkDay};
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use language::{Context, Reader, Understood};
use serde::{Deserialize, Serialize};

/// A salon as a file tells it.
#[derive(Deserialize)]
struct SalonFile {
    id: i64,
    title: String,
    #[serde(default)]
    city: String,
    #[serde(default)]
    address: String,
    timezone_name: String,
    #[serde(default)]
    services: Vec<ServiceFile>,
    #[serde(default)]
    staff: Vec<StaffFile>,
    #[serde(default)]
    schedule: Vec<ScheduleRow>,
}

#[derive(Deserialize)]
struct ServiceFile {
    id: i64,
    title: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    description: String,
    price_min: i64,
    price_max: i64,
    minutes: i64,
    staff: Vec<i64>,
    #[serde(default)]
    minutes_by_staff: BTreeMap<String, i64>,
    #[serde(default)]
    composite_of: Vec<i64>,
}

#[derive(Deserialize)]
struct StaffFile {
    id: i64,
    name: String,
    #[serde(default)]
    specialization: String,
}

#[derive(Deserialize)]
struct ScheduleRow {
    staff: i64,
    #[serde(default)]
    weekdays: Vec<i8>,
    date: Option<Date>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    off: bool,
}

/// The salon of a file, its weekly schedule unfolded over `days` from `first` on.
fn salon(file: &str, first: Date, days: i32) -> Result<Salon, Box<dyn std::error::Error>> {
    let file: SalonFile = serde_json::from_str(file)?;
    let time = |text: &Option<String>| text.as_deref().and_then(|text| Time::strptime("%H:%M", text).ok());
    let mut schedule = Vec::new();
    for n in 0..days {
        let date = first.checked_add(n.days())?;
        for staff in &file.staff {
            let of = |row: &&ScheduleRow| row.staff == staff.id;
            let special = file.schedule.iter().filter(of).find(|row| row.date == Some(date));
            let weekly = || file.schedule.iter().filter(of).find(|row| row.weekdays.contains(&date.weekday().to_monday_one_offset()));
            if let Some(row) = special.or_else(weekly).filter(|row| !row.off)
                && let (Some(from), Some(to)) = (time(&row.from), time(&row.to))
            {
                schedule.push(WorkDay { staff_id: StaffId(staff.id), date, hours: vec![Hours { from, to }] });
            }
        }
    }
    Ok(Salon {
        company_id: CompanyId(1),
        salon_id: SalonId(file.id),
        title: file.title,
        city: file.city,
        address: file.address,
        phone: None,
        timezone: TimeZone::get(&file.timezone_name)?,
        currency: "₽".to_owned(),
        services: file
            .services
            .into_iter()
            .map(|s| Service {
                id: ServiceId(s.id),
                title: s.title,
                category: s.category,
                price: PriceRange::new(Money(s.price_min), Money(s.price_max)),
                minutes: s.minutes,
                description: s.description,
                staff: s
                    .staff
                    .iter()
                    .map(|id| ServiceStaff {
                        staff_id: StaffId(*id),
                        minutes: s.minutes_by_staff.get(&id.to_string()).copied().unwrap_or(s.minutes),
                    })
                    .collect(),
                composite_of: s.composite_of.into_iter().map(ServiceId).collect(),
            })
            .collect(),
        staff: file
            .staff
            .into_iter()
            .map(|s| Staff { id: StaffId(s.id), name: s.name, specialization: s.specialization, rating: None })
            .collect(),
        schedule,
    })
}

#[derive(Deserialize)]
struct Message {
    id: serde_json::Value,
    text: String,
    now: DateTime,
    #[serde(default)]
    context: Option<Context>,
}

#[derive(Serialize)]
struct Answer {
    id: serde_json::Value,
    #[serde(flatten)]
    understood: Understood,
    ms: f64,
}

#[derive(Serialize)]
struct Unread {
    id: Option<()>,
    error: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut file = None;
    while let Some(arg) = args.next() {
        match (arg.as_str(), args.next()) {
            ("--salon", Some(path)) => file = Some(std::fs::read_to_string(path)?),
            _ => return Err("usage: understand [--salon FILE] < messages.jsonl".into()),
        }
    }
    let mut reader = if file.is_none() { Some(Reader::new(None)) } else { None };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match serde_json::from_str::<Message>(&line) {
            Ok(message) => {
                if reader.is_none() {
                    let salon = salon(file.as_deref().unwrap_or_default(), message.now.date(), 60)?;
                    reader = Some(Reader::new(Some(&salon)));
                }
                let Some(reader) = &reader else { continue };
                let start = Instant::now();
                let understood = reader.read(&message.text, message.now, &message.context.unwrap_or_default());
                let ms = start.elapsed().as_secs_f64() * 1000.0;
                serde_json::to_writer(&mut out, &Answer { id: message.id, understood, ms: (ms * 1000.0).round() / 1000.0 })?;
            }
            Err(error) => serde_json::to_writer(&mut out, &Unread { id: None, error: error.to_string() })?,
        }
        writeln!(out)?;
    }
    Ok(())
}
