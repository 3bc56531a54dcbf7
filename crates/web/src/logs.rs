//! The product's own recent log lines, for operators: kept in memory, numbers and keys masked.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt::{Debug, Write},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json,
    extract::{Query, State},
    response::sse::{self, KeepAlive, Sse},
};
use futures::{Stream, StreamExt};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use store::machine_now;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::layer::{Context, Layer};
use utoipa::{IntoParams, ToSchema};

use crate::{Fault, Web, extract::Operator, fault::ErrorBody};

/// Lines that are kept; the oldest go.
const KEPT: usize = 5000;
/// Lines told where the caller names no number.
const TOLD: usize = 200;
/// Longest line, in characters.
const LONGEST: usize = 2000;
/// Lines a slow listener may be behind.
const BEHIND: usize = 256;
/// Seconds that a live log lasts where the caller names none, and at most.
const LIVE: u64 = 60;
const LIVE_MOST: u64 = 600;

/// One line of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Line {
    /// Machine time.
    #[schema(value_type = String)]
    at: Timestamp,
    /// `ERROR`, `WARN`, `INFO`, …
    #[schema(value_type = String)]
    #[serde(serialize_with = "word")]
    level: Level,
    /// The room that spoke: `web`, `workflows`, `whatsapp`, …
    service: String,
    /// What it said, with its fields; masked.
    message: String,
}

fn word<S: serde::Serializer>(level: &Level, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(level.as_str())
}

/// The recent lines of this process and those who listen. A layer of the process's logging; cheap to clone.
#[derive(Clone)]
pub struct LogBook(Arc<Pages>);

struct Pages {
    lines: Mutex<VecDeque<Arc<Line>>>,
    live: broadcast::Sender<Arc<Line>>,
}

impl Default for LogBook {
    fn default() -> Self {
        Self(Arc::new(Pages { lines: Mutex::default(), live: broadcast::Sender::new(BEHIND) }))
    }
}

impl<S: Subscriber> Layer<S> for LogBook {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (mut text, mut target) = (String::new(), None);
        event.record(&mut |field: &Field, value: &dyn Debug| {
            let space = if text.is_empty() { "" } else { " " };
            // A String takes all that is written.
            let _ = match field.name() {
                "message" => write!(text, "{space}{value:?}"),
                // What a crate says through `log` carries its origin in fields.
                "log.target" => {
                    target = Some(format!("{value:?}").trim_matches('"').to_owned());
                    Ok(())
                }
                name if name.starts_with("log.") => Ok(()),
                name => write!(text, "{space}{name}={value:?}"),
            };
        });
        let metadata = event.metadata();
        let target = target.as_deref().unwrap_or(metadata.target());
        let service = target.split("::").next().unwrap_or_default().to_owned();
        self.write(Line { at: machine_now(), level: *metadata.level(), service, message: masked(&text) });
    }
}

impl LogBook {
    fn write(&self, line: Line) {
        let line = Arc::new(line);
        let mut lines = self.0.lines.lock();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line.clone());
        drop(lines);
        // Nobody listening is no fault.
        let _ = self.0.live.send(line);
    }

    /// The newest lines that match, oldest first.
    fn read(&self, wanted: &Wanted, most: usize) -> Vec<Arc<Line>> {
        let lines = self.0.lines.lock();
        let mut found: Vec<_> = lines.iter().rev().filter(|line| wanted.has(line)).take(most).cloned().collect();
        found.reverse();
        found
    }
}

/// The text cut to size, without phone numbers and keys. Our own types mask theirs; this is for what
/// others say, such as YClients in its refusals.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST));
    let mut rest: &str = text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end]);
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        let taken = if before.is_alphanumeric() { None } else { secret(rest).or_else(|| number(rest)) };
        let (shown, length) = taken.unwrap_or_else(|| (next.to_string(), next.len_utf8()));
        out.push_str(&shown);
        before = rest[..length].chars().next_back().unwrap_or(next);
        rest = &rest[length..];
    }
    out
}

/// One of our keys or a token at the beginning of the text: what to show, and how long it is.
fn secret(text: &str) -> Option<(String, usize)> {
    let kind = ["sk_", "wh_", "eyJ"].into_iter().find(|kind| text.starts_with(kind))?;
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).unwrap_or(text.len());
    (end > kind.len() + 8).then(|| (format!("{kind}***"), end))
}

/// Ten digits or more, after a plus with the usual marks between them: a phone, shown as [`domain::Phone`] does.
fn number(text: &str) -> Option<(String, usize)> {
    let plus = text.starts_with('+');
    let marks = if plus { "+ ()-\u{a0}\u{2011}" } else { "" };
    let end = text.find(|c: char| !(c.is_ascii_digit() || marks.contains(c))).unwrap_or(text.len());
    let length = text[..end].rfind(|c: char| c.is_ascii_digit())? + 1;
    let digits: String = text[..length].chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 10).then(|| (format!("{}***{}", &digits[..2], &digits[digits.len() - 2..]), length))
}

// --- the calls -------------------------------------------------------------------------------------

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only lines of that room.
    service: Option<String>,
    /// Only lines of that level and worse: `error`, `warn`, `info`, `debug`.
    level: Option<String>,
    /// Only lines with that text, case ignored.
    contains: Option<String>,
    /// Only lines of the last so many minutes.
    minutes: Option<u32>,
    /// At most so many lines, the newest; 200 without it, 5000 at most.
    lines: Option<usize>,
    /// A live log ends after so many seconds; 60 without it, 600 at most.
    seconds: Option<u64>,
}

/// What a line must be.
struct Wanted {
    service: Option<String>,
    level: Level,
    contains: String,
    since: Timestamp,
}

impl Wanted {
    fn of(asked: &Asked) -> Result<Self, Fault> {
        let level = asked.level.as_deref().map(str::parse).transpose().map_err(|_| Fault::InvalidBody)?;
        let ago = asked.minutes.map(|minutes| SignedDuration::from_mins(minutes.into()));
        Ok(Self {
            service: asked.service.clone(),
            level: level.unwrap_or(Level::TRACE),
            contains: asked.contains.as_deref().unwrap_or_default().to_lowercase(),
            since: ago.and_then(|ago| machine_now().checked_sub(ago).ok()).unwrap_or(Timestamp::MIN),
        })
    }

    fn has(&self, line: &Line) -> bool {
        // Worse levels are smaller.
        line.level <= self.level
            && self.service.as_ref().is_none_or(|service| *service == line.service)
            && line.at >= self.since
            && line.message.to_lowercase().contains(&self.contains)
    }
}

/// Recent lines, oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lines {
    success: bool,
    #[schema(value_type = Vec<Line>)]
    lines: Vec<Arc<Line>>,
}

/// The product's own recent log lines, oldest first; phones and keys are masked.
#[utoipa::path(get, path = "/api/logs", tag = "operators", params(Asked), responses(
    (status = 200, description = "The newest that match", body = Lines), (status = 400, description = "The query is wrong", body = ErrorBody),
    (status = 401, description = "No right key or token", body = ErrorBody),
))]
pub(crate) async fn recent(State(web): State<Arc<Web>>, _: Operator, Query(asked): Query<Asked>) -> Result<Json<Lines>, Fault> {
    let wanted = Wanted::of(&asked)?;
    let lines = web.settings.logs.read(&wanted, asked.lines.unwrap_or(TOLD).min(KEPT));
    Ok(Json(Lines { success: true, lines }))
}

/// The product's log lines as they are written, as server-sent events.
#[utoipa::path(get, path = "/api/logs/live", tag = "operators", params(Asked), responses(
    (status = 200, description = "A line an event, for some seconds", content_type = "text/event-stream"),
    (status = 400, description = "The query is wrong", body = ErrorBody), (status = 401, description = "No right key or token", body = ErrorBody),
))]
pub(crate) async fn live(
    State(web): State<Arc<Web>>,
    _: Operator,
    Query(asked): Query<Asked>,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Fault> {
    let wanted = Wanted::of(&asked)?;
    let lasts = Duration::from_secs(asked.seconds.unwrap_or(LIVE).min(LIVE_MOST));
    let lines = BroadcastStream::new(web.settings.logs.0.live.subscribe()).take_until(Box::pin(tokio::time::sleep(lasts))).filter_map(
        move |line| {
            let told = line.ok().filter(|line| wanted.has(line)).and_then(|line| serde_json::to_string(&*line).ok());
            std::future::ready(told.map(|line| Ok(sse::Event::default().data(line))))
        },
    );
    Ok(Sse::new(lines).keep_alive(KeepAlive::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_keys_are_masked() {
        for (said, shown) in [
            ("клиент 79161234567 не найден", "клиент 79***67 не найден"),
            ("звоните +7 (916) 123-45-67, ждём", "звоните 79***67, ждём"),
            ("chat=ChatId(79161234567@s.whatsapp.net)", "chat=ChatId(79***67@s.whatsapp.net)"),
            ("key sk_0123456789abcdef0123456789abcdef is wrong", "key sk_*** is wrong"),
            ("token=eyJhbGciOiJIUzI1NiJ9.eyJjb20.abc_-1 came", "token=eyJ*** came"),
            ("job 12345 at 2026-11-23T10:00:00 for salon 962302", "job 12345 at 2026-11-23T10:00:00 for salon 962302"),
            ("ask_me", "ask_me"),
        ] {
            assert_eq!(masked(said), shown);
        }
        assert_eq!(masked(&"я".repeat(3000)).chars().count(), LONGEST);
    }

    #[test]
    fn the_oldest_lines_go() {
        let book = LogBook::default();
        let line = |message: String| Line { at: machine_now(), level: Level::INFO, service: "web".to_owned(), message };
        (0..=KEPT).for_each(|n| book.write(line(n.to_string())));
        let all = Wanted { service: None, level: Level::TRACE, contains: String::new(), since: Timestamp::MIN };
        let kept = book.read(&all, usize::MAX);
        assert_eq!((kept.len(), kept[0].message.as_str()), (KEPT, "1"));
        assert_eq!(book.read(&all, 2)[1].message, KEPT.to_string(), "the newest, oldest first");
    }
}
