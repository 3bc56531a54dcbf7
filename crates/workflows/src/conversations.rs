//! A conversation as the operator sees it, and taking it over and giving it back.

use dialogue::{Customer, State};
use domain::{CompanyId, Phone};
use jiff::{SignedDuration, Timestamp};
use store::{
    StoreError,
    conversations::{self, Conversation},
    jobs, messages,
};

use crate::App;

/// Where a conversation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What the bot does there.
    pub activity: Activity,
    /// Until when it is silent, calendar time.
    pub paused_until: Option<Timestamp>,
    /// Messages of the customer that no turn has taken.
    pub unanswered: i64,
    /// Jobs of that chat: turns, messages to be sent.
    pub pending_jobs: i64,
    /// When the last message came or went, calendar time.
    pub last_message_at: Option<Timestamp>,
}

/// What the bot does in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nothing is open.
    Idle,
    /// Something is being answered or sent.
    Answering,
    /// A person has taken over.
    Paused,
}

/// Who writes there, as far as the chat itself tells.
pub(crate) fn customer_of(conversation: &Conversation) -> Customer {
    Customer { phone: conversation.phone.clone(), push_name: conversation.push_name.clone(), client: None }
}

/// Where the conversation with that number stands; `None` where there is none.
///
/// # Errors
/// When the database fails.
pub async fn standing(app: &App, company: CompanyId, phone: &Phone) -> Result<Option<Standing>, StoreError> {
    let mut tx = app.store.read().await?;
    let Some(conversation) = conversations::by_phone(&mut tx, company, phone).await? else { return Ok(None) };
    let counts = conversations::counts(&mut tx, company, conversation.id).await?;
    let mut pending_jobs = 0;
    for lane in ["chat", "out", "settle"] {
        let lane = format!("{lane}:{company}:{}", conversation.id);
        pending_jobs += jobs::pending(&mut tx, company, Some(&lane)).await?;
    }
    let paused_until = conversation.paused_until.filter(|until| app.clock.now() < *until);
    let activity = if counts.unanswered + counts.unsent + pending_jobs > 0 {
        Activity::Answering
    } else if paused_until.is_some() {
        Activity::Paused
    } else {
        Activity::Idle
    };
    Ok(Some(Standing {
        activity,
        paused_until,
        unanswered: counts.unanswered,
        pending_jobs,
        last_message_at: conversation.last_message_at,
    }))
}

/// A person takes the chat over, for as long as one who writes from the phone does.
///
/// # Errors
/// [`StoreError::NotFound`] where there is no such conversation.
pub async fn pause(app: &App, company: CompanyId, phone: &Phone) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    let conversation = known(&mut tx, company, phone).await?;
    let until = app.clock.now() + SignedDuration::try_from(app.settings.human_pause).unwrap_or(SignedDuration::MAX);
    conversations::set_pause(&mut tx, company, conversation.id, Some(until)).await?;
    messages::ignore_unanswered(&mut tx, company, conversation.id).await?;
    tx.commit().await
}

/// The bot answers again from the next message on.
///
/// # Errors
/// [`StoreError::NotFound`] where there is no such conversation.
pub async fn resume(app: &App, company: CompanyId, phone: &Phone) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    let conversation = known(&mut tx, company, phone).await?;
    conversations::set_pause(&mut tx, company, conversation.id, None).await?;
    if let Some(state) = &conversation.state {
        let mut state = State::load(&state.to_string());
        state.resume();
        conversations::save_state(&mut tx, company, conversation.id, conversation.version, &state).await?;
    }
    tx.commit().await
}

async fn known(tx: &mut store::Tx, company: CompanyId, phone: &Phone) -> Result<Conversation, StoreError> {
    conversations::by_phone(tx, company, phone).await?.ok_or(StoreError::NotFound("conversation"))
}
