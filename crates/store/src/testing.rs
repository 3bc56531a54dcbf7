//! Databases for tests: a private PostgreSQL cluster, and fresh databases on both engines.
//!
//! `AI_ADMIN_TEST_POSTGRES` names a server to use (a URL of a role that may create databases);
//! without it each test process starts a cluster of its own from the installed binaries, which
//! ends with the process, however that ends.

use std::{
    fs,
    io::Read as _,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::OnceLock,
};

use sqlx::{AssertSqlSafe, Connection as _, postgres::PgConnection, sqlite::SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{Result, Store};

/// The variable that names a ready server.
pub const SERVER: &str = "AI_ADMIN_TEST_POSTGRES";

/// A PostgreSQL server for tests.
#[derive(Debug)]
pub struct Cluster {
    url: String,
    /// Ours to stop and start.
    own: Option<Own>,
    /// The watchman stops the server and removes its folder when this end of the pipe closes, and
    /// the system closes it when the process ends.
    _alive: Option<ChildStdin>,
}

#[derive(Debug)]
struct Own {
    folder: PathBuf,
    user: Option<User>,
}

impl Cluster {
    /// Starts a server of its own: a fresh cluster in a temporary folder, listening on a socket
    /// there and nowhere else. With `durable` it writes as a production server does; without, it
    /// trusts that the machine stays up.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message says what to do.
    pub fn start(durable: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("ai-admin-pg-").tempdir().expect("a temporary folder").keep();
        let user = unprivileged();
        if let Some(user) = &user {
            chown(&folder, Some(user.id), Some(user.group)).expect("a folder for the server's user");
        }
        let data = folder.join("data");
        let initdb =
            command(&user, "initdb").arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]).output();
        assert_ok("initdb", &initdb.expect("initdb starts"));
        let mut settings = format!("listen_addresses = ''\nunix_socket_directories = '{}'\nmax_connections = 400\n", folder.display());
        if !durable {
            settings.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
        }
        let file = data.join("postgresql.auto.conf");
        fs::write(&file, settings).expect("the server's settings");
        let url = format!("postgres://postgres@localhost/postgres?host={}", folder.display());
        let alive = watch(&user, &folder);
        let cluster = Self { url, own: Some(Own { folder, user }), _alive: Some(alive) };
        cluster.start_again();
        cluster
    }

    /// Stops the server as a loss of power would.
    ///
    /// # Panics
    /// When it does not stop, or is not ours.
    pub fn stop_at_once(&self) {
        let Own { folder, user } = self.own.as_ref().expect("a server of our own");
        let stopped = command(user, "pg_ctl").args(["stop", "-s", "-m", "immediate", "-D"]).arg(folder.join("data")).output();
        assert_ok("pg_ctl stop", &stopped.expect("pg_ctl starts"));
    }

    /// Starts it after [`Cluster::stop_at_once`].
    ///
    /// # Panics
    /// When it does not start, or is not ours.
    pub fn start_again(&self) {
        let Own { folder, user } = self.own.as_ref().expect("a server of our own");
        let log = folder.join("log");
        let data = folder.join("data");
        let started = command(user, "pg_ctl").args(["start", "-w", "-t", "60", "-s", "-D"]).arg(data).arg("-l").arg(&log).output();
        let started = started.expect("pg_ctl starts");
        if !started.status.success() {
            let mut text = String::new();
            let _ = fs::File::open(&log).and_then(|mut log| log.read_to_string(&mut text));
            panic!("PostgreSQL did not start: {}\n{text}", String::from_utf8_lossy(&started.stderr));
        }
    }

    /// A server that runs already: the URL of a role that may create databases.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), own: None, _alive: None }
    }

    /// The address of its maintenance database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new empty database; returns its address.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let mut server = PgConnection::connect(&self.url).await.expect("the test server answers");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut server).await.expect("a test database");
        server.close().await.expect("an orderly end");
        let (address, options) = self.url.split_once('?').map_or((self.url.as_str(), None), |(address, options)| (address, Some(options)));
        let base = address.rsplit_once('/').map_or(address, |(base, _)| base);
        options.map_or_else(|| format!("{base}/{name}"), |options| format!("{base}/{name}?{options}"))
    }
}

/// The test process's PostgreSQL server: the one of [`SERVER`], or a cluster of its own.
///
/// # Panics
/// When there is neither, with what to install: a test must not pass for want of a database.
pub fn postgres() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| match std::env::var(SERVER) {
        Ok(url) if !url.is_empty() => Cluster::at(&url),
        _ => Cluster::start(false),
    })
}

/// A fresh database, migrated, which goes when this is dropped (the server's: with the server).
pub struct Fresh {
    /// The open database.
    pub store: Store,
    /// Its address, for a second opening.
    pub url: String,
    _folder: Option<TempDir>,
}

/// A fresh SQLite database in a file.
///
/// # Panics
/// When it cannot be made.
pub async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    Fresh { store: Store::open(&url).await.expect("a new SQLite database"), url, _folder: Some(folder) }
}

/// A fresh database on [`postgres`].
///
/// # Panics
/// When it cannot be made.
pub async fn postgres_database() -> Fresh {
    // Starting a server blocks; the runtime of a test may have one thread.
    let cluster = tokio::task::spawn_blocking(postgres).await.expect("a PostgreSQL server");
    let url = cluster.database().await;
    Fresh { store: Store::open(&url).await.expect("a new PostgreSQL database"), url, _folder: None }
}

/// Another program that holds a SQLite database's write lock, until dropped.
pub struct WriteLock(SqliteConnection);

impl WriteLock {
    /// Takes it.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn take(url: &str) -> Self {
        let mut connection = SqliteConnection::connect(url).await.expect("the database opens");
        sqlx::query("BEGIN EXCLUSIVE").execute(&mut connection).await.expect("the write lock");
        Self(connection)
    }

    /// Gives it back.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn release(self) {
        self.0.close().await.expect("an orderly end");
    }
}

/// A table of a PostgreSQL that others can read and not write to: whoever tries waits.
#[derive(Debug)]
pub struct TableLock(PgConnection);

impl TableLock {
    /// Takes it.
    ///
    /// # Panics
    /// When it cannot be had.
    pub async fn take(url: &str, table: &str) -> Self {
        let mut connection = PgConnection::connect(url).await.expect("the database opens");
        let lock = format!("BEGIN; LOCK TABLE {table} IN SHARE MODE");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut connection).await.expect("the lock");
        Self(connection)
    }

    /// Somebody waits for it.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn is_waited_for(&mut self) -> bool {
        let waiting = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)";
        sqlx::query_as::<_, (bool,)>(waiting).fetch_one(&mut self.0).await.expect("an answer").0
    }

    /// Gives it back.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn release(self) {
        self.0.close().await.expect("an orderly end");
    }
}

/// The node that runs a job of that kind.
///
/// # Panics
/// When the database fails.
pub async fn who_runs(store: &Store, kind: &str) -> Option<String> {
    let mut tx = store.read().await.expect("a transaction");
    let running: Result<Option<(String,)>> =
        async { row!(tx, (String,), "SELECT owner FROM jobs WHERE kind = $1 AND state = 'running'", kind) }.await;
    let (owner,) = running.expect("a look")?;
    owner.split_once('/').map(|(node, _)| node.to_owned())
}

/// Lets a SQLite database grow no more, or again.
///
/// # Panics
/// On PostgreSQL, and when the database fails.
pub async fn set_full(store: &Store, full: bool) {
    let writer = store.sqlite_writer().expect("a SQLite database");
    let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count").fetch_one(writer).await.expect("a count");
    let most = if full { pages } else { 1 << 30 };
    sqlx::query(AssertSqlSafe(format!("PRAGMA max_page_count = {most}"))).execute(writer).await.expect("a limit");
}

#[derive(Debug)]
struct User {
    name: String,
    id: u32,
    group: u32,
}

/// Whom the server runs as: root may not, so then the installed `postgres`, or else `nobody`.
fn unprivileged() -> Option<User> {
    let id = |flag: &str, name: &str| -> Option<u32> {
        let out = Command::new("id").arg(flag).args((!name.is_empty()).then_some(name)).output().ok()?;
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().parse().ok()).flatten()
    };
    if id("-u", "") != Some(0) {
        return None;
    }
    let user = |name: &str| Some(User { name: name.to_owned(), id: id("-u", name)?, group: id("-g", name)? });
    Some(user("postgres").or_else(|| user("nobody")).expect("a user other than root to run PostgreSQL"))
}

fn command(user: &Option<User>, program: &str) -> Command {
    let program = binary(program);
    let mut command = match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={}", user.name))
                .arg(format!("--regid={}", user.group))
                .args(["--clear-groups", "--"])
                .arg(program);
            command
        }
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Debian keeps the server's programs off the path, a folder per version; the newest wins.
fn binary(program: &str) -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin").join(program))))
        .collect();
    versions.sort();
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut places = versions.into_iter().rev().map(|(_, path)| path).chain(on_path.map(|folder| folder.join(program)));
    places.find(|path| path.is_file()).unwrap_or_else(|| {
        panic!(
            "these tests need PostgreSQL's `{program}`: install `postgresql` (Debian, Ubuntu, Homebrew), or set {SERVER} to a server's URL"
        )
    })
}

/// A process of its own group that outlives this one just long enough to clean up.
fn watch(user: &Option<User>, folder: &Path) -> ChildStdin {
    let stop = command(user, "pg_ctl");
    let mut watchman = Command::new("sh");
    watchman.args(["-c", "cat >/dev/null; folder=$1; shift; \"$@\" stop -s -m immediate -D \"$folder/data\"; rm -rf \"$folder\"", "sh"]);
    watchman.arg(folder).arg(stop.get_program()).args(stop.get_args());
    watchman.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    watchman.spawn().expect("sh starts").stdin.take().expect("a pipe")
}

fn assert_ok(what: &str, output: &std::process::Output) {
    assert!(output.status.success(), "{what} failed: {}", String::from_utf8_lossy(&output.stderr));
}
