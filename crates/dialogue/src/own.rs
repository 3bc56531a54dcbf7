//! The customer's own bookings: telling, moving, cancelling.

use domain::{Booking, ReadBack, Receipt, ServiceId};
use jiff::ToSpan;
use language::{Asked, Context, InfoTopic, Intent, Understood, When};

use crate::{
    HandOverReason, Step,
    effect::{Effect, Outcome, Refusal},
    moment::{HoursWanted, Want},
    part::Sides,
    state::{Purpose, Question, Wish},
    turn::{Mind, Next},
};

/// Minutes that «на час позже» may mean at most: a week.
const MAX_SHIFT: i64 = 7 * 24 * 60;

/// Bookings taken out with one yes.
const MAX_CANCELLED: usize = 6;

impl Mind<'_> {
    /// A wish to move a booking.
    pub(crate) fn reschedule(self) -> Step {
        match self.state.wish.moving.is_some() {
            true => self.aim(),
            false => self.act(Effect::MyBookings, Next::Own(Purpose::Move)),
        }
    }

    /// The customer's bookings have come.
    pub(crate) fn own_bookings(mut self, purpose: Purpose, bookings: Vec<ReadBack<Booking>>) -> Step {
        self.state.puzzled = 0;
        let now = self.now();
        let mut coming: Vec<ReadBack<Booking>> =
            bookings.into_iter().filter(|booking| !booking.get().deleted && booking.get().start > now).collect();
        coming.sort_by_key(|booking| booking.get().start);
        if coming.is_empty() {
            self.state.last.clear();
            if purpose != Purpose::Cancel {
                // A yes to «would you like to book?» means what was spoken of.
                self.note(false);
            }
            let words = self.voice().no_bookings();
            return self.ask(Question::FindTimes, words);
        }
        if purpose != Purpose::Move
            && let Some((booking, left)) = self.part_dropped(&coming)
        {
            let words = self.voice().ask_drop_part(booking.get(), &left);
            self.state.wish = Wish { services: left, ..Wish::default() };
            return self.ask(Question::ChangeService(booking), words);
        }
        if purpose == Purpose::List {
            let coming = self.asked_of(coming);
            let words = {
                let list: Vec<&Booking> = coming.iter().map(ReadBack::get).collect();
                self.voice().own_bookings(&list)
            };
            if self.cues.keep && !self.cues.question {
                let kept = self.voice().kept();
                self.parts.push(kept);
            }
            // Nothing is asked, but «вторую отмените» is said of this list.
            self.state.question = Some(Question::WhichBooking(Purpose::List, coming));
            self.state.asked_times = 1;
            return self.say(words);
        }
        // «А первую на час позже», where they were told a while before.
        if let (Purpose::Move, Some((booking, heard))) = (purpose, self.which_and_where_to(&coming)) {
            self.heard = heard;
            return self.with_booking(purpose, booking);
        }
        let (fitting, missed) = self.meant(purpose, &coming);
        let new_service = missed && purpose == Purpose::Move && !self.heard.services_ambiguous && !self.heard.service_ids.is_empty();
        let of = |booking: &Booking| self.heard.when.iter().map(Want::read).all(|want| want.fits(booking.start));
        if let ([only], true) = (coming.as_slice(), new_service && of(coming[0].get())) {
            // «Поменяйте услугу на педикюр», «в субботней записи вместо стрижки окрашивание»
            let booking = only.clone();
            self.state.wish = Wish { services: self.heard.service_ids.clone(), ..Wish::default() };
            let words = self.voice().ask_change_service(booking.get(), &self.state.wish.services);
            return self.ask(Question::ChangeService(booking), words);
        }
        let several = (2..=MAX_CANCELLED).contains(&fitting.len()) && fitting.iter().all(|booking| !booking.get().locked);
        if purpose == Purpose::Cancel && self.cues.all && several && !missed {
            let words = {
                let list: Vec<&Booking> = fitting.iter().map(ReadBack::get).collect();
                self.voice().ask_really_cancel(&list)
            };
            return self.ask(Question::ReallyCancel(fitting), words);
        }
        if purpose == Purpose::Cancel
            && self.wants_another(&coming)
            && let ([only], false) = (fitting.as_slice(), missed)
        {
            let only = only.clone();
            self.note_for_afterwards(only.get());
            return self.with_booking(purpose, only);
        }
        match fitting.as_slice() {
            [only] if !missed => self.with_booking(purpose, only.clone()),
            _ => {
                if purpose == Purpose::Move {
                    // Where to is kept until it is known which.
                    let named = &self.heard.staff_ids;
                    let staff =
                        if coming.iter().any(|booking| named.contains(&booking.get().staff_id)) { Vec::new() } else { named.clone() };
                    self.state.wish = Wish { when: self.heard.when.iter().map(Want::read).collect(), staff, ..Wish::default() };
                }
                self.ask_which_booking(purpose, if missed { coming } else { fitting }, missed)
            }
        }
    }

    /// «Во сколько у меня брови?» asks of that one; where none is such, all are told.
    fn asked_of(&self, coming: Vec<ReadBack<Booking>>) -> Vec<ReadBack<Booking>> {
        let (heard, salon) = (&self.heard, self.turn.salon);
        let parts = salon.parts(&heard.service_ids);
        let asked = |booking: &Booking| {
            heard.when.iter().map(Want::read).all(|want| want.fits(booking.start))
                && (parts.is_empty() || salon.parts(&booking.services).iter().any(|id| parts.contains(id)))
                && (heard.staff_ids.is_empty() || heard.staff_ids.contains(&booking.staff_id))
        };
        let those: Vec<ReadBack<Booking>> = coming.iter().filter(|booking| asked(booking.get())).cloned().collect();
        if those.is_empty() { coming } else { those }
    }

    /// «Отмените маникюр и запишите на стрижку в среду»: what is not said of the booking is wanted instead.
    fn note_for_afterwards(&mut self, booking: &Booking) {
        let heard = &self.heard;
        let salon = self.turn.salon;
        let gone = salon.parts(&booking.services);
        // Options of one service that the booking meets are spoken of it.
        let about_it =
            |id: &&ServiceId| heard.service_options.iter().any(|group| group.contains(id) && group.iter().any(|id| gone.contains(id)));
        let services: Vec<ServiceId> = heard.service_ids.iter().filter(|id| !gone.contains(id) && !about_it(id)).copied().collect();
        let when: Vec<Want> = heard.when.iter().map(Want::read).filter(|want| !want.fits(booking.start)).collect();
        if services.is_empty() && when.is_empty() {
            return;
        }
        let services = if services.is_empty() { booking.services.clone() } else { services };
        self.state.wish = Wish { services, when, after_cancelling: true, ..Wish::default() };
    }

    fn ask_which_booking(mut self, purpose: Purpose, bookings: Vec<ReadBack<Booking>>, missed: bool) -> Step {
        if let ([only], Purpose::Cancel, true) = (bookings.as_slice(), purpose, missed) {
            let words = self.voice().no_such_booking();
            self.parts.push(words);
            let only = only.clone();
            return self.with_booking(purpose, only);
        }
        let words = {
            let list: Vec<&Booking> = bookings.iter().map(ReadBack::get).collect();
            self.voice().which_booking(purpose, &list, &self.state.wish, missed)
        };
        self.ask(Question::WhichBooking(purpose, bookings), words)
    }

    /// «Отмените маникюр и запишите на стрижку»: something is wanted instead of a visit that is cancelled.
    fn wants_another(&self, coming: &[ReadBack<Booking>]) -> bool {
        let salon = self.turn.salon;
        let standing: Vec<ServiceId> = coming.iter().flat_map(|booking| salon.parts(&booking.get().services)).collect();
        let stands = |id: &ServiceId| salon.parts(&[*id]).iter().any(|id| standing.contains(id));
        let heard = &self.heard;
        // Titles that fit one name are one service.
        let named: Vec<Vec<ServiceId>> = match () {
            () if !heard.service_options.is_empty() => heard.service_options.clone(),
            () if heard.services_ambiguous => vec![heard.service_ids.clone()],
            () => heard.service_ids.iter().map(|id| vec![*id]).collect(),
        };
        let named: Vec<bool> = named.iter().map(|titles| titles.iter().any(stands)).collect();
        heard.has(Intent::Book) || (named.contains(&true) && named.contains(&false))
    }

    /// The services that the words name among those that stand: «маникюр» is the men's one of who has booked that.
    fn named_of_those(&self, coming: &[ReadBack<Booking>]) -> Vec<ServiceId> {
        let salon = self.turn.salon;
        let standing: Vec<ServiceId> = coming.iter().flat_map(|booking| salon.parts(&booking.get().services)).collect();
        self.reader_of(&standing).read(&self.text, self.turn.now, &Context::default()).service_ids
    }

    /// The bookings that the words mean, and whether the words fit none at all.
    fn meant(&self, purpose: Purpose, coming: &[ReadBack<Booking>]) -> (Vec<ReadBack<Booking>>, bool) {
        let heard = &self.heard;
        let salon = self.turn.salon;
        let stands = |id: &ServiceId| coming.iter().any(|booking| salon.parts(&booking.get().services).contains(id));
        let named = match salon.parts(&heard.service_ids) {
            parts if parts.is_empty() || parts.iter().any(stands) => parts,
            none => Some(self.named_of_those(coming)).filter(|named| !named.is_empty()).unwrap_or(none),
        };
        // What is said of a new visit need not fit one that stands.
        let cancels_only = purpose == Purpose::Cancel && !self.wants_another(coming);
        let mut left: Vec<ReadBack<Booking>> = coming.to_vec();
        let mut missed = false;
        // «Ресницы отмените, брови не трогайте.»
        let Sides { stay, go, .. } = if purpose == Purpose::Cancel { self.sides() } else { Sides::default() };
        let mut narrow = |keep: &dyn Fn(&Booking) -> bool, must: bool| {
            let fitting: Vec<ReadBack<Booking>> = left.iter().filter(|booking| keep(booking.get())).cloned().collect();
            if !fitting.is_empty() {
                left = fitting;
            } else if must {
                missed = true;
            }
        };
        if !heard.service_ids.is_empty() {
            let parts: Vec<ServiceId> = if go.is_empty() { named } else { go };
            narrow(&|booking| !salon.parts(&booking.services).iter().any(|id| stay.contains(id)), false);
            narrow(&|booking| salon.parts(&booking.services).iter().any(|id| parts.contains(id)), true);
            // «Бороду» is the visit for the beard alone, where there is one beside «стрижка и борода».
            narrow(&|booking| salon.parts(&booking.services).iter().all(|id| parts.contains(id)), false);
        }
        if !heard.staff_ids.is_empty() {
            // A master who has none of the bookings may be the one to move it to.
            narrow(&|booking| heard.staff_ids.contains(&booking.staff_id), cancels_only);
        }
        if purpose == Purpose::Move && !heard.staff_not_ids.is_empty() {
            // «Не к Инне, а к Асе.»
            narrow(&|booking| heard.staff_not_ids.contains(&booking.staff_id), false);
        }
        let stands: Vec<Want> = match purpose {
            // «Я не приду в пятницу, отмените.»
            Purpose::Cancel => heard.when.iter().chain(&heard.when_old).chain(&heard.when_refused).map(Want::read).collect(),
            // «Стрижку в воскресенье на час позже»: the day is where it stands.
            Purpose::Move if heard.shift_minutes.is_some() => {
                let days = heard.when.iter().filter(|when| matches!(when, When::Day { .. }));
                days.chain(&heard.when_old).map(Want::read).collect()
            }
            Purpose::Move | Purpose::List => heard.when_old.iter().map(Want::read).collect(),
        };
        if !stands.is_empty() {
            let at = |want: &Want, booking: &Booking| {
                let mut want = *want;
                if !want.day_said {
                    (want.from, want.to) = (booking.start.date(), booking.start.date());
                }
                want.fits(booking.start)
            };
            narrow(&|booking| stands.iter().any(|want| at(want, booking)), purpose != Purpose::Cancel || cancels_only);
        }
        if purpose == Purpose::Move && !heard.when_refused.is_empty() {
            // «В пятницу не смогу, давайте в субботу»: mostly the day that stands, but not always.
            let refused: Vec<Want> = heard.when_refused.iter().map(Want::read).collect();
            narrow(&|booking| refused.iter().any(|want| want.fits(booking.start)), false);
        }
        // «Отмените», «лучше в 16» right after a booking mean that one.
        let unsaid = heard.service_ids.is_empty() && heard.staff_ids.is_empty() && stands.is_empty();
        let last = if let [last] = self.state.last.as_slice() { Some(last) } else { self.state.spoken_of.as_ref() };
        if let Some(last) = last.filter(|_| unsaid && !self.cues.all) {
            let last = last.get().record_id;
            if let Some(booking) = left.iter().find(|booking| booking.get().record_id == last) {
                left = vec![booking.clone()];
            }
        }
        (left, missed)
    }

    /// The one booking is known.
    fn with_booking(mut self, purpose: Purpose, booking: ReadBack<Booking>) -> Step {
        if booking.get().locked {
            let words = self.voice().refused(Refusal::NotAllowed);
            self.parts.push(words);
            let words = self.voice().ask_person();
            return self.ask(Question::CallPerson, words);
        }
        self.state.spoken_of = Some(booking.clone());
        match purpose {
            Purpose::Cancel | Purpose::List => {
                let words = self.voice().ask_really_cancel(&[booking.get()]);
                self.ask(Question::ReallyCancel(vec![booking]), words)
            }
            Purpose::Move => {
                let asked = std::mem::take(&mut self.state.wish);
                self.state.wish = Wish { moving: Some(booking), when: asked.when, staff: asked.staff, ..Wish::default() };
                self.aim()
            }
        }
    }

    /// «Лучше в 16» right after a booking.
    pub(crate) fn start_moving_last(self) -> Step {
        match self.state.last.last().cloned() {
            Some(booking) => self.with_booking(Purpose::Move, booking),
            None => self.arrange(),
        }
    }

    /// Where a booking is to be moved to.
    pub(crate) fn aim(mut self) -> Step {
        let Some(moving) = self.state.wish.moving.clone() else { return self.arrange() };
        let booking = moving.get();
        let mut staff = if self.heard.staff_ids.is_empty() { self.state.wish.staff.clone() } else { self.heard.staff_ids.clone() };
        let refused = self.heard.staff_not_ids.contains(&booking.staff_id);
        let anybody = self.heard.staff_any || self.heard.staff_other || refused;
        if staff.is_empty() && !anybody {
            staff = vec![booking.staff_id];
        }
        let staff_changes = staff != [booking.staff_id];
        let said: Vec<Want> = match self.heard.when.as_slice() {
            [] => self.state.wish.when.clone(),
            when => when.iter().map(Want::read).collect(),
        };
        let mut wants = match self.heard.shift_minutes {
            Some(minutes) => vec![Want::at(booking.start.saturating_add(minutes.clamp(-MAX_SHIFT, MAX_SHIFT).minutes()))],
            None => self.wants_for(booking, said),
        };
        let wish = &mut self.state.wish;
        wish.services.clone_from(&booking.services);
        wish.staff = staff;
        wish.staff_not.extend(&self.heard.staff_not_ids);
        if self.heard.staff_other {
            wish.staff_not.push(booking.staff_id);
        }
        // «С маникюром в четверг от Ирины к Веронике»: the day tells which it is.
        let tells_which = !wants.is_empty() && wants.iter().all(|want| want.hours.is_none() && want.fits(booking.start));
        if (wants.is_empty() || tells_which) && (staff_changes || self.heard.same_time) {
            wants = vec![Want::at(booking.start)];
        }
        wish.when = wants;
        if wish.when.is_empty() {
            if self.heard.when_impossible {
                let words = self.voice().no_such_date();
                self.parts.push(words);
            }
            if self.asks_for_times() {
                return self.arrange();
            }
            let words = self.voice().ask_new_time(booking);
            return self.ask(Question::Day, words);
        }
        if !staff_changes && self.state.wish.when.iter().all(|want| want.moment() == Some(booking.start)) {
            let booking = booking.clone();
            self.state.wish = Wish::default();
            let words = self.voice().stands(&booking);
            return self.say(words);
        }
        self.arrange()
    }

    /// One of the customer's bookings was meant, or something else.
    pub(crate) fn chose_booking(self, purpose: Purpose, bookings: Vec<ReadBack<Booking>>) -> Step {
        if let Some(booking) = self.heard.choice.and_then(|number| bookings.get(number.checked_sub(1)?)).cloned() {
            return self.with_booking(purpose, booking);
        }
        if let ([only], true) = (bookings.as_slice(), self.plain_yes()) {
            let only = only.clone();
            let mut mind = self;
            mind.heard.when.clear();
            return mind.with_booking(purpose, only);
        }
        if self.plain_no() {
            let words = self.voice().kept();
            let mut mind = self;
            mind.state.wish = Wish::default();
            return mind.say(words);
        }
        if purpose == Purpose::Cancel && self.cues.all && bookings.len() <= MAX_CANCELLED {
            let words = {
                let list: Vec<&Booking> = bookings.iter().map(ReadBack::get).collect();
                self.voice().ask_really_cancel(&list)
            };
            return self.ask(Question::ReallyCancel(bookings), words);
        }
        let elsewhere = [Intent::Price, Intent::Info, Intent::Services, Intent::FreeTimes, Intent::MyBookings, Intent::Late];
        let changes = (self.heard.has(Intent::Cancel) && purpose == Purpose::Move)
            || (self.heard.has(Intent::Reschedule) && purpose == Purpose::Cancel);
        if elsewhere.iter().any(|intent| self.heard.has(*intent)) || changes {
            return self.wanted_with(Some(Question::WhichBooking(purpose, bookings)));
        }
        if self.names_details() {
            // What is said now is said of the bookings, whatever the purpose: «ту, что в пятницу».
            let (fitting, missed) = self.meant(Purpose::Cancel, &bookings);
            let named = !self.heard.service_ids.is_empty() || !self.heard.staff_ids.is_empty();
            let by_name = || Some(self.meant(Purpose::Move, &bookings)).filter(|_| named && purpose == Purpose::Move);
            let (fitting, missed) = if missed { by_name().unwrap_or((fitting, missed)) } else { (fitting, missed) };
            if let ([only], false) = (fitting.as_slice(), missed) {
                let booking = only.clone();
                let mut mind = self;
                // «Только маникюр, на понедельник в 11»: where the moment is not its own, it goes there.
                let own = |when: &When| Want::read(when).fits(booking.get().start);
                if purpose != Purpose::Move || mind.heard.when.iter().all(own) {
                    mind.heard.when.clear();
                }
                mind.heard.staff_ids.retain(|id| *id != booking.get().staff_id);
                return mind.with_booking(purpose, booking);
            }
        }
        let mut mind = self;
        if purpose == Purpose::Move && !mind.heard.when.is_empty() {
            // Where to has changed; which is still not known.
            mind.state.wish.when = mind.heard.when.iter().map(Want::read).collect();
        }
        mind.put_again(Question::WhichBooking(purpose, bookings))
    }

    /// After the customer's bookings were told: «вторую перенесите на час раньше».
    pub(crate) fn of_those_told(mut self, bookings: Vec<ReadBack<Booking>>) -> Step {
        let purpose = match () {
            () if self.heard.has(Intent::Cancel) => Some(Purpose::Cancel),
            () if self.heard.has(Intent::Reschedule) => Some(Purpose::Move),
            () => None,
        };
        let hours = self.heard.info_topics == [InfoTopic::Hours] && self.heard.intents == [Intent::Info];
        if hours && !self.names_details() {
            // «Во сколько?»
            return self.own_bookings(Purpose::List, bookings);
        }
        if let (None, [_, _, ..], Some((booking, heard))) = (purpose, bookings.as_slice(), self.which_and_where_to(&bookings)) {
            // Nothing is moved unasked.
            self.heard = heard;
            self.heard.intents.insert(0, Intent::FreeTimes);
            return self.with_booking(Purpose::Move, booking);
        }
        let chosen = self.heard.choice.and_then(|number| bookings.get(number.checked_sub(1)?));
        match (bookings.as_slice(), chosen, purpose) {
            (_, Some(booking), Some(purpose)) => self.with_booking(purpose, booking.clone()),
            // «А на 15 передвинуть можно?»
            ([only], None, Some(purpose)) if !self.meant(purpose, &bookings).1 => self.with_booking(purpose, only.clone()),
            ([only], _, None) if self.plain_yes() => {
                let words = self.voice().stands(only.get());
                self.say(words)
            }
            ([only], _, None) if self.heard.service_ids.is_empty() && self.names_details() && !self.cues.somebody_else => {
                // «А в 16 можно?» asks of it; nothing is moved unasked.
                self.heard.intents.insert(0, Intent::FreeTimes);
                self.with_booking(Purpose::Move, only.clone())
            }
            _ => self.wanted(),
        }
    }

    /// «Вторую можно на час позже?»: one of several by its number, and where to, where neither is said by a verb.
    fn which_and_where_to(&self, bookings: &[ReadBack<Booking>]) -> Option<(ReadBack<Booking>, Understood)> {
        let starts: Vec<_> = bookings.iter().map(|booking| booking.get().start).collect();
        let number = Context { asked: Some(Asked::Choice), offered: starts.clone(), day: None };
        let cuts = self.text.match_indices(' ').map(|(at, _)| self.text.split_at(at));
        // «2 декабря» is no number of a booking.
        let mut cuts = cuts.filter(|(first, _)| first.ends_with(char::is_alphabetic));
        cuts.find_map(|(first, second)| {
            let chosen = self.turn.reader.read(first, self.turn.now, &number).choice?.checked_sub(1)?;
            let start = *starts.get(chosen)?;
            let standing = Context { asked: None, offered: vec![start], day: Some(start.date()) };
            let heard = self.turn.reader.read(second, self.turn.now, &standing);
            let moves = heard.service_ids.is_empty() && (!heard.when.is_empty() || heard.shift_minutes.is_some());
            moves.then(|| (bookings[chosen].clone(), heard))
        })
    }

    /// «Отменить?» was asked.
    pub(crate) fn answered_cancel(self, bookings: Vec<ReadBack<Booking>>) -> Step {
        let heard = &self.heard;
        let stands = |want: &Want, booking: &Booking| match want.hours {
            Some(HoursWanted::At(time)) if !want.day_said => time == booking.start.time(),
            _ => want.fits(booking.start),
        };
        let about = |booking: &Booking| {
            heard.when.iter().map(Want::read).all(|want| stands(&want, booking)) && heard.staff_ids.iter().all(|id| *id == booking.staff_id)
        };
        let about_them = bookings.iter().all(|booking| about(booking.get()));
        let yes = heard.has(Intent::Confirm) || heard.has(Intent::Cancel);
        let parts = self.turn.salon.parts(&heard.service_ids);
        let of_them = |id| bookings.iter().any(|booking| self.turn.salon.parts(&booking.get().services).contains(id));
        if !parts.is_empty() && self.cues.keep && !parts.iter().any(of_them) {
            // «А стрижку оставьте» is not about these.
            return self.put_again(Question::ReallyCancel(bookings));
        }
        if self.cues.keep && !heard.has(Intent::Reschedule) && heard.when.is_empty() {
            let words = self.voice().kept();
            return self.say_and_go_on(words);
        }
        if yes && about_them && !heard.has(Intent::Decline) && !heard.has(Intent::Reschedule) {
            return self.cancel_next(bookings, Vec::new());
        }
        if self.plain_no() {
            let words = self.voice().kept();
            return self.say_and_go_on(words);
        }
        if heard.has(Intent::Reschedule) && !parts.is_empty() && !parts.iter().any(of_them) {
            // «И маникюр перенесите на то же время» is about another one, and its own time.
            let mut mind = self;
            mind.heard = mind.turn.reader.read(&mind.text, mind.turn.now, &Context::default());
            return mind.wanted_with(Some(Question::ReallyCancel(bookings)));
        }
        // «Лучше в субботу»: it is to be moved.
        let names_another_time = !heard.when.is_empty() && heard.service_ids.is_empty() && !heard.has(Intent::Cancel);
        if let [booking] = bookings.as_slice()
            && (heard.has(Intent::Reschedule) || names_another_time)
        {
            let booking = booking.clone();
            return self.with_booking(Purpose::Move, booking);
        }
        if self.worth_hearing() {
            return self.wanted_with(Some(Question::ReallyCancel(bookings)));
        }
        self.put_again(Question::ReallyCancel(bookings))
    }

    /// Takes out the first of these.
    fn cancel_next(mut self, bookings: Vec<ReadBack<Booking>>, done: Vec<Receipt>) -> Step {
        let mut left = bookings;
        if left.is_empty() {
            let words = self.voice().receipts(&done);
            if std::mem::take(&mut self.state.wish.after_cancelling) {
                self.parts.push(words);
                return self.arrange();
            }
            self.state.wish = Wish::default();
            return self.say_and_go_on(words);
        }
        let record = left.remove(0).get().record_id;
        self.act(Effect::Cancel { record }, Next::Cancelled { left, done })
    }

    /// The cancelling has an outcome.
    pub(crate) fn cancelled(mut self, left: Vec<ReadBack<Booking>>, done: Vec<Receipt>, outcome: Outcome) -> Step {
        let mut done = done;
        if let Outcome::Done(receipt) = outcome {
            self.receive(&receipt);
            done.push(receipt);
            return self.cancel_next(left, done);
        }
        let partly = !done.is_empty();
        let words = self.voice().receipts(&done);
        self.parts.push(words);
        match outcome {
            Outcome::Refused(Refusal::Gone) => {
                self.state.last.clear();
                let words = self.voice().refused(Refusal::Gone);
                self.say(words)
            }
            Outcome::Refused(refusal) => {
                let words = self.voice().refused(refusal);
                self.parts.push(words);
                self.hand_over(HandOverReason::BeyondUs)
            }
            Outcome::Unsettled => {
                let words = self.voice().unsettled();
                self.say(words)
            }
            // Part of it is done: the rest is for a person.
            _ if partly => self.hand_over(HandOverReason::SystemDown),
            _ => self.failed(),
        }
    }
}
