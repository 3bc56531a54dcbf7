//! `/marketplace`: the application's calls about its installation in salons.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Emulator,
    api::done,
    passage,
    refusal::Refusal,
    salon::{Install, Installation, Payment},
    wire,
};
use crate::events::Event;

type Service = State<Arc<Emulator>>;
type Answer = Result<Response, Refusal>;

pub(crate) fn routes(emulator: &Arc<Emulator>) -> Router<Arc<Emulator>> {
    Router::new()
        .route("/partner/callback", post(callback))
        .route("/partner/callback/redirect", post(callback_redirect))
        .route("/partner/payment", post(payment))
        .route("/partner/payment/refund/{payment}", post(refund))
        .route("/salon/{salon}/application/{application}", get(status))
        .route("/salon/{salon}/application/{application}/uninstall", post(uninstall))
        .route("/partner/short_names", post(short_names))
        .route("/application/{application}/salons", get(salons))
        .route("/application/{application}/tariffs", get(tariffs))
        .route("/application/payment_link", get(payment_link))
        .route("/application/add_discount", post(add_discount))
        .route("/application/update_channel", post(update_channel))
        .route_layer(middleware::from_fn_with_state(emulator.clone(), passage::partner))
        .fallback(passage::not_built)
}

#[derive(Deserialize)]
struct Callback {
    salon_id: Option<i64>,
    application_id: Option<i64>,
    #[serde(default)]
    webhook_urls: Vec<String>,
}

fn read<T: serde::de::DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Refusal> {
    let form = headers.get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let read = if form {
        serde_qs::Config::new().use_form_encoding(true).deserialize_bytes(body).map_err(|e| e.to_string())
    } else {
        serde_json::from_slice(body).map_err(|e| e.to_string())
    };
    read.map_err(|error| {
        tracing::warn!(error, "a body that the marketplace would not read");
        Refusal::new(StatusCode::BAD_REQUEST, "Недопустимый формат запроса")
    })
}

fn install(emulator: &Emulator, callback: Callback) -> Result<i64, Refusal> {
    let Some((salon, application)) = callback.salon_id.zip(callback.application_id) else {
        let field = if callback.salon_id.is_none() { "salon_id" } else { "application_id" };
        return Err(Refusal::field(field, "Поле обязательно для заполнения"));
    };
    if application != emulator.settings.application_id {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "Агрегатор не найден"));
    }
    emulator.with_mut(salon, |s| match s.install.at(emulator.now()) {
        Installation::Active | Installation::Freezed => {
            Err(Refusal::new(StatusCode::FORBIDDEN, "Пользователь уже установил это приложение."))
        }
        Installation::Uninstalled => Err(Refusal::new(StatusCode::FORBIDDEN, "Нет доступа к приложению")),
        Installation::Pending => {
            s.install.webhook_urls = callback.webhook_urls;
            s.install.change(Installation::Active, emulator.now(), "partner_api");
            Ok(())
        }
    })?;
    emulator.bus.publish(Event::Salon { salon });
    Ok(salon)
}

async fn callback(State(emulator): Service, headers: HeaderMap, body: Bytes) -> Answer {
    install(&emulator, read(&headers, &body)?)?;
    Ok(done(StatusCode::CREATED, json!({ "user_id": 1 }), json!([])))
}

/// The form a browser would post: the answer leads back to YClients, and means success.
async fn callback_redirect(State(emulator): Service, headers: HeaderMap, body: Bytes) -> Answer {
    let salon = install(&emulator, read(&headers, &body)?)?;
    let location = format!("https://yclients.com/appstore/{}/applications/{}", salon, emulator.settings.application_id);
    Ok((StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response())
}

fn not_installed() -> Refusal {
    Refusal::not_found("Приложение не установлено")
}

async fn status(State(emulator): Service, Path((salon, application)): Path<(i64, i64)>) -> Answer {
    let shown = emulator.with(salon, |s| match s.install.at(emulator.now()) {
        Installation::Uninstalled => Err(not_installed()),
        _ if application != emulator.settings.application_id => Err(not_installed()),
        _ => Ok(wire::install(&s.install, emulator.now())),
    });
    match shown {
        Ok(data) => Ok(done(StatusCode::OK, data, json!([]))),
        // The documented sample of this call carries no message.
        Err(_) => Ok((StatusCode::NOT_FOUND, Json(json!({ "success": false, "data": null, "meta": {} }))).into_response()),
    }
}

async fn uninstall(State(emulator): Service, Path((salon, application)): Path<(i64, i64)>) -> Answer {
    emulator.with_mut(salon, |s| {
        if s.install.at(emulator.now()) == Installation::Uninstalled || application != emulator.settings.application_id {
            return Err(not_installed());
        }
        s.install.change(Installation::Uninstalled, emulator.now(), "partner_api");
        s.install.webhook_urls.clear();
        Ok(())
    })?;
    emulator.bus.publish(Event::Salon { salon });
    Ok(done(StatusCode::OK, Value::Null, json!([])))
}

#[derive(Deserialize)]
struct PaymentBody {
    salon_id: i64,
    application_id: i64,
    payment_sum: f64,
    currency_iso: String,
    payment_date: String,
    period_from: String,
    period_to: String,
}

async fn payment(State(emulator): Service, headers: HeaderMap, body: Bytes) -> Answer {
    let paid: PaymentBody = read(&headers, &body)?;
    let number = |install: &Install| install.payments.len() as i64 + 1;
    let id = emulator.with_mut(paid.salon_id, |s| {
        if s.install.at(emulator.now()) == Installation::Uninstalled || paid.application_id != emulator.settings.application_id {
            return Err(not_installed());
        }
        // Unique over all salons, as refunds name nothing else.
        let id = paid.salon_id * 1000 + number(&s.install);
        s.install.payments.push(Payment {
            id,
            sum: paid.payment_sum,
            currency: paid.currency_iso,
            date: paid.payment_date,
            from: paid.period_from,
            to: paid.period_to,
            refunded: false,
        });
        if s.install.status == Installation::Freezed {
            s.install.change(Installation::Active, emulator.now(), "partner_api");
        }
        Ok(id)
    })?;
    emulator.bus.publish(Event::Salon { salon: paid.salon_id });
    Ok(done(StatusCode::OK, json!({ "id": id }), json!([])))
}

async fn refund(State(emulator): Service, Path(id): Path<i64>) -> Answer {
    let mut salons = emulator.salons.lock();
    let payment = salons.values_mut().flat_map(|s| &mut s.install.payments).find(|p| p.id == id);
    payment.ok_or_else(|| Refusal::not_found("Платёж не найден"))?.refunded = true;
    Ok(done(StatusCode::OK, Value::Null, json!([])))
}

async fn salons(State(emulator): Service, Path(application): Path<i64>, RawQuery(raw): RawQuery) -> Answer {
    if application != emulator.settings.application_id {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "Нет доступа к приложению"));
    }
    let pairs: Vec<_> = url::form_urlencoded::parse(raw.unwrap_or_default().as_bytes()).into_owned().collect();
    let asked = |name: &str| {
        let found = pairs.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.parse::<usize>().ok());
        found.filter(|n| (1..=1000).contains(n)).ok_or_else(|| Refusal::field(name, "Поле обязательно для заполнения"))
    };
    let (page, count) = (asked("page")?, asked("count")?);
    let now = emulator.now();
    let salons = emulator.salons.lock();
    let connected = salons.values().filter(|s| matches!(s.install.at(now), Installation::Active | Installation::Freezed));
    let listed: Vec<Value> = connected
        .skip((page - 1) * count)
        .take(count)
        .map(|s| {
            let mut company = wire::company(s, now);
            for name in ["id", "active", "coordinate_lat", "coordinate_lon"] {
                company[name] = json!(company[name].to_string());
            }
            company
        })
        .collect();
    Ok(done(StatusCode::OK, json!(listed), json!([])))
}

fn ours(emulator: &Emulator, application: i64) -> Result<(), Refusal> {
    let ours = application == emulator.settings.application_id;
    ours.then_some(()).ok_or_else(|| Refusal::new(StatusCode::FORBIDDEN, "Нет доступа к приложению"))
}

/// Changes the installation in a salon that has the application.
fn change_installed(emulator: &Emulator, salon: i64, change: impl FnOnce(&mut Install)) -> Result<(), Refusal> {
    emulator.with_mut(salon, |s| {
        if s.install.at(emulator.now()) == Installation::Uninstalled {
            return Err(not_installed());
        }
        change(&mut s.install);
        Ok(())
    })
}

#[derive(Deserialize)]
struct ShortNames {
    salon_id: i64,
    application_id: i64,
    short_names: Vec<String>,
}

async fn short_names(State(emulator): Service, headers: HeaderMap, body: Bytes) -> Answer {
    let given: ShortNames = read(&headers, &body)?;
    ours(&emulator, given.application_id)?;
    change_installed(&emulator, given.salon_id, |install| install.short_names = given.short_names)?;
    Ok(done(StatusCode::CREATED, Value::Null, json!([])))
}

async fn tariffs(State(emulator): Service, Path(application): Path<i64>) -> Answer {
    ours(&emulator, application)?;
    let option = |id: i64, title: &str, price: i64, months: i64, staff: i64| {
        json!({
            "id": id, "title": title, "overall_price": price, "duration_in_months": months, "staff_amount": staff,
            "free_period_in_months": 0, "currency_iso": "RUB",
        })
    };
    let tariffs = json!([
        { "id": 89, "title": "1 месяц", "options": [option(123, "Частный мастер", 500, 1, 1), option(124, "До 5 мастеров", 990, 1, 5)] },
        { "id": 90, "title": "12 месяцев", "options": [option(125, "Частный мастер", 5000, 12, 1)] },
    ]);
    Ok(done(StatusCode::OK, tariffs, json!([])))
}

#[derive(Deserialize)]
struct PaymentLink {
    salon_id: i64,
    application_id: i64,
    discount: Option<f64>,
}

async fn payment_link(State(emulator): Service, Query(asked): Query<PaymentLink>) -> Answer {
    ours(&emulator, asked.application_id)?;
    change_installed(&emulator, asked.salon_id, |_| {})?;
    let discount = asked.discount.map(|discount| format!("&discount={discount}")).unwrap_or_default();
    let bought = format!("salon_id={}&application_id={}{discount}", asked.salon_id, asked.application_id);
    let url = format!("https://yclients.com/appstore/payment/?{bought}&sign={}", emulator.sign(bought.as_bytes()));
    Ok(done(StatusCode::OK, json!({ "url": url }), json!([])))
}

#[derive(Deserialize)]
struct Discount {
    salon_ids: Vec<i64>,
    application_id: i64,
    discount: f64,
}

async fn add_discount(State(emulator): Service, headers: HeaderMap, body: Bytes) -> Answer {
    let given: Discount = read(&headers, &body)?;
    ours(&emulator, given.application_id)?;
    if !(0.0..=100.0).contains(&given.discount) {
        return Err(Refusal::field("discount", "Скидка должна быть от 0 до 100"));
    }
    for salon in given.salon_ids {
        change_installed(&emulator, salon, |install| install.discount = Some(given.discount))?;
    }
    Ok(done(StatusCode::OK, Value::Null, json!([])))
}

#[derive(Deserialize)]
struct ChannelChange {
    salon_id: i64,
    application_id: i64,
    channel_slug: String,
    is_available: bool,
}

async fn update_channel(State(emulator): Service, headers: HeaderMap, body: Bytes) -> Answer {
    let given: ChannelChange = read(&headers, &body)?;
    ours(&emulator, given.application_id)?;
    if !["sms", "whatsapp"].contains(&given.channel_slug.as_str()) {
        return Err(Refusal::field("channel_slug", "Неизвестный канал"));
    }
    change_installed(&emulator, given.salon_id, |install| {
        install.channels.insert(given.channel_slug, given.is_available);
    })?;
    Ok(done(StatusCode::OK, Value::Null, json!([])))
}
