//! The collections of an account's settings that its devices share (syncd): the server keeps patches that it cannot read,
//! the phone holds the key and writes the first one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wacore::appstate::hash::{HashState, generate_patch_mac};
use wacore::appstate::{encode_record, expand_app_state_keys};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::node::NodeContent;
use waproto::buffa::MessageField;
use waproto::whatsapp as wa;

use super::octets::Octets;

/// The collection in which a device looks for the account's display name.
const NAME_COLLECTION: &str = "critical_block";
const NAME_INDEX: &str = r#"["setting_pushName"]"#;
const NAME_VERSION: i32 = 1;
/// Patches in one answer.
const PAGE: usize = 100;

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AppState {
    key_id: Octets,
    key: Octets,
    made_at_ms: i64,
    /// Patches of each collection; version N is the N-th, counted from one.
    collections: BTreeMap<String, Vec<Octets>>,
}

impl AppState {
    /// The state of an account whose phone has only written its name. `now_ms`: unix time of the phone.
    pub(super) fn new(name: &str, now_ms: i64) -> anyhow::Result<Self> {
        let mut state = Self {
            // The first two bytes name the device that made the key: the phone.
            key_id: Octets::from([[0, 0].as_slice(), &rand::random::<[u8; 4]>()].concat()),
            key: Octets::from(rand::random::<[u8; 32]>().as_slice()),
            made_at_ms: now_ms,
            collections: BTreeMap::new(),
        };
        let patch = state.name_patch(name)?;
        state.collections.insert(NAME_COLLECTION.to_owned(), vec![Octets::from(patch)]);
        Ok(state)
    }

    fn name_patch(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let keys = expand_app_state_keys(&self.key);
        let value = wa::SyncActionValue {
            timestamp: Some(self.made_at_ms),
            push_name_setting: MessageField::some(wa::sync_action_value::PushNameSetting { name: Some(name.to_owned()) }),
            ..Default::default()
        };
        let (mutation, _) = encode_record(
            wa::syncd_mutation::SyncdOperation::SET,
            NAME_INDEX.as_bytes(),
            &value,
            &keys,
            &self.key_id,
            &rand::random(),
            NAME_VERSION,
        );
        let mutations = vec![mutation];
        let mut hash = HashState::default();
        hash.update_hash(&mutations, |_, _| Ok(None)).1?;
        hash.version = 1;
        let mut patch = wa::SyncdPatch {
            version: MessageField::some(wa::SyncdVersion { version: Some(1) }),
            snapshot_mac: Some(hash.generate_snapshot_mac(NAME_COLLECTION, &keys.snapshot_mac)),
            key_id: MessageField::some(wa::KeyId { id: Some(self.key_id.to_vec()) }),
            mutations,
            ..Default::default()
        };
        patch.patch_mac = Some(generate_patch_mac(&patch, NAME_COLLECTION, &keys.patch_mac, 1));
        Ok(waproto::codec::syncd_patch_to_vec(&patch))
    }

    /// What the phone sends to a device it has just linked.
    pub(super) fn key_share(&self) -> wa::Message {
        let key = wa::message::AppStateSyncKey {
            key_id: MessageField::some(wa::message::AppStateSyncKeyId { key_id: Some(self.key_id.to_vec()) }),
            key_data: MessageField::some(wa::message::AppStateSyncKeyData {
                key_data: Some(self.key.to_vec()),
                fingerprint: MessageField::some(wa::message::AppStateSyncKeyFingerprint {
                    raw_id: Some(1),
                    current_index: Some(0),
                    device_indexes: vec![0],
                }),
                timestamp: Some(self.made_at_ms),
            }),
        };
        wa::Message {
            protocol_message: MessageField::some(wa::message::ProtocolMessage {
                r#type: Some(wa::message::protocol_message::Type::APP_STATE_SYNC_KEY_SHARE),
                app_state_sync_key_share: MessageField::some(wa::message::AppStateSyncKeyShare { keys: vec![key] }),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    /// Answers `<sync>`: takes the patches a device brings, and gives those it lacks.
    pub(super) fn sync(&mut self, request: &Node) -> Node {
        let collections = request.get_children_by_tag("collection").map(|asked| self.sync_collection(asked)).collect::<Vec<_>>();
        NodeBuilder::new("sync").children(collections).build()
    }

    /// How many patches each collection has.
    pub(super) fn versions(&self) -> BTreeMap<String, usize> {
        self.collections.iter().map(|(name, patches)| (name.clone(), patches.len())).collect()
    }

    fn sync_collection(&mut self, asked: &Node) -> Node {
        let name = asked.attrs.get("name").map(|name| name.as_str().into_owned()).unwrap_or_default();
        let version = asked.attrs.get("version").and_then(|version| version.as_str().parse::<usize>().ok()).unwrap_or(0);
        let patches = self.collections.entry(name.clone()).or_default();
        let answer = NodeBuilder::new("collection").attr("name", name);
        let brought = asked
            .children()
            .unwrap_or_default()
            .iter()
            .flat_map(|child| if child.tag == "patches" { child.children().unwrap_or_default() } else { std::slice::from_ref(child) })
            .filter(|child| child.tag == "patch")
            .filter_map(|patch| match &patch.content {
                Some(NodeContent::Bytes(bytes)) => Some(Octets::from(bytes.as_slice())),
                _ => None,
            })
            .collect::<Vec<_>>();
        let bringing = !brought.is_empty();
        let conflict = bringing && version != patches.len();
        if bringing && !conflict {
            patches.extend(brought);
        }
        let missing = if bringing && !conflict { &[] } else { patches.get(version..).unwrap_or_default() };
        let page = &missing[..missing.len().min(PAGE)];
        let more = if page.len() < missing.len() { "true" } else { "false" };
        let mut children = Vec::new();
        if conflict {
            children.push(NodeBuilder::new("error").attr("code", "409").attr("text", "conflict").build());
        }
        if !page.is_empty() {
            let patches = page
                .iter()
                .zip(version + 1..)
                .map(|(patch, version)| NodeBuilder::new("patch").bytes(versioned(patch, version as u64)).build());
            children.push(NodeBuilder::new("patches").children(patches).build());
        }
        let answer = answer.attr("version", (version + page.len()).to_string()).attr("has_more_patches", more);
        let answer = if conflict { answer.attr("type", "error") } else { answer };
        answer.children(children).build()
    }
}

/// A patch comes without its version from the device that wrote it; the server writes it in.
fn versioned(patch: &[u8], version: u64) -> Vec<u8> {
    match waproto::codec::syncd_patch_decode(patch) {
        Ok(mut decoded) => {
            decoded.version = MessageField::some(wa::SyncdVersion { version: Some(version) });
            waproto::codec::syncd_patch_to_vec(&decoded)
        }
        Err(_) => patch.to_vec(),
    }
}
