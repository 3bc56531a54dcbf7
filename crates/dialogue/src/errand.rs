//! Two errands in one breath: «стрижку отмените, а маникюр перенесите на 17».

use language::{Context, Intent, Understood};

use crate::{Step, turn::Mind};

/// What may stand between two errands.
const BETWEEN: &[&str] = &[",", ";", ".", "!", "\n", " и ", " а ", " and ", " but "];

/// One breath has no more places than these to part it; each costs two readings.
const MOST_CUTS: usize = 40;

/// A second errand that is about the booking of the first one: «отмените среду и перенесите её на пятницу».
const THE_SAME: &[&str] = &["её", "ее", "его", "их", "it", "them"];

impl Mind<'_> {
    /// Goes on with the first of two errands and keeps the second one for later, where there are two.
    pub(crate) fn part_errands(&mut self) {
        if !(self.heard.has(Intent::Cancel) && self.heard.has(Intent::Reschedule)) {
            return;
        }
        let Some((first, second)) = self.errands() else { return };
        self.read(first);
        self.state.errand = Some(second);
    }

    /// The two errands, in the order said: one cancels and the other moves, and each says which booking.
    fn errands(&self) -> Option<(String, String)> {
        let text = &self.text;
        let read = |text: &str| self.turn.reader.read(text, self.turn.now, &Context::default());
        let names = |heard: &Understood| !heard.service_ids.is_empty() || !heard.staff_ids.is_empty() || !heard.when.is_empty();
        let only = |heard: &Understood, what, not| heard.has(what) && !heard.has(not);
        let mut cuts: Vec<usize> = BETWEEN.iter().flat_map(|between| text.match_indices(between).map(|(at, _)| at)).collect();
        cuts.sort_unstable();
        // Many write without commas.
        cuts.extend(text.match_indices(' ').map(|(at, _)| at));
        cuts.into_iter().take(MOST_CUTS).map(|cut| text.split_at(cut)).find_map(|(first, second)| {
            let second = second.trim_start_matches(|c: char| !c.is_alphanumeric());
            if second.split_whitespace().any(|word| THE_SAME.contains(&word.to_lowercase().as_str())) {
                return None;
            }
            let (a, b) = (read(first), read(second));
            let apart = only(&a, Intent::Cancel, Intent::Reschedule) && only(&b, Intent::Reschedule, Intent::Cancel)
                || only(&a, Intent::Reschedule, Intent::Cancel) && only(&b, Intent::Cancel, Intent::Reschedule);
            (apart && names(&a) && names(&b)).then(|| (first.to_owned(), second.to_owned()))
        })
    }

    /// Ends with these words, or goes on with what else was asked for in the same breath.
    pub(crate) fn say_and_go_on(mut self, words: String) -> Step {
        let Some(errand) = self.state.errand.take() else { return self.say(words) };
        self.parts.push(words);
        self.before.question = None;
        self.read(errand);
        self.wanted()
    }
}
