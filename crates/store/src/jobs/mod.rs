//! Durable jobs, enqueued in the caller's own transaction.
//!
//! Shaped after River: a job waits (`available`), runs under a lease, and is deleted when done; one
//! that failed for good stays as `dead` until it is [replayed](replay), one that was not worth doing
//! as `discarded` for a week.
//!
//! * **Key**: `(kind, key)` is waiting at most once. [`enqueue`] finds the existing job; [`put_off`]
//!   also moves it to the new time (debounce) and queues a second one behind one that already runs.
//! * **Lane**: jobs of one lane run one at a time in the order of their ids. One that has run before
//!   and waits to be tried again keeps its place; one whose first time has not yet come holds
//!   nobody up.
//! * **Fence**: each claim has a number, and only the claim that is still the job's last may
//!   [complete](complete) it. A handler that completes in its own transaction therefore cannot
//!   commit its work after another node has taken the job over; one that writes in several
//!   transactions [holds](hold) the job in each. What leaves the house cannot be fenced so: before
//!   that, a handler asks its job's [lease](Lease).
//! * **Rescue**: a running job whose lease ran out (its process died or hangs) is waiting again
//!   within half a minute.
//!
//! Times are the database's own, so nodes need not agree; no calendar time enters here.

mod lease;
mod queue;
mod runner;
pub(crate) mod wake;

pub use lease::Lease;
pub use queue::{
    DeadJob, Job, JobCounts, JobId, JobState, NewJob, cancel_company, complete, counts, dead, enqueue, hasten, hold, is_unfinished,
    pending, put_off, replay, unfinished,
};
pub use runner::{Handler, Outcome, Runner};
