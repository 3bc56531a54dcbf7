use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The right to work on a claimed job, as far as the process itself can tell without asking the
/// database: a process that was stopped for a while, or could not reach the database, knows by its own
/// clock that its jobs may have been taken over. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lease(Arc<Mutex<Instant>>);

impl Lease {
    fn until(end: Instant) -> Self {
        Self(Arc::new(Mutex::new(end)))
    }

    pub(super) fn lapsed() -> Self {
        Self::until(Instant::now())
    }

    /// Nobody else has the job, nor can have it this moment.
    pub fn stands(&self) -> bool {
        Instant::now() < *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that has run out stays so: what was claimed under it may be another's by now.
    fn prolong(&self, end: Instant) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = Instant::now() < *until;
        if stands {
            *until = end.max(*until);
        }
        stands
    }
}

/// The lease under which a runner claims, and which its heartbeat prolongs.
#[derive(Debug, Clone)]
pub(super) struct Leases(Arc<Mutex<Lease>>);

impl Leases {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Lease::lapsed())))
    }

    /// The database has promised, later than at `asked`, that claims stand for `length`. The lease for new claims.
    pub(super) fn promised(&self, asked: Instant, length: Duration) -> Lease {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !current.prolong(asked + length) {
            *current = Lease::until(asked + length);
        }
        current.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_heartbeat_prolongs_what_is_claimed_already() {
        let leases = Leases::new();
        let lease = leases.promised(Instant::now(), Duration::from_secs(15));
        leases.promised(Instant::now(), HOUR);
        let end = *lease.0.lock().expect("nobody panicked");
        assert!(lease.stands() && end > Instant::now() + HOUR / 2);
    }

    #[test]
    fn one_that_ran_out_is_not_revived() {
        let leases = Leases::new();
        let before = leases.promised(Instant::now(), Duration::ZERO);
        let after = leases.promised(Instant::now(), HOUR);
        assert!(!before.stands() && after.stands());
    }

    #[test]
    fn an_answer_that_was_long_on_its_way_promises_no_more_than_was_asked_for() {
        let asked = Instant::now().checked_sub(HOUR).expect("the machine is up for longer");
        assert!(!Leases::new().promised(asked, HOUR / 2).stands());
    }
}
