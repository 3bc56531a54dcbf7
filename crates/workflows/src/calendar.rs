//! Calendar work: what was planned for a moment of the calendar becomes a job when that moment
//! comes. The calendar may be set forwards: then everything that became due goes, in the order of
//! its times.

use std::{sync::Arc, time::Duration};

use store::{
    jobs::{self, NewJob},
    planned,
};
use tokio_util::sync::CancellationToken;

use crate::App;

/// How often the calendar is looked at (real time).
const LOOK: Duration = Duration::from_millis(200);

/// At most so much at a time; the rest follows at once.
const BATCH: i64 = 200;

/// Turns planned work into jobs until it is told to stop.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        match due(&app).await {
            Ok(taken) if taken > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the calendar could not be read"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn due(app: &App) -> Result<usize, store::StoreError> {
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let next = planned::next_due(&mut tx).await?;
    drop(tx);
    if next.is_none_or(|next| now < next) {
        return Ok(0);
    }
    let mut tx = app.store.begin().await?;
    let due = planned::take_due(&mut tx, now, BATCH).await?;
    for work in &due {
        let job = NewJob::new(&work.kind, &work.payload)
            .key(format!("{}:{}", work.company_id, work.key))
            .lane(format!("calendar:{}", work.company_id))
            .company(work.company_id);
        // The same that still runs may have looked too early.
        jobs::put_off(&mut tx, job).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}
