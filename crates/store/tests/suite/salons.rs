use domain::{
    Attendance, Booking, BookingChange, BookingId, Client, ClientId, Hours, IntegrationEvent, IntegrationStatus, Money, Phone, PriceRange,
    ReadBack, RecordId, SalonId, Service, ServiceId, ServiceStaff, Staff, StaffId, WorkDay,
};
use jiff::civil::{Date, date, time};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{
    StoreError, Vault,
    bookings::{self, Beside},
    catalogue, clients,
    companies::{self, Linked, MarketplaceUser, Switches},
    events,
};
use uuid::Uuid;

use crate::{at, company, noon, registration};

pub(crate) fn booking(record: i64) -> Booking {
    Booking {
        record_id: RecordId(record),
        booking_id: None,
        staff_id: StaffId(11),
        services: vec![ServiceId(1), ServiceId(3)],
        start: date(2026, 11, 24).at(15, 0, 0, 0),
        minutes: 90,
        client_name: "Мария".to_owned(),
        client_phone: Some(phone()),
        cost: Some(Money(1800)),
        attendance: Attendance::Waiting,
        deleted: false,
        locked: false,
    }
}

/// A reading asked for in that second.
#[expect(clippy::disallowed_methods, reason = "the test is the booking system")]
pub(crate) fn read(booking: &Booking, second: i64) -> ReadBack<Booking> {
    ReadBack::from_booking_system(booking.clone(), jiff::Timestamp::constant(second, 0))
}

pub(crate) fn phone() -> Phone {
    Phone::parse("79161234567").expect("a phone")
}

pub(crate) fn service(id: i64, title: &str) -> Service {
    Service {
        id: ServiceId(id),
        title: title.to_owned(),
        category: "Ногтевой сервис".to_owned(),
        price: PriceRange::new(Money(1800), Money(2200)),
        minutes: 90,
        description: "«лучшее» & 'всё' \\ $1".to_owned(),
        staff: vec![ServiceStaff { staff_id: StaffId(11), minutes: 90 }, ServiceStaff { staff_id: StaffId(12), minutes: 120 }],
        composite_of: Vec::new(),
    }
}

pub(crate) fn master(id: i64, name: &str, rating: Option<f64>) -> Staff {
    Staff { id: StaffId(id), name: name.to_owned(), specialization: "мастер маникюра".to_owned(), rating }
}

pub(crate) fn day(staff: i64, date: Date, hours: &[(i8, i8)]) -> WorkDay {
    let hours = hours.iter().map(|(from, to)| Hours { from: time(*from, 0, 0, 0), to: time(*to, 0, 0, 0) }).collect();
    WorkDay { staff_id: StaffId(staff), date, hours }
}

on_both! {
    async fn registering_again_keeps_what_is_known(fresh) {
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let mut first = registration(962_302);
        first.user = MarketplaceUser { id: Some("7".to_owned()), name: Some("Ольга".to_owned()), ..MarketplaceUser::default() };
        let id = companies::upsert_registration(&mut tx, &first, noon()).await.expect("a company");
        companies::set_status(&mut tx, id, IntegrationStatus::Activating, noon()).await.expect("a step");
        let mut again = registration(962_302);
        again.title = "Новое имя".to_owned();
        assert_eq!(companies::upsert_registration(&mut tx, &again, noon()).await.expect("a company"), id);
        let known = companies::by_salon(&mut tx, SalonId(962_302)).await.expect("a look").expect("the company");
        assert_eq!(known.title, "Новое имя");
        assert_eq!(known.user, first.user);
        assert_eq!(known.status, IntegrationStatus::Activating);
        assert_eq!(known.timezone.iana_name(), Some("Europe/Moscow"));
        assert!(known.ai_enabled && known.sync_enabled && known.whatsapp_enabled && !known.whatsapp_connected);
    }

    async fn only_walked_ways_of_status(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let refused = companies::set_status(&mut tx, id, IntegrationStatus::Active, noon()).await;
        assert!(matches!(refused, Err(StoreError::Transition(_))), "{refused:?}");
        for (to, from) in [
            (IntegrationStatus::Activating, IntegrationStatus::PendingWhatsapp),
            (IntegrationStatus::Active, IntegrationStatus::Activating),
            (IntegrationStatus::Frozen, IntegrationStatus::Active),
        ] {
            assert_eq!(companies::set_status(&mut tx, id, to, noon()).await.expect("a step"), from);
        }
        companies::set_status(&mut tx, id, IntegrationStatus::Active, at("2027-01-01T00:00:00Z")).await.expect("a step");
        let known = companies::get(&mut tx, id).await.expect("a look").expect("the company");
        assert_eq!((known.activated_at, known.uninstalled_at), (Some(noon()), None), "the first activation counts");
    }

    async fn a_number_serves_one_salon(fresh) {
        let (one, two) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let mut tx = fresh.store.begin().await.expect("a transaction");
        assert_eq!(companies::set_linked(&mut tx, one, &phone(), "Лира", noon()).await.expect("an answer"), Linked::Set);
        assert_eq!(companies::set_linked(&mut tx, one, &phone(), "Лира", noon()).await.expect("an answer"), Linked::Set, "again");
        assert_eq!(companies::set_linked(&mut tx, two, &phone(), "Лира", noon()).await.expect("an answer"), Linked::NumberTaken(one));
        assert_eq!(companies::stats(&mut tx).await.expect("counts"), (2, 1));
        companies::set_unlinked(&mut tx, one, noon()).await.expect("a write");
        assert_eq!(companies::set_linked(&mut tx, two, &phone(), "Лира", noon()).await.expect("an answer"), Linked::Set);
        let freed = companies::get(&mut tx, one).await.expect("a look").expect("the company");
        assert_eq!((freed.whatsapp_connected, freed.whatsapp_phone), (false, Some(phone())));
    }

    async fn secrets_lie_sealed(fresh) {
        let (one, two) = (company(&fresh.store, 1).await, company(&fresh.store, 2).await);
        let vault = Vault::new([3; 32]);
        let secret = SecretString::from("sk_0123456789abcdef");
        let mut tx = fresh.store.begin().await.expect("a transaction");
        companies::set_api_key(&mut tx, &vault, one, &secret).await.expect("a write");
        companies::set_webhook_secret(&mut tx, &vault, one, &SecretString::from("hook")).await.expect("a write");
        let opened = companies::api_key(&mut tx, &vault, one).await.expect("it opens").expect("a key");
        assert_eq!(opened.expose_secret(), secret.expose_secret());
        assert!(companies::api_key(&mut tx, &vault, two).await.expect("an answer").is_none());
        assert!(matches!(companies::api_key(&mut tx, &Vault::new([4; 32]), one).await, Err(StoreError::Seal(_))));
        let found = companies::by_webhook_secret(&mut tx, "hook").await.expect("a look").expect("the company");
        assert_eq!(found.id, one);
        assert!(companies::by_webhook_secret(&mut tx, "other").await.expect("a look").is_none());
        let known = companies::webhook_secret(&mut tx, &vault, one).await.expect("it opens").expect("a secret");
        assert_eq!(known.expose_secret(), "hook");
    }

    async fn switches_and_life(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        companies::set_switches(&mut tx, id, Switches { ai: false, sync: true, whatsapp: false }).await.expect("a write");
        companies::set_last_payment(&mut tx, id, noon()).await.expect("a write");
        let known = companies::get(&mut tx, id).await.expect("a look").expect("the company");
        assert_eq!((known.ai_enabled, known.sync_enabled, known.whatsapp_enabled), (false, true, false));
        assert_eq!(known.last_payment_date, Some(noon()));
        for event in [IntegrationEvent::RegistrationStarted, IntegrationEvent::PaymentReceived] {
            events::append(&mut tx, id, SalonId(1), event, &json!({"сумма": 990}), noon()).await.expect("a write");
        }
        let life = events::latest(&mut tx, id, 10).await.expect("a list");
        assert_eq!(life.iter().map(|entry| entry.event_type.as_str()).collect::<Vec<_>>(), ["payment_received", "registration_started"]);
        assert_eq!(life[0].data, json!({"сумма": 990}));
        for (status, connected, after, found) in [
            (None, None, None, 1),
            (None, None, Some(id), 0),
            (Some(known.status), Some(false), None, 1),
            (Some(IntegrationStatus::Frozen), None, None, 0),
            (None, Some(true), None, 0),
        ] {
            let filter = companies::Filter { status, connected };
            assert_eq!(companies::list(&mut tx, filter, after, 10).await.expect("a list").len(), found, "{filter:?} {after:?}");
        }
        assert_eq!(companies::count_by_status(&mut tx).await.expect("counts"), [(known.status.as_str().to_owned(), 1)]);
    }

    async fn the_catalogue_comes_back_as_it_went(fresh) {
        let id = company(&fresh.store, 5).await;
        let monday = date(2026, 11, 23);
        let composite = Service { composite_of: vec![ServiceId(3), ServiceId(1)], staff: Vec::new(), ..service(4, "Комплекс") };
        let services = [service(3, "Педикюр"), service(1, "Маникюр"), composite];
        let staff = [master(12, "Анна", Some(4.9)), master(11, "Жанна", None)];
        let days = [day(11, monday, &[(10, 14), (15, 20)]), day(12, monday, &[]), day(11, date(2026, 11, 24), &[(9, 18)])];
        let mut tx = fresh.store.begin().await.expect("a transaction");
        catalogue::replace_services(&mut tx, id, &services).await.expect("a write");
        catalogue::replace_staff(&mut tx, id, &staff).await.expect("a write");
        catalogue::replace_schedule(&mut tx, id, monday, date(2026, 12, 23), &days).await.expect("a write");
        let salon = catalogue::load(&mut tx, id, monday).await.expect("the salon");
        assert_eq!((salon.services, salon.staff), (services.to_vec(), staff.to_vec()), "in the booking system's order");
        let mut loaded = salon.schedule;
        loaded.sort_by_key(|day| (day.date, day.staff_id));
        assert_eq!(loaded, [days[0].clone(), days[1].clone(), days[2].clone()]);

        // One service is gone, one master is new, one day is replaced and the other stays.
        catalogue::replace_services(&mut tx, id, &services[..2]).await.expect("a write");
        catalogue::replace_staff(&mut tx, id, &[staff[1].clone(), master(13, "Ева", None)]).await.expect("a write");
        catalogue::replace_schedule(&mut tx, id, monday, monday, &[day(11, monday, &[(12, 16)])]).await.expect("a write");
        let salon = catalogue::load(&mut tx, id, monday).await.expect("the salon");
        assert_eq!(salon.services.iter().map(|s| s.id.0).collect::<Vec<_>>(), [3, 1]);
        assert_eq!(salon.staff.iter().map(|s| s.id.0).collect::<Vec<_>>(), [11, 13]);
        assert_eq!(salon.schedule, [day(11, monday, &[(12, 16)]), day(11, date(2026, 11, 24), &[(9, 18)])]);
        assert_eq!(catalogue::prune_schedule(&mut tx, id, date(2026, 11, 24)).await.expect("a write"), 1);
        assert!(matches!(catalogue::load(&mut tx, domain::CompanyId(999), monday).await, Err(StoreError::NotFound(_))));
    }

    async fn a_booking_s_versions_count_what_customers_hear_of(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let mark = BookingId(Uuid::from_u128(77));
        let made = Booking { booking_id: Some(mark), ..booking(501) };
        let beside = Beside { record_hash: Some("h4sh".to_owned()), comment: Some("первый визит".to_owned()), ..Beside::default() };
        let first = bookings::upsert(&mut tx, id, &read(&made, 1), &beside).await.expect("a write");
        assert_eq!((first.before, first.change, first.version), (None, Some(BookingChange::Made), 1));
        let came = Booking { attendance: Attendance::Came, ..made.clone() };
        let marked = bookings::upsert(&mut tx, id, &read(&came, 2), &Beside::default()).await.expect("a write");
        assert_eq!((marked.change, marked.version), (None, 1), "an attendance mark is nothing");
        let moved = Booking { start: date(2026, 11, 25).at(9, 30, 0, 0), booking_id: None, ..made.clone() };
        let again = bookings::upsert(&mut tx, id, &read(&moved, 3), &Beside::default()).await.expect("a write");
        assert_eq!((again.before, again.change, again.version), (Some(came), Some(BookingChange::Moved), 2));
        let stored = bookings::get(&mut tx, id, RecordId(501)).await.expect("a look").expect("the booking");
        assert_eq!(stored.booking, Booking { booking_id: Some(mark), ..moved }, "our mark is kept");
        assert_eq!(stored.record_hash.as_deref(), Some("h4sh"));
        assert_eq!(bookings::by_booking_id(&mut tx, id, mark).await.expect("a look").expect("the booking").booking.record_id, RecordId(501));
        let gone = bookings::upsert(&mut tx, id, &read(&Booking { deleted: true, ..booking(501) }, 4), &Beside::default()).await.expect("a write");
        assert_eq!((gone.change, gone.version), (Some(BookingChange::Cancelled), 3));
        let unknown = bookings::upsert(&mut tx, id, &read(&Booking { deleted: true, ..booking(502) }, 4), &Beside::default()).await.expect("a write");
        assert_eq!(unknown.change, None);
    }

    /// A turn may read a booking before an administrator deletes it, and commit after that was noticed.
    async fn an_older_reading_that_comes_later_changes_nothing(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let gone = Booking { deleted: true, ..booking(501) };
        bookings::upsert(&mut tx, id, &read(&booking(501), 1), &Beside::default()).await.expect("a write");
        bookings::upsert(&mut tx, id, &read(&gone, 3), &Beside::default()).await.expect("a write");
        let beside = Beside { record_hash: Some("h4sh".to_owned()), ..Beside::default() };
        let late = bookings::upsert(&mut tx, id, &read(&booking(501), 2), &beside).await.expect("a write");
        assert_eq!((late.change, late.change_since, late.version), (None, Some(BookingChange::Cancelled), 2));
        let stored = bookings::get(&mut tx, id, RecordId(501)).await.expect("a look").expect("the booking");
        assert_eq!((stored.booking, stored.record_hash.as_deref()), (gone.clone(), Some("h4sh")), "what comes beside is kept");
        // Nor does it make a reading news that lies between the two.
        let between = bookings::upsert(&mut tx, id, &read(&booking(501), 2), &Beside::default()).await.expect("a write");
        assert_eq!(between.change, None);
        let same = bookings::upsert(&mut tx, id, &read(&gone, 2), &Beside::default()).await.expect("a write");
        assert_eq!((same.change, same.change_since), (None, None), "older, and the same");
    }

    async fn a_customer_s_bookings(fresh) {
        let id = company(&fresh.store, 1).await;
        let mut tx = fresh.store.begin().await.expect("a transaction");
        let on = |record, day, hour| Booking { start: date(2026, 11, day).at(hour, 0, 0, 0), ..booking(record) };
        let all = [
            on(1, 20, 12),
            Booking { attendance: Attendance::NoShow, ..on(2, 21, 12) },
            on(3, 25, 9),
            on(4, 24, 18),
            Booking { deleted: true, ..on(5, 24, 19) },
            Booking { client_phone: None, ..on(6, 24, 12) },
        ];
        for one in &all {
            bookings::upsert(&mut tx, id, &read(one, 1), &Beside::default()).await.expect("a write");
        }
        let now = date(2026, 11, 23).at(12, 0, 0, 0);
        let ids = |stored: Vec<bookings::Stored>| stored.iter().map(|s| s.booking.record_id.0).collect::<Vec<_>>();
        assert_eq!(ids(bookings::upcoming(&mut tx, id, &phone(), now).await.expect("a list")), [4, 3]);
        assert_eq!(bookings::last_visit(&mut tx, id, &phone(), now).await.expect("a look").expect("a visit").booking, all[0]);
        let tuesday = date(2026, 11, 24);
        let of_day = bookings::between(&mut tx, id, tuesday.at(0, 0, 0, 0), date(2026, 11, 25).at(0, 0, 0, 0)).await.expect("a list");
        assert_eq!(ids(of_day), [6, 4]);
    }

    async fn a_client_by_phone_is_the_one_who_comes_most(fresh) {
        let id = company(&fresh.store, 1).await;
        let card = |card, visits| Client { id: ClientId(card), name: format!("Мария {card}"), phone: Some(phone()), visits };
        let mut tx = fresh.store.begin().await.expect("a transaction");
        clients::upsert(&mut tx, id, &[card(1, 2), card(2, 9), Client { phone: None, ..card(3, 50) }]).await.expect("a write");
        assert_eq!(clients::by_phone(&mut tx, id, &phone()).await.expect("a look"), Some(card(2, 9)));
        clients::upsert(&mut tx, id, &[card(1, 12)]).await.expect("a write");
        assert_eq!(clients::by_phone(&mut tx, id, &phone()).await.expect("a look"), Some(card(1, 12)));
        assert_eq!(clients::count(&mut tx, id).await.expect("a count"), 3);
    }
}
