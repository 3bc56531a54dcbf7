//! What an account shows of itself beside its name: a line about it, and a picture.

use serde::{Deserialize, Serialize};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use super::Emulator;
use super::media::direct_path;
use super::stanza::{self, attr, content, with};
use super::world::World;

/// Longer lines are cut by no phone, but by this server.
const LONGEST_ABOUT: usize = 4096;
const LARGEST_PICTURE: usize = 1024 * 1024;

/// In this world everybody is in everybody's address book and sees it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) about: String,
    pub(super) picture: Option<Picture>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Picture {
    /// Another one at each change.
    pub(super) id: String,
    /// Its place at the media host.
    path: String,
}

impl Emulator {
    /// A device writes the line about its account.
    pub(super) fn set_about(&self, world: &mut World, id: &str, phone: &str, device: u16, text: &Node) -> Node {
        let about = String::from_utf8_lossy(content(text)).into_owned();
        let Some(account) = world.accounts.get_mut(phone).filter(|_| about.len() <= LONGEST_ABOUT) else {
            return stanza::error(id, 406, "not-acceptable");
        };
        account.profile.about.clone_from(&about);
        self.tell_everybody(world, phone, device, "status", NodeBuilder::new("set").string_content(about).build());
        stanza::result(id, Vec::new())
    }

    /// A device changes the picture of its account, or without one takes it away.
    pub(super) fn set_picture(&self, world: &mut World, id: &str, phone: &str, device: u16, picture: Option<&Node>) -> Node {
        let bytes = picture.map(content).unwrap_or_default();
        if bytes.len() > LARGEST_PICTURE {
            return stanza::error(id, 406, "not-acceptable");
        }
        let new =
            (!bytes.is_empty()).then(|| Picture { id: rand::random::<u32>().to_string(), path: direct_path(&world.files.put(bytes)) });
        let Some(account) = world.accounts.get_mut(phone) else { return stanza::error(id, 404, "item-not-found") };
        let jid = account.pn_jid();
        account.profile.picture.clone_from(&new);
        let (change, answer) = match new {
            Some(picture) => (
                NodeBuilder::new("set").attr("jid", jid.clone()).attr("author", jid).attr("id", picture.id.as_str()).build(),
                vec![NodeBuilder::new("picture").attr("id", picture.id).build()],
            ),
            None => (NodeBuilder::new("delete").attr("jid", jid).build(), Vec::new()),
        };
        self.tell_everybody(world, phone, device, "picture", change);
        stanza::result(id, answer)
    }

    /// Where the picture of an account is; nothing of it where the device has that one already.
    pub(super) fn picture(&self, world: &mut World, id: &str, whose: Option<&Jid>, asked: &Node) -> Node {
        let phone = whose.and_then(|jid| world.resolve(jid)).map(|(phone, _)| phone);
        let picture = phone.and_then(|phone| world.accounts.get(&phone)?.profile.picture.clone());
        let Some(Picture { id: current, path }) = picture else { return stanza::error(id, 404, "item-not-found") };
        let answer = NodeBuilder::new("picture");
        let answer = match attr(asked, "id") == current.as_str() {
            true => answer.build(),
            false => answer
                .attr("id", current)
                .attr("type", attr(asked, "type").as_ref())
                .attr("url", format!("https://{}{path}", self.options.media_host))
                .attr("direct_path", path)
                .build(),
        };
        stanza::result(id, vec![answer])
    }

    fn tell_everybody(&self, world: &mut World, phone: &str, by: u16, kind: &'static str, change: Node) {
        let Some(account) = world.accounts.get(phone) else { return };
        let from = account.shown_number().unwrap_or_else(|| account.lid_jid());
        let news = with(NodeBuilder::new("notification"), "notify", Some(account.name.as_str()).filter(|name| !name.is_empty()))
            .attr("from", from)
            .attr("type", kind)
            .attr("t", self.calendar_secs())
            .children([change])
            .build();
        let devices = world.accounts.values().flat_map(|other| other.companions.keys().map(|device| (other.phone.clone(), *device)));
        let others: Vec<(String, u16)> = devices.filter(|(other, device)| other != phone || *device != by).collect();
        for (other, device) in others {
            self.notify(world, phone, &other, device, news.clone());
        }
    }
}
