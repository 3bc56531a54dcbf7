//! The settings: environment variables over an optional TOML file over documented defaults.
//!
//! Read once at start. Every fault is named, all at once, and no value is ever printed.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::Phone;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// One setting: its name and what it means. `.env.example` lists the same names.
pub const SETTINGS: &[(&str, &str)] = &[
    ("YCLIENTS_PARTNER_TOKEN", "the partner token of the developer's cabinet"),
    ("YCLIENTS_USER_TOKEN", "the token of the application's system user; without it: online booking only"),
    ("YCLIENTS_APP_ID", "the application's number in the marketplace"),
    ("YCLIENTS_APPLICATION_ID", "another name of YCLIENTS_APP_ID"),
    ("YCLIENTS_BASE_URL", "where the API is [https://api.yclients.com]"),
    ("YCLIENTS_CALLBACK", "server: POST …/callback; redirect: the form …/callback/redirect [server]"),
    ("YCLIENTS_RATE_LIMIT", "on: 5 calls a second and 200 a minute for the whole process; off [on]"),
    ("YCLIENTS_WEBHOOK_SECRET", "key of X-Yclients-Signature"),
    ("JWT_SECRET", "signs registration tokens; at least 32 bytes; required"),
    ("ENCRYPTION_KEY", "seals secrets at rest; 32 bytes in base64; required"),
    ("BASE_URL", "where browsers and YClients reach this server [http://localhost:3000]"),
    ("DATABASE_URL", "sqlite://… or postgres://… [sqlite://data/ai-admin.sqlite]"),
    ("ADMIN_API_KEY", "the operator's X-API-Key; without it the operators' calls answer 401"),
    ("OPERATOR_PHONE", "who hears by WhatsApp that a salon left, from that salon's number"),
    ("OPERATOR_WEBHOOK_URL", "http(s) address that is told so as JSON, again and again until it answers 2xx"),
    ("ALLOWED_ORIGINS", "origins of browsers beside yclients.com, comma-separated"),
    ("TRUSTED_PROXIES", "addresses whose X-Forwarded-For is believed, comma-separated"),
    ("ENVIRONMENT", "production or development [production]"),
    ("SYNC_CLIENT_VISITS", "also read every client's visits; not built yet [false]"),
    ("AI_PROVIDER", "embedded, gemini-flash or openai; only embedded is built so far [embedded]"),
    ("GEMINI_API_KEY", "for gemini-flash"),
    ("AI_BASE_URL", "for openai and compatible servers"),
    ("AI_API_KEY", "for openai and compatible servers"),
    ("AI_MODEL", "for openai and compatible servers"),
    ("SOCKS_PROXY", "socks5://… for calls to a language model"),
    ("PORT", "where it listens [3000]"),
    ("HOST", "the address it listens on [0.0.0.0]"),
    ("LOG_LEVEL", "error, warn, info, debug, trace, or a tracing filter [info]"),
    ("LOG_DIR", "also write rotating log files there"),
    ("NODE_NAME", "this process among several on one database [the host's name]"),
    ("WHATSAPP_URL", "WhatsApp's endpoint [wss://web.whatsapp.com/ws/chat]"),
    ("WHATSAPP_VERSION", "version of WhatsApp Web to present, 2.3000.N; asked of WhatsApp when absent"),
    ("UNSETTLED_SECONDS", "how long an unknown outcome of a booking is looked for before a person is asked to; 600 when absent"),
    ("DEBOUNCE_MS", "fixed wait for the rest of a burst; adaptive, 1–4 s, when absent"),
    ("TYPING_MS_PER_CHAR", "how fast the bot types, 0.5–3 s for a message; 0 sends at once [20]"),
];

/// The checked settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// `YCLIENTS_PARTNER_TOKEN`; without it the product starts and says so in its health.
    pub partner_token: Option<SecretString>,
    /// `YCLIENTS_USER_TOKEN`.
    pub user_token: Option<SecretString>,
    /// `YCLIENTS_APP_ID`; without it the product starts and says so in its health.
    pub application_id: Option<i64>,
    /// `YCLIENTS_BASE_URL`.
    pub yclients_url: Url,
    /// `YCLIENTS_CALLBACK=redirect`.
    pub callback_by_redirect: bool,
    /// `YCLIENTS_RATE_LIMIT`.
    pub rate_limited: bool,
    /// `YCLIENTS_WEBHOOK_SECRET`.
    pub webhook_secret: Option<SecretString>,
    /// `JWT_SECRET`.
    pub jwt_secret: SecretString,
    /// `ENCRYPTION_KEY`.
    pub encryption_key: Key,
    /// `BASE_URL`.
    pub base_url: Url,
    /// `DATABASE_URL`.
    pub database_url: SecretString,
    /// `ADMIN_API_KEY`.
    pub admin_api_key: Option<SecretString>,
    /// `OPERATOR_PHONE`.
    pub operator_phone: Option<Phone>,
    /// `OPERATOR_WEBHOOK_URL`.
    pub operator_webhook: Option<Url>,
    /// `ALLOWED_ORIGINS`.
    pub allowed_origins: Vec<String>,
    /// `TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<IpAddr>,
    /// `ENVIRONMENT=development`.
    pub development: bool,
    /// `SYNC_CLIENT_VISITS`.
    pub sync_client_visits: bool,
    /// `AI_PROVIDER`.
    pub ai_provider: AiProvider,
    /// `HOST`.
    pub host: IpAddr,
    /// `PORT`; 0 lets the system choose.
    pub port: u16,
    /// `LOG_LEVEL`.
    pub log_level: String,
    /// `LOG_DIR`.
    pub log_dir: Option<PathBuf>,
    /// `NODE_NAME`.
    pub node: String,
    /// `WHATSAPP_URL`.
    pub whatsapp_url: Url,
    /// `WHATSAPP_VERSION`.
    pub whatsapp_version: Option<(u32, u32, u32)>,
    /// `UNSETTLED_SECONDS`.
    pub unsettled_patience: Duration,
    /// `DEBOUNCE_MS`.
    pub debounce: Option<Duration>,
    /// `TYPING_MS_PER_CHAR`; zero sends at once.
    pub typing: Duration,
}

/// Who understands what the embedded reading cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AiProvider {
    /// Nobody: the embedded reading stands alone.
    Embedded,
    /// Google's model; not built yet.
    GeminiFlash,
    /// OpenAI or a compatible server; not built yet.
    OpenAi,
}

/// 32 secret bytes.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// The bytes, asked for by name.
    pub fn expose(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Everything that is wrong with the settings; the process ends with exit code 78 (`EX_CONFIG`).
#[derive(Debug, thiserror::Error)]
#[error("settings:{}", .0.iter().map(|fault| format!("\n  {fault}")).collect::<String>())]
pub struct Faults(pub Vec<String>);

impl Config {
    /// From the environment over the TOML file `AI_ADMIN_CONFIG` (default `ai-admin.toml`, where
    /// there is one); in development `.env` is read first.
    ///
    /// # Errors
    /// [`Faults`], all at once.
    pub fn from_environment() -> Result<Self, Faults> {
        if std::env::var("ENVIRONMENT").is_ok_and(|e| e == "development") || cfg!(debug_assertions) {
            // A missing .env is no fault, and variables that are set already win.
            dotenvy::dotenv().ok();
        }
        let named = std::env::var("AI_ADMIN_CONFIG").ok();
        let path = named.clone().unwrap_or_else(|| "ai-admin.toml".to_owned());
        let mut pairs = match std::fs::read_to_string(&path) {
            Ok(text) => from_toml(&path, &text).map_err(|fault| Faults(vec![fault]))?,
            Err(_) if named.is_none() => BTreeMap::new(),
            Err(error) => return Err(Faults(vec![format!("AI_ADMIN_CONFIG: {error}")])),
        };
        pairs.extend(SETTINGS.iter().filter_map(|(name, _)| Some(((*name).to_owned(), std::env::var(name).ok()?))));
        Self::from_pairs(pairs)
    }

    /// From the same names and values as the environment has.
    ///
    /// # Errors
    /// [`Faults`], all at once.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Faults> {
        let mut read = Reading {
            values: pairs.into_iter().filter(|(_, value)| !value.trim().is_empty()).map(|(k, v)| (k, v.trim().to_owned())).collect(),
            faults: Vec::new(),
        };
        let config = Self {
            partner_token: read.text("YCLIENTS_PARTNER_TOKEN").map(Into::into),
            user_token: read.text("YCLIENTS_USER_TOKEN").map(Into::into),
            application_id: {
                let other = read.parsed("YCLIENTS_APPLICATION_ID", "a number");
                read.parsed("YCLIENTS_APP_ID", "a number").or(other)
            },
            yclients_url: read.url("YCLIENTS_BASE_URL", "https://api.yclients.com", &["http", "https"]),
            callback_by_redirect: read.word("YCLIENTS_CALLBACK", &[("server", false), ("redirect", true)]),
            rate_limited: read.word("YCLIENTS_RATE_LIMIT", &[("on", true), ("off", false)]),
            webhook_secret: read.text("YCLIENTS_WEBHOOK_SECRET").map(Into::into),
            jwt_secret: read
                .checked("JWT_SECRET", "at least 32 bytes", |text| (text.len() >= 32).then(|| text.to_owned().into()))
                .unwrap_or_default(),
            encryption_key: read
                .checked("ENCRYPTION_KEY", "32 bytes in base64", |text| Some(Key(BASE64_STANDARD.decode(text).ok()?.try_into().ok()?)))
                .unwrap_or(Key([0; 32])),
            base_url: read.url("BASE_URL", "http://localhost:3000", &["http", "https"]),
            database_url: {
                let url = read.text("DATABASE_URL").unwrap_or_else(|| "sqlite://data/ai-admin.sqlite".to_owned());
                if !["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) {
                    read.fault("DATABASE_URL", "must start with sqlite:// or postgres://");
                }
                url.into()
            },
            admin_api_key: read.text("ADMIN_API_KEY").map(Into::into),
            operator_phone: read.optional("OPERATOR_PHONE", "a phone number", |text| Phone::parse(text).ok()),
            operator_webhook: read.optional("OPERATOR_WEBHOOK_URL", "an http(s) address", |text| {
                Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
            }),
            allowed_origins: read.list("ALLOWED_ORIGINS"),
            trusted_proxies: {
                let texts = read.list("TRUSTED_PROXIES");
                let proxies: Vec<IpAddr> = texts.iter().filter_map(|text| text.parse().ok()).collect();
                if proxies.len() < texts.len() {
                    read.fault("TRUSTED_PROXIES", "must be IP addresses, comma-separated");
                }
                proxies
            },
            development: read.word("ENVIRONMENT", &[("production", false), ("development", true)]),
            sync_client_visits: read.word("SYNC_CLIENT_VISITS", &[("false", false), ("true", true)]),
            ai_provider: read.word(
                "AI_PROVIDER",
                &[("embedded", AiProvider::Embedded), ("gemini-flash", AiProvider::GeminiFlash), ("openai", AiProvider::OpenAi)],
            ),
            host: read.parsed("HOST", "an IP address").unwrap_or(IpAddr::from([0, 0, 0, 0])),
            port: read.parsed("PORT", "a port number").unwrap_or(3000),
            log_level: read.text("LOG_LEVEL").unwrap_or_else(|| "info".to_owned()),
            log_dir: read.text("LOG_DIR").map(Into::into),
            node: read.text("NODE_NAME").or_else(host_name).unwrap_or_else(|| "node".to_owned()),
            whatsapp_url: read.url("WHATSAPP_URL", "wss://web.whatsapp.com/ws/chat", &["ws", "wss"]),
            whatsapp_version: read.optional("WHATSAPP_VERSION", "three numbers with dots", version),
            unsettled_patience: Duration::from_secs(read.parsed("UNSETTLED_SECONDS", "seconds").unwrap_or(600)),
            debounce: read.parsed("DEBOUNCE_MS", "milliseconds").map(Duration::from_millis),
            typing: Duration::from_millis(read.parsed("TYPING_MS_PER_CHAR", "milliseconds").unwrap_or(20)),
        };
        if read.faults.is_empty() { Ok(config) } else { Err(Faults(read.faults)) }
    }

    /// Settings without which nothing can be connected, for health and the log.
    pub fn missing(&self) -> Vec<&'static str> {
        let has = [("YCLIENTS_PARTNER_TOKEN", self.partner_token.is_some()), ("YCLIENTS_APP_ID", self.application_id.is_some())];
        has.into_iter().filter(|(_, has)| !has).map(|(name, _)| name).collect()
    }

    /// The database's kind without its address, which may hold a password.
    pub fn database_kind(&self) -> &'static str {
        if self.database_url.expose_secret().starts_with("sqlite:") { "SQLite" } else { "PostgreSQL" }
    }
}

/// The values being read, and what was wrong with them.
struct Reading {
    values: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl Reading {
    fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    fn fault(&mut self, name: &str, what: &str) {
        self.faults.push(format!("{name} {what}"));
    }

    fn optional<T>(&mut self, name: &str, what: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.fault(name, &format!("must be {what}"));
        }
        value
    }

    fn checked<T>(&mut self, name: &str, what: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.text(name).is_none() {
            self.fault(name, &format!("is required: {what}"));
        }
        self.optional(name, what, read)
    }

    fn parsed<T: FromStr>(&mut self, name: &str, what: &str) -> Option<T> {
        self.optional(name, what, |text| text.parse().ok())
    }

    /// One of several words; the first is the default.
    fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> T {
        let what = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" or ");
        self.optional(name, &what, |text| words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)).unwrap_or(words[0].1)
    }

    fn url(&mut self, name: &str, default: &str, schemes: &[&str]) -> Url {
        let what = format!("an address that starts with {}://", schemes.join(":// or "));
        let parse = |text: &str| Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()));
        self.optional(name, &what, parse).unwrap_or_else(|| Url::parse(default).expect("the defaults are addresses"))
    }

    fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

fn host_name() -> Option<String> {
    Some(std::fs::read_to_string("/etc/hostname").ok()?.trim().to_owned()).filter(|name| !name.is_empty())
}

fn version(text: &str) -> Option<(u32, u32, u32)> {
    let numbers: Vec<u32> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    <[u32; 3]>::try_from(numbers).ok().map(|[a, b, c]| (a, b, c))
}

/// The TOML file's pairs: the same names, in either case, with plain values or lists of them.
fn from_toml(path: &str, text: &str) -> Result<BTreeMap<String, String>, String> {
    // The parser's own message would quote the line, and with it perhaps a secret.
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| match error.span() {
        Some(span) => format!("{path}: not TOML near byte {}", span.start),
        None => format!("{path}: not TOML"),
    })?;
    table
        .into_iter()
        .map(|(name, value)| {
            let name = name.to_uppercase();
            if !SETTINGS.iter().any(|(known, _)| *known == name) {
                return Err(format!("{path}: {name} is no setting"));
            }
            Ok((name, plain(value)))
        })
        .collect()
}

fn plain(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) => text,
        toml::Value::Array(values) => values.into_iter().map(plain).collect::<Vec<_>>().join(","),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Datetime(time) => time.to_string(),
        toml::Value::Table(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(more: &[(&str, &str)]) -> Vec<(String, String)> {
        let required = [
            ("JWT_SECRET", "0123456789012345678901234567890123456789"),
            ("ENCRYPTION_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
        ];
        required.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn defaults_are_enough_beside_the_secrets() {
        let config = Config::from_pairs(pairs(&[])).expect("valid");
        assert_eq!((config.port, config.database_kind(), config.development, config.rate_limited), (3000, "SQLite", false, true));
        assert_eq!(config.missing(), ["YCLIENTS_PARTNER_TOKEN", "YCLIENTS_APP_ID"]);
        assert_eq!(Config::from_pairs(pairs(&[("YCLIENTS_APPLICATION_ID", "7")])).expect("valid").application_id, Some(7));
    }

    #[test]
    fn all_faults_at_once_and_no_value_among_them() {
        let secret = "hunter2-and-more";
        let wrong = [
            ("JWT_SECRET", secret),
            ("PORT", secret),
            ("BASE_URL", "ftp://x"),
            ("ENVIRONMENT", secret),
            ("OPERATOR_PHONE", secret),
            ("TRUSTED_PROXIES", secret),
            ("DATABASE_URL", secret),
        ];
        let faults = Config::from_pairs(wrong.map(|(k, v)| (k.to_owned(), v.to_owned()))).expect_err("wrong").to_string();
        for name in wrong.map(|(name, _)| name).into_iter().chain(["ENCRYPTION_KEY is required"]) {
            assert!(faults.contains(name), "{name} is not named in: {faults}");
        }
        assert!(!faults.contains(secret), "{faults}");
    }

    #[test]
    fn the_file_has_the_same_names() {
        let table = from_toml(
            "f",
            "port = 8080\nallowed_origins = [\"https://a.example\", \"https://b.example\"]\nBASE_URL = \"https://x.example\"",
        )
        .expect("valid");
        assert_eq!(table["PORT"], "8080");
        assert_eq!(table["ALLOWED_ORIGINS"], "https://a.example,https://b.example");
        assert!(from_toml("f", "prot = 1").expect_err("unknown").contains("PROT"));
        assert!(!from_toml("f", "jwt_secret = \"hunter2").expect_err("broken").contains("hunter2"));
    }

    #[test]
    fn the_example_lists_every_setting() {
        let example = include_str!("../../../.env.example");
        let listed: Vec<_> =
            example.lines().filter_map(|line| line.trim_start_matches("# ").split_once('=')).map(|(name, _)| name).collect();
        let known: Vec<_> = SETTINGS.iter().map(|(name, _)| *name).filter(|name| *name != "YCLIENTS_APPLICATION_ID").collect();
        assert_eq!(listed, known);
    }
}
