import { createHash } from "node:crypto";
import { itemId, ProblemError } from "@proveniq/contracts";
import type { ItemPosition } from "@proveniq/db/tenant";
import { z } from "zod";

/** What a cursor is good for: the same tenant, principal and filters that it was made for. */
export type CursorScope = readonly (string | undefined)[];

/** The last moment that the database can store: the end of the year 9999. */
const latest = 253_402_300_799_999;
const position = z.strictObject({ id: itemId, createdAtMs: z.int().min(0).max(latest).optional() });
const bindingLength = 22;

/**
 * A position as clients get it: base64url JSON, then 128 bits of a digest that ties it to its scope. Not a
 * secret: a forged one goes no further than the handle that it is used with.
 */
export function encodeCursor(at: ItemPosition, scope: CursorScope): string {
  const body = Buffer.from(
    JSON.stringify(at.createdAtMs === undefined ? { id: at.id } : { id: at.id, createdAtMs: at.createdAtMs }),
  ).toString("base64url");
  return body + binding(body, scope);
}

/** The position of a cursor, or `ProblemError("invalid-cursor")` for anything that `encodeCursor` did not make for this scope. */
export function decodeCursor(cursor: string, scope: CursorScope, newestFirst: boolean): ItemPosition {
  const body = cursor.slice(0, -bindingLength);
  if (cursor.slice(-bindingLength) !== binding(body, scope)) throw invalid();
  const at = position.safeParse(parse(body));
  if (!at.success || encodeCursor(at.data, scope) !== cursor) throw invalid();
  if ((at.data.createdAtMs !== undefined) !== newestFirst) throw invalid();
  return at.data;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, "base64url").toString());
  } catch {
    return undefined;
  }
}

function binding(body: string, scope: CursorScope): string {
  const text = JSON.stringify([body, scope.map((s) => s ?? null)]);
  return createHash("sha256").update(text).digest().subarray(0, 16).toString("base64url");
}

function invalid(): ProblemError {
  return new ProblemError(
    "invalid-cursor",
    "Use the nextCursor of the page before, with the same credential and filters, or start again without one.",
  );
}
