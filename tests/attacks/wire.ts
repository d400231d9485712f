import { connect } from "node:net";

/** A request as bytes will have it: headers in order, as often as they are given, with any value. */
export interface WireRequest {
  method?: string;
  path: string;
  host: string;
  headers?: readonly (readonly [string, string])[];
  body?: string;
}

export interface WireAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The bytes of a request, its length declared and its connection closed afterwards. Headers are latin1. */
export function bytesOf({ method = "GET", path, host, headers = [], body = "" }: WireRequest): Buffer {
  const payload = Buffer.from(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${host}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(payload.length > 0 ? [`content-length: ${payload.length}`] : []),
  ];
  if (!headers.some(([name]) => name.toLowerCase() === "connection")) lines.push("connection: close");
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), payload]);
}

/**
 * Write bytes to a port; everything that comes back until the other side closes, `enough` of it is there, or
 * nothing has come for `quietMs`.
 */
export function exchange(
  origin: string,
  bytes: Buffer | string,
  { quietMs = 5_000, enough }: { quietMs?: number; enough?: (text: string) => boolean } = {},
): Promise<string> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host: hostname === "localhost" ? "127.0.0.1" : hostname, port: Number(port) });
    socket.setTimeout(quietMs, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (enough?.(text) === true) socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
    socket.write(bytes);
  });
}

/** Send one well-framed request. Throws when no answer comes back. */
export async function send(origin: string, request: WireRequest): Promise<WireAnswer> {
  const text = await exchange(origin, bytesOf(request), { enough: isWhole });
  return parse(text, request);
}

/** True for a whole answer of declared length. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return end !== -1 && length !== undefined && text.length >= end + 4 + Number(length);
}

function parse(text: string, { method, path }: WireRequest): WireAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  if (end === -1 || Number.isNaN(status))
    throw new Error(`${method} ${path}: no answer (${text.slice(0, 80)})`);
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const raw = text.slice(end + 4);
  const body = headers["transfer-encoding"] === "chunked" ? unchunked(raw) : raw;
  return { status, headers, body: Buffer.from(body, "latin1").toString("utf8") };
}

function unchunked(raw: string): string {
  let rest = raw;
  let body = "";
  for (;;) {
    const line = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (line === -1 || Number.isNaN(size) || size === 0) return body;
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 4 + size);
  }
}

/** The problem code of an answer; undefined when it is no problem. */
export function codeOf(answer: WireAnswer): string | undefined {
  if (answer.headers["content-type"] !== "application/problem+json") return undefined;
  const code: unknown = JSON.parse(answer.body).code;
  return typeof code === "string" ? code : undefined;
}

/** What an answer tells: all of it, but for what differs between any two (date, request and trace id, quota, time-outs). */
export function told({ status, headers, body }: WireAnswer): string {
  const passing = /^(date|x-request-id|traceresponse|ratelimit.*|retry-after|keep-alive|connection)$/;
  const kept = Object.entries(headers).filter(([name]) => !passing.test(name));
  const said = body.replace(/"traceId":"[0-9a-f]{32}"/, '"traceId":"…"');
  return JSON.stringify([status, kept.map((pair) => pair.join(": ")).sort(), said]);
}
