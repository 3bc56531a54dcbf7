use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A salon as our tenant: the key of `companies`. Every lookup carries one.
    CompanyId
}
id! {
    /// A salon as YClients knows it (`salon_id` in the marketplace, `company_id` in its webhooks).
    SalonId
}
id! {
    /// A service, unique within one salon only.
    ServiceId
}
id! {
    /// A member of staff, unique within one salon only.
    StaffId
}
id! {
    /// A booking in YClients ("record"), unique within one salon only.
    RecordId
}
id! {
    /// A client card in YClients, unique within one salon only.
    ClientId
}

/// Our own name for a booking, sent to YClients as `api_id`: by it we find the record again when
/// the answer to a write never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BookingId(pub Uuid);

impl fmt::Display for BookingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
