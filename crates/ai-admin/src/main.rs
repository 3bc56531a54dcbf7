//! The product's command line.
#![allow(clippy::print_stdout, reason = "a command-line tool speaks to its terminal")]

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use ai_admin::{Config, doctor, lifecycle, telemetry, understand};
use clap::{Parser, Subcommand};
use domain::Clock;
use secrecy::ExposeSecret;
use store::Store;

/// A receptionist for beauty salons that lives in WhatsApp.
#[derive(Parser)]
#[command(version, after_help = after_help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the product.
    Serve,
    /// Read messages as JSON lines and write what the embedded understanding makes of each.
    Understand {
        /// A salon file: its services and masters are understood too.
        #[arg(long)]
        salon: Option<PathBuf>,
        /// Ask the configured language model where the embedded reading is not certain.
        #[arg(long)]
        llm: bool,
    },
    /// Bring the database's tables up to date.
    Migrate,
    /// Try settings, database, YClients, WhatsApp and the port, and say what is wrong.
    Doctor {
        /// Print a fresh secret for JWT_SECRET or ENCRYPTION_KEY instead.
        #[arg(long)]
        new_secret: bool,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Count the jobs; list the dead ones and run them again.
    Jobs {
        /// Put the dead job of this number back into the queue.
        #[arg(long, value_name = "ID")]
        replay: Option<i64>,
    },
}

fn after_help() -> String {
    let rows: String = ai_admin::config::SETTINGS.iter().map(|(name, meaning)| format!("  {name:<24} {meaning}\n")).collect();
    format!("Settings (environment, over the TOML file AI_ADMIN_CONFIG, over defaults; exit code 78 when they are wrong):\n{rows}")
}

/// The real calendar.
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one clock that is injected everywhere else")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// `EX_CONFIG` of sysexits.h.
const WRONG_SETTINGS: u8 = 78;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Understand { salon, llm } => understand::run(salon.as_deref(), llm).map(|()| ExitCode::SUCCESS),
        Command::Openapi => {
            println!("{}", web::openapi());
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor { new_secret: true } => doctor::new_secret().map_err(Into::into).map(|secret| {
            println!("{}", secret.expose_secret());
            ExitCode::SUCCESS
        }),
        command => match Config::from_environment() {
            Err(faults) => {
                eprintln!("{faults}");
                return ExitCode::from(WRONG_SETTINGS);
            }
            Ok(config) => tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(run(command, config))),
        },
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

async fn run(command: Command, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve(config).await,
        Command::Migrate => {
            let store = Store::open(config.database_url.expose_secret()).await;
            if let Err(error) = store {
                eprintln!("DATABASE_URL: {error}");
                return Ok(ExitCode::from(WRONG_SETTINGS));
            }
            println!("{}: the tables are up to date", config.database_kind());
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor { .. } => {
            let findings = doctor::examine(&config).await;
            for finding in &findings {
                let (mark, text) = match &finding.state {
                    Ok(text) => ("✓", text),
                    Err(text) => ("✗", text),
                };
                println!("{mark} {:<10} {text}", finding.what);
            }
            Ok(if findings.iter().all(|finding| finding.state.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Jobs { replay } => jobs(&config, replay).await,
        Command::Understand { .. } | Command::Openapi => unreachable!("answered without settings"),
    }
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let _logs = telemetry::init(&config.log_level, config.log_dir.as_deref())?;
    let running = match ai_admin::start(config, Arc::new(SystemClock)).await {
        Ok(running) => running,
        Err(error) if error.to_string().starts_with("DATABASE_URL") => {
            tracing::error!("{error:#}");
            return Ok(ExitCode::from(WRONG_SETTINGS));
        }
        Err(error) => return Err(error),
    };
    lifecycle::asked_to_stop().await?;
    tracing::info!("stopping: turns in flight are finished first");
    if !lifecycle::softly(running.shutdown()).await? {
        // Not by returning: the runtime would wait for what blocks.
        std::process::exit(1);
    }
    Ok(ExitCode::SUCCESS)
}

async fn jobs(config: &Config, replay: Option<i64>) -> anyhow::Result<ExitCode> {
    let store = Store::open(config.database_url.expose_secret()).await?;
    if let Some(id) = replay {
        let mut tx = store.begin().await?;
        let found = store::jobs::replay(&mut tx, store::jobs::JobId(id)).await?;
        tx.commit().await?;
        println!("{}", if found { "back in the queue" } else { "no dead job of that number" });
        return Ok(if found { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut tx = store.read().await?;
    for row in store::jobs::counts(&mut tx).await? {
        println!("{:<16} {:<12} {}", row.kind, row.state.as_str(), row.count);
    }
    for job in store::jobs::dead(&mut tx, 50).await? {
        println!("dead {}: {} after {} attempts: {}", job.id.0, job.kind, job.attempt, job.error.unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}
