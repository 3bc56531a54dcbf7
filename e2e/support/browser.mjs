// A browser as salons have it, watched: no third party, nothing against the page's own policy, no error on the console.
import assert from "node:assert/strict";
import jsQR from "jsqr";
import { chromium } from "playwright-core";
import { until } from "./world.mjs";

const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
  // The page that frames ours stands for one on the internet, which a browser asks about before it may see this machine.
  "--disable-features=LocalNetworkAccessChecks"];

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });

/**
 * A window of its own, from an address of its own. `faults` collects what a page must not do; `expected` are patterns of
 * console messages that belong to the test.
 */
export async function openWindow(browser, world, { viewport = DESKTOP, expected = [], ...more } = {}) {
  const context = await browser.newContext({ viewport, locale: "ru-RU", extraHTTPHeaders: { "X-Forwarded-For": world.address() }, ...more });
  const page = await context.newPage();
  const faults = [];
  const home = new Set([new URL(world.product).host, new URL(world.control).host]);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !expected.some((pattern) => pattern.test(message.text()))) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  const outside = (url) => { if (/^(https?|wss?):/.test(url) && !home.has(new URL(url).host)) faults.push(`third party: ${url}`); };
  page.on("request", (request) => outside(request.url()));
  page.on("websocket", (socket) => outside(socket.url()));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => console.error(`CSP: ${violatedDirective} ${blockedURI}`));
  });
  return { context, page, faults, close: () => context.close(), clean: () => assert.deepEqual(faults, []) };
}

/** Reads the QR code from the picture that the page shows, as a phone's camera would. */
export function readQr(page) {
  return until("a QR code that a camera can read", async () => {
    const picture = page.locator('img[src^="data:image/png"]');
    if (!await picture.isVisible()) return null;
    const { pixels, width, height } = await picture.evaluate(async (image) => {
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const brush = canvas.getContext("2d");
      brush.drawImage(image, 0, 0);
      let text = "";
      for (const byte of brush.getImageData(0, 0, canvas.width, canvas.height).data) text += String.fromCharCode(byte);
      return { pixels: btoa(text), width: canvas.width, height: canvas.height };
    });
    return jsQR(Uint8ClampedArray.from(Buffer.from(pixels, "base64")), width, height)?.data;
  });
}
