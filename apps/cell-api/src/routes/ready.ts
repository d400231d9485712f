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
    200: { description: "All of them answer", schema: readiness },
    503: { description: "At least one does not", schema: readiness },
  },
  problems: [],
  async handle(c, deps) {
    const now = await deps.readiness();
    return c.json(now, now.status === "ready" ? 200 : 503);
  },
};
