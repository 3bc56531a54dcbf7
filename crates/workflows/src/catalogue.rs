use std::{collections::HashMap, sync::Arc};

use domain::{Clock, CompanyId, Salon};
use jiff::tz::TimeZone;
use language::Reader;
use parking_lot::Mutex;
use store::{Store, StoreError, catalogue};

/// A salon and the reading made for it.
pub struct Catalogue {
    /// As last synced.
    pub salon: Salon,
    /// Understands messages to this salon.
    pub reader: Reader,
}

/// The salons that were talked to lately.
#[derive(Default)]
pub struct Catalogues(Mutex<HashMap<CompanyId, (i64, Arc<Catalogue>)>>);

/// So many salons are kept; beyond, all are dropped and made again when needed.
const MOST: usize = 1000;

impl Catalogues {
    /// The salon's catalogue: from memory while no sync, on whichever node, has changed it.
    ///
    /// # Errors
    /// When the database fails or has no such salon.
    pub async fn get(&self, store: &Store, clock: &dyn Clock, company: CompanyId) -> Result<Arc<Catalogue>, StoreError> {
        let mut tx = store.read().await?;
        let version = catalogue::version(&mut tx, company).await?;
        if let Some((_, known)) = self.0.lock().get(&company).filter(|(of, _)| *of == version) {
            return Ok(known.clone());
        }
        // A day early, since the zone is not known yet and days of the past do no harm.
        let from = clock.local(&TimeZone::UTC).date().yesterday().unwrap_or(jiff::civil::Date::MIN);
        let salon = catalogue::load(&mut tx, company, from).await?;
        drop(tx);
        let made = Arc::new(Catalogue { reader: Reader::new(Some(&salon)), salon });
        let mut kept = self.0.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(company, (version, made.clone()));
        Ok(made)
    }
}
