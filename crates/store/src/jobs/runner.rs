use std::{
    collections::{BTreeSet, HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use sqlx::postgres::{PgConnection, PgPool};
use tokio::{
    sync::{Mutex, broadcast, mpsc},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    lease::Leases,
    queue::{self, Job, Release},
    wake::Wake,
};
use crate::{Result, Store, StoreError, dialect, machine_now};

/// What a handler says of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done; the runner completes it.
    Done,
    /// Done, and [completed](super::complete) in the handler's own transaction.
    Completed,
    /// Failed; tried again after the given wait or the usual backoff, dead after its last try.
    Retry {
        /// What went wrong, without personal data: it is stored and logged.
        error: String,
        /// How long to wait.
        after: Option<Duration>,
    },
    /// Not now, and this try does not count.
    Snooze(Duration),
    /// Not worth doing, now or ever.
    Discard {
        /// Why, without personal data.
        reason: String,
    },
}

impl Outcome {
    /// A failure to be tried again after the usual backoff.
    pub fn retry(error: impl std::fmt::Display) -> Self {
        Self::Retry { error: error.to_string(), after: None }
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::Done | Self::Completed => "done",
            Self::Retry { .. } => "retry",
            Self::Snooze(_) => "snooze",
            Self::Discard { .. } => "discard",
        }
    }
}

/// Does jobs of a kind. It may be run again for the same job after a crash, so its effects outside
/// need keys of their own.
pub trait Handler: Send + Sync {
    /// Does one job. Dropped when it overruns the runner's time-out or a shutdown's grace.
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome>;
}

/// Claims jobs and hands them to their handlers, each kind up to its own concurrency.
pub struct Runner {
    store: Store,
    node: Option<String>,
    owner: String,
    /// The name under which this node owns sessions.
    sessions: Option<Arc<str>>,
    handlers: HashMap<Arc<str>, Registered>,
    timeout: Duration,
}

struct Registered {
    handler: Arc<dyn Handler>,
    free: usize,
    /// Only where the company's session runs.
    with_session: bool,
}

/// A claim lives that long without a heartbeat.
const LEASE: Duration = Duration::from_secs(15);
const HEARTBEAT: Duration = Duration::from_secs(4);
const RESCUE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(500);
const PRUNE: Duration = Duration::from_secs(600);
/// Long enough to see what came; no work hangs on it.
const WEBHOOKS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// As long as WhatsApp itself keeps what was sent.
const FILES_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// What a shutdown grants to jobs under way.
const DRAIN: Duration = Duration::from_secs(10);
/// Claimed, and completed, in one transaction at most.
const BATCH: usize = 100;

impl Runner {
    /// A runner without handlers. On SQLite, which has one process, it takes over at its start what
    /// an earlier life has left running; on PostgreSQL only with a [node name](Runner::node).
    pub fn new(store: Store) -> Self {
        let node = (store.engine() == "sqlite").then(|| "local".to_owned());
        let mut runner =
            Self { store, node: None, owner: String::new(), sessions: None, handlers: HashMap::new(), timeout: Duration::from_secs(900) };
        runner.rename(node);
        runner
    }

    /// Names this node, as it owns [sessions](crate::sessions). What runs under this name is left by
    /// an earlier life and taken over at once, provided that no other living runner has the name.
    pub fn node(mut self, name: &str) -> Self {
        self.sessions = Some(name.into());
        self.rename(Some(name.replace('/', "-")));
        self
    }

    fn rename(&mut self, node: Option<String>) {
        self.owner = format!("{}/{}", node.as_deref().unwrap_or_default(), Uuid::new_v4());
        self.node = node;
    }

    /// Gives jobs of a kind to that handler, at most `concurrency` at a time.
    pub fn handler(self, kind: &str, handler: Arc<dyn Handler>, concurrency: usize) -> Self {
        self.register(kind, handler, concurrency, false)
    }

    /// The same, and leaves the jobs of companies whose session another [node](Runner::node) runs to
    /// that node.
    pub fn handler_with_session(self, kind: &str, handler: Arc<dyn Handler>, concurrency: usize) -> Self {
        self.register(kind, handler, concurrency, true)
    }

    fn register(mut self, kind: &str, handler: Arc<dyn Handler>, concurrency: usize, with_session: bool) -> Self {
        self.handlers.insert(kind.into(), Registered { handler, free: concurrency.max(1), with_session });
        self
    }

    /// How long a handler may take before its try counts as failed; 15 min if not set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs until cancelled, then lets jobs under way finish for up to ten seconds and gives the
    /// rest back for another runner.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut wakes = self.store.wakes().subscribe();
        // Dropping this future must end the heartbeat, too, or nobody would ever rescue its jobs.
        let beat = CancellationToken::new();
        let _end = beat.clone().drop_guard();
        let leases = Leases::new();
        let background = tokio::spawn(keep(self.store.clone(), self.owner.clone(), self.node.clone(), leases.clone(), beat.clone()));
        let (finished, results) = mpsc::channel(BATCH * 4);
        let (settled, mut freed) = mpsc::unbounded_channel();
        let results = Arc::new(Mutex::new(results));
        // Several commits at a time share one write of PostgreSQL's log; SQLite has one writer.
        let writers = if self.store.postgres().is_some() { 4 } else { 1 };
        let mut settling = JoinSet::new();
        for _ in 0..writers {
            settling.spawn(settle(self.store.clone(), results.clone(), settled.clone()));
        }
        drop(settled);

        let mut running = JoinSet::new();
        let mut under_way = 0_usize;
        // Kinds that may have something due, and when others will.
        let mut ready: HashSet<Arc<str>> = self.handlers.keys().cloned().collect();
        let mut timers: BTreeSet<(Instant, Arc<str>)> = BTreeSet::new();
        let mut poll = interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);

        loop {
            // Whatever was freed meanwhile is claimed anew in one go.
            while let Ok(kind) = freed.try_recv() {
                self.free(&kind, &mut under_way);
            }
            let mut failed = false;
            for kind in ready.iter().cloned().collect::<Vec<_>>() {
                let Some(registered) = self.handlers.get_mut(&kind) else {
                    ready.remove(&kind);
                    continue;
                };
                let wanted = registered.free.min(BATCH);
                if wanted == 0 {
                    continue;
                }
                let at = self.sessions.as_deref().filter(|_| registered.with_session);
                match claim(&self.store, &kind, wanted, &self.owner, at, &leases).await {
                    Ok(jobs) => {
                        if jobs.len() < wanted {
                            ready.remove(&kind);
                        }
                        registered.free -= jobs.len();
                        under_way += jobs.len();
                        for job in jobs {
                            running.spawn(attempt(registered.handler.clone(), job, self.timeout, finished.clone()));
                        }
                    }
                    Err(error) => {
                        // Another node was quicker in a lane, or the database is away: the next poll asks again.
                        ready.remove(&kind);
                        failed = true;
                        tracing::debug!(kind = &*kind, %error, "no claim");
                    }
                }
            }
            let now = Instant::now();
            while timers.first().is_some_and(|(due, _)| *due <= now) {
                ready.extend(timers.pop_first().map(|(_, kind)| kind));
            }
            if !failed && ready.iter().any(|kind| self.handlers.get(kind).is_some_and(|registered| registered.free > 0)) {
                if cancel.is_cancelled() {
                    break;
                }
                // More is waiting: go on claiming.
                tokio::task::yield_now().await;
                continue;
            }
            let timer = timers.first().map(|(due, _)| *due);
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Some(kind) = freed.recv() => self.free(&kind, &mut under_way),
                wake = wakes.recv() => match wake {
                    Ok(wake) => note(wake, &mut ready, &mut timers),
                    Err(broadcast::error::RecvError::Lagged(_)) => ready.extend(self.handlers.keys().cloned()),
                    // The store owns the sender and this runner owns the store.
                    Err(broadcast::error::RecvError::Closed) => break,
                },
                () = sleep_until(timer) => {}
                _ = poll.tick() => match due_kinds(&self.store).await {
                    Ok(kinds) => ready.extend(kinds),
                    Err(error) => tracing::warn!(%error, "the jobs table cannot be read"),
                },
                Some(_) = running.join_next() => {}
            }
            while let Ok(wake) = wakes.try_recv() {
                note(wake, &mut ready, &mut timers);
            }
        }

        let drained = timeout(DRAIN, async {
            while under_way > 0 {
                match freed.recv().await {
                    Some(kind) => self.free(&kind, &mut under_way),
                    None => break,
                }
            }
        });
        if drained.await.is_err() {
            tracing::warn!(under_way, "jobs under way were interrupted; they will be done again");
        }
        running.shutdown().await;
        drop(finished);
        // What is finished is settled before what is not is given back.
        let _ = timeout(DRAIN, async { while settling.join_next().await.is_some() {} }).await;
        beat.cancel();
        let _ = background.await;
        if under_way > 0
            && let Err(error) = give_back(&self.store, &self.owner).await
        {
            tracing::warn!(%error, "interrupted jobs wait for their leases to run out");
        }
    }

    fn free(&mut self, kind: &str, under_way: &mut usize) {
        *under_way -= 1;
        if let Some(registered) = self.handlers.get_mut(kind) {
            registered.free += 1;
        }
    }
}

fn note(wake: Wake, ready: &mut HashSet<Arc<str>>, timers: &mut BTreeSet<(Instant, Arc<str>)>) {
    // Far ones are left to the poll: the set stays small, and a node's skewed clock does no harm.
    match u64::try_from(wake.due - machine_now().as_millisecond()) {
        Err(_) | Ok(0) => {
            ready.insert(wake.kind);
        }
        Ok(wait) if wait < 60_000 => {
            timers.insert((Instant::now() + Duration::from_millis(wait), wake.kind));
        }
        Ok(_) => {}
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn claim(store: &Store, kind: &str, wanted: usize, owner: &str, at: Option<&str>, leases: &Leases) -> Result<Vec<Job>> {
    let asked = Instant::now();
    let mut tx = store.begin_lossy().await?;
    let mut jobs = queue::claim(&mut tx, kind, i64::try_from(wanted).unwrap_or(1), owner, LEASE, at).await?;
    tx.commit().await?;
    if !jobs.is_empty() {
        let lease = leases.promised(asked, LEASE);
        jobs.iter_mut().for_each(|job| job.lease = lease.clone());
    }
    Ok(jobs)
}

async fn due_kinds(store: &Store) -> Result<Vec<Arc<str>>> {
    queue::due_kinds(&mut store.read().await?).await
}

/// One try of one job.
async fn attempt(handler: Arc<dyn Handler>, job: Job, limit: Duration, finished: mpsc::Sender<(Job, Outcome)>) {
    let started = Instant::now();
    let tried = timeout(limit, AssertUnwindSafe(async { handler.run(&job).await }).catch_unwind()).await;
    let outcome = match tried {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Outcome::retry("the handler panicked"),
        Err(_) => Outcome::retry("the handler took too long"),
    };
    metrics::histogram!("job_duration_seconds", "kind" => job.kind.clone()).record(started.elapsed());
    metrics::counter!("jobs_total", "kind" => job.kind.clone(), "outcome" => outcome.as_str()).increment(1);
    match &outcome {
        Outcome::Retry { error, .. } => {
            tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempt, error, "job failed");
        }
        Outcome::Discard { reason } => tracing::info!(job = %job.id, kind = job.kind, reason, "job discarded"),
        Outcome::Done | Outcome::Completed | Outcome::Snooze(_) => {}
    }
    // Nobody hears only when the runner is gone, and then the lease speaks.
    let _ = finished.send((job, outcome)).await;
}

/// Writes outcomes down, all that have gathered in one transaction.
async fn settle(store: Store, results: Arc<Mutex<mpsc::Receiver<(Job, Outcome)>>>, settled: mpsc::UnboundedSender<Arc<str>>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        if results.lock().await.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        let mut wait = Duration::from_millis(20);
        while let Err(error) = settle_batch(&store, &batch).await {
            tracing::warn!(%error, "job outcomes cannot be written yet");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(2));
        }
        for (job, _) in batch.drain(..) {
            let _ = settled.send(job.kind.into());
        }
    }
}

async fn settle_batch(store: &Store, batch: &[(Job, Outcome)]) -> Result<()> {
    if batch.iter().all(|(_, outcome)| *outcome == Outcome::Completed) {
        return Ok(());
    }
    let mut tx = store.begin_lossy().await?;
    let done: Vec<&Job> = batch.iter().filter(|(_, outcome)| *outcome == Outcome::Done).map(|(job, _)| job).collect();
    let completed = queue::complete_all(&mut tx, &done).await?.len();
    let mut lost = done.len() - completed;
    for (job, outcome) in batch {
        let release = match outcome {
            Outcome::Done | Outcome::Completed => continue,
            Outcome::Retry { error, after } => Release::Retry { error: error.clone(), after: *after },
            Outcome::Snooze(wait) => Release::Snooze(*wait),
            Outcome::Discard { reason } => Release::Discard(reason.clone()),
        };
        match queue::release(&mut tx, job.id, job.claim, &release).await {
            Err(StoreError::Fenced) => lost += 1,
            other => other?,
        }
    }
    tx.commit().await?;
    if lost > 0 {
        // Rescued meanwhile: the outcomes belong to nobody.
        tracing::warn!(lost, "claims were lost; other tries decide");
    }
    Ok(())
}

/// Heartbeats, rescues and prunes, until cancelled.
async fn keep(store: Store, owner: String, node: Option<String>, leases: Leases, cancel: CancellationToken) {
    let mut beat = interval(HEARTBEAT);
    let mut rescue = interval(RESCUE);
    let mut prune = interval(PRUNE);
    for timer in [&mut beat, &mut rescue, &mut prune] {
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    // A former life of this node can only have ended before this one began, unless two processes
    // were given one name: whoever has the name's lock is the one.
    let mut former = node.as_deref();
    let mut name_lock = None;
    loop {
        let done = tokio::select! {
            () = cancel.cancelled() => return,
            _ = beat.tick() => heartbeat(&store, &owner, &leases).await,
            _ = rescue.tick() => {
                if let (Some(node), Some(pool), None) = (former, store.postgres(), &name_lock) {
                    name_lock = lock_name(pool, node).await;
                }
                let sole = store.postgres().is_none() || name_lock.is_some();
                let rescued = rescue_abandoned(&store, &owner, former.filter(|_| sole)).await;
                if rescued.is_ok() && sole {
                    former = None;
                }
                rescued
            }
            _ = prune.tick() => prune_finished(&store).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "job upkeep failed; it goes on");
        }
    }
}

/// Held as long as the connection that is returned; `None` while another living process holds it.
async fn lock_name(pool: &PgPool, node: &str) -> Option<PgConnection> {
    let locked = async {
        let mut connection = pool.acquire().await?.detach();
        let (locked,) = sqlx::query_as::<_, (bool,)>(dialect::POSTGRES_NAME_LOCK).bind(node).fetch_one(&mut connection).await?;
        Ok::<_, sqlx::Error>(locked.then_some(connection))
    };
    match locked.await {
        Ok(Some(connection)) => return Some(connection),
        Ok(None) => tracing::warn!(node, "another living process has this node's name: give each its own NODE_NAME"),
        Err(error) => tracing::warn!(%error, "the node's name could not be locked"),
    }
    None
}

async fn heartbeat(store: &Store, owner: &str, leases: &Leases) -> Result<()> {
    let asked = Instant::now();
    let mut tx = store.begin().await?;
    queue::heartbeat(&mut tx, owner, LEASE).await?;
    tx.commit().await?;
    leases.promised(asked, LEASE);
    Ok(())
}

async fn prune_finished(store: &Store) -> Result<()> {
    let mut tx = store.begin().await?;
    queue::prune(&mut tx).await?;
    crate::webhooks::prune(&mut tx, WEBHOOKS_KEPT).await?;
    crate::messages::prune_files(&mut tx, FILES_KEPT).await?;
    tx.commit().await
}

async fn rescue_abandoned(store: &Store, owner: &str, former: Option<&str>) -> Result<()> {
    let abandoned = queue::abandoned(&mut store.read().await?, owner, former).await?;
    // A dead process may leave many: some at a time.
    for some in abandoned.chunks(BATCH) {
        let mut tx = store.begin().await?;
        let mut rescued = 0;
        for (id, claim) in some {
            let why = Release::Retry { error: "its process died or lost the database".to_owned(), after: Some(Duration::ZERO) };
            match queue::release(&mut tx, *id, *claim, &why).await {
                Err(StoreError::Fenced) => {}
                other => {
                    other?;
                    rescued += 1;
                }
            }
        }
        tx.commit().await?;
        tracing::warn!(jobs = rescued, "jobs rescued");
    }
    Ok(())
}

/// Interrupted by an orderly shutdown: the try does not count.
async fn give_back(store: &Store, owner: &str) -> Result<()> {
    let mut tx = store.begin().await?;
    for (id, claim) in queue::held(&mut tx, owner).await? {
        queue::release(&mut tx, id, claim, &Release::Snooze(Duration::ZERO)).await?;
    }
    tx.commit().await
}
