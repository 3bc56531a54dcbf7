//! What of a customer's bookings stays: «брови оставьте», «бороду уберите, только стрижку».

use domain::{Booking, ReadBack, ServiceId};
use language::{Context, Intent};

use crate::{cues::Cues, turn::Mind};

/// What may stand between a part that goes and one that stays.
const BETWEEN: &[&str] = &[",", ";", ".", "!", "\n", " а ", " но ", " but "];

/// The works that words name, apart by what is to become of them.
#[derive(Debug, Default)]
pub(crate) struct Sides {
    pub(crate) stay: Vec<ServiceId>,
    pub(crate) go: Vec<ServiceId>,
    /// Only those stay: «только стрижку оставьте».
    only: bool,
}

impl Mind<'_> {
    /// The works named beside «оставьте», and those beside anything else.
    pub(crate) fn sides(&self) -> Sides {
        let mut sides = Sides::default();
        if !self.cues.keep && !self.cues.less {
            return sides;
        }
        let mut clauses = vec![self.text.as_str()];
        for between in BETWEEN {
            clauses = clauses.into_iter().flat_map(|clause| clause.split(between)).collect();
        }
        if clauses.len() == 1 {
            clauses = self.apart(clauses[0]).unwrap_or(clauses);
        }
        for clause in clauses {
            let named = self.turn.reader.read(clause, self.turn.now, &Context::default()).service_ids;
            let cues = Cues::read(clause);
            sides.only |= cues.keep && cues.only;
            let side = if cues.keep { &mut sides.stay } else { &mut sides.go };
            side.extend(self.turn.salon.parts(&named));
        }
        let stay = &sides.stay;
        sides.go.retain(|id| !stay.contains(id));
        sides
    }

    /// «Отмените ресницы брови не трогайте»: what goes and what stays, where no comma stands between them.
    fn apart<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let read = |text: &str| self.turn.reader.read(text, self.turn.now, &Context::default());
        let goes = |text: &str| {
            let heard = read(text);
            !heard.service_ids.is_empty() && (heard.has(Intent::Cancel) || Cues::read(text).less) && !Cues::read(text).keep
        };
        let stays = |text: &str| Cues::read(text).keep;
        let cuts = text.match_indices(' ').map(|(at, _)| text.split_at(at));
        let mut halves = cuts.filter(|(first, second)| goes(first) && stays(second) || stays(first) && goes(second));
        halves.next().map(|(first, second)| vec![first, second])
    }

    /// The booking that a part is to be taken out of, and what is left of it.
    pub(crate) fn part_dropped(&self, coming: &[ReadBack<Booking>]) -> Option<(ReadBack<Booking>, Vec<ServiceId>)> {
        let sides = self.sides();
        let dropped = |booking: &Booking| {
            let parts = self.turn.salon.parts(&booking.services);
            let stays = |id: &ServiceId| if sides.only { sides.stay.contains(id) } else { !sides.go.contains(id) };
            let left: Vec<ServiceId> = parts.iter().copied().filter(stays).collect();
            let meant = self.cues.less || left.iter().any(|id| sides.stay.contains(id));
            (meant && !left.is_empty() && left.len() < parts.len()).then_some(left)
        };
        coming.iter().filter(|booking| !booking.get().locked).find_map(|booking| Some((booking.clone(), dropped(booking.get())?)))
    }
}
