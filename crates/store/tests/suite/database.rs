use std::time::{Duration, Instant};

use domain::CompanyId;
use store::{
    CompanyEvent, Store, StoreError, companies,
    jobs::{self, NewJob},
    testing::{self, Cluster, WriteLock},
    tokens,
};

use crate::{company, noon, registration, until};

on_both! {
    async fn what_is_not_committed_never_was(fresh) {
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let id = companies::upsert_registration(&mut tx, &registration(1), noon()).await.expect("a company");
        drop(tx);
        let mut tx = fresh.store.read().await.expect("a transaction");
        assert!(companies::get(&mut tx, id).await.expect("a look").is_none());
    }

    async fn a_reader_cannot_write(fresh) {
        let mut tx = fresh.store.read().await.expect("a transaction");
        let refused = companies::upsert_registration(&mut tx, &registration(1), noon()).await;
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
    }

    async fn a_reader_does_not_wait_for_a_writer(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut writer = fresh.store.begin().await.expect("a transaction");
        companies::set_last_payment(&mut writer, id, noon()).await.expect("a write");
        let mut reader = fresh.store.read().await.expect("a transaction");
        let seen = companies::get(&mut reader, id).await.expect("a look").expect("the company");
        assert_eq!(seen.last_payment_date, None, "uncommitted writes are not seen");
        writer.commit().await.expect("a commit");
    }

    async fn an_opened_database_opens_again_with_what_it_holds(fresh) {
        let id = company(&fresh.store, 1).await;
        fresh.store.close().await;
        let again = Store::open(&fresh.url).await.expect("a second opening");
        let mut tx = again.read().await.expect("a transaction");
        assert!(companies::get(&mut tx, id).await.expect("a look").is_some());
    }

    async fn nodes_that_start_together_migrate_once(fresh) {
        let opened = futures::future::join_all((0..4).map(|_| Store::open(&fresh.url))).await;
        for store in opened {
            store.expect("an opening").ping().await.expect("an answer");
        }
    }

    /// On SQLite those who wait together reach the disk together; each still stands or falls alone.
    async fn transactions_side_by_side_keep_apart(fresh) {
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let salon = company_in(&mut tx).await;
        tokens::issue(&mut tx, salon, "taken", noon(), noon()).await.expect("a write");
        tx.commit().await.expect("a commit");
        let crowd = (0..120).map(|n| {
            let store = fresh.store.clone();
            tokio::spawn(async move {
                let mut tx = store.begin().await.expect("a transaction");
                let salon = company_in(&mut tx).await;
                jobs::enqueue(&mut tx, NewJob::new("side", n)).await.expect("a write");
                match n % 4 {
                    0 => drop(tx),
                    1 => {
                        assert!(tokens::issue(&mut tx, salon, "taken", noon(), noon()).await.is_err(), "it is there already");
                    }
                    2 => {
                        let given_up = tokio::time::timeout(Duration::from_micros(50), store.begin()).await;
                        assert!(given_up.is_err() || store.engine() == "postgres", "nobody else writes meanwhile");
                        tx.commit().await.expect("a commit");
                    }
                    _ => tx.commit().await.expect("a commit"),
                }
            })
        });
        for task in crowd.collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
        // What was told committed is on the disk: another opening sees it, and no more.
        let again = Store::open(&fresh.url).await.expect("a second opening");
        let counts = jobs::counts(&mut again.read().await.expect("a transaction")).await.expect("counts");
        assert_eq!(counts[0].count, 60, "{counts:?}");
    }

    /// A request whose time ran out, a task that was ended: their connections serve others.
    async fn whoever_gives_up_while_a_transaction_begins_leaves_nothing_open(fresh) {
        for _ in 0..40 {
            let mut beginning = Box::pin(fresh.store.read());
            let _ = futures::poll!(&mut beginning);
            drop(beginning);
            // The connection goes back into the pool.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let crowd = (0..40).map(|n| {
            let store = fresh.store.clone();
            tokio::spawn(async move {
                let mut tx = store.begin().await.expect("a transaction");
                jobs::enqueue(&mut tx, NewJob::new("after", n)).await.expect("a write");
                tx.commit().await.expect("a commit");
            })
        });
        for task in crowd.collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
    }

    async fn events_go_out_after_the_commit_only(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut pages = fresh.store.bus().subscribe();
        let event = |kind: &str| CompanyEvent { company_id: id, kind: kind.to_owned(), payload: serde_json::json!({"done": 1}) };
        let mut dropped = fresh.store.begin().await.expect("a transaction");
        dropped.publish(event("never"));
        drop(dropped);
        let mut tx = fresh.store.begin().await.expect("a transaction");
        tx.publish(event("sync-progress"));
        assert!(pages.try_recv().is_err(), "not before the commit");
        tx.commit().await.expect("a commit");
        assert_eq!(pages.try_recv().expect("the event"), event("sync-progress"));
        assert!(pages.try_recv().is_err(), "and nothing else");
    }
}

#[tokio::test]
async fn other_addresses_are_refused() {
    for url in ["", "mysql://localhost/x", "sqlite::memory:", "sqlite://?mode=memory", "test.db"] {
        let opened = Store::open(url).await;
        assert!(matches!(opened, Err(StoreError::Address)), "{url}");
    }
}

fn news(n: i64) -> CompanyEvent {
    CompanyEvent { company_id: CompanyId(n), kind: "sync-progress".to_owned(), payload: serde_json::json!({"done": n}) }
}

/// Every node hears what one of them says, once and in order, and itself as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_nodes_hear_an_event() {
    let fresh = testing::postgres_database().await;
    let other = Store::open(&fresh.url).await.expect("a second node");
    let (mut here, mut there) = (fresh.store.bus().subscribe(), other.bus().subscribe());
    // The other node's ear opens in its own time.
    let ear = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            fresh.store.bus().tell_others(news(0));
            if tokio::time::timeout(Duration::from_millis(100), there.recv()).await.is_ok() {
                break;
            }
        }
    });
    ear.await.expect("the other node hears");
    assert!(here.try_recv().is_err(), "what is for others is not for us");
    let told = Instant::now();
    for n in 1..=50 {
        fresh.store.bus().publish(news(n));
    }
    for (mut ear, name) in [(here, "here"), (there, "there")] {
        let mut heard = Vec::new();
        while heard.len() < 50 {
            let event = tokio::time::timeout(Duration::from_secs(5), ear.recv()).await.expect("in time").expect("an event");
            heard.extend(Some(event.company_id.0).filter(|n| *n > 0));
        }
        assert_eq!(heard, (1..=50).collect::<Vec<_>>(), "{name}");
        assert!(ear.try_recv().is_err(), "{name}: once");
    }
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
}

/// The one company of a test, made on first need.
async fn company_in(tx: &mut store::Tx) -> CompanyId {
    companies::upsert_registration(tx, &registration(1), noon()).await.expect("a company")
}

async fn enqueue(store: &Store) -> store::Result<()> {
    let mut tx = store.begin().await?;
    jobs::enqueue(&mut tx, NewJob::new("x", "y".repeat(5_000))).await?;
    tx.commit().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_sqlite_says_so_and_goes_on_afterwards() {
    let fresh = testing::sqlite().await;
    fresh.store.ping().await.expect("well");
    let lock = WriteLock::take(&fresh.url).await;
    let asked = Instant::now();
    assert!(fresh.store.ping().await.is_err());
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    fresh.store.read().await.expect("who only reads does not wait");
    let waiting = tokio::spawn({
        let store = fresh.store.clone();
        async move { enqueue(&store).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "a write waits a while before it fails");
    lock.release().await;
    waiting.await.expect("no panic").expect("written after all");
    fresh.store.ping().await.expect("well again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_sqlite_says_so_and_goes_on_afterwards() {
    let fresh = testing::sqlite().await;
    testing::set_full(&fresh.store, true).await;
    let mut stored = 0;
    let refused = loop {
        match enqueue(&fresh.store).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 10_000, "it is full");
    };
    assert!(refused.is_outage() && refused.is_transient(), "{refused}");
    assert!(matches!(fresh.store.ping().await, Err(StoreError::Unavailable)));
    testing::set_full(&fresh.store, false).await;
    enqueue(&fresh.store).await.expect("room again");
    let left = jobs::counts(&mut fresh.store.read().await.expect("a transaction")).await.expect("counts");
    assert_eq!(left[0].count, stored + 1, "what was refused was not half stored");
    until("it forgets its trouble", async || fresh.store.ping().await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_went_away_comes_back() {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(true)).await.expect("a server");
    let url = cluster.database().await;
    let (store, other) = (Store::open(&url).await.expect("a database"), Store::open(&url).await.expect("a second node"));
    // Several connections, all of which will be dead.
    let opened = futures::future::join_all((0..6).map(|_| enqueue(&store))).await;
    assert!(opened.iter().all(Result::is_ok));
    let cluster = tokio::task::spawn_blocking(|| {
        cluster.stop_at_once();
        cluster
    })
    .await
    .expect("it stopped");
    let asked = Instant::now();
    assert!(store.ping().await.is_err());
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    let refused = enqueue(&store).await.expect_err("nothing is stored");
    assert!(refused.is_outage(), "{refused}");
    let cluster = tokio::task::spawn_blocking(|| {
        cluster.start_again();
        cluster
    });
    let _cluster = cluster.await.expect("it runs again");
    until("writes go through", async || enqueue(&store).await.is_ok()).await;
    let again = futures::future::join_all((0..16).map(|_| enqueue(&store))).await;
    assert!(again.iter().all(Result::is_ok), "no dead connection is given out: {again:?}");
    until("it says so", async || store.ping().await.is_ok()).await;
    let mut there = other.bus().subscribe();
    until("the other node is heard again", async || {
        store.bus().tell_others(news(1));
        tokio::time::timeout(Duration::from_millis(200), there.recv()).await.is_ok()
    })
    .await;
}
