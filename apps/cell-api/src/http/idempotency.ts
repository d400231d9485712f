import { createHash } from "node:crypto";
import { headers, ProblemError } from "@proveniq/contracts";
import type { WriteOptions, WriteResult } from "@proveniq/db/tenant";
import type { Context } from "hono";
import { z } from "zod";
import type { AppEnv } from "../deps.ts";

const keyMessage = "must be given once: 1 to 255 printable ASCII characters without a comma";

/** Two headers of the same name arrive as one value with a comma between them: a key that has none cannot be two. */
export const idempotencyKey = z
  .string()
  .max(255)
  .regex(/^[\x21-\x2b\x2d-\x7e]([\x20-\x2b\x2d-\x7e]*[\x21-\x2b\x2d-\x7e])?$/, keyMessage);

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
  if (!idempotencyKey.safeParse(key).success) {
    throw new ProblemError("invalid-request", "The Idempotency-Key header is not valid.", {
      errors: [{ path: "Idempotency-Key", message: keyMessage }],
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
