//! Greetings, small talk, what went wrong, and calling a person.

use domain::Booking;

use super::Voice;
use crate::{effect::Refusal, moment::WhyNot};

impl Voice<'_> {
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

    /// To somebody whose last visit is known.
    pub(crate) fn how_can_i_help_as_usual(&self, visit: &Booking) -> String {
        let title = &self.salon.title;
        let (services, master) = (self.quoted(&visit.services), self.dative_master(visit.staff_id));
        self.say(
            format!("Это {title}. Записать вас, как в прошлый раз, на {services} {master}? Или подсказать что-то другое?"),
            format!("This is {title}. Shall I book the same as last time, {services} {master}? Or can I help with something else?"),
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
            None => self.say("Спасибо за тёплые слова! Очень рады 😊", "Thank you for the kind words, we are so glad! 😊"),
            Some(_) => self.say("Спасибо за отзыв! Нам важно ваше мнение.", "Thank you for the feedback! It matters to us."),
        }
    }

    pub(crate) fn cannot_hear(&self) -> String {
        self.say(
            "К сожалению, я не могу прослушать или открыть это сообщение. Напишите, пожалуйста, текстом.",
            "I am sorry, I cannot open this message. Please write it as text.",
        )
    }

    pub(crate) fn what_i_am(&self) -> String {
        self.say(
            "Я виртуальный помощник салона: записываю, переношу и отменяю визиты, подсказываю цены и время. Позвать администратора?",
            "I am the salon's virtual assistant: I book, move and cancel visits, and tell prices and free times. Shall I call the administrator?",
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

    pub(crate) fn never_settled(&self) -> String {
        self.say(
            "Система записи так и не ответила, поэтому я не знаю, получилось ли. Передала администратору: он проверит и напишет вам.",
            "The booking system has not answered, so I do not know whether it went through. The administrator will check and write to you.",
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
            Refusal::NotAllowed => {
                self.say("Через чат у меня это не получается, поможет администратор.", "I cannot do this here, the administrator can.")
            }
            Refusal::PhoneRefused => self.say("На этот номер телефона записать не получается.", "It does not work with this phone number."),
            Refusal::Gone => self.say("Этой записи уже нет в расписании.", "This visit is not in the schedule any more."),
            Refusal::NotOffered => self.say("Эта услуга сейчас недоступна для записи.", "This service cannot be booked at the moment."),
            Refusal::Other => self.say("К сожалению, сейчас это не получается.", "I am sorry, it does not work at the moment."),
        }
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

    pub(crate) fn name_passed_on(&self, name: &str) -> String {
        self.say(
            format!("Хорошо, передала администратору: на визит придёт {name}."),
            format!("All right, I have told the administrator that it is {name} who comes."),
        )
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
}
