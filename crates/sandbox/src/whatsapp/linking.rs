//! Linking a device to a phone: by QR code, by pairing code, and the end of it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::sync::{mpsc, oneshot};
use wacore::crypto::hkdf_sha256;
use wacore::pair_code::PairCodeUtils;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::{aes_256_gcm_decrypt, hmac_sha256};
use wacore_libsignal::protocol::KeyPair;
use waproto::buffa::Message as _;
use waproto::whatsapp as wa;

use super::octets::{Octets, public_key};
use super::stanza::{self, SERVER};
use super::world::{CodeRequest, Companion, Confirming, LinkAttempt, Outgoing, Pairing, PublishedKey, QrRef, Role, World};
use super::{Emulator, Event, LinkError, PhoneError, refuse};

/// References that a device gets to show, one after the other.
const REFS: u32 = 6;
const CODE_VALIDITY: Duration = Duration::from_secs(180);
const DEVICE_ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// The text of a QR code may come as a link.
const QR_LINK: &str = "https://wa.me/settings/linked_devices#";

// What is signed begins with two bytes that say what it is.
const SIGNED_BY_ACCOUNT: [u8; 2] = [6, 0];
const SIGNED_BY_DEVICE: [u8; 2] = [6, 1];
const SIGNED_DEVICE_LIST: [u8; 2] = [6, 2];

const CODE_BUNDLE_KEY: &[u8] = b"link_code_pairing_key_bundle_encryption_key";
const CODE_ADV_SECRET: &[u8] = b"adv_secret";

/// How long a device shows its first reference and each of the others.
#[derive(Clone, Copy)]
pub(super) struct QrTimes {
    pub(super) first: Duration,
    pub(super) next: Duration,
}

impl Default for QrTimes {
    fn default() -> Self {
        Self { first: Duration::from_secs(60), next: Duration::from_secs(20) }
    }
}

impl QrTimes {
    /// When the reference of this number, from zero, is no good any more. A phone may still be scanning what has just gone from
    /// the screen.
    fn end(self, number: u32) -> Duration {
        self.first + self.next * number + self.next / 4
    }
}

impl Emulator {
    /// The phone scans the QR code that a device shows. Done when the device has signed in turn and is about to log in.
    pub async fn scan_qr(&self, phone: &str, qr: &str) -> Result<(), LinkError> {
        let fields: Vec<&str> = fields(qr).collect();
        let [reference, noise_key, identity, secret, ..] = fields.as_slice() else {
            return Err(LinkError::NotAQr("four fields are expected".into()));
        };
        let decode = |field: &str| BASE64_STANDARD.decode(field).map_err(|error| LinkError::NotAQr(error.to_string()));
        let (noise_key, identity, secret) = (decode(noise_key)?, decode(identity)?, decode(secret)?);
        let answer = {
            let mut world = self.world.lock();
            let shown = world.qr_refs.get(*reference).ok_or(LinkError::Expired)?;
            if shown.valid_until < Instant::now() {
                return Err(LinkError::Expired);
            }
            let connection = shown.connection;
            let Some(Role::Pairing(pairing)) = world.connections.get(&connection).map(|connection| &connection.role) else {
                return Err(LinkError::Expired);
            };
            if pairing.noise_key != *noise_key || pairing.identity != *identity {
                return Err(LinkError::WrongKeys);
            }
            let (done, answer) = oneshot::channel();
            self.agree(&mut world, connection, phone, &secret, done).map_err(phone_failed)?;
            answer
        };
        device_answer(answer).await
    }

    /// The phone's owner types the pairing code that a device shows.
    pub async fn enter_code(&self, phone: &str, code: &str) -> Result<(), LinkError> {
        let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
        let wrapped = {
            let world = self.world.lock();
            let request = world.codes.get(phone).ok_or(LinkError::NoCodeAwaited)?;
            if request.valid_until < Instant::now() {
                return Err(LinkError::NoCodeAwaited);
            }
            request.wrapped_ephemeral.clone()
        };
        // Two times 131 072 rounds of a hash: not on a thread that serves connections.
        let ephemeral = KeyPair::generate(&mut rand::rng());
        let ephemeral_public: [u8; 32] = ephemeral.public_key.public_key_bytes().try_into().map_err(phone_failed)?;
        let (companion_ephemeral, wrapped_primary) = tokio::task::spawn_blocking(move || {
            let companion = PairCodeUtils::decrypt_primary_ephemeral_pub(&wrapped, &code)?;
            anyhow::Ok((companion, PairCodeUtils::encrypt_ephemeral_pub(&ephemeral_public, &code)))
        })
        .await
        .map_err(phone_failed)?
        .map_err(phone_failed)?;
        let answer = {
            let mut world = self.world.lock();
            let identity = world.account(phone).map_err(phone_failed)?.handset.identity_bytes();
            let request = world.codes.get_mut(phone).ok_or(LinkError::NoCodeAwaited)?;
            let (done, answer) = oneshot::channel();
            request.confirming = Some(Confirming { ephemeral, companion_ephemeral, done });
            let hello = NodeBuilder::new("link_code_companion_reg")
                .attr("stage", "primary_hello")
                .children([
                    NodeBuilder::new("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(wrapped_primary).build(),
                    NodeBuilder::new("primary_identity_pub").bytes(identity).build(),
                    NodeBuilder::new("link_code_pairing_ref").bytes(request.reference.clone()).build(),
                ])
                .build();
            let connection = request.connection;
            world.send(connection, stanza::notification("link_code_companion_reg", hello));
            answer
        };
        device_answer(answer).await
    }

    /// Removes all linked devices in the phone.
    pub async fn unlink(&self, phone: &str) -> Result<(), PhoneError> {
        let mut world = self.world.lock();
        let devices: Vec<u16> = world.accounts.get(phone).ok_or(PhoneError::NoAccount)?.companions.keys().copied().collect();
        for device in devices {
            self.remove_device(&mut world, phone, device);
        }
        Ok(())
    }

    /// A device wants to be linked: it gets references to show.
    pub(super) fn show_refs(
        &self,
        world: &mut World,
        outbox: mpsc::UnboundedSender<Outgoing>,
        registration: &wa::client_payload::DevicePairingRegistrationData,
        noise_key: [u8; 32],
        push_name: String,
    ) -> u64 {
        let pairing = match read_registration(registration, noise_key, push_name) {
            Ok(pairing) => pairing,
            Err(error) => {
                tracing::warn!(%error, "a device registers with bad keys");
                return refuse(world, outbox, Some(400));
            }
        };
        let connection = world.connect(outbox, Role::Pairing(Box::new(pairing)));
        let now = Instant::now();
        let mut refs = Vec::new();
        for number in 0..REFS {
            let reference = format!("2@{}", BASE64_STANDARD.encode(rand::random::<[u8; 32]>()));
            let valid_until = now + world.qr_times.end(number);
            refs.push(NodeBuilder::new("ref").bytes(reference.as_bytes()).build());
            world.qr_refs.insert(reference, QrRef { connection, valid_until });
        }
        let request = NodeBuilder::new("iq")
            .attr("from", SERVER)
            .attr("id", stanza::random_id())
            .attr("type", "set")
            .attr("xmlns", "md")
            .children([NodeBuilder::new("pair-device").children(refs).build()])
            .build();
        world.send(connection, request);
        let (me, mut end) = (self.me.clone(), now + world.qr_times.end(REFS - 1));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep_until(end.into()).await;
                let Some(emulator) = me.upgrade() else { return };
                match emulator.give_up_linking(connection) {
                    Some(later) => end = later,
                    None => return,
                }
            }
        });
        connection
    }

    /// Closes the connection of a device whose references have run out, unless it waits for a code or a passkey: then the time to
    /// look again.
    fn give_up_linking(&self, connection: u64) -> Option<Instant> {
        let world = self.world.lock();
        let Some(Role::Pairing(pairing)) = world.connections.get(&connection).map(|connection| &connection.role) else { return None };
        let code = world.codes.values().find(|request| request.connection == connection).map(|request| request.valid_until);
        let passkey = pairing.passkey.as_ref().map(|link| link.valid_until);
        let later = code.into_iter().chain(passkey).filter(|until| *until > Instant::now()).max();
        if later.is_none() && pairing.attempt.is_none() {
            world.close(connection);
        }
        later
    }

    /// The phone signs the identity of a device; the device has to sign in turn.
    pub(super) fn sign(
        &self,
        world: &mut World,
        connection: u64,
        phone: &str,
        secret: &[u8],
        done: oneshot::Sender<Result<(), LinkError>>,
    ) -> anyhow::Result<()> {
        let Some(Role::Pairing(pairing)) = world.connections.get(&connection).map(|connection| &connection.role) else {
            anyhow::bail!("the device is gone");
        };
        let identity = pairing.identity;
        let account = world.account(phone)?;
        account.last_device += 1;
        account.last_key_index += 1;
        let (device, key_index) = (account.last_device, account.last_key_index);
        let details = wa::ADVDeviceIdentity {
            raw_id: Some(account.raw_id),
            timestamp: Some(wacore::time::now_secs().unsigned_abs()),
            key_index: Some(key_index),
            account_type: Some(wa::ADVEncryptionType::E2EE),
            device_type: Some(wa::ADVEncryptionType::E2EE),
        }
        .encode_to_vec();
        let signed = [SIGNED_BY_ACCOUNT.as_slice(), &details, &identity].concat();
        let signature = account.handset.identity().private_key().calculate_signature(&signed, &mut rand::rng())?;
        let device_identity = waproto::codec::adv_signed_device_identity_to_vec(&wa::ADVSignedDeviceIdentity {
            details: Some(details),
            account_signature_key: Some(account.handset.identity_bytes().to_vec()),
            account_signature: Some(signature.to_vec()),
            device_signature: None,
        });
        let sealed = wa::ADVSignedDeviceIdentityHMAC {
            hmac: Some(hmac_sha256(secret, &device_identity).to_vec()),
            details: Some(device_identity),
            account_type: None,
        };
        let props = wa::ClientPairingProps { is_chat_db_lid_migrated: Some(true), ..Default::default() };
        let request_id = stanza::random_id();
        let success = NodeBuilder::new("pair-success")
            .children([
                NodeBuilder::new("device-identity").bytes(sealed.encode_to_vec()).build(),
                NodeBuilder::new("biz").attr("name", account.name.as_str()).build(),
                NodeBuilder::new("device")
                    .attr("jid", account.pn_jid().with_device(device))
                    .attr("lid", account.lid_jid().with_device(device))
                    .build(),
                NodeBuilder::new("platform").attr("name", "smba").build(),
                NodeBuilder::new("client-props").bytes(props.encode_to_vec()).build(),
            ])
            .build();
        let request = NodeBuilder::new("iq")
            .attr("from", SERVER)
            .attr("id", request_id.as_str())
            .attr("type", "set")
            .attr("xmlns", "md")
            .attr("t", wacore::time::now_secs())
            .children([success])
            .build();
        if let Some(Role::Pairing(pairing)) = world.connections.get_mut(&connection).map(|connection| &mut connection.role) {
            pairing.attempt = Some(LinkAttempt { request_id, phone: phone.to_owned(), device, key_index, done });
        }
        world.send(connection, request);
        Ok(())
    }

    /// The device's answer to a request of the server: to `pair-device` a mere confirmation, to `pair-success` its signature.
    pub(super) fn pairing_answer(&self, world: &mut World, connection: u64, node: &Node) {
        let World { connections, accounts, .. } = world;
        let Some(Role::Pairing(pairing)) = connections.get_mut(&connection).map(|connection| &mut connection.role) else { return };
        let Some(attempt) = pairing.attempt.take_if(|attempt| attempt.request_id == stanza::attr(node, "id")) else { return };
        let Some(account) = accounts.get_mut(&attempt.phone) else { return };
        let signed = node.get_optional_child_by_tag(&["pair-device-sign", "device-identity"]).map(stanza::content).unwrap_or_default();
        let refused = match node.get_optional_child("error") {
            Some(error) => Some(format!("{} {}", stanza::attr(error, "code"), stanza::attr(error, "text"))),
            None => {
                let verified = verify_device_signature(signed, &pairing.identity, &account.handset.identity_bytes());
                verified.err().map(|error| error.to_string())
            }
        };
        if let Some(reason) = refused {
            let _ = attempt.done.send(Err(LinkError::Refused(reason)));
            return;
        }
        let companion = Companion {
            key_index: attempt.key_index,
            noise_key: Octets::from(pairing.noise_key.as_slice()),
            identity: Octets::from(pairing.identity.as_slice()),
            registration_id: pairing.registration_id,
            signed_prekey: pairing.signed_prekey.clone(),
            prekeys: BTreeMap::new(),
            device_identity: Octets::from(signed),
            app_state_key_shared: false,
            asked_for_prekeys: false,
            queue: VecDeque::new(),
            typed: Vec::new(),
            connection: None,
        };
        account.companions.insert(attempt.device, companion);
        self.announce(world, &attempt.phone, attempt.device, Some(attempt.key_index));
        world.qr_refs.retain(|_, shown| shown.connection != connection);
        world.codes.remove(&attempt.phone);
        // The device has to come back and log in.
        world.dismiss(connection, stanza::stream_error(Some(515), None));
        self.tell(Event::Linked { phone: attempt.phone });
        let _ = attempt.done.send(Ok(()));
    }

    /// `<link_code_companion_reg>`: the two things a device says while it is linked by code.
    pub(super) fn code_stage(&self, world: &mut World, connection: u64, id: &str, stage: &Node) {
        let answer = self.code_answer(world, connection, id, stage);
        // The last stage answers by itself, before the request that follows from it.
        if let Some(answer) = answer {
            world.send(connection, answer);
        }
    }

    fn code_answer(&self, world: &mut World, connection: u64, id: &str, stage: &Node) -> Option<Node> {
        let phone = match stanza::jid(stage, "jid") {
            Some(jid) => jid.user_base().to_owned(),
            None => return Some(stanza::error(id, 400, "bad-request")),
        };
        match stanza::attr(stage, "stage").as_ref() {
            "companion_hello" => {
                if let Err(error) = world.account(&phone) {
                    tracing::warn!(%error, "a code is asked for no phone");
                    return Some(stanza::error(id, 400, "bad-request"));
                }
                let reference = stanza::random_id().into_bytes();
                let request = CodeRequest {
                    connection,
                    reference: reference.clone(),
                    wrapped_ephemeral: stanza::child_content(stage, "link_code_pairing_wrapped_companion_ephemeral_pub").to_vec(),
                    valid_until: Instant::now() + CODE_VALIDITY,
                    confirming: None,
                };
                world.codes.insert(phone, request);
                let reference = NodeBuilder::new("link_code_pairing_ref").bytes(reference).build();
                let answer = NodeBuilder::new("link_code_companion_reg").attr("stage", "companion_hello").children([reference]).build();
                Some(stanza::result(id, vec![answer]))
            }
            "companion_finish" => {
                let confirming = world
                    .codes
                    .get_mut(&phone)
                    .filter(|request| {
                        request.connection == connection && request.reference == stanza::child_content(stage, "link_code_pairing_ref")
                    })
                    .and_then(|request| request.confirming.take());
                let Some(confirming) = confirming else { return Some(stanza::error(id, 404, "item-not-found")) };
                // The server cannot see whether the code was right: the device is told that its bundle arrived in any case.
                world.send(connection, stanza::result(id, Vec::new()));
                match self.finish_code(world, &phone, &confirming, stage) {
                    Ok(secret) => {
                        if let Err(error) = self.agree(world, connection, &phone, &secret, confirming.done) {
                            tracing::warn!(%error, "the phone could not sign");
                        }
                    }
                    Err(error) => {
                        tracing::info!(%error, "a wrong pairing code");
                        let _ = confirming.done.send(Err(LinkError::WrongCode));
                    }
                }
                None
            }
            other => {
                tracing::warn!(stage = other, "linking by code knows no such stage");
                Some(stanza::error(id, 501, "feature-not-implemented"))
            }
        }
    }

    /// Opens the bundle that the device has sealed to the phone's ephemeral key; yields the secret both now share.
    fn finish_code(&self, world: &mut World, phone: &str, confirming: &Confirming, stage: &Node) -> anyhow::Result<Vec<u8>> {
        let wrapped = stanza::child_content(stage, "link_code_pairing_wrapped_key_bundle");
        anyhow::ensure!(wrapped.len() == 32 + 12 + 96 + 16, "a key bundle of {} bytes", wrapped.len());
        let (salt, rest) = wrapped.split_at(32);
        let (iv, sealed) = rest.split_at(12);
        let shared = confirming.ephemeral.calculate_agreement(&public_key(&confirming.companion_ephemeral)?)?;
        let key: [u8; 32] = hkdf_sha256(&shared, 32, Some(salt), CODE_BUNDLE_KEY)?.as_slice().try_into()?;
        let mut bundle = Vec::new();
        aes_256_gcm_decrypt(&key, iv.try_into()?, b"", sealed, &mut bundle)?;
        let handset = &world.account(phone)?.handset;
        let (companion_identity, rest) = bundle.split_at(32);
        let (primary_identity, random) = rest.split_at(32);
        anyhow::ensure!(primary_identity == handset.identity_bytes(), "sealed for another phone");
        let identities = handset.identity().private_key().calculate_agreement(&public_key(companion_identity)?)?;
        Ok(hkdf_sha256(&[shared.as_slice(), &identities, random].concat(), 32, None, CODE_ADV_SECRET)?)
    }

    /// Takes a linked device off the account, telling it so if it is online.
    pub(super) fn remove_device(&self, world: &mut World, phone: &str, device: u16) {
        self.remove_device_saying(world, phone, device, stanza::stream_error(Some(401), Some("device_removed")));
    }

    /// Takes a linked device off the account with these last words.
    pub(super) fn remove_device_saying(&self, world: &mut World, phone: &str, device: u16, words: Node) {
        let Some(account) = world.accounts.get_mut(phone) else { return };
        let Some(companion) = account.companions.remove(&device) else { return };
        account.handset.forget(&super::world::device_name(phone, device));
        self.announce(world, phone, device, None);
        if let Some(connection) = companion.connection {
            world.dismiss(connection, words);
        }
        self.tell(Event::Unlinked { phone: phone.to_owned() });
    }

    /// Those who chat with a phone, and its other devices, hear that a device was linked to it (with its key's number) or removed,
    /// so that what they write next reaches every device; who is offline, when it comes.
    fn announce(&self, world: &mut World, phone: &str, device: u16, key_index: Option<u32>) {
        let Some(account) = world.accounts.get(phone) else { return };
        let named = NodeBuilder::new("device").attr("jid", account.lid_jid().with_device(device));
        let list = NodeBuilder::new("key-index-list").attr("ts", wacore::time::now_secs());
        let (operation, named, list) = match (key_index, signed_device_list(account)) {
            (Some(key_index), Ok(signed)) => ("add", named.attr("key-index", key_index), list.bytes(signed)),
            (None, _) => ("remove", named, list),
            (Some(_), Err(error)) => return tracing::warn!(%error, "the account cannot sign its list of devices"),
        };
        let news = NodeBuilder::new("notification")
            .attr("from", account.lid_jid())
            .attr("type", "devices")
            .attr("t", wacore::time::now_secs())
            .children([NodeBuilder::new(operation).children([named.build(), list.build()]).build()])
            .build();
        for acquaintance in world.acquaintances(phone).into_iter().chain([phone.to_owned()]) {
            let theirs = world.accounts.get(&acquaintance).map(|account| account.companions.keys().copied().collect::<Vec<_>>());
            for to in theirs.unwrap_or_default().into_iter().filter(|to| acquaintance != phone || *to != device) {
                self.notify(world, phone, &acquaintance, to, news.clone());
            }
        }
    }
}

/// The account's signed list of the keys of its linked devices.
pub(super) fn signed_device_list(account: &super::world::Account) -> anyhow::Result<Vec<u8>> {
    let details = waproto::codec::adv_key_index_list_to_vec(&wa::ADVKeyIndexList {
        raw_id: Some(account.raw_id),
        timestamp: Some(wacore::time::now_secs().unsigned_abs()),
        current_index: Some(account.last_key_index),
        valid_indexes: std::iter::once(0).chain(account.companions.values().map(|companion| companion.key_index)).collect(),
        account_type: Some(wa::ADVEncryptionType::E2EE),
    });
    let signed = [SIGNED_DEVICE_LIST.as_slice(), &details].concat();
    let signature = account.handset.identity().private_key().calculate_signature(&signed, &mut rand::rng())?;
    Ok(waproto::codec::adv_signed_key_index_list_to_vec(&wa::ADVSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature.to_vec()),
        account_signature_key: Some(account.handset.identity_bytes().to_vec()),
    }))
}

/// The fields of a QR code's text.
pub(super) fn fields(qr: &str) -> impl Iterator<Item = &str> {
    let qr = qr.trim();
    qr.strip_prefix(QR_LINK).unwrap_or(qr).split(',')
}

fn read_registration(
    data: &wa::client_payload::DevicePairingRegistrationData,
    noise_key: [u8; 32],
    push_name: String,
) -> anyhow::Result<Pairing> {
    let field = |field: &Option<Vec<u8>>| field.clone().unwrap_or_default();
    let identity: [u8; 32] = field(&data.e_ident).as_slice().try_into()?;
    let (value, signature) = (field(&data.e_skey_val), field(&data.e_skey_sig));
    let signed = public_key(&value)?.serialize();
    anyhow::ensure!(public_key(&identity)?.verify_signature(&signed, &signature), "the signed key is not signed by the identity");
    Ok(Pairing {
        noise_key,
        identity,
        registration_id: stanza::number(&field(&data.e_regid)),
        signed_prekey: PublishedKey {
            id: stanza::number(&field(&data.e_skey_id)),
            value: Octets::from(value),
            signature: Octets::from(signature),
        },
        attempt: None,
        passkey: None,
        push_name,
    })
}

/// Some clients leave the account's key out of what they return: the server knows it.
fn verify_device_signature(device_identity: &[u8], identity: &[u8; 32], account_key: &[u8; 32]) -> anyhow::Result<()> {
    let signed = waproto::codec::adv_signed_device_identity_decode(device_identity)?;
    let message = [SIGNED_BY_DEVICE.as_slice(), &signed.details.unwrap_or_default(), identity, account_key].concat();
    anyhow::ensure!(
        public_key(identity)?.verify_signature(&message, &signed.device_signature.unwrap_or_default()),
        "the device's signature does not verify"
    );
    Ok(())
}

async fn device_answer(answer: oneshot::Receiver<Result<(), LinkError>>) -> Result<(), LinkError> {
    match tokio::time::timeout(DEVICE_ANSWERS_WITHIN, answer).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => Err(LinkError::NoAnswer),
    }
}

fn phone_failed(error: impl std::fmt::Display) -> LinkError {
    LinkError::Phone(error.to_string())
}
