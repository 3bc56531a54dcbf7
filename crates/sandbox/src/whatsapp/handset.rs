//! A virtual phone: the primary device of an account with its own Signal store.

use std::collections::HashMap;

use async_trait::async_trait;
use futures::FutureExt as _;
use serde::{Deserialize, Serialize};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::protocol::error::Result as SignalResult;
use wacore_libsignal::protocol::{
    CiphertextMessage, CiphertextMessageType, DeviceId, Direction, GenericSignedPreKey as _, IdentityChange, IdentityKey, IdentityKeyPair,
    IdentityKeyStore, KeyPair, PreKeyBundle, PreKeyId, PreKeyRecord, PreKeySignalMessage, PreKeyStore, ProtocolAddress, SessionRecord,
    SessionStore, SignalMessage, SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore, Timestamp, UsePQRatchet,
    message_decrypt, message_encrypt, process_prekey_bundle,
};

use super::octets::{Octets, key_pair};

const SIGNED_PREKEY_ID: u32 = 1;

/// What an `<enc>` element holds.
#[derive(Clone)]
pub(super) struct Sealed {
    /// `pkmsg` (opens a session) or `msg`.
    pub(super) kind: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// Why a phone could not read a message.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("the phone has read this very ciphertext before")]
    Duplicate,
    #[error("the phone cannot read it: {0}")]
    Unreadable(String),
}

/// The keys of a phone. Sessions are named by the other side's phone number and device, whatever address the stanza used.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub(super) struct Handset {
    identities: Identities,
    sessions: Sessions,
    prekeys: PreKeys,
    signed_prekey: SignedPreKey,
    next_prekey: u32,
}

// serde's `into` asks for it; a phone is cloned for a snapshot only.
impl Clone for Handset {
    fn clone(&self) -> Self {
        Self {
            identities: self.identities.clone(),
            sessions: Sessions(self.sessions.0.clone()),
            prekeys: PreKeys(self.prekeys.0.clone()),
            signed_prekey: self.signed_prekey.clone(),
            next_prekey: self.next_prekey,
        }
    }
}

impl Handset {
    pub(super) fn generate() -> anyhow::Result<Self> {
        let identity = IdentityKeyPair::generate(&mut rand::rng());
        let registration_id = rand::random::<u32>() % 16380 + 1;
        Self::with_signed_prekey(identity, registration_id, KeyPair::generate(&mut rand::rng()))
    }

    fn with_signed_prekey(identity: IdentityKeyPair, registration_id: u32, pair: KeyPair) -> anyhow::Result<Self> {
        let signature = identity.private_key().calculate_signature(&pair.public_key.serialize(), &mut rand::rng())?;
        Ok(Self {
            identities: Identities { own: identity, registration_id, others: HashMap::new() },
            sessions: Sessions(HashMap::new()),
            prekeys: PreKeys(HashMap::new()),
            signed_prekey: SignedPreKey { pair, signature: signature.to_vec() },
            next_prekey: 1,
        })
    }

    pub(super) fn identity(&self) -> &IdentityKeyPair {
        &self.identities.own
    }

    pub(super) fn identity_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.identities.own.public_key().public_key_bytes());
        bytes
    }

    pub(super) fn knows(&self, device: &str) -> bool {
        self.sessions.0.contains_key(device)
    }

    /// Forgets the session with a device, so that the next message opens a new one.
    pub(super) fn forget(&mut self, device: &str) {
        self.sessions.0.remove(device);
    }

    pub(super) fn forget_all(&mut self) {
        self.sessions.0.clear();
    }

    /// Starts a session with a device from its published keys.
    pub(super) fn meet(&mut self, device: &str, bundle: &PreKeyBundle) -> anyhow::Result<()> {
        let address = address(device);
        process_prekey_bundle(&address, &mut self.sessions, &mut self.identities, bundle, &mut rand::rng(), UsePQRatchet::No)
            .now_or_never()
            .ok_or_else(stalled)??;
        Ok(())
    }

    /// Encrypts padded plaintext to a device that the phone has a session with.
    pub(super) fn seal(&mut self, device: &str, padded: &[u8]) -> anyhow::Result<Sealed> {
        let address = address(device);
        let message = message_encrypt(padded, &address, &mut self.sessions, &mut self.identities).now_or_never().ok_or_else(stalled)??;
        let kind = match message.message_type() {
            CiphertextMessageType::PreKey => "pkmsg",
            _ => "msg",
        };
        Ok(Sealed { kind, bytes: message.serialize().to_vec() })
    }

    /// Decrypts what a device sent; the result is still padded.
    pub(super) fn open(&mut self, device: &str, kind: &str, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
        let unreadable = |error: SignalProtocolError| match error {
            SignalProtocolError::DuplicatedMessage(..) => OpenError::Duplicate,
            other => OpenError::Unreadable(other.to_string()),
        };
        let message = match kind {
            "pkmsg" => CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(bytes).map_err(unreadable)?),
            "msg" => CiphertextMessage::SignalMessage(SignalMessage::try_from(bytes).map_err(unreadable)?),
            other => return Err(OpenError::Unreadable(format!("unknown kind of ciphertext {other:?}"))),
        };
        let address = address(device);
        let opened = message_decrypt(
            &message,
            &address,
            &mut self.sessions,
            &mut self.identities,
            &mut self.prekeys,
            &self.signed_prekey,
            &mut rand::rng(),
            UsePQRatchet::No,
        )
        .now_or_never()
        .ok_or_else(|| OpenError::Unreadable(stalled().to_string()))?
        .map_err(unreadable)?;
        if let Some(used) = opened.consumed_prekey_id {
            self.prekeys.0.remove(&u32::from(used));
        }
        Ok(opened.plaintext)
    }

    /// The keys by which others open a session with this phone, with a one-time key made for the asker.
    pub(super) fn key_nodes(&mut self) -> Vec<Node> {
        let id = self.next_prekey;
        self.next_prekey += 1;
        let pair = KeyPair::generate(&mut rand::rng());
        let value = pair.public_key.public_key_bytes().to_vec();
        self.prekeys.0.insert(id, pair);
        vec![
            self.registration_node(),
            NodeBuilder::new("type").bytes(vec![5]).build(),
            NodeBuilder::new("identity").bytes(self.identity_bytes()).build(),
            key_node("key", id, &value, None),
            key_node(
                "skey",
                SIGNED_PREKEY_ID,
                self.signed_prekey.pair.public_key.public_key_bytes(),
                Some(self.signed_prekey.signature.as_slice()),
            ),
        ]
    }

    pub(super) fn registration_node(&self) -> Node {
        NodeBuilder::new("registration").bytes(self.identities.registration_id.to_be_bytes()).build()
    }
}

/// `<key>` or `<skey>`: an id of three bytes, the raw public key, and the signature of a signed one.
pub(super) fn key_node(tag: &'static str, id: u32, value: &[u8], signature: Option<&[u8]>) -> Node {
    let mut children = vec![NodeBuilder::new("id").bytes(&id.to_be_bytes()[1..]).build(), NodeBuilder::new("value").bytes(value).build()];
    if let Some(signature) = signature {
        children.push(NodeBuilder::new("signature").bytes(signature).build());
    }
    NodeBuilder::new(tag).children(children).build()
}

fn address(device: &str) -> ProtocolAddress {
    ProtocolAddress::new(device, DeviceId::new(0))
}

fn stalled() -> anyhow::Error {
    anyhow::anyhow!("a store in memory made the cipher wait")
}

#[derive(Clone)]
struct Identities {
    own: IdentityKeyPair,
    registration_id: u32,
    others: HashMap<String, IdentityKey>,
}

#[async_trait]
impl IdentityKeyStore for Identities {
    async fn get_identity_key_pair(&self) -> SignalResult<IdentityKeyPair> {
        Ok(self.own.clone())
    }

    async fn get_local_registration_id(&self) -> SignalResult<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(&mut self, address: &ProtocolAddress, identity: &IdentityKey) -> SignalResult<IdentityChange> {
        let before = self.others.insert(address.name().to_owned(), *identity);
        Ok(if before.is_some_and(|known| known != *identity) { IdentityChange::ReplacedExisting } else { IdentityChange::NewOrUnchanged })
    }

    // As on a real phone, a contact's new identity is noted and trusted.
    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> SignalResult<bool> {
        Ok(true)
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> SignalResult<Option<IdentityKey>> {
        Ok(self.others.get(address.name()).copied())
    }
}

struct Sessions(HashMap<String, SessionRecord>);

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> SignalResult<Option<SessionRecord>> {
        Ok(self.0.get(address.name()).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> SignalResult<bool> {
        Ok(self.0.contains_key(address.name()))
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> SignalResult<()> {
        self.0.insert(address.name().to_owned(), record);
        Ok(())
    }
}

struct PreKeys(HashMap<u32, KeyPair>);

#[async_trait]
impl PreKeyStore for PreKeys {
    async fn get_pre_key(&self, id: PreKeyId) -> SignalResult<PreKeyRecord> {
        let pair = self.0.get(&u32::from(id)).ok_or(SignalProtocolError::InvalidPreKeyId)?;
        Ok(PreKeyRecord::new(id, pair))
    }

    async fn save_pre_key(&mut self, id: PreKeyId, record: &PreKeyRecord) -> SignalResult<()> {
        self.0.insert(u32::from(id), record.key_pair()?);
        Ok(())
    }

    async fn remove_pre_key(&mut self, id: PreKeyId) -> SignalResult<()> {
        self.0.remove(&u32::from(id));
        Ok(())
    }
}

#[derive(Clone)]
struct SignedPreKey {
    pair: KeyPair,
    signature: Vec<u8>,
}

#[async_trait]
impl SignedPreKeyStore for SignedPreKey {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> SignalResult<SignedPreKeyRecord> {
        if u32::from(id) != SIGNED_PREKEY_ID {
            return Err(SignalProtocolError::InvalidSignedPreKeyId);
        }
        Ok(SignedPreKeyRecord::new(id, Timestamp::from_epoch_millis(0), &self.pair, &self.signature))
    }

    async fn save_signed_pre_key(&mut self, _: SignedPreKeyId, _: &SignedPreKeyRecord) -> SignalResult<()> {
        Err(SignalProtocolError::InvalidSignedPreKeyId)
    }
}

/// A phone in a snapshot.
#[derive(Serialize, Deserialize)]
struct Saved {
    identity: Octets,
    registration_id: u32,
    signed_prekey: Octets,
    prekeys: HashMap<u32, Octets>,
    next_prekey: u32,
    sessions: HashMap<String, Octets>,
}

impl From<Handset> for Saved {
    fn from(handset: Handset) -> Self {
        let private = |pair: &KeyPair| Octets::from(pair.private_key.serialize().as_slice());
        Self {
            identity: Octets::from(handset.identities.own.private_key().serialize().as_slice()),
            registration_id: handset.identities.registration_id,
            signed_prekey: private(&handset.signed_prekey.pair),
            prekeys: handset.prekeys.0.iter().map(|(id, pair)| (*id, private(pair))).collect(),
            next_prekey: handset.next_prekey,
            // A session that cannot be written down is met anew: the retry receipts are made for that.
            sessions: handset
                .sessions
                .0
                .iter()
                .filter_map(|(device, record)| Some((device.clone(), Octets::from(record.serialize().ok()?))))
                .collect(),
        }
    }
}

impl TryFrom<Saved> for Handset {
    type Error = anyhow::Error;

    fn try_from(saved: Saved) -> anyhow::Result<Self> {
        let identity = key_pair(&saved.identity)?;
        let identity = IdentityKeyPair::new(IdentityKey::new(identity.public_key), identity.private_key);
        let mut handset = Self::with_signed_prekey(identity, saved.registration_id, key_pair(&saved.signed_prekey)?)?;
        handset.next_prekey = saved.next_prekey;
        for (id, private) in saved.prekeys {
            handset.prekeys.0.insert(id, key_pair(&private)?);
        }
        for (device, record) in saved.sessions {
            handset.sessions.0.insert(device, SessionRecord::deserialize(&record)?);
        }
        Ok(handset)
    }
}
