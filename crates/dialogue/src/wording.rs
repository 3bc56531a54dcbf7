//! Every sentence the receptionist says, in both languages.
//!
//! The words of a claim («записала», «перенесла», «отменила») stand in [`Voice::receipts`] and
//! nowhere else; the rest is told by subject in the files beside.

mod salon;
mod talk;
mod visits;

use domain::{Booking, Money, PriceRange, Receipt, Salon, Service, ServiceId, StaffId};
use jiff::civil::{Date, DateTime};
use language::{
    Lang,
    speak::{self, Case},
};

use crate::plan::{Seat, Visit};

/// Lines of a list that a phone still shows at a glance.
pub(crate) const LONG_LIST: usize = 12;

/// The receptionist's voice in one salon, on one day, in one language.
#[derive(Clone, Copy)]
pub(crate) struct Voice<'a> {
    /// Whose prices, names and address are told.
    pub(crate) salon: &'a Salon,
    /// The customer's language.
    pub(crate) lang: Lang,
    /// The salon's date, for «завтра».
    pub(crate) today: Date,
    /// Which of several ways to say the same is taken; any number.
    pub(crate) variant: u32,
    /// Somebody else will come than the one who writes.
    pub(crate) guest: bool,
}

impl Voice<'_> {
    fn say(&self, ru: impl Into<String>, en: impl Into<String>) -> String {
        match self.lang {
            Lang::Ru => ru.into(),
            Lang::En => en.into(),
        }
    }

    /// One of the ways to say the same.
    fn vary(&self, ru: &[&str], en: &[&str]) -> String {
        let ways = match self.lang {
            Lang::Ru => ru,
            Lang::En => en,
        };
        let ways = ways.iter().cycle().skip(usize::try_from(self.variant).unwrap_or(0) % ways.len().max(1));
        ways.take(1).copied().collect()
    }

    // ---- what was done: from receipts only ----

    /// What was done, one sentence or one list for all of it; empty for no receipts.
    pub(crate) fn receipts(&self, receipts: &[Receipt]) -> String {
        match receipts {
            [] => String::new(),
            [Receipt::Booked(booking)] => {
                let booking = booking.get();
                let (what, who) = (self.quoted(&booking.services), self.dative_master(booking.staff_id));
                let (when, cost, bye) = (self.moment(booking.start), self.cost_sentence(booking), self.see_you());
                let you = if self.guest { "" } else { " вас" };
                let yes = self.vary(&["Записала", "Готово, записала"], &[""]);
                self.say(
                    format!("{yes}{you} на {what} {who}: {when}.{cost} {bye}"),
                    format!("You are booked for {what} {who}: {when}.{cost} {bye}"),
                )
            }
            [Receipt::Moved { from, to }] if from.get().start == to.get().start && from.get().staff_id == to.get().staff_id => {
                let to = to.get();
                self.say(
                    format!("Изменила вашу запись: {}.{} Ждём вас! 😊", self.booking(to), self.cost_sentence(to)),
                    format!("I have changed your visit: {}.{} See you! 😊", self.booking(to), self.cost_sentence(to)),
                )
            }
            [Receipt::Moved { to, .. }] => {
                let to = to.get();
                self.say(
                    format!("Перенесла вашу запись: {}.{} Ждём вас! 😊", self.booking(to), self.cost_sentence(to)),
                    format!("I have moved your visit: {}.{} See you! 😊", self.booking(to), self.cost_sentence(to)),
                )
            }
            [Receipt::Cancelled(booking)] => self.say(
                format!("Отменила вашу запись: {}. Будем рады видеть вас в другой день!", self.booking(booking.get())),
                format!("I have cancelled your visit: {}. Hope to see you another day!", self.booking(booking.get())),
            ),
            [Receipt::Cancelled(_), _, ..] => {
                let lines: Vec<String> = receipts.iter().map(|receipt| format!("• {}", self.booking(receipt.booking()))).collect();
                let head = self.say("Отменила ваши записи:", "I have cancelled your visits:");
                let tail = self.say("Будем рады видеть вас в другой день!", "Hope to see you another day!");
                format!("{head}\n{}\n{tail}", lines.join("\n"))
            }
            [Receipt::Booked(_), ..] => {
                let lines: Vec<String> = receipts
                    .iter()
                    .map(|receipt| format!("• {}{}", self.booking(receipt.booking()), self.cost_tail(receipt.booking())))
                    .collect();
                let head = self.say(if self.guest { "Записала:" } else { "Записала вас:" }, "You are booked:");
                format!("{head}\n{}\n{}", lines.join("\n"), self.see_you())
            }
            _ => receipts.iter().map(|receipt| self.receipts(std::slice::from_ref(receipt))).collect::<Vec<_>>().join("\n"),
        }
    }

    /// A booking stands again where it stood before it was moved.
    pub(crate) fn moved_back(&self, receipt: &Receipt) -> String {
        let booking = self.booking(receipt.booking());
        self.say(
            format!("Вернула вашу запись: {booking}. Ждём вас! 😊"),
            format!("Your visit is back where it was: {booking}. See you! 😊"),
        )
    }

    // ---- things by their names ----

    /// `завтра, 24 ноября, в 15:00`.
    pub(crate) fn moment(&self, at: DateTime) -> String {
        speak::moment(at, self.today, self.lang)
    }

    /// `сегодня, 23 ноября`, `завтра, 24 ноября`, `в пятницу, 27 ноября`.
    fn day(&self, date: Date) -> String {
        speak::on_day(date, self.today, self.lang)
    }

    /// The titles; the parts of a composite under its own name.
    pub(crate) fn services(&self, ids: &[ServiceId]) -> String {
        if let Some(whole) = self.composite(ids) {
            return whole.title.clone();
        }
        let titles: Vec<&str> = ids.iter().filter_map(|id| self.salon.service(*id)).map(|service| service.title.as_str()).collect();
        if titles.is_empty() { self.say("визит", "visit") } else { titles.join(" + ") }
    }

    /// The titles inside a sentence: `маникюр и мужскую стрижку`.
    fn services_in(&self, ids: &[ServiceId], case: Case) -> String {
        if self.lang == Lang::En {
            return self.services(ids);
        }
        if let Some(whole) = self.composite(ids) {
            return speak::service(&whole.title, case);
        }
        let titles: Vec<String> =
            ids.iter().filter_map(|id| self.salon.service(*id)).map(|service| speak::service(&service.title, case)).collect();
        match titles.split_last() {
            None => self.services(ids),
            Some((only, [])) => only.clone(),
            Some((last, rest)) => format!("{} и {last}", rest.join(", ")),
        }
    }

    /// The titles after «на»: declined, or between quotation marks where they would break a sentence.
    fn quoted(&self, ids: &[ServiceId]) -> String {
        let what = self.services_in(ids, Case::Accusative);
        // What has no forms is told by its title.
        let stiff = self.composite(ids).is_none()
            && ids.iter().filter_map(|id| self.salon.service(*id)).any(|service| !speak::declines(&service.title));
        if self.lang == Lang::Ru && (stiff || what.contains([':', '+', ','])) {
            return format!("«{}»", self.services(ids).replace('«', "„").replace('»', "“"));
        }
        what
    }

    fn composite(&self, ids: &[ServiceId]) -> Option<&Service> {
        let sorted = |ids: &[ServiceId]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids
        };
        let wanted = sorted(ids);
        self.salon.services.iter().find(|service| ids.len() > 1 && sorted(&service.composite_of) == wanted)
    }

    /// `Анна`, in the letters of the customer's language.
    fn staff(&self, id: StaffId) -> String {
        let name = self.salon.staff(id).map_or("", |staff| staff.name.as_str());
        self.say(name, speak::latin(name))
    }

    /// `мастер Анна`.
    fn master(&self, id: StaffId) -> String {
        let name = self.staff(id);
        let same = |staff: &&domain::Staff| self.staff(staff.id) == name;
        let shared = self.salon.staff.iter().filter(same).count() > 1;
        let what = self.salon.staff(id).map_or("", |staff| staff.specialization.as_str());
        let what = if shared && !what.is_empty() { format!(" ({what})") } else { String::new() };
        self.say(format!("мастер {name}{what}"), format!("with {name}{what}"))
    }

    /// `к Анне`.
    fn dative_master(&self, id: StaffId) -> String {
        let name = self.staff(id);
        self.say(speak::to(&name), format!("with {name}"))
    }

    /// `у Анны`.
    fn at_master(&self, id: StaffId) -> String {
        let name = self.staff(id);
        self.say(speak::at(&name), format!("with {name}"))
    }

    /// A booking as the booking system holds it.
    fn booking(&self, booking: &Booking) -> String {
        format!("{}, {}, {}", self.services(&booking.services), self.moment(booking.start), self.master(booking.staff_id))
    }

    fn seat(&self, seat: &Seat) -> String {
        format!("{} — {}, {}", self.moment(seat.start), self.services(&seat.services), self.master(seat.staff))
    }

    /// `1 800–2 200 ₽`, `бесплатно`.
    fn price(&self, price: PriceRange) -> String {
        let currency = &self.salon.currency;
        match (price.min, price.max) {
            (Money(0), Money(0)) => self.say("бесплатно", "free of charge"),
            (min, max) if min == max => format!("{min}\u{a0}{currency}"),
            (min, max) => format!("{min}–{max}\u{a0}{currency}"),
        }
    }

    /// What a visit costs: the price list's range while what was read back lies in it, else what was read back;
    /// empty where nobody can tell.
    fn cost(&self, booking: &Booking) -> String {
        let listed = self.composite(&booking.services).map_or_else(|| self.salon.price(&booking.services), |service| service.price);
        match booking.cost {
            Some(cost) if cost.0 > 0 && !(listed.min <= cost && cost <= listed.max) => self.price(PriceRange::new(cost, cost)),
            _ if booking.services.iter().all(|id| self.salon.service(*id).is_some()) => self.price(listed),
            _ => String::new(),
        }
    }

    fn cost_sentence(&self, booking: &Booking) -> String {
        match self.cost(booking) {
            cost if cost.is_empty() => cost,
            cost if cost.starts_with(char::is_alphabetic) => format!(" {}.", sentence(&cost)),
            cost => self.say(format!(" Стоимость {cost}."), format!(" The price is {cost}.")),
        }
    }

    /// What a visit that is proposed costs by the price list: `, 1 800 ₽`.
    fn visit_cost(&self, visit: &Visit) -> String {
        let listed = |seat: &Seat| self.composite(&seat.services).map_or_else(|| self.salon.price(&seat.services), |service| service.price);
        format!(", {}", self.price(visit.seats.iter().map(listed).fold(PriceRange::default(), PriceRange::plus)))
    }

    fn cost_tail(&self, booking: &Booking) -> String {
        match self.cost(booking) {
            cost if cost.is_empty() => cost,
            cost => format!(" — {cost}"),
        }
    }

    /// `Ждём вас по адресу ул. Лесная, 5! 😊`
    fn see_you(&self) -> String {
        let you = if self.guest { "" } else { " вас" };
        match self.salon.address.as_str() {
            "" => self.say(format!("Ждём{you}! 😊"), "See you! 😊"),
            address => self.say(format!("Ждём{you} по адресу {address}! 😊"), format!("See you at {address}! 😊")),
        }
    }

    /// `20 февраля`.
    fn date(&self, date: Date) -> String {
        speak::date(date, self.today, self.lang)
    }
}

fn numbered(lines: &[String]) -> String {
    lines.iter().enumerate().map(|(index, line)| format!("{}) {line}", index + 1)).collect::<Vec<_>>().join("\n")
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
