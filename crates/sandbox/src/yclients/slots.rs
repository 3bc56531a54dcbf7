//! Which starts a working day leaves open. Pure arithmetic on seconds after midnight.

/// A part of a day in seconds after its midnight, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// `whole` with the `gaps` cut out, in order, without empty pieces.
pub(crate) fn without(whole: Span, gaps: &[Span]) -> Vec<Span> {
    let mut gaps: Vec<Span> = gaps.iter().copied().filter(|g| g.from < whole.to && whole.from < g.to && g.from < g.to).collect();
    gaps.sort_by_key(|g| g.from);
    let mut pieces = Vec::with_capacity(gaps.len() + 1);
    let mut from = whole.from;
    for gap in gaps {
        if from < gap.from {
            pieces.push(Span { from, to: gap.from });
        }
        from = from.max(gap.to);
    }
    if from < whole.to {
        pieces.push(Span { from, to: whole.to });
    }
    pieces
}

/// The starts on the grid of `step` seconds, counted from the beginning of the `shift`, at which `length` seconds
/// are free and which are not before `not_before`.
pub(crate) fn starts(shift: Span, taken: &[Span], length: i64, step: i64, not_before: i64) -> Vec<i64> {
    let mut found = Vec::new();
    for free in without(shift, taken) {
        let earliest = free.from.max(not_before);
        let mut start = shift.from + (earliest - shift.from + step - 1).div_euclid(step) * step;
        while start + length <= free.to {
            found.push(start);
            start += step;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(text: &str) -> i64 {
        let (h, m) = text.split_once(':').expect("HH:MM");
        h.parse::<i64>().expect("hours") * 3600 + m.parse::<i64>().expect("minutes") * 60
    }

    fn span(text: &str) -> Span {
        let (from, to) = text.split_once('-').expect("from-to");
        Span { from: clock(from), to: clock(to) }
    }

    fn shown(starts: Vec<i64>) -> String {
        starts.iter().map(|s| format!("{}:{:02}", s / 3600, s / 60 % 60)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_starts_of_a_day() {
        // shift, taken, minutes, grid, not before, expected
        type Case = (&'static str, &'static [&'static str], i64, i64, &'static str, &'static str);
        let cases: &[Case] = &[
            ("10:00-12:00", &[], 60, 30, "0:00", "10:00 10:30 11:00"),
            ("10:00-12:00", &[], 121, 30, "0:00", ""),
            ("10:00-13:00", &["11:00-12:00"], 60, 30, "0:00", "10:00 12:00"),
            ("10:00-13:00", &["11:00-12:00"], 60, 30, "10:01", "12:00"),
            ("10:00-13:00", &["11:00-12:00"], 60, 30, "12:00", "12:00"),
            ("10:00-13:00", &["11:10-11:50"], 60, 15, "0:00", "10:00 12:00"),
            ("10:00-13:00", &["9:00-11:15", "11:00-11:45"], 60, 15, "0:00", "11:45 12:00"),
            ("10:00-12:30", &[], 45, 45, "0:00", "10:00 10:45 11:30"),
            ("9:45-12:00", &["10:15-10:45"], 30, 30, "0:00", "9:45 10:45 11:15"),
            ("10:00-12:00", &["10:00-12:00"], 30, 30, "0:00", ""),
            ("10:00-12:00", &["8:00-10:00", "12:00-13:00"], 120, 30, "0:00", "10:00"),
        ];
        for (shift, taken, minutes, grid, not_before, expected) in cases {
            let taken: Vec<Span> = taken.iter().map(|t| span(t)).collect();
            let found = starts(span(shift), &taken, minutes * 60, grid * 60, clock(not_before));
            assert_eq!(shown(found), *expected, "{shift} {taken:?} {minutes} min, grid {grid}, from {not_before}");
        }
    }
}
