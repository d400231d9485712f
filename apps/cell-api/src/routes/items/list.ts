import { category, externalId, marketKey, ownerId, ProblemError, valuedItemPage } from "@proveniq/contracts";
import { z } from "zod";
import { queryOf, validate } from "../../http/validate.ts";
import { withValuations } from "../../valuation/valued.ts";
import type { Parameter, Route } from "../route.ts";
import { type CursorScope, decodeCursor, encodeCursor } from "./cursor.ts";

const defaultLimit = 50;
const maxLimit = 100;
const limitMessage = `must be a whole number from 1 to ${maxLimit}`;

const listQuery = z.strictObject({
  category: category.optional(),
  marketKey: marketKey.optional(),
  externalId: externalId.optional(),
  ownerId: ownerId.optional(),
  limit: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/, limitMessage)
    .transform(Number)
    .refine((n) => n <= maxLimit, limitMessage)
    .optional(),
  cursor: z.string().max(1000).optional(),
});

const parameter = (
  name: keyof typeof listQuery.shape,
  schema: z.ZodType,
  description: string,
): Parameter => ({
  name,
  in: "query",
  schema,
  description,
});

export const listItems: Route = {
  method: "get",
  path: "/items",
  scope: "tenant",
  operationId: "listItems",
  summary: "List items",
  description:
    "People see their own items, newest first. Partners see the whole book in no particular order, or with `ownerId` " +
    "one owner's items, newest first.",
  parameters: [
    parameter("category", category, "Only this kind of thing"),
    parameter("marketKey", marketKey, "Only what this market value applies to"),
    parameter("externalId", externalId, "Only the item with this id of the partner's own"),
    parameter("ownerId", ownerId, "Only this owner's items; partners and staff only"),
    parameter(
      "limit",
      z.int().min(1).max(maxLimit).default(defaultLimit),
      "Largest number of items in a page",
    ),
    parameter("cursor", z.string(), "nextCursor of the page before; good only with the same filters"),
  ],
  answers: {
    200: {
      description: "A page of items and what they are worth; nextCursor is absent on the last one",
      schema: valuedItemPage,
      headers: ["Market-Sequence", "Market-Age"],
    },
  },
  problems: ["invalid-request", "invalid-cursor"],
  async handle(c, { market }) {
    const { tenant } = c.var;
    const query = validate(listQuery, queryOf(c.req.url), "query");
    const { limit = defaultLimit, cursor, ...filters } = query;
    if (tenant.ownerId !== undefined && filters.ownerId !== undefined) {
      throw new ProblemError("invalid-request", "The query is not valid.", {
        errors: [{ path: "/ownerId", message: "is for partners and staff: you see what is yours" }],
      });
    }
    const { principal } = tenant;
    const scope: CursorScope = [
      tenant.tenantId,
      principal.kind,
      principal.id,
      filters.category,
      filters.marketKey,
      filters.externalId,
      filters.ownerId,
    ];
    const newestFirst = (tenant.ownerId ?? filters.ownerId) !== undefined;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, scope, newestFirst);
    const page = await tenant.db.items.list({ ...filters, limit, after });
    const more = page.next === undefined ? {} : { nextCursor: encodeCursor(page.next, scope) };
    const valued = await withValuations(market, page.items);
    return c.json({ items: valued.items.map((v) => v.item), ...more }, 200, valued.headers);
  },
};
