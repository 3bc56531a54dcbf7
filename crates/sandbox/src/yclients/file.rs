//! The salon's file, as the control API takes it.

use std::collections::{BTreeMap, HashSet};

use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::slots::Span;

/// A salon as its file describes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SalonFile {
    /// YClients' number of the salon.
    pub id: i64,
    /// Name of the salon.
    pub title: String,
    /// Town.
    #[serde(default)]
    pub city: String,
    /// Street and house.
    #[serde(default)]
    pub address: String,
    /// The salon's phone, which also is its WhatsApp number: digits without plus.
    pub phone: String,
    /// IANA name of the salon's time zone.
    pub timezone_name: String,
    /// Sign of the currency.
    #[serde(default = "roubles")]
    pub currency: String,
    /// Step of the starts offered for booking, minutes.
    #[serde(default = "half_an_hour")]
    pub grid_minutes: i64,
    /// What is done here.
    pub services: Vec<ServiceRow>,
    /// Who does it.
    pub staff: Vec<StaffRow>,
    /// Who works when.
    #[serde(default)]
    pub schedule: Vec<ScheduleRow>,
    /// Clients known to the salon.
    #[serde(default)]
    pub clients: Vec<ClientRow>,
    /// Bookings there already are.
    #[serde(default)]
    pub records: Vec<RecordRow>,
}

fn roubles() -> String {
    "₽".to_owned()
}

fn half_an_hour() -> i64 {
    30
}

/// A service of the salon.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceRow {
    /// Number within the salon.
    pub id: i64,
    /// Name for customers.
    pub title: String,
    /// Heading it is listed under.
    #[serde(default)]
    pub category: String,
    /// Lowest price in the salon's currency.
    #[serde(default)]
    pub price_min: i64,
    /// Highest price in the salon's currency.
    #[serde(default)]
    pub price_max: i64,
    /// Length in minutes.
    pub minutes: i64,
    /// Words for customers.
    #[serde(default)]
    pub description: String,
    /// Who does it.
    #[serde(default)]
    pub staff: Vec<i64>,
    /// Length in minutes for those who need another time.
    #[serde(default)]
    pub minutes_by_staff: BTreeMap<i64, i64>,
    /// The services a complex is made of; it is booked by booking these one after the other.
    #[serde(default)]
    pub composite_of: Vec<i64>,
}

/// A member of the staff.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StaffRow {
    /// Number within the salon.
    pub id: i64,
    /// Name for customers.
    pub name: String,
    /// What they are.
    #[serde(default)]
    pub specialization: String,
    /// Mark given by customers, 0 to 5.
    #[serde(default)]
    pub rating: f64,
}

/// A rule of the schedule: for days of the week, or for one date, which overrides them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScheduleRow {
    /// Whose.
    pub staff: i64,
    /// 1 = Monday … 7 = Sunday.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<i8>,
    /// The one date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Not working that day.
    #[serde(default)]
    pub off: bool,
    /// Begin of the shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DayTime>,
    /// End of the shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DayTime>,
    /// Breaks within the shift.
    #[serde(default)]
    pub breaks: Vec<(DayTime, DayTime)>,
}

/// A client of the salon.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientRow {
    /// Name.
    pub name: String,
    /// Digits without plus.
    pub phone: String,
    /// How often they have come.
    #[serde(default)]
    pub visits: u32,
}

/// A booking there already is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordRow {
    /// Number within the salon.
    pub id: i64,
    /// With whom.
    pub staff: i64,
    /// What.
    pub services: Vec<i64>,
    /// Whose: digits without plus.
    pub client_phone: String,
    /// Name of the client.
    #[serde(default)]
    pub client_name: String,
    /// Begin, in the salon's zone.
    pub start: DateTime,
    /// 2 confirmed, 1 came, 0 waiting, −1 did not come.
    #[serde(default)]
    pub attendance: i64,
}

/// A time of day, `HH:MM`, `24:00` being the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayTime(i64);

impl DayTime {
    /// Seconds after midnight.
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl TryFrom<String> for DayTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(h, m)| Some((h.parse::<u8>().ok()?, m.get(..2)?.parse::<u8>().ok()?)));
        match parts {
            Some((h, m)) if m < 60 && (h < 24 || (h == 24 && m == 0)) => Ok(Self(i64::from(h) * 3600 + i64::from(m) * 60)),
            _ => Err(format!("{text:?} is no time of day, HH:MM is expected")),
        }
    }
}

impl From<DayTime> for String {
    fn from(time: DayTime) -> String {
        time.to_string()
    }
}

impl std::fmt::Display for DayTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60)
    }
}

/// A shift with its breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) whole: Span,
    pub(crate) breaks: Vec<Span>,
}

impl SalonFile {
    /// Checks what the types cannot: the zone, the numbers, and that everything referred to is there.
    pub fn check(&self) -> Result<TimeZone, String> {
        let zone = TimeZone::get(&self.timezone_name).map_err(|_| format!("timezone_name {:?} is unknown", self.timezone_name))?;
        if self.id <= 0 {
            return Err("id must be positive".to_owned());
        }
        phone(&self.phone)?;
        if !(1..=24 * 60).contains(&self.grid_minutes) {
            return Err("grid_minutes must be between 1 and 1440".to_owned());
        }
        let staff = unique("staff", self.staff.iter().map(|s| s.id))?;
        let services = unique("services", self.services.iter().map(|s| s.id))?;
        unique("records", self.records.iter().map(|r| r.id))?;
        let known = |what: &str, ids: &HashSet<i64>, id: i64| {
            if ids.contains(&id) { Ok(()) } else { Err(format!("{what}: {id} is not in the file")) }
        };
        for service in &self.services {
            if service.minutes <= 0 || service.minutes_by_staff.values().any(|&m| m <= 0) {
                return Err(format!("service {}: minutes must be positive", service.id));
            }
            for &id in service.staff.iter().chain(service.minutes_by_staff.keys()) {
                known("services[].staff", &staff, id)?;
            }
            for &id in &service.composite_of {
                known("services[].composite_of", &services, id)?;
            }
        }
        for row in &self.schedule {
            known("schedule[].staff", &staff, row.staff)?;
            if row.weekdays.iter().any(|d| !(1..=7).contains(d)) {
                return Err("schedule[].weekdays: 1 = Monday … 7 = Sunday".to_owned());
            }
            if row.date.is_none() && row.weekdays.is_empty() {
                return Err("schedule[]: weekdays or date is missing".to_owned());
            }
            if !row.off && row.from.zip(row.to).is_none_or(|(from, to)| from >= to) {
                return Err("schedule[]: from must be before to, or off true".to_owned());
            }
        }
        for client in &self.clients {
            phone(&client.phone)?;
        }
        for record in &self.records {
            known("records[].staff", &staff, record.staff)?;
            phone(&record.client_phone)?;
            if record.services.is_empty() {
                return Err(format!("record {}: services are missing", record.id));
            }
            for &id in &record.services {
                known("records[].services", &services, id)?;
            }
        }
        Ok(zone)
    }

    /// The shifts of a member of the staff on a day: those of rows with the date, else those of its weekday.
    pub(crate) fn shifts(&self, staff: i64, date: Date) -> Vec<Shift> {
        let mine = || self.schedule.iter().filter(move |row| row.staff == staff);
        let weekday = date.weekday().to_monday_one_offset();
        let mut rows: Vec<&ScheduleRow> = mine().filter(|row| row.date == Some(date)).collect();
        if rows.is_empty() {
            rows = mine().filter(|row| row.date.is_none() && row.weekdays.contains(&weekday)).collect();
        }
        let mut shifts: Vec<Shift> = rows
            .iter()
            .filter(|row| !row.off)
            .filter_map(|row| {
                let (from, to) = row.from.zip(row.to)?;
                let breaks = row.breaks.iter().map(|(a, b)| Span { from: a.seconds(), to: b.seconds() }).collect();
                Some(Shift { whole: Span { from: from.seconds(), to: to.seconds() }, breaks })
            })
            .collect();
        shifts.sort_by_key(|shift| shift.whole.from);
        shifts
    }
}

fn unique(what: &str, ids: impl Iterator<Item = i64>) -> Result<HashSet<i64>, String> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(format!("{what}: {id} is there twice"));
        }
    }
    Ok(seen)
}

/// Digits without plus, as the sandbox writes phones.
pub(crate) fn phone(text: &str) -> Result<(), String> {
    if (10..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err(format!("{text:?} is no phone: 10 to 15 digits without plus are expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(schedule: serde_json::Value) -> SalonFile {
        serde_json::from_value(serde_json::json!({
            "id": 1, "title": "Проба", "phone": "74950000000", "timezone_name": "Europe/Moscow",
            "services": [], "staff": [{"id": 1, "name": "Анна"}], "schedule": schedule
        }))
        .expect("a salon's file")
    }

    #[test]
    fn a_date_overrides_its_weekday() {
        let file = file(serde_json::json!([
            {"staff": 1, "weekdays": [1, 2], "from": "10:00", "to": "20:00", "breaks": [["14:00", "15:00"]]},
            {"staff": 1, "weekdays": [2], "from": "21:00", "to": "24:00"},
            {"staff": 1, "date": "2026-11-30", "off": true},
            {"staff": 1, "date": "2026-12-06", "from": "12:00", "to": "13:00"}
        ]));
        file.check().expect("a right file");
        for (date, expected) in [
            ("2026-11-23", "10:00-20:00/1"),
            ("2026-11-24", "10:00-20:00/1 21:00-24:00/0"),
            ("2026-11-25", ""),
            ("2026-11-30", ""),
            ("2026-12-06", "12:00-13:00/0"),
        ] {
            let shifts = file.shifts(1, date.parse().expect("a date"));
            let shown: Vec<String> =
                shifts.iter().map(|s| format!("{}-{}/{}", DayTime(s.whole.from), DayTime(s.whole.to), s.breaks.len())).collect();
            assert_eq!(shown.join(" "), expected, "{date}");
        }
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_reason() {
        for (schedule, reason) in [
            (serde_json::json!([{"staff": 2, "weekdays": [1], "from": "10:00", "to": "11:00"}]), "2 is not in the file"),
            (serde_json::json!([{"staff": 1, "weekdays": [0], "from": "10:00", "to": "11:00"}]), "1 = Monday"),
            (serde_json::json!([{"staff": 1, "weekdays": [1], "from": "11:00", "to": "10:00"}]), "from must be before to"),
            (serde_json::json!([{"staff": 1, "from": "10:00", "to": "11:00"}]), "weekdays or date"),
        ] {
            let error = file(schedule).check().expect_err("a wrong file");
            assert!(error.contains(reason), "{error}");
        }
        for wrong in ["25:00", "10:60", "24:01", "10", "十時"] {
            assert!(DayTime::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
