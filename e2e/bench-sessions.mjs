// As many Baileys devices as asked for, linked and online in this one process; their keys lie in files, as ours lie in a database.
// Driven by `cargo xtask bench sessions`: says "ready", waits for a line, says "linked" when all are online, and ends with its input.
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as defaults from "baileys/lib/Defaults/index.js";
import makeWASocket, { BufferJSON, Browsers, DisconnectReason, initAuthCreds, proto } from "baileys";

const [control, count] = [process.argv[2], Number(process.argv[3])];
const AT_ONCE = 4;
const silent = { level: "silent", child: () => silent, trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} };
const folder = mkdtempSync(join(tmpdir(), "baileys-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.stdin.on("end", () => process.exit());

const server = await (await fetch(`${control}/whatsapp`)).json();
defaults.WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(server.root_key, "hex");

/** Credentials and keys in a folder, a file for each kind. */
function saved(number) {
  const place = join(folder, String(number));
  mkdirSync(place);
  const read = (name) => {
    try { return JSON.parse(readFileSync(join(place, name), "utf8"), BufferJSON.reviver); } catch { return undefined; }
  };
  const write = (name, value) => writeFileSync(join(place, name), JSON.stringify(value, BufferJSON.replacer));
  const creds = initAuthCreds();
  const get = (kind, ids) => {
    const all = read(kind) ?? {};
    return Object.fromEntries(ids.map((id) =>
      [id, kind === "app-state-sync-key" && all[id] ? proto.Message.AppStateSyncKeyData.fromObject(all[id]) : all[id]]));
  };
  const set = (data) => {
    for (const [kind, values] of Object.entries(data)) write(kind, { ...read(kind), ...values });
  };
  return { auth: { creds, keys: { get, set } }, save: () => write("creds", creds) };
}

/** Links a device of a salon's phone; done when it is online. */
function link(salon) {
  const { auth, save } = saved(salon);
  return new Promise((resolve, reject) => {
    const open = () => {
      const socket = makeWASocket({
        auth, logger: silent, waWebSocketUrl: server.url, version: [2, 3000, 1023223821], browser: Browsers.ubuntu("Chrome"),
        syncFullHistory: false, shouldSyncHistoryMessage: () => false,
      });
      socket.ev.on("creds.update", save);
      socket.ev.on("connection.update", async ({ connection, qr, lastDisconnect }) => {
        if (qr) {
          const answer = await fetch(`${control}/salons/${salon}/phone/link`, {
            method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ qr }),
          });
          if (!answer.ok) reject(new Error(await answer.text()));
        }
        if (connection === "open") resolve(socket);
        if (connection !== "close") return;
        const code = lastDisconnect?.error?.output?.statusCode;
        if (code === DisconnectReason.restartRequired) open(); else reject(new Error(`salon ${salon}: ended with ${code}`));
      });
    };
    open();
  });
}

global.gc();
console.log("ready");
await new Promise((go) => process.stdin.once("data", go));
const sockets = [];
let next = 1;
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  while (next <= count) sockets.push(await link(next++));
}));
await new Promise((done) => setTimeout(done, 10_000));
global.gc();
await new Promise((done) => setTimeout(done, 1_000));
console.log("linked");
setInterval(() => sockets.length, 60_000);
