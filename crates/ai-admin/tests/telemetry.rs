//! What gets into the log.

use std::{
    io,
    sync::{Arc, Mutex},
};

use ai_admin::telemetry::filter;
use tracing_subscriber::{Layer, fmt, layer::SubscriberExt};

/// A log in memory.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic under the lock").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn crates_that_are_not_ours_speak_from_warn_on() {
    let page = Page::default();
    let written = page.clone();
    let layer = fmt::layer().with_writer(move || page.clone()).with_filter(filter("debug").expect("a filter"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info!(target: "whatsapp::pool", "ours");
        tracing::info!(target: "whatsapp_rust::usync", "a whole number");
        tracing::debug!(target: "wacore::noise", "a key");
        tracing::warn!(target: "whatsapp_rust::client", "a warning");
        tracing::warn!(target: "whatsapp_rust::download", "an address with a token");
    });
    let text = String::from_utf8(written.0.lock().expect("no panic under the lock").clone()).expect("text");
    assert!(text.contains("ours") && text.contains("a warning"), "{text}");
    assert!(!text.contains("a whole number") && !text.contains("a key") && !text.contains("with a token"), "{text}");
}
