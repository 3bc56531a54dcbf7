use std::path::PathBuf;

use clap::Parser;
use jiff::Timestamp;

/// A whole world on one machine: the real product beside emulators of YClients and WhatsApp.
///
/// Open the chat page it prints, write as a customer («Здравствуйте! Можно на маникюр с гель-лаком завтра в 15 к Ане?»)
/// and watch the salon's calendar. Tests play through the HTTP API below /control on the same port.
#[derive(Debug, Clone, Parser)]
#[command(name = "ai-admin-sandbox", version, after_help = EXAMPLES)]
pub struct Options {
    /// A salon's file (JSON) instead of the demo salon; may be repeated.
    #[arg(long = "salon", value_name = "FILE")]
    pub salons: Vec<PathBuf>,

    /// Where the calendar starts, e.g. 2026-11-23T10:00:00+03:00 [default: the real time, or where the data folder left it].
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,

    /// How long the product waits for the rest of a customer's burst; its own adaptive 1–4 s when absent.
    #[arg(long, value_name = "N")]
    pub debounce_ms: Option<u64>,

    /// How fast the product types, in milliseconds for a character, 0.5–3 s for a message; 0 sends at once
    /// [default: 0 with --debounce-ms, else the product's own].
    #[arg(long, value_name = "N")]
    pub typing_ms_per_char: Option<u64>,

    /// Keeps everything here: database, both services' state, calendar, generated secrets. Without it all is forgotten.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// The product's database instead of SQLite: postgres://… or sqlite://…
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,

    /// Where the product listens (0: any free port).
    #[arg(long, default_value_t = 3000)]
    pub port: u16,

    /// Where the world listens: chat page, control API, YClients, WhatsApp (0: any free port).
    #[arg(long, default_value_t = 4000)]
    pub control_port: u16,

    /// Starts without a salon.
    #[arg(long)]
    pub no_demo_salon: bool,

    /// YClients holds to 5 calls a second and 200 a minute, and the product paces itself.
    #[arg(long)]
    pub real_limits: bool,

    /// Webhooks leave after five seconds, in up to four copies.
    #[arg(long)]
    pub real_delays: bool,

    /// Only the world; the product is started apart with --product-only.
    #[arg(long, conflicts_with = "product_only")]
    pub world_only: bool,

    /// Only the product; it takes calendar and secrets from the world on the control port.
    #[arg(long)]
    pub product_only: bool,

    /// The product's nodes listen at these ports of this machine, and the world answers on --port for all of them:
    /// what stands before several nodes. May be repeated.
    #[arg(long = "node-port", value_name = "PORT", requires = "world_only")]
    pub node_ports: Vec<u16>,

    /// The name of this node among those that share a PostgreSQL (NODE_NAME).
    #[arg(long, value_name = "NAME", requires = "product_only")]
    pub node: Option<String>,

    /// The port at which browsers and YClients reach a product that listens on --port: the world's, before several nodes.
    #[arg(long, value_name = "PORT", requires = "product_only")]
    pub public_port: Option<u16>,
}

const EXAMPLES: &str = "\
Examples:
  cargo sandbox
      the demo salon, ready to chat, at http://127.0.0.1:4000/
  cargo sandbox --salon my-salon.json --now 2026-11-23T10:00:00+03:00 --debounce-ms 0
      your own salon on a Monday morning, answering at once
  cargo sandbox --data play --world-only    and, in another terminal,
  cargo sandbox --data play --product-only
      the product can be killed and started again; the world lives on
  cargo sandbox --data play --world-only --node-port 3001 --node-port 3002    and, in two other terminals,
  cargo sandbox --product-only --database-url postgres://… --public-port 3000 --port 3001 --node one
  cargo sandbox --product-only --database-url postgres://… --public-port 3000 --port 3002 --node two
      two nodes share the work; either can be killed

  curl -s localhost:4000/control/salons
  curl -s 'localhost:4000/control/phones/79161234567/messages?wait=reply' \\
       -d '{\"salon\": 100001, \"name\": \"Мария\", \"text\": \"Сколько стоит маникюр?\"}'

Secrets are fixed unless set in the environment: ADMIN_API_KEY=sandbox-admin-key, YCLIENTS_PARTNER_TOKEN=sandbox-partner-token,
YCLIENTS_USER_TOKEN=sandbox-user-token, YCLIENTS_APP_ID=1, YCLIENTS_WEBHOOK_SECRET=sandbox-webhook-secret.
It listens on loopback only and never talks to the real WhatsApp.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory;
        Options::command().debug_assert();
        let both = Options::try_parse_from(["ai-admin-sandbox", "--world-only", "--product-only"]);
        assert!(both.is_err());
    }
}
