//! Booking and moving: the last details, the effects, and what comes of them.

use domain::{Booking, Phone, Receipt};
use language::Understood;

use crate::{
    HandOverReason, Step,
    effect::{Effect, Outcome, Refusal},
    moment::{Want, WhyNot},
    plan::{Seat, Visit},
    state::{Question, Wish},
    turn::{Mind, Next},
};

/// A visit while its seats are booked one by one.
#[derive(Debug, Clone)]
pub(crate) struct Booked {
    visit: Visit,
    receipts: Vec<Receipt>,
}

impl Mind<'_> {
    /// The visit is settled: books it, or asks for what a booking needs.
    pub(crate) fn confirm(mut self, visit: Visit) -> Step {
        if visit.start() <= self.now() {
            // The offer has lain too long.
            let words = self.voice().why_not(&WhyNot::Past);
            self.parts.push(words);
            self.state.wish.when.clear();
            self.heard.when.clear();
            return self.arrange();
        }
        if let Some(booking) = &self.state.wish.moving {
            let record = booking.get().record_id;
            let seat = visit.seats[0].clone();
            let effect = Effect::Move { record, services: seat.services.clone(), staff: seat.staff, start: seat.start };
            return self.act(effect, Next::Moved(Box::new(seat)));
        }
        let Some(name) = self.visitor_name() else {
            let words = self.voice().ask_name();
            return self.ask(Question::Name(visit), words);
        };
        let Some(phone) = self.phone() else {
            let words = self.voice().ask_phone();
            return self.ask(Question::Phone(visit), words);
        };
        self.state.question = None;
        self.seat_next(Booked { visit, receipts: Vec::new() }, name, phone)
    }

    /// The number to book on.
    fn phone(&self) -> Option<Phone> {
        let customer = self.turn.customer;
        let card = customer.client.as_ref().and_then(|client| client.phone.clone());
        self.state.phone.clone().or_else(|| customer.phone.clone()).or(card)
    }

    fn seat_next(self, booked: Booked, client_name: String, phone: Phone) -> Step {
        let index = booked.receipts.len();
        let together = booked.visit.seats.len() > 1 && self.state.wish.people > 1;
        let comment = match () {
            () if together && index > 0 => format!("Гость {} из {}", index + 1, booked.visit.seats.len()),
            () if self.state.wish.for_somebody => "Придёт не сам клиент, а тот, кого он записал".to_owned(),
            () => String::new(),
        };
        let seat = &booked.visit.seats[index];
        let effect = Effect::Book { services: seat.services.clone(), staff: seat.staff, start: seat.start, client_name, phone, comment };
        self.act(effect, Next::Seat(Box::new(booked)))
    }

    /// The booking of a seat has an outcome.
    pub(crate) fn seated(mut self, mut booked: Booked, outcome: Outcome) -> Step {
        let seat = booked.visit.seats[booked.receipts.len()].clone();
        match outcome {
            Outcome::Done(receipt) => {
                self.receive(&receipt);
                booked.receipts.push(receipt);
                if booked.receipts.len() < booked.visit.seats.len() {
                    let (Some(name), Some(phone)) = (self.visitor_name(), self.phone()) else { return self.failed() };
                    return self.seat_next(booked, name, phone);
                }
                if self.state.wish.for_somebody && self.turn.customer.phone.is_some() {
                    // The number given was the guest's.
                    self.state.phone = None;
                }
                let mut words = self.voice().receipts(&booked.receipts);
                if let (Some(_), [receipt]) = (&self.state.wish.guest_name, booked.receipts.as_slice()) {
                    words = format!("{words}\n{}", self.voice().on_the_name(&receipt.booking().client_name));
                }
                let mut then = std::mem::take(&mut self.state.wish).then;
                if then.is_empty() {
                    return self.say(words);
                }
                self.parts.push(words);
                self.state.wish = Wish { then: then.split_off(1), ..then.remove(0) };
                self.go_on()
            }
            Outcome::Refused(refusal) => {
                self.say_receipts(&booked);
                self.refused_seat(seat, refusal)
            }
            Outcome::Unsettled => {
                self.say_receipts(&booked);
                self.state.wish = Wish::default();
                self.state.unsettled = Some(seat);
                let words = self.voice().unsettled();
                self.say(words)
            }
            _ if booked.receipts.is_empty() => self.failed(),
            _ => {
                // Part of the visit stands: the rest is for a person.
                self.say_receipts(&booked);
                self.hand_over(HandOverReason::SystemDown)
            }
        }
    }

    /// The next visit of those that were asked for in one breath.
    fn go_on(mut self) -> Step {
        if self.before.question.is_some() {
            // The answer was about the first one: the next is shown, not booked unasked.
            self.state.wish.when.iter_mut().for_each(|want| want.carried = true);
        }
        self.heard = Understood { intents: self.heard.intents, lang: self.heard.lang, ..Understood::default() };
        self.arrange()
    }

    fn say_receipts(&mut self, booked: &Booked) {
        let words = self.voice().receipts(&booked.receipts);
        self.parts.push(words);
    }

    fn refused_seat(mut self, seat: Seat, refusal: Refusal) -> Step {
        let voice = self.voice();
        match refusal {
            Refusal::SlotTaken => {
                let wish = &mut self.state.wish;
                wish.services.clone_from(&seat.services);
                wish.people = 1;
                if wish.moving.is_none() && wish.staff.len() > 1 {
                    wish.staff.clear();
                }
                wish.when = vec![Want::at(seat.start)];
                self.look_around(seat)
            }
            Refusal::PhoneRefused => {
                self.state.phone = None;
                self.parts.push(voice.refused(refusal));
                let words = voice.ask_person();
                self.ask(Question::CallPerson, words)
            }
            Refusal::NotAllowed | Refusal::Gone | Refusal::NotOffered | Refusal::Other => {
                self.state.wish = Wish::default();
                self.parts.push(voice.refused(refusal));
                let words = voice.ask_person();
                self.ask(Question::CallPerson, words)
            }
        }
    }

    /// The moving of a booking has an outcome.
    pub(crate) fn moved(mut self, seat: Seat, outcome: Outcome) -> Step {
        match outcome {
            Outcome::Done(receipt) => {
                let place = |booking: &Booking| (booking.record_id, booking.staff_id, booking.start);
                let back = self.state.stood.as_ref().is_some_and(|stood| place(stood.get()) == place(receipt.booking()));
                self.receive(&receipt);
                self.state.wish = Wish::default();
                let voice = self.voice();
                let words = if back { voice.moved_back(&receipt) } else { voice.receipts(&[receipt]) };
                if let Some(Question::ReallyCancel(bookings)) = self.before.question.clone()
                    && bookings.iter().all(|booking| self.state.last.iter().all(|moved| moved.get().record_id != booking.get().record_id))
                {
                    // Whether another one is to be cancelled is still open.
                    self.parts.push(words);
                    return self.put_again(Question::ReallyCancel(bookings));
                }
                self.say_and_go_on(words)
            }
            Outcome::Refused(refusal) => {
                if refusal == Refusal::Gone {
                    self.state.last.clear();
                }
                self.refused_seat(seat, refusal)
            }
            Outcome::Unsettled => {
                self.state.wish = Wish::default();
                let words = self.voice().unsettled();
                self.say(words)
            }
            _ => self.failed(),
        }
    }
}
