//! Reading Russian and English as people write to a salon, without a model.
//!
//! [`Reader::read`] turns one message into [`Understood`]: intents, services and masters of this
//! salon, moments, a name, a phone. Nothing here does IO or reads a clock: the caller says what
//! time it is. [`speak`] is the other way round: dates, lengths, names and services in words.
//!
//! Word forms come from ruMorph (MIT); its dictionary is built from OpenCorpora
//! (<https://opencorpora.org>, CC BY-SA 3.0), the Russian Wiktionary (<https://ru.wiktionary.org>,
//! CC BY-SA 4.0) and the treebanks UD Russian Taiga and GSD (CC BY-SA 4.0), and is itself licensed
//! CC BY-SA 4.0 (<https://creativecommons.org/licenses/by-sa/4.0/>).

mod facts;
mod info;
mod intents;
mod lexicon;
mod morphology;
mod names;
mod reader;
mod refused;
mod script;
mod services;
pub mod speak;
mod staff;
mod text;
mod understood;
mod when;

pub use reader::Reader;
pub use understood::{Asked, Context, InfoTopic, Intent, Lang, Understood, When};
