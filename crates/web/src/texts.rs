//! Every word that this crate says to people, in Russian and in English.

use axum::http::{HeaderMap, StatusCode, header};
use domain::LinkState;

use crate::Fault;

/// The languages of the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    Ru,
    En,
}

impl Lang {
    /// Russian unless the first of `Accept-Language` is English.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let english = wanted.trim_start().get(..2).is_some_and(|first| first.eq_ignore_ascii_case("en"));
        if english { Self::En } else { Self::Ru }
    }

    /// The word for `lang=` in HTML.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }
}

/// One text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    ru: &'static str,
    en: &'static str,
}

const fn said(ru: &'static str, en: &'static str) -> Said {
    Said { ru, en }
}

impl Said {
    pub(crate) const fn in_lang(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Ru => self.ru,
            Lang::En => self.en,
        }
    }
}

pub(crate) const FIELD_SALON_ID: Said = said("Нужно целое число больше нуля", "Must be an integer above zero");
pub(crate) const FIELD_PHONE: Said = said("Это не номер телефона", "Not a phone number");
pub(crate) const FIELD_EMAIL: Said = said("Это не адрес почты", "Not an e-mail address");
pub(crate) const FIELD_DISCOUNT: Said = said("Нужен процент от 0 до 100", "Must be a per cent from 0 to 100");
pub(crate) const FIELD_SUM: Said = said("Нужна сумма больше нуля", "Must be a sum above zero");
pub(crate) const FIELD_CURRENCY: Said = said("Нужен код валюты, например RUB", "Must be a code such as RUB");
pub(crate) const FIELD_PERIOD: Said = said("Период должен кончаться позже, чем начинается", "Must end after it begins");
pub(crate) const FIELD_CHANNEL: Said = said("Нужно sms или whatsapp", "Must be sms or whatsapp");
pub(crate) const FIELD_SHORT_NAMES: Said = said("Нужны имена от 1 до 11 знаков", "Must be names of 1 to 11 characters");
pub(crate) const FIELD_EMOJI: Said = said("Нужен один эмодзи", "Must be one emoji");
pub(crate) const FIELD_MESSAGE: Said = said("От 1 до 4096 знаков", "From 1 to 4096 characters");
pub(crate) const ACTIVATED: Said = said("Ассистент подключён и уже отвечает клиентам", "The assistant is on and answers customers");
pub(crate) const TRY_AGAIN: Said = said("Попробовать ещё раз", "Try again");
pub(crate) const TO_YCLIENTS: Said = said("Вернуться в YClients", "Back to YClients");
pub(crate) const CONNECTING: &str = "Соединяемся с WhatsApp, это недолго.";
pub(crate) const NO_PAIRING: Said = said(
    "WhatsApp не даёт код для этого номера. Подключите его по QR-коду.",
    "WhatsApp gives no code for this number. Link it by the QR code.",
);
pub(crate) const TOO_MANY_SOCKETS: &str = "Слишком много подключений, подождите минуту";

/// Why WhatsApp cannot be linked in that state, where something is wrong.
pub(crate) fn no_link(state: &LinkState) -> Option<Said> {
    let en = match state {
        LinkState::Connected { .. } | LinkState::Connecting => return None,
        LinkState::Disconnected => "WhatsApp is not linked. Scan the QR code or enter the pairing code.",
        LinkState::LoggedOut => "The device was removed on the phone. Link WhatsApp again.",
        LinkState::Replaced => "Another program has taken this session over. Close it and link WhatsApp again.",
        LinkState::PasskeyRequired => "WhatsApp demands a passkey for this number. Try another number or write to us.",
        LinkState::Banned { .. } => "WhatsApp has banned the number for a time. When the ban is over we connect by ourselves.",
        LinkState::Outdated => "WhatsApp demands an update. We are at it.",
        LinkState::Restricted => "WhatsApp does not let new people be written to for now. Who writes first is answered.",
    };
    state.reason().map(|ru| said(ru, en))
}

/// Where a page of an error leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The same address once more.
    Again,
    /// YClients.
    Yclients,
}

/// How a fault is told.
pub(crate) struct Words {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: Said,
    pub(crate) message: Said,
    pub(crate) next: Said,
    pub(crate) way: Way,
}

/// The words of a fault: code, title, what happened, what to do.
pub(crate) fn fault(fault: &Fault) -> Words {
    use StatusCode as S;
    use Way::{Again, Yclients};
    let open_anew = said(
        "Откройте приложение в YClients ещё раз: «Интеграции» → «AI Admin».",
        "Open the application from YClients again: Integrations → AI Admin.",
    );
    let wait = said("Подождите минуту и повторите.", "Wait a minute and try again.");
    let write_us = said("Если повторится, напишите нам: мы разберёмся.", "If it happens again, write to us: we will sort it out.");
    let (status, code, title, message, next, way) = match fault {
        Fault::InvalidSalonId => (
            S::BAD_REQUEST,
            "invalid_salon_id",
            said("Не понимаем, какой это салон", "Which salon is it?"),
            said("В ссылке нет правильного номера филиала.", "The link carries no valid salon number."),
            open_anew,
            Yclients,
        ),
        Fault::InvalidSignature => (
            S::FORBIDDEN,
            "invalid_signature",
            said("Ссылка не из YClients", "This link is not from YClients"),
            said("Подпись данных не совпала, поэтому открыть салон нельзя.", "The signature does not fit, so the salon cannot be opened."),
            open_anew,
            Yclients,
        ),
        Fault::OpenFromYclients => (
            S::FORBIDDEN,
            "open_from_yclients",
            said("Откройте приложение из YClients", "Open the application from YClients"),
            said(
                "Этот салон уже подключён. Войти можно только из вашего кабинета YClients.",
                "This salon is connected already. It opens from your YClients account only.",
            ),
            open_anew,
            Yclients,
        ),
        Fault::NotInstalled => (
            S::CONFLICT,
            "not_installed",
            said("Приложение ещё не подключено", "The application is not installed"),
            said(
                "В маркетплейсе YClients для этого салона не нажата кнопка «Подключить».",
                "Nobody has pressed «Connect» for this salon in the YClients marketplace.",
            ),
            said("Нажмите «Подключить» на странице приложения в YClients.", "Press «Connect» on the application's page in YClients."),
            Yclients,
        ),
        Fault::SalonNotFound => (
            S::NOT_FOUND,
            "salon_not_found",
            said("Такого салона нет", "No such salon"),
            said("YClients не знает филиала с этим номером.", "YClients knows no salon of this number."),
            open_anew,
            Yclients,
        ),
        Fault::BookingSystemBusy => (
            S::SERVICE_UNAVAILABLE,
            "yclients_unavailable",
            said("YClients пока не отвечает", "YClients does not answer yet"),
            said("Сервис записи сейчас перегружен или недоступен.", "The booking system is overloaded or out of reach."),
            wait,
            Again,
        ),
        Fault::BookingSystemFailed => (
            S::BAD_GATEWAY,
            "yclients_failed",
            said("YClients ответил ошибкой", "YClients answered with an error"),
            said(
                "Мы спросили YClients о вашем салоне и не получили понятного ответа.",
                "We asked YClients about your salon and got no usable answer.",
            ),
            write_us,
            Again,
        ),
        Fault::NoInstallation => (
            S::NOT_FOUND,
            "not_installed",
            said("Приложения в этом салоне нет", "Not installed in that salon"),
            said("В этом салоне приложение не установлено.", "The application is not installed in that salon."),
            open_anew,
            Yclients,
        ),
        Fault::MarketplaceRefused(_) => (
            S::UNPROCESSABLE_ENTITY,
            "marketplace_refused",
            said("Маркетплейс отказал", "The marketplace refuses"),
            said("Маркетплейс YClients отказал:", "The YClients marketplace refuses:"),
            wait,
            Again,
        ),
        Fault::OutcomeUnknown => (
            S::GATEWAY_TIMEOUT,
            "outcome_unknown",
            said("YClients не ответил", "YClients did not answer"),
            said(
                "Ответ не пришёл, но действие могло выполниться. Проверьте состояние салона, прежде чем повторять.",
                "No answer came, but it may have been done. Look at the salon's state before you repeat it.",
            ),
            wait,
            Yclients,
        ),
        Fault::NotConfigured => (
            S::SERVICE_UNAVAILABLE,
            "not_configured",
            said("Подключение временно закрыто", "Connecting is closed for now"),
            said("На сервере не хватает настроек.", "The server lacks settings."),
            write_us,
            Again,
        ),
        Fault::TokenMissing => (
            S::BAD_REQUEST,
            "token_missing",
            said("Ссылка неполная", "The link is incomplete"),
            said("В адресе страницы нет ключа подключения.", "The address carries no token."),
            open_anew,
            Yclients,
        ),
        Fault::TokenInvalid => (
            S::UNAUTHORIZED,
            "invalid_token",
            said("Ссылка не подходит", "The link does not fit"),
            said("Ключ в ссылке неверный.", "The token in the link is wrong."),
            open_anew,
            Yclients,
        ),
        Fault::TokenExpired => (
            S::UNAUTHORIZED,
            "token_expired",
            said("Ссылка устарела", "The link is out of date"),
            said("Ссылка действует один час, и этот час прошёл.", "A link is good for one hour, and that hour is over."),
            open_anew,
            Yclients,
        ),
        Fault::RegistrationExpired => (
            S::GONE,
            "registration_expired",
            said("Время на подключение вышло", "The time to connect is over"),
            said("На подключение даётся один час, и этот час прошёл.", "There is one hour to connect, and that hour is over."),
            open_anew,
            Yclients,
        ),
        Fault::Foreign => (
            S::FORBIDDEN,
            "forbidden",
            said("Это другой салон", "This is another salon"),
            said("Ссылка выдана для другого салона.", "The token was issued for another salon."),
            open_anew,
            Yclients,
        ),
        Fault::AlreadyConnected => (
            S::CONFLICT,
            "already_connected",
            said("WhatsApp уже подключён", "WhatsApp is linked already"),
            said("WhatsApp этого салона уже подключён.", "WhatsApp of this salon is linked already."),
            said("Ничего делать не нужно.", "There is nothing to do."),
            Yclients,
        ),
        Fault::NoCode => (
            S::GATEWAY_TIMEOUT,
            "no_code",
            said("WhatsApp не дал код", "WhatsApp gave no code"),
            said("WhatsApp не прислал код вовремя.", "WhatsApp sent no code in time."),
            wait,
            Again,
        ),
        Fault::LinkRefused(_) => (
            S::CONFLICT,
            "link_refused",
            said("WhatsApp не подключается", "WhatsApp cannot be linked"),
            said("WhatsApp сейчас нельзя подключить.", "WhatsApp cannot be linked now."),
            wait,
            Again,
        ),
        Fault::InvalidPhone => (
            S::BAD_REQUEST,
            "invalid_phone",
            said("Это не номер телефона", "Not a phone number"),
            said(
                "Проверьте номер: например, +7\u{a0}916\u{a0}123\u{2011}45\u{2011}67.",
                "Check the number: for example, +7\u{a0}916\u{a0}123\u{2011}45\u{2011}67.",
            ),
            wait,
            Again,
        ),
        Fault::WhatsappNotConnected => (
            S::CONFLICT,
            "whatsapp_not_connected",
            said("WhatsApp ещё не подключён", "WhatsApp is not linked yet"),
            said("Сначала подключите WhatsApp салона.", "Link the salon's WhatsApp first."),
            open_anew,
            Again,
        ),
        Fault::NumberTaken => (
            S::CONFLICT,
            "number_taken",
            said("Номер уже занят другим филиалом", "The number serves another branch"),
            said(
                "Этот номер WhatsApp уже подключён к другому филиалу. Одному филиалу – один номер.",
                "This WhatsApp number serves another branch already. One number for one branch.",
            ),
            said("Подключите другой номер.", "Link another number."),
            Again,
        ),
        Fault::ActivationFailed(_) => (
            S::BAD_GATEWAY,
            "activation_failed",
            said("YClients не подтвердил подключение", "YClients did not confirm"),
            said("YClients не подтвердил подключение:", "YClients did not confirm the installation:"),
            write_us,
            Again,
        ),
        Fault::NotActivatable => (
            S::CONFLICT,
            "not_activatable",
            said("Сейчас включить нельзя", "It cannot be switched on now"),
            said("Приложение отключено или заморожено в YClients.", "The application is removed or frozen in YClients."),
            open_anew,
            Yclients,
        ),
        Fault::SyncRuns => (
            S::CONFLICT,
            "sync_in_progress",
            said("Синхронизация уже идёт", "Sync already in progress"),
            // Programs outside look for these words.
            said("Sync already in progress", "Sync already in progress"),
            wait,
            Again,
        ),
        Fault::Unauthorized => (
            S::UNAUTHORIZED,
            "unauthorized",
            said("Нужен ключ", "A key is needed"),
            said("Нет правильного ключа доступа.", "No valid key."),
            open_anew,
            Yclients,
        ),
        Fault::InvalidFields(_) => (
            S::BAD_REQUEST,
            "invalid_fields",
            said("Поля заполнены неверно", "Some fields are wrong"),
            said("Проверьте поля запроса.", "Check the fields of the request."),
            wait,
            Again,
        ),
        Fault::InvalidBody => (
            S::BAD_REQUEST,
            "invalid_body",
            said("Запрос не разобрать", "The request cannot be read"),
            said("Запрос не того вида.", "The request is not of the right shape."),
            wait,
            Again,
        ),
        Fault::TooLarge => (
            S::PAYLOAD_TOO_LARGE,
            "too_large",
            said("Слишком большой запрос", "The request is too large"),
            said("Запрос больше допустимого.", "The request is larger than allowed."),
            wait,
            Again,
        ),
        Fault::TooMany => (
            S::TOO_MANY_REQUESTS,
            "too_many_requests",
            said("Слишком часто", "Too often"),
            said("Слишком много запросов, подождите минуту.", "Too many requests, wait a minute."),
            wait,
            Again,
        ),
        Fault::NotFound => (
            S::NOT_FOUND,
            "not_found",
            said("Такой страницы нет", "No such page"),
            said("По этому адресу ничего нет.", "There is nothing at this address."),
            open_anew,
            Yclients,
        ),
        Fault::MethodNotAllowed => (
            S::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            said("Так сюда нельзя", "Not with this method"),
            said("Этот адрес вызывают другим методом.", "This address takes another method."),
            open_anew,
            Yclients,
        ),
        Fault::TimedOut => (
            S::GATEWAY_TIMEOUT,
            "timed_out",
            said("Слишком долго", "It took too long"),
            said("Ответ занял слишком много времени.", "The answer took too long."),
            wait,
            Again,
        ),
        Fault::Unavailable => (
            S::SERVICE_UNAVAILABLE,
            "unavailable",
            said("Сейчас не получается", "Not just now"),
            said(
                "Наша база данных сейчас недоступна. Ничего не потеряно, повторите через минуту.",
                "Our database is not available just now. Nothing is lost; try again in a minute.",
            ),
            wait,
            Again,
        ),
        Fault::Internal => (
            S::INTERNAL_SERVER_ERROR,
            "internal",
            said("Что-то сломалось у нас", "Something broke on our side"),
            said("Это наша ошибка, мы её уже видим.", "It is our fault, and we can see it."),
            wait,
            Again,
        ),
    };
    Words { status, code, title, message, next, way }
}

/// The words of the linking page; its script gets them as JSON.
#[derive(serde::Serialize)]
pub(crate) struct Linking {
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) again_title: &'static str,
    pub(crate) again_lead: &'static str,
    pub(crate) branches: &'static str,
    pub(crate) branch_done: &'static str,
    pub(crate) next_branch: &'static str,
    pub(crate) ways: &'static str,
    pub(crate) by_qr: &'static str,
    pub(crate) by_code: &'static str,
    pub(crate) qr_alt: &'static str,
    pub(crate) qr_wait: &'static str,
    pub(crate) qr_left: &'static str,
    pub(crate) qr_renewing: &'static str,
    pub(crate) qr_step_1: &'static str,
    pub(crate) qr_step_2: &'static str,
    pub(crate) qr_step_3: &'static str,
    pub(crate) qr_else: &'static str,
    pub(crate) qr_else_do: &'static str,
    pub(crate) phone_label: &'static str,
    pub(crate) phone_note: &'static str,
    pub(crate) phone_wrong: &'static str,
    pub(crate) code_ask: &'static str,
    pub(crate) code_another: &'static str,
    pub(crate) code_ready: &'static str,
    pub(crate) code_copy: &'static str,
    pub(crate) code_copied: &'static str,
    pub(crate) code_left: &'static str,
    pub(crate) code_over: &'static str,
    pub(crate) code_step_1: &'static str,
    pub(crate) code_step_2: &'static str,
    pub(crate) code_step_3: &'static str,
    pub(crate) working_title: &'static str,
    pub(crate) working_linked: &'static str,
    pub(crate) working_activating: &'static str,
    pub(crate) already_title: &'static str,
    pub(crate) done_title: &'static str,
    pub(crate) done_text: &'static str,
    pub(crate) done_next: &'static str,
    pub(crate) sync_title: &'static str,
    pub(crate) sync_done: &'static str,
    pub(crate) modules: std::collections::BTreeMap<&'static str, &'static str>,
    pub(crate) back: &'static str,
    pub(crate) again: &'static str,
    pub(crate) no_answer: &'static str,
    pub(crate) trouble_title: &'static str,
    pub(crate) states: std::collections::BTreeMap<&'static str, StateWords>,
    pub(crate) until: &'static str,
    pub(crate) activation_title: &'static str,
    pub(crate) taken_title: &'static str,
    pub(crate) expired_title: &'static str,
    pub(crate) timeout_title: &'static str,
    pub(crate) timeout_text: &'static str,
    pub(crate) noscript: &'static str,
}

/// What a state of the link means to an owner, and what to do.
#[derive(serde::Serialize)]
pub(crate) struct StateWords {
    title: &'static str,
    text: &'static str,
}

/// The words of the linking page in that language.
pub(crate) fn linking(lang: Lang) -> Linking {
    let say = |ru, en| said(ru, en).in_lang(lang);
    Linking {
        title: say("Подключите WhatsApp салона", "Link the salon's WhatsApp"),
        lead: say(
            "Полминуты – и ассистент начнёт отвечать клиентам. Телефон остаётся у вас, WhatsApp на нём работает как раньше.",
            "Half a minute, and the assistant answers your customers. The phone stays yours, WhatsApp on it works as before.",
        ),
        again_title: say("Подключите WhatsApp заново", "Link WhatsApp again"),
        again_lead: say(
            "Связь с телефоном салона пропала, поэтому ассистент молчит. Всё остальное на месте: подключите WhatsApp, и он продолжит.",
            "The link to the salon's phone is gone, so the assistant is silent. All else is in place: link WhatsApp, and it goes on.",
        ),
        branches: say("Филиалы", "Branches"),
        branch_done: say("подключён", "linked"),
        next_branch: say("Подключить следующий филиал", "Link the next branch"),
        ways: say("Способ подключения", "How to link"),
        by_qr: say("QR-код", "QR code"),
        by_code: say("Код на телефон", "Code"),
        qr_alt: say("QR-код для подключения WhatsApp", "QR code that links WhatsApp"),
        qr_wait: say("Готовим код…", "Preparing the code…"),
        qr_left: say("Обновится сам через {n} с", "Renews itself in {n} s"),
        qr_renewing: say("Обновляем код…", "Renewing the code…"),
        qr_step_1: say("Откройте WhatsApp на телефоне салона", "Open WhatsApp on the salon's phone"),
        qr_step_2: say("Настройки → Связанные устройства → Привязка устройства", "Settings → Linked devices → Link a device"),
        qr_step_3: say("Наведите камеру на этот код", "Point the camera at this code"),
        qr_else: say("Телефон без камеры или код не читается?", "No camera, or the code cannot be read?"),
        qr_else_do: say("Подключите по номеру", "Link by number"),
        phone_label: say("Номер WhatsApp салона", "The salon's WhatsApp number"),
        phone_note: say("В любом виде: 8 916…, +7 (916)…", "Any writing: +49 30…, 8 916…"),
        phone_wrong: say(
            "Проверьте номер: например, +7\u{a0}916\u{a0}123\u{2011}45\u{2011}67",
            "Check the number: for example, +7\u{a0}916\u{a0}123\u{2011}45\u{2011}67",
        ),
        code_ask: say("Получить код", "Get the code"),
        code_another: say("Получить новый код", "Get a new code"),
        code_ready: say("Код готов:", "The code is ready:"),
        code_copy: say("Скопировать", "Copy"),
        code_copied: say("Скопировано", "Copied"),
        code_left: say("Действует ещё\u{a0}{n}\u{a0}с", "Good for {n}\u{a0}s"),
        code_over: say("Код устарел, запросите новый", "The code is over, ask for a new one"),
        code_step_1: say("Откройте WhatsApp на телефоне салона", "Open WhatsApp on the salon's phone"),
        code_step_2: say(
            "Связанные устройства → Привязка устройства → Связать по номеру телефона",
            "Linked devices → Link a device → Link with phone number instead",
        ),
        code_step_3: say("Введите этот код", "Enter this code"),
        working_title: say("Почти готово", "Almost there"),
        working_linked: say("WhatsApp подключён", "WhatsApp is linked"),
        working_activating: say("Включаем ассистента в YClients…", "Switching the assistant on in YClients…"),
        already_title: say("WhatsApp подключён, ассистент на смене", "WhatsApp is linked, the assistant is at work"),
        done_title: say("Готово, ассистент на смене", "Done, the assistant is at work"),
        done_text: say("Он уже отвечает клиентам в WhatsApp", "It answers customers in WhatsApp"),
        done_next: say(
            "Проверьте: напишите на номер салона с другого телефона, например «Сколько стоит маникюр?». Когда в чат пишете вы сами, ассистент молчит.",
            "Try it: write to the salon's number from another phone, for example “How much is a manicure?”. Where you write yourself, the assistant keeps silent.",
        ),
        sync_title: say("Загружаем данные салона", "Loading the salon's data"),
        sync_done: say("Данные салона загружены", "The salon's data is loaded"),
        modules: [
            ("company", say("Салон", "Salon")),
            ("services", say("Услуги", "Services")),
            ("staff", say("Мастера", "Staff")),
            ("schedules", say("Расписание", "Schedule")),
            ("clients", say("Клиенты", "Clients")),
            ("bookings", say("Записи", "Bookings")),
        ]
        .into(),
        back: TO_YCLIENTS.in_lang(lang),
        again: TRY_AGAIN.in_lang(lang),
        no_answer: say("Сервер не ответил. Проверьте интернет.", "The server did not answer. Check the connection."),
        trouble_title: say("WhatsApp не подключается", "WhatsApp cannot be linked"),
        states: states(lang),
        until: say("Блокировка кончится {when}.", "The ban ends on {when}."),
        taken_title: say("Этот номер занят другим филиалом", "This number serves another branch"),
        activation_title: say("Не получилось включить", "It could not be switched on"),
        expired_title: say("Ссылка устарела", "The link is out of date"),
        timeout_title: say("WhatsApp так и не подключился", "WhatsApp was not linked"),
        timeout_text: say(
            "Прошло две минуты. Проверьте интернет на телефоне и попробуйте ещё раз.",
            "Two minutes have passed. Check the phone's connection and try again.",
        ),
        noscript: say("Включите JavaScript: без него код не показать.", "Switch JavaScript on: the code cannot be shown without it."),
    }
}

fn states(lang: Lang) -> std::collections::BTreeMap<&'static str, StateWords> {
    let words = [
        (
            "replaced",
            said("WhatsApp открыт в другой программе", "WhatsApp is open in another program"),
            said(
                "Другая программа перехватила этот сеанс, и сообщения приходят ей. Закройте её и попробуйте ещё раз.",
                "Another program took this session over and gets the messages. Close it and try again.",
            ),
        ),
        (
            "passkey_required",
            said("WhatsApp просит ключ доступа", "WhatsApp asks for a passkey"),
            said(
                "Вход для этого номера защищён ключом доступа (passkey), подтвердить его за вас мы не можем. Что поможет: отключите ключ доступа \
                 в WhatsApp (Настройки → Аккаунт → Ключи доступа) и попробуйте ещё раз, или подключите другой номер.",
                "This number is guarded by a passkey, which we cannot confirm for you. What helps: switch the passkey off in WhatsApp \
                 (Settings → Account → Passkeys) and try again, or link another number.",
            ),
        ),
        (
            "banned",
            said("WhatsApp временно заблокировал номер", "WhatsApp has banned the number for a time"),
            said(
                "Так бывает, когда номер недавно заведён или много пишет незнакомым людям. Подождите: после блокировки мы подключимся сами.",
                "It happens to new numbers and to those that write to many strangers. Please wait: after the ban we link by ourselves.",
            ),
        ),
        (
            "outdated",
            said("WhatsApp требует обновления", "WhatsApp asks for an update"),
            said(
                "Дело на нашей стороне, и мы уже обновляемся. Загляните сюда через час, с телефоном ничего делать не нужно.",
                "It is on our side, and we are at it. Come back in an hour; nothing has to be done with the phone.",
            ),
        ),
        (
            "restricted",
            said("WhatsApp ограничил новые чаты", "WhatsApp restricts new chats"),
            said(
                "WhatsApp пока не даёт этому номеру писать новым клиентам. Тем, кто пишет сам, ответы доходят.",
                "WhatsApp does not let this number write to new customers for now. Those who write first get their answers.",
            ),
        ),
    ];
    words.into_iter().map(|(state, title, text)| (state, StateWords { title: title.in_lang(lang), text: text.in_lang(lang) })).collect()
}

/// The words of the landing page.
pub(crate) struct Landing {
    pub(crate) title: &'static str,
    pub(crate) what: &'static str,
    pub(crate) first: &'static str,
    pub(crate) second: &'static str,
    pub(crate) third: &'static str,
    pub(crate) how: &'static str,
    pub(crate) go: &'static str,
}

/// The words of the landing page in that language.
pub(crate) fn landing(lang: Lang) -> Landing {
    let say = |ru, en| said(ru, en).in_lang(lang);
    Landing {
        title: say("Администратор салона в WhatsApp", "Your salon's receptionist in WhatsApp"),
        what: say(
            "Отвечает клиентам в любое время и ведёт запись в YClients.",
            "Answers customers at any hour and books them in YClients.",
        ),
        first: say("Подбирает время, записывает, переносит и отменяет", "Finds a time, books, moves and cancels"),
        second: say("Называет только те цены и окна, что есть в YClients", "Names only prices and times that YClients holds"),
        third: say("Молчит, когда клиенту пишете вы", "Keeps silent where you write yourself"),
        how: say(
            "Подключение занимает полминуты и начинается в маркетплейсе YClients.",
            "Linking takes half a minute and starts in the YClients marketplace.",
        ),
        go: say("Открыть маркетплейс", "Open the marketplace"),
    }
}
