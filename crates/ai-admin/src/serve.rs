use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use domain::Clock;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use secrecy::{ExposeSecret, SecretString};
use store::{Store, Vault};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use workflows::{App, Catalogues, calendar, inbox::Inbox, onboarding};

use crate::Config;

/// How long the work in flight may take to end after SIGTERM: the job runner's own ten seconds for
/// turns, and some to give back what was interrupted.
const DRAIN: Duration = Duration::from_secs(12);

/// How long a person of the salon who writes to a customer silences the bot there.
const HUMAN_PAUSE: Duration = Duration::from_secs(12 * 3600);

/// A product that runs.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    app: Arc<App>,
    /// Ends the work: no new jobs, no new calendar work.
    work: CancellationToken,
    /// Ends the server, once the work is done.
    serving: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    server: JoinHandle<()>,
}

impl Running {
    /// Soft, then hard: turns in flight finish (at most ten seconds), sessions are handed over, and
    /// only then does the server stop.
    pub async fn shutdown(self) {
        self.work.cancel();
        let done = async {
            for task in self.tasks {
                let _ = task.await;
            }
        };
        if tokio::time::timeout(DRAIN, done).await.is_err() {
            tracing::warn!("work in flight did not finish in time; it is taken up at the next start");
        }
        self.app.whatsapp.shutdown().await;
        self.serving.cancel();
        if tokio::time::timeout(Duration::from_secs(2), self.server).await.is_err() {
            tracing::debug!("open connections were cut");
        }
    }
}

/// Starts the product: database, sessions, jobs, calendar, server.
///
/// # Errors
/// When the database cannot be opened or the port is taken.
pub async fn start(config: Config, clock: Arc<dyn Clock>) -> anyhow::Result<Running> {
    // Two providers may be compiled in; the first one installed is the process's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let metrics = recorder();

    let store = Store::open(config.database_url.expose_secret()).await.context("DATABASE_URL: the database could not be opened")?;
    let vault = Vault::new(config.encryption_key.expose());
    let inbox = Arc::new(Inbox::closed());
    let endpoint = whatsapp::Endpoint { url: config.whatsapp_url.clone(), version: config.whatsapp_version };
    let whatsapp = whatsapp::Pool::new(store.clone(), vault.clone(), endpoint, inbox.clone(), config.node.clone());
    let missing = config.missing();
    if !missing.is_empty() {
        tracing::error!(?missing, "settings are missing: no salon can be connected");
    }
    if config.user_token.is_none() {
        tracing::warn!("YCLIENTS_USER_TOKEN is not set: only what online booking allows will be done");
    }
    if config.ai_provider != crate::config::AiProvider::Embedded {
        tracing::warn!("AI_PROVIDER: only the embedded understanding is built; it is used");
    }
    let app = Arc::new(App {
        yclients: yclients::YClients::new(yclients::Settings {
            base_url: config.yclients_url.clone(),
            partner_token: config.partner_token.clone().unwrap_or_else(|| SecretString::from("")),
            user_token: config.user_token.clone(),
            application_id: config.application_id.unwrap_or_default(),
            rate_limit: if config.rate_limited { yclients::RateLimit::Official } else { yclients::RateLimit::Off },
            callback: if config.callback_by_redirect { yclients::CallbackStyle::Redirect } else { yclients::CallbackStyle::Server },
        })?,
        store,
        vault,
        whatsapp,
        clock,
        catalogues: Catalogues::default(),
        settings: workflows::Settings {
            base_url: config.base_url.clone(),
            application_id: config.application_id.unwrap_or_default(),
            missing: missing.clone(),
            debounce: config.debounce,
            typing: config.typing,
            human_pause: HUMAN_PAUSE,
            unsettled_patience: config.unsettled_patience,
            operator_phone: config.operator_phone.clone(),
            operator_webhook: config.operator_webhook.clone(),
        },
    });
    inbox.open(app.clone());

    let listener =
        TcpListener::bind((config.host, config.port)).await.with_context(|| format!("PORT {} cannot be listened on", config.port))?;
    let addr = listener.local_addr()?;
    let router = web::router(
        app.clone(),
        web::Settings {
            base_url: config.base_url,
            jwt_secret: config.jwt_secret,
            admin_api_key: config.admin_api_key,
            partner_token: config.partner_token,
            webhook_secret: config.webhook_secret,
            allowed_origins: config.allowed_origins,
            trusted_proxies: config.trusted_proxies,
            development: config.development,
            missing,
            metrics: Arc::new(move || metrics.render()),
            logs: crate::telemetry::book(),
        },
    );
    let work = CancellationToken::new();
    let serving = CancellationToken::new();
    let stop = serving.clone();
    let server = tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await {
            tracing::error!(%error, "the server stopped");
        }
    });
    let links = tokio::spawn(onboarding::follow_links(app.clone(), work.clone()));
    let jobs = tokio::spawn(app.runner().run(work.clone()));
    let planned = tokio::spawn(calendar::run(app.clone(), work.clone()));
    app.whatsapp.resume_all().await.context("the WhatsApp sessions could not be resumed")?;
    tracing::info!(%addr, database = kind(&config.database_url), "ready");
    Ok(Running { addr, app, work, serving, tasks: vec![jobs, planned, links], server })
}

fn kind(database_url: &SecretString) -> &'static str {
    if database_url.expose_secret().starts_with("sqlite:") { "SQLite" } else { "PostgreSQL" }
}

/// The process's one recorder of metrics.
fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another recorder of metrics is installed; ours stays empty");
            }
            handle
        })
        .clone()
}
