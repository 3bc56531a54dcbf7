//! A thousand salons in one product process, on the encrypted SQLite store, against a world in
//! another process: resident memory per linked session, and how long until all are back after the
//! product was killed. Beside it, in the same run, as many Baileys devices in one Node process
//! (each a second device of one of the same salons), where `e2e/` has been installed.
//!
//! `cargo xtask bench sessions [N] [ours]`: N salons instead of 1 000; `ours` leaves Baileys out.
#![allow(clippy::print_stdout, reason = "a benchmark speaks to its terminal")]

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Client;
use sandbox::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

const SALONS: usize = 1_000;
/// Owners who connect at the same time.
const OWNERS: usize = 4;
/// Each salon's session is a socket here and there.
const OPEN_FILES: usize = 16_384;
const KEY: &str = "sandbox-admin-key";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg.ends_with("-only")) {
        return part(&args).await;
    }
    // Two providers are compiled in; the first one installed is the process's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let salons = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(SALONS);
    let baileys = !args.iter().any(|arg| arg == "ours");

    let data = tempfile::tempdir()?;
    let (control_port, port) = (free_port()?, free_port()?);
    let ports = [format!("--port={port}"), format!("--control-port={control_port}")];
    let _world = spawn("--world-only", data.path(), &ports)?;
    let control = format!("http://127.0.0.1:{control_port}/control");
    let http = Client::builder().timeout(Duration::from_secs(120)).build()?;
    until("the world", || up(&http, format!("{control}/health"))).await?;
    let mut product = spawn("--product-only", data.path(), &ports)?;
    let door = format!("http://127.0.0.1:{port}");
    until("the product", || up(&http, format!("{door}/readyz"))).await?;
    for salon in 1..=salons {
        http.post(format!("{control}/salons")).json(&file(salon)).send().await?.error_for_status()?;
    }

    let before = resident(&product)?;
    let began = Instant::now();
    let link = |salon: usize| {
        let (http, control) = (&http, &control);
        async move {
            let url = format!("{control}/salons/{salon}/onboard");
            let answer = http.post(url).json(&json!({})).send().await?;
            let onboarded: Value = answer.error_for_status().with_context(|| format!("salon {salon}"))?.json().await?;
            onboarded["company_id"].as_i64().context("a company's number")
        }
    };
    let companies: Vec<i64> = stream::iter(1..=salons).map(link).buffer_unordered(OWNERS).try_collect().await?;
    println!("{salons} salons connected in {:.0} s, first sync and welcome message included", began.elapsed().as_secs_f64());
    settle(&http, &control).await?;
    let linked = resident(&product)?;
    let ours = per_session(before, linked, salons);
    println!("product: {before} KiB before, {linked} KiB with {salons} linked: {ours:.0} KiB a session (bar 1024)");

    product.kill().await?;
    let mut product = spawn("--product-only", data.path(), &ports)?;
    let began = Instant::now();
    until("the product", || up(&http, format!("{door}/livez"))).await?;
    for company in &companies {
        until("a session", || connected(&http, &door, *company)).await?;
    }
    println!("killed and started again: all {salons} connected after {:.1} s (bar 60)", began.elapsed().as_secs_f64());
    for company in &companies {
        ensure!(connected(&http, &door, *company).await, "a session that was back has gone");
    }
    settle(&http, &control).await?;
    let back = resident(&product)?;
    println!("product after that: {back} KiB: {:.0} KiB a session", per_session(before, back, salons));

    if baileys {
        // Only their own half is measured; ours would only take the cores.
        product.kill().await?;
        let (before, linked) = baileys_devices(&control, salons).await?;
        let theirs = per_session(before, linked, salons);
        println!("Baileys: {before} KiB before, {linked} KiB with {salons} linked: {theirs:.0} KiB a session");
        println!("ours is {:.2} of Baileys' (bar 0.33)", ours / theirs);
    }
    Ok(())
}

/// The world or the product, in a process of its own.
async fn part(args: &[String]) -> anyhow::Result<()> {
    let options = Options::parse_from(std::iter::once("sandbox".to_owned()).chain(args.iter().cloned()));
    let filter = sandbox::log_filter(&std::env::var("LOG_LEVEL").unwrap_or_else(|_| "error".to_owned()))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let _running = sandbox::start(options).await?;
    std::future::pending().await
}

fn spawn(part: &str, data: &Path, ports: &[String]) -> anyhow::Result<Child> {
    let mut command = many_files(std::env::current_exe()?.as_os_str());
    command.args([part, "--no-demo-salon", "--debounce-ms=0", "--data"]).arg(data).args(ports);
    command.kill_on_drop(true).spawn().context("a process does not start")
}

/// The program with room for as many sockets as it needs.
fn many_files(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {OPEN_FILES}; exec \"$0\" \"$@\"")]).arg(program);
    command
}

/// Resident memory of a Node process in KiB, before and with so many Baileys devices online.
async fn baileys_devices(control: &str, devices: usize) -> anyhow::Result<(u64, u64)> {
    let mut node = many_files("node".as_ref())
        .args(["--expose-gc", "e2e/bench-sessions.mjs", control, &devices.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("node does not start")?;
    let mut begin = node.stdin.take().context("its input")?;
    let mut lines = BufReader::new(node.stdout.take().context("its output")?).lines();
    said(&mut lines, "ready").await?;
    let before = resident(&node)?;
    begin.write_all(b"go\n").await?;
    said(&mut lines, "linked").await?;
    let linked = resident(&node)?;
    // It tidies up when nobody speaks to it any more.
    drop(begin);
    node.wait().await?;
    Ok((before, linked))
}

/// Waits for a line; what else is said is passed on.
async fn said(lines: &mut Lines<BufReader<ChildStdout>>, expected: &str) -> anyhow::Result<()> {
    while let Some(line) = lines.next_line().await? {
        if line == expected {
            return Ok(());
        }
        println!("Baileys: {line}");
    }
    bail!("Node ended before it was {expected}; is e2e/ installed (npm ci)?")
}

/// Resident memory in KiB.
fn resident(process: &Child) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id().context("it has ended")?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("its memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn per_session(before: u64, after: u64, sessions: usize) -> f64 {
    (after as f64 - before as f64) / sessions as f64
}

/// Nothing is under way any more, in the world or the product, and the memory of what was is given back.
async fn settle(http: &Client, control: &str) -> anyhow::Result<()> {
    let settled: Value =
        http.post(format!("{control}/settle")).json(&json!({ "timeout_ms": 60_000 })).send().await?.error_for_status()?.json().await?;
    ensure!(settled["settled"] == true, "it does not settle");
    sleep(Duration::from_secs(10)).await;
    Ok(())
}

async fn up(http: &Client, url: String) -> bool {
    http.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
}

async fn connected(http: &Client, door: &str, company: i64) -> bool {
    let asked = http.get(format!("{door}/api/companies/{company}/health")).header("X-API-Key", KEY).send().await;
    let Ok(answer) = asked else { return false };
    answer.json::<Value>().await.is_ok_and(|health| health["whatsapp"] == true)
}

async fn until<F: Future<Output = bool>>(what: &str, done: impl Fn() -> F) -> anyhow::Result<()> {
    let poll = async {
        while !done().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(180), poll).await.with_context(|| format!("{what} is not there in time"))
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A small salon.
fn file(salon: usize) -> Value {
    json!({
        "id": salon, "title": format!("Салон {salon}"), "city": "Москва", "address": "Ровная, 1", "phone": format!("7495{salon:07}"),
        "timezone_name": "Europe/Moscow", "grid_minutes": 60,
        "services": [{"id": 1, "title": "Маникюр", "category": "Ногти", "price_min": 1500, "price_max": 1500, "minutes": 60, "staff": [1]}],
        "staff": [{"id": 1, "name": "Анна"}],
        "schedule": [{"staff": 1, "weekdays": [1, 2, 3, 4, 5], "from": "10:00", "to": "20:00"}],
        "clients": [], "records": []
    })
}
