//! Who is there and who types: passed on to devices that are online and want to know, never kept for those that are not.

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
        pass_on(&world, salon_phone, &chat_state(from, state.build()));
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

/// To the devices of a phone that are online with somebody there.
fn pass_on(world: &World, phone: &str, node: &Node) {
    for (connection, state) in &world.connections {
        if let Role::Companion { phone: of, phase: Phase::Live, available: true, .. } = &state.role
            && of == phone
        {
            world.send(*connection, node.clone());
        }
    }
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
