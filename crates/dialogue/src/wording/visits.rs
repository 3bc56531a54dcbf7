//! Asking what is wanted, offering free times, and the customer's own bookings.

use domain::{Booking, Hours, ServiceId, StaffId};
use language::speak::{self, Case};

use super::{Voice, numbered, sentence};
use crate::{
    moment::{HoursWanted, Want, WhyNot},
    plan::Visit,
    state::{Purpose, Wish},
};

impl Voice<'_> {
    // ---- questions ----

    pub(crate) fn ask_service(&self) -> String {
        let examples = self.examples();
        self.say(
            format!("На какую услугу вас записать? Например: {examples}."),
            format!("Which service would you like? For example: {examples}."),
        )
    }

    /// One service of each of the first categories.
    fn examples(&self) -> String {
        let mut seen = Vec::new();
        let mut titles = Vec::new();
        for service in &self.salon.services {
            if !seen.contains(&service.category.as_str()) && titles.len() < 4 {
                seen.push(service.category.as_str());
                titles.push(service.title.as_str());
            }
        }
        titles.join("; ")
    }

    pub(crate) fn ask_usual(&self, visit: &Booking, wish: &Wish) -> String {
        let (services, master) = (self.services(&visit.services), self.master(visit.staff_id));
        let when = self.wanted_moment(wish).map(|when| format!(", {when}")).unwrap_or_default();
        self.say(
            format!("На какую услугу вас записать? Как в прошлый раз: {services}, {master}{when}?"),
            format!("Which service would you like? The same as last time: {services}, {master}{when}?"),
        )
    }

    pub(crate) fn ask_which_service(&self, ids: &[ServiceId]) -> String {
        let head = self.say("Уточните, пожалуйста: какая из услуг вам нужна?", "Which of these would you like?");
        let lines: Vec<String> = ids.iter().filter_map(|id| self.salon.service(*id)).map(|service| self.priced(service)).collect();
        format!("{head}\n{}", numbered(&lines))
    }

    pub(crate) fn ask_first_service(&self, first: ServiceId, wish: &Wish) -> String {
        let title = self.services(&[first]);
        let price = self.salon.service(first).map(|service| format!(" ({})", self.price(service.price))).unwrap_or_default();
        let who = if let [staff] = wish.staff.as_slice() { format!(" {}", self.dative_master(*staff)) } else { String::new() };
        let when = self.wanted_moment(wish).map(|when| format!(" {when}")).unwrap_or_default();
        self.say(
            format!("Записать на «{title}»{price}{who}{when}? Или напишите номер другой услуги."),
            format!("Shall I take “{title}”{price}{who}{when}? Or send the number of another one."),
        )
    }

    /// The one moment that is wanted: a yes to the service is a yes to it too, so the question names it.
    fn wanted_moment(&self, wish: &Wish) -> Option<String> {
        match wish.when.as_slice() {
            [Want { from, to, hours: Some(HoursWanted::At(time)), .. }] if from == to => Some(self.moment(from.to_datetime(*time))),
            _ => None,
        }
    }

    pub(crate) fn ask_day(&self) -> String {
        self.say("На какой день и время вас записать?", "What day and time would you like?")
    }

    pub(crate) fn ask_change_service(&self, booking: &Booking, services: &[ServiceId]) -> String {
        let (stands, services) = (self.booking(booking), self.services(services));
        self.say(
            format!("Заменить услугу в вашей записи ({stands}) на «{services}»? Если нужна ещё одна запись, напишите день и время."),
            format!(
                "Shall I change the service of your visit ({stands}) to “{services}”? If you need one more visit, send the day and time."
            ),
        )
    }

    pub(crate) fn ask_drop_part(&self, booking: &Booking, left: &[ServiceId]) -> String {
        let (stands, left) = (self.booking(booking), self.services(left));
        self.say(
            format!("Оставить в вашей записи ({stands}) только «{left}»?"),
            format!("Shall I leave only “{left}” in your visit ({stands})?"),
        )
    }

    pub(crate) fn ask_new_time(&self, booking: &Booking) -> String {
        let booking = self.booking(booking);
        self.say(format!("На какой день и время перенести: {booking}?"), format!("What day and time shall I change it to: {booking}?"))
    }

    pub(crate) fn ask_name(&self) -> String {
        self.say("Как вас зовут? На это имя и запишу.", "What is your name, please?")
    }

    pub(crate) fn ask_name_again(&self) -> String {
        self.say("На какое имя сделать запись?", "Which name shall I put the visit on?")
    }

    /// Whom a visit is booked on while the customer gives no name.
    pub(crate) fn guest(&self) -> String {
        self.say("Гость", "Guest")
    }

    pub(crate) fn on_the_name(&self, name: &str) -> String {
        self.say(format!("Запись на имя {name}."), format!("The visit is on the name {name}."))
    }

    pub(crate) fn ask_phone(&self) -> String {
        self.say(
            "Напишите, пожалуйста, ваш номер телефона — он нужен для записи.",
            "Please send your phone number, it is needed for the visit.",
        )
    }

    pub(crate) fn ask_phone_again(&self) -> String {
        self.say(
            "Без номера телефона не получится записать. Пришлите его, пожалуйста, цифрами: например, 8 900 000-00-00.",
            "The visit needs a phone number. Please send it in digits, with the country code.",
        )
    }

    pub(crate) fn ask_find_times(&self) -> String {
        self.say("Подобрать вам время?", "Shall I find a time for you?")
    }

    pub(crate) fn ask_person(&self) -> String {
        self.say("Позвать администратора?", "Shall I call the administrator?")
    }

    pub(crate) fn ask_which_number(&self, count: usize) -> String {
        self.say(
            format!("Какой вариант вам подходит? Напишите номер от 1 до {count}."),
            format!("Which one suits you? Send a number from 1 to {count}."),
        )
    }

    pub(crate) fn ask_this_one(&self, visit: &Visit, moving: bool) -> String {
        let (whole, cost) = (self.whole_visit(visit), self.visit_cost(visit));
        if moving {
            return self.say(format!("Перенести вашу запись: {whole}?"), format!("Shall I change your visit: {whole}?"));
        }
        let you = if self.guest { "" } else { " вас" };
        self.say(format!("Записать{you}: {whole}{cost}?"), format!("Shall I book it: {whole}{cost}?"))
    }

    pub(crate) fn ask_first(&self, visit: &Visit, moving: bool) -> String {
        let visit = format!("{}{}", self.whole_visit(visit), if moving { String::new() } else { self.visit_cost(visit) });
        if moving {
            return self.say(
                format!("Перенести на первое время: {visit}? Или напишите номер другого варианта."),
                format!("Shall I change it to the first one: {visit}? Or send another number."),
            );
        }
        self.say(
            format!("Записать на первое время: {visit}? Или напишите номер другого варианта."),
            format!("Shall I book the first one: {visit}? Or send another number."),
        )
    }

    pub(crate) fn ask_really_cancel(&self, bookings: &[&Booking]) -> String {
        let lines = self.booking_lines(bookings);
        match lines.as_slice() {
            [booking] => self.say(format!("Отменить вашу запись: {booking}?"), format!("Shall I cancel your visit: {booking}?")),
            _ => {
                let lines = lines.iter().map(|line| format!("• {line}")).collect::<Vec<_>>().join("\n");
                let ask = self.say("Отменить все эти записи?", "Shall I cancel all of these visits?");
                format!("{ask}\n{lines}")
            }
        }
    }

    // ---- free times ----

    /// A visit in one line.
    fn visit(&self, visit: &Visit) -> String {
        match visit.seats.as_slice() {
            [seat] => format!("{}, {}", self.moment(seat.start), self.master(seat.staff)),
            seats => seats.iter().map(|seat| self.seat(seat)).collect::<Vec<_>>().join("; "),
        }
    }

    /// A visit with what is done in it, in one line.
    fn whole_visit(&self, visit: &Visit) -> String {
        match visit.seats.as_slice() {
            [seat] => format!("{}, {}", self.services(&seat.services), self.visit(visit)),
            _ => self.visit(visit),
        }
    }

    /// Free times to choose from, after `lead`. `first`: the customer has not heard yet what was understood to be wanted.
    pub(crate) fn offer(&self, lead: &str, visits: &[Visit], moving: bool, first: bool) -> String {
        let lead = if lead.is_empty() { String::new() } else { format!("{lead} ") };
        let what = match visits {
            [Visit { seats }, ..] if first && lead.is_empty() && seats.len() == 1 => {
                let services = self.quoted(&seats[0].services);
                self.say(format!(" на {services}"), format!(" for {services}"))
            }
            _ => String::new(),
        };
        if let [only] = visits {
            let (visit, cost) = (self.whole_visit(only), if moving { String::new() } else { self.visit_cost(only) });
            let ask = match (moving, self.guest) {
                (true, _) => self.say("Перенести?", "Shall I change it?"),
                (false, true) => self.say("Записать?", "Shall I book it?"),
                (false, false) => self.say("Записать вас?", "Shall I book it?"),
            };
            return self.say(
                format!("{lead}Есть свободное время: {visit}{cost}. {ask}"),
                format!("{lead}There is a free time: {visit}{cost}. {ask}"),
            );
        }
        let (shared, lines) = self.lines(&lead, visits);
        let head = if lead.is_empty() {
            self.vary(&["Свободное время", "Вот свободные окошки", "Есть такое время"], &["Free times", "These are free"])
        } else {
            self.vary(&["Могу предложить", "Есть такие варианты"], &["I can offer", "These are free"])
        };
        let tail = self.vary(
            &[
                "Какой вариант вам подходит? Можно назвать и другое время.",
                "Что вам удобнее? Если нужно другое время — напишите.",
                "Какое время выбираете? Можно предложить и своё.",
            ],
            &["Which one suits you? You may name another time, too.", "Which one would you like? Another time is fine, too."],
        );
        format!("{lead}{head}{what}{shared}:\n{}\n{tail}", numbered(&lines))
    }

    /// Visits one to a line; what is the same in all of them, the day and then the master, is told once before.
    fn lines(&self, lead: &str, visits: &[Visit]) -> (String, Vec<String>) {
        let day = visits[0].start().date();
        if visits.iter().any(|visit| visit.seats.len() > 1 || visit.start().date() != day) {
            return (String::new(), visits.iter().map(|visit| self.visit(visit)).collect());
        }
        let day = if lead.contains(&self.date(day)) { self.say("в этот день", "that day") } else { self.day(day) };
        let staff = visits[0].seats[0].staff;
        let time = |visit: &Visit| speak::time(visit.start().time());
        if visits.iter().all(|visit| visit.seats[0].staff == staff) {
            let master = self.at_master(staff);
            return (format!(" {day}, {master}"), visits.iter().map(time).collect());
        }
        let line = |visit: &Visit| format!("{}, {}", time(visit), self.master(visit.seats[0].staff));
        (format!(" {day}"), visits.iter().map(line).collect())
    }

    /// Why the wanted time cannot be had.
    pub(crate) fn why_not(&self, why: &WhyNot) -> String {
        match why {
            WhyNot::Past => self.say("Это время уже прошло.", "That time has already passed."),
            WhyNot::TooFar(until) => {
                let until = self.date(*until);
                self.say(
                    format!("Так далеко записи пока нет: расписание открыто до {until}."),
                    format!("The schedule is open until {until} only."),
                )
            }
            WhyNot::Closed(date) => {
                let day = sentence(&self.day(*date));
                self.say(format!("{day}, мы не работаем."), format!("{day}, we are closed."))
            }
            WhyNot::DayOff(staff, date) => {
                let (day, name) = (sentence(&self.day(*date)), self.staff(*staff));
                self.say(format!("{day}, {name} не работает."), format!("{day}, {name} is off."))
            }
            WhyNot::AllOff(date) => {
                let day = sentence(&self.day(*date));
                self.say(format!("{day}, мастера этой услуги не работают."), format!("{day}, the masters for it are off."))
            }
            WhyNot::ClosedAt(date, from, to) => {
                let (day, hours) = (sentence(&self.day(*date)), self.between(Hours { from: *from, to: *to }));
                self.say(format!("{day}, мы работаем {hours}."), format!("{day}, we are open {hours}."))
            }
            WhyNot::NotHisHours(staff, date, from, to) => {
                let (day, name, hours) = (sentence(&self.day(*date)), self.staff(*staff), self.between(Hours { from: *from, to: *to }));
                self.say(format!("{day}, {name} работает {hours}."), format!("{day}, {name} works {hours}."))
            }
            WhyNot::NotFree(staff, at) => {
                let whose = staff.map(|staff| format!(" {}", self.at_master(staff))).unwrap_or_default();
                match at {
                    Some(at) => {
                        let when = sentence(&self.moment(*at));
                        self.say(format!("{when}{whose}, к сожалению, окошка нет."), format!("{when}{whose}: nothing is free, I am sorry."))
                    }
                    None => self.say(
                        format!("На это время{whose}, к сожалению, окошек нет."),
                        format!("I am sorry, there is nothing free then{whose}."),
                    ),
                }
            }
            WhyNot::FullDay(staff, date) => {
                let whose = staff.map(|staff| format!(" {}", self.at_master(staff))).unwrap_or_default();
                let day = sentence(&self.day(*date));
                self.say(
                    format!("{day},{whose} свободных окошек, к сожалению, уже нет."),
                    format!("{day}, nothing is free{whose}, I am sorry."),
                )
            }
            WhyNot::NotTogether => self.say(
                "Одновременно, к сожалению, не получится, но можно друг за другом.",
                "At one time it is not possible, but one after the other it is.",
            ),
            WhyNot::NotTheirs(staff) => {
                let name = self.staff(*staff);
                self.say(format!("К сожалению, {name} эту услугу не делает."), format!("I am sorry, {name} does not do that."))
            }
            WhyNot::JustTaken => self.say("К сожалению, это время только что заняли.", "I am sorry, that time has just been taken."),
        }
    }

    /// A master was named whom the salon does not have.
    pub(crate) fn no_such_master(&self) -> String {
        self.say("Такого мастера у нас нет.", "There is no such master here.")
    }

    /// What somebody else is to be booked for, where the customer has not said it.
    pub(crate) fn for_somebody(&self, services: &[ServiceId]) -> String {
        let services = self.services_in(services, Case::Nominative);
        self.say(format!("Для вашего гостя — {services}."), format!("For your guest: {services}."))
    }

    pub(crate) fn done_by(&self, staff: &[StaffId]) -> String {
        let names: Vec<String> = staff.iter().map(|id| self.staff(*id)).collect();
        let verb = if names.len() == 1 { "делает" } else { "делают" };
        let names = names.join(", ");
        self.say(format!("Эту услугу {verb} {names}."), format!("It is done by {names}."))
    }

    /// Another master was wanted.
    pub(crate) fn only_done_by(&self, staff: &[StaffId]) -> String {
        let names: Vec<String> = staff.iter().map(|id| self.staff(*id)).collect();
        let verb = if names.len() == 1 { "делает" } else { "делают" };
        let names = names.join(", ");
        self.say(format!("Эту услугу у нас {verb} только {names}."), format!("Only {names} can do that here."))
    }

    pub(crate) fn no_free_times(&self) -> String {
        self.say("К сожалению, в ближайшие дни свободного времени не нашлось.", "I am sorry, I found no free time in the coming days.")
    }

    pub(crate) fn nobody_does(&self, service: ServiceId) -> String {
        let title = self.services(&[service]);
        self.say(
            format!("К сожалению, «{title}» сейчас никто из мастеров не делает."),
            format!("I am sorry, nobody does “{title}” at the moment."),
        )
    }

    pub(crate) fn too_many_people(&self) -> String {
        self.say("Такую компанию лучше запишет администратор.", "For such a party the administrator had better help.")
    }

    pub(crate) fn no_such_date(&self) -> String {
        self.say("Такой даты или времени не бывает — проверьте, пожалуйста.", "There is no such date or time, please check.")
    }

    pub(crate) fn no_last_visit(&self) -> String {
        self.say("Не нашла ваших прошлых визитов.", "I have not found your last visit.")
    }

    // ---- own bookings ----

    pub(crate) fn no_bookings(&self) -> String {
        self.say("Предстоящих записей у вас не вижу. Хотите записаться?", "I see no coming visits of yours. Would you like to book?")
    }

    pub(crate) fn own_bookings(&self, bookings: &[&Booking]) -> String {
        match bookings {
            [only] => {
                let line = self.booking(only);
                let cost = self.cost_sentence(only);
                self.say(format!("Ваша запись: {line}.{cost}"), format!("Your visit: {line}.{cost}"))
            }
            _ => {
                let head = self.say("Ваши записи:", "Your visits:");
                format!("{head}\n{}", numbered(&self.booking_lines(bookings)))
            }
        }
    }

    /// The customer asks for what already stands.
    pub(crate) fn stands(&self, booking: &Booking) -> String {
        let line = self.booking(booking);
        self.say(format!("Да, всё верно: {line}. Ждём вас!"), format!("Yes, that is right: {line}. See you!"))
    }

    /// Nothing else was possible.
    pub(crate) fn stays(&self, booking: &Booking) -> String {
        let line = self.booking(booking);
        self.say(format!("Запись пока остаётся как есть: {line}."), format!("Your visit stays as it is: {line}."))
    }

    pub(crate) fn no_such_booking(&self) -> String {
        self.say("Такой записи не вижу.", "I see no such visit.")
    }

    pub(crate) fn which_booking(&self, purpose: Purpose, bookings: &[&Booking], wish: &Wish, missed: bool) -> String {
        let miss = if missed { format!("{} ", self.no_such_booking()) } else { String::new() };
        if let [only] = bookings {
            let line = self.booking(only);
            return match purpose {
                Purpose::Cancel => format!("{miss}{}", self.ask_really_cancel(bookings)),
                Purpose::Move | Purpose::List => {
                    let to = self.wanted_moment(wish).map(|when| self.say(format!(" — на новое время: {when}"), format!(" to {when}")));
                    let to = to.unwrap_or_default();
                    self.say(format!("{miss}Перенести эту запись: {line}{to}?"), format!("{miss}Shall I change this visit: {line}{to}?"))
                }
            };
        }
        let ask = match purpose {
            Purpose::Cancel => self.say("Какую запись отменить?", "Which visit shall I cancel?"),
            Purpose::Move | Purpose::List => self.say("Какую запись перенести?", "Which visit shall I change?"),
        };
        format!("{miss}{ask}\n{}", numbered(&self.booking_lines(bookings)))
    }

    fn booking_lines(&self, bookings: &[&Booking]) -> Vec<String> {
        bookings.iter().map(|booking| self.booking(booking)).collect()
    }
}
