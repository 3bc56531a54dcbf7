//! One suite, run on both engines.

use std::time::Duration;

use domain::{CompanyId, SalonId};
use jiff::{Timestamp, tz::TimeZone};
use store::{
    Store,
    companies::{self, MarketplaceUser, Registration},
};

/// Writes each `async fn name(fresh: &Fresh)` as two tests, `name::sqlite` and `name::postgres`.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($fresh:ident) $body:block)+) => { $(
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports, reason = "not every test needs everything of its file")]
            use super::*;

            async fn check($fresh: &store::testing::Fresh) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                check(&store::testing::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                check(&store::testing::postgres_database().await).await;
            }
        }
    )+ };
}

mod chats;
mod database;
mod jobs;
mod salons;
mod sessions;
mod small;
mod tenants;

/// A calendar moment; the tests never read a clock.
fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn noon() -> Timestamp {
    at("2026-11-23T09:00:00Z")
}

fn registration(salon: i64) -> Registration {
    Registration {
        salon_id: SalonId(salon),
        title: format!("Студия {salon}"),
        city: "Москва".to_owned(),
        address: "ул. Лесная, 5".to_owned(),
        phone: None,
        email: None,
        timezone: TimeZone::get("Europe/Moscow").expect("a zone"),
        currency: "₽".to_owned(),
        user: MarketplaceUser::default(),
        raw: None,
    }
}

async fn company(store: &Store, salon: i64) -> CompanyId {
    let mut tx = store.begin().await.expect("a transaction");
    let id = companies::upsert_registration(&mut tx, &registration(salon), noon()).await.expect("a company");
    tx.commit().await.expect("a commit");
    id
}

/// Waits for real time's work; the tests' only patience.
async fn until(what: &str, mut met: impl AsyncFnMut() -> bool) {
    for _ in 0..4000 {
        if met().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("in 40 s it did not happen: {what}");
}
