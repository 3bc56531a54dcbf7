//! The product as anybody outside meets it: its public HTTP calls.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context, bail};
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder, StatusCode, header, redirect::Policy};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// `GET /api/metrics`, the part that tells whether there is work due.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Due {
    /// The product's calendar.
    pub(crate) calendar_now: Timestamp,
    /// Reminders, cron and the like whose time has come.
    pub(crate) calendar_due: i64,
    /// Jobs that run or could run now, bursts being collected among them.
    pub(crate) jobs_due: i64,
}

/// `GET /api/conversations/{company}/{phone}`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Conversation {
    state: String,
    #[serde(default)]
    pending_jobs: i64,
}

impl Conversation {
    /// Nothing is being answered and nothing waits to be sent.
    pub(crate) fn at_rest(&self) -> bool {
        self.state != "answering" && self.pending_jobs == 0
    }
}

/// `GET /marketplace/status/{company}`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Integration {
    pub(crate) integration_status: String,
    #[serde(default)]
    pub(crate) whatsapp_connected: bool,
}

/// What activation answers.
#[derive(Debug, Deserialize)]
struct Activated {
    company_id: i64,
}

/// The product's address and the operator's key to it.
pub(crate) struct FrontDoor {
    base: Url,
    http: reqwest::Client,
    api_key: String,
}

impl FrontDoor {
    pub(crate) fn new(base: Url, api_key: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(1))
            .timeout(Duration::from_secs(20))
            .tcp_nodelay(true)
            .build()?;
        Ok(Self { base, http, api_key: api_key.to_owned() })
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    fn operator(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        Ok(self.http.request(method, self.base.join(path)?).header("X-API-Key", &self.api_key))
    }

    /// Whether it answers at all.
    pub(crate) async fn is_up(&self) -> bool {
        let Ok(url) = self.base.join("/readyz") else { return false };
        self.http.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) async fn due(&self) -> anyhow::Result<Due> {
        read(self.operator(Method::GET, "/api/metrics")?).await
    }

    pub(crate) async fn conversation(&self, company: i64, phone: &str) -> anyhow::Result<Conversation> {
        read(self.operator(Method::GET, &format!("/api/conversations/{company}/{phone}"))?).await
    }

    pub(crate) async fn integration(&self, company: i64) -> anyhow::Result<Integration> {
        read(self.operator(Method::GET, &format!("/marketplace/status/{company}"))?).await
    }

    /// Whether the first sync is done.
    pub(crate) async fn synced(&self, company: i64) -> anyhow::Result<bool> {
        let health: Value = read(self.operator(Method::GET, &format!("/api/companies/{company}/health"))?).await?;
        Ok(!health["lastSync"].is_null())
    }

    /// Asks for a sync of everything; `false` where the product has no such call or is at it already.
    pub(crate) async fn sync(&self, company: i64) -> anyhow::Result<bool> {
        let answer = self.operator(Method::POST, "/api/sync")?.json(&json!({ "company_id": company })).send().await?;
        Ok(answer.status() == StatusCode::ACCEPTED)
    }

    /// The product's number of a salon, from the operator's list.
    pub(crate) async fn company_of(&self, salon: i64) -> anyhow::Result<Option<i64>> {
        let list: Value = read(self.operator(Method::GET, &format!("/marketplace/companies?salon_id={salon}"))?).await?;
        let rows = list["companies"].as_array().cloned().unwrap_or_default();
        let is_it = |row: &&Value| [&row["salon_id"], &row["yclients_id"]].iter().any(|id| id.as_i64() == Some(salon));
        Ok(rows.iter().find(is_it).and_then(|row| row["company_id"].as_i64().or(row["id"].as_i64())))
    }

    /// Opens the address that YClients would open and returns the registration token of the page it leads to.
    pub(crate) async fn register(&self, redirect: &str, from: Ipv4Addr) -> anyhow::Result<String> {
        let answer = self.http.get(redirect).header("X-Forwarded-For", from.to_string()).send().await?;
        if answer.status() != StatusCode::FOUND {
            let status = answer.status();
            bail!("the redirect answered {status}: {}", excerpt(&answer.text().await.unwrap_or_default()));
        }
        let location = answer.headers().get(header::LOCATION).and_then(|l| l.to_str().ok()).context("a 302 without Location")?;
        let page = self.base.join(location)?;
        let token = page.query_pairs().find(|(name, _)| name == "token").map(|(_, token)| token.into_owned());
        let opened = self.http.get(page).header("X-Forwarded-For", from.to_string()).send().await?;
        if opened.status() != StatusCode::OK {
            bail!("the linking page answered {}", opened.status());
        }
        token.context("the redirect leads to a page without token")
    }

    /// Asks for a pairing code of a phone.
    pub(crate) async fn pairing_code(&self, token: &str, phone: &str, from: Ipv4Addr) -> anyhow::Result<String> {
        let request = self.http.post(self.base.join("/marketplace/api/pairing-code")?).bearer_auth(token);
        let request = request.header("X-Forwarded-For", from.to_string()).json(&json!({ "phoneNumber": phone }));
        let answer: Value = read(request).await?;
        Ok(answer["code"].as_str().context("no code in the answer")?.to_owned())
    }

    /// Presses the last button; the product's number of the salon.
    pub(crate) async fn activate(&self, token: &str, from: Ipv4Addr) -> anyhow::Result<i64> {
        let request = self.http.post(self.base.join("/marketplace/activate")?).header("X-Forwarded-For", from.to_string());
        let answer: Activated = read(request.json(&json!({ "token": token }))).await?;
        Ok(answer.company_id)
    }
}

async fn read<T: serde::de::DeserializeOwned>(request: RequestBuilder) -> anyhow::Result<T> {
    let (client, request) = request.build_split();
    let request = request?;
    let path = request.url().path().to_owned();
    let answer = client.execute(request).await.map_err(|error| anyhow::anyhow!("{path}: {}", error.without_url()))?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{path} answered {status}: {}", excerpt(&text));
    }
    serde_json::from_str(&text).with_context(|| format!("{path} answered {}", excerpt(&text)))
}

/// The beginning of an answer, for a person who looks for the reason.
fn excerpt(text: &str) -> String {
    text.chars().take(300).collect()
}
