// The linking page's sockets, met by the official client.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { World, until } from "./support/world.mjs";

let world, open = [];
before(async () => { world = await World.start(); });
afterEach(() => open.splice(0).forEach((socket) => socket.close()));
after(() => world.stop());

/** A socket of a namespace from an address of its own unless one is given; it notes all it hears. */
function socketOf(namespace, { token, headers = {}, query, transport = "websocket", from = world.address() } = {}) {
  const socket = io(`${world.product}${namespace}`, {
    forceNew: true, reconnection: false, transports: [transport], query, auth: token && { token },
    extraHeaders: { "X-Forwarded-For": from, ...headers },
  });
  socket.heard = [];
  socket.onAny((event, body) => socket.heard.push({ event, body }));
  open.push(socket);
  return socket;
}

/** The first event of that name that is so, heard already or soon. */
const event = async (socket, name, is = () => true) =>
  (await until(name, () => socket.heard.find((told) => told.event === name && is(told.body)))).body;

/** Whether it was let in, else the message it was refused with. */
const entrance = (socket) => new Promise((resolve) => {
  socket.on("connect", () => resolve("in"));
  socket.on("connect_error", ({ message }) => resolve(message));
});

let number = 10;
const freshSalon = async () => {
  const salon = await world.addSalon(++number);
  return { ...salon, ...await world.register(salon.id) };
};

for (const transport of ["websocket", "polling"]) {
  describe(`over ${transport}`, () => {
    const carriers = {
      "in the header": (token) => ({ headers: { Authorization: `Bearer ${token}` } }),
      "in auth": (token) => ({ token }),
      "in the address": (token) => ({ query: { token } }),
    };
    for (const [where, carry] of Object.entries(carriers)) {
      test(`a token ${where} is a ticket`, async () => {
        const { token } = await freshSalon();
        const socket = socketOf("/marketplace", { transport, ...carry(token) });
        assert.equal(await entrance(socket), "in");
        const { qr, expiresIn, code } = await event(socket, "qr-update");
        assert.match(qr, /^data:image\/png;base64,/);
        assert.ok(expiresIn > 0 && expiresIn <= 60, `${expiresIn} s`);
        assert.match(code, /^2@.+,.+,.+,/);
        assert.equal(typeof (await event(socket, "status")).status, "string");
      });
    }

    test("the header goes before auth, and auth before the address", async () => {
      const { token } = await freshSalon();
      const wrong = { headers: { Authorization: "Bearer wrong" }, token };
      assert.notEqual(await entrance(socketOf("/marketplace", { transport, ...wrong })), "in");
      assert.equal(await entrance(socketOf("/marketplace", { transport, token, query: { token: "wrong" } })), "in");
    });

    for (const [what, ticket] of [["a wrong token", { token: "wrong" }], ["no token", {}]]) {
      test(`${what} is refused in plain words`, async () => {
        for (const namespace of ["/marketplace", "/whatsapp"]) {
          const message = await entrance(socketOf(namespace, { transport, ...ticket }));
          assert.match(message, /^[А-Я][а-яё ,.«»–]+/, message);
        }
      });
    }

    test("a foreign page is refused, YClients' is not", async () => {
      const { token } = await freshSalon();
      const at = (Origin) => entrance(socketOf("/marketplace", { transport, token, headers: { Origin } }));
      for (const foreign of ["https://evil.example", "https://yclients.com.evil.example", "null"])
        assert.match(await at(foreign), /^(websocket error|xhr poll error)$/, foreign);
      for (const known of ["https://yclients.com", "https://b123.yclients.com", world.product]) assert.equal(await at(known), "in", known);
    });

    test("an address has five sockets a minute, and another one its own five", async () => {
      const { token } = await freshSalon();
      const [busy, other] = [world.address(), world.address()];
      for (let each = 1; each <= 5; each++) assert.equal(await entrance(socketOf("/marketplace", { transport, token, from: busy })), "in", `${each}`);
      assert.notEqual(await entrance(socketOf("/marketplace", { transport, token, from: busy })), "in");
      assert.equal(await entrance(socketOf("/marketplace", { transport, token, from: other })), "in");
    });

    test("a salon is linked by QR, told so, and its first sync is watched", async () => {
      const salon = await freshSalon();
      const socket = socketOf("/marketplace", { transport, token: salon.token });
      const { code } = await event(socket, "qr-update");
      await world.post(`/salons/${salon.id}/phone/link`, { qr: code });
      const linked = await event(socket, "whatsapp-connected");
      assert.equal(linked.success, true);
      assert.equal(linked.phone, salon.phone);
      assert.equal((await event(socket, "status", ({ connected }) => connected)).status, "connected");

      const { status, body } = await world.activate(salon.token);
      assert.deepEqual([status, body.success, body.company_id], [200, true, linked.companyId]);
      const whole = await event(socket, "sync-progress", ({ module, done, total }) => module === "services" && done === total);
      assert.equal(whole.total, salon.services.length);
    });

    test("a salon is linked by a code", async () => {
      const salon = await freshSalon();
      const socket = socketOf("/marketplace", { transport, token: salon.token });
      await event(socket, "qr-update");
      const [, area, rest] = salon.phone.match(/^7(...)(.*)$/);
      socket.emit("request-pairing-code", { phoneNumber: `8 (${area}) ${rest}` });
      const { code, phoneNumber, expiresIn } = await event(socket, "pairing-code");
      assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
      assert.equal(phoneNumber, salon.phone);
      assert.ok(expiresIn > 0 && expiresIn <= 60, `${expiresIn} s`);
      await world.post(`/salons/${salon.id}/phone/link`, { code });
      await event(socket, "whatsapp-connected");
    });
  });
}

test("what cannot be done is told as an error", async () => {
  const { token } = await freshSalon();
  const socket = socketOf("/marketplace", { token });
  await event(socket, "qr-update");
  socket.emit("request-pairing-code", { phoneNumber: "123" });
  assert.match((await event(socket, "error")).message, /номер/i);
});

test("a fresh QR is given to whoever asks", async () => {
  const { token } = await freshSalon();
  const socket = socketOf("/marketplace", { token });
  await event(socket, "qr-update");
  socket.heard.length = 0;
  socket.emit("request-qr");
  assert.match((await event(socket, "qr-update")).qr, /^data:image\/png;base64,/);
});

test("a fresh QR comes within two seconds when all have run out", async () => {
  const salon = await freshSalon();
  await world.call("PUT", "/whatsapp", { qr_first_ms: 300, qr_next_ms: 100 });
  try {
    const socket = socketOf("/marketplace", { token: salon.token });
    const { code: old } = await event(socket, "qr-update");
    // The sixth and last has run out, and WhatsApp has closed the connection that they were for.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await world.call("PUT", "/whatsapp", { qr_first_ms: 60_000, qr_next_ms: 20_000 });
    socket.heard.length = 0;
    const asked = Date.now();
    socket.emit("request-qr");
    const { code } = await event(socket, "qr-update");
    assert.ok(Date.now() - asked <= 2000, `${Date.now() - asked} ms`);
    assert.notEqual(code, old);
    await world.post(`/salons/${salon.id}/phone/link`, { qr: code });
    await event(socket, "whatsapp-connected");
  } finally {
    await world.call("PUT", "/whatsapp", { qr_first_ms: 60_000, qr_next_ms: 20_000 });
  }
});

test("who comes later is told at once how things stand", async () => {
  const salon = await world.onboarded(++number);
  const { token } = await world.register(salon.id);
  const [page, older] = ["/marketplace", "/whatsapp"].map((namespace) => socketOf(namespace, { token }));
  assert.deepEqual([(await event(page, "status")).status, (await event(page, "whatsapp-connected")).companyId], ["connected", salon.company_id]);
  assert.equal((await event(older, "connected")).name, salon.title);
  assert.equal(page.heard.some((told) => told.event === "qr-update"), false, "there is nothing to scan");
});

const faults = (salon, order) => world.post("/faults", { target: "whatsapp", salon: salon.id, ...order });
for (const [status, bring] of Object.entries({
  logged_out: (salon) => world.post(`/salons/${salon.id}/phone/unlink`),
  replaced: (salon) => faults(salon, { kind: "replaced" }),
  connecting: (salon) => world.post(`/salons/${salon.id}/phone/offline`),
  banned: (salon) => faults(salon, { kind: "status", status: 402 }),
  outdated: (salon) => faults(salon, { kind: "status", status: 405 }),
})) {
  test(`a session that becomes ${status} is told with a reason`, async () => {
    const salon = await world.onboarded(++number);
    const socket = socketOf("/marketplace", { token: (await world.register(salon.id)).token });
    await event(socket, "status", ({ connected }) => connected);
    try {
      await bring(salon);
      const told = await event(socket, "status", (now) => now.status === status);
      assert.match(told.reason, /[А-Яа-яё]{3}.*\.$/);
      assert.equal(told.connected, false);
    } finally {
      await world.call("DELETE", "/faults");
    }
  });
}

test("what makes no sense harms nobody", async () => {
  const { token } = await freshSalon();
  assert.equal(await entrance(socketOf("/nowhere", { token })), "Invalid namespace");
  for (const auth of [{ token: 5 }, { token: null }, "token", []]) {
    const socket = io(`${world.product}/marketplace`, { forceNew: true, reconnection: false, transports: ["websocket"], auth, extraHeaders: { "X-Forwarded-For": world.address() } });
    open.push(socket);
    assert.match(await entrance(socket), /[а-яё]{3}/, JSON.stringify(auth));
  }
  const socket = socketOf("/marketplace", { token });
  await event(socket, "qr-update");
  for (const body of [[], [null], ["79161234567"], [{ phoneNumber: 79161234567 }], [{ phone: "79161234567" }]]) socket.emit("request-pairing-code", ...body);
  socket.emit("no-such-event", { a: 1 });
  await until("five errors", () => socket.heard.filter((told) => told.event === "error").length === 5);
  socket.heard.length = 0;
  socket.emit("request-qr", { never: "mind" });
  await event(socket, "qr-update");
});

test("a token in the address is remarked upon in the log", async () => {
  const { token } = await freshSalon();
  const remarks = () => [...world.log.matchAll(/WARN.*token in the address/g)].length;
  const before = remarks();
  assert.equal(await entrance(socketOf("/marketplace", { token })), "in");
  assert.equal(remarks(), before);
  assert.equal(await entrance(socketOf("/marketplace", { query: { token } })), "in");
  await until("the remark", () => remarks() === before + 1);
  assert.ok(!world.log.includes(token), "and stands in it nowhere");
});

test("origins are the configured ones, or any in development", async () => {
  for (const [env, origin, expected] of [
    [{ ALLOWED_ORIGINS: "https://friends.example,https://more.example" }, "https://more.example", "in"],
    [{ ALLOWED_ORIGINS: "https://friends.example" }, "https://evil.example", "websocket error"],
    [{ ENVIRONMENT: "development" }, "https://evil.example", "in"],
  ]) {
    const other = await World.start({ env });
    try {
      await other.addSalon(1);
      const { token } = await other.register(1);
      const socket = io(`${other.product}/marketplace`, { forceNew: true, reconnection: false, transports: ["websocket"], auth: { token }, extraHeaders: { Origin: origin } });
      open.push(socket);
      assert.equal(await entrance(socket), expected, JSON.stringify(env));
    } finally {
      await other.stop();
    }
  }
});

test("the older namespace speaks its own words", async () => {
  const salon = await freshSalon();
  const socket = socketOf("/whatsapp", { token: salon.token });
  assert.equal(await entrance(socket), "in");
  socket.emit("request-qr");
  const { code } = await event(socket, "qr");
  await world.post(`/salons/${salon.id}/phone/link`, { qr: code });
  const { phone, name } = await event(socket, "connected");
  assert.equal(phone, salon.phone);
  assert.equal(name, salon.title);
  socket.emit("request-qr");
  assert.match((await event(socket, "error")).message, /[а-яё]/i);
  assert.equal(socket.heard.some((told) => ["qr-update", "whatsapp-connected", "status"].includes(told.event)), false);
});

test("a salon sees its own news only", async () => {
  const [one, two] = [await freshSalon(), await freshSalon()];
  const sockets = [one, two].map(({ token }) => ["/marketplace", "/whatsapp"].map((namespace) => socketOf(namespace, { token })));
  const codes = await Promise.all(sockets.map(async ([page]) => (await event(page, "qr-update")).code));
  assert.notEqual(codes[0], codes[1]);
  await world.post(`/salons/${one.id}/phone/link`, { qr: codes[0] });
  await event(sockets[0][0], "whatsapp-connected");
  await world.activate(one.token);
  await event(sockets[0][0], "sync-progress", ({ module, done, total }) => module === "services" && done === total);
  // The second salon is linked last, so whatever was meant for the first has arrived everywhere by now.
  await world.post(`/salons/${two.id}/phone/link`, { qr: (await event(sockets[1][0], "qr-update")).code });
  await event(sockets[1][0], "whatsapp-connected");
  const foreign = (heard, { phone }, qr) => heard.filter(({ body }) => {
    const told = JSON.stringify(body ?? null);
    return told.replace(/\D/g, "").includes(phone) || told.includes(qr);
  });
  for (const socket of sockets[1]) {
    assert.deepEqual(foreign(socket.heard, one, codes[0]), []);
    assert.equal(socket.heard.some((told) => told.event === "sync-progress"), false);
  }
  for (const socket of sockets[0]) assert.deepEqual(foreign(socket.heard, two, codes[1]), []);
});

test("whoever comes without a transport hears what the official server says", async () => {
  const answer = await fetch(`${world.product}/socket.io/`);
  assert.equal(answer.status, 400);
  assert.deepEqual(await answer.json(), { code: 0, message: "Transport unknown" });
});

test("a foreign origin hears it in the official server's words", async () => {
  const answer = await fetch(`${world.product}/socket.io/?EIO=4&transport=polling`, { headers: { Origin: "https://evil.example" } });
  assert.equal(answer.status, 403);
  assert.deepEqual(await answer.json(), { code: 4, message: "Forbidden" });
});

test("the official client is served", async () => {
  const answer = await fetch(`${world.product}/socket.io/socket.io.js`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type"), /javascript/);
  assert.match((await answer.text()).slice(0, 200), /Socket\.IO v4/);
});
