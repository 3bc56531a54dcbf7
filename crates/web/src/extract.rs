//! Extractors: what a handler may know of its caller. Each yields a tenant or an operator, or refuses.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use domain::CompanyId;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Fault, Web, texts::Lang, token::Claims};

const API_KEY: &str = "x-api-key";

/// The salon whose registration token came as `Authorization: Bearer`.
pub(crate) struct Registration(pub(crate) Claims);

/// Whoever has the operator's key (`X-API-Key`).
pub(crate) struct Operator;

/// A JSON body, whatever its content type says; anything else is [`Fault::InvalidBody`] or [`Fault::TooLarge`].
pub(crate) struct Body<T>(pub(crate) T);

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Equal, in a time that tells nothing of the secret, its length included.
pub(crate) fn same_secret(given: &[u8], secret: &SecretString) -> bool {
    Sha256::digest(given).ct_eq(&Sha256::digest(secret.expose_secret().as_bytes())).into()
}

impl FromRequestParts<Arc<Web>> for Registration {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Fault> {
        let token = bearer(&parts.headers).ok_or(Fault::TokenInvalid)?;
        web.registration(token).await.map(Self)
    }
}

impl FromRequestParts<Arc<Web>> for Operator {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Fault> {
        let key = parts.headers.get(API_KEY).ok_or(Fault::Unauthorized)?;
        let right = web.settings.admin_api_key.as_ref().is_some_and(|secret| same_secret(key.as_bytes(), secret));
        right.then_some(Self).ok_or(Fault::Unauthorized)
    }
}

/// A salon by its token, or the operator, or whoever has another key.
pub(crate) enum Caller {
    Salon(CompanyId),
    Operator,
    /// Not the operator's key: the handler knows whose it must be.
    Key(SecretString),
}

impl Caller {
    /// That company, if the caller may ask for it.
    pub(crate) fn may(&self, company: CompanyId) -> Result<CompanyId, Fault> {
        match self {
            Self::Salon(own) if *own != company => Err(Fault::Foreign),
            Self::Key(_) => Err(Fault::Unauthorized),
            _ => Ok(company),
        }
    }
}

impl FromRequestParts<Arc<Web>> for Caller {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Fault> {
        if let Some(key) = parts.headers.get(API_KEY) {
            let key = key.to_str().map_err(|_| Fault::Unauthorized)?.to_owned();
            let operator = Operator::from_request_parts(parts, web).await;
            return Ok(operator.map_or_else(|_| Self::Key(key.into()), |_| Self::Operator));
        }
        Registration::from_request_parts(parts, web).await.map(|Registration(claims)| Self::Salon(claims.company_id))
    }
}

impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// No body at all is none; what is there must be right.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Fault;
    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Fault> {
        let bytes = whole(request, state).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(None);
        }
        read(&bytes).map(|value| Some(Self(value)))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Fault;
    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        read(&whole(request, state).await?).map(Self)
    }
}

async fn whole<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Fault> {
    Bytes::from_request(request, state).await.map_err(|refused| match refused.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::TooLarge,
        _ => Fault::InvalidBody,
    })
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|_| Fault::InvalidBody)
}
