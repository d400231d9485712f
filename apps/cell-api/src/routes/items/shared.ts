import { itemId, ProblemError } from "@proveniq/contracts";
import type { StoredItem, StoredResponse } from "@proveniq/db/tenant";
import type { Context } from "hono";
import type { AppEnv } from "../../deps.ts";
import { entityTags } from "../../http/conditions.ts";
import { idempotencyKey } from "../../http/idempotency.ts";
import type { Parameter } from "../route.ts";

export const itemPath = "/items/{itemId}";

export const itemIdParameter: Parameter = {
  name: "itemId",
  in: "path",
  description: "The item's id",
  schema: itemId,
};

export const idempotencyKeyParameter: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description: "Makes the request safe to repeat for 24 hours: the first answer comes back. No comma in it",
  schema: idempotencyKey,
};

export const ifMatchParameter: Parameter = {
  name: "If-Match",
  in: "header",
  description: "Entity tags of which one must be the item's, or *; weak tags never match",
  schema: entityTags,
};

const readOnly = "is read-only: leave it out";
/** Fields of an item as it is read that no request sets. */
export const readOnlyFields = {
  id: readOnly,
  version: readOnly,
  createdAt: readOnly,
  updatedAt: readOnly,
  valuation: readOnly,
} as const;

/** The id in the path. One that no item can have is as missing as any other. */
export function itemIdOf(c: Context<AppEnv>): string {
  const id = itemId.safeParse(c.req.param("itemId"));
  if (!id.success) throw notFound();
  return id.data;
}

/** The same for an item that is missing and one that is another's. */
export function notFound(): ProblemError {
  return new ProblemError("not-found", "There is no such item.");
}

/** An item as it is answered. */
export function itemResponse(status: number, { item, etag }: StoredItem): StoredResponse {
  return { status, headers: { "content-type": "application/json", etag }, body: JSON.stringify(item) };
}

/** Only reads compare with If-None-Match; on a write it would be ignored, which the sender does not expect. */
export function refuseIfNoneMatch(c: Context<AppEnv>): void {
  if (c.req.header("if-none-match") === undefined) return;
  throw new ProblemError("invalid-request", "If-None-Match is for reads.", {
    errors: [{ path: "If-None-Match", message: "is not supported on writes: use If-Match" }],
  });
}
