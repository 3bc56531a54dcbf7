use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::{ChatId, CompanyId, LinkState, Phone};
use jiff::Timestamp;
use parking_lot::Mutex;
use store::sessions::{self, Lease};
use store::{Store, StoreError, Vault, keys};
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wacore::pair_code::PairCodeUtils;
use wacore::proto_helpers::{MessageBuilderExt as _, build_reaction_message};
use wacore::store::DevicePropsOverride;
use wacore_binary::Jid;
use waproto::whatsapp as wa;
use waproto::whatsapp::device_props::PlatformType;
use whatsapp_rust::bot::Bot;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::{CacheConfig, ClientError, MsgSecretRetention, SendOptions};

use crate::Endpoint;
use crate::backend::{Backend, SECRET_RETENTION};
use crate::elsewhere::{Ask, Asked, keep_in_touch};
use crate::event::SessionEvent;
use crate::fence::{Fence, FencedDialer};
use crate::inbound::{Delivery, Hook, Inbox};
use crate::media::MediaHosts;
use crate::repeats::Repeats;
use crate::session::{Acks, Ear, End, Running, Salon, Then, keep, masked, write_state};
use crate::transport::Line;

/// A lease is renewed this often and runs out this long after the last renewal.
const RENEW: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(15);
/// Where the leases were not renewed for so long (by our own steady clock), another node may soon
/// own our sessions: they stop.
const LEASE_MARGIN: Duration = Duration::from_secs(12);
/// Sessions that nobody runs are looked for this often.
const LOOK: Duration = Duration::from_secs(1);
/// How long the end of a session waits to be written down again where the database is away.
const SETTLE_AGAIN: Duration = Duration::from_millis(500);
/// How long WhatsApp may take to say that it has a message.
const ACK_WAIT: Duration = Duration::from_secs(5);
/// WhatsApp's refusal to a number that may not write to new people for a while.
const RESTRICTED: u16 = 463;
/// How long a new session may take to reach WhatsApp before a pairing code is asked for.
const SOCKET_WAIT: Duration = Duration::from_secs(15);
/// How long WhatsApp may take to unlink a device before we forget it all the same.
const LOGOUT_WAIT: Duration = Duration::from_secs(10);
/// A QR or pairing code with less than this left is not worth showing again.
const WORTH_SHOWING: Duration = Duration::from_secs(10);
/// A session younger than that may still be about to show its first QR code.
const FIRST_QR: Duration = Duration::from_secs(2);
/// Sessions that start at the same time; where there are more, so much later for each, and the
/// time over which a full house is spread.
const AT_ONCE: usize = 32;
const START_EACH: Duration = Duration::from_millis(20);
const START_ALL: Duration = Duration::from_secs(30);
/// More sessions than a node can run.
const MANY: i64 = 100_000;
/// One-time keys offered to those who write first; made anew when they run low.
const PREKEYS: usize = 50;
/// Events a slow subscriber may be behind before it loses some.
const EVENTS: usize = 1_024;

/// The linked devices of all salons on this node. Cheap to clone; one per process.
#[derive(Clone)]
pub struct Pool(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    vault: Vault,
    endpoint: Endpoint,
    inbox: Arc<dyn Inbox>,
    pub(crate) node: String,
    line: Line,
    http: MediaHosts,
    salons: Mutex<HashMap<CompanyId, Arc<Salon>>>,
    events: broadcast::Sender<SessionEvent>,
    closing: CancellationToken,
    /// Whether orphaned sessions are ours to take.
    resumed: AtomicBool,
    /// Orphans are being taken.
    adopting: AtomicBool,
    /// A session may have become free just now.
    pub(crate) orphans: Notify,
    /// What was asked of other nodes.
    pub(crate) asked: Asked,
    /// When the states of other nodes' sessions were read last, by the database's time.
    pub(crate) looked: Mutex<Option<Timestamp>>,
    pub(crate) tasks: TaskTracker,
}

/// Why a session does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another node has the session; it is taken over when that node's lease runs out.
    #[error("another node has this session")]
    OwnedElsewhere,
    /// The device is linked already: there is no code to show.
    #[error("already linked")]
    AlreadyLinked,
    /// The pool shuts down.
    #[error("shutting down")]
    ShuttingDown,
    /// The database did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The device's memory cannot be read.
    #[error("the device's memory cannot be read: {0}")]
    Device(String),
}

/// Why there is no pairing code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairingError {
    /// The session does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// WhatsApp could not be reached in time.
    #[error("WhatsApp cannot be reached")]
    Unreachable,
    /// Too many codes for this number or from here; WhatsApp may say how long to wait.
    #[error("too many pairing codes were asked for")]
    Throttled {
        /// WhatsApp's own delay, where it names one.
        retry_after: Option<Duration>,
    },
    /// WhatsApp gives no code for this number: it must be linked by QR.
    #[error("WhatsApp gives no pairing code for this number")]
    NotAvailable,
    /// Anything else.
    #[error("no pairing code: {0}")]
    Failed(String),
}

/// Why a message is not known to be with WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The salon's session is not online here. Nothing was sent.
    #[error("not connected")]
    NotConnected,
    /// No chat has such an id. Nothing was sent.
    #[error("no chat has such an id")]
    NoSuchChat,
    /// WhatsApp refused the message.
    #[error("WhatsApp refused the message: {code}")]
    Refused {
        /// Its code: 463 = may not write to new people, 400 and 479 = malformed; 0 where it was no number.
        code: u16,
    },
    /// It could not be made or written (keys, devices, the socket). Sending again is safe.
    #[error("the message was not sent: {0}")]
    Failed(String),
    /// It was written and WhatsApp did not answer in time: it may have it or not. Sending again
    /// with the same id is safe.
    #[error("WhatsApp did not confirm the message")]
    Unconfirmed,
}

/// An emoji for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reaction<'a> {
    /// The message's id.
    pub to: &'a str,
    /// The salon sent it, not the customer.
    pub to_our_own: bool,
    /// The emoji; empty takes an earlier one back.
    pub emoji: &'a str,
}

/// A code to be typed on the phone that is to be linked.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode {
    /// Eight characters.
    pub code: String,
    /// How long it can be entered.
    pub expires_in: Duration,
}

impl std::fmt::Debug for PairingCode {
    /// Without the code: it is a secret while it lasts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingCode").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool without sessions. `node` names this process among those that share the database:
    /// a restarted process must have the name that it had, so that it gets its sessions back at once.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(store: Store, vault: Vault, endpoint: Endpoint, inbox: Arc<dyn Inbox>, node: String) -> Self {
        let (line, http) = (Line::new(&endpoint.url), MediaHosts::of(&endpoint.url));
        let (events, _) = broadcast::channel(EVENTS);
        let inner = Arc::new(Inner {
            store,
            vault,
            endpoint,
            inbox,
            node,
            line,
            http,
            salons: Mutex::default(),
            events,
            closing: CancellationToken::new(),
            resumed: AtomicBool::new(false),
            adopting: AtomicBool::new(false),
            orphans: Notify::new(),
            asked: Asked::default(),
            looked: Mutex::default(),
            tasks: TaskTracker::new(),
        });
        tokio::spawn(tend(Arc::downgrade(&inner), inner.closing.clone()));
        tokio::spawn(write_down(Arc::downgrade(&inner), inner.events.subscribe(), inner.closing.clone()));
        let bus = inner.store.bus();
        if bus.reaches_others() {
            let (ours, theirs) = (inner.events.subscribe(), bus.subscribe());
            tokio::spawn(keep_in_touch(Arc::downgrade(&inner), ours, theirs, inner.closing.clone()));
        }
        Self(inner)
    }

    /// The name of this node among those that share the database.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// Starts a salon's session, unless it runs here or elsewhere: a linked device connects, a new
    /// one shows QR codes.
    ///
    /// # Errors
    /// [`StartError`]; whether WhatsApp can be reached shows in the [state](Pool::state) later.
    pub async fn start(&self, company: CompanyId) -> Result<(), StartError> {
        match self.start_here(company).await {
            Err(StartError::OwnedElsewhere) => self.ask_to_start(company, Ask::Start).await,
            started => started,
        }
    }

    /// Asks the owner for something that needs no code in return.
    async fn ask_to_start(&self, company: CompanyId, ask: Ask) -> Result<(), StartError> {
        match self.ask_owner(company, ask).await {
            Ok(_) => Ok(()),
            Err(PairingError::Start(why)) => Err(why),
            Err(why) => Err(StartError::Device(why.to_string())),
        }
    }

    pub(crate) async fn start_here(&self, company: CompanyId) -> Result<(), StartError> {
        let salon = self.salon(company);
        let _gate = salon.gate.lock().await;
        self.start_locked(&salon).await.map(drop)
    }

    /// Starts the sessions of all linked salons that no other node has, spread with jitter where
    /// they are many, and returns how many were started (not: are connected). From here on the
    /// sessions of nodes that died are taken over, too.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be known which salons are linked; a session that does not
    /// start is logged and tried again.
    pub async fn resume_all(&self) -> Result<usize, StoreError> {
        self.look_around().await?;
        let salons = self.resumable().await?;
        let started = self.start_spread(salons).await;
        self.0.resumed.store(true, Ordering::Release);
        Ok(started)
    }

    /// Starts sessions with jitter where they are many; returns how many started.
    async fn start_spread(&self, salons: Vec<CompanyId>) -> usize {
        let crowd = u32::try_from(salons.len().saturating_sub(AT_ONCE)).unwrap_or(u32::MAX);
        let spread = START_ALL.min(START_EACH.saturating_mul(crowd));
        let starts = salons.into_iter().map(|company| async move {
            tokio::time::sleep(spread.mul_f64(rand::random())).await;
            self.resume(company).await.unwrap_or_else(|error| {
                tracing::warn!(%company, %error, "a WhatsApp session does not start");
                self.start_later(company, START_ALL);
                false
            })
        });
        futures::future::join_all(starts).await.into_iter().filter(|started| *started).count()
    }

    /// Ends a salon's session here and returns when it is gone. It stays linked and is not resumed
    /// before the next [`start`](Pool::start).
    ///
    /// # Errors
    /// [`StoreError`] when the wish cannot be written down: the session ended, but a restart would
    /// resume it.
    pub async fn stop(&self, company: CompanyId) -> Result<(), StoreError> {
        let salon = self.salon(company);
        let _gate = salon.gate.lock().await;
        stop_locked(&salon).await;
        let mut tx = self.0.store.begin().await?;
        sessions::want(&mut tx, company, false).await?;
        tx.commit().await
    }

    /// Unlinks a salon's device (the phone no longer lists it, where WhatsApp can be reached) and
    /// erases its keys.
    ///
    /// # Errors
    /// [`StartError`] when another node has the session and does not answer, or the database fails.
    pub async fn logout(&self, company: CompanyId) -> Result<(), StartError> {
        match self.logout_here(company).await {
            Err(StartError::OwnedElsewhere) => self.ask_to_start(company, Ask::Logout).await,
            done => done,
        }
    }

    pub(crate) async fn logout_here(&self, company: CompanyId) -> Result<(), StartError> {
        let salon = self.salon(company);
        let _gate = salon.gate.lock().await;
        match salon.running() {
            Some(running) if running.is_linked() => {
                // Ends the session by an event of its own.
                if tokio::time::timeout(LOGOUT_WAIT, running.client.logout()).await.is_err() {
                    tracing::warn!(%company, "WhatsApp did not confirm that the device is unlinked");
                }
                running.stop.cancel();
                running.gone.cancelled().await;
            }
            _ => stop_locked(&salon).await,
        }
        let lease = self.lease(company).await?;
        self.settle(&lease, &End { state: LinkState::LoggedOut, then: Then::Forget }).await?;
        salon.clear(LinkState::LoggedOut);
        Ok(())
    }

    /// Ends all sessions, with what they hold in memory put away, and returns when they are gone
    /// or after ten seconds.
    pub async fn shutdown(&self) {
        self.0.closing.cancel();
        let salons: Vec<_> = self.0.salons.lock().values().cloned().collect();
        for running in salons.iter().filter_map(|salon| salon.running()) {
            running.stop.cancel();
        }
        self.0.tasks.close();
        if tokio::time::timeout(Duration::from_secs(10), self.0.tasks.wait()).await.is_err() {
            tracing::warn!("WhatsApp sessions did not end in time");
        }
    }

    /// The state of a salon's link as this node knows it, wherever the session runs.
    pub fn state(&self, company: CompanyId) -> LinkState {
        self.known(company).map_or(LinkState::Disconnected, |salon| salon.state())
    }

    /// Hears of all salons' links from now on; who falls behind by 1,024 events loses some and may
    /// ask [`state`](Pool::state) and [`last_qr`](Pool::last_qr) again.
    pub fn subscribe(&self) -> broadcast::Receiver<SessionEvent> {
        self.0.events.subscribe()
    }

    /// The QR code on show and how long it can still be scanned.
    pub fn last_qr(&self, company: CompanyId) -> Option<(String, Duration)> {
        self.known(company)?.qr()
    }

    /// Sees to it that QR codes are on show: the current one stays where it lasts a while, where the
    /// next one comes by itself soon, and as long as a pairing code is out beside it; otherwise the
    /// session begins anew (a pairing code that was out is void then). The code comes as an event.
    ///
    /// # Errors
    /// [`StartError::AlreadyLinked`] and the reasons why a session does not start.
    pub async fn fresh_qr(&self, company: CompanyId) -> Result<(), StartError> {
        match self.fresh_qr_here(company).await {
            Err(StartError::OwnedElsewhere) => self.ask_to_start(company, Ask::FreshQr).await,
            shown => shown,
        }
    }

    pub(crate) async fn fresh_qr_here(&self, company: CompanyId) -> Result<(), StartError> {
        let salon = self.salon(company);
        let _gate = salon.gate.lock().await;
        if let Some(running) = salon.running().filter(|running| !running.is_ending()) {
            if running.is_linked() {
                return Err(StartError::AlreadyLinked);
            }
            let showing = match salon.qr() {
                Some((_, left)) => left > WORTH_SHOWING || salon.pairing().is_some(),
                None => running.since.elapsed() < FIRST_QR,
            };
            if showing {
                return Ok(());
            }
            stop_locked(&salon).await;
        }
        self.start_locked(&salon).await.map(drop)
    }

    /// The code that was given out for `phone` and is worth showing still.
    pub fn last_pairing_code(&self, company: CompanyId, phone: &Phone) -> Option<PairingCode> {
        let (asked, code, left) = self.known(company)?.pairing()?;
        (asked == *phone && left > WORTH_SHOWING).then_some(PairingCode { code, expires_in: left })
    }

    /// Asks for a code that links `phone` when it is typed there; starts the session if need be.
    /// Asked again for the same number while a code holds, gives the same code.
    ///
    /// # Errors
    /// [`PairingError`].
    pub async fn pairing_code(&self, company: CompanyId, phone: &Phone) -> Result<PairingCode, PairingError> {
        match self.pairing_code_here(company, phone).await {
            Err(PairingError::Start(StartError::OwnedElsewhere)) => {
                let given = self.ask_owner(company, Ask::PairingCode(phone.clone())).await?;
                given.ok_or_else(|| PairingError::Failed("the session's node gave none".to_owned()))
            }
            given => given,
        }
    }

    pub(crate) async fn pairing_code_here(&self, company: CompanyId, phone: &Phone) -> Result<PairingCode, PairingError> {
        let salon = self.salon(company);
        let _gate = salon.gate.lock().await;
        let running = self.start_locked(&salon).await?;
        if running.is_linked() {
            return Err(StartError::AlreadyLinked.into());
        }
        if let Some(given) = self.last_pairing_code(company, phone) {
            return Ok(given);
        }
        let client = &running.client;
        client.wait_for_socket(SOCKET_WAIT).await.map_err(|_| PairingError::Unreachable)?;
        client.cancel_pair_code().await;
        let options = PairCodeOptions { phone_number: phone.digits().to_owned(), ..PairCodeOptions::default() };
        let code = client.pair_with_code(options).await.map_err(|error| {
            use wacore::pair_code::PairCodeRejection as Rejection;
            match error.rejection() {
                Some(rejection) if rejection.is_throttled() => PairingError::Throttled { retry_after: error.backoff() },
                Some(Rejection::FeatureNotAvailable | Rejection::Forbidden) => PairingError::NotAvailable,
                _ => PairingError::Failed(masked(&error)),
            }
        })?;
        let expires_in = PairCodeUtils::code_validity();
        salon.show_pairing(phone.clone(), code.clone(), expires_in);
        Ok(PairingCode { code, expires_in })
    }

    /// Sends a text and returns when WhatsApp has it. A repeat with the same id is the same
    /// message for everybody who gets it.
    ///
    /// # Errors
    /// [`SendError`], which says whether anything was sent.
    pub async fn send_text(&self, company: CompanyId, chat: &ChatId, message_id: &str, text: &str) -> Result<(), SendError> {
        self.send(company, chat, message_id, wa::Message::text(text)).await
    }

    /// Puts an emoji (empty: takes it back) on a message of the chat, under an id of its own as a
    /// text has.
    ///
    /// # Errors
    /// [`SendError`], which says whether anything was sent.
    pub async fn send_reaction(
        &self,
        company: CompanyId,
        chat: &ChatId,
        message_id: &str,
        reaction: Reaction<'_>,
    ) -> Result<(), SendError> {
        let key = wa::MessageKey {
            remote_jid: Some(chat.0.clone()),
            from_me: Some(reaction.to_our_own),
            id: Some(reaction.to.to_owned()),
            ..wa::MessageKey::default()
        };
        let now = store::machine_now().as_millisecond();
        self.send(company, chat, message_id, build_reaction_message(key, reaction.emoji, now)).await
    }

    async fn send(&self, company: CompanyId, chat: &ChatId, message_id: &str, message: wa::Message) -> Result<(), SendError> {
        let (salon, running, to) = self.online(company, chat)?;
        if self.fence(&running.lease).holds().await.is_err() {
            return Err(SendError::NotConnected);
        }
        let answer = running.acks.expect(message_id);
        let options = SendOptions::default().with_message_id(message_id);
        running.client.send_message_with_options(to, message, options).await.map_err(|error| not_sent(&error))?;
        match answer.within(ACK_WAIT).await {
            Some(Delivery::Refused { code }) => {
                if code == RESTRICTED {
                    salon.restrict(chat);
                }
                Err(SendError::Refused { code })
            }
            Some(_) => {
                salon.accepted(chat);
                Ok(())
            }
            None => Err(SendError::Unconfirmed),
        }
    }

    /// Shows the chat that somebody is there and types, or no longer does.
    ///
    /// # Errors
    /// [`SendError`]: nobody sees it then, and nothing else is lost.
    pub async fn typing(&self, company: CompanyId, chat: &ChatId, typing: bool) -> Result<(), SendError> {
        let (_, running, to) = self.online(company, chat)?;
        let client = &running.client;
        if typing {
            client.presence().set_available().await.map_err(|error| failed(&error))?;
            client.chatstate().send_composing(&to).await.map_err(|error| failed(&error))
        } else {
            client.chatstate().send_paused(&to).await.map_err(|error| failed(&error))?;
            client.presence().set_unavailable().await.map_err(|error| failed(&error))
        }
    }

    /// Gives a person's messages the marks of having been read.
    ///
    /// # Errors
    /// [`SendError`]: the marks are missing then, and nothing else is lost.
    pub async fn mark_read(&self, company: CompanyId, chat: &ChatId, message_ids: &[&str]) -> Result<(), SendError> {
        let (_, running, to) = self.online(company, chat)?;
        running.client.mark_as_read(&to, None, message_ids).await.map_err(|error| failed(&error))
    }

    /// The salon's session, where it is online here, and the address of a chat.
    fn online(&self, company: CompanyId, chat: &ChatId) -> Result<(Arc<Salon>, Running, Jid), SendError> {
        let salon = self.known(company).ok_or(SendError::NotConnected)?;
        let running = salon.running().filter(|running| running.client.is_logged_in()).ok_or(SendError::NotConnected)?;
        let to = chat.0.parse().map_err(|_| SendError::NoSuchChat)?;
        Ok((salon, running, to))
    }

    /// A new id for a message, in the form that WhatsApp Web gives its own.
    pub fn new_message_id(&self) -> String {
        format!("3EB0{:018X}", rand::random::<u128>() >> 56)
    }

    /// The salon's chat with itself («сообщение себе»), where its session runs here and is linked.
    pub fn own_chat(&self, company: CompanyId) -> Option<ChatId> {
        self.known(company)?.own_chat()
    }

    fn fence(&self, lease: &Lease) -> Fence {
        Fence::new(self.0.store.clone(), lease.clone())
    }

    pub(crate) fn known(&self, company: CompanyId) -> Option<Arc<Salon>> {
        self.0.salons.lock().get(&company).cloned()
    }

    pub(crate) fn salon(&self, company: CompanyId) -> Arc<Salon> {
        let mut salons = self.0.salons.lock();
        let salon = salons.entry(company).or_insert_with(|| Arc::new(Salon::new(company, self.0.events.clone())));
        Arc::clone(salon)
    }

    /// The running session, started if need be. The salon's gate must be held.
    async fn start_locked(&self, salon: &Arc<Salon>) -> Result<Running, StartError> {
        if let Some(running) = salon.running() {
            if !running.is_ending() {
                return Ok(running);
            }
            running.gone.cancelled().await;
        }
        if self.0.closing.is_cancelled() {
            return Err(StartError::ShuttingDown);
        }
        let company = salon.company;
        let lease = self.lease(company).await?;
        salon.set_state(LinkState::Connecting);
        let started = self.build(salon, lease.clone()).await;
        if started.is_err() {
            // The lease stays ours and is tried again: another node would read no more than we did.
            salon.set_state(LinkState::Disconnected);
            self.start_later(company, START_ALL);
        }
        started
    }

    async fn build(&self, salon: &Arc<Salon>, lease: Lease) -> Result<Running, StartError> {
        let Inner { store, vault, endpoint, inbox, line, http, .. } = &*self.0;
        let company = salon.company;
        let acks = Arc::new(Acks::default());
        let (ear, heard) = Ear::new(company, Arc::clone(&acks), Arc::clone(inbox));
        let retention = MsgSecretRetention { text: SECRET_RETENTION, poll_event: SECRET_RETENTION, bot: SECRET_RETENTION };
        let broken = CancellationToken::new();
        let repeats = Repeats::new(company, Arc::clone(inbox));
        let mut bot = Bot::builder()
            .with_backend(Backend::new(store.clone(), vault.clone(), lease.clone(), broken.clone(), Arc::clone(&repeats)))
            .with_transport_factory(FencedDialer { dialer: line.dialer(), fence: self.fence(&lease) })
            .with_http_client(http.clone())
            // Pairing codes are refused to a device whose system is none; it is not kept with the
            // device, so it must be said at every start.
            .with_device_props(DevicePropsOverride::new().with_os("Ubuntu").with_platform_type(PlatformType::CHROME))
            .with_cache_config(CacheConfig {
                msg_secret_retention: retention,
                seed_msg_secrets_from_history: false,
                ..CacheConfig::default()
            })
            .with_wanted_pre_key_count(PREKEYS)
            .skip_history_sync()
            .with_inbound_durability_hook(Hook { company, inbox: Arc::clone(inbox), fence: self.fence(&lease) })
            .with_event_handler(ear);
        if let Some(version) = endpoint.version {
            bot = bot.with_version(version);
        }
        let bot = bot.build().await.map_err(|error| StartError::Device(masked(&error)))?;
        repeats.of(&bot.client());
        let running = Running::new(bot.client(), lease, acks, broken);
        salon.set_running(running.clone());
        let handle = bot.spawn();
        let (pool, salon, session) = (self.clone(), Arc::clone(salon), running.clone());
        self.0.tasks.spawn(async move {
            let end = keep(&pool.0.store, &salon, &session, handle, heard).await;
            // Until it is, the lease would be kept and nobody would run the session.
            while let Err(error) = pool.settle(&session.lease, &end).await {
                if matches!(error, StoreError::Fenced) {
                    tracing::info!(%company, "the session runs elsewhere");
                    break;
                }
                tracing::warn!(%company, %error, "the end of a session is not written down yet");
                if pool.0.closing.is_cancelled() {
                    break;
                }
                tokio::time::sleep(SETTLE_AGAIN).await;
            }
            drop(session);
            salon.clear(end.state);
            if let Then::Again(after) = end.then {
                pool.start_later(company, after);
            }
        });
        Ok(running)
    }

    fn start_later(&self, company: CompanyId, after: Duration) {
        let pool = self.clone();
        self.0.tasks.spawn(async move {
            let mut after = after;
            loop {
                tokio::select! {
                    () = tokio::time::sleep(after) => {}
                    () = pool.0.closing.cancelled() => return,
                }
                match pool.resume(company).await {
                    Ok(_) => return,
                    Err(error) => {
                        tracing::warn!(%company, %error, "it is not known whether a session should run: it is asked again");
                        after = START_ALL;
                    }
                }
            }
        });
    }

    /// Starts a session that should run; whether it did.
    async fn resume(&self, company: CompanyId) -> Result<bool, StoreError> {
        if !self.wanted(company).await? {
            return Ok(false);
        }
        match self.start_here(company).await {
            Ok(()) => Ok(true),
            Err(StartError::OwnedElsewhere | StartError::ShuttingDown) => Ok(false),
            Err(StartError::Store(error)) => Err(error),
            Err(error) => {
                tracing::warn!(%company, %error, "a WhatsApp session does not start");
                Ok(false)
            }
        }
    }

    /// Salons whose session should run: those nobody runs, and those that this node ran before it
    /// was killed.
    async fn resumable(&self) -> Result<Vec<CompanyId>, StoreError> {
        let mut tx = self.0.store.begin().await?;
        let mut salons = sessions::unowned(&mut tx, MANY).await?;
        for lease in sessions::renew(&mut tx, &self.0.node, LEASE).await? {
            let session = sessions::get(&mut tx, lease.company_id).await?;
            if session.is_some_and(|session| session.wanted) && !salons.contains(&lease.company_id) {
                salons.push(lease.company_id);
            }
        }
        tx.commit().await?;
        Ok(salons)
    }

    async fn wanted(&self, company: CompanyId) -> Result<bool, StoreError> {
        let mut tx = self.0.store.read().await?;
        Ok(sessions::get(&mut tx, company).await?.is_some_and(|session| session.wanted))
    }

    async fn lease(&self, company: CompanyId) -> Result<Lease, StartError> {
        let mut tx = self.0.store.begin().await?;
        let lease = sessions::acquire(&mut tx, company, &self.0.node, LEASE).await?.ok_or(StartError::OwnedElsewhere)?;
        sessions::want(&mut tx, company, true).await?;
        sessions::set_state(&mut tx, &lease, &LinkState::Connecting).await?;
        tx.commit().await?;
        Ok(lease)
    }

    /// Writes down how a session ended, and gives the lease back unless we shall try again.
    async fn settle(&self, lease: &Lease, end: &End) -> Result<(), StoreError> {
        let mut tx = self.0.store.begin().await?;
        sessions::set_state(&mut tx, lease, &end.state).await?;
        if end.then == Then::Forget {
            keys::erase(&mut tx, lease.company_id).await?;
        }
        if matches!(end.then, Then::Forget | Then::Rest) {
            sessions::want(&mut tx, lease.company_id, false).await?;
        }
        if !matches!(end.then, Then::Again(_)) {
            sessions::release(&mut tx, lease).await?;
        }
        tx.commit().await
    }

    /// Writes down the states that are not yet, under the leases of their sessions.
    async fn write_states(&self) {
        let salons: Vec<_> = self.0.salons.lock().values().cloned().collect();
        for salon in salons {
            let Some((running, state)) = salon.unwritten() else { continue };
            match write_state(&self.0.store, &running, &state).await {
                Ok(()) => {}
                Err(StoreError::Fenced) => running.stop.cancel(),
                Err(error) => {
                    tracing::warn!(company = %salon.company, %error, "the state of a session is not written down yet");
                    salon.still_unwritten();
                }
            }
        }
    }

    /// Prolongs the leases of this node and stops the sessions that another node took over.
    async fn renew(&self) -> Result<(), StoreError> {
        let mut tx = self.0.store.begin().await?;
        let held = sessions::renew(&mut tx, &self.0.node, LEASE).await?;
        tx.commit().await?;
        let held: HashMap<CompanyId, i64> = held.into_iter().map(|lease| (lease.company_id, lease.epoch)).collect();
        for running in self.running() {
            let Lease { company_id: company, epoch, .. } = running.lease;
            // A session that was leased after the reading above is not in it.
            if held.get(&company) != Some(&epoch) && running.since.elapsed() > RENEW {
                tracing::warn!(%company, "another node took the session over");
                running.stop.cancel();
            }
        }
        Ok(())
    }

    /// Takes over the sessions that should run and that nobody runs.
    async fn adopt(&self) -> Result<(), StoreError> {
        let orphans = sessions::unowned(&mut self.0.store.read().await?, MANY).await?;
        if !orphans.is_empty() && !self.0.adopting.swap(true, Ordering::AcqRel) {
            let pool = self.clone();
            self.0.tasks.spawn(async move {
                let found = orphans.len();
                tokio::select! {
                    started = pool.start_spread(orphans) => tracing::info!(found, started, "sessions that nobody ran were taken"),
                    () = pool.0.closing.cancelled() => {}
                }
                pool.0.adopting.store(false, Ordering::Release);
            });
        }
        Ok(())
    }

    fn running(&self) -> Vec<Running> {
        self.0.salons.lock().values().filter_map(|salon| salon.running()).collect()
    }
}

/// Writes states down as they change; what could not be written, with the next ones or after a while.
async fn write_down(pool: Weak<Inner>, mut news: broadcast::Receiver<SessionEvent>, closing: CancellationToken) {
    loop {
        tokio::select! {
            event = news.recv() => if matches!(event, Err(broadcast::error::RecvError::Closed)) { return },
            () = tokio::time::sleep(RENEW) => {}
            () = closing.cancelled() => return,
        }
        let Some(pool) = pool.upgrade().map(Pool) else { return };
        pool.write_states().await;
    }
}

/// Keeps the leases of this node, and takes over what nobody has.
async fn tend(pool: Weak<Inner>, closing: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // When the last renewal that succeeded was asked for, and when the next one is due.
    let mut renewed = Instant::now();
    let mut due = renewed;
    loop {
        let Some(held) = pool.upgrade() else { return };
        tokio::select! {
            _ = ticks.tick() => {}
            () = held.orphans.notified() => {}
            () = closing.cancelled() => return,
        }
        let pool = Pool(held);
        pool.0.salons.lock().values().for_each(|salon| salon.forget_old_restriction());
        let asked = Instant::now();
        if asked >= due {
            // Never waits past the moment from which the leases are not surely ours.
            let left = (renewed + LEASE_MARGIN).saturating_duration_since(asked);
            let left = if left.is_zero() { RENEW } else { left };
            match tokio::time::timeout(left, pool.renew()).await {
                Ok(Ok(())) => (renewed, due) = (asked, asked + RENEW),
                failed => {
                    let error = failed.map_or_else(
                        |_| "no answer".to_owned(),
                        |renewed| renewed.err().map(|error| error.to_string()).unwrap_or_default(),
                    );
                    tracing::warn!(error, "the leases of WhatsApp sessions were not renewed");
                    if renewed.elapsed() >= LEASE_MARGIN {
                        pool.running().iter().for_each(|running| running.stop.cancel());
                    }
                    continue;
                }
            }
            if let Err(error) = pool.look_around().await {
                tracing::warn!(%error, "the states of other nodes' sessions could not be read");
            }
        }
        if pool.0.resumed.load(Ordering::Acquire)
            && let Err(error) = pool.adopt().await
        {
            tracing::warn!(%error, "it is not known which WhatsApp sessions nobody runs");
        }
    }
}

async fn stop_locked(salon: &Salon) {
    if let Some(running) = salon.running() {
        running.stop.cancel();
        running.gone.cancelled().await;
    }
}

fn not_sent(error: &whatsapp_rust::SendError) -> SendError {
    use whatsapp_rust::SendError as Error;
    match error {
        Error::NotLoggedIn | Error::Client(ClientError::NotConnected | ClientError::NotLoggedIn) => SendError::NotConnected,
        error => failed(error),
    }
}

fn failed(error: &impl std::fmt::Display) -> SendError {
    SendError::Failed(masked(error))
}
