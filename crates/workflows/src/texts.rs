//! What the product itself says in Russian outside of a dialogue: notices to the salon, cards to customers.

use dialogue::Customer;
use domain::{Booking, Salon};
use language::speak;

/// To the salon's own chat: a conversation was handed over.
pub(crate) fn handed_over(customer: &Customer, summary: &str, silent: bool) -> String {
    let who = match (&customer.push_name, &customer.phone) {
        (Some(name), Some(phone)) => format!("{name}, {}", phone.pretty()),
        (None, Some(phone)) => phone.pretty(),
        (Some(name), None) => name.clone(),
        (None, None) => "Клиент без номера".to_owned(),
    };
    if silent {
        format!("🙋 Нужен ваш ответ: {who}\n{summary}\nВ этом чате я молчу до завтра.")
    } else {
        format!("ℹ️ {who}\n{summary}")
    }
}

/// The card about a booking that somebody in the salon, or the online widget, made.
pub(crate) fn booked_card(salon: &Salon, booking: &Booking) -> String {
    format!("✅ Ваша запись подтверждена!\n\n{}\n\nЖдём вас!", particulars(salon, booking))
}

/// The card about a booking that somebody else moved or changed.
pub(crate) fn moved_card(salon: &Salon, booking: &Booking) -> String {
    format!("🔄 Ваша запись изменена.\n\n{}\n\nЖдём вас!", particulars(salon, booking))
}

/// The card about a booking that somebody else cancelled.
pub(crate) fn cancelled_card(salon: &Salon, booking: &Booking) -> String {
    format!("❌ Ваша запись отменена.\n\n{}\n\nНапишите, и я подберу другое время.", particulars(salon, booking))
}

fn particulars(salon: &Salon, booking: &Booking) -> String {
    let services: Vec<&str> = booking.services.iter().filter_map(|id| salon.service(*id)).map(|s| s.title.as_str()).collect();
    let mut lines = vec![format!("📅 {}", speak::moment_ru(booking.start))];
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
