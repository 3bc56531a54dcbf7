// Shows the OpenAPI document that this server serves, with nothing from elsewhere.
"use strict";

const make = (name, text, ...children) => {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
};

// A schema with what it refers to in place, a few levels deep.
function resolve(api, schema, depth = 0) {
  if (!schema || typeof schema !== "object" || depth > 6) return schema;
  if (schema.$ref) return resolve(api, schema.$ref.slice(2).split("/").reduce((at, key) => at[key], api), depth + 1);
  if (Array.isArray(schema)) return schema.map((each) => resolve(api, each, depth + 1));
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolve(api, value, depth + 1)]));
}

function block(api, title, content) {
  const schema = Object.values(content ?? {})[0]?.schema;
  return schema ? [make("h3", title), make("pre", JSON.stringify(resolve(api, schema), null, 2))] : [make("h3", title)];
}

function call(api, path, method, what) {
  const summary = make("summary", "", make("code", `${method} `), make("code", path), make("span", ` ${what.summary ?? ""}`));
  summary.firstChild.className = "method";
  const details = make("details", "", summary);
  // Built when it is opened: most of them never are.
  details.addEventListener("toggle", () => {
    if (what.description) details.append(make("p", what.description));
    for (const { name, in: place, description } of what.parameters ?? []) {
      details.append(make("p", "", make("code", name), ` (${place}) ${description ?? ""}`));
    }
    if (what.requestBody) details.append(...block(api, "Body", what.requestBody.content));
    for (const [status, answer] of Object.entries(what.responses ?? {})) {
      details.append(...block(api, `${status} · ${answer.description}`, answer.content));
    }
  }, { once: true });
  return details;
}

fetch("/api/openapi.json").then((answer) => answer.json()).then((api) => {
  const docs = document.getElementById("docs");
  docs.append(make("h1", `${api.info.title} ${api.info.version}`), make("p", api.info.description));
  const groups = {};
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, what] of Object.entries(methods)) (groups[what.tags?.[0] ?? ""] ??= []).push(call(api, path, method, what));
  }
  for (const [group, calls] of Object.entries(groups)) docs.append(make("h2", group), ...calls);
});
