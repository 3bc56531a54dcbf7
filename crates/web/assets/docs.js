// Shows the OpenAPI document that this server serves, with nothing from elsewhere.
"use strict";

const make = (name, text, ...children) => {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...children);
  return node;
};

const resolve = (api, schema) => schema?.$ref ? schema.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : schema;

function block(api, title, content) {
  const schema = Object.values(content ?? {})[0]?.schema;
  return schema ? [make("h2", title), make("pre", JSON.stringify(resolve(api, schema), null, 2))] : [];
}

function call(api, path, method, what) {
  const summary = make("summary", "", make("code", `${method} `), make("code", path), document.createTextNode(` ${what.summary ?? ""}`));
  summary.firstChild.className = "method";
  const details = make("details", "", summary);
  if (what.description) details.append(make("p", what.description));
  for (const { name, in: place, description } of what.parameters ?? []) details.append(make("p", `${name} (${place}) ${description ?? ""}`));
  details.append(...block(api, "Body", what.requestBody?.content));
  for (const [status, answer] of Object.entries(what.responses ?? {})) details.append(...block(api, `${status} ${answer.description}`, answer.content));
  for (const [status, answer] of Object.entries(what.responses ?? {})) if (!answer.content) details.append(make("p", `${status} ${answer.description}`));
  return details;
}

fetch("/api/openapi.json").then((answer) => answer.json()).then((api) => {
  const docs = document.getElementById("docs");
  docs.append(make("h1", `${api.info.title} ${api.info.version}`), make("p", api.info.description));
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, what] of Object.entries(methods)) docs.append(call(api, path, method, what));
});
