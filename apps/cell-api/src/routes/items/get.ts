import { item, ProblemError } from "@proveniq/contracts";
import { z } from "zod";
import { ifMatch, ifNoneMatch, matches } from "../../http/conditions.ts";
import type { Route } from "../route.ts";
import { ifMatchParameter, itemIdOf, itemIdParameter, itemPath, itemResponse, notFound } from "./shared.ts";

export const getItem: Route = {
  method: "get",
  path: itemPath,
  scope: "tenant",
  operationId: "getItem",
  summary: "Read an item",
  parameters: [
    itemIdParameter,
    ifMatchParameter,
    {
      name: "If-None-Match",
      in: "header",
      description: "Entity tags, or *: answers 304 when one is the item's",
      schema: z.string(),
    },
  ],
  answers: {
    200: { description: "The item", schema: item, headers: ["ETag"] },
    304: { description: "It is as the tag says", headers: ["ETag"] },
  },
  problems: ["invalid-request", "not-found", "precondition-failed"],
  async handle(c) {
    const id = itemIdOf(c);
    const wanted = ifMatch(c.req.header("if-match"));
    const known = ifNoneMatch(c.req.header("if-none-match"));
    const stored = await c.var.tenant.db.items.get(id);
    if (stored === undefined) throw notFound();
    if (wanted !== undefined && !matches(wanted, stored.etag)) throw new ProblemError("precondition-failed");
    if (known !== undefined && matches(known, stored.etag)) {
      return new Response(null, { status: 304, headers: { etag: stored.etag } });
    }
    const answer = itemResponse(200, stored);
    return new Response(answer.body, answer);
  },
};
