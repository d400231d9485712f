import { item, itemPatch } from "@proveniq/contracts";
import { ifMatch } from "../../http/conditions.ts";
import { idempotencyOf, writeResponse } from "../../http/idempotency.ts";
import { readJson } from "../../http/json-body.ts";
import { validate } from "../../http/validate.ts";
import type { Route } from "../route.ts";
import {
  idempotencyKeyParameter,
  ifMatchParameter,
  itemIdOf,
  itemIdParameter,
  itemPath,
  itemResponse,
  readOnlyFields,
  refuseIfNoneMatch,
} from "./shared.ts";

const identity = "never changes: delete the item and register it anew";
const fixed = { ...readOnlyFields, externalId: identity, ownerId: identity };
const mediaTypes = ["application/merge-patch+json", "application/json"];

export const patchItem: Route = {
  method: "patch",
  path: itemPath,
  scope: "tenant",
  operationId: "patchItem",
  summary: "Change an item",
  description:
    "A merge patch (RFC 7396): what is absent stays, null removes. `attributes` merges key by key.",
  parameters: [itemIdParameter, ifMatchParameter, idempotencyKeyParameter],
  body: { schema: itemPatch, mediaTypes },
  answers: {
    200: { description: "The item as it now is", schema: item, headers: ["ETag", "Idempotency-Replayed"] },
  },
  problems: [
    "invalid-request",
    "invalid-json",
    "not-found",
    "idempotency-conflict",
    "precondition-failed",
    "payload-too-large",
    "unsupported-media-type",
  ],
  async handle(c) {
    refuseIfNoneMatch(c);
    const body = await readJson(c.req.raw, mediaTypes);
    const patch = validate(itemPatch, body.value, "patch", fixed);
    const result = await c.var.tenant.db.items.patch(itemIdOf(c), patch, {
      ifMatch: ifMatch(c.req.header("if-match")),
      idempotency: idempotencyOf(c, "PATCH /v1/items/{itemId}", body.bytes),
      respond: (stored) => itemResponse(200, stored),
    });
    return writeResponse(result);
  },
};
