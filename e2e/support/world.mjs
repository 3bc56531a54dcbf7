// A sandbox of its own for a test file: the binary is started, waited for, moved through its control API, and stopped.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

const BINARY = process.env.AI_ADMIN_SANDBOX ?? fileURLToPath(new URL("../../target/sandbox/ai-admin-sandbox", import.meta.url));

/** Monday, ten in the morning in Moscow. */
export const NOW = "2026-11-23T10:00:00+03:00";
export const OPERATOR_KEY = "sandbox-admin-key";

/** A salon's file; its phone follows from its number. */
export const salonFile = (id, more = {}) => ({
  id,
  title: `Студия «Ландыш» ${id}`,
  city: "Москва",
  address: "Садовая, 3",
  phone: `7495000${String(id).padStart(4, "0")}`,
  timezone_name: "Europe/Moscow",
  services: [
    { id: 1, title: "Маникюр с покрытием гель-лак", category: "Ногти", price_min: 1800, price_max: 2200, minutes: 90, staff: [11, 12] },
    { id: 2, title: "Женская стрижка", category: "Волосы", price_min: 2500, price_max: 2500, minutes: 60, staff: [12] },
  ],
  staff: [{ id: 11, name: "Анна" }, { id: 12, name: "Вера" }],
  schedule: [
    { staff: 11, weekdays: [1, 2, 3, 4, 5, 6, 7], from: "10:00", to: "20:00" },
    { staff: 12, weekdays: [1, 2, 3, 4, 5, 6, 7], from: "10:00", to: "20:00" },
  ],
  clients: [],
  records: [],
  ...more,
});

/** Asks again and again until there is something to return; whoever asks says what for. */
export async function until(what, look, patience = 20_000) {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(25)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`not within ${patience} ms: ${what}`);
}

// Whatever ends a test process ends its sandbox.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));

export class World {
  #process;
  #log = "";
  #addresses = 1;

  /** Starts a world without a salon. `args` are the sandbox's own, `env` the product's settings. */
  static async start({ args = [], env = {} } = {}) {
    const world = new World();
    const all = ["--no-demo-salon", "--port", "0", "--control-port", "0", "--debounce-ms", "20", "--now", NOW, ...args];
    world.#process = spawn(BINARY, all, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    process.once("exit", () => world.#process.kill("SIGKILL"));
    world.#process.stderr.on("data", (chunk) => { world.#log = (world.#log + chunk).slice(-20_000); });
    let told = "";
    world.#process.stdout.on("data", (chunk) => { told += chunk; });
    await until("the sandbox tells its addresses", () => {
      if (world.#process.exitCode !== null) throw new Error(`the sandbox ended at once:\n${world.#log}`);
      world.control = told.match(/control API: (http:\S+?)\/?\s/)?.[1];
      world.product = told.match(/Product: +(http:\S+?)\/?\s/)?.[1];
      return world.control && world.product;
    }, 60_000);
    await until("the world is up", async () => (await fetch(`${world.control}/control/health`)).ok);
    return world;
  }

  /** What the sandbox has logged last: product and world. */
  get log() {
    return this.#log;
  }

  async stop() {
    if (this.#process.exitCode !== null || !this.#process.kill("SIGTERM")) return;
    const stubborn = setTimeout(() => this.#process.kill("SIGKILL"), 15_000);
    await once(this.#process, "exit");
    clearTimeout(stubborn);
  }

  /** A call of the control API; anything but success is an error that tells why. */
  async call(method, path, body) {
    const answer = await fetch(`${this.control}/control${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${text}`), { status: answer.status });
    return JSON.parse(text);
  }

  post(path, body = {}) {
    return this.call("POST", path, body);
  }

  /** A call of the product's HTTP interface by the operator. */
  async operator(method, path, body) {
    const headers = { "X-API-Key": OPERATOR_KEY, "Content-Type": "application/json" };
    const answer = await fetch(`${this.product}${path}`, { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  }

  async addSalon(id, more) {
    const file = salonFile(id, more);
    await this.post("/salons", file);
    return file;
  }

  /** A salon that is connected and active; tells the product's number of it too. */
  async onboarded(id, more) {
    const file = await this.addSalon(id, more);
    const { company_id } = await this.post(`/salons/${id}/onboard`);
    return { ...file, company_id };
  }

  /** An address of the internet that nobody has used yet: limits count by it. */
  address() {
    return `203.0.113.${this.#addresses++}`;
  }

  /** Presses «Подключить» and follows the redirect to the linking page: its address and the registration's token. */
  async register(salon) {
    const { redirect_url } = await this.post(`/salons/${salon}/connect`);
    const answer = await fetch(redirect_url, { redirect: "manual", headers: { "X-Forwarded-For": this.address() } });
    if (answer.status !== 302) throw new Error(`the redirect answered ${answer.status}: ${await answer.text()}`);
    const page = new URL(answer.headers.get("location"), this.product);
    return { redirect: redirect_url, page: page.href, token: page.searchParams.get("token") };
  }

  async activate(token) {
    const answer = await fetch(`${this.product}/marketplace/activate`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  /** Listens from now on; what it returns waits for the first event of the world that is so. */
  async listen() {
    const { body } = await fetch(`${this.control}/control/events`);
    return async (is) => {
      let rest = "";
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop();
        const found = lines.filter((line) => line.startsWith("data:")).map((line) => JSON.parse(line.slice(5))).find(is);
        if (found) return found;
      }
      throw new Error("the world fell silent");
    };
  }

  /** The chat as the customer's phone shows it. */
  chat(phone, salon) {
    return this.call("GET", `/phones/${phone}/messages?salon=${salon}`);
  }
}
