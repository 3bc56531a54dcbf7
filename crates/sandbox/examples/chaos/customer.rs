//! A customer who books, moves and cancels, one wish after the other, and writes down what comes back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::place::{Place, TO_MASTERS};

/// A chat that has not settled by then is stuck. Well above the 30 s in which work of a dead process is rescued.
const PATIENCE_MS: u64 = 150_000;

/// So many messages a wish takes at most before the customer thinks of something else.
const MOST_MESSAGES: usize = 7;

/// What the bot says it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Booked,
    Moved,
    Cancelled,
}

impl Claim {
    /// The claim in a message of the bot, if it makes one.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        [
            ("записала вас", Self::Booked),
            ("перенесла вашу", Self::Moved),
            ("вернула вашу", Self::Moved),
            ("изменила вашу", Self::Moved),
            ("отменила вашу", Self::Cancelled),
        ]
        .into_iter()
        .find_map(|(words, claim)| text.contains(words).then_some(claim))
    }
}

/// One burst of the customer and what came back until the chat had settled.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) said: Vec<String>,
    pub(crate) heard: Vec<String>,
}

/// What a customer has lived through.
#[derive(Debug)]
pub(crate) struct Diary {
    pub(crate) phone: String,
    pub(crate) salon: i64,
    pub(crate) exchanges: Vec<Exchange>,
    /// Messages delivered twice, that got a second answer.
    pub(crate) answered_again: Vec<String>,
    /// The chat did not settle.
    pub(crate) stuck: Option<String>,
    /// The bot handed the chat over to a person.
    pub(crate) handed_over: u32,
}

pub(crate) struct Customer {
    place: Arc<Place>,
    dice: StdRng,
    sent: u64,
    /// As far as the bot has said.
    standing: bool,
    diary: Diary,
}

impl Customer {
    pub(crate) fn new(place: Arc<Place>, salon: i64, number: u32, seed: u64) -> Self {
        let phone = format!("79{:09}", 200_000_000 + u64::from(number));
        let diary = Diary { phone, salon, exchanges: Vec::new(), answered_again: Vec::new(), stuck: None, handed_over: 0 };
        Self { place, dice: StdRng::seed_from_u64(seed.wrapping_mul(1000) + u64::from(number)), sent: 0, standing: false, diary }
    }

    /// One wish after the other until told to stop.
    pub(crate) async fn live(mut self, stop: Arc<AtomicBool>) -> Diary {
        while !stop.load(Ordering::SeqCst) {
            if let Err(error) = self.one_wish().await {
                self.diary.stuck = Some(format!("{error:#}"));
                break;
            }
        }
        self.diary
    }

    async fn one_wish(&mut self) -> anyhow::Result<()> {
        let mut words = self.wish();
        for _ in 0..MOST_MESSAGES {
            let heard = self.say(words).await?;
            for claim in heard.iter().filter_map(|text| Claim::of(text)) {
                self.standing = claim != Claim::Cancelled;
            }
            let Some(last) = heard.last() else {
                // Silent, since a person is called for: that person gives the chat back.
                self.diary.handed_over += 1;
                return self.place.resume(self.diary.salon, &self.diary.phone).await;
            };
            match self.reply_to(last) {
                Some(next) => words = vec![next],
                None => return Ok(()),
            }
        }
        Ok(())
    }

    fn wish(&mut self) -> Vec<String> {
        let day = self.dice.random_range(24..=30);
        let time = format!("{}:{}", self.dice.random_range(10..19), ["00", "30"].choose(&mut self.dice).unwrap_or(&"00"));
        if self.standing {
            return vec![match self.dice.random_range(0..3) {
                0 => "Отмените, пожалуйста, мою запись".to_owned(),
                1 => format!("Перенесите, пожалуйста, мою запись на {day} ноября в {time}"),
                _ => format!("Можно перенести мою запись на {time}?"),
            }];
        }
        let service = ["маникюр", "педикюр", "стрижку"].choose(&mut self.dice).unwrap_or(&"маникюр");
        let master = TO_MASTERS.choose(&mut self.dice).unwrap_or(&"Анне");
        match self.dice.random_range(0..4) {
            0 => vec![format!("Запишите меня на {service}"), format!("{day} ноября в {time}"), format!("к {master}")],
            1 => vec![format!("Здравствуйте! Когда можно на {service} {day} ноября?")],
            _ => vec![format!("Здравствуйте! Запишите меня к {master} на {service} {day} ноября в {time}")],
        }
    }

    /// What to answer; nothing when the wish is fulfilled or given up.
    fn reply_to(&mut self, text: &str) -> Option<String> {
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if Claim::of(&text).is_some() {
            return None;
        }
        Some(match () {
            () if has(&[
                "попробовать ещё раз",
                "записать вас?",
                "перенести?",
                "верно отменить",
                "отменяю?",
                "отменить?",
                "отменить эту",
                "всё верно?",
            ]) =>
            {
                "да".to_owned()
            }
            () if has(&["какой вариант", "что вам удобнее", "какое время выбираете"]) => {
                format!("{}", self.dice.random_range(1..=2))
            }
            () if has(&["администратор", "позвать"]) => "нет, спасибо".to_owned(),
            () => return None,
        })
    }

    /// Sends a burst and waits until all of it is answered.
    async fn say(&mut self, texts: Vec<String>) -> anyhow::Result<Vec<String>> {
        let path = format!("/control/phones/{}/messages?wait=reply&timeout_ms={PATIENCE_MS}", self.diary.phone);
        let mut body = json!({ "salon": self.diary.salon, "name": "Мария" });
        self.sent += 1;
        let id = format!("3AC0FFEE{}{:06}", &self.diary.phone[5..], self.sent);
        let twice = texts.len() == 1 && self.dice.random_bool(0.1);
        if let [text] = texts.as_slice() {
            body["text"] = json!(text);
            body["id"] = json!(id);
        } else {
            body["texts"] = json!(texts);
        }
        let answer = self.place.post(&path, &body).await?;
        let heard = replies(&answer);
        self.diary.exchanges.push(Exchange { said: texts, heard: heard.clone() });
        anyhow::ensure!(answer["settled"] == true, "the chat did not settle");
        if twice {
            let again = replies(&self.place.post(&path, &body).await?);
            self.diary.answered_again.extend(again);
        }
        Ok(heard)
    }
}

/// The texts that came back.
pub(crate) fn replies(answer: &Value) -> Vec<String> {
    let replies = answer["replies"].as_array().map(Vec::as_slice).unwrap_or_default();
    replies.iter().map(|reply| reply["text"].as_str().unwrap_or_default().to_owned()).collect()
}
