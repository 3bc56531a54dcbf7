use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{CompanyId, SalonId};
use jiff::tz::TimeZone;
use store::companies::{self, MarketplaceUser, Registration};
use store::sessions::Lease;
use store::testing::{Fresh, postgres_database, set_full, sqlite};
use store::{Store, Vault, keys, sessions};
use tokio_util::sync::CancellationToken;
use wacore::appstate::hash::HashState;
use wacore::appstate::processor::AppStateMutationMAC;
use wacore::store::Device;
use wacore::store::traits::{
    AppStateSyncKey, AppSyncStore, DeviceInfo, DeviceListRecord, DeviceStore, LidPnMappingEntry, MsgSecretEntry, MsgSecretStore,
    PendingInboundKey, PendingInboundRow, ProtocolStore, SignalStore, TcTokenEntry,
};

use super::{Backend, key};
use crate::inbound::{Delivery, Inbound, Inbox};
use crate::repeats::Repeats;

const ALICE: &str = "100000000000001@lid";
const BOB: &str = "100000000000002:7@lid";

async fn salon(store: &Store, salon: i64) -> CompanyId {
    let registration = Registration {
        salon_id: SalonId(salon),
        title: "Салон".to_owned(),
        city: String::new(),
        address: String::new(),
        phone: None,
        email: None,
        timezone: TimeZone::UTC,
        currency: "₽".to_owned(),
        user: MarketplaceUser::default(),
        raw: None,
    };
    let mut tx = store.begin().await.expect("a transaction");
    let company = companies::upsert_registration(&mut tx, &registration, jiff::Timestamp::UNIX_EPOCH).await.expect("a company");
    tx.commit().await.expect("a commit");
    company
}

async fn backend(store: &Store, company: CompanyId, node: &str) -> Backend {
    let mut tx = store.begin().await.expect("a transaction");
    let lease = sessions::acquire(&mut tx, company, node, Duration::from_secs(15)).await.expect("an answer").expect("a free session");
    tx.commit().await.expect("a commit");
    device(store, lease)
}

fn device(store: &Store, lease: Lease) -> Backend {
    let repeats = Repeats::new(lease.company_id, Arc::new(Nobody));
    Backend::new(store.clone(), Vault::new([7; 32]), lease, CancellationToken::new(), repeats)
}

/// Has nothing and takes nothing.
struct Nobody;

#[async_trait]
impl Inbox for Nobody {
    async fn receive(&self, _: Vec<Inbound>) -> anyhow::Result<()> {
        anyhow::bail!("nobody is here")
    }

    async fn has(&self, _: CompanyId, _: &str) -> anyhow::Result<bool> {
        Ok(false)
    }

    async fn delivered(&self, _: CompanyId, _: &str, _: Delivery) {}
}

async fn what_was_put_is_there(database: Fresh) {
    let company = salon(&database.store, 1).await;
    let b = backend(&database.store, company, "node").await;

    // Signal.
    b.put_identities_batch(&[(Arc::from(ALICE), [1; 32]), (Arc::from(BOB), [2; 32])]).await.expect("identities");
    assert_eq!(b.load_identity(BOB).await.expect("an identity"), Some([2; 32]));
    b.delete_identity(BOB).await.expect("deleted");
    assert_eq!(b.load_identity(BOB).await.expect("none"), None);
    b.put_sessions_batch(&[(Arc::from(ALICE), Bytes::from_static(b"old"))]).await.expect("sessions");
    b.put_sessions_batch(&[(Arc::from(ALICE), Bytes::from_static(b"new")), (Arc::from(BOB), Bytes::from_static(b"bob"))])
        .await
        .expect("sessions");
    assert_eq!(b.get_session(ALICE).await.expect("a session").as_deref(), Some(&b"new"[..]));
    for (user, known) in [("100000000000001", true), ("100000000000002", true), ("10000000000000", false), ("100000000000003", false)] {
        assert_eq!(b.has_signal_state_for_user(user).await.expect("an answer"), known, "{user}");
    }
    let prekeys: Vec<_> = (1..=120).map(|id: u32| (id, Bytes::copy_from_slice(&id.to_be_bytes()))).collect();
    b.store_prekeys_batch(&prekeys, false).await.expect("prekeys");
    b.remove_prekey(9).await.expect("removed");
    b.mark_prekeys_uploaded(&[9, 10]).await.expect("marked");
    assert_eq!(b.load_prekey(9).await.expect("none"), None, "an upload brings no used key back");
    assert_eq!(b.get_max_prekey_id().await.expect("a number"), 120, "by number, not by letters");
    assert_eq!(b.load_prekeys_batch(&[9, 99, 120]).await.expect("two").into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [99, 120]);
    b.store_signed_prekey(1, b"signed").await.expect("a signed prekey");
    assert_eq!(b.load_all_signed_prekeys().await.expect("one"), [(1, b"signed".to_vec())]);

    // App state.
    assert_eq!(b.get_latest_sync_key_id().await.expect("none"), None);
    let sync_key = AppStateSyncKey { key_data: vec![5; 32], fingerprint: vec![1], timestamp: 4 };
    b.set_sync_key(b"\0\x01", sync_key).await.expect("a sync key");
    assert_eq!(b.get_latest_sync_key_id().await.expect("an id"), Some(b"\0\x01".to_vec()));
    assert_eq!(b.get_sync_key(b"\0\x01").await.expect("an answer").expect("a key").key_data, [5; 32]);
    assert_eq!(b.get_version("regular").await.expect("a default").version, 0);
    b.set_version("regular", HashState { version: 3, hash: [9; 128], ..HashState::default() }).await.expect("a version");
    let state = b.get_version("regular").await.expect("a version");
    assert_eq!((state.version, state.hash), (3, [9; 128]));
    let mac = |index: u8, value: u8| AppStateMutationMAC { index_mac: vec![index; 32], value_mac: vec![value] };
    b.put_mutation_macs("regular", 3, &[mac(1, 10), mac(2, 20)]).await.expect("macs");
    b.put_mutation_macs("regular_low", 3, &[mac(1, 30)]).await.expect("macs");
    assert_eq!(b.get_mutation_macs("regular", &[[1; 32], [3; 32]]).await.expect("one"), [([1; 32], vec![10])].into());
    b.clear_mutation_macs("regular").await.expect("cleared");
    assert_eq!(b.get_mutation_mac("regular", &[2; 32]).await.expect("none"), None);
    assert_eq!(b.get_mutation_mac("regular_low", &[1; 32]).await.expect("one"), Some(vec![30]), "a name that starts the same stays");

    // Groups.
    b.set_sender_key_status("g1@g.us", &[(ALICE, true), (BOB, false)]).await.expect("set");
    b.set_sender_key_status("g2@g.us", &[(ALICE, true)]).await.expect("set");
    b.delete_sender_key_device_rows(&[ALICE]).await.expect("deleted");
    assert_eq!(b.get_sender_key_devices("g1@g.us").await.expect("one"), [(BOB.to_owned(), false)]);
    assert_eq!(b.get_sender_key_devices("g2@g.us").await.expect("none"), []);

    // LIDs.
    let mapping = |lid: &str, phone: &str| LidPnMappingEntry {
        lid: lid.to_owned(),
        phone_number: phone.to_owned(),
        created_at: 1,
        updated_at: 1,
        learning_source: "usync".to_owned(),
    };
    b.put_lid_mappings(&[mapping("1", "79161234567"), mapping("2", "79161234568")]).await.expect("mappings");
    b.put_lid_mapping(&mapping("1", "79160000000")).await.expect("a new number");
    assert!(b.get_pn_mapping("79161234567").await.expect("none").is_none(), "the old number leads nowhere");
    assert_eq!(b.get_pn_mapping("79160000000").await.expect("one").expect("a mapping").lid, "1");
    assert_eq!(b.get_all_lid_mappings().await.expect("two").len(), 2);

    // Devices.
    let record = DeviceListRecord {
        user: "1".to_owned(),
        devices: vec![DeviceInfo::new(0, None), DeviceInfo::new(3, Some(1))],
        timestamp: 5,
        phash: None,
        raw_id: Some(6),
    };
    b.update_device_list(record).await.expect("devices");
    assert_eq!(b.get_devices("1").await.expect("an answer").expect("devices").devices.len(), 2);

    // Tokens: a stale one loses, and the two sides do not overwrite each other.
    b.touch_tc_token_sender_timestamp(ALICE, 50).await.expect("touched");
    b.store_received_tc_token(ALICE, b"token", 40).await.expect("the first real one");
    b.store_received_tc_token(ALICE, b"stale", 30).await.expect("ignored");
    b.touch_tc_token_sender_timestamp(ALICE, 10).await.expect("never back");
    let TcTokenEntry { token, token_timestamp, sender_timestamp } = b.get_tc_token(ALICE).await.expect("an answer").expect("a token");
    assert_eq!((token.as_slice(), token_timestamp, sender_timestamp), (&b"token"[..], 40, Some(50)));
    assert_eq!(b.delete_expired_tc_tokens(41, 50).await.expect("none"), 0, "the sender's half lives");
    assert_eq!(b.get_all_tc_token_jids().await.expect("one"), [ALICE]);
    assert_eq!(b.delete_expired_tc_tokens(41, 51).await.expect("one"), 1);

    // Messages.
    b.store_sent_message(ALICE, "M1", b"payload").await.expect("kept");
    assert_eq!(b.take_sent_message(ALICE, "M1").await.expect("an answer"), Some(b"payload".to_vec()));
    assert_eq!(b.take_sent_message(ALICE, "M1").await.expect("an answer"), None, "taken once");
    let row = |id, message| PendingInboundRow { chat: ALICE, sender: ALICE, id, message };
    b.store_pending_inbound_batch(&[row("M2", b"two"), row("M3", b"three")]).await.expect("buffered");
    b.delete_pending_inbound_batch(&[PendingInboundKey { chat: ALICE, sender: ALICE, id: "M2" }]).await.expect("committed");
    assert_eq!(b.get_pending_inbound(ALICE, ALICE, "M2").await.expect("none"), None);
    assert_eq!(b.get_pending_inbound(ALICE, ALICE, "M3").await.expect("one"), Some(b"three".to_vec()));
    assert_eq!(b.delete_expired_pending_inbound(0).await.expect("none"), 0);
    assert_eq!(b.delete_expired_pending_inbound(i64::MAX / 1000).await.expect("one"), 1);
    let secret = |expires_at, message_ts| MsgSecretEntry {
        chat: Arc::from(ALICE),
        sender: Arc::from(ALICE),
        msg_id: Arc::from("M4"),
        secret: [3; 32],
        expires_at,
        message_ts,
    };
    b.put_msg_secrets(vec![secret(10, 77), secret(5, 0)]).await.expect("secrets");
    let (kept, message_ts) = b.get_msg_secret_with_ts(ALICE, ALICE, "M4").await.expect("an answer").expect("a secret");
    assert_eq!((kept.as_slice(), message_ts), (&[3; 32][..], 77), "what is unknown overwrites nothing");

    // The device.
    assert!(!b.exists().await.expect("none yet"));
    b.create().await.expect("a device");
    let device = b.load().await.expect("an answer").expect("a device");
    assert_eq!(b.create().await.expect("the same"), 1);
    let same = b.load().await.expect("an answer").expect("a device");
    assert_eq!(device.noise_key.public_key.public_key_bytes(), same.noise_key.public_key.public_key_bytes());
    let renamed = Device { push_name: "Салон".to_owned(), ..device };
    b.save(&renamed).await.expect("saved");
    assert_eq!(b.load().await.expect("an answer").expect("a device").push_name, "Салон");
}

#[tokio::test]
async fn what_was_put_is_there_on_sqlite() {
    what_was_put_is_there(sqlite().await).await;
}

#[tokio::test]
async fn what_was_put_is_there_on_postgres() {
    what_was_put_is_there(postgres_database().await).await;
}

#[tokio::test]
async fn nothing_lies_open_in_the_file() {
    let database = sqlite().await;
    let company = salon(&database.store, 1).await;
    let b = backend(&database.store, company, "node").await;
    let secret = b"a secret that must not lie open";
    b.put_session(ALICE, secret).await.expect("put");
    b.store_prekeys_batch(&[(1, Bytes::from_static(secret))], false).await.expect("put");
    b.store_pending_inbound(ALICE, ALICE, "M1", secret).await.expect("put");
    b.store_sent_message(ALICE, "M2", secret).await.expect("put");
    b.create().await.expect("a device");
    let device = b.load().await.expect("an answer").expect("a device");
    let noise = device.noise_key.private_key.serialize();
    let mapping = LidPnMappingEntry {
        lid: "100000000000001".to_owned(),
        phone_number: "79161234567".to_owned(),
        created_at: 1,
        updated_at: 1,
        learning_source: "a source that must not lie open".to_owned(),
    };
    b.put_lid_mapping(&mapping).await.expect("put");
    database.store.close().await;

    let path = database.url.strip_prefix("sqlite://").expect("a file");
    let mut bytes = Vec::new();
    for suffix in ["", "-wal"] {
        bytes.extend(std::fs::read(format!("{path}{suffix}")).unwrap_or_default());
    }
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(ALICE.as_bytes()), "the addresses are looked up, so they are there: the search works");
    assert!(!holds(b"must not lie open"));
    assert!(!holds(noise.as_slice()), "the device's private key");
    assert!(!holds(serde_json::to_string(&noise.to_vec()).expect("json").trim_matches(['[', ']']).as_bytes()), "nor in decimal");
}

#[tokio::test]
async fn a_value_moved_to_another_salon_kind_or_key_does_not_open() {
    let database = sqlite().await;
    let (ours, theirs) = (salon(&database.store, 1).await, salon(&database.store, 2).await);
    let (a, b) = (backend(&database.store, ours, "node").await, backend(&database.store, theirs, "node").await);
    a.put_session(ALICE, b"session").await.expect("put");
    assert_eq!(b.get_session(ALICE).await.expect("none"), None, "another salon sees nothing");

    let mut tx = database.store.begin().await.expect("a transaction");
    let stolen = keys::get(&mut tx, ours, "session", ALICE).await.expect("an answer").expect("a row");
    let entry = |kind: &str, key: &str| keys::Entry { kind: kind.to_owned(), key: key.to_owned(), value: stolen.clone() };
    keys::put_many(&mut tx, theirs, &[entry("session", ALICE)]).await.expect("put");
    keys::put_many(&mut tx, ours, &[entry("session", BOB), entry("sender_key", ALICE)]).await.expect("put");
    tx.commit().await.expect("a commit");

    assert_eq!(a.get_session(ALICE).await.expect("in its place").as_deref(), Some(&b"session"[..]));
    assert!(b.get_session(ALICE).await.is_err(), "another salon");
    assert!(a.get_session(BOB).await.is_err(), "another key");
    assert!(a.get_sender_key(ALICE).await.is_err(), "another kind");
}

#[tokio::test]
async fn who_lost_the_lease_writes_nothing() {
    let database = sqlite().await;
    let company = salon(&database.store, 1).await;
    let old = backend(&database.store, company, "node").await;
    old.put_session(ALICE, b"old").await.expect("ours");
    let new = backend(&database.store, company, "node").await;
    // Each a device of its own: one refusal is enough for any of them to write no more.
    let old = || device(&database.store, old.lease.clone());
    old().put_session(ALICE, b"late").await.expect_err("taken over");
    old().delete_session(ALICE).await.expect_err("taken over");
    old().take_sent_message(ALICE, "M1").await.expect_err("taken over");
    assert_eq!(new.get_session(ALICE).await.expect("an answer").as_deref(), Some(&b"old"[..]));
    new.put_session(ALICE, b"new").await.expect("ours now");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_two_writes_at_once_stays() {
    let database = postgres_database().await;
    let company = salon(&database.store, 1).await;
    let one = backend(&database.store, company, "node").await;
    for round in 0..100 {
        let (first, second) = tokio::join!(one.put_session(ALICE, b"before"), one.put_session(ALICE, b"after"));
        first.and(second).expect("written");
        let stays = one.get_session(ALICE).await.expect("an answer");
        assert_eq!(stays.as_deref(), Some(&b"after"[..]), "round {round}");
    }
}

#[tokio::test]
async fn after_a_write_that_failed_nothing_more_is_written() {
    let database = sqlite().await;
    let company = salon(&database.store, 1).await;
    let one = backend(&database.store, company, "node").await;
    one.put_session(ALICE, b"stored").await.expect("a write");
    assert_eq!(one.take_sent_message(ALICE, "M1").await.expect("an answer"), None);
    assert!(!one.broken.is_cancelled(), "nothing to write is no failure");
    set_full(&database.store, true).await;
    one.store_pending_inbound(ALICE, ALICE, "M2", &[7; 100_000]).await.expect_err("the database is full");
    assert!(one.broken.is_cancelled(), "the session hears of it");
    set_full(&database.store, false).await;
    // The keys with which the message was read must not get ahead of the message.
    one.put_session(ALICE, b"ahead").await.expect_err("not any more");
    let anew = device(&database.store, one.lease.clone());
    assert_eq!(anew.get_session(ALICE).await.expect("an answer").as_deref(), Some(&b"stored"[..]));
    anew.store_pending_inbound(ALICE, ALICE, "M2", &[7; 100_000]).await.expect("room again");
}

#[test]
fn keys_of_strangers_making_are_harmless() {
    let check = |parts: &[&str], expected: Option<&str>| {
        let key = key(parts);
        match expected {
            Some(expected) => assert_eq!(key, expected),
            None => assert!(key.contains('#') && key.len() < 400 && key.is_ascii(), "{key}"),
        }
    };
    check(&[BOB], Some(BOB));
    check(&[ALICE, "3EB0-A_1.2=+"], Some("100000000000001@lid/3EB0-A_1.2=+"));
    check(&["a/b", "c"], None);
    check(&["a", "b\0c"], None);
    check(&["a", "#b"], None);
    check(&["a", &"b".repeat(5_000)], None);
    check(&["a", ""], None);
    assert_ne!(key(&["a/b", "c"]), key(&["a", "b/c"]));
    assert_ne!(key(&["a", ""]), key(&["a"]));
}
