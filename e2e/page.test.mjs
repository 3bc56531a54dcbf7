// The linking page in a real browser.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import { PHONE, launch, openWindow, readQr } from "./support/browser.mjs";
import { World, until } from "./support/world.mjs";

let browser, world, windows = [], number = 100;
before(async () => { [browser, world] = await Promise.all([launch(), World.start()]); });
afterEach(async () => { await Promise.all(windows.splice(0).map((window) => window.close())); });
after(async () => { await browser.close(); await world.stop(); });

const openNew = async (options) => {
  const window = await openWindow(browser, world, options);
  windows.push(window);
  return window;
};
const freshSalon = async () => {
  const salon = await world.addSalon(++number);
  return { ...salon, ...await world.register(salon.id) };
};
const heading = (page) => page.locator("h1:visible");
/** The page, or the frame with it, shows the success. */
const done = (page) => page.locator('[data-view="done"]').waitFor();
const scan = async (page, salon) => world.post(`/salons/${salon.id}/phone/link`, { qr: await readQr(page) });

/** Asks for a pairing code on the page, in a writing that people use, and types it into the phone. */
async function linkByCode(page, salon) {
  await page.getByRole("tab", { name: /код/i }).last().click();
  await page.getByRole("textbox").fill(salon.phone.replace(/^7(...)(...)(..)(..)$/, "8 ($1) $2-$3-$4"));
  await page.getByRole("button", { name: /получить код/i }).click();
  await world.post(`/salons/${salon.id}/phone/link`, { code: await shownCode(page) });
}
const shownCode = (page) => until("a code on the page", async () => (await page.locator("main").innerText()).match(/\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/)?.[0]);

test("from the marketplace's redirect to success by QR", async () => {
  const salon = await world.addSalon(++number);
  const { redirect_url } = await world.post(`/salons/${salon.id}/connect`);
  const { page, clean } = await openNew();
  await page.goto(redirect_url);
  assert.match(page.url(), /\/marketplace\/onboarding\?token=/);
  await scan(page, salon);
  await done(page);
  await page.getByText("Услуги").waitFor();
  assert.ok((await page.locator("main").innerText()).includes(salon.phone.replace(/^7(...)(...)(..)(..)$/, "+7 $1 $2-$3-$4")), "the page names the number");
  clean();
  assert.equal((await world.operator("GET", `/marketplace/companies?salon_id=${salon.id}`)).body.stats.connected >= 1, true);
});

test("by a code, at a phone's width", async () => {
  const salon = await freshSalon();
  const { page, clean } = await openNew({ viewport: PHONE, hasTouch: true, isMobile: true });
  await page.goto(salon.page);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
  await linkByCode(page, salon);
  await done(page);
  clean();
});

test("with the keyboard alone", async () => {
  const salon = await freshSalon();
  const { page, clean } = await openNew();
  await page.goto(salon.page);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute("role") ?? document.activeElement.tagName.toLowerCase());
  const tabTo = (wanted) => until(`the focus comes to ${wanted}`, async () => {
    if (await focused() === wanted) return true;
    await page.keyboard.press("Tab");
  }, 5000);
  await tabTo("tab");
  await page.keyboard.press("ArrowRight");
  await tabTo("input");
  await page.keyboard.type(`+${salon.phone}`);
  await page.keyboard.press("Enter");
  await world.post(`/salons/${salon.id}/phone/link`, { code: await shownCode(page) });
  await done(page);
  clean();
});

test("a number that is none is refused at the field", async () => {
  const salon = await freshSalon();
  const { page, clean } = await openNew();
  await page.goto(salon.page);
  await page.getByRole("tab", { name: /код/i }).last().click();
  await page.getByRole("textbox").fill("123");
  await page.getByRole("button", { name: /получить код/i }).click();
  assert.equal(await page.getByRole("textbox").getAttribute("aria-invalid"), "true");
  clean();
});

test("where sockets are blocked the page polls", async () => {
  const salon = await freshSalon();
  const { page, clean } = await openNew({ expected: [/WebSocket/, /ERR_FAILED/] });
  await page.routeWebSocket(/socket\.io/, (socket) => socket.close());
  await page.route(/socket\.io/, (route) => route.abort());
  await page.goto(salon.page);
  await scan(page, salon);
  await done(page);
  clean();
});

test("where sockets are blocked the page asks each second, and gives up after two minutes", async () => {
  const salon = await freshSalon();
  const { page, clean } = await openNew({ expected: [/WebSocket/, /ERR_FAILED/] });
  await page.clock.install();
  await page.routeWebSocket(/socket\.io/, (socket) => socket.close());
  let asked = 0;
  await page.route(/\/api\/status\//, (route) => { asked++; return route.continue(); });
  await page.goto(salon.page);
  await until("it polls", () => page.clock.runFor(1000).then(() => asked > 0));
  const before = asked;
  await page.clock.runFor(10_000);
  await until("ten more", () => asked >= before + 9);
  assert.ok(asked <= before + 11, `${asked - before} in ten seconds`);
  const trouble = page.locator('[data-view="trouble"]');
  await page.clock.runFor(90_000);
  assert.equal(await trouble.isVisible(), false, "not before the two minutes are over");
  await until("it gives up", () => page.clock.runFor(2000).then(() => trouble.isVisible()));
  await page.getByRole("button", { name: /ещё раз|заново|повтор/i }).click();
  await heading(page).filter({ hasText: "Подключите WhatsApp" }).waitFor();
  clean();
});

const unlinked = async (salon) => {
  await world.post(`/salons/${salon.id}/phone/unlink`);
  await until("the product knows", async () => (await world.operator("GET", `/marketplace/status/${salon.company_id}`)).body.whatsapp_connected === false);
};
const atWork = async () => {
  const salon = await world.onboarded(++number);
  return { ...salon, ...await world.register(salon.id) };
};
/** Opens the page as it was drawn before `meanwhile` happened. */
async function openTooLate(page, salon, meanwhile) {
  let stale;
  await page.route(/\/marketplace\/onboarding/, async (route) => {
    if (stale) return route.continue();
    const answer = await route.fetch();
    stale = await answer.text();
    assert.match(stale, /data-done="true"/);
    await meanwhile();
    return route.fulfill({ response: answer, body: stale });
  });
  await page.goto(salon.page);
}

test("a page opened in the moment of an unlink asks to link again", async () => {
  const salon = await atWork();
  const { page, clean } = await openNew();
  await openTooLate(page, salon, () => unlinked(salon));
  await heading(page).filter({ hasText: "заново" }).waitFor();
  await scan(page, salon);
  await done(page);
  clean();
});

test("so does one that comes when another page links already", async () => {
  const salon = await atWork();
  const [first, { page, clean }] = [await openNew(), await openNew()];
  await openTooLate(page, salon, async () => {
    await unlinked(salon);
    await first.page.goto(salon.page);
    await readQr(first.page);
  });
  await heading(page).filter({ hasText: "заново" }).waitFor();
  await readQr(page);
  clean();
});

test("and one that has no socket", async () => {
  const salon = await atWork();
  const { page, clean } = await openNew({ expected: [/WebSocket/, /ERR_FAILED/] });
  await page.routeWebSocket(/socket\.io/, (socket) => socket.close());
  await openTooLate(page, salon, () => unlinked(salon));
  await heading(page).filter({ hasText: "заново" }).waitFor();
  await scan(page, salon);
  await done(page);
  clean();
});

test("a page that shows success notices an unlink", async () => {
  const salon = await atWork();
  const { page, clean } = await openNew();
  await page.goto(salon.page);
  await done(page);
  await unlinked(salon);
  await heading(page).filter({ hasText: "заново" }).waitFor();
  clean();
});

for (const [what, order, words] of [
  ["another program took over", { kind: "replaced" }, /перехват|другая программа|другом/i],
  ["WhatsApp banned for a while", { kind: "status", status: 402 }, /заблокировал|блокиров/i],
  ["WhatsApp wants a newer client", { kind: "status", status: 405 }, /обновлени/i],
]) {
  test(`that ${what} is told on the page, with what to do`, async () => {
    const salon = await atWork();
    const { page, clean } = await openNew();
    await page.goto(salon.page);
    await done(page);
    try {
      await world.post("/faults", { target: "whatsapp", salon: salon.id, times: 3, ...order });
      const trouble = page.locator('[data-view="trouble"]');
      await trouble.waitFor();
      assert.match(await trouble.innerText(), words);
      assert.equal(await page.getByRole("button", { name: /ещё раз|заново|повтор/i }).isVisible(), true);
    } finally {
      await world.call("DELETE", "/faults");
    }
    clean();
  });
}

test("a number that serves another salon is refused on the page, with the reason", async () => {
  const [taken, salon] = [await atWork(), await freshSalon()];
  const { page, clean } = await openNew({ expected: [/status of 409/] });
  await page.goto(salon.page);
  await world.post(`/phones/${taken.phone}/link`, { qr: await readQr(page) });
  const trouble = page.locator('[data-view="trouble"]');
  await trouble.waitFor();
  assert.match(await trouble.innerText(), /номер/i);
  clean();
});

test("codes that have run out are replaced by themselves", async () => {
  const salon = await freshSalon();
  const { page, clean } = await openNew();
  await world.call("PUT", "/whatsapp", { qr_first_ms: 1000, qr_next_ms: 100 });
  try {
    await page.goto(salon.page);
    const old = await readQr(page);
    await world.call("PUT", "/whatsapp", { qr_first_ms: 60_000, qr_next_ms: 20_000 });
    const qr = await until("another code", async () => { const shown = await readQr(page); return shown !== old && shown; }, 60_000);
    await assert.rejects(world.post(`/salons/${salon.id}/phone/link`, { qr: old }), { status: 409 });
    await world.post(`/salons/${salon.id}/phone/link`, { qr });
    await done(page);
  } finally {
    await world.call("PUT", "/whatsapp", { qr_first_ms: 60_000, qr_next_ms: 20_000 });
  }
  clean();
});

test("a passkey that WhatsApp asks for is told honestly", async () => {
  const salon = await freshSalon();
  const { page, clean } = await openNew();
  await world.post(`/salons/${salon.id}/phone/passkey`, { required: true });
  await page.goto(salon.page);
  // The phone's owner has scanned; what is missing is a key that only WhatsApp's own page can ask for.
  scan(page, salon).catch(() => {});
  await page.locator('[data-view="trouble"]').waitFor();
  assert.match(await page.locator('[data-view="trouble"]').innerText(), /ключ|passkey/i);
  clean();
});

test("a second browser shows the same link and hears of the success", async () => {
  const salon = await freshSalon();
  const [first, second] = [await openNew(), await openNew({ viewport: PHONE })];
  await first.page.goto(salon.page);
  await second.page.goto(salon.page);
  await readQr(second.page);
  await scan(first.page, salon);
  await Promise.all([done(first.page), done(second.page)]);
  first.clean();
  second.clean();
});

test("who comes again finds it done", async () => {
  const salon = await world.onboarded(++number);
  const { page } = await world.register(salon.id);
  const window = await openNew();
  await window.page.goto(page);
  await done(window.page);
  window.clean();
});

test("an old link says so, and the page is a proper one", async () => {
  const salon = await freshSalon();
  const now = Math.floor(Date.parse((await world.call("GET", "/clock")).now) / 1000);
  const { page, clean } = await openNew({ expected: [/status of 40[01]/] });
  const [head, body] = salon.token.split(".");
  const old = { ...JSON.parse(Buffer.from(body, "base64url")), iat: now - 7200, exp: now - 3600 };
  const unsigned = `${head}.${Buffer.from(JSON.stringify(old)).toString("base64url")}`;
  const { jwt_secret } = await world.call("GET", "/secrets");
  const signature = createHmac("sha256", jwt_secret).update(unsigned).digest("base64url");
  for (const [token, status] of [[`${unsigned}.${signature}`, 401], ["nonsense", 401], ["", 400]]) {
    const answer = await page.goto(`${world.product}/marketplace/onboarding?token=${token}`);
    assert.equal(answer.status(), status);
    assert.equal(await heading(page).count(), 1);
    assert.ok(await page.getByRole("link").count() > 0, "there is a way on");
  }
  clean();
});

test("inside YClients' frame it works, inside a stranger's it does not", async () => {
  const salon = await freshSalon();
  // The frames' hosts are https and this product is not: that alone the browser may remark upon.
  for (const [host, allowed] of [["b77.yclients.com", true], ["evil.example", false]]) {
    const { context, page, faults } = await openNew({ expected: [/frame-ancestors/, /Mixed Content/] });
    await context.route(`https://${host}/**`, (route) => route.fulfill({ contentType: "text/html", body: `<iframe width="900" height="700" src="${salon.page}"></iframe>` }));
    const refused = allowed || page.waitForEvent("console", (message) => /frame-ancestors/.test(message.text()));
    await page.goto(`https://${host}/appearance`);
    const frame = page.frameLocator("iframe");
    await refused;
    if (!allowed) {
      await until("the frame shows nothing of ours", () => page.frames().some((each) => each.url().startsWith("chrome-error:")));
      continue;
    }
    await frame.getByRole("tab").first().waitFor();
    await world.post(`/salons/${salon.id}/phone/link`, { qr: await readQr(frame) });
    await done(frame);
    assert.deepEqual(faults.filter((fault) => !fault.includes(host)), []);
  }
});

test("the served client runs in the page, upgrade and all", async () => {
  const salon = await freshSalon();
  const { page, clean } = await openNew();
  await page.goto(`${world.product}/marketplace/`);
  await page.addScriptTag({ url: "/socket.io/socket.io.js" });
  const code = await page.evaluate((token) => new Promise((resolve, reject) => {
    const socket = io("/marketplace", { auth: { token } });
    socket.on("qr-update", ({ code }) => resolve(code));
    socket.on("connect_error", reject);
  }), salon.token);
  assert.match(code, /^2@/);
  clean();
});

test("the sandbox's chat page: a customer writes, the salon's calendar shows the booking", async () => {
  const salon = await world.onboarded(++number);
  const { page, clean } = await openNew();
  await page.goto(`${world.control}/#${salon.id}`);
  await page.getByRole("combobox").selectOption({ label: salon.title });
  await page.getByPlaceholder("Мария").fill("Варвара");
  await page.getByRole("button", { name: "Достать телефон" }).click();
  const phone = page.getByRole("article").filter({ hasText: "Варвара" });
  await phone.getByLabel("Сообщение").fill("Здравствуйте! Можно на женскую стрижку завтра в 15 к Вере?");
  await phone.getByRole("button", { name: "Отправить" }).click();
  await phone.getByText(/15:00/).last().waitFor();
  await page.locator("#sheet").getByText("Варвара").waitFor();
  clean();
});
