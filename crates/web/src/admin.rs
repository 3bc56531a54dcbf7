//! The marketplace's calls about the application, made for the operator (`/marketplace/admin`): YClients
//! has a cabinet for them too, this is for programs.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State},
};
use domain::SalonId;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use yclients::{Channel, Error, PaymentReceipt};

use crate::{
    Fault, Web,
    extract::{Body, Operator},
    fault::ErrorBody,
    texts,
};

/// Every call; all want the operator's key.
pub(crate) fn routes() -> OpenApiRouter<Arc<Web>> {
    OpenApiRouter::new()
        .routes(routes!(salons))
        .routes(routes!(salon))
        .routes(routes!(disconnect))
        .routes(routes!(payment_link))
        .routes(routes!(tariffs))
        .routes(routes!(add_discount))
        .routes(routes!(payment))
        .routes(routes!(refund))
        .routes(routes!(channel))
        .routes(routes!(short_names))
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        tracing::warn!(%error, "the marketplace did not do what the operator asked");
        match error {
            error if error.outcome_unknown() => Self::OutcomeUnknown,
            Error::NotFound { .. } => Self::NoInstallation,
            Error::Refused { message, .. } | Error::Forbidden { message } => Self::MarketplaceRefused(message),
            Error::RateLimited => Self::BookingSystemBusy,
            Error::Unavailable { reason, .. } if !reason.starts_with("status ") => Self::BookingSystemBusy,
            _ => Self::BookingSystemFailed,
        }
    }
}

type Answer = Result<Json<Value>, Fault>;

/// The client of the marketplace, where it is configured.
fn marketplace(web: &Web) -> Result<&yclients::YClients, Fault> {
    web.settings.missing.is_empty().then_some(&web.app.yclients).ok_or(Fault::NotConfigured)
}

/// The marketplace did it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    success: bool,
}

const DONE: Done = Done { success: true };

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Page {
    /// From 1.
    page: Option<usize>,
    /// At most 1000; 100 without it.
    count: Option<usize>,
}

/// A page of the salons that have the application.
#[utoipa::path(get, path = "/marketplace/admin/salons", tag = "marketplace", params(Page), responses(
    (status = 200, description = "`{success, page, salons: [{salon_id, title, active}]}`"), (status = 401, description = "No right key", body = ErrorBody),
    (status = 503, description = "YClients is busy, or settings are missing", body = ErrorBody),
))]
async fn salons(State(web): State<Arc<Web>>, _: Operator, Query(asked): Query<Page>) -> Answer {
    let page = asked.page.unwrap_or(1).max(1);
    let found = marketplace(&web)?.application_salons(page, asked.count.unwrap_or(100).clamp(1, 1000)).await?;
    let salons: Vec<Value> =
        found.into_iter().map(|salon| json!({ "salon_id": salon.id, "title": salon.title, "active": salon.active })).collect();
    Ok(Json(json!({ "success": true, "page": page, "salons": salons })))
}

/// Where the installation in a salon stands, how it came there, what was paid.
#[utoipa::path(get, path = "/marketplace/admin/salons/{salon_id}", tag = "marketplace", params(("salon_id" = i64, Path)), responses(
    (status = 200, description = "`{success, salon_id, status, logs, payments}`; times are the marketplace's own"),
    (status = 401, description = "No right key", body = ErrorBody),
))]
async fn salon(State(web): State<Arc<Web>>, _: Operator, Path(salon): Path<i64>) -> Answer {
    let found = marketplace(&web)?.install_state(SalonId(salon)).await?;
    let logs: Vec<Value> = found
        .log
        .iter()
        .map(|step| {
            json!({ "changed_at": step.at, "status_from": step.from.as_str(), "status_to": step.to.as_str(), "source": step.source })
        })
        .collect();
    let payments: Vec<Value> = found
        .payments
        .iter()
        .map(|paid| {
            json!({
                "id": paid.id, "payment_sum": paid.sum, "currency_iso": paid.currency, "payment_date": paid.paid_at,
                "is_refunded": paid.refunded, "period_from": paid.from, "period_to": paid.to,
            })
        })
        .collect();
    Ok(Json(json!({ "success": true, "salon_id": salon, "status": found.status.as_str(), "logs": logs, "payments": payments })))
}

/// Takes the application out of a salon, here and in the marketplace.
#[utoipa::path(post, path = "/marketplace/admin/salons/{salon_id}/disconnect", tag = "marketplace", params(("salon_id" = i64, Path)), responses(
    (status = 200, description = "Taken out", body = Done), (status = 401, description = "No right key", body = ErrorBody),
))]
async fn disconnect(State(web): State<Arc<Web>>, _: Operator, Path(salon): Path<i64>) -> Result<Json<Done>, Fault> {
    marketplace(&web)?.uninstall(SalonId(salon)).await?;
    workflows::webhooks::uninstalled(&web.app, SalonId(salon)).await?;
    Ok(Json(DONE))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WithDiscount {
    /// In per cent.
    discount: Option<f64>,
}

/// Where a salon can pay.
#[utoipa::path(get, path = "/marketplace/admin/salons/{salon_id}/payment-link", tag = "marketplace", params(("salon_id" = i64, Path), WithDiscount), responses(
    (status = 200, description = "`{success, url}`"), (status = 401, description = "No right key", body = ErrorBody),
    (status = 404, description = "It has not the application", body = ErrorBody),
))]
async fn payment_link(State(web): State<Arc<Web>>, _: Operator, Path(salon): Path<i64>, Query(with): Query<WithDiscount>) -> Answer {
    check([("discount", with.discount.is_none_or(|discount| (0.0..=100.0).contains(&discount)), texts::FIELD_DISCOUNT)])?;
    let url = marketplace(&web)?.payment_link(SalonId(salon), with.discount).await?;
    Ok(Json(json!({ "success": true, "url": url })))
}

/// The application's tariffs.
#[utoipa::path(get, path = "/marketplace/admin/tariffs", tag = "marketplace", responses(
    (status = 200, description = "`{success, tariffs}`, as the marketplace has them"), (status = 401, description = "No right key", body = ErrorBody),
))]
async fn tariffs(State(web): State<Arc<Web>>, _: Operator) -> Answer {
    let tariffs = marketplace(&web)?.tariffs().await?;
    Ok(Json(json!({ "success": true, "tariffs": tariffs })))
}

/// A discount for salons.
#[derive(Deserialize, ToSchema)]
struct Discount {
    salon_ids: Vec<i64>,
    /// In per cent.
    discount: f64,
}

/// Gives salons a discount.
#[utoipa::path(post, path = "/marketplace/admin/discounts", tag = "marketplace", request_body = Discount, responses(
    (status = 200, description = "Given", body = Done), (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 401, description = "No right key", body = ErrorBody),
))]
async fn add_discount(State(web): State<Arc<Web>>, _: Operator, Body(given): Body<Discount>) -> Result<Json<Done>, Fault> {
    check([
        ("salon_ids", !given.salon_ids.is_empty() && given.salon_ids.iter().all(|id| *id > 0), texts::FIELD_SALON_ID),
        ("discount", (0.0..=100.0).contains(&given.discount), texts::FIELD_DISCOUNT),
    ])?;
    let salons: Vec<SalonId> = given.salon_ids.into_iter().map(SalonId).collect();
    marketplace(&web)?.add_discount(&salons, given.discount).await?;
    Ok(Json(DONE))
}

/// A payment that the salon made past the marketplace. Times are the marketplace's own.
#[derive(Deserialize, ToSchema)]
struct Paid {
    salon_id: i64,
    payment_sum: f64,
    /// `RUB`
    currency_iso: String,
    /// `2026-11-23T10:00:00`
    #[schema(value_type = String)]
    payment_date: DateTime,
    #[schema(value_type = String)]
    period_from: DateTime,
    #[schema(value_type = String)]
    period_to: DateTime,
}

/// Tells the marketplace of a payment, which unfreezes a salon. Not to be repeated blindly: each call is a payment.
#[utoipa::path(post, path = "/marketplace/admin/payments", tag = "marketplace", request_body = Paid, responses(
    (status = 200, description = "`{success, payment_id}`"), (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 401, description = "No right key", body = ErrorBody), (status = 404, description = "It has not the application", body = ErrorBody),
    (status = 504, description = "No answer: look at the salon's payments first", body = ErrorBody),
))]
async fn payment(State(web): State<Arc<Web>>, _: Operator, Body(paid): Body<Paid>) -> Answer {
    check([
        ("salon_id", paid.salon_id > 0, texts::FIELD_SALON_ID),
        ("payment_sum", paid.payment_sum > 0.0 && paid.payment_sum < 1e9, texts::FIELD_SUM),
        ("currency_iso", paid.currency_iso.len() == 3 && paid.currency_iso.bytes().all(|c| c.is_ascii_uppercase()), texts::FIELD_CURRENCY),
        ("period_to", paid.period_to > paid.period_from, texts::FIELD_PERIOD),
    ])?;
    let receipt = PaymentReceipt {
        sum: paid.payment_sum,
        currency: paid.currency_iso,
        paid_at: paid.payment_date,
        from: paid.period_from,
        to: paid.period_to,
    };
    let id = marketplace(&web)?.payment(SalonId(paid.salon_id), &receipt).await?;
    tracing::info!(salon = paid.salon_id, payment = id, "the operator told the marketplace of a payment");
    Ok(Json(json!({ "success": true, "payment_id": id })))
}

/// Tells the marketplace that a payment was given back.
#[utoipa::path(post, path = "/marketplace/admin/payments/{payment_id}/refund", tag = "marketplace", params(("payment_id" = i64, Path)), responses(
    (status = 200, description = "Told", body = Done), (status = 401, description = "No right key", body = ErrorBody),
    (status = 404, description = "No such payment", body = ErrorBody),
))]
async fn refund(State(web): State<Arc<Web>>, _: Operator, Path(payment): Path<i64>) -> Result<Json<Done>, Fault> {
    marketplace(&web)?.refund(payment).await.map_err(|error| match error {
        Error::NotFound { .. } => Fault::NotFound,
        error => error.into(),
    })?;
    tracing::info!(payment, "the operator told the marketplace of a refund");
    Ok(Json(DONE))
}

/// A channel of messages to switch.
#[derive(Deserialize, ToSchema)]
struct ChannelSwitch {
    salon_id: i64,
    /// `sms` or `whatsapp`.
    channel: String,
    is_available: bool,
}

/// Switches a channel of a salon on or off.
#[utoipa::path(post, path = "/marketplace/admin/channels", tag = "marketplace", request_body = ChannelSwitch, responses(
    (status = 200, description = "Switched", body = Done), (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 401, description = "No right key", body = ErrorBody), (status = 404, description = "It has not the application", body = ErrorBody),
))]
async fn channel(State(web): State<Arc<Web>>, _: Operator, Body(switch): Body<ChannelSwitch>) -> Result<Json<Done>, Fault> {
    let channel = match switch.channel.as_str() {
        "sms" => Some(Channel::Sms),
        "whatsapp" => Some(Channel::Whatsapp),
        _ => None,
    };
    check([("salon_id", switch.salon_id > 0, texts::FIELD_SALON_ID), ("channel", channel.is_some(), texts::FIELD_CHANNEL)])?;
    if let Some(channel) = channel {
        marketplace(&web)?.update_channel(SalonId(switch.salon_id), channel, switch.is_available).await?;
    }
    Ok(Json(DONE))
}

/// Sender names for SMS.
#[derive(Deserialize, ToSchema)]
struct ShortNames {
    salon_id: i64,
    short_names: Vec<String>,
}

/// Sets a salon's sender names for SMS.
#[utoipa::path(post, path = "/marketplace/admin/short-names", tag = "marketplace", request_body = ShortNames, responses(
    (status = 200, description = "Set", body = Done), (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 401, description = "No right key", body = ErrorBody), (status = 404, description = "It has not the application", body = ErrorBody),
))]
async fn short_names(State(web): State<Arc<Web>>, _: Operator, Body(given): Body<ShortNames>) -> Result<Json<Done>, Fault> {
    let named = |name: &String| !name.trim().is_empty() && name.chars().count() <= 11;
    check([
        ("salon_id", given.salon_id > 0, texts::FIELD_SALON_ID),
        ("short_names", !given.short_names.is_empty() && given.short_names.iter().all(named), texts::FIELD_SHORT_NAMES),
    ])?;
    marketplace(&web)?.short_names(SalonId(given.salon_id), &given.short_names).await?;
    Ok(Json(DONE))
}

/// Each field with whether it is right and what to say where it is not.
fn check<const N: usize>(fields: [(&'static str, bool, texts::Said); N]) -> Result<(), Fault> {
    let wrong: BTreeMap<_, _> = fields.into_iter().filter(|(_, right, _)| !right).map(|(name, _, said)| (name, said)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Fault::InvalidFields(wrong)) }
}
