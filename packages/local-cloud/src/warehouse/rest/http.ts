import type { IncomingMessage, ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";
import type { z } from "zod";
import { invalid, WarehouseFault } from "../faults.ts";

export interface RestRequest {
  method: string;
  /** Decoded parts of the path after `/bigquery/v2`. */
  path: string[];
  query: URLSearchParams;
  /** The body's JSON; undefined without one. */
  json: unknown;
  /** The body as it came, for uploads. */
  body: Buffer;
  contentType: string;
}

const limit = 64 * 1024 * 1024;

export async function readRequest(message: IncomingMessage, prefix: string): Promise<RestRequest> {
  const url = new URL(message.url ?? "/", "http://localhost");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new WarehouseFault(413, "uploadTooLarge", "The body is over 64 MiB");
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks);
  const body = message.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
  const contentType = message.headers["content-type"] ?? "";
  return {
    method: message.method ?? "GET",
    path: url.pathname.slice(prefix.length).split("/").filter(Boolean).map(decodeURIComponent),
    query: url.searchParams,
    json: body.length > 0 && contentType.includes("json") ? parseJson(body.toString("utf8")) : undefined,
    body,
    contentType,
  };
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new WarehouseFault(400, "parseError", "The body is not JSON");
  }
}

/** Check what a client sent, telling the first fault the way BigQuery does. */
export function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const read = schema.safeParse(value ?? {});
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw invalid(`Invalid value at ${issue?.path.join(".") ?? "body"}: ${issue?.message ?? "is not valid"}`);
}

export function sendJson(response: ServerResponse, status: number, body: object | undefined): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  response
    .writeHead(status, {
      "content-type": "application/json; charset=UTF-8",
      "content-length": Buffer.byteLength(text),
      server: "proveniq-local-warehouse",
    })
    .end(text);
}

export function sendFault(response: ServerResponse, error: unknown): void {
  const fault =
    error instanceof WarehouseFault
      ? error
      : new WarehouseFault(500, "internalError", `The local warehouse failed: ${String(error)}`);
  const { status, reason, message } = fault;
  sendJson(response, status, {
    error: { code: status, message, errors: [{ message, domain: "global", reason }], status: reason },
  });
}
