//! `/control/…`: how a test or the chat page moves the world.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{
        IntoResponse, Response,
        sse::{KeepAlive, Sse},
    },
    routing::{any, get, patch, post},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::{Stream, StreamExt};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio_stream::wrappers::BroadcastStream;

use crate::{
    faults::{Kind, Order, Target},
    owner,
    whatsapp::{self, LinkError, PhoneError},
    world::World,
    yclients::{ControlError, Lifecycle, NewRecord, RecordChange, SalonFile},
};

type Here = State<Arc<World>>;
type Answer<T = Value> = Result<Json<T>, Problem>;

/// The largest body: a salon's file with thousands of bookings.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

pub(crate) fn routes(world: Arc<World>) -> Router {
    let control = Router::new()
        .route("/health", get(health))
        .route("/clock", get(read_clock).put(set_clock))
        .route("/settle", post(settle))
        .route("/secrets", get(secrets))
        .route("/salons", get(salons).post(put_salon))
        .route("/salons/{salon}", get(salon))
        .route("/salons/{salon}/day", get(day))
        .route("/salons/{salon}/connect", post(connect))
        .route("/salons/{salon}/onboard", post(onboard))
        .route("/salons/{salon}/phone/link", post(link))
        .route("/salons/{salon}/phone/unlink", post(unlink))
        .route("/salons/{salon}/phone/offline", post(offline))
        .route("/salons/{salon}/phone/online", post(online))
        .route("/salons/{salon}/phone/passkey", post(passkey))
        .route("/salons/{salon}/phone/restrict", post(restrict))
        .route("/salons/{salon}/phone/messages", post(salon_writes))
        .route("/whatsapp/forget-sessions", post(forget_sessions))
        .route("/salons/{salon}/records", get(records).post(create_record))
        .route("/salons/{salon}/records/{record}", patch(change_record).delete(delete_record))
        .route("/salons/{salon}/marketplace/{event}", post(lifecycle))
        .route("/whatsapp", get(whatsapp_server).put(whatsapp_settings))
        .route("/phones/{phone}/link", post(link_phone))
        .route("/phones/{phone}/unlink", post(unlink_phone))
        .route("/phones/{phone}/offline", post(phone_offline))
        .route("/phones/{phone}/online", post(phone_online))
        .route("/phones/{phone}/messages", get(chat).post(customer_writes))
        .route("/phones/{phone}/messages/{message}/media", get(file))
        .route("/phones/{phone}/reactions", post(customer_reacts))
        .route("/phones/{phone}/typing", post(customer_types))
        .route("/phones/{phone}/presence", post(customer_is_there))
        .route("/phones/{phone}/read", post(customer_reads))
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/requests", get(requests))
        .route("/events", get(events))
        .fallback(any(not_built))
        .method_not_allowed_fallback(async || Problem(StatusCode::METHOD_NOT_ALLOWED, "not with this method".to_owned()))
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(world);
    Router::new().nest("/control", control).layer(middleware::from_fn(from_this_machine))
}

/// A request that could not be done, as the contract writes it.
#[derive(Debug)]
struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        let status = match error {
            ControlError::Unknown(_) => StatusCode::NOT_FOUND,
            ControlError::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string())
    }
}

impl From<PhoneError> for Problem {
    fn from(error: PhoneError) -> Self {
        let status = match error {
            PhoneError::NoAccount | PhoneError::NoMessage => StatusCode::NOT_FOUND,
            PhoneError::Failed(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string())
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        Self(StatusCode::CONFLICT, error.to_string())
    }
}

/// A JSON body, whatever its content type says; an empty one is `{}`.
struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|e| Problem(e.status(), e.body_text()))?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes).map(Self).map_err(|e| Problem(StatusCode::BAD_REQUEST, e.to_string()))
    }
}

/// What stands in the path.
struct Path<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|e| Problem(e.status(), e.body_text()))
    }
}

/// What stands in the query.
struct Query<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::from_request_parts(parts, state).await;
        read.map(|axum::extract::Query(value)| Self(value)).map_err(|e| Problem(e.status(), e.body_text()))
    }
}

/// The control port is open to everything on this machine, a browser on a foreign page among it: such requests carry a
/// foreign `Host` or `Origin`.
pub(crate) async fn from_this_machine(headers: HeaderMap, request: Request, next: Next) -> Response {
    let local = |name: header::HeaderName| {
        let Some(value) = headers.get(name) else { return true };
        let host = value.to_str().unwrap_or_default().rsplit("//").next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        matches!(host, "127.0.0.1" | "localhost" | "[::1]")
    };
    if local(header::HOST) && local(header::ORIGIN) {
        next.run(request).await
    } else {
        Problem(StatusCode::FORBIDDEN, "the sandbox serves this machine only".to_owned()).into_response()
    }
}

async fn not_built() -> Problem {
    Problem(StatusCode::NOT_IMPLEMENTED, "the sandbox does not have this".to_owned())
}

async fn health(State(world): Here) -> Answer {
    if world.is_up() {
        Ok(Json(json!({ "status": "ok" })))
    } else {
        Err(Problem(StatusCode::SERVICE_UNAVAILABLE, "the world is still starting".to_owned()))
    }
}

/// What is neither the world's nor the control API's.
pub(crate) async fn nothing_here() -> Response {
    Problem(StatusCode::NOT_FOUND, "there is nothing at this address".to_owned()).into_response()
}

fn clock(world: &World) -> Value {
    json!({ "now": world.clock.now(), "offset_ms": world.clock.offset_ms(), "version": world.clock.version() })
}

async fn read_clock(State(world): Here) -> Json<Value> {
    Json(clock(&world))
}

#[derive(Deserialize)]
struct NewClock {
    now: Timestamp,
}

async fn set_clock(State(world): Here, Body(new): Body<NewClock>) -> Json<Value> {
    world.set_clock(new.now).await;
    Json(clock(&world))
}

#[derive(Deserialize)]
struct Settle {
    timeout_ms: Option<u64>,
}

async fn settle(State(world): Here, Body(settle): Body<Settle>) -> Json<Value> {
    let settled = world.settle(Duration::from_millis(settle.timeout_ms.unwrap_or(10_000))).await;
    Json(json!({ "settled": settled }))
}

async fn secrets(State(world): Here) -> Json<Value> {
    Json(json!(world.secrets))
}

#[derive(Serialize)]
struct SalonView {
    #[serde(flatten)]
    overview: crate::yclients::Overview,
    company_id: Option<i64>,
    linked: bool,
    online: bool,
}

fn salon_view(world: &World, overview: crate::yclients::Overview) -> SalonView {
    SalonView {
        company_id: world.companies.lock().get(&overview.id).copied(),
        linked: world.whatsapp.is_linked(&overview.phone),
        online: world.whatsapp.is_online(&overview.phone),
        overview,
    }
}

async fn salons(State(world): Here) -> Json<Vec<SalonView>> {
    Json(world.yclients.salons().into_iter().map(|overview| salon_view(&world, overview)).collect())
}

async fn salon(State(world): Here, Path(salon): Path<i64>) -> Answer<SalonView> {
    Ok(Json(salon_view(&world, world.yclients.overview(salon)?)))
}

#[derive(Deserialize)]
struct WhichDay {
    date: Option<Date>,
}

async fn day(State(world): Here, Path(salon): Path<i64>, Query(which): Query<WhichDay>) -> Answer<crate::yclients::DaySheet> {
    Ok(Json(world.yclients.day_sheet(salon, which.date)?))
}

async fn put_salon(State(world): Here, Body(file): Body<SalonFile>) -> Answer {
    Ok(Json(json!({ "id": world.put_salon(file)? })))
}

async fn connect(State(world): Here, Path(salon): Path<i64>) -> Answer {
    Ok(Json(json!({ "redirect_url": world.yclients.connect(salon)? })))
}

#[derive(Deserialize)]
struct Onboard {
    #[serde(default)]
    method: owner::Method,
}

async fn onboard(State(world): Here, Path(salon): Path<i64>, Body(wish): Body<Onboard>) -> Answer<owner::Onboarded> {
    world.yclients.overview(salon)?;
    let done = owner::onboard(&world, salon, wish.method).await;
    done.map(Json).map_err(|error| Problem(StatusCode::BAD_GATEWAY, format!("{error:#}")))
}

#[derive(Deserialize)]
struct Link {
    qr: Option<String>,
    code: Option<String>,
}

async fn link(State(world): Here, Path(salon): Path<i64>, Body(link): Body<Link>) -> Answer {
    let phone = world.yclients.overview(salon)?.phone;
    linked(&world, &phone, link).await
}

/// The phone of a customer: a device may be linked to it as to a salon's.
async fn link_phone(State(world): Here, Path(phone): Path<String>, Body(link): Body<Link>) -> Answer {
    linked(&world, &phone_number(phone)?, link).await
}

async fn linked(world: &World, phone: &str, link: Link) -> Answer {
    match link {
        Link { qr: Some(qr), .. } => world.whatsapp.scan_qr(phone, &qr).await?,
        Link { code: Some(code), .. } => world.whatsapp.enter_code(phone, &code).await?,
        _ => return Err(Problem(StatusCode::BAD_REQUEST, "qr or code is missing".to_owned())),
    }
    world.bus.touch();
    Ok(Json(json!({ "linked": true })))
}

async fn unlink_phone(State(world): Here, Path(phone): Path<String>) -> Answer {
    world.whatsapp.unlink(&phone_number(phone)?).await?;
    Ok(Json(json!({ "linked": false })))
}

async fn phone_offline(State(world): Here, Path(phone): Path<String>) -> Answer {
    world.whatsapp.offline(&phone_number(phone)?).await?;
    Ok(Json(json!({ "online": false })))
}

async fn phone_online(State(world): Here, Path(phone): Path<String>) -> Answer {
    world.whatsapp.online(&phone_number(phone)?).await?;
    Ok(Json(json!({ "online": true })))
}

/// Where a WhatsApp client of any make connects, and the key that signs this world's certificates, which it has to be given in
/// place of WhatsApp's own.
async fn whatsapp_server(State(world): Here, headers: HeaderMap) -> Answer {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let key = world.whatsapp.root_key().map_err(|error| Problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let root_key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Json(json!({ "root_key": root_key, "url": format!("ws://{host}/ws/chat") })))
}

async fn unlink(State(world): Here, Path(salon): Path<i64>) -> Answer {
    world.whatsapp.unlink(&world.yclients.overview(salon)?.phone).await?;
    Ok(Json(json!({ "linked": false })))
}

async fn offline(State(world): Here, Path(salon): Path<i64>) -> Answer {
    world.whatsapp.offline(&world.yclients.overview(salon)?.phone).await?;
    world.bus.touch();
    Ok(Json(json!({ "online": false })))
}

async fn online(State(world): Here, Path(salon): Path<i64>) -> Answer {
    world.whatsapp.online(&world.yclients.overview(salon)?.phone).await?;
    world.bus.touch();
    Ok(Json(json!({ "online": true })))
}

#[derive(Deserialize)]
struct Passkey {
    required: bool,
}

async fn passkey(State(world): Here, Path(salon): Path<i64>, Body(wish): Body<Passkey>) -> Answer {
    world.whatsapp.require_passkey(&world.yclients.overview(salon)?.phone, wish.required)?;
    Ok(Json(json!({ "required": wish.required })))
}

#[derive(Deserialize)]
struct Restriction {
    restricted: bool,
}

async fn restrict(State(world): Here, Path(salon): Path<i64>, Body(wish): Body<Restriction>) -> Answer {
    world.whatsapp.restrict(&world.yclients.overview(salon)?.phone, wish.restricted)?;
    Ok(Json(json!({ "restricted": wish.restricted })))
}

#[derive(Deserialize)]
struct WhatsappSettings {
    qr_first_ms: u64,
    qr_next_ms: u64,
}

/// How long QR codes hold that are shown from now on.
async fn whatsapp_settings(State(world): Here, Body(settings): Body<WhatsappSettings>) -> Json<Value> {
    world.whatsapp.set_qr_times(Duration::from_millis(settings.qr_first_ms), Duration::from_millis(settings.qr_next_ms));
    Json(json!({ "ok": true }))
}

async fn forget_sessions(State(world): Here) -> Json<Value> {
    world.whatsapp.forget_sessions();
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
struct FromSalon {
    to: String,
    #[serde(flatten)]
    writing: Writing,
}

async fn salon_writes(State(world): Here, Path(salon): Path<i64>, Body(message): Body<FromSalon>) -> Answer {
    let phone = world.yclients.overview(salon)?.phone;
    let letter = message.writing.letter()?;
    let id = world.whatsapp.salon_sends(&phone, &phone_number(message.to)?, letter).await?;
    Ok(Json(json!({ "id": id })))
}

/// What somebody writes on a phone: text, or by its `kind` something else.
#[derive(Deserialize)]
struct Writing {
    text: Option<String>,
    #[serde(default)]
    kind: Option<whatsapp::Kind>,
    data_base64: Option<String>,
    mimetype: Option<String>,
    file_name: Option<String>,
    caption: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    /// Of a contact.
    contact: Option<Card>,
    /// The id of the message that this one quotes.
    quoted: Option<String>,
    /// The id of an own message that gets this text.
    edit: Option<String>,
    /// The id of an own message that is deleted.
    revoke: Option<String>,
    id: Option<String>,
    name: Option<String>,
    hidden: Option<bool>,
}

#[derive(Deserialize)]
struct Card {
    name: String,
    phone: String,
}

impl Writing {
    fn letter(self) -> Result<whatsapp::Letter, Problem> {
        use whatsapp::{Draft, Kind};
        let bad = |text: &str| Problem(StatusCode::BAD_REQUEST, text.to_owned());
        let text = self.text.or(self.caption);
        let draft = match (self.edit, self.revoke, self.kind.unwrap_or(Kind::Text)) {
            (Some(of), None, Kind::Text) => Draft::Edit { of, text: text.ok_or_else(|| bad("an edit needs a text"))? },
            (None, Some(of), _) => Draft::Revoke { of },
            (None, None, Kind::Text) => Draft::Text(text.ok_or_else(|| bad("a text is missing"))?),
            (None, None, kind @ (Kind::Image | Kind::Voice | Kind::Audio | Kind::Video | Kind::Document | Kind::Sticker)) => {
                let data = self.data_base64.ok_or_else(|| bad("data_base64 is missing"))?;
                let bytes = BASE64_STANDARD.decode(data).map_err(|error| bad(&format!("data_base64: {error}")))?;
                Draft::Media(whatsapp::File { kind, bytes, mimetype: self.mimetype, caption: text, file_name: self.file_name })
            }
            (None, None, Kind::Location) => match (self.latitude, self.longitude) {
                (Some(latitude), Some(longitude)) => Draft::Location { latitude, longitude, name: text.unwrap_or_default() },
                _ => return Err(bad("latitude and longitude are missing")),
            },
            (None, None, Kind::Contact) => {
                let card = self.contact.ok_or_else(|| bad("contact is missing"))?;
                Draft::Contact { name: card.name, phone: phone_number(card.phone)? }
            }
            _ => return Err(bad("nobody can write this: a reaction has a call of its own, edit and revoke exclude each other")),
        };
        Ok(whatsapp::Letter { draft, quoted: self.quoted, id: self.id, push_name: self.name, hidden: self.hidden })
    }
}

async fn records(State(world): Here, Path(salon): Path<i64>) -> Answer<Vec<crate::yclients::RecordView>> {
    Ok(Json(world.yclients.records_of(salon)?))
}

async fn create_record(State(world): Here, Path(salon): Path<i64>, Body(new): Body<NewRecord>) -> Answer<crate::yclients::RecordView> {
    Ok(Json(world.yclients.create_record(salon, new)?))
}

async fn change_record(
    State(world): Here,
    Path((salon, record)): Path<(i64, i64)>,
    Body(change): Body<RecordChange>,
) -> Answer<crate::yclients::RecordView> {
    Ok(Json(world.yclients.change_record(salon, record, change)?))
}

async fn delete_record(State(world): Here, Path((salon, record)): Path<(i64, i64)>) -> Answer<crate::yclients::RecordView> {
    Ok(Json(world.yclients.delete_record(salon, record)?))
}

async fn lifecycle(State(world): Here, Path((salon, event)): Path<(i64, Lifecycle)>) -> Answer {
    Ok(Json(json!({ "installation": world.yclients.lifecycle(salon, event)? })))
}

fn phone_number(text: String) -> Result<String, Problem> {
    let right = (7..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if right { Ok(text) } else { Err(Problem(StatusCode::BAD_REQUEST, "a phone is digits without plus".to_owned())) }
}

/// A message as the control API shows it.
#[derive(Serialize)]
struct MessageView {
    id: String,
    from: whatsapp::Side,
    text: String,
    at: Timestamp,
    kind: whatsapp::Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<whatsapp::Attachment>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    edited: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read: bool,
}

impl From<whatsapp::ChatMessage> for MessageView {
    fn from(message: whatsapp::ChatMessage) -> Self {
        Self {
            id: message.id,
            from: message.from,
            text: message.text,
            at: Timestamp::from_millisecond(message.at_ms).unwrap_or_default(),
            kind: message.kind,
            reaction_to: message.reaction_to,
            quoted: message.quoted,
            media: message.media,
            edited: message.edited,
            read: message.read,
        }
    }
}

#[derive(Deserialize)]
struct OfSalon {
    salon: i64,
}

async fn chat(State(world): Here, Path(phone): Path<String>, Query(of): Query<OfSalon>) -> Answer<Vec<MessageView>> {
    let salon = world.yclients.overview(of.salon)?.phone;
    Ok(Json(world.whatsapp.chat(&phone_number(phone)?, &salon).into_iter().map(MessageView::from).collect()))
}

#[derive(Deserialize)]
struct Wait {
    wait: Option<String>,
    timeout_ms: Option<u64>,
}

impl Wait {
    /// How long to wait for the answer, if at all.
    fn patience(&self, in_body: Option<&str>) -> Result<Option<Duration>, Problem> {
        match self.wait.as_deref().or(in_body) {
            None | Some("") => Ok(None),
            Some("reply") => Ok(Some(Duration::from_millis(self.timeout_ms.unwrap_or(10_000)))),
            Some(other) => Err(Problem(StatusCode::BAD_REQUEST, format!("wait={other}: only reply is known"))),
        }
    }
}

#[derive(Deserialize)]
struct FromCustomer {
    salon: i64,
    texts: Option<Vec<String>>,
    #[serde(flatten)]
    writing: Writing,
}

async fn customer_writes(
    State(world): Here,
    Path(phone): Path<String>,
    Query(wait): Query<Wait>,
    Body(message): Body<FromCustomer>,
) -> Answer {
    let (phone, patience) = (phone_number(phone)?, wait.patience(None)?);
    let salon_phone = world.yclients.overview(message.salon)?.phone;
    let letters = match message.texts {
        Some(texts) if !texts.is_empty() && message.writing.text.is_none() && message.writing.id.is_none() => {
            let (push_name, hidden) = (message.writing.name, message.writing.hidden);
            let letter =
                |text| whatsapp::Letter { draft: whatsapp::Draft::Text(text), push_name: push_name.clone(), hidden, ..Default::default() };
            texts.into_iter().map(letter).collect()
        }
        None => vec![message.writing.letter()?],
        Some(_) => return Err(Problem(StatusCode::BAD_REQUEST, "text (with or without id) or texts is expected".to_owned())),
    };
    let before = world.whatsapp.chat(&phone, &salon_phone).len();
    let mut ids = Vec::with_capacity(letters.len());
    for letter in letters {
        ids.push(world.whatsapp.customer_sends(&phone, &salon_phone, letter).await?);
    }
    Ok(Json(answered(&world, message.salon, &salon_phone, &phone, before, ids, patience).await))
}

async fn file(State(world): Here, Path((phone, message)): Path<(String, String)>, Query(of): Query<OfSalon>) -> Result<Response, Problem> {
    let salon = world.yclients.overview(of.salon)?.phone;
    let (mimetype, bytes) = world.whatsapp.file(&phone_number(phone)?, &salon, &message)?;
    let mimetype = HeaderValue::from_str(&mimetype).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    Ok(([(header::CONTENT_TYPE, mimetype)], bytes).into_response())
}

#[derive(Deserialize)]
struct Typing {
    salon: i64,
    state: Option<whatsapp::Doing>,
}

async fn customer_types(State(world): Here, Path(phone): Path<String>, Body(typing): Body<Typing>) -> Answer {
    let salon = world.yclients.overview(typing.salon)?.phone;
    world.whatsapp.customer_types(&phone_number(phone)?, &salon, typing.state.unwrap_or(whatsapp::Doing::Composing)).await?;
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
struct There {
    available: bool,
}

async fn customer_is_there(State(world): Here, Path(phone): Path<String>, Body(there): Body<There>) -> Answer {
    world.whatsapp.customer_is_there(&phone_number(phone)?, there.available).await?;
    Ok(Json(json!({ "available": there.available })))
}

#[derive(Deserialize)]
struct Reading {
    salon: i64,
    message_id: Option<String>,
}

/// The customer reads one message of the salon, or all that are unread.
async fn customer_reads(State(world): Here, Path(phone): Path<String>, Body(reading): Body<Reading>) -> Answer {
    let (phone, salon) = (phone_number(phone)?, world.yclients.overview(reading.salon)?.phone);
    let chat = world.whatsapp.chat(&phone, &salon);
    let unread = chat.into_iter().filter(|message| message.from == whatsapp::Side::Salon && !message.read).map(|message| message.id);
    let ids: Vec<String> = reading.message_id.map_or_else(|| unread.collect(), |id| vec![id]);
    for id in &ids {
        world.whatsapp.customer_reads(&phone, &salon, id).await?;
    }
    Ok(Json(json!({ "ids": ids })))
}

#[derive(Deserialize)]
struct Reaction {
    salon: i64,
    message_id: String,
    emoji: String,
    wait: Option<String>,
}

async fn customer_reacts(
    State(world): Here,
    Path(phone): Path<String>,
    Query(wait): Query<Wait>,
    Body(reaction): Body<Reaction>,
) -> Answer {
    let (phone, patience) = (phone_number(phone)?, wait.patience(reaction.wait.as_deref())?);
    let salon_phone = world.yclients.overview(reaction.salon)?.phone;
    let before = world.whatsapp.chat(&phone, &salon_phone).len();
    let id = world.whatsapp.customer_reacts(&phone, &salon_phone, &reaction.message_id, &reaction.emoji).await?;
    Ok(Json(answered(&world, reaction.salon, &salon_phone, &phone, before, vec![id], patience).await))
}

/// Waits for the chat to settle, where asked to, and tells what came back.
async fn answered(
    world: &World,
    salon: i64,
    salon_phone: &str,
    phone: &str,
    before: usize,
    ids: Vec<String>,
    patience: Option<Duration>,
) -> Value {
    let Some(patience) = patience else { return json!({ "ids": ids, "replies": [], "settled": false }) };
    let settled = world.settle_chat(salon, salon_phone, phone, patience).await;
    let replies: Vec<Value> = world
        .whatsapp
        .chat(phone, salon_phone)
        .into_iter()
        .skip(before)
        .filter(|message| message.from == whatsapp::Side::Salon)
        .map(MessageView::from)
        .map(|message| json!({ "id": message.id, "text": message.text, "at": message.at }))
        .collect();
    json!({ "ids": ids, "replies": replies, "settled": settled })
}

async fn add_fault(State(world): Here, Body(order): Body<Order>) -> Answer {
    match order.target {
        Target::Yclients if matches!(order.kind, Kind::Disconnect | Kind::Nack | Kind::Replaced) => return Err(not_this_targets()),
        Target::Yclients => world.faults.add(order),
        Target::Whatsapp => {
            use whatsapp::FaultKind;
            let kind = match order.kind {
                Kind::Disconnect => FaultKind::DisconnectAfter,
                Kind::Nack => FaultKind::Nack(order.status.unwrap_or(463)),
                Kind::Status => FaultKind::Status(order.status.unwrap_or(503)),
                Kind::RateLimit => FaultKind::Status(429),
                Kind::Replaced => FaultKind::Replaced,
                Kind::Drop => FaultKind::Drop,
                Kind::Duplicate => FaultKind::Duplicate,
                Kind::Reorder => FaultKind::Reorder,
                Kind::Timeout => FaultKind::Timeout(Duration::from_millis(order.delay_ms.unwrap_or(30_000))),
                Kind::TimeoutAfterCommit | Kind::Html => return Err(not_this_targets()),
            };
            let salon = order.salon.map(|salon| world.yclients.overview(salon)).transpose()?.map(|salon| salon.phone);
            let fault = whatsapp::Fault { kind, salon, times: order.times.unwrap_or(1) };
            let occasion = whatsapp::Occasion { matches: order.matches, probability: order.probability, seed: order.seed };
            world.whatsapp.add_fault_on(fault, occasion).map_err(|error| Problem(StatusCode::BAD_REQUEST, error.to_string()))?;
        }
        Target::Llm => return Err(not_built().await),
    }
    Ok(Json(json!({ "ok": true })))
}

fn not_this_targets() -> Problem {
    Problem(StatusCode::BAD_REQUEST, "this kind of fault is not this target's".to_owned())
}

async fn clear_faults(State(world): Here) -> Json<Value> {
    world.faults.clear();
    world.whatsapp.clear_faults();
    Json(json!({ "ok": true }))
}

#[derive(Deserialize)]
struct OfTarget {
    target: Option<Target>,
}

async fn requests(State(world): Here, Query(of): Query<OfTarget>) -> Answer<Vec<crate::yclients::Seen>> {
    match of.target {
        None | Some(Target::Yclients) => Ok(Json(world.yclients.requests())),
        Some(Target::Llm | Target::Whatsapp) => Err(not_built().await),
    }
}

/// What happens in the world, as server-sent events for the chat page.
async fn events(State(world): Here) -> Sse<impl Stream<Item = Result<axum::response::sse::Event, Infallible>>> {
    let told = BroadcastStream::new(world.bus.subscribe()).filter_map(async |e| serde_json::to_string(&e.ok()?).ok());
    let rung = BroadcastStream::new(world.whatsapp.subscribe()).filter_map(async |e| serde_json::to_string(&e.ok()?).ok());
    let both = futures::stream::select(Box::pin(told), Box::pin(rung));
    Sse::new(both.map(|data| Ok(axum::response::sse::Event::default().data(data)))).keep_alive(KeepAlive::default())
}
