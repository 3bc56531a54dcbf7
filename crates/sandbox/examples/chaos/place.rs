//! The world and the product, each in a process of its own, and the calls that move them.

use std::{
    fs::{File, OpenOptions},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::sleep,
};

const NOW: &str = "2026-11-23T08:00:00+03:00";
const ADMIN_KEY: &str = "sandbox-admin-key";

/// Masters whose names do not resemble one another.
pub(crate) const MASTERS: [&str; 6] = ["Анна", "Вера", "Светлана", "Жанна", "Ольга", "Тамара"];
/// Dative of the same.
pub(crate) const TO_MASTERS: [&str; 6] = ["Анне", "Вере", "Светлане", "Жанне", "Ольге", "Тамаре"];

/// What runs, and where.
pub(crate) struct Place {
    http: Client,
    control: String,
    product: String,
    binary: PathBuf,
    folder: PathBuf,
    database: String,
    ports: (u16, u16),
    /// Where the product's nodes listen, if there are several: the world stands before them.
    nodes: Vec<u16>,
    /// For both processes.
    more: Vec<&'static str>,
    /// Ends with this.
    _world: Child,
}

impl Place {
    /// Starts the world; the product comes with [`Place::start_product`].
    pub(crate) async fn start(binary: &Path, folder: &Path, database: &str, nodes: usize, real_limits: bool) -> anyhow::Result<Self> {
        ensure!(binary.is_file(), "{} is not built", binary.display());
        let ports = (free_port()?, free_port()?);
        let nodes = if nodes > 1 { (0..nodes).map(|_| free_port()).collect::<anyhow::Result<Vec<_>>>()? } else { Vec::new() };
        let more = if real_limits { vec!["--real-limits"] } else { Vec::new() };
        let log = File::create(folder.join("world.log"))?;
        let world = Command::new(binary)
            .args(["--world-only", "--no-demo-salon", "--now", NOW])
            .args(&more)
            .args(["--control-port", &ports.0.to_string(), "--port", &ports.1.to_string()])
            .args(nodes.iter().map(|port| format!("--node-port={port}")))
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let place = Self {
            http: Client::builder().timeout(Duration::from_secs(1000)).build()?,
            control: format!("http://127.0.0.1:{}", ports.0),
            product: format!("http://127.0.0.1:{}", ports.1),
            binary: binary.to_owned(),
            folder: folder.to_owned(),
            database: database.to_owned(),
            ports,
            nodes,
            more,
            _world: world,
        };
        place.until_up(&format!("{}/control/health", place.control), Duration::from_secs(30)).await.context("the world")?;
        Ok(place)
    }

    /// Starts the product, or one node of it; it is killed when dropped.
    pub(crate) fn start_product(&self, node: usize) -> anyhow::Result<Child> {
        let (control, public) = (self.ports.0.to_string(), self.ports.1.to_string());
        let (log, node) = match self.nodes.get(node) {
            None => ("product.log".to_owned(), vec!["--port".to_owned(), public]),
            Some(port) => {
                let name = format!("node-{node}");
                (format!("{name}.log"), vec![format!("--node={name}"), format!("--public-port={public}"), format!("--port={port}")])
            }
        };
        let log = OpenOptions::new().create(true).append(true).open(self.folder.join(log))?;
        let child = Command::new(&self.binary)
            .args(["--product-only", "--debounce-ms", "50", "--database-url", &self.database, "--control-port", &control])
            .args(node)
            .args(&self.more)
            // What a person would wait for is no part of this.
            .env("TYPING_MS_PER_CHAR", "0")
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok(child)
    }

    /// Waits until the product answers that it is ready.
    pub(crate) async fn until_ready(&self, patience: Duration) -> anyhow::Result<()> {
        self.until_up(&format!("{}/readyz", self.product), patience).await.context("the product")
    }

    async fn until_up(&self, url: &str, patience: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        while began.elapsed() < patience {
            let answer = self.http.get(url).timeout(Duration::from_secs(2)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
        }
        bail!("it does not come up; see {}", self.folder.display())
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, body).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.http.request(method, format!("{}{path}", self.control)).json(body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A person gives a chat back to the bot, through the product's own call, as often as it takes
    /// for the product to be there.
    pub(crate) async fn resume(&self, salon: i64, phone: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let done = self.resume_once(salon, phone).await;
            if done.is_ok() || began.elapsed() > Duration::from_secs(60) {
                return done;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Begins a sync of everything, through the product's own call.
    pub(crate) async fn sync(&self, salon: i64) -> anyhow::Result<()> {
        let company = self.get(&format!("/control/salons/{salon}")).await?["company_id"].as_i64().context("a company")?;
        let url = format!("{}/api/sync", self.product);
        self.http.post(url).header("X-API-Key", ADMIN_KEY).json(&json!({ "company_id": company })).send().await?.error_for_status()?;
        Ok(())
    }

    async fn resume_once(&self, salon: i64, phone: &str) -> anyhow::Result<()> {
        let company = self.get(&format!("/control/salons/{salon}")).await?["company_id"].as_i64().context("a company")?;
        let url = format!("{}/api/conversations/{company}/{phone}/resume", self.product);
        self.http.post(url).header("X-API-Key", ADMIN_KEY).send().await?.error_for_status()?;
        Ok(())
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Six masters, three services of different length, every day from ten to nine.
pub(crate) fn salon(id: i64) -> Value {
    let ids: Vec<usize> = (1..=MASTERS.len()).collect();
    json!({
        "id": id, "title": format!("Салон «Буря {id}»"), "city": "Москва", "address": "Ветреная, 1", "phone": format!("7495000{id}"),
        "timezone_name": "Europe/Moscow", "grid_minutes": 30,
        "services": [
            {"id": 1, "title": "Маникюр", "category": "Ногти", "price_min": 1500, "price_max": 1500, "minutes": 60, "staff": ids},
            {"id": 2, "title": "Педикюр", "category": "Ногти", "price_min": 2000, "price_max": 2400, "minutes": 90, "staff": ids},
            {"id": 3, "title": "Стрижка", "category": "Волосы", "price_min": 1800, "price_max": 1800, "minutes": 30, "staff": ids}],
        "staff": ids.iter().zip(MASTERS).map(|(id, name)| json!({"id": id, "name": name})).collect::<Vec<_>>(),
        "schedule": ids.iter().map(|id| json!({"staff": id, "weekdays": [1,2,3,4,5,6,7], "from": "10:00", "to": "21:00"})).collect::<Vec<_>>(),
        "clients": [], "records": []
    })
}
