use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

/// The calendar of the world: real time with an offset that can be set at any moment, forwards and backwards.
///
/// Waits of under a minute (webhook delays, held connections) do not use it.
#[derive(Debug, Default)]
pub struct SandboxClock {
    offset_ms: AtomicI64,
    version: AtomicU64,
}

impl SandboxClock {
    /// A calendar that is ahead of real time by `offset_ms` milliseconds (behind, when negative).
    pub fn ahead_by(offset_ms: i64) -> Self {
        Self { offset_ms: AtomicI64::new(offset_ms), version: AtomicU64::new(0) }
    }

    /// The present moment of the calendar.
    pub fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_millis(self.offset_ms());
        real_now().saturating_add(offset).unwrap_or(Timestamp::MAX)
    }

    /// The present moment as a wall clock in `zone` shows it.
    pub fn local(&self, zone: &TimeZone) -> DateTime {
        self.now().to_zoned(zone.clone()).datetime()
    }

    /// Sets the calendar; it runs on from `now`. Returns the new version.
    pub fn set(&self, now: Timestamp) -> u64 {
        self.set_offset(now.as_millisecond().saturating_sub(real_now().as_millisecond()))
    }

    /// Sets the offset itself, as a product process does that follows its world's calendar.
    pub fn set_offset(&self, offset_ms: i64) -> u64 {
        self.offset_ms.store(offset_ms, Ordering::SeqCst);
        self.version.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Milliseconds by which the calendar is ahead of real time.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::SeqCst)
    }

    /// How often the calendar has been set since the start.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }
}

/// The one place of the sandbox that reads the machine's clock.
#[expect(clippy::disallowed_methods, reason = "the world's calendar is built on it")]
fn real_now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_on_from_where_it_is_set() {
        let clock = SandboxClock::default();
        for moment in ["2026-11-23T10:00:00+03:00", "2020-01-01T00:00:00Z"] {
            let set: Timestamp = moment.parse().expect("a timestamp");
            clock.set(set);
            let passed = clock.now().duration_since(set).as_millis();
            assert!((-1..1000).contains(&passed), "{moment}: {passed} ms");
        }
        assert_eq!(clock.version(), 2);
    }
}
