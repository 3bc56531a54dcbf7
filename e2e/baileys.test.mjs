// Baileys, the other well-known client, accepts the emulator: what it refuses, the emulator has wrong.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { proto } from "baileys";
import { Companion, jid, text } from "./support/baileys.mjs";
import { World, until } from "./support/world.mjs";

const { Status } = proto.WebMessageInfo;
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
