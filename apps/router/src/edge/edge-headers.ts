import { headers, reservedHeaderPrefix } from "@proveniq/contracts";

/** Of one connection only, or written by the router itself. */
const ownRequestHeaders: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "content-length",
  headers.tenant,
  headers.requestId,
  headers.traceparent,
  headers.tracestate,
]);
const ownAnswerHeaders: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-middleware-rewrite",
  "x-middleware-override-headers",
  headers.requestId,
]);

/** What goes on to the cell, reserved headers stripped however they are written. */
export function requestHeaders(given: Headers): Headers {
  const passed = new Headers();
  for (const [name, value] of given) {
    const reserved = name.replaceAll("_", "-").startsWith(reservedHeaderPrefix);
    if (!reserved && !ownRequestHeaders.has(name)) passed.append(name, value);
  }
  return passed;
}

/** What goes back to the client. An answer that the platform has decoded is not labelled as coded. */
export function answerHeaders(given: Headers, requestId: string): Headers {
  const decoded = given.has("content-encoding");
  const passed = new Headers();
  for (const [name, value] of given) {
    if (name.startsWith(reservedHeaderPrefix) || ownAnswerHeaders.has(name)) continue;
    if (decoded && (name === "content-encoding" || name === "content-length")) continue;
    passed.append(name, value);
  }
  passed.set(headers.requestId, requestId);
  return passed;
}
