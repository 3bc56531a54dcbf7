//! What the salon says of itself: services, prices, masters, place and hours.

use domain::{Hours, Service, ServiceId, StaffId};
use jiff::{ToSpan, civil::Date};
use language::speak;

use super::{LONG_LIST, Voice, sentence};
use crate::moment;

impl Voice<'_> {
    /// `Маникюр — 1 800–2 200 ₽`.
    pub(super) fn priced(&self, service: &Service) -> String {
        format!("{} — {}", service.title, self.price(service.price))
    }

    /// Prices of these services.
    pub(crate) fn prices(&self, ids: &[ServiceId]) -> String {
        let lines: Vec<String> = ids
            .iter()
            .filter_map(|id| self.salon.service(*id))
            .map(|service| format!("{}, {}", self.priced(service), speak::length(service.minutes, self.lang)))
            .collect();
        match lines.as_slice() {
            [only] => format!("{only}."),
            lines => {
                let lines = lines.iter().map(|line| format!("• {line}")).collect::<Vec<_>>().join("\n");
                format!("{}\n{lines}", self.say("Вот что у нас есть:", "This is what we have:"))
            }
        }
    }

    /// What all of these cost together; empty where it is no sum.
    pub(crate) fn sum(&self, ids: &[ServiceId]) -> String {
        if ids.len() < 2 {
            return String::new();
        }
        let (price, length) = (self.price(self.salon.price(ids)), speak::length(self.salon.minutes(ids, None), self.lang));
        self.say(format!("Всё вместе — {price}, {length}."), format!("All together: {price}, {length}."))
    }

    /// A work that was asked for is not done here.
    pub(crate) fn not_done_here(&self, work: &str) -> String {
        self.say(format!("К сожалению, такой услуги у нас нет: {work}."), format!("I am sorry, we do not do that here: {work}."))
    }

    /// The whole price list where it is short, else what each category starts from.
    pub(crate) fn price_list(&self) -> String {
        let head = self.say("Наши услуги:", "Our services:");
        let tail = self.say("Какая услуга вас интересует?", "Which one are you interested in?");
        if self.salon.services.len() <= LONG_LIST {
            let lines: Vec<String> = self.salon.services.iter().map(|service| format!("• {}", self.priced(service))).collect();
            return format!("{head}\n{}\n{tail}", lines.join("\n"));
        }
        let mut categories: Vec<(&str, Vec<&Service>)> = Vec::new();
        for service in &self.salon.services {
            match categories.iter_mut().find(|(title, _)| *title == service.category) {
                Some((_, services)) => services.push(service),
                None => categories.push((&service.category, vec![service])),
            }
        }
        let lines: Vec<String> = categories
            .iter()
            .take(LONG_LIST)
            .map(|(title, services)| {
                let names: Vec<&str> = services.iter().take(4).map(|service| service.title.as_str()).collect();
                let lowest = services.iter().map(|service| service.price.min).min().unwrap_or_default();
                let from = self.say("от", "from");
                format!("• {title} ({from} {lowest}\u{a0}{}): {}", self.salon.currency, names.join(", "))
            })
            .collect();
        format!("{head}\n{}\n{tail}", lines.join("\n"))
    }

    /// What the salon says of these services.
    pub(crate) fn about_services(&self, ids: &[ServiceId]) -> String {
        let lines: Vec<String> = ids
            .iter()
            .filter_map(|id| self.salon.service(*id))
            .map(|service| {
                let about = if service.description.is_empty() { String::new() } else { format!(" ({})", service.description) };
                format!("• {}, {}{about}", self.priced(service), speak::length(service.minutes, self.lang))
            })
            .collect();
        format!("{}\n{}", self.say("Вот что у нас есть:", "This is what we have:"), lines.join("\n"))
    }

    /// Who does these services, on that day where one is named; without services, everybody.
    pub(crate) fn masters(&self, services: &[ServiceId], staff: &[StaffId], day: Option<Date>) -> String {
        let lines: Vec<String> = staff
            .iter()
            .filter_map(|id| self.salon.staff(*id))
            .map(|staff| match staff.specialization.as_str() {
                "" => self.staff(staff.id),
                what => format!("{} — {what}", self.staff(staff.id)),
            })
            .collect();
        let head = match (services, day) {
            ([], None) => self.say("Наши мастера:", "Our masters:"),
            ([], Some(day)) => {
                let day = sentence(&self.day(day));
                self.say(format!("{day}, работают:"), format!("{day}:"))
            }
            (services, None) => format!("{}:", self.services(services)),
            (services, Some(day)) => format!("{}, {}:", self.services(services), self.day(day)),
        };
        match lines.as_slice() {
            [only] => format!("{head} {only}."),
            lines => format!("{head}\n{}", lines.iter().map(|line| format!("• {line}")).collect::<Vec<_>>().join("\n")),
        }
    }

    /// Where the salon is; empty where its card does not say it.
    pub(crate) fn place(&self) -> String {
        let place = [self.salon.city.as_str(), self.salon.address.as_str()];
        let place = place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        match place.as_str() {
            "" => String::new(),
            place => self.say(format!("Наш адрес: {place}."), format!("Our address: {place}.")),
        }
    }

    /// When the salon, or one of its masters, works on these days; in the coming week where none is named.
    /// Empty where no schedule is known for them.
    pub(crate) fn hours(&self, staff: Option<StaffId>, days: &[Date]) -> String {
        let Some(known) = self.salon.schedule.iter().map(|day| day.date).max() else { return String::new() };
        let who = staff.map_or_else(|| self.say("мы", "we"), |staff| self.staff(staff));
        let works = if staff.is_some() { self.say("работает", "works") } else { self.say("работаем", "are open") };
        let off =
            if staff.is_some() { self.say("не работает", "is off") } else { self.say("не работаем", "are closed") };
        if days.is_empty() {
            let week = self.week(staff);
            return match week.as_slice() {
                [] => sentence(&format!("{who} {off}.")),
                few if few.len() <= 3 => sentence(&format!("{who} {works} {}.", few.join(", "))),
                many => {
                    sentence(&format!("{who} {works}:\n{}", many.iter().map(|line| format!("• {line}")).collect::<Vec<_>>().join("\n")))
                }
            };
        }
        let line = |date: &Date| match self.hours_on(staff, *date) {
            Some(hours) => format!("{}, {who} {works} {}", self.day(*date), self.between(hours)),
            None => format!("{}, {who} {off}", self.day(*date)),
        };
        let lines: Vec<String> = days.iter().filter(|day| **day <= known).map(line).collect();
        if lines.is_empty() { String::new() } else { sentence(&format!("{}.", lines.join("; "))) }
    }

    /// `пн–пт с 10:00 до 20:00, сб с 11:00 до 18:00`, by the seven days from today on.
    fn week(&self, staff: Option<StaffId>) -> Vec<String> {
        let mut days: Vec<Date> = self.today.series(1.day()).take(7).collect();
        days.sort_by_key(|day| day.weekday().to_monday_one_offset());
        let mut spans: Vec<(Date, Date, Hours)> = Vec::new();
        for day in days {
            let Some(hours) = self.hours_on(staff, day) else { continue };
            match spans.last_mut() {
                Some((_, last, same)) if *same == hours && last.weekday().next() == day.weekday() => *last = day,
                _ => spans.push((day, day, hours)),
            }
        }
        let name = |day: Date| speak::short_weekday(day, self.lang);
        let days = |first: Date, last: Date| match (first.weekday().to_monday_one_offset(), last.weekday().to_monday_one_offset()) {
            (1, 7) => self.say("каждый день", "every day"),
            (from, to) if from == to => name(first).to_owned(),
            _ => format!("{}–{}", name(first), name(last)),
        };
        let mut lines: Vec<(String, Hours)> = Vec::new();
        for (first, last, hours) in spans {
            match lines.last_mut() {
                Some((named, same)) if *same == hours => *named = format!("{named}, {}", days(first, last)),
                _ => lines.push((days(first, last), hours)),
            }
        }
        lines.into_iter().map(|(days, hours)| format!("{days} {}", self.between(hours))).collect()
    }

    fn hours_on(&self, staff: Option<StaffId>, date: Date) -> Option<Hours> {
        match staff {
            None => self.salon.opening_hours(date),
            Some(staff) => moment::whole(self.salon.hours_of(staff, date)),
        }
    }

    /// `с 10:00 до 20:00`.
    pub(super) fn between(&self, hours: Hours) -> String {
        let (from, to) = (speak::time(hours.from), speak::time(hours.to));
        self.say(format!("с {from} до {to}"), format!("from {from} to {to}"))
    }

    /// The salon's number; empty where its card does not say it.
    pub(crate) fn phone(&self) -> String {
        let phone = self.salon.phone.as_ref().map(domain::Phone::pretty);
        phone.map_or_else(String::new, |phone| self.say(format!("Телефон: {phone}."), format!("Phone: {phone}.")))
    }

    /// How long these services take.
    pub(crate) fn lengths(&self, ids: &[ServiceId]) -> String {
        let line = |service: &Service| format!("{} — {}", service.title, speak::length(service.minutes, self.lang));
        let lines: Vec<String> = ids.iter().filter_map(|id| self.salon.service(*id)).map(line).collect();
        if lines.is_empty() { String::new() } else { format!("{}.", lines.join("; ")) }
    }

    /// What is asked is not in the salon's card; `aside`: another question stays open.
    pub(crate) fn a_person_knows(&self, aside: bool) -> String {
        if aside {
            return self.say("Об этом точно скажет администратор.", "The administrator can tell you that for certain.");
        }
        self.say("Об этом точно скажет администратор. Позвать его?", "The administrator can tell you that for certain. Shall I call them?")
    }

    /// After everything that the card says.
    pub(crate) fn a_person_knows_else(&self) -> String {
        self.say("Если вопрос о другом, могу позвать администратора.", "If you want to know something else, I can call the administrator.")
    }
}
