//! What stands before several nodes of the product: new connections go to the nodes in turn, to
//! those that answer. It passes bytes and knows nothing of what they say.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// A node is asked so often whether it lives, and has so long to answer.
const LOOK: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(1);

/// A node, and whether it answered when last asked.
struct Node {
    address: SocketAddr,
    lives: watch::Sender<bool>,
}

/// Serves until dropped.
pub(crate) async fn run(listener: TcpListener, ports: Vec<u16>) {
    let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap_or_default();
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let nodes: Arc<Vec<Node>> =
        Arc::new(ports.into_iter().map(|port| Node { address: address(port), lives: watch::Sender::new(false) }).collect());
    let turn = Arc::new(AtomicUsize::new(0));
    // Ends with this future.
    let mut tasks = JoinSet::new();
    for n in 0..nodes.len() {
        tasks.spawn(watch_over(nodes.clone(), n, http.clone()));
    }
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(tasks.spawn(pass_on(client, nodes.clone(), turn.clone()))),
                Err(error) => tracing::warn!(%error, "a connection was not taken"),
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

async fn watch_over(nodes: Arc<Vec<Node>>, n: usize, http: reqwest::Client) {
    let Node { address, lives } = &nodes[n];
    loop {
        let answered = http.get(format!("http://{address}/livez")).send().await.is_ok_and(|answer| answer.status().is_success());
        lives.send_if_modified(|lives| std::mem::replace(lives, answered) != answered);
        sleep(LOOK).await;
    }
}

/// Until one side ends, or the node no longer answers: whoever waits for it must ask another.
async fn pass_on(mut client: TcpStream, nodes: Arc<Vec<Node>>, turn: Arc<AtomicUsize>) {
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for n in 0..nodes.len() {
        let node = &nodes[(first + n) % nodes.len()];
        let mut lives = node.lives.subscribe();
        if !*lives.borrow_and_update() {
            continue;
        }
        let Ok(Ok(mut product)) = timeout(PATIENCE, TcpStream::connect(node.address)).await else { continue };
        let _ = (client.set_nodelay(true), product.set_nodelay(true));
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut product) => {}
            _ = lives.wait_for(|lives| !lives) => {}
        }
        return;
    }
}
