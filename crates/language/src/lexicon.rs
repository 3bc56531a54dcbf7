//! The words that mean something to a receptionist: calendar, clock, numbers, courtesies, wishes,
//! and the trade's own words. Every form of every word is unfolded once per process; a word that is
//! in no dictionary is matched to the nearest of them.

use std::{cmp::Ordering, collections::HashMap, sync::OnceLock};

use crate::{morphology, script};

/// What a word may mean. A word has as many senses as it has; grammar picks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    /// 1 Monday … 7 Sunday.
    Weekday(i8),
    /// 1 January … 12 December.
    Month(i8),
    /// Days from today.
    Rel(i32),
    /// A number.
    Card(u32),
    /// An ordinal number.
    Ord(u32),
    /// «полвторого» holds 2.
    HalfTo(u32),
    /// «половина», «пол».
    Half,
    /// «четверть».
    Quarter,
    /// «полтора».
    OneAndHalf,
    /// «пара».
    Couple,
    /// A measure of time.
    Unit(Unit),
    /// «полчаса».
    HalfHour,
    /// «полгода».
    HalfYear,
    /// A part of the day.
    Part(Part),
    /// «полдень».
    Noon,
    /// «полночь».
    Midnight,
    /// «выходные».
    Weekend,
    /// «будни».
    Workdays,
    /// «сейчас».
    Now,
    /// «число», as in «25 числа».
    DayOfMonth,
    /// «начало».
    Beginning,
    /// «середина».
    Middle,
    /// «конец».
    End,
    /// A little word before a time.
    Prep(Prep),
    /// «этот».
    This,
    /// «следующий».
    Next,
    /// «ближайший».
    Nearest,
    /// «прошлый».
    Prev,
    /// «каждый».
    Every,
    /// «тот», «то».
    That,
    /// «же».
    Same,
    /// «назад».
    Ago,
    /// «позже».
    Later,
    /// «раньше».
    Earlier,
    /// «или».
    Or,
    /// «и».
    And,
    /// «а», «но».
    But,
    /// «не».
    Not,
    /// «нет».
    No,
    /// «кроме».
    Except,
    /// «лучше», «точнее», «ой»: what follows replaces what was said.
    Rather,
    /// a.m.
    Am,
    /// p.m.
    Pm,
    /// o'clock.
    OClock,
    /// A thing that is counted, so that the number before it is no time.
    Counted,
    /// A word that tells what a message wants.
    Cue(Cue),
    /// A word of the trade.
    Trade(Trade),
}

/// A measure of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Morning,
    Lunch,
    Day,
    Evening,
    Night,
}

/// What a little word says of the time after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prep {
    /// в
    At,
    /// на
    On,
    /// к
    To,
    /// с
    From,
    /// до
    Until,
    /// по
    Along,
    /// через
    In,
    /// после
    After,
    /// before
    Before,
    /// между
    Between,
    /// около, примерно
    About,
    /// без
    Without,
    /// за
    Within,
    /// of, past: what English puts inside a date or time
    Of,
    /// half past three
    Past,
    /// в течение
    During,
}

macro_rules! cues {
    ($($name:ident: $words:literal),+ $(,)?) => {
        /// What a word tells of the wish behind a message.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Cue { $($name),+ }
        const CUES: &[(Cue, &str)] = &[$((Cue::$name, $words)),+];
        const _: () = assert!(CUES.len() <= 128);
        impl Cue {
            /// Its place in a set of cues.
            pub(crate) fn bit(self) -> u128 {
                1 << (self as u8)
            }
        }
    };
}

// A word after `=` is taken as it stands, the others in all their forms.
cues! {
    Hello: "=здравствуйте =здравствуй =здрасте =здрасьте =здраствуйте =привет =приветик =приветики =приветствую =хай =салют =хелло =hello =hi =hey =greetings =дд =здравия =алло =приветы =хелоу =хеллоу =приветос =здаров =здарова =здорова =ку =дратути =йо",
    Good: "добрый =good =доброго =доброе",
    Thanks: "=спасибо =спасибки =спс =благодарю =благодарна =благодарен =благодарим =мерси =спасибочки =thanks =thank =thx =признательна =благодарочка =спасибочко =спасибище =пасиб =пасибо =спасиб =сенкс =спасибки =благодарствую",
    Please: "=пожалуйста =плиз =пж =пожалуста =пжлст =please =пжл",
    Book: "записать записаться записывать записываться забронировать бронировать зарезервировать =подписать =book =запишите =запиши =запишемся =сделаться =бронь =reserve",
    Booking: "запись визит бронь сеанс прием =appointment =booking =appointments =bookings =reservation",
    Booked: "=записан =записана =записаны =записался =записалась =записались =записывалась =записывался =booked =записали =записано =записанна =записаный",
    Want: "хотеть хотеться желать =нужно =надо =нужна =нужен =нужны =хочу =хотела =хотел =хотелось =бы =охота =want =need =wanna =would =like =love =интересует =планирую =думаю =собираюсь =мечтаю =требуется =давайте =давай =хочется =мне",
    Can: "=можно =можете =могу =могли =можем =возможно =возможность =получится =реально =удастся =can =could =may =possible =сможете =смогу =сможем =мона =можна =нельзя =выйдет =смог =может =могут =смогла =сможет =успею",
    Free: "свободный окошко окно окошечко =свободно =свободен =свободна =свободны =доступно =доступный =есть =найдется =найдете =местечко =места =место =free =available =availability =slot =slots =openings =opening =местечка =имеется",
    Time: "время времечко часы =time =times =времени",
    What: "что какой =что =чего =какие =какое =какая =какой =каких =what =which =чо =че",
    When: "=когда =when =скольки =скольких =сколько",
    Where: "=где =куда =where =откуда",
    HowMuch: "=сколько =скока =скок =скоко =much =почем =почём =many =скольк",
    Cost: "=стоит =стоят =стоить =стоило =стоют цена стоимость прайс прайсик расценка ценник тариф =почем =почём =cost =costs =price =prices =pricing =стоит =дорого =дешево =обойдется =выйдет =charge =бюджет =стоят =дешевле =дороже",
    How: "=как =how =каким",
    Who: "=кто =кого =кому =who =кем =whom",
    ServiceNoun: "услуга процедура =виды =видов =services =service =ассортимент =treatments",
    Do: "делать сделать выполнять оказывать предоставлять заниматься практиковать =делаете =do =offer =provide =работаете",
    Master: "мастер специалист сотрудник барбер парикмахер бровист лешмейкер стилист визажист косметолог колорист мастерица массажист маникюрша педикюрша подолог врач доктор грумер татуировщик пирсер визажистка колористка =master =masters =stylist =barber =specialist =specialists =staff =девочки =персонал =команда",
    Work: "работать открыть открываться закрыть закрываться =открыты =закрыты =открыто =закрыто =open =opened =close =closed =работаете =работает =выходной =принимать =принимаете =принимает",
    Address: "адрес находиться расположить добраться доехать пройти проехать метро улица этаж вход ориентир локация район навигатор маршрут =расположены =address =located =location =directions =карту =геолокация =геолокацию =найти =остановка =ул",
    Hours: "график режим расписание =hours =schedule =скольки =круглосуточно",
    Pay: "оплата оплатить платить карта наличные наличка перевод предоплата депозит рассрочка терминал сбп qr чек аванс оплачивать заплатить =pay =payment =payments =card =cards =cash =нал =безнал =visa =deposit =кредит =сбер =картой",
    Park: "парковка парковаться припарковаться стоянка =parking =park паркинг машиноместо",
    Promo: "скидка акция абонемент бонус промокод сертификат подарочный =discount =discounts =promo =gift =certificate =voucher =акционный",
    Health: "противопоказание беременная беременный аллергия анестезия кормящий =кормящим =кормящей =кормящая грудной варикоз купероз онкология =беременность =беременности =pregnant =pregnancy =allergic =allergy",
    Symptom: "выпасть выпадать сыпь зуд ожог покраснение раздражение воспаление опухнуть распухнуть покраснеть чесаться болеть гноиться загноиться нарывать воспалиться =горит =печет =щиплет =rash =burn =swollen =itchy",
    Hygiene: "стерилизация стерильный стерильность стерилизовать инструмент дезинфекция обрабатывать =sterile =sterilize =hygiene",
    Contact: "телефон сайт инстаграм портфолио соцсеть почта телеграм =website =instagram =email =инста =инсту =инсте =тг =вк",
    About: "вайфай =вай =wi =fi =фай wifi wi-fi кофе материал гарантия правило условие ограничение собака питомец лицензия вакансия опыт отзывы безопасно =обучение =wifi =pets =рекомендации =подготовка =подготовиться =штраф =правила =условия =allowed чай =drinks =напитки туалет кулер телевизор кондиционер раздевалка лифт пандус игровая уголок зарядка полотенце тапочка халат душ =toilet =restroom =coffee",
    Duration: "длиться занимать продолжаться длительность продолжительность =длится =занимает =займет =продлится =long =takes =держится =держаться",
    My: "=моя =мою =моей =мои =мое =мой =моего =my =мне =меня =я =i =mine =моих =нас",
    Remind: "напомнить напоминать подсказать проверить уточнить =remind =check =напомните",
    Move: "переиграть перенести переносить перенос перезаписать перезаписаться переписать передвинуть сдвинуть подвинуть отодвинуть сместить переставить перекинуть перебронировать =reschedule =move =push =rebook =postpone =передвинем =переместить",
    Change: "изменить поменять сменить менять заменить =change =swap =поменяем",
    Cancel: "отменить отменять отмена отмениться отменяться аннулировать аннуляция =cancel =cancellation =cancelling =canceling =canceled =cancelled =отмените =отмен",
    Illness: "заболеть приболеть простудиться температура больничный захворать =болею =болеет =болеем =форс =грипп =орви =sick =ill",
    Rushing: "=бегу =еду =лечу =иду =мчу =мчусь =едем =идем =бежим =подъезжаю =подхожу =доезжаю =выехала =выехал =вышла =вышел =driving",
    Drop: "снять убрать удалить выписать вычеркнуть отказаться отказываться отказ =delete =remove",
    Come: "прийти придти приехать подойти подъехать быть явиться добраться посетить =приду =прийти =come =make =буду =приеду =подъеду =дойду =попасть",
    Late: "опоздать опаздывать опоздание задержаться задерживаться запаздывать припоздниться =late =delayed =задержусь =опаздываю =припаздываю =подзадержусь",
    Traffic: "пробка застрять =traffic =stuck",
    Yes: "=да =ага =угу =дааа =конечно =yes =yep =yeah =yup =sure =ок =окей =оке =оки =идеально =шикарно =лады =ладненько =норм =ok =okay =хорошо =ладно =давайте =давай =подходит =устраивает =согласна =согласен =согласны =подтверждаю =подтверждаем =верно =именно =правильно =точно =идет =пойдет =годится =отлично =супер =записывайте =бронируйте =confirm =correct =fine =great =perfect =го =добро =договорились =непременно =обязательно =удобно =класс =absolutely =оформляйте =записывай =прекрасно =замечательно =подойдет =устроит =вполне =канеш =канешн =кнчн =works =хочу =беру =йес =ес =си",
    Nope: "=нет =неа =не =no =nope =nah =нету =нит =нетушки",
    Needless: "=надо =нужно =хочу =стоит =буду =требуется =need",
    Fits: "подходить подойти устраивать устроить =удобно =подходит =устраивает =удобен =удобна =актуально =интересно =works =work =пойдет =вариант",
    Can1: "=могу =смогу =успею =получится =получается =выйдет =сможем =успеваю =можем =can =приду =придем =буду =будет =able =make =удастся =выходит",
    Busy: "=занят =занята =заняты =занято =неудобно =никак =busy =отпадает =исключено =невозможно =работаю =неудобен =неудобна =уезжаю",
    Human: "администратор админ оператор менеджер управляющий директор владелец владелица руководитель руководство начальство хозяйка хозяин консультант администрация =human =person =administrator =manager =operator =админа =админу =representative =receptionist =reception =админом =управляющей =управляющая =управляющую =заведующей =заведующую ресепшн ресепшен ресепшин =ресепшене =ресепшн",
    Person: "человек живой =живого =живым =real =людей =людьми",
    Robot: "бот робот автоответчик нейросеть =bot =robot =ии =chatbot =автомат =железка =нейронка =программа",
    Call: "позвать пригласить соединить связать связаться переключить перевести дать подключить поговорить говорить разговаривать пообщаться общаться =speak =talk =connect =transfer =позовите =свяжите",
    Phone: "позвонить перезвонить набрать созвониться звонить звонок =call =перезвоните =наберите",
    Bad: "=сожгли =сожженные =сожженных =сожжены =спалили неровный неровно неаккуратный неаккуратно ужасный ужасно плохой плохо отвратительный отвратительно кошмар безобразие хамство хамить =хам =хамы =хамло нахамить нагрубить грубить грубый испортить недовольный разочарованный разочаровать разочарование обмануть обман обманщик мошенник мошенничество грубиян неуважение жалоба жаловаться пожаловаться претензия возмутительно возмутить жесть косяк накосячить сжечь обжечь порезать отслоиться облезть облупиться сколоться скол отвалиться отпасть слезть треснуть слоиться криво кривой халтура позор издевательство непрофессионально =недовольна =недоволен =разочарована =разочарован =terrible =awful =horrible =bad =complaint =complain =disappointed =ruined =rude =worst =unhappy =возмущена =возмущен =ужас =бардак =скололся =скололось =отвалился =отвалилась =кошмарный =refund =unacceptable =хуже =худший =халатность =халтурно =накосячили хамский грубость невежливый невнимательный некомпетентный антисанитария отвратный мерзкий обсчитать облапошить =расстроена =расстроен =огорчена =огорчен =шоке",
    Redo: "переделать переделывать исправить =переделайте =исправьте =возврат =верните =вернуть",
    Off: "отписка отписаться отписать отписываться =стоп =stop =unsubscribe =отпишите =отпиши =отпишитесь =отпишись",
    Cease: "перестать прекратить хватит достаточно достать =больше =хватит =отстаньте =отвяжитесь =прекратите =перестаньте =enough =довольно =отвалите =quit",
    Write: "писать написать присылать прислать слать отправлять высылать беспокоить тревожить спамить напоминать рассылать донимать =text =message =messaging =texting =пишите =шлите =messages =сообщений =сообщения =spam =спам =спамьте =беспокойте",
    Mailing: "рассылка подписка уведомление реклама спам =newsletter =notifications =рассылки =рассылку",
    Number: "номер контакт =number =номер =базы =данные =list",
    Review: "отзыв оценка оценить =review =rating =rate =feedback =оцениваю =оценила",
    Star: "звезда звездочка балл =stars =star =балла =баллов",
    Liked: "понравиться нравиться =довольна =доволен =понравилось =понравился =понравилась =loved =восторге =восторг =супер =отлично =замечательно =прекрасно =чудесно",
    Any: "любой =кто-нибудь =неважно =неважен =любому =любая =пофиг =anyone =any =anybody =whoever =whichever =anything =кому-нибудь =неважн =всеравно =любая =безразлично =непринципиально =anytime",
    Equal: "=равно =едино",
    Difference: "разница =важен =важна =difference =принципиально =важно =matter =принципиален",
    Other: "другой иной =другому =other =another =different =else",
    Various: "разный =разным =разных =разные =separate =different",
    Last: "последний крайний =last =последнее =usual =usually =past",
    Once: "раз",
    Variant: "вариант окошко время номер пункт слот =option =one =slot =варианту",
    Earliest: "=раннее =ранний =ближайшее =ранее =earliest =first =ближайший =пораньше =раньше",
    Latest: "=позднее =поздний =latest =попозже =позже",
    Name: "звать имя фамилия =зовут =name =name's =имени =звать =именем",
    Two: "=вдвоем =двоем =двое =двоих =двоим =обе =оба =обеим =обоим =обеих =обоих =both",
    Three: "=втроем =трое =троих =троим",
    Four: "=вчетвером =четверо =четверых =четверым",
    Companion: "подруга подружка друг сестра сестренка мама мать муж жена дочь дочка сын сынок парень коллега брат отец папа ребенок тетя бабушка свекровь племянница внучка супруг супруга знакомая приятель девушка кума =friend =sister =husband =wife =mom =mother =daughter =son =boyfriend =girlfriend =brother =dad =colleague братан братишка подружайка сестричка муженек доча невестка",
    We: "=мы =нас =нам =we =us =обе =хотим =можем =придем =сможем =будем =приедем =желаем =планируем =хотели",
    If: "=если =if =вдруг =ежели",
    Whether: "=ли =whether",
    Free2: "бесплатно штраф вернуть возврат вернуться предоплата удержать правило условие =штрафа =вернете =бесплатная =бесплатной =free =fee =policy =refund =возвращаете =политика",
    PastVisit: "=был =была =были =ходила =ходил =ходили =делала =делал =сделала =сделал =приходила =приходил =стриглась =стригся =красилась =приезжала =сделали =делали =посещала =посещал =подстриглась =подстригся =покрасилась =покрасили =подстригли =постригли =стригли =стриг =стригла =красила =was =had =came =visited =went =did =бывала =пришла =пришел =покрасила =наращивала",
    Sure: "=свободен =свободна",
    Advise: "посоветовать порекомендовать рекомендовать советовать =recommend =advise =лучший =лучше =best",
    Tell: "рассказать сказать показать подсказать узнать скинуть сориентировать =tell =show =скиньте =пришлите =know =поподробнее =подробнее",
    You: "=вы =вас =вам =ваш =ваши =ваша =вашем =вашей =вами =you =your =ваше =у =салон =салоне =салона",
    Exist: "=есть =осталось =остались =остался =имеется =бывает =существует =are =is =there",
    Soon: "=скорее =быстрее =срочно =поскорее =побыстрее =asap =urgent =urgently =скорей",
    Wish: "=пришлите =скиньте =вышлите",
}

macro_rules! trades {
    ($($name:ident $head:literal: $words:literal),+ $(,)?) => {
        /// A family of words that name the same work, part of the body or kind of customer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Trade { $($name),+ }
        impl Trade {
            /// It is what is done or what it is done to; not a mere quality of it.
            pub(crate) fn is_head(self) -> bool {
                match self { $(Self::$name => $head),+ }
            }
        }
        const TRADES: &[(Trade, &str)] = &[$((Trade::$name, $words)),+];
    };
}

trades! {
    Haircut true: "стрижка стричь стричься подстричь подстричься постричь постричься остричь обстричь обстричься состричь подстрижка стрижечка =haircut =haircuts =cut =trim =постригусь =подстригусь",
    Beard true: "борода бородка =beard",
    Moustache true: "ус усик =mustache =moustache",
    Shape true: "моделирование оформление подравнивание подравнивать выравнивание подровнять ровнять выровнять архитектура оформить моделировать подравнять равнять =shaping =shape",
    Correction true: "коррекция корректировать скорректировать подкорректировать выщипать выщипывание откорректировать =correction поправить подправить",
    Shave true: "бритье побрить побриться брить бриться выбрить сбрить =shave =shaving",
    Styling true: "укладка уложить укладывать уложиться укладочка =styling =blowdry =blowout",
    Hairdo true: "прическа причесон причесочка =hairdo =updo",
    Coloring true: "окрашивание окраска покраска покрасить покраситься окрасить окраситься окрашивать красить краситься перекрашивать перекрасить перекраситься подкрасить подкраситься закрасить прокрасить =coloring =colouring =color =colour =dye =dyeing =tint =tinting",
    Toning true: "тонирование тонировка тонировать затонировать протонировать =toning =toner",
    Highlights true: "мелирование мелировать =highlights",
    Airtouch true: "аиртач эйртач эиртач =airtouch",
    Balayage true: "шатуш балаяж омбре =balayage =ombre =shatush",
    Lamination true: "ламинирование ламинация ламинировать заламинировать ламинашка ламик =ламики =lamination =laminate",
    Extension true: "наращивание нарастить наращивать нарощивание наращение =extension =extensions",
    Removal true: "снятие снять снимать =removal =снятия",
    Repair true: "ремонт починить чинить отремонтировать ремонтировать подлатать сломаться сломать =repair =fix =broken",
    Manicure true: "маникюр маник маникюрчик маник =manicure =mani =маню =маникюрик =маникюра",
    Pedicure true: "педикюр педик педикюрчик педикюрик =pedicure =pedi",
    Nail true: "ноготь ноготок =nail =nails =ногтевой =ноготочки =ноготочков",
    Brow true: "бровь бровка =brow =brows =eyebrow =eyebrows =брови =бровок",
    Lash true: "ресница ресничка =lash =lashes =eyelash =eyelashes",
    Hair true: "волос волосы =hair",
    Coating true: "покрытие покрыть покрывать =coating",
    Gel false: "гель гелик шеллак гелевый =shellac =gel =гельлак =гельлаком =гелем =гелечком =гелечкой =гелька =гельчиком",
    Lacquer false: "лак =polish",
    Massage true: "массаж массажик промять размять разминать массировать помассировать =massage",
    Face true: "лицо =facial =face =личико",
    Cleaning true: "чистка почистить чистить =cleaning =cleansing",
    Peeling true: "пилинг =peeling =peel",
    Mask true: "маска =mask",
    Care true: "уход =care =treatment",
    Epilation true: "эпиляция депиляция эпилировать =epilation =depilation",
    Sugaring true: "шугаринг =sugaring сахар сахарный",
    Wax true: "воск ваксинг =wax =waxing",
    Delete true: "удаление удалить удалять убрать =remove сведение свести сводить выведение вывести выводить",
    Bikini true: "бикини =bikini",
    Leg true: "нога ножка =leg =legs",
    Arm true: "рука ручка =arm =arms =hand =hands",
    Armpit true: "подмышка подмышечный подмыха =armpit =armpits =underarm =underarms",
    Camouflage true: "камуфляж камуфлировать закамуфлировать =camouflage",
    Grey true: "седина =grey =gray",
    Permanent true: "перманент перманентный татуаж =permanent =pmu =microblading микроблейдинг",
    Makeup true: "макияж мейкап визаж мейк накраситься =makeup =make-up",
    Design true: "дизайн =design",
    Strengthening true: "укрепление укрепить укреплять =strengthening",
    Father true: "отец папа =father =dad",
    Botox true: "ботокс ботулинотерапия ботулотоксин диспорт =botox",
    Keratin true: "кератин кератиновый =keratin",
    Straightening true: "выпрямление выпрямить выпрямлять =straightening",
    Restoring true: "восстановление восстанавливать восстанавливающий восстановить =restoring =repairing",
    Curl true: "завивка завить завивать химия химзавивка =химка =химку =химки =perm =curls",
    Fringe true: "челка челочка =fringe =bangs",
    Consultation true: "консультация консультироваться проконсультироваться =consultation",
    Spa true: "спа =spa",
    Male false: "мужской муж мужчина парень =men's =mens =male =man's =men =man =husband =мужик братан братишка",
    Female false: "женский жена женщина девушка =women's =womens =female =ladies =woman =жене =женскую",
    Child false: "детский ребенок малыш =дети =детей =детям =детьми =kid =kids =child =children =child's =kid's",
    Boy false: "мальчик сын сынок сынишка сыночек внук пацан =boy =boys =son",
    Girl false: "девочка дочь дочка дочурка доченька доча внучка =girl =girls =daughter",
    Teen false: "подросток подростковый =teen =teenager",
    Complex false: "комплекс комплексный =combo =package",
    Royal false: "королевский =royal",
    Black false: "черный =black",
    Clipper false: "машинка =clipper =clippers =buzz",
    Classic false: "классика классический =classic =classical",
    Fade true: "=fade =фейд =фэйд =фейда =фэйда",
    Crop true: "=crop =кроп =кропа",
    Lpg false: "=lpg =лпж =лпг =элпиджи",
    Ultrasonic false: "ультразвуковой ультразвук =узи =уз =ultrasonic =ultrasound",
    Body true: "тело =body",
    Lip true: "губа губка усик =lip =lips",
    Cellulite false: "антицеллюлитный целлюлитный целлюлит =cellulite =anticellulite",
    Difficult false: "сложный =complex",
    Single false: "однотонный =тон =tone",
    Hardware false: "аппаратный =hardware",
    Nose true: "нос =nose",
    Ear true: "ухо =ear =ears мочка =ушки =ушко =ушек =ушкам",
    Head true: "голова =head",
    Neck true: "шея шейный =шейно воротниковый =neck",
    Back true: "спина спинка",
    Shin true: "голень =shin =shins =calves",
    Thigh true: "бедро =thigh =thighs",
    Belly true: "живот животик =belly",
    Forehead true: "лоб =forehead",
    Foot true: "=стопы =стоп =стопам =стопами =стопа =стопу ступня пятка пяточка =foot =feet",
    Cat true: "кошка кот котик котенок кошечка =cat =cats =kitten котейка киса котя котэ кисуля",
    Dog true: "собака пес песик щенок собачка =dog =puppy =собачья =dogs песель собакен",
    Laser true: "лазер лазерный =laser",
    Replace false: "замена заменить поменять сменить",
    Thai false: "тайский =thai",
    Sport false: "спортивный =sport =sports",
    Drainage false: "лимфодренажный лимфодренаж =lymphatic =drainage",
    Claw true: "коготь коготок =claw =claws",
    Tooth true: "зуб зубки =tooth =teeth зубной",
    Navel true: "пупок =navel",
    Tattoo true: "тату татуировка татуха татушка набить =tattoo =tattoos",
    Piercing true: "пирсинг прокол проколоть прокалывать =piercing =pierce",
    Henna true: "хна =henna",
    Bleach true: "осветление осветлить осветлять блондирование =bleach =bleaching",
    Braid true: "плетение заплести плести коса косичка =braid =braids",
    Wash true: "купание мытье помыть =мыть =моете =моют искупать купать вымыть мойка =bath =wash",
    Dry true: "сушка сушить высушить посушить просушить =drying",
    Wrap true: "обертывание обернуть =wrap",
    Enlarge true: "увеличение увеличить увеличивать накачать накачивать филлер =filler =fillers",
    Bald false: "лысый =наголо =налысо =лысо",
    Hammam true: "хамам хаммам =hammam",
    Fox false: "лиса лисий лисичка =fox",
    Cups false: "банка баночный =cupping",
    Deep false: "глубокий тотальный бразильский =deep =brazilian",
    Long false: "длинный длина =long",
    Short false: "короткий коротенький =short",
    Grooming true: "груминг =grooming",
    DogBreed false: "шпиц йорк пудель болонка чихуахуа корги мопс такса хаски лабрадор овчарка ретривер шнауцер спаниель бигль мальтезе бишон доберман ротвейлер бульдог самоед терьер фокстерьер йоркшир пекинес джек померанец йоркширский",
    Pregnant false: "беременный беременная =беременность =беременности =беременностью =pregnant =pregnancy =prenatal",
    CatBreed false: "британец мейнкун перс сфинкс",
    Solarium true: "солярий =solarium",
    Tan true: "загар загореть загорать позагорать автозагар =tan =tanning",
}

const TIME_WORDS: &[(Sense, &str)] = &[
    (Sense::Weekday(1), "понедельник понедельничный =пн =пнд =понед =панедельник =monday =mon =понедельничек =ponedelnik"),
    (Sense::Weekday(2), "вторник вторничный =вт =втр =втор =tuesday =tue =tues"),
    (Sense::Weekday(3), "среда =ср =срд =wednesday =wed =weds"),
    (Sense::Weekday(4), "четверг четверговый =чт =чтв =четв =thursday =thu =thurs =thur"),
    (Sense::Weekday(5), "пятница пятничный =пт =птн =пятн =friday =fri =пятничка =пятничку"),
    (Sense::Weekday(6), "суббота субботний =сб =субб =saturday =sat =субботка"),
    (Sense::Weekday(7), "воскресенье воскресение воскресный =вс =вск =воскр =sunday =sun"),
    (Sense::Month(1), "январь =янв =january =jan"),
    (Sense::Month(2), "февраль =фев =февр =february =feb"),
    (Sense::Month(3), "март =мар =march =mar"),
    (Sense::Month(4), "апрель =апр =april =apr"),
    (Sense::Month(5), "май =may"),
    (Sense::Month(6), "июнь =июн =june =jun"),
    (Sense::Month(7), "июль =июл =july =jul"),
    (Sense::Month(8), "август =авг =august =aug"),
    (Sense::Month(9), "сентябрь =сен =сент =september =sept =sep"),
    (Sense::Month(10), "октябрь =окт =october =oct"),
    (Sense::Month(11), "ноябрь =ноя =нояб =november =nov"),
    (Sense::Month(12), "декабрь =дек =december =dec"),
    (
        Sense::Rel(0),
        "=сегодня =седня =сеня =севодня =сегодняшний =сегодняшнего =сегодняшнюю =сегодняшней =сегоня =today =сегодни =сегодняшнем =сегодняшним",
    ),
    (
        Sense::Rel(1),
        "=завтра =завтро =зафтра =завтрашний =завтрашнего =завтрашнюю =завтрашней =завтрашним =завтр =tomorrow =tmrw =tmr =tomorow =tommorow =tomorro =tommorrow =завтрашнем =затра =завта =завтара",
    ),
    (Sense::Rel(2), "=послезавтра =послезавтро =послезафтра =послезавтрашний =послезавтр =послезавта"),
    (Sense::Rel(3), "=послепослезавтра"),
    (Sense::Rel(-1), "=вчера =вчерашний =вчерашнюю =вчерашней =вчерашнего =yesterday"),
    (Sense::Rel(-2), "=позавчера"),
    (Sense::Unit(Unit::Minute), "минута минутка =мин =minute =minutes =mins =min"),
    (Sense::Unit(Unit::Hour), "час часик часок =ч =hour =hours =hr =hrs"),
    (Sense::Unit(Unit::Day), "день денек сутки =дн =day =days"),
    (Sense::Unit(Unit::Week), "неделя неделька =нед =week =weeks"),
    (Sense::Unit(Unit::Month), "месяц месяцок =мес =month =months"),
    (Sense::Unit(Unit::Year), "год годик =лет =year =years"),
    (Sense::HalfHour, "полчаса =полчасика =полчасик =получаса =полчас =полчасок"),
    (Sense::HalfYear, "=полгода =полугода"),
    (Sense::Part(Part::Morning), "утро =утреца =утром =утречком =утречко =утра =утрам =morning =mornings =утречка"),
    (Sense::Part(Part::Lunch), "обед =обет =обеденное =обеденный =lunch =lunchtime"),
    (Sense::Part(Part::Day), "=днем =дневное =дневной =afternoon"),
    (
        Sense::Part(Part::Evening),
        "вечер вечерок =вечером =вечерком =вечерочком =вечернее =вечерний =evening =evenings =tonight =вечерам =вечернюю =вечеру",
    ),
    (Sense::Part(Part::Night), "ночь =ночью =ночи =night"),
    (Sense::Rel(0), "=tonight"),
    (Sense::Noon, "полдень =noon =midday =полудня =полудню =полдня"),
    (Sense::Midnight, "полночь =midnight =полуночи"),
    (Sense::Weekend, "=выходные =выходных =выходным =выхи =выхах =выхам =выходными =weekend =weekends =выходной"),
    (Sense::Workdays, "будни будень =weekdays =weekday =рабочие"),
    (Sense::Now, "=сейчас =щас =щаз =ща =now =немедленно"),
    (Sense::DayOfMonth, "=числа =число =числам =числу =числах"),
    (Sense::Beginning, "начало =beginning =start =начале =началу =early"),
    (Sense::Middle, "середина =middle =mid =середине =середину"),
    (Sense::End, "конец =end =конце =концу =конца"),
    (Sense::Prep(Prep::At), "=в =во =at =@ =in"),
    (Sense::Prep(Prep::On), "=на =on =for"),
    (Sense::Prep(Prep::To), "=к =ко =by =for"),
    (Sense::Prep(Prep::From), "=с =со =от =начиная =from =since =starting"),
    (Sense::Prep(Prep::Until), "=до =until =till =til =to"),
    (Sense::Prep(Prep::Along), "=по =through"),
    (Sense::Prep(Prep::In), "=через =спустя =in =чрез =черес =within"),
    (Sense::Prep(Prep::After), "=после =after =past =посли"),
    (Sense::Prep(Prep::Before), "=before =ранее"),
    (Sense::Prep(Prep::Between), "=между =between =промежутке =промежуток =интервале"),
    (
        Sense::Prep(Prep::About),
        "=около =примерно =приблизительно =ориентировочно =районе =about =around =approximately =ближе =где-то =гдето",
    ),
    (Sense::Prep(Prep::Without), "=без =бес =without"),
    (Sense::Prep(Prep::Within), "=за"),
    (Sense::Prep(Prep::Of), "=of =the =ого =го =ое =е =st =nd =rd =th =го"),
    (Sense::Prep(Prep::Past), "=past"),
    (Sense::Prep(Prep::During), "=течение =течении"),
    (
        Sense::This,
        "=этот =эту =это =эта =эти =этом =этой =этих =нынешний =нынешнюю =this =этого =этим =сей =текущей =текущую =текущий =текущего",
    ),
    (
        Sense::Next,
        "следующий =следующую =следущую =след =слудующую =следующей =next =следущий =следущей =слeд =будущий =следуйщую =следущем =следуйщий =будущей =будущую =будущем",
    ),
    (Sense::Nearest, "ближайший =coming =upcoming =nearest"),
    (Sense::Prev, "прошлый прошедший минувший =last =previous"),
    (Sense::Every, "каждый =every =each"),
    (Sense::That, "=тот =то =того =ту =той =те =тому =такое =той =том =этот =это =эту =that =той =the"),
    (Sense::Same, "=же =самый =самое =same =ж =самую"),
    (Sense::Ago, "=назад =ago =тому"),
    (Sense::Later, "=позже =позднее =попозже =later =подольше =попозднее"),
    (Sense::Earlier, "=раньше =пораньше =earlier =ранее"),
    (Sense::Or, "=или =либо =or =иль"),
    (Sense::And, "=и =and =также =плюс =еще =тоже =потом =затем =да"),
    (Sense::But, "=а =но =однако =but =зато =only =только"),
    (Sense::Not, "=не =not =don't =dont =doesn't =can't =cannot =cant =ни =won't =isn't =кроме =исключая"),
    (Sense::No, "=нет =no =неа"),
    (Sense::Except, "=кроме =исключая =except =but"),
    (
        Sense::Rather,
        "=лучше =точнее =вернее =ой =упс =извините =простите =передумала =передумал =ошиблась =ошибся =actually =rather =sorry =oops =хотя =стоп =погодите =тьфу =блин =перепутала =перепутал =instead =wait =stop =оговорилась =исправлюсь =имела =опечаталась =опечатка =пардон",
    ),
    (Sense::Am, "=am =a.m"),
    (Sense::Pm, "=pm =p.m"),
    (Sense::OClock, "=o'clock =oclock =sharp =ровно"),
    (Sense::Half, "половина половинка =пол =half =полов =половину"),
    (Sense::Quarter, "четверть =quarter =четвертью"),
    (Sense::OneAndHalf, "полтора полторы =полтора =полторы =полутора"),
    (Sense::Couple, "пара парочка =couple =парочку =пару"),
    (
        Sense::Counted,
        "рука слой тон этап цвет человек персона раз заход процедура палец пальчик ноготь зона услуга сеанс рубль тысяча процент метр сантиметр этаж дом квартира подъезд кабинет кресло штука градус строение корпус =р =руб =тыс =т =шт =см =мм =кг =чел =рублей =лет =км =км/ч =people =persons =person =rub =rubles =percent =тон =ногтя =номер =балл =звезда =копейка вариант =minutes подруга мастер ребенок гость место женщина девочка мужчина оттенок",
    ),
];

const ONES: [(&str, &str, &str); 20] = [
    ("ноль нуль =ноль", "=нулевой", "=zero"),
    ("один =одну =одна", "первый", "=one"),
    ("два =две", "второй", "=two"),
    ("три", "третий", "=three"),
    ("четыре", "четвертый", "=four"),
    ("пять", "пятый", "=five"),
    ("шесть", "шестой", "=six"),
    ("семь", "седьмой", "=seven"),
    ("восемь =восьми", "восьмой", "=eight"),
    ("девять", "девятый", "=nine"),
    ("десять", "десятый", "=ten"),
    ("одиннадцать =одинадцать =одинадцати", "одиннадцатый =одинадцатого", "=eleven"),
    ("двенадцать =двенацать", "двенадцатый", "=twelve"),
    ("тринадцать", "тринадцатый", "=thirteen"),
    ("четырнадцать", "четырнадцатый", "=fourteen"),
    ("пятнадцать =пятнацать", "пятнадцатый", "=fifteen"),
    ("шестнадцать", "шестнадцатый", "=sixteen"),
    ("семнадцать", "семнадцатый", "=seventeen"),
    ("восемнадцать", "восемнадцатый", "=eighteen"),
    ("девятнадцать", "девятнадцатый", "=nineteen"),
];

const TENS: [(u32, &str, &str, &str); 6] = [
    (20, "двадцать =двацать", "двадцатый", "=twenty"),
    (30, "тридцать =трицать", "тридцатый", "=thirty"),
    (40, "сорок", "сороковой", "=forty"),
    (50, "пятьдесят", "пятидесятый", "=fifty"),
    (100, "сто", "сотый", "=hundred"),
    (1000, "тысяча", "тысячный", "=thousand"),
];

const ENGLISH_ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];

/// English words that only tell that a message is English.
const ENGLISH: &str = "i a an the my me you your we us is are was be been have has had do does did will would can could should may might \
    want need like get got give go come make take let see look at on in for to from with without by of and or but not no yes please hi hello \
    hey thanks thank there here this that these those it its what when where who how which any some one two time book appointment tomorrow \
    today morning evening afternoon night week day month am pm good dear nice just also too very much many more than then if so as out up \
    cancel reschedule move price cost open free available haircut beard shave manicure pedicure brow lash nails hair color i'd i'm i'll \
    don't can't what's sorry ok okay sure great name english speak talk human person real manager stop late running minutes hour next before after \
    around about tell us know address parking located";

/// Sounds of a word that one wrong sound leaves recognisable.
const LONG_SOUND: usize = 7;

/// The words of the process with their senses, and the nearest of them to a misspelt one.
pub(crate) struct Lexicon {
    senses: HashMap<Box<str>, Box<[Sense]>>,
    /// Words of four letters and more by first letter and length, for misspelt ones.
    by_shape: HashMap<(char, usize), Vec<(u32, &'static str)>>,
    /// The same words by how they sound.
    by_sound: HashMap<String, Vec<&'static str>>,
    /// The sounds of long words by first sound and length, for words both misheard and misspelt.
    by_sound_shape: HashMap<(char, usize), Vec<(u32, &'static str)>>,
    /// English words of the trade by their consonants, for those who write them with Russian letters.
    by_consonants: HashMap<String, &'static str>,
    english: std::collections::HashSet<&'static str>,
}

impl Lexicon {
    /// The one of the process; unfolding it takes some tens of milliseconds.
    pub(crate) fn get() -> &'static Self {
        static LEXICON: OnceLock<Lexicon> = OnceLock::new();
        LEXICON.get_or_init(Self::unfold)
    }

    fn unfold() -> Self {
        let mut senses: HashMap<Box<str>, Vec<Sense>> = HashMap::new();
        let mut add = |words: &str, sense: Sense| {
            for word in words.split_whitespace() {
                let forms = match word.strip_prefix('=') {
                    Some(fixed) => vec![morphology::plain(fixed)],
                    None => morphology::forms(word),
                };
                for form in forms {
                    let senses = senses.entry(form.into_boxed_str()).or_default();
                    if !senses.contains(&sense) {
                        senses.push(sense);
                    }
                }
            }
        };
        for (sense, words) in TIME_WORDS {
            add(words, *sense);
        }
        for (n, (cardinal, ordinal, english)) in (0..).zip(ONES) {
            add(cardinal, Sense::Card(n));
            add(ordinal, Sense::Ord(n));
            add(english, Sense::Card(n));
            if (1..=12).contains(&n) {
                for ordinal in morphology::forms(ordinal.split(' ').next().unwrap_or_default()) {
                    if ordinal.ends_with("го") {
                        add(&format!("=пол{ordinal}"), Sense::HalfTo(n));
                    }
                }
            }
        }
        for (n, cardinal, ordinal, english) in TENS {
            add(cardinal, Sense::Card(n));
            add(ordinal, Sense::Ord(n));
            add(english, Sense::Card(n));
        }
        for (n, word) in (1..).zip(ENGLISH_ORDINALS) {
            add(&format!("={word}"), Sense::Ord(n));
        }
        add("=thirtieth", Sense::Ord(30));
        for (cue, words) in CUES {
            add(words, Sense::Cue(*cue));
        }
        for (trade, words) in TRADES {
            add(words, Sense::Trade(*trade));
        }
        let senses: HashMap<Box<str>, Box<[Sense]>> = senses.into_iter().map(|(word, senses)| (word, senses.into_boxed_slice())).collect();
        let mut lexicon = Self {
            senses,
            by_shape: HashMap::new(),
            by_sound: HashMap::new(),
            by_sound_shape: HashMap::new(),
            by_consonants: HashMap::new(),
            english: ENGLISH.split_whitespace().collect(),
        };
        let mut by_shape: HashMap<(char, usize), Vec<(u32, &'static str)>> = HashMap::new();
        let mut by_sound: HashMap<String, Vec<&'static str>> = HashMap::new();
        for word in lexicon.senses.keys() {
            let length = word.chars().count();
            if let (Some(first), true) = (word.chars().next(), length >= 4) {
                // The lexicon lives as long as the process: its words may too.
                let word: &'static str = Box::leak(word.clone());
                by_shape.entry((first, length)).or_default().push((letters(word), word));
                by_sound.entry(sound(word)).or_default().push(word);
                let of_trade = || lexicon.senses[word].iter().any(|sense| matches!(sense, Sense::Trade(_)));
                let consonants = script::consonants(word);
                if word.is_ascii() && consonants.len() > 4 && of_trade() {
                    let first = lexicon.by_consonants.entry(consonants).or_insert(word);
                    *first = word.min(first);
                }
            }
        }
        by_shape.values_mut().for_each(|words| words.sort_unstable_by_key(|(_, word)| *word));
        for heard in by_sound.keys() {
            let length = heard.chars().count();
            if let (Some(first), true) = (heard.chars().next(), length >= LONG_SOUND) {
                let heard: &'static str = Box::leak(heard.clone().into_boxed_str());
                lexicon.by_sound_shape.entry((first, length)).or_default().push((letters(heard), heard));
            }
        }
        lexicon.by_sound_shape.values_mut().for_each(|sounds| sounds.sort_unstable_by_key(|(_, heard)| *heard));
        by_sound.values_mut().for_each(|words| words.sort_unstable());
        lexicon.by_shape = by_shape;
        lexicon.by_sound = by_sound;
        lexicon
    }

    /// The senses of a word as it stands.
    pub(crate) fn senses(&self, word: &str) -> Option<&[Sense]> {
        self.senses.get(word).map(|senses| &**senses)
    }

    /// A word that only English has.
    pub(crate) fn is_english(&self, word: &str) -> bool {
        self.english.contains(word) || (word.is_ascii() && self.senses.contains_key(word))
    }

    /// Booking, moving and cancelling: of words as near as each other they are the likelier.
    fn is_business(&self, word: &str) -> bool {
        self.senses(word).is_some_and(|senses| {
            senses.iter().any(|sense| matches!(sense, Sense::Cue(Cue::Book | Cue::Move | Cue::Cancel) | Sense::Weekday(_) | Sense::Rel(_)))
        })
    }

    /// The word of the lexicon that sounds like a misspelt one: «пиринисти», «зафтра».
    pub(crate) fn alike(&self, word: &str) -> Option<&'static str> {
        if !(4..=24).contains(&word.chars().count()) {
            return None;
        }
        let nearness = |other: &&&str| (strsim::osa_distance(word, other), !self.is_business(other));
        let alike = self.by_sound.get(&sound(word))?.iter().min_by_key(nearness).copied()?;
        // «Боода» may sound like «бота», but leaves out a letter of «борода».
        let misspelt = (strsim::osa_distance(word, alike) > 1).then(|| self.nearest_work(word)).flatten();
        Some(misspelt.unwrap_or(alike))
    }

    /// The English word that is written with Russian letters: «ламинейшн».
    pub(crate) fn spoken(&self, word: &str) -> Option<&'static str> {
        self.by_consonants.get(&script::consonants(word)).copied()
    }

    /// The work that a tender word names: «массажик», «кератинчик», «тонировочка».
    pub(crate) fn plain_work(&self, word: &str) -> Option<&str> {
        const TENDER: [(&str, &str); 6] = [("чик", ""), ("ик", ""), ("очк", "к"), ("ечк", "к"), ("аньиц", "ани"), ("еньиц", "ени")];
        let (at, suffix, plain) = TENDER.iter().find_map(|(tender, plain)| Some((word.rfind(tender)?, *tender, *plain)))?;
        let (stem, ending) = (&word[..at], &word[at + suffix.len()..]);
        let whole = format!("{stem}{plain}{ending}");
        let (word, senses) = self.senses.get_key_value(&*whole)?;
        let work = senses.iter().any(|sense| matches!(sense, Sense::Trade(_)));
        (stem.chars().count() > 3 && ending.chars().count() < 3 && work).then_some(&**word)
    }

    /// The same with one sound wrong in a long word: «пирнисите».
    pub(crate) fn nearly_alike(&self, word: &str) -> Option<&'static str> {
        let heard = sound(word);
        let length = heard.chars().count();
        if !(LONG_SOUND..=24).contains(&length) {
            return None;
        }
        let (first, mask) = (heard.chars().next()?, letters(&heard));
        let near = (length - 1..=length + 1).flat_map(|n| self.by_sound_shape.get(&(first, n)).into_iter().flatten());
        let near = near.filter(|(other, _)| (mask ^ other).count_ones() <= 2).find(|(_, other)| strsim::osa_distance(&heard, other) == 1);
        let words = self.by_sound.get(near?.1)?;
        words.iter().min_by_key(|other| (strsim::osa_distance(word, other), !self.is_business(other))).copied()
    }

    /// The work whose name the word is with a letter left out or two swapped.
    pub(crate) fn nearest_work(&self, word: &str) -> Option<&'static str> {
        let near = self.nearest(word).filter(|near| slip(word, near).is_some_and(|rank| rank < 2))?;
        let works = self.senses(near)?.iter().any(|sense| matches!(sense, Sense::Trade(trade) if trade.is_head()));
        works.then_some(near)
    }

    /// The word of the lexicon that a misspelt one most likely is: one slip of the pen away, two in
    /// a long word.
    pub(crate) fn nearest(&self, word: &str) -> Option<&'static str> {
        let length = word.chars().count();
        if !(4..=24).contains(&length) {
            return None;
        }
        let allowed = if length >= 8 { 2 } else { 1 };
        let mask = letters(word);
        // Two letters swapped are the likeliest slip, then one left out.
        let rank = |other: &str, other_mask: u32, other_length: usize| match other_length.cmp(&length) {
            Ordering::Equal if other_mask == mask && other.len() == word.len() => 0,
            Ordering::Greater => 1,
            Ordering::Equal => 2,
            Ordering::Less => 3,
        };
        let mut best: Option<((usize, i32, bool), &'static str)> = None;
        for first in firsts(word) {
            for other_length in length - allowed.min(length - 1)..=length + allowed {
                for (other_mask, other) in self.by_shape.get(&(first, other_length)).into_iter().flatten() {
                    if (mask ^ other_mask).count_ones() as usize > 2 * allowed {
                        continue;
                    }
                    let distance = strsim::osa_distance(word, other);
                    // A different first letter is a slip too, and short words may not stand two.
                    let allowed = if length < 9 { 1 } else { allowed };
                    let found = (distance, rank(other, *other_mask, other_length), !self.is_business(other));
                    if distance <= allowed && best.is_none_or(|(least, _)| found < least) {
                        best = Some((found, other));
                    }
                }
            }
        }
        best.map(|(_, word)| word)
    }
}

/// How likely `written` is one slip away from `word`: 0 two letters swapped, 1 one left out, 2 one
/// wrong, 3 one too many; `None` when it is further away.
pub(crate) fn slip(written: &str, word: &str) -> Option<u8> {
    // Most words differ too much in bytes or letters to be looked at closely.
    if written.len().abs_diff(word.len()) > 2 || (letters(written) ^ letters(word)).count_ones() > 2 {
        return None;
    }
    let (length, other) = (written.chars().count(), word.chars().count());
    if length < 4 || other < 4 || length.abs_diff(other) > 1 || strsim::osa_distance(written, word) != 1 {
        return None;
    }
    Some(match other.cmp(&length) {
        Ordering::Equal if letters(written) == letters(word) => 0,
        Ordering::Greater => 1,
        Ordering::Equal => 2,
        Ordering::Less => 3,
    })
}

/// How a Russian word sounds, roughly: unstressed vowels fall together, so do voiced and voiceless
/// consonants; signs and doubled letters are not heard.
pub(crate) fn sound(word: &str) -> String {
    const CLUSTERS: &[(&str, &str)] = &[
        ("ться", "ца"),
        ("тся", "ца"),
        ("стн", "сн"),
        ("здн", "сн"),
        ("счи", "щи"),
        ("сче", "ще"),
        ("зче", "ще"),
        ("жч", "щ"),
        ("чт", "шт"),
        ("йо", "е"),
    ];
    let mut heard = String::with_capacity(word.len());
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let cluster = CLUSTERS.iter().find(|(written, _)| rest.starts_with(written));
        let (written, said) = cluster.map_or((c.len_utf8(), None), |(written, said)| (written.len(), Some(*said)));
        rest = &rest[written..];
        let mut one = [0; 4];
        for c in said.unwrap_or(c.encode_utf8(&mut one)).chars() {
            let c = match c {
                'о' => 'а',
                'е' | 'э' | 'я' | 'ы' => 'и',
                'ю' => 'у',
                'б' => 'п',
                'в' => 'ф',
                'г' => 'к',
                'д' => 'т',
                'з' => 'с',
                'ж' | 'щ' => 'ш',
                'ь' | 'ъ' => continue,
                c => c,
            };
            if !heard.ends_with(c) {
                heard.push(c);
            }
        }
    }
    heard
}

/// Letters a word may have begun with when its first one is a slip.
fn firsts(word: &str) -> Vec<char> {
    let mut letters = word.chars();
    let (Some(first), second) = (letters.next(), letters.next()) else { return Vec::new() };
    let alike = match first {
        'а' => "о",
        'о' => "а",
        'е' => "иэя",
        'э' => "е",
        'и' => "е",
        'я' => "е",
        'з' => "с",
        'с' => "з",
        'б' => "п",
        'п' => "б",
        'д' => "т",
        'т' => "д",
        'г' => "к",
        'к' => "г",
        'в' => "ф",
        'ф' => "в",
        'ж' => "ш",
        'ш' => "жщ",
        _ => "",
    };
    let mut firsts = vec![first];
    firsts.extend(alike.chars());
    firsts.extend(second);
    firsts
}

/// Which letters a word has, as bits.
fn letters(word: &str) -> u32 {
    word.chars().fold(0, |bits, c| bits | 1 << (u32::from(c) % 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_its_sense() {
        for (word, sense) in [
            ("пятницу", Sense::Weekday(5)),
            ("воскресеньем", Sense::Weekday(7)),
            ("двадцатого", Sense::Ord(20)),
            ("пятью", Sense::Card(5)),
            ("полшестого", Sense::HalfTo(6)),
            ("отменяйте", Sense::Cue(Cue::Cancel)),
            ("подстричься", Sense::Trade(Trade::Haircut)),
            ("часиков", Sense::Unit(Unit::Hour)),
        ] {
            assert!(Lexicon::get().senses(word).is_some_and(|senses| senses.contains(&sense)), "{word}");
        }
    }

    #[test]
    fn slips_of_the_pen() {
        for (slip, word) in [
            ("пятнецу", "пятницу"),
            ("чевтерг", "четверг"),
            ("маникуюр", "маникюр"),
            ("окрашвание", "окрашивание"),
            ("адиннадцать", "одиннадцать"),
            ("запишиет", "запишите"),
        ] {
            assert_eq!(Lexicon::get().nearest(slip), Some(word), "{slip}");
        }
        assert_eq!(Lexicon::get().nearest("холодильник"), None);
    }
}
