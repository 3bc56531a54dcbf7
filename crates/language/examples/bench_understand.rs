//! How fast messages are understood and how much memory the dictionary takes, on one core:
//! `cargo run --release -p language --example bench_understand`.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use domain::{CompanyId, Hours, Money, PriceRange, Salon, SalonId, Service, ServiceId, ServiceStaff, Staff, StaffId, WorkDay};
use jiff::{
    ToSpan,
    civil::{date, time},
    tz::TimeZone,
};
use language::{Context, Reader};

const OPENINGS: [&str; 10] = [
    "",
    "Здравствуйте! ",
    "добрый день, ",
    "Привет) ",
    "Девочки, здравствуйте, меня зовут Марина. ",
    "здраствуйте подскажите пожалуйста ",
    "Доброе утро! Была у вас в октябре, очень понравилось. ",
    "ой, ",
    "а ",
    "Добрый вечер, пишу вам впервые, нашла вас на карте\n",
];

const WISHES: [&str; 25] = [
    "можно записаться на {service} {time}?",
    "хочу на {service} {staff} {time}",
    "запишите {staff} {time}",
    "{service} {time}",
    "сколько стоит {service}?",
    "есть свободное время {time} на {service}?",
    "нас двое, хотим {service} {time}",
    "перенесите мою запись {time} пожалуйста",
    "{time} не смогу прийти, отмените запись",
    "{time} не получается, а если {staff}?",
    "кто делает {service}?",
    "сколько длится {service} и можно ли оплатить картой",
    "хочу {service}, только не {staff}, {time} или на выходных",
    "опаздываю минут на 10, я записана {staff}",
    "напомните, во сколько у меня {service}",
    "запишите меня и подругу на {service} {time}, мастер не важен",
    "как обычно {staff} {time}",
    "мне надо было на {service} но я передумала, давайте лучше {time}",
    "какой у вас адрес и до скольки работаете",
    "позовите администратора, пожалуйста",
    "zapishite menya na manikyur {time}",
    "could I get a haircut tomorrow at 5 pm, please?",
    "маникюрр с гель лаком {time} {staff} номер 8 916 000-11-22",
    "отвалилось покрытие через три дня, это никуда не годится",
    "да, давайте {time}",
];

const SERVICES: [&str; 12] = [
    "маник с покрытием",
    "педикюр",
    "мужскую стрижку",
    "стрижку с бородой",
    "окрашивание бровей",
    "реснички",
    "снятие гель-лака",
    "массаж спины",
    "тонирование",
    "детскую стрижку",
    "камуфляж седины",
    "корекцию бровей",
];

const STAFF: [&str; 7] = ["к Анне", "у Кати", "к мастеру Дмитрию", "к Русику", "к любому мастеру", "к Светочке или к Вере", "к Аретму"];

const TIMES: [&str; 17] = [
    "завтра в 15:00",
    "в среду после обеда",
    "на полседьмого",
    "в пятницу с 12 до 16",
    "послезавтра часов в пять",
    "28 ноября к 11 утра",
    "на выходных",
    "через неделю во вторник",
    "в следующую субботу в 10",
    "завтра или в четверг вечером",
    "двадцать пятого в шестнадцать тридцать",
    "сегодня в три, нет, в четыре",
    "не раньше 18 в любой день на этой неделе",
    "в пятнецу в 17-30",
    "без четверти семь",
    "через полтора часа",
    "в начале декабря",
];

/// As many different messages as asked for, always the same ones.
fn messages(count: usize) -> Vec<String> {
    let pick = |list: &[&'static str], n: usize| list[n % list.len()];
    (0..count)
        .map(|n| {
            let wish = pick(&WISHES, n).replace("{service}", pick(&SERVICES, n / 3 + n / 25)).replace("{staff}", pick(&STAFF, n / 2));
            format!("{}{}", pick(&OPENINGS, n / WISHES.len() + n), wish.replace("{time}", pick(&TIMES, n / 5 + n)))
        })
        .collect()
}

fn salon() -> Salon {
    let titles = [
        "Маникюр с покрытием гель-лак",
        "Маникюр без покрытия",
        "Педикюр с покрытием гель-лак",
        "Снятие покрытия",
        "Наращивание ногтей",
        "Коррекция бровей",
        "Окрашивание бровей краской",
        "Ламинирование ресниц",
        "Наращивание ресниц, классика",
        "Женская стрижка",
        "Мужская стрижка",
        "Детская стрижка",
        "Стрижка машинкой",
        "Моделирование бороды",
        "Стрижка + борода",
        "Королевское бритьё",
        "Камуфляж седины",
        "Окрашивание в один тон",
        "Сложное окрашивание",
        "Тонирование волос",
        "Укладка",
        "Массаж спины",
        "Массаж лица",
        "Шугаринг: ноги полностью",
    ];
    let names = ["Анна", "Вера", "Екатерина", "Светлана", "Наталья", "Артём", "Дмитрий", "Руслан"];
    let staff: Vec<Staff> = (1..)
        .zip(names)
        .map(|(id, name)| Staff { id: StaffId(id), name: name.to_owned(), specialization: String::new(), rating: None })
        .collect();
    let services = (1..).zip(titles).map(|(id, title)| Service {
        id: ServiceId(id),
        title: title.to_owned(),
        category: String::new(),
        description: String::new(),
        price: PriceRange::new(Money(1000), Money(2000)),
        minutes: 60,
        staff: staff.iter().map(|s| ServiceStaff { staff_id: s.id, minutes: 60 }).collect(),
        composite_of: Vec::new(),
    });
    let days = (0..60).filter_map(|n| date(2026, 11, 23).checked_add(n.days()).ok());
    let hours = || vec![Hours { from: time(10, 0, 0, 0), to: time(21, 0, 0, 0) }];
    Salon {
        company_id: CompanyId(1),
        salon_id: SalonId(1),
        title: "Студия".to_owned(),
        city: String::new(),
        address: String::new(),
        phone: None,
        timezone: TimeZone::UTC,
        currency: "₽".to_owned(),
        services: services.collect(),
        schedule: days.map(|date| WorkDay { staff_id: StaffId(1), date, hours: hours() }).collect(),
        staff,
    }
}

/// Resident memory in KiB, where the system tells it (`/proc`).
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().trim_end_matches(" kB").parse().ok()
}

fn main() -> std::io::Result<()> {
    const ROUNDS: usize = 20;
    let messages = messages(500);
    let salon = salon();
    let now = date(2026, 11, 23).at(10, 0, 0, 0);
    let context = Context::default();
    let before = resident();
    let start = Instant::now();
    let reader = Reader::new(Some(&salon));
    let first = start.elapsed();
    // Touches the dictionary's pages as any day's messages do.
    for message in &messages {
        std::hint::black_box(reader.read(message, now, &context));
    }
    let after = resident();
    let start = Instant::now();
    let second = Reader::new(Some(&salon));
    let another = start.elapsed();
    let mut times: Vec<Duration> = Vec::with_capacity(messages.len() * ROUNDS);
    for _ in 0..ROUNDS {
        for message in &messages {
            let start = Instant::now();
            std::hint::black_box(second.read(message, now, &context));
            times.push(start.elapsed());
        }
    }
    let total: Duration = times.iter().sum();
    times.sort_unstable();
    let micros = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    let mut out = std::io::stdout().lock();
    writeln!(out, "messages      {} different, {} read", messages.len(), times.len())?;
    writeln!(out, "p50           {:.0} µs", micros(0.5))?;
    writeln!(out, "p99           {:.0} µs", micros(0.99))?;
    writeln!(out, "slowest       {:.0} µs", micros(1.0))?;
    writeln!(out, "throughput    {:.0} messages/s on one core", times.len() as f64 / total.as_secs_f64())?;
    writeln!(
        out,
        "first reader  {:.1} ms (dictionary unfolded), the next {:.2} ms",
        first.as_secs_f64() * 1e3,
        another.as_secs_f64() * 1e3
    )?;
    match (before, after) {
        (Some(before), Some(after)) => writeln!(out, "resident      {before} KiB before the dictionary, {after} KiB after"),
        _ => writeln!(out, "resident      not told by this system"),
    }
}
