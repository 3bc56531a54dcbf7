//! Any text in any context is read without panic and in bounded time:
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run understand -- -timeout=1` in `crates/language`.

#![no_main]

use std::sync::LazyLock;

use domain::{CompanyId, Money, PriceRange, Salon, SalonId, Service, ServiceId, Staff, StaffId};
use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};
use language::{Asked, Context, Reader, When};
use libfuzzer_sys::fuzz_target;

static READERS: LazyLock<[Reader; 2]> = LazyLock::new(|| [Reader::new(None), Reader::new(Some(&salon()))]);

/// A list with works, coatings, persons, brackets, brands and composites.
fn salon() -> Salon {
    const TITLES: [&str; 14] = [
        "💅 Маникюр + гель-лак (снятие в подарок)",
        "Педикюр без покрытия",
        "Комплекс: маникюр + педикюр",
        "Детская стрижка (мальчик)",
        "Стрижка женская",
        "Стрижка + борода",
        "Окрашивание Airtouch",
        "Наращивание ресниц 2D",
        "Биоревитализация Revi 2 мл",
        "Лазер: верхняя губа (1 зона)",
        "Шугаринг бикини",
        "Классический массаж всего тела 60 мин",
        "Массаж спины",
        "Комплекс M",
    ];
    let services = (1..).zip(TITLES).map(|(id, title)| Service {
        id: ServiceId(id),
        title: title.to_owned(),
        category: String::new(),
        price: PriceRange::new(Money(1000), Money(1500)),
        minutes: 60,
        description: String::new(),
        staff: Vec::new(),
        composite_of: if id == 3 { vec![ServiceId(1), ServiceId(2)] } else { Vec::new() },
    });
    let staff = (1..).zip(["Анна", "Юля К.", "Юля Т.", "Denis", "Гузель Фаритовна"]).map(|(id, name)| Staff {
        id: StaffId(id),
        name: name.to_owned(),
        specialization: String::new(),
        rating: None,
    });
    Salon {
        company_id: CompanyId(1),
        salon_id: SalonId(1),
        title: String::new(),
        city: String::new(),
        address: String::new(),
        phone: None,
        timezone: TimeZone::UTC,
        currency: String::new(),
        services: services.collect(),
        staff: staff.collect(),
        schedule: Vec::new(),
    }
}

const ASKED: [Option<Asked>; 9] = [
    None,
    Some(Asked::Service),
    Some(Asked::Staff),
    Some(Asked::Day),
    Some(Asked::Time),
    Some(Asked::Name),
    Some(Asked::Confirm),
    Some(Asked::Choice),
    Some(Asked::Review),
];

fuzz_target!(|data: &[u8]| {
    // Two bytes set the scene, the rest is the message.
    let [scene, shift, text @ ..] = data else { return };
    let Ok(first) = Date::new(2026, 11, 23) else { return };
    let day = first.saturating_add(jiff::Span::new().days(i64::from(*shift) * 17));
    let now: DateTime = day.at(i8::try_from(scene % 24).unwrap_or_default(), 7, 0, 0);
    let offered = if scene & 64 == 0 { Vec::new() } else { vec![day.at(15, 0, 0, 0), day.at(23, 30, 0, 0)] };
    let context = Context { asked: ASKED[usize::from(*scene) % ASKED.len()], offered, day: (scene & 128 != 0).then_some(day) };
    let reader = &READERS[usize::from(scene & 32 != 0)];
    let read = reader.read(&String::from_utf8_lossy(text), now, &context);
    assert!(!read.intents.is_empty());
    for when in &read.when {
        match when {
            When::Window { from, to, .. } => assert!(from < to),
            When::Days { from, to, .. } => assert!(from < to),
            _ => {}
        }
    }
});
