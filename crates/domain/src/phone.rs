use std::fmt;

use serde::{Deserialize, Serialize};

/// A phone number: country code and digits, without plus (`79161234567`).
///
/// `Display` and `Debug` are masked so that a number cannot slip into a log; [`Phone::digits`]
/// and [`Phone::pretty`] are asked for by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// Why a text is no phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number")]
pub struct PhoneError;

impl Phone {
    /// Reads any usual writing: `8 916 123-45-67`, `+7 (916) 123-45-67`, `9161234567`,
    /// `+49 30 …`. A number without a country code is Russian.
    ///
    /// # Errors
    /// [`PhoneError`] when the text is no possible number.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        if text.len() > 40 || text.chars().any(|c| !(c.is_ascii_digit() || " +()-.\u{a0}\u{2011}\u{2013}".contains(c))) {
            return Err(PhoneError);
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let international = text.trim_start().starts_with('+');
        let digits = match (digits.len(), digits.as_bytes().first()) {
            (10, Some(b'9' | b'8' | b'4' | b'3')) if !international => format!("7{digits}"),
            (11, Some(b'8')) if !international => format!("7{}", &digits[1..]),
            _ => digits,
        };
        Self::from_digits(&digits)
    }

    /// A number that is already digits with a country code, as WhatsApp and YClients send it.
    ///
    /// # Errors
    /// [`PhoneError`] when it is not 8 to 15 digits (ITU-T E.164) or no country's number.
    pub fn from_digits(digits: &str) -> Result<Self, PhoneError> {
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (8..=15).contains(&digits.len()) && !digits.starts_with('0');
        let russian = digits.starts_with('7') && digits.len() == 11;
        if plain && (russian || (!digits.starts_with('7') && phonenumber::parse(None, format!("+{digits}")).is_ok())) {
            Ok(Self(digits.to_owned()))
        } else {
            Err(PhoneError)
        }
    }

    /// Digits with country code, without plus.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// As people write it: `+7 916 123-45-67`; other countries as `+` and digits.
    pub fn pretty(&self) -> String {
        match self.0.as_bytes() {
            [b'7', ..] if self.0.len() == 11 => {
                format!("+7 {} {}-{}-{}", &self.0[1..4], &self.0[4..7], &self.0[7..9], &self.0[9..])
            }
            _ => format!("+{}", self.0),
        }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}***{}", &self.0[..2], &self.0[self.0.len() - 2..])
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({self})")
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;
    fn try_from(value: String) -> Result<Self, PhoneError> {
        Self::from_digits(&value)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_usual_writing() {
        for (text, digits) in [
            ("79161234567", Some("79161234567")),
            ("8 916 123-45-67", Some("79161234567")),
            ("+7 (916) 123-45-67", Some("79161234567")),
            ("916 123 45 67", Some("79161234567")),
            ("8(495)123-45-67", Some("74951234567")),
            ("+49 30 901820", Some("4930901820")),
            ("+1 650 253 0000", Some("16502530000")),
            ("+7 916 123-45-6", None),
            ("12345", None),
            ("", None),
            ("+", None),
            ("позвоните мне", None),
            ("79161234567; drop", None),
            ("00000000000", None),
        ] {
            assert_eq!(Phone::parse(text).ok().as_ref().map(Phone::digits), digits, "{text}");
        }
    }

    #[test]
    fn never_whole_in_a_log() {
        let phone = Phone::parse("79161234567").expect("a phone");
        assert_eq!(format!("{phone} {phone:?}"), "79***67 Phone(79***67)");
        assert_eq!(phone.pretty(), "+7 916 123-45-67");
    }
}
