// The linking page: shows the QR or the pairing code, follows the link, switches the assistant on.
// Speaks Socket.IO 5 over Engine.IO 4 by hand (five packet kinds); where sockets fail, it polls.
"use strict";

const $ = (id) => document.getElementById(id);
const root = $("linking");
const words = JSON.parse(root.dataset.words);
const token = new URLSearchParams(location.search).get("token");
const GIVE_UP_AFTER = 120_000; // of polling without a link, ms
const state = { view: root.dataset.done === "true" ? "done" : "link", socket: null, polling: null, activating: false, qrUntil: 0, codeUntil: 0, asked: 0 };

const say = (text) => { $("live").textContent = text; };
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function show(view) {
  if (state.view === view) return;
  state.view = view;
  for (const section of root.querySelectorAll("[data-view]")) section.hidden = section.dataset.view !== view;
  // Whoever listens or has the keyboard goes on where the page goes on.
  const title = root.querySelector(`[data-view="${view}"] h1`);
  if (title.tabIndex === -1) title.focus({ preventScroll: true });
}

// `again` is what the button does; without it the way leads back to YClients.
function trouble(title, text, again) {
  $("trouble-title").textContent = title;
  $("trouble-text").textContent = text;
  $("again").hidden = !again;
  $("again").onclick = again;
  $("trouble-back").classList.toggle("pale", Boolean(again));
  show("trouble");
  say(text);
}

// Nothing goes on behind this one.
function over(title, text, again) {
  stop();
  trouble(title, text, again);
}

const anew = () => location.reload();

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, Accept: "application/json", ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const data = await answer.json().catch(() => ({ message: words.no_answer }));
  return { ...data, ok: answer.ok, http: answer.status };
}

// --- what the server tells ---------------------------------------------------------------------

const hear = {
  "qr-update": ({ qr, expiresIn }) => {
    // A code is shown to those who are not linked: what this page says of a link is over.
    if (state.view === "done") return location.reload();
    $("qr").src = qr;
    $("qr").hidden = false;
    $("qr").classList.remove("old");
    $("qr-wait").hidden = true;
    $("link-note").hidden = true;
    state.qrSpan = expiresIn * 1000;
    state.qrUntil = Date.now() + state.qrSpan;
    tick();
  },
  "pairing-code": ({ code, expiresIn }) => {
    $("code").textContent = code;
    $("code-box").hidden = false;
    $("code-ask").disabled = false;
    $("code-ask").classList.add("pale");
    $("code-ask").textContent = words.code_another;
    state.codeUntil = Date.now() + expiresIn * 1000;
    say(`${words.code_ready} ${[...code].join(" ")}`);
    tick();
  },
  "whatsapp-connected": ({ phone }) => linked(phone),
  status: (now) => follow(now),
  "sync-progress": (step) => syncStep(step),
  error: ({ message }) => {
    $("code-ask").disabled = false;
    complain(message);
  },
};

// What the owner must know of the link, wherever the page stands. The page goes on listening: what
// WhatsApp takes away it may give back.
const blocked = ["replaced", "passkey_required", "banned", "outdated"];

function follow({ status, reason, phone, until }) {
  if (status === "connected" || status === "restricted") {
    $("restricted").hidden = status !== "restricted";
    $("restricted").textContent = words.states.restricted.text;
    return linked(phone);
  }
  if (state.activating) return;
  if (blocked.includes(status)) {
    const { title, text } = words.states[status] ?? { title: words.trouble_title, text: reason };
    state.qrUntil = 0;
    return trouble(title, until ? `${text} ${fill(words.until, { when: moment(until) })}` : text, freshStart);
  }
  if (state.view === "trouble" && status === "connecting") return toLink();
  if (state.view === "done" && status === "logged_out") location.reload();
}

const moment = (at) => new Date(at).toLocaleString(document.documentElement.lang, { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });

function toLink() {
  $("qr").hidden = true;
  $("qr-wait").hidden = false;
  $("qr-caption").textContent = words.qr_wait;
  show("link");
}

// Another try at what WhatsApp has refused.
function freshStart() {
  if (!emit("request-qr")) return location.reload();
  state.asked = Date.now();
  toLink();
}

function linked(phone) {
  if (phone) showPhone(phone);
  if (state.activating || state.view === "done") return;
  activate();
}

// As people write it.
const pretty = (phone) => phone.replace(/^7(\d{3})(\d{3})(\d\d)(\d\d)$/, "+7 $1 $2-$3-$4").replace(/^\d/, "+$&");

function showPhone(phone) {
  for (const place of root.querySelectorAll("[data-phone]:not(main)")) place.textContent = pretty(phone);
}

async function activate() {
  state.activating = true;
  show("working");
  const answer = await call("POST", "/marketplace/activate", { token }).catch(() => ({ ok: false, message: words.no_answer }));
  state.activating = false;
  if (answer.ok) {
    stopPolling();
    const mark = root.querySelector("[aria-current] .mark");
    if (mark) mark.textContent = "✓";
    return show("done");
  }
  if (answer.http === 401 || answer.http === 410) return over(words.expired_title, answer.message);
  over(answer.error === "number_taken" ? words.taken_title : words.activation_title, answer.message, anew);
}

function syncStep({ module, done, total }) {
  $("sync").hidden = false;
  let row = $(`sync-${module}`);
  if (!row) {
    row = document.createElement("li");
    row.id = `sync-${module}`;
    const bar = document.createElement("progress");
    const name = document.createElement("span");
    name.textContent = words.modules[module] || module;
    bar.setAttribute("aria-label", name.textContent);
    row.append(name, bar, document.createElement("span"));
    $("sync-list").append(row);
  }
  const [, bar, count] = row.children;
  bar.max = Math.max(total, 1);
  bar.value = total ? done : 1;
  count.textContent = total && done < total ? `${done} / ${total}` : "✓";
  const all = [...$("sync-list").querySelectorAll("progress")].every((each) => each.value >= each.max);
  $("sync-title").textContent = all ? words.sync_done : words.sync_title;
}

// --- the socket ----------------------------------------------------------------------------------

function connect() {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`);
  state.socket = socket;
  const upgrade = setTimeout(() => socket.close(), 5000);
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return;
    if (data === "2") return socket.send("3");
    if (data[0] === "0") return socket.send(`40/marketplace,${JSON.stringify({ token })}`);
    if (data.startsWith("40/marketplace")) {
      clearTimeout(upgrade);
      socket.ready = true;
      return stopPolling();
    }
    if (data.startsWith("44/marketplace,")) {
      complain(JSON.parse(data.slice(15)).message);
      return socket.close();
    }
    if (data.startsWith("42/marketplace,")) {
      const [event, value] = JSON.parse(data.slice(15));
      hear[event]?.(value ?? {});
    }
  };
  socket.onclose = () => {
    clearTimeout(upgrade);
    if (state.socket !== socket) return;
    state.socket = null;
    poll();
    if (socket.ready) setTimeout(() => state.socket || state.over || connect(), 3000 + Math.random() * 4000);
  };
}

const emit = (event, value) => {
  if (!state.socket?.ready || state.socket.readyState !== WebSocket.OPEN) return false;
  state.socket.send(`42/marketplace,${JSON.stringify(value === undefined ? [event] : [event, value])}`);
  return true;
};

// --- without sockets ---------------------------------------------------------------------------

function poll() {
  if (state.polling || state.over) return;
  const since = Date.now();
  let asking = false;
  state.polling = setInterval(async () => {
    if (state.activating) return;
    const linking = state.view !== "done";
    if (linking && Date.now() - since > GIVE_UP_AFTER) return over(words.timeout_title, words.timeout_text, anew);
    try {
      const now = await call("GET", `/marketplace/api/status/${root.dataset.session}`);
      if (!state.polling) return;
      if (now.http === 401) return linking ? over(words.expired_title, now.message) : stop();
      if (now.ok) follow(now);
      if (now.connected || asking || state.view !== "link" || $("panel-qr").hidden || Date.now() < state.qrUntil) return;
      asking = true;
      const fresh = await call("POST", "/marketplace/api/qr").finally(() => { asking = false; });
      if (fresh.ok && state.polling) hear["qr-update"]({ qr: fresh.qr, expiresIn: fresh.expires_in });
    } catch { /* the next second tries again; GIVE_UP_AFTER ends it */ }
  }, 1000);
}

function stopPolling() {
  clearInterval(state.polling);
  state.polling = null;
}

function stop() {
  state.over = true;
  stopPolling();
  const socket = state.socket;
  state.socket = null;
  socket?.close();
}

// --- the countdowns ----------------------------------------------------------------------------

function tick() {
  const now = Date.now();
  if (state.qrUntil) {
    const left = Math.max(0, state.qrUntil - now);
    $("qr-left").value = (left / state.qrSpan) * 100;
    $("qr-caption").textContent = left ? fill(words.qr_left, { n: Math.ceil(left / 1000) }) : words.qr_renewing;
    $("qr").classList.toggle("old", !left);
    $("qr-wait").hidden = left > 0;
    // WhatsApp renews a code by itself until its codes run out; then a fresh start is asked for.
    if (now - state.qrUntil > 2000 && now - state.asked > 8000 && state.view === "link" && emit("request-qr")) state.asked = now;
  }
  if (state.codeUntil) {
    const left = Math.max(0, Math.ceil((state.codeUntil - now) / 1000));
    $("code-left").textContent = left ? fill(words.code_left, { n: left }) : words.code_over;
    $("code").classList.toggle("old", !left);
  }
}

// --- the hands -----------------------------------------------------------------------------------

function note(text, wrong) {
  $("phone-note").textContent = text;
  $("phone-note").classList.toggle("wrong", wrong);
  $("phone").setAttribute("aria-invalid", String(wrong));
}

// Where the owner looks: under the number, or under the code to scan.
function complain(text) {
  if (!$("panel-code").hidden) note(text, true);
  else {
    $("link-note").textContent = text;
    $("link-note").hidden = false;
  }
  say(text);
}

function choose(way) {
  $("link-note").hidden = true;
  for (const name of ["qr", "code"]) {
    $(`tab-${name}`).setAttribute("aria-selected", String(name === way));
    $(`tab-${name}`).tabIndex = name === way ? 0 : -1;
    $(`panel-${name}`).hidden = name !== way;
  }
}

for (const way of ["qr", "code"]) {
  $(`tab-${way}`).addEventListener("click", () => choose(way));
  $(`tab-${way}`).addEventListener("keydown", ({ key }) => {
    if (!["ArrowLeft", "ArrowRight"].includes(key)) return;
    const other = way === "qr" ? "code" : "qr";
    choose(other);
    $(`tab-${other}`).focus();
  });
}

$("code-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const phoneNumber = $("phone").value.trim();
  if (phoneNumber.replace(/\D/g, "").length < 10) {
    say(words.phone_wrong);
    $("phone").focus();
    return note(words.phone_wrong, true);
  }
  note(words.phone_note, false);
  $("code-ask").disabled = true;
  if (emit("request-pairing-code", { phoneNumber })) return;
  const answer = await call("POST", "/marketplace/api/pairing-code", { phoneNumber }).catch(() => ({ ok: false, message: words.no_answer }));
  if (answer.ok) hear["pairing-code"]({ code: answer.code, expiresIn: answer.expires_in });
  else hear.error(answer);
});

$("code-copy").addEventListener("click", async () => {
  const code = $("code").textContent;
  try {
    await navigator.clipboard.writeText(code.replace("-", ""));
  } catch {
    getSelection().selectAllChildren($("code"));
    return;
  }
  $("code-copy").textContent = words.code_copied;
  setTimeout(() => { $("code-copy").textContent = words.code_copy; }, 2000);
});

$("to-code").addEventListener("click", () => {
  choose("code");
  $("phone").focus();
});

// --- begin -----------------------------------------------------------------------------------------

showPhone(root.dataset.phone);
setInterval(tick, 500);
connect();
