//! How YClients says no.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// A refused request: status, the message for a person and, for bookings, the code.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// 431 … 438 of the online booking.
    pub(crate) code: Option<u16>,
    /// The appointment of the request that the code is about.
    pub(crate) appointment: Option<i64>,
    /// Faults by field.
    pub(crate) errors: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None, appointment: None, errors: None }
    }

    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(crate) fn booking(code: u16, appointment: Option<i64>, message: impl Into<String>) -> Self {
        let status = if code == 434 { StatusCode::FORBIDDEN } else { StatusCode::UNPROCESSABLE_ENTITY };
        Self { status, message: message.into(), code: Some(code), appointment, errors: None }
    }

    pub(crate) fn field(field: &str, message: &str) -> Self {
        let errors = json!({ field: [message] });
        Self { errors: Some(errors), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Произошла ошибка валидации") }
    }

    /// The body in the v2 dialect. The documented sample has `meta.message` only; where the booking code stands is
    /// not documented, `meta.errors.code` is the commonest reading.
    pub(crate) fn body(&self) -> Value {
        let mut meta = json!({ "message": self.message });
        if let Some(code) = self.code {
            meta["errors"] = json!({ "code": code, "message": self.message });
            if let Some(id) = self.appointment {
                meta["errors"]["id"] = json!(id);
            }
        } else if let Some(errors) = &self.errors {
            meta["errors"] = errors.clone();
        }
        json!({ "success": false, "data": null, "meta": meta })
    }

    /// The body for a caller that did not ask for the v2 dialect.
    pub(crate) fn legacy_body(&self) -> Value {
        let code = self.code.unwrap_or(self.status.as_u16());
        json!({ "errors": { "code": code, "message": self.message }, "meta": { "message": self.message } })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
