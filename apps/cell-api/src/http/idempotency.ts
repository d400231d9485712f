import { createHash } from "node:crypto";
import { headers, ProblemError } from "@proveniq/contracts";
import type { WriteOptions, WriteResult } from "@proveniq/db/tenant";
import type { Context } from "hono";
import type { AppEnv } from "../deps.ts";

/**
 * What makes a write idempotent, from its Idempotency-Key; undefined without one. The digest covers method, path
 * below the tenant, and body: a client that repeats its request under another tenant prefix repeats it.
 */
export function idempotencyOf(
  c: Context<AppEnv>,
  route: string,
  body: Uint8Array,
): WriteOptions["idempotency"] {
  const key = c.req.header(headers.idempotencyKey);
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key)) {
    throw new ProblemError("invalid-request", "The Idempotency-Key header is not valid.", {
      errors: [{ path: "Idempotency-Key", message: "must be 1 to 255 printable ASCII characters" }],
    });
  }
  const path = c.req.path.replace(/^\/t\/[^/]+/, "");
  const digest = createHash("sha256").update(`${c.req.method} ${path}\n`).update(body).digest("hex");
  return { route, key, digest };
}

/** The answer of a write, with a mark when it is an earlier one. */
export function writeResponse({ response, replayed }: WriteResult): Response {
  const mark = replayed ? { [headers.idempotencyReplayed]: "true" } : {};
  return new Response(response.body, {
    status: response.status,
    headers: { ...response.headers, ...mark },
  });
}
