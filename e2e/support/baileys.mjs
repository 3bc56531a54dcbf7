// Baileys as a device linked to a phone of the world. It is unmodified; only the key that certificates are checked with is the
// emulator's instead of WhatsApp's, which it keeps in a table that anybody may write.
import * as defaults from "baileys/lib/Defaults/index.js";
import { Agent } from "node:http";
import makeWASocket, { BufferJSON, Browsers, DisconnectReason, downloadMediaMessage, initAuthCreds, proto } from "baileys";
import { until } from "./world.mjs";

// Baileys' Signal library tells whole sessions, keys and all.
if (!process.env.LOUD) console.info = () => {};

// The emulator's host of files has no TLS and another name than WhatsApp's: what Baileys asks by https goes there in the clear.
class Plain extends Agent {
  protocol = "https:";
}
let files;
const { fetch } = globalThis;
globalThis.fetch = (url, options) => fetch(typeof url === "string" ? url.replace(/^https:\/\/(mmg\.whatsapp\.net|127\.0\.0\.1:\d+)\//, `http://${files}/`) : url, options);

const silent = { level: "silent", child: () => silent, trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} };
const loud = { ...silent, level: "warn", child: () => loud, warn: (...what) => console.error("baileys", ...what), error: (...what) => console.error("baileys", ...what) };

/** Baileys' credentials and keys as text, so that every reconnection starts from what was saved. */
class Saved {
  #texts = new Map();

  state() {
    const read = (name) => this.#texts.has(name) ? JSON.parse(this.#texts.get(name), BufferJSON.reviver) : undefined;
    const creds = read("creds") ?? initAuthCreds();
    const get = (type, ids) => Object.fromEntries(ids.map((id) => {
      const value = read(`${type}-${id}`);
      return [id, type === "app-state-sync-key" && value ? proto.Message.AppStateSyncKeyData.fromObject(value) : value];
    }));
    const set = (data) => {
      for (const [type, values] of Object.entries(data))
        for (const [id, value] of Object.entries(values)) this.#write(`${type}-${id}`, value);
    };
    return { auth: { creds, keys: { get, set } }, save: () => this.#write("creds", creds) };
  }

  /** Forgets all sessions with others, as after a restore from an old backup. */
  forgetSessions() {
    for (const name of this.#texts.keys()) if (name.startsWith("session-")) this.#texts.delete(name);
  }

  #write(name, value) {
    if (value === null || value === undefined) this.#texts.delete(name);
    else this.#texts.set(name, JSON.stringify(value, BufferJSON.replacer));
  }
}

export class Companion {
  #server;
  #saved = new Saved();
  #link;
  /** All that Baileys told since the device was made, in order: `{event, ...}`. */
  heard = [];
  /** Messages received or mirrored, in order. */
  messages = [];
  /** Status codes with which Baileys saw its connections end. */
  ends = [];

  /**
   * Links a device by what `link` does with the QR text or the pairing code. `number`: link by code for that number.
   * Done when it is online.
   */
  static async link(world, { link, number }) {
    const companion = new Companion();
    companion.#server = await world.call("GET", "/whatsapp");
    files = new URL(companion.#server.url).host;
    defaults.WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(companion.#server.root_key, "hex");
    companion.#link = { link, number, asked: false };
    await companion.connect();
    return companion;
  }

  /** A device of a customer's phone. */
  static ofPhone(world, phone, by = "qr") {
    const link = (qrOrCode) => world.post(`/phones/${phone}/link`, qrOrCode);
    return Companion.link(world, { link, number: by === "code" ? phone : undefined });
  }

  /** A device of a salon's phone. */
  static ofSalon(world, salon, by = "qr") {
    const link = (qrOrCode) => world.post(`/salons/${salon.id}/phone/link`, qrOrCode);
    return Companion.link(world, { link, number: by === "code" ? salon.phone : undefined });
  }

  /** Comes online with what was saved, through as many restarts as the server asks for. */
  async connect() {
    let failed;
    const open = new Promise((resolve, reject) => { this.#open(resolve, reject); failed = reject; });
    const impatient = setTimeout(() => failed(new Error(`not online in 30 s; ends: ${this.ends}`)), 30_000);
    try { await open; } finally { clearTimeout(impatient); }
  }

  #open(resolve, reject) {
    const { auth, save } = this.#saved.state();
    const socket = makeWASocket({
      auth, logger: process.env.LOUD ? loud : silent, waWebSocketUrl: this.#server.url, version: [2, 3000, 1023223821],
      fetchAgent: new Plain(), browser: Browsers.ubuntu("Chrome"), syncFullHistory: false,
      getMessage: async ({ id }) => this.messages.find((message) => message.key.id === id)?.message,
    });
    this.socket = socket;
    socket.ev.on("creds.update", save);
    socket.ev.on("messages.upsert", ({ messages, type }) => this.messages.push(...messages.map((message) => Object.assign(message, { type }))));
    for (const event of ["messages.update", "messages.reaction", "presence.update", "messaging-history.set"])
      socket.ev.on(event, (told) => this.heard.push(...[told].flat().map((one) => ({ event, ...one }))));
    socket.ev.on("connection.update", async ({ connection, qr, lastDisconnect }) => {
      try {
        if (qr) await this.#show(socket, qr);
        if (connection === "open") resolve();
        if (connection !== "close") return;
        const code = lastDisconnect?.error?.output?.statusCode;
        this.ends.push(code);
        if (code === DisconnectReason.restartRequired) this.#open(resolve, reject);
        else reject(Object.assign(new Error(`Baileys ended with ${code}: ${lastDisconnect?.error?.message}`), { code }));
      } catch (error) {
        reject(error);
      }
    });
  }

  async #show(socket, qr) {
    const { link, number, asked } = this.#link;
    if (asked) return;
    this.#link.asked = true;
    if (!number) return link({ qr });
    // Baileys tells the code before the server has taken it; a person types more slowly.
    const code = await socket.requestPairingCode(number);
    await until("the phone takes the code", () => link({ code }).catch((error) => {
      if (error.status !== 409) throw error;
    }), 5000);
  }

  /** Loses its sessions with everybody else's devices and comes back. */
  async loseSessions() {
    await this.leave();
    this.#saved.forgetSessions();
    await this.connect();
  }

  /** The connection ends without a word to the server. */
  async leave() {
    const ends = this.ends.length;
    this.socket.end(undefined);
    await until("Baileys has left", () => this.ends.length > ends);
  }

  /** The status code of the next end of the connection that nobody here asked for. */
  async ended(after = this.ends.length) {
    await until("the connection ends", () => this.ends.length > after);
    return this.ends.at(-1);
  }

  /** The first message that is so, now or soon. */
  message(what, is) {
    return until(`Baileys gets ${what}`, () => this.messages.find(is));
  }

  /** Waits until a message has at least that status; news of it may have come with the message itself or after it. */
  reached(id, status) {
    const news = () => [
      ...this.messages.filter(({ key }) => key.id === id),
      ...this.heard.filter(({ event, key }) => event === "messages.update" && key.id === id).map(({ update }) => update),
    ];
    return until(`message ${id} has status ${status}`, () => news().some((told) => told.status >= status));
  }

  /** The file of a message, downloaded and decrypted. */
  download(message) {
    return downloadMediaMessage(message, "buffer", {});
  }

  /** The first event of that name that is so, now or soon. */
  event(name, what, is) {
    return until(`Baileys hears ${what}`, () => this.heard.find((told) => told.event === name && is(told)));
  }
}

/** The text of a message in any of its forms. */
export const text = ({ message }) => message?.conversation ?? message?.extendedTextMessage?.text ?? "";

/** The address of a phone number. */
export const jid = (phone) => `${phone}@s.whatsapp.net`;
