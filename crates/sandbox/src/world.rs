//! The world: both services, the phones, the calendar, and how the product is seen from here.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::sleep;

use crate::{
    clock::SandboxClock,
    events::{Bus, Event},
    faults::Faults,
    front_door::FrontDoor,
    secrets::Secrets,
    whatsapp,
    yclients::{self, ControlError, SalonFile},
};

/// Everything around the product.
pub(crate) struct World {
    pub(crate) clock: Arc<SandboxClock>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) secrets: Secrets,
    pub(crate) yclients: Arc<yclients::Emulator>,
    pub(crate) whatsapp: Arc<whatsapp::Emulator>,
    pub(crate) front_door: FrontDoor,
    /// The product's numbers of the salons, by YClients' number.
    pub(crate) companies: Mutex<BTreeMap<i64, i64>>,
    /// Salons whose file was replaced after the product had read it.
    pub(crate) changed_since_sync: Mutex<BTreeSet<i64>>,
    owners: Mutex<HashMap<i64, Arc<tokio::sync::Mutex<()>>>>,
    up: AtomicBool,
}

impl World {
    pub(crate) fn new(
        clock: Arc<SandboxClock>,
        bus: Arc<Bus>,
        faults: Arc<Faults>,
        secrets: Secrets,
        yclients: Arc<yclients::Emulator>,
        whatsapp: Arc<whatsapp::Emulator>,
        front_door: FrontDoor,
    ) -> Self {
        Self {
            clock,
            bus,
            faults,
            secrets,
            yclients,
            whatsapp,
            front_door,
            companies: Mutex::default(),
            changed_since_sync: Mutex::default(),
            owners: Mutex::default(),
            up: AtomicBool::new(false),
        }
    }

    /// The whole world is up.
    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    pub(crate) fn declare_up(&self) {
        self.up.store(true, Ordering::SeqCst);
    }

    /// Creates or replaces a salon, and gives its phone an account of WhatsApp.
    pub(crate) fn put_salon(&self, file: SalonFile) -> Result<i64, ControlError> {
        let (phone, title) = (file.phone.clone(), file.title.clone());
        let id = self.yclients.put_salon(file)?;
        self.whatsapp.ensure_account(&phone, &title).map_err(|error| ControlError::Wrong(error.to_string()))?;
        self.changed_since_sync.lock().insert(id);
        Ok(id)
    }

    /// The one owner of a salon, who does one thing at a time.
    pub(crate) fn owner_of(&self, salon: i64) -> Arc<tokio::sync::Mutex<()>> {
        self.owners.lock().entry(salon).or_default().clone()
    }

    /// The product's number of a salon: from its onboarding, else from the operator's list.
    pub(crate) async fn company_of(&self, salon: i64) -> Option<i64> {
        let known = self.companies.lock().get(&salon).copied();
        if known.is_some() {
            return known;
        }
        let company = self.front_door.company_of(salon).await.ok().flatten()?;
        self.companies.lock().insert(salon, company);
        Some(company)
    }

    /// Sets the calendar and waits until the product, where it runs, has done what became due. What happened before
    /// the jump is worked off before it.
    pub(crate) async fn set_clock(&self, now: Timestamp) {
        self.settle(Duration::from_secs(10)).await;
        self.clock.set(now);
        self.bus.publish(Event::Clock);
        self.settle(Duration::from_secs(60)).await;
    }

    /// Waits until no webhook is under way and the product has nothing to do; `false` at the timeout or without a product.
    pub(crate) async fn settle(&self, patience: Duration) -> bool {
        let began = Instant::now();
        loop {
            let delivered = self.yclients.webhooks_under_way() == 0;
            match self.front_door.due().await {
                Ok(due) => {
                    let behind = due.calendar_now.duration_since(self.clock.now()).abs();
                    let idle = due.jobs_due == 0 && due.calendar_due == 0 && behind.as_secs() < 2;
                    if delivered && idle && self.yclients.webhooks_under_way() == 0 {
                        return true;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the product does not tell what is due");
                    if !self.front_door.is_up().await {
                        return false;
                    }
                }
            }
            if began.elapsed() > patience {
                return false;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a chat has settled: everything taken in, nothing being answered, everything sent delivered.
    pub(crate) async fn settle_chat(&self, salon: i64, salon_phone: &str, customer: &str, patience: Duration) -> bool {
        let began = Instant::now();
        let mut events = self.whatsapp.subscribe();
        loop {
            if self.whatsapp.pending(customer, salon_phone) == 0
                && let Some(company) = self.company_of(salon).await
                && let Ok(conversation) = self.front_door.conversation(company, customer).await
                && conversation.at_rest()
            {
                return true;
            }
            let Some(left) = patience.checked_sub(began.elapsed()) else { return false };
            // A phone that rings is a reason to look at once.
            let pause = if began.elapsed() < Duration::from_millis(200) { 4 } else { 20 };
            let pause = left.min(Duration::from_millis(pause));
            let _ = tokio::time::timeout(pause, async { while events.recv().await.is_ok_and(|e| !concerns(&e, customer)) {} }).await;
        }
    }
}

/// Whether an event of the phones may mean that this customer's chat has settled.
fn concerns(event: &whatsapp::Event, phone: &str) -> bool {
    match event {
        whatsapp::Event::Message { customer, .. } | whatsapp::Event::Acknowledged { customer, .. } => customer == phone,
        _ => false,
    }
}
