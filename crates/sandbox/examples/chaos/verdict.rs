//! The end of a run: what customers said and heard, against the salons' calendars and the product's
//! own database.

use std::{collections::BTreeMap, fmt};

use domain::{Phone, RecordId, SalonId};
use serde_json::Value;
use store::{Store, bookings, companies, conversations};

use crate::{
    customer::{Claim, Diary, Exchange},
    place::Place,
};

/// The count.
#[derive(Default)]
pub(crate) struct Verdict {
    messages: usize,
    replies: usize,
    booked: usize,
    moved: usize,
    cancelled: usize,
    left_open: usize,
    handed_over: u32,
    /// Messages that nobody answered.
    pub(crate) lost: Vec<String>,
    /// Answers or bookings that came twice.
    pub(crate) doubled: Vec<String>,
    /// What was told and does not stand, or stands and was not told.
    pub(crate) untrue: Vec<String>,
}

/// A booking as the bot told of it.
struct Told {
    text: String,
    cancelled: bool,
}

impl Verdict {
    pub(crate) async fn reach(place: &Place, salons: &[i64], diaries: &[Diary], database: &str) -> anyhow::Result<Self> {
        let mut verdict = Self::default();
        let mut records: BTreeMap<(i64, String), Vec<Value>> = BTreeMap::new();
        for salon in salons {
            let all = place.get(&format!("/control/salons/{salon}/records")).await?;
            for record in all.as_array().into_iter().flatten() {
                let phone = record["client_phone"].as_str().unwrap_or_default().to_owned();
                records.entry((*salon, phone)).or_default().push(record.clone());
            }
            verdict.overlaps(*salon, all.as_array().map(Vec::as_slice).unwrap_or_default());
        }
        let store = Store::open(database).await?;
        for diary in diaries {
            let mut own = records.remove(&(diary.salon, diary.phone.clone())).unwrap_or_default();
            own.sort_by_key(|record| record["id"].as_i64());
            verdict.conversation(diary);
            let chat = place.get(&format!("/control/phones/{}/messages?salon={}", diary.phone, diary.salon)).await?;
            verdict.claims(diary, &chat, &own);
            verdict.database(&store, diary, &own).await?;
        }
        for ((salon, phone), _) in records {
            verdict.untrue.push(format!("salon {salon} has bookings of {phone}, who never wrote"));
        }
        store.close().await;
        Ok(verdict)
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.untrue.is_empty()
    }

    /// No two bookings that stand share a master's time.
    fn overlaps(&mut self, salon: i64, records: &[Value]) {
        let mut taken: BTreeMap<(i64, String), i64> = BTreeMap::new();
        for record in records.iter().filter(|record| record["deleted"] == false) {
            let start: jiff::civil::DateTime = match record["start"].as_str().unwrap_or_default().parse() {
                Ok(start) => start,
                Err(error) => return self.untrue.push(format!("a start that is no time: {error}")),
            };
            let staff = record["staff_id"].as_i64().unwrap_or_default();
            let id = record["id"].as_i64().unwrap_or_default();
            for half_hour in 0..record["minutes"].as_i64().unwrap_or_default() / 30 {
                let at = start.saturating_add(jiff::Span::new().minutes(half_hour * 30)).to_string();
                if let Some(other) = taken.insert((staff, at.clone()), id) {
                    self.doubled.push(format!("salon {salon}: bookings {other} and {id} are both with master {staff} at {at}"));
                }
            }
        }
    }

    /// Every burst has its answers, and no more of them than messages.
    fn conversation(&mut self, diary: &Diary) {
        let who = &diary.phone;
        self.handed_over += diary.handed_over;
        for (index, Exchange { said, heard }) in diary.exchanges.iter().enumerate() {
            self.messages += said.len();
            self.replies += heard.len();
            let before = index.checked_sub(1).and_then(|before| diary.exchanges.get(before)).and_then(|before| before.heard.last());
            let called = before.is_some_and(|text| text.to_lowercase().contains("администратор"));
            if heard.is_empty() && !called {
                self.lost.push(format!("{who}: no answer to {said:?} after {before:?}"));
            }
            // «Проверяю» is followed by what came of it.
            let followed = heard.iter().filter(|text| text.to_lowercase().contains("проверяю")).count();
            if heard.len() > said.len() + followed {
                let before = &diary.exchanges[index.saturating_sub(3)..index];
                self.doubled.push(format!("{who}: {said:?} was answered {} times: {heard:?}, after {before:#?}", heard.len()));
            }
        }
        self.doubled.extend(diary.answered_again.iter().map(|text| format!("{who}: a message delivered twice was answered again: {text}")));
        if let Some(why) = &diary.stuck {
            let last = diary.exchanges.last();
            self.lost.push(format!("{who}: {why}; last {last:?}"));
        }
    }

    /// A customer has one booking at a time, so the claims in their order are the bookings in theirs.
    fn claims(&mut self, diary: &Diary, chat: &Value, records: &[Value]) {
        let mut told: Vec<Told> = Vec::new();
        let mut checking = false;
        let from_salon = chat.as_array().into_iter().flatten().filter(|message| message["from"] == "salon");
        for text in from_salon.filter_map(|message| message["text"].as_str()) {
            if text.contains("Ваша запись") {
                self.doubled.push(format!("{}: a notice about the customer's own doing: {text}", diary.phone));
            }
            let claim = Claim::of(text);
            // What was found while it changed is told as changed: made it was all the same.
            let found = std::mem::take(&mut checking) && told.last().is_none_or(|last| last.cancelled);
            checking = claim.is_none() && (found || text.to_lowercase().contains("проверяю"));
            match (claim, told.last_mut()) {
                (None, _) => {}
                (Some(Claim::Moved), _) if found => {
                    self.moved += 1;
                    told.push(Told { text: text.to_owned(), cancelled: false });
                }
                (Some(Claim::Booked), _) => {
                    self.booked += 1;
                    told.push(Told { text: text.to_owned(), cancelled: false });
                }
                (Some(Claim::Moved), Some(last)) if !last.cancelled => {
                    self.moved += 1;
                    text.clone_into(&mut last.text);
                }
                (Some(Claim::Cancelled), Some(last)) if !last.cancelled => {
                    self.cancelled += 1;
                    last.cancelled = true;
                }
                (Some(claim), _) => self.untrue.push(format!("{}: {claim:?} without a booking: {text}", diary.phone)),
            }
        }
        let before = self.doubled.len() + self.untrue.len();
        self.compare(diary, &told, records);
        if self.doubled.len() + self.untrue.len() > before {
            let last: Vec<&Exchange> = diary.exchanges.iter().rev().take(8).rev().collect();
            self.untrue.push(format!("{}: the last it said and heard: {last:#?}", diary.phone));
        }
    }

    fn compare(&mut self, diary: &Diary, told: &[Told], records: &[Value]) {
        self.left_open += told.iter().filter(|told| !told.cancelled).count();
        if told.len() != records.len() {
            let list: Vec<&str> = told.iter().map(|told| told.text.as_str()).collect();
            let words = format!("{}: {} bookings were told, {} were made: {list:#?} {records:#?}", diary.phone, told.len(), records.len());
            if told.len() < records.len() {
                self.doubled.push(words)
            } else {
                self.untrue.push(words)
            }
            return;
        }
        for (told, record) in told.iter().zip(records) {
            let start = record["start"].as_str().unwrap_or_default();
            let time = start.get(11..16).unwrap_or_default().trim_start_matches('0');
            let day = start.get(8..10).unwrap_or_default();
            let stands = record["deleted"] == false;
            if stands == told.cancelled || !told.text.contains(time) || !told.text.contains(&format!("{day} ноября")) {
                self.untrue.push(format!("{}: told «{}» (cancelled: {}), but it is {record}", diary.phone, told.text, told.cancelled));
            }
        }
    }

    /// The product knows the bookings as they are, and has nothing left to do.
    async fn database(&mut self, store: &Store, diary: &Diary, records: &[Value]) -> anyhow::Result<()> {
        let who = &diary.phone;
        let mut tx = store.read().await?;
        let Some(company) = companies::by_salon(&mut tx, SalonId(diary.salon)).await? else {
            self.lost.push(format!("the product does not know salon {}", diary.salon));
            return Ok(());
        };
        for record in records {
            let id = RecordId(record["id"].as_i64().unwrap_or_default());
            let known = bookings::get(&mut tx, company.id, id).await?.map(|known| known.booking);
            let same = known.as_ref().is_some_and(|known| {
                record["deleted"] == known.deleted
                    && record["staff_id"] == known.staff_id.0
                    && record["start"].as_str() == Some(known.start.strftime("%Y-%m-%dT%H:%M").to_string().as_str())
            });
            if !same {
                let known = known.map(|known| format!("{} with {} deleted {}", known.start, known.staff_id, known.deleted));
                self.untrue.push(format!("{who}: the product has {known:?}, YClients has {record}"));
            }
        }
        if let Some(conversation) = conversations::by_phone(&mut tx, company.id, &Phone::from_digits(who)?).await? {
            let open = conversations::counts(&mut tx, company.id, conversation.id).await?;
            if open.unanswered + open.unsent > 0 {
                self.lost.push(format!("{who}: {} messages unanswered, {} unsent", open.unanswered, open.unsent));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} messages, {} replies; told: {} booked, {} moved, {} cancelled, {} stand; {} chats handed over",
            self.messages, self.replies, self.booked, self.moved, self.cancelled, self.left_open, self.handed_over
        )?;
        for (what, evidence) in [("LOST", &self.lost), ("DOUBLED", &self.doubled), ("UNTRUE", &self.untrue)] {
            for line in evidence {
                writeln!(f, "{what}: {line}")?;
            }
        }
        write!(f, "lost {}, doubled {}, untrue {}", self.lost.len(), self.doubled.len(), self.untrue.len())
    }
}
