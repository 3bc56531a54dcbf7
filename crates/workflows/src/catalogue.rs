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

/// The salons that were talked to lately. A sync makes theirs anew.
#[derive(Default)]
pub struct Catalogues(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    salons: HashMap<CompanyId, Arc<Catalogue>>,
    /// Grows with every [`Catalogues::forget`]: what was read before one is not kept after it.
    forgotten: u64,
}

/// So many salons are kept; beyond, all are dropped and made again when needed.
const MOST: usize = 1000;

impl Catalogues {
    /// The salon's catalogue, from memory or from the database.
    ///
    /// # Errors
    /// When the database fails or has no such salon.
    pub async fn get(&self, store: &Store, clock: &dyn Clock, company: CompanyId) -> Result<Arc<Catalogue>, StoreError> {
        let forgotten = {
            let kept = self.0.lock();
            if let Some(known) = kept.salons.get(&company) {
                return Ok(known.clone());
            }
            kept.forgotten
        };
        let mut tx = store.read().await?;
        // A day early, since the zone is not known yet and days of the past do no harm.
        let from = clock.local(&TimeZone::UTC).date().yesterday().unwrap_or(jiff::civil::Date::MIN);
        let salon = catalogue::load(&mut tx, company, from).await?;
        let made = Arc::new(Catalogue { reader: Reader::new(Some(&salon)), salon });
        let mut kept = self.0.lock();
        if kept.salons.len() >= MOST {
            kept.salons.clear();
        }
        if kept.forgotten == forgotten {
            kept.salons.insert(company, made.clone());
        }
        Ok(made)
    }

    /// The salon changed: the next turn reads it anew.
    pub fn forget(&self, company: CompanyId) {
        let mut kept = self.0.lock();
        kept.salons.remove(&company);
        kept.forgotten += 1;
    }
}
