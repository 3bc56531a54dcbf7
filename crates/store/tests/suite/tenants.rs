//! One salon tries everything on another's rows.

use domain::{Client, ClientId, RecordId};
use jiff::civil::date;
use serde_json::json;
use store::{
    StoreError,
    bookings::{self, Beside},
    catalogue, clients, conversations,
    conversations::Counts,
    events,
    jobs::{self, NewJob},
    keys, messages,
    messages::{Said, Status},
    notifications, planned, sync_logs, tokens, turns,
    webhooks::{self, NewWebhook},
};

use crate::{
    chats::{inbound, receive},
    company, noon,
    salons::{booking, day, master, phone, read, service},
};

on_both! {
    async fn nothing_of_another_salon(fresh) {
        let (mine, theirs) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let monday = date(2026, 11, 23);
        let mut row = inbound("1@lid", "A1", "привет");
        row.phone = Some(phone());
        let message = receive(&fresh.store, mine, &row).await.expect("new");
        let chat = message.conversation;

        let mut tx = fresh.store.begin().await.expect("a transaction");
        catalogue::replace_services(&mut tx, mine, &[service(1, "Маникюр")]).await.expect("a write");
        catalogue::replace_staff(&mut tx, mine, &[master(11, "Анна", None)]).await.expect("a write");
        catalogue::replace_schedule(&mut tx, mine, monday, monday, &[day(11, monday, &[(10, 20)])]).await.expect("a write");
        let card = Client { id: ClientId(1), name: "Мария".to_owned(), phone: Some(phone()), visits: 1 };
        clients::upsert(&mut tx, mine, std::slice::from_ref(&card)).await.expect("a write");
        bookings::upsert(&mut tx, mine, &read(&booking(501), 1), &Beside::default()).await.expect("a write");
        let turn = turns::open(&mut tx, mine, chat, 1, 1, noon()).await.expect("a turn");
        messages::queue_outbound(&mut tx, mine, chat, "OUT1", Said::Text("ответ"), Some(turn.id), noon()).await.expect("queued");
        let entry = keys::Entry { kind: "session".to_owned(), key: "k".to_owned(), value: b"v".to_vec() };
        keys::put_many(&mut tx, mine, &[entry]).await.expect("a write");
        planned::plan(&mut tx, mine, "reminder", "501", noon(), &json!({})).await.expect("a write");
        notifications::enter(&mut tx, mine, "moved", "501:2", noon()).await.expect("a write");
        tokens::issue(&mut tx, mine, "jti", noon(), noon()).await.expect("a write");
        let log = sync_logs::start(&mut tx, mine, "staff", noon()).await.expect("an entry");
        let hook = NewWebhook { company_id: Some(mine), kind: "record", dedupe: "1", body: "{}" };
        let hook = webhooks::store(&mut tx, &hook).await.expect("an answer").expect("new");
        jobs::enqueue(&mut tx, NewJob::new("sync", ()).company(mine).lane("chat:1")).await.expect("a job");
        events::append(&mut tx, mine, domain::SalonId(1), domain::IntegrationEvent::Frozen, &(), noon()).await.expect("a write");

        // Looking.
        let salon = catalogue::load(&mut tx, theirs, monday).await.expect("their salon");
        assert!(salon.services.is_empty() && salon.staff.is_empty() && salon.schedule.is_empty());
        assert_eq!(clients::by_phone(&mut tx, theirs, &phone()).await.expect("a look"), None);
        assert_eq!(clients::get(&mut tx, theirs, ClientId(1)).await.expect("a look"), None);
        assert_eq!(bookings::get(&mut tx, theirs, RecordId(501)).await.expect("a look"), None);
        assert_eq!(bookings::upcoming(&mut tx, theirs, &phone(), monday.at(0, 0, 0, 0)).await.expect("a list"), []);
        assert_eq!(bookings::between(&mut tx, theirs, monday.at(0, 0, 0, 0), date(2027, 1, 1).at(0, 0, 0, 0)).await.expect("a list"), []);
        assert_eq!(conversations::load(&mut tx, theirs, chat).await.expect("a look"), None);
        assert_eq!(conversations::by_phone(&mut tx, theirs, &phone()).await.expect("a look"), None);
        assert_eq!(conversations::by_chat(&mut tx, theirs, &row.chat).await.expect("a look"), None);
        assert_eq!(conversations::latest(&mut tx, theirs, 10).await.expect("a list"), []);
        assert_eq!(conversations::counts(&mut tx, theirs, chat).await.expect("counts"), Counts::default());
        assert_eq!(messages::get(&mut tx, theirs, message.id).await.expect("a look"), None);
        assert_eq!(messages::unanswered(&mut tx, theirs, chat).await.expect("a list"), []);
        assert_eq!(messages::queued(&mut tx, theirs, chat).await.expect("a list"), []);
        assert_eq!(messages::latest(&mut tx, theirs, chat, 10).await.expect("a list"), []);
        assert_eq!(messages::heard(&mut tx, theirs, chat, 0, 9).await.expect("a list"), []);
        assert_eq!(turns::unfinished(&mut tx, theirs, chat).await.expect("a look"), None);
        assert_eq!(keys::get(&mut tx, theirs, "session", "k").await.expect("a look"), None);
        assert_eq!(keys::list(&mut tx, theirs, "session", "").await.expect("a list"), []);
        assert_eq!(tokens::get(&mut tx, theirs, "jti").await.expect("a look"), None);
        assert_eq!(sync_logs::latest(&mut tx, theirs).await.expect("a list"), []);
        assert_eq!(webhooks::get(&mut tx, Some(theirs), hook).await.expect("a look"), None);
        assert_eq!(webhooks::get(&mut tx, None, hook).await.expect("a look"), None);
        assert_eq!(events::latest(&mut tx, theirs, 10).await.expect("a list"), []);
        assert_eq!(jobs::pending(&mut tx, theirs, None).await.expect("a count"), 0);
        assert_eq!(jobs::pending(&mut tx, theirs, Some("chat:1")).await.expect("a count"), 0);

        // Touching.
        assert!(matches!(conversations::save_state(&mut tx, theirs, chat, 0, &json!({})).await, Err(StoreError::Stale)));
        assert!(matches!(conversations::set_pause(&mut tx, theirs, chat, Some(noon())).await, Err(StoreError::NotFound(_))));
        assert!(matches!(conversations::set_client(&mut tx, theirs, chat, ClientId(9)).await, Err(StoreError::NotFound(_))));
        assert!(matches!(messages::queue_outbound(&mut tx, theirs, chat, "X", Said::Text("чужое"), None, noon()).await, Err(StoreError::NotFound(_))));
        assert_eq!(messages::mark_answered(&mut tx, theirs, chat, 9, turn.id).await.expect("a write"), 0);
        assert_eq!(messages::set_status(&mut tx, theirs, "OUT1", Status::Read, None).await.expect("a write"), []);
        assert!(matches!(turns::record(&mut tx, theirs, turn.id, &json!({})).await, Err(StoreError::Stale)));
        assert!(matches!(turns::close(&mut tx, theirs, turn.id, noon()).await, Err(StoreError::Stale)));
        assert_eq!(keys::take(&mut tx, theirs, "session", "k").await.expect("a look"), None);
        assert_eq!(keys::erase(&mut tx, theirs).await.expect("a write"), 0);
        assert!(!planned::cancel(&mut tx, theirs, "reminder", "501").await.expect("a write"));
        assert_eq!(planned::cancel_company(&mut tx, theirs).await.expect("a write"), 0);
        assert!(notifications::enter(&mut tx, theirs, "moved", "501:2", noon()).await.expect("a write"), "their ledger is their own");
        assert_eq!(tokens::revoke_all(&mut tx, theirs).await.expect("a write"), 0);
        assert_eq!(jobs::cancel_company(&mut tx, theirs).await.expect("a write"), 0);
        sync_logs::finish(&mut tx, theirs, log, Some("чужое"), noon()).await.expect("a write");
        catalogue::replace_services(&mut tx, theirs, &[]).await.expect("a write");
        catalogue::replace_staff(&mut tx, theirs, &[]).await.expect("a write");
        catalogue::replace_schedule(&mut tx, theirs, monday, monday, &[]).await.expect("a write");

        // All is as it was.
        let salon = catalogue::load(&mut tx, mine, monday).await.expect("my salon");
        assert_eq!((salon.services.len(), salon.staff.len(), salon.schedule.len()), (1, 1, 1));
        let talk = conversations::load(&mut tx, mine, chat).await.expect("a look").expect("my chat");
        assert_eq!((talk.state, talk.paused_until, talk.client_id), (None, None, None));
        assert_eq!(conversations::counts(&mut tx, mine, chat).await.expect("counts"), Counts { unanswered: 1, unsent: 1 });
        assert_eq!(sync_logs::latest(&mut tx, mine).await.expect("a list")[0].error, None);
        assert!(webhooks::get(&mut tx, Some(mine), hook).await.expect("a look").is_some());
        assert_eq!(keys::list(&mut tx, mine, "session", "").await.expect("a list").len(), 1);
        assert_eq!(jobs::pending(&mut tx, mine, Some("chat:1")).await.expect("a count"), 1);
        assert!(planned::cancel(&mut tx, mine, "reminder", "501").await.expect("a write"));
    }
}

on_both! {
    async fn no_turn_in_another_salon_s_chat(fresh) {
        let (mine, theirs) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let chat = receive(&fresh.store, mine, &inbound("1@lid", "A1", "привет")).await.expect("new").conversation;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let refused = turns::open(&mut tx, theirs, chat, 1, 1, noon()).await;
        assert!(matches!(refused, Err(StoreError::Database(_))), "the schema refuses it: {refused:?}");
    }
}
