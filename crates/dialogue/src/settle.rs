//! A booking whose outcome was unknown when the customer wrote again.

use domain::{Booking, ReadBack};
use language::Intent;

use crate::{
    Step,
    moment::Want,
    plan::{Seat, Visit},
    state::Question,
    turn::Mind,
};

impl Mind<'_> {
    /// A booking whose outcome was unknown: whether it is there decides what this turn means.
    pub(crate) fn settle(mut self, seat: Seat, bookings: Vec<ReadBack<Booking>>) -> Step {
        let parts = self.turn.salon.parts(&seat.services);
        let same = |booking: &ReadBack<Booking>| {
            let booking = booking.get();
            let mut services = parts.clone();
            services.sort_unstable();
            let mut booked = self.turn.salon.parts(&booking.services);
            booked.sort_unstable();
            !booking.deleted && booking.start == seat.start && booking.staff_id == seat.staff && booked == services
        };
        match bookings.into_iter().find(same) {
            Some(booking) => {
                let stands = booking.get().clone();
                self.state.remember(booking);
                let words = self.voice().stands(&stands);
                if !self.names_details() && (self.heard.has(Intent::Confirm) || self.heard.has(Intent::Other)) {
                    return self.say(words);
                }
                // Whatever else is asked, this was waited for.
                self.parts.push(words);
                let text = std::mem::take(&mut self.text);
                self.read(text);
                self.answer()
            }
            None => {
                // It is not there: the customer's request is open again, and their words are about it.
                let wish = &mut self.state.wish;
                if wish.is_empty() {
                    wish.services = seat.services.clone();
                    wish.staff = vec![seat.staff];
                    wish.when = vec![Want::at(seat.start)];
                    self.state.question = Some(Question::WhichVisit(vec![Visit { seats: vec![seat] }]));
                }
                let text = std::mem::take(&mut self.text);
                self.read(text);
                self.answer()
            }
        }
    }
}
