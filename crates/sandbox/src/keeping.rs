//! The world's state on disk: saved soon after each change and at the end, loaded at the start.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::world::World;

/// Between two savings; a first change is saved at once, those within this time together.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Serialize, Deserialize)]
struct Saved {
    clock_offset_ms: i64,
    yclients: Value,
    whatsapp: Value,
    /// The product's own numbers of the salons, as it told them when they were connected.
    companies: Vec<(i64, i64)>,
}

/// Where the state is kept.
#[derive(Debug, Clone)]
pub(crate) struct Keeper(PathBuf);

impl Keeper {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self(folder.join("world.json"))
    }

    /// The offset of the calendar that was saved, if anything was.
    pub(crate) fn clock_offset_ms(&self) -> anyhow::Result<Option<i64>> {
        Ok(self.read()?.map(|saved| saved.clock_offset_ms))
    }

    /// Puts the saved state into the world, if there is one.
    pub(crate) fn load(&self, world: &World) -> anyhow::Result<()> {
        if let Some(saved) = self.read()? {
            world.yclients.restore(saved.yclients).map_err(|error| anyhow::anyhow!("{}: {error}", self.0.display()))?;
            world.whatsapp.restore(saved.whatsapp)?;
            world.companies.lock().extend(saved.companies);
        }
        Ok(())
    }

    fn read(&self) -> anyhow::Result<Option<Saved>> {
        match fs::read(&self.0) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", self.0.display()))?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| self.0.display().to_string()),
        }
    }

    /// Writes the whole state now.
    pub(crate) fn save(&self, world: &World) -> anyhow::Result<()> {
        let saved = Saved {
            clock_offset_ms: world.clock.offset_ms(),
            yclients: world.yclients.snapshot(),
            whatsapp: world.whatsapp.snapshot()?,
            companies: world.companies.lock().iter().map(|(salon, company)| (*salon, *company)).collect(),
        };
        write_private(&self.0, &serde_json::to_vec(&saved)?).with_context(|| self.0.display().to_string())
    }

    /// Saves after every change, for ever.
    pub(crate) async fn follow(self, world: Arc<World>) {
        loop {
            world.bus.changed().await;
            let (keeper, world) = (self.clone(), world.clone());
            match tokio::task::spawn_blocking(move || keeper.save(&world)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the world's state could not be saved"),
                Err(error) => tracing::error!(%error, "saving the world's state failed"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Replaces a file as a whole, readable by its owner only.
pub(crate) fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&fresh)?;
    out.write_all(bytes)?;
    out.sync_data()?;
    fs::rename(&fresh, file)
}
