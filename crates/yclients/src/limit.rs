use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

/// Who goes first when calls wait for the shared rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// A person waits for the answer.
    #[default]
    Live,
    /// Reminders and notifications.
    Reminder,
    /// Background synchronisation.
    Sync,
}

/// How many calls may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimit {
    /// 5 a second and 200 a minute, as the API text says, counted for the whole process since
    /// YClients counts per IP.
    Official,
    /// No limit of our own (the sandbox). YClients' 429 is heeded all the same.
    Off,
}

/// At most `calls` in any stretch of `per`.
#[derive(Debug, Clone, Copy)]
struct Window {
    calls: usize,
    per: Duration,
}

impl Window {
    /// What background work may take of a window, so that a person never waits for the rest of
    /// a minute that a sync has used up.
    fn share(self, priority: Priority) -> usize {
        match priority {
            Priority::Live => self.calls,
            Priority::Reminder => (self.calls * 9 / 10).max(1),
            Priority::Sync => (self.calls * 8 / 10).max(1),
        }
    }
}

// A little longer than the second and the minute: our clock reads sending, theirs arrival.
const YCLIENTS: [Window; 2] =
    [Window { calls: 5, per: Duration::from_millis(1050) }, Window { calls: 200, per: Duration::from_millis(60_500) }];

/// The moments of past calls, and whether one more may follow.
#[derive(Debug)]
struct Ledger {
    windows: &'static [Window],
    sent: VecDeque<Instant>,
    held_until: Option<Instant>,
}

impl Ledger {
    /// When a call of that priority may leave, given no other leaves before; `None`: now.
    fn wait(&mut self, priority: Priority, now: Instant) -> Option<Instant> {
        let longest = self.windows.iter().map(|window| window.per).max().unwrap_or_default();
        while self.sent.front().is_some_and(|at| *at + longest <= now) {
            self.sent.pop_front();
        }
        let free_at = |window: &Window| {
            let calls = window.share(priority);
            let blocking = self.sent.len().checked_sub(calls).and_then(|index| self.sent.get(index))?;
            Some(*blocking + window.per)
        };
        self.windows.iter().filter_map(free_at).chain(self.held_until).max().filter(|at| *at > now)
    }

    fn leave(&mut self, now: Instant) {
        if !self.windows.is_empty() {
            self.sent.push_back(now);
        }
    }
}

#[derive(Debug)]
struct Queue {
    ledger: Ledger,
    waiting: BTreeSet<(Priority, u64, u64)>,
    next_ticket: u64,
}

impl Queue {
    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }
}

/// One queue for all calls of the process: by priority, then first come first served, where the
/// calls of one conversation's turn came when its first one did.
#[derive(Debug)]
pub(crate) struct Limiter {
    queue: Mutex<Queue>,
    changed: Notify,
}

impl Limiter {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self::with(match limit {
            RateLimit::Official => &YCLIENTS,
            RateLimit::Off => &[],
        })
    }

    fn with(windows: &'static [Window]) -> Self {
        let ledger = Ledger { windows, sent: VecDeque::new(), held_until: None };
        Self { queue: Mutex::new(Queue { ledger, waiting: BTreeSet::new(), next_ticket: 0 }), changed: Notify::new() }
    }

    /// A place in the queue for all calls of a turn.
    pub(crate) fn place(&self) -> u64 {
        self.queue.lock().ticket()
    }

    /// Waits for this call's turn and takes it.
    pub(crate) async fn turn(&self, priority: Priority, place: Option<u64>) {
        let ticket = {
            let mut queue = self.queue.lock();
            let own = queue.ticket();
            let ticket = (priority, place.unwrap_or(own), own);
            queue.waiting.insert(ticket);
            ticket
        };
        let place = Place { limiter: self, ticket };
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that no change in between is missed.
            changed.as_mut().enable();
            let until = {
                let mut queue = self.queue.lock();
                let first = queue.waiting.first() == Some(&ticket);
                let now = Instant::now();
                match first.then(|| queue.ledger.wait(priority, now)) {
                    Some(None) => {
                        queue.ledger.leave(now);
                        break;
                    }
                    Some(until) => until,
                    None => None,
                }
            };
            match until {
                Some(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
        drop(place);
    }

    /// YClients said 429: nobody calls for that long.
    pub(crate) fn hold(&self, pause: Duration) {
        let mut queue = self.queue.lock();
        let until = Instant::now() + pause;
        queue.ledger.held_until = queue.ledger.held_until.max(Some(until));
        drop(queue);
        self.changed.notify_waiters();
    }
}

/// A place in the queue, given up when the call goes or its future is dropped.
struct Place<'a> {
    limiter: &'a Limiter,
    ticket: (Priority, u64, u64),
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limiter.queue.lock().waiting.remove(&self.ticket);
        self.limiter.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Sends `wanted` calls as early as allowed and returns when each left, in milliseconds.
    fn play(ledger: &mut Ledger, start: Instant, from_ms: u64, priority: Priority, wanted: usize) -> Vec<u64> {
        let mut now = start + Duration::from_millis(from_ms);
        (0..wanted)
            .map(|_| {
                while let Some(until) = ledger.wait(priority, now) {
                    now = until;
                }
                ledger.leave(now);
                u64::try_from((now - start).as_millis()).expect("short")
            })
            .collect()
    }

    #[test]
    fn no_second_and_no_minute_holds_too_many() {
        let mut ledger = Ledger { windows: &YCLIENTS, sent: VecDeque::new(), held_until: None };
        let start = Instant::now();
        let left = play(&mut ledger, start, 0, Priority::Live, 600);
        for (calls, per) in [(5, 1000), (200, 60_000)] {
            let most = left.iter().map(|at| left.iter().filter(|t| (*at..*at + per).contains(t)).count()).max();
            assert_eq!(most, Some(calls), "in {per} ms");
        }
        assert!(
            left.last().is_some_and(|at| (160_000..165_000).contains(at)),
            "600 calls take two full minutes and 40 s: {:?}",
            left.last()
        );
    }

    #[test]
    fn a_sync_leaves_room_for_people() {
        let mut ledger = Ledger { windows: &YCLIENTS, sent: VecDeque::new(), held_until: None };
        let start = Instant::now();
        let synced = play(&mut ledger, start, 0, Priority::Sync, 160);
        let end = *synced.last().expect("calls left");
        assert!(end < 60_000);
        assert!(
            ledger.wait(Priority::Sync, start + Duration::from_millis(end + 1100)).is_some(),
            "the sync's share of the minute is used up"
        );
        let live = play(&mut ledger, start, end + 1100, Priority::Live, 5);
        assert_eq!(live, [end + 1100; 5], "a person's calls leave at once");
    }

    #[tokio::test]
    async fn people_overtake_and_equals_keep_their_order() {
        static SLOW: [Window; 1] = [Window { calls: 1, per: Duration::from_millis(40) }];
        let limiter = Arc::new(Limiter::with(&SLOW));
        limiter.turn(Priority::Live, None).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let early = Some(limiter.place());
        let wanted = [
            (Priority::Sync, None, 1),
            (Priority::Sync, None, 2),
            (Priority::Reminder, None, 3),
            (Priority::Live, None, 4),
            (Priority::Live, None, 5),
            // The second call of a turn that began before those two.
            (Priority::Live, early, 6),
        ];
        let mut tasks = Vec::new();
        for (priority, place, name) in wanted {
            let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                limiter.turn(priority, place).await;
                order.lock().push(name);
            }));
            tokio::task::yield_now().await;
        }
        // One who gives up must not block the rest.
        tokio::select! {
            biased;
            () = limiter.turn(Priority::Live, None) => unreachable!("others wait for this window"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        for task in tasks {
            task.await.expect("no panic");
        }
        assert_eq!(*order.lock(), [6, 4, 5, 3, 1, 2]);
    }

    #[tokio::test]
    async fn a_hold_stops_everybody_even_without_limits() {
        let limiter = Limiter::new(RateLimit::Off);
        let started = Instant::now();
        limiter.turn(Priority::Live, None).await;
        limiter.hold(Duration::from_millis(60));
        limiter.turn(Priority::Live, None).await;
        assert!(started.elapsed() >= Duration::from_millis(60));
    }
}
