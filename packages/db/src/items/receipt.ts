import type { DocumentData, DocumentSnapshot } from "@google-cloud/firestore";
import { ProblemError } from "@proveniq/contracts";
import { z } from "zod";
import type { Actor, StoredResponse, WriteOptions } from "../tenant/types.ts";
import { millisOf } from "../times.ts";
import { hashOf } from "./ids.ts";

const dayMs = 24 * 60 * 60 * 1000;

type Keyed = Pick<WriteOptions, "idempotency">;

/** The document that a write leaves, without the time at which it may go. */
export const storedReceipt = z.object({
  digest: z.string(),
  response: z.strictObject({
    status: z.int(),
    headers: z.record(z.string(), z.string()),
    body: z.string().nullable(),
  }),
});

/** Where a write leaves its answer: under its key, within its principal and route; without a key under itself. */
export function receiptId(actor: Actor, options: Keyed, writeId: string): string {
  const { idempotency } = options;
  return idempotency === undefined
    ? hashOf("write", writeId)
    : hashOf("key", actor.kind, actor.id, idempotency.route, idempotency.key);
}

/** What an idempotency record holds, for 24 hours. */
export function receiptData(options: Keyed, response: StoredResponse, at: Date): DocumentData {
  return {
    digest: options.idempotency?.digest ?? "",
    response: { status: response.status, headers: response.headers, body: response.body },
    expiresAt: new Date(at.getTime() + dayMs),
  };
}

/**
 * The stored answer. Undefined when the record is older than 24 hours, though the database has not yet deleted
 * it; `ProblemError("idempotency-conflict")` when it answers another request.
 */
export function recallResponse(
  snapshot: DocumentSnapshot,
  own: boolean,
  options: Keyed,
): StoredResponse | undefined {
  const expired = millisOf(snapshot.get("expiresAt")) <= snapshot.readTime.toMillis();
  if (expired && !own) return undefined;
  const { digest, response } = storedReceipt.parse(snapshot.data());
  if (!own && digest !== options.idempotency?.digest) {
    throw new ProblemError(
      "idempotency-conflict",
      "This Idempotency-Key came with a different request in the last 24 hours. Use a new key for a new request.",
    );
  }
  return response;
}
