import { headers, reservedHeaderPrefix } from "@proveniq/contracts";
import type { ResponseHead } from "./types.ts";

type Treatment = "pass" | "drop" | "length" | "encoding" | "connection" | "keep-alive" | "successor";

const treatments: Readonly<Record<string, Treatment>> = {
  "content-length": "length",
  "transfer-encoding": "encoding",
  connection: "connection",
  "keep-alive": "keep-alive",
  "proxy-connection": "drop",
  "proxy-authenticate": "drop",
  trailer: "drop",
  te: "drop",
  upgrade: "drop",
  [headers.requestId]: "drop",
  [headers.successor]: "successor",
};
const remembered = new Map<string, Treatment>();

function treatmentOf(name: string): Treatment | undefined {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return undefined;
  const lower = name.toLowerCase();
  const own = Object.hasOwn(treatments, lower) ? treatments[lower] : undefined;
  const treatment = own ?? (lower.startsWith(reservedHeaderPrefix) ? "drop" : "pass");
  if (remembered.size < 1_000) remembered.set(name, treatment);
  return treatment;
}

const controls = /[^\t\n\r\x20-\x7e\x80-\xff]/;

/**
 * Parse a response's head: `text` is latin-1, from the status line to the end of the last header, without the empty
 * line. `bodiless`: the request was a HEAD. Undefined when it is not exactly what RFC 9112 allows: what is ambiguous
 * about a cell's answer would desynchronise everybody's connection.
 */
export function parseResponseHead(text: string, bodiless: boolean): ResponseHead | undefined {
  // Control bytes other than HTAB have no place in a head, and the client's side would refuse to write them (RFC 9110, 5.5).
  if (controls.test(text)) return undefined;
  const statusEnd = lineEnd(text, 0);
  const version = text.charCodeAt(7);
  if (statusEnd < 12 || !text.startsWith("HTTP/1.") || (version !== 0x30 && version !== 0x31))
    return undefined;
  if (text.charCodeAt(8) !== 0x20 || (statusEnd > 12 && text.charCodeAt(12) !== 0x20)) return undefined;
  const status = statusOf(text);
  if (status === 0) return undefined;
  const head: ResponseHead = {
    status,
    reason: text.slice(13, statusEnd),
    headers: [],
    successor: undefined,
    framing: "close",
    length: 0,
    reusable: version === 0x31,
    keepAliveSeconds: undefined,
  };
  let length = "";
  let chunked = false;
  let nominated = "";
  for (let at = statusEnd + 2; at < text.length; ) {
    const end = lineEnd(text, at);
    const colon = text.indexOf(":", at);
    if (end === -1 || colon === -1 || colon >= end) return undefined;
    const name = text.slice(at, colon);
    const value = trimmed(text, colon + 1, end);
    switch (treatmentOf(name)) {
      case undefined:
        return undefined;
      case "pass":
        head.headers.push(name, value);
        break;
      case "drop":
        break;
      case "successor":
        head.successor = value;
        break;
      case "length":
        if (length !== "" || !/^[0-9]{1,15}$/.test(value)) return undefined;
        length = value;
        head.headers.push(name, value);
        break;
      case "encoding":
        if (chunked || version === 0x30 || value.toLowerCase() !== "chunked") return undefined;
        chunked = true;
        break;
      case "connection":
        nominated += `,${value.toLowerCase()}`;
        break;
      case "keep-alive":
        head.keepAliveSeconds = keepAliveOf(value);
        break;
    }
    at = end + 2;
  }
  if (chunked && length !== "") return undefined;
  if (nominated !== "") applyConnection(head, nominated, version === 0x30);
  if (bodiless || status < 200 || status === 204 || status === 304) head.framing = "none";
  else if (chunked) head.framing = "chunked";
  else if (length !== "") {
    head.length = Number(length);
    head.framing = head.length === 0 ? "none" : "length";
  } else head.reusable = false;
  // A 204 or 304 that declares a body may send it too: never trust what follows on this connection.
  if (!bodiless && (status === 204 || status === 304) && (chunked || (length !== "" && length !== "0")))
    head.reusable = false;
  if (status === 204) dropHeader(head, (name) => name === "content-length");
  return head;
}

/** Index of the CR of the line that begins at `from`; -1 when a bare CR or a bare LF stands in it. */
function lineEnd(text: string, from: number): number {
  const lf = text.indexOf("\n", from);
  const cr = text.indexOf("\r", from);
  const end = cr === -1 ? text.length : cr;
  if (lf !== -1 && lf !== end + 1) return -1;
  return cr !== -1 && lf === -1 ? -1 : end;
}

function statusOf(text: string): number {
  const a = text.charCodeAt(9) - 0x30;
  const b = text.charCodeAt(10) - 0x30;
  const c = text.charCodeAt(11) - 0x30;
  return a >= 1 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9 ? a * 100 + b * 10 + c : 0;
}

function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x09;
}

function keepAliveOf(value: string): number | undefined {
  const match = /(?:^|[,\s])timeout=([0-9]{1,6})/i.exec(value);
  return match === null ? undefined : Number(match[1]);
}

function applyConnection(head: ResponseHead, nominated: string, http10: boolean): void {
  if (nominated === ",keep-alive") {
    if (http10) head.reusable = true;
    return;
  }
  const names = new Set(nominated.split(",").map((name) => name.trim()));
  if (names.has("close")) head.reusable = false;
  else if (http10 && names.has("keep-alive")) head.reusable = true;
  dropHeader(head, (name) => names.has(name) && name !== "content-length");
}

function dropHeader(head: ResponseHead, dropped: (lowerName: string) => boolean): void {
  const kept: string[] = [];
  for (let i = 0; i < head.headers.length; i += 2) {
    const name = head.headers[i] ?? "";
    if (!dropped(name.toLowerCase())) kept.push(name, head.headers[i + 1] ?? "");
  }
  head.headers = kept;
}
