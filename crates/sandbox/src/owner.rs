//! A salon's owner: connects the application, links the phone, waits until it works.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::{linking_page::LinkingPage, world::World, yclients::Installation};

/// How long an owner waits before giving up.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often a status is asked that no socket tells.
const GLANCE: Duration = Duration::from_millis(15);

/// How the phone is linked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    /// By scanning the code on the page.
    #[default]
    Qr,
    /// By typing a code into the phone.
    Code,
}

/// A salon that is connected.
#[derive(Debug, Serialize)]
pub(crate) struct Onboarded {
    status: &'static str,
    company_id: i64,
    ms: u64,
}

/// Does all that an owner does; at once where it is done already.
pub(crate) async fn onboard(world: &World, salon: i64, method: Method) -> anyhow::Result<Onboarded> {
    let turn = world.owner_of(salon);
    let _one_at_a_time = turn.lock().await;
    let began = Instant::now();
    let company_id = timeout(PATIENCE, walk(world, salon, method)).await.context("the owner waited 45 s in vain")??;
    Ok(Onboarded { status: "active", company_id, ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX) })
}

async fn walk(world: &World, salon: i64, method: Method) -> anyhow::Result<i64> {
    let overview = world.yclients.overview(salon)?;
    if overview.installation == Installation::Active
        && let Some(company) = world.company_of(salon).await
        && let Ok(integration) = world.front_door.integration(company).await
        && integration.integration_status == "active"
        && integration.whatsapp_connected
    {
        if world.changed_since_sync.lock().remove(&salon) {
            resync(world, company).await?;
        }
        return Ok(company);
    }
    let (door, from) = (&world.front_door, address(salon));
    let greeted = world.whatsapp.chat(&overview.phone, &overview.phone).len();
    let redirect = world.yclients.connect(salon)?;
    let token = door.register(redirect.as_str(), from).await?;
    let mut page = LinkingPage::open(door.base(), &token, from).await?;
    link(world, &mut page, &overview.phone, &token, method, from).await?;
    let company = activate(world, &token, from).await?;
    world.companies.lock().insert(salon, company);
    world.bus.touch();
    loop {
        let integration = door.integration(company).await?;
        match integration.integration_status.as_str() {
            "active" => break,
            "activating" => sleep(GLANCE).await,
            other => bail!("after activation the integration is {other}"),
        }
    }
    watch_first_sync(world, &mut page, company).await?;
    // A salon that was greeted before is not greeted again.
    while greeted == 0 && world.whatsapp.chat(&overview.phone, &overview.phone).is_empty() {
        sleep(GLANCE).await;
    }
    world.changed_since_sync.lock().remove(&salon);
    Ok(company)
}

/// Shows the page's code to the phone, and waits until the page says that it is connected.
async fn link(world: &World, page: &mut LinkingPage, phone: &str, token: &str, method: Method, from: Ipv4Addr) -> anyhow::Result<()> {
    let mut code_asked = false;
    loop {
        let (name, argument) = page.event().await?;
        match (name.as_str(), method) {
            ("whatsapp-connected", _) => return Ok(()),
            ("status", _) if argument["status"] == "connected" => return Ok(()),
            ("error", _) => bail!("the page says: {}", argument["message"].as_str().unwrap_or_default()),
            ("qr-update", Method::Qr) => {
                let code = argument["code"].as_str().context("qr-update has no raw code")?;
                match world.whatsapp.scan_qr(phone, code).await {
                    // The page will show the next one.
                    Err(crate::whatsapp::LinkError::Expired) => {}
                    scanned => scanned?,
                }
            }
            // A code can be asked for once the client is up, which the first QR code shows.
            ("qr-update", Method::Code) if !code_asked => {
                code_asked = true;
                let code = world.front_door.pairing_code(token, phone, from).await?;
                world.whatsapp.enter_code(phone, &code).await?;
            }
            _ => {}
        }
    }
}

/// Presses the button; the page's socket may be a moment ahead of the database.
async fn activate(world: &World, token: &str, from: Ipv4Addr) -> anyhow::Result<i64> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match world.front_door.activate(token, from).await {
            Err(error) if attempt < 20 && error.to_string().contains("409") => sleep(Duration::from_millis(50)).await,
            answer => return answer,
        }
    }
}

/// Watches the page until the last part of the first sync, the bookings, is in. A salon that reads no bookings, or whose
/// page missed the event, is done when the product has nothing more to do.
async fn watch_first_sync(world: &World, page: &mut LinkingPage, company: i64) -> anyhow::Result<()> {
    loop {
        match timeout(GLANCE, page.event()).await {
            Ok(event) => {
                let (name, step) = event?;
                if name == "sync-progress" && step["module"] == "bookings" && step["done"] == step["total"] {
                    break;
                }
            }
            Err(_) if world.front_door.synced(company).await? && world.front_door.due().await?.jobs_due == 0 => break,
            Err(_) => {}
        }
    }
    Ok(())
}

/// A salon whose file was replaced is read anew by the product.
async fn resync(world: &World, company: i64) -> anyhow::Result<()> {
    if world.front_door.sync(company).await? {
        world.settle(Duration::from_secs(30)).await;
    }
    Ok(())
}

/// The address of the salon's browser.
fn address(salon: i64) -> Ipv4Addr {
    let [.., a, b, c] = salon.to_be_bytes();
    Ipv4Addr::new(10, a, b, c)
}
