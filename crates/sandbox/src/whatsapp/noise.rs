//! The server's half of the Noise handshake (XX, IK and XXfallback) and the frames beneath it.

use axum::extract::ws::{Message, WebSocket};
use serde::{Deserialize, Serialize};
use wacore::framing::{FrameDecoder, encode_frame};
use wacore_binary::consts::{NOISE_PATTERN_IK, NOISE_PATTERN_XX, NOISE_PATTERN_XXFALLBACK};
use wacore_libsignal::protocol::KeyPair;
use wacore_noise::{NoiseCipher, NoiseHandshake};
use waproto::buffa::{Message as _, MessageField};
use waproto::whatsapp as wa;

use super::octets::{Octets, key_pair, public_key};

/// Certificates of the emulator hold from 2023 to 2096, whatever its calendar says: a client compares them with its own clock.
const CERT_NOT_BEFORE: u64 = 1_700_000_000;
const CERT_NOT_AFTER: u64 = 4_000_000_000;
/// Room for a routing hint and the first message of the handshake.
const LONGEST_PROLOGUE: usize = 128 * 1024;
const ROOT_SERIAL: u32 = 0;
const INTERMEDIATE_SERIAL: u32 = 1;

/// The keys by which a server proves who it is: a root, an intermediate and the static key that the leaf vouches for.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Authority {
    root: Octets,
    intermediate: Octets,
    server: Octets,
}

impl Authority {
    pub(super) fn generate() -> Self {
        let fresh = || Octets::from(KeyPair::generate(&mut rand::rng()).private_key.serialize().as_slice());
        Self { root: fresh(), intermediate: fresh(), server: fresh() }
    }

    pub(super) fn root_public(&self) -> anyhow::Result<[u8; 32]> {
        Ok(key_pair(&self.root)?.public_key.public_key_bytes().try_into()?)
    }

    fn chain(&self) -> anyhow::Result<Vec<u8>> {
        let certificate = |serial: u32, issuer_serial: u32, key: &Octets, issuer: &Octets| -> anyhow::Result<_> {
            let details = wa::cert_chain::noise_certificate::Details {
                serial: Some(serial),
                issuer_serial: Some(issuer_serial),
                key: Some(key_pair(key)?.public_key.public_key_bytes().to_vec()),
                not_before: Some(CERT_NOT_BEFORE),
                not_after: Some(CERT_NOT_AFTER),
            }
            .encode_to_vec();
            let signature = key_pair(issuer)?.private_key.calculate_signature(&details, &mut rand::rng())?;
            Ok(wa::cert_chain::NoiseCertificate { details: Some(details), signature: Some(signature.to_vec()) })
        };
        Ok(wa::CertChain {
            intermediate: MessageField::some(certificate(INTERMEDIATE_SERIAL, ROOT_SERIAL, &self.intermediate, &self.root)?),
            leaf: MessageField::some(certificate(INTERMEDIATE_SERIAL + 1, INTERMEDIATE_SERIAL, &self.server, &self.intermediate)?),
        }
        .encode_to_vec())
    }
}

/// A client that has finished its handshake.
pub(super) struct Accepted {
    pub(super) payload: wa::ClientPayload,
    /// The client's static Noise key: what a linked device proves itself by.
    pub(super) client_key: [u8; 32],
    pub(super) write: NoiseCipher,
    pub(super) read: NoiseCipher,
    /// Holds what arrived behind the handshake.
    pub(super) frames: FrameDecoder,
}

/// Carries out the handshake on a fresh WebSocket.
pub(super) async fn accept(authority: &Authority, socket: &mut WebSocket) -> anyhow::Result<Accepted> {
    let mut inbound = Inbound { socket, frames: FrameDecoder::new() };
    let prologue = inbound.prologue().await?;
    let hello = inbound.handshake().await?.client_hello.into_option().ok_or_else(|| anyhow::anyhow!("no ClientHello"))?;
    let client_ephemeral: [u8; 32] = required(hello.ephemeral, "ephemeral key")?.as_slice().try_into()?;
    let server = key_pair(&authority.server)?;
    let ephemeral = KeyPair::generate(&mut rand::rng());
    let chain = authority.chain()?;

    let resumed = match (hello.r#static, hello.payload) {
        (Some(key), Some(payload)) => Some(read_resumption(&prologue, &server, &client_ephemeral, &key, &payload)),
        _ => None,
    };
    if let Some(Ok((mut noise, client_key, payload))) = resumed {
        noise.authenticate(ephemeral.public_key.public_key_bytes());
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_ephemeral)?;
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_key)?;
        let proof = noise.encrypt(&chain)?;
        inbound.reply(&ephemeral, None, proof).await?;
        return inbound.accepted(noise, client_key, &payload);
    }

    // A key we do not own: the client resumed against another server (or an earlier life of this one).
    let pattern = if resumed.is_some() { NOISE_PATTERN_XXFALLBACK } else { NOISE_PATTERN_XX };
    let mut noise = NoiseHandshake::new(pattern, &prologue)?;
    noise.authenticate(&client_ephemeral);
    noise.authenticate(ephemeral.public_key.public_key_bytes());
    noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_ephemeral)?;
    let sealed_static = noise.encrypt(server.public_key.public_key_bytes())?;
    noise.mix_shared_secret(server.private_key.serialize(), &client_ephemeral)?;
    let proof = noise.encrypt(&chain)?;
    inbound.reply(&ephemeral, Some(sealed_static), proof).await?;

    let finish = inbound.handshake().await?.client_finish.into_option().ok_or_else(|| anyhow::anyhow!("no ClientFinish"))?;
    let client_key: [u8; 32] = noise.decrypt(&required(finish.r#static, "static key")?)?.as_slice().try_into()?;
    noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_key)?;
    let payload = noise.decrypt(&required(finish.payload, "payload")?)?;
    inbound.accepted(noise, client_key, &payload)
}

/// Reads the first message of IK: the client's static key and payload, sealed to our static key.
fn read_resumption(
    prologue: &[u8],
    server: &KeyPair,
    client_ephemeral: &[u8; 32],
    sealed_key: &[u8],
    sealed_payload: &[u8],
) -> anyhow::Result<(NoiseHandshake, [u8; 32], Vec<u8>)> {
    let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, prologue)?;
    noise.authenticate(server.public_key.public_key_bytes());
    noise.authenticate(client_ephemeral);
    noise.mix_shared_secret(server.private_key.serialize(), client_ephemeral)?;
    let client_key: [u8; 32] = noise.decrypt(sealed_key)?.as_slice().try_into()?;
    public_key(&client_key)?;
    noise.mix_shared_secret(server.private_key.serialize(), &client_key)?;
    let payload = noise.decrypt(sealed_payload)?;
    Ok((noise, client_key, payload))
}

fn required(field: Option<Vec<u8>>, name: &str) -> anyhow::Result<Vec<u8>> {
    field.ok_or_else(|| anyhow::anyhow!("the handshake carries no {name}"))
}

struct Inbound<'a> {
    socket: &'a mut WebSocket,
    frames: FrameDecoder,
}

impl Inbound<'_> {
    async fn bytes(&mut self) -> anyhow::Result<bytes::Bytes> {
        loop {
            match self.socket.recv().await {
                Some(Ok(Message::Binary(data))) => return Ok(data),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => anyhow::bail!("not a binary message: {other:?}"),
                Some(Err(error)) => return Err(error.into()),
                None => anyhow::bail!("closed during the handshake"),
            }
        }
    }

    /// `WA` 6 and the dictionary's version, after an optional routing hint (`ED` 0 1, a length of three bytes, the hint).
    async fn prologue(&mut self) -> anyhow::Result<[u8; 4]> {
        let mut seen = Vec::new();
        loop {
            seen.extend_from_slice(&self.bytes().await?);
            anyhow::ensure!(seen.len() <= LONGEST_PROLOGUE, "a prologue that does not end");
            let start = match seen.as_slice() {
                [b'E', b'D', 0, 1, high, middle, low, ..] => 7 + u32::from_be_bytes([0, *high, *middle, *low]) as usize,
                [b'E', b'D', ..] | [b'E'] => continue,
                _ => 0,
            };
            if seen.len() < start + 4 {
                continue;
            }
            let prologue: [u8; 4] = seen[start..start + 4].try_into()?;
            anyhow::ensure!(prologue[..3] == *b"WA\x06", "not WhatsApp's prologue: {prologue:02x?}");
            self.frames.feed(&seen[start + 4..]);
            return Ok(prologue);
        }
    }

    async fn handshake(&mut self) -> anyhow::Result<wa::HandshakeMessage> {
        loop {
            if let Some(frame) = self.frames.decode_frame() {
                return Ok(waproto::codec::handshake_message_decode(&frame)?);
            }
            let data = self.bytes().await?;
            self.frames.feed(&data);
        }
    }

    async fn reply(&mut self, ephemeral: &KeyPair, sealed_static: Option<Vec<u8>>, proof: Vec<u8>) -> anyhow::Result<()> {
        let hello = wa::HandshakeMessage {
            server_hello: MessageField::some(wa::handshake_message::ServerHello {
                ephemeral: Some(ephemeral.public_key.public_key_bytes().to_vec()),
                r#static: sealed_static,
                payload: Some(proof),
                ..Default::default()
            }),
            ..Default::default()
        };
        let frame = encode_frame(&waproto::codec::handshake_message_to_vec(&hello), None)?;
        Ok(self.socket.send(Message::Binary(frame.into())).await?)
    }

    fn accepted(self, noise: NoiseHandshake, client_key: [u8; 32], payload: &[u8]) -> anyhow::Result<Accepted> {
        // The library names the keys from the client's side.
        let (read, write) = noise.finish()?;
        Ok(Accepted { payload: wa::ClientPayload::decode_from_slice(payload)?, client_key, write, read, frames: self.frames })
    }
}
