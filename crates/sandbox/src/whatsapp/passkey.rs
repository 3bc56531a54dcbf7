//! The passkey that some accounts ask for while a device is being linked: an assertion of WebAuthn, an exchange of keys that both
//! sides compare by a code, and only then the usual signing.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use wacore::shortcake::ShortcakeUtils;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use wacore_libsignal::protocol::KeyPair;
use waproto::buffa::Message as _;
use waproto::whatsapp as wa;

use super::faults::send_later;
use super::octets::public_key;
use super::stanza::{self, child_content};
use super::world::{Role, World};
use super::{Emulator, LinkError, PhoneError};

/// Where an assertion has to be made.
const ORIGIN: &str = "https://web.whatsapp.com";
const RELYING_PARTY: &str = "web.whatsapp.com";
/// The phone's half of the exchange comes from its owner's hand, not with the server's answer: a client counts on that.
const PHONE_ANSWERS_AFTER: Duration = Duration::from_millis(200);
const VALIDITY: Duration = Duration::from_secs(120);

/// A device that has been asked for a passkey.
pub(super) struct PasskeyLink {
    phone: String,
    challenge: String,
    /// Names this attempt, once the device has asked for it.
    reference: String,
    /// The phone's half of the exchange.
    ephemeral: KeyPair,
    nonce: [u8; 32],
    /// What the device has said of its half, before it shows its nonce.
    prologue: Option<Prologue>,
    /// What both sides show to be compared.
    code: Option<String>,
    pub(super) valid_until: Instant,
}

struct Prologue {
    identity: Vec<u8>,
    commitment: Vec<u8>,
}

impl Emulator {
    /// Whether the account of this phone asks for a passkey when a device is linked.
    pub fn require_passkey(&self, phone: &str, required: bool) -> Result<(), PhoneError> {
        self.world.lock().account(phone)?.passkey = required;
        Ok(())
    }

    /// The code that the phone shows while a device is linked with a passkey.
    pub fn passkey_code(&self, phone: &str) -> Option<String> {
        let world = self.world.lock();
        world.connections.values().find_map(|connection| match &connection.role {
            Role::Pairing(pairing) => pairing.passkey.as_ref().filter(|link| link.phone == phone)?.code.clone(),
            _ => None,
        })
    }

    /// The phone agrees to a device: it signs, or asks for a passkey first.
    pub(super) fn agree(
        &self,
        world: &mut World,
        connection: u64,
        phone: &str,
        secret: &[u8],
        done: oneshot::Sender<Result<(), LinkError>>,
    ) -> anyhow::Result<()> {
        if !world.account(phone)?.passkey {
            return self.sign(world, connection, phone, secret, done);
        }
        let link = PasskeyLink {
            phone: phone.to_owned(),
            challenge: BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()),
            reference: stanza::random_id(),
            ephemeral: KeyPair::generate(&mut rand::rng()),
            nonce: rand::random(),
            prologue: None,
            code: None,
            valid_until: Instant::now() + VALIDITY,
        };
        let options = NodeBuilder::new("passkey_request_options").bytes(link.options().into_bytes()).build();
        if let Some(Role::Pairing(pairing)) = world.connections.get_mut(&connection).map(|connection| &mut connection.role) {
            pairing.passkey = Some(link);
        }
        world.send(connection, stanza::notification("passkey_prologue_request", options));
        // Whoever scanned the code sees the question; the device may go on by itself.
        let _ = done.send(Err(LinkError::PasskeyAsked));
        Ok(())
    }

    /// What a device says that has been asked for a passkey; the answer.
    pub(super) fn passkey_stage(&self, world: &mut World, connection: u64, id: &str, stage: &Node) -> Node {
        let unknown = || stanza::error(id, 501, "feature-not-implemented");
        let Some(Role::Pairing(pairing)) = world.connections.get_mut(&connection).map(|connection| &mut connection.role) else {
            return unknown();
        };
        let Some(link) = pairing.passkey.as_mut() else { return unknown() };
        let bytes = |tag: &'static str, content: Vec<u8>| NodeBuilder::new(tag).bytes(content).build();
        let said = match stage.tag.as_ref() {
            "ref" => Ok(Said::Answer(bytes("ref", link.reference.clone().into_bytes()))),
            "passkey_request_options" => Ok(Said::Answer(bytes("passkey_request_options", link.options().into_bytes()))),
            "passkey_prologue" => link.read_prologue(stage).map(|identity| Said::Continue(bytes("primary_ephemeral_identity", identity))),
            "companion_nonce" => link.read_nonce(stanza::content(stage)).map(|()| Said::Nothing),
            "encrypted_pairing_request" => link
                .read_request(stanza::content(stage), pairing.noise_key, pairing.identity)
                .map(|secret| Said::Secret(link.phone.clone(), secret)),
            _ => return unknown(),
        };
        match said {
            Ok(Said::Answer(child)) => stanza::result(id, vec![child]),
            Ok(Said::Nothing) => stanza::result(id, Vec::new()),
            Ok(Said::Continue(identity)) => {
                send_later(world, connection, PHONE_ANSWERS_AFTER, stanza::notification("crsc_continuation", identity));
                stanza::result(id, Vec::new())
            }
            Ok(Said::Secret(phone, secret)) => {
                self.sign_soon(connection, phone, secret);
                stanza::result(id, Vec::new())
            }
            Err(error) => {
                tracing::info!(%error, "a device could not show a passkey");
                stanza::error(id, 401, "not-authorized")
            }
        }
    }
}

impl Emulator {
    fn sign_soon(&self, connection: u64, phone: String, secret: Vec<u8>) {
        let me = self.me.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PHONE_ANSWERS_AFTER).await;
            let Some(emulator) = me.upgrade() else { return };
            let (done, _) = oneshot::channel();
            if let Err(error) = emulator.sign(&mut emulator.world.lock(), connection, &phone, &secret, done) {
                tracing::warn!(%error, "the phone could not sign");
            }
        });
    }
}

enum Said {
    Answer(Node),
    Nothing,
    Continue(Node),
    Secret(String, Vec<u8>),
}

impl PasskeyLink {
    /// What a browser's `navigator.credentials.get` is asked for.
    fn options(&self) -> String {
        json!({
            "challenge": self.challenge, "timeout": 60_000, "rpId": RELYING_PARTY, "userVerification": "required",
            "allowCredentials": [{ "type": "public-key", "id": BASE64_URL_SAFE_NO_PAD.encode(&self.phone) }],
        })
        .to_string()
    }

    /// The assertion and the device's commitment; yields the phone's half.
    fn read_prologue(&mut self, prologue: &Node) -> anyhow::Result<Vec<u8>> {
        let assertion: Value = serde_json::from_slice(child_content(prologue, "webauthn_assertion"))?;
        let client_data = assertion["response"]["clientDataJSON"].as_str().unwrap_or_default();
        let client_data: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(client_data.trim_end_matches('='))?)?;
        anyhow::ensure!(client_data["type"] == "webauthn.get" && client_data["origin"] == ORIGIN, "not made for {ORIGIN}");
        anyhow::ensure!(client_data["challenge"] == self.challenge.as_str(), "made for another challenge");
        let payload = wa::ProloguePayload::decode_from_slice(child_content(prologue, "prologue_payload"))?;
        self.prologue = Some(Prologue {
            identity: payload.companion_ephemeral_identity.unwrap_or_default(),
            commitment: payload.commitment.into_option().and_then(|commitment| commitment.hash).unwrap_or_default(),
        });
        let identity = wa::PrimaryEphemeralIdentity {
            public_key: Some(self.ephemeral.public_key.public_key_bytes().to_vec()),
            nonce: Some(self.nonce.to_vec()),
        };
        Ok(identity.encode_to_vec())
    }

    /// The device keeps its word: its nonce is the one it has committed itself to.
    fn read_nonce(&mut self, nonce: &[u8]) -> anyhow::Result<()> {
        let prologue = self.prologue.as_ref().ok_or_else(|| anyhow::anyhow!("a nonce before the prologue"))?;
        let nonce: [u8; 32] = nonce.try_into()?;
        anyhow::ensure!(ShortcakeUtils::commitment_hash(&prologue.identity, &nonce).as_slice() == prologue.commitment, "another nonce");
        let own: [u8; 32] = self.ephemeral.public_key.public_key_bytes().try_into()?;
        let code = ShortcakeUtils::derive_verification_code(&nonce, &own, &self.nonce);
        let (first, second) = code.split_at(4);
        self.code = Some(format!("{first}-{second}"));
        Ok(())
    }

    /// The device's keys and the secret by which the phone shall sign them.
    fn read_request(&self, sealed: &[u8], noise_key: [u8; 32], identity: [u8; 32]) -> anyhow::Result<Vec<u8>> {
        let prologue = self.prologue.as_ref().filter(|_| self.code.is_some()).ok_or_else(|| anyhow::anyhow!("too early"))?;
        let companion = wa::CompanionEphemeralIdentity::decode_from_slice(&prologue.identity)?;
        let shared = self.ephemeral.calculate_agreement(&public_key(&companion.public_key.unwrap_or_default())?)?;
        let device_type = companion.device_type.ok_or_else(|| anyhow::anyhow!("no type of device"))?;
        let key = ShortcakeUtils::derive_encryption_key_from_shared_secret(&shared, device_type, &self.reference)?;
        let sealed = wa::EncryptedPairingRequest::decode_from_slice(sealed)?;
        let iv: [u8; 12] = sealed.iv.unwrap_or_default().as_slice().try_into()?;
        let mut opened = Vec::new();
        aes_256_gcm_decrypt(&key, &iv, b"", &sealed.encrypted_payload.unwrap_or_default(), &mut opened)?;
        let request = wa::PairingRequest::decode_from_slice(&opened)?;
        anyhow::ensure!(request.companion_public_key.as_deref() == Some(noise_key.as_slice()), "the keys of another device");
        anyhow::ensure!(request.companion_identity_key.as_deref() == Some(identity.as_slice()), "the keys of another device");
        Ok(request.adv_secret.unwrap_or_default())
    }
}
