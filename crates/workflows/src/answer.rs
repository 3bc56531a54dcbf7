//! The turn: all that a customer has written and nobody has answered becomes one answer.
//!
//! The dialogue is pure and is replayed, not resumed: before each write outside, the outcomes so
//! far and the name of the write are put into the turn's journal. After a crash the same dialogue
//! is fed the same outcomes, and the write that may or may not have happened is settled by reading
//! back before anything else is done or said.

use std::sync::Arc;

use dialogue::{Customer, Effect, Heard, HeardKind, Outcome, Pause, Reply, Step, Turn};
use domain::{BookingId, CompanyId, Receipt};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    ConversationId, clients,
    companies::{self, Company},
    conversations::{self, Conversation},
    jobs::{self, Handler, Job},
    messages::{self, Message},
    turns,
};

use crate::{App, booking, catalogue::Catalogue, inbox::next_day, outbox, texts, webhooks};

/// The job `answer`.
pub(crate) struct Answer(pub(crate) Arc<App>);

/// One step outside: what was wanted, under which name, and what came of it.
#[derive(Serialize, Deserialize)]
struct Entry {
    effect: Effect,
    name: BookingId,
    outcome: Option<Outcome>,
}

/// What a turn is about, fixed when it begins and kept in its journal.
struct Work<'a> {
    app: &'a App,
    company: Company,
    conversation: Conversation,
    catalogue: Arc<Catalogue>,
    customer: Customer,
    messages: Vec<Message>,
    now: Timestamp,
    journal: Vec<Entry>,
    /// The turn's row, once a write made one necessary.
    turn: Option<turns::TurnId>,
}

impl Answer {
    pub(crate) const KIND: &'static str = "answer";

    async fn answer(&self, job: &Job) -> anyhow::Result<jobs::Outcome> {
        let company = job.company_id.ok_or_else(|| anyhow::anyhow!("a conversation without a salon"))?;
        let conversation: ConversationId = serde_json::from_value(job.payload.clone())?;
        let Some(mut work) = Work::load(&self.0, company, conversation).await? else { return Ok(jobs::Outcome::Done) };
        let reply = work.step_through().await?;
        work.commit(job, reply).await?;
        Ok(jobs::Outcome::Completed)
    }
}

impl<'a> Work<'a> {
    /// What there is to answer; `None` when there is nothing, or a person has taken over.
    async fn load(app: &'a App, company: CompanyId, conversation: ConversationId) -> anyhow::Result<Option<Self>> {
        let mut tx = app.store.read().await?;
        let conversation = conversations::get(&mut tx, company, conversation).await?;
        let unfinished = turns::unfinished(&mut tx, company, conversation.id).await?;
        let messages = match &unfinished {
            Some(turn) => messages::inbound_range(&mut tx, company, conversation.id, turn.from_seq, turn.to_seq).await?,
            None => messages::unanswered(&mut tx, company, conversation.id).await?,
        };
        if messages.is_empty() {
            return Ok(None);
        }
        let now = match &unfinished {
            Some(turn) => Timestamp::from_millisecond(turn.now_ms)?,
            None => app.clock.now(),
        };
        let client = match &conversation.phone {
            Some(phone) => clients::by_phone(&mut tx, company, phone).await?,
            None => None,
        };
        let company = companies::get(&mut tx, company).await?;
        drop(tx);
        if unfinished.is_none() && conversation.paused_until.is_some_and(|until| now < until) {
            let mut tx = app.store.begin().await?;
            messages::ignore_unanswered(&mut tx, company.id, conversation.id).await?;
            tx.commit().await?;
            return Ok(None);
        }
        let catalogue = app.catalogues.get(&app.store, company.id).await?;
        let customer = Customer { phone: conversation.phone.clone(), push_name: conversation.push_name.clone(), client };
        let (turn, journal) = match unfinished {
            Some(turn) => (Some(turn.id), serde_json::from_value(turn.journal)?),
            None => (None, Vec::new()),
        };
        Ok(Some(Self { app, company, conversation, catalogue, customer, messages, now, journal, turn }))
    }

    /// Runs the dialogue to its answer, replaying what the journal already knows.
    async fn step_through(&mut self) -> anyhow::Result<Reply> {
        let catalogue = self.catalogue.clone();
        let customer = self.customer.clone();
        let heard: Vec<Heard> = self.messages.iter().map(heard).collect();
        let turn = Turn {
            salon: &catalogue.salon,
            reader: &catalogue.reader,
            now: self.now.to_zoned(catalogue.salon.timezone.clone()).datetime(),
            customer: &customer,
            heard: &heard,
        };
        let state = serde_json::from_value(self.conversation.state.clone()).unwrap_or_default();
        let mut step = dialogue::begin(state, &turn);
        let mut at = 0;
        loop {
            match step {
                Step::Say(reply) => return Ok(reply),
                Step::Do(effect, pending) => {
                    let outcome = self.outcome(at, effect).await?;
                    step = dialogue::resume(pending, outcome, &turn);
                    at += 1;
                }
            }
        }
    }

    /// The outcome of the turn's `at`-th effect: from the journal, else by doing it.
    async fn outcome(&mut self, at: usize, effect: Effect) -> anyhow::Result<Outcome> {
        // Should the salon's catalogue have changed between a crash and its replay, the dialogue may
        // take another way: what was journaled beyond this point is settled, then left behind.
        if self.journal.get(at).is_some_and(|entry| entry.effect != effect) {
            let rest = self.journal.split_off(at);
            for entry in rest.into_iter().filter(|entry| entry.outcome.is_none()) {
                booking::settle(self.app, &self.company, &self.catalogue.salon, &entry.effect, entry.name).await;
            }
        }
        let begun = match self.journal.get(at) {
            Some(Entry { outcome: Some(outcome), .. }) => return Ok(outcome.clone()),
            Some(Entry { name, .. }) => Some(*name),
            None => None,
        };
        let name = begun.unwrap_or_else(|| BookingId(uuid::Uuid::now_v7()));
        if begun.is_none() {
            self.journal.push(Entry { effect: effect.clone(), name, outcome: None });
            if booking::writes(&effect) {
                self.save_journal().await?;
            }
        }
        let salon = &self.catalogue.salon;
        let settled = match begun {
            Some(name) => booking::settle(self.app, &self.company, salon, &effect, name).await,
            None => None,
        };
        let outcome = match settled {
            Some(outcome) => outcome,
            None => booking::carry_out(self.app, &self.company, salon, &self.customer, &effect, name).await,
        };
        if let Some(entry) = self.journal.get_mut(at) {
            entry.outcome = Some(outcome.clone());
        }
        Ok(outcome)
    }

    async fn save_journal(&mut self) -> anyhow::Result<()> {
        let journal = serde_json::to_value(&self.journal)?;
        let mut tx = self.app.store.begin().await?;
        match self.turn {
            Some(turn) => turns::record(&mut tx, self.company.id, turn, &journal).await?,
            None => {
                let (from, to) = self.range();
                let now = self.now.as_millisecond();
                self.turn = Some(turns::open(&mut tx, self.company.id, self.conversation.id, from, to, now, &journal).await?);
            }
        }
        Ok(tx.commit().await?)
    }

    fn range(&self) -> (i64, i64) {
        let seqs = || self.messages.iter().map(|message| message.seq);
        (seqs().min().unwrap_or(0), seqs().max().unwrap_or(0))
    }

    /// State, outgoing messages, the marks on the incoming ones and the end of the job: together.
    async fn commit(self, job: &Job, reply: Reply) -> anyhow::Result<()> {
        let (company, conversation) = (self.company.id, self.conversation.id);
        let mut tx = self.app.store.begin().await?;
        conversations::save_state(&mut tx, company, conversation, self.conversation.version, &serde_json::to_value(&reply.state)?).await?;
        messages::mark_answered(&mut tx, company, conversation, self.range().1).await?;
        for text in &reply.messages {
            outbox::queue_answer(self.app, &mut tx, company, conversation, text, job.run_at).await?;
        }
        for receipt in self.receipts() {
            webhooks::told(&mut tx, company, receipt.read_back()).await?;
        }
        for entry in &self.journal {
            if let Effect::HandOver { summary, .. } = &entry.effect {
                let notice = texts::handed_over(self.conversation.push_name.as_deref(), self.conversation.phone.as_ref(), summary);
                outbox::queue_to_salon(self.app, &mut tx, company, &notice).await?;
            }
        }
        if let Some(Pause::UntilResumedOrNextDay) = reply.pause {
            conversations::pause(&mut tx, company, conversation, next_day(self.now, &self.catalogue.salon.timezone)).await?;
        }
        if let Some(turn) = self.turn {
            turns::close(&mut tx, company, turn).await?;
        }
        jobs::complete(&mut tx, job).await?;
        tx.commit().await?;
        metrics::counter!("turns_answered").increment(1);
        Ok(())
    }

    fn receipts(&self) -> impl Iterator<Item = &Receipt> {
        self.journal.iter().filter_map(|entry| match &entry.outcome {
            Some(Outcome::Done(receipt)) => Some(receipt),
            _ => None,
        })
    }
}

fn heard(message: &Message) -> Heard {
    let kind = match message.kind.as_str() {
        "text" => HeardKind::Text,
        "voice" => HeardKind::Voice,
        "image" => HeardKind::Image,
        "reaction" => HeardKind::Reaction,
        _ => HeardKind::Other,
    };
    Heard { text: message.text.clone(), kind }
}

impl Handler for Answer {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, jobs::Outcome> {
        Box::pin(async move { self.answer(job).await.unwrap_or_else(|error| jobs::Outcome::Retry { error: format!("{error:#}"), after: None }) })
    }
}
