//! Everything that a script would do: `cargo xtask --help`.
#![allow(clippy::print_stdout, reason = "a command-line tool speaks to its terminal")]

mod bench;
mod chaos;
mod command;
mod e2e;
mod lint;
mod postgres;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Chores of this repository.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what the tests need and run them all: units, both databases, the whole sandbox world, and foreign clients
    /// against it (Baileys, socket.io-client, a browser). With arguments only the Rust tests run.
    Test {
        /// Passed on to `cargo test`: a filter, `-- --nocapture`, …
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measure: prints figures, judges nothing.
    Bench {
        /// What to measure.
        what: bench::Bench,
        /// Passed on: `at-once` for reply; the number of sessions and `ours` (no Baileys) for sessions; the number of jobs for jobs.
        args: Vec<String>,
    },
    /// Kill and break the product while customers talk to it, and count what was lost or doubled.
    Chaos {
        /// Passed on: `--kills N --seed S`, `--postgres` or `--database-url URL`, `--nodes N`, `--race N`, `--crowd N`, `--help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Take pictures of every page and state into docs/screens.
    Screens,
    /// Formatting, clippy without warnings, licences and duplicates (where cargo-deny is installed).
    Lint,
}

fn main() -> Result<()> {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))?;
    match Cli::parse().chore {
        Chore::Test { args } => test::run(&args),
        Chore::Bench { what, args } => bench::run(what, &args),
        Chore::Chaos { args } => chaos::run(&args),
        Chore::Screens => e2e::screens(),
        Chore::Lint => lint::run(),
    }
}
