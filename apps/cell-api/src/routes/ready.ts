import { readiness } from "../readiness.ts";
import type { Route } from "./route.ts";

export const getReady: Route = {
  method: "get",
  path: "/ready",
  scope: "process",
  operationId: "getReady",
  summary: "Whether the cell can serve tenants",
  description: "Each dependency with its state; an answer is at most a second old.",
  answers: {
    200: {
      description: "All that tenants need answer; `degraded`: something else does not",
      schema: readiness,
    },
    503: { description: "At least one that tenants need does not", schema: readiness },
  },
  problems: [],
  async handle(c, deps) {
    const now = await deps.readiness();
    return c.json(now, now.status === "not-ready" ? 503 : 200);
  },
};
