use serde_json::json;
use store::{
    keys::{self, Entry},
    machine_now, notifications, planned,
    sync_logs::{self, SyncState},
    tokens,
    webhooks::{self, NewWebhook},
};

use crate::{at, company, noon};

fn entry(kind: &str, key: &str, value: &[u8]) -> Entry {
    Entry { kind: kind.to_owned(), key: key.to_owned(), value: value.to_vec() }
}

on_both! {
    async fn keys_hold_bytes(fresh) {
        let id = company(&fresh.store, 1).await;
        let every_byte: Vec<u8> = (0..=255).collect();
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let entries = [entry("session", "a%.1", &every_byte), entry("session", "a%.2", b""), entry("session", "ab", b"x"), entry("prekey", "1", b"y")];
        keys::put_many(&mut tx, id, &entries).await.expect("a write");
        keys::put_many(&mut tx, id, &[entry("session", "ab", b"z")]).await.expect("a write");
        assert_eq!(keys::get(&mut tx, id, "session", "a%.1").await.expect("a look"), Some(every_byte.clone()));
        assert_eq!(keys::get(&mut tx, id, "session", "ab").await.expect("a look").as_deref(), Some(&b"z"[..]));
        assert_eq!(keys::get(&mut tx, id, "prekey", "ab").await.expect("a look"), None);
        let asked = ["ab".to_owned(), "none".to_owned(), "a%.2".to_owned()];
        let many = keys::get_many(&mut tx, id, "session", &asked).await.expect("a look");
        assert_eq!(many, [("ab".to_owned(), b"z".to_vec()), ("a%.2".to_owned(), Vec::new())]);
        let listed = keys::list(&mut tx, id, "session", "a%").await.expect("a list");
        assert_eq!(listed, [("a%.1".to_owned(), every_byte), ("a%.2".to_owned(), Vec::new())], "a prefix is no pattern");
        assert_eq!(keys::list(&mut tx, id, "session", "").await.expect("a list").len(), 3);
        assert_eq!(keys::take(&mut tx, id, "prekey", "1").await.expect("a look").as_deref(), Some(&b"y"[..]));
        assert_eq!(keys::take(&mut tx, id, "prekey", "1").await.expect("a look"), None, "taken once");
        assert_eq!(keys::delete(&mut tx, id, "session", &asked).await.expect("a write"), 2);
        let later = machine_now().as_millisecond() + 1000;
        assert_eq!(keys::delete_older(&mut tx, id, "session", 0).await.expect("a write"), 0);
        assert_eq!(keys::delete_older(&mut tx, id, "session", later).await.expect("a write"), 1);
        keys::put_many(&mut tx, id, &entries).await.expect("a write");
        assert_eq!(keys::erase(&mut tx, id).await.expect("a write"), 4);
    }

    async fn of_many_who_take_a_key_one_gets_it(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        keys::put_many(&mut tx, id, &[entry("prekey", "1", b"y")]).await.expect("a write");
        tx.commit().await.expect("a commit");
        let race = (0..8).map(|_| {
            let store = fresh.store.clone();
            tokio::spawn(async move {
                let mut tx = store.begin().await.expect("a transaction");
                let taken = keys::take(&mut tx, id, "prekey", "1").await.expect("a look");
                tx.commit().await.expect("a commit");
                taken
            })
        });
        let taken = futures::future::join_all(race).await.into_iter().filter(|task| task.as_ref().expect("no panic").is_some()).count();
        assert_eq!(taken, 1);
    }

    async fn a_webhook_is_stored_once_in_ten_minutes(fresh) {
        let id = company(&fresh.store, 1).await;
        let webhook = |dedupe, body| NewWebhook { company_id: Some(id), kind: "record", dedupe, body };
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let first = webhooks::store(&mut tx, &webhook("1:record:501:update:t1", "{\"a\":1}")).await.expect("an answer").expect("new");
        assert_eq!(webhooks::store(&mut tx, &webhook("1:record:501:update:t1", "{}")).await.expect("an answer"), None);
        assert!(webhooks::store(&mut tx, &webhook("1:record:501:update:t2", "{}")).await.expect("an answer").is_some());
        let stored = webhooks::get(&mut tx, Some(id), first).await.expect("a look").expect("the webhook");
        assert_eq!(stored.body.as_str(), "{\"a\":1}");
        assert_eq!(webhooks::prune(&mut tx, std::time::Duration::ZERO).await.expect("a write"), 0, "not while it may come again");
    }

    async fn the_same_webhook_from_many_sides_at_once(fresh) {
        let race = (0..16).map(|_| {
            let store = fresh.store.clone();
            tokio::spawn(async move {
                let mut tx = store.begin().await.expect("a transaction");
                let new = NewWebhook { company_id: None, kind: "payment", dedupe: "the same", body: "{}" };
                let stored = webhooks::store(&mut tx, &new).await.expect("an answer");
                tx.commit().await.expect("a commit");
                stored
            })
        });
        let stored = futures::future::join_all(race).await.into_iter().filter(|task| task.as_ref().expect("no panic").is_some()).count();
        assert_eq!(stored, 1);
    }

    async fn a_customer_is_told_once(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert!(notifications::enter(&mut tx, id, "moved", "501:2", noon()).await.expect("an answer"));
        assert!(!notifications::enter(&mut tx, id, "moved", "501:2", noon()).await.expect("an answer"));
        assert!(notifications::enter(&mut tx, id, "moved", "501:3", noon()).await.expect("an answer"));
        assert!(notifications::enter(&mut tx, id, "cancelled", "501:2", noon()).await.expect("an answer"));
    }

    async fn planned_work_comes_due_in_order(fresh) {
        let (one, two) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let hour = |hour| at(&format!("2026-11-23T{hour:02}:00:00Z"));
        let mut tx = fresh.store.begin().await.expect("a transaction");
        for (salon, key, due) in [(one, "c", 15), (one, "a", 13), (two, "b", 14), (one, "later", 20), (one, "gone", 12)] {
            planned::plan(&mut tx, salon, "reminder", key, hour(due), &json!({"key": key})).await.expect("a write");
        }
        planned::plan(&mut tx, one, "reminder", "c", hour(12), &json!({"key": "c, anew"})).await.expect("a write");
        assert!(planned::cancel(&mut tx, one, "reminder", "gone").await.expect("a write"));
        assert!(!planned::cancel(&mut tx, one, "reminder", "gone").await.expect("a write"));
        assert_eq!(planned::next_due(&mut tx).await.expect("a look"), Some(hour(12)));
        assert_eq!(planned::take_due(&mut tx, hour(11), 10).await.expect("a list"), []);
        let due = planned::take_due(&mut tx, hour(14), 2).await.expect("a list");
        assert_eq!(due.iter().map(|p| p.payload.clone()).collect::<Vec<_>>(), [json!({"key": "c, anew"}), json!({"key": "a"})]);
        let rest = planned::take_due(&mut tx, hour(14), 10).await.expect("a list");
        assert_eq!(rest.iter().map(|p| (p.company_id, p.key.as_str(), p.due_at)).collect::<Vec<_>>(), [(two, "b", hour(14))]);
        assert_eq!(planned::cancel_company(&mut tx, one).await.expect("a write"), 1);
        assert_eq!(planned::next_due(&mut tx).await.expect("a look"), None);
    }

    async fn a_sync_s_log(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let old = sync_logs::start(&mut tx, id, "clients", noon()).await.expect("an entry");
        sync_logs::finish(&mut tx, id, old, Some("429"), noon()).await.expect("a write");
        let services = sync_logs::start(&mut tx, id, "services", noon()).await.expect("an entry");
        sync_logs::progress(&mut tx, id, services, 3, 8).await.expect("a write");
        let clients = sync_logs::start(&mut tx, id, "clients", noon()).await.expect("an entry");
        sync_logs::finish(&mut tx, id, clients, None, noon()).await.expect("a write");
        let logs = sync_logs::latest(&mut tx, id).await.expect("a list");
        let seen: Vec<_> = logs.iter().map(|log| (log.id, log.module.as_str(), log.state, log.done, log.total)).collect();
        assert_eq!(seen, [(clients, "clients", SyncState::Done, 0, 0), (services, "services", SyncState::Running, 3, 8)]);
    }

    async fn tokens_are_taken_back(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        tokens::issue(&mut tx, id, "jti-1", noon(), at("2026-11-23T10:00:00Z")).await.expect("a write");
        assert!(!tokens::get(&mut tx, id, "jti-1").await.expect("a look").expect("the token").revoked);
        assert_eq!(tokens::revoke_all(&mut tx, id).await.expect("a write"), 1);
        assert!(tokens::get(&mut tx, id, "jti-1").await.expect("a look").expect("the token").revoked);
        assert!(tokens::issue(&mut tx, id, "jti-1", noon(), noon()).await.is_err(), "an id is used once");
    }
}
