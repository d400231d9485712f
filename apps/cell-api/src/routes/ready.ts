import { headers } from "@proveniq/contracts";
import { toldReadiness } from "../readiness.ts";
import type { Route } from "./route.ts";

export const getReady: Route = {
  method: "get",
  path: "/ready",
  scope: "process",
  operationId: "getReady",
  summary: "Whether the cell can serve tenants",
  description:
    "To the fleet each dependency with its state, to others whether it can or not; an answer is at most a second old.",
  answers: {
    200: {
      description: "All that tenants need answer; `degraded`: something else does not",
      schema: toldReadiness,
    },
    503: { description: "At least one that tenants need does not", schema: toldReadiness },
  },
  problems: [],
  async handle(c, deps) {
    const now = await deps.readiness();
    const ready = now.status !== "not-ready";
    // A router proves itself for whoever asks it: what came to a client's host is a stranger's question.
    const operator = c.get("fleet") && c.req.header(headers.host) === undefined;
    const told = operator ? now : { status: ready ? ("ready" as const) : ("not-ready" as const) };
    return c.json(told, ready ? 200 : 503);
  },
};
