//! The world's port speaks HTTP and HTTPS alike: WhatsApp's clients exchange files by HTTPS only, and their own test suites come
//! by `wss`. Which it is shows in the first byte.
//!
//! The key of the certificate is public, so nothing must ever trust it: a client has to be told not to verify, or to trust this
//! one certificate for one test.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

const CERTIFICATE: &[u8] = include_bytes!("../tls/certificate.der");
const KEY: &[u8] = include_bytes!("../tls/key.der");
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;
/// Who says nothing for so long is not served.
const FIRST_BYTE_WITHIN: Duration = Duration::from_secs(60);
/// Arrivals that wait to be served.
const BACKLOG: usize = 64;

/// A listener for both.
pub(crate) struct Door {
    arrivals: mpsc::Receiver<(Line, SocketAddr)>,
    address: SocketAddr,
}

impl Door {
    /// Serves what arrives at this listener.
    pub(crate) fn open(listener: TcpListener) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)?;
        let tls = TlsAcceptor::from(Arc::new(config));
        let (arrived, arrivals) = mpsc::channel(BACKLOG);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = tokio::select! {
                    () = arrived.closed() => return,
                    accepted = listener.accept() => match accepted {
                        Ok(accepted) => accepted,
                        Err(error) => {
                            tracing::warn!(%error, "a connection could not be accepted");
                            tokio::time::sleep(Duration::from_millis(100)).await;
                            continue;
                        }
                    },
                };
                let (tls, arrived) = (tls.clone(), arrived.clone());
                tokio::spawn(async move {
                    if let Ok(Ok(line)) = timeout(FIRST_BYTE_WITHIN, Line::open(stream, &tls)).await {
                        // Nobody serves any more.
                        let _ = arrived.send((line, peer)).await;
                    }
                });
            }
        });
        Ok(Self { arrivals, address })
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        match self.arrivals.recv().await {
            Some(arrival) => arrival,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Who calls.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection.
pub(crate) enum Line {
    Plain(TcpStream),
    Sealed(Box<TlsStream<TcpStream>>),
}

impl Line {
    async fn open(stream: TcpStream, tls: &TlsAcceptor) -> io::Result<Self> {
        // Small answers must not wait for more to send.
        stream.set_nodelay(true)?;
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first[0] == HANDSHAKE { Ok(Self::Sealed(Box::new(tls.accept(stream).await?))) } else { Ok(Self::Plain(stream)) }
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Sealed(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Sealed(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Sealed(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Sealed(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
