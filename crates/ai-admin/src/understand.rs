//! `ai-admin understand`: messages as JSON lines in, what is made of them as JSON lines out, in the
//! same order. Nothing of the product is needed for it: no settings, no network, no database.

mod salon_file;

use std::{
    io::{self, BufRead, Read, Write},
    path::Path,
    time::Instant,
};

use anyhow::{Context as _, bail};
use jiff::civil::{Date, DateTime};
use language::{Asked, Context, Reader, Understood};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A longer line is refused, so that no input can take all memory.
const LONGEST_LINE: u64 = 64 * 1024;

/// A longer message is cut, as it is where it arrives.
const LONGEST_TEXT: usize = whatsapp::MAX_TEXT;

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: Value,
    text: String,
    now: DateTime,
    #[serde(default)]
    context: Told,
}

/// What the message answers to.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Told {
    asked: Option<Asked>,
    offered: Vec<DateTime>,
    day: Option<Date>,
}

#[derive(Serialize)]
struct Answer {
    id: Value,
    #[serde(flatten)]
    understood: Understood,
    ms: f64,
}

#[derive(Serialize)]
struct Fault {
    id: Option<Value>,
    error: String,
}

/// Reads standard input to its end.
///
/// # Errors
/// When the salon file cannot be read, `llm` is asked for (no model is built in yet), or the
/// output cannot be written. A wrong line is answered with its error and ends nothing.
pub fn run(salon: Option<&Path>, llm: bool) -> anyhow::Result<()> {
    if llm {
        bail!("--llm: no language model is built in yet; leave it out");
    }
    let salon = salon.map(|path| {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        salon_file::parse(&text).with_context(|| format!("{} is no salon file", path.display()))
    });
    let reader = Reader::new(salon.transpose()?.as_ref());
    let mut input = io::stdin().lock();
    let mut output = io::BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(output.flush()?);
        }
        if !line.ends_with(b"\n") && line.len() as u64 == LONGEST_LINE {
            skip_line(&mut input)?;
            line.clear();
        } else if line.trim_ascii().is_empty() {
            continue;
        }
        match answer(&reader, &line) {
            Ok(answer) => serde_json::to_writer(&mut output, &answer)?,
            Err(fault) => serde_json::to_writer(&mut output, &fault)?,
        }
        output.write_all(b"\n")?;
    }
}

fn answer(reader: &Reader, line: &[u8]) -> Result<Answer, Fault> {
    if line.is_empty() {
        return Err(Fault { id: None, error: "the line is too long".to_owned() });
    }
    let value: Value = serde_json::from_slice(line).map_err(|error| Fault { id: None, error: format!("not JSON: {error}") })?;
    let id = value.get("id").cloned();
    let message: Message = serde_json::from_value(value).map_err(|error| Fault { id, error: error.to_string() })?;
    let context = Context { asked: message.context.asked, offered: message.context.offered, day: message.context.day };
    let text: String = message.text.chars().take(LONGEST_TEXT).collect();
    let began = Instant::now();
    let understood = reader.read(&text, message.now, &context);
    Ok(Answer { id: message.id, understood, ms: (began.elapsed().as_secs_f64() * 1e5).round() / 1e2 })
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}
