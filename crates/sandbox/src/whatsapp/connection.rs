//! One WebSocket: handshake, frames, and a task that writes.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use futures::stream::SplitSink;
use futures::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wacore::framing::encode_frame;
use wacore_binary::Node;
use wacore_binary::marshal::{marshal_auto, unmarshal_ref};
use wacore_binary::util::unpack;
use wacore_noise::NoiseCipher;

use super::Emulator;
use super::noise;
use super::world::Outgoing;

/// A client that was told to go has so long to read why.
const LEAVE_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);
const HANDSHAKE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

/// Serves a client until either side closes.
pub(super) async fn serve(emulator: Arc<Emulator>, mut socket: WebSocket) {
    let authority = emulator.world.lock().authority.clone();
    let accepted = match tokio::time::timeout(HANDSHAKE_TIMEOUT, noise::accept(&authority, &mut socket)).await {
        Ok(Ok(accepted)) => accepted,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a WhatsApp client failed its handshake");
            return;
        }
        Err(_) => {
            tracing::warn!("a WhatsApp client did not finish its handshake");
            return;
        }
    };
    let noise::Accepted { payload, client_key, write, read, mut frames } = accepted;
    let (sink, mut stream) = socket.split();
    let (outbox, outgoing) = mpsc::unbounded_channel();
    let over = CancellationToken::new();
    let writer = tokio::spawn(write_all(sink, write, outgoing, over.clone()));
    let connection = emulator.admit(outbox, &payload, client_key);

    let mut counter = 0;
    'reading: loop {
        while let Some(mut frame) = frames.decode_frame() {
            if let Err(error) = read.decrypt_in_place_with_counter(counter, &mut frame) {
                tracing::warn!(%error, "a frame does not decrypt");
                break 'reading;
            }
            counter += 1;
            match decode(&frame) {
                Ok(node) => emulator.receive(connection, &node),
                Err(error) => {
                    tracing::warn!(%error, "a frame is no stanza");
                    break 'reading;
                }
            }
        }
        let message = tokio::select! {
            message = stream.next() => message,
            () = over.cancelled() => break,
        };
        match message {
            Some(Ok(Message::Binary(data))) => frames.feed(&data),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(_) | Message::Close(_)) | Err(_)) | None => break,
        }
    }
    emulator.gone(connection);
    // The world has dropped its end of the outbox, so the writer finishes what is left and ends.
    let _ = writer.await;
}

fn decode(frame: &[u8]) -> anyhow::Result<Node> {
    let unpacked = unpack(frame)?;
    Ok(unmarshal_ref(&unpacked)?.to_owned())
}

async fn write_all(
    mut sink: SplitSink<WebSocket, Message>,
    cipher: NoiseCipher,
    mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
    over: CancellationToken,
) {
    let mut counter = 0;
    while let Some(first) = outgoing.recv().await {
        let mut next = Some(first);
        let mut bytes = Vec::new();
        let mut closing = None;
        // Whatever is ready leaves as one message.
        while let Some(item) = next {
            match item {
                Outgoing::Stanza(node) => match encode(&node, &cipher, counter) {
                    Ok(frame) => {
                        counter += 1;
                        bytes.extend_from_slice(&frame);
                    }
                    Err(error) => tracing::warn!(%error, "a stanza cannot be written"),
                },
                last @ (Outgoing::Close | Outgoing::Leave) => {
                    closing = Some(last);
                    break;
                }
            }
            next = outgoing.try_recv().ok();
        }
        let sent = bytes.is_empty() || sink.send(Message::Binary(bytes.into())).await.is_ok();
        if matches!(closing, Some(Outgoing::Leave)) {
            // The outbox ends with the reader, when the client has left by itself.
            let _ = tokio::time::timeout(LEAVE_WITHIN, async { while outgoing.recv().await.is_some() {} }).await;
        }
        if closing.is_some() || !sent {
            break;
        }
    }
    let _ = sink.close().await;
    over.cancel();
}

fn encode(node: &Node, cipher: &NoiseCipher, counter: u32) -> anyhow::Result<Vec<u8>> {
    tracing::trace!(stanza = %wacore::xml::DisplayableNode(node), "to the client");
    encode_frame(&cipher.encrypt_with_counter(counter, &marshal_auto(node)?)?, None)
}
