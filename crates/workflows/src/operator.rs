//! The operator hears of salons that leave: by WhatsApp from the salon's own number while that is still
//! linked, and as JSON by a job that goes on until the operator's server has it.

use std::{sync::Arc, time::Duration};

use domain::{ChatId, CompanyId, Phone, SalonId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use store::{
    Tx,
    companies::Company,
    jobs::{self, Handler, Job, NewJob, Outcome},
};
use url::Url;

use crate::{App, texts};

/// How long the operator's server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the operator's server is told (`OPERATOR_WEBHOOK_URL`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Notice {
    /// `uninstall`.
    event: String,
    company_id: CompanyId,
    salon_id: SalonId,
    /// The salon's name.
    title: String,
    /// Calendar time.
    at: Timestamp,
}

/// Queues the JSON notice that the salon took the application out, in the caller's transaction.
pub(crate) async fn queue_uninstalled(app: &App, tx: &mut Tx, salon: &Company, at: Timestamp) -> store::Result<()> {
    if app.settings.operator_webhook.is_none() {
        return Ok(());
    }
    let notice = Notice { event: "uninstall".to_owned(), company_id: salon.id, salon_id: salon.salon_id, title: salon.title.clone(), at };
    // No tenant on the job: uninstalling cancels the salon's jobs, and this is not one of them.
    jobs::enqueue(tx, NewJob::new(TellOperator::KIND, notice).key(format!("uninstall:{}:{}", salon.id, at.as_millisecond()))).await?;
    Ok(())
}

/// Writes to the operator from the salon's own number, which is about to be unlinked. `job` names the
/// message, so that a repeat after a crash is the same one. A salon that cannot write any more is no
/// reason to keep it linked: the operator's server is the sure way.
pub(crate) async fn say_goodbye(app: &App, salon: &Company, job: &Job) {
    let Some(operator) = &app.settings.operator_phone else { return };
    let message_id = format!("3EB0{:018X}", job.id.0);
    let text = texts::uninstalled(&salon.title, salon.salon_id);
    if let Err(error) = app.whatsapp.send_text(salon.id, &chat(operator), &message_id, &text).await {
        tracing::error!(company = %salon.id, salon = %salon.salon_id, %error, "the operator was not told by WhatsApp that a salon left");
    }
}

fn chat(phone: &Phone) -> ChatId {
    ChatId(format!("{}@s.whatsapp.net", phone.digits()))
}

/// The job `tell_operator`.
pub(crate) struct TellOperator(pub(crate) Arc<App>);

impl TellOperator {
    pub(crate) const KIND: &'static str = "tell_operator";

    async fn tell(&self, job: &Job) -> anyhow::Result<Outcome> {
        let Some(url) = &self.0.settings.operator_webhook else {
            return Ok(Outcome::Discard { reason: "OPERATOR_WEBHOOK_URL is not set any more".to_owned() });
        };
        post(url, &job.payload::<Notice>()?).await?;
        Ok(Outcome::Done)
    }
}

/// A server that answers anything but 2xx has not taken the notice. The address may hold a secret, so
/// errors do not name it.
async fn post(url: &Url, notice: &Notice) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).build()?;
    let answer = http.post(url.clone()).json(notice).send().await.map_err(reqwest::Error::without_url)?;
    anyhow::ensure!(answer.status().is_success(), "the operator's server answered {}", answer.status());
    Ok(())
}

impl Handler for TellOperator {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Outcome> {
        Box::pin(async move { self.tell(job).await.unwrap_or_else(Outcome::retry) })
    }
}
