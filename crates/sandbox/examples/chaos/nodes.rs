//! The product's processes, and what is done to them.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use rand::{RngExt, rngs::StdRng};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep_until},
};

use crate::place::Place;

/// Longer than a lease: whoever is away so long has lost its sessions to the others.
const TAKEN_OVER: Duration = Duration::from_secs(20);

enum Node {
    Runs(Child),
    /// Killed, and started again at that time.
    Down(Instant),
    /// Stopped by a signal, and continued at that time.
    Stopped(Child, Instant),
}

/// One process of the product, or several nodes that share a database.
pub(crate) struct Nodes {
    place: Arc<Place>,
    nodes: Vec<Node>,
}

impl Nodes {
    pub(crate) fn start(place: Arc<Place>, count: usize) -> anyhow::Result<Self> {
        let nodes = (0..count).map(|n| place.start_product(n).map(Node::Runs)).collect::<anyhow::Result<_>>()?;
        Ok(Self { place, nodes })
    }

    /// Kills one. Where others are left it may stay away for so long that they take over, or only be
    /// stopped: it goes on later as if nothing had happened.
    pub(crate) async fn strike(&mut self, dice: &mut StdRng) -> anyhow::Result<()> {
        let alone = self.nodes.len() == 1;
        let n = dice.random_range(0..self.nodes.len());
        let (stop, away) = (dice.random_bool(0.15), dice.random_bool(0.2));
        let long = TAKEN_OVER.mul_f64(dice.random_range(0.2..1.3));
        let runs = self.nodes.iter().filter(|node| matches!(node, Node::Runs(_))).count();
        if !alone && (runs < self.nodes.len()) {
            // One at a time: whoever is away comes back first.
            self.recover().await?;
        }
        let Node::Runs(process) = &mut self.nodes[n] else { return Ok(()) };
        if !alone && stop {
            signal(process, "-STOP").await?;
            let Node::Runs(process) = std::mem::replace(&mut self.nodes[n], Node::Down(Instant::now())) else { return Ok(()) };
            self.nodes[n] = Node::Stopped(process, Instant::now() + long);
            return Ok(());
        }
        process.kill().await?;
        self.nodes[n] = if !alone && away { Node::Down(Instant::now() + long) } else { Node::Runs(self.place.start_product(n)?) };
        Ok(())
    }

    /// Waits until all that are away are back.
    pub(crate) async fn recover(&mut self) -> anyhow::Result<()> {
        for (n, node) in self.nodes.iter_mut().enumerate() {
            let back = match std::mem::replace(node, Node::Down(Instant::now())) {
                Node::Runs(process) => process,
                Node::Down(until) => {
                    sleep_until(until).await;
                    self.place.start_product(n)?
                }
                Node::Stopped(process, until) => {
                    sleep_until(until).await;
                    signal(&process, "-CONT").await?;
                    process
                }
            };
            *node = Node::Runs(back);
        }
        Ok(())
    }

    /// Ends them all.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        for node in &mut self.nodes {
            if let Node::Runs(process) | Node::Stopped(process, _) = node {
                process.kill().await?;
            }
        }
        Ok(())
    }
}

async fn signal(process: &Child, signal: &str) -> anyhow::Result<()> {
    let id = process.id().context("it has ended by itself")?.to_string();
    ensure!(Command::new("kill").args([signal, &id]).status().await?.success(), "{signal} {id}");
    Ok(())
}
