//! How the process ends: softly when told to, hard when told again or when the soft way takes too long.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// A soft end may take so long: ten seconds for turns in flight, as much for sessions, and some
/// time to write things down.
const SOFT: Duration = Duration::from_secs(25);

/// Resolves at SIGTERM or Ctrl-C.
///
/// # Errors
/// When the system refuses to tell of signals.
pub async fn asked_to_stop() -> std::io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = term.recv() => Ok(()),
        stopped = tokio::signal::ctrl_c() => stopped,
    }
}

/// Lets a soft end take its time; `false` when a second signal or the limit of 25 s came first:
/// then exit at once, whatever is under way is taken up by the next start or by another node.
///
/// # Errors
/// As [`asked_to_stop`].
pub async fn softly(end: impl Future<Output = ()>) -> std::io::Result<bool> {
    tokio::select! {
        () = end => Ok(true),
        again = asked_to_stop() => again.map(|()| {
            tracing::warn!("told to stop again: ending at once");
            false
        }),
        () = tokio::time::sleep(SOFT) => {
            tracing::warn!("the soft end takes too long: ending at once");
            Ok(false)
        }
    }
}
