//! SQLite's one writer, shared: transactions that wait for it while another one commits are written
//! to the disk together with it. Each is a savepoint of one transaction of the engine's, and none is
//! told that it has committed before that one has; the disk is awaited once for all of them.

use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::{Sqlite, SqliteConnection, pool::PoolConnection, sqlite::SqlitePool};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, oneshot},
};

/// Who writes: a pool of one connection, and the group that it writes for.
pub(crate) struct Writer {
    pool: SqlitePool,
    group: Arc<Mutex<Group>>,
    waiting: AtomicUsize,
    patience: Duration,
    /// Where groups are closed: a transaction may be dropped outside of any runtime.
    runtime: Handle,
}

#[derive(Default)]
struct Group {
    /// There while a transaction of the engine's is open.
    connection: Option<PoolConnection<Sqlite>>,
    /// Members that are done, and wait for the disk.
    done: Vec<oneshot::Sender<bool>>,
    /// The last member went without committing.
    dropped: Option<Dropped>,
    /// Somebody is about to write the group to the disk.
    closing: bool,
}

/// What is left of a member that did not commit.
enum Dropped {
    /// Its savepoint, to be rolled back.
    Savepoint,
    /// All: it was the first one, or the engine failed it and has perhaps rolled back everything.
    All,
}

impl Group {
    async fn execute(&mut self, sql: &'static str) -> sqlx::Result<()> {
        match &mut self.connection {
            Some(connection) => sqlx::query(sql).execute(&mut **connection).await.map(drop),
            None => Ok(()),
        }
    }

    /// Rolls back what the last member left.
    async fn tidy(&mut self) {
        let undone = match self.dropped.take() {
            None => return,
            Some(Dropped::Savepoint) => match self.execute("ROLLBACK TO member").await {
                Ok(()) => self.execute("RELEASE member").await,
                failed => failed,
            },
            Some(Dropped::All) => Err(lost()),
        };
        if undone.is_err() {
            // The engine may have done so itself.
            let _ = self.execute("ROLLBACK").await;
            self.end(false);
        }
    }

    /// Writes the engine's transaction to the disk and tells all members.
    async fn close(&mut self) -> sqlx::Result<()> {
        let written = self.execute("COMMIT").await;
        if written.is_err() {
            let _ = self.execute("ROLLBACK").await;
        }
        self.end(written.is_ok());
        written
    }

    fn end(&mut self, written: bool) {
        self.connection = None;
        for member in self.done.drain(..) {
            // Whoever no longer waits has given up.
            let _ = member.send(written);
        }
    }
}

/// The end of a transaction whose group was rolled back.
fn lost() -> sqlx::Error {
    sqlx::Error::Protocol("the transaction was rolled back with others that failed".to_owned())
}

/// Counts who waits, also where the waiting is given up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Writer {
    /// `patience`: how long a transaction waits for its turn. Needs a tokio runtime.
    pub(crate) fn new(pool: SqlitePool, patience: Duration) -> Arc<Self> {
        Arc::new(Self { pool, group: Arc::default(), waiting: AtomicUsize::new(0), patience, runtime: Handle::current() })
    }

    #[cfg(feature = "test-support")]
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// The next turn.
    pub(crate) async fn begin(self: &Arc<Self>) -> sqlx::Result<Member> {
        let waiting = Waiting::new(&self.waiting);
        let turn = tokio::time::timeout(self.patience, self.group.clone().lock_owned()).await;
        drop(waiting);
        let mut group = turn.map_err(|_| sqlx::Error::PoolTimedOut)?;
        group.tidy().await;
        let first = group.connection.is_none();
        let (sql, undo) = if first {
            group.connection = Some(self.pool.acquire().await?);
            // IMMEDIATE takes the write lock at once: a read that turns into a write could fail half-way.
            ("BEGIN IMMEDIATE", Dropped::All)
        } else {
            ("SAVEPOINT member", Dropped::Savepoint)
        };
        // Who gives up while the engine is at it leaves this behind.
        group.dropped = Some(undo);
        if let Err(error) = group.execute(sql).await {
            group.tidy().await;
            return Err(error);
        }
        let left = group.dropped.take().unwrap_or(Dropped::All);
        Ok(Member { group: Some(group), writer: self.clone(), left, first, broken: false })
    }

    /// Waits for the transactions under way and closes the connection.
    pub(crate) async fn close(&self) {
        self.group.lock().await.tidy().await;
        self.pool.close().await;
    }

    /// Writes the group to the disk when those who wait now have had their turns.
    fn close_soon(self: &Arc<Self>, group: &mut Group) {
        if !std::mem::replace(&mut group.closing, true) {
            let writer = self.clone();
            self.runtime.spawn(async move {
                let mut group = writer.group.lock().await;
                group.closing = false;
                group.tidy().await;
                if group.connection.is_some()
                    && let Err(error) = group.close().await
                {
                    tracing::warn!(%error, "transactions were not written");
                }
            });
        }
    }
}

/// A transaction that writes. Dropping it rolls it back, and no other.
pub(crate) struct Member {
    /// Taken at the end.
    group: Option<OwnedMutexGuard<Group>>,
    writer: Arc<Writer>,
    left: Dropped,
    first: bool,
    broken: bool,
}

impl Member {
    /// The engine failed this transaction, and may have rolled back everything.
    pub(crate) fn fail(&mut self) {
        self.broken = true;
        self.left = Dropped::All;
    }

    /// Returns when it is on the disk.
    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        let Some(group) = self.group.as_mut().filter(|_| !self.broken) else { return Err(lost()) };
        // Given up from here on, it is not known how far it came.
        self.left = Dropped::All;
        if !self.first {
            group.execute("RELEASE member").await?;
        }
        if self.writer.waiting.load(Ordering::Acquire) == 0 {
            let written = group.close().await;
            self.group = None;
            return written;
        }
        let (done, written) = oneshot::channel();
        group.done.push(done);
        self.writer.close_soon(group);
        self.group = None;
        match written.await {
            Ok(true) => Ok(()),
            _ => Err(lost()),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(mut group) = self.group.take() {
            group.dropped = Some(std::mem::replace(&mut self.left, Dropped::All));
            self.writer.close_soon(&mut group);
        }
    }
}

impl Deref for Member {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.group.as_ref().and_then(|group| group.connection.as_ref()).expect("a member has its turn until its end")
    }
}

impl DerefMut for Member {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.group.as_mut().and_then(|group| group.connection.as_mut()).expect("a member has its turn until its end")
    }
}
