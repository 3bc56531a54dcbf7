// From the marketplace to an active salon over HTTP, as another program calls it: the contract's rows one by one.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import jsQR from "jsqr";
import sharp from "sharp";
import { NOW, OPERATOR_KEY, World, until } from "./support/world.mjs";

let world, number = 500;
before(async () => { world = await World.start(); });
after(() => world.stop());

/** A call of the product; `key` is an API key, `token` a registration's. */
async function ask(method, path, { token, key, body, headers = {}, from = world } = {}) {
  const answer = await fetch(`${from.product}${path}`, {
    method, redirect: "manual",
    headers: {
      ...(token && { Authorization: `Bearer ${token}` }), ...(key && { "X-API-Key": key }),
      ...(body !== undefined && { "Content-Type": "application/json" }), ...headers,
    },
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  const type = answer.headers.get("content-type") ?? "";
  return { status: answer.status, headers: answer.headers, text, body: type.startsWith("application/json") ? JSON.parse(text) : undefined };
}
const refused = ({ status, body }) => {
  assert.equal(body.success, false);
  assert.match(body.message, /[А-Яа-яё]{3}/, "for a person");
  return [status, body.error];
};
const freshSalon = async (from = world) => {
  const salon = await from.addSalon(++number);
  return { ...salon, ...await from.register(salon.id) };
};
const link = (salon, body, from = world) => from.post(`/salons/${salon.id}/phone/link`, body);
async function scanned(dataUrl) {
  const { data, info } = await sharp(Buffer.from(dataUrl.replace(/^data:image\/png;base64,/, ""), "base64")).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return jsQR(Uint8ClampedArray.from(data), info.width, info.height).data;
}
const session = (salon) => ask("GET", `/marketplace/api/status/company_${salon.id}`, { token: salon.token });
const becomes = (salon, status) => until(`the session is ${status}`, async () => {
  const { body } = await session(salon);
  return body.status === status && body;
});
/** With its phone linked, not yet active. */
async function linkedSalon(from = world) {
  const salon = await freshSalon(from);
  const { body } = await ask("POST", "/marketplace/api/qr", { token: salon.token, from });
  await link(salon, { qr: await scanned(body.qr) }, from);
  await until("it is linked", async () => (await ask("GET", `/marketplace/api/status/company_${salon.id}`, { token: salon.token, from })).body.connected);
  return salon;
}
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const company = (salon) => ask("GET", `/marketplace/status/${claims(salon.token).company_id}`, { token: salon.token });
const activate = (salon, from = world) => ask("POST", "/marketplace/activate", { body: { token: salon.token }, from });

describe("the redirect", () => {
  test("leads to the page with a token of the contract's claims", async () => {
    const salon = await world.addSalon(++number);
    const { redirect_url } = await world.post(`/salons/${salon.id}/connect`);
    const url = new URL(redirect_url);
    const answer = await ask("GET", `${url.pathname}${url.search}`);
    assert.equal(answer.status, 302);
    const [, token] = answer.headers.get("location").match(/^\/marketplace\/onboarding\?token=([\w-]+\.[\w-]+\.[\w-]+)$/);
    const { company_id, salon_id, type, user_data, iat, exp } = claims(token);
    assert.deepEqual([salon_id, type, exp - iat, iat >= Date.parse(NOW) / 1000], [salon.id, "marketplace_registration", 3600, true]);
    assert.ok(Number.isInteger(company_id));
    assert.deepEqual(Object.keys(user_data).sort(), ["user_email", "user_id", "user_name", "user_phone"]);
    assert.equal(JSON.parse(Buffer.from(token.split(".")[0], "base64url")).alg, "HS256");
  });

  test("takes who comes from the older dialect, too, where nobody has signed", async () => {
    const salon = await world.addSalon(++number);
    await world.post(`/salons/${salon.id}/connect`);
    const who = { user_id: "77", user_name: "Ольга", user_phone: "79161234567", user_email: "olga@example.ru" };
    for (const path of ["/auth/yclients/redirect", "/marketplace/register"]) {
      const { status, headers } = await ask("GET", `${path}?${new URLSearchParams({ salon_id: salon.id, ...who })}`);
      assert.equal(status, 302);
      assert.deepEqual(claims(headers.get("location").split("token=")[1]).user_data, who);
    }
  });

  test("of a salon that was active wants a right signature", async () => {
    const salon = await world.onboarded(++number);
    const bare = await ask("GET", `/auth/yclients/redirect?salon_id=${salon.id}`);
    assert.deepEqual([bare.status, /из YClients/.test(bare.text)], [403, true]);
    assert.ok((await world.register(salon.id)).token, "signed it is let in");
  });

  test("tells a salon where nothing is installed so, on a page", async () => {
    const salon = await world.addSalon(++number);
    const { status, headers, text } = await ask("GET", `/auth/yclients/redirect?salon_id=${salon.id}`);
    assert.deepEqual([status, headers.get("content-type")], [409, "text/html; charset=utf-8"]);
    assert.match(text, /<h1>[^<]+<\/h1>[^]*<a [^>]*href=/);
  });

  for (const [what, fault, status] of [
    ["busy", { kind: "rate_limit" }, 503], ["silent", { kind: "timeout", delay_ms: 50 }, 503],
    ["broken", { kind: "status", status: 500 }, 502], ["refusing", { kind: "status", status: 401 }, 502],
  ]) {
    test(`says so where YClients is ${what}`, async () => {
      const salon = await world.addSalon(++number);
      const { redirect_url } = await world.post(`/salons/${salon.id}/connect`);
      await world.post("/faults", { target: "yclients", match: `GET /api/v1/company/${salon.id}`, times: 20, ...fault });
      try {
        const { pathname, search } = new URL(redirect_url);
        const answer = await ask("GET", `${pathname}${search}`);
        assert.deepEqual([answer.status, /<h1>/.test(answer.text)], [status, true]);
        if (status === 503) assert.match(answer.text, /Попробовать ещё раз/);
      } finally {
        await world.call("DELETE", "/faults");
      }
    });
  }
});

describe("codes", () => {
  test("a QR lasts as long as it says, and the phone that scans it is linked", async () => {
    const salon = await freshSalon();
    const { status, body } = await ask("POST", "/marketplace/api/qr", { token: salon.token });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), ["expires_in", "qr", "session_id", "success"]);
    assert.deepEqual([body.success, body.session_id], [true, `company_${salon.id}`]);
    assert.ok(Number.isInteger(body.expires_in) && body.expires_in > 0 && body.expires_in <= 60, `${body.expires_in} s`);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { body: later } = await ask("GET", `/marketplace/qr/${salon.token}`);
    assert.deepEqual([later.qr, later.session_id], [body.qr, body.session_id]);
    assert.ok(later.expires_in < body.expires_in, "what remains is told");
    await link(salon, { qr: await scanned(later.qr) });
    const now = await becomes(salon, "connected");
    assert.deepEqual([now.success, now.connected, now.session_id, now.phone], [true, true, `company_${salon.id}`, salon.phone]);
    for (const again of [
      await ask("POST", "/marketplace/api/qr", { token: salon.token }),
      await ask("GET", `/marketplace/qr/${salon.token}`),
      await ask("POST", "/marketplace/api/pairing-code", { token: salon.token, body: { phoneNumber: salon.phone } }),
    ]) assert.deepEqual(refused(again), [409, "already_connected"]);
  });

  test("a fresh QR comes within two seconds when all have run out", async () => {
    const salon = await freshSalon();
    await world.call("PUT", "/whatsapp", { qr_first_ms: 300, qr_next_ms: 100 });
    try {
      const { body: first } = await ask("POST", "/marketplace/api/qr", { token: salon.token });
      // The sixth and last has run out, and WhatsApp has closed the connection that they were for.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await world.call("PUT", "/whatsapp", { qr_first_ms: 60_000, qr_next_ms: 20_000 });
      const began = Date.now();
      const { status, body } = await ask("POST", "/marketplace/api/qr", { token: salon.token });
      assert.deepEqual([status, body.qr !== first.qr], [200, true]);
      assert.ok(Date.now() - began <= 2000, `${Date.now() - began} ms`);
      await link(salon, { qr: await scanned(body.qr) });
    } finally {
      await world.call("PUT", "/whatsapp", { qr_first_ms: 60_000, qr_next_ms: 20_000 });
    }
  });

  test("a pairing code is given for any usual writing of a number, and for five numbers a minute", async () => {
    const salon = await freshSalon();
    const [, area, a, b, c] = salon.phone.match(/^7(...)(...)(..)(..)$/);
    const codes = new Set();
    const writings = [`8 ${area} ${a} ${b} ${c}`, `+7 (${area}) ${a}-${b}-${c}`, salon.phone, `8${area}${a}${b}${c}`, `${area}${a}${b}${c}`, `8-${area}-${a}-${b}-${c}`, `+${salon.phone}`];
    for (const phoneNumber of writings) {
      const { status, body } = await ask("POST", "/marketplace/api/pairing-code", { token: salon.token, body: { phoneNumber } });
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual(Object.keys(body).sort(), ["code", "expires_in", "phoneNumber", "success"]);
      assert.match(body.code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
      assert.deepEqual([body.phoneNumber, body.expires_in > 0 && body.expires_in <= 60], [salon.phone, true]);
      codes.add(body.code);
    }
    assert.equal(codes.size, 1, "one code while it holds");
    for (let other = 1; other <= 4; other++) {
      const { status } = await ask("POST", "/marketplace/api/pairing-code", { token: salon.token, body: { phoneNumber: `7916000000${other}` } });
      assert.equal(status, 200, `number ${other + 1}`);
    }
    const sixth = await ask("POST", "/marketplace/api/pairing-code", { token: salon.token, body: { phoneNumber: salon.phone } });
    assert.deepEqual([...refused(sixth), sixth.headers.get("retry-after")], [429, "too_many_requests", "60"], "WhatsApp bans who asks too often");
  });

  test("a phone that types a pairing code is linked", async () => {
    const salon = await freshSalon();
    const { body } = await ask("POST", "/marketplace/api/pairing-code", { token: salon.token, body: { phoneNumber: salon.phone } });
    await link(salon, { code: body.code });
    await becomes(salon, "connected");
  });

  test("what is no number, or no request, gets no code", async () => {
    const { token } = await freshSalon();
    const code = (body, headers) => ask("POST", "/marketplace/api/pairing-code", { token, body, headers });
    for (const phoneNumber of ["", "123", "позвоните", "+", "7".repeat(50)]) assert.deepEqual(refused(await code({ phoneNumber })), [400, "invalid_phone"], phoneNumber);
    for (const body of ["{", "[]", "{}", "null", "", { phoneNumber: null }, { phoneNumber: 79161234567 }])
      assert.deepEqual(refused(await code(body)), [400, "invalid_body"], JSON.stringify(body));
    assert.deepEqual(refused(await code(JSON.stringify({ phoneNumber: "x".repeat(70_000) }))), [413, "too_large"]);
    const plain = await code({ phoneNumber: "8 916 123-45-67" }, { "Content-Type": "text/plain" });
    assert.equal(plain.status, 200, "JSON is JSON, whatever it is called");
  });

  test("nobody is served without a token, or by another method", async () => {
    const { token } = await freshSalon();
    for (const [method, path] of [["POST", "/marketplace/api/qr"], ["POST", "/marketplace/api/pairing-code"], ["GET", "/marketplace/api/status/company_1"], ["GET", "/marketplace/status/1"]]) {
      const body = method === "POST" ? {} : undefined;
      for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: `Basic ${token}` }, { Authorization: token }])
        assert.deepEqual(refused(await ask(method, path, { body, headers })), [401, "invalid_token"], `${path} ${JSON.stringify(headers)}`);
      const [other, allowed] = method === "POST" ? ["GET", "POST"] : ["POST", "GET,HEAD"];
      const wrong = await ask(other, path, { token });
      assert.deepEqual([...refused(wrong), wrong.headers.get("allow")], [405, "method_not_allowed", allowed], path);
    }
    assert.deepEqual(refused(await ask("GET", "/marketplace/qr/wrong")), [401, "invalid_token"]);
    const lower = await ask("POST", "/marketplace/api/qr", { headers: { Authorization: `bearer ${token}` } });
    assert.equal(lower.status, 200, "the scheme's name has no case");
  });
});

describe("statuses", () => {
  test("of a salon are its own to see", async () => {
    const [one, two] = [await freshSalon(), await freshSalon()];
    assert.deepEqual(refused(await ask("GET", `/marketplace/api/status/company_${two.id}`, { token: one.token })), [403, "forbidden"]);
    const id = claims(two.token).company_id;
    assert.deepEqual(refused(await ask("GET", `/marketplace/status/${id}`, { token: one.token })), [403, "forbidden"]);
    assert.deepEqual(refused(await ask("GET", `/marketplace/status/${id}`, { key: "wrong" })), [401, "unauthorized"]);
    const smuggled = await ask("GET", `/marketplace/onboarding?token=${one.token}&company_id=${id}&salon_id=${two.id}`);
    assert.ok(smuggled.text.includes(`company_${one.id}`) && !smuggled.text.includes(`company_${two.id}`), "the company is the token's");
    const { status, body } = await ask("GET", `/marketplace/status/${id}`, { key: OPERATOR_KEY });
    assert.deepEqual([status, body], [200, {
      success: true, company_id: id, whatsapp_connected: false, whatsapp_phone: null, integration_status: "pending_whatsapp", connected_at: null,
    }]);
  });

  const fault = (salon, order) => world.post("/faults", { target: "whatsapp", salon: salon.id, ...order });
  /** Drops the connection, so that the next login meets what was ordered. */
  const again = async (salon) => {
    await world.post(`/salons/${salon.id}/phone/offline`);
    await world.post(`/salons/${salon.id}/phone/online`);
  };
  const ways = {
    logged_out: (salon) => world.post(`/salons/${salon.id}/phone/unlink`),
    replaced: (salon) => fault(salon, { kind: "replaced" }),
    banned: async (salon) => { await fault(salon, { kind: "status", status: 402 }); await again(salon); },
    outdated: async (salon) => { await fault(salon, { kind: "status", status: 405 }); await again(salon); },
    connecting: (salon) => world.post(`/salons/${salon.id}/phone/offline`),
    restricted: async (salon) => {
      await fault(salon, { kind: "nack", status: 463, times: 5 });
      await world.operator("POST", "/api/send-message", { company_id: claims(salon.token).company_id, phone: "79163330009", message: "Здравствуйте!" });
    },
  };
  for (const [status, bring] of Object.entries(ways)) {
    test(`a session that is ${status} says why`, async () => {
      const salon = await linkedSalon();
      await activate(salon);
      try {
        await bring(salon);
        const now = await becomes(salon, status);
        assert.match(now.reason, /[А-Яа-яё]{3}.*\.$/);
        assert.equal(now.connected, status === "restricted", "who is restricted is online");
        if (status === "banned") assert.ok(!Number.isNaN(Date.parse(now.until)));
      } finally {
        await world.call("DELETE", "/faults");
        await world.post(`/salons/${salon.id}/phone/online`);
      }
    });
  }

  test("a session for which WhatsApp asks a passkey says so", async () => {
    const salon = await freshSalon();
    await world.post(`/salons/${salon.id}/phone/passkey`, { required: true });
    const { body } = await ask("POST", "/marketplace/api/qr", { token: salon.token });
    link(salon, { qr: await scanned(body.qr) }).catch(() => {});
    assert.match((await becomes(salon, "passkey_required")).reason, /passkey/);
  });
});

describe("activation", () => {
  test("wants WhatsApp, and tells the same each time after", async () => {
    const salon = await freshSalon();
    assert.deepEqual(refused(await activate(salon)), [409, "whatsapp_not_connected"]);
    const linked = await linkedSalon();
    const began = Date.now();
    const { status, body } = await activate(linked);
    assert.ok(Date.now() - began <= 3000, `${Date.now() - began} ms`);
    assert.deepEqual([status, Object.keys(body).sort()], [200, ["company_id", "message", "salon_id", "success", "yclients_response"]]);
    assert.deepEqual([body.success, body.salon_id, body.company_id], [true, linked.id, claims(linked.token).company_id]);
    assert.deepEqual((await activate(linked)).body, body);
    const { body: now } = await company(linked);
    assert.deepEqual([now.integration_status, now.whatsapp_connected, now.whatsapp_phone], ["active", true, linked.phone]);
    assert.ok(Math.abs(Date.parse(now.connected_at) - Date.parse(NOW)) < 3600_000, now.connected_at);
    const told = (await world.call("GET", "/requests?target=yclients")).filter(({ path }) => path.startsWith("/marketplace/partner/callback"));
    assert.equal(told.at(-1).status, 201);
  });

  test("greets the salon in its own chat, once", async () => {
    const salon = await linkedSalon();
    await activate(salon);
    const greeting = await until("the greeting", async () => (await world.chat(salon.phone, salon.id))[0]);
    for (const words of [/на смене/, /запишу, перенесу или отменю/, /замолчал/]) assert.match(greeting.text, words);
    await activate(salon);
    await world.post("/settle");
    assert.equal((await world.chat(salon.phone, salon.id)).length, 1);
  });

  for (const [what, fault, error] of [
    ["refuses", { kind: "status", status: 403 }, "activation_failed"],
    ["does not answer and has not done it", { kind: "timeout", delay_ms: 50 }, "activation_failed"],
    ["breaks", { kind: "status", status: 500 }, "activation_failed"],
  ]) {
    test(`says so where the marketplace ${what}, and tries anew`, async () => {
      const salon = await linkedSalon();
      await world.post("/faults", { target: "yclients", match: "POST /marketplace/partner/callback", times: 5, ...fault });
      try {
        const failed = await activate(salon);
        assert.deepEqual(refused(failed), [502, error]);
        assert.equal((await company(salon)).body.integration_status, "activation_failed");
      } finally {
        await world.call("DELETE", "/faults");
      }
      assert.equal((await activate(salon)).status, 200);
      assert.equal((await company(salon)).body.integration_status, "active");
    });
  }

  test("whose answer never came is settled by what the marketplace holds", async () => {
    const salon = await linkedSalon();
    await world.post("/faults", { target: "yclients", match: "POST /marketplace/partner/callback", kind: "timeout_after_commit", delay_ms: 50 });
    assert.equal((await activate(salon)).status, 200);
    assert.equal((await company(salon)).body.integration_status, "active");
  });

  test("that the marketplace holds for done already is settled by what it holds, too", async () => {
    const salon = await linkedSalon();
    await world.post("/faults", { target: "yclients", match: "POST /marketplace/partner/callback", kind: "timeout_after_commit", delay_ms: 50 });
    await world.post("/faults", { target: "yclients", match: `GET /marketplace/salon/${salon.id}/application`, kind: "status", status: 500, times: 20 });
    try {
      assert.deepEqual(refused(await activate(salon)), [502, "activation_failed"], "nobody can tell");
    } finally {
      await world.call("DELETE", "/faults");
    }
    assert.equal((await activate(salon)).status, 200);
    const told = (await world.call("GET", "/requests?target=yclients")).filter(({ path }) => path.startsWith("/marketplace/partner/callback"));
    assert.ok(told.at(-1).status >= 400, "it said that it is done already");
    assert.equal((await company(salon)).body.integration_status, "active");
  });

  test("is written down before the marketplace hears of it", async () => {
    const salon = await linkedSalon();
    await world.post("/faults", { target: "yclients", match: "POST /marketplace/partner/callback", kind: "timeout_after_commit", delay_ms: 1000 });
    const asked = activate(salon);
    await until("it is under way", async () => (await company(salon)).body.integration_status === "activating");
    assert.equal((await asked).status, 200);
  });

  test("by the redirecting callback follows no redirect", async () => {
    const other = await World.start({ env: { YCLIENTS_CALLBACK: "redirect" } });
    try {
      const salon = await linkedSalon(other);
      assert.equal((await activate(salon, other)).status, 200);
      const told = (await other.call("GET", "/requests?target=yclients")).filter(({ path }) => path.includes("/callback"));
      assert.deepEqual(told.map(({ method, path, status }) => [method, path, status]), [["POST", "/marketplace/partner/callback/redirect", 301]]);
    } finally {
      await other.stop();
    }
  });

  test("of a salon that the operator registered keeps its key, and goes by the older names", async () => {
    const salon = await world.addSalon(++number);
    await world.post(`/salons/${salon.id}/connect`);
    const register = (body, key = OPERATOR_KEY) => ask("POST", "/marketplace/register", { key, body });
    assert.deepEqual(refused(await register({ salon_id: salon.id }, null)), [401, "unauthorized"]);
    for (const [body, field] of [[{}, "salon_id"], [{ salon_id: "x" }, "salon_id"], [{ salon_id: -1 }, "salon_id"], [{ salon_id: 1.5 }, "salon_id"],
      [{ salon_id: salon.id, phone: 5 }, "phone"], [{ salon_id: salon.id, email: "нет" }, "email"], [{ salon_id: salon.id, email: 5 }, "email"]]) {
      const answer = await register(body);
      assert.deepEqual([...refused(answer), Object.keys(answer.body.fields)], [400, "invalid_fields", [field]], JSON.stringify(body));
    }
    const { status, body } = await register({ salon_id: salon.id, phone: "8 916 123-45-67", email: "a@example.ru" });
    assert.deepEqual([status, Object.keys(body).sort()], [200, ["api_key", "company_id", "connect_url", "salon_id", "success"]]);
    assert.match(body.api_key, /^sk_[0-9a-f]{64}$/);
    assert.equal((await ask("GET", body.connect_url)).status, 200);
    const registered = { ...salon, token: body.connect_url.split("token=")[1] };
    const { body: code } = await ask("POST", "/marketplace/api/qr", { token: registered.token });

    const ids = { company_id: body.company_id, salon_id: salon.id };
    const callback = (more) => ask("POST", "/marketplace/callback", { body: { ...ids, status: "connected", whatsapp_phone: salon.phone, api_key: body.api_key, ...more } });
    assert.deepEqual(refused(await callback()), [409, "whatsapp_not_connected"]);
    await link(salon, { qr: await scanned(code.qr) });
    await becomes(registered, "connected");
    for (const wrong of [{ api_key: `sk_${"0".repeat(64)}` }, { salon_id: 1 }, { company_id: 1_000_000 }]) assert.deepEqual(refused(await callback(wrong)), [401, "unauthorized"]);
    const prepare = (more, body = ids) => ask("POST", "/marketplace/callback/prepare", { body, ...more });
    assert.equal((await prepare({})).status, 401);
    assert.equal((await prepare({ token: (await freshSalon()).token })).status, 403);
    assert.equal((await prepare({ key: OPERATOR_KEY }, { ...ids, salon_id: 1 })).status, 403);
    const answers = [await callback(), await prepare({ key: OPERATOR_KEY }), await prepare({ token: registered.token }), await activate(registered)];
    for (const answer of answers) assert.deepEqual([answer.status, answer.body], [200, answers[0].body]);
    const own = await ask("GET", `/marketplace/status/${body.company_id}`, { key: body.api_key });
    assert.deepEqual([own.status, own.body.integration_status], [200, "active"], "the key is the one from the registration");
    assert.equal((await register({ salon_id: salon.id })).body.api_key, body.api_key);
  });

  test("wants a token that is the product's", async () => {
    for (const token of ["", "wrong", "a.b.c"]) assert.deepEqual(refused(await ask("POST", "/marketplace/activate", { body: { token } })), [401, "invalid_token"]);
    for (const body of ["", "{", {}, { token: 5 }]) assert.deepEqual(refused(await ask("POST", "/marketplace/activate", { body })), [400, "invalid_body"]);
    assert.deepEqual(refused(await ask("GET", "/marketplace/activate")), [405, "method_not_allowed"]);
  });

  test("comes too late after an hour, and so does everything else of that registration", async () => {
    const salon = await linkedSalon();
    const { now } = await world.call("GET", "/clock");
    await world.call("PUT", "/clock", { now: new Date(Date.parse(now) + 61 * 60_000).toISOString() });
    assert.deepEqual(refused(await activate(salon)), [410, "registration_expired"]);
    assert.deepEqual(refused(await session(salon)), [401, "token_expired"]);
    assert.deepEqual(refused(await ask("POST", "/marketplace/api/qr", { token: salon.token })), [401, "token_expired"]);
    const page = await ask("GET", `/marketplace/onboarding?token=${salon.token}`);
    assert.deepEqual([page.status, /<h1>Ссылка устарела<\/h1>/.test(page.text)], [401, true]);
    const again = await world.register(salon.id);
    assert.equal((await activate({ ...salon, ...again })).status, 200, "whoever comes again goes on");
  });
});

test("who passes by finds a page, and programs the addresses", async () => {
  for (const path of ["/", "/marketplace/"]) {
    const landing = await ask("GET", path);
    assert.deepEqual([landing.status, landing.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
    assert.match(landing.text, /<h1>/);
  }
  const { body } = await ask("GET", "/marketplace/test");
  assert.deepEqual(Object.keys(body).sort(), ["endpoints", "message", "status", "success"]);
  assert.deepEqual([body.success, body.status, typeof body.endpoints], [true, "ok", "object"]);
});

test("health tells what is there and what is missing", async () => {
  const health = (await ask("GET", "/marketplace/health")).body;
  assert.deepEqual(Object.keys(health).sort(), ["dependencies", "environment", "missing", "services", "status", "timestamp"]);
  assert.deepEqual([health.status, health.missing, health.services], ["ok", [], { api_running: true, database_connected: true, whatsapp_pool_ready: true }]);
  const { partner_token, app_id, jwt_secret, base_url, version } = health.environment;
  assert.deepEqual([partner_token, app_id, jwt_secret, typeof base_url, typeof version], [true, true, true, "string", "string"]);
  for (const path of ["/livez", "/readyz"]) assert.equal((await ask("GET", path)).status, 200);
});
