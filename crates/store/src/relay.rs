//! What the nodes of one PostgreSQL tell one another at once, by NOTIFY: wake-ups of job runners and
//! events of the [`Bus`](crate::Bus). Nothing depends on it: jobs are polled for and states are read,
//! so a word lost costs time only.

use std::{collections::HashMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{CompanyEvent, jobs::wake::Wake};

const CHANNEL: &str = "ai_admin";
/// NOTIFY takes a lock that all commits share, so the words of a burst go out as one.
const GATHER: Duration = Duration::from_millis(5);
/// PostgreSQL takes payloads below 8,000 bytes.
const LARGEST: usize = 7_900;
const BACKLOG: usize = 1024;
/// A connection that has been silent so long is asked whether it still stands.
const SILENCE: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_secs(1);

/// The way to the other nodes. Cheap to clone; dropping the last one ends what sends.
#[derive(Debug, Clone)]
pub(crate) struct Relay(mpsc::Sender<Word>);

#[derive(Debug)]
enum Word {
    Wake(Wake),
    Event(CompanyEvent),
}

#[derive(Serialize, Deserialize)]
struct Letter {
    from: Uuid,
    due: HashMap<Arc<str>, i64>,
    events: Vec<CompanyEvent>,
}

impl Relay {
    /// Sends to the others and hears them until `end`; what they say goes into the two channels.
    pub(crate) fn start(
        pool: PgPool,
        wakes: broadcast::Sender<Wake>,
        events: broadcast::Sender<CompanyEvent>,
        end: CancellationToken,
    ) -> Self {
        let me = Uuid::new_v4();
        let (words, receiver) = mpsc::channel(BACKLOG);
        tokio::spawn(end.clone().run_until_cancelled_owned(tell(me, pool.clone(), receiver)));
        tokio::spawn(end.run_until_cancelled_owned(listen(me, pool, wakes, events)));
        Self(words)
    }

    pub(crate) fn wake(&self, wake: Wake) {
        // A full channel is a burst in which the others wake anyway.
        let _ = self.0.try_send(Word::Wake(wake));
    }

    pub(crate) fn event(&self, event: CompanyEvent) {
        if self.0.try_send(Word::Event(event)).is_err() {
            tracing::warn!("an event did not go to the other nodes: too many at once");
        }
    }
}

/// Ends when nobody can send any more.
async fn tell(from: Uuid, pool: PgPool, mut words: mpsc::Receiver<Word>) {
    let mut gathered = Vec::new();
    while words.recv_many(&mut gathered, BACKLOG).await > 0 {
        tokio::time::sleep(GATHER).await;
        while gathered.len() < BACKLOG
            && let Ok(word) = words.try_recv()
        {
            gathered.push(word);
        }
        for letter in letters(from, gathered.drain(..)) {
            if let Err(error) = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(letter).execute(&pool).await {
                tracing::debug!(%error, "the other nodes were not told");
            }
        }
    }
}

/// As few letters as hold it all, in order.
fn letters(from: Uuid, words: impl Iterator<Item = Word>) -> Vec<String> {
    let mut due = HashMap::<Arc<str>, i64>::new();
    let mut parts = vec![(0, Vec::new())];
    for word in words {
        match word {
            Word::Wake(wake) => {
                let earliest = due.entry(wake.kind).or_insert(wake.due);
                *earliest = wake.due.min(*earliest);
            }
            Word::Event(event) => {
                // What cannot be written as JSON cannot be here: it is JSON already.
                let size = serde_json::to_string(&event).map_or(LARGEST, |text| text.len() + 1);
                match parts.last_mut() {
                    Some((filled, events)) if *filled + size < LARGEST / 2 || events.is_empty() => {
                        *filled += size;
                        events.push(event);
                    }
                    _ => parts.push((size, vec![event])),
                }
            }
        }
    }
    let mut letters = Vec::new();
    for (_, events) in parts {
        let letter = Letter { from, due: std::mem::take(&mut due), events };
        match serde_json::to_string(&letter) {
            Ok(text) if text.len() <= LARGEST => letters.push(text),
            _ => {
                tracing::error!(kinds = ?letter.events.iter().map(|e| &e.kind).collect::<Vec<_>>(), "an event too large for the other nodes")
            }
        }
    }
    letters
}

/// Hears the other nodes. Reconnects by itself.
async fn listen(me: Uuid, pool: PgPool, wakes: broadcast::Sender<Wake>, events: broadcast::Sender<CompanyEvent>) {
    loop {
        if let Err(error) = listen_once(me, &pool, &wakes, &events).await {
            tracing::warn!(%error, "the other nodes are not heard for now; polling goes on");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen_once(
    me: Uuid,
    pool: &PgPool,
    wakes: &broadcast::Sender<Wake>,
    events: &broadcast::Sender<CompanyEvent>,
) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let notification = match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => notification,
            // The connection went and came back: what was said meanwhile is lost.
            Ok(Ok(None)) => continue,
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                let asked = sqlx::query("SELECT 1").execute(&mut listener);
                tokio::time::timeout(SILENCE, asked).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
                continue;
            }
        };
        // Another program may use the name: what is no letter is not for us.
        let Ok(letter) = serde_json::from_str::<Letter>(notification.payload()) else { continue };
        if letter.from == me {
            continue;
        }
        // Nobody listening is no fault.
        for (kind, due) in letter.due {
            let _ = wakes.send(Wake { kind, due });
        }
        for event in letter.events {
            let _ = events.send(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::CompanyId;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_burst_goes_out_in_few_letters_none_too_large() {
        let event = |n: i64| Word::Event(CompanyEvent { company_id: CompanyId(n), kind: "x".to_owned(), payload: json!("я".repeat(300)) });
        let wake = |due| Word::Wake(Wake { kind: "send".into(), due });
        let words = [wake(9), wake(7)].into_iter().chain((0..30).map(event)).chain([wake(8)]);
        let letters = letters(Uuid::nil(), words);
        assert!(letters.len() <= 6 && letters.iter().all(|letter| letter.len() <= LARGEST), "{}", letters.len());
        let read: Vec<Letter> = letters.iter().map(|letter| serde_json::from_str(letter).expect("a letter")).collect();
        let order: Vec<i64> = read.iter().flat_map(|letter| &letter.events).map(|event| event.company_id.0).collect();
        assert_eq!(order, (0..30).collect::<Vec<_>>());
        assert_eq!(read[0].due["send"], 7, "the earliest of a kind");
    }

    #[test]
    fn an_event_too_large_takes_no_other_with_it() {
        let event = |size| Word::Event(CompanyEvent { company_id: CompanyId(1), kind: "x".to_owned(), payload: json!("x".repeat(size)) });
        assert_eq!(letters(Uuid::nil(), [event(10), event(9_000), event(10)].into_iter()).len(), 2);
    }
}
