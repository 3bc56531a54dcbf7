//! Files that messages bring: fetched from the hosts that WhatsApp names, and opened.

use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::time::Duration;

use async_trait::async_trait;
use domain::CompanyId;
use url::Url;
use wacore::download::{DownloadWriter, MediaType};
use wacore::net::{HttpClient, HttpRequest, HttpResponse, StreamingHttpResponse, UploadBody, WHATSAPP_WEB_ORIGIN};
use wacore::stats::HttpResourceReport;
use whatsapp_rust::download::DownloadParams;
use whatsapp_rust::http::UreqHttpClient;

use crate::Pool;
use crate::inbound::{Content, File, Source};
use crate::session::masked;

/// The largest file that is fetched, in bytes: WhatsApp makes photographs smaller than that, and some
/// minutes of a voice message are.
pub const MAX_FILE: u64 = 1024 * 1024;
/// How long a host may take for all of an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// A client's usual buffers are made for large files.
const BUFFER: usize = 16 * 1024;
const IDLE: usize = 3;

/// Why a file is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The content brings no file, or one that is too large or that nobody could open.
    #[error("no file that could be fetched")]
    NoFile,
    /// The salon's session is not online here.
    #[error("not connected")]
    NotConnected,
    /// The host did not give it, or not the one that was sent.
    #[error("the file was not fetched: {0}")]
    Failed(String),
}

impl Content {
    /// The file it brings, and by which of WhatsApp's keys it is opened.
    fn file(&self) -> Option<(&File, MediaType)> {
        Some(match self {
            Self::Voice(file) => (file, MediaType::Audio),
            Self::Image { file, .. } => (file, MediaType::Image),
            Self::Video { file, .. } => (file, MediaType::Video),
            Self::Document { file, .. } => (file, MediaType::Document),
            Self::Sticker(file) => (file, MediaType::Sticker),
            _ => return None,
        })
    }

    /// What kind of file it brings, as its sender says.
    pub fn mime(&self) -> Option<&str> {
        self.file().map(|(file, _)| file.mime.as_str())
    }

    /// It brings a file that is small enough, as its sender says, for [`Pool::fetch`].
    pub fn brings_small_file(&self) -> bool {
        self.small_file().is_some()
    }

    fn small_file(&self) -> Option<(&File, &Source, MediaType)> {
        let (file, kind) = self.file()?;
        (file.size <= MAX_FILE).then_some((file, file.source.as_ref()?, kind))
    }
}

impl Pool {
    /// Fetches and opens the file that a message of the salon brought. Takes half a minute at most for each host.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(&self, company: CompanyId, content: &Content) -> Result<Vec<u8>, FetchError> {
        let (file, source, kind) = content.small_file().ok_or(FetchError::NoFile)?;
        let salon = self.known(company).and_then(|salon| salon.running()).filter(|running| running.client.is_logged_in());
        let client = salon.ok_or(FetchError::NotConnected)?.client;
        let Source { path, key, sha256, sealed_sha256 } = source;
        let params = DownloadParams::encrypted(path, key, sha256, sealed_sha256, file.size, kind);
        let fetched = client.download_to_writer(&params, Small::default()).await;
        fetched.map(|small| small.0.into_inner()).map_err(|error| FetchError::Failed(masked(&error)))
    }
}

/// Takes no more than [`MAX_FILE`], whatever the sender said of the file's size.
#[derive(Default)]
struct Small(Cursor<Vec<u8>>);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.position() + bytes.len() as u64 > MAX_FILE {
            return Err(io::Error::other("larger than it was said to be"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Small {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl DownloadWriter for Small {
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }
}

/// Asks hosts in the way WhatsApp itself is reached: those of a `ws` address by HTTP. The client asks by
/// HTTPS always, since WhatsApp names its hosts without a scheme.
#[derive(Clone)]
pub(crate) struct MediaHosts {
    http: UreqHttpClient,
    plain: bool,
}

impl MediaHosts {
    pub(crate) fn of(whatsapp: &Url) -> Self {
        Self::patient(whatsapp, PATIENCE)
    }

    fn patient(whatsapp: &Url, patience: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(IDLE)
            .timeout_global(Some(patience))
            .build();
        Self { http: UreqHttpClient::with_agent(agent.into()), plain: whatsapp.scheme() == "ws" }
    }

    fn aimed(&self, mut request: HttpRequest) -> HttpRequest {
        // The newest version is asked of WhatsApp's own site, wherever its hosts are.
        if self.plain && !request.url.starts_with(WHATSAPP_WEB_ORIGIN) {
            request.url = request.url.replacen("https://", "http://", 1);
        }
        request
    }
}

#[async_trait]
impl HttpClient for MediaHosts {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        self.http.execute(self.aimed(request)).await
    }

    fn supports_streaming(&self) -> bool {
        true
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        self.http.execute_streaming(self.aimed(request))
    }

    fn supports_upload_streaming(&self) -> bool {
        true
    }

    fn execute_upload(&self, request: HttpRequest, body: UploadBody, length: u64) -> anyhow::Result<HttpResponse> {
        self.http.execute_upload(self.aimed(request), body, length)
    }

    fn resource_report(&self) -> Option<HttpResourceReport> {
        self.http.resource_report()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_asked_in_the_way_whatsapp_is_reached() {
        let check = |whatsapp: &str, asked: &str, expected: &str| {
            let hosts = MediaHosts::of(&whatsapp.parse().expect("an address"));
            assert_eq!(hosts.aimed(HttpRequest::get(asked)).url, expected);
        };
        check("wss://web.whatsapp.com/ws/chat", "https://mmg.whatsapp.net/v/1", "https://mmg.whatsapp.net/v/1");
        check("ws://127.0.0.1:4000/ws/chat", "https://127.0.0.1:4000/v/1", "http://127.0.0.1:4000/v/1");
        check("ws://127.0.0.1:4000/ws/chat", "https://web.whatsapp.com/sw.js", "https://web.whatsapp.com/sw.js");
    }

    #[test]
    fn no_more_is_taken_than_fits() {
        let mut small = Small::default();
        let half = vec![7; (MAX_FILE / 2) as usize];
        assert!(small.write_all(&half).is_ok() && small.write_all(&half).is_ok());
        assert!(small.write_all(&[7]).is_err());
        small.truncate(0).and_then(|()| small.rewind()).expect("a list of bytes");
        assert!(small.write_all(&half).is_ok(), "another host may be asked");
    }

    #[tokio::test]
    async fn a_silent_host_is_not_waited_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("ws://{}/", listener.local_addr().expect("an address")).parse().expect("a url");
        let hosts = MediaHosts::patient(&url, Duration::from_millis(100));
        let asked = HttpRequest::get(url.as_str().replacen("ws:", "https:", 1));
        let answer = tokio::task::spawn_blocking(move || hosts.execute_streaming(asked).map(|answer| answer.status_code));
        assert!(answer.await.expect("no panic").is_err());
    }
}
