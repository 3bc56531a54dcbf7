//! Answers to `<iq>`: keys, devices, settings, linking.

use std::collections::BTreeMap;

use wacore::prekeys::compute_key_bundle_digest;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use super::app_state::AppState;
use super::handset::key_node;
use super::linking::signed_device_list;
use super::messages::Post;
use super::octets::{Octets, public_key};
use super::stanza::{self, attr, child_content, with};
use super::world::{Phase, PublishedKey, Role, World};
use super::{Emulator, PhoneError};

/// A device is told to bring new one-time keys when so many are left.
const FEW_PREKEYS: usize = 10;
/// Keys one account may hold: four times what a client brings at once.
const MOST_PREKEYS: usize = 4096;
const MEDIA_TTL_SECS: u32 = 3600;
/// The setting `privacy_token_sending_on_all_1_on_1_messages`.
const SHOW_TOKENS: u32 = 10_518;

impl Emulator {
    /// Handles an `<iq>` of a device (`None`: one that is being linked).
    pub(super) fn query(&self, world: &mut World, connection: u64, device: Option<(String, u16)>, node: &Node) {
        let id = attr(node, "id").into_owned();
        let kind = attr(node, "type").into_owned();
        if kind == "result" || kind == "error" {
            self.pairing_answer(world, connection, node);
            return;
        }
        let namespace = attr(node, "xmlns").into_owned();
        let child = node.children().and_then(|children| children.first());
        let tag = child.map(|child| child.tag.as_ref()).unwrap_or_default();
        match (namespace.as_str(), tag, &device, child) {
            ("md", "link_code_companion_reg", None, Some(stage)) => self.code_stage(world, connection, &id, stage),
            ("md", _, None, Some(stage)) => {
                let answer = self.passkey_stage(world, connection, &id, stage);
                world.send(connection, answer);
            }
            ("passive", "active", Some((phone, device)), _) => {
                world.send(connection, stanza::result(&id, Vec::new()));
                self.activate(world, connection, phone, *device);
            }
            ("md", "remove-companion-device", Some((phone, _)), Some(request)) => {
                world.send(connection, stanza::result(&id, Vec::new()));
                if let Some(jid) = stanza::jid(request, "jid") {
                    let phone = phone.clone();
                    self.remove_device(world, &phone, jid.device);
                }
            }
            ("encrypt", "identity" | "registration" | "type" | "list" | "skey", Some((phone, device)), _) if kind == "set" => {
                let answer = match publish_keys(world, phone, *device, node) {
                    Ok(()) => stanza::result(&id, Vec::new()),
                    Err(error) => {
                        tracing::warn!(%error, "a device publishes bad keys");
                        stanza::error(&id, 400, "bad-request")
                    }
                };
                world.send(connection, answer);
                self.share_app_state_key(world, phone, *device);
            }
            _ => {
                let answer = self.answer(world, &id, &namespace, &kind, tag, device.as_ref(), node);
                world.send(connection, answer);
            }
        }
    }

    /// Queries whose answer is all that happens.
    #[expect(clippy::too_many_arguments, reason = "the parts of one stanza, taken apart once")]
    fn answer(
        &self,
        world: &mut World,
        id: &str,
        namespace: &str,
        kind: &str,
        tag: &str,
        device: Option<&(String, u16)>,
        node: &Node,
    ) -> Node {
        let one = |child: Node| stanza::result(id, vec![child]);
        let nothing = || stanza::result(id, Vec::new());
        let child = node.get_optional_child(tag);
        let answer = match (namespace, kind, tag, device) {
            ("w:p" | "urn:xmpp:ping", ..) => Some(nothing()),
            ("passive", ..) | ("urn:xmpp:whatsapp:dirty", "set", "clean", _) => Some(nothing()),
            ("usync", "get", "usync", Some(_)) => child.map(|child| one(usync(world, child))),
            ("encrypt", "get", "key", Some(_)) => child.map(|child| one(bundles(world, child))),
            ("encrypt", "get", "count", Some((phone, device))) => world
                .companion(phone, *device)
                .map(|companion| one(NodeBuilder::new("count").attr("value", companion.prekeys.len()).build())),
            ("encrypt", "get", "digest", Some((phone, device))) => Some(match digest(world, phone, *device) {
                Some(digest) => one(digest),
                None => stanza::error(id, 404, "item-not-found"),
            }),
            ("encrypt", "set", "rotate", Some((phone, device))) => {
                Some(match child.map(|rotate| rotate_signed_key(world, phone, *device, rotate)) {
                    Some(Ok(())) => nothing(),
                    _ => stanza::error(id, 400, "bad-request"),
                })
            }
            ("w:sync:app:state", "set", "sync", Some((phone, device))) => child.and_then(|sync| {
                let now_ms = (self.options.calendar)();
                let state = app_state(world, phone, now_ms).ok()?;
                let before = state.versions();
                let answer = one(state.sync(sync));
                let changed: Vec<_> =
                    state.versions().into_iter().filter(|(name, version)| before.get(name).unwrap_or(&0) < version).collect();
                self.tell_of_settings(world, phone, *device, &changed);
                Some(answer)
            }),
            ("abt", "get", "props", _) => {
                let props = NodeBuilder::new("props").attr("protocol", "1").attr("hash", "sandbox").attr("refresh", 86_400);
                let show_tokens = NodeBuilder::new("prop").attr("config_code", SHOW_TOKENS).attr("config_value", "1").build();
                Some(one(props.children([show_tokens]).build()))
            }
            ("blocklist", "get", ..) => Some(one(NodeBuilder::new("list").attr("matched", "false").build())),
            ("privacy", "get", "privacy", _) => Some(one(privacy())),
            ("privacy", "set", "tokens", Some((phone, _))) => child.map(|tokens| {
                self.trust(world, phone, tokens);
                nothing()
            }),
            ("w:m", "set" | "get", "media_conn", _) => Some(one(self.media_hosts())),
            ("w:g2", "get", "participating", _) => Some(one(NodeBuilder::new("groups").build())),
            ("status", "set", "status", Some((phone, device))) => child.map(|text| self.set_about(world, id, phone, *device, text)),
            ("w:profile:picture", "set", _, Some((phone, device))) => Some(self.set_picture(world, id, phone, *device, child)),
            ("w:profile:picture", "get", "picture", _) => {
                child.map(|asked| self.picture(world, id, stanza::jid(node, "target").as_ref(), asked))
            }
            _ => None,
        };
        answer.unwrap_or_else(|| {
            tracing::warn!(stanza = %wacore::xml::DisplayableNode(node), "a query that the emulator cannot answer");
            stanza::error(id, 501, "feature-not-implemented")
        })
    }

    /// A device has changed settings that the account's others share: they fetch them.
    fn tell_of_settings(&self, world: &mut World, phone: &str, by: u16, changed: &[(String, usize)]) {
        let Some(account) = world.accounts.get(phone).filter(|_| !changed.is_empty()) else { return };
        let others: Vec<u16> = account.companions.keys().copied().filter(|device| *device != by).collect();
        let collections = changed
            .iter()
            .map(|(name, version)| NodeBuilder::new("collection").attr("name", name.as_str()).attr("version", version.to_string()).build());
        let news = NodeBuilder::new("notification")
            .attr("from", "s.whatsapp.net")
            .attr("type", "server_sync")
            .attr("t", self.calendar_secs())
            .children(collections.collect::<Vec<_>>())
            .build();
        for device in others {
            self.notify(world, phone, phone, device, news.clone());
        }
    }

    /// A device asks for what waited while it was away.
    fn activate(&self, world: &mut World, connection: u64, phone: &str, device: u16) {
        let Some(companion) = world.companion(phone, device) else { return };
        let waiting = companion.queue.len();
        if waiting == 0 {
            set_phase(world, connection, Phase::Live);
            world.send(connection, offline_end(0));
            return;
        }
        let of = |class| companion.queue.iter().filter(|waiting| waiting.class == class).count();
        let preview = NodeBuilder::new("offline_preview")
            .attr("count", waiting)
            .attr("message", of(super::world::Class::Message))
            .attr("receipt", of(super::world::Class::Receipt))
            .attr("notification", of(super::world::Class::Notification))
            .attr("appdata", 0)
            .build();
        set_phase(world, connection, Phase::Catching(waiting));
        world.send(connection, NodeBuilder::new("ib").children([preview]).build());
    }

    /// Sends the next waiting stanzas; with the last announced one goes whatever has come since, and the end marker.
    pub(super) fn next_batch(&self, world: &mut World, connection: u64, phone: &str, device: u16, count: usize) {
        let Some(Role::Companion { phase: Phase::Catching(announced), .. }) =
            world.connections.get(&connection).map(|connection| &connection.role)
        else {
            return;
        };
        let announced = *announced;
        let last = count >= announced;
        let sent = self.send_waiting(world, connection, phone, device, if last { usize::MAX } else { count }, true);
        if last {
            set_phase(world, connection, Phase::Live);
            world.send(connection, offline_end(sent));
        } else {
            set_phase(world, connection, Phase::Catching(announced - count));
        }
    }

    /// A freshly linked device gets the key to the account's settings from the phone.
    fn share_app_state_key(&self, world: &mut World, phone: &str, device: u16) {
        let due = world.companion(phone, device).is_some_and(|companion| !companion.app_state_key_shared && !companion.prekeys.is_empty());
        if due && let Err(error) = self.send_app_state_key(world, phone, device).and_then(|()| self.send_history(world, phone, device)) {
            tracing::warn!(%error, "the phone could not share its key and chats");
        }
    }

    pub(super) fn send_app_state_key(&self, world: &mut World, phone: &str, device: u16) -> Result<(), PhoneError> {
        let message = app_state(world, phone, (self.options.calendar)())?.key_share();
        self.post(
            world,
            &Post {
                author: phone,
                owner: phone,
                other: phone,
                only: Some(device),
                id: &stanza::random_id(),
                peer: true,
                push_name: None,
                message: &message,
                copy_for: None,
            },
        )?;
        if let Some(companion) = world.companion(phone, device) {
            companion.app_state_key_shared = true;
        }
        Ok(())
    }

    /// An account trusts others: each gets a token to show with what it writes to that account.
    fn trust(&self, world: &mut World, phone: &str, tokens: &Node) {
        let Some(from) = world.accounts.get(phone).map(|account| account.lid_jid()) else { return };
        for asked in tokens.get_children_by_tag("token").filter(|token| attr(token, "type") == "trusted_contact") {
            let Some((whom, _)) = stanza::jid(asked, "jid").and_then(|jid| world.resolve(&jid)) else { continue };
            let token: [u8; 16] = rand::random();
            let given =
                NodeBuilder::new("token").attr("type", "trusted_contact").attr("t", attr(asked, "t").as_ref()).bytes(token.to_vec());
            let news = NodeBuilder::new("notification")
                .attr("from", &from)
                .attr("type", "privacy_token")
                .attr("t", wacore::time::now_secs())
                .children([NodeBuilder::new("tokens").children([given.build()]).build()])
                .build();
            for device in
                world.accounts.get(&whom).map(|account| account.companions.keys().copied().collect::<Vec<_>>()).unwrap_or_default()
            {
                self.notify(world, phone, &whom, device, news.clone());
            }
            if let Some(account) = world.accounts.get_mut(phone) {
                account.trusted.insert(whom, Octets::from(&token[..]));
            }
        }
    }

    fn media_hosts(&self) -> Node {
        NodeBuilder::new("media_conn")
            .attr("auth", super::media::AUTH)
            .attr("ttl", MEDIA_TTL_SECS)
            .attr("auth_ttl", MEDIA_TTL_SECS)
            .attr("max_buckets", 12)
            .children(
                ["primary", "fallback"]
                    .map(|role| NodeBuilder::new("host").attr("hostname", self.options.media_host.as_str()).attr("type", role).build()),
            )
            .build()
    }
}

pub(super) fn set_phase(world: &mut World, connection: u64, to: Phase) {
    if let Some(Role::Companion { phase, .. }) = world.connections.get_mut(&connection).map(|connection| &mut connection.role) {
        *phase = to;
    }
}

fn offline_end(count: usize) -> Node {
    NodeBuilder::new("ib").children([NodeBuilder::new("offline").attr("count", count).build()]).build()
}

fn app_state<'a>(world: &'a mut World, phone: &str, now_ms: i64) -> anyhow::Result<&'a mut AppState> {
    let account = world.account(phone)?;
    if account.app_state.is_none() {
        account.app_state = Some(AppState::new(&account.name, now_ms)?);
    }
    account.app_state.as_mut().ok_or_else(|| anyhow::anyhow!("no settings"))
}

fn privacy() -> Node {
    let category = |(name, value): (&str, &str)| NodeBuilder::new("category").attr("name", name).attr("value", value).build();
    let settings = [
        ("last", "all"),
        ("online", "all"),
        ("profile", "all"),
        ("status", "contacts"),
        ("groupadd", "all"),
        ("readreceipts", "all"),
        ("calladd", "all"),
        ("messages", "all"),
        ("defense", "off"),
    ];
    NodeBuilder::new("privacy").children(settings.map(category)).build()
}

fn read_key(node: &Node) -> anyhow::Result<(u32, Octets)> {
    let value = child_content(node, "value");
    public_key(value)?;
    Ok((stanza::number(child_content(node, "id")), Octets::from(value)))
}

fn read_signed_key(node: &Node, identity: &[u8]) -> anyhow::Result<PublishedKey> {
    let (id, value) = read_key(node)?;
    let signature = child_content(node, "signature");
    anyhow::ensure!(
        public_key(identity)?.verify_signature(&public_key(&value)?.serialize(), signature),
        "the signed key is not signed by the device's identity"
    );
    Ok(PublishedKey { id, value, signature: Octets::from(signature) })
}

fn publish_keys(world: &mut World, phone: &str, device: u16, node: &Node) -> anyhow::Result<()> {
    let companion = world.companion(phone, device).ok_or_else(|| anyhow::anyhow!("not linked"))?;
    anyhow::ensure!(child_content(node, "identity") == &*companion.identity, "not the identity that was linked");
    let signed = node.get_optional_child("skey").ok_or_else(|| anyhow::anyhow!("no signed key"))?;
    let signed_prekey = read_signed_key(signed, &companion.identity)?;
    let list = node.get_optional_child("list").ok_or_else(|| anyhow::anyhow!("no one-time keys"))?;
    let fresh = list.get_children_by_tag("key").map(read_key).collect::<anyhow::Result<BTreeMap<_, _>>>()?;
    anyhow::ensure!(companion.prekeys.len() + fresh.len() <= MOST_PREKEYS, "too many one-time keys");
    companion.registration_id = stanza::number(child_content(node, "registration"));
    companion.signed_prekey = signed_prekey;
    companion.prekeys.extend(fresh);
    companion.asked_for_prekeys = false;
    Ok(())
}

fn rotate_signed_key(world: &mut World, phone: &str, device: u16, rotate: &Node) -> anyhow::Result<()> {
    let companion = world.companion(phone, device).ok_or_else(|| anyhow::anyhow!("not linked"))?;
    let signed = rotate.get_optional_child("skey").ok_or_else(|| anyhow::anyhow!("no signed key"))?;
    companion.signed_prekey = read_signed_key(signed, &companion.identity)?;
    Ok(())
}

/// What the server holds of a device's keys, and its hash, by which the device sees whether both agree.
fn digest(world: &mut World, phone: &str, device: u16) -> Option<Node> {
    let companion = world.companion(phone, device)?;
    if companion.prekeys.is_empty() {
        return None;
    }
    let keys: Vec<&[u8]> = companion.prekeys.values().map(|key| &**key).collect();
    let signed = &companion.signed_prekey;
    let hash = compute_key_bundle_digest(&companion.identity, &signed.value, &signed.signature, &keys);
    let ids = companion.prekeys.keys().map(|id| NodeBuilder::new("id").bytes(&id.to_be_bytes()[1..]).build());
    Some(
        NodeBuilder::new("digest")
            .children([
                NodeBuilder::new("registration").bytes(companion.registration_id.to_be_bytes()).build(),
                NodeBuilder::new("type").bytes(vec![5]).build(),
                NodeBuilder::new("identity").bytes(&*companion.identity).build(),
                key_node("skey", signed.id, &signed.value, Some(&*signed.signature)),
                NodeBuilder::new("list").children(ids).build(),
                NodeBuilder::new("hash").bytes(hash).build(),
            ])
            .build(),
    )
}

/// The keys by which a device may open sessions with others.
fn bundles(world: &mut World, request: &Node) -> Node {
    let users = request.get_children_by_tag("user").filter_map(|user| stanza::jid(user, "jid")).map(|jid| bundle(world, &jid));
    NodeBuilder::new("list").children(users.collect::<Vec<_>>()).build()
}

fn bundle(world: &mut World, jid: &Jid) -> Node {
    let keys = world.resolve(jid).and_then(|(phone, device)| {
        if device == 0 {
            return Some(world.accounts.get_mut(&phone)?.handset.key_nodes());
        }
        let taken = take_prekey(world, &phone, device);
        let companion = world.companion(&phone, device)?;
        let signed = &companion.signed_prekey;
        let mut nodes = vec![
            NodeBuilder::new("registration").bytes(companion.registration_id.to_be_bytes()).build(),
            NodeBuilder::new("type").bytes(vec![5]).build(),
            NodeBuilder::new("identity").bytes(&*companion.identity).build(),
            key_node("skey", signed.id, &signed.value, Some(&*signed.signature)),
            NodeBuilder::new("device-identity").bytes(&*companion.device_identity).build(),
        ];
        if let Some((id, value)) = taken {
            nodes.push(key_node("key", id, &value, None));
        }
        Some(nodes)
    });
    let user = NodeBuilder::new("user").attr("jid", jid);
    match keys {
        Some(keys) => user.attr("t", wacore::time::now_secs()).children(keys).build(),
        None => user.children([NodeBuilder::new("error").attr("code", 404).attr("text", "item-not-found").build()]).build(),
    }
}

/// Hands out a one-time key of a device, and asks the device for more when few are left.
pub(super) fn take_prekey(world: &mut World, phone: &str, device: u16) -> Option<(u32, Octets)> {
    let companion = world.companion(phone, device)?;
    let taken = companion.prekeys.pop_first();
    let left = companion.prekeys.len();
    if left <= FEW_PREKEYS
        && !companion.asked_for_prekeys
        && let Some(connection) = companion.connection
    {
        companion.asked_for_prekeys = true;
        let count = NodeBuilder::new("count").attr("value", left).build();
        world.send(connection, stanza::notification("encrypt", count));
    }
    taken
}

/// Looks users up: their devices, hidden identities, and whether a number has WhatsApp.
fn usync(world: &mut World, request: &Node) -> Node {
    let protocols: Vec<String> = request
        .get_optional_child("query")
        .and_then(Node::children)
        .unwrap_or_default()
        .iter()
        .map(|protocol| protocol.tag.to_string())
        .collect();
    let result = protocols.iter().map(|protocol| NodeBuilder::new_dynamic(protocol.clone()).build()).collect::<Vec<_>>();
    let asked = request.get_optional_child("list").map(|list| list.get_children_by_tag("user").collect::<Vec<_>>()).unwrap_or_default();
    let users = asked.into_iter().map(|user| usync_user(world, user, &protocols)).collect::<Vec<_>>();
    NodeBuilder::new("usync")
        .attr("sid", attr(request, "sid").as_ref())
        .attr("index", "0")
        .attr("last", "true")
        .attr("mode", attr(request, "mode").as_ref())
        .attr("context", attr(request, "context").as_ref())
        .children([NodeBuilder::new("result").children(result).build(), NodeBuilder::new("list").children(users).build()])
        .build()
}

fn usync_user(world: &mut World, user: &Node, protocols: &[String]) -> Node {
    let number = user.get_optional_child("contact").and_then(Node::content_as_string);
    let asked = stanza::jid(user, "jid");
    let phone = match (&asked, &number) {
        (Some(jid), _) => world.resolve(jid).map(|(phone, _)| phone),
        (None, Some(number)) => {
            let phone = number.trim_start_matches('+').to_owned();
            world.account(&phone).ok().map(|account| account.phone.clone())
        }
        (None, None) => None,
    };
    let account = phone.and_then(|phone| world.accounts.get(&phone));
    let by_lid = asked.as_ref().is_some_and(Jid::is_lid);
    // Whoever hides the number is not found by it.
    let account = account.filter(|account| by_lid || !account.hidden);
    let mut answer = NodeBuilder::new("user");
    if let Some(jid) = asked.map(|jid| jid.to_non_ad()).or_else(|| account.map(super::world::Account::pn_jid)) {
        answer = answer.attr("jid", jid);
    }
    if by_lid {
        answer = with(answer, "pn_jid", account.and_then(super::world::Account::shown_number));
    }
    let mut children = Vec::new();
    for protocol in protocols {
        match (protocol.as_str(), account) {
            ("contact", found) => {
                let contact = NodeBuilder::new("contact").attr("type", if found.is_some() { "in" } else { "out" });
                children.push(number.iter().fold(contact, |contact, number| contact.string_content(number.clone())).build());
            }
            ("devices", Some(account)) => children.push(devices(account)),
            // Who is asked for by a hidden identity has said it already.
            ("lid", Some(_)) if by_lid => {}
            ("status", Some(account)) if !account.profile.about.is_empty() => {
                children.push(NodeBuilder::new("status").string_content(account.profile.about.clone()).build());
            }
            ("picture", Some(account)) => {
                children
                    .extend(account.profile.picture.iter().map(|shown| NodeBuilder::new("picture").attr("id", shown.id.as_str()).build()));
            }
            ("lid", Some(account)) => children.push(NodeBuilder::new("lid").attr("val", account.lid_jid()).build()),
            (other, Some(_)) => tracing::debug!(protocol = other, "users of the sandbox have nothing of this kind"),
            (_, None) => {}
        }
    }
    answer.children(children).build()
}

fn devices(account: &super::world::Account) -> Node {
    let companions = account
        .companions
        .iter()
        .map(|(device, companion)| NodeBuilder::new("device").attr("id", *device).attr("key-index", companion.key_index).build());
    let list = std::iter::once(NodeBuilder::new("device").attr("id", 0).build()).chain(companions);
    let mut children = vec![NodeBuilder::new("device-list").children(list).build()];
    match signed_device_list(account) {
        Ok(signed) if !account.companions.is_empty() => {
            children.push(NodeBuilder::new("key-index-list").attr("ts", wacore::time::now_secs()).bytes(signed).build());
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the account cannot sign its list of devices"),
    }
    NodeBuilder::new("devices").children(children).build()
}
