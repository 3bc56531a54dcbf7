//! What the product itself says in Russian outside of a dialogue: notices to the salon, cards to customers.

use dialogue::{Customer, Effect};
use domain::{Booking, Salon, SalonId};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use language::{Lang, speak};
use store::messages::{Kind, Message};

use crate::missed::Missed;

/// To a customer: a move or a cancellation whose outcome was unknown turned out not to have happened.
pub(crate) const UNCHANGED: &str = "Проверила: изменить запись не получилось, она осталась как была. Попробовать ещё раз?";

fn who(customer: &Customer) -> String {
    match (&customer.push_name, &customer.phone) {
        (Some(name), Some(phone)) => format!("{name}, {}", phone.pretty()),
        (None, Some(phone)) => phone.pretty(),
        (Some(name), None) => name.clone(),
        (None, None) => "Клиент без номера".to_owned(),
    }
}

/// To a customer: what was to be moved or cancelled is not there any more.
pub(crate) const GONE: &str = "Проверила: этой записи уже нет в расписании.";

/// To the salon's own chat: nobody knows whether that write was done.
pub(crate) fn never_settled(customer: &Customer, effect: &Effect, salon: &Salon) -> String {
    let moment = |start: DateTime| speak::moment(start, start.date(), Lang::Ru);
    let at_master = |id| salon.staff(id).map(|staff| format!(", мастер {}", staff.name)).unwrap_or_default();
    let what = match effect {
        Effect::Book { staff, start, .. } => format!("новая запись {}{}", moment(*start), at_master(*staff)),
        Effect::Move { staff, start, .. } => format!("перенос записи на {}{}", moment(*start), at_master(*staff)),
        _ => "отмена записи".to_owned(),
    };
    let who = who(customer);
    format!(
        "🙋 Нужен ваш ответ: {who}\nYClients не ответил, и я не знаю, получилось ли: {what}. Проверьте, пожалуйста, и напишите клиенту.\nВ этом чате я молчу до завтра."
    )
}

/// To the salon's own chat: a conversation was handed over.
pub(crate) fn handed_over(customer: &Customer, summary: &str, silent: bool) -> String {
    let who = who(customer);
    if silent {
        format!("🙋 Нужен ваш ответ: {who}\n{summary}\nВ этом чате я молчу до завтра.")
    } else {
        format!("ℹ️ {who}\n{summary}")
    }
}

/// So many chats are named in a list, and so much of what was written in each.
const MOST_CHATS: usize = 20;
const EXCERPT: usize = 100;

/// To the salon's own chat: what came too late to be answered.
pub(crate) fn missed(chats: &[Missed], zone: &TimeZone) -> String {
    let lines = chats.iter().take(MOST_CHATS).filter_map(|chat| {
        let last = chat.messages.last()?;
        let at = last.sent_at.to_zoned(zone.clone()).strftime("%d.%m в %H:%M");
        let before = chat.messages.len() - 1;
        let more = if before > 0 { format!(" и ещё {before}") } else { String::new() };
        Some(format!("• {}, {at}: {}{more}", who(&chat.customer), excerpt(last)))
    });
    let mut list: Vec<String> = lines.collect();
    if chats.len() > MOST_CHATS {
        list.push(format!("• и ещё чатов: {}", chats.len() - MOST_CHATS));
    }
    format!(
        "📬 Пока этот WhatsApp был не на связи, вам писали:\n{}\nПрошло больше часа, поэтому я не отвечал. Ответьте, пожалуйста, сами.",
        list.join("\n")
    )
}

/// To the salon's own chat: WhatsApp took no message of ours to a customer.
pub(crate) fn not_delivered(customer: &Customer, text: &str) -> String {
    format!(
        "⚠️ WhatsApp не доставил моё сообщение: {}, {}\nНапишите клиенту, пожалуйста, сами.",
        who(customer),
        quoted(text).unwrap_or_default()
    )
}

/// The beginning of a text, on one line.
fn quoted(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = if text.chars().count() > EXCERPT { "…" } else { "" };
    (!text.is_empty()).then(|| format!("«{}{cut}»", text.chars().take(EXCERPT).collect::<String>()))
}

fn excerpt(message: &Message) -> String {
    if let Some(text) = quoted(&message.text) {
        return text;
    }
    match message.kind {
        Kind::Voice => "голосовое сообщение",
        Kind::Image => "фото",
        Kind::Video => "видео",
        Kind::Document => "файл",
        Kind::Sticker => "стикер",
        Kind::Location => "место на карте",
        Kind::Contact => "контакт",
        Kind::Text | Kind::Reaction | Kind::Other => "сообщение",
    }
    .to_owned()
}

/// The card about a booking that somebody in the salon, or the online widget, made.
pub(crate) fn booked_card(salon: &Salon, booking: &Booking, today: Date) -> String {
    format!("✅ Ваша запись подтверждена!\n\n{}\n\nЖдём вас!", particulars(salon, booking, today))
}

/// The card about a booking that somebody else moved or changed.
pub(crate) fn moved_card(salon: &Salon, booking: &Booking, today: Date) -> String {
    format!("🔄 Ваша запись изменена.\n\n{}\n\nЖдём вас!", particulars(salon, booking, today))
}

/// The card about a booking that somebody else cancelled.
pub(crate) fn cancelled_card(salon: &Salon, booking: &Booking, today: Date) -> String {
    format!("❌ Ваша запись отменена.\n\n{}\n\nНапишите, и я подберу другое время.", particulars(salon, booking, today))
}

fn particulars(salon: &Salon, booking: &Booking, today: Date) -> String {
    let services: Vec<&str> = booking.services.iter().filter_map(|id| salon.service(*id)).map(|s| s.title.as_str()).collect();
    let mut lines = vec![format!("📅 {}, {}", speak::day(booking.start.date(), today, Lang::Ru), speak::time(booking.start.time()))];
    if !services.is_empty() {
        lines.push(format!("💇 {}", services.join(", ")));
    }
    if let Some(staff) = salon.staff(booking.staff_id) {
        lines.push(format!("👤 {}", staff.name));
    }
    let price = salon.price(&booking.services);
    if price.min.0 > 0 {
        let from = if price.min == price.max { "" } else { "от " };
        lines.push(format!("💰 {from}{} {}", price.min, salon.currency));
    }
    let address = [salon.city.as_str(), salon.address.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    if !address.is_empty() {
        lines.push(format!("📍 {address}"));
    }
    lines.join("\n")
}

/// To the salon's own chat: the assistant is on.
pub(crate) const WELCOME: &str = "Готово, я на смене! 👋\n\n\
    Отвечаю клиентам в этом WhatsApp в любое время: подскажу цены и свободное время, запишу, перенесу или отменю запись в YClients.\n\n\
    Чтобы я замолчал в каком-то чате, просто напишите туда сами – дальше отвечаете вы. \
    Отключить меня совсем можно в YClients: «Интеграции» → «AI Admin».";

/// To the operator: a salon took the application out.
pub(crate) fn uninstalled(title: &str, salon: SalonId) -> String {
    format!("Салон «{title}» (филиал {salon}) отключил AI Admin. Это последнее сообщение с его номера: связь с WhatsApp снята.")
}

/// To the owner on the linking page: the number serves another salon.
pub(crate) const NUMBER_TAKEN: &str = "Этот номер WhatsApp уже подключён к другому филиалу. Одному филиалу – один номер.";

/// To the owner: the marketplace says «installed» and does not show it.
pub(crate) const NOT_CONFIRMED: &str = "приложение отмечено как установленное, но не активно.";

/// To the owner: the marketplace did not answer.
pub(crate) const MARKETPLACE_SILENT: &str = "ответ не пришёл. Попробуйте ещё раз через минуту.";

/// To the owner: why the marketplace refused.
pub(crate) fn refused(error: &yclients::Error) -> String {
    match error {
        yclients::Error::Refused { message, .. } | yclients::Error::Forbidden { message } | yclients::Error::NotFound { message } => {
            let message = message.trim();
            if message.is_empty() { "причина не указана.".to_owned() } else { format!("«{message}»") }
        }
        yclients::Error::LicenceExpired => "закончилась лицензия YClients.".to_owned(),
        yclients::Error::RateLimited => "слишком много запросов. Попробуйте через минуту.".to_owned(),
        _ => "ответил ошибкой. Попробуйте ещё раз через минуту.".to_owned(),
    }
}
