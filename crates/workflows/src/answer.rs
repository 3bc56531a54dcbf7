//! The turn: all that a customer has written and nobody has answered becomes one answer.
//!
//! The dialogue is pure and is replayed, not resumed: before each write outside, the outcomes so
//! far and the name of the write are put into the turn's journal. After a crash the same dialogue
//! is fed the same outcomes, and the write that may or may not have happened is settled by reading
//! back before anything else is done or said.

use std::sync::Arc;

use anyhow::ensure;
use dialogue::{Customer, Effect, Heard, HeardKind, Outcome, Pause, Refusal, Reply, Step, Turn};
use domain::CompanyId;
use futures::future::BoxFuture;
use jiff::Timestamp;
use store::{
    StoreError, clients,
    companies::{self, Company},
    conversations::{self, Conversation, ConversationId},
    jobs::{self, Handler, Job, NewJob},
    messages::{self, Kind, Message},
    turns::{self, TurnId},
};
use yclients::YClients;

use crate::{
    App,
    booking::{self, Settled},
    catalogue::Catalogue,
    inbox::next_day,
    journal::{Journal, Known},
    outbox,
    settle::{Settle, Spoken},
    texts, webhooks,
};

/// The job `answer`.
pub(crate) struct Answer(pub(crate) Arc<App>);

/// What a turn is about, fixed when it begins and kept in its journal.
struct Work<'a> {
    app: &'a App,
    job: &'a Job,
    /// With this turn's place in the queue of calls, and its right to write.
    yclients: YClients,
    company: Company,
    conversation: Conversation,
    catalogue: Arc<Catalogue>,
    customer: Customer,
    messages: Vec<Message>,
    now: Timestamp,
    /// A person has taken over since the turn began: it is only brought to its end, and nothing new
    /// is written for it.
    paused: bool,
    journal: Journal,
    /// The turn's row, once a write made one necessary.
    turn: Option<TurnId>,
}

impl Answer {
    pub(crate) const KIND: &'static str = "answer";

    /// Answers what is unanswered in that conversation.
    pub(crate) fn job(company: CompanyId, conversation: ConversationId) -> NewJob {
        let key = format!("{company}:{conversation}");
        NewJob::new(Self::KIND, conversation).lane(format!("chat:{key}")).key(key).company(company).priority(-1).untiring()
    }

    async fn answer(&self, job: &Job) -> anyhow::Result<jobs::Outcome> {
        let company = job.company_id.ok_or_else(|| anyhow::anyhow!("a conversation without a salon"))?;
        let conversation: ConversationId = job.payload()?;
        let Some(mut work) = Work::load(&self.0, job, company, conversation).await? else { return Ok(jobs::Outcome::Done) };
        work.mark_read().await;
        let reply = work.step_through().await?;
        work.commit(reply).await?;
        Ok(jobs::Outcome::Completed)
    }
}

impl<'a> Work<'a> {
    /// What there is to answer; `None` when there is nothing, or a person has taken over.
    async fn load(app: &'a App, job: &'a Job, company: CompanyId, conversation: ConversationId) -> anyhow::Result<Option<Self>> {
        let mut tx = app.store.read().await?;
        let conversation = conversations::load(&mut tx, company, conversation).await?.ok_or(StoreError::NotFound("conversation"))?;
        let unfinished = turns::unfinished(&mut tx, company, conversation.id).await?;
        let messages = match &unfinished {
            Some(turn) => messages::heard(&mut tx, company, conversation.id, turn.from_seq, turn.to_seq).await?,
            None => messages::unanswered(&mut tx, company, conversation.id).await?,
        };
        if messages.is_empty() && unfinished.is_none() {
            return Ok(None);
        }
        let paused = conversation.paused_until.is_some_and(|until| app.clock.now() < until);
        let now = unfinished.as_ref().map_or_else(|| app.clock.now(), |turn| turn.opened_at);
        let client = match &conversation.phone {
            Some(phone) => clients::by_phone(&mut tx, company, phone).await?,
            None => None,
        };
        let company = companies::get(&mut tx, company).await?.ok_or(StoreError::NotFound("company"))?;
        drop(tx);
        if unfinished.is_none() && paused {
            let mut tx = app.store.begin().await?;
            messages::ignore_unanswered(&mut tx, company.id, conversation.id).await?;
            tx.commit().await?;
            return Ok(None);
        }
        let catalogue = app.catalogues.get(&app.store, app.clock.as_ref(), company.id).await?;
        let customer = Customer { phone: conversation.phone.clone(), push_name: conversation.push_name.clone(), client };
        let (turn, journal) = match unfinished {
            Some(turn) => (Some(turn.id), turn.journal.map(serde_json::from_value).transpose()?.unwrap_or_default()),
            None => (None, Journal::default()),
        };
        let messages = messages.into_iter().filter(|message| journal.has_heard(message.seq)).collect();
        let lease = job.lease.clone();
        let yclients = app.yclients.for_turn(move || lease.stands());
        Ok(Some(Self { app, job, yclients, company, conversation, catalogue, customer, messages, now, paused, journal, turn }))
    }

    /// The customer sees that somebody has read it and is at it. Best effort.
    async fn mark_read(&self) {
        let written = self.messages.iter().filter(|message| message.kind != Kind::Reaction);
        let ids: Vec<&str> = written.map(|message| message.whatsapp_id.as_str()).collect();
        if self.paused || ids.is_empty() {
            return;
        }
        if let Err(error) = self.app.whatsapp.mark_read(self.company.id, &self.conversation.chat, &ids).await {
            tracing::debug!(company = %self.company.id, %error, "messages were not marked as read");
        }
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
        let state = self.conversation.state.as_ref().map(|state| dialogue::State::load(&state.to_string())).unwrap_or_default();
        let mut step = dialogue::begin(state, &turn);
        let mut at = 0;
        loop {
            match step {
                Step::Say(reply) => {
                    self.journal.ends(at);
                    return Ok(reply);
                }
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
        let (name, begun) = match self.journal.enter(at, &effect) {
            Known::Outcome(outcome) => return Ok(*outcome),
            Known::Begun(name) => (name, true),
            Known::New(name) => (name, false),
        };
        let writes = booking::writes(&effect);
        if writes && !begun {
            self.save_journal().await?;
        }
        let salon = &self.catalogue.salon;
        let settled = match begun && writes {
            true => booking::settle(self.app, &self.yclients, &self.company, salon, &effect, name).await,
            false => Settled::NotDone,
        };
        let outcome = match settled {
            Settled::Done(receipt) => Outcome::Done(*receipt),
            Settled::Gone => Outcome::Refused(Refusal::Gone),
            Settled::Unknown => Outcome::Unsettled,
            Settled::NotDone if self.paused && writes => Outcome::Failed,
            Settled::NotDone => {
                booking::carry_out(self.app, &self.yclients, &self.company, salon, &self.customer, &effect, name, begun).await
            }
        };
        // A write that was held back, or whose outcome was read when others may have been at it already, is theirs to settle.
        ensure!(!writes || self.job.lease.stands(), "the turn has passed to somebody else");
        self.journal.came_out(at, &outcome);
        Ok(outcome)
    }

    async fn save_journal(&mut self) -> anyhow::Result<()> {
        self.journal.hears(self.messages.iter().map(|message| message.seq));
        let mut tx = self.app.store.begin().await?;
        jobs::hold(&mut tx, self.job).await?;
        let turn = self.opened(&mut tx).await?;
        turns::record(&mut tx, self.company.id, turn, &self.journal).await?;
        tx.commit().await?;
        self.turn = Some(turn);
        Ok(())
    }

    /// The turn's row; made in this transaction where nothing needed it before.
    async fn opened(&self, tx: &mut store::Tx) -> anyhow::Result<TurnId> {
        let (from, to) = self.range();
        Ok(match self.turn {
            Some(turn) => turn,
            None => turns::open(tx, self.company.id, self.conversation.id, from, to, self.now).await?.id,
        })
    }

    fn range(&self) -> (i64, i64) {
        let seqs = || self.messages.iter().map(|message| message.seq);
        (seqs().min().unwrap_or(0), seqs().max().unwrap_or(0))
    }

    /// State, outgoing messages, the marks on the incoming ones and the end of the job: together.
    async fn commit(self, reply: Reply) -> anyhow::Result<()> {
        let (company, conversation) = (self.company.id, self.conversation.id);
        let mut tx = self.app.store.begin().await?;
        let turn = self.opened(&mut tx).await?;
        let paused_until = conversations::load(&mut tx, company, conversation).await?.and_then(|now| now.paused_until);
        let taken_over = paused_until.is_some_and(|until| self.app.clock.now() < until);
        messages::mark_answered(&mut tx, company, conversation, self.range().1, turn).await?;
        // A person who took over meanwhile has the word; but what was done must be told.
        let speaks = !taken_over || self.journal.receipts().next().is_some();
        if speaks {
            conversations::save_state(&mut tx, company, conversation, self.conversation.version, &reply.state).await?;
            for text in &reply.messages {
                outbox::queue_answer(self.app, &mut tx, company, conversation, text, turn, self.job.run_at).await?;
            }
        }
        for receipt in self.journal.receipts() {
            webhooks::told(&mut tx, company, receipt.read_back(), self.app.clock.now()).await?;
        }
        for entry in self.journal.taken() {
            if let Effect::HandOver { summary, .. } = &entry.effect {
                let notice = texts::handed_over(&self.customer, summary, reply.pause.is_some());
                outbox::queue_to_salon(self.app, &mut tx, company, &notice).await?;
            }
        }
        for entry in self.journal.unsettled() {
            let spoken = if speaks { Spoken::Of } else { Spoken::Nowhere };
            jobs::enqueue(&mut tx, Settle::job(company, conversation, entry, spoken)).await?;
        }
        for entry in self.journal.left() {
            jobs::enqueue(&mut tx, Settle::job(company, conversation, entry, Spoken::Nowhere)).await?;
        }
        if let Some(Pause::UntilResumedOrNextDay) = reply.pause {
            let until = next_day(self.now, &self.catalogue.salon.timezone);
            conversations::set_pause(&mut tx, company, conversation, paused_until.max(Some(until))).await?;
        }
        // A turn that was taken up again heard what it had heard before; the job of what came after
        // it has melted into this one.
        if !messages::unanswered(&mut tx, company, conversation).await?.is_empty() {
            jobs::put_off(&mut tx, Answer::job(company, conversation)).await?;
        }
        turns::close(&mut tx, company, turn, self.app.clock.now()).await?;
        jobs::complete(&mut tx, self.job).await?;
        tx.commit().await?;
        metrics::counter!("turns_answered").increment(1);
        Ok(())
    }
}

fn heard(message: &Message) -> Heard {
    let kind = match message.kind {
        Kind::Text => HeardKind::Text,
        Kind::Voice => HeardKind::Voice,
        Kind::Image => HeardKind::Image,
        Kind::Reaction => HeardKind::Reaction,
        Kind::Video | Kind::Document | Kind::Sticker | Kind::Location | Kind::Contact | Kind::Other => HeardKind::Other,
    };
    Heard { text: message.text.clone(), kind }
}

impl Handler for Answer {
    fn run<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, jobs::Outcome> {
        Box::pin(async move { self.answer(job).await.unwrap_or_else(jobs::Outcome::retry) })
    }
}
