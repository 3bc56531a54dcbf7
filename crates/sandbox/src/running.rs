//! Starts and ends a world, the product, or both.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use axum::Router;
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};
use url::Url;

use crate::{
    balancer,
    clock::SandboxClock,
    control,
    door::{Door, Peer},
    events::Bus,
    faults::Faults,
    front_door::FrontDoor,
    keeping::Keeper,
    options::Options,
    owner, page,
    product::Product,
    secrets::Secrets,
    whatsapp,
    world::World,
    yclients::{self, SalonFile},
};

/// The salon that is there when none is named.
const DEMO: &str = include_str!("../salons/demo.json");

/// A running sandbox.
pub struct Running {
    /// The world's address: chat page, control API, YClients, WhatsApp. Absent with `--product-only`.
    pub control: Option<SocketAddr>,
    /// The product's address. Absent with `--world-only`.
    pub product: Option<SocketAddr>,
    served: Option<Product>,
    world: Option<(Arc<World>, Option<Keeper>)>,
    tasks: Vec<JoinHandle<()>>,
    // Without a data folder all is forgotten with this.
    _scratch: Option<tempfile::TempDir>,
}

impl Running {
    /// Ends the product, saves the world, ends the rest.
    pub async fn shutdown(mut self) {
        if let Some(product) = self.served.take() {
            product.shutdown().await;
        }
        for task in self.tasks.drain(..) {
            task.abort();
            // What counts is that it no longer runs.
            let _ = task.await;
        }
        if let Some((world, Some(keeper))) = self.world.take()
            && let Err(error) = keeper.save(&world)
        {
            tracing::error!(%error, "the world's state could not be saved");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Starts what the options name and returns when it is ready: with salons, when they are connected.
pub async fn start(options: Options) -> anyhow::Result<Running> {
    // Two providers may be compiled in; the first one installed is the process's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Some(folder) = &options.data {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    if options.product_only { start_product(options).await } else { start_world(options).await }
}

async fn start_world(options: Options) -> anyhow::Result<Running> {
    let secrets = Secrets::load(options.data.as_deref())?;
    let keeper = options.data.as_deref().map(Keeper::in_folder);
    let clock = Arc::new(SandboxClock::ahead_by(keeper.as_ref().map(Keeper::clock_offset_ms).transpose()?.flatten().unwrap_or(0)));
    if let Some(now) = options.now {
        clock.set(now);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.control_port))
        .await
        .with_context(|| format!("the control port {} is taken", options.control_port))?;
    let control = listener.local_addr()?;
    let product_port = if options.port == 0 { free_port()? } else { options.port };
    let world = Arc::new(world(&options, secrets.clone(), clock.clone(), control, product_port)?);
    if let Some(keeper) = &keeper {
        keeper.load(&world)?;
    }

    let mut tasks = vec![tokio::spawn(serve(Door::open(listener)?, routes(&world))), tokio::spawn(note_phones(world.clone()))];
    if let Some(keeper) = &keeper {
        tasks.push(tokio::spawn(keeper.clone().follow(world.clone())));
    }
    if !options.node_ports.is_empty() {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, product_port))
            .await
            .with_context(|| format!("the product's port {product_port} is taken"))?;
        tasks.push(tokio::spawn(balancer::run(door, options.node_ports.clone())));
    }
    let salons = salons(&options, &world)?;
    let mut running = Running { control: Some(control), product: None, served: None, world: None, tasks, _scratch: None };
    running.world = Some((world.clone(), keeper));
    if options.world_only {
        world.declare_up();
        running.tasks.push(tokio::spawn(onboard_when_possible(world, salons)));
        return Ok(running);
    }
    let settings = settings(&options, &secrets, control, product_port)?;
    running._scratch = settings.scratch;
    let product = Product::start(settings.pairs, clock).await?;
    running.product = Some(product.addr());
    running.served = Some(product);
    for salon in salons {
        owner::onboard(&world, salon, owner::Method::Qr).await.with_context(|| format!("salon {salon} could not be connected"))?;
    }
    world.declare_up();
    Ok(running)
}

/// The product apart: calendar and secrets come from its world.
async fn start_product(options: Options) -> anyhow::Result<Running> {
    let control = SocketAddr::from((Ipv4Addr::LOCALHOST, options.control_port));
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?;
    let url = format!("http://{control}/control");
    let ask = || async { http.get(format!("{url}/secrets")).send().await?.error_for_status()?.json::<Secrets>().await };
    let secrets = ask().await.with_context(|| format!("no world answers at http://{control}/; start it with --world-only"))?;
    let clock = Arc::new(SandboxClock::default());
    let version = follow_once(&http, &url, &clock, None).await.context("the world's clock cannot be read")?;
    let follow = tokio::spawn(follow_clock(http, url, clock.clone(), version));
    let port = if options.port == 0 { free_port()? } else { options.port };
    let ProductSettings { pairs, scratch } = settings(&options, &secrets, control, port)?;
    let product = Product::start(pairs, clock).await?;
    let addr = product.addr();
    Ok(Running { control: None, product: Some(addr), served: Some(product), world: None, tasks: vec![follow], _scratch: scratch })
}

fn world(options: &Options, secrets: Secrets, clock: Arc<SandboxClock>, control: SocketAddr, product_port: u16) -> anyhow::Result<World> {
    let (bus, faults) = (Arc::new(Bus::default()), Arc::new(Faults::default()));
    let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(5)).build()?;
    let settings = yclients::Settings {
        partner_token: secrets.partner_token.clone(),
        user_token: secrets.user_token.clone(),
        application_id: secrets.application_id,
        real_limits: options.real_limits,
        real_delays: options.real_delays,
    };
    let yclients = yclients::Emulator::new(settings, clock.clone(), bus.clone(), faults.clone(), http);
    let application = Url::parse(&format!("http://127.0.0.1:{product_port}/"))?;
    yclients.set_application(application.clone());
    let calendar = clock.clone();
    let whatsapp = whatsapp::Emulator::new(whatsapp::Options {
        calendar: Arc::new(move || calendar.now().as_millisecond()),
        media_host: control.to_string(),
    });
    let front_door = FrontDoor::new(application, &secrets.admin_api_key)?;
    Ok(World::new(clock, bus, faults, secrets, yclients, whatsapp, front_door))
}

fn routes(world: &Arc<World>) -> Router {
    page::routes()
        .merge(control::routes(world.clone()))
        .merge(world.yclients.clone().routes())
        .merge(world.whatsapp.clone().routes())
        .fallback(control::nothing_here)
}

async fn serve(door: Door, routes: Router) {
    if let Err(error) = axum::serve(door, routes.into_make_service_with_connect_info::<Peer>()).await {
        tracing::error!(%error, "the world's server ended");
    }
}

/// What happens on the phones is part of the state to save.
async fn note_phones(world: Arc<World>) {
    use tokio::sync::broadcast::error::RecvError;
    let mut events = world.whatsapp.subscribe();
    while !matches!(events.recv().await, Err(RecvError::Closed)) {
        world.bus.touch();
    }
}

/// Enters the salons named, or the demo salon, where the saved state does not hold them yet.
fn salons(options: &Options, world: &World) -> anyhow::Result<Vec<i64>> {
    let mut texts = Vec::new();
    for file in &options.salons {
        texts.push((file.display().to_string(), std::fs::read_to_string(file).with_context(|| file.display().to_string())?));
    }
    if texts.is_empty() && !options.no_demo_salon {
        texts.push(("the demo salon".to_owned(), DEMO.to_owned()));
    }
    let mut ids = Vec::new();
    for (name, text) in texts {
        let file: SalonFile = serde_json::from_str(&text).with_context(|| name.clone())?;
        let id = file.id;
        if world.yclients.overview(id).is_err() {
            world.put_salon(file).with_context(|| name)?;
        }
        ids.push(id);
    }
    Ok(ids)
}

/// With the product apart the salons are connected when it first answers.
async fn onboard_when_possible(world: Arc<World>, salons: Vec<i64>) {
    for salon in salons {
        while !world.front_door.is_up().await {
            sleep(Duration::from_millis(200)).await;
        }
        match owner::onboard(&world, salon, owner::Method::Qr).await {
            Ok(_) => tracing::info!(salon, "connected"),
            Err(error) => tracing::error!(salon, "could not be connected: {error:#}"),
        }
    }
}

/// What the product is started with.
struct ProductSettings {
    /// Named as its environment variables.
    pairs: Vec<(String, String)>,
    /// The folder of its database, where that is to be forgotten.
    scratch: Option<tempfile::TempDir>,
}

/// The product's settings: the world's addresses and secrets, and whatever else the environment sets.
fn settings(options: &Options, secrets: &Secrets, control: SocketAddr, port: u16) -> anyhow::Result<ProductSettings> {
    let scratch = if options.data.is_none() && options.database_url.is_none() { Some(tempfile::tempdir()?) } else { None };
    let folder: Option<&Path> = options.data.as_deref().or(scratch.as_ref().map(tempfile::TempDir::path));
    let database = match (&options.database_url, folder) {
        (Some(url), _) => url.clone(),
        (None, Some(folder)) => format!("sqlite://{}", folder.join("ai-admin.sqlite").display()),
        (None, None) => bail!("no place for the database"),
    };
    let whatsapp = std::env::var("WHATSAPP_URL").unwrap_or_else(|_| format!("ws://{control}/ws/chat"));
    ensure!(is_loopback(&whatsapp), "WHATSAPP_URL: the sandbox talks to a WhatsApp emulator on this machine only");
    let mut settings: Vec<(String, String)> = crate::product::from_environment();
    // A product apart may be given another one, or none.
    let user_token = std::env::var("YCLIENTS_USER_TOKEN").unwrap_or_else(|_| secrets.user_token.clone());
    let fixed = [
        ("YCLIENTS_PARTNER_TOKEN", secrets.partner_token.clone()),
        ("YCLIENTS_USER_TOKEN", user_token),
        ("YCLIENTS_APP_ID", secrets.application_id.to_string()),
        ("YCLIENTS_WEBHOOK_SECRET", secrets.webhook_secret.clone()),
        ("YCLIENTS_BASE_URL", format!("http://{control}")),
        ("YCLIENTS_RATE_LIMIT", if options.real_limits { "on" } else { "off" }.to_owned()),
        ("JWT_SECRET", secrets.jwt_secret.clone()),
        ("ENCRYPTION_KEY", secrets.encryption_key.clone()),
        ("ADMIN_API_KEY", secrets.admin_api_key.clone()),
        ("BASE_URL", format!("http://127.0.0.1:{}", options.public_port.unwrap_or(port))),
        ("DATABASE_URL", database),
        ("HOST", Ipv4Addr::LOCALHOST.to_string()),
        ("PORT", port.to_string()),
        ("TRUSTED_PROXIES", Ipv4Addr::LOCALHOST.to_string()),
        ("WHATSAPP_URL", whatsapp),
        ("WHATSAPP_VERSION", "2.3000.1".to_owned()),
    ];
    settings.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
    settings.extend(options.node.iter().map(|node| ("NODE_NAME".to_owned(), node.clone())));
    settings.extend(options.debounce_ms.map(|ms| ("DEBOUNCE_MS".to_owned(), ms.to_string())));
    // Who sets the wait for the rest of a burst is a test, and waits for no typing either.
    let typing = options.typing_ms_per_char.or(options.debounce_ms.map(|_| 0));
    settings.extend(typing.map(|ms| ("TYPING_MS_PER_CHAR".to_owned(), ms.to_string())));
    Ok(ProductSettings { pairs: settings, scratch })
}

fn is_loopback(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    })
}

/// A port that was free a moment ago: the product's own address must be known before it starts.
fn free_port() -> anyhow::Result<u16> {
    Ok(StdListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[derive(Deserialize)]
struct WorldClock {
    offset_ms: i64,
    version: u64,
}

/// Keeps a product that runs apart on the world's calendar.
async fn follow_clock(http: reqwest::Client, url: String, clock: Arc<SandboxClock>, mut version: u64) {
    loop {
        sleep(Duration::from_millis(25)).await;
        // A world that is away for a while changes nothing.
        version = follow_once(&http, &url, &clock, Some(version)).await.unwrap_or(version);
    }
}

async fn follow_once(http: &reqwest::Client, url: &str, clock: &SandboxClock, known: Option<u64>) -> anyhow::Result<u64> {
    let now: WorldClock = http.get(format!("{url}/clock")).send().await?.error_for_status()?.json().await?;
    if known != Some(now.version) || clock.offset_ms() != now.offset_ms {
        clock.set_offset(now.offset_ms);
    }
    Ok(now.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_talked_to() {
        for (url, allowed) in [
            ("ws://127.0.0.1:4000/ws/chat", true),
            ("ws://localhost:4000/ws/chat", true),
            ("ws://[::1]/ws/chat", true),
            ("wss://web.whatsapp.com/ws/chat", false),
            ("ws://127.0.0.1.example.com/", false),
            ("ws://10.0.0.1/", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_loopback(url), allowed, "{url}");
        }
    }

    #[test]
    fn the_demo_salon_is_right() {
        let file: SalonFile = serde_json::from_str(DEMO).expect("the demo salon's file");
        file.check().expect("a right file");
    }
}
