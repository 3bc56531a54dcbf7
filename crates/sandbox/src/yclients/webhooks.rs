//! Deliveries to the product: one queue per salon, in order, after a delay.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rand::RngExt;
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::faults::{Faults, Kind};

/// How deliveries behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// From the change to the sending.
    pub(crate) delay: Duration,
    /// The most copies of one event.
    pub(crate) copies: u32,
    /// Repetitions after a transport error, 429 or 5xx, 1.5 s apart.
    pub(crate) retries: u32,
}

impl Manner {
    /// Soon, once and in order.
    pub(crate) const PROMPT: Manner = Manner { delay: Duration::from_millis(50), copies: 1, retries: 0 };
    /// As the real service has been seen to do it.
    pub(crate) const REAL: Manner = Manner { delay: Duration::from_secs(5), copies: 4, retries: 2 };
}

struct Delivery {
    url: String,
    body: Arc<Value>,
    due: Instant,
}

/// The deliveries under way.
pub(crate) struct Webhooks {
    manner: Manner,
    faults: Arc<Faults>,
    http: reqwest::Client,
    under_way: Arc<AtomicUsize>,
    queues: Mutex<HashMap<i64, mpsc::UnboundedSender<Delivery>>>,
}

impl Webhooks {
    pub(crate) fn new(manner: Manner, faults: Arc<Faults>, http: reqwest::Client) -> Self {
        Self { manner, faults, http, under_way: Arc::default(), queues: Mutex::default() }
    }

    /// Events not delivered yet, nor given up.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    /// Sends an event of a salon to all of `urls`.
    pub(crate) fn send(&self, salon: i64, urls: &[String], body: Value) {
        let (body, due) = (Arc::new(body), Instant::now() + self.manner.delay);
        let copies = if self.manner.copies > 1 { rand::rng().random_range(1..=self.manner.copies) } else { 1 };
        let mut queues = self.queues.lock();
        let queue = queues.entry(salon).or_insert_with(|| self.queue());
        for _ in 0..copies {
            for url in urls {
                self.under_way.fetch_add(1, Ordering::SeqCst);
                // The queue's task lives as long as this sender.
                let _ = queue.send(Delivery { url: url.clone(), body: body.clone(), due });
            }
        }
    }

    fn queue(&self) -> mpsc::UnboundedSender<Delivery> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let courier = Courier {
            faults: self.faults.clone(),
            http: self.http.clone(),
            under_way: self.under_way.clone(),
            retries: self.manner.retries,
        };
        tokio::spawn(courier.work(receiver));
        sender
    }
}

/// Carries one salon's deliveries, one after the other.
struct Courier {
    faults: Arc<Faults>,
    http: reqwest::Client,
    under_way: Arc<AtomicUsize>,
    retries: u32,
}

impl Courier {
    async fn work(self, mut queue: mpsc::UnboundedReceiver<Delivery>) {
        // A delivery that lets the next one go first, for two seconds at most.
        let mut held: Option<Delivery> = None;
        loop {
            let next = match held {
                None => queue.recv().await,
                Some(_) => timeout(Duration::from_secs(2), queue.recv()).await.unwrap_or(None),
            };
            let Some(delivery) = next else {
                match held.take() {
                    Some(late) => self.deliver(&late, 1).await,
                    None => return,
                }
                continue;
            };
            sleep_until(delivery.due).await;
            let path = reqwest::Url::parse(&delivery.url).map(|url| url.path().to_owned()).unwrap_or_default();
            match self.faults.for_webhook(&path).map(|hit| hit.kind) {
                Some(Kind::Drop) => self.finished(),
                Some(Kind::Duplicate) => self.deliver(&delivery, 2).await,
                Some(Kind::Reorder) if held.is_none() => {
                    held = Some(delivery);
                    continue;
                }
                _ => self.deliver(&delivery, 1).await,
            }
            if let Some(late) = held.take() {
                self.deliver(&late, 1).await;
            }
        }
    }

    async fn deliver(&self, delivery: &Delivery, copies: u32) {
        for _ in 0..copies {
            for attempt in 0..=self.retries {
                if attempt > 0 {
                    sleep(Duration::from_millis(1500)).await;
                }
                let request = self.http.post(&delivery.url).timeout(Duration::from_secs(10)).json(&*delivery.body);
                match request.send().await {
                    Ok(answer) if !answer.status().is_server_error() && answer.status().as_u16() != 429 => break,
                    Ok(answer) => tracing::warn!(status = answer.status().as_u16(), attempt, "webhook not taken"),
                    Err(error) => tracing::warn!(error = %error.without_url(), attempt, "webhook not delivered"),
                }
            }
        }
        self.finished();
    }

    fn finished(&self) {
        self.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}
