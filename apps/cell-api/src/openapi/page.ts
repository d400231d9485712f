import type { JsonSchema, OpenApiDocument, OperationObject } from "./types.ts";

const style = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
code{font:0.9em ui-monospace,monospace;background:var(--soft);padding:0 .2em;border-radius:3px}
section{border-top:1px solid var(--line);margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
nav li{margin:.1rem 0}h3{margin-bottom:.2rem}.method{font-weight:700;text-transform:uppercase}`;

/** The document as one page without scripts, fonts or anything else from elsewhere. */
export function renderPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths)
    .filter(([path]) => !path.startsWith("/t/"))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, o]) => ({ path, method, o })));
  const links = operations
    .map(
      ({ path, method, o }) =>
        `<li><a href="#${o.operationId}">${title(method, path)}</a> ${text(o.summary)}</li>`,
    )
    .join("\n");
  const schemas = Object.entries(document.components.schemas);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(document.info.title)} API</title><style>${style}</style></head><body>
<h1>${text(document.info.title)} API</h1>
<p>${prose(document.info.description)} Everything under <code>/v1</code> is also served under
<code>/t/{tenant}/v1</code>. For tools: <a href="/openapi.json">openapi.json</a>.</p>
<nav><ul>${links}</ul></nav>
${operations.map(({ path, method, o }) => operationSection(path, method, o)).join("\n")}
<section><h2>Schemas</h2>
${schemas.map(([name, schema]) => schemaSection(name, schema)).join("\n")}</section>
</body></html>`;
}

function operationSection(path: string, method: string, o: OperationObject): string {
  const parameters = o.parameters.map((p) => [
    `<code>${text(p.name)}</code>`,
    `${p.in}${p.required ? ", required" : ""}`,
    kindOf(p.schema),
    prose(p.description),
  ]);
  const bodies = Object.entries(o.requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<p>Body: ${kindOf(schema)} as <code>${text(type)}</code></p>`,
  );
  const responses = Object.entries(o.responses).map(([status, r]) => [
    status,
    prose(r.description),
    Object.keys(r.headers ?? {})
      .map(text)
      .join(", "),
    Object.entries(r.content ?? {})
      .map(([type, { schema }]) => `${kindOf(schema)} <code>${text(type)}</code>`)
      .join("<br>"),
  ]);
  return `<section id="${o.operationId}"><h2>${title(method, path)}</h2>
<p>${text(o.summary)}. ${prose(o.description ?? "")}</p>
${parameters.length > 0 ? table(["Parameter", "In", "Type", ""], parameters) : ""}${bodies.join("")}
<h3>Answers</h3>${table(["Status", "", "Headers", "Body"], responses)}</section>`;
}

function schemaSection(name: string, schema: JsonSchema): string {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const rows = Object.entries(objectOf(schema["properties"])).map(([field, value]) => [
    `<code>${text(field)}</code>${required.includes(field) ? " *" : ""}`,
    kindOf(objectOf(value)),
    prose(say(objectOf(value)["description"])),
  ]);
  const fields =
    rows.length > 0 ? table(["Field (* required)", "Type", ""], rows) : `<p>${kindOf(schema)}</p>`;
  return `<h3 id="schema-${text(name)}">${text(name)}</h3><p>${prose(say(schema["description"]))}</p>${fields}`;
}

/** What a schema accepts, in a few words. */
function kindOf(schema: JsonSchema): string {
  const ref = schema["$ref"];
  if (typeof ref === "string") {
    const name = text(ref.split("/").at(-1) ?? "");
    return `<a href="#schema-${name}">${name}</a>`;
  }
  if (Array.isArray(schema["enum"]))
    return schema["enum"].map((v) => `<code>${text(say(v))}</code>`).join(" ");
  if (schema["type"] === "array") return `list of ${kindOf(objectOf(schema["items"]))}`;
  const union = schema["anyOf"];
  if (Array.isArray(union)) return union.map((part) => kindOf(objectOf(part))).join(" or ");
  const { type, format, pattern, minimum, maximum, minLength, maxLength } = schema;
  const bounds = Object.entries({ minimum, maximum, minLength, maxLength })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${say(value)}`);
  const shape = format === undefined && pattern !== undefined ? `<code>${text(say(pattern))}</code>` : "";
  return [text(say(format ?? type ?? "anything")), shape, bounds.join(", ")]
    .filter((s) => s !== "")
    .join(" ");
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[], tag: string) =>
    `<tr>${cells.map((c) => `<${tag}>${c}</${tag}>`).join("")}</tr>`;
  return `<table>${line(head, "th")}${rows.map((r) => line(r, "td")).join("")}</table>`;
}

function title(method: string, path: string): string {
  return `<span class="method">${text(method)}</span> <code>${text(path)}</code>`;
}

/** A keyword's value when it is a simple one. */
function say(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function objectOf(value: unknown): JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Text in which `code` is marked as in Markdown. */
function prose(raw: string): string {
  return text(raw).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function text(raw: string): string {
  return raw
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
