//! The linking page's socket as a browser opens it: Socket.IO over a WebSocket, spoken by hand.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context, bail};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use url::Url;

const NAMESPACE: &str = "/marketplace,";

/// An open socket of the page.
pub(crate) struct LinkingPage(WebSocketStream<TcpStream>);

impl LinkingPage {
    /// Opens the socket as the page at `base` does, for the holder of a registration token.
    pub(crate) async fn open(base: &Url, token: &str, from: Ipv4Addr) -> anyhow::Result<Self> {
        let authority = base.authority();
        let mut request = format!("ws://{authority}/socket.io/?EIO=4&transport=websocket").into_client_request()?;
        let origin = base.origin().ascii_serialization();
        request.headers_mut().insert("Origin", HeaderValue::from_str(&origin)?);
        request.headers_mut().insert("X-Forwarded-For", HeaderValue::from_str(&from.to_string())?);
        let stream = TcpStream::connect(authority).await.context("the product cannot be reached")?;
        stream.set_nodelay(true)?;
        let (socket, _) = client_async(request, stream).await.context("the page's socket was refused")?;
        let mut page = Self(socket);
        let open = page.packet().await?;
        if !open.starts_with('0') {
            bail!("Socket.IO opened with {open:?}");
        }
        page.send(format!("40{NAMESPACE}{}", json!({ "token": token }))).await?;
        loop {
            let answer = page.packet().await?;
            if answer.starts_with("40/marketplace") {
                return Ok(page);
            } else if let Some(error) = answer.strip_prefix("44/marketplace,") {
                bail!("the page's socket was refused: {error}");
            }
        }
    }

    /// The next event: its name and its first argument.
    pub(crate) async fn event(&mut self) -> anyhow::Result<(String, Value)> {
        loop {
            let packet = self.packet().await?;
            if let Some(event) = packet.strip_prefix("42/marketplace,") {
                let mut parts: Vec<Value> = serde_json::from_str(event).with_context(|| format!("no event: {event:?}"))?;
                let argument = if parts.len() > 1 { parts.swap_remove(1) } else { Value::Null };
                let name = parts.first().and_then(Value::as_str).context("an event without name")?;
                return Ok((name.to_owned(), argument));
            }
            if packet == "41/marketplace," || packet == "1" {
                bail!("the product closed the page's socket");
            }
        }
    }

    /// The next packet that is no heartbeat.
    async fn packet(&mut self) -> anyhow::Result<String> {
        loop {
            let message = timeout(Duration::from_secs(20), self.0.next()).await.context("the page's socket is silent")?;
            match message.context("the page's socket was closed")?? {
                Message::Text(text) if text.as_str() == "2" => self.send("3".to_owned()).await?,
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Close(_) => bail!("the page's socket was closed"),
                _ => {}
            }
        }
    }

    async fn send(&mut self, packet: String) -> anyhow::Result<()> {
        Ok(self.0.send(Message::Text(packet.into())).await?)
    }
}
