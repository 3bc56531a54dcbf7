use std::{
    ops::{Deref, DerefMut},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sqlx::{
    Connection as _, Postgres, Sqlite, SqliteConnection, Transaction,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous},
};

use tokio_util::sync::CancellationToken;

use crate::{
    Bus, CompanyEvent, Result, StoreError, dialect,
    jobs::wake::{Wake, Wakes},
    machine_now, migrate,
    relay::Relay,
    writer::{Member, Writer},
};

/// How long a caller waits for a connection before it hears that there is none.
const ACQUIRE: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
/// SQLite's log is brought into its file so often, beside the writers, which would otherwise wait
/// for it in the midst of a commit; they do it themselves only when it has grown to 80 MB.
const CHECKPOINT: Duration = Duration::from_millis(500);
const CHECKPOINT_PAGES: &str = "20000";
const POSTGRES_CONNECTIONS: u32 = 16;
/// A connection that was idle for so long is asked whether it still stands before it is used.
const IDLE: Duration = Duration::from_secs(2);
/// A transaction in which nothing happened for so long belongs to a process that was stopped or cut off:
/// PostgreSQL ends it, so that others get at the rows that it has locked.
const STALLED: Duration = Duration::from_secs(5);
/// How long the database may take to answer [`Store::ping`].
const PING: Duration = Duration::from_secs(3);
/// For so long after a failure of the database [`Store::ping`] tells of it.
const TROUBLE: Duration = Duration::from_secs(10);

/// The database: SQLite inside the process, or PostgreSQL when several nodes share the work. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    engine: Engine,
    bus: Bus,
    wakes: Wakes,
    /// When the database last could not do what was asked.
    trouble: Mutex<Option<Instant>>,
    /// Ends what speaks with other nodes.
    closed: CancellationToken,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

enum Engine {
    /// SQLite knows one writer at a time; the rest wait in line instead of failing with SQLITE_BUSY.
    Sqlite {
        writer: Arc<Writer>,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Store {
    /// Opens `sqlite://PATH` (created when missing) or `postgres://…` and migrates the schema.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Address`] for another scheme; [`StoreError::Migration`] when the schema is
    /// newer than this program or was changed by hand; [`StoreError::Database`] when the engine fails.
    pub async fn open(url: &str) -> Result<Self> {
        let closed = CancellationToken::new();
        let engine = if url.starts_with("sqlite:") {
            open_sqlite(url, closed.clone()).await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url)
                .map_err(|_| StoreError::Address)?
                .application_name("ai-admin")
                .options([("idle_in_transaction_session_timeout", STALLED.as_millis().to_string())]);
            let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(ACQUIRE).test_before_acquire(false);
            // After a restart of the server every idle connection is dead.
            let pool = pool
                .before_acquire(|connection, meta| Box::pin(async move { Ok(meta.idle_for < IDLE || connection.ping().await.is_ok()) }));
            Engine::Postgres(pool.connect_with(options).await?)
        } else {
            return Err(StoreError::Address);
        };
        let (wakes, events) = (Wakes::channel(), Bus::channel());
        let others = match &engine {
            Engine::Sqlite { .. } => None,
            Engine::Postgres(pool) => Some(Relay::start(pool.clone(), wakes.clone(), events.clone(), closed.clone())),
        };
        let (wakes, bus) = (Wakes::new(wakes, others.clone()), Bus::new(events, others));
        let store = Self(Arc::new(Shared { engine, bus, wakes, trouble: Mutex::default(), closed }));
        let mut tx = store.begin().await?;
        migrate::run(&mut tx).await?;
        tx.commit().await?;
        Ok(store)
    }

    /// A transaction that writes. On SQLite there is one at a time and the others wait in line:
    /// keep it short, await nothing but the database in it, and never open a second one inside.
    /// Those that wait at the same time reach the disk together.
    ///
    /// # Errors
    /// [`StoreError::Database`], transient when no connection came free in ten seconds.
    pub async fn begin(&self) -> Result<Tx> {
        let connection = match &self.0.engine {
            Engine::Sqlite { writer, .. } => writer.begin().await.map(|member| Connection::Sqlite(SqliteTx::Writing(member))),
            Engine::Postgres(pool) => postgres_tx(pool, "BEGIN").await,
        };
        self.tx(connection)
    }

    /// A transaction for what may be undone by a crash of PostgreSQL, though not by one of ours: the
    /// claims of jobs, which such a crash takes back, and the ends of those whose handlers left no trace.
    pub(crate) async fn begin_lossy(&self) -> Result<Tx> {
        match &self.0.engine {
            Engine::Sqlite { .. } => self.begin().await,
            Engine::Postgres(pool) => self.tx(postgres_tx(pool, dialect::POSTGRES_BEGIN_LOSSY).await),
        }
    }

    /// A transaction that only reads, all of it as of one moment: never waits for writers, and a write in it fails.
    ///
    /// # Errors
    /// As [`Store::begin`].
    pub async fn read(&self) -> Result<Tx> {
        let connection = match &self.0.engine {
            Engine::Sqlite { readers, .. } => readers.begin().await.map(|tx| Connection::Sqlite(SqliteTx::Reading(tx))),
            Engine::Postgres(pool) => postgres_tx(pool, dialect::POSTGRES_BEGIN_READING).await,
        };
        self.tx(connection)
    }

    /// The database can be written to, and nothing failed for its sake in the last ten seconds.
    /// Answers within three seconds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], or whatever keeps it from answering.
    pub async fn ping(&self) -> Result<()> {
        let answer = async {
            let mut tx = self.begin().await?;
            row!(tx, (i64,), "SELECT CAST(1 AS BIGINT)").map(drop)
        };
        tokio::time::timeout(PING, answer).await.map_err(|_| StoreError::Unavailable)??;
        let trouble = *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_some_and(|at| at.elapsed() < TROUBLE) { Err(StoreError::Unavailable) } else { Ok(()) }
    }

    /// The event bus.
    pub fn bus(&self) -> &Bus {
        &self.0.bus
    }

    /// `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        match self.0.engine {
            Engine::Sqlite { .. } => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Waits for transactions under way and closes the database. Later calls fail.
    pub async fn close(&self) {
        self.0.closed.cancel();
        match &self.0.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) fn wakes(&self) -> &Wakes {
        &self.0.wakes
    }

    pub(crate) fn postgres(&self) -> Option<&PgPool> {
        match &self.0.engine {
            Engine::Sqlite { .. } => None,
            Engine::Postgres(pool) => Some(pool),
        }
    }

    #[cfg(feature = "test-support")]
    pub(crate) fn sqlite_writer(&self) -> Option<&SqlitePool> {
        match &self.0.engine {
            Engine::Sqlite { writer, .. } => Some(writer.pool()),
            Engine::Postgres(_) => None,
        }
    }

    fn tx(&self, connection: sqlx::Result<Connection>) -> Result<Tx> {
        let connection = connection.map_err(|error| self.failed(error))?;
        Ok(Tx { connection, store: self.clone(), now: None, wakes: Vec::new(), events: Vec::new() })
    }

    /// Remembers that the database was away.
    fn failed(&self, error: sqlx::Error) -> StoreError {
        let error = StoreError::from(error);
        if error.is_outage() {
            *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        error
    }
}

/// Begins in a task of its own, which goes on when the caller gives up. sqlx 0.9 forgets a BEGIN that was
/// under way then: the next one to get the connection would be inside that transaction, which may be
/// read-only or less durable than the one it asked for.
async fn postgres_tx(pool: &PgPool, begin: &'static str) -> sqlx::Result<Connection> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(begin).await });
    begun.await.map_err(|_| sqlx::Error::WorkerCrashed)?.map(Connection::Postgres)
}

async fn open_sqlite(url: &str, closed: CancellationToken) -> Result<Engine> {
    let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Address)?;
    // Reader and writer are connections of their own, so a database in memory would be two.
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::Address);
    }
    if let Some(folder) = options.get_filename().parent() {
        std::fs::create_dir_all(folder).map_err(sqlx::Error::Io)?;
    }
    let options = options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: what was committed survives a loss of power, since WhatsApp is acknowledged after it.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .busy_timeout(ACQUIRE);
    let pool = |connections: u32| {
        let pool = SqlitePoolOptions::new().min_connections(1).max_connections(connections).acquire_timeout(ACQUIRE);
        pool.test_before_acquire(false).idle_timeout(None).max_lifetime(None)
    };
    let writer = pool(1).connect_with(options.clone()).await?;
    let options = options.create_if_missing(false);
    let readers = pool(SQLITE_READERS).connect_with(options.clone().pragma("query_only", "ON")).await?;
    tokio::spawn(closed.run_until_cancelled_owned(checkpoint(options)));
    Ok(Engine::Sqlite { writer: Writer::new(writer, ACQUIRE), readers })
}

/// Brings SQLite's log into its file, over and over, as far as no reader needs it.
async fn checkpoint(options: SqliteConnectOptions) {
    loop {
        let done = async {
            let mut connection = SqliteConnection::connect_with(&options).await?;
            loop {
                tokio::time::sleep(CHECKPOINT).await;
                sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut connection).await?;
            }
        };
        let failed: sqlx::Result<std::convert::Infallible> = done.await;
        let Err(error) = failed;
        tracing::debug!(%error, "SQLite's log waits");
        tokio::time::sleep(CHECKPOINT).await;
    }
}

/// A transaction. Dropping it rolls back.
pub struct Tx {
    connection: Connection,
    store: Store,
    now: Option<i64>,
    wakes: Vec<Wake>,
    events: Vec<CompanyEvent>,
}

pub(crate) enum Connection {
    Sqlite(SqliteTx),
    Postgres(Transaction<'static, Postgres>),
}

pub(crate) enum SqliteTx {
    Reading(Transaction<'static, Sqlite>),
    Writing(Member),
}

impl Deref for SqliteTx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Reading(tx) => tx,
            Self::Writing(member) => member,
        }
    }
}

impl DerefMut for SqliteTx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Reading(tx) => tx,
            Self::Writing(member) => member,
        }
    }
}

impl Tx {
    /// Makes it durable; only then job runners wake and [published](Tx::publish) events go out.
    ///
    /// # Errors
    /// [`StoreError::Database`]: nothing was written, except that on PostgreSQL a connection lost
    /// during the commit leaves it unknown.
    pub async fn commit(self) -> Result<()> {
        let committed = match self.connection {
            Connection::Sqlite(SqliteTx::Reading(tx)) => tx.commit().await,
            Connection::Sqlite(SqliteTx::Writing(member)) => member.commit().await,
            Connection::Postgres(tx) => tx.commit().await,
        };
        committed.map_err(|error| self.store.failed(error))?;
        self.store.wakes().wake(self.wakes);
        for event in self.events {
            self.store.bus().publish(event);
        }
        Ok(())
    }

    /// Tells the salon's pages once this transaction has committed.
    pub fn publish(&mut self, event: CompanyEvent) {
        self.events.push(event);
    }

    /// The database's own time, read once per transaction: what leases and jobs go by, since the
    /// clocks of nodes differ.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn now(&mut self) -> Result<Timestamp> {
        let ms = self.now_ms().await?;
        Ok(crate::sql::moment("the database's time", ms)?)
    }

    pub(crate) async fn now_ms(&mut self) -> Result<i64> {
        let now = match (self.now, &mut self.connection) {
            (Some(now), _) => now,
            (None, Connection::Sqlite(_)) => machine_now().as_millisecond(),
            (None, Connection::Postgres(tx)) => {
                let now = sqlx::query_as::<_, (i64,)>(dialect::POSTGRES_NOW).fetch_one(&mut **tx).await;
                now.map_err(|error| self.store.failed(error))?.0
            }
        };
        self.now = Some(now);
        Ok(now)
    }

    pub(crate) fn failed(&mut self, error: sqlx::Error) -> StoreError {
        let error = self.store.failed(error);
        if let (true, Connection::Sqlite(SqliteTx::Writing(member))) = (error.is_outage(), &mut self.connection) {
            member.fail();
        }
        error
    }

    pub(crate) fn wake(&mut self, wake: Wake) {
        self.wakes.push(wake);
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }
}
