//! A turn's journal: what it wanted of the booking system, under which names, and what came of it.

use dialogue::{Effect, Outcome};
use domain::{BookingId, Receipt};
use serde::{Deserialize, Serialize};

use crate::booking;

/// One step outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) effect: Effect,
    /// The booking's own id, should one be made.
    pub(crate) name: BookingId,
    /// None while it is under way.
    pub(crate) outcome: Option<Outcome>,
}

impl Entry {
    /// It may have changed something outside that nobody has been told of.
    fn may_stand(&self) -> bool {
        booking::writes(&self.effect) && matches!(self.outcome, None | Some(Outcome::Done(_) | Outcome::Unsettled))
    }
}

/// What is known of an effect when the dialogue comes to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// Everything: it is not done again.
    Outcome(Box<Outcome>),
    /// It was begun under that name before the process died.
    Begun(BookingId),
    /// Nothing: it begins now, under that name.
    New(BookingId),
}

/// The whole journal. It is saved before every write and replayed after a crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// The messages that the turn heard, by their numbers, fixed with its first write: what the
    /// customer edits or takes back later is not heard by a replay. Empty before that.
    #[serde(default)]
    heard: Vec<i64>,
    /// In the order of the dialogue's steps.
    taken: Vec<Entry>,
    /// Writes of a way that a replay did not take again, because the salon's catalogue or a person
    /// had changed something since. They stand or fall outside all the same.
    left: Vec<Entry>,
}

impl Journal {
    /// What is known of the turn's `at`-th effect; entered where it is new. The same write on
    /// another way is the same write.
    pub(crate) fn enter(&mut self, at: usize, effect: &Effect) -> Known {
        if self.taken.get(at).is_some_and(|entry| entry.effect != *effect) {
            self.ends(at);
        }
        if self.taken.len() == at {
            let Some(same) = self.left.iter().position(|entry| entry.effect == *effect) else {
                let name = BookingId(uuid::Uuid::now_v7());
                self.taken.push(Entry { effect: effect.clone(), name, outcome: None });
                return Known::New(name);
            };
            self.taken.push(self.left.remove(same));
        }
        let entry = &self.taken[at];
        match &entry.outcome {
            Some(outcome) => Known::Outcome(Box::new(outcome.clone())),
            None => Known::Begun(entry.name),
        }
    }

    /// The turn hears these messages, also when it is taken up again.
    pub(crate) fn hears(&mut self, seqs: impl Iterator<Item = i64>) {
        if self.heard.is_empty() {
            self.heard = seqs.collect();
        }
    }

    /// Whether the turn heard that message.
    pub(crate) fn has_heard(&self, seq: i64) -> bool {
        self.heard.is_empty() || self.heard.contains(&seq)
    }

    /// The way ended after so many effects: what a run before had done beyond is of no way now.
    pub(crate) fn ends(&mut self, after: usize) {
        let beyond = self.taken.split_off(after.min(self.taken.len()));
        self.left.extend(beyond.into_iter().filter(Entry::may_stand));
    }

    /// The effect that was entered there has come out.
    pub(crate) fn came_out(&mut self, at: usize, outcome: &Outcome) {
        if let Some(entry) = self.taken.get_mut(at) {
            entry.outcome = Some(outcome.clone());
        }
    }

    /// What was done on the way that the turn has gone.
    pub(crate) fn taken(&self) -> &[Entry] {
        &self.taken
    }

    /// What was done, and read back, on that way.
    pub(crate) fn receipts(&self) -> impl Iterator<Item = &Receipt> {
        self.taken.iter().filter_map(|entry| match &entry.outcome {
            Some(Outcome::Done(receipt)) => Some(receipt),
            _ => None,
        })
    }

    /// Writes of that way whose outcome nobody knows.
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = &Entry> {
        self.taken.iter().filter(|entry| entry.outcome == Some(Outcome::Unsettled))
    }

    /// Writes of other ways, of which the turn's answer does not speak.
    pub(crate) fn left(&self) -> &[Entry] {
        &self.left
    }
}

#[cfg(test)]
mod tests {
    use domain::{RecordId, StaffId};
    use jiff::civil::date;

    use super::*;

    fn moving(day: i8) -> Effect {
        Effect::Move { record: RecordId(5), services: Vec::new(), staff: StaffId(1), start: date(2026, 11, day).at(15, 0, 0, 0) }
    }

    /// Saved and loaded again, as after a crash.
    fn reloaded(journal: &Journal) -> Journal {
        serde_json::from_str(&serde_json::to_string(journal).expect("JSON")).expect("the same")
    }

    #[test]
    fn a_replay_on_the_same_way_does_nothing_twice() {
        let mut journal = Journal::default();
        assert!(matches!(journal.enter(0, &Effect::MyBookings), Known::New(_)));
        journal.came_out(0, &Outcome::Bookings(Vec::new()));
        let Known::New(name) = journal.enter(1, &moving(24)) else { panic!("a new write") };
        let mut journal = reloaded(&journal);
        assert_eq!(journal.enter(0, &Effect::MyBookings), Known::Outcome(Box::new(Outcome::Bookings(Vec::new()))));
        assert_eq!(journal.enter(1, &moving(24)), Known::Begun(name));
        assert!(journal.left().is_empty());
    }

    #[test]
    fn a_write_that_a_replay_does_not_come_to_is_not_forgotten_by_the_next_crash() {
        let mut journal = Journal::default();
        let Known::New(name) = journal.enter(0, &moving(24)) else { panic!("a new write") };
        journal = reloaded(&journal);
        assert!(matches!(journal.enter(0, &Effect::Cancel { record: RecordId(5) }), Known::New(_)));
        journal = reloaded(&journal);
        let left: Vec<_> = journal.left().iter().map(|entry| (&entry.effect, entry.name)).collect();
        assert_eq!(left, [(&moving(24), name)]);
    }

    #[test]
    fn a_replay_that_says_something_sooner_forgets_no_write() {
        let mut journal = Journal::default();
        journal.enter(0, &Effect::MyBookings);
        journal.came_out(0, &Outcome::Bookings(Vec::new()));
        let Known::New(name) = journal.enter(1, &moving(24)) else { panic!("a new write") };
        let mut journal = reloaded(&journal);
        journal.enter(0, &Effect::MyBookings);
        journal.ends(1);
        assert_eq!(journal.left().iter().map(|entry| entry.name).collect::<Vec<_>>(), [name]);
        assert_eq!(journal.taken().len(), 1);
    }

    #[test]
    fn what_was_heard_first_is_heard_again() {
        let mut journal = Journal::default();
        assert!(journal.has_heard(2), "nothing is fixed yet");
        journal.hears([1, 3].into_iter());
        let mut journal = reloaded(&journal);
        journal.hears([1, 2, 3].into_iter());
        assert_eq!([1, 2, 3].map(|seq| journal.has_heard(seq)), [true, false, true]);
    }

    #[test]
    fn a_write_that_was_done_on_another_way_is_told_too_and_a_refused_one_is_not() {
        let mut journal = Journal::default();
        for (at, outcome) in [Outcome::Unsettled, Outcome::Failed, Outcome::Refused(dialogue::Refusal::SlotTaken)].iter().enumerate() {
            journal.enter(at, &moving(24 + i8::try_from(at).expect("small")));
            journal.came_out(at, outcome);
        }
        journal.enter(0, &Effect::LastVisit);
        assert_eq!(journal.left().iter().map(|entry| &entry.effect).collect::<Vec<_>>(), [&moving(24)]);
    }

    #[test]
    fn the_same_write_on_another_way_keeps_its_name() {
        let mut journal = Journal::default();
        let Known::New(name) = journal.enter(0, &moving(24)) else { panic!("a new write") };
        journal.enter(0, &Effect::MyBookings);
        journal.came_out(0, &Outcome::Bookings(Vec::new()));
        assert_eq!(journal.enter(1, &moving(24)), Known::Begun(name));
        assert!(journal.left().is_empty());
    }
}
