use std::{io, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// What the product and its world share, and what the product keeps to itself.
///
/// These are play secrets of a sandbox on loopback; the control API hands them to a product that runs apart.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// `ADMIN_API_KEY`.
    pub(crate) admin_api_key: String,
    /// `YCLIENTS_PARTNER_TOKEN`.
    pub(crate) partner_token: String,
    /// `YCLIENTS_USER_TOKEN`.
    pub(crate) user_token: String,
    /// `YCLIENTS_APP_ID`.
    pub(crate) application_id: i64,
    /// `YCLIENTS_WEBHOOK_SECRET`.
    pub(crate) webhook_secret: String,
    /// `JWT_SECRET`.
    pub(crate) jwt_secret: String,
    /// `ENCRYPTION_KEY`, base64 of 32 bytes.
    pub(crate) encryption_key: String,
}

/// The two that are made once per data folder.
#[derive(Serialize, Deserialize)]
struct Made {
    jwt_secret: String,
    encryption_key: String,
}

impl Secrets {
    /// From the environment, else fixed; the two keys from the environment, else from the folder, else made anew.
    pub(crate) fn load(data: Option<&Path>) -> anyhow::Result<Self> {
        let made = made(data)?;
        let fixed = |name: &str, value: &str| std::env::var(name).ok().filter(|v| !v.is_empty()).unwrap_or_else(|| value.to_owned());
        Ok(Self {
            admin_api_key: fixed("ADMIN_API_KEY", "sandbox-admin-key"),
            partner_token: fixed("YCLIENTS_PARTNER_TOKEN", "sandbox-partner-token"),
            user_token: fixed("YCLIENTS_USER_TOKEN", "sandbox-user-token"),
            application_id: fixed("YCLIENTS_APP_ID", "1").parse().map_err(|_| anyhow::anyhow!("YCLIENTS_APP_ID is no number"))?,
            webhook_secret: fixed("YCLIENTS_WEBHOOK_SECRET", "sandbox-webhook-secret"),
            jwt_secret: fixed("JWT_SECRET", &made.jwt_secret),
            encryption_key: fixed("ENCRYPTION_KEY", &made.encryption_key),
        })
    }
}

fn made(data: Option<&Path>) -> anyhow::Result<Made> {
    let file = data.map(|folder| folder.join("secrets.json"));
    if let Some(file) = &file {
        match std::fs::read(file) {
            Ok(bytes) => return Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let random = || BASE64_STANDARD.encode(rand::random::<[u8; 32]>());
    let made = Made { jwt_secret: random(), encryption_key: random() };
    if let Some(file) = &file {
        crate::keeping::write_private(file, &serde_json::to_vec_pretty(&made)?)?;
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_per_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Secrets::load(Some(folder.path())).expect("secrets");
        let second = Secrets::load(Some(folder.path())).expect("secrets");
        let other = Secrets::load(None).expect("secrets");
        assert_eq!((first.jwt_secret.as_str(), &first.encryption_key), (second.jwt_secret.as_str(), &second.encryption_key));
        assert_ne!(first.jwt_secret, other.jwt_secret);
        assert!(first.jwt_secret.len() >= 32);
        assert_eq!(BASE64_STANDARD.decode(first.encryption_key).expect("base64").len(), 32);
    }
}
