use std::{sync::Arc, time::Duration};

use domain::{Clock, Phone};
use store::{Store, Vault, jobs::Runner};
use url::Url;
use whatsapp::Pool;
use yclients::YClients;

use crate::{
    Catalogues, activation,
    answer::Answer,
    files::FetchFile,
    missed::ListMissed,
    notifications::NotifyBooking,
    operator::TellOperator,
    outbox::Send,
    settle::Settle,
    sync::SyncJob,
    webhooks::{LifecycleChange, RereadRecord},
};

/// What every workflow works with. One per process.
pub struct App {
    /// The database.
    pub store: Store,
    /// Seals secrets at rest.
    pub vault: Vault,
    /// The booking system, under the process's one rate limit.
    pub yclients: YClients,
    /// The salons' WhatsApp sessions on this node.
    pub whatsapp: Pool,
    /// The calendar.
    pub clock: Arc<dyn Clock>,
    /// The salons as the dialogue knows them, kept between turns.
    pub catalogues: Catalogues,
    /// What the operator has set.
    pub settings: Settings,
}

/// The operator's settings that workflows read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where browsers and YClients reach us.
    pub base_url: Url,
    /// Our number in the marketplace; 0 when missing.
    pub application_id: i64,
    /// Settings without which no salon can be connected.
    pub missing: Vec<&'static str>,
    /// A fixed wait for the rest of a burst; adaptive when absent.
    pub debounce: Option<Duration>,
    /// How long writing a character takes; zero sends at once.
    pub typing: Duration,
    /// How long a person of the salon who writes silences the bot in that chat (calendar time).
    pub human_pause: Duration,
    /// How long the outcome of a write is looked for before a person is asked to.
    pub unsettled_patience: Duration,
    /// Who hears by WhatsApp of uninstallations.
    pub operator_phone: Option<Phone>,
    /// Who hears of them as JSON.
    pub operator_webhook: Option<Url>,
}

impl App {
    /// The job runner with every handler of the house. What is sent is sent by the node that runs
    /// the salon's session.
    pub fn runner(self: &Arc<Self>) -> Runner {
        let mut runner = Runner::new(self.store.clone());
        if self.store.bus().reaches_others() {
            runner = runner.node(self.whatsapp.node());
        }
        runner
            .handler(Answer::KIND, Arc::new(Answer(self.clone())), 64)
            .handler(Settle::KIND, Arc::new(Settle(self.clone())), 8)
            .handler_with_session(Send::KIND, Arc::new(Send(self.clone())), 128)
            .handler(RereadRecord::KIND, Arc::new(RereadRecord(self.clone())), 16)
            .handler(LifecycleChange::KIND, Arc::new(LifecycleChange(self.clone())), 8)
            .handler(NotifyBooking::KIND, Arc::new(NotifyBooking(self.clone())), 8)
            .handler(TellOperator::KIND, Arc::new(TellOperator(self.clone())), 2)
            .handler(SyncJob::KIND, Arc::new(SyncJob(self.clone())), 8)
            .handler(ListMissed::KIND, Arc::new(ListMissed(self.clone())), 4)
            .handler_with_session(FetchFile::KIND, Arc::new(FetchFile(self.clone())), 4)
            .handler_with_session(activation::Welcome::KIND, Arc::new(activation::Welcome(self.clone())), 8)
    }
}
