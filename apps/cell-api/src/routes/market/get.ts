import { type MarketValueAnswer, marketKey, marketValueAnswer, ProblemError } from "@proveniq/contracts";
import { replicaHeaders } from "../../valuation/valued.ts";
import type { Route } from "../route.ts";

export const getMarketValue: Route = {
  method: "get",
  path: "/market-values/{marketKey}",
  scope: "tenant",
  tag: "Market values",
  operationId: "getMarketValue",
  summary: "Read a market value",
  description:
    "From this cell's replica of the published values; `replica` says how far that is. The values are the same for every tenant.",
  parameters: [{ name: "marketKey", in: "path", description: "The key", schema: marketKey }],
  answers: {
    200: {
      description: "The value",
      schema: marketValueAnswer,
      headers: ["Market-Sequence", "Market-Age"],
    },
  },
  problems: ["not-found"],
  async handle(c, { market }) {
    const key = marketKey.safeParse(c.req.param("marketKey"));
    const found = key.success ? await market.values([key.data]) : undefined;
    const value = key.success ? found?.values.get(key.data) : undefined;
    if (found === undefined || value === undefined) {
      throw new ProblemError("not-found", "No value is published for this key.");
    }
    const { replica } = found;
    return c.json({ value, replica } satisfies MarketValueAnswer, 200, replicaHeaders(replica));
  },
};
