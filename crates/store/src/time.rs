use jiff::Timestamp;

/// The machinery's time: leases, retries, time-outs, ages of rows. Never the calendar, which is
/// [`domain::Clock`]'s.
#[expect(clippy::disallowed_methods, reason = "the one place where the machinery's time is read")]
pub fn machine_now() -> Timestamp {
    Timestamp::now()
}
