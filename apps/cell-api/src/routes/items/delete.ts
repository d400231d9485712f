import { ifMatch } from "../../http/conditions.ts";
import { idempotencyOf, writeResponse } from "../../http/idempotency.ts";
import type { Route } from "../route.ts";
import {
  idempotencyKeyParameter,
  ifMatchParameter,
  itemIdOf,
  itemIdParameter,
  itemPath,
  refuseIfNoneMatch,
} from "./shared.ts";

export const deleteItem: Route = {
  method: "delete",
  path: itemPath,
  scope: "tenant",
  operationId: "deleteItem",
  summary: "Delete an item",
  description: "A second delete answers 404, unless it carries the Idempotency-Key of the first.",
  parameters: [itemIdParameter, ifMatchParameter, idempotencyKeyParameter],
  answers: { 204: { description: "It is gone", headers: ["Idempotency-Replayed"] } },
  problems: ["invalid-request", "not-found", "idempotency-conflict", "precondition-failed"],
  async handle(c) {
    refuseIfNoneMatch(c);
    const result = await c.var.tenant.db.items.delete(itemIdOf(c), {
      ifMatch: ifMatch(c.req.header("if-match")),
      idempotency: idempotencyOf(c, "DELETE /v1/items/{itemId}", new Uint8Array()),
      respond: () => ({ status: 204, headers: {}, body: null }),
    });
    return writeResponse(result);
  },
};
