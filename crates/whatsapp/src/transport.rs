use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use http::HeaderValue;
use http::header::ORIGIN;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_websockets::{ClientBuilder, Connector};
use url::{Host, Url};
use wacore::net::{Transport, TransportEvent, TransportFactory, WHATSAPP_WEB_ORIGIN};
use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::transport::{default_tls_connector, from_websocket};

/// A session dials WhatsApp at most so often in so long: once, and six times more to reconnect.
const DIALS: usize = 7;
const DIALS_IN: Duration = Duration::from_secs(60);
/// An attempt on top waits its turn for so long (the client gives up after 20 s), then fails, which
/// makes the client itself wait longer.
const TURN: Duration = Duration::from_secs(15);

/// Where WhatsApp is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `wss://web.whatsapp.com/ws/chat`, or an emulator.
    pub url: Url,
    /// The version of WhatsApp Web to present; without one, the client asks
    /// `https://web.whatsapp.com/sw.js` once a day for each session.
    pub version: Option<(u32, u32, u32)>,
}

/// The way to WhatsApp, one for all sessions: left alone, the client builds a TLS configuration
/// with all root certificates at each connect, and leaves Nagle's algorithm on, which holds small
/// stanzas back for some 40 ms.
#[derive(Clone)]
pub(crate) struct Line(Arc<(Url, Connector)>);

impl Line {
    pub(crate) fn new(url: &Url) -> Self {
        let tls = if url.scheme() == "wss" { default_tls_connector() } else { Connector::Plain };
        Self(Arc::new((url.clone(), tls)))
    }

    /// What one session dials with.
    pub(crate) fn dialer(&self) -> Dialer {
        Dialer { line: self.clone(), recent: Mutex::default() }
    }

    async fn dial(&self) -> anyhow::Result<(Arc<dyn Transport>, Receiver<TransportEvent>)> {
        let (url, tls) = &*self.0;
        let name = url.host_str().context("WhatsApp's address has no host")?;
        let stream = tls.wrap(name.trim_matches(['[', ']']), self.reach().await?).await?;
        let builder = ClientBuilder::new().uri(url.as_str())?.add_header(ORIGIN, HeaderValue::from_static(WHATSAPP_WEB_ORIGIN))?;
        let (websocket, _) = builder.connect_on(stream).await?;
        Ok(from_websocket(websocket))
    }

    async fn reach(&self) -> anyhow::Result<TcpStream> {
        let (url, _) = &*self.0;
        let port = url.port_or_known_default().context("WhatsApp's address has no port")?;
        let tcp = match url.host().context("WhatsApp's address has no host")? {
            Host::Domain(name) => TcpStream::connect((name, port)).await?,
            Host::Ipv4(ip) => TcpStream::connect((ip, port)).await?,
            Host::Ipv6(ip) => TcpStream::connect((ip, port)).await?,
        };
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }
}

/// Dials for one session.
pub(crate) struct Dialer {
    line: Line,
    /// When it dialled last, oldest first.
    recent: Mutex<VecDeque<Instant>>,
}

impl Dialer {
    /// Counts a dial at `now`, or says how long to wait before one.
    fn count(&self, now: Instant) -> Result<(), Duration> {
        let mut recent = self.recent.lock();
        while let Some(first) = recent.front().filter(|first| now.duration_since(**first) >= DIALS_IN || recent.len() >= DIALS) {
            let free = *first + DIALS_IN;
            if free > now {
                return Err(free - now);
            }
            recent.pop_front();
        }
        recent.push_back(now);
        Ok(())
    }
}

#[async_trait]
impl TransportFactory for Dialer {
    async fn create_transport(&self) -> anyhow::Result<(Arc<dyn Transport>, Receiver<TransportEvent>)> {
        while let Err(wait) = self.count(Instant::now()) {
            ensure!(wait < TURN, "dialled {DIALS} times within a minute");
            tokio::time::sleep(wait).await;
        }
        self.line.dial().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dial_and_six_reconnects_a_minute() {
        let dialer = Line::new(&"ws://127.0.0.1:1/".parse().expect("an address")).dialer();
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        for n in 0..7 {
            assert_eq!(dialer.count(start + second * n), Ok(()), "dial {n}");
        }
        assert_eq!(dialer.count(start + 50 * second), Err(10 * second));
        assert_eq!(dialer.count(start + 60 * second), Ok(()), "the first one is a minute ago");
        assert_eq!(dialer.count(start + 60 * second), Err(second));
    }

    #[tokio::test]
    async fn small_stanzas_do_not_wait() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}/", listener.local_addr().expect("an address")).parse().expect("a url");
        let tcp = Line::new(&url).reach().await.expect("reached");
        assert!(tcp.nodelay().expect("a socket"));
    }
}
