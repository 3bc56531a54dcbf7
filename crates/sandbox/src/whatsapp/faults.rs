//! What goes wrong between a linked device and the server when somebody asked for it.

use std::time::Duration;

use wacore_binary::Node;

use super::stanza::{self, attr};
use super::world::{Outgoing, Role, World};
use super::{Emulator, Event};
use crate::faults::Odds;

/// How long a temporary ban lasts and what for: too many messages to strangers.
const BAN_SECS: u32 = 3600;
const BAN_CODE: u16 = 101;

/// Something that goes wrong the next times it could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Only for devices of this phone; of any if absent.
    pub salon: Option<String>,
    /// How many times.
    pub times: u32,
}

/// When a fault happens; without anything, at the first stanza it can happen to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Occasion {
    /// The beginning of the stanzas it happens to, written as tag, type and, of an `iq`, namespace and child (`message text`,
    /// `receipt read`, `iq set md link_code_companion_reg`); `ack message` is the server's acknowledgement. `to ` or `from ` in
    /// front says which way the stanza goes, seen from the device's side: to it or from it. `GET /v` and `POST /mms` are files that a
    /// device downloads and uploads. Messages when absent.
    pub matches: Option<String>,
    /// The share of those stanzas, 0 to 1; all when absent.
    pub probability: Option<f64>,
    /// Makes the choice by `probability` repeatable.
    pub seed: Option<u64>,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection breaks before the server has taken the stanza.
    DisconnectBefore,
    /// The server takes and delivers the device's message, and the connection breaks before the acknowledgement.
    DisconnectAfter,
    /// The server refuses the device's message with this code (400, 463, 479 …).
    Nack(u16),
    /// The server speaks this code: an `iq` is answered with it; 429, 500, 503, 515 and 516 end the stream at once; every other
    /// code refuses the next login (402: a temporary ban), for which the device is disconnected. 401, 403, 406 and 516 unlink it.
    Status(u16),
    /// Another login takes the device's place.
    Replaced,
    /// The stanza is lost: a device's message is neither delivered nor acknowledged, one for the device comes at its next login. Of a
    /// file the second half is.
    Drop,
    /// A stanza for the device is delivered twice.
    Duplicate,
    /// A stanza for the device is delivered after the next one.
    Reorder,
    /// The device's message is delivered and its acknowledgement held so long; a file is.
    Timeout(Duration),
}

/// An order for a fault that can never happen.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct NoSuchFault(&'static str);

/// Which way a stanza goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    FromDevice,
    ToDevice,
}

pub(super) struct Rule {
    kind: FaultKind,
    salon: Option<String>,
    /// Which way, and how the stanzas begin; a fault of the connection as a whole has none.
    stanzas: Option<(Way, String)>,
    odds: Odds,
}

impl Rule {
    fn new(fault: Fault, occasion: Occasion) -> Result<Self, NoSuchFault> {
        let pattern = occasion.matches.as_deref().map(|pattern| match pattern.split_once(' ') {
            Some(("from", rest)) => (Some(Way::FromDevice), rest.to_owned()),
            Some(("to", rest)) => (Some(Way::ToDevice), rest.to_owned()),
            _ => (pattern.starts_with("ack").then_some(Way::ToDevice), pattern.to_owned()),
        });
        let messages = |text: &str| text.starts_with("message") || "message".starts_with(text);
        let usual = if matches!(fault.kind, FaultKind::Duplicate | FaultKind::Reorder) { Way::ToDevice } else { Way::FromDevice };
        let whole = matches!(fault.kind, FaultKind::Status(_) | FaultKind::Replaced);
        let stanzas = match pattern {
            None if whole => None,
            None => Some((usual, "message".to_owned())),
            Some((way, text)) => Some((way.unwrap_or(usual), text)),
        };
        if let Some((way, text)) = &stanzas {
            let file = text.starts_with("GET /v") || text.starts_with("POST /mms");
            let right = match fault.kind {
                FaultKind::Drop | FaultKind::Status(_) | FaultKind::Timeout(_) if file => *way == Way::FromDevice,
                _ if file => false,
                FaultKind::Nack(_) | FaultKind::Timeout(_) => *way == Way::FromDevice && messages(text),
                FaultKind::Duplicate | FaultKind::Reorder => *way == Way::ToDevice,
                FaultKind::Status(code) => *way == Way::FromDevice && (text.starts_with("iq") || ends_stream(code)),
                _ => true,
            };
            if !right {
                return Err(NoSuchFault("this kind of fault does not happen to these stanzas"));
            }
        }
        let odds = Odds::new(Some(fault.times), occasion.probability, occasion.seed);
        Ok(Self { kind: fault.kind, salon: fault.salon, stanzas, odds })
    }

    fn concerns(&self, phone: Option<&str>) -> bool {
        self.salon.is_none() || self.salon.as_deref() == phone
    }
}

/// Whether the server says this code on a stream that is up; all others meet a login.
pub(super) fn ends_stream(code: u16) -> bool {
    matches!(code, 429 | 500 | 503 | 515 | 516)
}

/// How faults name a stanza; messages between an account's own devices have no name.
fn name(node: &Node) -> Option<String> {
    if attr(node, "category") == "peer" {
        return None;
    }
    let mut name = node.tag.to_string();
    let kind = if node.tag == "ack" { attr(node, "class") } else { attr(node, "type") };
    let child = node.children().and_then(<[Node]>::first).map(|child| child.tag.as_ref());
    let namespace = attr(node, "xmlns");
    let rest = [Some(kind.as_ref()), Some(namespace.as_ref()), child.filter(|_| node.tag == "iq")];
    for part in rest.into_iter().flatten().filter(|part| !part.is_empty()) {
        name.push(' ');
        name.push_str(part);
    }
    Some(name)
}

impl World {
    fn strike(&mut self, concerned: impl Fn(&Rule) -> bool) -> Option<FaultKind> {
        let kind = self.faults.iter_mut().find_map(|rule| (concerned(rule) && rule.odds.strike()).then_some(rule.kind))?;
        self.faults.retain(|rule| !rule.odds.spent());
        Some(kind)
    }

    /// What goes wrong with this stanza of a device of the phone (`None`: one that is being linked).
    pub(super) fn fault_of(&mut self, phone: Option<&str>, way: Way, node: &Node) -> Option<FaultKind> {
        if self.faults.is_empty() {
            return None;
        }
        let name = name(node)?;
        self.strike(|rule| {
            rule.concerns(phone) && rule.stanzas.as_ref().is_some_and(|(of, beginning)| *of == way && name.starts_with(beginning.as_str()))
        })
    }

    /// What goes wrong with a request for a file, written as method and path. Whose device asks is not known.
    pub(super) fn fault_of_file(&mut self, request: &str) -> Option<FaultKind> {
        self.strike(|rule| rule.stanzas.as_ref().is_some_and(|(_, beginning)| request.starts_with(beginning.as_str())))
    }

    /// What goes wrong with a login of a device of the phone.
    pub(super) fn fault_of_login(&mut self, phone: &str) -> Option<FaultKind> {
        self.strike(|rule| rule.stanzas.is_none() && rule.concerns(Some(phone)))
    }
}

impl Emulator {
    /// Adds a fault behind those already waiting, for the first occasion it can have.
    pub fn add_fault(&self, fault: Fault) {
        // Without a pattern every fault has an occasion.
        let _ = self.add_fault_on(fault, Occasion::default());
    }

    /// Adds a fault behind those already waiting. One of the connection as a whole strikes devices that are online at once.
    pub fn add_fault_on(&self, fault: Fault, occasion: Occasion) -> Result<(), NoSuchFault> {
        let rule = Rule::new(fault, occasion)?;
        let whole = rule.stanzas.is_none();
        let (kind, salon) = (rule.kind, rule.salon.clone());
        let mut world = self.world.lock();
        world.faults.push(rule);
        if !whole {
            return Ok(());
        }
        let mut online: Vec<(u64, String)> = world
            .connections
            .iter()
            .filter_map(|(connection, state)| match &state.role {
                Role::Companion { phone, .. } if salon.as_deref().is_none_or(|salon| salon == phone) => Some((*connection, phone.clone())),
                _ => None,
            })
            .collect();
        online.sort_unstable();
        for (connection, phone) in online {
            match kind {
                FaultKind::Status(code) if !ends_stream(code) => world.close(connection),
                _ => match world.fault_of_login(&phone) {
                    Some(fault) => self.end_stream(&mut world, connection, fault),
                    None => break,
                },
            }
        }
        Ok(())
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        self.world.lock().faults.clear();
    }

    /// Ends the stream of a device as a fault of the connection has it.
    pub(super) fn end_stream(&self, world: &mut World, connection: u64, fault: FaultKind) {
        let Some(Role::Companion { phone, device, .. }) = world.connections.get(&connection).map(|connection| &connection.role) else {
            return world.close(connection);
        };
        let (phone, device) = (phone.clone(), *device);
        match fault {
            FaultKind::Status(516) => self.remove_device_saying(world, &phone, device, stanza::stream_error(Some(516), None)),
            FaultKind::Status(515) => self.send_away(world, connection, &phone, device, stanza::stream_error(Some(515), None)),
            FaultKind::Status(code) => {
                world.send(connection, stanza::stream_error(Some(code), None));
                world.close(connection);
            }
            FaultKind::Replaced => self.send_away(world, connection, &phone, device, stanza::stream_error(None, Some("replaced"))),
            _ => world.close(connection),
        }
    }

    fn send_away(&self, world: &mut World, connection: u64, phone: &str, device: u16, words: Node) {
        world.dismiss(connection, words);
        if let Some(companion) = world.companion(phone, device) {
            companion.connection = None;
        }
        self.tell(Event::Disconnected { phone: phone.to_owned() });
    }

    /// Refuses a login as a fault has it; codes by which an account ends take the device off it.
    pub(super) fn refused_login(&self, world: &mut World, phone: &str, device: u16, code: u16) -> Node {
        if matches!(code, 401 | 403 | 406) {
            self.remove_device(world, phone, device);
        }
        let failure = stanza::failure(code);
        if code == 402 { failure.attr("code", BAN_CODE).attr("expire", BAN_SECS).build() } else { failure.build() }
    }

    /// Sends a stanza to a device of the phone, as far as no fault is in its way.
    pub(super) fn deliver(&self, world: &mut World, connection: u64, phone: &str, node: Node) {
        match world.fault_of(Some(phone), Way::ToDevice, &node) {
            None | Some(FaultKind::Nack(_) | FaultKind::Timeout(_)) => world.send(connection, node),
            Some(FaultKind::Duplicate) => {
                world.send(connection, node.clone());
                world.send(connection, node);
            }
            Some(FaultKind::Drop) => return,
            Some(FaultKind::Reorder) => {
                if let Some(connection) = world.connections.get_mut(&connection) {
                    connection.held.push(node);
                }
                return;
            }
            Some(fault @ (FaultKind::DisconnectBefore | FaultKind::DisconnectAfter | FaultKind::Status(_) | FaultKind::Replaced)) => {
                return self.end_stream(world, connection, fault);
            }
        }
        let held = world.connections.get_mut(&connection).map(|connection| std::mem::take(&mut connection.held));
        for node in held.unwrap_or_default() {
            world.send(connection, node);
        }
    }
}

/// Sends a stanza after a while, if the connection lives so long.
pub(super) fn send_later(world: &World, connection: u64, delay: Duration, node: Node) {
    let Some(outbox) = world.connections.get(&connection).map(|connection| connection.outbox.downgrade()) else { return };
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        if let Some(outbox) = outbox.upgrade() {
            // The other end may be gone already.
            let _ = outbox.send(Outgoing::Stanza(node));
        }
    });
}
