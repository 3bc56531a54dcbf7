use std::time::Duration;

use domain::{LinkState, Phone};
use store::{StoreError, sessions};

use crate::company;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(40);

on_both! {
    async fn one_owner_at_a_time(fresh) {
        let salon = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let first = sessions::acquire(&mut tx, salon, "a", LONG).await.expect("an answer").expect("it is free");
        assert_eq!(sessions::acquire(&mut tx, salon, "b", LONG).await.expect("an answer"), None);
        sessions::check(&mut tx, &first).await.expect("still ours");
        sessions::release(&mut tx, &first).await.expect("a release");
        assert!(matches!(sessions::check(&mut tx, &first).await, Err(StoreError::Fenced)));
        let second = sessions::acquire(&mut tx, salon, "b", LONG).await.expect("an answer").expect("it is free again");
        assert_eq!((first.epoch, second.epoch), (1, 2));
    }

    async fn who_slept_through_the_lease_writes_nothing(fresh) {
        let salon = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let old = sessions::acquire(&mut tx, salon, "a", SHORT).await.expect("an answer").expect("it is free");
        tx.commit().await.expect("a commit");
        tokio::time::sleep(SHORT * 3).await;

        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(sessions::unowned(&mut tx, 10).await.expect("a list"), [salon]);
        let new = sessions::acquire(&mut tx, salon, "b", LONG).await.expect("an answer").expect("the lease ran out");
        tx.commit().await.expect("a commit");

        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert!(matches!(sessions::check(&mut tx, &old).await, Err(StoreError::Fenced)));
        assert!(matches!(sessions::set_state(&mut tx, &old, &LinkState::Connecting).await, Err(StoreError::Fenced)));
        assert_eq!(sessions::renew(&mut tx, "a", LONG).await.expect("an answer"), []);
        assert_eq!(sessions::renew(&mut tx, "b", LONG).await.expect("an answer"), std::slice::from_ref(&new));
        sessions::release(&mut tx, &old).await.expect("without effect");
        sessions::check(&mut tx, &new).await.expect("the new one holds");
        assert_eq!(sessions::unowned(&mut tx, 10).await.expect("a list"), []);
    }

    async fn taking_it_anew_fences_the_former_life_off(fresh) {
        let salon = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let old = sessions::acquire(&mut tx, salon, "a", LONG).await.expect("an answer").expect("it is free");
        let new = sessions::acquire(&mut tx, salon, "a", LONG).await.expect("an answer").expect("it is ours");
        assert!(matches!(sessions::check(&mut tx, &old).await, Err(StoreError::Fenced)));
        sessions::check(&mut tx, &new).await.expect("the new one holds");
    }

    async fn of_many_who_race_one_gets_it(fresh) {
        let salon = company(&fresh.store, 1).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        let race = (0..8).map(|n| {
            let store = fresh.store.clone();
            async move {
                let mut tx = store.begin().await.expect("a transaction");
                let lease = sessions::acquire(&mut tx, salon, &format!("node-{n}"), LONG).await.expect("an answer");
                tx.commit().await.expect("a commit");
                lease
            }
        });
        let got: Vec<_> = futures::future::join_all(race).await.into_iter().flatten().collect();
        assert_eq!(got.len(), 1, "{got:?}");
    }

    async fn a_check_holds_until_the_end_of_its_transaction(fresh) {
        let salon = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let old = sessions::acquire(&mut tx, salon, "a", Duration::ZERO).await.expect("an answer").expect("it is free");
        tx.commit().await.expect("a commit");
        tokio::time::sleep(Duration::from_millis(5)).await;

        // The lease has run out, but nobody has taken it: the write may go on, and a takeover waits for it.
        let mut writer = fresh.store.begin().await.expect("a transaction");
        sessions::check(&mut writer, &old).await.expect("still the last one");
        let store = fresh.store.clone();
        let takeover = tokio::spawn(async move {
            let mut tx = store.begin().await.expect("a transaction");
            let lease = sessions::acquire(&mut tx, salon, "b", LONG).await.expect("an answer");
            tx.commit().await.expect("a commit");
            lease
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!takeover.is_finished(), "a takeover waits for writes that were checked");
        writer.commit().await.expect("a commit");
        assert!(takeover.await.expect("no panic").is_some());
    }

    async fn the_state_survives(fresh) {
        let salon = company(&fresh.store, 1).await;
        let phone = Phone::parse("79161234567").expect("a phone");
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let lease = sessions::acquire(&mut tx, salon, "a", LONG).await.expect("an answer").expect("it is free");
        let connected = LinkState::Connected { phone: phone.clone(), name: "Лира".to_owned() };
        sessions::set_state(&mut tx, &lease, &connected).await.expect("a write");
        sessions::set_state(&mut tx, &lease, &LinkState::Connecting).await.expect("a write");
        sessions::want(&mut tx, salon, false).await.expect("a write");
        let known = sessions::get(&mut tx, salon).await.expect("a look").expect("the session");
        assert_eq!((known.phone, known.state, known.wanted), (Some(phone), Some(LinkState::Connecting), false));
        sessions::release(&mut tx, &lease).await.expect("a release");
        assert_eq!(sessions::unowned(&mut tx, 10).await.expect("a list"), [], "nobody wants it");
    }

    async fn only_who_holds_it_now_may_act_outside(fresh) {
        let salon = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let old = sessions::acquire(&mut tx, salon, "a", SHORT).await.expect("an answer").expect("it is free");
        sessions::holds(&mut tx, &old).await.expect("just taken");
        tx.commit().await.expect("a commit");
        tokio::time::sleep(SHORT * 3).await;
        // Nobody has taken it, but anybody may do so at any moment.
        let held = sessions::holds(&mut fresh.store.read().await.expect("a transaction"), &old).await;
        assert!(matches!(held, Err(StoreError::Fenced)), "{held:?}");
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let new = sessions::acquire(&mut tx, salon, "b", LONG).await.expect("an answer").expect("the lease ran out");
        sessions::holds(&mut tx, &new).await.expect("just taken");
        assert!(matches!(sessions::holds(&mut tx, &old).await, Err(StoreError::Fenced)));
        let again = sessions::acquire(&mut tx, salon, "b", LONG).await.expect("an answer").expect("ours");
        assert!(matches!(sessions::holds(&mut tx, &new).await, Err(StoreError::Fenced)), "a former life of the same node");
        sessions::holds(&mut tx, &again).await.expect("the last one");
    }

    async fn a_link_stands_as_its_living_owner_says(fresh) {
        let salon = company(&fresh.store, 1).await;
        let connected = LinkState::Connected { phone: Phone::parse("79161234567").expect("a phone"), name: "Лира".to_owned() };
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(sessions::link(&mut tx, salon).await.expect("a look"), LinkState::Disconnected, "never linked");
        let lease = sessions::acquire(&mut tx, salon, "a", SHORT).await.expect("an answer").expect("it is free");
        sessions::set_state(&mut tx, &lease, &connected).await.expect("a write");
        assert_eq!(sessions::link(&mut tx, salon).await.expect("a look"), connected);
        let since = tx.now().await.expect("the time") - Duration::from_secs(5);
        let seen = sessions::of_others(&mut tx, "b", since).await.expect("a list");
        assert_eq!(seen.iter().map(|s| (s.company_id, s.epoch, s.state.clone())).collect::<Vec<_>>(), [(salon, 1, Some(connected))]);
        assert_eq!(sessions::of_others(&mut tx, "a", since).await.expect("a list"), []);
        assert_eq!(sessions::of_others(&mut tx, "b", since + LONG).await.expect("a list"), [], "nothing new");
        tx.commit().await.expect("a commit");
        tokio::time::sleep(SHORT * 3).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(sessions::link(&mut tx, salon).await.expect("a look"), LinkState::Disconnected, "its owner is gone");
    }
}
