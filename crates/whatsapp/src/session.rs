//! One salon's session: its client, what is known of its link, and the task that listens to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{ChatId, CompanyId, LinkState, Phone};
use parking_lot::Mutex;
use store::sessions::{self, Lease};
use store::{Store, StoreError};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wacore::types::events::{ConnectFailureReason, Event as Heard, EventHandler, EventInterest, EventKind};
use wacore::types::presence::ReceiptType;
use whatsapp_rust::Client;
use whatsapp_rust::bot::BotHandle;

use crate::event::{Event, SessionEvent};
use crate::inbound::{Delivery, Inbox};

/// After an end that the salon can do nothing about, we try again: the usual wait, and the one
/// where only a newer client helps.
const AGAIN: Duration = Duration::from_secs(5 * 60);
const AGAIN_OUTDATED: Duration = Duration::from_secs(60 * 60);
/// How long a number is taken for restricted when nothing shows the contrary: WhatsApp's own limit
/// on writing to new people is a day at first.
const RESTRICTED_FOR: Duration = Duration::from_secs(24 * 3600);
/// A session whose memory could not be written begins anew after that time.
const AGAIN_BROKEN: Duration = Duration::from_secs(1);
/// A word of WhatsApp that is awaited for so long will not come, though the socket is open: the
/// client itself would wait for over a minute, each time anew.
const DEAF: Duration = Duration::from_secs(20);
/// So often that time doubles.
const MOST_PATIENT: u32 = 4;
/// It is looked at so often.
const PULSE: Duration = Duration::from_secs(5);
/// Deliveries waiting for the inbox; what comes on top is dropped (see [`Inbox::delivered`]).
const DELIVERIES: usize = 1_024;

/// A salon's place in the pool: lives as long as the pool, with or without a session.
pub(crate) struct Salon {
    pub(crate) company: CompanyId,
    /// Held while a session is started, stopped or paired: one at a time per salon.
    pub(crate) gate: tokio::sync::Mutex<()>,
    view: Mutex<View>,
    events: broadcast::Sender<SessionEvent>,
}

/// What is known of the link without asking anybody.
struct View {
    state: LinkState,
    qr: Option<Code>,
    pairing: Option<(Phone, Code)>,
    running: Option<Running>,
    /// The last lease's epoch that is known, ours or another node's.
    epoch: i64,
    /// The state is not in the database yet.
    unwritten: bool,
    /// The chat whose message WhatsApp refused (463), and when: the state is `Restricted` since.
    refused: Option<(ChatId, Instant)>,
}

/// A code to show, and until when.
#[derive(Clone)]
struct Code {
    text: String,
    until: Instant,
}

impl Code {
    fn current(&self) -> Option<(String, Duration)> {
        let left = self.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| (self.text.clone(), left))
    }
}

/// A session that runs.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) client: Arc<Client>,
    pub(crate) since: Instant,
    /// Under which it may write.
    pub(crate) lease: Lease,
    pub(crate) acks: Arc<Acks>,
    /// Cancel it to end the session.
    pub(crate) stop: CancellationToken,
    /// Cancelled by the device's memory when it could not be written.
    pub(crate) broken: CancellationToken,
    /// Cancelled once nothing of the session is left.
    pub(crate) gone: CancellationToken,
    ending: Arc<AtomicBool>,
}

impl Running {
    pub(crate) fn new(client: Arc<Client>, lease: Lease, acks: Arc<Acks>, broken: CancellationToken) -> Self {
        let (stop, gone) = (CancellationToken::new(), CancellationToken::new());
        Self { client, since: Instant::now(), lease, acks, stop, broken, gone, ending: Arc::default() }
    }

    /// It is on its way out: wait for `gone` before starting another.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire) || self.stop.is_cancelled()
    }

    /// The device has an account: there is nothing to link any more.
    pub(crate) fn is_linked(&self) -> bool {
        self.client.pn().is_some()
    }
}

impl Salon {
    pub(crate) fn new(company: CompanyId, events: broadcast::Sender<SessionEvent>) -> Self {
        let view =
            View { state: LinkState::Disconnected, qr: None, pairing: None, running: None, epoch: 0, unwritten: false, refused: None };
        Self { company, gate: tokio::sync::Mutex::default(), view: Mutex::new(view), events }
    }

    pub(crate) fn state(&self) -> LinkState {
        self.view.lock().state.clone()
    }

    pub(crate) fn running(&self) -> Option<Running> {
        self.view.lock().running.clone()
    }

    pub(crate) fn set_running(&self, running: Running) {
        let mut view = self.view.lock();
        view.epoch = running.lease.epoch;
        view.running = Some(running);
    }

    pub(crate) fn set_state(&self, state: LinkState) {
        {
            let mut view = self.view.lock();
            if view.state == state {
                return;
            }
            view.state = state.clone();
            view.unwritten = true;
        }
        self.tell_state(state);
    }

    pub(crate) fn epoch(&self) -> i64 {
        self.view.lock().epoch
    }

    /// What another node says of a session that it runs; an owner that has lost it says nothing new.
    pub(crate) fn hear_owner(&self, epoch: i64, event: Event) {
        {
            let mut view = self.view.lock();
            if view.running.is_some() || epoch < view.epoch {
                return;
            }
            view.epoch = epoch;
            match &event {
                Event::Qr { code, expires_in } => view.qr = Some(Code { text: code.clone(), until: Instant::now() + *expires_in }),
                Event::PairingCode { .. } => {}
                Event::State(state) if view.state == *state => return,
                Event::State(state) => {
                    view.state = state.clone();
                    if !matches!(state, LinkState::Connecting | LinkState::Disconnected) {
                        view.qr = None;
                    }
                }
            }
        }
        let _ = self.events.send(SessionEvent { company_id: self.company, event, here: false });
    }

    /// The state that is to be written down under the session's lease, once.
    pub(crate) fn unwritten(&self) -> Option<(Running, LinkState)> {
        let mut view = self.view.lock();
        let running = view.running.clone().filter(|_| std::mem::take(&mut view.unwritten))?;
        Some((running, view.state.clone()))
    }

    /// It could not be written down.
    pub(crate) fn still_unwritten(&self) {
        self.view.lock().unwritten = true;
    }

    fn tell_state(&self, state: LinkState) {
        tracing::info!(company = %self.company, state = state.as_str(), "WhatsApp link");
        self.tell(Event::State(state));
    }

    /// The QR code on show and how long it still holds.
    pub(crate) fn qr(&self) -> Option<(String, Duration)> {
        self.view.lock().qr.as_ref().and_then(Code::current)
    }

    /// The pairing code that was given out for a number and how long it still holds.
    pub(crate) fn pairing(&self) -> Option<(Phone, String, Duration)> {
        let view = self.view.lock();
        let (phone, code) = view.pairing.as_ref()?;
        let (text, left) = code.current()?;
        Some((phone.clone(), text, left))
    }

    pub(crate) fn show_pairing(&self, phone: Phone, code: String, expires_in: Duration) {
        self.view.lock().pairing = Some((phone, Code { text: code.clone(), until: Instant::now() + expires_in }));
        self.tell(Event::PairingCode { code, expires_in });
    }

    /// The salon's chat with itself.
    pub(crate) fn own_chat(&self) -> Option<ChatId> {
        let client = self.running()?.client;
        let own = client.lid().or_else(|| client.pn())?;
        Some(ChatId(own.to_non_ad_string()))
    }

    /// WhatsApp does not let this number write to that chat, nor perhaps to others.
    pub(crate) fn restrict(&self, chat: &ChatId) {
        self.view.lock().refused = Some((chat.clone(), Instant::now()));
        self.set_state(LinkState::Restricted);
    }

    /// A message to that chat was accepted: the restriction, if that chat showed it, is over.
    pub(crate) fn accepted(&self, chat: &ChatId) {
        self.lift_restriction(|refused, _| refused == chat);
    }

    /// A restriction that nothing has shown for a day is taken for over.
    pub(crate) fn forget_old_restriction(&self) {
        self.lift_restriction(|_, since| since.elapsed() >= RESTRICTED_FOR);
    }

    fn lift_restriction(&self, over: impl Fn(&ChatId, Instant) -> bool) {
        let running = {
            let mut view = self.view.lock();
            if !view.refused.as_ref().is_some_and(|(chat, since)| over(chat, *since)) {
                return;
            }
            view.refused = None;
            view.running.clone().filter(|_| view.state == LinkState::Restricted)
        };
        if let Some(state) = running.and_then(|running| connected(&running.client)) {
            self.set_state(state);
        }
    }

    fn show_qr(&self, code: String, expires_in: Duration) {
        self.view.lock().qr = Some(Code { text: code.clone(), until: Instant::now() + expires_in });
        self.tell(Event::Qr { code, expires_in });
    }

    fn hide_codes(&self) {
        let mut view = self.view.lock();
        view.qr = None;
        view.pairing = None;
    }

    /// Nobody may listen: that is no error.
    fn tell(&self, event: Event) {
        let _ = self.events.send(SessionEvent { company_id: self.company, event, here: true });
    }

    /// The session is over.
    pub(crate) fn clear(&self, state: LinkState) {
        let (running, changed) = {
            let mut view = self.view.lock();
            view.qr = None;
            view.pairing = None;
            view.refused = None;
            let changed = view.state != state;
            view.state = state.clone();
            (view.running.take(), changed)
        };
        if changed {
            self.tell_state(state);
        }
        if let Some(running) = running {
            running.gone.cancel();
        }
    }
}

/// Why a session ended and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// What the owner sees now.
    pub(crate) state: LinkState,
    pub(crate) then: Then,
}

/// What follows the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Any node may run it again at once: we were asked to stop.
    Free,
    /// It runs again when somebody asks for it.
    Rest,
    /// The same, and the device is no longer linked: its keys are worthless and go.
    Forget,
    /// We try again by ourselves after that time, and nobody else does before.
    Again(Duration),
}

impl End {
    fn new(state: LinkState, then: Then) -> Self {
        Self { state, then }
    }
}

/// Listens to a session until it ends, by itself or by [`Running::stop`]; then puts away what the
/// client still holds in memory. The caller settles the lease.
pub(crate) async fn keep(
    store: &Store,
    salon: &Salon,
    running: &Running,
    mut bot: BotHandle,
    mut heard: mpsc::UnboundedReceiver<Arc<Heard>>,
) -> End {
    let mut over = false;
    let mut pulse = tokio::time::interval(PULSE);
    let mut silence = Silence::default();
    let end = loop {
        tokio::select! {
            biased;
            event = heard.recv() => {
                let ends = match &event {
                    Some(event) => hear(store, salon, running, event).await,
                    None => Some(End::new(LinkState::Disconnected, Then::Free)),
                };
                if let Some(end) = ends {
                    break end;
                }
            }
            () = running.stop.cancelled() => {
                break End::new(LinkState::Disconnected, if running.is_linked() { Then::Free } else { Then::Rest });
            }
            () = running.broken.cancelled() => {
                tracing::warn!(company = %salon.company, "the device's memory could not be written; the session begins anew");
                break End::new(LinkState::Connecting, if running.is_linked() { Then::Again(AGAIN_BROKEN) } else { Then::Rest });
            }
            _ = pulse.tick() => if silence.is_too_long(salon, running) {
                tracing::warn!(company = %salon.company, "WhatsApp has gone silent on an open connection; connecting anew");
                let client = Arc::clone(&running.client);
                tokio::spawn(async move { client.reconnect().await });
            },
            // Every end of the client's own has an event before it, read above; what has none is a
            // codes' run out or a fault, and a linked device comes back from that.
            () = &mut bot => {
                over = true;
                break End::new(LinkState::Disconnected, if running.is_linked() { Then::Again(AGAIN) } else { Then::Rest });
            }
        }
    };
    running.ending.store(true, Ordering::Release);
    running.client.disconnect().await;
    if !over {
        bot.await;
    }
    end
}

/// How long a session has waited for WhatsApp.
#[derive(Default)]
struct Silence {
    /// A login is under way.
    login: Option<Instant>,
    /// The connection was given up for it, and how often in a row.
    given_up: Option<Instant>,
    times: u32,
}

impl Silence {
    /// A linked device comes online a moment after its socket is open, and a message is acknowledged
    /// a moment after it is sent. (A first login waits for the phone, which may take its time.)
    fn is_too_long(&mut self, salon: &Salon, running: &Running) -> bool {
        let client = &running.client;
        let known = running.is_linked() && !client.push_name().is_empty();
        if !known || !client.is_connected() {
            self.login = None;
            return false;
        }
        let login = salon.state() == LinkState::Connecting;
        self.login = login.then(|| self.login.unwrap_or_else(Instant::now));
        let Some(since) = self.login.or_else(|| running.acks.oldest()) else {
            self.times = 0;
            return false;
        };
        // Where all are slow, connecting anew makes them slower: each time it takes twice the patience.
        let patience = DEAF * 2_u32.pow(self.times.min(MOST_PATIENT));
        if self.given_up.max(Some(since)).is_some_and(|since| since.elapsed() < patience) {
            return false;
        }
        *self = Self { login: None, given_up: Some(Instant::now()), times: self.times + 1 };
        true
    }
}

/// Takes in one event; `Some` where it ends the session.
async fn hear(store: &Store, salon: &Salon, running: &Running, event: &Heard) -> Option<End> {
    let client = &running.client;
    match event {
        Heard::PairingQrCode(qr) => salon.show_qr(qr.code.clone(), qr.timeout),
        Heard::PairSuccess(_) => {
            salon.hide_codes();
            // The phone believes us linked from here on: so must the next start, come what may.
            if let Err(error) = client.persistence_manager().flush().await {
                tracing::error!(company = %salon.company, error = %masked(&error), "a linked device was not saved");
            }
        }
        Heard::Connected(_) => {
            salon.hide_codes();
            go_quiet(client);
            match connected(client) {
                Some(state) => {
                    // Before anybody is told: the page asks for the activation at once, of any node.
                    match write_state(store, running, &state).await {
                        Ok(()) => {}
                        Err(StoreError::Fenced) => return Some(End::new(LinkState::Disconnected, Then::Free)),
                        Err(error) => tracing::warn!(company = %salon.company, %error, "the state of a session was not written down yet"),
                    }
                    salon.set_state(state);
                }
                None => tracing::error!(company = %salon.company, "a linked account whose number is none"),
            }
        }
        Heard::SelfPushNameUpdated(renamed) => {
            go_quiet(client);
            if let LinkState::Connected { phone, .. } = salon.state() {
                salon.set_state(LinkState::Connected { phone, name: renamed.new_name.clone() });
            }
        }
        Heard::Disconnected(_) => {
            // WhatsApp forgets the codes of a connection with it.
            salon.hide_codes();
            salon.set_state(LinkState::Connecting);
        }
        Heard::PairPasskeyRequest(_) | Heard::PairPasskeyError(_) => salon.set_state(LinkState::PasskeyRequired),
        Heard::PairError(error) => {
            tracing::warn!(company = %salon.company, error = %masked(&error.error), "linking failed");
        }
        Heard::PairingCodeRefresh(_) | Heard::PairingCodeError(_) => salon.view.lock().pairing = None,
        Heard::LoggedOut(_) => return Some(End::new(LinkState::LoggedOut, Then::Forget)),
        Heard::StreamReplaced(_) => return Some(End::new(LinkState::Replaced, Then::Rest)),
        Heard::TemporaryBan(ban) => {
            let wait = ban.expire.to_std().unwrap_or_default();
            let until = jiff::SignedDuration::try_from(wait).ok().and_then(|wait| store::machine_now().checked_add(wait).ok());
            return Some(End::new(LinkState::Banned { until }, Then::Again(wait.max(AGAIN))));
        }
        Heard::ClientOutdated(_) => return Some(End::new(LinkState::Outdated, Then::Again(AGAIN_OUTDATED))),
        Heard::ConnectFailure(failure) if !failure.reason.should_reconnect() => {
            tracing::warn!(company = %salon.company, reason = failure.reason.code(), "WhatsApp refuses the connection");
            let state = match failure.reason {
                ConnectFailureReason::TempBanned => LinkState::Banned { until: None },
                _ => LinkState::Disconnected,
            };
            return Some(End::new(state, Then::Again(AGAIN)));
        }
        _ => {}
    }
    None
}

/// The client declares itself present whenever it connects. As long as a linked device is, WhatsApp
/// does not ring the salon's phone; so ours is present only while it types.
fn go_quiet(client: &Arc<Client>) {
    let client = Arc::clone(client);
    tokio::spawn(async move {
        if let Err(error) = client.presence().set_unavailable().await {
            tracing::debug!(error = %masked(&error), "the device stays present");
        }
    });
}

/// The state of a session that is online; `None` where the account's number is none.
fn connected(client: &Client) -> Option<LinkState> {
    let phone = Phone::from_digits(&client.pn()?.user).ok()?;
    Some(LinkState::Connected { phone, name: client.push_name() })
}

pub(crate) async fn write_state(store: &Store, running: &Running, state: &LinkState) -> store::Result<()> {
    let mut tx = store.begin().await?;
    sessions::set_state(&mut tx, &running.lease, state).await?;
    tx.commit().await
}

/// Hears everything first, on the client's own path: must not wait.
pub(crate) struct Ear {
    acks: Arc<Acks>,
    heard: mpsc::UnboundedSender<Arc<Heard>>,
    deliveries: mpsc::Sender<(String, Delivery)>,
}

impl Ear {
    /// The ear, and what it hears: events of the link (few, in order). What becomes of messages
    /// goes to `inbox` by a task that ends with the ear.
    pub(crate) fn new(company: CompanyId, acks: Arc<Acks>, inbox: Arc<dyn Inbox>) -> (Self, mpsc::UnboundedReceiver<Arc<Heard>>) {
        let (heard, hears) = mpsc::unbounded_channel();
        let (deliveries, mut told) = mpsc::channel::<(String, Delivery)>(DELIVERIES);
        tokio::spawn(async move {
            while let Some((message_id, delivery)) = told.recv().await {
                inbox.delivered(company, &message_id, delivery).await;
            }
        });
        (Self { acks, heard, deliveries }, hears)
    }

    fn tell(&self, message_id: &str, delivery: Delivery) {
        if self.deliveries.try_send((message_id.to_owned(), delivery)).is_err() {
            tracing::warn!("a delivery was not told of: too many at once");
        }
    }
}

impl EventHandler for Ear {
    fn handle_event(&self, event: Arc<Heard>) {
        match &*event {
            Heard::ServerAck(ack) => {
                if ack.class.as_deref() != Some("message") {
                    return;
                }
                let delivery = match &ack.error {
                    None => Delivery::ServerAck,
                    Some(code) => Delivery::Refused { code: code.parse().unwrap_or(0) },
                };
                self.acks.resolve(&ack.id, delivery);
                self.tell(&ack.id, delivery);
                return;
            }
            Heard::Receipt(receipt) => {
                let delivery = match receipt.r#type {
                    ReceiptType::Delivered => Delivery::Delivered,
                    ReceiptType::Read | ReceiptType::Played => Delivery::Read,
                    _ => return,
                };
                if !receipt.source.is_from_me && !receipt.source.is_group {
                    for message_id in &receipt.message_ids {
                        self.tell(message_id, delivery);
                    }
                }
                return;
            }
            _ => {}
        }
        // The listener may be gone already: the session is over then.
        let _ = self.heard.send(event);
    }

    fn interest(&self) -> EventInterest {
        EventInterest::of(&[
            EventKind::Connected,
            EventKind::Disconnected,
            EventKind::PairSuccess,
            EventKind::PairError,
            EventKind::PairingQrCode,
            EventKind::PairingCodeRefresh,
            EventKind::PairingCodeError,
            EventKind::PairPasskeyRequest,
            EventKind::PairPasskeyError,
            EventKind::LoggedOut,
            EventKind::StreamReplaced,
            EventKind::TemporaryBan,
            EventKind::ClientOutdated,
            EventKind::ConnectFailure,
            EventKind::SelfPushNameUpdated,
            EventKind::ServerAck,
            EventKind::Receipt,
        ])
    }
}

/// Who waits for WhatsApp's word on which message.
#[derive(Default)]
pub(crate) struct Acks(Mutex<HashMap<String, Vec<Waiting>>>);

struct Waiting {
    since: Instant,
    told: oneshot::Sender<Delivery>,
}

impl Acks {
    /// Waits from now on; ask before sending, since the answer may be faster than the sender.
    pub(crate) fn expect(self: &Arc<Self>, message_id: &str) -> Expected {
        let (told, answer) = oneshot::channel();
        self.0.lock().entry(message_id.to_owned()).or_default().push(Waiting { since: Instant::now(), told });
        Expected { acks: Arc::clone(self), message_id: message_id.to_owned(), answer }
    }

    fn resolve(&self, message_id: &str, delivery: Delivery) {
        for waiting in self.0.lock().remove(message_id).unwrap_or_default() {
            let _ = waiting.told.send(delivery);
        }
    }

    /// Since when somebody has waited.
    fn oldest(&self) -> Option<Instant> {
        self.0.lock().values().flatten().map(|waiting| waiting.since).min()
    }
}

/// An answer that is waited for; forgotten when dropped.
pub(crate) struct Expected {
    acks: Arc<Acks>,
    message_id: String,
    answer: oneshot::Receiver<Delivery>,
}

impl Expected {
    /// WhatsApp's word, or `None` when it does not come in time.
    pub(crate) async fn within(mut self, wait: Duration) -> Option<Delivery> {
        tokio::time::timeout(wait, &mut self.answer).await.ok()?.ok()
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.answer.close();
        let mut waiting = self.acks.0.lock();
        if let Some(those) = waiting.get_mut(&self.message_id) {
            those.retain(|one| !one.told.is_closed());
            if those.is_empty() {
                waiting.remove(&self.message_id);
            }
        }
    }
}

/// An error of the client for a log: it may name accounts, so long numbers lose their middle.
pub(crate) fn masked(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - start);
        out.push_str(&rest[..start]);
        let number = &rest[start..start + digits];
        if digits >= 7 {
            out.push('…');
            out.push_str(&number[digits - 2..]);
        } else {
            out.push_str(number);
        }
        rest = &rest[start + digits..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_lose_their_numbers() {
        let check = |error: &str, expected: &str| assert_eq!(masked(&error), expected);
        check("no session with 79161234567:3@s.whatsapp.net", "no session with …67:3@s.whatsapp.net");
        check("timed out after 75 s", "timed out after 75 s");
        check("1234567 and 123456", "…67 and 123456");
        check("", "");
    }

    #[tokio::test]
    async fn an_ack_reaches_all_who_wait_and_nobody_is_left_behind() {
        let acks = Arc::new(Acks::default());
        let (first, second, other) = (acks.expect("A"), acks.expect("A"), acks.expect("B"));
        acks.resolve("A", Delivery::Refused { code: 463 });
        assert_eq!(first.within(Duration::from_secs(1)).await, Some(Delivery::Refused { code: 463 }));
        assert_eq!(second.within(Duration::from_secs(1)).await, Some(Delivery::Refused { code: 463 }));
        assert_eq!(other.within(Duration::ZERO).await, None);
        drop(acks.expect("C"));
        assert!(acks.0.lock().is_empty(), "whoever stopped waiting is forgotten");
    }
}
