//! Every sentence the receptionist says, in both languages.
//!
//! The words of a claim («записала», «перенесла», «отменила») stand in [`Voice::receipts`] and
//! nowhere else.

use domain::{Booking, Money, PriceRange, Receipt, Salon, Service, ServiceId, StaffId};
use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
};
use language::{
    Lang,
    speak::{self, Case},
};

use crate::{
    effect::Refusal,
    moment::WhyNot,
    plan::{Seat, Visit},
    state::Purpose,
};

/// Lines of a list that a phone still shows at a glance.
const LONG_LIST: usize = 12;

/// The receptionist's voice in one salon, on one day, in one language.
#[derive(Clone, Copy)]
pub struct Voice<'a> {
    /// Whose prices, names and address are told.
    pub salon: &'a Salon,
    /// The customer's language.
    pub lang: Lang,
    /// The salon's date, for «завтра».
    pub today: Date,
    /// Which of several ways to say the same is taken; any number.
    pub variant: u32,
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
    pub fn receipts(&self, receipts: &[Receipt]) -> String {
        match receipts {
            [] => String::new(),
            [Receipt::Booked(booking)] => {
                let booking = booking.get();
                let (what, who) = (self.services_in(&booking.services, Case::Accusative), self.dative_master(booking.staff_id));
                let (when, cost) = (self.moment(booking.start), self.cost_sentence(booking));
                if what.contains([':', '+', ',']) && self.lang == Lang::Ru {
                    // A title that breaks a sentence stands by itself.
                    let title = self.services(&booking.services);
                    return format!("Записала вас {who}: «{title}», {when}.{cost} Ждём вас{}! 😊", self.at_address());
                }
                let yes = self.vary(&["Записала вас", "Готово, записала вас"], &[""]);
                self.say(
                    format!("{yes} на {what} {who}: {when}.{cost} Ждём вас{}! 😊", self.at_address()),
                    format!("You are booked for {what} {who}: {when}.{cost} See you{}! 😊", self.at_address()),
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
                let head = self.say("Записала вас:", "You are booked:");
                let tail = self.say(format!("Ждём вас{}! 😊", self.at_address()), format!("See you{}! 😊", self.at_address()));
                format!("{head}\n{}\n{tail}", lines.join("\n"))
            }
            _ => receipts.iter().map(|receipt| self.receipts(std::slice::from_ref(receipt))).collect::<Vec<_>>().join("\n"),
        }
    }

    // ---- things by their names ----

    /// `завтра, 24 ноября, в 15:00`.
    pub fn moment(&self, at: DateTime) -> String {
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

    fn composite(&self, ids: &[ServiceId]) -> Option<&Service> {
        let sorted = |ids: &[ServiceId]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids
        };
        let wanted = sorted(ids);
        self.salon.services.iter().find(|service| ids.len() > 1 && sorted(&service.composite_of) == wanted)
    }

    fn staff(&self, id: StaffId) -> &str {
        self.salon.staff(id).map_or("", |staff| staff.name.as_str())
    }

    /// `мастер Анна`.
    fn master(&self, id: StaffId) -> String {
        let name = self.staff(id);
        let shared = self.salon.staff.iter().filter(|staff| staff.name == name).count() > 1;
        let what = self.salon.staff(id).map_or("", |staff| staff.specialization.as_str());
        let what = if shared && !what.is_empty() { format!(" ({what})") } else { String::new() };
        self.say(format!("мастер {name}{what}"), format!("with {name}{what}"))
    }

    /// `к Анне`.
    fn dative_master(&self, id: StaffId) -> String {
        let name = self.staff(id);
        self.say(speak::to(name), format!("with {name}"))
    }

    /// `у Анны`.
    fn at_master(&self, id: StaffId) -> String {
        let name = self.staff(id);
        self.say(format!("у {}", speak::name(name, Case::Genitive)), format!("with {name}"))
    }

    /// A booking as the booking system holds it.
    fn booking(&self, booking: &Booking) -> String {
        format!("{}, {}, {}", self.services(&booking.services), self.moment(booking.start), self.master(booking.staff_id))
    }

    fn seat(&self, seat: &Seat) -> String {
        format!("{} — {}, {}", self.moment(seat.start), self.services(&seat.services), self.master(seat.staff))
    }

    /// `1 800–2 200 ₽`; empty where there is no price.
    fn price(&self, price: PriceRange) -> String {
        let currency = &self.salon.currency;
        match (price.min, price.max) {
            (Money(0), Money(0)) => String::new(),
            (min, max) if min == max => format!("{min}\u{a0}{currency}"),
            (min, max) => format!("{min}–{max}\u{a0}{currency}"),
        }
    }

    /// What a visit costs: the price list's range while what was read back lies in it, else what was read back.
    fn cost(&self, booking: &Booking) -> String {
        let listed = self.composite(&booking.services).map_or_else(|| self.salon.price(&booking.services), |service| service.price);
        match booking.cost {
            Some(cost) if cost.0 > 0 && !(listed.min <= cost && cost <= listed.max) => self.price(PriceRange::new(cost, cost)),
            _ => self.price(listed),
        }
    }

    fn cost_sentence(&self, booking: &Booking) -> String {
        match self.cost(booking) {
            cost if cost.is_empty() => String::new(),
            cost => self.say(format!(" Стоимость {cost}."), format!(" The price is {cost}.")),
        }
    }

    fn cost_tail(&self, booking: &Booking) -> String {
        match self.cost(booking) {
            cost if cost.is_empty() => String::new(),
            cost => format!(" — {cost}"),
        }
    }

    fn at_address(&self) -> String {
        match self.salon.address.as_str() {
            "" => String::new(),
            address => self.say(format!(" по адресу {address}"), format!(" at {address}")),
        }
    }

    // ---- greeting and small talk ----

    pub(crate) fn hello(&self, name: Option<&str>) -> String {
        match name {
            Some(name) => self.say(format!("Здравствуйте, {name}!"), format!("Hello, {name}!")),
            None => self.say("Здравствуйте!", "Hello!"),
        }
    }

    pub(crate) fn how_can_i_help(&self) -> String {
        let title = &self.salon.title;
        self.say(
            format!("Это {title}. Чем могу помочь: записать вас, подсказать свободное время или цены?"),
            format!("This is {title}. How can I help: book a visit, tell you free times or prices?"),
        )
    }

    pub(crate) fn thanks(&self) -> String {
        self.vary(
            &["Пожалуйста! Если что-то понадобится — пишите 😊", "Пожалуйста! Всегда рады помочь 😊", "Пожалуйста, обращайтесь! 😊"],
            &["You are welcome! Write any time 😊", "You are welcome, happy to help! 😊"],
        )
    }

    pub(crate) fn all_right(&self) -> String {
        self.vary(
            &["Хорошо! Если что-то понадобится — пишите.", "Хорошо, как скажете. Пишите, когда будет удобно."],
            &["All right! Write any time you need something.", "All right. Write whenever it suits you."],
        )
    }

    pub(crate) fn kept(&self) -> String {
        self.say("Хорошо, ничего не меняю.", "All right, everything stays as it is.")
    }

    pub(crate) fn another_time(&self) -> String {
        self.say("Хорошо. Какой день и время вам удобны?", "All right. What day and time would suit you?")
    }

    pub(crate) fn stopped(&self) -> String {
        self.say(
            "Хорошо, больше не буду вам писать. Если захотите записаться — просто напишите.",
            "All right, I will not write to you any more. If you want to book, just send a message.",
        )
    }

    pub(crate) fn review(&self, rating: Option<u8>) -> String {
        match rating {
            Some(5..) => self.say(
                "Спасибо за отзыв и высокую оценку! Рады, что вам понравилось 😊",
                "Thank you for the feedback and the high rating! We are glad you liked it 😊",
            ),
            _ => self.say("Спасибо за отзыв! Нам важно ваше мнение.", "Thank you for the feedback! It matters to us."),
        }
    }

    pub(crate) fn cannot_hear(&self) -> String {
        self.say(
            "К сожалению, я не могу прослушать или открыть это сообщение. Напишите, пожалуйста, текстом.",
            "I am sorry, I cannot open this message. Please write it as text.",
        )
    }

    pub(crate) fn puzzled(&self) -> String {
        self.vary(
            &[
                "Я помогаю с записью: подберу время, подскажу услуги, цены и мастеров. Что вас интересует?",
                "Не совсем поняла вас. Могу записать, перенести или отменить запись, подсказать цены и свободное время. Что нужно?",
            ],
            &[
                "I help with visits: free times, services, prices and masters. What would you like?",
                "I am not sure I understand. I can book, move or cancel a visit, or tell prices and free times. What do you need?",
            ],
        )
    }

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

    pub(crate) fn ask_usual(&self, visit: &Booking) -> String {
        let (services, master) = (self.services(&visit.services), self.master(visit.staff_id));
        self.say(
            format!("На какую услугу вас записать? Как в прошлый раз: {services}, {master}?"),
            format!("Which service would you like? The same as last time: {services}, {master}?"),
        )
    }

    pub(crate) fn ask_which_service(&self, ids: &[ServiceId]) -> String {
        let head = self.say("Уточните, пожалуйста, какая услуга нужна:", "Which of these would you like?");
        let lines: Vec<String> = ids.iter().filter_map(|id| self.salon.service(*id)).map(|service| self.priced(service)).collect();
        format!("{head}\n{}", numbered(&lines))
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

    pub(crate) fn ask_new_time(&self, booking: &Booking) -> String {
        let booking = self.booking(booking);
        self.say(format!("На какой день и время перенести: {booking}?"), format!("What day and time shall I change it to: {booking}?"))
    }

    pub(crate) fn ask_name(&self) -> String {
        self.say("Как вас зовут? На это имя и запишу.", "What is your name, please?")
    }

    /// Whom a visit is booked on while the customer gives no name.
    pub(crate) fn guest(&self) -> String {
        self.say("Гость", "Guest")
    }

    pub(crate) fn ask_phone(&self) -> String {
        self.say(
            "Напишите, пожалуйста, ваш номер телефона — он нужен для записи.",
            "Please send your phone number, it is needed for the visit.",
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
        let visit = self.visit(visit);
        if moving {
            return self.say(format!("Перенести вашу запись: {visit}?"), format!("Shall I change your visit to {visit}?"));
        }
        self.say(format!("Записать вас: {visit}?"), format!("Shall I book it: {visit}?"))
    }

    pub(crate) fn ask_first(&self, visit: &Visit, moving: bool) -> String {
        let visit = self.visit(visit);
        if moving {
            return self.say(
                format!("Перенести на первое: {visit}? Или напишите номер другого варианта."),
                format!("Shall I change it to the first one: {visit}? Or send another number."),
            );
        }
        self.say(
            format!("Записать на первое: {visit}? Или напишите номер другого варианта."),
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

    /// Free times to choose from, after `lead`.
    pub(crate) fn offer(&self, lead: &str, visits: &[Visit], moving: bool) -> String {
        let lead = if lead.is_empty() { String::new() } else { format!("{lead} ") };
        match visits {
            [only] => {
                let visit = self.visit(only);
                let ask = if moving {
                    self.say("Перенести?", "Shall I change it?")
                } else {
                    self.say("Записать вас?", "Shall I book it?")
                };
                self.say(format!("{lead}Есть свободное время: {visit}. {ask}"), format!("{lead}There is a free time: {visit}. {ask}"))
            }
            _ => {
                let lines: Vec<String> = visits.iter().map(|visit| self.visit(visit)).collect();
                let head = if lead.is_empty() {
                    self.vary(&["Свободное время:", "Вот свободные окошки:", "Есть такое время:"], &["Free times:", "These are free:"])
                } else {
                    self.vary(&["Могу предложить:", "Есть такие варианты:"], &["I can offer:", "These are free:"])
                };
                let tail = self.vary(
                    &[
                        "Какой вариант вам подходит? Можно назвать и другое время.",
                        "Что вам удобнее? Если нужно другое время — напишите.",
                        "Какое время выбираете? Можно предложить и своё.",
                    ],
                    &["Which one suits you? You may name another time, too.", "Which one would you like? Another time is fine, too."],
                );
                format!("{lead}{head}\n{}\n{tail}", numbered(&lines))
            }
        }
    }

    /// Why the wanted time cannot be had.
    pub(crate) fn why_not(&self, why: &WhyNot) -> String {
        let hours = |from: &Time, to: &Time| {
            let (from, to) = (speak::time(*from), speak::time(*to));
            self.say(format!("с {from} до {to}"), format!("from {from} to {to}"))
        };
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
            WhyNot::ClosedAt(date, from, to) => {
                let (day, hours) = (sentence(&self.day(*date)), hours(from, to));
                self.say(format!("{day}, мы работаем {hours}."), format!("{day}, we are open {hours}."))
            }
            WhyNot::NotHisHours(staff, date, from, to) => {
                let (day, name, hours) = (sentence(&self.day(*date)), self.staff(*staff), hours(from, to));
                self.say(format!("{day}, {name} работает {hours}."), format!("{day}, {name} works {hours}."))
            }
            WhyNot::NotFree(staff, at) => {
                let when = at.map(|at| self.moment(at));
                let whose = staff.map(|staff| self.at_master(staff));
                let place = [when, whose].into_iter().flatten().collect::<Vec<_>>().join(" ");
                match place.as_str() {
                    "" => self.say("На это время, к сожалению, окошек нет.", "I am sorry, there is nothing free then."),
                    place => self.say(
                        format!("{}, к сожалению, окошка нет.", sentence(place)),
                        format!("{}: nothing is free, I am sorry.", sentence(place)),
                    ),
                }
            }
            WhyNot::NotTheirs(staff) => {
                let name = self.staff(*staff);
                self.say(format!("{name} этим не занимается."), format!("{name} does not do that."))
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
        let services = self.services(services);
        self.say(format!("Для вашего гостя — {services}."), format!("For your guest: {services}."))
    }

    pub(crate) fn done_by(&self, staff: &[StaffId]) -> String {
        let names: Vec<&str> = staff.iter().map(|id| self.staff(*id)).collect();
        let verb = if names.len() == 1 { "выполняет" } else { "выполняют" };
        let names = names.join(", ");
        self.say(format!("Эту услугу {verb} {names}."), format!("It is done by {names}."))
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

    // ---- what went wrong ----

    pub(crate) fn failed(&self) -> String {
        self.say(
            "Сейчас не могу проверить: система записи не отвечает. Попробовать ещё раз? Напишите «да» через пару минут.",
            "I cannot check it right now: the booking system does not answer. Shall I try again? Send “yes” in a couple of minutes.",
        )
    }

    pub(crate) fn unsettled(&self) -> String {
        self.say(
            "Проверяю, всё ли получилось: система записи отвечает с задержкой. Напишу вам, как только узнаю.",
            "I am checking whether it went through: the booking system is slow. I will write as soon as I know.",
        )
    }

    pub(crate) fn still_unsettled(&self) -> String {
        self.say(
            "Всё ещё проверяю вашу запись. Напишу, как только узнаю.",
            "I am still checking your visit and will write as soon as I know.",
        )
    }

    pub(crate) fn not_booked_after_all(&self) -> String {
        self.say(
            "Проверила: на это время записи пока нет. Назовите, пожалуйста, удобные день и время ещё раз.",
            "I have checked: there is no visit at that time yet. Please name the day and time once more.",
        )
    }

    pub(crate) fn refused(&self, refusal: Refusal) -> String {
        match refusal {
            Refusal::SlotTaken => self.why_not(&WhyNot::JustTaken),
            Refusal::NotAllowed => self.say(
                "Эту запись через чат изменить нельзя, это может сделать администратор.",
                "This visit cannot be changed here, the administrator can do it.",
            ),
            Refusal::PhoneRefused => self.say("На этот номер телефона записать не получается.", "It does not work with this phone number."),
            Refusal::Gone => self.say("Этой записи уже нет в расписании.", "This visit is not in the schedule any more."),
            Refusal::NotOffered => self.say("Эта услуга сейчас недоступна для записи.", "This service cannot be booked at the moment."),
            Refusal::Other => self.say("Не получается это сделать.", "It does not work."),
        }
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

    pub(crate) fn which_booking(&self, purpose: Purpose, bookings: &[&Booking], missed: bool) -> String {
        let miss = if missed { self.say("Такой записи не вижу. ", "I see no such visit. ") } else { String::new() };
        let ask = match purpose {
            Purpose::Cancel => self.say("Какую запись отменить?", "Which visit shall I cancel?"),
            Purpose::Move | Purpose::List => self.say("Какую запись перенести?", "Which visit shall I change?"),
        };
        format!("{miss}{ask}\n{}", numbered(&self.booking_lines(bookings)))
    }

    fn booking_lines(&self, bookings: &[&Booking]) -> Vec<String> {
        bookings.iter().map(|booking| self.booking(booking)).collect()
    }

    // ---- a person ----

    pub(crate) fn called_person(&self) -> String {
        self.say(
            "Передала ваш вопрос администратору — он ответит вам здесь.",
            "I have passed it on to the administrator, who will answer you here.",
        )
    }

    pub(crate) fn complaint_passed_on(&self) -> String {
        self.say(
            "Мне очень жаль. Передала ваше сообщение администратору — он ответит вам здесь.",
            "I am very sorry. I have passed your message on to the administrator, who will answer you here.",
        )
    }

    pub(crate) fn late_passed_on(&self) -> String {
        self.say("Спасибо, что предупредили! Передала администратору.", "Thank you for telling us! I have passed it on.")
    }

    pub(crate) fn nobody_called(&self) -> String {
        let phone = self.salon.phone.as_ref().map(domain::Phone::pretty);
        match phone {
            Some(phone) => self.say(
                format!("Не получилось позвать администратора. Позвоните, пожалуйста: {phone}."),
                format!("I could not reach the administrator. Please call {phone}."),
            ),
            None => self.say(
                "Не получилось позвать администратора, попробуйте написать чуть позже.",
                "I could not reach the administrator, please write a little later.",
            ),
        }
    }

    // ---- the salon ----

    /// `Маникюр — 1 800–2 200 ₽`.
    fn priced(&self, service: &Service) -> String {
        let price = match self.price(service.price) {
            price if price.is_empty() => String::new(),
            price => format!(" — {price}"),
        };
        format!("{}{price}", service.title)
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

    /// The whole price list where it is short, else what each category starts from.
    pub(crate) fn price_list(&self) -> String {
        let head = self.say("Наши услуги:", "Our services:");
        if self.salon.services.len() <= LONG_LIST {
            let lines: Vec<String> = self.salon.services.iter().map(|service| format!("• {}", self.priced(service))).collect();
            return format!("{head}\n{}", lines.join("\n"));
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
        let tail = self.say("Какая услуга вас интересует?", "Which one are you interested in?");
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

    /// Who does these services; with none, everybody.
    pub(crate) fn masters(&self, services: &[ServiceId], staff: &[StaffId]) -> String {
        let lines: Vec<String> = staff
            .iter()
            .filter_map(|id| self.salon.staff(*id))
            .map(|staff| match staff.specialization.as_str() {
                "" => staff.name.clone(),
                what => format!("{} — {what}", staff.name),
            })
            .collect();
        let head = match services {
            [] => self.say("Наши мастера:", "Our masters:"),
            _ => format!("{}:", self.services(services)),
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

    /// The hours of these days; of today and tomorrow where none was asked for. Empty where no
    /// schedule is known for them.
    pub(crate) fn hours(&self, days: &[Date]) -> String {
        let usual = [self.today, self.today.saturating_add(1.day())];
        let days = if days.is_empty() { usual.as_slice() } else { days };
        let known = self.salon.schedule.iter().map(|day| day.date).max();
        let hours = |date: &Date| match self.salon.opening_hours(*date) {
            Some(hours) => {
                let (from, to) = (speak::time(hours.from), speak::time(hours.to));
                self.say(format!("{}, с {from} до {to}", self.day(*date)), format!("{}, from {from} to {to}", self.day(*date)))
            }
            None => format!("{}, {}", self.day(*date), self.say("выходной", "closed")),
        };
        let hours: Vec<String> = days.iter().filter(|day| known.is_some_and(|known| **day <= known)).map(hours).collect();
        match hours.join("; ").as_str() {
            "" => String::new(),
            hours => self.say(format!("Часы работы: {hours}."), format!("Hours: {hours}.")),
        }
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
