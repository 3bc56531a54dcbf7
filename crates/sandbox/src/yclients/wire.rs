//! JSON as the wire carries it, with the quirks of PHP: `[]` for an empty object, two spellings of an offset.

use jiff::{
    Timestamp, Zoned,
    civil::{Date, DateTime, Time},
};
use serde_json::{Value, json};

use super::{
    file::{ServiceRow, StaffRow},
    salon::{Client, Install, Installation, Record, Salon},
};

/// `2015-09-29T12:00:00+04:00`, the spelling of visits.
pub(crate) fn with_colon(salon: &Salon, at: DateTime) -> String {
    zoned(salon, at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `2019-01-16T20:35:11+0900`, the spelling of machine times.
pub(crate) fn without_colon(salon: &Salon, at: Timestamp) -> String {
    at.to_zoned(salon.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%z").to_string()
}

fn zoned(salon: &Salon, at: DateTime) -> Zoned {
    // Fails only at the ends of the calendar, which no booking reaches.
    at.to_zoned(salon.zone.clone()).unwrap_or_else(|_| Timestamp::UNIX_EPOCH.to_zoned(salon.zone.clone()))
}

fn plain(at: DateTime) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(crate) fn hours_minutes(seconds: i64) -> String {
    format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

pub(crate) fn company(salon: &Salon, now: Timestamp) -> Value {
    let file = &salon.file;
    let offset = now.to_zoned(salon.zone.clone()).offset().seconds() / 3600;
    json!({
        "id": file.id, "title": file.title, "public_title": file.title, "short_descr": "", "logo": "", "country_id": 1,
        "country": "Россия", "country_iso": "RU", "city_id": 2, "city": file.city, "active": 1, "phone": format!("+{}", file.phone),
        "phones": [format!("+{}", file.phone)], "email": "", "timezone": offset, "timezone_name": file.timezone_name,
        "schedule": "", "address": file.address, "coordinate_lat": 55.75, "coordinate_lon": 37.61, "zip": "", "site": "",
        "business_type_id": 1, "business_group_id": 1, "currency_short_title": file.currency, "phone_confirmation": false,
        "active_staff_count": file.staff.len(), "next_slot": null, "allow_change_record": true, "allow_change_record_delay_step": 0,
        "allow_delete_record": true, "allow_delete_record_delay_step": 0, "bookforms": [], "main_group_id": file.id,
        "access": { "api": true }, "social": []
    })
}

/// Categories in the order of their first service; their ids are not in the file.
pub(crate) fn categories(salon: &Salon) -> Vec<(i64, &str)> {
    let mut titles: Vec<&str> = Vec::new();
    for service in &salon.file.services {
        if !titles.contains(&service.category.as_str()) {
            titles.push(&service.category);
        }
    }
    titles.into_iter().enumerate().map(|(n, title)| (1001 + n as i64, title)).collect()
}

fn category_id(salon: &Salon, service: &ServiceRow) -> i64 {
    categories(salon).iter().find(|(_, title)| *title == service.category).map_or(0, |(id, _)| *id)
}

pub(crate) fn category(id: i64, title: &str) -> Value {
    json!({ "id": id, "title": title, "sex": 0, "api_id": "", "weight": 0, "image": "", "api_service_id": 0, "is_chain": false })
}

fn composite(salon: &Salon, service: &ServiceRow, json: &mut Value) {
    json["is_composite"] = json!(!service.composite_of.is_empty());
    if !service.composite_of.is_empty() {
        let links: Vec<Value> = (0..)
            .zip(&service.composite_of)
            .map(|(position, &id)| {
                let title = salon.service(id).map_or("", |part| part.title.as_str());
                json!({ "service_id": id, "position": position, "title": title })
            })
            .collect();
        json["composite_details"] = json!({ "type": "sequential", "links": links });
    }
}

/// A service of `book_services`; its length is told only where a member of the staff is named.
pub(crate) fn bookable_service(salon: &Salon, service: &ServiceRow, staff: Option<i64>) -> Value {
    let mut json = json!({
        "id": service.id, "title": service.title, "category_id": category_id(salon, service), "price_min": service.price_min,
        "price_max": service.price_max, "discount": 0, "comment": service.description, "weight": 0, "active": 1, "sex": 0,
        "image": "", "prepaid": "forbidden", "abonement_restriction": 0
    });
    if let Some(staff) = staff {
        json["seance_length"] = json!(salon.seconds(service.id, staff));
    }
    composite(salon, service, &mut json);
    json
}

/// A service of `company/{id}/services`.
pub(crate) fn service(salon: &Salon, service: &ServiceRow) -> Value {
    let staff: Vec<Value> = service
        .staff
        .iter()
        .filter_map(|&id| salon.member(id))
        .map(|s| json!({ "id": s.id, "seance_length": salon.seconds(service.id, s.id), "price": null, "name": s.name, "image_url": "" }))
        .collect();
    let mut json = json!({
        "id": service.id, "title": service.title, "booking_title": service.title, "category_id": category_id(salon, service),
        "price_min": service.price_min, "price_max": service.price_max, "discount": 0, "comment": service.description, "weight": 0,
        "active": 1, "api_id": "", "prepaid": "forbidden", "duration": service.minutes * 60, "is_online": true, "is_multi": false,
        "is_chain": false, "price_prepaid_amount": 0, "price_prepaid_percent": 100, "technical_break_duration": 0, "capacity": 0,
        "seance_search_start": 0, "seance_search_step": salon.step(), "seance_search_finish": 86400, "schedule_template_type": 2,
        "date_from": "0000-00-00", "date_to": "0000-00-00", "dates": [], "staff": staff, "resources": [], "image_group": []
    });
    composite(salon, service, &mut json);
    json
}

/// A member of the staff of `book_staff`.
pub(crate) fn bookable_member(member: &StaffRow, seances: Option<(Date, Vec<Value>)>) -> Value {
    let (date, seances) = seances.map_or((Value::Null, Vec::new()), |(date, seances)| (json!(date.to_string()), seances));
    json!({
        "id": member.id, "api_id": null, "name": member.name, "specialization": member.specialization, "position": [],
        "information": "", "weight": 0, "show_rating": 1, "rating": member.rating, "votes_count": 0, "comments_count": 0,
        "avatar": "", "avatar_big": "", "bookable": true, "image_group": [], "prepaid": "forbidden", "seance_date": date,
        "seances": seances
    })
}

/// A member of the staff of `company/{id}/staff`.
pub(crate) fn member(member: &StaffRow) -> Value {
    json!({
        "id": member.id, "api_id": null, "name": member.name, "specialization": member.specialization, "position": [],
        "information": "", "fired": 0, "dismissal_date": null, "dismissal_reason": null, "hidden": 0, "status": 0, "bookable": true,
        "schedule_till": null, "show_rating": 1, "rating": member.rating, "votes_count": 0, "comments_count": 0, "avatar": "",
        "avatar_big": "", "weight": 0, "user": [], "user_id": 0
    })
}

/// A start of `book_times`.
pub(crate) fn seance(salon: &Salon, date: Date, start: i64, length: i64) -> Value {
    let at = date.to_datetime(Time::midnight()).saturating_add(jiff::Span::new().seconds(start));
    json!({ "time": format!("{}:{:02}", start / 3600, start / 60 % 60), "seance_length": length, "sum_length": length,
            "datetime": with_colon(salon, at) })
}

pub(crate) fn record(salon: &Salon, record: &Record) -> Value {
    let services: Vec<Value> = record
        .lines
        .iter()
        .map(|line| {
            let title = salon.service(line.service).map_or("", |s| s.title.as_str());
            json!({ "id": line.service, "title": title, "cost": line.cost, "cost_to_pay": line.cost, "manual_cost": line.cost,
                    "cost_per_unit": line.cost, "discount": line.discount, "first_cost": line.first_cost, "amount": line.amount })
        })
        .collect();
    let staff = salon.member(record.staff).map_or(json!([]), |s| {
        json!({ "id": s.id, "api_id": null, "name": s.name, "specialization": s.specialization, "position": [], "avatar": "",
                "avatar_big": "", "rating": s.rating, "votes_count": 0 })
    });
    let client = record.client.and_then(|id| salon.clients.get(&id)).map_or(json!([]), |c| {
        json!({ "id": c.id, "name": c.name, "surname": "", "patronymic": "", "display_name": c.name, "comment": "",
                "phone": format!("+{}", c.phone), "card": "", "email": c.email, "success_visits_count": salon.visits(c),
                "fail_visits_count": 0, "discount": 0, "is_new": salon.visits(c) == 0, "custom_fields": [], "client_tags": [] })
    });
    let visit = 8_000_000 + record.id;
    let bot = record.by == super::salon::By::Bot;
    let online = bot || record.by == super::salon::By::Widget;
    let mut json = json!({
        "id": record.id, "company_id": salon.file.id, "staff_id": record.staff, "services": services, "staff": staff,
        "client": client, "date": plain(record.start), "datetime": with_colon(salon, record.start),
        "create_date": without_colon(salon, record.created), "comment": record.comment, "online": online,
        "visit_attendance": record.attendance, "attendance": record.attendance, "seance_length": record.seconds,
        "length": record.seconds, "sms_before": record.notify_by_sms, "api_id": record.api_id, "visit_id": visit,
        "created_user_id": if bot { 1 } else { 2 }, "deleted": record.deleted,
        "last_change_date": without_colon(salon, record.changed), "custom_color": record.custom_color,
        "sms_remain_hours": record.notify_by_sms, "email_remain_hours": record.notify_by_email
    });
    if let (Some(json), Value::Object(constant)) = (json.as_object_mut(), unemulated()) {
        json.extend(constant);
    }
    json
}

/// The fields of a booking that nothing here changes.
fn unemulated() -> Value {
    json!({
        "goods_transactions": [], "comer": null, "clients_count": 1, "confirmed": 1, "technical_break_duration": 0, "sms_now": 0,
        "sms_now_text": "", "email_now": 0, "notified": 0, "master_request": 0, "from_url": "", "review_requested": 0,
        "paid_full": 0, "payment_status": 0, "prepaid": false, "prepaid_confirmed": false, "custom_font_color": "",
        "record_labels": [], "activity_id": 0, "custom_fields": [], "documents": [], "bookform_id": 0, "record_from": "",
        "is_mobile": 0, "is_update_blocked": false, "short_link": "", "resource_instance_ids": [], "consumables": [],
        "finance_transactions": []
    })
}

/// A client with every field there is; a search returns those it was asked for.
pub(crate) fn client(salon: &Salon, client: &Client, now: DateTime) -> Value {
    let mine = || salon.records.values().filter(|r| r.client == Some(client.id) && !r.deleted && r.start <= now).map(|r| r.start);
    let day = |at: Option<DateTime>| at.map_or(String::new(), plain);
    json!({
        "id": client.id, "name": client.name, "surname": "", "patronymic": "", "display_name": client.name,
        "phone": format!("+{}", client.phone), "email": client.email, "card": "", "comment": "", "discount": 0, "sex_id": 0,
        "importance_id": 0, "birth_date": "", "sold_amount": 0, "spent": 0, "balance": 0, "visits_count": salon.visits(client),
        "visits": salon.visits(client), "first_visit_date": day(mine().min()), "last_visit_date": day(mine().max()),
        "last_change_date": "", "categories": [], "custom_fields": []
    })
}

pub(crate) fn install(install: &Install, now: Timestamp) -> Value {
    let moment = |at: Timestamp| plain(at.to_zoned(jiff::tz::TimeZone::UTC).datetime());
    let logs: Vec<Value> = install
        .log
        .iter()
        .map(|c| json!({ "changed_at": moment(c.at), "status_from": c.from, "status_to": c.to, "source": c.source }))
        .collect();
    let payments: Vec<Value> = install
        .payments
        .iter()
        .map(|p| {
            json!({ "id": p.id, "payment_sum": p.sum, "currency_iso": p.currency, "payment_date": p.date, "is_refunded": p.refunded,
                    "period_from": p.from, "period_to": p.to })
        })
        .collect();
    let status: Installation = install.at(now);
    json!({ "logs": logs, "payments": payments,
            "connection_status": { "status": status, "created_at": install.since.map(moment) } })
}
