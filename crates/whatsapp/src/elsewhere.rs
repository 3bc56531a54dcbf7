//! Sessions that another node runs: what their owner tells of them is known here, too, and what is
//! asked of them here is asked of their owner. Over the store's bus, so nothing depends on it for
//! long: states are also read from the database, and who is not answered is told so.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use domain::{CompanyId, LinkState, Phone};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use store::{CompanyEvent, StoreError, sessions};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::event::{Event, SessionEvent};
use crate::pool::{Inner, PairingCode, PairingError, Pool, StartError};

/// The kind of our events on the bus.
const KIND: &str = "whatsapp";
/// How long an owner may take to answer; a pairing code waits for WhatsApp.
const ANSWER: Duration = Duration::from_secs(5);
const ANSWER_WITH_CODE: Duration = Duration::from_secs(25);
/// States are read again from so long before the last reading: a transaction may commit late.
const OVERLAP: Duration = Duration::from_secs(30);

/// What goes between nodes about one salon's session.
#[derive(Serialize, Deserialize)]
enum Word {
    /// From the owner: what happened, under which epoch of its lease.
    Told { epoch: i64, news: News },
    /// To the owner.
    Ask { id: u64, ask: Ask },
    /// From the owner.
    Answer { id: u64, answer: Answer },
}

#[derive(Serialize, Deserialize)]
enum News {
    Qr { code: String, expires_in: Duration },
    PairingCode { code: String, expires_in: Duration },
    State(LinkState),
}

/// What a node asks of a session's owner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Ask {
    Start,
    FreshQr,
    PairingCode(Phone),
    Logout,
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Done,
    Code { code: String, expires_in: Duration },
    AlreadyLinked,
    Unreachable,
    Throttled { retry_after: Option<Duration> },
    NotAvailable,
    Failed(String),
}

impl Answer {
    fn of(given: Result<Option<PairingCode>, PairingError>) -> Self {
        match given {
            Ok(None) => Self::Done,
            Ok(Some(PairingCode { code, expires_in })) => Self::Code { code, expires_in },
            Err(PairingError::Start(StartError::AlreadyLinked)) => Self::AlreadyLinked,
            Err(PairingError::Unreachable) => Self::Unreachable,
            Err(PairingError::Throttled { retry_after }) => Self::Throttled { retry_after },
            Err(PairingError::NotAvailable) => Self::NotAvailable,
            Err(PairingError::Failed(why)) => Self::Failed(why),
            Err(PairingError::Start(why)) => Self::Failed(why.to_string()),
        }
    }

    fn into_result(self) -> Result<Option<PairingCode>, PairingError> {
        match self {
            Self::Done => Ok(None),
            Self::Code { code, expires_in } => Ok(Some(PairingCode { code, expires_in })),
            Self::AlreadyLinked => Err(StartError::AlreadyLinked.into()),
            Self::Unreachable => Err(PairingError::Unreachable),
            Self::Throttled { retry_after } => Err(PairingError::Throttled { retry_after }),
            Self::NotAvailable => Err(PairingError::NotAvailable),
            Self::Failed(why) => Err(PairingError::Failed(why)),
        }
    }
}

impl From<Event> for News {
    fn from(event: Event) -> Self {
        match event {
            Event::Qr { code, expires_in } => Self::Qr { code, expires_in },
            Event::PairingCode { code, expires_in } => Self::PairingCode { code, expires_in },
            Event::State(state) => Self::State(state),
        }
    }
}

impl From<News> for Event {
    fn from(news: News) -> Self {
        match news {
            News::Qr { code, expires_in } => Self::Qr { code, expires_in },
            News::PairingCode { code, expires_in } => Self::PairingCode { code, expires_in },
            News::State(state) => Self::State(state),
        }
    }
}

/// Who waits for which answer.
#[derive(Default)]
pub(crate) struct Asked(Mutex<HashMap<u64, oneshot::Sender<Answer>>>);

impl Pool {
    /// Asks the node that runs the session. [`StartError::OwnedElsewhere`] where it does not answer:
    /// it may have died just now.
    pub(crate) async fn ask_owner(&self, company: CompanyId, ask: Ask) -> Result<Option<PairingCode>, PairingError> {
        if !self.0.store.bus().reaches_others() {
            return Err(StartError::OwnedElsewhere.into());
        }
        let id = rand::random();
        let (sender, answer) = oneshot::channel();
        self.0.asked.0.lock().insert(id, sender);
        let patience = if matches!(ask, Ask::PairingCode(_)) { ANSWER_WITH_CODE } else { ANSWER };
        self.say(company, &Word::Ask { id, ask });
        let answer = tokio::time::timeout(patience, answer).await;
        self.0.asked.0.lock().remove(&id);
        match answer {
            Ok(Ok(answer)) => answer.into_result(),
            _ => Err(StartError::OwnedElsewhere.into()),
        }
    }

    fn say(&self, company: CompanyId, word: &Word) {
        match serde_json::to_value(word) {
            Ok(payload) => self.0.store.bus().tell_others(CompanyEvent { company_id: company, kind: KIND.to_owned(), payload }),
            Err(error) => tracing::error!(%company, %error, "a word to the other nodes cannot be written"),
        }
    }

    /// Tells the other nodes how a session of ours stands.
    fn report(&self, company: CompanyId) {
        let Some(salon) = self.known(company).filter(|salon| salon.running().is_some()) else { return };
        let epoch = salon.epoch();
        self.say(company, &Word::Told { epoch, news: News::State(salon.state()) });
        if let Some((code, expires_in)) = salon.qr() {
            self.say(company, &Word::Told { epoch, news: News::Qr { code, expires_in } });
        }
    }

    /// Does what another node asked, where the session runs here; else its owner answers.
    async fn obey(self, company: CompanyId, id: u64, ask: Ask) {
        if self.known(company).is_none_or(|salon| salon.running().is_none()) {
            return;
        }
        let given = match &ask {
            Ask::Start => self.start_here(company).await.map(|()| None).map_err(Into::into),
            Ask::FreshQr => self.fresh_qr_here(company).await.map(|()| None).map_err(Into::into),
            Ask::PairingCode(phone) => self.pairing_code_here(company, phone).await.map(Some),
            Ask::Logout => self.logout_here(company).await.map(|()| None).map_err(Into::into),
        };
        self.say(company, &Word::Answer { id, answer: Answer::of(given) });
        self.report(company);
    }

    fn hear_node(&self, company: CompanyId, word: Word) {
        match word {
            Word::Told { epoch, news } => {
                let freed = matches!(news, News::State(LinkState::Disconnected));
                self.salon(company).hear_owner(epoch, news.into());
                if freed {
                    self.0.orphans.notify_one();
                }
            }
            Word::Ask { id, ask } => {
                self.0.tasks.spawn(self.clone().obey(company, id, ask));
            }
            Word::Answer { id, answer } => {
                // Whoever asked may have given up.
                if let Some(waiting) = self.0.asked.0.lock().remove(&id) {
                    let _ = waiting.send(answer);
                }
            }
        }
    }

    /// Reads the states of the sessions of other nodes: at first all, then what may have changed.
    pub(crate) async fn look_around(&self) -> Result<(), StoreError> {
        if !self.0.store.bus().reaches_others() {
            return Ok(());
        }
        let mut tx = self.0.store.read().await?;
        let now = tx.now().await?;
        let since = self.0.looked.lock().unwrap_or_default();
        let theirs = sessions::of_others(&mut tx, &self.0.node, since).await?;
        drop(tx);
        *self.0.looked.lock() = Some(now - OVERLAP);
        for session in theirs {
            if let Some(state) = session.state {
                self.salon(session.company_id).hear_owner(session.epoch, Event::State(state));
            }
        }
        Ok(())
    }
}

/// Carries what happens here to the other nodes and hears them, until the pool shuts down.
pub(crate) async fn keep_in_touch(
    pool: Weak<Inner>,
    mut ours: Receiver<SessionEvent>,
    mut theirs: Receiver<CompanyEvent>,
    closing: CancellationToken,
) {
    loop {
        tokio::select! {
            event = ours.recv() => {
                let Some(pool) = pool.upgrade().map(Pool) else { return };
                match event {
                    Ok(SessionEvent { company_id, event, here: true }) => {
                        let epoch = pool.salon(company_id).epoch();
                        pool.say(company_id, &Word::Told { epoch, news: event.into() });
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "the other nodes missed some news of sessions"),
                    Err(RecvError::Closed) => return,
                }
            }
            word = theirs.recv() => {
                let Some(pool) = pool.upgrade().map(Pool) else { return };
                match word {
                    Ok(event) if event.kind == KIND => match serde_json::from_value(event.payload) {
                        Ok(word) => pool.hear_node(event.company_id, word),
                        Err(error) => tracing::warn!(%error, "a word of another node was not understood: does it run another version?"),
                    },
                    Ok(_) => {}
                    Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "words of other nodes were missed"),
                    Err(RecvError::Closed) => return,
                }
            }
            () = closing.cancelled() => return,
        }
    }
}
