//! How many jobs a second, and how long from enqueueing to start, on both engines with durable
//! commits: `cargo xtask bench jobs [JOBS [POSTGRES]]`. Without a server's URL it starts a private one.
//!
//! `cargo xtask bench jobs kill [SECONDS]`: worker processes (two on PostgreSQL, one on SQLite) are
//! killed with `kill -9` at random moments and started again while jobs come in; every job's effect is
//! written in the transaction that completes it. Ends with an error when one is lost or done twice.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use domain::CompanyId;
use futures::future::BoxFuture;
use store::{
    Store,
    jobs::{self, Handler, Job, NewJob, Outcome, Runner},
    keys, machine_now,
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
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["worker", url, name] => return work(url, name).await,
        ["kill"] => return under_kill(Duration::from_secs(60)).await,
        ["kill", seconds] => return under_kill(Duration::from_secs(seconds.parse().expect("seconds"))).await,
        _ => {}
    }
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

// --- under kill -9 -------------------------------------------------------------------------------

const TENANT: CompanyId = CompanyId(1);
const DONE: &str = "done";
const TWICE: &str = "twice";

/// Takes a moment, then writes its effect down and completes in one transaction.
struct Marks(Store);

impl Handler for Marks {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.mark(job).await.map_or_else(Outcome::retry, |()| Outcome::Completed)
        })
    }
}

impl Marks {
    async fn mark(&self, job: &Job) -> store::Result<()> {
        let mut tx = self.0.begin().await?;
        let number = job.payload.to_string();
        let kind = if keys::get(&mut tx, TENANT, DONE, &number).await?.is_some() { TWICE } else { DONE };
        let waited = machine_now().duration_since(job.created_at).as_millis().to_string();
        keys::put_many(&mut tx, TENANT, &[keys::Entry { kind: kind.to_owned(), key: number, value: waited.into_bytes() }]).await?;
        jobs::complete(&mut tx, job).await?;
        tx.commit().await
    }
}

/// A worker process, until it is killed.
async fn work(url: &str, name: &str) {
    let store = Store::open(url).await.expect("the database");
    Runner::new(store.clone()).node(name).handler("mark", Arc::new(Marks(store)), 32).run(CancellationToken::new()).await;
}

async fn under_kill(time: Duration) {
    let sqlite = testing::sqlite().await;
    killed("SQLite", &sqlite.store, &sqlite.url, &["one"], 200, time).await;
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(true)).await.expect("a PostgreSQL server");
    let url = cluster.database().await;
    let postgres = Store::open(&url).await.expect("a new PostgreSQL database");
    killed("PostgreSQL", &postgres, &url, &["one", "two"], 800, time).await;
}

fn start_worker(url: &str, name: &str) -> Child {
    let program = std::env::current_exe().expect("this program");
    Command::new(program).args(["worker", url, name]).stdin(Stdio::null()).spawn().expect("a worker starts")
}

/// `pace` jobs a second come in for that time, in lanes, while workers die about once a second.
async fn killed(engine: &str, store: &Store, url: &str, names: &[&str], pace: u32, time: Duration) {
    let mut workers: Vec<Child> = names.iter().map(|name| start_worker(url, name)).collect();
    let (mut enqueued, mut kills) = (0, 0);
    let began = Instant::now();
    let mut next_kill = began + Duration::from_secs(1);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / pace * 10);
    while began.elapsed() < time {
        ticks.tick().await;
        let mut tx = store.begin().await.expect("a transaction");
        for _ in 0..10 {
            jobs::enqueue(&mut tx, NewJob::new("mark", enqueued).lane(format!("chat:{}", enqueued % LANES))).await.expect("a job");
            enqueued += 1;
        }
        tx.commit().await.expect("a commit");
        if Instant::now() >= next_kill {
            let doomed = rand::random_range(0..workers.len());
            workers[doomed].kill().expect("it runs");
            workers[doomed].wait().expect("it ended");
            workers[doomed] = start_worker(url, names[doomed]);
            kills += 1;
            next_kill = Instant::now() + Duration::from_millis(rand::random_range(300..1700));
        }
    }
    let all_came = Instant::now();
    let left =
        async || jobs::unfinished(&mut store.read().await.expect("a transaction"), Duration::from_secs(3600)).await.expect("a count");
    while left().await > 0 && all_came.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut tx = store.read().await.expect("a transaction");
    let done = keys::list(&mut tx, TENANT, DONE, "").await.expect("a list");
    let twice = keys::list(&mut tx, TENANT, TWICE, "").await.expect("a list").len();
    let mut waits: Vec<u64> = done.iter().map(|(_, waited)| String::from_utf8_lossy(waited).parse().expect("milliseconds")).collect();
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    let lost = enqueued - done.len();
    println!(
        "{engine} under kill -9: {enqueued} jobs, {kills} kills of {} workers, {lost} lost, {twice} done twice; enqueue to end p50 {} ms, p99 {} ms, longest {} ms",
        names.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    for mut worker in workers {
        let _ = (worker.kill(), worker.wait());
    }
    assert!(lost == 0 && twice == 0 && at(1.0) <= 30_000, "jobs were lost, done twice or rescued late");
}
