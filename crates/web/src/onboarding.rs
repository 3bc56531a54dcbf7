//! From the marketplace to a linked and active salon: redirect, page, codes, statuses, activation.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use axum::{
    Json,
    extract::{Path, Query, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{CompanyId, IntegrationStatus, LinkState, Phone, SalonId};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    companies::{self, Company, MarketplaceUser},
    tokens,
};
use utoipa::{IntoParams, ToSchema};
use workflows::{
    activation::{self, Activated, ActivationError},
    onboarding::{self, Arrival, ArrivalError, Arrived},
};
use yclients::signature::verify_user_data;

use crate::{
    Fault, UserData, Web,
    client_ip::ClientIp,
    extract::{Body, Caller, Operator, Registration},
    fault::ErrorBody,
    linking::{self, Status},
    pages::{self, Branch, Stage},
    qr as picture,
    texts::{self, Lang, Said},
    token::Claims,
};

// --- the redirect --------------------------------------------------------------------------------

/// More branches in one redirect are left out: each costs two calls of the shared rate limit.
const MOST_BRANCHES: usize = 20;

/// A field that nobody has signed is cut to so many characters: all of them have to fit into a token.
const LONGEST_USER_FIELD: usize = 100;

/// What the marketplace may put into the redirect, in both dialects.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the description; what stands in it is read by several names")]
struct Redirect {
    /// The salon in YClients, a positive integer.
    salon_id: Option<String>,
    /// Several branches: `salon_ids[0]`, `salon_ids[1]` … or a list with commas.
    salon_ids: Option<String>,
    /// Who comes: base64 of JSON.
    user_data: Option<String>,
    /// Its signature: hex HMAC-SHA256 of the decoded JSON by the partner token.
    user_data_sign: Option<String>,
    /// Who comes, in the older dialect: nobody vouches for it, so it goes into the token and no further.
    user_id: Option<String>,
    /// The same.
    user_name: Option<String>,
    /// The same.
    user_phone: Option<String>,
    /// The same.
    user_email: Option<String>,
}

/// Comes from the marketplace's «Подключить»: registers the salon and leads to its linking page.
#[utoipa::path(get, path = "/auth/yclients/redirect", tag = "onboarding", params(Redirect), responses(
    (status = 302, description = "To the linking page, with a token"),
    (status = 400, description = "No valid salon_id (page)"),
    (status = 403, description = "Wrong signature, or a known salon without one (page)"),
    (status = 404, description = "No such salon (page)"),
    (status = 409, description = "Not installed (page)"),
    (status = 502, description = "YClients failed (page)"),
    (status = 503, description = "YClients is busy, or settings are missing (page)"),
))]
pub(crate) async fn redirect(State(web): State<Arc<Web>>, ip: ClientIp, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    let (arrivals, user) = arrivals(&web, &query.unwrap_or_default())?;
    let mut arrived = Vec::new();
    let mut refused = None;
    for arrival in arrivals {
        let salon = arrival.salon_id;
        let outcome =
            if web.redirects.take(ip.0) { onboarding::arrive(&web.app, arrival).await.map_err(Fault::from) } else { Err(Fault::TooMany) };
        match outcome {
            Ok(company) => arrived.push(company),
            // Of several branches those that can be linked are; the others come again.
            Err(fault) => {
                tracing::info!(%salon, ?fault, "a branch was not let in");
                let busy = fault == Fault::BookingSystemBusy;
                refused.get_or_insert(fault);
                // Whoever is silent to one branch is asked for no other: the page would come too late.
                if busy {
                    break;
                }
            }
        }
    }
    let Some(first) = arrived.first().copied() else { return Err(refused.unwrap_or(Fault::InvalidSalonId)) };
    let branches = if arrived.len() > 1 { arrived.iter().map(|branch| branch.company_id).collect() } else { Vec::new() };
    let token = web.issue(first, user, branches).await?;
    Ok(to_page(&token))
}

fn to_page(token: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, format!("/marketplace/onboarding?token={token}"))]).into_response()
}

/// Reads and proves the redirect's query: an arrival for each branch, and who comes.
fn arrivals(web: &Web, query: &str) -> Result<(Vec<Arrival>, UserData), Fault> {
    let (mut salons, mut data, mut sign, mut said) = (Vec::new(), None, None, UserData::default());
    let cut = |value: &str| Some(value.chars().take(LONGEST_USER_FIELD).collect()).filter(|text: &String| !text.is_empty());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "salon_id" => salons.insert(0, positive(&value).ok_or(Fault::InvalidSalonId)?),
            "user_data" => data = Some(value.into_owned()),
            "user_data_sign" => sign = Some(value.into_owned()),
            "user_id" => said.user_id = cut(&value),
            "user_name" => said.user_name = cut(&value),
            "user_phone" => said.user_phone = cut(&value),
            "user_email" => said.user_email = cut(&value),
            name if name == "salon_ids" || name.starts_with("salon_ids[") => {
                for id in value.split(',') {
                    salons.push(positive(id.trim()).ok_or(Fault::InvalidSalonId)?);
                }
            }
            _ => {}
        }
    }
    let mut known = HashSet::new();
    salons.retain(|salon| known.insert(*salon));
    if salons.is_empty() {
        return Err(Fault::InvalidSalonId);
    }
    salons.truncate(MOST_BRANCHES);
    let (signed, user, signed_for) = match (data, sign) {
        (None, None) => (false, MarketplaceUser::default(), String::new()),
        // Half a proof is a wrong one.
        (data, sign) => {
            let token = web.settings.partner_token.as_ref().ok_or(Fault::NotConfigured)?;
            let data = verify_user_data(token, &data.unwrap_or_default(), &sign.unwrap_or_default());
            let data = data.map_err(|_| Fault::InvalidSignature)?;
            let text = |text: String| Some(text).filter(|text| !text.is_empty());
            let id = data.id.map(|id| id.to_string());
            (true, MarketplaceUser { id, name: text(data.name), phone: text(data.phone), email: text(data.email) }, data.salon_name)
        }
    };
    let arrival = |salon| Arrival { salon_id: SalonId(salon), signed, user: user.clone(), signed_for: signed_for.clone() };
    let who = if signed { user_data(&user) } else { said };
    Ok((salons.into_iter().map(arrival).collect(), who))
}

fn positive(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok().filter(|id| *id > 0)).flatten()
}

fn user_data(user: &MarketplaceUser) -> UserData {
    let MarketplaceUser { id, name, phone, email } = user.clone();
    UserData { user_id: id, user_name: name, user_phone: phone, user_email: email }
}

impl From<ArrivalError> for Fault {
    fn from(error: ArrivalError) -> Self {
        tracing::info!(%error, "a salon was not let in");
        match error {
            ArrivalError::NotConfigured => Self::NotConfigured,
            ArrivalError::Unproven | ArrivalError::SignedForAnother => Self::OpenFromYclients,
            ArrivalError::NotInstalled => Self::NotInstalled,
            ArrivalError::NoSuchSalon => Self::SalonNotFound,
            ArrivalError::Busy(_) => Self::BookingSystemBusy,
            ArrivalError::Failed(_) => Self::BookingSystemFailed,
            ArrivalError::Store(error) => error.into(),
        }
    }
}

/// The operator's registration.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Register {
    /// The salon in YClients, a positive integer.
    #[schema(value_type = i64)]
    salon_id: Option<Value>,
    /// The owner's phone.
    #[schema(value_type = Option<String>)]
    phone: Option<Value>,
    /// The owner's e-mail.
    #[schema(value_type = Option<String>)]
    email: Option<Value>,
}

impl Register {
    fn read(self) -> Result<(SalonId, Option<Phone>, Option<String>), Fault> {
        let mut wrong = BTreeMap::<&'static str, Said>::new();
        let salon = self.salon_id.as_ref().and_then(|id| id.as_i64().or_else(|| positive(id.as_str()?))).filter(|id| *id > 0);
        if salon.is_none() {
            wrong.insert("salon_id", texts::FIELD_SALON_ID);
        }
        let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let phone = self.phone.as_ref().map(|phone| Phone::parse(&words(phone))).transpose().unwrap_or_else(|_| {
            wrong.insert("phone", texts::FIELD_PHONE);
            None
        });
        let email = self.email.as_ref().map(words);
        let mail = |text: &str| text.len() <= 254 && text.split_once('@').is_some_and(|(who, at)| !who.is_empty() && at.contains('.'));
        if email.as_deref().is_some_and(|email| !mail(email)) {
            wrong.insert("email", texts::FIELD_EMAIL);
        }
        match salon {
            Some(salon) if wrong.is_empty() => Ok((SalonId(salon), phone, email)),
            _ => Err(Fault::InvalidFields(wrong)),
        }
    }
}

/// A salon that the operator registered.
#[derive(Serialize, ToSchema)]
pub(crate) struct Registered {
    success: bool,
    #[schema(value_type = i64)]
    company_id: CompanyId,
    #[schema(value_type = i64)]
    salon_id: SalonId,
    /// The salon's key: `sk_…`.
    api_key: String,
    /// Where its owner links WhatsApp.
    connect_url: String,
}

/// Registers a salon on the operator's word.
#[utoipa::path(post, path = "/marketplace/register", tag = "onboarding", request_body = Register, responses(
    (status = 200, description = "As it stands", body = Registered), (status = 400, description = "The request is wrong", body = ErrorBody), (status = 401, description = "No right key or token", body = ErrorBody),
))]
pub(crate) async fn register(State(web): State<Arc<Web>>, _: Operator, Body(body): Body<Register>) -> Result<Json<Registered>, Fault> {
    let (salon_id, phone, email) = body.read()?;
    let user =
        UserData { user_phone: phone.as_ref().map(|phone| phone.digits().to_owned()), user_email: email.clone(), ..UserData::default() };
    let (arrived, key) = onboarding::register(&web.app, salon_id, phone, email).await?;
    let connect_url = format!("/marketplace/connect?token={}", web.issue(arrived, user, Vec::new()).await?);
    let Arrived { company_id, salon_id } = arrived;
    Ok(Json(Registered { success: true, company_id, salon_id, api_key: key.expose_secret().to_owned(), connect_url }))
}

impl Web {
    /// A token for that salon, written down by its digest.
    async fn issue(&self, salon: Arrived, user: UserData, branches: Vec<CompanyId>) -> Result<String, Fault> {
        let issued = self.tokens.issue(salon.company_id, salon.salon_id, user, branches, self.app.clock.now())?;
        self.write_down(salon.company_id, issued).await
    }

    async fn write_down(&self, company: CompanyId, (token, until): (String, Timestamp)) -> Result<String, Fault> {
        let mut tx = self.app.store.begin().await?;
        tokens::issue(&mut tx, company, &crate::token::digest(&token), self.app.clock.now(), until).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// The company of a token or a key.
    pub(crate) async fn company(&self, id: CompanyId) -> Result<Company, Fault> {
        companies::get(&mut self.app.store.read().await?, id).await?.ok_or(Fault::NotFound)
    }
}

// --- the page and its codes ----------------------------------------------------------------------

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WithToken {
    /// The registration's token.
    token: Option<String>,
    /// Another branch (our `company_id`) of those that came with this token: leads to its page.
    branch: Option<i64>,
}

/// The linking page; also `/marketplace/connect`.
#[utoipa::path(get, path = "/marketplace/onboarding", tag = "onboarding", params(WithToken), responses(
    (status = 200, description = "The page", content_type = "text/html"),
    (status = 302, description = "To the page of another branch, with its own token"),
    (status = 400, description = "No token (page)"),
    (status = 401, description = "A wrong or old token (page)"),
    (status = 403, description = "Not a branch that came with this token (page)"),
))]
pub(crate) async fn page(State(web): State<Arc<Web>>, lang: Lang, Query(query): Query<WithToken>) -> Result<Response, Fault> {
    let token = query.token.filter(|token| !token.is_empty()).ok_or(Fault::TokenMissing)?;
    let claims = web.registration(&token).await?;
    if let Some(branch) = query.branch.map(CompanyId).filter(|branch| *branch != claims.company_id) {
        return web.to_branch(&claims, branch).await;
    }
    let company = web.company(claims.company_id).await?;
    let branches = web.branches(&claims, &token).await?;
    let phone = company.whatsapp_phone.as_ref().map(Phone::pretty);
    pages::linking(&pages::Salon {
        lang,
        title: &company.title,
        session: &linking::session_id(claims.salon_id),
        stage: web.stage(&company),
        phone: phone.as_deref().unwrap_or_default(),
        branches: &branches,
    })
}

impl Web {
    /// What the owner finds on opening the page.
    fn stage(&self, company: &Company) -> Stage {
        let linked = self.app.whatsapp.state(company.id).is_connected();
        match company.status {
            IntegrationStatus::Active if linked => Stage::Done,
            // The phone was changed or unlinked: what the salon has in YClients stays on.
            IntegrationStatus::Active | IntegrationStatus::Frozen if company.connected_at.is_some() => Stage::Again,
            _ => Stage::First,
        }
    }

    /// The branches that came with that token; none where it came alone.
    async fn branches(&self, claims: &Claims, token: &str) -> Result<Vec<Branch>, Fault> {
        let mut branches = Vec::new();
        for id in &claims.branches {
            let company = self.company(*id).await?;
            let here = company.id == claims.company_id;
            branches.push(Branch {
                done: self.stage(&company) == Stage::Done,
                href: format!("/marketplace/onboarding?token={token}&branch={id}"),
                title: company.title,
                address: company.address,
                here,
            });
        }
        Ok(branches)
    }

    /// Leads to the page of another branch that came with the token, and of no other company.
    async fn to_branch(&self, claims: &Claims, branch: CompanyId) -> Result<Response, Fault> {
        if !claims.branches.contains(&branch) {
            return Err(Fault::Foreign);
        }
        let salon = self.company(branch).await?.salon_id;
        let issued = self.tokens.issue_for_branch(claims, branch, salon)?;
        Ok(to_page(&self.write_down(branch, issued).await?))
    }
}

/// A QR code to scan.
#[derive(Serialize, ToSchema)]
pub(crate) struct Qr {
    success: bool,
    /// `data:image/png;base64,…`
    qr: String,
    /// `company_<salon_id>`
    session_id: String,
    /// Seconds that really remain.
    expires_in: u64,
}

async fn qr_of(web: &Web, company: CompanyId, salon: SalonId) -> Result<Json<Qr>, Fault> {
    let (code, remaining) = linking::qr(web, company).await?;
    let (qr, expires_in) = (picture::data_url(&code)?, remaining.as_secs());
    Ok(Json(Qr { success: true, qr, session_id: linking::session_id(salon), expires_in }))
}

/// A QR code, waited for up to ten seconds.
#[utoipa::path(post, path = "/marketplace/api/qr", tag = "onboarding", responses(
    (status = 200, description = "As it stands", body = Qr), (status = 401, description = "No right key or token", body = ErrorBody),
    (status = 409, description = "Connected already", body = ErrorBody), (status = 504, description = "None came", body = ErrorBody),
))]
pub(crate) async fn qr(State(web): State<Arc<Web>>, Registration(claims): Registration) -> Result<Json<Qr>, Fault> {
    qr_of(&web, claims.company_id, claims.salon_id).await
}

/// The same with the token in the path.
#[utoipa::path(get, path = "/marketplace/qr/{token}", tag = "onboarding", params(("token" = String, Path)), responses((status = 200, description = "As it stands", body = Qr)))]
pub(crate) async fn qr_by_path(State(web): State<Arc<Web>>, Path(token): Path<String>) -> Result<Json<Qr>, Fault> {
    let claims = web.registration(&token).await?;
    qr_of(&web, claims.company_id, claims.salon_id).await
}

/// The number to link.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskPairing {
    /// In any usual writing.
    phone_number: String,
}

/// A code to type on the phone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pairing {
    success: bool,
    /// `XXXX-XXXX`
    code: String,
    /// Digits with country code.
    phone_number: String,
    /// Seconds it lasts.
    #[serde(rename = "expires_in")]
    expires_in: u64,
}

/// A pairing code for a number.
#[utoipa::path(post, path = "/marketplace/api/pairing-code", tag = "onboarding", request_body = AskPairing, responses(
    (status = 200, description = "As it stands", body = Pairing), (status = 400, description = "No phone number", body = ErrorBody),
    (status = 401, description = "No right key or token", body = ErrorBody), (status = 409, description = "Connected already", body = ErrorBody),
))]
pub(crate) async fn pairing_code(
    State(web): State<Arc<Web>>,
    Registration(claims): Registration,
    Body(ask): Body<AskPairing>,
) -> Result<Json<Pairing>, Fault> {
    let paired = linking::pairing_code(&web, claims.company_id, &ask.phone_number).await?;
    Ok(Json(Pairing { success: true, code: paired.code, phone_number: paired.phone, expires_in: paired.expires_in }))
}

// --- statuses --------------------------------------------------------------------------------------

/// How a session stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionStatus {
    success: bool,
    #[serde(flatten)]
    status: Status,
    /// `company_<salon_id>`
    session_id: String,
    /// The linked number, digits with country code.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

/// The WhatsApp session of the token's salon; another salon's is refused.
#[utoipa::path(get, path = "/marketplace/api/status/{session_id}", tag = "onboarding", params(("session_id" = String, Path)), responses(
    (status = 200, description = "As it stands", body = SessionStatus), (status = 401, description = "No right key or token", body = ErrorBody), (status = 403, description = "Another salon's", body = ErrorBody),
))]
pub(crate) async fn session_status(
    State(web): State<Arc<Web>>,
    Registration(claims): Registration,
    Path(session_id): Path<String>,
) -> Result<Json<SessionStatus>, Fault> {
    if session_id != linking::session_id(claims.salon_id) {
        return Err(Fault::Foreign);
    }
    let state = web.app.whatsapp.state(claims.company_id);
    let phone = if let LinkState::Connected { phone, .. } = &state { Some(phone.digits().to_owned()) } else { None };
    Ok(Json(SessionStatus { success: true, status: Status::of(&state), session_id, phone }))
}

/// How a company stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct CompanyStatus {
    success: bool,
    #[schema(value_type = i64)]
    company_id: CompanyId,
    whatsapp_connected: bool,
    /// Digits with country code.
    whatsapp_phone: Option<String>,
    /// `pending_whatsapp`, `activating`, `active`, `activation_failed`, `frozen`, `uninstalled`.
    integration_status: &'static str,
    /// When WhatsApp was linked for the first time.
    #[schema(value_type = Option<String>)]
    connected_at: Option<Timestamp>,
}

/// The integration of the company whose token or key it is, or of any for the operator.
#[utoipa::path(get, path = "/marketplace/status/{company_id}", tag = "onboarding", params(("company_id" = i64, Path)), responses(
    (status = 200, description = "As it stands", body = CompanyStatus), (status = 401, description = "No right key or token", body = ErrorBody), (status = 403, description = "Another salon's", body = ErrorBody), (status = 404, description = "There is none", body = ErrorBody),
))]
pub(crate) async fn company_status(
    State(web): State<Arc<Web>>,
    caller: Caller,
    Path(company_id): Path<i64>,
) -> Result<Json<CompanyStatus>, Fault> {
    let id = CompanyId(company_id);
    let company = match &caller {
        // A salon's own key opens its own status.
        Caller::Key(key) if onboarding::is_key_of(&web.app, id, key).await? => web.company(id).await?,
        caller => web.company(caller.may(id)?).await?,
    };
    Ok(Json(CompanyStatus {
        success: true,
        company_id: company.id,
        whatsapp_connected: company.whatsapp_connected,
        whatsapp_phone: company.whatsapp_phone.as_ref().map(|phone| phone.digits().to_owned()),
        integration_status: company.status.as_str(),
        connected_at: company.connected_at,
    }))
}

// --- activation ------------------------------------------------------------------------------------

/// The registration to finish.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Activate {
    /// Its token.
    token: String,
}

/// A salon that is on.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActivatedBody {
    success: bool,
    /// For a person.
    message: &'static str,
    #[schema(value_type = i64)]
    company_id: CompanyId,
    #[schema(value_type = i64)]
    salon_id: SalonId,
    /// What the marketplace holds now.
    #[schema(value_type = Object)]
    yclients_response: Value,
}

fn activated(done: Activated, lang: Lang) -> Json<ActivatedBody> {
    Json(ActivatedBody {
        success: true,
        message: texts::ACTIVATED.in_lang(lang),
        company_id: done.company_id,
        salon_id: done.salon_id,
        yclients_response: json!({ "success": true, "status": "active" }),
    })
}

/// Switches the salon on; the same answer again once it is.
#[utoipa::path(post, path = "/marketplace/activate", tag = "onboarding", request_body = Activate, responses(
    (status = 200, description = "As it stands", body = ActivatedBody), (status = 401, description = "No right key or token", body = ErrorBody),
    (status = 409, description = "WhatsApp is not linked", body = ErrorBody),
    (status = 410, description = "The registration is older than an hour", body = ErrorBody),
    (status = 502, description = "The marketplace refused", body = ErrorBody),
))]
pub(crate) async fn activate(State(web): State<Arc<Web>>, lang: Lang, Body(body): Body<Activate>) -> Result<Json<ActivatedBody>, Fault> {
    let claims = web.registration(&body.token).await.map_err(of_activation)?;
    Ok(activated(activation::activate(&web.app, claims.company_id).await?, lang))
}

/// A token that is out of date is a registration that is.
fn of_activation(fault: Fault) -> Fault {
    if fault == Fault::TokenExpired { Fault::RegistrationExpired } else { fault }
}

/// The older form of activation.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Prepare {
    company_id: i64,
    salon_id: i64,
}

/// An older name of activation.
#[utoipa::path(post, path = "/marketplace/callback/prepare", tag = "onboarding", request_body = Prepare, responses(
    (status = 200, description = "As it stands", body = ActivatedBody), (status = 401, description = "No right key or token", body = ErrorBody), (status = 403, description = "Another salon's", body = ErrorBody), (status = 409, description = "Not now", body = ErrorBody),
    (status = 410, description = "The registration is older than an hour", body = ErrorBody),
))]
pub(crate) async fn prepare(
    State(web): State<Arc<Web>>,
    lang: Lang,
    caller: Result<Caller, Fault>,
    Body(body): Body<Prepare>,
) -> Result<Json<ActivatedBody>, Fault> {
    let caller = caller.map_err(of_activation)?;
    let company = web.company(caller.may(CompanyId(body.company_id))?).await?;
    if company.salon_id != SalonId(body.salon_id) {
        return Err(Fault::Foreign);
    }
    Ok(activated(activation::activate(&web.app, company.id).await?, lang))
}

/// The oldest form of activation, by the salon's own key. What it claims of status and phone is
/// not believed: both are looked at.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Callback {
    company_id: i64,
    salon_id: i64,
    #[schema(value_type = String)]
    api_key: SecretString,
}

/// An older name of activation.
#[utoipa::path(post, path = "/marketplace/callback", tag = "onboarding", request_body = Callback, responses(
    (status = 200, description = "As it stands", body = ActivatedBody), (status = 401, description = "No right key or token", body = ErrorBody), (status = 409, description = "Not now", body = ErrorBody),
))]
pub(crate) async fn callback(State(web): State<Arc<Web>>, lang: Lang, Body(body): Body<Callback>) -> Result<Json<ActivatedBody>, Fault> {
    let company = web.company(CompanyId(body.company_id)).await.map_err(|_| Fault::Unauthorized)?;
    let right = onboarding::is_key_of(&web.app, company.id, &body.api_key).await?;
    if !right || company.salon_id != SalonId(body.salon_id) {
        return Err(Fault::Unauthorized);
    }
    Ok(activated(activation::activate(&web.app, company.id).await?, lang))
}

impl From<ActivationError> for Fault {
    fn from(error: ActivationError) -> Self {
        tracing::info!(%error, "a salon could not be switched on");
        match error {
            ActivationError::NotConfigured => Self::NotConfigured,
            ActivationError::NotConnected => Self::WhatsappNotConnected,
            ActivationError::NumberTaken => Self::NumberTaken,
            ActivationError::NotActivatable(_) => Self::NotActivatable,
            ActivationError::Refused(reason) => Self::ActivationFailed(reason),
            ActivationError::Store(error) => error.into(),
        }
    }
}
