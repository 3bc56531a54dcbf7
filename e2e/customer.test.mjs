// Baileys on a customer's side, talking with the product: two clients of different makes through the emulator.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { proto } from "baileys";
import { Companion, jid, text } from "./support/baileys.mjs";
import { World, until } from "./support/world.mjs";

const { Status } = proto.WebMessageInfo;
const CUSTOMER = "79162220001";
let world, salon, customer;

before(async () => {
  world = await World.start({ args: ["--typing-ms-per-char", "1"] });
  salon = await world.onboarded(7);
  customer = await Companion.ofPhone(world, CUSTOMER);
});
after(async () => {
  customer?.socket.end(undefined);
  await world.stop();
});

const fromSalon = () => customer.messages.filter(({ key }) => !key.fromMe);
/** Says something to the salon and waits for the bot's next text. */
async function ask(content, options) {
  const before = fromSalon().length;
  const sent = await customer.socket.sendMessage(jid(salon.phone), typeof content === "string" ? { text: content } : content, options);
  const answer = await until("the bot's answer in Baileys", () => fromSalon().slice(before).find((message) => text(message)));
  return { sent, answer };
}

test("a question is answered, and phone and device see the same chat", async () => {
  const { sent, answer } = await ask("Здравствуйте! Сколько стоит женская стрижка?");
  assert.match(text(answer), /2\s?500/);
  const chat = await world.chat(CUSTOMER, salon.id);
  assert.deepEqual(chat.map(({ id, from }) => [id, from]), [[sent.key.id, "customer"], [answer.key.id, "salon"]]);
  await customer.reached(sent.key.id, Status.DELIVERY_ACK);
});

test("a booking is made from what Baileys sealed", async () => {
  const { answer } = await ask("Запишите меня к Вере на женскую стрижку завтра в 16:00, меня зовут Мария");
  assert.match(text(answer), /16:00/);
  const records = await world.call("GET", `/salons/${salon.id}/records`);
  assert.deepEqual(records.map(({ staff, start, client_phone, by }) => ({ staff, start, client_phone, by })),
    [{ staff: "Вера", start: "2026-11-24T16:00", client_phone: CUSTOMER, by: "bot" }]);
});

test("a quoted reply is read", async () => {
  const quoted = fromSalon().at(-1);
  const { answer } = await ask("А сколько это стоит?", { quoted });
  assert.match(text(answer), /2\s?500/);
});

test("a reaction reaches the salon's phone, and nobody answers it", async () => {
  const { key } = fromSalon().at(-1);
  await customer.socket.sendMessage(jid(salon.phone), { react: { text: "❤️", key } });
  const shown = await until("the reaction in the chat", async () => (await world.chat(CUSTOMER, salon.id)).find(({ kind }) => kind === "reaction"));
  assert.deepEqual([shown.from, shown.text, shown.reaction_to], ["customer", "❤️", key.id]);
  await world.post("/settle");
  assert.equal((await world.chat(CUSTOMER, salon.id)).at(-1).id, shown.id);
});

test("the salon marks as read what it answers", async () => {
  const { sent } = await ask("А педикюр делаете?");
  await customer.reached(sent.key.id, Status.READ);
});

test("the salon types before it answers", async () => {
  await customer.socket.sendPresenceUpdate("available");
  customer.heard.length = 0;
  await ask("Какой у вас адрес?");
  await customer.event("presence.update", "typing", ({ presences }) => Object.values(presences)[0].lastKnownPresence === "composing");
});

test("what Baileys reads, the salon knows as read", async () => {
  const { key } = fromSalon().at(-1);
  await customer.socket.readMessages([key]);
  await until("the mark", async () => (await world.chat(CUSTOMER, salon.id)).find(({ id }) => id === key.id).read);
});

test("the salon's own reaction arrives", async () => {
  const { key } = customer.messages.findLast((message) => message.key.fromMe);
  const answer = await world.operator("POST", "/api/send-reaction", { company_id: salon.company_id, phone: CUSTOMER, message_id: key.id, emoji: "🌷" });
  assert.equal(answer.status, 202);
  const heard = await customer.event("messages.reaction", "the tulip", ({ reaction }) => reaction.text === "🌷");
  assert.equal(heard.key.id, key.id);
});

test("a message that somebody in the program sends arrives", async () => {
  const queued = await world.operator("POST", "/api/send-message", { company_id: salon.company_id, phone: CUSTOMER, message: "Ждём вас завтра!" });
  assert.equal(queued.status, 202);
  await customer.message("it", (message) => text(message) === "Ждём вас завтра!");
});

test("files go both ways between Baileys and the phones", async () => {
  const [picture, voice] = [randomBytes(70_000), randomBytes(9_000)];
  const sent = await customer.socket.sendMessage(jid(salon.phone), { image: picture, mimetype: "image/jpeg", caption: "Хочу так", jpegThumbnail: "" });
  const shown = await until("the picture at the salon", async () => (await world.chat(CUSTOMER, salon.id)).find(({ id }) => id === sent.key.id));
  assert.deepEqual([shown.kind, shown.text, shown.media.size], ["image", "Хочу так", picture.length]);
  const kept = await fetch(`${world.control}/control/phones/${CUSTOMER}/messages/${shown.id}/media?salon=${salon.id}`);
  assert.ok(picture.equals(Buffer.from(await kept.arrayBuffer())), "byte by byte");

  const { ids } = await world.post(`/phones/${CUSTOMER}/messages`, { salon: salon.id, kind: "voice", data_base64: voice.toString("base64") });
  const copy = await customer.message("the phone's voice message", (message) => message.key.id === ids[0]);
  assert.equal(copy.message.audioMessage?.ptt, true);
  assert.ok(voice.equals(await customer.download(copy)), "byte by byte");
  await world.post("/settle");
});

test("who types on one side is seen on the other", async () => {
  const first = await world.listen();
  await customer.socket.sendPresenceUpdate("composing", jid(salon.phone));
  const { salon: typist, customer: reader, typing } = await first(({ event }) => event === "typing");
  assert.deepEqual([typist, reader, typing], [CUSTOMER, salon.phone, true]);
});

test("what Baileys cannot open, it asks for again and gets", async () => {
  await customer.loseSessions();
  await world.operator("POST", "/api/send-message", { company_id: salon.company_id, phone: CUSTOMER, message: "Не забудьте, завтра в 16:00" });
  await customer.message("the message sealed anew", (message) => text(message) === "Не забудьте, завтра в 16:00");
});

test("a device that is linked in the middle of a chat hears the bot too", async () => {
  const late = await Companion.ofPhone(world, CUSTOMER, "code");
  try {
    const { answer } = await ask("А сколько стоит маникюр с гель-лаком?");
    assert.equal(text(await late.message("the same answer", ({ key }) => key.id === answer.key.id)), text(answer));
    const mirrored = await late.message("the question as well", (message) => text(message) === "А сколько стоит маникюр с гель-лаком?");
    assert.equal(mirrored.key.fromMe, true);
  } finally {
    await late.socket.logout();
  }
});

test("while Baileys was away the bot answered: both are there when it returns", async () => {
  await customer.leave();
  await world.post(`/phones/${CUSTOMER}/messages?wait=reply`, { salon: salon.id, text: "Какой у вас адрес?" });
  await customer.connect();
  await customer.message("its phone's own question", (message) => message.key.fromMe && text(message) === "Какой у вас адрес?");
  await customer.message("the answer", (message) => !message.key.fromMe && text(message).includes("Садовая"));
});

test("a person in the salon writes: Baileys gets it, and the bot is silent from then on", async () => {
  await world.post(`/salons/${salon.id}/phone/messages`, { to: CUSTOMER, text: "Это Вера, пишу сама" });
  await customer.message("Vera's words", (message) => text(message) === "Это Вера, пишу сама");
  const standing = async () => (await world.operator("GET", `/api/conversations/${salon.company_id}/${CUSTOMER}`)).body;
  const { last_message_at } = await until("the pause", async () => { const now = await standing(); return now.state === "paused" && now; });
  await customer.socket.sendMessage(jid(salon.phone), { text: "Сколько стоит маникюр?" });
  await until("the product has the question", async () => (await standing()).last_message_at > last_message_at);
  await world.post("/settle");
  assert.equal((await world.chat(CUSTOMER, salon.id)).at(-1).text, "Сколько стоит маникюр?");
});
