import { marketBatchAnswer, marketBatchInput } from "@proveniq/contracts";
import { readJson } from "../../http/json-body.ts";
import { validate } from "../../http/validate.ts";
import { replicaHeaders } from "../../valuation/valued.ts";
import type { Route } from "../route.ts";

const mediaTypes = ["application/json"];

export const batchGetMarketValues: Route = {
  method: "post",
  path: "/market-values/batch-get",
  scope: "tenant",
  tag: "Market values",
  operationId: "batchGetMarketValues",
  summary: "Read up to 500 market values",
  description: "Changes nothing; a POST because so many keys do not fit into a URL.",
  changesNothing: true,
  body: { schema: marketBatchInput, mediaTypes },
  answers: {
    200: {
      description: "The values that are published",
      schema: marketBatchAnswer,
      headers: ["Market-Sequence", "Market-Age"],
    },
  },
  problems: ["invalid-request", "invalid-json", "payload-too-large", "unsupported-media-type"],
  async handle(c, { market }) {
    const body = await readJson(c.req.raw, mediaTypes);
    const keys = [...new Set(validate(marketBatchInput, body.value, "body").keys)];
    const { values, replica } = await market.values(keys);
    const answer = {
      values: keys.flatMap((key) => values.get(key) ?? []),
      missing: keys.filter((key) => !values.has(key)),
      replica,
    };
    return c.json(answer, 200, replicaHeaders(replica));
  },
};
