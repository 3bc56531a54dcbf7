//! What can be verified of what YClients sends: the user data of the marketplace's redirect, the
//! partner token of its lifecycle webhooks, and the body signature of the design papers' dialect.

use base64::{Engine, alphabet, engine};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::lenient;

/// Who pressed «Подключить», as signed by the marketplace. The salon's id is *not* under the
/// signature, and neither a nonce nor a time is: it is no login.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserData {
    /// The user's id; the knowledge base's sample calls it `user_id`.
    #[serde(default, alias = "user_id", deserialize_with = "lenient::maybe_int")]
    pub id: Option<i64>,
    /// May be empty, as all texts here.
    #[serde(default, alias = "user_name", deserialize_with = "lenient::text")]
    pub name: String,
    /// As YClients writes it.
    #[serde(default, alias = "user_phone", deserialize_with = "lenient::text")]
    pub phone: String,
    /// E-mail.
    #[serde(default, alias = "user_email", deserialize_with = "lenient::text")]
    pub email: String,
    /// The user has confirmed the account.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_approved: bool,
    /// A picture's address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub avatar: String,
    /// The salon's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub salon_name: String,
}

/// Why signed user data is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Longer than any real one, or no base64.
    #[error("user_data is not readable")]
    Unreadable,
    /// The signature is another's.
    #[error("user_data_sign is wrong")]
    Wrong,
    /// Rightly signed, but no JSON object.
    #[error("user_data is no user")]
    NoUser,
}

const LONGEST_USER_DATA: usize = 16 << 10;

/// Either alphabet once `-_` are replaced, padded or not, stray bits of the last letter allowed.
const ANY_BASE64: engine::GeneralPurpose = engine::GeneralPurpose::new(
    &alphabet::STANDARD,
    engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Verifies and reads the `user_data` of the redirect. `user_data_sign` is the hex HMAC-SHA256,
/// keyed by the partner token, of the *decoded* JSON bytes (confirmed by YClients' moderators).
///
/// # Errors
/// [`SignatureError`]; the comparison takes the same time whatever differs.
pub fn verify_user_data(partner_token: &SecretString, user_data: &str, user_data_sign: &str) -> Result<UserData, SignatureError> {
    if user_data.len() > LONGEST_USER_DATA {
        return Err(SignatureError::Unreadable);
    }
    // A plus of the standard alphabet reaches us as a space when nobody escaped it in the URL.
    let standard: String = user_data
        .trim_end()
        .chars()
        .map(|c| match c {
            '-' | ' ' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let json = ANY_BASE64.decode(standard).map_err(|_| SignatureError::Unreadable)?;
    if !is_signed(partner_token, &json, user_data_sign) {
        return Err(SignatureError::Wrong);
    }
    serde_json::from_slice(&json).map_err(|_| SignatureError::NoUser)
}

/// Verifies an `X-Yclients-Signature`: the hex HMAC-SHA256 of the raw body, keyed by the webhook secret.
pub fn verify_body(webhook_secret: &SecretString, body: &[u8], signature: &str) -> bool {
    is_signed(webhook_secret, body, signature)
}

/// Compares two secrets in a time that tells nothing of either.
pub fn same_secret(ours: &SecretString, theirs: &SecretString) -> bool {
    let digest = |secret: &SecretString| Sha256::digest(secret.expose_secret().as_bytes());
    digest(ours).ct_eq(&digest(theirs)).into()
}

fn is_signed(key: &SecretString, message: &[u8], hex: &str) -> bool {
    let Some(signature) = from_hex(hex.trim()) else { return false };
    // An empty key would let everybody sign.
    if key.expose_secret().is_empty() {
        return false;
    }
    Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
        .is_ok_and(|mac| mac.chain_update(message).verify_slice(&signature).is_ok())
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// User id, its JSON in the standard alphabet and in the URL-safe one, the signature, and the
    /// wrong signature over the base64. Made by Python's `hmac`, `json` and `base64`.
    const GOLDEN: [(i64, &str, &str, &str, &str); 2] = [
        (
            10582478,
            "eyJpZCI6MTA1ODI0NzgsIm5hbWUiOiLQnNCw0YDQuNGPINCY0LLQsNC90L7QstCwIiwicGhvbmUiOiI3OTE2MTIzNDU2NyIsImVtYWlsIjoibUBleGFtcGxlLnJ1IiwiaXNfYXBwcm92ZWQiOnRydWUsImF2YXRhciI6Imh0dHBzOi8vZXhhbXBsZS5ydS9hLnBuZz94PTEiLCJzYWxvbl9uYW1lIjoi0KHRgtGD0LTQuNGPIMKr0JvQuNGA0LDCuyA/Pz8+Pj5+fiEifQ==",
            "eyJpZCI6MTA1ODI0NzgsIm5hbWUiOiLQnNCw0YDQuNGPINCY0LLQsNC90L7QstCwIiwicGhvbmUiOiI3OTE2MTIzNDU2NyIsImVtYWlsIjoibUBleGFtcGxlLnJ1IiwiaXNfYXBwcm92ZWQiOnRydWUsImF2YXRhciI6Imh0dHBzOi8vZXhhbXBsZS5ydS9hLnBuZz94PTEiLCJzYWxvbl9uYW1lIjoi0KHRgtGD0LTQuNGPIMKr0JvQuNGA0LDCuyA_Pz8-Pj5-fiEifQ==",
            "669d81cf47f261cd098d4ecc30427ae95d86ff4419068ecae55f0e8cc9fea9f0",
            "22bb5c4f1ed33ca902f3f7e088a1841e0464a71855a67a910238e78797d26166",
        ),
        (
            701,
            "eyJ1c2VyX2lkIjo3MDEsIm5hbWUiOiLQr9C9IiwicGhvbmUiOjc5MTYxMjM0NTY3LCJzYWxvbl9uYW1lIjoi0JvQuNGA0LA/Pz8+Pj4ifQ==",
            "eyJ1c2VyX2lkIjo3MDEsIm5hbWUiOiLQr9C9IiwicGhvbmUiOjc5MTYxMjM0NTY3LCJzYWxvbl9uYW1lIjoi0JvQuNGA0LA_Pz8-Pj4ifQ==",
            "a5bbd6c213e12bf6f39d219083484c1433af55803f9e713d592b5a93a412c509",
            "138c191d0df49029bbd45940a753f4583c9e9488fa27c53c460f5b88018bcff7",
        ),
    ];

    fn key() -> SecretString {
        "golden-partner-token".into()
    }

    #[test]
    fn golden_vectors_in_every_writing() {
        for (id, standard, url_safe, sign, over_base64) in GOLDEN {
            let unescaped = standard.replace('+', " ");
            let upper = sign.to_uppercase();
            for data in [standard, url_safe, standard.trim_end_matches('='), url_safe.trim_end_matches('='), &unescaped] {
                for sign in [sign, &upper] {
                    let user = verify_user_data(&key(), data, sign).expect("rightly signed");
                    assert_eq!((user.id, user.phone.as_str()), (Some(id), "79161234567"));
                }
            }
            assert_eq!(verify_user_data(&key(), url_safe, over_base64), Err(SignatureError::Wrong));
            assert_eq!(verify_user_data(&"another".into(), url_safe, sign), Err(SignatureError::Wrong));
            assert_eq!(verify_user_data(&key(), &url_safe[4..], sign), Err(SignatureError::Wrong));
            assert_eq!(verify_user_data(&key(), url_safe, &sign[2..]), Err(SignatureError::Wrong));
            assert_eq!(verify_user_data(&key(), url_safe, ""), Err(SignatureError::Wrong));
            assert_eq!(verify_user_data(&key(), "не base64", sign), Err(SignatureError::Unreadable));
        }
        assert_eq!(verify_user_data(&key(), &"A".repeat(LONGEST_USER_DATA + 1), GOLDEN[0].3), Err(SignatureError::Unreadable));
    }

    #[test]
    fn bodies_and_secrets() {
        let body = br#"{"event_type":"payment","salon_id":123}"#;
        // Made by Python's `hmac`.
        let sign = "c48854d127cd84f7e2d005f8cd875e4ed3943e6e389377130726aa6099ba6487";
        assert!(verify_body(&"hook-secret".into(), body, sign));
        assert!(!verify_body(&"hook-secret".into(), &body[1..], sign));
        assert!(!verify_body(&"".into(), body, sign));
        assert!(same_secret(&"a".into(), &"a".into()));
        assert!(!same_secret(&"a".into(), &"ab".into()));
    }

    proptest::proptest! {
        #[test]
        fn hostile_input_never_panics(data in ".{0,80}", sign in ".{0,80}") {
            assert!(verify_user_data(&key(), &data, &sign).is_err());
        }
    }
}
