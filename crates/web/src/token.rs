//! The token of a registration: JWT, HS256, one hour, issued to whoever came through the marketplace.

use domain::{CompanyId, SalonId};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::tokens;
use uuid::Uuid;

use crate::{Fault, Web};

/// Seconds a token is good for.
const LIFETIME: i64 = 3600;
/// Longer texts are no tokens of ours.
const LONGEST: usize = 4096;
const KIND: &str = "marketplace_registration";

/// What a token says; the names are those of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The tenant.
    pub company_id: CompanyId,
    /// The same salon as YClients knows it.
    pub salon_id: SalonId,
    /// Always `marketplace_registration`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who pressed «Подключить», where YClients said.
    #[serde(default)]
    pub user_data: UserData,
    /// Issued, unix seconds of the calendar.
    pub iat: i64,
    /// Good until, unix seconds of the calendar.
    pub exp: i64,
    /// The companies that came in one redirect, the token's own among them; empty where it came alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<CompanyId>,
    /// Tells two tokens of one second apart, so that taking one back leaves the other good.
    #[serde(default)]
    pub jti: String,
}

/// Who pressed «Подключить».
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserData {
    /// YClients' id of the user.
    pub user_id: Option<String>,
    /// Their name.
    pub user_name: Option<String>,
    /// Their phone, as YClients writes it.
    pub user_phone: Option<String>,
    /// Their e-mail.
    pub user_email: Option<String>,
}

/// Issues and checks tokens.
#[derive(Clone)]
pub(crate) struct Tokens {
    key: EncodingKey,
    verify: DecodingKey,
}

impl Tokens {
    pub(crate) fn new(secret: &SecretString) -> Self {
        let secret = secret.expose_secret().as_bytes();
        Self { key: EncodingKey::from_secret(secret), verify: DecodingKey::from_secret(secret) }
    }

    /// A token for that salon and when it runs out.
    pub(crate) fn issue(
        &self,
        company_id: CompanyId,
        salon_id: SalonId,
        user_data: UserData,
        branches: Vec<CompanyId>,
        now: Timestamp,
    ) -> Result<(String, Timestamp), Fault> {
        let iat = now.as_second();
        let (kind, jti) = (KIND.to_owned(), Uuid::new_v4().to_string());
        self.sign(&Claims { company_id, salon_id, kind, user_data, iat, exp: iat + LIFETIME, branches, jti })
    }

    /// A token for another of the branches that came with this one, good for what is left of the same hour.
    pub(crate) fn issue_for_branch(&self, of: &Claims, company_id: CompanyId, salon_id: SalonId) -> Result<(String, Timestamp), Fault> {
        self.sign(&Claims { company_id, salon_id, jti: Uuid::new_v4().to_string(), ..of.clone() })
    }

    fn sign(&self, claims: &Claims) -> Result<(String, Timestamp), Fault> {
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.key).map_err(Fault::internal)?;
        Ok((token, Timestamp::from_second(claims.exp).map_err(Fault::internal)?))
    }

    /// The claims of an authentic token, however old. jsonwebtoken would measure `exp` by the
    /// system's clock, so it is left to [`Claims::expired`].
    pub(crate) fn authentic(&self, token: &str) -> Result<Claims, Fault> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.validate_exp = false;
        rules.required_spec_claims.clear();
        let claims = (token.len() <= LONGEST).then(|| jsonwebtoken::decode::<Claims>(token, &self.verify, &rules).ok()).flatten();
        claims.map(|data| data.claims).filter(|claims| claims.kind == KIND).ok_or(Fault::TokenInvalid)
    }

    /// The claims of an authentic token that is still good.
    pub(crate) fn good(&self, token: &str, now: Timestamp) -> Result<Claims, Fault> {
        let claims = self.authentic(token)?;
        if claims.expired(now) { Err(Fault::TokenExpired) } else { Ok(claims) }
    }
}

impl Claims {
    /// The hour is over.
    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        now.as_second() >= self.exp
    }
}

/// What a token is written down by: nobody can make the token of it.
pub(crate) fn digest(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Web {
    /// The claims of a token that is authentic, still good, and not taken back.
    pub(crate) async fn registration(&self, token: &str) -> Result<Claims, Fault> {
        let claims = self.tokens.good(token, self.app.clock.now())?;
        let issued = tokens::get(&mut self.app.store.read().await?, claims.company_id, &digest(token)).await?;
        if issued.is_some_and(|issued| !issued.revoked) { Ok(claims) } else { Err(Fault::TokenInvalid) }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(&SecretString::from("0123456789abcdef0123456789abcdef"))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    fn issued() -> String {
        let user = UserData { user_name: Some("Ольга".into()), ..UserData::default() };
        tokens().issue(CompanyId(7), SalonId(962_302), user, Vec::new(), at(1_000_000)).expect("a token").0
    }

    /// The same token with one claim or header changed and the signature kept.
    fn forged(part: usize, from: &str, to: &str) -> String {
        let token = issued();
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(&parts[part]).expect("base64")).expect("utf-8");
        assert!(json.contains(from), "{json}");
        parts[part] = URL_SAFE_NO_PAD.encode(json.replace(from, to));
        parts.join(".")
    }

    #[test]
    fn what_was_issued_is_read_back() {
        let claims = tokens().good(&issued(), at(1_003_599)).expect("good for an hour");
        assert_eq!((claims.company_id, claims.salon_id, claims.iat, claims.exp), (CompanyId(7), SalonId(962_302), 1_000_000, 1_003_600));
        assert_eq!(claims.user_data.user_name.as_deref(), Some("Ольга"));
    }

    #[test]
    fn the_hour_is_the_calendars() {
        assert!(matches!(tokens().good(&issued(), at(1_003_600)), Err(Fault::TokenExpired)));
        assert!(tokens().authentic(&issued()).is_ok());
        assert!(tokens().good(&issued(), at(0)).is_ok(), "a clock set back makes nothing expire");
    }

    #[test]
    fn nothing_forged_is_authentic() {
        let other = Tokens::new(&SecretString::from("another secret, another secret, another"));
        for (what, token) in [
            ("another company", forged(1, "\"company_id\":7", "\"company_id\":8")),
            ("no algorithm", forged(0, "HS256", "none")),
            ("another kind", forged(1, KIND, "dashboard_login")),
            ("another secret", other.issue(CompanyId(7), SalonId(1), UserData::default(), Vec::new(), at(1_000_000)).expect("a token").0),
            ("no signature", issued().rsplit_once('.').map(|(head, _)| format!("{head}.")).expect("three parts")),
            ("nonsense", "a.b.c".into()),
            ("nothing", String::new()),
            ("far too long", "a".repeat(LONGEST + 1)),
        ] {
            assert!(matches!(tokens().authentic(&token), Err(Fault::TokenInvalid)), "{what}");
        }
    }
}
