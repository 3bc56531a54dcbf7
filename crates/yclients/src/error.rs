use serde_json::Value;

/// Why a call to YClients gave nothing.
///
/// Messages are YClients' own words, shortened; they may name staff but hold no token or phone.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable answer: connection, timeout, 5xx, or a page of HTML.
    #[error("YClients did not answer {call}: {reason}")]
    Unavailable {
        /// Which call.
        call: &'static str,
        /// What came instead of an answer.
        reason: String,
        /// A write may have been done nonetheless.
        outcome_unknown: bool,
    },
    /// 429 even after waiting; nothing was done.
    #[error("YClients: too many requests")]
    RateLimited,
    /// 401: a token is missing, wrong or dead.
    #[error("YClients does not know us: {message}")]
    Unauthorized {
        /// YClients' words.
        message: String,
    },
    /// The right to write has passed to somebody else; nothing was sent.
    #[error("{call} is another's to make by now")]
    NotOurs {
        /// Which call.
        call: &'static str,
    },
    /// The call needs the user token and none is configured.
    #[error("{call} needs YCLIENTS_USER_TOKEN")]
    NoUserToken {
        /// Which call.
        call: &'static str,
    },
    /// 403: our user has not the right, or the salon forbids it.
    #[error("YClients forbids it: {message}")]
    Forbidden {
        /// YClients' words.
        message: String,
    },
    /// The salon has not paid YClients (402, or 403 with that text).
    #[error("the salon's YClients licence has expired")]
    LicenceExpired,
    /// 404.
    #[error("YClients has no such thing: {message}")]
    NotFound {
        /// YClients' words.
        message: String,
    },
    /// The call was understood and refused; nothing was done.
    #[error("YClients refuses: {message}")]
    Refused {
        /// Why, where YClients gives a reason we know.
        code: Option<BookingCode>,
        /// YClients' words.
        message: String,
    },
    /// The answer is JSON of an unexpected shape.
    #[error("unreadable answer to {call} at {at}")]
    Unreadable {
        /// Which call.
        call: &'static str,
        /// The path inside the answer, without the values there.
        at: String,
        /// The call was a write, so it was most likely done.
        outcome_unknown: bool,
    },
}

impl Error {
    /// The write may have been done: look before anything else is tried.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Unavailable { outcome_unknown: true, .. } | Self::Unreadable { outcome_unknown: true, .. })
    }

    /// The same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::RateLimited)
    }

    /// The reason of a refused booking.
    pub fn booking_code(&self) -> Option<BookingCode> {
        match self {
            Self::Refused { code, .. } => *code,
            _ => None,
        }
    }

    /// What a status and a JSON body that is no success mean.
    pub(crate) fn from_answer(call: &'static str, writes: bool, status: u16, body: &Value) -> Self {
        let message = message_of(body);
        let says = |word: &str| message.to_lowercase().contains(word);
        let code = BookingCode::of(body, &message);
        match status {
            429 => Self::RateLimited,
            500.. => Self::Unavailable { call, reason: format!("status {status}: {message}"), outcome_unknown: writes },
            402 => Self::LicenceExpired,
            _ if says("продлить лицензию") => Self::LicenceExpired,
            401 => Self::Unauthorized { message },
            _ if code.is_some() => Self::Refused { code, message },
            403 => Self::Forbidden { message },
            404 => Self::NotFound { message },
            // A refusal may come with status 200; then only its words tell its kind.
            200..=299 if says("авторизац") || says("идентификатор партнера") => {
                Self::Unauthorized { message }
            }
            200..=299 if says("нет прав") || says("недостаточно прав") => Self::Forbidden { message },
            200..=299 if says("не найден") => Self::NotFound { message },
            _ => Self::Refused { code: None, message },
        }
    }
}

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("YClients client: {0}")]
pub struct SetupError(pub(crate) String);

/// Why a booking is refused (codes 431–438 of the API text).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BookingCode {
    /// 431: the phone is malformed.
    BadPhone,
    /// 432: wrong SMS code; the salon wants phones confirmed.
    WrongSmsCode,
    /// 433: the time is taken or outside working hours.
    TimeTaken,
    /// 434: the phone is on the salon's black list.
    PhoneBlacklisted,
    /// 435: no name.
    NoName,
    /// 436: no master is free then.
    NobodyFree,
    /// 437: it overlaps another appointment of the same request.
    Overlaps,
    /// 438: the service can no longer be booked.
    ServiceGone,
    /// The master takes no bookings or does not do this service (also for the id of a composite).
    StaffUnavailable,
}

impl BookingCode {
    fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            431 => Self::BadPhone,
            432 => Self::WrongSmsCode,
            433 => Self::TimeTaken,
            434 => Self::PhoneBlacklisted,
            435 => Self::NoName,
            436 => Self::NobodyFree,
            437 => Self::Overlaps,
            438 => Self::ServiceGone,
            _ => return None,
        })
    }

    /// The JSON place of the code is not documented, so every plausible one is read, then the words.
    fn of(body: &Value, message: &str) -> Option<Self> {
        let places = ["/meta/errors/code", "/meta/errors/0/code", "/meta/code", "/errors/code", "/error/code"];
        let number = |place: &str| match body.pointer(place)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        places.into_iter().filter_map(number).find_map(Self::from_number).or_else(|| {
            let message = message.to_lowercase();
            [
                ("уже занято", Self::TimeTaken),
                ("нерабоч", Self::TimeTaken),
                ("черн", Self::PhoneBlacklisted),
                ("чёрн", Self::PhoneBlacklisted),
                ("не оказывает", Self::StaffUnavailable),
                ("сотрудник недоступен", Self::StaffUnavailable),
            ]
            .into_iter()
            .find_map(|(words, code)| message.contains(words).then_some(code))
        })
    }
}

/// YClients' words, from wherever this envelope keeps them, at most 200 characters.
pub(crate) fn message_of(body: &Value) -> String {
    let places = ["/meta/message", "/errors/message", "/error/message", "/message", "/error"];
    let text = places.into_iter().find_map(|place| body.pointer(place)?.as_str()).unwrap_or("no message");
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(status: u16, body: &Value) -> String {
        match Error::from_answer("call", true, status, body) {
            Error::Refused { code, .. } => format!("refused {code:?}"),
            Error::Unavailable { outcome_unknown, .. } => format!("unavailable {outcome_unknown}"),
            Error::RateLimited => "rate limited".to_owned(),
            Error::Unauthorized { .. } => "unauthorized".to_owned(),
            Error::Forbidden { .. } => "forbidden".to_owned(),
            Error::LicenceExpired => "licence".to_owned(),
            Error::NotFound { .. } => "not found".to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn refusals_by_status_code_place_and_words() {
        let says = |text: &str| json!({"success": false, "data": null, "meta": {"message": text}});
        for (status, body, expected) in [
            (401, says("Не указан идентификатор партнера"), "unauthorized"),
            (
                401,
                json!({"errors": {"code": 401, "message": "Необходима авторизация"}, "meta": {"message": "Необходима авторизация"}}),
                "unauthorized",
            ),
            (402, says("Необходимо продлить лицензию в филиале с id: 1"), "licence"),
            (403, says("Необходимо продлить лицензию в филиале с id: 1"), "licence"),
            (403, says("Нет прав на управление филиалом"), "forbidden"),
            (404, says("Филиал не найден."), "not found"),
            (404, says("Сотрудник не оказывает выбранную услугу"), "refused Some(StaffUnavailable)"),
            (404, says("Сотрудник недоступен"), "refused Some(StaffUnavailable)"),
            (400, says("Недопустимый формат запроса"), "refused None"),
            (429, json!(null), "rate limited"),
            (503, says("потом"), "unavailable true"),
            (200, says("Недостаточно прав"), "forbidden"),
            (200, says("Услуга не найдена."), "not found"),
            (200, says("Необходима авторизация"), "unauthorized"),
            (200, json!({"success": false, "data": null, "meta": []}), "refused None"),
            (422, json!({"success": false, "meta": {"errors": {"code": 433, "id": 1}}}), "refused Some(TimeTaken)"),
            (422, json!({"success": false, "meta": {"code": "436"}}), "refused Some(NobodyFree)"),
            (422, json!({"errors": {"code": 431}}), "refused Some(BadPhone)"),
            (422, json!({"error": {"code": 437}}), "refused Some(Overlaps)"),
            (403, json!({"success": false, "meta": {"errors": {"code": 434}}}), "refused Some(PhoneBlacklisted)"),
            (
                422,
                says(
                    "К сотруднику Ирина Александровна(6544) нельзя записаться на 30 сентября 2015 в 16:00. Выбранное время уже занято или является нерабочим.",
                ),
                "refused Some(TimeTaken)",
            ),
            (422, says("Телефон в чёрном списке"), "refused Some(PhoneBlacklisted)"),
        ] {
            assert_eq!(kind(status, &body), expected, "{status} {body}");
        }
    }
}
