import { item, itemInput, ProblemError } from "@proveniq/contracts";
import { idempotencyOf, writeResponse } from "../../http/idempotency.ts";
import { readJson } from "../../http/json-body.ts";
import { validate } from "../../http/validate.ts";
import type { Route } from "../route.ts";
import { idempotencyKeyParameter, itemResponse, readOnlyFields, refuseIfNoneMatch } from "./shared.ts";

const mediaTypes = ["application/json"];

export const createItem: Route = {
  method: "post",
  path: "/items",
  scope: "tenant",
  operationId: "createItem",
  summary: "Register a thing",
  description: "The owner of a person's item is that person. Partners may name an owner with `ownerId`.",
  parameters: [idempotencyKeyParameter],
  body: { schema: itemInput, mediaTypes },
  answers: {
    201: {
      description: "It is registered",
      schema: item,
      headers: ["ETag", "Location", "Idempotency-Replayed"],
      next: { parameter: "itemId", operations: ["getItem", "patchItem", "deleteItem"] },
    },
  },
  problems: [
    "invalid-request",
    "invalid-json",
    "already-exists",
    "idempotency-conflict",
    "payload-too-large",
    "unsupported-media-type",
  ],
  async handle(c) {
    const { tenant } = c.var;
    refuseIfNoneMatch(c);
    const body = await readJson(c.req.raw, mediaTypes);
    const input = validate(itemInput, body.value, "item", readOnlyFields);
    if (tenant.ownerId !== undefined && input.ownerId !== undefined) {
      throw new ProblemError("invalid-request", "The item is not valid.", {
        errors: [{ path: "/ownerId", message: "is for partners and staff: what you register is yours" }],
      });
    }
    const idempotency = idempotencyOf(c, "POST /v1/items", body.bytes);
    const result = await tenant.db.items.create(input, {
      idempotency,
      respond: (stored) => {
        const answer = itemResponse(201, stored);
        return { ...answer, headers: { ...answer.headers, location: `${c.req.path}/${stored.item.id}` } };
      },
    });
    return writeResponse(result);
  },
};
