use domain::Salon;
use jiff::civil::DateTime;

use crate::{
    Asked, Context, Lang, Understood,
    facts, intents,
    lexicon::{Cue, Lexicon},
    script::Script,
    services::PriceList,
    staff::Team,
    text::Text,
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
        Self {
            hours: salon.map_or_else(OpeningHours::unknown, OpeningHours::of),
            services: salon.map(PriceList::of).unwrap_or_default(),
            team: salon.map(Team::of).unwrap_or_default(),
        }
    }

    /// What the message says at `now` (salon time). Text beyond 4096 characters is not read.
    pub fn read(&self, text: &str, now: DateTime, context: &Context) -> Understood {
        let text = Text::read(text);
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
        if choice.is_none() && !(asked == Some(Asked::Review) && rating.is_some()) {
            times = when::read(tokens, &mut used, &Setting { now, context, hours: &self.hours, moving });
        }
        let choice = choice.or_else(|| if times.when.is_empty() { facts::choice(tokens, &used, context) } else { offered(&times, context) });
        let staff = self.team.find(tokens, &mut used);
        let services = self.services.find(tokens, &used);
        let mut understood = Understood {
            intents: Vec::new(),
            service_ids: services.ids,
            services_ambiguous: services.ambiguous,
            staff_ids: staff.ids,
            staff_any: staff.any || asked == Some(Asked::Staff) && intents::indifferent(tokens),
            staff_not_ids: staff.not_ids,
            when: times.when,
            name,
            phone,
            people: facts::people(tokens),
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
        understood.intents = intents::read(&text, context, &understood, services.any_word);
        understood
    }
}

/// The offered time that was named again.
fn offered(times: &when::Times, context: &Context) -> Option<usize> {
    match times.when[..] {
        [crate::When::At { from, time_only, .. }] => {
            let same = |at: &DateTime| *at == from || time_only && at.time() == from.time();
            context.offered.iter().position(same).map(|i| i + 1)
        }
        _ => None,
    }
}
