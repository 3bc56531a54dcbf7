//! What operators and programs ask and do, by the operator's key.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{ChatId, CompanyId, IntegrationStatus, Phone, SalonId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    Tx, companies,
    companies::{Company, Filter},
    conversations::Conversation,
    jobs::{self, JobId},
    planned,
    sync_logs::{self, SyncLog},
};
use utoipa::{IntoParams, ToSchema};
use workflows::{
    conversations::{self, Activity, Standing},
    files, outbox,
    sync::{self, Modules},
};

use crate::{
    Fault, Web,
    extract::{Body, Operator},
    fault::ErrorBody,
    texts,
};

/// A page is at most so long.
const PAGE: i64 = 200;
/// Longest message a program may send.
const LONGEST: usize = 4096;
/// The longest emoji are families of people: seven code points joined, and more with skin tones.
const LONGEST_EMOJI: usize = 16;
/// Work that starts within this time is due: longer than any debounce, shorter than what is put off.
const SOON: Duration = Duration::from_secs(5);

// --- companies -------------------------------------------------------------------------------------

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Companies behind this id.
    after: Option<i64>,
    /// How many, at most 200; 50 without it.
    limit: Option<i64>,
    /// Only the company of that salon in YClients.
    salon_id: Option<i64>,
    /// Only those that stand so with the marketplace: `pending_whatsapp`, `activating`, `active`, `activation_failed`, `frozen`, `uninstalled`.
    status: Option<String>,
    /// Only those with WhatsApp linked, or without.
    connected: Option<bool>,
}

impl Page {
    /// Nothing but the figures is asked for.
    fn is_empty(&self) -> bool {
        matches!(self, Self { after: None, limit: None, salon_id: None, status: None, connected: None })
    }
}

/// All companies in figures, and a page of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Companies {
    success: bool,
    stats: Stats,
    #[serde(skip_serializing_if = "Option::is_none")]
    companies: Option<Vec<CompanyRow>>,
    /// Ask for those `after` this id for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    next: Option<CompanyId>,
}

/// How many companies there are.
#[derive(Serialize, ToSchema)]
struct Stats {
    total: i64,
    /// With WhatsApp linked.
    connected: i64,
    /// How many stand where with the marketplace: `active`, `frozen`, …
    #[serde(flatten)]
    by_status: BTreeMap<String, i64>,
}

/// A company in a list.
#[derive(Serialize, ToSchema)]
struct CompanyRow {
    #[schema(value_type = i64)]
    company_id: CompanyId,
    #[schema(value_type = i64)]
    salon_id: SalonId,
    title: String,
    integration_status: &'static str,
    whatsapp_connected: bool,
    /// The linked number, masked.
    whatsapp_phone: Option<String>,
    #[schema(value_type = Option<String>)]
    connected_at: Option<Timestamp>,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

impl From<Company> for CompanyRow {
    fn from(company: Company) -> Self {
        Self {
            company_id: company.id,
            salon_id: company.salon_id,
            title: company.title,
            integration_status: company.status.as_str(),
            whatsapp_connected: company.whatsapp_connected,
            whatsapp_phone: company.whatsapp_phone.map(|phone| phone.to_string()),
            connected_at: company.connected_at,
            created_at: company.created_at,
        }
    }
}

/// All companies in figures, with any filter a page of them in order of id.
#[utoipa::path(get, path = "/marketplace/companies", tag = "operators", params(Page), responses((status = 200, description = "As it stands", body = Companies), (status = 401, description = "No right key or token", body = ErrorBody)))]
pub(crate) async fn companies(State(web): State<Arc<Web>>, _: Operator, Query(page): Query<Page>) -> Result<Json<Companies>, Fault> {
    let status = page.status.as_deref().map(|word| IntegrationStatus::from_word(word).ok_or(Fault::InvalidBody)).transpose()?;
    let mut tx = web.app.store.read().await?;
    let (total, connected) = companies::stats(&mut tx).await?;
    let mut by_status: BTreeMap<String, i64> = IntegrationStatus::ALL.map(|status| (status.as_str().to_owned(), 0)).into();
    by_status.extend(companies::count_by_status(&mut tx).await?);
    let stats = Stats { total, connected, by_status };
    if page.is_empty() {
        return Ok(Json(Companies { success: true, stats, companies: None, next: None }));
    }
    let filter = Filter { status, connected: page.connected };
    let limit = page.limit.unwrap_or(50).clamp(1, PAGE);
    let rows: Vec<Company> = match page.salon_id {
        Some(salon) => companies::by_salon(&mut tx, SalonId(salon)).await?.into_iter().filter(|company| filter.has(company)).collect(),
        None => companies::list(&mut tx, filter, page.after.map(CompanyId), limit).await?,
    };
    let full = i64::try_from(rows.len()).is_ok_and(|rows| rows == limit);
    let next = rows.last().map(|company| company.id).filter(|_| full && page.salon_id.is_none());
    Ok(Json(Companies { success: true, stats, companies: Some(rows.into_iter().map(CompanyRow::from).collect()), next }))
}

/// How a company does.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompanyHealth {
    /// Messages can be sent and received.
    whatsapp: bool,
    /// The integration is active and its last syncs went well.
    yclients: bool,
    /// Every module of the salon was synced at that calendar time or later; none while the first sync is not done.
    #[schema(value_type = Option<String>)]
    last_sync: Option<Timestamp>,
    /// When a customer or the salon wrote last.
    #[schema(value_type = Option<String>)]
    last_message: Option<Timestamp>,
    /// What is wrong, in words.
    errors: Vec<String>,
}

/// How a company does.
#[utoipa::path(get, path = "/api/companies/{id}/health", tag = "operators", params(("id" = i64, Path)), responses((status = 200, description = "As it stands", body = CompanyHealth), (status = 404, description = "There is none", body = ErrorBody)))]
pub(crate) async fn company_health(State(web): State<Arc<Web>>, _: Operator, Path(id): Path<i64>) -> Result<Json<CompanyHealth>, Fault> {
    let company = web.company(CompanyId(id)).await?;
    let mut tx = web.app.store.read().await?;
    let syncs = sync_logs::latest(&mut tx, company.id).await?;
    let last = store::conversations::latest(&mut tx, company.id, 1).await?;
    let link = web.app.whatsapp.state(company.id);
    let failed = syncs.iter().filter_map(|sync| sync.error.as_ref().map(|error| format!("{}: {error}", sync.module)));
    let errors: Vec<String> = link.reason().map(str::to_owned).into_iter().chain(failed).collect();
    Ok(Json(CompanyHealth {
        whatsapp: link.is_connected(),
        yclients: company.status == IntegrationStatus::Active && syncs.iter().all(|sync| sync.error.is_none()),
        last_sync: last_sync(&web, &syncs),
        last_message: last.first().and_then(|conversation| conversation.last_message_at),
        errors,
    }))
}

/// The oldest of the modules' last syncs; none where a module was never synced.
fn last_sync(web: &Web, syncs: &[SyncLog]) -> Option<Timestamp> {
    let finished = |word| syncs.iter().find(|sync| sync.module == word).and_then(|sync| sync.finished_at);
    Modules::words(&web.app).map(finished).collect::<Option<Vec<_>>>()?.into_iter().min()
}

// --- syncs -----------------------------------------------------------------------------------------

/// Whose data to sync.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct Whom {
    /// One company; every active one without it.
    company_id: Option<i64>,
}

/// Syncs that were started.
#[derive(Serialize, ToSchema)]
pub(crate) struct Started {
    success: bool,
    /// Their jobs.
    #[schema(value_type = Vec<i64>)]
    jobs: Vec<JobId>,
}

type SyncAnswer = Result<(StatusCode, Json<Started>), Fault>;

/// Starts a sync of everything.
#[utoipa::path(post, path = "/api/sync", tag = "operators", request_body = Whom, responses(
    (status = 202, description = "Queued", body = Started), (status = 401, description = "No right key or token", body = ErrorBody), (status = 404, description = "There is none", body = ErrorBody),
    (status = 409, description = "One runs already", body = ErrorBody), (status = 429, description = "Too often", body = ErrorBody),
))]
pub(crate) async fn sync_all(State(web): State<Arc<Web>>, _: Operator, whom: Option<Body<Whom>>) -> SyncAnswer {
    start(&web, whom, Modules::ALL).await
}

/// Starts a sync of one module: `company`, `services`, `staff`, `schedules`, `clients`, `bookings`.
#[utoipa::path(post, path = "/api/sync/{module}", tag = "operators", params(("module" = String, Path)), request_body = Whom, responses(
    (status = 202, description = "Queued", body = Started), (status = 404, description = "No such module or company", body = ErrorBody),
    (status = 409, description = "One runs already", body = ErrorBody),
))]
pub(crate) async fn sync_module(
    State(web): State<Arc<Web>>,
    _: Operator,
    Path(module): Path<String>,
    whom: Option<Body<Whom>>,
) -> SyncAnswer {
    start(&web, whom, Modules::from_word(&module).ok_or(Fault::NotFound)?).await
}

/// Starts a sync of the working days of today and tomorrow.
#[utoipa::path(post, path = "/api/sync/schedules/today", tag = "operators", request_body = Whom, responses(
    (status = 202, description = "Queued", body = Started), (status = 404, description = "There is none", body = ErrorBody),
    (status = 409, description = "One runs already", body = ErrorBody),
))]
pub(crate) async fn sync_today(State(web): State<Arc<Web>>, _: Operator, whom: Option<Body<Whom>>) -> SyncAnswer {
    start(&web, whom, Modules::SCHEDULE_TODAY).await
}

async fn start(web: &Web, whom: Option<Body<Whom>>, modules: Modules) -> SyncAnswer {
    let Body(whom) = whom.unwrap_or(Body(Whom::default()));
    let companies = match whom.company_id {
        Some(id) => vec![web.company(CompanyId(id)).await?.id],
        None => active(web).await?,
    };
    let mut started = Vec::new();
    for company in companies {
        if !web.syncs.take(company) {
            return Err(Fault::TooMany);
        }
        let mut tx = web.app.store.begin().await?;
        started.extend(sync::start(&mut tx, company, modules).await?);
        tx.commit().await?;
    }
    if started.is_empty() { Err(Fault::SyncRuns) } else { Ok((StatusCode::ACCEPTED, Json(Started { success: true, jobs: started }))) }
}

async fn active(web: &Web) -> Result<Vec<CompanyId>, Fault> {
    let mut tx = web.app.store.read().await?;
    let (mut active, mut after) = (Vec::new(), None);
    loop {
        let page = companies::list(&mut tx, Filter { status: Some(IntegrationStatus::Active), connected: None }, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(active) };
        after = Some(last.id);
        active.extend(page.iter().map(|company| company.id));
    }
}

// --- messages --------------------------------------------------------------------------------------

/// A message to send.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Letter {
    company_id: i64,
    /// In any usual writing.
    phone: String,
    message: String,
}

/// A message that was queued.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queued {
    success: bool,
    /// Its WhatsApp id.
    id: String,
}

/// Queues a WhatsApp message in a salon's name; at most 60 a minute for each salon.
#[utoipa::path(post, path = "/api/send-message", tag = "operators", request_body = Letter, responses(
    (status = 202, description = "Queued", body = Queued), (status = 400, description = "The request is wrong", body = ErrorBody), (status = 401, description = "No right key or token", body = ErrorBody),
    (status = 404, description = "There is none", body = ErrorBody), (status = 429, description = "Too often", body = ErrorBody),
))]
pub(crate) async fn send_message(
    State(web): State<Arc<Web>>,
    _: Operator,
    Body(letter): Body<Letter>,
) -> Result<(StatusCode, Json<Queued>), Fault> {
    let (phone, text) = letter.read()?;
    let company = web.company(CompanyId(letter.company_id)).await?.id;
    if !web.letters.take(company) {
        return Err(Fault::TooMany);
    }
    let mut tx = web.app.store.begin().await?;
    let conversation = known_or_new(&mut tx, company, &phone).await?;
    let id = outbox::queue(&web.app, &mut tx, company, conversation.id, &text).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(Queued { success: true, id })))
}

impl Letter {
    fn read(&self) -> Result<(Phone, String), Fault> {
        let text = self.message.trim();
        let fits = !text.is_empty() && text.chars().count() <= LONGEST;
        match Phone::parse(&self.phone) {
            Ok(phone) if fits => Ok((phone, text.to_owned())),
            phone => {
                let phone = phone.is_err().then_some(("phone", texts::FIELD_PHONE));
                let message = (!fits).then_some(("message", texts::FIELD_MESSAGE));
                Err(Fault::InvalidFields(BTreeMap::from_iter(phone.into_iter().chain(message))))
            }
        }
    }
}

/// A reaction to a message of a chat.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Reaction {
    company_id: i64,
    /// The customer's, in any usual writing.
    phone: String,
    /// The WhatsApp id of the message, the customer's or ours.
    message_id: String,
    /// Empty takes a reaction back.
    emoji: String,
}

/// Queues a reaction in a salon's name; counts among the salon's 60 messages a minute.
#[utoipa::path(post, path = "/api/send-reaction", tag = "operators", request_body = Reaction, responses(
    (status = 202, description = "Queued", body = Queued), (status = 400, description = "The request is wrong", body = ErrorBody), (status = 401, description = "No right key or token", body = ErrorBody),
    (status = 404, description = "No such company, chat or message", body = ErrorBody), (status = 429, description = "Too often", body = ErrorBody),
))]
pub(crate) async fn send_reaction(
    State(web): State<Arc<Web>>,
    _: Operator,
    Body(reaction): Body<Reaction>,
) -> Result<(StatusCode, Json<Queued>), Fault> {
    let phone = Phone::parse(&reaction.phone).map_err(|_| Fault::InvalidPhone)?;
    if reaction.emoji.chars().count() > LONGEST_EMOJI {
        return Err(Fault::InvalidFields([("emoji", texts::FIELD_EMOJI)].into()));
    }
    let company = web.company(CompanyId(reaction.company_id)).await?.id;
    if !web.letters.take(company) {
        return Err(Fault::TooMany);
    }
    let id = outbox::react(&web.app, company, &phone, &reaction.message_id, &reaction.emoji).await?;
    Ok((StatusCode::ACCEPTED, Json(Queued { success: true, id })))
}

async fn known_or_new(tx: &mut Tx, company: CompanyId, phone: &Phone) -> Result<Conversation, Fault> {
    if let Some(known) = store::conversations::by_phone(tx, company, phone).await? {
        return Ok(known);
    }
    let chat = ChatId(format!("{}@s.whatsapp.net", phone.digits()));
    Ok(store::conversations::ensure(tx, company, &chat, Some(phone), None).await?)
}

// --- conversations ---------------------------------------------------------------------------------

/// How a conversation stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationState {
    /// `idle`, `answering`, `paused`.
    state: &'static str,
    /// Until when the bot is silent there, calendar time.
    #[schema(value_type = Option<String>)]
    paused_until: Option<Timestamp>,
    /// The customer's messages that nobody has answered.
    unanswered: i64,
    /// Work for this conversation that is not finished.
    pending_jobs: i64,
    #[schema(value_type = Option<String>)]
    last_message_at: Option<Timestamp>,
}

type Whose = Path<(i64, String)>;

impl From<Standing> for ConversationState {
    fn from(standing: Standing) -> Self {
        let state = match standing.activity {
            Activity::Idle => "idle",
            Activity::Answering => "answering",
            Activity::Paused => "paused",
        };
        let Standing { paused_until, unanswered, pending_jobs, last_message_at, .. } = standing;
        Self { state, paused_until, unanswered, pending_jobs, last_message_at }
    }
}

/// A conversation that has not begun.
const NOTHING: Standing = Standing { activity: Activity::Idle, paused_until: None, unanswered: 0, pending_jobs: 0, last_message_at: None };

/// How a conversation stands; one that has not begun is idle.
#[utoipa::path(get, path = "/api/conversations/{company_id}/{phone}", tag = "operators", params(("company_id" = i64, Path), ("phone" = String, Path)), responses(
    (status = 200, description = "As it stands", body = ConversationState), (status = 401, description = "No right key or token", body = ErrorBody), (status = 404, description = "There is none", body = ErrorBody),
))]
pub(crate) async fn conversation(State(web): State<Arc<Web>>, _: Operator, whose: Whose) -> Result<Json<ConversationState>, Fault> {
    let (company, phone) = read(&web, whose).await?;
    let standing = conversations::standing(&web.app, company, &phone).await?;
    Ok(Json(standing.unwrap_or(NOTHING).into()))
}

/// The bot is silent in that conversation, as if a person had written there.
#[utoipa::path(post, path = "/api/conversations/{company_id}/{phone}/pause", tag = "operators", params(("company_id" = i64, Path), ("phone" = String, Path)), responses(
    (status = 200, description = "As it stands", body = ConversationState), (status = 404, description = "There is none", body = ErrorBody),
))]
pub(crate) async fn pause(State(web): State<Arc<Web>>, _: Operator, whose: Whose) -> Result<Json<ConversationState>, Fault> {
    let (company, phone) = read(&web, whose).await?;
    conversations::pause(&web.app, company, &phone).await?;
    let standing = conversations::standing(&web.app, company, &phone).await?;
    Ok(Json(standing.unwrap_or(NOTHING).into()))
}

/// The bot answers again in that conversation.
#[utoipa::path(post, path = "/api/conversations/{company_id}/{phone}/resume", tag = "operators", params(("company_id" = i64, Path), ("phone" = String, Path)), responses(
    (status = 200, description = "As it stands", body = ConversationState), (status = 404, description = "There is none", body = ErrorBody),
))]
pub(crate) async fn resume(State(web): State<Arc<Web>>, _: Operator, whose: Whose) -> Result<Json<ConversationState>, Fault> {
    let (company, phone) = read(&web, whose).await?;
    conversations::resume(&web.app, company, &phone).await?;
    let standing = conversations::standing(&web.app, company, &phone).await?;
    Ok(Json(standing.unwrap_or(NOTHING).into()))
}

/// A small file (at most 1 MiB) that the customer has sent, for thirty days.
#[utoipa::path(get, path = "/api/conversations/{company_id}/{phone}/files/{message_id}", tag = "operators",
    params(("company_id" = i64, Path), ("phone" = String, Path), ("message_id" = String, Path)),
    responses(
        (status = 200, description = "The file, under the MIME type that its sender gave", content_type = "application/octet-stream"),
        (status = 401, description = "No right key or token", body = ErrorBody),
        (status = 404, description = "There is none: the message brought none, it was too large or damaged, or was not fetched yet", body = ErrorBody),
    ))]
pub(crate) async fn file(
    State(web): State<Arc<Web>>,
    _: Operator,
    Path((company, phone, message)): Path<(i64, String, String)>,
) -> Result<Response, Fault> {
    let (company, phone) = read(&web, Path((company, phone))).await?;
    let file = files::sent_file(&web.app, company, &phone, &message).await?.ok_or(Fault::NotFound)?;
    // A stranger chose the type: no browser is to show it in our name.
    let kind = HeaderValue::try_from(file.mime).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"))], file.bytes).into_response())
}

async fn read(web: &Web, Path((company, phone)): Whose) -> Result<(CompanyId, Phone), Fault> {
    let phone = Phone::parse(&phone).map_err(|_| Fault::InvalidPhone)?;
    Ok((web.company(CompanyId(company)).await?.id, phone))
}

// --- figures ---------------------------------------------------------------------------------------

/// The house's figures: the calendar, the queue, the latest 10 000 messages by direction and status.
#[utoipa::path(get, path = "/api/metrics", tag = "operators", responses((status = 200, description = "Figures"), (status = 401, description = "No right key or token", body = ErrorBody)))]
pub(crate) async fn metrics(State(web): State<Arc<Web>>, _: Operator) -> Result<Json<Value>, Fault> {
    let now = web.app.clock.now();
    let mut tx = web.app.store.read().await?;
    let (total, connected) = companies::stats(&mut tx).await?;
    let mut messages: BTreeMap<String, BTreeMap<String, i64>> =
        [("in".to_owned(), BTreeMap::new()), ("out".to_owned(), BTreeMap::new())].into();
    for (direction, status, count) in store::messages::recent_counts(&mut tx).await? {
        messages.entry(direction).or_default().insert(status, count);
    }
    Ok(Json(json!({
        "messages": messages,
        "calendar_now": now,
        "calendar_due": i64::from(planned::next_due(&mut tx).await?.is_some_and(|due| due <= now)),
        "jobs_due": jobs::unfinished(&mut tx, SOON).await?,
        "jobs": jobs::counts(&mut tx).await?,
        "companies": { "total": total, "connected": connected },
    })))
}

/// The same and more for Prometheus.
pub(crate) async fn prometheus(State(web): State<Arc<Web>>, _: Operator) -> String {
    (web.settings.metrics)()
}
