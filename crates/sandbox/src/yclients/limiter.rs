//! YClients' limits: 5 requests a second and 200 a minute from one address.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

const SECOND: (usize, Duration) = (5, Duration::from_secs(1));
const MINUTE: (usize, Duration) = (200, Duration::from_secs(60));

/// Requests of the last minute by address.
#[derive(Default)]
pub(crate) struct Limiter {
    seen: Mutex<HashMap<IpAddr, VecDeque<Instant>>>,
}

impl Limiter {
    /// Whether a request from this address may pass now. A refused one does not count.
    pub(crate) fn admit(&self, from: IpAddr, now: Instant) -> bool {
        let mut seen = self.seen.lock();
        let times = seen.entry(from).or_default();
        while times.front().is_some_and(|&t| now.duration_since(t) >= MINUTE.1) {
            times.pop_front();
        }
        let within_second = times.iter().rev().take_while(|&&t| now.duration_since(t) < SECOND.1).count();
        let admitted = within_second < SECOND.0 && times.len() < MINUTE.0;
        if admitted {
            times.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_a_second_and_two_hundred_a_minute() {
        let (limiter, begin) = (Limiter::default(), Instant::now());
        let admit = |ms: u64, ip: &str| limiter.admit(ip.parse().expect("an address"), begin + Duration::from_millis(ms));
        let burst: Vec<bool> = (0..7).map(|n| admit(n, "127.0.0.1")).collect();
        assert_eq!(burst, [true, true, true, true, true, false, false]);
        assert!(admit(10, "127.0.0.2"), "another address has its own limit");
        assert!(admit(1000, "127.0.0.1"), "a second later it passes again");
        let steady = (0..300).filter(|n| admit(2000 + n * 190, "127.0.0.3")).count();
        assert_eq!(steady, 200, "57 s at just over five a second stop at 200");
        assert!(admit(62_001, "127.0.0.3"), "a minute after the first it passes again");
    }
}
