// Pictures of every page and state, on a desktop and on a phone, into docs/screens. What a page shows, the world has brought about.
import { mkdir, writeFile } from "node:fs/promises";
import { createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { DESKTOP, PHONE, launch, openWindow, readQr } from "./support/browser.mjs";
import { World, until } from "./support/world.mjs";

const FOLDER = fileURLToPath(new URL("../docs/screens/", import.meta.url));
const WIDTHS = { desktop: { viewport: DESKTOP }, phone: { viewport: PHONE, isMobile: true, hasTouch: true } };

await mkdir(FOLDER, { recursive: true });
const [browser, world] = await Promise.all([launch(), World.start()]);
let number = 1000;

/** A salon and the registration that its linking page is opened with. */
async function fresh(more) {
  const salon = await world.addSalon(++number, { title: "Студия «Ландыш»", ...more });
  return { ...salon, ...await world.register(salon.id) };
}

/** A salon that is at work, and a new registration of it. */
async function atWork() {
  const salon = await world.onboarded(++number, { title: "Студия «Ландыш»" });
  return { ...salon, ...await world.register(salon.id) };
}

async function picture(page, name, whole = true) {
  await page.evaluate(() => document.fonts.ready);
  // Nothing blinks or moves in a picture.
  const taken = await page.screenshot({ fullPage: whole, animations: "disabled", caret: "hide" });
  await writeFile(`${FOLDER}${name}.png`, await sharp(taken).png({ palette: true, colours: 64, effort: 10 }).toBuffer());
  console.log(name);
}

/** Takes one state at both widths; `prepare` brings the world about and the page to it. */
async function state(name, prepare, { whole = true } = {}) {
  if (process.argv[2] && !name.includes(process.argv[2])) return;
  for (const [width, options] of Object.entries(WIDTHS)) {
    await world.call("DELETE", "/faults");
    const window = await openWindow(browser, world, options);
    try {
      window.page.setDefaultTimeout(15_000);
      await prepare(window.page, window);
      await picture(window.page, `${name}-${width}`, whole);
    } catch (error) {
      process.exitCode = 1;
      console.error(`${name}-${width}: ${error.message}`);
      await picture(window.page, `${name}-${width}`, whole);
    } finally {
      await window.close();
    }
  }
}

/** Waits until the product sees the salon's session in that state. */
const becomes = (salon, status) => until(`the session is ${status}`, async () => {
  const headers = { Authorization: `Bearer ${salon.token}` };
  const answer = await fetch(`${world.product}/marketplace/api/status/company_${salon.id}`, { headers });
  return (await answer.json()).status === status;
});
const view = (page, name) => page.locator(`[data-view="${name}"]`).waitFor();
const scan = async (page, salon, phone = salon.phone) => world.post(`/phones/${phone}/link`, { qr: await readQr(page) });
const fault = (order) => world.post("/faults", order);

await state("landing", (page) => page.goto(`${world.product}/marketplace/`));

await state("linking-qr", async (page) => {
  const salon = await fresh();
  await page.goto(salon.page);
  await readQr(page);
});

await state("linking-code", async (page) => {
  const salon = await fresh();
  await page.goto(salon.page);
  await page.locator("#tab-code").click();
  await page.locator("#phone").fill("8 (495) 000-12-34");
  await page.locator("#code-ask").click();
  await page.locator("#code-box").waitFor();
});

await state("linking-code-wrong-number", async (page) => {
  const salon = await fresh();
  await page.goto(salon.page);
  await page.locator("#tab-code").click();
  await page.locator("#phone").fill("12345");
  await page.locator("#code-ask").click();
  await page.locator("#phone[aria-invalid=true]").waitFor();
});

await state("linking-working", async (page) => {
  const salon = await fresh();
  await page.goto(salon.page);
  await fault({ target: "yclients", match: "POST /marketplace/partner/callback", kind: "timeout", delay_ms: 3000 });
  await scan(page, salon);
  await view(page, "working");
});

await state("linking-success", async (page) => {
  const salon = await fresh();
  await page.goto(salon.page);
  await scan(page, salon);
  await view(page, "done");
  await page.locator("#sync-list li").nth(4).waitFor();
  await world.post("/settle");
});

await state("linking-already-linked", async (page) => {
  await page.goto((await atWork()).page);
  await view(page, "done");
});

await state("linking-second-browser", async (page) => {
  const salon = await fresh();
  const first = await openWindow(browser, world);
  await first.page.goto(salon.page);
  await page.goto(salon.page);
  await scan(first.page, salon);
  await Promise.all([view(first.page, "done"), view(page, "done")]);
  await first.close();
});

await state("linking-number-taken", async (page) => {
  const [taken, salon] = [await atWork(), await fresh()];
  await page.goto(salon.page);
  await scan(page, salon, taken.phone);
  await view(page, "trouble");
});

await state("linking-timeout", async (page) => {
  const salon = await fresh();
  await page.clock.install();
  await page.routeWebSocket(/socket\.io/, (socket) => socket.close());
  await page.goto(salon.page);
  await until("the page gives up", async () => {
    await page.clock.runFor(10_000);
    return page.locator('[data-view="trouble"]').isVisible();
  }, 60_000);
});

for (const [name, status] of [["banned", 402], ["outdated", 405]]) {
  await state(`linking-${name}`, async (page) => {
    const salon = await atWork();
    await fault({ target: "whatsapp", salon: salon.id, kind: "status", status, times: 100 });
    await world.post(`/salons/${salon.id}/phone/offline`);
    await world.post(`/salons/${salon.id}/phone/online`);
    await becomes(salon, name);
    await page.goto(salon.page);
    await view(page, "trouble");
  });
  }

await state("linking-passkey", async (page) => {
  const salon = await fresh();
  await world.post(`/salons/${salon.id}/phone/passkey`, { required: true });
  await page.goto(salon.page);
  // The scan ends when the device gives up.
  scan(page, salon).catch(() => {});
  await view(page, "trouble");
});

await state("linking-restricted", async (page) => {
  const salon = await atWork();
  await fault({ target: "whatsapp", salon: salon.id, kind: "nack", status: 463, times: 10 });
  await world.operator("POST", "/api/send-message", { company_id: salon.company_id, phone: "79163330001", message: "Здравствуйте!" });
  await becomes(salon, "restricted");
  await page.goto(salon.page);
  await view(page, "done");
  await page.locator("#restricted").waitFor();
});

await state("linking-lost-phone", async (page) => {
  const salon = await atWork();
  await world.post(`/salons/${salon.id}/phone/unlink`);
  await becomes(salon, "logged_out");
  await page.goto(salon.page);
  await readQr(page);
});

await state("error-400-no-token", (page) => page.goto(`${world.product}/marketplace/onboarding`));

await state("error-401-expired", async (page) => {
  const { token } = await fresh();
  const [head, body] = token.split(".");
  const now = Math.floor(Date.parse((await world.call("GET", "/clock")).now) / 1000);
  const old = { ...JSON.parse(Buffer.from(body, "base64url")), iat: now - 7200, exp: now - 3600 };
  const unsigned = `${head}.${Buffer.from(JSON.stringify(old)).toString("base64url")}`;
  const { jwt_secret } = await world.call("GET", "/secrets");
  await page.goto(`${world.product}/marketplace/onboarding?token=${unsigned}.${createHmac("sha256", jwt_secret).update(unsigned).digest("base64url")}`);
});

await state("error-403-signature", async (page) => {
  const { redirect } = await fresh();
  const wrong = new URL(redirect);
  wrong.searchParams.set("user_data_sign", "0".repeat(64));
  await page.goto(wrong.href);
});

await state("error-404-no-salon", async (page) => {
  const salon = await world.addSalon(++number);
  const { redirect_url } = await world.post(`/salons/${salon.id}/connect`);
  await fault({ target: "yclients", match: "GET /api/v1/company", kind: "status", status: 404, times: 10 });
  await page.goto(redirect_url);
});

await state("error-409-not-installed", async (page) => {
  const salon = await world.addSalon(++number);
  await page.goto(`${world.product}/auth/yclients/redirect?salon_id=${salon.id}`);
});

await state("error-503-busy", async (page) => {
  const salon = await world.addSalon(++number);
  const { redirect_url } = await world.post(`/salons/${salon.id}/connect`);
  await fault({ target: "yclients", match: "GET /api/v1/company", kind: "rate_limit", times: 100 });
  await page.goto(redirect_url);
});

await state("api-docs", async (page) => {
  await page.goto(`${world.product}/api/docs`);
  await page.locator("#docs h1").waitFor();
}, { whole: false });

await state("sandbox-chat", async (page) => {
  const salon = await world.onboarded(++number, { title: "Студия «Ландыш»" });
  const say = (text) => world.post("/phones/79161234567/messages?wait=reply", { salon: salon.id, name: "Мария", text });
  await say("Здравствуйте! Сколько стоит женская стрижка?");
  await page.goto(`${world.control}/#${salon.id}`);
  await page.getByText("Здравствуйте!").first().waitFor();
  // The calendar turns to the day of a booking that it sees made.
  await say("Запишите меня на завтра в 15 к Вере");
  await page.locator("#sheet").getByText("Мария").waitFor({ state: "attached" });
}, { whole: false });

await browser.close();
await world.stop();
process.exit();
