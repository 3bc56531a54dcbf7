use std::{collections::HashSet, sync::Arc, time::Duration};

use domain::CompanyId;
use jiff::Timestamp;
use rand::RngExt as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{lease::Lease, wake::Wake};
use crate::{
    Result, StoreError, Tx,
    database::Connection,
    dialect, machine_now,
    sql::{json, millis, moment, to_json},
};

/// The number of a job, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A job to be enqueued.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Which handler.
    pub kind: String,
    /// Waiting at most once per kind.
    pub key: Option<String>,
    /// One at a time, in order.
    pub lane: Option<String>,
    /// Whose it is; such jobs go with the company.
    pub company_id: Option<CompanyId>,
    /// For the handler.
    pub payload: Value,
    /// Not before that long from now, in real time.
    pub delay: Duration,
    /// Lower runs first among what is due; 0 is usual.
    pub priority: i16,
    /// After so many failures it is dead.
    pub max_attempts: i32,
    /// [`put_off`] moves it to that long after it was first enqueued and no further.
    pub at_the_latest: Option<Duration>,
}

impl NewJob {
    /// A job of that kind, due at once, tried up to 25 times.
    ///
    /// # Panics
    /// When `payload` cannot be JSON (a map with keys that are no strings): a fault of the program.
    pub fn new(kind: &str, payload: impl Serialize) -> Self {
        Self {
            kind: kind.to_owned(),
            key: None,
            lane: None,
            company_id: None,
            payload: serde_json::to_value(payload).expect("a payload that is JSON"),
            delay: Duration::ZERO,
            priority: 0,
            max_attempts: 25,
            at_the_latest: None,
        }
    }

    /// Sets the key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the lane.
    pub fn lane(mut self, lane: impl Into<String>) -> Self {
        self.lane = Some(lane.into());
        self
    }

    /// Sets the company.
    pub fn company(mut self, company: CompanyId) -> Self {
        self.company_id = Some(company);
        self
    }

    /// Sets the delay.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the priority.
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how far it can be put off.
    pub fn at_the_latest(mut self, after: Duration) -> Self {
        self.at_the_latest = Some(after);
        self
    }

    /// For what somebody waits for: a process that dies again and again uses up no tries that matter.
    pub fn untiring(self) -> Self {
        self.max_attempts(10_000)
    }

    /// Sets how often it is tried.
    pub fn max_attempts(mut self, attempts: i32) -> Self {
        self.max_attempts = attempts;
        self
    }
}

/// A claimed job, as its handler sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Which handler.
    pub kind: String,
    /// What it was enqueued under.
    pub key: Option<String>,
    /// Its lane.
    pub lane: Option<String>,
    /// Whose it is.
    pub company_id: Option<CompanyId>,
    /// For the handler.
    pub payload: Value,
    /// 1 on the first try.
    pub attempt: i32,
    /// The last try is the one that has this number.
    pub max_attempts: i32,
    /// When it was first enqueued, by the database's time.
    pub created_at: Timestamp,
    /// When it was due, by the database's time.
    pub run_at: Timestamp,
    /// The right to work on it, given by the runner.
    pub lease: Lease,
    pub(super) claim: i64,
}

impl Job {
    /// How long ago it was first enqueued.
    pub fn age(&self) -> Duration {
        Duration::try_from(machine_now().duration_since(self.created_at)).unwrap_or_default()
    }

    /// The payload as the handler's own type.
    ///
    /// # Errors
    /// When it was written by a program that meant something else.
    pub fn payload<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.payload)
    }
}

from_row!(Job, |row| Ok(Self {
    id: JobId(row.try_get("id")?),
    kind: row.try_get("kind")?,
    key: row.try_get("key")?,
    lane: row.try_get("lane")?,
    company_id: row.try_get::<Option<i64>, _>("company_id")?.map(CompanyId),
    payload: json("jobs.payload", row.try_get("payload")?)?,
    attempt: i32::try_from(row.try_get::<i64, _>("attempt")?).unwrap_or(i32::MAX),
    max_attempts: i32::try_from(row.try_get::<i64, _>("max_attempts")?).unwrap_or(i32::MAX),
    created_at: moment("jobs.created_at", row.try_get("created_at")?)?,
    run_at: moment("jobs.run_at", row.try_get("run_at")?)?,
    lease: Lease::lapsed(),
    claim: row.try_get("claim")?,
}));

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its time, its lane or a runner.
    Available,
    /// Is being done.
    Running,
    /// Was not worth doing.
    Discarded,
    /// Failed too often; can be replayed.
    Dead,
}

impl JobState {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Running => "running",
            Self::Discarded => "discarded",
            Self::Dead => "dead",
        }
    }

    fn from_word(word: &str) -> sqlx::Result<Self> {
        Ok(match word {
            "available" => Self::Available,
            "running" => Self::Running,
            "discarded" => Self::Discarded,
            "dead" => Self::Dead,
            _ => return Err(crate::sql::corrupt("jobs.state")),
        })
    }
}

/// How many jobs of a kind stand where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobCounts {
    /// Which handler.
    pub kind: String,
    /// Where they stand.
    pub state: JobState,
    /// How many.
    pub count: i64,
}

from_row!(JobCounts, |row| Ok(Self {
    kind: row.try_get("kind")?,
    state: JobState::from_word(row.try_get("state")?)?,
    count: row.try_get("count")?
}));

/// A job that failed for good.
#[derive(Debug, Clone, Serialize)]
pub struct DeadJob {
    /// Its number.
    pub id: JobId,
    /// Which handler.
    pub kind: String,
    /// Whose it is.
    pub company_id: Option<CompanyId>,
    /// How often it was tried.
    pub attempt: i64,
    /// What its last try said.
    pub error: Option<String>,
    /// When it was given up, by the database's time.
    pub finished_at: Timestamp,
}

from_row!(DeadJob, |row| Ok(Self {
    id: JobId(row.try_get("id")?),
    kind: row.try_get("kind")?,
    company_id: row.try_get::<Option<i64>, _>("company_id")?.map(CompanyId),
    attempt: row.try_get("attempt")?,
    error: row.try_get("last_error")?,
    finished_at: moment("jobs.finished_at", row.try_get("finished_at")?)?,
}));

/// Enqueues in the caller's transaction. While a job with the same kind and key is unfinished
/// (waiting or running), that one's id is returned and nothing changes.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn enqueue(tx: &mut Tx, job: NewJob) -> Result<JobId> {
    let now = tx.now_ms().await?;
    let run_at = now + millis(job.delay);
    // Between the refused insert and the look for its cause that cause may have finished on another node.
    for _ in 0..3 {
        let new = row!(
            tx,
            (i64,),
            "INSERT INTO jobs (kind, key, lane, company_id, payload, state, priority, run_at, max_attempts, created_at) \
             SELECT $1, $2, $3, $4, $5, 'available', $6, $7, $8, $9 \
             WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE kind = $1 AND key = $2 AND state = 'running') \
             ON CONFLICT (kind, key) WHERE state = 'available' AND key IS NOT NULL DO NOTHING RETURNING id",
            job.kind.as_str(),
            job.key.as_deref(),
            job.lane.as_deref(),
            job.company_id.map(|company| company.0),
            to_json(&job.payload)?,
            i64::from(job.priority),
            run_at,
            i64::from(job.max_attempts),
            now
        )?;
        if let Some((id,)) = new {
            tx.wake(Wake { kind: job.kind.into(), due: run_at });
            return Ok(JobId(id));
        }
        let existing = row!(
            tx,
            (i64,),
            "SELECT id FROM jobs WHERE kind = $1 AND key = $2 AND state = 'available' \
             UNION ALL SELECT id FROM jobs WHERE kind = $1 AND key = $2 AND state = 'running' ORDER BY id LIMIT 1",
            job.kind.as_str(),
            job.key.as_deref()
        )?;
        if let Some((id,)) = existing {
            return Ok(JobId(id));
        }
    }
    Err(StoreError::Stale)
}

/// Longer than any job waits, in milliseconds.
const FOREVER: i64 = 1 << 52;

/// Enqueues, or gives the waiting job of the same kind and key the new time and payload (see
/// [`NewJob::at_the_latest`]). One that already runs may have read its data too early, so a second
/// one is queued behind it.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn put_off(tx: &mut Tx, job: NewJob) -> Result<JobId> {
    let now = tx.now_ms().await?;
    let run_at = now + millis(job.delay);
    let put = row!(
        tx,
        (i64,),
        "INSERT INTO jobs (kind, key, lane, company_id, payload, state, priority, run_at, max_attempts, created_at) \
         VALUES ($1, $2, $3, $4, $5, 'available', $6, $7, $8, $9) \
         ON CONFLICT (kind, key) WHERE state = 'available' AND key IS NOT NULL \
         DO UPDATE SET payload = excluded.payload, \
           run_at = CASE WHEN excluded.run_at <= jobs.created_at + $10 THEN excluded.run_at \
                    WHEN jobs.run_at <= jobs.created_at + $10 THEN jobs.created_at + $10 ELSE jobs.run_at END \
         RETURNING id",
        job.kind.as_str(),
        job.key.as_deref(),
        job.lane.as_deref(),
        job.company_id.map(|company| company.0),
        to_json(&job.payload)?,
        i64::from(job.priority),
        run_at,
        i64::from(job.max_attempts),
        now,
        job.at_the_latest.map_or(FOREVER, millis)
    )?;
    let (id,) = put.ok_or(StoreError::Stale)?;
    tx.wake(Wake { kind: job.kind.into(), due: run_at });
    Ok(JobId(id))
}

/// What a company's jobs of a kind waited for is there: they are due now.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn hasten(tx: &mut Tx, kind: &str, company: CompanyId) -> Result<u64> {
    let now = tx.now_ms().await?;
    let hastened = execute!(
        tx,
        "UPDATE jobs SET run_at = $3 WHERE company_id = $2 AND kind = $1 AND state = 'available' AND run_at > $3",
        kind,
        company.0,
        now
    )?;
    if hastened > 0 {
        tx.wake(Wake { kind: kind.into(), due: now });
    }
    Ok(hastened)
}

/// Completes the job inside the handler's own transaction: the work and its end commit together.
/// The handler then answers [`Outcome::Completed`](super::Outcome::Completed).
///
/// # Errors
/// [`StoreError::Fenced`] when the claim has passed to somebody else: roll back and do no more.
pub async fn complete(tx: &mut Tx, job: &Job) -> Result<()> {
    let deleted = execute!(tx, "DELETE FROM jobs WHERE id = $1 AND claim = $2 AND state = 'running'", job.id.0, job.claim)?;
    if deleted == 0 {
        return Err(StoreError::Fenced);
    }
    wake_lane(tx, job.lane.as_deref()).await
}

/// Makes sure that the claim is still the job's last, and keeps it so until this transaction ends: for what
/// a handler writes before it is done.
///
/// # Errors
/// [`StoreError::Fenced`] when somebody else has the job by now: roll back and stop.
pub async fn hold(tx: &mut Tx, job: &Job) -> Result<()> {
    let sql = with_lock!(tx, "SELECT id FROM jobs WHERE id = $1 AND claim = $2 AND state = 'running'", "FOR UPDATE", "");
    row!(tx, (i64,), sql, job.id.0, job.claim)?.map(drop).ok_or(StoreError::Fenced)
}

/// Completes jobs that their handlers have not; returns those whose claim is still theirs. PostgreSQL
/// does it in two statements however many there are: each one is a journey to the server.
pub(super) async fn complete_all<'a>(tx: &mut Tx, jobs: &[&'a Job]) -> Result<Vec<&'a Job>> {
    let Connection::Postgres(connection) = tx.connection() else {
        let mut done = Vec::with_capacity(jobs.len());
        for job in jobs {
            match complete(tx, job).await {
                Ok(()) => done.push(*job),
                Err(StoreError::Fenced) => {}
                Err(error) => return Err(error),
            }
        }
        return Ok(done);
    };
    let (ids, claims): (Vec<i64>, Vec<i64>) = jobs.iter().map(|job| (job.id.0, job.claim)).unzip();
    let deleted = sqlx::query_as::<_, (i64,)>(dialect::POSTGRES_COMPLETE).bind(ids).bind(claims).fetch_all(&mut **connection).await;
    let deleted: HashSet<i64> = deleted.map_err(|error| tx.failed(error))?.into_iter().map(|(id,)| id).collect();
    let done: Vec<&Job> = jobs.iter().copied().filter(|job| deleted.contains(&job.id.0)).collect();
    let lanes: Vec<&str> = done.iter().filter_map(|job| job.lane.as_deref()).collect();
    if let (false, Connection::Postgres(connection)) = (lanes.is_empty(), tx.connection()) {
        let heads = sqlx::query_as::<_, (String, i64)>(dialect::POSTGRES_LANE_HEADS).bind(lanes).fetch_all(&mut **connection).await;
        for (kind, due) in heads.map_err(|error| tx.failed(error))? {
            tx.wake(Wake { kind: kind.into(), due });
        }
    }
    Ok(done)
}

/// Takes up to `limit` due jobs of a kind for `owner`, until `lease`. With `at`, the name under
/// which this node owns sessions, those are left out whose company's session another node runs.
///
/// A lane yields its head only. Two nodes that look at the same instant skip each other's locked
/// rows; should they still both take one of a lane, the unique index refuses the second.
pub(super) async fn claim(tx: &mut Tx, kind: &str, limit: i64, owner: &str, lease: Duration, at: Option<&str>) -> Result<Vec<Job>> {
    let now = tx.now_ms().await?;
    let sql = with_lock!(
        tx,
        "WITH head AS MATERIALIZED (
           SELECT j.id FROM jobs j
           WHERE j.kind = $1 AND j.state = 'available' AND j.run_at <= $2
             AND ($6 IS NULL OR NOT EXISTS (
               SELECT 1 FROM sessions s WHERE s.company_id = j.company_id AND s.owner <> $6 AND s.lease_until >= $2))
             AND (j.lane IS NULL OR (
               NOT EXISTS (SELECT 1 FROM jobs b WHERE b.lane = j.lane AND b.state = 'running')
               AND NOT EXISTS (
                 SELECT 1 FROM jobs b
                 WHERE b.lane = j.lane AND b.id < j.id AND b.finished_at IS NULL AND (b.run_at <= $2 OR b.claim > 0))))
           ORDER BY j.priority, j.id LIMIT $3",
        "FOR UPDATE OF j SKIP LOCKED",
        ")
         UPDATE jobs SET state = 'running', claim = claim + 1, attempt = attempt + 1, owner = $4, lease_until = $5
         WHERE id IN (SELECT id FROM head) AND state = 'available'
         RETURNING id, kind, key, lane, company_id, payload, attempt, max_attempts, created_at, run_at, claim"
    );
    let mut jobs = rows!(tx, Job, sql, kind, now, limit, owner, now + millis(lease), at)?;
    jobs.sort_by_key(|job| job.id);
    Ok(jobs)
}

/// Why a running job goes back or ends without being done.
#[derive(Debug, Clone)]
pub(super) enum Release {
    /// The try failed; `after` or the usual backoff.
    Retry { error: String, after: Option<Duration> },
    /// Not now; the try does not count.
    Snooze(Duration),
    /// Not worth doing.
    Discard(String),
}

/// Ends a claim without completing the job. Fenced like [`complete`].
pub(super) async fn release(tx: &mut Tx, id: JobId, claim: i64, how: &Release) -> Result<()> {
    #[derive(Debug)]
    struct Running {
        kind: String,
        key: Option<String>,
        lane: Option<String>,
        attempt: i64,
        max_attempts: i64,
    }
    from_row!(Running, |row| Ok(Self {
        kind: row.try_get("kind")?,
        key: row.try_get("key")?,
        lane: row.try_get("lane")?,
        attempt: row.try_get("attempt")?,
        max_attempts: row.try_get("max_attempts")?,
    }));
    let running = row!(
        tx,
        Running,
        with_lock!(
            tx,
            "SELECT kind, key, lane, attempt, max_attempts FROM jobs WHERE id = $1 AND claim = $2 AND state = 'running'",
            "FOR UPDATE",
            ""
        ),
        id.0,
        claim
    )?;
    let Some(job) = running else { return Err(StoreError::Fenced) };
    let now = tx.now_ms().await?;
    let error = match how {
        Release::Retry { error, .. } => Some(error),
        Release::Discard(reason) => Some(reason),
        Release::Snooze(_) => None,
    };
    // Long enough for a chain of causes, short enough for a table of them.
    let error = error.map(|error| error.chars().filter(|c| *c != '\0').take(2000).collect::<String>());
    // A cancelled job has no tries left and comes back in no way.
    let ended = match how {
        Release::Discard(_) => Some("discarded"),
        _ if job.max_attempts == 0 => Some("discarded"),
        Release::Retry { .. } if job.attempt >= job.max_attempts => Some("dead"),
        _ => None,
    };
    if let Some(state) = ended {
        execute!(
            tx,
            "UPDATE jobs SET state = $2, finished_at = $3, owner = NULL, lease_until = NULL, last_error = coalesce($4, last_error) WHERE id = $1",
            id.0,
            state,
            now,
            error
        )?;
        return wake_lane(tx, job.lane.as_deref()).await;
    }
    let (wait, counted) = match how {
        Release::Retry { after, .. } => (after.unwrap_or_else(|| backoff(job.attempt)), 1),
        Release::Snooze(wait) => (*wait, 0),
        Release::Discard(_) => (Duration::ZERO, 1),
    };
    let run_at = now + millis(wait);
    // A second one that was queued behind this one is the same work with newer data: it melts into
    // this one, which has the older place in its lane.
    let second = match &job.key {
        Some(key) => row!(
            tx,
            (String, i64),
            "DELETE FROM jobs WHERE kind = $1 AND key = $2 AND state = 'available' RETURNING payload, run_at",
            job.kind.as_str(),
            key.as_str()
        )?,
        None => None,
    };
    let (payload, run_at) = second.map_or((None, run_at), |(payload, second)| (Some(payload), run_at.max(second)));
    execute!(
        tx,
        "UPDATE jobs SET state = 'available', run_at = $2, attempt = $3, owner = NULL, lease_until = NULL, \
         payload = coalesce($4, payload), last_error = coalesce($5, last_error) WHERE id = $1",
        id.0,
        run_at,
        job.attempt - 1 + counted,
        payload,
        error
    )?;
    tx.wake(Wake { kind: job.kind.into(), due: run_at });
    Ok(())
}

/// 1 s, 2 s, 4 s … at most 15 min, give or take a fifth, so that a crowd does not come back at once.
fn backoff(attempt: i64) -> Duration {
    let exponent = u32::try_from(attempt - 1).unwrap_or(0).min(10);
    let base = Duration::from_secs(1 << exponent).min(Duration::from_secs(900));
    base.mul_f64(rand::rng().random_range(0.8..1.2))
}

/// Whoever is next in the lane may start once this transaction has committed.
async fn wake_lane(tx: &mut Tx, lane: Option<&str>) -> Result<()> {
    let Some(lane) = lane else { return Ok(()) };
    // Nobody runs in it now. Told by `finished_at` and sorted by the lane, too, so that PostgreSQL
    // takes the lane's index and not one of everything that waits.
    let next =
        row!(tx, (String, i64), "SELECT kind, run_at FROM jobs WHERE lane = $1 AND finished_at IS NULL ORDER BY lane, id LIMIT 1", lane)?;
    if let Some((kind, due)) = next {
        tx.wake(Wake { kind: kind.into(), due });
    }
    Ok(())
}

/// Keeps the claims of a living owner.
pub(super) async fn heartbeat(tx: &mut Tx, owner: &str, lease: Duration) -> Result<u64> {
    let until = tx.now_ms().await? + millis(lease);
    execute!(tx, "UPDATE jobs SET lease_until = $2 WHERE state = 'running' AND owner = $1", owner, until)
}

/// Claims whose lease ran out, and those that an earlier life of this node has left.
pub(super) async fn abandoned(tx: &mut Tx, owner: &str, node: Option<&str>) -> Result<Vec<(JobId, i64)>> {
    let now = tx.now_ms().await?;
    let left = rows!(tx, (i64, i64, String, i64), "SELECT id, claim, owner, lease_until FROM jobs WHERE state = 'running' ORDER BY id")?;
    let former = |other: &str| other != owner && node.is_some_and(|node| other.split_once('/').is_some_and(|(name, _)| name == node));
    Ok(left.into_iter().filter(|(_, _, other, until)| *until < now || former(other)).map(|(id, claim, ..)| (JobId(id), claim)).collect())
}

/// Everything that an owner runs.
pub(super) async fn held(tx: &mut Tx, owner: &str) -> Result<Vec<(JobId, i64)>> {
    let held = rows!(tx, (i64, i64), "SELECT id, claim FROM jobs WHERE state = 'running' AND owner = $1 ORDER BY id", owner)?;
    Ok(held.into_iter().map(|(id, claim)| (JobId(id), claim)).collect())
}

/// Kinds that have something due.
pub(super) async fn due_kinds(tx: &mut Tx) -> Result<Vec<Arc<str>>> {
    let now = tx.now_ms().await?;
    let kinds = rows!(tx, (String,), "SELECT DISTINCT kind FROM jobs WHERE state = 'available' AND run_at <= $1", now)?;
    Ok(kinds.into_iter().map(|(kind,)| kind.into()).collect())
}

/// Forgets discarded jobs after a week and dead ones after a month.
pub(super) async fn prune(tx: &mut Tx) -> Result<u64> {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let now = tx.now_ms().await?;
    execute!(
        tx,
        "DELETE FROM jobs WHERE finished_at IS NOT NULL AND ((state = 'discarded' AND finished_at < $1) OR (state = 'dead' AND finished_at < $2))",
        now - 7 * DAY,
        now - 30 * DAY
    )
}

/// All jobs, by kind and state.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn counts(tx: &mut Tx) -> Result<Vec<JobCounts>> {
    rows!(tx, JobCounts, "SELECT kind, state, count(*) AS count FROM jobs GROUP BY kind, state ORDER BY kind, state")
}

/// Unfinished jobs (waiting or running) of a company, of one lane or of all.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn pending(tx: &mut Tx, company: CompanyId, lane: Option<&str>) -> Result<i64> {
    let count = row!(
        tx,
        (i64,),
        "SELECT count(*) FROM jobs WHERE company_id = $1 AND ($2 IS NULL OR lane = $2) AND state IN ('available', 'running')",
        company.0,
        lane
    )?;
    Ok(count.map_or(0, |(count,)| count))
}

/// Whether a job of that kind and key waits or runs.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn is_unfinished(tx: &mut Tx, kind: &str, key: &str) -> Result<bool> {
    let job =
        row!(tx, (i64,), "SELECT id FROM jobs WHERE kind = $1 AND key = $2 AND state IN ('available', 'running') LIMIT 1", kind, key)?;
    Ok(job.is_some())
}

/// Unfinished jobs of everybody that start within `horizon` or run: zero when the house is quiet.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn unfinished(tx: &mut Tx, horizon: Duration) -> Result<i64> {
    let until = tx.now_ms().await? + millis(horizon);
    let count = row!(tx, (i64,), "SELECT count(*) FROM jobs WHERE state = 'running' OR (state = 'available' AND run_at <= $1)", until)?;
    Ok(count.map_or(0, |(count,)| count))
}

/// Takes a company's waiting jobs out. One that runs is let finish, but is not tried again.
/// Returns how many were taken out.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn cancel_company(tx: &mut Tx, company: CompanyId) -> Result<u64> {
    execute!(tx, "UPDATE jobs SET max_attempts = 0 WHERE company_id = $1 AND state = 'running'", company.0)?;
    execute!(tx, "DELETE FROM jobs WHERE company_id = $1 AND state = 'available'", company.0)
}

/// The jobs that failed for good, newest first.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn dead(tx: &mut Tx, limit: i64) -> Result<Vec<DeadJob>> {
    rows!(
        tx,
        DeadJob,
        "SELECT id, kind, company_id, attempt, last_error, finished_at FROM jobs WHERE state = 'dead' ORDER BY finished_at DESC, id DESC LIMIT $1",
        limit
    )
}

/// Gives a dead job all its tries again. False when there is no such dead job, or when the same
/// work (kind and key) already waits anew.
///
/// # Errors
/// [`StoreError::Database`].
pub async fn replay(tx: &mut Tx, id: JobId) -> Result<bool> {
    let now = tx.now_ms().await?;
    let replayed = row!(
        tx,
        (String,),
        "UPDATE jobs SET state = 'available', run_at = $2, attempt = 0, finished_at = NULL \
         WHERE id = $1 AND state = 'dead' AND (key IS NULL OR NOT EXISTS ( \
           SELECT 1 FROM jobs other WHERE other.kind = jobs.kind AND other.key = jobs.key AND other.state = 'available')) \
         RETURNING kind",
        id.0,
        now
    )?;
    let Some((kind,)) = replayed else { return Ok(false) };
    tx.wake(Wake { kind: kind.into(), due: now });
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_a_cap() {
        for (attempt, seconds) in [(1, 1.0), (2, 2.0), (5, 16.0), (10, 512.0), (11, 900.0), (25, 900.0)] {
            let wait = backoff(attempt).as_secs_f64();
            assert!((seconds * 0.8..=seconds * 1.2).contains(&wait), "attempt {attempt}: {wait} s");
        }
    }
}
