//! The product is killed and broken again and again while customers talk to it; in the end every
//! message must have been answered once, and what was told must be what stands in the salon's
//! calendar and in the product's own database.
//!
//! Everything is done as an acceptance test would do it: through the sandbox's control API and the
//! product's public calls. Only the last look at the product's database goes through `store`.
#![allow(clippy::print_stdout, reason = "a chore speaks to its terminal")]

mod crowd;
mod customer;
mod faults;
mod nodes;
mod place;
mod race;
mod verdict;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::sleep;

use crate::{
    customer::Customer,
    nodes::Nodes,
    place::{Place, salon},
    verdict::Verdict,
};

/// Kills the product at random moments of running conversations and counts what was lost or doubled.
#[derive(Parser)]
struct Options {
    /// How often the product is killed.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// Repeats the choices of a run (not its timing).
    #[arg(long)]
    seed: Option<u64>,
    /// The product's database, made empty beforehand; SQLite in a folder of its own when absent.
    #[arg(long, conflicts_with = "postgres")]
    database_url: Option<String>,
    /// A PostgreSQL cluster of its own, started from the installed binaries.
    #[arg(long)]
    postgres: bool,
    /// Customers who talk at the same time.
    #[arg(long, default_value_t = 24)]
    customers: u32,
    /// Salons they are spread over.
    #[arg(long, default_value_t = 4)]
    salons: u32,
    /// Between two kills at most so many milliseconds of work.
    #[arg(long, default_value_t = 1500)]
    pace_ms: u64,
    /// Nodes of the product that share the PostgreSQL: one of them is killed, or stopped and continued, at a time, and comes back
    /// at once or when the others have long taken over.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    nodes: u8,
    /// Instead of killing: so many attempts of customers to book the same times.
    #[arg(long, value_name = "ATTEMPTS")]
    race: Option<usize>,
    /// Instead of killing: so many customers who write at once under YClients' real limits.
    #[arg(long, value_name = "CUSTOMERS", conflicts_with = "race")]
    crowd: Option<usize>,
    /// No faults beside the kills.
    #[arg(long)]
    no_faults: bool,
    /// The binary `ai-admin-sandbox`.
    #[arg(long, default_value = "target/sandbox/ai-admin-sandbox")]
    sandbox: PathBuf,
    /// Keeps the product's database and log here.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Two providers may be compiled in; the first one installed is the process's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    let scratch = tempfile::tempdir()?;
    let folder = options.keep.clone().unwrap_or_else(|| scratch.path().to_owned());
    std::fs::create_dir_all(&folder)?;
    let cluster = options.postgres.then(|| store::testing::Cluster::start(false));
    let database = match (&options.database_url, &cluster) {
        (Some(url), _) => url.clone(),
        (None, Some(cluster)) => cluster.database().await,
        (None, None) => format!("sqlite://{}", folder.join("ai-admin.sqlite").display()),
    };
    let engine = database.split(':').next().unwrap_or_default().to_owned();

    let nodes = usize::from(options.nodes);
    ensure!(nodes == 1 || engine.starts_with("postgres"), "several nodes share a PostgreSQL: --postgres or --database-url");
    let place = Arc::new(Place::start(&options.sandbox, &folder, &database, nodes, options.crowd.is_some()).await?);
    let mut product = Nodes::start(place.clone(), nodes)?;
    place.until_ready(Duration::from_secs(60)).await?;
    let needed = if options.race.or(options.crowd).is_some() { 1 } else { options.salons };
    let salons: Vec<i64> = (0..needed).map(|n| 7_001 + i64::from(n)).collect();
    for id in &salons {
        place.post("/control/salons", &salon(*id)).await?;
        let onboarded = place.post(&format!("/control/salons/{id}/onboard"), &serde_json::json!({})).await?;
        ensure!(onboarded["status"] == "active", "salon {id}: {onboarded}");
    }

    if let Some(attempts) = options.race {
        return race::run(&place, salons[0], attempts).await;
    }
    if let Some(customers) = options.crowd {
        return crowd::run(&place, salons[0], customers).await;
    }
    println!(
        "chaos: {} kills on {engine}, seed {seed}, {nodes} node(s), {} customers in {} salons",
        options.kills, options.customers, options.salons
    );
    let began = Instant::now();
    let stop = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> = (0..options.customers)
        .map(|n| {
            let salon = salons[n as usize % salons.len()];
            let customer = Customer::new(place.clone(), salon, n, seed);
            tokio::spawn(customer.live(stop.clone()))
        })
        .collect();
    let breaking = (!options.no_faults).then(|| tokio::spawn(faults::keep_breaking(place.clone(), seed, stop.clone())));

    let mut dice = StdRng::seed_from_u64(seed);
    let mut slowest_start = Duration::ZERO;
    for kill in 1..=options.kills {
        if customers.iter().any(tokio::task::JoinHandle::is_finished) {
            println!("a customer has given up; no more kills");
            break;
        }
        // Now and then it dies while it starts.
        if dice.random_bool(0.85) {
            let started = Instant::now();
            place.until_ready(Duration::from_secs(60)).await.with_context(|| format!("after kill {}", kill - 1))?;
            slowest_start = slowest_start.max(started.elapsed());
        }
        sleep(Duration::from_millis(dice.random_range(0..=options.pace_ms))).await;
        product.strike(&mut dice).await?;
        if kill % 50 == 0 {
            println!("  {kill} kills in {:.0} s", began.elapsed().as_secs_f64());
        }
    }
    let killing = began.elapsed();

    product.recover().await?;
    stop.store(true, Ordering::SeqCst);
    let faults = match breaking {
        Some(breaking) => breaking.await??,
        None => 0,
    };
    place.until_ready(Duration::from_secs(60)).await?;
    let mut diaries = Vec::new();
    for customer in customers {
        diaries.push(customer.await?);
    }
    let settled = place.post("/control/settle", &serde_json::json!({ "timeout_ms": 60_000 })).await?;
    if settled["settled"] != true {
        println!("the product did not come to rest: {settled}");
    }
    product.kill().await?;

    let verdict = Verdict::reach(&place, &salons, &diaries, &database).await?;
    println!(
        "{} kills in {:.0} s ({:.2} s each; slowest start {:.1} s), {faults} faults",
        options.kills,
        killing.as_secs_f64(),
        killing.as_secs_f64() / f64::from(options.kills.max(1)),
        slowest_start.as_secs_f64()
    );
    println!("{verdict}");
    if verdict.is_clean() && settled["settled"] == true {
        println!("0 lost, 0 doubled (seed {seed}, {engine})");
        return Ok(());
    }
    std::fs::write(folder.join("diaries.txt"), format!("{diaries:#?}"))?;
    if options.keep.is_none() {
        println!("what the customers lived through, the product's log and database: {}", scratch.keep().display());
    }
    bail!("{} lost, {} doubled, {} untrue (seed {seed}, {engine})", verdict.lost.len(), verdict.doubled.len(), verdict.untrue.len())
}
