use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use serde_json::json;
use store::{
    Store, StoreError,
    jobs::{self, Handler, Job, JobId, JobState, NewJob, Outcome, Runner},
    sessions,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{company, until};

/// A handler made of a function that answers at once or after a wait.
struct Does<F>(F);

impl<F: Fn(Job) -> BoxFuture<'static, Outcome> + Send + Sync> Handler for Does<F> {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        (self.0)(job.clone())
    }
}

fn does<O: Future<Output = Outcome> + Send + 'static>(run: impl Fn(Job) -> O + Send + Sync + 'static) -> Arc<dyn Handler> {
    Arc::new(Does(move |job| -> BoxFuture<'static, Outcome> { Box::pin(run(job)) }))
}

/// Writes down which jobs ran, by their payload, in the order of their starts.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, what: impl std::fmt::Display) {
        self.0.lock().expect("no panic").push(what.to_string());
    }

    fn read(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }

    fn handler(&self) -> Arc<dyn Handler> {
        let diary = self.clone();
        does(move |job| {
            diary.write(job.payload.as_str().unwrap_or_default());
            async { Outcome::Done }
        })
    }
}

/// A runner under way; dropping it kills it as `kill -9` would, as far as the database can see.
struct Running {
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(runner: Runner) -> Self {
        let cancel = CancellationToken::new();
        Self { task: tokio::spawn(runner.run(cancel.clone())), cancel }
    }

    async fn stop(mut self) {
        self.cancel.cancel();
        (&mut self.task).await.expect("an orderly end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn enqueue(store: &Store, job: NewJob) -> JobId {
    let mut tx = store.begin().await.expect("a transaction");
    let id = jobs::enqueue(&mut tx, job).await.expect("a job");
    tx.commit().await.expect("a commit");
    id
}

async fn put_off(store: &Store, job: NewJob) -> JobId {
    let mut tx = store.begin().await.expect("a transaction");
    let id = jobs::put_off(&mut tx, job).await.expect("a job");
    tx.commit().await.expect("a commit");
    id
}

async fn left(store: &Store) -> Vec<(String, JobState, i64)> {
    let mut tx = store.read().await.expect("a transaction");
    let counts = jobs::counts(&mut tx).await.expect("counts");
    counts.into_iter().map(|counts| (counts.kind, counts.state, counts.count)).collect()
}

async fn quiet(store: &Store) {
    until("the house is quiet", async || left(store).await.is_empty()).await;
}

on_both! {
    async fn an_enqueued_job_starts_at_once_and_leaves_nothing(fresh) {
        let diary = Diary::default();
        let running = Running::start(Runner::new(fresh.store.clone()).handler("greet", diary.handler(), 2));
        tokio::time::sleep(Duration::from_millis(100)).await;
        let started = Instant::now();
        enqueue(&fresh.store, NewJob::new("greet", "hello")).await;
        until("it ran", async || !diary.read().is_empty()).await;
        assert!(started.elapsed() < Duration::from_millis(400), "woken, not polled: {:?}", started.elapsed());
        quiet(&fresh.store).await;
        running.stop().await;
    }

    async fn a_job_of_a_transaction_rolled_back_never_was(fresh) {
        let mut tx = fresh.store.begin().await.expect("a transaction");
        jobs::enqueue(&mut tx, NewJob::new("greet", "hello")).await.expect("a job");
        drop(tx);
        assert_eq!(left(&fresh.store).await, []);
    }

    async fn a_delayed_job_waits_and_starts_in_time(fresh) {
        let diary = Diary::default();
        let running = Running::start(Runner::new(fresh.store.clone()).handler("greet", diary.handler(), 2));
        let started = Instant::now();
        enqueue(&fresh.store, NewJob::new("greet", "later").delay(Duration::from_millis(730))).await;
        until("it ran", async || !diary.read().is_empty()).await;
        let waited = started.elapsed();
        assert!((Duration::from_millis(729)..Duration::from_millis(1100)).contains(&waited), "{waited:?}");
        running.stop().await;
    }

    async fn a_key_is_enqueued_once_while_unfinished(fresh) {
        let job = || NewJob::new("sync", "x").key("company:1");
        let first = enqueue(&fresh.store, job()).await;
        assert_eq!(enqueue(&fresh.store, job()).await, first);
        assert_ne!(enqueue(&fresh.store, NewJob::new("sync", "x").key("company:2")).await, first);
        assert_ne!(enqueue(&fresh.store, NewJob::new("other", "x").key("company:1")).await, first);
        let gate = CancellationToken::new();
        let opened = gate.clone();
        let handler = does(move |_| {
            let gate = opened.clone();
            async move {
                gate.cancelled().await;
                Outcome::Done
            }
        });
        let running = Running::start(Runner::new(fresh.store.clone()).handler("sync", handler, 4));
        until("it runs", async || left(&fresh.store).await.contains(&("sync".to_owned(), JobState::Running, 2))).await;
        assert_eq!(enqueue(&fresh.store, job()).await, first, "also while it runs");
        gate.cancel();
        until("both are done", async || left(&fresh.store).await.len() == 1).await;
        assert_ne!(enqueue(&fresh.store, job()).await, first, "afterwards it is new");
        running.stop().await;
    }

    async fn many_who_enqueue_one_key_make_one_job(fresh) {
        let tasks = (0..16).map(|n| {
            let store = fresh.store.clone();
            tokio::spawn(async move {
                let job = NewJob::new("sync", "x").key("the same");
                if n % 2 == 0 { enqueue(&store, job).await } else { put_off(&store, job).await }
            })
        });
        let ids: Vec<JobId> = futures::future::join_all(tasks).await.into_iter().map(|id| id.expect("no panic")).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(left(&fresh.store).await, [("sync".to_owned(), JobState::Available, 1)]);
    }

    async fn putting_off_moves_the_waiting_one(fresh) {
        let diary = Diary::default();
        let running = Running::start(Runner::new(fresh.store.clone()).handler("answer", diary.handler(), 2));
        let job = |text: &str| NewJob::new("answer", text).key("chat:1").delay(Duration::from_millis(400));
        let first = put_off(&fresh.store, job("раз")).await;
        let started = Instant::now();
        for text in ["два", "три"] {
            tokio::time::sleep(Duration::from_millis(250)).await;
            assert_eq!(put_off(&fresh.store, job(text)).await, first);
        }
        until("it ran", async || !diary.read().is_empty()).await;
        assert!(started.elapsed() >= Duration::from_millis(880), "{:?}", started.elapsed());
        quiet(&fresh.store).await;
        assert_eq!(diary.read(), ["три"], "once, with the newest payload");
        running.stop().await;
    }

    async fn putting_off_has_an_end(fresh) {
        let diary = Diary::default();
        let running = Running::start(Runner::new(fresh.store.clone()).handler("answer", diary.handler(), 2));
        let latest = Duration::from_millis(500);
        let job = || NewJob::new("answer", "burst").key("chat:1").delay(Duration::from_secs(600)).at_the_latest(latest);
        put_off(&fresh.store, job().delay(Duration::from_millis(400))).await;
        put_off(&fresh.store, job()).await;
        until("it ran", async || !diary.read().is_empty()).await;
        quiet(&fresh.store).await;
        running.stop().await;
    }

    async fn putting_off_a_running_one_queues_a_second_behind_it(fresh) {
        let diary = Diary::default();
        let running = {
            let (diary, store) = (diary.clone(), fresh.store.clone());
            let handler = does(move |job| {
                let (diary, store) = (diary.clone(), store.clone());
                async move {
                    let text = job.payload.as_str().unwrap_or_default().to_owned();
                    diary.write(format!("{text} starts"));
                    if text == "first" {
                        // A message comes in while the turn is taken.
                        let second = put_off(&store, NewJob::new("answer", "second").key("chat:1").lane("chat:1")).await;
                        assert_ne!(second, job.id);
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    diary.write(format!("{text} ends"));
                    Outcome::Done
                }
            });
            Running::start(Runner::new(fresh.store.clone()).handler("answer", handler, 4))
        };
        put_off(&fresh.store, NewJob::new("answer", "first").key("chat:1").lane("chat:1")).await;
        until("both ran", async || diary.read().len() == 4).await;
        assert_eq!(diary.read(), ["first starts", "first ends", "second starts", "second ends"]);
        running.stop().await;
    }

    async fn a_retried_one_takes_in_the_one_behind_it(fresh) {
        let diary = Diary::default();
        let (book, store) = (diary.clone(), fresh.store.clone());
        let handler = does(move |job| {
            let (diary, store) = (book.clone(), store.clone());
            async move {
                diary.write(format!("{} {}", job.payload.as_str().unwrap_or_default(), job.attempt));
                if job.attempt == 1 {
                    put_off(&store, NewJob::new("answer", "newer").key("chat:1").lane("chat:1")).await;
                    return Outcome::Retry { error: "no luck".to_owned(), after: Some(Duration::from_millis(50)) };
                }
                Outcome::Done
            }
        });
        let running = Running::start(Runner::new(fresh.store.clone()).handler("answer", handler, 4));
        put_off(&fresh.store, NewJob::new("answer", "older").key("chat:1").lane("chat:1")).await;
        until("it ran twice", async || diary.read().len() == 2).await;
        quiet(&fresh.store).await;
        assert_eq!(diary.read(), ["older 1", "newer 2"], "one job with the newest payload that remembers its tries");
        running.stop().await;
    }

    async fn a_lane_is_done_in_order_one_at_a_time_by_two_runners(fresh) {
        const LANES: usize = 12;
        const EACH: usize = 15;
        let diary = Diary::default();
        let busy: Arc<Vec<AtomicUsize>> = Arc::new((0..LANES).map(|_| AtomicUsize::new(0)).collect());
        let handler = || {
            let (diary, busy) = (diary.clone(), busy.clone());
            does(move |job| {
                let (diary, busy) = (diary.clone(), busy.clone());
                async move {
                    let (lane, number): (usize, usize) = job.payload().expect("two numbers");
                    assert_eq!(busy[lane].fetch_add(1, Ordering::SeqCst), 0, "two at once in lane {lane}");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    busy[lane].fetch_sub(1, Ordering::SeqCst);
                    // Every fifth fails once: whoever is behind it must wait.
                    if number % 5 == 0 && job.attempt == 1 {
                        return Outcome::Retry { error: "once".to_owned(), after: Some(Duration::from_millis(15)) };
                    }
                    diary.write(format!("{lane}:{number}"));
                    Outcome::Done
                }
            })
        };
        let second = Store::open(&fresh.url).await.expect("a second node");
        let runners = [(fresh.store.clone(), "one"), (second, "two")].map(|(store, node)| {
            Running::start(Runner::new(store).node(node).handler("even", handler(), 5).handler("odd", handler(), 5))
        });
        for number in 0..EACH {
            for lane in 0..LANES {
                // A lane holds jobs of several kinds.
                let kind = if number % 2 == 0 { "even" } else { "odd" };
                enqueue(&fresh.store, NewJob::new(kind, (lane, number)).lane(format!("chat:{lane}"))).await;
            }
        }
        until("all are done", async || diary.read().len() >= LANES * EACH).await;
        quiet(&fresh.store).await;
        let mut lanes: HashMap<String, Vec<usize>> = HashMap::new();
        for entry in diary.read() {
            let (lane, number) = entry.split_once(':').expect("lane:number");
            lanes.entry(lane.to_owned()).or_default().push(number.parse().expect("a number"));
        }
        for (lane, numbers) in lanes {
            assert_eq!(numbers, (0..EACH).collect::<Vec<_>>(), "lane {lane}");
        }
        for running in runners {
            running.stop().await;
        }
    }

    async fn a_job_that_is_not_due_yet_holds_nobody_up(fresh) {
        let diary = Diary::default();
        enqueue(&fresh.store, NewJob::new("greet", "delayed").lane("chat:1").delay(Duration::from_millis(700))).await;
        enqueue(&fresh.store, NewJob::new("greet", "prompt").lane("chat:1")).await;
        let running = Running::start(Runner::new(fresh.store.clone()).handler("greet", diary.handler(), 2));
        quiet(&fresh.store).await;
        assert_eq!(diary.read(), ["prompt", "delayed"]);
        running.stop().await;
    }

    async fn urgent_ones_first(fresh) {
        let diary = Diary::default();
        for (text, priority) in [("usual", 0), ("bulk", 10), ("urgent", -10)] {
            enqueue(&fresh.store, NewJob::new("greet", text).priority(priority)).await;
        }
        let running = Running::start(Runner::new(fresh.store.clone()).handler("greet", diary.handler(), 1));
        quiet(&fresh.store).await;
        assert_eq!(diary.read(), ["urgent", "usual", "bulk"]);
        running.stop().await;
    }

    async fn no_more_at_once_than_allowed(fresh) {
        let (busy, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (b, m) = (busy.clone(), most.clone());
        let handler = does(move |_| {
            let (busy, most) = (b.clone(), m.clone());
            async move {
                most.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                busy.fetch_sub(1, Ordering::SeqCst);
                Outcome::Done
            }
        });
        for n in 0..30 {
            enqueue(&fresh.store, NewJob::new("greet", n)).await;
        }
        let running = Running::start(Runner::new(fresh.store.clone()).handler("greet", handler, 3));
        quiet(&fresh.store).await;
        assert_eq!(most.load(Ordering::SeqCst), 3);
        running.stop().await;
    }

    async fn work_and_its_end_commit_together(fresh) {
        let salon = company(&fresh.store, 1).await;
        let store = fresh.store.clone();
        let handler = does(move |job| {
            let store = store.clone();
            async move {
                let mut tx = store.begin().await.expect("a transaction");
                store::notifications::enter(&mut tx, salon, "welcome", "1", crate::noon()).await.expect("a write");
                jobs::complete(&mut tx, &job).await.expect("our claim");
                tx.commit().await.expect("a commit");
                Outcome::Completed
            }
        });
        let running = Running::start(Runner::new(fresh.store.clone()).handler("welcome", handler, 1));
        enqueue(&fresh.store, NewJob::new("welcome", ()).company(salon)).await;
        quiet(&fresh.store).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert!(!store::notifications::enter(&mut tx, salon, "welcome", "1", crate::noon()).await.expect("a look"));
        drop(tx);
        running.stop().await;
    }

    async fn who_lost_the_claim_cannot_commit(fresh) {
        let salon = company(&fresh.store, 1).await;
        let gate = CancellationToken::new();
        let fenced = Diary::default();
        let (opened, book, store) = (gate.clone(), fenced.clone(), fresh.store.clone());
        let sleeper = does(move |job| {
            let (gate, diary, store) = (opened.clone(), book.clone(), store.clone());
            // On its own feet: it outlives its runner, as one that sleeps outlives its leases.
            tokio::spawn(async move {
                diary.write("asleep");
                gate.cancelled().await;
                let mut tx = store.begin().await.expect("a transaction");
                match jobs::hold(&mut tx, &job).await {
                    Err(StoreError::Fenced) => diary.write("not held"),
                    other => diary.write(format!("{other:?}")),
                }
                store::notifications::enter(&mut tx, salon, "late", "1", crate::noon()).await.expect("a write");
                match jobs::complete(&mut tx, &job).await {
                    Err(StoreError::Fenced) => diary.write("fenced"),
                    other => diary.write(format!("{other:?}")),
                }
            });
            std::future::pending::<Outcome>()
        });
        // What is left of a process that was stopped (SIGSTOP) when its successor comes, under its name.
        let stopped = Running::start(Runner::new(fresh.store.clone()).node("n").handler("book", sleeper, 1));
        enqueue(&fresh.store, NewJob::new("book", "once").company(salon)).await;
        until("it sleeps", async || fenced.read() == ["asleep"]).await;
        drop(stopped);
        let (diary, finish) = (Diary::default(), CancellationToken::new());
        let (book, finished) = (diary.clone(), finish.clone());
        let handler = does(move |_| {
            let (diary, finish) = (book.clone(), finished.clone());
            async move {
                diary.write("taken over");
                finish.cancelled().await;
                Outcome::Done
            }
        });
        let successor = Running::start(Runner::new(fresh.store.clone()).node("n").handler("book", handler, 1));
        until("the successor has it", async || diary.read() == ["taken over"]).await;
        gate.cancel();
        until("the sleeper was refused", async || fenced.read() == ["asleep", "not held", "fenced"]).await;
        assert_eq!(left(&fresh.store).await, [("book".to_owned(), JobState::Running, 1)], "the successor's claim stands");
        finish.cancel();
        quiet(&fresh.store).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert!(store::notifications::enter(&mut tx, salon, "late", "1", crate::noon()).await.expect("a look"), "its work was rolled back");
        drop(tx);
        successor.stop().await;
    }

    async fn a_dead_node_s_jobs_are_rescued_within_half_a_minute(fresh) {
        let claimed = Diary::default();
        let book = claimed.clone();
        let lease = Arc::new(Mutex::new(None));
        let kept = lease.clone();
        let hangs = does(move |job| {
            *kept.lock().expect("nobody panicked") = Some(job.lease);
            book.write("claimed");
            std::future::pending::<Outcome>()
        });
        let doomed = Running::start(Runner::new(fresh.store.clone()).node("one").handler("book", hangs, 1));
        enqueue(&fresh.store, NewJob::new("book", "once").lane("chat:1")).await;
        enqueue(&fresh.store, NewJob::new("book", "twice").lane("chat:1")).await;
        until("it is claimed", async || claimed.read() == ["claimed"]).await;
        let diary = Diary::default();
        let other = Running::start(Runner::new(fresh.store.clone()).node("two").handler("book", diary.handler(), 2));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(diary.read().is_empty(), "a living node keeps its job");
        let stands = || lease.lock().expect("nobody panicked").as_ref().is_some_and(jobs::Lease::stands);
        assert!(stands(), "and may work on it");
        drop(doomed);
        let died = Instant::now();
        until("the other node did both", async || diary.read() == ["once", "twice"]).await;
        assert!(died.elapsed() < Duration::from_secs(30), "{:?}", died.elapsed());
        assert!(!stands(), "whoever has lost a job knows it by its own clock");
        other.stop().await;
    }

    async fn after_its_last_try_it_is_dead_until_replayed(fresh) {
        let works = CancellationToken::new();
        let opened = works.clone();
        let handler = does(move |job| {
            let works = opened.is_cancelled();
            async move {
                if works { Outcome::Done } else { Outcome::Retry { error: format!("try {}", job.attempt), after: Some(Duration::ZERO) } }
            }
        });
        let running = Running::start(Runner::new(fresh.store.clone()).handler("book", handler, 1));
        let id = enqueue(&fresh.store, NewJob::new("book", ()).max_attempts(3).lane("chat:1").key("k")).await;
        until("it is dead", async || left(&fresh.store).await == [("book".to_owned(), JobState::Dead, 1)]).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let dead = jobs::dead(&mut tx, 10).await.expect("a list");
        assert_eq!((dead[0].id, dead[0].attempt, dead[0].error.as_deref()), (id, 3, Some("try 3")));
        works.cancel();
        assert!(jobs::replay(&mut tx, id).await.expect("an answer"));
        assert!(!jobs::replay(&mut tx, id).await.expect("an answer"), "it waits already");
        tx.commit().await.expect("a commit");
        quiet(&fresh.store).await;
        running.stop().await;
    }

    async fn a_dead_one_is_not_replayed_beside_its_like(fresh) {
        let handler = does(|_| async { Outcome::retry("no") });
        let running = Running::start(Runner::new(fresh.store.clone()).handler("book", handler, 1));
        let dead = enqueue(&fresh.store, NewJob::new("book", ()).max_attempts(1).key("k")).await;
        until("it is dead", async || left(&fresh.store).await == [("book".to_owned(), JobState::Dead, 1)]).await;
        running.stop().await;
        enqueue(&fresh.store, NewJob::new("book", ()).key("k")).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert!(!jobs::replay(&mut tx, dead).await.expect("an answer"));
    }

    async fn a_snooze_is_no_try_and_keeps_the_place(fresh) {
        let diary = Diary::default();
        let (book, count) = (diary.clone(), Arc::new(AtomicUsize::new(0)));
        let handler = does(move |job| {
            let (diary, count) = (book.clone(), count.clone());
            async move {
                let text = job.payload.as_str().unwrap_or_default().to_owned();
                if text == "first" && count.fetch_add(1, Ordering::SeqCst) < 3 {
                    return Outcome::Snooze(Duration::from_millis(30));
                }
                diary.write(format!("{text} {}", job.attempt));
                Outcome::Done
            }
        });
        enqueue(&fresh.store, NewJob::new("send", "first").lane("chat:1").max_attempts(2)).await;
        enqueue(&fresh.store, NewJob::new("send", "second").lane("chat:1")).await;
        let running = Running::start(Runner::new(fresh.store.clone()).handler("send", handler, 2));
        quiet(&fresh.store).await;
        assert_eq!(diary.read(), ["first 1", "second 1"]);
        running.stop().await;
    }

    async fn a_discarded_one_is_not_tried_again_and_frees_its_lane(fresh) {
        let diary = Diary::default();
        let book = diary.clone();
        let handler = does(move |job| {
            let text = job.payload.as_str().unwrap_or_default().to_owned();
            book.write(&text);
            async move { if text == "useless" { Outcome::Discard { reason: "too old".to_owned() } } else { Outcome::Done } }
        });
        enqueue(&fresh.store, NewJob::new("send", "useless").lane("chat:1")).await;
        enqueue(&fresh.store, NewJob::new("send", "useful").lane("chat:1")).await;
        let running = Running::start(Runner::new(fresh.store.clone()).handler("send", handler, 2));
        until("the lane is free", async || left(&fresh.store).await == [("send".to_owned(), JobState::Discarded, 1)]).await;
        assert_eq!(diary.read(), ["useless", "useful"]);
        running.stop().await;
    }

    async fn a_panic_is_a_failed_try(fresh) {
        let diary = Diary::default();
        let book = diary.clone();
        let handler = does(move |job| {
            book.write(job.attempt);
            async move {
                assert!(job.attempt > 1, "on purpose");
                Outcome::Done
            }
        });
        enqueue(&fresh.store, NewJob::new("send", ())).await;
        let running = Running::start(Runner::new(fresh.store.clone()).handler("send", handler, 1));
        quiet(&fresh.store).await;
        assert_eq!(diary.read(), ["1", "2"]);
        running.stop().await;
    }

    async fn an_overlong_one_is_a_failed_try(fresh) {
        let handler = does(|job| async move {
            if job.attempt == 1 {
                std::future::pending::<()>().await;
            }
            Outcome::Done
        });
        enqueue(&fresh.store, NewJob::new("send", ())).await;
        let running = Running::start(Runner::new(fresh.store.clone()).timeout(Duration::from_millis(100)).handler("send", handler, 1));
        quiet(&fresh.store).await;
        running.stop().await;
    }

    async fn what_waited_for_long_starts_when_it_is_told_to(fresh) {
        let (one, two) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let diary = Diary::default();
        let running = Running::start(Runner::new(fresh.store.clone()).handler("send", diary.handler(), 2));
        for (company, text) in [(one, "ours"), (two, "theirs")] {
            enqueue(&fresh.store, NewJob::new("send", text).company(company).delay(Duration::from_secs(600))).await;
        }
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(jobs::hasten(&mut tx, "welcome", one).await.expect("a write"), 0);
        assert_eq!(jobs::hasten(&mut tx, "send", one).await.expect("a write"), 1);
        tx.commit().await.expect("a commit");
        until("it ran", async || left(&fresh.store).await == [("send".to_owned(), JobState::Available, 1)]).await;
        assert_eq!(diary.read(), ["ours"]);
        running.stop().await;
    }

    async fn a_company_s_jobs_go_with_it(fresh) {
        let (one, two) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let (gate, started) = (CancellationToken::new(), Diary::default());
        let (opened, book) = (gate.clone(), started.clone());
        let handler = does(move |job| {
            let gate = opened.clone();
            book.write(job.payload);
            async move {
                gate.cancelled().await;
                Outcome::Snooze(Duration::ZERO)
            }
        });
        let running = Running::start(Runner::new(fresh.store.clone()).handler("sync", handler, 1));
        enqueue(&fresh.store, NewJob::new("sync", "runs").company(one)).await;
        until("it runs", async || !started.read().is_empty()).await;
        enqueue(&fresh.store, NewJob::new("sync", "waits").company(one)).await;
        enqueue(&fresh.store, NewJob::new("later", "stays").company(two)).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(jobs::pending(&mut tx, one, None).await.expect("a count"), 2);
        assert_eq!(jobs::cancel_company(&mut tx, one).await.expect("a write"), 1);
        tx.commit().await.expect("a commit");
        gate.cancel();
        let rest = [("later".to_owned(), JobState::Available, 1), ("sync".to_owned(), JobState::Discarded, 1)];
        until("the running one does not come back", async || left(&fresh.store).await == rest).await;
        assert_eq!(started.read().len(), 1);
        running.stop().await;
    }

    async fn a_shutdown_lets_jobs_finish(fresh) {
        let diary = Diary::default();
        let book = diary.clone();
        let handler = does(move |_| {
            let diary = book.clone();
            async move {
                diary.write("starts");
                tokio::time::sleep(Duration::from_millis(300)).await;
                diary.write("ends");
                Outcome::Done
            }
        });
        let running = Running::start(Runner::new(fresh.store.clone()).handler("send", handler, 2));
        enqueue(&fresh.store, NewJob::new("send", ())).await;
        until("it runs", async || diary.read() == ["starts"]).await;
        running.stop().await;
        assert_eq!(diary.read(), ["starts", "ends"]);
        assert_eq!(left(&fresh.store).await, []);
    }

    async fn a_shutdown_gives_back_what_hangs(fresh) {
        let diary = Diary::default();
        let book = diary.clone();
        let hangs = does(move |_| {
            book.write("starts");
            std::future::pending::<Outcome>()
        });
        let running = Running::start(Runner::new(fresh.store.clone()).handler("send", hangs, 2));
        enqueue(&fresh.store, NewJob::new("send", "x")).await;
        until("it runs", async || diary.read() == ["starts"]).await;
        running.stop().await;
        assert_eq!(left(&fresh.store).await, [("send".to_owned(), JobState::Available, 1)], "at once, not when its lease runs out");
        let other = Running::start(Runner::new(fresh.store.clone()).node("two").handler("send", diary.handler(), 1));
        quiet(&fresh.store).await;
        assert_eq!(diary.read(), ["starts", "x"]);
        other.stop().await;
    }

    async fn what_needs_the_session_is_done_where_it_runs(fresh) {
        let (ours, theirs, nobodys) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await, company(&fresh.store, 3).await);
        let mut tx = fresh.store.begin().await.expect("a transaction");
        sessions::acquire(&mut tx, ours, "one", Duration::from_secs(60)).await.expect("an answer").expect("it is free");
        let lease = sessions::acquire(&mut tx, theirs, "two", Duration::from_secs(60)).await.expect("an answer").expect("it is free");
        tx.commit().await.expect("a commit");
        let diary = Diary::default();
        let one = Runner::new(fresh.store.clone()).node("one").handler_with_session("send", diary.handler(), 1).handler("sync", diary.handler(), 1);
        let one = Running::start(one);
        for (n, salon) in [theirs, ours, nobodys].into_iter().enumerate() {
            enqueue(&fresh.store, NewJob::new("send", n.to_string()).company(salon).priority(i16::try_from(n).expect("few"))).await;
        }
        enqueue(&fresh.store, NewJob::new("sync", "anywhere").company(theirs)).await;
        until("all but theirs are done", async || diary.read().len() == 3).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let mut done = diary.read();
        done.sort();
        assert_eq!(done, ["1", "2", "anywhere"], "theirs waits for its node");
        // Its node gives it up: now anybody may.
        let mut tx = fresh.store.begin().await.expect("a transaction");
        sessions::release(&mut tx, &lease).await.expect("a release");
        tx.commit().await.expect("a commit");
        quiet(&fresh.store).await;
        assert_eq!(diary.read().last().map(String::as_str), Some("0"));
        one.stop().await;
    }

    async fn how_much_is_left(fresh) {
        let salon = company(&fresh.store, 1).await;
        enqueue(&fresh.store, NewJob::new("a", json!({"n": 1})).company(salon).lane("chat:1")).await;
        enqueue(&fresh.store, NewJob::new("a", ()).company(salon).lane("chat:2")).await;
        enqueue(&fresh.store, NewJob::new("b", ()).company(salon).delay(Duration::from_secs(60))).await;
        let mut tx = fresh.store.read().await.expect("a transaction");
        assert_eq!(jobs::pending(&mut tx, salon, None).await.expect("a count"), 3);
        assert_eq!(jobs::pending(&mut tx, salon, Some("chat:1")).await.expect("a count"), 1);
        assert_eq!(jobs::unfinished(&mut tx, Duration::ZERO).await.expect("a count"), 2);
        assert_eq!(jobs::unfinished(&mut tx, Duration::from_secs(61)).await.expect("a count"), 3);
        drop(tx);
        assert_eq!(left(&fresh.store).await, [("a".to_owned(), JobState::Available, 2), ("b".to_owned(), JobState::Available, 1)]);
    }
}

/// Another node's runner hears of work by NOTIFY and need not wait for its poll.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_is_woken() {
    let fresh = store::testing::postgres_database().await;
    let other = Store::open(&fresh.url).await.expect("a second node");
    let diary = Diary::default();
    let running = Running::start(Runner::new(other).handler("greet", diary.handler(), 1));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut waits = Vec::new();
    for n in 0..10 {
        let started = Instant::now();
        enqueue(&fresh.store, NewJob::new("greet", n.to_string())).await;
        until("it ran", async || diary.read().len() > n).await;
        waits.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(37)).await;
    }
    waits.sort();
    assert!(waits[7] < Duration::from_millis(150), "woken, not polled every 500 ms: {waits:?}");
    running.stop().await;
}

/// Two processes that were given one name by mistake do not take each other's jobs for abandoned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_one_living_node_s() {
    let fresh = store::testing::postgres_database().await;
    let diary = Diary::default();
    let book = diary.clone();
    let hangs = does(move |_| {
        book.write("starts");
        std::future::pending::<Outcome>()
    });
    let first = Running::start(Runner::new(fresh.store.clone()).node("same").handler("book", hangs, 1));
    enqueue(&fresh.store, NewJob::new("book", "again")).await;
    until("it runs", async || diary.read() == ["starts"]).await;
    let store = Store::open(&fresh.url).await.expect("a second node");
    let second = Running::start(Runner::new(store).node("same").handler("book", diary.handler(), 1));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(diary.read(), ["starts"], "the first one lives and keeps its job");
    let died = Instant::now();
    drop(first);
    until("the second took it over", async || diary.read() == ["starts", "again"]).await;
    assert!(died.elapsed() < Duration::from_secs(12), "its name is free, so nobody waits for leases: {:?}", died.elapsed());
    second.stop().await;
}
