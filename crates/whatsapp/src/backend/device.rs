use async_trait::async_trait;
use wacore::stats::StorageResourceReport;
use wacore::store::Device;
use wacore::store::error::Result;
use wacore::store::traits::DeviceStore;

use super::{Backend, decode, encode, kind};

/// The one row of its kind.
const SELF: &str = "self";

#[async_trait]
impl DeviceStore for Backend {
    async fn save(&self, device: &Device) -> Result<()> {
        self.put(kind::DEVICE, SELF.to_owned(), &encode(device)?).await
    }

    async fn load(&self) -> Result<Option<Device>> {
        let row = self.get(kind::DEVICE, SELF).await?;
        row.map(|bytes| decode(&bytes)).transpose()
    }

    async fn exists(&self) -> Result<bool> {
        Ok(self.get(kind::DEVICE, SELF).await?.is_some())
    }

    /// The number is of no use here: the row's tenant is its name.
    async fn create(&self) -> Result<i32> {
        if !self.exists().await? {
            self.save(&Device::new()).await?;
        }
        Ok(1)
    }

    async fn resource_report(&self) -> StorageResourceReport {
        StorageResourceReport { memory_bytes: Some(0), ..StorageResourceReport::default() }
    }
}
