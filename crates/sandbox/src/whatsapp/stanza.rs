//! Stanzas the server says in more than one place, and reading of those it hears.

use std::borrow::Cow;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::node::{NodeContent, NodeValue};
use wacore_binary::{Jid, Node};

use super::world::Account;

/// The address that the server itself speaks from.
pub(super) const SERVER: &str = "s.whatsapp.net";

/// An attribute as text, empty if absent.
pub(super) fn attr<'a>(node: &'a Node, name: &str) -> Cow<'a, str> {
    node.attrs.get(name).map(|value| value.as_str()).unwrap_or_default()
}

/// An attribute that is an address.
pub(super) fn jid(node: &Node, name: &str) -> Option<Jid> {
    node.attrs.get(name)?.to_jid()
}

/// The bytes inside an element, empty if it has none.
pub(super) fn content(node: &Node) -> &[u8] {
    match &node.content {
        Some(NodeContent::Bytes(bytes)) => bytes,
        Some(NodeContent::String(text)) => text.as_bytes(),
        _ => &[],
    }
}

/// The bytes inside a child element.
pub(super) fn child_content<'a>(node: &'a Node, tag: &str) -> &'a [u8] {
    node.get_optional_child(tag).map(content).unwrap_or_default()
}

/// A number of up to four bytes, the highest first.
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Adds an attribute where there is a value.
pub(super) fn with(node: NodeBuilder, name: &'static str, value: Option<impl Into<NodeValue>>) -> NodeBuilder {
    match value {
        Some(value) => node.attr(name, value),
        None => node,
    }
}

pub(super) fn result(id: &str, children: Vec<Node>) -> Node {
    let answer = NodeBuilder::new("iq").attr("from", SERVER).attr("id", id).attr("type", "result");
    if children.is_empty() { answer.build() } else { answer.children(children).build() }
}

pub(super) fn error(id: &str, code: u16, text: &str) -> Node {
    let error = NodeBuilder::new("error").attr("code", code).attr("text", text).build();
    NodeBuilder::new("iq").attr("from", SERVER).attr("id", id).attr("type", "error").children([error]).build()
}

pub(super) fn stream_error(code: Option<u16>, conflict: Option<&str>) -> Node {
    let mut error = NodeBuilder::new("stream:error");
    if let Some(code) = code {
        error = error.attr("code", code);
    }
    if let Some(conflict) = conflict {
        error = error.children([NodeBuilder::new("conflict").attr("type", conflict).build()]);
    }
    error.build()
}

/// The refusal of a login.
pub(super) fn failure(reason: u16) -> NodeBuilder {
    NodeBuilder::new("failure").attr("reason", reason).attr("location", "sandbox")
}

/// The end of a login; `lid` names the device that has logged in.
pub(super) fn success(account: &Account, device: u16) -> Node {
    NodeBuilder::new("success")
        .attr("t", wacore::time::now_secs())
        .attr("lid", account.lid_jid().with_device(device))
        .attr("display_name", account.name.as_str())
        .attr("props", 0)
        .attr("creation", wacore::time::now_secs())
        .build()
}

/// A notification from the server itself.
pub(super) fn notification(kind: &str, child: Node) -> Node {
    NodeBuilder::new("notification")
        .attr("from", SERVER)
        .attr("id", random_id())
        .attr("type", kind)
        .attr("t", wacore::time::now_secs())
        .children([child])
        .build()
}

/// An id such as phones give their messages.
pub(super) fn random_id() -> String {
    format!("3A{:018X}", rand::random::<u128>() >> 56)
}
