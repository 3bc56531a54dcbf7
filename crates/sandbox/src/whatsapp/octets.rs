//! Bytes and keys as the emulator keeps them.

use std::ops::Deref;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wacore_libsignal::protocol::{KeyPair, PrivateKey, PublicKey};

/// Bytes that a snapshot shows as base64.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Octets(Vec<u8>);

impl Deref for Octets {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Octets {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Octets {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A Curve25519 pair from its private half.
pub(super) fn key_pair(private: &[u8]) -> anyhow::Result<KeyPair> {
    let private = PrivateKey::deserialize(private)?;
    Ok(KeyPair::new(private.public_key()?, private))
}

/// A Curve25519 public key from its 32 raw bytes.
pub(super) fn public_key(raw: &[u8]) -> anyhow::Result<PublicKey> {
    Ok(PublicKey::from_djb_public_key_bytes(raw)?)
}
