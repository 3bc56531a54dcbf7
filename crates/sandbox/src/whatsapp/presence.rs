//! Who is there and who types: passed on to devices that want to know, and kept for no longer than a moment.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use super::stanza::{self, attr};
use super::world::{Phase, Presence, Role, World};
use super::{Emulator, Event, PhoneError};

/// What somebody does in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Doing {
    /// Types.
    Composing,
    /// Records a voice message.
    Recording,
    /// Has stopped.
    Paused,
}

impl Emulator {
    /// The customer types to the salon, or stops.
    pub async fn customer_types(&self, customer: &str, salon_phone: &str, doing: Doing) -> Result<(), PhoneError> {
        let mut world = self.world.lock();
        if !world.accounts.contains_key(salon_phone) {
            return Err(PhoneError::NoAccount);
        }
        let from = world.account(customer)?.lid_jid();
        let state = match doing {
            Doing::Composing => NodeBuilder::new("composing"),
            Doing::Recording => NodeBuilder::new("composing").attr("media", "audio"),
            Doing::Paused => NodeBuilder::new("paused"),
        };
        pass_on(&mut world, salon_phone, &chat_state(from, state.build()));
        Ok(())
    }

    /// The customer opens WhatsApp, or leaves it: devices that asked for it are told.
    pub async fn customer_is_there(&self, customer: &str, available: bool) -> Result<(), PhoneError> {
        let mut world = self.world.lock();
        let since = self.calendar_secs();
        world.account(customer)?.presence = Some(Presence { available, since });
        tell_watchers(&world, customer);
        Ok(())
    }

    /// A linked device shows that it types.
    pub(super) fn chat_state(&self, world: &mut World, phone: &str, node: &Node) {
        let Some((customer, _)) = stanza::jid(node, "to").and_then(|to| world.resolve(&to)) else { return };
        let typing = node.get_optional_child("composing").is_some();
        self.tell(Event::Typing { salon: phone.to_owned(), customer: customer.clone(), typing });
        let Some(from) = world.accounts.get(phone).map(super::world::Account::lid_jid) else { return };
        if let Some(state) = node.children().and_then(<[Node]>::first) {
            pass_on(world, &customer, &chat_state(from, state.clone()));
        }
    }

    /// A linked device says whether somebody is there, or asks whether somebody else is.
    pub(super) fn presence(&self, world: &mut World, connection: u64, phone: &str, node: &Node) {
        match attr(node, "type").as_ref() {
            kind @ ("" | "available" | "unavailable") => {
                let is_there = kind != "unavailable";
                if let Some(Role::Companion { available, .. }) = role(world, connection) {
                    *available = is_there;
                }
                let since = self.calendar_secs();
                if let Some(account) = world.accounts.get_mut(phone) {
                    account.presence = Some(Presence { available: is_there, since });
                }
                tell_watchers(world, phone);
                if is_there {
                    catch_up(world, connection);
                }
            }
            kind @ ("subscribe" | "unsubscribe") => {
                let Some((other, _)) = stanza::jid(node, "to").and_then(|to| world.resolve(&to)) else { return };
                if let Some(Role::Companion { watched, .. }) = role(world, connection) {
                    if kind == "subscribe" {
                        watched.insert(other.clone())
                    } else {
                        watched.remove(&other)
                    };
                }
                if kind == "subscribe"
                    && let Some(known) = presence_of(world, &other)
                {
                    world.send(connection, known);
                }
            }
            other => tracing::warn!(kind = other, "a presence that the emulator does not know"),
        }
    }
}

fn role(world: &mut World, connection: u64) -> Option<&mut Role> {
    world.connections.get_mut(&connection).map(|connection| &mut connection.role)
}

fn chat_state(from: Jid, state: Node) -> Node {
    NodeBuilder::new("chatstate").attr("from", from).children([state]).build()
}

fn presence_of(world: &World, phone: &str) -> Option<Node> {
    let account = world.accounts.get(phone)?;
    let Presence { available, since } = account.presence?;
    let presence = NodeBuilder::new("presence").attr("from", account.lid_jid());
    Some(if available { presence.build() } else { presence.attr("type", "unavailable").attr("last", since).build() })
}

/// To the devices of a phone: at once where somebody is there, else when somebody comes soon.
fn pass_on(world: &mut World, phone: &str, node: &Node) {
    let mut there = Vec::new();
    for (connection, state) in &world.connections {
        if let Role::Companion { phone: of, device, phase: Phase::Live, available: true, .. } = &state.role
            && of == phone
        {
            world.send(*connection, node.clone());
            there.push(*device);
        }
    }
    let Some(account) = world.accounts.get_mut(phone) else { return };
    for (_, companion) in account.companions.iter_mut().filter(|(device, _)| !there.contains(device)) {
        // The last word of each counts.
        companion.typed.retain(|(_, earlier)| earlier.attrs.get("from") != node.attrs.get("from"));
        companion.typed.push((Instant::now(), node.clone()));
    }
}

/// Somebody has come to a device: it is told who has begun to type a moment ago.
fn catch_up(world: &mut World, connection: u64) {
    let Some(Role::Companion { phone, device, .. }) = role(world, connection) else { return };
    let (phone, device) = (phone.clone(), *device);
    let Some(companion) = world.companion(&phone, device) else { return };
    for (since, node) in std::mem::take(&mut companion.typed) {
        if since.elapsed() < chat_state_ttl() {
            world.send(connection, node);
        }
    }
}

/// `CHATSTATE_TTL_SECS`, as the test server of the client libraries knows it.
fn chat_state_ttl() -> Duration {
    static TTL: LazyLock<Duration> = LazyLock::new(|| {
        let secs = std::env::var("CHATSTATE_TTL_SECS").ok().and_then(|secs| secs.parse().ok());
        Duration::from_secs(secs.unwrap_or(30))
    });
    *TTL
}

fn tell_watchers(world: &World, phone: &str) {
    let Some(known) = presence_of(world, phone) else { return };
    for (connection, state) in &world.connections {
        if let Role::Companion { watched, .. } = &state.role
            && watched.contains(phone)
        {
            world.send(*connection, known.clone());
        }
    }
}
