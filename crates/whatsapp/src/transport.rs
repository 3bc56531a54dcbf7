use std::sync::Arc;

use async_trait::async_trait;
use url::Url;
use wacore::net::{Transport, TransportEvent, TransportFactory};
use whatsapp_rust::async_channel::Receiver;
use whatsapp_rust::transport::{TokioWebSocketTransportFactory, default_tls_connector};

/// Where WhatsApp is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `wss://web.whatsapp.com/ws/chat`, or an emulator.
    pub url: Url,
    /// The version of WhatsApp Web to present; without one, the client asks
    /// `https://web.whatsapp.com/sw.js` once a day for each session.
    pub version: Option<(u32, u32, u32)>,
}

/// Dials for every session with one TLS configuration: left alone, the client builds one with all
/// root certificates at each connect.
#[derive(Clone)]
pub(crate) struct Dialer(Arc<TokioWebSocketTransportFactory>);

impl Dialer {
    pub(crate) fn new(url: &Url) -> Self {
        Self(Arc::new(TokioWebSocketTransportFactory::new().with_url(url.as_str()).with_connector(default_tls_connector())))
    }
}

#[async_trait]
impl TransportFactory for Dialer {
    async fn create_transport(&self) -> anyhow::Result<(Arc<dyn Transport>, Receiver<TransportEvent>)> {
        self.0.create_transport().await
    }
}
