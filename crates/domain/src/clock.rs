use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// The calendar: what "now" and "today" are for people, reminders, cron and token expiry.
///
/// Waits of under a minute and all machinery (retries, leases, debounce) run on real time and
/// never on this clock, which a sandbox may set forwards and backwards.
pub trait Clock: Send + Sync {
    /// The present moment of the calendar.
    fn now(&self) -> Timestamp;

    /// The present moment as a wall clock in `zone` shows it.
    fn local(&self, zone: &TimeZone) -> DateTime {
        self.now().to_zoned(zone.clone()).datetime()
    }
}
