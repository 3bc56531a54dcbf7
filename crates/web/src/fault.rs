//! What can go wrong at this door, and how it is told: one JSON shape for programs, one page for people.
//!
//! A handler only names the fault; [`tell`] renders it, since it alone knows the language and
//! whether a program or a person asked.

use std::{collections::BTreeMap, fmt::Display};

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    pages,
    texts::{self, Lang},
};

/// A refusal of this door. Nothing in it is a secret or a stack trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `salon_id` is no positive integer.
    InvalidSalonId,
    /// The marketplace's signature does not fit its data.
    InvalidSignature,
    /// A salon that has been active comes without a signature.
    OpenFromYclients,
    /// The marketplace knows no installation.
    NotInstalled,
    /// YClients knows no such salon.
    SalonNotFound,
    /// YClients asks to wait, or does not answer.
    BookingSystemBusy,
    /// YClients refuses us or is broken.
    BookingSystemFailed,
    /// The marketplace knows no such installation, as a program asked.
    NoInstallation,
    /// The marketplace refuses what the operator asks; its words.
    MarketplaceRefused(String),
    /// The marketplace did not answer a call that it may have done.
    OutcomeUnknown,
    /// Settings of the product are missing.
    NotConfigured,
    /// A page was opened without its token.
    TokenMissing,
    /// The token is not ours.
    TokenInvalid,
    /// The token was ours, its hour is over.
    TokenExpired,
    /// The registration is older than an hour.
    RegistrationExpired,
    /// Another salon's session or company.
    Foreign,
    /// WhatsApp is linked already.
    AlreadyConnected,
    /// WhatsApp gave no code in time.
    NoCode,
    /// WhatsApp cannot be linked now; the reason for a person.
    LinkRefused(texts::Said),
    /// The text is no phone number.
    InvalidPhone,
    /// The number serves another salon already.
    NumberTaken,
    /// Activation before WhatsApp is linked.
    WhatsappNotConnected,
    /// The marketplace refused the activation; its words.
    ActivationFailed(String),
    /// The company's status allows no activation.
    NotActivatable,
    /// A sync of that salon waits or runs already.
    SyncRuns,
    /// No right key.
    Unauthorized,
    /// Fields of a body are wrong, with the reason for each.
    InvalidFields(BTreeMap<&'static str, texts::Said>),
    /// The body is no JSON of the right shape.
    InvalidBody,
    /// The body is too large.
    TooLarge,
    /// Too often.
    TooMany,
    /// Nothing lives here.
    NotFound,
    /// Not with this method.
    MethodNotAllowed,
    /// It took too long.
    TimedOut,
    /// The database is busy, locked, full or gone: nothing can be stored for now.
    Unavailable,
    /// Our own fault; the cause is in the log.
    Internal,
}

/// The JSON of every error.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// Always `false`.
    success: bool,
    /// A word for programs.
    #[schema(example = "invalid_salon_id")]
    error: &'static str,
    /// For a person: Russian unless `Accept-Language` says English.
    message: String,
    /// What is wrong with which field of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<&'static str, &'static str>>,
}

impl Fault {
    /// Logs the cause, which nobody outside is told.
    pub(crate) fn internal(cause: impl Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::Internal
    }

    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => Self::TimedOut,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::InvalidBody,
            _ => Self::Internal,
        }
    }

    /// The JSON body in that language.
    pub(crate) fn body(&self, lang: Lang) -> ErrorBody {
        let words = texts::fault(self);
        let fields = match self {
            Self::InvalidFields(fields) => Some(fields.iter().map(|(name, said)| (*name, said.in_lang(lang))).collect()),
            _ => None,
        };
        let message = match self {
            Self::ActivationFailed(reason) | Self::MarketplaceRefused(reason) => format!("{} {reason}", words.message.in_lang(lang)),
            Self::LinkRefused(reason) => reason.in_lang(lang).to_owned(),
            _ => words.message.in_lang(lang).to_owned(),
        };
        ErrorBody { success: false, error: words.code, message, fields }
    }
}

impl ErrorBody {
    /// What a person is told.
    pub(crate) fn message(self) -> String {
        self.message
    }
}

impl From<store::StoreError> for Fault {
    fn from(cause: store::StoreError) -> Self {
        match cause {
            store::StoreError::NotFound(_) => Self::NotFound,
            cause if cause.is_transient() => {
                tracing::warn!(%cause, "a request must be made again");
                Self::Unavailable
            }
            cause => Self::internal(cause),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = texts::fault(&self).status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Marks responses of routes that people open: their faults are pages whatever `Accept` says.
#[derive(Clone)]
pub(crate) struct ForPeople;

/// A layer of the routes that people open.
pub(crate) async fn for_people(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(ForPeople);
    response
}

/// Renders a [`Fault`], and the bare refusals of axum (no route, wrong method, body too large).
pub(crate) async fn tell(request: Request, next: Next) -> Response {
    let lang = Lang::of(request.headers());
    let browsing = request.method() == Method::GET && wants_html(request.headers());
    let again = request.uri().path_and_query().map(ToString::to_string).filter(|path| is_here(path));
    let mut response = next.run(request).await;
    let Some(fault) = response.extensions_mut().remove::<Fault>().or_else(|| bare(&response)) else { return response };
    let status = texts::fault(&fault).status;
    let told = if browsing || response.extensions().get::<ForPeople>().is_some() {
        (status, pages::error(&fault, lang, again)).into_response()
    } else {
        (status, Json(fault.body(lang))).into_response()
    };
    let (mut parts, body) = told.into_parts();
    if status == StatusCode::TOO_MANY_REQUESTS || fault == Fault::BookingSystemBusy {
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    if fault == Fault::Unavailable {
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        parts.headers.insert(header::ALLOW, allow);
    }
    Response::from_parts(parts, body)
}

/// An address of this site for whoever follows it; browsers read `/\host` as `//host`.
fn is_here(path: &str) -> bool {
    !path.starts_with("//") && !path.contains('\\')
}

/// The fault of an error that no handler of ours has worded.
fn bare(response: &Response) -> Option<Fault> {
    let worded = |kind: &HeaderValue| [b"application/json".as_slice(), b"text/html"].iter().any(|ours| kind.as_bytes().starts_with(ours));
    let status = response.status();
    let error = status.is_client_error() || status.is_server_error();
    (error && !response.headers().get(header::CONTENT_TYPE).is_some_and(worded)).then(|| Fault::of_status(status))
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}
