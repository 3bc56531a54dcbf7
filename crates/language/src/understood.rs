use domain::{Phone, ServiceId, StaffId};
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// What the dialogue knows that the words alone do not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// What the salon asked last.
    #[serde(default)]
    pub asked: Option<Asked>,
    /// The times offered last, in the order shown; salon time.
    #[serde(default)]
    pub offered: Vec<DateTime>,
    /// The day that is being talked about.
    #[serde(default)]
    pub day: Option<Date>,
}

/// The question a message may be the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Which service?
    Service,
    /// Which master?
    Staff,
    /// Which day?
    Day,
    /// What time?
    Time,
    /// What is your name?
    Name,
    /// Is that right?
    Confirm,
    /// Which of these?
    Choice,
    /// How was it?
    Review,
}

/// What a customer wants by a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Says hello.
    Greeting,
    /// Wants an appointment.
    Book,
    /// Asks when there is room.
    FreeTimes,
    /// Asks what it costs.
    Price,
    /// Asks what is done here.
    Services,
    /// Asks who works here.
    Staff,
    /// Asks of the salon itself: address, hours, payment, parking, rules.
    Info,
    /// Asks of their own bookings.
    MyBookings,
    /// Wants a booking moved.
    Reschedule,
    /// Wants a booking cancelled.
    Cancel,
    /// Says yes.
    Confirm,
    /// Says no.
    Decline,
    /// Picks one of what was offered.
    Choose,
    /// Will be late.
    Late,
    /// Says thanks.
    Thanks,
    /// Wants a person.
    Human,
    /// Is unhappy.
    Complaint,
    /// Wants no more messages.
    Stop,
    /// Reviews a visit.
    Review,
    /// Anything else.
    Other,
}

/// What is asked of the salon itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InfoTopic {
    /// Where it is, how to get there.
    Address,
    /// When it is open.
    Hours,
    /// Ways to pay, prepayment.
    Payment,
    /// Where to leave a car.
    Parking,
    /// Rules of cancelling, or whether a booking was cancelled.
    Cancellation,
    /// Phone, site, social networks.
    Contacts,
    /// How long a service takes or lasts.
    Duration,
    /// What happens to those who are late.
    Lateness,
    /// Discounts, gift certificates.
    Promotions,
    /// Whether a service is for the pregnant or allergic.
    Health,
    /// Sterile instruments.
    Hygiene,
    /// Anything else of the salon: coffee, Wi-Fi, pets, jobs.
    Other,
}

/// The language to answer in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// Russian, in whatever letters.
    #[default]
    Ru,
    /// English.
    En,
}

/// A moment that was asked for; all times naive, in the salon's zone.
///
/// `time_only`: no day was said; the date is the one talked about, or today's. `ambiguous`: one of
/// two readings of the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum When {
    /// A moment.
    At {
        /// The moment.
        #[serde(with = "minute")]
        from: DateTime,
        /// No day was said.
        #[serde(default, skip_serializing_if = "is_false")]
        time_only: bool,
        /// One of two readings.
        #[serde(default, skip_serializing_if = "is_false")]
        ambiguous: bool,
    },
    /// A whole day.
    Day {
        /// The day.
        from: Date,
        /// One of two readings.
        #[serde(default, skip_serializing_if = "is_false")]
        ambiguous: bool,
    },
    /// Several days, `to` included.
    Days {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
        /// One of two readings.
        #[serde(default, skip_serializing_if = "is_false")]
        ambiguous: bool,
    },
    /// A window of one day.
    Window {
        /// Not before.
        #[serde(with = "minute")]
        from: DateTime,
        /// Not after.
        #[serde(with = "minute")]
        to: DateTime,
        /// No day was said.
        #[serde(default, skip_serializing_if = "is_false")]
        time_only: bool,
        /// One of two readings.
        #[serde(default, skip_serializing_if = "is_false")]
        ambiguous: bool,
    },
    /// From a moment on.
    After {
        /// Not before.
        #[serde(with = "minute")]
        from: DateTime,
        /// No day was said.
        #[serde(default, skip_serializing_if = "is_false")]
        time_only: bool,
        /// One of two readings.
        #[serde(default, skip_serializing_if = "is_false")]
        ambiguous: bool,
    },
    /// Up to a moment.
    Before {
        /// Not after.
        #[serde(with = "minute")]
        to: DateTime,
        /// No day was said.
        #[serde(default, skip_serializing_if = "is_false")]
        time_only: bool,
        /// One of two readings.
        #[serde(default, skip_serializing_if = "is_false")]
        ambiguous: bool,
    },
}

impl When {
    /// The (first) day it lies on.
    pub fn date(&self) -> Date {
        match self {
            Self::Day { from, .. } | Self::Days { from, .. } => *from,
            Self::At { from, .. } | Self::Window { from, .. } | Self::After { from, .. } => from.date(),
            Self::Before { to, .. } => to.date(),
        }
    }

    /// No day was said with it.
    pub fn time_only(&self) -> bool {
        match self {
            Self::At { time_only, .. }
            | Self::Window { time_only, .. }
            | Self::After { time_only, .. }
            | Self::Before { time_only, .. } => *time_only,
            Self::Day { .. } | Self::Days { .. } => false,
        }
    }

    /// One of two readings of the same words.
    pub fn ambiguous(&self) -> bool {
        match self {
            Self::At { ambiguous, .. }
            | Self::Day { ambiguous, .. }
            | Self::Days { ambiguous, .. }
            | Self::Window { ambiguous, .. }
            | Self::After { ambiguous, .. }
            | Self::Before { ambiguous, .. } => *ambiguous,
        }
    }
}

/// What a message says. Serialises as the `understand` command prints it; what the dialogue needs
/// beyond that is written only when set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Understood {
    /// Most certain first; never empty.
    pub intents: Vec<Intent>,
    /// With [`Intent::Info`]: what is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub info_topics: Vec<InfoTopic>,
    /// The services meant, in the order said; with `services_ambiguous` those that fit equally well,
    /// at most five.
    pub service_ids: Vec<ServiceId>,
    /// `service_ids` are alternatives to ask about.
    #[serde(default, skip_serializing_if = "is_false")]
    pub services_ambiguous: bool,
    /// Where several services were named and some fit several titles: each service meant with the
    /// titles that fit it («маникюр и брови»).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_options: Vec<Vec<ServiceId>>,
    /// Work that was asked for and that nothing in this salon's list covers, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_unknown: Option<String>,
    /// Masters named; several where the name is shared or «или» joins them.
    pub staff_ids: Vec<StaffId>,
    /// Any master will do.
    pub staff_any: bool,
    /// Masters refused.
    pub staff_not_ids: Vec<StaffId>,
    /// The moments asked for, as alternatives in the order said.
    pub when: Vec<When>,
    /// The name the customer gives as their own, as written, first letters large.
    pub name: Option<String>,
    /// A phone number in the text.
    pub phone: Option<Phone>,
    /// Minutes, where a length of work was said («на полтора часа»), or may have been after the service was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<i64>,
    /// How many people want the service.
    pub people: u8,
    /// A review's score, 1 to 5.
    pub rating: Option<u8>,
    /// Number of the offered option picked, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<usize>,
    /// «Как в прошлый раз»: the same as at the last visit.
    #[serde(default, skip_serializing_if = "is_false")]
    pub same_as_last: bool,
    /// «К нему же»: the master talked about before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub staff_same: bool,
    /// «К разным мастерам»: each to a master of their own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub staff_different: bool,
    /// «К другому мастеру»: somebody else than talked about before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub staff_other: bool,
    /// A name after «к» or «у» that no master here has, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff_unknown: Option<String>,
    /// «Время то же»: the time of day talked about before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub same_time: bool,
    /// «В тот же день» with no day known from the context.
    #[serde(default, skip_serializing_if = "is_false")]
    pub same_day: bool,
    /// «На час позже»: minutes from the time talked about before; negative for earlier. Also folded
    /// into `when` where the context has an offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_minutes: Option<i64>,
    /// A date or time was said that cannot be («31 апреля», «в 25:00»), so `when` has none of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub when_impossible: bool,
    /// Times said but refused («в среду не получится»).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when_refused: Vec<When>,
    /// The time a booking stands at that is to be moved («с пятницы на субботу»).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when_old: Vec<When>,
    /// Language of the message.
    #[serde(default)]
    pub lang: Lang,
}

impl Default for Understood {
    fn default() -> Self {
        Self {
            intents: vec![Intent::Other],
            info_topics: Vec::new(),
            service_ids: Vec::new(),
            services_ambiguous: false,
            service_options: Vec::new(),
            service_unknown: None,
            staff_ids: Vec::new(),
            staff_any: false,
            staff_not_ids: Vec::new(),
            when: Vec::new(),
            name: None,
            phone: None,
            length: None,
            people: 1,
            rating: None,
            choice: None,
            same_as_last: false,
            staff_same: false,
            staff_different: false,
            staff_other: false,
            staff_unknown: None,
            same_time: false,
            same_day: false,
            shift_minutes: None,
            when_impossible: false,
            when_refused: Vec::new(),
            when_old: Vec::new(),
            lang: Lang::Ru,
        }
    }
}

impl Understood {
    /// The message carries that intent.
    pub fn has(&self, intent: Intent) -> bool {
        self.intents.contains(&intent)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Moments to the minute: `2026-11-24T15:00`.
mod minute {
    use jiff::civil::DateTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(moment: &DateTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&moment.strftime("%Y-%m-%dT%H:%M"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime, D::Error> {
        DateTime::deserialize(deserializer)
    }
}
