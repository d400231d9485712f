import { portfolio, portfolioPending } from "@proveniq/contracts";
import { replicaHeaders } from "../../valuation/valued.ts";
import type { Route } from "../route.ts";

const retryAfterSeconds = 2;

export const getPortfolio: Route = {
  method: "get",
  path: "/portfolio",
  scope: "tenant",
  tag: "Market values",
  operationId: "getPortfolio",
  summary: "What the book holds and is worth",
  description:
    "By category and currency: how many items, their insured values, their estimates, and what share of them has a market value. " +
    "People see their own items, partners the whole book. Up to 1,000 items are counted at once; a larger book is counted in the " +
    "background, kept, and counted again when its portfolio is over ten minutes old.",
  answers: {
    200: {
      description: "The portfolio as of `asOf`",
      schema: portfolio,
      headers: ["Market-Sequence", "Market-Age"],
    },
    202: {
      description: "It is being counted for the first time: ask again after `Retry-After` seconds",
      schema: portfolioPending,
      headers: ["Retry-After"],
    },
  },
  problems: [],
  async handle(c, { portfolios }) {
    const answer = await portfolios.of(c.var.tenant.db);
    if ("pending" in answer) return c.json(answer.pending, 202, { "retry-after": String(retryAfterSeconds) });
    return c.json(answer.portfolio, 200, replicaHeaders(answer.portfolio.replica));
  },
};
