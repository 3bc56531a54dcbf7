//! Readers for fields whose JSON type varies between answers of the API. Each says what it
//! forgives; anything else is an error, since a guessed value would reach a customer.

use domain::Money;
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().replace(',', ".").parse().ok().filter(|n: &f64| n.is_finite()),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        _ => None,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) if n.is_i64() => n.as_i64(),
        Value::String(text) if text.trim().parse::<i64>().is_ok() => text.trim().parse().ok(),
        // Ids and seconds are far below 2^53, so a float holds them exactly.
        other => number(other).filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64),
    }
}

/// An integer as number, integral float, string or flag.
pub(crate) fn int<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    whole(&Value::deserialize(from)?).ok_or_else(|| D::Error::custom("no integer"))
}

/// As [`int`]; null, `""`, `[]` and `{}` are none.
pub(crate) fn maybe_int<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(from)?;
    if is_nothing(&value) { Ok(None) } else { whole(&value).map(Some).ok_or_else(|| D::Error::custom("no integer")) }
}

/// A float as number or string; anything else is none.
pub(crate) fn maybe_float<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(number(&Value::deserialize(from)?))
}

/// Whole units of a currency from int, float or string, rounded half up; nothing is none.
pub(crate) fn maybe_money<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Money>, D::Error> {
    let value = Value::deserialize(from)?;
    if is_nothing(&value) {
        return Ok(None);
    }
    number(&value).map(|n| Some(Money((n + 0.5).floor() as i64))).ok_or_else(|| D::Error::custom("no amount"))
}

/// A flag as bool, 0/1 or text; nothing is false.
pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(truth(&Value::deserialize(from)?))
}

/// As [`flag`]; null and an empty text are none.
pub(crate) fn maybe_flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok((!is_nothing(&value)).then(|| truth(&value)))
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) if text.eq_ignore_ascii_case("true") => true,
        other => number(other).is_some_and(|n| n != 0.0),
    }
}

/// A text; a number is written out (phones come so), anything else is empty.
pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

/// An object; PHP writes an empty one as `[]`. Nothing is none.
pub(crate) fn maybe_object<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(from)?;
    if is_nothing(&value) { Ok(None) } else { T::deserialize(value).map(Some).map_err(D::Error::custom) }
}

/// A list; null is empty, and a PHP array with gaps comes as an object whose values are meant.
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    values(Value::deserialize(from)?).into_iter().map(|value| T::deserialize(value).map_err(D::Error::custom)).collect()
}

fn values(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Object(fields) => fields.into_iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    }
}

/// The naive part of `2019-01-16 16:00:00`, `2019-01-16T16:00:00+09:00`, `…+0900` or `…T16:00`:
/// the salon's wall clock, whatever offset stands behind it. A bare date is none.
pub(crate) fn naive(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let end = text.char_indices().skip(11).find(|(_, c)| !(c.is_ascii_digit() || *c == ':')).map_or(text.len(), |(at, _)| at);
    let naive = text.get(..end)?;
    if naive.len() < "2019-01-16T16:00".len() { None } else { naive.parse().ok() }
}

/// The day of a date or of a moment; YClients writes `0000-00-00` for none.
pub(crate) fn day(text: &str) -> Option<Date> {
    text.trim().get(..10)?.parse().ok()
}

/// A wall clock time: `9:30`, `09:30`, `09:30:00`; `24:00` is the day's last minute.
pub(crate) fn time(text: &str) -> Option<Time> {
    let mut parts = text.trim().split(':');
    let hour: i8 = parts.next()?.parse().ok()?;
    let minute: i8 = parts.next()?.parse().ok()?;
    if (hour, minute) == (24, 0) { Time::new(23, 59, 0, 0).ok() } else { Time::new(hour, minute, 0, 0).ok() }
}

/// A moment with an offset, `+09:00` or `+0900`.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Wire {
        #[serde(deserialize_with = "int")]
        id: i64,
        #[serde(default, deserialize_with = "maybe_int")]
        visit: Option<i64>,
        #[serde(default, deserialize_with = "maybe_float")]
        rating: Option<f64>,
        #[serde(default, deserialize_with = "maybe_money")]
        cost: Option<Money>,
        #[serde(default, deserialize_with = "flag")]
        deleted: bool,
        #[serde(default, deserialize_with = "text")]
        phone: String,
        #[serde(default, deserialize_with = "maybe_object")]
        position: Option<std::collections::BTreeMap<String, Value>>,
        #[serde(default, deserialize_with = "list")]
        parts: Vec<i64>,
    }

    #[test]
    fn every_writing_of_a_field() {
        let read = |value: Value| -> Wire { serde_json::from_value(value).expect("readable") };
        let strings = read(json!({"id": "12", "visit": "8262996", "rating": "4.9", "cost": "1300.50", "deleted": "1",
            "phone": "+79161234567", "position": [], "parts": {"0": 1, "2": 3}}));
        assert_eq!((strings.id, strings.visit, strings.rating, strings.cost), (12, Some(8_262_996), Some(4.9), Some(Money(1301))));
        assert_eq!((strings.deleted, strings.phone.as_str(), strings.position.is_none()), (true, "+79161234567", true));
        assert_eq!(strings.parts, [1, 3]);

        let numbers = read(json!({"id": 12.0, "visit": "", "rating": 0, "cost": 99.4, "deleted": 0, "phone": 79161234567_i64,
            "position": {"id": 1}, "parts": null}));
        assert_eq!((numbers.id, numbers.visit, numbers.rating, numbers.cost), (12, None, Some(0.0), Some(Money(99))));
        assert_eq!((numbers.deleted, numbers.phone.as_str(), numbers.position.is_some()), (false, "79161234567", true));

        let nothing = read(json!({"id": 1, "visit": null, "rating": null, "cost": null, "deleted": null, "phone": null, "position": null}));
        assert_eq!((nothing.visit, nothing.rating, nothing.cost, nothing.deleted), (None, None, None, false));
        assert!(nothing.position.is_none() && nothing.phone.is_empty() && nothing.parts.is_empty());

        for wrong in [json!({"id": "x"}), json!({"id": 1.5}), json!({"id": null}), json!({"id": 1, "cost": "дорого"})] {
            assert!(serde_json::from_value::<Wire>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_writing_of_a_time() {
        let noon = DateTime::constant(2019, 1, 16, 16, 0, 0, 0);
        for text in [
            "2019-01-16 16:00:00",
            "2019-01-16T16:00:00",
            "2019-01-16T16:00",
            "2019-01-16T16:00:00+09:00",
            "2019-01-16T16:00:00+0900",
            "2019-01-16T16:00:00-03:00",
            "2019-01-16T16:00:00Z",
        ] {
            assert_eq!(naive(text), Some(noon), "{text}");
        }
        for text in ["", "2019-01-16", "0000-00-00 00:00:00", "завтра в пять вечера уже"] {
            assert_eq!(naive(text), None, "{text}");
        }
        assert_eq!(moment("2019-01-16T20:35:15+0900"), moment("2019-01-16T11:35:15Z"));
        assert_eq!(moment("2019-01-16T20:35:15+09:00"), moment("2019-01-16T11:35:15Z"));
        assert!(moment("2019-01-16T20:35:15+0900").is_some());
        assert_eq!(
            (time("9:30"), time("24:00"), time("25:00"), time("")),
            (Time::new(9, 30, 0, 0).ok(), Time::new(23, 59, 0, 0).ok(), None, None)
        );
        assert_eq!(
            (day("2015-09-04"), day("0000-00-00"), day("2015-09-04T10:00:00+0300")),
            (Date::new(2015, 9, 4).ok(), None, Date::new(2015, 9, 4).ok())
        );
    }
}
