//! How often somebody may do something: so many times in a sliding window of real time.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

/// More keys than this are swept of those whose window is over.
const SWEEP_AT: usize = 10_000;

/// At most `times` in any `window`, for each key.
pub(crate) struct Allowance<K> {
    times: usize,
    window: Duration,
    seen: Mutex<HashMap<K, VecDeque<Instant>>>,
}

impl<K: Eq + Hash> Allowance<K> {
    pub(crate) fn new(times: usize, window: Duration) -> Self {
        Self { times, window, seen: Mutex::default() }
    }

    /// Counts one more; `false`, uncounted, where that would be too many.
    pub(crate) fn take(&self, key: K) -> bool {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: K, now: Instant) -> bool {
        let mut seen = self.seen.lock();
        if seen.len() >= SWEEP_AT {
            seen.retain(|_, times| times.back().is_some_and(|last| now - *last < self.window));
        }
        let times = seen.entry(key).or_default();
        while times.front().is_some_and(|first| now - *first >= self.window) {
            times.pop_front();
        }
        let free = times.len() < self.times;
        if free {
            times.push_back(now);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sliding_window_for_each() {
        let five = Allowance::new(5, Duration::from_secs(60));
        let begin = Instant::now();
        let takes = |key, times, second| (0..times).filter(|_| five.take_at(key, begin + Duration::from_secs(second))).count();
        assert_eq!(takes("a", 4, 0), 4);
        assert_eq!(takes("a", 3, 30), 1, "the fifth and no more");
        assert_eq!(takes("b", 1, 30), 1, "somebody else is free");
        assert_eq!(takes("a", 9, 60), 4, "only those of a minute ago are forgotten");
    }
}
