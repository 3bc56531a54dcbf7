// Baileys, the other well-known client, accepts the emulator: what it refuses, the emulator has wrong.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { proto } from "baileys";
import { Companion, jid, text } from "./support/baileys.mjs";
import { World, until } from "./support/world.mjs";

const { Status } = proto.WebMessageInfo;
const { REVOKE } = proto.WebMessageInfo.StubType;
let world, open = [];
const companion = async (making) => { const made = await making; open.push(made); return made; };

before(async () => { world = await World.start(); });
after(async () => {
  open.forEach(({ socket }) => socket.end(undefined));
  await world.stop();
});

describe("a device of a salon's phone", () => {
  const CUSTOMER = "79161110001";
  let salon, device;
  before(async () => {
    salon = await world.addSalon(1);
    device = await companion(Companion.ofSalon(world, salon, "code"));
  });

  test("is linked by a pairing code and comes back after 515", () => {
    assert.deepEqual(device.ends, [515]);
    assert.equal(device.socket.user.id.split(":")[0], salon.phone);
  });

  test("reads what a customer writes, and answers", async () => {
    await world.post(`/phones/${CUSTOMER}/messages`, { salon: salon.id, text: "Здравствуйте!", name: "Мария" });
    const greeting = await device.message("the customer's text", (message) => text(message) === "Здравствуйте!");
    assert.equal(greeting.pushName, "Мария");
    assert.equal(greeting.key.fromMe, false);

    const sent = await device.socket.sendMessage(greeting.key.remoteJid, { text: "Добрый день!" });
    const shown = await until("the customer's phone shows the answer", async () => (await world.chat(CUSTOMER, salon.id))[1]);
    assert.deepEqual([shown.id, shown.from, shown.text], [sent.key.id, "salon", "Добрый день!"]);
    await device.reached(sent.key.id, Status.DELIVERY_ACK);
  });

  test("reactions go both ways", async () => {
    const [greeting, answer] = await world.chat(CUSTOMER, salon.id);
    await world.post(`/phones/${CUSTOMER}/reactions`, { salon: salon.id, message_id: answer.id, emoji: "👍" });
    const heart = await device.event("messages.reaction", "the customer's thumb", ({ reaction }) => reaction.text === "👍");
    assert.equal(heart.key.id, answer.id);

    const { key } = device.messages.find((message) => message.key.id === greeting.id);
    await device.socket.sendMessage(key.remoteJid, { react: { text: "❤️", key } });
    const shown = await until("the phone shows the heart", async () => (await world.chat(CUSTOMER, salon.id)).find((m) => m.text === "❤️"));
    assert.deepEqual([shown.kind, shown.reaction_to, shown.from], ["reaction", greeting.id, "salon"]);
  });

  const writes = async (what) => (await world.post(`/phones/${CUSTOMER}/messages`, { salon: salon.id, ...what })).ids[0];
  const received = (id) => device.message(`message ${id}`, ({ key }) => key.id === id);
  const shown = (id, is = () => true) => until(`the phone shows ${id}`, async () => (await world.chat(CUSTOMER, salon.id)).find((m) => m.id === id && is(m)));
  const greeting = () => device.messages.find((message) => text(message) === "Здравствуйте!");
  const sends = async (content, options) => (await device.socket.sendMessage(greeting().key.remoteJid, content, options)).key;

  const bytes = randomBytes(20_000), data_base64 = bytes.toString("base64");
  const letters = {
    image: [{ data_base64, caption: "Вот так" }, ({ imageMessage }) => imageMessage.caption === "Вот так"],
    voice: [{ data_base64 }, ({ audioMessage }) => audioMessage.ptt === true],
    audio: [{ data_base64 }, ({ audioMessage }) => !audioMessage.ptt],
    video: [{ data_base64, mimetype: "video/mp4" }, ({ videoMessage }) => videoMessage.mimetype === "video/mp4"],
    document: [{ data_base64, file_name: "прайс.pdf" }, (m) => (m.documentMessage ?? m.documentWithCaptionMessage.message.documentMessage).fileName === "прайс.pdf"],
    sticker: [{ data_base64 }, ({ stickerMessage }) => stickerMessage !== undefined],
    location: [{ latitude: 55.75, longitude: 37.62 }, ({ locationMessage }) => locationMessage.degreesLatitude === 55.75],
    contact: [{ contact: { name: "Анна", phone: "79160000002" } }, ({ contactMessage }) => contactMessage.vcard.includes("79160000002")],
  };
  for (const [kind, [letter, is]] of Object.entries(letters)) {
    test(`reads a customer's ${kind}`, async () => {
      const message = await received(await writes({ kind, ...letter }));
      assert.ok(is(message.message), JSON.stringify(message.message));
      if (letter.data_base64) assert.ok(bytes.equals(await device.download(message)), "byte by byte");
    });
  }

  test("reads quotes, edits and deletions", async () => {
    const first = await writes({ text: "Можно завтра?" });
    const reply = await received(await writes({ text: "Вот об этом", quoted: first }));
    assert.equal(reply.message.extendedTextMessage.contextInfo.stanzaId, first);
    await writes({ edit: first, text: "Можно послезавтра?" });
    const edit = await device.event("messages.update", "the edit", ({ key, update }) => key.id === first && update.message?.editedMessage);
    assert.match(JSON.stringify(edit.update.message.editedMessage), /послезавтра/);
    await writes({ revoke: first });
    await device.event("messages.update", "the deletion", ({ key, update }) => key.id === first && update.messageStubType === REVOKE);
  });

  test("quotes, edits and deletes, and sends what is no text", async () => {
    const reply = await sends({ text: "Это ответ" }, { quoted: greeting() });
    assert.equal((await shown(reply.id)).quoted, greeting().key.id);
    await sends({ text: "Это лучший ответ", edit: reply });
    assert.equal((await shown(reply.id, ({ edited }) => edited)).text, "Это лучший ответ");
    await sends({ delete: reply });
    await shown(reply.id, ({ kind }) => kind === "revoked");

    const file = await shown((await sends({ document: bytes, mimetype: "application/pdf", fileName: "прайс.pdf" })).id);
    assert.deepEqual([file.kind, file.media.size, file.media.file_name], ["document", bytes.length, "прайс.pdf"]);
    assert.equal((await shown((await sends({ location: { degreesLatitude: 55.75, degreesLongitude: 37.62 } })).id)).kind, "location");
    const vcard = "BEGIN:VCARD\nVERSION:3.0\nFN:Анна\nTEL;waid=79160000002:+79160000002\nEND:VCARD";
    assert.equal((await shown((await sends({ contacts: { displayName: "Анна", contacts: [{ vcard }] } })).id)).kind, "contact");
  });

  test("read marks go both ways", async () => {
    const sent = await sends({ text: "Прочтите это" });
    await shown(sent.id);
    await world.post(`/phones/${CUSTOMER}/read`, { salon: salon.id, message_id: sent.id });
    await device.reached(sent.id, Status.READ);
    const asked = await received(await writes({ text: "А это?" }));
    assert.equal((await shown(asked.key.id)).read, undefined);
    await device.socket.readMessages([asked.key]);
    await shown(asked.key.id, ({ read }) => read === true);
  });

  test("sees who is there and who types", async () => {
    const chat = greeting().key.remoteJid;
    const seen = (what) => device.event("presence.update", what, ({ presences }) => Object.values(presences)[0].lastKnownPresence === what);
    await device.socket.sendPresenceUpdate("available");
    await device.socket.presenceSubscribe(chat);
    await world.post(`/phones/${CUSTOMER}/presence`, { available: true });
    await seen("available");
    await world.post(`/phones/${CUSTOMER}/typing`, { salon: salon.id });
    await seen("composing");
    await world.post(`/phones/${CUSTOMER}/presence`, { available: false });
    await seen("unavailable");
  });

  test("sees what a person in the salon writes from the phone", async () => {
    const { id } = await world.post(`/salons/${salon.id}/phone/messages`, { to: CUSTOMER, text: "Это администратор" });
    const copy = await device.message("the copy", (message) => message.key.id === id);
    assert.deepEqual([text(copy), copy.key.fromMe], ["Это администратор", true]);
  });

  test("finds after an absence what was written meanwhile, in order", async () => {
    await device.leave();
    for (const number of ["раз", "два", "три"]) await world.post(`/phones/${CUSTOMER}/messages`, { salon: salon.id, text: number });
    await device.connect();
    await device.message("the last one", (message) => text(message) === "три");
    assert.deepEqual(device.messages.map(text).filter((said) => ["раз", "два", "три"].includes(said)), ["раз", "два", "три"]);
  });

  test("stays away while the phone is offline, and returns", async () => {
    const ended = device.ended();
    await world.post(`/salons/${salon.id}/phone/offline`);
    await ended;
    await assert.rejects(device.connect());
    await world.post(`/salons/${salon.id}/phone/online`);
    await device.connect();
  });

  test("is told when the phone unlinks it, and cannot come back", async () => {
    const ended = device.ended();
    await world.post(`/salons/${salon.id}/phone/unlink`);
    assert.equal(await ended, 401);
    await assert.rejects(device.connect(), { code: 401 });
  });
});

describe("the server ends it", () => {
  let salon, device;
  before(async () => {
    salon = await world.addSalon(2);
    device = await companion(Companion.ofSalon(world, salon));
  });
  const ending = async (order) => {
    const ended = device.ended();
    await world.post("/faults", { target: "whatsapp", salon: salon.id, ...order });
    return ended;
  };

  for (const [what, order, code] of [
    ["another device takes its place", { kind: "replaced" }, 440],
    ["busy", { kind: "status", status: 503 }, 503],
    ["too many", { kind: "rate_limit" }, 429],
  ]) {
    test(`${what}: Baileys says ${code} and comes back`, async () => {
      assert.equal(await ending(order), code);
      await device.connect();
    });
  }

  for (const [what, status] of [["a temporary ban", 402], ["an outdated client", 405]]) {
    test(`${what}: the next login fails with ${status}, the one after it not`, async () => {
      await ending({ kind: "status", status });
      await assert.rejects(device.connect(), { code: status });
      await device.connect();
    });
  }

  test("a forbidden account is unlinked", async () => {
    await ending({ kind: "status", status: 403 });
    await assert.rejects(device.connect(), { code: 403 });
    await assert.rejects(device.connect(), { code: 401 });
  });
});

test("a new device is given the chats there were", async () => {
  const salon = await world.addSalon(3);
  await world.post("/phones/79161110004/messages", { salon: salon.id, text: "Это было раньше", name: "Регина" });
  const device = await companion(Companion.ofSalon(world, salon));
  const { messages } = await device.event("messaging-history.set", "the chats", ({ messages }) => messages.length > 0);
  assert.deepEqual(messages.map(text), ["Это было раньше"]);
});

test("a device logs out by itself and is no longer linked", async () => {
  const phone = "79161110002";
  const device = await companion(Companion.ofPhone(world, phone));
  const other = await companion(Companion.ofPhone(world, phone, "code"));
  await device.socket.logout();
  await until("the device is out", () => device.ends.includes(401));
  await assert.rejects(device.connect(), { code: 401 });
  assert.deepEqual(other.ends, [515], "the phone's other device stays");
});

test("a QR code that no phone knows is refused by the phone, not by silence", async () => {
  await assert.rejects(world.post("/phones/79161110003/link", { qr: "2@nobody,AAAA,BBBB,CCCC" }), { status: 409 });
  await assert.rejects(world.post("/phones/79161110003/link", { code: "ABCD-1234" }), { status: 409 });
});
