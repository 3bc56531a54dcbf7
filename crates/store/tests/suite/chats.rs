use std::time::Duration;

use domain::{ChatId, CompanyId, Phone};
use serde_json::json;
use store::{
    Store, StoreError,
    conversations::{self, Counts},
    messages::{self, Author, InboundRow, Kind, Said, Status, StoredMessage},
    turns,
};

use crate::{at, company, noon};

pub(crate) fn inbound(chat: &str, whatsapp_id: &str, text: &str) -> InboundRow {
    InboundRow {
        chat: ChatId(chat.to_owned()),
        phone: None,
        push_name: Some("Мария".to_owned()),
        whatsapp_id: whatsapp_id.to_owned(),
        from_me: false,
        kind: Kind::Text,
        text: text.to_owned(),
        reaction_to: None,
        quoted: None,
        attachment: None,
        sent_at: noon(),
        received_at: noon(),
        status: Status::New,
    }
}

pub(crate) async fn receive(store: &Store, company: CompanyId, row: &InboundRow) -> Option<StoredMessage> {
    let mut tx = store.begin().await.expect("a transaction");
    let stored = messages::store_inbound(&mut tx, company, row).await.expect("an answer");
    tx.commit().await.expect("a commit");
    stored
}

on_both! {
    async fn a_message_is_stored_once(fresh) {
        let salon = company(&fresh.store, 1).await;
        let row = inbound("1@lid", "A1", "привет 👋");
        let first = receive(&fresh.store, salon, &row).await.expect("new");
        assert_eq!(receive(&fresh.store, salon, &row).await, None);
        let elsewhere = receive(&fresh.store, salon, &inbound("2@lid", "A1", "привет")).await.expect("another chat is another message");
        assert_ne!(first.conversation, elsewhere.conversation);
        let other = company(&fresh.store, 2).await;
        assert!(receive(&fresh.store, other, &row).await.is_some(), "another salon, too");
    }

    async fn the_same_message_from_many_sides_at_once(fresh) {
        let salon = company(&fresh.store, 1).await;
        let tasks = (0..24).map(|n| {
            let store = fresh.store.clone();
            tokio::spawn(async move { receive(&store, salon, &inbound("1@lid", &format!("A{}", n % 6), "x")).await })
        });
        let stored: Vec<_> = futures::future::join_all(tasks).await.into_iter().flat_map(|task| task.expect("no panic")).collect();
        assert_eq!(stored.len(), 6, "{stored:?}");
        let mut tx = fresh.store.read().await.expect("a transaction");
        let new = messages::unanswered(&mut tx, salon, stored[0].conversation).await.expect("a list");
        let seqs: Vec<i64> = new.iter().map(|message| message.seq).collect();
        assert!(seqs.is_sorted() && seqs.len() == 6, "{seqs:?}");
    }

    async fn what_is_withdrawn_is_not_answered(fresh) {
        let (salon, other) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let mut row = inbound("1@lid", "A1", "завтра в 15");
        (row.quoted, row.attachment) = (Some("OUT1".to_owned()), Some(vec![7]));
        let chat = receive(&fresh.store, salon, &row).await.expect("new").conversation;
        receive(&fresh.store, salon, &inbound("1@lid", "A2", "к Ане")).await.expect("new");
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let kept = messages::by_whatsapp_id(&mut tx, salon, chat, "A1").await.expect("an answer").expect("it is there");
        assert_eq!((kept.quoted.as_deref(), kept.attachment.as_deref()), (Some("OUT1"), Some(&[7][..])));
        assert!(messages::withdraw(&mut tx, salon, chat, "A1").await.expect("withdrawn"));
        assert!(!messages::withdraw(&mut tx, salon, chat, "A1").await.expect("nothing left to withdraw"));
        assert!(!messages::withdraw(&mut tx, other, chat, "A2").await.expect("another salon's"));
        let left = messages::unanswered(&mut tx, salon, chat).await.expect("a list");
        assert_eq!(left.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["к Ане"]);
        let heart = Said::Reaction { to: "A2", emoji: "❤️" };
        let id = messages::queue_outbound(&mut tx, salon, chat, "OUT2", heart, None, noon()).await.expect("queued").id;
        let heart = messages::get(&mut tx, salon, id).await.expect("an answer").expect("it is there");
        assert_eq!((heart.kind, heart.text.as_str(), heart.reaction_to.as_deref()), (Kind::Reaction, "❤️", Some("A2")));
    }

    async fn the_file_of_a_message_is_kept_for_a_while(fresh) {
        let (salon, other) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let id = receive(&fresh.store, salon, &inbound("1@lid", "A1", "")).await.expect("new").id;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(messages::file(&mut tx, salon, id).await.expect("an answer"), None);
        messages::put_file(&mut tx, salon, id, &[7; 100_000]).await.expect("put away");
        messages::put_file(&mut tx, salon, id, &[8]).await.expect("nothing new");
        assert_eq!(messages::file(&mut tx, salon, id).await.expect("an answer"), Some(vec![7; 100_000]));
        assert_eq!(messages::file(&mut tx, other, id).await.expect("an answer"), None, "another salon's");
        assert_eq!(messages::prune_files(&mut tx, Duration::from_secs(60)).await.expect("pruned"), 0);
        tx.commit().await.expect("a commit");
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(messages::prune_files(&mut tx, Duration::ZERO).await.expect("pruned"), 1);
        assert_eq!(messages::file(&mut tx, salon, id).await.expect("an answer"), None);
    }

    async fn both_directions_share_one_order(fresh) {
        let salon = company(&fresh.store, 1).await;
        let first = receive(&fresh.store, salon, &inbound("1@lid", "A1", "раз")).await.expect("new");
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let answer = messages::queue_outbound(&mut tx, salon, first.conversation, "OUT1", Said::Text("два"), None, noon()).await.expect("queued");
        tx.commit().await.expect("a commit");
        // An earlier time does not put it before what came first.
        let mut late = inbound("1@lid", "A2", "три");
        late.sent_at = at("2020-01-01T00:00:00Z");
        receive(&fresh.store, salon, &late).await.expect("new");
        assert_eq!((first.seq, answer.seq), (1, 2));
        let mut tx = fresh.store.read().await.expect("a transaction");
        let all = messages::latest(&mut tx, salon, first.conversation, 10).await.expect("a list");
        assert_eq!(all.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["раз", "два", "три"]);
        assert_eq!(conversations::counts(&mut tx, salon, first.conversation).await.expect("counts"), Counts { unanswered: 2, unsent: 1 });
    }

    async fn our_own_echo_is_not_a_person(fresh) {
        let salon = company(&fresh.store, 1).await;
        let first = receive(&fresh.store, salon, &inbound("1@lid", "A1", "раз")).await.expect("new");
        let mut tx = fresh.store.begin().await.expect("a transaction");
        messages::queue_outbound(&mut tx, salon, first.conversation, "OUT1", Said::Text("два"), None, noon()).await.expect("queued");
        tx.commit().await.expect("a commit");
        let mut echo = inbound("1@lid", "OUT1", "два");
        echo.from_me = true;
        assert_eq!(receive(&fresh.store, salon, &echo).await, None);
        let mut person = inbound("1@lid", "OUT2", "я сама отвечу");
        person.from_me = true;
        let person = receive(&fresh.store, salon, &person).await.expect("a person's words are new");
        let mut tx = fresh.store.read().await.expect("a transaction");
        let stored = messages::get(&mut tx, salon, person.id).await.expect("a look").expect("the message");
        assert_eq!((stored.author, stored.status), (Author::Person, Status::Sent));
        assert_eq!(conversations::counts(&mut tx, salon, first.conversation).await.expect("counts").unsent, 1, "the bot's only");
    }

    async fn a_turn_takes_what_was_there_and_no_more(fresh) {
        let salon = company(&fresh.store, 1).await;
        receive(&fresh.store, salon, &inbound("1@lid", "A1", "раз")).await.expect("new");
        let second = receive(&fresh.store, salon, &inbound("1@lid", "A2", "два")).await.expect("new");
        let mut old = inbound("1@lid", "A0", "вчера");
        old.status = Status::Old;
        receive(&fresh.store, salon, &old).await.expect("new");
        let chat = second.conversation;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let turn = turns::open(&mut tx, salon, chat, 1, second.seq, noon()).await.expect("a turn");
        assert!(matches!(turns::open(&mut tx, salon, chat, 1, 2, noon()).await, Err(StoreError::Stale)), "one at a time");
        tx.commit().await.expect("a commit");
        receive(&fresh.store, salon, &inbound("1@lid", "A3", "три")).await.expect("new");

        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(messages::mark_answered(&mut tx, salon, chat, second.seq, turn.id).await.expect("a write"), 2);
        let left = messages::unanswered(&mut tx, salon, chat).await.expect("a list");
        assert_eq!(left.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["три"]);
        let heard = messages::heard(&mut tx, salon, chat, turn.from_seq, turn.to_seq).await.expect("a list");
        assert_eq!(heard.iter().map(|m| (m.text.as_str(), m.turn)).collect::<Vec<_>>(), [("раз", Some(turn.id)), ("два", Some(turn.id))]);
    }

    async fn a_turn_s_journal_outlives_the_process(fresh) {
        let salon = company(&fresh.store, 1).await;
        let chat = receive(&fresh.store, salon, &inbound("1@lid", "A1", "раз")).await.expect("new").conversation;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let turn = turns::open(&mut tx, salon, chat, 1, 1, noon()).await.expect("a turn");
        turns::record(&mut tx, salon, turn.id, &json!({"effects": [{"book": 1}]})).await.expect("a write");
        tx.commit().await.expect("a commit");
        let again = Store::open(&fresh.url).await.expect("a second opening");
        let mut tx = again.begin().await.expect("a transaction");
        let found = turns::unfinished(&mut tx, salon, chat).await.expect("a look").expect("the turn");
        assert_eq!((found.journal, found.opened_at), (Some(json!({"effects": [{"book": 1}]})), noon()));
        turns::close(&mut tx, salon, turn.id, noon()).await.expect("a write");
        assert!(matches!(turns::close(&mut tx, salon, turn.id, noon()).await, Err(StoreError::Stale)), "closed once");
        assert!(matches!(turns::record(&mut tx, salon, turn.id, &json!(1)).await, Err(StoreError::Stale)));
        assert_eq!(turns::unfinished(&mut tx, salon, chat).await.expect("a look"), None);
    }

    async fn a_stale_memory_is_refused(fresh) {
        let salon = company(&fresh.store, 1).await;
        let chat = receive(&fresh.store, salon, &inbound("1@lid", "A1", "раз")).await.expect("new").conversation;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(conversations::save_state(&mut tx, salon, chat, 0, &json!({"a": 1})).await.expect("a write"), 1);
        assert!(matches!(conversations::save_state(&mut tx, salon, chat, 0, &json!({"a": 2})).await, Err(StoreError::Stale)));
        let known = conversations::load(&mut tx, salon, chat).await.expect("a look").expect("the conversation");
        assert_eq!((known.state, known.version), (Some(json!({"a": 1})), 1));
    }

    async fn a_chat_learns_its_phone_and_keeps_it(fresh) {
        let salon = company(&fresh.store, 1).await;
        let phone = Phone::parse("79161234567").expect("a phone");
        let chat = receive(&fresh.store, salon, &inbound("1@lid", "A1", "раз")).await.expect("new").conversation;
        let mut known = inbound("1@lid", "A2", "два");
        known.phone = Some(phone.clone());
        known.push_name = None;
        receive(&fresh.store, salon, &known).await.expect("new");
        receive(&fresh.store, salon, &inbound("1@lid", "A3", "три")).await.expect("new");
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let found = conversations::by_phone(&mut tx, salon, &phone).await.expect("a look").expect("by phone");
        assert_eq!((found.id, found.push_name.as_deref(), found.last_message_at), (chat, Some("Мария"), Some(noon())));
        conversations::set_pause(&mut tx, salon, chat, Some(noon())).await.expect("a write");
        let paused = conversations::by_chat(&mut tx, salon, &ChatId("1@lid".to_owned())).await.expect("a look").expect("by chat");
        assert_eq!(paused.paused_until, Some(noon()));
    }

    async fn tidings_of_delivery_only_go_forward(fresh) {
        let salon = company(&fresh.store, 1).await;
        let chat = receive(&fresh.store, salon, &inbound("1@lid", "A1", "раз")).await.expect("new").conversation;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let out = messages::queue_outbound(&mut tx, salon, chat, "OUT1", Said::Text("два"), None, noon()).await.expect("queued");
        for (tidings, changes, now) in [
            (Status::Sent, 1, Status::Sent),
            (Status::Delivered, 1, Status::Delivered),
            (Status::Acked, 0, Status::Delivered),
            (Status::Failed, 0, Status::Delivered),
            (Status::Read, 1, Status::Read),
            (Status::Read, 0, Status::Read),
        ] {
            let changed = messages::set_status(&mut tx, salon, "OUT1", tidings, None).await.expect("a write");
            let stored = messages::get(&mut tx, salon, out.id).await.expect("a look").expect("the message");
            assert_eq!((changed.len(), stored.status), (changes, now), "{tidings:?}");
        }
        messages::queue_outbound(&mut tx, salon, chat, "OUT2", Said::Text("три"), None, noon()).await.expect("queued");
        assert_eq!(messages::queued(&mut tx, salon, chat).await.expect("a list").len(), 1);
        messages::set_status(&mut tx, salon, "OUT2", Status::Failed, Some("463")).await.expect("a write");
        let last = messages::latest(&mut tx, salon, chat, 1).await.expect("a list");
        assert_eq!((last[0].status, last[0].refusal.as_deref()), (Status::Failed, Some("463")));
        assert_eq!(messages::set_status(&mut tx, salon, "A1", Status::Read, None).await.expect("a write"), [], "an incoming one is not ours");
    }

    async fn no_text_is_too_strange_to_be_stored(fresh) {
        let salon = company(&fresh.store, 1).await;
        let mut strange = inbound("1@lid", "A\0 1", "при\0вет '; DROP TABLE messages; -- \u{202e}👩🏽‍🦰\u{fffe}");
        strange.push_name = Some("\0".to_owned());
        let stored = receive(&fresh.store, salon, &strange).await.expect("new");
        assert_eq!(receive(&fresh.store, salon, &strange).await, None, "and it is known again");
        let mut tx = fresh.store.read().await.expect("a transaction");
        let known = messages::get(&mut tx, salon, stored.id).await.expect("a look").expect("the message");
        assert_eq!(known.text, "привет '; DROP TABLE messages; -- \u{202e}👩🏽‍🦰\u{fffe}");
        let huge = "я".repeat(500_000);
        drop(tx);
        let stored = receive(&fresh.store, salon, &inbound("1@lid", "A2", &huge)).await.expect("new");
        let mut tx = fresh.store.read().await.expect("a transaction");
        assert_eq!(messages::get(&mut tx, salon, stored.id).await.expect("a look").expect("the message").text, huge);
    }
}
