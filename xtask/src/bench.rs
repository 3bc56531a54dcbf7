//! `cargo xtask bench`.

use anyhow::Result;
use clap::ValueEnum;

use crate::{
    command::{build_as_tests_do, sh},
    e2e,
};

/// What can be measured.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Bench {
    /// From a customer's message to the answer's acceptance by WhatsApp, 200 bookings.
    Reply,
    /// 1 000 linked WhatsApp sessions: memory of each, beside Baileys', and how long until all are back.
    Sessions,
    /// Durable jobs: throughput and latency, SQLite and PostgreSQL; with `kill`, under `kill -9`.
    Jobs,
    /// Reading messages: p50 and p99 of one, messages per second on one core, memory of the dictionary.
    Understand,
    /// Webhooks at 500 a second: how long until each is acknowledged.
    Webhooks,
}

pub(crate) fn run(what: Bench, args: &[String]) -> Result<()> {
    let example = match what {
        Bench::Reply => "bench_reply",
        Bench::Sessions => "bench_sessions",
        Bench::Jobs => "bench_jobs",
        // The dictionary is an order of magnitude slower without optimisation.
        Bench::Understand => {
            let mut command = vec!["run", "--release", "--package", "language", "--example", "bench_understand", "--"];
            command.extend(args.iter().map(String::as_str));
            return sh("cargo", &command);
        }
        Bench::Webhooks => "bench_webhooks",
    };
    if matches!(what, Bench::Sessions) && !args.iter().any(|arg| arg == "ours") {
        e2e::fetch()?;
    }
    build_as_tests_do(&["--example", example])?;
    sh(&format!("target/sandbox/examples/{example}"), &args.iter().map(String::as_str).collect::<Vec<_>>())
}
