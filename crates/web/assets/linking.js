// The linking page: shows the QR or the pairing code, follows the link, switches the assistant on.
// Speaks Socket.IO 5 over Engine.IO 4 by hand (five packet kinds); where sockets fail, it polls.
"use strict";

const $ = (id) => document.getElementById(id);
const root = $("linking");
const words = JSON.parse(root.dataset.words);
const token = new URLSearchParams(location.search).get("token");
const GIVE_UP_AFTER = 120_000; // of polling without a link, ms
const state = { view: null, socket: null, polling: null, activating: false, qrUntil: 0, codeUntil: 0, asked: 0 };

const say = (text) => { $("live").textContent = text; };
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function show(view) {
  if (state.view === view) return;
  state.view = view;
  for (const section of root.querySelectorAll("[data-view]")) section.hidden = section.dataset.view !== view;
  const title = root.querySelector(`[data-view="${view}"] h1`);
  if (title.textContent) say(title.textContent);
}

function trouble(title, text) {
  $("trouble-title").textContent = title;
  $("trouble-text").textContent = text;
  state.view = null;
  stop();
  show("trouble");
}

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
    $("qr").src = qr;
    $("qr").hidden = false;
    $("qr").classList.remove("old");
    $("qr-wait").hidden = true;
    state.qrSpan = expiresIn * 1000;
    state.qrUntil = Date.now() + state.qrSpan;
    tick();
  },
  "pairing-code": ({ code, expiresIn }) => {
    $("code").textContent = code;
    $("code-box").hidden = false;
    $("code-ask").disabled = false;
    state.codeUntil = Date.now() + expiresIn * 1000;
    say(`${words.code_ready} ${[...code].join(" ")}`);
    tick();
  },
  "whatsapp-connected": ({ phone }) => linked(phone),
  status: (now) => follow(now),
  "sync-progress": (step) => syncStep(step),
  error: ({ message }) => {
    $("code-ask").disabled = false;
    note(message, true);
    say(message);
  },
};

function follow({ status, reason, phone }) {
  if (status === "connected" || status === "restricted") return linked(phone);
  const fatal = ["replaced", "passkey_required", "banned", "outdated"];
  if (fatal.includes(status) && !state.activating) trouble(words.trouble_title, reason || words.no_answer);
}

function linked(phone) {
  if (phone) for (const id of ["working-phone", "done-phone"]) $(id).textContent = phone;
  if (state.activating || state.view === "done") return;
  activate();
}

async function activate() {
  state.activating = true;
  show("working");
  const answer = await call("POST", "/marketplace/activate", { token }).catch(() => ({ ok: false, message: words.no_answer }));
  state.activating = false;
  if (answer.ok) show("done");
  else trouble(words.activation_title, answer.message);
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
      hear.error(JSON.parse(data.slice(15)));
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
    if (socket.ready) setTimeout(() => state.socket || state.view === "trouble" || connect(), 3000 + Math.random() * 4000);
  };
}

const emit = (event, value) => {
  if (!state.socket?.ready || state.socket.readyState !== WebSocket.OPEN) return false;
  state.socket.send(`42/marketplace,${JSON.stringify(value === undefined ? [event] : [event, value])}`);
  return true;
};

// --- without sockets ---------------------------------------------------------------------------

function poll() {
  if (state.polling || state.view === "done" || state.view === "trouble") return;
  const since = Date.now();
  let asking = false;
  state.polling = setInterval(async () => {
    if (state.activating || state.view === "done") return;
    if (Date.now() - since > GIVE_UP_AFTER) return trouble(words.timeout_title, words.timeout_text);
    try {
      const now = await call("GET", `/marketplace/api/status/${root.dataset.session}`);
      if (!state.polling) return;
      if (now.http === 401) return trouble(words.expired_title, now.message);
      if (now.ok) follow(now);
      if (now.connected || asking || $("panel-qr").hidden || Date.now() < state.qrUntil) return;
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
    $("qr-wait").classList.toggle("over", !left);
    $("qr-wait").hidden = left > 0;
    // WhatsApp renews a code by itself until its codes run out; then a fresh start is asked for.
    if (now - state.qrUntil > 2000 && now - state.asked > 8000 && state.view === "link" && emit("request-qr")) state.asked = now;
  }
  if (state.codeUntil) {
    const left = Math.max(0, Math.ceil((state.codeUntil - now) / 1000));
    $("code-left").textContent = left ? fill(words.code_left, { n: left }) : words.code_over;
  }
}

// --- the hands -----------------------------------------------------------------------------------

function note(text, wrong) {
  $("phone-note").textContent = text;
  $("phone-note").classList.toggle("wrong", wrong);
  $("phone").setAttribute("aria-invalid", String(wrong));
}

function choose(way) {
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
  if (phoneNumber.replace(/\D/g, "").length < 10) return note(words.phone_wrong, true);
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

$("again").addEventListener("click", () => location.reload());

// --- begin -----------------------------------------------------------------------------------------

for (const id of ["working-phone", "done-phone"]) $(id).textContent = root.dataset.phone;
show(root.dataset.state === "done" ? "done" : "link");
setInterval(tick, 500);
connect();
