// The chat page: customers' phones beside the salon's calendar, kept fresh by the world's events.

const $ = (selector, within = document) => within.querySelector(selector);
const KINDS = { voice: "🎤 голосовое", audio: "🎵 звук", image: "🖼 фото", video: "🎬 видео", document: "📄 файл", sticker: "наклейка",
  location: "📍", contact: "👤", revoked: "🚫 удалено" };

function messageText({ kind, text, edited }) {
  const shown = kind === "text" || kind === "reaction" ? text : `${KINDS[kind] ?? "…"} ${text}`.trim();
  return edited ? `${shown} (изменено)` : shown;
}

const WHATSAPP_EVENTS = new Set(["message", "acknowledged", "typing", "linked", "unlinked", "connected", "disconnected"]);
const OPENERS = ["Здравствуйте! Можно на маникюр с гель-лаком завтра в 15 к Ане?", "Сколько стоит женская стрижка?", "Что есть свободного в субботу утром?"];
const HOUR = 44; // pixels

const state = { salons: [], salon: null, day: null, now: 0, version: -1, readAt: performance.now(), phones: new Map(), seen: new Set() };

async function call(method, path, body) {
  const answer = await fetch(`/control${path}`, {
    method, headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  if (!answer.ok) throw new Error(json.error ?? answer.statusText);
  return json;
}

function trouble(error) {
  const line = $("#trouble");
  line.textContent = error ? `Не получилось: ${error.message ?? error}` : "";
  line.hidden = !error;
}

/** Runs an act of the person and shows what went wrong. */
const act = (work) => async (...given) => {
  try { trouble(null); await work(...given); } catch (error) { trouble(error); }
};

function el(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// ---------- the clock ----------
const zone = () => state.salon?.timezone_name ?? "Europe/Moscow";
const shown = (at, options) => new Intl.DateTimeFormat("ru", { timeZone: zone(), ...options }).format(at);
const present = () => state.now + (performance.now() - state.readAt);

async function readClock() {
  const clock = await call("GET", "/clock");
  state.now = Date.parse(clock.now);
  state.readAt = performance.now();
  tick();
}

function tick() {
  $("#now").textContent = shown(present(), { weekday: "short", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
}

async function setClock(at) {
  $("#clock").setAttribute("aria-busy", "true");
  try { await call("PUT", "/clock", { now: new Date(at).toISOString() }); } finally { $("#clock").removeAttribute("aria-busy"); }
  await readClock();
  await Promise.all([drawDay(), ...[...state.phones.keys()].map(drawChat)]);
}

/** The moment at which the salon's wall clock shows `local` (YYYY-MM-DDTHH:MM). */
function instant(local) {
  const utc = Date.parse(`${local}:00Z`);
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en", { timeZone: zone(), hourCycle: "h23", year: "numeric", month: "2-digit",
    day: "2-digit", hour: "2-digit", minute: "2-digit" }).formatToParts(utc).map((p) => [p.type, p.value]));
  return utc - (Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute) - utc);
}

// ---------- salons ----------
async function readSalons() {
  state.salons = await call("GET", "/salons");
  const choice = $("#salon");
  const wanted = Number(location.hash.slice(1)) || state.salon?.id;
  choice.replaceChildren(...state.salons.map((salon) => new Option(salon.title, salon.id)));
  state.salon = state.salons.find((salon) => salon.id === wanted) ?? state.salons[0] ?? null;
  if (state.salon) choice.value = state.salon.id;
  const [text, good] = !state.salon ? ["салонов пока нет", false]
    : state.salon.installation === "active" && state.salon.online ? ["бот на связи", true]
    : state.salon.installation === "active" && state.salon.linked ? ["телефон не в сети", false]
    : state.salon.installation === "freezed" ? ["заморожен", false]
    : state.salon.installation === "active" ? ["WhatsApp не привязан", false] : ["не подключён", false];
  $("#link").textContent = text;
  $("#link").classList.toggle("good", good);
}

async function chooseSalon() {
  state.phones.clear();
  state.seen.clear();
  state.day = null;
  $("#phones").replaceChildren();
  if (!state.salon) return;
  const kept = JSON.parse(localStorage.getItem(`customers-${state.salon.id}`) ?? "null") ?? [{ name: "Мария", phone: "79161234567" }, { name: "Игорь", phone: "79162345678" }];
  kept.forEach(addPhone);
  await Promise.all([drawDay(), drawOwn()]);
}

const keep = () => localStorage.setItem(`customers-${state.salon.id}`,
  JSON.stringify([...state.phones].map(([phone, { name }]) => ({ name, phone }))));

// ---------- customers' phones ----------
function pretty(phone) {
  return phone.replace(/^7(\d{3})(\d{3})(\d{2})(\d{2})$/, "+7 $1 $2-$3-$4");
}

function addPhone({ name, phone }) {
  if (state.phones.has(phone)) return;
  const node = $("#phone").content.firstElementChild.cloneNode(true);
  $(".face", node).textContent = name.slice(0, 1).toUpperCase();
  $(".who b", node).textContent = name;
  $(".who small", node).textContent = pretty(phone);
  const side = $(".side", node), box = $("textarea", node);
  const fromSalon = () => side.getAttribute("aria-pressed") === "true";
  side.addEventListener("click", () => {
    side.setAttribute("aria-pressed", String(!fromSalon()));
    side.textContent = fromSalon() ? "салон" : "клиент";
    box.placeholder = fromSalon() ? "Ответ человека из салона" : "Сообщение";
    box.focus();
  });
  const send = act(async (text) => {
    if (!text.trim()) return;
    box.value = "";
    if (fromSalon()) await call("POST", `/salons/${state.salon.id}/phone/messages`, { to: phone, text });
    else await call("POST", `/phones/${phone}/messages`, { salon: state.salon.id, text, name });
    await drawChat(phone);
  });
  $("form", node).addEventListener("submit", (event) => { event.preventDefault(); send(box.value); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(box.value); }
  });
  $(".away", node).addEventListener("click", () => { state.phones.delete(phone); node.remove(); keep(); });
  state.phones.set(phone, { name, node, send, taken: new Set(), read: new Set() });
  $("#phones").append(node);
  keep();
  drawChat(phone);
}

async function drawChat(phone) {
  const customer = state.phones.get(phone);
  if (!customer || !state.salon) return;
  const messages = await call("GET", `/phones/${phone}/messages?salon=${state.salon.id}`);
  const log = $(".log", customer.node), lines = [];
  let day = null;
  for (const message of messages) {
    const at = Date.parse(message.at), of = shown(at, { day: "numeric", month: "long" });
    if (of !== day) lines.push(el("li", "day", day = of));
    const line = el("li", `${message.from} ${message.kind}`, messageText(message));
    const time = el("time", message.from === "customer" ? (customer.read.has(message.id) ? "read" : customer.taken.has(message.id) ? "taken" : "") : "", shown(at, { hour: "2-digit", minute: "2-digit" }));
    if (message.kind !== "reaction") line.append(time);
    lines.push(line);
  }
  if (!lines.length) {
    const empty = el("li", "empty", "Напишите салону, например:");
    for (const opener of OPENERS) {
      const button = el("button", "", opener);
      button.type = "button";
      button.addEventListener("click", () => customer.send(opener));
      empty.append(button);
    }
    lines.push(empty);
  }
  log.replaceChildren(...lines);
  log.scrollTop = messages.length ? log.scrollHeight : 0;
}

async function drawOwn() {
  const messages = await call("GET", `/phones/${state.salon.phone}/messages?salon=${state.salon.id}`);
  $("#own").textContent = messages.map((message) => message.text).join("\n\n") || "Пока пусто: сюда придёт приветствие.";
}

// ---------- the calendar ----------
const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

async function drawDay() {
  if (!state.salon) return;
  const sheet = await call("GET", `/salons/${state.salon.id}/day${state.day ? `?date=${state.day}` : ""}`);
  const firstLook = !state.seen.size;
  state.shownDay = sheet.date;
  $("#day").textContent = new Intl.DateTimeFormat("ru", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" }).format(Date.parse(sheet.date));
  const place = $("#sheet");
  if (!sheet.columns.length) return place.replaceChildren(el("p", "free", "В этот день никто не работает"));
  const spans = sheet.columns.flatMap((c) => [...c.open.map(([a, b]) => [minutes(a), minutes(b)]),
    ...c.records.map((r) => [minutes(r.start.slice(11)), minutes(r.start.slice(11)) + r.minutes])]);
  const from = Math.floor(Math.min(...spans.map((s) => s[0])) / 60) * 60, to = Math.ceil(Math.max(...spans.map((s) => s[1])) / 60) * 60;
  const y = (minute) => `${((minute - from) / 60) * HOUR}px`;
  const body = () => { const node = el("div", "body"); node.style.height = y(to); return node; };
  const hours = el("div", "hours");
  hours.append(el("div", "top"), body());
  for (let minute = from + 60; minute < to; minute += 60) {
    const label = el("span", "", `${minute / 60}:00`);
    label.style.top = y(minute);
    hours.lastChild.append(label);
  }
  const columns = sheet.columns.map((column) => {
    const node = el("div", "column"), top = el("div", "top"), field = body();
    top.append(el("b", "", column.name), el("small", "", column.specialization));
    top.title = column.specialization;
    for (const [a, b] of column.open) {
      const open = el("div", "open");
      open.style.top = y(minutes(a));
      open.style.height = y(minutes(b) - minutes(a) + from);
      field.append(open);
    }
    for (let minute = from + 60; minute < to; minute += 60) {
      const line = el("div", "hour");
      line.style.top = y(minute);
      field.append(line);
    }
    for (const record of column.records) {
      const start = minutes(record.start.slice(11)), key = `${record.id} ${record.start} ${record.staff_id}`;
      const visit = el("div", `visit ${record.by}${firstLook || state.seen.has(key) ? "" : " fresh"}`);
      state.seen.add(key);
      visit.style.top = y(start);
      visit.style.height = `${(record.minutes / 60) * HOUR - 2}px`;
      visit.append(el("b", "", record.start.slice(11)), ` ${record.client_name ?? ""}`, el("br"), record.services.join(" + "));
      visit.title = `${record.start.slice(11)}, ${record.minutes} мин, ${record.services.join(" + ")}, ${record.client_name ?? ""} ${pretty(record.client_phone ?? "")}`;
      field.append(visit);
    }
    const now = minutes(sheet.now.slice(11));
    if (sheet.now.slice(0, 10) === sheet.date && now >= from && now <= to) {
      const line = el("div", "present");
      line.style.top = y(now);
      field.append(line);
    }
    node.append(top, field);
    return node;
  });
  state.seen.add("looked");
  place.style.gridTemplateColumns = `3rem repeat(${columns.length}, minmax(6.5rem, 1fr))`;
  place.replaceChildren(hours, ...columns);
}

const turn = (days) => act(async () => {
  const date = new Date(Date.parse(state.shownDay) + days * 86400000);
  state.day = date.toISOString().slice(0, 10);
  await drawDay();
});

// ---------- events ----------
function listen() {
  const source = new EventSource("/control/events");
  source.onopen = () => { trouble(null); refresh(); };
  source.onerror = () => trouble("связь с песочницей прервалась, жду её возвращения");
  source.onmessage = act(async ({ data }) => {
    const event = JSON.parse(data);
    if (event.event === "clock") await readClock().then(drawDay);
    else if (event.event === "salon") await readSalons();
    else if (event.event === "records" && event.salon === state.salon?.id) await show(event.salon);
    else if (WHATSAPP_EVENTS.has(event.event)) await ring(event);
  });
}

/** A booking changed: the calendar turns to the day of a new one. */
async function show(salon) {
  const records = await call("GET", `/salons/${salon}/records`);
  const keyOf = (r) => `${r.id} ${r.start} ${r.staff_id}`;
  const fresh = records.filter((r) => !r.deleted && r.by !== "fixture" && !state.seen.has(keyOf(r)));
  if (fresh.length) state.day = fresh.at(-1).start.slice(0, 10);
  await drawDay();
}

async function ring(event) {
  if (!event.customer) return readSalons();
  if (event.salon !== state.salon?.phone) return;
  if (event.customer === state.salon.phone) return drawOwn();
  const customer = state.phones.get(event.customer);
  if (!customer) return;
  if (event.event === "typing") {
    $(".typing", customer.node).hidden = !event.typing;
  } else {
    if (event.event === "acknowledged") (event.read ? customer.read : customer.taken).add(event.id);
    if (event.event === "message" && event.message.from === "salon") $(".typing", customer.node).hidden = true;
    await drawChat(event.customer);
  }
}

async function refresh() {
  await readSalons();
  await readClock();
  await Promise.all([drawDay(), ...[...state.phones.keys()].map(drawChat)]);
}

// ---------- the person's hands ----------
$("#salon").addEventListener("change", act(async (event) => {
  state.salon = state.salons.find((salon) => salon.id === Number(event.target.value));
  location.hash = state.salon.id;
  await readSalons();
  await chooseSalon();
}));
$("#newcomer").addEventListener("submit", act(async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  let phone = form.get("phone").replace(/\D/g, "").replace(/^8(\d{10})$/, "7$1").replace(/^(\d{10})$/, "7$1");
  while (!phone || (state.phones.has(phone) && !form.get("phone"))) phone = `7999${String(Math.floor(Math.random() * 1e7)).padStart(7, "0")}`;
  addPhone({ name: form.get("name").trim(), phone });
  event.target.reset();
}));
$("#clock").addEventListener("submit", act(async (event) => {
  event.preventDefault();
  if ($("#moment").value) await setClock(instant($("#moment").value));
  $("#clock details").open = false;
}));
document.querySelectorAll("[data-jump]").forEach((button) =>
  button.addEventListener("click", act(() => setClock(present() + Number(button.dataset.jump)))));
$("#real").addEventListener("click", act(async () => { await setClock(Date.now()); $("#clock details").open = false; }));
$("#before").addEventListener("click", turn(-1));
$("#after").addEventListener("click", turn(1));
$("#today").addEventListener("click", act(async () => { state.day = null; await drawDay(); }));
document.querySelectorAll("[data-show]").forEach((button) => button.addEventListener("click", () => {
  $("main").dataset.shown = button.dataset.show;
  document.querySelectorAll("[data-show]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
}));

act(async () => {
  await readSalons();
  await readClock();
  await chooseSalon();
  setInterval(tick, 1000);
  listen();
})();
