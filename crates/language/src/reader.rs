use domain::Salon;
use jiff::civil::DateTime;

use crate::{
    Asked, Context, Lang, Understood, facts, intents,
    lexicon::{Cue, Lexicon, Sense},
    names,
    script::Script,
    services::{self, PriceList},
    staff::Team,
    text::{Text, Token},
    when::{self, OpeningHours, Setting},
};

/// Reads messages of one salon's customers. Built once per catalogue, shared between threads; it
/// holds the salon's own words only, the dictionary is the process's.
#[derive(Debug)]
pub struct Reader {
    hours: OpeningHours,
    services: PriceList,
    team: Team,
}

impl Reader {
    /// With no salon only time, people's names and intents are understood, and the salon is taken
    /// as open 09:00–21:00.
    pub fn new(salon: Option<&Salon>) -> Self {
        Lexicon::get();
        names::warm();
        Self {
            hours: salon.map_or_else(OpeningHours::unknown, OpeningHours::of),
            services: salon.map(PriceList::of).unwrap_or_default(),
            team: salon.map(Team::of).unwrap_or_default(),
        }
    }

    /// What the message says at `now` (salon time). Text beyond 4096 characters is not read.
    pub fn read(&self, text: &str, now: DateTime, context: &Context) -> Understood {
        let mut text = Text::read(text);
        stop_or_feet(&mut text.tokens);
        // What this salon has on its list asks nothing about the salon; of its senses the trade's stand last.
        for token in &mut text.tokens {
            if [Cue::About, Cue::Health, Cue::Hygiene].iter().any(|cue| token.cue(*cue)) && self.services.lists(token) {
                let works = |sense: &Sense| matches!(sense, Sense::Trade(_));
                token.mean(&token.senses[token.senses.iter().position(works).unwrap_or(token.senses.len())..]);
            }
        }
        let text = text;
        let tokens = &text.tokens;
        let mut used = vec![false; tokens.len()];
        let asked = context.asked;
        let phone = facts::phone(&text, &mut used);
        let rating = facts::rating(tokens, asked);
        // Where a name was asked for, «Вера» and «Марта» are names first.
        let name = facts::name(&text, &mut used, asked);
        let moving = tokens.iter().any(|t| t.cue(Cue::Move)) || intents::changes_time(tokens);
        let choice = if asked == Some(Asked::Choice) { facts::choice(tokens, &used, context) } else { None };
        let mut times = when::Times::default();
        // «Вторую перенесите на 15:00»: of several visits one is named, and where to.
        let of_several = moving && tokens.iter().any(|t| t.is_word() && t.ordinal().is_some() && t.text.ends_with('ю'));
        if (choice.is_none() || of_several) && !(asked == Some(Asked::Review) && rating.is_some()) {
            let codes = self.services.codes(tokens);
            let mark =
                |used: &mut [bool], to: bool| used.iter_mut().zip(&codes).filter(|(_, code)| **code).for_each(|(used, _)| *used = to);
            mark(&mut used, true);
            times = when::read(tokens, &mut used, &Setting { now, context, hours: &self.hours, moving });
            mark(&mut used, false);
        }
        // A day alone is no pick: «завтра» may want another hour of it; «которое завтра» is one.
        let points = |word: &str| word == "то" || ["котор", "вариант"].iter().any(|stem| word.starts_with(stem));
        let picks = tokens.iter().any(|t| points(&t.text)) && !tokens.iter().any(|t| t.mark('?'));
        let choice =
            choice.or_else(|| if times.when.is_empty() { facts::choice(tokens, &used, context) } else { offered(&times, context, picks) });
        let people = facts::people(tokens);
        let staff = self.team.find(tokens, &mut used);
        let services = self.services.find(tokens, &used, people, asked == Some(Asked::Service));
        // «На два часа» is no time of day where it was asked which service.
        let anything = vec![false; tokens.len()];
        let length = services::length(tokens, if asked == Some(Asked::Service) { &anything } else { &used });
        let mut understood = Understood {
            length,
            intents: Vec::new(),
            info_topics: Vec::new(),
            service_ids: Vec::new(),
            services_ambiguous: services.options.iter().any(|ids| ids.len() > 1),
            service_options: Vec::new(),
            service_unknown: services.unknown.map(|i| text.source[tokens[i].range.clone()].to_lowercase()),
            staff_ids: staff.ids,
            staff_any: staff.any || asked == Some(Asked::Staff) && intents::indifferent(tokens),
            staff_not_ids: staff.not_ids,
            when: times.when,
            name,
            phone,
            people: if staff.different { people.max(2) } else { people },
            rating,
            choice,
            same_as_last: facts::same_as_last(tokens),
            staff_same: staff.same,
            staff_different: staff.different,
            staff_other: staff.other,
            staff_unknown: staff.unknown.map(|i| facts::titled(&text.source[tokens[i].range.clone()])),
            same_time: times.same_time,
            same_day: times.same_day,
            shift_minutes: times.shift_minutes,
            when_impossible: times.impossible,
            when_refused: times.refused,
            when_old: times.old,
            lang: if text.script == Script::English { Lang::En } else { Lang::Ru },
        };
        for id in services.options.iter().flatten() {
            if !understood.service_ids.contains(id) && (understood.service_ids.len() < MOST_SERVICES) {
                understood.service_ids.push(*id);
            }
        }
        if understood.services_ambiguous && services.options.len() > 1 {
            understood.service_options = services.options;
        }
        (understood.intents, understood.info_topics) = intents::read(&text, context, &understood, services.any_word);
        understood
    }
}

/// «Стоп» is of the feet behind a work or a part of the body only: «массаж стоп», «массаж лица и стоп».
fn stop_or_feet(tokens: &mut [Token]) {
    for i in 0..tokens.len() {
        if tokens[i].text == "стоп" {
            let joined = usize::from(i > 1 && tokens[i - 1].is(Sense::And));
            let of_work = i > 0 && tokens[i - 1 - joined].trades().next().is_some();
            tokens[i].mean(Lexicon::get().senses(if of_work { "стопы" } else { "stop" }).unwrap_or_default());
        }
    }
}

/// Services named in one answer.
const MOST_SERVICES: usize = 5;

/// The offered time that was named again.
fn offered(times: &when::Times, context: &Context, picks: bool) -> Option<usize> {
    match times.when[..] {
        // «Которое в среду», where one of several offers is.
        [crate::When::Day { from, .. }] if context.asked == Some(Asked::Choice) && picks => {
            let mut there = (1..).zip(&context.offered).filter(|(_, at)| at.date() == from).map(|(n, _)| n);
            let only = there.next();
            only.filter(|_| there.next().is_none())
        }
        [crate::When::At { from, time_only, .. }] => {
            let exact = context.offered.iter().position(|at| *at == from);
            // «В 14» picks nothing where 14:00 was offered on two days.
            let mut alike = (1..).zip(&context.offered).filter(|(_, at)| time_only && at.time() == from.time()).map(|(n, _)| n);
            let only = alike.next().filter(|_| alike.next().is_none());
            exact.filter(|_| !time_only).map(|i| i + 1).or(only)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::{CompanyId, Hours, Money, PriceRange, SalonId, Service, ServiceId, Staff, StaffId, WorkDay};
    use jiff::{
        ToSpan,
        civil::{date, time},
        tz::TimeZone,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::Intent;

    fn salon() -> Salon {
        salon_with(&[
            (1, "Маникюр классический", "Ногти", &[]),
            (2, "Маникюр с покрытием", "Ногти", &[]),
            (3, "Педикюр", "Ногти", &[]),
            (4, "Маникюр + педикюр", "Ногти", &[2, 3]),
            (5, "Снятие гель-лака", "Ногти", &[]),
            (6, "Дизайн ногтей", "Ногти", &[]),
            (7, "Стрижка женская", "Волосы", &[]),
            (8, "Стрижка мужская", "Волосы", &[]),
            (9, "Окрашивание корней", "Волосы", &[]),
            (10, "Мелирование", "Волосы", &[]),
            (11, "Вечерняя укладка", "Волосы", &[]),
            (12, "Ламинирование ресниц", "Взгляд", &[]),
            (13, "Архитектура бровей", "Взгляд", &[]),
            (14, "Шугаринг ног полностью", "Депиляция", &[]),
            (15, "Шугаринг подмышек", "Депиляция", &[]),
            (16, "Массаж лица", "Лицо", &[]),
            (17, "Чистка лица", "Лицо", &[]),
        ])
    }

    fn salon_with(services: &[(i64, &str, &str, &[i64])]) -> Salon {
        let service = |(id, title, category, parts): (i64, &str, &str, &[i64])| Service {
            id: ServiceId(id),
            title: title.to_owned(),
            category: category.to_owned(),
            price: PriceRange::new(Money(1000), Money(1500)),
            minutes: 60,
            description: String::new(),
            staff: Vec::new(),
            composite_of: parts.iter().copied().map(ServiceId).collect(),
        };
        let staff = |(id, name): (i64, &str)| Staff { id: StaffId(id), name: name.to_owned(), specialization: String::new(), rating: None };
        let days = (0..40).map(|n| date(2026, 11, 23).checked_add(n.days()).expect("a date"));
        Salon {
            company_id: CompanyId(1),
            salon_id: SalonId(1),
            title: "Мята".to_owned(),
            city: "Казань".to_owned(),
            address: "ул. Баумана, 7".to_owned(),
            phone: None,
            timezone: TimeZone::UTC,
            currency: "₽".to_owned(),
            services: services.iter().copied().map(service).collect(),
            staff: [(1, "Елена"), (2, "Дарья"), (3, "Софья К."), (4, "Роман"), (5, "Гузель"), (6, "Елена Макарова")]
                .into_iter()
                .map(staff)
                .collect(),
            schedule: days
                .map(|date| WorkDay { staff_id: StaffId(1), date, hours: vec![Hours { from: time(10, 0, 0, 0), to: time(20, 0, 0, 0) }] })
                .collect(),
        }
    }

    fn now() -> DateTime {
        date(2026, 11, 23).at(10, 0, 0, 0)
    }

    fn check<T: PartialEq + std::fmt::Debug>(context: &Context, cases: &[(&str, T)], pick: impl Fn(&Understood) -> T) {
        check_in(&salon(), context, cases, pick);
    }

    fn check_in<T: PartialEq + std::fmt::Debug>(salon: &Salon, context: &Context, cases: &[(&str, T)], pick: impl Fn(&Understood) -> T) {
        let reader = Reader::new(Some(salon));
        let mut wrong = Vec::new();
        for (text, expected) in cases {
            let read = pick(&reader.read(text, now(), context));
            if read != *expected {
                wrong.push(format!("«{text}»: {read:?}, expected {expected:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }

    #[test]
    fn services() {
        let cases: &[(&str, Vec<i64>)] = &[
            ("маникюр", vec![1, 2]),
            ("хочу маник с покрытием", vec![2]),
            ("классический маникюр", vec![1]),
            ("манекюр с гель лаком", vec![2]),
            ("педикюрчик", vec![3]),
            ("маникюр и педикюр", vec![4]),
            ("вечерняя укладка", vec![11]),
            ("снять гель-лак", vec![5]),
            ("снятие", vec![5]),
            ("сделать ноготки", vec![1, 2]),
            ("дизайн", vec![6]),
            ("подстричься", vec![7, 8]),
            ("женскую стрижку", vec![7]),
            ("подстричь мужа", vec![8]),
            ("покрасить корни", vec![9]),
            ("укладка", vec![11]),
            ("стрижка мужская и мелирование", vec![8, 10]),
            ("реснички", vec![12]),
            ("бровки", vec![13]),
            ("оформление бровей", vec![13]),
            ("шугаринг", vec![14, 15]),
            ("шугаринг ног", vec![14]),
            ("депиляция подмышек", vec![15]),
            ("массаж", vec![16]),
            ("чистку лица", vec![17]),
            ("что-нибудь для лица", vec![16, 17]),
            ("маникюр с покрытием и без", vec![2, 1]),
            ("шугаринг ног и подмышек", vec![14, 15]),
            ("мужскую стрижку с укладкой", vec![8, 11]),
            ("zapishite na pedikyur", vec![3]),
            ("пидикюрр", vec![3]),
            ("пиринисти на пидикюр", vec![3]),
            ("подмышки и ноги", vec![15, 14]),
            ("ноги и подмышки, шугаринг", vec![14, 15]),
            ("ламики ресниц", vec![12]),
            ("снять гель и классику", vec![5, 1]),
            ("стрижка женская, волосы длинные", vec![7]),
            ("a manicure with gel polish, please", vec![2]),
            ("меня на маникюр с покрытием, а подругу на педикюр", vec![2, 3]),
            ("добрый день", vec![]),
            ("в один тон", vec![]),
            ("позовите человека", vec![]),
        ];
        check(&Context::default(), cases, |u| u.service_ids.iter().map(|id| id.0).collect());
        let unknown = [
            ("массаж спины и татуировку", "татуировку"),
            ("наращивание ресниц", "наращивание"),
            ("hello, a haircut and a tattoo", "tattoo"),
            ("после бритья, на стрижку", ""),
            ("стрижку, бритья не надо", ""),
            ("коррекция бровей", ""),
            ("снимите меня с записи", ""),
            ("маникюр", ""),
        ];
        let unknown = unknown.map(|(text, work)| (text, work.to_owned()));
        check(&Context::default(), &unknown, |u| u.service_unknown.clone().unwrap_or_default());
        let ambiguous = [("маникюр", true), ("маникюр с покрытием", false), ("стрижка мужская и мелирование", false)];
        check(&Context::default(), &ambiguous, |u| u.services_ambiguous);
    }

    #[test]
    fn a_haircut_to_nothing_is_no_plain_haircut() {
        let salon = salon_with(&[
            (1, "Мужская стрижка", "Услуги", &[]),
            (2, "Моделирование бороды", "Услуги", &[]),
            (3, "Стрижка + борода", "Услуги", &[1, 2]),
            (4, "Стрижка под ноль", "Услуги", &[]),
        ]);
        let reader = Reader::new(Some(&salon));
        for (text, ids) in [("стрижка + борода", 3), ("стрижка и борода к Тане", 3), ("под ноль", 4), ("стрижка под ноль", 4)]
        {
            let read = reader.read(text, date(2026, 11, 23).at(10, 0, 0, 0), &Context::default());
            assert_eq!(read.service_ids, [ServiceId(ids)], "{text}");
        }
    }

    #[test]
    fn as_the_list_writes_it() {
        let salon = salon_with(&[
            (1, "Окрашивание Air Touch", "Волосы", &[]),
            (2, "Окрашивание Total Blond", "Волосы", &[]),
            (3, "Гидропилинг HydraFacial", "Лицо", &[]),
            (4, "Стрижка собак до 10 кг", "Груминг", &[]),
            (5, "Стрижка собак от 10 кг", "Груминг", &[]),
            (6, "Стрижка кошек", "Груминг", &[]),
            (7, "Вычёсывание", "Груминг", &[]),
            (8, "Татуировка", "Тату", &[]),
            (9, "Перекрытие старой татуировки", "Тату", &[]),
            (10, "Удаление татуировки", "Тату", &[]),
            (11, "Детская стрижка 3–6 лет", "Волосы", &[]),
            (12, "Детская стрижка 7–12 лет", "Волосы", &[]),
            (13, "Коррекция бровей", "Брови", &[]),
            (14, "Коррекция и окрашивание бровей хной", "Брови", &[]),
            (15, "Стрижка бороды", "Борода", &[]),
            (16, "Камуфляж бороды", "Борода", &[]),
            (17, "Стрижка когтей", "Груминг", &[]),
            (18, "Чистка зубов", "Груминг", &[]),
            (19, "Груминг: пудель", "Породы", &[]),
            (20, "Наращивание ресниц 2D", "Ресницы", &[]),
            (21, "Наращивание ресниц классика", "Ресницы", &[]),
            (22, "Увеличение губ 0,5 мл", "Инъекции", &[]),
            (23, "Увеличение губ 1 мл", "Инъекции", &[]),
            (24, "SPA-уход для рук", "Уход", &[]),
            (25, "SPA-уход для стоп", "Уход", &[]),
            (26, "Нитевой лифтинг", "Лицо", &[]),
            (27, "Кинезиотейпирование", "Тело", &[]),
            (28, "Мытьё собаки без стрижки", "Груминг", &[]),
            (29, "BB Glow", "Лицо", &[]),
            (30, "Турбосолярий", "Загар", &[]),
            (31, "Дарсонваль", "Лицо", &[]),
            (32, "Лазерная эпиляция ног", "Эпиляция", &[]),
            (33, "Шугаринг ног", "Эпиляция", &[]),
            (34, "Ботокс для волос", "Волосы", &[]),
            (35, "Мелирование", "Волосы", &[]),
            (36, "Снятие гель-лака", "Ногти", &[]),
            (37, "Маникюр с покрытием", "Ногти", &[]),
            (38, "Дизайн ногтя", "Ногти", &[]),
        ]);
        let cases: &[(&str, Vec<i64>)] = &[
            ("эйр тач", vec![1]),
            ("эйртач", vec![1]),
            ("airtouch", vec![1]),
            ("тотал блонд", vec![2]),
            ("хайдрафешл", vec![3]),
            ("собаку постричь", vec![4, 5]),
            ("шпица подстричь, 4 кг", vec![4]),
            ("хаски 25 кг на стрижку", vec![5]),
            ("кот линяет, вычесать бы", vec![7]),
            ("хочу тату", vec![8]),
            ("свести тату", vec![10]),
            ("сыну 8 лет, стрижку", vec![12]),
            ("аллергия на хну, коррекция бровей", vec![13]),
            ("подровнять бороду", vec![15]),
            ("борода", vec![15]),
            ("когти подстричь коту", vec![17]),
            ("губы 0,5", vec![22]),
            ("мелирование, мастер мужчина?", vec![35]),
            ("мелирование, что лучше для тёмных волос", vec![35]),
            ("убрать старый гель", vec![36]),
            ("с дизайном маникюр с покрытием", vec![38, 37]),
            ("BB glow завтра утром", vec![29]),
            ("солярий 10 минут", vec![30]),
            ("дарсонвализация", vec![31]),
            ("сахаром ноги", vec![33]),
            ("эпиляция ног лазером или сахаром", vec![32, 33]),
            ("спа для ножек", vec![25]),
            ("нити поставить", vec![26]),
            ("тейпы наклеить", vec![27]),
            ("мопс 9 кг, помыть и подстричь", vec![4]),
            ("помыть собаку", vec![28]),
            ("зубки псу почистить", vec![18]),
            ("пуделя на груминг", vec![19]),
            ("классику нарастить, 2d не надо", vec![21]),
        ];
        check_in(&salon, &Context::default(), cases, |u| u.service_ids.iter().map(|id| id.0).collect());
    }

    #[test]
    fn only_what_was_asked_for() {
        let salon = salon_with(&[
            (1, "Стрижка", "Мужской зал", &[]),
            (2, "Стрижка бороды", "Мужской зал", &[]),
            (3, "Стрижка + борода", "Мужской зал", &[1, 2]),
            (4, "Детская стрижка (до 12 лет)", "Мужской зал", &[]),
            (5, "Отец и сын", "Мужской зал", &[1, 4]),
            (6, "Маникюр мужской", "Ногти", &[]),
            (7, "Маникюр женский", "Ногти", &[]),
            (8, "Покрытие гель-лаком", "Ногти", &[]),
            (9, "Шугаринг глубокое бикини", "Депиляция", &[]),
            (10, "Шугаринг голени", "Депиляция", &[]),
            (11, "Шугаринг подмышки", "Депиляция", &[]),
            (12, "Комплекс: бикини + голени", "Депиляция", &[9, 10]),
            (13, "Классический массаж спины", "Массаж", &[]),
            (14, "Общий массаж тела", "Массаж", &[]),
            (15, "Антицеллюлитный массаж", "Массаж", &[]),
            (16, "Педикюр с покрытием", "Ногти", &[]),
            (17, "Педикюр без покрытия", "Ногти", &[]),
            (18, "Коррекция бровей", "Брови", &[]),
            (19, "Коррекция и окрашивание бровей", "Брови", &[]),
        ]);
        let cases: &[(&str, Vec<i64>)] = &[
            // A composite is two services, not one of them and another.
            ("бикини и подмышки у Тани", vec![9, 11]),
            ("бикини и голени", vec![12]),
            ("бикини, голени и подмышки", vec![12, 11]),
            ("шугаринг бикини и ноги до колена", vec![12]),
            // What is refused is no wish.
            ("стрижку не надо, только бороду", vec![2]),
            ("бороду без стрижки", vec![2]),
            ("не стрижку, а бороду", vec![2]),
            ("стрижка и борода", vec![3]),
            ("без маникюра, только педикюр", vec![16, 17]),
            ("педикюр, покрытие не нужно", vec![17]),
            ("педикюр без покрытия", vec![17]),
            ("педикюр обычный", vec![17]),
            ("брови без окрашивания, просто коррекция", vec![18]),
            ("маникюр не надо", vec![]),
            ("педикюр без гель-лака", vec![17]),
            ("гель-лак на ноги", vec![16]),
            ("хочу педикюр в субботу, покрытие не надо", vec![17]),
            ("без покрытия и без дизайна педикюр", vec![17]),
            ("педикюр без дизайна с покрытием", vec![16]),
            ("маникюр женский или педикюр без покрытия", vec![7, 17]),
            // No removal here, and no coating was asked for.
            ("снять гель и маникюр женский", vec![7]),
            // Whom it is for is no work.
            ("дочке маникюр", vec![7]),
            // A child is said.
            ("подстричься", vec![1]),
            ("сына подстричь", vec![4]),
            ("малого постричь, 7 лет", vec![4]),
            ("два пацана, 7 и 9 лет, обоих подстричь", vec![4]),
            ("сына подстричь и самому подстричься", vec![5]),
            ("девочки, добрый день, на стрижку запишите", vec![1]),
            ("7 лет хожу к вам на стрижку", vec![1]),
            // A coating of its own.
            ("жене маникюр с гель-лаком", vec![7, 8]),
            ("педикюр с гель-лаком", vec![16]),
            // Every massage is one.
            ("массаж", vec![13, 14, 15]),
        ];
        check_in(&salon, &Context::default(), cases, |u| u.service_ids.iter().map(|id| id.0).collect());
        check_in(&salon, &Context::default(), &[("два пацана, 7 и 9 лет, обоих подстричь", 2)], |u| u.people);
    }

    #[test]
    fn what_titles_explain_and_join() {
        let salon = salon_with(&[
            (1, "Маникюр + гель-лак (снятие в подарок)", "Ногти", &[]),
            (2, "Маникюр без покрытия (гигиенический)", "Ногти", &[]),
            (3, "Педикюр + гель-лак", "Ногти", &[]),
            (4, "Снятие гель-лака без последующего покрытия", "Ногти", &[]),
            (5, "Стрижка", "Барбер", &[]),
            (6, "Борода (моделирование)", "Барбер", &[]),
            (7, "Тонировка бороды", "Барбер", &[]),
            (8, "Стрижка + борода", "Барбер", &[5, 6]),
            (9, "Детская стрижка (мальчик)", "Дети", &[]),
            (10, "Детская стрижка (девочка)", "Дети", &[]),
            (11, "Шугаринг бикини тотальное", "Шугаринг", &[]),
            (12, "Лазер: бикини глубокое", "Лазер", &[]),
            (13, "Лазер: верхняя губа (1 зона)", "Лазер", &[]),
            (14, "Полировка волос", "Уход", &[]),
            (15, "Первая стрижка + диплом", "Дети", &[]),
            (16, "Окрашивание Airtouch (средняя длина)", "Волосы", &[]),
            (17, "Шатуш / балаяж", "Волосы", &[]),
            (18, "Биозавивка", "Волосы", &[]),
            (19, "Подравнивание усов", "Барбер", &[]),
            (20, "Комплекс S: подмышки", "Комплексы", &[]),
            (21, "Комплекс M: подмышки и голени", "Комплексы", &[]),
            (22, "Спортивный массаж", "Массаж", &[]),
            (23, "Массаж спины", "Массаж", &[]),
            (24, "Лимфодренаж ручной", "Массаж", &[]),
            (25, "Гидропилинг (Hydrafacial)", "Лицо", &[]),
            (26, "Вычёсывание кошки", "Кошки", &[]),
            (27, "Стрижка когтей", "Все", &[]),
        ]);
        let cases: &[(&str, Vec<i64>)] = &[
            ("маникюр", vec![1, 2]),
            ("снятие", vec![4]),
            ("сниму гель без покрытия", vec![4]),
            ("маникюр и педикюр с гель-лаком", vec![1, 3]),
            ("с покрытием педикюр", vec![3]),
            ("стрижка с бородой", vec![8]),
            ("тока бороду", vec![6]),
            ("бороду подровнять", vec![6]),
            ("броду подровнять", vec![6]),
            ("стрику завтра", vec![5]),
            ("шугаринг глубокого бикини", vec![11]),
            ("лазер бикини и усики", vec![12, 13]),
            ("волосы отполировать", vec![14]),
            ("первую стрижку, нам год", vec![15]),
            ("сыну и дочке стрижку", vec![9, 10]),
            ("я с сыном, стрижки обоим", vec![5, 9]),
            ("мне стрижку, сыну детскую", vec![5, 9]),
            ("не стрижку, а полировку", vec![14]),
            ("эиртач", vec![16]),
            ("балаяж", vec![17]),
            ("завивка", vec![18]),
            ("подравнять усы и бороду", vec![19, 6]),
            ("комплекс М", vec![21]),
            ("спина болит, спортивный массаж", vec![22]),
            ("спортивный массаж или лимфодренаж", vec![22, 24]),
            ("Hydrafacial please", vec![25]),
            ("когти коту", vec![27]),
            ("педикюр и маникюр, оба с покрытием", vec![3, 1]),
            ("сына и меня, стрижки", vec![5, 9]),
        ];
        check_in(&salon, &Context::default(), cases, |u| u.service_ids.iter().map(|id| id.0).collect());
        let unknown = [
            ("маникюр и прессотерапию", Some("прессотерапию".to_owned())),
            ("запишите на педикюр и педикюр детский, и татуаж", Some("татуаж".to_owned())),
            ("маникюр и педикюр", None),
            ("маникюр и скажите адрес", None),
            ("татуаж не надо, только маникюр", None),
            ("маникюр на завтра", None),
            ("на пятое запишите", None),
        ];
        check_in(&salon, &Context::default(), &unknown, |u| u.service_unknown.clone());
    }

    #[test]
    fn the_lists_own_words() {
        let salon = salon_with(&[
            (1, "Педикюр «Всё включено»", "Ногти", &[]),
            (2, "Мужской педикюр", "Мужчинам", &[]),
            (3, "Педикюр без покрытия", "Ногти", &[]),
            (4, "Уход K18", "Уход", &[]),
            (5, "Уход Davines", "Уход", &[]),
            (6, "Укладка (короткие волосы)", "Укладка", &[]),
            (7, "Укладка (длинные волосы)", "Укладка", &[]),
            (8, "Ребёнок до 10 лет", "Барбершоп", &[]),
            (9, "Стрижка", "Барбершоп", &[]),
            (10, "Лазерная эпиляция александрит: подмышки", "Александрит", &[]),
            (11, "Лазерная эпиляция александрит: бикини", "Александрит", &[]),
            (12, "Лазерная эпиляция диод: подмышки", "Диод", &[]),
            (13, "Лазерная эпиляция диод: бикини", "Диод", &[]),
            (14, "Фотоэпиляция: подмышки", "Фото", &[]),
            (15, "Массаж 60 минут", "Массаж", &[]),
        ]);
        let cases: &[(&str, Vec<i64>)] = &[
            ("педикюр", vec![1, 3]),
            ("уход к18", vec![4]),
            ("у меня короткие волосы, хочу укладку", vec![6]),
            ("ребенка постричь семь лет", vec![8]),
            ("александрит подмышки и бикини", vec![10, 11]),
            ("подмышки", vec![10, 12, 14]),
            ("массаж", vec![15]),
        ];
        check_in(&salon, &Context::default(), cases, |u| u.service_ids.iter().map(|id| id.0).collect());
        check_in(&salon, &Context::default(), &[("уход к18", 0), ("уход к 18", 1)], |u| u.when.len());
        check_in(&salon, &Context::default(), &[("всё включено завтра можно?", Intent::Book)], |u| u.intents[0]);
    }

    #[test]
    fn whom_it_is_for() {
        let salon = salon_with(&[
            (1, "Мужская стрижка", "Барбершоп", &[]),
            (2, "Стрижка бороды", "Барбершоп", &[]),
            (3, "Отец и сын", "Барбершоп", &[]),
            (4, "Детская (до 12)", "Барбершоп", &[]),
            (5, "Женская стрижка", "Стрижки", &[]),
            (6, "Коррекция воском", "Барбершоп", &[]),
            (7, "Маникюр", "Ногти", &[]),
            (8, "Дизайн ногтей: стемпинг/фольга", "Ногти", &[]),
            (9, "Массаж стоп", "Массаж", &[]),
            (10, "Чистка УЗ + маска", "Лицо", &[]),
            (11, "Хаммам + пилинг", "SPA", &[]),
        ]);
        let cases: &[(&str, Vec<i64>)] = &[
            ("стрижка ребенку 10 лет", vec![4]),
            ("на детскую", vec![4]),
            ("мужу и мне стрижки", vec![5, 1]),
            ("отец и сын", vec![3]),
            ("бороду оформить", vec![2]),
            ("стемпинг на все ногти", vec![8]),
            ("стопы", vec![9]),
            ("массаж стоп", vec![9]),
            ("стоп", vec![]),
            ("уз чистка", vec![10]),
            ("хамам", vec![11]),
        ];
        check_in(&salon, &Context::default(), cases, |u| u.service_ids.iter().map(|id| id.0).collect());
        let intents = [
            ("массаж стоп", Intent::Book),
            ("стоп", Intent::Stop),
            ("хамам на двоих", Intent::Book),
            ("расскажите про стемпинг", Intent::Services),
            ("сколько будут маникюр и массаж стоп", Intent::Price),
            ("после чистки шелушится, это нормально?", Intent::Info),
            ("Роман завтра есть?", Intent::FreeTimes),
            ("доброго денёчка вам", Intent::Greeting),
            ("напомните, когда мне на маникюр и сколько он стоит", Intent::MyBookings),
            ("можно в мою субботнюю запись вместо стрижки сделать тонирование?", Intent::Reschedule),
            ("скиньте прайсик", Intent::Price),
            ("что у вас есть из педикюра", Intent::Services),
            ("я не отменяю запись, просто уточняю адрес", Intent::Info),
            ("спасибо большое, ещё приду к вам", Intent::Thanks),
            ("ой нет не в пятницу а в субботу в 11 маникюр", Intent::Book),
        ];
        check_in(&salon, &Context::default(), &intents, |u| u.intents[0]);
    }

    #[test]
    fn staff() {
        let cases: &[(&str, Vec<i64>)] = &[
            ("к Елене", vec![1, 6]),
            ("к Лене", vec![1, 6]),
            ("к Дашеньке", vec![2]),
            ("у Сони", vec![3]),
            ("к софе", vec![3]),
            ("к Роме", vec![4]),
            ("к Гузель", vec![5]),
            ("к гузеле", vec![5]),
            ("гузелечка свободна?", vec![5]),
            ("не записывайте меня больше к Гузель", vec![]),
            ("к Макаровой", vec![6]),
            ("к Лене Макаровой", vec![6]),
            ("с Дарьей", vec![2]),
            ("к Дарьье", vec![2]),
            ("к Дашке в пт можно?", vec![2]),
            ("Ромка свободен завтра?", vec![4]),
            ("у Даши была в прошлый раз, теперь хочу к Соне", vec![3]),
            ("Can I book Roman on Saturday?", vec![4]),
            ("k dashe", vec![2]),
            ("with Roman", vec![4]),
            ("роман", vec![4]),
            ("к Даше, нет, к Соне", vec![3]),
            ("к Даше или к Соне", vec![2, 3]),
            ("перезапишите меня с Даши на Соню", vec![3]),
            ("перенесите от Даши к Роме", vec![4]),
            ("к Роме не смогу прийти, отменяйте. А к Соне приду, как договаривались", vec![4]),
            ("запись к Даше отмените, к Соне оставьте", vec![2]),
            ("не к Даше", vec![]),
            ("к Ане", vec![]),
            ("k Guzel", vec![5]),
        ];
        check(&Context::default(), cases, |u| u.staff_ids.iter().map(|id| id.0).collect());
        check(
            &Context::default(),
            &[("не к Даше", vec![2]), ("к Даше не надо, к Роме", vec![2]), ("только не к роме", vec![4]), ("к Соне", vec![])],
            |u| u.staff_not_ids.iter().map(|id| id.0).collect(),
        );
        let any = [
            ("к любому мастеру", true),
            ("кто свободен", true),
            ("без разницы к кому", true),
            ("мастер не важен", true),
            ("к свободному мастеру", true),
            ("неважно к кому", true),
            ("запишите на завтра в 12 у кого есть место", true),
            ("к Даше", false),
            ("в любое время", false),
        ];
        check(&Context::default(), &any, |u| u.staff_any);
        let mut team = salon();
        team.staff.extend([(7, "Юля К."), (8, "Юля Т."), (9, "Лена")].map(|(id, name)| Staff {
            id: StaffId(id),
            name: name.to_owned(),
            specialization: String::new(),
            rating: None,
        }));
        let called = [("к Юле", vec![7, 8]), ("к Юле Т", vec![8]), ("к Лене", vec![9])];
        check_in(&team, &Context::default(), &called, |u| u.staff_ids.iter().map(|id| id.0).collect());
        check(
            &Context::default(),
            &[("к нему же", true), ("к той же девушке, к тому же мастеру", true), ("к Даше", false)],
            |u| u.staff_same,
        );
        check(
            &Context::default(),
            &[("к Ане на педикюр", Some("Ане".to_owned())), ("к Даше", None), ("у вас", None)],
            |u| u.staff_unknown.clone(),
        );
    }

    #[test]
    fn facts() {
        let no = Context::default();
        check(
            &no,
            &[
                ("вдвоём с подругой", 2),
                ("на двоих", 2),
                ("нас трое", 3),
                ("2 человека", 2),
                ("я с мужем", 2),
                ("хотим с мамой", 2),
                ("дочку и меня", 2),
                ("сына 5 лет подстричь и меня", 2),
                ("2 мужские стрижки", 2),
                ("в 2 стрижка", 1),
                ("педикюр и маникюр, оба", 1),
                ("подругу запишите", 1),
                ("обе руки", 1),
                ("ребёнку 2 года массаж в субботу и в воскресенье, оба раза в 10", 1),
                ("с сыном на стрижку", 2),
                ("двух мальчиков постричь", 2),
                ("two haircuts", 2),
                ("в 2 женщину постричь", 1),
                ("мужу педикюр и мне маникюр", 2),
                ("мужу стрижку, мне мелирование", 2),
                ("мне педикюр, подруге маникюр", 2),
                ("can I come with my wife", 2),
                ("маникюр 2 людям", 2),
                ("massage for two", 2),
                ("massage for two hours", 1),
                ("на 15", 1),
                ("ребенку 4 года стрижка", 1),
                ("мальчик и девочка, постричь", 2),
                ("отец и два сына", 3),
                ("маму и дочку подстричь", 2),
                ("папа тоже придёт с сыном", 2),
                ("сыну 10, мне стрижку", 2),
                ("мне, маме и сестре педикюр", 3),
                ("я и двое детей", 3),
                ("мужской и женский зал", 1),
            ],
            |u| u.people,
        );
        check(
            &no,
            &[
                ("Меня зовут Ольга Петрова", Some("Ольга Петрова")),
                ("я вика", Some("Вика")),
                ("меня зовут на маникюр", None),
                ("меня Настя зовут", Some("Настя")),
                ("запишите, муж оплатит, Ольга, 89172223344", Some("Ольга")),
                ("запишите к Ольге, 89172223344", None),
                ("запишите на Веронику, 89172223344", Some("Вероника")),
                ("марина 89172223344", Some("Марина")),
                ("на завтра в 15 Дина 89172223344", Some("Дина")),
                ("к Даше", None),
                ("my name is Tom", Some("Tom")),
                ("как вас зовут?", None),
            ],
            |u| u.name.as_deref().map(|name| Box::leak(name.to_owned().into_boxed_str()) as &str),
        );
        check(
            &no,
            &[
                ("8 916 123-45-67", Some("79161234567".to_owned())),
                ("мой +7(916)1234567", Some("79161234567".to_owned())),
                ("15:30", None),
                ("4111 1111 1111 1111", None),
            ],
            |u| u.phone.as_ref().map(|phone| phone.digits().to_owned()),
        );
        let name = Context { asked: Some(Asked::Name), ..no.clone() };
        check(
            &name,
            &[
                ("оля", Some("Оля".to_owned())),
                ("Марта", Some("Марта".to_owned())),
                ("маникюр", None),
                ("да", None),
                ("Айгуль Ренатовна", Some("Айгуль Ренатовна".to_owned())),
                ("Петрова Анна Сергеевна", Some("Петрова Анна Сергеевна".to_owned())),
            ],
            |u| u.name.clone(),
        );
        let review = Context { asked: Some(Asked::Review), ..no.clone() };
        check(
            &review,
            &[
                ("5", Some(5)),
                ("твёрдая четвёрка", Some(4)),
                ("3 из 5", Some(3)),
                ("⭐⭐", Some(2)),
                ("приду 25", None),
                ("всё хорошо", None),
            ],
            |u| u.rating,
        );
        let offered = vec![date(2026, 11, 24).at(15, 0, 0, 0), date(2026, 11, 24).at(12, 0, 0, 0), date(2026, 11, 25).at(18, 0, 0, 0)];
        let choice = Context { asked: Some(Asked::Choice), offered, day: None };
        let picks = [
            ("2", Some(2)),
            ("первый вариант", Some(1)),
            ("второе время", Some(2)),
            ("давайте последнее", Some(3)),
            ("самое раннее", Some(2)),
            ("пусть первый будет", Some(1)),
            ("в 18", Some(3)),
            ("в 12", Some(2)),
            ("завтра в 12", Some(2)),
            ("которое в среду", Some(3)),
            ("то, что в среду", Some(3)),
            ("вариант в среду", Some(3)),
            ("в среду", None),
            ("любое", Some(1)),
            ("4", None),
            ("в 11", None),
            ("не второе", None),
        ];
        check(&choice, &picks, |u| u.choice);
        let changes = [
            ("перенесите вторую на час раньше", Some(2)),
            ("отмените первую", Some(1)),
            ("первую перенесите на 15", Some(1)),
            ("вторую отмените", Some(2)),
        ];
        check(&choice, &changes, |u| u.choice);
        check(&choice, &[("перенесите вторую на 12:00", 1), ("вторую", 0)], |u| u.when.len());
        check(
            &no,
            &[("как в прошлый раз", true), ("то же, что обычно", true), ("в прошлый раз было плохо", false), ("маникюр", false)],
            |u| u.same_as_last,
        );
    }

    #[test]
    fn first_intent() {
        use Intent as I;
        let no = Context::default();
        let cases = [
            ("Здравствуйте", I::Greeting),
            ("добрый вечер!", I::Greeting),
            ("уже бегу, буду в 15:10", I::Late),
            ("упс, опоздал) тогда на 16 сегодня", I::Book),
            ("опоздала на автобус, буду через 10 минут", I::Late),
            ("спс, огонь подстригли в прошлый раз, до встречи", I::Thanks),
            ("шея колом стоит", I::Other),
            ("погода ужас конечно", I::Other),
            ("приветики", I::Greeting),
            ("мне в другом месте криво сделали, можно исправить?", I::Other),
            ("так ждать нельзя, у вас криво сделали", I::Complaint),
            ("не смогу в среду, можно переиграть на пятницу?", I::Reschedule),
            ("третий раз жду по полчаса, это нормально вообще?", I::Complaint),
            ("ну спасибо вам огромное за сожжённые волосы", I::Complaint),
            ("здравствуйте, я на четверг записана", I::MyBookings),
            ("я записана на четверг, перенесите на пятницу", I::Reschedule),
            ("не успеваю, буду в 15:10", I::Late),
            ("завтра никак", I::Reschedule),
            ("завтра никак, заболел ребенок", I::Cancel),
            ("заболела", I::Cancel),
            ("не успеваю к 12, можно к часу?", I::Reschedule),
            ("скажите вы делаете педикюр", I::Services),
            ("запись не нужна, спасибо", I::Cancel),
            ("сколько идет процедура?", I::Info),
            ("надо ли брить перед маникюром?", I::Info),
            ("к которому часу мне подойти завтра", I::MyBookings),
            ("когда Роман работает на этой неделе", I::FreeTimes),
            ("вы обманщики", I::Complaint),
            ("вросший ноготь удаляете?", I::Services),
            ("жду уже 20 минут, никто не вышел", I::Complaint),
            ("подтвердите мою запись", I::MyBookings),
            ("что у меня на субботу?", I::MyBookings),
            ("когда мне на маникюр?", I::MyBookings),
            ("do not cancel please, I'll be there", I::Other),
            ("what are your opening hours on weekends?", I::Info),
            ("педикюр, какие даты есть?", I::FreeTimes),
            ("а маникюр у вас какой?", I::Services),
            ("у вас мужчин стригут?", I::Services),
            ("через полторы недели", I::Book),
            ("запишите на маникюр завтра в 15", I::Book),
            ("можно завтра?", I::Book),
            ("педикюр", I::Book),
            ("к Даше", I::Book),
            ("в пятницу в 12", I::Book),
            ("есть окошко на завтра?", I::FreeTimes),
            ("когда можно записаться?", I::FreeTimes),
            ("Даша свободна в среду?", I::FreeTimes),
            ("сколько стоит педикюр?", I::Price),
            ("почём маникюр", I::Price),
            ("какие у вас услуги?", I::Services),
            ("делаете татуаж?", I::Services),
            ("кто делает мелирование?", I::Staff),
            ("какие мастера работают?", I::Staff),
            ("где вы находитесь?", I::Info),
            ("до скольки открыты?", I::Info),
            ("можно картой?", I::Info),
            ("есть парковка?", I::Info),
            ("когда я записана?", I::MyBookings),
            ("мои записи", I::MyBookings),
            ("перенесите запись на пятницу", I::Reschedule),
            ("что у меня записано?", I::MyBookings),
            ("запись на завтра актуальна?", I::MyBookings),
            ("во сколько завтра подойти?", I::MyBookings),
            ("вертикальный солярий сколько минута?", I::Price),
            ("педикюр сколько минут?", I::Info),
            ("к кому лучше на мелирование?", I::Staff),
            ("не смогу в пятницу, давайте на другой день", I::Reschedule),
            ("проспал, буду через полчаса", I::Late),
            ("а в субботу до которого часа можно записаться", I::Info),
            ("а на завтра нет ничего?", I::FreeTimes),
            ("педикюр или маникюр, что дешевле?", I::Price),
            ("вы завтра меня ждёте в 15?", I::MyBookings),
            ("вечером не могу, утро есть?", I::Book),
            ("лицо сохнет, чистка лица есть?", I::Services),
            ("подойдёт любой мастер, в среду", I::Book),
            ("когда мне к вам?", I::MyBookings),
            ("сколько с меня будет за завтрашний визит?", I::MyBookings),
            ("какой у меня мастер завтра?", I::MyBookings),
            ("на что я записана в пятницу", I::MyBookings),
            ("на когда есть запись?", I::FreeTimes),
            ("скинь мою запись на субботу", I::Reschedule),
            ("не успеваю в четверг к 18, давайте 18:30", I::Reschedule),
            ("не успеваю к 18, буду в 18:10", I::Late),
            ("буду минут через 20", I::Late),
            ("замените педикюр на маникюр с покрытием", I::Reschedule),
            ("уберите меня отовсюду", I::Cancel),
            ("можно поговорить с девушкой на ресепшене?", I::Human),
            ("мне нагрубили на ресепшене", I::Complaint),
            ("скок педикюр?", I::Price),
            ("солярий есть?", I::Services),
            ("паркинг есть?", I::Info),
            ("есть где машину поставить?", I::Info),
            ("волосы секутся ужасно, хочу стрижку", I::Book),
            ("болит спина, что посоветуете?", I::Services),
            ("передайте Даше спасибо, волосы шикарные", I::Thanks),
            ("хотя не надо, я подумаю", I::Decline),
            ("можно поменять время записи?", I::Reschedule),
            ("отмените мою запись", I::Cancel),
            ("отмнеите запись", I::Cancel),
            ("переести запись на четверг", I::Reschedule),
            ("у меня запись завтра, можно поменять на 16?", I::Reschedule),
            ("к кому я записана?", I::MyBookings),
            ("есть ли\nвремя завтра", I::FreeTimes),
            ("после чистки лицо горит", I::Complaint),
            ("не хочу говорить с ботом", I::Human),
            ("спасибо за маникюр!", I::Thanks),
            ("ужас как хочу на педикюр", I::Book),
            ("я не смогу прийти завтра", I::Cancel),
            ("прийти не смогу", I::Cancel),
            ("какие у меня записи", I::MyBookings),
            ("человек, ответьте", I::Human),
            ("мне нужно поговорить с владельцем", I::Human),
            ("меня не устроила работа мастера", I::Complaint),
            ("можно отменить запись?", I::Cancel),
            ("не смогу завтра прийти, можно на пятницу?", I::Reschedule),
            ("к кому я иду завтра", I::MyBookings),
            ("какое у меня время в субботу?", I::MyBookings),
            ("напомни, во сколько я завтра", I::MyBookings),
            ("какие виды массажа есть", I::Services),
            ("часы работы", I::Info),
            ("напомните адрес и время записи", I::Info),
            ("Добрый!", I::Greeting),
            ("хочу говорить с человеком, а не с программой", I::Human),
            ("после окрашивания волосы выпадают", I::Complaint),
            ("а отменить можно будет?", I::Info),
            ("если не смогу прийти, что делать?", I::Info),
            ("пирнисите маю запись на среду", I::Reschedule),
            ("забыла, во сколько мне завтра", I::MyBookings),
            ("проверьте, есть ли запись на мое имя", I::MyBookings),
            ("хочу, чтобы мне ответил человек", I::Human),
            ("позовите кого-нибудь", I::Human),
            ("хочу педикюр завтра в 12 у кого есть место", I::Book),
            ("чё по деньгам за педикюр", I::Price),
            ("сколько по деньгам", I::Price),
            ("что за мастер Даша? давно работает?", I::Staff),
            ("не приду завтра, перекиньте на субботу", I::Reschedule),
            ("а что у вас есть из педикюра?", I::Services),
            ("массажисты у вас мужчины или женщины?", I::Staff),
            ("какие у вас выходные?", I::Info),
            ("мастер супер, всем советую", I::Review),
            ("вы меня записали не туда", I::Complaint),
            ("ноготь сломался на следующий день", I::Complaint),
            ("по чем педикюр у вас", I::Price),
            ("сколько возьмёте за педикюр", I::Price),
            ("дорого ли мелирование", I::Price),
            ("можно с собачкой прийти", I::Info),
            ("мастер опоздала на полчаса", I::Complaint),
            ("у меня аллергия после ваших ресниц", I::Complaint),
            ("я не давала согласия на рассылку", I::Stop),
            ("завтра мой день рождения", I::Other),
            ("перезвоню позже", I::Other),
            ("стоп, не надо", I::Decline),
            ("ой, я перепутала, не надо", I::Decline),
            ("хотя нет, не надо, приду", I::Decline),
            ("всё в силе на завтра?", I::MyBookings),
            ("по каким дням вы работаете?", I::Info),
            ("больно ли делать массаж?", I::Info),
            ("а в сколько можно?", I::FreeTimes),
            ("есть педикюр? во сколько завтра можно", I::FreeTimes),
            ("сколько времени и денег займет педикюр", I::Price),
            ("машинкой под троечку", I::Other),
            ("запись на завтра отменять не нужно", I::Other),
            ("вчера писала, никто не ответил", I::Complaint),
            ("еду, но пробки ужасные", I::Late),
            ("проспала, буду через 20 минут", I::Late),
            ("my appointment is tomorrow at 11, could I come at 12 instead?", I::Reschedule),
            ("не получается сегодня, давай завтра в то же время", I::Reschedule),
            ("вы до которого часа?", I::Info),
            ("Wi-Fi есть?", I::Info),
            ("вакансии мастера есть?", I::Info),
            ("алло, ответьте кто-нибудь", I::Human),
            ("do you speak English? I need a pedicure", I::Book),
            ("мужчина или женщина делает массаж?", I::Staff),
            ("все супер, реснички огонь, 5 баллов!", I::Review),
            ("как отменить запись?", I::Info),
            ("а если я отменю, деньги вернёте?", I::Info),
            ("вы отменили мою запись?", I::Info),
            ("да", I::Confirm),
            ("давайте, записывайте", I::Confirm),
            ("👍", I::Confirm),
            ("нет", I::Decline),
            ("спасибо, не надо", I::Decline),
            ("опаздываю на 10 минут", I::Late),
            ("стою в пробке", I::Late),
            ("спасибо", I::Thanks),
            ("позовите администратора", I::Human),
            ("хочу поговорить с живым человеком", I::Human),
            ("перезвоните мне", I::Human),
            ("мне испортили волосы, это ужас", I::Complaint),
            ("не пишите мне больше", I::Stop),
            ("пожалуйста, отпишите меня от рассылки", I::Stop),
            ("STOP", I::Stop),
            ("всё очень понравилось!", I::Review),
            ("какая сегодня погода", I::Other),
            ("Меня зовут Оля", I::Other),
        ];
        check(&no, &cases, |u| {
            if u.intents[0] == I::Book && u.when.is_empty() && u.service_ids.is_empty() && u.staff_ids.is_empty() {
                I::Other
            } else {
                u.intents[0]
            }
        });
        let never = [
            "не отменяйте мою запись",
            "отменять не надо",
            "не надо отменять, я приду",
            "как отменить запись?",
            "сколько стоит отмена?",
            "можно ли отменить бесплатно?",
            "отменять пока не буду",
            "хотела отменить, но передумала",
            "не успеваю к 12, буду в 12:15",
            "передумала отменять, оставьте как есть",
            "раздумал отменять, приду как договорились",
            "передумали отменять запись, придём",
            "не смогу прийти завтра, перенесите на среду",
        ];
        check(&no, &never.map(|text| (text, false)), |u| u.has(I::Cancel));
        let books = [
            ("отмените маникюр и запишите на педикюр", true),
            ("отмените маникюр", false),
            ("сколько стоит маникюр и можно ли сегодня в 7", true),
            ("сколько стоит маникюр", false),
            ("перезвоните кто-нибудь живой", false),
        ];
        check(&no, &books, |u| u.has(I::Book));
        let confirm = Context { asked: Some(Asked::Confirm), ..no };
        check(
            &confirm,
            &[
                ("да", I::Confirm),
                ("да, всё верно", I::Confirm),
                ("угу", I::Confirm),
                ("нет", I::Decline),
                ("не подходит", I::Decline),
                ("сколько стоит?", I::Price),
            ],
            |u| u.intents[0],
        );
    }

    #[test]
    fn topics_of_questions() {
        use crate::InfoTopic as T;
        let cases = [
            ("где вы находитесь?", vec![T::Address]),
            ("до скольки работаете и есть ли парковка?", vec![T::Hours, T::Parking]),
            ("можно картой?", vec![T::Payment]),
            ("do you take cards", vec![T::Payment]),
            ("если отменю за день, что с предоплатой?", vec![T::Cancellation, T::Payment]),
            ("скиньте ваш инстаграм", vec![T::Contacts]),
            ("сколько длится педикюр?", vec![T::Duration]),
            ("сколько по времени педикюр", vec![T::Duration]),
            ("сколько по цене педикюр", vec![]),
            ("а если опоздаю на 15 минут?", vec![T::Lateness]),
            ("есть скидки?", vec![T::Promotions]),
            ("беременным можно?", vec![T::Health]),
            ("как стерилизуете инструменты?", vec![T::Hygiene]),
            ("кофе наливаете?", vec![T::Other]),
            ("маникюр завтра в 15", vec![]),
        ];
        check(&Context::default(), &cases, |u| u.info_topics.clone());
    }

    #[test]
    fn what_tells_like_titles_apart() {
        let salon = salon_with(&[
            (1, "Женская стрижка", "Волосы", &[]),
            (2, "Мужская стрижка", "Волосы", &[]),
            (3, "Окрашивание корней", "Волосы", &[]),
            (4, "Кератиновое выпрямление", "Волосы", &[]),
            (5, "Макияж дневной", "Визаж", &[]),
            (6, "Макияж вечерний", "Визаж", &[]),
            (7, "Груминг собак мелких пород", "Собаки", &[]),
            (8, "Груминг собак крупных пород", "Собаки", &[]),
            (9, "Стрижка кошек", "Кошки", &[]),
            (10, "Вычёсывание кошек", "Кошки", &[]),
            (11, "Массаж для беременных", "Массаж", &[]),
            (12, "Массаж спины", "Массаж", &[]),
            (13, "Чистка лица HydraFacial", "Лицо", &[]),
            (14, "Японский маникюр", "Ногти", &[]),
            (15, "Маникюр классический", "Ногти", &[]),
            (16, "Парафинотерапия", "Ногти", &[]),
            (17, "Моделирование бороды", "Борода", &[]),
            (18, "Тату до 5 см", "Тату", &[]),
            (19, "Тату до 10 см", "Тату", &[]),
            (20, "Педикюр медицинский", "Ногти", &[]),
            (21, "Шугаринг: руки", "Женщинам", &[]),
            (22, "Шугаринг: подмышки", "Женщинам", &[]),
        ]);
        let cases: &[(&str, Vec<i64>)] = &[
            ("покрасить корни и подстричься", vec![3, 1]),
            ("подстричься", vec![1, 2]),
            ("кератинчик", vec![4]),
            ("массажик спины", vec![12]),
            ("макияж на вечер", vec![6]),
            ("макияж", vec![5, 6]),
            ("макияж на каждый день", vec![5]),
            ("груминг хаски", vec![8]),
            ("груминг для шпица", vec![7]),
            ("кота побрить", vec![9]),
            ("я беременна, можно на массаж?", vec![11]),
            ("на гидрафейшл", vec![13]),
            ("не японский, классический", vec![15]),
            ("с парафином", vec![16]),
            ("боода", vec![17]),
            ("тату 5 см", vec![18]),
            ("тату 8 см", vec![19]),
            ("педикюр мед", vec![20]),
            ("депиляция рук", vec![21]),
            ("подмыхи", vec![22]),
            ("к маникюру добавить парафин", vec![16]),
            ("наращивание волос", vec![]),
        ];
        check_in(&salon, &Context::default(), cases, |u| u.service_ids.iter().map(|id| id.0).collect());
        let salon = salon_with(&[
            (1, "Наращивание ногтей гелем", "Ногти", &[]),
            (2, "Коррекция нарощенных ногтей", "Ногти", &[]),
            (3, "Массаж лица", "Массаж", &[]),
            (4, "Массаж стоп", "Массаж", &[]),
            (5, "Шугаринг: ноги полностью", "Эпиляция", &[]),
            (6, "Лазерная эпиляция: ноги полностью", "Эпиляция", &[]),
            (7, "Камуфляж бороды", "Борода", &[]),
            (8, "Камуфляж седины", "Борода", &[]),
            (9, "Химическая завивка", "Волосы", &[]),
            (10, "Стрижка машинкой", "Волосы", &[]),
            (11, "Окантовка", "Волосы", &[]),
            (12, "Мужская стрижка", "Волосы", &[]),
            (13, "Глубокое бикини", "Эпиляция", &[]),
            (14, "Подмышки", "Эпиляция", &[]),
            (15, "Комплекс: голени + глубокое бикини + подмышки", "Эпиляция", &[]),
            (16, "Женская стрижка (короткие волосы)", "Волосы", &[]),
            (17, "Женская стрижка (длинные волосы)", "Волосы", &[]),
        ]);
        let cases = [
            ("коррекция нарощенных ногтей", vec![2]),
            ("массаж лица и стоп", vec![3, 4]),
            ("мне не лазер мне шугаринг. ноги целиком", vec![5]),
            ("камуфляж бороды, седина лезет", vec![7]),
            ("седину бы закрасить", vec![8]),
            ("запишите к Роману на четверг 13:00, мужская", vec![12]),
            ("подмышки и бикини", vec![14, 13]),
            ("голени, подмышки и глубокое бикини", vec![15]),
            ("подстричься, волосы до пояса", vec![17]),
            ("под машинку, по-быстрому", vec![10]),
            ("пяточки сделать", vec![4]),
            ("девочки а можно прямо сейчас на окантовку?", vec![11]),
            ("а сына на мужскую стрижку в понедельник можно?", vec![12]),
            ("химку хочу", vec![9]),
            ("чем отличается стрижка машинкой от окантовки", vec![10, 11]),
        ];
        check_in(&salon, &Context::default(), &cases, |u| u.service_ids.iter().map(|id| id.0).collect());
        let salon = salon_with(&[(1, "Стрижка кончиков", "Волосы", &[]), (2, "Коррекция бровей", "Брови", &[])]);
        let cases = [("кончики подровнять", vec![1]), ("подровнять брови", vec![2])];
        check_in(&salon, &Context::default(), &cases, |u| u.service_ids.iter().map(|id| id.0).collect());
        let salon = salon_with(&[
            (1, "Женская стрижка", "Волосы", &[]),
            (2, "Лазерная эпиляция: глубокое бикини", "Эпиляция", &[]),
            (3, "Лазерная эпиляция: ноги полностью", "Эпиляция", &[]),
            (4, "Шугаринг: голени", "Эпиляция", &[]),
            (5, "Воск: верхняя губа", "Эпиляция", &[]),
            (6, "Чистка лица", "Лицо", &[]),
            (7, "Стрижка бороды", "Борода", &[]),
            (8, "Тонирование бороды", "Борода", &[]),
        ]);
        let cases = [
            ("кончики подровнять", vec![1]),
            ("покрасить бороду", vec![8]),
            // Another part of the body is another work.
            ("эпиляция рук полностью", vec![]),
            ("шугаринг рук", vec![]),
            ("эпиляция ног", vec![3]),
            ("лазер бикини", vec![2]),
            ("эпиляция лица", vec![]),
        ];
        check_in(&salon, &Context::default(), &cases, |u| u.service_ids.iter().map(|id| id.0).collect());
    }

    #[test]
    fn languages() {
        check(
            &Context::default(),
            &[
                ("Hello, can I book a manicure?", Lang::En),
                ("privet, mozhno zapisatsya?", Lang::Ru),
                ("маникюр OPI", Lang::Ru),
                ("vjyj yf pfdnhf", Lang::Ru),
            ],
            |u| u.lang,
        );
    }

    #[test]
    fn written_as_the_contract_says() {
        let read = Reader::new(Some(&salon())).read("Можно завтра в 15 к Даше на педикюр?", now(), &Context::default());
        let expected = r#"{"intents":["book"],"service_ids":[3],"staff_ids":[2],"staff_any":false,"staff_not_ids":[],"when":[{"kind":"at","from":"2026-11-24T15:00"}],"name":null,"phone":null,"people":1,"rating":null,"lang":"ru"}"#;
        assert_eq!(serde_json::to_string(&read).expect("plain data"), expected);
        let back: Understood = serde_json::from_str(expected).expect("what was written");
        assert_eq!(back, read);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn any_text_is_read(text in "\\PC{0,300}") {
            let read = Reader::new(None).read(&text, now(), &Context::default());
            prop_assert!(!read.intents.is_empty());
        }

        #[test]
        fn any_words_are_read(words in prop::collection::vec(prop::sample::select(vec![
            "в", "на", "с", "до", "по", "после", "не", "или", "и", "нет", "через", "завтра", "среду", "15", "31", "99", ":", "30", "-", ".", "февраля", "полвторого",
            "без", "пять", "двадцать", "часов", "утра", "к", "Даше", "маникюр", "отменить", "запись", "следующей", "неделе", "выходных", "конце", "месяца", "?", ",", "\n", "же", "тот", "день", "позже", "час", "половина", "числа", "-го", "pm", "2026",
        ]), 0..40), asked in prop::option::of(prop::sample::select(vec![Asked::Day, Asked::Time, Asked::Choice, Asked::Name, Asked::Review, Asked::Confirm]))) {
            let context = Context { asked, offered: vec![date(2026, 11, 24).at(23, 30, 0, 0)], day: None };
            let read = Reader::new(Some(&salon())).read(&words.join(" "), now(), &context);
            prop_assert!(!read.intents.is_empty());
            for when in &read.when {
                if let crate::When::Window { from, to, .. } = when {
                    prop_assert!(from < to);
                }
            }
        }
    }
}
