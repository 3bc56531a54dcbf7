//! `cargo xtask bench`.

use anyhow::Result;
use clap::ValueEnum;

use crate::lint::sh;

/// What can be measured.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Bench {
    /// From a customer's message to the answer's acceptance by WhatsApp, 200 bookings.
    Reply,
    /// 1 000 linked WhatsApp sessions: memory of each, beside Baileys', and how long until all are back.
    Sessions,
    /// Durable jobs: throughput and latency, SQLite and PostgreSQL.
    Jobs,
}

pub(crate) fn run(what: Bench, args: &[String]) -> Result<()> {
    let example = match what {
        Bench::Reply => "bench_reply",
        Bench::Sessions => "bench_sessions",
        Bench::Jobs => "bench_jobs",
    };
    // The whole workspace, so that nothing is compiled that the tests have not compiled already.
    let mut command = vec!["run", "--profile", "sandbox", "--workspace", "--features", "store/test-support", "--example", example, "--"];
    command.extend(args.iter().map(String::as_str));
    sh("cargo", &command)
}
