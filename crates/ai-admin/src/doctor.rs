//! `ai-admin doctor`: tries what the product needs, one line each, and says what to do.

use std::{net::ToSocketAddrs, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use store::Store;
use tokio::{net::TcpStream, time::timeout};
use url::Url;

use crate::Config;

/// One thing that was tried.
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// Its state: fine, or what is wrong and what to do.
    pub state: Result<String, String>,
}

const PATIENCE: Duration = Duration::from_secs(5);

/// Tries everything; nothing is changed but that the database gets its tables.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    vec![
        Finding { what: "settings", state: settings(config) },
        Finding { what: "database", state: database(config).await },
        Finding { what: "YClients", state: yclients(config).await },
        Finding { what: "WhatsApp", state: reachable(&config.whatsapp_url).await },
        Finding { what: "port", state: port(config).await },
    ]
}

fn settings(config: &Config) -> Result<String, String> {
    let missing = config.missing();
    if !missing.is_empty() {
        return Err(format!("{} not set: no salon can be connected", missing.join(", ")));
    }
    Ok(match &config.user_token {
        Some(_) => "complete".to_owned(),
        None => "no YCLIENTS_USER_TOKEN: online booking only, the rest is handed to a person".to_owned(),
    })
}

async fn database(config: &Config) -> Result<String, String> {
    let store = Store::open(config.database_url.expose_secret()).await.map_err(|error| format!("cannot be opened: {error}"))?;
    store.ping().await.map_err(|error| format!("does not answer: {error}"))?;
    Ok(format!("{} answers, its tables are up to date", config.database_kind()))
}

async fn yclients(config: &Config) -> Result<String, String> {
    reachable(&config.yclients_url).await?;
    let (Some(partner_token), Some(application_id)) = (config.partner_token.clone(), config.application_id) else {
        return Ok("reachable; tokens not tried, since they are not set".to_owned());
    };
    let client = yclients::YClients::new(yclients::Settings {
        base_url: config.yclients_url.clone(),
        partner_token,
        user_token: config.user_token.clone(),
        application_id,
        rate_limit: yclients::RateLimit::Official,
        callback: yclients::CallbackStyle::Server,
    })
    .map_err(|error| error.to_string())?;
    match timeout(PATIENCE, client.application_salons(1, 1)).await {
        Ok(Ok(_)) => Ok("reachable, the partner token is accepted".to_owned()),
        Ok(Err(error)) => Err(format!("reachable, but the partner token or the application was refused: {error}")),
        Err(_) => Err("did not answer in time".to_owned()),
    }
}

async fn reachable(url: &Url) -> Result<String, String> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let look_up = tokio::task::spawn_blocking(move || (host, port).to_socket_addrs().map(|mut found| found.next()));
    let address = match timeout(PATIENCE, look_up).await {
        Ok(Ok(Ok(Some(address)))) => address,
        _ => return Err("its name cannot be resolved: check the network and the address".to_owned()),
    };
    match timeout(PATIENCE, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok("reachable".to_owned()),
        Ok(Err(error)) => Err(format!("cannot be reached: {error}")),
        Err(_) => Err("cannot be reached: no answer in time".to_owned()),
    }
}

async fn port(config: &Config) -> Result<String, String> {
    match tokio::net::TcpListener::bind((config.host, config.port)).await {
        Ok(_) => Ok(format!("{} is free", config.port)),
        Err(error) => Err(format!("{}: {error} (is the product already running?)", config.port)),
    }
}

/// A secret for `.env`: 32 random bytes in base64.
///
/// # Errors
/// When the system gives no randomness.
pub fn new_secret() -> Result<SecretString, getrandom::Error> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_STANDARD.encode(bytes).into())
}
