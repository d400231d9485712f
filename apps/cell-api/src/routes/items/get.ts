import { ProblemError, valuedItem } from "@proveniq/contracts";
import { entityTags, ifMatch, ifNoneMatch, matches } from "../../http/conditions.ts";
import { withValuations } from "../../valuation/valued.ts";
import type { Route } from "../route.ts";
import { ifMatchParameter, itemIdOf, itemIdParameter, itemPath, notFound } from "./shared.ts";

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
      schema: entityTags,
    },
  ],
  answers: {
    200: {
      description: "The item and what it is worth today",
      schema: valuedItem,
      headers: ["ETag", "Market-Sequence", "Market-Age"],
    },
    304: { description: "It is as the tag says", headers: ["ETag"] },
  },
  problems: ["invalid-request", "not-found", "precondition-failed"],
  async handle(c, { market }) {
    const id = itemIdOf(c);
    const wanted = ifMatch(c.req.header("if-match"));
    const known = ifNoneMatch(c.req.header("if-none-match"));
    const stored = await c.var.tenant.db.items.get(id);
    if (stored === undefined) throw notFound();
    if (wanted !== undefined && !matches(wanted, stored.etag)) throw new ProblemError("precondition-failed");
    const { items, headers } = await withValuations(market, [stored]);
    const [{ item, etag } = stored] = items;
    if (known !== undefined && matches(known, etag)) {
      return new Response(null, { status: 304, headers: { ...headers, etag } });
    }
    return c.json(item, 200, { ...headers, etag });
  },
};
