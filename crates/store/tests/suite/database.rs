use store::{CompanyEvent, Store, StoreError, companies};

use crate::{company, noon, registration};

on_both! {
    async fn what_is_not_committed_never_was(fresh) {
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let id = companies::upsert_registration(&mut tx, &registration(1), noon()).await.expect("a company");
        drop(tx);
        let mut tx = fresh.store.read().await.expect("a transaction");
        assert!(companies::get(&mut tx, id).await.expect("a look").is_none());
    }

    async fn a_reader_cannot_write(fresh) {
        let mut tx = fresh.store.read().await.expect("a transaction");
        let refused = companies::upsert_registration(&mut tx, &registration(1), noon()).await;
        assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
    }

    async fn a_reader_does_not_wait_for_a_writer(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut writer = fresh.store.begin().await.expect("a transaction");
        companies::set_last_payment(&mut writer, id, noon()).await.expect("a write");
        let mut reader = fresh.store.read().await.expect("a transaction");
        let seen = companies::get(&mut reader, id).await.expect("a look").expect("the company");
        assert_eq!(seen.last_payment_date, None, "uncommitted writes are not seen");
        writer.commit().await.expect("a commit");
    }

    async fn an_opened_database_opens_again_with_what_it_holds(fresh) {
        let id = company(&fresh.store, 1).await;
        fresh.store.close().await;
        let again = Store::open(&fresh.url).await.expect("a second opening");
        let mut tx = again.read().await.expect("a transaction");
        assert!(companies::get(&mut tx, id).await.expect("a look").is_some());
    }

    async fn nodes_that_start_together_migrate_once(fresh) {
        let opened = futures::future::join_all((0..4).map(|_| Store::open(&fresh.url))).await;
        for store in opened {
            store.expect("an opening").ping().await.expect("an answer");
        }
    }

    async fn events_go_out_after_the_commit_only(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut pages = fresh.store.bus().subscribe();
        let event = |kind: &str| CompanyEvent { company_id: id, kind: kind.to_owned(), payload: serde_json::json!({"done": 1}) };
        let mut dropped = fresh.store.begin().await.expect("a transaction");
        dropped.publish(event("never"));
        drop(dropped);
        let mut tx = fresh.store.begin().await.expect("a transaction");
        tx.publish(event("sync-progress"));
        assert!(pages.try_recv().is_err(), "not before the commit");
        tx.commit().await.expect("a commit");
        assert_eq!(pages.try_recv().expect("the event"), event("sync-progress"));
        assert!(pages.try_recv().is_err(), "and nothing else");
    }
}

#[tokio::test]
async fn other_addresses_are_refused() {
    for url in ["", "mysql://localhost/x", "sqlite::memory:", "sqlite://?mode=memory", "test.db"] {
        let opened = Store::open(url).await;
        assert!(matches!(opened, Err(StoreError::Address)), "{url}");
    }
}
