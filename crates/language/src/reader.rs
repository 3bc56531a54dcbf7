use domain::Salon;
use jiff::civil::DateTime;

use crate::{Context, Understood};

/// Reads messages of one salon's customers. Built once per catalogue, shared between threads.
#[derive(Debug)]
pub struct Reader {}

impl Reader {
    /// With no salon only time, people's names and intents are understood, and the salon is taken
    /// as open 09:00–21:00.
    pub fn new(_salon: Option<&Salon>) -> Self {
        Self {}
    }

    /// What the message says at `now` (salon time). Text beyond 4096 characters is not read.
    pub fn read(&self, _text: &str, _now: DateTime, _context: &Context) -> Understood {
        Understood::default()
    }
}
