//! Plays conversations against the model of a salon: a JSON command a line in, a JSON answer a line out.
//!
//! `{"op":"salon","salon":{…},"now":T}`, `{"op":"say","salon":ID,"phone":P,"name"?,"texts":[…],"now":T}`,
//! `{"op":"records","salon":ID}`, `{"op":"delete","salon":ID,"record":R}`; T is naive, in the salon's zone.

use std::{
    collections::HashMap,
    io::{self, BufRead as _, Write as _},
};

use domain::Client;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

#[path = "../tests/model/mod.rs"]
mod model;

use model::{Chat, Model};

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Command {
    Salon { salon: Value, now: DateTime },
    Say { salon: i64, phone: String, name: Option<String>, texts: Vec<String>, now: DateTime },
    Records { salon: i64 },
    Delete { salon: i64, record: i64 },
}

struct World {
    model: Model,
    clients: Vec<(String, String)>,
    chats: HashMap<String, Chat>,
}

fn main() -> io::Result<()> {
    let mut worlds: HashMap<i64, World> = HashMap::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let command: Command = serde_json::from_str(&line?)?;
        let answer = carry_out(&mut worlds, command).unwrap_or_else(|| json!({"error": "no such salon"}));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn carry_out(worlds: &mut HashMap<i64, World>, command: Command) -> Option<Value> {
    match command {
        Command::Salon { salon, now } => {
            let clients = salon["clients"].as_array().into_iter().flatten();
            let clients = clients.map(|c| (c["phone"].as_str().unwrap_or("").to_owned(), c["name"].as_str().unwrap_or("").to_owned()));
            let clients = clients.collect();
            let model = Model::from_file(&salon.to_string(), now.date());
            worlds.insert(salon["id"].as_i64()?, World { model, clients, chats: HashMap::new() });
            Some(json!({}))
        }
        Command::Say { salon, phone, name, texts, now } => {
            let world = worlds.get_mut(&salon)?;
            let chat = world.chats.entry(phone.clone()).or_insert_with(|| Chat::new(Some(&phone), name.as_deref()));
            if let Some((_, name)) = world.clients.iter().find(|(of, _)| *of == phone) {
                let card = Client { id: domain::ClientId(1), name: name.clone(), phone: None, visits: 1 };
                chat.customer.client = Some(card);
            }
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let reply = world.model.turn(chat, now, &texts);
            Some(json!({"replies": reply.messages, "effects": format!("{:?}", chat.effects)}))
        }
        Command::Records { salon } => {
            let model = &worlds.get(&salon)?.model;
            let title = |id: &domain::ServiceId| model.salon.service(*id).map(|s| s.title.clone());
            let records = model.bookings.iter().map(|b| {
                json!({"id": b.record_id, "staff_id": b.staff_id, "staff": model.salon.staff(b.staff_id).map(|s| s.name.clone()),
                    "service_ids": b.services, "services": b.services.iter().filter_map(title).collect::<Vec<_>>(),
                    "start": b.start.strftime("%Y-%m-%dT%H:%M").to_string(), "minutes": b.minutes,
                    "client_phone": b.client_phone.as_ref().map(|p| p.digits().to_owned()), "client_name": b.client_name,
                    "deleted": b.deleted, "attendance": 0})
            });
            Some(Value::Array(records.collect()))
        }
        Command::Delete { salon, record } => {
            let model = &mut worlds.get_mut(&salon)?.model;
            model.bookings.iter_mut().find(|b| b.record_id.0 == record)?.deleted = true;
            Some(json!({}))
        }
    }
}
