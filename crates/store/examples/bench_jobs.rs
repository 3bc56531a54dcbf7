//! How many jobs a second, and how long from enqueueing to start, on both engines with durable
//! commits: `cargo run --profile sandbox --workspace --example bench_jobs --features store/test-support -- [JOBS [POSTGRES]]`.
//! Without a server's URL it starts a private one.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use store::{
    Store,
    jobs::{self, Handler, Job, NewJob, Outcome, Runner},
    testing::{self, Cluster},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const CONCURRENCY: usize = 200;
const LANES: usize = 500;
const PACE: Duration = Duration::from_millis(5);

struct Counts(AtomicUsize);

impl Handler for Counts {
    fn run<'a>(&'a self, _: &'a Job) -> BoxFuture<'a, Outcome> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(Outcome::Done))
    }
}

struct Reports(mpsc::UnboundedSender<(usize, Instant)>);

impl Handler for Reports {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        let number = job.payload.as_u64().map_or(0, |n| usize::try_from(n).unwrap_or(0));
        // The benchmark outlives its runner.
        let _ = self.0.send((number, Instant::now()));
        Box::pin(std::future::ready(Outcome::Done))
    }
}

#[tokio::main]
async fn main() {
    let jobs = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let sqlite = testing::sqlite().await;
    measure("SQLite", &sqlite.store, jobs).await;
    let server = std::env::args().nth(2);
    let cluster = tokio::task::spawn_blocking(|| server.map_or_else(|| Cluster::start(true), |url| Cluster::at(&url)));
    let cluster = cluster.await.expect("a PostgreSQL server");
    let postgres = Store::open(&cluster.database().await).await.expect("a new PostgreSQL database");
    measure("PostgreSQL", &postgres, jobs).await;
}

async fn measure(engine: &str, store: &Store, jobs: usize) {
    let enqueued = rate(jobs, fill(store, jobs, |_| None)).await;
    let drained = rate(jobs, drain(store, jobs)).await;
    let laned = fill(store, jobs, |n| Some(format!("chat:{}", n % LANES)));
    laned.await;
    let laned = rate(jobs, drain(store, jobs)).await;
    let through = rate(jobs, async {
        tokio::join!(fill(store, jobs, |_| None), drain(store, jobs));
    })
    .await;
    println!("{engine}: enqueue {enqueued:.0}/s, work {drained:.0}/s, in {LANES} lanes {laned:.0}/s, both at once {through:.0}/s");
    let mut waits = latency(store, 2000).await;
    waits.sort();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    println!(
        "{engine}: enqueue to start at {}/s: p50 {:.2?}, p99 {:.2?}, max {:.2?}",
        Duration::from_secs(1).as_millis() / PACE.as_millis(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

async fn rate(jobs: usize, work: impl Future<Output = ()>) -> f64 {
    let started = Instant::now();
    work.await;
    jobs as f64 / started.elapsed().as_secs_f64()
}

/// A hundred jobs a transaction, from four sides.
async fn fill(store: &Store, jobs: usize, lane: impl Fn(usize) -> Option<String>) {
    let sides = (0..4).map(|side| {
        let (store, lane) = (store.clone(), &lane);
        async move {
            for batch in 0..jobs / 400 {
                let mut tx = store.begin().await.expect("a transaction");
                for n in 0..100 {
                    let number = (batch * 4 + side) * 100 + n;
                    let mut job = NewJob::new("count", number);
                    job.lane = lane(number);
                    jobs::enqueue(&mut tx, job).await.expect("a job");
                }
                tx.commit().await.expect("a commit");
            }
        }
    });
    futures::future::join_all(sides).await;
}

async fn drain(store: &Store, jobs: usize) {
    let counts = Arc::new(Counts(AtomicUsize::new(0)));
    let cancel = CancellationToken::new();
    let runner = tokio::spawn(Runner::new(store.clone()).handler("count", counts.clone(), CONCURRENCY).run(cancel.clone()));
    while counts.0.load(Ordering::Relaxed) < jobs {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cancel.cancel();
    runner.await.expect("an orderly end");
}

/// From just before the commit of an enqueueing transaction to the handler's first step.
async fn latency(store: &Store, jobs: usize) -> Vec<Duration> {
    let (sender, mut started) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let runner = tokio::spawn(Runner::new(store.clone()).handler("report", Arc::new(Reports(sender)), CONCURRENCY).run(cancel.clone()));
    let mut enqueued = Vec::with_capacity(jobs);
    let mut pace = tokio::time::interval(PACE);
    for number in 0..jobs {
        pace.tick().await;
        let mut tx = store.begin().await.expect("a transaction");
        jobs::enqueue(&mut tx, NewJob::new("report", number)).await.expect("a job");
        enqueued.push(Instant::now());
        tx.commit().await.expect("a commit");
    }
    let mut waits = Vec::with_capacity(jobs);
    while waits.len() < jobs {
        let (number, at) = started.recv().await.expect("the runner runs");
        waits.push(at.duration_since(enqueued[number]));
    }
    cancel.cancel();
    runner.await.expect("an orderly end");
    waits
}
